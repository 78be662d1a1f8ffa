//! GNU parallel: the parts as jobs of one process, here or over ssh.

use std::process::{Child, Command, Stdio};

use crate::disk;
use crate::scale::batch::{BatchSystem, PartCommand, Queue, Reply, absent, call};
use crate::scale::fault::ScaleFault;
use crate::scale::job::Job;
use crate::scale::shell;

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
        let mut command = Command::new("parallel");
        command.args(self.words(job, parts)).stdin(Stdio::null()).stdout(open()?).stderr(open()?);
        self.child = Some(command.spawn().map_err(|fault| absent("parallel", INSTALL, &fault))?);
        self.again = true;
        Ok(())
    }

    fn queue(&mut self, _: &Job) -> Result<Reply, ScaleFault> {
        let runs = |child: &mut Child| matches!(child.try_wait(), Ok(None));
        let running = usize::from(self.child.as_mut().is_some_and(runs));
        Ok(Reply::Has(Queue { running, ..Queue::default() }))
    }

    fn cancel(&mut self, _: &Job) {
        let Some(mut child) = self.child.take() else { return };
        // At the first it starts no more, at the second it ends what runs.
        for _ in 0..2 {
            let _ = call("kill", &["-TERM".to_owned(), child.id().to_string()], INSTALL);
        }
        let _ = child.wait();
    }

    fn left(&self, _: &Job) -> String {
        "its jobs are stopped, and what was simulated is kept".to_owned()
    }

    fn leave(&mut self, job: &Job) {
        self.cancel(job);
    }
}
