//! How a study is to be run, and how far it has come.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// How far a study is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many runs are done.
    Runs {
        /// Done so far.
        done: u64,
        /// Planned so far: more are planned where intervals are too wide.
        planned: u64,
    },
    /// The days that were simulated are forecast, too, so that intervals get narrower.
    Forecasts,
}

/// How a study is to be run.
pub struct RunOptions<'a> {
    /// Set from outside to stop at the next bin.
    pub stop: &'a AtomicBool,
    /// Told how far it is.
    pub progress: &'a (dyn Fn(Progress) + Sync),
    /// Folder in which finished runs are kept: those that are known are not simulated again.
    pub keep: Option<PathBuf>,
    /// File to which every transaction is written.
    pub records: Option<PathBuf>,
}
