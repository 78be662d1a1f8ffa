//! How full each concentrator is through the day, a panel for each option.

use plotters::style::Color;

use crate::report::chart::{BLUE, LegendEntry, Mark, ORANGE, Panels, busy_hours};
use crate::report::drawn::{Chart, ChartTable};
use crate::report::fullness::{full, utilisation};
use crate::report::verdict::overall;
use crate::report::words::{clock, list, number, quoted};
use crate::study::results::{Results, SetupResult, Verdict};

/// Draws it.
#[must_use]
pub fn draw(results: &Results) -> Chart {
    let setups: Vec<&SetupResult> = results.setups.iter().collect();
    let mut keys = vec![LegendEntry::new(setups[0].concentrators[0].0.clone(), BLUE, Mark::Line)];
    let mut others: Vec<&str> =
        setups.iter().flat_map(|setup| setup.concentrators.iter().skip(1)).map(|(name, ..)| name.as_str()).collect();
    others.sort_unstable();
    others.dedup();
    if !others.is_empty() {
        keys.push(LegendEntry::new(others.join(", "), ORANGE, Mark::Dashed));
    }
    let hover = |setup: &SetupResult| quarters(results, setup);
    let panels =
        Panels { results, hours: busy_hours(results), most: 125.0, unit: " %", log: false, keys, hover: &hover };
    let svg = panels.draw(&setups, |panel, setup| {
        for concentrator in 0..setup.concentrators.len() {
            let points = || utilisation(results, setup, concentrator);
            if concentrator == 0 {
                panel.fill(points(), BLUE.mix(0.18));
                panel.line(points(), BLUE.stroke_width(2));
            } else {
                panel.dashed(points(), ORANGE.stroke_width(2));
            }
        }
        panel.limit(100.0, "capacity");
    });
    Chart {
        name: "utilisation",
        title: finding(results),
        note:
            "Work done by each concentrator, minute by minute, as a share of what it could do. Mean over replications."
                .to_owned(),
        svg,
        table: table(results),
    }
}

/// By quarter of an hour: from, until, and how full each concentrator is, in words.
fn quarters(results: &Results, setup: &SetupResult) -> Vec<(f64, f64, String)> {
    let (starts, length) = &results.bins;
    let step = crate::study::figures::quarter_of(*length);
    let of = |first: usize| {
        let bins = first..(first + step).min(starts.len());
        let until = starts[bins.end - 1] + length / 3600.0;
        let each = setup.concentrators.iter().enumerate().map(|(concentrator, (name, ..))| {
            let done: f64 = bins.clone().flat_map(|bin| &setup.carried[concentrator][bin]).sum();
            let could: f64 = bins.clone().map(|bin| setup.capacity[concentrator][bin]).sum();
            format!("{name} {} %", number((100.0 * done / could).min(100.0).round()))
        });
        let each: Vec<String> = each.collect();
        (starts[first], until, format!("{}: {}", clock(results, starts[first]), each.join(", ")))
    };
    (0..starts.len()).step_by(step).map(of).collect()
}

fn finding(results: &Results) -> String {
    let base = results.setups.iter().find(|setup| setup.name == "base").unwrap_or(&results.setups[0]);
    let relieved: Vec<String> = results
        .setups
        .iter()
        // A headend that is down is never full, but that is no relief.
        .filter(|setup| setup.name != base.name && overall(setup) != Verdict::Missed && full(results, setup).is_none())
        .map(|setup| quoted(&setup.title))
        .collect();
    match full(results, base) {
        None => "As it is, the headend is never full".to_owned(),
        Some((first, last, hours)) => {
            let when = format!("{} to {}", clock(results, first), clock(results, last));
            let how = if (last - first - hours).abs() < 0.1 { "without a break" } else { "off and on" };
            let hope = if relieved.is_empty() { String::new() } else { format!("; never with {}", list(&relieved)) };
            let who = if base.name == "base" { "As it is".to_owned() } else { format!("With {}", quoted(&base.title)) };
            format!("{who}, the headend is full from {when} {how}{hope}")
        }
    }
}

fn table(results: &Results) -> ChartTable {
    let mut head = vec!["time".to_owned()];
    for setup in &results.setups {
        head.extend(setup.concentrators.iter().map(|(name, ..)| format!("{}: {name} [%]", setup.title)));
    }
    let per_quarter = crate::study::figures::quarter_of(results.bins.1);
    let rows = (0..results.bins.0.len()).step_by(per_quarter).map(|first| {
        let mut row = vec![clock(results, results.bins.0[first])];
        for setup in &results.setups {
            for concentrator in 0..setup.concentrators.len() {
                let bins = first..(first + per_quarter).min(results.bins.0.len());
                let done: f64 = bins.clone().flat_map(|bin| &setup.carried[concentrator][bin]).sum();
                let could: f64 = bins.map(|bin| setup.capacity[concentrator][bin]).sum();
                row.push(number((1000.0 * done / could).round() / 10.0));
            }
        }
        row
    });
    ChartTable { rows: rows.collect(), head }
}
