//! `[tunnels]`: how tunnels are set up, kept and lost.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{At, Count, Field, Number};
use crate::scenario::file::law::Law;
use crate::units::{Bytes, Duration, Share};

/// How tunnels are set up by IKE, and how their loss is noticed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TunnelsFile {
    /// Time until a site notices that its tunnel is dead (dead-peer detection; default `{ fixed = "30 s" }`).
    #[schemars(with = "Option<Law<Duration>>")]
    pub detection: Option<At<Law<Duration>>>,
    /// Time until an unanswered IKE request is sent again (default 4 s).
    pub retransmit: Field<Duration>,
    /// By what that time grows each time (default 1.8).
    pub backoff: Field<Number>,
    /// How often it is sent again before the site starts over (default 5).
    pub tries: Field<Count>,
    /// Each of these times is shortened by a random part of up to this share (default 0 %).
    pub jitter: Field<Share>,
    /// Time after which a tunnel's keys are renewed by another handshake (default: never).
    pub rekey: Field<Duration>,
    /// Uplinks of each concentrator, for the count of tunnels that the design needs (default 1).
    pub hub_uplinks: Field<Count>,
    /// Uplinks of each site (default 1).
    pub site_uplinks: Field<Count>,
    /// Largest TCP segment that the ends of tunnels let through (MSS clamp; default: any, so `segment` of [transport] holds).
    pub mss: Field<Bytes>,
    /// A tunnel comes up with a site's first traffic of the day, and is taken down when it was idle for so long (default: tunnels are
    /// always up).
    pub idle_timeout: Field<Duration>,
    /// Time between a site's keepalives, whose answers wait behind the concentrator's handshakes: a site that waits longer than for
    /// an IKE request gives up a tunnel that works (default: answers never wait).
    pub keepalive: Field<Duration>,
}
