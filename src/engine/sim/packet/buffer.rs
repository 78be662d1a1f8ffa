//! What a buffer holds, and what of a train still fits.

use crate::sim::packet::packet_pool::QueuedPacket;
use crate::sim::packet::wire::{Packet, PacketKind};

/// Limit of a buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferLimit {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
}

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
    pub fn add(&mut self, bytes: u64, packets: u16) {
        self.bytes += bytes;
        self.packets += u64::from(packets);
    }

    /// A train leaves.
    #[inline]
    pub fn remove(&mut self, bytes: u64, packets: u16) {
        self.bytes -= bytes;
        self.packets -= u64::from(packets);
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
        let whole = Self { bytes: self.bytes + queued.bytes(), packets: self.packets + u64::from(count) };
        if !whole.exceeds(limit) || kind == PacketKind::Message {
            return count;
        }
        let by_bytes = limit.bytes.saturating_sub(self.bytes) / u64::from(queued.size.max(1));
        let by_packets = limit.packets.saturating_sub(self.packets);
        u16::try_from(by_bytes.min(by_packets)).unwrap_or(u16::MAX).min(count - 1)
    }
}

/// The packets of a train beyond the first `fits`.
#[must_use]
pub fn beyond(queued: &QueuedPacket, fits: u16) -> QueuedPacket {
    let packet = Packet { count: queued.packet.count - fits, ..queued.packet };
    QueuedPacket { packet, ..*queued }
}
