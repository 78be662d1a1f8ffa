//! Runs of a sweep, one point after the other.

use crate::cli::args::Allowed;
use crate::cli::args::Sweep;
use crate::cli::bundle::Bundle;
use crate::cli::common::affordable;
use crate::cli::common::checked;
use crate::cli::common::choose;
use crate::cli::common::override_with;
use crate::cli::common::tell;
use crate::cli::elsewhere::{Shipment, until_done};
use crate::cli::output::Output;
use crate::cli::stop::STOP;
use crate::cli::stop::Stop;
use crate::report::finding::Finding;
use crate::report::words::list;
use crate::scale::job::{Recipe, RunKind};
use crate::scale::wanting::Wanting;
use crate::scenario::{Study, edit};
use crate::study;
use crate::study::cost::{Extent, StudyCost, cost};
use crate::study::error::MissingRun;
use crate::study::results::Results;
use crate::study::{RunOptions, StudyError};

/// What a sweep needs to run a point.
pub(crate) struct Runner<'a> {
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
    pub(super) fn cost_of(&self, paths: &[String], values: &[String], points: usize) -> Result<StudyCost, Stop> {
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
        let mut study =
            checked(&self.args.file, text, self.terms).map_err(|problems| Stop::Input(problems.show(false)))?;
        override_with(&mut study, self.args.seed, self.args.replications);
        Ok(study)
    }

    /// The results of a varied scenario; runs that are known are not simulated again.
    pub fn run(&self, text: &str) -> Result<Results, Stop> {
        let study = self.study(text)?;
        let chosen = if self.args.options.is_empty() { vec![0] } else { choose(&study, &self.args.options)? };
        let keep = Some(self.output.kept());
        let here = self.args.scale.on.is_none();
        let settings = RunOptions { stop: &STOP, progress: &|_| {}, keep, records: None, here };
        study::run(&study, &chosen, &settings).map_err(|fault| match fault {
            StudyError::Missing(runs) => {
                let shipped = Shipment::of(text, &study.files);
                let recipe = |run: &MissingRun| Recipe {
                    seed: self.args.seed,
                    ..shipped.recipe(&study.setups[run.place].name, RunKind::Run { records: false })
                };
                let model = |place: usize| &study.setups[place].model;
                Stop::Missing(Wanting::of(runs, shipped.files.clone(), recipe, model))
            }
            other => self.output.stop(other),
        })
    }

    /// Repeats an attempt until no run that it needs is missing.
    pub fn until_done<T>(&self, attempt: impl FnMut() -> Result<T, Stop>) -> Result<T, Stop> {
        until_done(&self.args.scale, self.output, &self.output.kept(), attempt)
    }

    /// Writes and prints what was found.
    pub fn tell(&self, finding: &Finding, study: &Study) -> Result<(), Stop> {
        let bundles = [Bundle::of(self.text, &study.files)];
        tell::<()>(finding, self.output, &bundles, std::slice::from_ref(&self.args.file), None)
    }
}

pub(crate) fn input(fault: impl std::fmt::Display) -> Stop {
    Stop::Input(format!("error: {fault}"))
}
