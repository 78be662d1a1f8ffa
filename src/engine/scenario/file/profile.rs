//! `[[profile]]`: the shape of a day.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{At, Field, Name};
use crate::units::{Duration, Share, TimeOfDay};

/// The shape of a day: shares of the day's arrivals by band, or a level through the day.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Profile {
    /// Its name.
    pub name: Field<Name>,
    /// Bands as published; together they hold all of the day's arrivals.
    #[schemars(with = "Vec<Band>")]
    pub bands: Vec<At<Band>>,
    /// Points of a level that rises and falls linearly between them.
    #[schemars(with = "Vec<Point>")]
    pub levels: Vec<At<Point>>,
}

/// A band of the day and its share of the arrivals, spread evenly unless `early` says otherwise.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Band {
    /// Start of the band.
    pub from: Field<TimeOfDay>,
    /// End of the band.
    pub until: Field<TimeOfDay>,
    /// Share of the day's arrivals.
    pub share: Field<Share>,
    /// The part of the band that is busier than the rest.
    pub early: Option<Early>,
}

/// The first part of a band takes more than its even share.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Early {
    /// Length of the first part.
    pub within: Field<Duration>,
    /// Its share of the band's arrivals.
    pub share: Field<Share>,
}

/// A level at a time of day.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Point {
    /// Time of day.
    pub at: Field<TimeOfDay>,
    /// The level then.
    pub level: Field<Share>,
}
