//! Transfers: how each gets through the network.
//!
//! At packet fidelity every transfer has a connection of its own. At sampled fidelity one that meets nobody is worked out
//! ([`super::calm`]), and where many contend like ones share a connection ([`super::contention`]).

use crate::model::ConcentratorId;
use crate::sim::event_list::Rank;
use crate::sim::observer::Parts;
use crate::sim::packet::cohort::{CohortKind, CohortMember};
use crate::sim::packet::network::{PacketEvent, PacketNetwork};
use crate::sim::packet::way::{ConnectionId, PacketTransfer, Way};
use crate::sim::packet::wire::FlowKey;
use crate::sim::pricing::PricedTurn;
use crate::sim::route::Route;
use crate::sim::transaction::latency::LatencyParts;
use crate::sim::transfer::{Delivery, Start, Stopped};
use crate::sim::turn::{TransactionId, Turn, segment_size};
use crate::units::Time;

impl PacketNetwork {
    /// A transfer starts.
    pub fn start(&mut self, now: Time, start: &Start<'_>) {
        self.now = now;
        let mut latency = start.latency;
        latency.begin_leg(now, start.unloaded);
        let share = start.left.map_or(1.0, |left| left / start.work);
        let unloaded = start.unloaded.sum() * share;
        let work = start.work * share;
        let segment = segment_size(self.tcp);
        let turns = start.turns.iter().map(|priced| priced.turn.share(share, segment));
        let segments = turns.clone().fold(0, |all: u32, turn| all.saturating_add(turn.response_segments.max(1)));
        let place = start.id as usize;
        if self.transfers.len() <= place {
            self.transfers.resize(place + 1, PacketTransfer::none(start.route, latency));
        }
        self.transfers[place] = PacketTransfer {
            epoch: start.epoch,
            route: start.route,
            way: Way::Over,
            work,
            segments,
            started: now,
            unloaded,
            rate: rate_of(work, unloaded),
            peak: rate_of(work, start.unloaded.transfer * share),
            constant: 0,
            takes: unloaded,
            part: 0,
            latency,
        };
        if self.tcp.is_none() {
            let Route { site, class, concentrator } = start.route;
            let flow = FlowKey { owner: start.id, epoch: start.epoch, site, class, concentrator, weight: 1 };
            self.send_message(flow, turns);
        } else if !self.samples {
            self.join_network(start.id);
            self.enter_packets(start.id);
            self.start_alone(start.id, turns);
        } else if fetches(start) && self.works_out(start.id) {
            self.join_network(start.id);
            self.start_calm(start.id, start.unloaded.scaled(share), start.turns.len());
        } else {
            self.disturb(start.id);
            self.join_network(start.id);
            self.start_contending(start.id, turns);
        }
    }

    /// It counts as under way.
    fn join_network(&mut self, id: TransactionId) {
        let PacketTransfer { route, rate, peak, .. } = self.transfers[id as usize];
        self.offered_load[route.concentrator.index()].add(route.site, rate, peak);
    }

    /// It goes through in packets.
    pub(super) fn enter_packets(&mut self, id: TransactionId) {
        let transfer = &self.transfers[id as usize];
        let PacketTransfer { route, epoch, .. } = *transfer;
        self.in_packets[route.site.index()] += 1;
        self.offered_load[route.concentrator.index()].add_contending();
        if self.samples && transfer.is_long() {
            self.long_in_packets[route.concentrator.index()].push((id, epoch));
        }
    }

    /// It no longer counts as under way.
    pub(super) fn leave_network(&mut self, id: TransactionId) {
        let transfer = &mut self.transfers[id as usize];
        let way = std::mem::replace(&mut transfer.way, Way::Over);
        let load = &mut self.offered_load[transfer.route.concentrator.index()];
        load.remove(transfer.route.site, transfer.rate);
        if matches!(way, Way::Packets(_) | Way::Followed) {
            load.remove_contending();
            self.in_packets[transfer.route.site.index()] -= 1;
            self.fewer = Some(transfer.route.concentrator);
        }
    }

    /// It starts in packets of a connection of its own.
    pub(super) fn start_alone(&mut self, id: TransactionId, turns: impl Iterator<Item = Turn>) -> ConnectionId {
        let route = self.transfers[id as usize].route;
        let (connects, server) = self.classes[route.class.index()];
        let stands = (!connects).then(|| self.rtts[route.site.index()]);
        let connection = self.connection_of_its_own(id);
        self.open_connection(connection, turns, server, stands);
        connection
    }

    /// A closed connection that is a transfer's.
    pub(super) fn connection_of_its_own(&mut self, id: TransactionId) -> ConnectionId {
        let PacketTransfer { route, epoch, .. } = self.transfers[id as usize];
        let connection = self.new_connection(route);
        let member = CohortMember { id, epoch, until: u32::MAX };
        self.cohorts[connection as usize].begin(member, CohortKind::Alone);
        self.transfers[id as usize].way = Way::Packets(connection);
        connection
    }

    /// It is over.
    pub(super) fn deliver(&mut self, id: TransactionId, epoch: u32) {
        self.leave_network(id);
        self.deliveries.push(Delivery::Transfer { id, epoch, after: Parts::default() });
    }

    /// It will be over then.
    pub(super) fn deliver_at(&mut self, at: Time, id: TransactionId, epoch: u32) {
        self.events.push(at.max(self.now), Rank::Arrival, PacketEvent::Over(id, epoch));
    }

    /// What was worked out is over, unless it has been stopped or goes on in packets.
    pub(super) fn on_over(&mut self, id: TransactionId, epoch: u32) {
        let transfer = &self.transfers[id as usize];
        if transfer.epoch != epoch {
            return;
        }
        match transfer.way {
            Way::WorkedOut => {
                self.end_calm(id);
            }
            Way::Followed => {}
            Way::Over | Way::Packets(_) => return,
        }
        self.deliver(id, epoch);
    }

    /// Where the time of a transfer has gone.
    #[must_use]
    pub fn latency(&self, id: TransactionId) -> LatencyParts {
        self.transfers[id as usize].latency
    }

    /// A transfer is stopped; what is on its way in it is void.
    pub fn stop(&mut self, now: Time, id: TransactionId) -> Stopped {
        self.now = now;
        let PacketTransfer { work, latency, way, .. } = self.transfers[id as usize];
        let share = match way {
            Way::Over => 1.0,
            Way::Packets(connection) => self.leave_cohort(connection, id),
            Way::WorkedOut => self.end_calm(id),
            Way::Followed => self.transfers[id as usize].share_left(now),
        };
        if way != Way::Over {
            self.leave_network(id);
        }
        Stopped { left: Some(work * share), rounds_left: None, latency }
    }

    /// Transfers under way per bit of throughput, for balancers that look.
    #[must_use]
    pub fn crowding(&self, at: ConcentratorId) -> f64 {
        f64::from(self.offered_load[at.index()].transfers()) / self.concentrators[at.index()].throughput()
    }
}

/// Whether it fetches more than it sends.
fn fetches(start: &Start<'_>) -> bool {
    let sizes = |all: (u64, u64), priced: &PricedTurn| (all.0 + priced.turn.request.0, all.1 + priced.turn.response.0);
    let (requests, responses) = start.turns.iter().fold((0, 0), sizes);
    requests <= responses
}

/// Bits per second, whole.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
fn rate_of(work: f64, secs: f64) -> u64 {
    (work / secs.max(1e-9)).round() as u64
}
