//! Bursts: windows of senders that start. They go before the flows that share, which pay for them.

use super::Concentrator;
use crate::scenario::model::{ClassId, MAX_CLASSES, SiteId};
use crate::sim::band::Band;
use crate::sim::transport::fading;
use crate::units::{Span, Time};

impl Concentrator {
    /// Bursts leave at what the flows that access holds back leave of the queue's rate; their average fades.
    pub(super) fn drain_bursts(&mut self, dt: f64) {
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

    /// Slow start ends with more in flight than the path holds: the rest stands in the queue.
    pub fn overshoot(&mut self, class: ClassId, bits: f64) {
        let queue = self.plan.queue_of(class);
        let room = self.buffer - self.standing[queue].bits - self.backlog[queue] + self.coming[queue].bits;
        self.standing[queue].bits += bits.min(room.max(0.0));
        if bits > room {
            self.overflow(class, (bits - room) / self.full);
        }
    }

    /// A burst found the queue full and lost some segments: the transfers that keep it full lose as many.
    pub fn overflow(&mut self, class: ClassId, segments: f64) {
        let queue = self.plan.queue_of(class);
        if self.bands[queue].saturated() {
            let link = self.link(queue);
            self.standing[queue] = self.standing[queue].lost(link);
            if let Some(windows) = &mut self.windows {
                windows.lose(segments.max(1.0), link);
            }
            self.wake = self.time_of_change();
        }
    }

    /// Flows that share give way to a burst: those of its own queue, else those of others.
    fn charge(&mut self, queue: usize, work: f64) {
        if self.reserve > 0.0 {
            return;
        }
        if self.bands[queue].saturated() {
            self.touch(queue).owe(work);
        } else if !self.others_pay(queue, work) {
            return;
        }
        // Flows end later by this, and nothing else changes but averages, which are looked at often enough; a flood answers
        // at once.
        if self.floods.is_empty() && self.now.since(self.settled) < OFTEN {
            self.put_off = true;
        } else {
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
    pub(super) fn pass_on_debts(&mut self) {
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
    pub(super) fn reserve(&self, capacity: f64) -> f64 {
        let appetite: f64 = self.bands.iter().map(Band::appetite).sum();
        let bursts: f64 = self.bursts.iter().sum();
        if appetite <= capacity && appetite + bursts > capacity { bursts.min(capacity) } else { 0.0 }
    }

    /// Where queues share by weight, those whose bursts are more than their part for long get their part, and no more:
    /// else each would have what the others leave when they are idle, which they are not.
    pub(super) fn limit_bursts(&mut self, capacity: f64, demand: &mut [(f64, f64); MAX_CLASSES]) {
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
}

/// Bursts that are taken in and still come, as the acknowledgements of the window before them do: twice as fast as that left
/// the access link (where all are in one queue: that queue), and together not faster than twice the queue's rate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Coming {
    pub bits: f64,
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

/// Time over which what comes in bursts is averaged [s].
const LATELY: f64 = 1.0;
/// How often that is looked at.
const OFTEN: Span = Span(10_000_000);
