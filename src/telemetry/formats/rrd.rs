//! RRDtool: what `fetch` prints and what `xport` writes as JSON or XML, from LibreNMS, Cacti, PNP4Nagios, Munin and others.

use serde_json::Value;

use crate::telemetry::formats::names::{self, Named};
use crate::telemetry::formats::values::{field, items, named, number, step};
use crate::telemetry::number::{Unit, is_nothing};
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::{Amount, Toward};

/// What `xport --json` says; none where it is another file.
pub(super) fn read_json(value: &Value, context: &Context<'_>) -> Option<Result<Found, (String, String)>> {
    let meta = value.get("meta").filter(|meta| meta.get("legend").is_some())?;
    let (start, step) = (field(meta, "start")?, field(meta, "step")?);
    let legends: Vec<String> = items(&meta["legend"]).iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let row = |row: &Value| items(row).iter().map(number).collect::<Vec<_>>();
    let rows: Vec<Vec<Option<f64>>> = items(value.get("data")?).iter().map(row).collect();
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
    let mut found = Found { format, known: known(&says, context), ..Found::default() };
    let mut ends = start;
    for (number, row) in rows.iter().enumerate() {
        let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
        found.readings.extend(readings(&says, row, (ends, step), line, context));
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
    let mut found = Found { format: "RRDtool, fetch", known: known(&says, context), ..Found::default() };
    for (line, at, row) in &rows {
        let line = u32::try_from(*line).unwrap_or(u32::MAX);
        found.readings.extend(readings(&says, row, (*at, step), line, context));
    }
    Some(found)
}

/// What each column is. Data sources of RRDtool are rates; where the name does not say of what, octets.
fn sources(names: &[String], context: &Context<'_>) -> Vec<Named> {
    let rate = |found: Named| {
        let unit = found.unit.or(context.unit).unwrap_or(Unit::OCTETS);
        Named { unit: Some(Unit { per_second: true, ..unit }), ..found }
    };
    names.iter().map(|name| rate(names::named(name, context.side))).collect()
}

fn known(says: &[Named], context: &Context<'_>) -> Vec<String> {
    let mut units: Vec<&str> = says.iter().filter_map(|one| one.unit).map(Unit::said).collect();
    units.dedup();
    vec![
        "times are UTC and stand at the end of their step".to_owned(),
        format!("values are {}, by the names of the columns", units.join(" and ")),
        context.side.said(),
    ]
}

/// The readings of a row over the step that ends then.
fn readings<'a>(
    says: &'a [Named],
    row: &'a [Option<f64>],
    (ends, step): (f64, f64),
    line: u32,
    context: &'a Context<'_>,
) -> impl Iterator<Item = Reading> + 'a {
    says.iter().zip(row).map(move |(says, value)| {
        let unit = says.unit.unwrap_or(Unit::OCTETS);
        let amount = value.map_or(Amount::default(), |value| Amount::of_bytes(unit.volume(value, step)));
        Reading {
            place: named(says.place.as_deref().unwrap_or(context.stem)),
            class: all(),
            toward: says.toward.unwrap_or(Toward::Both),
            line,
            kind: ReadingKind::Passed { begins: ends - step, seconds: step, amount, coverage: 1.0 },
        }
    })
}
