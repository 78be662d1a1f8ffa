//! What is forecast of a scenario, in words.

use crate::report::table::{columns, wrapped};
use crate::report::tidy::CsvRows;
use crate::report::verdict::mark;
use crate::report::words::{figure, list, measured, number, quoted};
use crate::scenario::{Setup, Study};
use crate::study::figures::{TargetKind, kind};
use crate::study::forecast::outlook::{DayForecast, Spell, outlook};
use crate::study::results::Verdict;
use crate::units::{DAY, NANOS, TimeOfDay};

/// The forecast of each set-up: targets first, then when it is full.
#[must_use]
pub fn text(study: &Study, setups: &[(&Setup, DayForecast)]) -> String {
    let mut text = format!("{}\n{}: forecast, not simulated\n", wrapped(&study.question, ""), study.when);
    for (place, target) in study.targets.iter().enumerate() {
        let row = |(setup, day): &(&Setup, DayForecast)| {
            let found = day.targets[place];
            let verdict = outlook(found, target);
            let said = figure_of(found, kind(target.measure));
            vec![setup.title.clone(), format!("{} {}", mark(verdict), word(verdict, found)), said]
        };
        text += &format!("\n{}\n{}", target.title, columns(&setups.iter().map(row).collect::<Vec<_>>()));
    }
    text += "\nBusiest quarter of an hour, and when a concentrator is full\n";
    let row = |(setup, day): &(&Setup, DayForecast)| {
        vec![setup.title.clone(), format!("{} %", number(100.0 * day.busiest())), spells(setup, day)]
    };
    text += &columns(&setups.iter().map(row).collect::<Vec<_>>());
    text + "\n" + &wrapped(NOTE, "") + "\n"
}

/// What is forecast of each set-up, a sentence or two each.
#[must_use]
pub(crate) fn sentences(study: &Study, setups: &[(&Setup, DayForecast)]) -> Vec<String> {
    setups.iter().map(|(setup, day)| sentence(study, setup, day)).collect()
}

fn sentence(study: &Study, setup: &Setup, day: &DayForecast) -> String {
    let who = if setup.name == "base" { "As it is".to_owned() } else { format!("With {}", quoted(&setup.title)) };
    let when = if day.spells().is_empty() {
        format!("It is never full: {} % in its busiest quarter of an hour", number((100.0 * day.busiest()).round()))
    } else {
        format!("It is full {}", from(setup, day))
    };
    let judged =
        study.targets.iter().zip(&day.targets).map(|(target, found)| (outlook(*found, target), target, *found));
    let told = match judged.rev().max_by_key(|(verdict, ..)| *verdict) {
        None => return format!("{who}: {}.", when.replacen("It is", "it is", 1)),
        Some((Verdict::Met, ..)) => format!("{who}, every target is forecast to be met"),
        Some((verdict, target, Some(found))) => {
            let kind = kind(target.measure);
            let (what, limit) = (measured(&target.title), figure(target.limit, kind));
            let hours = target.title.split_once(", ").map(|(_, hours)| format!(", {hours}")).unwrap_or_default();
            let found = figure(found, kind);
            if verdict == Verdict::Missed {
                format!("{who}, a target is forecast to be missed: {what} of {found}, not {limit} or less{hours}")
            } else {
                format!("{who}, it is close: {what} of {found}, and {limit} is the limit{hours}")
            }
        }
        Some((_, target, None)) => format!("{who}, {} is not forecast", measured(&target.title)),
    };
    format!("{told}. {when}.")
}

fn from(setup: &Setup, day: &DayForecast) -> String {
    let spells = spells(setup, day);
    if spells.starts_with(|letter: char| letter.is_ascii_digit()) {
        format!("from {spells}")
    } else {
        format!("({spells})")
    }
}

/// What is forecast of targets, as CSV: a row for each set-up and target; empty where nothing is forecast.
#[must_use]
pub fn csv(study: &Study, setups: &[(&Setup, DayForecast)]) -> String {
    let mut rows = CsvRows::new(["option", "figure", "unit", "forecast", "limit", "outlook"]);
    for (setup, day) in setups {
        for (target, found) in study.targets.iter().zip(&day.targets) {
            let verdict = outlook(*found, target);
            let cells = [
                setup.name.clone(),
                target.title.clone(),
                kind(target.measure).unit().to_owned(),
                found.map_or_else(String::new, |found| found.to_string()),
                target.limit.to_string(),
                word(verdict, *found).to_owned(),
            ];
            rows.push(cells);
        }
    }
    rows.text()
}

/// What is forecast of a set-up in a line, while it is simulated.
#[must_use]
pub fn line(setup: &Setup, day: &DayForecast) -> String {
    let when = if day.spells().is_empty() { "never full".to_owned() } else { format!("full {}", spells(setup, day)) };
    let busiest = number(100.0 * day.busiest());
    format!("forecast {}: {when}, {busiest} % in the busiest quarter of an hour; simulating ..", setup.title)
}

const NOTE: &str = "A forecast reckons with means: within 20 % of a limit it does not say on which side of it a target is, and where a few \
                    large transfers decide, chance does. `headend run` simulates what happens.";

/// The figure of a target's forecast.
pub(crate) fn figure_of(found: Option<f64>, kind: TargetKind) -> String {
    found.map_or_else(|| "not forecast".to_owned(), |found| figure(found, kind))
}

/// What is said of a target's forecast.
pub(crate) fn word(verdict: Verdict, found: Option<f64>) -> &'static str {
    match (verdict, found) {
        (Verdict::Met, _) => "met",
        (Verdict::Missed, _) => "missed",
        (Verdict::Unsure, Some(_)) => "near the limit",
        (Verdict::Unsure, None) => "",
    }
}

/// So many spells are told.
const TOLD: usize = 3;

/// The spells in which a set-up is full, in words; concentrators that are full at the same time together.
#[must_use]
pub fn spells(setup: &Setup, day: &DayForecast) -> String {
    let found = day.spells();
    if found.is_empty() {
        return "never".to_owned();
    }
    let several = setup.model.concentrators.len() > 1;
    let days = setup.model.calendar.days > 1;
    let when = |spell: &Spell| {
        let day = if days { format!("day {} ", (spell.from / 86_400.0).floor() + 1.0) } else { String::new() };
        format!("{day}{} to {}", clock((spell.from / 60.0 - 1e-6).ceil()), clock((spell.until / 60.0 + 1e-6).floor()))
    };
    let mut spells: Vec<(String, Vec<String>)> = Vec::new();
    for spell in &found {
        let (when, name) = (when(spell), setup.model.concentrators[spell.concentrator].name.clone());
        match spells.iter_mut().find(|(same, _)| *same == when) {
            Some((_, names)) => names.push(name),
            None => spells.push((when, vec![name])),
        }
    }
    let one = |(when, names): &(String, Vec<String>)| {
        if several { format!("{} {when}", list(names)) } else { when.clone() }
    };
    let mut told: Vec<String> = spells.iter().take(TOLD).map(one).collect();
    if spells.len() > TOLD {
        told.push(format!("{} more", spells.len() - TOLD));
    }
    list(&told)
}

/// A time of day, from whole minutes.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not before the run
fn clock(minutes: f64) -> String {
    TimeOfDay(minutes as u64 * 60 * NANOS % DAY).to_string()
}
