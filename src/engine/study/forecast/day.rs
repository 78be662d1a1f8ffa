//! The day of a set-up, step by step.

use crate::model::{ChangeKind, Class, ConcentratorId, Demand, FaultKind, Model};
use crate::random::name_of;
use crate::scenario::check::target::{Measure, Target, TargetSites};
use crate::sim::discipline::Shape;
use crate::sim::fluid::site_access::mean_trip;
use crate::study::forecast::calls::{OfferedCalls, talk};
use crate::study::forecast::concentrator::ConcentratorState;
use crate::study::forecast::detail::{Detail, FINE};
use crate::study::forecast::gaps::{Gap, gaps, served_on_site};
use crate::study::forecast::group::Group;
use crate::study::forecast::latencies::Latencies;
use crate::study::forecast::outlook::{DayForecast, Load, utilisation};
use crate::study::forecast::site_kinds::Placement;
use crate::study::forecast::starts::{Wanted, elsewhere, here};
use crate::study::forecast::traffic::{Terms, Traffic, asks, patience};
use crate::units::{Time, float};

impl DayForecast {
    /// The forecast of a set-up.
    #[must_use]
    pub fn of(model: &Model, targets: &[Target]) -> Self {
        Self::in_detail(model, targets, FINE)
    }

    /// The forecast of a set-up, as finely as is asked for.
    #[must_use]
    pub fn in_detail(model: &Model, targets: &[Target], detail: Detail) -> Self {
        Self::on(&Terms::of(model, targets, detail, model.calendar.until))
    }

    /// The forecast of a day whose terms are known.
    #[must_use]
    pub fn on(terms: &Terms<'_>) -> Self {
        Day::begin(terms).run()
    }
}

/// Share of those who can reach nothing who try all the same. The desk turns some away; and where others have given up, people carry
/// on by hand.
fn trying(class: &Class, others_gave_up: bool) -> f64 {
    let is_of_people = matches!(class.demand, Demand::Users { .. });
    let paper = class.fallback.filter(|_| others_gave_up && is_of_people).map_or(0.0, |fallback| fallback.paper.0);
    (1.0 - class.declined.0) * (1.0 - paper)
}

struct Day<'a> {
    terms: &'a Terms<'a>,
    concentrators: Vec<ConcentratorState>,
    /// In the order of their concentrators.
    traffic: Vec<Traffic>,
    gaps: Vec<Gap>,
    /// By class: whether its servers are lost.
    lost: Vec<bool>,
    /// Where each site's tunnel ends, and what that makes of the estate.
    ends: Vec<Option<ConcentratorId>>,
    placement: Placement,
    /// By class and kind of sites: transfers that have lost their way.
    stranded: Vec<Vec<f64>>,
    /// By target, and then by window of the focus class.
    latencies: Vec<Latencies>,
    /// By target.
    calls: Vec<OfferedCalls>,
    /// By target: bytes that waited at the end of its hours.
    waiting: Vec<Option<f64>>,
    loads: Vec<Vec<Load>>,
    /// Moves and changes that have been.
    moved: usize,
    changed: usize,
}

impl<'a> Day<'a> {
    fn begin(terms: &'a Terms<'a>) -> Self {
        let model = terms.model;
        let names: Vec<u64> = model.classes.iter().map(|class| name_of(&class.name)).collect();
        let kinds = terms.estate.kinds.len();
        let trip = mean_trip(&model.sites);
        let concentrators =
            model.concentrators.iter().map(|terms| ConcentratorState::new(terms, model.transport, trip, &names, kinds));
        let ends = vec![None; model.sites.len()];
        Self {
            gaps: gaps(model, &terms.tunnels),
            lost: vec![false; model.classes.len()],
            terms,
            concentrators: concentrators.collect(),
            traffic: Vec::new(),
            placement: Placement::of(model, &terms.estate, &ends),
            ends,
            stranded: vec![vec![0.0; kinds]; model.classes.len()],
            latencies: vec![Latencies::default(); terms.targets.len() + terms.windows.len()],
            calls: vec![OfferedCalls::default(); terms.targets.len()],
            waiting: vec![None; terms.targets.len()],
            loads: vec![Vec::new(); model.concentrators.len()],
            moved: 0,
            changed: 0,
        }
    }

    fn run(mut self) -> DayForecast {
        let steps = self.terms.steps;
        for step in 0..steps.count {
            self.move_tunnels(step);
            self.change(step);
            self.step(step);
            self.look_at_waiting(step);
        }
        for traffic in &self.traffic {
            traffic.close(self.terms, &mut self.latencies);
        }
        let targets = (0..self.terms.targets.len()).map(|target| self.figure(target)).collect();
        let windows = self.latencies[self.terms.targets.len()..].iter();
        let latency = windows.map(|law| law.quantile(0.5).zip(law.quantile(0.95))).collect();
        DayForecast { steps, loads: self.loads, targets, latency }
    }

    /// Tunnels that have moved by a step.
    fn move_tunnels(&mut self, step: usize) {
        let now = self.terms.steps.begins(step);
        let before = self.moved;
        while let Some(one) = self.terms.tunnels.moves.get(self.moved).filter(|one| one.at <= now) {
            self.ends[one.site.index()] = one.to;
            self.moved += 1;
        }
        let mut lost = vec![false; self.lost.len()];
        for fault in self.terms.model.faults_at(now) {
            if let FaultKind::ServersLost(classes) = &fault.what {
                classes.iter().for_each(|class| lost[class.index()] = true);
            }
        }
        if self.moved > before || lost != self.lost {
            self.lost = lost;
            self.place();
        }
    }

    /// Where classes meet concentrators. What is under way goes with its sites.
    fn place(&mut self) {
        let terms = self.terms;
        self.placement = Placement::of(terms.model, &terms.estate, &self.ends);
        for class in (0..terms.model.classes.len()).filter(|class| asks(&terms.model.classes[*class])) {
            for kind in 0..terms.estate.kinds.len() {
                self.place_kind(class, kind);
            }
        }
        self.traffic.sort_by_key(|traffic| traffic.concentrator);
    }

    fn place_kind(&mut self, class: usize, kind: usize) {
        let terms = self.terms;
        let mut gains = Vec::new();
        for concentrator in 0..self.concentrators.len() {
            let sites = self.placement.sites[concentrator][kind];
            let share = if self.lost[class] { 0.0 } else { self.placement.shares[class][concentrator][kind] };
            let is = |traffic: &Traffic| {
                traffic.concentrator == concentrator && traffic.group.class == class && traffic.group.kind == kind
            };
            let known = self.traffic.iter().position(is);
            if known.is_none() && share <= 0.0 {
                continue;
            }
            let place = known.unwrap_or_else(|| {
                self.traffic.push(Traffic::new(terms, &self.concentrators[concentrator], (concentrator, class, kind)));
                self.traffic.len() - 1
            });
            let traffic = &mut self.traffic[place];
            if share < traffic.share {
                self.stranded[class][kind] += traffic.group.in_progress.keep(share / traffic.share);
            }
            gains.push((place, share - traffic.share));
            traffic.share = share;
            if sites > 0.0 {
                traffic.group.sites = sites;
            }
        }
        let gained: f64 = gains.iter().map(|(_, gain)| gain.max(0.0)).sum();
        if gained > 0.0 {
            let stranded = std::mem::take(&mut self.stranded[class][kind]);
            for (place, gain) in gains.into_iter().filter(|(_, gain)| *gain > 0.0) {
                self.traffic[place].again += stranded * gain / gained;
            }
        }
    }

    /// Dated changes and faults of concentrators that have come into force by a step.
    fn change(&mut self, step: usize) {
        let model = self.terms.model;
        let now = self.terms.steps.begins(step);
        let before = self.changed;
        while let Some(change) = model.changes.get(self.changed).filter(|change| change.at <= now) {
            self.changed += 1;
            match &change.kind {
                ChangeKind::SetDiscipline(concentrator, discipline) => {
                    self.concentrators[concentrator.index()].terms.discipline.clone_from(discipline);
                }
                ChangeKind::ReplaceDevice { concentrator, throughput, buffer } => {
                    let terms = &mut self.concentrators[concentrator.index()].terms;
                    (terms.throughput, terms.buffer) = (*throughput, *buffer);
                }
                // Caps are looked up, and tunnels move by themselves.
                ChangeKind::SetShaping(_) | ChangeKind::Migrate { .. } => {}
            }
        }
        let rates: Vec<f64> = (0..self.concentrators.len()).map(|concentrator| self.rate(concentrator, now)).collect();
        let differs =
            self.concentrators.iter().zip(&rates).any(|(concentrator, rate)| (concentrator.rate - rate).abs() >= 1.0);
        if step > 0 && self.changed == before && !differs {
            return;
        }
        let shape = |class: &Class| {
            let (total, per_site) = class.rules.caps_at(now);
            Shape::of(total, per_site)
        };
        let shapes: Vec<Shape> = model.classes.iter().map(shape).collect();
        for (concentrator, rate) in self.concentrators.iter_mut().zip(rates) {
            concentrator.rate = rate;
            concentrator.refit(&shapes);
        }
    }

    /// What faults leave of a concentrator's rate [bit/s].
    fn rate(&self, concentrator: usize, now: Time) -> f64 {
        let here = |id: ConcentratorId| id.index() == concentrator;
        let terms = &self.concentrators[concentrator].terms;
        let left = self.terms.model.faults_at(now).fold(1.0, |left, fault| match &fault.what {
            FaultKind::BrownOut(id, share) if here(*id) => left * share.0,
            FaultKind::Outage(id) if here(*id) => 0.0,
            _ => left,
        });
        if terms.opens > now { 0.0 } else { terms.carries().0.bits() * left }
    }

    /// A step passes.
    fn step(&mut self, step: usize) {
        let (terms, dt) = (self.terms, self.terms.steps.length);
        self.pass_elsewhere(step);
        self.cut_off(step);
        for traffic in &mut self.traffic {
            traffic.begin(terms, step);
        }
        let mut first = 0;
        for concentrator in 0..self.concentrators.len() {
            let last =
                first + self.traffic[first..].iter().take_while(|traffic| traffic.concentrator == concentrator).count();
            let floods = self.floods(concentrator, terms.steps.begins(step));
            let device = (&self.concentrators[concentrator].terms, concentrator);
            let talk = talk(terms, device, &self.placement, step, &mut self.calls);
            let (concentrator, loads, mine) =
                (&mut self.concentrators[concentrator], &mut self.loads[concentrator], &mut self.traffic[first..last]);
            first = last;
            (concentrator.calls, concentrator.floods) = (talk, floods);
            let mut groups: Vec<&mut Group> = mine.iter_mut().map(|traffic| &mut traffic.group).collect();
            let carried = concentrator.calls.min(concentrator.rate) * dt + concentrator.pass(&mut groups, dt);
            let full = concentrator.lanes.iter().map(|lane| lane.full).fold(0.0, f64::max);
            let capacity = concentrator.rate * dt;
            // Before and after the watched hours nothing is told.
            let full = if terms.model.calendar.watched(terms.steps.begins(step)) { full } else { 0.0 };
            loads.push(Load { carried: carried.min(capacity), capacity, full });
            for traffic in mine {
                traffic.meet(terms, concentrator);
            }
        }
        for traffic in &mut self.traffic {
            traffic.pass(terms, step, &mut self.latencies);
        }
    }

    /// What is served on site or goes round the headend: nothing keeps it.
    fn pass_elsewhere(&mut self, step: usize) {
        let terms = self.terms;
        let now = terms.steps.begins(step);
        for (class, take) in terms.elsewhere.iter().enumerate().filter(|(_, take)| !take.is_empty()) {
            let count = match &terms.wanted[class] {
                Wanted::Open(starts) => starts.elsewhere[step],
                Wanted::People(people, think) => {
                    let cycle = think + crate::stats::mean(take);
                    people[step] * elsewhere(&terms.model.classes[class], now) / cycle * terms.steps.length
                }
                _ => 0.0,
            };
            if count <= 0.0 {
                continue;
            }
            for (since, share, target) in terms.watching_starts(class, step) {
                for one in take {
                    self.latencies[target].add(count * share / float(take.len() as u64), since + one);
                }
            }
        }
    }

    /// What is asked for where nothing can be reached: those who would have to wait too long give up, the others go on when there is
    /// a way again.
    fn cut_off(&mut self, step: usize) {
        let terms = self.terms;
        let now = terms.steps.begins(step);
        self.gaps.retain(|gap| now < gap.until);
        let in_force: Vec<Gap> = self.gaps.iter().copied().take_while(|gap| gap.from <= now).collect();
        for gap in in_force {
            for (class, is_lost) in self.lost.clone().into_iter().enumerate() {
                let here = if is_lost { gap.class == Some(class) } else { gap.class.is_none() };
                if here && asks(&terms.model.classes[class]) {
                    self.miss(step, class, gap);
                }
            }
        }
    }

    /// What a class asks for in a gap.
    fn miss(&mut self, step: usize, class: usize, gap: Gap) {
        let terms = self.terms;
        let now = terms.steps.begins(step);
        let asks = &terms.model.classes[class];
        let weights = &terms.estate.weights[class];
        let share = gap.site.map_or(1.0, |site| weights[site]);
        let patience = patience(asks) * (f64::from(asks.retries) + 1.0);
        let left = gap.until.since(now).secs();
        let waits = left.min(patience);
        let on_site = served_on_site(asks);
        let tries = (1.0 - on_site) * trying(asks, now.since(gap.from).secs() > patience);
        let count = match &terms.wanted[class] {
            Wanted::Open(starts) => starts.counts[step] * share,
            Wanted::People(people, think) => {
                people[step] * share * here(asks, now) / (think + tries * waits) * terms.steps.length
            }
            _ => 0.0,
        };
        if count <= 0.0 {
            return;
        }
        for target in terms.watching(class, now) {
            self.latencies[target].add(count * on_site, asks.server.secs());
            if left > patience {
                self.latencies[target].add_given_up(count * tries, waits);
            } else {
                self.latencies[target].add(count * tries, waits);
            }
        }
        if left <= patience {
            let kinds = &terms.estate.kind_of;
            match gap.site {
                Some(site) => self.stranded[class][kinds[site]] += count * tries,
                None => {
                    for (kind, weight) in kinds.iter().zip(weights) {
                        self.stranded[class][*kind] += count * tries * weight;
                    }
                }
            }
        }
    }

    /// By class: what sites send to a concentrator that nobody asked for [bit/s].
    fn floods(&self, concentrator: usize, now: Time) -> Vec<Vec<f64>> {
        let mut floods = vec![Vec::new(); self.terms.model.classes.len()];
        for fault in self.terms.model.faults_at(now) {
            if let FaultKind::Flood(site, class, rate) = &fault.what
                && self.ends[site.index()] == Some(ConcentratorId::of(concentrator))
            {
                floods[class.index()].push(rate.bits());
            }
        }
        floods
    }

    /// What waits at the end of the hours of targets that look at it.
    fn look_at_waiting(&mut self, step: usize) {
        let terms = self.terms;
        let [now, next] = [step, step + 1].map(|step| terms.steps.begins(step));
        for (place, target) in terms.targets.iter().enumerate() {
            let Measure::Waiting(class) = target.measure else { continue };
            if matches!(terms.model.classes[class.index()].demand, Demand::Jobs { powered: Some(_), .. }) {
                // What is cut short when workstations are switched off is not forecast.
                continue;
            }
            let ends = target.until.on(now.day());
            if now < ends && ends <= next && target.day.is_none_or(|day| day == now.day()) {
                let mine = self.traffic.iter().filter(|traffic| traffic.group.class == class.index());
                let inside: f64 = mine.map(Traffic::bytes_left).sum();
                let put_off = match &terms.wanted[class.index()] {
                    Wanted::Open(starts) => starts.waiting_after(step),
                    _ => 0.0,
                };
                let each = &terms.model.classes[class.index()];
                let waiting = inside + put_off * f64::from(each.turns) * each.response.mean();
                self.waiting[place] = Some(self.waiting[place].map_or(waiting, |most: f64| most.max(waiting)));
            }
        }
    }

    /// The figure of a target; none where it is not forecast.
    fn figure(&self, target: usize) -> Option<f64> {
        let (law, terms, paths) = (&self.latencies[target], &self.terms.targets[target], &self.terms.tunnels.paths);
        if terms.sites != TargetSites::All {
            return None;
        }
        match terms.measure {
            Measure::Mean(_) => law.mean(),
            Measure::Quantile(_, p) => law.quantile(p),
            Measure::Slow(class) => law.slow(self.terms.model.classes[class.index()].quick.secs()),
            Measure::GivenUp(_) => law.given_up(),
            Measure::Utilisation => {
                let covers = |step: &usize| terms.covers(self.terms.steps.begins(*step));
                let of = |loads: &Vec<Load>| utilisation((0..loads.len()).filter(covers).map(|step| &loads[step]));
                Some(self.loads.iter().map(of).fold(0.0, f64::max))
            }
            Measure::Refused(_) => self.calls[target].refused_share(),
            Measure::Outages => Some(paths.outages_a_month()),
            Measure::StaffTime => paths.staff_share(),
            Measure::CutOff => Some(paths.longest),
            Measure::SitesCutOff => Some(paths.share_at_once()),
            Measure::Waiting(_) => self.waiting[target],
            Measure::PoorCalls(_) => None,
        }
    }
}
