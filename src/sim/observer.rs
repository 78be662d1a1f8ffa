//! Facts that the engine states while it runs, and who may listen.
//!
//! The engine adds nothing up: what is asked, served, deferred and given up is told as it happens, and once a
//! bin a [`Look`] at what is inside. Sums, quantiles and files are the observers' business.

use crate::scenario::model::{ClassId, SiteId, UnitId};
use crate::units::{Bytes, Span, Time};

/// Somebody who listens.
pub trait Observer {
    /// Something happened.
    fn on(&mut self, now: Time, fact: &Fact<'_>);

    /// Whether to stop early; asked once a bin.
    fn stop(&self) -> bool {
        false
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Fact<'a> {
    /// A transaction or job began (once, however often it is tried).
    Started {
        /// Of which class.
        class: ClassId,
        /// From which site.
        site: SiteId,
    },
    /// Bytes were asked for: a turn of a transaction began.
    Asked {
        /// Of which class.
        class: ClassId,
        /// Request and response together.
        bytes: Bytes,
    },
    /// Those bytes were served, or will never be.
    Settled {
        /// Of which class.
        class: ClassId,
        /// Request and response together.
        bytes: Bytes,
        /// Whether they were served.
        served: bool,
    },
    /// A job has to wait for a release or for the next day.
    Deferred {
        /// Of which class.
        class: ClassId,
        /// From which site.
        site: SiteId,
    },
    /// A transaction or job is over.
    Ended(Record),
    /// A stream asked for admission.
    Call {
        /// Of which class.
        class: ClassId,
        /// From which site.
        site: SiteId,
        /// Whether it was let in.
        admitted: bool,
    },
    /// A packet of a stream reached its site, or was lost; only told at packet fidelity.
    Voice {
        /// Of which class.
        class: ClassId,
        /// To which site.
        site: SiteId,
        /// How long it took, and how much that differs from the packet before; none if it was lost.
        delay: Option<(Span, Span)>,
    },
    /// A site's tunnel ends at this concentrator from now on.
    Placed {
        /// Which site.
        site: SiteId,
        /// Which concentrator.
        unit: UnitId,
    },
    /// What is inside.
    Look(&'a Look),
}

/// One transaction from beginning to end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// Of which class.
    pub class: ClassId,
    /// From which site.
    pub site: SiteId,
    /// Through which concentrator.
    pub unit: UnitId,
    /// When it was asked for (a deferred job: when it was due).
    pub started: Time,
    /// From there to the last byte at the site, or to giving up.
    pub latency: Span,
    /// What the same would have taken through an idle network.
    pub unloaded: Span,
    /// Bytes asked.
    pub request: Bytes,
    /// Bytes answered.
    pub response: Bytes,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Served through the headend.
    Done,
    /// Served on site or round the headend.
    Local,
    /// The person gave up.
    GivenUp,
    /// It was switched off.
    Off,
    /// Still under way when the run ended.
    Inside,
}

impl Outcome {
    /// As written in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Local => "local",
            Self::GivenUp => "given-up",
            Self::Off => "switched-off",
            Self::Inside => "inside",
        }
    }
}

/// What is inside, and what went through since the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// Concentrators in order.
    pub units: Vec<UnitLook>,
    /// Classes in order.
    pub classes: Vec<ClassLook>,
}

/// A concentrator at an instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnitLook {
    /// Work done since the start, by class [bit].
    pub carried: Vec<f64>,
    /// Work admitted and not yet done, by class [bit].
    pub inside: Vec<f64>,
    /// Work admitted since the start, by class [bit].
    pub admitted: Vec<f64>,
    /// Work taken out undone since the start, by class [bit].
    pub withdrawn: Vec<f64>,
    /// Work that it could have done since the start [bit].
    pub capacity: f64,
    /// Waiting time in the standing queue, by class [s].
    pub queue: Vec<f64>,
    /// Streams in progress.
    pub calls: u32,
    /// Sites whose tunnel ends here.
    pub tunnels: u32,
}

/// A class at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassLook {
    /// Transactions and jobs under way.
    pub active: u64,
    /// Bytes asked for by them and not settled.
    pub active_bytes: u64,
    /// Jobs that wait for a release or for the next day.
    pub waiting: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
}
