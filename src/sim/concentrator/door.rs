//! A door: a site as its concentrator sees it, with the path between them.

use crate::scenario::model::Site;

/// What every window and request of a site needs to know of it, in a line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(super) struct SiteAccess {
    pub path: PathTerms,
    /// Rate of its access link, less its streams [bit/s of work].
    access: f64,
    /// Time that a bit takes there [s].
    slowness: f64,
    /// What a flow weighs for its round trip.
    pub nearness: f64,
    /// When the link is free of bursts [s].
    pub free_at: f64,
    /// Lanes with flows of the site, a bit each.
    pub busy: u16,
}

const _: () = assert!(size_of::<SiteAccess>() == 64);

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
        let mut door = Self { path, access, slowness: 0.0, nearness, free_at: 0.0, busy: 0 };
        door.stream(0.0);
        door
    }

    pub fn access(&self) -> f64 {
        self.access
    }

    pub fn slowness(&self) -> f64 {
        self.slowness
    }

    /// A stream takes its rate. Streams may take all of it: then next to nothing is left for others.
    pub fn stream(&mut self, rate: f64) {
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
