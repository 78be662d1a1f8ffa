//! Access link of a site: a rate, a drop-tail buffer and a propagation delay each way.

use crate::model::Site;
use crate::sim::packet::constant_load::left_for_packets;
use crate::sim::packet::packet_pool::{PacketId, PacketPool};
use crate::units::{BitRate, Duration, PacketRate, Time, float};
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
    /// An idle link with `buffer` of its rate before each direction; its tunnel carries no more than `ceiling`, in bits and in
    /// packets a second.
    #[must_use]
    pub fn new(site: &Site, ceiling: (BitRate, Option<PacketRate>), buffer: Duration) -> Self {
        let half = Duration(site.rtt.0 / 2);
        let packets = ceiling.1.map(TunnelCore::new);
        let direction = |rate: BitRate| LinkDirection {
            core: packets,
            ..LinkDirection::new(rate.min(ceiling.0).bits(), buffer, half)
        };
        Self { up: direction(site.up), down: direction(site.down) }
    }

    /// So much more is sent each way at a constant rate, or less: bit/s, in whole bits, so that what ends leaves nothing behind,
    /// and packets a second.
    pub fn add_constant(&mut self, rate: f64, packets: f64) {
        for direction in [&mut self.up, &mut self.down] {
            direction.add_constant(rate);
            if let Some(core) = &mut direction.core {
                core.add_constant(packets);
            }
        }
    }
}

/// The core that handles the packets of a tunnel one after the other, beside the link that sends them.
#[derive(Clone, Copy, Debug)]
struct TunnelCore {
    /// Packets a second.
    rate: f64,
    /// Of them, those that are sent at a constant rate.
    constant: f64,
    /// Time that a packet takes [s].
    packet_time: f64,
    busy_until: Time,
}

impl TunnelCore {
    fn new(rate: PacketRate) -> Self {
        let rate = float(rate.0);
        Self { rate, constant: 0.0, packet_time: 1.0 / rate, busy_until: Time(0) }
    }

    fn add_constant(&mut self, packets: f64) {
        self.constant += packets;
        self.packet_time = 1.0 / left_for_packets(self.rate, self.constant);
    }

    /// Packets that arrive together and are handled by `full_at`.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
    fn packets_that_fit(&self, from: Time, full_at: Time) -> u16 {
        if self.busy_until > full_at {
            return 0;
        }
        let room = full_at.since(self.busy_until.max(from)).secs();
        ((room / self.packet_time) as u64).saturating_add(1).min(u16::MAX.into()) as u16
    }

    /// Packets arrive from then on, the last one then: when the core has handled them.
    fn handle(&mut self, (from, until): (Time, Time), packets: u16) -> Time {
        let all = Duration::of_secs(f64::from(packets) * self.packet_time);
        let last = Duration::of_secs(self.packet_time);
        self.busy_until = (self.busy_until.max(from) + all).max(until + last);
        self.busy_until
    }
}

/// One direction. It serves first in first out, so a packet's arrival at the other end is known when it is sent.
#[derive(Clone, Debug)]
pub struct LinkDirection {
    /// Its rate [bit/s].
    bandwidth: f64,
    /// Of that, what is sent at a constant rate: by calls, and by transfers that are worked out.
    constant: f64,
    /// Transmission time of a byte [s].
    byte_time: f64,
    buffer: Duration,
    propagation: Duration,
    busy_until: Time,
    /// What limits its packets, where anything does.
    core: Option<TunnelCore>,
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
        Self {
            bandwidth: rate,
            constant: 0.0,
            byte_time: 8.0 / rate,
            buffer,
            propagation: delay,
            busy_until: Time(0),
            core: None,
            in_flight: VecDeque::new(),
        }
    }

    /// Transfers that are worked out use so much more of it, or less [millionths].
    pub fn use_part(&mut self, part: u32, more: bool) {
        let rate = (f64::from(part) * 1e-6 * self.bandwidth).round();
        self.add_constant(if more { rate } else { -rate });
    }

    /// So much more is sent at a constant rate, or less [bit/s].
    fn add_constant(&mut self, rate: f64) {
        self.constant += rate;
        self.byte_time = 8.0 / left_for_packets(self.bandwidth, self.constant);
    }

    /// Its rate, less what is constant [bit/s].
    #[must_use]
    pub fn rate(&self) -> f64 {
        8.0 / self.byte_time
    }

    /// Share of what is sent at a constant rate that is lost, as it is more than the link or its tunnel's core can do.
    #[must_use]
    pub fn lost_of_constant(&self) -> f64 {
        let of_packets = self.core.map_or(0.0, |core| 1.0 - core.rate / core.constant.max(1.0));
        (1.0 - self.bandwidth / self.constant.max(1.0)).max(of_packets).max(0.0)
    }

    /// Time that its buffer holds.
    #[must_use]
    pub fn buffer(&self) -> Duration {
        self.buffer
    }

    /// Sends a train, as far as the buffer takes it. Gives the arrival of its first packet at the other end, if it is the only one
    /// on the link.
    ///
    /// # Errors
    /// If the buffer takes nothing of it.
    #[allow(clippy::result_unit_err)] // nothing more is to be said of it
    #[inline]
    pub fn send(&mut self, mut train: Train, pool: &mut PacketPool, id: PacketId) -> Result<Option<Time>, ()> {
        let packets = pool[id].packet.count;
        let fits = self.packets_that_fit(&train, packets);
        if fits == 0 {
            return Err(());
        }
        if fits < packets {
            pool[id].truncate(fits);
            (train.bytes, train.last) = (pool[id].bytes(), pool[id].last());
        }
        let first = self.in_flight.is_empty();
        let (head, last) = self.carry(&train, fits);
        (pool[id].at, pool[id].packet.tail) = (head, last.since(head));
        self.in_flight.push_back(id);
        Ok(first.then_some(head))
    }

    /// Packets of a train that find room.
    #[inline]
    fn packets_that_fit(&self, train: &Train, packets: u16) -> u16 {
        let full_at = train.from + self.buffer;
        if self.busy_until > full_at {
            return 0;
        }
        let packets = self.core.map_or(packets, |core| core.packets_that_fit(train.from, full_at).min(packets));
        if packets == 1 || train.last == 0 || self.busy_until + self.transmission_time(train.bytes) <= full_at {
            return packets;
        }
        // Each packet takes so much of the room, less what the link sends until the next one arrives.
        let gaps = u64::from(packets - 1);
        let each = self.transmission_time((train.bytes - train.last) / gaps).0;
        let grows = each.saturating_sub(train.until.since(train.from).0 / gaps);
        let room = full_at.since(self.busy_until).0;
        u16::try_from(room / grows.max(1)).unwrap_or(u16::MAX).saturating_add(1).min(packets)
    }

    /// The link carries a train: when its first packet and its last one arrive at the other end.
    #[inline]
    fn carry(&mut self, train: &Train, packets: u16) -> (Time, Time) {
        let begins = self.busy_until.max(train.from);
        // The link sends the first packet of a train while the others arrive.
        let all = self.transmission_time(train.bytes);
        let last = if train.last == train.bytes { all } else { self.transmission_time(train.last) };
        self.busy_until = (begins + all).max(train.until + last);
        let handled = self.core.as_mut().map_or(Time(0), |core| core.handle((train.from, train.until), packets));
        let arrives = self.busy_until.max(handled) + self.propagation;
        // A message counts as one packet.
        if packets == 1 || train.last == 0 {
            return (arrives, arrives);
        }
        let first = self.transmission_time((train.bytes - train.last) / u64::from(packets - 1));
        ((begins + first + self.propagation).min(arrives), arrives)
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
