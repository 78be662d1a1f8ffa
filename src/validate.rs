//! Validation: headend against theory, against networks that are not ours, and its two fidelities against each other.

pub mod evidence;
pub mod replay;
