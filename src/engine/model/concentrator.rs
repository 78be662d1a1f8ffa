//! Concentrators: limits, queues, order of service, what encryption costs.

use crate::model::cipher::{Cipher, Encapsulation};
use crate::model::ids::ClassId;
use crate::units::{BitRate, Bytes, Duration, PacketRate, Time};

/// A concentrator: what it is and how it serves.
#[derive(Clone, Debug)]
pub struct Concentrator {
    /// Its name.
    pub name: String,
    /// Encrypted traffic at the reference packet.
    pub throughput: BitRate,
    /// Packets of 40 bytes (bare acknowledgements) that it can handle.
    pub packets: Option<PacketRate>,
    /// Throughput at which that packet rate is stated: a device of the same kind that is larger or smaller handles more or
    /// fewer packets in proportion.
    pub rated: BitRate,
    /// Inner packet at which the throughput is stated.
    pub reference: Bytes,
    /// What encryption adds.
    pub cipher: Cipher,
    /// Largest packet on the wire that its path to the sites carries whole.
    pub mtu: Bytes,
    /// Which directions use up the throughput.
    pub counts: Counts,
    /// Queue of each class (or of all, first in first out).
    pub buffer: Bytes,
    /// Packets that each queue holds at most, if packets are counted, too.
    pub buffer_packets: Option<u32>,
    /// Order of service.
    pub discipline: Discipline,
    /// Streams that it admits at a time.
    pub streams: Option<u32>,
    /// When it opens.
    pub opens: Time,
    /// Tunnels that it holds.
    pub tunnels: Option<u32>,
    /// What one tunnel can carry.
    pub per_tunnel: Option<BitRate>,
    /// Packets a second that one tunnel can carry each way.
    pub per_tunnel_packets: Option<PacketRate>,
    /// IKE handshakes that it completes in a second.
    pub handshakes: Option<f64>,
    /// How it gets to that rate when it has come up; none if it has it at once.
    pub ramp: Option<Ramp>,
    /// Handshakes that it holds half open.
    pub half_open: Option<u32>,
    /// It forgets a handshake that has waited for so long.
    pub half_open_timeout: Option<Duration>,
    /// It takes tunnels only while another of its pool is down.
    pub standby: bool,
    /// What each Mbit/s of its throughput costs.
    pub cost_per_mbit: Option<f64>,
    /// Where its order of service applies.
    pub queues: Queues,
    /// What its line carries, and what it was told that the line carries.
    pub uplink: Option<BitRate>,
    /// What it was told that its line carries; it never sends more.
    pub configured: Option<BitRate>,
}

/// Admission that rises from one rate to the full one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// Handshakes a second when it comes up.
    pub from: f64,
    /// It has its full rate after so long [s].
    pub over: f64,
}

impl Ramp {
    /// Rate after `up` seconds, where the full one is `full` [1/s].
    #[must_use]
    pub fn rate(&self, full: f64, up: f64) -> f64 {
        if up >= self.over { full } else { self.from + (full - self.from) * up / self.over }
    }

    /// Time that the next handshake takes, `up` seconds after it came up: until the rate has added up to one [s].
    #[must_use]
    pub fn handshake_time(&self, full: f64, up: f64) -> f64 {
        let (now, left) = (self.rate(full, up), (self.over - up).max(0.0));
        let within_ramp = f64::midpoint(now, full) * left;
        if within_ramp < 1.0 {
            return left + (1.0 - within_ramp) / full;
        }
        let slope = (full - self.from) / self.over;
        // The root of `now x + slope x^2 / 2 = 1`, written so that a slope of nothing is no special case.
        2.0 / (now + (now * now + 2.0 * slope).sqrt())
    }
}

/// Where a concentrator's order of service applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queues {
    /// Before encryption.
    BeforeCrypto,
    /// After it, on the line.
    AfterCrypto,
}

/// Which of a concentrator's parts holds traffic up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bottleneck {
    /// Encryption.
    Crypto,
    /// Its own shaper, set to what it was told.
    Shaper,
    /// The line: the device does not know, and what queues there is served first in first out.
    Line,
}

impl Concentrator {
    /// A concentrator of this throughput and buffer that has no other limit.
    #[must_use]
    pub fn new(name: String, throughput: BitRate, buffer: Bytes) -> Self {
        Self {
            name,
            throughput,
            packets: None,
            rated: throughput,
            reference: Bytes(1400),
            cipher: Cipher::None,
            mtu: Bytes(1500),
            counts: Counts::Both,
            buffer,
            buffer_packets: None,
            discipline: Discipline::Fifo,
            streams: None,
            opens: Time(0),
            tunnels: None,
            per_tunnel: None,
            per_tunnel_packets: None,
            handshakes: None,
            ramp: None,
            half_open: None,
            half_open_timeout: None,
            standby: false,
            cost_per_mbit: None,
            queues: Queues::BeforeCrypto,
            uplink: None,
            configured: None,
        }
    }

    /// What it carries at most, and which of its parts sets that limit.
    #[must_use]
    pub fn carries(&self) -> (BitRate, Bottleneck) {
        let line = self.uplink.unwrap_or(BitRate(u64::MAX));
        let shaper = self.configured.unwrap_or(line);
        if self.throughput <= shaper.min(line) {
            (self.throughput, Bottleneck::Crypto)
        } else if shaper <= line {
            (shaper, Bottleneck::Shaper)
        } else {
            (line, Bottleneck::Line)
        }
    }

    /// What becomes of packets in its tunnels.
    #[must_use]
    pub fn encapsulation(&self) -> Encapsulation {
        Encapsulation::new(self.cipher, self.mtu)
    }

    /// The order in which it serves where traffic is held up: none of its making where it does not queue.
    #[must_use]
    pub fn order(&self) -> &Discipline {
        const INERT: &Discipline = &Discipline::Fifo;
        match self.carries().1 {
            Bottleneck::Crypto if self.queues == Queues::AfterCrypto => INERT,
            Bottleneck::Crypto | Bottleneck::Shaper => &self.discipline,
            Bottleneck::Line => INERT,
        }
    }
}

/// A bare acknowledgement: IP and TCP headers [B].
pub const SMALLEST: u64 = 40;

impl Concentrator {
    /// What a packet costs, as bits of throughput: so much for itself, and so much for each of its bits.
    ///
    /// Where encryption is not what holds traffic up, a packet costs its bits.
    #[must_use]
    pub fn packet_cost(&self) -> Option<(f64, f64)> {
        if self.carries().1 == Bottleneck::Crypto { self.rated_cost() } else { Some((0.0, 1.0)) }
    }

    /// What encryption of a packet costs. The two follow from throughput at the reference packet and packet rate at the
    /// smallest one. `None` if these contradict each other.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // packet sizes and rates stay below 2^53
    pub fn rated_cost(&self) -> Option<(f64, f64)> {
        let Some(packets) = self.packets else { return Some((0.0, 1.0)) };
        let large = self.cipher.wire(self.reference.0) as f64 * 8.0;
        let small = self.cipher.wire(SMALLEST) as f64 * 8.0;
        let smallest = self.rated.bits() / packets.0 as f64;
        let per_bit = (large - smallest) / (large - small);
        let per_packet = smallest - per_bit * small;
        (per_bit >= 0.0 && per_packet >= 0.0).then_some((per_packet, per_bit))
    }
}

/// Which directions of traffic use up a concentrator's throughput.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counts {
    /// Both: one crypto engine for all.
    Both,
    /// Only what goes to the sites.
    Down,
}

/// The order in which a concentrator serves.
#[derive(Clone, Debug, PartialEq)]
pub enum Discipline {
    /// One queue; TCP shares it by flow.
    Fifo,
    /// Classes in strict order, given as ranks (0 first) by class.
    Priority(Vec<u8>),
    /// A share of the link to each class that is busy, by these weights.
    Weighted(Vec<f64>),
    /// The same share to each busy site.
    FairBySite,
    /// Each flow by the weight of its class (discriminatory processor sharing).
    Discriminatory(Vec<f64>),
    /// Some classes strictly first, weights among the others.
    LowLatency {
        /// Which classes go first.
        first: Vec<bool>,
        /// Weights of the others.
        weights: Vec<f64>,
    },
}

/// How a discipline treats a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Treatment {
    /// Lower ranks are served strictly first.
    pub rank: u8,
    /// Weight of its queue among those of its rank; none where it has no queue of its own.
    pub weight: Option<f64>,
    /// Whether it shares its queue with no other class of its rank.
    pub has_own_queue: bool,
    /// Weight of one of its flows within the queue.
    pub flow_weight: f64,
}

impl Treatment {
    /// As all others: one queue, first come, first served.
    const PLAIN: Self = Self { rank: 0, weight: None, has_own_queue: false, flow_weight: 1.0 };
}

/// Who takes turns within a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turns {
    /// Nobody: first come, first served.
    None,
    /// Sites.
    BySite,
    /// Flows, by their weights.
    ByFlow,
}

/// All that the engine and the reports ask of a discipline: one more needs an answer to each.
impl Discipline {
    /// How it treats a class.
    #[must_use]
    pub fn treatment(&self, class: ClassId) -> Treatment {
        let class = class.index();
        let plain = Treatment::PLAIN;
        match self {
            Self::Fifo | Self::FairBySite => plain,
            Self::Priority(ranks) => Treatment { rank: ranks[class], ..plain },
            Self::Weighted(weights) => Treatment { weight: Some(weights[class]), has_own_queue: true, ..plain },
            Self::Discriminatory(weights) => Treatment { flow_weight: weights[class], ..plain },
            Self::LowLatency { first, .. } if first[class] => plain,
            Self::LowLatency { weights, .. } => {
                Treatment { rank: 1, weight: Some(weights[class]), has_own_queue: true, ..plain }
            }
        }
    }

    /// Who takes turns within a queue.
    #[must_use]
    pub fn turns(&self) -> Turns {
        match self {
            Self::Fifo | Self::Priority(_) | Self::Weighted(_) | Self::LowLatency { .. } => Turns::None,
            Self::FairBySite => Turns::BySite,
            Self::Discriminatory(_) => Turns::ByFlow,
        }
    }

    /// Whether it puts a class before others.
    #[must_use]
    pub fn puts_first(&self, class: ClassId) -> bool {
        match self {
            Self::Priority(_) | Self::LowLatency { .. } => self.treatment(class).rank == 0,
            Self::Fifo | Self::Weighted(_) | Self::FairBySite | Self::Discriminatory(_) => false,
        }
    }

    /// Whether classes share by weight.
    #[must_use]
    pub fn has_weights(&self) -> bool {
        match self {
            Self::Weighted(_) | Self::LowLatency { .. } => true,
            Self::Fifo | Self::Priority(_) | Self::FairBySite | Self::Discriminatory(_) => false,
        }
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Priority(_) => "priority",
            Self::LowLatency { .. } => "low latency",
            Self::Weighted(_) => "weighted",
            Self::FairBySite => "fair by site",
            Self::Discriminatory(_) => "discriminatory",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From 5 to 20 a second over 100 s, 1,250 handshakes are complete at its end: the area under the ramp.
    #[test]
    fn a_ramp_completes_the_area_under_its_rate() {
        let ramp = Ramp { from: 5.0, over: 100.0 };
        let (mut up, mut done) = (0.0, 0);
        while done < 1_250 {
            up += ramp.handshake_time(20.0, up);
            done += 1;
        }
        assert!((up - 100.0).abs() < 1e-6, "{up}");
        assert!((ramp.handshake_time(20.0, up) - 0.05).abs() < 1e-9);
        let flat = Ramp { from: 4.0, over: 100.0 };
        assert!((flat.handshake_time(4.0, 3.0) - 0.25).abs() < 1e-12);
    }
}
