//! Distributions, as they are written in any table.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{Field, Number};
use crate::units::Share;

/// A distribution of sizes or times.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
#[serde(bound(deserialize = "T: crate::units::Text"))]
#[schemars(bound = "T: crate::units::Text + JsonSchema")]
pub enum Law<T: crate::units::Text> {
    /// Always the same.
    Fixed(Field<T>),
    /// Exponential with this mean.
    Exponential(Field<T>),
    /// Lognormal: its mean or its median, and the standard deviation of its logarithm.
    Lognormal(LognormalFile<T>),
    /// Pareto between two bounds.
    Pareto(ParetoFile<T>),
    /// Points: value and cumulative share, rising to 100 %.
    Empirical(Vec<(Field<T>, Field<Share>)>),
}

/// A lognormal distribution.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[serde(bound(deserialize = "T: crate::units::Text"))]
#[schemars(bound = "T: crate::units::Text + JsonSchema")]
pub struct LognormalFile<T: crate::units::Text> {
    /// Its mean. Give this or the median.
    pub mean: Field<T>,
    /// Its median.
    pub median: Field<T>,
    /// Standard deviation of the logarithm.
    pub sigma: Field<Number>,
    /// Smaller draws are raised to this.
    pub min: Field<T>,
    /// Larger draws are lowered to this.
    pub max: Field<T>,
}

impl<T: crate::units::Text> Default for LognormalFile<T> {
    fn default() -> Self {
        Self {
            mean: Field::default(),
            median: Field::default(),
            sigma: Field::default(),
            min: Field::default(),
            max: Field::default(),
        }
    }
}

/// A bounded Pareto distribution.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[serde(bound(deserialize = "T: crate::units::Text"))]
#[schemars(bound = "T: crate::units::Text + JsonSchema")]
pub struct ParetoFile<T: crate::units::Text> {
    /// Tail exponent.
    pub shape: Field<Number>,
    /// Smallest value.
    pub from: Field<T>,
    /// Largest value.
    pub to: Field<T>,
}

impl<T: crate::units::Text> Default for ParetoFile<T> {
    fn default() -> Self {
        Self { shape: Field::default(), from: Field::default(), to: Field::default() }
    }
}
