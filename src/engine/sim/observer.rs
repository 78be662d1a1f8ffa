//! Facts of a run, and the observers that hear them.
//!
//! The engine adds nothing up: it tells what is asked, served, deferred and given up as it happens, and takes a
//! [`Snapshot`] at the end of each bin. Sums, quantiles and files are the business of observers.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{ClassId, Codec, ConcentratorId, SiteId};
use crate::units::{Bytes, Duration, Time};
use serde::{Deserialize, Serialize};

/// Hears every fact of a run.
pub trait Observer {
    /// A fact, at the time at which it happens.
    fn on(&mut self, now: Time, fact: &Fact<'_>);

    /// Whether to stop early; asked every few hundred events.
    fn stop(&self) -> bool {
        false
    }
}

/// An observer that can be stopped from outside.
pub struct Until<'a, O> {
    /// The observer.
    pub observer: &'a mut O,
    /// Set to stop.
    pub stop: &'a AtomicBool,
}

impl<O: Observer> Observer for Until<'_, O> {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        self.observer.on(now, fact);
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.observer.stop()
    }
}

/// What happens in a run.
#[derive(Clone, Debug)]
pub enum Fact<'a> {
    /// A transaction or job begins; once, however many attempts it takes.
    Started {
        /// Of which class.
        class: ClassId,
        /// From which site.
        site: SiteId,
    },
    /// An attempt asks for the bytes of all turns.
    Asked {
        /// Of which class.
        class: ClassId,
        /// Request and response together.
        bytes: Bytes,
    },
    /// Those bytes are served, or never will be.
    BytesResolved {
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
    /// A call asks for admission.
    Call {
        /// Of which class.
        class: ClassId,
        /// From which site.
        site: SiteId,
        /// Whether it is admitted.
        admitted: bool,
    },
    /// How the speech of a call fared over the last seconds.
    Talk {
        /// Of which class.
        class: ClassId,
        /// From which site.
        site: SiteId,
        /// For how long, in all calls for which it stands [s].
        seconds: f64,
        /// What it sends.
        codec: Codec,
        /// From the site, and to it.
        ways: [Talk; 2],
    },
    /// A call is broken off because its site is cut off.
    Dropped {
        /// Of which class.
        class: ClassId,
        /// From which site.
        site: SiteId,
    },
    /// A person gives up, or does not try, and works on paper: so many actions have to be entered later.
    OnPaper {
        /// Of which class.
        class: ClassId,
        /// At which site.
        site: SiteId,
        /// Actions to be entered.
        actions: f64,
    },
    /// A person gives up and cancels the appointment or task.
    Cancelled {
        /// Of which class.
        class: ClassId,
        /// At which site.
        site: SiteId,
    },
    /// An action that begins enters what is on paper.
    Entered {
        /// Of which class.
        class: ClassId,
        /// At which site.
        site: SiteId,
    },
    /// A site can reach the headend from now on, or cannot.
    Reachability {
        /// Which site.
        site: SiteId,
        /// Whether it can.
        up: bool,
    },
    /// A site's tunnel ends at this concentrator from now on.
    TunnelAttached {
        /// Which site.
        site: SiteId,
        /// Which concentrator.
        concentrator: ConcentratorId,
    },
    /// The state at the end of a bin.
    Snapshot(&'a Snapshot),
}

/// How the packets of a call fared for a while, one way.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Talk {
    /// Packets of which it is known.
    pub packets: f64,
    /// Share of them that was lost on the way.
    pub lost: f64,
    /// Share that arrived too late to be played.
    pub late: f64,
    /// Mean time on the way of those that arrived [s].
    pub delay: f64,
    /// Mean difference between the delays of packets that follow each other [s].
    pub jitter: f64,
    /// Mean time from sending to playing [s].
    pub played_after: f64,
}

/// One transaction from beginning to end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// Of which class.
    pub class: ClassId,
    /// From which site.
    pub site: SiteId,
    /// Through which concentrator.
    pub concentrator: ConcentratorId,
    /// When it was asked for (a deferred job: when it was due).
    pub started: Time,
    /// From there to the last byte at the site, or to giving up.
    pub latency: Duration,
    /// What the same would have taken through an idle network.
    pub unloaded: Duration,
    /// Bytes asked.
    pub request: Bytes,
    /// Bytes answered.
    pub response: Bytes,
    /// How it ended.
    pub outcome: Outcome,
    /// Parts of its latency, which sum to it.
    pub parts: Parts,
}

/// Parts of a latency [s].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// Round trips of an idle network, and the servers' time.
    pub trips: f64,
    /// Waits in queues, and time lost to flows that share the link.
    pub queueing: f64,
    /// Transmission of its own bits at full rate.
    pub transfer: f64,
    /// Detection of losses, and retransmission.
    pub loss: f64,
    /// Waits for a tunnel, or for a release.
    pub held: f64,
}

impl Parts {
    /// Names of the parts, in the order of [`Parts::list`].
    pub const NAMES: [&'static str; 5] = ["round trips", "queueing", "transfer", "loss", "no tunnel"];

    /// All of them.
    #[must_use]
    pub fn list(&self) -> [f64; 5] {
        [self.trips, self.queueing, self.transfer, self.loss, self.held]
    }

    /// The whole.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.trips + self.queueing + self.transfer + self.loss + self.held
    }

    /// Each of them times `by`.
    #[must_use]
    pub fn scaled(&self, by: f64) -> Self {
        Self {
            trips: self.trips * by,
            queueing: self.queueing * by,
            transfer: self.transfer * by,
            loss: self.loss * by,
            held: self.held * by,
        }
    }
}

impl std::ops::AddAssign for Parts {
    fn add_assign(&mut self, other: Self) {
        self.trips += other.trips;
        self.queueing += other.queueing;
        self.transfer += other.transfer;
        self.loss += other.loss;
        self.held += other.held;
    }
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
    /// It was turned away at the desk while its site was cut off.
    Declined,
    /// The person did not try, while the site was cut off, and carried on by hand.
    OnPaper,
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
            Self::Declined => "declined",
            Self::OnPaper => "on-paper",
            Self::Inside => "inside",
        }
    }
}

/// What is inside at an instant, and what went through since the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Concentrators in order.
    pub concentrators: Vec<ConcentratorSnapshot>,
    /// Classes in order.
    pub classes: Vec<ClassSnapshot>,
    /// Sites that are cut off.
    pub cut_off: u32,
    /// Actions on paper that are still to be entered.
    pub on_paper: f64,
}

/// A concentrator at an instant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConcentratorSnapshot {
    /// Work done since the start, by class [bit].
    pub carried: Vec<f64>,
    /// Work admitted and not yet done, by class [bit].
    pub inside: Vec<f64>,
    /// Work admitted since the start, by class [bit].
    pub admitted: Vec<f64>,
    /// Work withdrawn since the start, by class [bit].
    pub withdrawn: Vec<f64>,
    /// Work that it could have done since the start [bit].
    pub capacity: f64,
    /// Waiting time in the standing queue, by class [s].
    pub queue: Vec<f64>,
    /// Calls in progress.
    pub calls: u32,
    /// Sites whose tunnel ends here.
    pub tunnels: u32,
    /// Whether it is down.
    pub down: bool,
    /// Handshakes that it holds half open.
    pub half_open: u32,
    /// Handshakes that it has completed since the start.
    pub handshakes: u64,
    /// Requests for one that it has turned away since the start.
    pub turned_away: u64,
    /// Sites that get all that one tunnel can carry, and could use more.
    pub at_ceiling: u32,
}

/// A class at an instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassSnapshot {
    /// Transactions and jobs under way.
    pub active: u64,
    /// Bytes that they asked for.
    pub active_bytes: u64,
    /// Jobs that wait for a release or for the next day.
    pub waiting: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
}
