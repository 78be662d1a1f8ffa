//! What is there twice: the same interval in two columns or files, and longer intervals beside shorter ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::telemetry::series::{SeriesRow, Toward};

/// A series: where, which class, which way.
pub(super) type SeriesKey = (Arc<str>, Arc<str>, Toward);

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

/// Rows of the same interval become one: what one of them lacks the other has, and of an export that was made again the later counts.
pub(super) fn each_once(rows: Vec<SeriesRow>, found: &mut Tidied) -> Vec<SeriesRow> {
    let mut once: Vec<SeriesRow> = Vec::new();
    let mut against: Vec<(SeriesRow, SeriesRow)> = Vec::new();
    for row in rows {
        let Some(last) = once.last_mut().filter(|last| is_same_interval(last, &row)) else {
            once.push(row);
            continue;
        };
        match last.amount.and(row.amount) {
            Some(amount) => {
                let known = if last.amount.is_none() { &row } else { &*last };
                *last = SeriesRow { amount, coverage: last.coverage.max(row.coverage), ..known.clone() };
            }
            None => against.push((std::mem::replace(last, row.clone()), row)),
        }
    }
    // What an export made again says of its newest intervals was not complete the first time.
    let is_often = against.len() > 2 && 10 * against.len() > once.len();
    let within_a_file = against.iter().find(|(last, row)| last.origin.0 == row.origin.0);
    if let Some((last, row)) = within_a_file.or_else(|| against.first().filter(|_| is_often)) {
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
pub(super) fn finest(rows: Vec<SeriesRow>, found: &mut Tidied) -> Vec<SeriesRow> {
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
