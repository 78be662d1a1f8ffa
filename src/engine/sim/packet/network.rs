//! The network at packet fidelity: packets through concentrators and access links.

use crate::model::{ClassId, Codec, Concentrator, ConcentratorId, Discipline, Model, SiteId, Tcp, Transport};
use crate::random::{Stream, name_of};
use crate::sim::discipline::Shape;
use crate::sim::event_list::{Due, EventList, Rank};
use crate::sim::observer::{ConcentratorSnapshot, Parts};
use crate::sim::packet::access_link::{AccessLink, Train};
use crate::sim::packet::calm_site::CalmSite;
use crate::sim::packet::cohort::{Cohort, Cohorts};
use crate::sim::packet::concentrator::{Enqueued, PacketConcentrator};
use crate::sim::packet::offered_load::OfferedLoad;
use crate::sim::packet::packet_pool::{PacketId, PacketPool, QueuedPacket};
use crate::sim::packet::playout::Playout;
use crate::sim::packet::service_line::Service;
use crate::sim::packet::tcp::connection::Connection;
use crate::sim::packet::way::{ConnectionId, PacketTransfer};
use crate::sim::packet::wire::{Direction, FlowKey, Packet, PacketKind, SYN_SIZE, TrainSizes, header_size};
use crate::sim::route::Route;
use crate::sim::transfer::Delivery;
use crate::sim::turn::TransactionId;
use crate::units::{BitRate, Duration, PacketRate, Time};

/// Events of the packet network.
#[derive(Clone, Copy, Debug)]
pub(super) enum PacketEvent {
    /// A packet arrives at the headend.
    Up(SiteId),
    /// A packet that stood in a line towards the headend arrives there.
    Served(PacketId),
    /// A packet arrives at a site.
    Down(SiteId),
    /// A timer of a connection may expire; void if the flow has another epoch.
    Timer(ConnectionId, u32),
    /// The server has worked out a response.
    Response(ConnectionId, u32),
    /// The last byte of a response arrives, after the head of its train.
    LastByte(ConnectionId, u32),
    /// A transfer is over whose time was known; void if it was stopped.
    Over(TransactionId, u32),
    /// The long transfer of a site may be over that was worked out; void if the site has another.
    Long(SiteId, u32),
    /// A packet of a call is due.
    Voice(u32, u32),
    /// A shaped packet may join the queue.
    Release(PacketId),
    /// A packet of a flood is due.
    Flood(u32),
}

impl Default for PacketEvent {
    /// Fills slots in which nothing is scheduled.
    fn default() -> Self {
        Self::Flood(0)
    }
}

/// Concentrators, access links, connections, and all packets on their way.
#[derive(Debug)]
pub struct PacketNetwork {
    pub(super) tcp: Option<Tcp>,
    /// Packets that a train may have; one where each moves by itself.
    pub(super) longest_train: u32,
    pub(super) now: Time,
    pub(super) events: EventList<PacketEvent>,
    pub(super) concentrators: Vec<PacketConcentrator>,
    /// By concentrator: the end of the packet in service. Half of all events are of this kind, so they stay out of the event list.
    pub(super) service_ends: Vec<Due>,
    pub(super) access_links: Vec<AccessLink>,
    pub(super) connections: Vec<Connection>,
    /// By connection: the transfers that it stands for.
    pub(super) cohorts: Vec<Cohort>,
    pub(super) free_connections: Vec<ConnectionId>,
    /// By transaction.
    pub(super) transfers: Vec<PacketTransfer>,
    /// Whether calm transfers are worked out, and like ones share connections.
    pub(super) samples: bool,
    /// By site: transfers in packets.
    pub(super) in_packets: Vec<u32>,
    /// By site: transfers that are worked out.
    pub(super) sites: Vec<CalmSite>,
    /// Long ones among them.
    pub(super) long_calm: u32,
    /// By concentrator.
    pub(super) offered_load: Vec<OfferedLoad>,
    /// By concentrator: which transfers share connections.
    pub(super) cohorts_at: Vec<Cohorts>,
    /// By concentrator: long transfers in packets, and which attempts.
    pub(super) long_in_packets: Vec<Vec<(TransactionId, u32)>>,
    /// Where a transfer has left that contended.
    pub(super) fewer: Option<ConcentratorId>,
    /// By class: whether each transaction opens a connection, and the server's time for each turn.
    pub(super) classes: Vec<(bool, Duration)>,
    /// By site: the round trip without queues.
    pub(super) rtts: Vec<Duration>,
    pub(super) calls: Vec<VoiceSource>,
    /// By concentrator and class: calls that are a constant rate, but for the packets that they send for a while.
    pub(super) probes: Vec<Vec<u32>>,
    /// By concentrator and class: calls in progress, where they are constant rates.
    pub(super) calls_at: Vec<Vec<u32>>,
    /// Floods in force.
    pub(super) floods: Vec<FloodSource>,
    pub(super) pool: PacketPool,
    pub(super) deliveries: Vec<Delivery>,
    pub(super) dropped: Vec<QueuedPacket>,
    /// Packets that have crossed a queue: a concentrator's or an access link's.
    pub(super) crossings: u64,
    /// The numbers of the classes' names.
    pub(super) class_names: Vec<u64>,
    /// Packets that a test drops, each once: kind, direction and sequence number.
    #[cfg(test)]
    pub(super) script: Vec<(PacketKind, Direction, u32)>,
}

/// A site that floods the network. Its packets come at random: at fixed times they would synchronise with others and take
/// every place that becomes free (Floyd & Jacobson 1991).
#[derive(Clone, Debug)]
pub(super) struct FloodSource {
    pub(super) flow: FlowKey,
    /// What it offers [bit/s].
    pub(super) rate: u64,
    /// Mean time between packets [s].
    pub(super) mean_gap: f64,
    pub(super) gaps: Stream,
}

/// A call in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct VoiceSource {
    pub(super) flow: FlowKey,
    pub(super) codec: Codec,
    /// From the site, and to it.
    pub(super) ways: [Playout; 2],
    /// Calls for which it stands.
    pub(super) speaks_for: f64,
    pub(super) on: bool,
}

/// The highest rates of one tunnel at any concentrator, in bits and in packets a second; where packets are simulated they limit
/// the access link.
fn tunnel_limits(model: &Model) -> (BitRate, Option<PacketRate>) {
    let any = BitRate(u64::MAX);
    let rates = model.concentrators.iter().map(|concentrator| concentrator.per_tunnel.unwrap_or(any));
    let packets = model.concentrators.iter().map(|concentrator| concentrator.per_tunnel_packets);
    (rates.max().unwrap_or(any), packets.collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max()))
}

/// A bucket of the event list lasts 2 to so many nanoseconds: 131 us.
const BUCKET: u32 = 17;

/// Most events of a step: between steps the run looks whether it is to stop.
const BATCH: u32 = 1024;

impl PacketNetwork {
    /// An idle network whose senders form trains of up to `grain` packets; `samples` if calm transfers are worked out, and like
    /// ones share connections where many contend.
    #[must_use]
    pub fn new(model: &Model, grain: u32, samples: bool) -> Self {
        let (tcp, buffer) = match model.transport {
            Transport::Ideal => (None, Duration(u64::MAX / 4)),
            Transport::Tcp(tcp) => (Some(tcp), tcp.access_buffer),
        };
        let names: Vec<u64> = model.classes.iter().map(|class| name_of(&class.name)).collect();
        Self {
            tcp,
            longest_train: grain.max(1),
            now: Time(0),
            events: EventList::new(BUCKET),
            concentrators: model
                .concentrators
                .iter()
                .map(|concentrator| PacketConcentrator::new(concentrator, tcp.is_none(), &names))
                .collect(),
            service_ends: vec![Due::NEVER; model.concentrators.len()],
            access_links: model.sites.iter().map(|site| AccessLink::new(site, tunnel_limits(model), buffer)).collect(),
            connections: Vec::new(),
            cohorts: Vec::new(),
            free_connections: Vec::new(),
            transfers: Vec::new(),
            samples,
            in_packets: vec![0; model.sites.len()],
            long_calm: 0,
            sites: vec![CalmSite::IDLE; model.sites.len()],
            offered_load: vec![OfferedLoad::new(model.sites.len()); model.concentrators.len()],
            cohorts_at: model.concentrators.iter().map(|_| Cohorts::new(model.classes.len())).collect(),
            long_in_packets: vec![Vec::new(); model.concentrators.len()],
            fewer: None,
            classes: model.classes.iter().map(|class| (class.connects, class.server)).collect(),
            rtts: model.sites.iter().map(|site| site.rtt).collect(),
            calls: Vec::new(),
            probes: vec![vec![0; model.classes.len()]; model.concentrators.len()],
            calls_at: vec![vec![0; model.classes.len()]; model.concentrators.len()],
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

    /// Time of the next event.
    #[must_use]
    pub fn next_time(&mut self) -> Time {
        self.events.next_time().min(self.next_service_end().0.time())
    }

    /// The next end of service, and the concentrator.
    #[inline]
    pub(super) fn next_service_end(&self) -> (Due, ConcentratorId) {
        let mut first = (Due::NEVER, 0);
        for (place, &end) in self.service_ends.iter().enumerate() {
            if end < first.0 {
                first = (end, place);
            }
        }
        (first.0, ConcentratorId::of(first.1))
    }

    /// Handles events up to `until`, or until one of them delivers something: its time, and what it delivers.
    pub fn step(&mut self, until: Time) -> (Time, &[Delivery]) {
        self.deliveries.clear();
        for _ in 0..BATCH {
            self.handle_next();
            if let Some(at) = self.fewer.take() {
                self.split_if_few(at);
                self.settle_if_calm(at);
            }
            if !self.deliveries.is_empty() || self.next_time() > until {
                break;
            }
        }
        (self.now, &self.deliveries)
    }

    #[inline]
    fn handle_next(&mut self) {
        let (end, concentrator) = self.next_service_end();
        if let Some((now, &event)) = self.events.pop_ahead_of(end) {
            self.now = now;
            self.handle(event);
        } else if end < Due::NEVER {
            self.now = end.time();
            self.end_service(concentrator);
        }
    }

    /// Packets that have crossed a queue.
    #[must_use]
    pub fn crossings(&self) -> u64 {
        self.crossings
    }

    pub(super) fn handle(&mut self, event: PacketEvent) {
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
            PacketEvent::Served(id) => self.leave_for_headend(id),
            PacketEvent::Timer(id, epoch) => self.on_timer(id, epoch),
            PacketEvent::Response(id, epoch) => {
                if self.is_current(id, epoch) {
                    self.send_response(id);
                }
            }
            PacketEvent::LastByte(id, epoch) => {
                if self.is_current(id, epoch) {
                    self.response_done(id);
                }
            }
            PacketEvent::Over(id, epoch) => self.on_over(id, epoch),
            PacketEvent::Long(site, epoch) => self.on_long(site, epoch),
            PacketEvent::Voice(call, epoch) => self.send_voice(call, epoch),
            PacketEvent::Flood(owner) => self.send_flood_packet(owner),
            PacketEvent::Release(id) => self.enqueue(id),
        }
    }

    pub(super) fn send(&mut self, packet: Packet, inside: TrainSizes) {
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
    #[inline]
    pub(super) fn send_from_site(&mut self, packet: Packet, inside: TrainSizes) {
        let concentrator = &self.concentrators[packet.flow.concentrator.index()];
        let queued = concentrator.encapsulate(packet, inside, self.now);
        let train = Train { from: self.now, until: self.now + packet.tail, bytes: queued.bytes(), last: queued.last() };
        self.crossings += u64::from(packet.count);
        let id = self.pool.add(queued);
        match self.access_links[packet.flow.site.index()].up.send(train, &mut self.pool, id) {
            Ok(Some(at)) => self.events.push(at, Rank::Arrival, PacketEvent::Up(packet.flow.site)),
            Ok(None) => {}
            Err(()) => {
                let packet = self.pool.take(id);
                self.report_loss(&packet);
            }
        }
    }

    /// A packet leaves a server.
    #[inline]
    pub(super) fn send_from_server(&mut self, packet: Packet, inside: TrainSizes) {
        let queued = self.concentrators[packet.flow.concentrator.index()].encapsulate(packet, inside, self.now);
        let id = self.pool.add(queued);
        self.enter_concentrator(id);
    }

    /// A packet enters the concentrator through its shaper.
    #[inline]
    pub(super) fn enter_concentrator(&mut self, id: PacketId) {
        let queued = &self.pool[id];
        match self.concentrators[queued.packet.flow.concentrator.index()].shape(self.now, queued) {
            Ok(Some(at)) if at > self.now => {
                self.events.push(at, Rank::Arrival, PacketEvent::Release(id));
            }
            Ok(_) => self.enqueue(id),
            Err(()) => {
                let packet = self.pool.take(id);
                self.report_loss(&packet);
            }
        }
    }

    /// A packet joins the concentrator's queue.
    #[inline]
    pub(super) fn enqueue(&mut self, id: PacketId) {
        let concentrator = self.pool[id].packet.flow.concentrator;
        self.dropped.clear();
        match self.concentrators[concentrator.index()].arrive(self.now, &mut self.pool, id, &mut self.dropped) {
            Enqueued::Waits => {}
            Enqueued::Served(end) => self.service_ends[concentrator.index()] = self.events.due(end, Rank::Arrival),
            Enqueued::Leaves(service) => self.leave_line(concentrator, id, service),
        }
        for place in 0..self.dropped.len() {
            let packet = self.dropped[place].packet;
            self.report_loss(&packet);
        }
    }

    /// It is known when a packet leaves its line.
    #[inline]
    fn leave_line(&mut self, at: ConcentratorId, id: PacketId, service: Service) {
        if self.pool[id].packet.direction == Direction::Down {
            return self.send_to_site(id, service);
        }
        if self.concentrators[at.index()].line().push_up(service.ends, id) {
            self.service_ends[at.index()] = self.events.due(service.ends, Rank::Arrival);
        }
    }

    /// A packet leaves the concentrator.
    #[inline]
    pub(super) fn end_service(&mut self, at: ConcentratorId) {
        let concentrator = &mut self.concentrators[at.index()];
        let (id, began, next) = match concentrator.line().pop_up() {
            Some((id, next)) => (id, self.now, next),
            None => match concentrator.end_service(self.now, &self.pool) {
                Some(ended) => ended,
                None => return,
            },
        };
        self.service_ends[at.index()] = next.map_or(Due::NEVER, |next| self.events.due(next, Rank::Arrival));
        if self.pool[id].packet.direction == Direction::Down {
            return self.send_to_site(id, Service { began, ends: self.now });
        }
        self.leave_for_headend(id);
    }

    /// A packet that has been served arrives at the servers.
    #[inline]
    fn leave_for_headend(&mut self, id: PacketId) {
        let at = self.pool[id].at;
        let mut packet = self.pool.take(id);
        self.crossings += u64::from(packet.count);
        packet.tail = (at + packet.tail).max(self.now).since(self.now);
        self.deliver_to_server(&packet);
    }

    /// A packet that is served so takes the access link.
    #[inline]
    fn send_to_site(&mut self, id: PacketId, Service { began, ends }: Service) {
        let queued = &self.pool[id];
        let packet = &queued.packet;
        let each = ends.since(began).0 / u64::from(packet.count);
        let from = if packet.kind == PacketKind::Message { began } else { began + Duration(each) };
        // The sender may not have sent the last packet when the device could have served it.
        let until = ends.max(queued.at + packet.tail);
        let train = Train { from, until, bytes: queued.bytes(), last: queued.last() };
        self.crossings += 2 * u64::from(packet.count);
        let site = packet.flow.site;
        match self.access_links[site.index()].down.send(train, &mut self.pool, id) {
            Ok(Some(at)) => self.events.push(at, Rank::Arrival, PacketEvent::Down(site)),
            Ok(None) => {}
            Err(()) => {
                let packet = self.pool.take(id);
                self.report_loss(&packet);
            }
        }
    }

    /// A packet arrives at the servers.
    pub(super) fn deliver_to_server(&mut self, packet: &Packet) {
        let (id, flow) = (packet.flow.owner, packet.flow);
        match packet.kind {
            // The server accepts every connection.
            PacketKind::Syn => {
                self.send_from_server(
                    Packet::control(flow, PacketKind::SynAck, Direction::Down, packet.sent),
                    TrainSizes::of(SYN_SIZE),
                );
            }
            PacketKind::Fin => {
                let bytes = self.tcp.as_ref().map_or(0, header_size);
                self.send_from_server(
                    Packet::control(flow, PacketKind::FinAck, Direction::Down, self.now),
                    TrainSizes::of(bytes),
                );
            }
            PacketKind::Voice => self.on_voice(packet),
            PacketKind::Data if self.is_current(id, flow.epoch) => {
                self.on_request(packet);
            }
            PacketKind::Ack if self.is_current(id, flow.epoch) => {
                let sender = &mut self.connections[id as usize].down.sender;
                sender.on_ack(self.now, &packet.ack, packet.sent);
                self.send_allowed(id, Direction::Down, packet.tail);
                self.arm_timer(id);
            }
            _ => {}
        }
    }

    /// A packet arrives at a site.
    pub(super) fn deliver_to_site(&mut self, packet: &Packet) {
        let (id, epoch) = (packet.flow.owner, packet.flow.epoch);
        match packet.kind {
            PacketKind::Voice => self.on_voice(packet),
            PacketKind::Message => self.deliveries.push(Delivery::Transfer { id, epoch, after: Parts::default() }),
            PacketKind::SynAck if self.is_current(id, epoch) => {
                self.on_syn_ack(id, packet.sent);
            }
            PacketKind::Data if self.is_current(id, epoch) => self.on_response(packet),
            PacketKind::Ack if self.is_current(id, epoch) => {
                let sender = &mut self.connections[id as usize].up.sender;
                sender.on_ack(self.now, &packet.ack, packet.sent);
                self.send_allowed(id, Direction::Up, packet.tail);
                self.arm_timer(id);
            }
            _ => {}
        }
    }

    /// Sets a concentrator's throughput.
    pub fn set_rate(&mut self, now: Time, concentrator: ConcentratorId, throughput: BitRate) {
        self.now = now;
        self.concentrators[concentrator.index()].set_rate(now, throughput);
        self.reconsider(concentrator);
    }

    /// Sets a concentrator's discipline.
    pub fn set_discipline(&mut self, now: Time, concentrator: ConcentratorId, order: &Discipline) {
        self.now = now;
        self.dropped.clear();
        let device = &mut self.concentrators[concentrator.index()];
        device.set_discipline(&mut self.pool, order, &self.class_names, &mut self.dropped);
        let mut left = false;
        for (at, id) in device.line().drain_up() {
            self.events.push(at, Rank::Arrival, PacketEvent::Served(id));
            left = true;
        }
        if left {
            self.service_ends[concentrator.index()] = Due::NEVER;
        }
    }

    /// Sets the caps of a class.
    pub fn set_shaping(&mut self, now: Time, class: ClassId, shape: Shape) {
        self.now = now;
        self.concentrators.iter_mut().for_each(|concentrator| concentrator.set_shaping(class, shape));
        if shape != Shape::NONE {
            self.go_on_in_class(class);
        }
    }

    /// Replaces a concentrator by another device.
    pub fn replace_device(
        &mut self,
        now: Time,
        concentrator: ConcentratorId,
        device: &Concentrator,
        calls: &[(Route, Codec)],
    ) {
        self.now = now;
        self.recount_calls(calls, false);
        self.concentrators[concentrator.index()].replace_device(now, device);
        self.recount_calls(calls, true);
        self.reconsider(concentrator);
    }

    /// What is inside a concentrator, and what went through.
    pub fn snapshot(&mut self, now: Time, at: ConcentratorId, snapshot: &mut ConcentratorSnapshot) {
        let concentrator = &mut self.concentrators[at.index()];
        concentrator.advance(now);
        snapshot.inside.clear();
        snapshot.inside.resize(self.classes.len(), 0.0);
        concentrator.backlog(&self.pool, &mut snapshot.inside);
        concentrator.mean_waits(&mut snapshot.queue);
        let counters = concentrator.counters();
        snapshot.carried.clone_from(&counters.served);
        snapshot.admitted.clone_from(&counters.arrived);
        snapshot.withdrawn.clone_from(&counters.lost);
        snapshot.capacity = counters.capacity;
        snapshot.at_ceiling = 0;
    }
}
