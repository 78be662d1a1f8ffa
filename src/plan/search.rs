//! A search for the value at which a measure of random days crosses its limit.
//!
//! Every value is tried on the same days (common random numbers), so that the crossing moves little from one sample
//! of days to the next even where the measure itself varies much. First a bracket is found with a day or two, from where a forecast
//! crosses the limit; then it is narrowed by false position and halving, then two values close to the crossing are run on as many days as the
//! precision needs. The crossing of the line through them is the answer, and its interval is
//! Student's on jackknife pseudo-values over the days (Miller 1974). Only this last stage decides the interval, and
//! only its own days count, so looking often before costs no confidence.

use crate::elementary::{exp, ln};
use crate::plan::answer::{Answer, CONFIDENCE, Criterion, Crossing, SearchProblem};
use crate::plan::samples::{EvaluateValues, Samples, measure, scale};
use crate::stats::{Interval, Tally};
use crate::study::StudyError;

/// What is forecast of the measure at a value, if anything is.
pub type ForecastValue<'a> = dyn Fn(f64) -> Option<f64> + 'a;

/// Searches, from where the forecast crosses the limit.
///
/// # Errors
/// If the evaluation is stopped.
pub fn search(
    problem: &SearchProblem,
    evaluate: &EvaluateValues<'_>,
    forecast: &ForecastValue<'_>,
) -> Result<Answer, StudyError> {
    let mut search = Search { problem, samples: Samples::new(evaluate) };
    let foreseen = search.foreseen(forecast);
    let outcome = match search.bracket(foreseen)? {
        Err(outcome) => outcome,
        Ok((bad, good)) => {
            let (bad, good) = search.narrow(bad, good)?;
            return search.settle(bad, good);
        }
    };
    Ok(search.samples.answer(problem, outcome, true))
}

/// Days of the last stage at first.
const FIRST: u32 = 4;

/// Days on which the end of the range is tried before it is said to hold or to fail.
const SURE: u32 = 10;

/// First step from where the crossing is foreseen, as a share of the longest: a forecast is off by a tenth or so.
const FORESEEN: f64 = 0.2;

/// Days on which the crossing is tried itself.
const FEW: usize = FIRST as usize;

/// Moves of the last two values at most.
const MOVES: u32 = 40;

/// The bracket of the crossing.
#[derive(Clone, Copy)]
struct Bracket {
    /// The best place that fails, and the worst that holds.
    bad: f64,
    good: f64,
    /// Step by which it moves out when days show that the crossing lies beyond an end.
    out: f64,
    moves: u32,
}

impl Bracket {
    /// Two places and whether each fails are known.
    fn learn(&mut self, (a, a_fails): (f64, bool), (b, b_fails): (f64, bool)) {
        match (a_fails, b_fails) {
            (true, false) => (self.bad, self.good) = (a, b),
            (true, true) => {
                self.bad = self.bad.max(b);
                if self.good <= self.bad {
                    self.out *= 2.0;
                    self.good = self.bad + self.out;
                }
            }
            (false, false) => {
                self.good = self.good.min(a);
                if self.bad >= self.good {
                    self.out *= 2.0;
                    self.bad = self.good - self.out;
                }
            }
            // Chance has reversed them: nothing is learnt.
            (false, true) => {}
        }
    }

    /// Two places around the crossing of the line, or around the middle where that is of no use; within the bracket.
    fn next(&mut self, crossing: f64, reach: f64) -> (f64, f64) {
        const EDGE: f64 = 0.1;
        self.moves += 1;
        let width = self.good - self.bad;
        if width <= 2.0 * reach {
            return (self.bad, self.good);
        }
        let inside = crossing > self.bad + EDGE * width && crossing < self.good - EDGE * width;
        let centre = if inside { crossing } else { f64::midpoint(self.bad, self.good) };
        ((centre - reach).max(self.bad), (centre + reach).min(self.good))
    }
}

/// The correction of a line through two values by a third one.
struct Bend {
    /// Shift of the crossing.
    by: f64,
    /// The value that fails and the one that holds next to it.
    between: (f64, f64),
}

struct Search<'a> {
    problem: &'a SearchProblem,
    samples: Samples<'a>,
}

impl Search<'_> {
    /// Days with which a bracket is sought: a variance takes two.
    fn scouts(&self) -> u32 {
        match self.problem.criterion {
            Criterion::Mean => 1,
            Criterion::Days(_) => 2,
        }
    }

    /// The place of a value on an axis on which more is better.
    fn place(&self, value: f64) -> f64 {
        let terms = &self.problem.terms;
        let place = if terms.by_ratio { ln(value) } else { value };
        if terms.more_helps { place } else { -place }
    }

    fn value(&self, place: f64) -> f64 {
        let terms = &self.problem.terms;
        let place = if terms.more_helps { place } else { -place };
        let value = if terms.by_ratio { exp(place) } else { place };
        let value = value.clamp(terms.range.0, terms.range.1);
        if terms.whole { value.round() } else { value }
    }

    /// How far beyond its limit the measure is: negative where it holds.
    fn beyond(&mut self, value: f64, days: u32) -> Result<f64, StudyError> {
        let problem = self.problem;
        let sample = self.samples.first(value, days)?;
        Ok(excess(problem, sample))
    }

    /// The worst and the best place, and the longest step between two that are tried.
    fn axis(&self) -> (f64, f64, f64) {
        let terms = &self.problem.terms;
        let ends = [terms.range.0, terms.range.1].map(|end| self.place(end));
        let (worst, best) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        (worst, best, if terms.by_ratio { std::f64::consts::LN_2 } else { (best - worst) / 8.0 })
    }

    /// The place at which the forecast crosses the limit; none where it does not.
    fn foreseen(&self, forecast: &ForecastValue<'_>) -> Option<f64> {
        let (mut bad, mut good, step) = self.axis();
        let fails = |place: f64| forecast(self.value(place)).map(|measure| measure > self.problem.limit);
        if !fails(bad)? || fails(good)? {
            return None;
        }
        while good - bad > step * FORESEEN / 2.0 {
            let middle = f64::midpoint(bad, good);
            *(if fails(middle)? { &mut bad } else { &mut good }) = middle;
        }
        Some(f64::midpoint(bad, good))
    }

    /// A value that fails and one that holds, no more than a step apart. From where the crossing is foreseen steps are short at first.
    fn bracket(&mut self, foreseen: Option<f64>) -> Result<Result<(f64, f64), Crossing>, StudyError> {
        let (worst, best, longest) = self.axis();
        let (start, mut step) = match foreseen {
            Some(place) => (place, FORESEEN * longest),
            None => (self.place(self.problem.terms.start), longest),
        };
        let mut here = start.clamp(worst, best);
        let mut holds = self.beyond(self.value(here), self.scouts())? <= 0.0;
        let mut is_sure = false;
        loop {
            let next = if holds { (here - step).max(worst) } else { (here + step).min(best) };
            if (next - here).abs() < 1e-12 {
                // A day or two do not decide whether there is an answer at all.
                let so = self.beyond(self.value(here), SURE.min(self.problem.most))? <= 0.0;
                if so != holds && !is_sure {
                    (holds, is_sure) = (so, true);
                    continue;
                }
                return Ok(Err(if so { Crossing::Holds(self.value(here)) } else { Crossing::Fails(self.value(here)) }));
            }
            if (self.beyond(self.value(next), self.scouts())? <= 0.0) != holds {
                return Ok(Ok(if holds { (next, here) } else { (here, next) }));
            }
            here = next;
            step = (2.0 * step).min(longest);
        }
    }

    /// Narrows a bracket by false position; by bisection where that moves the same end twice.
    fn narrow(&mut self, bad: f64, good: f64) -> Result<(f64, f64), StudyError> {
        const ROUNDS: u32 = 8;
        let (mut bad, mut good) = (bad, good);
        let (mut above, mut below) =
            (self.beyond(self.value(bad), self.scouts())?, self.beyond(self.value(good), self.scouts())?);
        let (mut last, mut again) = (0, false);
        for _ in 0..ROUNDS {
            if (good - bad).abs() <= 4.0 * self.reach() {
                break;
            }
            let share = if again { 0.5 } else { (above / (above - below)).clamp(0.05, 0.95) };
            let middle = bad + (good - bad) * share;
            let found = self.beyond(self.value(middle), self.scouts())?;
            let side = if found > 0.0 { 1 } else { -1 };
            if found > 0.0 {
                (bad, above) = (middle, found);
            } else {
                (good, below) = (middle, found);
            }
            (again, last) = (side == last, side);
        }
        Ok((bad, good))
    }

    /// Distance of the last two values from the crossing.
    fn reach(&self) -> f64 {
        let terms = &self.problem.terms;
        if terms.whole && !terms.by_ratio {
            0.5
        } else if terms.by_ratio {
            0.04
        } else {
            (terms.range.1 - terms.range.0) * 0.02
        }
    }

    /// Two values close to the crossing, on as many days as it takes.
    fn settle(mut self, bad: f64, good: f64) -> Result<Answer, StudyError> {
        let (above, below) =
            (self.beyond(self.value(bad), self.scouts())?, self.beyond(self.value(good), self.scouts())?);
        let centre = bad + (good - bad) * (above / (above - below)).clamp(0.0, 1.0);
        let (mut days, mut reach) = (FIRST, self.reach());
        let mut pair = self.pair(centre - reach, centre + reach);
        let mut bracket = Bracket { bad, good, out: reach, moves: 0 };
        loop {
            let (worse, better) =
                (self.samples.first(pair.0, days)?.to_vec(), self.samples.first(pair.1, days)?.to_vec());
            let (a, b) = (self.place(pair.0), self.place(pair.1));
            let fails = |sample: &[f64]| excess(self.problem, sample) > 0.0;
            bracket.learn((a, fails(&worse)), (b, fails(&better)));
            let crossing = crossing(self.problem, (a, &worse), (b, &better));
            let wanted = self.wanted(crossing.mean);
            let spent = self.samples.runs >= self.problem.most || bracket.moves >= MOVES;
            // Where the better one is at the limit itself, as at a limit of zero, a line through it crosses there on all days; and where
            // the worse one is, too, the crossing lies below both.
            let touches = !self.problem.terms.whole && excess(self.problem, &better) >= 0.0;
            // Both are within the limit: no line tells where it is crossed.
            let is_flat = touches && !fails(&worse);
            let aside = (crossing.mean - f64::midpoint(a, b)).abs() > b - a;
            if (is_flat || aside) && !spent {
                let centre = if is_flat { f64::midpoint(bracket.bad, bracket.good) } else { crossing.mean };
                let (low, high) = bracket.next(centre, reach);
                let moved = self.pair(low, high);
                // Where days vary so much that the pair moves in circles, more days are run.
                if moved == pair || bracket.moves.is_multiple_of(5) {
                    days = more_days(days, 2.0, (self.problem.most - self.samples.runs) / 2);
                }
                pair = moved;
                continue;
            }
            if crossing.half > wanted && !spent {
                days = more_days(days, crossing.half / wanted, (self.problem.most - self.samples.runs) / 2);
                continue;
            }
            let bend = self.bend(crossing.mean, (a, &worse), (b, &better))?;
            let Interval { mean: found, half } = bent(&crossing, bend.by);
            if bend.by.abs() <= crossing.half && !touches {
                return Ok(self.told(found, (found - half, found + half), half <= wanted));
            }
            // The measure jumps: all that is sure is which value fails, which holds, and how far other days would move the crossing.
            let (from, to) = bend.between;
            if to - from <= 2.0 * wanted || spent {
                let found = found.clamp(from, to);
                let ends = (from.min(found - crossing.half), to.max(found + crossing.half));
                return Ok(self.told(found, ends, to - from <= 2.0 * wanted && crossing.half <= wanted));
            }
            let middle = self.value(f64::midpoint(a, b));
            let fails = excess(self.problem, self.samples.first(middle, days.min(FIRST))?) > 0.0;
            pair = if fails { (middle, pair.1) } else { (pair.0, middle) };
            (reach, bracket.moves) = (reach / 2.0, bracket.moves + 1);
        }
    }

    /// The shift of the crossing when it is tried itself: on a few of the days, since common variation cancels; on all, where the
    /// crossing of those few lies elsewhere.
    fn bend(&mut self, found: f64, low: (f64, &[f64]), high: (f64, &[f64])) -> Result<Bend, StudyError> {
        let fails = |sample: &[f64]| excess(self.problem, sample) > 0.0;
        let few = low.1.len().min(FEW);
        let few = if fails(&low.1[..few]) && !fails(&high.1[..few]) { few } else { low.1.len() };
        let value = self.value(found);
        let place = self.place(value);
        if self.problem.terms.whole || place <= low.0 || place >= high.0 {
            return Ok(Bend { by: 0.0, between: (low.0, high.0) });
        }
        let sample = self.samples.first(value, u32::try_from(few).unwrap_or(u32::MAX))?.to_vec();
        let (low, high) = ((low.0, &low.1[..few]), (high.0, &high.1[..few]));
        let (from, to) = if excess(self.problem, &sample) > 0.0 {
            ((place, &sample[..]), high)
        } else {
            (low, (place, &sample[..]))
        };
        Ok(Bend { by: root(self.problem, from, to) - root(self.problem, low, high), between: (from.0, to.0) })
    }

    /// The answer in values.
    fn told(self, found: f64, ends: (f64, f64), precise: bool) -> Answer {
        let ends = [ends.0, ends.1].map(|place| self.end(place));
        let ends = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        let outcome = Crossing::Crosses(self.end(found), ends);
        self.samples.answer(self.problem, outcome, precise)
    }

    /// A value as it is reported: for whole numbers the first that is enough.
    fn end(&self, place: f64) -> f64 {
        let terms = &self.problem.terms;
        if !terms.whole {
            return self.value(place);
        }
        let place = if terms.more_helps { place } else { -place };
        let value = if terms.by_ratio { exp(place) } else { place };
        // A crossing at a whole number is that number, whatever rounding left of it.
        let enough = if terms.more_helps { (value - 1e-6 * value).ceil() } else { (value + 1e-6 * value).floor() };
        enough.clamp(terms.range.0, terms.range.1)
    }

    /// The values of two places, the worse first.
    fn pair(&self, low: f64, high: f64) -> (f64, f64) {
        let (worse, better) = (self.value(low), self.value(high));
        if (worse - better).abs() > 0.0 {
            return (worse, better);
        }
        // Whole numbers may fall on one, and an end of the range has but one side.
        let out = high - low + 0.01;
        (self.value(low - out), self.value(high + out))
    }

    /// Half-width that is narrow enough, on the axis.
    fn wanted(&self, place: f64) -> f64 {
        let terms = &self.problem.terms;
        if terms.whole && !terms.by_ratio {
            (self.problem.precision * place.abs()).max(0.5)
        } else if terms.whole {
            self.problem.precision.max(0.5 / exp(place.abs()))
        } else if terms.by_ratio {
            self.problem.precision
        } else {
            self.problem.precision * (terms.range.1 - terms.range.0)
        }
    }
}

/// The crossing where a value tried there says that the line between the two others is off by so much: the interval is wider by that.
fn bent(crossing: &Interval, by: f64) -> Interval {
    Interval { mean: crossing.mean + by, half: crossing.half + by.abs() }
}

/// Days that the precision needs, from how much too wide the interval is: at most twice as many as there are.
fn more_days(days: u32, too_wide: f64, afford: u32) -> u32 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bounded by doubling
    let needed = (f64::from(days) * (too_wide * too_wide).clamp(1.0, 2.0)).ceil() as u32;
    needed.max(days + 1).min(days + afford.max(1))
}

/// How far beyond the limit the measure is, as 1 - limit / measure: near saturation latency goes as the reciprocal of what
/// is left of the capacity, so that this is nearly a straight line where the measure itself is a cliff.
fn excess(problem: &SearchProblem, sample: &[f64]) -> f64 {
    /// Values near zero are no further from the limit than this share of it.
    const LEAST: f64 = 0.05;
    let measure = measure(problem.criterion, sample, problem.limit).max(0.0);
    let least = scale(problem.limit) * LEAST;
    1.0 - (problem.limit + least) / (measure + least)
}

/// Where the line through two values crosses the limit.
fn root(problem: &SearchProblem, (a, worse): (f64, &[f64]), (b, better): (f64, &[f64])) -> f64 {
    let (above, below) = (excess(problem, worse), excess(problem, better));
    // Where the two hardly differ the line has no slope: a long step in the direction that helps.
    let slope = (below - above).min(-1e-6) / (b - a);
    a - above / slope
}

/// The same with its interval, from jackknife pseudo-values over the days.
fn crossing(problem: &SearchProblem, (a, worse): (f64, &[f64]), (b, better): (f64, &[f64])) -> Interval {
    let whole = root(problem, (a, worse), (b, better));
    #[allow(clippy::cast_precision_loss)] // days
    let days = worse.len() as f64;
    let without = |sample: &[f64], day: usize| -> Vec<f64> {
        let others = sample.iter().enumerate().filter(|(other, _)| *other != day);
        others.map(|(_, value)| *value).collect()
    };
    let pseudo: Tally = (0..worse.len())
        .map(|day| {
            let fewer = root(problem, (a, &without(worse, day)), (b, &without(better, day)));
            days * whole - (days - 1.0) * fewer
        })
        .collect();
    Interval { mean: whole, half: pseudo.interval(CONFIDENCE).half }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::answer::KnobTerms;
    use crate::random::Key;

    fn terms(more_helps: bool) -> KnobTerms {
        KnobTerms { range: (1e-3, 1e3), start: 1.0, by_ratio: true, more_helps, whole: false }
    }

    /// A measure 10 / x with lognormal noise of its own for each day: the mean is 2 at 5 e^{s²/2}.
    #[allow(clippy::type_complexity)] // what `search` asks for
    fn noisy(seed: u64, sigma: f64) -> impl Fn(&[(f64, u32)]) -> Result<Vec<Option<f64>>, StudyError> {
        move |points| {
            let value = |&(value, day): &(f64, u32)| {
                let mut stream = Key::new(seed, day).stream(0);
                let noise: f64 = (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0;
                Some(10.0 / value * exp(sigma * noise))
            };
            Ok(points.iter().map(value).collect())
        }
    }

    /// The interval holds the true crossing as often as it says.
    #[test]
    fn the_interval_covers_the_crossing() {
        let sigma = 0.2_f64;
        let problem =
            SearchProblem { limit: 2.0, terms: terms(true), criterion: Criterion::Mean, precision: 0.05, most: 1000 };
        let truth = 5.0 * exp(sigma * sigma / 2.0);
        let covered = (0..1000).filter(|seed| {
            let answer = search(&problem, &noisy(*seed, sigma), &|_| None).unwrap();
            let Crossing::Crosses(_, (low, high)) = answer.outcome else { return false };
            low <= truth && truth <= high
        });
        let covered = covered.count();
        assert!(covered >= 925, "{covered} of 1000");
    }

    /// Fault: what is forecast moves the answer. One that is off by a factor of eight, or nowhere, only costs runs; one that is off by a
    /// tenth saves some.
    #[test]
    fn a_forecast_is_where_a_search_begins_and_no_more() {
        let terms = KnobTerms { start: 300.0, ..terms(true) };
        let problem = SearchProblem { limit: 2.0, terms, criterion: Criterion::Mean, precision: 0.05, most: 1000 };
        let of = |forecast: &ForecastValue<'_>| search(&problem, &noisy(3, 0.02), forecast).unwrap();
        let found = |answer: &Answer| match answer.outcome {
            Crossing::Crosses(value, (low, high)) => (value, high - low),
            _ => panic!("{answer:?}"),
        };
        let without = of(&|_| None);
        let by = |factor: f64| of(&move |value| Some(factor * 10.0 / value));
        for answer in [by(1.1), by(8.0), by(0.125), by(0.0), by(1e9)] {
            assert!((found(&answer).0 - found(&without).0).abs() < found(&without).1 / 2.0, "{answer:?}");
        }
        assert!(by(1.1).runs + 3 <= without.runs, "{} of {}", by(1.1).runs, without.runs);
    }

    /// Fault: where the measure is no straight line, the interval is as narrow as if it were one.
    #[test]
    fn an_interval_is_wider_where_the_measure_bends() {
        for by in [-0.25, 0.0, 0.25] {
            let Interval { mean, half } = bent(&Interval { mean: 5.0, half: 0.5 }, by);
            assert!(
                (mean - 5.0 - by).abs() < 1e-12 && (half - 0.5 - f64::abs(by)).abs() < 1e-12,
                "{by}: {mean} {half}"
            );
            assert!(mean - half <= 4.5 && mean + half >= 5.5, "{by}: what the line alone allows is still inside");
        }
    }

    /// Fault: where the measure jumps, the answer is not the jump.
    #[test]
    fn a_cliff_is_found() {
        let terms = KnobTerms { range: (0.0, 100.0), start: 90.0, by_ratio: false, more_helps: true, whole: false };
        let problem = SearchProblem { limit: 2.0, terms, criterion: Criterion::Mean, precision: 0.01, most: 400 };
        let cliff = |points: &[(f64, u32)]| -> Result<Vec<Option<f64>>, StudyError> {
            Ok(points.iter().map(|&(value, _)| Some(if value < 37.0 { 4.0 } else { 0.5 })).collect())
        };
        let answer = search(&problem, &cliff, &|_| None).unwrap();
        let Crossing::Crosses(value, (low, high)) = answer.outcome else { panic!("{answer:?}") };
        assert!((value - 37.0).abs() < 1.0 && low <= 37.0 && 37.0 <= high, "{answer:?}");
    }

    /// A measure that is nothing from 37 on, and a limit of nothing: where it begins is between two values, not at one.
    #[test]
    fn a_limit_of_nothing_has_an_interval() {
        let terms = KnobTerms { range: (1.0, 1e3), start: 90.0, by_ratio: true, more_helps: true, whole: false };
        let problem = SearchProblem { limit: 0.0, terms, criterion: Criterion::Mean, precision: 0.01, most: 400 };
        let floor = |points: &[(f64, u32)]| -> Result<Vec<Option<f64>>, StudyError> {
            Ok(points.iter().map(|&(value, day)| Some((37.0 - value).max(0.0) * f64::from(day % 3 + 1))).collect())
        };
        let answer = search(&problem, &floor, &|_| None).unwrap();
        let Crossing::Crosses(_, (low, high)) = answer.outcome else { panic!("{answer:?}") };
        assert!(low < 37.0 && 37.0 <= high && high / low < 1.05, "{answer:?}");
    }

    /// Whole numbers: the first that is enough.
    #[test]
    fn a_whole_number_is_the_first_that_is_enough() {
        let terms = KnobTerms { range: (1.0, 500.0), start: 3.0, by_ratio: true, more_helps: true, whole: true };
        let problem = SearchProblem { limit: 2.0, terms, criterion: Criterion::Mean, precision: 0.01, most: 400 };
        let answer = search(
            &problem,
            &|points: &[(f64, u32)]| Ok(points.iter().map(|&(value, _)| Some(75.0 / value)).collect()),
            &|_| None,
        );
        assert_eq!(answer.unwrap().outcome, Crossing::Crosses(38.0, (38.0, 38.0)));
    }

    #[test]
    fn what_holds_everywhere_or_nowhere_is_told() {
        let problem = |limit| SearchProblem {
            limit,
            terms: terms(true),
            criterion: Criterion::Days(0.95),
            precision: 0.05,
            most: 100,
        };
        let everywhere = search(&problem(1e6), &noisy(1, 0.1), &|_| None).unwrap().outcome;
        assert!(matches!(everywhere, Crossing::Holds(value) if (value - 1e-3).abs() < 1e-12));
        let nowhere = search(&problem(1e-6), &noisy(1, 0.1), &|_| None).unwrap().outcome;
        assert!(matches!(nowhere, Crossing::Fails(value) if (value - 1e3).abs() < 1e-6));
    }
}
