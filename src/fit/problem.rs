//! What a fit begins with, and what it finds.

use crate::elementary::hypot;
use crate::fit::free::{Free, Move};
use crate::fit::observed::{Observed, ObservedRun};
use crate::fit::simulated::Counting;
use crate::scenario::Study;
use crate::stats::student;
use crate::study::StudyError;
use crate::study::counters::RunCounters;
use crate::units::float;

/// Confidence of the intervals.
pub const CONFIDENCE: f64 = 0.9;
/// A series that is so many times as far from the scenario as chance makes its days is not explained by it.
pub const NO_FIT: f64 = 2.0;

/// Why there is no fit.
#[derive(Debug)]
pub enum FitError {
    /// What is asked for cannot be had; in words.
    Refused(String),
    /// It was stopped, or a run cannot be kept.
    Study(StudyError),
}

impl From<StudyError> for FitError {
    fn from(fault: StudyError) -> Self {
        Self::Study(fault)
    }
}

impl From<String> for FitError {
    fn from(what: String) -> Self {
        Self::Refused(what)
    }
}

/// What a fit begins with.
pub struct FitProblem<'a> {
    /// The scenario.
    pub text: &'a str,
    /// The scenario of a text.
    pub load: &'a (dyn Fn(&str) -> Result<Study, String> + Sync),
    /// What was counted.
    pub observed: &'a Observed,
    /// The runs of it to which it is fitted.
    pub runs: &'a [&'a ObservedRun],
    /// What is free.
    pub free: Vec<Free>,
    /// How runs are counted.
    pub counting: Counting<'a>,
}

/// A number that was fitted.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// What it is.
    pub free: Free,
    /// The unknown, from where it was written.
    pub moved: f64,
    /// Half-width of its 90 % interval.
    pub half: f64,
}

/// A number that was left as it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// What it is.
    pub free: Free,
    /// Why.
    pub why: String,
}

/// A fit.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The scenario with the fitted numbers.
    pub text: String,
    /// What was fitted.
    pub fitted: Vec<Fitted>,
    /// What was left.
    pub left: Vec<Left>,
    /// Correlation between those that were fitted.
    pub correlation: Vec<Vec<f64>>,
    /// By step, the first before any: root mean square of the difference by interval [bit].
    pub misfit: Vec<f64>,
    /// How many times as large that is as it would be on a day of the fitted scenario.
    pub beyond: f64,
    /// The runs before and after.
    pub before: Vec<RunCounters>,
    /// See `before`.
    pub after: Vec<RunCounters>,
    /// What is wanted in the busiest interval, before and after, all concentrators together [bit].
    pub peak: [f64; 2],
}

impl Fit {
    /// Widens the intervals of factors by what days differ from each other beyond what the scenario makes of them: a standard deviation
    /// that was seen over so many days.
    pub fn widen(&mut self, spread: f64, days: u64) {
        let more = student(CONFIDENCE, days.max(2) - 1) * spread / float(days.max(1)).sqrt();
        for one in self.fitted.iter_mut().filter(|one| one.free.by == Move::Factor) {
            one.half = hypot(one.half, more);
        }
    }
}
