//! `[transport]`: TCP's terms.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{Count, Field, Name};
use crate::units::{Bytes, Duration};

/// What a transfer costs beside its share of the bandwidth.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransportFile {
    /// `tcp` (default): round trips, slow start and queues. `ideal`: nothing, as in textbooks.
    pub model: Option<TransportKind>,
    /// Payload of a full segment (default 1360 B, which leaves room for the tunnel).
    pub segment: Field<Bytes>,
    /// IP and TCP headers of a segment (default 40 B).
    pub headers: Field<Bytes>,
    /// Segments of the first window (default 10, RFC 6928).
    pub window: Field<Count>,
    /// Segments in flight at most: the receiver's window (default 3000).
    pub most: Field<Count>,
    /// How the window grows and shrinks (default `cubic`).
    pub congestion: Option<CongestionFile>,
    /// What each direction of an access link holds, as time at its rate (default 100 ms).
    pub access_buffer: Field<Duration>,
    /// Ingredients to leave out, for study.
    pub without: Vec<Field<Name>>,
}

/// How a TCP sender's window grows and shrinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CongestionFile {
    /// CUBIC (RFC 9438).
    Cubic,
    /// NewReno (RFC 6582).
    NewReno,
}

/// How transfers are carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    /// Round trips, slow start and queues.
    Tcp,
    /// Only the sharing discipline.
    Ideal,
}
