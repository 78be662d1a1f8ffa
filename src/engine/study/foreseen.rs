//! A forecast in the shape of results, so that what shows the one shows the other.

use crate::model::Model;
use crate::scenario::{Setup, Study};
use crate::stats::Interval;
use crate::study::accumulator::Accumulator;
use crate::study::axis::Axis;
use crate::study::forecast::outlook::{DayForecast, outlook, utilisation};
use crate::study::gathering::watched;
use crate::study::judge::results;
use crate::study::record::ConcentratorBin;
use crate::study::results::Results;
use crate::study::stopping::StopReason;

/// Utilisation, latencies of the focus class and targets, as they are forecast of set-ups. All else is empty, and there are no
/// intervals: a verdict is what the forecast says of a target.
#[must_use]
pub fn foreseen(study: &Study, setups: &[&Setup], days: &[DayForecast]) -> Results {
    let sums = setups.iter().zip(days).map(|(setup, day)| sums(&setup.model, day)).collect();
    let focus = watched(study);
    let mut results = results(study, setups, sums, &[], focus, (0, StopReason::Asked));
    for (found, day) in results.setups.iter_mut().zip(days) {
        for ((judged, target), figure) in found.targets.iter_mut().zip(&study.targets).zip(&day.targets) {
            judged.verdict = outlook(*figure, target);
            judged.figure.value = Interval { mean: figure.unwrap_or(f64::NAN), half: 0.0 };
            judged.figure.change = None;
        }
        found.latency = vec![vec![None; day.latency.len()]; results.classes.len()];
        found.latency[focus.class.index()].clone_from(&day.latency);
    }
    results
}

/// The sums of one day that is as the forecast says.
fn sums(model: &Model, day: &DayForecast) -> Accumulator {
    let axis = Axis::of(model);
    let mut sums = Accumulator::new(model);
    let share = |concentrator: usize, bin: usize| {
        let from = axis.start(bin);
        let first = day.steps.of(from).min(day.steps.count.saturating_sub(1));
        let last = day.steps.of(from + axis.bin).max(first + 1);
        utilisation(&day.loads[concentrator][first..last])
    };
    let classes = model.classes.len();
    let of_bins = |concentrator| {
        let carried = |bin| {
            let mut by_class = vec![0.0; classes];
            by_class[0] = share(concentrator, bin);
            by_class
        };
        (0..axis.len()).map(carried).collect()
    };
    let concentrators = model.concentrators.len();
    sums.replications = 1;
    sums.targets = day.targets.iter().map(|figure| vec![*figure]).collect();
    sums.at_most = vec![vec![None]; day.targets.len()];
    sums.carried = (0..concentrators).map(of_bins).collect();
    sums.capacity = vec![vec![1.0; axis.len()]; concentrators];
    sums.concentrators = vec![vec![ConcentratorBin::default(); axis.len()]; concentrators];
    sums.cut_off = vec![0.0; axis.len()];
    sums.tunnels = vec![0; concentrators];
    sums
}
