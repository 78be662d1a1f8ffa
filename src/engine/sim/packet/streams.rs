//! Packets at a constant or random rate: calls, and floods.

use crate::model::Codec;
use crate::random::Stream;
use crate::sim::event_list::Rank;
use crate::sim::observer::Talk;
use crate::sim::packet::network::{FloodSource, PacketEvent, PacketNetwork, VoiceSource};
use crate::sim::packet::playout::{LEAST_HELD, Playout};
use crate::sim::packet::wire::{Direction, FlowKey, Packet, PacketKind, TrainSizes, saturating_u16};
use crate::sim::route::{Route, packets_per_second};
use crate::sim::transfer::CallTalk;
use crate::units::Time;
use crate::units::{BitRate, Duration};

/// Bytes of a flood's packets.
const FLOOD_PACKET: u32 = 1400;
/// Longest time that the device takes for a train of them, where trains are formed [s].
const FLOOD_TRAIN: f64 = 0.001;

/// Calls of a class at a concentrator of which packets are simulated at a time where calls are a constant rate otherwise.
const PROBES: u32 = 4;

impl PacketNetwork {
    /// A call starts in a slot; its packets go both ways.
    pub fn start_call(&mut self, now: Time, slot: u32, route: Route, codec: Codec, after: Duration) {
        self.now = now;
        if self.samples {
            let rate = self.call_rate(route, codec);
            self.calls_at[route.concentrator.index()][route.class.index()] += 1;
            self.offered_load[route.concentrator.index()].add_stream(rate);
            self.count_call(route, codec, true);
            self.reconsider(route.concentrator);
            return;
        }
        self.start_packets(slot, route, codec, after, 1.0);
    }

    /// A call ends.
    pub fn end_call(&mut self, now: Time, slot: u32, route: Route, codec: Codec) {
        self.now = now;
        if self.samples {
            self.stop_probe(slot);
            self.calls_at[route.concentrator.index()][route.class.index()] -= 1;
            self.count_call(route, codec, false);
            let rate = self.call_rate(route, codec);
            self.offered_load[route.concentrator.index()].remove_stream(rate);
            return;
        }
        self.calls[slot as usize].on = false;
    }

    fn call_rate(&self, route: Route, codec: Codec) -> u64 {
        self.concentrators[route.concentrator.index()].call_rate(codec)
    }

    /// The packets of a call start after a while; it speaks for so many.
    fn start_packets(&mut self, slot: u32, route: Route, codec: Codec, after: Duration, speaks_for: f64) {
        let Route { site, class, concentrator } = route;
        let flow = FlowKey { owner: slot, epoch: 0, site, class, concentrator, weight: 1 };
        let call = VoiceSource { flow, codec, ways: [Playout::default(); 2], speaks_for, on: true };
        let place = slot as usize;
        if self.calls.len() <= place {
            self.calls.resize(place + 1, VoiceSource { on: false, ..call });
        }
        let epoch = self.calls[place].flow.epoch + 1;
        self.calls[place] = VoiceSource { flow: FlowKey { epoch, ..call.flow }, ..call };
        self.events.push(self.now + after, Rank::Arrival, PacketEvent::Voice(slot, epoch));
    }

    /// A call is a constant rate at its concentrator and on its access link from now on, or no longer.
    fn count_call(&mut self, route: Route, codec: Codec, begins: bool) {
        let Route { site, class, concentrator } = route;
        let at = concentrator.index();
        let rate = self.call_rate(route, codec);
        let (bits, sign) =
            (self.packet_bits(route, codec) * packets_per_second(codec), if begins { 1.0 } else { -1.0 });
        self.access_links[site.index()].add_constant(sign * bits.round(), sign * packets_per_second(codec));
        if begins {
            self.concentrators[at].add_constant(self.now, class, rate);
        } else {
            self.concentrators[at].remove_constant(self.now, class, rate);
        }
    }

    /// Calls are constant rates of another size, as packets cost their concentrator something else.
    pub(super) fn recount_calls(&mut self, calls: &[(Route, Codec)], begins: bool) {
        if !self.samples {
            return;
        }
        if !begins {
            for slot in 0..u32::try_from(self.calls.len()).unwrap_or(u32::MAX) {
                self.stop_probe(slot);
            }
        }
        for &(route, codec) in calls {
            let rate = self.call_rate(route, codec);
            self.count_call(route, codec, begins);
            let offered = &mut self.offered_load[route.concentrator.index()];
            if begins { offered.add_stream(rate) } else { offered.remove_stream(rate) }
        }
    }

    #[allow(clippy::cast_possible_truncation)] // a packet of a codec
    fn packet_bits(&self, route: Route, codec: Codec) -> f64 {
        8.0 * f64::from(self.concentrators[route.concentrator.index()].wire_size(codec.packet.0 as u32))
    }

    /// How a call fared since this was last asked: from the site, and to it; and for how many calls that stands. Where calls are constant
    /// rates it is worked out while nothing contends with them, or calls alone are too many; else it is known of those that send packets
    /// ([`Self::probe`]), which stop.
    pub fn talk(&mut self, now: Time, slot: u32, route: Route, codec: Codec) -> Option<CallTalk> {
        self.now = now;
        if !self.samples {
            return Some((self.calls[slot as usize].ways.each_mut().map(Playout::take), 1.0));
        }
        if let Some(told) = self.stop_probe(slot) {
            return Some(told);
        }
        let is_known = self.is_beyond_calls(route) || self.is_calm_for_calls(route);
        is_known.then(|| (self.calm_talk(route, codec), 1.0))
    }

    /// Whether calls alone are more than the device, the access link or the tunnel can do: what they lose follows.
    fn is_beyond_calls(&self, Route { site, concentrator, .. }: Route) -> bool {
        let link = &self.access_links[site.index()];
        let device = &self.concentrators[concentrator.index()];
        device.lost_of_constant().max(link.up.lost_of_constant()).max(link.down.lost_of_constant()) > 0.0
    }

    fn is_calm_for_calls(&self, Route { site, concentrator, .. }: Route) -> bool {
        let throughput = self.concentrators[concentrator.index()].throughput();
        self.offered_load[concentrator.index()].is_calm(throughput) && self.in_packets[site.index()] == 0
    }

    /// A call sends packets for a while, if it is a constant rate, something contends with it, and not enough others do.
    pub fn probe(&mut self, now: Time, slot: u32, route: Route, codec: Codec) {
        self.now = now;
        let (at, class) = (route.concentrator.index(), route.class.index());
        let is_on = self.calls.get(slot as usize).is_some_and(|call| call.on);
        if !self.samples || is_on || self.probes[at][class] >= PROBES {
            return;
        }
        if self.is_beyond_calls(route) || self.is_calm_for_calls(route) {
            return;
        }
        self.probes[at][class] += 1;
        self.count_call(route, codec, false);
        // Spread over the time between two packets, by the golden section.
        let after = Duration(codec.every.0 / 1000 * (u64::from(slot) * 618 % 1000));
        let all = f64::from(self.calls_at[at][class]);
        self.start_packets(slot, route, codec, after, (all / f64::from(PROBES)).max(1.0));
    }

    /// The packets of a call stop, if it sends any; it is a constant rate again.
    fn stop_probe(&mut self, slot: u32) -> Option<CallTalk> {
        let call = self.calls.get_mut(slot as usize).filter(|call| call.on)?;
        call.on = false;
        let told = (call.ways.each_mut().map(Playout::take), call.speaks_for);
        let (FlowKey { site, class, concentrator, .. }, codec) = (call.flow, call.codec);
        self.probes[concentrator.index()][class.index()] -= 1;
        self.count_call(Route { site, class, concentrator }, codec, true);
        Some(told)
    }

    /// Speech where nothing contends, or nothing but calls: the path alone, what stands before the access link, and what calls lose that
    /// are more than can be done.
    fn calm_talk(&self, route: Route, codec: Codec) -> [Talk; 2] {
        let bits = self.packet_bits(route, codec);
        let link = &self.access_links[route.site.index()];
        let device = &self.concentrators[route.concentrator.index()];
        let trip = self.rtts[route.site.index()].secs() / 2.0;
        let lost_at_device = device.lost_of_constant();
        let in_device = if lost_at_device > 0.0 { device.buffer_time() } else { bits / device.throughput() };
        let standing = self.standing_queue(route.site);
        [(&link.up, 0.0, device.both), (&link.down, standing, true)].map(|(way, standing, in_queue)| {
            let (lost_on_link, idle) = (way.lost_of_constant(), bits / way.rate() + standing);
            let on_link = if lost_on_link > 0.0 { way.buffer().secs() } else { idle };
            let (wait, lost) = if in_queue { (in_device, lost_at_device) } else { (0.0, 0.0) };
            let delay = trip + wait + on_link;
            let lost = 1.0 - (1.0 - lost) * (1.0 - lost_on_link);
            Talk { packets: 1.0, lost, delay, played_after: delay + LEAST_HELD, ..Talk::default() }
        })
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

    /// A packet of a call arrives.
    pub(super) fn on_voice(&mut self, packet: &Packet) {
        let delay = self.now.since(packet.sent);
        if let Some(way) = self.way_of(packet) {
            way.arrive(delay);
        }
    }

    /// A packet is lost; a call's is missed.
    pub(super) fn report_loss(&mut self, packet: &Packet) {
        if packet.kind == PacketKind::Voice
            && let Some(way) = self.way_of(packet)
        {
            way.lose();
        }
    }

    /// The way of a packet of a call, while the call goes on.
    fn way_of(&mut self, packet: &Packet) -> Option<&mut Playout> {
        let call = &mut self.calls[packet.flow.owner as usize];
        (call.on && call.flow.epoch == packet.flow.epoch).then(|| &mut call.ways[packet.direction as usize])
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
