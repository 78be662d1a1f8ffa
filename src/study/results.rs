//! Results: what a study found, as plain data that reports are made of.

use serde::Serialize;

use crate::scenario::model::{
    Balancer, Bottleneck, ChangeKind, Concentrator, Demand, Discipline, Fidelity, Model, Transport,
};
use crate::scenario::source::Input;
use crate::scenario::target::{Measure, Target};
use crate::scenario::warn::{self, Warning};
use crate::scenario::{Setup, Study};
use crate::stats::{Histogram, Interval, Tally};
use crate::study::calls::{self, CallTally, Calls};
use crate::study::control::{Forecast, Forecasts};
use crate::study::fidelity::FidelityCheck;
use crate::study::limits::{Limit, QuarterLoad, binding};
use crate::study::paths::Paths;
use crate::study::recorder::{Axis, ClassBin, ConcentratorBin, FocusClass, Ledger, RunRecord, SiteSum};
use crate::study::series::{self, Series};
pub use crate::study::series::{CONFIDENCE, ComparedEstimate, Savings};
use crate::study::stopping::StopReason;
use crate::study::waits::{self, Wait, Waited};

/// A site is affected in a window in which more than this share of its transactions is slow.
pub const AFFECTED: f64 = 0.05;

/// What a study found.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// The question.
    pub question: String,
    /// Date or weekday of the first day.
    pub when: String,
    /// Days of a replication.
    pub days: u32,
    /// Number of sites, and of who is counted there.
    pub estate: (usize, u64),
    /// Who that is: `patients`, `people`.
    pub counted: String,
    /// How closely the network was looked at: `flow`, or `packet`.
    pub fidelity: &'static str,
    /// Where both fidelities were compared, what came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<FidelityCheck>,
    /// What is written and will not do what it seems to.
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
    /// The class that people watch, and its limit [s].
    pub watched: (usize, f64),
    /// Targets in words.
    pub targets: Vec<String>,
    /// Their limits: seconds, bytes or shares.
    pub limits: Vec<f64>,
    /// What each target's figure is.
    pub kinds: Vec<TargetKind>,
    /// Hours that targets look at: from and until [h].
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
    /// The measures that are worth showing: those of paths only where a site was ever cut off.
    #[must_use]
    pub fn measures(&self) -> &'static [Figure] {
        let cut_off = self.setups.iter().any(|found| found.paths.outages > 0.0);
        if cut_off { &MEASURES } else { &MEASURES[..OF_PATHS] }
    }
}

/// What the figure of a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// Seconds.
    Time,
    /// A share.
    Share,
    /// Bytes.
    Size,
    /// A number.
    Count,
}

impl TargetKind {
    /// Its unit in files.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::Time => "s",
            Self::Share => "share",
            Self::Size => "bytes",
            Self::Count => "",
        }
    }
}

/// What was found for the base or an option.
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
    pub units: Vec<(String, f64, u32)>,
    /// What the reader should know of the concentrators: orders of service that do nothing, counts of tunnels.
    pub remarks: Vec<String>,
    /// Classes that it switches off at times at which the base has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub switched_off: Vec<String>,
    /// What each target measured.
    pub targets: Vec<TargetResult>,
    /// Other figures, in the order of [`MEASURES`].
    pub measures: Vec<ComparedEstimate>,
    /// Who waits, and how long: each class with latencies.
    pub waits: Vec<Wait>,
    /// What became of calls: each class of them.
    pub calls: Vec<Calls>,
    /// What each replication showed: the targets, the measures, what the classes waited, and calls, in
    /// this order.
    #[serde(skip)]
    pub series: Vec<Series>,
    /// Where everything went, all replications together.
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
    pub hubs: Vec<Vec<ConcentratorBin>>,
    /// By concentrator and quarter of an hour: the limit that binds.
    #[serde(skip)]
    pub limits: Vec<Vec<Limit>>,
    /// Sites that are cut off, and actions on paper, at the end of each bin.
    #[serde(skip)]
    pub cut_off: Vec<f64>,
    /// Actions on paper that are to be entered, at the end of each bin.
    #[serde(skip)]
    pub on_paper: Vec<f64>,
    /// What became of the sites' ways to the headend, a replication's mean.
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

/// A target's figure and what it means.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetResult {
    /// The figure, and its difference from the base.
    #[serde(flatten)]
    pub figure: ComparedEstimate,
    /// Whether the target holds.
    pub verdict: Verdict,
    /// The figure could be larger: in some replication what was still under way at the end of the run decides it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
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

/// A figure of a run.
pub struct Figure {
    /// Its name in files.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The same where there is little room.
    pub short: &'static str,
    /// Its unit.
    pub unit: &'static str,
    of: fn(&RunRecord, &Model, FocusClass) -> f64,
}

/// Figures that are reported for every setup beside its targets.
pub const MEASURES: [Figure; 8] = [
    Figure { name: "minutes_over", title: "time over the limit", short: "over limit", unit: "min", of: minutes_over },
    Figure {
        name: "sites_affected",
        title: "sites affected at worst",
        short: "sites",
        unit: "sites",
        of: worst_affected,
    },
    Figure { name: "staff_hours_lost", title: "staff time lost", short: "staff lost", unit: "h", of: hours_lost },
    Figure { name: "given_up", title: "given up or refused", short: "given up", unit: "", of: given_up },
    Figure { name: "peak_utilisation", title: "busiest 15 minutes", short: "busiest", unit: "%", of: peak_utilisation },
    Figure {
        name: "waiting_at_close",
        title: "jobs unfinished at the end",
        short: "unfinished",
        unit: "jobs",
        of: waiting_at_close,
    },
    Figure {
        name: "sites_cut_off",
        title: "sites cut off at worst",
        short: "cut off",
        unit: "sites",
        of: |run, _, _| run.paths.at_once,
    },
    Figure {
        name: "staff_hours_cut_off",
        title: "staff time cut off",
        short: "staff cut off",
        unit: "h",
        of: cut_off_hours,
    },
];

/// Measures from here on are of the sites' ways to the headend.
const OF_PATHS: usize = 6;
/// Places among the measures: staff time lost, the busiest quarter of an hour, staff time cut off.
pub const STAFF_LOST: usize = 2;
/// See [`STAFF_LOST`].
pub const PEAK: usize = 4;
/// Jobs unfinished at the end.
pub const UNFINISHED: usize = 5;
/// See [`STAFF_LOST`].
pub const STAFF_CUT_OFF: usize = 7;

fn cut_off_hours(run: &RunRecord, _: &Model, _: FocusClass) -> f64 {
    run.paths.staff_lost / 3600.0
}

#[allow(clippy::cast_precision_loss)] // counts stay below 2^53
fn float(count: usize) -> f64 {
    count as f64
}

/// Minutes of windows in which the 95th percentile of the watched class was above its limit.
pub(super) fn minutes_over(run: &RunRecord, model: &Model, watched: FocusClass) -> f64 {
    let over = run.latencies[watched.class.index()]
        .iter()
        .filter(|window| window.quantile(0.95).is_some_and(|micros| micros / 1e6 > watched.limit))
        .count();
    float(over) * Axis::of(model).windows().bin.secs() / 60.0
}

fn affected_in(run: &RunRecord, window: usize) -> usize {
    run.by_window[window].iter().filter(|&&site| is_affected(site)).count()
}

fn is_affected((all, slow): (u32, u32)) -> bool {
    f64::from(slow) > AFFECTED * f64::from(all)
}

fn worst_affected(run: &RunRecord, model: &Model, _: FocusClass) -> f64 {
    float((0..Axis::of(model).windows().len()).map(|window| affected_in(run, window)).max().unwrap_or(0))
}

/// Time that people lost against an idle network, in the classes that people wait for.
pub(super) fn hours_lost(run: &RunRecord, _: &Model, _: FocusClass) -> f64 {
    run.lost.iter().sum::<f64>() / 3600.0
}

#[allow(clippy::cast_precision_loss)]
fn given_up(run: &RunRecord, _: &Model, _: FocusClass) -> f64 {
    (run.ledger.given_up + run.ledger.refused) as f64
}

/// Utilisation of the busiest concentrator in its busiest quarter of an hour [%].
fn peak_utilisation(run: &RunRecord, model: &Model, _: FocusClass) -> f64 {
    let width = usize::try_from((900 * crate::units::NANOS).div_ceil(model.bin.0)).unwrap_or(1).max(1);
    let mut most = 0.0_f64;
    for (carried, capacity) in run.carried.iter().zip(&run.capacity) {
        let done: Vec<f64> = carried.iter().map(|classes| classes.iter().sum()).collect();
        for (done, could) in done.windows(width).zip(capacity.windows(width)) {
            let could: f64 = could.iter().sum();
            if could > 0.0 {
                most = most.max(done.iter().sum::<f64>() / could);
            }
        }
    }
    // Windows that are booked as a whole may overlap a quarter's end.
    100.0 * most.min(1.0)
}

pub(super) fn waiting_at_close(run: &RunRecord, model: &Model, _: FocusClass) -> f64 {
    let jobs = model.classes.iter().zip(&run.classes).filter(|(class, _)| matches!(class.demand, Demand::Jobs { .. }));
    jobs.filter_map(|(_, bins)| bins.last()).map(|bin| bin.waiting + bin.active).sum()
}

/// What the replications of one setup have left so far.
pub(super) struct Accumulator {
    axis: Axis,
    model: Model,
    replications: u32,
    /// By target, a figure for each replication, and the most that it could have been.
    pub targets: Vec<Vec<Option<f64>>>,
    at_most: Vec<Vec<Option<f64>>>,
    measures: Vec<Vec<f64>>,
    /// What each class waited, in each replication.
    pub waits: Vec<Vec<Option<Waited>>>,
    /// What became of the calls of each class, in each replication.
    calls: Vec<Vec<Option<CallTally>>>,
    carried: Vec<Vec<Vec<f64>>>,
    capacity: Vec<Vec<f64>>,
    queue: Vec<Vec<f64>>,
    by_class: Vec<Vec<ClassBin>>,
    latencies: Vec<Vec<Histogram>>,
    affected: Vec<Tally>,
    by_window: Vec<Vec<(u32, u32)>>,
    sites: Vec<SiteSum>,
    tunnels: Vec<u32>,
    ledger: Ledger,
    served: Vec<u64>,
    hubs: Vec<Vec<ConcentratorBin>>,
    cut_off: Vec<f64>,
    on_paper: Vec<f64>,
    paths: Vec<Paths>,
    /// By day: 95th percentile of the watched class in the hours that matter, and how often above the limit.
    mornings: Vec<(Tally, u32)>,
}

impl Accumulator {
    pub fn new(model: &Model) -> Self {
        Self {
            axis: Axis::of(model),
            model: model.clone(),
            replications: 0,
            targets: Vec::new(),
            at_most: Vec::new(),
            measures: vec![Vec::new(); MEASURES.len()],
            waits: Vec::new(),
            calls: Vec::new(),
            carried: Vec::new(),
            capacity: Vec::new(),
            queue: Vec::new(),
            by_class: Vec::new(),
            latencies: Vec::new(),
            affected: Vec::new(),
            by_window: Vec::new(),
            sites: Vec::new(),
            tunnels: Vec::new(),
            ledger: Ledger::default(),
            served: Vec::new(),
            hubs: Vec::new(),
            cut_off: Vec::new(),
            on_paper: Vec::new(),
            paths: Vec::new(),
            mornings: Vec::new(),
        }
    }

    /// Adds a run; runs come in the order of their replications.
    pub fn add(&mut self, run: RunRecord, targets: &[Target], watched: FocusClass) {
        debug_assert!(run.ledger.balances(), "{:?}", run.ledger);
        self.targets.resize(targets.len(), Vec::new());
        self.at_most.resize(targets.len(), Vec::new());
        for (values, value) in self.targets.iter_mut().zip(&run.targets) {
            values.push(*value);
        }
        for (values, value) in self.at_most.iter_mut().zip(&run.at_most) {
            values.push(*value);
        }
        for (values, figure) in self.measures.iter_mut().zip(&MEASURES) {
            values.push((figure.of)(&run, &self.model, watched));
        }
        let windows = self.axis.windows().len();
        self.affected.resize(windows, Tally::default());
        for (window, tally) in self.affected.iter_mut().enumerate() {
            tally.add(float(affected_in(&run, window)));
        }
        self.waits.push(waits::of(&run));
        self.calls.push(calls::of(&run, &self.model));
        self.ledger.add(&run.ledger);
        self.tunnels.clone_from(&run.tunnels);
        self.paths.push(run.paths);
        self.morning(&run, targets, watched);
        self.replications += 1;
        if self.replications == 1 {
            self.begin(run);
        } else {
            self.merge(&run);
        }
    }

    /// The watched class in the hours of its first target, day by day.
    fn morning(&mut self, run: &RunRecord, targets: &[Target], watched: FocusClass) {
        let axis = self.axis.windows();
        let days = self.model.calendar.days as usize;
        self.mornings.resize(days, (Tally::default(), 0));
        let hours =
            targets.iter().find(|target| kind(target.measure) == TargetKind::Time && target.from < target.until);
        let mut of_day = vec![Histogram::default(); days];
        for (window, latencies) in run.latencies[watched.class.index()].iter().enumerate() {
            let start = axis.start(window);
            if hours.is_none_or(|target| (target.from..target.until).contains(&start.clock())) {
                of_day[usize::try_from(start.day()).unwrap_or(0)].merge(latencies);
            }
        }
        for ((tally, over), latencies) in self.mornings.iter_mut().zip(&of_day) {
            if let Some(micros) = latencies.quantile(0.95) {
                tally.add(micros / 1e6);
                *over += u32::from(micros / 1e6 > watched.limit);
            }
        }
    }

    fn begin(&mut self, run: RunRecord) {
        self.carried = run.carried;
        self.capacity = run.capacity;
        self.queue = run.queue;
        self.by_class = run.classes;
        self.latencies = run.latencies;
        self.by_window = run.by_window;
        self.sites = run.sites;
        self.served = run.served;
        self.hubs = run.hubs;
        self.cut_off = run.cut_off;
        self.on_paper = run.on_paper;
    }

    fn merge(&mut self, run: &RunRecord) {
        add_all(self.carried.iter_mut().flatten().flatten(), run.carried.iter().flatten().flatten());
        add_all(self.capacity.iter_mut().flatten(), run.capacity.iter().flatten());
        add_all(self.queue.iter_mut().flatten(), run.queue.iter().flatten());
        self.by_class.iter_mut().flatten().zip(run.classes.iter().flatten()).for_each(|(own, other)| own.add(other));
        self.latencies
            .iter_mut()
            .flatten()
            .zip(run.latencies.iter().flatten())
            .for_each(|(own, other)| own.merge(other));
        for (own, other) in self.by_window.iter_mut().flatten().zip(run.by_window.iter().flatten()) {
            *own = (own.0 + other.0, own.1 + other.1);
        }
        for (own, other) in self.sites.iter_mut().zip(&run.sites) {
            own.count += other.count;
            own.slow += other.slow;
            own.latency += other.latency;
            own.lost += other.lost;
        }
        self.served.iter_mut().zip(&run.served).for_each(|(own, other)| *own += other);
        self.hubs.iter_mut().flatten().zip(run.hubs.iter().flatten()).for_each(|(own, other)| own.add(other, 1.0));
        add_all(self.cut_off.iter_mut(), run.cut_off.iter());
        add_all(self.on_paper.iter_mut(), run.on_paper.iter());
    }
}

fn add_all<'a>(own: impl Iterator<Item = &'a mut f64>, other: impl Iterator<Item = &'a f64>) {
    own.zip(other).for_each(|(own, other)| *own += other);
}

/// Puts the sums of all setups into results.
pub(super) fn results(
    study: &Study,
    setups: &[&Setup],
    sums: Vec<Accumulator>,
    forecasts: &[Forecasts<'_>],
    watched: FocusClass,
    (replications, stopped): (u32, StopReason),
) -> Results {
    let model = &setups[0].model;
    let axis = Axis::of(model);
    let base = setups.iter().position(|setup| setup.name == "base");
    let figures = compare(study, &sums, forecasts, base);
    let classes: Vec<&str> = model.classes.iter().map(|class| class.name.as_str()).collect();
    let of_setups: Vec<&[Vec<Option<Waited>>]> = sums.iter().map(|sum| &sum.waits[..]).collect();
    let mut waits = waits::compare(&of_setups, base, model.antithetic, &classes).into_iter();
    let of_setups: Vec<&[Vec<Option<CallTally>>]> = sums.iter().map(|sum| &sum.calls[..]).collect();
    let mut calls = calls::compare(&of_setups, base, model.antithetic, &classes).into_iter();
    let mut found = Vec::new();
    for ((setup, sum), (mut figures, mut series)) in setups.iter().zip(sums).zip(figures) {
        let measures = figures.split_off(study.targets.len());
        let values = study.targets.iter().zip(sum.targets.iter().zip(&sum.at_most));
        let judged = values.zip(figures).map(|((target, (values, at_most)), figure)| {
            let whole = values.iter().all(Option::is_some) && !values.is_empty();
            let by_value = verdict(figure.value, target.limit, whole);
            // What is under way at the end can make a target missed, or unsure, but not met.
            let could_miss = by_value == Verdict::Met && most(&figure, values, at_most).high() > target.limit;
            let verdict = if could_miss { Verdict::Unsure } else { by_value };
            TargetResult { verdict, at_least: is_at_least(values, at_most), figure }
        });
        let judged = judged.collect();
        let (waits, of_waits) = waits.next().unwrap_or_default();
        series.extend(of_waits);
        let (calls, of_calls) = calls.next().unwrap_or_default();
        series.extend(of_calls);
        let cost = setup.cost.map(|cost| cost - study.setups[0].cost.unwrap_or(0.0));
        let switched_off = warn::switched_off(&study.setups[0].model, &setup.model);
        found.push(SetupResult { cost, switched_off, waits, calls, series, ..found_of(setup, sum, judged, measures) });
    }
    let told = warn::warnings(study);
    for warning in &told {
        let remark = format!("{}; {}", warning.title, warning.help);
        let of = |found: &&mut SetupResult| warning.setup.as_ref() == Some(&found.name);
        found.iter_mut().filter(of).for_each(|found| found.remarks.push(remark.clone()));
    }
    changed_nothing(&mut found, base);
    Results {
        question: study.question.clone(),
        when: study.when.clone(),
        days: model.calendar.days,
        estate: (model.sites.len(), model.sites.iter().map(|site| u64::from(site.patients)).sum()),
        counted: study.counted.clone(),
        fidelity: match model.fidelity {
            Fidelity::Flow => "flow",
            Fidelity::Packet(_) => "packet",
        },
        check: None,
        warnings: told.iter().filter(|warning| warning.setup.is_none()).map(told_of).collect(),
        seed: model.seed,
        replications,
        antithetic: model.antithetic,
        stopped,
        precision: study.effort.precision.0,
        classes: model.classes.iter().map(|class| class.name.clone()).collect(),
        jobs: model.classes.iter().map(|class| matches!(class.demand, Demand::Jobs { .. })).collect(),
        waited_for: model.classes.iter().map(|class| class.waited_for).collect(),
        currency: study.currency.clone(),
        watched: (watched.class.index(), watched.limit),
        targets: study.targets.iter().map(|target| target.title.clone()).collect(),
        limits: study.targets.iter().map(|target| target.limit).collect(),
        kinds: study.targets.iter().map(|target| kind(target.measure)).collect(),
        hours: study.targets.iter().map(|target| (target.from.hours(), target.until.hours())).collect(),
        setups: found,
        inputs: study.inputs.clone(),
        bins: ((0..axis.len()).map(|bin| axis.start(bin).secs() / 3600.0).collect(), axis.bin.secs()),
        windows: (0..axis.windows().len()).map(|bin| axis.windows().start(bin).secs() / 3600.0).collect(),
    }
}

fn told_of(warning: &Warning) -> String {
    format!("{}; {}", warning.title, warning.help)
}

/// An option all of whose figures are those of the base, to the last bit, has done nothing.
fn changed_nothing(found: &mut [SetupResult], base: Option<usize>) {
    let Some(base) = base else { return };
    let values = |found: &SetupResult| found.series.iter().map(|series| series.values.clone()).collect::<Vec<_>>();
    let of_base = values(&found[base]);
    for (place, found) in found.iter_mut().enumerate() {
        let alike = place != base && values(found) == of_base;
        if alike && !found.remarks.iter().any(|remark| remark.contains("changes nothing")) {
            found.remarks.push("it changed nothing: every figure is that of the headend as it is".to_owned());
        }
    }
}

/// How much more a figure could have been for it to be told as a lower bound.
const CLEARLY_MORE: f64 = 0.02;

/// Whether what was under way at the end could have made the figure of some replication clearly larger.
fn is_at_least(values: &[Option<f64>], at_most: &[Option<f64>]) -> bool {
    let more = |(value, most): (&Option<f64>, &Option<f64>)| match (value, most) {
        (Some(value), Some(most)) => *most > value * (1.0 + CLEARLY_MORE),
        _ => false,
    };
    values.iter().zip(at_most).any(more)
}

/// The figure had all that was under way at the end become as bad as it can: its interval, moved by what that adds on average.
fn most(figure: &ComparedEstimate, values: &[Option<f64>], at_most: &[Option<f64>]) -> Interval {
    let more = |(value, most): (&Option<f64>, &Option<f64>)| most.zip(*value).map_or(0.0, |(most, value)| most - value);
    let added: f64 = values.iter().zip(at_most).map(more).sum();
    Interval { mean: figure.value.mean + added / float(values.len()).max(1.0), half: figure.value.half }
}

/// Whether a latency, a size or a share is measured.
#[must_use]
pub fn kind(measure: Measure) -> TargetKind {
    match measure {
        Measure::Mean(_) | Measure::Quantile(..) | Measure::CutOff => TargetKind::Time,
        Measure::Slow(_)
        | Measure::GivenUp(_)
        | Measure::Refused(_)
        | Measure::Utilisation
        | Measure::StaffTime
        | Measure::SitesCutOff => TargetKind::Share,
        Measure::Outages => TargetKind::Count,
        Measure::Waiting(_) => TargetKind::Size,
    }
}

/// By setup: each target's figure, then each measure's, and how they differ from the base; and what they come from.
fn compare(
    study: &Study,
    sums: &[Accumulator],
    forecasts: &[Forecasts<'_>],
    base: Option<usize>,
) -> Vec<(Vec<ComparedEstimate>, Vec<Series>)> {
    let mut rows = vec![(Vec::new(), Vec::new()); sums.len()];
    let mut add = |mut series: Vec<Series>, forecasts: &[Option<&Forecast>]| {
        let compared = series::compare(&mut series, forecasts, base, sums[0].model.antithetic);
        for ((row, compared), series) in rows.iter_mut().zip(compared).zip(series) {
            row.0.push(compared);
            row.1.push(series);
        }
    };
    for (place, target) in study.targets.iter().enumerate() {
        // Percentiles are known to within a bucket, however well the replications agree.
        let resolution = match target.measure {
            Measure::Quantile(..) => Histogram::fine().resolution(),
            _ => 0.0,
        };
        let unit = kind(target.measure).unit();
        let of = |sum: &Accumulator| Series {
            values: sum.targets[place].clone(),
            at_most: sum.at_most[place].clone(),
            ..Series::new(target.title.clone(), unit, Vec::new(), resolution)
        };
        let forecasts: Vec<Option<&Forecast>> = forecasts.iter().map(|forecasts| forecasts.of_target(place)).collect();
        add(sums.iter().map(of).collect(), &forecasts);
    }
    let none = vec![None; sums.len()];
    for (place, figure) in MEASURES.iter().enumerate() {
        let of = |sum: &Accumulator| Series::new(figure.name.to_owned(), figure.unit, sum.measures[place].clone(), 0.0);
        add(sums.iter().map(of).collect(), &none);
    }
    rows
}

fn verdict(value: Interval, limit: f64, measured: bool) -> Verdict {
    if !measured || !value.half.is_finite() {
        Verdict::Unsure
    } else if value.high() <= limit {
        Verdict::Met
    } else if value.low() > limit {
        Verdict::Missed
    } else {
        Verdict::Unsure
    }
}

/// How classes meet at the first concentrator, at the end of all edits.
fn service(model: &Model) -> &'static str {
    let first = &model.concentrators[0].discipline;
    let mut edited = model.changes.iter().filter_map(|edit| match &edit.kind {
        ChangeKind::SetDiscipline(_, discipline) => Some(discipline),
        _ => None,
    });
    match edited.next_back().unwrap_or(first) {
        Discipline::Fifo => "fifo",
        Discipline::Priority(_) => "priority",
        Discipline::LowLatency { .. } => "low latency",
        Discipline::Weighted(_) => "weighted",
        Discipline::FairBySite => "fair by site",
        Discipline::Discriminatory(_) => "discriminatory",
    }
}

/// Why a set-up lies outside of what scenarios are drawn from to measure the error of the method (`headend validate
/// --regimes`), if it does.
fn unmeasured(model: &Model) -> Option<&'static str> {
    let rate = |unit: &Concentrator| unit.carries().0.bits();
    let buffer = |unit: &Concentrator| unit.buffer.bits() / rate(unit);
    if model.transport == Transport::Ideal {
        Some("ideal transport")
    } else if !model.faults.is_empty() {
        Some("faults")
    } else if model.sites.len() > 200 {
        Some("more than 200 sites")
    } else if model.concentrators.iter().any(|unit| !(5e6..=1e9).contains(&rate(unit))) {
        Some("a throughput outside 5 Mbit/s to 1 Gbit/s")
    } else if model.concentrators.iter().any(|unit| !(0.01..=0.2).contains(&buffer(unit))) {
        Some("a buffer outside 10 to 200 ms")
    } else if model.classes.iter().any(|class| class.turns > 6) {
        Some("more than 6 turns")
    } else if model.pools.iter().any(|pool| pool.balancer == Balancer::JoinShortest) {
        Some("a concentrator chosen for each transaction")
    } else {
        None
    }
}

fn found_of(
    setup: &Setup,
    mut sum: Accumulator,
    targets: Vec<TargetResult>,
    measures: Vec<ComparedEstimate>,
) -> SetupResult {
    let share = 1.0 / f64::from(sum.replications);
    sum.carried.iter_mut().flatten().flatten().for_each(|value| *value *= share);
    sum.capacity.iter_mut().flatten().for_each(|value| *value *= share);
    sum.queue.iter_mut().flatten().for_each(|value| *value *= share);
    sum.by_class.iter_mut().flatten().for_each(|bin| bin.scale(share));
    sum.cut_off.iter_mut().chain(&mut sum.on_paper).for_each(|value| *value *= share);
    for bin in sum.hubs.iter_mut().flatten() {
        let whole = std::mem::take(bin);
        bin.add(&whole, share);
    }
    let limits = limits_of(&setup.model, &sum);
    let quantiles = |window: &Histogram| Some((window.quantile(0.5)? / 1e6, window.quantile(0.95)? / 1e6));
    #[allow(clippy::cast_precision_loss)] // a share for a chart
    let slow = |&(all, slow): &(u32, u32)| (all > 0).then(|| slow as f32 / all as f32);
    let model = &setup.model;
    let units = model.concentrators.iter().zip(&sum.tunnels);
    let curfews = model.classes.iter().enumerate().flat_map(|(class, terms)| {
        terms.rules.curfews.iter().map(move |curfew| (class, curfew.from.secs() / 3600.0, curfew.until.secs() / 3600.0))
    });
    SetupResult {
        name: setup.name.clone(),
        title: setup.title.clone(),
        what: setup.what.clone(),
        cost: None,
        service: service(model),
        unmeasured: unmeasured(model),
        units: units.map(|(unit, tunnels)| (unit.name.clone(), unit.carries().0.bits(), *tunnels)).collect(),
        remarks: remarks(model),
        switched_off: Vec::new(),
        hubs: sum.hubs,
        limits,
        cut_off: sum.cut_off,
        on_paper: sum.on_paper,
        paths: mean_of(&sum.paths),
        mornings: sum
            .mornings
            .iter()
            .map(|(tally, over)| (tally.interval(CONFIDENCE), f64::from(*over) * share))
            .collect(),
        targets,
        measures,
        waits: Vec::new(),
        calls: Vec::new(),
        series: Vec::new(),
        ledger: sum.ledger,
        served: sum.served,
        carried: sum.carried,
        capacity: sum.capacity,
        queue: sum.queue,
        by_class: sum.by_class,
        latency: sum.latencies.iter().map(|windows| windows.iter().map(quantiles).collect()).collect(),
        affected: sum.affected.iter().map(|tally| tally.interval(CONFIDENCE)).collect(),
        heat: (0..model.sites.len())
            .map(|site| sum.by_window.iter().map(|sites| slow(&sites[site])).collect())
            .collect(),
        sites: model.sites.iter().zip(sum.sites).map(|(site, sums)| (site.name.clone(), site.patients, sums)).collect(),
        curfews: curfews.collect(),
    }
}

/// The limit that binds at each concentrator in each quarter of an hour.
fn limits_of(model: &Model, sum: &Accumulator) -> Vec<Vec<Limit>> {
    let bins = sum.axis.len();
    let width = quarter_of(sum.axis.bin.secs());
    let of_unit = |(place, unit): (usize, &Concentrator)| {
        let quarters = (0..bins).step_by(width).map(|first| {
            let last = (first + width).min(bins);
            let classes = model.classes.len();
            let here = &sum.carried[place][first..last];
            let carried = (0..classes).map(|class| here.iter().map(|bin| bin[class]).sum());
            let quarter = QuarterLoad {
                carried: &carried.collect::<Vec<f64>>(),
                capacity: sum.capacity[place][first..last].iter().sum(),
                bins: &sum.hubs[place][first..last],
                cut_off: sum.cut_off[first..last].iter().sum::<f64>() / float(last - first),
            };
            binding(model, unit, &quarter)
        });
        quarters.collect()
    };
    model.concentrators.iter().enumerate().map(of_unit).collect()
}

/// Bins of `length` seconds in a quarter of an hour.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most 900 bins
pub fn quarter_of(length: f64) -> usize {
    ((900.0 / length).round() as usize).max(1)
}

fn mean_of(paths: &[Paths]) -> Paths {
    let count = float(paths.len()).max(1.0);
    let mean = |of: fn(&Paths) -> f64| paths.iter().map(of).sum::<f64>() / count;
    Paths {
        sites: mean(|path| path.sites),
        months: mean(|path| path.months),
        outages: mean(|path| path.outages),
        longest: mean(|path| path.longest),
        goes_on: paths.iter().any(|path| path.goes_on),
        at_once: mean(|path| path.at_once),
        staff_lost: mean(|path| path.staff_lost),
        staff: mean(|path| path.staff),
    }
}

/// What follows from the set-up alone, and should not be overlooked.
fn remarks(model: &Model) -> Vec<String> {
    let mut remarks = Vec::new();
    for unit in &model.concentrators {
        if unit.discipline != Discipline::Fifo && *unit.order() == Discipline::Fifo {
            let why = match unit.carries().1 {
                Bottleneck::Line => "it was told that its line carries more than it does, so queues form beyond it",
                _ => "encryption is what holds packets up, and takes them as they come",
            };
            remarks.push(format!("the order of service at {} does nothing: {why}", unit.name));
        }
    }
    let (all, each) = model.tunnels.count(model.concentrators.len() as u64, model.sites.len() as u64);
    for unit in &model.concentrators {
        if let Some(most) = unit.tunnels.filter(|most| each > u64::from(*most)) {
            remarks.push(format!(
                "a design in which each site has a tunnel to each concentrator needs {each} tunnels at {}, which holds \
                 {most} ({all} in all)",
                unit.name
            ));
        }
    }
    remarks
}
