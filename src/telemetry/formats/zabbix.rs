//! Zabbix: the answers of `history.get` and `trend.get`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::telemetry::formats::values::{field, items, named, step, text};
use crate::telemetry::number::Unit;
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::{Amount, Toward};

/// Length of a trend's interval [s].
const HOUR: f64 = 3600.0;

/// What an answer says; none where it is another file.
pub(super) fn read(value: &Value, context: &Context<'_>) -> Option<Result<Found, (String, String)>> {
    let rows = items(value.get("result").unwrap_or(value));
    let first = rows.first()?;
    first.get("itemid").and(first.get("clock"))?;
    let is_trend = first.get("value_avg").is_some();
    let unit = context.unit.unwrap_or(Unit::BITS);
    let mut found =
        Found { format: if is_trend { "Zabbix, trend.get" } else { "Zabbix, history.get" }, ..Found::default() };
    let mut by_item: BTreeMap<&str, Vec<(f64, u32, &Value)>> = BTreeMap::new();
    for (number, row) in rows.iter().enumerate() {
        let Some(clock) = field(row, "clock") else { continue };
        let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
        by_item.entry(text(row, "itemid").unwrap_or("item")).or_default().push((clock, line, row));
    }
    for (item, mut rows) in by_item {
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let instants: Vec<f64> = rows.iter().map(|(clock, ..)| *clock).collect();
        let step = if is_trend { HOUR } else { step(&instants).unwrap_or(60.0) };
        // A trend says how many values it is of; the fullest hour has all.
        let most = rows.iter().filter_map(|(.., row)| field(row, "num")).fold(1.0, f64::max);
        for (clock, line, row) in rows {
            let coverage = field(row, "num").map_or(1.0, |values| values / most);
            let mean = field(row, if is_trend { "value_avg" } else { "value" });
            let highest = field(row, "value_max").map(|value| value * unit.bytes * 8.0);
            // What was measured of it; the rest is scaled up like any part of an interval.
            let measured = |value: f64| Amount { highest, ..Amount::of_bytes(unit.volume(value, step) * coverage) };
            let amount = mean.map_or(Amount::default(), measured);
            // A trend's clock is its beginning; a value is of the time before it.
            let begins = if is_trend { clock } else { clock - step };
            let kind = ReadingKind::Passed { begins, seconds: step, amount, coverage };
            found.readings.push(Reading {
                place: named(&format!("item {item}")),
                class: all(),
                toward: Toward::Both,
                line,
                kind,
            });
        }
    }
    found.known = vec![
        format!("times are UTC, {}", if is_trend { "the beginning of an hour" } else { "the end of a step" }),
        match context.unit {
            Some(unit) => format!("values are {}, as you said", unit.said()),
            None => "values are taken as bit/s, as Zabbix' templates of interfaces keep them (`--unit` says otherwise)"
                .to_owned(),
        },
        "no name says which way: both ways in one (`--direction` says otherwise)".to_owned(),
    ];
    Some(Ok(found))
}
