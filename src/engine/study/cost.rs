//! Predicted cost of a run: events, processor time and memory.

use crate::model::{Class, Demand, Fidelity, Model};
use crate::scenario::Study;
use crate::study::axis::Axis;
use crate::study::load::{self, Brought};

/// Predicted cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StudyCost {
    /// Transactions, jobs and calls of a day in the base.
    pub transactions: f64,
    /// Runs at least: set-ups by replications.
    pub runs: f64,
    /// Events of all of them.
    pub events: f64,
    /// Time of one processor for all of them [s].
    pub seconds: f64,
    /// Memory at most [byte].
    pub memory: f64,
}

/// Size of a study.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Set-ups.
    pub setups: usize,
    /// Replications of each at least.
    pub replications: u32,
    /// Points of a sweep, whose results are all kept to the end.
    pub points: usize,
}

impl Extent {
    /// All of it, once.
    #[must_use]
    pub fn of(study: &Study) -> Self {
        Self { setups: study.setups.len(), replications: study.effort.least, points: 1 }
    }
}

impl StudyCost {
    /// Cost of a sweep, from the cost that it would have if all points were alike, for each point: the mean, and the largest memory.
    #[must_use]
    pub fn of_points(points: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> f64| points.iter().map(of).sum::<f64>() / count(points.len().max(1));
        Self {
            transactions: mean(|cost| cost.transactions),
            runs: mean(|cost| cost.runs),
            events: mean(|cost| cost.events),
            seconds: mean(|cost| cost.seconds),
            memory: points.iter().map(|cost| cost.memory).fold(0.0, f64::max),
        }
    }

    /// Whether it is more than runs without confirmation.
    #[must_use]
    pub fn is_high(&self) -> bool {
        self.memory > MOST_MEMORY || self.events > MOST_EVENTS
    }
}

/// Most memory that is taken without confirmation [byte]: 2 GiB.
const MOST_MEMORY: f64 = 2_147_483_648.0;
/// Most events that are simulated without confirmation: about twenty minutes of one processor.
const MOST_EVENTS: f64 = 1e10;

/// Time of a transaction at flow fidelity, with what is recorded of it [s]. Measured on nine shipped scenarios: 0.68 to 0.95
/// on a machine of 2 processors.
const TRANSACTION: f64 = 0.8e-6;
/// Time of a kilobit at packet fidelity, on `tiny` [s].
const KILOBIT: f64 = 0.037e-6;
/// Events of a transaction at flow fidelity, and of a kilobit at packet fidelity. Measured on the shipped scenarios: 5.3 to 7.0.
const EVENTS: (f64, f64) = (8.0, 0.5);
/// Memory that does not depend on the scenario: code, charts as pictures, a quarter of an hour packet by packet [byte].
const PROGRAM: f64 = 70e6;
/// Memory of a transaction that is held by a cap, in a store or in a queue [byte].
const HELD: f64 = 400.0;
/// A histogram of latencies, of which most of the octaves are in use [byte].
const HISTOGRAM: f64 = 3e3;
/// Memory of a class in a bin, and of a concentrator in a bin [byte].
const CLASS_BIN: f64 = 130.0;
/// See [`CLASS_BIN`].
const HUB_BIN: f64 = 130.0;
/// Memory of a workstation and of a site in the engine [byte].
const WORKSTATION: f64 = 100.0;
/// See [`WORKSTATION`].
const SITE: f64 = 2e3;

/// Cost of one run of a model by one processor.
#[must_use]
pub fn run_cost(model: &Model) -> StudyCost {
    of_models(&[model], Extent { setups: 1, replications: 1, points: 1 }, 1)
}

/// What a study costs on so many processors.
#[must_use]
pub fn cost(study: &Study, extent: Extent, processors: usize) -> StudyCost {
    let models: Vec<&Model> = study.setups.iter().map(|setup| &setup.model).collect();
    of_models(&models, extent, processors)
}

/// The same of a base and what becomes of it in options.
fn of_models(models: &[&Model], extent: Extent, processors: usize) -> StudyCost {
    let base = models[0];
    let (transactions, work) = of_day(base);
    let days = f64::from(base.calendar.days);
    let runs = f64::from(extent.replications) * count(extent.setups) * count(extent.points);
    let kilobits = work / 1e3 * part_in_packets(base.fidelity);
    StudyCost {
        transactions,
        runs,
        events: runs * days * (transactions * EVENTS.0 + kilobits * EVENTS.1),
        seconds: runs * days * (transactions * TRANSACTION + kilobits * KILOBIT),
        memory: memory(models, extent, processors),
    }
}

/// Part of the work that is simulated packet by packet. At sampled fidelity the six set-ups of `kent-monday` until 10:17 take a
/// seventeenth of the time of packets; smaller estates have less to leave out.
fn part_in_packets(fidelity: Fidelity) -> f64 {
    match fidelity {
        Fidelity::Flow => 0.0,
        Fidelity::Sampled => 1.0 / 8.0,
        Fidelity::Packet(_) => 1.0,
    }
}

/// Transactions, jobs and calls of a day, and their work [bit].
fn of_day(model: &Model) -> (f64, f64) {
    if let Some(replay) = &model.replay {
        let bits = replay.iter().map(|arrival| arrival.request.bits() + arrival.response.bits()).sum::<f64>();
        return (count(replay.len()) / f64::from(model.calendar.days), bits / f64::from(model.calendar.days));
    }
    let add = |sum: (f64, f64), one: Brought| (sum.0 + one.count, sum.1 + one.work);
    (0..model.classes.len()).map(|class| load::of_day(model, class)).fold((0.0, 0.0), add)
}

/// Transactions that may be held at a time: all of a class that is open or of jobs, and of one that is capped, or stored on
/// site, in some set-up.
fn held(models: &[&Model]) -> f64 {
    let base = models[0];
    let classes = base.classes.iter().enumerate().filter(|(place, class)| {
        let rules = models.iter().map(|model| &model.classes[*place].rules);
        let is_held = rules.into_iter().any(|rules| !rules.store_and_forward.is_empty() || !rules.caps.is_empty());
        is_held || !matches!(class.demand, Demand::Users { .. })
    });
    classes.map(|(place, _)| load::of_day(base, place).count).sum()
}

/// Memory [byte]: what is kept of each set-up and of the runs under way, and what the engine holds.
fn memory(models: &[&Model], extent: Extent, processors: usize) -> f64 {
    let base = models[0];
    let axis = Axis::of(base);
    let (bins, windows) = (count(axis.len()), count(axis.windows().len()));
    let (classes, sites) = (count(base.classes.len()), count(base.sites.len()));
    let hubs = models.iter().map(|model| model.concentrators.len()).max().map_or(1.0, count);
    let run =
        bins * (hubs * (classes * 8.0 + HUB_BIN) + classes * CLASS_BIN) + windows * (classes * HISTOGRAM + sites * 8.0);
    let people: f64 = base.classes.iter().map(workstations).sum();
    let engine = people * WORKSTATION + sites * SITE + held(models) * HELD;
    let kept = count(extent.setups) * (1.0 + count(extent.points)) + count(processors);
    let replayed = base.replay.as_ref().map_or(0.0, |replay| count(size_of_val(&replay[..])));
    PROGRAM + replayed + kept * run + count(processors) * engine
}

fn workstations(class: &Class) -> f64 {
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
