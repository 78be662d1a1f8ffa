//! Faults: what befalls concentrators, sites and servers, and when.

use std::sync::Arc;

use crate::model::ids::{ClassId, ConcentratorId, SiteId};
use crate::random::Distribution;
use crate::units::{BitRate, Share, Time};

/// A fault, in force from `from` until `until`.
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
        /// Time to failure [s].
        between: Distribution,
        /// Time from failure to detection [s].
        stall: Distribution,
        /// Time from detection to repair [s].
        reboot: Distribution,
    },
    /// Access links of these sites are cut.
    Cut(Arc<[SiteId]>),
    /// Servers of these classes cannot be reached.
    ServersLost(Arc<[ClassId]>),
    /// A site floods the network with packets of a class [bit/s of work].
    Flood(SiteId, ClassId, BitRate),
    /// Arrivals of a class are this many times as frequent.
    Surge(ClassId, f64),
}
