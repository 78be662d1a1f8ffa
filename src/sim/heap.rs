//! A heap whose members can be re-keyed and taken out by name: who in a set of sites is due first.
//!
//! Four children a node; each member knows its place, so that a change of key costs O(log n). Ties go to the
//! smaller name, which keeps runs repeatable.

/// Members `0..capacity` with keys; the smallest key is on top.
#[derive(Clone, Debug, Default)]
pub struct IndexedHeap {
    heap: Vec<Entry>,
    place: Vec<u32>,
}

/// A key and its member as one number, which is compared at once and without a branch: the bits of a key that is not
/// negative are in its order. Ties go to the smaller name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry(u128);

impl Entry {
    /// Of a key that is not negative.
    #[must_use]
    pub fn new(key: f64, member: u32) -> Self {
        debug_assert!(key.is_sign_positive(), "{key}");
        Self(u128::from(key.to_bits()) << 64 | u128::from(member))
    }

    /// The key.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // the high half is meant
    pub fn key(self) -> f64 {
        f64::from_bits((self.0 >> 64) as u64)
    }

    /// The member.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // the low half is meant
    pub fn member(self) -> u32 {
        self.0 as u32
    }
}

const ABSENT: u32 = u32::MAX;
const WAYS: usize = 4;

impl IndexedHeap {
    /// An empty heap for members below `capacity`.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { heap: Vec::new(), place: vec![ABSENT; capacity] }
    }

    /// The member with the smallest key.
    #[must_use]
    pub fn top(&self) -> Option<(f64, u32)> {
        self.heap.first().map(|first| (first.key(), first.member()))
    }

    /// Whether nobody is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// All members, in no meaningful order.
    pub fn members(&self) -> impl Iterator<Item = u32> {
        self.heap.iter().map(|entry| entry.member())
    }

    /// Puts `member` in, or gives it another key, which is not negative.
    #[inline]
    pub fn set(&mut self, member: u32, key: f64) {
        let entry = Entry::new(key, member);
        match &mut self.heap[..] {
            [only] if only.member() == member => *only = entry,
            _ => self.put(entry),
        }
    }

    fn put(&mut self, entry: Entry) {
        let at = self.place[entry.member() as usize];
        if at == ABSENT {
            self.heap.push(entry);
            self.rise(self.heap.len() - 1, entry);
        } else {
            let at = at as usize;
            if entry < self.heap[at] { self.rise(at, entry) } else { self.sink(at, entry) }
        }
    }

    /// Takes `member` out, if it is in.
    pub fn remove(&mut self, member: u32) {
        let at = std::mem::replace(&mut self.place[member as usize], ABSENT) as usize;
        if at == ABSENT as usize {
            return;
        }
        let last = self.heap.len() - 1;
        let moved = self.heap.swap_remove(at);
        debug_assert_eq!(moved.member(), member);
        if at < last {
            let other = self.heap[at];
            if other < moved { self.rise(at, other) } else { self.sink(at, other) }
        }
    }

    /// An entry is at this place.
    #[allow(clippy::cast_possible_truncation)] // sites are numbered in 32 bits
    fn lay(&mut self, at: usize, entry: Entry) {
        self.heap[at] = entry;
        self.place[entry.member() as usize] = at as u32;
    }

    /// Lays an entry at this place, or above it.
    fn rise(&mut self, mut at: usize, entry: Entry) {
        while at > 0 {
            let parent = (at - 1) / WAYS;
            let above = self.heap[parent];
            if above < entry {
                break;
            }
            self.lay(at, above);
            at = parent;
        }
        self.lay(at, entry);
    }

    /// Lays an entry at this place, or below it.
    fn sink(&mut self, mut at: usize, entry: Entry) {
        while let Some((place, least)) = self.least_below(at)
            && least < entry
        {
            self.lay(at, least);
            at = place;
        }
        self.lay(at, entry);
    }

    /// The least of the children of a node, and its place: two pairs, which need not wait for each other.
    fn least_below(&self, at: usize) -> Option<(usize, Entry)> {
        let first = at * WAYS + 1;
        let less = |a: (usize, Entry), b: (usize, Entry)| if b.1 < a.1 { b } else { a };
        if let Some(&[a, b, c, d]) = self.heap.get(first..first + WAYS) {
            return Some(less(less((first, a), (first + 1, b)), less((first + 2, c), (first + 3, d))));
        }
        let few = self.heap.get(first..)?;
        (first..).zip(few.iter().copied()).reduce(less)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Against a plain map: any mix of insertions, re-keyings and removals leaves the same smallest member.
        #[test]
        fn it_agrees_with_a_plain_map(steps in prop::collection::vec((0_u32..20, 0_u32..30, prop::bool::ANY), 1..200)) {
            let mut heap = IndexedHeap::new(20);
            let mut plain: BTreeMap<u32, u32> = BTreeMap::new();
            for (member, key, remove) in steps {
                if remove {
                    heap.remove(member);
                    plain.remove(&member);
                } else {
                    heap.set(member, f64::from(key));
                    plain.insert(member, key);
                }
                let least = plain.iter().map(|(&member, &key)| (key, member)).min();
                prop_assert_eq!(heap.top(), least.map(|(key, member)| (f64::from(key), member)));
                prop_assert_eq!(heap.members().count(), plain.len());
            }
        }
    }
}
