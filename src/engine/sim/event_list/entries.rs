//! Events with their keys: the sorted current bucket, and the heap beside it.

use crate::sim::hints::likely;

/// An event with its time and its tie-break: two fit in a line of the cache.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pending<E> {
    pub at: u64,
    /// Its rank in the highest byte, then its number.
    pub order: u64,
    pub event: E,
}

impl<E> Pending<E> {
    #[inline]
    pub fn key(&self) -> u128 {
        key(self.at, self.order)
    }
}

/// The key of the order, as one number.
#[inline]
pub(crate) fn key(at: u64, order: u64) -> u128 {
    u128::from(at) << 64 | u128::from(order)
}

/// Sorted entries, the next one last. A slot that was taken out may be read until the next insertion.
#[derive(Clone, Debug)]
pub(crate) struct Near<E> {
    /// Slots, at least as many as a chunk has.
    pub entries: Vec<Pending<E>>,
    /// Entries that are left, of those that the bucket had.
    pub left: usize,
    pub began: usize,
}

impl<E: Copy + Default> Near<E> {
    pub fn new() -> Self {
        Self { entries: vec![Pending::default(); ROOM], left: 0, began: 0 }
    }

    #[inline]
    pub fn last(&self) -> Option<&Pending<E>> {
        self.entries.get(self.left.wrapping_sub(1))
    }

    #[inline]
    pub fn pop(&mut self) -> &Pending<E> {
        self.left -= 1;
        &self.entries[self.left]
    }

    /// Replaces the entries by the first `len` of a chunk. The whole chunk is copied, which is faster than a part of it.
    #[inline]
    pub fn begin(&mut self, chunk: &[Pending<E>; ROOM], len: usize) {
        self.entries[..ROOM].copy_from_slice(chunk);
        (self.left, self.began) = (len, len);
    }

    /// Adds entries, unsorted.
    pub fn add(&mut self, others: &[Pending<E>]) {
        self.entries.truncate(self.left);
        self.entries.extend_from_slice(others);
        self.left = self.entries.len();
        self.entries.resize(self.left.max(ROOM), Pending::default());
    }

    /// Sorts the entries.
    pub fn sort(&mut self) {
        self.entries[..self.left].sort_unstable_by_key(|entry| std::cmp::Reverse(entry.key()));
        self.began = self.left;
    }

    /// Whether all slots are in use.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.left == self.entries.len()
    }

    /// Adds a slot.
    pub fn grow(&mut self) {
        self.entries.push(Pending::default());
    }

    /// Makes room for an entry of this key, in order; returns its slot.
    #[inline]
    pub fn make_room(&mut self, key: u128) -> usize {
        let mut at = self.left;
        self.left += 1;
        while at > 0 && self.entries[at - 1].key() < key {
            self.entries[at] = self.entries[at - 1];
            at -= 1;
        }
        at
    }
}

/// A binary heap with the smallest key on top. A slot that was taken out may be read until the next insertion.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heap<E> {
    entries: Vec<Pending<E>>,
    /// Entries in the heap.
    pub left: usize,
}

const WAYS: usize = 4;

impl<E: Copy + Default> Heap<E> {
    #[inline]
    pub fn first(&self) -> Option<&Pending<E>> {
        if likely(self.left == 0) { None } else { self.entries.first() }
    }

    /// Moves later entries down; returns the slot for `key`.
    #[inline(never)]
    pub fn make_room(&mut self, key: u128) -> &mut Pending<E> {
        let mut at = self.left;
        if at == self.entries.len() {
            self.entries.push(Pending::default());
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

    #[inline]
    pub fn pop(&mut self) -> &Pending<E> {
        self.left -= 1;
        if self.left > 0 {
            let (first, last) = (self.entries[0], self.entries[self.left]);
            self.entries[self.left] = first;
            self.sink(last);
        }
        &self.entries[self.left]
    }

    fn sink(&mut self, entry: Pending<E>) {
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

pub(crate) const ROOM: usize = 4;
