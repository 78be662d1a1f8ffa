//! `[run]`: what is simulated, and how often.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{Count, Date, Field, Flag, Number, TextLine, Weekday};
use crate::units::{Duration, Share, TimeOfDay};

/// What is simulated, and how often.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Run {
    /// Date of the first day. Give this or `weekday`.
    pub date: Field<Date>,
    /// Weekday of the first day.
    pub weekday: Field<Weekday>,
    /// Years for which classes have grown, each by its `growth`, before the first day (default 0).
    pub years: Field<Number>,
    /// Number of days, one after the other (default 1).
    pub days: Field<Count>,
    /// Time of day from which results are recorded.
    pub from: Field<TimeOfDay>,
    /// Time of day until which results are recorded.
    pub until: Field<TimeOfDay>,
    /// Names all random numbers (default 1).
    pub seed: Field<Count>,
    /// Replications at least (default 5).
    pub replications: Field<Count>,
    /// Replications at most (default 10 times the least).
    pub max_replications: Field<Count>,
    /// Replications go on until each target's 95 % interval is at most this far to either side, as a share of
    /// its value or limit, whichever is larger (default 10 %).
    pub precision: Field<Share>,
    /// Replications come in pairs, of which the second mirrors the random numbers of the first: what was large is small.
    /// A pair then counts as one observation that varies less (default false).
    pub antithetic: Field<Flag>,
    /// Length of a bin of the timeline (default 1 min).
    pub bin: Field<Duration>,
    /// How closely the network is looked at (default `flow`).
    pub fidelity: Option<FidelityFile>,
    /// Packets of one sender that move as one, at fidelity `packet` (default 1: packet by packet).
    pub grain: Field<Count>,
    /// Sign of the currency in which costs are written, such as "£" (default: none).
    pub currency: Field<TextLine>,
}

/// How closely the network is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FidelityFile {
    /// A transfer is a flow that shares; the everyday engine.
    Flow,
    /// Packets of a sample: near the reference, at a fraction of its cost.
    Sampled,
    /// Packets, windows, losses: the reference.
    Packet,
}
