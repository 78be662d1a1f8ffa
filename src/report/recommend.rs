//! The recommendation: the cheapest option that meets every target, makes nothing worse and leaves no avoidable wait.

use crate::report::verdict::overall;
use crate::report::words::{money, number, quoted, staff_time};
use crate::report::{left, price};
use crate::study::figures::{MEASURES, STAFF_LOST, UNFINISHED};
use crate::study::results::{Results, SetupResult, Verdict};

/// The criteria of a set-up; less is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// Targets that it does not surely meet.
    pub unmet: usize,
    /// Mean wait of the class that people wait longest for [s].
    pub worst_wait: f64,
    /// Staff time lost [h].
    pub staff_lost: f64,
    /// Jobs that are not finished at the end.
    pub unfinished: f64,
    /// What it costs, if that is written.
    pub cost: Option<f64>,
}

impl Judgement {
    /// Of a set-up.
    #[must_use]
    pub fn of(results: &Results, setup: &SetupResult) -> Self {
        let waits = setup.waits.iter().filter(|wait| results.waited_for[wait.class]);
        Self {
            unmet: setup.targets.iter().filter(|judged| judged.verdict != Verdict::Met).count(),
            worst_wait: waits.map(|wait| wait.mean.value.mean).fold(0.0, f64::max),
            staff_lost: setup.measures[STAFF_LOST].value.mean,
            unfinished: setup.measures[UNFINISHED].value.mean,
            cost: setup.cost,
        }
    }

    /// Whether another is better in something and worse in nothing; costs count where both are written.
    #[must_use]
    pub fn is_beaten_by(&self, other: &Self) -> bool {
        // An unknown cost decides nothing.
        let costs = self.cost.zip(other.cost).unwrap_or((0.0, 0.0));
        #[allow(clippy::cast_precision_loss)] // a few targets
        let figures = |of: &Self, cost: f64| [of.unmet as f64, of.worst_wait, of.staff_lost, of.unfinished, cost];
        is_better(&figures(other, costs.1), &figures(self, costs.0))
    }
}

/// Whether one is better, that is less, in something and worse in nothing.
#[must_use]
pub fn is_better(one: &[f64], other: &[f64]) -> bool {
    one.iter().zip(other).all(|(one, other)| one <= other) && one.iter().zip(other).any(|(one, other)| one < other)
}

/// The option to choose, if there is one: among those that meet every target and that no other beats, the cheapest of those that
/// make nothing worse and leave nobody waiting, else of those that make nothing worse, else of all. Where a cost is missing, or for
/// the same cost, the one under which staff lose least time.
#[must_use]
pub fn choice(results: &Results) -> Option<&SetupResult> {
    let base = results.setups.iter().find(|setup| setup.name == "base")?;
    if overall(base) == Verdict::Met {
        return None;
    }
    let outcome = |setup: &SetupResult| Judgement::of(results, setup);
    let beaten = |setup: &SetupResult| results.setups.iter().any(|other| outcome(setup).is_beaten_by(&outcome(other)));
    let meets = |setup: &&SetupResult| setup.name != "base" && overall(setup) == Verdict::Met && !beaten(setup);
    let good: Vec<&SetupResult> = results.setups.iter().filter(meets).collect();
    let whole: Vec<&SetupResult> = good.iter().copied().filter(|setup| is_whole(results, setup)).collect();
    let harmless: Vec<&SetupResult> =
        good.iter().copied().filter(|setup| price::of(results, setup).is_none()).collect();
    let from = [whole, harmless, good].into_iter().find(|some| !some.is_empty())?;
    let priced = from.iter().all(|setup| setup.cost.is_some());
    let key = |setup: &SetupResult| (if priced { setup.cost.unwrap_or(0.0) } else { 0.0 }, outcome(setup).staff_lost);
    from.into_iter().min_by(|a, b| {
        let (a, b) = (key(a), key(b));
        a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1))
    })
}

/// Largest share of the base's staff time lost that an option may leave.
const LEFT_OVER: f64 = 0.25;

/// Whether it ends the congestion: makes nothing worse, leaves no avoidable wait, and most of the staff time lost is saved.
#[must_use]
pub fn is_whole(results: &Results, setup: &SetupResult) -> bool {
    let lost = |setup: &SetupResult| setup.measures[STAFF_LOST].value.mean;
    let base = results.setups.iter().find(|setup| setup.name == "base");
    let mostly = base.is_none_or(|base| lost(setup) <= LEFT_OVER * lost(base) || lost(base) < 0.05);
    mostly && price::of(results, setup).is_none() && left::undone(results, setup).is_none()
}

/// The recommendation in a sentence.
#[must_use]
pub fn sentence(results: &Results) -> Option<String> {
    let setup = choice(results)?;
    let base = results.setups.iter().find(|setup| setup.name == "base")?;
    let others = results.setups.iter().filter(|other| other.name != "base" && overall(other) == Verdict::Met).count();
    let how = match (is_whole(results, setup), setup.cost.is_some(), others) {
        (true, _, 1) => "What ends it",
        (true, true, _) => "Cheapest that ends it",
        (true, false, _) => "Least time lost, of what ends it",
        (false, true, 2..) => "Cheapest that meets every target",
        (false, ..) => "Best that meets every target",
    };
    let cost = setup.cost.map_or_else(String::new, |cost| format!(" ({})", money(results.currency.as_deref(), cost)));
    let lost = |setup: &SetupResult| setup.measures[STAFF_LOST].value.mean;
    let staff = saving(lost(base), lost(setup)).map_or_else(String::new, |saving| format!(": {saving}"));
    let missing = if setup.cost.is_none() { "; no cost is written for it" } else { "" };
    Some(format!("{how}: {}{cost}{staff}{missing}.", quoted(&setup.title)))
}

/// How much less staff time is lost, in words.
fn saving(before: f64, after: f64) -> Option<String> {
    debug_assert_eq!(MEASURES[STAFF_LOST].name, "staff_hours_lost");
    if before < 0.05 || after > 0.95 * before {
        return None;
    }
    let factor = before / after;
    let by = if after <= 0.0 || factor >= 1000.0 {
        "next to none".to_owned()
    } else if factor >= 2.0 {
        let factor = if factor >= 9.95 { factor.round() } else { (factor * 10.0).round() / 10.0 };
        format!("{} times less", number(factor))
    } else {
        format!("{} % less", number((100.0 * (1.0 - after / before)).round()))
    };
    Some(format!("staff lose {} in place of {}, {by}", staff_time(after), staff_time(before)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: Judgement =
        Judgement { unmet: 0, worst_wait: 1.0, staff_lost: 2.0, unfinished: 0.0, cost: Some(10.0) };

    #[test]
    fn worse_in_something_is_not_beaten() {
        let dearer = Judgement { cost: Some(11.0), ..LEAST };
        let dearer_and_quicker = Judgement { staff_lost: 1.0, ..dearer };
        assert!(dearer.is_beaten_by(&LEAST));
        assert!(!dearer_and_quicker.is_beaten_by(&LEAST));
        assert!(!LEAST.is_beaten_by(&LEAST));
    }

    /// Fault: an unknown cost beats another, or is beaten.
    #[test]
    fn a_cost_that_is_not_written_decides_nothing() {
        let unknown = Judgement { cost: None, ..LEAST };
        assert!(!unknown.is_beaten_by(&LEAST) && !LEAST.is_beaten_by(&unknown));
        assert!(Judgement { unfinished: 1.0, ..unknown }.is_beaten_by(&LEAST));
    }

    #[test]
    fn savings_are_told_as_a_factor() {
        assert_eq!(saving(1000.0, 10.0).unwrap(), "staff lose 10 hours in place of 1000 hours, 100 times less");
        assert_eq!(saving(10.0, 8.0).unwrap(), "staff lose 8 hours in place of 10 hours, 20 % less");
        assert_eq!(saving(10.0, 0.0).unwrap(), "staff lose 0 min in place of 10 hours, next to none");
        assert_eq!(saving(10.0, 9.9), None);
    }
}
