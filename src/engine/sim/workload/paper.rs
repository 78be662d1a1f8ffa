//! Work on paper: people who give up carry on by hand, and enter it later.

use crate::model::{ClassId, Fallback, SiteId, taken};
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

    /// Whether a person works on paper without trying: the site is cut off, others have given up, and there is no way round.
    pub(crate) fn goes_to_paper(&mut self, class: ClassId, site: SiteId, draw_key: &DrawKey) -> bool {
        let Some(fallback) = self.model.classes[class.index()].fallback else { return false };
        if self.reaches(site, class) {
            self.paper.given_up[class.index()][site.index()] = false;
            return false;
        }
        let tries = !self.paper.given_up[class.index()][site.index()] || !self.is_cut_off(site, class);
        if tries || self.has_a_way_round(class, site, draw_key) || self.declines(class, site, draw_key) {
            return false;
        }
        let takes = draw_key.stream(Purpose::Fallback).uniform() < fallback.paper.0;
        if takes {
            self.put_on_paper(class, site, fallback);
        }
        takes
    }

    /// What people do about work on paper at a site, if there is any.
    fn backlog_at(&self, class: ClassId, site: SiteId) -> Option<Fallback> {
        let fallback = self.model.classes[class.index()].fallback?;
        (self.paper.to_enter[class.index()][site.index()] >= 1.0).then_some(fallback)
    }

    /// Whether people stay after hours to enter what is on paper: where that can be done.
    pub(crate) fn stay_to_enter(&self, class: ClassId, site: SiteId) -> bool {
        let stay = |fallback: Fallback| self.now.clock() < fallback.stay_until;
        let rules = &self.model.classes[class.index()].rules;
        let all_go_round = || taken(&rules.break_out, self.now) >= 1.0;
        self.backlog_at(class, site).is_some_and(stay) && (self.reaches(site, class) || all_go_round())
    }

    /// An action that begins may enter work on paper.
    pub(crate) fn enter_from_backlog(&mut self, class: ClassId, site: SiteId, draw_key: &DrawKey, after_hours: bool) {
        let Some(fallback) = self.backlog_at(class, site) else { return };
        if !self.reaches(site, class) && !self.has_a_way_round(class, site, draw_key) {
            return;
        }
        let mut stream = draw_key.stream(Purpose::Fallback);
        let _ = stream.uniform();
        if after_hours || stream.uniform() < fallback.catch_up.0 {
            self.paper.to_enter[class.index()][site.index()] -= 1.0;
            self.observer.on(self.now, &Fact::Entered { class, site });
        }
    }
}
