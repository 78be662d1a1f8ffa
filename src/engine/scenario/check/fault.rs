//! Faults, dated or random, read into the model.

use std::ops::Range;
use std::sync::Arc;

use crate::model::{ClassId, ConcentratorId, Demand, Model, SiteId};
use crate::model::{Fault, FaultKind};
use crate::random;
use crate::scenario::check::headend::{class_named, concentrator_named, select};
use crate::scenario::checker::Checker;
use crate::scenario::field::{Field, Name};
use crate::scenario::file::fault::{
    BrownOutFile, CutFile, Dated, FaultFile, FlapsFile, FloodFile, OutageFile, ServersLostFile, SurgeFile,
};
use crate::scenario::file::{At, Law, Selector};
use crate::units::{Duration, Time, TimeOfDay};

/// Least mean time between stalls of a firewall [s]: shorter ones flood a run with events.
const LEAST_BETWEEN: f64 = 60.0;

/// Adds faults to a model. `first` is the date of its first day.
pub fn apply(model: &mut Model, faults: &[At<FaultFile>], first: Option<jiff::civil::Date>, check: &mut Checker) {
    for fault in faults {
        let mut applier = FaultApplier { model, first, check, at: fault.span() };
        let made = match fault.get_ref() {
            FaultFile::Outage(file) => applier.outage(file),
            FaultFile::BrownOut(file) => applier.brown_out(file),
            FaultFile::Flaps(file) => applier.flaps(file),
            FaultFile::Cut(file) => applier.cut(file),
            FaultFile::ServersLost(file) => applier.servers_lost(file),
            FaultFile::Flood(file) => applier.flood(file),
            FaultFile::Surge(file) => applier.surge(file),
        };
        model.faults.extend(made);
    }
}

struct FaultApplier<'a> {
    model: &'a Model,
    first: Option<jiff::civil::Date>,
    check: &'a mut Checker,
    at: Range<usize>,
}

impl FaultApplier<'_> {
    /// A fault in its window, which must touch the run.
    fn dated(&mut self, file: &impl Dated, what: Option<FaultKind>) -> Option<Fault> {
        let (at, on, lasts) = file.when();
        let clock = self.check.or(at, TimeOfDay(0));
        let day = if on.is_written() { self.check.day(on, self.first, self.model.calendar.days)? } else { 0 };
        let lasts = match self.check.optional(lasts) {
            Some(Duration(0)) => {
                self.check.problems.add(lasts.span(), "a fault that lasts no time", "write a time above zero");
                return None;
            }
            lasts => lasts,
        };
        let end = self.model.calendar.end();
        let never = Time(end.0 + crate::units::DAY);
        // A fault that began before the run has lasted that long already.
        let began = i128::from(day) * i128::from(crate::units::DAY) + i128::from(clock.0);
        let until = lasts.map_or(i128::from(never.0), |lasts| began + i128::from(lasts.0));
        if began >= i128::from(end.0) || until <= 0 {
            let span = match (at.is_written(), on.is_written()) {
                (true, _) => at.span().clone(),
                (false, true) => on.span().clone(),
                (false, false) => self.at.clone(),
            };
            let calendar = &self.model.calendar;
            let help = format!("the run ends at {} on its last day", calendar.until);
            let title =
                if until <= 0 { "this fault is over before the run" } else { "this fault begins after the run" };
            self.check.problems.add(&span, title, help);
            return None;
        }
        let time = |nanos: i128| u64::try_from(nanos.max(0)).map_or(Time::NEVER, Time);
        let name = self.check.optional(file.name()).map(|name| name.0);
        let number = self.model.faults.len() as u64;
        let stream = name.as_ref().map_or(number, |name| random::name_of(name));
        Some(Fault { name, stream, from: time(began), until: time(until.min(i128::from(never.0))), what: what? })
    }

    fn concentrator(&mut self, field: &Field<Name>) -> Option<ConcentratorId> {
        self.check.required(field, &self.at, "concentrator")?;
        concentrator_named(field, &self.model.concentrators, self.check)
    }

    fn class(&mut self, field: &Field<Name>) -> Option<ClassId> {
        self.check.required(field, &self.at, "class")?;
        class_named(field, &self.model.classes, self.check)
    }

    fn sites(&mut self, selector: &At<Selector>) -> Arc<[SiteId]> {
        let all: Vec<SiteId> = (0..self.model.sites.len()).map(SiteId::of).collect();
        select(selector, &all, &self.model.sites, self.check).into()
    }

    fn outage(&mut self, file: &OutageFile) -> Option<Fault> {
        let what = self.concentrator(&file.concentrator).map(FaultKind::Outage);
        self.dated(file, what)
    }

    fn brown_out(&mut self, file: &BrownOutFile) -> Option<Fault> {
        let concentrator = self.concentrator(&file.concentrator);
        let left = self.check.required(&file.left, &self.at, "left");
        if left.is_some_and(|left| left.0 <= 0.0) {
            self.check.problems.add(file.left.span(), "nothing is left", "write an `outage` in place of a `brown_out`");
            return None;
        }
        let what = concentrator.zip(left).map(|(concentrator, left)| FaultKind::BrownOut(concentrator, left));
        self.dated(file, what)
    }

    fn flaps(&mut self, file: &FlapsFile) -> Option<Fault> {
        let sites = match &file.sites {
            Some(selector) => self.sites(selector),
            None => (0..self.model.sites.len()).map(SiteId::of).collect(),
        };
        let between = self.law(file.between.as_ref(), "between", "{ exponential = \"20 d\" }");
        let reboot = self.law(file.reboot.as_ref(), "reboot", "{ lognormal = { median = \"20 min\", sigma = 1 } }");
        let stall = match &file.stall {
            Some(law) => self.check.law(law),
            None => Some(random::Distribution::Fixed(0.0)),
        };
        if between.as_ref().is_some_and(|law| !(law.mean() >= LEAST_BETWEEN)) {
            let help = "write a minute or more, on average, from one stall to the next";
            self.check.problems.add(&self.at, "firewalls that stall without a pause", help);
            return None;
        }
        let what = between.zip(reboot).zip(stall).map(|((between, reboot), stall)| FaultKind::Flaps {
            sites,
            between,
            stall,
            reboot,
        });
        self.dated(file, what)
    }

    fn law(&mut self, law: Option<&At<Law<Duration>>>, field: &str, example: &str) -> Option<random::Distribution> {
        match law {
            Some(law) => self.check.law(law),
            None => {
                let at = self.at.clone();
                self.check.missing(&at, field, &format!("a distribution of times, such as {example}"));
                None
            }
        }
    }

    fn cut(&mut self, file: &CutFile) -> Option<Fault> {
        let Some(selector) = &file.sites else {
            let at = self.at.clone();
            self.check.missing(&at, "sites", "a choice, such as { share = \"10 %\" }");
            return None;
        };
        let what = Some(FaultKind::Cut(self.sites(selector)));
        self.dated(file, what)
    }

    fn servers_lost(&mut self, file: &ServersLostFile) -> Option<Fault> {
        let classes: Option<Vec<ClassId>> = if file.classes.is_empty() {
            Some((0..self.model.classes.len()).map(ClassId::of).collect())
        } else {
            let named: Vec<_> =
                file.classes.iter().map(|field| class_named(field, &self.model.classes, self.check)).collect();
            named.into_iter().collect()
        };
        let what = classes.map(|classes| FaultKind::ServersLost(classes.into()));
        self.dated(file, what)
    }

    fn flood(&mut self, file: &FloodFile) -> Option<Fault> {
        let name = self.check.required(&file.site, &self.at, "site");
        let class = self.class(&file.class);
        let rate = self.check.positive(&file.rate, &self.at, "rate");
        let sites = &self.model.sites;
        let site = name.and_then(|name| {
            let found = sites.iter().position(|site| site.name == name.0);
            if found.is_none() && !sites.is_empty() {
                let help = "use the code of one of the estate's sites";
                self.check.problems.add(file.site.span(), format!("there is no site `{}`", name.0), help);
            }
            found.map(SiteId::of)
        });
        let (site, rate) = (site?, rate?);
        let carries = sites[site.index()].up;
        if rate > carries {
            let title = format!("{rate} cannot leave this site: its link carries {carries}");
            self.check.problems.add(file.rate.span(), title, "write a lower rate, or give the site a larger link");
            return None;
        }
        let what = class.map(|class| FaultKind::Flood(site, class, rate));
        self.dated(file, what)
    }

    fn surge(&mut self, file: &SurgeFile) -> Option<Fault> {
        let class = self.class(&file.class);
        let factor = self.check.required(&file.factor, &self.at, "factor").map(|factor| factor.0);
        if let Some(factor) = factor.filter(|factor| !(1.0..=1000.0).contains(factor)) {
            self.check.problems.add(
                file.factor.span(),
                format!("a surge to {factor} times as much"),
                "write a factor from 1 to 1000",
            );
            return None;
        }
        let class = class?;
        let terms = &self.model.classes[class.index()];
        if !matches!(terms.demand, Demand::Open(_) | Demand::Streams { .. }) {
            let title = format!("class `{}` does not come by chance, so it cannot surge", terms.name);
            self.check.problems.add(file.class.span(), title, "name a class with [class.open] or [class.streams]");
            return None;
        }
        let what = factor.map(|factor| FaultKind::Surge(class, factor));
        self.dated(file, what)
    }
}
