//! Estimates of means: their standard errors, and what a control variate takes off them.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::stats::{Interval, Tally, student};

/// An estimate of a mean whose error follows Student's distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub mean: f64,
    /// Its standard error; infinite when there is nothing to tell it from.
    pub error: f64,
    /// Degrees of freedom of the error.
    pub freedom: u64,
}

impl Estimate {
    /// Student's interval (Law, Simulation Modeling and Analysis, 5th ed., equation 4.12).
    #[must_use]
    pub fn interval(&self, confidence: f64) -> Interval {
        let half = if self.error.is_finite() { student(confidence, self.freedom) * self.error } else { f64::INFINITY };
        Interval { mean: self.mean, half }
    }

    /// Two-sided p-value of the hypothesis that the mean is zero; 1 when there is nothing to go by.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // replications
    pub fn p_value(&self) -> f64 {
        if !self.error.is_finite() {
            return 1.0;
        }
        if self.error <= 0.0 {
            return if self.mean.abs() > 0.0 { 0.0 } else { 1.0 };
        }
        let law = StudentsT::new(0.0, 1.0, self.freedom.max(1) as f64);
        law.map_or(1.0, |t| 2.0 * t.sf((self.mean / self.error).abs()))
    }
}

impl Tally {
    /// The mean and its standard error.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // replications
    pub fn estimate(&self) -> Estimate {
        if self.count() < 2 {
            return Estimate { mean: self.mean(), error: f64::INFINITY, freedom: 1 };
        }
        let error = (self.variance() / self.count() as f64).sqrt();
        Estimate { mean: self.mean(), error, freedom: self.count() - 1 }
    }
}

/// What counts as an observation: a replication, or where they come in antithetic pairs the mean of each.
#[must_use]
pub fn observations(values: &[f64], antithetic: bool) -> Vec<f64> {
    if antithetic {
        values.chunks_exact(2).map(|pair| f64::midpoint(pair[0], pair[1])).collect()
    } else {
        values.to_vec()
    }
}

/// A control variate: measured beside the figure, with a known mean.
#[derive(Clone, Copy, Debug)]
pub struct ControlVariate<'a> {
    /// What it was in each replication.
    pub values: &'a [f64],
    /// Its mean over all days.
    pub mean: f64,
    /// Standard error of that mean.
    pub error: f64,
}

/// Replications with which a control is worth the degree of freedom that it costs.
pub const LEAST: u32 = 5;

/// The mean of `values` had the control been at its mean in every replication: least squares on one control variate
/// (Lavenberg & Welch 1981, equations 9 to 13; the error of the control's own mean is added). Without enough
/// replications, or where the control never varied, the plain mean.
#[must_use]
#[allow(clippy::cast_precision_loss)] // replications
pub fn controlled(values: &[f64], control: &ControlVariate<'_>) -> Estimate {
    let plain: Tally = values.iter().copied().collect();
    let beside: Tally = control.values.iter().copied().collect();
    let count = values.len().min(control.values.len());
    if count < LEAST as usize || beside.variance() <= 1e-18 * beside.mean().powi(2) || plain.variance() <= 0.0 {
        return plain.estimate();
    }
    let n = count as f64;
    let off = |place: usize| (values[place] - plain.mean(), control.values[place] - beside.mean());
    let shared: f64 = (0..count).map(|place| off(place).0 * off(place).1).sum();
    let (own, of_control) = (plain.variance() * (n - 1.0), beside.variance() * (n - 1.0));
    let slope = shared / of_control;
    let left = (own - slope * shared).max(0.0) / (n - 2.0);
    let lucky = beside.mean() - control.mean;
    let error = (left * (1.0 / n + lucky * lucky / of_control) + (slope * control.error).powi(2)).sqrt();
    Estimate { mean: plain.mean() - slope * lucky, error, freedom: (count - 2) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    /// Pairs of normal numbers with a correlation, from a dozen uniforms each.
    fn pairs(seed: u64, count: u32, correlation: f64) -> (Vec<f64>, Vec<f64>) {
        let mut stream = Key::new(seed, count).stream(0);
        let mut normal = || (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0;
        (0..count)
            .map(|_| {
                let (a, b) = (normal(), normal());
                (correlation * b + (1.0 - correlation * correlation).sqrt() * a, b)
            })
            .unzip()
    }

    /// The interval holds the mean as often as it says, whatever the correlation, and is as much shorter as theory says.
    #[test]
    fn a_controlled_interval_keeps_its_word() {
        for (count, correlation) in [(5, 0.0), (5, 0.97), (8, 0.9), (20, 0.97)] {
            let (mut held, mut saved) = (0, 0.0);
            for seed in 0..2000 {
                let (values, control) = pairs(seed, count, correlation);
                let control = ControlVariate { values: &control, mean: 0.0, error: 0.0 };
                let found = controlled(&values, &control).interval(0.95);
                held += u32::from(found.contains(0.0));
                let plain = values.iter().copied().collect::<Tally>().interval(0.95);
                saved += plain.half / found.half / 2000.0;
            }
            // 95 % of 2,000, give or take three standard errors.
            assert!((1871..=1929).contains(&held), "{count} with {correlation}: {held} of 2000");
            assert!(correlation < 0.9 || saved > 1.5, "{count} with {correlation}: shorter by {saved}");
        }
    }

    /// Fault: the p-value counts one side. A mean at the end of its 95 % interval has a p-value of 5 %, on either side.
    #[test]
    fn the_p_value_is_two_sided() {
        for (confidence, freedom) in [(0.95, 4), (0.95, 60), (0.99, 9)] {
            for side in [-1.0, 1.0] {
                let at_the_end = Estimate { mean: side * 2.0 * student(confidence, freedom), error: 2.0, freedom };
                assert!((at_the_end.p_value() - (1.0 - confidence)).abs() < 1e-6, "{}", at_the_end.p_value());
            }
        }
    }

    /// Fault: the error of the control's own mean is left out. Where that is three tenths of a standard deviation, it is most
    /// of the error that there is: an interval without it would hold the mean one time in three.
    #[test]
    fn an_interval_counts_the_error_of_the_control_s_mean() {
        let mut held = 0;
        for seed in 0..2000 {
            let (values, control) = pairs(seed, 20, 0.97);
            let off = 0.3 * pairs(seed + 10_000, 1, 0.0).1[0];
            let control = ControlVariate { values: &control, mean: off, error: 0.3 };
            held += u32::from(controlled(&values, &control).interval(0.95).contains(0.0));
        }
        assert!((1871..=1970).contains(&held), "{held} of 2000");
    }

    #[test]
    fn a_control_that_tells_nothing_changes_nothing() {
        let values = [3.0, 4.0, 5.0, 6.0, 8.0];
        let plain = values.iter().copied().collect::<Tally>().estimate();
        let still = ControlVariate { values: &[2.0; 5], mean: 1.0, error: 0.1 };
        assert_eq!(controlled(&values, &still), plain);
        let short = ControlVariate { values: &values[..4], mean: 1.0, error: 0.1 };
        assert_eq!(controlled(&values[..4], &short), values[..4].iter().copied().collect::<Tally>().estimate());
    }
}
