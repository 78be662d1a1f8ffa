//! Load at a constant rate, of which no packets are simulated: calls, and transfers that are worked out.

use crate::model::ClassId;
use crate::units::Time;

/// Part of a rate that packets have at least, whatever is sent at a constant rate.
const LEAST: f64 = 0.01;

/// What of a rate is left to packets beside what is constant [bit/s].
#[inline]
#[must_use]
pub fn left_for_packets(rate: f64, constant: f64) -> f64 {
    (rate - constant).max(LEAST * rate)
}

/// Part of a constant load that is served: what packets have at least is not among it.
#[must_use]
pub fn passes(throughput: f64, constant: f64) -> f64 {
    if constant <= throughput { 1.0 } else { (1.0 - LEAST) * throughput / constant }
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

    /// Time passes: what came is added to what arrived, and to what was served as far as that is at most `throughput`, else to what
    /// was lost, by class [bit].
    pub fn advance(&mut self, now: Time, throughput: f64, [arrived, served, lost]: [&mut Vec<f64>; 3]) {
        let took = now.since(std::mem::replace(&mut self.since, now)).secs();
        if self.all == 0.0 || took == 0.0 {
            return;
        }
        let passes = passes(throughput, self.all);
        for (class, rate) in self.by_class.iter().enumerate() {
            arrived[class] += rate * took;
            served[class] += rate * took * passes;
            lost[class] += rate * took * (1.0 - passes);
        }
    }
}
