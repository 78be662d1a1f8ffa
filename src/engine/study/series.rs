//! Figures by replication, and the comparison of set-ups: the only place where intervals are computed.

use serde::Serialize;

use crate::stats::estimate::{ControlVariate, Estimate, controlled, observations};
use crate::stats::{Interval, Tally, holm};
use crate::study::day_forecasts::Forecast;

/// Confidence of every interval that is reported.
pub const CONFIDENCE: f64 = 0.95;

/// A figure of a set-up in each replication.
#[derive(Clone, Debug)]
pub struct Series {
    /// Its name in files.
    pub figure: String,
    /// Its unit.
    pub unit: &'static str,
    /// By replication; none where nothing was measured.
    pub values: Vec<Option<f64>>,
    /// Its upper bound, over all that could become of unfinished work; empty where this is not known.
    pub at_most: Vec<Option<f64>>,
    /// A value is known to within this share of it, either way.
    pub resolution: f64,
    /// The control variate of the mean; none where none was used.
    pub control: Option<Forecasted>,
    /// The same of the difference from the base.
    pub change_control: Option<Forecasted>,
}

/// A forecast of each observation, and its mean over many other days.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecasted {
    /// By observation: a replication, or an antithetic pair.
    pub values: Vec<f64>,
    /// Mean over the other days.
    pub mean: f64,
    /// Standard error of that mean.
    pub error: f64,
}

impl Forecasted {
    fn of(forecast: &Forecast, antithetic: bool) -> Option<Self> {
        let observed = forecast.observed(antithetic);
        let control = observed.control()?;
        Some(Self { values: control.values.to_vec(), mean: control.mean, error: control.error })
    }

    fn control(&self) -> ControlVariate<'_> {
        ControlVariate { values: &self.values, mean: self.mean, error: self.error }
    }
}

impl Series {
    /// A figure that is measured in every replication.
    #[must_use]
    pub fn new(figure: String, unit: &'static str, values: Vec<f64>, resolution: f64) -> Self {
        let values = values.into_iter().map(Some).collect();
        Self { figure, unit, values, at_most: Vec::new(), resolution, control: None, change_control: None }
    }

    /// Whether it was measured in every replication.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        !self.values.is_empty() && self.values.iter().all(Option::is_some)
    }

    /// A value for each replication; where nothing was measured, nothing was late.
    #[must_use]
    pub fn known(&self) -> Vec<f64> {
        self.values.iter().map(|value| value.unwrap_or(0.0)).collect()
    }
}

/// A figure with its interval, and how it differs from the base.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ComparedEstimate {
    /// Mean over replications and its 95 % interval.
    pub value: Interval,
    /// Paired difference from the base on the same random numbers; none for the base.
    pub change: Option<Interval>,
    /// Whether the difference is clear at 5 % after Holm's correction over all options.
    pub clear: bool,
    /// What common random numbers and control variates saved: independent replications that the difference (for the base: the
    /// figure) would have needed for each one that was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved: Option<Savings>,
}

/// How many times as many replications would have been needed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Savings {
    /// Without common random numbers.
    pub same_days: f64,
    /// Without the control variate.
    pub forecast: f64,
    /// Without antithetic pairs; none where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub antithetic: Option<f64>,
}

/// One figure of all set-ups, and its difference from the base in each, with a forecast for each set-up, or none at all.
///
/// The controls that were used are written into the series.
pub fn compare(
    series: &mut [Series],
    forecasts: &[&Forecast],
    base: Option<usize>,
    antithetic: bool,
) -> Vec<ComparedEstimate> {
    let unknown = Forecast::default();
    let forecast = |place: usize| forecasts.get(place).copied().unwrap_or(&unknown);
    let all: Vec<Vec<f64>> = series.iter().map(Series::known).collect();
    let mut changes = Vec::new();
    for (place, own) in series.iter_mut().enumerate() {
        own.control = Forecasted::of(forecast(place), antithetic).filter(|_| own.is_measured());
        let change = base.filter(|base| *base != place).map(|base| {
            own.change_control = Forecasted::of(forecast(place).of_difference(forecast(base)), antithetic);
            change(&all[place], &all[base], own.change_control.as_ref(), antithetic)
        });
        changes.push(change);
    }
    let adjusted = holm(&changes.iter().flatten().map(|(change, _)| change.p_value()).collect::<Vec<_>>());
    let mut adjusted = adjusted.into_iter();
    let compared = series.iter().zip(&all).zip(&changes).map(|((own, values), changed)| {
        let observed = observations(values, antithetic);
        let value = estimate(&observed, own.control.as_ref());
        let clear = changed.is_some() && adjusted.next().is_some_and(|p| p < 1.0 - CONFIDENCE);
        let saved = match changed {
            Some((_, saved)) => *saved,
            None => {
                Savings { same_days: 1.0, forecast: gain(&observed, &value), antithetic: by_pairs(values, antithetic) }
            }
        };
        let apart = base.map_or(0.0, |base| (mean(values) + mean(&all[base])) * own.resolution);
        ComparedEstimate {
            value: value.interval(CONFIDENCE).known_to(own.resolution),
            change: changed.map(|(change, _)| change.interval(CONFIDENCE).or_to(apart)),
            clear,
            saved: (saved.same_days.is_finite() && saved.forecast.is_finite()).then_some(saved),
        }
    });
    compared.collect()
}

/// The mean of a target over the replications in which it was measured, corrected by the control variate where there is one.
#[must_use]
pub fn of_target(values: &[Option<f64>], forecast: &Forecast, antithetic: bool) -> Estimate {
    let all = values.iter().all(Option::is_some);
    let known: Vec<f64> = values.iter().map(|value| value.unwrap_or(0.0)).collect();
    // Of an incomplete antithetic pair only the single days are used, without a forecast.
    let control = Forecasted::of(forecast, antithetic).filter(|_| all);
    estimate(&observations(&known, antithetic && all), control.as_ref())
}

/// The mean of the observations, corrected by the control variate where there is one.
fn estimate(observed: &[f64], control: Option<&Forecasted>) -> Estimate {
    match control {
        Some(known) => controlled(observed, &known.control()),
        None => observed.iter().copied().collect::<Tally>().estimate(),
    }
}

/// The paired difference from the base, and what pairing and forecasts saved.
fn change(own: &[f64], base: &[f64], control: Option<&Forecasted>, antithetic: bool) -> (Estimate, Savings) {
    let days: Vec<f64> = own.iter().zip(base).map(|(own, base)| difference(*own, *base)).collect();
    let differences = observations(&days, antithetic);
    let estimate = estimate(&differences, control);
    let same_days = (spread(own) + spread(base)) / spread(&days);
    let saved = Savings { same_days, forecast: gain(&differences, &estimate), antithetic: by_pairs(&days, antithetic) };
    (estimate, saved)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().copied().collect::<Tally>().mean()
}

fn spread(values: &[f64]) -> f64 {
    values.iter().copied().collect::<Tally>().variance()
}

/// The number of independent days that replace one antithetic day; none where days are independent, or too few to estimate it.
fn by_pairs(days: &[f64], antithetic: bool) -> Option<f64> {
    let factor = spread(days) / 2.0 / spread(&observations(days, true));
    (antithetic && factor.is_finite()).then_some(factor)
}

/// How many times as many replications the plain mean would need for the same standard error.
fn gain(values: &[f64], estimate: &Estimate) -> f64 {
    let plain = values.iter().copied().collect::<Tally>().estimate();
    (plain.error / estimate.error).powi(2)
}

/// Fault: rounding errors between two equal figures count as a difference.
fn difference(own: f64, base: f64) -> f64 {
    let by = own - base;
    if by.abs() <= 1e-6 * base.abs() { 0.0 } else { by }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        Series::new("figure".to_owned(), "s", values.to_vec(), 0.0)
    }

    /// Fault: an option that is the base by another name has another figure than the base.
    #[test]
    fn what_is_alike_has_the_same_figure() {
        let days = [3.0, 4.1, 5.2, 6.0, 8.3, 2.0];
        let forecast = Forecast::known(vec![2.9, 4.0, 5.0, 6.2, 8.0, 2.1], 4.5);
        let mut both = [series(&days), series(&days)];
        let compared = compare(&mut both, &[&forecast, &forecast], Some(0), false);
        assert_eq!(compared[0].value, compared[1].value);
        assert!(both[1].control.is_some());
        assert_eq!(compared[1].change, Some(Interval { mean: 0.0, half: 0.0 }));
    }
}
