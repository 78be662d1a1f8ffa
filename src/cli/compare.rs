//! `compare`: the best of several set-ups.

use std::cell::RefCell;

use crate::cli::output::Output;
use crate::cli::{Compare, STOP, Stop, bar, load, override_with, say, say_json};
use crate::report;
use crate::report::compare::{Candidate, Comparison};
use crate::scenario::model::Model;
use crate::scenario::{Setup, Study};
use crate::study::days::{Day, Days};
use crate::study::select::{Zone, select};
use crate::study::{Fault, watched};

pub(super) fn compare(args: &Compare) -> Result<u8, Stop> {
    let mut all: Vec<(String, Setup)> = Vec::new();
    let mut first: Option<Study> = None;
    for file in &args.files {
        let (mut study, _) = load(file)?;
        let prefix = if args.files.len() > 1 {
            file.file_stem().map_or_else(String::new, |name| format!("{}: ", name.to_string_lossy()))
        } else {
            String::new()
        };
        override_with(&mut study, args.seed, None);
        for setup in &mut study.setups {
            // The selection takes days for independent.
            setup.model.antithetic = false;
            all.push((format!("{prefix}{}", setup.title), setup.clone()));
        }
        first = first.or(Some(study));
    }
    let Some(study) = first.filter(|study| !study.targets.is_empty()) else {
        let help = "the first target of the first file is what set-ups are compared by";
        return Err(Stop::Input(format!("error: there is no [[target]]\n  = help: {help}")));
    };
    let output = Output::prepare(args.out.as_deref(), &args.files[0])?;
    let bar = bar("{spinner} {pos} days simulated");
    let days = Days { stop: &STOP, progress: &|| bar.inc(1), keep: Some(output.kept()) };
    let models: Vec<Model> = all.iter().map(|(_, setup)| setup.model.clone()).collect();
    let values: RefCell<Vec<Vec<Day>>> = RefCell::new(vec![Vec::new(); all.len()]);
    let evaluate = |wanted: &[(usize, u32)]| -> Result<Vec<f64>, Fault> {
        let found = days.measure(&models, (&study.targets, watched(&study)), wanted)?;
        for (&(system, _), day) in wanted.iter().zip(&found) {
            values.borrow_mut()[system].push(day.clone());
        }
        Ok(found.iter().map(|day| day.targets[0].unwrap_or(0.0)).collect())
    };
    let limit = study.targets[0].limit;
    let zone =
        Zone { indifference: args.zone * limit, confidence: args.confidence, first: args.first, most: args.budget };
    let selected = select(all.len(), zone, &evaluate);
    bar.finish_and_clear();
    let selected = selected?;
    let candidates = all.iter().zip(values.into_inner()).map(|((title, setup), days)| Candidate {
        title: title.clone(),
        cost: setup.cost,
        days,
    });
    let comparison = Comparison::new(&study, zone, selected, candidates.collect());
    output.file("compare.csv", report::compare::csv(&comparison).as_bytes())?;
    if args.json {
        say_json(&comparison);
    } else {
        say(&report::compare::summary(&comparison));
    }
    Ok(u8::from(!comparison.someone_meets_all()))
}
