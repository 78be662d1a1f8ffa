//! Arrivals: each day's processes begin, jobs fall due, a replay plays.

use crate::model::FaultKind;
use crate::model::{Arrivals, ClassId, Demand};
use crate::random::Purpose;
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::event_list::Rank;
use crate::sim::observer::Observer;
use crate::sim::transaction::slab::Initiator;
use crate::sim::workload::draws::{DrawKey, JobTerms, Poisson, jobs_of_day};
use crate::units::TimeOfDay;

impl<O: Observer> Engine<'_, O> {
    /// Midnight: the day's demand begins.
    pub(crate) fn begin_day(&mut self, number: u32) {
        let day = u64::from(number);
        self.level = self.model.levels.of(self.key, &self.model.calendar, day);
        for class in (0..self.model.classes.len()).map(ClassId::of) {
            self.begin_day_of(class, day);
        }
        if number + 1 < self.model.calendar.days {
            self.events.push(TimeOfDay(0).on(day + 1), Rank::Change, Event::Day(number + 1));
        }
    }

    fn begin_day_of(&mut self, class: ClassId, day: u64) {
        let weekday = usize::from(self.model.calendar.weekday(day));
        match self.demand(class) {
            Demand::Replayed | Demand::Steady { .. } | Demand::Staff { .. } => {}
            Demand::Users { .. } => self.wake_users(class, day),
            Demand::Open(arrivals) | Demand::Streams { arrivals, .. } => {
                let mean = arrivals.per_day * arrivals.weekdays[weekday] * self.level.demand();
                self.workload.arrivals[class.index()] = Poisson::begin(day, mean);
                self.schedule_arrival(class);
                self.begin_surges(class, day, mean, arrivals);
            }
            Demand::Jobs { workstations, share, start, peak, weekdays, powered } => {
                if weekdays[weekday] {
                    let site_names = &self.workload.site_names;
                    let terms = JobTerms {
                        workstations,
                        site_names,
                        share: share.0 * self.level.demand(),
                        start: *start,
                        peak: *peak,
                    };
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

    /// What surges add to a day of a class: a process of its own, so that the usual arrivals are as without it.
    fn begin_surges(&mut self, class: ClassId, day: u64, mean: f64, arrivals: &Arrivals) {
        let mut extra = Vec::new();
        for fault in &self.model.faults {
            let FaultKind::Surge(surges, factor) = fault.what else { continue };
            if surges != class {
                continue;
            }
            let key = self.key.of(Purpose::Fault, fault.stream);
            let mut process = Poisson::beside(day, mean * (factor - 1.0));
            while let Some((draw_key, at)) = process.next(key, self.workload.class_names[class.index()], arrivals) {
                if fault.from <= at && at < fault.until {
                    extra.push((at, draw_key));
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
    pub(crate) fn surge(&mut self, class: ClassId) {
        let Some((_, draw_key)) = self.workload.surges[class.index()].pop() else { return };
        self.on_arrival(class, draw_key);
        self.schedule_surge(class);
    }

    fn schedule_arrival(&mut self, class: ClassId) {
        let (Demand::Open(arrivals) | Demand::Streams { arrivals, .. }) = self.demand(class) else { return };
        let name = self.workload.class_names[class.index()];
        let next = self.workload.arrivals[class.index()].next(self.key, name, arrivals);
        self.workload.pending[class.index()] = next.map(|(draw_key, _)| draw_key);
        if let Some((_, at)) = next {
            self.events.push(at.max(self.now), Rank::Arrival, Event::Arrive(class));
        }
    }

    /// The arrival of an open class that was scheduled, and its successor.
    pub(crate) fn arrive(&mut self, class: ClassId) {
        let Some(draw_key) = self.workload.pending[class.index()].take() else { return };
        self.on_arrival(class, draw_key);
        self.schedule_arrival(class);
    }

    fn on_arrival(&mut self, class: ClassId, draw_key: DrawKey) {
        let site = self.workload.by_patients.draw(&draw_key);
        match self.demand(class) {
            Demand::Streams { length, codec, .. } => self.offer_call(class, site, &draw_key, length, *codec),
            _ => self.start(class, site, Initiator::Process(draw_key)),
        }
    }

    fn schedule_job(&mut self, class: ClassId) {
        if let Some(&(at, ..)) = self.workload.jobs[class.index()].last() {
            self.events.push(at.max(self.now), Rank::Arrival, Event::Job(class));
        }
    }

    /// A job falls due.
    pub(crate) fn job(&mut self, class: ClassId) {
        let Some((_, site, draw_key)) = self.workload.jobs[class.index()].pop() else { return };
        self.start(class, site, Initiator::Process(draw_key));
        self.schedule_job(class);
    }

    /// The next transaction of the replay.
    pub(crate) fn replay(&mut self) {
        let Some(replay) = self.model.replay.as_deref() else { return };
        let Some(arrival) = replay.get(self.workload.replayed) else { return };
        self.workload.replayed += 1;
        self.start(arrival.class, arrival.site, Initiator::Replay(arrival.request, arrival.response));
        if let Some(next) = replay.get(self.workload.replayed) {
            self.events.push(next.at, Rank::Arrival, Event::Replay);
        }
    }

    /// The hours in which a class's workstations are on.
    pub(crate) fn power_hours(&self, class: ClassId) -> Option<(TimeOfDay, TimeOfDay)> {
        match self.demand(class) {
            Demand::Jobs { powered, .. } => *powered,
            _ => None,
        }
    }
}
