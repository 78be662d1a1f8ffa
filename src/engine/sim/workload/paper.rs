//! Work on paper: people who give up carry on by hand, and enter it later.

use crate::model::{ClassId, Fallback, SiteId};
use crate::random::Purpose;
use crate::sim::engine::Engine;
use crate::sim::observer::{Fact, Observer};
use crate::sim::workload::draws::DrawKey;

impl<O: Observer> Engine<'_, O> {
    /// A person gives up: works on paper, cancels, or leaves it.
    pub(crate) fn use_fallback(&mut self, class: ClassId, site: SiteId, draw_key: &DrawKey) {
        let Some(fallback) = self.model.classes[class.index()].fallback else { return };
        self.paper.given_up[class.index()][site.index()] |= !self.reaches(site, class);
        let u = draw_key.stream(Purpose::Fallback).uniform();
        if u < fallback.paper.0 {
            self.put_on_paper(class, site, fallback);
        } else if u < fallback.paper.0 + fallback.cancel.0 {
            self.observer.on(self.now, &Fact::Cancelled { class, site });
        }
    }

    fn put_on_paper(&mut self, class: ClassId, site: SiteId, fallback: Fallback) {
        self.paper.to_enter[class.index()][site.index()] += fallback.effort;
        self.observer.on(self.now, &Fact::OnPaper { class, site, actions: fallback.effort });
    }

    /// Whether a person works on paper without trying: the site is cut off, and others have given up.
    pub(crate) fn goes_to_paper(&mut self, class: ClassId, site: SiteId, draw_key: &DrawKey) -> bool {
        let Some(fallback) = self.model.classes[class.index()].fallback else { return false };
        if self.reaches(site, class) {
            self.paper.given_up[class.index()][site.index()] = false;
            return false;
        }
        if !self.paper.given_up[class.index()][site.index()] {
            return false;
        }
        let takes = draw_key.stream(Purpose::Fallback).uniform() < fallback.paper.0;
        if takes {
            self.put_on_paper(class, site, fallback);
        }
        takes
    }

    /// What people do about work on paper at a site, if there is any that can be entered now.
    pub(crate) fn backlog_at(&self, class: ClassId, site: SiteId) -> Option<Fallback> {
        let fallback = self.model.classes[class.index()].fallback?;
        (self.paper.to_enter[class.index()][site.index()] >= 1.0 && self.reaches(site, class)).then_some(fallback)
    }

    /// An action that begins may enter work on paper.
    pub(crate) fn enter_from_backlog(&mut self, class: ClassId, site: SiteId, draw_key: &DrawKey, after_hours: bool) {
        let Some(fallback) = self.backlog_at(class, site) else { return };
        let mut stream = draw_key.stream(Purpose::Fallback);
        let _ = stream.uniform();
        if after_hours || stream.uniform() < fallback.catch_up.0 {
            self.paper.to_enter[class.index()][site.index()] -= 1.0;
            self.observer.on(self.now, &Fact::Entered { class, site });
        }
    }
}
