//! The engine of headend, from quantities to studies. It prints nothing, and knows no command line, page or sheet.
//!
//! The map. A room uses the rooms above it, never those below:
//!
//! | room | what it is |
//! |---|---|
//! | [`units`] | quantities with their units; the only room that knows how they are written |
//! | [`disk`] | files: read if they are files, written whole or not at all, by one process at a time |
//! | [`random`] | streams of random numbers, keyed by what they are for |
//! | [`stats`] | tallies, quantiles, intervals, paired differences |
//! | [`theory`] | what textbooks say on cases that they can solve |
//! | [`model`] | what is simulated: plain data that cannot be wrong |
//! | [`scenario`] | what is written: the file, every fault in it at once, and the models that it means |
//! | [`sim`] | `simulate(&model, replication, observer)`: one day, event by event |
//! | [`study`] | replications in parallel, recorders, options compared, resumed where they stopped |
//!
//! Invariants:
//! * `sim` reads no file, clock, environment or global; a run is a function of (model, replication).
//! * `sim` adds nothing up; observers do. `simulate` cannot fail: all that can be wrong is a problem before.
//! * Only `units` knows text forms; only `disk` writes files.
//! * Nothing in results depends on a hash order, a clock, a thread or an address.

pub mod units;

pub mod disk;
pub mod elementary;

pub mod random;
pub mod stats;
pub mod theory;

pub mod model;
pub mod scenario;

pub mod sim;

pub mod study;
