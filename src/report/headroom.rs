//! Headroom: the month in which each target is first missed, for each set-up.

use jiff::civil::Date;

use crate::plan::Plan;
use crate::plan::search::Outcome;
use crate::report::table::{columns, wrapped};
use crate::report::tidy::{self, known};
use crate::report::words::number;
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

fn until(when: &str, plan: &Plan) -> (String, String) {
    match plan.answer.outcome {
        Outcome::Crosses(years, (low, high)) | Outcome::Least(years, (low, high)) => {
            let range = (month(when, low), month(when, high));
            let certainty = if range.0 == range.1 { String::new() } else { format!("{} to {}", range.0, range.1) };
            (month(when, years), certainty)
        }
        Outcome::Holds(_) => ("not within 30 years".to_owned(), String::new()),
        Outcome::Fails(_) => ("missed already".to_owned(), String::new()),
    }
}

/// For the terminal: a sentence, then a row for each set-up and target.
#[must_use]
pub fn summary(question: &str, when: &str, plans: &[Plan]) -> String {
    let mut text = format!("{question}\n\n");
    for setup in setups(plans) {
        let first = plans.iter().filter(|plan| plan.setup == setup).min_by(|a, b| years(a).total_cmp(&years(b)));
        if let Some(plan) = first {
            let who = if setup == "as it is" { "As it is".to_owned() } else { format!("With \u{201c}{setup}\u{201d}") };
            let sentence = match plan.answer.outcome {
                Outcome::Fails(_) => format!("{who}, \u{201c}{}\u{201d} is missed already.", plan.target),
                Outcome::Holds(_) => format!("{who}, growth breaks no target within 30 years."),
                Outcome::Crosses(..) | Outcome::Least(..) => {
                    let (month, certainty) = until(when, plan);
                    let certainty =
                        if certainty.is_empty() { certainty } else { format!(" ({certainty} with 95 % confidence)") };
                    format!(
                        "{who}, \u{201c}{}\u{201d} is the first to be missed, in {month}{certainty}{}.",
                        plan.target,
                        limit(plan)
                    )
                }
            };
            text += &format!("{}\n", wrapped(&sentence, ""));
        }
    }
    let mut rows = vec![
        ["set-up", "target", "first missed", "95 % interval", "what limits", "days simulated"]
            .map(str::to_owned)
            .to_vec(),
    ];
    rows.extend(plans.iter().map(|plan| {
        let (month, certainty) = until(when, plan);
        vec![
            plan.setup.clone(),
            plan.target.clone(),
            month,
            certainty,
            named(plan).to_owned(),
            plan.answer.runs.to_string(),
        ]
    }));
    text + "\n" + &columns(&rows)
}

/// What holds traffic up by then, in a table.
fn named(plan: &Plan) -> &'static str {
    match plan.limit_there {
        None => "",
        Some(Limit::None) => "peaks below 15 min",
        Some(limit) => limit.name(),
    }
}

/// The same, in a sentence.
fn limit(plan: &Plan) -> String {
    match plan.limit_there {
        None => String::new(),
        Some(Limit::None) => "; no quarter of an hour is full then, only shorter peaks are".to_owned(),
        Some(limit) => format!("; what limits is {}", limit.name()),
    }
}

fn years(plan: &Plan) -> f64 {
    match plan.answer.outcome {
        Outcome::Crosses(years, _) | Outcome::Least(years, _) => years,
        Outcome::Holds(_) => f64::INFINITY,
        Outcome::Fails(_) => 0.0,
    }
}

fn setups(plans: &[Plan]) -> Vec<&str> {
    let mut setups: Vec<&str> = Vec::new();
    for plan in plans {
        if !setups.contains(&plan.setup.as_str()) {
            setups.push(&plan.setup);
        }
    }
    setups
}

/// As tidy CSV.
#[must_use]
pub fn csv(when: &str, plans: &[Plan]) -> String {
    let rows = plans.iter().map(|plan| {
        let [years, low, high] = match plan.answer.outcome {
            Outcome::Crosses(years, (low, high)) | Outcome::Least(years, (low, high)) => [years, low, high].map(known),
            Outcome::Holds(_) => ["", "30", ""].map(str::to_owned),
            Outcome::Fails(_) => ["0", "", "0"].map(str::to_owned),
        };
        let limit = named(plan).to_owned();
        [plan.setup.clone(), plan.target.clone(), years, low, high, until(when, plan).0, limit]
    });
    tidy::csv(["option", "target", "years", "years_low", "years_high", "month", "limit"], rows)
}
