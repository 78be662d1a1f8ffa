//! A site's access link: a rate each way, a buffer, and packets on their way.

use crate::model::Site;
use crate::sim::packet::packet_pool::{PacketId, PacketPool};
use crate::units::{BitRate, Duration, Time};
use std::collections::VecDeque;

/// Both directions of an access link.
#[derive(Clone, Debug)]
pub struct AccessLink {
    /// Towards the headend.
    pub up: LinkDirection,
    /// Towards the site.
    pub down: LinkDirection,
}

impl AccessLink {
    /// An idle link with `buffer` of its rate before each direction; its tunnel carries no more than `ceiling`.
    #[must_use]
    pub fn new(site: &Site, ceiling: BitRate, buffer: Duration) -> Self {
        let half = Duration(site.rtt.0 / 2);
        let direction = |rate: BitRate| LinkDirection::new(rate.min(ceiling).bits(), buffer, half);
        Self { up: direction(site.up), down: direction(site.down) }
    }
}

/// One direction. Service is first in first out, so the end of each packet's is known when it arrives.
#[derive(Clone, Debug)]
pub struct LinkDirection {
    /// Time for a byte [s].
    byte_time: f64,
    buffer: Duration,
    propagation: Duration,
    busy_until: Time,
    /// Each with the time at which it is at the other end in its slot.
    in_flight: VecDeque<PacketId>,
}

/// How a train comes to a link.
#[derive(Clone, Copy, Debug)]
pub struct Train {
    /// When its first packet is there.
    pub from: Time,
    /// When its last one is.
    pub until: Time,
    /// Its bytes, and those of its last packet.
    pub bytes: u64,
    /// Of its last packet.
    pub last: u64,
}

impl LinkDirection {
    fn new(rate: f64, buffer: Duration, delay: Duration) -> Self {
        Self { byte_time: 8.0 / rate, buffer, propagation: delay, busy_until: Time(0), in_flight: VecDeque::new() }
    }

    /// Sends a train on: when it is at the other end, if nothing else is before it.
    ///
    /// # Errors
    /// If it is lost.
    #[allow(clippy::result_unit_err)] // nothing more is to be said of it
    #[inline]
    pub fn send(&mut self, train: Train, pool: &mut PacketPool, id: PacketId) -> Result<Option<Time>, ()> {
        let Some(at) = self.arrival_time(&train) else { return Err(()) };
        let first = self.in_flight.is_empty();
        pool[id].at = at;
        self.in_flight.push_back(id);
        Ok(first.then_some(at))
    }

    /// When a train is at the other end; none if it is lost.
    pub fn arrival_time(&mut self, train: &Train) -> Option<Time> {
        if self.busy_until > train.from + self.buffer {
            return None;
        }
        // Packets of a train follow each other: the link sends the first while the others arrive.
        let all = self.transmission_time(train.bytes);
        let last = if train.last == train.bytes { all } else { self.transmission_time(train.last) };
        self.busy_until = (self.busy_until.max(train.from) + all).max(train.until + last);
        Some(self.busy_until + self.propagation)
    }

    /// Takes out what arrives now; with it when the next one does.
    pub fn deliver(&mut self, pool: &PacketPool) -> Option<(PacketId, Option<Time>)> {
        let queued = self.in_flight.pop_front()?;
        Some((queued, self.in_flight.front().map(|&next| pool[next].at)))
    }

    #[allow(clippy::cast_precision_loss)] // bytes of a train
    fn transmission_time(&self, bytes: u64) -> Duration {
        Duration::of_secs(bytes.cast_signed() as f64 * self.byte_time)
    }
}
