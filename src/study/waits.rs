//! Who waits, and how long: latency of each class over all watched hours, and what it gave up.

use serde::Serialize;

use crate::stats::Histogram;
use crate::study::recorder::{ClassBin, Run};
use crate::study::series::{self, Compared, Series};

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

/// By set-up and class: what is known in every replication of every set-up, against the base; and what that comes from.
pub(super) fn compare(
    setups: &[&[Vec<Option<Waited>>]],
    base: Option<usize>,
    antithetic: bool,
    classes: &[&str],
) -> Vec<(Vec<Wait>, Vec<Series>)> {
    let mut found = vec![(Vec::new(), Vec::new()); setups.len()];
    for (class, name) in classes.iter().enumerate() {
        let known = |runs: &&[Vec<Option<Waited>>]| runs.iter().map(|run| run[class]).collect::<Option<Vec<Waited>>>();
        // Where a class is switched off by an option it has nothing to be compared.
        let there: Vec<(usize, Vec<Waited>)> =
            setups.iter().enumerate().filter_map(|(place, runs)| Some((place, known(runs)?))).collect();
        let base = there.iter().position(|(place, _)| Some(*place) == base);
        let mut figure = |(what, unit): (&str, &'static str), of: fn(&Waited) -> f64, resolution: f64| {
            let values = |runs: &[Waited]| runs.iter().map(of).collect();
            let series = |runs: &[Waited]| Series::new(format!("{name} {what}"), unit, values(runs), resolution);
            let mut all: Vec<Series> = there.iter().map(|(_, runs)| series(runs)).collect();
            let compared = series::compare(&mut all, &vec![None; there.len()], base, antithetic);
            for ((place, _), series) in there.iter().zip(all) {
                found[*place].1.push(series);
            }
            compared
        };
        let mean = figure(("mean latency", "s"), |run| run.mean, 0.0);
        let p95 = figure(("p95 latency", "s"), |run| run.p95, Histogram::default().resolution());
        let given_up = figure(("given up or refused", "share"), |run| run.given_up, 0.0);
        for (index, (place, _)) in there.iter().enumerate() {
            found[*place].0.push(Wait { class, mean: mean[index], p95: p95[index], given_up: given_up[index] });
        }
    }
    found
}

impl Wait {
    /// Its figures, in the order of their series.
    #[must_use]
    pub fn figures(&self) -> [&Compared; 3] {
        [&self.mean, &self.p95, &self.given_up]
    }
}
