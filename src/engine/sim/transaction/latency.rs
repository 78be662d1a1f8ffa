//! Where a transaction's time goes, leg by leg: the parts sum to the whole.

use crate::sim::observer::Parts;
use crate::units::Time;

/// The legs of a transaction so far, and the one that it is on.
#[derive(Clone, Copy, Debug)]
pub struct LatencyParts {
    sum: Parts,
    began: Time,
    /// What the present leg should take [s]; what it takes beyond is queueing.
    leg: Parts,
}

impl LatencyParts {
    /// Nothing has happened yet, and nothing holds it.
    #[must_use]
    pub fn new(now: Time) -> Self {
        Self { sum: Parts::default(), began: now, leg: Parts::default() }
    }

    /// The next leg begins, and should take so long; gives the sum of its parts [s].
    #[inline]
    pub fn begin_leg(&mut self, now: Time, leg: Parts) -> f64 {
        self.end_leg(now);
        (self.began, self.leg) = (now, leg);
        leg.sum()
    }

    /// It stands still from now on, for as long as it takes.
    pub fn hold(&mut self, now: Time) {
        const FOR_EVER: f64 = 1e15;
        self.begin_leg(now, Parts { held: FOR_EVER, ..Parts::default() });
    }

    /// All that went by until `now`.
    #[inline]
    pub fn close(&mut self, now: Time) -> Parts {
        self.begin_leg(now, Parts::default());
        self.sum
    }

    /// A leg that was cut short is split as it was expected; one that took longer, or would have taken for ever, waited
    /// for others.
    #[inline]
    fn end_leg(&mut self, now: Time) {
        let (took, lasts) = (now.since(self.began).secs(), self.leg.sum());
        if took >= lasts {
            self.sum += self.leg;
            self.sum.queueing += took - lasts;
        } else if lasts.is_finite() {
            self.sum += self.leg.scaled(took / lasts);
        } else {
            self.sum.queueing += took;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Duration;

    #[test]
    fn the_parts_sum_to_the_whole() {
        let at = |secs: f64| Time(0) + Duration::of_secs(secs);
        let mut times = LatencyParts::new(at(1.0));
        times.begin_leg(at(1.0), Parts { trips: 1.0, transfer: 1.0, ..Parts::default() });
        times.hold(at(2.0));
        times.begin_leg(at(5.0), Parts { transfer: 2.0, ..Parts::default() });
        let parts = times.close(at(10.0));
        assert_eq!(parts, Parts { trips: 0.5, transfer: 2.5, held: 3.0, queueing: 3.0, loss: 0.0 });
    }
}
