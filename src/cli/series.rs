//! A series on the command line, laid beside a scenario.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::args::{LayerName, SeriesArgs};
use crate::cli::stop::{STOP, Stop};
use crate::fit::held::FULL;
use crate::fit::observed::{Alignment, Observed, ObservedRun, align};
use crate::fit::simulated::Counting;
use crate::model::Model;
use crate::report;
use crate::report::words::bit_rate;
use crate::stats::quantile;
use crate::study::counters::{Layer, RunCounters};
use crate::telemetry::clock::Clock;
use crate::telemetry::import::{ImportTerms, Imported, import};
use crate::telemetry::series::SeriesRow;

impl LayerName {
    /// What it means.
    pub(super) fn layer(self) -> Layer {
        match self {
            Self::Outer => Layer::Outer,
            Self::Inner => Layer::Inner,
            Self::Work => Layer::Work,
        }
    }
}

/// The zone of a name, or the usual one.
pub(super) fn zone(name: Option<&str>) -> Result<Clock, Stop> {
    match name {
        Some(name) => Clock::named(name).map_err(|what| Stop::Input(format!("error: {what}"))),
        None => Ok(Clock::usual()),
    }
}

/// The rows of files: tidy series, or exports.
pub(super) fn rows(files: &[PathBuf], clock: Clock) -> Result<Vec<SeriesRow>, Stop> {
    let terms = ImportTerms::usual(clock);
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let Imported { files, rows, .. } = import(&paths, &terms).map_err(|faults| Stop::Input(faults.join("\n")))?;
    tracing::debug!("{}", report::import::text(&files, &rows, &terms.clock.zone));
    Ok(rows)
}

/// Says where a place of the series was taken for a concentrator of another name, as there is one of each.
pub(super) fn taken_for(observed: &Observed, model: &Model, args: &SeriesArgs) -> Option<String> {
    let thing = observed
        .things
        .iter()
        .find(|thing| args.place.is_empty() && thing.place != model.concentrators[thing.concentrator].name)?;
    Some(format!(
        "`{}` is taken for the concentrator `{}`, as the series and the scenario have one of each.",
        thing.place, model.concentrators[thing.concentrator].name
    ))
}

/// A series laid beside a scenario.
pub(super) fn beside(rows: &[SeriesRow], model: &Model, args: &SeriesArgs, clock: &Clock) -> Result<Observed, Stop> {
    let mut places = BTreeMap::new();
    for pair in &args.place {
        let Some((place, concentrator)) = pair.rsplit_once('=') else {
            let help = "write the place in the series and the concentrator, such as `ASA-1=hub`";
            return Err(Stop::Input(format!("error: `{pair}` has no `=`\n  = help: {help}")));
        };
        places.insert(place.to_owned(), concentrator.to_owned());
    }
    let terms = Alignment { zone: clock.zone.clone(), places };
    align(rows, model, &terms).map_err(|what| Stop::Input(format!("error: {what}")))
}

/// What the counters count: as it was said; else what fits the plateau, where both the series and the scenario have one; else bytes on
/// the wire. Where the plateau decided it, a sentence says so.
pub(super) fn layer(
    args: &SeriesArgs,
    observed: &Observed,
    runs: &[&ObservedRun],
    (model, kept): (&Model, PathBuf),
) -> Result<(Layer, Option<String>), Stop> {
    /// Plateaus that are farther apart than this are of another device.
    const ALIKE: f64 = 0.03;
    if let Some(layer) = args.layer {
        return Ok((layer.layer(), None));
    }
    let Some(counted) = counted_plateau(observed, runs) else { return Ok((Layer::Outer, None)) };
    let interval = observed.interval;
    let counting = Counting { layer: Layer::Work, interval, keep: Some(kept), stop: &STOP, progress: &|| {} };
    let run = counting.work(model, 0)?;
    let mut found = Vec::new();
    for layer in [Layer::Outer, Layer::Inner, Layer::Work] {
        let counted = run.clone().counted_as(model, layer);
        let Some(rate) = simulated_plateau(&counted, observed) else { return Ok((Layer::Outer, None)) };
        found.push((layer, rate));
    }
    let off = |rate: f64| (counted / rate - 1.0).abs();
    let best = found.iter().copied().min_by(|a, b| off(a.1).total_cmp(&off(b.1)));
    match best {
        Some((layer, rate)) if layer != Layer::Outer && off(rate) < ALIKE && off(found[0].1) > ALIKE => Ok((
            layer,
            Some(format!(
                "The series is full at {}, where the scenario's device carries {} of `{}` and {} on the wire: taken as `--layer {}`.",
                bit_rate(counted),
                bit_rate(rate),
                layer.name(),
                bit_rate(found[0].1),
                layer.name()
            )),
        )),
        _ => Ok((Layer::Outer, None)),
    }
}

/// The rate at which the first thing of all classes is full in the series, by an even top [bit/s].
fn counted_plateau(observed: &Observed, runs: &[&ObservedRun]) -> Option<f64> {
    /// Even to within this share, over so many intervals, is a plateau.
    const EVEN: f64 = 0.01;
    const LEAST: usize = 6;
    let thing = observed.things.iter().position(|thing| thing.class.is_none())?;
    let seconds = observed.interval.secs();
    let mut rates: Vec<f64> =
        runs.iter().flat_map(|run| &run.passed[thing]).flatten().map(|bits| bits / seconds).collect();
    rates.sort_by(|a, b| b.total_cmp(a));
    let top = rates.get(..LEAST * runs.len())?;
    (top[top.len() - 1] > (1.0 - EVEN) * top[0]).then(|| quantile(top, 0.5))
}

/// The same of a simulated run, where its first concentrator in the series is full.
fn simulated_plateau(run: &RunCounters, observed: &Observed) -> Option<f64> {
    let thing = observed.things.iter().find(|thing| thing.class.is_none())?;
    let full = run.utilisation[thing.concentrator].iter().map(|share| *share >= FULL);
    let passed = run.of(thing.concentrator, None);
    let rates: Vec<f64> =
        full.zip(passed).filter(|(full, _)| *full).map(|(_, bits)| bits / observed.interval.secs()).collect();
    (!rates.is_empty()).then(|| quantile(&rates, 0.5))
}
