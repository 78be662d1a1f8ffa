//! Calls and constant streams: admitted or refused, ended, broken off.

use crate::model::{ClassId, Codec, Demand, SiteId, taken};
use crate::random::{Distribution, Purpose};
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::event_list::Rank;
use crate::sim::observer::{Fact, Observer};
use crate::sim::route::{Route, packets_per_second};
use crate::sim::workload::calls::Call;
use crate::sim::workload::draws::DrawKey;
use crate::units::{Duration, NANOS, Time};

/// Calls that are asked first are so many further on each time.
const CALLS_A_TURN: usize = 4;

/// Speech is judged in pieces of so long.
pub const JUDGED_EVERY: Duration = Duration(10 * NANOS);

impl<O: Observer> Engine<'_, O> {
    fn route(&self, class: ClassId, site: SiteId) -> Route {
        Route { site, class, concentrator: self.concentrator_of[site.index()] }
    }

    /// A call is offered: admitted or refused at its site's concentrator, unless it is off or breaks out at its site.
    pub(crate) fn offer_call(
        &mut self,
        class: ClassId,
        site: SiteId,
        draw_key: &DrawKey,
        length: &Distribution,
        codec: Codec,
    ) {
        let rules = &self.model.classes[class.index()].rules;
        let now = self.now;
        let break_out = taken(&rules.break_out, now);
        let off = rules.switched_off.iter().any(|&(from, until)| from <= now && now < until);
        if off || (break_out > 0.0 && draw_key.stream(Purpose::Chance).uniform() < break_out) {
            return;
        }
        if let Some(slot) = self.request_call(Call::new(self.route(class, site), codec, false), Duration(0)) {
            let length = Duration::of_secs(length.sample(&mut draw_key.stream(Purpose::Size)));
            let epoch = self.calls.get(slot).epoch;
            self.events.push(self.now + length, Rank::Change, Event::CallEnds(slot, epoch));
        }
    }

    /// Streams that go on all the time begin, spread over the time between two packets in the order of the sites' names.
    pub(crate) fn start_steady_streams(&mut self) {
        let mut by_name: Vec<SiteId> = (0..self.model.sites.len()).map(SiteId::of).collect();
        by_name.sort_unstable_by_key(|site| self.workload.site_names[site.index()]);
        for class in (0..self.model.classes.len()).map(ClassId::of) {
            let Demand::Steady { each, codec } = *self.demand(class) else { continue };
            let all = u64::from(each) * self.model.sites.len() as u64;
            for number in 0..all {
                let site = by_name[usize::try_from(number / u64::from(each)).unwrap_or(0)];
                let call = Call::new(self.route(class, site), codec, true);
                self.request_call(call, Duration(codec.every.0 * number / all));
            }
        }
    }

    /// A call asks for admission; its slot, if it is admitted or goes on all the time. Its packets start `after` a while.
    fn request_call(&mut self, call: Call, after: Duration) -> Option<u32> {
        let Route { site, class, concentrator } = call.route;
        self.use_tunnel(site);
        let reaches =
            self.reaches(site, class) || (self.tunnels.is_waking(site) && self.server_cuts[class.index()] == 0);
        let admitted = reaches && self.calls.admit(concentrator);
        self.observer.on(self.now, &Fact::Call { class, site, admitted });
        if !admitted {
            self.network.refuse_call(self.now, concentrator);
        }
        if !admitted && !call.steady {
            return None;
        }
        let slot = self.calls.insert(Call { in_progress: admitted, ..call });
        if admitted {
            self.start_call(slot, after);
        }
        Some(slot)
    }

    /// The packets of a call start `after` a while.
    fn start_call(&mut self, slot: u32, after: Duration) {
        let call = self.calls.get_mut(slot);
        call.judged = self.now;
        let Call { route, codec, .. } = *call;
        self.pricing[route.concentrator.index()].add_stream(route.site, codec.packet, packets_per_second(codec));
        self.network.start_call(self.now, slot, route, codec, after);
    }

    /// A call ends, unless it was broken off.
    pub(crate) fn end_call(&mut self, slot: u32, epoch: u32) {
        let call = *self.calls.get(slot);
        if call.in_progress && call.epoch == epoch {
            self.stop_call(slot);
            self.calls.remove(slot);
        }
    }

    /// The packets of a call stop.
    fn stop_call(&mut self, slot: u32) {
        if self.network.has_packets() {
            self.judge_call(slot);
        }
        let call = self.calls.get_mut(slot);
        call.in_progress = false;
        let Call { route, codec, .. } = *call;
        self.tunnels.initiators[route.site.index()].last_used = self.now;
        self.calls.release(route.concentrator);
        self.pricing[route.concentrator.index()].add_stream(route.site, codec.packet, -packets_per_second(codec));
        self.network.end_call(self.now, slot, route, codec);
    }

    /// The speech of all calls in progress is judged, in the hours that are watched; then others of them send packets where a few speak for
    /// all.
    pub(crate) fn judge_calls(&mut self) {
        let goes_on = self.model.calendar.watched(self.now);
        if goes_on || self.model.calendar.watched(Time(self.now.0 - JUDGED_EVERY.0)) {
            let mut calls: Vec<u32> = self.calls.all().filter(|&slot| self.calls.get(slot).in_progress).collect();
            // One concentrator after the other.
            calls.sort_by_key(|&slot| self.calls.get(slot).route.concentrator);
            for &slot in &calls {
                self.judge_call(slot);
            }
            if goes_on {
                self.probe_calls(&mut calls);
            }
        }
        self.events.push(self.now + JUDGED_EVERY, Rank::Watch, Event::JudgeCalls);
    }

    /// Each time other calls are asked first.
    fn probe_calls(&mut self, calls: &mut [u32]) {
        let turn = usize::try_from(self.now.0 / JUDGED_EVERY.0).unwrap_or(0) * CALLS_A_TURN;
        let first = turn % calls.len().max(1);
        calls.rotate_left(first);
        for &slot in &*calls {
            let Call { route, codec, .. } = *self.calls.get(slot);
            self.network.probe(self.now, slot, route, codec);
        }
    }

    /// The speech of a call is judged since this was last done.
    fn judge_call(&mut self, slot: u32) {
        let now = self.now;
        let call = self.calls.get_mut(slot);
        let since = std::mem::replace(&mut call.judged, now);
        let Call { route, codec, .. } = *call;
        let seconds = now.since(since).secs();
        if let Some((ways, calls)) = self.network.talk(now, slot, route, codec)
            && self.model.calendar.watched(since)
            && ways.iter().all(|way| way.packets > 0.0)
        {
            let seconds = seconds * calls;
            self.observer.on(now, &Fact::Talk { class: route.class, site: route.site, seconds, codec, ways });
        }
    }

    /// Calls are broken off; those that go on all the time come back with their site.
    pub(crate) fn drop_calls(&mut self, breaks: impl Fn(&Call) -> bool) {
        for slot in self.calls.all() {
            let call = *self.calls.get(slot);
            if !call.in_progress || !breaks(&call) {
                continue;
            }
            self.stop_call(slot);
            if !call.steady {
                self.calls.remove(slot);
                self.observer.on(self.now, &Fact::Dropped { class: call.route.class, site: call.route.site });
            }
        }
    }

    /// Streams that go on all the time come back, by the way that their site has now.
    pub(crate) fn resume_steady_streams(&mut self, site: SiteId) {
        for slot in self.calls.all() {
            let call = *self.calls.get(slot);
            let class = call.route.class;
            if call.route.site != site || call.in_progress || !call.steady || !self.reaches(site, class) {
                continue;
            }
            let route = self.route(class, site);
            if self.calls.admit(route.concentrator) {
                let kept = self.calls.get_mut(slot);
                (kept.in_progress, kept.route) = (true, route);
                self.start_call(slot, Duration(0));
            } else {
                self.network.refuse_call(self.now, route.concentrator);
            }
        }
    }
}
