//! The error of the method: how far the engine was from measured networks in the regime of a result.

use crate::study::results::{Found, Results};
use crate::validate::method::MethodError;

/// What validation learnt; `headend validate --errors` writes it, and a test holds it to that.
const LEARNT: &str = include_str!("method-error.csv");

/// The learnt errors.
///
/// # Panics
/// Never: a test reads the same table.
#[must_use]
pub fn learnt() -> Vec<MethodError> {
    let mut reader = csv::Reader::from_reader(LEARNT.as_bytes());
    reader.deserialize().map(|row| row.expect("the table of errors is well formed")).collect()
}

/// The error of people's latencies in a set-up: by its order of service and its busiest quarter of an hour. Where no
/// measurement had that order, what classes with weights had stands for it.
#[must_use]
pub fn error(results: &Results, found: &Found) -> Option<MethodError> {
    let busiest = found.measures[PEAK].value.mean / 100.0;
    let suits = |row: &MethodError| row.fidelity == results.fidelity && row.class == "clinical";
    let rows: Vec<MethodError> = learnt().into_iter().filter(suits).collect();
    let inside = |row: &&MethodError| (row.load_from..row.load_to).contains(&busiest);
    let of = |service: &str| rows.iter().filter(|row| row.service == service).find(inside).cloned();
    of(found.service).or_else(|| rows.iter().filter(|row| row.service == found.service).max_by(|a, b| a.p95.total_cmp(&b.p95)).cloned())
}

/// Place of the busiest quarter of an hour among the measures.
const PEAK: usize = 4;

/// The errors of all set-ups in a sentence each, the same sentence once.
#[must_use]
pub fn sentences(results: &Results) -> Vec<String> {
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for found in &results.setups {
        let Some(error) = error(results, found) else { continue };
        let service = match found.service {
            "fifo" => "one queue",
            "prio" => "strict priority",
            _ => "shares by weight or by site",
        };
        let what = format!(
            "with {service} and the busiest quarter of an hour {}, means were within {:.0} % and 95th percentiles within \
             {:.0} % of measured networks",
            band(&error),
            error.mean * 100.0,
            error.p95 * 100.0
        );
        match said.iter_mut().find(|(other, _)| *other == what) {
            Some((_, titles)) => titles.push(found.title.clone()),
            None => said.push((what, vec![found.title.clone()])),
        }
    }
    let fidelity = results.fidelity;
    said.into_iter()
        .map(|(what, titles)| format!("Error of the method ({}): at {fidelity} fidelity, {what}.", titles.join("; ")))
        .collect()
}

fn band(error: &MethodError) -> String {
    if error.load_to > 2.0 {
        format!("at {:.0} % or more", error.load_from * 100.0)
    } else {
        format!("below {:.0} %", error.load_to * 100.0)
    }
}
