//! How many sites are affected through the morning.

use plotters::style::Color;

use crate::report::chart::{BLUE, GREY, LegendEntry, Mark, Panels, nice, target_hours};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::words::{clock, count, figure, list, number, quoted};
use crate::study::figures::TargetKind;
use crate::study::results::{Results, SetupResult};

/// Draws it, if any site is ever affected.
#[must_use]
pub fn draw(results: &Results) -> Option<Chart> {
    let setups: Vec<&SetupResult> = results.setups.iter().collect();
    let half = crate::report::chart::latency::width(results) / 2.0;
    let mean = |setup: &SetupResult| -> Vec<(f64, f64)> {
        results.windows.iter().zip(&setup.affected).map(|(start, sites)| (start + half, sites.mean)).collect()
    };
    #[allow(clippy::cast_precision_loss)] // at most 100,000
    let sites = results.estate.0 as f64;
    let most = setups.iter().flat_map(|setup| mean(setup)).map(|(_, value)| value).fold(0.0, f64::max);
    let most = if most > 0.5 * sites { sites } else { nice(most.max(4.0)) };
    let base = results.setups.iter().find(|setup| setup.name == "base");
    let mut keys = vec![LegendEntry::new("sites affected", BLUE, Mark::Area)];
    if base.is_some() && setups.len() > 1 {
        keys.push(LegendEntry::new("as it is", GREY, Mark::Dashed));
    }
    let hover = |setup: &SetupResult| -> Vec<(f64, f64, String)> {
        let words = |(middle, sites): (f64, f64)| {
            let from = middle - half;
            (from, middle + half, format!("{}: {} sites", clock(results, from), number(sites)))
        };
        mean(setup).into_iter().map(words).collect()
    };
    // Set-ups in which hardly a site is affected need no panel.
    let told = |setup: &&&SetupResult| mean(setup).iter().any(|(_, sites)| *sites >= 0.5);
    let shown: Vec<&SetupResult> = setups.iter().filter(told).copied().collect();
    if shown.is_empty() {
        return None;
    }
    let hours = target_hours(results);
    let panels = Panels { results, hours, most: most * 1.08, unit: "", log: false, keys, hover: &hover };
    let svg = panels.draw(&shown, |panel, setup| {
        if let Some(base) = base.filter(|base| base.name != setup.name) {
            panel.dashed(mean(base).into_iter(), GREY.stroke_width(1));
        }
        panel.fill(mean(setup).into_iter(), BLUE.mix(0.2));
        panel.line(mean(setup).into_iter(), BLUE.stroke_width(2));
    });
    let left_out: Vec<String> = setups
        .iter()
        .filter(|setup| !shown.iter().any(|other| other.name == setup.name))
        .map(|setup| quoted(&setup.title))
        .collect();
    let base = base.unwrap_or(&results.setups[0]);
    let (when, worst) = mean(base).into_iter().fold((0.0, 0.0), |a, b| if b.1 > a.1 { b } else { a });
    let title = if worst < 0.5 {
        "Hardly any site is ever affected".to_owned()
    } else {
        format!(
            "{} of {} sites are affected at once at worst, at {}",
            number(worst.round()),
            count(results.estate.0 as u64),
            clock(results, when - half)
        )
    };
    let note = format!(
        "A site is affected in five minutes in which more than one in twenty of its {} transactions takes longer than {}. \
         Mean over replications.{}",
        results.classes[results.watched.0],
        figure(results.watched.1, TargetKind::Time),
        if left_out.is_empty() {
            String::new()
        } else {
            format!(" Not drawn, as hardly a site is affected: {}.", list(&left_out))
        }
    );
    Some(Chart { name: "affected", title, note, svg, table: table(results) })
}

fn table(results: &Results) -> ChartTable {
    let mut head = vec!["time".to_owned()];
    head.extend(results.setups.iter().map(|setup| format!("{} [sites]", setup.title)));
    let rows = results.windows.iter().enumerate().map(|(window, start)| {
        let mut row = vec![clock(results, *start)];
        row.extend(results.setups.iter().map(|setup| number(setup.affected[window].mean)));
        row
    });
    ChartTable { rows: rows.collect(), head }
}
