//! `plan` and `headroom`: inverse questions.

use crate::cli::args::{Allowed, Headroom, PlanArgs};
use crate::cli::bundle::Bundle;
use crate::cli::common::{affordable, bar, choose, load, override_with, tell};
use crate::cli::output::Output;
use crate::cli::stop::{STOP, Stop};
use crate::model::{ConcentratorId, Fault, FaultKind};
use crate::plan::PlanResult;
use crate::plan::Question;
use crate::plan::answer::{Criterion, Crossing};
use crate::plan::knob::Knob;
use crate::report;
use crate::report::finding::setting;
use crate::scenario::problem::did_you_mean;
use crate::scenario::{Setup, Study};
use crate::study::cost::Extent;
use crate::study::days::Days;
use crate::units::{DAY, Time, TimeOfDay};

/// Days that an answer takes at least.
const LEAST: u32 = 10;

fn criterion(days: Option<f64>) -> Criterion {
    days.map_or(Criterion::Mean, Criterion::Days)
}

pub(super) fn plan(args: &PlanArgs, terms: Allowed) -> Result<u8, Stop> {
    let (mut study, text) = load(&args.file, terms)?;
    override_with(&mut study, args.effort.seed, None);
    let place = match &args.option {
        Some(name) => choose(&study, std::slice::from_ref(name))?.pop().unwrap_or(0),
        None => 0,
    };
    let setup = &study.setups[place];
    if study.targets.get(args.target.wrapping_sub(1)).is_none() {
        let help = "write `--target N`, counted from 1, and a [[target]] in the scenario";
        let title = format!("there are {} targets in this scenario", study.targets.len());
        return Err(Stop::Input(format!("error: {title}\n  = help: {help}")));
    }
    let at = args.at.unwrap_or(study.targets[args.target - 1].from);
    let question = Question {
        study: &study,
        setup,
        target: args.target - 1,
        knob: knob(&args.find, args.of.as_deref(), at, setup)?,
        criterion: criterion(args.days),
        precision: args.effort.precision,
        most: args.effort.budget,
    };
    if question.knob.has_best() && args.days.is_some() {
        let help = "leave `--in` out: the best is what is least on an average day";
        return Err(Stop::Input(format!("error: `--in` does not go with `--find {}`\n  = help: {help}", args.find)));
    }
    let least = args.effort.budget.min(LEAST);
    affordable(&study, Extent { setups: 1, replications: least, points: 1 }, terms)?;
    let results = format!("plan-{}", args.find);
    let output = Output::prepare(args.effort.out.as_deref(), &[(&args.file, &study.files)], &results)?;
    let found = answer(&question, &output)?;
    let finding = report::plan::finding(&found, &args.find, &setting(&study));
    let bundles = [Bundle::of(&text, &study.files)];
    tell(&finding, &output, &bundles, std::slice::from_ref(&args.file), args.effort.json.then_some(&found))?;
    Ok(u8::from(fails(&found)))
}

/// No value of the knob is enough.
fn fails(plan: &PlanResult) -> bool {
    match plan.answer.outcome {
        Crossing::Fails(_) => true,
        Crossing::Crosses(..) | Crossing::Holds(_) => false,
        Crossing::Least(value, _) => plan.answer.measured(value).is_some_and(|measure| measure > plan.limit),
    }
}

fn knob(find: &str, of: Option<&str>, at: TimeOfDay, setup: &Setup) -> Result<Knob, Stop> {
    Knob::named(find, of, at, &setup.model).map_err(|(title, known)| {
        let sought = of.unwrap_or(find);
        let help = if known.is_empty() {
            "`headend plan --help` lists what can be found".to_owned()
        } else {
            did_you_mean(sought, known.iter().map(String::as_str))
        };
        Stop::Input(format!("error: {title}\n  = help: {help}"))
    })
}

/// Answers a question; days that are known are not simulated again.
fn answer(question: &Question<'_>, output: &Output) -> Result<PlanResult, Stop> {
    let bar = bar("{spinner} {pos} days simulated");
    let days = Days { stop: &STOP, progress: &|| bar.inc(1), keep: Some(output.kept()) };
    let found = crate::plan::plan(question, &days).and_then(|mut found| {
        let there = match (&question.knob, found.answer.outcome) {
            (Knob::Years, Crossing::Crosses(years, _)) => Some(years),
            (Knob::Throughput(_) | Knob::Concentrators(_), Crossing::Fails(most)) => Some(most),
            _ => None,
        };
        found.limit_there = there.map(|there| crate::plan::limit_at(question, there, &days)).transpose()?;
        Ok(found)
    });
    bar.finish_and_clear();
    found.map_err(|fault| output.stop(fault))
}

pub(super) fn headroom(args: &Headroom, terms: Allowed) -> Result<u8, Stop> {
    let (mut study, text) = load(&args.file, terms)?;
    override_with(&mut study, args.effort.seed, None);
    if let Some(name) = &args.lose {
        lose(&mut study, name)?;
    }
    let chosen = choose(&study, &args.options)?;
    let setups = chosen.len() * study.targets.len();
    affordable(&study, Extent { setups, replications: args.effort.budget.min(LEAST), points: 1 }, terms)?;
    let output = Output::prepare(args.effort.out.as_deref(), &[(&args.file, &study.files)], "headroom")?;
    let mut found = Vec::new();
    for place in chosen {
        let setup = &study.setups[place];
        for target in 0..study.targets.len() {
            let question = Question {
                study: &study,
                setup,
                target,
                knob: knob("years", None, TimeOfDay(0), setup)?,
                criterion: criterion(args.days),
                precision: args.effort.precision,
                most: args.effort.budget,
            };
            found.push(answer(&question, &output)?);
        }
    }
    let finding = report::headroom::finding(&study.question, &study.when, &setting(&study), &found);
    let bundles = [Bundle::of(&text, &study.files)];
    tell(&finding, &output, &bundles, std::slice::from_ref(&args.file), args.effort.json.then_some(&found))?;
    let setups: Vec<&str> = found.iter().map(|plan| plan.setup.as_str()).collect();
    let good = |setup: &&str| !found.iter().filter(|plan| plan.setup == **setup).any(fails);
    Ok(u8::from(!setups.iter().any(good)))
}

/// A concentrator is away all the time, in every set-up.
fn lose(study: &mut Study, name: &str) -> Result<(), Stop> {
    for setup in &mut study.setups {
        let known = || setup.model.concentrators.iter().map(|concentrator| concentrator.name.as_str());
        let Some(place) = known().position(|concentrator| concentrator == name) else {
            let help = did_you_mean(name, known());
            return Err(Stop::Input(format!("error: there is no concentrator `{name}`\n  = help: {help}")));
        };
        let until = Time(setup.model.calendar.end().0 + DAY);
        let what = FaultKind::Outage(ConcentratorId::of(place));
        setup.model.faults.push(Fault { name: None, stream: u64::MAX, from: Time(0), until, what });
    }
    Ok(())
}
