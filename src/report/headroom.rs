//! Headroom: the month in which each target is first missed, for each set-up.

use jiff::civil::Date;

use crate::plan::PlanResult;
use crate::plan::answer::Crossing;
use crate::report::chart::nice;
use crate::report::chart::ranges::{self, RangeRow, RangeScale};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::finding::{Evidence, Finding};
use crate::report::tidy::{self, known};
use crate::report::words::{number, quoted};
use crate::study::limits::Limit;

/// The month that lies so many years after a date (or the years themselves, where the run has no date).
fn month(when: &str, years: f64) -> String {
    #[allow(clippy::cast_possible_truncation)] // at most 30 years
    let months = (years * 12.0).floor() as i32;
    let date = when.parse::<Date>().ok().and_then(|date| date.checked_add(jiff::Span::new().months(months)).ok());
    match date {
        Some(date) => date.strftime("%B %Y").to_string(),
        None => format!("after {} years", number(years)),
    }
}

fn until(when: &str, plan: &PlanResult) -> (String, String) {
    match plan.answer.outcome {
        Crossing::Crosses(years, (low, high)) | Crossing::Least(years, (low, high)) => {
            let range = (month(when, low), month(when, high));
            // `after 3 to after 4 years` says it twice.
            let to = range.1.strip_prefix("after ").unwrap_or(&range.1);
            let from = if to == range.1 { &range.0 } else { range.0.trim_end_matches(" years") };
            let certainty = if range.0 == range.1 { String::new() } else { format!("{from} to {to}") };
            (month(when, years), certainty)
        }
        Crossing::Holds(_) => ("not within 30 years".to_owned(), String::new()),
        Crossing::Fails(_) => ("missed already".to_owned(), String::new()),
    }
}

/// By set-up: which target is missed first, and when.
fn sentences(when: &str, plans: &[PlanResult]) -> Vec<String> {
    let first = |setup| plans.iter().filter(|plan| plan.setup == setup).min_by(|a, b| years(a).total_cmp(&years(b)));
    setups(plans).into_iter().filter_map(first).map(|plan| sentence(when, plan)).collect()
}

fn sentence(when: &str, plan: &PlanResult) -> String {
    let who = if plan.setup == "as it is" { "As it is".to_owned() } else { format!("With {}", quoted(&plan.setup)) };
    match plan.answer.outcome {
        Crossing::Fails(_) => format!("{who}, {} is missed already.", quoted(&plan.target)),
        Crossing::Holds(_) => format!("{who}, every target is met for at least 30 years of growth."),
        Crossing::Crosses(..) | Crossing::Least(..) => {
            let (month, ends) = until(when, plan);
            let ends = if ends.is_empty() { ends } else { format!(" ({ends} with 95 % confidence)") };
            // A month is a time in which, a number of years one after which.
            let preposition = if when.parse::<Date>().is_ok() { "in " } else { "" };
            format!(
                "{who}, the first target to be missed is {}, {preposition}{month}{ends}{}.",
                quoted(&plan.target),
                limit(plan)
            )
        }
    }
}

/// Until when each set-up meets each target.
#[must_use]
pub fn finding(question: &str, when: &str, setting: &str, plans: &[PlanResult]) -> Finding {
    let evidence = if plans.iter().all(|plan| plan.target == plans[0].target) {
        let title = format!("When {} is first missed", quoted(&plans[0].target));
        vec![rows(when, title, "set-up", plans.iter().map(|plan| (&plan.setup, plan)))]
    } else {
        let of_setup = |setup: &str| {
            let own = plans.iter().filter(|plan| plan.setup == setup).map(|plan| (&plan.target, plan));
            rows(when, format!("When each target is first missed: {setup}"), "target", own)
        };
        setups(plans).into_iter().map(of_setup).collect()
    };
    let table = all(when, plans);
    let mut cautions = Vec::new();
    if plans.iter().any(|plan| !plan.answer.precise) {
        cautions.push("The stated precision was not reached everywhere: allow more days with `--budget`.".to_owned());
    }
    Finding {
        name: "headroom".to_owned(),
        question: question.to_owned(),
        setting: setting.to_owned(),
        answer: sentences(when, plans),
        chart: Some(chart(when, plans, &table)),
        evidence,
        cautions,
        method: vec![
            "Classes grow as their `growth` says, from the date of the scenario; nothing else changes. For each set-up and target, \
             the growth was sought at which the target is just met, on the same days throughout; intervals are Student's on \
             jackknife pseudo-values of the crossing (Miller 1974)."
                .to_owned(),
        ],
        csv: csv(when, plans),
    }
}

/// A table whose rows are named by set-up or target.
fn rows<'a>(
    when: &str,
    title: String,
    name: &str,
    plans: impl Iterator<Item = (&'a String, &'a PlanResult)>,
) -> Evidence {
    let head = [name, "first missed", "95 % interval", "what limits", "days"].map(str::to_owned);
    let row = |(name, plan): (&'a String, &'a PlanResult)| {
        let (month, ends) = until(when, plan);
        vec![name.clone(), month, ends, named(plan).to_owned(), plan.answer.runs.to_string()]
    };
    Evidence { title, table: ChartTable { head: head.to_vec(), rows: plans.map(row).collect() }, keys: 1 }
}

/// All of it in one table, behind the chart.
fn all(when: &str, plans: &[PlanResult]) -> ChartTable {
    let head = ["set-up", "target", "first missed", "95 % interval", "what limits"].map(str::to_owned);
    let row = |plan: &PlanResult| {
        let (month, ends) = until(when, plan);
        vec![plan.setup.clone(), plan.target.clone(), month, ends, named(plan).to_owned()]
    };
    ChartTable { head: head.to_vec(), rows: plans.iter().map(row).collect() }
}

/// Years that a set-up lasts, target by target.
fn chart(when: &str, plans: &[PlanResult], table: &ChartTable) -> Chart {
    let ends = |plan: &PlanResult| match plan.answer.outcome {
        Crossing::Crosses(years, ends) | Crossing::Least(years, ends) => (years, ends),
        Crossing::Holds(years) => (years, (years, years)),
        Crossing::Fails(_) => (0.0, (0.0, 0.0)),
    };
    let mut rows = Vec::new();
    for setup in setups(plans) {
        let of_setup: Vec<&PlanResult> = plans.iter().filter(|plan| plan.setup == setup).collect();
        let has_heading = of_setup.len() > 1;
        if has_heading {
            rows.push(RangeRow::Heading(setup.to_owned()));
        }
        for plan in of_setup {
            let (value, ends) = ends(plan);
            let good = !matches!(plan.answer.outcome, Crossing::Fails(_));
            let label = if has_heading { plan.target.clone() } else { setup.to_owned() };
            rows.push(RangeRow::Value { label, value, ends, good, words: until(when, plan).0 });
        }
    }
    let most = plans.iter().map(|plan| ends(plan).1.1).fold(1.0, f64::max) * 1.05;
    let show = |years: f64| match when.parse::<Date>() {
        Ok(_) => month(when, years).rsplit(' ').next().unwrap_or_default().to_owned(),
        Err(_) => number(years),
    };
    let scale = RangeScale {
        most,
        step: nice(most / 6.0).max(1.0),
        show: &show,
        lines: Vec::new(),
        now: 0.0,
        keys: Vec::new(),
    };
    Chart {
        name: "headroom",
        title: sentences(when, plans).into_iter().next().unwrap_or_default(),
        note: "Until when each target is met, with the 95 % interval; a ring at the left edge is missed already."
            .to_owned(),
        svg: ranges::draw(&rows, &scale),
        table: table.clone(),
    }
}

/// The limits that bind by then, in a table.
fn named(plan: &PlanResult) -> &'static str {
    match plan.limit_there {
        None => "",
        Some(Limit::None) => "peaks below 15 min",
        Some(limit) => limit.name(),
    }
}

/// The same, in a sentence.
fn limit(plan: &PlanResult) -> String {
    match plan.limit_there {
        None => String::new(),
        Some(Limit::None) => "; no quarter of an hour is full then, only shorter peaks are".to_owned(),
        Some(limit) => format!("; what limits is {}", limit.name()),
    }
}

fn years(plan: &PlanResult) -> f64 {
    match plan.answer.outcome {
        Crossing::Crosses(years, _) | Crossing::Least(years, _) => years,
        Crossing::Holds(_) => f64::INFINITY,
        Crossing::Fails(_) => 0.0,
    }
}

fn setups(plans: &[PlanResult]) -> Vec<&str> {
    let mut setups: Vec<&str> = Vec::new();
    for plan in plans {
        if !setups.contains(&plan.setup.as_str()) {
            setups.push(&plan.setup);
        }
    }
    setups
}

/// As tidy CSV.
fn csv(when: &str, plans: &[PlanResult]) -> String {
    let rows = plans.iter().map(|plan| {
        let [years, low, high] = match plan.answer.outcome {
            Crossing::Crosses(years, (low, high)) | Crossing::Least(years, (low, high)) => {
                [years, low, high].map(known)
            }
            Crossing::Holds(_) => ["", "30", ""].map(str::to_owned),
            Crossing::Fails(_) => ["0", "", "0"].map(str::to_owned),
        };
        let limit = named(plan).to_owned();
        [plan.setup.clone(), plan.target.clone(), years, low, high, until(when, plan).0, limit]
    });
    tidy::csv(["option", "target", "years", "years_low", "years_high", "month", "limit"], rows)
}
