//! A fit in words: what was measured, fitted and assumed, how well it explains the series, and what it predicted.

use crate::fit::free::Move;
use crate::fit::held::{HeldDay, inside};
use crate::fit::levels::{LEAST_DAYS, WeekdayLevel};
use crate::fit::problem::{Fit, Left, NO_FIT};
use crate::fit::written::FittedNumber;
use crate::report::drawn::ChartTable;
use crate::report::finding::{Evidence, Finding};
use crate::report::held::{self, percent};
use crate::report::tidy;
use crate::report::words::{bit_rate, list, number, several};
use crate::scenario::field::WHOLE_WEEKDAYS;
use crate::units::Duration;

/// What a page of a fit shows.
pub struct FitFindings<'a> {
    /// The question of the scenario.
    pub question: String,
    /// Sites, people and day.
    pub setting: String,
    /// To what it was fitted, in a clause.
    pub from: String,
    /// The fit.
    pub fit: &'a Fit,
    /// The numbers that were fitted.
    pub numbers: &'a [FittedNumber],
    /// The days that it was fitted to, before and after; and those that were left out, after.
    pub days: [&'a [HeldDay]; 3],
    /// Length of an interval.
    pub interval: Duration,
    /// Levels by weekday.
    pub levels: &'a [WeekdayLevel],
    /// What else a reader should know.
    pub cautions: Vec<String>,
    /// Assumed numbers that are left.
    pub assumed: usize,
    /// Where the fitted scenario is.
    pub file: String,
}

/// Whether the fitted scenario explains the series.
#[must_use]
pub fn explains(fit: &Fit, left_out: &[HeldDay]) -> bool {
    fit.beyond <= NO_FIT && held::holds(left_out)
}

/// The page, the table and the words of a fit.
#[must_use]
pub fn finding(found: &FitFindings<'_>) -> Finding {
    let [before, after, left_out] = found.days;
    let mut evidence = vec![numbers(found.numbers)];
    if !found.fit.left.is_empty() {
        evidence.push(left(&found.fit.left));
    }
    if found.numbers.len() > 1 {
        evidence.push(correlation(found));
    }
    if !left_out.is_empty() {
        evidence.push(held::evidence("The days that were left out, predicted", left_out));
    }
    evidence.push(held::evidence("The days that it was fitted to", after));
    if !found.levels.is_empty() {
        evidence.push(levels(found.levels));
    }
    let shown = if left_out.is_empty() { after } else { left_out };
    let title = if left_out.is_empty() { fitted_title(before, after) } else { predicted_title(left_out) };
    Finding {
        name: "fit".to_owned(),
        question: found.question.clone(),
        setting: found.setting.clone(),
        answer: answer(found),
        chart: Some(held::chart("fit", title, shown)),
        evidence,
        cautions: cautions(found),
        method: method(found),
        csv: csv(found.numbers),
    }
}

fn answer(found: &FitFindings<'_>) -> Vec<String> {
    let [before, after, left_out] = found.days;
    let mut answer = Vec::new();
    if found.fit.beyond > NO_FIT {
        answer.push(format!(
            "No numbers were found that make this scenario explain the series: at best it is {} times as far off as chance makes a day \
             of it. Its shapes of the day are wrong, or something is not in it; what is fitted below is not to be used.",
            number(found.fit.beyond)
        ));
    }
    answer.push(fitted_title(before, after) + ".");
    answer.extend(groups(found.numbers).into_iter().map(|group| sentence(&group)));
    let rate = |bits: f64| bit_rate(bits / found.interval.secs());
    answer.push(format!(
        "What is wanted in the busiest {} min is {}; as it was written it would be {}.",
        number(found.interval.secs() / 60.0),
        rate(found.fit.peak[1]),
        rate(found.fit.peak[0])
    ));
    if !left_out.is_empty() {
        answer.push(predicted_title(left_out) + ".");
        if !held::holds(left_out) {
            answer
                .push("More of them lie outside than chance makes: on other days the scenario is another.".to_owned());
        }
    }
    answer.push(format!(
        "{} in the scenario; {} still assumed. The fitted scenario: {}",
        several(found.numbers.len(), ["number is now fitted", "numbers are now fitted"]),
        several(found.assumed, ["is", "are"]),
        found.file
    ));
    answer
}

/// Numbers that were moved together.
fn groups(numbers: &[FittedNumber]) -> Vec<Vec<&FittedNumber>> {
    let mut groups: Vec<Vec<&FittedNumber>> = Vec::new();
    for number in numbers {
        match groups.iter_mut().find(|group| number.with.contains(&group[0].path)) {
            Some(group) => group.push(number),
            None => groups.push(vec![number]),
        }
    }
    groups
}

fn sentence(group: &[&FittedNumber]) -> String {
    let first = group[0];
    let (by, low, high) = first.by;
    let names = list(&group.iter().map(|number| number.path.clone()).collect::<Vec<String>>());
    match first.move_by {
        Move::Factor => {
            let joint = if group.len() > 1 { ", one factor for all: the series cannot tell them apart" } else { "" };
            format!(
                "{names}: {} times what was written ({} to {} in nine of ten cases){joint}.",
                number(by),
                number(low),
                number(high)
            )
        }
        Move::Shift => {
            let way = if by < 0.0 { "earlier" } else { "later" };
            let (least, most) = if by < 0.0 { (-high, -low) } else { (low, high) };
            format!(
                "{names}: {} min {way} than written, at {} ({} to {} min in nine of ten cases).",
                number(by.abs()),
                first.after,
                number(least),
                number(most)
            )
        }
    }
}

/// The mean share by which days differ.
#[allow(clippy::cast_precision_loss)] // days
fn error(days: &[HeldDay]) -> f64 {
    days.iter().map(HeldDay::error).sum::<f64>() / days.len().max(1) as f64
}

fn fitted_title(before: &[HeldDay], after: &[HeldDay]) -> String {
    format!(
        "Fitted, the scenario is {} off what was counted, interval by interval; as it was written, {}",
        percent(error(after)),
        percent(error(before))
    )
}

fn predicted_title(left_out: &[HeldDay]) -> String {
    let off = percent(error(left_out));
    match inside(left_out) {
        (1, 1) => {
            format!("The day that was left out lies where the fitted scenario says, {off} off interval by interval")
        }
        (0, 1) => format!(
            "The day that was left out does not lie where the fitted scenario says, {off} off interval by interval"
        ),
        (inside, all) => format!(
            "Of {all} days that were left out, {inside} lie where the fitted scenario says, {off} off interval by interval"
        ),
    }
}

fn numbers(numbers: &[FittedNumber]) -> Evidence {
    // Most are fitted alone.
    let columns = if numbers.iter().all(|number| number.with.is_empty()) { 4 } else { 5 };
    let head = ["number", "written", "fitted", "90 % interval", "fitted with it"].map(str::to_owned);
    let head = head.into_iter().take(columns);
    let rows = numbers.iter().map(|number| {
        let range = format!("{} to {}", number.range.0, number.range.1);
        let row = [number.path.clone(), number.before.clone(), number.after.clone(), range, number.with.join(", ")];
        row.into_iter().take(columns).collect()
    });
    Evidence {
        title: "What was fitted".to_owned(),
        table: ChartTable { head: head.collect(), rows: rows.collect() },
        keys: 1,
    }
}

/// Levels by weekday, and the spread between the days of one.
fn levels(levels: &[WeekdayLevel]) -> Evidence {
    let head = ["weekday", "days", "times the scenario's", "between days"].map(str::to_owned);
    let rows = levels.iter().map(|level| {
        let spread = if level.days >= LEAST_DAYS[1] { format!("±{}", percent(level.spread)) } else { String::new() };
        vec![
            WHOLE_WEEKDAYS[usize::from(level.weekday.min(6))].to_owned(),
            level.days.to_string(),
            number(level.level),
            spread,
        ]
    });
    Evidence {
        title: "How much of everything days have, in the hours in which nothing is full".to_owned(),
        table: ChartTable { head: head.to_vec(), rows: rows.collect() },
        keys: 1,
    }
}

fn left(left: &[Left]) -> Evidence {
    let head = ["number", "why it was left as it was written"].map(str::to_owned);
    let rows = left.iter().map(|left| vec![left.free.name(), left.why.clone()]);
    Evidence {
        title: "What this series does not tell".to_owned(),
        table: ChartTable { head: head.to_vec(), rows: rows.collect() },
        keys: 1,
    }
}

fn correlation(found: &FitFindings<'_>) -> Evidence {
    let names: Vec<String> = found.fit.fitted.iter().map(|one| one.free.name()).collect();
    let head = std::iter::once("number".to_owned()).chain((1..=names.len()).map(|place| place.to_string()));
    let rows = names.iter().zip(&found.fit.correlation).zip(1..).map(|((name, row), place)| {
        let cells = row.iter().map(|value| number((value * 100.0).round() / 100.0));
        std::iter::once(format!("{place}: {name}")).chain(cells).collect()
    });
    Evidence {
        title: "How errors go together: correlation of what was fitted".to_owned(),
        table: ChartTable { head: head.collect(), rows: rows.collect() },
        keys: 1,
    }
}

/// A factor beyond this is seldom what a planner meant.
const FAR: f64 = 4.0;

fn cautions(found: &FitFindings<'_>) -> Vec<String> {
    let mut cautions = found.cautions.clone();
    if found.fit.beyond > NO_FIT {
        cautions.push("The intervals were widened by as much as the scenario fails to explain the series.".to_owned());
    }
    let (within, days) = inside(found.days[1]);
    if !held::holds(found.days[1]) {
        cautions.push(format!(
            "Of {days} days that it was fitted to, {within} lie where the fitted scenario says: days differ by more than chance makes, \
             or one of them is unlike the others."
        ));
    }
    let is_far = |number: &&FittedNumber| number.move_by == Move::Factor && !(1.0 / FAR..=FAR).contains(&number.by.0);
    if let Some(far) = found.numbers.iter().find(is_far) {
        cautions.push(format!(
            "{} is {} times what was written: see whether the series has the unit, the ways and the place that it is taken for.",
            far.path,
            number(far.by.0)
        ));
    }
    if days < 4 {
        cautions.push(format!(
            "It was fitted to {}: how much one differs from another beyond what the scenario makes of it is not in the intervals. \
             Four or more would tell.",
            several(days, ["day", "days"])
        ));
    }
    cautions
}

fn method(found: &FitFindings<'_>) -> Vec<String> {
    let misfit: Vec<String> = found.fit.misfit.iter().map(|bits| number(bits / found.interval.secs() / 1e6)).collect();
    vec![
        format!(
            "Fitted to {}, through the simulator: what passes a full concentrator is not what was wanted. The cumulative curve of what \
             passed was fitted by least squares, with Gauss and Newton's steps from finite differences on the same random \
             numbers. Root mean square of the difference by interval, step by step: {} Mbit/s.",
            found.from,
            misfit.join(", ")
        ),
        "Intervals: each simulated day was put in the place of the series, and what it would have moved the numbers by is what \
         chance moves them by (90 %, Student's t). They hold for what is free, the rest being as it is written."
            .to_owned(),
    ]
}

/// The fitted numbers as tidy CSV.
fn csv(numbers: &[FittedNumber]) -> String {
    let head = ["number", "written", "fitted", "low", "high", "by", "by_low", "by_high", "unit_of_by", "with"];
    let rows = numbers.iter().map(|number| {
        let unit = match number.move_by {
            Move::Factor => "times",
            Move::Shift => "min",
        };
        let [by, low, high] = [number.by.0, number.by.1, number.by.2].map(tidy::known);
        [
            number.path.clone(),
            number.before.clone(),
            number.after.clone(),
            number.range.0.clone(),
            number.range.1.clone(),
            by,
            low,
            high,
            unit.to_owned(),
            number.with.join(" "),
        ]
    });
    tidy::csv(head, rows)
}
