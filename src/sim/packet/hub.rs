//! A concentrator that serves packets: its queues, the packet in service, the books.

use std::hint::cold_path;

use crate::scenario::model::{ClassId, Counts, Discipline, Unit};
use crate::sim::discipline::Shape;
use crate::sim::packet::parcel::{Parcel, ParcelId, Parcels};
use crate::sim::packet::scheduler::{Room, Scheduler};
use crate::sim::packet::shaper::Shaper;
use crate::sim::packet::wire::{Kind, Packet, Sizes, Way};
use crate::sim::transport::Cost;
use crate::units::{BitRate, Span, Time};

/// A concentrator and what waits before it.
#[derive(Clone, Debug)]
pub struct Hub {
    cost: Cost,
    throughput: f64,
    /// Whether traffic towards the headend is served, too.
    pub both: bool,
    room: Room,
    scheduler: Scheduler,
    serving: Option<Service>,
    /// What the scheduler has handed to the device ahead of time: it is next, whatever comes.
    ring: Option<ParcelId>,
    takes_ahead: bool,
    shapers: Vec<Shaper>,
    /// Whether none of them holds anything back.
    open: bool,
    now: Time,
    books: Books,
}

/// A packet in service.
#[derive(Clone, Copy, Debug)]
struct Service {
    parcel: ParcelId,
    began: Time,
    work: f64,
}

/// What went through, by class, in bits of work since the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Books {
    /// Work that arrived.
    pub arrived: Vec<f64>,
    /// Work that was done.
    pub served: Vec<f64>,
    /// Work that was lost.
    pub lost: Vec<f64>,
    /// Work that could have been done.
    pub capacity: f64,
    /// Time that packets towards sites waited since the last look [s], and how many there were.
    pub waited: Vec<(f64, u32)>,
}

fn room(unit: &Unit) -> Room {
    Room { bytes: unit.buffer.0, packets: unit.buffer_packets.map_or(u64::MAX, u64::from) }
}

impl Hub {
    /// An idle concentrator for classes of these names.
    ///
    /// # Panics
    /// If packet rate and throughput contradict each other, which `check` refuses.
    #[must_use]
    pub fn new(unit: &Unit, ideal: bool, names: &[u64]) -> Self {
        let classes = names.len();
        let room = room(unit);
        Self {
            cost: Cost::of(unit).expect("a checked unit has a cost"),
            throughput: unit.carries().0.bits(),
            both: unit.counts == Counts::Both,
            room,
            scheduler: Scheduler::new(unit.order(), names, room),
            serving: None,
            ring: None,
            // Except in textbooks: nothing overtakes the packet that a device has taken from its queues.
            takes_ahead: !ideal,
            shapers: vec![Shaper::new(Shape::NONE); classes],
            open: true,
            now: Time(0),
            books: Books {
                arrived: vec![0.0; classes],
                served: vec![0.0; classes],
                lost: vec![0.0; classes],
                waited: vec![(0.0, 0); classes],
                capacity: 0.0,
            },
        }
    }

    /// A train joins. When the concentrator was idle, the end of its service comes back; what does not fit goes to `lost`.
    #[inline(always)]
    pub fn arrive(&mut self, now: Time, parcels: &mut Parcels, id: ParcelId, lost: &mut Vec<Parcel>) -> Option<Time> {
        let parcel = &parcels[id];
        let work = self.work(parcel);
        self.books.arrived[parcel.packet.label.class.index()] += work;
        if self.serving.is_none() {
            return Some(self.serve(now, parcels, id, work));
        }
        let before = lost.len();
        self.scheduler.push(parcels, id, lost);
        self.lose(&lost[before..]);
        self.fill_ring(parcels);
        None
    }

    fn lose(&mut self, lost: &[Parcel]) {
        for parcel in lost {
            cold_path();
            self.books.lost[parcel.packet.label.class.index()] += self.work(parcel);
        }
    }

    /// The device takes a packet ahead.
    #[inline(always)]
    fn fill_ring(&mut self, parcels: &Parcels) {
        if self.takes_ahead && self.ring.is_none() {
            self.ring = self.scheduler.pop(parcels);
        }
    }

    #[inline]
    fn serve(&mut self, now: Time, parcels: &Parcels, id: ParcelId, work: f64) -> Time {
        let parcel = &parcels[id];
        if parcel.packet.way == Way::Down {
            let waited = &mut self.books.waited[parcel.packet.label.class.index()];
            waited.0 += now.since(parcel.at).secs();
            waited.1 += 1;
        }
        self.serving = Some(Service { parcel: id, began: now, work });
        now + Span::of_secs(work / self.throughput)
    }

    /// The packet in service is done: it comes with the time at which its service began, and with the end of the
    /// next one's.
    #[inline]
    pub fn served(&mut self, now: Time, parcels: &Parcels) -> Option<(ParcelId, Time, Option<Time>)> {
        let Service { parcel, began, work } = self.serving.take()?;
        self.books.served[parcels[parcel].packet.label.class.index()] += work;
        let next = self.ring.take().or_else(|| self.scheduler.pop(parcels));
        let next = next.map(|next| self.serve(now, parcels, next, self.work(&parcels[next])));
        self.fill_ring(parcels);
        Some((parcel, began, next))
    }

    /// A packet with what it takes on the wire.
    #[must_use]
    #[inline]
    pub fn parcel(&self, packet: Packet, inside: Sizes, at: Time) -> Parcel {
        let Sizes { each, tail } = inside;
        if packet.kind == Kind::Whole {
            cold_path();
            return Parcel { packet, at, each, tail };
        }
        let last = self.cost.wire(tail);
        Parcel { packet, at, each: if tail == each { last } else { self.cost.wire(each) }, tail: last }
    }

    fn work(&self, parcel: &Parcel) -> f64 {
        if parcel.packet.kind == Kind::Whole {
            cold_path();
            #[allow(clippy::cast_precision_loss)] // a transfer's bits stay below 2^53
            return parcel.bytes().cast_signed() as f64 * 8.0;
        }
        self.cost.train(u32::from(parcel.packet.count), parcel.each, parcel.tail)
    }

    /// Bytes on the wire of a packet of `inner` bytes.
    #[must_use]
    pub fn wire_of(&self, inner: u32) -> u32 {
        self.cost.wire(inner)
    }

    /// When a packet of a shaped class may join the queue; none if it need not wait.
    ///
    /// # Errors
    /// If it is lost.
    #[allow(clippy::result_unit_err)] // nothing more is to be said of it
    #[inline]
    pub fn shape(&mut self, now: Time, parcel: &Parcel) -> Result<Option<Time>, ()> {
        if self.open {
            return Ok(None);
        }
        cold_path();
        self.hold_back(now, parcel)
    }

    /// The same where some class is shaped.
    fn hold_back(&mut self, now: Time, parcel: &Parcel) -> Result<Option<Time>, ()> {
        let packet = &parcel.packet;
        let class = packet.label.class.index();
        if self.shapers[class].is_open() {
            return Ok(None);
        }
        let work = self.work(parcel);
        if packet.way == Way::Up && packet.kind != Kind::Noise {
            // Senders are slowed down by what is shaped towards them: the way back only counts.
            self.shapers[class].charge(now, packet.label.site, work);
            return Ok(None);
        }
        self.shapers[class].pass(now, packet.label.site, work).map(Some).ok_or_else(|| {
            self.books.arrived[class] += work;
            self.books.lost[class] += work;
        })
    }

    /// Another device: costs and buffers are its own from now on; what waits stays.
    ///
    /// # Panics
    /// If packet rate and throughput contradict each other, which `check` refuses.
    pub fn refit(&mut self, now: Time, unit: &Unit) {
        self.advance(now);
        self.cost = Cost::of(unit).expect("a checked unit has a cost");
        self.room = room(unit);
        self.scheduler.set_room(self.room);
    }

    /// Changes the shaping of a class.
    pub fn reshape(&mut self, class: ClassId, shape: Shape) {
        if self.shapers[class.index()].has(shape) {
            return;
        }
        self.shapers[class.index()] = Shaper::new(shape);
        self.open = self.shapers.iter().all(Shaper::is_open);
    }

    /// Changes the throughput; the packet in service ends as it would have.
    pub fn resize(&mut self, now: Time, throughput: BitRate) {
        self.advance(now);
        self.throughput = throughput.bits();
    }

    /// Changes the order of service; what waits is queued anew.
    pub fn reorder(&mut self, parcels: &mut Parcels, discipline: &Discipline, names: &[u64], lost: &mut Vec<Parcel>) {
        let mut scheduler = Scheduler::new(discipline, names, self.room);
        for id in self.scheduler.waiting() {
            scheduler.push(parcels, id, lost);
        }
        self.lose(lost);
        self.scheduler = scheduler;
    }

    /// Brings the books to `now`.
    pub fn advance(&mut self, now: Time) {
        self.books.capacity += self.throughput * now.since(self.now).secs();
        self.now = now;
    }

    /// What went through.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// Work that waits or is in service, by class [bit]; of the packet in service also what is done.
    pub fn inside(&self, parcels: &Parcels, inside: &mut [f64]) {
        let serving = self.serving.iter().map(|service| service.parcel);
        for id in self.scheduler.waiting().chain(self.ring).chain(serving) {
            inside[parcels[id].packet.label.class.index()] += self.work(&parcels[id]);
        }
    }

    /// Mean wait of packets towards sites since the last call, by class [s].
    pub fn waits(&mut self, waits: &mut Vec<f64>) {
        waits.clear();
        for (sum, count) in &mut self.books.waited {
            waits.push(if *count > 0 { *sum / f64::from(*count) } else { 0.0 });
            (*sum, *count) = (0.0, 0);
        }
    }
}
