//! Traffic that a series may hold twice: devices on one arm, sub-interfaces beside their port.

use std::collections::BTreeMap;

use crate::telemetry::series::{SeriesRow, Toward};

/// Ways that differ by less than this share of them, in all and interval by interval, are the same bytes.
const ALIKE: f64 = 0.03;
/// Intervals that it takes to tell.
const LEAST: usize = 12;

/// What may be counted twice, a sentence each.
#[must_use]
pub fn doubled(rows: &[SeriesRow]) -> Vec<String> {
    let mut places: BTreeMap<&str, Vec<&SeriesRow>> = BTreeMap::new();
    for row in rows.iter().filter(|row| &*row.class == "all") {
        places.entry(&row.place).or_default().push(row);
    }
    let mut found: Vec<String> = places.iter().filter_map(|(place, rows)| one_armed(place, rows)).collect();
    found.extend(places.iter().filter_map(|(place, rows)| sub_interfaces(place, rows, &places)));
    found
}

/// A device of which both ways are alike in every interval.
#[allow(clippy::cast_possible_truncation)] // seconds of this age
fn one_armed(place: &str, rows: &[&SeriesRow]) -> Option<String> {
    let of = |toward: Toward| -> BTreeMap<i64, f64> {
        let own = rows.iter().filter(|row| row.toward == toward);
        own.filter_map(|row| Some((row.begins.round() as i64, row.amount.bytes?))).collect()
    };
    let (down, up) = (of(Toward::Down), of(Toward::Up));
    let pairs: Vec<(f64, f64)> = down.iter().filter_map(|(at, down)| Some((*down, *up.get(at)?))).collect();
    let whole: f64 = pairs.iter().map(|(down, up)| down.max(*up)).sum();
    let apart: f64 = pairs.iter().map(|(down, up)| (down - up).abs()).sum();
    (pairs.len() >= LEAST && whole > 0.0 && apart < ALIKE * whole).then(|| {
        format!(
            "both ways of {place} differ by {:.1} % only: a device on one arm counts each byte as it comes in and as it goes out; take \
             one way, or an interface that the tunnels pass once",
            100.0 * apart / whole
        )
    })
}

/// A port whose sub-interfaces are in the series, too, and carry as much.
fn sub_interfaces(place: &str, rows: &[&SeriesRow], places: &BTreeMap<&str, Vec<&SeriesRow>>) -> Option<String> {
    let volume = |rows: &[&SeriesRow]| rows.iter().filter_map(|row| row.amount.bytes).sum::<f64>();
    let is_part = |other: &str| {
        other
            .strip_prefix(place)
            .and_then(|rest| rest.strip_prefix('.'))
            .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let parts: Vec<&str> = places.keys().copied().filter(|other| is_part(other)).collect();
    let (whole, of_parts) = (volume(rows), parts.iter().map(|part| volume(&places[part])).sum::<f64>());
    (!parts.is_empty() && whole > 0.0 && of_parts > 0.5 * whole).then(|| {
        format!(
            "{place} carries what {} carries: take the port or its sub-interfaces, not both",
            match parts.as_slice() {
                [only] => (*only).to_owned(),
                [first, ..] => format!("{first} and {} more", parts.len() - 1),
                [] => String::new(),
            }
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::series::{Amount, RowState};
    use std::sync::Arc;

    fn row(place: &str, at: u32, toward: Toward, bytes: f64) -> SeriesRow {
        SeriesRow {
            begins: 300.0 * f64::from(at),
            seconds: 300.0,
            place: Arc::from(place),
            class: Arc::from("all"),
            toward,
            amount: Amount::of_bytes(bytes),
            coverage: 1.0,
            state: RowState::Ok,
            origin: (Arc::from("x"), 1),
        }
    }

    #[test]
    fn bytes_that_are_counted_twice_are_named() {
        let shape = |at: u32| f64::from(1000 + 100 * at);
        let armed = |factor: f64| -> Vec<SeriesRow> {
            (0..20)
                .flat_map(|at| {
                    [row("hub", at, Toward::Down, shape(at)), row("hub", at, Toward::Up, factor * shape(at))]
                })
                .collect()
        };
        assert!(doubled(&armed(1.01))[0].contains("one arm"));
        assert!(doubled(&armed(0.2)).is_empty());
        let port: Vec<SeriesRow> = (0..20)
            .flat_map(|at| [row("Gi0/1", at, Toward::Down, 100.0), row("Gi0/1.10", at, Toward::Down, 90.0)])
            .collect();
        assert!(doubled(&port)[0].contains("Gi0/1.10"), "{:?}", doubled(&port));
    }
}
