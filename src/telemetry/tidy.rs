//! From readings to rows: counters are differenced, and what is wrong with a series is found and marked, never papered over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::telemetry::marks::{WRAP, mark_full, mark_spikes};
use crate::telemetry::overlap::{SeriesKey, Tidied, each_once, finest};
use crate::telemetry::reading::{Reading, ReadingKind};
use crate::telemetry::series::{Amount, RowState, SeriesRow};

/// What was measured in less than this share of an interval is not scaled up to it.
const SCALED: f64 = 0.5;

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
        if let ReadingKind::Counted { at, life, since: Some(since), .. } = &reading.kind
            && !life.is_empty()
        {
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
    let Some(ReadingKind::Counted { at: before, amount: stood, life: other, since: began, .. }) =
        last.map(|last| &last.kind)
    else {
        let since = since.filter(|since| since < at)?;
        return Some(row(file, reading, (since, at - since), *amount));
    };
    let seconds = (at - before).max(0.0);
    let whole = row(file, reading, (*before, seconds), *amount);
    // Ages are whole seconds, and files are written some seconds later.
    let is_later = |(now, then): (f64, f64)| life.is_empty() && now - then > 5.0;
    if life != other || since.zip(*began).is_some_and(is_later) {
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
