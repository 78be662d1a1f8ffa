//! Validation: headend against theory, against networks that are not ours, and its two fidelities against each other.
//!
//! Every row holds a reference, headend's figure at each fidelity, and their ratio with its interval: over batches of ten
//! seconds of a trace, or over replications. A row fails when it is beyond its bar by more than chance explains, or beyond it
//! at all where the reference is exact.

pub mod evidence;
pub mod method;
pub mod regimes;
pub mod replay;
pub mod textbook;

use rayon::prelude::*;
use serde::Serialize;

use crate::model::Fidelity;
use crate::stats::{Interval, Tally, mean, quantile};
use evidence::{Measured, Reference, Store, TestbedService, TestbedSite, TraceCase, Unreadable};
use replay::{TraceResult, replay};

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub struct ValidationRow {
    /// Theory, evidence or fidelities.
    pub kind: ReferenceKind,
    /// What was run.
    pub case: String,
    /// The order of service, where there is one.
    pub service: &'static str,
    /// Offered load.
    pub load: f64,
    /// Which class, and which figure of it.
    pub figure: String,
    /// Source of the reference.
    pub reference: String,
    /// The reference, in seconds or as a share.
    pub value: f64,
    /// headend's figure at packet fidelity.
    pub packet: Option<f64>,
    /// headend's figure at flow fidelity.
    pub flow: Option<f64>,
    /// headend over the reference, at packet fidelity where there is one, else at flow.
    pub ratio: Interval,
    /// Lowest and highest ratio that pass; none for information.
    pub bar: Option<(f64, f64)>,
}

/// Kinds of references.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceKind {
    /// Formulas.
    Theory,
    /// Measured networks.
    Evidence,
    /// Its other fidelity.
    Fidelities,
}

/// The verdict of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowVerdict {
    /// Within its bar.
    Within,
    /// Beyond it, but no further than chance explains.
    Perhaps,
    /// Beyond it.
    Beyond,
    /// For information.
    Told,
}

impl ValidationRow {
    /// Its verdict.
    #[must_use]
    pub fn verdict(&self) -> RowVerdict {
        match self.bar {
            None => RowVerdict::Told,
            Some((low, high)) if (low..=high).contains(&self.ratio.mean) => RowVerdict::Within,
            Some((low, high)) if self.ratio.low() <= high && self.ratio.high() >= low => RowVerdict::Perhaps,
            Some(_) => RowVerdict::Beyond,
        }
    }
}

/// A trace with its measurements and headend's replays.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The case.
    pub case: TraceCase,
    /// At packet fidelity, before the sites of each reference.
    pub packet: Vec<(Reference, TraceResult)>,
    /// Before the sites of the last of them a few times more, with round trips that hardly differ: packet and flow fidelity.
    pub again: Vec<[TraceResult; 2]>,
    /// At flow fidelity, before the sites of the last of them.
    pub flow: TraceResult,
}

impl Replayed {
    fn of(case: TraceCase) -> Self {
        let packet = |(reference, measured): (&Reference, &Measured)| {
            (*reference, replay(&case, &measured.sites, Fidelity::Packet(1)))
        };
        let packet: Vec<_> = case.measured.iter().map(packet).collect();
        let last = case.measured.values().last().expect("a case has a measurement");
        let flow = replay(&case, &last.sites, Fidelity::Flow);
        let again = if case.warm_up > 0.0 {
            let both =
                |sites: &[TestbedSite]| [Fidelity::Packet(1), Fidelity::Flow].map(|one| replay(&case, sites, one));
            (1..RUNS).map(|run| both(&hardly_other(&last.sites, run))).collect()
        } else {
            Vec::new()
        };
        Self { case, packet, again, flow }
    }

    /// The reference that counts most: the testbed where there is one.
    ///
    /// # Panics
    /// Never: a case is only read where something was measured of it.
    #[must_use]
    pub fn best(&self) -> (Reference, &Measured, &TraceResult) {
        let (reference, found) = self.packet.last().expect("a case has a measurement");
        (*reference, &self.case.measured[reference], found)
    }

    /// Latencies of a class after the warm-up, with the times of their starts.
    #[must_use]
    pub fn pick(&self, class: &str, latency: &[f64]) -> Vec<(f64, f64)> {
        let rows = self.case.sent.iter().zip(latency);
        let picked = rows.filter(|(sent, _)| sent.class == class && sent.start_s >= self.case.warm_up);
        picked.map(|(sent, latency)| (sent.start_s, *latency)).collect()
    }
}

/// Runs of a trace from which its variance is estimated.
const RUNS: usize = 5;

/// The sites with round trips that differ by a thousandth at most, otherwise in each run but the first, which has them as they are.
#[must_use]
pub fn hardly_other(sites: &[TestbedSite], run: usize) -> Vec<TestbedSite> {
    let other = |(place, site): (usize, &TestbedSite)| {
        if run == 0 {
            return site.clone();
        }
        #[allow(clippy::cast_precision_loss)] // below eleven
        let part = ((7 * run + 3 * place) % 11) as f64 / 5.0 - 1.0;
        TestbedSite { rtt_ms: site.rtt_ms * (1.0 + 1e-3 * part), ..site.clone() }
    };
    sites.iter().enumerate().map(other).collect()
}

/// Replays every case, on all threads; `done` is called after each.
///
/// # Errors
/// If evidence cannot be read.
pub fn replay_all(store: &Store<'_>, done: &(dyn Fn() + Sync)) -> Result<Vec<Replayed>, Unreadable> {
    let cases = evidence::cases(store)?;
    Ok(cases
        .into_par_iter()
        .map(|case| {
            let replayed = Replayed::of(case);
            done();
            replayed
        })
        .collect())
}

/// The rows of all replayed cases.
#[must_use]
pub fn evidence_rows(replayed: &[Replayed]) -> Vec<ValidationRow> {
    replayed.iter().flat_map(rows_of).collect()
}

fn rows_of(replayed: &Replayed) -> Vec<ValidationRow> {
    let case = &replayed.case;
    if case.warm_up <= 0.0 {
        return unloaded(replayed);
    }
    let mut rows = Vec::new();
    for class in &evidence::CLASSES[1..] {
        for (name, statistic) in FIGURES {
            rows.extend(latency_row(replayed, class, name, statistic));
        }
        rows.extend(flow_row(replayed, class));
    }
    rows.extend(voice(replayed));
    rows.extend(utilisation(replayed));
    rows
}

/// A figure of some latencies.
pub type Statistic = fn(&[f64]) -> f64;
const FIGURES: [(&str, Statistic); 2] = [("mean", mean), ("p95", |values| quantile(values, 0.95))];

fn row(replayed: &Replayed, figure: String, reference: String) -> ValidationRow {
    ValidationRow {
        kind: ReferenceKind::Evidence,
        case: replayed.case.trace.clone(),
        service: replayed.case.service.name(),
        load: replayed.case.load(),
        figure,
        reference,
        value: f64::NAN,
        packet: None,
        flow: None,
        ratio: exactly(f64::NAN),
        bar: None,
    }
}

fn exactly(mean: f64) -> Interval {
    Interval { mean, half: 0.0 }
}

/// Fewest transactions of a class in a comparison.
const FEWEST: usize = 30;

fn latency_row(replayed: &Replayed, class: &str, name: &str, statistic: Statistic) -> Option<ValidationRow> {
    let (reference, measured, found) = replayed.best();
    let other = replayed.pick(class, &measured.latency);
    if other.len() < FEWEST {
        return None;
    }
    let own = replayed.pick(class, &found.latency);
    let value = statistic(&values(&other));
    let (ratio, flow) = over_runs(replayed, class, statistic);
    let case = &replayed.case;
    let bar = match (class, name, case.service) {
        _ if reference == Reference::Ns3 => None,
        ("clinical", _, TestbedService::Fifo) if case.load() > 1.0 => span(replayed, class, statistic, value),
        ("clinical", "mean", TestbedService::Fifo) => Some((0.93, 1.07)),
        ("clinical", _, TestbedService::Fifo) => Some((0.90, 1.10)),
        ("clinical", "mean", _) => Some((0.965, 1.035)),
        ("clinical", ..) => Some((0.95, 1.05)),
        (_, "mean", _) => Some((0.85, 1.15)),
        _ => None,
    };
    Some(ValidationRow {
        value,
        packet: Some(ratio * value),
        flow: Some(flow * value),
        ratio: Interval { mean: ratio, ..jackknife(&own, &other, statistic) },
        bar,
        ..row(replayed, format!("{class} {name}"), reference.name().to_owned())
    })
}

fn values(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|pair| pair.1).collect()
}

/// A statistic of a class at packet and at flow fidelity over that of the best reference: means over the runs, for a single one
/// is a draw.
#[must_use]
pub fn over_runs(replayed: &Replayed, class: &str, statistic: Statistic) -> (f64, f64) {
    let (_, measured, found) = replayed.best();
    let value = statistic(&values(&replayed.pick(class, &measured.latency)));
    let of = |found: &TraceResult| statistic(&values(&replayed.pick(class, &found.latency))) / value;
    let both = |place: usize, first: &TraceResult| {
        let again = replayed.again.iter().map(|runs| of(&runs[place]));
        mean(&std::iter::once(of(first)).chain(again).collect::<Vec<f64>>())
    };
    (both(0, found), both(1, &replayed.flow))
}

/// Ratios from the quickest to the slowest reference.
fn span(replayed: &Replayed, class: &str, statistic: Statistic, value: f64) -> Option<(f64, f64)> {
    let of = |measured: &Measured| {
        let picked = replayed.pick(class, &measured.latency);
        statistic(&picked.iter().map(|pair| pair.1).collect::<Vec<f64>>()) / value
    };
    let ratios: Vec<f64> = replayed.case.measured.values().map(of).collect();
    let low = ratios.iter().copied().fold(f64::INFINITY, f64::min);
    let high = ratios.iter().copied().fold(0.0, f64::max);
    (low < high).then_some((low, high))
}

/// Flow against packet fidelity.
fn flow_row(replayed: &Replayed, class: &str) -> Vec<ValidationRow> {
    let (_, _, found) = replayed.best();
    let packet = replayed.pick(class, &found.latency);
    if packet.len() < FEWEST {
        return Vec::new();
    }
    let flow = replayed.pick(class, &replayed.flow.latency);
    let hard = replayed.case.service == TestbedService::Fifo && replayed.case.load() >= 0.95;
    let bars = if hard { [0.15, 0.30] } else { [0.10, 0.20] };
    let figure = |((name, statistic), bar): ((&str, Statistic), f64)| {
        let (of_packet, of_flow) = over_runs(replayed, class, statistic);
        let value = statistic(&values(&packet));
        ValidationRow {
            kind: ReferenceKind::Fidelities,
            value,
            flow: Some(value * of_flow / of_packet),
            ratio: Interval { mean: of_flow / of_packet, ..jackknife(&flow, &packet, statistic) },
            bar: (class == "clinical").then_some((1.0 - bar, 1.0 + bar)),
            ..row(replayed, format!("{class} {name}"), "packet".to_owned())
        }
    };
    FIGURES.into_iter().zip(bars).map(figure).collect()
}

/// One-way delay of voice packets, and those lost, against both references.
fn voice(replayed: &Replayed) -> Vec<ValidationRow> {
    let (reference, measured, found) = replayed.best();
    let (Some((delay, loss)), Some((own, missing))) = (measured.voice, found.voice) else { return Vec::new() };
    let told = reference == Reference::Ns3;
    let delays = ValidationRow {
        value: delay,
        packet: Some(own),
        ratio: exactly(own / delay),
        bar: (!told).then_some((0.9, 1.1)),
        ..row(replayed, "voice delay".to_owned(), reference.name().to_owned())
    };
    // A loss of some packets of 40,000 is known to within a few of them, and losses come in runs.
    let doubt = |share: f64| LOSS_RUN * (share.max(1.0 / VOICE_PACKETS) / VOICE_PACKETS).sqrt();
    let others: Vec<f64> = replayed.case.measured.values().filter_map(|one| one.voice).map(|voice| voice.1).collect();
    let (low, high) =
        others.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), loss| (low.min(*loss), high.max(*loss)));
    let scale = loss.max(1.0 / VOICE_PACKETS);
    let losses = ValidationRow {
        value: loss,
        packet: Some(missing),
        ratio: Interval { mean: missing / scale, half: doubt(missing.max(low)) / scale },
        bar: (!told).then_some((low / scale, high / scale)),
        ..row(replayed, "voice loss".to_owned(), "both".to_owned())
    };
    vec![delays, losses]
}

/// Voice packets of a measurement.
const VOICE_PACKETS: f64 = 42_000.0;
/// Losses come in runs: their count is this many times as uncertain as that of single ones, at two deviations.
const LOSS_RUN: f64 = 4.0;

/// The largest difference of utilisation over ten seconds: packet against the measurement, and flow against packet.
///
/// A few transfers share a link by chance: with round trips that differ by a thousandth the same trace has other seconds, at
/// either fidelity. So the fidelities are compared run by run, and the mean difference comes with its interval.
fn utilisation(replayed: &Replayed) -> [ValidationRow; 2] {
    let (reference, measured, found) = replayed.best();
    let last = replayed.case.sent.last().map_or(0.0, |sent| sent.start_s);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // seconds of a trace
    let decades = (last / 10.0) as usize;
    let over_ten = |seconds: &[f64]| -> Vec<f64> { seconds.chunks_exact(10).take(decades).map(mean).collect() };
    let again = replayed.again.iter().map(|[packet, flow]| [packet, flow]);
    let runs: Vec<[Vec<f64>; 2]> = std::iter::once([found, &replayed.flow])
        .chain(again)
        .map(|both| both.map(|found| over_ten(&found.utilisation)))
        .collect();
    let ([own, flow], other) = (&runs[0], over_ten(&measured.utilisation));
    let gap = |decade: usize| {
        let apart: Tally = runs.iter().map(|[packet, flow]| flow[decade] - packet[decade]).collect();
        let usual = apart.interval(0.95);
        Interval { mean: 1.0 + usual.mean.abs(), half: usual.half }
    };
    let worse = |a: &Interval, b: &Interval| a.mean.total_cmp(&b.mean);
    let of = |fidelity: usize| mean(&runs.iter().flat_map(|run| run[fidelity].clone()).collect::<Vec<f64>>());
    let row = |figure: &str, reference: &str| row(replayed, figure.to_owned(), reference.to_owned());
    let evidence = ValidationRow {
        value: mean(&other),
        packet: Some(mean(own)),
        flow: Some(mean(flow)),
        ratio: exactly(1.0 + own.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)),
        ..row("utilisation, worst 10 s", reference.name())
    };
    let fidelities = ValidationRow {
        kind: ReferenceKind::Fidelities,
        value: of(0),
        flow: Some(of(1)),
        ratio: (0..flow.len()).map(gap).max_by(worse).unwrap_or(exactly(1.0)),
        ..row("utilisation, worst 10 s", "packet")
    };
    [evidence, fidelities]
}

/// Transfers through an idle network, by size: the one that is furthest off.
fn unloaded(replayed: &Replayed) -> Vec<ValidationRow> {
    let Some(measured) = replayed.case.measured.get(&Reference::Ns3) else { return Vec::new() };
    let quiet = TraceCase { calls: 0, ..replayed.case.clone() };
    let [packet, flow] =
        [Fidelity::Packet(1), Fidelity::Flow].map(|fidelity| replay(&quiet, &measured.sites, fidelity));
    let mut sizes: Vec<u64> = quiet.sent.iter().map(|sent| sent.response_bytes).collect();
    sizes.sort_unstable();
    sizes.dedup();
    let worst = |size: u64| {
        let places = (0..quiet.sent.len()).filter(|&place| quiet.sent[place].response_bytes == size);
        let off = |place: usize| (packet.latency[place] / measured.latency[place] - 1.0).abs();
        let place = places.max_by(|a, b| off(*a).total_cmp(&off(*b))).unwrap_or(0);
        ValidationRow {
            value: measured.latency[place],
            packet: Some(packet.latency[place]),
            flow: Some(flow.latency[place]),
            ratio: exactly(packet.latency[place] / measured.latency[place]),
            bar: Some((0.97, 1.03)),
            ..row(replayed, format!("{} kB, worst of 8 sites", size / 1000), "ns3".to_owned())
        }
    };
    sizes.into_iter().map(worst).collect()
}

/// Length of a batch of a trace [s].
const BATCH: f64 = 10.0;

/// The ratio of a statistic of two paired samples, with its 95 % interval: batches of the trace are left out in turn
/// (Efron & Tibshirani 1993, chapter 11; batches because neighbours in time are alike).
fn jackknife(own: &[(f64, f64)], other: &[(f64, f64)], statistic: Statistic) -> Interval {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // seconds of a trace
    let batch = |start: f64| (start / BATCH) as u32;
    let ratio = |without: Option<u32>| {
        let keep = |pairs: &[(f64, f64)]| -> Vec<f64> {
            pairs.iter().filter(|pair| Some(batch(pair.0)) != without).map(|pair| pair.1).collect()
        };
        statistic(&keep(own)) / statistic(&keep(other))
    };
    let mut batches: Vec<u32> = own.iter().map(|pair| batch(pair.0)).collect();
    batches.sort_unstable();
    batches.dedup();
    let left: Tally = batches.iter().map(|batch| ratio(Some(*batch))).collect();
    let count = f64::from(u32::try_from(batches.len()).unwrap_or(u32::MAX));
    let deviation = ((count - 1.0).powi(2) / count * left.variance()).sqrt();
    Interval { mean: ratio(None), half: crate::stats::student(0.95, left.count().saturating_sub(1)) * deviation }
}
