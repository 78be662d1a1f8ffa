//! From readings to rows: counters are differenced, and what is wrong with a series is found and marked, never papered over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::telemetry::reading::{Reading, ReadingKind};
use crate::telemetry::series::{Amount, RowState, SeriesRow, Toward};

/// A series: where, which class, which way.
type SeriesKey = (Arc<str>, Arc<str>, Toward);

/// A counter is taken for one of 32 bits that has wrapped below this.
const WRAP: f64 = 4_294_967_296.0;
/// A value that is so many times its larger neighbour may be a wrap that was none.
const BEYOND: f64 = 3.0;
/// What was measured in less than this share of an interval is not scaled up to it.
const SCALED: f64 = 0.5;
/// Rates within this share of the highest are on its plateau.
const PLATEAU: f64 = 0.97;

/// The rows of files' readings, in the order of place, class, way and time; `of_counters` names the files in which a restart may
/// have become a value.
#[must_use]
pub fn tidy(mut readings: Vec<(Arc<str>, Reading)>, of_counters: &BTreeSet<Arc<str>>) -> Vec<SeriesRow> {
    readings.retain(|(_, reading)| has_time(reading));
    align(&mut readings);
    let mut by_series: BTreeMap<SeriesKey, Vec<(Arc<str>, Reading)>> = BTreeMap::new();
    for (file, reading) in readings {
        let key = (reading.place.clone(), reading.class.clone(), reading.toward);
        by_series.entry(key).or_default().push((file, reading));
    }
    let mut tidy: Vec<Vec<SeriesRow>> = by_series.into_values().map(series).collect();
    mark_spikes(&mut tidy, of_counters);
    for rows in &mut tidy {
        mark_full(rows);
    }
    tidy.concat()
}

/// Whether a reading has a time that can be one: from 1970 to 2100, and less than some years long.
fn has_time(reading: &Reading) -> bool {
    const LAST: f64 = 4.1e9;
    const LONGEST: f64 = 1e8;
    let is_time = |at: f64| (0.0..LAST).contains(&at);
    match &reading.kind {
        ReadingKind::Passed { begins, seconds, .. } => is_time(*begins) && *seconds > 0.0 && *seconds < LONGEST,
        ReadingKind::Counted { at, since, .. } => is_time(*at) && since.is_none_or(f64::is_finite),
    }
}

/// A counter of one life, as it stood in some files: when it was read, and how long it had counted.
type Lives = BTreeMap<(SeriesKey, Arc<str>), BTreeMap<Arc<str>, (f64, f64)>>;

/// Sets right when files were written: counters say how long they have counted, which tells how far two files are apart. The file
/// that was written last by that keeps its time.
fn align(readings: &mut [(Arc<str>, Reading)]) {
    /// Ages are whole seconds.
    const EXACT: f64 = 2.0;
    let mut lives = Lives::new();
    for (file, reading) in readings.iter() {
        if let ReadingKind::Counted { at, life, since: Some(since), .. } = &reading.kind {
            let key = ((reading.place.clone(), reading.class.clone(), reading.toward), life.clone());
            lives.entry(key).or_default().insert(file.clone(), (*at, at - since));
        }
    }
    let shared = lives.values().filter(|files| files.len() > 1).flatten();
    let oldest = shared.max_by(|a, b| a.1.1.total_cmp(&b.1.1));
    let Some((last, (ends, _))) = oldest.map(|(file, times)| (file.clone(), *times)) else { return };
    let mut apart: BTreeMap<Arc<str>, Vec<(f64, f64)>> = BTreeMap::new();
    for files in lives.values() {
        let Some((_, age)) = files.get(&last) else { continue };
        for (file, (at, other)) in files.iter().filter(|(file, _)| **file != last) {
            apart.entry(file.clone()).or_default().push((*at, age - other));
        }
    }
    for (file, mut times) in apart {
        times.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (at, between) = times[times.len() / 2];
        let by = (ends - between) - at;
        if by.abs() > EXACT {
            readings.iter_mut().filter(|(other, _)| *other == file).for_each(|(_, reading)| shift(reading, by));
        }
    }
}

/// Moves a reading of a counter in time [s].
fn shift(reading: &mut Reading, by: f64) {
    if let ReadingKind::Counted { at, since, .. } = &mut reading.kind {
        *at += by;
        *since = since.map(|since| since + by);
    }
}

/// The rows of one series.
fn series(mut readings: Vec<(Arc<str>, Reading)>) -> Vec<SeriesRow> {
    let time = |reading: &Reading| match &reading.kind {
        ReadingKind::Passed { begins, .. } => *begins,
        ReadingKind::Counted { at, .. } => *at,
    };
    readings.sort_by(|a, b| time(&a.1).total_cmp(&time(&b.1)));
    let mut rows: Vec<SeriesRow> = Vec::new();
    let mut last: Option<(Arc<str>, Reading)> = None;
    for (file, reading) in readings {
        let row = match &reading.kind {
            ReadingKind::Passed { .. } => Some(passed(&file, &reading)),
            ReadingKind::Counted { .. } => {
                let row = counted(&file, last.as_ref().map(|(_, last)| last), &reading);
                last = Some((file.clone(), reading));
                row
            }
        };
        let Some(row) = row else { continue };
        if let Some(before) = rows.last() {
            let hole = row.begins - before.ends();
            if hole > 0.5 * row.seconds.min(before.seconds) {
                let gap = SeriesRow {
                    begins: before.ends(),
                    seconds: hole,
                    amount: Amount::default(),
                    coverage: 0.0,
                    state: RowState::Gap,
                    ..row.clone()
                };
                rows.push(gap);
            } else if hole < -0.5 * row.seconds && (row.begins - before.begins).abs() < 1e-6 {
                // The same interval twice: the later export counts.
                rows.pop();
            }
        }
        rows.push(row);
    }
    rows
}

fn row(file: &Arc<str>, reading: &Reading, (begins, seconds): (f64, f64), amount: Amount) -> SeriesRow {
    SeriesRow {
        begins,
        seconds,
        place: reading.place.clone(),
        class: reading.class.clone(),
        toward: reading.toward,
        amount,
        coverage: 1.0,
        state: RowState::Ok,
        origin: (file.clone(), reading.line),
    }
}

/// A row of what passed in an interval.
fn passed(file: &Arc<str>, reading: &Reading) -> SeriesRow {
    let ReadingKind::Passed { begins, seconds, amount, coverage } = reading.kind else {
        return row(file, reading, (0.0, 0.0), Amount::default());
    };
    let (state, amount) = match coverage {
        _ if amount.is_none() => (RowState::Gap, amount),
        coverage if coverage >= 1.0 - 1e-9 => (RowState::Ok, amount),
        coverage if coverage >= SCALED => (RowState::Partial, amount.map(|value| value / coverage)),
        _ => (RowState::Partial, amount),
    };
    let coverage = if state == RowState::Gap { 0.0 } else { coverage };
    SeriesRow { coverage, state, ..row(file, reading, (begins, seconds), amount) }
}

/// A row of what passed between two readings of a counter, or since it began; none where there is no interval.
fn counted(file: &Arc<str>, last: Option<&Reading>, reading: &Reading) -> Option<SeriesRow> {
    let ReadingKind::Counted { at, amount, life, since, is_short } = &reading.kind else { return None };
    let Some(ReadingKind::Counted { at: before, amount: stood, life: other, .. }) = last.map(|last| &last.kind) else {
        let since = since.filter(|since| since < at)?;
        return Some(row(file, reading, (since, at - since), *amount));
    };
    let seconds = (at - before).max(0.0);
    let whole = row(file, reading, (*before, seconds), *amount);
    if life != other {
        let covered =
            since.map_or(0.0, |since| if seconds > 0.0 { ((at - since) / seconds).clamp(0.0, 1.0) } else { 0.0 });
        return Some(SeriesRow { state: RowState::Reset, coverage: covered, ..whole });
    }
    let difference = |now: Option<f64>, then: Option<f64>| Some(now? - then?);
    let [bytes, packets, count] =
        [(amount.bytes, stood.bytes), (amount.packets, stood.packets), (amount.count, stood.count)]
            .map(|(now, then)| difference(now, then));
    if [bytes, packets, count].into_iter().flatten().all(|value| value >= 0.0) {
        return Some(SeriesRow { amount: Amount { bytes, packets, count, highest: None }, ..whole });
    }
    // A counter of 32 bits goes through its end at most once between readings, or nobody can tell.
    let wrapped =
        bytes.filter(|bytes| *is_short && *bytes < 0.0 && bytes + WRAP < WRAP / 4.0).map(|bytes| bytes + WRAP);
    match wrapped {
        Some(bytes) => Some(SeriesRow { amount: Amount::of_bytes(bytes), ..whole }),
        None => Some(SeriesRow { state: RowState::Reset, coverage: 0.0, ..whole }),
    }
}

/// The place of a series, and of a row in it.
type RowPlace = (usize, usize);

/// Marks values that monitoring made of a restart: several times both neighbours, at the same time in both ways, and no more than a
/// counter of 32 bits could have made. They are left out.
fn mark_spikes(tidy: &mut [Vec<SeriesRow>], of_counters: &BTreeSet<Arc<str>>) {
    let mut suspects: BTreeMap<(Arc<str>, Arc<str>, i64), Vec<RowPlace>> = BTreeMap::new();
    let mut ways: BTreeMap<(Arc<str>, Arc<str>), usize> = BTreeMap::new();
    for (series, rows) in tidy.iter().enumerate() {
        let Some(first) = rows.first() else { continue };
        *ways.entry((first.place.clone(), first.class.clone())).or_default() += 1;
        for place in 0..rows.len() {
            if of_counters.contains(&rows[place].origin.0) && is_beyond(rows, place) {
                #[allow(clippy::cast_possible_truncation)] // seconds of this age
                let begins = rows[place].begins.round() as i64;
                suspects
                    .entry((rows[place].place.clone(), rows[place].class.clone(), begins))
                    .or_default()
                    .push((series, place));
            }
        }
    }
    for ((place, class, _), found) in suspects {
        if found.len() < ways[&(place, class)] {
            continue;
        }
        for (series, place) in found {
            let row = &mut tidy[series][place];
            (row.state, row.amount) = (RowState::Spike, Amount::default());
        }
    }
}

/// Whether a value stands far above both of its neighbours, and could be a wrap that was none.
fn is_beyond(rows: &[SeriesRow], place: usize) -> bool {
    let rate = |place: usize| rows.get(place).and_then(SeriesRow::rate);
    let (Some(own), Some(before), Some(after)) = (rate(place), place.checked_sub(1).and_then(rate), rate(place + 1))
    else {
        return false;
    };
    let neighbour = before.max(after);
    let bytes = rows[place].amount.bytes.unwrap_or(0.0);
    own > BEYOND * neighbour && neighbour > 0.0 && bytes <= WRAP
}

/// Marks the spells in which a place was full: three intervals or more in a row within a few per cent of the highest, and within one
/// per cent of each other.
fn mark_full(rows: &mut [SeriesRow]) {
    const LEAST: usize = 3;
    const EVEN: f64 = 0.01;
    let rates: Vec<f64> = rows.iter().map(|row| row.rate().unwrap_or(0.0)).collect();
    let highest = rates.iter().copied().fold(0.0, f64::max);
    let mut from = 0;
    while from < rows.len() {
        let until = (from..rows.len()).find(|place| rates[*place] < PLATEAU * highest).unwrap_or(rows.len());
        let spell = &rates[from..until];
        if highest > 0.0 && spell.len() >= LEAST && is_even(spell, EVEN) {
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
