//! The future: events in the order in which they happen.
//!
//! Ties at an instant are broken by [`Rank`], then by the order in which events were scheduled: never by address
//! or hash. What is further off lies unsorted in buckets, in wheels of ever longer ones (Varghese & Lauck 1987, scheme 7):
//! when a bucket comes up, a short one is sorted and a long one is dealt out to shorter ones (as in the ladder queue of
//! Tang, Goh & Thng 2005). So thousands of people who think for half a minute do not make every push and pop pay for them:
//! an event is passed on once or twice and sorted with the few that happen next to it. What is scheduled within the bucket
//! that is up goes to a small heap beside it.
//!
//! An event is written once, into a slot of its own, and read there when its time has come; what is sorted and passed on
//! are keys and the numbers of slots.

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

/// Buckets of a wheel: 2 to so many.
const DIGIT: u32 = 10;
const BUCKETS: usize = 1 << DIGIT;
/// So many wheels reach to the end of time from buckets of 16 us.
const WHEELS: usize = 5;

/// So many events need no buckets.
const FEW: usize = 8;

/// No slot, or no chunk.
const NONE: u32 = u32::MAX;

/// Events that are still to come.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    /// The bucket that is up, the next event last.
    near: Vec<Entry>,
    /// What was scheduled since it came up, within it.
    late: Heap,
    /// A bucket of the first wheel is 2 to so many nanoseconds long.
    bits: u32,
    /// Its number; a wheel holds what differs from it in one digit, or below.
    up: u64,
    wheels: Vec<Wheel>,
    /// What lies in buckets. Chunks and slots are used again, the last that came free first: however far apart their
    /// buckets are, they lie close together.
    chunks: Vec<Chunk>,
    free_chunk: u32,
    slots: Vec<Slot<E>>,
    free_slot: u32,
    in_wheels: usize,
    scheduled: u64,
}

/// A place for an event, and the next of those that are free.
#[derive(Clone, Copy, Debug)]
struct Slot<E> {
    event: E,
    next: u32,
}

/// A part of a bucket, in two lines of the cache, and the next part of it, which is full, or the next chunk that is free.
/// What a chunk says of its events is read at once, where a list of them would be waited for link by link.
#[derive(Clone, Copy, Debug)]
#[repr(align(128))]
struct Chunk {
    entries: [Entry; ROOM],
    next: u32,
}

const ROOM: usize = 5;

/// When an event is due, what breaks ties, and where it lies.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: u64,
    /// Its rank in the highest byte, then its number.
    order: u64,
    slot: u32,
}

impl Entry {
    fn key(&self) -> u128 {
        u128::from(self.at) << 64 | u128::from(self.order)
    }
}

/// Buckets of one length.
#[derive(Clone, Debug)]
struct Wheel {
    /// The first chunk of each, and how many entries it has: chunks are written to without a look at them.
    first: [u32; BUCKETS],
    len: [u8; BUCKETS],
    /// Which buckets have something in them, a bit each.
    filled: [u64; BUCKETS / 64],
}

impl Wheel {
    fn new() -> Self {
        Self { first: [NONE; BUCKETS], len: [0; BUCKETS], filled: [0; BUCKETS / 64] }
    }

    /// The first bucket after this one that has something in it.
    fn next_filled(&self, bucket: usize) -> Option<usize> {
        let (first, bit) = ((bucket + 1) / 64, (bucket + 1) % 64);
        let here = self.filled.get(first)? >> bit << bit;
        if here != 0 {
            return Some(first * 64 + here.trailing_zeros() as usize);
        }
        let word = first + 1 + self.filled[first + 1..].iter().position(|&word| word != 0)?;
        Some(word * 64 + self.filled[word].trailing_zeros() as usize)
    }

    /// The first chunk of a bucket, and how many entries it has; nothing is left.
    fn take(&mut self, bucket: usize) -> (u32, usize) {
        self.filled[bucket / 64] &= !(1 << (bucket % 64));
        (std::mem::replace(&mut self.first[bucket], NONE), usize::from(std::mem::take(&mut self.len[bucket])))
    }

    /// A chunk with one entry is the first of a bucket.
    fn begin(&mut self, bucket: usize, chunk: u32) {
        self.filled[bucket / 64] |= 1 << (bucket % 64);
        (self.first[bucket], self.len[bucket]) = (chunk, 1);
    }
}

impl<E> Calendar<E> {
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
            chunks: Vec::new(),
            free_chunk: NONE,
            slots: Vec::new(),
            free_slot: NONE,
            in_wheels: 0,
            scheduled: 0,
        }
    }

    /// Schedules an event. Inlined, so that it is put together in its slot and not copied there.
    #[inline]
    pub fn push(&mut self, at: Time, rank: Rank, event: E) {
        let filled = Slot { event, next: NONE };
        let slot = self.schedule(at.0, rank);
        match self.slots.get_mut(slot) {
            Some(place) => *place = filled,
            None => self.slots.push(filled),
        }
    }

    /// Finds the place of what is due then among all that is to come; gives the slot for it.
    #[inline(never)]
    fn schedule(&mut self, at: u64, rank: Rank) -> usize {
        let order = (rank as u64) << 56 | self.scheduled;
        self.scheduled += 1;
        let slot = self.take_slot();
        let (entry, bucket) = (Entry { at, order, slot }, at >> self.bits);
        let only_near = self.in_wheels == 0 && self.late.0.is_empty() && self.near.len() < FEW;
        if only_near && bucket < self.up + BUCKETS as u64 {
            self.put_near(entry);
        } else if bucket <= self.up {
            self.late.push(entry);
        } else {
            self.in_wheels += 1;
            self.put(bucket, entry);
        }
        slot as usize
    }

    /// The slot that came free last, or else a new one.
    fn take_slot(&mut self) -> u32 {
        let slot = self.free_slot;
        if let Some(free) = self.slots.get(slot as usize) {
            self.free_slot = free.next;
            return slot;
        }
        u32::try_from(self.slots.len()).expect("fewer than 2^32 events are to come")
    }

    /// The time of the next event.
    #[must_use]
    pub fn next_time(&mut self) -> Time {
        self.fetch();
        match (self.near.last(), self.late.0.first()) {
            (Some(near), Some(late)) => Time(near.at.min(late.at)),
            (Some(entry), None) | (None, Some(entry)) => Time(entry.at),
            (None, None) => Time::NEVER,
        }
    }

    /// Takes the next event out.
    pub fn pop(&mut self) -> Option<(Time, &E)> {
        self.pop_before(Time(u64::MAX))
    }

    /// Takes the next event out, if it comes before `limit`. It is read where it lies: that place is used again.
    #[inline]
    pub fn pop_before(&mut self, limit: Time) -> Option<(Time, &E)> {
        self.fetch();
        let late = match (self.near.last(), self.late.0.first()) {
            (Some(near), Some(late)) => late.key() < near.key(),
            (near, _) => near.is_none(),
        };
        let next = if late { self.late.0.first() } else { self.near.last() };
        next.filter(|next| next.at < limit.0)?;
        let Entry { at, slot, .. } = if late { self.late.pop() } else { self.near.pop() }?;
        let place = &mut self.slots[slot as usize];
        place.next = std::mem::replace(&mut self.free_slot, slot);
        Some((Time(at), &place.event))
    }

    /// An event that follows soon, if it is known.
    #[must_use]
    pub fn coming(&self) -> Option<&E> {
        let place = self.near.len().checked_sub(2)?;
        Some(&self.slots[self.near[place].slot as usize].event)
    }

    /// Puts an entry into its bucket, which is not up.
    fn put(&mut self, bucket: u64, entry: Entry) {
        let wheel = ((bucket ^ self.up).ilog2() / DIGIT) as usize;
        let (wheel, bucket) = (&mut self.wheels[wheel], digit(bucket, wheel));
        let len = usize::from(wheel.len[bucket]);
        match self.chunks.get_mut(wheel.first[bucket] as usize) {
            Some(chunk) if len < ROOM => {
                chunk.entries[len] = entry;
                wheel.len[bucket] += 1;
            }
            _ => {
                let chunk = Chunk { entries: [entry; ROOM], next: wheel.first[bucket] };
                wheel.begin(bucket, add_chunk(&mut self.chunks, &mut self.free_chunk, chunk));
            }
        }
    }

    /// Few events need no buckets: each goes to its place among those that are up, and what is up reaches as far as the last
    /// of them.
    fn put_near(&mut self, entry: Entry) {
        let mut at = self.near.len();
        self.near.push(entry);
        while at > 0 && self.near[at - 1].key() < entry.key() {
            self.near[at] = self.near[at - 1];
            at -= 1;
        }
        self.near[at] = entry;
        self.up = self.up.max(self.near[0].at >> self.bits);
    }

    /// Brings the next bucket up, if nothing is left of the last one.
    #[inline]
    fn fetch(&mut self) {
        if self.near.is_empty() && self.late.0.is_empty() && self.in_wheels > 0 {
            self.bring_up();
        }
    }

    /// Buckets come up, long ones first, until a short one has something in it.
    fn bring_up(&mut self) {
        while self.near.is_empty() {
            let next = |(number, wheel): (usize, &Wheel)| Some((number, wheel.next_filled(digit(self.up, number))?));
            let Some((wheel, bucket)) = self.wheels.iter().enumerate().find_map(next) else { return };
            self.up = (self.up >> below(wheel) >> DIGIT << DIGIT | bucket as u64) << below(wheel);
            let (first, len) = self.wheels[wheel].take(bucket);
            self.deal(first, len);
        }
        self.look_ahead();
        self.near.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key()));
    }

    /// What is in the bucket that is up goes there; the others wait in shorter ones.
    fn deal(&mut self, mut number: u32, mut len: usize) {
        while let Some(chunk) = self.chunks.get_mut(number as usize) {
            let Chunk { entries, next } = *chunk;
            chunk.next = std::mem::replace(&mut self.free_chunk, number);
            for &entry in &entries[..len] {
                let bucket = entry.at >> self.bits;
                if bucket == self.up {
                    self.near.push(entry);
                    self.in_wheels -= 1;
                } else {
                    self.put(bucket, entry);
                }
            }
            (number, len) = (next, ROOM);
        }
    }

    /// The events of a bucket that comes up are read once: those that are not in the cache are waited for together, not one
    /// by one when their time has come.
    fn look_ahead(&self) {
        let seen = self.near.iter().fold(0, |seen, entry| seen ^ self.slots[entry.slot as usize].next);
        std::hint::black_box(seen);
    }
}

/// Puts a chunk where one came free, or else at the end; gives its number.
fn add_chunk(chunks: &mut Vec<Chunk>, free: &mut u32, chunk: Chunk) -> u32 {
    if let Some(place) = chunks.get_mut(*free as usize) {
        let number = std::mem::replace(free, place.next);
        *place = chunk;
        return number;
    }
    chunks.push(chunk);
    u32::try_from(chunks.len() - 1).expect("there are fewer chunks than events")
}

/// The digit of a bucket's number that says where it stands on a wheel.
#[allow(clippy::cast_possible_truncation)] // below `BUCKETS`
fn digit(bucket: u64, wheel: usize) -> usize {
    (bucket >> below(wheel)) as usize % BUCKETS
}

/// Bits of a bucket's number below that digit.
#[allow(clippy::cast_possible_truncation)] // few wheels
fn below(wheel: usize) -> u32 {
    DIGIT * wheel as u32
}

/// Entries with the smallest key on top.
#[derive(Clone, Debug)]
struct Heap(Vec<Entry>);

const WAYS: usize = 4;

impl Heap {
    fn push(&mut self, entry: Entry) {
        let mut at = self.0.len();
        self.0.push(entry);
        while at > 0 {
            let parent = (at - 1) / WAYS;
            if self.0[parent].key() <= entry.key() {
                break;
            }
            self.0[at] = self.0[parent];
            at = parent;
        }
        self.0[at] = entry;
    }

    fn pop(&mut self) -> Option<Entry> {
        let last = self.0.pop()?;
        let Some(root) = self.0.first_mut() else {
            return Some(last);
        };
        let first = std::mem::replace(root, last);
        self.sink(last);
        Some(first)
    }

    fn sink(&mut self, entry: Entry) {
        let len = self.0.len();
        let mut at = 0;
        loop {
            let first = at * WAYS + 1;
            if first >= len {
                break;
            }
            let mut least = first;
            for child in first + 1..(first + WAYS).min(len) {
                if self.0[child].key() < self.0[least].key() {
                    least = child;
                }
            }
            if entry.key() <= self.0[least].key() {
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
        let order: String = std::iter::from_fn(|| calendar.pop().map(|(_, &event)| event)).collect();
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
