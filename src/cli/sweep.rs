//! `sweep` and `compare`: many points, and the best of several set-ups.

use std::path::Path;
use std::sync::atomic::Ordering;

use rayon::prelude::*;

use crate::cli::output::Output;
use crate::cli::{Compare, STOP, Stop, Sweep, bar, choose, load, say};
use crate::report;
use crate::report::compare::{Candidate, Comparison};
use crate::report::sweep::{Bar, Point};
use crate::scenario::source::{Input, Standing};
use crate::scenario::{self, Setup, Study, vary};
use crate::sim::simulate;
use crate::study::recorder::Recorder;
use crate::study::results::Results;
use crate::study::select::{Zone, select};
use crate::study::{self, Fault, Settings, watched};

pub(super) fn sweep(args: &Sweep) -> Result<u8, Stop> {
    let (study, text) = load(&args.file)?;
    let output = Output::prepare(args.out.as_deref(), &args.file)?;
    let bar = bar("{wide_bar} {pos}/{len} points, {eta} left");
    let runner = Runner { args, output: &output, text: &text };
    if args.tornado {
        let done = tornado(&runner, &study, &bar);
        bar.finish_and_clear();
        return done;
    }
    let (paths, grid) = grid(&args.vary)?;
    bar.set_length(grid.len() as u64);
    let mut points = Vec::new();
    for values in grid {
        let mut varied = text.clone();
        for (path, value) in paths.iter().zip(&values) {
            varied = vary::set(&varied, path, value).map_err(|fault| Stop::Input(format!("error: {fault}")))?;
        }
        points.push(Point { results: runner.run(&varied)?, values });
        bar.inc(1);
    }
    bar.finish_and_clear();
    output.file("sweep.csv", report::sweep::csv(&paths, &points).as_bytes())?;
    if let Some(chart) = report::sweep::chart(&paths, &points) {
        output.file("sweep.svg", chart.as_bytes())?;
    }
    say(&format!("{}\n\n{}Table: {}", study.question, table(&paths, &points), output.path("sweep.csv").display()));
    Ok(0)
}

/// What a sweep needs to run a point.
struct Runner<'a> {
    args: &'a Sweep,
    output: &'a Output,
    text: &'a str,
}

impl Runner<'_> {
    /// The results of a varied scenario; runs that are known are not simulated again.
    fn run(&self, text: &str) -> Result<Results, Stop> {
        let shown = self.args.file.display().to_string();
        let folder = self.args.file.parent().unwrap_or(Path::new("."));
        let loaded = scenario::load(&shown, text, folder);
        let mut study = loaded.map_err(|problems| Stop::Input(problems.show(false)))?;
        if let Some(replications) = self.args.replications {
            (study.effort.least, study.effort.most) = (replications, replications);
        }
        for setup in &mut study.setups {
            setup.model.seed = self.args.seed.unwrap_or(setup.model.seed);
        }
        let chosen = if self.args.options.is_empty() { vec![0] } else { choose(&study, &self.args.options)? };
        let keep = Some(self.output.path(".runs"));
        let settings = Settings { stop: &STOP, progress: &|_, _| {}, keep, retain: true, records: None };
        Ok(study::run(&study, &chosen, &settings)?)
    }
}

/// What is varied, and every combination of its values, the last varying fastest.
fn grid(vary: &[String]) -> Result<(Vec<String>, Vec<Vec<String>>), Stop> {
    let input = |fault: String| Stop::Input(format!("error: {fault}"));
    if vary.is_empty() {
        let help = "write `--vary PATH=FROM..TO:STEP`, once or more often, or `--tornado`";
        return Err(Stop::Input(format!("error: nothing is varied\n  = help: {help}")));
    }
    let (mut paths, mut grid) = (Vec::new(), vec![Vec::new()]);
    for one in vary {
        let (path, range) =
            one.split_once('=').ok_or_else(|| input(format!("`{one}` has no `=`; write PATH=FROM..TO:STEP")))?;
        let values = vary::values(range).map_err(input)?;
        paths.push(path.trim().to_owned());
        grid = grid
            .iter()
            .flat_map(|point: &Vec<String>| {
                values.iter().map(move |value| point.iter().cloned().chain([value.clone()]).collect())
            })
            .collect();
    }
    Ok((paths, grid))
}

fn table(paths: &[String], points: &[Point]) -> String {
    let mut head = paths.to_vec();
    head.push("set-up".to_owned());
    head.extend(points.first().map(|point| point.results.targets.clone()).unwrap_or_default());
    let mut rows = vec![head];
    for point in points {
        for found in &point.results.setups {
            let mut row = point.values.clone();
            row.push(found.title.clone());
            for (judged, kind) in found.targets.iter().zip(&point.results.kinds) {
                let value = report::words::interval(&judged.figure.value, *kind);
                row.push(format!("{} {value}", report::page::mark(judged.verdict)));
            }
            rows.push(row);
        }
    }
    report::table::columns(&rows)
}

/// Every assumed input with a range of its own, at both ends, the others as they are.
fn tornado(runner: &Runner<'_>, study: &Study, bar: &indicatif::ProgressBar) -> Result<u8, Stop> {
    if study.targets.is_empty() {
        let help = "the first target is what the swing is measured in";
        return Err(Stop::Input(format!("error: this scenario has no [[target]]\n  = help: {help}")));
    }
    let measured = |results: &Results| results.setups.last().map_or(0.0, |found| found.targets[0].figure.value.mean);
    let now = runner.run(runner.text)?;
    let assumed = study.inputs.iter().filter(|input| input.standing == Standing::Assumed);
    let ends = |input: &Input| vary::ends_for(&input.value, input.range.as_deref()?);
    let ranged: Vec<_> = assumed.filter_map(|input| Some((input, ends(input)?))).collect();
    bar.set_length(2 * ranged.len() as u64);
    let mut bars = Vec::new();
    for (input, (low, high)) in ranged {
        let at = |value: &str| -> Result<f64, Stop> {
            bar.inc(1);
            let varied = vary::set(runner.text, &input.path, value);
            Ok(measured(&runner.run(&varied.map_err(|fault| Stop::Input(format!("error: {fault}")))?)?))
        };
        let (below, above) = (at(&low)?, at(&high)?);
        let (path, value) = (input.path.clone(), input.value.clone());
        bars.push(Bar { path, value, low: (low, below), high: (high, above) });
    }
    bars.sort_by(|a, b| b.swing().total_cmp(&a.swing()));
    let text = report::sweep::tornado(&now.targets[0], now.kinds[0], measured(&now), &bars);
    runner.output.file("tornado.json", serde_json::to_string_pretty(&bars).unwrap_or_default().as_bytes())?;
    say(&format!("{}\n\n{text}", study.question));
    Ok(0)
}

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
        for setup in &mut study.setups {
            setup.model.seed = args.seed.unwrap_or(setup.model.seed);
            all.push((format!("{prefix}{}", setup.title), setup.clone()));
        }
        first = first.or(Some(study));
    }
    let Some(study) = first.filter(|study| !study.targets.is_empty()) else {
        let help = "the first target of the first file is what set-ups are compared by";
        return Err(Stop::Input(format!("error: there is no [[target]]\n  = help: {help}")));
    };
    let bar = bar("{spinner} {pos} days simulated");
    let values: std::sync::Mutex<Vec<Vec<Vec<Option<f64>>>>> = std::sync::Mutex::new(vec![Vec::new(); all.len()]);
    let evaluate = |wanted: &[(usize, u32)]| -> Result<Vec<f64>, Fault> {
        let found: Vec<Vec<Option<f64>>> = wanted
            .par_iter()
            .map(|&(system, day)| {
                let model = &all[system].1.model;
                let mut recorder = Recorder::new(model, &study.targets, watched(&study), &STOP, None);
                simulate(model, day, &mut recorder);
                bar.inc(1);
                recorder.finish().map_or_else(|_| vec![None; study.targets.len()], |run| run.targets)
            })
            .collect();
        if STOP.load(Ordering::Relaxed) {
            return Err(Fault::Stopped);
        }
        let mut kept = values.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for (&(system, _), measured) in wanted.iter().zip(&found) {
            kept[system].push(measured.clone());
        }
        Ok(found.iter().map(|measured| measured[0].unwrap_or(0.0)).collect())
    };
    let limit = study.targets[0].limit;
    let zone =
        Zone { indifference: args.zone * limit, confidence: args.confidence, first: args.first, most: args.budget };
    let selected = select(all.len(), zone, &evaluate)?;
    bar.finish_and_clear();
    let values = values.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let candidates =
        all.iter().zip(values).map(|((title, setup), days)| Candidate { title: title.clone(), cost: setup.cost, days });
    let comparison = Comparison::new(&study, zone, selected, candidates.collect());
    let output = Output::prepare(args.out.as_deref(), &args.files[0])?;
    output.file("compare.csv", report::compare::csv(&comparison).as_bytes())?;
    if args.json {
        say(&serde_json::to_string_pretty(&comparison).unwrap_or_default());
    } else {
        say(&report::compare::summary(&comparison));
    }
    Ok(u8::from(!comparison.someone_meets_all()))
}
