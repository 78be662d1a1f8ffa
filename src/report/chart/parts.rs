//! Where the time of the watched class goes: round trips, queueing, transfer, losses, waiting for a tunnel.

use plotters::style::{Color, RGBColor};

use crate::report::chart::{BLUE, GREEN, GREY, LegendEntry, Mark, ORANGE, Panels, RED, busy_hours, nice};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::words::{clock, figure, list, number, quoted};
use crate::sim::observer::Parts;
use crate::study::figures::{TargetKind, quarter_of};
use crate::study::results::{Results, SetupResult};

/// Colours in the order of [`Parts::list`].
const COLOURS: [RGBColor; 5] = [GREY, ORANGE, BLUE, GREEN, RED];

/// Draws it, if the watched class has any latency.
#[must_use]
pub fn draw(results: &Results) -> Option<Chart> {
    let setups: Vec<&SetupResult> =
        results.setups.iter().filter(|setup| quarters(results, setup).next().is_some()).collect();
    let first = *setups.first()?;
    let most = setups.iter().flat_map(|setup| quarters(results, setup)).map(|(_, parts)| parts.sum());
    let most = nice(most.fold(0.0, f64::max) * 1.05);
    let keys =
        Parts::NAMES.iter().zip(COLOURS).map(|(name, colour)| LegendEntry::new(*name, colour, Mark::Solid)).collect();
    let hover = |setup: &SetupResult| -> Vec<(f64, f64, String)> {
        #[allow(clippy::cast_precision_loss)] // at most 900 bins
        let half = results.bins.1 * quarter_of(results.bins.1) as f64 / 7200.0;
        let words = |(middle, parts): (f64, Parts)| {
            let from = middle - half;
            let whole = figure(parts.sum(), TargetKind::Time);
            (
                from,
                middle + half,
                format!(
                    "{}: {whole}, of which queueing {}",
                    clock(results, from),
                    figure(parts.queueing, TargetKind::Time)
                ),
            )
        };
        quarters(results, setup).map(words).collect()
    };
    let panels = Panels { results, hours: busy_hours(results), most, unit: " s", log: false, keys, hover: &hover };
    // Beside the longest, these are a flat line.
    let seen = |setup: &&&SetupResult| quarters(results, setup).any(|(_, parts)| parts.sum() >= SEEN * most);
    let shown: Vec<&SetupResult> = setups.iter().filter(seen).copied().collect();
    let shown = if shown.is_empty() { setups.clone() } else { shown };
    let left_out = setups.iter().filter(|setup| !shown.iter().any(|other| other.name == setup.name));
    let left_out: Vec<String> = left_out.map(|setup| quoted(&setup.title)).collect();
    let svg = panels.draw(&shown, |panel, setup| {
        // From the top down, so that each area shows what the next leaves of it.
        for part in (0..COLOURS.len()).rev() {
            let upto = |parts: &Parts| parts.list()[..=part].iter().sum::<f64>();
            panel.fill(quarters(results, setup).map(|(hour, parts)| (hour, upto(&parts))), COLOURS[part].mix(1.0));
        }
    });
    Some(Chart {
        name: "parts",
        title: finding(results, first)?,
        note: format!(
            "Mean latency of {} by when it began, a quarter of an hour at a time, split into its parts; they sum to the \
             whole. Mean over replications.{}",
            results.classes[results.watched.0],
            if left_out.is_empty() {
                String::new()
            } else {
                format!(" Not drawn, as it is a flat line beside the others: {}.", list(&left_out))
            }
        ),
        svg,
        table: table(results, &setups),
    })
}

/// What is less than this share of the scale is not seen.
const SEEN: f64 = 0.03;

/// (middle of the quarter [h], mean parts of a latency [s]).
fn quarters<'a>(results: &'a Results, setup: &'a SetupResult) -> impl Iterator<Item = (f64, Parts)> + 'a {
    let (starts, length) = &results.bins;
    let step = quarter_of(*length);
    let bins = &setup.by_class[results.watched.0];
    (0..starts.len()).step_by(step).filter_map(move |first| {
        let here = &bins[first..(first + step).min(bins.len())];
        let count: f64 = here.iter().map(|bin| bin.counted).sum();
        let mut parts = Parts::default();
        for bin in here {
            parts += bin.parts;
        }
        #[allow(clippy::cast_precision_loss)] // a few bins
        let middle = starts[first] + length * here.len() as f64 / 7200.0;
        (count > 0.0).then(|| (middle, parts.scaled(1.0 / count)))
    })
}

fn finding(results: &Results, setup: &SetupResult) -> Option<String> {
    let worst = quarters(results, setup).max_by(|a, b| a.1.sum().total_cmp(&b.1.sum()))?;
    let (place, most) = worst.1.list().into_iter().enumerate().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let whole = worst.1.sum();
    Some(format!(
        "{}, at worst, at {}, {} % of the {} that {} takes is {}",
        if setup.name == "base" { "As it is".to_owned() } else { format!("With {}", quoted(&setup.title)) },
        clock(results, worst.0),
        number((100.0 * most / whole).round()),
        figure(whole, TargetKind::Time),
        results.classes[results.watched.0],
        match place {
            4 => "waiting for a tunnel",
            _ => Parts::NAMES[place],
        }
    ))
}

fn table(results: &Results, setups: &[&SetupResult]) -> ChartTable {
    let mut head = vec!["option".to_owned(), "time".to_owned()];
    head.extend(Parts::NAMES.iter().map(|name| format!("{name} [s]")));
    head.push("in all [s]".to_owned());
    let rows = setups.iter().flat_map(|setup| {
        quarters(results, setup).map(|(hour, parts)| {
            let mut row = vec![setup.title.clone(), clock(results, hour)];
            row.extend(parts.list().into_iter().chain([parts.sum()]).map(number));
            row
        })
    });
    ChartTable { rows: rows.collect(), head }
}
