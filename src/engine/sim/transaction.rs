//! Transactions: requests and responses that a person or a process waits for.

pub mod admission;
pub mod attempt;
pub mod latency;
pub mod slab;
