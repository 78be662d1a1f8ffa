//! Faults: what befalls concentrators, sites and servers, and when.

use std::sync::Arc;

use crate::model::ids::{ClassId, ConcentratorId, SiteId};
use crate::random::Distribution;
use crate::units::{BitRate, Share, Time};

/// A misfortune, as meant; it holds from `from` until `until`.
#[derive(Clone, Debug)]
pub struct Fault {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Names its random numbers: those of a fault of the same name are the same.
    pub stream: u64,
    /// First instant.
    pub from: Time,
    /// The instant at which it is over; beyond the run if it is never over.
    pub until: Time,
    /// What happens.
    pub what: FaultKind,
}

/// What happens in a fault.
#[derive(Clone, Debug)]
pub enum FaultKind {
    /// A concentrator is down.
    Outage(ConcentratorId),
    /// A concentrator has this share of its throughput.
    BrownOut(ConcentratorId, Share),
    /// Firewalls of these sites stall from time to time.
    Flaps {
        /// Which sites.
        sites: Arc<[SiteId]>,
        /// From well to stalled [s].
        between: Distribution,
        /// From stalled to noticed [s].
        stall: Distribution,
        /// From noticed to well [s].
        reboot: Distribution,
    },
    /// Access links of these sites are cut.
    Cut(Arc<[SiteId]>),
    /// Servers of these classes cannot be reached.
    ServersLost(Arc<[ClassId]>),
    /// A site sends so much of a class [bit/s of work].
    Flood(SiteId, ClassId, BitRate),
    /// A class is asked for this many times as often.
    Surge(ClassId, f64),
}
