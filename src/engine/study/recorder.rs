//! The observer that turns the facts of a run into its record.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{Calendar, ClassId, Codec, Demand, Model, SiteId};
use crate::scenario::check::target::{Measure, Target, TargetSites};
use crate::sim::JUDGED_EVERY;
use crate::sim::observer::{Fact, Observer, Outcome, Record, Snapshot, Talk};
use crate::stats::Histogram;
use crate::study::axis::Axis;
use crate::study::figures::AFFECTED;
use crate::study::paths::{PathWatch, Paths};
use crate::study::record::{ClassBin, ConcentratorBin, FocusClass, Ledger, RunRecord, SiteSum, TalkSum};
use crate::study::records_file::RecordWriter;
use crate::study::voice;
use crate::units::{Duration, Time};

/// The observer of one run.
pub struct Recorder<'a> {
    axis: Axis,
    windows: Axis,
    calendar: Calendar,
    watched: FocusClass,
    targets: &'a [Target],
    tallies: Vec<TargetTally>,
    quick: Vec<f64>,
    /// Whether the age of an unfinished transaction is a lower bound of a wait.
    people: Vec<bool>,
    /// Whether waits of a class count as staff time lost.
    waited_for: Vec<bool>,
    last: Vec<Vec<f64>>,
    last_capacity: Vec<f64>,
    /// The present bin: it changes at snapshots.
    bin: Option<usize>,
    /// When it began.
    began: Time,
    run: RunRecord,
    stop: &'a AtomicBool,
    rows: Option<RecordWriter<'a>>,
    watch: PathWatch,
    last_responders: Vec<(u64, u64)>,
}

/// What a target counts.
#[derive(Clone, Debug)]
struct Tallied {
    /// Latencies of those that were served [us].
    latencies: Histogram,
    /// Times until those that gave up did so [us].
    left: Histogram,
    /// The sum of both [s].
    sum: f64,
    /// Those that were slow, and those that were given up; of calls: refused, and offered.
    slow: u64,
    given_up: u64,
    /// Those that are unfinished at the end of the run, and of them those that are not slow yet; they are not among the latencies.
    /// Their ages [us], the sum of these [s], and the longest of all latencies [s].
    inside: Histogram,
    inside_quick: u64,
    inside_sum: f64,
    longest: f64,
    /// Time of calls that was judged, and of it that of poor speech [s].
    talk: f64,
    poor: f64,
}

/// What a target counts.
#[derive(Clone, Debug)]
enum TargetTally {
    /// Of all sites together.
    Together(Box<Tallied>),
    /// Of some of them together: by site, whether it is one.
    Only(Box<Tallied>, Vec<bool>),
    /// Site by site.
    BySite(Vec<Tallied>),
}

/// A site that has fewer transactions, calls, or pieces of calls in which speech is judged than this in a target's hours is not measured by itself.
const LEAST_OF_A_SITE: u64 = 20;

impl TargetTally {
    fn new(target: &Target, sites: usize) -> Self {
        let together = || Box::new(Tallied::new(&Histogram::fine()));
        match &target.sites {
            TargetSites::All => Self::Together(together()),
            TargetSites::Only(some) => {
                Self::Only(together(), (0..sites).map(SiteId::of).map(|site| some.contains(&site)).collect())
            }
            // Sites see some hundred transactions in a target's hours: more than 32 steps to an octave would tell nothing more.
            TargetSites::Worst | TargetSites::Share(_) => {
                Self::BySite(vec![Tallied::new(&Histogram::default()); sites])
            }
        }
    }

    /// Where what a site does is counted; none where it is not.
    fn of(&mut self, site: SiteId) -> Option<&mut Tallied> {
        match self {
            Self::Together(tally) => Some(tally),
            Self::Only(tally, some) => some[site.index()].then_some(&mut **tally),
            Self::BySite(tallies) => Some(&mut tallies[site.index()]),
        }
    }

    /// The target's figure, and its upper bound, where `value` gives those of a tally.
    fn value(&self, target: &Target, value: impl Fn(&Tallied) -> Option<(f64, f64)>) -> Option<(f64, f64)> {
        match self {
            Self::Together(tally) | Self::Only(tally, _) => value(tally),
            Self::BySite(tallies) => {
                let counted = tallies.iter().filter(|tally| tally.count(target.measure) >= LEAST_OF_A_SITE);
                let (figures, bounds): (Vec<f64>, Vec<f64>) = counted.filter_map(value).unzip();
                target.sites.of_sites(figures).zip(target.sites.of_sites(bounds))
            }
        }
    }
}

impl Tallied {
    fn new(empty: &Histogram) -> Self {
        Self {
            latencies: empty.clone(),
            left: empty.clone(),
            sum: 0.0,
            slow: 0,
            given_up: 0,
            inside: empty.clone(),
            inside_quick: 0,
            inside_sum: 0.0,
            longest: 0.0,
            talk: 0.0,
            poor: 0.0,
        }
    }
}

impl Tallied {
    /// Transactions, or calls offered.
    fn count(&self, measure: Measure) -> u64 {
        match measure {
            Measure::Refused(_) => self.given_up,
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // pieces in which speech is judged
            Measure::PoorCalls(_) => (self.talk / JUDGED_EVERY.secs()) as u64,
            _ => self.latencies.total() + self.left.total() + self.inside.total(),
        }
    }

    /// Counts a transaction.
    fn add(&mut self, record: &Record, latency: f64, quick: f64) {
        let given_up = record.outcome == Outcome::GivenUp;
        let slow = given_up || latency > quick;
        self.slow += u64::from(slow);
        self.given_up += u64::from(given_up);
        self.longest = self.longest.max(latency);
        if record.outcome == Outcome::Inside {
            self.inside.add(record.latency.0 / 1000);
            self.inside_sum += latency;
            self.inside_quick += u64::from(!slow);
        } else {
            let of = if given_up { &mut self.left } else { &mut self.latencies };
            of.add(record.latency.0 / 1000);
            self.sum += latency;
        }
    }

    /// A measure of latency, where unfinished transactions count as if they ended now and those given up as if they had been served
    /// then; and its upper bound. For a quantile, both may take any time. For a mean, unfinished ones take as long as the longest
    /// so far and then the time in which as many ended before (in `length` seconds); where more than one in twenty gave up, there is
    /// no bound.
    #[allow(clippy::cast_precision_loss)] // counts stay below 2^53
    fn value(&self, measure: Measure, length: f64) -> Option<(f64, f64)> {
        let (ended, inside) = (self.latencies.total() + self.left.total(), self.inside.total());
        let count = (ended + inside) as f64;
        let share = |least: u64, more: u64| (least as f64 / count, (least + more) as f64 / count);
        if ended + inside == 0 {
            return None;
        }
        match measure {
            Measure::Mean(_) => {
                let more = if inside == 0 {
                    0.0
                } else {
                    inside as f64 * (self.longest + length * inside as f64 / ended as f64)
                };
                let known = self.left.total() as f64 <= AFFECTED * count;
                let most = if known { self.sum + more } else { f64::INFINITY };
                Some(((self.sum + self.inside_sum) / count, most / count))
            }
            Measure::Quantile(_, p) => {
                let mut all = self.latencies.clone();
                all.merge(&self.left);
                all.merge(&self.inside);
                let beside = inside + self.left.total();
                let most = self.latencies.quantile_beside(p, beside).map_or(f64::INFINITY, |micros| micros / 1e6);
                all.quantile(p).map(|micros| (micros / 1e6, most.max(micros / 1e6)))
            }
            Measure::Slow(_) => Some(share(self.slow, self.inside_quick)),
            Measure::GivenUp(_) => Some(share(self.given_up, inside)),
            _ => None,
        }
    }
}

impl<'a> Recorder<'a> {
    /// A recorder for a run of `model`.
    #[must_use]
    pub fn new(
        model: &Model,
        targets: &'a [Target],
        watched: FocusClass,
        stop: &'a AtomicBool,
        rows: Option<RecordWriter<'a>>,
    ) -> Self {
        let axis = Axis::of(model);
        let windows = axis.windows();
        let (concentrators, classes, sites) = (model.concentrators.len(), model.classes.len(), model.sites.len());
        let run = RunRecord {
            carried: vec![vec![vec![0.0; classes]; axis.len()]; concentrators],
            capacity: vec![vec![0.0; axis.len()]; concentrators],
            queue: vec![vec![0.0; axis.len()]; concentrators],
            classes: vec![vec![ClassBin::default(); axis.len()]; classes],
            latencies: vec![vec![Histogram::default(); windows.len()]; classes],
            by_window: vec![vec![(0, 0); sites]; windows.len()],
            talk: vec![TalkSum::default(); classes],
            sites: vec![SiteSum::default(); sites],
            tunnels: vec![0; concentrators],
            targets: vec![None; targets.len()],
            at_most: vec![None; targets.len()],
            watched: Histogram::default(),
            lost: vec![0.0; classes],
            ledger: Ledger::default(),
            served: vec![0; classes],
            concentrators: vec![vec![ConcentratorBin::default(); axis.len()]; concentrators],
            cut_off: vec![0.0; axis.len()],
            on_paper: vec![0.0; axis.len()],
            paths: Paths::default(),
        };
        Self {
            axis,
            windows,
            calendar: model.calendar,
            watched,
            targets,
            tallies: targets.iter().map(|target| TargetTally::new(target, model.sites.len())).collect(),
            quick: model.classes.iter().map(|class| class.quick.secs()).collect(),
            people: model
                .classes
                .iter()
                .map(|class| class.waited_for || !matches!(class.demand, Demand::Jobs { .. }))
                .collect(),
            waited_for: model.classes.iter().map(|class| class.waited_for).collect(),
            last: vec![vec![0.0; classes]; concentrators],
            last_capacity: vec![0.0; concentrators],
            bin: axis.bin_of(Time(0)),
            began: Time(0),
            run,
            stop,
            rows,
            watch: PathWatch::new(model, watched.class),
            last_responders: vec![(0, 0); concentrators],
        }
    }

    /// The record of the run.
    ///
    /// # Errors
    /// If a record could not be written.
    pub fn finish(mut self) -> std::io::Result<RunRecord> {
        if let Some(fault) = self.rows.as_mut().and_then(|rows| rows.fault.take()) {
            return Err(fault);
        }
        self.run.paths = self.watch.finish(&self.run.cut_off);
        for (index, target) in self.targets.iter().enumerate() {
            let measured = self.value(target, &self.tallies[index]);
            (self.run.targets[index], self.run.at_most[index]) = measured.unzip();
        }
        Ok(self.run)
    }

    /// A target's measure, and its upper bound.
    #[allow(clippy::cast_precision_loss)] // counts stay below 2^53
    fn value(&self, target: &Target, tally: &TargetTally) -> Option<(f64, f64)> {
        let exactly = |value: f64| (value, value);
        let paths = &self.run.paths;
        match target.measure {
            Measure::Mean(_) | Measure::Quantile(..) | Measure::Slow(_) | Measure::GivenUp(_) => {
                let length = Duration(target.until.0.saturating_sub(target.from.0)).secs();
                tally.value(target, |tally| tally.value(target.measure, length))
            }
            Measure::Utilisation => self.utilisation(target).map(exactly),
            Measure::Waiting(class) => self.waiting(target, class).map(exactly),
            // Calls have no latency.
            Measure::Refused(_) => tally.value(target, |tally| {
                (tally.given_up > 0).then(|| exactly(tally.slow as f64 / tally.given_up as f64))
            }),
            Measure::PoorCalls(_) => {
                tally.value(target, |tally| (tally.talk > 0.0).then(|| exactly(tally.poor / tally.talk)))
            }
            Measure::Outages => Some(exactly(paths.outages_a_month())),
            Measure::StaffTime => paths.staff_share().map(exactly),
            // A site that is cut off at the end may stay so for any time.
            Measure::CutOff => Some((paths.longest, if paths.goes_on { f64::INFINITY } else { paths.longest })),
            Measure::SitesCutOff => Some(exactly(paths.share_at_once())),
        }
    }

    /// The busiest concentrator's work over what it could have done, in the target's hours.
    fn utilisation(&self, target: &Target) -> Option<f64> {
        let inside = |bin: usize| target.covers(self.axis.start(bin));
        let of_concentrator = |concentrator: usize| {
            let bins = (0..self.axis.len()).filter(|&bin| inside(bin));
            let (mut done, mut could) = (0.0, 0.0);
            for bin in bins {
                done += self.run.carried[concentrator][bin].iter().sum::<f64>();
                could += self.run.capacity[concentrator][bin];
            }
            done / could
        };
        (0..self.run.carried.len()).map(of_concentrator).filter(|share| share.is_finite()).reduce(f64::max)
    }

    /// The most bytes of the class that waited at the end of the target's hours on any day.
    fn waiting(&self, target: &Target, class: ClassId) -> Option<f64> {
        let ends = |bin: usize| {
            let start = self.axis.start(bin);
            start.clock().0 + self.axis.bin.0 == target.until.0 && target.day.is_none_or(|day| day == start.day())
        };
        let bins = (0..self.axis.len()).filter(|&bin| ends(bin));
        bins.map(|bin| self.run.classes[class.index()][bin].waiting_bytes).reduce(f64::max)
    }

    /// A call was offered.
    fn call(&mut self, now: Time, class: ClassId, site: SiteId, admitted: bool) {
        self.run.ledger.calls += 1;
        for (target, tally) in self.targets.iter().zip(&mut self.tallies) {
            if target.measure == Measure::Refused(class)
                && target.covers(now)
                && let Some(tally) = tally.of(site)
            {
                tally.slow += u64::from(!admitted);
                tally.given_up += 1;
            }
        }
        self.run.ledger.refused += u64::from(!admitted);
        if let Some(bin) = self.bin {
            let here = &mut self.run.classes[class.index()][bin];
            here.started += 1.0;
            here.done += f64::from(u8::from(admitted));
            here.failed += f64::from(u8::from(!admitted));
            let concentrator = self.watch.concentrator_of[site.index()].index();
            self.run.concentrators[concentrator][bin].refused_calls += f64::from(u8::from(!admitted));
        }
    }

    /// Some seconds of a call were judged.
    fn talk(&mut self, now: Time, (class, site): (ClassId, SiteId), seconds: f64, ways: &[Talk; 2], codec: Codec) {
        let rating = voice::rating(ways, codec);
        let is_poor = rating < voice::POOR;
        let (sum, [_, down]) = (&mut self.run.talk[class.index()], ways);
        sum.seconds += seconds;
        sum.poor += if is_poor { seconds } else { 0.0 };
        sum.score += voice::opinion_score(rating) * seconds;
        sum.delay += down.delay * seconds;
        sum.jitter += down.jitter * seconds;
        sum.lost += (down.lost + down.late) * seconds;
        for (target, tally) in self.targets.iter().zip(&mut self.tallies) {
            // What is judged is the time before now.
            if target.measure == Measure::PoorCalls(class)
                && target.covers(Time(now.0 - 1))
                && let Some(tally) = tally.of(site)
            {
                tally.talk += seconds;
                tally.poor += if is_poor { seconds } else { 0.0 };
            }
        }
    }

    fn ended(&mut self, record: &Record) {
        self.count(record);
        if let Some(rows) = &mut self.rows {
            rows.write(record);
        }
        let class = record.class.index();
        if matches!(record.outcome, Outcome::Off | Outcome::Declined | Outcome::OnPaper) {
            return;
        }
        let latency = record.latency.secs();
        if self.waited_for[class] {
            let lost = (latency - record.unloaded.secs()).max(0.0);
            self.run.lost[class] += lost;
            self.run.sites[record.site.index()].lost += lost;
        }
        self.measure(record, latency);
        // The time of a job is nobody's wait: unfinished jobs tell nothing of waits.
        if record.outcome == Outcome::Inside && !self.people[class] {
            return;
        }
        // Most of what ends has begun in the bin that is under way.
        let bin = if record.started >= self.began { self.bin } else { self.axis.bin_of(record.started) };
        let Some(bin) = bin else { return };
        let failed = matches!(record.outcome, Outcome::GivenUp);
        let here = &mut self.run.classes[class][bin];
        here.latency += latency;
        here.counted += 1.0;
        here.parts += record.parts;
        here.failed += f64::from(u8::from(failed));
        here.done += f64::from(u8::from(matches!(record.outcome, Outcome::Done | Outcome::Local)));
        let Some(window) = self.windows.bin_of(record.started) else { return };
        self.run.latencies[class][window].add(record.latency.0 / 1000);
        if record.class == self.watched.class {
            self.watch(record, latency, window);
        }
    }

    fn watch(&mut self, record: &Record, latency: f64, window: usize) {
        let slow = latency > self.watched.limit || record.outcome == Outcome::GivenUp;
        self.run.watched.add(record.latency.0 / 1000);
        let site = &mut self.run.sites[record.site.index()];
        site.count += 1;
        site.slow += u64::from(slow);
        site.latency += latency;
        let (all, slow_ones) = &mut self.run.by_window[window][record.site.index()];
        *all += 1;
        *slow_ones += u32::from(slow);
    }

    fn measure(&mut self, record: &Record, latency: f64) {
        for (target, tally) in self.targets.iter().zip(&mut self.tallies) {
            let counts = match target.measure {
                Measure::Mean(class) | Measure::Quantile(class, _) | Measure::Slow(class) | Measure::GivenUp(class) => {
                    class == record.class
                }
                _ => false,
            };
            if counts
                && target.covers(record.started)
                && self.calendar.watched(record.started)
                && let Some(tally) = tally.of(record.site)
            {
                tally.add(record, latency, self.quick[record.class.index()]);
            }
        }
    }

    fn count(&mut self, record: &Record) {
        let ledger = &mut self.run.ledger;
        match record.outcome {
            Outcome::Done => ledger.done += 1,
            Outcome::Local => ledger.local += 1,
            Outcome::GivenUp => ledger.given_up += 1,
            Outcome::Off => ledger.off += 1,
            Outcome::Declined => ledger.declined += 1,
            Outcome::OnPaper => ledger.by_hand += 1,
            Outcome::Inside => ledger.inside += 1,
        }
    }

    /// Adds what went through since the last snapshot to the bin that ends now.
    fn snapshot(&mut self, now: Time, snapshot: &Snapshot) {
        let bin = std::mem::replace(&mut self.bin, self.axis.bin_of(now));
        self.began = now;
        for (index, concentrator) in snapshot.concentrators.iter().enumerate() {
            if let Some(bin) = bin {
                for (class, carried) in concentrator.carried.iter().enumerate() {
                    self.run.carried[index][bin][class] += (carried - self.last[index][class]).max(0.0);
                }
                self.run.capacity[index][bin] += concentrator.capacity - self.last_capacity[index];
                self.run.queue[index][bin] = concentrator.queue[self.watched.class.index()];
            }
            self.last[index].clone_from(&concentrator.carried);
            self.last_capacity[index] = concentrator.capacity;
            self.run.tunnels[index] = concentrator.tunnels;
            let last = std::mem::replace(
                &mut self.last_responders[index],
                (concentrator.handshakes, concentrator.turned_away),
            );
            if let Some(bin) = bin {
                let here = &mut self.run.concentrators[index][bin];
                (here.tunnels, here.half_open) = (concentrator.tunnels.into(), concentrator.half_open.into());
                (here.down, here.at_ceiling) = (f64::from(u8::from(concentrator.down)), concentrator.at_ceiling.into());
                #[allow(clippy::cast_precision_loss)] // counts stay below 2^53
                let since = |now: u64, last: u64| (now - last) as f64;
                here.handshakes = since(concentrator.handshakes, last.0);
                here.turned_away = since(concentrator.turned_away, last.1);
            }
        }
        let Some(bin) = bin else { return };
        self.run.cut_off[bin] = snapshot.cut_off.into();
        self.run.on_paper[bin] = snapshot.on_paper;
        #[allow(clippy::cast_precision_loss)] // counts and bytes stay below 2^53
        for (class, snapshot) in snapshot.classes.iter().enumerate() {
            let here = &mut self.run.classes[class][bin];
            here.waiting = snapshot.waiting as f64;
            here.waiting_bytes = snapshot.waiting_bytes as f64;
            here.active = snapshot.active as f64;
        }
    }
}

impl Observer for Recorder<'_> {
    /// Inlined where a fact is stated: its variant is known there, so that the match costs nothing.
    #[inline]
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::Started { class, .. } => {
                self.run.ledger.started += 1;
                if let Some(bin) = self.bin {
                    self.run.classes[class.index()][bin].started += 1.0;
                }
            }
            #[allow(clippy::cast_precision_loss)]
            Fact::Asked { class, bytes } => {
                if let Some(bin) = self.bin {
                    self.run.classes[class.index()][bin].offered += bytes.0 as f64;
                }
            }
            Fact::BytesResolved { class, bytes, served } => {
                if *served {
                    self.run.ledger.served_bytes += bytes.0;
                    self.run.served[class.index()] += bytes.0;
                }
            }
            Fact::Ended(record) => self.ended(record),
            Fact::Call { class, site, admitted } => self.call(now, *class, *site, *admitted),
            Fact::Snapshot(snapshot) => self.snapshot(now, snapshot),
            Fact::TunnelAttached { site, concentrator } => self.watch.concentrator_of[site.index()] = *concentrator,
            Fact::Reachability { site, up } => self.watch.path(now, *site, *up),
            Fact::Dropped { .. } => self.run.ledger.dropped += 1,
            Fact::Cancelled { .. } => self.run.ledger.cancelled += 1,
            Fact::Entered { .. } => self.run.ledger.entered += 1,
            Fact::Talk { class, site, seconds, codec, ways } => self.talk(now, (*class, *site), *seconds, ways, *codec),
            Fact::OnPaper { .. } | Fact::Deferred { .. } => {}
        }
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.rows.as_ref().is_some_and(|rows| rows.fault.is_some())
    }
}
