//! Plans: inverse questions. How much is enough, how late is early enough, until when does it last?

pub mod knob;
pub mod search;

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::Serialize;

use crate::scenario::model::Model;
use crate::scenario::target::{Measure, Target};
use crate::scenario::{Setup, Study};
use crate::sim::simulate;
use crate::study::recorder::Recorder;
use crate::study::{Fault, watched};
use crate::units::{Clock, NANOS};
use knob::Knob;
use search::{Answer, Criterion, Problem, search};

/// A question: which value of a knob is the least (or the most) at which a target holds?
pub struct Question<'a> {
    /// The scenario.
    pub study: &'a Study,
    /// The base or an option of it.
    pub setup: &'a Setup,
    /// The place of the target.
    pub target: usize,
    /// What is turned.
    pub knob: Knob,
    /// What it is for the target to hold.
    pub criterion: Criterion,
    /// Half-width of the answer's interval that is narrow enough: a share of the value, or of the range.
    pub precision: f64,
    /// Runs at most.
    pub most: u32,
}

/// What came of a question.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The scenario's question.
    pub question: String,
    /// What was turned.
    pub knob: Knob,
    /// The set-up, for people.
    pub setup: String,
    /// The target.
    pub target: String,
    /// Its limit, and whether it is a time, a share, a size or a number.
    pub limit: f64,
    /// See `limit`.
    pub kind: crate::study::results::Kind,
    /// What it is for the target to hold.
    pub criterion: Criterion,
    /// The value that the knob has now.
    pub now: f64,
    /// The answer, and what it rests on.
    pub answer: Answer,
    /// Seed of the random numbers.
    pub seed: u64,
}

/// Answers a question.
///
/// # Errors
/// If it is stopped.
pub fn plan(question: &Question<'_>, stop: &AtomicBool, progress: &(dyn Fn(u64) + Sync)) -> Result<Plan, Fault> {
    let target = &question.study.targets[question.target];
    let base = shortened(&question.setup.model, target);
    let watched = watched(question.study);
    let done = std::sync::atomic::AtomicU64::new(0);
    let evaluate = |points: &[(f64, u32)]| -> Result<Vec<Option<f64>>, Fault> {
        let values: Vec<Option<f64>> = points
            .par_iter()
            .map(|&(value, replication)| {
                let model = question.knob.set(&base, value);
                let targets = std::slice::from_ref(target);
                let mut recorder = Recorder::new(&model, targets, watched, stop, None);
                simulate(&model, replication, &mut recorder);
                progress(done.fetch_add(1, Ordering::Relaxed) + 1);
                recorder.finish().ok().and_then(|run| run.targets[0])
            })
            .collect();
        if stop.load(Ordering::Relaxed) { Err(Fault::Stopped) } else { Ok(values) }
    };
    let terms = question.knob.terms(&base);
    let problem = Problem {
        limit: target.limit,
        terms,
        criterion: question.criterion,
        precision: question.precision,
        most: question.most,
    };
    Ok(Plan {
        question: question.study.question.clone(),
        knob: question.knob.clone(),
        setup: question.setup.title.clone(),
        target: target.title.clone(),
        limit: target.limit,
        kind: crate::study::results::kind(target.measure),
        criterion: question.criterion,
        now: terms.start,
        answer: search(&problem, &evaluate)?,
        seed: base.seed,
    })
}

/// A day ends soon after the hours that the target looks at: what comes later cannot change it.
fn shortened(model: &Model, target: &Target) -> Model {
    const MARGIN: u64 = 300 * NANOS;
    let mut model = model.clone();
    let of_hours =
        !matches!(target.measure, Measure::Outages | Measure::StaffTime | Measure::CutOff | Measure::SitesCutOff);
    if of_hours && model.calendar.days == 1 {
        let end = (target.until.0 + MARGIN).saturating_sub(model.calendar.from.0).div_ceil(model.bin.0) * model.bin.0;
        model.calendar.until = Clock((model.calendar.from.0 + end).min(model.calendar.until.0));
    }
    model
}
