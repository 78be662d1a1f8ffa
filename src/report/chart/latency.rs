//! What the watched class's slow transactions take through the morning, against the target.

use plotters::style::Color;

use crate::report::chart::{BLUE, GREY, LegendEntry, Mark, Panels, target_hours};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::words::{clock, figure, number};
use crate::study::figures::TargetKind;
use crate::study::results::{Results, SetupResult};

/// Draws it.
#[must_use]
pub fn draw(results: &Results) -> Chart {
    let (class, limit) = results.watched;
    let setups: Vec<&SetupResult> = results.setups.iter().collect();
    let p95 = |setup: &SetupResult| -> Vec<(f64, f64)> {
        let half = width(results) / 2.0;
        let windows = results.windows.iter().zip(&setup.latency[class]);
        windows.filter_map(|(start, quantiles)| Some((start + half, (*quantiles)?.1))).collect()
    };
    let most = setups.iter().flat_map(|setup| p95(setup)).map(|(_, value)| value).fold(limit * 2.0, f64::max);
    let base = results.setups.iter().find(|setup| setup.name == "base");
    let mut keys =
        vec![LegendEntry::new(format!("one {} in twenty takes longer", results.classes[class]), BLUE, Mark::Line)];
    if base.is_some() && setups.len() > 1 {
        keys.push(LegendEntry::new("as it is", GREY, Mark::Dashed));
    }
    let hover = |setup: &SetupResult| -> Vec<(f64, f64, String)> {
        let half = width(results) / 2.0;
        let words = |(middle, value): (f64, f64)| {
            let from = middle - half;
            (from, middle + half, format!("{}: {}", clock(results, from), figure(value, TargetKind::Time)))
        };
        p95(setup).into_iter().map(words).collect()
    };
    let hours = target_hours(results);
    let panels = Panels { results, hours, most: most * 1.3, unit: " s", log: true, keys, hover: &hover };
    let svg = panels.draw(&setups, |panel, setup| {
        if let Some(base) = base.filter(|base| base.name != setup.name) {
            panel.dashed(p95(base).into_iter(), GREY.stroke_width(1));
        }
        panel.line(p95(setup).into_iter(), BLUE.stroke_width(2));
        panel.limit(limit, &format!("limit {}", figure(limit, TargetKind::Time)));
    });
    Chart {
        name: "latency",
        title: finding(results, &p95),
        note: format!(
            "95th percentile of the latency of {} transactions that start in each five minutes, all sites and \
             replications together; logarithmic scale.",
            results.classes[class]
        ),
        svg,
        table: table(results),
    }
}

/// Length of a latency window [h].
pub(crate) fn width(results: &Results) -> f64 {
    (results.bins.1 / 3600.0).max(5.0 / 60.0)
}

fn finding(results: &Results, p95: &dyn Fn(&SetupResult) -> Vec<(f64, f64)>) -> String {
    let (class, limit) = results.watched;
    let name = &results.classes[class];
    let worst = |setup: &SetupResult| p95(setup).into_iter().fold((0.0, 0.0), |a, b| if b.1 > a.1 { b } else { a });
    let base = results.setups.iter().find(|setup| setup.name == "base").unwrap_or(&results.setups[0]);
    let (when, value) = worst(base);
    let within = results.setups.iter().filter(|setup| setup.name != base.name && worst(setup).1 <= limit).count();
    let others = results.setups.len() - 1;
    let at = clock(results, when - width(results) / 2.0);
    if value <= 0.0 {
        return format!("No {name} transaction was seen");
    }
    let start =
        format!("One {name} transaction in twenty takes {} or more at worst, at {at}", figure(value, TargetKind::Time));
    match (others, within) {
        (0, _) => start,
        (_, 0) => format!("{start}; no option stays within {} all the time", figure(limit, TargetKind::Time)),
        (1, _) => format!("{start}; the option stays within {} all the time", figure(limit, TargetKind::Time)),
        (others, within) => {
            format!(
                "{start}; {within} of {others} options stay within {} all the time",
                figure(limit, TargetKind::Time)
            )
        }
    }
}

fn table(results: &Results) -> ChartTable {
    let (class, _) = results.watched;
    let mut head = vec!["time".to_owned()];
    head.extend(results.setups.iter().map(|setup| format!("{} [s]", setup.title)));
    let rows = results.windows.iter().enumerate().map(|(window, start)| {
        let mut row = vec![clock(results, *start)];
        let values = results.setups.iter().map(|setup| setup.latency[class][window]);
        row.extend(values.map(|quantiles| quantiles.map_or_else(|| "-".to_owned(), |(_, p95)| number(p95))));
        row
    });
    ChartTable { rows: rows.collect(), head }
}
