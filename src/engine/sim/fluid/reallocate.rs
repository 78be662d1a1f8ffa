//! Reallocation: the throughput is split over the class queues, and a site's access link over those that it is busy in.

use crate::model::{MAX_CLASSES, SiteId, Transport};
use crate::sim::fluid::concentrator::FluidConcentrator;
use crate::sim::fluid::floods::{flood_rate, flooded, sent};
use crate::sim::hints::{larger, smaller};
use crate::units::Time;

/// Weight and greatest useful rate of each lane.
pub(crate) type Demands = [(f64, f64); MAX_CLASSES];

impl FluidConcentrator {
    /// Splits the throughput over the lanes and finds what ends next.
    pub(crate) fn reallocate(&mut self) {
        (self.put_off, self.settled) = (false, self.now);
        let capacity = self.capacity();
        self.reserve = if matches!(self.transport, Transport::Ideal) { 0.0 } else { self.reserve(capacity) };
        if self.one_for_all() { self.settle_one(capacity) } else { self.settle_all(capacity) }
    }

    /// What streams leave of the throughput [bit/s].
    pub(crate) fn capacity(&self) -> f64 {
        larger(self.throughput - self.streams, 0.0)
    }

    fn settle_one(&mut self, capacity: f64) {
        let lane = &mut self.queues[0];
        let mut capacity = capacity.min(lane.terms.total);
        lane.band.advance(self.now);
        if !self.floods.is_empty() {
            let rate = flood_rate(&self.floods, &self.plan, 0);
            let sent = sent(&lane.band, lane.bursts, self.full);
            lane.flooded = flooded(&lane.band, sent, capacity, rate, &lane.terms);
            capacity -= lane.flooded.rate;
        }
        lane.band.settle((capacity - self.reserve).max(0.0));
        let _ = lane.band.forgive();
        if lane.flooded.rate > 0.0 {
            // What the others do not use a flood takes, as far as it goes.
            let unused = larger(capacity - lane.band.rate() - lane.bursts, 0.0);
            lane.flooded.rate = smaller(lane.flooded.rate + unused, flood_rate(&self.floods, &self.plan, 0));
        }
        if capacity.to_bits() != lane.link.rate.to_bits() {
            lane.open(capacity);
        }
        self.next = (lane.band.next_end(), 0);
    }

    /// A band that was not touched and has the capacity that it had goes on as it was.
    fn settle_all(&mut self, capacity: f64) {
        let mut demand = [(0.0, 0.0); MAX_CLASSES];
        for ((place, lane), demand) in self.queues.iter().enumerate().zip(&mut demand) {
            let flood = flood_rate(&self.floods, &self.plan, place);
            let weight = lane.terms.weight.unwrap_or_else(|| lane.band.weight() + self.weight_of_flood(flood));
            *demand = (weight, (lane.band.appetite() + flood).min(lane.terms.total));
        }
        let mut given = self.plan.split((capacity - self.reserve).max(0.0), &demand);
        if !self.floods.is_empty() {
            self.flood_queues(&mut given);
        }
        for (lane, &given) in self.queues.iter_mut().zip(&given) {
            if lane.touched || lane.given.to_bits() != given.to_bits() {
                lane.band.advance(self.now);
                lane.band.settle(given);
                lane.ends = lane.band.next_end();
                (lane.given, lane.touched) = (given, false);
            }
            if lane.terms.total.is_finite() {
                // Who is below its cap queues with the others.
                lane.link.buffer = if lane.is_at_cap() { lane.terms.holds(self.buffer) } else { self.buffer };
            }
        }
        self.pass_on_debts();
        if self.transport != Transport::Ideal {
            self.open_lanes(capacity, &mut demand, &given);
            self.look_ahead();
        }
    }

    /// What lets a packet of each lane wait although it ranks higher: a lower class's packet in service, and one that the
    /// device has taken ahead.
    fn look_ahead(&mut self) {
        let all = self.queues.len();
        for place in 0..all {
            let others: f64 =
                (0..all).filter(|&other| other != place).map(|other| self.queues[other].band.rate()).sum();
            self.queues[place].ahead = AHEAD * self.full * self.slow * smaller(others * self.slow, 1.0);
        }
    }

    /// The rate that each lane could have if it wanted more; bursts of higher ranks go first.
    fn open_lanes(&mut self, capacity: f64, demand: &mut Demands, given: &[f64; MAX_CLASSES]) {
        let mut bursts = [0.0; MAX_CLASSES];
        self.queues.iter().zip(&mut bursts).for_each(|(lane, bursts)| *bursts = lane.bursts);
        let mut open = self.plan.open_to(capacity, demand, given, &bursts);
        if self.plan.shares_by_weight() {
            self.limit_bursts(capacity, demand, &mut open);
        }
        for (lane, (open, left)) in self.queues.iter_mut().zip(open) {
            lane.left = left;
            lane.open((open - lane.flooded.rate).max(0.0));
        }
    }

    /// Splits a site's access link over its busy lanes.
    pub(crate) fn share_access(&mut self, site: SiteId) {
        let door = &self.sites[site.index()];
        let access = door.access().max(0.0);
        if let Some(place) = door.only_lane() {
            self.limit(place, site, access.min(self.queues[place].terms.per_site));
            return;
        }
        let mut demand = [(0.0, 0.0); MAX_CLASSES];
        for place in door.lanes() {
            let lane = &self.queues[place];
            let weight = lane.terms.weight.unwrap_or_else(|| lane.band.weight_at(site.0));
            demand[place] = (weight, access.min(lane.terms.per_site).min(lane.terms.total));
        }
        let given = self.plan.split(access, &demand);
        for place in self.sites[site.index()].lanes() {
            self.limit(place, site, given[place]);
        }
    }

    fn limit(&mut self, place: usize, site: SiteId, cap: f64) {
        if self.queues[place].band.would_limit(site.0, cap) {
            self.touch(place).limit(site.0, cap);
        }
    }

    /// When the next flow ends.
    #[must_use]
    pub fn next_end(&self) -> Time {
        self.next.0
    }
}

/// Packets of other classes that are served before the first of a burst although they rank lower.
const AHEAD: f64 = 0.9;
