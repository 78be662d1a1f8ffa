//! Starts: at what rate transactions of each class begin, as the rules of the class leave them.

use crate::model::{Arrivals, Class, Curfew, DayLevel, Demand, FaultKind, Model, Release, taken};
use crate::units::{Duration, Time, TimeOfDay};

/// What a class wants of a day.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// Starts in each step.
    Open(Starts),
    /// People at work in each step, and the time that one thinks between two actions [s].
    People(Vec<f64>, f64),
    /// Calls that begin in each step, and how long they last [s].
    Calls(Vec<f64>, f64),
    /// Calls that are in progress all the time.
    Steady(f64),
    /// Nothing that passes a concentrator.
    Nothing,
}

/// Starts, step by step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Starts {
    /// How many.
    pub counts: Vec<f64>,
    /// Those that were put off among them: the step in which they were wanted, and how many.
    pub put_off: Vec<Vec<(usize, f64)>>,
    /// How many more are served on site or go round the headend.
    pub elsewhere: Vec<f64>,
}

impl Starts {
    /// None, in so many steps.
    pub(super) fn none(steps: usize) -> Self {
        Self { counts: vec![0.0; steps], put_off: vec![Vec::new(); steps], elsewhere: vec![0.0; steps] }
    }

    /// Some that were wanted in one step begin in another.
    pub(super) fn put_off(&mut self, wanted: usize, (step, count): (usize, f64)) {
        self.counts[step] += count;
        match self.put_off[step].iter_mut().find(|(same, _)| *same == wanted) {
            Some((_, sum)) => *sum += count,
            None => self.put_off[step].push((wanted, count)),
        }
    }

    /// When those that begin in a step were wanted: steps, and the share of each.
    #[must_use]
    pub fn wanted_in(&self, step: usize) -> Vec<(usize, f64)> {
        let all = self.counts[step].max(f64::MIN_POSITIVE);
        let mut of: Vec<(usize, f64)> =
            self.put_off[step].iter().map(|(wanted, count)| (*wanted, count / all)).collect();
        let at_once = 1.0 - of.iter().map(|(_, share)| share).sum::<f64>();
        of.push((step, at_once.max(0.0)));
        of
    }

    /// How many were wanted by the end of a step and still wait.
    #[must_use]
    pub fn waiting_after(&self, step: usize) -> f64 {
        let later = self.put_off[step + 1..].iter().flatten();
        later.filter(|(wanted, _)| *wanted <= step).map(|(_, count)| count).sum()
    }
}

/// Steps of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// Length of a step [s].
    pub length: f64,
    /// How many there are, from midnight of the first day.
    pub count: usize,
}

impl Steps {
    /// When a step begins.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // steps of some weeks
    pub fn begins(&self, step: usize) -> Time {
        Time::at_secs(self.length * step as f64)
    }

    /// The step in which an instant lies; beyond the last one it is their number.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // not below nothing
    pub fn of(&self, at: Time) -> usize {
        ((at.secs() / self.length + 1e-9) as usize).min(self.count)
    }
}

/// What a class wants on average, on usual days.
#[must_use]
pub fn wanted(model: &Model, class: usize, steps: Steps) -> Wanted {
    on_days(model, class, steps, &|day| model.levels.usual(&model.calendar, day))
}

/// What a class wants on average, on days of these levels.
#[must_use]
pub fn on_days(model: &Model, class: usize, steps: Steps, level: &dyn Fn(u64) -> DayLevel) -> Wanted {
    let terms = &model.classes[class];
    match &terms.demand {
        Demand::Users { workstations, activity, weekdays, think, .. } => {
            let all: f64 = workstations.iter().map(|count| f64::from(*count)).sum();
            let at = |step: usize| {
                let now = steps.begins(step);
                let middle = TimeOfDay(now.clock().0 + Duration::of_secs(steps.length / 2.0).0);
                let weekday = usize::from(model.calendar.weekday(now.day()));
                all * activity.at(middle) * weekdays[weekday] * level(now.day()).at_work
            };
            Wanted::People((0..steps.count).map(at).collect(), think.mean() / level(0).pace)
        }
        Demand::Open(arrivals) => {
            let factor = |now| 1.0 + surge(model, class, now);
            Wanted::Open(ruled(terms, &arrived(model, arrivals, steps, level, &factor), steps))
        }
        Demand::Streams { arrivals, length, .. } => {
            let factor = |now| 1.0 + surge(model, class, now);
            Wanted::Calls(ruled(terms, &arrived(model, arrivals, steps, level, &factor), steps).counts, length.mean())
        }
        Demand::Steady { each, .. } => {
            #[allow(clippy::cast_precision_loss)] // sites
            let sites = model.sites.len() as f64;
            Wanted::Steady(f64::from(*each) * sites)
        }
        Demand::Jobs { workstations, share, start, peak, weekdays, .. } => {
            let all: f64 = workstations.iter().map(|count| f64::from(*count)).sum();
            let share_of = |at: TimeOfDay| by(at, *start, *peak);
            let at = |step: usize| {
                let now = steps.begins(step);
                if !weekdays[usize::from(model.calendar.weekday(now.day()))] {
                    return 0.0;
                }
                let next = TimeOfDay(now.clock().0 + Duration::of_secs(steps.length).0);
                all * share.0 * level(now.day()).demand() * (share_of(next) - share_of(now.clock()))
            };
            let drawn: Vec<f64> = (0..steps.count).map(at).collect();
            Wanted::Open(ruled(terms, &drawn, steps))
        }
        Demand::Replayed | Demand::Staff { .. } => Wanted::Nothing,
    }
}

/// Arrivals of each step, times a factor.
pub(super) fn arrived(
    model: &Model,
    arrivals: &Arrivals,
    steps: Steps,
    level: &dyn Fn(u64) -> DayLevel,
    factor: &dyn Fn(Time) -> f64,
) -> Vec<f64> {
    let at = |step: usize| {
        let now = steps.begins(step);
        let weekday = usize::from(model.calendar.weekday(now.day()));
        let mean = arrivals.per_day * arrivals.weekdays[weekday] * level(now.day()).demand();
        let next = TimeOfDay(now.clock().0 + Duration::of_secs(steps.length).0);
        mean * factor(now) * (arrivals.profile.at(next) - arrivals.profile.at(now.clock()))
    };
    (0..steps.count).map(at).collect()
}

/// What surges add to the arrivals of a class at an instant, as a share of the usual.
pub(super) fn surge(model: &Model, class: usize, now: Time) -> f64 {
    let add = |sum: f64, fault: &crate::model::Fault| match fault.what {
        FaultKind::Surge(surges, factor) if surges.index() == class => sum + factor - 1.0,
        _ => sum,
    };
    model.faults_at(now).fold(0.0, add)
}

/// Share of a day's jobs that has started by a time of day: uniform in their window, or triangular.
fn by(at: TimeOfDay, (from, until): (TimeOfDay, TimeOfDay), peak: Option<TimeOfDay>) -> f64 {
    let place = |at: TimeOfDay| ((at.hours() - from.hours()) / (until.hours() - from.hours())).clamp(0.0, 1.0);
    let x = place(at);
    let Some(mode) = peak.map(place) else { return x };
    if x < mode { x * x / mode } else { 1.0 - (1.0 - x) * (1.0 - x) / (1.0 - mode).max(1e-12) }
}

/// What the rules of a class leave of its starts, and when: curfews defer, caches and break-out take their share.
pub(super) fn ruled(class: &Class, drawn: &[f64], steps: Steps) -> Starts {
    let mut left = Starts::none(drawn.len());
    // What is switched off does not wait.
    let comes = |(step, count): &(usize, &f64)| **count > 0.0 && !is_off(class, steps.begins(*step));
    for (step, count) in drawn.iter().enumerate().filter(comes) {
        let now = steps.begins(step);
        let mut at_once = *count;
        let mut told = 0.0;
        // Who obeys one obeys those that more obey; of several the last one counts.
        for curfew in class.rules.curfews.iter().rev().filter(|curfew| curfew.from <= now && now < curfew.until) {
            let obey = (curfew.compliance.0 - told).max(0.0) * count;
            told = curfew.compliance.0.max(told);
            at_once -= obey;
            left.release(&lasting(class, *curfew), (step, obey), steps);
        }
        left.counts[step] += at_once;
    }
    for step in 0..drawn.len() {
        let now = steps.begins(step);
        let here = here(class, now);
        left.elsewhere[step] = left.counts[step] * elsewhere(class, now);
        left.counts[step] *= here;
        left.put_off[step].iter_mut().for_each(|(_, count)| *count *= here);
    }
    left
}

/// A curfew as it holds those who obey it: where another is in force at its end, which they obey, too, until that one is over.
pub(super) fn lasting(class: &Class, curfew: Curfew) -> Curfew {
    let holds_on = |other: &&Curfew| {
        other.from <= curfew.until && curfew.until < other.until && other.compliance.0 >= curfew.compliance.0
    };
    match class.rules.curfews.iter().find(holds_on) {
        Some(other) => lasting(class, Curfew { until: other.until, release: other.release, ..curfew }),
        None => curfew,
    }
}

/// Those that wait for the end of a curfew are told apart by when they were wanted, in so many parts.
const PARTS: usize = 12;

impl Starts {
    /// Spreads what has waited over the steps after a curfew.
    fn release(&mut self, curfew: &Curfew, (wanted, count): (usize, f64), steps: Steps) {
        let over = match curfew.release {
            Release::AtOnce => steps.length,
            Release::Spread(over) | Release::Jittered(over) => over.secs().max(steps.length),
        };
        let first = curfew.until.secs() / steps.length;
        let last = first + over / steps.length;
        let wanted = part_of(curfew, wanted, steps);
        #[allow(clippy::cast_precision_loss)] // steps of some weeks
        for step in steps.of(curfew.until)..self.counts.len() {
            let begins = step as f64;
            let part = last.min(begins + 1.0) - first.max(begins);
            if part <= 0.0 {
                break;
            }
            self.put_off(wanted, (step, count * part / (last - first)));
        }
    }
}

/// The step that stands for all of a part of a curfew, of one in it.
pub(super) fn part_of(curfew: &Curfew, step: usize, steps: Steps) -> usize {
    let begins = steps.of(curfew.from);
    let width = (steps.of(curfew.until) - begins).div_ceil(PARTS).max(1);
    begins + step.saturating_sub(begins) / width * width + width / 2
}

/// Share of a class that passes the headend at an instant.
#[must_use]
pub fn here(class: &Class, at: Time) -> f64 {
    if is_off(class, at) { 0.0 } else { 1.0 - round(class, at) }
}

/// Share of a class that is served on site or goes round the headend at an instant.
#[must_use]
pub fn elsewhere(class: &Class, at: Time) -> f64 {
    if is_off(class, at) { 0.0 } else { round(class, at) }
}

/// Whether a class is switched off at an instant.
pub(super) fn is_off(class: &Class, at: Time) -> bool {
    class.rules.switched_off.iter().any(|&(from, until)| from <= at && at < until)
}

/// What caches and break-out take.
fn round(class: &Class, at: Time) -> f64 {
    let rules = &class.rules;
    (1.0 - (1.0 - taken(&rules.cached, at)) * (1.0 - taken(&rules.break_out, at))).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Distribution;
    use crate::units::{NANOS, Share};

    fn at(secs: u64) -> Time {
        Time(secs * NANOS)
    }

    /// Nine of ten wait until the end of a curfew, and then start over ten minutes; none is lost, and when each was wanted is known.
    #[test]
    fn a_curfew_puts_off_and_loses_nothing() {
        let steps = Steps { length: 10.0, count: 600 };
        let one = || Distribution::Fixed(1.0);
        let mut class = Class::new("c".to_owned(), Demand::Replayed, one(), one());
        let release = Release::Jittered(Duration(600 * NANOS));
        class.rules.curfews = vec![Curfew { from: at(1_000), until: at(3_000), release, compliance: Share(0.9) }];
        let found = ruled(&class, &vec![1.0; 600], steps);
        assert!((found.counts.iter().sum::<f64>() - 600.0).abs() < 1e-6);
        assert!((found.counts[150] - 0.1).abs() < 1e-9 && (found.counts[299] - 0.1).abs() < 1e-9);
        assert!((found.counts[330] - (1.0 + 180.0 / 60.0)).abs() < 1e-6, "{}", found.counts[330]);
        let wanted = found.wanted_in(330);
        assert!((wanted.iter().map(|(_, share)| share).sum::<f64>() - 1.0).abs() < 1e-9);
        assert!(wanted.len() > 5 && wanted[..wanted.len() - 1].iter().all(|(step, _)| (100..310).contains(step)));
    }

    /// Fault: who is released into another curfew starts at once.
    #[test]
    fn curfews_that_overlap_hold_until_the_last_is_over() {
        let steps = Steps { length: 10.0, count: 600 };
        let one = || Distribution::Fixed(1.0);
        let mut class = Class::new("c".to_owned(), Demand::Replayed, one(), one());
        let curfew =
            |from, until| Curfew { from: at(from), until: at(until), release: Release::AtOnce, compliance: Share(1.0) };
        class.rules.curfews = vec![curfew(1_000, 3_000), curfew(2_000, 4_000)];
        let found = ruled(&class, &vec![1.0; 600], steps);
        assert!((found.counts[400] - 301.0).abs() < 1e-6, "{}", found.counts[400]);
        assert!(found.counts[100..400].iter().all(|count| *count < 1e-9));
    }

    #[test]
    fn what_is_served_elsewhere_does_not_come() {
        let one = || Distribution::Fixed(1.0);
        let mut class = Class::new("c".to_owned(), Demand::Replayed, one(), one());
        class.rules.cached = vec![(at(0), at(100), Share(0.5))];
        class.rules.break_out = vec![(at(0), at(100), Share(0.5))];
        class.rules.switched_off = vec![(at(200), at(300))];
        assert!((here(&class, at(50)) - 0.25).abs() < 1e-9 && (here(&class, at(150)) - 1.0).abs() < 1e-9);
        assert!(here(&class, at(250)) <= 0.0 && elsewhere(&class, at(250)) <= 0.0);
        let found = ruled(&class, &[8.0; 4], Steps { length: 100.0, count: 4 });
        assert_eq!((found.counts, found.elsewhere), (vec![2.0, 8.0, 0.0, 8.0], vec![6.0, 0.0, 0.0, 0.0]));
    }
}
