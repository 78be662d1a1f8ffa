//! The control variate: the forecast of a day as it is drawn, made before the day is simulated.
//!
//! Arrivals of open classes and jobs do not depend on responses, so they can be drawn before the simulation. The forecast of them
//! ([`crate::study::forecast`]) costs some thousandths of a simulated day and explains most of the variance between full days. Its mean
//! is taken over many other days; how far these lie off what is drawn on average is known exactly, and is taken out of that mean in
//! the same way. Regression on it removes from an estimate what chance put into the simulated days (control variates; as a
//! model of lesser fidelity: Peherstorfer, Willcox & Gunzburger 2016).

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use crate::model::Model;
use crate::scenario::check::target::Target;
use crate::stats::Tally;
use crate::stats::estimate::{ControlVariate, Estimate, LEAST, controlled, observations};
use crate::study::day_forecasts::Forecast;
use crate::study::forecast::drawn::{DrawnDay, DrawnDays};

/// Days over which the forecast's mean is taken.
const DAYS: u32 = 100;
/// Number of the first of these days: beyond those of all replications.
const APART: u32 = 1 << 31;
/// Of these the first, which tell whether the others are worth their time.
const FIRST: u32 = 10;
/// A forecast that varies less from day to day, as a share of its mean, meets no queue: a class that is served first may meet none.
const VARIES: f64 = 0.01;

/// The forecasts of a set-up.
pub struct Forecasts<'a> {
    model: &'a Model,
    /// What they are made from; made when the first is wanted.
    drawn: Option<DrawnDays<'a>>,
    targets: &'a [Target],
    by_target: Vec<Forecast>,
}

impl<'a> Forecasts<'a> {
    /// Nothing is forecast yet.
    #[must_use]
    pub fn of(model: &'a Model, targets: &'a [Target]) -> Self {
        Self { model, drawn: None, targets, by_target: vec![Forecast::default(); targets.len()] }
    }

    /// The forecast for a target.
    #[must_use]
    pub fn of_target(&self, target: usize) -> &Forecast {
        &self.by_target[target]
    }

    /// Forecasts the days of so many replications, where there are enough for a regression. Only single days are: longer runs vary
    /// less. Of a replay nothing is drawn. Returns soon when asked to stop.
    pub fn reach(&mut self, replications: u32, stop: &AtomicBool) {
        let model = self.model;
        if replications < LEAST || model.calendar.days > 1 || model.replay.is_some() {
            return;
        }
        let drawn = self.drawn.get_or_insert_with(|| DrawnDays::of(model, self.targets));
        let days = |days: Range<u32>| -> Vec<DrawnDay> {
            let go_on = |_: &u32| !stop.load(Ordering::Relaxed);
            days.into_par_iter().filter(go_on).map(|day| drawn.forecast(day)).collect()
        };
        if self.by_target.iter().all(|forecast| forecast.known.is_none()) {
            let mut others = days(APART..APART + FIRST);
            for (place, (forecast, target)) in self.by_target.iter_mut().zip(self.targets).enumerate() {
                forecast.full = full(&others, (place, target));
            }
            if self.by_target.iter().any(Forecast::matters) {
                others.extend(days(APART + FIRST..APART + DAYS));
            }
            for (place, forecast) in self.by_target.iter_mut().enumerate() {
                forecast.known = Some(known(&others, place, drawn.mean_bytes(), model.antithetic));
            }
        }
        if self.by_target.iter().any(Forecast::matters) {
            let done = u32::try_from(self.by_target[0].days.len()).unwrap_or(replications);
            let days = days(done..replications);
            for (place, forecast) in self.by_target.iter_mut().enumerate() {
                forecast.days.extend(figures(&days, place));
            }
        }
    }
}

/// Share of the hours of a target in which a concentrator is full; nothing where its figure meets no queue.
fn full(days: &[DrawnDay], (place, target): (usize, &Target)) -> f64 {
    let figures: Tally = figures(days, place).into_iter().collect();
    if figures.variance().sqrt() <= VARIES * figures.mean() {
        return 0.0;
    }
    days.iter().map(|day| day.forecast.full_within(target)).collect::<Tally>().mean()
}

/// The mean of a figure over all days, from some: what these have more or less than is drawn on average is taken out.
fn known(days: &[DrawnDay], place: usize, mean_bytes: f64, antithetic: bool) -> Estimate {
    let bytes: Vec<f64> = days.iter().map(|day| day.bytes).collect();
    let bytes = observations(&bytes, antithetic);
    let bytes = ControlVariate { values: &bytes, mean: mean_bytes, error: 0.0 };
    controlled(&observations(&figures(days, place), antithetic), &bytes)
}

/// The figure of a target on some days; where none is forecast, nothing was late.
fn figures(days: &[DrawnDay], target: usize) -> Vec<f64> {
    days.iter().map(|day| day.forecast.targets[target].unwrap_or(0.0)).collect()
}
