//! Tunnels on demand: one comes up with its site's first traffic, and is taken down when it was idle for a while.
//!
//! The sender whose packet wakes a site waits for the handshake and tries again as after a lost packet. A site that wakes counts as
//! cut off only when its first request stays unanswered.

use crate::model::SiteId;
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::event_list::Rank;
use crate::sim::observer::{Fact, Observer};
use crate::sim::transaction::slab::Stage;

impl<O: Observer> Engine<'_, O> {
    /// A site has traffic: its tunnel comes up if it is dormant.
    #[inline]
    pub(crate) fn use_tunnel(&mut self, site: SiteId) {
        if self.model.tunnels.idle_timeout.is_none() {
            return;
        }
        let end = &mut self.tunnels.initiators[site.index()];
        end.last_used = self.now;
        if end.is_dormant && self.tunnels.reaches_headend(site) {
            self.tunnels.begin_waking(site);
            self.initiate(site);
        }
    }

    /// A site that woke has to wait for its tunnel: now it is cut off.
    pub(crate) fn tell_of_waking(&mut self, site: SiteId) {
        if self.tunnels.end_waking(site) {
            self.observer.on(self.now, &Fact::Reachability { site, up: false });
            self.drop_calls(|call| call.route.site == site);
        }
    }

    /// Schedules the time at which a tunnel may have been idle for long enough.
    pub(crate) fn schedule_idle(&mut self, site: SiteId) {
        if let Some(timeout) = self.model.tunnels.idle_timeout {
            let end = &self.tunnels.initiators[site.index()];
            let at = (end.last_used + timeout).max(self.now);
            let at = if at == self.now { self.now + timeout } else { at };
            self.events.push(at, Rank::Change, Event::TunnelIdle(site, end.epoch));
        }
    }

    /// A tunnel that is idle is taken down; another is looked at again.
    pub(crate) fn tunnel_idle(&mut self, site: SiteId, epoch: u32) {
        let end = &self.tunnels.initiators[site.index()];
        let Some(timeout) = self.model.tunnels.idle_timeout.filter(|_| end.epoch == epoch) else { return };
        let is_idle = end.last_used + timeout <= self.now && end.attempt.is_none() && !self.has_traffic(site);
        if !is_idle || !self.tunnels.reaches_headend(site) {
            self.schedule_idle(site);
            return;
        }
        self.tunnels.detach(site);
        self.tunnels.initiators[site.index()].is_dormant = true;
    }

    fn has_traffic(&self, site: SiteId) -> bool {
        let in_progress = |slot: u32| {
            let call = self.calls.get(slot);
            call.in_progress && call.route.site == site
        };
        let mut transactions = self.transactions.all();
        self.calls.all().any(in_progress)
            || transactions.any(|(_, one)| one.site == site && matches!(one.stage, Stage::InNetwork | Stage::Stalled))
    }
}
