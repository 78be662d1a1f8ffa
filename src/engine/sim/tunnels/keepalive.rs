//! Keepalives: a concentrator that is busy with keys answers them late, and sites give up tunnels that work.
//!
//! A site asks from time to time whether its concentrator is there (RFC 7296, section 1.4). The answer waits behind the handshakes
//! that the concentrator holds. While that takes longer than a site waits for an answer, each keepalive costs a tunnel, and each tunnel
//! that is lost brings another handshake. At other times keepalives change nothing, and none is simulated.

use crate::model::{ConcentratorId, SiteId};
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::event_list::Rank;
use crate::sim::observer::Observer;
use crate::units::Duration;

impl<O: Observer> Engine<'_, O> {
    /// A concentrator holds more handshakes, or fewer: its answers come too late from now on, or in time.
    pub(crate) fn watch_keepalives(&mut self, at: ConcentratorId) {
        if self.model.tunnels.keepalive.is_none() {
            return;
        }
        let too_late = self.answers_too_late(at);
        let responder = &mut self.tunnels.responders[at.index()];
        let was = std::mem::replace(&mut responder.is_overloaded, too_late);
        if too_late && !was {
            for site in (0..self.model.sites.len()).map(SiteId::of) {
                if self.tunnels.initiators[site.index()].concentrator == Some(at) {
                    self.schedule_keepalive(site);
                }
            }
        }
    }

    fn answers_too_late(&self, at: ConcentratorId) -> bool {
        self.tunnels.responders[at.index()].wait(self.now) > self.model.tunnels.gives_up_after()
    }

    /// Schedules the next keepalive of a site whose concentrator answers late; those of different sites are spread evenly.
    pub(crate) fn schedule_keepalive(&mut self, site: SiteId) {
        let Some(every) = self.model.tunnels.keepalive else { return };
        let end = &self.tunnels.initiators[site.index()];
        let overloaded = end.concentrator.is_some_and(|at| self.tunnels.responders[at.index()].is_overloaded);
        if !overloaded {
            return;
        }
        let phase = self.tunnel_key(site, 4).stream(0).uniform() * every.secs();
        let rounds = ((self.now.secs() - phase) / every.secs()).floor() + 1.0;
        let at = self.now + Duration::of_secs(phase + rounds * every.secs() - self.now.secs());
        self.tunnels.initiators[site.index()].keepalive_at = at;
        self.events.push(at, Rank::Change, Event::Keepalive(site));
    }

    /// A site sends a keepalive: if its answer comes too late, the tunnel will be given up.
    pub(crate) fn keepalive(&mut self, site: SiteId) {
        let end = &self.tunnels.initiators[site.index()];
        let (Some(at), true) = (end.concentrator, end.keepalive_at == self.now) else { return };
        let epoch = end.epoch;
        if self.tunnels.is_usable(site) && self.answers_too_late(at) {
            let after = Duration::of_secs(self.model.tunnels.gives_up_after());
            self.events.push(self.now + after, Rank::Change, Event::KeepaliveUnanswered(site, epoch));
        }
        self.schedule_keepalive(site);
    }

    /// A site gives up a tunnel that works, and asks for another.
    pub(crate) fn keepalive_unanswered(&mut self, site: SiteId, epoch: u32) {
        let end = &self.tunnels.initiators[site.index()];
        if end.epoch != epoch || end.concentrator.is_none() || end.attempt.is_some() || !self.tunnels.is_usable(site) {
            return;
        }
        self.tunnels.detach(site);
        self.update_reachability(site);
        self.initiate(site);
    }
}
