//! Metrics of clouds: Amazon CloudWatch and Azure Monitor.

use serde_json::Value;

use crate::telemetry::formats::names::{self, Named, NamedKind};
use crate::telemetry::formats::values::{field, instant, items, named, number, step, text};
use crate::telemetry::number::Unit;
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::{Amount, Toward};

/// What an answer says; none where it is of neither.
pub(super) fn read(value: &Value, context: &Context<'_>) -> Option<Result<Found, (String, String)>> {
    if value.get("Datapoints").is_some() {
        return Some(Ok(statistics(value, context)));
    }
    if let Some(results) = value.get("MetricDataResults") {
        return Some(Ok(metric_data(results, context)));
    }
    let is_azure =
        items(value).iter().any(|one| items(&one["value"]).iter().any(|metric| metric.get("timeseries").is_some()));
    is_azure.then(|| Ok(azure(value, context)))
}

/// Points of a series in the order of their times, each the volume of the step that begins then.
fn series(mut points: Vec<(f64, Option<f64>)>, (place, says, unit): (&str, &Named, Option<Unit>), found: &mut Found) {
    let toward = says.toward.unwrap_or(Toward::Both);
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let instants: Vec<f64> = points.iter().map(|(at, _)| *at).collect();
    let step = step(&instants).unwrap_or(300.0);
    for (begins, value) in points {
        let amount = match (value, unit) {
            (None, _) => Amount::default(),
            (Some(value), Some(unit)) => Amount::of_bytes(unit.volume(value, step)),
            (Some(value), None) if says.kind == NamedKind::Packets => {
                Amount { packets: Some(value), ..Amount::default() }
            }
            // Something else is counted.
            (Some(value), None) => Amount { count: Some(value), ..Amount::default() },
        };
        let line = u32::try_from(found.readings.len() + 1).unwrap_or(u32::MAX);
        let kind = ReadingKind::Passed { begins, seconds: step, amount, coverage: 1.0 };
        found.readings.push(Reading { place: named(place), class: all(), toward, line, kind });
    }
}

/// `get-metric-statistics`: its points come in no order.
fn statistics(value: &Value, context: &Context<'_>) -> Found {
    let mut found = Found { format: "Amazon CloudWatch, get-metric-statistics", ..Found::default() };
    let label = text(value, "Label").unwrap_or("");
    let says = names::named(&spaced(label), context.side);
    let points = items(&value["Datapoints"]);
    let unit = points.first().and_then(|point| text(point, "Unit")).and_then(of_cloud);
    // A mean is of the samples of a period: without their number it is no volume.
    let of_samples = |point: &Value| Some(field(point, "Average")? * field(point, "SampleCount")?);
    let is_volume = unit.is_some_and(|unit| !unit.per_second);
    let mean = |point: &Value| if is_volume { of_samples(point) } else { field(point, "Average") };
    let amount = |point: &Value| field(point, "Sum").or_else(|| mean(point));
    if is_volume && !points.is_empty() && points.iter().all(|point| amount(point).is_none()) {
        found
            .warnings
            .push("neither `Sum` nor `Average` with `SampleCount` is there: ask for `--statistics Sum`".to_owned());
        return found;
    }
    let points = points.iter().filter_map(|point| Some((instant(point, "Timestamp")?, amount(point)))).collect();
    // The label says the way, and so does the name of the file, which is the place without it.
    let place = names::named(context.stem, context.side).place;
    let place = place.as_deref().unwrap_or(context.stem);
    series(points, (place, &says, unit), &mut found);
    found.known = known(context);
    found
}

/// `get-metric-data`.
fn metric_data(results: &Value, context: &Context<'_>) -> Found {
    let mut found = Found { format: "Amazon CloudWatch, get-metric-data", ..Found::default() };
    for one in items(results) {
        let label = text(one, "Label").or_else(|| text(one, "Id")).unwrap_or("");
        let says = names::named(label, context.side);
        let times = one.get("Timestamps").map(items).into_iter().flatten();
        let values = one.get("Values").map(items).into_iter().flatten();
        let at = |time: &Value| instant(&serde_json::json!({ "at": time }), "at");
        let points = times.zip(values).filter_map(|(time, value)| Some((at(time)?, number(value)))).collect();
        let place = says.place.as_deref().unwrap_or(context.stem);
        series(points, (place, &says, Some(Unit::VOLUME)), &mut found);
    }
    found.known = known(context);
    found
}

fn known(context: &Context<'_>) -> Vec<String> {
    vec![
        "bytes of the period that begins at each time, in UTC; a period without data has no point".to_owned(),
        context.side.said(),
    ]
}

/// A name in words: `TunnelIngressBytes` is three.
fn spaced(name: &str) -> String {
    let mut spaced = String::with_capacity(name.len() + 4);
    let mut is_small = false;
    for letter in name.chars() {
        if is_small && letter.is_uppercase() {
            spaced.push(' ');
        }
        is_small = letter.is_lowercase();
        spaced.push(letter);
    }
    spaced
}

/// The unit of a cloud's word.
fn of_cloud(word: &str) -> Option<Unit> {
    match word {
        "Bytes" => Some(Unit::VOLUME),
        "BytesPerSecond" | "Bytes/Second" => Some(Unit::OCTETS),
        "BitsPerSecond" | "Bits/Second" => Some(Unit::BITS),
        "Kilobytes" => Some(Unit { bytes: 1e3, per_second: false }),
        "Megabytes" => Some(Unit { bytes: 1e6, per_second: false }),
        _ => None,
    }
}

/// Azure Monitor: one answer, or a list of them.
fn azure(value: &Value, context: &Context<'_>) -> Found {
    let mut found = Found { format: "Azure Monitor, metrics", ..Found::default() };
    for answer in items(value) {
        for metric in items(&answer["value"]) {
            let name = metric.get("name").and_then(|name| text(name, "value").or_else(|| text(name, "localizedValue")));
            let name = name.unwrap_or("");
            let says = names::named(&spaced(name), context.side);
            if says.kind == NamedKind::Other {
                found.warnings.push(format!("`{name}` is of no traffic: left out"));
                continue;
            }
            let unit = text(metric, "unit").and_then(of_cloud);
            // `/subscriptions/../TYPE/RESOURCE/providers/Microsoft.Insights/metrics/NAME`
            let resource =
                text(metric, "id").and_then(|id| id.split("/providers/Microsoft.Insights").next()?.rsplit('/').next());
            let place = resource.unwrap_or(context.stem);
            let place = if unit.is_none() && says.kind != NamedKind::Packets {
                format!("{place} {name}")
            } else {
                place.to_owned()
            };
            let amount = |point: &Value| ["total", "average", "count"].iter().find_map(|key| field(point, key));
            for one in metric.get("timeseries").map(items).into_iter().flatten() {
                // What a metric is split by, such as the connection of each tunnel.
                let split = one.get("metadatavalues").map(items).into_iter().flatten();
                let split: Vec<&str> = split.filter_map(|dimension| text(dimension, "value")).collect();
                let place = if split.is_empty() { place.clone() } else { format!("{place} {}", split.join(" ")) };
                let points = one.get("data").map(items).into_iter().flatten();
                let points = points.filter_map(|point| Some((instant(point, "timeStamp")?, amount(point)))).collect();
                series(points, (&place, &says, unit), &mut found);
            }
        }
    }
    found.known =
        vec!["each value is of the step that begins at its time, in UTC; a step without data has no value".to_owned()];
    found
}
