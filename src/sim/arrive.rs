//! Arrivals: each day's processes begin, people act, jobs fall due, calls start, a replay plays.

use std::hint::cold_path;

use crate::random::{Law, Purpose, name_of, within};
use crate::scenario::fault::Mishap;
use crate::scenario::model::{Arrivals, ClassId, Codec, Demand, Model, SiteId, UnitId, taken};
use crate::sim::calendar::Rank;
use crate::sim::demand::{ByPatients, JobTerms, Named, Poisson, Users, jobs_of_day};
use crate::sim::flow::Asker;
use crate::sim::likely::unlikely;
use crate::sim::observer::{Fact, Observer};
use crate::sim::packet::wire::Label;
use crate::sim::{Engine, Event};
use crate::units::{Clock, NANOS, Span, Time};

/// The state of each class's generator.
#[derive(Debug)]
pub(super) struct Sources {
    /// The numbers of the classes' and of the sites' names: they name what is drawn.
    pub class_names: Vec<u64>,
    pub site_names: Vec<u64>,
    by_patients: ByPatients,
    users: Vec<Option<Users>>,
    poisson: Vec<Poisson>,
    /// The arrival that is scheduled.
    pending: Vec<Option<Named>>,
    /// Jobs of the day, the last first.
    jobs: Vec<Vec<(Time, SiteId, Named)>>,
    replayed: usize,
    calls: Vec<Call>,
    free_calls: Vec<u32>,
    /// By class: what surges bring today beside the usual, the last first.
    surges: Vec<Vec<(Time, Named)>>,
}

/// A stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub class: ClassId,
    pub site: SiteId,
    unit: UnitId,
    codec: Codec,
    /// It goes on all the time, and comes back after a break.
    steady: bool,
    /// It is in progress; a steady one that is not has been broken off.
    on: bool,
    /// What was scheduled for another in its slot is void.
    life: u32,
}

impl Call {
    fn new(class: ClassId, site: SiteId, unit: UnitId, codec: Codec) -> Self {
        Self { class, site, unit, codec, steady: false, on: true, life: 0 }
    }
}

impl Sources {
    pub fn new(model: &Model) -> Self {
        let classes = model.classes.len();
        let site_names: Vec<u64> = model.sites.iter().map(|site| name_of(&site.name)).collect();
        let users = model.classes.iter().map(|class| match &class.demand {
            Demand::Users { workstations, .. } => Some(Users::new(workstations, &site_names)),
            _ => None,
        });
        Self {
            class_names: model.classes.iter().map(|class| name_of(&class.name)).collect(),
            by_patients: ByPatients::new(model.sites.iter().map(|site| site.patients), &site_names),
            users: users.collect(),
            site_names,
            poisson: vec![Poisson::default(); classes],
            pending: vec![None; classes],
            jobs: vec![Vec::new(); classes],
            replayed: 0,
            calls: Vec::new(),
            free_calls: Vec::new(),
            surges: vec![Vec::new(); classes],
        }
    }

    /// Asks for what an action of a workstation needs to know of it.
    pub fn prefetch_user(&self, class: ClassId, user: u32) {
        if let Some(users) = &self.users[class.index()] {
            users.prefetch(user);
        }
    }

    /// The calls in progress at a concentrator.
    pub fn calls_at(&self, unit: UnitId) -> Vec<(SiteId, ClassId, Codec)> {
        let here = self.calls.iter().filter(|call| call.on && call.unit == unit);
        here.map(|call| (call.site, call.class, call.codec)).collect()
    }

    /// Where a workstation stands.
    pub fn site_of(&self, class: ClassId, user: u32) -> Option<SiteId> {
        self.users[class.index()].as_ref().map(|users| users.site(user))
    }
}

impl<O: Observer> Engine<'_, O> {
    /// Midnight: the day's demand begins.
    pub(super) fn day(&mut self, number: u32) {
        let day = u64::from(number);
        let weekday = usize::from(self.model.calendar.weekday(day));
        for class in (0..self.model.classes.len()).map(ClassId::of) {
            match self.demand(class) {
                Demand::Replayed | Demand::Steady { .. } | Demand::Staff { .. } => {}
                Demand::Users { .. } => self.wake(class, day),
                Demand::Open(arrivals) | Demand::Streams { arrivals, .. } => {
                    let mean = arrivals.per_day * arrivals.weekdays[weekday];
                    self.sources.poisson[class.index()] = Poisson::begin(day, mean);
                    self.schedule_arrival(class);
                    self.begin_surges(class, day, mean, arrivals);
                }
                Demand::Jobs { workstations, share, start, peak, weekdays, powered } => {
                    if weekdays[weekday] {
                        let site_names = &self.sources.site_names;
                        let terms = JobTerms { workstations, site_names, share: *share, start: *start, peak: *peak };
                        let name = self.sources.class_names[class.index()];
                        self.sources.jobs[class.index()] = jobs_of_day(self.key, name, day, terms);
                        self.schedule_job(class);
                    }
                    if let Some((on, off)) = powered {
                        self.calendar.push(on.on(day), Rank::Change, Event::PowerOn(class));
                        self.calendar.push(off.on(day), Rank::Change, Event::PowerOff(class));
                    }
                }
            }
        }
        if number + 1 < self.model.calendar.days {
            self.calendar.push(Clock(0).on(day + 1), Rank::Change, Event::Day(number + 1));
        }
    }

    /// Workstations of a class begin their day, each at its time and after a first pause.
    fn wake(&mut self, class: ClassId, day: u64) {
        let Demand::Users { activity, weekdays, think, .. } = self.demand(class) else { return };
        let factor = weekdays[usize::from(self.model.calendar.weekday(day))];
        let Sources { users, class_names, site_names, .. } = &mut self.sources;
        let Some(users) = &mut users[class.index()] else { return };
        for (user, clock) in users.wake(activity, factor) {
            // First pauses are numbered apart from actions.
            let name = within(users.name(user, site_names), FIRST);
            let first = Named::new(self.key, class_names[class.index()], name, day);
            let pause = Span::of_secs(think.sample(&mut first.stream(Purpose::When)));
            self.calendar.push(clock.on(day) + pause, Rank::Arrival, Event::Act(class, user));
        }
    }

    /// A workstation's next action, if it is in use.
    pub(super) fn act(&mut self, class: ClassId, user: u32) {
        let Demand::Users { activity, weekdays, .. } = self.demand(class) else { return };
        let factor = weekdays[usize::from(self.model.calendar.weekday(self.now.day()))];
        let Some(users) = &self.sources.users[class.index()] else { return };
        let clock = self.now.clock();
        let (site, due) = (users.site(user), users.in_use(user, activity, factor, clock));
        let working = due.is_some_and(|at| at <= clock);
        // What is on paper keeps people after hours.
        let stays = !working && self.has_to_enter(class, site).is_some_and(|fallback| clock < fallback.stay_until);
        let Sources { users, class_names, site_names, .. } = &mut self.sources;
        let Some(users) = &mut users[class.index()] else { return };
        match due {
            Some(at) if unlikely(!working) && !stays => {
                self.calendar.push(at.on(self.now.day()), Rank::Arrival, Event::Act(class, user));
            }
            None if !stays => {
                cold_path();
                users.fall_asleep(user);
            }
            _ => {
                let number = users.next_action(user);
                let named = Named::new(self.key, class_names[class.index()], users.name(user, site_names), number);
                if self.takes_paper(class, site, &named) {
                    cold_path();
                    self.begin_on_paper(class, site, Asker::User(user, named));
                    return;
                }
                self.may_enter(class, site, &named, stays);
                self.begin(class, site, Asker::User(user, named));
            }
        }
    }

    /// What surges add to a day of a class: a process of its own, so that the usual arrivals are as without it.
    fn begin_surges(&mut self, class: ClassId, day: u64, mean: f64, arrivals: &Arrivals) {
        let mut extra = Vec::new();
        for (number, fault) in self.model.faults.iter().enumerate() {
            let Mishap::Surge(surges, factor) = fault.what else { continue };
            if surges != class {
                continue;
            }
            let mut process = Poisson::beside(day, mean * (factor - 1.0), number);
            while let Some((named, at)) = process.next(self.key, self.sources.class_names[class.index()], arrivals) {
                if fault.from <= at && at < fault.until {
                    extra.push((at, named));
                }
            }
        }
        extra.sort_by_key(|&(at, _)| std::cmp::Reverse(at));
        self.sources.surges[class.index()] = extra;
        self.schedule_surge(class);
    }

    fn schedule_surge(&mut self, class: ClassId) {
        if let Some(&(at, _)) = self.sources.surges[class.index()].last() {
            self.calendar.push(at.max(self.now), Rank::Arrival, Event::Surge(class));
        }
    }

    /// The next of a surge's arrivals.
    pub(super) fn surge(&mut self, class: ClassId) {
        let Some((_, named)) = self.sources.surges[class.index()].pop() else { return };
        self.come(class, named);
        self.schedule_surge(class);
    }

    /// After an action that was over at `over`, a pause and the next one.
    #[inline(always)]
    pub(super) fn think(&mut self, class: ClassId, user: u32, named: &Named, over: Time) {
        let Demand::Users { think, .. } = self.demand(class) else { return };
        let pause = Span::of_secs(think.sample(&mut named.stream(Purpose::When)));
        self.calendar.push(over + pause, Rank::Arrival, Event::Act(class, user));
    }

    fn schedule_arrival(&mut self, class: ClassId) {
        let (Demand::Open(arrivals) | Demand::Streams { arrivals, .. }) = self.demand(class) else { return };
        let name = self.sources.class_names[class.index()];
        let next = self.sources.poisson[class.index()].next(self.key, name, arrivals);
        self.sources.pending[class.index()] = next.map(|(named, _)| named);
        if let Some((_, at)) = next {
            self.calendar.push(at.max(self.now), Rank::Arrival, Event::Arrive(class));
        }
    }

    /// The arrival of an open class that was scheduled, and its successor.
    pub(super) fn arrive(&mut self, class: ClassId) {
        let Some(named) = self.sources.pending[class.index()].take() else { return };
        self.come(class, named);
        self.schedule_arrival(class);
    }

    fn come(&mut self, class: ClassId, named: Named) {
        let site = self.sources.by_patients.draw(&named);
        match self.demand(class) {
            Demand::Streams { length, codec, .. } => self.ring(class, site, &named, length, *codec),
            _ => self.begin(class, site, Asker::Nobody(named)),
        }
    }

    /// A call: admitted or refused at its site's concentrator, unless it is off or goes round the headend.
    fn ring(&mut self, class: ClassId, site: SiteId, named: &Named, length: &Law, codec: Codec) {
        let rules = &self.model.classes[class.index()].rules;
        let now = self.now;
        let around = taken(&rules.around, now);
        let off = rules.off.iter().any(|&(from, until)| from <= now && now < until);
        if off || (around > 0.0 && named.stream(Purpose::Whether).uniform() < around) {
            return;
        }
        let unit = self.unit_of[site.index()];
        if let Some(slot) = self.call(Call::new(class, site, unit, codec), Span(0)) {
            let length = Span::of_secs(length.sample(&mut named.stream(Purpose::Size)));
            let life = self.sources.calls[slot as usize].life;
            self.calendar.push(self.now + length, Rank::Change, Event::HangUp(slot, life));
        }
    }

    /// Streams that go on all the time begin, spread over the time between two packets in the order of the sites' names.
    pub(super) fn begin_steady_streams(&mut self) {
        let mut by_name: Vec<SiteId> = (0..self.model.sites.len()).map(SiteId::of).collect();
        by_name.sort_unstable_by_key(|site| self.sources.site_names[site.index()]);
        for class in (0..self.model.classes.len()).map(ClassId::of) {
            let Demand::Steady { each, codec } = *self.demand(class) else { continue };
            let all = u64::from(each) * self.model.sites.len() as u64;
            for number in 0..all {
                let site = by_name[usize::try_from(number / u64::from(each)).unwrap_or(0)];
                let unit = self.unit_of[site.index()];
                let call = Call { steady: true, ..Call::new(class, site, unit, codec) };
                self.call(call, Span(codec.every.0 * number / all));
            }
        }
    }

    /// A call asks for admission; its name, if it is let in. At packet fidelity its packets start `after` a while.
    fn call(&mut self, call: Call, after: Span) -> Option<u32> {
        let Call { class, site, unit, codec, .. } = call;
        let concentrator = &mut self.units[unit.index()];
        concentrator.advance(self.now);
        let admitted =
            self.reaches(site, class) && self.units[unit.index()].call(site, class, codec.packet, per_second(codec));
        self.observer.on(self.now, &Fact::Call { class, site, admitted });
        if !admitted && !call.steady {
            return None;
        }
        let slot = self.keep_call(Call { on: admitted, ..call });
        if admitted {
            self.speak(slot, after);
        }
        Some(slot)
    }

    /// At packet fidelity a call's packets start `after` a while.
    fn speak(&mut self, slot: u32, after: Span) {
        let Call { class, site, unit, codec, .. } = self.sources.calls[slot as usize];
        if let Some(packets) = &mut self.packets {
            packets.call(self.now, Label { owner: slot, life: 0, site, class, unit }, codec, after);
        }
    }

    fn keep_call(&mut self, call: Call) -> u32 {
        let calls = &mut self.sources.calls;
        if let Some(slot) = self.sources.free_calls.pop() {
            let life = calls[slot as usize].life + 1;
            calls[slot as usize] = Call { life, ..call };
            return slot;
        }
        calls.push(call);
        u32::try_from(calls.len() - 1).expect("fewer than 2^32 calls are in progress")
    }

    /// A call ends, if it has not broken off.
    pub(super) fn hang_up(&mut self, slot: u32, life: u32) {
        let call = self.sources.calls[slot as usize];
        if call.on && call.life == life {
            self.silence(slot);
            self.sources.free_calls.push(slot);
        }
    }

    /// A call's packets stop.
    fn silence(&mut self, slot: u32) {
        let call = &mut self.sources.calls[slot as usize];
        call.on = false;
        let concentrator = &mut self.units[call.unit.index()];
        concentrator.advance(self.now);
        concentrator.hang_up(call.site, call.class, call.codec.packet, per_second(call.codec));
        if let Some(packets) = &mut self.packets {
            packets.hang_up(slot);
        }
    }

    /// Calls break off; those that go on all the time come back with their site.
    pub(super) fn drop_calls(&mut self, breaks: impl Fn(&Call) -> bool) {
        for slot in 0..u32::try_from(self.sources.calls.len()).unwrap_or(0) {
            let call = self.sources.calls[slot as usize];
            if !call.on || !breaks(&call) {
                continue;
            }
            self.silence(slot);
            if !call.steady {
                self.sources.free_calls.push(slot);
                self.observer.on(self.now, &Fact::Dropped { class: call.class, site: call.site });
            }
        }
    }

    /// Streams that go on all the time come back, by the way that their site has now.
    pub(super) fn resume_steady_streams(&mut self, site: SiteId) {
        for slot in 0..u32::try_from(self.sources.calls.len()).unwrap_or(0) {
            let call = self.sources.calls[slot as usize];
            if call.site != site || call.on || !call.steady || !self.reaches(site, call.class) {
                continue;
            }
            let unit = self.unit_of[site.index()];
            let concentrator = &mut self.units[unit.index()];
            concentrator.advance(self.now);
            if concentrator.call(site, call.class, call.codec.packet, per_second(call.codec)) {
                let kept = &mut self.sources.calls[slot as usize];
                (kept.on, kept.unit) = (true, unit);
                self.speak(slot, Span(0));
            }
        }
    }

    fn schedule_job(&mut self, class: ClassId) {
        if let Some(&(at, ..)) = self.sources.jobs[class.index()].last() {
            self.calendar.push(at.max(self.now), Rank::Arrival, Event::Job(class));
        }
    }

    /// A job falls due.
    pub(super) fn job(&mut self, class: ClassId) {
        let Some((_, site, named)) = self.sources.jobs[class.index()].pop() else { return };
        self.begin(class, site, Asker::Nobody(named));
        self.schedule_job(class);
    }

    /// The next transaction of the replay.
    pub(super) fn replay(&mut self) {
        let Some(replay) = self.model.replay.as_deref() else { return };
        let Some(arrival) = replay.get(self.sources.replayed) else { return };
        self.sources.replayed += 1;
        self.begin(arrival.class, arrival.site, Asker::Replay(arrival.request, arrival.response));
        if let Some(next) = replay.get(self.sources.replayed) {
            self.calendar.push(next.at, Rank::Arrival, Event::Replay);
        }
    }

    /// The hours in which a class's workstations are on.
    pub(super) fn powered(&self, class: ClassId) -> Option<(Clock, Clock)> {
        match self.demand(class) {
            Demand::Jobs { powered, .. } => *powered,
            _ => None,
        }
    }
}

/// Marks the names of first pauses.
const FIRST: u64 = 0;

#[allow(clippy::cast_precision_loss)]
pub(super) fn per_second(codec: Codec) -> f64 {
    NANOS as f64 / codec.every.0 as f64
}
