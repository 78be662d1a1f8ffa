//! Prometheus: the answer of `query` and `query_range`.

use serde_json::Value;

use crate::telemetry::formats::names;
use crate::telemetry::formats::values::{items, named, number, step, text};
use crate::telemetry::number::Unit;
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::{Amount, Toward};

/// Labels that name a thing, the best first.
const PLACES: [&str; 10] =
    ["ifAlias", "tunnel", "ifName", "ifDescr", "name", "device", "interface", "peer", "instance", "job"];

/// What an answer says; none where it is no answer of Prometheus.
pub(super) fn read(value: &Value, context: &Context<'_>) -> Option<Result<Found, (String, String)>> {
    if text(value, "status") == Some("error") && value.get("errorType").is_some() {
        let said = text(value, "error").unwrap_or("no reason");
        let title = format!("Prometheus answered with an error: {said}");
        return Some(Err((title, "mend the query, and export its answer again".to_owned())));
    }
    let data = value.get("data")?;
    data.get("resultType")?;
    Some(Ok(answer(data.get("result")?, context)))
}

fn answer(result: &Value, context: &Context<'_>) -> Found {
    let series = items(result);
    let mut found = Found { format: "Prometheus, answer of a query", ..Found::default() };
    // The label in which the series differ is their name.
    let label = PLACES.iter().find(|label| {
        let values: Vec<Option<&str>> =
            series.iter().map(|one| one.get("metric").and_then(|metric| text(metric, label))).collect();
        values.iter().all(Option::is_some) && (values.len() < 2 || values.iter().any(|value| *value != values[0]))
    });
    let (mut is_counter, mut units) = (false, Vec::new());
    let mut line = 0;
    for one in series {
        let metric = &one["metric"];
        let name = text(metric, "__name__").unwrap_or("");
        let says = names::named(name, context.side);
        let place = label.and_then(|label| text(metric, label)).unwrap_or(context.stem);
        let own = names::named(place, context.side);
        let toward = says.toward.or(own.toward).or(way(metric, context));
        let points: Vec<(f64, Option<f64>)> = points(one);
        let counts = name.ends_with("_total") || name.contains("ctets");
        let counts = counts && points.iter().filter_map(|(_, value)| *value).collect::<Vec<_>>().is_sorted();
        let unit = if counts { Unit::VOLUME } else { says.unit.or(context.unit).unwrap_or(Unit::BITS) };
        is_counter |= counts;
        units.push(unit.said());
        let instants: Vec<f64> = points.iter().map(|(at, _)| *at).collect();
        let Some(step) = step(&instants) else { continue };
        for (at, value) in points {
            line += 1;
            let amount = |value: f64| Amount::of_bytes(unit.volume(value, step));
            let kind = if counts {
                let Some(value) = value else { continue };
                // snmp_exporter takes counters of 64 bits as floating point, which is a wrap at 2^53, not at 2^32.
                ReadingKind::Counted {
                    at,
                    amount: Amount::of_bytes(value),
                    life: named(""),
                    since: None,
                    is_short: false,
                }
            } else {
                // A rate is of what came before.
                let amount = value.map_or(Amount::default(), amount);
                ReadingKind::Passed { begins: at - step, seconds: step, amount, coverage: 1.0 }
            };
            let toward = toward.unwrap_or(Toward::Both);
            found.readings.push(Reading { place: named(place), class: all(), toward, line, kind });
        }
    }
    found.known.push("times are UTC, and a rate is of the step before its time".to_owned());
    units.dedup();
    let unit = units.first().copied().unwrap_or("bit/s");
    found.known.push(match (is_counter, context.unit) {
        (true, _) => "names of counters: differences of bytes".to_owned(),
        (false, Some(_)) => format!("values are {unit}, as you said"),
        (false, None) => format!("values are taken as {unit}: the answer does not say (`--unit` says otherwise)"),
    });
    if found.readings.iter().any(|reading| reading.toward == Toward::Both) {
        found.known.push("no label says which way: both ways in one (`--direction` says otherwise)".to_owned());
    }
    found
}

/// The way that a label of its own says.
fn way(metric: &Value, context: &Context<'_>) -> Option<Toward> {
    ["direction", "dir"].iter().find_map(|label| names::named(text(metric, label)?, context.side).toward)
}

/// Times and values; one alone is one of a query at an instant.
fn points(one: &Value) -> Vec<(f64, Option<f64>)> {
    let values = one.get("values").map(items).or_else(|| one.get("value").map(std::slice::from_ref));
    let point = |pair: &Value| Some((pair.get(0).and_then(Value::as_f64)?, pair.get(1).and_then(number)));
    values.into_iter().flatten().filter_map(point).collect()
}
