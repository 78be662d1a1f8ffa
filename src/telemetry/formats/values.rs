//! Values of JSON, names that readings share, and the step of a series.

use std::sync::Arc;

use serde_json::Value;

use crate::telemetry::clock::{DayOrder, Stamp, stamp};
use crate::telemetry::number::is_nothing;

/// A number, also where it is written as a text; none for what was not measured.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if !is_nothing(text) => text.trim().parse().ok().filter(|value: &f64| value.is_finite()),
        _ => None,
    }
}

/// The number under a key.
pub(super) fn field(value: &Value, key: &str) -> Option<f64> {
    value.get(key).and_then(number)
}

/// The text under a key.
pub(super) fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

/// The instant under a key.
pub(super) fn instant(value: &Value, key: &str) -> Option<f64> {
    match value.get(key)? {
        Value::Number(number) => number.as_f64().and_then(|at| match stamp(&format!("{at}"), DayOrder::DayFirst) {
            Some(Stamp::Instant(at)) => Some(at),
            _ => None,
        }),
        Value::String(text) => match stamp(text, DayOrder::DayFirst)? {
            Stamp::Instant(at) => Some(at),
            Stamp::Local(..) => None,
        },
        _ => None,
    }
}

/// The list in a value, or the value alone.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// A name as readings share it.
pub(super) fn named(text: &str) -> Arc<str> {
    Arc::from(text.trim())
}

/// The usual step between instants that rise: the smallest of those that are there more than once, else the smallest.
pub(super) fn step(instants: &[f64]) -> Option<f64> {
    let mut gaps: Vec<f64> = instants.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > 0.0).collect();
    gaps.sort_by(f64::total_cmp);
    let twice = gaps.windows(2).find(|pair| (pair[1] - pair[0]).abs() < 1e-6 * pair[1]).map(|pair| pair[0]);
    twice.or(gaps.first().copied())
}

/// Whether values are those of a counter: they rise, but where it began anew.
pub(super) fn rises(values: impl Iterator<Item = f64>) -> bool {
    let values: Vec<f64> = values.collect();
    let falls = values.windows(2).filter(|pair| pair[1] < pair[0]).count();
    let is_flat = values.first() == values.last();
    values.len() > 2 && 10 * falls < values.len() && !is_flat
}
