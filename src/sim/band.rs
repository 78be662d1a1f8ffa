//! A band: flows that share a capacity max-min fairly, each site within its access link.
//!
//! Every busy site *i* has a weight and a cap; its rate is `min(weight * level, cap)`, where the level is as
//! high as the capacity allows (water-filling; Bertsekas & Gallager, Data Networks, section 6.5.2). Inside a
//! site, flows share by their weights. Sites below their cap are *shared*: they all ride one clock `v`, which
//! rises at the level, so that a change of the level re-keys nobody. Sites at their cap are *capped* and finish
//! in real time. An event touches one site, then moves the few sites that cross the level: O(log sites + log
//! flows) amortised.
//!
//! Invariants: sums of weights and caps are exact (weights are multiples of 2^-30, caps whole bits per
//! second), so they never drift; a site with flows is in exactly one of the two heaps, one without is in none.

use crate::sim::extremes::{larger, smaller};
use crate::sim::heap::IndexedHeap;
use crate::units::{BESIDE, Time};

/// Names a flow within the engine.
pub type FlowId = u32;

/// How sites weigh against each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fairness {
    /// A site weighs as much as its flows together: flows share.
    ByFlow,
    /// Each busy site weighs the same: sites share.
    BySite,
}

/// One site's flows in the band.
#[derive(Clone, Debug, Default)]
struct Share {
    /// Access rate left for this band [bit/s], a whole number.
    cap: f64,
    /// Weight of its flows together.
    weight: f64,
    /// Service per unit of weight that each flow here has had [bit].
    clock: f64,
    /// Where the clock stood: on `v` when shared, in seconds when capped.
    mark: f64,
    /// Since when its access has been what holds its flows back [s].
    full_since: f64,
    shared: bool,
    /// Flows by the reading of `clock` at which they end; a binary heap.
    flows: Vec<(f64, FlowId)>,
}

impl Share {
    /// Its last flow is gone.
    fn idle(&mut self) {
        (self.clock, self.weight, self.shared) = (0.0, 0.0, false);
    }
}

/// Flows that share a capacity.
#[derive(Clone, Debug)]
pub struct Band {
    fairness: Fairness,
    sites: Vec<Share>,
    /// Shared sites by the reading of `v` at which their first flow ends.
    shared: IndexedHeap,
    /// Capped sites by the second at which their first flow ends.
    capped: IndexedHeap,
    /// Service per unit of weight to shared sites [bit].
    v: f64,
    /// Rise of `v` [bit/s]; infinite when nobody shares.
    level: f64,
    /// One over it: the time in which `v` rises by a bit; and the time in which shared sites together get one [s].
    pace: f64,
    pace_shared: f64,
    now: f64,
    capacity: f64,
    weight_shared: f64,
    rate_capped: f64,
    /// Sums over all busy sites.
    weight: f64,
    appetite: f64,
    /// Lower bound of `cap / weight` over shared sites.
    least_shared: f64,
    /// Upper bound of `cap / weight` over capped sites.
    most_capped: f64,
    flows: usize,
    /// Bits that others send first, at the cost of shared sites.
    debt: f64,
}

/// The exact multiple of 2^-20 nearest to a weight; at least one such step.
#[must_use]
pub fn exact_weight(weight: f64) -> f64 {
    const STEP: f64 = 1_048_576.0;
    (weight * STEP).round().max(1.0) / STEP
}

impl Band {
    /// An empty band over `sites` sites.
    #[must_use]
    pub fn new(sites: usize, fairness: Fairness) -> Self {
        Self {
            fairness,
            sites: vec![Share::default(); sites],
            shared: IndexedHeap::new(sites),
            capped: IndexedHeap::new(sites),
            v: 0.0,
            level: f64::INFINITY,
            pace: 0.0,
            pace_shared: 0.0,
            now: 0.0,
            capacity: 0.0,
            weight_shared: 0.0,
            rate_capped: 0.0,
            weight: 0.0,
            appetite: 0.0,
            least_shared: f64::INFINITY,
            most_capped: 0.0,
            flows: 0,
            debt: 0.0,
        }
    }

    /// Whether it has no flow.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.flows == 0
    }

    /// Weight of all flows (or of all busy sites).
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// Access rate of all busy sites together: what the band could use at most [bit/s].
    #[must_use]
    pub fn appetite(&self) -> f64 {
        self.appetite
    }

    /// What the site's flows weigh together.
    #[must_use]
    pub fn weight_at(&self, site: u32) -> f64 {
        self.sites[site as usize].weight
    }

    /// Whether the capacity, not access, holds flows back.
    #[must_use]
    pub fn saturated(&self) -> bool {
        !self.shared.is_empty()
    }

    /// Rate of all flows together [bit/s]; never above the capacity.
    #[must_use]
    pub fn rate(&self) -> f64 {
        if self.saturated() { self.capacity } else { self.rate_capped }
    }

    /// Rate that a flow of `weight` would get if it arrived now at `site` and nothing but the others held it back [bit/s].
    #[must_use]
    pub fn fair_share(&self, site: u32, weight: f64) -> f64 {
        let level = if self.saturated() { self.level } else { self.capacity };
        match self.fairness {
            Fairness::ByFlow => level * weight,
            Fairness::BySite => level * weight / (self.sites[site as usize].weight + weight),
        }
    }

    /// Brings the clocks to `now`.
    pub fn advance(&mut self, now: Time) {
        let now = now.secs();
        if self.saturated() {
            let pause = self.pause();
            self.v += larger(self.level, 0.0) * larger(now - (self.now + pause), 0.0);
            self.debt -= smaller(pause, now - self.now) * self.level * self.weight_shared;
        }
        self.now = now;
    }

    /// Bursts of `work` bits go before the flows that share, once; call when saturated and up to date.
    pub fn owe(&mut self, work: f64) {
        self.debt += work;
    }

    /// What is still owed where nobody shares any more, and so nobody here can pay it.
    pub fn forgive(&mut self) -> f64 {
        if self.saturated() { 0.0 } else { std::mem::take(&mut self.debt) }
    }

    /// Time that shared sites wait until the debt is paid [s].
    fn pause(&self) -> f64 {
        larger(self.debt, 0.0) * self.pace_shared
    }

    /// Rate of flows that their access holds back [bit/s].
    #[must_use]
    pub fn rate_capped(&self) -> f64 {
        self.rate_capped
    }

    /// Number of flows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.flows
    }

    /// For how long the site's access has been what holds its flows back [s].
    #[must_use]
    pub fn full_for(&self, site: u32) -> Option<f64> {
        let share = &self.sites[site as usize];
        (!share.flows.is_empty() && !share.shared).then_some(self.now - share.full_since)
    }

    /// Adds a flow of `work` bits; the level is stale until [`Band::settle`].
    pub fn insert(&mut self, site: u32, flow: FlowId, work: f64, weight: f64) {
        let clock = self.bring(site);
        let share = &mut self.sites[site as usize];
        let (first, shared, cap) = (share.flows.is_empty(), share.shared, share.cap);
        if first {
            share.full_since = self.now;
        }
        push(&mut share.flows, (clock + work / weight, flow));
        share.weight += weight;
        self.flows += 1;
        self.count(shared, self.counts(weight, first), if first { cap } else { 0.0 });
        self.key(site);
    }

    /// Takes a flow out before its end and says how many bits it still had to get.
    ///
    /// # Panics
    /// If the flow is not at this site.
    pub fn withdraw(&mut self, site: u32, flow: FlowId, weight: f64) -> f64 {
        let clock = self.bring(site);
        let share = &mut self.sites[site as usize];
        let at = share.flows.iter().position(|&(_, id)| id == flow);
        let (finish, _) = share.flows.swap_remove(at.expect("a flow is withdrawn from where it was inserted"));
        heapify(&mut share.flows);
        let left = (finish - clock).max(0.0) * weight;
        self.finished(site, weight);
        left
    }

    /// Whether [`Band::limit`] would change anything.
    #[must_use]
    pub fn would_limit(&self, site: u32, cap: f64) -> bool {
        self.sites[site as usize].cap.to_bits() != whole(cap).to_bits()
    }

    /// Sets the rate that a site's access leaves to this band.
    pub fn limit(&mut self, site: u32, cap: f64) {
        self.bring(site);
        let share = &mut self.sites[site as usize];
        let more = whole(cap) - share.cap;
        share.cap = whole(cap);
        if !share.flows.is_empty() {
            let shared = share.shared;
            self.count(shared, 0.0, more);
            self.key(site);
        }
    }

    /// Sets the capacity (in whole bits per second, like the caps) and finds the level.
    ///
    /// A site moves to the capped ones when its cap is at the level or below, and back only when it is above by
    /// more than rounding: in exact arithmetic each move raises the level, so a site moves each way at most once.
    pub fn settle(&mut self, capacity: f64) {
        let capacity = whole(capacity);
        self.capacity = capacity;
        loop {
            if self.shared.is_empty() {
                (self.level, self.pace) = (f64::INFINITY, 0.0);
                self.weight_shared = 0.0;
                if self.rate_capped <= capacity {
                    self.rest();
                    return;
                }
                self.share_the_least_bound();
            }
            let left = capacity - self.rate_capped;
            self.level = left / self.weight_shared;
            self.pace_shared = if left > 0.0 { 1.0 / left } else { f64::MAX };
            self.pace = self.weight_shared * self.pace_shared;
            let capped = self.level >= self.least_shared && self.cap_those_below_the_level();
            let shared = !capped && self.most_capped > above(self.level) && self.share_those_above_the_level();
            if !capped && !shared {
                return;
            }
        }
    }

    /// What one more site that could use `rate` would get of `capacity`, where sites share (water-filling).
    #[must_use]
    pub fn fair_beside(&self, rate: f64, capacity: f64) -> f64 {
        let caps = || self.sites.iter().filter(|share| !share.flows.is_empty()).map(|share| share.cap);
        let mut level = 0.0;
        loop {
            let below: f64 = caps().filter(|&cap| cap <= level).sum();
            let above = caps().filter(|&cap| cap > level).fold(1.0, |count: f64, _| count + 1.0);
            let next = (capacity - below) / above;
            // Each round caps more sites, so the level only rises until it stands.
            if next <= level * (1.0 + 1e-12) {
                return rate.min(next.max(level));
            }
            level = next;
        }
    }

    /// When the next flow ends, if nothing changes.
    #[must_use]
    pub fn next_end(&self) -> Time {
        let shared = match self.shared.top() {
            Some((due, _)) if self.level > 0.0 => self.now + larger(due - self.v, 0.0) * self.pace + self.pause(),
            _ => f64::INFINITY,
        };
        let capped = self.capped.top().map_or(f64::INFINITY, |(due, _)| due);
        let first = smaller(shared, capped);
        if first.is_finite() { Time::at_secs(larger(first, self.now)) } else { Time::NEVER }
    }

    /// Takes out the flow that ends first; call at the time that [`Band::next_end`] gave. Its site comes with it.
    pub fn finish(&mut self) -> (u32, FlowId) {
        let site = match (self.shared.top(), self.capped.top()) {
            (Some((due, shared)), Some((at, capped))) => {
                let left = (due - self.v) * self.pace + self.pause();
                if left <= at - self.now { shared } else { capped }
            }
            (Some((_, site)), None) | (None, Some((_, site))) => site,
            (None, None) => unreachable!("a band that is due has a flow"),
        };
        self.bring(site);
        let (_, flow) = pop(&mut self.sites[site as usize].flows);
        (site, flow)
    }

    /// Ends what [`Band::finish`] began: the site goes on with `weight` less.
    pub fn finished(&mut self, site: u32, weight: f64) {
        let share = &mut self.sites[site as usize];
        let (last, shared, cap) = (share.flows.is_empty(), share.shared, share.cap);
        share.weight -= weight;
        self.flows -= 1;
        self.count(shared, -self.counts(weight, last), if last { -cap } else { 0.0 });
        if last {
            self.heap(shared).remove(site);
            self.sites[site as usize].idle();
        } else {
            self.key(site);
        }
    }

    /// Every flow with the bits per unit of its weight that it still has to get; by site, in no meaningful order
    /// within it.
    pub fn remaining(&self) -> impl Iterator<Item = (u32, FlowId, f64)> {
        self.sites.iter().zip(0_u32..).filter(|(share, _)| !share.flows.is_empty()).flat_map(|(share, site)| {
            let clock = self.clock_now(share);
            share.flows.iter().map(move |&(finish, flow)| (site, flow, (finish - clock).max(0.0)))
        })
    }

    fn ratio(&self, site: u32) -> f64 {
        let share = &self.sites[site as usize];
        share.cap / self.weight_of(share)
    }

    fn weight_of(&self, share: &Share) -> f64 {
        match self.fairness {
            Fairness::ByFlow => share.weight,
            Fairness::BySite => 1.0,
        }
    }

    /// Rise of a shared site's clock per unit of `v`.
    fn gain(&self, share: &Share) -> f64 {
        match self.fairness {
            Fairness::ByFlow => 1.0,
            Fairness::BySite => 1.0 / share.weight,
        }
    }

    fn clock_now(&self, share: &Share) -> f64 {
        if share.shared {
            share.clock + (self.v - share.mark) * self.gain(share)
        } else {
            share.clock + (self.now - share.mark) * (share.cap / share.weight)
        }
    }

    /// What a flow of `weight` adds to the weight of all, at a site where it is or is not the only one.
    fn counts(&self, weight: f64, only: bool) -> f64 {
        match self.fairness {
            Fairness::ByFlow => weight,
            Fairness::BySite => f64::from(u8::from(only)),
        }
    }

    /// Adds to the sums.
    fn count(&mut self, shared: bool, weight: f64, cap: f64) {
        self.weight += weight;
        self.appetite += cap;
        if shared {
            self.weight_shared += weight;
        } else {
            self.rate_capped += cap;
        }
    }

    fn heap(&mut self, shared: bool) -> &mut IndexedHeap {
        if shared { &mut self.shared } else { &mut self.capped }
    }

    /// Whether a site's clock runs as `v` does, whoever comes and goes.
    fn rides(&self, share: &Share) -> bool {
        share.shared && self.fairness == Fairness::ByFlow
    }

    /// Brings a site's clock to now, if its rate may change; gives what it reads.
    fn bring(&mut self, site: u32) -> f64 {
        let share = &self.sites[site as usize];
        let clock = if share.flows.is_empty() { 0.0 } else { self.clock_now(share) };
        if !self.rides(share) {
            let share = &mut self.sites[site as usize];
            (share.clock, share.mark) = (clock, if share.shared { self.v } else { self.now });
        }
        clock
    }

    /// Gives a site the place in its heap that its first flow asks for. A clock that rides on `v` may stand where it was:
    /// when its first flow ends does not depend on where `v` is now.
    fn key(&mut self, site: u32) {
        let share = &self.sites[site as usize];
        let due = share.flows[0].0 - share.clock;
        let (weight, cap) = (self.weight_of(share), share.cap);
        if share.shared {
            let due = if self.fairness == Fairness::ByFlow { due } else { due * share.weight };
            self.shared.set(site, share.mark + due);
            self.least_shared = smaller(self.least_shared, cap / weight);
        } else {
            let key = if cap > 0.0 { share.mark + due * share.weight / cap } else { f64::INFINITY };
            self.capped.set(site, key);
            self.most_capped = larger(self.most_capped, cap / weight);
        }
    }

    /// A site that was capped is shared from now on, or the other way round.
    fn turn(&mut self, site: u32, shared: bool) {
        let clock = self.bring(site);
        let share = &self.sites[site as usize];
        let (weight, cap) = (self.weight_of(share), share.cap);
        self.count(!shared, -weight, -cap);
        self.count(shared, weight, cap);
        self.heap(!shared).remove(site);
        let share = &mut self.sites[site as usize];
        (share.shared, share.full_since) = (shared, self.now);
        (share.clock, share.mark) = (clock, if shared { self.v } else { self.now });
        self.key(site);
    }

    /// Nobody shares: the bounds and the clock start afresh.
    fn rest(&mut self) {
        self.v = 0.0;
        self.least_shared = f64::INFINITY;
        if self.capped.is_empty() {
            self.rate_capped = 0.0;
            self.most_capped = 0.0;
        }
    }

    /// Overload with all sites capped: the sites that could use most per weight begin to share.
    fn share_the_least_bound(&mut self) {
        let most = self.capped.members().map(|site| self.ratio(site)).fold(0.0, f64::max);
        self.most_capped = most;
        let sites: Vec<u32> = self.capped.members().filter(|&site| self.ratio(site) >= most).collect();
        for site in sites {
            self.turn(site, true);
        }
    }

    /// Shared sites whose cap is at or below the level are capped. The level only rises by this.
    fn cap_those_below_the_level(&mut self) -> bool {
        let level = self.level;
        let sites: Vec<u32> = self.shared.members().filter(|&site| self.ratio(site) <= level).collect();
        for &site in &sites {
            self.turn(site, false);
        }
        self.least_shared = self.shared.members().map(|site| self.ratio(site)).fold(f64::INFINITY, f64::min);
        !sites.is_empty()
    }

    /// Capped sites whose cap is above the level share. The level only rises by this, too.
    fn share_those_above_the_level(&mut self) -> bool {
        let level = above(self.level);
        let sites: Vec<u32> = self.capped.members().filter(|&site| self.ratio(site) > level).collect();
        for &site in &sites {
            self.turn(site, true);
        }
        self.most_capped = self.capped.members().map(|site| self.ratio(site)).fold(0.0, f64::max);
        !sites.is_empty()
    }
}

/// Beyond the rounding of one division.
fn above(level: f64) -> f64 {
    level + level.abs() * 1e-12
}

/// A rate in whole bits per second, so that sums of rates are exact: beside 2^52 a number has no fraction.
fn whole(rate: f64) -> f64 {
    (smaller(rate, BESIDE) + BESIDE) - BESIDE
}

/// Without a branch: which of two flows ends first cannot be foreseen.
#[allow(clippy::needless_bitwise_bool)]
fn earlier(a: (f64, FlowId), b: (f64, FlowId)) -> bool {
    (a.0 < b.0) | ((a.0 <= b.0) & (a.1 < b.1))
}

fn push(heap: &mut Vec<(f64, FlowId)>, entry: (f64, FlowId)) {
    let at = heap.len();
    heap.push(entry);
    rise(heap, at, entry);
}

fn pop(heap: &mut Vec<(f64, FlowId)>) -> (f64, FlowId) {
    let first = heap[0];
    let last = heap.pop().expect("a site that is due has a flow");
    if !heap.is_empty() {
        // The last one belongs near the end: the gap goes there first, and it rises from there (Floyd).
        let gap = descend(heap);
        rise(heap, gap, last);
    }
    first
}

/// Moves the gap at the top down to the end, past the earlier child each time.
fn descend(heap: &mut [(f64, FlowId)]) -> usize {
    let mut at = 0;
    loop {
        let left = 2 * at + 1;
        if left + 1 >= heap.len() {
            break;
        }
        let child = left + usize::from(earlier(heap[left + 1], heap[left]));
        heap[at] = heap[child];
        at = child;
    }
    let only = 2 * at + 1;
    if only < heap.len() {
        heap[at] = heap[only];
        at = only;
    }
    at
}

fn rise(heap: &mut [(f64, FlowId)], mut at: usize, entry: (f64, FlowId)) {
    while at > 0 {
        let parent = (at - 1) / 2;
        if !earlier(entry, heap[parent]) {
            break;
        }
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = entry;
}

fn sink(heap: &mut [(f64, FlowId)], mut at: usize) {
    loop {
        let left = 2 * at + 1;
        let Some(&entry) = heap.get(left) else { return };
        let child = if left + 1 < heap.len() && earlier(heap[left + 1], entry) { left + 1 } else { left };
        if !earlier(heap[child], heap[at]) {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}

fn heapify(heap: &mut [(f64, FlowId)]) {
    for at in (0..heap.len() / 2).rev() {
        sink(heap, at);
    }
}
