//! `[estate]`: the sites, and a replay of their transactions.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use crate::scenario::field::{At, Count, Field, Name, Number, TextLine};
use crate::scenario::file::law::Law;
use crate::units::{BitRate, Duration, Share};

/// The sites: drawn from a distribution, read from a CSV file, or listed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Estate {
    /// Sites drawn from a fitted distribution, by its quantiles: the same on each run.
    #[schemars(with = "Option<Drawn>")]
    pub drawn: Option<At<Drawn>>,
    /// Sites read from a CSV file, such as the NHS England list sizes as published.
    #[schemars(with = "Option<CsvEstate>")]
    pub csv: Option<At<CsvEstate>>,
    /// Sites one by one.
    #[schemars(with = "Vec<SiteFile>")]
    pub site: Vec<At<SiteFile>>,
    /// Kinds of access link, each with its share of the sites.
    #[schemars(with = "Vec<Link>")]
    pub link: Vec<At<Link>>,
    /// Round trip from a site to the servers behind the headend, on an idle network (default 20 ms for all).
    #[schemars(with = "Option<Law<Duration>>")]
    pub rtt: Option<At<Law<Duration>>>,
    /// Who is counted at a site, such as "people" (default "patients").
    pub counted: Field<TextLine>,
}

/// Sites whose patients follow a lognormal distribution.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Drawn {
    /// Number of sites.
    pub sites: Field<Count>,
    /// Registered patients of all sites together.
    pub patients: Field<Count>,
    /// Mean of the logarithm of a site's patients.
    pub mu: Field<Number>,
    /// Standard deviation of the logarithm of a site's patients.
    pub sigma: Field<Number>,
}

/// Sites from a CSV file with a header line.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CsvEstate {
    /// The file; a relative path starts at the scenario.
    pub file: Field<TextLine>,
    /// Column with the site's code (default: `CODE`, as NHS England publishes it, else a usual name such as `site`).
    pub code: Field<TextLine>,
    /// Column with who is counted at it (default: `NUMBER_OF_PATIENTS`, else a usual name such as `staff`).
    pub patients: Field<TextLine>,
    /// Column with the rate towards the site in Mbit/s (default: a usual name such as `down_mbps`, where there is no `link`).
    pub down_mbps: Field<TextLine>,
    /// Column with the rate from the site in Mbit/s (default: a usual name such as `up_mbps`, where there is no `link`).
    pub up_mbps: Field<TextLine>,
    /// Column with the round trip in ms; without it, round trips are drawn from `rtt`.
    pub rtt_ms: Field<TextLine>,
    /// Keeps only rows with these values, such as `{ SUB_ICB_LOCATION_CODE = "91Q" }`.
    #[schemars(with = "BTreeMap<String, String>")]
    pub only: BTreeMap<Spanned<String>, Field<TextLine>>,
}

/// One site.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SiteFile {
    /// Its code.
    pub name: Field<Name>,
    /// Registered patients.
    pub patients: Field<Count>,
    /// Rate towards the site; without it, from `link`.
    pub down: Field<BitRate>,
    /// Rate from the site (default: as `down`).
    pub up: Field<BitRate>,
    /// Round trip; without it, from `rtt`.
    pub rtt: Field<Duration>,
}

/// A kind of access link.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Link {
    /// Share of the sites that have it.
    pub share: Field<Share>,
    /// Rate towards the site.
    pub down: Field<BitRate>,
    /// Rate from the site.
    pub up: Field<BitRate>,
}

/// Transactions to play back.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplayFile {
    /// CSV with the columns `start_s`, `site`, `class`, `request_bytes`, `response_bytes`.
    pub file: Field<TextLine>,
}
