//! A site's access link: a rate each way, a buffer, and packets on their way.

use std::collections::VecDeque;
use std::hint::cold_path;

use crate::scenario::model::Site;
use crate::sim::packet::parcel::{ParcelId, Parcels};
use crate::units::{BitRate, Span, Time};

/// Both directions of an access link.
#[derive(Clone, Debug)]
pub struct Line {
    /// Towards the headend.
    pub up: Direction,
    /// Towards the site.
    pub down: Direction,
}

impl Line {
    /// An idle link with `buffer` of its rate before each direction; its tunnel carries no more than `ceiling`.
    #[must_use]
    pub fn new(site: &Site, ceiling: BitRate, buffer: Span) -> Self {
        let half = Span(site.rtt.0 / 2);
        let direction = |rate: BitRate| Direction::new(rate.min(ceiling).bits(), buffer, half);
        Self { up: direction(site.up), down: direction(site.down) }
    }
}

/// One direction. Service is first in first out, so the end of each packet's is known when it arrives.
#[derive(Clone, Debug)]
pub struct Direction {
    /// Time for a byte [s].
    each: f64,
    buffer: Span,
    delay: Span,
    busy: Time,
    /// Each with the time at which it is at the other end in its slot.
    under_way: VecDeque<ParcelId>,
}

/// How a train comes to a link.
#[derive(Clone, Copy, Debug)]
pub struct Train {
    /// When its first packet is there.
    pub from: Time,
    /// When its last one is.
    pub until: Time,
    /// Its bytes, and those of its last packet.
    pub bytes: u64,
    /// Of its last packet.
    pub last: u64,
}

impl Direction {
    fn new(rate: f64, buffer: Span, delay: Span) -> Self {
        Self { each: 8.0 / rate, buffer, delay, busy: Time(0), under_way: VecDeque::new() }
    }

    /// Sends a train on: when it is at the other end, if nothing else is before it.
    ///
    /// # Errors
    /// If it is lost.
    #[allow(clippy::result_unit_err)] // nothing more is to be said of it
    #[inline(always)]
    pub fn pass(&mut self, train: Train, parcels: &mut Parcels, id: ParcelId) -> Result<Option<Time>, ()> {
        let Some(at) = self.through(&train) else { return Err(()) };
        let first = self.under_way.is_empty();
        parcels[id].at = at;
        self.under_way.push_back(id);
        Ok(first.then_some(at))
    }

    /// When a train is at the other end; none if it is lost.
    pub fn through(&mut self, train: &Train) -> Option<Time> {
        if self.busy > train.from + self.buffer {
            cold_path();
            return None;
        }
        // Packets of a train follow each other: the link sends the first while the others arrive.
        let all = self.time(train.bytes);
        let last = if train.last == train.bytes { all } else { self.time(train.last) };
        self.busy = (self.busy.max(train.from) + all).max(train.until + last);
        Some(self.busy + self.delay)
    }

    /// Takes out what arrives now; with it when the next one does.
    pub fn arrive(&mut self, parcels: &Parcels) -> Option<(ParcelId, Option<Time>)> {
        let parcel = self.under_way.pop_front()?;
        Some((parcel, self.under_way.front().map(|&next| parcels[next].at)))
    }

    #[allow(clippy::cast_precision_loss)] // bytes of a train
    fn time(&self, bytes: u64) -> Span {
        Span::of_secs(bytes.cast_signed() as f64 * self.each)
    }
}
