//! Classes: traffic with one purpose and one treatment.

use crate::model::demand::Demand;
use crate::model::rules::Rules;
use crate::random::Distribution;
use crate::units::{Duration, Share, TimeOfDay};

/// Traffic with one purpose and one treatment.
#[derive(Clone, Debug)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Who asks, and when.
    pub demand: Demand,
    /// Bytes of each request.
    pub request: Distribution,
    /// Bytes of each response.
    pub response: Distribution,
    /// Requests and responses that one action takes, one after the other.
    pub turns: u8,
    /// Whether each action opens a connection.
    pub connects: bool,
    /// Time that the server takes for each turn.
    pub server: Duration,
    /// How long a person waits before trying again or giving up.
    pub patience: Option<Duration>,
    /// How often it is tried again.
    pub retries: u8,
    /// A response within this time is what people call quick.
    pub quick: Duration,
    /// Whether people wait for it: their time counts as lost.
    pub waited_for: bool,
    /// What people do who give up.
    pub fallback: Option<Fallback>,
    /// Share that is turned away while its site is cut off.
    pub declined: Share,
    /// Growth in a year.
    pub growth: f64,
    /// What is ordered for it.
    pub rules: Rules,
}

impl Class {
    /// A class of transactions that need one turn each, and of people who wait for ever.
    #[must_use]
    pub fn new(name: String, demand: Demand, request: Distribution, response: Distribution) -> Self {
        Self {
            waited_for: demand.is_waited_for(),
            name,
            demand,
            request,
            response,
            turns: 1,
            connects: true,
            server: Duration(0),
            patience: None,
            retries: 0,
            quick: Duration(2_000_000_000),
            fallback: None,
            declined: Share(0.0),
            growth: 0.0,
            rules: Rules::default(),
        }
    }
}

/// What people do who give up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fallback {
    /// Share that carry on by hand and enter it later.
    pub paper: Share,
    /// Share that cancel.
    pub cancel: Share,
    /// Actions that it takes to enter one later.
    pub effort: f64,
    /// Share of actions that enter what is on paper, while there is any.
    pub catch_up: Share,
    /// Until then people stay to enter what is left.
    pub stay_until: TimeOfDay,
}
