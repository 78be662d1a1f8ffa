//! The access of a site: its link as its concentrator sees it, with the path between them.

use crate::model::{Concentrator, Ingredient, Site, Transport};
use crate::sim::hints::larger;
use crate::units::float;

/// What every window and request of a site needs to know of it, in a line of the cache.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SiteAccess {
    pub path: PathTerms,
    /// Rate of its access link, less its streams [bit/s of work].
    access: f64,
    /// Time that a bit takes there [s].
    slowness: f64,
    /// What a flow weighs for its round trip.
    pub nearness: f64,
    /// When the link is free of bursts [s].
    pub free_at: f64,
    /// Of what it carries, what calls take [bit/s of work].
    pub calls: f64,
    /// Lanes with flows of the site, a bit each.
    pub busy: u16,
}

/// The path to a site.
#[derive(Clone, Copy, Debug)]
pub struct PathTerms {
    /// Round trip without queues [s].
    pub rtt: f64,
    /// Rate from the site [bit/s].
    pub up: f64,
}

impl SiteAccess {
    pub fn new(site: &Site, access: f64, nearness: f64) -> Self {
        let path = PathTerms { rtt: site.rtt.secs(), up: site.up.bits() };
        let mut door = Self { path, access, slowness: 0.0, nearness, free_at: 0.0, calls: 0.0, busy: 0 };
        door.take(0.0);
        door
    }

    pub fn access(&self) -> f64 {
        self.access
    }

    pub fn slowness(&self) -> f64 {
        self.slowness
    }

    /// Calls begin, or end (below zero).
    pub fn add_calls(&mut self, rate: f64) {
        self.calls += rate;
        self.take(rate);
    }

    /// Share of what calls send in a direction of so much that is lost, as they alone are more.
    pub fn lost_of_calls(&self, carries: f64) -> f64 {
        larger(1.0 - carries / larger(self.calls, 1.0), 0.0)
    }

    /// It carries so much less, or more. Calls may take all of it: then next to nothing is left for others.
    pub fn take(&mut self, rate: f64) {
        self.access -= rate;
        self.slowness = 1.0 / self.access.max(1.0);
    }

    /// The lane with flows of the site, where there is one.
    #[inline]
    pub fn only_lane(&self) -> Option<usize> {
        self.busy.is_power_of_two().then(|| self.busy.trailing_zeros() as usize)
    }

    /// The lanes with flows of the site.
    pub fn lanes(&self) -> impl Iterator<Item = usize> + use<> {
        let mut left = self.busy;
        std::iter::from_fn(move || {
            let lane = (left != 0).then(|| left.trailing_zeros() as usize);
            left &= left.wrapping_sub(1);
            lane
        })
    }
}

/// What a burst meets on its way to its site.
#[derive(Clone, Copy, Debug)]
pub struct PathState {
    /// Time in the concentrator's queue before its first packet is served [s].
    pub wait: f64,
    /// Time that a bit takes in service there [s].
    pub slowness: f64,
    /// Rate that a flow gets which shares with the others [bit/s].
    pub fair: f64,
    /// Bits that the queue still takes; less than none if it is over full.
    pub room: f64,
    /// Bits of others that are served in turn with it.
    pub shared: f64,
    /// Time that a bit takes on the access link [s].
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

/// Mean round trip without queues [s]. Whole nanoseconds are summed, so that the order of the sites does not matter.
pub fn mean_trip(sites: &[Site]) -> f64 {
    let sum: u64 = sites.iter().map(|site| site.rtt.0).fold(0, u64::saturating_add);
    float(sum) / 1e9 / float(sites.len().max(1) as u64)
}

/// What a flow of each site weighs for its round trip: with windows alike, rates are as one over the round trip, most of a
/// full queue included (RFC 9438, section 3.3).
#[must_use]
pub fn nearness(concentrator: &Concentrator, transport: Transport, trips: &[f64], mean: f64) -> Vec<f64> {
    if !transport.has(Ingredient::RoundTrips) {
        return vec![1.0; trips.len()];
    }
    let queue = STANDS * concentrator.buffer.bits() / concentrator.carries().0.bits();
    let usual = mean + queue;
    trips.iter().map(|trip| (STEPS * usual / (trip + queue)).round().max(1.0) / STEPS).collect()
}

/// Weights come in so many steps, so that sums of them are exact.
const STEPS: f64 = 1024.0;
/// Share of the buffer that stands full while flows share.
const STANDS: f64 = 0.75;
