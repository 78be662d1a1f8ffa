//! Transport: what a transfer costs beside its share of the bandwidth.

use crate::units::{Bytes, Duration};

/// What a transfer costs beside its share of the bandwidth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Nothing: the sharing discipline of the textbooks.
    Ideal,
    /// Round trips, windows and queues of TCP.
    Tcp(Tcp),
}

impl Transport {
    /// The parameters of TCP; none where transport is ideal.
    #[must_use]
    pub fn tcp(self) -> Option<Tcp> {
        match self {
            Self::Ideal => None,
            Self::Tcp(tcp) => Some(tcp),
        }
    }

    /// Whether the ingredient is there; where transport is ideal none is.
    #[must_use]
    pub fn has(&self, ingredient: Ingredient) -> bool {
        matches!(self, Self::Tcp(tcp) if tcp.has(ingredient))
    }
}

/// Parameters of TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// Payload of a full segment.
    pub segment: Bytes,
    /// IP and TCP headers of a segment.
    pub headers: Bytes,
    /// Segments of the first window (RFC 6928).
    pub window: u32,
    /// Segments in flight at most: what the receiver's window holds.
    pub most: u32,
    /// How the window grows and shrinks.
    pub congestion: Congestion,
    /// What each direction of an access link holds before it loses packets.
    pub access_buffer: Duration,
    /// What is left out, for study.
    pub without: Without,
}

impl Default for Tcp {
    /// Ethernet's packets less what a tunnel takes, and Linux's windows.
    fn default() -> Self {
        Self {
            segment: Bytes(1_360),
            headers: Bytes(40),
            window: 10,
            most: 3_000,
            congestion: Congestion::Cubic,
            access_buffer: Duration(100_000_000),
            without: Without::NONE,
        }
    }
}

impl Tcp {
    /// Whether the ingredient is there.
    #[must_use]
    pub fn has(&self, ingredient: Ingredient) -> bool {
        !self.without.holds(ingredient)
    }
}

/// How a TCP sender's window grows and shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Congestion {
    /// CUBIC (RFC 9438).
    Cubic,
    /// NewReno (RFC 6582).
    NewReno,
}

/// A part of the transport that can be left out by name, to see what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ingredient {
    /// Packet: slow start ends early when delays rise (HyStart).
    Hystart,
    /// Packet: losses are told by time (RACK), not by three duplicates.
    Rack,
    /// Packet: the tail of a transfer is probed before a time-out; flow: it costs a probe, not a time-out.
    TailProbe,
    /// Packet: one acknowledgement for two segments.
    DelayedAck,
    /// Flow: slow start's windows wait for acknowledgements.
    SlowStart,
    /// Flow: long transfers keep a queue standing.
    StandingQueue,
    /// Flow: bursts of short transfers queue, too.
    BurstQueue,
    /// Flow: full buffers lose segments, which costs time.
    Losses,
    /// Flow: who has the shorter round trip has the larger share.
    RoundTrips,
}

impl Ingredient {
    /// Whether leaving it out changes flow fidelity.
    #[must_use]
    pub fn is_of_flow(self) -> bool {
        !matches!(self, Self::Hystart | Self::Rack | Self::DelayedAck)
    }

    /// All of them, with their names.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::Hystart, "hystart"),
        (Self::Rack, "rack"),
        (Self::TailProbe, "tail_probe"),
        (Self::DelayedAck, "delayed_ack"),
        (Self::SlowStart, "slow_start"),
        (Self::StandingQueue, "standing_queue"),
        (Self::BurstQueue, "burst_queue"),
        (Self::Losses, "losses"),
        (Self::RoundTrips, "round_trips"),
    ];
}

/// A set of ingredients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Without(u16);

impl Without {
    /// Nothing is left out.
    pub const NONE: Self = Self(0);

    /// The set with one more.
    #[must_use]
    pub fn and(self, ingredient: Ingredient) -> Self {
        Self(self.0 | 1 << ingredient as u16)
    }

    fn holds(self, ingredient: Ingredient) -> bool {
        self.0 & 1 << ingredient as u16 != 0
    }
}

/// How closely the network is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fidelity {
    /// A transfer is a flow that shares.
    Flow,
    /// Packets of a sample: in trains, where they decide, and one connection for several transfers where many contend.
    Sampled,
    /// Packets, in trains of at most this many.
    Packet(u32),
}

impl Fidelity {
    /// Its name in scenarios and results.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flow => "flow",
            Self::Sampled => "sampled",
            Self::Packet(_) => "packet",
        }
    }
}
