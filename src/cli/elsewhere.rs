//! `--on`: runs that are missing are simulated elsewhere, and the command is repeated until none is.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use crate::cli::args::{EngineName, ScaleArgs};
use crate::cli::bundle::{Bundle, hex};
use crate::cli::common::{bar, say};
use crate::cli::output::Output;
use crate::cli::stop::{STOP, Stop};
use crate::disk;
use crate::report::words::several;
use crate::scale::balance::number;
use crate::scale::batch::{BatchSystem, PartCommand, Reply, TaskState};
use crate::scale::fault::ScaleFault;
use crate::scale::job::{Job, JobPlan, Recipe, RunKind};
use crate::scale::parallel::Parallel;
use crate::scale::slurm::Slurm;
use crate::scale::wait::{JobState, wait};
use crate::scale::wanting::Wanting;
use crate::scale::{script, shell};
use crate::scenario::checker::InputFile;
use crate::study::queue;

/// A scenario as it lies in the folder of a plan.
#[derive(Clone, Debug)]
pub(super) struct Shipment {
    /// Its name there.
    pub scenario: String,
    /// It and the files that it names.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Shipment {
    /// The scenario of this text.
    pub fn of(text: &str, files: &[InputFile]) -> Self {
        let bundle = Bundle::addressed(text, files);
        let scenario = format!("scenario-{}.toml", &hex(&bundle.hash())[..12]);
        let mut files: BTreeMap<_, _> = bundle.inputs.into_iter().collect();
        files.insert(scenario.clone(), bundle.scenario.into_bytes());
        Self { scenario, files }
    }

    /// How runs of one of its set-ups come about where the command line changes nothing in it.
    pub fn recipe(&self, setup: &str, measure: RunKind) -> Recipe {
        Recipe {
            scenario: self.scenario.clone(),
            setup: setup.to_owned(),
            seed: None,
            fidelity: None,
            grain: None,
            target_hours: false,
            lose: None,
            measure,
        }
    }
}

/// The results of the jobs `0..jobs`, in order; or the runs that any of them misses.
pub(super) fn all<T: Send>(jobs: usize, work: impl Fn(usize) -> Result<T, Stop> + Sync) -> Result<Vec<T>, Stop> {
    let (mut done, mut missing) = (Vec::with_capacity(jobs), Wanting::default());
    let work = |number| match work(number) {
        Err(Stop::Missing(wanting)) => Ok(Err(wanting)),
        other => other.map(Ok),
    };
    queue::in_order(jobs, work, |_, one| {
        match one {
            Ok(one) => done.push(one),
            Err(wanting) => missing.take_in(wanting),
        }
        Ok(())
    })?;
    if missing.tasks.is_empty() { Ok(done) } else { Err(Stop::Missing(missing)) }
}

/// Both results; or the runs that either misses.
pub(super) fn both<A, B>(one: Result<A, Stop>, other: Result<B, Stop>) -> Result<(A, B), Stop> {
    match (one, other) {
        (Err(Stop::Missing(mut first)), Err(Stop::Missing(second))) => {
            first.take_in(second);
            Err(Stop::Missing(first))
        }
        (one, other) => Ok((one?, other?)),
    }
}

/// Repeats an attempt until it misses no run. Where `--on` is not given, it never does.
pub(super) fn until_done<T>(
    args: &ScaleArgs,
    output: &Output,
    kept: &Path,
    mut attempt: impl FnMut() -> Result<T, Stop>,
) -> Result<T, Stop> {
    args.agrees()?;
    loop {
        match attempt() {
            Err(Stop::Missing(wanting)) => Elsewhere { args, output, kept }.simulate(&wanting)?,
            done => {
                if done.is_ok() {
                    output.clear_jobs();
                }
                return done;
            }
        }
    }
}

/// An engine, and the folders that it works with.
struct Elsewhere<'a> {
    args: &'a ScaleArgs,
    output: &'a Output,
    /// The folder of kept runs.
    kept: &'a Path,
}

impl Elsewhere<'_> {
    fn simulate(&self, wanting: &Wanting) -> Result<(), Stop> {
        let command = PartCommand::of_this_program()?;
        let mut engine = self.engine(&command);
        let job = match self.earlier(wanting, engine.as_deref_mut())? {
            Some(job) => job,
            None => self.new_job(wanting)?,
        };
        let Some(mut engine) = engine else {
            let typed: Vec<String> = std::env::args().skip(1).collect();
            let again = format!("headend {}", shell::line(&typed));
            say(&script::text(&job, &self.slurm(&command), &self.parallel(&command, true), &again))?;
            return Err(Stop::Handed);
        };
        let bar = bar("{wide_bar} {pos}/{len} runs; {msg}");
        let progress = |state: &JobState| {
            bar.set_length(state.runs as u64);
            bar.set_position(state.done as u64);
            bar.set_message(words(state));
        };
        let waited = wait(&job, engine.as_mut(), Duration::from_secs_f64(self.args.poll), &STOP, &progress);
        bar.finish_and_clear();
        match waited {
            Err(ScaleFault::Stopped) => {
                let has_tasks = !engine.queue(&job).is_ok_and(|reply| reply.has_none());
                let left = engine.left(&job);
                engine.leave(&job);
                Err(if has_tasks { Stop::Left(left) } else { Stop::Kept(self.output.folder()) })
            }
            waited => {
                waited?;
                disk::remove(&job.folder);
                Ok(())
            }
        }
    }

    /// What is asked; none where the commands are printed.
    fn engine(&self, command: &PartCommand) -> Option<Box<dyn BatchSystem>> {
        match self.args.on {
            Some(EngineName::Slurm) => Some(Box::new(self.slurm(command))),
            Some(EngineName::Parallel) => Some(Box::new(self.parallel(command, false))),
            Some(EngineName::Script) | None => None,
        }
    }

    fn slurm(&self, command: &PartCommand) -> Slurm {
        Slurm { more: self.args.slurm.clone().map_or(Vec::new(), |words| words.0), command: command.clone() }
    }

    fn parallel(&self, command: &PartCommand, again: bool) -> Parallel {
        let more = self.args.parallel.clone().map_or(Vec::new(), |words| words.0);
        Parallel { more, command: command.clone(), child: None, again }
    }

    /// The job that an earlier process has left, if it simulates some of these runs. One that does not is forgotten.
    fn earlier(
        &self,
        wanting: &Wanting,
        mut engine: Option<&mut (dyn BatchSystem + 'static)>,
    ) -> Result<Option<Job>, Stop> {
        let wanted: Vec<&Path> = wanting.tasks.iter().map(|task| task.file.as_path()).collect();
        let mut found = None;
        for job in Job::all(&self.output.jobs()) {
            let answer = engine.as_mut().map(|engine| engine.queue(&job)).transpose()?;
            let is_under_way = answer.is_some_and(|answer| !answer.has_none());
            let asked = |parts: u32| number(&vec![1.0; job.runs()], Some(parts)) == job.plan.parts.len();
            if job.has_any(&wanted) && found.is_none() && (is_under_way || self.args.parts.is_none_or(asked)) {
                found = Some(job);
                continue;
            }
            if let Some(engine) = engine.as_mut().filter(|_| is_under_way) {
                engine.cancel(&job);
            }
            disk::remove(&job.folder);
        }
        Ok(found)
    }

    fn new_job(&self, wanting: &Wanting) -> Result<Job, Stop> {
        let kept = self.kept.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let plan = JobPlan::of(&wanting.tasks, &wanting.files, self.args.parts, &format!("../../../{kept}"));
        Ok(Job::create(&self.output.jobs(), &plan, &wanting.files)?)
    }
}

/// How far a job is, in words.
fn words(state: &JobState) -> String {
    let queue = match &state.answer {
        Reply::Has(queue) => queue,
        Reply::Silent(said) => return format!("the scheduler does not answer just now: {said}"),
    };
    let tasks = several(queue.count(TaskState::Running), ["task runs", "tasks run"]);
    let waiting = queue.tasks.len() - queue.count(TaskState::Running);
    let waiting = if waiting > 0 { format!(", {waiting} wait") } else { String::new() };
    let reason = if queue.reason.is_empty() { String::new() } else { format!(" ({})", queue.reason) };
    format!("{tasks}{waiting}{reason}")
}
