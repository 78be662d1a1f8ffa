//! From assumed to measured: a scenario held against what was counted, and its numbers fitted through the simulator.

pub(crate) mod apart;
pub mod curve;
pub mod free;
pub mod held;
pub mod jacobian;
pub mod levels;
pub mod normal;
pub mod observed;
pub mod problem;
pub mod search;
pub mod seasonal;
pub mod simulated;
pub mod written;
