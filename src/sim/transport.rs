//! Transport: what TCP and the tunnel add to a transfer's share of the bandwidth, at flow fidelity.
//!
//! Each ingredient is a small pure function. Times are seconds, rates bit/s, sizes bytes unless a name says
//! otherwise. A round trip is the *current* one: the path's own plus the queue that stands before the class.

use crate::scenario::model::{Cipher, Counts, Tcp, Unit};
use crate::units::Bytes;

/// What a concentrator spends on packets, in bits of its throughput.
///
/// A packet of L bytes on the wire takes `per_packet + per_bit * 8 L`: throughput at the reference packet and
/// packet rate at the smallest one fix the two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    per_packet: f64,
    per_bit: f64,
    cipher: Cipher,
    both: bool,
}

#[allow(clippy::cast_precision_loss)] // packet and transfer sizes stay below 2^53
fn float(number: u64) -> f64 {
    number as f64
}

impl Cost {
    /// The cost of packets at a concentrator; none if its packet rate contradicts its throughput (`check`
    /// refuses such a scenario).
    #[must_use]
    pub fn of(unit: &Unit) -> Option<Self> {
        let (per_packet, per_bit) = unit.packet_cost()?;
        Some(Self { per_packet, per_bit, cipher: unit.cipher, both: unit.counts == Counts::Both })
    }

    /// Work of one packet of `inner` bytes [bit].
    #[must_use]
    pub fn packet(&self, inner: u64) -> f64 {
        self.per_packet + self.per_bit * 8.0 * float(self.cipher.wire(inner))
    }

    /// Bytes on the wire of a packet of `inner` bytes.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // a packet is below 64 KiB, and a cipher adds less than 256 bytes
    pub fn wire(&self, inner: u32) -> u32 {
        self.cipher.wire(u64::from(inner)) as u32
    }

    /// Work of `count` packets of `inner` bytes, the last of `tail` [bit].
    #[must_use]
    pub fn train(&self, count: u32, inner: u32, tail: u32) -> f64 {
        if count == 1 {
            return self.packet(u64::from(tail));
        }
        f64::from(count - 1) * self.packet(u64::from(inner)) + self.packet(u64::from(tail))
    }

    /// Work of one turn of a transaction: request, response, acknowledgements, and set-up and end of the
    /// connection when it has its own [bit].
    #[must_use]
    pub fn turn(&self, tcp: &Tcp, turn: &Turn, connects: bool) -> f64 {
        let ack = self.packet(tcp.headers.0);
        let full = self.packet(tcp.segment.0 + tcp.headers.0);
        // Delayed acknowledgements: one for two segments (RFC 1122, section 4.2.3.2).
        let answered = ack * float(turn.asked.div_ceil(2));
        let handshake = if connects { 2.0 * ack } else { 0.0 };
        let towards_site = self.one_way(tcp, full, turn.response, turn.segments) + answered + handshake;
        if !self.both {
            return towards_site;
        }
        let up = self.one_way(tcp, full, turn.request, turn.asked) + ack * float(turn.segments.div_ceil(2));
        towards_site + up + handshake
    }

    /// Work of the `segments` data packets of `bytes`; a full one costs `full`.
    fn one_way(&self, tcp: &Tcp, full: f64, bytes: Bytes, segments: u64) -> f64 {
        let last = bytes.0 + tcp.segment.0 - segments * tcp.segment.0;
        float(segments.saturating_sub(1)) * full + if segments > 0 { self.packet(last + tcp.headers.0) } else { 0.0 }
    }

    /// Work per second of a stream of packets, both ways where both count [bit/s].
    #[must_use]
    pub fn stream(&self, inner: u64, per_second: f64) -> f64 {
        self.packet(inner) * per_second * if self.both { 2.0 } else { 1.0 }
    }

    /// Bits of work per bit of tunnel traffic that crosses an access link towards a site, for full segments.
    #[must_use]
    pub fn per_access_bit(&self, tcp: &Tcp) -> f64 {
        let full = tcp.segment.0 + tcp.headers.0;
        let ack = if self.both { self.packet(tcp.headers.0) / 2.0 } else { 0.0 };
        (self.packet(full) + ack) / (8.0 * float(self.cipher.wire(full)))
    }
}

/// One request and its response, in bytes and in segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What is asked.
    pub request: Bytes,
    /// What is answered.
    pub response: Bytes,
    asked: u64,
    segments: u64,
}

impl Turn {
    /// A turn whose payload travels in segments of `segment` bytes.
    #[must_use]
    pub fn new(request: Bytes, response: Bytes, segment: Bytes) -> Self {
        Self { request, response, asked: segments(request, segment), segments: segments(response, segment) }
    }

    /// The same request, with a share of the response.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of what there is
    pub fn part(&self, share: f64, segment: Bytes) -> Self {
        Self::new(self.request, Bytes((float(self.response.0) * share).ceil() as u64), segment)
    }

    /// Segments of the response.
    #[must_use]
    pub fn segments(&self) -> u64 {
        self.segments
    }
}

/// A division in 32 bits takes half the time of one in 64.
fn segments(bytes: Bytes, segment: Bytes) -> u64 {
    match (u32::try_from(bytes.0), u32::try_from(segment.0)) {
        (Ok(bytes), Ok(segment)) => u64::from(bytes.div_ceil(segment)),
        _ => bytes.0.div_ceil(segment.0),
    }
}

/// Time of one turn without its bytes: a round trip, the request on the access link, the server.
#[must_use]
pub fn request_and_back(rtt: f64, request: Bytes, up: f64, server: f64) -> f64 {
    rtt + request.bits() / up + server
}

/// Time that slow start stands idle: after each window but the last the sender waits for the first
/// acknowledgement, unless the window takes longer to send than that (Cardwell, Savage & Anderson 2000,
/// equations 11 to 15; the window doubles each round). `rate` is what the transfer gets of the path.
#[must_use]
pub fn slow_start_idle(tcp: &Tcp, window: u32, segments: u64, rtt: f64, rate: f64) -> f64 {
    let segment = tcp.segment.bits() + tcp.headers.bits();
    let mut left = segments;
    let mut window = u64::from(window);
    let mut idle = 0.0;
    while left > window {
        let waits = rtt + (1.0 - float(window)) * segment / rate;
        // `rate` may be zero, and the product not a number: then nothing waits for an acknowledgement.
        if !(waits > 0.0) {
            break;
        }
        idle += waits;
        left -= window;
        window *= 2;
    }
    idle
}

/// The window after a turn: it doubled with each round that the response took.
#[must_use]
#[allow(clippy::cast_possible_truncation)] // bounded by `MAX_WINDOW`
pub fn window_after(window: u32, segments: u64) -> u32 {
    (u64::from(window) + segments).min(MAX_WINDOW) as u32
}

/// Segments in flight at most (a 64 KiB window scaled by 2^6).
const MAX_WINDOW: u64 = 3_000;

/// Share of the buffer that stands full while long transfers compete for it (measured with CUBIC through a
/// byte FIFO; see `docs/model.md`).
const STANDING: f64 = 0.75;
/// Time constant with which it fills [s] (same source).
const FILLS: f64 = 0.1;

/// The queue of a band `dt` seconds on [bit]. While the band is saturated it goes to its standing level, else it
/// drains at the spare rate.
#[must_use]
pub fn queue_after(queue: f64, dt: f64, saturated: bool, buffer: f64, spare: f64) -> f64 {
    if saturated {
        let target = STANDING * buffer;
        // Near enough: most events of a busy hour find the queue where it stands.
        if (queue - target).abs() <= 1e-6 * target {
            return target;
        }
        target + (queue - target) * (-dt / FILLS).exp()
    } else if queue > 0.0 {
        (queue - spare * dt).max(0.0)
    } else {
        0.0
    }
}

/// Spread of the queue that one long transfer keeps, as a share of the buffer: CUBIC gives up 0.3 of its window at
/// each loss, and the window is the buffer and half as much on the way.
const SAWTOOTH: f64 = 0.45;

/// The queue that a burst finds [bit]: transfers that compete fill the buffer until it loses something, then give
/// way; many of them less together than one. `luck` in [0, 1) says where in this cycle the burst comes.
#[must_use]
pub fn found_queue(standing: f64, buffer: f64, flows: usize, luck: f64) -> f64 {
    if standing <= 0.0 {
        return 0.0;
    }
    let filled = standing / (STANDING * buffer);
    let spread = SAWTOOTH / float(flows.max(1) as u64).sqrt();
    filled * buffer * (1.0 - spread * luck)
}

/// Wait in the queue that long transfers keep before an access link which has been full for `full` seconds [s].
#[must_use]
pub fn access_queue(full: f64, buffer: f64) -> f64 {
    if full > 0.0 { STANDING * buffer * (1.0 - (-full / FILLS).exp()) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::model::{Congestion, Discipline, Without};
    use crate::units::{BitRate, PacketRate, Span, Time};

    const TCP: Tcp = Tcp {
        segment: Bytes(1360),
        headers: Bytes(40),
        window: 10,
        most: 3_000,
        congestion: Congestion::Cubic,
        access_buffer: Span(100_000_000),
        without: Without::NONE,
    };

    fn unit(packets: Option<u64>) -> Unit {
        Unit {
            name: "hub".into(),
            throughput: BitRate(1_000_000_000),
            packets: packets.map(PacketRate),
            reference: Bytes(1400),
            cipher: Cipher::AesGcm,
            counts: Counts::Both,
            buffer: Bytes(0),
            buffer_packets: None,
            discipline: Discipline::Fifo,
            streams: None,
            opens: Time(0),
        }
    }

    /// The two figures of the data sheet come out again.
    #[test]
    fn cost_meets_throughput_at_the_reference_and_packet_rate_at_the_smallest() {
        let cost = Cost::of(&unit(Some(200_000))).unwrap();
        assert!((cost.packet(1400) - 1464.0 * 8.0).abs() < 1e-6);
        assert!((1e9 / cost.packet(40) - 200_000.0).abs() < 1e-3);
        assert!(cost.packet(200) > 264.0 * 8.0, "small packets cost more than their bits");
        assert_eq!(Cost::of(&unit(Some(10_000))), None, "fewer packets than the throughput needs");
    }

    /// 30 kB are 23 segments of 1,360 bytes: windows of 10 and 20, so one wait of a round trip less the window.
    #[test]
    fn slow_start_waits_once_for_thirty_kilobytes() {
        let idle = slow_start_idle(&TCP, 10, 23, 0.025, 80e6);
        assert!((idle - (0.025 - 10.0 * 1400.0 * 8.0 / 80e6)).abs() < 1e-12, "{idle}");
        assert!(slow_start_idle(&TCP, 10, 23, 0.025, 1e6) <= 0.0, "a slow path is never idle");
    }

    #[test]
    fn a_queue_fills_to_its_standing_level_and_drains() {
        let full = queue_after(0.0, 10.0, true, 1e6, 0.0);
        assert!((full - 0.75e6).abs() < 1.0);
        assert!((queue_after(full, 0.5, false, 1e6, 1e6) - 0.25e6).abs() < 1.0);
        assert!(queue_after(full, 5.0, false, 1e6, 1e6) <= 0.0);
    }
}
