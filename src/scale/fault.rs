//! Why an engine does not do what it is asked to, and the remedy.

use std::path::PathBuf;

use thiserror::Error;

use crate::disk::shown;

/// Why the runs of a job are not there.
#[derive(Debug, Error)]
pub enum ScaleFault {
    /// It was asked to stop; what it has submitted goes on.
    #[error("stopped")]
    Stopped,
    /// The program of an engine is not there.
    #[error("there is no `{0}` on this machine\n  = help: {1}")]
    Absent(&'static str, &'static str),
    /// It refused.
    #[error("{0} refused: {1}\n  = help: {help}", help = remedy(.1))]
    Refused(&'static str, String),
    /// Parts that were submitted as often as it makes sense have not done all their runs.
    #[error("{0}")]
    Unfinished(String),
    /// A plan cannot be read, or is not for this machine.
    #[error("{0}")]
    Plan(String),
    /// A file could not be written.
    #[error("cannot write {}: {}", shown(.0), .1)]
    Write(PathBuf, #[source] std::io::Error),
}

/// What a scheduler says, in part, and what helps.
const REMEDIES: [(&[&str], &str); 7] = [
    (
        &["Expired credential", "Rewound credential", "Invalid credential", "Munge"],
        "the clocks or the keys of the machines differ (munge takes no more than five minutes): have both set right; nothing is lost, \
         and the same command goes on",
    ),
    (
        &["Unable to contact slurm controller", "timed out", "Connection refused"],
        "its controller does not answer: try again later; nothing is lost, and the same command goes on",
    ),
    (
        &["Invalid job array", "MaxSubmitJob", "JobSizeLimit", "JobSubmitLimit"],
        "fewer parts are allowed here: write fewer with `--parts`",
    ),
    (
        &["partition", "account", "qos", "QOS"],
        "`sinfo` and `sacctmgr show user $USER` say what there is: write it as `--slurm \"--partition=NAME --account=NAME\"`",
    ),
    (
        &["Requested node configuration", "memory", "Memory"],
        "no machine has so much: `headend check` says what a run takes; write `--slurm \"--mem=SIZE\"` if less is enough",
    ),
    (&["ime limit"], "write how long a part may take, such as `--slurm \"--time=2:00:00\"`"),
    (
        &["nvalid option", "nrecognized option", "invalid option"],
        "its manual page lists the options; check those that were given",
    ),
];

fn remedy(said: &str) -> &'static str {
    let known = REMEDIES.iter().find(|(parts, _)| parts.iter().any(|part| said.contains(part)));
    known.map_or("see what it says; `--on script` prints the commands to try by hand", |(_, help)| help)
}
