//! Deferred work: bytes that wait for a release, and the release.

use plotters::style::Color;

use crate::report::chart::{BLUE, LegendEntry, Mark, ORANGE, Panels, busy_hours, nice};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::words::{clock, figure, number, quoted};
use crate::study::figures::TargetKind;
use crate::study::results::{Results, SetupResult};

/// Draws it, if any setup defers anything.
#[must_use]
pub fn draw(results: &Results) -> Option<Chart> {
    let setups: Vec<&SetupResult> = results.setups.iter().filter(|setup| peak(results, setup).1 > 0.0).collect();
    let first = *setups.first()?;
    let most = setups.iter().map(|setup| peak(results, setup).1 / 1e9).fold(0.0, f64::max);
    let flowing = setups.iter().flat_map(|setup| jobs_rate(results, setup)).map(|(_, rate)| rate).fold(0.0, f64::max);
    let most = nice(most * 1.1);
    let hours = if results.days > 1 { busy_hours(results) } else { crate::report::chart::target_hours(results) };
    let keys = vec![
        LegendEntry::new("waiting", ORANGE, Mark::Area),
        LegendEntry::new(format!("jobs carried (at the top {} Mbit/s)", number(flowing / 0.9)), BLUE, Mark::Dashed),
    ];
    let hover = |setup: &SetupResult| quarters(results, setup);
    let panels = Panels { results, hours, most, unit: " GB", log: false, keys, hover: &hover };
    let scale = if flowing > 0.0 { most / flowing * 0.9 } else { 1.0 };
    let svg = panels.draw(&setups, |panel, setup| {
        panel.fill(waiting(results, setup), ORANGE.mix(0.35));
        panel.line(waiting(results, setup), ORANGE.stroke_width(2));
        panel.dashed(jobs_rate(results, setup).map(|(hour, rate)| (hour, rate * scale)), BLUE.stroke_width(2));
    });
    let (when, bytes) = peak(results, first);
    let bins = results.bins.0.len();
    let left = waiting_bytes(first, bins - 1);
    let then = if left <= 0.02 * bytes {
        "; then they may start".to_owned()
    } else if left >= 0.98 * bytes {
        ", and none of it is moved by the end".to_owned()
    } else {
        format!("; {} still wait at the end", figure(left, TargetKind::Size))
    };
    let title = format!(
        "With {}, {} wait at {}{then}",
        quoted(&first.title),
        figure(bytes, TargetKind::Size),
        clock(results, when)
    );
    Some(Chart {
        name: "waiting",
        title,
        note: "Bytes of deferred jobs that wait for their release or for the next day, and the rate at which jobs are \
               carried. Mean over replications."
            .to_owned(),
        svg,
        table: table(results, &setups),
    })
}

/// (end of the bin [h], bytes that wait [GB]).
fn waiting<'a>(results: &'a Results, setup: &'a SetupResult) -> impl Iterator<Item = (f64, f64)> + 'a {
    let (starts, length) = &results.bins;
    starts.iter().enumerate().map(move |(bin, start)| (start + length / 3600.0, waiting_bytes(setup, bin) / 1e9))
}

fn waiting_bytes(setup: &SetupResult, bin: usize) -> f64 {
    setup.by_class.iter().map(|bins| bins[bin].waiting_bytes).sum()
}

/// (middle of the bin [h], rate of all job classes [Mbit/s]).
fn jobs_rate<'a>(results: &'a Results, setup: &'a SetupResult) -> impl Iterator<Item = (f64, f64)> + 'a {
    let (starts, length) = &results.bins;
    starts.iter().enumerate().map(move |(bin, start)| {
        let of_unit = |unit: &Vec<Vec<f64>>| -> f64 {
            unit[bin].iter().zip(&results.jobs).filter(|(_, job)| **job).map(|(work, _)| work).sum()
        };
        (start + length / 7200.0, setup.carried.iter().map(of_unit).sum::<f64>() / length / 1e6)
    })
}

/// By quarter of an hour: from, until, and what waits and is carried, in words.
fn quarters(results: &Results, setup: &SetupResult) -> Vec<(f64, f64, String)> {
    let step = crate::study::figures::quarter_of(results.bins.1);
    let rates: Vec<(f64, f64)> = jobs_rate(results, setup).collect();
    let (starts, length) = &results.bins;
    let of = |first: usize| {
        let last = (first + step).min(starts.len()) - 1;
        let waits = figure(waiting_bytes(setup, last), TargetKind::Size);
        let words =
            format!("{}: {waits} wait, {} Mbit/s of jobs", clock(results, starts[first]), number(rates[first].1));
        (starts[first], starts[last] + length / 3600.0, words)
    };
    (0..starts.len()).step_by(step).map(of).collect()
}

/// When most waits, at the last [h], and how much [B].
fn peak(results: &Results, setup: &SetupResult) -> (f64, f64) {
    let bins = waiting(results, setup).map(|(hour, gigabytes)| (hour, gigabytes * 1e9));
    bins.fold((0.0, 0.0), |a, b| if b.1 >= a.1 && b.1 > 0.0 { b } else { a })
}

fn table(results: &Results, setups: &[&SetupResult]) -> ChartTable {
    let mut head = vec!["time".to_owned()];
    head.extend(setups.iter().map(|setup| format!("{}: waiting [GB]", setup.title)));
    let step = crate::study::figures::quarter_of(results.bins.1);
    let rows = (0..results.bins.0.len()).skip(step - 1).step_by(step).map(|bin| {
        let mut row = vec![clock(results, results.bins.0[bin] + results.bins.1 / 3600.0)];
        row.extend(setups.iter().map(|setup| number(waiting_bytes(setup, bin) / 1e9)));
        row
    });
    ChartTable { rows: rows.collect(), head }
}
