//! Random numbers, keyed by purpose and entity.
//!
//! A [`Stream`] is named by (seed, replication, purpose, entity, number): the think time before the ninth
//! action of workstation 41 is the same number whatever else happens that day. So two options see the same
//! people click with the same sizes (common random numbers; Law, Simulation Modeling and Analysis, 5th ed.,
//! section 11.2), and no result depends on the order in which events are handled.

use std::convert::Infallible;

use rand::TryRng;
use rand_distr::{Distribution as _, Exp1, StandardNormal, StandardUniform};

use crate::elementary::{exp, ln, normal_quantile, pow};
use crate::units::Bytes;

/// Purpose of a stream. Each has its own numbers, so that more draws for one never shift another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Purpose {
    /// Times: gaps, think times, starts.
    Timing = 1,
    /// Which site or workstation.
    Site = 2,
    /// Request and response sizes, call lengths.
    Size = 3,
    /// Whether a rule applies (compliance, cache hit, participation).
    Chance = 4,
    /// How long a deferred job waits after a release.
    Release = 5,
    /// How a balancer places a tunnel.
    Place = 6,
    /// The estate; the same in each replication.
    World = 7,
    /// Dead peer detection and IKE.
    Tunnel = 8,
    /// What people do after they gave up.
    Fallback = 9,
    /// Whether a server on site can carry a transaction.
    Store = 10,
    /// Faults: when, and for how long.
    Fault = 11,
    /// How much of everything a day has.
    Level = 12,
}

/// A stream of 64-bit numbers: `SplitMix64` (Steele, Lea & Flood 2014, figure 16) from a mixed key.
///
/// A counter and three multiplications; opening a stream costs as little as drawing from it, which is what
/// lets each transaction have its own.
///
/// The mirror is 0, or all ones in the second run of an antithetic pair: each number is then what is left of the other's
/// to the end of the range, 1 - u for u (Law, 5th ed., section 11.3).
#[derive(Clone, Debug)]
pub struct Stream {
    state: u64,
    mirror: u64,
}

/// Where the tails begin in the tables of the library (256 boxes; Doornik 2005).
const EXPONENTIAL_TAIL: f64 = 7.697_117_470_131_05;
/// See [`EXPONENTIAL_TAIL`].
const NORMAL_TAIL: f64 = 3.654_152_885_361_009;

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The key of a replication.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    state: u64,
    mirror: u64,
}

impl Key {
    /// The key of one replication of a study.
    #[must_use]
    pub fn new(seed: u64, replication: u32) -> Self {
        let state = mix(mix(seed.wrapping_add(GOLDEN)) ^ (u64::from(replication) + 1).wrapping_mul(GOLDEN));
        Self { state, mirror: 0 }
    }

    /// The same where replications come in antithetic pairs: the second of a pair mirrors the first.
    #[must_use]
    pub fn antithetic(seed: u64, replication: u32) -> Self {
        let mirror = if replication % 2 == 1 { u64::MAX } else { 0 };
        Self { mirror, ..Self::new(seed, replication / 2) }
    }

    /// The key of one entity (a class at a site, a workstation) within this one.
    #[must_use]
    pub fn of(self, purpose: Purpose, entity: u64) -> Self {
        let named = (entity << 8) | purpose as u64;
        Self { state: mix(self.state ^ named.wrapping_mul(0xd6e8_feb8_6659_fd93)), ..self }
    }

    /// The stream of the `number`-th draw for this entity.
    #[must_use]
    pub fn stream(self, number: u64) -> Stream {
        let state = mix(self.state ^ number.wrapping_mul(0xa076_1d64_78bd_642f).wrapping_add(GOLDEN));
        Stream { state, mirror: self.mirror }
    }
}

/// The hash of a name, the same on every machine and in every version: FNV-1a, 64 bit (Fowler, Noll & Vo; RFC 9923).
#[must_use]
pub fn name_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The number of something within something else, such as a workstation within its site: neither depends on the order in
/// which things are listed.
#[must_use]
pub fn within(whole: u64, part: u64) -> u64 {
    mix(whole ^ part.wrapping_add(1).wrapping_mul(GOLDEN))
}

/// One of `count` places for a name, each as likely.
#[must_use]
pub fn place_of(name: &str, count: usize) -> usize {
    // The high bits of FNV-1a hardly depend on the last characters, the low ones not on all bits of each: mixed, all do.
    usize::try_from(mix(name_of(name)) % (count as u64).max(1)).unwrap_or(0)
}

impl Stream {
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state) ^ self.mirror
    }

    /// Uniform on [0, 1).
    pub fn uniform(&mut self) -> f64 {
        StandardUniform.sample(self)
    }

    /// Exponential with mean 1.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        let drawn: f64 = Exp1.sample(self);
        if drawn > EXPONENTIAL_TAIL { self.exponential_tail() } else { drawn }
    }

    /// The library takes a tail's logarithm from the platform. A draw of our own takes the place of each that lies there.
    #[cold]
    fn exponential_tail(&mut self) -> f64 {
        EXPONENTIAL_TAIL - ln(1.0 - self.uniform())
    }

    /// Normal with mean 0 and variance 1.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        let drawn: f64 = StandardNormal.sample(self);
        if drawn.abs() > NORMAL_TAIL { self.normal_tail().copysign(drawn) } else { drawn }
    }

    /// See [`Self::exponential_tail`]; Marsaglia (1964).
    #[cold]
    fn normal_tail(&mut self) -> f64 {
        loop {
            let beyond = -ln(1.0 - self.uniform()) / NORMAL_TAIL;
            if -2.0 * ln(1.0 - self.uniform()) >= beyond * beyond {
                return NORMAL_TAIL + beyond;
            }
        }
    }

    /// A whole number below `bound`, which must be above zero (Lemire's multiply-shift).
    #[allow(clippy::cast_possible_truncation)] // the high half is below `bound`
    pub fn below(&mut self, bound: u32) -> u32 {
        ((u64::from(bound) * (self.draw() >> 32)) >> 32) as u32
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    #[allow(clippy::cast_possible_truncation)] // the high half is meant
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.draw() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.draw())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            chunk.copy_from_slice(&self.draw().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A distribution of positive quantities: sizes [B], times [s].
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always the same.
    Fixed(f64),
    /// Exponential with this mean.
    Exponential(f64),
    /// Lognormal, kept within bounds by clamping.
    Lognormal {
        /// Mean and standard deviation of the logarithm.
        law: (f64, f64),
        /// Mean before clamping.
        mean: f64,
        /// Smallest and largest value.
        bounds: (f64, f64),
    },
    /// Pareto with this shape between two bounds (inverse of the truncated distribution function).
    Pareto {
        /// Tail exponent.
        shape: f64,
        /// Smallest value.
        from: f64,
        /// Largest value.
        to: f64,
    },
    /// Points (value, cumulative share), interpolated linearly; the last share is 1.
    Empirical(Vec<(f64, f64)>),
}

impl Distribution {
    /// A lognormal with this mean (not median) and this standard deviation of the logarithm.
    /// `None` unless the mean is positive and the deviation finite and not negative.
    #[must_use]
    pub fn lognormal(mean: f64, sigma: f64, bounds: (f64, f64)) -> Option<Self> {
        if !(mean > 0.0 && sigma >= 0.0 && sigma.is_finite() && bounds.0 <= bounds.1) {
            return None;
        }
        let law = (ln(mean) - sigma * sigma / 2.0, sigma);
        Some(Self::Lognormal { law, mean, bounds })
    }

    /// One draw.
    #[inline]
    pub fn sample(&self, stream: &mut Stream) -> f64 {
        match self {
            Self::Fixed(value) => *value,
            Self::Exponential(mean) => mean * stream.exponential(),
            Self::Lognormal { law, bounds, .. } => exp(law.0 + law.1 * stream.normal()).clamp(bounds.0, bounds.1),
            Self::Pareto { shape, from, to } => pareto(*shape, *from, *to, stream.uniform()),
            Self::Empirical(points) => interpolate(points, stream.uniform()),
        }
    }

    /// One draw as a whole number of bytes, at least one.
    // Compared as a fraction: the larger of two whole numbers becomes a jump.
    #[allow(clippy::cast_possible_truncation)] // saturates; a signed number is converted in one instruction
    #[inline]
    pub fn bytes(&self, stream: &mut Stream) -> Bytes {
        Bytes((f64::max(self.sample(stream) + 0.5, 1.0) as i64).cast_unsigned())
    }

    /// The value below which a share of all draws lies; `share` is above 0 and below 1.
    #[must_use]
    pub fn quantile(&self, share: f64) -> f64 {
        match self {
            Self::Fixed(value) => *value,
            Self::Exponential(mean) => -mean * ln(1.0 - share),
            Self::Lognormal { law, bounds, .. } => {
                exp(law.0 + law.1 * normal_quantile(share)).clamp(bounds.0, bounds.1)
            }
            Self::Pareto { shape, from, to } => pareto(*shape, *from, *to, share),
            Self::Empirical(points) => interpolate(points, share),
        }
    }

    /// The mean; for a clamped lognormal that of the unclamped one.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match self {
            Self::Fixed(mean) | Self::Exponential(mean) | Self::Lognormal { mean, .. } => *mean,
            Self::Pareto { shape, from, to } => pareto_mean(*shape, *from, *to),
            Self::Empirical(points) => {
                points.windows(2).map(|pair| (pair[1].1 - pair[0].1) * f64::midpoint(pair[0].0, pair[1].0)).sum::<f64>()
                    + points.first().map_or(0.0, |first| first.0 * first.1)
            }
        }
    }
}

/// Inverse distribution function of the Pareto distribution that is cut off at both ends.
fn pareto(shape: f64, from: f64, to: f64, u: f64) -> f64 {
    let tail = 1.0 - pow(from / to, shape);
    from * pow(1.0 - u * tail, -1.0 / shape)
}

fn pareto_mean(shape: f64, from: f64, to: f64) -> f64 {
    let tail = 1.0 - pow(from / to, shape);
    if (shape - 1.0).abs() < 1e-12 {
        from * ln(to / from) / tail
    } else {
        shape * from / (shape - 1.0) * (1.0 - pow(from / to, shape - 1.0)) / tail
    }
}

fn interpolate(points: &[(f64, f64)], u: f64) -> f64 {
    let above = points.partition_point(|&(_, share)| share <= u);
    match (above.checked_sub(1).map(|below| points[below]), points.get(above)) {
        (Some((x0, p0)), Some(&(x1, p1))) => x0 + (x1 - x0) * (u - p0) / (p1 - p0),
        (None, Some(&(x1, _))) => x1,
        (Some((x0, _)), None) => x0,
        (None, None) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_a_function_of_its_name() {
        let key = Key::new(1, 2).of(Purpose::Size, 3);
        assert_eq!(key.stream(4).draw(), Key::new(1, 2).of(Purpose::Size, 3).stream(4).draw());
        assert_ne!(key.stream(4).draw(), key.stream(5).draw());
        assert_ne!(key.stream(4).draw(), Key::new(1, 2).of(Purpose::Timing, 3).stream(4).draw());
        assert_ne!(key.stream(4).draw(), Key::new(1, 3).of(Purpose::Size, 3).stream(4).draw());
    }

    /// The two of a pair see u and 1 - u, and neither is a replication of another pair.
    #[test]
    fn antithetic_streams_mirror_each_other() {
        let draw = |replication| Key::antithetic(1, replication).of(Purpose::Size, 3).stream(4).uniform();
        assert!((draw(6) + draw(7) - 1.0).abs() < 1e-15);
        assert!((draw(6) - draw(8)).abs() > 1e-9 && (draw(7) - draw(9)).abs() > 1e-9);
    }

    /// Fault: first draws of neighbouring streams, which the engine uses, are correlated.
    #[test]
    fn neighbouring_streams_are_uncorrelated() {
        let n = 200_000_u64;
        let key = Key::new(7, 0).of(Purpose::Timing, 1);
        let draws: Vec<f64> = (0..n).map(|i| key.stream(i).uniform() - 0.5).collect();
        #[allow(clippy::cast_precision_loss)]
        let count = n as f64;
        let mean = draws.iter().sum::<f64>() / count;
        let lag = draws.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>() / count * 12.0;
        // 4.4 standard errors: one failure in 100,000 if the seed were not fixed.
        assert!(mean.abs() < 4.4 * (1.0_f64 / 12.0 / count).sqrt(), "mean {mean}");
        assert!(lag.abs() < 4.4 / count.sqrt(), "lag-1 correlation {lag}");
    }

    #[test]
    fn each_law_has_the_mean_that_it_states() {
        let laws = [
            Distribution::Fixed(3.0),
            Distribution::Exponential(7.3),
            Distribution::lognormal(30_000.0, 1.2, (0.0, f64::INFINITY)).unwrap(),
            Distribution::Pareto { shape: 1.5, from: 10.0, to: 1e4 },
            Distribution::Pareto { shape: 1.0, from: 10.0, to: 1e3 },
            Distribution::Empirical(vec![(1.0, 0.0), (2.0, 0.5), (10.0, 1.0)]),
        ];
        for law in laws {
            let n = 400_000;
            let key = Key::new(1, 0).of(Purpose::Size, 9);
            let draws: Vec<f64> = (0..n).map(|i| law.sample(&mut key.stream(i))).collect();
            #[allow(clippy::cast_precision_loss)]
            let count = n as f64;
            let mean = draws.iter().sum::<f64>() / count;
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
            let allowed = 4.4 * (variance / count).sqrt() + 1e-9;
            assert!((mean - law.mean()).abs() <= allowed, "{law:?}: {mean} against {} +- {allowed}", law.mean());
        }
    }

    #[test]
    fn a_whole_draw_stays_below_its_bound() {
        let mut stream = Key::new(1, 0).stream(0);
        let mut seen = [0_u32; 7];
        for _ in 0..70_000 {
            seen[stream.below(7) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| (9_500..10_500).contains(&n)), "{seen:?}");
    }

    #[test]
    fn no_lognormal_has_an_infinite_deviation() {
        let lognormal = |mean, sigma| Distribution::lognormal(mean, sigma, (0.0, 1e9));
        assert!(lognormal(30e3, 1.2).is_some() && lognormal(30e3, 0.0).is_some());
        for (mean, sigma) in [(30e3, f64::INFINITY), (30e3, f64::NAN), (30e3, -1.0), (0.0, 1.2), (f64::NAN, 1.2)] {
            assert_eq!(lognormal(mean, sigma), None, "{mean} {sigma}");
        }
    }

    /// Fault: what lies beyond the tables has another distribution than the rest.
    #[test]
    fn tails_have_the_share_and_the_mean_that_they_should() {
        let mut stream = Key::new(11, 0).stream(0);
        let mut beyond = |draw: fn(&mut Stream) -> f64, from: f64| -> (f64, f64) {
            const DRAWS: u32 = 4_000_000;
            let tail: Vec<f64> = (0..DRAWS).map(|_| draw(&mut stream).abs()).filter(|&x| x > from).collect();
            #[allow(clippy::cast_precision_loss)] // thousands
            let count = tail.len() as f64;
            (count / f64::from(DRAWS), tail.iter().sum::<f64>() / count)
        };
        // exp(-7.697) = 4.538e-4, and the mean lies one beyond; 2 (1 - Phi(3.654)) = 2.580e-4, mean phi / (1 - Phi) = 3.9012. Both
        // shares are within 4 standard errors (0.00001), both means, too.
        let (share, mean) = beyond(Stream::exponential, EXPONENTIAL_TAIL);
        assert!((share - 4.538e-4).abs() < 4.3e-5 && (mean - 8.697).abs() < 0.1, "{share} {mean}");
        let (share, mean) = beyond(Stream::normal, NORMAL_TAIL);
        assert!((share - 2.580e-4).abs() < 3.2e-5 && (mean - 3.9012).abs() < 0.03, "{share} {mean}");
    }
}
