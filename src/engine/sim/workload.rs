//! Workload: who asks for transfers and calls, when, and how much.

pub(crate) mod arrivals;
pub(crate) mod backlog;
pub(crate) mod calls;
pub(crate) mod draws;
pub(crate) mod generators;
pub(crate) mod paper;
pub(crate) mod streams;
pub(crate) mod users;
