//! Binding limits: which limit of a concentrator holds traffic up, by quarter of an hour.

use serde::Serialize;

use crate::model::{Bottleneck, Class, Concentrator, Model, Transport};
use crate::sim::cost::{PriorTraffic, ServiceCost};
use crate::sim::turn::Turn;
use crate::study::record::ConcentratorBin;
use crate::units::Bytes;

/// A limit that binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// None does.
    None,
    /// It is down.
    Down,
    /// Handshakes: sites wait for their tunnels.
    Handshakes,
    /// It holds as many tunnels as it can, and sites want more.
    Tunnels,
    /// Throughput.
    Throughput,
    /// Its uplink, or the rate to which it shapes.
    Line,
    /// Packet rate, more than bit rate.
    Packets,
    /// The rate of one tunnel, at some sites.
    TunnelCeiling,
    /// Calls that it admits.
    Streams,
}

impl Limit {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Down => "down",
            Self::Handshakes => "handshakes",
            Self::Tunnels => "tunnels",
            Self::Throughput => "throughput",
            Self::Line => "line",
            Self::Packets => "packets",
            Self::TunnelCeiling => "tunnel ceiling",
            Self::Streams => "calls",
        }
    }
}

/// Utilisation from which a concentrator counts as full.
const FULL: f64 = 0.95;

/// The load of a concentrator in a quarter of an hour.
pub struct QuarterLoad<'a> {
    /// Work done by class, summed over the quarter [bit].
    pub carried: &'a [f64],
    /// Work that could have been done [bit].
    pub capacity: f64,
    /// Its bins.
    pub bins: &'a [ConcentratorBin],
    /// Sites that were cut off, on average.
    pub cut_off: f64,
}

/// Which limit binds in a quarter.
#[must_use]
pub fn binding(model: &Model, concentrator: &Concentrator, quarter: &QuarterLoad<'_>) -> Limit {
    let bins = quarter.bins;
    #[allow(clippy::cast_precision_loss)] // a few bins
    let count = (bins.len() as f64).max(1.0);
    let mean = |of: fn(&ConcentratorBin) -> f64| bins.iter().map(of).sum::<f64>() / count;
    let done: f64 = quarter.carried.iter().sum();
    if mean(|bin| bin.down) >= 0.5 {
        Limit::Down
    } else if quarter.cut_off >= 0.5 && mean(|bin| bin.half_open) >= 0.5 {
        Limit::Handshakes
    } else if quarter.capacity > 0.0 && done >= FULL * quarter.capacity {
        full(model, concentrator, quarter.carried)
    } else if concentrator
        .tunnels
        .is_some_and(|most| mean(|bin| bin.tunnels) >= f64::from(most) - 0.5 && quarter.cut_off >= 0.5)
    {
        Limit::Tunnels
    } else if mean(|bin| bin.at_ceiling) >= 0.5 {
        Limit::TunnelCeiling
    } else if mean(|bin| bin.refused_calls) > 0.0 {
        Limit::Streams
    } else {
        Limit::None
    }
}

fn full(model: &Model, concentrator: &Concentrator, carried: &[f64]) -> Limit {
    if concentrator.carries().1 != Bottleneck::Crypto {
        return Limit::Line;
    }
    let share = |(class, work): (&Class, &f64)| work * packet_share(model, concentrator, class);
    let of_packets: f64 = model.classes.iter().zip(carried).map(share).sum();
    if of_packets > carried.iter().sum::<f64>() / 2.0 { Limit::Packets } else { Limit::Throughput }
}

/// Share of the work of a class that is due to packets whatever their size, for a transaction of its mean size.
fn packet_share(model: &Model, concentrator: &Concentrator, class: &Class) -> f64 {
    let (Transport::Tcp(tcp), Some((per_packet, _)), Some(cost)) =
        (model.transport, concentrator.packet_cost(), ServiceCost::of(concentrator))
    else {
        return 0.0;
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // sizes of transfers
    let bytes = |mean: f64| Bytes(mean.max(1.0) as u64);
    let turn = Turn::new(bytes(class.request.mean()), bytes(class.response.mean()), tcp.segment);
    let bare = Concentrator { packets: None, ..concentrator.clone() };
    let all = cost.over(tcp).turn(class, &turn, PriorTraffic::default());
    let of_bits = ServiceCost::of(&bare).map_or(all, |bare| bare.over(tcp).turn(class, &turn, PriorTraffic::default()));
    let Some((_, per_bit)) = concentrator.packet_cost() else { return 0.0 };
    if per_packet <= 0.0 { 0.0 } else { (1.0 - per_bit * of_bits / all).clamp(0.0, 1.0) }
}
