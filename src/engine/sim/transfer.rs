//! What passes between transactions and the network: transfers that start or are stopped, deliveries.

use crate::sim::observer::{Parts, Talk};
use crate::sim::pricing::PricedTurn;
use crate::sim::route::Route;
use crate::sim::transaction::latency::LatencyParts;
use crate::sim::turn::TransactionId;

/// A transfer that starts, or goes on.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// Of which transaction.
    pub id: TransactionId,
    /// Names the attempt: what was scheduled for another is void.
    pub epoch: u32,
    /// Which way it goes.
    pub route: Route,
    /// Its turns, with their prices.
    pub turns: &'a [PricedTurn],
    /// Work of all turns [bit].
    pub work: f64,
    /// Work that was left of it when it was stopped [bit].
    pub left: Option<f64>,
    /// What it would take through an idle network.
    pub unloaded: Parts,
    /// Where its time went so far.
    pub latency: LatencyParts,
}

/// A transfer that was stopped.
#[derive(Clone, Copy, Debug)]
pub struct Stopped {
    /// Work that is left of it [bit]; none while it was not served.
    pub left: Option<f64>,
    /// Work that is left of the turn that it was in, counted in windows [bit]; none where packets are simulated.
    pub rounds_left: Option<f64>,
    /// Where its time went so far.
    pub latency: LatencyParts,
}

/// How a call fared, from the site and to it, and for how many calls that stands.
pub type CallTalk = ([Talk; 2], f64);

/// What the network tells.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delivery {
    /// The last byte of a transfer is at its site.
    Transfer {
        /// Of which transaction.
        id: TransactionId,
        /// Of which attempt.
        epoch: u32,
        /// How long after now that is.
        after: Parts,
    },
}
