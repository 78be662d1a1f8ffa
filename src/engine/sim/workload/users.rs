//! People at workstations: they act, wait for the answer, think, and act again.

use crate::model::{ClassId, Demand};
use crate::random::{Purpose, within};
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::event_list::Rank;
use crate::sim::observer::Observer;
use crate::sim::transaction::slab::Initiator;
use crate::sim::workload::draws::DrawKey;
use crate::sim::workload::generators::Workload;
use crate::units::{Duration, Time, TimeOfDay};

/// Marks the keys of first pauses.
const FIRST_PAUSE: u64 = 0;

impl<O: Observer> Engine<'_, O> {
    /// Workstations of a class begin their day, each at its time and after a first pause.
    pub(crate) fn wake_users(&mut self, class: ClassId, day: u64) {
        let Demand::Users { activity, weekdays, think, .. } = self.demand(class) else { return };
        let factor = weekdays[usize::from(self.model.calendar.weekday(day))] * self.level.at_work;
        let pace = self.level.pace;
        let Workload { users, class_names, site_names, .. } = &mut self.workload;
        let Some(users) = &mut users[class.index()] else { return };
        for (user, clock) in users.wake(activity, factor) {
            // First pauses are numbered apart from actions.
            let name = within(users.name(user, site_names), FIRST_PAUSE);
            let first = DrawKey::new(self.key, class_names[class.index()], name, day);
            let pause = Duration::of_secs(think.sample(&mut first.stream(Purpose::Timing)) / pace);
            self.events.push(clock.on(day) + pause, Rank::Arrival, Event::UserAction(class, user));
        }
    }

    /// A workstation's next action, if it is in use.
    pub(crate) fn user_action(&mut self, class: ClassId, user: u32) {
        let Demand::Users { activity, weekdays, .. } = self.demand(class) else { return };
        let factor = weekdays[usize::from(self.model.calendar.weekday(self.now.day()))] * self.level.at_work;
        let Some(users) = &self.workload.users[class.index()] else { return };
        let clock = self.now.clock();
        let (site, due) = (users.site(user), users.in_use(user, activity, factor, clock));
        let working = due.is_some_and(|at| at <= clock);
        let came = || users.in_use(user, activity, factor, TimeOfDay(0)).is_some_and(|at| at <= clock);
        let is_off = self.is_switched_off(class);
        // What is on paper keeps people after hours, those who have come.
        let stays = !working && !is_off && came() && self.stay_to_enter(class, site);
        let Workload { users, class_names, site_names, .. } = &mut self.workload;
        let Some(users) = &mut users[class.index()] else { return };
        match due {
            Some(at) if !working && !stays => {
                self.events.push(at.on(self.now.day()), Rank::Arrival, Event::UserAction(class, user));
            }
            None if !stays => users.fall_asleep(user),
            _ => {
                let number = users.next_action(user);
                let name = users.name(user, site_names);
                let draw_key = DrawKey::new(self.key, class_names[class.index()], name, number);
                if !is_off {
                    if self.goes_to_paper(class, site, &draw_key) {
                        self.start_on_paper(class, site, Initiator::User(user, draw_key));
                        return;
                    }
                    self.enter_from_backlog(class, site, &draw_key, stays);
                }
                self.start(class, site, Initiator::User(user, draw_key));
            }
        }
    }

    /// After an action that was over at `over`, a pause and the next one.
    #[inline]
    pub(crate) fn schedule_next_action(&mut self, class: ClassId, user: u32, draw_key: &DrawKey, over: Time) {
        let Demand::Users { think, .. } = self.demand(class) else { return };
        let pause = Duration::of_secs(think.sample(&mut draw_key.stream(Purpose::Timing)) / self.level.pace);
        self.events.push(over + pause, Rank::Arrival, Event::UserAction(class, user));
    }
}
