//! A job from its submission to its end: what is missing when no task is left is submitted again.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::disk::shown;
use crate::scale::batch::{BatchSystem, Reply};
use crate::scale::fault::ScaleFault;
use crate::scale::job::Job;

/// How often parts are submitted in all: once, and three times again.
const SUBMISSIONS: u32 = 4;

/// How often a scheduler that has not taken the job yet may fail to answer.
const PATIENCE: u32 = 10;

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobState {
    /// Runs that are kept.
    pub done: usize,
    /// Runs in all.
    pub runs: usize,
    /// What the engine says of its tasks.
    pub answer: Reply,
}

/// Waits until all runs of a job are kept; `poll` is the time between two questions to the engine.
///
/// # Errors
/// If it is stopped, the engine refuses, or parts were submitted four times and still miss runs.
pub fn wait(
    job: &Job,
    engine: &mut dyn BatchSystem,
    poll: Duration,
    stop: &AtomicBool,
    progress: &dyn Fn(&JobState),
) -> Result<(), ScaleFault> {
    let (mut submitted, mut silent) = (0, 0);
    loop {
        // Asked before the runs are looked for: a task that has ended has written its last.
        let answer = engine.queue(job)?;
        let unfinished = job.unfinished();
        let missing: usize = unfinished.iter().map(|(_, missing)| missing).sum();
        progress(&JobState { done: job.runs() - missing, runs: job.runs(), answer: answer.clone() });
        if unfinished.is_empty() {
            // Tasks that are left would find their runs done.
            if answer.has_tasks() {
                engine.cancel(job);
            }
            return Ok(());
        }
        silent = match &answer {
            // A controller that is being restarted answers again; one that never has may not be there at all.
            Reply::Silent(said) if submitted == 0 && silent == PATIENCE => {
                return Err(ScaleFault::Refused("squeue", said.clone()));
            }
            Reply::Silent(_) => silent + 1,
            Reply::Has(_) => 0,
        };
        if stop.load(Ordering::Relaxed) {
            return Err(ScaleFault::Stopped);
        }
        let parts: Vec<usize> = unfinished.iter().map(|(part, _)| *part).collect();
        if answer.leaves(&parts) {
            if submitted == SUBMISSIONS {
                return Err(ScaleFault::Unfinished(why(job, &parts, missing, engine.silence())));
            }
            // What is left neither runs by itself nor has anything to do.
            if answer.has_tasks() {
                engine.cancel(job);
            }
            engine.submit(job, &parts)?;
            submitted += 1;
        }
        pause(poll, stop)?;
    }
}

/// Sleeps, and wakes where it is asked to stop.
fn pause(time: Duration, stop: &AtomicBool) -> Result<(), ScaleFault> {
    const STEP: Duration = Duration::from_millis(50);
    let began = Instant::now();
    while began.elapsed() < time {
        if stop.load(Ordering::Relaxed) {
            return Err(ScaleFault::Stopped);
        }
        std::thread::sleep(STEP.min(time));
    }
    if stop.load(Ordering::Relaxed) { Err(ScaleFault::Stopped) } else { Ok(()) }
}

/// Which parts miss runs, and the last that one of them said.
fn why(job: &Job, parts: &[usize], missing: usize, silence: &str) -> String {
    const SHOWN: usize = 5;
    let names: Vec<String> = parts.iter().take(SHOWN).map(usize::to_string).collect();
    let more = if parts.len() > SHOWN { ", .." } else { "" };
    let title = format!(
        "{missing} of {} runs are missing after {SUBMISSIONS} attempts: part {}{more} of {}",
        job.runs(),
        names.join(", "),
        job.plan.parts.len()
    );
    let logs = [job.log(parts[0]), job.log("parallel")];
    let said = logs.iter().find_map(|log| last_words(log).map(|words| (log, words)));
    let said = said.map_or_else(
        || format!("its tasks have left no log in {}: {silence}", shown(&job.folder)),
        |(log, words)| format!("{} ends with\n{words}", shown(log)),
    );
    format!(
        "{title}\n  = note: {said}\n  = help: what was simulated is kept; mend the cause, and the same command goes on from there"
    )
}

/// The last lines of a log.
fn last_words(log: &Path) -> Option<String> {
    const LINES: usize = 6;
    let text = String::from_utf8_lossy(&std::fs::read(log).ok()?).into_owned();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    (!last.is_empty()).then(|| last.iter().map(|line| format!("      {line}")).collect::<Vec<_>>().join("\n"))
}
