//! A traffic: what one class brings from one kind of sites to one concentrator, and what becomes of it.

use std::sync::Arc;

use crate::model::{Class, Demand, Model, Site, Tcp};
use crate::scenario::check::target::Target;
use crate::sim::cost::{ServiceCost, TunnelLimit};
use crate::study::axis::Axis;
use crate::study::forecast::actions::{ACTIONS, Action, Sizes, actions, typical_sizes};
use crate::study::forecast::concentrator::ConcentratorState;
use crate::study::forecast::detail::{Detail, SHORTEST};
use crate::study::forecast::group::Group;
use crate::study::forecast::in_progress::Ended;
use crate::study::forecast::latencies::Latencies;
use crate::study::forecast::met::{Price, met};
use crate::study::forecast::site_kinds::SiteKinds;
use crate::study::forecast::starts::{Steps, Wanted, here, wanted};
use crate::study::forecast::tunnels::TunnelForecast;
use crate::study::record::FocusClass;
use crate::units::{Duration, Time, TimeOfDay, float};

/// What is known before a day begins.
#[derive(Clone)]
pub struct Terms<'a> {
    /// The set-up.
    pub model: &'a Model,
    /// None where transport is ideal.
    pub tcp: Option<Tcp>,
    /// Its sites.
    pub estate: Arc<SiteKinds>,
    /// What becomes of their tunnels.
    pub tunnels: Arc<TunnelForecast>,
    /// By class: sizes of its actions.
    pub sizes: Arc<Vec<Sizes>>,
    /// By class: what its actions take that are served on site or go round the headend [s]; none where none do.
    pub elsewhere: Arc<Vec<Vec<f64>>>,
    /// What each class wants.
    pub wanted: Vec<Wanted>,
    /// The steps of the run.
    pub steps: Steps,
    /// What is to be told.
    pub targets: Arc<[Target]>,
    /// The class of which it is told what it takes, window by window.
    pub focus: usize,
    /// These windows.
    pub windows: Axis,
}

impl<'a> Terms<'a> {
    /// Those of usual days, as finely as is asked for, until a time of day.
    #[must_use]
    pub fn of(model: &'a Model, targets: &[Target], detail: Detail, until: TimeOfDay) -> Self {
        let watched = (until.hours() - model.calendar.from.hours()) * 3600.0;
        let length = (watched / detail.steps).clamp(SHORTEST, detail.longest);
        let end = until.on(u64::from(model.calendar.days) - 1);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // some weeks
        let count = (end.secs() / length - 1e-9).ceil() as usize;
        let steps = Steps { length, count };
        let focus = FocusClass::of(model, targets).class;
        let sizes = |class: &Class| if asks(class) { typical_sizes(class) } else { Vec::new() };
        let sizes: Vec<Sizes> = model.classes.iter().map(sizes).collect();
        let estate = SiteKinds::of(model, detail.kinds);
        let like = &model.sites[estate.kinds[0].like];
        let alone = |(class, sizes): (&Class, &Sizes)| {
            let all = actions(class, sizes, &model.concentrators[0], model.transport, like);
            all.iter().map(|action| action.idle).collect()
        };
        let goes = |class: &Class| !class.rules.cached.is_empty() || !class.rules.break_out.is_empty();
        let elsewhere = model.classes.iter().zip(&sizes);
        let elsewhere = elsewhere.map(|(class, sizes)| if goes(class) { alone((class, sizes)) } else { Vec::new() });
        Self {
            model,
            tcp: model.transport.tcp(),
            elsewhere: Arc::new(elsewhere.collect()),
            estate: Arc::new(estate),
            tunnels: Arc::new(TunnelForecast::of(model, focus)),
            sizes: Arc::new(sizes),
            wanted: (0..model.classes.len()).map(|class| wanted(model, class, steps)).collect(),
            steps,
            targets: targets.into(),
            focus: focus.index(),
            windows: Axis::of(model).windows(),
        }
    }

    /// The site that stands for all of a kind.
    #[must_use]
    pub fn like(&self, kind: usize) -> &Site {
        &self.model.sites[self.estate.kinds[kind].like]
    }

    /// Targets that look at what a class begins at an instant, and, for the focus class, the window in which that is.
    #[must_use]
    pub fn watching(&self, class: usize, now: Time) -> Vec<usize> {
        let looks =
            |target: &Target| target.measure.class().is_some_and(|of| of.index() == class) && target.covers(now);
        let targets = (0..self.targets.len()).filter(|place| looks(&self.targets[*place]));
        let window = (class == self.focus).then(|| self.windows.bin_of(now)).flatten();
        targets.chain(window.map(|window| self.targets.len() + window)).collect()
    }

    /// Targets that look at what a class begins in a step: how long ago that was wanted [s], which share of it that is, and the
    /// target.
    pub(super) fn watching_starts(&self, class: usize, step: usize) -> Vec<(f64, f64, usize)> {
        let wanted = match &self.wanted[class] {
            Wanted::Open(starts) => starts.wanted_in(step),
            _ => vec![(step, 1.0)],
        };
        let mut found = Vec::new();
        for (wanted, share) in wanted.into_iter().filter(|(_, share)| *share > 0.0) {
            let at = self.steps.begins(wanted);
            let since = self.steps.begins(step).since(at).secs();
            found.extend(self.watching(class, at).into_iter().map(|target| (since, share, target)));
        }
        found
    }
}

/// What one class brings from one kind of sites to one concentrator.
pub struct Traffic {
    /// Which concentrator.
    pub concentrator: usize,
    /// What the concentrator knows of it.
    pub group: Group,
    /// Share of the demand of the class.
    pub share: f64,
    /// Those who begin again in the next step.
    pub again: f64,
    actions: Vec<Action>,
    price: Price,
    trips: [f64; 3],
    /// By step: which actions outlast it, a bit each, and what those that began then take beside what they share for [s].
    outlast: Vec<u64>,
    rounds: Vec<f64>,
    /// How long one shares lately [s].
    shares_for: f64,
}

impl Traffic {
    /// One with nothing under way.
    #[must_use]
    pub fn new(terms: &Terms<'_>, concentrator: &ConcentratorState, (at, class, kind): (usize, usize, usize)) -> Self {
        let model = terms.model;
        let like = terms.like(kind);
        let kinds = &terms.estate.kinds[kind];
        let group =
            Group { uneven: kinds.uneven, access: access(concentrator, model, like), ..Group::new(class, kind) };
        Self {
            concentrator: at,
            group,
            share: 0.0,
            again: 0.0,
            actions: actions(&model.classes[class], &terms.sizes[class], &concentrator.terms, model.transport, like),
            price: Price::default(),
            trips: kinds.trips,
            outlast: Vec::new(),
            rounds: Vec::new(),
            shares_for: 0.0,
        }
    }

    /// Its class.
    fn class<'a>(&self, terms: &'a Terms<'_>) -> &'a Class {
        &terms.model.classes[self.group.class]
    }

    /// What begins in a step.
    pub fn begin(&mut self, terms: &Terms<'_>, step: usize) {
        // Before it was made it had no part of the demand.
        while self.rounds.len() < step {
            self.group.in_progress.pass(0.0, 0.0, |_| ());
            self.rounds.push(0.0);
            self.outlast.push(0);
        }
        let dt = terms.steps.length;
        let new = match &terms.wanted[self.group.class] {
            Wanted::Open(starts) => starts.counts[step] * self.share / dt,
            Wanted::People(people, think) => {
                let here = here(self.class(terms), terms.steps.begins(step));
                let (all, idle) = (people[step] * self.share * here, think + self.price.rounds());
                // Those who share for some steps are seen to be away; the others come back within the step.
                if self.shares_for > 2.0 * dt {
                    (all - self.group.in_progress.inside()).max(0.0) / idle
                } else {
                    all / (idle + self.shares_for)
                }
            }
            Wanted::Calls(..) | Wanted::Steady(_) | Wanted::Nothing => 0.0,
        };
        self.group.starts = new + std::mem::take(&mut self.again) / dt;
        if self.group.starts <= 0.0 {
            self.group.bursts = 0.0;
            return;
        }
        let (work, squares) = self.price.bursts();
        self.group.bursts = work * self.group.starts;
        self.group.batch = squares / work.max(1e-9);
    }

    /// What its actions meet from now on.
    pub fn meet(&mut self, terms: &Terms<'_>, concentrator: &ConcentratorState) {
        if self.group.starts <= 0.0 && !self.price.is_empty() {
            return;
        }
        let buffer = terms.tcp.map_or(0.0, |tcp| tcp.access_buffer.secs());
        let all =
            met(concentrator, &self.group, terms.like(self.group.kind), (crate::stats::mean(&self.trips), buffer));
        let class = self.class(terms);
        self.price.update(all, class, &self.actions, terms.tcp.as_ref(), self.trips);
        self.group.shared = self.price.shared();
    }

    /// A step passes: some end, others begin, and some lose patience.
    pub fn pass(&mut self, terms: &Terms<'_>, step: usize, latencies: &mut [Latencies]) {
        let (dt, now) = (terms.steps.length, terms.steps.begins(step));
        let (starts, gets) = (self.group.starts * dt, self.group.rate * dt);
        self.group.in_progress.share_for(&self.group.shared);
        let outlasts = |(action, shared): (usize, &f64)| u64::from(*shared > gets) << action;
        let begins = starts > 0.0;
        self.outlast.push(if begins { self.group.shared.iter().enumerate().map(outlasts).sum() } else { 0 });
        self.rounds.push(if begins { self.price.rounds() } else { 0.0 });
        self.tell(terms, step, latencies);
        let patience = patience(self.class(terms));
        let Self { group, outlast, rounds, .. } = self;
        let class = group.class;
        group.in_progress.pass(starts, gets, |ended: Ended| {
            if outlast[ended.began] >> ended.action & 1 == 0 {
                return;
            }
            // The last of a step began at its end, and is over half way through this one, on average.
            let took = now.since(terms.steps.begins(ended.began)).secs() - dt / 2.0 + rounds[ended.began];
            for (since, share, target) in terms.watching_starts(class, ended.began) {
                latencies[target].add(ended.count * share, took.min(patience) + since);
            }
        });
        self.lose_patience(terms, step, latencies);
        let mean = crate::stats::mean(&self.group.shared) / self.group.rate.max(1.0);
        // Half way: what people wait for changes what they meet.
        self.shares_for += 0.5 * (mean.min(patience) - self.shares_for);
    }

    /// Tells of those that are over within the step.
    fn tell(&mut self, terms: &Terms<'_>, step: usize, latencies: &mut [Latencies]) {
        let targets = terms.watching_starts(self.group.class, step);
        let starts = self.group.starts * terms.steps.length;
        if targets.is_empty() || starts <= 0.0 {
            return;
        }
        let class = self.class(terms);
        let (patience, tries) = (patience(class), f64::from(class.retries) + 1.0);
        let outlast = self.outlast[step];
        self.price.latencies(|action, share, took| {
            if outlast >> action & 1 == 1 {
                return;
            }
            for (since, part, target) in &targets {
                let count = starts * share * part;
                if took > patience {
                    latencies[*target].add_given_up(count, since + patience * tries);
                } else {
                    latencies[*target].add(count, since + took);
                }
            }
        });
    }

    /// Those who have waited too long try again, or give up.
    fn lose_patience(&mut self, terms: &Terms<'_>, step: usize, latencies: &mut [Latencies]) {
        let class = self.class(terms);
        let (patience, tries) = (patience(class), f64::from(class.retries) + 1.0);
        if patience.is_infinite() {
            return;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // steps
        let before = (step + 1).saturating_sub((patience / terms.steps.length).ceil() as usize);
        let began = terms.steps.begins(before.saturating_sub(1));
        for action in 0..ACTIONS {
            let lost = self.group.in_progress.give_up(action, before);
            if lost <= 0.0 {
                continue;
            }
            for target in terms.watching(self.group.class, began) {
                latencies[target].add_given_up(lost / tries, patience * tries);
            }
            self.again += lost * (1.0 - 1.0 / tries);
        }
    }

    /// Bytes of responses that those who share still wait for.
    #[must_use]
    pub fn bytes_left(&self) -> f64 {
        let (bytes, work) = self.actions.iter().fold((0.0, 0.0), |sum, action| {
            let bytes: u64 = action.turns.iter().map(|turn| turn.turn.response.0).sum();
            (sum.0 + float(bytes), sum.1 + action.work)
        });
        self.group.in_progress.work_left() * bytes / work.max(1.0)
    }

    /// Tells of those that are still under way at the end.
    pub fn close(&self, terms: &Terms<'_>, latencies: &mut [Latencies]) {
        let end = terms.steps.begins(terms.steps.count);
        self.group.in_progress.in_progress(|began, count| {
            let inside = end.since(terms.steps.begins(began)).secs();
            for (since, share, target) in terms.watching_starts(self.group.class, began) {
                latencies[target].add(count * share, since + inside);
            }
        });
    }
}

/// Whether a class asks for transfers.
pub(super) fn asks(class: &Class) -> bool {
    !class.demand.is_of_calls() && !matches!(class.demand, Demand::Replayed | Demand::Staff { .. })
}

/// How long people wait [s].
pub(super) fn patience(class: &Class) -> f64 {
    class.patience.map_or(f64::INFINITY, Duration::secs)
}

/// Rate of a site's access link [bit/s of work].
fn access(concentrator: &ConcentratorState, model: &Model, site: &Site) -> f64 {
    let Some(cost) = ServiceCost::of(&concentrator.terms) else { return site.down.bits() };
    TunnelLimit::of(&concentrator.terms, &cost, model.transport).access_rate(site, cost.access_scale(model.transport))
}
