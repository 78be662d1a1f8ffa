//! The plan of a job: which part simulates which runs of which models. It lies in a folder with the scenarios and their files, so that a
//! machine needs this program and the folder.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::disk;
use crate::disk::shown;
use crate::scale::balance::{balanced, number};
use crate::scale::fault::ScaleFault;
use crate::study::saved::BUILD;

/// How a run comes from a scenario: what the command line has changed in it, and what is measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The scenario, in the folder of the plan.
    pub scenario: String,
    /// The set-up: the base, or an option.
    pub setup: String,
    /// Seed in place of the scenario's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Fidelity in place of the scenario's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fidelity: Option<String>,
    /// Packets in a train.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grain: Option<u32>,
    /// Whether days end soon after the last hour of a target.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub target_hours: bool,
    /// A concentrator that is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lose: Option<String>,
    /// What is measured.
    pub measure: RunKind,
}

/// What is measured of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunKind {
    /// All that a report needs; and every transaction, where `records` says so.
    Run {
        /// See above.
        records: bool,
    },
    /// The targets of a scenario, which may be another one.
    Compare {
        /// The scenario of the targets.
        targets: String,
    },
    /// A target at a value of a parameter.
    Plan(Sought),
}

/// A parameter with a value, and the target that is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sought {
    /// The place of the target.
    pub target: usize,
    /// What is sought, as on the command line.
    pub find: String,
    /// What it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    /// When a wave is cut over.
    pub at: String,
    /// Its value: the shortest decimal number that is exactly this one.
    pub value: String,
    /// Whether all that a report needs is measured, not the target alone.
    pub whole: bool,
}

/// A run that is missing.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// How to come by it.
    pub recipe: Recipe,
    /// The number of the replication, from 0.
    pub replication: u32,
    /// Its file, below the folder of kept runs.
    pub file: PathBuf,
    /// Predicted time [s].
    pub seconds: f64,
    /// Predicted memory [byte].
    pub memory: f64,
}

/// A run of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedRun {
    /// The place of its recipe in the plan.
    pub recipe: usize,
    /// The number of the replication, from 0.
    pub replication: u32,
    /// Its file, below the folder of kept runs. Its name is a hash of all that decides what is in it.
    pub file: PathBuf,
}

/// A part: the runs that one task simulates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Predicted time [s].
    pub seconds: f64,
    /// Its runs.
    pub runs: Vec<PlannedRun>,
}

/// The plan of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobPlan {
    /// Always `headend`.
    pub program: String,
    /// Version of the program.
    pub version: String,
    /// The engine that all runs are to be of.
    pub build: String,
    /// The folder of kept runs, from the folder of the plan.
    pub kept: String,
    /// Memory that a part takes at most [MB].
    pub megabytes: u32,
    /// SHA-256 of each scenario and of each file that one names.
    pub files: BTreeMap<String, String>,
    /// How runs come from scenarios.
    pub recipes: Vec<Recipe>,
    /// The parts.
    pub parts: Vec<Part>,
}

/// A plan in its folder.
#[derive(Debug)]
pub struct Job {
    /// The folder.
    pub folder: PathBuf,
    /// The plan.
    pub plan: JobPlan,
}

/// Folder of plans, below that of results.
pub const JOBS: &str = ".jobs";
/// Name of the plan in its folder.
const PLAN: &str = "plan.json";
/// Folder of what tasks say.
const LOGS: &str = "logs";

impl JobPlan {
    /// The plan of some runs in as many parts as asked for, or as many as carry a minute each.
    #[must_use]
    pub fn of(tasks: &[Task], files: &BTreeMap<String, Vec<u8>>, asked: Option<u32>, kept: &str) -> Self {
        let seconds: Vec<f64> = tasks.iter().map(|task| task.seconds).collect();
        let mut recipes: Vec<Recipe> = Vec::new();
        let runs: Vec<PlannedRun> = tasks.iter().map(|task| planned(task, &mut recipes)).collect();
        let part = |places: Vec<usize>| Part {
            seconds: (places.iter().map(|&place| seconds[place]).sum::<f64>() * 10.0).ceil() / 10.0,
            runs: places.iter().map(|&place| runs[place].clone()).collect(),
        };
        let parts = balanced(&seconds, number(&seconds, asked)).into_iter().map(part).collect();
        let memory = tasks.iter().map(|task| task.memory).fold(0.0, f64::max);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        let megabytes = (memory / 1e6).ceil() as u32;
        Self {
            program: "headend".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build: BUILD.to_owned(),
            kept: kept.to_owned(),
            megabytes,
            files: files.iter().map(|(path, bytes)| (path.clone(), sha256(bytes))).collect(),
            recipes,
            parts,
        }
    }

    /// A part by its number, counted from 0.
    ///
    /// # Errors
    /// If there is none.
    pub fn part(&self, index: u32) -> Result<&Part, ScaleFault> {
        self.parts.get(index as usize).ok_or_else(|| {
            let (parts, last) = (self.parts.len(), self.parts.len().saturating_sub(1));
            ScaleFault::Plan(format!(
                "there is no part {index}: the plan has {parts}\n  = help: parts are counted from 0 to {last}"
            ))
        })
    }
}

/// The run of a task, and its recipe among those that there are.
fn planned(task: &Task, recipes: &mut Vec<Recipe>) -> PlannedRun {
    // Runs of a recipe follow each other.
    let known = recipes.iter().rposition(|recipe| *recipe == task.recipe);
    let recipe = known.unwrap_or_else(|| {
        recipes.push(task.recipe.clone());
        recipes.len() - 1
    });
    PlannedRun { recipe, replication: task.replication, file: task.file.clone() }
}

impl Job {
    /// Writes a plan with its files to a folder of its own in `jobs`, named by what it simulates.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(jobs: &Path, plan: &JobPlan, files: &BTreeMap<String, Vec<u8>>) -> Result<Self, ScaleFault> {
        let text = serde_json::to_string_pretty(plan).unwrap_or_default() + "\n";
        // Another folder of results with the same runs has another name: the scheduler knows the job by it.
        let place = std::path::absolute(jobs).unwrap_or_else(|_| jobs.to_owned());
        let folder = jobs.join(&sha256(format!("{} {text}", place.display()).as_bytes())[..12]);
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.join(name);
            disk::write(&path, bytes).map_err(|fault| ScaleFault::Write(path, fault))
        };
        for (name, bytes) in files {
            write(name, bytes)?;
        }
        // A scheduler does not make it, and starts no task that cannot write its log.
        let logs = folder.join(LOGS);
        disk::folder(&logs).map_err(|fault| ScaleFault::Write(logs.clone(), fault))?;
        // Last, so that a plan that is there has all its files.
        write(PLAN, text.as_bytes())?;
        Self::open(&folder)
    }

    /// The plan in a folder.
    ///
    /// # Errors
    /// If it cannot be read, is another build's, or a file has changed.
    pub fn read(folder: &Path) -> Result<Self, ScaleFault> {
        let job = Self::open(folder)?;
        for (name, hash) in &job.plan.files {
            let path = job.folder.join(name);
            if !disk::regular(&path).is_ok_and(|bytes| sha256(&bytes) == *hash) {
                let help = "the command that made the plan writes it again";
                let path = shown(&path);
                return Err(ScaleFault::Plan(format!("{path} is not what the plan was made with\n  = help: {help}")));
            }
        }
        Ok(job)
    }

    /// The same, without its files.
    fn open(folder: &Path) -> Result<Self, ScaleFault> {
        let path = folder.join(PLAN);
        let wrong = |what: String, help: &str| ScaleFault::Plan(format!("{}: {what}\n  = help: {help}", shown(&path)));
        let absent = "give the folder that `--on script` names; a task of a cluster must see it under the same path";
        let bytes = disk::regular(&path).map_err(|fault| wrong(format!("cannot be read: {fault}"), absent))?;
        let plan: JobPlan = serde_json::from_slice(&bytes)
            .map_err(|fault| wrong(format!("is no plan of this program ({fault})"), absent))?;
        if plan.build != BUILD {
            let help = "install the same program on all machines, or repeat the command with this one";
            let what = format!("was made by another build: {} {}, and this is {BUILD}", plan.version, plan.build);
            return Err(wrong(what, help));
        }
        let folder = folder.canonicalize().map_err(|fault| wrong(fault.to_string(), absent))?;
        Ok(Self { folder, plan })
    }

    /// The plans in a folder that this build can go on with.
    #[must_use]
    pub fn all(jobs: &Path) -> Vec<Self> {
        let mut folders: Vec<PathBuf> =
            std::fs::read_dir(jobs).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        folders.sort();
        folders.iter().filter_map(|folder| Self::open(folder).ok()).collect()
    }

    /// The name under which an engine knows it.
    #[must_use]
    pub fn name(&self) -> String {
        let hash = self.folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        format!("headend-{hash}")
    }

    /// The folder of kept runs.
    #[must_use]
    pub fn kept(&self) -> PathBuf {
        let kept = Path::new(&self.plan.kept);
        let up = kept.components().take_while(|part| matches!(part, Component::ParentDir)).count();
        let above = self.folder.ancestors().nth(up).unwrap_or(&self.folder);
        above.join(kept.components().skip(up).collect::<PathBuf>())
    }

    /// Whether it lies where plans are made, below the folder of results.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        self.folder.ancestors().nth(2).and_then(Path::file_name).is_some_and(|name| name == JOBS)
    }

    /// The numbers of the parts that have not done all their runs, and how many runs they miss.
    #[must_use]
    pub fn unfinished(&self) -> Vec<(usize, usize)> {
        let kept = self.kept();
        let missing = |part: &Part| part.runs.iter().filter(|run| !kept.join(&run.file).exists()).count();
        let parts = self.plan.parts.iter().map(missing).enumerate();
        parts.filter(|(_, missing)| *missing > 0).collect()
    }

    /// Number of runs.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.plan.parts.iter().map(|part| part.runs.len()).sum()
    }

    /// Whether it simulates one of these files.
    #[must_use]
    pub fn has_any(&self, files: &[&Path]) -> bool {
        self.plan.parts.iter().flat_map(|part| &part.runs).any(|run| files.contains(&run.file.as_path()))
    }

    /// The file of what a task says.
    #[must_use]
    pub fn log(&self, part: impl std::fmt::Display) -> PathBuf {
        self.folder.join(LOGS).join(format!("{part}.log"))
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
