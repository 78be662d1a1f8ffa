//! The control variate: a fluid forecast of a day's queue, computed before the day is simulated.
//!
//! Arrivals of open classes and jobs do not depend on responses, so they can be drawn before the simulation. A fluid that serves
//! this work first come, first served, costs a thousandth of a simulated day and explains most of the variance between days.
//! Its mean over many days is known. Regression on it removes from an estimate what chance put into the simulated days (control
//! variates; as a model of lesser fidelity: Peherstorfer, Willcox & Gunzburger 2016).

use std::sync::atomic::{AtomicBool, Ordering};

use crate::model::{
    Arrivals, Class, Codec, Curfew, DayLevel, Demand, Discipline, Fidelity, Model, Release, Transport, taken,
};
use crate::random::{Distribution, Key, Purpose, name_of};
use crate::scenario::check::target::{Measure, Target};
use crate::sim::cost::{PriorTraffic, ServiceCost};
use crate::sim::turn::Turn;
use crate::sim::workload::draws::{DrawKey, JobTerms, Poisson, jobs_of_day, sizes};
use crate::stats::Tally;
use crate::stats::estimate::{ControlVariate, LEAST, observations};
use crate::study::forecast::starts::here;
use crate::units::{Bytes, Duration, Time, TimeOfDay, float};

/// Days over which the fluid's mean is taken.
const DAYS: u32 = 200;
/// Number of the first of these days: beyond those of all replications.
const APART: u32 = 1 << 31;
/// Length of a step [s].
pub const STEP: f64 = 30.0;

/// A fluid's day at one set-up.
pub struct Fluid<'a> {
    model: &'a Model,
    targets: &'a [Target],
    site_names: Vec<u64>,
    cost: Option<ServiceCost>,
    /// Mean work of users and streams by step, as on an idle network [bit].
    expected: Vec<f64>,
    /// Work that can be done in a step [bit].
    capacity: f64,
}

/// The fluid's mean delay in a target's hours: on the days of the study, and on many others.
#[derive(Clone, Debug, Default)]
pub struct Forecast {
    /// By replication [s].
    days: Vec<f64>,
    others: Vec<f64>,
    /// Whether the queue is long enough to decide the figure; known without any simulated day.
    matters: bool,
}

impl Forecast {
    /// What was forecast of the days of a study, and of others; it matters.
    #[cfg(test)]
    #[must_use]
    pub fn known(days: Vec<f64>, others: Vec<f64>) -> Self {
        Self { days, others, matters: true }
    }

    /// The forecast as a control variate, if it matters.
    #[must_use]
    pub fn control(&self) -> Option<ControlVariate<'_>> {
        let known = self.others.iter().copied().collect::<Tally>().estimate();
        self.matters.then_some(ControlVariate { values: &self.days, mean: known.mean, error: known.error })
    }

    /// The same by observation.
    #[must_use]
    pub fn observed(&self, antithetic: bool) -> Self {
        let observed = |values: &[f64]| observations(values, antithetic);
        Self { days: observed(&self.days), others: observed(&self.others), matters: self.matters }
    }

    /// The forecast of a difference on the same days; of a set-up without one the other's is all that is known.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let value = |values: &[f64], place: usize| values.get(place).copied().unwrap_or(0.0);
        let by = |a: &[f64], b: &[f64]| (0..a.len().max(b.len())).map(|at| value(a, at) - value(b, at)).collect();
        Self {
            days: by(&self.days, &other.days),
            others: by(&self.others, &other.others),
            matters: self.matters || other.matters,
        }
    }
}

/// The forecasts of a set-up, target by target.
pub struct Forecasts<'a> {
    fluid: Option<Fluid<'a>>,
    /// By target.
    targets: Vec<Forecast>,
}

impl<'a> Forecasts<'a> {
    /// Nothing is forecast yet. Only single days of a set-up that serves first come, first served, will be: for others the fluid
    /// explains too little.
    #[must_use]
    pub fn of(model: &'a Model, targets: &'a [Target]) -> Self {
        let first_come = model.concentrators.iter().all(|concentrator| concentrator.discipline == Discipline::Fifo);
        let plain = model.changes.is_empty() && model.faults.is_empty() && model.replay.is_none();
        let suits = model.calendar.days == 1 && model.fidelity == Fidelity::Flow && first_come && plain;
        Self { fluid: suits.then(|| Fluid::of(model, targets)), targets: vec![Forecast::default(); targets.len()] }
    }

    /// The forecast for a target; none where the fluid explains too little.
    #[must_use]
    pub fn of_target(&self, target: usize) -> Option<&Forecast> {
        self.fluid.as_ref().and_then(|_| self.targets.get(target))
    }

    /// Forecasts the days of so many replications, where there are enough for a regression. Returns at once when asked to stop.
    pub fn reach(&mut self, replications: u32, stop: &AtomicBool) {
        let Some(fluid) = self.fluid.as_ref().filter(|_| replications >= LEAST) else { return };
        if self.targets.iter().any(|forecast| forecast.others.is_empty()) {
            fluid.mean_of(&mut self.targets, stop);
        }
        let known = self.targets.first().map_or(0, |forecast| forecast.days.len());
        let wanted = u32::try_from(known).unwrap_or(replications)..replications;
        for replication in wanted.take_while(|_| !stop.load(Ordering::Relaxed)) {
            let delays = fluid.day(replication);
            self.targets.iter_mut().zip(delays).for_each(|(forecast, delay)| forecast.days.push(delay));
        }
    }
}

impl<'a> Fluid<'a> {
    /// The fluid of a model, up to the last hour of its targets.
    #[must_use]
    pub fn of(model: &'a Model, targets: &'a [Target]) -> Self {
        let until = targets.iter().map(|target| target.until).max().unwrap_or(TimeOfDay(0));
        Self::up_to(model, targets, until)
    }

    /// The fluid of a model, up to a time of day.
    #[must_use]
    pub fn up_to(model: &'a Model, targets: &'a [Target], until: TimeOfDay) -> Self {
        let open =
            model.concentrators.iter().filter(|concentrator| concentrator.opens == Time(0) && !concentrator.standby);
        let capacity = open.map(|concentrator| concentrator.carries().0.bits()).sum::<f64>() * STEP;
        let site_names = model.sites.iter().map(|site| name_of(&site.name)).collect();
        let cost = ServiceCost::of(&model.concentrators[0]);
        let mut fluid = Self { model, targets, site_names, cost, expected: Vec::new(), capacity };
        fluid.expected = vec![0.0; step(until.on(0)) + 1];
        for class in &model.classes {
            fluid.expect(class);
        }
        fluid
    }

    /// The mean for each target over many days, and whether it is long enough to decide what the target measures.
    fn mean_of(&self, forecasts: &mut [Forecast], stop: &AtomicBool) {
        for other in (0..DAYS).take_while(|_| !stop.load(Ordering::Relaxed)) {
            let delays = self.day(APART + other);
            forecasts.iter_mut().zip(delays).for_each(|(forecast, delay)| forecast.others.push(delay));
        }
        for (forecast, target) in forecasts.iter_mut().zip(self.targets) {
            let patience = match target.measure {
                Measure::Mean(_) | Measure::Quantile(..) => target.limit,
                Measure::Slow(class) | Measure::GivenUp(class) => self.model.classes[class.index()].quick.secs(),
                _ => f64::INFINITY,
            };
            forecast.matters = mean(&forecast.others) > patience;
        }
    }

    /// By target: mean delay in its hours on a day [s].
    #[must_use]
    pub fn day(&self, replication: u32) -> Vec<f64> {
        let mut work = self.offered(replication);
        let mut queue = 0.0_f64;
        for work in &mut work {
            queue = (queue + *work - self.capacity).max(0.0);
            *work = queue * STEP / self.capacity;
        }
        self.targets.iter().map(|target| mean(&work[hours(target, work.len())])).collect()
    }

    /// By step of [`STEP`] seconds since midnight: work that comes to the headend on a day [bit].
    #[must_use]
    pub fn offered(&self, replication: u32) -> Vec<f64> {
        let key = self.model.key(replication);
        let level = self.model.level(replication, 0);
        let mut work: Vec<f64> = self.expected.iter().map(|work| work * level.demand()).collect();
        for class in &self.model.classes {
            for (named, at) in drawn(class, &self.site_names, key, (self.model.calendar.weekday, level)) {
                let starts = start(class, &named, at);
                if let Some(step) = starts.map(step).filter(|step| *step < work.len()) {
                    work[step] += self.work(class, sizes(&named, class));
                }
            }
        }
        work
    }

    /// Work of the turns of an action [bit].
    fn work(&self, class: &Class, turns: impl Iterator<Item = (Bytes, Bytes)>) -> f64 {
        let (Transport::Tcp(tcp), Some(cost)) = (self.model.transport, self.cost) else {
            return turns.map(|(request, response)| request.bits() + response.bits()).sum();
        };
        let cost = cost.over(tcp);
        let mut crossed = PriorTraffic::default();
        let own = |(request, response)| {
            let turn = Turn::new(request, response, tcp.segment);
            let work = cost.turn(class, &turn, crossed);
            crossed = crossed.and(&turn);
            work
        };
        turns.map(own).sum()
    }

    /// Adds what users and streams of a class bring on average.
    fn expect(&mut self, class: &Class) {
        let weekday = usize::from(self.model.calendar.weekday);
        let per_second: Box<dyn Fn(TimeOfDay) -> f64> = match &class.demand {
            Demand::Users { workstations, activity, weekdays, think, .. } => {
                let each = self.mean_work(class) / (think.mean() + self.idle(class));
                let people: u32 = workstations.iter().sum();
                let factor = each * f64::from(people) * weekdays[weekday];
                let activity = activity.clone();
                Box::new(move |clock| factor * activity.at(clock))
            }
            Demand::Streams { arrivals, length, codec } => {
                let factor = arrivals.per_day * arrivals.weekdays[weekday] * length.mean() * self.stream(*codec);
                let profile = arrivals.profile.clone();
                Box::new(move |clock| {
                    let next = TimeOfDay(clock.0 + Duration::of_secs(STEP).0);
                    factor * (profile.at(next) - profile.at(clock)) / STEP
                })
            }
            Demand::Steady { each, codec } => {
                let factor = f64::from(*each) * float(self.model.sites.len() as u64) * self.stream(*codec);
                Box::new(move |_| factor)
            }
            _ => return,
        };
        for (place, work) in self.expected.iter_mut().enumerate() {
            let clock = at_step(place);
            *work += per_second(clock) * STEP * (1.0 - elsewhere(class, clock.on(0)));
        }
    }

    /// Mean work of an action of a class [bit].
    #[must_use]
    pub fn mean_work(&self, class: &Class) -> f64 {
        let bytes = |law: &Distribution| Bytes(whole(law.mean()));
        let turn = (bytes(&class.request), bytes(&class.response));
        self.work(class, std::iter::repeat_n(turn, usize::from(class.turns)))
    }

    /// Approximate duration of an action on an idle network: a round trip and the server time for each turn [s].
    fn idle(&self, class: &Class) -> f64 {
        let sites = &self.model.sites;
        let rtt: Tally = sites.iter().map(|site| site.rtt.secs()).collect();
        f64::from(class.turns) * (rtt.mean() + class.server.secs())
    }

    fn stream(&self, codec: Codec) -> f64 {
        let cost = self.cost.as_ref();
        cost.map_or(0.0, |cost| cost.stream(codec.packet.0, 1.0 / codec.every.secs()))
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // sizes
fn whole(value: f64) -> u64 {
    value.round().max(0.0) as u64
}

fn step(at: Time) -> usize {
    usize::try_from(at.0 / Duration::of_secs(STEP).0).unwrap_or(usize::MAX)
}

fn at_step(place: usize) -> TimeOfDay {
    TimeOfDay(place as u64 * Duration::of_secs(STEP).0)
}

fn hours(target: &Target, steps: usize) -> std::ops::Range<usize> {
    let last = step(target.until.on(0)).min(steps);
    step(target.from.on(0)).min(last)..last
}

fn mean(values: &[f64]) -> f64 {
    values.iter().copied().collect::<Tally>().mean()
}

/// Arrivals of a class on a day that do not depend on responses, with their times.
fn drawn(class: &Class, site_names: &[u64], key: Key, (weekday, level): (u8, DayLevel)) -> Vec<(DrawKey, Time)> {
    let name = name_of(&class.name);
    match &class.demand {
        Demand::Open(arrivals) => arrivals_of(arrivals, name, key, (weekday, level)),
        Demand::Jobs { workstations, share, start, peak, weekdays, .. } if weekdays[usize::from(weekday)] => {
            let terms =
                JobTerms { workstations, site_names, share: share.0 * level.demand(), start: *start, peak: *peak };
            jobs_of_day(key, name, 0, terms).into_iter().map(|(at, _, named)| (named, at)).collect()
        }
        _ => Vec::new(),
    }
}

fn arrivals_of(arrivals: &Arrivals, name: u64, key: Key, (weekday, level): (u8, DayLevel)) -> Vec<(DrawKey, Time)> {
    let mean = arrivals.per_day * arrivals.weekdays[usize::from(weekday)] * level.demand();
    let mut process = Poisson::begin(0, mean);
    std::iter::from_fn(|| process.next(key, name, arrivals)).collect()
}

/// The time at which it reaches the headend under the rules of its class; none if it does not.
fn start(class: &Class, named: &DrawKey, at: Time) -> Option<Time> {
    let rules = &class.rules;
    let mut chances = named.stream(Purpose::Chance);
    let (cache, around, obey) = (chances.uniform(), chances.uniform(), chances.uniform());
    let forbids = |from: Time, until: Time| from <= at && at < until;
    // Of several that end together the last one counts.
    let holds = |curfew: &&Curfew| forbids(curfew.from, curfew.until) && obey < curfew.compliance.0;
    let released = rules.curfews.iter().rev().find(holds);
    let at = released.map_or(at, |curfew| match curfew.release {
        Release::AtOnce => curfew.until,
        Release::Spread(over) | Release::Jittered(over) => {
            curfew.until + Duration::of_secs(over.secs() * named.stream(Purpose::Release).uniform())
        }
    });
    let off = rules.switched_off.iter().any(|&(from, until)| from <= at && at < until);
    let away = cache < taken(&rules.cached, at) || around < taken(&rules.break_out, at);
    (!off && !away).then_some(at)
}

/// Share of a class that does not pass the headend.
fn elsewhere(class: &Class, at: Time) -> f64 {
    1.0 - here(class, at)
}
