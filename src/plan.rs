//! Plans: inverse questions. How much is enough, how late is early enough, for how long is it enough?

pub mod answer;
pub mod best;
pub mod knob;
pub mod samples;
pub mod search;

use std::collections::BTreeMap;

use answer::{Answer, Criterion, SearchProblem};
use best::best;
use knob::Knob;
use search::search;
use serde::Serialize;

use crate::model::Model;
use crate::scenario::check::target::{Measure, Target};
use crate::scenario::{Setup, Study};
use crate::study::days::Days;
use crate::study::error::MissingRun;
use crate::study::figures::quarter_of;
use crate::study::forecast::detail::COARSE;
use crate::study::forecast::outlook::DayForecast;
use crate::study::limits::Limit;
use crate::study::record::FocusClass;
use crate::study::{Progress, RunOptions, StudyError, run, watched};
use crate::units::{NANOS, TimeOfDay};

/// A question: the least (or greatest) value of a parameter at which a target is met.
pub struct Question<'a> {
    /// The scenario.
    pub study: &'a Study,
    /// The base or an option of it.
    pub setup: &'a Setup,
    /// The place of the target.
    pub target: usize,
    /// The parameter.
    pub knob: Knob,
    /// When the target counts as met.
    pub criterion: Criterion,
    /// Half-width of the answer's interval that is narrow enough: a share of the value, or of the range.
    pub precision: f64,
    /// Runs at most.
    pub most: u32,
}

impl Question<'_> {
    /// The model whose parameter is sought.
    #[must_use]
    pub fn base(&self) -> Model {
        shortened(&self.setup.model, &self.study.targets[self.target])
    }

    /// What is measured of it.
    #[must_use]
    pub fn asked(&self) -> (Vec<Target>, FocusClass) {
        (vec![self.study.targets[self.target].clone()], watched(self.study))
    }

    /// The study of one day with the parameter at a value.
    #[must_use]
    pub fn at(&self, value: f64) -> Study {
        let model = self.knob.set(&self.base(), value);
        let mut study = self.study.clone();
        study.setups = vec![Setup { model, ..self.setup.clone() }];
        (study.effort.least, study.effort.most) = (1, 1);
        study
    }
}

/// The answer to a question.
#[derive(Clone, Debug, Serialize)]
pub struct PlanResult {
    /// The scenario's question.
    pub question: String,
    /// The parameter.
    pub knob: Knob,
    /// The set-up, for people.
    pub setup: String,
    /// The target.
    pub target: String,
    /// Its limit, and whether it is a time, a share, a size or a number.
    pub limit: f64,
    /// See `limit`.
    pub kind: crate::study::figures::TargetKind,
    /// What it is for the target to hold.
    pub criterion: Criterion,
    /// The present value of the parameter, if it has one.
    pub now: Option<f64>,
    /// Names of the concentrators.
    pub concentrators: Vec<String>,
    /// Tunnels that a concentrator must take: those of all sites, should the others fail.
    pub tunnels: usize,
    /// Packets a second that a concentrator handles for each bit/s of its throughput, where that is written.
    pub packet_rate: Option<f64>,
    /// Half-width of the interval that was asked for: a share.
    pub precision: f64,
    /// The limit that binds at the answer, in the target's hours; none where this was not looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_there: Option<Limit>,
    /// The answer, and what it rests on.
    pub answer: Answer,
    /// Seed of the random numbers.
    pub seed: u64,
}

/// Answers a question.
///
/// # Errors
/// If it is stopped, or a day cannot be kept.
pub fn plan(question: &Question<'_>, days: &Days<'_>) -> Result<PlanResult, StudyError> {
    let target = &question.study.targets[question.target];
    let (base, asked) = (question.base(), question.asked());
    let evaluate = |points: &[(f64, u32)]| -> Result<Vec<Option<f64>>, StudyError> {
        let (values, wanted) = by_value(points);
        let models: Vec<Model> = values.iter().map(|value| question.knob.set(&base, *value)).collect();
        let found = days.measure(&models, &vec![asked.clone(); models.len()], &wanted);
        let found = found.map_err(|fault| at_values(fault, &values))?;
        Ok(found.into_iter().map(|day| day.targets[0]).collect())
    };
    let forecast = |value: f64| {
        let model = question.knob.set(&base, value);
        DayForecast::in_detail(&model, &asked.0, COARSE).targets[0]
    };
    let terms = question.knob.terms(&base);
    let problem = SearchProblem {
        limit: target.limit,
        terms,
        criterion: question.criterion,
        precision: question.precision,
        most: question.most,
    };
    Ok(PlanResult {
        question: question.study.question.clone(),
        knob: question.knob.clone(),
        setup: question.setup.title.clone(),
        target: target.title.clone(),
        limit: target.limit,
        kind: crate::study::figures::kind(target.measure),
        criterion: question.criterion,
        now: question.knob.has_now().then_some(terms.start),
        concentrators: base.concentrators.iter().map(|concentrator| concentrator.name.clone()).collect(),
        tunnels: base.sites.len(),
        packet_rate: packet_rate(&question.knob, &base),
        precision: question.precision,
        limit_there: None,
        answer: if question.knob.has_best() {
            best(&problem, &evaluate)?
        } else {
            search(&problem, &evaluate, &forecast)?
        },
        seed: base.seed,
    })
}

/// Runs that are missing, with the values that their models have.
fn at_values(fault: StudyError, values: &[f64]) -> StudyError {
    match fault {
        StudyError::Missing(runs) => {
            let at = |run: MissingRun| MissingRun { value: Some(values[run.place]), ..run };
            StudyError::Missing(runs.into_iter().map(at).collect())
        }
        other => other,
    }
}

/// Packet rate for each bit/s of throughput of the concentrator whose throughput is sought.
fn packet_rate(knob: &Knob, model: &Model) -> Option<f64> {
    let Knob::Throughput(concentrators) = knob else { return None };
    let concentrator = &model.concentrators[usize::from(*concentrators.first()?)];
    #[allow(clippy::cast_precision_loss)] // far below 2^53
    concentrator.packets.map(|rate| rate.0 as f64 / concentrator.rated.bits())
}

/// The limit that binds in most quarters of an hour of the target's hours, over all concentrators, with the parameter at a value, on
/// the first day.
///
/// # Errors
/// If it is stopped.
pub fn limit_at(question: &Question<'_>, value: f64, days: &Days<'_>) -> Result<Limit, StudyError> {
    let target = &question.study.targets[question.target];
    let study = question.at(value);
    let progress = |progress| {
        if matches!(progress, Progress::Runs { done: 1, .. }) {
            (days.progress)();
        }
    };
    let settings =
        RunOptions { stop: days.stop, progress: &progress, keep: days.keep.clone(), records: None, here: days.here };
    let results = run(&study, &[0], &settings)?;
    let width = quarter_of(results.bins.1);
    let starts: Vec<f64> = results.bins.0.iter().step_by(width).copied().collect();
    let hours = target.from.hours()..target.until.hours();
    let binding = results.setups[0].limits.iter().flat_map(|limits| limits.iter().zip(&starts));
    let mut counts: BTreeMap<Limit, u32> = BTreeMap::new();
    for (limit, _) in binding.filter(|(limit, start)| **limit != Limit::None && hours.contains(*start)) {
        *counts.entry(*limit).or_default() += 1;
    }
    Ok(counts.into_iter().max_by_key(|(_, count)| *count).map_or(Limit::None, |(limit, _)| limit))
}

/// The values among points, each once, and the points by the place of their value.
fn by_value(points: &[(f64, u32)]) -> (Vec<f64>, Vec<(usize, u32)>) {
    let mut values: Vec<f64> = Vec::new();
    let mut place = |value: f64| {
        let known = values.iter().position(|other| other.to_bits() == value.to_bits());
        known.unwrap_or_else(|| {
            values.push(value);
            values.len() - 1
        })
    };
    let wanted = points.iter().map(|&(value, day)| (place(value), day)).collect();
    (values, wanted)
}

/// A day ends soon after the hours that the target looks at: what comes later cannot change it.
fn shortened(model: &Model, target: &Target) -> Model {
    const MARGIN: u64 = 300 * NANOS;
    let mut model = model.clone();
    // The search assumes independent days.
    model.antithetic = false;
    let of_hours =
        !matches!(target.measure, Measure::Outages | Measure::StaffTime | Measure::CutOff | Measure::SitesCutOff);
    if of_hours && model.calendar.days == 1 {
        let end = (target.until.0 + MARGIN).saturating_sub(model.calendar.from.0).div_ceil(model.bin.0) * model.bin.0;
        model.calendar.until = TimeOfDay((model.calendar.from.0 + end).min(model.calendar.until.0));
    }
    model
}
