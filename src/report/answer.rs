//! The answer in a few sentences, and the cautions that stand below it.

use crate::report::fullness::full;
use crate::report::standing::{assumed, standings};
use crate::report::verdict::overall;
use crate::report::words::{capital, clock, figure, judged, list, measured, number, quoted, staff_time};
use crate::report::{effort, left, method, price, recommend};
use crate::scenario::check::source::Input;
use crate::study::figures::{STAFF_LOST, TargetKind};
use crate::study::results::{Results, SetupResult, Verdict};
use crate::study::stopping::StopReason;

/// The answer in sentences, the most important first.
#[must_use]
pub fn sentences(results: &Results) -> Vec<String> {
    if results.targets.is_empty() {
        let mut sentences: Vec<String> = cut_off(results).into_iter().chain(on_paper(results)).collect();
        sentences.push(
            "The scenario states no target, so there is nothing to judge; the charts show what happens.".to_owned(),
        );
        return sentences;
    }
    let mut sentences: Vec<String> = base(results).into_iter().chain(state(results)).collect();
    sentences.extend(recommend::sentence(results));
    sentences.extend(options(results));
    sentences.extend(prices(results));
    sentences.extend(undone(results));
    sentences.extend(shifted(results));
    sentences.extend(cut_off(results));
    sentences.extend(on_paper(results));
    sentences
}

/// The title of a set-up at the beginning of a sentence.
fn with(setup: &SetupResult) -> String {
    if setup.name == "base" { "As it is".to_owned() } else { format!("With {}", quoted(&setup.title)) }
}

/// Sites that are cut off; set-ups with the same clause share it.
fn cut_off(results: &Results) -> Option<String> {
    let mut told: Vec<(String, Vec<String>)> = Vec::new();
    for setup in results.setups.iter().filter(|setup| setup.paths.outages > 0.0) {
        const CLAUSES: usize = 3;
        let who = if setup.name == "base" { "as it is".to_owned() } else { format!("with {}", quoted(&setup.title)) };
        let what = misfortune(setup, results.estate.0);
        let room = told.len() < CLAUSES;
        match told.iter_mut().find(|(other, _)| *other == what) {
            Some((_, names)) => names.push(who),
            None if room => told.push((what, vec![who])),
            None => {}
        }
    }
    let everywhere = |who: &Vec<String>| who.len() > 1 && who.len() == results.setups.len();
    let clauses: Vec<String> = told
        .into_iter()
        .map(|(what, who)| {
            let who = if everywhere(&who) { "in every set-up".to_owned() } else { list(&who) };
            format!("{who}, {what}")
        })
        .collect();
    (!clauses.is_empty()).then(|| capital(&clauses.join("; ")) + ".")
}

fn misfortune(setup: &SetupResult, sites: usize) -> String {
    let path = &setup.paths;
    let who = if path.at_once >= path.sites {
        "every site is".to_owned()
    } else {
        format!("up to {} of {sites} sites are", number(path.at_once.round()))
    };
    let staff = if path.staff_lost >= 3600.0 {
        format!(", in which {} of staff time are lost", staff_time(path.staff_lost / 3600.0))
    } else {
        String::new()
    };
    let least = if path.goes_on { "at least " } else { "" };
    format!("{who} cut off at once, the longest for {least}{}{staff}", figure(path.longest, TargetKind::Time))
}

/// Work on paper, and when it is entered.
fn on_paper(results: &Results) -> Option<String> {
    let (starts, length) = &results.bins;
    let told = results.setups.iter().filter_map(|setup| {
        let left = setup.on_paper.last().copied().unwrap_or(0.0);
        #[allow(clippy::cast_precision_loss)] // counts stay below 2^53
        let put = setup.ledger.entered as f64 / f64::from(results.replications.max(1)) + left;
        let last = setup.on_paper.iter().rposition(|left| *left >= 1.0)?;
        let end = if left >= 1.0 {
            format!("{} of them are still to be entered at the end", number(left.round()))
        } else {
            format!("the last is entered by {}", clock(results, starts[last] + 2.0 * length / 3600.0))
        };
        (put >= 10.0).then(|| format!("{}, {} actions go on paper, and {end}", with(setup), number(put.round())))
    });
    let told: Vec<String> = told.take(2).collect();
    (!told.is_empty()).then(|| told.join(". ") + ".")
}

fn base(results: &Results) -> Option<String> {
    let base = results.setups.iter().find(|setup| setup.name == "base")?;
    let worst = base.targets.iter().position(|judged| judged.verdict == overall(base))?;
    let limit = results.limits[worst];
    let kind = results.kinds[worst];
    let title = measured(&results.targets[worst]);
    let hours = results.targets[worst].split_once(", ").map(|(_, hours)| format!(", {hours}")).unwrap_or_default();
    let value = judged(&base.targets[worst], kind);
    Some(match overall(base) {
        Verdict::Met => "As it is, the headend meets every target.".to_owned(),
        Verdict::Missed => {
            let limit = figure(limit, kind);
            format!("As it is, the headend misses its target: {title} is {value}, not {limit} or less{hours}.")
        }
        Verdict::Unsure if !base.targets[worst].measured => {
            format!("As it is, nothing was measured of a target: {title}{hours}.")
        }
        Verdict::Unsure => {
            format!("As it is, it cannot be told whether the headend meets its target: {title} is {value}{hours}.")
        }
    })
}

/// When the headend is full as it is, and what that costs.
fn state(results: &Results) -> Option<String> {
    let base = results.setups.iter().find(|setup| setup.name == "base")?;
    let (first, last, hours) = full(results, base)?;
    let how = if (last - first - hours).abs() < 0.1 { "" } else { ", off and on" };
    let waited = base.measures[STAFF_LOST].value.mean;
    let days = if results.days == 1 { "a day" } else { "in all" };
    let staff =
        if waited >= 0.05 { format!("; staff lose {} {days} by waiting", staff_time(waited)) } else { String::new() };
    let until = clock(results, last);
    Some(format!("It is full from {} to {until}{how}{staff}.", clock(results, first)))
}

fn options(results: &Results) -> Option<String> {
    let titles = |verdict: Verdict| -> Vec<String> {
        let options = results.setups.iter().filter(|setup| setup.name != "base" && overall(setup) == verdict);
        options.map(|setup| quoted(&setup.title)).collect()
    };
    let (met, unsure, missed) = (titles(Verdict::Met), titles(Verdict::Unsure), titles(Verdict::Missed));
    let total = met.len() + unsure.len() + missed.len();
    if total == 0 {
        return None;
    }
    let mut text = match met.len() {
        0 => "None of the options is sure to meet every target".to_owned(),
        1 if total == 1 => format!("The option meets every target: {}", list(&met)),
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

/// Options that meet every target.
fn winners(results: &Results) -> impl Iterator<Item = &SetupResult> {
    results.setups.iter().filter(|setup| setup.name != "base" && overall(setup) == Verdict::Met)
}

/// Options that meet every target and make something else clearly worse, and what.
fn prices(results: &Results) -> Option<String> {
    let told = winners(results)
        .filter_map(|setup| Some(format!("{}: {}", quoted(&setup.title), price::of(results, setup)?)))
        .collect::<Vec<_>>();
    (!told.is_empty()).then(|| format!("At a price against the day as it is: {}.", told.join("; ")))
}

/// Options that meet every target and leave others waiting.
fn undone(results: &Results) -> Option<String> {
    let told = winners(results)
        .filter_map(|setup| {
            let free = setup.cost == Some(0.0);
            let leaves = if free { "costs nothing and leaves" } else { "leaves" };
            if let Some(undone) = left::undone(results, setup) {
                return Some(format!("{} {leaves} waiting: {undone}", quoted(&setup.title)));
            }
            // A free option that ends the congestion needs no sentence; of one that does not, readers will ask.
            let lost = staff_time(setup.measures[STAFF_LOST].value.mean);
            (free && !recommend::is_whole(results, setup))
                .then(|| format!("{} {leaves} {lost} of staff time lost", quoted(&setup.title)))
        })
        .collect::<Vec<_>>();
    (!told.is_empty()).then(|| told.join(". ") + ".")
}

/// An option that helps in one window and hurts in another deserves a sentence of its own.
fn shifted(results: &Results) -> Option<String> {
    for setup in results.setups.iter().filter(|setup| setup.name != "base") {
        let moved = |sign: f64| {
            // A difference may be clear and still too small for a sentence.
            const WORTH_SAYING: f64 = 0.05;
            setup.targets.iter().zip(&results.limits).position(|(judged, limit)| {
                let by = judged.figure.change.map_or(0.0, |change| change.mean * sign);
                judged.figure.clear && by > WORTH_SAYING * limit
            })
        };
        if let (Some(better), Some(worse)) = (moved(-1.0), moved(1.0))
            && setup.targets[worse].verdict != Verdict::Met
        {
            let value = |index: usize| judged(&setup.targets[index], results.kinds[index]);
            let name = |index: usize| without_limit(&results.targets[index]);
            return Some(format!(
                "{} moves the trouble rather than ending it: {} comes down to {}, but {} goes up to {}.",
                quoted(&setup.title),
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
    let what = measured(target);
    match target.split_once(", ") {
        Some((_, hours)) => format!("{what} from {hours}"),
        None => what.to_owned(),
    }
}

/// Figures that unfinished work could have made worse.
fn unfinished(results: &Results) -> Option<String> {
    let open = |place: &usize| results.setups.iter().any(|setup| setup.targets[*place].at_least);
    let titles: Vec<String> =
        (0..results.targets.len()).filter(open).map(|place| quoted(&without_limit(&results.targets[place]))).collect();
    (!titles.is_empty()).then(|| {
        format!(
            "Some of what {} counts had no answer: it was still under way when the run ended, or it was given up. Such a value is \
             a lower bound, and its target is met only where that could not change it. For what is under way, let the run end \
             later (`until` in [run]).",
            list(&titles)
        )
    })
}

/// What a reader should know before relying on the answer.
#[must_use]
pub fn cautions(results: &Results) -> Vec<String> {
    let mut cautions = Vec::new();
    if results.stopped != StopReason::Precise && !results.targets.is_empty() {
        cautions.push(effort::stopped(results));
    }
    cautions.extend(results.warnings.iter().map(|warning| capital(warning) + "."));
    cautions.extend(unfinished(results));
    for setup in &results.setups {
        for remark in &setup.remarks {
            let caution = format!("{}: {remark}.", if setup.name == "base" { "As it is" } else { &setup.title });
            if !cautions.iter().any(|other: &String| other.ends_with(&format!("{remark}."))) {
                cautions.push(caution);
            }
        }
    }
    cautions.extend(method::sentence(results));
    cautions.extend(results.check.iter().filter_map(method::disagreement));
    if assumed(&results.inputs) > 0 {
        let fitted = |input: &Input| input.source.as_ref().is_some_and(|source| source.contains("chosen so that"));
        let chosen = if results.inputs.iter().any(fitted) {
            " Some were chosen so that the set-up as it is shows what was reported; their sources say which."
        } else {
            ""
        };
        cautions.push(format!(
            "{}; inputs.csv lists them. The answer is only as good as they are; “headend ask” says what to measure \
             first.{chosen}",
            standings(&results.inputs)
        ));
    }
    if results.inputs.iter().any(|input| input.path.starts_with("estate.drawn")) {
        cautions.push("Sites are drawn from a distribution, not listed: their names stand for no place.".to_owned());
    }
    let empty = |setup: &SetupResult| setup.ledger.started == 0 && setup.ledger.calls == 0 && setup.paths.staff <= 0.0;
    let empty = results.setups.iter().any(empty);
    if empty {
        cautions.push("Nothing happened in these hours: no transaction, job or call began.".to_owned());
    }
    cautions
}
