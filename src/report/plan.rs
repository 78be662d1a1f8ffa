//! A plan in words, as a table and as a chart.

use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, ShapeStyle};

use crate::plan::Plan;
use crate::plan::knob::Knob;
use crate::plan::search::{Criterion, Outcome, Tried};
use crate::report::chart::{BLUE, GREEN, LABEL, RED, font, levels, sheet, sure};
use crate::report::table::{columns, wrapped};
use crate::report::tidy::{self, known};
use crate::report::words::{capital, figure, number, quoted};

/// A value of the knob with its unit.
#[must_use]
pub fn shown(knob: &Knob, value: f64) -> String {
    match knob {
        Knob::Throughput(_) if value >= 0.9995e9 => format!("{} Gbit/s", number(value / 1e9)),
        Knob::Throughput(_) => format!("{} Mbit/s", number(value / 1e6)),
        Knob::Concentrators(_) => format!("{} concentrators", number(value)),
        Knob::Calls(_) => format!("{} calls", number(value)),
        Knob::CurfewEnd(_) | Knob::CurfewStart(_) => clock(value),
        Knob::Deferred(_) | Knob::Moved(_) | Knob::LowLatency(_) | Knob::Split(..) => {
            format!("{} %", number(100.0 * value))
        }
        Knob::Wave(..) => format!("{} sites", number(value)),
        Knob::Weight(_) => number(value),
        Knob::Years => format!("{} years", number(value)),
    }
}

fn clock(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round();
    format!("{:02}:{:02}", (minutes / 60.0).floor(), minutes % 60.0)
}

/// What is asked for, such as `the least throughput`.
fn asked(knob: &Knob) -> &'static str {
    match knob {
        Knob::Throughput(units) if units.len() > 1 => "the least throughput of the first concentrator (all grow alike)",
        Knob::Throughput(_) => "the least throughput",
        Knob::Concentrators(_) => "the least number of concentrators",
        Knob::Calls(_) => "the least number of calls to admit",
        Knob::CurfewEnd(_) => "the earliest safe end of the curfew",
        Knob::CurfewStart(_) => "the latest safe start of the curfew",
        Knob::Deferred(_) => "the least share that has to obey the curfew",
        Knob::Weight(_) => "the least weight",
        Knob::Moved(_) => "the least share of sites to move",
        Knob::Split(..) => "the best split",
        Knob::LowLatency(_) => "the least share of the throughput for what is served first",
        Knob::Wave(..) => "the most sites that can be cut over at once",
        Knob::Years => "the growth that it bears",
    }
}

fn holds(criterion: Criterion) -> String {
    match criterion {
        Criterion::Mean => "on an average day".to_owned(),
        Criterion::Days(share) => format!("on {} % of days", number(100.0 * share)),
    }
}

/// The answer in a sentence: number, unit, certainty and condition.
#[must_use]
pub fn sentence(plan: &Plan) -> String {
    let (target, on) = (quoted(&plan.target), holds(plan.criterion));
    let setup = with(plan);
    match plan.answer.outcome {
        Outcome::Crosses(value, (low, high)) => {
            let now = plan.now.map_or_else(String::new, |now| format!("; now {}", shown(&plan.knob, now)));
            format!(
                "{} for {target} to hold {on}{setup} is {} (between {} and {} with 95 % confidence{now}).",
                capital(asked(&plan.knob)),
                shown(&plan.knob, value),
                shown(&plan.knob, low),
                shown(&plan.knob, high),
            )
        }
        Outcome::Least(value, ends) => split(plan, value, ends),
        Outcome::Holds(value) => {
            let now = plan.now.map_or_else(String::new, |now| format!(" (now {})", shown(&plan.knob, now)));
            format!("Even at {} {target} holds {on}{setup}{now}.", shown(&plan.knob, value))
        }
        Outcome::Fails(value) => {
            format!("Not even at {} does {target} hold {on}{setup}.", shown(&plan.knob, value))
        }
    }
}

/// With which option.
fn with(plan: &Plan) -> String {
    if plan.setup == "as it is" { String::new() } else { format!(", with {}", quoted(&plan.setup)) }
}

/// The best split in a sentence.
fn split(plan: &Plan, value: f64, (low, high): (f64, f64)) -> String {
    let Knob::Split(one, other) = plan.knob else { return String::new() };
    let name = |unit: u8| &plan.units[usize::from(unit)];
    let measure = plan.answer.measured(value).unwrap_or(f64::NAN);
    let zone = figure(plan.precision * plan.limit, plan.kind);
    let as_good = if high > low {
        format!("; from {} to {} it is as good", shown(&plan.knob, low), shown(&plan.knob, high))
    } else {
        String::new()
    };
    let certainty = if plan.answer.precise {
        format!("with 95 % confidence no split is better by more than {zone}{as_good}")
    } else {
        format!("the budget was not enough to tell it from others to within {zone}{as_good}")
    };
    let verdict = if measure <= plan.limit { "The target holds there." } else { "Even there the target is missed." };
    format!(
        "The best split for {}{} has {} of the sites at {} and the others at {}: {} on an average day \
         ({certainty}). {verdict}",
        quoted(&plan.target),
        with(plan),
        shown(&plan.knob, value),
        name(one),
        name(other),
        figure(measure, plan.kind),
    )
}

/// The answer and what it rests on, for the terminal.
#[must_use]
pub fn summary(plan: &Plan) -> String {
    let mut text = format!("{}\n\n{}\n", plan.question, wrapped(&sentence(plan), ""));
    if !plan.answer.precise {
        text += &format!("{}\n", wrapped("The stated precision was not reached; allow more runs with --budget.", "! "));
    }
    let mut rows = vec![["value", "held against the limit", "mean over days", "days", ""].map(str::to_owned).to_vec()];
    rows.extend(plan.answer.evidence.iter().map(|tried| row(plan, tried)));
    text += &format!("\nWhat was tried (limit {})\n{}", figure(plan.limit, plan.kind), columns(&rows));
    let method =
        format!("{} runs, seed {}. Every value saw the same days; {}", plan.answer.runs, plan.seed, method(plan));
    text + &format!("\n{}\n", wrapped(&method, ""))
}

fn method(plan: &Plan) -> &'static str {
    if plan.knob.has_best() {
        "the best of a grid was selected, then the best of it and what lies halfway to its neighbours, twice (KN with an \
         indifference zone; Kim & Nelson 2001). It takes for granted that there is but one lowest place."
    } else {
        "the last two stand on either side of the crossing, and the interval is Student's on jackknife pseudo-values of \
         where the line between them crosses the limit (Miller 1974)."
    }
}

fn row(plan: &Plan, tried: &Tried) -> Vec<String> {
    let verdict = if tried.measure <= plan.limit { "holds" } else { "does not hold" };
    vec![
        shown(&plan.knob, tried.value),
        figure(tried.measure, plan.kind),
        crate::report::words::interval(&tried.mean, plan.kind),
        tried.days.to_string(),
        verdict.to_owned(),
    ]
}

/// What was tried as tidy CSV.
#[must_use]
pub fn csv(plan: &Plan) -> String {
    let rows = plan.answer.evidence.iter().map(|tried| {
        let (mean, days) = (&tried.mean, tried.days.to_string());
        let [value, measure, limit] = [tried.value, tried.measure, plan.limit].map(known);
        let [middle, low, high] = [mean.mean, mean.low(), mean.high()].map(known);
        [value, measure, middle, low, high, days, limit]
    });
    tidy::csv(["value", "measure", "mean", "mean_low", "mean_high", "days", "limit"], rows)
}

const LEFT: i32 = 90;
const RIGHT: i32 = 930;
const TOP: i32 = 72;
const BOTTOM: i32 = 350;

/// The measure against the value, the limit, and the answer's interval.
#[must_use]
pub fn chart(plan: &Plan) -> String {
    let tried = &plan.answer.evidence;
    let values = || tried.iter().map(|tried| tried.value);
    let (least, greatest) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let margin = if greatest > least { (greatest - least) * 0.05 } else { 1.0 };
    let (left, right) = ((least - margin).max(0.0), greatest + margin);
    // What lies far beyond the limit is beyond it: the chart is about the crossing.
    let most = tried.iter().map(|tried| tried.measure).fold(plan.limit * 1.5, f64::max).min(plan.limit * 4.0);
    #[allow(clippy::cast_possible_truncation)] // within the picture
    let x = |value: f64| {
        LEFT + (((value - left) / (right - left)).clamp(0.0, 1.0) * f64::from(RIGHT - LEFT)).round() as i32
    };
    #[allow(clippy::cast_possible_truncation)]
    let y = |value: f64| BOTTOM - ((value / most).clamp(0.0, 1.0) * f64::from(BOTTOM - TOP)).round() as i32;
    sheet(400, |area| {
        let title = sentence(plan);
        for (line, top) in wrapped(&title, "").lines().zip((6..).step_by(18)) {
            sure(area.draw(&Text::new(line.to_owned(), (12, top), font(LABEL))));
        }
        if let Outcome::Crosses(_, (low, high)) | Outcome::Least(_, (low, high)) = plan.answer.outcome {
            sure(area.draw(&Rectangle::new([(x(low), TOP), (x(high), BOTTOM)], GREEN.mix(0.2).filled())));
        }
        levels(area, (LEFT, RIGHT), most, plan.kind, &y);
        let limit = [(LEFT, y(plan.limit)), (RIGHT, y(plan.limit))];
        sure(area.draw(&PathElement::new(limit, RED.stroke_width(1))));
        let style = font(LABEL).color(&RED).pos(Pos::new(HPos::Right, VPos::Bottom));
        sure(area.draw(&Text::new("limit", (RIGHT, y(plan.limit) - 2), style)));
        let line: Vec<(i32, i32)> = tried.iter().map(|tried| (x(tried.value), y(tried.measure))).collect();
        sure(area.draw(&PathElement::new(line.clone(), ShapeStyle::from(&BLUE.mix(0.4)).stroke_width(2))));
        for (point, tried) in line.into_iter().zip(tried) {
            if tried.measure <= most {
                sure(area.draw(&Circle::new(point, 4, BLUE.filled())));
                continue;
            }
            // Beyond the chart: a ring at its edge, and how far.
            sure(area.draw(&Circle::new(point, 4, BLUE.stroke_width(1))));
            let style = font(LABEL).color(&BLUE).pos(Pos::new(HPos::Center, VPos::Top));
            sure(area.draw(&Text::new(figure(tried.measure, plan.kind), (point.0, point.1 + 8), style)));
        }
        let under = |value: f64, area: &crate::report::chart::Area<'_>| {
            let style = font(LABEL).pos(Pos::new(HPos::Center, VPos::Top));
            sure(area.draw(&Text::new(shown(&plan.knob, value), (x(value), BOTTOM + 8), style)));
        };
        for step in 0..5 {
            under(least + (greatest - least) * f64::from(step) / 4.0, area);
        }
        sure(area.draw(&Text::new(plan.target.clone(), (LEFT, BOTTOM + 30), font(LABEL))));
    })
}
