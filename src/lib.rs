//! headend: will the VPN headend carry Monday morning, and what is the cheapest change that makes it?
//!
//! As a library: load a scenario, run it, read the results.
//!
//! ```
//! use std::path::Path;
//! use std::sync::atomic::AtomicBool;
//!
//! use headend::{RunOptions, Verdict, load, run};
//!
//! let folder = Path::new("scenarios");
//! let text = std::fs::read_to_string(folder.join("tiny.toml")).unwrap();
//! let mut study = load("tiny.toml", &text, folder).expect("a scenario without a fault");
//! (study.effort.least, study.effort.most) = (1, 1);
//!
//! let stop = AtomicBool::new(false);
//! let options = RunOptions { stop: &stop, progress: &|_| {}, keep: None, records: None, here: true };
//! let results = run(&study, &[0], &options).unwrap();
//!
//! let base = &results.setups[0];
//! assert_eq!(base.name, "base");
//! assert_eq!(base.targets.len(), study.targets.len());
//! assert!(base.targets.iter().all(|target| target.verdict != Verdict::Met), "from one day nothing is sure");
//! ```
//!
//! An observer of one's own hears every fact of a run: `examples/observe.rs`.
//!
//! The map. A room uses the rooms above it, never those below:
//!
//! | room | what it is |
//! |---|---|
//! | [`headend_engine`] | the engine, a package of its own: quantities, models, scenarios, the simulator, studies |
//! | `plan` | inverse questions: how much is enough, how late is early enough, until when |
//! | `telemetry` | measurements of others: what monitoring systems export, as one tidy series |
//! | `fit` | a scenario held against what was counted, and its numbers fitted through the simulator |
//! | `validate` | theory, measured networks and the two fidelities, held against each other |
//! | `report` | results as sentences, tables, charts, a page, a sheet: pure functions to text |
//! | `live` | the page that anybody opens: numbers to move, a forecast at once, the simulation in the browser |
//! | `scale` | parts of a study for other engines: a cluster's scheduler, GNU parallel |
//! | `cli` | one function a verb |
//!
//! Invariants, beside those of the engine:
//! * Only `report` rounds; only `cli` prints and exits.
//! * `report` sees plain results, never the engine; charts and pages are pure functions to text.

// A module for browsers has no command line, and so no use for much of the rest.
#![cfg_attr(target_family = "wasm", allow(dead_code))]

pub use headend_engine::model::Model;
pub use headend_engine::scenario::{Setup, Study, load};
pub use headend_engine::sim::observer::{Fact, Observer, Outcome, Record};
pub use headend_engine::sim::simulate;
pub use headend_engine::study::results::{Results, SetupResult, TargetResult, Verdict};
pub use headend_engine::study::{RunOptions, StudyError, run};
pub use headend_engine::units::{Duration, Time};
pub use plan::{PlanResult, Question, plan};

#[doc(hidden)]
pub use headend_engine::{disk, elementary, model, random, scenario, sim, stats, study, theory, units};

#[doc(hidden)]
pub mod plan;

#[doc(hidden)]
pub mod telemetry;

#[doc(hidden)]
pub mod fit;

#[doc(hidden)]
pub mod validate;

#[doc(hidden)]
pub mod report;

#[doc(hidden)]
pub mod live;

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod scale;

#[cfg(not(target_family = "wasm"))]
#[doc(hidden)]
pub mod cli;
