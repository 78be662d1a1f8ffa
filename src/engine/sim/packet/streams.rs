//! Packets at a constant or random rate: calls, and floods.

use crate::model::Codec;
use crate::random::Stream;
use crate::sim::event_list::Rank;
use crate::sim::packet::network::{FloodSource, PacketEvent, PacketNetwork, VoiceSource};
use crate::sim::packet::wire::{Direction, FlowKey, Packet, PacketKind, TrainSizes, saturating_u16};
use crate::sim::route::{Route, packets_per_second};
use crate::sim::transfer::Delivery;
use crate::units::Time;
use crate::units::{BitRate, Duration};

/// Bytes of a flood's packets.
const FLOOD_PACKET: u32 = 1400;
/// Longest time that the device takes for a train of them, where trains are formed [s].
const FLOOD_TRAIN: f64 = 0.001;

impl PacketNetwork {
    /// A call starts in a slot; its packets go both ways.
    pub fn start_call(&mut self, now: Time, slot: u32, route: Route, codec: Codec, after: Duration) {
        self.now = now;
        if self.samples {
            self.count_call(route, codec, true);
            return;
        }
        let Route { site, class, concentrator } = route;
        let flow = FlowKey { owner: slot, epoch: 0, site, class, concentrator, weight: 1 };
        let call = VoiceSource { flow, codec, last: None, on: true };
        let place = flow.owner as usize;
        if self.calls.len() <= place {
            self.calls.resize(place + 1, VoiceSource { on: false, flow: FlowKey { epoch: 0, ..flow }, ..call });
        }
        let epoch = self.calls[place].flow.epoch + 1;
        self.calls[place] = VoiceSource { flow: FlowKey { epoch, ..call.flow }, ..call };
        self.events.push(now + after, Rank::Arrival, PacketEvent::Voice(flow.owner, epoch));
    }

    /// A call ends.
    pub fn end_call(&mut self, now: Time, slot: u32, route: Route, codec: Codec) {
        self.now = now;
        if self.samples {
            self.count_call(route, codec, false);
            return;
        }
        self.calls[slot as usize].on = false;
    }

    /// At sampled fidelity a call is a constant rate at its concentrator and on its access link.
    pub(super) fn count_call(&mut self, Route { site, class, concentrator }: Route, codec: Codec, begins: bool) {
        let at = concentrator.index();
        let rate = self.concentrators[at].call_rate(codec);
        #[allow(clippy::cast_possible_truncation)] // a packet of a codec
        let bits = 8.0 * f64::from(self.concentrators[at].wire_size(codec.packet.0 as u32)) * packets_per_second(codec);
        let sign = if begins { 1.0 } else { -1.0 };
        self.access_links[site.index()].add_constant(sign * bits.round(), sign * packets_per_second(codec));
        if begins {
            self.offered_load[at].add_stream(rate);
            self.concentrators[at].add_constant(self.now, class, rate);
            self.reconsider(concentrator);
        } else {
            self.offered_load[at].remove_stream(rate);
            self.concentrators[at].remove_constant(self.now, class, rate);
        }
    }

    pub(super) fn send_voice(&mut self, slot: u32, epoch: u32) {
        let call = self.calls[slot as usize];
        if !call.on || call.flow.epoch != epoch {
            return;
        }
        #[allow(clippy::cast_possible_truncation)] // a packet of a codec
        let inside = TrainSizes::of(call.codec.packet.0 as u32);
        self.send_from_site(Packet::control(call.flow, PacketKind::Voice, Direction::Up, self.now), inside);
        self.send_from_server(Packet::control(call.flow, PacketKind::Voice, Direction::Down, self.now), inside);
        self.events.push(self.now + call.codec.every, Rank::Arrival, PacketEvent::Voice(slot, epoch));
    }

    pub(super) fn on_voice(&mut self, packet: &Packet) {
        let call = &mut self.calls[packet.flow.owner as usize];
        let delay = self.now.since(packet.sent);
        let change = call.last.map_or(Duration(0), |last| Duration(delay.0.abs_diff(last.0)));
        call.last = Some(delay);
        let delay = Some((delay, change));
        self.deliveries.push(Delivery::Voice { class: packet.flow.class, site: packet.flow.site, delay });
    }

    /// A site begins or ends to send full packets at `rate`, as fault `number`.
    pub fn flood(
        &mut self,
        now: Time,
        Route { site, class, concentrator }: Route,
        rate: BitRate,
        begins: bool,
        (number, gaps): (u32, Stream),
    ) {
        self.now = now;
        if !begins {
            if let Some(place) = self.floods.iter().position(|flood| flood.flow.owner == number) {
                let over = self.floods.remove(place);
                self.offered_load[over.flow.concentrator.index()].remove_stream(over.rate);
            }
            return;
        }
        let flow = FlowKey { owner: number, epoch: 0, site, class, concentrator, weight: 1 };
        let bits = 8.0 * f64::from(self.concentrators[concentrator.index()].wire_size(FLOOD_PACKET));
        self.floods.push(FloodSource { flow, rate: rate.0, mean_gap: bits / rate.bits(), gaps });
        self.offered_load[concentrator.index()].add_stream(rate.0);
        self.reconsider(concentrator);
        self.events.push(now, Rank::Arrival, PacketEvent::Flood(number));
    }

    /// The next packet of a flood comes to the concentrator.
    pub(super) fn send_flood_packet(&mut self, owner: u32) {
        let Some(flood) = self.floods.iter_mut().find(|flood| flood.flow.owner == owner) else { return };
        let flow = flood.flow;
        let device = &self.concentrators[flow.concentrator.index()];
        let packet_time = 8.0 * f64::from(device.wire_size(FLOOD_PACKET)) / device.throughput();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        let count = ((FLOOD_TRAIN / packet_time) as u32).clamp(1, self.longest_train);
        let gap = flood.mean_gap * f64::from(count) * flood.gaps.exponential();
        let packet = Packet::control(flow, PacketKind::Background, Direction::Up, self.now);
        self.send_from_server(Packet { count: saturating_u16(count), ..packet }, TrainSizes::of(FLOOD_PACKET));
        self.events.push(self.now + Duration::of_secs(gap), Rank::Arrival, PacketEvent::Flood(owner));
    }
}
