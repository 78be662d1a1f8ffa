//! A concentrator at work: queues that share its throughput, and the streams that take theirs first.

use crate::scenario::model::{Class, ClassId, Counts, Discipline, Ingredient, MAX_CLASSES, SiteId, Transport, Unit};
use crate::sim::band::{Band, Fairness, FlowId};
use crate::sim::discipline::{Plan, Queue, Shape, plan};
use crate::sim::transport::{Cost, Crossed, Link, Standing, Turn, access_queue, fading};
use crate::units::{BitRate, Bytes, Time};

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
    /// A concentrator with nothing inside, before `sites` access links [bit/s].
    ///
    /// # Panics
    /// If packet rate and throughput contradict each other, which `check` refuses.
    #[must_use]
    pub fn new(unit: &Unit, transport: Transport, access: &[BitRate], rtt: f64, classes: usize) -> Self {
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
            pipe: rtt,
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

    /// When the next flow ends.
    #[must_use]
    pub fn next_end(&self) -> Time {
        self.next.0
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
            band.rate_for(site.0, self.plan.flow_weight[class.index()], alone)
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

    /// Transfers that share fill the buffer, lose something, and fill it again.
    fn stand(&mut self, dt: f64) {
        for (queue, band) in self.bands.iter().enumerate() {
            let saturated = band.saturated();
            if saturated || self.standing[queue].bits > 0.0 {
                let flows = if saturated { band.len() } else { 0 };
                let spare = self.drain[queue] - band.rate();
                self.standing[queue] = self.standing[queue].after(dt, flows, self.link(queue), spare);
            }
        }
    }

    /// Bursts leave at what the flows that access holds back leave of the queue's rate; their average fades.
    fn drain_bursts(&mut self, dt: f64) {
        let fades = fading(dt / LATELY);
        self.bursts.iter_mut().for_each(|rate| *rate *= fades);
        for (queue, band) in self.bands.iter().enumerate() {
            let backlog = self.backlog[queue];
            if backlog > 0.0 {
                let left = (backlog - (self.open(queue) - band.rate_capped()).max(0.0) * dt).max(0.0);
                self.backlog[queue] = left;
                self.coming[queue].pass(dt, 2.0 * self.drain[queue], left);
                for (class, part) in self.backlog_of.iter_mut().enumerate() {
                    if self.plan.queue_of[class] == queue {
                        *part *= left / backlog;
                    }
                }
            }
        }
    }

    /// Rate at which bursts of a queue leave: where queues share by weight, no more than its part while bursts wait in
    /// others, too.
    fn open(&self, queue: usize) -> f64 {
        let Some(own) = self.plan.queues[queue].weight else { return self.drain[queue] };
        let rank = self.plan.queues[queue].rank;
        let waits = |other: usize| {
            other != queue && self.waiting_bursts(other) > self.full && self.plan.queues[other].rank == rank
        };
        let others: f64 = (0..self.bands.len())
            .filter(|&other| waits(other))
            .filter_map(|other| self.plan.queues[other].weight)
            .sum();
        if others > 0.0 { self.drain[queue].min(self.throughput * own / (own + others)) } else { self.drain[queue] }
    }

    /// Whether each site, or each class at it, is served in turn with the others; and whether weights decide.
    fn manner(&self, plan: &Queue) -> (bool, bool) {
        let own_line = plan.fairness == Fairness::BySite || plan.per_site.is_finite();
        (own_line, matches!(self.discipline, Discipline::Discriminatory(_)))
    }

    /// Time that a packet of the class from the site would wait in the concentrator's queue now [s].
    #[must_use]
    pub fn wait(&self, site: SiteId, class: ClassId) -> f64 {
        let queue = self.plan.queue_of(class);
        let plan = &self.plan.queues[queue];
        let (own_line, weighs) = self.manner(plan);
        let open = self.drain[queue].min(plan.total).max(1.0);
        let found = self.found(queue, site, own_line, weighs);
        let wait = if weighs {
            0.0
        } else if own_line {
            (self.own_until[queue * self.access.len() + site.index()] - self.now.secs()).max(0.0) + found / open
        } else {
            (found + self.waiting_bursts(queue)) / open
        };
        // A lower class's packet in service, and one that the device has taken ahead, go first.
        let others: f64 =
            self.bands.iter().enumerate().filter(|(other, _)| *other != queue).map(|(_, band)| band.rate()).sum();
        let ahead = AHEAD * self.full / self.throughput * (others / self.throughput).min(1.0);
        let behind_flood =
            if self.flooded[queue].passes < 1.0 && !own_line { self.buffer / self.throughput } else { 0.0 };
        (wait.max(behind_flood) + ahead).min(LONGEST_QUEUE)
    }

    /// What long transfers keep before a burst: others are in its way where there is one queue for all, not where each
    /// has its turn.
    fn found(&self, queue: usize, site: SiteId, own_line: bool, weighs: bool) -> f64 {
        let in_the_way = !(weighs || (own_line && self.bands[queue].weight_at(site.0) <= 0.0));
        if in_the_way && self.has(Ingredient::StandingQueue) { self.standing[queue].bits } else { 0.0 }
    }

    fn waiting_bursts(&self, queue: usize) -> f64 {
        if self.has(Ingredient::BurstQueue) { self.backlog[queue] - self.coming[queue].bits } else { 0.0 }
    }

    /// What a burst of the class from the site would meet now.
    #[must_use]
    pub fn prospect(&self, site: SiteId, class: ClassId) -> Prospect {
        let queue = self.plan.queue_of(class);
        let plan = &self.plan.queues[queue];
        let band = &self.bands[queue];
        let open = self.drain[queue].min(plan.total).max(1.0);
        let (own_line, weighs) = self.manner(plan);
        let by_flow = self.plan.flow_weight[class.index()];
        let share = band.rate_for(site.0, by_flow, f64::INFINITY).min(plan.per_site);
        let alone = !band.saturated();
        let rate = if (own_line || weighs) && !alone { share } else { open.min(plan.per_site) };
        let (found, backlog) = (self.found(queue, site, own_line, weighs), self.waiting_bursts(queue));
        let access = self.access[site.index()].max(1.0);
        let full_for = self.bands.iter().filter_map(|band| band.full_for(site.0)).fold(0.0, f64::max);
        let access_wait = (self.access_until[site.index()] - self.now.secs()).max(0.0);
        let access_queue = access_queue(full_for, self.access_buffer());
        let access_room = (self.access_buffer() - access_wait - access_queue) * access;
        Prospect {
            wait: self.wait(site, class),
            // Streams may have all of it: then next to nothing is left, and a burst will share.
            rate: rate.max(1.0),
            fair: share.max(1.0),
            room: (self.buffer - found - backlog).min(access_room),
            shared: if own_line || weighs { backlog } else { 0.0 },
            access,
            access_wait,
            access_queue,
            both: self.both,
            held_back: !alone && !own_line,
        }
    }

    /// Time that a packet towards the headend waits in the concentrator's queue [s].
    #[must_use]
    pub fn up_wait(&self, site: SiteId, class: ClassId) -> f64 {
        if self.both { self.wait(site, class) } else { 0.0 }
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

    /// A burst of `work` bits is taken in; it leaves the concentrator after `through` seconds and the access link
    /// after `last`. A `paced` one comes as the acknowledgements of the window before it do.
    pub fn burst(&mut self, site: SiteId, class: ClassId, work: f64, paced: bool, [through, last]: [f64; 2]) {
        let queue = self.plan.queue_of(class);
        let now = self.now.secs();
        self.backlog[queue] += work;
        if paced {
            let own = self.access[site.index()].min(self.drain[queue]);
            let paced_by = if self.one_for_all() { f64::INFINITY } else { own };
            self.coming[queue].add(work, 2.0 * paced_by);
        }
        self.backlog_of[class.index()] += work;
        self.books.burst[class.index()] += work;
        self.books.admitted[class.index()] += work;
        // What comes in beyond the room takes the place of what transfers keep there: in one queue for all those of others
        // fill places as fast as they come free; where a class has its own, they are the ends of such bursts.
        let comes = if self.one_for_all() { self.coming[queue].bits } else { 0.0 };
        let most = (self.buffer - self.backlog[queue] + comes).max(0.0);
        self.standing[queue].bits = self.standing[queue].bits.min(most);
        let place = queue * self.access.len() + site.index();
        self.own_until[place] = now + through;
        self.access_until[site.index()] = now + last;
        self.bursts[queue] += work / LATELY;
        let reserve = self.reserve((self.throughput - self.streams).max(0.0));
        if (reserve > 0.0) != (self.reserve > 0.0) || (reserve - self.reserve).abs() > 0.05 * self.throughput {
            self.settle();
        }
        self.charge(queue, work);
    }

    /// Whether all classes are in one queue: what stands there paces whoever goes through it.
    fn one_for_all(&self) -> bool {
        self.bands.len() == 1
    }

    /// Slow start ends with more in flight than the path holds: the rest stands in the queue.
    pub fn overshoot(&mut self, class: ClassId, bits: f64) {
        let queue = self.plan.queue_of(class);
        let room = self.buffer - self.standing[queue].bits - self.backlog[queue] + self.coming[queue].bits;
        self.standing[queue].bits += bits.min(room.max(0.0));
        if bits > room {
            self.overflow(class);
        }
    }

    /// A burst found the queue full: the transfers that keep it full lose something, too.
    pub fn overflow(&mut self, class: ClassId) {
        let queue = self.plan.queue_of(class);
        if self.bands[queue].saturated() {
            self.standing[queue] = self.standing[queue].lost(self.link(queue));
        }
    }

    /// A queue as the transfers that compete for it see it.
    fn link(&self, queue: usize) -> Link {
        let rate = self.drain[queue];
        Link { buffer: self.buffer, pipe: self.pipe * rate, rate }
    }

    /// Flows that share give way to a burst: those of its own queue, else those of others.
    fn charge(&mut self, queue: usize, work: f64) {
        if self.reserve > 0.0 {
            return;
        }
        if self.bands[queue].saturated() {
            self.touch(queue).owe(work);
            self.settle();
        } else if self.others_pay(queue, work) {
            self.settle();
        }
    }

    /// The queues of the same rank whose flows share pay for a burst, or those of the next lower rank that has any: each by
    /// its weight, as each would get its part of what the burst leaves (Parekh & Gallager 1993, section II). Says whether
    /// somebody does.
    fn others_pay(&mut self, queue: usize, work: f64) -> bool {
        let (queues, bands) = (&self.plan.queues, &self.bands);
        let rank = queues[queue].rank;
        let shares = |&other: &usize| other != queue && queues[other].rank >= rank && bands[other].saturated();
        // Queues stand in the order of their ranks.
        let Some(first) = (0..bands.len()).find(shares) else { return false };
        let of_rank = |&other: &usize| queues[other].rank == queues[first].rank;
        let mut weights = [0.0; MAX_CLASSES];
        for other in (first..bands.len()).filter(shares).filter(of_rank) {
            weights[other] = queues[other].weight.unwrap_or(1.0);
        }
        let total: f64 = weights.iter().sum();
        for (other, weight) in weights.into_iter().enumerate().filter(|(_, weight)| *weight > 0.0) {
            self.touch(other).owe(work * weight / total);
        }
        true
    }

    /// What a queue owes whose flows do not share any more, the next one pays.
    fn pass_on_debts(&mut self) {
        for queue in 0..self.bands.len() {
            let debt = self.bands[queue].forgive();
            if debt > 0.0 && self.others_pay(queue, debt) {
                for other in 0..self.bands.len() {
                    self.ends[other] = self.bands[other].next_end();
                }
            }
        }
        self.next = (Time::NEVER, 0);
        for (queue, &end) in self.ends.iter().enumerate() {
            if end < self.next.0 {
                self.next = (end, queue);
            }
        }
    }

    /// What bursts need of the rate while flows would use it all up, though nobody holds them back: without it they
    /// would get more than there is.
    fn reserve(&self, capacity: f64) -> f64 {
        let appetite: f64 = self.bands.iter().map(Band::appetite).sum();
        let bursts: f64 = self.bursts.iter().sum();
        if appetite <= capacity && appetite + bursts > capacity { bursts.min(capacity) } else { 0.0 }
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
        let weight = self.plan.flow_weight[job.class.index()];
        let left = self.touch(queue).withdraw(job.site.0, job.flow, weight);
        let left = left.min(job.work);
        self.books.withdrawn[job.class.index()] += left;
        self.books.served[job.class.index()] += job.work - left;
        self.after_leaving(queue, job.site);
        self.settle();
        left
    }

    /// Takes out the flow that ends now.
    pub fn finish(&mut self) -> FlowId {
        let (_, flow) = self.touch(self.next.1).finish();
        flow
    }

    /// Books the end of the flow that [`Concentrator::finish`] named.
    pub fn finished(&mut self, job: Job) {
        let queue = self.next.1;
        self.bands[queue].finished(job.site.0, self.plan.flow_weight[job.class.index()]);
        self.books.served[job.class.index()] += job.work;
        self.after_leaving(queue, job.site);
        self.settle();
    }

    /// A site begins or ends to send so much of a class that nobody asked for, and that does not give way.
    pub fn flood(&mut self, site: SiteId, class: ClassId, rate: BitRate, begins: bool) {
        let flood = Flood { site, class, rate: rate.bits() };
        if begins {
            self.floods.push(flood);
        } else if let Some(place) = self.floods.iter().position(|other| *other == flood) {
            self.floods.swap_remove(place);
        }
        self.flooded.fill(Flooded::NONE);
        self.settle();
    }

    /// Where queues share by weight, those whose bursts are more than their part for long get their part, and no more:
    /// else each would have what the others leave when they are idle, which they are not.
    fn limit_bursts(&mut self, capacity: f64, demand: &mut [(f64, f64); MAX_CLASSES]) {
        for (queue, demand) in demand.iter_mut().enumerate().take(self.bands.len()) {
            demand.1 += self.bursts[queue];
        }
        let part = self.plan.split(capacity, demand);
        for (queue, drain) in self.drain.iter_mut().enumerate() {
            if self.bursts[queue] > part[queue] {
                *drain = drain.min(part[queue]);
            }
        }
    }

    /// What floods take of each queue's rate; the others keep the rest.
    fn flood_queues(&mut self, given: &mut [f64; MAX_CLASSES]) {
        for (queue, given) in given.iter_mut().enumerate().take(self.bands.len()) {
            let rate = flood_rate(&self.floods, &self.plan, queue);
            let sent = sent(&self.bands[queue], self.bursts[queue], self.full);
            self.flooded[queue] = flooded(&self.bands[queue], sent, *given, rate, &self.plan.queues[queue]);
            *given = (*given - self.flooded[queue].rate).max(0.0);
        }
    }

    /// Weight of a flood among flows: it sends what it sends, whether they give way or not.
    fn weight_of_flood(&self, rate: f64) -> f64 {
        const ALL: f64 = 1e9;
        let sum = |of: fn(&Band) -> f64| self.bands.iter().map(of).sum::<f64>();
        match rate {
            rate if rate <= 0.0 => 0.0,
            _ if self.transport != Transport::Ideal => ALL,
            rate => rate * sum(Band::weight) / sum(Band::appetite).max(1.0),
        }
    }

    /// What floods have brought and what of it got through.
    fn book_floods(&mut self, dt: f64) {
        for flood in &self.floods {
            let queue = self.plan.queue_of(flood.class);
            let offered = flood_rate(&self.floods, &self.plan, queue).max(f64::MIN_POSITIVE);
            let came = flood.rate.min(self.plan.queues[queue].per_site);
            let (came, served) = (came * dt, self.flooded[queue].rate * (came / offered).min(1.0) * dt);
            let class = flood.class.index();
            self.books.admitted[class] += came;
            self.books.streamed[class] += served;
            self.books.withdrawn[class] += came - served;
        }
    }

    /// Segments of a burst of the class that get past a flood, on average its share.
    pub fn past_flood(&mut self, class: ClassId, segments: u32) -> u32 {
        let queue = self.plan.queue_of(class);
        let passes = self.flooded[queue].passes;
        if passes >= 1.0 {
            return segments;
        }
        self.credit[queue] += f64::from(segments) * passes;
        let whole = self.credit[queue].floor();
        self.credit[queue] -= whole;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most all and one more
        (whole as u32).min(segments)
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

    /// Weight of a flow of the class.
    #[must_use]
    pub fn weight(&self, class: ClassId) -> f64 {
        self.plan.flow_weight[class.index()]
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
        let weight = self.plan.flow_weight[job.class.index()];
        self.touch(queue).insert(job.site.0, job.flow, job.work, weight);
        self.busy[job.site.index()] |= 1 << queue;
        self.share_access(job.site);
    }

    fn after_leaving(&mut self, queue: usize, site: SiteId) {
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
        let capacity = (self.throughput - self.streams).max(0.0);
        self.reserve = if self.transport == Transport::Ideal { 0.0 } else { self.reserve(capacity) };
        if let [band] = &mut self.bands[..] {
            let mut capacity = capacity.min(self.plan.queues[0].total);
            band.advance(self.now);
            if !self.floods.is_empty() {
                let rate = flood_rate(&self.floods, &self.plan, 0);
                let sent = sent(band, self.bursts[0], self.full);
                self.flooded[0] = flooded(band, sent, capacity, rate, &self.plan.queues[0]);
                capacity -= self.flooded[0].rate;
            }
            band.settle((capacity - self.reserve).max(0.0));
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

/// Bursts that are taken in and still come, as the acknowledgements of the window before them do: twice as fast as that left
/// the access link (where all are in one queue: that queue), and together not faster than twice the queue's rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Coming {
    bits: f64,
    /// Of all together [bit/s].
    rate: f64,
}

impl Coming {
    fn add(&mut self, work: f64, rate: f64) {
        self.bits += work;
        self.rate += rate;
    }

    /// Time passes; no more than `most` bits are left, and they come no faster than `together`. Bursts end one by one, and
    /// the rate with them.
    fn pass(&mut self, dt: f64, together: f64, most: f64) {
        if self.bits > 0.0 {
            let left = (self.bits - self.rate.min(together) * dt).clamp(0.0, most);
            self.rate = if left > 0.0 { self.rate * (left / self.bits) } else { 0.0 };
            self.bits = left;
        }
    }
}

/// A site that sends what nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Flood {
    site: SiteId,
    class: ClassId,
    rate: f64,
}

/// What floods do to a queue.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Flooded {
    /// Their rate of service [bit/s].
    rate: f64,
    /// Share of the others' packets that find room.
    passes: f64,
}

impl Flooded {
    const NONE: Self = Self { rate: 0.0, passes: 1.0 };
}

/// `full` is the work of a full segment; none where transport is ideal.
fn sent(band: &Band, bursts: f64, full: f64) -> Sent {
    #[allow(clippy::cast_precision_loss)] // flows under way
    let at_least = band.len() as f64 * full / LEAST_TIMEOUT + bursts;
    Sent { could: band.appetite() + bursts, at_least, gives_way: full > 0.0 }
}

/// What floods bring to a queue, each within the caps on its site [bit/s].
fn flood_rate(floods: &[Flood], plan: &Plan, queue: usize) -> f64 {
    let shape = &plan.queues[queue];
    let here = floods.iter().filter(|flood| plan.queue_of(flood.class) == queue);
    here.map(|flood| flood.rate.min(shape.per_site)).sum::<f64>().min(shape.total)
}

/// How a flood of `rate` and the flows of a queue share `capacity`. Where sites share, it is one of them. First in first
/// out serves all in proportion to what they send: flows that do not give way send what they `could`; those of TCP leave
/// the flood what it takes while that is less than all, and beyond hardly send at all.
fn flooded(band: &Band, sent: Sent, capacity: f64, rate: f64, plan: &Queue) -> Flooded {
    if rate <= 0.0 || rate + sent.could <= capacity {
        return Flooded { rate: rate.min(capacity), passes: 1.0 };
    }
    if plan.fairness == Fairness::BySite {
        return Flooded { rate: band.fair_beside(rate, capacity), passes: 1.0 };
    }
    if sent.gives_way && rate < capacity {
        return Flooded { rate, passes: 1.0 };
    }
    let others = if sent.gives_way { sent.at_least.min(sent.could) } else { sent.could };
    Flooded { rate: capacity * rate / (rate + others), passes: capacity / (rate + others) }
}

/// What the flows of a queue send [bit/s].
#[derive(Clone, Copy, Debug)]
struct Sent {
    /// If nothing but their access held them back.
    could: f64,
    /// If next to everything is lost: a segment in each time-out.
    at_least: f64,
    /// Whether losses slow them down.
    gives_way: bool,
}

/// What a burst meets on its way to its site.
#[derive(Clone, Copy, Debug)]
pub struct Prospect {
    /// Time in the concentrator's queue before its first packet is served [s].
    pub wait: f64,
    /// Rate of service there [bit/s].
    pub rate: f64,
    /// Rate that a flow gets which shares with the others [bit/s].
    pub fair: f64,
    /// Bits that the queue still takes; less than none if it is over full.
    pub room: f64,
    /// Bits of others that are served in turn with it.
    pub shared: f64,
    /// Rate of the access link [bit/s of work].
    pub access: f64,
    /// Time until the access link has sent what is before it [s].
    pub access_wait: f64,
    /// Time that packets wait in the queue that long transfers of the site keep before its access link [s].
    pub access_queue: f64,
    /// Whether packets towards the headend wait in the concentrator's queue, too.
    pub both: bool,
    /// Whether the queue's flows fill it, whatever site they are from.
    pub held_back: bool,
}

impl Prospect {
    /// What a burst meets where nobody else is.
    #[must_use]
    pub fn idle(rate: f64, access: f64) -> Self {
        let (wait, shared, access_wait, access_queue) = (0.0, 0.0, 0.0, 0.0);
        let (fair, room, both, held_back) = (rate, f64::INFINITY, false, false);
        Self { wait, rate, fair, room, shared, access, access_wait, access_queue, both, held_back }
    }
}

/// A sender that hears nothing tries again after this time at the earliest [s].
const LEAST_TIMEOUT: f64 = 0.2;
/// Time over which what comes in bursts is averaged [s].
const LATELY: f64 = 1.0;
/// Packets of other classes that are served before the first of a burst although they rank lower.
const AHEAD: f64 = 0.9;

/// A starved queue counts for no more than this on a round trip: the sharing already lets it wait [s].
const LONGEST_QUEUE: f64 = 2.0;
