//! `sweep`: many points, on a grid, in a hypercube, or where inputs are in doubt.
use std::path::Path;

use rayon::prelude::*;

use crate::cli::bundle::Bundle;
use crate::cli::output::Output;
use crate::cli::{Allowed, STOP, Stop, Sweep, affordable, bar, choose, load, override_with, refuse_high, sensitivity, tell};
use crate::disk::Folder;
use crate::report::finding::{Finding, setting};
use crate::report::sweep::SweepPoint;
use crate::report::words::list;
use crate::scenario::{Study, edit};
use crate::study::cost::{Extent, StudyCost, cost};
use crate::study::doubt::Design;
use crate::study::results::Results;
use crate::study::{RunOptions, queue};
use crate::{disk, report, scenario, study};

pub(super) fn sweep(args: &Sweep, terms: Allowed) -> Result<u8, Stop> {
    let (study, text) = load(&args.file, terms)?;
    let results = if args.tornado {
        "tornado"
    } else if args.doubt.is_some() {
        "doubt"
    } else {
        "sweep"
    };
    let output = Output::prepare(args.out.as_deref(), &[(&args.file, &study.files)], results)?;
    let bar = bar("{wide_bar} {pos}/{len} points, about {eta} left");
    let runner = Runner { args, terms, output: &output, text: &text };
    if args.tornado || args.doubt.is_some() {
        let done = match args.doubt {
            None => sensitivity::tornado(&runner, &study, &bar),
            Some(draws) => sensitivity::doubt(&runner, &study, draws, &bar),
        };
        bar.finish_and_clear();
        return done;
    }
    let (paths, grid) = match args.points {
        None => grid(&args.vary)?,
        Some(points) => hypercube(&text, &args.vary, points, args.seed.unwrap_or(study.setups[0].model.seed))?,
    };
    // Before the first is simulated: that the last is wrong, or too much, should not be told at the end.
    let costs = grid.par_iter().map(|point| runner.cost_of(&paths, point, grid.len()));
    refuse_high(StudyCost::of_points(&costs.collect::<Result<Vec<_>, Stop>>()?), terms)?;
    bar.set_length(grid.len() as u64);
    let points = queue::all(grid.len(), |place| {
        let point = SweepPoint { results: runner.at(&paths, &grid[place])?, values: grid[place].clone() };
        bar.inc(1);
        Ok::<_, Stop>(point)
    })?;
    bar.finish_and_clear();
    if let Some(finding) = report::sweep::finding(&paths, &points, setting(&study)) {
        runner.tell(&finding, &study)?;
    }
    Ok(0)
}

/// What a sweep needs to run a point.
pub(super) struct Runner<'a> {
    pub args: &'a Sweep,
    pub terms: Allowed,
    pub output: &'a Output,
    pub text: &'a str,
}

impl Runner<'_> {
    /// The results of the scenario with other values at some paths.
    pub fn at(&self, paths: &[String], values: &[String]) -> Result<Results, Stop> {
        self.run(&self.varied(paths, values)?)
    }

    /// Refuses what costs more than is begun without being asked twice: so many runs of the study.
    pub fn affordable(&self, study: &Study, runs: usize) -> Result<(), Stop> {
        affordable(study, self.extent(study, runs, 1)?, self.terms)
    }

    /// What a sweep of so many points such as this one would cost.
    ///
    /// # Errors
    /// If the scenario is wrong there, with which point it is.
    fn cost_of(&self, paths: &[String], values: &[String], points: usize) -> Result<StudyCost, Stop> {
        let point = || paths.iter().zip(values).map(|(path, value)| format!("`{path} = {value}`")).collect::<Vec<_>>();
        let study = self.study(&self.varied(paths, values)?).map_err(|stop| match stop {
            Stop::Input(faults) => Stop::Input(format!("with {} this scenario is wrong\n\n{faults}", list(&point()))),
            other => other,
        })?;
        Ok(cost(&study, self.extent(&study, 1, points)?, rayon::current_num_threads()))
    }

    fn extent(&self, study: &Study, runs: usize, points: usize) -> Result<Extent, Stop> {
        let setups = if self.args.options.is_empty() { 1 } else { choose(study, &self.args.options)?.len() };
        let least = self.args.replications.unwrap_or(study.effort.least);
        let replications = least.saturating_mul(u32::try_from(runs).unwrap_or(u32::MAX));
        Ok(Extent { setups, replications, points })
    }

    /// The scenario with other values at some paths.
    fn varied(&self, paths: &[String], values: &[String]) -> Result<String, Stop> {
        let mut varied = self.text.to_owned();
        for (path, value) in paths.iter().zip(values) {
            varied = edit::set(&varied, path, value).map_err(|fault| Stop::Input(format!("error: {fault}")))?;
        }
        Ok(varied)
    }

    /// A varied scenario, checked.
    fn study(&self, text: &str) -> Result<Study, Stop> {
        let shown = disk::shown(&self.args.file);
        let folder = Folder::reaching(self.args.file.parent().unwrap_or(Path::new("")), self.terms.outside);
        let loaded = scenario::load(&shown, text, folder);
        let mut study = loaded.map_err(|problems| Stop::Input(problems.show(false)))?;
        override_with(&mut study, self.args.seed, self.args.replications);
        Ok(study)
    }

    /// The results of a varied scenario; runs that are known are not simulated again.
    pub fn run(&self, text: &str) -> Result<Results, Stop> {
        let study = self.study(text)?;
        let chosen = if self.args.options.is_empty() { vec![0] } else { choose(&study, &self.args.options)? };
        let keep = Some(self.output.kept());
        let settings = RunOptions { stop: &STOP, progress: &|_| {}, keep, records: None };
        study::run(&study, &chosen, &settings).map_err(|fault| self.output.stop(fault))
    }

    /// Writes and prints what was found.
    pub fn tell(&self, finding: &Finding, study: &Study) -> Result<(), Stop> {
        let bundles = [Bundle::of(self.text, &study.files)];
        tell::<()>(finding, self.output, &bundles, std::slice::from_ref(&self.args.file), None)
    }
}

fn input(fault: impl std::fmt::Display) -> Stop {
    Stop::Input(format!("error: {fault}"))
}

/// Paths and ranges of what is varied.
fn varied(vary: &[String]) -> Result<(Vec<String>, Vec<&str>), Stop> {
    if vary.is_empty() {
        let help = "write `--vary PATH=FROM..TO:STEP`, once or more often, `--tornado` or `--doubt 16`";
        return Err(input(format!("nothing is varied\n  = help: {help}")));
    }
    let split = |one: &'_ String| -> Result<usize, Stop> {
        one.find('=').ok_or_else(|| input(format!("`{one}` has no `=`; write PATH=FROM..TO:STEP")))
    };
    let places = vary.iter().map(split).collect::<Result<Vec<usize>, Stop>>()?;
    let (paths, ranges): (Vec<String>, Vec<&str>) =
        vary.iter().zip(places).map(|(one, at)| (one[..at].trim().to_owned(), &one[at + 1..])).unzip();
    match paths.iter().enumerate().find(|(place, path)| paths[..*place].contains(path)) {
        Some((_, twice)) => {
            Err(input(format!("`{twice}` is varied twice\n  = help: write all its values in one `--vary`")))
        }
        None => Ok((paths, ranges)),
    }
}

/// What is varied, and so many points of a Latin hypercube over its ranges.
fn hypercube(text: &str, vary: &[String], points: u16, seed: u64) -> Result<(Vec<String>, Vec<Vec<String>>), Stop> {
    let (paths, ranges) = varied(vary)?;
    let whole: Vec<bool> = paths.iter().map(|path| edit::is_whole(text, path)).collect();
    let design = Design::new(seed, paths.len(), usize::from(points));
    let point = |place: usize| -> Result<Vec<String>, Stop> {
        let shares = design.draw(place);
        let values = ranges.iter().zip(&whole).zip(shares);
        values.map(|((range, whole), share)| edit::between(range, share, *whole).map_err(input)).collect()
    };
    let points = (0..usize::from(points)).map(point).collect::<Result<_, Stop>>()?;
    Ok((paths, points))
}

/// Points that a sweep has at most.
const MOST_POINTS: usize = 10_000;

/// What is varied, and every combination of its values, the last varying fastest.
fn grid(vary: &[String]) -> Result<(Vec<String>, Vec<Vec<String>>), Stop> {
    let (paths, ranges) = varied(vary)?;
    let values =
        ranges.into_iter().map(|range| edit::values(range).map_err(input)).collect::<Result<Vec<_>, Stop>>()?;
    let points = values.iter().map(Vec::len).fold(1, usize::saturating_mul);
    if points > MOST_POINTS {
        let help = "write longer steps, or `--points 100` for a Latin hypercube over the same ranges";
        return Err(input(format!("{points} points are too many: at most {MOST_POINTS} are run\n  = help: {help}")));
    }
    let mut grid = vec![Vec::new()];
    for values in values {
        grid = grid
            .iter()
            .flat_map(|point: &Vec<String>| {
                values.iter().map(move |value| point.iter().cloned().chain([value.clone()]).collect())
            })
            .collect();
    }
    Ok((paths, grid))
}
