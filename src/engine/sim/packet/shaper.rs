//! A shaper before the queues: a class sends no faster than ordered, all sites together and each.

use std::collections::BTreeMap;

use crate::model::SiteId;
use crate::sim::discipline::{Shape, cap_holds};
use crate::units::{Duration, Time};

/// Virtual queues, one for the class and one for each of its sites.
#[derive(Clone, Debug)]
pub struct Shaper {
    shape: Shape,
    class_busy_until: Time,
    site_busy_until: BTreeMap<SiteId, Time>,
}

impl Shaper {
    /// A shaper with nothing in it.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self { shape, class_busy_until: Time(0), site_busy_until: BTreeMap::new() }
    }

    /// Whether it lets everything through at once.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.shape == Shape::NONE
    }

    /// Whether this is its order already.
    #[must_use]
    pub fn has(&self, shape: Shape) -> bool {
        self.shape == shape
    }

    /// `work` bits of a site use up the class's rate without waiting.
    pub fn charge(&mut self, now: Time, site: SiteId, work: f64) {
        let Shape { total, per_site } = self.shape;
        let later = |busy: Time, rate: f64| busy.max(now) + Duration::of_secs(work / rate);
        self.class_busy_until = later(self.class_busy_until, total);
        let own = self.site_busy_until.entry(site).or_insert(Time(0));
        *own = later(*own, per_site);
    }

    /// When `work` bits of a site are through; none if they are lost.
    pub fn pass(&mut self, now: Time, site: SiteId, work: f64) -> Option<Time> {
        let own = *self.site_busy_until.get(&site).unwrap_or(&Time(0));
        let own = after(own, now, work, self.shape.per_site)?;
        let all = after(self.class_busy_until, now, work, self.shape.total)?;
        self.site_busy_until.insert(site, own);
        self.class_busy_until = all;
        Some(own.max(all))
    }
}

fn after(busy: Time, now: Time, work: f64, rate: f64) -> Option<Time> {
    if rate.is_infinite() {
        return Some(now);
    }
    let waits = busy.max(now).since(now);
    if waits.secs() * rate > cap_holds(rate) {
        return None;
    }
    Some(busy.max(now) + Duration::of_secs(work / rate))
}
