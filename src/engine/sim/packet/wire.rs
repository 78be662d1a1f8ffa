//! What travels: trains of segments, acknowledgements, calls.

use crate::model::{ClassId, ConcentratorId, SiteId, Tcp};
use crate::sim::turn::TransactionId;
use crate::units::Time;

/// What a packet is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PacketKind {
    /// Opens a connection, towards the headend.
    Syn,
    /// Accepts it, towards the site.
    SynAck,
    /// Segments of a request or of a response.
    Data,
    /// Says what has arrived.
    Ack,
    /// Closes; answered by another.
    Fin,
    /// The answer to it: nobody waits for that.
    FinAck,
    /// A packet of a call.
    Voice,
    /// A packet of a flood: nobody waits for it.
    Background,
    /// A whole transfer, where transport is ideal.
    Message,
}

/// Which way a packet goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Towards the headend.
    Up,
    /// Towards the site.
    Down,
}

/// Who sent a packet, and through which queue it goes.
#[derive(Clone, Copy, Debug)]
pub struct FlowKey {
    /// The flow or the call.
    pub owner: TransactionId,
    /// The owner's life: a packet of an earlier one is void.
    pub epoch: u32,
    /// From or to which site.
    pub site: SiteId,
    /// Of which class.
    pub class: ClassId,
    /// Through which concentrator.
    pub concentrator: ConcentratorId,
}

/// A packet, or several of one sender that move as a train.
#[derive(Clone, Copy, Debug)]
pub struct Packet {
    /// Whose it is.
    pub flow: FlowKey,
    /// What it is for.
    pub kind: PacketKind,
    /// Which way it goes.
    pub direction: Direction,
    /// Packets in the train.
    pub count: u16,
    /// When it was sent; of an `Ack`, when what made it necessary was sent.
    pub sent: Time,
    /// `Data`: the first segment. `Ack`: what it says.
    pub ack: AckInfo,
}

impl Packet {
    /// A packet without segments.
    #[must_use]
    pub fn control(flow: FlowKey, kind: PacketKind, direction: Direction, sent: Time) -> Self {
        Self { flow, kind, direction, count: 1, sent, ack: AckInfo::default() }
    }
}

/// Sequence numbers of a packet, in segments. A packet with its sizes fits a line of the cache: what lies beyond `first` is
/// counted from there, for no window has more than 2^16 segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AckInfo {
    /// `Data`: the first segment; `Ack`: every segment below has arrived.
    pub seq: u32,
    /// `Ack`: what has arrived beyond, the latest first (RFC 2018, three blocks); from and until, less `first`.
    sack: [(u16, u16); 3],
    /// `Ack`: segments held beyond `first`, all together.
    pub sacked: u16,
    /// `Ack`: what came had come before (RFC 2883).
    pub dsack: bool,
}

impl AckInfo {
    /// Only where it begins, or up to where all has arrived.
    #[must_use]
    pub fn of(first: u32) -> Self {
        Self { seq: first, ..Self::default() }
    }

    /// What a receiver holds beyond, and whether it had come before.
    #[must_use]
    pub fn with_sacked(self, held: u32, again: bool) -> Self {
        Self { sacked: saturating_u16(held), dsack: again, ..self }
    }

    /// The blocks, from and until; those that are not used are empty.
    pub fn blocks(&self) -> impl Iterator<Item = (u32, u32)> {
        self.sack.into_iter().map(|(from, until)| (self.seq + u32::from(from), self.seq + u32::from(until)))
    }

    /// The same with these blocks, the first three of them.
    #[must_use]
    pub fn with_blocks(mut self, blocks: impl Iterator<Item = (u32, u32)>) -> Self {
        for (beyond, (from, until)) in self.sack.iter_mut().zip(blocks) {
            *beyond = (saturating_u16(from - self.seq), saturating_u16(until - self.seq));
        }
        self
    }
}

/// A number of segments within a window.
#[must_use]
pub fn saturating_u16(segments: u32) -> u16 {
    u16::try_from(segments).unwrap_or(u16::MAX)
}

/// Bytes inside the tunnel of each packet of a train, and of the last one.
#[derive(Clone, Copy, Debug)]
pub struct TrainSizes {
    /// Of each.
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

/// A packet that calls for a connection, or accepts it: IP, TCP and its first options [B].
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
