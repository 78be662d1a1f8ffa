//! The error of the method: how far the engine was from measured networks in the regime of a result.

use crate::report::words::figure;
use crate::study::fidelity::{Check, Compared};
use crate::study::results::{Found, Kind, PEAK, Results};
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
    of(found.service).or_else(|| {
        rows.iter().filter(|row| row.service == found.service).max_by(|a, b| a.p95.total_cmp(&b.p95)).cloned()
    })
}

/// Differences that deserve a caution, as a share.
const APART: f64 = 0.3;

/// Where the fidelities disagree about a class, in a sentence; none where they agree everywhere.
#[must_use]
pub fn disagreement(check: &Check) -> Option<String> {
    let off = |one: &&Compared| (one.mean[0] / one.mean[1] - 1.0).abs() > APART;
    let apart: Vec<String> =
        check.compared.iter().filter(off).map(|one| format!("{} in {}", one.class, one.setup)).collect();
    (!apart.is_empty()).then(|| {
        format!(
            "From {} to {} the fidelities differ by more than {:.0} % on the mean latency of {}.",
            check.from,
            check.until,
            APART * 100.0,
            apart.join(", ")
        )
    })
}

/// Both fidelities side by side: a heading and rows, the first of them names of columns.
#[must_use]
pub fn side_by_side(check: &Check) -> (String, Vec<Vec<String>>) {
    let title = format!(
        "From {} to {} at both fidelities (packets in trains of up to {}): {}",
        check.from,
        check.until,
        check.grain,
        ranking(check)
    );
    let head = ["set-up", "class", "mean, flow", "mean, packet", "ratio", "p95, flow", "p95, packet", "ratio"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let time = |seconds: f64| figure(seconds, Kind::Time);
    rows.extend(check.compared.iter().map(|one| {
        vec![
            one.setup.clone(),
            one.class.clone(),
            time(one.mean[0]),
            time(one.mean[1]),
            format!("{:.2}", one.mean[0] / one.mean[1]),
            time(one.p95[0]),
            time(one.p95[1]),
            format!("{:.2}", one.p95[0] / one.p95[1]),
        ]
    }));
    (title, rows)
}

/// Whether both fidelities put the set-ups in the same order, by the 95th percentile of the first class.
fn ranking(check: &Check) -> String {
    let Some(first) = check.compared.first() else { return "nothing ended in it".to_owned() };
    let order = |fidelity: usize| {
        let mut own: Vec<&Compared> = check.compared.iter().filter(|one| one.class == first.class).collect();
        own.sort_by(|a, b| a.p95[fidelity].total_cmp(&b.p95[fidelity]));
        own.iter().map(|one| one.setup.as_str()).collect::<Vec<_>>()
    };
    let (flow, packet) = (order(0), order(1));
    if flow == packet {
        format!("the same order of set-ups for {} ({})", first.class, flow.join(", "))
    } else {
        format!("for {} flow says {}, packet says {}", first.class, flow.join(", "), packet.join(", "))
    }
}

/// The errors of all set-ups in a sentence each, the same sentence once.
#[must_use]
pub fn sentences(results: &Results) -> Vec<String> {
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for found in &results.setups {
        if found.ledger.started == 0 {
            continue;
        }
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
