//! `[[knob]]`: a number that a page lets people move.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{Field, TextLine};

/// A number that the page of `headend live` lets people move.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KnobFile {
    /// What it is called.
    pub name: Field<TextLine>,
    /// Which value of this file it is, such as "concentrator.hub.throughput".
    pub path: Field<TextLine>,
    /// From where to where it goes: "500 Mbit/s to 4 Gbit/s".
    pub range: Field<TextLine>,
    /// What a bare number is counted in: "actions".
    pub unit: Field<TextLine>,
    /// Other values that grow and shrink with it in proportion, such as the packet rate beside the throughput.
    pub along: Vec<Field<TextLine>>,
}
