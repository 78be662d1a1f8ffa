//! Draws of the workload: who asks next, when, from which site, for how much.
//!
//! Every draw is keyed by class, day or workstation, and the number of the transaction, so that what is asked
//! does not depend on what became of earlier requests.

use crate::model::{Arrivals, Class, Levels, SiteId};
use crate::random::{Key, Purpose, Stream, within};
use crate::units::{Bytes, Duration, Time, TimeOfDay};

/// Key of the draws for the `number`-th transaction of an entity. Classes and sites enter by their names
/// ([`crate::random::name_of`]), so that their order in a scenario decides nothing.
#[derive(Clone, Copy, Debug)]
pub struct DrawKey {
    key: Key,
    entity: u64,
    number: u64,
}

impl DrawKey {
    /// The `number`-th transaction of `entity` (a workstation, or a day) of the class of this name.
    #[must_use]
    pub fn new(key: Key, class: u64, entity: u64, number: u64) -> Self {
        Self { key, entity: within(class, entity), number }
    }

    /// The key of the transaction of class `to` that forwards this one.
    #[must_use]
    pub fn forwarded(&self, to: u64) -> Self {
        Self { entity: within(to, self.entity), ..*self }
    }

    /// Its random stream for a purpose.
    #[must_use]
    pub fn stream(&self, purpose: Purpose) -> Stream {
        self.key.of(purpose, self.entity).stream(self.number)
    }
}

/// Workstations whose people wait for the answer.
#[derive(Clone, Debug)]
pub struct Users {
    seats: Vec<Seat>,
    /// By site: the number of its first workstation.
    first: Vec<u32>,
    /// Which of them are not in use any more today.
    asleep: Vec<bool>,
}

/// A workstation.
#[derive(Clone, Debug)]
struct Seat {
    site: SiteId,
    /// Actions so far.
    actions: u32,
    /// Activity above which it is in use.
    threshold: f64,
}

impl Users {
    /// All asleep. Workstation j of n at a site is in use while activity is above (j + u) / n, where u is the site's place among
    /// all: over the estate thresholds are spread evenly, also where each site has but one.
    #[must_use]
    pub fn new(workstations: &[u32], site_names: &[u64]) -> Self {
        let places = places(site_names);
        let seat = |site: u32, place: u32, count: u32| {
            let threshold = (f64::from(place) + places[site as usize]) / f64::from(count);
            Seat { site: SiteId(site), actions: 0, threshold }
        };
        let seats = |(&count, site): (&u32, u32)| (0..count).map(move |place| seat(site, place, count));
        let seats: Vec<Seat> = workstations.iter().zip(0_u32..).flat_map(seats).collect();
        let before = |sum: &mut u32, count: &u32| Some(std::mem::replace(sum, *sum + count));
        let first = workstations.iter().scan(0, before).collect();
        Self { asleep: vec![true; seats.len()], seats, first }
    }

    /// Name of a workstation among those of all sites.
    #[must_use]
    pub fn name(&self, user: u32, site_names: &[u64]) -> u64 {
        let site = self.seats[user as usize].site.index();
        within(site_names[site], u64::from(user - self.first[site]))
    }

    /// Those who are asleep wake up; each comes with the first time of day at which it is in use.
    pub fn wake(&mut self, activity: &Levels, factor: f64) -> Vec<(u32, TimeOfDay)> {
        let mut woken = Vec::new();
        for ((seat, asleep), user) in self.seats.iter().zip(&mut self.asleep).zip(0_u32..) {
            if !*asleep {
                continue;
            }
            if let Some(at) = activity.next_above(seat.threshold, factor, TimeOfDay(0)) {
                *asleep = false;
                woken.push((user, at));
            }
        }
        woken
    }

    /// When the workstation is in use from `clock` on; none when not any more today.
    #[must_use]
    pub fn in_use(&self, user: u32, activity: &Levels, factor: f64, clock: TimeOfDay) -> Option<TimeOfDay> {
        activity.next_above(self.seats[user as usize].threshold, factor, clock)
    }

    /// The workstation is not in use any more today.
    pub fn fall_asleep(&mut self, user: u32) {
        self.asleep[user as usize] = true;
    }

    /// The site of the workstation.
    #[must_use]
    pub fn site(&self, user: u32) -> SiteId {
        self.seats[user as usize].site
    }

    /// Number of its next action.
    pub fn next_action(&mut self, user: u32) -> u64 {
        let number = &mut self.seats[user as usize].actions;
        *number += 1;
        u64::from(*number - 1)
    }
}

/// A number from 0 to 1 for each site: evenly spread, in an order by name that differs from that of the estate.
fn places(site_names: &[u64]) -> Vec<f64> {
    const PLACE: u64 = 0x0070_6c61_6365;
    let mut order: Vec<usize> = (0..site_names.len()).collect();
    order.sort_unstable_by_key(|&site| within(site_names[site], PLACE));
    let mut places = vec![0.0; site_names.len()];
    #[allow(clippy::cast_precision_loss)] // sites of a country
    for (rank, site) in order.into_iter().enumerate() {
        places[site] = (rank as f64 + 0.5) / site_names.len() as f64;
    }
    places
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

    /// A process beside the usual one of a day.
    #[must_use]
    pub fn beside(day: u64, mean: f64) -> Self {
        Self { day, entity: 1 << 46 | day, mean, ..Self::default() }
    }

    /// The next arrival: its name and its time; none when the day has no more.
    pub fn next(&mut self, key: Key, class: u64, arrivals: &Arrivals) -> Option<(DrawKey, Time)> {
        if !(self.mean > 0.0) {
            return None;
        }
        let draw_key = DrawKey::new(key, class, self.entity, self.number);
        self.number += 1;
        // Inversion: unit-rate gaps, scaled to the day's mean, through the cumulative profile.
        self.share += draw_key.stream(Purpose::Timing).exponential() / self.mean;
        let clock = arrivals.profile.invert(self.share, &mut self.segment)?;
        Some((draw_key, clock.on(self.day)))
    }
}

/// Draws sites in proportion to their patients: cumulative patients, in the order of the names' numbers.
#[derive(Clone, Debug)]
pub struct ByPatients(Vec<(u32, SiteId)>);

impl ByPatients {
    /// From patients and names by site; the sum of patients is below 2^32.
    #[must_use]
    pub fn new(patients: impl Iterator<Item = u32>, site_names: &[u64]) -> Self {
        let mut sites: Vec<(u32, SiteId)> = patients.zip((0..site_names.len()).map(SiteId::of)).collect();
        sites.sort_unstable_by_key(|(_, site)| site_names[site.index()]);
        let mut sum = 0_u32;
        for (patients, _) in &mut sites {
            sum = sum.saturating_add(*patients);
            *patients = sum;
        }
        Self(sites)
    }

    /// Draws a site.
    #[must_use]
    pub fn draw(&self, draw_key: &DrawKey) -> SiteId {
        let total = self.0.last().map_or(0, |last| last.0);
        let patient = draw_key.stream(Purpose::Site).below(total.max(1));
        let place = self.0.partition_point(|&(sum, _)| sum <= patient).min(self.0.len().saturating_sub(1));
        self.0.get(place).map_or(SiteId(0), |(_, site)| *site)
    }
}

/// Terms of a class's daily jobs.
#[derive(Clone, Copy, Debug)]
pub struct JobTerms<'a> {
    /// Workstations at each site, and the sites' names.
    pub workstations: &'a [u32],
    /// See `workstations`.
    pub site_names: &'a [u64],
    /// Jobs of each on a day, as a mean: of the second only where there is more than one.
    pub share: f64,
    /// Window of starts.
    pub start: (TimeOfDay, TimeOfDay),
    /// Likeliest start.
    pub peak: Option<TimeOfDay>,
}

/// The jobs of one day, the last first: time, site and key.
#[must_use]
pub fn jobs_of_day(key: Key, class: u64, day: u64, terms: JobTerms<'_>) -> Vec<(Time, SiteId, DrawKey)> {
    let mut jobs = Vec::new();
    for ((&count, name), site) in terms.workstations.iter().zip(terms.site_names).zip(0_u32..) {
        for number in 0..u64::from(count) {
            for (further, share) in (0..).zip(std::iter::successors(Some(terms.share), |share| Some(share - 1.0))) {
                if !(share > 0.0) {
                    break;
                }
                let draw_key = DrawKey::new(key, class, within(*name, 1 << 40 | day), number | further << 32);
                if draw_key.stream(Purpose::Site).uniform() < share {
                    let (from, until) = (terms.start.0.on(day), terms.start.1.on(day));
                    let share = triangular(draw_key.stream(Purpose::Timing).uniform(), terms.start, terms.peak);
                    jobs.push((from + Duration::of_secs(until.since(from).secs() * share), SiteId(site), draw_key));
                }
            }
        }
    }
    jobs.sort_by_key(|&(at, site, draw_key)| std::cmp::Reverse((at, terms.site_names[site.index()], draw_key.number)));
    jobs
}

/// Inverse distribution function of the triangular distribution on [0, 1] with its mode at `peak`; uniform
/// without one.
fn triangular(u: f64, (from, until): (TimeOfDay, TimeOfDay), peak: Option<TimeOfDay>) -> f64 {
    let Some(peak) = peak else { return u };
    let mode = (peak.hours() - from.hours()) / (until.hours() - from.hours());
    if u < mode { (u * mode).sqrt() } else { 1.0 - ((1.0 - u) * (1.0 - mode)).sqrt() }
}

/// Sizes of request and response of each turn of a transaction.
pub fn sizes<'a>(draw_key: &DrawKey, class: &'a Class) -> impl Iterator<Item = (Bytes, Bytes)> + use<'a> {
    let mut stream = draw_key.stream(Purpose::Size);
    (0..class.turns).map(move |_| (class.request.bytes(&mut stream), class.response.bytes(&mut stream)))
}
