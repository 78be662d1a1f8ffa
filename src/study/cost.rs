//! What a run is going to cost: transactions, processor time and memory, known before anything is simulated.

use crate::scenario::Study;
use crate::scenario::model::{Demand, Fidelity, Model};
use crate::study::load::day_work;
use crate::study::recorder::Axis;

/// What a run costs, roughly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Transactions, jobs and calls of a day as it is.
    pub transactions: f64,
    /// Runs at least: set-ups by replications.
    pub runs: f64,
    /// Time of one processor for all of them [s].
    pub seconds: f64,
    /// Memory [byte].
    pub memory: f64,
}

/// Time of a transaction at flow fidelity, with what is recorded of it [s]. Measured on nine shipped scenarios: 0.68 to 0.95
/// on a machine of 2 processors.
const TRANSACTION: f64 = 0.8e-6;
/// Time of a kilobit at packet fidelity, on `tiny` [s].
const KILOBIT: f64 = 0.037e-6;
/// What the program takes before it has read anything [byte].
const PROGRAM: f64 = 25e6;
/// A histogram of latencies, of which most of the octaves are in use [byte].
const HISTOGRAM: f64 = 3e3;
/// What is kept of a class in a bin, and of a concentrator [byte].
const CLASS_BIN: f64 = 130.0;
/// See [`CLASS_BIN`].
const HUB_BIN: f64 = 130.0;
/// What the engine keeps of a workstation and of a site [byte].
const WORKSTATION: f64 = 100.0;
/// See [`WORKSTATION`].
const SITE: f64 = 1e3;

/// What a run of a study costs on so many processors.
#[must_use]
pub fn cost(study: &Study, processors: usize) -> Cost {
    let base = &study.setups[0].model;
    let (transactions, work) = of_day(base);
    let days = f64::from(base.calendar.days);
    let runs = f64::from(study.effort.least) * count(study.setups.len());
    let each = match base.fidelity {
        Fidelity::Flow => transactions * TRANSACTION,
        Fidelity::Packet(_) => transactions * TRANSACTION + work / 1e3 * KILOBIT,
    };
    Cost { transactions, runs, seconds: runs * days * each, memory: memory(study, processors) }
}

/// Transactions, jobs and calls of a day, and their work [bit].
fn of_day(model: &Model) -> (f64, f64) {
    if let Some(replay) = &model.replay {
        let bits = replay.iter().map(|arrival| arrival.request.bits() + arrival.response.bits()).sum::<f64>();
        return (count(replay.len()) / f64::from(model.calendar.days), bits / f64::from(model.calendar.days));
    }
    let weekday = usize::from(model.calendar.weekday);
    let of_class = |class| {
        let (work, action) = day_work(model, class);
        let number = match &class.demand {
            Demand::Streams { arrivals, .. } => arrivals.per_day * arrivals.weekdays[weekday],
            _ if action > 0.0 => work / action,
            _ => 0.0,
        };
        (number, work)
    };
    model.classes.iter().map(of_class).fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
}

/// Memory [byte]: what is kept of each set-up and of the runs under way, and what the engine holds.
fn memory(study: &Study, processors: usize) -> f64 {
    let base = &study.setups[0].model;
    let axis = Axis::of(base);
    let (bins, windows) = (count(axis.len()), count(axis.windows().len()));
    let (classes, sites) = (count(base.classes.len()), count(base.sites.len()));
    let hubs = study.setups.iter().map(|setup| setup.model.units.len()).max().map_or(1.0, count);
    let run =
        bins * (hubs * (classes * 8.0 + HUB_BIN) + classes * CLASS_BIN) + windows * (classes * HISTOGRAM + sites * 8.0);
    let people: f64 = base.classes.iter().map(workstations).sum();
    let engine = people * WORKSTATION + sites * SITE;
    let kept = count(study.setups.len()) * 2.0 + count(processors);
    PROGRAM + kept * run + count(processors) * engine
}

fn workstations(class: &crate::scenario::model::Class) -> f64 {
    match &class.demand {
        Demand::Users { workstations, .. } | Demand::Jobs { workstations, .. } => {
            workstations.iter().copied().map(f64::from).sum()
        }
        _ => 0.0,
    }
}

#[allow(clippy::cast_precision_loss)] // far below 2^53
fn count(number: usize) -> f64 {
    number as f64
}
