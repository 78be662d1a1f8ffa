//! The problem of a search, and the answer with its evidence.

use serde::Serialize;

use crate::stats::Interval;

/// Confidence of the answer's interval.
pub const CONFIDENCE: f64 = 0.95;

/// The range and scale of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KnobTerms {
    /// Least and greatest value.
    pub range: (f64, f64),
    /// Where the search begins: the present value.
    pub start: f64,
    /// Values are compared by their ratio, not by their difference.
    pub by_ratio: bool,
    /// More of it helps.
    pub more_helps: bool,
    /// Only whole numbers are valid.
    pub whole: bool,
}

/// When a target counts as met.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Criterion {
    /// The mean over days is within the limit.
    Mean,
    /// This share of days is within the limit; days are taken to vary as a lognormal does.
    Days(f64),
}

/// The problem of a search.
#[derive(Clone, Copy, Debug)]
pub struct SearchProblem {
    /// The measure must not be above this.
    pub limit: f64,
    /// The range and scale of the parameter.
    pub terms: KnobTerms,
    /// When the target counts as met.
    pub criterion: Criterion,
    /// Half-width that is narrow enough: a share of the value, or of the range.
    pub precision: f64,
    /// Runs at most.
    pub most: u32,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// Where the measure crosses its limit.
    pub outcome: Crossing,
    /// Every value that was tried.
    pub evidence: Vec<Tried>,
    /// Runs in all.
    pub runs: u32,
    /// Whether the precision was reached.
    pub precise: bool,
}

impl Answer {
    /// The measure at a value that was tried.
    #[must_use]
    pub fn measured(&self, value: f64) -> Option<f64> {
        self.evidence.iter().find(|tried| same(tried.value, value)).map(|tried| tried.measure)
    }
}

/// Where a measure crosses its limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Crossing {
    /// Here; and its interval, from and until.
    Crosses(f64, (f64, f64)),
    /// Nowhere: it holds even here, at the worse end of the range.
    Holds(f64),
    /// Nowhere: it does not hold even here.
    Fails(f64),
    /// No crossing was sought: the measure is least here; from and until where it is as good.
    Least(f64, (f64, f64)),
}

/// A value that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tried {
    /// The value.
    pub value: f64,
    /// The measure: what is held against the limit, and the interval of its mean.
    pub measure: f64,
    /// The mean over days.
    pub mean: Interval,
    /// Days.
    pub days: u32,
}

/// Whether two values differ by rounding alone.
pub(crate) fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}
