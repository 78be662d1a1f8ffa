//! The page: everything in one HTML file that opens offline and needs no script.

use askama::Template;

use crate::report::answer::{cautions, sentences};
use crate::report::chart::options::label;
use crate::report::method::side_by_side;
use crate::report::words::{change, count, interval, judged as told, plain_interval};
use crate::report::{Chart, effort, table};
use crate::scenario::source::{Input, Standing};
use crate::study::results::{Compared, Found, Judged, Kind, Results, Verdict};

/// What a page says of how it came about.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Version of the program.
    pub version: String,
    /// The command that makes the same page again.
    pub command: String,
    /// SHA-256 of the scenario's text.
    pub hash: String,
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    question: &'a str,
    setting: String,
    cautions: Vec<String>,
    check: Option<(String, Vec<Vec<String>>)>,
    answer: Vec<String>,
    targets: &'a [String],
    verdicts: Vec<VerdictRow>,
    replications: u32,
    waits: Vec<WaitRow>,
    charts: &'a [Chart],
    measures: Vec<String>,
    figures: Vec<(String, Vec<(String, String)>)>,
    inputs_title: String,
    inputs: Vec<InputRow>,
    method: String,
    command: &'a str,
    version: &'a str,
    seed: u64,
    hash: &'a str,
}

struct VerdictRow {
    title: String,
    cells: Vec<VerdictCell>,
}

/// A class in a set-up: what it waits, and how that differs from the base.
struct WaitRow {
    class: String,
    title: String,
    cells: Vec<WaitCell>,
}

struct WaitCell {
    value: String,
    change: String,
    worse: bool,
}

struct VerdictCell {
    verdict: &'static str,
    mark: &'static str,
    value: String,
    change: String,
}

struct InputRow {
    path: String,
    value: String,
    standing: &'static str,
    source: String,
    range: String,
}

/// The page of a study.
///
/// # Panics
/// Never: a template that compiles renders to memory.
#[must_use]
pub fn page(results: &Results, charts: &[Chart], origin: &Origin) -> String {
    let page = Page {
        question: &results.question,
        setting: table::setting(results),
        cautions: cautions(results),
        check: results.check.as_ref().map(side_by_side),
        answer: sentences(results),
        targets: &results.targets,
        verdicts: if results.targets.is_empty() { Vec::new() } else { verdicts(results) },
        replications: results.replications,
        waits: waits(results),
        charts,
        measures: results.measures().iter().map(|figure| label(figure.title, figure.unit)).collect(),
        figures: figures(results),
        inputs_title: inputs_title(results),
        inputs: inputs(results),
        method: method(results),
        command: &origin.command,
        version: &origin.version,
        seed: results.seed,
        hash: &origin.hash,
    };
    page.render().expect("a page renders to memory")
}

/// A sign that can be told without colour.
#[must_use]
pub fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "\u{2713}",
        Verdict::Missed => "\u{2717}",
        Verdict::Unsure => "?",
    }
}

fn verdicts(results: &Results) -> Vec<VerdictRow> {
    let rows = results.setups.iter().map(|found| {
        let cells = found.targets.iter().zip(&results.kinds).map(|(judged, kind)| cell(judged, *kind));
        VerdictRow { title: found.title.clone(), cells: cells.collect() }
    });
    rows.collect()
}

/// Class by class, each set-up in which it has traffic.
fn waits(results: &Results) -> Vec<WaitRow> {
    let mut rows = Vec::new();
    for (class, name) in results.classes.iter().enumerate() {
        for found in &results.setups {
            let Some(wait) = found.waits.iter().find(|wait| wait.class == class) else { continue };
            let cells = [(&wait.mean, Kind::Time), (&wait.p95, Kind::Time), (&wait.given_up, Kind::Share)];
            let cells = cells.map(|(figure, kind)| wait_cell(figure, kind));
            rows.push(WaitRow { class: name.clone(), title: found.title.clone(), cells: cells.into() });
        }
    }
    rows
}

fn wait_cell(figure: &Compared, kind: Kind) -> WaitCell {
    let by = figure.change.map_or_else(String::new, |by| change(&by, Some(kind)));
    let worse = figure.clear && figure.change.is_some_and(|by| by.mean > 0.0);
    let mark = match (figure.clear, worse) {
        (true, true) => " * worse",
        (true, false) => " *",
        _ => "",
    };
    WaitCell { value: interval(&figure.value, kind), change: format!("{by}{mark}"), worse }
}

fn cell(judged: &Judged, kind: Kind) -> VerdictCell {
    let figure = &judged.figure;
    let star = if figure.clear { " *" } else { "" };
    VerdictCell {
        verdict: judged.verdict.name(),
        mark: mark(judged.verdict),
        value: told(judged, kind),
        change: figure.change.map_or_else(String::new, |by| format!("{}{star}", change(&by, Some(kind)))),
    }
}

/// The title of each set-up, and each figure with its difference from the base.
fn figures(results: &Results) -> Vec<(String, Vec<(String, String)>)> {
    let cell = |measure: &Compared| {
        let star = if measure.clear { " *" } else { "" };
        let by = measure.change.map_or_else(String::new, |by| format!("{}{star}", change(&by, None)));
        (plain_interval(&measure.value), by)
    };
    let row = |found: &Found| found.measures.iter().take(results.measures().len()).map(cell).collect();
    results.setups.iter().map(|found| (found.title.clone(), row(found))).collect()
}

fn inputs_title(results: &Results) -> String {
    let assumed = results.inputs.iter().filter(|input| input.standing == Standing::Assumed).count();
    format!("What is assumed: {assumed} of {} numbers", results.inputs.len())
}

/// One row for all numbers that share an origin; `inputs.csv` has each.
fn inputs(results: &Results) -> Vec<InputRow> {
    let mut groups: Vec<Vec<&Input>> = Vec::new();
    for input in &results.inputs {
        let same = |group: &&mut Vec<&Input>| {
            group[0].source.is_some()
                && (group[0].standing, &group[0].source, &group[0].range)
                    == (input.standing, &input.source, &input.range)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.push(input),
            None => groups.push(vec![input]),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group[0].standing));
    groups.iter().map(|group| input_row(group)).collect()
}

fn input_row(group: &[&Input]) -> InputRow {
    const SHOWN: usize = 4;
    let first = group[0];
    let path = if group.len() == 1 { first.path.clone() } else { common(group) };
    let values: Vec<&str> = group.iter().map(|input| input.value.as_str()).take(SHOWN).collect();
    let more = if group.len() > SHOWN { format!(" and {} more", group.len() - SHOWN) } else { String::new() };
    InputRow {
        path,
        value: format!("{}{more}", values.join(", ")),
        standing: first.standing.name(),
        source: first.source.clone().unwrap_or_else(|| "no source given".to_owned()),
        range: first.range.clone().unwrap_or_default(),
    }
}

/// What the paths of a group have in common, in whole names.
fn common(group: &[&Input]) -> String {
    let mut shared: Vec<&str> = group[0].path.split('.').collect();
    for input in group {
        let same = shared.iter().zip(input.path.split('.')).take_while(|(a, b)| **a == *b).count();
        shared.truncate(same);
    }
    shared.join(".")
}

fn method(results: &Results) -> String {
    let transactions: u64 = results.setups.iter().map(|found| found.ledger.started + found.ledger.calls).sum();
    let pairs = if results.antithetic {
        " Days come in pairs: what was drawn large for one is small for the other (antithetic variates), and intervals count \
         each pair once."
    } else {
        ""
    };
    format!(
        "Each option was simulated event by event over the same {} days drawn at random ({} transactions, jobs and calls \
         in all), so that differences are due to the options alone (common random numbers). Transfers share each \
         concentrator as its order of service says, within every site's access link; round trips, windows, queues \
         and losses are added as TCP adds them. Intervals are Student's at 95 % over the days; differences are \
         paired, and corrected for several comparisons after Holm. Where a queue is to be expected, a fluid's forecast of \
         each day serves as a control variate, which takes out how busy the days happened to be.{pairs} {}",
        results.replications,
        count(transactions),
        effort::words(results)
    )
}
