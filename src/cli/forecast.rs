//! `headend forecast`: what is to be expected of a scenario, within a second and without simulation.

use rayon::prelude::*;
use serde::Serialize;

use crate::cli::args::{Allowed, ForecastArgs};
use crate::cli::common::{choose, load, say, say_json};
use crate::cli::stop::Stop;
use crate::report;
use crate::scenario::{Setup, Study};
use crate::study::forecast::outlook::{DayForecast, Spell, outlook};
use crate::study::results::Verdict;

pub(super) fn forecast(args: &ForecastArgs, terms: Allowed) -> Result<u8, Stop> {
    let (study, _) = load(&args.file, terms)?;
    let chosen = choose(&study, &args.options)?;
    if study.setups[0].model.replay.is_some() {
        let help = "what it holds is known; `headend run` simulates it";
        return Err(Stop::Input(format!("error: a replay is not forecast: {help}")));
    }
    let days: Vec<(&Setup, DayForecast)> = chosen
        .into_par_iter()
        .map(|place| (&study.setups[place], DayForecast::of(&study.setups[place].model, &study.targets)))
        .collect();
    if args.json {
        say_json(&written(&study, &days))?
    } else {
        say(&report::forecast::text(&study, &days))?
    };
    let met = |(_, day): &(&Setup, DayForecast)| {
        let mut verdicts = study.targets.iter().zip(&day.targets).map(|(target, figure)| outlook(*figure, target));
        verdicts.all(|verdict| verdict != Verdict::Missed)
    };
    Ok(u8::from(!days.iter().any(met)))
}

/// The forecast as JSON.
#[derive(Serialize)]
struct Written<'a> {
    question: &'a str,
    setups: Vec<WrittenSetup<'a>>,
}

#[derive(Serialize)]
struct WrittenSetup<'a> {
    name: &'a str,
    title: &'a str,
    targets: Vec<WrittenTarget<'a>>,
    busiest_quarter: f64,
    full: Vec<WrittenSpell<'a>>,
}

/// When a concentrator is full [s since midnight of the first day].
#[derive(Serialize)]
struct WrittenSpell<'a> {
    concentrator: &'a str,
    from: f64,
    until: f64,
}

#[derive(Serialize)]
struct WrittenTarget<'a> {
    target: &'a str,
    limit: f64,
    figure: Option<f64>,
    verdict: Verdict,
}

fn written<'a>(study: &'a Study, days: &[(&'a Setup, DayForecast)]) -> Written<'a> {
    let target = |day: &DayForecast, place: usize| {
        let (target, figure) = (&study.targets[place], day.targets[place]);
        WrittenTarget { target: &target.title, limit: target.limit, figure, verdict: outlook(figure, target) }
    };
    let setup = |(setup, day): &(&'a Setup, DayForecast)| WrittenSetup {
        name: &setup.name,
        title: &setup.title,
        targets: (0..study.targets.len()).map(|place| target(day, place)).collect(),
        busiest_quarter: day.busiest(),
        full: day.spells().iter().map(|spell| spell_of(setup, spell)).collect(),
    };
    Written { question: &study.question, setups: days.iter().map(setup).collect() }
}

fn spell_of<'a>(setup: &'a Setup, spell: &Spell) -> WrittenSpell<'a> {
    let concentrator = &setup.model.concentrators[spell.concentrator].name;
    WrittenSpell { concentrator, from: spell.from.round(), until: spell.until.round() }
}
