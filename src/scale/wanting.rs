//! Runs that are missing, and what it takes to simulate them.

use std::collections::BTreeMap;

use crate::model::Model;
use crate::scale::job::{Recipe, Task};
use crate::study::cost::{StudyCost, run_cost};
use crate::study::error::MissingRun;

/// Runs that are missing, with what it takes to simulate them.
#[derive(Debug, Default)]
pub struct Wanting {
    /// The runs.
    pub tasks: Vec<Task>,
    /// The scenarios, and the files that they name, by their names in the folder of a plan.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Wanting {
    /// These runs; `recipe` says how each comes from the scenarios among `files`, `model` what it will cost.
    pub fn of<'a>(
        runs: Vec<MissingRun>,
        files: BTreeMap<String, Vec<u8>>,
        recipe: impl Fn(&MissingRun) -> Recipe,
        model: impl Fn(usize) -> &'a Model,
    ) -> Self {
        let mut costs: BTreeMap<usize, StudyCost> = BTreeMap::new();
        let mut task = |run: MissingRun| {
            let cost = *costs.entry(run.place).or_insert_with(|| run_cost(model(run.place)));
            let recipe = recipe(&run);
            let MissingRun { replication, file, .. } = run;
            Task { recipe, replication, file, seconds: cost.seconds, memory: cost.memory }
        };
        Self { tasks: runs.into_iter().map(&mut task).collect(), files }
    }

    /// Takes in those of another part of the command.
    pub fn take_in(&mut self, other: Self) {
        self.tasks.extend(other.tasks);
        self.files.extend(other.files);
    }
}
