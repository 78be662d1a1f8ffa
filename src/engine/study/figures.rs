//! Figures of a run, and what the figure of a target is.

use serde::Serialize;

use crate::model::{Demand, Model};
use crate::scenario::check::target::Measure;
use crate::study::axis::Axis;
use crate::study::record::{FocusClass, RunRecord};

/// A site is affected in a window in which more than this share of its transactions is slow.
pub const AFFECTED: f64 = 0.05;

/// What the figure of a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// Seconds.
    Time,
    /// A share.
    Share,
    /// Bytes.
    Size,
    /// A number.
    Count,
}

impl TargetKind {
    /// Its unit in files.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Time => "s",
            Self::Share => "share",
            Self::Size => "bytes",
            Self::Count => "",
        }
    }
}

/// A figure of a run.
pub struct Figure {
    /// Its name in files.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The same where there is little room.
    pub short: &'static str,
    /// Its unit.
    pub unit: &'static str,
    pub(super) of: fn(&RunRecord, &Model, FocusClass) -> f64,
}

/// Figures that are reported for every setup beside its targets.
pub const MEASURES: [Figure; 8] = [
    Figure { name: "minutes_over", title: "time over the limit", short: "over limit", unit: "min", of: minutes_over },
    Figure {
        name: "sites_affected",
        title: "sites affected at worst",
        short: "sites",
        unit: "sites",
        of: worst_affected,
    },
    Figure { name: "staff_hours_lost", title: "staff time lost", short: "staff lost", unit: "h", of: hours_lost },
    Figure { name: "given_up", title: "given up or refused", short: "given up", unit: "", of: given_up },
    Figure { name: "peak_utilisation", title: "busiest 15 minutes", short: "busiest", unit: "%", of: peak_utilisation },
    Figure {
        name: "waiting_at_close",
        title: "jobs unfinished at the end",
        short: "unfinished",
        unit: "jobs",
        of: waiting_at_close,
    },
    Figure {
        name: "sites_cut_off",
        title: "sites cut off at worst",
        short: "cut off",
        unit: "sites",
        of: |run, _, _| run.paths.at_once,
    },
    Figure {
        name: "staff_hours_cut_off",
        title: "staff time cut off",
        short: "staff cut off",
        unit: "h",
        of: cut_off_hours,
    },
];

/// Measures from here on are of the sites' tunnels.
pub(crate) const OF_PATHS: usize = 6;

/// Places among the measures: staff time lost, the busiest quarter of an hour, staff time cut off.
pub const STAFF_LOST: usize = 2;

/// Transactions given up, and calls refused.
pub const GIVEN_UP: usize = 3;

/// See [`STAFF_LOST`].
pub const PEAK: usize = 4;

/// Jobs unfinished at the end.
pub const UNFINISHED: usize = 5;

/// See [`STAFF_LOST`].
pub const STAFF_CUT_OFF: usize = 7;

fn cut_off_hours(run: &RunRecord, _: &Model, _: FocusClass) -> f64 {
    run.paths.staff_lost / 3600.0
}

#[allow(clippy::cast_precision_loss)] // counts stay below 2^53
pub(crate) fn float(count: usize) -> f64 {
    count as f64
}

/// Minutes of windows in which the 95th percentile of the watched class was above its limit.
pub(super) fn minutes_over(run: &RunRecord, model: &Model, watched: FocusClass) -> f64 {
    let over = run.latencies[watched.class.index()]
        .iter()
        .filter(|window| window.quantile(0.95).is_some_and(|micros| micros / 1e6 > watched.limit))
        .count();
    float(over) * Axis::of(model).windows().bin.secs() / 60.0
}

pub(crate) fn affected_in(run: &RunRecord, window: usize) -> usize {
    run.by_window[window].iter().filter(|&&site| is_affected(site)).count()
}

fn is_affected((all, slow): (u32, u32)) -> bool {
    f64::from(slow) > AFFECTED * f64::from(all)
}

fn worst_affected(run: &RunRecord, model: &Model, _: FocusClass) -> f64 {
    float((0..Axis::of(model).windows().len()).map(|window| affected_in(run, window)).max().unwrap_or(0))
}

/// Time that people lost against an idle network, in the classes that people wait for.
pub(super) fn hours_lost(run: &RunRecord, _: &Model, _: FocusClass) -> f64 {
    run.lost.iter().sum::<f64>() / 3600.0
}

#[allow(clippy::cast_precision_loss)]
fn given_up(run: &RunRecord, _: &Model, _: FocusClass) -> f64 {
    (run.ledger.given_up + run.ledger.refused) as f64
}

/// Utilisation of the busiest concentrator in its busiest quarter of an hour [%].
fn peak_utilisation(run: &RunRecord, model: &Model, _: FocusClass) -> f64 {
    let width = usize::try_from((900 * crate::units::NANOS).div_ceil(model.bin.0)).unwrap_or(1).max(1);
    // A run may be shorter than that.
    let width = run.capacity.first().map_or(width, |bins| width.min(bins.len().max(1)));
    let mut most = 0.0_f64;
    for (carried, capacity) in run.carried.iter().zip(&run.capacity) {
        let done: Vec<f64> = carried.iter().map(|classes| classes.iter().sum()).collect();
        for (done, could) in done.windows(width).zip(capacity.windows(width)) {
            let could: f64 = could.iter().sum();
            if could > 0.0 {
                most = most.max(done.iter().sum::<f64>() / could);
            }
        }
    }
    // Windows that are recorded as a whole may overlap the end of a quarter.
    100.0 * most.min(1.0)
}

pub(super) fn waiting_at_close(run: &RunRecord, model: &Model, _: FocusClass) -> f64 {
    let jobs = model.classes.iter().zip(&run.classes).filter(|(class, _)| matches!(class.demand, Demand::Jobs { .. }));
    jobs.filter_map(|(_, bins)| bins.last()).map(|bin| bin.waiting + bin.active).sum()
}

/// Whether a latency, a size or a share is measured.
#[must_use]
pub fn kind(measure: Measure) -> TargetKind {
    match measure {
        Measure::Mean(_) | Measure::Quantile(..) | Measure::CutOff => TargetKind::Time,
        Measure::Slow(_)
        | Measure::GivenUp(_)
        | Measure::Refused(_)
        | Measure::PoorCalls(_)
        | Measure::Utilisation
        | Measure::StaffTime
        | Measure::SitesCutOff => TargetKind::Share,
        Measure::Outages => TargetKind::Count,
        Measure::Waiting(_) => TargetKind::Size,
    }
}

/// Bins of `length` seconds in a quarter of an hour.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most 900 bins
pub fn quarter_of(length: f64) -> usize {
    ((900.0 / length).round() as usize).max(1)
}
