//! The error of the method: how far the engine was from measured networks in the regime of a result.

use crate::report::drawn::ChartTable;
use crate::report::words::{figure, list, quoted};
use crate::study::fidelity::{FidelityCheck, FidelityRow};
use crate::study::figures::{PEAK, TargetKind};
use crate::study::results::{Results, SetupResult};
use crate::validate::method::{MethodError, learnt};

/// Differences that deserve a caution, as a share.
const APART: f64 = 0.3;

/// Where the fidelities disagree about a class, in a sentence; none where they agree everywhere.
#[must_use]
pub fn disagreement(check: &FidelityCheck) -> Option<String> {
    let off = |one: &&FidelityRow| (one.mean[0] / one.mean[1] - 1.0).abs() > APART;
    let apart: Vec<String> =
        check.compared.iter().filter(off).map(|one| format!("{} in {}", one.class, quoted(&one.setup))).collect();
    (!apart.is_empty()).then(|| {
        format!(
            "From {} to {} the fidelities differ by more than {:.0} % on the mean latency of {}.",
            check.from,
            check.until,
            APART * 100.0,
            list(&apart)
        )
    })
}

/// Both fidelities side by side: a heading and a table.
#[must_use]
pub fn side_by_side(check: &FidelityCheck) -> (String, ChartTable) {
    let title = format!(
        "From {} to {} at both fidelities (packets in trains of up to {}): {}",
        check.from,
        check.until,
        check.grain,
        ranking(check)
    );
    let [mean, p95] = ["mean", "p95"].map(|statistic| format!("{statistic}, {}", check.fidelity));
    let head = ["set-up", "class", &mean, "mean, packet", "ratio", &p95, "p95, packet", "ratio"];
    let time = |seconds: f64| figure(seconds, TargetKind::Time);
    let row = |one: &FidelityRow| {
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
    };
    (title, ChartTable { head: head.map(str::to_owned).to_vec(), rows: check.compared.iter().map(row).collect() })
}

/// Whether both fidelities put the set-ups in the same order, by the 95th percentile of the first class.
fn ranking(check: &FidelityCheck) -> String {
    let Some(first) = check.compared.first() else { return "nothing ended in it".to_owned() };
    let order = |fidelity: usize| {
        let mut own: Vec<&FidelityRow> = check.compared.iter().filter(|one| one.class == first.class).collect();
        own.sort_by(|a, b| a.p95[fidelity].total_cmp(&b.p95[fidelity]));
        own.iter().map(|one| one.setup.as_str()).collect::<Vec<_>>()
    };
    let (own, packet) = (order(0), order(1));
    if own == packet {
        format!("the same order of set-ups for {} ({})", first.class, own.join(", "))
    } else {
        let (own, packet) = (own.join(", "), packet.join(", "));
        format!("for {} {} says {own}, packet says {packet}", first.class, check.fidelity)
    }
}

/// How near the engine is to packets, or to measured networks, in the regimes of the set-ups, in a sentence.
#[must_use]
pub fn sentence(results: &Results) -> Option<String> {
    let learnt = learnt();
    let mut said: Vec<(String, Vec<String>)> = Vec::new();
    for found in results.setups.iter().filter(|found| found.ledger.started > 0) {
        let what = error(results, found, &learnt);
        match said.iter_mut().find(|(other, _)| *other == what) {
            Some((_, titles)) => titles.push(quoted(&found.title)),
            None => said.push((what, vec![quoted(&found.title)])),
        }
    }
    let each: Vec<String> = said.into_iter().map(|(what, titles)| format!("{what} ({})", list(&titles))).collect();
    let against = match results.fidelity {
        "packet" => "Packet fidelity against measured networks",
        "sampled" => "Sampled fidelity against packets, in nine of ten scenarios of the same kind",
        _ => "Flow fidelity against packets, in nine of ten scenarios of the same kind",
    };
    let look = match (&results.check, results.fidelity) {
        (_, "packet") => String::new(),
        (Some(check), _) => format!(" From {} to {} packets stand beside it.", check.from, check.until),
        (None, _) => " `--check-fidelity` runs the quarter of an hour that decides packet by packet.".to_owned(),
    };
    (!each.is_empty()).then(|| format!("{against}: {}.{look}", each.join("; ")))
}

/// The error of people's latencies in a set-up: by its order of service and its busiest quarter of an hour.
fn error(results: &Results, found: &SetupResult, learnt: &[MethodError]) -> String {
    if let Some(why) = found.unmeasured {
        return format!("not measured for {why}");
    }
    let busiest = found.measures[PEAK].value.mean / 100.0;
    let of =
        |statistic: &str| learnt.iter().find(|error| error.suits(results.fidelity, found.service, busiest, statistic));
    let kind = service(found.service);
    match (of("mean"), of("p95")) {
        (Some(mean), Some(p95)) => {
            let busy = if results.fidelity == "packet" { String::new() } else { format!(", {}", busy(mean)) };
            format!("means {} and p95 {} times with {kind}{busy}", range(mean), range(p95))
        }
        _ => format!("not measured with {kind}"),
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
        format!("{:.0} % busy or more", error.load_from * 100.0)
    } else {
        format!("{:.0} to {:.0} % busy", error.load_from * 100.0, error.load_to * 100.0)
    }
}
