//! Calm concentrators: while transfers leave room, only access links hold them, and no packet is simulated.
//!
//! When a short transfer is over is known as it starts: what it takes alone, a standing queue in each round trip while a long one
//! fills its access link, and more for its bits the more of the link other short ones use. A long one has what those leave of the
//! link. What all of them bring is a constant rate at the concentrator, which packets lack. A second long one at a site, or one
//! more where the concentrator is no longer calm, goes in packets, and so do those that it meets. When the concentrator is calm
//! again, a long one that is alone at its site leaves packets.

use crate::model::{ClassId, ConcentratorId, SiteId, Tcp};
use crate::sim::event_list::Rank;
use crate::sim::observer::Parts;
use crate::sim::packet::calm_site::{CalmSite, LongTransfer};
use crate::sim::packet::network::{PacketEvent, PacketNetwork};
use crate::sim::packet::way::{PacketTransfer, Way};
use crate::sim::packet::wire::full_size;
use crate::sim::turn::TransactionId;
use crate::units::{Duration, Time};

/// A transfer that takes longer alone is long [s].
const LONG: f64 = 1.0;
/// Part of its time that a transfer may wait for what stands in the concentrator's queue.
const STANDING: f64 = 0.02;

impl PacketTransfer {
    /// Whether it takes long alone.
    pub(super) fn is_long(&self) -> bool {
        self.unloaded > LONG
    }
}

impl PacketNetwork {
    /// Whether a transfer that starts now is worked out.
    pub(super) fn works_out(&self, id: TransactionId) -> bool {
        let transfer = &self.transfers[id as usize];
        let PacketTransfer { route, rate, peak, unloaded, .. } = *transfer;
        let device = &self.concentrators[route.concentrator.index()];
        let long_one_is_first = !transfer.is_long() || self.sites[route.site.index()].long.is_none();
        self.in_packets[route.site.index()] == 0
            && long_one_is_first
            && self.offered_load[route.concentrator.index()].stays_calm((route.site, rate, peak), device.throughput())
            && !device.shapes(route.class)
            && device.waits_at_most(self.now, Duration::of_secs(unloaded * STANDING))
    }

    /// A transfer of so many turns starts that is worked out.
    pub(super) fn start_calm(&mut self, id: TransactionId, alone: Parts, turns: usize) {
        let transfer = &self.transfers[id as usize];
        if transfer.is_long() {
            self.start_long(id, self.now, transfer.unloaded);
        } else {
            self.start_short(id, alone, turns);
        }
    }

    #[allow(clippy::cast_precision_loss)] // turns of a transfer
    fn start_short(&mut self, id: TransactionId, alone: Parts, turns: usize) {
        let PacketTransfer { route, unloaded, work, .. } = self.transfers[id as usize];
        let server = self.classes[route.class.index()].1.secs() * turns as f64;
        let rounds = ((alone.trips - server).max(0.0) / self.rtts[route.site.index()].secs()).max(1.0);
        let queue = self.standing_queue(route.site);
        let site = &mut self.sites[route.site.index()];
        let shared = unloaded + rounds * queue + alone.transfer * f64::from(site.short) * 1e-6;
        // The link does not carry more than it can.
        site.busy_until = site.busy_until.max(self.now) + Duration::of_secs(alone.transfer);
        let takes = shared.max(site.busy_until.since(self.now).secs());
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share
        let part = (alone.transfer / takes * 1e6) as u32;
        site.short += part;
        self.access_links[route.site.index()].down.use_part(part, true);
        if let Some(long) = &mut site.long {
            long.ends += Duration::of_secs(alone.transfer);
        }
        self.transfers[id as usize].part = part;
        self.work_out(id, work / takes, takes);
    }

    /// A transfer brings a constant rate, and is over after so many seconds.
    fn work_out(&mut self, id: TransactionId, rate: f64, takes: f64) {
        let transfer = &mut self.transfers[id as usize];
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        let constant = rate as u64;
        (transfer.way, transfer.takes, transfer.constant) = (Way::WorkedOut, takes, constant);
        let PacketTransfer { route, started, epoch, .. } = *transfer;
        self.concentrators[route.concentrator.index()].add_constant(self.now, route.class, constant);
        if !self.transfers[id as usize].is_long() {
            self.deliver_at(started + Duration::of_secs(takes), id, epoch);
        }
    }

    /// So many seconds are left of a long transfer that began then.
    fn start_long(&mut self, id: TransactionId, began: Time, left: f64) {
        let PacketTransfer { route, work, unloaded, .. } = self.transfers[id as usize];
        let ends = self.now + Duration::of_secs(left);
        let site = &mut self.sites[route.site.index()];
        site.long = Some(LongTransfer { id, began, ends });
        site.epoch += 1;
        self.events.push(ends, Rank::Arrival, PacketEvent::Long(route.site, site.epoch));
        self.long_calm += 1;
        self.work_out(id, work / unloaded, left);
    }

    /// The long transfer of a site is over, unless short ones have held it up.
    pub(super) fn on_long(&mut self, site: SiteId, epoch: u32) {
        let calm = &self.sites[site.index()];
        let Some(long) = calm.long.filter(|_| calm.epoch == epoch) else { return };
        if long.ends > self.now {
            self.events.push(long.ends, Rank::Arrival, PacketEvent::Long(site, epoch));
            return;
        }
        self.end_calm(long.id);
        self.deliver(long.id, self.transfers[long.id as usize].epoch);
    }

    /// A transfer that was worked out is over, stopped, or goes on in packets; gives the share of it that is left.
    pub(super) fn end_calm(&mut self, id: TransactionId) -> f64 {
        let transfer = &self.transfers[id as usize];
        let PacketTransfer { route, constant, part, unloaded, .. } = *transfer;
        let share_left = transfer.share_left(self.now);
        let site = &mut self.sites[route.site.index()];
        self.concentrators[route.concentrator.index()].remove_constant(self.now, route.class, constant);
        if !transfer.is_long() {
            site.short -= part;
            self.access_links[route.site.index()].down.use_part(part, false);
            return share_left;
        }
        let Some(long) = site.long.take() else { return 0.0 };
        self.long_calm -= 1;
        (long.ends.max(self.now).since(self.now).secs() / unloaded).min(1.0)
    }

    /// Time that a packet waits before the access link now, while a long transfer fills it [s].
    pub(super) fn standing_queue(&self, site: SiteId) -> f64 {
        let (Some(long), Some(tcp)) = (self.sites[site.index()].long, self.tcp) else { return 0.0 };
        let (trip, age) = (self.rtts[site.index()].secs(), self.now.since(long.began).secs());
        CalmSite::standing_queue(&tcp, trip, age, self.segment_time(site, &tcp))
    }

    /// Time that a full segment takes on an access link [s].
    fn segment_time(&self, site: SiteId, tcp: &Tcp) -> f64 {
        8.0 * f64::from(full_size(tcp)) / self.access_links[site.index()].down.rate()
    }

    /// A transfer starts in packets: the long one of its site goes on so, and all where the concentrator is no longer calm.
    pub(super) fn disturb(&mut self, id: TransactionId) {
        let PacketTransfer { route, rate, peak, .. } = self.transfers[id as usize];
        self.go_on_at(route.site, |_| true);
        let at = route.concentrator;
        let throughput = self.concentrators[at.index()].throughput();
        if !self.offered_load[at.index()].stays_calm((route.site, rate, peak), throughput) {
            self.go_on(|other| other.route.concentrator == at);
        }
    }

    /// Something changed at a concentrator: long transfers go on in packets if it is no longer calm.
    pub(super) fn reconsider(&mut self, at: ConcentratorId) {
        if !self.offered_load[at.index()].is_calm(self.concentrators[at.index()].throughput()) {
            self.go_on(|other| other.route.concentrator == at);
        }
    }

    /// A class is shaped: its long transfers go on in packets.
    pub(super) fn go_on_in_class(&mut self, class: ClassId) {
        self.go_on(|other| other.route.class == class);
    }

    fn go_on(&mut self, which: impl Fn(&PacketTransfer) -> bool) {
        if self.long_calm == 0 {
            return;
        }
        let long = |site: SiteId| self.sites[site.index()].long.map(|long| (long.began, long.id, site));
        let mut all: Vec<_> = (0..self.sites.len()).map(SiteId::of).filter_map(long).collect();
        // In the order in which they started, whichever way sites are listed.
        all.sort_unstable_by_key(|&(began, id, _)| (began, id));
        for (_, _, site) in all {
            self.go_on_at(site, &which);
        }
    }

    /// The long transfer of a site goes on in packets: its window fills the link and its standing queue.
    fn go_on_at(&mut self, site: SiteId, which: impl Fn(&PacketTransfer) -> bool) {
        let (Some(LongTransfer { id, .. }), Some(tcp)) = (self.sites[site.index()].long, self.tcp) else { return };
        if !which(&self.transfers[id as usize]) {
            return;
        }
        let holds = (self.rtts[site.index()].secs() + self.standing_queue(site)) / self.segment_time(site, &tcp);
        let segments = self.transfers[id as usize].segments;
        let left = f64::from(segments) * self.end_calm(id);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        let (left, window) = (left.ceil() as u32, holds.ceil() as u32);
        self.go_on_contending(id, left.clamp(1, segments), window.clamp(tcp.window, tcp.most));
    }

    /// A concentrator may be calm again: long transfers that are alone at their sites leave packets.
    pub(super) fn settle_if_calm(&mut self, at: ConcentratorId) {
        let throughput = self.concentrators[at.index()].throughput();
        if self.long_in_packets[at.index()].is_empty() || !self.offered_load[at.index()].is_quiet(throughput) {
            return;
        }
        for (id, epoch) in std::mem::take(&mut self.long_in_packets[at.index()]) {
            let transfer = &self.transfers[id as usize];
            let Way::Packets(connection) = transfer.way else { continue };
            if transfer.epoch != epoch {
                continue;
            }
            let alone = self.in_packets[transfer.route.site.index()] == 1;
            if alone && !self.concentrators[at.index()].shapes(transfer.route.class) {
                let share = self.leave_cohort(connection, id);
                self.settle(id, share);
            } else {
                self.long_in_packets[at.index()].push((id, epoch));
            }
        }
    }

    /// What is left of a transfer in packets is worked out.
    fn settle(&mut self, id: TransactionId, share: f64) {
        let transfer = &mut self.transfers[id as usize];
        let left = share * transfer.unloaded;
        let (began, route, work) = (transfer.started, transfer.route, transfer.work);
        self.in_packets[route.site.index()] -= 1;
        self.offered_load[route.concentrator.index()].remove_contending();
        if self.transfers[id as usize].is_long() {
            self.start_long(id, began, left);
        } else {
            self.transfers[id as usize].started = self.now;
            self.work_out(id, work / self.transfers[id as usize].unloaded, left.max(1e-6));
        }
    }
}
