//! Tunnels: sites that are cut off, handshakes that are half open, handshakes that are completed.

use plotters::style::Color;

use crate::report::chart::{BLUE, GREY, LegendEntry, Mark, ORANGE, Panels, busy_hours, nice};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::words::{clock, figure, number, quoted};
use crate::study::figures::{TargetKind, quarter_of};
use crate::study::results::{Results, SetupResult};

/// Draws it, if any site is ever cut off.
#[must_use]
pub fn draw(results: &Results) -> Option<Chart> {
    let setups: Vec<&SetupResult> = results.setups.iter().filter(|setup| setup.paths.outages > 0.0).collect();
    let first = *setups.first()?;
    let most = setups
        .iter()
        .flat_map(|setup| points(results, setup))
        .fold(1.0, |most: f64, (_, bin)| most.max(bin.cut_off).max(bin.half_open));
    let most = nice(most * 1.1);
    let rate = setups.iter().flat_map(|setup| points(results, setup)).map(|(_, bin)| bin.rate).fold(0.0, f64::max);
    let scale = if rate > 0.0 { most / rate * 0.9 } else { 1.0 };
    let keys = vec![
        LegendEntry::new("sites cut off", ORANGE, Mark::Area),
        LegendEntry::new("handshakes half open", BLUE, Mark::Dashed),
        LegendEntry::new(
            format!("handshakes completed (at the top {} a second)", number(rate / 0.9)),
            GREY,
            Mark::Line,
        ),
    ];
    let hover = |setup: &SetupResult| -> Vec<(f64, f64, String)> {
        let length = results.bins.1 / 3600.0;
        let words = |(hour, bin): (f64, Bin)| {
            let from = hour - length;
            (from, hour, format!("{}: {} sites cut off", clock(results, from), number(bin.cut_off)))
        };
        points(results, setup).filter(|(_, bin)| bin.cut_off > 0.0).map(words).collect()
    };
    let panels = Panels { results, hours: hours(results, &setups), most, unit: "", log: false, keys, hover: &hover };
    let svg = panels.draw(&setups, |panel, setup| {
        let of = |value: fn(&Bin) -> f64| points(results, setup).map(move |(hour, bin)| (hour, value(&bin)));
        panel.fill(of(|bin| bin.cut_off), ORANGE.mix(0.35));
        panel.line(of(|bin| bin.cut_off), ORANGE.stroke_width(2));
        panel.dashed(of(|bin| bin.half_open), BLUE.stroke_width(2));
        panel.line(of(|bin| bin.rate).map(|(hour, rate)| (hour, rate * scale)), GREY.stroke_width(1));
    });
    Some(Chart {
        name: "tunnels",
        title: finding(results, first),
        note: "Sites that cannot reach the headend (area), handshakes that the concentrators hold half open (dashed), and \
               handshakes completed in a second (thin). Mean over replications."
            .to_owned(),
        svg,
        table: table(results, &setups),
    })
}

/// What a bin shows.
struct Bin {
    cut_off: f64,
    half_open: f64,
    rate: f64,
    tunnels: f64,
}

fn points<'a>(results: &'a Results, setup: &'a SetupResult) -> impl Iterator<Item = (f64, Bin)> + 'a {
    let (starts, length) = &results.bins;
    starts.iter().enumerate().map(move |(bin, start)| {
        let sum = |of: fn(&crate::study::record::ConcentratorBin) -> f64| {
            setup.concentrator_bins.iter().map(|bins| of(&bins[bin])).sum()
        };
        let handshakes: f64 = sum(|hub| hub.handshakes);
        let shown = Bin {
            cut_off: setup.cut_off[bin],
            half_open: sum(|hub| hub.half_open),
            rate: handshakes / length,
            tunnels: sum(|hub| hub.tunnels),
        };
        (start + length / 3600.0, shown)
    })
}

/// The hours in which sites are cut off, with some before and after.
fn hours(results: &Results, setups: &[&SetupResult]) -> (f64, f64) {
    let all = busy_hours(results);
    let cut = setups.iter().flat_map(|setup| points(results, setup)).filter(|(_, bin)| bin.cut_off > 0.0);
    let (first, last) = cut.fold((all.1, all.0), |(first, last), (hour, _)| (first.min(hour), last.max(hour)));
    if first >= last {
        return all;
    }
    let margin = ((last - first) * 0.25).max(0.25);
    ((first - margin).max(all.0), (last + margin).min(all.1))
}

fn finding(results: &Results, setup: &SetupResult) -> String {
    let who = if setup.name == "base" { "As it is".to_owned() } else { format!("With {}", quoted(&setup.title)) };
    let (sites, _) = results.estate;
    format!(
        "{who}, up to {} of {sites} sites are cut off at once, and the last for {}",
        number(setup.paths.at_once),
        figure(setup.paths.longest, TargetKind::Time)
    )
}

fn table(results: &Results, setups: &[&SetupResult]) -> ChartTable {
    let mut head = vec!["time".to_owned()];
    for setup in setups {
        for what in ["tunnels", "sites cut off", "half open", "handshakes/s"] {
            head.push(format!("{}: {what}", setup.title));
        }
    }
    // A storm is over within minutes: the table has them one by one where it can.
    let step = if results.bins.0.len() <= 900 { 1 } else { quarter_of(results.bins.1) };
    let rows = (0..results.bins.0.len()).step_by(step).map(|bin| {
        let mut row = vec![clock(results, results.bins.0[bin] + results.bins.1 / 3600.0)];
        for setup in setups {
            if let Some((_, shown)) = points(results, setup).nth(bin) {
                row.extend([shown.tunnels, shown.cut_off, shown.half_open, shown.rate].map(number));
            }
        }
        row
    });
    ChartTable { rows: rows.collect(), head }
}
