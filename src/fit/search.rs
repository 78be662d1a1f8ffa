//! The fit: Gauss and Newton's steps on cumulative curves, with the simulator in between, on the same random numbers throughout.

use std::ops::Range;

use rayon::prelude::*;

use crate::fit::apart::{refuse_unseen, told_apart};
use crate::fit::curve::{Known, cumulative, mean, mean_known, weights};
use crate::fit::free::{Free, Move, changed};
use crate::fit::jacobian::{beforehand, bound, column, farthest, step};
use crate::fit::normal::NormalEquations;
use crate::fit::problem::{CONFIDENCE, Fit, FitError, FitProblem, Fitted, Left, NO_FIT};
use crate::fit::simulated::{passed, roomy};
use crate::model::Model;
use crate::stats::student;
use crate::study::counters::RunCounters;

/// Runs of which the mean curve is taken at the end.
const RUNS: u32 = 10;
/// The same in the search.
const FEW: u32 = 3;
/// How slopes are taken: on which runs, and over how many steps.
type SlopesFrom = (Range<u32>, f64);
/// In the search.
const SLOPES: SlopesFrom = (0..2, 1.0);
/// At the end: to both sides, on runs that share no chance. More makes a full spell longer, and shows over more of the day than less
/// does: slopes to one side alone make an unknown look surer than it is, by a quarter on a morning that is full.
const LAST_SLOPES: [SlopesFrom; 2] = [(0..4, 1.5), (4..8, -1.5)];
/// A step that moves nothing by more of a slope's step than this is the last.
const SETTLED: f64 = 0.1;
/// Steps of the search at most.
const STEPS: usize = 8;
/// A number whose standard error stays above this share of what is known beforehand, or of which as much is known from that alone, is
/// left as it was written.
const LEAST_CERTAIN: f64 = 0.3;

/// Fits.
///
/// # Errors
/// If what is named cannot be told apart, or it is stopped.
pub fn fit(problem: &FitProblem<'_>) -> Result<Fit, FitError> {
    let search = CurveSearch::new(problem)?;
    let start = search.model(&[], &[])?;
    let wanted = problem.counting.all(&[(&roomy(&start), 0), (&roomy(&start), 1)])?;
    let (free, mut left) = told_apart(problem, &search.known, &start, &wanted)?;
    if free.is_empty() {
        return Err(nothing(&left));
    }
    let before = search.runs(&start, RUNS)?;
    let mut best: Option<SearchEnd> = None;
    for from in STARTS {
        let end = match search.search_from((&free, from), left.clone(), &before) {
            Err(FitError::Refused(_)) if best.is_some() => continue,
            end => end?,
        };
        let explains = end.judged.beyond <= NO_FIT;
        let squares = search.squares(&end.at.runs);
        if best.as_ref().is_none_or(|best| squares < search.squares(&best.at.runs)) {
            best = Some(end);
        }
        if explains {
            break;
        }
    }
    let Some(SearchEnd { at, judged, misfit, left: unseen }) = best else { return Err(nothing(&left)) };
    left = unseen;
    let end = search.model(&at.free, &at.unknowns)?;
    let there = problem.counting.all(&[(&roomy(&end), 0), (&roomy(&end), 1)])?;
    let fitted = at.free.iter().zip(&at.unknowns).zip(&judged.halves).map(|((free, moved), half)| Fitted {
        free: free.clone(),
        moved: *moved,
        half: *half,
    });
    Ok(Fit {
        text: changed(problem.text, &at.free, &at.unknowns)?,
        fitted: fitted.collect(),
        left,
        correlation: judged.correlation,
        misfit,
        beyond: judged.beyond,
        before,
        after: at.runs,
        peak: [peak(&wanted), peak(&there)],
    })
}

/// Where the search begins, as unknowns of factors: as it is written; else with half as much again, and with two thirds.
const STARTS: [f64; 3] = [0.0, 0.4, -0.4];

/// A search from one start.
struct SearchEnd {
    at: SearchPlace,
    judged: Judged,
    misfit: Vec<f64>,
    left: Vec<Left>,
}

/// Refuses to fit nothing.
fn nothing(left: &[Left]) -> FitError {
    let why: Vec<String> = left.iter().map(|left| format!("`{}`: {}", left.free.name(), left.why)).collect();
    FitError::Refused(format!(
        "nothing that is free can be told from this series\n  = note: {}",
        why.join("\n  = note: ")
    ))
}

/// What is wanted in the busiest interval, as a mean over runs with room [bit].
#[allow(clippy::cast_precision_loss)] // two runs
fn peak(runs: &[RunCounters]) -> f64 {
    let intervals = runs.first().and_then(|run| run.passed.first()).map_or(0, Vec::len);
    let at = |place: usize| runs.iter().flat_map(|run| &run.passed).flat_map(|device| &device[place]).sum::<f64>();
    (0..intervals).map(at).fold(0.0, f64::max) / runs.len() as f64
}

/// Where the search is.
#[derive(Clone, Debug)]
struct SearchPlace {
    free: Vec<Free>,
    unknowns: Vec<f64>,
    runs: Vec<RunCounters>,
}

/// The columns of the Jacobian where the search ends: the mean of both halves, and each half.
struct LastSlopes {
    columns: Vec<Vec<f64>>,
    halves: [Vec<Vec<f64>>; 2],
}

/// What a fit is sure of.
struct Judged {
    /// Standard errors, where the scenario explains the series.
    errors: Vec<f64>,
    halves: Vec<f64>,
    correlation: Vec<Vec<f64>>,
    beyond: f64,
}

/// The search, with what it is held against.
struct CurveSearch<'a> {
    problem: &'a FitProblem<'a>,
    known: Known,
    curve: Vec<f64>,
    weights: Vec<f64>,
}

impl<'a> CurveSearch<'a> {
    fn new(problem: &'a FitProblem<'a>) -> Result<Self, FitError> {
        let all: Vec<&[Vec<Option<f64>>]> = problem.runs.iter().map(|run| run.passed.as_slice()).collect();
        let counted = mean_known(&all);
        let known: Known = counted.iter().map(|thing| thing.iter().map(Option::is_some).collect()).collect();
        let volumes: Vec<Vec<f64>> =
            counted.iter().map(|thing| thing.iter().map(|volume| volume.unwrap_or(0.0)).collect()).collect();
        let curve = cumulative(&volumes, &known);
        if !curve.last().is_some_and(|whole| *whole > 0.0) {
            return Err(FitError::Refused("nothing passed in the hours of the scenario".to_owned()));
        }
        let weights = weights(&volumes, &known);
        Ok(Self { problem, known, curve, weights })
    }

    fn model(&self, free: &[Free], unknowns: &[f64]) -> Result<Model, FitError> {
        let text = changed(self.problem.text, free, unknowns)?;
        let study = (self.problem.load)(&text)?;
        Ok(study.setups[0].model.clone())
    }

    /// Searches from one start; `before` holds the runs of the scenario as it is written.
    fn search_from(
        &self,
        (free, from): (&[Free], f64),
        mut left: Vec<Left>,
        before: &[RunCounters],
    ) -> Result<SearchEnd, FitError> {
        let unknown = |one: &Free| if one.by == Move::Factor { from } else { 0.0 };
        let unknowns: Vec<f64> = free.iter().map(unknown).collect();
        let as_written = unknowns.iter().all(|unknown| *unknown == 0.0);
        let runs =
            if as_written { before[..FEW as usize].to_vec() } else { self.runs(&self.model(free, &unknowns)?, FEW)? };
        let mut at = SearchPlace { free: free.to_vec(), unknowns, runs };
        let mut misfit = vec![self.misfit(&before[..FEW as usize])];
        loop {
            self.descend(&mut at, &mut misfit, &mut left)?;
            let mut slopes = self.settle(&mut at)?;
            // A curve can be nearer while every interval is farther off: then nothing was found.
            let is_farther =
                self.squares(&at.runs) > self.squares(before) || self.misfit(&at.runs) > self.misfit(before);
            if is_farther {
                at.unknowns = vec![0.0; at.free.len()];
                at.runs = before.to_vec();
                slopes = self.last_slopes(&at)?;
            }
            if let Some(unseen) = self.unseen(&at, &slopes.columns) {
                self.leave(&mut at, unseen, &mut left)?;
                continue;
            }
            let judged = self.judge(&at, &slopes)?;
            let uncertain = |place: usize| judged.errors[place] / beforehand(at.free[place].by);
            let worst = (0..at.free.len()).max_by(|a, b| uncertain(*a).total_cmp(&uncertain(*b)));
            match worst.filter(|worst| uncertain(*worst) >= LEAST_CERTAIN) {
                None => return Ok(SearchEnd { at, judged, misfit, left }),
                Some(worst) => self.leave(&mut at, worst, &mut left)?,
            }
        }
    }

    fn runs(&self, model: &Model, count: u32) -> Result<Vec<RunCounters>, FitError> {
        let wanted: Vec<(&Model, u32)> = (0..count).map(|replication| (model, replication)).collect();
        Ok(self.problem.counting.all(&wanted)?)
    }

    fn curve_of(&self, run: &RunCounters) -> Vec<f64> {
        cumulative(&passed(run, &self.problem.observed.things), &self.known)
    }

    fn curves(&self, runs: &[RunCounters]) -> Vec<Vec<f64>> {
        runs.iter().map(|run| self.curve_of(run)).collect()
    }

    /// The difference between what was counted and the mean of runs.
    fn residual(&self, runs: &[RunCounters]) -> Vec<f64> {
        let mean = mean(&self.curves(runs));
        self.curve.iter().zip(&mean).map(|(counted, simulated)| counted - simulated).collect()
    }

    /// The sum of weighted squares.
    fn squares(&self, runs: &[RunCounters]) -> f64 {
        self.residual(runs).iter().zip(&self.weights).map(|(residual, weight)| (residual * weight).powi(2)).sum()
    }

    /// Root mean square of the difference by interval [bit].
    fn misfit(&self, runs: &[RunCounters]) -> f64 {
        self.rough(&mean(&self.curves(runs)), &self.curve)
    }

    /// Root mean square of the difference of two curves by interval [bit].
    #[allow(clippy::cast_precision_loss)] // intervals
    fn rough(&self, a: &[f64], b: &[f64]) -> f64 {
        let mut from = 0;
        let mut sum = 0.0;
        for known in &self.known {
            let points = known.iter().filter(|known| **known).count();
            let mut last = 0.0;
            for at in from..from + points {
                let difference = a[at] - b[at];
                sum += (difference - last).powi(2);
                last = difference;
            }
            from += points;
        }
        (sum / from.max(1) as f64).sqrt()
    }

    /// The columns of the Jacobian.
    fn columns(&self, at: &SearchPlace, (slopes, steps): &SlopesFrom) -> Result<Vec<Vec<f64>>, FitError> {
        // A number at the end of what may be written is moved the other way.
        let models: Vec<(f64, Model)> = (0..at.free.len())
            .into_par_iter()
            .map(|place| {
                let by = *steps * step(at.free[place].by);
                let moved = |by: f64| {
                    let mut unknowns = at.unknowns.clone();
                    unknowns[place] += by;
                    self.model(&at.free, &unknowns).map(|model| (by, model))
                };
                moved(by).or_else(|_| moved(-by))
            })
            .collect::<Result<_, FitError>>()?;
        let wanted: Vec<(&Model, u32)> =
            models.iter().flat_map(|(_, model)| slopes.clone().map(move |run| (model, run))).collect();
        let runs = self.problem.counting.all(&wanted)?;
        let here = self.curves(&at.runs[slopes.start as usize..slopes.end as usize]);
        let columns = runs.chunks(slopes.len()).zip(&models);
        Ok(columns.map(|(runs, (by, _))| column(&self.curves(runs), &here, *by)).collect())
    }

    /// The next place, from as many runs; none where no step makes it better.
    fn step(&self, at: &SearchPlace, columns: &[Vec<f64>]) -> Result<Option<SearchPlace>, FitError> {
        let Some(found) = self.towards(at, columns) else {
            return Err(FitError::Refused(format!("{} cannot be told apart", names(&at.free))));
        };
        let count = u32::try_from(at.runs.len()).unwrap_or(RUNS);
        let most = found.iter().zip(&at.free).map(|(by, one)| by.abs() / farthest(one.by)).fold(1.0, f64::max);
        let now = self.squares(&at.runs);
        let mut share = 1.0 / most;
        for _ in 0..3 {
            let unknowns = moved(at, &found, share);
            // What may not be written is too far.
            if let Ok(model) = self.model(&at.free, &unknowns) {
                let runs = self.runs(&model, count)?;
                if self.squares(&runs) < now {
                    return Ok(Some(SearchPlace { free: at.free.clone(), unknowns, runs }));
                }
            }
            share *= 0.4;
        }
        Ok(None)
    }

    /// Goes on from a few runs to the mean of all by which the fit is judged, and gives the slopes there.
    fn settle(&self, at: &mut SearchPlace) -> Result<LastSlopes, FitError> {
        at.runs = self.runs(&self.model(&at.free, &at.unknowns)?, RUNS)?;
        let slopes = self.last_slopes(at)?;
        if let Some(next) = self.step(at, &slopes.columns)? {
            *at = next;
        }
        Ok(slopes)
    }

    fn last_slopes(&self, at: &SearchPlace) -> Result<LastSlopes, FitError> {
        let [first, second] = &LAST_SLOPES;
        let halves = [self.columns(at, first)?, self.columns(at, second)?];
        let both = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| f64::midpoint(*a, *b)).collect();
        Ok(LastSlopes { columns: halves[0].iter().zip(&halves[1]).map(both).collect(), halves })
    }

    /// How far the unknowns are to be moved; none where the columns do not tell them apart.
    fn towards(&self, at: &SearchPlace, columns: &[Vec<f64>]) -> Option<Vec<f64>> {
        let prior = prior(at);
        let pull: Vec<f64> = at.unknowns.iter().zip(&prior).map(|(unknown, prior)| -unknown * prior).collect();
        NormalEquations::new(columns, &self.weights, &prior).with(&self.residual(&at.runs), &pull)
    }

    /// Goes down to the least misfit. What the curve does not show is left on the way.
    fn descend(&self, at: &mut SearchPlace, misfit: &mut Vec<f64>, left: &mut Vec<Left>) -> Result<(), FitError> {
        at.runs.truncate(FEW as usize);
        let mut columns = self.columns(at, &SLOPES)?;
        while let Some(unseen) = self.unseen(at, &columns) {
            columns.remove(unseen);
            self.leave(at, unseen, left)?;
        }
        for _ in 0..STEPS {
            let Some(next) = self.step(at, &columns)? else { break };
            let moved = farthest_moved(at, &next);
            *at = next;
            misfit.push(self.misfit(&at.runs));
            if moved < SETTLED {
                break;
            }
            columns = self.columns(at, &SLOPES)?;
        }
        Ok(())
    }

    /// The number of which most is known from beforehand alone: the curve hardly changes with it, or as with others.
    fn unseen(&self, at: &SearchPlace, columns: &[Vec<f64>]) -> Option<usize> {
        let prior = prior(at);
        let equations = NormalEquations::new(columns, &self.weights, &prior);
        let nothing = vec![0.0; self.curve.len()];
        let from_before = |place: usize| -> f64 {
            let mut one = vec![0.0; at.free.len()];
            one[place] = prior[place];
            equations.with(&nothing, &one).map_or(1.0, |found| found[place])
        };
        let shares: Vec<f64> = (0..at.free.len()).map(from_before).collect();
        let worst = (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b]))?;
        (shares[worst] >= LEAST_CERTAIN).then_some(worst)
    }

    /// Leaves a number as it was written.
    fn leave(&self, at: &mut SearchPlace, place: usize, left: &mut Vec<Left>) -> Result<(), FitError> {
        let free = at.free.remove(place);
        at.unknowns.remove(place);
        left.push(Left { free, why: "the curve hardly changes with it, or as it does with another".to_owned() });
        refuse_unseen(left)?;
        if at.free.is_empty() {
            return Err(nothing(left));
        }
        at.runs = self.runs(&self.model(&at.free, &at.unknowns)?, FEW)?;
        Ok(())
    }

    /// By how much the unknowns seem to be moved, where one of them is moved by one: less than that by as much as slopes are chance. An
    /// equation that is made of some runs' slopes and is given the slopes of others tells it (errors in variables; Fuller 1987,
    /// section 1.2); slopes from twice as many runs are half as much chance.
    fn gain(&self, at: &SearchPlace, slopes: &LastSlopes) -> Option<Vec<Vec<f64>>> {
        let prior = prior(at);
        let [first, second] = &slopes.halves;
        let of = |own: &[Vec<f64>], others: &[Vec<f64>]| -> Option<Vec<Vec<f64>>> {
            let equations = NormalEquations::new(own, &self.weights, &prior);
            others.iter().map(|column| equations.solve(column)).collect()
        };
        let (a, b) = (of(first, second)?, of(second, first)?);
        let unit = |place: usize, other: usize| if place == other { 1.0 } else { 0.0 };
        let entry = |column: usize, row: usize| {
            let half = f64::midpoint(a[column][row], b[column][row]);
            unit(column, row) - (unit(column, row) - half) / 2.0
        };
        let count = at.free.len();
        Some((0..count).map(|column| (0..count).map(|row| entry(column, row)).collect()).collect())
    }

    /// How sure the unknowns are. Each run of the scenario is put in the place of what was counted: what it would have moved the
    /// unknowns by is what chance moved them by.
    #[allow(clippy::cast_precision_loss)] // runs
    fn judge(&self, at: &SearchPlace, slopes: &LastSlopes) -> Result<Judged, FitError> {
        let prior = prior(at);
        let equations = NormalEquations::new(&slopes.columns, &self.weights, &prior);
        let curves = self.curves(&at.runs);
        let centre = mean(&curves);
        let away = |curve: &Vec<f64>| -> Vec<f64> { curve.iter().zip(&centre).map(|(own, mean)| own - mean).collect() };
        let (even, nothing) = (vec![1.0; at.free.len()], vec![0.0; at.free.len()]);
        let moved = |gain: &Vec<Vec<f64>>| -> Option<Vec<Vec<f64>>> {
            let whole = NormalEquations::new(gain, &even, &nothing);
            curves.iter().map(|curve| whole.solve(&equations.solve(&away(curve))?)).collect()
        };
        let Some(moved) = self.gain(at, slopes).and_then(|gain| moved(&gain)) else {
            return Err(FitError::Refused(format!("{} cannot be told apart", names(&at.free))));
        };
        let count = curves.len() as f64;
        // A run differs from the mean of all by less than from the truth.
        let own: Vec<f64> =
            curves.iter().map(|curve| self.rough(curve, &centre) * (count / (count - 1.0)).sqrt()).collect();
        let days = self.problem.runs.len() as f64;
        let usual = crate::stats::quantile(&own, 0.9) / days.sqrt();
        let beyond = if usual > 0.0 { self.misfit(&at.runs) / usual } else { 1.0 };
        let free = at.free.len();
        let covariance: Vec<Vec<f64>> = (0..free)
            .map(|a| (0..free).map(|b| moved.iter().map(|by| by[a] * by[b]).sum::<f64>() / (count - 1.0)).collect())
            .collect();
        let quantile = student(CONFIDENCE, moved.len() as u64 - 1);
        let error = |place: usize| (covariance[place][place] * (1.0 / days + 1.0 / count)).sqrt();
        let correlation = |a: usize, b: usize| {
            let both = (covariance[a][a] * covariance[b][b]).sqrt();
            if both > 0.0 { covariance[a][b] / both } else { 0.0 }
        };
        Ok(Judged {
            errors: (0..free).map(error).collect(),
            halves: (0..free).map(|place| quantile * error(place) * beyond.max(1.0)).collect(),
            correlation: (0..free).map(|a| (0..free).map(|b| correlation(a, b)).collect()).collect(),
            beyond,
        })
    }
}

/// How far the unknown is moved that is moved farthest, in steps of the slopes.
fn farthest_moved(from: &SearchPlace, to: &SearchPlace) -> f64 {
    let each = to.unknowns.iter().zip(&from.unknowns).zip(&to.free);
    each.map(|((next, last), one)| (next - last).abs() / step(one.by)).fold(0.0, f64::max)
}

/// What is known beforehand, in the weights of the fit: a difference that is small everywhere counts as one.
fn prior(at: &SearchPlace) -> Vec<f64> {
    at.free.iter().map(|one| 1.0 / beforehand(one.by).powi(2)).collect()
}

/// The unknowns of a place, moved by a share of a step, within their bounds.
fn moved(at: &SearchPlace, step: &[f64], share: f64) -> Vec<f64> {
    let each = at.unknowns.iter().zip(step).zip(&at.free);
    each.map(|((unknown, by), one)| (unknown + share * by).clamp(-bound(one.by), bound(one.by))).collect()
}

/// Names of what is free, in a sentence.
fn names(free: &[Free]) -> String {
    free.iter().map(|one| format!("`{}`", one.name())).collect::<Vec<_>>().join(", ")
}
