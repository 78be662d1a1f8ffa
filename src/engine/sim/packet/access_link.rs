//! Access link of a site: a rate, a drop-tail buffer and a propagation delay each way.

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

/// One direction. It serves first in first out, so a packet's arrival at the other end is known when it is sent.
#[derive(Clone, Debug)]
pub struct LinkDirection {
    /// Transmission time of a byte [s].
    byte_time: f64,
    buffer: Duration,
    propagation: Duration,
    busy_until: Time,
    /// Packets on the link; each slot of the pool holds the time of arrival at the other end.
    in_flight: VecDeque<PacketId>,
}

/// The arrival of a train at a link.
#[derive(Clone, Copy, Debug)]
pub struct Train {
    /// Arrival of its first packet.
    pub from: Time,
    /// Arrival of its last packet.
    pub until: Time,
    /// Bytes of all its packets.
    pub bytes: u64,
    /// Bytes of its last packet.
    pub last: u64,
}

impl LinkDirection {
    fn new(rate: f64, buffer: Duration, delay: Duration) -> Self {
        Self { byte_time: 8.0 / rate, buffer, propagation: delay, busy_until: Time(0), in_flight: VecDeque::new() }
    }

    /// Sends a train. Gives its arrival at the other end, if it is the only one on the link.
    ///
    /// # Errors
    /// If the buffer is full.
    #[allow(clippy::result_unit_err)] // nothing more is to be said of it
    #[inline]
    pub fn send(&mut self, train: Train, pool: &mut PacketPool, id: PacketId) -> Result<Option<Time>, ()> {
        let Some(at) = self.arrival_time(&train) else { return Err(()) };
        let first = self.in_flight.is_empty();
        pool[id].at = at;
        self.in_flight.push_back(id);
        Ok(first.then_some(at))
    }

    /// Arrival of a train at the other end; none if it is dropped.
    pub fn arrival_time(&mut self, train: &Train) -> Option<Time> {
        if self.busy_until > train.from + self.buffer {
            return None;
        }
        // The link sends the first packet of a train while the others arrive.
        let all = self.transmission_time(train.bytes);
        let last = if train.last == train.bytes { all } else { self.transmission_time(train.last) };
        self.busy_until = (self.busy_until.max(train.from) + all).max(train.until + last);
        Some(self.busy_until + self.propagation)
    }

    /// Delivers the first packet on the link; gives the arrival of the next.
    pub fn deliver(&mut self, pool: &PacketPool) -> Option<(PacketId, Option<Time>)> {
        let queued = self.in_flight.pop_front()?;
        Some((queued, self.in_flight.front().map(|&next| pool[next].at)))
    }

    #[allow(clippy::cast_precision_loss)] // bytes of a train
    fn transmission_time(&self, bytes: u64) -> Duration {
        Duration::of_secs(bytes.cast_signed() as f64 * self.byte_time)
    }
}
