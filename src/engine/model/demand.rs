//! Demand: who asks for transfers, and when.

use crate::random::Distribution;
use crate::units::{Bytes, Duration, Share, TimeOfDay};

/// Who asks for transfers, and when.
#[derive(Clone, Debug)]
pub enum Demand {
    /// Only what a replay holds.
    Replayed,
    /// People at workstations who wait for the answer, then think.
    Users {
        /// Workstations for this class at each site.
        workstations: Vec<u32>,
        /// Share of them in use, through the day.
        activity: Levels,
        /// Factor on activity by weekday, Monday first.
        weekdays: [f64; 7],
        /// Time between an answer and the next action [s].
        think: Distribution,
    },
    /// A Poisson process that does not notice congestion.
    Open(Arrivals),
    /// Streams that go on all the time.
    Steady {
        /// So many at each site.
        each: u32,
        /// What they send.
        codec: Codec,
    },
    /// Constant-rate streams that start as a Poisson process.
    Streams {
        /// When they start.
        arrivals: Arrivals,
        /// How long they last [s].
        length: Distribution,
        /// What they send.
        codec: Codec,
    },
    /// People whose time is counted, without traffic of their own.
    Staff {
        /// People of this class at each site.
        people: Vec<u32>,
        /// Share of them at work, through the day.
        activity: Levels,
        /// Factor on activity by weekday, Monday first.
        weekdays: [f64; 7],
    },
    /// Transfers that are due once a day at some workstations.
    Jobs {
        /// Workstations at each site.
        workstations: Vec<u32>,
        /// Share of the workstations that have one on a day.
        share: Share,
        /// Window in which they start.
        start: (TimeOfDay, TimeOfDay),
        /// The likeliest start (triangular), or none (uniform).
        peak: Option<TimeOfDay>,
        /// Weekdays on which there are jobs, Monday first.
        weekdays: [bool; 7],
        /// Hours in which the workstations are on; a job that is cut short goes on in the next day's.
        powered: Option<(TimeOfDay, TimeOfDay)>,
    },
}

impl Demand {
    /// Whether it is of constant-rate streams, such as calls.
    #[must_use]
    pub fn is_of_calls(&self) -> bool {
        matches!(self, Self::Streams { .. } | Self::Steady { .. })
    }

    /// Whether people usually wait for it.
    #[must_use]
    pub fn is_waited_for(&self) -> bool {
        matches!(self, Self::Users { .. } | Self::Open(_))
    }
}

/// A non-homogeneous Poisson process over the whole estate; each arrival falls on a site by its patients.
#[derive(Clone, Debug)]
pub struct Arrivals {
    /// Expected number on a day of factor 1, all sites together.
    pub per_day: f64,
    /// How a day's arrivals spread over it.
    pub profile: Cumulative,
    /// Factor by weekday, Monday first.
    pub weekdays: [f64; 7],
}

/// What a stream sends, each way, and how speech fares in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Codec {
    /// Bytes of a packet, with its IP header.
    pub packet: Bytes,
    /// Time between packets.
    pub every: Duration,
    /// Time that it looks ahead before it sends.
    pub look_ahead: Duration,
    /// Equipment impairment factor Ie (ITU-T G.113, appendix I).
    pub impairment: f64,
    /// Packet-loss robustness factor Bpl (ITU-T G.113, appendix I).
    pub robustness: f64,
}

/// A packet of 20 ms of speech.
const EVERY: Duration = Duration(20_000_000);

impl Codec {
    /// G.711 at 20 ms, 80 kbit/s, with packet-loss concealment by its appendix I.
    pub const G711: Self =
        Self { packet: Bytes(200), every: EVERY, look_ahead: Duration(0), impairment: 0.0, robustness: 25.1 };
    /// G.729 at 20 ms, 24 kbit/s: annex A, with voice activity detection. It looks 5 ms ahead.
    pub const G729: Self =
        Self { packet: Bytes(60), every: EVERY, look_ahead: Duration(5_000_000), impairment: 11.0, robustness: 19.0 };
}

/// A share that rises and falls linearly between points of the day; constant before and after.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels(pub Vec<(TimeOfDay, f64)>);

impl Levels {
    /// The next instant from `now` on at which `factor` x level is above `threshold`, within the same day.
    #[must_use]
    pub fn next_above(&self, threshold: f64, factor: f64, clock: TimeOfDay) -> Option<TimeOfDay> {
        if self.at(clock) * factor > threshold {
            return Some(clock);
        }
        for pair in self.0.windows(2) {
            let ((from, low), (until, high)) = (pair[0], pair[1]);
            if until <= clock || high * factor <= threshold {
                continue;
            }
            if low * factor > threshold {
                return Some(from.max(clock));
            }
            let crossing = from.0 + fraction(until.0 - from.0, (threshold / factor - low) / (high - low)) + 1;
            return Some(TimeOfDay(crossing).max(clock));
        }
        None
    }

    /// The level summed over part of a day [s].
    #[must_use]
    pub fn integral(&self, from: TimeOfDay, until: TimeOfDay) -> f64 {
        let inner = self.0.iter().map(|&(at, _)| at).filter(|&at| from < at && at < until);
        let mut sum = 0.0;
        let mut last = from;
        for at in inner.chain([until]) {
            sum += f64::midpoint(self.at(last), self.at(at)) * Duration(at.0 - last.0).secs();
            last = at;
        }
        sum
    }

    /// The level at a time of day.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // a day's nanoseconds are below 2^53
    pub fn at(&self, clock: TimeOfDay) -> f64 {
        let next = self.0.partition_point(|&(at, _)| at <= clock);
        match (next.checked_sub(1).map(|last| self.0[last]), self.0.get(next)) {
            (Some((from, low)), Some(&(until, high))) => {
                low + (high - low) * ((clock.0 - from.0) as f64 / (until.0 - from.0) as f64)
            }
            (Some((_, level)), None) | (None, Some(&(_, level))) => level,
            (None, None) => 0.0,
        }
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn fraction(of: u64, share: f64) -> u64 {
    (of as f64 * share.clamp(0.0, 1.0)).round() as u64
}

/// The share of a day's arrivals that have come by a time of day: points, joined by straight lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Cumulative(pub Vec<(TimeOfDay, f64)>);

impl Cumulative {
    /// The time of day by which `share` of the day's arrivals have come (inversion; Çinlar 1975, section 4.7).
    /// `None` when that is beyond the day. `hint` is the segment to look from; it is moved on.
    #[must_use]
    pub fn invert(&self, share: f64, hint: &mut usize) -> Option<TimeOfDay> {
        while *hint + 1 < self.0.len() {
            let ((from, low), (until, high)) = (self.0[*hint], self.0[*hint + 1]);
            if share < high {
                return Some(TimeOfDay(from.0 + fraction(until.0 - from.0, (share - low) / (high - low))));
            }
            *hint += 1;
        }
        None
    }

    /// The share that has come by a time of day.
    #[must_use]
    pub fn at(&self, clock: TimeOfDay) -> f64 {
        Levels(self.0.clone()).at(clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(hours: u64) -> TimeOfDay {
        TimeOfDay(hours * 3600 * crate::units::NANOS)
    }

    #[test]
    fn levels_join_their_points() {
        let levels = Levels(vec![(hour(7), 0.0), (hour(8), 1.0), (hour(12), 1.0), (hour(13), 0.5)]);
        assert!((levels.at(TimeOfDay(hour(7).0 + 1800 * crate::units::NANOS)) - 0.5).abs() < 1e-12);
        assert_eq!(levels.at(hour(6)).to_bits(), 0.0_f64.to_bits());
        assert_eq!(levels.next_above(0.5, 1.0, hour(0)).map(|at| at.0 / 1_000_000_000), Some(7 * 3600 + 1800));
        assert_eq!(levels.next_above(0.9, 1.0, hour(13)), None);
        assert_eq!(levels.next_above(0.4, 1.0, hour(9)), Some(hour(9)));
    }

    #[test]
    fn a_profile_is_inverted_exactly() {
        let profile = Cumulative(vec![(hour(0), 0.0), (hour(8), 0.2), (hour(10), 1.0)]);
        let mut hint = 0;
        assert_eq!(profile.invert(0.1, &mut hint), Some(hour(4)));
        assert_eq!(profile.invert(0.6, &mut hint), Some(hour(9)));
        assert_eq!(profile.invert(1.0, &mut hint), None);
    }
}
