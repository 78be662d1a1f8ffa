//! Days that were counted, held against the days that a scenario makes of them.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::fit::observed::{Counted, Observed, ObservedRun};
use crate::model::Model;
use crate::stats::{Tally, quantile, student};
use crate::study::axis::Axis;
use crate::study::counters::RunCounters;

/// A concentrator that does so much of what it could do is full.
pub const FULL: f64 = 0.97;
/// All figures of a day, wherever they were counted, are inside together in so many cases where the scenario is right.
const TOGETHER: f64 = 0.95;
/// Counters are read some seconds early or late: of five minutes, as much.
const PRECISION: f64 = 0.005;
/// Of the difference interval by interval, that shifts volume to the next one.
const READ: f64 = 0.01;
/// What is drawn as a band over an interval.
const BAND: (f64, f64) = (0.05, 0.95);

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldKind {
    /// All that passed [bit].
    Volume,
    /// What passed in the busiest interval [bit/s].
    Peak,
    /// Time for which it was full [s].
    Full,
    /// Difference from the mean, interval by interval, as a share of all that passed.
    Shape,
}

impl HeldKind {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Peak => "busiest interval",
            Self::Full => "time full",
            Self::Shape => "shape off by",
        }
    }
}

/// A figure of a day.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldFigure {
    /// What it is.
    pub kind: HeldKind,
    /// What was counted.
    pub counted: f64,
    /// Mean over the simulated days.
    pub middle: f64,
    /// Where a day of the scenario lies.
    pub range: (f64, f64),
}

impl HeldFigure {
    /// Whether it is inside.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        (self.range.0..=self.range.1).contains(&self.counted)
    }
}

/// A thing on a day.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldDay {
    /// The first day of the run.
    pub date: Date,
    /// Where it was counted, and of which class.
    pub place: String,
    /// When each interval begins, since midnight of the first day [h].
    pub hours: Vec<f64>,
    /// What was counted [bit/s]; none where it is not known.
    pub counted: Vec<Option<f64>>,
    /// The simulated days: a low one, the mean, and a high one [bit/s].
    pub simulated: Vec<[f64; 3]>,
    /// Figures of the day.
    pub figures: Vec<HeldFigure>,
}

impl HeldDay {
    /// Whether all of its figures are inside.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.figures.iter().all(HeldFigure::is_inside)
    }

    /// Sum of the absolute differences from the mean, as a share of what was counted.
    #[must_use]
    pub fn error(&self) -> f64 {
        let known =
            || self.counted.iter().zip(&self.simulated).filter_map(|(counted, own)| Some(((*counted)?, own[1])));
        let whole: f64 = known().map(|(counted, _)| counted).sum();
        known().map(|(counted, mean)| (counted - mean).abs()).sum::<f64>() / whole
    }
}

/// Holds a run that was counted against simulated ones, thing by thing. A scenario that was fitted to so many other runs is as
/// uncertain as they are few.
#[must_use]
pub fn hold(
    model: &Model,
    observed: &Observed,
    run: &ObservedRun,
    (simulated, fitted_to): (&[RunCounters], usize),
) -> Vec<HeldDay> {
    let held = |(place, thing): (usize, &Counted)| held(model, observed, (place, thing), run, (simulated, fitted_to));
    observed.things.iter().enumerate().map(held).collect()
}

fn held(
    model: &Model,
    observed: &Observed,
    (place, thing): (usize, &Counted),
    run: &ObservedRun,
    (simulated, fitted_to): (&[RunCounters], usize),
) -> HeldDay {
    let seconds = observed.interval.secs();
    let things = observed.things.len();
    let rates = |run: &RunCounters| -> Vec<f64> {
        run.of(thing.concentrator, thing.class).into_iter().map(|bits| bits / seconds).collect()
    };
    let each: Vec<Vec<f64>> = simulated.iter().map(rates).collect();
    let counted: Vec<Option<f64>> = run.passed[place].iter().map(|bits| bits.map(|bits| bits / seconds)).collect();
    let of = |at: usize| {
        let own: Vec<f64> = each.iter().map(|rates| rates[at]).collect();
        let mean = own.iter().copied().collect::<Tally>().mean();
        [quantile(&own, BAND.0), mean, quantile(&own, BAND.1)]
    };
    let axis = Axis::of(model).in_bins(observed.interval);
    let class = thing.class.map(|class| format!(", {}", model.classes[class].name));
    let mut day = HeldDay {
        date: run.date,
        place: format!("{}{}", thing.place, class.unwrap_or_default()),
        hours: (0..counted.len()).map(|at| axis.start(at).secs() / 3600.0).collect(),
        simulated: (0..counted.len()).map(of).collect(),
        counted,
        figures: Vec::new(),
    };
    let plateau = plateau(thing, simulated, &each, &run.full[place]);
    day.figures = figures(&day.counted, &each, seconds, (&plateau, things, fitted_to));
    day
}

/// How full is told on both sides.
struct Plateau<'a> {
    /// By simulated day and interval.
    simulated: Vec<Vec<bool>>,
    /// The rate from which on a counted interval is full [bit/s]; none where no simulated day ever is.
    from: Option<f64>,
    /// What the series itself says.
    marked: &'a [bool],
}

/// The rate from which on a thing is full on simulated days [bit/s]; none where it never is. `each` holds their rates.
#[must_use]
pub fn full_from(thing: &Counted, simulated: &[RunCounters], each: &[Vec<f64>]) -> Option<f64> {
    let rates: Vec<f64> = simulated
        .iter()
        .zip(each)
        .flat_map(|(run, rates)| run.utilisation[thing.concentrator].iter().zip(rates))
        .filter(|(share, _)| **share >= FULL)
        .map(|(_, rate)| *rate)
        .collect();
    // The mix of packets moves the plateau a little through the day.
    (thing.class.is_none() && !rates.is_empty()).then(|| FULL * quantile(&rates, 0.1))
}

fn plateau<'a>(thing: &Counted, simulated: &[RunCounters], each: &[Vec<f64>], marked: &'a [bool]) -> Plateau<'a> {
    let is_full = |run: &RunCounters| -> Vec<bool> {
        let is_total = thing.class.is_none();
        run.utilisation[thing.concentrator].iter().map(|share| is_total && *share >= FULL).collect()
    };
    let full: Vec<Vec<bool>> = simulated.iter().map(is_full).collect();
    let from = full_from(thing, simulated, each);
    Plateau { simulated: full, from, marked }
}

#[allow(clippy::cast_precision_loss)] // intervals of a day
fn figures(
    counted: &[Option<f64>],
    each: &[Vec<f64>],
    seconds: f64,
    (plateau, things, fitted_to): (&Plateau<'_>, usize, usize),
) -> Vec<HeldFigure> {
    let known: Vec<usize> = (0..counted.len()).filter(|at| counted[*at].is_some()).collect();
    let own: Vec<f64> = known.iter().filter_map(|at| counted[*at]).collect();
    let of_day = |rates: &Vec<f64>| known.iter().map(|at| rates[*at]).collect::<Vec<f64>>();
    let days: Vec<Vec<f64>> = each.iter().map(of_day).collect();
    let volume = |rates: &Vec<f64>| rates.iter().sum::<f64>() * seconds;
    let peak = |rates: &Vec<f64>| rates.iter().copied().fold(0.0, f64::max);
    let mut figures = vec![
        (HeldKind::Volume, volume(&own), days.iter().map(volume).collect::<Vec<f64>>(), PRECISION * volume(&own)),
        (HeldKind::Peak, peak(&own), days.iter().map(peak).collect(), PRECISION * peak(&own)),
    ];
    let is_full = |at: &&usize| match plateau.from {
        Some(from) => counted[**at].is_some_and(|rate| rate >= from),
        None => plateau.marked[**at],
    };
    let full = known.iter().filter(is_full).count() as f64 * seconds;
    let simulated: Vec<f64> =
        plateau.simulated.iter().map(|full| known.iter().filter(|at| full[**at]).count() as f64 * seconds).collect();
    if full > 0.0 || simulated.iter().any(|time| *time > 0.0) {
        // An interval is full or it is not.
        figures.push((HeldKind::Full, full, simulated, seconds));
    }
    let (off, of_days) = shapes(&own, &days);
    figures.push((HeldKind::Shape, off, of_days, READ));
    let confidence = 1.0 - (1.0 - TOGETHER) / (figures.len() * things) as f64;
    figures
        .into_iter()
        .map(|(kind, counted, days, slack)| figure(kind, counted, &days, (confidence, slack, fitted_to)))
        .collect()
}

/// How far a day is from the mean of the simulated ones, interval by interval, and how far each of these is from the mean of the others.
#[allow(clippy::cast_precision_loss)] // days
fn shapes(own: &[f64], days: &[Vec<f64>]) -> (f64, Vec<f64>) {
    let off = |day: &[f64], mean: &dyn Fn(usize) -> f64| {
        let whole: f64 = day.iter().sum();
        day.iter().enumerate().map(|(at, rate)| (rate - mean(at)).abs()).sum::<f64>() / whole.max(f64::MIN_POSITIVE)
    };
    let count = days.len() as f64;
    let sum: Vec<f64> = (0..own.len()).map(|at| days.iter().map(|day| day[at]).sum()).collect();
    let others = |day: &Vec<f64>| off(day, &|at| (sum[at] - day[at]) / (count - 1.0).max(1.0));
    (off(own, &|at| sum[at] / count.max(1.0)), days.iter().map(others).collect())
}

/// A figure with the range in which a new day lies.
#[allow(clippy::cast_precision_loss)] // days
fn figure(kind: HeldKind, counted: f64, days: &[f64], (confidence, slack, fitted_to): (f64, f64, usize)) -> HeldFigure {
    let all: Tally = days.iter().copied().collect();
    let of_fit = if fitted_to > 0 { 1.0 / fitted_to as f64 } else { 0.0 };
    let spread = (all.variance() * (1.0 + 1.0 / all.count().max(1) as f64 + of_fit)).sqrt();
    let half = if all.count() > 1 { student(confidence, all.count() - 1) * spread } else { 0.0 };
    let least = days.iter().copied().fold(f64::INFINITY, f64::min);
    let most = days.iter().copied().fold(0.0, f64::max);
    let range = ((all.mean() - half).min(least) - slack, (all.mean() + half).max(most) + slack);
    // Nothing is too near to the mean.
    let low = if kind == HeldKind::Shape { 0.0 } else { range.0.max(0.0) };
    HeldFigure { kind, counted, middle: all.mean(), range: (low, range.1) }
}

/// How many days are inside with all that was counted on them, and how many there are.
#[must_use]
pub fn inside(things: &[HeldDay]) -> (usize, usize) {
    let mut by_date: BTreeMap<Date, bool> = BTreeMap::new();
    for thing in things {
        *by_date.entry(thing.date).or_insert(true) &= thing.is_inside();
    }
    (by_date.values().filter(|inside| **inside).count(), by_date.len())
}

/// The number of days that may lie outside by chance where a scenario is right: more happen in one case of twenty at most.
#[must_use]
pub fn allowed(days: usize) -> usize {
    let outside = 1.0 - TOGETHER;
    let (mut term, mut all) = ((1.0 - outside).powi(i32::try_from(days).unwrap_or(i32::MAX)), 0.0);
    for count in 0..days {
        all += term;
        if 1.0 - all <= 0.05 + 1e-12 {
            return count;
        }
        #[allow(clippy::cast_precision_loss)] // days
        let ratio = (days - count) as f64 / (count + 1) as f64 * outside / (1.0 - outside);
        term *= ratio;
    }
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The binomial distribution with 1 in 20.
    #[test]
    fn few_days_may_lie_outside() {
        assert_eq!([1, 2, 5, 8, 20, 50].map(allowed), [0, 1, 1, 2, 3, 5]);
    }

    /// A day with two places is one day, and outside where one of them is.
    #[test]
    fn a_day_is_counted_once_for_all_its_places() {
        let figure = |counted: f64| HeldFigure { kind: HeldKind::Volume, counted, middle: 1.0, range: (0.5, 1.5) };
        let thing = |day: i8, place: &str, counted: f64| HeldDay {
            date: jiff::civil::date(2026, 3, day),
            place: place.to_owned(),
            hours: Vec::new(),
            counted: Vec::new(),
            simulated: Vec::new(),
            figures: vec![figure(counted)],
        };
        let things = [thing(2, "a", 1.0), thing(2, "b", 2.0), thing(9, "a", 1.0), thing(9, "b", 1.2)];
        assert_eq!(inside(&things), (1, 2));
    }

    /// Fault: a day an hour late has the volume, the peak and the time full of a day that is not.
    #[test]
    fn a_day_that_is_late_is_outside() {
        let day = |late: u32, noise: u32| -> Vec<f64> {
            let busy = 10 + late..20 + late;
            (0..40).map(|at| if busy.contains(&at) { 90.0 + f64::from((at * 7 + noise) % 5) } else { 5.0 }).collect()
        };
        let days: Vec<Vec<f64>> = (0..10).map(|noise| day(0, noise)).collect();
        let of = |counted: &[f64]| {
            let (off, each) = shapes(counted, &days);
            figure(HeldKind::Shape, off, &each, (0.95, READ, 0))
        };
        assert!(of(&day(0, 11)).is_inside() && !of(&day(4, 11)).is_inside());
    }

    #[test]
    fn a_day_of_the_same_kind_is_inside_and_another_is_not() {
        let days: Vec<f64> = (0..20).map(|day| 100.0 + f64::from(day % 5)).collect();
        let held = |counted: f64| figure(HeldKind::Volume, counted, &days, (0.95, 0.0, 0));
        assert!(held(103.0).is_inside() && !held(110.0).is_inside() && !held(90.0).is_inside());
    }
}
