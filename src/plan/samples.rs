//! Samples by value: the same days at every value, each simulated once.

use crate::elementary::{exp, ln, normal_quantile};
use crate::plan::answer::{Answer, CONFIDENCE, Criterion, Crossing, SearchProblem, Tried, same};
use crate::stats::Tally;
use crate::study::StudyError;

/// Runs a value on a day, for each pair of them.
pub type EvaluateValues<'a> = dyn Fn(&[(f64, u32)]) -> Result<Vec<Option<f64>>, StudyError> + 'a;

/// Samples by value.
pub struct Samples<'a> {
    evaluate: &'a EvaluateValues<'a>,
    /// Values and what they measured, day by day from the first.
    pub tried: Vec<(f64, Vec<f64>)>,
    /// Days in all.
    pub runs: u32,
}

impl<'a> Samples<'a> {
    /// No samples yet.
    #[must_use]
    pub fn new(evaluate: &'a EvaluateValues<'a>) -> Self {
        Self { evaluate, tried: Vec::new(), runs: 0 }
    }

    /// The sample of a value so far.
    #[must_use]
    pub fn of(&self, value: f64) -> Option<&[f64]> {
        self.tried.iter().find(|(other, _)| same(*other, value)).map(|(_, sample)| &sample[..])
    }

    fn place(&mut self, value: f64) -> usize {
        let known = self.tried.iter().position(|(other, _)| same(*other, value));
        known.unwrap_or_else(|| {
            self.tried.push((value, Vec::new()));
            self.tried.len() - 1
        })
    }

    /// The sample of a value on the first `days` days.
    ///
    /// # Errors
    /// If the evaluation is stopped.
    pub fn first(&mut self, value: f64, days: u32) -> Result<&[f64], StudyError> {
        let place = self.place(value);
        let points: Vec<(f64, u32)> = (0..days).map(|day| (value, day)).collect();
        self.at(&points)?;
        Ok(&self.tried[place].1[..days as usize])
    }

    /// The measures of some points; the days of a value come in their order, without gaps.
    ///
    /// # Errors
    /// If the evaluation is stopped.
    pub fn at(&mut self, points: &[(f64, u32)]) -> Result<Vec<f64>, StudyError> {
        let missing = |&&(value, day): &&(f64, u32)| self.of(value).is_none_or(|sample| sample.len() <= day as usize);
        let wanted: Vec<(f64, u32)> = points.iter().filter(missing).copied().collect();
        // A day on which nothing was measured is within any limit.
        let found = (self.evaluate)(&wanted)?.into_iter().map(|measured| measured.unwrap_or(0.0));
        for (&(value, day), measured) in wanted.iter().zip(found) {
            let place = self.place(value);
            let sample = &mut self.tried[place].1;
            debug_assert_eq!(sample.len(), day as usize, "days come in their order");
            sample.push(measured);
            self.runs += 1;
        }
        Ok(points.iter().map(|&(value, day)| self.of(value).map_or(0.0, |sample| sample[day as usize])).collect())
    }

    /// An answer with its evidence.
    #[must_use]
    pub fn answer(self, problem: &SearchProblem, outcome: Crossing, precise: bool) -> Answer {
        let of = |(value, sample): &(f64, Vec<f64>)| Tried {
            value: *value,
            measure: measure(problem.criterion, sample, problem.limit),
            mean: sample.iter().copied().collect::<Tally>().interval(CONFIDENCE),
            days: u32::try_from(sample.len()).unwrap_or(u32::MAX),
        };
        let mut evidence: Vec<Tried> = self.tried.iter().map(of).collect();
        evidence.sort_by(|a, b| a.value.total_cmp(&b.value));
        Answer { outcome, evidence, runs: self.runs, precise }
    }
}

/// The measure of a sample: the mean over days, or the level that a share of days stays below.
pub(crate) fn measure(criterion: Criterion, sample: &[f64], limit: f64) -> f64 {
    match criterion {
        Criterion::Mean => sample.iter().copied().collect::<Tally>().mean(),
        Criterion::Days(share) => {
            // Values near zero count as a thousandth of the limit.
            let least = scale(limit) * SMALL;
            let logs: Tally = sample.iter().map(|value| ln(value + least)).collect();
            exp(logs.mean() + normal_quantile(share) * logs.variance().sqrt()) - least
        }
    }
}

pub(crate) const SMALL: f64 = 1e-3;

/// What the measure is compared with in size: its limit; where that is nothing at all, a thousandth (of a second, or of all).
pub(crate) fn scale(limit: f64) -> f64 {
    if limit > 0.0 { limit } else { 1e-3 }
}
