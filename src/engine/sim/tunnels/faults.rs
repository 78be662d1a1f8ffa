//! Faults: outages, brown-outs, cuts, lost servers, floods, firewalls that flap.

use crate::model::{ConcentratorId, FailBack, SiteId};
use crate::model::{Fault, FaultKind};
use crate::random::{Purpose, Stream};
use crate::sim::engine::{DeviceState, Engine, FloodState};
use crate::sim::event::Event;
use crate::sim::event_list::Rank;
use crate::sim::observer::Observer;
use crate::sim::route::Route;
use crate::sim::transaction::slab::{Stage, Transaction};
use crate::sim::tunnels::failover::responder_epoch;
use crate::sim::tunnels::ike::Firewall;
use crate::sim::turn::TransactionId;
use crate::units::{BitRate, Duration, Time};

impl<'m, O: Observer> Engine<'m, O> {
    /// A fault begins or ends.
    pub(crate) fn fault(&mut self, number: u32, begins: bool) {
        let model = self.model;
        let Fault { what, .. } = &model.faults[number as usize];
        match what {
            FaultKind::Outage(concentrator) => self.outage(*concentrator, begins),
            FaultKind::BrownOut(concentrator, left) => {
                let brown_outs = &mut self.devices[concentrator.index()].brown_outs;
                if begins {
                    brown_outs.push(left.0);
                } else if let Some(place) = brown_outs.iter().position(|other| other.to_bits() == left.0.to_bits()) {
                    brown_outs.swap_remove(place);
                }
                self.set_throughput(*concentrator);
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
            FaultKind::Flood(site, ..) => {
                self.floods[number as usize].begun = begins;
                self.route_floods(*site);
            }
            FaultKind::Flaps { .. } | FaultKind::Surge(..) => {}
        }
    }

    /// Sets the rate that changes and brown-outs leave to a concentrator.
    pub(crate) fn set_throughput(&mut self, concentrator: ConcentratorId) {
        let DeviceState { terms, brown_outs, .. } = &self.devices[concentrator.index()];
        let left: f64 = brown_outs.iter().product();
        let line = terms.uplink.into_iter().chain(terms.configured).map(BitRate::bits).fold(f64::INFINITY, f64::min);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of a rate
        let rate = BitRate((terms.throughput.bits() * left).min(line).round().max(1.0) as u64);
        self.network.set_rate(self.now, concentrator, rate);
    }

    /// Floods of a site go where its tunnel ends, and nowhere while it is cut off.
    pub(crate) fn route_floods(&mut self, site: SiteId) {
        let model = self.model;
        for (number, fault) in model.faults.iter().enumerate() {
            let FaultKind::Flood(of, class, rate) = fault.what else { continue };
            if of != site {
                continue;
            }
            let open = self.floods[number].begun && !self.tunnels.is_cut_off(site);
            let route = open.then(|| Route { site, class, concentrator: self.concentrator_of[site.index()] });
            let FloodState { ways, .. } = self.floods[number];
            let old = std::mem::replace(&mut self.floods[number].route, route);
            if old == route {
                continue;
            }
            // Each way has a number and random gaps of its own: what is still to come of the last one is nobody's.
            #[allow(clippy::cast_possible_truncation)] // faults of a scenario
            let way = |ways: u32| (number as u32 | ways << 16, self.key.of(Purpose::Fault, fault.stream));
            if let Some(old) = old {
                let (name, key) = way(ways - 1);
                self.network.flood(self.now, old, rate, false, (name, key.stream(u64::from(ways - 1))));
            }
            if let Some(new) = route {
                let (name, key) = way(ways);
                self.network.flood(self.now, new, rate, true, (name, key.stream(u64::from(ways))));
                self.floods[number].ways += 1;
            }
        }
    }

    fn outage(&mut self, concentrator: ConcentratorId, begins: bool) {
        let responder = &mut self.tunnels.responders[concentrator.index()];
        if begins {
            responder.outages += 1;
            if responder.outages > 1 {
                return;
            }
            responder.fail();
            for site in (0..self.model.sites.len()).map(SiteId::of) {
                if self.tunnels.initiators[site.index()].concentrator == Some(concentrator) {
                    self.tunnels.initiators[site.index()].peer_lost = true;
                    self.update_reachability(site);
                }
            }
            self.leave(concentrator);
            return;
        }
        responder.outages -= 1;
        responder.up_since = self.now;
        if responder.outages == 0
            && let FailBack::After(wait) = self.fail_back_of(concentrator)
        {
            let epoch = responder_epoch(self, concentrator);
            self.events.push(self.now + wait, Rank::Change, Event::FailBack(concentrator, epoch));
        }
    }

    /// What still goes through a concentrator that is down, of sites whose tunnels end elsewhere, takes their way.
    fn leave(&mut self, concentrator: ConcentratorId) {
        let here = |transaction: &Transaction| {
            transaction.concentrator == concentrator && transaction.stage == Stage::InNetwork
        };
        for id in self.transactions.select(here) {
            self.stall(id);
            self.schedule_retry(id);
        }
        let mut sites: Vec<SiteId> = Vec::new();
        for slot in self.calls.all() {
            let call = self.calls.get(slot);
            if call.in_progress && call.route.concentrator == concentrator {
                sites.push(call.route.site);
            }
        }
        self.drop_calls(|call| call.route.concentrator == concentrator);
        sites.dedup();
        for site in sites {
            self.resume_steady_streams(site);
        }
    }

    /// Schedules the next stall of a firewall that works since `from`.
    pub(crate) fn schedule_stall(&mut self, firewall: u32, from: Time) {
        let (Fault { until, what: FaultKind::Flaps { between, .. }, .. }, _) = self.flapping(firewall) else { return };
        let at = from + Duration::of_secs(between.sample(&mut self.flap_stream(firewall, 0)));
        if at < *until {
            self.events.push(at, Rank::Change, Event::FirewallStalls(firewall));
        }
    }

    /// The fault that makes a firewall flap, and its site.
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

    /// A firewall stalls until it has been rebooted.
    pub(crate) fn firewall_stalls(&mut self, firewall: u32) {
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

    /// A firewall is up again, and requests its tunnel.
    pub(crate) fn firewall_recovered(&mut self, firewall: u32) {
        let (_, site) = self.flapping(firewall);
        let end = &mut self.tunnels.initiators[site.index()];
        end.stalls -= 1;
        if end.stalls == 0 && end.is_dormant {
            self.update_reachability(site);
        } else if end.stalls == 0 && end.attempt.is_none() && end.concentrator.is_none() {
            self.initiate(site);
        }
        self.tunnels.firewalls[firewall as usize].round += 1;
        self.schedule_stall(firewall, self.now);
    }

    /// Servers have become unreachable, or reachable again.
    fn stall_and_release(&mut self) {
        let state = |transaction: &Transaction| (transaction.stage, self.reaches(transaction.site, transaction.class));
        let all: Vec<(TransactionId, (Stage, bool))> =
            self.transactions.all().map(|(id, transaction)| (id, state(transaction))).collect();
        for (id, state) in all {
            match state {
                (Stage::InNetwork, false) => self.stall(id),
                (Stage::Stalled, true) => self.schedule_retry(id),
                _ => {}
            }
        }
        let lost: Vec<bool> = self.server_cuts.iter().map(|&count| count > 0).collect();
        self.drop_calls(|call| lost[call.route.class.index()]);
        for site in (0..self.model.sites.len()).map(SiteId::of) {
            self.resume_steady_streams(site);
        }
    }
}
