//! Textbooks: queues with known answers, at the fidelity at which they apply.
//!
//! With ideal transport the flow engine is processor sharing; the packet engine, which then sends a transfer as one
//! packet, is the queue that serves first come first served, without interrupting a service.

use std::path::Path;

use crate::model::{Fidelity, Model};
use crate::scenario::load;
use crate::sim::observer::{Fact, Observer, Outcome};
use crate::sim::simulate;
use crate::stats::{Interval, Tally};
use crate::theory::{cobham_waits, deterministic_tail, exponential_tail, fifo_wait, priority_means, ps_mean, ps_tail};
use crate::validate::{ReferenceKind, ValidationRow};

const FIXED: &str = "{ fixed = \"125 kB\" }";
const EXPONENTIAL: &str = "{ exponential = \"125 kB\" }";
/// Lognormal sizes whose squared coefficient of variation is e - 1.
const LOGNORMAL: &str = "{ lognormal = { mean = \"125 kB\", sigma = 1 } }";
const REPLICATIONS: u32 = 10;

/// A queue: its arrivals, its discipline, and its known figures.
struct TextbookQueue {
    name: &'static str,
    fidelity: Fidelity,
    classes: &'static [(&'static str, f64, &'static str)],
    discipline: &'static str,
    /// Figure, the class that it is of, the limit that it is the tail beyond (none: the mean), its value.
    known: Vec<(&'static str, u8, Option<f64>, f64)>,
}

const PACKET: Fidelity = Fidelity::Packet(1);

fn queues() -> Vec<TextbookQueue> {
    let two: &[(&str, f64, &str)] = &[("first", 0.4, EXPONENTIAL), ("second", 0.4, EXPONENTIAL)];
    let first = "{ priority = [[\"first\"]] }";
    let queue =
        |name, fidelity, classes, discipline, known| TextbookQueue { name, fidelity, classes, discipline, known };
    let [high, low] = priority_means([0.4, 0.4]);
    let [early, late] = cobham_waits([0.4, 0.4]);
    let m_g_1 = 1.0 + fifo_wait(0.8, std::f64::consts::E - 1.0);
    vec![
        queue(
            "M/M/1-PS",
            Fidelity::Flow,
            &[("only", 0.8, EXPONENTIAL)],
            "\"fifo\"",
            vec![
                ("mean", 0, None, ps_mean(0.8)),
                ("P(> 3 means)", 0, Some(3.0 * ps_mean(0.8)), ps_tail(0.8, 3.0 * ps_mean(0.8))),
            ],
        ),
        queue(
            "M/G/1-PS",
            Fidelity::Flow,
            &[("only", 0.8, LOGNORMAL)],
            "\"fifo\"",
            vec![("mean", 0, None, ps_mean(0.8))],
        ),
        queue(
            "pre-emptive priority",
            Fidelity::Flow,
            two,
            first,
            vec![("first mean", 0, None, high), ("second mean", 1, None, low)],
        ),
        queue(
            "M/D/1 FIFO",
            PACKET,
            &[("only", 0.8, FIXED)],
            "\"fifo\"",
            vec![
                ("mean", 0, None, 1.0 + fifo_wait(0.8, 0.0)),
                ("P(wait > 4)", 0, Some(5.0), deterministic_tail(0.8, 4.0)),
            ],
        ),
        queue(
            "M/M/1 FIFO",
            PACKET,
            &[("only", 0.8, EXPONENTIAL)],
            "\"fifo\"",
            vec![
                ("mean", 0, None, 1.0 + fifo_wait(0.8, 1.0)),
                // Time in system is exponential with rate 1 - load.
                ("P(> 15)", 0, Some(15.0), exponential_tail(0.8, 15.0) / 0.8),
            ],
        ),
        queue("M/G/1 FIFO", PACKET, &[("only", 0.8, LOGNORMAL)], "\"fifo\"", vec![("mean", 0, None, m_g_1)]),
        queue(
            "priority, not pre-emptive",
            PACKET,
            two,
            first,
            vec![("first mean", 0, None, 1.0 + early), ("second mean", 1, None, 1.0 + late)],
        ),
    ]
}

/// The rows of all textbook cases.
#[must_use]
pub fn rows() -> Vec<ValidationRow> {
    use rayon::prelude::*;
    queues().par_iter().flat_map_iter(rows_of).collect()
}

fn rows_of(queue: &TextbookQueue) -> Vec<ValidationRow> {
    let model = Model { fidelity: queue.fidelity, ..model(queue.classes, queue.discipline) };
    let mut tallies = vec![Tally::default(); queue.known.len()];
    for replication in 0..REPLICATIONS {
        let mut keep = Keep::default();
        simulate(&model, replication, &mut keep);
        for (tally, (_, class, beyond, _)) in tallies.iter_mut().zip(&queue.known) {
            tally.add(keep.figure(*class, *beyond));
        }
    }
    let load = queue.classes.iter().map(|class| class.1).sum();
    let row = |((figure, _, _, value), tally): (&(&str, u8, Option<f64>, f64), &Tally)| {
        let interval = tally.interval(0.99);
        let flow = queue.fidelity == Fidelity::Flow;
        ValidationRow {
            kind: ReferenceKind::Theory,
            case: queue.name.to_owned(),
            service: "",
            load,
            figure: (*figure).to_owned(),
            reference: "theory".to_owned(),
            value: *value,
            packet: (!flow).then_some(interval.mean),
            flow: flow.then_some(interval.mean),
            ratio: Interval { mean: interval.mean / value, half: interval.half / value },
            // An exact formula: only chance may separate it from the engine.
            bar: Some((1.0, 1.0)),
        }
    };
    queue.known.iter().zip(&tallies).map(row).collect()
}

/// A server of 1 s a transfer on average before one site, for a day and a half.
fn model(classes: &[(&str, f64, &str)], discipline: &str) -> Model {
    let mut text = String::from(
        "question = \"What does the textbook say?\"\n[run]\nweekday = \"Mon\"\ndays = 2\nfrom = \"00:00\"\nuntil = \"24:00\"\n\
         bin = \"10 min\"\n[transport]\nmodel = \"ideal\"\n[[estate.site]]\nname = \"s\"\npatients = 86400000\n\
         down = \"100 Gbit/s\"\nrtt = \"0 ms\"\n[[profile]]\nname = \"flat\"\n\
         bands = [{ from = \"00:00\", until = \"24:00\", share = \"100 %\" }]\n",
    );
    for (name, rate, size) in classes {
        // 86,400 thousand patients: so many arrivals a second are as many per 1,000 patients and day.
        text += &format!(
            "[[class]]\nname = \"{name}\"\nresponse = {size}\n[class.open]\nper_1000 = {rate}\nprofile = \"flat\"\n"
        );
    }
    text += &format!("[[concentrator]]\nname = \"hub\"\nthroughput = \"1 Mbit/s\"\ndiscipline = {discipline}\n");
    let study = load("textbook.toml", &text, Path::new("."));
    study.unwrap_or_else(|problems| panic!("{}", problems.show(false))).setups.swap_remove(0).model
}

/// Latencies by class, from an hour on.
#[derive(Default)]
struct Keep(Vec<(u8, f64)>);

impl Keep {
    #[allow(clippy::cast_precision_loss)] // transactions of two days
    fn figure(&self, class: u8, beyond: Option<f64>) -> f64 {
        let own = || self.0.iter().filter(|(other, _)| *other == class).map(|(_, latency)| *latency);
        let count = own().count().max(1) as f64;
        match beyond {
            None => own().sum::<f64>() / count,
            Some(limit) => own().filter(|latency| *latency > limit).count() as f64 / count,
        }
    }
}

impl Observer for Keep {
    fn on(&mut self, _: crate::units::Time, fact: &Fact<'_>) {
        if let Fact::Ended(record) = fact
            && record.outcome == Outcome::Done
            && record.started.secs() > 3600.0
        {
            self.0.push((record.class.0, record.latency.secs()));
        }
    }
}
