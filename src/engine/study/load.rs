//! Offered load by hour against the capacity of the concentrators, computed before anything is simulated.

use crate::model::{ChangeKind, Class, Concentrator, Demand, Model, Pool, PoolId};
use crate::scenario::idle::unreached;
use crate::sim::cost::ServiceCost;
use crate::study::forecast::actions::{Action, actions, typical_sizes};
use crate::study::forecast::site_kinds::SiteKinds;
use crate::study::forecast::starts::{Steps, Wanted, here, wanted};
use crate::units::{NANOS, Time, TimeOfDay, float};

/// Length of a step [s].
const STEP: f64 = 60.0;

/// The load offered to the concentrators of a pool.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// Names of the concentrators that carry it.
    pub concentrators: Vec<String>,
    /// Their capacity together [bit/s].
    pub carries: f64,
    /// Hours of the run.
    pub hours: Vec<Hour>,
    /// Mean calls in progress in the busiest hour, and the most that are admitted.
    pub calls: Option<(f64, Option<u64>)>,
    /// Tunnels that sites request, and the most that are held.
    pub tunnels: (u64, Option<u64>),
}

/// An hour.
#[derive(Clone, Debug, PartialEq)]
pub struct Hour {
    /// When it begins [h].
    pub from: usize,
    /// Offered load by class, as a share of the capacity.
    pub by_class: Vec<f64>,
}

impl Hour {
    /// Offered load of all classes, as a share of the capacity.
    #[must_use]
    pub fn load(&self) -> f64 {
        self.by_class.iter().sum()
    }
}

impl Offered {
    /// The hour with the most.
    #[must_use]
    pub fn busiest(&self) -> Option<&Hour> {
        self.hours.iter().max_by(|a, b| a.load().total_cmp(&b.load()).then(b.from.cmp(&a.from)))
    }
}

/// The load offered to each pool that serves sites; none where a replay drives the run, or the capacity changes during the day.
#[must_use]
pub fn offered(model: &Model) -> Vec<Offered> {
    let changes = |what: &ChangeKind| matches!(what, ChangeKind::ReplaceDevice { .. } | ChangeKind::Migrate { .. });
    if model.replay.is_some() || !model.faults.is_empty() || model.changes.iter().any(|edit| changes(&edit.kind)) {
        return Vec::new();
    }
    let work: Vec<Vec<f64>> = (0..model.classes.len()).map(|class| by_hour(model, class)).collect();
    let patients: f64 = model.sites.iter().map(|site| f64::from(site.patients)).sum();
    let pools = model.pools.iter().enumerate().map(|(place, pool)| (PoolId::of(place), pool));
    pools.filter_map(|(id, pool)| of_pool(model, (id, pool), &work, patients)).collect()
}

fn of_pool(model: &Model, (id, pool): (PoolId, &Pool), work: &[Vec<f64>], patients: f64) -> Option<Offered> {
    let idle: Vec<&str> = unreached(model).iter().map(|concentrator| concentrator.name.as_str()).collect();
    let here = |place: &usize| {
        let concentrator = &model.concentrators[*place];
        !concentrator.standby && concentrator.opens == Time(0) && !idle.contains(&concentrator.name.as_str())
    };
    let concentrators: Vec<usize> =
        pool.concentrators.iter().map(|concentrator| concentrator.index()).filter(here).collect();
    let sites = model.sites.iter().zip(&model.pool_of).filter(|(_, other)| **other == id);
    let (count, of_pool) = sites.fold((0, 0.0), |sum, (site, _)| (sum.0 + 1, sum.1 + f64::from(site.patients)));
    let carries: f64 =
        concentrators.iter().map(|concentrator| model.concentrators[*concentrator].carries().0.bits()).sum();
    if count == 0 || carries <= 0.0 || patients <= 0.0 {
        return None;
    }
    let share = of_pool / patients;
    let hours = hours(model).map(|hour| Hour {
        from: hour,
        by_class: work.iter().map(|work| work[hour] * share / (3600.0 * carries)).collect(),
    });
    let most = |limit: fn(&Concentrator) -> Option<u32>| {
        concentrators
            .iter()
            .map(|concentrator| limit(&model.concentrators[*concentrator]).map(u64::from))
            .sum::<Option<u64>>()
    };
    let calls = busiest_calls(model).map(|calls| (calls * share, most(|concentrator| concentrator.streams)));
    Some(Offered {
        concentrators: concentrators
            .iter()
            .map(|concentrator| model.concentrators[*concentrator].name.clone())
            .collect(),
        carries,
        hours: hours.collect(),
        calls,
        tunnels: (count, most(|concentrator| concentrator.tunnels)),
    })
}

/// Hours of the run.
fn hours(model: &Model) -> impl Iterator<Item = usize> {
    let whole_hours = |seconds: f64| (0..24).take_while(|hour| f64::from(hour + 1) * 3600.0 <= seconds + 1e-6).count();
    let (from, until) = (model.calendar.from, model.calendar.until);
    let last = whole_hours(until.hours() * 3600.0);
    let last = if f64::from(u8::try_from(last).unwrap_or(24)) < until.hours() { last + 1 } else { last };
    whole_hours(from.hours() * 3600.0)..last.min(24)
}

/// What a class brings in a step, on average: transactions, jobs and calls that begin, and their work [bit].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Brought {
    /// How many.
    pub count: f64,
    /// Their work [bit].
    pub work: f64,
}

/// What a class brings in each step of [`STEP`] seconds of a day, as if the network were idle: those who wait ask less often.
fn by_step(model: &Model, place: usize) -> Vec<Brought> {
    let class = &model.classes[place];
    let steps = Steps { length: STEP, count: whole(model.calendar.until.hours() * 3600.0 / STEP) };
    let at_once = |count: f64, work: f64| Brought { count, work: count * work };
    match wanted(model, place, steps) {
        Wanted::Open(starts) => {
            let (work, _) = mean_action(model, class);
            starts.counts.iter().map(|count| at_once(*count, work)).collect()
        }
        Wanted::People(people, think) => {
            let (work, idle) = mean_action(model, class);
            let acts = |(step, people): (usize, &f64)| people * here(class, steps.begins(step)) * STEP / (think + idle);
            people.iter().enumerate().map(|step| at_once(acts(step), work)).collect()
        }
        Wanted::Calls(calls, length) => {
            calls.iter().map(|calls| at_once(*calls, length * talk(model, class))).collect()
        }
        Wanted::Steady(calls) => {
            let work = |step| calls * here(class, steps.begins(step)) * STEP * talk(model, class);
            (0..steps.count).map(|step| Brought { count: 0.0, work: work(step) }).collect()
        }
        Wanted::Nothing => Vec::new(),
    }
}

/// Mean work of an action of a class [bit], and what it takes on an idle network [s].
fn mean_action(model: &Model, class: &Class) -> (f64, f64) {
    let like = &model.sites[SiteKinds::of(model, 1).kinds[0].like];
    let all = actions(class, &typical_sizes(class), &model.concentrators[0], model.transport, like);
    let mean = |of: fn(&Action) -> f64| crate::stats::mean(&all.iter().map(of).collect::<Vec<_>>());
    (mean(|action| action.work), mean(|action| action.idle))
}

/// Work of a call [bit/s].
fn talk(model: &Model, class: &Class) -> f64 {
    let (Demand::Streams { codec, .. } | Demand::Steady { codec, .. }) = &class.demand else { return 0.0 };
    let cost = ServiceCost::of(&model.concentrators[0]);
    cost.map_or(0.0, |cost| cost.stream_work(codec.packet, 1.0 / codec.every.secs()))
}

/// What a class brings in a day, on average.
#[must_use]
pub fn of_day(model: &Model, class: usize) -> Brought {
    let add = |sum: Brought, one: Brought| Brought { count: sum.count + one.count, work: sum.work + one.work };
    by_step(model, class).into_iter().fold(Brought::default(), add)
}

/// Work that a class brings in each hour of the day [bit].
fn by_hour(model: &Model, class: usize) -> Vec<f64> {
    let mut hours = vec![0.0; 25];
    for (step, brought) in by_step(model, class).iter().enumerate() {
        hours[(step / whole(3600.0 / STEP)).min(24)] += brought.work;
    }
    hours
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // steps of a day
fn whole(steps: f64) -> usize {
    (steps - 1e-9).ceil().max(0.0) as usize
}

/// Mean calls in progress in the busiest hour; none without calls.
fn busiest_calls(model: &Model) -> Option<f64> {
    let weekday = usize::from(model.calendar.weekday);
    let of = |class: &Class, hour: usize| match &class.demand {
        Demand::Streams { arrivals, length, .. } => {
            let at = |hour: usize| TimeOfDay(hour as u64 * 3600 * NANOS);
            let part = arrivals.profile.at(at(hour + 1)) - arrivals.profile.at(at(hour));
            arrivals.per_day * arrivals.weekdays[weekday] * part * length.mean() / 3600.0
        }
        Demand::Steady { each, .. } => f64::from(*each) * float(model.sites.len() as u64),
        _ => 0.0,
    };
    let busiest = |hour: usize| model.classes.iter().map(|class| of(class, hour)).sum::<f64>();
    let most = hours(model).map(busiest).fold(0.0, f64::max);
    (most > 0.0).then_some(most)
}
