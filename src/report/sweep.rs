//! Sweeps, sensitivities and comparisons: tidy CSV, a chart, and a table for the terminal.

use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle};

use crate::report::chart::{COLOURS, GREEN, HEAD, INK, LABEL, RED, font, levels, right, sheet, sure};
use crate::report::tidy::{self, known};
use crate::report::words::{number, scale};
use crate::study::results::{Kind, MEASURES, Results};

/// A point of a sweep: the values that were set, and what came of them.
pub struct Point {
    /// Values in the order of what is varied.
    pub values: Vec<String>,
    /// What was found.
    pub results: Results,
}

/// As tidy CSV: a row for each point, option and figure.
#[must_use]
pub fn csv(paths: &[String], points: &[Point]) -> String {
    let head = paths.iter().map(String::as_str);
    let head = head.chain(["option", "figure", "value", "low", "high", "verdict", "replications"]);
    tidy::csv(head, points.iter().flat_map(rows))
}

/// By set-up: each target, then each measure.
fn rows(point: &Point) -> Vec<Vec<String>> {
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
const TOP: i32 = 50;
const BOTTOM: i32 = 340;

/// The first target over the points: a line for each option where one thing is varied, else a heat map of the first.
#[must_use]
pub fn chart(paths: &[String], points: &[Point]) -> Option<String> {
    let first = points.first()?;
    first.results.targets.first()?;
    Some(if paths.len() == 2 { heat(paths, points) } else { lines(paths, points) })
}

fn value(point: &Point, setup: usize) -> f64 {
    point.results.setups[setup].targets[0].figure.value.mean
}

fn lines(paths: &[String], points: &[Point]) -> String {
    let results = &points[0].results;
    let (limit, kind) = (results.limits[0], results.kinds[0]);
    let all = points.iter().flat_map(|point| (0..results.setups.len()).map(move |setup| value(point, setup)));
    let most = all.fold(limit * 1.3, f64::max).min(limit * 6.0);
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // within the picture
    let x = |place: usize| LEFT + (f64::from(RIGHT - LEFT) * (place as f64 + 0.5) / points.len() as f64).round() as i32;
    #[allow(clippy::cast_possible_truncation)]
    let y = |value: f64| BOTTOM - ((value / most).clamp(0.0, 1.0) * f64::from(BOTTOM - TOP)).round() as i32;
    sheet(400, |area| {
        sure(area.draw(&Text::new(results.targets[0].clone(), (12, 8), font(HEAD))));
        levels(area, (LEFT, RIGHT), most, kind, &y);
        sure(area.draw(&PathElement::new([(LEFT, y(limit)), (RIGHT, y(limit))], RED.stroke_width(1))));
        for (setup, found) in results.setups.iter().enumerate() {
            let colour = COLOURS[setup % COLOURS.len()];
            let line: Vec<(i32, i32)> =
                (0..points.len()).map(|place| (x(place), y(value(&points[place], setup)))).collect();
            sure(area.draw(&PathElement::new(line.clone(), ShapeStyle::from(&colour).stroke_width(2))));
            for at in line {
                sure(area.draw(&Circle::new(at, 3, colour.filled())));
            }
            let left = LEFT + 170 * i32::try_from(setup % 5).unwrap_or(0);
            let top = 28 + 12 * i32::try_from(setup / 5).unwrap_or(0);
            sure(area.draw(&Text::new(found.title.clone(), (left, top), font(LABEL).color(&colour))));
        }
        let step = points.len().div_ceil(12);
        for place in (0..points.len()).step_by(step) {
            let style = font(10).pos(Pos::new(HPos::Center, VPos::Top));
            sure(area.draw(&Text::new(points[place].values.join(", "), (x(place), BOTTOM + 8), style)));
        }
        sure(area.draw(&Text::new(paths.join(", "), (LEFT, BOTTOM + 32), font(LABEL))));
    })
}

fn heat(paths: &[String], points: &[Point]) -> String {
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
    let (width, height) = ((RIGHT - LEFT) / count(&axes[0]), (BOTTOM - TOP) / count(&axes[1]));
    let middle = Pos::new(HPos::Center, VPos::Center);
    sheet(400, |area| {
        let title = format!("{} \u{2014} {}", results.targets[0], results.setups[0].title);
        sure(area.draw(&Text::new(title, (12, 8), font(HEAD))));
        for point in points {
            let place = |axis: usize| {
                let own = axes[axis].iter().position(|value| *value == point.values[axis]).unwrap_or(0);
                i32::try_from(own).unwrap_or(0)
            };
            let (left, top) = (LEFT + width * place(0), TOP + height * place(1));
            let over = (value(point, 0) / limit).clamp(0.0, 2.0);
            let colour =
                if over <= 1.0 { GREEN.mix(0.15 + 0.5 * (1.0 - over)) } else { RED.mix(0.3 + 0.6 * (over - 1.0)) };
            sure(
                area.draw(&Rectangle::new(
                    [(left + 1, top + 1), (left + width - 1, top + height - 1)],
                    colour.filled(),
                )),
            );
            let (factor, unit) = scale(value(point, 0), kind);
            let ink = if over > 1.4 { RGBColor(255, 255, 255) } else { INK };
            let style = font(LABEL).color(&ink).pos(middle);
            let text = format!("{} {unit}", number(value(point, 0) * factor));
            sure(area.draw(&Text::new(text, (left + width / 2, top + height / 2), style)));
        }
        for (value, left) in axes[0].iter().zip((LEFT..).step_by(usize::try_from(width).unwrap_or(1))) {
            sure(area.draw(&Text::new((*value).to_owned(), (left + width / 2, BOTTOM + 12), font(10).pos(middle))));
        }
        for (value, top) in axes[1].iter().zip((TOP..).step_by(usize::try_from(height).unwrap_or(1))) {
            sure(area.draw(&Text::new((*value).to_owned(), (LEFT - 6, top + height / 2), right(10))));
        }
        sure(area.draw(&Text::new(
            format!("{} across, {} down", paths[0], paths[1]),
            (LEFT, BOTTOM + 32),
            font(LABEL),
        )));
    })
}

/// An assumed input and what the first target measures at both ends of its range.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Bar {
    /// The input.
    pub path: String,
    /// The value of now.
    pub value: String,
    /// The ends of its range, and what is measured there.
    pub low: (String, f64),
    /// See `low`.
    pub high: (String, f64),
}

impl Bar {
    /// How far the answer swings.
    #[must_use]
    pub fn swing(&self) -> f64 {
        (self.high.1 - self.low.1).abs()
    }
}

/// What the answer turns on: a sentence, and the bars from the longest.
#[must_use]
pub fn tornado(target: &str, kind: Kind, now: f64, bars: &[Bar]) -> String {
    let show = |value: f64| crate::report::words::figure(value, kind);
    let mut text = match bars.first() {
        Some(bar) if bar.swing() > 0.0 => format!(
            "The answer turns most on {}: between {} and {} of it, \u{201c}{target}\u{201d} goes from {} to {} (now {}). Measure \
             that first.\n",
            bar.path,
            bar.low.0,
            bar.high.0,
            show(bar.low.1),
            show(bar.high.1),
            show(now)
        ),
        _ => "No input that is assumed with a range moves the answer.\n".to_owned(),
    };
    let mut rows =
        vec![["assumed input", "now", "low end", "measured", "high end", "measured"].map(str::to_owned).to_vec()];
    rows.extend(bars.iter().map(|bar| {
        let (low, high) = (&bar.low, &bar.high);
        vec![bar.path.clone(), bar.value.clone(), low.0.clone(), show(low.1), high.0.clone(), show(high.1)]
    }));
    text += "\n";
    text + &crate::report::table::columns(&rows)
}
