//! What a burst would meet now: on its way through the queue and the access link.

use super::{Concentrator, LONGEST_QUEUE};
use crate::scenario::model::{ClassId, Discipline, Ingredient, SiteId};
use crate::sim::band::Fairness;
use crate::sim::discipline::Queue;
use crate::sim::transport::access_queue;

impl Concentrator {
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
        let ahead = if self.one_for_all() { 0.0 } else { self.ahead(queue) };
        let behind_flood =
            if self.flooded[queue].passes < 1.0 && !own_line { self.buffer / self.throughput } else { 0.0 };
        (wait.max(behind_flood) + ahead).min(LONGEST_QUEUE)
    }

    /// A lower class's packet in service, and one that the device has taken ahead, go first [s].
    fn ahead(&self, queue: usize) -> f64 {
        let others: f64 =
            self.bands.iter().enumerate().filter(|(other, _)| *other != queue).map(|(_, band)| band.rate()).sum();
        let slow = 1.0 / self.throughput;
        AHEAD * self.full * slow * (others * slow).min(1.0)
    }

    /// Whether each site, or each class at it, is served in turn with the others; and whether weights decide.
    fn manner(&self, plan: &Queue) -> (bool, bool) {
        let own_line = plan.fairness == Fairness::BySite || plan.per_site.is_finite();
        (own_line, matches!(self.discipline, Discipline::Discriminatory(_)))
    }

    /// What long transfers keep before a burst: others are in its way where there is one queue for all, not where each
    /// has its turn.
    fn found(&self, queue: usize, site: SiteId, own_line: bool, weighs: bool) -> f64 {
        let in_the_way = !(weighs || (own_line && self.bands[queue].weight_at(site.0) <= 0.0));
        if in_the_way && self.has(Ingredient::StandingQueue) { self.standing[queue].bits } else { 0.0 }
    }

    pub(super) fn waiting_bursts(&self, queue: usize) -> f64 {
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
        let by_flow = self.weight(site, class);
        let share = band.rate_for(site.0, by_flow, f64::INFINITY).min(plan.per_site);
        let alone = !band.saturated();
        let rate = if (own_line || weighs) && !alone { share } else { open.min(plan.per_site) };
        let (found, backlog) = (self.found(queue, site, own_line, weighs), self.waiting_bursts(queue));
        let access = self.access[site.index()].max(1.0);
        let full_for = self.bands.iter().filter_map(|band| band.full_for(site.0)).fold(0.0, f64::max);
        let access_wait = (self.access_until[site.index()] - self.now.secs()).max(0.0);
        let access_queue = access_queue(full_for, self.access_buffer());
        let access_room = (self.access_buffer() - access_wait - access_queue) * access;
        // Streams may have all of it: then next to nothing is left, and a burst will share.
        let rate = rate.max(1.0);
        Prospect {
            wait: self.wait(site, class),
            rate,
            slowness: 1.0 / rate,
            fair: share.max(1.0),
            room: (self.buffer - found - backlog).min(access_room),
            shared: if own_line || weighs { backlog } else { 0.0 },
            access,
            access_slowness: 1.0 / access,
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
}

/// What a burst meets on its way to its site.
#[derive(Clone, Copy, Debug)]
pub struct Prospect {
    /// Time in the concentrator's queue before its first packet is served [s].
    pub wait: f64,
    /// Rate of service there [bit/s], and the time that a bit takes [s].
    pub rate: f64,
    /// See `rate`.
    pub slowness: f64,
    /// Rate that a flow gets which shares with the others [bit/s].
    pub fair: f64,
    /// Bits that the queue still takes; less than none if it is over full.
    pub room: f64,
    /// Bits of others that are served in turn with it.
    pub shared: f64,
    /// Rate of the access link [bit/s of work], and the time that a bit takes [s].
    pub access: f64,
    /// See `access`.
    pub access_slowness: f64,
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
        Self {
            wait: 0.0,
            rate,
            slowness: 1.0 / rate,
            fair: rate,
            room: f64::INFINITY,
            shared: 0.0,
            access,
            access_slowness: 1.0 / access,
            access_wait: 0.0,
            access_queue: 0.0,
            both: false,
            held_back: false,
        }
    }
}

/// Packets of other classes that are served before the first of a burst although they rank lower.
const AHEAD: f64 = 0.9;
