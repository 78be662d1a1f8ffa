//! Paper: people who give up carry on by hand, and enter it later, in among their other work and after hours.

use std::hint::cold_path;

use crate::random::Purpose;
use crate::scenario::model::{ClassId, Fallback, Model, SiteId};
use crate::sim::Engine;
use crate::sim::demand::DrawKey;
use crate::sim::observer::{Fact, Observer};

/// What is on paper, and who has stopped trying.
#[derive(Debug)]
pub(super) struct PaperBacklog {
    /// Actions to be entered, by class and site; empty where a class has no fallback.
    to_enter: Vec<Vec<f64>>,
    /// By class and site: somebody has given up since the site was cut off, and others do not try.
    given_up: Vec<Vec<bool>>,
}

impl PaperBacklog {
    pub fn new(model: &Model) -> Self {
        let sites = |class: &crate::scenario::model::Class| class.fallback.map_or(0, |_| model.sites.len());
        Self {
            to_enter: model.classes.iter().map(|class| vec![0.0; sites(class)]).collect(),
            given_up: model.classes.iter().map(|class| vec![false; sites(class)]).collect(),
        }
    }

    /// Actions that are still to be entered, all together.
    pub fn actions_left(&self) -> f64 {
        self.to_enter.iter().flatten().sum()
    }
}

impl<O: Observer> Engine<'_, O> {
    /// Somebody gave up: on paper, cancelled, or left.
    pub(super) fn use_fallback(&mut self, class: ClassId, site: SiteId, named: &DrawKey) {
        let Some(fallback) = self.model.classes[class.index()].fallback else { return };
        self.paper.given_up[class.index()][site.index()] |= !self.reaches(site, class);
        let u = named.stream(Purpose::Fallback).uniform();
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

    /// Whether somebody does not even try: the site is cut off, and all there know.
    pub(super) fn goes_to_paper(&mut self, class: ClassId, site: SiteId, named: &DrawKey) -> bool {
        let Some(fallback) = self.model.classes[class.index()].fallback else { return false };
        if self.reaches(site, class) {
            self.paper.given_up[class.index()][site.index()] = false;
            return false;
        }
        cold_path();
        if !self.paper.given_up[class.index()][site.index()] {
            return false;
        }
        let takes = named.stream(Purpose::Fallback).uniform() < fallback.paper.0;
        if takes {
            self.put_on_paper(class, site, fallback);
        }
        takes
    }

    /// Whether there is something to enter at a site.
    pub(super) fn backlog_at(&self, class: ClassId, site: SiteId) -> Option<Fallback> {
        let fallback = self.model.classes[class.index()].fallback?;
        (self.paper.to_enter[class.index()][site.index()] >= 1.0 && self.reaches(site, class)).then_some(fallback)
    }

    /// An action that begins may enter what is on paper.
    pub(super) fn enter_from_backlog(&mut self, class: ClassId, site: SiteId, named: &DrawKey, after_hours: bool) {
        let Some(fallback) = self.backlog_at(class, site) else { return };
        cold_path();
        let mut stream = named.stream(Purpose::Fallback);
        let _ = stream.uniform();
        if after_hours || stream.uniform() < fallback.catch_up.0 {
            self.paper.to_enter[class.index()][site.index()] -= 1.0;
            self.observer.on(self.now, &Fact::Entered { class, site });
        }
    }
}
