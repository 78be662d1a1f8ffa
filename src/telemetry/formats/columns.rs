//! Any table with a time in one column and amounts in others: exports of graphs, sheets, and what a planner made.

use std::collections::BTreeMap;

use crate::scenario::problem::did_you_mean;
use crate::telemetry::clock::{DayOrder, Stamp, day_order, stamp};
use crate::telemetry::formats::names;
use crate::telemetry::formats::sheet::SheetTable;
use crate::telemetry::formats::values::{named, step};
use crate::telemetry::number::{DecimalSign, Unit, decimal_sign, is_nothing, measured, number};
use crate::telemetry::reading::{ColumnRole, Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::{Amount, Toward};

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueColumn {
    /// Its place.
    pub column: usize,
    /// Where it was measured.
    pub place: String,
    /// The way.
    pub toward: Toward,
    /// What it counts; none for a number of things.
    pub unit: Option<Unit>,
    /// Whether it counts packets.
    pub is_packets: bool,
}

/// Where a time stands in its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampAt {
    /// At its beginning.
    Beginning,
    /// At its end.
    End,
}

/// The instants of a column of times.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn instants(table: &SheetTable, column: usize, context: &Context<'_>) -> Result<Vec<f64>, (u32, String, String)> {
    let Some(order) = day_order(&table.cells(column)) else {
        let (line, row) = &table.rows[0];
        let text = row.get(column).map_or("", String::as_str);
        let reads = [DayOrder::DayFirst, DayOrder::MonthFirst].map(|order| match stamp(text, order) {
            Some(Stamp::Local(time, _)) => time.strftime("%-d %B %Y").to_string(),
            _ => "no date".to_owned(),
        });
        let title = format!("`{text}` is {} or {}", reads[0], reads[1]);
        return Err((*line, title, "export a longer time, or with dates as 2026-04-20".to_owned()));
    };
    let mut stamps = Vec::with_capacity(table.rows.len());
    for (line, row) in &table.rows {
        let text = row.get(column).map_or("", String::as_str);
        match stamp(text, order) {
            Some(stamp) => stamps.push(stamp),
            None => {
                return Err((
                    *line,
                    format!("`{text}` is no time"),
                    "leave the line out, or write its time as 2026-04-20 08:00".to_owned(),
                ));
            }
        }
    }
    context.clock.instants(&stamps).map_err(|(place, what)| {
        (table.rows[place].0, what, "the file is in UTC, or in another zone: `--zone UTC`".to_owned())
    })
}

/// Readings of the value columns of a table.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn readings(
    table: &SheetTable,
    times: &[f64],
    at: StampAt,
    columns: &[ValueColumn],
) -> Result<Vec<Reading>, (u32, String, String)> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let step = step(&sorted).unwrap_or(300.0);
    let mut found = Vec::new();
    for column in columns {
        let cells = || table.cells(column.column).filter(|cell| !is_nothing(cell));
        let bare = |cell: &str| {
            cell.trim_end_matches(|letter: char| letter.is_alphabetic() || "/% ".contains(letter)).to_owned()
        };
        let texts: Vec<String> = cells().map(bare).collect();
        let Some(sign) = decimal_sign(texts.iter().map(String::as_str)) else {
            let (line, row) = table
                .rows
                .iter()
                .find(|(_, row)| row.get(column.column).is_some_and(|cell| cell.contains([',', '.'])))
                .unwrap_or(&table.rows[0]);
            let text = row.get(column.column).map_or("", String::as_str);
            let reads = [DecimalSign::Point, DecimalSign::Comma].map(|sign| number(&bare(text), sign).unwrap_or(0.0));
            let title = format!("`{text}` is {} or {}", reads[0], reads[1]);
            return Err((*line, title, "export numbers without grouping, or the raw values".to_owned()));
        };
        for ((line, row), time) in table.rows.iter().zip(times) {
            let text = row.get(column.column).map_or("", String::as_str);
            let value = if is_nothing(text) {
                None
            } else {
                number(text, sign)
                    .map(|value| (value, column.unit))
                    .or_else(|| measured(text, sign).map(|(value, unit)| (value, Some(unit))))
            };
            let amount = match value {
                None => Amount::default(),
                Some((value, _)) if column.is_packets => Amount { packets: Some(value), ..Amount::default() },
                Some((value, Some(unit))) => Amount::of_bytes(unit.volume(value, step)),
                Some((value, None)) => Amount { count: Some(value), ..Amount::default() },
            };
            if value.is_none() && !is_nothing(text) {
                return Err((
                    *line,
                    format!("`{text}` is no number"),
                    "leave the line out, or export raw values".to_owned(),
                ));
            }
            let begins = if at == StampAt::End { time - step } else { *time };
            let kind = ReadingKind::Passed { begins, seconds: step, amount, coverage: 1.0 };
            found.push(Reading { place: named(&column.place), class: all(), toward: column.toward, line: *line, kind });
        }
    }
    Ok(found)
}

/// What a column is by its name; none where nothing of it can be used.
#[must_use]
pub fn by_name(column: usize, name: &str, unit: Option<Unit>, context: &Context<'_>) -> Option<ValueColumn> {
    let lower = name.to_lowercase();
    if ["ratio", "percent", "%", "latency", "loss", "jitter", "id"].iter().any(|word| lower.contains(word)) {
        return None;
    }
    let says = names::named(name, context.side);
    let is_packets = lower.contains("packet") || lower.contains("pkt");
    let unit = if is_packets { None } else { says.unit.or(unit) };
    // A column of bytes, and not of bytes a second, is a volume.
    let is_volume = (lower.contains("octet") || lower.contains("byte"))
        && !lower.contains("/s")
        && !lower.contains("per")
        && !lower.ends_with("ps");
    let unit = unit.map(|unit| if is_volume { Unit { per_second: false, ..unit } } else { unit });
    let place = if unit.is_some() {
        says.place.filter(|place| !lower.starts_with("n_") && !place.is_empty())
    } else {
        Some(name.to_owned())
    };
    let place = place.filter(|_| !is_packets).unwrap_or_else(|| context.stem.to_owned());
    Some(ValueColumn { column, place, toward: says.toward.unwrap_or(Toward::Both), unit, is_packets })
}

/// A table whose first column of times can be found by itself.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn read(text: &str, context: &Context<'_>) -> Result<Found, (u32, String, String)> {
    let table = SheetTable::of(text, 0);
    if !context.columns.is_empty() {
        return as_said(&table, context);
    }
    let is_time = |column: usize| {
        let mut cells = table.cells(column).take(20).peekable();
        cells.peek().is_some()
            && cells.all(|cell| stamp(cell, DayOrder::DayFirst).or_else(|| stamp(cell, DayOrder::MonthFirst)).is_some())
    };
    let Some(time) = (0..table.header.len()).find(|column| is_time(*column)) else {
        return Err((
            1,
            "no column of this table holds times".to_owned(),
            "give the table a column of times, such as 2026-04-20 08:00".to_owned(),
        ));
    };
    let columns: Vec<ValueColumn> = (0..table.header.len())
        .filter(|column| *column != time)
        .filter_map(|column| by_name(column, &table.header[column], context.unit, context))
        .collect();
    let times = instants(&table, time, context)?;
    let readings = readings(&table, &times, StampAt::Beginning, &columns)?;
    let what = |column: &ValueColumn| {
        let unit = column.unit.map_or(if column.is_packets { "packets" } else { "numbers" }, Unit::said);
        format!("{} ({unit})", table.header[column.column])
    };
    let names = columns.iter().map(what).collect::<Vec<_>>().join(", ");
    let known = vec![
        format!("times in `{}`, each the beginning of its step; values in {names}", table.header[time]),
        context.clock.said(),
    ];
    Ok(Found { format: "a table with a column of times", known, readings, ..Found::default() })
}

/// A table of which the user says what its columns are.
fn as_said(table: &SheetTable, context: &Context<'_>) -> Result<Found, (u32, String, String)> {
    let column = |name: &str| -> Result<usize, (u32, String, String)> {
        table.column(|own| own == name.to_lowercase()).ok_or_else(|| {
            let help = did_you_mean(name, table.header.iter().map(String::as_str));
            (1, format!("this table has no column `{name}`"), help)
        })
    };
    let of = |role: ColumnRole| -> Result<Option<usize>, (u32, String, String)> {
        let said = context.columns.iter().find(|(own, _)| *own == role);
        said.map(|(_, name)| column(name)).transpose()
    };
    let Some(time) = of(ColumnRole::Time)? else {
        let help = "say which column holds the times: `--columns time=NAME,down=NAME`".to_owned();
        return Err((1, "`--columns` names no column of times".to_owned(), help));
    };
    let (place, class) = (of(ColumnRole::Place)?, of(ColumnRole::Class)?);
    let mut columns = Vec::new();
    for (role, name) in context.columns {
        let (toward, is_packets) = match role {
            ColumnRole::Passed(toward) => (*toward, false),
            ColumnRole::Packets => (Toward::Both, true),
            _ => continue,
        };
        let column = column(name)?;
        let unit = by_name(column, name, context.unit, context).and_then(|own| own.unit).or(context.unit);
        columns.push(ValueColumn { column, place: context.stem.to_owned(), toward, unit, is_packets });
    }
    // Rows of several places follow each other: the step is that of one.
    let key = |row: &[String]| [place, class].map(|at| at.and_then(|at| row.get(at).cloned()).unwrap_or_default());
    let mut parts: BTreeMap<[String; 2], SheetTable> = BTreeMap::new();
    for (line, row) in &table.rows {
        let part = parts.entry(key(row)).or_default();
        part.header.clone_from(&table.header);
        part.rows.push((*line, row.clone()));
    }
    let mut found = Found { format: "a table with columns as you said", ..Found::default() };
    for ([place, class], part) in parts {
        let times = instants(&part, time, context)?;
        for mut reading in readings(&part, &times, StampAt::Beginning, &columns)? {
            if !place.is_empty() {
                reading.place = named(&place);
            }
            if !class.is_empty() {
                reading.class = named(&class);
            }
            found.readings.push(reading);
        }
    }
    let units = columns.iter().map(|own| own.unit.map_or("numbers", Unit::said)).collect::<Vec<_>>().join(", ");
    found.known = vec![format!("times stand at the beginning of their step; values are {units}"), context.clock.said()];
    Ok(found)
}
