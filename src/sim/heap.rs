//! A heap whose members can be re-keyed and taken out by name: who in a set of sites is due first.
//!
//! Four children a node; each member knows its place, so that a change of key costs O(log n). Ties go to the
//! smaller name, which keeps runs repeatable.

/// Members `0..capacity` with keys; the smallest key is on top.
#[derive(Clone, Debug, Default)]
pub struct IndexedHeap {
    heap: Vec<(f64, u32)>,
    place: Vec<u32>,
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
        self.heap.first().copied()
    }

    /// Whether nobody is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// All members, in no meaningful order.
    pub fn members(&self) -> impl Iterator<Item = u32> {
        self.heap.iter().map(|&(_, member)| member)
    }

    /// Puts `member` in, or gives it another key.
    #[inline]
    pub fn set(&mut self, member: u32, key: f64) {
        match &mut self.heap[..] {
            [only] if only.1 == member => only.0 = key,
            _ => self.put(member, key),
        }
    }

    fn put(&mut self, member: u32, key: f64) {
        let at = self.place[member as usize];
        if at == ABSENT {
            self.heap.push((key, member));
            self.rise(self.heap.len() - 1);
        } else {
            let at = at as usize;
            self.heap[at].0 = key;
            self.rise(at);
            self.sink(self.place[member as usize] as usize);
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
        debug_assert_eq!(moved.1, member);
        if at < last {
            let other = self.heap[at].1;
            self.note(at);
            self.rise(at);
            self.sink(self.place[other as usize] as usize);
        }
    }

    #[allow(clippy::cast_possible_truncation)] // sites are numbered in 32 bits
    fn note(&mut self, at: usize) {
        self.place[self.heap[at].1 as usize] = at as u32;
    }

    fn rise(&mut self, mut at: usize) {
        let entry = self.heap[at];
        while at > 0 {
            let parent = (at - 1) / WAYS;
            if !less(entry, self.heap[parent]) {
                break;
            }
            self.heap[at] = self.heap[parent];
            self.note(at);
            at = parent;
        }
        self.heap[at] = entry;
        self.note(at);
    }

    fn sink(&mut self, mut at: usize) {
        let entry = self.heap[at];
        let len = self.heap.len();
        loop {
            let first = at * WAYS + 1;
            if first >= len {
                break;
            }
            let least = first + least(&self.heap[first..len.min(first + WAYS)]);
            if !less(self.heap[least], entry) {
                break;
            }
            self.heap[at] = self.heap[least];
            self.note(at);
            at = least;
        }
        self.heap[at] = entry;
        self.note(at);
    }
}

/// The place of the least of a node's children: two pairs, which need not wait for each other.
fn least(children: &[(f64, u32)]) -> usize {
    let earlier = |a: usize, b: usize| if less(children[b], children[a]) { b } else { a };
    if children.len() == WAYS { earlier(earlier(0, 1), earlier(2, 3)) } else { (1..children.len()).fold(0, earlier) }
}

/// Without a branch, as it cannot be foreseen.
#[allow(clippy::needless_bitwise_bool)]
fn less(a: (f64, u32), b: (f64, u32)) -> bool {
    (a.0 < b.0) | ((a.0 <= b.0) & (a.1 < b.1))
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
