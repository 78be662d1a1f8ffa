//! `IPsec` tunnels: where they end, how they are set up, and what becomes of them when something fails.

pub(crate) mod balancer;
pub(crate) mod failover;
pub(crate) mod faults;
pub(crate) mod ike;
pub(crate) mod keepalive;
pub(crate) mod on_demand;
