//! How a transfer gets through the network, and what is known of it.

use crate::sim::route::Route;
use crate::sim::transaction::latency::LatencyParts;
use crate::units::Time;

/// Names a connection: the slot that it is in.
pub type ConnectionId = u32;

/// A transfer, as transactions know it.
#[derive(Clone, Copy, Debug)]
pub struct PacketTransfer {
    /// Deliveries of another attempt are void.
    pub epoch: u32,
    /// Its site, class and concentrator.
    pub route: Route,
    /// How it gets through.
    pub way: Way,
    /// Work of all that it sends [bit].
    pub work: f64,
    /// Segments of its responses.
    pub segments: u32,
    /// When it started.
    pub started: Time,
    /// What it would take through an idle network [s].
    pub unloaded: f64,
    /// What it would bring to its concentrator meanwhile [bit/s].
    pub rate: u64,
    /// What its access link could bring [bit/s].
    pub peak: u64,
    /// What it brings while it is worked out [bit/s].
    pub constant: u64,
    /// Time that it takes, if that is known [s].
    pub takes: f64,
    /// Part of its link that it uses, if it is short and worked out [millionths].
    pub part: u32,
    /// Where its time went before it started.
    pub latency: LatencyParts,
}

/// How a transfer gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It is over, or not begun.
    Over,
    /// In packets of this connection.
    Packets(ConnectionId),
    /// Alone: when it is over is known.
    WorkedOut,
    /// As another did that is over: when it is over is known.
    Followed,
}

impl PacketTransfer {
    /// Share of its time that is left, where that is known.
    #[must_use]
    pub fn share_left(&self, now: Time) -> f64 {
        (1.0 - now.since(self.started).secs() / self.takes).max(0.0)
    }

    /// Nothing is under way.
    #[must_use]
    pub fn none(route: Route, latency: LatencyParts) -> Self {
        Self {
            epoch: 0,
            route,
            way: Way::Over,
            work: 0.0,
            segments: 0,
            started: Time(0),
            unloaded: 0.0,
            rate: 0,
            peak: 0,
            constant: 0,
            takes: 0.0,
            part: 0,
            latency,
        }
    }
}
