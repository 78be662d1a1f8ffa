//! The future: events in the order in which they happen.
//!
//! Ties at an instant are broken by [`Rank`], then by the order in which events were scheduled: never by address
//! or hash. What is further off lies unsorted in buckets, in wheels of ever longer ones (Varghese & Lauck 1987, scheme 7):
//! when a bucket comes up, a short one is sorted and a long one is dealt out to shorter ones (as in the ladder queue of
//! Tang, Goh & Thng 2005). So thousands of people who think for half a minute do not make every push and pop pay for them:
//! an event is moved once or twice and sorted with the few that happen next to it. What is scheduled within the bucket that
//! is up goes to a small heap beside it.

use crate::units::Time;

/// What comes first at the same instant: the order of this list is the rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Rank {
    /// The world is edited.
    Change = 0,
    /// What is inside is looked at.
    Watch = 1,
    /// Something arrives.
    Arrival = 2,
}

#[derive(Clone, Copy, Debug)]
struct Entry<E> {
    /// Time above, then rank in a byte, then the number of the event.
    key: u128,
    event: E,
}

impl<E> Entry<E> {
    #[allow(clippy::cast_possible_truncation)] // the upper half is the time
    fn at(&self) -> Time {
        Time((self.key >> 64) as u64)
    }
}

/// Buckets of a wheel: 2 to so many.
const DIGIT: u32 = 10;
const BUCKETS: usize = 1 << DIGIT;
/// So many wheels reach to the end of time from buckets of 16 us.
const WHEELS: usize = 5;

/// So many events need no buckets.
const FEW: usize = 8;

/// Events that are still to come.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    /// The bucket that is up, the next event last.
    near: Vec<Entry<E>>,
    /// What was scheduled since it came up, within it.
    late: Heap<E>,
    /// A bucket of the first wheel is 2 to so many nanoseconds long.
    bits: u32,
    /// Its number; a wheel holds what differs from it in one digit, or below.
    up: u64,
    wheels: Vec<Wheel>,
    /// What lies in the wheels, in slots that are used again, the last that came free first: however far apart their
    /// buckets are, events lie close together.
    slots: Vec<Slot<E>>,
    free: u32,
    in_wheels: usize,
    scheduled: u64,
}

/// A place for an event, and the next in its bucket, or of those that are free.
#[derive(Clone, Copy, Debug)]
struct Slot<E> {
    key: u128,
    event: E,
    next: u32,
}

impl<E: Copy> Slot<E> {
    fn new(entry: Entry<E>) -> Self {
        Self { key: entry.key, event: entry.event, next: NONE }
    }

    fn entry(&self) -> Entry<E> {
        Entry { key: self.key, event: self.event }
    }
}

/// No slot.
const NONE: u32 = u32::MAX;

/// Buckets of one length.
#[derive(Clone, Debug)]
struct Wheel {
    /// The first slot of each.
    first: Vec<u32>,
    /// Which buckets have something in them, a bit each.
    filled: [u64; BUCKETS / 64],
}

impl Wheel {
    fn new() -> Self {
        Self { first: vec![NONE; BUCKETS], filled: [0; BUCKETS / 64] }
    }

    /// The first bucket after this one that has something in it.
    fn next_filled(&self, slot: usize) -> Option<usize> {
        let (first, bit) = ((slot + 1) / 64, (slot + 1) % 64);
        let here = self.filled.get(first)? >> bit << bit;
        if here != 0 {
            return Some(first * 64 + here.trailing_zeros() as usize);
        }
        let word = first + 1 + self.filled[first + 1..].iter().position(|&word| word != 0)?;
        Some(word * 64 + self.filled[word].trailing_zeros() as usize)
    }

    /// What is first in a bucket; nothing is left.
    fn take(&mut self, bucket: usize) -> u32 {
        self.filled[bucket / 64] &= !(1 << (bucket % 64));
        std::mem::replace(&mut self.first[bucket], NONE)
    }

    /// Puts a slot first in a bucket; gives the one that was.
    fn put(&mut self, bucket: usize, slot: u32) -> u32 {
        self.filled[bucket / 64] |= 1 << (bucket % 64);
        std::mem::replace(&mut self.first[bucket], slot)
    }
}

impl<E: Copy> Calendar<E> {
    /// Nothing is to come; the shortest buckets are 2 to so many `bits` nanoseconds long: as long as a few events take, so
    /// that what is scheduled goes to a bucket, not to the heap beside the one that is up.
    #[must_use]
    pub fn new(bits: u32) -> Self {
        Self {
            near: Vec::new(),
            late: Heap(Vec::new()),
            bits,
            up: 0,
            wheels: (0..WHEELS).map(|_| Wheel::new()).collect(),
            slots: Vec::new(),
            free: NONE,
            in_wheels: 0,
            scheduled: 0,
        }
    }

    fn bucket(&self, entry: &Entry<E>) -> u64 {
        entry.at().0 >> self.bits
    }

    /// Schedules an event.
    pub fn push(&mut self, at: Time, rank: Rank, event: E) {
        let order = (rank as u64) << 56 | self.scheduled;
        self.scheduled += 1;
        let entry = Entry { key: u128::from(at.0) << 64 | u128::from(order), event };
        let only_near = self.in_wheels == 0 && self.late.0.is_empty() && self.near.len() < FEW;
        if only_near && self.bucket(&entry) < self.up + BUCKETS as u64 {
            self.put_near(entry);
        } else {
            self.place(entry);
        }
    }

    /// The time of the next event.
    #[must_use]
    pub fn next_time(&mut self) -> Time {
        self.fetch();
        match (self.near.last(), self.late.0.first()) {
            (Some(near), Some(late)) => near.at().min(late.at()),
            (Some(entry), None) | (None, Some(entry)) => entry.at(),
            (None, None) => Time::NEVER,
        }
    }

    /// Takes the next event out.
    pub fn pop(&mut self) -> Option<(Time, E)> {
        self.pop_before(Time(u64::MAX))
    }

    /// Takes the next event out, if it comes before `limit`.
    pub fn pop_before(&mut self, limit: Time) -> Option<(Time, E)> {
        self.fetch();
        let late = match (self.near.last(), self.late.0.first()) {
            (Some(near), Some(late)) => late.key < near.key,
            (near, _) => near.is_none(),
        };
        let next = if late { self.late.0.first() } else { self.near.last() };
        next.filter(|next| next.at() < limit)?;
        let entry = if late { self.late.pop() } else { self.near.pop() };
        entry.map(|entry| (entry.at(), entry.event))
    }

    fn place(&mut self, entry: Entry<E>) {
        if self.bucket(&entry) <= self.up {
            self.late.push(entry);
            return;
        }
        let slot = self.free;
        if let Some(free) = self.slots.get_mut(slot as usize) {
            self.free = free.next;
            *free = Slot::new(entry);
            self.link(slot);
        } else {
            self.slots.push(Slot::new(entry));
            self.link(u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 events are to come"));
        }
        self.in_wheels += 1;
    }

    /// Puts a slot into its bucket, which is not up.
    fn link(&mut self, slot: u32) {
        let slot_of = &mut self.slots[slot as usize];
        let bucket = slot_of.entry().at().0 >> self.bits;
        let wheel = ((bucket ^ self.up).ilog2() / DIGIT) as usize;
        slot_of.next = self.wheels[wheel].put(digit(bucket, wheel), slot);
    }

    /// Few events need no buckets: each goes to its place among those that are up, and what is up reaches as far as the last
    /// of them.
    fn put_near(&mut self, entry: Entry<E>) {
        let mut at = self.near.len();
        self.near.push(entry);
        while at > 0 && self.near[at - 1].key < entry.key {
            self.near[at] = self.near[at - 1];
            at -= 1;
        }
        self.near[at] = entry;
        self.up = self.up.max(self.bucket(&self.near[0]));
    }

    /// Brings the next bucket up, if nothing is left of the last one.
    fn fetch(&mut self) {
        if self.near.is_empty() && self.late.0.is_empty() && self.in_wheels > 0 {
            self.bring_up();
        }
    }

    fn bring_up(&mut self) {
        let next = |(number, wheel): (usize, &Wheel)| Some((number, wheel.next_filled(digit(self.up, number))?));
        let Some((wheel, bucket)) = self.wheels.iter().enumerate().find_map(next) else { return };
        let first = self.wheels[wheel].take(bucket);
        if wheel == 0 {
            self.up = self.up - self.up % BUCKETS as u64 + bucket as u64;
        } else {
            self.up = self.chain(first).map(|slot| self.bucket(&slot.entry())).min().unwrap_or(self.up);
        }
        self.deal(first);
        self.near.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key));
    }

    fn chain(&self, first: u32) -> impl Iterator<Item = &Slot<E>> {
        std::iter::successors(self.slots.get(first as usize), |slot| self.slots.get(slot.next as usize))
    }

    /// What is in the bucket that is up goes there; the others wait in shorter ones.
    fn deal(&mut self, first: u32) {
        let mut slot = first;
        while let Some(of) = self.slots.get(slot as usize) {
            let (entry, next) = (of.entry(), of.next);
            if self.bucket(&entry) == self.up {
                self.near.push(entry);
                self.slots[slot as usize].next = std::mem::replace(&mut self.free, slot);
                self.in_wheels -= 1;
            } else {
                self.link(slot);
            }
            slot = next;
        }
    }
}

/// The digit of a bucket's number that says where it stands on a wheel.
#[allow(clippy::cast_possible_truncation)] // below `BUCKETS`
fn digit(bucket: u64, wheel: usize) -> usize {
    (bucket >> (DIGIT * wheel as u32)) as usize % BUCKETS
}

/// Entries with the smallest key on top.
#[derive(Clone, Debug)]
struct Heap<E>(Vec<Entry<E>>);

const WAYS: usize = 4;

impl<E: Copy> Heap<E> {
    fn push(&mut self, entry: Entry<E>) {
        let mut at = self.0.len();
        self.0.push(entry);
        while at > 0 {
            let parent = (at - 1) / WAYS;
            if self.0[parent].key <= entry.key {
                break;
            }
            self.0[at] = self.0[parent];
            at = parent;
        }
        self.0[at] = entry;
    }

    fn pop(&mut self) -> Option<Entry<E>> {
        let last = self.0.pop()?;
        let Some(root) = self.0.first_mut() else {
            return Some(last);
        };
        let first = std::mem::replace(root, last);
        self.sink(last);
        Some(first)
    }

    fn sink(&mut self, entry: Entry<E>) {
        let len = self.0.len();
        let mut at = 0;
        loop {
            let first = at * WAYS + 1;
            if first >= len {
                break;
            }
            let mut least = first;
            for child in first + 1..(first + WAYS).min(len) {
                if self.0[child].key < self.0[least].key {
                    least = child;
                }
            }
            if entry.key <= self.0[least].key {
                break;
            }
            self.0[at] = self.0[least];
            at = least;
        }
        self.0[at] = entry;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_go_by_rank_and_then_by_order_of_scheduling() {
        let mut calendar = Calendar::new(28);
        for (rank, event) in [(Rank::Arrival, 'c'), (Rank::Watch, 'b'), (Rank::Arrival, 'd'), (Rank::Change, 'a')] {
            calendar.push(Time(5), rank, event);
        }
        let order: String = std::iter::from_fn(|| calendar.pop()).map(|(_, event)| event).collect();
        assert_eq!(order, "abcd");
    }

    proptest! {
        /// Scheduled and taken out in turns, near and far: as from a sorted list.
        #[test]
        fn events_come_out_as_a_stable_sort_would_order_them(
            steps in prop::collection::vec((prop_oneof![0_u64..50, 0_u64..200_000_000_000], 0_usize..3), 0..300),
            bits in prop_oneof![Just(16_u32), Just(28)],
        ) {
            let mut calendar = Calendar::new(bits);
            let (mut plain, mut now): (Vec<(u64, usize)>, u64) = (Vec::new(), 0);
            for (number, &(gap, taken)) in steps.iter().enumerate() {
                calendar.push(Time(now + gap), Rank::Arrival, number);
                plain.push((now + gap, number));
                for _ in 0..taken {
                    plain.sort_unstable();
                    let first = (!plain.is_empty()).then(|| plain.remove(0));
                    prop_assert_eq!(calendar.next_time(), first.map_or(Time::NEVER, |(at, _)| Time(at)));
                    prop_assert!(first.is_none_or(|(at, _)| calendar.pop_before(Time(at)).is_none()));
                    let got = calendar.pop().map(|(at, number)| (at.0, number));
                    prop_assert_eq!(got, first);
                    now = got.map_or(now, |(at, _)| at);
                }
            }
            plain.sort_unstable();
            let rest: Vec<(u64, usize)> = std::iter::from_fn(|| calendar.pop()).map(|(at, n)| (at.0, n)).collect();
            prop_assert_eq!(rest, plain);
        }
    }
}
