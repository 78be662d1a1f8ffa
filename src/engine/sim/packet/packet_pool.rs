//! Pool of packets in flight. Queues pass on the number of a slot, so a packet is written once however many queues it
//! crosses.

use std::ops::{Index, IndexMut};

use crate::sim::packet::wire::{Packet, PacketKind};
use crate::units::Time;

/// A slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PacketId(u32);

/// A packet with its sizes on the wire.
#[derive(Clone, Copy, Debug)]
pub struct QueuedPacket {
    /// The packet.
    pub packet: Packet,
    /// Arrival at the concentrator; on an access link, arrival of the first packet at the other end.
    pub at: Time,
    /// Bytes on the wire of each packet of the train.
    pub size: u32,
    /// Bytes on the wire of the last packet.
    pub last_size: u32,
}

impl QueuedPacket {
    /// Bytes on the wire of all packets.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        u64::from(self.packet.count - 1) * u64::from(self.size) + u64::from(self.last_size)
    }

    /// Bytes that it takes of a concentrator's buffer: those of all transfers that it stands for.
    #[must_use]
    pub fn load(&self) -> u64 {
        self.bytes() * u64::from(self.packet.flow.weight)
    }

    /// Packets that it takes of a concentrator's buffer.
    #[must_use]
    pub fn packets(&self) -> u64 {
        u64::from(self.packet.count) * u64::from(self.packet.flow.weight)
    }

    /// Bytes of the packet that arrives last; none for a whole message.
    #[must_use]
    pub fn last(&self) -> u64 {
        match self.packet {
            Packet { kind: PacketKind::Message, .. } => 0,
            Packet { count: 1, .. } => u64::from(self.last_size),
            _ => u64::from(self.last_size.min(self.size)),
        }
    }

    /// Keeps the first `count` packets of the train.
    pub fn truncate(&mut self, count: u16) {
        if count < self.packet.count {
            (self.packet.count, self.last_size) = (count, self.size);
        }
    }
}

/// All slots.
#[derive(Clone, Debug, Default)]
pub struct PacketPool {
    slots: Vec<QueuedPacket>,
    free: Vec<PacketId>,
}

impl PacketPool {
    /// Puts a packet in.
    ///
    /// # Panics
    /// With 2^32 packets under way.
    pub fn add(&mut self, queued: QueuedPacket) -> PacketId {
        if let Some(id) = self.free.pop() {
            self[id] = queued;
            return id;
        }
        self.slots.push(queued);
        PacketId(u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 packets are under way"))
    }

    /// Takes a packet out.
    pub fn take(&mut self, id: PacketId) -> Packet {
        self.free.push(id);
        self[id].packet
    }

    /// A packet is lost.
    pub fn drop(&mut self, id: PacketId) {
        self.free.push(id);
    }
}

impl Index<PacketId> for PacketPool {
    type Output = QueuedPacket;

    fn index(&self, id: PacketId) -> &QueuedPacket {
        &self.slots[id.0 as usize]
    }
}

impl IndexMut<PacketId> for PacketPool {
    fn index_mut(&mut self, id: PacketId) -> &mut QueuedPacket {
        &mut self.slots[id.0 as usize]
    }
}
