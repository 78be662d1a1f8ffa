//! Marks on rows: values that a restart made, and spells in which a place was full.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::telemetry::series::{Amount, RowState, SeriesRow};

/// A counter is taken for one of 32 bits that has wrapped below this.
pub(super) const WRAP: f64 = 4_294_967_296.0;
/// A value that is so many times its larger neighbour may be a wrap that was none.
const BEYOND: f64 = 3.0;
/// Rates within this share of the highest are on its plateau.
const PLATEAU: f64 = 0.97;

/// The place of a series, and of a row in it.
type RowPlace = (usize, usize);

/// A place, a class, and when.
type SuspectKey = (Arc<str>, Arc<str>, i64);

/// Marks values that monitoring made of a restart, and leaves them out: what no line carries, and what is several times both
/// neighbours and no more than a counter of 32 bits could have made - at the same time in both ways, and in one of them far above
/// all else, or beside a gap.
pub(super) fn mark_spikes(tidy: &mut [Vec<SeriesRow>], of_counters: &BTreeSet<Arc<str>>) {
    let mut suspects: BTreeMap<SuspectKey, Vec<(RowPlace, Beyond)>> = BTreeMap::new();
    let mut ways: BTreeMap<(Arc<str>, Arc<str>), usize> = BTreeMap::new();
    for (series, rows) in tidy.iter().enumerate() {
        let Some(first) = rows.first() else { continue };
        *ways.entry((first.place.clone(), first.class.clone())).or_default() += 1;
        for place in 0..rows.len() {
            let Some(beyond) = beyond(rows, place) else { continue };
            if of_counters.contains(&rows[place].origin.0) {
                #[allow(clippy::cast_possible_truncation)] // seconds of this age
                let begins = rows[place].begins.round() as i64;
                suspects
                    .entry((rows[place].place.clone(), rows[place].class.clone(), begins))
                    .or_default()
                    .push(((series, place), beyond));
            }
        }
    }
    for ((place, class, _), found) in suspects {
        let is_both_ways = found.len() >= ways[&(place, class)];
        let is_far = found.iter().any(|(_, beyond)| beyond.of_highest >= FAR);
        let is_huge = |(series, place): RowPlace| tidy[series][place].amount.bytes.is_some_and(|bytes| bytes >= HUGE);
        let huge: Vec<bool> =
            found.iter().map(|(place, beyond)| beyond.of_highest >= ALONE && is_huge(*place)).collect();
        for (((series, place), beyond), is_alone) in found.into_iter().zip(huge) {
            let is_after_gap = beyond.is_beside_gap && beyond.of_highest >= NEAR;
            if beyond.is_impossible || is_alone || (is_both_ways && (is_far || is_after_gap)) {
                let row = &mut tidy[series][place];
                (row.state, row.amount) = (RowState::Spike, Amount::default());
            }
        }
    }
}

/// So many times the highest other value is more than people and backups make in both ways at once.
const FAR: f64 = 8.0;
/// In one way alone it takes so much, and so many bytes: the other counter may have stood low.
const ALONE: f64 = 20.0;
/// See [`ALONE`].
const HUGE: f64 = 1e9;
/// Beside a gap, where a restart is likely, so much is enough.
const NEAR: f64 = 2.0;
/// No line carries so much [bit/s].
const NO_LINE: f64 = 1e13;

/// How far a value stands out.
#[derive(Clone, Copy, Debug)]
struct Beyond {
    /// Over the highest value that is not beyond its own neighbours.
    of_highest: f64,
    is_beside_gap: bool,
    is_impossible: bool,
}

/// How far a value stands above both of its neighbours, if it does, and could be a wrap that was none.
fn beyond(rows: &[SeriesRow], place: usize) -> Option<Beyond> {
    let own = rows[place].rate()?;
    if own > NO_LINE {
        return Some(Beyond { of_highest: f64::INFINITY, is_beside_gap: false, is_impossible: true });
    }
    if rows[place].amount.bytes? > WRAP {
        return None;
    }
    let is_known = |row: &&SeriesRow| row.rate().is_some();
    let (before, after) = (rows[..place].iter().rev().take(3), rows[place + 1..].iter().take(3));
    let neighbours =
        [before.clone().find(is_known), after.clone().find(is_known)].map(|row| row.and_then(SeriesRow::rate));
    let [Some(before), Some(after)] = neighbours else { return None };
    if own <= BEYOND * before.max(after) || before.max(after) <= 0.0 {
        return None;
    }
    let is_gap = |place: Option<usize>| {
        place.and_then(|place| rows.get(place)).is_some_and(|row| matches!(row.state, RowState::Gap | RowState::Reset))
    };
    // A device restarts once or twice in an export; what comes back more often is somebody's backup.
    let mut others: Vec<f64> =
        rows.iter().enumerate().filter(|(other, _)| *other != place).filter_map(|(_, row)| row.rate()).collect();
    others.sort_by(|a, b| b.total_cmp(a));
    let highest = others.iter().take(3).copied().find(|rate| *rate < own / 1.5).or(others.get(2).copied())?;
    let is_beside_gap = is_gap(place.checked_sub(1)) || is_gap(Some(place + 1));
    Some(Beyond { of_highest: own / highest.max(1.0), is_beside_gap, is_impossible: false })
}

/// Marks the spells in which a place was full: three intervals or more in a row within a few per cent of the highest, and within one
/// per cent of each other.
pub(super) fn mark_full(rows: &mut [SeriesRow]) {
    const LEAST: usize = 3;
    const EVEN: f64 = 0.01;
    // Below that no concentrator is full [bit/s].
    const SLOWEST: f64 = 1e6;
    let rates: Vec<f64> = rows.iter().map(|row| row.rate().unwrap_or(0.0)).collect();
    let highest = rates.iter().copied().fold(0.0, f64::max);
    // What never changes shows no plateau.
    let is_below = |row: &SeriesRow| row.rate().is_some_and(|rate| rate < PLATEAU * highest);
    if !rows.iter().any(is_below) {
        return;
    }
    let mut from = 0;
    while from < rows.len() {
        let until = (from..rows.len()).find(|place| rates[*place] < PLATEAU * highest).unwrap_or(rows.len());
        let spell = &rates[from..until];
        if highest >= SLOWEST && spell.len() >= LEAST && is_even(spell, EVEN) {
            rows[from..until]
                .iter_mut()
                .filter(|row| row.state == RowState::Ok)
                .for_each(|row| row.state = RowState::Full);
        }
        from = until + 1;
    }
}

/// Whether values lie within a share of their mean of it, in the root mean square.
fn is_even(values: &[f64], share: f64) -> bool {
    let sum: crate::stats::Tally = values.iter().copied().collect();
    sum.variance().sqrt() <= share * sum.mean()
}
