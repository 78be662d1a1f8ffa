//! Shaper: caps on the rate of a class, for all sites together and for each.

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
    /// An idle shaper.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self { shape, class_busy_until: Time(0), site_busy_until: BTreeMap::new() }
    }

    /// Whether it caps nothing.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.shape == Shape::NONE
    }

    /// Whether these are its caps.
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

    /// When `work` bits of a site leave; none if they are dropped.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::NANOS;

    const ALL: Shape = Shape { total: 1e6, per_site: f64::INFINITY };

    /// Packets of 10 kbit at 1 Mbit/s leave 10 ms apart, whichever sites they are for.
    #[test]
    fn a_class_leaves_at_its_rate() {
        let mut shaper = Shaper::new(ALL);
        let at: Vec<_> = (0..3).map(|site| shaper.pass(Time(0), SiteId(site), 10_000.0)).collect();
        assert_eq!(at, [10, 20, 30].map(|ms| Some(Time(ms * NANOS / 1_000))));
    }

    #[test]
    fn each_site_has_a_rate_of_its_own() {
        let mut shaper = Shaper::new(Shape { total: f64::INFINITY, per_site: 1e6 });
        let at = [1, 1, 2].map(|site| shaper.pass(Time(0), SiteId(site), 10_000.0));
        assert_eq!(at, [10, 20, 10].map(|ms| Some(Time(ms * NANOS / 1_000))));
    }

    /// A fifth of a second, and at least 512 kbit, may wait (`cap_holds`).
    #[test]
    fn what_it_cannot_hold_is_lost() {
        let mut shaper = Shaper::new(ALL);
        let passed = (0..100).filter(|_| shaper.pass(Time(0), SiteId(0), 10_000.0).is_some()).count();
        assert_eq!(passed, 52, "51.2 wait, and one is being sent");
        assert!(shaper.pass(Time(NANOS), SiteId(0), 10_000.0).is_some(), "a second later there is room");
    }

    /// What goes the other way uses the rate up, and does not wait.
    #[test]
    fn what_is_charged_delays_what_passes() {
        let mut shaper = Shaper::new(ALL);
        shaper.charge(Time(0), SiteId(0), 10_000.0);
        assert_eq!(shaper.pass(Time(0), SiteId(0), 10_000.0), Some(Time(NANOS / 50)));
    }
}
