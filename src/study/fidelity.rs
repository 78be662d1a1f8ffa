//! Both fidelities on the same quarter of an hour: where they disagree, and whether they rank the options alike.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::Serialize;

use crate::scenario::model::{Calendar, Demand, Fidelity, Model};
use crate::scenario::{Setup, Study};
use crate::sim::observer::{Fact, Observer, Outcome};
use crate::sim::simulate;
use crate::stats::{mean, quantile};
use crate::study::Fault;
use crate::units::{Clock, NANOS, Span, Time};

/// What both fidelities say about a class in a set-up.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// The set-up.
    pub setup: String,
    /// The class.
    pub class: String,
    /// Transactions that began in the quarter and ended, at flow and at packet fidelity.
    pub count: [usize; 2],
    /// Their mean latency [s].
    pub mean: [f64; 2],
    /// Their 95th percentile [s].
    pub p95: [f64; 2],
}

/// A quarter of an hour at both fidelities.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// When it begins.
    pub from: String,
    /// When it ends.
    pub until: String,
    /// Packets in a train.
    pub grain: u32,
    /// By set-up and class.
    pub compared: Vec<Compared>,
}

/// A quarter of an hour.
const QUARTER: u64 = 900 * NANOS;

/// Runs the chosen set-ups through the first day up to the end of a quarter of an hour, at both fidelities: the one that
/// begins at `from`, else the one in which most time is lost in the base.
///
/// # Errors
/// If it is stopped.
pub fn check(
    study: &Study,
    chosen: &[usize],
    grain: u32,
    from: Option<Clock>,
    stop: &AtomicBool,
) -> Result<Check, Fault> {
    let from = from.unwrap_or_else(|| worst(&study.setups[0].model, stop));
    let until = Clock(from.0 + QUARTER);
    let jobs: Vec<(&Setup, Fidelity)> = chosen
        .iter()
        .flat_map(|&place| [Fidelity::Flow, Fidelity::Packet(grain)].map(|fidelity| (&study.setups[place], fidelity)))
        .collect();
    let runs: Vec<Listener<'_>> = jobs
        .par_iter()
        .map(|(setup, fidelity)| {
            let mut listener = Listener::new(from.on(0), until.on(0), stop);
            simulate(&at(&setup.model, *fidelity, until), 0, &mut listener);
            listener
        })
        .collect();
    if stop.load(Ordering::Relaxed) {
        return Err(Fault::Stopped);
    }
    let compared = jobs.chunks(2).zip(runs.chunks(2)).flat_map(|(job, pair)| compare(job[0].0, &pair[0], &pair[1]));
    Ok(Check { from: from.to_string(), until: until.to_string(), grain, compared: compared.collect() })
}

/// The quarter of an hour in which most time is lost.
fn worst(base: &Model, stop: &AtomicBool) -> Clock {
    let mut whole = Listener::new(Time(0), Time::NEVER, stop);
    simulate(&at(base, Fidelity::Flow, base.calendar.until), 0, &mut whole);
    whole.worst(base)
}

fn at(model: &Model, fidelity: Fidelity, until: Clock) -> Model {
    let mut model = model.clone();
    model.fidelity = fidelity;
    // What began in the quarter has a minute to end.
    model.calendar = Calendar { days: 1, until: Clock(until.0 + 60 * NANOS), ..model.calendar };
    model
}

fn compare(setup: &Setup, flow: &Listener<'_>, packet: &Listener<'_>) -> Vec<Compared> {
    let classes = setup.model.classes.iter().enumerate();
    let people = classes.filter(|(_, class)| !matches!(class.demand, Demand::Jobs { .. }));
    people
        .filter(|(place, _)| !flow.latencies(*place).is_empty() && !packet.latencies(*place).is_empty())
        .map(|(place, class)| {
            let both = [flow.latencies(place), packet.latencies(place)];
            Compared {
                setup: setup.name.clone(),
                class: class.name.clone(),
                count: [both[0].len(), both[1].len()],
                mean: [mean(&both[0]), mean(&both[1])],
                p95: [quantile(&both[0], 0.95), quantile(&both[1], 0.95)],
            }
        })
        .collect()
}

/// Keeps the latencies of what begins in a window, and the time lost in each quarter of an hour.
struct Listener<'a> {
    window: (Time, Time),
    latencies: Vec<(u8, f64)>,
    lost: Vec<f64>,
    stop: &'a AtomicBool,
}

impl<'a> Listener<'a> {
    fn new(from: Time, until: Time, stop: &'a AtomicBool) -> Self {
        Self { window: (from, until), latencies: Vec::new(), lost: Vec::new(), stop }
    }

    /// The watched quarter of an hour in which most time is lost.
    fn worst(&self, base: &Model) -> Clock {
        let (first, last) = (base.calendar.from.0.div_ceil(QUARTER), base.calendar.until.0 / QUARTER);
        let waited = |quarter: &u64| self.lost.get(usize::try_from(*quarter).unwrap_or(0)).copied().unwrap_or(0.0);
        let worst = (first..last.max(first + 1)).max_by(|a, b| waited(a).total_cmp(&waited(b)).then(b.cmp(a)));
        Clock(worst.unwrap_or(first) * QUARTER)
    }

    fn latencies(&self, class: usize) -> Vec<f64> {
        self.latencies.iter().filter(|(other, _)| usize::from(*other) == class).map(|(_, latency)| *latency).collect()
    }
}

impl Observer for Listener<'_> {
    fn on(&mut self, _: Time, fact: &Fact<'_>) {
        let Fact::Ended(record) = fact else { return };
        if !matches!(record.outcome, Outcome::Done | Outcome::GivenUp | Outcome::Inside) {
            return;
        }
        if self.window.1 == Time::NEVER {
            let quarter = usize::try_from(record.started.0 / QUARTER).unwrap_or(0);
            if self.lost.len() <= quarter {
                self.lost.resize(quarter + 1, 0.0);
            }
            // A job of hours would drown what people wait for.
            self.lost[quarter] += Span(record.latency.0.saturating_sub(record.unloaded.0)).secs().min(MOST_LOST);
        } else if (self.window.0..self.window.1).contains(&record.started) {
            self.latencies.push((record.class.0, record.latency.secs()));
        }
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A transaction counts for no more than this in finding the worst quarter [s].
const MOST_LOST: f64 = 30.0;
