//! Laws of latency: how many transactions took how long.

use crate::elementary::{exp, ln};

/// Classes of latency: so many to a factor of e, from the least.
const STEPS: f64 = 40.0;
const LEAST: f64 = 1e-4;
const CLASSES: usize = 800;

/// How many took how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Latencies {
    counts: Vec<f64>,
    sum: f64,
    all: f64,
    given_up: f64,
}

impl Default for Latencies {
    fn default() -> Self {
        Self { counts: vec![0.0; CLASSES], sum: 0.0, all: 0.0, given_up: 0.0 }
    }
}

impl Latencies {
    /// So many took `latency` seconds.
    pub fn add(&mut self, count: f64, latency: f64) {
        self.counts[class(latency)] += count;
        self.sum += count * latency;
        self.all += count;
    }

    /// So many gave up after `latency` seconds.
    pub fn add_given_up(&mut self, count: f64, latency: f64) {
        self.add(count, latency);
        self.given_up += count;
    }

    /// The mean [s]; none of none.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.all > 0.0).then(|| self.sum / self.all)
    }

    /// The `p`-quantile [s]; none of none.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let (mut below, wanted) = (0.0, p * self.all);
        for (place, count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            if below + count >= wanted {
                return Some(value(place, ((wanted - below) / count).clamp(0.0, 1.0)));
            }
            below += count;
        }
        None
    }

    /// Share that took longer than `limit` seconds or gave up; none of none.
    #[must_use]
    pub fn slow(&self, limit: f64) -> Option<f64> {
        let place = class(limit);
        let within = self.counts[..place].iter().sum::<f64>() + self.counts[place] / 2.0;
        (self.all > 0.0).then(|| ((self.all - within) / self.all).max(self.given_up / self.all))
    }

    /// Share that gave up; none of none.
    #[must_use]
    pub fn given_up(&self) -> Option<f64> {
        (self.all > 0.0).then(|| self.given_up / self.all)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped
fn class(latency: f64) -> usize {
    ((ln(latency.max(LEAST) / LEAST) * STEPS) as usize).min(CLASSES - 1)
}

#[allow(clippy::cast_precision_loss)] // below a thousand
fn value(place: usize, part: f64) -> f64 {
    LEAST * exp((place as f64 + part) / STEPS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of exponential latencies: quantiles, mean, and the share beyond a limit.
    #[test]
    fn figures_are_those_of_the_law() {
        let mut found = Latencies::default();
        for place in 0..20_000 {
            found.add(1.0, -ln(1.0 - (f64::from(place) + 0.5) / 20_000.0));
        }
        for p in [0.5, 0.9, 0.95, 0.99] {
            let (exact, found) = (-ln(1.0 - p), found.quantile(p).unwrap());
            assert!((found / exact - 1.0).abs() < 0.01, "{p}: {found} for {exact}");
        }
        assert!((found.mean().unwrap() - 1.0).abs() < 0.01);
        assert!((found.slow(2.0).unwrap() - exp(-2.0)).abs() < 0.005);
        found.add_given_up(20_000.0, 60.0);
        assert!((found.given_up().unwrap() - 0.5).abs() < 1e-9 && found.slow(100.0).unwrap() >= 0.5);
        assert_eq!(Latencies::default().quantile(0.5), None);
    }
}
