//! Transfers where others contend: alone in packets, as one of a cohort, or as the first of a cohort did.

use crate::model::{ClassId, ConcentratorId};
use crate::sim::packet::cohort::{Cohort, CohortKind, CohortMember, Cohorts, FirstOfBand};
use crate::sim::packet::network::PacketNetwork;
use crate::sim::packet::way::{ConnectionId, PacketTransfer, Way};
use crate::sim::packet::wire::FlowKey;
use crate::sim::route::Route;
use crate::sim::turn::{TransactionId, Turn};
use crate::units::{Bytes, Duration};

/// Connections that contend at a concentrator before transfers share any.
const CONNECTIONS: u32 = 128;
/// A transfer with more segments is long.
const LONG: u32 = 8192;
/// An access link is wide if it carries so many times what its transfers get of a full concentrator.
const WIDE: f64 = 2.0;

impl PacketNetwork {
    /// How many transfers of a route share a connection.
    fn share_of_connection(&self, route: Route) -> u16 {
        let Route { site, class, concentrator } = route;
        let device = &self.concentrators[concentrator.index()];
        let contending = self.offered_load[concentrator.index()].contending();
        let most = contending / CONNECTIONS;
        if most < 2 || device.shapes(class) || device.serves_lines_in_turn() {
            return 1;
        }
        let gets = device.throughput() * f64::from(self.in_packets[site.index()]) / f64::from(contending);
        if self.access_links[site.index()].down.rate() < WIDE * gets {
            return 1;
        }
        u16::try_from(most).unwrap_or(u16::MAX)
    }

    /// A transfer starts where others contend.
    pub(super) fn start_contending(&mut self, id: TransactionId, turns: impl Iterator<Item = Turn> + Clone) {
        let PacketTransfer { route, segments, .. } = self.transfers[id as usize];
        self.enter_packets(id);
        let share = self.share_of_connection(route);
        if share == 1 {
            self.start_alone(id, turns);
        } else if segments <= LONG {
            self.start_aligned(id, share, turns);
        } else if !self.ride(id, share) {
            let connection = self.start_alone(id, std::iter::once(sum(turns)));
            self.let_ride(connection, id);
        }
    }

    /// A transfer that was worked out goes on where others contend: so many of its segments are left, and its window has so many.
    pub(super) fn go_on_contending(&mut self, id: TransactionId, left: u32, window: u32) {
        let transfer = &mut self.transfers[id as usize];
        let share = f64::from(left) / f64::from(transfer.segments);
        transfer.work *= share;
        transfer.unloaded *= share;
        transfer.segments = left;
        let route = transfer.route;
        self.enter_packets(id);
        let share = self.share_of_connection(route);
        let long = share > 1 && left > LONG;
        if long && self.ride(id, share) {
            return;
        }
        let connection = self.go_on_alone(id, left, window);
        if long {
            self.let_ride(connection, id);
        }
    }

    /// A transfer goes on in a connection of its own, whose window is so large.
    fn go_on_alone(&mut self, id: TransactionId, left: u32, window: u32) -> ConnectionId {
        let route = self.transfers[id as usize].route;
        let connection = self.connection_of_its_own(id);
        let trip = self.rtts[route.site.index()];
        if let Some(tcp) = self.tcp {
            let response = Bytes(u64::from(left) * tcp.segment.0);
            let turn = Turn { request: Bytes(0), response, request_segments: 0, response_segments: left };
            self.connections[connection as usize].go_on(&tcp, turn, (trip, window));
        }
        self.send_response(connection);
        connection
    }

    /// A transfer follows the first of its band, or is the first of the next ones.
    fn start_aligned(&mut self, id: TransactionId, share: u16, turns: impl Iterator<Item = Turn>) {
        let PacketTransfer { route, segments, epoch, started, unloaded, .. } = self.transfers[id as usize];
        let number = Cohorts::band_of(route.class, segments);
        let at = route.concentrator.index();
        match self.cohorts_at[at].band(number).start(started, segments) {
            Some(FirstOfBand::UnderWay(connection)) => {
                self.cohorts[connection as usize].members.push(CohortMember { id, epoch, until: u32::MAX });
                self.transfers[id as usize].way = Way::Packets(connection);
            }
            Some(FirstOfBand::Over(longer)) => self.follow(id, longer),
            None => {
                let connection = self.start_alone(id, turns);
                let weight = self.cohorts_at[at].band(number).lead(connection, share);
                self.cohorts[connection as usize].kind = CohortKind::Aligned { band: number, started, unloaded };
                self.connections[connection as usize].flow.weight = weight;
            }
        }
    }

    /// A transfer takes so much longer than alone [s].
    fn follow(&mut self, id: TransactionId, longer: f64) {
        let transfer = &mut self.transfers[id as usize];
        transfer.way = Way::Followed;
        transfer.takes = transfer.unloaded + longer;
        let (ends, epoch) = (transfer.started + Duration::of_secs(transfer.takes), transfer.epoch);
        self.deliver_at(ends, id, epoch);
    }

    /// A long transfer joins others of its class; false where each connection has its `share`.
    fn ride(&mut self, id: TransactionId, share: u16) -> bool {
        let PacketTransfer { route, epoch, segments, .. } = self.transfers[id as usize];
        let riding = self.cohorts_at[route.concentrator.index()].riding(route.class);
        let members = |&connection: &ConnectionId| self.cohorts[connection as usize].members.len();
        let Some(connection) = riding.iter().copied().min_by_key(members) else { return false };
        if members(&connection) >= usize::from(share) {
            return false;
        }
        let half = &mut self.connections[connection as usize].down;
        let until = half.receiver.rcv_nxt() + segments;
        half.sender.enqueue(until.saturating_sub(half.sender.total()));
        self.cohorts[connection as usize].members.push(CohortMember { id, epoch, until });
        self.transfers[id as usize].way = Way::Packets(connection);
        self.count_riders(connection);
        true
    }

    /// Others may ride on the connection of a transfer.
    fn let_ride(&mut self, connection: ConnectionId, id: TransactionId) {
        let PacketTransfer { route, epoch, segments, .. } = self.transfers[id as usize];
        self.cohorts[connection as usize].begin(CohortMember { id, epoch, until: segments }, CohortKind::Riding);
        self.cohorts_at[route.concentrator.index()].riding(route.class).push(connection);
    }

    fn count_riders(&mut self, connection: ConnectionId) {
        let members = self.cohorts[connection as usize].members.len();
        self.connections[connection as usize].flow.weight = u16::try_from(members).unwrap_or(u16::MAX).max(1);
    }

    /// Segments of a response have arrived: riders that have theirs are over.
    #[inline]
    pub(super) fn let_off(&mut self, connection: ConnectionId) {
        if !matches!(self.cohorts[connection as usize].kind, CohortKind::Riding) {
            return;
        }
        let arrived = self.connections[connection as usize].down.receiver.rcv_nxt();
        while let Some(CohortMember { id, epoch, .. }) = self.cohorts[connection as usize].take_over(arrived) {
            self.count_riders(connection);
            self.deliver(id, epoch);
        }
    }

    /// A connection has delivered all: so ends its cohort.
    pub(super) fn end_cohort(&mut self, connection: ConnectionId) {
        let Cohort { mut members, kind } = std::mem::replace(&mut self.cohorts[connection as usize], Cohort::NONE);
        let longer = match kind {
            CohortKind::Aligned { started, unloaded, .. } => (self.now.since(started).secs() - unloaded).max(0.0),
            CohortKind::Alone | CohortKind::Riding => 0.0,
        };
        self.release(connection, kind, Some(longer));
        for CohortMember { id, epoch, .. } in members.drain(..) {
            match kind {
                // Those that started later are over later.
                CohortKind::Aligned { started, .. } if self.transfers[id as usize].started > started => {
                    self.follow(id, longer);
                }
                _ => self.deliver(id, epoch),
            }
        }
        self.cohorts[connection as usize].members = members;
    }

    /// The slot of a connection is free; its transfer took so much `longer` than alone [s], or was stopped.
    fn release(&mut self, connection: ConnectionId, kind: CohortKind, longer: Option<f64>) {
        self.connections[connection as usize].closed = true;
        let FlowKey { class, concentrator, .. } = self.connections[connection as usize].flow;
        let cohorts = &mut self.cohorts_at[concentrator.index()];
        match kind {
            CohortKind::Alone => {}
            CohortKind::Aligned { band, .. } => cohorts.band(band).end(connection, longer),
            CohortKind::Riding => cohorts.riding(class).retain(|&other| other != connection),
        }
        self.free_connections.push(connection);
    }

    /// A transfer leaves its cohort; gives the share of it that had not arrived.
    pub(super) fn leave_cohort(&mut self, connection: ConnectionId, id: TransactionId) -> f64 {
        let cohort = &mut self.cohorts[connection as usize];
        let Some(place) = cohort.members.iter().position(|member| member.id == id) else { return 1.0 };
        let CohortMember { until, .. } = cohort.members.remove(place);
        let (kind, empty) = (cohort.kind, cohort.members.is_empty());
        let half = &mut self.connections[connection as usize];
        let mut share = half.share_left();
        match kind {
            CohortKind::Alone => {}
            CohortKind::Aligned { .. } => half.flow.weight = half.flow.weight.saturating_sub(1).max(1),
            CohortKind::Riding => {
                let left = until.saturating_sub(half.down.receiver.rcv_nxt());
                share = f64::from(left) / f64::from(self.transfers[id as usize].segments);
                self.count_riders(connection);
            }
        }
        if empty {
            self.release(connection, kind, None);
        }
        share
    }

    /// Few contend at a concentrator: those who ride go on alone.
    pub(super) fn split_if_few(&mut self, at: ConcentratorId) {
        if self.offered_load[at.index()].contending() >= CONNECTIONS {
            return;
        }
        for class in (0..self.classes.len()).map(ClassId::of) {
            while let Some(connection) = self.cohorts_at[at.index()].riding(class).pop() {
                self.split(connection);
            }
        }
    }

    /// Each member goes on in a connection of its own.
    fn split(&mut self, connection: ConnectionId) {
        let arrived = self.connections[connection as usize].down.receiver.rcv_nxt();
        let window = self.connections[connection as usize].down.sender.cwnd();
        let members = std::mem::take(&mut self.cohorts[connection as usize].members);
        self.release(connection, CohortKind::Riding, None);
        for CohortMember { id, until, .. } in members {
            self.go_on_alone(id, until.saturating_sub(arrived).max(1), window);
        }
    }
}

/// All turns as one.
fn sum(mut turns: impl Iterator<Item = Turn>) -> Turn {
    let first = turns.next().unwrap_or(Turn::NONE);
    turns.fold(first, |all, turn| Turn {
        response: Bytes(all.response.0 + turn.response.0),
        response_segments: all.response_segments.saturating_add(turn.response_segments),
        ..all
    })
}
