//! The error of the method, as 90 % prediction intervals: nine of ten scenarios of a regime lie within.
//!
//! Flow fidelity is held against packets in scenarios of the suite, packets against measured networks. Intervals are of the
//! ratio of a latency to its reference in another scenario of the same kind, not of the mean.

use serde::{Deserialize, Serialize};

use crate::elementary::{exp, ln};
use crate::model::Fidelity;
use crate::stats::{Tally, mean, quantile, student};
use crate::validate::evidence::Reference;
use crate::validate::regimes::draw::{CLASSES, DISCIPLINES};
use crate::validate::regimes::{FidelityFigure, RegimeResult};
use crate::validate::{Replayed, Statistic, over_runs};

/// The error of latencies in a regime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodError {
    /// `flow` and `sampled`: against packets; `packet`: against measured networks.
    pub fidelity: String,
    /// The order of service, as the suite has it.
    pub service: String,
    /// Utilisation of the busiest time from which this holds.
    pub load_from: f64,
    /// Utilisation up to which it holds.
    pub load_to: f64,
    /// `mean` or `p95`.
    pub statistic: String,
    /// Ends of the interval of the ratio to the reference.
    pub low: f64,
    /// See `low`.
    pub high: f64,
    /// Sample size.
    pub cases: usize,
}

/// Confidence of the intervals, as a share.
pub const CONFIDENCE: f64 = 0.9;

/// Bands of the busiest time's utilisation.
const BANDS: [(f64, f64); 3] = [(0.0, 0.6), (0.6, 0.95), (0.95, 9.0)];
/// One band for what few cases there are of.
const ALL_LOADS: (f64, f64) = (0.0, 9.0);
/// Figures of the classes that people wait for.
const STATISTICS: [&str; 2] = ["mean", "p95"];

/// The table that `headend validate --learn` wrote.
const LEARNT: &str = include_str!("method-error.csv");

/// The learnt errors.
///
/// # Panics
/// Never: a test reads the same table.
#[must_use]
pub fn learnt() -> Vec<MethodError> {
    let mut reader = csv::Reader::from_reader(LEARNT.as_bytes());
    reader.deserialize().map(|row| row.expect("the table of errors is well formed")).collect()
}

/// The errors in each regime that has enough scenarios or measurements to tell.
#[must_use]
pub fn errors(found: &[RegimeResult], fidelity: Fidelity, replayed: &[Replayed]) -> Vec<MethodError> {
    let mut errors = Vec::new();
    for service in DISCIPLINES {
        for load in BANDS {
            for statistic in STATISTICS {
                let ratios = of_suite(found, service, load, statistic);
                errors.extend(
                    middle(&ratios).map(|ends| error(fidelity.name(), service, load, statistic, ends, ratios.len())),
                );
            }
        }
    }
    for service in ["fifo", "priority", "weighted"] {
        for (statistic, of) in [("mean", mean as Statistic), ("p95", |values| quantile(values, 0.95))] {
            let ratios = of_testbed(replayed, service, of);
            errors.extend(
                predicted(&ratios).map(|ends| error("packet", service, ALL_LOADS, statistic, ends, ratios.len())),
            );
        }
    }
    errors
}

fn error(
    fidelity: &str,
    service: &str,
    (load_from, load_to): (f64, f64),
    statistic: &str,
    (low, high): (f64, f64),
    cases: usize,
) -> MethodError {
    let (fidelity, service, statistic) = (fidelity.into(), service.into(), statistic.into());
    MethodError { fidelity, service, load_from, load_to, statistic, low, high, cases }
}

/// Whether a figure is one that errors are learnt from: of a class that people wait for, all sizes together.
fn counts(figure: &FidelityFigure, statistic: &str) -> bool {
    CLASSES[..2].contains(&figure.class) && figure.band.is_none() && figure.statistic == statistic
}

fn of_suite(found: &[RegimeResult], service: &str, load: (f64, f64), statistic: &str) -> Vec<f64> {
    let inside = found.iter().filter(|one| one.service == service && (load.0..load.1).contains(&one.busiest));
    let figures = inside.flat_map(|one| one.figures.iter().filter(|figure| counts(figure, statistic)));
    figures.map(FidelityFigure::ratio).collect()
}

/// Packets over the testbed, of clinical transactions, one ratio a trace.
fn of_testbed(replayed: &[Replayed], service: &str, statistic: Statistic) -> Vec<f64> {
    let measured = replayed.iter().filter(|one| one.best().0 == Reference::Testbed && one.case.warm_up > 0.0);
    let of_service = measured.filter(|one| one.case.service.of_suite() == service);
    of_service.map(|one| over_runs(one, "clinical", statistic).0).collect()
}

/// The middle nine tenths: order statistics between which the next ratio lies with that probability, whatever the distribution
/// (Wilks 1941). None where there are too few for it.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // places in a list
pub fn middle(ratios: &[f64]) -> Option<(f64, f64)> {
    let mut sorted = ratios.to_vec();
    sorted.sort_by(f64::total_cmp);
    // Rounding errors must not lower a whole number.
    let beyond = ((1.0 - CONFIDENCE) / 2.0 * (sorted.len() as f64 + 1.0) + 1e-9).floor() as usize;
    (beyond > 0).then(|| (sorted[beyond - 1], sorted[sorted.len() - beyond]))
}

/// Student's prediction interval of the logarithm: for a few ratios (Hahn & Meeker 1991, section 4.4). None for fewer than five.
#[must_use]
#[allow(clippy::cast_precision_loss)] // a few
pub fn predicted(ratios: &[f64]) -> Option<(f64, f64)> {
    const FEWEST: usize = 5;
    let logs: Tally = ratios.iter().map(|ratio| ln(*ratio)).collect();
    let half = student(CONFIDENCE, logs.count().saturating_sub(1))
        * (logs.variance() * (1.0 + 1.0 / ratios.len().max(1) as f64)).sqrt();
    (ratios.len() >= FEWEST).then(|| (exp(logs.mean() - half), exp(logs.mean() + half)))
}

/// How many of the stated intervals hold in scenarios that they were not learnt from: by order of service, held and stated.
#[must_use]
pub fn held(found: &[RegimeResult], fidelity: Fidelity, errors: &[MethodError]) -> Vec<(&'static str, usize, usize)> {
    let stated = |one: &RegimeResult, statistic: &str| {
        errors.iter().find(|error| error.suits(fidelity.name(), one.service, one.busiest, statistic))
    };
    let of_service = |service: &'static str| {
        let (mut held, mut all) = (0, 0);
        for one in found.iter().filter(|one| one.service == service) {
            for statistic in STATISTICS {
                let Some(error) = stated(one, statistic) else { continue };
                for figure in one.figures.iter().filter(|figure| counts(figure, statistic)) {
                    all += 1;
                    held += usize::from((error.low..=error.high).contains(&figure.ratio()));
                }
            }
        }
        (service, held, all)
    };
    DISCIPLINES.into_iter().map(of_service).collect()
}

impl MethodError {
    /// Whether it belongs to this regime.
    #[must_use]
    pub fn suits(&self, fidelity: &str, service: &str, load: f64, statistic: &str) -> bool {
        self.fidelity == fidelity
            && self.service == service
            && self.statistic == statistic
            && (self.load_from..self.load_to).contains(&load)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    /// Of intervals learnt from so many ratios nine of ten hold the next one, whatever the distribution.
    #[test]
    fn the_next_ratio_lies_inside_nine_times_of_ten() {
        type Learn = fn(&[f64]) -> Option<(f64, f64)>;
        for (learn, count) in [(middle as Learn, 19_usize), (middle, 39), (predicted, 6)] {
            let mut inside = 0;
            for case in 0..4_000 {
                let mut stream = Key::new(case, 0).stream(0);
                let mut ratio = || exp((0..12).map(|_| stream.uniform()).sum::<f64>() * 0.1 - 0.6);
                let ratios: Vec<f64> = (0..count).map(|_| ratio()).collect();
                let (low, high) = learn(&ratios).unwrap();
                inside += i32::from((low..=high).contains(&ratio()));
            }
            // 90 % of 4,000, give or take three standard errors.
            assert!((3_543..=3_657).contains(&inside), "{count}: {inside} of 4000");
        }
        assert_eq!(middle(&[1.0; 18]), None);
        assert_eq!(predicted(&[1.0; 4]), None);
    }

    #[test]
    fn the_table_that_the_program_carries_can_be_read() {
        assert!(learnt().iter().all(|error| error.low < error.high && error.low > 0.0));
    }
}
