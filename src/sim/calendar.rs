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

    fn bucket(&self) -> u64 {
        self.at().0 >> BUCKET_BITS
    }
}

/// A bucket is 2^28 ns long: 0.27 s.
const BUCKET_BITS: u32 = 28;
/// Buckets ahead: 69 s.
const BUCKETS: u64 = 256;

/// Events that are still to come.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    /// The bucket that is up, the next event last.
    near: Vec<Entry<E>>,
    /// What was scheduled since it came up, within it.
    late: Heap<E>,
    buckets: Vec<Vec<Entry<E>>>,
    in_buckets: usize,
    far: Heap<E>,
    /// The first bucket that has not come up.
    front: u64,
    scheduled: u64,
}

impl<E: Copy> Default for Calendar<E> {
    fn default() -> Self {
        let buckets = (0..BUCKETS).map(|_| Vec::new()).collect();
        Self {
            near: Vec::new(),
            late: Heap(Vec::new()),
            buckets,
            in_buckets: 0,
            far: Heap(Vec::new()),
            front: 0,
            scheduled: 0,
        }
    }
}

impl<E: Copy> Calendar<E> {
    /// Schedules an event.
    pub fn push(&mut self, at: Time, rank: Rank, event: E) {
        let order = (rank as u64) << 56 | self.scheduled;
        self.scheduled += 1;
        self.place(Entry { key: u128::from(at.0) << 64 | u128::from(order), event });
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
        let bucket = entry.bucket();
        if bucket < self.front {
            self.late.push(entry);
        } else if bucket < self.front + BUCKETS {
            self.buckets[slot(bucket)].push(entry);
            self.in_buckets += 1;
        } else {
            self.far.push(entry);
        }
    }

    /// Brings the next bucket up, if nothing is left of the last one.
    fn fetch(&mut self) {
        while self.near.is_empty() && self.late.0.is_empty() {
            if self.in_buckets == 0 {
                let Some(first) = self.far.0.first() else { return };
                self.front = first.bucket();
            }
            while self.far.0.first().is_some_and(|entry| entry.bucket() < self.front + BUCKETS) {
                if let Some(entry) = self.far.pop() {
                    self.place(entry);
                }
            }
            // The two take turns in using each other's space.
            std::mem::swap(&mut self.near, &mut self.buckets[slot(self.front)]);
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
        let mut calendar = Calendar::default();
        for (rank, event) in [(Rank::Arrival, 'c'), (Rank::Watch, 'b'), (Rank::Arrival, 'd'), (Rank::Change, 'a')] {
            calendar.push(Time(5), rank, event);
        }
        let order: String = std::iter::from_fn(|| calendar.pop()).map(|(_, event)| event).collect();
        assert_eq!(order, "abcd");
    }

    proptest! {
        #[test]
        fn events_come_out_as_a_stable_sort_would_order_them(
            times in prop::collection::vec(prop_oneof![0_u64..50, 0_u64..200_000_000_000], 0..300),
        ) {
            let mut calendar = Calendar::default();
            for (number, &at) in times.iter().enumerate() {
                calendar.push(Time(at), Rank::Arrival, number);
            }
            let mut expected: Vec<(u64, usize)> = times.iter().copied().enumerate().map(|(n, at)| (at, n)).collect();
            expected.sort_unstable();
            let got: Vec<(u64, usize)> = std::iter::from_fn(|| calendar.pop()).map(|(at, n)| (at.0, n)).collect();
            prop_assert_eq!(got, expected);
        }
    }
}
