//! The record of one run: bins, sums by site, a ledger.

use serde::{Deserialize, Serialize};

use crate::model::{ClassId, Model};
use crate::scenario::check::target::{Measure, Target};
use crate::sim::observer::Parts;
use crate::stats::Histogram;
use crate::study::paths::Paths;

/// The focus class, and the latency from which its transactions count as slow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FocusClass {
    /// The class.
    pub class: ClassId,
    /// A transaction that takes longer is slow [s].
    pub limit: f64,
}

impl FocusClass {
    /// That of the first target on latency, and its limit; else the first class.
    #[must_use]
    pub fn of(model: &Model, targets: &[Target]) -> Self {
        let of_target = targets.iter().find_map(|target| match target.measure {
            Measure::Mean(class) | Measure::Quantile(class, _) => Some(Self { class, limit: target.limit }),
            _ => None,
        });
        of_target.unwrap_or(Self { class: ClassId(0), limit: model.classes[0].quick.secs() })
    }
}

/// One class in one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassBin {
    /// Transactions, jobs and calls that started.
    pub started: f64,
    /// Of those that started in it: served, in it or later.
    pub done: f64,
    /// Given up or refused.
    pub failed: f64,
    /// Sum of the latencies of those that are counted [s], and their number: an unfinished transaction counts with the time that it
    /// has taken.
    pub latency: f64,
    /// See `latency`.
    pub counted: f64,
    /// Bytes requested (each attempt counts).
    pub offered: f64,
    /// Jobs that wait at the end of the bin.
    pub waiting: f64,
    /// Their bytes.
    pub waiting_bytes: f64,
    /// Transactions under way at the end of the bin.
    pub active: f64,
    /// Sums of the parts of the latencies.
    pub parts: Parts,
}

/// A concentrator in one bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConcentratorBin {
    /// Tunnels at its end.
    pub tunnels: f64,
    /// Half-open handshakes at its end.
    pub half_open: f64,
    /// Handshakes completed in it.
    pub handshakes: f64,
    /// Requests for a tunnel that were turned away in it.
    pub turned_away: f64,
    /// Whether it is down at its end (a share, over replications).
    pub down: f64,
    /// Sites that get all that one tunnel can carry at its end.
    pub at_ceiling: f64,
    /// Calls that were refused in it.
    pub refused_calls: f64,
}

impl ConcentratorBin {
    /// Adds another replication's bin, each field times `by`.
    pub fn add(&mut self, other: &Self, by: f64) {
        self.tunnels += other.tunnels * by;
        self.half_open += other.half_open * by;
        self.handshakes += other.handshakes * by;
        self.turned_away += other.turned_away * by;
        self.down += other.down * by;
        self.at_ceiling += other.at_ceiling * by;
        self.refused_calls += other.refused_calls * by;
    }
}

impl ClassBin {
    /// Adds another replication's bin.
    pub fn add(&mut self, other: &Self) {
        self.started += other.started;
        self.done += other.done;
        self.failed += other.failed;
        self.latency += other.latency;
        self.counted += other.counted;
        self.offered += other.offered;
        self.waiting += other.waiting;
        self.waiting_bytes += other.waiting_bytes;
        self.active += other.active;
        self.parts += other.parts;
    }

    /// Divides all sums by the number of replications.
    pub fn scale(&mut self, by: f64) {
        for field in [
            &mut self.started,
            &mut self.done,
            &mut self.failed,
            &mut self.latency,
            &mut self.counted,
            &mut self.offered,
            &mut self.waiting,
            &mut self.waiting_bytes,
            &mut self.active,
        ] {
            *field *= by;
        }
        self.parts = self.parts.scaled(by);
    }
}

/// A site over the whole run, for the watched class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SiteSum {
    /// Transactions.
    pub count: u64,
    /// Those that were slow or given up.
    pub slow: u64,
    /// Sum of latencies [s].
    pub latency: f64,
    /// Staff time lost against an idle network, all classes [s].
    pub lost: f64,
}

/// The speech of a class over the whole run: sums over the time of talk, each figure times seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TalkSum {
    /// Time of talk that was judged [s].
    pub seconds: f64,
    /// Time of poor talk [s].
    pub poor: f64,
    /// Mean opinion scores.
    pub score: f64,
    /// Delays on the way to the site [s].
    pub delay: f64,
    /// Jitter there [s].
    pub jitter: f64,
    /// Shares of packets that were lost, or came too late, there.
    pub lost: f64,
}

/// The ledger: what became of all transactions and jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Began.
    pub started: u64,
    /// Served through the headend.
    pub done: u64,
    /// Served on site or by local break-out.
    pub local: u64,
    /// Given up.
    pub given_up: u64,
    /// Switched off.
    pub off: u64,
    /// Declined at the desk while the site was cut off.
    pub declined: u64,
    /// Done on paper without an attempt, while the site was cut off.
    pub by_hand: u64,
    /// Still under way or waiting at the end.
    pub inside: u64,
    /// Calls that asked for admission.
    pub calls: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// Calls that broke off.
    pub dropped: u64,
    /// Given up and cancelled.
    pub cancelled: u64,
    /// Actions that entered work on paper.
    pub entered: u64,
    /// Bytes served.
    pub served_bytes: u64,
}

impl Ledger {
    /// Adds another run's ledger.
    pub fn add(&mut self, other: &Self) {
        self.started += other.started;
        self.done += other.done;
        self.local += other.local;
        self.given_up += other.given_up;
        self.off += other.off;
        self.declined += other.declined;
        self.by_hand += other.by_hand;
        self.dropped += other.dropped;
        self.cancelled += other.cancelled;
        self.entered += other.entered;
        self.inside += other.inside;
        self.calls += other.calls;
        self.refused += other.refused;
        self.served_bytes += other.served_bytes;
    }

    /// Whether every transaction that began is accounted for.
    #[must_use]
    pub fn balances(&self) -> bool {
        let ended = self.done + self.local + self.given_up + self.off + self.declined + self.by_hand;
        self.started == ended + self.inside
    }
}

/// The record of one run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Work done by concentrator, bin and class [bit].
    pub carried: Vec<Vec<Vec<f64>>>,
    /// Capacity by concentrator and bin [bit].
    pub capacity: Vec<Vec<f64>>,
    /// Queueing delay of the watched class by concentrator and bin, at its end [s].
    pub queue: Vec<Vec<f64>>,
    /// By class and bin.
    pub classes: Vec<Vec<ClassBin>>,
    /// Latencies by class and window [us].
    pub latencies: Vec<Vec<Histogram>>,
    /// Transactions of the watched class by window and site: all, and slow ones.
    pub by_window: Vec<Vec<(u32, u32)>>,
    /// By class.
    pub talk: Vec<TalkSum>,
    /// By site.
    pub sites: Vec<SiteSum>,
    /// Tunnels by concentrator at the end.
    pub tunnels: Vec<u32>,
    /// Each target's measure; none if nothing happened that it measures.
    pub targets: Vec<Option<f64>>,
    /// The upper bound of each, over all that could become of unfinished work: infinite where nothing limits it.
    pub at_most: Vec<Option<f64>>,
    /// Latencies of the watched class, all day [us].
    pub watched: Histogram,
    /// Staff time lost against an idle network, by class [s].
    pub lost: Vec<f64>,
    /// Where everything went.
    pub ledger: Ledger,
    /// Bytes served by class.
    pub served: Vec<u64>,
    /// By concentrator and bin: tunnels, handshakes and other limits.
    pub concentrators: Vec<Vec<ConcentratorBin>>,
    /// Sites that are cut off at the end of each bin.
    pub cut_off: Vec<f64>,
    /// Actions on paper that are to be entered, at the end of each bin.
    pub on_paper: Vec<f64>,
    /// Availability of the sites' tunnels.
    pub paths: Paths,
}

impl RunRecord {
    /// As bytes, to be taken by the same build elsewhere.
    ///
    /// # Errors
    /// None that is known.
    pub fn packed(&self) -> Result<Vec<u8>, postcard::Error> {
        postcard::to_allocvec(self)
    }

    /// From its bytes.
    ///
    /// # Errors
    /// If they are none of this build.
    pub fn unpacked(bytes: &[u8]) -> Result<Self, postcard::Error> {
        postcard::from_bytes(bytes)
    }
}
