//! Packet schedulers: strict priority, deficit round robin by weight, fair queueing by site or by flow.
//!
//! Each queue has its own buffer. A full queue drops the tail of the arriving train; a fair queue drops from its longest line
//! (`McKenney` 1990).

use std::collections::VecDeque;
use std::ops::Range;

use crate::model::Discipline;
use crate::sim::discipline::{QueuePlan, Shape, plan};
use crate::sim::fluid::sharing::Fairness;
use crate::sim::packet::buffer::{BufferLimit, Occupancy, beyond};
use crate::sim::packet::packet_pool::{PacketId, PacketPool, QueuedPacket};
use crate::sim::packet::wire::{Packet, PacketKind};
use crate::units::float;

/// Queued packets, and the order in which they are served.
#[derive(Clone, Debug)]
pub struct Scheduler {
    plan: QueuePlan,
    queues: Vec<PacketQueue>,
    limit: BufferLimit,
    waiting: usize,
}

#[derive(Clone, Debug)]
struct PacketQueue {
    /// Indices of the queues of its rank.
    rank: Range<usize>,
    deficit: Deficit,
    lines: Lines,
    holds: Occupancy,
}

/// State of deficit round robin (Shreedhar & Varghese 1996): deficit counter and quantum [bytes].
#[derive(Clone, Copy, Debug)]
struct Deficit {
    bytes: f64,
    quantum: f64,
    visited: bool,
}

impl Deficit {
    fn of(weight: f64) -> Self {
        Self { bytes: 0.0, quantum: weight * QUANTUM, visited: false }
    }

    /// Whether the queue may send `bytes` on this visit.
    fn allows(&mut self, bytes: u64) -> bool {
        if !self.visited {
            self.visited = true;
            self.bytes += self.quantum;
        }
        self.bytes >= float(bytes)
    }

    fn end_visit(&mut self, empty: bool) {
        self.visited = false;
        if empty {
            self.bytes = 0.0;
        }
    }
}

/// Bytes that the smallest weight may send on each visit.
const QUANTUM: f64 = 1_514.0;

#[derive(Clone, Debug)]
enum Lines {
    One(VecDeque<PacketId>),
    Fair(Fair),
}

/// One line for each site (or each flow), served in turn.
#[derive(Clone, Debug, Default)]
struct Fair {
    lines: Vec<FairLine>,
    active: VecDeque<u32>,
}

#[derive(Clone, Debug)]
struct FairLine {
    waiting: VecDeque<PacketId>,
    bytes: u64,
    deficit: Deficit,
}

impl Scheduler {
    /// Empty queues for the classes of a discipline, which have these names.
    #[must_use]
    pub fn new(discipline: &Discipline, names: &[u64], limit: BufferLimit) -> Self {
        let plan = plan(discipline, &vec![Shape::NONE; names.len()], names);
        let least = plan.queues.iter().filter_map(|queue| queue.weight).fold(f64::INFINITY, f64::min);
        let by_flow = plan.turns_by_flow;
        let by_line = |fairness| fairness == Fairness::BySite || by_flow;
        let ranks = plan.ranks().flat_map(|rank| rank.clone().map(move |_| rank.clone()));
        let queues = plan.queues.iter().zip(ranks).map(|(queue, rank)| PacketQueue {
            rank,
            deficit: Deficit::of(queue.weight.map_or(1.0, |weight| weight / least)),
            lines: if by_line(queue.fairness) { Lines::Fair(Fair::default()) } else { Lines::One(VecDeque::new()) },
            holds: Occupancy::default(),
        });
        Self { queues: queues.collect(), limit, waiting: 0, plan }
    }

    /// Whether all packets are in one line, served first in first out.
    #[must_use]
    pub fn is_one_line(&self) -> bool {
        matches!(&self.queues[..], [PacketQueue { lines: Lines::One(_), .. }])
    }

    /// Whether sites or flows take turns.
    #[must_use]
    pub fn has_lines_in_turn(&self) -> bool {
        self.queues.iter().any(|queue| matches!(queue.lines, Lines::Fair(_)))
    }

    /// Packets that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting
    }

    /// Sets the limit of each queue; queued packets stay.
    pub fn set_limit(&mut self, limit: BufferLimit) {
        self.limit = limit;
    }

    /// All queued packets, in no particular order.
    pub fn waiting(&self) -> impl Iterator<Item = PacketId> {
        self.queues.iter().flat_map(|queue| {
            let (one, fair) = match &queue.lines {
                Lines::One(line) => (Some(line), None),
                Lines::Fair(fair) => (None, Some(fair)),
            };
            one.into_iter()
                .flatten()
                .chain(fair.into_iter().flat_map(|fair| fair.lines.iter().flat_map(|line| &line.waiting)))
                .copied()
        })
    }

    /// Enqueues a train; packets that are dropped go to `lost`.
    #[inline]
    pub fn push(&mut self, pool: &mut PacketPool, id: PacketId, lost: &mut Vec<QueuedPacket>) {
        let queued = &pool[id];
        let place = self.plan.queue_of(queued.packet.flow.class);
        let queue = &mut self.queues[place];
        let fits = queue.holds.packets_that_fit(queued, self.limit) == queued.packet.count;
        match &mut queue.lines {
            Lines::One(line) if fits && line.len() < line.capacity() => {
                line.push_back(id);
                queue.count_in(queued);
                self.waiting += 1;
            }
            // The queue is full, or its buffer has to grow.
            Lines::One(_) => {
                self.push_truncated(pool, place, id, lost);
            }
            Lines::Fair(_) => self.push_fairly(pool, place, id, lost),
        }
    }

    /// Enqueues the part of a train that fits, and drops the rest.
    fn push_truncated(&mut self, pool: &mut PacketPool, place: usize, id: PacketId, lost: &mut Vec<QueuedPacket>) {
        let (queue, queued) = (&mut self.queues[place], &pool[id]);
        let count = queued.packet.count;
        let fits = queue.holds.packets_that_fit(queued, self.limit);
        if fits < count {
            lost.push(beyond(queued, fits));
            pool[id].truncate(fits);
        }
        if fits == 0 {
            return pool.drop(id);
        }
        queue.count_in(&pool[id]);
        self.waiting += 1;
        if let Lines::One(line) = &mut queue.lines {
            line.push_back(id);
        }
    }

    /// Enqueues into a fair queue; while it is over its limit, its longest line loses a packet.
    fn push_fairly(&mut self, pool: &mut PacketPool, place: usize, id: PacketId, lost: &mut Vec<QueuedPacket>) {
        let (queue, queued) = (&mut self.queues[place], &pool[id]);
        let (packet, bytes) = (&queued.packet, queued.bytes());
        queue.count_in(queued);
        self.waiting += 1;
        let Lines::Fair(fair) = &mut queue.lines else { return };
        let endless = packet.kind == PacketKind::Message;
        let weight = self.plan.flow_weight[packet.flow.class.index()];
        fair.push(line_of(packet, self.plan.turns_by_flow), weight, (id, bytes));
        while !endless && queue.holds.exceeds(self.limit) {
            let (dropped, bytes, emptied) = fair.drop_from_longest(pool);
            queue.holds.remove(bytes, 1);
            self.waiting -= usize::from(emptied);
            lost.push(dropped);
        }
    }

    /// Dequeues the packet that is served next.
    #[inline]
    pub fn pop(&mut self, pool: &PacketPool) -> Option<PacketId> {
        if self.waiting == 0 {
            return None;
        }
        let first = self.queues.iter().position(|queue| queue.holds.packets > 0)?;
        let queue = &mut self.queues[first];
        match &mut queue.lines {
            Lines::One(line) if queue.rank.len() == 1 => {
                let id = line.pop_front()?;
                self.waiting -= 1;
                queue.count_out(&pool[id]);
                Some(id)
            }
            _ => self.pop_scheduled(pool, first),
        }
    }

    /// [`Self::pop`] where queues or lines take turns.
    fn pop_scheduled(&mut self, pool: &PacketPool, first: usize) -> Option<PacketId> {
        let Range { start: from, end: until } = self.queues[first].rank;
        let place = if until - from == 1 { first } else { self.deficit_round_robin(pool, from, until) };
        let queue = &mut self.queues[place];
        let id = match &mut queue.lines {
            Lines::One(line) => line.pop_front()?,
            Lines::Fair(fair) => fair.pop(pool)?,
        };
        self.waiting -= 1;
        queue.count_out(&pool[id]);
        Some(id)
    }

    /// Deficit round robin over the queues of a rank; the visited queue is marked.
    fn deficit_round_robin(&mut self, pool: &PacketPool, from: usize, until: usize) -> usize {
        let mut place = (from..until).find(|&place| self.queues[place].deficit.visited).unwrap_or(from);
        loop {
            let queue = &mut self.queues[place];
            let size = match &queue.lines {
                Lines::One(line) => line.front().map(|&id| pool[id].load()),
                Lines::Fair(fair) => fair.size_of_next(pool),
            };
            match size {
                Some(bytes) if queue.deficit.allows(bytes) => {
                    queue.deficit.bytes -= float(bytes);
                    return place;
                }
                Some(_) => queue.deficit.end_visit(false),
                None => queue.deficit.end_visit(true),
            }
            place = if place + 1 == until { from } else { place + 1 };
        }
    }
}

impl PacketQueue {
    fn count_in(&mut self, queued: &QueuedPacket) {
        self.holds.add(queued);
    }

    fn count_out(&mut self, queued: &QueuedPacket) {
        self.holds.remove(queued.load(), queued.packets());
        if self.holds.packets == 0 {
            self.deficit.end_visit(true);
        }
    }
}

/// The line of a packet: its site's, or its flow's (or call's) where flows have weights of their own.
fn line_of(packet: &Packet, by_flow: bool) -> usize {
    let flow = &packet.flow;
    // Flows, calls and floods have names of their own.
    let kind = match packet.kind {
        PacketKind::Voice => 1,
        PacketKind::Background => 2,
        _ => 0,
    };
    if by_flow { 3 * flow.owner as usize + kind } else { flow.site.index() }
}

impl Fair {
    fn push(&mut self, place: usize, weight: f64, (id, bytes): (PacketId, u64)) {
        if self.lines.len() <= place {
            let empty = FairLine { waiting: VecDeque::new(), bytes: 0, deficit: Deficit::of(1.0) };
            self.lines.resize(place + 1, empty);
        }
        let line = &mut self.lines[place];
        if line.waiting.is_empty() {
            line.deficit = Deficit::of(weight);
            self.active.push_back(u32::try_from(place).expect("fewer than 2^32 lines"));
        }
        line.bytes += bytes;
        line.waiting.push_back(id);
    }

    /// Rotates the lines until the first may send.
    fn next_line(&mut self, pool: &PacketPool) -> Option<usize> {
        loop {
            let place = *self.active.front()? as usize;
            let line = &mut self.lines[place];
            let bytes = line.waiting.front().map_or(0, |&id| pool[id].bytes());
            if line.deficit.allows(bytes) {
                return Some(place);
            }
            line.deficit.end_visit(false);
            self.active.rotate_left(1);
        }
    }

    fn size_of_next(&self, pool: &PacketPool) -> Option<u64> {
        let place = *self.active.front()? as usize;
        self.lines[place].waiting.front().map(|&id| pool[id].bytes())
    }

    fn pop(&mut self, pool: &PacketPool) -> Option<PacketId> {
        let place = self.next_line(pool)?;
        let line = &mut self.lines[place];
        let id = line.waiting.pop_front()?;
        let bytes = pool[id].bytes();
        line.bytes -= bytes;
        line.deficit.bytes -= float(bytes);
        if line.waiting.is_empty() {
            line.deficit.end_visit(true);
            self.active.pop_front();
        }
        Some(id)
    }

    /// Drops the last packet of the longest line, of several the one whose turn comes last. Gives the packet, its bytes, and
    /// whether it was the last of its train.
    fn drop_from_longest(&mut self, pool: &mut PacketPool) -> (QueuedPacket, u64, bool) {
        let longest = self.active.iter().copied().max_by_key(|&place| self.lines[place as usize].bytes);
        let place = longest.expect("a full queue has a line") as usize;
        let line = &mut self.lines[place];
        let id = *line.waiting.back().expect("an active line has a packet");
        let last = &mut pool[id];
        let (bytes, count) = (u64::from(last.last_size), last.packet.count);
        let dropped = QueuedPacket { packet: Packet { count: 1, ..last.packet }, ..*last };
        line.bytes -= bytes;
        if count > 1 {
            last.truncate(count - 1);
            return (dropped, bytes, false);
        }
        line.waiting.pop_back();
        pool.drop(id);
        if line.waiting.is_empty() {
            line.deficit.end_visit(true);
            self.active.retain(|&other| other as usize != place);
        }
        (dropped, bytes, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClassId, ConcentratorId, SiteId};
    use crate::sim::packet::wire::{Direction, FlowKey};
    use crate::units::Time;

    const ROOM: BufferLimit = BufferLimit { bytes: 1_000_000, packets: 1_000 };

    /// A scheduler for two classes whose names are 0 and 1, and its packets.
    struct Bench {
        scheduler: Scheduler,
        pool: PacketPool,
        lost: Vec<QueuedPacket>,
    }

    impl Bench {
        fn new(discipline: &Discipline, limit: BufferLimit) -> Self {
            Self {
                scheduler: Scheduler::new(discipline, &[0, 1], limit),
                pool: PacketPool::default(),
                lost: Vec::new(),
            }
        }

        fn push(&mut self, class: u8, site: u32, bytes: u32) {
            let flow = FlowKey {
                owner: site,
                epoch: 0,
                site: SiteId(site),
                class: ClassId(class),
                concentrator: ConcentratorId(0),
                weight: 1,
            };
            let packet = Packet::control(flow, PacketKind::Data, Direction::Down, Time(0));
            let id = self.pool.add(QueuedPacket { packet, at: Time(0), size: bytes, last_size: bytes });
            self.scheduler.push(&mut self.pool, id, &mut self.lost);
        }

        /// Class and site of each of the next packets.
        fn pop(&mut self, count: usize) -> Vec<(u8, u32)> {
            let next = |bench: &mut Self| {
                let id = bench.scheduler.pop(&bench.pool)?;
                let flow = bench.pool.take(id).flow;
                Some((flow.class.0, flow.site.0))
            };
            std::iter::from_fn(|| next(self)).take(count).collect()
        }
    }

    #[test]
    fn fifo_serves_in_the_order_of_arrival() {
        let mut bench = Bench::new(&Discipline::Fifo, ROOM);
        let arrivals = [(1, 3), (0, 1), (1, 2), (0, 3)];
        for (class, site) in arrivals {
            bench.push(class, site, 1_000);
        }
        assert_eq!(bench.pop(9), arrivals);
    }

    #[test]
    fn a_higher_rank_goes_first_whenever_it_comes() {
        let mut bench = Bench::new(&Discipline::Priority(vec![1, 0]), ROOM);
        for site in 0..3 {
            bench.push(0, site, 1_000);
        }
        assert_eq!(bench.pop(1), [(0, 0)]);
        for site in 0..2 {
            bench.push(1, site, 1_000);
        }
        assert_eq!(bench.pop(9), [(1, 0), (1, 1), (0, 1), (0, 2)]);
    }

    /// Deficit round robin (Shreedhar & Varghese 1996): busy queues get bytes as 3 to 1, whatever the sizes of their packets.
    #[test]
    fn weights_share_bytes_not_packets() {
        let mut bench = Bench::new(&Discipline::Weighted(vec![3.0, 1.0]), ROOM);
        for _ in 0..400 {
            bench.push(0, 0, 300);
        }
        for _ in 0..100 {
            bench.push(1, 0, 1_500);
        }
        let (mut first, mut second) = (0.0, 0.0);
        for (class, _) in bench.pop(300) {
            if class == 0 { first += 300.0 } else { second += 1_500.0 }
        }
        assert!((first / second - 3.0_f64).abs() < 0.2, "{first} to {second} bytes");
    }

    /// What a queue could not use while it was empty is not owed to it.
    #[test]
    fn an_idle_queue_saves_nothing_up() {
        let mut bench = Bench::new(&Discipline::Weighted(vec![1.0, 1.0]), ROOM);
        for _ in 0..50 {
            bench.push(1, 0, 1_500);
        }
        bench.pop(40);
        for _ in 0..10 {
            bench.push(0, 0, 1_500);
        }
        let classes: Vec<u8> = bench.pop(8).into_iter().map(|(class, _)| class).collect();
        assert_eq!(classes.iter().filter(|class| **class == 0).count(), 4, "{classes:?}");
    }

    /// A low-latency class goes before weights, which share what it leaves.
    #[test]
    fn low_latency_goes_before_weights() {
        let first = vec![true, false];
        let mut bench = Bench::new(&Discipline::LowLatency { first, weights: vec![1.0, 1.0] }, ROOM);
        bench.push(1, 0, 1_500);
        bench.push(0, 0, 200);
        assert_eq!(bench.pop(2), [(0, 0), (1, 0)]);
    }

    #[test]
    fn fair_by_site_takes_turns_however_much_one_sends() {
        let mut bench = Bench::new(&Discipline::FairBySite, ROOM);
        for _ in 0..6 {
            bench.push(0, 7, 1_500);
        }
        for _ in 0..2 {
            bench.push(0, 8, 1_500);
        }
        let sites: Vec<u32> = bench.pop(8).into_iter().map(|(_, site)| site).collect();
        assert_eq!(sites[..4].iter().filter(|site| **site == 8).count(), 2, "{sites:?}");
        assert_eq!(sites[4..], [7; 4]);
    }

    /// `McKenney` 1990: who has most loses, not who comes.
    #[test]
    fn a_full_fair_queue_drops_from_its_longest_line() {
        let mut bench = Bench::new(&Discipline::FairBySite, BufferLimit { bytes: 6_000, packets: 100 });
        for _ in 0..4 {
            bench.push(0, 7, 1_500);
        }
        bench.push(0, 8, 1_500);
        let lost: Vec<u32> = bench.lost.iter().map(|lost| lost.packet.flow.site.0).collect();
        assert_eq!(lost, [7]);
        assert_eq!(bench.pop(9).len(), 4);
    }

    #[test]
    fn a_full_queue_drops_what_comes() {
        for limit in [BufferLimit { bytes: 3_000, packets: 100 }, BufferLimit { bytes: 1_000_000, packets: 2 }] {
            let mut bench = Bench::new(&Discipline::Fifo, limit);
            for site in 0..3 {
                bench.push(0, site, 1_500);
            }
            let lost: Vec<u32> = bench.lost.iter().map(|lost| lost.packet.flow.site.0).collect();
            assert_eq!(lost, [2], "{limit:?}");
            assert_eq!(bench.pop(9), [(0, 0), (0, 1)]);
        }
    }
}
