//! `[source]`: where numbers come from, and how far they can be trusted.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{Field, TextLine};

/// Where a number comes from, and how far it can be trusted.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Origin {
    /// How far it can be trusted.
    pub standing: Option<StandingFile>,
    /// Publication, measurement, or the reason for an assumption.
    pub from: Field<TextLine>,
    /// What else it could be: "10 to 40 ms".
    pub range: Field<TextLine>,
    /// How likely each part of that range is (default: "triangular", likeliest where it was written).
    pub likelihood: Option<LikelihoodFile>,
}

/// How likely each part of a range is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LikelihoodFile {
    /// Likeliest where it was written, down to nothing at the ends.
    Triangular,
    /// All values alike.
    Uniform,
    /// All ratios alike.
    LogUniform,
    /// Normal, as a fit finds it: the range holds nine of ten.
    Normal,
}

/// How far a number can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StandingFile {
    /// Published by those responsible.
    Official,
    /// Measured.
    Measured,
    /// Fitted to something published or measured.
    Fitted,
    /// Assumed.
    Assumed,
}
