//! The results of a study, as plain data.

use serde::Serialize;

use crate::scenario::check::source::Input;
use crate::stats::Interval;
use crate::study::calls::Calls;
use crate::study::fidelity::FidelityCheck;
use crate::study::figures::{Figure, MEASURES, OF_PATHS, TargetKind};
use crate::study::limits::Limit;
use crate::study::paths::Paths;
use crate::study::record::{ClassBin, ConcentratorBin, Ledger, SiteSum};
use crate::study::series::{ComparedEstimate, Series};
use crate::study::stopping::StopReason;
use crate::study::waits::Wait;

/// The results of a study.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// The question.
    pub question: String,
    /// Date or weekday of the first day.
    pub when: String,
    /// Days of a replication.
    pub days: u32,
    /// Number of sites, and of people there.
    pub estate: (usize, u64),
    /// What these are called: `patients`, `people`.
    pub counted: String,
    /// The fidelity: `flow`, or `packet`.
    pub fidelity: &'static str,
    /// The comparison of both fidelities, where there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<FidelityCheck>,
    /// Warnings: what is written and will not do what it seems to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Replications of each setup.
    pub replications: u32,
    /// Whether they are antithetic pairs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub antithetic: bool,
    /// Why there are no more of them.
    pub stopped: StopReason,
    /// The precision that was asked for, as a share.
    pub precision: f64,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Which classes are deferrable jobs.
    pub jobs: Vec<bool>,
    /// Which classes people wait for.
    pub waited_for: Vec<bool>,
    /// The sign of the currency in which costs are written, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// The focus class, and its limit [s].
    pub watched: (usize, f64),
    /// Targets in words.
    pub targets: Vec<String>,
    /// Their limits: seconds, bytes or shares.
    pub limits: Vec<f64>,
    /// What each target's figure is.
    pub kinds: Vec<TargetKind>,
    /// Hours of the targets: from and until [h].
    pub hours: Vec<(f64, f64)>,
    /// The base first, if it was run.
    pub setups: Vec<SetupResult>,
    /// Every number of the scenario and its origin.
    #[serde(skip)]
    pub inputs: Vec<Input>,
    /// Start of each bin since midnight of the first day [h], and its length [s].
    #[serde(skip)]
    pub bins: (Vec<f64>, f64),
    /// Start of each latency window since midnight of the first day [h].
    #[serde(skip)]
    pub windows: Vec<f64>,
}

impl Results {
    /// The measures that are shown: those of tunnels only where a site was ever cut off.
    #[must_use]
    pub fn measures(&self) -> &'static [Figure] {
        let cut_off = self.setups.iter().any(|found| found.paths.outages > 0.0);
        if cut_off { &MEASURES } else { &MEASURES[..OF_PATHS] }
    }
}

/// The result of the base or of an option.
#[derive(Clone, Debug, Serialize)]
pub struct SetupResult {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it changes, each change in a clause.
    pub what: Vec<String>,
    /// What it costs more than the base, if that is written.
    pub cost: Option<f64>,
    /// The first concentrator's order of service, as validation has it.
    pub service: &'static str,
    /// Why the error of the method was not measured in this regime, if it was not.
    pub unmeasured: Option<&'static str>,
    /// Concentrators: name, throughput [bit/s], tunnels at the end of the run.
    #[serde(rename = "units")]
    pub concentrators: Vec<(String, f64, u32)>,
    /// Remarks on the concentrators: disciplines without effect, counts of tunnels.
    pub remarks: Vec<String>,
    /// Classes that it switches off at times at which the base has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub switched_off: Vec<String>,
    /// What each target measured.
    pub targets: Vec<TargetResult>,
    /// Other figures, in the order of [`MEASURES`].
    pub measures: Vec<ComparedEstimate>,
    /// Latencies, of each class that has them.
    pub waits: Vec<Wait>,
    /// Calls offered and refused, of each class of them.
    pub calls: Vec<Calls>,
    /// Figures by replication: targets, measures, latencies of classes, calls, in this order.
    #[serde(skip)]
    pub series: Vec<Series>,
    /// The ledger, all replications together.
    pub ledger: Ledger,
    /// Bytes served by class, all replications together.
    pub served: Vec<u64>,
    /// By concentrator, bin and class: work done, as a mean over replications [bit].
    #[serde(skip)]
    pub carried: Vec<Vec<Vec<f64>>>,
    /// By concentrator and bin: work that could have been done [bit].
    #[serde(skip)]
    pub capacity: Vec<Vec<f64>>,
    /// By concentrator and bin: queueing delay of the watched class at the end of the bin [s].
    #[serde(skip)]
    pub queue: Vec<Vec<f64>>,
    /// By concentrator and bin: tunnels, handshakes and other limits, means over replications.
    #[serde(skip)]
    pub concentrator_bins: Vec<Vec<ConcentratorBin>>,
    /// By concentrator and quarter of an hour: the limit that binds.
    #[serde(skip)]
    pub limits: Vec<Vec<Limit>>,
    /// Sites that are cut off, and actions on paper, at the end of each bin.
    #[serde(skip)]
    pub cut_off: Vec<f64>,
    /// Actions on paper that are to be entered, at the end of each bin.
    #[serde(skip)]
    pub on_paper: Vec<f64>,
    /// Availability of the sites' tunnels, a mean over replications.
    pub paths: Paths,
    /// By day: 95th percentile of the watched class in the hours of the first target [s], and the share of
    /// replications in which it was above the limit.
    pub mornings: Vec<(Interval, f64)>,
    /// By class and bin, means over replications.
    #[serde(skip)]
    pub by_class: Vec<Vec<ClassBin>>,
    /// By class and window: median and 95th percentile of latency, where there is any [s].
    #[serde(skip)]
    pub latency: Vec<Vec<Option<(f64, f64)>>>,
    /// By window: sites affected, as an interval over replications.
    #[serde(skip)]
    pub affected: Vec<Interval>,
    /// By site and window: share of slow transactions of the watched class, where there is any.
    #[serde(skip)]
    pub heat: Vec<Vec<Option<f32>>>,
    /// By site, sums over replications.
    #[serde(skip)]
    pub sites: Vec<(String, u32, SiteSum)>,
    /// Curfews of the model: class, from and until [h], and whether the class is released with a spread.
    #[serde(skip)]
    pub curfews: Vec<(usize, f64, f64)>,
}

/// A target's figure and its verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetResult {
    /// The figure, and its difference from the base.
    #[serde(flatten)]
    pub figure: ComparedEstimate,
    /// Whether the target holds.
    pub verdict: Verdict,
    /// The figure is a lower bound: in some replication, unfinished work decides it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
    /// Whether anything was measured.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub measured: bool,
}

/// Whether a target holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval is within the limit.
    Met,
    /// The limit lies inside the interval, or nothing was measured.
    Unsure,
    /// The whole interval is beyond the limit.
    Missed,
}

impl Verdict {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Unsure => "unsure",
            Self::Missed => "missed",
        }
    }
}
