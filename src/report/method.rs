//! The error of the method: how far the engine was from measured networks in the regime of a result.

use crate::report::words::figure;
use crate::study::fidelity::{Check, Compared};
use crate::study::results::{Found, Kind, PEAK, Results};
use crate::validate::method::{MethodError, learnt};

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
    let learnt = learnt();
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for found in results.setups.iter().filter(|found| found.ledger.started > 0) {
        let what = error(results, found, &learnt);
        match said.iter_mut().find(|(other, _)| *other == what) {
            Some((_, titles)) => titles.push(found.title.clone()),
            None => said.push((what, vec![found.title.clone()])),
        }
    }
    said.into_iter().map(|(what, titles)| format!("Error of the method ({}): {what}.", titles.join("; "))).collect()
}

/// The error of people's latencies in a set-up: by its order of service and its busiest quarter of an hour.
fn error(results: &Results, found: &Found, learnt: &[MethodError]) -> String {
    if let Some(why) = found.unmeasured {
        return format!("not measured in this regime ({why})");
    }
    let busiest = found.measures[PEAK].value.mean / 100.0;
    let regime = |fidelity: &str| -> Option<[&MethodError; 2]> {
        let of = |statistic: &str| learnt.iter().find(|error| error.suits(fidelity, found.service, busiest, statistic));
        Some([of("mean")?, of("p95")?])
    };
    let packets = regime("packet");
    let measured = match packets {
        Some([mean, p95]) => format!(
            "in measured networks with {} ({} of them, of one turn and counted downwards) packets were {} times the mean and \
             {} times the 95th percentile",
            service(found.service),
            mean.cases,
            range(mean),
            range(p95)
        ),
        None => format!("no network with {} was measured", service(found.service)),
    };
    if results.fidelity == "packet" {
        return measured;
    }
    match regime("flow") {
        Some([mean, p95]) => format!(
            "in nine of ten scenarios with {} and {} flow fidelity says {} times the mean and {} times the 95th percentile that \
             packets say ({} figures); {measured}",
            service(found.service),
            busy(mean),
            range(mean),
            range(p95),
            mean.cases
        ),
        None => "not measured in this regime".to_owned(),
    }
}

fn range(error: &MethodError) -> String {
    format!("{:.2} to {:.2}", error.low, error.high)
}

fn service(name: &str) -> &str {
    match name {
        "fifo" => "one queue",
        "priority" => "strict priority",
        "weighted" => "shares by weight",
        "low latency" => "a class that goes first and shares by weight",
        "fair by site" => "shares by site",
        _ => "flows of different weight",
    }
}

fn busy(error: &MethodError) -> String {
    if error.load_to > 2.0 {
        format!("a busiest time of {:.0} % or more", error.load_from * 100.0)
    } else {
        format!("a busiest time of {:.0} to {:.0} %", error.load_from * 100.0, error.load_to * 100.0)
    }
}
