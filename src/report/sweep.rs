//! Sweeps: tidy CSV, a chart, and a table.

use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle};

use crate::report::chart::{
    AxisNames, COLOURS, GREEN, INK, LABEL, LegendEntry, Mark, RED, fitting, font, legend, levels, right, sheet, sure,
};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::finding::{Evidence, Finding};
use crate::report::tidy;
use crate::report::tidy::known;
use crate::report::verdict::mark;
use crate::report::words::{figure, judged, quoted, several};
use crate::study::figures::MEASURES;
use crate::study::results::{Results, Verdict};

/// A point of a sweep: the values that were set, and the results.
pub struct SweepPoint {
    /// Values in the order of what is varied.
    pub values: Vec<String>,
    /// The results.
    pub results: Results,
}

/// Answer, chart and evidence of what was varied.
#[must_use]
pub fn finding(paths: &[String], points: &[SweepPoint], setting: String) -> Option<Finding> {
    let results = &points.first()?.results;
    let table = table_of(paths, points);
    Some(Finding {
        name: "sweep".to_owned(),
        question: results.question.clone(),
        setting,
        answer: sentences(paths, points),
        chart: (!results.targets.is_empty()).then(|| chart(paths, points, &table)),
        evidence: vec![Evidence {
            title: format!("{}, each on the same days", several(points.len(), ["point", "points"])),
            table,
            keys: paths.len() + usize::from(results.setups.len() > 1),
        }],
        cautions: Vec::new(),
        method: vec![format!(
            "Each point is the scenario with these values in place of its own, run on the same days ({}), seed {}; intervals \
             are Student's at 95 %. A target is met when the whole interval is within the limit.",
            days(points),
            results.seed
        )],
        csv: csv(paths, points),
    })
}

/// How many days the points were run on: more where intervals were too wide.
fn days(points: &[SweepPoint]) -> String {
    let days = || points.iter().map(|point| point.results.replications);
    let (least, most) = (days().min().unwrap_or(0), days().max().unwrap_or(0));
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

/// By set-up and target: where it is met.
fn sentences(paths: &[String], points: &[SweepPoint]) -> Vec<String> {
    const NAMED: usize = 5;
    let results = &points[0].results;
    let at = |point: &SweepPoint| point.values[0].clone();
    let mut sentences = Vec::new();
    for (setup, found) in results.setups.iter().enumerate() {
        for (target, title) in results.targets.iter().enumerate() {
            let met = |point: &&SweepPoint| point.results.setups[setup].targets[target].verdict == Verdict::Met;
            let met: Vec<&SweepPoint> = points.iter().filter(met).collect();
            let who =
                if found.name == "base" { "As it is".to_owned() } else { format!("With {}", quoted(&found.title)) };
            let where_met = match met.len() {
                0 => "at none of the points".to_owned(),
                all if all == points.len() => "at every point".to_owned(),
                few if few <= NAMED && paths.len() == 1 => {
                    format!("with {} = {}", paths[0], met.into_iter().map(at).collect::<Vec<String>>().join(" or "))
                }
                many => format!("at {many} of {} points", points.len()),
            };
            sentences.push(format!("{who}, {} is met {where_met}.", quoted(title)));
        }
    }
    sentences
}

fn table_of(paths: &[String], points: &[SweepPoint]) -> ChartTable {
    let several = points[0].results.setups.len() > 1;
    let mut head = paths.to_vec();
    head.extend(several.then(|| "set-up".to_owned()));
    head.extend(points[0].results.targets.iter().cloned());
    let mut rows = Vec::new();
    for point in points {
        for found in &point.results.setups {
            let mut row = point.values.clone();
            row.extend(several.then(|| found.title.clone()));
            let targets = found.targets.iter().zip(&point.results.kinds);
            row.extend(targets.map(|(target, kind)| format!("{} {}", mark(target.verdict), judged(target, *kind))));
            rows.push(row);
        }
    }
    ChartTable { head, rows }
}

/// As tidy CSV: a row for each point, option and figure.
fn csv(paths: &[String], points: &[SweepPoint]) -> String {
    let head = paths.iter().map(String::as_str);
    let head = head.chain(["option", "figure", "value", "low", "high", "verdict", "replications"]);
    tidy::csv(head, points.iter().flat_map(rows))
}

/// By set-up: each target, then each measure.
fn rows(point: &SweepPoint) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for found in &point.results.setups {
        let judged = found.targets.iter().zip(&point.results.targets);
        let judged = judged.map(|(judged, title)| (title.as_str(), judged.figure.value, judged.verdict.name()));
        let measured = found.measures.iter().zip(&MEASURES).map(|(by, figure)| (figure.name, by.value, ""));
        for (figure, value, verdict) in judged.chain(measured) {
            let mut row = point.values.clone();
            row.extend([found.name.clone(), figure.to_owned()]);
            row.extend([value.mean, value.low(), value.high()].map(known));
            row.extend([verdict.to_owned(), point.results.replications.to_string()]);
            rows.push(row);
        }
    }
    rows
}

const LEFT: i32 = 100;
const RIGHT: i32 = 930;
const HEIGHT: i32 = 290;

/// The first target over the points: a heat map where two things are varied, else a line for each option.
fn chart(paths: &[String], points: &[SweepPoint], table: &ChartTable) -> Chart {
    let is_map = paths.len() == 2;
    let first = sentences(paths, points).into_iter().next().unwrap_or_default();
    let what = &points[0].results.targets[0];
    Chart {
        name: "sweep",
        title: first,
        note: if is_map {
            format!("{what}, as it is. Green is within the limit, red beyond; each field says what was measured.")
        } else {
            format!("{what}, mean over days at each point; the red line is the limit.")
        },
        svg: if is_map { heat(paths, points) } else { lines(paths, points) },
        table: table.clone(),
    }
}

fn value(point: &SweepPoint, setup: usize) -> f64 {
    point.results.setups[setup].targets[0].figure.value.mean
}

fn lines(paths: &[String], points: &[SweepPoint]) -> String {
    let results = &points[0].results;
    let (limit, kind) = (results.limits[0], results.kinds[0]);
    let all = points.iter().flat_map(|point| (0..results.setups.len()).map(move |setup| value(point, setup)));
    let most = all.fold(limit * 1.3, f64::max).min(limit * 6.0);
    let colour = |setup: usize| COLOURS[setup % COLOURS.len()];
    let keys: Vec<LegendEntry> = if results.setups.len() > 1 {
        let named = results.setups.iter().enumerate();
        named.map(|(setup, found)| LegendEntry::new(found.title.clone(), colour(setup), Mark::Line)).collect()
    } else {
        Vec::new()
    };
    let top = legend(None, &keys) + 20;
    let bottom = top + HEIGHT;
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // within the picture
    let x = |place: usize| LEFT + (f64::from(RIGHT - LEFT) * (place as f64 + 0.5) / points.len() as f64).round() as i32;
    #[allow(clippy::cast_possible_truncation)]
    let y = |value: f64| bottom - ((value / most).clamp(0.0, 1.0) * f64::from(bottom - top)).round() as i32;
    sheet(u32::try_from(bottom + 60).unwrap_or(400), |area| {
        legend(Some(area), &keys);
        levels(area, (LEFT, RIGHT), most, kind, &y);
        sure(area.draw(&PathElement::new([(LEFT, y(limit)), (RIGHT, y(limit))], RED.stroke_width(1))));
        let style = font(LABEL).color(&RED).pos(Pos::new(HPos::Right, VPos::Bottom));
        sure(area.draw(&Text::new("limit", (RIGHT, y(limit) - 2), style)));
        for setup in 0..results.setups.len() {
            let line: Vec<(i32, i32)> =
                (0..points.len()).map(|place| (x(place), y(value(&points[place], setup)))).collect();
            sure(area.draw(&PathElement::new(line.clone(), ShapeStyle::from(&colour(setup)).stroke_width(2))));
            for (at, point) in line.into_iter().zip(points) {
                let beyond = value(point, setup) > most;
                let style = if beyond { colour(setup).stroke_width(1) } else { colour(setup).filled() };
                sure(area.draw(&Circle::new(at, 4, style)));
            }
        }
        let mut names = AxisNames::default();
        for (place, point) in points.iter().enumerate() {
            names.write(area, point.values.join(", "), (x(place), bottom + 8));
        }
        sure(area.draw(&Text::new(paths.join(", "), (LEFT, bottom + 34), font(LABEL))));
    })
}

fn heat(paths: &[String], points: &[SweepPoint]) -> String {
    let mut axes: [Vec<&str>; 2] = [Vec::new(), Vec::new()];
    for point in points {
        for (axis, value) in axes.iter_mut().zip(&point.values) {
            if !axis.contains(&value.as_str()) {
                axis.push(value);
            }
        }
    }
    let results = &points[0].results;
    let (limit, kind) = (results.limits[0], results.kinds[0]);
    let count = |axis: &Vec<&str>| i32::try_from(axis.len()).unwrap_or(1);
    let (top_edge, names) = (12, 130);
    let (width, height) = ((RIGHT - names) / count(&axes[0]), HEIGHT / count(&axes[1]));
    let bottom = top_edge + height * count(&axes[1]);
    let middle = Pos::new(HPos::Center, VPos::Center);
    sheet(u32::try_from(bottom + 60).unwrap_or(400), |area| {
        for point in points {
            let place = |axis: usize| {
                let own = axes[axis].iter().position(|value| *value == point.values[axis]).unwrap_or(0);
                i32::try_from(own).unwrap_or(0)
            };
            let (left, top) = (names + width * place(0), top_edge + height * place(1));
            let over = (value(point, 0) / limit).clamp(0.0, 2.0);
            let colour =
                if over <= 1.0 { GREEN.mix(0.15 + 0.5 * (1.0 - over)) } else { RED.mix(0.3 + 0.6 * (over - 1.0)) };
            sure(
                area.draw(&Rectangle::new(
                    [(left + 1, top + 1), (left + width - 1, top + height - 1)],
                    colour.filled(),
                )),
            );
            let ink = if over > 1.4 { RGBColor(255, 255, 255) } else { INK };
            let style = font(LABEL).color(&ink).pos(middle);
            let text = fitting(&figure(value(point, 0), kind), width - 4);
            sure(area.draw(&Text::new(text, (left + width / 2, top + height / 2), style)));
        }
        for (value, left) in axes[0].iter().zip((names..).step_by(usize::try_from(width).unwrap_or(1))) {
            let at = (left + width / 2, bottom + 14);
            sure(area.draw(&Text::new(fitting(value, width - 4), at, font(LABEL).pos(middle))));
        }
        for (value, top) in axes[1].iter().zip((top_edge..).step_by(usize::try_from(height).unwrap_or(1))) {
            sure(area.draw(&Text::new(fitting(value, names - 8), (names - 6, top + height / 2), right(LABEL))));
        }
        let axes = format!("{} across, {} down", paths[0], paths[1]);
        sure(area.draw(&Text::new(axes, (12, bottom + 34), font(LABEL))));
    })
}
