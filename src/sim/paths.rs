//! Paths: faults befall sites and concentrators, tunnels are lost and set up anew, and traffic follows.

use crate::random::{Key, Purpose, Stream, within};
use crate::scenario::fault::{Fault, FaultKind};
use crate::scenario::model::{ClassId, ConcentratorId, FailBack, SiteId};
use crate::sim::band::TransactionId;
use crate::sim::calendar::Rank;
use crate::sim::flow::Stage;
use crate::sim::observer::{Fact, Observer};
use crate::sim::tunnel::{Firewall, Reason, Received, next_retry};
use crate::sim::{Engine, Event, balancer};
use crate::units::{BitRate, Duration, Time};

/// The first repeat of a call for a connection (RFC 6298, section 2.1), and of data (Linux `TCP_RTO_MIN`) [s].
const SYN_RTO_SECS: f64 = 1.0;
const MIN_RTO_SECS: f64 = 0.2;

impl<'m, O: Observer> Engine<'m, O> {
    /// Schedules the faults, and the attempts of sites that have found no tunnel.
    pub(super) fn open_tunnels(&mut self) {
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
            if self.tunnels.initiators[site.index()].concentrator.is_none() {
                self.observer.on(self.now, &Fact::Reachability { site, up: false });
                self.initiate(site);
            } else {
                self.schedule_rekey(site);
            }
        }
    }

    /// A fault begins or ends.
    pub(super) fn fault(&mut self, number: u32, begins: bool) {
        let model = self.model;
        let Fault { what, .. } = &model.faults[number as usize];
        match what {
            FaultKind::Outage(unit) => self.outage(*unit, begins),
            FaultKind::BrownOut(unit, left) => {
                let dimmed = &mut self.brown_outs[unit.index()];
                if begins {
                    dimmed.push(left.0);
                } else if let Some(place) = dimmed.iter().position(|other| other.to_bits() == left.0.to_bits()) {
                    dimmed.swap_remove(place);
                }
                self.set_throughput(*unit);
            }
            FaultKind::Cut(sites) => {
                for &site in sites.iter() {
                    let cuts = &mut self.tunnels.initiators[site.index()].cuts;
                    *cuts = if begins { *cuts + 1 } else { *cuts - 1 };
                    self.update_reachability(site);
                }
            }
            FaultKind::ServersLost(classes) => {
                for &class in classes.iter() {
                    self.server_cuts[class.index()] += if begins { 1 } else { -1 };
                }
                self.stall_and_release();
            }
            FaultKind::Flood(site, class, rate) => self.flood(*site, *class, *rate, begins, number),
            FaultKind::Flaps { .. } | FaultKind::Surge(..) => {}
        }
    }

    /// The rate of a concentrator after edits and brown-outs.
    pub(super) fn set_throughput(&mut self, unit: ConcentratorId) {
        let left: f64 = self.brown_outs[unit.index()].iter().product();
        let terms = &self.devices[unit.index()];
        let line = terms.uplink.into_iter().chain(terms.configured).map(BitRate::bits).fold(f64::INFINITY, f64::min);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of a rate
        let rate = BitRate((terms.throughput.bits() * left).min(line).round().max(1.0) as u64);
        self.fluid[unit.index()].advance(self.now);
        self.fluid[unit.index()].set_rate(rate);
        if let Some(packets) = &mut self.packets {
            packets.set_rate(self.now, unit, rate);
        }
    }

    fn flood(&mut self, site: SiteId, class: ClassId, rate: BitRate, begins: bool, number: u32) {
        let unit = self.concentrator_of[site.index()];
        self.fluid[unit.index()].advance(self.now);
        if let Some(packets) = &mut self.packets {
            let gaps = self.key.of(Purpose::Fault, self.model.faults[number as usize].stream).stream(0);
            packets.flood(self.now, (site, class, unit), rate, begins, (number, gaps));
        } else {
            self.fluid[unit.index()].flood(site, class, rate, begins);
        }
    }

    fn outage(&mut self, unit: ConcentratorId, begins: bool) {
        let hub = &mut self.tunnels.responders[unit.index()];
        if begins {
            hub.outages += 1;
            if hub.outages > 1 {
                return;
            }
            hub.fail();
            for site in (0..self.model.sites.len()).map(SiteId::of) {
                if self.tunnels.initiators[site.index()].concentrator == Some(unit) {
                    self.tunnels.initiators[site.index()].peer_lost = true;
                    self.update_reachability(site);
                }
            }
            return;
        }
        hub.outages -= 1;
        if hub.outages == 0
            && let FailBack::After(wait) = self.fail_back_of(unit)
        {
            let epoch = responder_epoch(self, unit);
            self.events.push(self.now + wait, Rank::Change, Event::FailBack(unit, epoch));
        }
    }

    fn fail_back_of(&self, unit: ConcentratorId) -> FailBack {
        let pool = self.model.pools.iter().find(|pool| pool.concentrators.contains(&unit));
        pool.map_or(FailBack::ByHand, |pool| pool.fail_back)
    }

    /// Tunnels come back to the concentrator where they belong; each keeps its old one until then.
    pub(super) fn fail_back_to(&mut self, unit: ConcentratorId, epoch: u32) {
        if !self.tunnels.responders[unit.index()].up() || responder_epoch(self, unit) != epoch {
            return;
        }
        for site in (0..self.model.sites.len()).map(SiteId::of) {
            let end = &self.tunnels.initiators[site.index()];
            if end.home == unit && end.attempt.is_none() && end.concentrator.is_some_and(|at| at != unit) && !end.peer_lost {
                self.request_tunnel(site, unit, Reason::Move);
            }
        }
    }

    /// Stalls traffic of a site that is cut off, or lets it go on; a tunnel that died is noticed in due time.
    fn update_reachability(&mut self, site: SiteId) {
        let works = self.tunnels.is_usable(site);
        if !self.tunnels.set_reachable(site, works) {
            return;
        }
        self.observer.on(self.now, &Fact::Reachability { site, up: works });
        if works {
            self.release_site(site);
            return;
        }
        let end = &mut self.tunnels.initiators[site.index()];
        end.disconnects += 1;
        let breaks = end.disconnects;
        if end.concentrator.is_some() && end.stalls == 0 {
            let named = self.tunnel_key(site, 0);
            let after = self.model.tunnels.detection.sample(&mut named.stream(u64::from(breaks)));
            self.events.push(self.now + Duration::of_secs(after), Rank::Change, Event::DpdTimeout(site, breaks));
        }
        self.stall_site(site);
    }

    /// Dead-peer detection: the site gives its tunnel up and asks for another.
    pub(super) fn dpd_timeout(&mut self, site: SiteId, breaks: u32) {
        let end = &self.tunnels.initiators[site.index()];
        if end.disconnects != breaks || self.tunnels.reaches_headend(site) || end.stalls > 0 || end.concentrator.is_none() {
            return;
        }
        self.tunnels.detach(site);
        self.initiate(site);
    }

    /// A site without a tunnel asks for one.
    fn initiate(&mut self, site: SiteId) {
        let to = self.choose_responder(site);
        self.request_tunnel(site, to, Reason::Establish);
    }

    fn request_tunnel(&mut self, site: SiteId, to: ConcentratorId, why: Reason) {
        let number = self.tunnels.begin_attempt(site, to, why);
        self.send_request(site, number);
    }

    /// A request for a tunnel is sent, for the first time or again.
    pub(super) fn send_request(&mut self, site: SiteId, number: u32) {
        let fallback = self.choose_responder(site);
        let terms = &self.model.tunnels;
        let end = &self.tunnels.initiators[site.index()];
        let (reaches, stalled) = (end.cuts == 0, end.stalls > 0);
        let Some(attempt) = self.tunnels.attempt(site, number) else { return };
        let (sent, why, mut to, mut number) = (attempt.sent, attempt.why, attempt.to, number);
        attempt.sent += 1;
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
            // Sites learn which concentrators are up, and ask one of them.
            (to, number) = (fallback, self.tunnels.redirect(site, fallback));
        }
        if reaches && self.tunnels.receive_request(to, site, number) == Received::Started {
            self.begin_handshake(to);
        }
        let key = self.tunnel_key(site, 1);
        let jitter = 1.0 - self.model.tunnels.jitter * key.stream(u64::from(number) << 8 | u64::from(sent)).uniform();
        self.events.push(self.now + Duration::of_secs(wait * jitter), Rank::Change, Event::SendRequest(site, number));
    }

    /// Nobody answered, however often it was sent.
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

    fn begin_handshake(&mut self, unit: ConcentratorId) {
        let hub = &self.tunnels.responders[unit.index()];
        let (each, epoch) = (hub.handshake_time(), hub.epoch);
        self.events.push(self.now + Duration::of_secs(each), Rank::Change, Event::Handshake(unit, epoch));
    }

    /// A concentrator has completed a handshake: two round trips in all, and the tunnel stands (RFC 7296, section 1.2).
    pub(super) fn handshake(&mut self, unit: ConcentratorId, epoch: u32) {
        if responder_epoch(self, unit) != epoch {
            return;
        }
        let Some(((site, number), more)) = self.tunnels.responders[unit.index()].complete_handshake() else { return };
        if more {
            self.begin_handshake(unit);
        }
        let rtt = self.model.sites[site.index()].rtt;
        self.events.push(self.now + Duration(2 * rtt.0), Rank::Change, Event::Established(site, number));
    }

    /// A tunnel stands, if the site still waits for it and the concentrator has room.
    pub(super) fn established(&mut self, site: SiteId, number: u32) {
        let Some(&mut attempt) = self.tunnels.attempt(site, number) else { return };
        let hub = &self.tunnels.responders[attempt.to.index()];
        let renews = self.tunnels.initiators[site.index()].concentrator == Some(attempt.to);
        // What cannot be taken up is asked for again in due time.
        if !hub.up() || !(hub.has_room() || renews) || self.tunnels.initiators[site.index()].cuts > 0 {
            return;
        }
        self.tunnels.attach(site, attempt.to);
        self.concentrator_of[site.index()] = attempt.to;
        if attempt.why != Reason::Rekey {
            self.observer.on(self.now, &Fact::TunnelAttached { site, unit: attempt.to });
        }
        self.schedule_rekey(site);
        self.update_reachability(site);
    }

    /// A site's tunnel belongs elsewhere from now on; one that stands has been prepared beforehand.
    pub(super) fn migrate(&mut self, site: SiteId, to: ConcentratorId) {
        self.tunnels.initiators[site.index()].home = to;
        if self.tunnels.is_usable(site) && self.tunnels.responders[to.index()].up() && self.tunnels.responders[to.index()].has_room() {
            self.tunnels.attach(site, to);
            self.concentrator_of[site.index()] = to;
            self.observer.on(self.now, &Fact::TunnelAttached { site, unit: to });
            self.schedule_rekey(site);
        }
    }

    /// A site takes its tunnel down, and asks for one elsewhere.
    pub(super) fn cut_over(&mut self, site: SiteId, to: ConcentratorId) {
        self.tunnels.initiators[site.index()].home = to;
        let end = &self.tunnels.initiators[site.index()];
        if end.concentrator.is_none_or(|unit| unit == to) {
            return;
        }
        self.tunnels.detach(site);
        self.update_reachability(site);
        self.request_tunnel(site, to, Reason::Establish);
    }

    /// What is drawn for a site's tunnel: detection, repeats, lifetimes and the first lifetime each have their own numbers.
    fn tunnel_key(&self, site: SiteId, what: u64) -> Key {
        self.key.of(Purpose::Tunnel, within(self.workload.site_names[site.index()], what))
    }

    fn schedule_rekey(&mut self, site: SiteId) {
        if let Some(every) = self.model.tunnels.rekey {
            let epoch = self.tunnels.initiators[site.index()].epoch;
            let key = self.tunnel_key(site, 2);
            let jitter = 1.0 - self.model.tunnels.jitter * key.stream(u64::from(epoch)).uniform();
            // Tunnels that stand at the start were set up at any time before it.
            let left = if self.now == Time(0) { self.tunnel_key(site, 3).stream(0).uniform() } else { 1.0 };
            let at = self.now + Duration::of_secs(every.secs() * jitter * left);
            self.events.push(at, Rank::Change, Event::Rekey(site, epoch));
        }
    }

    /// A tunnel's keys are renewed.
    pub(super) fn rekey(&mut self, site: SiteId, epoch: u32) {
        let end = &self.tunnels.initiators[site.index()];
        if end.epoch == epoch
            && end.attempt.is_none()
            && let Some(unit) = end.concentrator
        {
            self.request_tunnel(site, unit, Reason::Rekey);
        }
    }

    /// Where a site without a tunnel asks for one: by its pool's balancer among those that are up and have room.
    fn choose_responder(&self, site: SiteId) -> ConcentratorId {
        let (home, now) = (self.tunnels.initiators[site.index()].home, self.now);
        let pool = &self.model.pools[self.model.pool_of[site.index()].index()];
        let fit = |unit: ConcentratorId| {
            let hub = &self.tunnels.responders[unit.index()];
            hub.up() && hub.has_room() && self.model.concentrators[unit.index()].opens <= now
        };
        let someone_down = pool.concentrators.iter().any(|unit| !self.tunnels.responders[unit.index()].up());
        let open: Vec<ConcentratorId> = pool
            .concentrators
            .iter()
            .copied()
            .filter(|&unit| fit(unit) && (someone_down || !self.model.concentrators[unit.index()].standby))
            .collect();
        let load = |unit: ConcentratorId| self.patients_at(unit);
        let tunnels = |unit: ConcentratorId| self.tunnels.responders[unit.index()].tunnels;
        balancer::place_again(self.model, pool, site, (home, fit(home)), &open, (&load, &tunnels)).unwrap_or(home)
    }

    /// Patients of the sites whose tunnels end at a concentrator.
    fn patients_at(&self, unit: ConcentratorId) -> f64 {
        let here = self.tunnels.initiators.iter().zip(self.model.sites.iter()).filter(|(end, _)| end.concentrator == Some(unit));
        here.map(|(_, site)| f64::from(site.patients)).sum()
    }

    /// The next stall of a firewall that is well since then.
    fn schedule_stall(&mut self, firewall: u32, from: Time) {
        let (Fault { until, what: FaultKind::Flaps { between, .. }, .. }, _) = self.flapping(firewall) else { return };
        let at = from + Duration::of_secs(between.sample(&mut self.flap_stream(firewall, 0)));
        if at < *until {
            self.events.push(at, Rank::Change, Event::FirewallStalls(firewall));
        }
    }

    /// What makes a firewall flap, and of which of the sites it is.
    fn flapping(&self, firewall: u32) -> (&'m Fault, SiteId) {
        let Firewall { fault, place, .. } = self.tunnels.firewalls[firewall as usize];
        let fault = &self.model.faults[fault as usize];
        let FaultKind::Flaps { sites, .. } = &fault.what else { unreachable!("a firewall flaps by a fault of flaps") };
        (fault, sites[place as usize])
    }

    /// Random numbers of a firewall's present round: three draws each.
    fn flap_stream(&self, firewall: u32, draw: u64) -> Stream {
        let (fault, site) = self.flapping(firewall);
        let round = self.tunnels.firewalls[firewall as usize].round;
        let name = self.workload.site_names[site.index()];
        self.key.of(Purpose::Fault, fault.stream).of(Purpose::Fault, name).stream(3 * u64::from(round) + draw)
    }

    /// A firewall stalls; its reboot is noticed to be needed, asked for, and done.
    pub(super) fn firewall_stalls(&mut self, firewall: u32) {
        let (Fault { what: FaultKind::Flaps { stall, reboot, .. }, .. }, site) = self.flapping(firewall) else {
            return;
        };
        let down = stall.sample(&mut self.flap_stream(firewall, 1)) + reboot.sample(&mut self.flap_stream(firewall, 2));
        self.tunnels.initiators[site.index()].stalls += 1;
        self.update_reachability(site);
        // The device loses its tunnel with its memory.
        self.tunnels.detach(site);
        self.tunnels.initiators[site.index()].attempt = None;
        self.events.push(self.now + Duration::of_secs(down), Rank::Change, Event::FirewallRecovered(firewall));
    }

    /// A firewall is up again: it asks for its tunnel.
    pub(super) fn firewall_recovered(&mut self, firewall: u32) {
        let (_, site) = self.flapping(firewall);
        let end = &mut self.tunnels.initiators[site.index()];
        end.stalls -= 1;
        if end.stalls == 0 && end.attempt.is_none() && end.concentrator.is_none() {
            self.initiate(site);
        }
        self.tunnels.firewalls[firewall as usize].round += 1;
        self.schedule_stall(firewall, self.now);
    }

    /// Whether a class at a site can reach its servers.
    pub(super) fn reaches(&self, site: SiteId, class: ClassId) -> bool {
        self.tunnels.reaches_headend(site) && self.server_cuts[class.index()] == 0
    }

    /// Traffic of a site stands still: what is under way keeps what it has, and calls break off.
    fn stall_site(&mut self, site: SiteId) {
        let under_way = |state| matches!(state, Stage::Sharing | Stage::Approaching);
        let ids: Vec<TransactionId> =
            self.transactions.all().filter(|(_, flow)| flow.site == site && under_way(flow.stage)).map(|(id, _)| id).collect();
        for id in ids {
            self.stall(id);
        }
        self.drop_calls(|call| call.site == site);
    }

    /// Traffic of a site goes on, each transfer when its sender tries again.
    fn release_site(&mut self, site: SiteId) {
        let ids: Vec<TransactionId> = self
            .transactions
            .all()
            .filter(|(_, flow)| flow.site == site && flow.stage == Stage::Stalled)
            .map(|(id, _)| id)
            .collect();
        for id in ids {
            self.schedule_retry(id);
        }
        self.resume_steady_streams(site);
    }

    /// Some servers are gone, or back.
    fn stall_and_release(&mut self) {
        let all: Vec<(TransactionId, Stage, bool)> =
            self.transactions.all().map(|(id, flow)| (id, flow.stage, self.reaches(flow.site, flow.class))).collect();
        for (id, state, reaches) in all {
            match state {
                Stage::Sharing | Stage::Approaching if !reaches => self.stall(id),
                Stage::Stalled if reaches => self.schedule_retry(id),
                _ => {}
            }
        }
        let lost: Vec<bool> = self.server_cuts.iter().map(|&count| count > 0).collect();
        self.drop_calls(|call| lost[call.class.index()]);
        for site in (0..self.model.sites.len()).map(SiteId::of) {
            self.resume_steady_streams(site);
        }
    }

    /// When the sender of a stalled flow tries again.
    fn schedule_retry(&mut self, id: TransactionId) {
        let flow = self.transactions.get(id);
        let class = &self.model.classes[flow.class.index()];
        let calls = class.connects && flow.work_left.is_none();
        let rtt = self.model.sites[flow.site.index()].rtt.secs();
        let first = if calls { SYN_RTO_SECS } else { MIN_RTO_SECS + rtt };
        let (at, journey) = (next_retry(flow.stalled_at, self.now, first), flow.transfer_epoch);
        self.events.push(at, Rank::Arrival, Event::Resume(id, journey));
    }
}

fn responder_epoch<O: Observer>(engine: &Engine<'_, O>, unit: ConcentratorId) -> u32 {
    engine.tunnels.responders[unit.index()].epoch
}
