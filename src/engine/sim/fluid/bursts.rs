//! Slow-start bursts. They are served ahead of the flows that share, which are delayed by the work.

use crate::model::{ClassId, MAX_CLASSES, SiteId};
use crate::sim::fluid::class_queue::{ClassQueue, LATELY};
use crate::sim::fluid::concentrator::FluidConcentrator;
use crate::sim::fluid::reallocate::Demands;
use crate::sim::hints::{larger, smaller};
use crate::units::{Duration, Time};

impl FluidConcentrator {
    /// Rate at which bursts of a lane of weight `own` leave: no more than its part while bursts wait in others, too.
    pub(crate) fn open(&self, place: usize, own: f64) -> f64 {
        let lane = &self.queues[place];
        let rate = lane.link.rate;
        let waits = |other: usize| {
            let other_lane = &self.queues[other];
            other != place && self.waiting_bursts(other_lane) > self.full && other_lane.terms.rank == lane.terms.rank
        };
        let others: f64 = (0..self.queues.len())
            .filter(|&other| waits(other))
            .filter_map(|other| self.queues[other].terms.weight)
            .sum();
        if others > 0.0 { rate.min(lane.left * own / (own + others)) } else { rate }
    }

    /// A burst of `work` bits is taken in; it leaves the concentrator after `through` seconds and the access link
    /// after `last`. A `paced` one comes as the acknowledgements of the window before it do.
    #[inline]
    pub fn burst(&mut self, site: SiteId, class: ClassId, work: f64, paced: bool, [through, last]: [f64; 2]) {
        let place = self.plan.queue_of(class);
        let one_for_all = self.one_for_all();
        let (lane, door) = (&mut self.queues[place], &mut self.sites[site.index()]);
        lane.take_in(class, work);
        self.counters.burst[class.index()] += work;
        // What comes in beyond the room takes the place of what transfers keep there: in one queue for all those of others
        // fill places as fast as they come free; where a class has its own, they are the ends of such bursts.
        let most = if one_for_all {
            if paced {
                lane.coming.add(work, f64::INFINITY);
            }
            self.buffer - lane.backlog + lane.coming.bits
        } else {
            if paced {
                lane.coming.add(work, 2.0 * smaller(door.access(), lane.link.rate));
            }
            self.buffer - lane.backlog
        };
        lane.standing.bits = smaller(lane.standing.bits, larger(most, 0.0));
        let now = self.now.secs();
        if lane.own_line {
            lane.own_until[site.index()] = now + through;
        }
        // Where each class has its own queue, the access link is not held for what still waits in another: only for its work.
        let held_until = now + last;
        door.free_at = if one_for_all {
            held_until
        } else {
            smaller(held_until, larger(door.free_at, now) + work * door.slowness())
        };
        lane.bursts += work / LATELY;
        let at_access = if self.sites[site.index()].busy == 0 { 0.0 } else { self.charge_access(site, place, work) };
        let reserve = self.reserve(self.capacity());
        if (reserve > 0.0) != (self.reserve > 0.0)
            || (reserve - self.reserve).abs() > 0.05 * self.throughput
            || (!self.floods.is_empty() && self.now.since(self.settled) >= OFTEN)
        {
            self.reallocate();
        }
        // Flows that give way at their site let it through here, too.
        if work > at_access {
            self.charge(place, work - at_access);
        }
    }

    /// A burst found the queue full and lost something: the transfers that keep it full lose as much.
    pub fn overflow(&mut self, class: ClassId) {
        let lane = &mut self.queues[self.plan.queue_of(class)];
        if lane.band.saturated() {
            lane.standing.lose(&lane.link);
        }
    }

    /// Flows of the site that its access link holds back, or a cap of their lane on each site, give way to a burst: there is one
    /// account for both. Gives the work for which they do [bit].
    #[inline(never)]
    fn charge_access(&mut self, site: SiteId, place: usize, work: f64) -> f64 {
        let door = &self.sites[site.index()];
        let full = self.access_binds(door, site);
        let own = door.busy & 1 << place != 0;
        let mut left = door.lanes();
        let pays = if own {
            Some(place)
        } else {
            left.find(|&lane| full && self.queues[lane].band.full_for(site.0).is_some())
        };
        let gives_way = pays.map_or(0.0, |pays| self.touch(pays).owe_at(site.0, work, LATELY));
        self.put_off |= gives_way > 0.0;
        gives_way
    }

    /// Flows that share give way to a burst: those of its own lane, else those of others.
    #[inline]
    fn charge(&mut self, place: usize, work: f64) {
        let own = self.queues[place].band.saturated();
        if self.reserve <= 0.0 && (own || !self.one_for_all()) {
            self.charge_flows(place, own, work);
        }
    }

    #[inline]
    fn charge_flows(&mut self, place: usize, own: bool, work: f64) {
        if own {
            self.touch(place).owe(work);
        } else if !self.others_pay(place, work) {
            return;
        }
        // Flows end later by this, and nothing else changes but averages, which are looked at often enough; a flood answers
        // at once.
        if self.floods.is_empty() && self.now.since(self.settled) < OFTEN {
            self.put_off = true;
        } else {
            self.reallocate();
        }
    }

    /// The lanes of the same rank whose flows share pay for a burst, or those of the next lower rank that has any: each by
    /// its weight, as each would get its part of what the burst leaves (Parekh & Gallager 1993, section II). Says whether
    /// somebody does.
    fn others_pay(&mut self, place: usize, work: f64) -> bool {
        let rank = self.queues[place].terms.rank;
        // Lanes stand in the order of their ranks.
        let shares = |other, lane: &ClassQueue| other != place && lane.wants_more();
        let all = || self.queues.iter().enumerate();
        let Some((first, lane)) = all().find(|&(other, lane)| lane.terms.rank >= rank && shares(other, lane)) else {
            return false;
        };
        let rank = lane.terms.rank;
        let pays = |other, lane: &ClassQueue| lane.terms.rank == rank && shares(other, lane);
        let weight = |lane: &ClassQueue| lane.terms.weight.unwrap_or(1.0);
        let total: f64 = all().filter(|&(other, lane)| pays(other, lane)).map(|(_, lane)| weight(lane)).sum();
        for other in first..self.queues.len() {
            let lane = &self.queues[other];
            if pays(other, lane) {
                let part = work * weight(lane) / total;
                self.touch(other).owe(part);
            }
        }
        true
    }

    /// What a lane owes whose flows do not share any more, the next one pays.
    pub(crate) fn pass_on_debts(&mut self) {
        for place in 0..self.queues.len() {
            let debt = self.queues[place].band.forgive();
            if debt > 0.0 && self.others_pay(place, debt) {
                self.queues.iter_mut().for_each(|lane| lane.ends = lane.band.next_end());
            }
        }
        self.next = (Time::NEVER, 0);
        for (place, lane) in self.queues.iter().enumerate() {
            if lane.ends < self.next.0 {
                self.next = (lane.ends, place);
            }
        }
    }

    /// What bursts need of the rate while flows would use it all up, though nobody holds them back: without it they
    /// would get more than there is.
    #[inline]
    pub(crate) fn reserve(&self, capacity: f64) -> f64 {
        // One queue needs no loop, and this is asked for at every burst.
        let of = |lane: &ClassQueue| (lane.appetite(), lane.bursts);
        let (appetite, bursts) = match &self.queues[..] {
            [only] => of(only),
            all => all.iter().map(of).fold((0.0, 0.0), |sum, lane| (sum.0 + lane.0, sum.1 + lane.1)),
        };
        let needed = appetite <= capacity && appetite + bursts > capacity;
        if needed { smaller(bursts, capacity) } else { 0.0 }
    }

    /// Where lanes share by weight, those whose bursts are more than their part for long get their part, and no more:
    /// else each would have what the others leave when they are idle, which they are not.
    pub(crate) fn limit_bursts(&self, capacity: f64, demand: &mut Demands, open: &mut [(f64, f64); MAX_CLASSES]) {
        for (lane, demand) in self.queues.iter().zip(&mut *demand) {
            demand.1 += lane.bursts;
        }
        let part = self.plan.split(capacity, demand);
        for (place, lane) in self.queues.iter().enumerate() {
            if lane.bursts > part[place] {
                open[place].0 = open[place].0.min(part[place]);
            }
        }
    }
}

/// How often that is looked at.
const OFTEN: Duration = Duration(10_000_000);
