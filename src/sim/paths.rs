//! Paths: faults befall sites and concentrators, tunnels are lost and set up anew, and traffic follows.

use crate::random::{Key, Purpose, Stream, within};
use crate::scenario::fault::{Fault, Mishap};
use crate::scenario::model::{ClassId, FailBack, SiteId, UnitId};
use crate::sim::band::FlowId;
use crate::sim::calendar::Rank;
use crate::sim::flow::State;
use crate::sim::observer::{Fact, Observer};
use crate::sim::tunnel::{Firewall, Heard, Why, next_retry};
use crate::sim::{Engine, Event, balancer};
use crate::units::{BitRate, Span, Time};

/// The first repeat of a call for a connection (RFC 6298, section 2.1), and of data (Linux `TCP_RTO_MIN`) [s].
const CALLS_AGAIN: f64 = 1.0;
const SENDS_AGAIN: f64 = 0.2;

impl<'m, O: Observer> Engine<'m, O> {
    /// Schedules the faults, and the attempts of sites that have found no tunnel.
    pub(super) fn open_paths(&mut self) {
        for (fault, number) in self.model.faults.iter().zip(0_u32..) {
            match &fault.what {
                Mishap::Surge(..) => {}
                Mishap::Flaps { sites, .. } => {
                    for place in (0_u32..).take(sites.len()) {
                        let firewall = self.tunnels.add_firewall(number, place);
                        self.next_flap(firewall, fault.from);
                    }
                }
                _ => {
                    self.calendar.push(fault.from, Rank::Change, Event::Fault(number, true));
                    self.calendar.push(fault.until, Rank::Change, Event::Fault(number, false));
                }
            }
        }
        for site in (0..self.model.sites.len()).map(SiteId::of) {
            if self.tunnels.sites[site.index()].unit.is_none() {
                self.observer.on(self.now, &Fact::Path { site, up: false });
                self.seek(site);
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
            Mishap::Outage(unit) => self.outage(*unit, begins),
            Mishap::BrownOut(unit, left) => {
                let dimmed = &mut self.dimmed[unit.index()];
                if begins {
                    dimmed.push(left.0);
                } else if let Some(place) = dimmed.iter().position(|other| other.to_bits() == left.0.to_bits()) {
                    dimmed.swap_remove(place);
                }
                self.set_throughput(*unit);
            }
            Mishap::Cut(sites) => {
                for &site in sites.iter() {
                    let cuts = &mut self.tunnels.sites[site.index()].cuts;
                    *cuts = if begins { *cuts + 1 } else { *cuts - 1 };
                    self.path_may_have_changed(site);
                }
            }
            Mishap::ServersLost(classes) => {
                for &class in classes.iter() {
                    self.servers_lost[class.index()] += if begins { 1 } else { -1 };
                }
                self.stall_and_release();
            }
            Mishap::Flood(site, class, rate) => self.flood(*site, *class, *rate, begins, number),
            Mishap::Flaps { .. } | Mishap::Surge(..) => {}
        }
    }

    /// The rate of a concentrator after edits and brown-outs.
    pub(super) fn set_throughput(&mut self, unit: UnitId) {
        let left: f64 = self.dimmed[unit.index()].iter().product();
        let terms = &self.devices[unit.index()];
        let line = terms.uplink.into_iter().chain(terms.configured).map(BitRate::bits).fold(f64::INFINITY, f64::min);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of a rate
        let rate = BitRate((terms.throughput.bits() * left).min(line).round().max(1.0) as u64);
        self.units[unit.index()].advance(self.now);
        self.units[unit.index()].resize(rate);
        if let Some(packets) = &mut self.packets {
            packets.resize(self.now, unit, rate);
        }
    }

    fn flood(&mut self, site: SiteId, class: ClassId, rate: BitRate, begins: bool, number: u32) {
        let unit = self.unit_of[site.index()];
        self.units[unit.index()].advance(self.now);
        if let Some(packets) = &mut self.packets {
            let gaps = self.key.of(Purpose::Fault, self.model.faults[number as usize].stream).stream(0);
            packets.flood(self.now, (site, class, unit), rate, begins, (number, gaps));
        } else {
            self.units[unit.index()].flood(site, class, rate, begins);
        }
    }

    fn outage(&mut self, unit: UnitId, begins: bool) {
        let hub = &mut self.tunnels.hubs[unit.index()];
        if begins {
            hub.outages += 1;
            if hub.outages > 1 {
                return;
            }
            hub.go_down();
            for site in (0..self.model.sites.len()).map(SiteId::of) {
                if self.tunnels.sites[site.index()].unit == Some(unit) {
                    self.tunnels.sites[site.index()].dead = true;
                    self.path_may_have_changed(site);
                }
            }
            return;
        }
        hub.outages -= 1;
        if hub.outages == 0
            && let FailBack::After(wait) = self.fail_back(unit)
        {
            let epoch = hub_epoch(self, unit);
            self.calendar.push(self.now + wait, Rank::Change, Event::FailBack(unit, epoch));
        }
    }

    fn fail_back(&self, unit: UnitId) -> FailBack {
        let pool = self.model.pools.iter().find(|pool| pool.units.contains(&unit));
        pool.map_or(FailBack::ByHand, |pool| pool.fail_back)
    }

    /// Tunnels come back to the concentrator where they belong; each keeps its old one until then.
    pub(super) fn come_back(&mut self, unit: UnitId, epoch: u32) {
        if !self.tunnels.hubs[unit.index()].up() || hub_epoch(self, unit) != epoch {
            return;
        }
        for site in (0..self.model.sites.len()).map(SiteId::of) {
            let end = &self.tunnels.sites[site.index()];
            if end.home == unit && end.attempt.is_none() && end.unit.is_some_and(|at| at != unit) && !end.dead {
                self.attempt(site, unit, Why::Move);
            }
        }
    }

    /// Stalls traffic of a site that is cut off, or lets it go on; a tunnel that died is noticed in due time.
    fn path_may_have_changed(&mut self, site: SiteId) {
        let works = self.tunnels.works(site);
        if !self.tunnels.note(site, works) {
            return;
        }
        self.observer.on(self.now, &Fact::Path { site, up: works });
        if works {
            self.release_site(site);
            return;
        }
        let end = &mut self.tunnels.sites[site.index()];
        end.breaks += 1;
        let breaks = end.breaks;
        if end.unit.is_some() && end.stalls == 0 {
            let named = self.tunnel_draws(site, 0);
            let after = self.model.tunnels.detection.sample(&mut named.stream(u64::from(breaks)));
            self.calendar.push(self.now + Span::of_secs(after), Rank::Change, Event::Notice(site, breaks));
        }
        self.stall_site(site);
    }

    /// Dead-peer detection: the site gives its tunnel up and asks for another.
    pub(super) fn notice(&mut self, site: SiteId, breaks: u32) {
        let end = &self.tunnels.sites[site.index()];
        if end.breaks != breaks || self.tunnels.up(site) || end.stalls > 0 || end.unit.is_none() {
            return;
        }
        self.tunnels.drop_tunnel(site);
        self.seek(site);
    }

    /// A site without a tunnel asks for one.
    fn seek(&mut self, site: SiteId) {
        let to = self.choose_hub(site);
        self.attempt(site, to, Why::SetUp);
    }

    fn attempt(&mut self, site: SiteId, to: UnitId, why: Why) {
        let number = self.tunnels.begin(site, to, why);
        self.send_request(site, number);
    }

    /// A request for a tunnel is sent, for the first time or again.
    pub(super) fn send_request(&mut self, site: SiteId, number: u32) {
        let fallback = self.choose_hub(site);
        let terms = &self.model.tunnels;
        let end = &self.tunnels.sites[site.index()];
        let (reaches, stalled) = (end.cuts == 0, end.stalls > 0);
        let Some(attempt) = self.tunnels.attempt(site, number) else { return };
        let (sent, why, mut to, mut number) = (attempt.sent, attempt.why, attempt.to, number);
        attempt.sent += 1;
        if stalled {
            self.tunnels.sites[site.index()].attempt = None;
            return;
        }
        if sent > terms.tries {
            self.give_up_attempt(site, why);
            return;
        }
        let wait = terms.wait(sent);
        if why == Why::SetUp && to != fallback && !self.tunnels.hubs[to.index()].up() {
            // Sites learn which concentrators are up, and ask one of them.
            (to, number) = (fallback, self.tunnels.retarget(site, fallback));
        }
        if reaches && self.tunnels.hear(to, site, number) == Heard::First {
            self.work_on_handshake(to);
        }
        let key = self.tunnel_draws(site, 1);
        let jitter = 1.0 - self.model.tunnels.jitter * key.stream(u64::from(number) << 8 | u64::from(sent)).uniform();
        self.calendar.push(self.now + Span::of_secs(wait * jitter), Rank::Change, Event::Request(site, number));
    }

    /// Nobody answered, however often it was sent.
    fn give_up_attempt(&mut self, site: SiteId, why: Why) {
        self.tunnels.sites[site.index()].attempt = None;
        match why {
            Why::SetUp => self.seek(site),
            Why::Move => {}
            Why::Rekey => {
                self.tunnels.drop_tunnel(site);
                self.path_may_have_changed(site);
                self.seek(site);
            }
        }
    }

    fn work_on_handshake(&mut self, unit: UnitId) {
        let hub = &self.tunnels.hubs[unit.index()];
        let (each, epoch) = (hub.each(), hub.epoch);
        self.calendar.push(self.now + Span::of_secs(each), Rank::Change, Event::Handshake(unit, epoch));
    }

    /// A concentrator has completed a handshake: two round trips in all, and the tunnel stands (RFC 7296, section 1.2).
    pub(super) fn handshake(&mut self, unit: UnitId, epoch: u32) {
        if hub_epoch(self, unit) != epoch {
            return;
        }
        let Some(((site, number), more)) = self.tunnels.hubs[unit.index()].complete() else { return };
        if more {
            self.work_on_handshake(unit);
        }
        let rtt = self.model.sites[site.index()].rtt;
        self.calendar.push(self.now + Span(2 * rtt.0), Rank::Change, Event::Stands(site, number));
    }

    /// A tunnel stands, if the site still waits for it and the concentrator has room.
    pub(super) fn stands(&mut self, site: SiteId, number: u32) {
        let Some(&mut attempt) = self.tunnels.attempt(site, number) else { return };
        let hub = &self.tunnels.hubs[attempt.to.index()];
        let renews = self.tunnels.sites[site.index()].unit == Some(attempt.to);
        // What cannot be taken up is asked for again in due time.
        if !hub.up() || !(hub.has_room() || renews) || self.tunnels.sites[site.index()].cuts > 0 {
            return;
        }
        self.tunnels.keep_tunnel(site, attempt.to);
        self.unit_of[site.index()] = attempt.to;
        if attempt.why != Why::Rekey {
            self.observer.on(self.now, &Fact::Placed { site, unit: attempt.to });
        }
        self.schedule_rekey(site);
        self.path_may_have_changed(site);
    }

    /// A site's tunnel belongs elsewhere from now on; one that stands has been prepared beforehand.
    pub(super) fn migrate(&mut self, site: SiteId, to: UnitId) {
        self.tunnels.sites[site.index()].home = to;
        if self.tunnels.works(site) && self.tunnels.hubs[to.index()].up() && self.tunnels.hubs[to.index()].has_room() {
            self.tunnels.keep_tunnel(site, to);
            self.unit_of[site.index()] = to;
            self.observer.on(self.now, &Fact::Placed { site, unit: to });
            self.schedule_rekey(site);
        }
    }

    /// A site takes its tunnel down, and asks for one elsewhere.
    pub(super) fn cut_over(&mut self, site: SiteId, to: UnitId) {
        self.tunnels.sites[site.index()].home = to;
        let end = &self.tunnels.sites[site.index()];
        if end.unit.is_none_or(|unit| unit == to) {
            return;
        }
        self.tunnels.drop_tunnel(site);
        self.path_may_have_changed(site);
        self.attempt(site, to, Why::SetUp);
    }

    /// What is drawn for a site's tunnel: detection, repeats, lifetimes and the first lifetime each have their own numbers.
    fn tunnel_draws(&self, site: SiteId, what: u64) -> Key {
        self.key.of(Purpose::Tunnel, within(self.sources.site_names[site.index()], what))
    }

    fn schedule_rekey(&mut self, site: SiteId) {
        if let Some(every) = self.model.tunnels.rekey {
            let epoch = self.tunnels.sites[site.index()].epoch;
            let key = self.tunnel_draws(site, 2);
            let jitter = 1.0 - self.model.tunnels.jitter * key.stream(u64::from(epoch)).uniform();
            // Tunnels that stand at the start were set up at any time before it.
            let left = if self.now == Time(0) { self.tunnel_draws(site, 3).stream(0).uniform() } else { 1.0 };
            let at = self.now + Span::of_secs(every.secs() * jitter * left);
            self.calendar.push(at, Rank::Change, Event::Rekey(site, epoch));
        }
    }

    /// A tunnel's keys are renewed.
    pub(super) fn rekey(&mut self, site: SiteId, epoch: u32) {
        let end = &self.tunnels.sites[site.index()];
        if end.epoch == epoch
            && end.attempt.is_none()
            && let Some(unit) = end.unit
        {
            self.attempt(site, unit, Why::Rekey);
        }
    }

    /// Where a site without a tunnel asks for one: by its pool's balancer among those that are up and have room.
    fn choose_hub(&self, site: SiteId) -> UnitId {
        let (home, now) = (self.tunnels.sites[site.index()].home, self.now);
        let pool = &self.model.pools[self.model.pool_of[site.index()].index()];
        let fit = |unit: UnitId| {
            let hub = &self.tunnels.hubs[unit.index()];
            hub.up() && hub.has_room() && self.model.units[unit.index()].opens <= now
        };
        let someone_down = pool.units.iter().any(|unit| !self.tunnels.hubs[unit.index()].up());
        let open: Vec<UnitId> = pool
            .units
            .iter()
            .copied()
            .filter(|&unit| fit(unit) && (someone_down || !self.model.units[unit.index()].standby))
            .collect();
        let load = |unit: UnitId| self.patients_at(unit);
        let tunnels = |unit: UnitId| self.tunnels.hubs[unit.index()].tunnels;
        balancer::again(self.model, pool, site, (home, fit(home)), &open, (&load, &tunnels)).unwrap_or(home)
    }

    /// Patients of the sites whose tunnels end at a concentrator.
    fn patients_at(&self, unit: UnitId) -> f64 {
        let here = self.tunnels.sites.iter().zip(self.model.sites.iter()).filter(|(end, _)| end.unit == Some(unit));
        here.map(|(_, site)| f64::from(site.patients)).sum()
    }

    /// The next stall of a firewall that is well since then.
    fn next_flap(&mut self, firewall: u32, from: Time) {
        let (Fault { until, what: Mishap::Flaps { between, .. }, .. }, _) = self.flapping(firewall) else { return };
        let at = from + Span::of_secs(between.sample(&mut self.flap_stream(firewall, 0)));
        if at < *until {
            self.calendar.push(at, Rank::Change, Event::Flap(firewall));
        }
    }

    /// What makes a firewall flap, and of which of the sites it is.
    fn flapping(&self, firewall: u32) -> (&'m Fault, SiteId) {
        let Firewall { fault, place, .. } = self.tunnels.firewalls[firewall as usize];
        let fault = &self.model.faults[fault as usize];
        let Mishap::Flaps { sites, .. } = &fault.what else { unreachable!("a firewall flaps by a fault of flaps") };
        (fault, sites[place as usize])
    }

    /// Random numbers of a firewall's present round: three draws each.
    fn flap_stream(&self, firewall: u32, draw: u64) -> Stream {
        let (fault, site) = self.flapping(firewall);
        let round = self.tunnels.firewalls[firewall as usize].round;
        let name = self.sources.site_names[site.index()];
        self.key.of(Purpose::Fault, fault.stream).of(Purpose::Fault, name).stream(3 * u64::from(round) + draw)
    }

    /// A firewall stalls; its reboot is noticed to be needed, asked for, and done.
    pub(super) fn flap(&mut self, firewall: u32) {
        let (Fault { what: Mishap::Flaps { stall, reboot, .. }, .. }, site) = self.flapping(firewall) else { return };
        let down = stall.sample(&mut self.flap_stream(firewall, 1)) + reboot.sample(&mut self.flap_stream(firewall, 2));
        self.tunnels.sites[site.index()].stalls += 1;
        self.path_may_have_changed(site);
        // The device loses its tunnel with its memory.
        self.tunnels.drop_tunnel(site);
        self.tunnels.sites[site.index()].attempt = None;
        self.calendar.push(self.now + Span::of_secs(down), Rank::Change, Event::Mended(firewall));
    }

    /// A firewall is up again: it asks for its tunnel.
    pub(super) fn mended(&mut self, firewall: u32) {
        let (_, site) = self.flapping(firewall);
        let end = &mut self.tunnels.sites[site.index()];
        end.stalls -= 1;
        if end.stalls == 0 && end.attempt.is_none() && end.unit.is_none() {
            self.seek(site);
        }
        self.tunnels.firewalls[firewall as usize].round += 1;
        self.next_flap(firewall, self.now);
    }

    /// Whether a class at a site can reach its servers.
    pub(super) fn reaches(&self, site: SiteId, class: ClassId) -> bool {
        self.tunnels.up(site) && self.servers_lost[class.index()] == 0
    }

    /// Traffic of a site stands still: what is under way keeps what it has, and calls break off.
    fn stall_site(&mut self, site: SiteId) {
        let under_way = |state| matches!(state, State::Sharing | State::Approaching);
        let ids: Vec<FlowId> =
            self.flows.all().filter(|(_, flow)| flow.site == site && under_way(flow.state)).map(|(id, _)| id).collect();
        for id in ids {
            self.stall(id);
        }
        self.drop_calls(|call| call.site == site);
    }

    /// Traffic of a site goes on, each transfer when its sender tries again.
    fn release_site(&mut self, site: SiteId) {
        let ids: Vec<FlowId> = self
            .flows
            .all()
            .filter(|(_, flow)| flow.site == site && flow.state == State::Stalled)
            .map(|(id, _)| id)
            .collect();
        for id in ids {
            self.try_again(id);
        }
        self.resume_steady_streams(site);
    }

    /// Some servers are gone, or back.
    fn stall_and_release(&mut self) {
        let all: Vec<(FlowId, State, bool)> =
            self.flows.all().map(|(id, flow)| (id, flow.state, self.reaches(flow.site, flow.class))).collect();
        for (id, state, reaches) in all {
            match state {
                State::Sharing | State::Approaching if !reaches => self.stall(id),
                State::Stalled if reaches => self.try_again(id),
                _ => {}
            }
        }
        let lost: Vec<bool> = self.servers_lost.iter().map(|&count| count > 0).collect();
        self.drop_calls(|call| lost[call.class.index()]);
        for site in (0..self.model.sites.len()).map(SiteId::of) {
            self.resume_steady_streams(site);
        }
    }

    /// When the sender of a stalled flow tries again.
    fn try_again(&mut self, id: FlowId) {
        let flow = self.flows.get(id);
        let class = &self.model.classes[flow.class.index()];
        let calls = class.connects && flow.resumes.is_none();
        let rtt = self.model.sites[flow.site.index()].rtt.secs();
        let first = if calls { CALLS_AGAIN } else { SENDS_AGAIN + rtt };
        let (at, journey) = (next_retry(flow.stalled, self.now, first), flow.journey);
        self.calendar.push(at, Rank::Arrival, Event::Resume(id, journey));
    }
}

fn hub_epoch<O: Observer>(engine: &Engine<'_, O>, unit: UnitId) -> u32 {
    engine.tunnels.hubs[unit.index()].epoch
}
