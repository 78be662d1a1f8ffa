//! The network at packet fidelity: TCP as hosts run it, the queue as the concentrator runs it.
//!
//! Servers stand next to the concentrator, sites half a round trip away behind their access links. Every packet
//! crosses the concentrator (towards the headend only where both directions count) and an access link. A *train*
//! is several packets of one sender that move as one; with a grain of 1 every packet moves by itself. At sampled fidelity only
//! some are simulated: none of transfers that meet nobody, and one connection's for several transfers where many contend.

pub(crate) mod access_link;
pub(crate) mod buffer;
pub(crate) mod bursts;
pub(crate) mod calm;
pub(crate) mod calm_site;
pub(crate) mod cohort;
pub(crate) mod concentrator;
pub(crate) mod constant_load;
pub(crate) mod contention;
pub(crate) mod exchange;
pub(crate) mod network;
pub(crate) mod offered_load;
pub(crate) mod packet_pool;
pub(crate) mod playout;
pub(crate) mod scheduler;
pub(crate) mod service_line;
pub(crate) mod shaper;
pub(crate) mod streams;
pub(crate) mod tcp;
pub(crate) mod trains;
pub(crate) mod transfers;
pub(crate) mod way;
pub(crate) mod wire;
