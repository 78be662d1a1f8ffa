//! Changes of the base and of options, applied to a model one after the other.

use std::ops::Range;

use crate::model::{
    Balancer, Cap, ChangeKind, ClassId, ConcentratorId, Curfew, DatedChange, Demand, Discipline, Model, PoolId,
    Release, SiteId, daily,
};
use crate::scenario::check::demand::within;
use crate::scenario::check::device::DeviceModels;
use crate::scenario::check::headend::{
    balancer, class_named, concentrator, concentrator_named, discipline, limited, no_second, select,
};
use crate::scenario::check::tunnel;
use crate::scenario::checker::Checker;
use crate::scenario::field::{Date, Field, Flag, Name};
use crate::scenario::file::TunnelsFile;
use crate::scenario::file::{
    AddFile, At, BalanceFile, Change, CurfewFile, LimitFile, MigrateFile, PrioritiseFile, ReleaseFile, ResizeFile,
    ServeFile, ShapeFile, ShareFile, StaggerFile, StoreFile, WindowFile,
};
use crate::scenario::idle::unreached;
use crate::scenario::problem::did_you_mean;
use crate::units::{BitRate, Bytes, DAY, Duration, Share, Time, TimeOfDay};

/// Applies changes to a model. `everywhere` holds those before that are in force at all concentrators, also at what is added later;
/// these come to it. `first` is the date of its first day. Returns whether a pool places tunnels by load though no balancer was
/// written.
pub fn apply<'a>(
    model: &mut Model,
    changes: &'a [At<Change>],
    everywhere: &mut Vec<&'a At<Change>>,
    known: &DeviceModels,
    first: Option<jiff::civil::Date>,
    check: &mut Checker,
) -> bool {
    for change in changes {
        let mut applier = ChangeApplier { model, known, first, check, at: change.span(), only: None };
        match change.get_ref() {
            Change::Curfew(file) => applier.curfew(file),
            Change::Shape(file) => applier.shape(file),
            Change::SwitchOff(file) => applier.switch_off(file),
            Change::Prioritise(file) => applier.prioritise(file),
            Change::Serve(file) => applier.serve(file),
            Change::Resize(file) => applier.resize(file),
            Change::Add(file) => applier.add(file, everywhere),
            Change::Balance(file) => applier.balance(file),
            Change::Migrate(file) => applier.migrate(file),
            Change::Cache(file) => applier.divert(file, true),
            Change::BreakOut(file) => applier.divert(file, false),
            Change::Stagger(file) => applier.stagger(file),
            Change::Store(file) => applier.store(file),
            Change::Tunnels(file) => {
                applier.tunnels(file);
                Some(())
            }
            Change::Limit(file) => applier.limit(file),
        };
        if let Change::Prioritise(PrioritiseFile { concentrators, .. })
        | Change::Serve(ServeFile { concentrators, .. })
        | Change::Limit(LimitFile { concentrators, .. }) = change.get_ref()
            && concentrators.is_empty()
        {
            everywhere.push(change);
        }
    }
    model.changes.sort_by_key(|edit| edit.at);
    take_part(model, changes)
}

/// Concentrators that were added get tunnels: where no change moves one to them, and no balancer was written, the pool that they
/// joined places tunnels by load. Returns whether there was such a pool.
fn take_part(model: &mut Model, changes: &[At<Change>]) -> bool {
    let mut by_load = false;
    for change in changes {
        let Change::Add(file) = change.get_ref() else { continue };
        let name = file.concentrator.as_ref().and_then(|table| table.get_ref().name.value());
        let Some(Name(name)) = name.filter(|_| file.balancer.is_none()) else { continue };
        if !unreached(model).iter().any(|concentrator| concentrator.name == *name) {
            continue;
        }
        let is_new = |concentrator: &ConcentratorId| {
            model.concentrators[concentrator.index()].name == *name
                && model.concentrators[concentrator.index()].opens == Time(0)
        };
        if let Some(pool) = model.pools.iter_mut().find(|pool| pool.concentrators.iter().any(is_new)) {
            pool.balancer = Balancer::LeastLoad;
            by_load = true;
        }
    }
    by_load
}

struct ChangeApplier<'a> {
    model: &'a mut Model,
    known: &'a DeviceModels,
    first: Option<jiff::civil::Date>,
    check: &'a mut Checker,
    at: Range<usize>,
    /// The concentrator that was added, while it gets what is in force at all.
    only: Option<ConcentratorId>,
}

/// The buffer of a device of the same kind with another throughput.
#[allow(clippy::cast_possible_truncation)] // a buffer of 2^64 bytes would be beyond any
fn grown(buffer: Bytes, from: BitRate, to: BitRate) -> Bytes {
    let exact = u128::from(buffer.0) * u128::from(to.0) / u128::from(from.0.max(1));
    Bytes(exact.min(u128::from(u64::MAX)) as u64)
}

const WHOLE_DAY: (TimeOfDay, TimeOfDay) = (TimeOfDay(0), TimeOfDay(DAY));

impl ChangeApplier<'_> {
    fn class(&mut self, field: &Field<Name>) -> Option<ClassId> {
        self.check.required(field, &self.at, "class")?;
        class_named(field, &self.model.classes, self.check)
    }

    fn day(&mut self, field: &Field<Date>) -> Option<i64> {
        self.check.day(field, self.first, self.model.calendar.days)
    }

    /// The windows in which a change holds.
    fn windows(
        &mut self,
        from: &Field<TimeOfDay>,
        until: &Field<TimeOfDay>,
        on: &Field<Date>,
    ) -> Option<Vec<(Time, Time)>> {
        let (from, until) = self.check.window(from, until, WHOLE_DAY);
        let only = if on.is_written() {
            let day = self.day(on)?;
            let Ok(day) = u64::try_from(day) else {
                self.check.problems.add(on.span(), "this date lies before the run", "write a date within the run");
                return None;
            };
            Some(day)
        } else {
            None
        };
        Some(daily(self.model.calendar.days, only, from, until))
    }

    /// The instant from which a change holds; a date before the run means from its start.
    fn instant(&mut self, at: &Field<TimeOfDay>, on: &Field<Date>) -> Option<Time> {
        let clock = self.check.or(at, TimeOfDay(0));
        let day = if on.is_written() { self.day(on)? } else { 0 };
        Some(u64::try_from(day).map_or(Time(0), |day| clock.on(day)))
    }

    fn curfew(&mut self, file: &CurfewFile) -> Option<()> {
        let class = self.class(&file.class);
        self.check.required(&file.from, &self.at, "from");
        self.check.required(&file.until, &self.at, "until");
        let windows = self.windows(&file.from, &file.until, &file.on);
        let release = match &file.release {
            None | Some(ReleaseFile::AtOnce) => Release::AtOnce,
            Some(ReleaseFile::Spread(over)) => Release::Spread(self.check.or(over, Duration(0))),
            Some(ReleaseFile::Jittered(up_to)) => Release::Jittered(self.check.or(up_to, Duration(0))),
        };
        let compliance = self.check.or(&file.compliance, Share(1.0));
        let class = &mut self.model.classes[class?.index()];
        if matches!(class.demand, Demand::Users { .. } | Demand::Streams { .. } | Demand::Steady { .. }) {
            let title = format!("class `{}` cannot be deferred: people wait for it", class.name);
            let help = "a curfew is for `jobs` and `open` classes; use `switch_off` or `shape` for others";
            self.check.problems.add(file.class.span(), title, help);
            return None;
        }
        for (from, until) in windows? {
            class.rules.curfews.push(Curfew { from, until, release, compliance });
        }
        Some(())
    }

    fn shape(&mut self, file: &ShapeFile) -> Option<()> {
        let class = self.class(&file.class);
        let (total, per_site) = (self.check.optional(&file.total), self.check.optional(&file.per_site));
        if !file.total.is_written() && !file.per_site.is_written() {
            let help = "write `total`, `per_site` or both as a rate, such as \"100 Mbit/s\"";
            self.check.problems.add(&self.at.clone(), "this shaping has no cap", help);
        }
        for (rate, field) in [(total, &file.total), (per_site, &file.per_site)] {
            if rate.is_some_and(|rate| rate.0 == 0) {
                self.check.problems.add(field.span(), "a cap of nothing", "use `switch_off` to stop a class");
            }
        }
        let windows = self.windows(&file.from, &file.until, &file.on)?;
        let class = class?;
        for (from, until) in windows {
            self.model.cap(class, Cap { from, until, total, per_site });
        }
        Some(())
    }

    fn switch_off(&mut self, file: &WindowFile) -> Option<()> {
        let class = self.class(&file.class);
        let windows = self.windows(&file.from, &file.until, &file.on)?;
        let class = class?;
        if matches!(self.model.classes[class.index()].demand, Demand::Steady { .. }) {
            return self.has_no_effect(class, &file.class, "switch_off");
        }
        self.model.classes[class.index()].rules.switched_off.extend(windows);
        Some(())
    }

    /// A change that a class of its kind does not know.
    fn has_no_effect(&mut self, class: ClassId, field: &Field<Name>, change: &str) -> Option<()> {
        let class = &self.model.classes[class.index()];
        let (what, help) = match &class.demand {
            Demand::Steady { .. } => ("goes on all the time", "write it as [class.streams], or leave the class out"),
            _ => ("is of calls", "use `break_out`, `switch_off` or `limit`"),
        };
        let title = format!("`{change}` does nothing to class `{}`, which {what}", class.name);
        self.check.problems.add(field.span(), title, help);
        None
    }

    fn tunnels(&mut self, file: &TunnelsFile) {
        self.model.tunnels = tunnel::terms(file, self.model.tunnels.clone(), self.check);
    }

    fn limit(&mut self, file: &LimitFile) -> Option<()> {
        for concentrator in self.concentrators(&file.concentrators)? {
            let changed = limited(self.model.concentrators[concentrator.index()].clone(), file, self.check);
            self.model.concentrators[concentrator.index()] = changed;
        }
        Some(())
    }

    fn store(&mut self, file: &StoreFile) -> Option<()> {
        let class = self.class(&file.class);
        let share = self.check.or(&file.share, Share(1.0));
        let forward = if file.forward.is_written() {
            Some(class_named(&file.forward, &self.model.classes, self.check)?)
        } else {
            None
        };
        let class = class?;
        let demand = &self.model.classes[class.index()].demand;
        if demand.is_of_calls() {
            return self.has_no_effect(class, &file.class, "store");
        }
        let waits = |forward: ClassId| {
            let class = &self.model.classes[forward.index()];
            class.patience.is_some() || class.declined.0 > 0.0
        };
        if forward.is_some_and(waits) {
            let help = "take `patience` and `declined` out of it, or forward another class";
            let title = "nobody waits for what a server on site forwards, and nobody turns it away";
            self.check.problems.add(file.forward.span(), title, help);
        }
        if forward == Some(class) {
            let help = "name another class, such as one with `[class.jobs]` and no jobs of its own";
            self.check.problems.add(file.forward.span(), "a class cannot be forwarded as itself", help);
        }
        self.model.classes[class.index()].rules.store_and_forward.push((share, forward));
        if forward.is_some_and(|forward| self.is_forwarded_to(forward, class)) {
            let help = "forward it as a class that is not stored itself";
            self.check.problems.add(file.forward.span(), "classes that are forwarded as each other", help);
            self.model.classes[class.index()].rules.store_and_forward.pop();
        }
        Some(())
    }

    /// Whether a class is forwarded as another one, in any number of steps.
    fn is_forwarded_to(&self, class: ClassId, goal: ClassId) -> bool {
        let mut reached = vec![class];
        let mut place = 0;
        while let Some(&class) = reached.get(place) {
            let stored = self.model.classes[class.index()].rules.store_and_forward.iter();
            let next: Vec<ClassId> = stored.filter_map(|(_, forward)| *forward).collect();
            reached.extend(next.into_iter().filter(|next| !reached.contains(next)).collect::<Vec<_>>());
            place += 1;
        }
        reached.contains(&goal)
    }

    fn divert(&mut self, file: &ShareFile, cached: bool) -> Option<()> {
        let class = self.class(&file.class);
        let share = self.check.or(&file.share, Share(1.0));
        let windows = self.windows(&file.from, &file.until, &file.on)?;
        let class = class?;
        let demand = &self.model.classes[class.index()].demand;
        if matches!(demand, Demand::Steady { .. }) || cached && demand.is_of_calls() {
            return self.has_no_effect(class, &file.class, if cached { "cache" } else { "break_out" });
        }
        let rules = &mut self.model.classes[class.index()].rules;
        let orders = if cached { &mut rules.cached } else { &mut rules.break_out };
        orders.extend(windows.into_iter().map(|(from, until)| (from, until, share)));
        Some(())
    }

    fn stagger(&mut self, file: &StaggerFile) -> Option<()> {
        let class = self.class(&file.class);
        self.check.required(&file.from, &self.at, "from");
        self.check.required(&file.until, &self.at, "until");
        let window = self.check.window(&file.from, &file.until, WHOLE_DAY);
        let new_peak = self.check.optional(&file.peak);
        within(new_peak, window, &file.peak, self.check);
        let class = &mut self.model.classes[class?.index()];
        let Demand::Jobs { start, peak, .. } = &mut class.demand else {
            if matches!(class.demand, Demand::Replayed) {
                return None;
            }
            let title = format!("class `{}` has no jobs to stagger", class.name);
            self.check.problems.add(file.class.span(), title, "stagger a class with [class.jobs]");
            return None;
        };
        (*start, *peak) = (window, new_peak);
        Some(())
    }

    /// The concentrators that are named, or all.
    fn concentrators(&mut self, names: &[Field<Name>]) -> Option<Vec<ConcentratorId>> {
        if let Some(new) = self.only {
            return Some(vec![new]);
        }
        if names.is_empty() {
            return Some((0..self.model.concentrators.len()).map(ConcentratorId::of).collect());
        }
        let concentrators: Vec<Option<ConcentratorId>> =
            names.iter().map(|field| concentrator_named(field, &self.model.concentrators, self.check)).collect();
        concentrators.into_iter().collect()
    }

    fn prioritise(&mut self, file: &PrioritiseFile) -> Option<()> {
        let last = u8::try_from(file.first.len().min(usize::from(u8::MAX))).unwrap_or(u8::MAX);
        if file.first.is_empty() {
            self.check.missing(&self.at.clone(), "first", "a list of classes, such as [\"clinical\"]");
            return None;
        }
        let mut ranks = vec![last; self.model.classes.len()];
        for (field, rank) in file.first.iter().zip(0_u8..) {
            let class = class_named(field, &self.model.classes, self.check)?;
            ranks[class.index()] = rank;
        }
        let (concentrators, at) = (self.concentrators(&file.concentrators)?, self.instant(&file.at, &file.on)?);
        self.order(&concentrators, at, &Discipline::Priority(ranks));
        Some(())
    }

    fn serve(&mut self, file: &ServeFile) -> Option<()> {
        let Some(table) = &file.discipline else {
            self.check.missing(&self.at.clone(), "discipline", "an order of service, such as \"fifo\"");
            return None;
        };
        let order = discipline(table, &self.model.classes, self.check);
        let (concentrators, at) = (self.concentrators(&file.concentrators)?, self.instant(&file.at, &file.on)?);
        self.order(&concentrators, at, &order?);
        Some(())
    }

    fn order(&mut self, concentrators: &[ConcentratorId], at: Time, order: &Discipline) {
        for &concentrator in concentrators {
            if at == Time(0) {
                self.model.concentrators[concentrator.index()].discipline = order.clone();
            } else {
                self.model
                    .changes
                    .push(DatedChange { at, kind: ChangeKind::SetDiscipline(concentrator, order.clone()) });
            }
        }
    }

    fn resize(&mut self, file: &ResizeFile) -> Option<()> {
        self.check.required(&file.concentrator, &self.at, "concentrator")?;
        let concentrator = concentrator_named(&file.concentrator, &self.model.concentrators, self.check);
        let throughput = self.check.positive(&file.throughput, &self.at, "throughput");
        let at = self.instant(&file.at, &file.on)?;
        let (concentrator, throughput) = (concentrator?, throughput?);
        let changed = &mut self.model.concentrators[concentrator.index()];
        // A device of the same kind that is larger or smaller: its buffer and its packet rate change with its throughput.
        let buffer = grown(changed.buffer, changed.throughput, throughput);
        if at > Time(0) {
            self.model
                .changes
                .push(DatedChange { at, kind: ChangeKind::ReplaceDevice { concentrator, throughput, buffer } });
        } else {
            (changed.buffer, changed.throughput) = (buffer, throughput);
        }
        Some(())
    }

    fn pool(&mut self, field: &Field<Name>) -> Option<PoolId> {
        if self.model.pools.is_empty() {
            // These have problems of their own.
            return None;
        }
        let Some(name) = self.check.optional(field) else { return Some(PoolId(0)) };
        let found = self.model.pools.iter().position(|pool| pool.name == name.0);
        if found.is_none() {
            let help = did_you_mean(&name.0, self.model.pools.iter().map(|pool| pool.name.as_str()));
            self.check.problems.add(field.span(), format!("there is no pool `{}`", name.0), help);
        }
        found.map(PoolId::of)
    }

    fn add(&mut self, file: &AddFile, everywhere: &[&At<Change>]) -> Option<()> {
        let Some(table) = &file.concentrator else {
            self.check.missing(&self.at.clone(), "concentrator", "a table with `name` and `throughput`");
            return None;
        };
        let mut new = concentrator(table, self.known, &self.model.classes, self.check)?;
        no_second(&self.model.concentrators, &new, &table.get_ref().name, self.check);
        let pool = self.pool(&file.pool)?;
        new.opens = self.instant(&file.at, &file.on)?;
        let id = ConcentratorId::of(self.model.concentrators.len());
        self.model.concentrators.push(new);
        self.model.pools[pool.index()].concentrators.push(id);
        if let Some(file) = file.balancer {
            self.model.pools[pool.index()].balancer = balancer(file);
        }
        self.only = Some(id);
        let has_order = table.get_ref().discipline.is_some();
        for change in everywhere {
            match change.get_ref() {
                Change::Prioritise(file) if !has_order => self.prioritise(file),
                Change::Serve(file) if !has_order => self.serve(file),
                Change::Limit(file) => self.limit(file),
                _ => None,
            };
        }
        self.only = None;
        Some(())
    }

    fn balance(&mut self, file: &BalanceFile) -> Option<()> {
        let pool = self.pool(&file.pool)?;
        match file.balancer {
            Some(file) => self.model.pools[pool.index()].balancer = balancer(file),
            None => self.check.missing(&self.at.clone(), "balancer", "a balancer, such as \"least_load\""),
        }
        Some(())
    }

    fn migrate(&mut self, file: &MigrateFile) -> Option<()> {
        self.check.required(&file.to, &self.at, "to")?;
        let cut_over = self.check.or(&file.cut_over, Flag(false)).0;
        let to = concentrator_named(&file.to, &self.model.concentrators, self.check)?;
        if file.sites.is_some() != file.waves.is_empty() {
            let help = "write `sites`, or `waves` with `sites` in each";
            self.check.problems.add(&self.at.clone(), "it is not clear which sites move", help);
            return None;
        }
        let mut left: Vec<SiteId> = (0..self.model.sites.len()).map(SiteId::of).collect();
        if let Some(except) = &file.except {
            let stay = select(except, &left, &self.model.sites, self.check);
            left.retain(|site| !stay.contains(site));
        }
        if let Some(sites) = &file.sites {
            let at = self.instant(&file.at, &file.on)?;
            let moved = select(sites, &left, &self.model.sites, self.check);
            self.model
                .changes
                .push(DatedChange { at, kind: ChangeKind::Migrate { sites: moved.into(), to, cut_over } });
        }
        for wave in &file.waves {
            let Some(sites) = &wave.get_ref().sites else {
                self.check.missing(&wave.span(), "sites", "a choice, such as { share = \"25 %\" }");
                continue;
            };
            let moved = select(sites, &left, &self.model.sites, self.check);
            left.retain(|site| !moved.contains(site));
            let Some(at) = self.instant(&wave.get_ref().at, &wave.get_ref().on) else { continue };
            self.model
                .changes
                .push(DatedChange { at, kind: ChangeKind::Migrate { sites: moved.into(), to, cut_over } });
        }
        Some(())
    }
}
