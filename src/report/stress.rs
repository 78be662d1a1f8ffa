//! The checklist for reports of discrete-event simulations (STRESS-DES: Monks, Currie, Onggo, Robinson, Kunc & Taylor,
//! Journal of Simulation 13, 2019), filled in for a run.

use crate::report::setting::estate;
use crate::report::words::plain_markdown;
use crate::report::words::{bit_rate, capital, clock, count, list, quoted, several};
use crate::scenario::check::source::Standing;
use crate::study::results::{Results, SetupResult};

/// An item: its number and name, and what is to be said of it.
pub type Item = (&'static str, String);

/// All items.
#[must_use]
pub fn items(results: &Results) -> Vec<Item> {
    let mut items = objectives(results);
    items.extend(logic(results));
    items.extend(data(results));
    items.extend(experiments(results));
    items.extend(program(results));
    items
}

/// As Markdown.
#[must_use]
pub fn markdown(results: &Results) -> String {
    let mut text = format!("# STRESS-DES checklist\n\n{}\n\n| item | |\n|---|---|\n", results.question);
    for (item, said) in items(results) {
        text += &format!("| {item} | {} |\n", said.replace('|', "\\|"));
    }
    plain_markdown(&text)
}

fn objectives(results: &Results) -> Vec<Item> {
    let options = results.setups.iter().filter(|setup| setup.name != "base").map(|setup| quoted(&setup.title));
    let options: Vec<String> = options.collect();
    let aims = if options.is_empty() { String::new() } else { format!(" {} are compared with it.", list(&options)) };
    vec![
        ("1.1 Purpose of the model", format!("To answer: {}", results.question)),
        (
            "1.2 Model outputs",
            format!(
                "Targets: {}. Besides: latency of each class, utilisation, staff time lost, work unfinished, sites affected; \
                 summary.csv has each with its 95 % interval, docs/outputs.md says what each means.",
                if results.targets.is_empty() { "none".to_owned() } else { list(&results.targets) }
            ),
        ),
        ("1.3 Aims of experimentation", format!("The present set-up is judged by the targets.{aims}")),
    ]
}

fn logic(results: &Results) -> Vec<Item> {
    let concentrators = |setup: &SetupResult| {
        let concentrator = |(name, carries, _): &(String, f64, u32)| format!("{name} ({})", bit_rate(*carries));
        list(&setup.concentrators.iter().map(concentrator).collect::<Vec<String>>())
    };
    let scenario = results.setups.iter().filter(|setup| setup.name != "base");
    let scenario: Vec<String> =
        scenario.map(|setup| format!("{}: {}", quoted(&setup.title), setup.what.join("; "))).collect();
    let base = results.setups.first().map_or_else(String::new, concentrators);
    vec![
        (
            "2.1 Base model overview diagram",
            format!(
                "{} \u{2192} access link of each site \u{2192} tunnel \u{2192} {base} \u{2192} servers, and back.",
                estate(results.estate.0, results.estate.1, &results.counted)
            ),
        ),
        (
            "2.2 Base model logic",
            "People and machines at sites start transactions, jobs and calls; each crosses its site's access link and the \
             concentrator that its tunnel ends at, in both directions (docs/model.md)."
                .to_owned(),
        ),
        ("2.3 Scenario logic", if scenario.is_empty() { "No options were run.".to_owned() } else { scenario.join(". ") + "." }),
        (
            "2.4 Algorithms",
            format!(
                "{} fidelity: transfers share links and concentrators by the order of service, with TCP's windows and losses; placement \
                 of tunnels by the balancer (docs/model.md).",
                capital(results.fidelity)
            ),
        ),
        ("2.5.1 Components: entities", format!("Transactions, jobs and calls of the classes {}.", list(&results.classes))),
        (
            "2.5.2 Components: activities",
            "Thinking, asking, transferring, serving, giving up and trying again; setting up and losing tunnels.".to_owned(),
        ),
        (
            "2.5.3 Components: resources",
            format!("Access links of {}; {base}.", several(results.estate.0, ["site", "sites"])),
        ),
        (
            "2.5.4 Components: queues",
            "At each concentrator in the order of service that is written for it, and at each access link; jobs under a curfew wait \
             for its end."
                .to_owned(),
        ),
        (
            "2.5.5 Components: entry and exit points",
            "Transactions enter at their sites by the demand of their class, and leave when the answer is there, when they are given \
             up, or at the end of the run."
                .to_owned(),
        ),
    ]
}

fn data(results: &Results) -> Vec<Item> {
    let of = |standing: Standing| results.inputs.iter().filter(|input| input.standing == standing).count();
    let numbers = results.inputs.len();
    let mut sources: Vec<&str> = results
        .inputs
        .iter()
        .filter(|input| input.standing != Standing::Assumed)
        .filter_map(|input| input.source.as_deref())
        .collect();
    sources.sort_unstable();
    sources.dedup();
    vec![
        (
            "3.1 Data sources",
            if sources.is_empty() { "None: every number is assumed.".to_owned() } else { sources.join("; ") + "." },
        ),
        (
            "3.2 Pre-processing",
            format!(
                "{} of {numbers} numbers are fitted to data; inputs.csv says to which. Files that the scenario names are in inputs/ as \
                 they were read.",
                of(Standing::Fitted)
            ),
        ),
        ("3.3 Input parameters", format!("{numbers} numbers with standing, source and range: inputs.csv.")),
        (
            "3.4 Assumptions",
            format!(
                "{} of {numbers} numbers are assumed: inputs.csv marks each. Assumptions of the method: docs/model.md; its error against \
                 measured networks: docs/trust.md.",
                of(Standing::Assumed)
            ),
        ),
    ]
}

fn experiments(results: &Results) -> Vec<Item> {
    let (starts, width) = &results.bins;
    let hours = match (starts.first(), starts.last()) {
        (Some(first), Some(last)) => {
            format!("{} to {}", clock(results, *first), clock(results, last + width / 3600.0))
        }
        _ => "the hours of the run".to_owned(),
    };
    vec![
        (
            "4.1 Initialisation",
            "Each run begins with nothing under way and no warm-up is cut off: a day begins before people do, and the quiet start is \
             part of it."
                .to_owned(),
        ),
        ("4.2 Run length", format!("{}, {hours}.", several(results.days as usize, ["day", "days"]))),
        (
            "4.3 Estimation approach",
            format!(
                "{}{}, the same days for all set-ups (common random numbers); Student's intervals at 95 %, differences paired and \
                 corrected for several comparisons after Holm; forecasts of each day as control variates.",
                several(results.replications as usize, ["replication", "replications"]),
                if results.antithetic { " in antithetic pairs" } else { "" }
            ),
        ),
    ]
}

fn program(results: &Results) -> Vec<Item> {
    let events: u64 = results.setups.iter().map(|setup| setup.ledger.started + setup.ledger.calls).sum();
    vec![
        ("5.1 Software", format!("headend {}, in Rust; manifest.json has the build.", env!("CARGO_PKG_VERSION"))),
        (
            "5.2 Random sampling",
            format!(
                "Seed {}. SplitMix64 streams, one for each site, class and purpose, so that an option changes no draw that it does not \
                 touch (docs/model.md).",
                results.seed
            ),
        ),
        (
            "5.3 Model execution",
            format!("Event by event; {} transactions, jobs and calls in all. Results do not depend on the number of threads.", count(events)),
        ),
        ("5.4 System specification", "Threads and time of the run are in manifest.json.".to_owned()),
        (
            "6.1 Computer model sharing statement",
            "headend is free software under MIT or Apache-2.0; this folder has the scenario, its inputs and the command that runs it \
             again to the same bytes."
                .to_owned(),
        ),
    ]
}
