//! Options of a study's run, and its progress.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// Progress of a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Runs.
    Runs {
        /// Done so far.
        done: u64,
        /// Planned so far: more are planned where intervals are too wide.
        planned: u64,
    },
    /// Forecasts of the simulated days, for control variates.
    Forecasts,
}

/// Options of a study's run.
pub struct RunOptions<'a> {
    /// Set from outside to stop at the next bin.
    pub stop: &'a AtomicBool,
    /// Called with the progress.
    pub progress: &'a (dyn Fn(Progress) + Sync),
    /// Folder in which finished runs are kept: these are not simulated again.
    pub keep: Option<PathBuf>,
    /// File to which every transaction is written.
    pub records: Option<PathBuf>,
    /// Whether runs that are not kept yet are simulated here. If not, they are named, and the study has no results.
    pub here: bool,
}
