//! Selection of the best of several systems with an indifference zone.
//!
//! KN (Kim & Nelson 2001): every system is run on the same days; after each, whoever is behind by more than chance and
//! the indifference zone allow is dropped. With the stated probability the one that is left is the best, or within the
//! zone of it. The variance of each difference comes from the first stage alone, which is what the guarantee rests on;
//! common random numbers make those differences small and the procedure short.
//!
//! Before that, who is behind somebody by more than Student's bound on the first days is dropped (screening to a subset;
//! Nelson, Swann, Goldsman & Song 2001, section 3.1). KN alone is slow there: an overloaded system varies so much that the
//! zone, small beside it, keeps it in the race. Screening and KN share the probability of being wrong.

use crate::elementary::pow;
use crate::stats::student;
use crate::study::error::StudyError;

/// What was selected.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Selected {
    /// The place of the best.
    pub best: usize,
    /// Days on which each system was run.
    pub days: Vec<u32>,
    /// Means of each over its days.
    pub means: Vec<f64>,
    /// The systems that were left when the budget ran out; the best alone if it did not.
    pub left: Vec<usize>,
}

/// Terms of a selection; the smallest mean is the best.
#[derive(Clone, Copy, Debug)]
pub struct Zone {
    /// A difference that is not worth detecting.
    pub indifference: f64,
    /// Probability that the selection is right.
    pub confidence: f64,
    /// Days of the first stage.
    pub first: u32,
    /// Days at most.
    pub most: u32,
}

/// Runs systems on days: (system, day) to what was measured.
pub type EvaluateSystems<'a> = dyn Fn(&[(usize, u32)]) -> Result<Vec<f64>, StudyError> + 'a;

/// Share of the probability of being wrong that screening may use up.
const SCREENING: f64 = 0.5;

/// Selects the best of `systems` (Kim & Nelson 2001, figure 1, with c = 1, after screening).
///
/// # Errors
/// If the evaluation is stopped.
pub fn select(systems: usize, zone: Zone, evaluate: &EvaluateSystems<'_>) -> Result<Selected, StudyError> {
    let first: Vec<(usize, u32)> =
        (0..zone.first).flat_map(|day| (0..systems).map(move |system| (system, day))).collect();
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); systems];
    for (&(system, _), value) in first.iter().zip(evaluate(&first)?) {
        values[system].push(value);
    }
    #[allow(clippy::cast_precision_loss)] // systems and days
    let (count, freedom) = (systems as f64, f64::from(zone.first) - 1.0);
    let wrong = (1.0 - zone.confidence) / (count - 1.0).max(1.0);
    let bound = student(1.0 - 2.0 * SCREENING * wrong, u64::from(zone.first) - 1) / f64::from(zone.first).sqrt();
    let eta = 0.5 * (pow(2.0 * (1.0 - SCREENING) * wrong, -2.0 / freedom) - 1.0);
    let h2 = 2.0 * eta * freedom;
    let spread: Vec<Vec<f64>> =
        values.iter().map(|a| values.iter().map(|b| variance_of_difference(a, b)).collect()).collect();
    let means = means_of(&values);
    let behind = |a: usize, b: usize| means[a] > means[b] + bound * spread[a][b].sqrt();
    let mut left: Vec<usize> = (0..systems).filter(|&a| (0..systems).all(|b| a == b || !behind(a, b))).collect();
    let mut days = zone.first;
    loop {
        let mean = |system: usize| values[system].iter().sum::<f64>() / f64::from(days);
        let reach = |a: usize, b: usize| {
            let n = f64::from(days);
            (zone.indifference / (2.0 * n) * (h2 * spread[a][b] / zone.indifference.powi(2) - n)).max(0.0)
        };
        let survives = |&a: &usize| left.iter().all(|&b| a == b || mean(a) <= mean(b) + reach(a, b));
        // Systems that differ on no day are equally good: the first of them stays.
        let alike = |&a: &usize| left.iter().any(|&b| b < a && values[a] == values[b]);
        left = left.iter().copied().filter(survives).filter(|a| !alike(a)).collect();
        if left.len() <= 1 || days >= zone.most {
            break;
        }
        let next: Vec<(usize, u32)> = left.iter().map(|&system| (system, days)).collect();
        for (&(system, _), value) in next.iter().zip(evaluate(&next)?) {
            values[system].push(value);
        }
        days += 1;
    }
    let means = means_of(&values);
    let best = left.iter().copied().min_by(|&a, &b| means[a].total_cmp(&means[b])).unwrap_or(0);
    let days = values.iter().map(|values| u32::try_from(values.len()).unwrap_or(u32::MAX)).collect();
    Ok(Selected { best, days, means, left })
}

#[allow(clippy::cast_precision_loss)] // days
fn means_of(values: &[Vec<f64>]) -> Vec<f64> {
    values.iter().map(|values| values.iter().sum::<f64>() / values.len() as f64).collect()
}

fn variance_of_difference(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a - b).collect::<crate::stats::Tally>().variance()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    /// Fault: the budget is spent on two systems that are equal on every day.
    #[test]
    fn who_is_the_same_every_day_costs_no_day() {
        let zone = Zone { indifference: 0.1, confidence: 0.95, first: 5, most: 100 };
        let noise = |day: u32| Key::new(1, day).stream(0).uniform();
        let evaluate = |wanted: &[(usize, u32)]| Ok(wanted.iter().map(|&(_, day)| noise(day)).collect::<Vec<f64>>());
        let found = select(3, zone, &evaluate).unwrap();
        assert_eq!((found.best, found.left, found.days), (0, vec![0], vec![5, 5, 5]));
    }

    /// Ten systems of which nine are worse by just the indifference zone: the best is found at least as often as is
    /// promised (the slippage configuration, the hardest for the procedure).
    #[test]
    fn the_best_is_selected_as_often_as_promised() {
        let zone = Zone { indifference: 0.5, confidence: 0.95, first: 10, most: 100_000 };
        let right = (0..1000_u64).filter(|seed| {
            let evaluate = |wanted: &[(usize, u32)]| -> Result<Vec<f64>, StudyError> {
                let value = |&(system, day): &(usize, u32)| {
                    let mut stream = Key::new(*seed, day).stream(system as u64);
                    let noise: f64 = (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0;
                    if system == 3 { noise } else { noise + 0.5 }
                };
                Ok(wanted.iter().map(value).collect())
            };
            select(10, zone, &evaluate).unwrap().best == 3
        });
        let right = right.count();
        assert!(right >= 936, "{right} of 1000: below 95 % by more than chance");
    }

    /// Fault: a system that is far worse, and varies a hundred times as much as the zone is wide, stays in the race.
    #[test]
    fn who_is_hopeless_is_not_run_any_further() {
        let zone = Zone { indifference: 0.1, confidence: 0.95, first: 5, most: 1000 };
        let evaluate = |wanted: &[(usize, u32)]| -> Result<Vec<f64>, StudyError> {
            let noise = |system: usize, day| Key::new(1, day).stream(system as u64).uniform() - 0.5;
            let value =
                |&(system, day): &(usize, u32)| if system == 0 { 1.0 } else { 1000.0 + 20.0 * noise(system, day) };
            Ok(wanted.iter().map(value).collect())
        };
        let found = select(3, zone, &evaluate).unwrap();
        assert_eq!((found.best, found.days), (0, vec![5, 5, 5]));
    }
}
