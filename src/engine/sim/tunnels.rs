//! `IPsec` tunnels: where they end, how they are set up, and what becomes of them when something fails.

pub mod balancer;
pub mod failover;
pub mod faults;
pub mod ike;
