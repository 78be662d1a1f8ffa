//! Parts of a study for other engines: which runs are missing, who simulates which, how a scheduler is asked, and what it says.

pub mod balance;
pub mod batch;
pub mod fault;
pub mod index;
pub mod job;
pub mod parallel;

pub mod script;
pub mod shell;
pub mod slurm;
pub mod wait;
pub mod wanting;
