//! What an engine is asked: to run parts, which of them are under way, and to forget them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::scale::fault::ScaleFault;
use crate::scale::job::Job;

/// How a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// It runs.
    Running,
    /// It waits for its turn.
    Waiting,
    /// It waits, and will never run by itself.
    Stuck,
}

/// The tasks of a job that an engine has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// Each task: its part, where that is known, and how it is.
    pub tasks: Vec<(Option<usize>, TaskState)>,
    /// Why some wait, where the engine says so.
    pub reason: String,
}

impl Queue {
    /// Whether a task runs, or will run, for one of these parts. One that still counts as running when its part is done does not.
    #[must_use]
    pub fn works_on(&self, parts: &[usize]) -> bool {
        let works = |(part, state): &(Option<usize>, TaskState)| {
            *state != TaskState::Stuck && part.is_none_or(|part| parts.contains(&part))
        };
        self.tasks.iter().any(works)
    }

    /// How many tasks are so.
    #[must_use]
    pub fn count(&self, is: TaskState) -> usize {
        self.tasks.iter().filter(|(_, state)| *state == is).count()
    }
}

/// What an engine says of the tasks of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It has these.
    Has(Queue),
    /// It does not answer just now; what it said instead.
    Silent(String),
}

impl Reply {
    /// Whether it has tasks of the job.
    #[must_use]
    pub fn has_tasks(&self) -> bool {
        matches!(self, Self::Has(queue) if !queue.tasks.is_empty())
    }

    /// Whether it answers, and nothing of it works on these parts.
    #[must_use]
    pub fn leaves(&self, parts: &[usize]) -> bool {
        matches!(self, Self::Has(queue) if !queue.works_on(parts))
    }

    /// Whether it has none.
    #[must_use]
    pub fn has_none(&self) -> bool {
        matches!(self, Self::Has(queue) if queue.tasks.is_empty())
    }
}

/// What runs the parts of a job.
pub trait BatchSystem {
    /// Asks for these parts, by their numbers.
    ///
    /// # Errors
    /// If it is not there, or refuses.
    fn submit(&mut self, job: &Job, parts: &[usize]) -> Result<(), ScaleFault>;

    /// The tasks of the job that it has, whoever submitted them.
    ///
    /// # Errors
    /// If it is not there.
    fn queue(&mut self, job: &Job) -> Result<Reply, ScaleFault>;

    /// Forgets the tasks of the job. A failure does no harm.
    fn cancel(&mut self, job: &Job);

    /// What becomes of the tasks when this process ends, and how to end them, too.
    fn left(&self, job: &Job) -> String;

    /// Does that: ends the tasks, or lets them go on.
    fn leave(&mut self, job: &Job);

    /// What may be the cause where tasks have left no word.
    fn silence(&self) -> &'static str;
}

/// The program that runs a part, and the words after it.
#[derive(Clone, Debug)]
pub struct PartCommand {
    /// The path of this program.
    pub program: PathBuf,
}

impl PartCommand {
    /// This program.
    ///
    /// # Errors
    /// If its path is not known.
    pub fn of_this_program() -> Result<Self, ScaleFault> {
        let program =
            std::env::current_exe().map_err(|fault| ScaleFault::Plan(format!("where is headend? {fault}")))?;
        Ok(Self { program })
    }

    /// The words that run a part; `index` is its number, or how the engine writes it.
    #[must_use]
    pub fn words(&self, job: &Path, index: &str) -> Vec<String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let (program, job) = (path(&self.program), path(job));
        [&program, "part", &job, "--index", index, "--threads", "1"].map(str::to_owned).to_vec()
    }
}

/// Runs a program of an engine to its end.
pub(super) fn call(program: &'static str, words: &[String], help: &'static str) -> Result<Output, ScaleFault> {
    Command::new(program)
        .args(words)
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|fault| absent(program, help, &fault))
}

/// Why a program did not start.
pub(super) fn absent(program: &'static str, help: &'static str, fault: &std::io::Error) -> ScaleFault {
    match fault.kind() {
        std::io::ErrorKind::NotFound => ScaleFault::Absent(program, help),
        _ => ScaleFault::Refused(program, fault.to_string()),
    }
}

/// What a program said on stderr, in a line.
pub(super) fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { format!("it ended with {}", output.status) } else { lines.join("; ") }
}
