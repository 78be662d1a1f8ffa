//! TCP exchanges: connections open, requests and responses follow each other, timers fire.

use crate::sim::event_list::Rank;
use crate::sim::packet::cohort::Cohort;
use crate::sim::packet::network::{PacketEvent, PacketNetwork};
use crate::sim::packet::tcp::connection::Connection;
use crate::sim::packet::tcp::receiver::AckDecision;
use crate::sim::packet::way::ConnectionId;
use crate::sim::packet::wire::{
    AckInfo, Direction, FlowKey, Packet, PacketKind, SYN_SIZE, TrainSizes, full_size, header_size, saturating_u16,
};
use crate::sim::route::Route;
use crate::sim::turn::Turn;
use crate::units::{Duration, Time};

/// Longest delay of an acknowledgement (Linux, `TCP_DELACK_MIN`).
const DELAYED_ACK: Duration = Duration(40_000_000);

impl PacketNetwork {
    pub(super) fn is_current(&self, id: ConnectionId, epoch: u32) -> bool {
        self.connections.get(id as usize).is_some_and(|connection| connection.flow.epoch == epoch && !connection.closed)
    }

    /// A closed connection for a route, in a slot that nothing is on its way to.
    ///
    /// # Panics
    /// With 2^32 connections.
    pub(super) fn new_connection(&mut self, Route { site, class, concentrator }: Route) -> ConnectionId {
        let Some(tcp) = self.tcp else { return 0 };
        let flow = |owner, epoch| FlowKey { owner, epoch, site, class, concentrator, weight: 1 };
        if let Some(id) = self.free_connections.pop() {
            let before = &mut self.connections[id as usize].flow;
            *before = flow(id, before.epoch + 1);
            return id;
        }
        let id = u32::try_from(self.connections.len()).expect("fewer than 2^32 connections are open");
        self.connections.push(Connection::new(flow(id, 0), &tcp));
        self.cohorts.push(Cohort::NONE);
        id
    }

    /// Opens a connection, or takes one that `stands`, and sends the first request.
    pub(super) fn open_connection(
        &mut self,
        id: ConnectionId,
        turns: impl Iterator<Item = Turn>,
        server: Duration,
        stands: Option<Duration>,
    ) {
        let Some(tcp) = self.tcp else { return };
        self.connections[id as usize].open(&tcp, turns, server, stands);
        if stands.is_some() {
            self.send_request(id);
        } else {
            self.connect(id);
        }
        self.arm_timer(id);
    }

    /// Where transport is ideal a transfer is one packet of any size.
    pub(super) fn send_message(&mut self, flow: FlowKey, turns: impl Iterator<Item = Turn>) {
        let bytes: u64 = turns.map(|turn| turn.response.0).sum();
        let (count, rest) = (bytes >> 30, (bytes & ((1 << 30) - 1)) as u32);
        let count = u16::try_from(count).unwrap_or(u16::MAX - 1) + 1;
        let packet = Packet { count, ..Packet::control(flow, PacketKind::Message, Direction::Down, self.now) };
        self.send_from_server(packet, TrainSizes { each: 1 << 30, last: rest });
    }

    /// Sends a SYN, the first or a retransmission.
    pub(super) fn connect(&mut self, id: ConnectionId) {
        let connection = &mut self.connections[id as usize];
        connection.send_syn(self.now);
        let flow = connection.flow;
        self.send_from_site(Packet::control(flow, PacketKind::Syn, Direction::Up, self.now), TrainSizes::of(SYN_SIZE));
    }

    pub(super) fn send_request(&mut self, id: ConnectionId) {
        let Some(tcp) = self.tcp else { return };
        self.connections[id as usize].send_request(&tcp);
        self.send_allowed(id, Direction::Up, Duration(0));
    }

    pub(super) fn send_response(&mut self, id: ConnectionId) {
        let Some(tcp) = self.tcp else { return };
        self.connections[id as usize].send_response(&tcp);
        self.send_allowed(id, Direction::Down, Duration(0));
        self.arm_timer(id);
    }

    pub(super) fn send_data(
        &mut self,
        id: ConnectionId,
        direction: Direction,
        (first, count): (u32, u32),
        tail: Duration,
    ) {
        let Some(tcp) = self.tcp else { return };
        let connection = &mut self.connections[id as usize];
        let flow = connection.flow;
        let connection = &mut self.connections[id as usize];
        let half = connection.half(direction);
        let full = full_size(&tcp);
        let bare = header_size(&tcp);
        if count > 1 && half.is_fin(first + count - 1) {
            // All packets of a train but the last are full, so the end of a message and the FIN behind it need two trains.
            self.send_data(id, direction, (first, count - 1), tail);
            self.send_data(id, direction, (first + count - 1, 1), tail);
            return;
        }
        let last = half.size(first + count - 1, full, bare);
        let ack = AckInfo::of(first);
        let packet =
            Packet { flow, kind: PacketKind::Data, direction, count: saturating_u16(count), tail, sent: self.now, ack };
        self.send(packet, TrainSizes { each: full, last });
    }

    /// The receiver of a direction acknowledges a train that was sent at `echo` and arrives within `tail`.
    pub(super) fn send_ack(&mut self, id: ConnectionId, direction: Direction, echo: Time, tail: Duration) {
        let Some(tcp) = self.tcp else { return };
        let connection = &mut self.connections[id as usize];
        let flow = connection.flow;
        let (ack, count) = connection.half(direction).receiver.make_ack();
        if direction == Direction::Down {
            connection.delayed_ack_at = Time::NEVER;
        }
        let back = if direction == Direction::Down { Direction::Up } else { Direction::Down };
        let packet =
            Packet { count: saturating_u16(count), tail, ack, ..Packet::control(flow, PacketKind::Ack, back, echo) };
        self.send(packet, TrainSizes::of(header_size(&tcp)));
    }

    pub(super) fn on_request(&mut self, packet: &Packet) {
        let id = packet.flow.owner;
        let (first, before_last) = (packet.ack.seq, u32::from(packet.count) - 1);
        // The last segment of a request is answered; those before it are acknowledged.
        if before_last > 0
            && self.connections[id as usize].up.receiver.on_segment(first, before_last) == AckDecision::Now
        {
            self.send_ack(id, Direction::Up, packet.sent, packet.tail);
        }
        let connection = &mut self.connections[id as usize];
        let reply = connection.up.receiver.on_segment(first + before_last, 1);
        if connection.accept_request() {
            // The request acknowledges the response before it.
            connection.down.sender.on_implicit_ack(self.now);
            let (server, wait) = (connection.server_time, connection.server_time + packet.tail);
            if wait > Duration(0) {
                self.events.push(self.now + wait, Rank::Arrival, PacketEvent::Response(id, packet.flow.epoch));
            } else {
                self.send_response(id);
            }
            if server > Duration(0) {
                self.send_ack(id, Direction::Up, packet.sent, packet.tail);
            }
        } else if reply == AckDecision::Now {
            self.send_ack(id, Direction::Up, packet.sent, packet.tail);
        }
    }

    /// The SYN-ACK arrives: both ends have measured a round trip, and the first request is sent.
    pub(super) fn on_syn_ack(&mut self, id: ConnectionId, called: Time) {
        let connection = &mut self.connections[id as usize];
        if connection.syn_sent.take().is_none() {
            return;
        }
        let trip = self.now.since(called);
        connection.up.sender.on_rtt_sample(trip);
        connection.down.sender.on_rtt_sample(trip);
        self.send_request(id);
        self.arm_timer(id);
    }

    pub(super) fn on_response(&mut self, packet: &Packet) {
        let id = packet.flow.owner;
        let connection = &mut self.connections[id as usize];
        connection.on_response_segment(self.now, packet.ack.seq, u32::from(packet.count));
        let mut owes = false;
        let reply = connection.down.receiver.on_segment(packet.ack.seq, u32::from(packet.count));
        self.let_off(id);
        let connection = &mut self.connections[id as usize];
        if connection.response_complete() {
            self.send_ack(id, Direction::Down, packet.sent, packet.tail);
            if packet.tail > Duration(0) {
                self.events.push(self.now + packet.tail, Rank::Arrival, PacketEvent::LastByte(id, packet.flow.epoch));
            } else {
                self.response_done(id);
                return;
            }
        } else if reply == AckDecision::Now {
            self.send_ack(id, Direction::Down, packet.sent, packet.tail);
        } else if connection.delayed_ack_at == Time::NEVER {
            connection.delayed_ack_at = self.now + DELAYED_ACK;
            owes = true;
        }
        // Only a request in flight can have changed a timer.
        if owes || !self.connections[id as usize].request_acked() {
            self.arm_timer(id);
        }
    }

    /// The last byte of a response has arrived: the next turn's request leaves, or the transfer is over.
    pub(super) fn response_done(&mut self, id: ConnectionId) {
        let connection = &self.connections[id as usize];
        // A train that repeats it may have told so before.
        if !connection.response_complete() {
            return;
        }
        if connection.has_more() {
            self.send_request(id);
            self.arm_timer(id);
        } else {
            self.finish(id);
        }
    }

    pub(super) fn finish(&mut self, id: ConnectionId) {
        let Some(tcp) = self.tcp else { return };
        let connection = &mut self.connections[id as usize];
        connection.closed = true;
        let (flow, connects) = (connection.flow, connection.opened);
        if connects {
            self.send_from_site(
                Packet::control(flow, PacketKind::Fin, Direction::Up, self.now),
                TrainSizes::of(header_size(&tcp)),
            );
        }
        self.end_cohort(id);
    }

    /// Schedules the connection's earliest timer, unless an earlier event is scheduled.
    pub(super) fn arm_timer(&mut self, id: ConnectionId) {
        let connection = &mut self.connections[id as usize];
        let due = connection.next_timer();
        if !connection.closed && due < connection.timer {
            connection.timer = due;
            self.events.push(due.max(self.now), Rank::Arrival, PacketEvent::Timer(id, connection.flow.epoch));
        }
    }

    pub(super) fn on_timer(&mut self, id: ConnectionId, epoch: u32) {
        if !self.is_current(id, epoch) || self.connections[id as usize].timer > self.now {
            return;
        }
        let connection = &mut self.connections[id as usize];
        connection.timer = Time::NEVER;
        if connection.syn_retry_at() <= self.now {
            self.connect(id);
        }
        let connection = &mut self.connections[id as usize];
        if connection.delayed_ack_at <= self.now {
            self.send_ack(id, Direction::Down, self.now, Duration(0));
        }
        for direction in [Direction::Up, Direction::Down] {
            let sender = &mut self.connections[id as usize].half(direction).sender;
            if sender.next_timer() <= self.now {
                if let Some(probe) = sender.on_timer(self.now) {
                    self.send_data(id, direction, probe, Duration(0));
                }
                self.send_allowed(id, direction, Duration(0));
            }
        }
        self.arm_timer(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Balancer, ClassId, ConcentratorId, Model, SiteId};
    use crate::sim::observer::Parts;
    use crate::sim::pricing::PricedTurn;
    use crate::sim::transaction::latency::LatencyParts;
    use crate::sim::transfer::{Delivery, Start};
    use crate::units::{Bytes, NANOS};

    impl PacketNetwork {
        pub(crate) fn is_lost_by_script(&mut self, packet: &Packet) -> bool {
            let draw_key = |&(kind, direction, first): &(PacketKind, Direction, u32)| {
                (packet.kind, packet.direction, packet.ack.seq) == (kind, direction, first)
            };
            self.script.iter().position(draw_key).map(|place| self.script.swap_remove(place)).is_some()
        }
    }

    /// One site 20 ms away, and links on which packets take next to no time.
    fn network(script: &[(PacketKind, Direction, u32)]) -> PacketNetwork {
        let model = Model::sample(&[1], &[10_000], Balancer::HubList);
        PacketNetwork { script: script.to_vec(), ..PacketNetwork::new(&model, 1, false) }
    }

    /// A transfer of `turns` starts.
    fn ask(network: &mut PacketNetwork, turns: usize) {
        let turn = Turn::new(Bytes(500), Bytes(3 * 1_360), Bytes(1_360));
        ask_for(network, &vec![PricedTurn { turn, segment: 1.0 }; turns]);
    }

    fn ask_for(network: &mut PacketNetwork, turns: &[PricedTurn]) {
        let start = Start {
            id: 0,
            epoch: 0,
            route: Route { site: SiteId(0), class: ClassId(0), concentrator: ConcentratorId(0) },
            turns,
            work: 1.0,
            left: None,
            unloaded: Parts { trips: 1.0, ..Parts::default() },
            latency: LatencyParts::new(Time(0)),
        };
        network.start(Time(0), &start);
    }

    /// When an exchange of `turns` over a kept (or an opened) connection is over [ms]; never, if it stalls.
    fn over(script: &[(PacketKind, Direction, u32)], turns: usize, kept: bool, server: Duration) -> Option<f64> {
        let mut network = network(script);
        network.classes[0] = (!kept, server);
        ask(&mut network, turns);
        while network.next_time() < Time(600 * NANOS) {
            let heard = network.step(Time(0)).1.to_vec();
            if let [Delivery::Transfer { .. }] = heard[..] {
                assert!(network.script.is_empty(), "the script was played: {:?}", network.script);
                assert_eq!(
                    network.connections[0].share_left().to_bits(),
                    0.0_f64.to_bits(),
                    "all answers have arrived"
                );
                return Some(network.now.secs() * 1e3);
            }
        }
        None
    }

    #[track_caller]
    fn takes(script: &[(PacketKind, Direction, u32)], turns: usize, kept: bool, server: u64, wanted: f64) {
        let took = over(script, turns, kept, Duration(server));
        assert!(took.is_some_and(|took| (took - wanted).abs() < 0.5), "{took:?} ms, {wanted} by hand");
    }

    #[test]
    fn turns_follow_each_other_a_round_trip_apart() {
        takes(&[], 1, true, 0, 20.0);
        takes(&[], 3, true, 0, 60.0);
        takes(&[], 3, false, 0, 80.0);
        takes(&[], 2, true, NANOS / 20, 140.0);
    }

    /// The acknowledgements of the first answer are lost, and so is the second request. The server probes the tail of its answer,
    /// whose repetition says nothing of the request: that is repeated when its own time-out is over, 20 ms and the least of
    /// 200 ms after it was sent (RFC 6298 as Linux has it). By hand: 20 + 220 + 20 ms.
    #[test]
    fn a_repeated_segment_of_the_last_answer_does_not_acknowledge_the_next_request() {
        let acks = [1, 2, 3].map(|first| (PacketKind::Ack, Direction::Up, first));
        let script: Vec<_> = acks.into_iter().chain([(PacketKind::Data, Direction::Up, 1)]).collect();
        takes(&script, 2, true, 0, 260.0);
        // The same while a server works on the request that has arrived: it is answered once.
        takes(&acks, 2, true, NANOS / 2, 1_040.0);
    }

    /// The last segment of an answer is lost. With a connection of its own the FIN behind it tells so a round trip later: it is
    /// sent again with the next acknowledgement, 20 (set-up) + 20 + 20 ms and the wait of RACK for what is only late, a quarter
    /// of a round trip. On a kept connection nothing tells of it: a lone segment may be waiting for a delayed acknowledgement, so
    /// that its probe comes with the time-out, 220 ms after the last acknowledgement at 30 ms.
    #[test]
    fn a_fin_tells_of_a_lost_tail() {
        takes(&[(PacketKind::Data, Direction::Down, 2)], 1, false, 0, 65.0);
        takes(&[(PacketKind::Data, Direction::Down, 2)], 1, true, 0, 30.0 + 220.0 + 10.0);
    }

    /// Requests of three segments and answers of forty, with and without a server's time: as many packets cross queues, whether they
    /// move as trains or one by one.
    #[test]
    fn trains_bring_as_many_packets_as_they_have() {
        for server in [0, NANOS / 20] {
            let crossings = [1, 64].map(|grain| {
                let model = Model::sample(&[1], &[10_000], Balancer::HubList);
                let mut network = PacketNetwork::new(&model, grain, false);
                network.classes[0] = (false, Duration(server));
                let turn = Turn::new(Bytes(3 * 1_360), Bytes(40 * 1_360), Bytes(1_360));
                ask_for(&mut network, &[PricedTurn { turn, segment: 1.0 }; 3]);
                while network.next_time() < Time(60 * NANOS) {
                    network.step(Time(0));
                }
                network.crossings()
            });
            assert_eq!(crossings[0], crossings[1], "server {server}");
        }
    }

    /// Whatever is lost once of two turns, every request is answered within what its losses explain: a time-out each.
    #[test]
    fn no_single_or_double_loss_stalls_an_exchange() {
        let mut all: Vec<(PacketKind, Direction, u32)> =
            (0..6).map(|first| (PacketKind::Data, Direction::Down, first)).collect();
        all.extend((0..2).map(|first| (PacketKind::Data, Direction::Up, first)));
        all.extend((1..=6).map(|first| (PacketKind::Ack, Direction::Up, first)));
        for &one in &all {
            for &other in &all {
                let script = if one == other { vec![one] } else { vec![one, other] };
                let mut network = network(&script);
                network.classes[0] = (false, Duration(0));
                ask(&mut network, 2);
                let done = std::iter::from_fn(|| {
                    (network.next_time() < Time(10 * NANOS)).then(|| {
                        network
                            .step(Time(0))
                            .1
                            .iter()
                            .any(|told| matches!(told, Delivery::Transfer { id: 0, epoch: 0, .. }))
                    })
                });
                assert!(done.into_iter().any(|done| done), "{script:?} stalls");
                assert!(network.now.secs() < 0.04 + 2.0 * 0.5, "{script:?}: {} s", network.now.secs());
            }
        }
    }
}
