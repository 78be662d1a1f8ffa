//! Levels of days: how much of everything a day has, beside a day of the scenario.

use jiff::civil::Date;

use crate::fit::held::{FULL, full_from};
use crate::fit::observed::{Counted, LEAST_COVERAGE, Observed, ObservedRun, weekday};
use crate::stats::{Tally, chi_squared};
use crate::study::counters::RunCounters;
use crate::units::float;

/// Days of a weekday that are needed before anything is said of it, and of the scenario's before its spread is.
pub const LEAST_DAYS: [u64; 2] = [2, 4];

/// A level does not vary by more than this share of it.
const MOST: f64 = 0.9;

/// A weekday's level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeekdayLevel {
    /// The weekday (0 = Monday).
    pub weekday: u8,
    /// Its days.
    pub days: u64,
    /// Their mean level: times the scenario's day of that weekday.
    pub level: f64,
    /// Standard deviation between them, without what chance makes of single arrivals.
    pub spread: f64,
    /// The 90 % interval of that.
    pub range: (f64, f64),
}

/// The level of a weekday, from its days and simulated ones; none where there are too few. `known` is the spread that the simulated
/// days have already.
#[must_use]
pub fn of_weekday(observed: &Observed, own: u8, simulated: &[RunCounters], known: f64) -> Option<WeekdayLevel> {
    let days = observed.runs.iter().filter(|run| weekday(run.date) == own && run.coverage() >= LEAST_COVERAGE);
    let levels: Vec<f64> = days.filter_map(|run| level(observed, run, simulated)).collect();
    // A day unlike any other, such as a holiday, is no level.
    let middle = crate::stats::quantile(&levels, 0.5);
    let usual: Tally = levels.iter().copied().filter(|level| (0.4 * middle..2.5 * middle).contains(level)).collect();
    if usual.count() < LEAST_DAYS[0] {
        return None;
    }
    let chance: Tally = (0..simulated.len()).filter_map(|place| own_level(observed, place, simulated)).collect();
    let own_variance = usual.variance() / usual.mean().powi(2);
    let without_chance = |variance: f64| (variance - chance.variance() + known * known).max(0.0).sqrt().min(MOST);
    let freedom = usual.count() - 1;
    let of = |share: f64| without_chance(own_variance * float(freedom) / chi_squared(share, freedom));
    Some(WeekdayLevel {
        weekday: own,
        days: usual.count(),
        level: usual.mean(),
        spread: without_chance(own_variance),
        range: (of(0.95), of(0.05)),
    })
}

/// The dates of a series by weekday that are there often enough for a level.
#[must_use]
pub fn weekdays(observed: &Observed) -> Vec<(u8, Date)> {
    let of = |own: u8| {
        let mut days = observed.runs.iter().filter(|run| weekday(run.date) == own && run.coverage() >= LEAST_COVERAGE);
        let first = days.next()?.date;
        (days.count() as u64 + 1 >= LEAST_DAYS[0]).then_some((own, first))
    };
    (0..7).filter_map(of).collect()
}

/// What was counted on a day, where nothing is full, as a multiple of the simulated mean.
fn level(observed: &Observed, run: &ObservedRun, simulated: &[RunCounters]) -> Option<f64> {
    // What is near the plateau of the simulated days is full, too, whether they are at that time or not.
    let full_from = |thing: &Counted| {
        let each: Vec<Vec<f64>> = simulated.iter().map(|run| rates(observed, thing, run)).collect();
        full_from(thing, simulated, &each).unwrap_or(f64::INFINITY) * observed.interval.secs()
    };
    let full_from: Vec<f64> = observed.things.iter().map(full_from).collect();
    let is_full = |thing: usize, at: usize, bits: f64| run.full[thing][at] || bits >= full_from[thing];
    ratio(observed, simulated, |thing, at| run.passed[thing][at].filter(|bits| !is_full(thing, at, *bits)))
}

/// What passed a thing on a simulated day, by interval [bit/s].
fn rates(observed: &Observed, thing: &Counted, run: &RunCounters) -> Vec<f64> {
    run.of(thing.concentrator, thing.class).into_iter().map(|bits| bits / observed.interval.secs()).collect()
}

/// The same of one of the simulated days.
fn own_level(observed: &Observed, place: usize, simulated: &[RunCounters]) -> Option<f64> {
    let own: Vec<Vec<f64>> =
        observed.things.iter().map(|thing| simulated[place].of(thing.concentrator, thing.class)).collect();
    ratio(observed, simulated, |thing, at| Some(own[thing][at]))
}

#[allow(clippy::cast_precision_loss)] // runs
fn ratio(observed: &Observed, simulated: &[RunCounters], counted: impl Fn(usize, usize) -> Option<f64>) -> Option<f64> {
    let (mut seen, mut expected) = (0.0, 0.0);
    for (place, thing) in observed.things.iter().enumerate() {
        let each: Vec<Vec<f64>> = simulated.iter().map(|run| run.of(thing.concentrator, thing.class)).collect();
        let is_full = |at: usize| simulated.iter().any(|run| run.utilisation[thing.concentrator][at] >= FULL);
        for at in 0..each.first().map_or(0, Vec::len) {
            if let Some(own) = counted(place, at).filter(|_| !is_full(at)) {
                seen += own;
                expected += each.iter().map(|run| run[at]).sum::<f64>() / each.len() as f64;
            }
        }
    }
    (expected > 0.0).then(|| seen / expected)
}
