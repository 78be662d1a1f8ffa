//! The network at packet fidelity: TCP as hosts run it, the queue as the concentrator runs it.
//!
//! Servers stand next to the concentrator, sites half a round trip away behind their access links. Every packet
//! crosses the concentrator (towards the headend only where both directions count) and an access link. A *train*
//! is several packets of one sender that move as one; with a grain of 1 every packet moves by itself.

pub mod congestion;
pub mod connection;
pub mod hub;
pub mod line;
pub mod parcel;
pub mod receiver;
pub mod rtt;
pub mod scheduler;
pub mod sender;
pub mod shaper;
pub mod wire;

use std::hint::cold_path;

use crate::random::{Stream, name_of};
use crate::scenario::model::{ClassId, Codec, Concentrator, ConcentratorId, Discipline, Model, SiteId, Tcp, Transport};
use crate::sim::band::TransactionId;
use crate::sim::calendar::{Due, EventList, Rank};
use crate::sim::discipline::Shape;
use crate::sim::transport::Turn;
use crate::units::{BitRate, Duration, Time};
use connection::Connection;
use hub::PacketConcentrator;
use line::{AccessLink, Train};
use parcel::{PacketId, PacketPool, QueuedPacket};
use receiver::AckDecision;
use wire::{AckInfo, Direction, FlowKey, Packet, PacketKind, TrainSizes, saturating_u16};

/// What is scheduled.
#[derive(Clone, Copy, Debug)]
enum PacketEvent {
    /// A packet comes to the headend.
    Up(SiteId),
    /// A packet comes to a site.
    Down(SiteId),
    /// A connection's alarm rings; void if it was set anew.
    Timer(TransactionId, u32),
    /// The server has an answer.
    Response(TransactionId, u32),
    /// A packet of a call is due.
    Voice(u32, u32),
    /// A shaped packet may join the queue.
    Release(PacketId),
    /// A packet of a flood is due.
    Flood(u32),
}

impl Default for PacketEvent {
    /// Stands where nothing is scheduled yet.
    fn default() -> Self {
        Self::Flood(0)
    }
}

/// What those outside should know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delivery {
    /// The last byte of a flow is at its site, on this journey.
    Done(TransactionId, u32),
    /// A packet of a call arrived, or was lost.
    Voice {
        /// Of which class.
        class: ClassId,
        /// To which site.
        site: SiteId,
        /// How long it took, and how much that differs from the one before; none if it is lost.
        delay: Option<(Duration, Duration)>,
    },
}

/// The network and everything on its way in it.
#[derive(Debug)]
pub struct PacketNetwork {
    tcp: Option<Tcp>,
    train_size: u32,
    now: Time,
    events: EventList<PacketEvent>,
    concentrators: Vec<PacketConcentrator>,
    /// When each of them has served the packet in service. That is half of all that happens, and stays out of the calendar.
    service_ends: Vec<Due>,
    access_links: Vec<AccessLink>,
    connections: Vec<Connection>,
    calls: Vec<VoiceSource>,
    /// Floods in force.
    floods: Vec<FloodSource>,
    pool: PacketPool,
    deliveries: Vec<Delivery>,
    dropped: Vec<QueuedPacket>,
    /// Packets that crossed a queue: a concentrator's or an access link's.
    crossings: u64,
    /// The numbers of the classes' names.
    class_names: Vec<u64>,
    /// Packets that a test loses, each once: what they are for, which way they go, and the first segment that they name.
    #[cfg(test)]
    script: Vec<(PacketKind, Direction, u32)>,
}

/// A site that sends what nobody asked for. Its packets come at random: at fixed times they would fall in step with those
/// of others, and take every place that comes free (Floyd & Jacobson 1991).
#[derive(Clone, Debug)]
struct FloodSource {
    flow: FlowKey,
    /// Mean time between packets [s].
    mean_gap: f64,
    gaps: Stream,
}

/// A call in progress.
#[derive(Clone, Copy, Debug)]
struct VoiceSource {
    flow: FlowKey,
    codec: Codec,
    last: Option<Duration>,
    on: bool,
}

/// What one tunnel can carry at any of the concentrators: at packet fidelity it holds a site's link back.
fn tunnel_rate_limit(model: &Model) -> BitRate {
    model.concentrators.iter().filter_map(|unit| unit.per_tunnel).max().unwrap_or(BitRate(u64::MAX))
}

/// A bucket of the calendar lasts 2 to so many nanoseconds: 131 us.
const BUCKET: u32 = 17;
/// Bytes of a flood's packets.
const FLOOD_PACKET: u32 = 1400;
/// Acknowledgements wait at most so long for a second segment (Linux, `TCP_DELACK_MIN`).
const DELAYED_ACK: Duration = Duration(40_000_000);

impl PacketNetwork {
    /// An idle network whose senders form trains of up to `grain` packets.
    #[must_use]
    pub fn new(model: &Model, grain: u32) -> Self {
        let (tcp, buffer) = match model.transport {
            Transport::Ideal => (None, Duration(u64::MAX / 4)),
            Transport::Tcp(tcp) => (Some(tcp), tcp.access_buffer),
        };
        let names: Vec<u64> = model.classes.iter().map(|class| name_of(&class.name)).collect();
        Self {
            tcp,
            train_size: grain.max(1),
            now: Time(0),
            events: EventList::new(BUCKET),
            concentrators: model.concentrators.iter().map(|unit| PacketConcentrator::new(unit, tcp.is_none(), &names)).collect(),
            service_ends: vec![Due::NEVER; model.concentrators.len()],
            access_links: model.sites.iter().map(|site| AccessLink::new(site, tunnel_rate_limit(model), buffer)).collect(),
            connections: Vec::new(),
            calls: Vec::new(),
            floods: Vec::new(),
            pool: PacketPool::default(),
            deliveries: Vec::new(),
            dropped: Vec::new(),
            crossings: 0,
            class_names: names,
            #[cfg(test)]
            script: Vec::new(),
        }
    }

    /// When something happens next.
    #[must_use]
    pub fn next_time(&mut self) -> Time {
        self.events.next_time().min(self.next_service_end().0.time())
    }

    /// When a packet in service is served first, and by which concentrator.
    #[inline]
    fn next_service_end(&self) -> (Due, ConcentratorId) {
        let mut first = (Due::NEVER, 0);
        for (place, &end) in self.service_ends.iter().enumerate() {
            if end < first.0 {
                first = (end, place);
            }
        }
        (first.0, ConcentratorId::of(first.1))
    }

    /// Lets happen what happens next, and tells what those outside should know.
    pub fn step(&mut self) -> &[Delivery] {
        self.deliveries.clear();
        let (end, unit) = self.next_service_end();
        if let Some((now, &event)) = self.events.pop_ahead_of(end) {
            self.now = now;
            self.handle(event);
        } else if end < Due::NEVER {
            self.now = end.time();
            self.end_service(unit);
        }
        &self.deliveries
    }

    /// Packets that crossed a queue so far.
    #[must_use]
    pub fn crossings(&self) -> u64 {
        self.crossings
    }

    fn handle(&mut self, event: PacketEvent) {
        match event {
            PacketEvent::Up(site) => {
                let Some((id, next)) = self.access_links[site.index()].up.deliver(&self.pool) else { return };
                if let Some(next) = next {
                    self.events.push(next, Rank::Arrival, PacketEvent::Up(site));
                }
                if self.concentrators[self.pool[id].packet.flow.concentrator.index()].both {
                    self.pool[id].at = self.now;
                    self.enter_concentrator(id);
                } else {
                    let packet = self.pool.take(id);
                    self.deliver_to_server(&packet);
                }
            }
            PacketEvent::Down(site) => {
                let Some((id, next)) = self.access_links[site.index()].down.deliver(&self.pool) else { return };
                if let Some(next) = next {
                    self.events.push(next, Rank::Arrival, PacketEvent::Down(site));
                }
                let packet = self.pool.take(id);
                self.deliver_to_site(&packet);
            }
            PacketEvent::Timer(id, life) => self.on_timer(id, life),
            PacketEvent::Response(id, life) => {
                if self.is_current(id, life) {
                    self.send_response(id);
                }
            }
            PacketEvent::Voice(call, life) => self.send_voice(call, life),
            PacketEvent::Flood(owner) => self.send_flood_packet(owner),
            PacketEvent::Release(id) => self.enqueue(id),
        }
    }

    fn is_current(&self, id: TransactionId, life: u32) -> bool {
        self.connections.get(id as usize).is_some_and(|connection| connection.flow.epoch == life && !connection.closed)
    }

    /// A flow sets off: its connection is called for, or stands, and its requests follow each other.
    pub fn start(
        &mut self,
        now: Time,
        label: FlowKey,
        turns: impl Iterator<Item = Turn>,
        server: Duration,
        stands: Option<Duration>,
    ) {
        self.now = now;
        let Some(tcp) = self.tcp else {
            self.send_message(label, turns);
            return;
        };
        let place = label.owner as usize;
        if self.connections.len() <= place {
            self.connections.resize_with(place + 1, || Connection::new(label, &tcp));
        }
        let connection = &mut self.connections[place];
        connection.open(label, &tcp, turns, server, stands);
        if stands.is_some() {
            self.send_request(label.owner);
        } else {
            self.connect(label.owner);
        }
        self.arm_timer(label.owner);
    }

    /// Where transport is ideal a transfer is one packet, however large.
    fn send_message(&mut self, label: FlowKey, turns: impl Iterator<Item = Turn>) {
        let bytes: u64 = turns.map(|turn| turn.response.0).sum();
        let (count, rest) = (bytes >> 30, (bytes & ((1 << 30) - 1)) as u32);
        let count = u16::try_from(count).unwrap_or(u16::MAX - 1) + 1;
        let packet = Packet { count, ..bare_packet_of(label, PacketKind::Message, Direction::Down, self.now) };
        self.send_from_server(packet, TrainSizes { each: 1 << 30, last: rest });
    }

    /// A flow is given up; what is on its way in it is void. Gives the share that had not arrived.
    pub fn stop(&mut self, id: TransactionId) -> f64 {
        let Some(connection) = self.connections.get_mut(id as usize) else { return 1.0 };
        connection.closed = true;
        connection.share_left()
    }

    /// The call for a connection, the first or a repeated one.
    fn connect(&mut self, id: TransactionId) {
        let connection = &mut self.connections[id as usize];
        connection.send_syn(self.now);
        let label = connection.flow;
        self.send_from_site(bare_packet_of(label, PacketKind::Syn, Direction::Up, self.now), TrainSizes::of(SYN_SIZE));
    }

    fn send_request(&mut self, id: TransactionId) {
        let Some(tcp) = self.tcp else { return };
        self.connections[id as usize].send_request(&tcp);
        self.send_allowed(id, Direction::Up);
    }

    fn send_response(&mut self, id: TransactionId) {
        let Some(tcp) = self.tcp else { return };
        self.connections[id as usize].send_response(&tcp);
        self.send_allowed(id, Direction::Down);
        self.arm_timer(id);
    }

    /// Sends what the window allows, in trains of the grain, but of no more than a quarter of the window, lest it beat in time
    /// with itself.
    #[inline(always)]
    fn send_allowed(&mut self, id: TransactionId, way: Direction) {
        let sender = &mut self.connections[id as usize].half(way).sender;
        let most = self.train_size.min((sender.cwnd() / 4).max(1));
        while let Some((mut first, mut count)) = self.connections[id as usize].half(way).sender.next_segments(self.now) {
            while count > most {
                self.send_data(id, way, (first, most));
                (first, count) = (first + most, count - most);
            }
            self.send_data(id, way, (first, count));
        }
    }

    fn send_data(&mut self, id: TransactionId, way: Direction, (first, count): (u32, u32)) {
        let Some(tcp) = self.tcp else { return };
        let connection = &mut self.connections[id as usize];
        let label = connection.flow;
        let half = connection.half(way);
        let full = full_size(&tcp);
        let bare = header_size(&tcp);
        if count > 1 && half.is_fin(first + count - 1) {
            // All packets of a train but the last are full: the end of a message and the FIN behind it do not share one.
            cold_path();
            self.send_data(id, way, (first, count - 1));
            self.send_data(id, way, (first + count - 1, 1));
            return;
        }
        let tail = half.size(first + count - 1, full, bare);
        let says = AckInfo::of(first);
        let packet = Packet { flow: label, kind: PacketKind::Data, direction: way, count: saturating_u16(count), sent: self.now, ack: says };
        self.send(packet, TrainSizes { each: full, last: tail });
    }

    /// The receiver of `way` says what has arrived.
    fn send_ack(&mut self, id: TransactionId, way: Direction, echo: Time) {
        let Some(tcp) = self.tcp else { return };
        let connection = &mut self.connections[id as usize];
        let label = connection.flow;
        let (says, count) = connection.half(way).receiver.make_ack();
        if way == Direction::Down {
            connection.delayed_ack_at = Time::NEVER;
        }
        let back = if way == Direction::Down { Direction::Up } else { Direction::Down };
        let packet = Packet { count: saturating_u16(count), ack: says, ..bare_packet_of(label, PacketKind::Ack, back, echo) };
        self.send(packet, TrainSizes::of(header_size(&tcp)));
    }

    fn send(&mut self, packet: Packet, inside: TrainSizes) {
        #[cfg(test)]
        if self.is_lost_by_script(&packet) {
            return;
        }
        match packet.direction {
            Direction::Up => self.send_from_site(packet, inside),
            Direction::Down => self.send_from_server(packet, inside),
        }
    }

    /// A packet leaves a site.
    #[inline(always)]
    fn send_from_site(&mut self, packet: Packet, inside: TrainSizes) {
        let hub = &self.concentrators[packet.flow.concentrator.index()];
        let parcel = hub.encapsulate(packet, inside, self.now);
        let train = Train { from: self.now, until: self.now, bytes: parcel.bytes(), last: parcel.last() };
        self.crossings += u64::from(packet.count);
        let id = self.pool.add(parcel);
        match self.access_links[packet.flow.site.index()].up.send(train, &mut self.pool, id) {
            Ok(Some(at)) => self.events.push(at, Rank::Arrival, PacketEvent::Up(packet.flow.site)),
            Ok(None) => {}
            Err(()) => {
                cold_path();
                self.pool.drop(id);
            }
        }
    }

    /// A packet sets out at the headend.
    #[inline(always)]
    fn send_from_server(&mut self, packet: Packet, inside: TrainSizes) {
        let parcel = self.concentrators[packet.flow.concentrator.index()].encapsulate(packet, inside, self.now);
        let id = self.pool.add(parcel);
        self.enter_concentrator(id);
    }

    /// A packet comes to the concentrator, and to its shaper first.
    #[inline(always)]
    fn enter_concentrator(&mut self, id: PacketId) {
        let parcel = &self.pool[id];
        match self.concentrators[parcel.packet.flow.concentrator.index()].shape(self.now, parcel) {
            Ok(Some(at)) if at > self.now => {
                cold_path();
                self.events.push(at, Rank::Arrival, PacketEvent::Release(id));
            }
            Ok(_) => self.enqueue(id),
            Err(()) => {
                cold_path();
                let packet = self.pool.take(id);
                self.report_loss(&packet);
            }
        }
    }

    /// A packet joins the concentrator's queue.
    #[inline(always)]
    fn enqueue(&mut self, id: PacketId) {
        let unit = self.pool[id].packet.flow.concentrator;
        self.dropped.clear();
        if let Some(end) = self.concentrators[unit.index()].arrive(self.now, &mut self.pool, id, &mut self.dropped) {
            self.service_ends[unit.index()] = self.events.due(end, Rank::Arrival);
        }
        for place in 0..self.dropped.len() {
            cold_path();
            let packet = self.dropped[place].packet;
            self.report_loss(&packet);
        }
    }

    fn report_loss(&mut self, packet: &Packet) {
        if packet.kind == PacketKind::Voice && packet.direction == Direction::Down {
            self.deliveries.push(Delivery::Voice { class: packet.flow.class, site: packet.flow.site, delay: None });
        }
    }

    /// A packet leaves the concentrator.
    #[inline(always)]
    fn end_service(&mut self, unit: ConcentratorId) {
        let hub = &mut self.concentrators[unit.index()];
        let Some((id, began, next)) = hub.end_service(self.now, &self.pool) else { return };
        let parcel = &self.pool[id];
        let packet = &parcel.packet;
        self.crossings += u64::from(packet.count);
        self.service_ends[unit.index()] = next.map_or(Due::NEVER, |next| self.events.due(next, Rank::Arrival));
        if packet.direction == Direction::Up {
            let packet = self.pool.take(id);
            self.deliver_to_server(&packet);
            return;
        }
        let each = self.now.since(began).0 / u64::from(packet.count);
        let from = if packet.kind == PacketKind::Message { began } else { began + Duration(each) };
        let train = Train { from, until: self.now, bytes: parcel.bytes(), last: parcel.last() };
        self.crossings += u64::from(packet.count);
        let site = packet.flow.site;
        match self.access_links[site.index()].down.send(train, &mut self.pool, id) {
            Ok(Some(at)) => self.events.push(at, Rank::Arrival, PacketEvent::Down(site)),
            Ok(None) => {}
            Err(()) => {
                cold_path();
                let packet = self.pool.take(id);
                self.report_loss(&packet);
            }
        }
    }

    /// A packet arrives at the servers.
    fn deliver_to_server(&mut self, packet: &Packet) {
        let (id, label) = (packet.flow.owner, packet.flow);
        match packet.kind {
            // The server accepts whoever calls.
            PacketKind::Syn => {
                cold_path();
                self.send_from_server(bare_packet_of(label, PacketKind::SynAck, Direction::Down, packet.sent), TrainSizes::of(SYN_SIZE));
            }
            PacketKind::Fin => {
                cold_path();
                let bytes = self.tcp.as_ref().map_or(0, header_size);
                self.send_from_server(bare_packet_of(label, PacketKind::FinAck, Direction::Down, self.now), TrainSizes::of(bytes));
            }
            PacketKind::Data if self.is_current(id, label.epoch) => {
                cold_path();
                self.on_request(packet);
            }
            PacketKind::Ack if self.is_current(id, label.epoch) => {
                let sender = &mut self.connections[id as usize].down.sender;
                sender.on_ack(self.now, &packet.ack, packet.sent);
                self.send_allowed(id, Direction::Down);
                self.arm_timer(id);
            }
            _ => {}
        }
    }

    fn on_request(&mut self, packet: &Packet) {
        let id = packet.flow.owner;
        let connection = &mut self.connections[id as usize];
        let reply = connection.up.receiver.on_segment(packet.ack.seq, u32::from(packet.count));
        if connection.accept_request() {
            // The request says that the answer before it has arrived.
            connection.down.sender.on_implicit_ack(self.now);
            if connection.server_time > Duration(0) {
                let at = self.now + connection.server_time;
                self.events.push(at, Rank::Arrival, PacketEvent::Response(id, packet.flow.epoch));
                self.send_ack(id, Direction::Up, packet.sent);
            } else {
                self.send_response(id);
            }
        } else if reply == AckDecision::Now {
            self.send_ack(id, Direction::Up, packet.sent);
        }
    }

    /// A packet arrives at a site.
    fn deliver_to_site(&mut self, packet: &Packet) {
        let (id, life) = (packet.flow.owner, packet.flow.epoch);
        match packet.kind {
            PacketKind::Voice => self.on_voice(packet),
            PacketKind::Message => self.deliveries.push(Delivery::Done(id, life)),
            PacketKind::SynAck if self.is_current(id, life) => {
                cold_path();
                self.on_syn_ack(id, packet.sent);
            }
            PacketKind::Data if self.is_current(id, life) => self.on_response(packet),
            PacketKind::Ack if self.is_current(id, life) => {
                cold_path();
                let sender = &mut self.connections[id as usize].up.sender;
                sender.on_ack(self.now, &packet.ack, packet.sent);
                self.send_allowed(id, Direction::Up);
                self.arm_timer(id);
            }
            _ => {}
        }
    }

    /// The connection stands: both ends have measured a round trip, and the first request leaves.
    fn on_syn_ack(&mut self, id: TransactionId, called: Time) {
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

    fn on_response(&mut self, packet: &Packet) {
        let id = packet.flow.owner;
        let connection = &mut self.connections[id as usize];
        connection.on_response_segment(self.now, packet.ack.seq, u32::from(packet.count));
        let mut owes = false;
        let reply = connection.down.receiver.on_segment(packet.ack.seq, u32::from(packet.count));
        if connection.response_complete() {
            cold_path();
            let more = connection.has_more();
            self.send_ack(id, Direction::Down, packet.sent);
            if more {
                self.send_request(id);
            } else {
                self.finish(id);
                return;
            }
        } else if reply == AckDecision::Now {
            self.send_ack(id, Direction::Down, packet.sent);
        } else if connection.delayed_ack_at == Time::NEVER {
            connection.delayed_ack_at = self.now + DELAYED_ACK;
            owes = true;
        }
        // Nothing else here sets an alarm but a request on its way.
        if owes || !self.connections[id as usize].request_acked() {
            self.arm_timer(id);
        }
    }

    fn finish(&mut self, id: TransactionId) {
        let Some(tcp) = self.tcp else { return };
        let connection = &mut self.connections[id as usize];
        connection.closed = true;
        let (label, connects) = (connection.flow, connection.opened);
        if connects {
            self.send_from_site(bare_packet_of(label, PacketKind::Fin, Direction::Up, self.now), TrainSizes::of(header_size(&tcp)));
        }
        self.deliveries.push(Delivery::Done(id, self.connections[id as usize].flow.epoch));
    }

    /// Sets the connection's alarm, unless one rings before.
    fn arm_timer(&mut self, id: TransactionId) {
        let connection = &mut self.connections[id as usize];
        let due = connection.next_timer();
        if !connection.closed && due < connection.timer {
            connection.timer = due;
            self.events.push(due.max(self.now), Rank::Arrival, PacketEvent::Timer(id, connection.flow.epoch));
        }
    }

    fn on_timer(&mut self, id: TransactionId, life: u32) {
        if !self.is_current(id, life) || self.connections[id as usize].timer > self.now {
            return;
        }
        let connection = &mut self.connections[id as usize];
        connection.timer = Time::NEVER;
        if connection.syn_retry_at() <= self.now {
            self.connect(id);
        }
        let connection = &mut self.connections[id as usize];
        if connection.delayed_ack_at <= self.now {
            self.send_ack(id, Direction::Down, self.now);
        }
        for way in [Direction::Up, Direction::Down] {
            let sender = &mut self.connections[id as usize].half(way).sender;
            if sender.next_timer() <= self.now {
                if let Some(probe) = sender.on_timer(self.now) {
                    self.send_data(id, way, probe);
                }
                self.send_allowed(id, way);
            }
        }
        self.arm_timer(id);
    }

    /// A call begins; its packets go both ways. Its label's owner is its place, its life is given here.
    pub fn start_call(&mut self, now: Time, label: FlowKey, codec: Codec, after: Duration) {
        let call = VoiceSource { flow: label, codec, last: None, on: true };
        let place = label.owner as usize;
        if self.calls.len() <= place {
            self.calls.resize(place + 1, VoiceSource { on: false, flow: FlowKey { epoch: 0, ..label }, ..call });
        }
        let life = self.calls[place].flow.epoch + 1;
        self.calls[place] = VoiceSource { flow: FlowKey { epoch: life, ..call.flow }, ..call };
        self.events.push(now + after, Rank::Arrival, PacketEvent::Voice(label.owner, life));
    }

    /// A call ends.
    pub fn end_call(&mut self, slot: u32) {
        self.calls[slot as usize].on = false;
    }

    fn send_voice(&mut self, slot: u32, life: u32) {
        let call = self.calls[slot as usize];
        if !call.on || call.flow.epoch != life {
            return;
        }
        #[allow(clippy::cast_possible_truncation)] // a packet of a codec
        let inside = TrainSizes::of(call.codec.packet.0 as u32);
        self.send_from_site(bare_packet_of(call.flow, PacketKind::Voice, Direction::Up, self.now), inside);
        self.send_from_server(bare_packet_of(call.flow, PacketKind::Voice, Direction::Down, self.now), inside);
        self.events.push(self.now + call.codec.every, Rank::Arrival, PacketEvent::Voice(slot, life));
    }

    fn on_voice(&mut self, packet: &Packet) {
        let call = &mut self.calls[packet.flow.owner as usize];
        let delay = self.now.since(packet.sent);
        let change = call.last.map_or(Duration(0), |last| Duration(delay.0.abs_diff(last.0)));
        call.last = Some(delay);
        let delay = Some((delay, change));
        self.deliveries.push(Delivery::Voice { class: packet.flow.class, site: packet.flow.site, delay });
    }

    /// A concentrator has another throughput.
    pub fn set_rate(&mut self, now: Time, unit: ConcentratorId, throughput: BitRate) {
        self.now = now;
        self.concentrators[unit.index()].set_rate(now, throughput);
    }

    /// A concentrator serves in another order.
    pub fn set_discipline(&mut self, now: Time, unit: ConcentratorId, order: &Discipline) {
        self.now = now;
        self.dropped.clear();
        self.concentrators[unit.index()].set_discipline(&mut self.pool, order, &self.class_names, &mut self.dropped);
    }

    /// A site begins or ends to send full packets at `rate`, as fault `number`.
    pub fn flood(
        &mut self,
        now: Time,
        (site, class, unit): (SiteId, ClassId, ConcentratorId),
        rate: BitRate,
        begins: bool,
        (number, gaps): (u32, Stream),
    ) {
        if !begins {
            self.floods.retain(|flood| flood.flow.owner != number);
            return;
        }
        let label = FlowKey { owner: number, epoch: 0, site, class, concentrator: unit };
        let bits = 8.0 * f64::from(self.concentrators[unit.index()].wire_size(FLOOD_PACKET));
        self.floods.push(FloodSource { flow: label, mean_gap: bits / rate.bits(), gaps });
        self.events.push(now, Rank::Arrival, PacketEvent::Flood(number));
    }

    /// The next packet of a flood comes to the concentrator.
    fn send_flood_packet(&mut self, owner: u32) {
        let Some(flood) = self.floods.iter_mut().find(|flood| flood.flow.owner == owner) else { return };
        let gap = flood.mean_gap * flood.gaps.exponential();
        let label = flood.flow;
        self.send_from_server(bare_packet_of(label, PacketKind::Background, Direction::Up, self.now), TrainSizes::of(FLOOD_PACKET));
        self.events.push(self.now + Duration::of_secs(gap), Rank::Arrival, PacketEvent::Flood(owner));
    }

    /// A class has other caps.
    pub fn set_shaping(&mut self, now: Time, class: ClassId, shape: Shape) {
        self.now = now;
        self.concentrators.iter_mut().for_each(|hub| hub.set_shaping(class, shape));
    }

    /// A concentrator is another device from now on.
    pub fn replace_device(&mut self, now: Time, unit: ConcentratorId, device: &Concentrator) {
        self.now = now;
        self.concentrators[unit.index()].replace_device(now, device);
    }

    /// A concentrator, its books brought to `now`, and the packets in it.
    pub fn concentrator(&mut self, now: Time, unit: ConcentratorId) -> (&mut PacketConcentrator, &PacketPool) {
        let hub = &mut self.concentrators[unit.index()];
        hub.advance(now);
        (hub, &self.pool)
    }
}

/// A packet that calls for a connection, or accepts it: IP, TCP and its first options [B].
const SYN_SIZE: u32 = 60;

fn bare_packet_of(label: FlowKey, kind: PacketKind, way: Direction, sent: Time) -> Packet {
    Packet { flow: label, kind, direction: way, count: 1, sent, ack: AckInfo::default() }
}

/// Bytes of a packet without payload.
#[allow(clippy::cast_possible_truncation)] // `check` bounds it
fn header_size(tcp: &Tcp) -> u32 {
    tcp.headers.0 as u32
}

#[allow(clippy::cast_possible_truncation)] // `check` bounds both
fn full_size(tcp: &Tcp) -> u32 {
    (tcp.segment.0 + tcp.headers.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Distribution;
    use crate::scenario::model::{
        Balancer, Calendar, Class, Concentrator, Demand, FailBack, Fidelity, Pool, PoolId, Site,
    };
    use crate::scenario::tunnel::TunnelTerms;
    use crate::units::{Bytes, DAY, NANOS, TimeOfDay};

    impl PacketNetwork {
        pub(super) fn is_lost_by_script(&mut self, packet: &Packet) -> bool {
            let named = |&(kind, way, first): &(PacketKind, Direction, u32)| {
                (packet.kind, packet.direction, packet.ack.seq) == (kind, way, first)
            };
            self.script.iter().position(named).map(|place| self.script.swap_remove(place)).is_some()
        }
    }

    const RTT: u64 = NANOS / 50;

    /// One site 20 ms away, and links on which packets take next to no time.
    fn network(script: &[(PacketKind, Direction, u32)]) -> PacketNetwork {
        let wide = BitRate(10_000_000_000);
        let site = Site { name: "s".to_owned(), patients: 1, down: wide, up: wide, rtt: Duration(RTT) };
        let law = || Distribution::Fixed(1.0);
        let model = Model {
            seed: 1,
            antithetic: false,
            calendar: Calendar { weekday: 0, days: 1, from: TimeOfDay(0), until: TimeOfDay(DAY) },
            bin: Duration(NANOS),
            sites: vec![site].into(),
            classes: vec![Class::new("c".to_owned(), Demand::Replayed, law(), law())],
            concentrators: vec![Concentrator::new("hub".to_owned(), wide, Bytes(10_000_000))],
            pools: vec![Pool {
                name: "all".to_owned(),
                concentrators: vec![ConcentratorId(0)],
                balancer: Balancer::HubList,
                fail_back: FailBack::ByHand,
            }],
            pool_of: vec![PoolId(0)],
            tunnels: TunnelTerms::default(),
            faults: Vec::new(),
            changes: Vec::new(),
            transport: Transport::Tcp(Tcp::default()),
            fidelity: Fidelity::Packet(1),
            replay: None,
        };
        PacketNetwork { script: script.to_vec(), ..PacketNetwork::new(&model, 1) }
    }

    /// When an exchange of `turns` over a kept (or an opened) connection is over [ms]; never, if it stalls.
    fn over(script: &[(PacketKind, Direction, u32)], turns: usize, kept: bool, server: Duration) -> Option<f64> {
        let mut network = network(script);
        let label = FlowKey { owner: 0, epoch: 0, site: SiteId(0), class: ClassId(0), concentrator: ConcentratorId(0) };
        let turn = Turn::new(Bytes(500), Bytes(3 * 1_360), Bytes(1_360));
        network.start(Time(0), label, std::iter::repeat_n(turn, turns), server, kept.then_some(Duration(RTT)));
        while network.next_time() < Time(600 * NANOS) {
            let heard = network.step().to_vec();
            if let [Delivery::Done(..)] = heard[..] {
                assert!(network.script.is_empty(), "the script was played: {:?}", network.script);
                assert_eq!(network.connections[0].share_left().to_bits(), 0.0_f64.to_bits(), "all answers have arrived");
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
                let label = FlowKey { owner: 0, epoch: 0, site: SiteId(0), class: ClassId(0), concentrator: ConcentratorId(0) };
                let turn = Turn::new(Bytes(500), Bytes(3 * 1_360), Bytes(1_360));
                network.start(Time(0), label, std::iter::repeat_n(turn, 2), Duration(0), Some(Duration(RTT)));
                let done = std::iter::from_fn(|| {
                    (network.next_time() < Time(10 * NANOS)).then(|| network.step().contains(&Delivery::Done(0, 0)))
                });
                assert!(done.into_iter().any(|done| done), "{script:?} stalls");
                assert!(network.now.secs() < 0.04 + 2.0 * 0.5, "{script:?}: {} s", network.now.secs());
            }
        }
    }
}
