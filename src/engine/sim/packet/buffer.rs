//! What a buffer holds, and what of a train still fits.

use crate::sim::packet::bursts::BurstRoom;
use crate::sim::packet::packet_pool::QueuedPacket;
use crate::sim::packet::wire::{Packet, PacketKind};
use crate::units::float;

/// Limit of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferLimit {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
}

impl BufferLimit {
    /// So large a part of it.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a part of what it is
    pub fn part(self, part: f64) -> Self {
        let of = |whole: u64| if part < 1.0 && whole < UNLIMITED { (float(whole) * part) as u64 } else { whole };
        Self { bytes: of(self.bytes), packets: of(self.packets) }
    }
}

/// So much is no limit.
const UNLIMITED: u64 = 1 << 50;

/// What a buffer holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
}

impl Occupancy {
    /// A train comes.
    #[inline]
    pub fn add(&mut self, queued: &QueuedPacket) {
        self.bytes += queued.load();
        self.packets += queued.packets();
    }

    /// A train leaves.
    #[inline]
    pub fn remove(&mut self, bytes: u64, packets: u64) {
        self.bytes -= bytes;
        self.packets -= packets;
    }

    /// Whether there is more than may be.
    #[must_use]
    pub fn exceeds(&self, limit: BufferLimit) -> bool {
        self.bytes > limit.bytes || self.packets > limit.packets
    }

    /// Packets of a train that fit beside it, from the first. A whole message always fits.
    #[inline]
    #[must_use]
    pub fn packets_that_fit(&self, queued: &QueuedPacket, limit: BufferLimit) -> u16 {
        let Packet { count, kind, .. } = queued.packet;
        let whole = Self { bytes: self.bytes + queued.load(), packets: self.packets + queued.packets() };
        if !whole.exceeds(limit) || kind == PacketKind::Message {
            return count;
        }
        let by_bytes = limit.bytes.saturating_sub(self.bytes) / u64::from(queued.size.max(1));
        let by_packets = limit.packets.saturating_sub(self.packets);
        u16::try_from(by_bytes.min(by_packets)).unwrap_or(u16::MAX).min(count - 1)
    }

    /// The same where packets of a sample stand for several transfers ([`Bursts`]): each of the train takes as many places as
    /// those of the others do, and those of its burst before it have taken `more` than they have filled.
    #[inline]
    #[must_use]
    pub fn sampled_packets_that_fit(
        &self,
        queued: &QueuedPacket,
        limit: BufferLimit,
        BurstRoom { scale, more }: BurstRoom,
    ) -> u16 {
        let Packet { count, kind, .. } = queued.packet;
        let size = f64::from(queued.size.max(1));
        let places = |limit: u64, holds: u64| float(limit.min(UNLIMITED)) - float(holds);
        let room = (places(limit.bytes, self.bytes) / size).min(places(limit.packets, self.packets)) - more;
        if kind == PacketKind::Message || f64::from(count) * scale <= room {
            return count;
        }
        // The first of those that a packet stands for decides.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        let fits = ((room + scale - 1.0) / scale) as u16;
        fits.min(count)
    }
}

/// The packets of a train beyond the first `fits`.
#[must_use]
pub fn beyond(queued: &QueuedPacket, fits: u16) -> QueuedPacket {
    let packet = Packet { count: queued.packet.count - fits, ..queued.packet };
    QueuedPacket { packet, ..*queued }
}
