//! `plan` and `headroom`: inverse questions.

use crate::cli::args::{Allowed, Headroom, PlanArgs, PlanEffort};
use crate::cli::bundle::Bundle;
use crate::cli::common::{affordable, bar, choose, load, override_with, tell};
use crate::cli::elsewhere::{Shipment, all, until_done};
use crate::cli::output::Output;
use crate::cli::stop::{STOP, Stop};
use crate::model::{ConcentratorId, Fault, FaultKind};
use crate::plan::answer::{Criterion, Crossing};
use crate::plan::knob::Knob;
use crate::plan::{PlanResult, Question, limit_at};
use crate::report;
use crate::report::finding::setting;
use crate::scale::job::{Recipe, RunKind, Sought};
use crate::scale::wanting::Wanting;
use crate::scenario::problem::did_you_mean;
use crate::scenario::{Setup, Study};
use crate::study::StudyError;
use crate::study::cost::Extent;
use crate::study::days::Days;
use crate::study::error::MissingRun;
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
    let shipped = Shipment::of(&text, &study.files);
    let asked = Asked { find: &args.find, of: args.of.as_deref(), at, lose: None, effort: &args.effort };
    let questions = std::slice::from_ref(&question);
    let found = Answers { asked, output: &output, shipped }.to(questions)?.remove(0);
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

pub(super) fn knob(find: &str, of: Option<&str>, at: TimeOfDay, setup: &Setup) -> Result<Knob, Stop> {
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

/// A question as it was asked on the command line.
struct Asked<'a> {
    find: &'a str,
    of: Option<&'a str>,
    at: TimeOfDay,
    lose: Option<&'a str>,
    effort: &'a PlanEffort,
}

/// Answers questions about a scenario; days that are known are not simulated again.
struct Answers<'a> {
    asked: Asked<'a>,
    output: &'a Output,
    shipped: Shipment,
}

impl Answers<'_> {
    /// The answers, in the order of the questions. Those that miss runs which are to be simulated elsewhere miss them together.
    fn to(&self, questions: &[Question<'_>]) -> Result<Vec<PlanResult>, Stop> {
        let bar = bar("{spinner} {pos} days simulated");
        let found = until_done(&self.asked.effort.scale, self.output, &self.output.kept(), || {
            bar.set_position(0);
            all(questions.len(), |place| self.answer(&questions[place], &bar))
        });
        bar.finish_and_clear();
        found
    }

    fn answer(&self, question: &Question<'_>, bar: &indicatif::ProgressBar) -> Result<PlanResult, Stop> {
        let here = self.asked.effort.scale.on.is_none();
        let days = Days { stop: &STOP, progress: &|| bar.inc(1), keep: Some(self.output.kept()), here };
        let mut found = crate::plan::plan(question, &days).map_err(|fault| self.stop(fault, question, None))?;
        let there = match (&question.knob, found.answer.outcome) {
            (Knob::Years, Crossing::Crosses(years, _)) => Some(years),
            (Knob::Throughput(_) | Knob::Concentrators(_), Crossing::Fails(most)) => Some(most),
            _ => None,
        };
        let limit = |there| limit_at(question, there, &days).map_err(|fault| self.stop(fault, question, Some(there)));
        found.limit_there = there.map(limit).transpose()?;
        Ok(found)
    }

    /// Why there is no answer. Missing runs are of the target alone, or of all at a value.
    fn stop(&self, fault: StudyError, question: &Question<'_>, whole: Option<f64>) -> Stop {
        let StudyError::Missing(runs) = fault else { return self.output.stop(fault) };
        let Asked { find, of, at, lose, effort } = &self.asked;
        let sought = |run: &MissingRun| Sought {
            target: question.target,
            find: (*find).to_owned(),
            of: of.map(str::to_owned),
            at: at.to_string(),
            value: whole.or(run.value).unwrap_or_default().to_string(),
            whole: whole.is_some(),
        };
        let recipe = |run: &MissingRun| Recipe {
            seed: effort.seed,
            lose: lose.map(str::to_owned),
            ..self.shipped.recipe(&question.setup.name, RunKind::Plan(sought(run)))
        };
        // At another value it costs about as much.
        Stop::Missing(Wanting::of(runs, self.shipped.files.clone(), recipe, |_| &question.setup.model))
    }
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
    let mut questions = Vec::new();
    for place in chosen {
        let setup = &study.setups[place];
        for target in 0..study.targets.len() {
            questions.push(Question {
                study: &study,
                setup,
                target,
                knob: knob("years", None, TimeOfDay(0), setup)?,
                criterion: criterion(args.days),
                precision: args.effort.precision,
                most: args.effort.budget,
            });
        }
    }
    let shipped = Shipment::of(&text, &study.files);
    let lost = args.lose.as_deref();
    let asked = Asked { find: "years", of: None, at: TimeOfDay(0), lose: lost, effort: &args.effort };
    let found = Answers { asked, output: &output, shipped }.to(&questions)?;
    let finding = report::headroom::finding(&study.question, &study.when, &setting(&study), &found);
    let bundles = [Bundle::of(&text, &study.files)];
    tell(&finding, &output, &bundles, std::slice::from_ref(&args.file), args.effort.json.then_some(&found))?;
    let setups: Vec<&str> = found.iter().map(|plan| plan.setup.as_str()).collect();
    let good = |setup: &&str| !found.iter().filter(|plan| plan.setup == **setup).any(fails);
    Ok(u8::from(!setups.iter().any(good)))
}

/// A concentrator is away all the time, in every set-up.
pub(super) fn lose(study: &mut Study, name: &str) -> Result<(), Stop> {
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
