//! The state of a path: the waits and rates that a burst would meet now at the class queue and the access link.

use crate::model::{ClassId, SiteId};
use crate::sim::fluid::class_queue::ClassQueue;
use crate::sim::fluid::concentrator::{FluidConcentrator, LONGEST_QUEUE};
use crate::sim::fluid::site_access::{PathState, SiteAccess};
use crate::sim::fluid::standing_queue::{access_queue, size};
use crate::sim::hints::{larger, smaller};

impl FluidConcentrator {
    /// Time that a packet of the class from the site would wait in the concentrator's queue now [s].
    #[must_use]
    #[inline]
    pub fn wait(&self, site: SiteId, class: ClassId) -> f64 {
        let lane = &self.queues[self.plan.queue_of(class)];
        self.wait_in(lane, site, self.found(lane, site))
    }

    /// The same where so much was `found` standing [bit].
    #[inline]
    fn wait_in(&self, lane: &ClassQueue, site: SiteId, found: f64) -> f64 {
        let wait = if !lane.in_turn() {
            if self.has_caps_before_one_line() {
                self.wait_in_one_line(lane)
            } else {
                (found + self.waiting_bursts(lane)) * lane.slow
            }
        } else if lane.weighs {
            0.0
        } else {
            larger(lane.own_until[site.index()] - self.now.secs(), 0.0) + found * lane.slow
        };
        let behind_flood = if lane.flooded.passes < 1.0 && !lane.own_line { self.buffer * self.slow } else { 0.0 };
        smaller(larger(wait, behind_flood) + lane.ahead, LONGEST_QUEUE)
    }

    /// Whether all classes are in one line, before which caps hold some of them back.
    pub(super) fn has_caps_before_one_line(&self) -> bool {
        self.ahead_of_bursts.standing && self.queues.len() > 1
    }

    /// Wait in a line that all classes share, behind the queue of the lane's own cap where that holds it back [s]. The lanes that the device
    /// holds back keep one queue standing together, and each of them knows how long it is.
    pub(super) fn wait_in_one_line(&self, lane: &ClassQueue) -> f64 {
        let in_line = |lane: &&ClassQueue| !lane.is_at_cap();
        let standing = self.queues.iter().filter(in_line).map(|lane| lane.standing.bits).fold(0.0, larger);
        let bursts: f64 = self.queues.iter().filter(in_line).map(|lane| self.waiting_bursts(lane)).sum();
        let common = (standing + bursts) / larger(self.capacity(), 1.0);
        let before = if lane.is_at_cap() { (lane.standing.bits + self.waiting_bursts(lane)) * lane.slow } else { 0.0 };
        common + before
    }

    /// What long transfers keep before a burst: others are in its way where there is one queue for all, not where each
    /// has its turn.
    #[inline]
    fn found(&self, lane: &ClassQueue, site: SiteId) -> f64 {
        let in_the_way = !(lane.in_turn() && (lane.weighs || lane.band.weight_at(site.0) <= 0.0));
        if in_the_way && self.ahead_of_bursts.standing { lane.standing.bits } else { 0.0 }
    }

    pub(crate) fn waiting_bursts(&self, lane: &ClassQueue) -> f64 {
        if self.ahead_of_bursts.bursts { lane.waiting() } else { 0.0 }
    }

    /// What a burst of the class from the site would meet now.
    #[must_use]
    #[inline]
    pub fn path_state(&self, site: SiteId, class: ClassId) -> PathState {
        let (lane, door) = (&self.queues[self.plan.queue_of(class)], &self.sites[site.index()]);
        // Asked for first, as nothing else has to be put aside for it then.
        let access_queue = self.queue_at(door, site);
        let by_flow = self.plan.flow_weight[class.index()] * door.nearness;
        let at_site = lane.band.weight_at(site.0);
        let of_access = door.access() * (by_flow / (at_site + by_flow));
        let share = smaller(lane.band.fair_share(site.0, by_flow), smaller(lane.terms.per_site, of_access));
        let share = larger(share, 1.0);
        let alone = !lane.band.saturated();
        let slowness = if lane.in_turn() && !alone { 1.0 / share } else { lane.slowness };
        let (found, backlog) = (self.found(lane, site), self.waiting_bursts(lane));
        let access_wait = larger(door.free_at - self.now.secs(), 0.0);
        let access_room = (self.access_buffer - access_wait - access_queue) * larger(door.access(), 1.0);
        PathState {
            wait: self.wait_in(lane, site, found),
            slowness,
            fair: share,
            room: smaller(self.buffer - found - backlog, access_room),
            shared: if lane.in_turn() { backlog } else { 0.0 },
            access_slowness: door.slowness(),
            access_wait,
            access_queue,
            both: self.both,
            held_back: !alone && !lane.own_line,
        }
    }

    /// Time that packets wait in the queue that long transfers of the site keep before its access link [s].
    #[must_use]
    pub fn access_queue(&self, site: SiteId) -> f64 {
        self.queue_at(&self.sites[site.index()], site)
    }

    #[inline]
    fn queue_at(&self, door: &SiteAccess, site: SiteId) -> f64 {
        let longest = match &self.queues[..] {
            _ if door.busy == 0 => 0.0,
            [only] if only.terms.per_site >= door.access() => only.band.full_for(site.0).unwrap_or(0.0),
            _ if !self.access_binds(door, site) => 0.0,
            _ => self.longest_full(door, site),
        };
        if longest <= 0.0 {
            return 0.0;
        }
        let holds = door.access() * (door.path.rtt + self.access_buffer);
        access_queue(longest, self.access_buffer, size(holds, self.full))
    }

    /// Whether what a site's lanes may take comes to all that its access link carries; caps on each site may leave some of it.
    pub(crate) fn access_binds(&self, door: &SiteAccess, site: SiteId) -> bool {
        let rate = |lane: usize| self.queues[lane].band.cap_at(site.0);
        door.lanes().map(rate).sum::<f64>() >= door.access() * (1.0 - 1e-9)
    }

    /// For how long the site's access has been what holds back the flows of a lane: the longest of several [s].
    #[inline(never)]
    fn longest_full(&self, door: &SiteAccess, site: SiteId) -> f64 {
        door.lanes().filter_map(|place| self.queues[place].band.full_for(site.0)).fold(0.0, larger)
    }

    /// Time that a small packet waits on its round trip [s].
    #[must_use]
    pub fn waits(&self, site: SiteId, class: ClassId) -> f64 {
        self.small_wait(site, class) + self.access_queue(site) + self.up_wait(site, class)
    }

    /// Time that a small packet, which comes alone, waits in the concentrator's queue [s].
    pub(super) fn small_wait(&self, site: SiteId, class: ClassId) -> f64 {
        self.wait(site, class) + self.turn_of(site, class)
    }

    /// Time until it is its turn where there is a line for each flow or each site: every other one sends a packet first, as far
    /// as the buffer holds one of each [s].
    fn turn_of(&self, site: SiteId, class: ClassId) -> f64 {
        let lane = &self.queues[self.plan.queue_of(class)];
        if !lane.in_turn() || !lane.band.saturated() {
            return 0.0;
        }
        let weight = self.plan.flow_weight[class.index()];
        smaller(self.full * weight / larger(lane.band.fair_share(site.0, weight), 1.0), self.buffer * self.slow)
    }

    /// The same for a packet that comes `after` seconds from now: bursts that wait now will have left by then.
    #[must_use]
    #[inline]
    pub fn up_wait_in(&self, site: SiteId, class: ClassId, after: f64) -> f64 {
        if !self.both {
            return 0.0;
        }
        let lane = &self.queues[self.plan.queue_of(class)];
        let wait = self.wait(site, class);
        let bursts = if lane.in_turn() { wait } else { self.waiting_bursts(lane) * lane.slow };
        larger(wait - smaller(bursts, after), 0.0) + self.turn_of(site, class)
    }

    /// Time that a packet towards the headend waits in the concentrator's queue [s].
    #[must_use]
    #[inline]
    pub fn up_wait(&self, site: SiteId, class: ClassId) -> f64 {
        if self.both { self.small_wait(site, class) } else { 0.0 }
    }
}
