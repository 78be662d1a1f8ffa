//! A transfer at fluid fidelity: where it stands in its turns and in slow start.

use crate::model::{ClassId, ConcentratorId, Ingredient, SiteId, Tcp};
use crate::sim::fluid::site_access::PathState;
use crate::sim::hints::{larger, smaller};
use crate::sim::transaction::latency::LatencyParts;
use crate::sim::turn::Turn;
use crate::units::Time;

/// What the network does with a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing: it has ended, or was stopped.
    Idle,
    /// Windows of slow start, and the round trips between them.
    Rounds,
    /// It shares the concentrator as a fluid.
    Sharing,
}

/// A transfer. The slot is used again by the next transaction of the same id.
#[derive(Clone, Debug)]
pub struct FluidTransfer {
    /// Names the attempt: a window that was scheduled for another is void.
    pub epoch: u32,
    /// To which site.
    pub site: SiteId,
    /// Through which concentrator.
    pub concentrator: ConcentratorId,
    /// Of which class.
    pub class: ClassId,
    /// What the network does with it.
    pub phase: Phase,
    /// How many turns it has.
    pub turns: u8,
    /// Where it stands in them.
    pub window: WindowState,
    /// Where its time goes.
    pub latency: LatencyParts,
    /// Work that it shares the concentrator for [bit].
    pub work: f64,
}

impl FluidTransfer {
    /// What an unused slot holds.
    #[must_use]
    pub fn idle() -> Self {
        Self {
            epoch: 0,
            site: SiteId(0),
            concentrator: ConcentratorId(0),
            class: ClassId(0),
            phase: Phase::Idle,
            turns: 0,
            window: WindowState::default(),
            latency: LatencyParts::new(Time(0)),
            work: 0.0,
        }
    }
}

/// Where a transfer stands in its rounds.
#[derive(Clone, Copy, Debug, Default)]
pub struct WindowState {
    /// Which of its turns is being answered.
    pub turn: u8,
    /// Segments of the response that have not arrived.
    pub left: u32,
    /// Segments that may be sent at once.
    pub cwnd: u32,
    /// The window follows one of the same response.
    pub ack_clocked: bool,
    /// Slow start has ended.
    pub past_slow_start: bool,
    /// Something was lost: the window grows by one a round from now on.
    pub congestion_avoidance: bool,
    /// Rounds in a row that lost what was sent again.
    pub losses: u8,
    /// Work of a segment, acknowledgements included [bit].
    pub segment: f64,
}

/// A sender that has lost something shares once its window is near its fair part of the path.
const SETTLES: f64 = 1.4;
/// A sender whose window is so many times its fair part of a full path loses most of it, and has no more than its share
/// from the start.
const CROWDED: f64 = 2.0;
/// A burst that would take longer than this shares, and so follows the rate as it changes [s].
const STARVED: f64 = 0.5;
/// What a full segment's wait costs a sender that heard nothing: the least time-out (RFC 6298 as Linux has it) [s].
const MIN_RTO: f64 = 0.2;
/// Share of a window spread over its round trip that a full queue takes.
const SPREAD_ACCEPTED: f64 = 0.6;
/// What is left of a window after a loss (CUBIC; RFC 9438, section 4.6).
const BETA: f64 = 0.7;

impl WindowState {
    /// Work of the response that has not left [bit].
    #[must_use]
    pub fn work_left(&self) -> Option<f64> {
        (self.left > 0).then(|| f64::from(self.left) * self.segment)
    }

    /// A turn's response begins, or what was left of it [bit]: in segments and their work.
    #[inline]
    pub fn begin_response(&mut self, tcp: &Tcp, turn: &Turn, segment: f64, work_left: Option<f64>) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a part of the segments that there were
        let left = match work_left {
            Some(work) => ((work / segment).ceil() as u32).max(1),
            None => turn.response_segments.max(1),
        };
        (self.left, self.segment, self.ack_clocked) = (left, segment, false);
        self.past_slow_start |= !tcp.has(Ingredient::SlowStart);
    }

    /// Time until the next window, after `sent` segments of which `accepted` were not lost; `trip` is the round trip [s].
    pub fn after(&mut self, tcp: &Tcp, sent: u32, accepted: u32, trip: f64) -> f64 {
        if accepted == sent {
            self.losses = 0;
            self.cwnd = if self.congestion_avoidance { self.cwnd + 1 } else { self.cwnd * 2 }.min(tcp.most);
            return trip;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below the window
        let kept = (f64::from(sent) * BETA) as u32;
        self.cwnd = kept.max(2);
        (self.losses, self.congestion_avoidance) = (self.losses.saturating_add(1), true);
        let tail = self.left + accepted == sent;
        if self.losses > 1 && accepted == 0 {
            self.cwnd = 1;
            return (MIN_RTO + trip) * f64::from(1_u32 << (self.losses - 2).min(6));
        }
        if !tail {
            // What comes after the loss tells of it a round trip later, while other segments are under way.
            return if self.left <= self.cwnd { 2.0 * trip } else { trip };
        }
        // Nothing comes after the loss to tell of it: a probe does, two round trips after the last acknowledgement, and
        // makes the others known another round trip later. A lone segment may be waiting for a delayed acknowledgement,
        // and is given the least time-out.
        if tcp.has(Ingredient::TailProbe) && self.left > 1 { 4.0 * trip } else { MIN_RTO + 2.0 * trip }
    }
}

/// How a burst gets through.
#[derive(Clone, Copy, Debug)]
pub struct BurstDelay {
    /// Until its first segment is through the access link [s].
    pub first: f64,
    /// Until its last one is through the concentrator [s].
    pub through: f64,
    /// Until its last one is through the access link [s].
    pub last: f64,
}

impl PathState {
    /// Time that a packet towards the headend waits, where both directions count [s].
    #[must_use]
    pub fn up_wait(&self) -> f64 {
        if self.both { self.wait } else { 0.0 }
    }

    /// Time that a bit takes on the slower of the two links [s].
    #[must_use]
    pub fn slowest(&self) -> f64 {
        larger(self.slowness, self.access_slowness)
    }

    /// Whether a sender does not send the next `sent` segments as a burst, and shares with the others for all that is left; `first` is
    /// when the acknowledgement of the first of them would come [s].
    #[must_use]
    #[inline]
    pub fn is_left_to_sharing(&self, window: &WindowState, sent: u32, delay: &BurstDelay, first: f64) -> bool {
        // A class that hardly gets anything waits for better times in the sharing, which knows when they come.
        if delay.through > STARVED {
            return true;
        }
        let busy = || f64::from(sent) * window.segment * self.slowest();
        let fair = || f64::from(window.cwnd) * window.segment / self.fair;
        let crowded = || self.held_back && fair() >= CROWDED * first;
        // Who has lost something in a full queue is one of those that keep it full; elsewhere once its window is near its
        // fair part.
        let settled = || crowded() || (window.congestion_avoidance && (self.held_back || fair() * SETTLES >= first));
        sent < window.left && (busy() >= first || window.past_slow_start || settled())
    }

    /// How a burst of `work` bits in segments of `segment` bits gets through.
    #[must_use]
    pub fn burst_delay(&self, work: f64, segment: f64) -> BurstDelay {
        let begins = self.wait + segment * self.slowness;
        let through = self.wait + (work + smaller(self.shared, work)) * self.slowness;
        let free = larger(self.access_wait, begins) + self.access_queue;
        let one = segment * self.access_slowness;
        BurstDelay { first: free + one, through, last: larger(through + one, free + work * self.access_slowness) }
    }

    /// Segments that the queue accepts of a burst: the first window comes at once, a later one as fast again as the one
    /// before it leaves; a window that no longer doubles is spread over its round trip, and gets its share of the places
    /// that come free.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between none and all
    #[inline]
    pub fn accepted(&self, sent: u32, segment: f64, ack_clocked: bool, congestion_avoidance: bool) -> u32 {
        if congestion_avoidance {
            let least = (f64::from(sent) * SPREAD_ACCEPTED).ceil() as u32;
            let room = (self.room.max(0.0) * 2.0 / segment) as u32;
            return sent.min(room.max(least));
        }
        let room = larger(self.room, 0.0) * f64::from(1 + u8::from(ack_clocked));
        if f64::from(sent) * segment <= room { sent } else { (room / segment) as u32 }
    }
}
