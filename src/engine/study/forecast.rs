//! The forecast: a mean-field fluid of a set-up's day, deterministic, within milliseconds.
//!
//! Many people and many transfers, each a small part of the whole: what each of them does is random, what they do together is not.
//! So classes are rates, transfers under way are numbers of them by size, and each concentrator is a set of lanes that share its
//! throughput (Gromoll, Puha & Williams, Ann. Appl. Probab. 12, 2002: the fluid limit of processor sharing with general sizes).
//! People who wait act less often, and close the loop. What a transaction takes under the conditions of a step is priced by the same
//! law as at fluid fidelity ([`crate::sim`]), on conditions that stand still.
//!
//! What is left of chance is how often so many independent transfers fill a device that they do not fill on average: the probability
//! of delay of a queue of many servers (Halfin & Whitt, Oper. Res. 29, 1981).

pub mod actions;
pub mod calls;
pub mod concentrator;
pub mod day;
pub mod detail;
pub mod drawn;
pub mod gaps;
pub mod group;
pub mod in_progress;
pub mod lane;
pub mod latencies;
pub mod met;
pub mod outlook;
pub mod site_kinds;
pub mod starts;
pub mod traffic;
pub mod tunnels;
