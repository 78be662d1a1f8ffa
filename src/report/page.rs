//! The page: everything in one HTML file that opens offline and needs no script.

use askama::Template;

use crate::report::answer::{cautions, sentences};
use crate::report::chart::options::label;
use crate::report::drawn::{Chart, ChartTable};
use crate::report::glossary::WORDS;
use crate::report::method::side_by_side;
use crate::report::provenance::{Provenance, Shown};
use crate::report::setting::staff_classes;
use crate::report::standing::assumed;
use crate::report::verdict::mark;
use crate::report::words::{
    capital, change, count, interval, judged as told, money, number, plain_interval, staff_time,
};
use crate::report::{effort, outputs, recommend, stress, table};
use crate::scenario::check::source::Input;
use crate::study::figures::{GIVEN_UP, STAFF_LOST, TargetKind, UNFINISHED};
use crate::study::results::{Results, SetupResult, TargetResult};
use crate::study::series::ComparedEstimate;

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage<'a> {
    question: &'a str,
    setting: String,
    answer: Vec<String>,
    contents: Vec<(&'static str, &'static str)>,
    targets: &'a [String],
    verdicts: Vec<VerdictRow>,
    has_jobs: bool,
    has_costs: bool,
    staff_classes: String,
    replications: u32,
    charts: Vec<Shown<'a>>,
    has_more: bool,
    waits: Vec<WaitRow>,
    calls: Vec<WaitRow>,
    /// What the table of calls cannot tell, at this fidelity.
    calls_caution: &'static str,
    what: Vec<(String, String, String)>,
    measures: Vec<String>,
    figures: Vec<(String, Vec<(String, String)>)>,
    cautions: Vec<String>,
    method: String,
    check: Option<(String, ChartTable)>,
    /// How what stands beside packets was simulated.
    beside: &'static str,
    stress: Vec<stress::Item>,
    inputs_title: String,
    inputs: Vec<InputRow>,
    glossary: &'static [(&'static str, &'static str)],
    files: Vec<(&'static str, &'static str)>,
    command: &'a str,
    version: &'a str,
    seed: u64,
    hash: &'a str,
}

pub(crate) struct VerdictRow {
    pub title: String,
    pub chosen: bool,
    pub cells: Vec<VerdictCell>,
    pub staff: (String, bool),
    pub given_up: (String, bool),
    pub jobs: (String, bool),
    pub cost: String,
}

/// A class in a set-up: what it waits, and how that differs from the base.
pub(crate) struct WaitRow {
    pub class: String,
    pub title: String,
    pub cells: Vec<WaitCell>,
}

pub(crate) struct WaitCell {
    pub value: String,
    pub change: String,
    pub worse: bool,
}

pub(crate) struct VerdictCell {
    pub label: String,
    pub verdict: &'static str,
    pub word: &'static str,
    pub mark: &'static str,
    pub value: String,
}

struct InputRow {
    path: String,
    value: String,
    standing: &'static str,
    source: String,
    range: String,
}

/// Charts that stand at the top; the others follow the tables.
const FIRST: [&str; 3] = ["options", "utilisation", "latency"];

/// The page of a study.
///
/// # Panics
/// Never: a template that compiles renders to memory.
#[must_use]
pub fn page(results: &Results, charts: &[Chart], origin: &Provenance) -> String {
    let is_first = |chart: &Chart| FIRST.contains(&chart.name);
    let verdicts = if results.targets.is_empty() { Vec::new() } else { verdicts(results) };
    let (waits, what) = (waits(results), what(results));
    let has_more = charts.iter().any(|chart| !is_first(chart));
    let sections = [
        ("options", "Options", !verdicts.is_empty()),
        ("charts", "Charts", true),
        ("waits", "Who waits", !waits.is_empty()),
        ("calls", "Calls", results.setups.iter().any(|setup| !setup.calls.is_empty())),
        ("when", "When and where", has_more),
        ("what", "What each option is", !what.is_empty()),
        ("figures", "All figures", true),
        ("sure", "How sure is this?", true),
        ("inputs", "Assumptions", true),
        ("glossary", "Words", true),
        ("files", "Files", true),
    ];
    let page = ReportPage {
        question: &results.question,
        setting: table::setting(results),
        answer: sentences(results),
        contents: sections.into_iter().filter(|(_, _, there)| *there).map(|(id, title, _)| (id, title)).collect(),
        targets: &results.targets,
        verdicts,
        has_jobs: results.setups.iter().any(|setup| setup.measures[UNFINISHED].value.mean >= 0.05),
        has_costs: results.setups.iter().any(|setup| setup.name != "base" && setup.cost.is_some()),
        staff_classes: staff_classes(results),
        replications: results.replications,
        charts: charts.iter().map(|chart| Shown { chart, svg: chart.labelled(), first: is_first(chart) }).collect(),
        has_more,
        waits,
        calls: calls(results),
        calls_caution: if results.fidelity == "flow" { NO_JITTER } else { "" },
        what,
        measures: results.measures().iter().map(|figure| label(figure.title, figure.unit)).collect(),
        figures: figures(results),
        cautions: cautions(results),
        method: method(results),
        check: results.check.as_ref().map(side_by_side),
        beside: if results.fidelity == "sampled" { "by a sample of packets" } else { "as flows" },
        stress: stress::items(results),
        inputs_title: inputs_title(results),
        inputs: inputs(results),
        glossary: &WORDS,
        files: outputs::listed(),
        command: &origin.command,
        version: &origin.version,
        seed: results.seed,
        hash: &origin.hash,
    };
    page.render().expect("a page renders to memory")
}

fn what(results: &Results) -> Vec<(String, String, String)> {
    let options = results.setups.iter().filter(|setup| setup.name != "base");
    options.map(|setup| (setup.title.clone(), capital(&setup.what.join("; ")), setup.name.clone())).collect()
}

pub(crate) fn verdicts(results: &Results) -> Vec<VerdictRow> {
    let chosen = recommend::choice(results).map(|setup| setup.name.clone());
    let worse = |figure: &ComparedEstimate| figure.clear && figure.change.is_some_and(|by| by.mean > 0.0);
    let rows = results.setups.iter().map(|setup| {
        let targets = setup.targets.iter().zip(&results.kinds).zip(&results.targets);
        let cells = targets.map(|((judged, kind), title)| cell(judged, *kind, title));
        let [staff, given_up, jobs] = [STAFF_LOST, GIVEN_UP, UNFINISHED].map(|place| &setup.measures[place]);
        VerdictRow {
            title: setup.title.clone(),
            chosen: chosen.as_ref() == Some(&setup.name),
            cells: cells.collect(),
            staff: (staff_time(staff.value.mean), worse(staff)),
            given_up: (number(given_up.value.mean), worse(given_up)),
            jobs: (number(jobs.value.mean), worse(jobs)),
            cost: if setup.name == "base" {
                String::new()
            } else {
                setup.cost.map_or_else(|| "not written".to_owned(), |cost| money(results.currency.as_deref(), cost))
            },
        }
    });
    rows.collect()
}

/// Class by class, each set-up in which it has traffic.
pub(crate) fn waits(results: &Results) -> Vec<WaitRow> {
    let mut rows = Vec::new();
    for (class, name) in results.classes.iter().enumerate() {
        for setup in &results.setups {
            let Some(wait) = setup.waits.iter().find(|wait| wait.class == class) else { continue };
            let cells =
                [(&wait.mean, TargetKind::Time), (&wait.p95, TargetKind::Time), (&wait.given_up, TargetKind::Share)];
            let cells = cells.map(|(figure, kind)| wait_cell(figure, kind));
            rows.push(WaitRow { class: name.clone(), title: setup.title.clone(), cells: cells.into() });
        }
    }
    rows
}

const NO_JITTER: &str =
    "At flow fidelity speech is an estimate without jitter: `--fidelity sampled` simulates packets of some calls.";

/// Calls class by class, each set-up in which there are any.
fn calls(results: &Results) -> Vec<WaitRow> {
    let mut rows = Vec::new();
    for (class, name) in results.classes.iter().enumerate() {
        for setup in &results.setups {
            let Some(own) = setup.calls.iter().find(|calls| calls.class == class) else { continue };
            let [asked, refused] = [(&own.asked, TargetKind::Count), (&own.refused, TargetKind::Share)]
                .map(|(figure, kind)| wait_cell(figure, kind));
            let speech = [
                wait_cell(&own.poor, TargetKind::Share),
                score_cell(&own.score),
                wait_cell(&own.delay, TargetKind::Time),
                wait_cell(&own.lost, TargetKind::Share),
            ];
            let unheard = || WaitCell { value: "\u{2013}".to_owned(), change: String::new(), worse: false };
            // No score is zero: nobody was heard.
            let speech = if own.score.value.mean > 0.0 { speech } else { std::array::from_fn(|_| unheard()) };
            let cells = [asked, refused].into_iter().chain(speech).collect();
            rows.push(WaitRow { class: name.clone(), title: setup.title.clone(), cells });
        }
    }
    rows
}

/// An opinion score: less is worse.
fn score_cell(figure: &ComparedEstimate) -> WaitCell {
    compared_cell(figure, TargetKind::Count, |change| change < 0.0)
}

fn wait_cell(figure: &ComparedEstimate, kind: TargetKind) -> WaitCell {
    compared_cell(figure, kind, |change| change > 0.0)
}

/// A figure and its change, which is marked where it is clear, and where it is worse.
fn compared_cell(figure: &ComparedEstimate, kind: TargetKind, is_worse: fn(f64) -> bool) -> WaitCell {
    let by = figure.change.map_or_else(String::new, |by| change(&by, Some(kind)));
    let worse = figure.clear && figure.change.is_some_and(|by| is_worse(by.mean));
    let mark = match (figure.clear, worse) {
        (true, true) => " * worse",
        (true, false) => " *",
        _ => "",
    };
    WaitCell { value: interval(&figure.value, kind), change: format!("{by}{mark}"), worse }
}

fn cell(judged: &TargetResult, kind: TargetKind, title: &str) -> VerdictCell {
    VerdictCell {
        label: title.to_owned(),
        verdict: judged.verdict.name(),
        word: judged.verdict.name(),
        mark: mark(judged.verdict),
        value: told(judged, kind),
    }
}

/// The title of each set-up, and each figure with its difference from the base.
fn figures(results: &Results) -> Vec<(String, Vec<(String, String)>)> {
    let cell = |measure: &ComparedEstimate| {
        let star = if measure.clear { " *" } else { "" };
        let by = measure.change.map_or_else(String::new, |by| format!("{}{star}", change(&by, None)));
        (plain_interval(&measure.value), by)
    };
    let row = |setup: &SetupResult| setup.measures.iter().take(results.measures().len()).map(cell).collect();
    results.setups.iter().map(|setup| (setup.title.clone(), row(setup))).collect()
}

fn inputs_title(results: &Results) -> String {
    format!("What is assumed: {} of {} numbers", assumed(&results.inputs), results.inputs.len())
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
    let transactions: u64 = results.setups.iter().map(|setup| setup.ledger.started + setup.ledger.calls).sum();
    let pairs = if results.antithetic {
        " Days come in pairs: what was drawn large for one is small for the other (antithetic variates), and intervals count \
         each pair once."
    } else {
        ""
    };
    format!(
        "Each option was simulated event by event over the same {} days drawn at random ({} transactions, jobs and calls \
         in all), so that differences are due to the options alone (common random numbers). Transfers share each \
         concentrator by its order of service, within every site's access link; round trips, windows, queues \
         and losses are added as TCP adds them. Intervals are Student's at 95 % over the days; differences are \
         paired, and corrected for several comparisons after Holm. Where a queue is to be expected, a fluid forecast of \
         each day serves as a control variate, which takes out how busy the days happened to be.{pairs} {}",
        results.replications,
        count(transactions),
        effort::words(results)
    )
}
