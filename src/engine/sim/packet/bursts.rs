//! Bursts before a queue whose packets stand for several transfers.
//!
//! Such a queue is that of an estate so many times smaller: its occupancy moves in steps of so many packets, and a burst meets as
//! much room as it would there. A connection that stands for fewer transfers than others takes its share of the device, but its
//! bursts must not slip through gaps that it could not fill: each of its packets counts as those of the others do until the device
//! has had the time to serve them. One that stands for more must not be in its own way.

use crate::sim::packet::packet_pool::QueuedPacket;
use crate::sim::packet::wire::{Direction, PacketKind};
use crate::units::Time;

/// A packet of a call is lost as often where a large one is as it is smaller, times this: fitted to lines that 40 to 480 copies fill, of 20
/// and 50 Mbit/s with buffers of 60 to 400 kB (docs/model.md, "Speech").
const LOST_OF_CALLS: f64 = 1.0 / 3.0;

/// Bursts before a queue.
#[derive(Clone, Debug)]
pub struct Bursts {
    /// Transfers that a packet stands for, on average over the work of the last second.
    scale: f64,
    /// By connection and direction.
    last: Vec<Burst>,
    /// Bytes of the largest packet so far.
    largest: u32,
    /// Packets of calls that a full queue has lost, and the part of one beyond.
    lost_of_calls: f64,
}

/// The last packets of a connection.
#[derive(Clone, Copy, Debug, Default)]
struct Burst {
    /// Work that they would have brought, had they stood for as many as others, beyond what they have [bit].
    more: f64,
    last: Time,
}

/// How a packet of a burst counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BurstRoom {
    /// Places that each takes of the room.
    pub scale: f64,
    /// Packets that those before it have taken beyond those that they have filled.
    pub more: f64,
}

impl Bursts {
    /// Each packet stands for one transfer.
    #[must_use]
    pub fn new() -> Self {
        Self { scale: 1.0, last: Vec::new(), largest: 1, lost_of_calls: 0.0 }
    }

    fn place(queued: &QueuedPacket) -> usize {
        2 * queued.packet.flow.owner as usize + usize::from(queued.packet.direction == Direction::Up)
    }

    /// How a packet counts that brings so much work; none where each stands for one transfer.
    #[inline]
    #[must_use]
    pub fn room(&self, now: Time, queued: &QueuedPacket, (work, throughput): (f64, f64)) -> Option<BurstRoom> {
        if self.scale <= 1.0 {
            return None;
        }
        let each = work / f64::from(queued.packet.count) / f64::from(queued.packet.flow.weight);
        Some(BurstRoom { scale: self.scale, more: self.more(now, queued, throughput) / each })
    }

    /// A packet as large as the largest.
    #[must_use]
    pub fn as_large(&self, queued: &QueuedPacket) -> QueuedPacket {
        let size = self.largest.max(queued.size);
        QueuedPacket { size, last_size: size, ..*queued }
    }

    /// Whether a packet of a call is lost where a large one is, where most calls are a constant rate: what large packets leave of a full
    /// buffer is always the same there, and trains leave it full for longer.
    pub fn loses_call(&mut self, queued: &QueuedPacket) -> bool {
        self.lost_of_calls += LOST_OF_CALLS * f64::from(queued.size) / f64::from(self.largest.max(queued.size));
        let lost = self.lost_of_calls >= 1.0;
        self.lost_of_calls -= f64::from(u8::from(lost));
        lost
    }

    /// What is left of a burst's `more` when the device has served some of it [bit].
    fn more(&self, now: Time, queued: &QueuedPacket, throughput: f64) -> f64 {
        // Floods have numbers of their own.
        let Some(burst) = self.last.get(Self::place(queued)).filter(|_| queued.packet.kind != PacketKind::Background)
        else {
            return 0.0;
        };
        let served = now.since(burst.last).secs() * throughput;
        if burst.more > 0.0 { (burst.more - served).max(0.0) } else { (burst.more + served).min(0.0) }
    }

    /// A train has found room.
    #[inline]
    pub fn count(&mut self, now: Time, queued: &QueuedPacket, (work, throughput): (f64, f64)) {
        let weight = f64::from(queued.packet.flow.weight);
        self.largest = self.largest.max(queued.size);
        self.scale += (weight - self.scale) * (work / throughput).min(1.0);
        if self.scale <= 1.0 || queued.packet.kind == PacketKind::Background {
            return;
        }
        let place = Self::place(queued);
        if self.last.len() <= place {
            self.last.resize(place + 1, Burst::default());
        }
        let more = self.more(now, queued, throughput) + (self.scale / weight - 1.0) * work;
        self.last[place] = Burst { more, last: now };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClassId, ConcentratorId, SiteId};
    use crate::sim::packet::buffer::{BufferLimit, Occupancy};
    use crate::sim::packet::wire::{FlowKey, Packet};
    use crate::units::NANOS;

    /// A train of `count` packets of 1,000 bytes of connection 0, which stands for `weight` transfers.
    fn train(count: u16, weight: u16) -> QueuedPacket {
        let flow =
            FlowKey { owner: 0, epoch: 0, site: SiteId(0), class: ClassId(0), concentrator: ConcentratorId(0), weight };
        let packet = Packet { count, ..Packet::control(flow, PacketKind::Data, Direction::Down, Time(0)) };
        QueuedPacket { packet, at: Time(0), size: 1_000, last_size: 1_000 }
    }

    const THROUGHPUT: f64 = 8e6;

    fn work(queued: &QueuedPacket) -> (f64, f64) {
        (8.0 * crate::units::float(queued.load()), THROUGHPUT)
    }

    /// Connections that stand for ten each have sent for a long time: a packet of one that stands for one takes ten places, and
    /// the next one finds nine fewer than there are, until the device has served them: a packet a millisecond.
    #[test]
    fn a_burst_of_few_counts_as_one_of_many() {
        let mut bursts = Bursts::new();
        assert_eq!(bursts.room(Time(0), &train(1, 1), work(&train(1, 1))), None);
        for _ in 0..10_000 {
            bursts.count(Time(0), &train(1, 10), work(&train(1, 10)));
        }
        bursts.last.clear();
        let one = train(1, 1);
        let more = |bursts: &Bursts, ms: u64| {
            let room = bursts.room(Time(ms * NANOS / 1_000), &one, work(&one)).unwrap();
            assert!((room.scale - 10.0).abs() < 0.1, "{room:?}");
            room.more
        };
        assert!(more(&bursts, 0) == 0.0);
        bursts.count(Time(0), &one, work(&one));
        assert!((more(&bursts, 0) - 9.0).abs() < 0.1 && (more(&bursts, 5) - 4.0).abs() < 0.1, "{bursts:?}");
        assert!(more(&bursts, 20) == 0.0);
    }

    /// Room for 25 packets: two of a train of four that take ten each, and the third because its first one fits.
    #[test]
    fn a_packet_fits_where_the_first_of_its_transfers_does() {
        let holds = |packets: u64| Occupancy { bytes: packets * 1_000, packets };
        let limit = BufferLimit { bytes: 100_000, packets: u64::MAX };
        let room = BurstRoom { scale: 10.0, more: 0.0 };
        let fits =
            |packets, more| holds(packets).sampled_packets_that_fit(&train(4, 10), limit, BurstRoom { more, ..room });
        assert_eq!([75, 60, 99, 100, 120].map(|packets| fits(packets, 0.0)), [3, 4, 1, 0, 0]);
        assert_eq!(fits(75, 10.0), 2, "those of its burst before it have taken ten");
        assert_eq!(fits(110, -20.0), 1, "its own others are not in its way");
    }
}
