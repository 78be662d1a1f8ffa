//! Prometheus: the answer of `query` and `query_range`.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::telemetry::formats::names::{self, Named};
use crate::telemetry::formats::values::{items, named, number, rises, step, text};
use crate::telemetry::number::Unit;
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::{Amount, Toward};

/// Labels that name a thing, the best first.
const PLACES: [&str; 10] =
    ["ifAlias", "tunnel", "ifName", "ifDescr", "name", "device", "interface", "peer", "instance", "job"];
/// Labels that say a way, and no place.
const WAYS: [&str; 2] = ["direction", "dir"];

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
    let series: Vec<Metric<'_>> = items(result).iter().map(|one| Metric::of(one, context)).collect();
    let labels = labels(&series);
    let mut found = Found { format: "Prometheus, answer of a query", ..Found::default() };
    let (mut is_counter, mut units) = (false, Vec::new());
    let mut line = 0;
    for one in &series {
        let label = one.name_by(&labels);
        let place = if label.is_empty() { context.stem } else { &label };
        let points: Vec<(f64, Option<f64>)> = points(one.series);
        let counts = one.counts(&points);
        let unit = if counts { Unit::VOLUME } else { one.says.unit.or(context.unit).unwrap_or(Unit::BITS) };
        is_counter |= counts;
        units.push(unit.said());
        let instants: Vec<f64> = points.iter().map(|(at, _)| *at).collect();
        let Some(step) = step(&instants) else { continue };
        for (at, value) in points {
            line += 1;
            let amount = |value: f64| Amount::of_bytes(unit.volume(value, step));
            let kind = if counts {
                let Some(value) = value else { continue };
                ReadingKind::Counted {
                    at,
                    amount: Amount::of_bytes(value),
                    life: named(""),
                    since: None,
                    is_short: one.is_short(),
                }
            } else {
                // A rate is of what came before.
                let amount = value.map_or(Amount::default(), amount);
                ReadingKind::Passed { begins: at - step, seconds: step, amount, coverage: 1.0 }
            };
            found.readings.push(Reading { place: named(place), class: all(), toward: one.toward, line, kind });
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

/// A series, and what its labels say.
struct Metric<'a> {
    series: &'a Value,
    name: &'a str,
    says: Named,
    toward: Toward,
}

impl<'a> Metric<'a> {
    fn of(series: &'a Value, context: &Context<'_>) -> Self {
        let metric = &series["metric"];
        let name = text(metric, "__name__").unwrap_or("");
        let says = names::named(name, context.side);
        let of_place = || PLACES.iter().find_map(|label| names::named(text(metric, label)?, context.side).toward);
        let of_file = || names::named(context.stem, context.side).toward;
        let toward = says.toward.or_else(|| way(metric, context)).or_else(of_place).or_else(of_file);
        Self { series, name, says, toward: toward.unwrap_or(Toward::Both) }
    }

    fn label(&self, label: &str) -> Option<&'a str> {
        text(&self.series["metric"], label).filter(|value| !value.is_empty())
    }

    /// Its name, of the values of these labels.
    fn name_by(&self, labels: &[String]) -> String {
        labels.iter().filter_map(|label| self.label(label)).collect::<Vec<_>>().join(" ")
    }

    /// Whether it is a counter: by its name, or as a number of bytes that only rises. A recording rule has a colon in its name.
    fn counts(&self, points: &[(f64, Option<f64>)]) -> bool {
        let is_rate = self.name.contains(':') || self.name.contains("rate") || self.name.contains("per_sec");
        let is_rising = || rises(points.iter().filter_map(|(_, value)| *value));
        !is_rate && (names::is_counter(self.name) || (self.name.contains("bytes") && is_rising()))
    }

    /// Whether it may wrap at 32 bits: only the old counters of interfaces do (RFC 2863). Counters of 64 bits are kept as floating point.
    fn is_short(&self) -> bool {
        ["ifInOctets", "ifOutOctets"].contains(&self.name)
    }
}

/// The labels that tell the series apart: the best one that does it alone, else all that differ; of one series the best that it has.
fn labels(series: &[Metric<'_>]) -> Vec<String> {
    let best = |is: &dyn Fn(&str) -> bool| PLACES.iter().find(|label| is(label)).map(|label| vec![(*label).to_owned()]);
    let tells_apart = |labels: &[String]| {
        let names: BTreeSet<(String, Toward)> = series.iter().map(|one| (one.name_by(labels), one.toward)).collect();
        names.len() == series.len()
    };
    let has = |label: &str| series.iter().all(|one| one.label(label).is_some());
    let differs = |label: &str| series.iter().any(|one| one.label(label) != series[0].label(label));
    let alone = best(&|label| has(label) && differs(label) && tells_apart(&[label.to_owned()]));
    if let Some(alone) = alone {
        return alone;
    }
    let all: BTreeSet<&str> = series
        .iter()
        .filter_map(|one| one.series["metric"].as_object())
        .flat_map(|labels| labels.keys().map(String::as_str))
        .filter(|label| *label != "__name__" && !WAYS.contains(label) && differs(label))
        .collect();
    let rank = |label: &str| PLACES.iter().rev().position(|other| *other == label).map_or(PLACES.len(), |at| at);
    let mut all: Vec<String> = all.into_iter().map(str::to_owned).collect();
    all.sort_by_key(|label| rank(label));
    // As few as tell them apart, the widest first.
    let mut few = all.clone();
    for label in all.iter().rev() {
        let without: Vec<String> = few.iter().filter(|other| *other != label).cloned().collect();
        if tells_apart(&without) {
            few = without;
        }
    }
    if few.is_empty() { best(&|label| has(label)).unwrap_or_default() } else { few }
}

/// The way that a label of its own says.
fn way(metric: &Value, context: &Context<'_>) -> Option<Toward> {
    WAYS.iter().find_map(|label| names::named(text(metric, label)?, context.side).toward)
}

/// Times and values; one alone is one of a query at an instant.
fn points(one: &Value) -> Vec<(f64, Option<f64>)> {
    let values = one.get("values").map(items).or_else(|| one.get("value").map(std::slice::from_ref));
    let point = |pair: &Value| Some((pair.get(0).and_then(Value::as_f64)?, pair.get(1).and_then(number)));
    values.into_iter().flatten().filter_map(point).collect()
}
