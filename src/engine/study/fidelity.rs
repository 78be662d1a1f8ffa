//! Both fidelities on the same quarter of an hour: where they disagree, and whether they rank the options alike.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::Serialize;

use crate::model::{Calendar, Demand, Fidelity, Model};
use crate::scenario::{Setup, Study};
use crate::sim::observer::{Fact, Observer, Outcome, Record};
use crate::sim::simulate;
use crate::stats::{mean, quantile};
use crate::study::error::StudyError;
use crate::units::{Duration, NANOS, Time, TimeOfDay};

/// Latencies of a class in a set-up at both fidelities.
#[derive(Clone, Debug, Serialize)]
pub struct FidelityRow {
    /// The set-up.
    pub setup: String,
    /// The class.
    pub class: String,
    /// Transactions that began in the quarter and ended, at the study's and at packet fidelity.
    pub count: [usize; 2],
    /// Their mean latency [s].
    pub mean: [f64; 2],
    /// Their 95th percentile [s].
    pub p95: [f64; 2],
}

/// A quarter of an hour at both fidelities.
#[derive(Clone, Debug, Serialize)]
pub struct FidelityCheck {
    /// When it begins.
    pub from: String,
    /// When it ends.
    pub until: String,
    /// What stands beside packets.
    pub fidelity: &'static str,
    /// Packets in a train.
    pub grain: u32,
    /// By set-up and class.
    pub compared: Vec<FidelityRow>,
}

/// Which quarter of an hour is run at both fidelities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// None.
    Never,
    /// The one that decides, if the study is at flow fidelity and it costs little; else none.
    IfCheap,
    /// The one that decides.
    Deciding,
    /// The one that begins then.
    At(TimeOfDay),
}

/// A quarter of an hour.
const QUARTER: u64 = 900 * NANOS;

/// Most trains of packets of a check that was not asked for: about 20 s on two cores of an office machine. A count and not a
/// time, so that the same scenario gives the same report on every machine.
const CHEAP: u64 = 100_000_000;

/// Runs the chosen set-ups through the first day up to the end of a quarter of an hour, at both fidelities. The quarter
/// that decides is the one of those with a target in which most time is lost in the base.
///
/// # Errors
/// If it is stopped.
pub fn check(
    study: &Study,
    chosen: &[usize],
    grain: u32,
    when: When,
    stop: &AtomicBool,
) -> Result<Option<FidelityCheck>, StudyError> {
    let base = &study.setups[0].model;
    let from = match when {
        When::Never => return Ok(None),
        When::IfCheap if base.fidelity != Fidelity::Flow => return Ok(None),
        When::At(from) => from,
        When::IfCheap | When::Deciding => {
            let day = QuartersOfDay::of(base, stop);
            let from = day.deciding(study);
            let trains = chosen.len() as u64 * day.trains(from, grain);
            tracing::debug!(trains, %from, "cost of holding the fidelities against each other");
            if when == When::IfCheap && !(1..=CHEAP).contains(&trains) {
                return Ok(None);
            }
            from
        }
    };
    side_by_side(study, chosen, grain, from, stop).map(Some)
}

fn side_by_side(
    study: &Study,
    chosen: &[usize],
    grain: u32,
    from: TimeOfDay,
    stop: &AtomicBool,
) -> Result<FidelityCheck, StudyError> {
    let until = TimeOfDay(from.0 + QUARTER);
    // Flows where the study itself runs packets.
    let beside = match study.setups[0].model.fidelity {
        Fidelity::Sampled => Fidelity::Sampled,
        Fidelity::Flow | Fidelity::Packet(_) => Fidelity::Flow,
    };
    let jobs: Vec<(&Setup, Fidelity)> = chosen
        .iter()
        .flat_map(|&place| [beside, Fidelity::Packet(grain)].map(|fidelity| (&study.setups[place], fidelity)))
        .collect();
    let runs: Vec<WindowLatencies<'_>> = jobs
        .par_iter()
        .map(|(setup, fidelity)| {
            let mut listener = WindowLatencies::new(from.on(0), until.on(0), stop);
            simulate(&at(&setup.model, *fidelity, until), 0, &mut listener);
            listener
        })
        .collect();
    if stop.load(Ordering::Relaxed) {
        return Err(StudyError::Stopped);
    }
    let compared = jobs.chunks(2).zip(runs.chunks(2)).flat_map(|(job, pair)| compare(job[0].0, &pair[0], &pair[1]));
    Ok(FidelityCheck {
        from: from.to_string(),
        until: until.to_string(),
        fidelity: beside.name(),
        grain,
        compared: compared.collect(),
    })
}

fn at(model: &Model, fidelity: Fidelity, until: TimeOfDay) -> Model {
    let mut model = model.clone();
    model.fidelity = fidelity;
    // What began in the quarter has a minute to end.
    model.calendar = Calendar { days: 1, until: TimeOfDay(until.0 + 60 * NANOS), ..model.calendar };
    model
}

fn compare(setup: &Setup, flow: &WindowLatencies<'_>, packet: &WindowLatencies<'_>) -> Vec<FidelityRow> {
    let classes = setup.model.classes.iter().enumerate();
    let people = classes.filter(|(_, class)| !matches!(class.demand, Demand::Jobs { .. }));
    people
        .filter(|(place, _)| !flow.latencies(*place).is_empty() && !packet.latencies(*place).is_empty())
        .map(|(place, class)| {
            let both = [flow.latencies(place), packet.latencies(place)];
            FidelityRow {
                setup: setup.title.clone(),
                class: class.name.clone(),
                count: [both[0].len(), both[1].len()],
                mean: [mean(&both[0]), mean(&both[1])],
                p95: [quantile(&both[0], 0.95), quantile(&both[1], 0.95)],
            }
        })
        .collect()
}

/// Keeps the latencies of what begins in a window.
struct WindowLatencies<'a> {
    window: (Time, Time),
    latencies: Vec<(u8, f64)>,
    stop: &'a AtomicBool,
}

impl<'a> WindowLatencies<'a> {
    fn new(from: Time, until: Time, stop: &'a AtomicBool) -> Self {
        Self { window: (from, until), latencies: Vec::new(), stop }
    }

    fn latencies(&self, class: usize) -> Vec<f64> {
        self.latencies.iter().filter(|(other, _)| usize::from(*other) == class).map(|(_, latency)| *latency).collect()
    }
}

impl Observer for WindowLatencies<'_> {
    fn on(&mut self, _: Time, fact: &Fact<'_>) {
        let Fact::Ended(record) = fact else { return };
        if counts(record) && (self.window.0..self.window.1).contains(&record.started) {
            self.latencies.push((record.class.0, record.latency.secs()));
        }
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn counts(record: &Record) -> bool {
    matches!(record.outcome, Outcome::Done | Outcome::GivenUp | Outcome::Inside)
}

/// The quarters of an hour of a day, at flow fidelity.
struct QuartersOfDay<'a> {
    quarters: Vec<QuarterTally>,
    stop: &'a AtomicBool,
}

/// What began in a quarter of an hour.
#[derive(Clone, Copy, Default)]
struct QuarterTally {
    /// Time that people lost [s].
    lost: f64,
    /// Full packets, both ways.
    packets: u64,
    /// Transactions and jobs.
    begun: u64,
}

impl<'a> QuartersOfDay<'a> {
    /// The first day of the base.
    fn of(base: &Model, stop: &'a AtomicBool) -> Self {
        let mut day = Self { quarters: Vec::new(), stop };
        simulate(&at(base, Fidelity::Flow, base.calendar.until), 0, &mut day);
        day
    }

    /// When the quarter begins in which most time is lost: of those with a target, if there are any.
    fn deciding(&self, study: &Study) -> TimeOfDay {
        let calendar = &study.setups[0].model.calendar;
        let first = calendar.from.0.div_ceil(QUARTER);
        let watched = first..(calendar.until.0 / QUARTER).max(first + 1);
        let aimed = |quarter: &u64| {
            let begins = TimeOfDay(quarter * QUARTER);
            study.targets.iter().any(|target| (target.from..target.until).contains(&begins))
        };
        let lost =
            |quarter: u64| self.quarters.get(usize::try_from(quarter).unwrap_or(0)).map_or(0.0, |found| found.lost);
        let most =
            |quarters: Vec<u64>| quarters.into_iter().max_by(|a, b| lost(*a).total_cmp(&lost(*b)).then(b.cmp(a)));
        let worst = most(watched.clone().filter(aimed).collect()).or_else(|| most(watched.collect()));
        TimeOfDay(worst.unwrap_or(first) * QUARTER)
    }

    /// Trains of up to `grain` packets from the morning to the end of the quarter that begins then.
    fn trains(&self, from: TimeOfDay, grain: u32) -> u64 {
        let until = usize::try_from(from.0 / QUARTER + 1).unwrap_or(usize::MAX);
        let of = |quarter: &QuarterTally| quarter.packets / u64::from(grain) + SMALL_PACKETS * quarter.begun;
        self.quarters.iter().take(until).map(of).sum()
    }
}

impl Observer for QuartersOfDay<'_> {
    fn on(&mut self, _: Time, fact: &Fact<'_>) {
        let Fact::Ended(record) = fact else { return };
        if !counts(record) {
            return;
        }
        let place = usize::try_from(record.started.0 / QUARTER).unwrap_or(0);
        if self.quarters.len() <= place {
            self.quarters.resize(place + 1, QuarterTally::default());
        }
        let quarter = &mut self.quarters[place];
        // A job of hours would outweigh all that people wait for.
        quarter.lost += Duration(record.latency.0.saturating_sub(record.unloaded.0)).secs().min(MOST_LOST);
        quarter.packets += (record.request.0 + record.response.0).div_ceil(FULL_PACKET);
        quarter.begun += 1;
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// A transaction counts for no more than this in finding the quarter that decides [s].
const MOST_LOST: f64 = 30.0;

/// Bytes of data in a full packet.
const FULL_PACKET: u64 = 1_400;

/// Packets of a transaction that carry no data: opening, acknowledging, closing.
const SMALL_PACKETS: u64 = 8;
