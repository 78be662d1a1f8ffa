//! What a person, or a script, types to run a job on an engine that is not asked from here.

use crate::disk::shown;
use crate::report::load::about;
use crate::report::words::{count, several};
use crate::scale::batch::PartCommand;
use crate::scale::job::Job;
use crate::scale::parallel::Parallel;
use crate::scale::shell;
use crate::scale::slurm::{Slurm, ranges};

/// The plan of a job in words, and its commands for the parts that are not done, with the user's options;
/// `again` is the command that goes on then.
#[must_use]
pub fn text(job: &Job, slurm: &Slurm, parallel: &Parallel, again: &str) -> String {
    let unfinished = job.unfinished();
    let parts: Vec<usize> = unfinished.iter().map(|(part, _)| *part).collect();
    let missing: usize = unfinished.iter().map(|(_, missing)| missing).sum();
    let seconds = |part: &usize| job.plan.parts[*part].seconds;
    let (all, longest) = (parts.iter().map(seconds).sum::<f64>(), parts.iter().map(seconds).fold(0.0, f64::max));
    let own = |index: &str| shell::line(&slurm.command.words(&job.folder, index));
    let last = job.plan.parts.len() - 1;
    let each = if parts.len() == job.plan.parts.len() {
        format!("parts 0 to {last}")
    } else {
        format!("of parts 0 to {last} these: {}", parts.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
    };
    format!(
        "{} to simulate, in {}: {each}\n\
         Predicted: {} of one processor in all, {} the longest part, {} MB of memory each\n\
         Plan: {}\n\
         Kept runs: {}\n\
         \n\
         A part by hand\n  {}\n\
         Slurm\n  sbatch {}\n\
         GNU parallel\n  parallel {}\n\
         HyperQueue\n  hq submit --array {} --cpus 1 --crash-limit 4 -- {}\n\
         PBS\n  {}\n\
         HTCondor, Kubernetes and others: a template each in docs/scale.md\n\
         \n\
         When they have ended, the same command goes on\n  {again}",
        several(missing, ["run", "runs"]),
        several(parts.len(), ["part", "parts"]),
        about(all),
        about(longest),
        count(u64::from(job.plan.megabytes)),
        shown(&job.folder),
        shown(&job.kept()),
        own(&parts.first().unwrap_or(&0).to_string()),
        shell::line(&slurm.words(job, &parts)),
        shell::line(&parallel.words(job, &parts)),
        ranges(&parts),
        own("auto"),
        pbs(job, &parts, &slurm.command),
    )
}

/// The commands for PBS, whose arrays have no gaps and more than one task.
fn pbs(job: &Job, parts: &[usize], command: &PartCommand) -> String {
    let resources = format!("-l select=1:ncpus=1:mem={}mb", job.plan.megabytes);
    let (first, last) = (parts.first().copied().unwrap_or(0), parts.last().copied().unwrap_or(0));
    if parts.len() > 1 && last - first + 1 == parts.len() {
        return format!("qsub -J {first}-{last} {resources} -- {}", shell::line(&command.words(&job.folder, "auto")));
    }
    let each =
        |part: &usize| format!("qsub {resources} -- {}", shell::line(&command.words(&job.folder, &part.to_string())));
    parts.iter().map(each).collect::<Vec<_>>().join("\n  ")
}
