//! Congestion control: CUBIC with HyStart, or NewReno.

use crate::elementary::cbrt;
use crate::model::Congestion;
use crate::units::{Duration, NANOS, Time};

/// Congestion window and its algorithm; names as in RFC 5681 and Linux [segments].
#[derive(Clone, Copy, Debug)]
pub struct CongestionControl {
    /// Congestion window.
    pub cwnd: u32,
    /// Slow start threshold.
    pub ssthresh: u32,
    /// Acknowledged segments that have not yet raised the window (Linux, `snd_cwnd_cnt`).
    cwnd_cnt: u32,
    algorithm: Congestion,
    hystart: bool,
    cubic: Cubic,
    hystart_round: HystartRound,
}
/// State of CUBIC (RFC 9438; constants and order of steps as in Linux, `tcp_cubic.c`).
#[derive(Clone, Copy, Debug, Default)]
struct Cubic {
    /// Window before the last reduction.
    w_last_max: f64,
    /// Start of the present epoch; zero when none has begun.
    epoch_start: Time,
    w_max_origin: f64,
    /// Time from `epoch_start` to `w_max_origin` [s].
    k: f64,
    /// What NewReno would have by now (RFC 9438, section 4.3).
    w_est: f64,
    ack_cnt: f64,
}

/// One round trip of slow start as HyStart sees it (Ha & Rhee 2011; Linux, `hystart_update`).
#[derive(Clone, Copy, Debug, Default)]
struct HystartRound {
    end_seq: u32,
    start: Time,
    last_ack: Time,
    curr_rtt: u64,
    sample_cnt: u32,
}

const BETA_CUBIC: f64 = 717.0 / 1024.0;
/// CUBIC's constant (RFC 9438, section 5).
pub const C: f64 = 0.4;
/// HyStart acts from this window on.
const HYSTART_FROM: u32 = 16;
/// Acknowledgements closer than this make a train [ns].
const TRAIN_GAP: u64 = 2_000_000;
const SAMPLES: u32 = 8;

/// An acknowledgement, as congestion control needs to know it.
#[derive(Clone, Copy, Debug)]
pub struct AckEvent {
    /// When it arrived.
    pub now: Time,
    /// Segments that it newly acknowledges.
    pub acked: u32,
    /// Round trip that it measured.
    pub rtt: Option<Duration>,
    /// Smallest round trip so far.
    pub min_rtt: Duration,
    /// First segment that is not acknowledged.
    pub snd_una: u32,
    /// Next segment to be sent.
    pub snd_nxt: u32,
    /// Whether the window limited the sender.
    pub cwnd_limited: bool,
}

impl CongestionControl {
    /// A connection opens with a window of so many segments.
    #[must_use]
    pub fn new(kind: Congestion, hystart: bool, window: u32) -> Self {
        Self {
            cwnd: window,
            ssthresh: u32::MAX,
            cwnd_cnt: 0,
            algorithm: kind,
            hystart: hystart && kind == Congestion::Cubic,
            cubic: Cubic::default(),
            hystart_round: HystartRound::default(),
        }
    }

    /// Whether it is in slow start.
    #[must_use]
    pub fn in_slow_start(&self) -> bool {
        self.cwnd < self.ssthresh
    }

    /// An acknowledgement arrives outside recovery.
    #[inline]
    pub fn on_ack(&mut self, growth: AckEvent) {
        if self.hystart && self.in_slow_start() {
            self.hystart_update(&growth);
        }
        if !growth.cwnd_limited {
            return;
        }
        let mut acked = growth.acked;
        if self.in_slow_start() {
            let grown = (self.cwnd + acked).min(self.ssthresh);
            acked -= grown - self.cwnd;
            self.cwnd = grown;
        }
        if acked == 0 {
            return;
        }
        let per_segment = match self.algorithm {
            Congestion::NewReno => f64::from(self.cwnd),
            Congestion::Cubic => self.cubic.acks_per_segment(self.cwnd, acked, growth.now, growth.min_rtt),
        };
        self.cong_avoid_ai(per_segment, acked);
    }

    /// Grows by a segment for each `per_segment` acknowledged ones (Linux, `tcp_cong_avoid_ai`).
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // positive, and below 100 windows
    fn cong_avoid_ai(&mut self, per_segment: f64, acked: u32) {
        let needed = (per_segment as u32).max(1);
        if self.cwnd_cnt >= needed {
            self.cwnd_cnt = 0;
            self.cwnd += 1;
        }
        self.cwnd_cnt += acked;
        if self.cwnd_cnt >= needed {
            self.cwnd += self.cwnd_cnt / needed;
            self.cwnd_cnt %= needed;
        }
    }

    /// Ends slow start when a train of acknowledgements lasts half a round trip, or when round trips are an eighth longer.
    fn hystart_update(&mut self, growth: &AckEvent) {
        if self.cwnd < HYSTART_FROM {
            return;
        }
        let round = &mut self.hystart_round;
        if growth.snd_una > round.end_seq {
            *round = HystartRound {
                end_seq: growth.snd_nxt,
                start: growth.now,
                last_ack: growth.now,
                curr_rtt: u64::MAX,
                sample_cnt: 0,
            };
        }
        let least = growth.min_rtt.0;
        let mut found = false;
        // An acknowledgement of a train stands for one of every two segments.
        let stands_for = (growth.acked / 2).max(1);
        if growth.now.since(round.last_ack).0 <= TRAIN_GAP * u64::from(stands_for) {
            round.last_ack = growth.now;
            found = growth.now.since(round.start).0 > u64::midpoint(least, NANOS / 1000);
        }
        if let Some(sample) = growth.rtt {
            round.curr_rtt = round.curr_rtt.min(sample.0);
            if round.sample_cnt < SAMPLES {
                round.sample_cnt += stands_for;
            } else {
                found |= round.curr_rtt > least + hystart_delay(Duration(least)).0;
            }
        }
        if found {
            self.ssthresh = self.cwnd;
        }
    }

    /// A congestion event: sets the threshold, and ends the epoch.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below the window
    pub fn on_congestion_event(&mut self) {
        let window = f64::from(self.cwnd);
        self.cwnd_cnt = 0;
        let kept = match self.algorithm {
            Congestion::NewReno => 0.5,
            Congestion::Cubic => {
                self.cubic.epoch_start = Time(0);
                // Fast convergence (RFC 9438, section 4.7).
                let short = window < self.cubic.w_last_max;
                self.cubic.w_last_max = if short { window * (1.0 + BETA_CUBIC) / 2.0 } else { window };
                BETA_CUBIC
            }
        };
        self.ssthresh = ((window * kept) as u32).max(2);
    }

    /// After a time-out the state starts afresh (Linux, `cubictcp_state`).
    pub fn reset(&mut self) {
        self.cubic = Cubic::default();
        self.hystart_round = HystartRound::default();
    }
}

/// Delay at which HyStart ends slow start: an eighth of the round trip, within limits (Linux, `HYSTART_DELAY_THRESH`).
#[must_use]
pub fn hystart_delay(least: Duration) -> Duration {
    Duration((least.0 / 8).clamp(4_000_000, 16_000_000))
}

impl Cubic {
    /// Acknowledged segments for each segment of growth (RFC 9438, sections 4.2 to 4.5).
    fn acks_per_segment(&mut self, window: u32, acked: u32, now: Time, least: Duration) -> f64 {
        let window = f64::from(window);
        self.ack_cnt += f64::from(acked);
        if self.epoch_start == Time(0) {
            (self.epoch_start, self.ack_cnt, self.w_est) = (now, f64::from(acked), window);
            (self.k, self.w_max_origin) = if self.w_last_max <= window {
                (0.0, window)
            } else {
                (cbrt((self.w_last_max - window) / C), self.w_last_max)
            };
        }
        let t = now.since(self.epoch_start).secs() + least.secs() - self.k;
        let target = self.w_max_origin + C * t * t * t;
        let mut per_segment = if target > window { window / (target - window) } else { 100.0 * window };
        if self.w_last_max <= 0.0 {
            per_segment = per_segment.min(20.0);
        }
        let step = window * (1.0 + BETA_CUBIC) / (3.0 * (1.0 - BETA_CUBIC));
        if self.ack_cnt > step {
            let steps = (self.ack_cnt / step).floor();
            self.ack_cnt -= steps * step;
            self.w_est += steps;
        }
        if self.w_est > window {
            per_segment = per_segment.min(window / (self.w_est - window));
        }
        per_segment.max(2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn growth(now: u64, acked: u32) -> AckEvent {
        AckEvent {
            now: Time(now),
            acked,
            rtt: Some(Duration(20_000_000)),
            min_rtt: Duration(20_000_000),
            snd_una: 1,
            snd_nxt: 100,
            cwnd_limited: true,
        }
    }

    impl CongestionControl {
        fn round_starts(&mut self, now: u64) {
            self.hystart_round =
                HystartRound { end_seq: 100, start: Time(now), last_ack: Time(now), curr_rtt: u64::MAX, sample_cnt: 0 };
        }
    }

    #[test]
    fn slow_start_doubles_and_stops_at_the_threshold() {
        let mut control = CongestionControl::new(Congestion::Cubic, false, 10);
        control.on_ack(growth(1, 10));
        assert_eq!(control.cwnd, 20);
        control.ssthresh = 25;
        control.on_ack(growth(2, 20));
        assert!((25..30).contains(&control.cwnd), "{}", control.cwnd);
    }

    /// RFC 9438, equation 1: `W(t) = C (t - K)^3 + W_max` with `K = cbrt(W_max (1 - beta) / C)`, here cbrt(30 / 0.4) = 4.2 s after a
    /// loss at 100 segments. Round trips of 100 ms leave no room to what `NewReno` would have.
    #[test]
    fn cubic_follows_its_curve_before_and_after_its_maximum() {
        let mut control = CongestionControl::new(Congestion::Cubic, false, 100);
        control.ssthresh = 100;
        control.on_congestion_event();
        assert_eq!(control.ssthresh, 70);
        control.cwnd = control.ssthresh;
        let k = cbrt(30.0_f64 / 0.4);
        for round in 1..=70_u32 {
            control.on_ack(growth(NANOS + u64::from(round) * 100_000_000, control.cwnd));
            // Growth begins with the first acknowledgement.
            let t = f64::from(round - 1) * 0.1 - k;
            let curve = 100.0 + 0.4 * t * t * t;
            assert!(
                (f64::from(control.cwnd) - curve).abs() <= 2.0,
                "round {round}: {} against {curve:.1}",
                control.cwnd
            );
        }
    }

    /// RFC 9438, section 4.7: who loses below the last maximum takes `W_max` to be (1 + beta) / 2 of the window.
    #[test]
    fn fast_convergence_lowers_the_maximum() {
        let mut control = CongestionControl::new(Congestion::Cubic, false, 100);
        control.on_congestion_event();
        assert!((control.cubic.w_last_max - 100.0).abs() < 1e-9);
        control.cwnd = 80;
        control.on_congestion_event();
        assert!((control.cubic.w_last_max - 80.0 * (1.0 + BETA_CUBIC) / 2.0).abs() < 1e-9);
        control.cwnd = 120;
        control.on_congestion_event();
        assert!((control.cubic.w_last_max - 120.0).abs() < 1e-9);
    }

    /// RFC 9438, section 4.3: where round trips are short, CUBIC is no slower than `NewReno` with its beta: 3 (1 - beta) / (1 +
    /// beta) segments a round trip. At 1 ms its own curve hardly moves.
    #[test]
    fn cubic_is_friendly_where_round_trips_are_short() {
        let mut control = CongestionControl::new(Congestion::Cubic, false, 100);
        control.ssthresh = 100;
        control.on_congestion_event();
        control.cwnd = control.ssthresh;
        let rounds = 40_u32;
        for round in 1..=rounds {
            let event = growth(NANOS + u64::from(round) * 1_000_000, control.cwnd);
            control.on_ack(AckEvent { min_rtt: Duration(1_000_000), ..event });
        }
        let friendly = 70.0 + f64::from(rounds) * 3.0 * (1.0 - BETA_CUBIC) / (1.0 + BETA_CUBIC);
        assert!((f64::from(control.cwnd) - friendly).abs() <= 3.0, "{} against {friendly}", control.cwnd);
    }

    /// HyStart (Ha & Rhee 2011): slow start ends at its window when round trips are an eighth longer, not before eight samples.
    #[test]
    fn hystart_ends_slow_start_when_delays_rise() {
        let mut control = CongestionControl::new(Congestion::Cubic, true, 16);
        let late = |now: u64| AckEvent { rtt: Some(Duration(30_000_000)), snd_una: 0, ..growth(now, 1) };
        control.round_starts(NANOS);
        for sample in 0..8 {
            control.on_ack(late(NANOS + 5_000_000 * (sample + 1)));
            assert_eq!(control.ssthresh, u32::MAX, "sample {sample}");
        }
        control.on_ack(late(NANOS + 60_000_000));
        assert_eq!(control.ssthresh, 24, "the window before this acknowledgement");
    }

    #[test]
    fn reno_grows_by_one_a_round() {
        let mut control = CongestionControl::new(Congestion::NewReno, false, 20);
        control.ssthresh = 20;
        control.on_ack(growth(1, 20));
        assert_eq!(control.cwnd, 21);
        control.on_congestion_event();
        assert_eq!(control.ssthresh, 10);
    }
}
