//! Load at a constant rate, of which no packets are simulated: calls, and transfers that are worked out.

use crate::model::ClassId;
use crate::units::Time;

/// Part of a rate that packets have at least, whatever is sent at a constant rate.
const LEAST: f64 = 0.05;

/// What of a rate is left to packets beside what is constant [bit/s].
#[inline]
#[must_use]
pub fn left_for_packets(rate: f64, constant: f64) -> f64 {
    (rate - constant).max(LEAST * rate)
}

/// Load that arrives at a concentrator and is served at a constant rate [bit/s]; whole bits, so that what ends leaves nothing behind.
#[derive(Clone, Debug)]
pub struct ConstantLoad {
    by_class: Vec<f64>,
    all: f64,
    since: Time,
}

impl ConstantLoad {
    /// None, of so many classes.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { by_class: vec![0.0; classes], all: 0.0, since: Time(0) }
    }

    /// Of all classes [bit/s].
    #[inline]
    #[must_use]
    pub fn all(&self) -> f64 {
        self.all
    }

    /// So much more of a class, or less [bit/s].
    pub fn add(&mut self, class: ClassId, rate: f64) {
        self.by_class[class.index()] += rate;
        self.all += rate;
    }

    /// Time passes: what came is added to each of the counters, by class [bit].
    pub fn advance(&mut self, now: Time, counters: [&mut Vec<f64>; 2]) {
        let took = now.since(std::mem::replace(&mut self.since, now)).secs();
        if self.all == 0.0 || took == 0.0 {
            return;
        }
        for counter in counters {
            for (sum, rate) in counter.iter_mut().zip(&self.by_class) {
                *sum += rate * took;
            }
        }
    }
}
