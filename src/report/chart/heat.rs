//! A heat map of sites and time: where and when transactions are slow.

use plotters::element::{Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor};

use crate::report::chart::{
    Area, HEAD, INK, LABEL, LETTER, base_and_best, fitting, font, letters, sheet, sure, target_hours,
};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::words::{clock, figure, number, quoted};
use crate::study::figures::TargetKind;
use crate::study::results::{Results, SetupResult};

/// Steps of the share of slow transactions, each darker than the last.
const STEPS: [(f32, RGBColor, &str); 6] = [
    (0.0, RGBColor(247, 247, 247), "none"),
    (0.01, RGBColor(253, 224, 178), "1 % or more"),
    (0.05, RGBColor(253, 174, 97), "5 % or more"),
    (0.2, RGBColor(225, 100, 60), "20 % or more"),
    (0.4, RGBColor(160, 30, 70), "40 % or more"),
    (0.6, RGBColor(70, 5, 60), "60 % or more"),
];

/// Rows of a map at most; neighbours in size are put together beyond that.
const ROWS: usize = 88;
const HEIGHT: u32 = 430;
const TOP: i32 = 32;
const BOTTOM: i32 = 356;

/// Draws it, if some site has one in twenty slow at some time: the base, and beside it the option that loses the least time.
#[must_use]
pub fn draw(results: &Results) -> Option<Chart> {
    let (base, best) = base_and_best(results);
    // An empty map says what the title says.
    let beside = best.filter(|best| slow_sites(results, best) > 0 || base.is_none());
    let shown: Vec<&SetupResult> = base.into_iter().chain(beside).collect();
    let is_seen = |share: &f32| *share >= STEPS[2].0;
    if !shown.iter().any(|setup| setup.heat.iter().flatten().flatten().any(is_seen)) {
        return None;
    }
    let windows = windows(results);
    let svg = sheet(HEIGHT, |area| {
        for (setup, cell) in shown.iter().zip(area.split_evenly((1, shown.len().max(1)))) {
            map(&cell, results, setup, &windows);
        }
        legend(area);
    });
    let title = match (base, best) {
        (Some(base), Some(best)) if slow_sites(results, base) + slow_sites(results, best) == 0 => format!(
            "{} of {} sites are slow for a while as it is, none for an hour",
            base.heat.iter().filter(|row| row.iter().flatten().any(|share| *share > 0.05)).count(),
            results.estate.0
        ),
        (Some(base), Some(best)) => format!(
            "{} of {} sites have a slow hour as it is, {} with {}",
            slow_sites(results, base),
            results.estate.0,
            slow_sites(results, best),
            quoted(&best.title)
        ),
        _ => format!(
            "{} of {} sites have a slow hour",
            shown.first().map_or(0, |one| slow_sites(results, one)),
            results.estate.0
        ),
    };
    let note = format!(
        "Each row is a site (or a few of one size), the largest at the top; each column is five minutes. Colour: share of {} \
         transactions that take longer than {}. A site has a slow hour if for an hour in all more than one in twenty does.",
        results.classes[results.watched.0],
        figure(results.watched.1, TargetKind::Time)
    );
    Some(Chart { name: "heat", title, note, svg, table: table(results, &shown) })
}

/// The windows that are shown: those of the morning.
fn windows(results: &Results) -> Vec<usize> {
    let (from, until) = target_hours(results);
    let inside = |window: &usize| results.windows[*window] >= from - 1e-9 && results.windows[*window] < until - 1e-9;
    (0..results.windows.len()).filter(inside).collect()
}

/// Sites with at least an hour of windows in which more than one in twenty was slow.
fn slow_sites(results: &Results, setup: &SetupResult) -> usize {
    let per_hour = 1.0 / crate::report::chart::latency::width(results);
    #[allow(clippy::cast_precision_loss)] // a number of windows
    let slow =
        |row: &Vec<Option<f32>>| row.iter().filter(|share| share.is_some_and(|share| share > 0.05)).count() as f64;
    setup.heat.iter().filter(|row| slow(row) >= per_hour).count()
}

/// Sites by size, the largest first, in groups where there are too many.
fn groups(setup: &SetupResult) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..setup.sites.len()).collect();
    order.sort_by(|&a, &b| setup.sites[b].1.cmp(&setup.sites[a].1).then(a.cmp(&b)));
    let size = order.len().div_ceil(ROWS).max(1);
    order.chunks(size).map(<[usize]>::to_vec).collect()
}

fn step(share: f32) -> usize {
    STEPS.iter().rposition(|(from, ..)| share >= *from).unwrap_or(0)
}

fn map(area: &Area<'_>, results: &Results, setup: &SetupResult, windows: &[usize]) {
    let (width, _) = area.dim_in_pixel();
    let (left, right) = (12, i32::try_from(width).unwrap_or(480) - 20);
    sure(area.draw(&Text::new(fitting(&setup.title, right - left), (left, 8), font(HEAD))));
    let groups = groups(setup);
    let x = |column: usize| left + scaled(column, windows.len(), right - left);
    let y = |row: usize| TOP + scaled(row, groups.len(), BOTTOM - TOP);
    sure(area.draw(&Rectangle::new([(left, TOP), (right, BOTTOM)], STEPS[0].1.filled())));
    for (row, sites) in groups.iter().enumerate() {
        let shade = |window: usize| {
            let shares: Vec<f32> = sites.iter().filter_map(|&site| setup.heat[site][window]).collect();
            #[allow(clippy::cast_precision_loss)] // a few sites
            let mean = shares.iter().sum::<f32>() / shares.len().max(1) as f32;
            step(mean)
        };
        // Cells of one shade in a row are one rectangle.
        let mut from = 0;
        while from < windows.len() {
            let own = shade(windows[from]);
            let run = windows[from..].iter().take_while(|&&window| shade(window) == own).count();
            if own > 0 {
                let corners = [(x(from), y(row)), (x(from + run), y(row + 1))];
                sure(area.draw(&Rectangle::new(corners, STEPS[own].1.filled())));
            }
            from += run;
        }
    }
    let labels = windows.len().div_ceil(6).max(1);
    let mut taken = i32::MIN;
    for column in (0..windows.len()).step_by(labels) {
        let style = font(LABEL).pos(Pos::new(HPos::Left, VPos::Top));
        let text = clock(results, results.windows[windows[column]]);
        let end = x(column) + letters(&text) * LETTER + 10;
        // Names of times never touch.
        if x(column) >= taken && end <= right + 20 {
            sure(area.draw(&Text::new(text, (x(column), BOTTOM + 6), style)));
            taken = end;
        }
    }
}

#[allow(clippy::cast_possible_wrap, clippy::cast_possible_truncation)] // within the picture
fn scaled(place: usize, of: usize, length: i32) -> i32 {
    (place as i64 * i64::from(length) / of.max(1) as i64) as i32
}

fn legend(area: &Area<'_>) {
    let mut left = 12;
    for (_, colour, words) in &STEPS {
        let corners = [(left, BOTTOM + 36), (left + 22, BOTTOM + 52)];
        sure(area.draw(&Rectangle::new(corners, colour.filled())));
        sure(area.draw(&Rectangle::new(corners, INK.mix(0.5).stroke_width(1))));
        sure(area.draw(&Text::new((*words).to_owned(), (left + 28, BOTTOM + 37), font(LABEL))));
        left += 135;
    }
}

fn table(results: &Results, shown: &[&SetupResult]) -> ChartTable {
    let mut head = vec!["site".to_owned(), results.counted.clone()];
    head.extend(shown.iter().map(|setup| format!("{}: slow [%]", setup.title)));
    head.extend(shown.iter().map(|setup| format!("{}: time lost [h]", setup.title)));
    let Some(first) = shown.first() else { return ChartTable { head, rows: Vec::new() } };
    let mut order: Vec<usize> = (0..first.sites.len()).collect();
    order.sort_by(|&a, &b| first.sites[b].1.cmp(&first.sites[a].1).then(a.cmp(&b)));
    let rows = order.into_iter().take(MOST_ROWS).map(|site| {
        let (name, patients, _) = &first.sites[site];
        let mut row = vec![name.clone(), patients.to_string()];
        #[allow(clippy::cast_precision_loss)] // counts stay below 2^53
        let slow = |setup: &&SetupResult| {
            number(100.0 * setup.sites[site].2.slow as f64 / setup.sites[site].2.count.max(1) as f64)
        };
        row.extend(shown.iter().map(slow));
        let lost = |setup: &&SetupResult| number(setup.sites[site].2.lost / 3600.0 / f64::from(results.replications));
        row.extend(shown.iter().map(lost));
        row
    });
    ChartTable { rows: rows.collect(), head }
}

/// Rows of the table in the page; `sites.csv` has all.
const MOST_ROWS: usize = 200;
