//! Availability of the sites' tunnels: how long and how often sites were cut off, and the staff time that this cost.

use serde::{Deserialize, Serialize};

use crate::model::{Calendar, ClassId, ConcentratorId, Demand, Levels, Model, SiteId};
use crate::units::{DAY, Time, TimeOfDay};

/// Days of a month, on average.
const MONTH: f64 = 365.25 / 12.0;

/// Availability of the sites' tunnels in a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Paths {
    /// Sites, and months that were simulated.
    pub sites: f64,
    /// Months that were simulated.
    pub months: f64,
    /// How often a site was cut off.
    pub outages: f64,
    /// The longest time for which one was [s].
    pub longest: f64,
    /// Whether a site that is cut off at the end of the run could exceed that.
    pub goes_on: bool,
    /// The most sites that were cut off at once.
    pub at_once: f64,
    /// Staff time at sites that were cut off [s].
    pub staff_lost: f64,
    /// Staff time in all [s].
    pub staff: f64,
}

impl Paths {
    /// Outages of a site in a month.
    #[must_use]
    pub fn outages_a_month(&self) -> f64 {
        self.outages / (self.sites * self.months)
    }

    /// Share of staff time at sites that were cut off; none if nobody was at work.
    #[must_use]
    pub fn staff_share(&self) -> Option<f64> {
        (self.staff > 0.0).then(|| self.staff_lost / self.staff)
    }

    /// The most sites that were cut off at once, as a share.
    #[must_use]
    pub fn share_at_once(&self) -> f64 {
        self.at_once / self.sites
    }
}

/// Watches the sites' tunnels.
pub struct PathWatch {
    calendar: Calendar,
    staff: Vec<Staff>,
    /// Share of people who are at work, by day.
    at_work: Vec<f64>,
    /// Since when each site is cut off.
    since: Vec<Option<Time>>,
    down: u32,
    found: Paths,
    /// Where each site's tunnel ends.
    pub concentrator_of: Vec<ConcentratorId>,
}

/// People whose time is counted.
struct Staff {
    people: Vec<u32>,
    activity: Levels,
    weekdays: [f64; 7],
    /// Working time of one person on a day of factor 1 [s].
    day: f64,
}

impl PathWatch {
    /// For a run of `model`: staff are those of classes of their own, else those who use the watched class.
    #[must_use]
    pub fn new(model: &Model, watched: ClassId) -> Self {
        let mut staff: Vec<Staff> = model.classes.iter().filter_map(|class| staff_of(&class.demand, false)).collect();
        if staff.is_empty() {
            staff.extend(staff_of(&model.classes[watched.index()].demand, true));
        }
        #[allow(clippy::cast_precision_loss)] // sites of a country
        let sites = model.sites.len() as f64;
        let calendar = model.calendar;
        let days = |weekdays: &[f64; 7]| -> f64 {
            let factor = |day| weekdays[usize::from(calendar.weekday(day))] * model.levels.at_work(day);
            (0..u64::from(calendar.days)).map(factor).sum()
        };
        let all =
            staff.iter().map(|staff| f64::from(staff.people.iter().sum::<u32>()) * staff.day * days(&staff.weekdays));
        let found = Paths { sites, months: f64::from(calendar.days) / MONTH, staff: all.sum(), ..Paths::default() };
        let concentrator_of = vec![ConcentratorId(0); model.sites.len()];
        let at_work = (0..u64::from(calendar.days)).map(|day| model.levels.at_work(day)).collect();
        Self { calendar, staff, at_work, since: vec![None; model.sites.len()], down: 0, found, concentrator_of }
    }

    /// A site is cut off, or reachable again.
    pub fn path(&mut self, now: Time, site: SiteId, up: bool) {
        let since = &mut self.since[site.index()];
        if up {
            if let Some(since) = since.take() {
                self.down -= 1;
                self.count(site, since, now);
            }
        } else if since.is_none() {
            *since = Some(now);
            self.down += 1;
            if self.calendar.watched(now) {
                self.found.at_once = self.found.at_once.max(self.down.into());
            }
        }
    }

    /// Whether this time overlaps the simulated hours.
    fn is_watched(&self, from: Time, until: Time) -> bool {
        let Calendar { from: opens, until: closes, days, .. } = self.calendar;
        let inside = |day: u64| opens.on(day) < until.max(Time(from.0 + 1)) && from < closes.on(day);
        (from.day()..=until.day().min(u64::from(days) - 1)).any(inside)
    }

    /// A site was cut off: it counts where it overlaps the simulated hours.
    fn count(&mut self, site: SiteId, from: Time, until: Time) {
        if !self.is_watched(from, until) {
            return;
        }
        self.found.outages += 1.0;
        self.found.longest = self.found.longest.max(until.since(from).secs());
        for day in from.day()..=until.day().min(u64::from(self.calendar.days) - 1) {
            let begin = if day == from.day() { from.clock() } else { TimeOfDay(0) };
            let end = if day == until.day() { until.clock() } else { TimeOfDay(DAY) };
            for staff in &self.staff {
                let factor = staff.weekdays[usize::from(self.calendar.weekday(day))]
                    * self.at_work[usize::try_from(day).unwrap_or(0)];
                let people = f64::from(staff.people[site.index()]) * factor;
                self.found.staff_lost += people * staff.activity.integral(begin, end);
            }
        }
    }

    /// The result, with the sites that were cut off at the end of each bin. A site that is still cut off at the end of the run
    /// counts until then.
    #[must_use]
    pub fn finish(&mut self, at_bins: &[f64]) -> Paths {
        let end = self.calendar.end();
        let still: Vec<usize> = (0..self.since.len()).filter(|&site| self.since[site].is_some()).collect();
        for &site in &still {
            self.path(end, SiteId::of(site), true);
        }
        self.found.goes_on = !still.is_empty();
        self.found.at_once = at_bins.iter().copied().fold(self.found.at_once, f64::max);
        self.found
    }
}

fn staff_of(demand: &Demand, users: bool) -> Option<Staff> {
    let (people, activity, weekdays) = match demand {
        Demand::Staff { people, activity, weekdays } => (people, activity, weekdays),
        Demand::Users { workstations, activity, weekdays, .. } if users => (workstations, activity, weekdays),
        _ => return None,
    };
    let day = activity.integral(TimeOfDay(0), TimeOfDay(DAY));
    Some(Staff { people: people.clone(), activity: activity.clone(), weekdays: *weekdays, day })
}
