//! Targets: a measure, its limit and its hours.

use std::sync::Arc;

use crate::model::{Calendar, Class, ClassId, Demand, Site, SiteId};
use crate::scenario::check::headend::{class_named, sites_named};
use crate::scenario::checker::Checker;
use crate::scenario::field::Number;
use crate::scenario::file::{At, File, MeasureFile, TargetFile, TargetSitesFile};
use crate::units::{Bytes, Duration, Share, Text, Time, TimeOfDay};

/// A target.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// What is measured.
    pub measure: Measure,
    /// It must not be above this: seconds, bytes, or a share.
    pub limit: f64,
    /// Counts what starts from this time of day.
    pub from: TimeOfDay,
    /// Counts what starts until this time of day.
    pub until: TimeOfDay,
    /// Counts what starts on this day of the run; none counts every day.
    pub day: Option<u64>,
    /// Of which sites it must hold.
    pub sites: TargetSites,
    /// The target in one line, such as `clinical p95 <= 2 s, 08:00 to 10:00`.
    pub title: String,
}

/// Of which sites a target must hold.
#[derive(Clone, Debug, PartialEq)]
pub enum TargetSites {
    /// Of all together.
    All,
    /// Of these together.
    Only(Arc<[SiteId]>),
    /// Of the worst one.
    Worst,
    /// Of at least this share, each by itself.
    Share(f64),
}

impl TargetSites {
    /// Whether each site is measured by itself.
    #[must_use]
    pub fn is_site_by_site(&self) -> bool {
        matches!(self, Self::Worst | Self::Share(_))
    }

    /// The figure of the target, of the figures of sites; none of none.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // at most 100,000 sites
    pub fn of_sites(&self, mut figures: Vec<f64>) -> Option<f64> {
        figures.sort_unstable_by(f64::total_cmp);
        let share = if let Self::Share(share) = self { *share } else { 1.0 };
        let least = (share * figures.len() as f64 - 1e-9).ceil() as usize;
        figures.get(least.max(1) - 1).copied()
    }
}

/// What a target measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Mean latency of a class [s].
    Mean(ClassId),
    /// A quantile of latency of a class [s].
    Quantile(ClassId, f64),
    /// Share of a class's transactions that were slow or given up.
    Slow(ClassId),
    /// Share of a class's transactions that were given up.
    GivenUp(ClassId),
    /// Utilisation of the busiest concentrator.
    Utilisation,
    /// Bytes of a class that wait at the end of the window [B].
    Waiting(ClassId),
    /// Share of a class's calls that were refused.
    Refused(ClassId),
    /// Share of the time of a class's calls in which speech is poor.
    PoorCalls(ClassId),
    /// Outages of a site in a month.
    Outages,
    /// Share of staff time at sites that are cut off.
    StaffTime,
    /// The longest time for which a site is cut off [s].
    CutOff,
    /// Share of sites that are cut off at once, at worst.
    SitesCutOff,
}

impl Measure {
    /// The class that it looks at, if it looks at one.
    #[must_use]
    pub fn class(self) -> Option<ClassId> {
        match self {
            Self::Mean(class)
            | Self::Quantile(class, _)
            | Self::Slow(class)
            | Self::GivenUp(class)
            | Self::Waiting(class)
            | Self::Refused(class)
            | Self::PoorCalls(class) => Some(class),
            Self::Utilisation | Self::Outages | Self::StaffTime | Self::CutOff | Self::SitesCutOff => None,
        }
    }

    /// How long after its hours a target is decided at the latest: as long as people try; none where that has no end, or the whole run
    /// counts.
    #[must_use]
    pub fn decided_after(self, classes: &[Class]) -> Option<Duration> {
        match self {
            Self::Utilisation | Self::Waiting(_) | Self::Refused(_) => Some(Duration::default()),
            Self::Mean(class) | Self::Quantile(class, _) | Self::Slow(class) | Self::GivenUp(class) => {
                let class = &classes[class.index()];
                let deferred = !class.rules.curfews.is_empty();
                let patience = class.patience.filter(|_| !deferred)?;
                Some(Duration(patience.0.saturating_mul(u64::from(class.retries) + 1)))
            }
            Self::PoorCalls(_) | Self::Outages | Self::StaffTime | Self::CutOff | Self::SitesCutOff => None,
        }
    }

    /// The same of another class, if it looks at one.
    #[must_use]
    pub fn of(self, class: ClassId) -> Self {
        match self {
            Self::Mean(_) => Self::Mean(class),
            Self::Quantile(_, p) => Self::Quantile(class, p),
            Self::Slow(_) => Self::Slow(class),
            Self::GivenUp(_) => Self::GivenUp(class),
            Self::Waiting(_) => Self::Waiting(class),
            Self::Refused(_) => Self::Refused(class),
            Self::PoorCalls(_) => Self::PoorCalls(class),
            Self::Utilisation | Self::Outages | Self::StaffTime | Self::CutOff | Self::SitesCutOff => self,
        }
    }
}

impl Target {
    /// Whether an instant lies in its hours.
    #[must_use]
    pub fn covers(&self, now: Time) -> bool {
        (self.from..self.until).contains(&now.clock()) && self.day.is_none_or(|day| day == now.day())
    }
}

/// Reads all targets.
pub fn targets(
    file: &File,
    (sites, classes): (&[Site], &[Class]),
    calendar: &Calendar,
    first: Option<jiff::civil::Date>,
    check: &mut Checker,
) -> Vec<Target> {
    file.target.iter().filter_map(|table| target(table, (sites, classes), calendar, first, check)).collect()
}

fn target(
    table: &At<TargetFile>,
    (sites, classes): (&[Site], &[Class]),
    calendar: &Calendar,
    first: Option<jiff::civil::Date>,
    check: &mut Checker,
) -> Option<Target> {
    let (at, file) = (table.span(), table.get_ref());
    let window = check.window(&file.from, &file.until, (calendar.from, calendar.until));
    if window.0 < calendar.from || window.1 > calendar.until {
        let field = if window.0 < calendar.from { &file.from } else { &file.until };
        let title = format!("the target's window, {} to {}, is not recorded as a whole", window.0, window.1);
        let help = format!("the run records {} to {}", calendar.from, calendar.until);
        check.problems.add(field.span(), title, help);
    }
    let Some(measure) = file.measure else {
        check.missing(&at, "measure", "what is measured, such as \"p95\"");
        return None;
    };
    let of_no_class = match measure {
        MeasureFile::Utilisation => Some("utilisation is a matter of a concentrator, not of a class"),
        MeasureFile::Outages | MeasureFile::StaffTime | MeasureFile::CutOff | MeasureFile::SitesCutOff => {
            Some("this is a matter of sites, not of a class")
        }
        _ => None,
    };
    let class = if let Some(title) = of_no_class {
        if file.class.is_written() {
            check.problems.add(file.class.span(), title, "leave `class` out");
        }
        ClassId(0)
    } else {
        check.required(&file.class, &at, "class")?;
        let class = class_named(&file.class, classes, check)?;
        suits(measure, &classes[class.index()], file, check)?;
        class
    };
    if of_no_class.is_some() && measure != MeasureFile::Utilisation {
        for field in [&file.from, &file.until].into_iter().filter(|field| field.is_written()) {
            check.problems.add(
                field.span(),
                "what is measured of sites is measured over the whole run",
                "leave it out",
            );
        }
    }
    let text = check.required(&file.at_most, &at, "at_most")?.0;
    let (limit, shown) = match limit(measure, &text) {
        Ok(limit) => limit,
        Err(message) => {
            check.problems.add(file.at_most.span(), message, limit_help(measure));
            return None;
        }
    };
    let day = if file.on.is_written() {
        let day = check.day(&file.on, first, calendar.days)?;
        let Ok(day) = u64::try_from(day) else {
            check.problems.add(file.on.span(), "this date lies before the run", "write a date within the run");
            return None;
        };
        Some(day)
    } else {
        None
    };
    let (sites, whose) = match &file.sites {
        Some(table) => target_sites(table, measure, sites, check)?,
        None => (TargetSites::All, String::new()),
    };
    let date = file.on.value().map_or_else(String::new, |on| format!(" on {}", on.0));
    let what = what(measure, classes.get(class.index()).map_or("", |class| class.name.as_str())) + &whose;
    let title = if measure == MeasureFile::Waiting {
        format!("{what} <= {shown} at {}{date}", window.1)
    } else if of_no_class.is_some() && measure != MeasureFile::Utilisation {
        format!("{what} <= {shown}")
    } else {
        format!("{what} <= {shown}, {} to {}{date}", window.0, window.1)
    };
    Some(Target { measure: meant(measure, class), limit, from: window.0, until: window.1, day, sites, title })
}

/// Sites that a title names.
const FEW_SITES: usize = 3;

/// The sites that a target means, and how its title says so.
fn target_sites(
    table: &At<TargetSitesFile>,
    measure: MeasureFile,
    sites: &[Site],
    check: &mut Checker,
) -> Option<(TargetSites, String)> {
    use MeasureFile::{GivenUp, Mean, P50, P90, P95, P99, PoorCalls, Refused, Slow};
    if !matches!(measure, Mean | P50 | P90 | P95 | P99 | Slow | GivenUp | Refused | PoorCalls) {
        let help = "leave `sites` out; it is for latencies, `slow`, `given_up`, `refused` and `poor_calls`";
        check.problems.add(&table.span(), "this is not measured site by site", help);
        return None;
    }
    match table.get_ref() {
        TargetSitesFile::Worst => Some((TargetSites::Worst, " at the worst site".to_owned())),
        TargetSitesFile::Share(field) => {
            let share = check.optional(field)?;
            if share.0 <= 0.0 {
                check.problems.add(field.span(), "a share of no sites", "write a share above zero");
                return None;
            }
            Some((TargetSites::Share(share.0), format!(" at {share} of sites")))
        }
        TargetSitesFile::Only(names) => {
            let all: Vec<SiteId> = (0..sites.len()).map(SiteId::of).collect();
            let picked = sites_named(names, &all, sites, check);
            let code = |site: &SiteId| sites[site.index()].name.as_str();
            let mut whose: Vec<&str> = picked.iter().take(FEW_SITES).map(code).collect();
            let more = format!("{} more", picked.len() - whose.len());
            if picked.len() > whose.len() {
                whose.push(&more);
            }
            let whose = format!(" at {}", whose.join(", "));
            if names.is_empty() {
                check.problems.add(&table.span(), "a target of no sites", "name at least one");
            }
            Some((TargetSites::Only(picked.into()), whose))
        }
    }
}

/// Whether the measure applies to a class: calls and staff have no latency, and only calls are refused.
fn suits(measure: MeasureFile, class: &Class, file: &TargetFile, check: &mut Checker) -> Option<()> {
    let of_calls = class.demand.is_of_calls();
    let (what, help) = match measure {
        MeasureFile::Refused if !of_calls => ("is never refused", "use `given_up`, or a class of calls"),
        MeasureFile::PoorCalls if !of_calls => {
            ("has no speech", "use a class of calls, with [class.streams] or [class.steady]")
        }
        MeasureFile::Refused | MeasureFile::PoorCalls => return Some(()),
        _ if of_calls => {
            ("is of calls, which have no latency", "use `refused` or `poor_calls`, or a class of transactions")
        }
        _ if matches!(class.demand, Demand::Staff { .. }) => {
            ("has no traffic", "use `staff_time`, or a class of transactions")
        }
        _ => return Some(()),
    };
    check.problems.add(file.class.span(), format!("class `{}` {what}", class.name), help);
    None
}

fn meant(measure: MeasureFile, class: ClassId) -> Measure {
    match measure {
        MeasureFile::Mean => Measure::Mean(class),
        MeasureFile::P50 => Measure::Quantile(class, 0.5),
        MeasureFile::P90 => Measure::Quantile(class, 0.9),
        MeasureFile::P95 => Measure::Quantile(class, 0.95),
        MeasureFile::P99 => Measure::Quantile(class, 0.99),
        MeasureFile::Slow => Measure::Slow(class),
        MeasureFile::GivenUp => Measure::GivenUp(class),
        MeasureFile::Utilisation => Measure::Utilisation,
        MeasureFile::Waiting => Measure::Waiting(class),
        MeasureFile::Refused => Measure::Refused(class),
        MeasureFile::PoorCalls => Measure::PoorCalls(class),
        MeasureFile::Outages => Measure::Outages,
        MeasureFile::StaffTime => Measure::StaffTime,
        MeasureFile::CutOff => Measure::CutOff,
        MeasureFile::SitesCutOff => Measure::SitesCutOff,
    }
}

fn limit(measure: MeasureFile, text: &str) -> Result<(f64, String), String> {
    match measure {
        MeasureFile::Slow
        | MeasureFile::GivenUp
        | MeasureFile::Refused
        | MeasureFile::PoorCalls
        | MeasureFile::Utilisation
        | MeasureFile::StaffTime
        | MeasureFile::SitesCutOff => Share::read(text).map(|share| (share.0, share.to_string())),
        MeasureFile::Outages => Number::read(text).map(|number| (number.0, text.to_owned())),
        MeasureFile::Waiting => Bytes::read(text).map(|bytes| (bytes.bits() / 8.0, bytes.to_string())),
        _ => Duration::read(text).map(|span| (span.secs(), span.to_string())),
    }
}

fn limit_help(measure: MeasureFile) -> &'static str {
    match measure {
        MeasureFile::Slow
        | MeasureFile::GivenUp
        | MeasureFile::Refused
        | MeasureFile::PoorCalls
        | MeasureFile::Utilisation
        | MeasureFile::StaffTime
        | MeasureFile::SitesCutOff => Share::WHAT,
        MeasureFile::Outages => Number::WHAT,
        MeasureFile::Waiting => Bytes::WHAT,
        _ => Duration::WHAT,
    }
}

fn what(measure: MeasureFile, class: &str) -> String {
    match measure {
        MeasureFile::Mean => format!("{class} mean"),
        MeasureFile::P50 => format!("{class} median"),
        MeasureFile::P90 => format!("{class} p90"),
        MeasureFile::P95 => format!("{class} p95"),
        MeasureFile::P99 => format!("{class} p99"),
        MeasureFile::Slow => format!("{class} slow"),
        MeasureFile::GivenUp => format!("{class} given up"),
        MeasureFile::Utilisation => "utilisation".to_owned(),
        MeasureFile::Waiting => format!("{class} waiting"),
        MeasureFile::Refused => format!("{class} refused"),
        MeasureFile::PoorCalls => format!("{class} poor"),
        MeasureFile::Outages => "outages of a site in a month".to_owned(),
        MeasureFile::StaffTime => "staff time cut off".to_owned(),
        MeasureFile::CutOff => "longest time cut off".to_owned(),
        MeasureFile::SitesCutOff => "sites cut off at once".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten sites of 1 to 10: the worst has 10; nine in ten have at most 9; half of them at most 5; 51 % means six.
    #[test]
    fn a_share_of_sites_is_at_least_that_share() {
        let sites: Vec<f64> = [3, 1, 10, 2, 5, 4, 9, 8, 7, 6].map(f64::from).to_vec();
        let of = |sites_of: TargetSites| sites_of.of_sites(sites.clone());
        assert_eq!(of(TargetSites::Worst), Some(10.0));
        assert_eq!(of(TargetSites::Share(1.0)), Some(10.0));
        assert_eq!(of(TargetSites::Share(0.9)), Some(9.0));
        assert_eq!(of(TargetSites::Share(0.5)), Some(5.0));
        assert_eq!(of(TargetSites::Share(0.51)), Some(6.0));
        assert_eq!(of(TargetSites::Share(0.001)), Some(1.0));
        assert_eq!(TargetSites::Worst.of_sites(Vec::new()), None);
    }
}
