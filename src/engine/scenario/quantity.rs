//! Quantities as a scenario writes them, whatever they are of.

use serde::{Deserialize, Serialize};

use crate::scenario::edit::{digits, number};
use crate::units::{BitRate, Bytes, Duration, NANOS, PacketRate, Share, Text, TimeOfDay, float};

/// A quantity as text, and what kind it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// What it is of.
    pub kind: QuantityKind,
    /// In seconds, bits per second, bytes, packets per second, shares of one, or as it is.
    pub size: f64,
}

/// What a quantity is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuantityKind {
    /// A time.
    Time,
    /// A bit rate.
    Rate,
    /// Packets per second.
    Packets,
    /// A size.
    Size,
    /// A share.
    Share,
    /// A number.
    Number,
    /// A whole number.
    Whole,
    /// A time of day.
    Clock,
}

impl Quantity {
    /// As it is written in a scenario; none if it is no quantity.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let of = |kind, size| Some(Self { kind, size });
        let time = || Duration::read(text).ok().and_then(|span| of(QuantityKind::Time, span.secs()));
        let rate = || BitRate::read(text).ok().and_then(|rate| of(QuantityKind::Rate, rate.bits()));
        let packets = || PacketRate::read(text).ok().and_then(|rate| of(QuantityKind::Packets, float(rate.0)));
        let size = || Bytes::read(text).ok().and_then(|bytes| of(QuantityKind::Size, bytes.bits() / 8.0));
        let share = || Share::read(text).ok().and_then(|share| of(QuantityKind::Share, share.0));
        let whole = || text.parse::<u32>().ok().and_then(|number| of(QuantityKind::Whole, f64::from(number)));
        let number = || text.parse().ok().and_then(|number| of(QuantityKind::Number, number));
        let clock = || TimeOfDay::read(text).ok().and_then(|clock| of(QuantityKind::Clock, float(clock.0 / NANOS)));
        clock().or_else(time).or_else(rate).or_else(packets).or_else(size).or_else(share).or_else(whole).or_else(number)
    }

    /// A whole number where the other is a number, and the other way round: both are written alike.
    #[must_use]
    pub fn like(self, other: &Self) -> Self {
        let numbers =
            [self.kind, other.kind].iter().all(|kind| matches!(kind, QuantityKind::Whole | QuantityKind::Number));
        if numbers { Self { kind: other.kind, ..self } } else { self }
    }

    /// As it is written in a scenario.
    #[must_use]
    pub fn written(&self) -> String {
        let size = self.size;
        match self.kind {
            QuantityKind::Time => format!("{} ms", digits(size * 1e3)),
            QuantityKind::Rate => format!("{} Mbit/s", digits(size / 1e6)),
            QuantityKind::Packets => format!("{} packet/s", size.round()),
            QuantityKind::Size => format!("{} B", size.round()),
            QuantityKind::Share => format!("{} %", digits(size * 100.0)),
            QuantityKind::Number => digits(size).to_string(),
            QuantityKind::Whole => size.round().to_string(),
            QuantityKind::Clock => clock(size),
        }
    }
}

/// Seconds since midnight as a time of day is written; what lies outside the day is at its end.
#[must_use]
pub fn clock(seconds: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within a day
    let seconds = seconds.round().clamp(0.0, 86_400.0) as u64;
    TimeOfDay(seconds * NANOS).to_string()
}

/// Both ends of a range as sources state it: `10 to 40 ms`, `500 Mbit/s to 2 Gbit/s`; none if it is in other words.
#[must_use]
pub fn ends(range: &str) -> Option<(String, String)> {
    let (low, high) = range.split_once(" to ")?;
    if [low, high].iter().all(|end| TimeOfDay::read(end).is_ok()) {
        return Some((low.to_owned(), high.to_owned()));
    }
    let ((low, unit), (high, of_high)) = (number(low)?, number(high)?);
    if of_high.contains(' ') || unit.contains(' ') {
        return None;
    }
    let unit = if unit.is_empty() { of_high.clone() } else { unit };
    let written = |value: f64, unit: &str| if unit.is_empty() { value.to_string() } else { format!("{value} {unit}") };
    Some((written(low, &unit), written(high, &of_high)))
}
