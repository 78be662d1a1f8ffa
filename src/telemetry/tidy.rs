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

/// The rows of files' readings, in the order of place, class, way and time; and what a person should know of them.
#[derive(Clone, Debug, Default)]
pub struct Tidied {
    /// The rows.
    pub rows: Vec<SeriesRow>,
    /// What was left out, a sentence each.
    pub notes: Vec<String>,
    /// Two values of one interval of one thing that cannot both be true, a sentence for each thing.
    pub conflicts: Vec<String>,
}

/// Makes rows of files' readings; `of_counters` names the files in which a restart may have become a value.
#[must_use]
pub fn tidy(mut readings: Vec<(Arc<str>, Reading)>, of_counters: &BTreeSet<Arc<str>>) -> Tidied {
    readings.retain(|(_, reading)| has_time(reading));
    align(&mut readings);
    let mut by_series: BTreeMap<SeriesKey, Vec<(Arc<str>, Reading)>> = BTreeMap::new();
    for (file, reading) in readings {
        let key = (reading.place.clone(), reading.class.clone(), reading.toward);
        by_series.entry(key).or_default().push((file, reading));
    }
    let mut found = Tidied::default();
    let mut tidy: Vec<Vec<SeriesRow>> = by_series.into_values().map(|readings| series(readings, &mut found)).collect();
    mark_spikes(&mut tidy, of_counters);
    for rows in &mut tidy {
        mark_full(rows);
    }
    found.rows = tidy.concat();
    found
}

/// Rows of several series as one: what is there twice counts once.
#[must_use]
pub fn joined(rows: Vec<SeriesRow>) -> Tidied {
    let mut by_series: BTreeMap<SeriesKey, Vec<SeriesRow>> = BTreeMap::new();
    for row in rows {
        by_series.entry((row.place.clone(), row.class.clone(), row.toward)).or_default().push(row);
    }
    let mut found = Tidied::default();
    let one = |mut rows: Vec<SeriesRow>| {
        rows.sort_by(|a, b| a.begins.total_cmp(&b.begins));
        finest(each_once(rows, &mut found), &mut found)
    };
    let rows: Vec<Vec<SeriesRow>> = by_series.into_values().map(one).collect();
    Tidied { rows: rows.concat(), ..found }
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
fn series(mut readings: Vec<(Arc<str>, Reading)>, found: &mut Tidied) -> Vec<SeriesRow> {
    let time = |reading: &Reading| match &reading.kind {
        ReadingKind::Passed { begins, .. } => *begins,
        ReadingKind::Counted { at, .. } => *at,
    };
    readings.sort_by(|a, b| time(&a.1).total_cmp(&time(&b.1)));
    let mut rows: Vec<SeriesRow> = Vec::new();
    let mut last: Option<(Arc<str>, Reading)> = None;
    for (file, reading) in readings {
        match &reading.kind {
            ReadingKind::Passed { .. } => rows.push(passed(&file, &reading)),
            ReadingKind::Counted { .. } => {
                let row = counted(&file, last.as_ref().map(|(_, last)| last), &reading);
                let is_once = row.as_ref().is_none_or(|row| row.seconds > 0.0);
                if let Some((other, twin)) = last.as_ref().filter(|(_, twin)| !is_once && twin.kind != reading.kind) {
                    found.conflicts.push(format!(
                        "`{}` {} has two readings of the same time: {other}:{} and {file}:{}",
                        reading.place,
                        reading.toward.name(),
                        twin.line,
                        reading.line
                    ));
                }
                rows.extend(row.filter(|_| is_once));
                last = Some((file.clone(), reading));
            }
        }
    }
    let rows = with_gaps(finest(each_once(rows, found), found));
    mirrored(rows)
}

/// Rows of the same interval become one: what one of them lacks the other has, and of an export that was made again the later counts.
fn each_once(rows: Vec<SeriesRow>, found: &mut Tidied) -> Vec<SeriesRow> {
    let mut once: Vec<SeriesRow> = Vec::new();
    let (mut twice, mut against) = (0, Vec::new());
    for row in rows {
        let Some(last) = once.last_mut().filter(|last| is_same_interval(last, &row)) else {
            once.push(row);
            continue;
        };
        let whole = last.amount.and(row.amount);
        twice += usize::from(whole.is_none());
        match whole {
            Some(amount) => {
                let known = if last.amount.is_none() { &row } else { &*last };
                *last = SeriesRow { amount, coverage: last.coverage.max(row.coverage), ..known.clone() };
            }
            None => against.push((last.clone(), std::mem::replace(last, row.clone()), row)),
        }
    }
    // What an export made again says of its newest intervals was not complete the first time.
    let within_a_file = against.iter().find(|(_, last, row)| last.origin.0 == row.origin.0);
    let conflict = within_a_file.or_else(|| against.first().filter(|_| twice > 2 && 10 * twice > once.len()));
    if let Some((_, last, row)) = conflict {
        found.conflicts.push(conflict_of(last, row));
    }
    once
}

fn is_same_interval(a: &SeriesRow, b: &SeriesRow) -> bool {
    let slack = 0.5 * a.seconds.min(b.seconds);
    (a.begins - b.begins).abs() <= slack.min(0.5) && (a.ends() - b.ends()).abs() <= slack.min(0.5)
}

fn conflict_of(a: &SeriesRow, b: &SeriesRow) -> String {
    let said = |row: &SeriesRow| {
        let amount = row.amount.bytes.or(row.amount.packets).or(row.amount.count).unwrap_or(0.0);
        format!("{}:{} says {amount}", row.origin.0, row.origin.1)
    };
    format!("`{}` {} has two values of the same time: {}, {}", a.place, a.toward.name(), said(a), said(b))
}

/// Rows without those of longer intervals whose time shorter ones cover: the same thing from another archive.
fn finest(rows: Vec<SeriesRow>, found: &mut Tidied) -> Vec<SeriesRow> {
    let overlaps = |pair: &[SeriesRow]| pair[1].begins < pair[0].ends() - 0.5 * pair[1].seconds.min(pair[0].seconds);
    if !rows.windows(2).any(overlaps) {
        return rows;
    }
    let mut by_length: Vec<usize> = (0..rows.len()).collect();
    by_length.sort_by(|a, b| rows[*a].seconds.total_cmp(&rows[*b].seconds));
    let mut kept: BTreeMap<i64, usize> = BTreeMap::new();
    #[allow(clippy::cast_possible_truncation)] // milliseconds of this age
    let millis = |at: f64| (at * 1e3).round() as i64;
    for row in by_length {
        let (begins, ends, slack) = (rows[row].begins, rows[row].ends(), 0.05 * rows[row].seconds);
        let before = kept.range(..millis(ends - slack)).next_back();
        if before.is_none_or(|(_, other)| rows[*other].ends() <= begins + slack) {
            kept.insert(millis(begins), row);
        }
    }
    let left = rows.len() - kept.len();
    found.notes.push(format!(
        "{} {}: {left} longer intervals overlap shorter ones, and are left out",
        rows[0].place,
        rows[0].toward.name()
    ));
    let mut kept: Vec<usize> = kept.into_values().collect();
    kept.sort_unstable();
    kept.into_iter().map(|row| rows[row].clone()).collect()
}

/// Rows with a gap wherever nothing was measured.
fn with_gaps(rows: Vec<SeriesRow>) -> Vec<SeriesRow> {
    let mut whole: Vec<SeriesRow> = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(before) = whole.last() {
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
                whole.push(gap);
            }
        }
        whole.push(row);
    }
    whole
}

/// Rows without amounts below nothing: one way of a graph is often drawn downwards; else it is a counter that began anew.
fn mirrored(mut rows: Vec<SeriesRow>) -> Vec<SeriesRow> {
    let bytes = || rows.iter().filter_map(|row| row.amount.bytes);
    let is_mirrored = bytes().all(|bytes| bytes <= 0.0) && bytes().filter(|bytes| *bytes < 0.0).count() > 2;
    for row in &mut rows {
        if is_mirrored {
            row.amount = row.amount.map(f64::abs);
        } else if row.amount.bytes.is_some_and(|bytes| bytes < 0.0) {
            (row.state, row.coverage, row.amount) = (RowState::Reset, 0.0, Amount::default());
        }
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

/// A place, a class, and when.
type SuspectKey = (Arc<str>, Arc<str>, i64);

/// Marks values that monitoring made of a restart, and leaves them out: what no line carries, and what is several times both
/// neighbours and no more than a counter of 32 bits could have made - at the same time in both ways, and in one of them far above
/// all else, or beside a gap.
fn mark_spikes(tidy: &mut [Vec<SeriesRow>], of_counters: &BTreeSet<Arc<str>>) {
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
fn mark_full(rows: &mut [SeriesRow]) {
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
