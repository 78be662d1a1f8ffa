//! Demand at work: who asks next, when, from which site, and how much.
//!
//! Every draw is keyed by class, day or workstation, and the number of the transaction, so that what is asked
//! does not depend on what became of earlier requests.

use crate::random::{Key, Purpose, Stream};
use crate::scenario::model::{Arrivals, Class, ClassId, Levels, SiteId};
use crate::sim::ahead::prefetch;
use crate::units::{Bytes, Clock, Share, Span, Time};

/// One of a class's keys: what is drawn for the `number`-th transaction of an entity.
#[derive(Clone, Copy, Debug)]
pub struct Named {
    key: Key,
    entity: u64,
    number: u64,
}

impl Named {
    /// The `number`-th transaction of `entity` (a workstation, or a day) of a class.
    #[must_use]
    pub fn new(key: Key, class: ClassId, entity: u64, number: u64) -> Self {
        Self { key, entity: u64::from(class.0) << 48 | entity, number }
    }

    /// The transaction of class `to` that carries on this one's contents.
    #[must_use]
    pub fn forwarded(&self, to: ClassId) -> Self {
        const FORWARDED: u64 = 1 << 47;
        let own = self.entity & ((1 << 47) - 1);
        Self { key: self.key, entity: u64::from(to.0) << 48 | FORWARDED | own, number: self.number }
    }

    /// Its numbers for a purpose.
    #[must_use]
    pub fn stream(&self, purpose: Purpose) -> Stream {
        self.key.of(purpose, self.entity).stream(self.number)
    }
}

/// Workstations whose people wait for the answer.
#[derive(Clone, Debug)]
pub struct Users {
    seats: Vec<Seat>,
    /// Which of them are not in use any more today: kept apart, because it changes once a day.
    asleep: Vec<bool>,
}

/// A workstation, in one place of the memory: it is looked at once a minute, and not at all in between.
#[derive(Clone, Debug)]
struct Seat {
    site: SiteId,
    /// Actions so far.
    actions: u32,
    /// It is in use while activity is above this.
    threshold: f64,
}

impl Users {
    /// All asleep. Workstation j of n at a site is in use while activity is above (j + 1/2) / n.
    #[must_use]
    pub fn new(workstations: &[u32]) -> Self {
        let seat = |site, place: u32, count: u32| {
            let threshold = (f64::from(place) + 0.5) / f64::from(count);
            Seat { site: SiteId(site), actions: 0, threshold }
        };
        let seats = |(&count, site): (&u32, u32)| (0..count).map(move |place| seat(site, place, count));
        let seats: Vec<Seat> = workstations.iter().zip(0_u32..).flat_map(seats).collect();
        Self { asleep: vec![true; seats.len()], seats }
    }

    /// Those who are asleep wake up; each comes with the first time of day at which it is in use.
    pub fn wake(&mut self, activity: &Levels, factor: f64) -> Vec<(u32, Clock)> {
        let mut woken = Vec::new();
        for ((seat, asleep), user) in self.seats.iter().zip(&mut self.asleep).zip(0_u32..) {
            if !*asleep {
                continue;
            }
            if let Some(at) = activity.next_above(seat.threshold, factor, Clock(0)) {
                *asleep = false;
                woken.push((user, at));
            }
        }
        woken
    }

    /// When the workstation is in use from `clock` on; none when not any more today.
    #[must_use]
    pub fn in_use(&self, user: u32, activity: &Levels, factor: f64, clock: Clock) -> Option<Clock> {
        activity.next_above(self.seats[user as usize].threshold, factor, clock)
    }

    /// The workstation is not in use any more today.
    pub fn fall_asleep(&mut self, user: u32) {
        self.asleep[user as usize] = true;
    }

    /// Asks for what an action of the workstation needs to know of it.
    pub fn prefetch(&self, user: u32) {
        prefetch(&self.seats[user as usize]);
    }

    /// Where the workstation stands.
    #[must_use]
    pub fn site(&self, user: u32) -> SiteId {
        self.seats[user as usize].site
    }

    /// Numbers its next action.
    pub fn next_action(&mut self, user: u32) -> u64 {
        let number = &mut self.seats[user as usize].actions;
        *number += 1;
        u64::from(*number - 1)
    }
}

/// A day's arrivals of a Poisson process, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Poisson {
    day: u64,
    entity: u64,
    number: u64,
    mean: f64,
    share: f64,
    segment: usize,
}

impl Poisson {
    /// Begins day `day`, on which `mean` arrivals are expected.
    #[must_use]
    pub fn begin(day: u64, mean: f64) -> Self {
        Self { day, entity: day, mean, ..Self::default() }
    }

    /// A process beside the usual one of a day, the `number`-th.
    #[must_use]
    pub fn beside(day: u64, mean: f64, number: usize) -> Self {
        Self { day, entity: 1 << 46 | (number as u64) << 32 | day, mean, ..Self::default() }
    }

    /// The next arrival: its name and its time; none when the day has no more.
    pub fn next(&mut self, key: Key, class: ClassId, arrivals: &Arrivals) -> Option<(Named, Time)> {
        if !(self.mean > 0.0) {
            return None;
        }
        let named = Named::new(key, class, self.entity, self.number);
        self.number += 1;
        // Inversion: unit-rate gaps, scaled to the day's mean, through the cumulative profile.
        self.share += named.stream(Purpose::When).exponential() / self.mean;
        let clock = arrivals.profile.invert(self.share, &mut self.segment)?;
        Some((named, clock.on(self.day)))
    }
}

/// Sites in proportion to their patients.
#[derive(Clone, Debug)]
pub struct ByPatients(Vec<u32>);

impl ByPatients {
    /// From patients by site; their sum is below 2^32.
    #[must_use]
    pub fn new(patients: impl Iterator<Item = u32>) -> Self {
        let mut sum = 0_u32;
        Self(
            patients
                .map(|patients| {
                    sum = sum.saturating_add(patients);
                    sum
                })
                .collect(),
        )
    }

    /// One site.
    #[must_use]
    pub fn draw(&self, named: &Named) -> SiteId {
        let total = self.0.last().copied().unwrap_or(0);
        let patient = named.stream(Purpose::Where).below(total.max(1));
        SiteId::of(self.0.partition_point(|&sum| sum <= patient).min(self.0.len().saturating_sub(1)))
    }
}

/// Terms of a class's daily jobs.
#[derive(Clone, Copy, Debug)]
pub struct JobTerms<'a> {
    /// Workstations at each site.
    pub workstations: &'a [u32],
    /// Share that has a job.
    pub share: Share,
    /// Window of starts.
    pub start: (Clock, Clock),
    /// Likeliest start.
    pub peak: Option<Clock>,
}

/// The jobs of one day, the last first: (when, where, name).
#[must_use]
pub fn jobs_of_day(key: Key, class: ClassId, day: u64, terms: JobTerms<'_>) -> Vec<(Time, SiteId, Named)> {
    let mut jobs = Vec::new();
    let mut number = 0;
    for (&count, site) in terms.workstations.iter().zip(0_u32..) {
        for _ in 0..count {
            let named = Named::new(key, class, 1 << 40 | day, number);
            number += 1;
            if named.stream(Purpose::Where).uniform() < terms.share.0 {
                let (from, until) = (terms.start.0.on(day), terms.start.1.on(day));
                let share = triangular(named.stream(Purpose::When).uniform(), terms.start, terms.peak);
                jobs.push((from + Span::of_secs(until.since(from).secs() * share), SiteId(site), named));
            }
        }
    }
    jobs.sort_by_key(|&(at, site, named)| std::cmp::Reverse((at, site, named.number)));
    jobs
}

/// Inverse distribution function of the triangular distribution on [0, 1] with its mode at `peak`; uniform
/// without one.
fn triangular(u: f64, (from, until): (Clock, Clock), peak: Option<Clock>) -> f64 {
    let Some(peak) = peak else { return u };
    let mode = (peak.hours() - from.hours()) / (until.hours() - from.hours());
    if u < mode { (u * mode).sqrt() } else { 1.0 - ((1.0 - u) * (1.0 - mode)).sqrt() }
}

/// Request and response of each turn of the action that `named` names.
pub fn sizes<'a>(named: &Named, class: &'a Class) -> impl Iterator<Item = (Bytes, Bytes)> + use<'a> {
    let mut stream = named.stream(Purpose::Size);
    (0..class.turns).map(move |_| (class.request.bytes(&mut stream), class.response.bytes(&mut stream)))
}
