//! A concentrator that serves packets: its queues, the packet in service, the books.

use crate::scenario::model::{ClassId, Counts, Discipline, Unit};
use crate::sim::discipline::Shape;
use crate::sim::packet::scheduler::{Queued, Room, Scheduler};
use crate::sim::packet::shaper::Shaper;
use crate::sim::packet::wire::{Kind, Packet, Way};
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
    ring: Option<Queued>,
    takes_ahead: bool,
    shapers: Vec<Shaper>,
    now: Time,
    books: Books,
}

/// A packet in service.
#[derive(Clone, Copy, Debug)]
struct Service {
    packet: Packet,
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

impl Hub {
    /// An idle concentrator.
    ///
    /// # Panics
    /// If packet rate and throughput contradict each other, which `check` refuses.
    #[must_use]
    pub fn new(unit: &Unit, ideal: bool, classes: usize) -> Self {
        let room = Room { bytes: unit.buffer.0, packets: unit.buffer_packets.map_or(u64::MAX, u64::from) };
        Self {
            cost: Cost::of(unit).expect("a checked unit has a cost"),
            throughput: unit.carries().0.bits(),
            both: unit.counts == Counts::Both,
            room,
            scheduler: Scheduler::new(unit.order(&unit.discipline), classes, room),
            serving: None,
            ring: None,
            // Except in textbooks: nothing overtakes the packet that a device has taken from its queues.
            takes_ahead: !ideal,
            shapers: vec![Shaper::new(Shape::NONE); classes],
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

    /// A train arrives that came to the concentrator at `entered`. When that was idle, the end of its service comes back; what
    /// does not fit goes to `lost`.
    pub fn arrive(&mut self, now: Time, (packet, entered): (Packet, Time), lost: &mut Vec<Packet>) -> Option<Time> {
        let work = self.work(&packet);
        self.books.arrived[packet.label.class.index()] += work;
        if self.serving.is_none() {
            return Some(self.serve(now, packet, entered, work));
        }
        let each = self.cost.wire(packet.inner);
        let tail = if packet.tail == packet.inner { each } else { self.cost.wire(packet.tail) };
        let before = lost.len();
        self.scheduler.push(Queued { packet, entered, each, tail }, lost);
        self.lose(&lost[before..]);
        self.fill_ring();
        None
    }

    fn lose(&mut self, lost: &[Packet]) {
        for packet in lost {
            self.books.lost[packet.label.class.index()] += self.work(packet);
        }
    }

    /// The device takes a packet ahead.
    fn fill_ring(&mut self) {
        if self.takes_ahead && self.ring.is_none() {
            self.ring = self.scheduler.pop();
        }
    }

    fn serve(&mut self, now: Time, packet: Packet, entered: Time, work: f64) -> Time {
        if packet.way == Way::Down {
            let waited = &mut self.books.waited[packet.label.class.index()];
            waited.0 += now.since(entered).secs();
            waited.1 += 1;
        }
        self.serving = Some(Service { packet, began: now, work });
        now + Span::of_secs(work / self.throughput)
    }

    /// The packet in service is done: it comes with the time at which its service began, and with the end of the
    /// next one's.
    pub fn served(&mut self, now: Time) -> Option<(Packet, Time, Option<Time>)> {
        let Service { packet, began, work } = self.serving.take()?;
        self.books.served[packet.label.class.index()] += work;
        let next = self.ring.take().or_else(|| self.scheduler.pop());
        let next = next.map(|next| self.serve(now, next.packet, next.entered, self.work(&next.packet)));
        self.fill_ring();
        Some((packet, began, next))
    }

    fn work(&self, packet: &Packet) -> f64 {
        if packet.kind == Kind::Whole {
            #[allow(clippy::cast_precision_loss)] // a transfer's bits stay below 2^53
            return packet.bytes() as f64 * 8.0;
        }
        self.cost.train(packet.count, packet.inner, packet.tail)
    }

    /// Bytes of a train on the wire, and of one packet of it.
    #[must_use]
    pub fn wire(&self, packet: &Packet) -> (u64, u64) {
        if packet.kind == Kind::Whole {
            return (packet.bytes(), 0);
        }
        let tail = u64::from(self.cost.wire(packet.tail));
        if packet.count == 1 {
            return (tail, tail);
        }
        let each = u64::from(self.cost.wire(packet.inner));
        (u64::from(packet.count - 1) * each + tail, tail.min(each))
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
    pub fn shape(&mut self, now: Time, packet: &Packet) -> Result<Option<Time>, ()> {
        let shaper = &mut self.shapers[packet.label.class.index()];
        if shaper.is_open() || (packet.way == Way::Up && packet.kind != Kind::Noise) {
            return Ok(None);
        }
        let work = self.cost.train(packet.count, packet.inner, packet.tail);
        shaper.pass(now, packet.label.site, work).map(Some).ok_or_else(|| {
            self.books.arrived[packet.label.class.index()] += work;
            self.books.lost[packet.label.class.index()] += work;
        })
    }

    /// Changes the shaping of a class.
    pub fn reshape(&mut self, class: ClassId, shape: Shape) {
        self.shapers[class.index()] = Shaper::new(shape);
    }

    /// Changes the throughput; the packet in service ends as it would have.
    pub fn resize(&mut self, now: Time, throughput: BitRate) {
        self.advance(now);
        self.throughput = throughput.bits();
    }

    /// Changes the order of service; what waits is queued anew.
    pub fn reorder(&mut self, discipline: &Discipline, classes: usize, lost: &mut Vec<Packet>) {
        let mut scheduler = Scheduler::new(discipline, classes, self.room);
        for queued in self.scheduler.waiting() {
            scheduler.push(*queued, lost);
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
    pub fn inside(&self, inside: &mut [f64]) {
        let serving = self.serving.iter().map(|service| &service.packet);
        for packet in self.scheduler.waiting().chain(&self.ring).map(|queued| &queued.packet).chain(serving) {
            inside[packet.label.class.index()] += self.work(packet);
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
