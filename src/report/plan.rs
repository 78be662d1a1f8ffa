//! A plan in words, as a table and as a chart.

use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, ShapeStyle};

use crate::plan::PlanResult;
use crate::plan::answer::Criterion;
use crate::plan::answer::Crossing;
use crate::plan::answer::Tried;
use crate::plan::knob::Knob;
use crate::report::chart::{BLUE, GREEN, LABEL, RED, font, levels, sheet, sure};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::finding::{Evidence, Finding};
use crate::report::tidy::{self, known};
use crate::report::words::{bit_rate, capital, figure, interval, list, number, quoted, several};
use crate::scenario::check::device::{self, Device};
use crate::study::limits::Limit;

/// A value of the parameter with its unit.
#[must_use]
pub fn shown(knob: &Knob, value: f64) -> String {
    match knob {
        Knob::Throughput(_) => bit_rate(value),
        Knob::Concentrators(_) => things(value, ["concentrator", "concentrators"]),
        Knob::Calls(_) => things(value, ["call", "calls"]),
        Knob::CurfewEnd(_) | Knob::CurfewStart(_) => clock(value),
        Knob::Deferred(_) | Knob::Moved(_) | Knob::LowLatency(_) | Knob::Split(..) => {
            format!("{} %", number(100.0 * value))
        }
        Knob::Wave(..) => things(value, ["site", "sites"]),
        Knob::Weight(_) => number(value),
        Knob::Years => things(value, ["year", "years"]),
    }
}

/// A value that was tried: those near the answer differ only in the fourth digit.
fn finely(knob: &Knob, value: f64) -> String {
    match knob {
        Knob::Throughput(_) => format!("{:.1} Mbit/s", value / 1e6),
        _ => shown(knob, value),
    }
}

/// A number of things, in words.
fn things(value: f64, [one, more]: [&str; 2]) -> String {
    let number = number(value);
    format!("{number} {}", if number == "1" { one } else { more })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a packet rate
fn count(value: f64) -> String {
    crate::report::words::count(value.round().max(0.0) as u64)
}

fn clock(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round();
    format!("{:02}:{:02}", (minutes / 60.0).floor(), minutes % 60.0)
}

/// The quantity in question, such as `the least throughput`.
fn asked(knob: &Knob) -> &'static str {
    match knob {
        Knob::Throughput(units) if units.len() > 1 => "the least throughput of the first concentrator (all grow alike)",
        Knob::Throughput(_) => "the least throughput",
        Knob::Concentrators(_) => "the least number of concentrators",
        Knob::Calls(_) => "the least number of calls to admit",
        Knob::CurfewEnd(_) => "the earliest end of the curfew",
        Knob::CurfewStart(_) => "the latest start of the curfew",
        Knob::Deferred(_) => "the least share that has to obey the curfew",
        Knob::Weight(_) => "the least weight",
        Knob::Moved(_) => "the least share of the sites to move",
        Knob::Split(..) => "the best split",
        Knob::LowLatency(_) => "the least share of the throughput for what is served first",
        Knob::Wave(..) => "the largest number of sites to cut over at once",
        Knob::Years => "the growth that the estate bears",
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
pub fn sentence(plan: &PlanResult) -> String {
    let (target, on) = (quoted(&plan.target), holds(plan.criterion));
    let setup = with(plan);
    let now = plan.now.map(|now| format!("now {}", shown(&plan.knob, now)));
    match plan.answer.outcome {
        Crossing::Crosses(years, ends) if plan.knob == Knob::Years => {
            let certainty = certainty(&plan.knob, years, ends);
            format!("{target} is met {on}{setup} for {} of growth ({certainty}).", shown(&plan.knob, years))
        }
        Crossing::Crosses(value, ends) => {
            let now = now.map_or_else(String::new, |now| format!("; {now}"));
            let certainty = certainty(&plan.knob, value, ends);
            format!(
                "{} for {target} to be met {on}{setup} is {} ({certainty}{now}).",
                capital(asked(&plan.knob)),
                shown(&plan.knob, value)
            )
        }
        Crossing::Least(value, ends) => split(plan, value, ends),
        Crossing::Holds(value) if plan.knob == Knob::Years => {
            format!("{target} is met {on}{setup} for at least {} of growth.", shown(&plan.knob, value))
        }
        Crossing::Fails(_) if plan.knob == Knob::Years => format!("{target} is missed {on}{setup} already."),
        Crossing::Holds(value) => {
            let now = now.map_or_else(String::new, |now| format!(" ({now})"));
            format!("{target} is met {on}{setup} even with {}{now}.", shown(&plan.knob, value))
        }
        Crossing::Fails(value) => format!(
            "{target} is not met {on}{setup} even with {}{}.",
            shown(&plan.knob, value),
            plan.limit_there.map_or_else(String::new, |limit| format!(": {}", what_limits(limit)))
        ),
    }
}

/// The interval, where it is wider than the digits that are shown.
fn certainty(knob: &Knob, value: f64, (low, high): (f64, f64)) -> String {
    let [value, low, high] = [value, low, high].map(|value| shown(knob, value));
    if low == value && high == value {
        return "with 95 % confidence".to_owned();
    }
    let (number, unit) = low.rsplit_once(' ').unwrap_or((&low, ""));
    // One unit says enough where both ends have it.
    let low = if high.rsplit_once(' ').is_some_and(|(_, other)| other == unit) { number } else { &low };
    format!("{low} to {high} with 95 % confidence")
}

/// Why more of it would not help.
fn what_limits(limit: Limit) -> &'static str {
    match limit {
        Limit::None => "no concentrator is full then, so what limits is elsewhere, such as the access links of sites",
        Limit::Down => "what limits is that a concentrator is down",
        Limit::Handshakes => "what limits is the rate of handshakes",
        Limit::Tunnels => "what limits is the number of tunnels that a concentrator takes",
        Limit::Throughput => "what limits is the concentrators' throughput",
        Limit::Line => "what limits is the concentrators' line",
        Limit::Packets => "what limits is the concentrators' packet rate",
        Limit::TunnelCeiling => "what limits is what one tunnel can carry",
        Limit::Streams => "what limits is the number of calls that are admitted",
    }
}

/// With which option.
fn with(plan: &PlanResult) -> String {
    if plan.setup == "as it is" { String::new() } else { format!(", with {},", quoted(&plan.setup)) }
}

/// The best split in a sentence.
fn split(plan: &PlanResult, value: f64, (low, high): (f64, f64)) -> String {
    let Knob::Split(one, other) = plan.knob else { return String::new() };
    let name = |unit: u8| &plan.concentrators[usize::from(unit)];
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
    let verdict = if measure <= plan.limit { "The target is met there." } else { "Even there the target is missed." };
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

/// Built-in devices with so much throughput and so many tunnels: the smallest of each maker.
fn devices(plan: &PlanResult) -> Option<String> {
    let (Knob::Throughput(_), Crossing::Crosses(_, (_, high))) = (&plan.knob, plan.answer.outcome) else { return None };
    let fitting = device::smallest(high, plan.tunnels, plan.packet_rate.map(|each| each * high));
    let name = |device: &Device| {
        let tunnels = if device.tunnels.is_none() { ", tunnels to be checked" } else { "" };
        let packets = device
            .packet_rate
            .filter(|_| plan.packet_rate.is_none())
            .map_or_else(String::new, |rate| format!(", {} packets a second: to be checked", count(rate)));
        format!("{} ({}{tunnels}{packets})", device.title, bit_rate(device.throughput))
    };
    let tunnels = several(plan.tunnels, ["tunnel", "tunnels"]);
    Some(if fitting.is_empty() {
        format!("No built-in device carries that much with {tunnels}: share it among several concentrators.")
    } else {
        let shown: Vec<String> = fitting.iter().map(name).collect();
        format!(
            "The smallest devices with that throughput on their data sheets and room for {tunnels}, one of each maker: {}.",
            list(&shown)
        )
    })
}

/// The answer and what it rests on; `find` is what was asked for, as on the command line.
#[must_use]
pub fn finding(plan: &PlanResult, find: &str, setting: &str) -> Finding {
    let rows = plan.answer.evidence.iter().map(|tried| row(plan, tried)).collect();
    let head = ["value", "limit", "measured", "mean over days", "days"].map(str::to_owned).to_vec();
    let table = ChartTable { head, rows };
    let mut cautions = Vec::new();
    if !plan.answer.precise {
        cautions.push("The stated precision was not reached: allow more days with `--budget`.".to_owned());
    }
    if devices(plan).is_some() {
        let caution = "A data sheet's throughput is an upper bound: small packets and inspection leave less. `headend profiles` says \
                       where each figure stands; check it before you order.";
        cautions.push(caution.to_owned());
    }
    Finding {
        name: format!("plan-{find}"),
        question: plan.question.clone(),
        setting: setting.to_owned(),
        answer: std::iter::once(sentence(plan)).chain(devices(plan)).collect(),
        chart: Some(chart(plan, &table)),
        evidence: vec![Evidence {
            title: format!("What was tried (limit {})", figure(plan.limit, plan.kind)),
            table,
            keys: 1,
        }],
        cautions,
        method: vec![
            format!(
                "{} simulated days, seed {}. Every value saw the same days; {}",
                plan.answer.runs,
                plan.seed,
                method(plan)
            ),
            format!(
                "Only {} was looked at. To see what else changes, write the value into the scenario and run it.",
                quoted(&plan.target)
            ),
        ],
        csv: csv(plan),
    }
}

fn method(plan: &PlanResult) -> &'static str {
    if plan.knob.has_best() {
        "the best of a grid was selected, then the best of it and what lies halfway to its neighbours, twice (KN with an \
         indifference zone; Kim & Nelson 2001). This assumes that there is only one lowest place."
    } else {
        "the two with most days stand on either side of the crossing, and the interval is Student's on jackknife pseudo-values of \
         where the line between them crosses the limit (Miller 1974)."
    }
}

fn row(plan: &PlanResult, tried: &Tried) -> Vec<String> {
    let verdict = if tried.measure <= plan.limit { "within" } else { "beyond" };
    vec![
        finely(&plan.knob, tried.value),
        verdict.to_owned(),
        figure(tried.measure, plan.kind),
        interval(&tried.mean, plan.kind),
        tried.days.to_string(),
    ]
}

/// What was tried as tidy CSV.
fn csv(plan: &PlanResult) -> String {
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
const TOP: i32 = 20;
const BOTTOM: i32 = 300;

/// The measure against the value, the limit, and the answer's interval.
fn chart(plan: &PlanResult, table: &ChartTable) -> Chart {
    Chart {
        name: "plan",
        title: sentence(plan),
        note: format!(
            "Each dot is a value that was tried, with what {} measures there over the same days. The green band is the answer's \
             95 % interval; the red line is the limit.",
            quoted(&plan.target)
        ),
        svg: picture(plan),
        table: table.clone(),
    }
}

fn picture(plan: &PlanResult) -> String {
    let tried = &plan.answer.evidence;
    let values = || tried.iter().map(|tried| tried.value);
    let (least, greatest) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let margin = if greatest > least { (greatest - least) * 0.05 } else { 1.0 };
    let (left, right) = ((least - margin).max(0.0), greatest + margin);
    // Values far beyond the limit are drawn at the edge: the chart shows the crossing.
    let most = tried.iter().map(|tried| tried.measure).fold(plan.limit * 1.5, f64::max).min(plan.limit * 4.0);
    #[allow(clippy::cast_possible_truncation)] // within the picture
    let x = |value: f64| {
        LEFT + (((value - left) / (right - left)).clamp(0.0, 1.0) * f64::from(RIGHT - LEFT)).round() as i32
    };
    #[allow(clippy::cast_possible_truncation)]
    let y = |value: f64| BOTTOM - ((value / most).clamp(0.0, 1.0) * f64::from(BOTTOM - TOP)).round() as i32;
    sheet(350, |area| {
        if let Crossing::Crosses(_, (low, high)) | Crossing::Least(_, (low, high)) = plan.answer.outcome {
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
