//! Max-min sharing: flows share a capacity, each site within its access link.
//!
//! Every busy site *i* has a weight and a cap; its rate is `min(weight * level, cap)`, where the level is as
//! high as the capacity allows (water-filling; Bertsekas & Gallager, Data Networks, section 6.5.2). Inside a
//! site, flows share by their weights. Sites below their cap are *shared*: they all ride one clock `v`, which
//! rises at the level, so that a change of the level re-keys nobody. Sites at their cap are *capped* and finish
//! in real time. An event touches one site, then moves the few sites that cross the level: O(log sites + log
//! flows) amortised.
//!
//! Invariants: sums of weights and caps are exact (weights are multiples of 2^-30, caps whole bits per
//! second), so they never drift; a site with flows is in exactly one of the two tournaments, one without is in none.

mod level;
mod share;
mod tournament;

use crate::sim::hints::unlikely;
use crate::sim::hints::{larger, smaller};
use crate::sim::turn::TransactionId;
use crate::units::{BESIDE, Time};
use share::{Entry, SiteQueue};
use tournament::Tournament;

/// How sites weigh against each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fairness {
    /// A site weighs as much as its flows together: flows share.
    ByFlow,
    /// Each busy site weighs the same: sites share.
    BySite,
}

/// Flows that share a capacity.
#[derive(Clone, Debug)]
pub struct MaxMin {
    fairness: Fairness,
    sites: Vec<SiteQueue>,
    /// By site: since when its access has been what holds its flows back [s].
    full_since: Vec<f64>,
    /// By site: until when its flows give way to bursts there [s].
    gives_way: Vec<f64>,
    /// Shared sites by the reading of `v` at which their first flow ends.
    shared: Tournament,
    /// Capped sites by the second at which their first flow ends.
    capped: Tournament,
    /// Service per unit of weight to shared sites [bit].
    v: f64,
    /// Rise of `v` [bit/s]; infinite when nobody shares.
    level: f64,
    /// One over it: the time in which `v` rises by a bit; and the time in which shared sites together get one [s].
    pace: f64,
    pace_shared: f64,
    /// What capped sites left when that was worked out [bit/s]: most events do not change it.
    left: f64,
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
    /// Room for the names of sites that turn.
    turning: Vec<u32>,
}

/// The exact multiple of 2^-20 nearest to a weight; at least one such step.
#[must_use]
pub fn exact_weight(weight: f64) -> f64 {
    const STEP: f64 = 1_048_576.0;
    (weight * STEP).round().max(1.0) / STEP
}

impl MaxMin {
    /// An empty band over `sites` sites.
    #[must_use]
    pub fn new(sites: usize, fairness: Fairness) -> Self {
        Self {
            fairness,
            sites: vec![SiteQueue::default(); sites],
            full_since: vec![0.0; sites],
            gives_way: vec![0.0; sites],
            shared: Tournament::new(sites),
            capped: Tournament::new(sites),
            v: 0.0,
            level: f64::INFINITY,
            pace: 0.0,
            pace_shared: 0.0,
            left: f64::NAN,
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
            turning: Vec::new(),
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

    /// The site's cap [bit/s].
    #[must_use]
    pub fn cap_at(&self, site: u32) -> f64 {
        self.sites[site as usize].cap
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
        if self.by_site() { level * weight / (self.sites[site as usize].weight + weight) } else { level * weight }
    }

    /// Brings the clocks to `now`.
    pub fn advance(&mut self, now: Time) {
        let now = now.secs();
        if self.saturated() {
            let level = larger(self.level, 0.0);
            if self.debt > 0.0 {
                let pause = self.pause();
                self.v += level * larger(now - (self.now + pause), 0.0);
                self.debt -= smaller(pause, now - self.now) * self.level * self.weight_shared;
            } else {
                // Most often nothing is owed, and the next event need not wait for that to be worked out.
                self.v += level * (now - self.now);
            }
        }
        self.now = now;
    }

    /// Bursts of `work` bits go before the flows that share, once; call when saturated and up to date.
    pub fn owe(&mut self, work: f64) {
        self.debt += work;
    }

    /// Bursts of `work` bits go before the site's flows on the link that holds these back, as far as these can give way
    /// `within` so many seconds: for how much they do [bit]. More than the link carries no flow can give way to.
    pub fn owe_at(&mut self, site: u32, work: f64, within: f64) -> f64 {
        let share = &self.sites[site as usize];
        if share.is_empty() || share.shared {
            return 0.0;
        }
        let owes = larger(self.gives_way[site as usize] - self.now, 0.0);
        let work = smaller(work, larger(within - owes, 0.0) * share.cap);
        if work > 0.0 {
            self.gives_way[site as usize] = self.now + owes + work / share.cap;
            self.bring(site);
            let share = &mut self.sites[site as usize];
            share.clock -= work / share.weight;
            self.key(site);
        }
        work
    }

    /// What is still owed where nobody shares any more, and so nobody here can pay it.
    pub fn forgive(&mut self) -> f64 {
        if self.saturated() { 0.0 } else { std::mem::take(&mut self.debt) }
    }

    /// Time that shared sites wait until the debt is paid [s].
    fn pause(&self) -> f64 {
        if self.debt > 0.0 { self.debt * self.pace_shared } else { 0.0 }
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
        (!share.is_empty() && !share.shared).then(|| self.now - self.full_since[site as usize])
    }

    /// Adds a flow of `work` bits; the level is stale until [`MaxMin::settle`].
    #[inline(always)]
    pub fn insert(&mut self, site: u32, flow: TransactionId, work: f64, weight: f64) {
        let clock = self.bring(site);
        let share = &mut self.sites[site as usize];
        let entry = Entry::new(clock + work / weight, flow);
        let (only, first, shared, cap) = (share.is_empty(), share.begins_with(entry), share.shared, share.cap);
        share.weight += weight;
        self.flows += 1;
        if only {
            self.full_since[site as usize] = self.now;
        }
        self.count(shared, self.counts(weight, only), if only { cap } else { 0.0 });
        self.bound(site);
        // A site that rides keeps its place while its first flow is the same.
        if first || !self.rides(&self.sites[site as usize]) {
            self.insert_and_key(site, entry);
        } else {
            self.sites[site as usize].push(entry);
        }
    }

    #[inline(never)]
    fn insert_and_key(&mut self, site: u32, entry: Entry) {
        self.sites[site as usize].push(entry);
        self.key(site);
    }

    /// Takes a flow out before its end and says how many bits it still had to get.
    ///
    /// # Panics
    /// If the flow is not at this site.
    pub fn withdraw(&mut self, site: u32, flow: TransactionId, weight: f64) -> f64 {
        let clock = self.bring(site);
        let share = &mut self.sites[site as usize];
        let left = (share.remove(flow) - clock).max(0.0) * weight;
        self.finished(site, weight);
        left
    }

    /// Whether [`MaxMin::limit`] would change anything.
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
        if !share.is_empty() {
            let shared = share.shared;
            self.count(shared, 0.0, more);
            self.bound(site);
            self.key(site);
        }
    }

    /// What one more site that could use `rate` would get of `capacity`, where sites share (water-filling).
    #[must_use]
    pub fn fair_beside(&self, rate: f64, capacity: f64) -> f64 {
        let caps = || self.sites.iter().filter(|share| !share.is_empty()).map(|share| share.cap);
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
        let shared = match self.shared.first() {
            Some((due, _)) if self.level > 0.0 => self.now + larger(due - self.v, 0.0) * self.pace + self.pause(),
            _ => f64::INFINITY,
        };
        let capped = self.capped.first().map_or(f64::INFINITY, |(due, _)| due);
        let first = smaller(shared, capped);
        if first.is_finite() { Time::at_secs(larger(first, self.now)) } else { Time::NEVER }
    }

    /// Takes out the flow that ends first; call at the time that [`MaxMin::next_end`] gave. Its site comes with it.
    #[inline(always)]
    pub fn finish(&mut self) -> (u32, TransactionId) {
        let site = match (self.shared.first(), self.capped.first()) {
            (Some((due, shared)), Some((at, capped))) => {
                let left = (due - self.v) * self.pace + self.pause();
                if left <= at - self.now { shared } else { capped }
            }
            (Some((_, site)), None) | (None, Some((_, site))) => site,
            (None, None) => unreachable!("a band that is due has a flow"),
        };
        self.bring(site);
        (site, self.sites[site as usize].pop())
    }

    /// Ends what [`MaxMin::finish`] began: the site goes on with `weight` less.
    #[inline(always)]
    pub fn finished(&mut self, site: u32, weight: f64) {
        let share = &mut self.sites[site as usize];
        let (last, shared, cap) = (share.is_empty(), share.shared, share.cap);
        share.weight -= weight;
        self.flows -= 1;
        self.count(shared, -self.counts(weight, last), if last { -cap } else { 0.0 });
        if last {
            return self.leave(site, shared);
        }
        // A shared site with less weight is no nearer to its cap.
        if !shared {
            self.bound(site);
        }
        self.key(site);
    }

    /// A site has no flow any more.
    #[inline(never)]
    fn leave(&mut self, site: u32, shared: bool) {
        self.tournament(shared).remove(site);
        self.sites[site as usize].idle();
    }

    /// Every flow with the bits per unit of its weight that it still has to get; by site, in no meaningful order
    /// within it.
    pub fn remaining(&self) -> impl Iterator<Item = (u32, TransactionId, f64)> {
        self.sites.iter().zip(0_u32..).filter(|(share, _)| !share.is_empty()).flat_map(|(share, site)| {
            let clock = self.clock_now(share);
            share.flows.iter().map(move |entry| (site, entry.flow(), (entry.end() - clock).max(0.0)))
        })
    }

    /// Whether sites share, not flows: that lies out of the way of the usual.
    #[inline]
    fn by_site(&self) -> bool {
        unlikely(self.fairness == Fairness::BySite)
    }

    fn ratio(&self, site: u32) -> f64 {
        let share = &self.sites[site as usize];
        share.cap / self.weight_of(share)
    }

    fn weight_of(&self, share: &SiteQueue) -> f64 {
        if self.by_site() { 1.0 } else { share.weight }
    }

    /// Rise of a shared site's clock per unit of `v`.
    fn gain(&self, share: &SiteQueue) -> f64 {
        if self.by_site() { 1.0 / share.weight } else { 1.0 }
    }

    fn clock_now(&self, share: &SiteQueue) -> f64 {
        if share.shared {
            share.clock + (self.v - share.mark) * self.gain(share)
        } else {
            share.clock + (self.now - share.mark) * (share.cap / share.weight)
        }
    }

    /// What a flow of `weight` adds to the weight of all, at a site where it is or is not the only one.
    fn counts(&self, weight: f64, only: bool) -> f64 {
        if self.by_site() { f64::from(u8::from(only)) } else { weight }
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

    fn tournament(&mut self, shared: bool) -> &mut Tournament {
        if shared { &mut self.shared } else { &mut self.capped }
    }

    /// Whether a site's clock runs as `v` does, whoever comes and goes.
    fn rides(&self, share: &SiteQueue) -> bool {
        share.shared && !self.by_site()
    }

    /// Brings a site's clock to now, if its rate may change; gives what it reads.
    #[inline]
    fn bring(&mut self, site: u32) -> f64 {
        let share = &self.sites[site as usize];
        if self.rides(share) {
            return self.clock_now(share);
        }
        let clock = if share.is_empty() { BEGINS } else { self.clock_now(share) };
        let share = &mut self.sites[site as usize];
        (share.clock, share.mark) = (clock, if share.shared { self.v } else { self.now });
        clock
    }

    /// Gives a site the key that its first flow asks for. A clock that rides on `v` may stand where it was:
    /// when its first flow ends does not depend on where `v` is now.
    #[inline(always)]
    fn key(&mut self, site: u32) {
        let share = &self.sites[site as usize];
        let due = share.first() - share.clock;
        if share.shared {
            let due = if self.by_site() { due * share.weight } else { due };
            self.shared.set(site, larger(share.mark + due, 0.0));
        } else {
            let key = if share.cap > 0.0 { share.mark + due * share.weight / share.cap } else { f64::INFINITY };
            self.capped.set(site, larger(key, 0.0));
        }
    }

    /// The bounds heed a site's cap for its weight, which is another one.
    fn bound(&mut self, site: u32) {
        let (ratio, share) = (self.ratio(site), &self.sites[site as usize]);
        if share.shared {
            self.least_shared = smaller(self.least_shared, ratio);
        } else {
            self.most_capped = larger(self.most_capped, ratio);
        }
    }
}

/// What a site's clock reads at first [bit]: bursts set it back by less than that.
const BEGINS: f64 = 1e10;

/// A rate in whole bits per second, so that sums of rates are exact: beside 2^52 a number has no fraction.
fn whole(rate: f64) -> f64 {
    (smaller(rate, BESIDE) + BESIDE) - BESIDE
}
