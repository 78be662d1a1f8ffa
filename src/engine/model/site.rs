//! Sites: access link, round trip, patients.

use crate::units::{BitRate, Duration};

/// A site of the estate.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its code.
    pub name: String,
    /// Registered patients.
    pub patients: u32,
    /// Rate towards the site.
    pub down: BitRate,
    /// Rate from the site.
    pub up: BitRate,
    /// Round trip to the servers behind the headend, without any queue.
    pub rtt: Duration,
}
