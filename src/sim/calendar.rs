//! The future: events in the order in which they happen.
//!
//! Ties at an instant are broken by [`Rank`], then by the order in which events were scheduled: never by address
//! or hash. What is further off lies unsorted in buckets and is sorted when its bucket comes up (as in the ladder queue of
//! Tang, Goh & Thng 2005), so that thousands of people who think for half a minute do not make every push and pop pay
//! for them, and most events are sorted once, with their neighbours, in place of rising and sinking one by one. What is
//! scheduled within the bucket that is up goes to a small heap beside it; what lies beyond the buckets waits in another.

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

/// Buckets ahead.
const BUCKETS: u64 = 64 * WORDS as u64;
const WORDS: usize = 16;

/// So many events need no buckets.
const FEW: usize = 8;

/// Events that are still to come.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    /// The bucket that is up, the next event last.
    near: Vec<Entry<E>>,
    /// A bucket is 2 to so many nanoseconds long.
    bits: u32,
    /// What was scheduled since it came up, within it.
    late: Heap<E>,
    buckets: Vec<Vec<Entry<E>>>,
    /// Which buckets have something in them, a bit each.
    filled: [u64; WORDS],
    in_buckets: usize,
    far: Heap<E>,
    /// The first bucket that has not come up.
    front: u64,
    scheduled: u64,
}

impl<E: Copy> Calendar<E> {
    /// Nothing is to come; buckets are 2 to so many `bits` nanoseconds long: as long as a few hundred events take, so that
    /// what is scheduled goes to a bucket, not to the heap beside the one that is up.
    #[must_use]
    pub fn new(bits: u32) -> Self {
        let buckets = (0..BUCKETS).map(|_| Vec::new()).collect();
        Self {
            near: Vec::new(),
            bits,
            late: Heap(Vec::new()),
            buckets,
            filled: [0; WORDS],
            in_buckets: 0,
            far: Heap(Vec::new()),
            front: 0,
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
        let only_near = self.in_buckets == 0 && self.late.0.is_empty() && self.far.0.is_empty();
        if only_near && self.near.len() < FEW && self.bucket(&entry) < self.front + BUCKETS {
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
        self.fetch();
        let late = match (self.near.last(), self.late.0.first()) {
            (Some(near), Some(late)) => late.key < near.key,
            (near, _) => near.is_none(),
        };
        let entry = if late { self.late.pop() } else { self.near.pop() };
        entry.map(|entry| (entry.at(), entry.event))
    }

    fn place(&mut self, entry: Entry<E>) {
        let bucket = self.bucket(&entry);
        if bucket < self.front {
            self.late.push(entry);
        } else if bucket < self.front + BUCKETS {
            let slot = slot(bucket);
            self.buckets[slot].push(entry);
            self.filled[slot / 64] |= 1 << (slot % 64);
            self.in_buckets += 1;
        } else {
            self.far.push(entry);
        }
    }

    /// How many buckets from the first one on are empty; some bucket is not.
    fn empty_ahead(&self) -> u64 {
        let first = slot(self.front);
        let own = self.filled[first / 64] >> (first % 64);
        if own != 0 {
            return u64::from(own.trailing_zeros());
        }
        // Round the ring by words, and back to the rest of the first.
        let ahead = (1..=WORDS).find(|ahead| self.filled[(first / 64 + ahead) % WORDS] != 0).unwrap_or(WORDS);
        let word = self.filled[(first / 64 + ahead) % WORDS];
        (64 * ahead - first % 64) as u64 + u64::from(word.trailing_zeros())
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
        self.front = self.front.max(self.bucket(&self.near[0]) + 1);
    }

    /// Brings the next bucket up, if nothing is left of the last one.
    fn fetch(&mut self) {
        while self.near.is_empty() && self.late.0.is_empty() {
            if self.in_buckets == 0 {
                let Some(first) = self.far.0.first() else { return };
                self.front = self.bucket(first);
            }
            while self.far.0.first().is_some_and(|entry| self.bucket(entry) < self.front + BUCKETS) {
                if let Some(entry) = self.far.pop() {
                    self.place(entry);
                }
            }
            self.front += self.empty_ahead();
            // The two take turns in using each other's space.
            let slot = slot(self.front);
            std::mem::swap(&mut self.near, &mut self.buckets[slot]);
            self.filled[slot / 64] &= !(1 << (slot % 64));
            self.front += 1;
            self.in_buckets -= self.near.len();
            self.near.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key));
        }
    }
}

#[allow(clippy::cast_possible_truncation)] // below `BUCKETS`
fn slot(bucket: u64) -> usize {
    (bucket % BUCKETS) as usize
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
