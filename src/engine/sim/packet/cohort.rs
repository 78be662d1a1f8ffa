//! Cohorts: where many transfers contend at a concentrator, one connection stands for several that are alike.
//!
//! A queue with a thousand flows behaves as one with a hundred whose packets each take the room and the time of ten (Pan,
//! Prabhakar, Psounis & Wischik 2003: `SHRiNK`). So the packets of a cohort's connection count as many times at the concentrator as
//! the cohort has members; on the access link, which is its own, once. Short transfers form *aligned* cohorts: they start within
//! seconds of each other, have about the same size, and each takes as much longer than alone as the first one does. Long ones
//! *ride*: each is over when the connection has delivered as many segments since it joined as it has.

use crate::elementary::exp;
use crate::model::ClassId;
use crate::sim::packet::way::ConnectionId;
use crate::sim::turn::TransactionId;
use crate::units::Time;

/// Time within which those of an aligned cohort start [s].
const TOGETHER: f64 = 5.0;
/// Segments of a transfer whose cohort has twice that time.
const LASTING: f64 = 1024.0;
/// Bands of size: two to each power of two.
const BANDS: usize = 64;

/// The transfers that a connection stands for.
#[derive(Clone, Debug)]
pub struct Cohort {
    /// In the order in which they joined.
    pub members: Vec<CohortMember>,
    /// How their ends follow.
    pub kind: CohortKind,
}

/// A transfer of a cohort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CohortMember {
    /// Which transfer.
    pub id: TransactionId,
    /// Of which attempt.
    pub epoch: u32,
    /// Of a cohort that rides: it is over when so many segments have arrived.
    pub until: u32,
}

/// How the end of a member follows from the connection.
#[derive(Clone, Copy, Debug)]
pub enum CohortKind {
    /// There is but one.
    Alone,
    /// The end of the first tells that of the others.
    Aligned {
        /// Its band.
        band: usize,
        /// When the first started.
        started: Time,
        /// What the first takes alone [s].
        unloaded: f64,
    },
    /// Each has its share of what the connection delivers.
    Riding,
}

impl Cohort {
    /// Of nobody.
    pub const NONE: Self = Self { members: Vec::new(), kind: CohortKind::Alone };

    /// A single transfer has the connection.
    pub fn begin(&mut self, member: CohortMember, kind: CohortKind) {
        self.members.clear();
        self.members.push(member);
        self.kind = kind;
    }

    /// Takes out a member that has all its segments, if several are left: the last one ends with its connection.
    pub fn take_over(&mut self, arrived: u32) -> Option<CohortMember> {
        if self.members.len() < 2 {
            return None;
        }
        let place = self.members.iter().position(|member| member.until <= arrived)?;
        Some(self.members.remove(place))
    }
}

/// The first of an aligned cohort.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FirstOfBand {
    /// Its connection.
    UnderWay(ConnectionId),
    /// It took so much longer than alone [s].
    Over(f64),
}

/// Transfers of a class and of about one size that contend at a concentrator.
#[derive(Clone, Copy, Debug)]
pub struct SizeBand {
    first: Option<FirstOfBand>,
    /// Transfers that are still to follow the first.
    followers: u16,
    /// Starts in the last seconds, older ones less.
    recent: f64,
    last: Time,
}

impl SizeBand {
    /// None has started.
    const NEW: Self = Self { first: None, followers: 0, recent: 0.0, last: Time(0) };

    /// A transfer of so many segments starts: whom it follows.
    pub fn start(&mut self, now: Time, segments: u32) -> Option<FirstOfBand> {
        let since = now.since(std::mem::replace(&mut self.last, now)).secs();
        let together = TOGETHER * (1.0 + f64::from(segments) / LASTING);
        self.recent = self.recent * exp(-since / together) + 1.0;
        let first = self.first.filter(|_| self.followers > 0)?;
        self.followers -= 1;
        Some(first)
    }

    /// It is the first of the next ones, `most` at most: as many as will start soon. Gives their number.
    pub fn lead(&mut self, connection: ConnectionId, most: u16) -> u16 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        let many = (self.recent as u16).clamp(1, most);
        (self.first, self.followers) = (Some(FirstOfBand::UnderWay(connection)), many - 1);
        many
    }

    /// A connection is over, and took so much longer than its transfer alone [s]; none if it was closed.
    pub fn end(&mut self, connection: ConnectionId, longer: Option<f64>) {
        if self.first == Some(FirstOfBand::UnderWay(connection)) {
            self.first = longer.map(FirstOfBand::Over);
        }
    }
}

/// Cohorts at a concentrator: by class the bands of short transfers, and the connections on which long ones ride.
#[derive(Clone, Debug)]
pub struct Cohorts {
    bands: Vec<SizeBand>,
    riding: Vec<Vec<ConnectionId>>,
}

impl Cohorts {
    /// None.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { bands: vec![SizeBand::NEW; classes * BANDS], riding: vec![Vec::new(); classes] }
    }

    /// The number of the band of transfers of so many segments: two to each power of two.
    #[must_use]
    pub fn band_of(class: ClassId, segments: u32) -> usize {
        let power = segments.max(1).ilog2();
        let upper = power > 0 && (segments >> (power - 1)) & 1 == 1;
        class.index() * BANDS + 2 * power as usize + usize::from(upper)
    }

    /// A band.
    pub fn band(&mut self, number: usize) -> &mut SizeBand {
        &mut self.bands[number]
    }

    /// Connections on which transfers of a class ride.
    pub fn riding(&mut self, class: ClassId) -> &mut Vec<ConnectionId> {
        &mut self.riding[class.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::NANOS;

    fn member(id: TransactionId, until: u32) -> CohortMember {
        CohortMember { id, epoch: 0, until }
    }

    #[test]
    fn bands_hold_sizes_within_a_factor_of_one_and_a_half() {
        let band = |segments| Cohorts::band_of(ClassId(0), segments);
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 8].map(band), [0, 2, 3, 4, 4, 5, 5, 6]);
        assert_ne!(Cohorts::band_of(ClassId(1), 8), band(8));
        assert!(band(u32::MAX) < BANDS);
    }

    /// Ten start each second: after five seconds 43 are expected within the time of a cohort, more than a cohort may hold.
    #[test]
    fn many_that_start_together_follow_a_first_and_few_are_alone() {
        let mut band = SizeBand::NEW;
        for tenth in 0..100 {
            if band.start(Time(tenth * NANOS / 10), 20).is_none() {
                band.lead(7, 8);
            }
        }
        assert_eq!((band.first, band.followers), (Some(FirstOfBand::UnderWay(7)), 4), "1, 2, 3 .. 7, then eight each");
        let mut rare = SizeBand::NEW;
        for minute in 0..100 {
            assert_eq!(rare.start(Time(minute * 60 * NANOS), 20), None);
            assert_eq!(rare.lead(7, 8), 1);
        }
    }

    #[test]
    fn those_who_come_after_the_first_is_over_take_its_delay() {
        let mut band = SizeBand::NEW;
        for _ in 0..5 {
            band.start(Time(0), 20);
        }
        assert_eq!(band.lead(3, 8), 5);
        assert_eq!(band.start(Time(1), 20), Some(FirstOfBand::UnderWay(3)));
        band.end(4, Some(9.0));
        band.end(3, Some(0.5));
        assert_eq!(band.start(Time(2), 20), Some(FirstOfBand::Over(0.5)));
        band.end(3, None);
        assert_eq!(band.start(Time(3), 20), Some(FirstOfBand::Over(0.5)), "it was over before");
    }

    #[test]
    fn riders_get_off_when_they_have_their_segments_and_the_last_one_stays() {
        let mut cohort = Cohort::NONE;
        cohort.begin(member(1, 100), CohortKind::Riding);
        cohort.members.extend([member(2, 50), member(3, 70)]);
        assert_eq!(cohort.take_over(49), None);
        assert_eq!(cohort.take_over(75), Some(member(2, 50)));
        assert_eq!(cohort.take_over(75), Some(member(3, 70)));
        assert_eq!(cohort.take_over(1_000), None);
    }
}
