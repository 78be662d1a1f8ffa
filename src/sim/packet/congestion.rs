//! How the window grows and shrinks: CUBIC with HyStart, or NewReno.

use std::hint::cold_path;

use crate::scenario::model::Congestion;
use crate::units::{NANOS, Span, Time};

/// What a sender may have in flight [segments], and how that changes: a line of the cache, and HyStart's look beside it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Control {
    /// The window.
    pub window: u32,
    /// Slow start ends here.
    pub threshold: u32,
    /// Acknowledged segments that have not yet raised the window.
    credit: u32,
    kind: Congestion,
    hystart: bool,
    cubic: Cubic,
    round: Round,
}

const _: () = assert!(std::mem::offset_of!(Control, round) == 64);

/// CUBIC's memory (RFC 9438; constants and order of steps as in Linux, `tcp_cubic.c`).
#[derive(Clone, Copy, Debug, Default)]
struct Cubic {
    /// Window before the last reduction.
    last_max: f64,
    /// When the present growth began; zero when it has not.
    epoch: Time,
    origin: f64,
    /// Time from `epoch` to `origin` [s].
    rise: f64,
    /// What NewReno would have by now.
    friendly: f64,
    acked: f64,
}

/// HyStart's look at one round of slow start (Ha & Rhee 2011; Linux, `hystart_update`).
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    ends: u32,
    began: Time,
    last: Time,
    shortest: u64,
    samples: u32,
}

const BETA: f64 = 717.0 / 1024.0;
const C: f64 = 0.4;
/// HyStart looks from this window on.
const HYSTART_FROM: u32 = 16;
/// Acknowledgements closer than this make a train.
const TRAIN_GAP: u64 = 2_000_000;
const SAMPLES: u32 = 8;

/// What an acknowledgement means to the window.
#[derive(Clone, Copy, Debug)]
pub struct Growth {
    /// When it came.
    pub now: Time,
    /// Segments that it covers for the first time.
    pub acked: u32,
    /// Round trip that it measured, if it did.
    pub sample: Option<Span>,
    /// Smallest round trip so far.
    pub least: Span,
    /// The first segment that is not acknowledged, and the next to be sent.
    pub una: u32,
    /// The next segment to be sent.
    pub next: u32,
    /// Whether the window was what held the sender back.
    pub limited: bool,
}

impl Control {
    /// A connection opens with a window of `window` segments.
    #[must_use]
    pub fn new(kind: Congestion, hystart: bool, window: u32) -> Self {
        Self {
            window,
            threshold: u32::MAX,
            credit: 0,
            kind,
            hystart: hystart && kind == Congestion::Cubic,
            cubic: Cubic::default(),
            round: Round::default(),
        }
    }

    /// Whether the window doubles each round trip.
    #[must_use]
    pub fn slow_start(&self) -> bool {
        self.window < self.threshold
    }

    /// Acknowledgements came outside recovery.
    #[inline]
    pub fn grow(&mut self, growth: Growth) {
        if self.hystart && self.slow_start() {
            cold_path();
            self.look(&growth);
        }
        if !growth.limited {
            return;
        }
        let mut acked = growth.acked;
        if self.slow_start() {
            let grown = (self.window + acked).min(self.threshold);
            acked -= grown - self.window;
            self.window = grown;
        }
        if acked == 0 {
            return;
        }
        let per_segment = match self.kind {
            Congestion::NewReno => f64::from(self.window),
            Congestion::Cubic => self.cubic.acks_per_segment(self.window, acked, growth.now, growth.least),
        };
        self.avoid(per_segment, acked);
    }

    /// One segment more for `per_segment` acknowledged ones (Linux, `tcp_cong_avoid_ai`).
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive, and below 100 windows
    fn avoid(&mut self, per_segment: f64, acked: u32) {
        let needed = (per_segment as u32).max(1);
        if self.credit >= needed {
            self.credit = 0;
            self.window += 1;
        }
        self.credit += acked;
        if self.credit >= needed {
            self.window += self.credit / needed;
            self.credit %= needed;
        }
    }

    /// Slow start ends early when acknowledgements come in a train of half a round trip, or late by an eighth.
    fn look(&mut self, growth: &Growth) {
        if self.window < HYSTART_FROM {
            return;
        }
        let round = &mut self.round;
        if growth.una > round.ends {
            *round = Round { ends: growth.next, began: growth.now, last: growth.now, shortest: u64::MAX, samples: 0 };
        }
        let least = growth.least.0;
        let mut found = false;
        // An acknowledgement of a train of segments stands for one of every two of them.
        let stands_for = (growth.acked / 2).max(1);
        if growth.now.since(round.last).0 <= TRAIN_GAP * u64::from(stands_for) {
            round.last = growth.now;
            found = growth.now.since(round.began).0 > u64::midpoint(least, NANOS / 1000);
        }
        if let Some(sample) = growth.sample {
            round.shortest = round.shortest.min(sample.0);
            if round.samples < SAMPLES {
                round.samples += stands_for;
            } else {
                found |= round.shortest > least + (least / 8).clamp(4_000_000, 16_000_000);
            }
        }
        if found {
            self.threshold = self.window;
        }
    }

    /// Something was lost: the threshold for what follows; growth starts afresh.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below the window
    pub fn reduce(&mut self) {
        let window = f64::from(self.window);
        self.credit = 0;
        let kept = match self.kind {
            Congestion::NewReno => 0.5,
            Congestion::Cubic => {
                self.cubic.epoch = Time(0);
                // Fast convergence: who loses below the last maximum leaves room (RFC 9438, section 4.7).
                let short = window < self.cubic.last_max;
                self.cubic.last_max = if short { window * (1.0 + BETA) / 2.0 } else { window };
                BETA
            }
        };
        self.threshold = ((window * kept) as u32).max(2);
    }

    /// A time-out: all that was learnt is void (Linux, `cubictcp_state` on loss).
    pub fn forget(&mut self) {
        self.cubic = Cubic::default();
        self.round = Round::default();
    }
}

impl Cubic {
    /// Acknowledged segments for which the window grows by one (RFC 9438, sections 4.2 to 4.5).
    fn acks_per_segment(&mut self, window: u32, acked: u32, now: Time, least: Span) -> f64 {
        let window = f64::from(window);
        self.acked += f64::from(acked);
        if self.epoch == Time(0) {
            (self.epoch, self.acked, self.friendly) = (now, f64::from(acked), window);
            (self.rise, self.origin) = if self.last_max <= window {
                (0.0, window)
            } else {
                (((self.last_max - window) / C).cbrt(), self.last_max)
            };
        }
        let t = now.since(self.epoch).secs() + least.secs() - self.rise;
        let target = self.origin + C * t * t * t;
        let mut per_segment = if target > window { window / (target - window) } else { 100.0 * window };
        if self.last_max <= 0.0 {
            per_segment = per_segment.min(20.0);
        }
        let step = window * (1.0 + BETA) / (3.0 * (1.0 - BETA));
        if self.acked > step {
            let steps = (self.acked / step).floor();
            self.acked -= steps * step;
            self.friendly += steps;
        }
        if self.friendly > window {
            per_segment = per_segment.min(window / (self.friendly - window));
        }
        per_segment.max(2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(now: u64, acked: u32) -> Growth {
        Growth {
            now: Time(now),
            acked,
            sample: Some(Span(20_000_000)),
            least: Span(20_000_000),
            una: 1,
            next: 100,
            limited: true,
        }
    }

    #[test]
    fn slow_start_doubles_and_stops_at_the_threshold() {
        let mut control = Control::new(Congestion::Cubic, false, 10);
        control.grow(growth(1, 10));
        assert_eq!(control.window, 20);
        control.threshold = 25;
        control.grow(growth(2, 20));
        assert!((25..30).contains(&control.window), "{}", control.window);
    }

    /// RFC 9438, equation 1: after a loss at 100 segments the window is back at 99 when 0.4 (t - K)^3 = -1, with
    /// K = cbrt(30 / 0.4) s.
    #[test]
    fn cubic_is_back_at_its_maximum_after_its_time() {
        let mut control = Control::new(Congestion::Cubic, false, 100);
        control.threshold = 100;
        control.reduce();
        control.window = control.threshold;
        let mut now = NANOS;
        let expected = (30.0_f64 / 0.4).cbrt() - (1.0_f64 / 0.4).cbrt();
        let mut back = 0.0;
        while back <= 0.0 {
            // Round trips this long leave no room to what NewReno would have.
            now += 100_000_000;
            control.grow(growth(now, control.window));
            if control.window >= 99 {
                back = Span(now - NANOS).secs();
            }
        }
        assert!((back - expected).abs() < 0.15 * expected, "{back} s against {expected} s");
    }

    #[test]
    fn reno_grows_by_one_a_round() {
        let mut control = Control::new(Congestion::NewReno, false, 20);
        control.threshold = 20;
        control.grow(growth(1, 20));
        assert_eq!(control.window, 21);
        control.reduce();
        assert_eq!(control.threshold, 10);
    }
}
