//! The future: events in the order in which they happen.
//!
//! A heap of four children a node over (time, rank, number). Ties at an instant are broken by [`Rank`], then
//! by the order in which events were scheduled: never by address or hash. Push and pop cost O(log n).

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
    at: Time,
    /// Rank in the top byte, number of the event below.
    order: u64,
    event: E,
}

impl<E> Entry<E> {
    fn key(&self) -> (Time, u64) {
        (self.at, self.order)
    }
}

/// Events that are still to come.
#[derive(Clone, Debug)]
pub struct Calendar<E> {
    heap: Vec<Entry<E>>,
    scheduled: u64,
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        Self { heap: Vec::new(), scheduled: 0 }
    }
}

const WAYS: usize = 4;

impl<E: Copy> Calendar<E> {
    /// Schedules an event.
    pub fn push(&mut self, at: Time, rank: Rank, event: E) {
        let order = (rank as u64) << 56 | self.scheduled;
        self.scheduled += 1;
        self.heap.push(Entry { at, order, event });
        self.rise(self.heap.len() - 1);
    }

    /// The time of the next event.
    #[must_use]
    pub fn next(&self) -> Time {
        self.heap.first().map_or(Time::NEVER, |entry| entry.at)
    }

    /// Takes the next event out.
    pub fn pop(&mut self) -> Option<(Time, E)> {
        let last = self.heap.pop()?;
        let Some(root) = self.heap.first_mut() else {
            return Some((last.at, last.event));
        };
        let first = std::mem::replace(root, last);
        self.sink();
        Some((first.at, first.event))
    }

    fn rise(&mut self, mut at: usize) {
        let entry = self.heap[at];
        while at > 0 {
            let parent = (at - 1) / WAYS;
            if self.heap[parent].key() <= entry.key() {
                break;
            }
            self.heap[at] = self.heap[parent];
            at = parent;
        }
        self.heap[at] = entry;
    }

    fn sink(&mut self) {
        let entry = self.heap[0];
        let len = self.heap.len();
        let mut at = 0;
        loop {
            let first = at * WAYS + 1;
            if first >= len {
                break;
            }
            let mut least = first;
            for child in first + 1..(first + WAYS).min(len) {
                if self.heap[child].key() < self.heap[least].key() {
                    least = child;
                }
            }
            if entry.key() <= self.heap[least].key() {
                break;
            }
            self.heap[at] = self.heap[least];
            at = least;
        }
        self.heap[at] = entry;
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
        fn events_come_out_as_a_stable_sort_would_order_them(times in prop::collection::vec(0_u64..50, 0..300)) {
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
