//! A series forecast from itself, a week ahead: what any model has to be better than.
//!
//! Level x weekday x shape of the day. Weekdays keep their factors for long, the shape of a day changes with the seasons, and the
//! level from week to week: factors are means over all weeks, shapes over the last six, and the level is smoothed (Brown 1959)
//! with the weight that would have done best so far. No week is forecast with what came after it.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::elementary::{exp, ln};
use crate::fit::observed::{DaysCounted, weekday};
use crate::stats::{Tally, quantile, student};

/// Weeks over which the shape of a day is taken.
const SHAPE: usize = 6;
/// Weeks that are needed before the first forecast.
const LEAST: usize = 3;
/// Weights of the newest week that are tried.
const WEIGHTS: [f64; 5] = [0.2, 0.4, 0.6, 0.8, 1.0];
/// Share of a day, or of a week's days, that must be known.
const KNOWN: f64 = 0.9;
/// A day is unusual where its level is so many times the median of the same weekday in the weeks beside it, or that part of it.
const UNUSUAL: f64 = 2.5;
/// Weeks before a day, and after it, that it is held against.
const BESIDE: usize = 3;
/// Errors of earlier weeks that a band needs.
const FOR_A_BAND: usize = 5;
/// Confidence of the bands.
pub const BAND: f64 = 0.8;

/// A week, forecast and counted.
#[derive(Clone, Debug, PartialEq)]
pub struct WeekForecast {
    /// Its Monday.
    pub monday: Date,
    /// By day and interval, where both are known: what was counted, forecast, and counted in the week before.
    pub points: Vec<ForecastPoint>,
    /// Weight of the newest week in the level.
    pub weight: f64,
    /// 80 % band of the 95th percentile over the intervals; none before there are enough errors to tell.
    pub band: Option<(f64, f64)>,
}

/// An interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ForecastPoint {
    /// The day.
    pub date: Date,
    /// The interval.
    pub place: usize,
    /// What was counted.
    pub counted: f64,
    /// What was forecast.
    pub forecast: f64,
    /// What was counted a week before.
    pub last: f64,
}

impl WeekForecast {
    /// Sum of the absolute errors, as a share of what was counted: of the forecast, and of the week before in its place.
    #[must_use]
    pub fn errors(&self) -> [f64; 2] {
        let whole: f64 = self.points.iter().map(|point| point.counted).sum();
        let of = |guess: fn(&ForecastPoint) -> f64| {
            self.points.iter().map(|point| (guess(point) - point.counted).abs()).sum::<f64>() / whole
        };
        [of(|point| point.forecast), of(|point| point.last)]
    }

    /// The 95th percentile over the intervals: counted, forecast, and that of the week before.
    #[must_use]
    pub fn p95(&self) -> [f64; 3] {
        let of =
            |value: fn(&ForecastPoint) -> f64| quantile(&self.points.iter().map(value).collect::<Vec<f64>>(), 0.95);
        [of(|point| point.counted), of(|point| point.forecast), of(|point| point.last)]
    }
}

/// The days that are unusual for their weekday, such as holidays: they are not learnt from, and their weeks are not forecast.
#[must_use]
pub fn unusual(days: &DaysCounted) -> Vec<Date> {
    let known: Vec<(Date, f64)> = days.iter().filter_map(|(date, counted)| Some((*date, level(counted)?))).collect();
    let is_unusual = |(place, (date, level)): &(usize, &(Date, f64))| {
        let alike = |other: &&(Date, f64)| weekday(other.0) == weekday(*date);
        let before = known[..*place].iter().rev().filter(alike).take(BESIDE);
        let beside = before.chain(known[place + 1..].iter().filter(alike).take(BESIDE));
        let usual = quantile(&beside.map(|(_, level)| *level).collect::<Vec<f64>>(), 0.5);
        usual > 0.0 && (*level > UNUSUAL * usual || *level * UNUSUAL < usual)
    };
    known.iter().enumerate().filter(is_unusual).map(|(_, (date, _))| *date).collect()
}

/// The mean of a day; none where too little of it is known.
#[allow(clippy::cast_precision_loss)] // intervals of a day
fn level(counted: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = counted.iter().flatten().copied().collect();
    (!known.is_empty() && known.len() as f64 >= KNOWN * counted.len() as f64)
        .then(|| known.iter().sum::<f64>() / known.len() as f64)
}

/// A week: by weekday, what was counted on it.
#[derive(Clone, Debug)]
struct Week<'a> {
    monday: Date,
    days: Vec<(u8, &'a [Option<f64>])>,
}

impl Week<'_> {
    fn day(&self, weekday: u8) -> Option<&[Option<f64>]> {
        self.days.iter().find(|(own, _)| *own == weekday).map(|(_, counted)| *counted)
    }

    /// The mean of its days; none where one of these weekdays is not known.
    #[allow(clippy::cast_precision_loss)] // days of a week
    fn level(&self, weekdays: &[u8]) -> Option<f64> {
        let levels = weekdays.iter().map(|day| level(self.day(*day)?));
        levels.sum::<Option<f64>>().map(|sum| sum / weekdays.len() as f64)
    }
}

/// Every week that can be forecast from the ones before it, on these weekdays.
#[must_use]
pub fn hindcast(days: &DaysCounted, weekdays: &[u8]) -> Vec<WeekForecast> {
    let left_out = unusual(days);
    let monday_of = |date: &Date| date.checked_sub(i64::from(weekday(*date)).days()).ok();
    let set_aside: Vec<Date> = left_out.iter().filter_map(monday_of).collect();
    let mut weeks: Vec<Week<'_>> = Vec::new();
    for (date, counted) in days.iter().filter(|(date, _)| !left_out.contains(date)) {
        let own = weekday(*date);
        let Ok(monday) = date.checked_sub(i64::from(own).days()) else { continue };
        match weeks.last_mut().filter(|week| week.monday == monday) {
            Some(week) => week.days.push((own, counted)),
            None => weeks.push(Week { monday, days: vec![(own, counted)] }),
        }
    }
    let mut found: Vec<WeekForecast> = Vec::new();
    let mut whole: Vec<(&Week<'_>, f64)> = Vec::new();
    let mut ratios: Vec<f64> = Vec::new();
    for week in &weeks {
        // A holiday changes the days beside it, too.
        let forecast = forecast(week, &whole, weekdays, &ratios).filter(|found| !set_aside.contains(&found.monday));
        if let Some(forecast) = forecast {
            let [counted, guess, _] = forecast.p95();
            if counted > 0.0 && guess > 0.0 {
                ratios.push(ln(counted / guess));
            }
            found.push(forecast);
        }
        if let Some(level) = week.level(weekdays).filter(|level| *level > 0.0) {
            whole.push((week, level));
        }
    }
    found
}

/// A week, from the whole weeks before it; none where there are too few, or the last is not there.
fn forecast(week: &Week<'_>, before: &[(&Week<'_>, f64)], weekdays: &[u8], ratios: &[f64]) -> Option<WeekForecast> {
    let (last, _) = before.last().filter(|_| before.len() >= LEAST)?;
    let levels: Vec<f64> = before.iter().map(|(_, level)| *level).collect();
    let weight = best_weight(&levels);
    let level = smoothed(&levels, weight);
    let mut points = Vec::new();
    for &day in weekdays {
        let Some(counted) = week.day(day) else { continue };
        let factor = mean_of(before.iter().filter_map(|(week, level)| Some(self::level(week.day(day)?)? / level)));
        for (place, counted) in counted.iter().enumerate() {
            let shape = mean_of(before[before.len().saturating_sub(SHAPE)..].iter().filter_map(|(week, _)| {
                let own = week.day(day)?;
                Some((*own.get(place)?)? / self::level(own)?)
            }));
            let last = last.day(day).and_then(|own| own.get(place).copied().flatten());
            if let (Some(counted), Some(shape), Some(factor), Some(last)) = (counted, shape, factor, last) {
                let date = week.monday.checked_add(i64::from(day).days()).ok()?;
                points.push(ForecastPoint { date, place, counted: *counted, forecast: level * factor * shape, last });
            }
        }
    }
    if points.is_empty() {
        return None;
    }
    let mut found = WeekForecast { monday: week.monday, points, weight, band: None };
    found.band = band(ratios, found.p95()[1]);
    Some(found)
}

/// The band about a forecast, from the logarithms of earlier ratios of what was counted to what was forecast.
fn band(ratios: &[f64], forecast: f64) -> Option<(f64, f64)> {
    if ratios.len() < FOR_A_BAND {
        return None;
    }
    let errors: Tally = ratios.iter().copied().collect();
    #[allow(clippy::cast_precision_loss)] // weeks
    let spread = (errors.variance() * (1.0 + 1.0 / ratios.len() as f64)).sqrt();
    let half = student(BAND, ratios.len() as u64 - 1) * spread;
    Some((forecast * exp(errors.mean() - half), forecast * exp(errors.mean() + half)))
}

fn mean_of(values: impl Iterator<Item = f64>) -> Option<f64> {
    let all: Tally = values.collect();
    (all.count() > 0).then(|| all.mean())
}

/// The level after all weeks.
fn smoothed(levels: &[f64], weight: f64) -> f64 {
    levels[1..].iter().fold(levels[0], |level, own| weight * own + (1.0 - weight) * level)
}

/// The weight with which the levels so far would have been forecast best.
fn best_weight(levels: &[f64]) -> f64 {
    if levels.len() < 2 * LEAST {
        return 1.0;
    }
    let error = |weight: f64| -> f64 {
        let errors = (2..levels.len()).map(|place| ln(levels[place] / smoothed(&levels[..place], weight)).abs());
        errors.sum()
    };
    let mut best = (f64::INFINITY, 1.0);
    for weight in WEIGHTS.into_iter().rev() {
        let own = error(weight);
        if own < best.0 {
            best = (own, weight);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Weeks of Monday to Friday with a Monday of 1.5 and a level for each.
    fn weeks(levels: &[f64]) -> DaysCounted {
        let mut days = DaysCounted::new();
        let first = Date::constant(2026, 1, 5);
        for (week, level) in (0_i64..).zip(levels) {
            for day in 0..5_i64 {
                let factor = if day == 0 { 1.5 } else { 1.0 };
                let counted = (0..4_i32).map(|place| Some(level * factor * (1.0 + f64::from(place)))).collect();
                days.insert(first.checked_add((7 * week + day).days()).unwrap(), counted);
            }
        }
        days
    }

    #[test]
    fn what_repeats_is_forecast_exactly() {
        let found = hindcast(&weeks(&[10.0; 8]), &[0, 1, 2, 3, 4]);
        assert_eq!(found.len(), 5);
        assert!(found.iter().all(|week| week.errors()[0] < 1e-12), "{found:?}");
    }

    /// Fault: a forecast that knows what comes.
    #[test]
    fn no_week_is_forecast_with_what_came_after() {
        let [all, cut] = [&[10.0, 11.0, 9.0, 12.0, 10.0, 14.0][..], &[10.0, 11.0, 9.0, 12.0, 10.0]].map(weeks);
        let [all, cut] = [all, cut].map(|days| hindcast(&days, &[0, 1, 2, 3, 4]));
        assert_eq!(all[..cut.len()], cut[..]);
    }

    /// Fault: the weeks after Christmas are forecast from Christmas.
    #[test]
    fn a_holiday_is_left_out() {
        let mut days = weeks(&[10.0; 8]);
        let holiday = Date::constant(2026, 1, 26);
        days.get_mut(&holiday).unwrap().iter_mut().for_each(|counted| *counted = counted.map(|value| value / 5.0));
        assert_eq!(unusual(&days), [holiday]);
        let found = hindcast(&days, &[0, 1, 2, 3, 4]);
        let exact = found
            .iter()
            .all(|week| week.points.iter().all(|point| (point.forecast / point.counted - 1.0).abs() < 1e-12));
        assert!(exact, "{found:?}");
    }
}
