//! A line that is served first in first out: when a packet leaves is known when it joins, so that its service is no event.

use std::collections::VecDeque;

use crate::sim::packet::buffer::{BufferLimit, Occupancy};
use crate::sim::packet::bursts::BurstRoom;
use crate::sim::packet::packet_pool::{PacketId, QueuedPacket};
use crate::units::{Duration, Time};

/// Packets that wait or are served, in the order of their arrival.
#[derive(Clone, Debug)]
pub struct ServiceLine {
    entries: VecDeque<LineEntry>,
    /// How many of them, from the front, the device has taken from its buffer.
    taken: usize,
    buffered: Occupancy,
    /// When the last of them has been served.
    free_at: Time,
    has_tx_ring: bool,
    /// Packets towards the headend, with the times at which they leave.
    up: VecDeque<(Time, PacketId)>,
}

/// A packet in the line.
#[derive(Clone, Copy, Debug)]
struct LineEntry {
    /// When the device takes it from its buffer.
    taken: Time,
    began: Time,
    ends: Time,
    bytes: u64,
    packets: u64,
    class: u8,
    work: f64,
}

/// When a packet is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its beginning.
    pub began: Time,
    /// Its end.
    pub ends: Time,
}

impl ServiceLine {
    /// An empty line before a device that takes the next packet from its buffer ahead of time, or does not.
    #[must_use]
    pub fn new(has_tx_ring: bool) -> Self {
        Self {
            entries: VecDeque::new(),
            taken: 0,
            buffered: Occupancy::default(),
            free_at: Time(0),
            has_tx_ring,
            up: VecDeque::new(),
        }
    }

    /// When the device is free.
    #[must_use]
    pub fn free_at(&self) -> Time {
        self.free_at
    }

    /// Time passes: what has been served by `now` is added to the work of its class.
    #[inline]
    pub fn advance(&mut self, now: Time, served: &mut [f64]) {
        while let Some(entry) = self.entries.get(self.taken)
            && entry.taken <= now
        {
            self.buffered.remove(entry.bytes, entry.packets);
            self.taken += 1;
        }
        while let Some(entry) = self.entries.front()
            && entry.ends <= now
        {
            served[usize::from(entry.class)] += entry.work;
            self.entries.pop_front();
            self.taken -= 1;
        }
    }

    /// Packets of a train that the buffer takes now.
    #[inline]
    #[must_use]
    pub fn packets_that_fit(&self, queued: &QueuedPacket, limit: BufferLimit, sampled: Option<BurstRoom>) -> u16 {
        // One that the device takes at once needs no room.
        let waits = self.entries.len() > usize::from(self.has_tx_ring);
        match sampled {
            _ if !waits => queued.packet.count,
            None => self.buffered.packets_that_fit(queued, limit),
            Some(room) => self.buffered.sampled_packets_that_fit(queued, limit, room),
        }
    }

    /// A packet joins, and takes so long to serve.
    #[inline]
    pub fn join(&mut self, now: Time, queued: &QueuedPacket, work: f64, lasts: Duration) -> Service {
        let began = self.free_at.max(now);
        let ends = began + lasts;
        let taken = match self.entries.back() {
            Some(last) if self.has_tx_ring => last.began.max(now),
            _ => began,
        };
        let (bytes, packets) = (queued.load(), queued.packets());
        self.buffered.add(queued);
        self.entries.push_back(LineEntry {
            taken,
            began,
            ends,
            bytes,
            packets,
            class: queued.packet.flow.class.0,
            work,
        });
        self.free_at = ends;
        Service { began, ends }
    }

    /// Adds the work that waits or is in service, by class [bit].
    pub fn backlog(&self, inside: &mut [f64]) {
        for entry in &self.entries {
            inside[usize::from(entry.class)] += entry.work;
        }
    }

    /// A packet towards the headend will leave; says whether it is the first of those.
    #[inline]
    pub fn push_up(&mut self, at: Time, id: PacketId) -> bool {
        self.up.push_back((at, id));
        self.up.len() == 1
    }

    /// The packet towards the headend that leaves first, and when the next one leaves.
    #[inline]
    pub fn pop_up(&mut self) -> Option<(PacketId, Option<Time>)> {
        let (_, id) = self.up.pop_front()?;
        Some((id, self.up.front().map(|next| next.0)))
    }

    /// Takes out all packets towards the headend, with the times at which they leave.
    pub fn drain_up(&mut self) -> impl Iterator<Item = (Time, PacketId)> {
        self.up.drain(..)
    }
}
