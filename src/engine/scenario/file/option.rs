//! `[[option]]` and `[[target]]`: set-ups beside the base, and what must hold.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::scenario::field::{At, Date, Field, Name, Number, TextLine};
use crate::scenario::file::change::Change;
use crate::scenario::file::fault::FaultFile;
use crate::units::{Share, TimeOfDay};

/// Something that could be done.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OptionFile {
    /// Its name on the command line and in files.
    pub name: Field<Name>,
    /// Its name in charts and tables (default: the name).
    pub title: Field<TextLine>,
    /// What it costs, in any unit of money, beside what concentrators cost by their throughput.
    pub cost: Field<Number>,
    /// Options whose changes it has as well, made before its own.
    pub include: Vec<Field<Name>>,
    /// Its changes.
    #[schemars(with = "Vec<Change>")]
    pub change: Vec<At<Change>>,
    /// What it takes back of the headend as it is: misfortunes by their names, and changes by their kind, such as "curfew", or by kind
    /// and class or concentrator, such as "curfew.updates".
    pub without: Vec<Field<Name>>,
    /// Misfortunes that befall it.
    #[schemars(with = "Vec<FaultFile>")]
    pub fault: Vec<At<FaultFile>>,
}

/// Something that must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TargetFile {
    /// What is measured.
    pub measure: Option<MeasureFile>,
    /// The class; not for `utilisation` and what is measured of sites.
    pub class: Field<Name>,
    /// The limit: a time for latencies and `cut_off`, a size for `waiting`, a number for `outages`, a share for the
    /// others.
    pub at_most: Field<TextLine>,
    /// Of which sites it must hold (default: of all transactions together); for latencies, `slow`, `given_up` and `refused`.
    #[schemars(with = "Option<TargetSitesFile>")]
    pub sites: Option<At<TargetSitesFile>>,
    /// Counts what starts from this time of day.
    pub from: Field<TimeOfDay>,
    /// Counts what starts until this time of day.
    pub until: Field<TimeOfDay>,
    /// Counts what starts on this date (default: every day).
    pub on: Field<Date>,
}

/// Of which sites a target must hold. Site by site, only those count that have at least 20 transactions or calls in its hours.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum TargetSitesFile {
    /// Of the worst site of each day, and so of every one.
    Worst,
    /// Of at least this share of the sites, each by itself.
    Share(Field<Share>),
    /// Of these sites' transactions together.
    Only(Vec<Field<Name>>),
}

/// What a target measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeasureFile {
    /// Mean latency.
    Mean,
    /// Median latency.
    #[serde(alias = "median")]
    P50,
    /// 90th percentile of latency.
    P90,
    /// 95th percentile of latency.
    P95,
    /// 99th percentile of latency.
    P99,
    /// Share of transactions that took longer than the class's `quick`, or were given up.
    Slow,
    /// Share of transactions that were given up.
    GivenUp,
    /// Utilisation of the busiest concentrator.
    Utilisation,
    /// Bytes of deferred jobs that wait at `until`.
    Waiting,
    /// Share of calls that were refused.
    Refused,
    /// Share of the time of calls in which speech is poor: rated below 70 by the E-model (ITU-T G.107), a mean opinion score of 3.6.
    PoorCalls,
    /// Outages of a site in a month, on average.
    Outages,
    /// Share of staff time at sites that are cut off; of classes with `staff` or `users`.
    StaffTime,
    /// The longest time for which a site is cut off.
    CutOff,
    /// Share of sites that are cut off at once, at worst.
    SitesCutOff,
}
