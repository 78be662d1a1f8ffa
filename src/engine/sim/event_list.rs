//! The future event list: a hierarchical timing wheel with a heap for the near future.
//!
//! Ties at an instant are broken by [`Rank`], then by the order in which events were scheduled: never by address
//! or hash. Later events lie unsorted in buckets, in wheels of increasing bucket length (Varghese & Lauck 1987, scheme 7). When the
//! current bucket is empty, the next one becomes current: a short one is sorted, a long one is distributed over shorter ones (as
//! in the ladder queue of Tang, Goh & Thng 2005). So an event is moved once or twice and sorted with the few that are due near
//! it, however many thousands are pending. An event that is due within the current bucket goes to a small heap beside it.
//!
//! An event is constructed in its slot and read there; it is not copied. The event that was scheduled last waits in a slot of its
//! own until the next one is scheduled: its time is the result of a long computation, and the processor would have to wait for
//! it to find the bucket.

mod buckets;
mod chunks;
mod entries;
mod wheel;

use crate::sim::hints::{likely, unlikely};
use crate::units::Time;
use buckets::Buckets;
use chunks::{Chunk, NONE};
use entries::{Heap, Near, Pending, ROOM, key};
use wheel::{BUCKETS, DIGIT, Wheel, below, digit};

/// What comes first at the same instant: the order of this list is the rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Rank {
    /// A change of the set-up, or a fault.
    Change = 0,
    /// A snapshot.
    Watch = 1,
    /// An arrival.
    Arrival = 2,
}

/// The time of an event, and its order among those of the same instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Due(u128);

impl Due {
    /// Later than every event.
    pub const NEVER: Self = Self(u128::MAX);

    /// Its time.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // the high half is meant
    pub fn time(self) -> Time {
        Time((self.0 >> 64) as u64).min(Time::NEVER)
    }
}

/// Up to so many events are kept sorted, without buckets.
const FEW: usize = 8;

/// Pending events.
#[derive(Clone, Debug)]
pub struct EventList<E> {
    /// The current bucket, sorted.
    near: Near<E>,
    /// Events that were scheduled within the current bucket since it became current.
    late: Heap<E>,
    /// Length of a bucket of the first wheel, as a power of two [ns].
    bits: u32,
    /// Number of the current bucket. A wheel holds buckets whose numbers differ from it in one digit, or below.
    up: u64,
    buckets: Buckets<E>,
    /// The event that was scheduled last for a later bucket, if it still waits to be put there.
    last: Pending<E>,
    last_waits: bool,
    /// Events in buckets, or waiting to be put there.
    in_buckets: usize,
    scheduled: u64,
}

impl<E: Copy + Default> EventList<E> {
    /// An empty list. The shortest buckets are 2^`bits` nanoseconds long: about as long as a few events take, so that most events go to
    /// a bucket, not to the heap.
    #[must_use]
    pub fn new(bits: u32) -> Self {
        Self {
            near: Near::new(),
            late: Heap::default(),
            bits,
            up: 0,
            buckets: Buckets::new(),
            last: Pending::default(),
            last_waits: false,
            in_buckets: 0,
            scheduled: 0,
        }
    }

    /// Schedules an event. Inlined, so that it is constructed in its slot and not copied there.
    #[inline]
    pub fn push(&mut self, at: Time, rank: Rank, event: E) {
        let order = self.order(rank);
        *self.place(at.0, order) = Pending { at: at.0, order, event };
    }

    /// A place in the order of events for one that is kept outside the list, because only the next of its kind is known. It comes in
    /// order like all others, but costs only a comparison.
    #[inline]
    pub fn due(&mut self, at: Time, rank: Rank) -> Due {
        Due(key(at.0, self.order(rank)))
    }

    fn order(&mut self, rank: Rank) -> u64 {
        self.scheduled += 1;
        (rank as u64) << 56 | (self.scheduled - 1)
    }

    /// The slot of an event that is due then. Each case is a tail call, so that the usual case saves no registers for rare ones.
    #[inline(never)]
    fn place(&mut self, at: u64, order: u64) -> &mut Pending<E> {
        let bucket = at >> self.bits;
        let few = unlikely(self.in_buckets == 0) && self.late.left == 0 && self.near.left < FEW;
        if bucket > self.up && !(few && bucket < self.up + BUCKETS as u64) {
            self.in_buckets += 1;
            self.place_last()
        } else if few {
            self.place_near(at, order)
        } else {
            self.late.make_room(key(at, order))
        }
    }

    /// Few events need no buckets: each goes to its place in the current bucket, which reaches as far as the last of them.
    #[inline(never)]
    fn place_near(&mut self, at: u64, order: u64) -> &mut Pending<E> {
        if self.near.is_full() {
            return self.place_near_grown(at, order);
        }
        let place = self.near.make_room(key(at, order));
        let last = if place == 0 { at } else { self.near.entries[0].at };
        self.up = self.up.max(last >> self.bits);
        &mut self.near.entries[place]
    }

    #[cold]
    fn place_near_grown(&mut self, at: u64, order: u64) -> &mut Pending<E> {
        self.near.grow();
        self.place_near(at, order)
    }

    /// The slot in which an event for a later bucket waits; the one that waited there is put into its bucket.
    #[inline(never)]
    fn place_last(&mut self) -> &mut Pending<E> {
        if likely(self.last_waits) {
            self.put_last();
        }
        self.last_waits = true;
        &mut self.last
    }

    /// Puts the event that was scheduled last into its bucket.
    #[inline]
    fn put_last(&mut self) {
        *self.buckets.place(self.last.at >> self.bits, self.up) = self.last;
        self.last_waits = false;
    }

    /// The time of the next event.
    #[must_use]
    pub fn next_time(&mut self) -> Time {
        self.fetch();
        match (self.near.last(), self.late.first()) {
            (Some(near), Some(late)) => Time(near.at.min(late.at)),
            (Some(entry), None) | (None, Some(entry)) => Time(entry.at),
            (None, None) => Time::NEVER,
        }
    }

    /// Takes the next event out.
    pub fn pop(&mut self) -> Option<(Time, &E)> {
        self.pop_before(Time(u64::MAX))
    }

    /// Takes the next event out, if it comes before `limit`. It is read in its slot, which is used again.
    #[inline]
    pub fn pop_before(&mut self, limit: Time) -> Option<(Time, &E)> {
        self.pop_if(|next| next.at < limit.0)
    }

    /// Takes the next event out, if it comes before one that is kept outside the list.
    #[inline]
    pub fn pop_ahead_of(&mut self, other: Due) -> Option<(Time, &E)> {
        self.pop_if(|next| next.key() < other.0)
    }

    #[inline]
    fn pop_if(&mut self, comes: impl FnOnce(&Pending<E>) -> bool) -> Option<(Time, &E)> {
        self.fetch();
        let entry = if self.comes_late() {
            self.late.first().filter(|next| comes(next))?;
            self.late.pop()
        } else {
            self.near.last().filter(|next| comes(next))?;
            self.near.pop()
        };
        Some((Time(entry.at), &entry.event))
    }

    /// Whether the next event is in the heap, which is rare.
    #[inline]
    fn comes_late(&self) -> bool {
        let Some(late) = self.late.first() else { return false };
        self.near.last().is_none_or(|near| late.key() < near.key())
    }

    /// Makes the next bucket current, if the present one is empty.
    #[inline]
    fn fetch(&mut self) {
        if self.near.left == 0 && self.in_buckets > 0 && self.late.left == 0 {
            self.bring_up();
        }
    }

    /// The current bucket's number once that bucket of a wheel, or the first short one in it, is current.
    #[inline]
    fn reached(&self, wheel: usize, bucket: usize) -> u64 {
        (self.up >> below(wheel) >> DIGIT << DIGIT | bucket as u64) << below(wheel)
    }

    /// The next short bucket with events becomes current.
    #[inline(never)]
    fn bring_up(&mut self) {
        let Some(bucket) = self.buckets.wheels[0].next_filled(digit(self.up, 0)) else { return self.deal() };
        if self.last_waits && unlikely(self.last.at >> self.bits <= self.reached(0, bucket)) {
            return self.bring_up_with_last();
        }
        self.up = self.reached(0, bucket);
        let (chunk, len) = self.buckets.wheels[0].take(bucket);
        self.in_buckets -= len;
        let Chunk(entries) = &self.buckets.chunks.all[chunk as usize];
        self.near.begin(entries, len);
        let rest = self.buckets.chunks.let_go(chunk);
        if rest != NONE || len > 1 {
            self.sort_with(rest);
        }
    }

    /// The same where the event that was scheduled last may come before it.
    #[inline(never)]
    fn bring_up_with_last(&mut self) {
        self.put_last();
        self.bring_up();
    }

    /// Sorts the current bucket together with these chunks, which are full.
    #[inline(never)]
    fn sort_with(&mut self, mut number: u32) {
        while let Some(Chunk(entries)) = self.buckets.chunks.all.get(number as usize) {
            self.near.add(entries);
            self.in_buckets -= ROOM;
            number = self.buckets.chunks.let_go(number);
        }
        self.near.sort();
    }

    /// Distributes the next long bucket with events: its first short one becomes current, the others wait in short ones.
    #[inline(never)]
    fn deal(&mut self) {
        if self.last_waits {
            return self.bring_up_with_last();
        }
        let next = |(number, wheel): (usize, &Wheel)| Some((number, wheel.next_filled(digit(self.up, number))?));
        let Some((wheel, bucket)) = self.buckets.wheels.iter().enumerate().skip(1).find_map(next) else { return };
        self.up = self.reached(wheel, bucket);
        let (mut number, mut len) = self.buckets.wheels[wheel].take(bucket);
        while let Some(&Chunk(entries)) = self.buckets.chunks.all.get(number as usize) {
            number = self.buckets.chunks.let_go(number);
            for entry in &entries[..len] {
                let bucket = entry.at >> self.bits;
                if bucket == self.up {
                    self.near.add(std::slice::from_ref(entry));
                    self.in_buckets -= 1;
                } else {
                    *self.buckets.place(bucket, self.up) = *entry;
                }
            }
            len = ROOM;
        }
        if self.near.left == 0 { self.bring_up() } else { self.near.sort() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_go_by_rank_and_then_by_order_of_scheduling() {
        let mut calendar = EventList::new(28);
        for (rank, event) in [(Rank::Arrival, 'c'), (Rank::Watch, 'b'), (Rank::Arrival, 'd'), (Rank::Change, 'a')] {
            calendar.push(Time(5), rank, event);
        }
        let order: String = std::iter::from_fn(|| calendar.pop().map(|(_, &event)| event)).collect();
        assert_eq!(order, "abcd");
    }

    #[test]
    fn what_is_kept_elsewhere_comes_in_its_turn() {
        let mut calendar = EventList::new(28);
        calendar.push(Time(5), Rank::Arrival, 'a');
        let elsewhere = calendar.due(Time(5), Rank::Arrival);
        calendar.push(Time(5), Rank::Arrival, 'b');
        assert_eq!(elsewhere.time(), Time(5));
        assert_eq!(calendar.pop_ahead_of(elsewhere), Some((Time(5), &'a')));
        assert_eq!(calendar.pop_ahead_of(elsewhere), None);
        assert_eq!(calendar.pop_ahead_of(Due::NEVER), Some((Time(5), &'b')));
    }

    proptest! {
        /// Fault: events that are scheduled and taken out in turns, near and far, come in another order than from a sorted list.
        #[test]
        fn events_come_out_as_a_stable_sort_would_order_them(
            steps in prop::collection::vec((prop_oneof![0_u64..50, 0_u64..200_000_000_000], 0_usize..3), 0..300),
            bits in prop_oneof![Just(16_u32), Just(28)],
        ) {
            let mut calendar = EventList::new(bits);
            let (mut plain, mut now): (Vec<(u64, usize)>, u64) = (Vec::new(), 0);
            for (number, &(gap, taken)) in steps.iter().enumerate() {
                calendar.push(Time(now + gap), Rank::Arrival, number);
                plain.push((now + gap, number));
                for _ in 0..taken {
                    plain.sort_unstable();
                    let first = (!plain.is_empty()).then(|| plain.remove(0));
                    prop_assert_eq!(calendar.next_time(), first.map_or(Time::NEVER, |(at, _)| Time(at)));
                    prop_assert!(first.is_none_or(|(at, _)| calendar.pop_before(Time(at)).is_none()));
                    let got = calendar.pop().map(|(at, &number)| (at.0, number));
                    prop_assert_eq!(got, first);
                    now = got.map_or(now, |(at, _)| at);
                }
            }
            plain.sort_unstable();
            let rest: Vec<(u64, usize)> = std::iter::from_fn(|| calendar.pop().map(|(at, &n)| (at.0, n))).collect();
            prop_assert_eq!(rest, plain);
        }
    }
}
