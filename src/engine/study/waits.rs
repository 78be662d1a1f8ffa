//! Latency of each class over all simulated hours, and the share that gave up.

use serde::Serialize;

use crate::stats::Histogram;
use crate::study::record::{ClassBin, RunRecord};
use crate::study::series;
use crate::study::series::{ComparedEstimate, Series};

/// Latencies of a class in a set-up.
#[derive(Clone, Debug, Serialize)]
pub struct Wait {
    /// Its place among the classes.
    pub class: usize,
    /// Mean latency [s].
    pub mean: ComparedEstimate,
    /// 95th percentile of latency [s].
    pub p95: ComparedEstimate,
    /// Share of what began that was given up or refused.
    pub given_up: ComparedEstimate,
}

/// Latencies of a class in a replication.
#[derive(Clone, Copy, Debug)]
pub struct Waited {
    /// Mean latency [s]; an unfinished transaction counts with the time that it has taken.
    mean: f64,
    /// 95th percentile of latency [s].
    p95: f64,
    /// Share of what began that was given up or refused.
    given_up: f64,
}

/// By class; none where nothing ended.
pub(super) fn of(run: &RunRecord) -> Vec<Option<Waited>> {
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

/// What a class did in every replication of the set-ups in which it is known: a class that an option switches off has nothing
/// to be compared.
pub(super) struct Sorted<T> {
    /// Place of the set-up, and its replications.
    there: Vec<(usize, Vec<T>)>,
    /// The base, among them.
    base: Option<usize>,
    antithetic: bool,
}

impl<T: Copy> Sorted<T> {
    pub fn of(setups: &[&[Vec<Option<T>>]], class: usize, base: Option<usize>, antithetic: bool) -> Self {
        let known = |runs: &&[Vec<Option<T>>]| runs.iter().map(|run| run[class]).collect::<Option<Vec<T>>>();
        let there: Vec<(usize, Vec<T>)> =
            setups.iter().enumerate().filter_map(|(place, runs)| Some((place, known(runs)?))).collect();
        let base = there.iter().position(|(place, _)| Some(*place) == base);
        Self { there, base, antithetic }
    }

    /// Places of the set-ups.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        self.there.iter().map(|(place, _)| *place)
    }

    /// A figure of each set-up against the base, and the series that it comes from.
    pub fn figure(
        &self,
        (title, unit): (String, &'static str),
        of: fn(&T) -> f64,
        resolution: f64,
    ) -> Vec<(ComparedEstimate, Series)> {
        let series =
            |(_, runs): &(usize, Vec<T>)| Series::new(title.clone(), unit, runs.iter().map(of).collect(), resolution);
        let mut all: Vec<Series> = self.there.iter().map(series).collect();
        let compared = series::compare(&mut all, &[], self.base, self.antithetic);
        compared.into_iter().zip(all).collect()
    }
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
        let known = Sorted::of(setups, class, base, antithetic);
        let mean = known.figure((format!("{name} mean latency"), "s"), |run| run.mean, 0.0);
        let resolution = Histogram::default().resolution();
        let p95 = known.figure((format!("{name} p95 latency"), "s"), |run| run.p95, resolution);
        let given_up = known.figure((format!("{name} given up or refused"), "share"), |run| run.given_up, 0.0);
        for (((place, mean), p95), given_up) in known.places().zip(mean).zip(p95).zip(given_up) {
            let (waits, series): &mut (Vec<Wait>, Vec<Series>) = &mut found[place];
            waits.push(Wait { class, mean: mean.0, p95: p95.0, given_up: given_up.0 });
            series.extend([mean.1, p95.1, given_up.1]);
        }
    }
    found
}

impl Wait {
    /// Its figures, in the order of their series.
    #[must_use]
    pub fn figures(&self) -> [&ComparedEstimate; 3] {
        [&self.mean, &self.p95, &self.given_up]
    }
}
