//! Packets: data, acknowledgements, control, voice.

use crate::model::{ClassId, ConcentratorId, SiteId, Tcp};
use crate::units::{Duration, Time};

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketKind {
    /// Opens a connection, from the site.
    Syn,
    /// Accepts it, from the server.
    SynAck,
    /// Segments of a request or of a response.
    Data,
    /// Acknowledges data.
    Ack,
    /// Closes a connection.
    Fin,
    /// Acknowledges a FIN.
    FinAck,
    /// A packet of a call.
    Voice,
    /// A packet of a flood.
    Background,
    /// A whole transfer in one packet, where transport is ideal.
    Message,
}

/// Direction of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the headend.
    Up,
    /// Towards the site.
    Down,
}

/// Identity of a flow: who sends, and through which queue.
#[derive(Clone, Copy, Debug)]
pub struct FlowKey {
    /// Connection, slot of a call, or number of a flood; of a whole message, its transaction.
    pub owner: u32,
    /// Packets of an earlier epoch are void.
    pub epoch: u32,
    /// From or to which site.
    pub site: SiteId,
    /// Of which class.
    pub class: ClassId,
    /// Through which concentrator.
    pub concentrator: ConcentratorId,
    /// Transfers that it stands for: at the concentrator its packets count as many times.
    pub weight: u16,
}

/// A packet, or several of one sender that move as a train.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// Its flow.
    pub flow: FlowKey,
    /// What it is for.
    pub kind: PacketKind,
    /// Which way it goes.
    pub direction: Direction,
    /// Packets in the train.
    pub count: u16,
    /// Time from the first packet of the train to the last, where it is now.
    pub tail: Duration,
    /// Transmission time; of an `Ack`, that of the segment that caused it (RFC 7323, `TSecr`).
    pub sent: Time,
    /// Sequence number, and what an `Ack` acknowledges.
    pub ack: AckInfo,
}

impl Packet {
    /// A packet without segments.
    #[must_use]
    pub fn control(flow: FlowKey, kind: PacketKind, direction: Direction, sent: Time) -> Self {
        Self { flow, kind, direction, count: 1, tail: Duration(0), sent, ack: AckInfo::default() }
    }
}

/// Sequence numbers, in segments. SACK blocks are relative to `seq`, as no window has more than 2^16 segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AckInfo {
    /// `Data`: the first segment; `Ack`: cumulative acknowledgement.
    pub seq: u32,
    /// `Ack`: SACK blocks, the latest first (RFC 2018; three of them), relative to `seq`.
    sack: [(u16, u16); 3],
    /// `Ack`: segments received above `seq`.
    pub sacked: u16,
    /// `Ack`: the segment was a duplicate (D-SACK, RFC 2883).
    pub dsack: bool,
}

impl AckInfo {
    /// A sequence number, or a cumulative acknowledgement, alone.
    #[must_use]
    pub fn of(first: u32) -> Self {
        Self { seq: first, ..Self::default() }
    }

    /// Adds the number of segments above it, and whether the segment was a duplicate.
    #[must_use]
    pub fn with_sacked(self, held: u32, again: bool) -> Self {
        Self { sacked: saturating_u16(held), dsack: again, ..self }
    }

    /// The SACK blocks, from and until; unused ones are empty.
    pub fn blocks(&self) -> impl Iterator<Item = (u32, u32)> {
        self.sack.into_iter().map(|(from, until)| (self.seq + u32::from(from), self.seq + u32::from(until)))
    }

    /// Adds SACK blocks, up to three.
    #[must_use]
    pub fn with_blocks(mut self, blocks: impl Iterator<Item = (u32, u32)>) -> Self {
        for (beyond, (from, until)) in self.sack.iter_mut().zip(blocks) {
            *beyond = (saturating_u16(from - self.seq), saturating_u16(until - self.seq));
        }
        self
    }
}

/// A number of segments in 16 bits, at most all ones.
#[must_use]
pub fn saturating_u16(segments: u32) -> u16 {
    u16::try_from(segments).unwrap_or(u16::MAX)
}

/// Sizes of the packets of a train inside the tunnel [bytes].
#[derive(Clone, Copy, Debug)]
pub struct TrainSizes {
    /// Of each but the last.
    pub each: u32,
    /// Of the last.
    pub last: u32,
}

impl TrainSizes {
    /// A single packet's.
    #[must_use]
    pub fn of(bytes: u32) -> Self {
        Self { each: bytes, last: bytes }
    }
}

/// Bytes of a SYN or SYN-ACK: IP and TCP headers with options.
pub const SYN_SIZE: u32 = 60;

/// Bytes of a packet without payload.
#[must_use]
#[allow(clippy::cast_possible_truncation)] // `check` bounds it
pub fn header_size(tcp: &Tcp) -> u32 {
    tcp.headers.0 as u32
}

/// Bytes of a packet with a full segment.
#[must_use]
#[allow(clippy::cast_possible_truncation)] // `check` bounds both
pub fn full_size(tcp: &Tcp) -> u32 {
    (tcp.segment.0 + tcp.headers.0) as u32
}
