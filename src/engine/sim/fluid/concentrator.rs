//! A concentrator at work: queues that share its throughput, and the streams that take theirs first.

use crate::model::{ClassId, Concentrator, ConcentratorId, Counts, Discipline, Ingredient, Site, SiteId, Transport};
use crate::sim::cost::{ServiceCost, TunnelLimit};
use crate::sim::discipline::{ClassQueueTerms, QueuePlan, Shape, plan};
use crate::sim::fluid::class_queue::{ClassQueue, Flood};
use crate::sim::fluid::sharing::MaxMin;
use crate::sim::fluid::site_access::{PathTerms, SiteAccess, mean_trip, nearness};
use crate::sim::fluid::standing_queue::{Refill, SharedLink};
use crate::sim::hints::{larger, smaller};
use crate::sim::turn::TransactionId;
use crate::units::{BitRate, Bytes, Time};

/// A concentrator and what is inside it.
#[derive(Clone, Debug)]
pub struct FluidConcentrator {
    pub(super) throughput: f64,
    /// Time that a bit takes at full throughput [s].
    pub(super) slow: f64,
    pub(super) buffer: f64,
    pub(super) cost: ServiceCost,
    pub(super) transport: Transport,
    pub(super) ahead_of_bursts: WaitsFor,
    /// What the queue before an access link holds [s].
    pub(super) access_buffer: f64,
    pub(super) plan: QueuePlan,
    /// The numbers of the classes' names.
    pub(super) class_names: Vec<u64>,
    pub(super) discipline: Discipline,
    pub(super) shapes: Vec<Shape>,
    pub(super) queues: Vec<ClassQueue>,
    pub(super) sites: Vec<SiteAccess>,
    /// What the widest of their access links carries [bit/s of work].
    pub(super) widest: f64,
    /// A round trip without queues: what they have on the way beside it [s].
    pub(super) trip: f64,
    /// What is kept for bursts [bit/s].
    pub(super) reserve: f64,
    /// Whether packets towards the headend queue here, too.
    pub(super) both: bool,
    /// Work of a full segment [bit].
    pub(super) full: f64,
    /// What one tunnel can carry, in bits of work per second.
    pub(super) tunnel_limit: TunnelLimit,
    pub(super) refill: Refill,
    /// Floods in force.
    pub(super) floods: Vec<Flood>,
    pub(super) now: Time,
    /// When the next flow ends, and in which lane.
    pub(super) next: (Time, usize),
    /// Bursts have put off the next end since it was told: it is no sooner than that.
    pub(super) put_off: bool,
    /// When rates were last shared out.
    pub(super) settled: Time,
    /// Work per second of streams, in all and by class, in whole bits.
    pub(super) streams: f64,
    pub(super) streaming: Vec<f64>,
    pub(super) counters: WorkCounters,
}

/// What a burst waits for: what long transfers keep standing, where all classes are one line; and bursts before it.
#[derive(Clone, Copy, Debug)]
pub struct WaitsFor {
    pub(super) standing: bool,
    pub(super) bursts: bool,
}

impl WaitsFor {
    fn of(transport: Transport, plan: &QueuePlan) -> Self {
        Self {
            standing: transport.has(Ingredient::StandingQueue) && plan.is_one_line(),
            bursts: transport.has(Ingredient::BurstQueue),
        }
    }
}

/// What went through, by class, in bits of work since the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkCounters {
    /// Work that was put in, without bursts.
    pub admitted: Vec<f64>,
    /// Work of flows that ended.
    pub served: Vec<f64>,
    /// Work that was taken out unserved.
    pub withdrawn: Vec<f64>,
    /// Work of bursts, which may still be inside.
    pub burst: Vec<f64>,
    /// Work of streams.
    pub streamed: Vec<f64>,
    /// Work that it could have done.
    pub capacity: f64,
}

/// A flow as its concentrator needs to know it.
#[derive(Clone, Copy, Debug)]
pub struct FluidFlow {
    /// Its name.
    pub flow: TransactionId,
    /// Through which concentrator.
    pub at: ConcentratorId,
    /// From which site.
    pub site: SiteId,
    /// Of which class.
    pub class: ClassId,
    /// Bits of work.
    pub work: f64,
}

impl FluidConcentrator {
    /// A concentrator with nothing inside, before these sites, for classes of these names.
    ///
    /// # Panics
    /// If packet rate and throughput contradict each other, which `check` refuses.
    #[must_use]
    pub fn new(concentrator: &Concentrator, transport: Transport, sites: &[Site], names: &[u64]) -> Self {
        let classes = names.len();
        let cost = ServiceCost::of(concentrator).expect("a checked concentrator has a cost");
        let shapes = vec![Shape::NONE; classes];
        let discipline = concentrator.order();
        let plan = plan(discipline, &shapes, names);
        let (scale, access_buffer, full) = match transport {
            Transport::Ideal => (1.0, 0.0, 0.0),
            Transport::Tcp(tcp) => (cost.per_access_bit(&tcp), tcp.access_buffer.secs(), cost.over(tcp).full()),
        };
        let tunnel_limit = TunnelLimit::of(concentrator, &cost, transport);
        let trip = mean_trip(sites);
        let trips: Vec<f64> = sites.iter().map(|site| site.rtt.secs()).collect();
        let door =
            |(site, nearness): (&Site, f64)| SiteAccess::new(site, tunnel_limit.access_rate(site, scale), nearness);
        let throughput = concentrator.carries().0.bits();
        let mut concentrator = Self {
            throughput,
            slow: 1.0 / throughput,
            buffer: concentrator.buffer.bits(),
            cost,
            transport,
            ahead_of_bursts: WaitsFor::of(transport, &plan),
            access_buffer,
            trip,
            reserve: 0.0,
            both: concentrator.counts == Counts::Both,
            full,
            class_names: names.to_vec(),
            discipline: discipline.clone(),
            shapes,
            queues: Vec::new(),
            sites: sites.iter().zip(nearness(concentrator, transport, &trips, trip)).map(door).collect(),
            widest: sites.iter().map(|site| tunnel_limit.access_rate(site, scale)).fold(0.0, larger),
            tunnel_limit,
            refill: Refill::new(),
            floods: Vec::new(),
            now: Time(0),
            next: (Time::NEVER, 0),
            put_off: false,
            settled: Time(0),
            streams: 0.0,
            streaming: vec![0.0; classes],
            plan,
            counters: WorkCounters {
                admitted: vec![0.0; classes],
                served: vec![0.0; classes],
                withdrawn: vec![0.0; classes],
                burst: vec![0.0; classes],
                streamed: vec![0.0; classes],
                capacity: 0.0,
            },
        };
        concentrator.build_queues();
        concentrator
    }

    /// Lanes as planned, with nothing in them.
    fn build_queues(&mut self) {
        let rate = self.throughput;
        let lane = |queue: &ClassQueueTerms| {
            let link = SharedLink::new(rate, queue.holds(self.buffer), self.trip, self.full, &self.refill);
            ClassQueue::new(*queue, self.plan.turns_by_flow, link, self.trip, self.sites.len())
        };
        self.queues = self.plan.queues.iter().map(lane).collect();
        self.sites.iter_mut().for_each(|door| door.busy = 0);
    }

    /// Flows inside per bit of throughput, for balancers that look.
    #[must_use]
    pub fn crowding(&self) -> f64 {
        self.queues.iter().map(|lane| lane.band.weight()).sum::<f64>() / self.throughput
    }

    /// Time that a packet of the class waits in the queue that stands now [s].
    #[must_use]
    pub fn queue_delay(&self, class: ClassId) -> f64 {
        let lane = &self.queues[self.plan.queue_of(class)];
        if self.has_caps_before_one_line() {
            return self.wait_in_one_line(lane).min(LONGEST_QUEUE);
        }
        let standing = if self.ahead_of_bursts.standing { lane.standing.bits } else { 0.0 };
        let waits = standing + lane.waiting();
        if waits <= 0.0 { 0.0 } else { (waits / lane.link.rate.max(1.0)).min(LONGEST_QUEUE) }
    }

    /// A site's access rate, in bits of work per second.
    #[must_use]
    pub fn access(&self, site: SiteId) -> f64 {
        self.sites[site.index()].access()
    }

    /// The path to a site.
    #[must_use]
    pub fn path(&self, site: SiteId) -> PathTerms {
        self.sites[site.index()].path
    }

    /// Brings the clocks to `now`.
    #[inline(always)]
    pub fn advance(&mut self, now: Time) {
        if now == self.now {
            return;
        }
        let dt = now.since(self.now).secs();
        if self.transport != Transport::Ideal {
            self.pass(dt);
        }
        self.counters.capacity += self.throughput * dt;
        if !self.floods.is_empty() {
            self.book_floods(dt);
        }
        if self.streams > 0.0 {
            for (class, rate) in self.streaming.iter().enumerate() {
                self.counters.streamed[class] += rate.min(self.throughput) * dt;
            }
        }
        self.now = now;
    }

    /// Whether all classes are in one lane: what stands there paces whoever goes through it.
    pub(super) fn one_for_all(&self) -> bool {
        self.queues.len() == 1
    }

    /// Brings each band's clock to the present; between events only those that change are.
    pub fn catch_up(&mut self, now: Time) {
        self.advance(now);
        self.queues.iter_mut().for_each(|lane| lane.band.advance(now));
    }

    /// A lane's band, its clock brought to the present, about to change.
    pub(super) fn touch(&mut self, place: usize) -> &mut MaxMin {
        let lane = &mut self.queues[place];
        lane.touched = true;
        lane.band.advance(self.now);
        &mut lane.band
    }

    /// Puts a flow in.
    pub fn admit(&mut self, job: FluidFlow) {
        let queue = self.plan.queue_of(job.class);
        self.counters.admitted[job.class.index()] += job.work;
        self.put(queue, job);
        self.reallocate();
    }

    /// Takes a flow out before its end; what it still had to get comes back [bit].
    pub fn withdraw(&mut self, job: FluidFlow) -> f64 {
        let queue = self.plan.queue_of(job.class);
        let weight = self.weight(job.site, job.class);
        let left = self.touch(queue).withdraw(job.site.0, job.flow, weight);
        let left = left.min(job.work);
        self.counters.withdrawn[job.class.index()] += left;
        self.counters.served[job.class.index()] += job.work - left;
        self.after_leaving(queue, job.site);
        self.reallocate();
        left
    }

    /// Takes out the flow that ends now, if one does: else rates change.
    pub fn finish(&mut self) -> Option<TransactionId> {
        if self.next.0 > self.now || self.put_off {
            self.reallocate();
            if self.next.0 > self.now {
                return None;
            }
        }
        let (_, flow) = self.touch(self.next.1).finish();
        Some(flow)
    }

    /// Books the end of the flow that [`FluidConcentrator::finish`] named.
    pub fn finished(&mut self, job: FluidFlow) {
        let queue = self.next.1;
        let weight = self.weight(job.site, job.class);
        self.queues[queue].band.finished(job.site.0, weight);
        self.counters.served[job.class.index()] += job.work;
        self.after_leaving(queue, job.site);
        self.reallocate();
    }

    /// Sites that get all that one tunnel can carry, and could use more.
    #[must_use]
    pub fn at_ceiling(&self) -> u32 {
        if self.tunnel_limit.rate.is_infinite() {
            return 0;
        }
        let full = |site: u32| self.queues.iter().any(|lane| lane.band.full_for(site).is_some());
        let at = |(door, site): (&SiteAccess, u32)| door.access() >= self.tunnel_limit.rate.floor() && full(site);
        self.sites.iter().zip(0_u32..).map(at).fold(0, |count, at| count + u32::from(at))
    }

    /// A call begins, or ends (`packets` per second below zero).
    pub fn add_stream(&mut self, site: SiteId, class: ClassId, packet: Bytes, packets: f64) {
        let work = self.cost.stream_work(packet, packets);
        self.streaming[class.index()] += work;
        self.streams += work;
        let taken = self.tunnel_limit.stream(&self.cost, self.per_access_bit(), packet, packets);
        let door = &mut self.sites[site.index()];
        door.add_calls(taken);
        if door.busy != 0 {
            self.share_access(site);
        }
        self.reallocate();
    }

    /// Another device: what packets cost it and what its queues hold is its own from now on.
    ///
    /// # Panics
    /// If packet rate and throughput contradict each other, which `check` refuses.
    pub fn replace_device(&mut self, concentrator: &Concentrator, sites: &[Site]) {
        let before = self.per_access_bit();
        self.cost = ServiceCost::of(concentrator).expect("a checked concentrator has a cost");
        if let Transport::Tcp(tcp) = self.transport {
            self.full = self.cost.over(tcp).full();
        }
        self.buffer = concentrator.buffer.bits();
        self.queues.iter_mut().for_each(|lane| lane.refit(lane.terms.holds(self.buffer), self.full, &self.refill));
        let after = self.per_access_bit();
        for (place, site) in sites.iter().enumerate() {
            let rate = |scale: f64| self.tunnel_limit.access_rate(site, scale);
            self.sites[place].take(rate(before) - rate(after));
            if self.sites[place].busy != 0 {
                self.share_access(SiteId::of(place));
            }
        }
    }

    /// Bits of work per bit that crosses an access link.
    pub(super) fn per_access_bit(&self) -> f64 {
        self.cost.access_scale(self.transport)
    }

    /// Changes the throughput; costs per packet change in proportion.
    /// `jobs` are all flows inside where its queues change with it ([`Self::queues_change_at`]).
    pub fn set_rate(&mut self, throughput: BitRate, jobs: Option<&[FluidFlow]>) {
        self.throughput = throughput.bits();
        self.slow = 1.0 / self.throughput;
        match jobs {
            Some(jobs) => self.rebuild(jobs),
            None => self.reallocate(),
        }
    }

    /// Whether other caps bind at such a throughput.
    #[must_use]
    pub fn queues_change_at(&self, throughput: BitRate) -> bool {
        self.caps_that_bind(throughput.bits()) != self.caps_that_bind(self.throughput)
    }

    /// The caps in force, without those above what the device or any access link carries: they hold nothing up, so that the class is
    /// queued with the others.
    fn caps_that_bind(&self, throughput: f64) -> Vec<Shape> {
        self.shapes.iter().map(|shape| self.cap_that_binds(shape, throughput)).collect()
    }

    fn cap_that_binds(&self, shape: &Shape, throughput: f64) -> Shape {
        let below = |cap: f64, most: f64| if cap < most { cap } else { f64::INFINITY };
        Shape {
            total: below(shape.total, throughput),
            per_site: below(shape.per_site, smaller(self.widest, throughput)),
        }
    }

    /// Changes the order of service; `jobs` are all flows inside with the work that they still need.
    pub fn set_discipline(&mut self, discipline: &Discipline, jobs: &[FluidFlow]) {
        self.discipline = discipline.clone();
        self.rebuild(jobs);
    }

    /// Whether another shaping of a class changes what binds.
    #[must_use]
    pub fn queues_change_with(&self, class: ClassId, shape: Shape) -> bool {
        self.cap_that_binds(&shape, self.throughput)
            != self.cap_that_binds(&self.shapes[class.index()], self.throughput)
    }

    /// Changes the shaping of a class; `jobs` are all flows inside where its queues change with it ([`Self::queues_change_with`]).
    pub fn set_shaping(&mut self, class: ClassId, shape: Shape, jobs: Option<&[FluidFlow]>) {
        self.shapes[class.index()] = shape;
        if let Some(jobs) = jobs {
            self.rebuild(jobs);
        }
    }

    /// The flows inside and the work that each still needs [bit].
    pub fn inside(&self) -> impl Iterator<Item = (TransactionId, f64, usize)> {
        let lanes = self.queues.iter().enumerate();
        lanes.flat_map(|(place, lane)| lane.band.remaining().map(move |(_, flow, left)| (flow, left, place)))
    }

    /// Weight of a flow of the class at the site.
    #[must_use]
    pub fn weight(&self, site: SiteId, class: ClassId) -> f64 {
        self.plan.flow_weight[class.index()] * self.sites[site.index()].nearness
    }

    /// Bursts of a class that wait [bit].
    #[must_use]
    pub fn backlog_of(&self, class: ClassId) -> f64 {
        self.queues[self.plan.queue_of(class)].backlog_of(class)
    }

    /// What went through.
    #[must_use]
    pub fn counters(&self) -> &WorkCounters {
        &self.counters
    }

    /// The throughput [bit/s].
    #[must_use]
    pub fn throughput(&self) -> f64 {
        self.throughput
    }

    fn rebuild(&mut self, jobs: &[FluidFlow]) {
        let backlog: Vec<f64> = (0..self.shapes.len()).map(|class| self.backlog_of(ClassId::of(class))).collect();
        self.plan = plan(&self.discipline, &self.caps_that_bind(self.throughput), &self.class_names);
        self.ahead_of_bursts = WaitsFor::of(self.transport, &self.plan);
        self.build_queues();
        // Bursts that wait go on waiting, in the queue that is theirs now.
        for (class, work) in backlog.into_iter().enumerate().filter(|(_, work)| *work > 0.0) {
            self.queues[self.plan.queue_of[class]].take_in(ClassId::of(class), work);
        }
        for &job in jobs {
            self.put(self.plan.queue_of(job.class), job);
        }
        self.reallocate();
    }

    #[inline]
    pub(super) fn put(&mut self, place: usize, job: FluidFlow) {
        let weight = self.weight(job.site, job.class);
        self.touch(place).insert(job.site.0, job.flow, job.work, weight);
        self.sites[job.site.index()].busy |= 1 << place;
        self.share_access(job.site);
    }

    #[inline]
    pub(super) fn after_leaving(&mut self, place: usize, site: SiteId) {
        let (lane, door) = (&self.queues[place], &mut self.sites[site.index()]);
        if lane.band.weight_at(site.0) <= 0.0 {
            door.busy &= !(1 << place);
        }
        if !self.one_for_all() && self.sites[site.index()].busy != 0 {
            self.share_access(site);
        }
    }
}

/// A starved queue counts for no more than this on a round trip: the sharing already lets it wait [s].
pub(super) const LONGEST_QUEUE: f64 = 2.0;
