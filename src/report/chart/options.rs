//! Options side by side: each figure with its interval, and the limit where there is one.

use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::chart::{
    Area, BLUE, GREEN, Hover, INK, LABEL, ORANGE, RED, fitting, font, letters, nice, right, sheet, sure,
};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::price;
use crate::report::verdict::overall;
use crate::report::words::{figure, interval, judged as told, list, number, plain_interval, quoted, scale};
use crate::stats::Interval;
use crate::study::figures::{MEASURES, STAFF_CUT_OFF, STAFF_LOST, TargetKind};
use crate::study::results::{Results, Verdict};

/// One column of the chart: a figure of every setup.
struct OptionColumn {
    title: String,
    values: Vec<Interval>,
    verdicts: Vec<Option<Verdict>>,
    limit: Option<f64>,
    scale: f64,
    unit: String,
    /// What the values are, where a target measures them.
    kind: Option<TargetKind>,
}

const ROW: i32 = 34;
const TOP: i32 = 76;
const NAMES: i32 = 216;
/// Room for the longest value to the right of its interval.
const VALUE: i32 = 64;

/// Draws it.
#[must_use]
pub fn draw(results: &Results) -> Chart {
    let columns = columns(results);
    let rows = i32::try_from(results.setups.len()).unwrap_or(1);
    let height = u32::try_from(TOP + ROW * rows + 36).unwrap_or(300);
    let hover = Hover::default();
    let svg = sheet(height, |area| {
        for (place, setup) in results.setups.iter().enumerate() {
            let name = fitting(&setup.title, NAMES - 12);
            sure(area.draw(&Text::new(name, (NAMES - 10, middle(place)), right(LABEL))));
        }
        let count = i32::try_from(columns.len()).unwrap_or(1).max(1);
        let width = (960 - NAMES - 10) / count;
        for (column, place) in columns.iter().zip(0..) {
            draw_column(area, column, NAMES + width * place, width - 26, rows);
            for (row, value) in column.values.iter().enumerate() {
                let words = format!("{}, {}: {}", results.setups[row].title, column.title, shown(column, value));
                let (left, top) = (NAMES + width * place, middle(row) - ROW / 2);
                hover.add([(left, top), (left + width - 26, top + ROW)], &words);
            }
        }
    });
    let svg = hover.onto(&svg);
    Chart {
        name: "options",
        title: finding(results),
        note:
            "Mean over replications with its 95 % interval. A filled dot meets its target, a ring does not or is not \
               certain to; the red line is the limit."
                .to_owned(),
        svg,
        table: table(results),
    }
}

fn middle(place: usize) -> i32 {
    TOP + ROW * i32::try_from(place).unwrap_or(0) + ROW / 2
}

/// The first three targets, and the time that staff lose.
fn columns(results: &Results) -> Vec<OptionColumn> {
    let mut columns: Vec<OptionColumn> =
        (0..results.targets.len().min(3)).map(|target| of_target(results, target)).collect();
    let lost = |measure: usize| results.setups.iter().any(|setup| setup.measures[measure].value.mean > 0.0);
    let measure = if !lost(STAFF_LOST) && lost(STAFF_CUT_OFF) { STAFF_CUT_OFF } else { STAFF_LOST };
    columns.push(OptionColumn {
        title: label(MEASURES[measure].title, MEASURES[measure].unit),
        values: results.setups.iter().map(|setup| setup.measures[measure].value).collect(),
        verdicts: vec![None; results.setups.len()],
        limit: None,
        scale: 1.0,
        unit: String::new(),
        kind: None,
    });
    columns
}

fn of_target(results: &Results, target: usize) -> OptionColumn {
    let largest = results.setups.iter().map(|setup| setup.targets[target].figure.value.mean);
    let (scale, unit) = match results.kinds[target] {
        TargetKind::Time => scale(largest.fold(results.limits[target], f64::max).max(1.0), TargetKind::Time),
        kind => scale(1e9, kind),
    };
    OptionColumn {
        title: results.targets[target].clone(),
        values: results.setups.iter().map(|setup| setup.targets[target].figure.value).collect(),
        verdicts: results.setups.iter().map(|setup| Some(setup.targets[target].verdict)).collect(),
        limit: Some(results.limits[target]),
        scale,
        unit: if unit.is_empty() { String::new() } else { format!(" {unit}") },
        kind: Some(results.kinds[target]),
    }
}

impl OptionColumn {
    /// A value in words: a time in its own unit, whatever that of the scale is.
    fn words(&self, value: f64) -> String {
        self.kind.map_or_else(|| number(value), |kind| figure(value, kind))
    }
}

fn draw_column(area: &Area<'_>, column: &OptionColumn, left: i32, width: i32, rows: i32) {
    let reach = |value: &Interval| value.mean + if value.half.is_finite() { value.half } else { 0.0 };
    let most = column.values.iter().map(reach).fold(column.limit.unwrap_or(0.0) * 1.4, f64::max) * column.scale;
    let most = if most > 0.0 { most * 1.12 } else { 1.0 };
    #[allow(clippy::cast_possible_truncation)] // within the picture
    let x =
        |value: f64| left + ((value * column.scale / most).clamp(0.0, 1.0) * f64::from(width - VALUE)).round() as i32;
    let bottom = TOP + ROW * rows;
    let letters = usize::try_from(width / 7).unwrap_or(20).max(12);
    for (line, y) in textwrap::wrap(&column.title, letters).iter().take(2).zip([4, 22]) {
        sure(area.draw(&Text::new(line.to_string(), (left, y), font(LABEL))));
    }
    let step = nice(most / 3.0);
    let mut tick = 0.0;
    while tick <= most {
        let at = x(tick / column.scale);
        sure(area.draw(&PathElement::new([(at, TOP), (at, bottom)], INK.mix(0.12))));
        let style = font(LABEL).pos(Pos::new(HPos::Center, VPos::Top));
        sure(area.draw(&Text::new(format!("{}{}", number(tick), column.unit), (at, bottom + 6), style)));
        tick += step;
    }
    if let Some(limit) = column.limit {
        let style = font(LABEL).color(&RED).pos(Pos::new(HPos::Center, VPos::Bottom));
        sure(area.draw(&PathElement::new([(x(limit), TOP - 4), (x(limit), bottom)], RED.stroke_width(2))));
        sure(area.draw(&Text::new("limit", (x(limit), TOP - 5), style)));
    }
    for (place, (value, verdict)) in column.values.iter().zip(&column.verdicts).enumerate() {
        draw_value(area, (x(value.mean), middle(place)), value, *verdict, &x);
        let words = column.words(value.mean);
        let end = x(value.mean + if value.half.is_finite() { value.half } else { 0.0 });
        let (at, style) = (end + 10, font(LABEL).pos(Pos::new(HPos::Left, VPos::Center)));
        // A limit may run behind the words.
        let (from, y) = (at - 2, middle(place));
        let behind = [(from, y - 9), (from + letters_of(&words) + 4, y + 9)];
        sure(area.draw(&Rectangle::new(behind, plotters::style::WHITE.mix(0.85).filled())));
        sure(area.draw(&Text::new(words, (at, middle(place)), style)));
    }
}

fn letters_of(words: &str) -> i32 {
    7 * letters(words)
}

/// A value with its interval.
fn shown(column: &OptionColumn, value: &Interval) -> String {
    column.kind.map_or_else(|| plain_interval(value), |kind| interval(value, kind))
}

fn draw_value(area: &Area<'_>, at: (i32, i32), value: &Interval, verdict: Option<Verdict>, x: &dyn Fn(f64) -> i32) {
    let colour = match verdict {
        None => BLUE,
        Some(Verdict::Met) => GREEN,
        Some(_) => ORANGE,
    };
    if value.half.is_finite() {
        let line = [(x(value.low()), at.1), (x(value.high()), at.1)];
        sure(area.draw(&PathElement::new(line, colour.stroke_width(2))));
    }
    let filled = matches!(verdict, None | Some(Verdict::Met));
    let style = if filled { colour.filled() } else { plotters::style::WHITE.filled() };
    sure(area.draw(&Circle::new(at, 5, style)));
    sure(area.draw(&Circle::new(at, 5, colour.stroke_width(2))));
}

fn finding(results: &Results) -> String {
    let at_a_price = |setup| if price::of(results, setup).is_some() { " (at a price)" } else { "" };
    let met: Vec<String> = results
        .setups
        .iter()
        .filter(|setup| !results.targets.is_empty() && overall(setup) == Verdict::Met)
        .map(|setup| format!("{}{}", quoted(&setup.title), at_a_price(setup)))
        .collect();
    match met.len() {
        0 if results.targets.is_empty() => "Options side by side".to_owned(),
        0 => "No option is sure to meet every target".to_owned(),
        1 => format!("Only {} meets every target", met[0]),
        _ => format!("{} meet every target", list(&met)),
    }
}

fn table(results: &Results) -> ChartTable {
    let mut head = vec!["option".to_owned()];
    head.extend(results.targets.iter().cloned());
    head.extend(results.measures().iter().map(|figure| label(figure.title, figure.unit)));
    let rows = results.setups.iter().map(|setup| {
        let mut row = vec![setup.title.clone()];
        let targets = setup.targets.iter().zip(&results.kinds);
        row.extend(targets.map(|(judged, kind)| format!("{}: {}", judged.verdict.name(), told(judged, *kind))));
        row.extend(setup.measures.iter().zip(results.measures()).map(|(measure, _)| plain_interval(&measure.value)));
        row
    });
    ChartTable { rows: rows.collect(), head }
}

/// A name with its unit in brackets.
#[must_use]
pub fn label(title: &str, unit: &str) -> String {
    if unit.is_empty() { title.to_owned() } else { format!("{title} [{unit}]") }
}
