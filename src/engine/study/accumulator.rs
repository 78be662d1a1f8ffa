//! Sums over the replications of a set-up.

use crate::model::Model;
use crate::scenario::check::target::Target;
use crate::stats::{Histogram, Tally};
use crate::study::axis::Axis;
use crate::study::calls::CallTally;
use crate::study::figures::{MEASURES, TargetKind, affected_in, float, kind};
use crate::study::paths::Paths;
use crate::study::record::{ClassBin, ConcentratorBin, FocusClass, Ledger, RunRecord, SiteSum};
use crate::study::waits::Waited;
use crate::study::{calls, waits};

/// Sums over the replications of one set-up so far.
pub(crate) struct Accumulator {
    pub(super) axis: Axis,
    pub(super) model: Model,
    pub(super) replications: u32,
    /// By target: the figure of each replication, and its upper bound.
    pub targets: Vec<Vec<Option<f64>>>,
    pub(super) at_most: Vec<Vec<Option<f64>>>,
    pub(super) measures: Vec<Vec<f64>>,
    /// Latencies of each class, by replication.
    pub waits: Vec<Vec<Option<Waited>>>,
    /// Calls of each class, offered and refused, by replication.
    pub(super) calls: Vec<Vec<Option<CallTally>>>,
    pub(super) carried: Vec<Vec<Vec<f64>>>,
    pub(super) capacity: Vec<Vec<f64>>,
    pub(super) queue: Vec<Vec<f64>>,
    pub(super) by_class: Vec<Vec<ClassBin>>,
    pub(super) latencies: Vec<Vec<Histogram>>,
    pub(super) affected: Vec<Tally>,
    pub(super) by_window: Vec<Vec<(u32, u32)>>,
    pub(super) sites: Vec<SiteSum>,
    pub(super) tunnels: Vec<u32>,
    pub(super) ledger: Ledger,
    pub(super) served: Vec<u64>,
    pub(super) concentrators: Vec<Vec<ConcentratorBin>>,
    pub(super) cut_off: Vec<f64>,
    pub(super) on_paper: Vec<f64>,
    pub(super) paths: Vec<Paths>,
    /// By day: 95th percentile of the watched class in the hours that matter, and how often above the limit.
    pub(super) mornings: Vec<(Tally, u32)>,
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
            concentrators: Vec::new(),
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
        self.concentrators = run.concentrators;
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
        self.concentrators
            .iter_mut()
            .flatten()
            .zip(run.concentrators.iter().flatten())
            .for_each(|(own, other)| own.add(other, 1.0));
        add_all(self.cut_off.iter_mut(), run.cut_off.iter());
        add_all(self.on_paper.iter_mut(), run.on_paper.iter());
    }
}

fn add_all<'a>(own: impl Iterator<Item = &'a mut f64>, other: impl Iterator<Item = &'a f64>) {
    own.zip(other).for_each(|(own, other)| *own += other);
}
