//! Slurm: a job array, a task a part. The scheduler knows the job by its name, so that another process finds it again.

use crate::scale::batch::{BatchSystem, PartCommand, Queue, Reply, TaskState, call, said};
use crate::scale::fault::ScaleFault;
use crate::scale::job::Job;
use crate::scale::shell;

/// Where Slurm is not.
const ELSEWHERE: &str = "log in to a machine of the cluster that takes jobs, or use this one with `--on parallel`; `--on script` prints \
                         the commands for other schedulers";

/// Options of `sbatch` that would take from it what is needed to find the tasks again.
pub const OURS: [&str; 8] = ["--job-name", "-J", "--array", "-a", "--test-only", "--wrap", "--output", "-o"];

/// The option of the user's that is ours to give, if there is one.
#[must_use]
pub fn ours(words: &[String]) -> Option<&String> {
    let is = |word: &str, option: &&str| {
        let short = option.len() == 2 && word.starts_with(*option);
        word == *option || short || word.strip_prefix(*option).is_some_and(|rest| rest.starts_with('='))
    };
    words.iter().find(|word| OURS.iter().any(|option| is(word, option)))
}

/// Slurm as this machine's user sees it.
#[derive(Debug)]
pub struct Slurm {
    /// Words of the user for `sbatch`.
    pub more: Vec<String>,
    /// What a task runs.
    pub command: PartCommand,
}

impl Slurm {
    /// The words after `sbatch` that submit these parts; the task itself comes last.
    #[must_use]
    pub fn words(&self, job: &Job, parts: &[usize]) -> Vec<String> {
        // Logs are named from the folder of the plan: signs in its path would be taken for the scheduler's own.
        let own = [
            "--parsable".to_owned(),
            format!("--job-name={}", job.name()),
            format!("--array={}", ranges(parts)),
            format!("--chdir={}", job.folder.display()),
            "--output=logs/%a.log".to_owned(),
            "--open-mode=append".to_owned(),
            "--cpus-per-task=1".to_owned(),
            format!("--mem={}M", job.plan.megabytes),
        ];
        let task = shell::line(&self.command.words(&job.folder, "auto"));
        own.into_iter().chain(self.more.iter().cloned()).chain([format!("--wrap=exec {task}")]).collect()
    }
}

impl BatchSystem for Slurm {
    fn submit(&mut self, job: &Job, parts: &[usize]) -> Result<(), ScaleFault> {
        let answer = call("sbatch", &self.words(job, parts), ELSEWHERE)?;
        let number = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        if answer.status.success() {
            // A banner may stand above it.
            let last = number.lines().last().unwrap_or("").split(';').next().unwrap_or("");
            if last.is_empty() || !last.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(ScaleFault::Refused("sbatch", format!("it answered `{number}`, which is no job number")));
            }
            tracing::debug!(job = %number, parts = parts.len(), "submitted");
            return Ok(());
        }
        // It may have taken the job before it stopped answering.
        match self.queue(job)? {
            Reply::Has(queue) if queue.tasks.is_empty() => Err(ScaleFault::Refused("sbatch", said(&answer))),
            // It is being restarted: what is missing then is submitted again.
            _ => Ok(()),
        }
    }

    fn queue(&mut self, job: &Job) -> Result<Reply, ScaleFault> {
        let words = ["--me", "--noheader", "--array", "--format=%K|%T|%r"].map(str::to_owned);
        let words: Vec<String> = words.into_iter().chain([format!("--name={}", job.name())]).collect();
        let answer = call("squeue", &words, ELSEWHERE)?;
        if !answer.status.success() {
            tracing::debug!(said = said(&answer), "squeue does not answer");
            return Ok(Reply::Silent(said(&answer)));
        }
        Ok(Reply::Has(queue(&String::from_utf8_lossy(&answer.stdout))))
    }

    fn cancel(&mut self, job: &Job) {
        let _ = call("scancel", &["--me".to_owned(), format!("--name={}", job.name())], ELSEWHERE);
    }

    fn left(&self, job: &Job) -> String {
        format!("its tasks go on in the queue: `scancel --me --name={}` ends them", job.name())
    }

    fn leave(&mut self, _: &Job) {}

    fn silence(&self) -> &'static str {
        "they may have been cancelled; else the machines of the cluster may not see this folder, or may not write to it"
    }
}

/// What `squeue` lists: a task a line, `NUMBER|STATE|REASON`.
fn queue(text: &str) -> Queue {
    let mut queue = Queue::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut cells = line.splitn(3, '|');
        let part = cells.next().and_then(|number| number.parse().ok());
        let (state, reason) = (cells.next().unwrap_or(""), cells.next().unwrap_or(""));
        let state = match state {
            // So Slurm says where a node could not start a task.
            "PENDING" if reason.contains("requeued held") => TaskState::Stuck,
            "PENDING" => TaskState::Waiting,
            _ => TaskState::Running,
        };
        // What waits for its turn says nothing.
        if state != TaskState::Running && !["", "None", "Priority", "Resources"].contains(&reason) {
            reason.clone_into(&mut queue.reason);
        }
        queue.tasks.push((part, state));
    }
    queue
}

/// Numbers as Slurm writes them: `0-6,9`.
#[must_use]
pub fn ranges(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let text = |&(first, last): &(usize, usize)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}-{last}"),
    };
    runs.iter().map(text).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_ranges() {
        assert_eq!(ranges(&[0]), "0");
        assert_eq!(ranges(&[0, 1, 2, 3]), "0-3");
        assert_eq!(ranges(&[0, 2, 3, 9]), "0,2-3,9");
    }

    /// Fault: a task that Slurm holds for good, or that counts as running when its part is done, keeps the others waiting.
    #[test]
    fn what_the_queue_says_is_understood() {
        let text = "3|PENDING|Priority\n0|RUNNING|None\n1|COMPLETING|None\n2|PENDING|launch failed requeued held\n";
        let found = queue(text);
        let states = [TaskState::Running, TaskState::Waiting, TaskState::Stuck].map(|state| found.count(state));
        assert_eq!((states, found.reason.as_str()), ([2, 1, 1], "launch failed requeued held"));
        assert!(found.works_on(&[2, 3]) && !found.works_on(&[2]) && !found.works_on(&[7]));
        assert!(queue("\n").tasks.is_empty());
    }
}
