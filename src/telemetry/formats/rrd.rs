//! RRDtool: what `fetch` prints and what `xport` writes as JSON or XML, from LibreNMS, Cacti, PNP4Nagios, Munin and others.

use serde_json::Value;

use crate::telemetry::formats::columns::{self, ValueColumn};
use crate::telemetry::formats::names::{self, NamedKind};
use crate::telemetry::formats::sheet::SheetTable;
use crate::telemetry::formats::values::{field, items, named, number, step};
use crate::telemetry::number::{Unit, is_nothing};
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::{Amount, Toward};

/// What `xport --json` says; none where it is another file.
pub(super) fn read_json<'a>(value: &'a Value, context: &Context<'_>) -> Option<Result<Found, (String, String)>> {
    let meta = value.get("meta").filter(|meta| meta.get("legend").is_some())?;
    let (start, step) = (field(meta, "start")?, field(meta, "step")?);
    // PNP4Nagios turns the XML into JSON, element by element.
    let within = |value: &'a Value, key: &str| value.get(key).unwrap_or(value);
    let legends: Vec<String> =
        items(within(&meta["legend"], "entry")).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let row = |row: &'a Value| items(within(row, "v")).iter().map(number).collect::<Vec<_>>();
    let rows: Vec<Vec<Option<f64>>> = items(within(value.get("data")?, "row")).iter().map(row).collect();
    Some(Ok(exported("RRDtool, xport as JSON", &legends, (start, step), &rows, context)))
}

/// What `xport` in XML says; none where it is another file.
#[must_use]
pub fn read_xml(text: &str, context: &Context<'_>) -> Option<Found> {
    let inside = |tag: &str, text: &str| -> Vec<String> {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        text.split(&open).skip(1).filter_map(|rest| Some(rest.split(&close).next()?.trim().to_owned())).collect()
    };
    let first = |tag: &str| inside(tag, text).first().and_then(|value| value.parse::<f64>().ok());
    let (start, step) = (first("start")?, first("step")?);
    let legends: Vec<String> = inside("entry", text).iter().map(|entry| unescaped(entry)).collect();
    let row = |row: &String| {
        let value = |value: &String| if is_nothing(value) { None } else { value.parse().ok() };
        inside("v", row).iter().map(value).collect::<Vec<Option<f64>>>()
    };
    let rows: Vec<Vec<Option<f64>>> = inside("row", text).iter().map(row).collect();
    (!legends.is_empty()).then(|| exported("RRDtool, xport as XML", &legends, (start, step), &rows, context))
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// Rows of an export: each is the mean over the step that ends at `start` plus its number of steps, counted from 0.
fn exported(
    format: &'static str,
    legends: &[String],
    (start, step): (f64, f64),
    rows: &[Vec<Option<f64>>],
    context: &Context<'_>,
) -> Found {
    let says = sources(legends, context);
    let mut found = Found { format, known: known(&says, legends, context), ..Found::default() };
    found.warnings.extend(left_out(&says, legends));
    let mut ends = start;
    for (number, row) in rows.iter().enumerate() {
        let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
        found.readings.extend(readings(&says, row, (ends, step), line));
        ends += step;
    }
    found
}

/// What `fetch` prints; none where it is another file.
#[must_use]
pub fn read_fetch(text: &str, context: &Context<'_>) -> Option<Found> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let (_, header) = lines.next()?;
    let names: Vec<String> = header.split_whitespace().map(str::to_owned).collect();
    let row = |(number, line): (usize, &str)| {
        let (at, values) = line.split_once(':')?;
        let at: f64 = at.trim().parse().ok()?;
        let value = |text: &str| if is_nothing(text) { None } else { text.replace(',', ".").parse::<f64>().ok() };
        Some((number + 1, at, values.split_whitespace().map(value).collect::<Vec<_>>()))
    };
    let rows: Vec<(usize, f64, Vec<Option<f64>>)> = lines.map(row).collect::<Option<_>>()?;
    let instants: Vec<f64> = rows.iter().map(|(_, at, _)| *at).collect();
    let step = step(&instants)?;
    let says = sources(&names, context);
    let mut found = Found { format: "RRDtool, fetch", known: known(&says, &names, context), ..Found::default() };
    found.warnings.extend(left_out(&says, &names));
    for (line, at, row) in &rows {
        let line = u32::try_from(*line).unwrap_or(u32::MAX);
        found.readings.extend(readings(&says, row, (*at, step), line));
    }
    Some(found)
}

/// What PNP4Nagios exports as CSV: `timestamp;in_AVERAGE;..`, its times as those of `xport`.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn read_csv(text: &str, context: &Context<'_>) -> Result<Found, (u32, String, String)> {
    let table = SheetTable::of(text, 0);
    let instants = columns::instants(&table, 0, context)?;
    let step = step(&instants).unwrap_or(300.0);
    let names = table.header.get(1..).unwrap_or_default();
    let says = sources(names, context);
    let format = "RRDtool, as PNP4Nagios exports it";
    let mut found = Found { format, known: known(&says, names, context), ..Found::default() };
    found.warnings.extend(left_out(&says, names));
    for ((line, row), at) in table.rows.iter().zip(instants) {
        let value = |cell: &String| if is_nothing(cell) { None } else { cell.replace(',', ".").parse().ok() };
        let row: Vec<Option<f64>> = row.iter().skip(1).map(value).collect();
        found.readings.extend(readings(&says, &row, (at, step), *line));
    }
    Ok(found)
}

/// What each column is. Data sources of RRDtool are rates; where the name does not say of what, octets.
fn sources(names: &[String], context: &Context<'_>) -> Vec<ValueColumn> {
    let source = |(column, name): (usize, &String)| {
        let says = names::named(name, context.side);
        let unit = says.unit.or(context.unit).unwrap_or(Unit::OCTETS);
        ValueColumn {
            column,
            place: says.place.unwrap_or_else(|| context.stem.to_owned()),
            toward: says.toward.unwrap_or(Toward::Both),
            unit: Some(Unit { per_second: true, ..unit }),
            kind: says.kind,
            counts: false,
        }
    };
    names.iter().enumerate().map(source).collect()
}

fn known(says: &[ValueColumn], names: &[String], context: &Context<'_>) -> Vec<String> {
    let of_traffic = || says.iter().filter(|one| matches!(one.kind, NamedKind::Traffic | NamedKind::Highest));
    let mut units: Vec<&str> = of_traffic().filter_map(|one| one.unit).map(Unit::said).collect();
    units.dedup();
    let units = units.join(" and ");
    let is_said = |one: &ValueColumn| names::named(&names[one.column], context.side).unit.is_some();
    let from = match context.unit {
        _ if of_traffic().all(is_said) => "by the names of the columns",
        Some(_) => "as you said",
        None => "as data sources of interfaces are: their names do not say it (`--unit` says otherwise)",
    };
    vec![
        "times are UTC and stand at the end of their step".to_owned(),
        format!("values are {units}, {from}"),
        context.side.said(),
    ]
}

/// Says which columns are of no traffic.
fn left_out(says: &[ValueColumn], names: &[String]) -> Option<String> {
    let others: Vec<&str> =
        says.iter().filter(|one| one.kind == NamedKind::Other).map(|one| names[one.column].as_str()).collect();
    (!others.is_empty()).then(|| format!("left out, as they are of no traffic: {}", others.join(", ")))
}

/// The readings of a row over the step that ends then.
fn readings<'a>(
    says: &'a [ValueColumn],
    row: &'a [Option<f64>],
    (ends, step): (f64, f64),
    line: u32,
) -> impl Iterator<Item = Reading> + 'a {
    says.iter().zip(row).filter(|(says, _)| says.kind != NamedKind::Other).map(move |(says, value)| {
        let amount = value.map_or(Amount::default(), |value| says.amount(value, None, step));
        // Packets are rates, too.
        let amount = Amount { packets: amount.packets.map(|rate| rate * step), ..amount };
        Reading {
            place: named(&says.place),
            class: all(),
            toward: says.toward,
            line,
            kind: ReadingKind::Passed { begins: ends - step, seconds: step, amount, coverage: 1.0 },
        }
    })
}
