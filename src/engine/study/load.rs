//! Offered load by hour against the capacity of the concentrators, computed before anything is simulated.

use crate::model::{ChangeKind, Class, Concentrator, Demand, Model, Pool, PoolId};
use crate::scenario::idle::unreached;
use crate::study::control::{Fluid, STEP};
use crate::units::{NANOS, Time, TimeOfDay, float};

/// Days whose jobs and arrivals are drawn for the mean.
const DAYS: u32 = 5;

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
    let work: Vec<Vec<f64>> = model.classes.iter().map(|class| by_hour(model, class)).collect();
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
    let whole = |seconds: f64| (0..24).take_while(|hour| f64::from(hour + 1) * 3600.0 <= seconds + 1e-6).count();
    let (from, until) = (model.calendar.from, model.calendar.until);
    let last = whole(until.hours() * 3600.0);
    let last = if f64::from(u8::try_from(last).unwrap_or(24)) < until.hours() { last + 1 } else { last };
    whole(from.hours() * 3600.0)..last.min(24)
}

/// Work that a class brings in a day, and the mean work of an action of it [bit].
#[must_use]
pub fn day_work(model: &Model, class: &Class) -> (f64, f64) {
    let alone = Model { classes: vec![class.clone()], ..model.clone() };
    let fluid = Fluid::up_to(&alone, &[], model.calendar.until);
    (fluid.offered(0).iter().sum(), fluid.mean_work(class))
}

/// Work that a class brings in each hour of the day [bit].
fn by_hour(model: &Model, class: &Class) -> Vec<f64> {
    let alone = Model { classes: vec![class.clone()], ..model.clone() };
    let fluid = Fluid::up_to(&alone, &[], model.calendar.until);
    let mut hours = vec![0.0; 25];
    for day in 0..DAYS {
        for (step, work) in fluid.offered(day).iter().enumerate() {
            let hour = step * step_seconds() / 3600;
            hours[hour.min(24)] += work / f64::from(DAYS);
        }
    }
    hours
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a constant of 30
fn step_seconds() -> usize {
    STEP as usize
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
