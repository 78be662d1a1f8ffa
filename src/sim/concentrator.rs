//! A concentrator at work: queues that share its throughput, and the streams that take theirs first.

mod burst;
mod flood;
mod prospect;
mod standing;

use crate::scenario::model::{Class, ClassId, Counts, Discipline, Ingredient, MAX_CLASSES, SiteId, Transport, Unit};
use crate::sim::band::{Band, FlowId};
use crate::sim::discipline::{Plan, Shape, plan};
use crate::sim::transport::{Cost, Crossed, Standing, Turn};
use crate::sim::windows::Windows;
use crate::units::{BitRate, Bytes, Time};
use burst::Coming;
use flood::{Flood, Flooded, flood_rate, flooded, sent};
pub use prospect::Prospect;
use standing::{mean, nearness, windows_of};

/// A concentrator and what is inside it.
#[derive(Clone, Debug)]
pub struct Concentrator {
    throughput: f64,
    buffer: f64,
    cost: Cost,
    transport: Transport,
    plan: Plan,
    discipline: Discipline,
    shapes: Vec<Shape>,
    bands: Vec<Band>,
    /// What long transfers keep standing before each band.
    standing: Vec<Standing>,
    /// A round trip without queues: what they have on the way beside it [s].
    pipe: f64,
    /// By site: what a flow of it weighs for its round trip.
    nearness: Vec<f64>,
    /// Where all are in one queue: what its flows may have on the way, and when that is to be looked at again.
    windows: Option<Windows>,
    wake: Time,
    /// Rate that each band could have if it wanted more [bit/s].
    drain: Vec<f64>,
    /// Bursts before each band [bit], and their classes' parts in it.
    backlog: Vec<f64>,
    backlog_of: Vec<f64>,
    /// Part of it that is still to come: windows after the first arrive as fast again as they leave.
    coming: Vec<Coming>,
    /// What comes in bursts lately, and what is kept for it [bit/s].
    bursts: Vec<f64>,
    reserve: f64,
    /// When the bursts of a site are through its own queue (by queue, then site), and when its access link is free [s].
    own_until: Vec<f64>,
    access_until: Vec<f64>,
    /// Whether packets towards the headend queue here, too.
    both: bool,
    /// Work of a full segment [bit].
    full: f64,
    /// Access rate of each site, less its streams, in bits of work per second; what one tunnel can carry.
    access: Vec<f64>,
    ceiling: f64,
    /// Floods in force, what they do to each queue, and the part of a segment that has got through.
    floods: Vec<Flood>,
    flooded: Vec<Flooded>,
    credit: Vec<f64>,
    /// Queues with flows at each site, a bit each.
    busy: Vec<u16>,
    now: Time,
    next: (Time, usize),
    /// Bursts have put off the next end since it was told: it is no sooner than that.
    put_off: bool,
    /// When rates were last shared out.
    settled: Time,
    /// By band: when its next flow ends, the capacity that it has, and whether it was touched since.
    ends: Vec<Time>,
    given: Vec<f64>,
    touched: Vec<bool>,
    /// Streams: number, work per second in all and by class.
    calls: u32,
    calls_limit: Option<u32>,
    streams: f64,
    streaming: Vec<f64>,
    books: Books,
}

/// What went through, by class, in bits of work since the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Books {
    /// Work that was put in.
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
pub struct Job {
    /// Its name.
    pub flow: FlowId,
    /// From which site.
    pub site: SiteId,
    /// Of which class.
    pub class: ClassId,
    /// Bits of work.
    pub work: f64,
}

impl Concentrator {
    /// A concentrator with nothing inside, before the `access` links of sites [bit/s] with their round `trips` [s].
    ///
    /// # Panics
    /// If packet rate and throughput contradict each other, which `check` refuses.
    #[must_use]
    pub fn new(unit: &Unit, transport: Transport, access: &[BitRate], trips: &[f64], classes: usize) -> Self {
        let cost = Cost::of(unit).expect("a checked unit has a cost");
        let shapes = vec![Shape::NONE; classes];
        let discipline = unit.order(&unit.discipline);
        let plan = plan(discipline, &shapes);
        let scale = match transport {
            Transport::Ideal => 1.0,
            Transport::Tcp(tcp) => cost.per_access_bit(&tcp),
        };
        let ceiling = unit.per_tunnel.map_or(f64::INFINITY, BitRate::bits);
        let bands = plan.queues.iter().map(|queue| Band::new(access.len(), queue.fairness)).collect();
        Self {
            throughput: unit.carries().0.bits(),
            buffer: unit.buffer.bits(),
            cost,
            transport,
            standing: vec![Standing::default(); plan.queues.len()],
            pipe: mean(trips),
            nearness: nearness(unit, transport, trips),
            windows: windows_of(transport, &plan),
            wake: Time::NEVER,
            drain: vec![unit.carries().0.bits(); plan.queues.len()],
            backlog: vec![0.0; plan.queues.len()],
            backlog_of: vec![0.0; classes],
            coming: vec![Coming::default(); plan.queues.len()],
            bursts: vec![0.0; plan.queues.len()],
            reserve: 0.0,
            own_until: vec![0.0; access.len() * plan.queues.len()],
            access_until: vec![0.0; access.len()],
            both: unit.counts == Counts::Both,
            full: match transport {
                Transport::Ideal => 0.0,
                Transport::Tcp(tcp) => cost.packet(tcp.segment.0 + tcp.headers.0),
            },
            discipline: discipline.clone(),
            shapes,
            bands,
            access: access.iter().map(|rate| (rate.bits() * scale).min(ceiling).round()).collect(),
            ceiling,
            floods: Vec::new(),
            flooded: vec![Flooded::NONE; plan.queues.len()],
            credit: vec![0.0; plan.queues.len()],
            busy: vec![0; access.len()],
            now: Time(0),
            next: (Time::NEVER, 0),
            put_off: false,
            settled: Time(0),
            ends: vec![Time::NEVER; plan.queues.len()],
            given: vec![0.0; plan.queues.len()],
            touched: vec![true; plan.queues.len()],
            calls: 0,
            calls_limit: unit.streams,
            streams: 0.0,
            streaming: vec![0.0; classes],
            plan,
            books: Books {
                admitted: vec![0.0; classes],
                served: vec![0.0; classes],
                withdrawn: vec![0.0; classes],
                burst: vec![0.0; classes],
                streamed: vec![0.0; classes],
                capacity: 0.0,
            },
        }
    }

    /// Work of one turn of a transaction of the class, after what has crossed before it [bit].
    #[must_use]
    pub fn work(&self, class: &Class, turn: &Turn, before: Crossed) -> f64 {
        match self.transport {
            Transport::Ideal => turn.response.bits(),
            Transport::Tcp(tcp) => self.cost.turn(&tcp, class, turn, before),
        }
    }

    /// When the next flow ends, or rates change by themselves.
    #[must_use]
    pub fn next_end(&self) -> Time {
        self.next.0.min(self.wake)
    }

    /// Flows inside per bit of throughput, for balancers that look.
    #[must_use]
    pub fn crowding(&self) -> f64 {
        self.bands.iter().map(Band::weight).sum::<f64>() / self.throughput
    }

    /// Time that a packet of the class waits in the queue that stands now [s].
    #[must_use]
    pub fn queue_delay(&self, class: ClassId) -> f64 {
        let queue = self.plan.queue_of(class);
        let waits = self.standing[queue].bits + self.backlog[queue] - self.coming[queue].bits;
        if waits <= 0.0 { 0.0 } else { (waits / self.drain[queue].max(1.0)).min(LONGEST_QUEUE) }
    }

    /// A site's access rate, in bits of work per second.
    #[must_use]
    pub fn access(&self, site: SiteId) -> f64 {
        self.access[site.index()]
    }

    /// Rate that a flow arriving now would get, in bits of work per second.
    #[must_use]
    pub fn rate_for(&self, site: SiteId, class: ClassId) -> f64 {
        let queue = self.plan.queue_of(class);
        let alone = self.access[site.index()];
        let band = &self.bands[queue];
        if band.weight_at(site.0) > 0.0 || band.saturated() {
            band.rate_for(site.0, self.weight(site, class), alone)
        } else {
            alone
        }
    }

    /// Brings the clocks to `now`.
    pub fn advance(&mut self, now: Time) {
        if now == self.now {
            return;
        }
        let dt = now.since(self.now).secs();
        if self.transport != Transport::Ideal {
            self.stand(dt);
            self.drain_bursts(dt);
        }
        self.books.capacity += self.throughput * dt;
        self.book_floods(dt);
        if self.calls > 0 {
            for (class, rate) in self.streaming.iter().enumerate() {
                self.books.streamed[class] += rate.min(self.throughput) * dt;
            }
        }
        self.now = now;
    }

    fn has(&self, ingredient: Ingredient) -> bool {
        match self.transport {
            Transport::Ideal => false,
            Transport::Tcp(tcp) => tcp.has(ingredient),
        }
    }

    fn access_buffer(&self) -> f64 {
        match self.transport {
            Transport::Ideal => 0.0,
            Transport::Tcp(tcp) => tcp.access_buffer.secs(),
        }
    }

    /// Whether all classes are in one queue: what stands there paces whoever goes through it.
    fn one_for_all(&self) -> bool {
        self.bands.len() == 1
    }

    /// Brings each band's clock to the present; between events only those that change are.
    pub fn catch_up(&mut self, now: Time) {
        self.advance(now);
        self.bands.iter_mut().for_each(|band| band.advance(now));
    }

    /// A band, its clock brought to the present, about to change.
    fn touch(&mut self, queue: usize) -> &mut Band {
        self.touched[queue] = true;
        let band = &mut self.bands[queue];
        band.advance(self.now);
        band
    }

    /// Puts a flow in.
    pub fn admit(&mut self, job: Job) {
        let queue = self.plan.queue_of(job.class);
        self.books.admitted[job.class.index()] += job.work;
        self.put(queue, job);
        self.settle();
    }

    /// Takes a flow out before its end; what it still had to get comes back [bit].
    pub fn withdraw(&mut self, job: Job) -> f64 {
        let queue = self.plan.queue_of(job.class);
        let weight = self.weight(job.site, job.class);
        let left = self.touch(queue).withdraw(job.site.0, job.flow, weight);
        let left = left.min(job.work);
        self.books.withdrawn[job.class.index()] += left;
        self.books.served[job.class.index()] += job.work - left;
        self.after_leaving(queue, job.site);
        self.settle();
        left
    }

    /// Takes out the flow that ends now, if one does: else rates change.
    pub fn finish(&mut self) -> Option<FlowId> {
        if self.next.0 > self.now || self.put_off {
            self.settle();
            if self.next.0 > self.now {
                return None;
            }
        }
        let (_, flow) = self.touch(self.next.1).finish();
        Some(flow)
    }

    /// Books the end of the flow that [`Concentrator::finish`] named.
    pub fn finished(&mut self, job: Job) {
        let queue = self.next.1;
        let weight = self.weight(job.site, job.class);
        self.bands[queue].finished(job.site.0, weight);
        self.books.served[job.class.index()] += job.work;
        self.after_leaving(queue, job.site);
        self.settle();
    }

    /// Sites that get all that one tunnel can carry, and could use more.
    #[must_use]
    pub fn at_ceiling(&self) -> u32 {
        if self.ceiling.is_infinite() {
            return 0;
        }
        let at = |site: u32| {
            self.access[site as usize] >= self.ceiling.floor()
                && self.bands.iter().any(|band| band.full_for(site).is_some())
        };
        (0_u32..).take(self.access.len()).filter(|&site| at(site)).fold(0, |count, _| count + 1)
    }

    /// Starts a stream if there is room; says whether it did.
    pub fn call(&mut self, site: SiteId, class: ClassId, packet: Bytes, per_second: f64) -> bool {
        if self.calls_limit.is_some_and(|limit| self.calls >= limit) {
            return false;
        }
        self.calls += 1;
        self.stream(site, class, packet, per_second);
        true
    }

    /// Ends a stream.
    pub fn hang_up(&mut self, site: SiteId, class: ClassId, packet: Bytes, per_second: f64) {
        self.calls -= 1;
        self.stream(site, class, packet, -per_second);
    }

    fn stream(&mut self, site: SiteId, class: ClassId, packet: Bytes, per_second: f64) {
        let work = self.cost.stream(packet.0, per_second.abs()).round().copysign(per_second);
        self.streaming[class.index()] += work;
        self.streams += work;
        self.access[site.index()] -= work;
        if self.busy[site.index()] != 0 {
            self.share_access(site);
        }
        self.settle();
    }

    /// Changes the throughput; costs per packet change in proportion.
    pub fn resize(&mut self, throughput: BitRate) {
        self.throughput = throughput.bits();
        self.settle();
    }

    /// Changes the order of service; `jobs` are all flows inside with the work that they still need.
    pub fn serve(&mut self, discipline: &Discipline, jobs: &[Job]) {
        self.discipline = discipline.clone();
        self.rebuild(jobs);
    }

    /// Changes the shaping of a class.
    pub fn shape(&mut self, class: ClassId, shape: Shape, jobs: &[Job]) {
        self.shapes[class.index()] = shape;
        self.rebuild(jobs);
    }

    /// The flows inside and the work that each still needs [bit].
    pub fn inside(&self) -> impl Iterator<Item = (FlowId, f64, usize)> {
        self.bands
            .iter()
            .enumerate()
            .flat_map(|(queue, band)| band.remaining().map(move |(_, flow, left)| (flow, left, queue)))
    }

    /// Weight of a flow of the class at the site.
    #[must_use]
    pub fn weight(&self, site: SiteId, class: ClassId) -> f64 {
        self.plan.flow_weight[class.index()] * self.nearness[site.index()]
    }

    /// Bursts that wait, by class [bit].
    #[must_use]
    pub fn backlog_by_class(&self) -> &[f64] {
        &self.backlog_of
    }

    /// What went through.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// Calls in progress.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.calls
    }

    /// The throughput [bit/s].
    #[must_use]
    pub fn throughput(&self) -> f64 {
        self.throughput
    }

    fn rebuild(&mut self, jobs: &[Job]) {
        self.plan = plan(&self.discipline, &self.shapes);
        let sites = self.access.len();
        self.bands = self.plan.queues.iter().map(|queue| Band::new(sites, queue.fairness)).collect();
        self.standing = vec![Standing::default(); self.bands.len()];
        self.windows = windows_of(self.transport, &self.plan);
        self.backlog = vec![0.0; self.bands.len()];
        self.backlog_of.fill(0.0);
        self.coming = vec![Coming::default(); self.bands.len()];
        self.bursts = vec![0.0; self.bands.len()];
        self.own_until = vec![0.0; sites * self.bands.len()];
        self.drain = vec![self.throughput; self.bands.len()];
        self.flooded = vec![Flooded::NONE; self.bands.len()];
        self.credit = vec![0.0; self.bands.len()];
        self.ends = vec![Time::NEVER; self.bands.len()];
        self.given = vec![0.0; self.bands.len()];
        self.touched = vec![true; self.bands.len()];
        self.busy.fill(0);
        for &job in jobs {
            self.put(self.plan.queue_of(job.class), job);
        }
        self.settle();
    }

    fn put(&mut self, queue: usize, job: Job) {
        let weight = self.weight(job.site, job.class);
        self.touch(queue).insert(job.site.0, job.flow, job.work, weight);
        self.busy[job.site.index()] |= 1 << queue;
        self.share_access(job.site);
    }

    fn after_leaving(&mut self, queue: usize, site: SiteId) {
        if let Some(windows) = &mut self.windows {
            windows.lose_one(self.bands[queue].len() + 1);
        }
        if self.bands[queue].weight_at(site.0) <= 0.0 {
            self.busy[site.index()] &= !(1 << queue);
        }
        if self.bands.len() > 1 && self.busy[site.index()] != 0 {
            self.share_access(site);
        }
    }

    /// Splits a site's access link over its busy queues.
    fn share_access(&mut self, site: SiteId) {
        let access = self.access[site.index()].max(0.0);
        let busy = self.busy[site.index()];
        if busy.is_power_of_two() {
            let queue = busy.trailing_zeros() as usize;
            self.limit(queue, site, access.min(self.plan.queues[queue].per_site));
            return;
        }
        let mut demand = [(0.0, 0.0); MAX_CLASSES];
        for (queue, plan) in self.plan.queues.iter().enumerate() {
            if busy & (1 << queue) != 0 {
                let weight = plan.weight.unwrap_or_else(|| self.bands[queue].weight_at(site.0));
                demand[queue] = (weight, access.min(plan.per_site));
            }
        }
        let given = self.plan.split(access, &demand);
        for (queue, &cap) in given.iter().enumerate().take(self.bands.len()) {
            if busy & (1 << queue) != 0 {
                self.limit(queue, site, cap);
            }
        }
    }

    fn limit(&mut self, queue: usize, site: SiteId, cap: f64) {
        if self.bands[queue].would_limit(site.0, cap) {
            self.touch(queue).limit(site.0, cap);
        }
    }

    /// Splits the throughput over the queues and finds what ends next. A band that was not touched and has the
    /// capacity that it had goes on as it was.
    fn settle(&mut self) {
        (self.put_off, self.settled) = (false, self.now);
        let capacity = (self.throughput - self.streams).max(0.0);
        self.reserve = if self.transport == Transport::Ideal { 0.0 } else { self.reserve(capacity) };
        let filled = self.filled();
        if let [band] = &mut self.bands[..] {
            let mut capacity = capacity.min(self.plan.queues[0].total);
            band.advance(self.now);
            if !self.floods.is_empty() {
                let rate = flood_rate(&self.floods, &self.plan, 0);
                let sent = sent(band, self.bursts[0], self.full);
                self.flooded[0] = flooded(band, sent, capacity, rate, &self.plan.queues[0]);
                capacity -= self.flooded[0].rate;
            }
            band.settle((capacity - self.reserve).max(0.0) * filled);
            let _ = band.forgive();
            self.drain[0] = capacity;
            self.next = (band.next_end(), 0);
            return;
        }
        let mut demand = [(0.0, 0.0); MAX_CLASSES];
        for (queue, (plan, band)) in self.plan.queues.iter().zip(&self.bands).enumerate() {
            let flood = flood_rate(&self.floods, &self.plan, queue);
            let weight = plan.weight.unwrap_or_else(|| band.weight() + self.weight_of_flood(flood));
            demand[queue] = (weight, (band.appetite() + flood).min(plan.total));
        }
        let mut given = self.plan.split((capacity - self.reserve).max(0.0), &demand);
        if !self.floods.is_empty() {
            self.flood_queues(&mut given);
        }
        let mut standing = false;
        for (queue, &given) in given.iter().enumerate().take(self.bands.len()) {
            if self.touched[queue] || self.given[queue].to_bits() != given.to_bits() {
                let band = &mut self.bands[queue];
                band.advance(self.now);
                band.settle(given);
                self.ends[queue] = band.next_end();
                self.given[queue] = given;
                self.touched[queue] = false;
            }
            standing |= self.standing[queue].bits > 0.0 || self.bands[queue].saturated();
        }
        self.pass_on_debts();
        if standing || self.transport != Transport::Ideal {
            let open = self.plan.open_to(capacity, &demand, &given);
            self.drain.copy_from_slice(&open[..self.bands.len()]);
            if self.plan.shares_by_weight() {
                self.limit_bursts(capacity, &mut demand);
            }
            // Bursts of higher ranks go first.
            let mut above = (0.0, 0.0, 0);
            for (queue, plan) in self.plan.queues.iter().enumerate() {
                if plan.rank != above.2 {
                    above = (above.0 + above.1, 0.0, plan.rank);
                }
                above.1 += self.bursts[queue];
                self.drain[queue] = (self.drain[queue] - above.0 - self.flooded[queue].rate).max(0.0);
            }
        }
    }
}

/// A starved queue counts for no more than this on a round trip: the sharing already lets it wait [s].
const LONGEST_QUEUE: f64 = 2.0;
