//! Transactions: requests and responses that a person or a process waits for.

pub(crate) mod admission;
pub(crate) mod attempt;
pub(crate) mod latency;
pub(crate) mod slab;
