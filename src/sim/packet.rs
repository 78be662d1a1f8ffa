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
use crate::scenario::model::{ClassId, Codec, Discipline, Model, SiteId, Tcp, Transport, Unit, UnitId};
use crate::sim::band::FlowId;
use crate::sim::calendar::{Calendar, Due, Rank};
use crate::sim::discipline::Shape;
use crate::sim::transport::Turn;
use crate::units::{BitRate, Span, Time};
use connection::Connection;
use hub::Hub;
use line::{Line, Train};
use parcel::{Parcel, ParcelId, Parcels};
use receiver::Reply;
use wire::{Kind, Label, Packet, Says, Sizes, Way, short};

/// What is scheduled.
#[derive(Clone, Copy, Debug)]
enum Event {
    /// A packet comes to the headend.
    Up(SiteId),
    /// A packet comes to a site.
    Down(SiteId),
    /// A connection's alarm rings; void if it was set anew.
    Alarm(FlowId, u32),
    /// The server has an answer.
    Answer(FlowId, u32),
    /// A packet of a call is due.
    Voice(u32, u32),
    /// A shaped packet may join the queue.
    Release(ParcelId),
    /// A packet of a flood is due.
    Flood(u32),
}

impl Default for Event {
    /// Stands where nothing is scheduled yet.
    fn default() -> Self {
        Self::Flood(0)
    }
}

/// What those outside should know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Heard {
    /// The last byte of a flow is at its site, on this journey.
    Done(FlowId, u32),
    /// A packet of a call arrived, or was lost.
    Voice {
        /// Of which class.
        class: ClassId,
        /// To which site.
        site: SiteId,
        /// How long it took, and how much that differs from the one before; none if it is lost.
        delay: Option<(Span, Span)>,
    },
}

/// The network and everything on its way in it.
#[derive(Debug)]
pub struct Packets {
    tcp: Option<Tcp>,
    grain: u32,
    now: Time,
    calendar: Calendar<Event>,
    hubs: Vec<Hub>,
    /// When each of them has served the packet in service. That is half of all that happens, and stays out of the calendar.
    ends: Vec<Due>,
    lines: Vec<Line>,
    connections: Vec<Connection>,
    calls: Vec<Call>,
    /// Floods in force.
    floods: Vec<Flood>,
    parcels: Parcels,
    heard: Vec<Heard>,
    lost: Vec<Parcel>,
    /// Packets that crossed a queue: a concentrator's or an access link's.
    crossed: u64,
    /// The numbers of the classes' names.
    names: Vec<u64>,
    /// Packets that a test loses, each once: what they are for, which way they go, and the first segment that they name.
    #[cfg(test)]
    script: Vec<(Kind, Way, u32)>,
}

/// A site that sends what nobody asked for. Its packets come at random: at fixed times they would fall in step with those
/// of others, and take every place that comes free (Floyd & Jacobson 1991).
#[derive(Clone, Debug)]
struct Flood {
    label: Label,
    /// Mean time between packets [s].
    every: f64,
    gaps: Stream,
}

/// A call in progress.
#[derive(Clone, Copy, Debug)]
struct Call {
    label: Label,
    codec: Codec,
    last: Option<Span>,
    on: bool,
}

/// What one tunnel can carry at any of the concentrators: at packet fidelity it holds a site's link back.
fn ceiling(model: &Model) -> BitRate {
    model.units.iter().filter_map(|unit| unit.per_tunnel).max().unwrap_or(BitRate(u64::MAX))
}

/// A bucket of the calendar lasts 2 to so many nanoseconds: 131 us.
const BUCKET: u32 = 17;
/// Bytes of a flood's packets.
const FLOOD_PACKET: u32 = 1400;
/// Acknowledgements wait at most so long for a second segment (Linux, `TCP_DELACK_MIN`).
const DELAYED_ACK: Span = Span(40_000_000);

impl Packets {
    /// An idle network whose senders form trains of up to `grain` packets.
    #[must_use]
    pub fn new(model: &Model, grain: u32) -> Self {
        let (tcp, buffer) = match model.transport {
            Transport::Ideal => (None, Span(u64::MAX / 4)),
            Transport::Tcp(tcp) => (Some(tcp), tcp.access_buffer),
        };
        let names: Vec<u64> = model.classes.iter().map(|class| name_of(&class.name)).collect();
        Self {
            tcp,
            grain: grain.max(1),
            now: Time(0),
            calendar: Calendar::new(BUCKET),
            hubs: model.units.iter().map(|unit| Hub::new(unit, tcp.is_none(), &names)).collect(),
            ends: vec![Due::NEVER; model.units.len()],
            lines: model.sites.iter().map(|site| Line::new(site, ceiling(model), buffer)).collect(),
            connections: Vec::new(),
            calls: Vec::new(),
            floods: Vec::new(),
            parcels: Parcels::default(),
            heard: Vec::new(),
            lost: Vec::new(),
            crossed: 0,
            names,
            #[cfg(test)]
            script: Vec::new(),
        }
    }

    /// When something happens next.
    #[must_use]
    pub fn next_time(&mut self) -> Time {
        self.calendar.next_time().min(self.first_end().0.time())
    }

    /// When a packet in service is served first, and by which concentrator.
    #[inline]
    fn first_end(&self) -> (Due, UnitId) {
        let mut first = (Due::NEVER, 0);
        for (place, &end) in self.ends.iter().enumerate() {
            if end < first.0 {
                first = (end, place);
            }
        }
        (first.0, UnitId::of(first.1))
    }

    /// Lets happen what happens next, and tells what those outside should know.
    pub fn step(&mut self) -> &[Heard] {
        self.heard.clear();
        let (end, unit) = self.first_end();
        if let Some((now, &event)) = self.calendar.pop_ahead_of(end) {
            self.now = now;
            self.handle(event);
        } else if end < Due::NEVER {
            self.now = end.time();
            self.served(unit);
        }
        &self.heard
    }

    /// Packets that crossed a queue so far.
    #[must_use]
    pub fn crossed(&self) -> u64 {
        self.crossed
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Up(site) => {
                let Some((id, next)) = self.lines[site.index()].up.arrive(&self.parcels) else { return };
                if let Some(next) = next {
                    self.calendar.push(next, Rank::Arrival, Event::Up(site));
                }
                if self.hubs[self.parcels[id].packet.label.unit.index()].both {
                    self.parcels[id].at = self.now;
                    self.come(id);
                } else {
                    let packet = self.parcels.take(id);
                    self.at_headend(&packet);
                }
            }
            Event::Down(site) => {
                let Some((id, next)) = self.lines[site.index()].down.arrive(&self.parcels) else { return };
                if let Some(next) = next {
                    self.calendar.push(next, Rank::Arrival, Event::Down(site));
                }
                let packet = self.parcels.take(id);
                self.at_site(&packet);
            }
            Event::Alarm(id, life) => self.alarm(id, life),
            Event::Answer(id, life) => {
                if self.lives(id, life) {
                    self.answer(id);
                }
            }
            Event::Voice(call, life) => self.speak(call, life),
            Event::Flood(owner) => self.swell(owner),
            Event::Release(id) => self.join(id),
        }
    }

    fn lives(&self, id: FlowId, life: u32) -> bool {
        self.connections.get(id as usize).is_some_and(|connection| connection.label.life == life && !connection.over)
    }

    /// A flow sets off: its connection is called for, or stands, and its requests follow each other.
    pub fn open(
        &mut self,
        now: Time,
        label: Label,
        turns: impl Iterator<Item = Turn>,
        server: Span,
        stands: Option<Span>,
    ) {
        self.now = now;
        let Some(tcp) = self.tcp else {
            self.send_whole(label, turns);
            return;
        };
        let place = label.owner as usize;
        if self.connections.len() <= place {
            self.connections.resize_with(place + 1, || Connection::new(label, &tcp));
        }
        let connection = &mut self.connections[place];
        connection.open(label, &tcp, turns, server, stands);
        if stands.is_some() {
            self.ask(label.owner);
        } else {
            self.call_for(label.owner);
        }
        self.wake(label.owner);
    }

    /// Where transport is ideal a transfer is one packet, however large.
    fn send_whole(&mut self, label: Label, turns: impl Iterator<Item = Turn>) {
        let bytes: u64 = turns.map(|turn| turn.response.0).sum();
        let (count, rest) = (bytes >> 30, (bytes & ((1 << 30) - 1)) as u32);
        let count = u16::try_from(count).unwrap_or(u16::MAX - 1) + 1;
        let packet = Packet { count, ..bare(label, Kind::Whole, Way::Down, self.now) };
        self.enter(packet, Sizes { each: 1 << 30, tail: rest });
    }

    /// A flow is given up; what is on its way in it is void. Gives the share that had not arrived.
    pub fn close(&mut self, id: FlowId) -> f64 {
        let Some(connection) = self.connections.get_mut(id as usize) else { return 1.0 };
        connection.over = true;
        connection.left()
    }

    /// The call for a connection, the first or a repeated one.
    fn call_for(&mut self, id: FlowId) {
        let connection = &mut self.connections[id as usize];
        connection.call(self.now);
        let label = connection.label;
        self.send_up(bare(label, Kind::Syn, Way::Up, self.now), Sizes::of(SET_UP));
    }

    fn ask(&mut self, id: FlowId) {
        let Some(tcp) = self.tcp else { return };
        self.connections[id as usize].ask(&tcp);
        self.pump(id, Way::Up);
    }

    fn answer(&mut self, id: FlowId) {
        let Some(tcp) = self.tcp else { return };
        self.connections[id as usize].answer(&tcp);
        self.pump(id, Way::Down);
        self.wake(id);
    }

    /// Sends what the window allows, in trains of the grain, but of no more than a quarter of the window, lest it beat in time
    /// with itself.
    #[inline(always)]
    fn pump(&mut self, id: FlowId, way: Way) {
        let sender = &mut self.connections[id as usize].half(way).sender;
        let most = self.grain.min((sender.window() / 4).max(1));
        while let Some((mut first, mut count)) = self.connections[id as usize].half(way).sender.send(self.now) {
            while count > most {
                self.send_data(id, way, (first, most));
                (first, count) = (first + most, count - most);
            }
            self.send_data(id, way, (first, count));
        }
    }

    fn send_data(&mut self, id: FlowId, way: Way, (first, count): (u32, u32)) {
        let Some(tcp) = self.tcp else { return };
        let connection = &mut self.connections[id as usize];
        let label = connection.label;
        let half = connection.half(way);
        let full = full_packet(&tcp);
        let bare = bare_packet(&tcp);
        if count > 1 && half.ends_with_fin(first + count - 1) {
            // All packets of a train but the last are full: the end of a message and the FIN behind it do not share one.
            cold_path();
            self.send_data(id, way, (first, count - 1));
            self.send_data(id, way, (first + count - 1, 1));
            return;
        }
        let tail = half.size(first + count - 1, full, bare);
        let says = Says::of(first);
        let packet = Packet { label, kind: Kind::Data, way, count: short(count), sent: self.now, says };
        self.send(packet, Sizes { each: full, tail });
    }

    /// The receiver of `way` says what has arrived.
    fn acknowledge(&mut self, id: FlowId, way: Way, echo: Time) {
        let Some(tcp) = self.tcp else { return };
        let connection = &mut self.connections[id as usize];
        let label = connection.label;
        let (says, count) = connection.half(way).receiver.say();
        if way == Way::Down {
            connection.owed = Time::NEVER;
        }
        let back = if way == Way::Down { Way::Up } else { Way::Down };
        let packet = Packet { count: short(count), says, ..bare(label, Kind::Ack, back, echo) };
        self.send(packet, Sizes::of(bare_packet(&tcp)));
    }

    fn send(&mut self, packet: Packet, inside: Sizes) {
        #[cfg(test)]
        if self.is_lost_by_script(&packet) {
            return;
        }
        match packet.way {
            Way::Up => self.send_up(packet, inside),
            Way::Down => self.enter(packet, inside),
        }
    }

    /// A packet leaves a site.
    #[inline(always)]
    fn send_up(&mut self, packet: Packet, inside: Sizes) {
        let hub = &self.hubs[packet.label.unit.index()];
        let parcel = hub.parcel(packet, inside, self.now);
        let train = Train { from: self.now, until: self.now, bytes: parcel.bytes(), last: parcel.last() };
        self.crossed += u64::from(packet.count);
        let id = self.parcels.add(parcel);
        match self.lines[packet.label.site.index()].up.pass(train, &mut self.parcels, id) {
            Ok(Some(at)) => self.calendar.push(at, Rank::Arrival, Event::Up(packet.label.site)),
            Ok(None) => {}
            Err(()) => {
                cold_path();
                self.parcels.drop(id);
            }
        }
    }

    /// A packet sets out at the headend.
    #[inline(always)]
    fn enter(&mut self, packet: Packet, inside: Sizes) {
        let parcel = self.hubs[packet.label.unit.index()].parcel(packet, inside, self.now);
        let id = self.parcels.add(parcel);
        self.come(id);
    }

    /// A packet comes to the concentrator, and to its shaper first.
    #[inline(always)]
    fn come(&mut self, id: ParcelId) {
        let parcel = &self.parcels[id];
        match self.hubs[parcel.packet.label.unit.index()].shape(self.now, parcel) {
            Ok(Some(at)) if at > self.now => {
                cold_path();
                self.calendar.push(at, Rank::Arrival, Event::Release(id));
            }
            Ok(_) => self.join(id),
            Err(()) => {
                cold_path();
                let packet = self.parcels.take(id);
                self.tell_lost(&packet);
            }
        }
    }

    /// A packet joins the concentrator's queue.
    #[inline(always)]
    fn join(&mut self, id: ParcelId) {
        let unit = self.parcels[id].packet.label.unit;
        self.lost.clear();
        if let Some(end) = self.hubs[unit.index()].arrive(self.now, &mut self.parcels, id, &mut self.lost) {
            self.ends[unit.index()] = self.calendar.due(end, Rank::Arrival);
        }
        for place in 0..self.lost.len() {
            cold_path();
            let packet = self.lost[place].packet;
            self.tell_lost(&packet);
        }
    }

    fn tell_lost(&mut self, packet: &Packet) {
        if packet.kind == Kind::Voice && packet.way == Way::Down {
            self.heard.push(Heard::Voice { class: packet.label.class, site: packet.label.site, delay: None });
        }
    }

    /// A packet leaves the concentrator.
    #[inline(always)]
    fn served(&mut self, unit: UnitId) {
        let hub = &mut self.hubs[unit.index()];
        let Some((id, began, next)) = hub.served(self.now, &self.parcels) else { return };
        let parcel = &self.parcels[id];
        let packet = &parcel.packet;
        self.crossed += u64::from(packet.count);
        self.ends[unit.index()] = next.map_or(Due::NEVER, |next| self.calendar.due(next, Rank::Arrival));
        if packet.way == Way::Up {
            let packet = self.parcels.take(id);
            self.at_headend(&packet);
            return;
        }
        let each = self.now.since(began).0 / u64::from(packet.count);
        let from = if packet.kind == Kind::Whole { began } else { began + Span(each) };
        let train = Train { from, until: self.now, bytes: parcel.bytes(), last: parcel.last() };
        self.crossed += u64::from(packet.count);
        let site = packet.label.site;
        match self.lines[site.index()].down.pass(train, &mut self.parcels, id) {
            Ok(Some(at)) => self.calendar.push(at, Rank::Arrival, Event::Down(site)),
            Ok(None) => {}
            Err(()) => {
                cold_path();
                let packet = self.parcels.take(id);
                self.tell_lost(&packet);
            }
        }
    }

    /// A packet arrives at the servers.
    fn at_headend(&mut self, packet: &Packet) {
        let (id, label) = (packet.label.owner, packet.label);
        match packet.kind {
            // The server accepts whoever calls.
            Kind::Syn => {
                cold_path();
                self.enter(bare(label, Kind::SynAck, Way::Down, packet.sent), Sizes::of(SET_UP));
            }
            Kind::Fin => {
                cold_path();
                let bytes = self.tcp.as_ref().map_or(0, bare_packet);
                self.enter(bare(label, Kind::Last, Way::Down, self.now), Sizes::of(bytes));
            }
            Kind::Data if self.lives(id, label.life) => {
                cold_path();
                self.request_arrives(packet);
            }
            Kind::Ack if self.lives(id, label.life) => {
                let sender = &mut self.connections[id as usize].down.sender;
                sender.acknowledged(self.now, &packet.says, packet.sent);
                self.pump(id, Way::Down);
                self.wake(id);
            }
            _ => {}
        }
    }

    fn request_arrives(&mut self, packet: &Packet) {
        let id = packet.label.owner;
        let connection = &mut self.connections[id as usize];
        let reply = connection.up.receiver.arrive(packet.says.first, u32::from(packet.count));
        if connection.take_request() {
            // The request says that the answer before it has arrived.
            connection.down.sender.all_arrived(self.now);
            if connection.server > Span(0) {
                let at = self.now + connection.server;
                self.calendar.push(at, Rank::Arrival, Event::Answer(id, packet.label.life));
                self.acknowledge(id, Way::Up, packet.sent);
            } else {
                self.answer(id);
            }
        } else if reply == Reply::Now {
            self.acknowledge(id, Way::Up, packet.sent);
        }
    }

    /// A packet arrives at a site.
    fn at_site(&mut self, packet: &Packet) {
        let (id, life) = (packet.label.owner, packet.label.life);
        match packet.kind {
            Kind::Voice => self.hear(packet),
            Kind::Whole => self.heard.push(Heard::Done(id, life)),
            Kind::SynAck if self.lives(id, life) => {
                cold_path();
                self.accepted(id, packet.sent);
            }
            Kind::Data if self.lives(id, life) => self.response_arrives(packet),
            Kind::Ack if self.lives(id, life) => {
                cold_path();
                let sender = &mut self.connections[id as usize].up.sender;
                sender.acknowledged(self.now, &packet.says, packet.sent);
                self.pump(id, Way::Up);
                self.wake(id);
            }
            _ => {}
        }
    }

    /// The connection stands: both ends have measured a round trip, and the first request leaves.
    fn accepted(&mut self, id: FlowId, called: Time) {
        let connection = &mut self.connections[id as usize];
        if connection.calling.take().is_none() {
            return;
        }
        let trip = self.now.since(called);
        connection.up.sender.measured(trip);
        connection.down.sender.measured(trip);
        self.ask(id);
        self.wake(id);
    }

    fn response_arrives(&mut self, packet: &Packet) {
        let id = packet.label.owner;
        let connection = &mut self.connections[id as usize];
        connection.answered(self.now, packet.says.first, u32::from(packet.count));
        let mut owes = false;
        let reply = connection.down.receiver.arrive(packet.says.first, u32::from(packet.count));
        if connection.complete() {
            cold_path();
            let more = connection.has_more();
            self.acknowledge(id, Way::Down, packet.sent);
            if more {
                self.ask(id);
            } else {
                self.finish(id);
                return;
            }
        } else if reply == Reply::Now {
            self.acknowledge(id, Way::Down, packet.sent);
        } else if connection.owed == Time::NEVER {
            connection.owed = self.now + DELAYED_ACK;
            owes = true;
        }
        // Nothing else here sets an alarm but a request on its way.
        if owes || !self.connections[id as usize].asked() {
            self.wake(id);
        }
    }

    fn finish(&mut self, id: FlowId) {
        let Some(tcp) = self.tcp else { return };
        let connection = &mut self.connections[id as usize];
        connection.over = true;
        let (label, connects) = (connection.label, connection.called);
        if connects {
            self.send_up(bare(label, Kind::Fin, Way::Up, self.now), Sizes::of(bare_packet(&tcp)));
        }
        self.heard.push(Heard::Done(id, self.connections[id as usize].label.life));
    }

    /// Sets the connection's alarm, unless one rings before.
    fn wake(&mut self, id: FlowId) {
        let connection = &mut self.connections[id as usize];
        let due = connection.due();
        if !connection.over && due < connection.alarm {
            connection.alarm = due;
            self.calendar.push(due.max(self.now), Rank::Arrival, Event::Alarm(id, connection.label.life));
        }
    }

    fn alarm(&mut self, id: FlowId, life: u32) {
        if !self.lives(id, life) || self.connections[id as usize].alarm > self.now {
            return;
        }
        let connection = &mut self.connections[id as usize];
        connection.alarm = Time::NEVER;
        if connection.call_again() <= self.now {
            self.call_for(id);
        }
        let connection = &mut self.connections[id as usize];
        if connection.owed <= self.now {
            self.acknowledge(id, Way::Down, self.now);
        }
        for way in [Way::Up, Way::Down] {
            let sender = &mut self.connections[id as usize].half(way).sender;
            if sender.alarm() <= self.now {
                if let Some(probe) = sender.ring(self.now) {
                    self.send_data(id, way, probe);
                }
                self.pump(id, way);
            }
        }
        self.wake(id);
    }

    /// A call begins; its packets go both ways. Its label's owner is its place, its life is given here.
    pub fn call(&mut self, now: Time, label: Label, codec: Codec, after: Span) {
        let call = Call { label, codec, last: None, on: true };
        let place = label.owner as usize;
        if self.calls.len() <= place {
            self.calls.resize(place + 1, Call { on: false, label: Label { life: 0, ..label }, ..call });
        }
        let life = self.calls[place].label.life + 1;
        self.calls[place] = Call { label: Label { life, ..call.label }, ..call };
        self.calendar.push(now + after, Rank::Arrival, Event::Voice(label.owner, life));
    }

    /// A call ends.
    pub fn hang_up(&mut self, slot: u32) {
        self.calls[slot as usize].on = false;
    }

    fn speak(&mut self, slot: u32, life: u32) {
        let call = self.calls[slot as usize];
        if !call.on || call.label.life != life {
            return;
        }
        #[allow(clippy::cast_possible_truncation)] // a packet of a codec
        let inside = Sizes::of(call.codec.packet.0 as u32);
        self.send_up(bare(call.label, Kind::Voice, Way::Up, self.now), inside);
        self.enter(bare(call.label, Kind::Voice, Way::Down, self.now), inside);
        self.calendar.push(self.now + call.codec.every, Rank::Arrival, Event::Voice(slot, life));
    }

    fn hear(&mut self, packet: &Packet) {
        let call = &mut self.calls[packet.label.owner as usize];
        let delay = self.now.since(packet.sent);
        let change = call.last.map_or(Span(0), |last| Span(delay.0.abs_diff(last.0)));
        call.last = Some(delay);
        let delay = Some((delay, change));
        self.heard.push(Heard::Voice { class: packet.label.class, site: packet.label.site, delay });
    }

    /// A concentrator has another throughput.
    pub fn resize(&mut self, now: Time, unit: UnitId, throughput: BitRate) {
        self.now = now;
        self.hubs[unit.index()].resize(now, throughput);
    }

    /// A concentrator serves in another order.
    pub fn serve(&mut self, now: Time, unit: UnitId, order: &Discipline) {
        self.now = now;
        self.lost.clear();
        self.hubs[unit.index()].reorder(&mut self.parcels, order, &self.names, &mut self.lost);
    }

    /// A site begins or ends to send full packets at `rate`, as fault `number`.
    pub fn flood(
        &mut self,
        now: Time,
        (site, class, unit): (SiteId, ClassId, UnitId),
        rate: BitRate,
        begins: bool,
        (number, gaps): (u32, Stream),
    ) {
        if !begins {
            self.floods.retain(|flood| flood.label.owner != number);
            return;
        }
        let label = Label { owner: number, life: 0, site, class, unit };
        let bits = 8.0 * f64::from(self.hubs[unit.index()].wire_of(FLOOD_PACKET));
        self.floods.push(Flood { label, every: bits / rate.bits(), gaps });
        self.calendar.push(now, Rank::Arrival, Event::Flood(number));
    }

    /// The next packet of a flood comes to the concentrator.
    fn swell(&mut self, owner: u32) {
        let Some(flood) = self.floods.iter_mut().find(|flood| flood.label.owner == owner) else { return };
        let gap = flood.every * flood.gaps.exponential();
        let label = flood.label;
        self.enter(bare(label, Kind::Noise, Way::Up, self.now), Sizes::of(FLOOD_PACKET));
        self.calendar.push(self.now + Span::of_secs(gap), Rank::Arrival, Event::Flood(owner));
    }

    /// A class has other caps.
    pub fn shape(&mut self, now: Time, class: ClassId, shape: Shape) {
        self.now = now;
        self.hubs.iter_mut().for_each(|hub| hub.reshape(class, shape));
    }

    /// A concentrator is another device from now on.
    pub fn refit(&mut self, now: Time, unit: UnitId, device: &Unit) {
        self.now = now;
        self.hubs[unit.index()].refit(now, device);
    }

    /// A concentrator, its books brought to `now`, and the packets in it.
    pub fn hub(&mut self, now: Time, unit: UnitId) -> (&mut Hub, &Parcels) {
        let hub = &mut self.hubs[unit.index()];
        hub.advance(now);
        (hub, &self.parcels)
    }
}

/// A packet that calls for a connection, or accepts it: IP, TCP and its first options [B].
const SET_UP: u32 = 60;

fn bare(label: Label, kind: Kind, way: Way, sent: Time) -> Packet {
    Packet { label, kind, way, count: 1, sent, says: Says::default() }
}

/// Bytes of a packet without payload.
#[allow(clippy::cast_possible_truncation)] // `check` bounds it
fn bare_packet(tcp: &Tcp) -> u32 {
    tcp.headers.0 as u32
}

#[allow(clippy::cast_possible_truncation)] // `check` bounds both
fn full_packet(tcp: &Tcp) -> u32 {
    (tcp.segment.0 + tcp.headers.0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Law;
    use crate::scenario::model::{Balancer, Calendar, Class, Demand, FailBack, Fidelity, Pool, PoolId, Site, Unit};
    use crate::scenario::tunnel::Terms;
    use crate::units::{Bytes, Clock, DAY, NANOS};

    impl Packets {
        pub(super) fn is_lost_by_script(&mut self, packet: &Packet) -> bool {
            let named = |&(kind, way, first): &(Kind, Way, u32)| {
                (packet.kind, packet.way, packet.says.first) == (kind, way, first)
            };
            self.script.iter().position(named).map(|place| self.script.swap_remove(place)).is_some()
        }
    }

    const RTT: u64 = NANOS / 50;

    /// One site 20 ms away, and links on which packets take next to no time.
    fn network(script: &[(Kind, Way, u32)]) -> Packets {
        let wide = BitRate(10_000_000_000);
        let site = Site { name: "s".to_owned(), patients: 1, down: wide, up: wide, rtt: Span(RTT) };
        let law = || Law::Fixed(1.0);
        let model = Model {
            seed: 1,
            antithetic: false,
            calendar: Calendar { weekday: 0, days: 1, from: Clock(0), until: Clock(DAY) },
            bin: Span(NANOS),
            sites: vec![site].into(),
            classes: vec![Class::new("c".to_owned(), Demand::Replayed, law(), law())],
            units: vec![Unit::new("hub".to_owned(), wide, Bytes(10_000_000))],
            pools: vec![Pool {
                name: "all".to_owned(),
                units: vec![UnitId(0)],
                balancer: Balancer::HubList,
                fail_back: FailBack::ByHand,
            }],
            pool_of: vec![PoolId(0)],
            tunnels: Terms::default(),
            faults: Vec::new(),
            edits: Vec::new(),
            transport: Transport::Tcp(Tcp::default()),
            fidelity: Fidelity::Packet(1),
            replay: None,
        };
        Packets { script: script.to_vec(), ..Packets::new(&model, 1) }
    }

    /// When an exchange of `turns` over a kept (or an opened) connection is over [ms]; never, if it stalls.
    fn over(script: &[(Kind, Way, u32)], turns: usize, kept: bool, server: Span) -> Option<f64> {
        let mut network = network(script);
        let label = Label { owner: 0, life: 0, site: SiteId(0), class: ClassId(0), unit: UnitId(0) };
        let turn = Turn::new(Bytes(500), Bytes(3 * 1_360), Bytes(1_360));
        network.open(Time(0), label, std::iter::repeat_n(turn, turns), server, kept.then_some(Span(RTT)));
        while network.next_time() < Time(600 * NANOS) {
            let heard = network.step().to_vec();
            if let [Heard::Done(..)] = heard[..] {
                assert!(network.script.is_empty(), "the script was played: {:?}", network.script);
                assert_eq!(network.connections[0].left().to_bits(), 0.0_f64.to_bits(), "all answers have arrived");
                return Some(network.now.secs() * 1e3);
            }
        }
        None
    }

    #[track_caller]
    fn takes(script: &[(Kind, Way, u32)], turns: usize, kept: bool, server: u64, wanted: f64) {
        let took = over(script, turns, kept, Span(server));
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
        let acks = [1, 2, 3].map(|first| (Kind::Ack, Way::Up, first));
        let script: Vec<_> = acks.into_iter().chain([(Kind::Data, Way::Up, 1)]).collect();
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
        takes(&[(Kind::Data, Way::Down, 2)], 1, false, 0, 65.0);
        takes(&[(Kind::Data, Way::Down, 2)], 1, true, 0, 30.0 + 220.0 + 10.0);
    }

    /// Whatever is lost once of two turns, every request is answered within what its losses explain: a time-out each.
    #[test]
    fn no_single_or_double_loss_stalls_an_exchange() {
        let mut all: Vec<(Kind, Way, u32)> = (0..6).map(|first| (Kind::Data, Way::Down, first)).collect();
        all.extend((0..2).map(|first| (Kind::Data, Way::Up, first)));
        all.extend((1..=6).map(|first| (Kind::Ack, Way::Up, first)));
        for &one in &all {
            for &other in &all {
                let script = if one == other { vec![one] } else { vec![one, other] };
                let mut network = network(&script);
                let label = Label { owner: 0, life: 0, site: SiteId(0), class: ClassId(0), unit: UnitId(0) };
                let turn = Turn::new(Bytes(500), Bytes(3 * 1_360), Bytes(1_360));
                network.open(Time(0), label, std::iter::repeat_n(turn, 2), Span(0), Some(Span(RTT)));
                let done = std::iter::from_fn(|| {
                    (network.next_time() < Time(10 * NANOS)).then(|| network.step().contains(&Heard::Done(0, 0)))
                });
                assert!(done.into_iter().any(|done| done), "{script:?} stalls");
                assert!(network.now.secs() < 0.04 + 2.0 * 0.5, "{script:?}: {} s", network.now.secs());
            }
        }
    }
}
