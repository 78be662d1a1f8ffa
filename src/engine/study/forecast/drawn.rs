//! Days as they are drawn: who comes by itself, and which jobs there are, does not depend on responses, so that it can be drawn before
//! anything is simulated. What people do depends on them: of that the mean is taken.

use crate::model::{Class, Curfew, DayLevel, Demand, Model, Release, taken};
use crate::random::{Key, Purpose, name_of};
use crate::scenario::check::target::{Measure, Target, TargetSites};
use crate::sim::workload::draws::{DrawKey, JobTerms, Poisson, jobs_of_day, sizes};
use crate::study::forecast::detail::DRAWN;
use crate::study::forecast::outlook::DayForecast;
use crate::study::forecast::starts::{Starts, Steps, Wanted, arrived, is_off, lasting, on_days, part_of, ruled, surge};
use crate::study::forecast::traffic::Terms;
use crate::units::{Duration, Time, TimeOfDay, float};

/// The days of a set-up, up to the last hour of its targets.
pub struct DrawnDays<'a> {
    terms: Terms<'a>,
    site_names: Vec<u64>,
}

/// The days of a replication.
pub struct DrawnDay {
    /// What is forecast of them.
    pub forecast: DayForecast,
    /// Bytes that were drawn.
    pub bytes: f64,
}

impl<'a> DrawnDays<'a> {
    /// Those of a set-up. Of each target is forecast what goes with it best: of latency the mean, at all sites.
    #[must_use]
    pub fn of(model: &'a Model, targets: &[Target]) -> Self {
        let with = |measure: Measure| match measure {
            Measure::Quantile(class, _) | Measure::Slow(class) | Measure::GivenUp(class) => Measure::Mean(class),
            other => other,
        };
        let goes_with =
            |target: &Target| Target { measure: with(target.measure), sites: TargetSites::All, ..target.clone() };
        let all: Vec<Target> = targets.iter().map(goes_with).collect();
        let last = targets.iter().map(|target| target.until).max().unwrap_or(TimeOfDay(0));
        let until = if last > model.calendar.from { last.min(model.calendar.until) } else { model.calendar.until };
        let site_names = model.sites.iter().map(|site| name_of(&site.name)).collect();
        Self { terms: Terms::of(model, &all, DRAWN, until), site_names }
    }

    /// The forecast of the days of a replication.
    #[must_use]
    pub fn forecast(&self, replication: u32) -> DrawnDay {
        let classes = 0..self.terms.model.classes.len();
        let wanted: Vec<Wanted> = classes.map(|class| self.wanted(class, replication)).collect();
        let bytes = self.bytes(&wanted);
        DrawnDay { forecast: DayForecast::on(&Terms { wanted, ..self.terms.clone() }), bytes }
    }

    /// Bytes that can be drawn, on average: exactly.
    #[must_use]
    pub fn mean_bytes(&self) -> f64 {
        self.bytes(&self.terms.wanted)
    }

    fn bytes(&self, wanted: &[Wanted]) -> f64 {
        let of = |(class, wanted): (&Class, &Wanted)| match wanted {
            Wanted::Open(starts) => starts.counts.iter().sum::<f64>() * mean_bytes(class),
            _ => 0.0,
        };
        self.terms.model.classes.iter().zip(wanted).map(of).sum()
    }

    /// What a class wants on these days.
    fn wanted(&self, class: usize, replication: u32) -> Wanted {
        let Terms { model, steps, .. } = self.terms;
        let level = |day| model.level(replication, day);
        let terms = &model.classes[class];
        if !matches!(terms.demand, Demand::Open(_) | Demand::Jobs { .. }) {
            return on_days(model, class, steps, &level);
        }
        let mut starts = match &terms.demand {
            Demand::Open(arrivals) if !model.faults.is_empty() => {
                let more = |now| surge(model, class, now);
                ruled(terms, &arrived(model, arrivals, steps, &level, &more), steps)
            }
            _ => Starts::none(steps.count),
        };
        for day in 0..u64::from(model.calendar.days) {
            for (named, at) in self.drawn(terms, model.key(replication), (day, level(day))) {
                let bytes: f64 = sizes(&named, terms).map(|(asked, answered)| float(asked.0 + answered.0)).sum();
                starts.draw(terms, (&named, at), bytes / mean_bytes(terms).max(1.0), steps);
            }
        }
        Wanted::Open(starts)
    }

    /// What a class brings on a day by itself, and when.
    fn drawn(&self, class: &Class, key: Key, (day, level): (u64, DayLevel)) -> Vec<(DrawKey, Time)> {
        let weekday = usize::from(self.terms.model.calendar.weekday(day));
        let name = name_of(&class.name);
        match &class.demand {
            Demand::Open(arrivals) => {
                let mean = arrivals.per_day * arrivals.weekdays[weekday] * level.demand();
                let mut process = Poisson::begin(day, mean);
                std::iter::from_fn(|| process.next(key, name, arrivals)).collect()
            }
            Demand::Jobs { workstations, share, start, peak, weekdays, .. } if weekdays[weekday] => {
                let (site_names, share) = (&self.site_names[..], share.0 * level.demand());
                let terms = JobTerms { workstations, site_names, share, start: *start, peak: *peak };
                jobs_of_day(key, name, day, terms).into_iter().map(|(at, _, named)| (named, at)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// Bytes of an action of a class, on average.
fn mean_bytes(class: &Class) -> f64 {
    f64::from(class.turns) * (class.request.mean() + class.response.mean())
}

impl Starts {
    /// One that is drawn comes, as the rules of its class let it, and counts by its work.
    fn draw(&mut self, class: &Class, (named, at): (&DrawKey, Time), work: f64, steps: Steps) {
        let Some((start, curfew)) = start(class, named, at) else { return };
        let (step, wanted) = (steps.of(start), steps.of(at));
        if step >= self.counts.len() {
            return;
        }
        match curfew {
            Some(curfew) => self.put_off(part_of(&curfew, wanted, steps), (step, work)),
            None => self.counts[step] += work,
        }
    }
}

/// When one reaches the headend under the rules of its class, and the curfew that it has waited for; nothing if it does not come.
fn start(class: &Class, named: &DrawKey, at: Time) -> Option<(Time, Option<Curfew>)> {
    let rules = &class.rules;
    let mut chances = named.stream(Purpose::Chance);
    let (cache, around, obey) = (chances.uniform(), chances.uniform(), chances.uniform());
    // Of several that end together the last one counts.
    let holds = |curfew: &&Curfew| curfew.from <= at && at < curfew.until && obey < curfew.compliance.0;
    let curfew = rules.curfews.iter().rev().find(holds).map(|curfew| lasting(class, *curfew));
    let start = curfew.map_or(at, |curfew| match curfew.release {
        Release::AtOnce => curfew.until,
        Release::Spread(over) | Release::Jittered(over) => {
            curfew.until + Duration::of_secs(over.secs() * named.stream(Purpose::Release).uniform())
        }
    });
    let away = cache < taken(&rules.cached, start) || around < taken(&rules.break_out, start);
    (!is_off(class, at) && !is_off(class, start) && !away).then_some((start, curfew))
}
