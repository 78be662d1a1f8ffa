//! The answer in a few sentences, and the cautions that stand above it.

use crate::report::method;
use crate::report::words::{figure, interval, list, quoted};
use crate::scenario::source::Standing;
use crate::study::results::{Found, Results, Verdict};

/// What the study says, the most important first.
#[must_use]
pub fn sentences(results: &Results) -> Vec<String> {
    if results.targets.is_empty() {
        return vec![
            "The scenario states no target, so there is nothing to judge; the charts show what happens.".to_owned(),
        ];
    }
    let mut sentences: Vec<String> = base(results).into_iter().chain(options(results)).collect();
    sentences.extend(shifted(results));
    sentences
}

/// Whether a setup meets every target, misses one, or cannot be told.
#[must_use]
pub fn overall(found: &Found) -> Verdict {
    found.targets.iter().map(|judged| judged.verdict).max().unwrap_or(Verdict::Unsure)
}

fn base(results: &Results) -> Option<String> {
    let base = results.setups.iter().find(|found| found.name == "base")?;
    let worst = base.targets.iter().position(|judged| judged.verdict == overall(base))?;
    let (measured, limit) = (&base.targets[worst].figure.value, results.limits[worst]);
    let kind = results.kinds[worst];
    let title = results.targets[worst].split(" <=").next().unwrap_or_default();
    let hours = results.targets[worst].split_once(", ").map(|(_, hours)| format!(", {hours}")).unwrap_or_default();
    let value = interval(measured, kind);
    Some(match overall(base) {
        Verdict::Met => "As it is, the headend meets every target.".to_owned(),
        Verdict::Missed => {
            let limit = figure(limit, kind);
            format!("As it is, the headend misses its target: {title} is {value}, not {limit} or less{hours}.")
        }
        Verdict::Unsure => {
            format!("As it is, it cannot be told whether the headend meets its target: {title} is {value}{hours}.")
        }
    })
}

fn options(results: &Results) -> Option<String> {
    let titles = |verdict: Verdict| -> Vec<String> {
        let options = results.setups.iter().filter(|found| found.name != "base" && overall(found) == verdict);
        options.map(|found| quoted(&found.title)).collect()
    };
    let (met, unsure, missed) = (titles(Verdict::Met), titles(Verdict::Unsure), titles(Verdict::Missed));
    let total = met.len() + unsure.len() + missed.len();
    if total == 0 {
        return None;
    }
    let mut text = match met.len() {
        0 => "None of the options is sure to meet every target".to_owned(),
        n if n == total => format!("Each option meets every target: {}", list(&met)),
        1 => format!("One option meets every target: {}", list(&met)),
        n => format!("{n} of {total} options meet every target: {}", list(&met)),
    };
    if !missed.is_empty() {
        let verb = if missed.len() == 1 { "does" } else { "do" };
        text += &format!("; {} {verb} not", list(&missed));
    }
    if !unsure.is_empty() {
        text += &format!("; for {} it is not certain", list(&unsure));
    }
    Some(text + ".")
}

/// An option that helps in one window and hurts in another deserves a sentence of its own.
fn shifted(results: &Results) -> Option<String> {
    for found in results.setups.iter().filter(|found| found.name != "base") {
        let moved = |sign: f64| {
            found.targets.iter().position(|judged| {
                judged.figure.clear && judged.figure.change.is_some_and(|change| change.mean * sign > 0.0)
            })
        };
        if let (Some(better), Some(worse)) = (moved(-1.0), moved(1.0))
            && found.targets[worse].verdict != Verdict::Met
        {
            let value = |index: usize| interval(&found.targets[index].figure.value, results.kinds[index]);
            let name = |index: usize| without_limit(&results.targets[index]);
            return Some(format!(
                "{} moves the trouble rather than ending it: {} comes down to {}, but {} goes up to {}.",
                quoted(&found.title),
                name(better),
                value(better),
                name(worse),
                value(worse)
            ));
        }
    }
    None
}

/// `clinical p95 from 08:00 to 10:00`, of `clinical p95 <= 2 s, 08:00 to 10:00`.
fn without_limit(target: &str) -> String {
    let what = target.split(" <=").next().unwrap_or(target);
    match target.split_once(", ") {
        Some((_, hours)) => format!("{what} from {hours}"),
        None => what.to_owned(),
    }
}

/// What a reader should know before relying on the answer.
#[must_use]
pub fn cautions(results: &Results) -> Vec<String> {
    let mut cautions = Vec::new();
    if !results.precise {
        cautions.push(format!(
            "The stated precision of {} was not reached with {} replications; intervals are wider than asked for.",
            figure(results.precision, crate::study::results::Kind::Share),
            results.replications
        ));
    }
    let full: Vec<String> = results
        .setups
        .iter()
        .filter(|found| found.measures[4].value.mean >= 95.0)
        .map(|found| quoted(&found.title))
        .collect();
    if !full.is_empty() && results.fidelity == "flow" {
        cautions.push(format!(
            "Latencies under saturation ({}) come from a flow model, which is least certain there; `--check-fidelity` \
             looks at the worst quarter of an hour packet by packet.",
            list(&full)
        ));
    }
    cautions.extend(method::sentences(results));
    cautions.extend(results.check.iter().filter_map(method::disagreement));
    let assumed = results.inputs.iter().filter(|input| input.standing == Standing::Assumed).count();
    if assumed > 0 {
        cautions.push(format!(
            "{assumed} of {} numbers are assumed, not measured; they are listed below. The answer is as good as they are.",
            results.inputs.len()
        ));
    }
    let empty = results.setups.iter().any(|found| found.ledger.started == 0 && found.ledger.calls == 0);
    if empty {
        cautions.push("Nothing happened in these hours: no transaction, job or call began.".to_owned());
    }
    cautions
}
