//! headend: will the VPN headend carry Monday morning, and what is the cheapest change that makes it?
//!
//! The map. A room uses the rooms above it, never those below:
//!
//! | room | what it is |
//! |---|---|
//! | [`headend_engine`] | the engine, a package of its own: quantities, models, scenarios, the simulator, studies |
//! | [`plan`] | inverse questions: how much is enough, how late is early enough, until when |
//! | [`validate`] | theory, measured networks and the two fidelities, held against each other |
//! | [`report`] | results as sentences, tables, charts, a page, a sheet: pure functions to text |
//! | [`cli`] | one function a verb |
//!
//! Invariants, beside those of the engine:
//! * Only `report` rounds; only `cli` prints and exits.
//! * `report` sees plain results, never the engine; charts and pages are pure functions to text.

pub use headend_engine::{disk, model, random, scenario, sim, stats, study, theory, units};

pub mod plan;

pub mod validate;

pub mod report;

pub mod cli;
