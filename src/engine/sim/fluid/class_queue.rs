//! A class queue of a concentrator: the flows that share it, the bursts that wait, and the standing queue.

use crate::model::{ClassId, MAX_CLASSES, SiteId};
use crate::sim::discipline::ClassQueueTerms;
use crate::sim::fluid::sharing::{Fairness, MaxMin};
use crate::sim::fluid::standing_queue::{Refill, SharedLink, StandingEstimate};
use crate::sim::hints::{larger, smaller};
use crate::units::Time;

#[derive(Clone, Debug)]
pub(crate) struct ClassQueue {
    pub terms: ClassQueueTerms,
    /// Whether each site, or each class at it, is served in turn with the others; and whether weights decide.
    pub own_line: bool,
    pub weighs: bool,
    /// Flows that share.
    pub band: MaxMin,
    /// What long transfers keep standing before it.
    pub standing: StandingEstimate,
    /// The lane as transfers that compete for it see it; its rate is what the lane could have if it wanted more.
    pub link: SharedLink,
    /// What higher ranks leave to its own [bit/s].
    pub left: f64,
    /// A round trip without queues: what its flows have on the way beside it [s].
    trip: f64,
    /// Time that a bit of what is before it takes, and one of a burst [s]; the latter's rate [bit/s].
    pub slow: f64,
    pub slowness: f64,
    pub rate: f64,
    /// Bursts before it [bit].
    pub backlog: f64,
    /// What each class brought to them, and what is kept of that: all parts shrink alike, and are not touched for it.
    parts: [f64; MAX_CLASSES],
    kept: f64,
    /// Part of it that is still to come: windows after the first arrive as fast again as they leave.
    pub coming: PacedArrivals,
    /// What comes in bursts lately [bit/s].
    pub bursts: f64,
    /// By site: when its bursts are through [s].
    pub own_until: Vec<f64>,
    /// Time that a packet waits for those of other lanes, whatever their rank [s].
    pub ahead: f64,
    /// What floods do to it, and the part of a segment that has got through.
    pub flooded: Flooded,
    pub credit: f64,
    /// When its next flow ends, the capacity that it has, and whether it was touched since.
    pub ends: Time,
    pub given: f64,
    pub touched: bool,
}

impl ClassQueue {
    /// An empty lane for `sites` sites before a link that is all its own, with a round trip of `trip` seconds.
    pub fn new(terms: ClassQueueTerms, turns_by_flow: bool, link: SharedLink, trip: f64, sites: usize) -> Self {
        let rate = link.rate;
        let mut lane = Self {
            own_line: terms.fairness == Fairness::BySite || terms.per_site.is_finite(),
            weighs: turns_by_flow,
            band: MaxMin::new(sites, terms.fairness),
            terms,
            standing: StandingEstimate::default(),
            left: rate,
            link,
            trip,
            slow: 0.0,
            slowness: 0.0,
            rate: 0.0,
            backlog: 0.0,
            parts: [0.0; MAX_CLASSES],
            kept: 1.0,
            coming: PacedArrivals::default(),
            bursts: 0.0,
            own_until: vec![0.0; sites],
            ahead: 0.0,
            flooded: Flooded::NONE,
            credit: 0.0,
            ends: Time::NEVER,
            given: 0.0,
            touched: true,
        };
        lane.open(rate);
        lane
    }

    /// Sets the rate that it could have if it wanted more [bit/s].
    pub fn open(&mut self, rate: f64) {
        self.link.open(rate, self.trip);
        let open = larger(smaller(rate, self.terms.total), 1.0);
        self.slow = 1.0 / open;
        self.rate = larger(smaller(open, self.terms.per_site), 1.0);
        self.slowness = 1.0 / self.rate;
    }

    /// It has another buffer, and full segments are of another work [bit].
    pub fn refit(&mut self, buffer: f64, segment: f64, refill: &Refill) {
        self.link = SharedLink::new(self.link.rate, buffer, self.trip, segment, refill);
    }

    /// Whether its cap holds it back, not the device.
    pub fn is_at_cap(&self) -> bool {
        self.given >= self.terms.total * (1.0 - 1e-9)
    }

    /// Flows that are held back by its rate; none where access holds back all of them.
    pub fn sharing(&self) -> usize {
        if self.band.saturated() { self.band.len() } else { 0 }
    }

    /// Whether its flows could use more of the link; a lane at its own cap could not.
    #[inline]
    pub fn wants_more(&self) -> bool {
        self.band.saturated() && self.given < self.terms.total
    }

    /// Greatest useful rate of its flows [bit/s].
    #[inline]
    pub fn appetite(&self) -> f64 {
        smaller(self.band.appetite(), self.terms.total)
    }

    /// Whether it is not one line, first come, first served.
    #[inline]
    pub fn in_turn(&self) -> bool {
        self.own_line | self.weighs
    }

    /// Bursts that are there and wait [bit].
    pub fn waiting(&self) -> f64 {
        self.backlog - self.coming.bits
    }

    /// Whether transfers that share keep something standing, or what they left still stands.
    #[inline]
    fn stands(&self) -> bool {
        self.standing.bits > 0.0 || self.sharing() > 0
    }

    /// `dt` seconds pass for what stands before it and for the average of its bursts, which fades.
    #[inline(always)]
    pub fn pass(&mut self, dt: f64, fades: f64) {
        if self.stands() {
            self.standing.pass(dt, self.sharing(), &self.link, self.link.rate - self.band.rate());
        }
        self.bursts *= fades;
    }

    /// A burst joins those that are before it.
    pub fn take_in(&mut self, class: ClassId, work: f64) {
        self.backlog += work;
        self.parts[class.index()] += work / self.kept;
    }

    /// Bursts of a class that are before it [bit].
    pub fn backlog_of(&self, class: ClassId) -> f64 {
        self.parts[class.index()] * self.kept
    }

    /// Bursts that there are leave for `dt` seconds, at what the flows that access holds back leave of `rate`.
    #[inline(always)]
    pub fn drain(&mut self, rate: f64, dt: f64) {
        let left = self.backlog - larger(rate - self.band.rate_capped(), 0.0) * dt;
        if left <= 0.0 {
            (self.backlog, self.parts, self.kept, self.coming) =
                (0.0, [0.0; MAX_CLASSES], 1.0, PacedArrivals::default());
            return;
        }
        self.kept *= left / self.backlog;
        self.backlog = left;
        self.coming.pass(dt, 2.0 * self.link.rate, left);
        if self.kept < LITTLE {
            self.parts.iter_mut().for_each(|bits| *bits *= self.kept);
            self.kept = 1.0;
        }
    }
}

/// What is kept is multiplied up when it is less than this.
const LITTLE: f64 = 1e-9;

/// Bursts that are taken in and still come, as the acknowledgements of the window before them do: twice as fast as that left
/// the access link (where all are in one queue: that queue), and together not faster than twice the queue's rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct PacedArrivals {
    pub bits: f64,
    /// Of all together [bit/s].
    rate: f64,
}

impl PacedArrivals {
    pub fn add(&mut self, work: f64, rate: f64) {
        self.bits += work;
        self.rate += rate;
    }

    /// Time passes; no more than `most` bits are left, and they come no faster than `together`. Bursts end one by one, and
    /// the rate with them.
    pub fn pass(&mut self, dt: f64, together: f64, most: f64) {
        let left = smaller(larger(self.bits - smaller(self.rate, together) * dt, 0.0), most);
        self.rate *= left / larger(self.bits, f64::MIN_POSITIVE);
        self.bits = left;
    }
}

/// Time over which what comes in bursts is averaged [s].
pub const LATELY: f64 = 1.0;

/// A site that sends what nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Flood {
    pub site: SiteId,
    pub class: ClassId,
    pub rate: f64,
}

/// What floods do to a queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Flooded {
    /// Their rate of service [bit/s].
    pub rate: f64,
    /// Share of the others' packets that find room.
    pub passes: f64,
}

impl Flooded {
    pub const NONE: Self = Self { rate: 0.0, passes: 1.0 };
}
