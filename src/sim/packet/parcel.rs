//! Packets under way, each in a slot: what passes from queue to queue is the number of its slot, so that a packet is
//! written once and read once however many queues it crosses.

use std::ops::{Index, IndexMut};

use crate::sim::packet::wire::{Kind, Packet};
use crate::units::Time;

/// A slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParcelId(u32);

/// A packet with what it takes on the wire. It is a line of the cache, no more.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Parcel {
    /// The packet.
    pub packet: Packet,
    /// When it came to the concentrator; on an access link, when it is at the other end.
    pub at: Time,
    /// Bytes on the wire of each packet of the train.
    pub each: u32,
    /// Of the last.
    pub tail: u32,
}

impl Parcel {
    /// Bytes on the wire of all of them.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        u64::from(self.packet.count - 1) * u64::from(self.each) + u64::from(self.tail)
    }

    /// Bytes of the smallest packet that may be the last to come; a whole transfer has none.
    #[must_use]
    pub fn last(&self) -> u64 {
        match self.packet {
            Packet { kind: Kind::Whole, .. } => 0,
            Packet { count: 1, .. } => u64::from(self.tail),
            _ => u64::from(self.tail.min(self.each)),
        }
    }

    /// Keeps the first `count` packets of the train.
    pub fn cut(&mut self, count: u16) {
        if count < self.packet.count {
            (self.packet.count, self.tail) = (count, self.each);
        }
    }
}

const _: () = assert!(size_of::<Parcel>() == 64);

/// All slots.
#[derive(Clone, Debug, Default)]
pub struct Parcels {
    slots: Vec<Parcel>,
    free: Vec<ParcelId>,
}

impl Parcels {
    /// Puts a packet in.
    ///
    /// # Panics
    /// With 2^32 packets under way.
    pub fn add(&mut self, parcel: Parcel) -> ParcelId {
        if let Some(id) = self.free.pop() {
            self[id] = parcel;
            return id;
        }
        self.slots.push(parcel);
        ParcelId(u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 packets are under way"))
    }

    /// Takes a packet out.
    pub fn take(&mut self, id: ParcelId) -> Packet {
        self.free.push(id);
        self[id].packet
    }

    /// A packet is lost.
    pub fn drop(&mut self, id: ParcelId) {
        self.free.push(id);
    }
}

impl Index<ParcelId> for Parcels {
    type Output = Parcel;

    fn index(&self, id: ParcelId) -> &Parcel {
        &self.slots[id.0 as usize]
    }
}

impl IndexMut<ParcelId> for Parcels {
    fn index_mut(&mut self, id: ParcelId) -> &mut Parcel {
        &mut self.slots[id.0 as usize]
    }
}
