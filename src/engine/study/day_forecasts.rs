//! What is forecast of a target on the days of a study, as a control variate.

use crate::stats::estimate::{ControlVariate, Estimate, observations};

/// Where a concentrator is full for this share of a target's hours, its queue decides the figure, and with it what can be drawn. Else a
/// forecast explains too little.
const FULL: f64 = 0.1;

/// What is forecast of a target, or of what goes with it: on the days of the study, and on many others.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    /// By replication.
    pub days: Vec<f64>,
    /// Its mean over all days.
    pub known: Option<Estimate>,
    /// Share of the target's hours in which a concentrator is full, if the queue decides the figure; known without any simulated day.
    pub full: f64,
}

impl Forecast {
    /// What was forecast of the days of a study, and its mean over all days; it matters.
    #[cfg(test)]
    #[must_use]
    pub fn known(days: Vec<f64>, mean: f64) -> Self {
        Self { days, known: Some(Estimate { mean, error: 0.0, freedom: 1 }), full: 1.0 }
    }

    /// The forecast as a control variate, if it matters.
    #[must_use]
    pub fn control(&self) -> Option<ControlVariate<'_>> {
        let known = self.known.filter(|_| self.matters())?;
        Some(ControlVariate { values: &self.days, mean: known.mean, error: known.error })
    }

    /// The same by observation.
    #[must_use]
    pub fn observed(&self, antithetic: bool) -> Self {
        Self { days: observations(&self.days, antithetic), ..*self }
    }

    /// Whether the queue decides the figure.
    #[must_use]
    pub fn matters(&self) -> bool {
        self.full >= FULL
    }

    /// The forecast that goes with a difference between two set-ups on the same days: that of the fuller one.
    #[must_use]
    pub fn of_difference<'a>(&'a self, base: &'a Self) -> &'a Self {
        if self.full > base.full { self } else { base }
    }
}
