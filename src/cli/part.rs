//! `headend part`: the runs of one part of a plan, simulated and kept.

use std::collections::BTreeMap;
use std::path::Path;

use clap::ValueEnum;
use rayon::prelude::*;

use crate::cli::args::{Allowed, FidelityName, PartArgs, PartIndex};
use crate::cli::common::{bar, load, override_with, say};
use crate::cli::compare::measured_in;
use crate::cli::plan::{knob, lose};
use crate::cli::run::set_fidelity;
use crate::cli::stop::{STOP, Stop};
use crate::disk;
use crate::model::Model;
use crate::plan::Question;
use crate::plan::answer::Criterion;
use crate::report::words::several;
use crate::scale::fault::ScaleFault;
use crate::scale::index::of_environment;
use crate::scale::job::{Job, PlannedRun, Recipe, RunKind, Sought};
use crate::scenario::Study;
use crate::scenario::check::target::Target;
use crate::study::days::{self, Days};
use crate::study::record::FocusClass;
use crate::study::run::{keep_run, kept};
use crate::study::{RunOptions, StudyError};
use crate::units::{Text, TimeOfDay};

pub(super) fn part(args: &PartArgs, terms: Allowed) -> Result<u8, Stop> {
    let job = Job::read(&args.plan)?;
    let index = match args.index {
        PartIndex::Number(index) => index,
        PartIndex::Auto => of_environment(|name| std::env::var(name).ok()).map_err(ScaleFault::Plan)?,
    };
    let part = job.plan.part(index)?;
    let Some(into) = args.into.clone().or_else(|| job.is_in_place().then(|| job.kept())) else {
        let title =
            format!("{} is not where the plan was made, so its kept runs are not known", disk::shown(&job.folder));
        let help = "name the folder in which runs are kept with `--into DIR`";
        return Err(Stop::Input(format!("error: {title}\n  = help: {help}")));
    };
    let bar = bar("{wide_bar} {pos}/{len} runs, about {eta} left");
    bar.set_length(part.runs.len() as u64);
    let mut prepared: BTreeMap<usize, Prepared> = BTreeMap::new();
    for run in &part.runs {
        if let std::collections::btree_map::Entry::Vacant(place) = prepared.entry(run.recipe) {
            let recipe = job.plan.recipes.get(run.recipe).ok_or_else(|| wrong("names a recipe that is not there"))?;
            place.insert(Prepared::of(recipe, &job.folder, terms)?);
        }
    }
    // All are looked at before the first is simulated.
    for (recipe, prepared) in &prepared {
        prepared.is_planned(part.runs.iter().filter(|run| run.recipe == *recipe), &into)?;
    }
    let work = |run: &PlannedRun| -> Result<(), Stop> {
        let done = prepared[&run.recipe].keep(run, &into);
        bar.inc(1);
        done
    };
    let done = part.runs.par_iter().map(work).collect::<Result<(), Stop>>();
    bar.finish_and_clear();
    match done {
        Ok(()) => {
            let runs = several(part.runs.len(), ["run is", "runs are"]);
            say(&format!("part {index}: {runs} kept in {}", disk::shown(&into)))
        }
        Err(Stop::Study(StudyError::Stopped)) => Err(Stop::Kept(into)),
        Err(other) => Err(other),
    }
}

/// A plan whose runs are not what they are said to be.
fn wrong(what: &str) -> Stop {
    let help = "repeat the command that made the plan; what is kept already stays";
    ScaleFault::Plan(format!("the plan {what}\n  = help: {help}")).into()
}

/// What a recipe makes of its scenario.
enum Prepared {
    /// A set-up of a study, of which all is measured.
    Run { study: Box<Study>, place: usize, records: bool },
    /// A model, of which targets are measured.
    Day { model: Box<Model>, asked: (Vec<Target>, FocusClass) },
}

impl Prepared {
    fn of(recipe: &Recipe, folder: &Path, terms: Allowed) -> Result<Self, Stop> {
        let (mut study, place) = study(recipe, folder, terms)?;
        match &recipe.measure {
            RunKind::Run { records } => Ok(Self::Run { study: study.into(), place, records: *records }),
            RunKind::Compare { targets } => {
                let file = folder.join(targets);
                let (first, _) = load(&file, terms)?;
                let asked = measured_in(&first, &study, &file)?;
                let mut model = study.setups.swap_remove(place).model;
                // As the selection has it.
                model.antithetic = false;
                Ok(Self::Day { model: model.into(), asked })
            }
            RunKind::Plan(sought) => at_value(&study, place, sought),
        }
    }

    /// Refuses runs whose files are not those that the plan names: all that decides what is in them is in their names.
    fn is_planned<'a>(&self, runs: impl Iterator<Item = &'a PlannedRun>, into: &Path) -> Result<(), Stop> {
        let (cache, records) = match self {
            Self::Run { study, place, records } => (kept(study, &study.setups[*place], into), *records),
            Self::Day { model, asked } => (days::kept(model, &asked.0, asked.1, into), false),
        };
        let is_planned = |run: &PlannedRun| run.file == cache.file(run.replication, records);
        if runs.into_iter().all(is_planned) {
            Ok(())
        } else {
            Err(wrong("was made for another scenario than the one in its folder"))
        }
    }

    /// Simulates a run, unless it is kept, and keeps it.
    fn keep(&self, run: &PlannedRun, into: &Path) -> Result<(), Stop> {
        match self {
            Self::Run { study, place, records } => {
                let keep = Some(into.to_owned());
                // Where records go, in messages alone: they are kept beside the run.
                let records = records.then(|| into.join(&run.file));
                let settings = RunOptions { stop: &STOP, progress: &|_| {}, keep, records, here: true };
                Ok(keep_run(study, *place, run.replication, &settings)?)
            }
            Self::Day { model, asked } => {
                let days = Days { stop: &STOP, progress: &|| (), keep: Some(into.to_owned()), here: true };
                let models = std::slice::from_ref(&**model);
                days.measure(models, std::slice::from_ref(asked), &[(0, run.replication)])?;
                Ok(())
            }
        }
    }
}

/// The study of a recipe, with what the command line changed in it, and the place of its set-up.
fn study(recipe: &Recipe, folder: &Path, terms: Allowed) -> Result<(Study, usize), Stop> {
    let (mut study, _) = load(&folder.join(&recipe.scenario), terms)?;
    override_with(&mut study, recipe.seed, None);
    let fidelity = recipe.fidelity.as_deref().map(|name| FidelityName::from_str(name, false)).transpose();
    set_fidelity(&mut study, fidelity.map_err(|_| wrong("names a fidelity that is not there"))?, recipe.grain);
    if recipe.target_hours {
        study.end_with_targets();
    }
    if let Some(name) = &recipe.lose {
        lose(&mut study, name)?;
    }
    let place = study.setups.iter().position(|setup| setup.name == recipe.setup);
    let place = place.ok_or_else(|| wrong("names a set-up that is not there"))?;
    Ok((study, place))
}

/// The model with a parameter at a value.
fn at_value(study: &Study, place: usize, sought: &Sought) -> Result<Prepared, Stop> {
    let at = TimeOfDay::read(&sought.at).map_err(|_| wrong("has a time that is none"))?;
    let value: f64 = sought.value.parse().map_err(|_| wrong("has a value that is no number"))?;
    let setup = &study.setups[place];
    let question = Question {
        study,
        setup,
        target: sought.target,
        knob: knob(&sought.find, sought.of.as_deref(), at, setup)?,
        criterion: Criterion::Mean,
        precision: 1.0,
        most: 1,
    };
    Ok(if sought.whole {
        Prepared::Run { study: question.at(value).into(), place: 0, records: false }
    } else {
        let model = question.knob.set(&question.base(), value).into();
        Prepared::Day { model, asked: question.asked() }
    })
}
