//! Arrivals: each day's processes begin, people act, jobs fall due, calls start, a replay plays.

use std::hint::cold_path;

use crate::random::{Distribution, Purpose, name_of, within};
use crate::scenario::fault::FaultKind;
use crate::scenario::model::{Arrivals, ClassId, Codec, ConcentratorId, Demand, Model, SiteId, taken};
use crate::sim::calendar::Rank;
use crate::sim::demand::{ByPatients, DrawKey, JobTerms, Poisson, Users, jobs_of_day};
use crate::sim::flow::Initiator;
use crate::sim::likely::unlikely;
use crate::sim::observer::{Fact, Observer};
use crate::sim::packet::wire::FlowKey;
use crate::sim::{Engine, Event};
use crate::units::{Duration, NANOS, Time, TimeOfDay};

/// The state of each class's generator.
#[derive(Debug)]
pub(super) struct Workload {
    /// The numbers of the classes' and of the sites' names: they name what is drawn.
    pub class_names: Vec<u64>,
    pub site_names: Vec<u64>,
    by_patients: ByPatients,
    users: Vec<Option<Users>>,
    arrivals: Vec<Poisson>,
    /// The arrival that is scheduled.
    pending: Vec<Option<DrawKey>>,
    /// Jobs of the day, the last first.
    jobs: Vec<Vec<(Time, SiteId, DrawKey)>>,
    replayed: usize,
    calls: Vec<Call>,
    free_calls: Vec<u32>,
    /// By class: what surges bring today beside the usual, the last first.
    surges: Vec<Vec<(Time, DrawKey)>>,
}

/// A stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub class: ClassId,
    pub site: SiteId,
    concentrator: ConcentratorId,
    codec: Codec,
    /// It goes on all the time, and comes back after a break.
    steady: bool,
    /// It is in progress; a steady one that is not has been broken off.
    in_progress: bool,
    /// What was scheduled for another in its slot is void.
    epoch: u32,
}

impl Call {
    fn new(class: ClassId, site: SiteId, unit: ConcentratorId, codec: Codec) -> Self {
        Self { class, site, concentrator: unit, codec, steady: false, in_progress: true, epoch: 0 }
    }
}

impl Workload {
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
            arrivals: vec![Poisson::default(); classes],
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
    pub fn calls_at(&self, unit: ConcentratorId) -> Vec<(SiteId, ClassId, Codec)> {
        let here = self.calls.iter().filter(|call| call.in_progress && call.concentrator == unit);
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
                Demand::Users { .. } => self.wake_users(class, day),
                Demand::Open(arrivals) | Demand::Streams { arrivals, .. } => {
                    let mean = arrivals.per_day * arrivals.weekdays[weekday];
                    self.workload.arrivals[class.index()] = Poisson::begin(day, mean);
                    self.schedule_arrival(class);
                    self.begin_surges(class, day, mean, arrivals);
                }
                Demand::Jobs { workstations, share, start, peak, weekdays, powered } => {
                    if weekdays[weekday] {
                        let site_names = &self.workload.site_names;
                        let terms = JobTerms { workstations, site_names, share: *share, start: *start, peak: *peak };
                        let name = self.workload.class_names[class.index()];
                        self.workload.jobs[class.index()] = jobs_of_day(self.key, name, day, terms);
                        self.schedule_job(class);
                    }
                    if let Some((on, off)) = powered {
                        self.events.push(on.on(day), Rank::Change, Event::PowerOn(class));
                        self.events.push(off.on(day), Rank::Change, Event::PowerOff(class));
                    }
                }
            }
        }
        if number + 1 < self.model.calendar.days {
            self.events.push(TimeOfDay(0).on(day + 1), Rank::Change, Event::Day(number + 1));
        }
    }

    /// Workstations of a class begin their day, each at its time and after a first pause.
    fn wake_users(&mut self, class: ClassId, day: u64) {
        let Demand::Users { activity, weekdays, think, .. } = self.demand(class) else { return };
        let factor = weekdays[usize::from(self.model.calendar.weekday(day))];
        let Workload { users, class_names, site_names, .. } = &mut self.workload;
        let Some(users) = &mut users[class.index()] else { return };
        for (user, clock) in users.wake(activity, factor) {
            // First pauses are numbered apart from actions.
            let name = within(users.name(user, site_names), FIRST_PAUSE);
            let first = DrawKey::new(self.key, class_names[class.index()], name, day);
            let pause = Duration::of_secs(think.sample(&mut first.stream(Purpose::Timing)));
            self.events.push(clock.on(day) + pause, Rank::Arrival, Event::UserAction(class, user));
        }
    }

    /// A workstation's next action, if it is in use.
    pub(super) fn user_action(&mut self, class: ClassId, user: u32) {
        let Demand::Users { activity, weekdays, .. } = self.demand(class) else { return };
        let factor = weekdays[usize::from(self.model.calendar.weekday(self.now.day()))];
        let Some(users) = &self.workload.users[class.index()] else { return };
        let clock = self.now.clock();
        let (site, due) = (users.site(user), users.in_use(user, activity, factor, clock));
        let working = due.is_some_and(|at| at <= clock);
        // What is on paper keeps people after hours.
        let stays = !working && self.backlog_at(class, site).is_some_and(|fallback| clock < fallback.stay_until);
        let Workload { users, class_names, site_names, .. } = &mut self.workload;
        let Some(users) = &mut users[class.index()] else { return };
        match due {
            Some(at) if unlikely(!working) && !stays => {
                self.events.push(at.on(self.now.day()), Rank::Arrival, Event::UserAction(class, user));
            }
            None if !stays => {
                cold_path();
                users.fall_asleep(user);
            }
            _ => {
                let number = users.next_action(user);
                let named = DrawKey::new(self.key, class_names[class.index()], users.name(user, site_names), number);
                if self.goes_to_paper(class, site, &named) {
                    cold_path();
                    self.start_on_paper(class, site, Initiator::User(user, named));
                    return;
                }
                self.enter_from_backlog(class, site, &named, stays);
                self.start(class, site, Initiator::User(user, named));
            }
        }
    }

    /// What surges add to a day of a class: a process of its own, so that the usual arrivals are as without it.
    fn begin_surges(&mut self, class: ClassId, day: u64, mean: f64, arrivals: &Arrivals) {
        let mut extra = Vec::new();
        for (number, fault) in self.model.faults.iter().enumerate() {
            let FaultKind::Surge(surges, factor) = fault.what else { continue };
            if surges != class {
                continue;
            }
            let mut process = Poisson::beside(day, mean * (factor - 1.0), number);
            while let Some((named, at)) = process.next(self.key, self.workload.class_names[class.index()], arrivals) {
                if fault.from <= at && at < fault.until {
                    extra.push((at, named));
                }
            }
        }
        extra.sort_by_key(|&(at, _)| std::cmp::Reverse(at));
        self.workload.surges[class.index()] = extra;
        self.schedule_surge(class);
    }

    fn schedule_surge(&mut self, class: ClassId) {
        if let Some(&(at, _)) = self.workload.surges[class.index()].last() {
            self.events.push(at.max(self.now), Rank::Arrival, Event::Surge(class));
        }
    }

    /// The next of a surge's arrivals.
    pub(super) fn surge(&mut self, class: ClassId) {
        let Some((_, named)) = self.workload.surges[class.index()].pop() else { return };
        self.on_arrival(class, named);
        self.schedule_surge(class);
    }

    /// After an action that was over at `over`, a pause and the next one.
    #[inline(always)]
    pub(super) fn schedule_next_action(&mut self, class: ClassId, user: u32, named: &DrawKey, over: Time) {
        let Demand::Users { think, .. } = self.demand(class) else { return };
        let pause = Duration::of_secs(think.sample(&mut named.stream(Purpose::Timing)));
        self.events.push(over + pause, Rank::Arrival, Event::UserAction(class, user));
    }

    fn schedule_arrival(&mut self, class: ClassId) {
        let (Demand::Open(arrivals) | Demand::Streams { arrivals, .. }) = self.demand(class) else { return };
        let name = self.workload.class_names[class.index()];
        let next = self.workload.arrivals[class.index()].next(self.key, name, arrivals);
        self.workload.pending[class.index()] = next.map(|(named, _)| named);
        if let Some((_, at)) = next {
            self.events.push(at.max(self.now), Rank::Arrival, Event::Arrive(class));
        }
    }

    /// The arrival of an open class that was scheduled, and its successor.
    pub(super) fn arrive(&mut self, class: ClassId) {
        let Some(named) = self.workload.pending[class.index()].take() else { return };
        self.on_arrival(class, named);
        self.schedule_arrival(class);
    }

    fn on_arrival(&mut self, class: ClassId, named: DrawKey) {
        let site = self.workload.by_patients.draw(&named);
        match self.demand(class) {
            Demand::Streams { length, codec, .. } => self.offer_call(class, site, &named, length, *codec),
            _ => self.start(class, site, Initiator::Process(named)),
        }
    }

    /// A call: admitted or refused at its site's concentrator, unless it is off or goes round the headend.
    fn offer_call(&mut self, class: ClassId, site: SiteId, named: &DrawKey, length: &Distribution, codec: Codec) {
        let rules = &self.model.classes[class.index()].rules;
        let now = self.now;
        let around = taken(&rules.break_out, now);
        let off = rules.switched_off.iter().any(|&(from, until)| from <= now && now < until);
        if off || (around > 0.0 && named.stream(Purpose::Chance).uniform() < around) {
            return;
        }
        let unit = self.concentrator_of[site.index()];
        if let Some(slot) = self.admit_call(Call::new(class, site, unit, codec), Duration(0)) {
            let length = Duration::of_secs(length.sample(&mut named.stream(Purpose::Size)));
            let life = self.workload.calls[slot as usize].epoch;
            self.events.push(self.now + length, Rank::Change, Event::CallEnds(slot, life));
        }
    }

    /// Streams that go on all the time begin, spread over the time between two packets in the order of the sites' names.
    pub(super) fn start_steady_streams(&mut self) {
        let mut by_name: Vec<SiteId> = (0..self.model.sites.len()).map(SiteId::of).collect();
        by_name.sort_unstable_by_key(|site| self.workload.site_names[site.index()]);
        for class in (0..self.model.classes.len()).map(ClassId::of) {
            let Demand::Steady { each, codec } = *self.demand(class) else { continue };
            let all = u64::from(each) * self.model.sites.len() as u64;
            for number in 0..all {
                let site = by_name[usize::try_from(number / u64::from(each)).unwrap_or(0)];
                let unit = self.concentrator_of[site.index()];
                let call = Call { steady: true, ..Call::new(class, site, unit, codec) };
                self.admit_call(call, Duration(codec.every.0 * number / all));
            }
        }
    }

    /// A call asks for admission; its name, if it is let in. At packet fidelity its packets start `after` a while.
    fn admit_call(&mut self, call: Call, after: Duration) -> Option<u32> {
        let Call { class, site, concentrator: unit, codec, .. } = call;
        let concentrator = &mut self.fluid[unit.index()];
        concentrator.advance(self.now);
        let admitted =
            self.reaches(site, class) && self.fluid[unit.index()].admit_call(site, class, codec.packet, packets_per_second(codec));
        self.observer.on(self.now, &Fact::Call { class, site, admitted });
        if !admitted && !call.steady {
            return None;
        }
        let slot = self.store_call(Call { in_progress: admitted, ..call });
        if admitted {
            self.start_voice(slot, after);
        }
        Some(slot)
    }

    /// At packet fidelity a call's packets start `after` a while.
    fn start_voice(&mut self, slot: u32, after: Duration) {
        let Call { class, site, concentrator: unit, codec, .. } = self.workload.calls[slot as usize];
        if let Some(packets) = &mut self.packets {
            packets.start_call(self.now, FlowKey { owner: slot, epoch: 0, site, class, concentrator: unit }, codec, after);
        }
    }

    fn store_call(&mut self, call: Call) -> u32 {
        let calls = &mut self.workload.calls;
        if let Some(slot) = self.workload.free_calls.pop() {
            let life = calls[slot as usize].epoch + 1;
            calls[slot as usize] = Call { epoch: life, ..call };
            return slot;
        }
        calls.push(call);
        u32::try_from(calls.len() - 1).expect("fewer than 2^32 calls are in progress")
    }

    /// A call ends, if it has not broken off.
    pub(super) fn end_call(&mut self, slot: u32, life: u32) {
        let call = self.workload.calls[slot as usize];
        if call.in_progress && call.epoch == life {
            self.stop_call(slot);
            self.workload.free_calls.push(slot);
        }
    }

    /// A call's packets stop.
    fn stop_call(&mut self, slot: u32) {
        let call = &mut self.workload.calls[slot as usize];
        call.in_progress = false;
        let concentrator = &mut self.fluid[call.concentrator.index()];
        concentrator.advance(self.now);
        concentrator.end_call(call.site, call.class, call.codec.packet, packets_per_second(call.codec));
        if let Some(packets) = &mut self.packets {
            packets.end_call(slot);
        }
    }

    /// Calls break off; those that go on all the time come back with their site.
    pub(super) fn drop_calls(&mut self, breaks: impl Fn(&Call) -> bool) {
        for slot in 0..u32::try_from(self.workload.calls.len()).unwrap_or(0) {
            let call = self.workload.calls[slot as usize];
            if !call.in_progress || !breaks(&call) {
                continue;
            }
            self.stop_call(slot);
            if !call.steady {
                self.workload.free_calls.push(slot);
                self.observer.on(self.now, &Fact::Dropped { class: call.class, site: call.site });
            }
        }
    }

    /// Streams that go on all the time come back, by the way that their site has now.
    pub(super) fn resume_steady_streams(&mut self, site: SiteId) {
        for slot in 0..u32::try_from(self.workload.calls.len()).unwrap_or(0) {
            let call = self.workload.calls[slot as usize];
            if call.site != site || call.in_progress || !call.steady || !self.reaches(site, call.class) {
                continue;
            }
            let unit = self.concentrator_of[site.index()];
            let concentrator = &mut self.fluid[unit.index()];
            concentrator.advance(self.now);
            if concentrator.admit_call(site, call.class, call.codec.packet, packets_per_second(call.codec)) {
                let kept = &mut self.workload.calls[slot as usize];
                (kept.in_progress, kept.concentrator) = (true, unit);
                self.start_voice(slot, Duration(0));
            }
        }
    }

    fn schedule_job(&mut self, class: ClassId) {
        if let Some(&(at, ..)) = self.workload.jobs[class.index()].last() {
            self.events.push(at.max(self.now), Rank::Arrival, Event::Job(class));
        }
    }

    /// A job falls due.
    pub(super) fn job(&mut self, class: ClassId) {
        let Some((_, site, named)) = self.workload.jobs[class.index()].pop() else { return };
        self.start(class, site, Initiator::Process(named));
        self.schedule_job(class);
    }

    /// The next transaction of the replay.
    pub(super) fn replay(&mut self) {
        let Some(replay) = self.model.replay.as_deref() else { return };
        let Some(arrival) = replay.get(self.workload.replayed) else { return };
        self.workload.replayed += 1;
        self.start(arrival.class, arrival.site, Initiator::Replay(arrival.request, arrival.response));
        if let Some(next) = replay.get(self.workload.replayed) {
            self.events.push(next.at, Rank::Arrival, Event::Replay);
        }
    }

    /// The hours in which a class's workstations are on.
    pub(super) fn power_hours(&self, class: ClassId) -> Option<(TimeOfDay, TimeOfDay)> {
        match self.demand(class) {
            Demand::Jobs { powered, .. } => *powered,
            _ => None,
        }
    }
}

/// Marks the names of first pauses.
const FIRST_PAUSE: u64 = 0;

#[allow(clippy::cast_precision_loss)]
pub(super) fn packets_per_second(codec: Codec) -> f64 {
    NANOS as f64 / codec.every.0 as f64
}
