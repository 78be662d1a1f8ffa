//! The suite: another fidelity compared with packets over every regime that scenarios use.
//!
//! Scenarios are drawn over what users can combine; each runs several times at both fidelities with round trips that differ by
//! up to a thousandth, since a single run in overload is a random draw. Means over these runs are compared.

pub mod draw;
pub mod measure;

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::Serialize;

use crate::elementary::ln;
use crate::model::{Counts, Fidelity, Ingredient, Without};
use crate::stats::{mean, quantile};
use draw::{CLASSES, DISCIPLINES, Feature, Made, Regime, RegimeSize};
use measure::{BAND_NAMES, BANDS, Measurement, p50, p95};

/// Runs of each scenario at each fidelity.
pub const RUNS: usize = 3;
/// Fewest transactions of a run for a mean, and for a 95th percentile.
const FEWEST: [usize; 2] = [30, 100];

/// One figure at both fidelities.
#[derive(Clone, Debug, Serialize)]
pub struct FidelityFigure {
    /// Which class.
    pub class: &'static str,
    /// `mean`, `p50` or `p95`.
    pub statistic: &'static str,
    /// Sizes of responses; none for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub band: Option<&'static str>,
    /// At flow and at packet fidelity, mean over the runs [s].
    pub flow: f64,
    /// See `flow`.
    pub packet: f64,
    /// Transactions of a run.
    pub count: usize,
}

impl FidelityFigure {
    /// Flow over packet.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.flow / self.packet
    }

    /// Relative error against packets.
    #[must_use]
    pub fn error(&self) -> f64 {
        (self.ratio() - 1.0).abs()
    }
}

/// The result of a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct RegimeResult {
    /// Its number.
    pub number: u64,
    /// Its order of service.
    pub service: &'static str,
    /// Its regimes, by dimension.
    pub regimes: Vec<String>,
    /// The busiest ten seconds at packet fidelity.
    pub busiest: f64,
    /// Latencies.
    pub figures: Vec<FidelityFigure>,
    /// By site with enough large responses: goodput at flow over that at packet fidelity.
    pub goodput: Vec<f64>,
    /// The largest difference of utilisation over ten seconds.
    pub utilisation: f64,
    /// What was drawn, in a line.
    pub what: String,
}

impl RegimeResult {
    /// The largest error of a class mean, and its class.
    #[must_use]
    pub fn worst(&self) -> Option<&FidelityFigure> {
        let means = self.figures.iter().filter(|figure| figure.statistic == "mean" && figure.band.is_none());
        means.max_by(|a, b| ln(a.ratio()).abs().total_cmp(&ln(b.ratio()).abs()))
    }
}

/// Runs the first `count` scenarios of a seed on all threads, at packet fidelity and at another without some ingredients; `done`
/// is called after each.
#[must_use]
pub fn run(
    (seed, count): (u64, u64),
    other: (Fidelity, Without),
    stop: &AtomicBool,
    done: &(dyn Fn() + Sync),
) -> Vec<RegimeResult> {
    let one = |number: u64| {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let found = found(&draw::case(seed, number, RegimeSize::SUITE), other, stop)?;
        done();
        Some(found)
    };
    (0..count).into_par_iter().filter_map(one).collect()
}

fn found(case: &Regime, (fidelity, without): (Fidelity, Without), stop: &AtomicBool) -> Option<RegimeResult> {
    let runs = |case: &Regime, fidelity| {
        (0..RUNS).map(|number| Measurement::of(case, fidelity, number, stop)).collect::<Vec<Measurement>>()
    };
    let (packet, flow) = (runs(case, Fidelity::Packet(1)), runs(&case.without(without), fidelity));
    if stop.load(Ordering::Relaxed) {
        return None;
    }
    let classes = case.model.classes.iter().zip(0_u8..).filter(|(class, _)| class.name != "calls");
    let mut figures = Vec::new();
    for (class, place) in classes {
        let name = if class.name == "log-ons" { "log-ons" } else { CLASSES[usize::from(place)] };
        let figure = |band: Option<usize>, statistic: &'static str, of: fn(&[f64]) -> f64, fewest: usize| {
            let values = |run: &Measurement| band.map_or_else(|| run.latencies(place), |band| run.in_band(place, band));
            let both = [&flow, &packet].map(|runs| runs.iter().map(values).collect::<Vec<_>>());
            let count = both.iter().flatten().map(Vec::len).min().unwrap_or(0);
            let [flow, packet] = both.map(|runs| mean(&runs.iter().map(|run| of(run)).collect::<Vec<_>>()));
            let band = band.map(|band| BAND_NAMES[band]);
            (count >= fewest).then_some(FidelityFigure { class: name, statistic, band, flow, packet, count })
        };
        figures.extend(figure(None, "mean", mean, FEWEST[0]));
        figures.extend(figure(None, "p50", p50, FEWEST[0]));
        figures.extend(figure(None, "p95", p95, FEWEST[1]));
        for band in 0..BANDS.len() {
            figures.extend(figure(Some(band), "mean", mean, FEWEST[0]));
        }
    }
    let busy = |runs: &[Measurement]| {
        let runs: Vec<Vec<f64>> = runs.iter().map(Measurement::utilisation).collect();
        let decades = runs.iter().map(Vec::len).min().unwrap_or(0);
        (0..decades).map(|decade| mean(&runs.iter().map(|run| run[decade]).collect::<Vec<_>>())).collect::<Vec<f64>>()
    };
    let (own, other) = (busy(&flow), busy(&packet));
    Some(RegimeResult {
        number: case.number,
        service: case.terms.discipline,
        regimes: regimes(&case.terms),
        busiest: other.iter().copied().fold(0.0, f64::max),
        figures,
        goodput: goodput(&flow, &packet, case.model.sites.len()),
        utilisation: own.iter().zip(&other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max),
        what: what(&case.terms),
    })
}

/// Goodput of each site with at least ten large responses in every run, flow over packet.
fn goodput(flow: &[Measurement], packet: &[Measurement], sites: usize) -> Vec<f64> {
    const ENOUGH: u32 = 10;
    let of = |runs: &[Measurement]| runs.iter().map(|run| run.goodput(sites)).collect::<Vec<_>>();
    let (flow, packet) = (of(flow), of(packet));
    let enough = |site: &usize| flow.iter().chain(&packet).all(|run| run[*site].1 >= ENOUGH);
    let at = |runs: &[Vec<(f64, u32)>], site: usize| mean(&runs.iter().map(|run| run[site].0).collect::<Vec<_>>());
    (0..sites).filter(enough).map(|site| at(&flow, site) / at(&packet, site)).collect()
}

/// A dimension of the suite: its name, its regimes, and that of a scenario.
type Dimension = (&'static str, &'static [&'static str], fn(&Made) -> &'static str);

/// All of them, in the order of the table.
const DIMENSIONS: [Dimension; 11] = [
    ("service", &DISCIPLINES, |made| made.discipline),
    ("counts", &["both", "down"], |made| if made.counts == Counts::Both { "both" } else { "down" }),
    ("turns", &["1", "2 or 3", "4 to 6"], |made| match made.turns {
        1 => "1",
        2 | 3 => "2 or 3",
        _ => "4 to 6",
    }),
    ("connections", &["opened", "kept"], |made| if made.connects { "opened" } else { "kept" }),
    ("server", &["at once", "50 ms"], |made| if made.server { "50 ms" } else { "at once" }),
    ("demand", &["open", "people"], |made| if made.people { "people" } else { "open" }),
    ("special", &Feature::NAMES, |made| made.feature.name()),
    ("sites", &["3 to 10", "11 to 50", "51 to 200"], |made| match made.sites {
        0..=10 => "3 to 10",
        11..=50 => "11 to 50",
        _ => "51 to 200",
    }),
    ("rate", &["5 to 25 Mbit/s", "25 to 150 Mbit/s", "150 Mbit/s to 1 Gbit/s"], |made| match made.rate {
        rate if rate < 25e6 => "5 to 25 Mbit/s",
        rate if rate < 150e6 => "25 to 150 Mbit/s",
        _ => "150 Mbit/s to 1 Gbit/s",
    }),
    ("buffer", &["10 to 25 ms", "25 to 80 ms", "80 to 200 ms"], |made| match made.buffer {
        buffer if buffer < 0.025 => "10 to 25 ms",
        buffer if buffer < 0.08 => "25 to 80 ms",
        _ => "80 to 200 ms",
    }),
    ("load", &["0.2 to 0.6", "0.6 to 0.95", "0.95 to 1.4"], |made| match made.load {
        load if load < 0.6 => "0.2 to 0.6",
        load if load < 0.95 => "0.6 to 0.95",
        _ => "0.95 to 1.4",
    }),
];

/// The regimes that a scenario belongs to, one of each dimension.
fn regimes(made: &Made) -> Vec<String> {
    DIMENSIONS.iter().map(|(dimension, _, of)| format!("{dimension}: {}", of(made))).collect()
}

/// All regimes in the order of the table.
fn all_regimes() -> impl Iterator<Item = String> {
    let named = |dimension: &'static str| move |name: &&str| format!("{dimension}: {name}");
    DIMENSIONS.iter().flat_map(move |(dimension, names, _)| names.iter().map(named(dimension)))
}

/// What was drawn, in a line.
fn what(made: &Made) -> String {
    format!(
        "{}, {} counted, {} sites, {:.0} Mbit/s, buffer {:.0} ms, load {:.2}, {} turns{}{}{}, {}",
        made.discipline,
        if made.counts == Counts::Both { "both" } else { "down" },
        made.sites,
        made.rate / 1e6,
        made.buffer * 1e3,
        made.load,
        made.turns,
        if made.connects { "" } else { " on kept connections" },
        if made.server { ", slow server" } else { "" },
        if made.people { ", people" } else { "" },
        made.feature.name()
    )
}

/// A regime's line in the table.
#[derive(Clone, Debug, Serialize)]
pub struct RegimeLine {
    /// Which.
    pub regime: String,
    /// Scenarios.
    pub cases: usize,
    /// Errors of class means: median and 90th percentile.
    pub mean: [f64; 2],
    /// Errors of class 95th percentiles.
    pub p95: [f64; 2],
    /// Errors of means by band of sizes.
    pub bands: [f64; 2],
    /// Median of flow over packet, of class means: the bias.
    pub bias: f64,
    /// Errors of sites' goodput.
    pub goodput: [f64; 2],
    /// Largest differences of utilisation over ten seconds.
    pub utilisation: [f64; 2],
}

/// The table: all scenarios, then each regime.
#[must_use]
pub fn table(found: &[RegimeResult]) -> Vec<RegimeLine> {
    let mut lines = vec![line("all".to_owned(), &found.iter().collect::<Vec<_>>())];
    for regime in all_regimes() {
        let inside: Vec<&RegimeResult> = found.iter().filter(|found| found.regimes.contains(&regime)).collect();
        if !inside.is_empty() {
            lines.push(line(regime, &inside));
        }
    }
    lines
}

fn line(regime: String, found: &[&RegimeResult]) -> RegimeLine {
    let pick = |statistic: &str, banded: bool| -> Vec<&FidelityFigure> {
        let all = found.iter().flat_map(|found| &found.figures);
        all.filter(|figure| figure.statistic == statistic && figure.band.is_some() == banded).collect()
    };
    let errors = |figures: &[&FidelityFigure]| both(&figures.iter().map(|figure| figure.error()).collect::<Vec<_>>());
    let ratios: Vec<f64> = pick("mean", false).iter().map(|figure| figure.ratio()).collect();
    let goodput: Vec<f64> = found.iter().flat_map(|found| &found.goodput).map(|ratio| (ratio - 1.0).abs()).collect();
    RegimeLine {
        regime,
        cases: found.len(),
        mean: errors(&pick("mean", false)),
        p95: errors(&pick("p95", false)),
        bands: errors(&pick("mean", true)),
        bias: quantile(&ratios, 0.5),
        goodput: both(&goodput),
        utilisation: both(&found.iter().map(|found| found.utilisation).collect::<Vec<_>>()),
    }
}

fn both(errors: &[f64]) -> [f64; 2] {
    [quantile(errors, 0.5), quantile(errors, 0.9)]
}

/// One of the scenarios with the largest errors, and the ingredient that causes most of it.
#[derive(Clone, Debug, Serialize)]
pub struct Worst {
    /// The scenario.
    pub number: u64,
    /// Its description.
    pub what: String,
    /// The class, and its ratio of flow over packet.
    pub class: &'static str,
    /// See `class`.
    pub ratio: f64,
    /// The ingredient without which flow is nearest to packets, and the ratio then; none where each leaves it further off.
    pub without: Option<(&'static str, f64)>,
}

/// The scenarios that are furthest off.
#[must_use]
pub fn worst(seed: u64, fidelity: Fidelity, found: &[RegimeResult], count: usize) -> Vec<Worst> {
    let mut order: Vec<(&RegimeResult, &FidelityFigure)> =
        found.iter().filter_map(|found| Some((found, found.worst()?))).collect();
    order.sort_by(|a, b| ln(b.1.ratio()).abs().total_cmp(&ln(a.1.ratio()).abs()));
    order.truncate(count);
    let blame = |(found, figure): (&RegimeResult, &FidelityFigure)| Worst {
        number: found.number,
        what: found.what.clone(),
        class: figure.class,
        ratio: figure.ratio(),
        without: nearest_without(&draw::case(seed, found.number, RegimeSize::SUITE), fidelity, figure),
    };
    order.into_par_iter().map(blame).collect()
}

/// The ingredient of a fidelity whose absence brings a class's mean nearest to what packets say.
fn nearest_without(case: &Regime, fidelity: Fidelity, figure: &FidelityFigure) -> Option<(&'static str, f64)> {
    let class = case.model.classes.iter().position(|class| class.name == figure.class)?;
    let class = u8::try_from(class).ok()?;
    let ratio = |ingredient: Ingredient| {
        let case = case.without(Without::NONE.and(ingredient));
        mean(&Measurement::of(&case, fidelity, 0, &AtomicBool::new(false)).latencies(class)) / figure.packet
    };
    let tried = Ingredient::ALL.iter().filter(|(ingredient, _)| ingredient.is_of_flow());
    let ratios = tried.map(|(ingredient, name)| (*name, ratio(*ingredient)));
    ratios
        .filter(|(_, ratio)| ln(*ratio).abs() < ln(figure.ratio()).abs())
        .min_by(|a, b| ln(a.1).abs().total_cmp(&ln(b.1).abs()))
}
