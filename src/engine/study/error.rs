//! Why a study has no results.

use std::path::PathBuf;

use thiserror::Error;

use crate::disk;

/// A run that a study needs, and that is to be simulated elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct MissingRun {
    /// The place of its set-up in the study, or of its model among those that were asked for.
    pub place: usize,
    /// The number of the replication, from 0.
    pub replication: u32,
    /// The value of the parameter that is sought, in a plan.
    pub value: Option<f64>,
    /// Its file, below the folder of kept runs.
    pub file: PathBuf,
}

/// Why a study has no results.
#[derive(Debug, Error)]
pub enum StudyError {
    /// It was asked to stop.
    #[error("stopped")]
    Stopped,
    /// What a target looks at did not happen.
    #[error("{0}")]
    Unmeasured(String),
    /// These runs are to be simulated elsewhere before it can go on.
    #[error("{} runs are not there yet", .0.len())]
    Missing(Vec<MissingRun>),
    /// The same run was simulated twice, and came out in two ways.
    #[error(
        "{} and {} are of the same simulated day, and differ\n  = help: one of the machines does not compute as the other does; remove \
         both files, find out which one it is (`headend validate` on each), and repeat the command",
        disk::shown(.0),
        disk::shown(.1)
    )]
    TwoWays(PathBuf, PathBuf),
    /// A file could not be written.
    #[error("cannot write {}: {}", disk::shown(.0), .1)]
    Write(PathBuf, #[source] std::io::Error),
}
