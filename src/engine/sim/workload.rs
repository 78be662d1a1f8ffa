//! Workload: who asks for transfers and calls, when, and how much.

pub mod arrivals;
pub mod backlog;
pub mod calls;
pub mod draws;
pub mod generators;
pub mod paper;
pub mod streams;
pub mod users;
