//! Pools of concentrators, and how tunnels are placed among them.

use crate::model::ids::ConcentratorId;
use crate::units::Duration;

/// Concentrators among which tunnels are placed.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// Its concentrators, in order of preference.
    pub concentrators: Vec<ConcentratorId>,
    /// How a tunnel is placed.
    pub balancer: Balancer,
    /// When tunnels come back to a concentrator that was down.
    pub fail_back: FailBack,
}

/// When tunnels come back to a concentrator that was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailBack {
    /// When it has been up for so long.
    After(Duration),
    /// Never by themselves.
    ByHand,
}

/// How a pool chooses a concentrator for a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Balancer {
    /// The first in the list that is open.
    HubList,
    /// One after the other.
    RoundRobin,
    /// By chance.
    Random,
    /// By the site's name.
    Hash,
    /// The one with the fewest tunnels.
    LeastTunnels,
    /// The one that will be least utilised, by patients.
    LeastLoad,
    /// One after the other, in proportion to throughput.
    Weighted,
    /// For each transaction the one with the least work per throughput: the ideal bound.
    JoinShortest,
}
