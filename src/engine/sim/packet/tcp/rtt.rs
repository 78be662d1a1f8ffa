//! Round-trip time as a sender knows it, and the time-out that follows from it (RFC 6298 with the floor under the
//! variation that Linux uses: `tcp_rtt_estimator`, version 6).

use crate::units::{Duration, NANOS};

/// Floor under four mean deviations.
const MIN_RTO: u64 = NANOS / 5;
/// Time-out before anything was measured (RFC 6298, section 2).
const INITIAL_RTO: u64 = NANOS;
/// Longest time-out.
const MAX_RTO: u64 = 120 * NANOS;

/// Smoothed round-trip time [ns].
#[derive(Clone, Copy, Debug, Default)]
pub struct RttEstimator {
    srtt: u64,
    rttvar: u64,
    min_rtt: u64,
}

impl RttEstimator {
    /// Nothing measured yet.
    #[must_use]
    pub fn unknown() -> Self {
        Self { min_rtt: u64::MAX, ..Self::default() }
    }

    /// Takes in a measurement.
    pub fn add(&mut self, sample: Duration) {
        let sample = sample.0.max(1);
        self.min_rtt = self.min_rtt.min(sample);
        if self.srtt == 0 {
            (self.srtt, self.rttvar) = (sample, sample / 2);
            return;
        }
        let off = sample.abs_diff(self.srtt);
        self.rttvar = (3 * self.rttvar + off) / 4;
        self.srtt = (7 * self.srtt + sample) / 8;
    }

    /// Whether anything was measured.
    #[must_use]
    pub fn known(&self) -> bool {
        self.srtt > 0
    }

    /// Smoothed.
    #[must_use]
    pub fn srtt(&self) -> Duration {
        Duration(self.srtt)
    }

    /// The smallest so far; zero when none.
    #[must_use]
    pub fn min_rtt(&self) -> Duration {
        Duration(if self.known() { self.min_rtt } else { 0 })
    }

    /// Time-out for the `backoff`-th retransmission in a row.
    #[must_use]
    pub fn rto(&self, backoff: u32) -> Duration {
        let base = if self.known() { self.srtt + (4 * self.rttvar).max(MIN_RTO) } else { INITIAL_RTO };
        Duration((base << backoff.min(10)).min(MAX_RTO))
    }

    /// Time after which the tail is probed (RFC 8985, section 7.2): two round trips; a lone segment may be waiting
    /// for a delayed acknowledgement, and gets more.
    #[must_use]
    pub fn pto(&self, lone: bool) -> Duration {
        if !self.known() {
            return Duration(INITIAL_RTO);
        }
        Duration(2 * self.srtt + if lone { MIN_RTO } else { TWO_TICKS })
    }
}

/// Two ticks of a 1,000 Hz kernel.
const TWO_TICKS: u64 = 2_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = NANOS / 1_000;

    /// RFC 6298, section 2: SRTT = R and RTTVAR = R / 2; then RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|, SRTT = 7/8 SRTT + 1/8 R.
    #[test]
    fn the_estimate_follows_rfc_6298() {
        let mut rtt = RttEstimator::unknown();
        assert_eq!(rtt.rto(0), Duration(NANOS));
        rtt.add(Duration(400 * MS));
        assert_eq!((rtt.srtt(), rtt.rto(0)), (Duration(400 * MS), Duration(1_200 * MS)));
        rtt.add(Duration(800 * MS));
        // 3/4 200 + 1/4 400 = 250; 7/8 400 + 1/8 800 = 450.
        assert_eq!((rtt.srtt(), rtt.rto(0)), (Duration(450 * MS), Duration(1_450 * MS)));
        assert_eq!(rtt.min_rtt(), Duration(400 * MS));
    }

    /// Section 5.5: doubled each time, up to two minutes; Linux's floor of 200 ms stands under four deviations.
    #[test]
    fn time_outs_double_between_floor_and_ceiling() {
        let mut rtt = RttEstimator::unknown();
        (0..100).for_each(|_| rtt.add(Duration(20 * MS)));
        assert_eq!([0, 1, 2].map(|backoff| rtt.rto(backoff).0 / MS), [220, 440, 880]);
        assert_eq!(rtt.rto(20), Duration(120 * NANOS));
    }

    /// RFC 8985, section 7.2: two round trips; a lone segment may be waiting for a delayed acknowledgement.
    #[test]
    fn probes_come_after_two_round_trips() {
        let mut rtt = RttEstimator::unknown();
        rtt.add(Duration(20 * MS));
        assert_eq!([rtt.pto(false), rtt.pto(true)].map(|pto| pto.0 / MS), [42, 240]);
    }
}
