//! Why a study has no results.

use std::path::PathBuf;

use thiserror::Error;

use crate::disk;

/// Why a study has no results.
#[derive(Debug, Error)]
pub enum StudyError {
    /// It was asked to stop.
    #[error("stopped")]
    Stopped,
    /// What a target looks at did not happen.
    #[error("{0}")]
    Unmeasured(String),
    /// A file could not be written.
    #[error("cannot write {}: {}", disk::shown(.0), .1)]
    Write(PathBuf, #[source] std::io::Error),
}
