//! Transport: what TCP and the tunnel add to a transfer's share of the bandwidth, at flow fidelity.
//!
//! Each ingredient is a small pure function. Times are seconds, rates bit/s, sizes bytes unless a name says
//! otherwise. A round trip is the *current* one: the path's own plus the queue that stands before the class.

use std::hint::cold_path;
use std::sync::LazyLock;

use crate::scenario::model::{Class, Concentrator, Counts, Ingredient, Overhead, Tcp};
use crate::sim::extremes::larger;
use crate::sim::likely::unlikely;
use crate::units::{Bytes, Duration};

/// What a concentrator spends on packets, in bits of its throughput.
///
/// A packet of L bytes on the wire takes `per_packet + per_bit * 8 L`: throughput at the reference packet and
/// packet rate at the smallest one fix the two.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceCost {
    per_packet: f64,
    per_bit: f64,
    overhead: Overhead,
    both: bool,
}

/// A signed number is converted in one instruction.
#[allow(clippy::cast_precision_loss)] // packet and transfer sizes stay below 2^53
pub(super) fn float(number: u64) -> f64 {
    number.cast_signed() as f64
}

impl ServiceCost {
    /// The cost of packets at a concentrator; none if its packet rate contradicts its throughput (`check`
    /// refuses such a scenario).
    #[must_use]
    pub fn of(unit: &Concentrator) -> Option<Self> {
        let (per_packet, per_bit) = unit.packet_cost()?;
        Some(Self { per_packet, per_bit, overhead: unit.cipher.overhead(), both: unit.counts == Counts::Both })
    }

    /// Work of one packet of `inner` bytes [bit].
    #[must_use]
    pub fn packet(&self, inner: u64) -> f64 {
        self.on_wire(self.overhead.wire(inner))
    }

    fn on_wire(&self, bytes: u64) -> f64 {
        self.per_packet + self.per_bit * 8.0 * float(bytes)
    }

    /// Bytes on the wire of a packet of `inner` bytes.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // a packet is below 64 KiB, and a cipher adds less than 256 bytes
    pub fn wire(&self, inner: u32) -> u32 {
        self.overhead.wire(u64::from(inner)) as u32
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

    /// Bits of work per bit of tunnel traffic that crosses an access link towards a site, for full segments.
    #[must_use]
    pub fn per_access_bit(&self, tcp: &Tcp) -> f64 {
        let full = tcp.segment.0 + tcp.headers.0;
        let ack = if self.both { self.packet(tcp.headers.0) / 2.0 } else { 0.0 };
        (self.packet(full) + ack) / (8.0 * float(self.overhead.wire(full)))
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
    #[inline(always)]
    pub fn turn(&self, class: &Class, turn: &Turn, before: PriorTraffic) -> f64 {
        // A response that comes at once acknowledges the end of its request.
        let carried = u64::from(class.server == Duration(0));
        let answered = acknowledgements(&self.tcp, before.asked, turn.asked).saturating_sub(carried);
        let handshake = if class.connects && before == PriorTraffic::default() { 2.0 * self.ack } else { 0.0 };
        let towards_site = self.one_way(turn.response, turn.segments) + self.ack * float(answered) + handshake;
        if !self.cost.both {
            return towards_site;
        }
        let acknowledged = acknowledgements(&self.tcp, before.segments, turn.segments);
        towards_site + self.one_way(turn.request, turn.asked) + self.ack * float(acknowledged) + handshake
    }

    /// Work of the `segments` data packets of `bytes`.
    fn one_way(&self, bytes: Bytes, segments: u32) -> f64 {
        if unlikely(segments == 0) {
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
    asked: u64,
    segments: u64,
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
        Self { asked: self.asked + u64::from(turn.asked), segments: self.segments + u64::from(turn.segments) }
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

/// One request and its response, in bytes and in segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What is asked.
    pub request: Bytes,
    /// What is answered.
    pub response: Bytes,
    asked: u32,
    segments: u32,
}

impl Turn {
    /// Nothing is asked, and nothing answered.
    pub const NONE: Self = Self { request: Bytes(0), response: Bytes(0), asked: 0, segments: 0 };

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
    pub fn segments(&self) -> u32 {
        self.segments
    }
}

/// A division in 32 bits takes half the time of one in 64. Terabytes are counted as 2^32 segments.
fn segments(bytes: Bytes, segment: Bytes) -> u32 {
    match (u32::try_from(bytes.0), u32::try_from(segment.0)) {
        (Ok(bytes), Ok(segment)) => bytes.div_ceil(segment),
        _ => {
            cold_path();
            u32::try_from(bytes.0.div_ceil(segment.0)).unwrap_or(u32::MAX)
        }
    }
}

/// The queue that long transfers keep before a concentrator: they fill the buffer until something is lost, give way,
/// and fill it again.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StandingEstimate {
    /// Bits that stand.
    pub bits: f64,
    /// Whether nothing was lost yet since it began to fill: windows double, or nearly.
    climbs: bool,
    /// How long it stays full: until those who lost something hear of it [s].
    full_for: f64,
}

/// Segments that the link holds, on the way and in its buffer, on which the next two were measured (20 Mbit/s, 75 ms).
const MEASURED: f64 = 134.0;
/// Time constant with which the first transfer fills an empty buffer [s], and with which CUBIC fills what it gave up: measured
/// with the packet engine on a link that holds [`MEASURED`] segments. On others the first goes with the segments that it
/// holds, the second with their cube root, as CUBIC's period does (RFC 9438, equation 2).
const FILL_TIME: f64 = 0.2;
/// See [`CLIMB`].
const REFILL: f64 = 0.8;
/// What they fill towards, as a share of the buffer; it is lost before.
const TOWARDS: f64 = 1.03;
/// What CUBIC gives up of its window after a loss (RFC 9438, section 4.6).
pub(super) const LOSS_BACKOFF: f64 = 0.3;

impl StandingEstimate {
    /// `dt` seconds pass: while `flows` transfers saturate the link the queue fills, else it drains at the `spare` rate. Most
    /// often it stays full, or goes on filling.
    #[inline]
    pub fn pass(&mut self, dt: f64, flows: usize, link: &SharedLink, spare: f64) {
        if flows == 0 {
            (self.bits, self.climbs, self.full_for) = ((self.bits - spare * dt).max(0.0), true, 0.0);
            return;
        }
        if !self.stays(dt, flows, link) {
            cold_path();
            self.go_round(dt, flows, link);
        }
    }

    /// It stays full for `dt` seconds, or fills and loses nothing; false where that does not last so long.
    #[inline]
    fn stays(&mut self, dt: f64, flows: usize, link: &SharedLink) -> bool {
        if self.full_for > 0.0 {
            let stays = self.full_for >= dt;
            if stays {
                self.full_for -= dt;
            }
            return stays;
        }
        let towards = TOWARDS * link.buffer;
        let then = towards - (towards - self.bits) * exp_decay(dt * self.pace(flows, link));
        let fits = then < link.buffer;
        if fits {
            self.bits = then;
        }
        fits
    }

    /// One over the time constant with which it fills [1/s].
    fn pace(&self, flows: usize, link: &SharedLink) -> f64 {
        if self.climbs {
            cold_path();
            return float(flows as u64).sqrt() / (FILL_TIME * link.size);
        }
        refill(flows) / link.size_root
    }

    /// The queue fills and gives way, as often as it does in `dt` seconds.
    #[inline(never)]
    fn go_round(&mut self, dt: f64, flows: usize, link: &SharedLink) {
        let mut left = dt;
        // After many cycles only where it stands in the last one matters.
        for _ in 0..MOST_CYCLES {
            if self.stays(left, flows, link) {
                return;
            }
            if self.full_for > 0.0 {
                left -= self.full_for;
                self.give_way(flows, link);
                if self.stays(left, flows, link) {
                    return;
                }
            }
            let towards = TOWARDS * link.buffer;
            let fuller = ((towards - self.bits) / (towards - link.buffer)).max(1.0);
            left -= (1.0 / self.pace(flows, link) * fuller.ln()).min(left);
            self.bits = link.buffer;
            self.lose(link);
        }
    }

    /// Less by so much, as far as it is there.
    pub fn drain(&mut self, bits: f64) {
        (self.bits, self.climbs, self.full_for) = ((self.bits - bits).max(0.0), false, 0.0);
    }

    /// Something was lost. Senders hear of it a round trip later; until then the queue stays as it is.
    pub fn lose(&mut self, link: &SharedLink) {
        if self.full_for <= 0.0 {
            self.full_for = (link.pipe + self.bits) / link.rate.max(1.0);
        }
    }

    fn give_way(&mut self, flows: usize, link: &SharedLink) {
        let flows = float(flows.max(1) as u64);
        self.drain(LOSS_BACKOFF * (self.bits + link.pipe) * (1.0 + LOSS_FRACTION * (flows - 1.0)) / flows);
    }
}

/// One over the time constant with which so many transfers fill what they gave up [1/s].
fn refill(flows: usize) -> f64 {
    /// Up to so many transfers it is looked up: asked for at every event, it is the cube root that costs.
    const KNOWN: usize = 1 << 14;
    static PACES: LazyLock<Vec<f64>> =
        LazyLock::new(|| (0..KNOWN as u64).map(|flows| float(flows).cbrt() / REFILL).collect());
    PACES.get(flows).copied().unwrap_or_else(|| float(flows as u64).cbrt() / REFILL)
}

/// Segments that a link holds, as a multiple of those of the link on which its time constants were measured; not less than a
/// few.
#[must_use]
pub fn size(bits: f64, segment: f64) -> f64 {
    const LEAST: f64 = 0.05;
    larger(bits / (segment * MEASURED), LEAST)
}

/// A link and its buffer, as transfers that compete for it see them [bit, bit/s].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SharedLink {
    /// What the queue holds.
    pub buffer: f64,
    /// What is on the way beside it.
    pub pipe: f64,
    /// What it carries.
    pub rate: f64,
    /// A full segment.
    pub segment: f64,
    /// What it holds, as [`size`] has it, and the cube root of that.
    size: f64,
    size_root: f64,
}

impl SharedLink {
    /// A link of `rate` with a `buffer` and a round trip of `trip` seconds without queues.
    #[must_use]
    pub fn new(rate: f64, buffer: f64, trip: f64, segment: f64) -> Self {
        let mut link = Self { buffer, pipe: 0.0, rate, segment, size: 1.0, size_root: 1.0 };
        link.open(rate, trip);
        link
    }

    /// It carries `rate` from now on.
    pub fn open(&mut self, rate: f64, trip: f64) {
        (self.rate, self.pipe) = (rate, trip * rate);
        self.size = size(self.pipe + self.buffer, larger(self.segment, 1.0));
        self.size_root = self.size.cbrt();
    }
}

/// What is left after `x` time constants. Events are close together: most of what is asked for is little, and eight terms
/// of the series are exact to 1e-12 there.
#[must_use]
pub fn exp_decay(x: f64) -> f64 {
    if unlikely(x >= 0.06) {
        return (-x).exp();
    }
    // In pairs, which need not wait for each other (Estrin).
    let pair = |even: f64, odd: f64| 1.0 / even - x * (1.0 / odd);
    let square = x * x;
    pair(1.0, 1.0) + square * pair(2.0, 6.0) + square * square * (pair(24.0, 120.0) + square * pair(720.0, 5040.0))
}

/// Share of the other transfers that lose something, too, while the queue is full.
pub(super) const LOSS_FRACTION: f64 = 0.3;

const MOST_CYCLES: u32 = 64;

/// Share of an access link's buffer that stands full while a long transfer is held back by it.
const ACCESS_STANDING: f64 = 0.8;

/// Wait in the queue that long transfers keep before an access link which has been full for `full` seconds and is of such a
/// [`size`] [s].
#[must_use]
pub fn access_queue(full: f64, buffer: f64, size: f64) -> f64 {
    if full > 0.0 { ACCESS_STANDING * buffer * (1.0 - (-full / (FILL_TIME * size)).exp()) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::model::Cipher;
    use crate::units::{BitRate, PacketRate};

    fn unit(packets: Option<u64>) -> Concentrator {
        let plain = Concentrator::new("hub".to_owned(), BitRate(1_000_000_000), Bytes(0));
        Concentrator { packets: packets.map(PacketRate), cipher: Cipher::AesGcm, ..plain }
    }

    /// The two figures of the data sheet come out again.
    #[test]
    fn cost_meets_throughput_at_the_reference_and_packet_rate_at_the_smallest() {
        let cost = ServiceCost::of(&unit(Some(200_000))).unwrap();
        assert!((cost.packet(1400) - 1464.0 * 8.0).abs() < 1e-6);
        assert!((1e9 / cost.packet(40) - 200_000.0).abs() < 1e-3);
        assert!(cost.packet(200) > 264.0 * 8.0, "small packets cost more than their bits");
        assert_eq!(ServiceCost::of(&unit(Some(10_000))), None, "fewer packets than the throughput needs");
    }

    #[test]
    fn what_fades_is_the_exponential() {
        for x in [0.0, 1e-9, 1e-4, 9.99e-3, 0.0599, 0.06, 0.5, 30.0] {
            assert!((exp_decay(x) - (-x).exp()).abs() < 1e-12, "{x}");
        }
    }

    /// One transfer through a buffer of 50 ms: it fills, loses, gives up less than half, and fills again.
    #[test]
    fn a_standing_queue_rises_falls_and_drains() {
        let link = SharedLink::new(20e6, 1e6, 0.02, 11_216.0);
        let after = |mut queue: StandingEstimate, dt, flows, spare| {
            queue.pass(dt, flows, &link, spare);
            queue
        };
        let one = after(StandingEstimate::default(), 5.0, 1, 0.0);
        assert!((0.5e6..=1e6).contains(&one.bits), "{one:?}");
        let many = after(StandingEstimate::default(), 5.0, 20, 0.0);
        assert!((0.85e6..=1e6).contains(&many.bits), "{many:?}");
        assert!((after(one, 0.5, 0, 1e6).bits - (one.bits - 0.5e6)).abs() < 1.0);
        assert!(after(one, 5.0, 0, 1e6).bits <= 0.0);
    }
}
