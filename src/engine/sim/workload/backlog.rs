//! Work on paper that has to be entered.

use crate::model::{Class, Model};

/// Work on paper, and the sites at which people have stopped trying.
#[derive(Debug)]
pub struct PaperBacklog {
    /// Actions to be entered, by class and site; empty where a class has no fallback.
    pub(super) to_enter: Vec<Vec<f64>>,
    /// By class and site: whether a person has given up since the site was cut off.
    pub(super) given_up: Vec<Vec<bool>>,
}

impl PaperBacklog {
    /// Nothing is on paper.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let sites = |class: &Class| class.fallback.map_or(0, |_| model.sites.len());
        Self {
            to_enter: model.classes.iter().map(|class| vec![0.0; sites(class)]).collect(),
            given_up: model.classes.iter().map(|class| vec![false; sites(class)]).collect(),
        }
    }

    /// Actions that are still to be entered, all together.
    #[must_use]
    pub fn actions_left(&self) -> f64 {
        self.to_enter.iter().flatten().sum()
    }
}
