//! Transfers of a site of which no packets are simulated: short ones, and one long one that has what they leave of the link.

use crate::model::{Congestion, Ingredient, Tcp};
use crate::sim::packet::tcp::congestion::{C, hystart_delay};
use crate::sim::turn::TransactionId;
use crate::units::{Duration, Time};

/// Segments a round trip that CUBIC gains at least: 3 (1 - beta) / (1 + beta) (RFC 9438, section 4.3).
const CUBIC_FRIENDLY: f64 = 0.53;
/// Mean window of CUBIC, of the one at which a buffer is full: its curve from 0.7 to 1.
const CUBIC_MEAN: f64 = 1.0 - 0.3 / 4.0;
/// The same of `NewReno`: a line from 0.5 to 1.
const RENO_MEAN: f64 = 0.75;

/// Transfers of a site of which no packets are simulated.
#[derive(Clone, Copy, Debug)]
pub struct CalmSite {
    /// The long one.
    pub long: Option<LongTransfer>,
    /// What short ones use of the link [millionths].
    pub short: u32,
    /// When the link has carried all bits of the short ones.
    pub busy_until: Time,
    /// Names what is scheduled for the long one.
    pub epoch: u32,
}

/// A long transfer.
#[derive(Clone, Copy, Debug)]
pub struct LongTransfer {
    /// Which one.
    pub id: TransactionId,
    /// When slow start was over, about.
    pub began: Time,
    /// When it will be over, if no more short ones come.
    pub ends: Time,
}

impl CalmSite {
    /// Nothing is under way.
    pub const IDLE: Self = Self { long: None, short: 0, busy_until: Time(0), epoch: 0 };

    /// Time that a packet waits before an access link that a long transfer fills [s], with round trip, age of the transfer, and time
    /// of a segment on the link.
    ///
    /// Slow start ends with a queue of HyStart's threshold (Linux, `hystart_update`); then the window grows until the buffer is
    /// full, and is below that on average afterwards.
    #[must_use]
    pub fn standing_queue(tcp: &Tcp, trip: f64, age: f64, segment: f64) -> f64 {
        let (mean, gained) = match tcp.congestion {
            Congestion::Cubic => (CUBIC_MEAN, (C * age * age * age).max(CUBIC_FRIENDLY * age / trip)),
            Congestion::NewReno => (RENO_MEAN, age / trip),
        };
        let full = mean * (trip + tcp.access_buffer.secs()) - trip;
        let window = f64::from(tcp.most) * segment - trip;
        let most = full.min(window).max(0.0);
        if tcp.has(Ingredient::Hystart) {
            (hystart_delay(Duration::of_secs(trip)).secs() + gained * segment).min(most)
        } else {
            most
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    /// 20 ms away, 1 ms a segment, 100 ms of buffer: 4 ms as slow start ends; after 5 s CUBIC has gained 0.53 x 250 = 132 segments,
    /// but its mean is 0.925 of 120 ms, less the round trip.
    #[test]
    fn a_standing_queue_grows_from_slow_start_to_a_full_buffer() {
        let tcp = Tcp { access_buffer: Duration(100_000_000), ..Tcp::default() };
        let queue = |age| CalmSite::standing_queue(&tcp, 0.02, age, 0.001);
        assert!((queue(0.0) - 0.004).abs() < 1e-9);
        assert!((queue(1.0) - (0.004 + 0.0265)).abs() < 1e-9);
        assert!((queue(5.0) - (0.925 * 0.12 - 0.02)).abs() < 1e-9);
        let narrow = Tcp { most: 30, ..tcp };
        assert!((CalmSite::standing_queue(&narrow, 0.02, 60.0, 0.001) - 0.01).abs() < 1e-9, "the window is 30 ms long");
        let reno = Tcp { congestion: Congestion::NewReno, ..tcp };
        assert!((CalmSite::standing_queue(&reno, 0.02, 60.0, 0.001) - 0.07).abs() < 1e-9);
    }
}
