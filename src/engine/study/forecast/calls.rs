//! Calls: what they take of a concentrator, and how many are refused.

use crate::model::{ClassId, Concentrator, Demand};
use crate::scenario::check::target::Measure;
use crate::sim::cost::ServiceCost;
use crate::study::forecast::site_kinds::Placement;
use crate::study::forecast::starts::{Wanted, here};
use crate::study::forecast::traffic::Terms;
use crate::theory::erlang_b;

/// Calls that were offered, and those that were refused.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OfferedCalls {
    /// All of them.
    pub offered: f64,
    /// Those that found all lines taken (Erlang's B).
    pub refused: f64,
}

impl OfferedCalls {
    /// Share that was refused; none of none.
    #[must_use]
    pub fn refused_share(&self) -> Option<f64> {
        (self.offered > 0.0).then(|| self.refused / self.offered)
    }
}

/// Rate that calls take of a concentrator, by its place, in a step [bit/s]; what targets look at is counted.
pub fn talk(
    terms: &Terms<'_>,
    (device, concentrator): (&Concentrator, usize),
    placement: &Placement,
    step: usize,
    by_target: &mut [OfferedCalls],
) -> f64 {
    let Some(cost) = ServiceCost::of(device) else { return 0.0 };
    let now = terms.steps.begins(step);
    let mut taken = 0.0;
    for (number, class) in terms.model.classes.iter().enumerate() {
        let (Demand::Streams { codec, .. } | Demand::Steady { codec, .. }) = &class.demand else { continue };
        let share: f64 = placement.shares[number][concentrator].iter().sum();
        let (begin, wanted) = match &terms.wanted[number] {
            Wanted::Calls(begin, length) => (begin[step] * share, begin[step] * share / terms.steps.length * length),
            Wanted::Steady(calls) => (0.0, calls * share * here(class, now)),
            Wanted::Open(_) | Wanted::People(..) | Wanted::Nothing => continue,
        };
        let lost = device.streams.map_or(0.0, |most| erlang_b(wanted, most));
        for (calls, target) in by_target.iter_mut().zip(terms.targets.iter()) {
            if target.measure == Measure::Refused(ClassId::of(number)) && target.covers(now) {
                calls.offered += begin;
                calls.refused += begin * lost;
            }
        }
        taken += wanted * (1.0 - lost) * cost.stream_work(codec.packet, 1.0 / codec.every.secs());
    }
    taken
}
