//! Failover: tunnels are lost, requested anew, moved and renewed, and traffic follows.

use crate::model::FaultKind;
use crate::model::{ConcentratorId, FailBack, Pool, SiteId};
use crate::random::{Key, Purpose, within};
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::event_list::Rank;
use crate::sim::observer::{Fact, Observer};
use crate::sim::transaction::attempt::next_retry;
use crate::sim::transaction::slab::{Stage, Transaction};
use crate::sim::tunnels::balancer;
use crate::sim::tunnels::ike::{Reason, Received};
use crate::sim::turn::TransactionId;
use crate::units::{Duration, Time};

/// First time-out of a SYN (RFC 6298, section 2.1), and least time-out of data (Linux, `TCP_RTO_MIN`) [s].
const SYN_RTO_SECS: f64 = 1.0;
const MIN_RTO_SECS: f64 = 0.2;

impl<O: Observer> Engine<'_, O> {
    /// Schedules the faults, and the attempts of sites without a tunnel.
    pub(crate) fn open_tunnels(&mut self) {
        for (fault, number) in self.model.faults.iter().zip(0_u32..) {
            match &fault.what {
                FaultKind::Surge(..) => {}
                FaultKind::Flaps { sites, .. } => {
                    for place in (0_u32..).take(sites.len()) {
                        let firewall = self.tunnels.add_firewall(number, place);
                        self.schedule_stall(firewall, fault.from);
                    }
                }
                _ => {
                    self.events.push(fault.from, Rank::Change, Event::Fault(number, true));
                    self.events.push(fault.until, Rank::Change, Event::Fault(number, false));
                }
            }
        }
        for site in (0..self.model.sites.len()).map(SiteId::of) {
            let end = &self.tunnels.initiators[site.index()];
            if end.is_dormant {
                continue;
            }
            if end.concentrator.is_none() {
                self.observer.on(self.now, &Fact::Reachability { site, up: false });
                self.initiate(site);
            } else {
                self.schedule_rekey(site);
            }
        }
    }

    pub(crate) fn fail_back_of(&self, concentrator: ConcentratorId) -> FailBack {
        let pool = self.model.pools.iter().find(|pool| pool.concentrators.contains(&concentrator));
        pool.map_or(FailBack::ByHand, |pool| pool.fail_back)
    }

    /// Tunnels fail back to the concentrator to which they belong; each keeps its old one until the handshake is complete.
    pub(crate) fn fail_back_to(&mut self, concentrator: ConcentratorId, epoch: u32) {
        if !self.tunnels.responders[concentrator.index()].up() || responder_epoch(self, concentrator) != epoch {
            return;
        }
        for site in (0..self.model.sites.len()).map(SiteId::of) {
            let end = &self.tunnels.initiators[site.index()];
            if end.home == concentrator
                && end.attempt.is_none()
                && end.concentrator.is_some_and(|at| at != concentrator)
                && !end.peer_lost
            {
                self.request_tunnel(site, concentrator, Reason::Move);
            }
        }
    }

    /// Stalls the traffic of a site that is cut off and starts dead-peer detection, or lets its traffic go on.
    pub(crate) fn update_reachability(&mut self, site: SiteId) {
        let works = self.tunnels.is_usable(site);
        let was_waking = works && self.tunnels.end_waking(site);
        if !self.tunnels.set_reachable(site, works) {
            return;
        }
        if !was_waking {
            self.observer.on(self.now, &Fact::Reachability { site, up: works });
        }
        if works {
            let end = &mut self.tunnels.initiators[site.index()];
            if std::mem::take(&mut end.is_move_due) {
                let home = end.home;
                self.migrate(site, home);
            }
            self.route_floods(site);
            self.release_site(site);
            return;
        }
        self.route_floods(site);
        let end = &mut self.tunnels.initiators[site.index()];
        end.disconnects += 1;
        let breaks = end.disconnects;
        if end.concentrator.is_some() && end.stalls == 0 {
            let draw_key = self.tunnel_key(site, 0);
            let after = self.model.tunnels.detection.sample(&mut draw_key.stream(u64::from(breaks)));
            self.events.push(self.now + Duration::of_secs(after), Rank::Change, Event::DpdTimeout(site, breaks));
        }
        self.stall_site(site);
    }

    /// Dead-peer detection: the site gives up its tunnel and requests another.
    pub(crate) fn dpd_timeout(&mut self, site: SiteId, breaks: u32) {
        let end = &self.tunnels.initiators[site.index()];
        if end.disconnects != breaks
            || self.tunnels.reaches_headend(site)
            || end.stalls > 0
            || end.concentrator.is_none()
        {
            return;
        }
        self.tunnels.detach(site);
        self.initiate(site);
    }

    /// A site without a tunnel requests one.
    pub(crate) fn initiate(&mut self, site: SiteId) {
        let to = self.choose_responder(site);
        self.request_tunnel(site, to, Reason::Establish);
    }

    fn request_tunnel(&mut self, site: SiteId, to: ConcentratorId, why: Reason) {
        let number = self.tunnels.begin_attempt(site, to, why);
        self.send_request(site, number);
    }

    /// Sends a request for a tunnel, or retransmits it.
    pub(crate) fn send_request(&mut self, site: SiteId, number: u32) {
        let fallback = self.choose_responder(site);
        let terms = &self.model.tunnels;
        let end = &self.tunnels.initiators[site.index()];
        let (reaches, stalled) = (end.cuts == 0, end.stalls > 0);
        let Some(attempt) = self.tunnels.attempt(site, number) else { return };
        let (sent, why, mut to, mut number) = (attempt.sent, attempt.why, attempt.to, number);
        attempt.sent += 1;
        if sent == 1 {
            self.tell_of_waking(site);
        }
        if stalled {
            self.tunnels.initiators[site.index()].attempt = None;
            return;
        }
        if sent > terms.tries {
            self.attempt_failed(site, why);
            return;
        }
        let wait = terms.wait(sent);
        if why == Reason::Establish && to != fallback && !self.tunnels.responders[to.index()].up() {
            // Sites learn which concentrators are up.
            (to, number) = (fallback, self.tunnels.redirect(site, fallback));
        }
        if reaches {
            if self.tunnels.receive_request(self.now, to, site, number) == Received::Started {
                self.begin_handshake(to);
            }
            self.watch_keepalives(to);
        }
        let key = self.tunnel_key(site, 1);
        let jitter = 1.0 - self.model.tunnels.jitter * key.stream(u64::from(number) << 8 | u64::from(sent)).uniform();
        self.events.push(self.now + Duration::of_secs(wait * jitter), Rank::Change, Event::SendRequest(site, number));
    }

    /// No request of the attempt was answered.
    fn attempt_failed(&mut self, site: SiteId, why: Reason) {
        self.tunnels.initiators[site.index()].attempt = None;
        match why {
            Reason::Establish => self.initiate(site),
            Reason::Move => {}
            Reason::Rekey => {
                self.tunnels.detach(site);
                self.update_reachability(site);
                self.initiate(site);
            }
        }
    }

    fn begin_handshake(&mut self, concentrator: ConcentratorId) {
        let responder = &self.tunnels.responders[concentrator.index()];
        let (each, epoch) = (responder.handshake_time(self.now), responder.epoch);
        self.events.push(self.now + Duration::of_secs(each), Rank::Change, Event::Handshake(concentrator, epoch));
    }

    /// A concentrator completes a handshake; two round trips later the tunnel is established (RFC 7296, section 1.2).
    pub(crate) fn handshake(&mut self, concentrator: ConcentratorId, epoch: u32) {
        if responder_epoch(self, concentrator) != epoch {
            return;
        }
        let Some(((site, number), more)) = self.tunnels.responders[concentrator.index()].complete_handshake(self.now)
        else {
            return;
        };
        if more {
            self.begin_handshake(concentrator);
        }
        self.watch_keepalives(concentrator);
        let rtt = self.model.sites[site.index()].rtt;
        self.events.push(self.now + Duration(2 * rtt.0), Rank::Change, Event::Established(site, number));
    }

    /// A tunnel is established, if the site still waits for it and the concentrator has room.
    pub(crate) fn established(&mut self, site: SiteId, number: u32) {
        let Some(&mut attempt) = self.tunnels.attempt(site, number) else { return };
        let responder = &self.tunnels.responders[attempt.to.index()];
        let renews = self.tunnels.initiators[site.index()].concentrator == Some(attempt.to);
        // The site will retransmit its request.
        if !responder.up() || !(responder.has_room() || renews) || self.tunnels.initiators[site.index()].cuts > 0 {
            return;
        }
        self.tunnels.attach(site, attempt.to);
        self.concentrator_of[site.index()] = attempt.to;
        if attempt.why != Reason::Rekey {
            self.observer.on(self.now, &Fact::TunnelAttached { site, concentrator: attempt.to });
        }
        self.begin_tunnel(site);
        self.update_reachability(site);
        self.route_floods(site);
    }

    /// Moves a site's tunnel to another concentrator, make before break; one that is cut off moves when it is back.
    pub(crate) fn migrate(&mut self, site: SiteId, to: ConcentratorId) {
        let is_usable = self.tunnels.is_usable(site);
        let end = &mut self.tunnels.initiators[site.index()];
        end.home = to;
        end.is_move_due = !is_usable;
        if is_usable
            && end.concentrator != Some(to)
            && self.tunnels.responders[to.index()].up()
            && self.tunnels.responders[to.index()].has_room()
        {
            self.tunnels.attach(site, to);
            self.concentrator_of[site.index()] = to;
            self.observer.on(self.now, &Fact::TunnelAttached { site, concentrator: to });
            self.begin_tunnel(site);
            self.route_floods(site);
        }
    }

    /// Moves a site's tunnel to another concentrator, break before make.
    pub(crate) fn cut_over(&mut self, site: SiteId, to: ConcentratorId) {
        self.tunnels.initiators[site.index()].home = to;
        let end = &self.tunnels.initiators[site.index()];
        if end.concentrator.is_none_or(|concentrator| concentrator == to) {
            return;
        }
        self.tunnels.detach(site);
        self.update_reachability(site);
        self.request_tunnel(site, to, Reason::Establish);
    }

    /// Key of the draws for a site's tunnel; `what` tells detection, retransmission, lifetime, first lifetime and keepalives apart.
    pub(crate) fn tunnel_key(&self, site: SiteId, what: u64) -> Key {
        self.key.of(Purpose::Tunnel, within(self.workload.site_names[site.index()], what))
    }

    /// What is scheduled for a tunnel that begins.
    fn begin_tunnel(&mut self, site: SiteId) {
        self.schedule_rekey(site);
        self.schedule_idle(site);
        self.schedule_keepalive(site);
    }

    fn schedule_rekey(&mut self, site: SiteId) {
        if let Some(every) = self.model.tunnels.rekey {
            let epoch = self.tunnels.initiators[site.index()].epoch;
            let key = self.tunnel_key(site, 2);
            let jitter = 1.0 - self.model.tunnels.jitter * key.stream(u64::from(epoch)).uniform();
            // Tunnels that exist at the start are of any age.
            let left = if self.now == Time(0) { self.tunnel_key(site, 3).stream(0).uniform() } else { 1.0 };
            let at = self.now + Duration::of_secs(every.secs() * jitter * left);
            self.events.push(at, Rank::Change, Event::Rekey(site, epoch));
        }
    }

    /// Renews a tunnel's keys.
    pub(crate) fn rekey(&mut self, site: SiteId, epoch: u32) {
        let end = &self.tunnels.initiators[site.index()];
        if end.epoch == epoch
            && end.attempt.is_none()
            && let Some(concentrator) = end.concentrator
        {
            self.request_tunnel(site, concentrator, Reason::Rekey);
        }
    }

    /// The concentrator from which a site requests a tunnel: by its pool's balancer, among those that are up and have room.
    fn choose_responder(&self, site: SiteId) -> ConcentratorId {
        let (home, now) = (self.tunnels.initiators[site.index()].home, self.now);
        let pool = &self.model.pools[self.model.pool_of[site.index()].index()];
        let fit = |concentrator: ConcentratorId| {
            let responder = &self.tunnels.responders[concentrator.index()];
            responder.up() && responder.has_room() && self.model.concentrators[concentrator.index()].opens <= now
        };
        let open: Vec<ConcentratorId> = self
            .in_service(pool)
            .filter(|concentrator| self.tunnels.responders[concentrator.index()].has_room())
            .collect();
        let load = |concentrator: ConcentratorId| self.patients_at(concentrator);
        let tunnels = |concentrator: ConcentratorId| self.tunnels.responders[concentrator.index()].tunnels;
        balancer::place_again(self.model, pool, site, (home, fit(home)), &open, (&load, &tunnels)).unwrap_or(home)
    }

    /// Concentrators of a pool that are up; a standby only while another is down.
    pub(crate) fn in_service<'a>(&'a self, pool: &'a Pool) -> impl Iterator<Item = ConcentratorId> + 'a {
        let up = |concentrator: ConcentratorId| self.tunnels.responders[concentrator.index()].up();
        let someone_down = pool.concentrators.iter().any(|concentrator| !up(*concentrator));
        let serves = move |concentrator: &ConcentratorId| {
            let terms = &self.model.concentrators[concentrator.index()];
            up(*concentrator) && terms.opens <= self.now && (someone_down || !terms.standby)
        };
        pool.concentrators.iter().copied().filter(serves)
    }

    /// Patients of the sites whose tunnels end at a concentrator.
    fn patients_at(&self, concentrator: ConcentratorId) -> f64 {
        let here = self
            .tunnels
            .initiators
            .iter()
            .zip(self.model.sites.iter())
            .filter(|(end, _)| end.concentrator == Some(concentrator));
        here.map(|(_, site)| f64::from(site.patients)).sum()
    }

    /// Stalls the transfers of a site, which keep what they have, and breaks off its calls.
    fn stall_site(&mut self, site: SiteId) {
        let carried = |transaction: &Transaction| transaction.site == site && transaction.stage == Stage::InNetwork;
        for id in self.transactions.select(carried) {
            self.stall(id);
        }
        self.drop_calls(|call| call.route.site == site);
    }

    /// Lets the transfers of a site go on, each when its sender tries again.
    fn release_site(&mut self, site: SiteId) {
        let stalled = |transaction: &Transaction| transaction.site == site && transaction.stage == Stage::Stalled;
        for id in self.transactions.select(stalled) {
            self.schedule_retry(id);
        }
        self.resume_steady_streams(site);
    }

    /// Schedules the next attempt of a stalled transfer's sender.
    pub(crate) fn schedule_retry(&mut self, id: TransactionId) {
        let transaction = self.transactions.get(id);
        let class = &self.model.classes[transaction.class.index()];
        let calls = class.connects && transaction.work_left.is_none();
        let rtt = self.model.sites[transaction.site.index()].rtt.secs();
        let first = if calls { SYN_RTO_SECS } else { MIN_RTO_SECS + rtt };
        let (at, epoch) = (next_retry(transaction.stalled_at, self.now, first), transaction.transfer_epoch);
        self.events.push(at, Rank::Arrival, Event::Resume(id, epoch));
    }
}

pub(crate) fn responder_epoch<O>(engine: &Engine<'_, O>, concentrator: ConcentratorId) -> u32 {
    engine.tunnels.responders[concentrator.index()].epoch
}
