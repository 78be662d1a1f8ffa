//! Which sites a change or a pool means.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{Field, Name};
use crate::units::Share;

/// Some of the sites.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Selector {
    /// Every site.
    All,
    /// This share of the sites, the largest first or as the estate lists them.
    Share(Field<Share>),
    /// These sites.
    List(Vec<Field<Name>>),
}
