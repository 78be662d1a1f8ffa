//! GNU parallel: the parts as jobs of one process, here or over ssh.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::disk;
use crate::scale::batch::{BatchSystem, PartCommand, Queue, Reply, TaskState, absent, call};
use crate::scale::fault::ScaleFault;
use crate::scale::job::Job;
use crate::scale::shell;

/// Exit code for wrong options; 1 to 101 count jobs that failed.
const USAGE: i32 = 255;

/// The first lines of a log.
fn first_words(log: &Path) -> String {
    let text = String::from_utf8_lossy(&std::fs::read(log).unwrap_or_default()).into_owned();
    text.lines().map(str::trim).filter(|line| !line.is_empty()).take(2).collect::<Vec<_>>().join("; ")
}

/// Where it is not.
const INSTALL: &str = "install it (the package is called `parallel`), or leave `--on` out";

/// GNU parallel, and the process that it is just now.
#[derive(Debug)]
pub struct Parallel {
    /// Words of the user.
    pub more: Vec<String>,
    /// What a job runs.
    pub command: PartCommand,
    /// The process.
    pub child: Option<Child>,
    /// Whether it has been started before: then the log of its jobs is not taken up, as they did not do what it says.
    pub again: bool,
}

impl Parallel {
    /// The words after `parallel` that run these parts.
    #[must_use]
    pub fn words(&self, job: &Job, parts: &[usize]) -> Vec<String> {
        let task = self.command.words(&job.folder, "{}");
        // `{}` is what parallel puts the number in place of.
        let quoted = |word: &String| if word == "{}" { word.clone() } else { shell::word(word) };
        let task = task.iter().map(quoted).collect::<Vec<_>>().join(" ");
        let log = job.folder.join("joblog").display().to_string();
        let (log, parts) = if self.again {
            (Vec::new(), parts.to_vec())
        } else {
            // A log is taken up where it stopped only with the same list.
            (vec!["--resume-failed".to_owned(), "--joblog".to_owned(), log], (0..job.plan.parts.len()).collect())
        };
        let numbers = parts.iter().map(usize::to_string);
        log.into_iter().chain(self.more.iter().cloned()).chain([task, ":::".to_owned()]).chain(numbers).collect()
    }
}

impl BatchSystem for Parallel {
    fn submit(&mut self, job: &Job, parts: &[usize]) -> Result<(), ScaleFault> {
        let log = job.log("parallel");
        let open = || disk::log(&log).map_err(|fault| ScaleFault::Write(log.clone(), fault));
        let folder = job.folder.display().to_string();
        if folder.contains(['{', '}']) {
            let help = "choose another folder with `--out`";
            let what = "GNU parallel puts numbers in place of what stands in braces";
            return Err(ScaleFault::Plan(format!("{what}, and {folder} has some\n  = help: {help}")));
        }
        let mut command = Command::new("parallel");
        command.args(self.words(job, parts)).stdin(Stdio::null()).stdout(open()?).stderr(open()?);
        // A group of its own, so that it can be ended with all its jobs.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        self.child = Some(command.spawn().map_err(|fault| absent("parallel", INSTALL, &fault))?);
        self.again = true;
        Ok(())
    }

    fn queue(&mut self, job: &Job) -> Result<Reply, ScaleFault> {
        let status = self.child.as_mut().map(Child::try_wait);
        // What it says of wrong options, and not of its jobs.
        if let Some(Ok(Some(status))) = status
            && status.code() == Some(USAGE)
        {
            return Err(ScaleFault::Refused("parallel", first_words(&job.log("parallel"))));
        }
        let runs = matches!(status, Some(Ok(None)));
        let tasks = if runs { vec![(None, TaskState::Running)] } else { Vec::new() };
        Ok(Reply::Has(Queue { tasks, ..Queue::default() }))
    }

    fn cancel(&mut self, _: &Job) {
        let Some(mut child) = self.child.take() else { return };
        let group = format!("-{}", child.id());
        // It may not be ready for a signal yet, and its jobs end one after the other.
        for signal in ["-TERM", "-TERM", "-TERM", "-KILL"] {
            let _ = call("kill", &[signal.to_owned(), "--".to_owned(), group.clone()], INSTALL);
            for _ in 0..10 {
                if !matches!(child.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    fn left(&self, _: &Job) -> String {
        "its jobs are stopped, and what was simulated is kept".to_owned()
    }

    fn silence(&self) -> &'static str {
        "GNU parallel has run nothing; the variable PARALLEL or its own settings may keep it from it"
    }

    fn leave(&mut self, job: &Job) {
        self.cancel(job);
    }
}
