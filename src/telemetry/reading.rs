//! What a reader finds in a file, before the rules of tidiness: intervals and counters, with where each stands.

use std::sync::Arc;

use crate::telemetry::clock::Clock;
use crate::telemetry::series::{Amount, Toward};

/// One thing that a file says.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Where: a device, an interface, a tunnel.
    pub place: Arc<str>,
    /// The class, or `all`.
    pub class: Arc<str>,
    /// The way.
    pub toward: Toward,
    /// The line of the file, or the number of the value in it, from 1.
    pub line: u32,
    /// What it says.
    pub kind: ReadingKind,
}

/// What a reading says.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadingKind {
    /// What passed in an interval.
    Passed {
        /// Its beginning [s since 1970, UTC].
        begins: f64,
        /// Its length [s].
        seconds: f64,
        /// How much; nothing where there is a gap.
        amount: Amount,
        /// Share of it that was measured.
        coverage: f64,
    },
    /// A counter that grows from reading to reading.
    Counted {
        /// When it was read [s since 1970, UTC].
        at: f64,
        /// What it stood at.
        amount: Amount,
        /// Names what it counts since: another one has begun anew. Nothing where only the time tells.
        life: Arc<str>,
        /// When it began, where that is known [s since 1970, UTC].
        since: Option<f64>,
        /// Whether it may have 32 bits.
        is_short: bool,
    },
}

/// What a reader found, and how it knows.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// What the file was taken for.
    pub format: &'static str,
    /// How unit, time, direction and place are known, a sentence each.
    pub known: Vec<String>,
    /// What a person should look at.
    pub warnings: Vec<String>,
    /// What it says.
    pub readings: Vec<Reading>,
}

/// On which side a device counts: what is `in` at the headend comes from the sites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// At the headend.
    Hub,
    /// At a site.
    Site,
}

impl Side {
    /// The way of what the device receives.
    #[must_use]
    pub fn received(self) -> Toward {
        match self {
            Self::Hub => Toward::Up,
            Self::Site => Toward::Down,
        }
    }

    /// The way of what it sends.
    #[must_use]
    pub fn sent(self) -> Toward {
        match self {
            Self::Hub => Toward::Down,
            Self::Site => Toward::Up,
        }
    }

    /// How that is known, in a sentence.
    #[must_use]
    pub fn said(self) -> String {
        match self {
            Self::Hub => "in is up and out is down, as at the headend (`--at site` says otherwise)".to_owned(),
            Self::Site => "in is down and out is up, as at a site (`--at hub` says otherwise)".to_owned(),
        }
    }
}

/// What a reader is told beside the text.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The name of the file without its ending: the place where nothing else says one.
    pub stem: &'a str,
    /// The zone of times that carry none.
    pub clock: &'a Clock,
    /// Where the device stands.
    pub side: Side,
    /// When a picture of the present was taken [s since 1970, UTC].
    pub taken: Option<f64>,
    /// Length of the intervals into which flows are put [s].
    pub bin: f64,
    /// Unit of values whose file does not say it.
    pub unit: Option<crate::telemetry::number::Unit>,
    /// The sign between whole and part of numbers, where the user says it.
    pub decimal: Option<crate::telemetry::number::DecimalSign>,
    /// What columns of a table are, where the user says it: (what, name).
    pub columns: &'a [(ColumnRole, String)],
}

/// What a column of a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnRole {
    /// When an interval begins.
    Time,
    /// Where.
    Place,
    /// The class.
    Class,
    /// What passed, that way.
    Passed(Toward),
    /// Packets.
    Packets,
}

impl ColumnRole {
    /// The role of a name on the command line.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "time" => Some(Self::Time),
            "where" => Some(Self::Place),
            "class" => Some(Self::Class),
            "packets" => Some(Self::Packets),
            way => Toward::named(way).map(Self::Passed),
        }
    }
}

/// The class of all traffic.
#[must_use]
pub fn all() -> Arc<str> {
    Arc::from("all")
}
