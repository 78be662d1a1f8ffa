//! A concentrator that serves packets: queues, the packet in service, counters.

use crate::model::{ClassId, Codec, Concentrator, Counts, Discipline};
use crate::sim::cost::ServiceCost;
use crate::sim::discipline::Shape;
use crate::sim::packet::buffer::{BufferLimit, beyond};
use crate::sim::packet::bursts::Bursts;
use crate::sim::packet::constant_load::{ConstantLoad, left_for_packets, passes};
use crate::sim::packet::packet_pool::{PacketId, PacketPool, QueuedPacket};
use crate::sim::packet::scheduler::Scheduler;
use crate::sim::packet::service_line::{Service, ServiceLine};
use crate::sim::packet::shaper::Shaper;
use crate::sim::packet::wire::{Direction, Packet, PacketKind, TrainSizes};
use crate::sim::route::packets_per_second;
use crate::units::{BitRate, Duration, Time, float};

/// A concentrator and its queues.
#[derive(Clone, Debug)]
pub struct PacketConcentrator {
    cost: ServiceCost,
    throughput: f64,
    /// What arrives and is served without packets.
    constant: ConstantLoad,
    /// Whether traffic towards the headend is served, too.
    pub both: bool,
    buffer: BufferLimit,
    /// What of it is left to packets in a line that they share with what is constant.
    line_buffer: BufferLimit,
    /// Packets of a device that serves first in first out, until it serves in another order.
    line: ServiceLine,
    bursts: Bursts,
    lines_up: bool,
    scheduler: Scheduler,
    in_service: Option<InService>,
    /// The packet that the device has dequeued ahead of time; nothing overtakes it.
    tx_ring: Option<PacketId>,
    has_tx_ring: bool,
    shapers: Vec<Shaper>,
    /// Classes that are shaped.
    shaped: u32,
    now: Time,
    counters: PacketCounters,
}

/// What a packet that arrives meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enqueued {
    /// It waits, or is lost.
    Waits,
    /// It is the only one; its service ends then.
    Served(Time),
    /// It joins a line, and leaves it then.
    Leaves(Service),
}

/// A packet in service.
#[derive(Clone, Copy, Debug)]
struct InService {
    queued: PacketId,
    began: Time,
    work: f64,
}

/// Work since the start, by class [bit].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PacketCounters {
    /// Work that arrived.
    pub arrived: Vec<f64>,
    /// Work that was done.
    pub served: Vec<f64>,
    /// Work that was lost.
    pub lost: Vec<f64>,
    /// Work that could have been done.
    pub capacity: f64,
    /// Waits of packets towards sites since the last snapshot: their sum [s] and number.
    pub waited: Vec<(f64, u32)>,
}

fn buffer_limit(concentrator: &Concentrator) -> BufferLimit {
    BufferLimit { bytes: concentrator.buffer.0, packets: concentrator.buffer_packets.map_or(u64::MAX, u64::from) }
}

impl PacketConcentrator {
    /// An idle concentrator for classes of these names.
    ///
    /// # Panics
    /// If packet rate and throughput contradict each other, which `check` refuses.
    #[must_use]
    pub fn new(concentrator: &Concentrator, ideal: bool, names: &[u64]) -> Self {
        let classes = names.len();
        let limit = buffer_limit(concentrator);
        let scheduler = Scheduler::new(concentrator.order(), names, limit);
        Self {
            cost: ServiceCost::of(concentrator).expect("a checked concentrator has a cost"),
            throughput: concentrator.carries().0.bits(),
            constant: ConstantLoad::new(classes),
            both: concentrator.counts == Counts::Both,
            buffer: limit,
            line_buffer: limit,
            // Textbook queues have no ring.
            line: ServiceLine::new(!ideal),
            bursts: Bursts::new(),
            lines_up: scheduler.is_one_line(),
            scheduler,
            in_service: None,
            tx_ring: None,
            has_tx_ring: !ideal,
            shapers: vec![Shaper::new(Shape::NONE); classes],
            shaped: 0,
            now: Time(0),
            counters: PacketCounters {
                arrived: vec![0.0; classes],
                served: vec![0.0; classes],
                lost: vec![0.0; classes],
                waited: vec![(0.0, 0); classes],
                capacity: 0.0,
            },
        }
    }

    /// A train arrives; packets that are dropped go to `lost`.
    #[inline]
    pub fn arrive(&mut self, now: Time, pool: &mut PacketPool, id: PacketId, lost: &mut Vec<QueuedPacket>) -> Enqueued {
        let queued = &pool[id];
        let work = self.work(queued);
        self.counters.arrived[queued.packet.flow.class.index()] += work;
        if self.lines_up {
            return self.join_line(now, pool, id, (work, lost));
        }
        if self.in_service.is_none() {
            return Enqueued::Served(self.start_service(now, pool, id, work));
        }
        let before = lost.len();
        self.scheduler.push(pool, id, lost);
        self.count_lost(&lost[before..]);
        self.fill_tx_ring(pool);
        Enqueued::Waits
    }

    /// A train of so much work joins the line, as far as it fits.
    #[inline]
    fn join_line(
        &mut self,
        now: Time,
        pool: &mut PacketPool,
        id: PacketId,
        (mut work, lost): (f64, &mut Vec<QueuedPacket>),
    ) -> Enqueued {
        self.line.advance(now, &mut self.counters.served);
        let room = self.bursts.room(now, &pool[id], (work, self.throughput));
        let mut fits = self.line.packets_that_fit(&pool[id], self.line_buffer, room);
        if pool[id].packet.kind == PacketKind::Voice && self.constant.all() > 0.0 {
            let as_large = self.bursts.as_large(&pool[id]);
            let has_room = self.line.packets_that_fit(&as_large, self.line_buffer, None) > 0;
            fits = u16::from(has_room || !self.bursts.loses_call(&pool[id]));
        }
        if fits < pool[id].packet.count {
            let dropped = beyond(&pool[id], fits);
            self.count_lost(&[dropped]);
            lost.push(dropped);
            if fits == 0 {
                pool.drop(id);
                return Enqueued::Waits;
            }
            pool[id].truncate(fits);
            work = self.work(&pool[id]);
        }
        self.bursts.count(now, &pool[id], (work, self.throughput));
        let service = self.line.join(now, &pool[id], work, Duration::of_secs(work / self.for_packets()));
        self.count_wait(service.began, &pool[id]);
        Enqueued::Leaves(service)
    }

    /// Its line.
    pub fn line(&mut self) -> &mut ServiceLine {
        &mut self.line
    }

    fn count_lost(&mut self, lost: &[QueuedPacket]) {
        for queued in lost {
            self.counters.lost[queued.packet.flow.class.index()] += self.work(queued);
        }
    }

    /// The device dequeues a packet ahead of time.
    #[inline]
    fn fill_tx_ring(&mut self, pool: &PacketPool) {
        if self.has_tx_ring && self.tx_ring.is_none() {
            self.tx_ring = self.scheduler.pop(pool);
        }
    }

    #[inline]
    fn start_service(&mut self, now: Time, pool: &PacketPool, id: PacketId, work: f64) -> Time {
        // A line that was left in another order is served to its end.
        let began = now.max(self.line.free_at());
        self.count_wait(began, &pool[id]);
        self.in_service = Some(InService { queued: id, began, work });
        began + Duration::of_secs(work / self.for_packets())
    }

    /// Throughput that is left to packets [bit/s].
    #[inline]
    fn for_packets(&self) -> f64 {
        left_for_packets(self.throughput, self.constant.all())
    }

    /// What has arrived at a constant rate by now is counted.
    fn count_constant(&mut self, now: Time) {
        let PacketCounters { arrived, served, lost, .. } = &mut self.counters;
        self.constant.advance(now, self.throughput, [arrived, served, lost]);
    }

    /// Share of what comes at a constant rate that is lost, as it is more than the device can do.
    #[must_use]
    pub fn lost_of_constant(&self) -> f64 {
        1.0 - passes(self.throughput, self.constant.all())
    }

    /// Time that its buffer holds [s].
    #[must_use]
    pub fn buffer_time(&self) -> f64 {
        8.0 * float(self.buffer.bytes) / self.throughput
    }

    /// So much of a class arrives from now on, and is served at once [bit/s].
    pub fn add_constant(&mut self, now: Time, class: ClassId, rate: u64) {
        self.count_constant(now);
        self.constant.add(class, float(rate));
        self.share_line();
    }

    /// No longer.
    pub fn remove_constant(&mut self, now: Time, class: ClassId, rate: u64) {
        self.count_constant(now);
        self.constant.add(class, -float(rate));
        self.share_line();
    }

    /// What is constant stands in the line, too: of the buffer it has the part that it has of the throughput.
    fn share_line(&mut self) {
        self.line_buffer = self.buffer.part(self.for_packets() / self.throughput);
    }

    /// Whether a class is shaped.
    #[must_use]
    pub fn shapes(&self, class: ClassId) -> bool {
        self.shaped > 0 && !self.shapers[class.index()].is_open()
    }

    /// Whether sites or flows take turns.
    #[must_use]
    pub fn serves_lines_in_turn(&self) -> bool {
        self.scheduler.has_lines_in_turn()
    }

    /// Whether no packet that arrives now has to wait longer.
    #[must_use]
    pub fn waits_at_most(&self, now: Time, longest: Duration) -> bool {
        self.scheduler.len() == 0 && self.line.free_at() <= now + longest
    }

    /// Work per second of a call [bit/s].
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // whole bits
    pub fn call_rate(&self, codec: Codec) -> u64 {
        self.cost.stream_work(codec.packet, packets_per_second(codec)) as u64
    }

    /// A packet's service begins.
    #[inline]
    fn count_wait(&mut self, began: Time, queued: &QueuedPacket) {
        if queued.packet.direction == Direction::Down {
            let waited = &mut self.counters.waited[queued.packet.flow.class.index()];
            waited.0 += began.since(queued.at).secs();
            waited.1 += 1;
        }
    }

    /// Ends the service of a packet: gives it, the time at which its service began, and the end of the next one's.
    #[inline]
    pub fn end_service(&mut self, now: Time, pool: &PacketPool) -> Option<(PacketId, Time, Option<Time>)> {
        let InService { queued, began, work } = self.in_service.take()?;
        self.counters.served[pool[queued].packet.flow.class.index()] += work;
        let next = self.tx_ring.take().or_else(|| self.scheduler.pop(pool));
        let next = next.map(|next| self.start_service(now, pool, next, self.work(&pool[next])));
        self.fill_tx_ring(pool);
        Some((queued, began, next))
    }

    /// A packet with its sizes on the wire, encrypted and encapsulated.
    #[must_use]
    #[inline]
    pub fn encapsulate(&self, packet: Packet, inside: TrainSizes, at: Time) -> QueuedPacket {
        let TrainSizes { each, last: tail } = inside;
        if packet.kind == PacketKind::Message {
            return QueuedPacket { packet, at, size: each, last_size: tail };
        }
        let last = self.cost.wire(tail);
        QueuedPacket { packet, at, size: if tail == each { last } else { self.cost.wire(each) }, last_size: last }
    }

    fn work(&self, queued: &QueuedPacket) -> f64 {
        if queued.packet.kind == PacketKind::Message {
            #[allow(clippy::cast_precision_loss)] // a transfer's bits stay below 2^53
            return queued.bytes().cast_signed() as f64 * 8.0;
        }
        let each = self.cost.train(u32::from(queued.packet.count), queued.size, queued.last_size);
        each * f64::from(queued.packet.flow.weight)
    }

    /// Its throughput [bit/s].
    #[must_use]
    pub fn throughput(&self) -> f64 {
        self.throughput
    }

    /// Bytes on the wire of a packet of `inner` bytes.
    #[must_use]
    pub fn wire_size(&self, inner: u32) -> u32 {
        self.cost.wire(inner)
    }

    /// When a packet of a shaped class may join the queue; none if at once.
    ///
    /// # Errors
    /// If it is lost.
    #[allow(clippy::result_unit_err)] // nothing more is to be said of it
    #[inline]
    pub fn shape(&mut self, now: Time, queued: &QueuedPacket) -> Result<Option<Time>, ()> {
        if self.shaped == 0 {
            return Ok(None);
        }
        self.apply_shaper(now, queued)
    }

    /// [`Self::shape`] where some class is shaped.
    fn apply_shaper(&mut self, now: Time, queued: &QueuedPacket) -> Result<Option<Time>, ()> {
        let packet = &queued.packet;
        let class = packet.flow.class.index();
        if self.shapers[class].is_open() {
            return Ok(None);
        }
        let work = self.work(queued);
        if packet.direction == Direction::Up && packet.kind != PacketKind::Background {
            // Senders are slowed down by the shaping of what they receive; the way back only uses up the rate.
            self.shapers[class].charge(now, packet.flow.site, work);
            return Ok(None);
        }
        self.shapers[class].pass(now, packet.flow.site, work).map(Some).ok_or_else(|| {
            self.counters.arrived[class] += work;
            self.counters.lost[class] += work;
        })
    }

    /// Replaces the device: costs and buffers change, queued packets stay.
    ///
    /// # Panics
    /// If packet rate and throughput contradict each other, which `check` refuses.
    pub fn replace_device(&mut self, now: Time, concentrator: &Concentrator) {
        self.advance(now);
        self.cost = ServiceCost::of(concentrator).expect("a checked concentrator has a cost");
        self.buffer = buffer_limit(concentrator);
        self.share_line();
        self.scheduler.set_limit(self.buffer);
    }

    /// Changes the shaping of a class.
    pub fn set_shaping(&mut self, class: ClassId, shape: Shape) {
        if self.shapers[class.index()].has(shape) {
            return;
        }
        self.shapers[class.index()] = Shaper::new(shape);
        self.shaped = self.shapers.iter().fold(0, |count, shaper| count + u32::from(!shaper.is_open()));
    }

    /// Changes the throughput; the packet in service ends as it would have.
    pub fn set_rate(&mut self, now: Time, throughput: BitRate) {
        self.advance(now);
        self.throughput = throughput.bits();
        self.share_line();
    }

    /// Changes the order of service; what waits is queued anew, but what stands in a line has its place.
    pub fn set_discipline(
        &mut self,
        pool: &mut PacketPool,
        discipline: &Discipline,
        names: &[u64],
        lost: &mut Vec<QueuedPacket>,
    ) {
        let mut scheduler = Scheduler::new(discipline, names, self.buffer);
        for id in self.scheduler.waiting() {
            scheduler.push(pool, id, lost);
        }
        self.count_lost(lost);
        (self.scheduler, self.lines_up) = (scheduler, false);
    }

    /// Brings the counters to `now`.
    pub fn advance(&mut self, now: Time) {
        self.counters.capacity += self.throughput * now.since(self.now).secs();
        self.count_constant(now);
        self.line.advance(now, &mut self.counters.served);
        self.now = now;
    }

    /// Work since the start.
    #[must_use]
    pub fn counters(&self) -> &PacketCounters {
        &self.counters
    }

    /// Adds the work that is queued or in service, by class [bit]; the packet in service counts whole.
    pub fn backlog(&self, pool: &PacketPool, inside: &mut [f64]) {
        self.line.backlog(inside);
        let serving = self.in_service.iter().map(|service| service.queued);
        for id in self.scheduler.waiting().chain(self.tx_ring).chain(serving) {
            inside[pool[id].packet.flow.class.index()] += self.work(&pool[id]);
        }
    }

    /// Mean wait of packets towards sites since the last snapshot, by class [s].
    pub fn mean_waits(&mut self, waits: &mut Vec<f64>) {
        waits.clear();
        for (sum, count) in &mut self.counters.waited {
            waits.push(if *count > 0 { *sum / f64::from(*count) } else { 0.0 });
            (*sum, *count) = (0.0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ConcentratorId, SiteId};
    use crate::random::{Key, Stream};
    use crate::sim::packet::wire::FlowKey;
    use crate::units::{Bytes, NANOS};

    /// A device of 10 Mbit/s with a buffer of 20 kB, and what it tells of each packet: its number and the end of its service.
    struct Bench {
        device: PacketConcentrator,
        pool: PacketPool,
        lost: Vec<QueuedPacket>,
        ends: Option<Time>,
        served: Vec<(u32, Time)>,
    }

    impl Bench {
        fn new(lines_up: bool) -> Self {
            let device = Concentrator::new("hub".to_owned(), BitRate(10_000_000), Bytes(20_000));
            let mut device = PacketConcentrator::new(&device, false, &[0]);
            assert!(device.lines_up);
            device.lines_up = lines_up;
            Self { device, pool: PacketPool::default(), lost: Vec::new(), ends: None, served: Vec::new() }
        }

        fn serve(&mut self, until: Time) {
            while let Some(end) = self.ends.filter(|&end| end <= until) {
                let (id, _, next) = self.device.end_service(end, &self.pool).expect("one is in service");
                self.served.push((self.pool.take(id).flow.owner, end));
                self.ends = next;
            }
        }

        fn arrive(&mut self, now: Time, owner: u32, (count, bytes): (u16, u32)) {
            self.serve(now);
            let flow = FlowKey {
                owner,
                epoch: 0,
                site: SiteId(0),
                class: ClassId(0),
                concentrator: ConcentratorId(0),
                weight: 1,
            };
            let packet = Packet { count, ..Packet::control(flow, PacketKind::Data, Direction::Down, now) };
            let id = self.pool.add(QueuedPacket { packet, at: now, size: bytes, last_size: bytes });
            match self.device.arrive(now, &mut self.pool, id, &mut self.lost) {
                Enqueued::Waits => {}
                Enqueued::Served(end) => self.ends = Some(end),
                Enqueued::Leaves(service) => self.served.push((owner, service.ends)),
            }
        }
    }

    fn arrivals(stream: &mut Stream) -> Vec<(Time, (u16, u32))> {
        let mut now = 0;
        let one = |_: u32| {
            // A train lasts 3.8 ms on average, and comes 3.2 ms after the one before.
            now += u64::from(1 + stream.below(6_400_000));
            let count = [1, 2, 4, 8][stream.below(4) as usize];
            (Time(now), (count, 100 + stream.below(1_900)))
        };
        (0..2_000).map(one).collect()
    }

    #[test]
    fn a_line_serves_and_drops_what_the_scheduler_does() {
        let arrivals = arrivals(&mut Key::new(7, 0).stream(0));
        let [line, scheduler] = [true, false].map(|lines_up| {
            let mut bench = Bench::new(lines_up);
            for (&(now, train), owner) in arrivals.iter().zip(0..) {
                bench.arrive(now, owner, train);
            }
            bench.serve(Time::NEVER);
            bench.device.advance(Time(100 * NANOS));
            let lost: u64 = bench.lost.iter().map(|lost| u64::from(lost.packet.count)).sum();
            (bench.served, lost, bench.device.counters.clone())
        });
        assert!(line.1 > 100, "the buffer is full at times: {}", line.1);
        assert_eq!(line.0, scheduler.0);
        assert_eq!(line.1, scheduler.1);
        assert_eq!(line.2, scheduler.2);
    }
}
