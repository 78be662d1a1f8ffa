//! Statistics of replications: tallies, quantiles, intervals and paired differences.

pub mod estimate;

use std::fmt;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

use crate::elementary::hypot;

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

/// The mean of some values; not a number of none.
#[must_use]
#[allow(clippy::cast_precision_loss)] // values in a list
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
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

/// Quantile of the chi-squared distribution.
#[must_use]
#[allow(clippy::cast_precision_loss)] // days, replications
pub fn chi_squared(share: f64, freedom: u64) -> f64 {
    ChiSquared::new(freedom.max(1) as f64).map_or(f64::NAN, |law| law.inverse_cdf(share))
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

    /// The same where the values are known to within this share of them only.
    #[must_use]
    pub fn known_to(self, share: f64) -> Self {
        self.or_to(self.mean.abs() * share)
    }

    /// The same where the values are known to within so much only.
    #[must_use]
    pub fn or_to(self, more: f64) -> Self {
        Self { half: if self.half.is_finite() { hypot(self.half, more) } else { self.half }, ..self }
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

/// Counts of values in buckets: a power of two of equal steps to each octave (32 of them: quantiles to within 1.6 %; 1,024:
/// within 0.05 %). Small values, below the number of steps, each have a bucket of their own.
///
/// Merging is exact, so a quantile does not depend on the order in which parts are put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    counts: Vec<u32>,
    total: u64,
    /// The largest value.
    most: u64,
    /// Steps of an octave, as a power of two.
    step_bits: u32,
}

/// Values are at most so many octaves.
const OCTAVES: u32 = 48;

impl Default for Histogram {
    /// 32 steps to an octave.
    fn default() -> Self {
        Self::with_steps(5)
    }
}

impl Histogram {
    /// An empty one with 2 to so many steps to each octave.
    #[must_use]
    pub fn with_steps(step_bits: u32) -> Self {
        Self { counts: Vec::new(), total: 0, most: 0, step_bits }
    }

    /// An empty one that is fine enough for figures whose intervals are narrow.
    #[must_use]
    pub fn fine() -> Self {
        Self::with_steps(10)
    }

    fn bucket(&self, value: u64) -> usize {
        let steps = 1_u64 << self.step_bits;
        let value = value.min((1 << OCTAVES) - 1);
        let octave = u64::from(value.max(steps).ilog2() - self.step_bits);
        // Below the steps of the first octave each value is its own bucket.
        usize::try_from((octave << self.step_bits) + (value >> octave)).unwrap_or(usize::MAX)
    }

    /// Where a bucket begins, and where the next one does.
    #[allow(clippy::cast_precision_loss)] // below 2^53
    fn ends(&self, bucket: usize) -> (f64, f64) {
        let steps = 1_u64 << self.step_bits;
        let octave = (bucket as u64 >> self.step_bits).saturating_sub(1);
        let low = (bucket as u64 - (octave << self.step_bits)) << octave;
        debug_assert!(octave == 0 || low >= steps);
        (low as f64, (low + (1 << octave)) as f64)
    }

    /// Counts a value.
    pub fn add(&mut self, value: u64) {
        let at = self.bucket(value);
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        self.counts[at] += 1;
        self.total += 1;
        self.most = self.most.max(value);
    }

    /// Half a bucket, as a share of the values in it: what a quantile may be off.
    #[must_use]
    pub fn resolution(&self) -> f64 {
        0.5_f64.powi(i32::try_from(self.step_bits).unwrap_or(0) + 1)
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
        self.most = self.most.max(other.most);
    }

    /// The value below which a share `p` of the values lies; none for an empty histogram.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        self.quantile_beside(p, 0)
    }

    /// The same with `beyond` more values that are larger than all: none where it is one of those. Inside a bucket values are
    /// taken to lie evenly, and none lies beyond the largest.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // counts stay below 2^53
    pub fn quantile_beside(&self, p: f64, beyond: u64) -> Option<f64> {
        let rank = p * (self.total + beyond) as f64;
        let mut below = 0_u64;
        for (at, &count) in self.counts.iter().enumerate() {
            let with = below + u64::from(count);
            if count > 0 && with as f64 >= rank {
                let (low, high) = self.ends(at);
                let share = ((rank - below as f64) / f64::from(count)).clamp(0.0, 1.0);
                return Some((low + (high - low) * share).min(self.most as f64));
            }
            below = with;
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
        fn a_quantile_is_within_its_bucket(
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
            prop_assert!((got / exact - 1.0).abs() <= 1.0 / 32.0, "{} against {}", got, exact);
            let mut fine = Histogram::fine();
            for value in &values {
                fine.add(*value);
            }
            prop_assert!((fine.quantile(p).unwrap() / exact - 1.0).abs() <= 1.0 / 1024.0);
        }

        /// No percentile lies beyond the largest value, and small values are exact.
        #[test]
        fn a_quantile_lies_among_the_values(values in prop::collection::vec(0_u64..40, 1..50), p in 0.0_f64..1.0) {
            let mut histogram = Histogram::default();
            for value in &values {
                histogram.add(*value);
            }
            let most = *values.iter().max().unwrap();
            #[allow(clippy::cast_precision_loss)]
            let most = most as f64;
            prop_assert!(histogram.quantile(p).unwrap() <= most);
            prop_assert!((histogram.quantile(1.0).unwrap() - most).abs() <= 1.0);
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
