//! What files were taken for, and what was found in their series, in words.

use jiff::tz::TimeZone;

use crate::report::table::wrapped;
use crate::report::words::{bit_rate, several};
use crate::telemetry::import::ImportedFile;
use crate::telemetry::series::{RowState, SeriesRow, written};

/// Marks that are listed one by one; of others the number is told.
const LISTED: usize = 4;

/// The files, each with what it was taken for and how that is known, and what was found in them.
#[must_use]
pub fn text(files: &[ImportedFile], rows: &[SeriesRow], zone: &TimeZone) -> String {
    files.iter().map(|file| of_file(file, rows, zone)).collect::<Vec<_>>().join("\n")
}

/// What a person should know of all files together.
#[must_use]
pub fn notes(found: &[String]) -> String {
    found.iter().map(|what| wrapped(&format!("! {what}"), "  ") + "\n").collect()
}

fn of_file(file: &ImportedFile, rows: &[SeriesRow], zone: &TimeZone) -> String {
    let name = file.path.rsplit(['/', '\\']).next().unwrap_or(&file.path);
    let own: Vec<&SeriesRow> = rows.iter().filter(|row| &*row.origin.0 == name).collect();
    let mut text = format!("{}\n  {}{}\n", file.path, file.found.format, extent(&own, zone));
    for known in &file.found.known {
        text += &wrapped(known, "  ");
        text += "\n";
    }
    for mark in marks(&own, zone).iter().chain(&file.found.warnings) {
        text += &wrapped(&format!("! {mark}"), "  ");
        text += "\n";
    }
    text
}

/// How many intervals of how many places, from when until when.
fn extent(rows: &[&SeriesRow], zone: &TimeZone) -> String {
    let Some(begins) = rows.iter().map(|row| row.begins).min_by(f64::total_cmp) else {
        return ": nothing that makes an interval".to_owned();
    };
    let ends = rows.iter().map(|row| row.ends()).max_by(f64::total_cmp).unwrap_or(begins);
    let mut places: Vec<&str> = rows.iter().map(|row| &*row.place).collect();
    places.sort_unstable();
    places.dedup();
    let mut lengths: Vec<f64> = rows.iter().map(|row| row.seconds).collect();
    lengths.sort_by(f64::total_cmp);
    format!(
        ": {} of {} at {}, {} to {}",
        several(rows.len(), ["interval", "intervals"]),
        length(lengths[lengths.len() / 2]),
        several(places.len(), ["place", "places"]),
        written(begins, zone),
        written(ends, zone)
    )
}

fn length(seconds: f64) -> String {
    match seconds {
        seconds if seconds >= 120.0 && seconds % 60.0 < 1e-6 => format!("{} min", seconds / 60.0),
        seconds => format!("{} s", (seconds * 10.0).round() / 10.0),
    }
}

/// What was found in a series that a person should know.
fn marks(rows: &[&SeriesRow], zone: &TimeZone) -> Vec<String> {
    let of = |state: RowState| rows.iter().filter(move |row| row.state == state).copied().collect::<Vec<&SeriesRow>>();
    let told = |state: RowState, says: &dyn Fn(&SeriesRow) -> String, more: &str| -> Vec<String> {
        let found = of(state);
        let mut lines: Vec<String> = found.iter().take(LISTED).map(|row| says(row)).collect();
        if found.len() > LISTED {
            lines.push(format!("and {} more {more}", found.len() - LISTED));
        }
        lines
    };
    let at = |row: &SeriesRow| format!("{} {} at {}", row.place, row.toward.name(), written(row.begins, zone));
    let mut marks = told(
        RowState::Gap,
        &|row| format!("{}: nothing for {}; left empty, not 0", at(row), length(row.seconds)),
        "gaps",
    );
    marks.extend(told(
        RowState::Reset,
        &|row| format!("{}: the counter began anew; what it shows is a lower bound", at(row)),
        "resets",
    ));
    marks.extend(told(
        RowState::Spike,
        &|row| format!("{}: a value that a restart made of a wrap (line {}); left out", at(row), row.origin.1),
        "such values",
    ));
    marks.extend(told(
        RowState::Partial,
        &|row| format!("{}: measured for {} % of it", at(row), (row.coverage * 100.0).round()),
        "intervals that were measured in part",
    ));
    marks.extend(spells(&of(RowState::Full), zone));
    marks
}

/// Full intervals that follow each other, as spells.
fn spells(rows: &[&SeriesRow], zone: &TimeZone) -> Vec<String> {
    let mut spells: Vec<(f64, &SeriesRow)> = Vec::new();
    for row in rows {
        match spells.last_mut() {
            Some((ends, first))
                if first.place == row.place && first.toward == row.toward && (row.begins - *ends).abs() < 1.0 =>
            {
                *ends = row.ends();
            }
            _ => spells.push((row.ends(), row)),
        }
    }
    let says = |(ends, row): &(f64, &SeriesRow)| {
        format!(
            "{} {} is full from {} to {}, at {}: what it carries there is not what was wanted",
            row.place,
            row.toward.name(),
            written(row.begins, zone),
            written(*ends, zone),
            bit_rate(row.rate().unwrap_or(0.0))
        )
    };
    spells.iter().map(says).collect()
}
