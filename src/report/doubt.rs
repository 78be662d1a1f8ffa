//! Input uncertainty in words, as a table and as a chart.

use plotters::element::{PathElement, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, ShapeStyle};

use crate::report::chart::{COLOURS, INK, LABEL, LegendEntry, Mark, RED, font, legend, levels, sheet, sure};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::finding::{Evidence, Finding};
use crate::report::tidy;
use crate::report::tidy::known;
use crate::report::words::{figure, measured, number, quoted, several};
use crate::stats::Tally;
use crate::study::doubt::Doubt;
use crate::study::figures::TargetKind;
use crate::study::results::Results;

/// A draw of all inputs, and the first target by set-up and day.
pub struct DoubtDraw {
    /// The inputs as they were set.
    pub values: Vec<String>,
    /// By set-up and day.
    pub setups: Vec<Vec<f64>>,
}

impl DoubtDraw {
    fn mean(&self, setup: usize) -> f64 {
        self.setups[setup].iter().copied().collect::<Tally>().mean()
    }
}

/// The results of all draws.
pub struct Findings {
    /// The first target in words, its limit, and what it is.
    pub target: String,
    /// See `target`.
    pub limit: f64,
    /// See `target`.
    pub kind: TargetKind,
    /// Paths of the inputs.
    pub paths: Vec<String>,
    /// Assumed numbers that state no range, or one that cannot be drawn from.
    pub left: usize,
    /// Set-ups.
    pub titles: Vec<String>,
    /// By set-up.
    pub doubts: Vec<Doubt>,
    /// By set-up and input: first-order indices.
    pub indices: Vec<Vec<f64>>,
}

/// The share of the spread that is due to inputs.
fn share_of_inputs(doubt: &Doubt) -> f64 {
    let (inputs, days) = (doubt.inputs.powi(2), doubt.days.powi(2));
    if inputs + days > 0.0 { inputs / (inputs + days) } else { 0.0 }
}

fn percent(share: f64) -> String {
    format!("{} %", number((100.0 * share).round()))
}

/// An index that chance alone could have made says nothing: two standard errors of a correlation of so many pairs.
#[allow(clippy::cast_precision_loss)] // draws
fn chance(draws: usize) -> f64 {
    2.0 / (draws as f64 / 2.0).sqrt()
}

/// The answer for each set-up in a sentence.
fn sentence(found: &Findings, setup: usize) -> String {
    let doubt = &found.doubts[setup];
    let show = |value: f64| figure(value, found.kind);
    let what = measured(&found.target);
    format!(
        "{}: {what} is {} on average over all that the inputs could be, between {} and {} in 95 % of cases; the target holds \
         in {} of them. {} of the spread is doubt about inputs, the rest is one day unlike another.",
        quoted(&found.titles[setup]),
        show(doubt.mean),
        show(doubt.range.0),
        show(doubt.range.1),
        percent(doubt.holds),
        percent(share_of_inputs(doubt)),
    )
}

/// The input with the largest index.
fn blame(found: &Findings, setup: usize, draws: usize) -> String {
    let indices = found.indices[setup].iter().copied().zip(&found.paths);
    match indices.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(index, _)| *index > chance(draws)) {
        Some((index, path)) => {
            let share = percent(index.min(1.0));
            format!("Were {path} known, about {share} of the doubt would go. Measure that first.")
        }
        None => "No single input is to blame by more than chance; draw more often to tell.".to_owned(),
    }
}

/// Answer, chart and evidence.
#[must_use]
pub fn finding(found: &Findings, draws: &[DoubtDraw], results: &Results, setting: String) -> Finding {
    let table = shares(found);
    let mut cautions = Vec::new();
    if found.left > 0 {
        cautions.push(format!(
            "{} assumed without a range that could be drawn from: they stand as written, and the doubt about them comes on top.",
            several(found.left, ["other number is", "other numbers are"])
        ));
    }
    let answers = |setup| [sentence(found, setup), blame(found, setup, draws.len())];
    Finding {
        name: "doubt".to_owned(),
        question: results.question.clone(),
        setting,
        answer: (0..found.titles.len()).flat_map(answers).collect(),
        chart: Some(chart(found, draws, &table)),
        evidence: vec![Evidence {
            title: "Share of the doubt that goes when an input is known".to_owned(),
            table,
            keys: 1,
        }],
        cautions,
        method: vec![format!(
            "{} draws of {}, seed {}: two replicated Latin hypercubes; all draws saw the same days. First-order indices (Sobol; \
             Tissot & Prieur 2015), to within {} either way.",
            draws.len(),
            several(found.paths.len(), ["input", "inputs"]),
            results.seed,
            percent(chance(draws.len()))
        )],
        csv: csv(found, draws),
    }
}

/// By input and set-up: its first-order index.
fn shares(found: &Findings) -> ChartTable {
    let mut head = vec!["assumed input".to_owned()];
    head.extend(found.titles.iter().cloned());
    let mut order: Vec<usize> = (0..found.paths.len()).collect();
    order.sort_by(|&a, &b| found.indices[0][b].total_cmp(&found.indices[0][a]));
    let row = |input: usize| {
        let shares = found.indices.iter().map(|indices| percent(indices[input].clamp(0.0, 1.0)));
        std::iter::once(found.paths[input].clone()).chain(shares).collect()
    };
    ChartTable { head, rows: order.into_iter().map(row).collect() }
}

/// As tidy CSV: a row for each draw, set-up and day.
fn csv(found: &Findings, draws: &[DoubtDraw]) -> String {
    let head = ["draw"].into_iter().chain(found.paths.iter().map(String::as_str)).chain(["option", "day", "value"]);
    let rows = draws.iter().zip(1..).flat_map(|(draw, number)| {
        let of_setup = |(title, days): (&String, &Vec<f64>)| -> Vec<Vec<String>> {
            let row = |(day, value): (usize, &f64)| {
                let last = [title.clone(), (day + 1).to_string(), known(*value)];
                std::iter::once(number.to_string()).chain(draw.values.clone()).chain(last).collect()
            };
            days.iter().enumerate().map(row).collect()
        };
        found.titles.iter().zip(&draw.setups).flat_map(of_setup).collect::<Vec<Vec<String>>>()
    });
    tidy::csv(head, rows)
}

const LEFT: i32 = 90;
const RIGHT: i32 = 930;
const HEIGHT: i32 = 270;

/// The answer over the draws, from the best to the worst, and the limit.
fn chart(found: &Findings, draws: &[DoubtDraw], table: &ChartTable) -> Chart {
    Chart {
        name: "doubt",
        title: sentence(found, 0),
        note: "Each line runs over all that the inputs could be, from the best case to the worst; the red line is the limit."
            .to_owned(),
        svg: picture(found, draws),
        table: table.clone(),
    }
}

fn picture(found: &Findings, draws: &[DoubtDraw]) -> String {
    let sorted = |setup: usize| {
        let mut values: Vec<f64> = draws.iter().map(|draw| draw.mean(setup)).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let all: Vec<Vec<f64>> = (0..found.titles.len()).map(sorted).collect();
    let colour = |setup: usize| COLOURS[setup % COLOURS.len()];
    let keys: Vec<LegendEntry> = found
        .titles
        .iter()
        .enumerate()
        .map(|(setup, title)| LegendEntry::new(title, colour(setup), Mark::Line))
        .collect();
    let top = legend(None, &keys) + 20;
    let bottom = top + HEIGHT;
    // Values far beyond the limit are drawn at the edge: the chart shows where the target holds.
    let most = all.iter().flatten().copied().fold(found.limit * 1.5, f64::max).min(found.limit * 6.0);
    #[allow(clippy::cast_possible_truncation)] // within the picture
    let y = |value: f64| bottom - ((value / most).clamp(0.0, 1.0) * f64::from(bottom - top)).round() as i32;
    #[allow(clippy::cast_possible_truncation)]
    let x = |share: f64| LEFT + (share * f64::from(RIGHT - LEFT)).round() as i32;
    sheet(u32::try_from(bottom + 60).unwrap_or(400), |area| {
        legend(Some(area), &keys);
        levels(area, (LEFT, RIGHT), most, found.kind, &y);
        sure(area.draw(&PathElement::new([(LEFT, y(found.limit)), (RIGHT, y(found.limit))], RED.stroke_width(1))));
        let style = font(LABEL).color(&RED).pos(Pos::new(HPos::Left, VPos::Bottom));
        sure(area.draw(&Text::new("limit", (LEFT + 4, y(found.limit) - 2), style)));
        for (setup, values) in all.iter().enumerate() {
            #[allow(clippy::cast_precision_loss)] // draws
            let share = |place: usize| (place as f64 + 0.5) / values.len() as f64;
            let line: Vec<(i32, i32)> =
                values.iter().enumerate().map(|(place, value)| (x(share(place)), y(*value))).collect();
            sure(area.draw(&PathElement::new(line, ShapeStyle::from(&colour(setup)).stroke_width(2))));
        }
        for step in 0..=4 {
            let style = font(LABEL).pos(Pos::new(HPos::Center, VPos::Top)).color(&INK);
            let share = f64::from(step) / 4.0;
            sure(area.draw(&Text::new(percent(share), (x(share), bottom + 8), style)));
        }
        let under = "share of what the inputs could be, from the best case to the worst";
        sure(area.draw(&Text::new(under, (LEFT, bottom + 30), font(LABEL))));
    })
}
