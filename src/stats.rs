//! Statistics of replications: tallies, quantiles, intervals and paired differences.

pub mod estimate;

use std::fmt;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Mean and spread of a list of numbers (Welford 1962).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Tally {
    /// Adds a number.
    #[allow(clippy::cast_precision_loss)]
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let off = value - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (value - self.mean);
    }

    /// How many numbers.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; zero for none.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// Their sample variance; zero for fewer than two.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn variance(&self) -> f64 {
        if self.count < 2 { 0.0 } else { self.squares / (self.count - 1) as f64 }
    }

    /// Student's interval for the mean; for fewer than two numbers it is unbounded.
    #[must_use]
    pub fn interval(&self, confidence: f64) -> Interval {
        self.estimate().interval(confidence)
    }
}

impl FromIterator<f64> for Tally {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut tally = Self::default();
        values.into_iter().for_each(|value| tally.add(value));
        tally
    }
}

/// The `p`-quantile of some values: the smallest that at least a share `p` do not exceed; not a number of none.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // places in a list
pub fn quantile(values: &[f64], p: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let place = (p * values.len() as f64).ceil() as usize;
    values.get(place.clamp(1, values.len().max(1)) - 1).copied().unwrap_or(f64::NAN)
}

/// Two-sided quantile of Student's t distribution.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn student(confidence: f64, freedom: u64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom.max(1) as f64)
        .map_or(f64::INFINITY, |t| t.inverse_cdf(f64::midpoint(confidence, 1.0)))
}

/// A mean and how far it may be off, either way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The estimate.
    pub mean: f64,
    /// Half of the interval's width; infinite when one replication is all there is.
    #[serde(with = "unbounded")]
    pub half: f64,
}

/// JSON knows no infinity: an unbounded half-width is written as null.
mod unbounded {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref)] // as serde wants it
    pub fn serialize<S: Serializer>(half: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        half.is_finite().then_some(*half).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Option::<f64>::deserialize(deserializer).map(|half| half.unwrap_or(f64::INFINITY))
    }
}

impl Interval {
    /// Lower end.
    #[must_use]
    pub fn low(&self) -> f64 {
        self.mean - self.half
    }

    /// Upper end.
    #[must_use]
    pub fn high(&self) -> f64 {
        self.mean + self.half
    }

    /// Whether a value lies inside.
    #[must_use]
    pub fn contains(&self, value: f64) -> bool {
        self.low() <= value && value <= self.high()
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} +- {}", self.mean, self.half)
    }
}

/// Counts of positive values in buckets that are 1/32 of an octave wide: quantiles to within 1.1 %.
///
/// Values run from 1 to 2^40 units; what lies outside is counted at the ends. Merging is exact, so a quantile
/// does not depend on the order in which parts are put together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    counts: Vec<u32>,
    total: u64,
}

const STEPS: u64 = 32;
const STEP_BITS: u32 = 5;
const BUCKETS: usize = 36 * 32;

fn bucket(value: u64) -> usize {
    let value = value.max(STEPS);
    let octave = u64::from(value.ilog2() - STEP_BITS);
    let index = octave * STEPS + ((value >> octave) - STEPS);
    usize::try_from(index).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The middle of a bucket.
#[allow(clippy::cast_precision_loss)]
fn middle(bucket: usize) -> f64 {
    let (octave, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    let low = (STEPS + step) << octave;
    low as f64 + (1_u64 << octave) as f64 / 2.0
}

impl Histogram {
    /// Counts a value.
    pub fn add(&mut self, value: u64) {
        let at = bucket(value);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        self.total += 1;
    }

    /// How many values.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Puts another histogram's values in.
    pub fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (own, other) in self.counts.iter_mut().zip(&other.counts) {
            *own += other;
        }
        self.total += other.total;
    }

    /// The value below which a share `p` of the values lies; none for an empty histogram.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let rank = p * self.total as f64;
        let mut below = 0_u64;
        for (at, &count) in self.counts.iter().enumerate() {
            below += u64::from(count);
            if count > 0 && below as f64 >= rank {
                return Some(middle(at));
            }
        }
        None
    }
}

/// Holm's step-down correction: the adjusted p-values of several comparisons made at once (Holm 1979).
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]).then(a.cmp(&b)));
    let mut adjusted = vec![1.0; p.len()];
    let mut worst = 0.0_f64;
    for (place, &index) in order.iter().enumerate() {
        worst = worst.max((p.len() - place) as f64 * p[index]).min(1.0);
        adjusted[index] = worst;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Law's example 4.26: ten observations, mean 1.34, 90 % half-width 0.24.
    #[test]
    fn an_interval_is_that_of_the_textbook() {
        let tally: Tally = [1.20, 1.50, 1.68, 1.89, 0.95, 1.49, 1.58, 1.55, 0.50, 1.09].into_iter().collect();
        let interval = tally.interval(0.90);
        assert!((interval.mean - 1.343).abs() < 1e-9);
        assert!((interval.half - 0.24).abs() < 0.01, "{}", interval.half);
    }

    #[test]
    fn one_replication_says_nothing_of_its_error() {
        let interval = [3.0].into_iter().collect::<Tally>().interval(0.95);
        assert!(interval.half.is_infinite() && interval.contains(1e9));
        let text = serde_json::to_string(&interval).unwrap();
        assert_eq!(text, r#"{"mean":3.0,"half":null}"#);
        assert_eq!(serde_json::from_str::<Interval>(&text).unwrap(), interval);
    }

    /// Holm's own example: 0.01, 0.02, 0.03, 0.005 become 0.03, 0.04, 0.04, 0.02.
    #[test]
    fn several_comparisons_are_corrected() {
        let adjusted = holm(&[0.01, 0.02, 0.03, 0.005]);
        for (got, want) in adjusted.iter().zip([0.03, 0.04, 0.04, 0.02]) {
            assert!((got - want).abs() < 1e-12, "{adjusted:?}");
        }
    }

    proptest! {
        #[test]
        fn a_quantile_is_within_two_percent_of_the_exact_one(
            mut values in prop::collection::vec(40_u64..1_000_000_000_000, 1..200), p in 0.01_f64..0.99,
        ) {
            let mut histogram = Histogram::default();
            for &value in &values {
                histogram.add(value);
            }
            values.sort_unstable();
            #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let exact = values[(p * values.len() as f64).ceil() as usize - 1] as f64;
            let got = histogram.quantile(p).unwrap();
            prop_assert!((got / exact - 1.0).abs() < 0.02, "{} against {}", got, exact);
        }

        #[test]
        fn merging_is_the_same_in_any_order(a in prop::collection::vec(1_u64..1_000_000, 0..50), b in prop::collection::vec(1_u64..1_000_000, 0..50)) {
            let fill = |values: &[u64]| {
                let mut histogram = Histogram::default();
                for &value in values {
                    histogram.add(value);
                }
                histogram
            };
            let (mut left, mut right) = (fill(&a), fill(&b));
            left.merge(&fill(&b));
            right.merge(&fill(&a));
            prop_assert_eq!(left.quantile(0.5), right.quantile(0.5));
            prop_assert_eq!(left.total(), right.total());
        }
    }
}
