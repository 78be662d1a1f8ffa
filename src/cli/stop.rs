//! Why a command stopped, and the remedy.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use thiserror::Error;

use crate::disk;
use crate::scale::fault::ScaleFault;
use crate::scale::wanting::Wanting;
use crate::study::StudyError;

/// Why a verb ends without an answer.
#[derive(Debug, Error)]
pub(crate) enum Stop {
    /// The input is wrong; the text says all of it.
    #[error("{0}")]
    Input(String),
    /// It was stopped; what is done is kept in this folder.
    #[error("stopped: what was simulated is kept in {}; the same command goes on from there", disk::shown(.0))]
    Kept(PathBuf),
    /// It was stopped while an engine was at work.
    #[error("stopped: {0}; the same command goes on from there")]
    Left(String),
    /// It was stopped, and keeps nothing.
    #[error("stopped: nothing was written, and nothing is kept")]
    Nothing,
    /// The commands that simulate what is missing were printed: the answer is not there yet.
    #[error("")]
    Handed,
    /// These runs are to be simulated elsewhere first.
    #[error("{} runs are not there yet", .0.tasks.len())]
    Missing(Wanting),
    /// An engine cannot do what it is asked to.
    #[error("error: {0}")]
    Scale(ScaleFault),
    /// The study was stopped or could not write.
    #[error("error: {0}")]
    Study(StudyError),
    /// A file could not be written.
    #[error("error: cannot write {}: {}\n  = help: {}", disk::shown(.0), .1, remedy(.1))]
    Write(PathBuf, #[source] std::io::Error),
}

impl From<StudyError> for Stop {
    fn from(fault: StudyError) -> Self {
        match fault {
            StudyError::Write(path, why) => Self::Write(path, why),
            other => Self::Study(other),
        }
    }
}

impl From<ScaleFault> for Stop {
    fn from(fault: ScaleFault) -> Self {
        match fault {
            ScaleFault::Write(path, why) => Self::Write(path, why),
            other => Self::Scale(other),
        }
    }
}

/// What can be done about a file that cannot be written. What was simulated is kept.
fn remedy(fault: &std::io::Error) -> &'static str {
    match fault.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            "make room on the disk; the same command goes on from there"
        }
        std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
            "it may only be read here: choose a folder that this machine may write to; the same command goes on from there"
        }
        std::io::ErrorKind::NotFound => "check the path",
        _ => "close it where it is open, or choose another folder; the same command goes on from there",
    }
}

/// Set by Ctrl-C.
pub(crate) static STOP: AtomicBool = AtomicBool::new(false);
