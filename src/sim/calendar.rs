//! The future: events in the order in which they happen.
//!
//! Ties at an instant are broken by [`Rank`], then by the order in which events were scheduled: never by address
//! or hash. What is further off lies unsorted in buckets, in wheels of ever longer ones (Varghese & Lauck 1987, scheme 7):
//! when a bucket comes up, a short one is sorted and a long one is dealt out to shorter ones (as in the ladder queue of
//! Tang, Goh & Thng 2005). So thousands of people who think for half a minute do not make every push and pop pay for them:
//! an event is passed on once or twice and sorted with the few that happen next to it. What is scheduled within the bucket
//! that is up goes to a small heap beside it.
//!
//! An event is put together where it is to lie, and read where it lies: it never goes through hands in pieces.

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

/// No chunk.
const NONE: u32 = u32::MAX;

/// Events that are still to come.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    /// The bucket that is up.
    near: Near<E>,
    /// What was scheduled since it came up, within it.
    late: Heap<E>,
    /// A bucket of the first wheel is 2 to so many nanoseconds long.
    bits: u32,
    /// Its number; a wheel holds what differs from it in one digit, or below.
    up: u64,
    wheels: Vec<Wheel>,
    chunks: Chunks<E>,
    in_wheels: usize,
    scheduled: u64,
}

/// An event, when it is due, and what breaks ties: two lie in a line of the cache.
#[derive(Clone, Copy, Debug, Default)]
struct Entry<E> {
    at: u64,
    /// Its rank in the highest byte, then its number.
    order: u64,
    event: E,
}

impl<E> Entry<E> {
    fn key(&self) -> u128 {
        u128::from(self.at) << 64 | u128::from(self.order)
    }
}

/// Entries in order, the next one last. What is taken out may still be read until another one comes.
#[derive(Clone, Debug)]
struct Near<E> {
    entries: Vec<Entry<E>>,
    /// So many have not been taken out.
    left: usize,
}

impl<E: Copy + Default> Near<E> {
    fn last(&self) -> Option<&Entry<E>> {
        self.entries.get(self.left.wrapping_sub(1))
    }

    fn pop(&mut self) -> &Entry<E> {
        self.left -= 1;
        &self.entries[self.left]
    }

    /// Makes room for what is due then, behind all that comes later; gives the place.
    fn make_room(&mut self, key: u128) -> usize {
        if self.left == self.entries.len() {
            self.entries.push(Entry::default());
        }
        let mut at = self.left;
        self.left += 1;
        while at > 0 && self.entries[at - 1].key() < key {
            self.entries[at] = self.entries[at - 1];
            at -= 1;
        }
        at
    }
}

/// What lies in buckets. Chunks are used again, the last that came free first: however far apart their buckets are, they lie
/// close together.
#[derive(Clone, Debug)]
struct Chunks<E> {
    all: Vec<Chunk<E>>,
    /// After each the next part of its bucket, which is full, or the next chunk that is free.
    next: Vec<u32>,
    free: u32,
}

/// A part of a bucket, in two lines of the cache. What a chunk says of its events is read at once, where a list of them
/// would be waited for link by link.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Chunk<E>([Entry<E>; ROOM]);

const ROOM: usize = 4;

impl<E: Copy + Default> Chunks<E> {
    /// A chunk that came free, or else a new one, before `next`.
    fn add(&mut self, next: u32) -> u32 {
        if let Some(link) = self.next.get_mut(self.free as usize) {
            return std::mem::replace(&mut self.free, std::mem::replace(link, next));
        }
        self.all.push(Chunk([Entry::default(); ROOM]));
        self.next.push(next);
        u32::try_from(self.all.len() - 1).expect("there are fewer chunks than events")
    }

    /// A chunk is free; gives the next part of its bucket.
    fn let_go(&mut self, chunk: u32) -> u32 {
        let next = std::mem::replace(&mut self.next[chunk as usize], self.free);
        self.free = chunk;
        next
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

impl<E: Copy + Default> Calendar<E> {
    /// Nothing is to come; the shortest buckets are 2 to so many `bits` nanoseconds long: as long as a few events take, so
    /// that what is scheduled goes to a bucket, not to the heap beside the one that is up.
    #[must_use]
    pub fn new(bits: u32) -> Self {
        Self {
            near: Near { entries: Vec::new(), left: 0 },
            late: Heap { entries: Vec::new(), left: 0 },
            bits,
            up: 0,
            wheels: (0..WHEELS).map(|_| Wheel::new()).collect(),
            chunks: Chunks { all: Vec::new(), next: Vec::new(), free: NONE },
            in_wheels: 0,
            scheduled: 0,
        }
    }

    /// Schedules an event. Inlined, so that it is put together in its place and not copied there.
    #[inline]
    pub fn push(&mut self, at: Time, rank: Rank, event: E) {
        let order = (rank as u64) << 56 | self.scheduled;
        self.scheduled += 1;
        *self.place(at.0, order) = Entry { at: at.0, order, event };
    }

    /// The place for what is due then, among all that is to come.
    #[inline(never)]
    fn place(&mut self, at: u64, order: u64) -> &mut Entry<E> {
        let (key, bucket) = (u128::from(at) << 64 | u128::from(order), at >> self.bits);
        let only_near = self.in_wheels == 0 && self.late.left == 0 && self.near.left < FEW;
        if only_near && bucket < self.up + BUCKETS as u64 {
            // Few events need no buckets: each goes to its place among those that are up, and what is up reaches as far as
            // the last of them.
            let place = self.near.make_room(key);
            self.up = self.up.max(if place == 0 { at } else { self.near.entries[0].at } >> self.bits);
            &mut self.near.entries[place]
        } else if bucket <= self.up {
            self.late.make_room(key)
        } else {
            self.in_wheels += 1;
            self.place_in(bucket)
        }
    }

    /// A place in a bucket, which is not up.
    fn place_in(&mut self, bucket: u64) -> &mut Entry<E> {
        let wheel = ((bucket ^ self.up).ilog2() / DIGIT) as usize;
        let (wheel, bucket) = (&mut self.wheels[wheel], digit(bucket, wheel));
        let len = usize::from(wheel.len[bucket]);
        if wheel.first[bucket] == NONE || len == ROOM {
            wheel.begin(bucket, self.chunks.add(wheel.first[bucket]));
            &mut self.chunks.all[wheel.first[bucket] as usize].0[0]
        } else {
            wheel.len[bucket] += 1;
            &mut self.chunks.all[wheel.first[bucket] as usize].0[len]
        }
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

    /// Takes the next event out, if it comes before `limit`. It is read where it lies: that place is used again.
    #[inline]
    pub fn pop_before(&mut self, limit: Time) -> Option<(Time, &E)> {
        self.fetch();
        let late = match (self.near.last(), self.late.first()) {
            (Some(near), Some(late)) => late.key() < near.key(),
            (near, _) => near.is_none(),
        };
        let next = if late { self.late.first() } else { self.near.last() };
        next.filter(|next| next.at < limit.0)?;
        let entry = if late { self.late.pop() } else { self.near.pop() };
        Some((Time(entry.at), &entry.event))
    }

    /// An event that follows soon, if it is known.
    #[must_use]
    pub fn coming(&self) -> Option<&E> {
        Some(&self.near.entries[self.near.left.checked_sub(2)?].event)
    }

    /// Brings the next bucket up, if nothing is left of the last one.
    #[inline]
    fn fetch(&mut self) {
        if self.near.left == 0 && self.in_wheels > 0 && self.late.left == 0 {
            self.bring_up();
        }
    }

    /// Buckets come up, long ones first, until a short one has something in it.
    #[inline(never)]
    fn bring_up(&mut self) {
        self.near.entries.clear();
        while self.near.entries.is_empty() {
            let next = |(number, wheel): (usize, &Wheel)| Some((number, wheel.next_filled(digit(self.up, number))?));
            let Some((wheel, bucket)) = self.wheels.iter().enumerate().find_map(next) else { return };
            self.up = (self.up >> below(wheel) >> DIGIT << DIGIT | bucket as u64) << below(wheel);
            let (first, len) = self.wheels[wheel].take(bucket);
            if wheel == 0 { self.show(first, len) } else { self.deal(first, len) }
        }
        self.near.left = self.near.entries.len();
        self.in_wheels -= self.near.left;
        self.near.entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key()));
    }

    /// All that is in the chunks of a short bucket is up.
    fn show(&mut self, mut number: u32, mut len: usize) {
        while let Some(Chunk(entries)) = self.chunks.all.get(number as usize) {
            let until = self.near.entries.len() + len;
            // A whole chunk is copied faster than a part of it.
            self.near.entries.extend_from_slice(entries);
            self.near.entries.truncate(until);
            number = self.chunks.let_go(number);
            len = ROOM;
        }
    }

    /// What is in the first short bucket of a long one is up; the others wait in short ones.
    fn deal(&mut self, mut number: u32, mut len: usize) {
        while let Some(&Chunk(entries)) = self.chunks.all.get(number as usize) {
            number = self.chunks.let_go(number);
            for &entry in &entries[..len] {
                let bucket = entry.at >> self.bits;
                if bucket == self.up {
                    self.near.entries.push(entry);
                } else {
                    *self.place_in(bucket) = entry;
                }
            }
            len = ROOM;
        }
    }
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

/// Entries with the smallest key on top. What is taken out may still be read until another one comes.
#[derive(Clone, Debug)]
struct Heap<E> {
    entries: Vec<Entry<E>>,
    /// So many have not been taken out.
    left: usize,
}

const WAYS: usize = 4;

impl<E: Copy + Default> Heap<E> {
    fn first(&self) -> Option<&Entry<E>> {
        if self.left == 0 { None } else { self.entries.first() }
    }

    /// Moves what comes later than `key` down; gives the place for it.
    fn make_room(&mut self, key: u128) -> &mut Entry<E> {
        let mut at = self.left;
        if at == self.entries.len() {
            self.entries.push(Entry::default());
        }
        self.left += 1;
        while at > 0 {
            let parent = (at - 1) / WAYS;
            if self.entries[parent].key() <= key {
                break;
            }
            self.entries[at] = self.entries[parent];
            at = parent;
        }
        &mut self.entries[at]
    }

    fn pop(&mut self) -> &Entry<E> {
        self.left -= 1;
        if self.left > 0 {
            let (first, last) = (self.entries[0], self.entries[self.left]);
            self.entries[self.left] = first;
            self.sink(last);
        }
        &self.entries[self.left]
    }

    fn sink(&mut self, entry: Entry<E>) {
        let heap = &mut self.entries[..self.left];
        let mut at = 0;
        loop {
            let first = at * WAYS + 1;
            if first >= heap.len() {
                break;
            }
            let mut least = first;
            for child in first + 1..(first + WAYS).min(heap.len()) {
                if heap[child].key() < heap[least].key() {
                    least = child;
                }
            }
            if entry.key() <= heap[least].key() {
                break;
            }
            heap[at] = heap[least];
            at = least;
        }
        heap[at] = entry;
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
