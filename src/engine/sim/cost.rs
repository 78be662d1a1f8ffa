//! Service demand: the work that packets and turns bring to a concentrator, in bits of its throughput.

use crate::model::{Cipher, Class, Concentrator, Counts, Encapsulation, Ingredient, Site, Tcp, Transport};
use crate::sim::turn::Turn;
use crate::units::{BitRate, Bytes, Duration, float};

/// What a concentrator spends on packets, in bits of its throughput.
///
/// A packet of L bytes on the wire takes `per_packet + per_bit * 8 L`: throughput at the reference packet and
/// packet rate at the smallest one fix the two. One that leaves in fragments takes `per_packet` for each of them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceCost {
    per_packet: f64,
    per_bit: f64,
    encapsulation: Encapsulation,
    both: bool,
}

impl ServiceCost {
    /// The cost of packets at a concentrator; none if its packet rate contradicts its throughput (`check`
    /// refuses such a scenario).
    #[must_use]
    pub fn of(concentrator: &Concentrator) -> Option<Self> {
        let (per_packet, per_bit) = concentrator.packet_cost()?;
        Some(Self {
            per_packet,
            per_bit,
            encapsulation: concentrator.encapsulation(),
            both: concentrator.counts == Counts::Both,
        })
    }

    /// What a counter counts of the same packets in place of what they cost: their bytes, as they are on the wire, or before
    /// encryption [bit].
    #[must_use]
    pub fn counted(concentrator: &Concentrator, encrypted: bool) -> Self {
        let cipher = if encrypted { concentrator.cipher } else { Cipher::None };
        let encapsulation = Encapsulation::new(cipher, concentrator.mtu);
        Self { per_packet: 0.0, per_bit: 1.0, encapsulation, both: concentrator.counts == Counts::Both }
    }

    /// Work of one packet of `inner` bytes [bit].
    #[must_use]
    pub fn packet(&self, inner: u64) -> f64 {
        self.on_wire(self.encapsulation.wire(inner))
    }

    /// Work of a packet, or of all its fragments, of so many bytes on the wire.
    fn on_wire(&self, bytes: u64) -> f64 {
        let bits = self.per_bit * 8.0 * float(bytes);
        match self.encapsulation.fragments_on_wire(bytes) {
            1 => self.per_packet + bits,
            fragments => self.per_packet * float(fragments) + bits,
        }
    }

    /// Bytes on the wire of a packet of `inner` bytes, with the headers of its fragments.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // a packet is below 64 KiB, and what is added is less than that
    pub fn wire(&self, inner: u32) -> u32 {
        self.encapsulation.wire(u64::from(inner)) as u32
    }

    /// Work of `count` packets of `each` bytes on the wire, the last of `tail` [bit].
    #[must_use]
    pub fn train(&self, count: u32, each: u32, tail: u32) -> f64 {
        let last = self.on_wire(u64::from(tail));
        if count == 1 { last } else { f64::from(count - 1) * self.on_wire(u64::from(each)) + last }
    }

    /// What turns cost over TCP.
    #[must_use]
    pub fn over(self, tcp: Tcp) -> TurnCost {
        let [ack, full] = [tcp.headers.0, tcp.segment.0 + tcp.headers.0].map(|inner| self.packet(inner));
        TurnCost { cost: self, tcp, ack, full }
    }

    /// Work per second of a stream of packets, both ways where both count [bit/s].
    #[must_use]
    pub fn stream(&self, inner: u64, per_second: f64) -> f64 {
        self.packet(inner) * per_second * if self.both { 2.0 } else { 1.0 }
    }

    /// Work per second that a call of `packets` per second adds, or takes away where they are below zero [bit/s]; whole bits,
    /// so that what ends leaves nothing behind.
    #[must_use]
    pub fn stream_work(&self, packet: Bytes, packets: f64) -> f64 {
        self.stream(packet.0, packets.abs()).round().copysign(packets)
    }

    /// Bits of work per bit that crosses an access link towards a site; where transport is ideal they are the same.
    #[must_use]
    pub fn access_scale(&self, transport: Transport) -> f64 {
        transport.tcp().map_or(1.0, |tcp| self.per_access_bit(&tcp))
    }

    /// Bits of work per bit of tunnel traffic that crosses an access link towards a site, for full segments.
    #[must_use]
    pub fn per_access_bit(&self, tcp: &Tcp) -> f64 {
        let full = tcp.segment.0 + tcp.headers.0;
        let ack = if self.both { self.packet(tcp.headers.0) / 2.0 } else { 0.0 };
        (self.packet(full) + ack) / (8.0 * float(self.encapsulation.wire(full)))
    }
}

/// What one tunnel carries at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TunnelLimit {
    /// Work of full segments per second [bit/s].
    pub rate: f64,
    /// Part of it that any packet takes where packets are what limits the tunnel, else none [bit].
    packet: f64,
}

impl TunnelLimit {
    /// That of tunnels at a concentrator at which packets cost so much.
    #[must_use]
    pub fn of(concentrator: &Concentrator, cost: &ServiceCost, transport: Transport) -> Self {
        let rate = concentrator.per_tunnel.map_or(f64::INFINITY, BitRate::bits);
        let (Some(packets), Transport::Tcp(tcp)) = (concentrator.per_tunnel_packets, transport) else {
            return Self { rate, packet: 0.0 };
        };
        let full = tcp.segment.0 + tcp.headers.0;
        let bits = 8.0 * float(cost.encapsulation.wire(full));
        let packet = bits * cost.per_access_bit(&tcp);
        let by_packets = float(packets.0) * packet;
        if by_packets < rate { Self { rate: by_packets, packet } } else { Self { rate, packet: 0.0 } }
    }

    /// Rate of a site's access link, in bits of work per second; `scale` bits of work for each of its own.
    #[must_use]
    pub fn access_rate(&self, site: &Site, scale: f64) -> f64 {
        (site.down.bits() * scale).min(self.rate).round()
    }

    /// Rate that a call takes of an access link, which carries each direction by itself, or gives back where its packets are below zero;
    /// `scale` bits of work for each of the link's [bit/s of work]; whole bits.
    #[must_use]
    pub fn stream(&self, cost: &ServiceCost, scale: f64, packet: Bytes, packets: f64) -> f64 {
        let each = 8.0 * float(cost.encapsulation.wire(packet.0)) * scale;
        (each.max(self.packet) * packets.abs()).round().copysign(packets)
    }
}

/// What turns cost over TCP, with the packets that come again and again worked out once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TurnCost {
    cost: ServiceCost,
    tcp: Tcp,
    /// Work of an acknowledgement and of a full segment [bit].
    ack: f64,
    full: f64,
}

impl TurnCost {
    /// Work of one turn of a transaction of the class, after what has crossed before it: request, response,
    /// acknowledgements, and set-up and end of the connection when it has its own [bit].
    #[must_use]
    #[inline(always)] // once for each turn: 1 % of all instructions
    pub fn turn(&self, class: &Class, turn: &Turn, before: PriorTraffic) -> f64 {
        // A response that comes at once acknowledges the end of its request.
        let carried = u64::from(class.server == Duration(0));
        let answered =
            acknowledgements(&self.tcp, before.request_segments, turn.request_segments).saturating_sub(carried);
        let handshake = if class.connects && before == PriorTraffic::default() { 2.0 * self.ack } else { 0.0 };
        let towards_site = self.one_way(turn.response, turn.response_segments) + self.ack * float(answered) + handshake;
        if !self.cost.both {
            return towards_site;
        }
        let acknowledged = acknowledgements(&self.tcp, before.response_segments, turn.response_segments);
        towards_site + self.one_way(turn.request, turn.request_segments) + self.ack * float(acknowledged) + handshake
    }

    /// Work of the `segments` data packets of `bytes`.
    fn one_way(&self, bytes: Bytes, segments: u32) -> f64 {
        if segments == 0 {
            return 0.0;
        }
        let full = segments - 1;
        let last = bytes.0 - u64::from(full) * self.tcp.segment.0;
        f64::from(full) * self.full + self.cost.packet(last + self.tcp.headers.0)
    }

    /// Work of a full segment [bit].
    #[must_use]
    pub fn full(&self) -> f64 {
        self.full
    }
}

/// Segments that have crossed a connection before a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriorTraffic {
    request_segments: u64,
    response_segments: u64,
}

impl PriorTraffic {
    /// What these turns bring across.
    #[must_use]
    pub fn by(turns: &[Turn]) -> Self {
        turns.iter().fold(Self::default(), Self::and)
    }

    /// That, and one more turn.
    #[must_use]
    pub fn and(self, turn: &Turn) -> Self {
        Self {
            request_segments: self.request_segments + u64::from(turn.request_segments),
            response_segments: self.response_segments + u64::from(turn.response_segments),
        }
    }
}

/// Segments at the start of a connection that are acknowledged at once (Linux, `TCP_MAX_QUICKACKS`).
pub const QUICKACK_SEGMENTS: u32 = 16;

/// Acknowledgements of so many segments, after so many: of the first each on its own, then one for two (delayed
/// acknowledgements: RFC 1122, section 4.2.3.2).
fn acknowledgements(tcp: &Tcp, before: u64, segments: u32) -> u64 {
    let segments = u64::from(segments);
    let quick = segments.min(u64::from(QUICKACK_SEGMENTS).saturating_sub(before));
    if tcp.has(Ingredient::DelayedAck) { quick + (segments - quick).div_ceil(2) } else { segments }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{BitRate, PacketRate};

    fn concentrator(packets: Option<u64>) -> Concentrator {
        let plain = Concentrator::new("hub".to_owned(), BitRate(1_000_000_000), Bytes(0));
        Concentrator { packets: packets.map(PacketRate), cipher: Cipher::AesGcm, ..plain }
    }

    /// A fragment costs what a packet costs.
    #[test]
    fn a_packet_in_two_fragments_takes_the_time_of_two_packets() {
        let cost = ServiceCost::of(&concentrator(Some(200_000))).unwrap();
        let [whole, two] = [1438, 1439].map(|inner| cost.packet(inner));
        let per_packet = cost.per_packet;
        assert!(per_packet > 1000.0);
        assert!((two - whole - per_packet - cost.per_bit * 8.0 * 24.0).abs() < 1e-6, "{whole} {two}");
        let train = cost.train(3, cost.wire(1460), cost.wire(100));
        assert!((train - 2.0 * cost.packet(1460) - cost.packet(100)).abs() < 1e-6);
    }

    /// The two figures of the data sheet come out again.
    #[test]
    fn cost_meets_throughput_at_the_reference_and_packet_rate_at_the_smallest() {
        let cost = ServiceCost::of(&concentrator(Some(200_000))).unwrap();
        assert!((cost.packet(1400) - 1464.0 * 8.0).abs() < 1e-6);
        assert!((1e9 / cost.packet(40) - 200_000.0).abs() < 1e-3);
        assert!(cost.packet(200) > 264.0 * 8.0, "small packets cost more than their bits");
        assert_eq!(ServiceCost::of(&concentrator(Some(10_000))), None, "fewer packets than the throughput needs");
    }
}
