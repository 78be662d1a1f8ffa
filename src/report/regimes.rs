//! The suite's tables: errors by regime, and the scenarios that are furthest off.

use serde::Serialize;

use crate::report::table::{columns, wrapped};
use crate::report::words::capital;
use crate::validate::regimes::{RUNS, RegimeLine, RegimeResult, Worst};

/// Everything that the suite found, for another program to read.
#[derive(Debug, Serialize)]
pub struct Suite {
    /// What was compared with packets.
    pub fidelity: &'static str,
    /// Seed of the scenarios.
    pub seed: u64,
    /// By regime.
    pub table: Vec<RegimeLine>,
    /// The scenarios that are furthest off.
    pub worst: Vec<Worst>,
    /// By order of service: how many of the stated 90 % intervals of the method's error hold here, and how many were stated.
    pub held: Vec<(&'static str, usize, usize)>,
    /// All scenarios.
    pub scenarios: Vec<RegimeResult>,
}

/// Both tables for the terminal.
#[must_use]
pub fn text(suite: &Suite) -> String {
    let title = format!(
        "{} fidelity against packets in {} scenarios (seed {}), {RUNS} runs each: errors as median / 90th percentile.",
        capital(suite.fidelity),
        suite.scenarios.len(),
        suite.seed
    );
    let head = ["regime", "cases", "mean", "p95", "mean by size", "to packets", "goodput", "utilisation"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(suite.table.iter().map(cells));
    let mut text = format!("{}\n\n{}", wrapped(&title, ""), columns(&rows));
    text += &format!("\n{}\n", wrapped(&kept(&suite.held), ""));
    text +=
        "\nFurthest off: ratio to packets in the mean of a class, and what of the transport has most to do with it\n";
    for worst in &suite.worst {
        let without = worst.without.map_or_else(
            || "no ingredient alone has".to_owned(),
            |(name, ratio)| format!("{ratio:.2} without `{name}`"),
        );
        let line = format!("{}: {} {:.2} ({without}); {}", worst.number, worst.class, worst.ratio, worst.what);
        text += &format!("{}\n", wrapped(&line, "  "));
    }
    text
}

/// Whether the stated intervals keep their word, in a sentence.
fn kept(held: &[(&str, usize, usize)]) -> String {
    let sum = held.iter().fold((0, 0), |sum, (_, held, all)| (sum.0 + held, sum.1 + all));
    let share = |held: usize, all: usize| {
        #[allow(clippy::cast_precision_loss)] // figures of some scenarios
        let share = held as f64 / all.max(1) as f64;
        percent(share)
    };
    let each: Vec<String> =
        held.iter().map(|(service, held, all)| format!("{service} {}", share(*held, *all))).collect();
    format!(
        "Of {} stated 90% intervals of the method's error {} hold in these scenarios ({}).",
        sum.1,
        share(sum.0, sum.1),
        each.join(", ")
    )
}

fn cells(line: &RegimeLine) -> Vec<String> {
    let both = |errors: [f64; 2]| format!("{} / {}", percent(errors[0]), percent(errors[1]));
    vec![
        line.regime.clone(),
        line.cases.to_string(),
        both(line.mean),
        both(line.p95),
        both(line.bands),
        format!("{:.2}", line.bias),
        both(line.goodput),
        both(line.utilisation),
    ]
}

fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1}%", share * 100.0) } else { "-".to_owned() }
}
