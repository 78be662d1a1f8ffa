//! The runs of a study as they come in: rounds of replications until the stopping rule ends them, and what they say so far.

use std::ops::Range;
use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use crate::scenario::{Setup, Study};
use crate::study::accumulator::Accumulator;
use crate::study::control::Forecasts;
use crate::study::judge::results;
use crate::study::record::{FocusClass, RunRecord};
use crate::study::results::Results;
use crate::study::series::{CONFIDENCE, of_target};
use crate::study::stopping::{Rule, StopReason, Stopping};

/// The runs of chosen set-ups so far.
pub struct Gathering<'a> {
    study: &'a Study,
    /// The set-ups, in the order in which they were chosen.
    pub setups: Vec<&'a Setup>,
    /// The focus class.
    pub watched: FocusClass,
    sums: Vec<Accumulator>,
    forecasts: Option<Vec<Forecasts<'a>>>,
    stopping: Stopping,
    /// Replications of an observation.
    each: u32,
    /// Replications of the rounds before, and of this one, too.
    round: Range<u32>,
}

impl<'a> Gathering<'a> {
    /// Nothing has come in; set-ups are given by their places in the study.
    #[must_use]
    pub fn begin(study: &'a Study, chosen: &[usize]) -> Self {
        let setups: Vec<&Setup> = chosen.iter().map(|&place| &study.setups[place]).collect();
        let each = if setups[0].model.antithetic { 2 } else { 1 };
        let rule = Rule { first: study.effort.least.div_ceil(each), most: study.effort.most.div_ceil(each) };
        Self {
            study,
            watched: watched(study),
            sums: setups.iter().map(|setup| Accumulator::new(&setup.model)).collect(),
            setups,
            forecasts: None,
            stopping: Stopping::new(rule),
            each,
            round: 0..rule.first * each,
        }
    }

    /// The replications that each set-up needs next.
    #[must_use]
    pub fn round(&self) -> Range<u32> {
        self.round.clone()
    }

    /// A run of a set-up has come in; those of a set-up come in the order of their replications.
    pub fn add(&mut self, setup: usize, run: RunRecord) {
        self.sums[setup].add(run, &self.study.targets, self.watched);
    }

    /// Ends a round whose runs are all there: why the study ends, or nothing, and another round begins. Returns soon when asked to
    /// stop.
    pub fn judge(&mut self, stop: &AtomicBool) -> Option<StopReason> {
        let done = self.round.end;
        self.reach(done, stop);
        match self.stopping.next(done / self.each, self.width()) {
            Ok(more) => {
                self.round = done..more * self.each;
                None
            }
            Err(why) => Some(why),
        }
    }

    /// Forecasts the days of so many replications, for control variates.
    fn reach(&mut self, replications: u32, stop: &AtomicBool) {
        let (setups, targets) = (&self.setups, &self.study.targets);
        let begin = || setups.par_iter().map(|setup| Forecasts::of(&setup.model, targets)).collect();
        let forecasts = self.forecasts.get_or_insert_with(begin);
        forecasts.par_iter_mut().for_each(|forecast| forecast.reach(replications, stop));
    }

    /// What all runs together say.
    #[must_use]
    pub fn results(self, why: StopReason) -> Results {
        let (done, forecasts) = (self.round.end, self.forecasts.unwrap_or_default());
        results(self.study, &self.setups, self.sums, &forecasts, self.watched, (done, why))
    }

    /// The widest interval of a target, as a multiple of what is asked for.
    fn width(&self) -> f64 {
        let antithetic = self.study.setups[0].model.antithetic;
        let forecasts = self.forecasts.as_deref().unwrap_or_default();
        let mut widest = 0.0_f64;
        for (sum, forecast) in self.sums.iter().zip(forecasts) {
            for (place, (target, values)) in self.study.targets.iter().zip(&sum.targets).enumerate() {
                if values.iter().all(Option::is_none) {
                    continue;
                }
                let interval = of_target(values, forecast.of_target(place), antithetic).interval(CONFIDENCE);
                let allowed = self.study.effort.precision.0 * interval.mean.abs().max(target.limit);
                widest = widest.max(interval.half / allowed);
            }
        }
        widest
    }
}

/// The focus class of a study.
#[must_use]
pub fn watched(study: &Study) -> FocusClass {
    FocusClass::of(&study.setups[0].model, &study.targets)
}
