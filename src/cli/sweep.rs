//! `sweep`: many points, on a grid, in a hypercube, or over uncertain inputs.

use rayon::prelude::*;

use crate::cli::args::{Allowed, Sweep};
use crate::cli::common::{bar, load, refuse_high};
use crate::cli::elsewhere::all;
use crate::cli::output::Output;
use crate::cli::point::{Runner, input};
use crate::cli::sensitivity;
use crate::cli::stop::Stop;
use crate::report;
use crate::report::finding::setting;
use crate::report::sweep::SweepPoint;
use crate::scenario::edit;
use crate::study::cost::StudyCost;
use crate::study::doubt::Design;

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
    // Checked before the first is simulated, so that a fault of the last is not reported at the end.
    let costs = grid.par_iter().map(|point| runner.cost_of(&paths, point, grid.len()));
    refuse_high(StudyCost::of_points(&costs.collect::<Result<Vec<_>, Stop>>()?), terms)?;
    bar.set_length(grid.len() as u64);
    let points = runner.until_done(|| {
        bar.set_position(0);
        all(grid.len(), |place| {
            let point = SweepPoint { results: runner.at(&paths, &grid[place])?, values: grid[place].clone() };
            bar.inc(1);
            Ok(point)
        })
    });
    bar.finish_and_clear();
    let points = points?;
    if let Some(finding) = report::sweep::finding(&paths, &points, setting(&study)) {
        runner.tell(&finding, &study)?;
    }
    Ok(0)
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
