//! A concentrator in a forecast: its lanes, what each is asked for, and how it is with them.

use crate::model::{Concentrator, Counts, Ingredient, MAX_CLASSES, Transport};
use crate::sim::cost::ServiceCost;
use crate::sim::discipline::{QueuePlan, Shape, plan};
use crate::sim::fluid::sharing::Fairness;
use crate::sim::fluid::standing_queue::{FILL_TIME, size};
use crate::study::forecast::actions::ACTIONS;
use crate::study::forecast::group::{Group, level, wanted};
use crate::study::forecast::lane::{Flows, StandingTable, burst_wait, delayed, share};
use crate::units::float;

/// Bursts that would wait for longer share, as at flow fidelity [s].
const MOST_WAIT: f64 = 0.5;

/// A lane.
#[derive(Clone, Debug, Default)]
pub struct Lane {
    /// Rate that it could have if it wanted more [bit/s].
    pub open: f64,
    /// Probability that it is full.
    pub full: f64,
    /// Transfers in it, on average.
    pub flows: f64,
    /// Transfers in it while it is full.
    pub flows_full: f64,
    /// Share of a flow of weight one while it is full [bit/s].
    pub share: f64,
    /// What comes in bursts [bit/s].
    pub bursts: f64,
    /// The mean square of a burst over its mean [bit].
    pub batch: f64,
    /// Bursts beyond what can be carried [bit].
    pub backlog: f64,
    /// What stands before it while it is full [bit].
    pub stands: f64,
    /// Share of that time in which the queue is full to the brim.
    pub at_brim: f64,
    /// For how long those have shared that are inside, on average [s].
    pub lasts: f64,
    /// How many more transfers than usual chance can have gathered since it became busy: its standard deviation.
    pub drift: f64,
    table: Option<(f64, StandingTable)>,
}

/// A concentrator.
#[derive(Clone, Debug)]
pub struct ConcentratorState {
    /// As it is now.
    pub terms: Concentrator,
    /// Its throughput now, brown-outs and all [bit/s].
    pub rate: f64,
    /// What calls take of it [bit/s].
    pub calls: f64,
    /// By class: what sites send that nobody asked for [bit/s of each].
    pub floods: Vec<Vec<f64>>,
    /// Its queues.
    pub plan: QueuePlan,
    /// Their state.
    pub lanes: Vec<Lane>,
    /// Work of a full segment [bit].
    pub segment: f64,
    /// A round trip without queues [s].
    trip: f64,
    names: Vec<u64>,
    transport: Transport,
    /// Transfers at a site, by kind of sites.
    pub at_site: Vec<f64>,
    /// What bursts bring to a site, by kind of sites [bit/s].
    pub site_bursts: Vec<f64>,
    /// What of them waits before its access link [bit].
    pub site_backlog: Vec<f64>,
    /// What one transfer gets where no other is at its site, by kind of sites [bit/s].
    pub alone: Vec<f64>,
}

impl ConcentratorState {
    /// One with nothing inside.
    #[must_use]
    pub fn new(terms: &Concentrator, transport: Transport, trip: f64, names: &[u64], kinds: usize) -> Self {
        let mut concentrator = Self {
            terms: terms.clone(),
            rate: terms.carries().0.bits(),
            calls: 0.0,
            floods: vec![Vec::new(); names.len()],
            plan: plan(terms.order(), &vec![Shape::NONE; names.len()], names),
            lanes: Vec::new(),
            segment: 0.0,
            trip,
            names: names.to_vec(),
            transport,
            at_site: vec![0.0; kinds],
            site_bursts: vec![0.0; kinds],
            site_backlog: vec![0.0; kinds],
            alone: vec![f64::INFINITY; kinds],
        };
        concentrator.refit(&vec![Shape::NONE; names.len()]);
        concentrator
    }

    /// Another device, order of service or caps.
    pub fn refit(&mut self, shapes: &[Shape]) {
        let below = |cap: f64| if cap < self.rate { cap } else { f64::INFINITY };
        let shapes: Vec<Shape> =
            shapes.iter().map(|shape| Shape { total: below(shape.total), per_site: below(shape.per_site) }).collect();
        self.plan = plan(self.terms.order(), &shapes, &self.names);
        self.lanes = vec![Lane { open: self.rate, ..Lane::default() }; self.plan.queues.len()];
        let cost = ServiceCost::of(&self.terms);
        self.segment = match (self.transport, cost) {
            (Transport::Tcp(tcp), Some(cost)) => cost.over(tcp).full(),
            _ => 0.0,
        };
    }

    /// Whether packets towards the headend queue here, too.
    #[must_use]
    pub fn both(&self) -> bool {
        self.terms.counts == Counts::Both
    }

    /// Whether long transfers keep a queue standing that others wait in.
    #[must_use]
    pub fn has_standing(&self) -> bool {
        self.transport.has(Ingredient::StandingQueue) && self.plan.is_one_line()
    }

    /// Whether a lane's sites or flows take turns: by flow, and by site.
    #[must_use]
    pub fn turns(&self, lane: usize) -> (bool, bool) {
        let terms = &self.plan.queues[lane];
        let by_site = terms.fairness == Fairness::BySite || terms.per_site.is_finite();
        (self.plan.turns_by_flow, by_site)
    }

    /// The transfers of a group as a lane sees them.
    fn flows(&self, group: &Group) -> Flows {
        let lane = self.plan.queue_of[group.class];
        let (_, by_site) = self.turns(lane);
        // Bursts go first.
        let left = (group.access - self.site_bursts[group.kind]).max(0.02 * group.access);
        Flows {
            count: group.in_progress.inside(),
            at_site: self.at_site[group.kind],
            access: left.min(self.plan.queues[lane].per_site),
            weight: self.plan.flow_weight[group.class],
            by_site,
        }
    }

    /// A step of `dt` seconds: what each lane is given, how full it is, and what one of its transfers gets. Gives the work that is
    /// done [bit].
    pub fn pass(&mut self, groups: &mut [&mut Group], dt: f64) -> f64 {
        self.look_at_sites(groups, dt);
        let flows: Vec<Flows> = groups.iter().map(|group| self.flows(group)).collect();
        for (group, flows) in groups.iter_mut().zip(&flows) {
            group.rate = flows.rate(f64::INFINITY).min(self.rate);
            group.rate_full = group.rate;
        }
        let capacity = (self.rate - self.calls).max(1.0);
        let of_lane: Vec<Vec<usize>> = (0..self.lanes.len())
            .map(|lane| (0..groups.len()).filter(|at| self.plan.queue_of[groups[*at].class] == lane).collect())
            .collect();
        let wanted: Vec<f64> = of_lane.iter().map(|members| wanted(groups, members, dt)).collect();
        for (lane, members) in self.lanes.iter_mut().zip(&of_lane) {
            lane.count(groups, members);
        }
        let demand: Vec<(f64, f64)> = (0..self.lanes.len())
            .map(|at| {
                let terms = &self.plan.queues[at];
                let lane = &self.lanes[at];
                let wants = (wanted[at] + lane.bursts + lane.backlog / dt + self.flood(at)).min(terms.total);
                (terms.weight.unwrap_or_else(|| lane.flows.max(1.0)), wants)
            })
            .collect();
        let given = self.plan.split(capacity, &demand);
        let open = self.open(capacity, &demand, &given);
        let spread = self.spread(groups, &of_lane, &wanted);
        let mut flooded = 0.0;
        for at in 0..self.lanes.len() {
            let asked = wanted[at] + self.lanes[at].bursts;
            let flood = self.flooded(at, given[at], asked);
            flooded += flood * dt;
            let given = (given[at] - flood).max(1.0);
            self.lanes[at].open = open[at];
            let (mean, deviation, most) = self.holds_up(at, asked, spread[at], capacity);
            let is_full = asked > given * (1.0 + 1e-9);
            self.lanes[at].full = if is_full { 1.0 } else { delayed(mean, deviation, most) };
            self.lanes[at].gather(groups, &of_lane[at], mean / most, dt);
            self.share_out(groups, (&of_lane[at], &flows), at, (given, mean, most), dt);
        }
        self.look_at_those_alone(groups);
        let done =
            |group: &&mut Group| group.in_progress.passing(group.starts * dt, group.rate * dt).done + group.bursts * dt;
        flooded + groups.iter().map(done).sum::<f64>()
    }

    /// What is at a site of each kind.
    fn look_at_sites(&mut self, groups: &[&mut Group], dt: f64) {
        self.at_site.iter_mut().chain(&mut self.site_bursts).for_each(|sum| *sum = 0.0);
        for group in groups {
            self.at_site[group.kind] += group.in_progress.inside() / group.sites;
            self.site_bursts[group.kind] += group.bursts / group.sites;
        }
        for kind in 0..self.at_site.len() {
            let Some(access) = groups.iter().find(|group| group.kind == kind).map(|group| group.access) else {
                continue;
            };
            let waits = self.site_backlog[kind] + (self.site_bursts[kind] - access) * dt;
            self.site_backlog[kind] = waits.clamp(0.0, MOST_WAIT * access);
        }
    }

    /// What a transfer gets that is alone at its site.
    fn look_at_those_alone(&mut self, groups: &[&mut Group]) {
        for (kind, alone) in self.alone.iter_mut().enumerate() {
            let of_kind = groups.iter().filter(|group| group.kind == kind);
            let (sum, all) = of_kind.fold((0.0, 0.0), |(sum, all), group| {
                let lane = &self.lanes[self.plan.queue_of[group.class]];
                let one = if lane.full >= 1.0 { lane.share.min(group.access) } else { group.access };
                let inside = group.in_progress.inside();
                (sum + inside * one, all + inside)
            });
            *alone = if all > 0.0 { sum / all } else { f64::INFINITY };
        }
    }

    /// The rate that each lane could have if it wanted more [bit/s].
    fn open(&self, capacity: f64, demand: &[(f64, f64)], given: &[f64; MAX_CLASSES]) -> Vec<f64> {
        let (mut bursts, mut flows) = ([0.0; MAX_CLASSES], [0.0; MAX_CLASSES]);
        for (at, lane) in self.lanes.iter().enumerate() {
            bursts[at] = lane.bursts;
            flows[at] = (given[at] - lane.bursts).max(0.0);
        }
        let wants: Vec<(f64, f64)> = demand
            .iter()
            .zip(&self.lanes)
            .map(|((weight, wants), lane)| (*weight, (wants - lane.bursts).max(0.0)))
            .collect();
        let open = self.plan.open_to(capacity, &wants, &flows, &bursts);
        open[..self.lanes.len()].iter().map(|(open, _)| open.max(1.0)).collect()
    }

    /// What holds a lane up: what is wanted of it on average, with the standard deviation, and how much it carries [bit/s].
    fn holds_up(&self, at: usize, asked: f64, all: (f64, f64, f64), capacity: f64) -> (f64, f64, f64) {
        let (queue, (mean, deviation, own)) = (&self.plan.queues[at], all);
        if queue.total.is_finite() {
            (asked, own, queue.total.min(capacity))
        } else if queue.weight.is_some() {
            // Whatever the others want, its part is its own.
            (asked, own, self.lanes[at].open)
        } else {
            (mean, deviation, capacity)
        }
    }

    /// What floods bring to a lane, each within the cap on its site [bit/s].
    fn flood(&self, lane: usize) -> f64 {
        let terms = &self.plan.queues[lane];
        let here = self.floods.iter().enumerate().filter(|(class, _)| self.plan.queue_of[*class] == lane);
        here.flat_map(|(_, floods)| floods).map(|flood| flood.min(terms.per_site)).sum::<f64>().min(terms.total)
    }

    /// What floods take of what a lane is given, beside others who ask for so much ([`crate::sim::fluid::floods`]) [bit/s].
    fn flooded(&self, lane: usize, given: f64, asked: f64) -> f64 {
        let flood = self.flood(lane);
        if flood <= 0.0 || flood + asked <= given {
            return flood.min(given);
        }
        let (_, by_site) = self.turns(lane);
        if by_site {
            // It is one of the sites.
            let sites = 1.0 + float(self.at_site.len() as u64) * self.lanes[lane].flows.max(1.0);
            return flood.min((given - asked).max(given / sites));
        }
        flood.min(given)
    }

    /// By lane: what all that go before it or with it want on average, the standard deviation of that, and of what it wants itself
    /// [bit/s].
    fn spread(&self, groups: &[&mut Group], of_lane: &[Vec<usize>], wanted: &[f64]) -> Vec<(f64, f64, f64)> {
        let one = |lane: usize| {
            let flows = of_lane[lane].iter().map(|at| &*groups[*at]);
            let variance: f64 = flows.map(|group| group.in_progress.inside() * group.rate * group.rate).sum();
            let wants = wanted[lane] + self.lanes[lane].bursts;
            // No more comes past a cap than it lets through.
            let kept = (self.plan.queues[lane].total / wants.max(1.0)).min(1.0);
            (wants * kept, variance * kept * kept)
        };
        let all: Vec<(f64, f64)> = (0..of_lane.len()).map(one).collect();
        let before = |lane: usize, other: usize| self.plan.queues[other].rank <= self.plan.queues[lane].rank;
        (0..all.len())
            .map(|lane| {
                let held_up = (0..all.len()).filter(|other| before(lane, *other)).map(|other| all[other]);
                let (mean, variance) = held_up.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
                (mean, variance.sqrt(), all[lane].1.sqrt())
            })
            .collect()
    }

    /// What one transfer of each group gets in a step, on average and while the lane is full.
    fn share_out(
        &mut self,
        groups: &mut [&mut Group],
        (members, flows): (&[usize], &[Flows]),
        at: usize,
        (given, mean, most): (f64, f64, f64),
        dt: f64,
    ) {
        let left = (given - self.lanes[at].bursts).max(0.02 * given);
        let lane = &mut self.lanes[at];
        if lane.full >= 1.0 {
            lane.share = level(groups, members, flows, left * dt, dt, lane.share);
            lane.flows_full = lane.flows;
            for place in members {
                groups[*place].rate = flows[*place].rate(lane.share);
                groups[*place].rate_full = groups[*place].rate;
            }
        } else {
            // While it is full a few more are inside than fill it: a geometric number of them, or as many as chance has gathered.
            let used = (mean / most).min(0.999);
            let filling = lane.flows / used.max(1e-6);
            lane.flows_full = filling + (used / (1.0 - used)).min(lane.drift);
            let scale = lane.flows_full / lane.flows.max(1e-9);
            let crowd: Vec<Flows> =
                members.iter().map(|place| Flows { count: flows[*place].count * scale, ..flows[*place] }).collect();
            let own = (most - (mean - wanted(groups, members, dt))).max(0.05 * most);
            if lane.full > 1e-4 && lane.flows > 1e-6 {
                lane.share = share(&crowd, own);
                for place in members {
                    let full = flows[*place].rate(lane.share);
                    groups[*place].rate_full = full;
                    groups[*place].rate += lane.full * (full - groups[*place].rate);
                }
            }
        }
        // Bursts go before what shares: only those beyond all that the lane is given wait on.
        lane.backlog = (lane.backlog + (lane.bursts - given) * dt).clamp(0.0, MOST_WAIT * lane.open);
        self.stand(at);
    }

    /// What stands before a lane while it is full.
    fn stand(&mut self, at: usize) {
        let (stands, buffer) = (self.has_standing(), self.plan.queues[at].holds(self.terms.buffer.bits()));
        let (trip, segment) = (self.trip, self.segment);
        let lane = &mut self.lanes[at];
        (lane.stands, lane.at_brim) = (0.0, 0.0);
        if !stands || lane.full <= 1e-4 {
            return;
        }
        let known = lane.table.as_ref().is_some_and(|(rate, _)| (rate / lane.open - 1.0).abs() < 0.1);
        if !known {
            lane.table = Some((lane.open, StandingTable::new(lane.open, buffer, trip, segment)));
        }
        let Some((_, table)) = &lane.table else { return };
        let found = table.of(lane.flows_full);
        let grown = if lane.full >= 1.0 {
            1.0
        } else {
            // How long it is full at a time, against how long a queue takes to fill.
            let used = (lane.flows / lane.flows_full).min(0.999);
            let spell = lane.lasts / (lane.flows_full * (1.0 - used)).max(1e-9);
            let holds = size(lane.open * trip + buffer, segment.max(1.0));
            spell / (spell + FILL_TIME * holds / lane.flows_full.max(1.0).sqrt())
        };
        (lane.stands, lane.at_brim) = (found.bits * grown, found.at_brim * grown);
    }

    /// Mean wait of a burst behind others of its lane [s].
    #[must_use]
    pub fn burst_wait(&self, lane: usize) -> f64 {
        if !self.transport.has(Ingredient::BurstQueue) {
            return 0.0;
        }
        let lane = &self.lanes[lane];
        burst_wait(lane.bursts, lane.batch, lane.open) + lane.backlog / lane.open
    }
}

impl Lane {
    /// Chance gathers transfers while it is busy: as many as a random walk has gone (Kingman's heavy traffic, before its balance).
    fn gather(&mut self, groups: &[&mut Group], members: &[usize], used: f64, dt: f64) {
        const BUSY: f64 = 0.7;
        if used < BUSY {
            self.drift *= (1.0 - dt / self.lasts.max(dt)).max(0.0);
            return;
        }
        let of = |at: &usize| {
            let group = &groups[*at];
            let mean = crate::stats::mean(&group.shared);
            let squares = group.shared.iter().map(|x| x * x).sum::<f64>() / float(ACTIONS as u64);
            (group.starts * mean, group.starts * squares)
        };
        let (work, squares) = members.iter().map(of).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        // Work that varies, in transfers as large as those that are inside.
        let each = squares / work.max(1e-9);
        let variance = squares / (each * each).max(1e-9);
        self.drift = (self.drift * self.drift + variance * dt).sqrt();
    }

    /// Counts what is in it.
    fn count(&mut self, groups: &[&mut Group], members: &[usize]) {
        let all = || members.iter().map(|at| &*groups[*at]);
        self.flows = all().map(|group| group.in_progress.inside()).sum();
        self.bursts = all().map(|group| group.bursts).sum();
        self.batch = all().map(|group| group.bursts * group.batch).sum::<f64>() / self.bursts.max(1e-9);
        // Of those that are inside: half of their time has passed.
        let long = |group: &Group| group.in_progress.work_inside(&group.shared) / group.rate.max(1.0);
        self.lasts = all().map(long).sum::<f64>() / self.flows.max(1e-9) / 2.0;
    }
}
