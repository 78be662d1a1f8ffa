//! Round-trip time as a sender knows it, and the time-out that follows from it (RFC 6298 with the floor under the
//! variation that Linux uses: `tcp_rtt_estimator`, version 6).

use crate::units::{NANOS, Span};

/// Floor under four mean deviations.
const LEAST: u64 = NANOS / 5;
/// Time-out before anything was measured (RFC 6298, section 2).
const FIRST: u64 = NANOS;
/// Longest time-out.
const MOST: u64 = 120 * NANOS;

/// Smoothed round-trip time [ns].
#[derive(Clone, Copy, Debug, Default)]
pub struct Rtt {
    smoothed: u64,
    deviation: u64,
    least: u64,
}

impl Rtt {
    /// Nothing measured yet.
    #[must_use]
    pub fn unknown() -> Self {
        Self { least: u64::MAX, ..Self::default() }
    }

    /// Takes in a measurement.
    pub fn add(&mut self, sample: Span) {
        let sample = sample.0.max(1);
        self.least = self.least.min(sample);
        if self.smoothed == 0 {
            (self.smoothed, self.deviation) = (sample, sample / 2);
            return;
        }
        let off = sample.abs_diff(self.smoothed);
        self.deviation = (3 * self.deviation + off) / 4;
        self.smoothed = (7 * self.smoothed + sample) / 8;
    }

    /// Whether anything was measured.
    #[must_use]
    pub fn known(&self) -> bool {
        self.smoothed > 0
    }

    /// Smoothed.
    #[must_use]
    pub fn smoothed(&self) -> Span {
        Span(self.smoothed)
    }

    /// The smallest so far; zero when none.
    #[must_use]
    pub fn least(&self) -> Span {
        Span(if self.known() { self.least } else { 0 })
    }

    /// Time-out for the `backoff`-th retransmission in a row.
    #[must_use]
    pub fn timeout(&self, backoff: u32) -> Span {
        let base = if self.known() { self.smoothed + (4 * self.deviation).max(LEAST) } else { FIRST };
        Span((base << backoff.min(10)).min(MOST))
    }

    /// Time after which the tail is probed (RFC 8985, section 7.2): two round trips; a lone segment may be waiting
    /// for a delayed acknowledgement, and gets more.
    #[must_use]
    pub fn probe(&self, lone: bool) -> Span {
        if !self.known() {
            return Span(FIRST);
        }
        Span(2 * self.smoothed + if lone { LEAST } else { TICKS })
    }
}

/// Two ticks of a 1,000 Hz kernel.
const TICKS: u64 = 2_000_000;
