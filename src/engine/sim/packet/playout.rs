//! Playout: when the receiver of a call plays its packets, and which arrive too late for it.
//!
//! The delay after which packets are played is set anew for each talkspurt, from the delays so far: their mean, which follows a rise
//! faster than a fall, and four times their variation (Ramjee, Kurose, Towsley and Schulzrinne, INFOCOM 1994, algorithm 2), but no less
//! than receivers hold back at least.

use crate::sim::observer::Talk;
use crate::units::Duration;

/// One way of a call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Playout {
    last: Option<f64>,
    /// Estimates of delay and of its variation [s].
    mean: f64,
    variation: f64,
    /// From sending to playing, in this talkspurt [s].
    after: f64,
    /// Packets of the talkspurt.
    packets: u32,
    since: TalkSums,
}

/// Sums since they were last taken.
#[derive(Clone, Copy, Debug, Default)]
struct TalkSums {
    arrived: f64,
    lost: f64,
    late: f64,
    delay: f64,
    jitter: f64,
    after: f64,
}

/// Part of an estimate that each packet leaves, where delays fall and where they rise (in the paper: alpha, and algorithm 2's beta).
const FALLS: f64 = 0.998_002;
const RISES: f64 = 0.75;
/// What a receiver holds back at least [s]: 40 ms (Cisco IOS, `playout-delay minimum`, default).
pub const LEAST_HELD: f64 = 0.04;
/// A talkspurt of a second, as in artificial conversations (ITU-T P.59: 1.004 s), in packets of 20 ms.
const TALKSPURT: u32 = 50;

impl Playout {
    /// A packet arrives after so long.
    pub fn arrive(&mut self, delay: Duration) {
        let delay = delay.secs();
        let last = self.last.replace(delay);
        if last.is_none() {
            self.mean = delay;
        }
        let kept = if delay > self.mean { RISES } else { FALLS };
        self.mean = kept * self.mean + (1.0 - kept) * delay;
        self.variation = FALLS * self.variation + (1.0 - FALLS) * (self.mean - delay).abs();
        if self.packets == 0 {
            self.after = self.mean + (4.0 * self.variation).max(LEAST_HELD);
        }
        self.packets = (self.packets + 1) % TALKSPURT;
        // A nanosecond is the rounding of what is compared.
        let late = delay > self.after + 1e-9;
        self.since.arrived += 1.0;
        self.since.late += f64::from(u8::from(late));
        self.since.delay += delay;
        self.since.jitter += last.map_or(0.0, |last| (delay - last).abs());
        self.since.after += self.after;
    }

    /// A packet is lost.
    pub fn lose(&mut self) {
        self.since.lost += 1.0;
    }

    /// How it fared since this was last asked.
    pub fn take(&mut self) -> Talk {
        let TalkSums { arrived, lost, late, delay, jitter, after } = std::mem::take(&mut self.since);
        let packets = arrived + lost;
        let (all, came) = (packets.max(1.0), arrived.max(1.0));
        Talk {
            packets,
            lost: lost / all,
            late: late / all,
            delay: delay / came,
            jitter: jitter / came,
            played_after: after / came,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(delay: u64) -> Duration {
        Duration(delay * 1_000_000)
    }

    #[test]
    fn even_delays_are_held_back_by_the_least() {
        let mut playout = Playout::default();
        (0..100).for_each(|_| playout.arrive(millis(30)));
        let talk = playout.take();
        assert_eq!((talk.packets, talk.lost, talk.late, talk.jitter), (100.0, 0.0, 0.0, 0.0));
        assert!((talk.delay - 0.03).abs() < 1e-12 && (talk.played_after - 0.07).abs() < 1e-12, "{talk:?}");
        assert!(playout.take().packets < 0.5, "what was taken is gone");
    }

    /// Delays that jump between 20 and 100 ms: the buffer settles above both, and next to none is late.
    #[test]
    fn the_buffer_covers_what_varies() {
        let mut playout = Playout::default();
        for _ in 0..1000 {
            playout.arrive(millis(20));
            playout.arrive(millis(100));
        }
        playout.take();
        for _ in 0..100 {
            playout.arrive(millis(20));
            playout.arrive(millis(100));
            playout.lose();
        }
        let talk = playout.take();
        assert!((talk.lost - 1.0 / 3.0).abs() < 1e-12 && (talk.delay - 0.06).abs() < 1e-12, "{talk:?}");
        assert!(talk.late < 0.01 && (0.1..0.4).contains(&talk.played_after), "{talk:?}");
        assert!((talk.jitter - 0.08).abs() < 1e-9, "{talk:?}");
    }

    /// A rise by 100 ms is too late for the talkspurt in which it comes, and heard in the next one.
    #[test]
    fn a_rise_costs_a_talkspurt() {
        let mut playout = Playout::default();
        (0..1000).for_each(|_| playout.arrive(millis(20)));
        playout.take();
        (0..500).for_each(|_| playout.arrive(millis(120)));
        let late = playout.take().late * 500.0;
        assert!((1.0..=100.0).contains(&late), "{late}");
    }
}
