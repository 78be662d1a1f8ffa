//! Who waits, and how long: latency of each class over all watched hours, and what it gave up.

use serde::Serialize;

use crate::stats::Histogram;
use crate::study::control::Forecast;
use crate::study::recorder::{ClassBin, Run};
use crate::study::results::{Compared, Series, side_by_side};

/// What a class waits in a set-up.
#[derive(Clone, Debug, Serialize)]
pub struct Wait {
    /// Its place among the classes.
    pub class: usize,
    /// Mean latency [s].
    pub mean: Compared,
    /// 95th percentile of latency [s].
    pub p95: Compared,
    /// Share of what began that was given up or refused.
    pub given_up: Compared,
}

/// What a class waited in a replication.
#[derive(Clone, Copy, Debug)]
pub struct Waited {
    /// Mean latency [s]; what is still under way at the end counts with the time that it has taken.
    mean: f64,
    /// 95th percentile of latency [s].
    p95: f64,
    /// Share of what began that was given up or refused.
    given_up: f64,
}

/// By class; none where nothing ended.
pub(super) fn of(run: &Run) -> Vec<Option<Waited>> {
    let classes = run.classes.iter().zip(&run.latencies).map(|(bins, windows)| {
        let sum = |of: fn(&ClassBin) -> f64| bins.iter().map(of).sum::<f64>();
        let mut all = Histogram::default();
        for window in windows {
            all.merge(window);
        }
        Some(Waited {
            p95: all.quantile(0.95)? / 1e6,
            mean: sum(|bin| bin.latency) / sum(|bin| bin.counted).max(1.0),
            given_up: sum(|bin| bin.failed) / sum(|bin| bin.started).max(1.0),
        })
    });
    classes.collect()
}

/// By set-up and class: what is known in every replication of every set-up, against the base.
pub(super) fn compare(setups: &[&[Vec<Option<Waited>>]], base: Option<usize>, antithetic: bool) -> Vec<Vec<Wait>> {
    let classes = setups.first().and_then(|runs| runs.first()).map_or(0, Vec::len);
    let mut found = vec![Vec::new(); setups.len()];
    for class in 0..classes {
        let known = |runs: &&[Vec<Option<Waited>>]| runs.iter().map(|run| run[class]).collect::<Option<Vec<Waited>>>();
        // Where a class is switched off by an option it has nothing to be compared.
        let there: Vec<(usize, Vec<Waited>)> =
            setups.iter().enumerate().filter_map(|(place, runs)| Some((place, known(runs)?))).collect();
        let base = there.iter().position(|(place, _)| Some(*place) == base);
        let none = Forecast::default();
        let figure = |of: fn(&Waited) -> f64, resolution: f64| {
            let series = there.iter().map(|(_, runs)| Series {
                values: runs.iter().map(of).collect(),
                measured: true,
                forecast: &none,
            });
            side_by_side(&series.collect::<Vec<_>>(), base, antithetic, resolution)
        };
        let (mean, p95) = (figure(|run| run.mean, 0.0), figure(|run| run.p95, Histogram::default().resolution()));
        let given_up = figure(|run| run.given_up, 0.0);
        for (index, (place, _)) in there.iter().enumerate() {
            found[*place].push(Wait { class, mean: mean[index], p95: p95[index], given_up: given_up[index] });
        }
    }
    found
}
