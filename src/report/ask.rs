//! What to ask for: what to export today, how long it will be there, and what each item would settle.

use crate::report::table::wrapped;
use crate::report::tornado::Bar;
use crate::report::words::{capital, figure, list, measured, quoted};
use crate::study::figures::TargetKind;
use crate::telemetry::keeps::{ITEMS, MonitoringSystem, SYSTEMS, settled_by};

/// What to export from which system, those that forget first at the top.
#[must_use]
pub fn systems() -> String {
    let title = "Export today what is forgotten first. A peak of five minutes is a third lower as a mean of two hours: what is left \
                 after that shows no Monday morning. Times are defaults; whoever runs the system may have set others.";
    let entry = |system: &MonitoringSystem| {
        let after = if system.then.is_empty() { String::new() } else { format!("; after that {}", system.then) };
        let name = format!("{}: five minutes last {}{after}", system.name, system.fine);
        format!("{}\n{}\n", wrapped(&name, "  "), wrapped(system.export, "      "))
    };
    format!("{}\n\n{}", wrapped(title, ""), SYSTEMS.iter().map(entry).collect::<String>())
}

/// What to export for a scenario of which no assumed number has a range: what each would settle cannot be told.
#[must_use]
pub fn without_ranges(question: &str) -> String {
    let says = "No assumed number of this scenario has a range, so nothing tells which of them matter: write `range` for them in \
                [source], and ask again.";
    format!("{}\n\n{}\n\n{}", wrapped(question, ""), wrapped(says, "! "), systems())
}

/// What an item of data would settle: the inputs, and how far the farthest of them moves the target.
struct Settled<'a> {
    item: usize,
    swing: f64,
    bars: Vec<&'a Bar>,
}

/// What to ask for, most influential first: `bars` say how far each input moves the first target.
#[must_use]
pub fn text(question: &str, target: &str, (kind, limit): (TargetKind, f64), bars: &[Bar], without: usize) -> String {
    let mut settled: Vec<Settled<'_>> = Vec::new();
    let mut rest = Vec::new();
    for bar in bars {
        match settled_by(&bar.path) {
            None => rest.push(bar),
            Some(item) => match settled.iter_mut().find(|own| own.item == item) {
                Some(own) => own.bars.push(bar),
                None => settled.push(Settled { item, swing: bar.swing(), bars: vec![bar] }),
            },
        }
    }
    settled.sort_by(|a, b| b.swing.total_cmp(&a.swing));
    let what = measured(target);
    let mut text = format!("{}\n\n", wrapped(question, ""));
    for (own, place) in settled.iter().zip(1..) {
        let item = &ITEMS[own.item];
        text += &format!("{}\n", wrapped(&format!("{place}. {}.", capital(item.what)), ""));
        text += &format!("{}\n", wrapped(&format!("Ask {}; then {}.", item.who, item.then), "   "));
        let farthest = own.bars[0];
        let which = if own.bars.len() > 1 {
            format!("Of these, {} moves {what} most", farthest.path)
        } else {
            format!("It moves {what}")
        };
        let moves = format!(
            "It settles {}. {which}: {} at {}, {} at {} (limit {}).",
            several_paths(&own.bars),
            figure(farthest.low.1, kind),
            farthest.low.0,
            figure(farthest.high.1, kind),
            farthest.high.0,
            figure(limit, kind)
        );
        text += &format!("{}\n\n", wrapped(&moves, "   "));
    }
    if !rest.is_empty() {
        let names: Vec<String> = rest.iter().map(|bar| bar.path.clone()).collect();
        text += &format!("{}\n", wrapped(&format!("No counter settles {}.", list(&names)), ""));
    }
    if without > 0 {
        let caution = format!(
            "{without} other numbers are assumed without a range, so it is not known how much they matter: write `range` for them in \
             [source]."
        );
        text += &format!("{}\n", wrapped(&caution, "! "));
    }
    let next = format!(
        "How far {} moves was simulated on one day, one input at a time: `headend sweep --doubt` varies all.",
        quoted(what)
    );
    text + &format!("{}\n\n", wrapped(&next, "")) + &systems()
}

/// Paths, at most four of them by name.
fn several_paths(bars: &[&Bar]) -> String {
    const NAMED: usize = 4;
    let mut names: Vec<String> = bars.iter().take(NAMED).map(|bar| bar.path.clone()).collect();
    if bars.len() > NAMED {
        names.push(format!("{} more", bars.len() - NAMED));
    }
    list(&names)
}
