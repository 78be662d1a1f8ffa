//! `compare`: the best of several set-ups.

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use crate::cli::args::{Allowed, Compare};
use crate::cli::bundle::Bundle;
use crate::cli::common::{affordable, bar, load, override_with, tell};
use crate::cli::elsewhere::{Shipment, until_done};
use crate::cli::output::Output;
use crate::cli::stop::{STOP, Stop};
use crate::model::{ClassId, Model, SiteId};
use crate::report::compare::{Candidate, Comparison};
use crate::report::finding::setting;
use crate::report::words::several;
use crate::scale::job::{Recipe, RunKind};
use crate::scale::wanting::Wanting;
use crate::scenario::check::target::{Target, TargetSites};
use crate::scenario::problem::did_you_mean;
use crate::scenario::{Setup, Study, warn};
use crate::study::cost::Extent;
use crate::study::days::{DayResult, Days};
use crate::study::error::MissingRun;
use crate::study::record::FocusClass;
use crate::study::select::{Zone, select};
use crate::study::{StudyError, watched};
use crate::units::visible;
use crate::{disk, report};

pub(super) fn compare(args: &Compare, terms: Allowed) -> Result<u8, Stop> {
    if args.first > args.budget {
        let title = format!("`--first {}` is more than `--budget {}`", args.first, args.budget);
        return Err(Stop::Input(format!("error: {title}\n  = help: write as many days at most as at first, or more")));
    }
    let mut all: Vec<(String, Setup)> = Vec::new();
    let mut asked: Vec<(Vec<Target>, FocusClass)> = Vec::new();
    let mut first: Option<Study> = None;
    let (mut bundles, mut named) = (Vec::new(), Vec::new());
    let (mut shipped, mut recipes) = (Vec::<Shipment>::new(), Vec::<Recipe>::new());
    for file in &args.files {
        let (mut study, text) = load(file, terms)?;
        bundles.push(Bundle::of(&text, &study.files));
        shipped.push(Shipment::of(&text, &study.files));
        named.push(std::mem::take(&mut study.files));
        let prefix = if args.files.len() > 1 {
            file.file_stem().map_or_else(String::new, |name| format!("{}: ", visible(&name.to_string_lossy())))
        } else {
            String::new()
        };
        // The days of the first file are those of all.
        let seed = first.as_ref().map(|first| first.setups[0].model.seed);
        let seed = args.seed.or(seed);
        override_with(&mut study, seed, None);
        let (targets, shipment) = (&shipped[0].scenario, &shipped[shipped.len() - 1]);
        let measure = RunKind::Compare { targets: targets.clone() };
        let recipe = |setup: &Setup| Recipe { seed, ..shipment.recipe(&setup.name, measure.clone()) };
        recipes.extend(study.setups.iter().map(recipe));
        affordable(&study, Extent { replications: args.first, ..Extent::of(&study) }, terms)?;
        if let Some(first) = &first {
            on_the_same_days(first, &study, file)?;
        }
        for setup in &mut study.setups {
            // The selection assumes independent days.
            setup.model.antithetic = false;
            all.push((format!("{prefix}{}", setup.title), setup.clone()));
        }
        asked.extend(vec![measured_in(first.as_ref().unwrap_or(&study), &study, file)?; study.setups.len()]);
        first = first.or(Some(study));
    }
    let Some(study) = first.filter(|study| !study.targets.is_empty()) else {
        let help = "the first target of the first file is what set-ups are compared by";
        return Err(Stop::Input(format!("error: there is no [[target]]\n  = help: {help}")));
    };
    let inputs: Vec<_> = args.files.iter().map(PathBuf::as_path).zip(named.iter().map(Vec::as_slice)).collect();
    let output = Output::prepare(args.out.as_deref(), &inputs, "compare")?;
    let bar = bar("{spinner} {pos} days simulated");
    let here = args.scale.on.is_none();
    let days = Days { stop: &STOP, progress: &|| bar.inc(1), keep: Some(output.kept()), here };
    let models: Vec<Model> = all.iter().map(|(_, setup)| setup.model.clone()).collect();
    let values: RefCell<Vec<Vec<DayResult>>> = RefCell::new(vec![Vec::new(); all.len()]);
    let evaluate = |wanted: &[(usize, u32)]| -> Result<Vec<f64>, StudyError> {
        let found = days.measure(&models, &asked, wanted).map_err(|fault| match fault {
            StudyError::Missing(_) => StudyError::Missing(days.missing(&models, &asked, &ahead(wanted, args))),
            other => other,
        })?;
        for (&(system, _), day) in wanted.iter().zip(&found) {
            values.borrow_mut()[system].push(day.clone());
        }
        let first = |(&(system, day), found): (&(usize, u32), &DayResult)| {
            found.targets[0].ok_or_else(|| {
                let (title, target) = (&all[system].0, &study.targets[0].title);
                let help = "leave it out, or compare by a target that all of them have traffic for";
                let what =
                    format!("nothing that `{target}` looks at happens in \u{201c}{title}\u{201d} on day {}", day + 1);
                StudyError::Unmeasured(format!("{what}, so it cannot be compared by it\n  = help: {help}"))
            })
        };
        wanted.iter().zip(&found).map(first).collect()
    };
    let limit = study.targets[0].limit;
    let zone =
        Zone { indifference: args.zone * limit, confidence: args.confidence, first: args.first, most: args.budget };
    let attempt = || {
        values.borrow_mut().iter_mut().for_each(Vec::clear);
        bar.set_position(0);
        select(all.len(), zone, &evaluate).map_err(|fault| match fault {
            StudyError::Missing(runs) => {
                let recipe = |run: &MissingRun| recipes[run.place].clone();
                let files = shipped.iter().flat_map(|shipment| shipment.files.clone()).collect();
                Stop::Missing(Wanting::of(runs, files, recipe, |place| &models[place]))
            }
            other => output.stop(other),
        })
    };
    let selected = until_done(&args.scale, &output, &output.kept(), attempt);
    bar.finish_and_clear();
    let selected = selected?;
    // Concentrators that are there already cost nothing.
    let paid = study.setups[0].cost.unwrap_or(0.0);
    let candidates: Vec<Candidate> = all
        .iter()
        .zip(values.into_inner())
        .map(|((title, setup), days)| Candidate {
            title: title.clone(),
            cost: setup.cost.map(|cost| cost - paid),
            switched_off: warn::switched_off(&study.setups[0].model, &setup.model),
            days,
        })
        .collect();
    let comparison = Comparison::new(&study, zone, selected, &candidates);
    let finding = report::compare::finding(&comparison, &setting(&study));
    tell(&finding, &output, &bundles, &args.files, args.json.then_some(&comparison))?;
    Ok(u8::from(!comparison.someone_meets_all()))
}

/// The days that are wanted, and after the first ones as many again of each set-up: the selection asks for one after the other, and a
/// round elsewhere takes its time. Those that it does not come to are left over.
fn ahead(wanted: &[(usize, u32)], args: &Compare) -> Vec<(usize, u32)> {
    let until = |day: u32| if day < args.first { day + 1 } else { (2 * day).min(args.budget).max(day + 1) };
    wanted.iter().flat_map(|&(system, day)| (day..until(day)).map(move |day| (system, day))).collect()
}

/// Refuses a file that does not record what the targets of the first look at, or is of another day of the week.
fn on_the_same_days(first: &Study, other: &Study, file: &Path) -> Result<(), Stop> {
    let (days, own) = (first.setups[0].model.calendar, other.setups[0].model.calendar);
    let refuse =
        |what: String, help: &str| Err(Stop::Input(format!("error: {}: {what}\n  = help: {help}", disk::shown(file))));
    if (days.weekday, days.days) != (own.weekday, own.days) {
        let (of_first, of_other) =
            (several(days.days as usize, ["day", "days"]), several(own.days as usize, ["day", "days"]));
        return refuse(
            format!("runs {of_other} from {}, and the first file {of_first} from {}", other.when, first.when),
            "set-ups are compared on the same days: write the same `date` or `weekday`, and the same `days`, in [run]",
        );
    }
    match first.targets.iter().find(|target| target.from < own.from || own.until < target.until) {
        Some(target) => refuse(
            format!(
                "records {} to {}, and `{}` looks at {} to {}",
                own.from, own.until, target.title, target.from, target.until
            ),
            "the targets of the first file are looked at in every file: write `from` and `until` in [run] so that they are recorded",
        ),
        None => Ok(()),
    }
}

/// A file has no class or site of a name, which a target of the first one looks at.
fn lacks(file: &Path, (kind, name): (&str, &str), looks: &str, more: &str) -> Stop {
    let file = disk::shown(file);
    Stop::Input(format!(
        "error: {file} has no {kind} `{name}`, which {looks} looks at\n  = help: the targets of the first file are looked at in every \
         file{more}"
    ))
}

/// What the first study's targets look at, by name, in the models of another one's file.
pub(super) fn measured_in(first: &Study, other: &Study, file: &Path) -> Result<(Vec<Target>, FocusClass), Stop> {
    let classes =
        |study: &Study| study.setups[0].model.classes.iter().map(|class| class.name.clone()).collect::<Vec<_>>();
    let (names, own) = (classes(first), classes(other));
    let place = |class: ClassId, what: &str| {
        let name = &names[class.index()];
        own.iter().position(|other| other == name).map(ClassId::of).ok_or_else(|| {
            let known = did_you_mean(name, own.iter().map(String::as_str));
            lacks(file, ("class", name), what, &format!("; {known}"))
        })
    };
    let sites = [first, other].map(|study| &study.setups[0].model.sites);
    let at = |site: &SiteId, what: &str| {
        let name = &sites[0][site.index()].name;
        let same = sites[1].iter().position(|other| other.name == *name).map(SiteId::of);
        same.ok_or_else(|| lacks(file, ("site", name), what, ""))
    };
    let target = |target: &Target| -> Result<Target, Stop> {
        let title = format!("`{}`", target.title);
        let measure = match target.measure.class() {
            Some(class) => target.measure.of(place(class, &title)?),
            None => target.measure,
        };
        let sites = match &target.sites {
            TargetSites::Only(some) => {
                TargetSites::Only(some.iter().map(|site| at(site, &title)).collect::<Result<_, Stop>>()?)
            }
            all => all.clone(),
        };
        Ok(Target { measure, sites, ..target.clone() })
    };
    let watched = watched(first);
    let class = place(watched.class, "what staff time is counted by")?;
    Ok((first.targets.iter().map(target).collect::<Result<_, Stop>>()?, FocusClass { class, ..watched }))
}
