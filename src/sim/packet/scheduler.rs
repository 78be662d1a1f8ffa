//! The order of service, packet by packet: strict ranks, deficit round robin by weight, fair queueing by site.
//!
//! Each queue has its own buffer. What does not fit is lost from the tail of the arriving train; where a queue is
//! split fairly, from the tail of its longest part (`McKenney` 1990).

use std::collections::VecDeque;
use std::hint::cold_path;
use std::ops::Range;

use crate::scenario::model::Discipline;
use crate::sim::band::Fairness;
use crate::sim::discipline::{Plan, Shape, plan};
use crate::sim::packet::parcel::{Parcel, ParcelId, Parcels};
use crate::sim::packet::wire::{Kind, Packet};

/// Room of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
}

/// Packets that wait, in the order of service.
#[derive(Clone, Debug)]
pub struct Scheduler {
    plan: Plan,
    queues: Vec<Queue>,
    room: Room,
    waiting: usize,
    /// Whether fair queues have a line for each flow, not for each site.
    by_flow: bool,
}

#[derive(Clone, Debug)]
struct Queue {
    /// The places of the queues of its rank.
    rank: Range<usize>,
    turn: Turn,
    lines: Lines,
    bytes: u64,
    packets: u64,
}

/// The state of deficit round robin (Shreedhar & Varghese 1996): what may be sent, and what a visit adds.
#[derive(Clone, Copy, Debug)]
struct Turn {
    deficit: f64,
    quantum: f64,
    visited: bool,
}

impl Turn {
    fn of(weight: f64) -> Self {
        Self { deficit: 0.0, quantum: weight * QUANTUM, visited: false }
    }

    /// Whether the queue may send `bytes` on this visit.
    fn allows(&mut self, bytes: u64) -> bool {
        if !self.visited {
            self.visited = true;
            self.deficit += self.quantum;
        }
        self.deficit >= float(bytes)
    }

    fn pass(&mut self, empty: bool) {
        self.visited = false;
        if empty {
            self.deficit = 0.0;
        }
    }
}

/// Bytes that the smallest weight may send on each visit.
const QUANTUM: f64 = 1_514.0;

#[allow(clippy::cast_precision_loss)] // bytes in a buffer
fn float(number: u64) -> f64 {
    number.cast_signed() as f64
}

#[derive(Clone, Debug)]
enum Lines {
    One(VecDeque<ParcelId>),
    Fair(Fair),
}

/// One line for each site (or each flow), served in turn.
#[derive(Clone, Debug, Default)]
struct Fair {
    lines: Vec<Line>,
    active: VecDeque<u32>,
}

#[derive(Clone, Debug)]
struct Line {
    waiting: VecDeque<ParcelId>,
    bytes: u64,
    turn: Turn,
}

impl Scheduler {
    /// Empty queues for the classes of a discipline, which have these names.
    #[must_use]
    pub fn new(discipline: &Discipline, names: &[u64], room: Room) -> Self {
        let plan = plan(discipline, &vec![Shape::NONE; names.len()], names);
        let least = plan.queues.iter().filter_map(|queue| queue.weight).fold(f64::INFINITY, f64::min);
        let by_flow = matches!(discipline, Discipline::Discriminatory(_));
        let by_line = |fairness| fairness == Fairness::BySite || by_flow;
        let ranks = plan.ranks().flat_map(|rank| rank.clone().map(move |_| rank.clone()));
        let queues = plan.queues.iter().zip(ranks).map(|(queue, rank)| Queue {
            rank,
            turn: Turn::of(queue.weight.map_or(1.0, |weight| weight / least)),
            lines: if by_line(queue.fairness) { Lines::Fair(Fair::default()) } else { Lines::One(VecDeque::new()) },
            bytes: 0,
            packets: 0,
        });
        Self { queues: queues.collect(), room, waiting: 0, by_flow, plan }
    }

    /// Changes the room of each queue; what waits stays.
    pub fn set_room(&mut self, room: Room) {
        self.room = room;
    }

    /// Everything that waits, in no particular order.
    pub fn waiting(&self) -> impl Iterator<Item = ParcelId> {
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

    /// Puts a train in; what does not fit goes to `lost`.
    #[inline(always)]
    pub fn push(&mut self, parcels: &mut Parcels, id: ParcelId, lost: &mut Vec<Parcel>) {
        let parcel = &parcels[id];
        let place = self.plan.queue_of(parcel.packet.label.class);
        let queue = &mut self.queues[place];
        let fits = queue.fits(parcel, self.room);
        match &mut queue.lines {
            Lines::One(line) if fits && line.len() < line.capacity() => {
                line.push_back(id);
                queue.book_in(parcel);
                self.waiting += 1;
            }
            // Called last: nothing has to be put aside for what is seldom.
            Lines::One(_) => {
                cold_path();
                self.push_what_fits(parcels, place, id, lost);
            }
            Lines::Fair(_) => self.push_fairly(parcels, place, id, lost),
        }
    }

    /// The end of a train that does not fit is lost.
    #[inline(never)]
    fn push_what_fits(&mut self, parcels: &mut Parcels, place: usize, id: ParcelId, lost: &mut Vec<Parcel>) {
        let (queue, parcel) = (&mut self.queues[place], &parcels[id]);
        let Packet { kind, count, .. } = parcel.packet;
        let fits = if kind == Kind::Whole { count } else { queue.fitting(parcel, self.room) };
        if fits < count {
            lost.push(rest(parcel, fits));
            parcels[id].cut(fits);
        }
        if fits == 0 {
            return parcels.drop(id);
        }
        queue.book_in(&parcels[id]);
        self.waiting += 1;
        if let Lines::One(line) = &mut queue.lines {
            line.push_back(id);
        }
    }

    /// Where there are lines, those who have most lose first.
    #[inline(never)]
    fn push_fairly(&mut self, parcels: &mut Parcels, place: usize, id: ParcelId, lost: &mut Vec<Parcel>) {
        let (queue, parcel) = (&mut self.queues[place], &parcels[id]);
        let (packet, bytes) = (&parcel.packet, parcel.bytes());
        queue.book_in(parcel);
        self.waiting += 1;
        let Lines::Fair(fair) = &mut queue.lines else { return };
        let endless = packet.kind == Kind::Whole;
        let weight = self.plan.flow_weight[packet.label.class.index()];
        fair.push(line_of(packet, self.by_flow), weight, (id, bytes));
        while !endless && (queue.bytes > self.room.bytes || queue.packets > self.room.packets) {
            let (dropped, bytes, emptied) = fair.drop_one(parcels);
            queue.bytes -= bytes;
            queue.packets -= 1;
            self.waiting -= usize::from(emptied);
            lost.push(dropped);
        }
    }

    /// Takes out what is served next.
    #[inline(always)]
    pub fn pop(&mut self, parcels: &Parcels) -> Option<ParcelId> {
        if self.waiting == 0 {
            return None;
        }
        let first = self.queues.iter().position(|queue| queue.packets > 0)?;
        let queue = &mut self.queues[first];
        match &mut queue.lines {
            Lines::One(line) if queue.rank.len() == 1 => {
                let id = line.pop_front()?;
                self.waiting -= 1;
                queue.book_out(&parcels[id]);
                Some(id)
            }
            _ => self.pop_in_turn(parcels, first),
        }
    }

    /// The same where queues or lines have their turns.
    #[inline(never)]
    fn pop_in_turn(&mut self, parcels: &Parcels, first: usize) -> Option<ParcelId> {
        let Range { start: from, end: until } = self.queues[first].rank;
        let place = if until - from == 1 { first } else { self.next_of(parcels, from, until) };
        let queue = &mut self.queues[place];
        let id = match &mut queue.lines {
            Lines::One(line) => line.pop_front()?,
            Lines::Fair(fair) => fair.pop(parcels)?,
        };
        self.waiting -= 1;
        queue.book_out(&parcels[id]);
        Some(id)
    }

    /// Deficit round robin over the queues of a rank; the one that is being visited is the one marked so.
    fn next_of(&mut self, parcels: &Parcels, from: usize, until: usize) -> usize {
        let mut place = (from..until).find(|&place| self.queues[place].turn.visited).unwrap_or(from);
        loop {
            let queue = &mut self.queues[place];
            let size = match &queue.lines {
                Lines::One(line) => line.front().map(|&id| parcels[id].bytes()),
                Lines::Fair(fair) => fair.size_of_next(parcels),
            };
            match size {
                Some(bytes) if queue.turn.allows(bytes) => {
                    queue.turn.deficit -= float(bytes);
                    return place;
                }
                Some(_) => queue.turn.pass(false),
                None => queue.turn.pass(true),
            }
            place = if place + 1 == until { from } else { place + 1 };
        }
    }
}

impl Queue {
    /// Whether a train fits whole.
    fn fits(&self, parcel: &Parcel, room: Room) -> bool {
        self.bytes + parcel.bytes() <= room.bytes && self.packets + u64::from(parcel.packet.count) <= room.packets
    }

    /// Packets of a train that fit.
    fn fitting(&self, parcel: &Parcel, room: Room) -> u16 {
        let count = parcel.packet.count;
        if self.fits(parcel, room) {
            return count;
        }
        let by_bytes = room.bytes.saturating_sub(self.bytes) / u64::from(parcel.each.max(1));
        let by_packets = room.packets.saturating_sub(self.packets);
        u16::try_from(by_bytes.min(by_packets)).unwrap_or(u16::MAX).min(count - 1)
    }

    fn book_in(&mut self, parcel: &Parcel) {
        self.bytes += parcel.bytes();
        self.packets += u64::from(parcel.packet.count);
    }

    fn book_out(&mut self, parcel: &Parcel) {
        self.bytes -= parcel.bytes();
        self.packets -= u64::from(parcel.packet.count);
        if self.packets == 0 {
            self.turn.pass(true);
        }
    }
}

/// The packets of a train beyond the first `fits`.
fn rest(parcel: &Parcel, fits: u16) -> Parcel {
    let packet = Packet { count: parcel.packet.count - fits, ..parcel.packet };
    Parcel { packet, ..*parcel }
}

/// The line of a packet: its site's, or its flow's (or call's) where flows have weights of their own.
fn line_of(packet: &Packet, by_flow: bool) -> usize {
    let label = &packet.label;
    // Flows, calls and floods have names of their own.
    let kind = match packet.kind {
        Kind::Voice => 1,
        Kind::Noise => 2,
        _ => 0,
    };
    if by_flow { 3 * label.owner as usize + kind } else { label.site.index() }
}

impl Fair {
    fn push(&mut self, place: usize, weight: f64, (id, bytes): (ParcelId, u64)) {
        if self.lines.len() <= place {
            let empty = Line { waiting: VecDeque::new(), bytes: 0, turn: Turn::of(1.0) };
            self.lines.resize(place + 1, empty);
        }
        let line = &mut self.lines[place];
        if line.waiting.is_empty() {
            line.turn = Turn::of(weight);
            self.active.push_back(u32::try_from(place).expect("fewer than 2^32 lines"));
        }
        line.bytes += bytes;
        line.waiting.push_back(id);
    }

    /// The line whose turn it is comes to the front.
    fn settle(&mut self, parcels: &Parcels) -> Option<usize> {
        loop {
            let place = *self.active.front()? as usize;
            let line = &mut self.lines[place];
            let bytes = line.waiting.front().map_or(0, |&id| parcels[id].bytes());
            if line.turn.allows(bytes) {
                return Some(place);
            }
            line.turn.pass(false);
            self.active.rotate_left(1);
        }
    }

    fn size_of_next(&self, parcels: &Parcels) -> Option<u64> {
        let place = *self.active.front()? as usize;
        self.lines[place].waiting.front().map(|&id| parcels[id].bytes())
    }

    fn pop(&mut self, parcels: &Parcels) -> Option<ParcelId> {
        let place = self.settle(parcels)?;
        let line = &mut self.lines[place];
        let id = line.waiting.pop_front()?;
        let bytes = parcels[id].bytes();
        line.bytes -= bytes;
        line.turn.deficit -= float(bytes);
        if line.waiting.is_empty() {
            line.turn.pass(true);
            self.active.pop_front();
        }
        Some(id)
    }

    /// Drops the last packet of the longest line (of several the one whose turn comes last): the packet, its bytes, and whether
    /// its train is gone by it.
    fn drop_one(&mut self, parcels: &mut Parcels) -> (Parcel, u64, bool) {
        let longest = self.active.iter().copied().max_by_key(|&place| self.lines[place as usize].bytes);
        let place = longest.expect("a full queue has a line") as usize;
        let line = &mut self.lines[place];
        let id = *line.waiting.back().expect("an active line has a packet");
        let last = &mut parcels[id];
        let (bytes, count) = (u64::from(last.tail), last.packet.count);
        let dropped = Parcel { packet: Packet { count: 1, ..last.packet }, ..*last };
        line.bytes -= bytes;
        if count > 1 {
            last.cut(count - 1);
            return (dropped, bytes, false);
        }
        line.waiting.pop_back();
        parcels.drop(id);
        if line.waiting.is_empty() {
            line.turn.pass(true);
            self.active.retain(|&other| other as usize != place);
        }
        (dropped, bytes, true)
    }
}
