//! A search for the value at which a measure of random days is least.
//!
//! A grid over the range, then the values halfway to its neighbours, and again: each time the best is selected with an
//! indifference zone on common days (KN; Kim & Nelson 2001), and the stages share the probability of being wrong. What it
//! assumes beside: the measure is unimodal, so that the best of a grid has the best of
//! all between its neighbours.

use std::cell::RefCell;

use crate::plan::answer::Answer;
use crate::plan::answer::CONFIDENCE;
use crate::plan::answer::Crossing;
use crate::plan::answer::SearchProblem;
use crate::plan::samples::{EvaluateValues, Samples};
use crate::stats::Tally;
use crate::study::StudyError;
use crate::study::select::{Selected, Zone, select};

/// Steps of the first grid.
const STEPS: u32 = 4;
/// How often it is refined.
const REFINED: u32 = 2;
/// Days of each stage at first.
const FIRST: u32 = 5;

/// Searches; values whose measures differ by less than the precision, as a share of the limit, count as equally good.
///
/// # Errors
/// If the evaluation is stopped.
pub fn best(problem: &SearchProblem, evaluate: &EvaluateValues<'_>) -> Result<Answer, StudyError> {
    let samples = RefCell::new(Samples::new(evaluate));
    let zone = problem.precision * problem.limit;
    let (from, until) = problem.terms.range;
    let mut step = (until - from) / f64::from(STEPS);
    let mut values: Vec<f64> = (0..=STEPS).map(|number| from + step * f64::from(number)).collect();
    let mut clear = true;
    let mut found = stage(&values, zone, problem.most, &samples)?;
    for _ in 0..REFINED {
        clear &= found.left.len() == 1;
        let centre = values[found.best];
        step /= 2.0;
        values = [centre - step, centre, centre + step].into_iter().filter(|at| (from..=until).contains(at)).collect();
        found = stage(&values, zone, problem.most, &samples)?;
    }
    clear &= found.left.len() == 1;
    let value = values[found.best];
    let samples = samples.into_inner();
    let ends = as_good(&samples, value, zone);
    Ok(samples.answer(problem, Crossing::Least(value, ends), clear))
}

/// Selects the best among some values.
fn stage(values: &[f64], zone: f64, most: u32, samples: &RefCell<Samples<'_>>) -> Result<Selected, StudyError> {
    let wrong = (1.0 - CONFIDENCE) / f64::from(1 + REFINED);
    let afford = most.saturating_sub(samples.borrow().runs) / u32::try_from(values.len()).unwrap_or(1);
    let terms = Zone { indifference: zone, confidence: 1.0 - wrong, first: FIRST, most: afford.max(FIRST) };
    let measured = |wanted: &[(usize, u32)]| -> Result<Vec<f64>, StudyError> {
        let points: Vec<(f64, u32)> = wanted.iter().map(|&(place, day)| (values[place], day)).collect();
        samples.borrow_mut().at(&points)
    };
    select(values.len(), terms, &measured)
}

/// The range of values around the best of which none is worse by more than the zone: by Student's upper bound of the paired
/// difference over the days that both have.
fn as_good(samples: &Samples<'_>, best: f64, zone: f64) -> (f64, f64) {
    let Some(own) = samples.of(best) else { return (best, best) };
    let good = |sample: &[f64]| {
        let behind: Tally = sample.iter().zip(own).map(|(other, own)| other - own).collect();
        behind.interval(CONFIDENCE).high() <= zone
    };
    let mut tried: Vec<(f64, bool)> = samples.tried.iter().map(|(value, sample)| (*value, good(sample))).collect();
    tried.sort_by(|a, b| a.0.total_cmp(&b.0));
    let reach = |side: &mut dyn Iterator<Item = &(f64, bool)>| {
        side.take_while(|(_, good)| *good).last().map_or(best, |(value, _)| *value)
    };
    let below = reach(&mut tried.iter().rev().filter(|(value, _)| *value < best));
    let above = reach(&mut tried.iter().filter(|(value, _)| *value > best));
    (below, above)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::answer::Criterion;
    use crate::plan::answer::KnobTerms;
    use crate::random::Key;

    fn problem(most: u32) -> SearchProblem {
        let terms = KnobTerms { range: (0.0, 1.0), start: 0.0, by_ratio: false, more_helps: true, whole: false };
        SearchProblem { limit: 2.0, terms, criterion: Criterion::Mean, precision: 0.05, most }
    }

    /// A parabola under noise of which most is common to all values of a day: the value found is within the zone of the minimum at
    /// least as often as promised.
    #[test]
    fn the_lowest_place_is_found_as_often_as_promised() {
        let mut right = 0;
        for seed in 0..400_u64 {
            let bowl = |value: f64| 4.0 * (value - 0.7).powi(2);
            let evaluate = |points: &[(f64, u32)]| -> Result<Vec<Option<f64>>, StudyError> {
                let of = |&(value, day): &(f64, u32)| {
                    let key = Key::new(seed, day);
                    let normal = |number: u64| {
                        let mut stream = key.stream(number);
                        (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0
                    };
                    Some(1.0 + bowl(value) + 0.5 * normal(0) + 0.1 * normal(value.to_bits()))
                };
                Ok(points.iter().map(of).collect())
            };
            let answer = best(&problem(100_000), &evaluate).unwrap();
            let Crossing::Least(value, (low, high)) = answer.outcome else { panic!("{answer:?}") };
            assert!(low <= value && value <= high && answer.precise);
            // The finest grid: sixteenths; the lowest of them is 0.6875.
            right += u32::from(bowl(value) - bowl(0.6875) <= 0.1);
        }
        // 95 % of 400, less what 400 leave to chance (three standard errors).
        assert!(right >= 367, "{right} of 400");
    }

    #[test]
    fn a_budget_that_is_not_enough_is_told() {
        let noise = |points: &[(f64, u32)]| -> Result<Vec<Option<f64>>, StudyError> {
            let of = |&(value, day): &(f64, u32)| Some(Key::new(value.to_bits(), day).stream(0).uniform());
            Ok(points.iter().map(of).collect())
        };
        let answer = best(&problem(30), &noise).unwrap();
        assert!(!answer.precise, "{answer:?}");
    }
}
