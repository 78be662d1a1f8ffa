//! The simulator: `simulate(&model, replication, observer)`, the event loop and the dispatch of events.
//!
//! A run is a function of model and replication: this room reads no file, no clock, no environment and no
//! global, and adds nothing up. It cannot fail; all that can be wrong was a problem before there was a model.

pub mod cost;
pub(crate) mod discipline;
pub(crate) mod event;
pub(crate) mod event_list;
pub(crate) mod fluid;
pub(crate) mod network;
pub mod observer;
pub(crate) mod packet;
pub(crate) mod pricing;
pub(crate) mod route;
pub(crate) mod transaction;
pub(crate) mod transfer;
pub(crate) mod tunnels;
pub mod turn;
pub(crate) mod workload;

/// Parts of the engine, for tests and benches of this repository alone.
#[doc(hidden)]
pub mod internals {
    pub use super::event_list::{EventList, Rank};
    pub use super::fluid::sharing::{Fairness, MaxMin, exact_weight};
    pub use super::packet::network::PacketNetwork;
    pub use super::pricing::PricedTurn;
    pub use super::route::Route;
    pub use super::transaction::latency::LatencyParts;
    pub use super::transfer::Start;
}

mod changes;
mod engine;
mod hints;
mod snapshot;

use crate::model::{ClassId, Model, SiteId};
pub use crate::sim::workload::streams::JUDGED_EVERY;
use crate::units::{Duration, Time};
use engine::Engine;
use event::Event;
use event_list::Rank;
use observer::{Fact, Observer};

/// So many events are handled before the observer is asked whether to stop: a few milliseconds, or tenths of a second in a crowd.
const BATCH: u32 = 1 << 8;

/// Simulates one replication of the model's days and tells the observer what happens; one that stops early is told no end.
pub fn simulate(model: &Model, replication: u32, observer: &mut impl Observer) {
    let mut engine = Engine::new(model, replication, observer);
    engine.open();
    let end = model.calendar.end();
    while engine.run_batch(end) {
        if engine.observer.stop() {
            // What is still under way in a crowd takes long to tell, and nobody wants to hear it.
            return;
        }
    }
    engine.close(end);
}

impl<O: Observer> Engine<'_, O> {
    /// Schedules what is known beforehand.
    fn open(&mut self) {
        for (change, number) in self.model.changes.iter().zip(0_u32..) {
            self.events.push(change.at, Rank::Change, Event::Change(number));
        }
        for site in (0..self.model.sites.len()).map(SiteId::of) {
            let concentrator = self.concentrator_of[site.index()];
            self.observer.on(self.now, &Fact::TunnelAttached { site, concentrator });
        }
        self.events.push(Time(0) + self.model.bin, Rank::Watch, Event::Snapshot);
        self.open_tunnels();
        if self.model.classes.iter().any(|class| class.demand.is_of_calls()) {
            self.events.push(Time(0) + JUDGED_EVERY, Rank::Watch, Event::JudgeCalls);
        }
        self.start_steady_streams();
        if let Some(first) = self.model.replay.as_ref().and_then(|replay| replay.first()) {
            self.events.push(first.at, Rank::Arrival, Event::Replay);
            return;
        }
        self.events.push(Time(0), Rank::Change, Event::Day(0));
        for class in (0..self.model.classes.len()).map(ClassId::of) {
            self.schedule_curfew_ends(class);
        }
    }

    /// Of several curfews that end together the last one written says how what has waited starts.
    fn schedule_curfew_ends(&mut self, class: ClassId) {
        let curfews = &self.model.classes[class.index()].rules.curfews;
        for (place, curfew) in curfews.iter().enumerate() {
            let number = u32::try_from(place).expect("fewer than 2^32 curfews");
            if curfews[place + 1..].iter().all(|other| other.until != curfew.until) {
                self.events.push(curfew.until, Rank::Change, Event::CurfewEnds(class, number));
            }
        }
    }

    /// Handles some of what comes next; false when nothing does before `end`.
    fn run_batch(&mut self, end: Time) -> bool {
        (0..BATCH).all(|_| self.step(end))
    }

    /// Handles what comes next; false when nothing does before `end`.
    fn step(&mut self, end: Time) -> bool {
        let (next, at) = self.network.next(self.now);
        // At the same instant, what happens in the network goes first.
        if let Some((now, &event)) = self.events.pop_before(next.min(end + Duration(1))) {
            self.now = now;
            self.handle(event);
            return true;
        }
        if next > end {
            return false;
        }
        let mut deliveries = std::mem::take(&mut self.deliveries);
        self.now = self.network.step((next, end), at, &mut self.events, &mut deliveries);
        deliveries.drain(..).for_each(|delivery| self.deliver(delivery));
        self.deliveries = deliveries;
        true
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::SendWindow(id, epoch) => {
                if let Some(delivery) = self.network.send_window(self.now, &mut self.events, id, epoch) {
                    self.deliver(delivery);
                }
            }
            Event::UserAction(class, user) => self.user_action(class, user),
            Event::Day(day) => self.begin_day(day),
            Event::Arrive(class) => self.arrive(class),
            Event::Job(class) => self.job(class),
            Event::Replay => self.replay(),
            Event::Surge(class) => self.surge(class),
            Event::StartDeferred(id, epoch) => self.start_deferred(id, epoch),
            Event::CurfewEnds(class, number) => self.end_curfew(class, number),
            Event::PowerOff(class) => self.power_off(class),
            Event::PowerOn(class) => self.power_on(class),
            Event::Patience(class) => self.check_patience(class),
            Event::CallEnds(call, epoch) => self.end_call(call, epoch),
            Event::Change(number) => self.apply_change(number),
            Event::Fault(number, begins) => self.fault(number, begins),
            Event::FirewallStalls(firewall) => self.firewall_stalls(firewall),
            Event::FirewallRecovered(firewall) => self.firewall_recovered(firewall),
            Event::DpdTimeout(site, disconnects) => self.dpd_timeout(site, disconnects),
            Event::SendRequest(site, number) => self.send_request(site, number),
            Event::Handshake(concentrator, epoch) => self.handshake(concentrator, epoch),
            Event::Established(site, number) => self.established(site, number),
            Event::Rekey(site, epoch) => self.rekey(site, epoch),
            Event::TunnelIdle(site, epoch) => self.tunnel_idle(site, epoch),
            Event::Keepalive(site) => self.keepalive(site),
            Event::KeepaliveUnanswered(site, epoch) => self.keepalive_unanswered(site, epoch),
            Event::FailBack(concentrator, epoch) => self.fail_back_to(concentrator, epoch),
            Event::Resume(id, epoch) => self.resume(id, epoch),
            Event::JudgeCalls => self.judge_calls(),
            Event::Snapshot => {
                self.take_snapshot();
                self.events.push(self.now + self.model.bin, Rank::Watch, Event::Snapshot);
            }
        }
    }

    /// The last snapshot, and what is still under way.
    fn close(&mut self, end: Time) {
        self.now = self.now.max(end);
        self.take_snapshot();
        self.report_unfinished();
    }
}
