//! The flows of a site in the order in which they end, the next few in order, the others in a heap.
//!
//! Most sites have few flows. Those in order come and go without a guess at which ends first: the next one is the last in
//! memory. When they are used up the next few are sorted out of the heap, in its place (Williams 1964, Algorithm 232).

use std::hint::cold_path;

use crate::sim::turn::TransactionId;

/// A flow of a site and when it ends, as one number, which is compared at once and without a branch: the bits of a reading that
/// is not negative are in its order. Ties go to the smaller name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Entry(u128);

impl Entry {
    /// Of a reading that is not negative.
    pub fn new(end: f64, flow: TransactionId) -> Self {
        debug_assert!(end.is_sign_positive(), "{end}");
        Self(u128::from(end.to_bits()) << 64 | u128::from(flow))
    }

    /// The reading of its site's clock at which it ends.
    #[allow(clippy::cast_possible_truncation)] // the high half is meant
    pub fn end(self) -> f64 {
        f64::from_bits((self.0 >> 64) as u64)
    }

    /// Its name.
    #[allow(clippy::cast_possible_truncation)] // the low half is meant
    pub fn flow(self) -> TransactionId {
        self.0 as u32
    }
}

/// One site's flows in the band, in a line of the cache.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
pub(crate) struct SiteQueue {
    /// Access rate left for this band [bit/s], a whole number.
    pub cap: f64,
    /// Weight of its flows together.
    pub weight: f64,
    /// Service per unit of weight that each flow here has had [bit].
    pub clock: f64,
    /// Where the clock stood: on `v` when shared, in seconds when capped.
    pub mark: f64,
    /// Flows by the reading of `clock` at which they end; ties go to the smaller name. The first `heaped` are a binary heap
    /// with the first to end on top; behind it are those that end before all of them, the first to end last. None are there
    /// only if there is no flow.
    pub flows: Vec<Entry>,
    heaped: u32,
    /// Whether it rides on the clock of those that share: the capacity holds it back, not its cap.
    pub shared: bool,
}

const _: () = assert!(size_of::<SiteQueue>() == 64);

/// No more than so many are kept in order, and half as many are sorted at once.
const MOST: usize = 32;

impl SiteQueue {
    /// Its last flow is gone.
    pub fn idle(&mut self) {
        (self.weight, self.shared) = (0.0, false);
    }

    /// Whether it has no flow.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// When the first ends.
    #[inline]
    pub fn first(&self) -> f64 {
        self.flows.last().map_or(f64::INFINITY, |first| first.end())
    }

    /// Whether a flow would be the first to end.
    #[inline]
    pub fn begins_with(&self, entry: Entry) -> bool {
        self.flows.last().is_none_or(|&first| entry < first)
    }

    /// Puts a flow in.
    #[inline(never)]
    pub fn push(&mut self, entry: Entry) {
        let heaped = self.heaped as usize;
        if self.flows.len() == self.flows.capacity() || self.flows.len() - heaped >= MOST {
            cold_path();
            return self.push_with_room(entry);
        }
        if heaped > 0 && entry > self.flows[heaped] {
            return self.heap(entry);
        }
        self.flows.push(entry);
        let ordered = &mut self.flows[heaped..];
        let mut at = ordered.len() - 1;
        while at > 0 && ordered[at - 1] < entry {
            ordered[at] = ordered[at - 1];
            at -= 1;
        }
        ordered[at] = entry;
    }

    /// The same where room has to be made first. This and [`SiteQueue::heap`] are called last: nothing has to be put aside for
    /// them where they are not.
    #[inline(never)]
    fn push_with_room(&mut self, entry: Entry) {
        self.flows.reserve(1);
        if self.flows.len() - self.heaped as usize >= MOST {
            self.heap_one();
        }
        self.push(entry);
    }

    /// Takes the first one out.
    #[inline]
    pub fn pop(&mut self) -> TransactionId {
        let first = self.flows.pop().expect("a site that is due has a flow");
        self.refill();
        first.flow()
    }

    /// Takes out a flow that is in; gives the reading at which it would have ended.
    pub fn remove(&mut self, flow: TransactionId) -> f64 {
        let at = self.flows.iter().position(|entry| entry.flow() == flow);
        let mut at = at.expect("a flow is withdrawn from where it was inserted");
        let end = self.flows[at].end();
        if at < self.heaped as usize {
            // The last of the heap takes its place.
            self.heaped -= 1;
            let last = self.heaped as usize;
            self.flows.swap(at, last);
            let heap = &mut self.flows[..last];
            if at < last {
                rise(heap, at);
                sink(heap, at);
            }
            at = last;
        }
        self.flows.remove(at);
        self.refill();
        end
    }

    /// Puts a flow in that ends after all that are in order.
    #[inline(never)]
    fn heap(&mut self, entry: Entry) {
        self.flows.insert(self.heaped as usize, entry);
        self.heap_one();
    }

    /// The last to end of those in order joins the heap, beside which it is.
    fn heap_one(&mut self) {
        self.heaped += 1;
        let heap = &mut self.flows[..self.heaped as usize];
        rise(heap, heap.len() - 1);
    }

    /// Where none are left in order, the first few of the heap are put in order behind it.
    #[inline]
    fn refill(&mut self) {
        if self.heaped > 0 && self.flows.len() == self.heaped as usize {
            cold_path();
            self.sort_some();
        }
    }

    #[inline(never)]
    fn sort_some(&mut self) {
        for _ in 0..MOST / 2 {
            let Some(last) = self.heaped.checked_sub(1) else { return };
            self.heaped = last;
            self.flows.swap(0, last as usize);
            sink(&mut self.flows[..last as usize], 0);
        }
    }
}

/// What is at this place goes up to where it belongs.
fn rise(heap: &mut [Entry], mut at: usize) {
    let entry = heap[at];
    while at > 0 {
        let parent = (at - 1) / 2;
        if heap[parent] < entry {
            break;
        }
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = entry;
}

/// What is at this place goes down to where it belongs.
fn sink(heap: &mut [Entry], mut at: usize) {
    while let Some(&left) = heap.get(2 * at + 1) {
        let right = heap.get(2 * at + 2).is_some_and(|&right| right < left);
        let child = 2 * at + 1 + usize::from(right);
        if heap[at] < heap[child] {
            return;
        }
        heap.swap(at, child);
        at = child;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Far more flows than are kept in order, with ties; some are taken out before their end.
        #[test]
        fn flows_end_in_the_order_of_a_sorted_list(
            steps in prop::collection::vec((0_u32..400, 0_u8..8), 1..600),
        ) {
            let (mut share, mut plain) = (SiteQueue::default(), Vec::new());
            for (flow, (end, what)) in (0_u32..).zip(steps) {
                match what {
                    0 | 1 if !plain.is_empty() => {
                        let (_, first): (u32, u32) = plain.remove(0);
                        prop_assert_eq!(share.pop(), first);
                    }
                    2 if !plain.is_empty() => {
                        let (end, middle) = plain.remove(plain.len() / 2);
                        prop_assert!(share.remove(middle).total_cmp(&f64::from(end)).is_eq());
                    }
                    _ => {
                        plain.push((end, flow));
                        plain.sort_unstable();
                        let entry = Entry::new(f64::from(end), flow);
                        prop_assert_eq!(share.begins_with(entry), plain[0] == (end, flow));
                        share.push(entry);
                    }
                }
                prop_assert_eq!(share.flows.len(), plain.len());
                prop_assert!(plain.first().is_none_or(|first| share.first().total_cmp(&f64::from(first.0)).is_eq()));
            }
        }
    }
}
