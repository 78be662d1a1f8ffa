//! `sweep`: many points, on a grid, in a hypercube, or where inputs are in doubt.

use std::path::Path;

use crate::cli::bundle::Bundle;
use crate::cli::output::Output;
use crate::cli::{STOP, Stop, Sweep, bar, choose, load, override_with, sensitivity, tell};
use crate::report;
use crate::report::finding::{Finding, setting};
use crate::report::sweep::Point;
use crate::scenario::{self, Study, vary};
use crate::study::doubt::Design;
use crate::study::results::Results;
use crate::study::{self, Settings, queue};

pub(super) fn sweep(args: &Sweep) -> Result<u8, Stop> {
    let (study, text) = load(&args.file)?;
    let results = if args.tornado {
        "tornado"
    } else if args.doubt.is_some() {
        "doubt"
    } else {
        "sweep"
    };
    let output = Output::prepare(args.out.as_deref(), &[(&args.file, &study.files)], results)?;
    let bar = bar("{wide_bar} {pos}/{len} points, about {eta} left");
    let runner = Runner { args, output: &output, text: &text };
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
        Some(points) => hypercube(&args.vary, points, args.seed.unwrap_or(study.setups[0].model.seed))?,
    };
    bar.set_length(grid.len() as u64);
    let points = queue::all(grid.len(), |place| {
        let point = Point { results: runner.at(&paths, &grid[place])?, values: grid[place].clone() };
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
    pub output: &'a Output,
    pub text: &'a str,
}

impl Runner<'_> {
    /// The results of the scenario with other values at some paths.
    pub fn at(&self, paths: &[String], values: &[String]) -> Result<Results, Stop> {
        let mut varied = self.text.to_owned();
        for (path, value) in paths.iter().zip(values) {
            varied = vary::set(&varied, path, value).map_err(|fault| Stop::Input(format!("error: {fault}")))?;
        }
        self.run(&varied)
    }

    /// The results of a varied scenario; runs that are known are not simulated again.
    pub fn run(&self, text: &str) -> Result<Results, Stop> {
        let shown = self.args.file.display().to_string();
        let folder = self.args.file.parent().unwrap_or(Path::new("."));
        let loaded = scenario::load(&shown, text, folder);
        let mut study = loaded.map_err(|problems| Stop::Input(problems.show(false)))?;
        override_with(&mut study, self.args.seed, self.args.replications);
        let chosen = if self.args.options.is_empty() { vec![0] } else { choose(&study, &self.args.options)? };
        let keep = Some(self.output.kept());
        let settings = Settings { stop: &STOP, progress: &|_| {}, keep, records: None };
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
    Ok(vary.iter().zip(places).map(|(one, at)| (one[..at].trim().to_owned(), &one[at + 1..])).unzip())
}

/// What is varied, and so many points of a Latin hypercube over its ranges.
fn hypercube(vary: &[String], points: u16, seed: u64) -> Result<(Vec<String>, Vec<Vec<String>>), Stop> {
    let (paths, ranges) = varied(vary)?;
    let design = Design::new(seed, paths.len(), usize::from(points));
    let point = |place: usize| -> Result<Vec<String>, Stop> {
        let shares = design.draw(place);
        ranges.iter().zip(shares).map(|(range, share)| vary::between(range, share).map_err(input)).collect()
    };
    let points = (0..usize::from(points)).map(point).collect::<Result<_, Stop>>()?;
    Ok((paths, points))
}

/// What is varied, and every combination of its values, the last varying fastest.
fn grid(vary: &[String]) -> Result<(Vec<String>, Vec<Vec<String>>), Stop> {
    let (paths, ranges) = varied(vary)?;
    let mut grid = vec![Vec::new()];
    for range in ranges {
        let values = vary::values(range).map_err(input)?;
        grid = grid
            .iter()
            .flat_map(|point: &Vec<String>| {
                values.iter().map(move |value| point.iter().cloned().chain([value.clone()]).collect())
            })
            .collect();
    }
    Ok((paths, grid))
}
