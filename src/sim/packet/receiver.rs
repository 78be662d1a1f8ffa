//! The receiving end: what has arrived, and when it says so.

use crate::sim::packet::wire::Says;
use crate::sim::transport::QUICK;

/// Reassembly and acknowledgement of one direction of a connection.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    /// Every segment below has arrived.
    expected: u32,
    /// What has arrived beyond, in order and apart.
    beyond: Vec<(u32, u32)>,
    /// Sum of their lengths.
    held: u32,
    /// Segments that no acknowledgement has covered.
    unsaid: u32,
    quick: u32,
    delays: bool,
    latest: (u32, u32),
    again: bool,
}

/// What an arrival calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An acknowledgement now.
    Now,
    /// One later, unless something else carries it.
    Later,
}

impl Receiver {
    /// A connection opens; `delays` if acknowledgements may wait for a second segment.
    pub fn open(&mut self, delays: bool) {
        self.beyond.clear();
        (self.expected, self.held, self.unsaid, self.quick) = (0, 0, 0, QUICK);
        (self.delays, self.latest, self.again) = (delays, (0, 0), false);
    }

    /// Every segment below this one has arrived.
    #[must_use]
    pub fn expected(&self) -> u32 {
        self.expected
    }

    /// Segments `first..first + count` arrive.
    #[inline(always)]
    pub fn arrive(&mut self, first: u32, count: u32) -> Reply {
        let until = first + count;
        self.latest = (first, until);
        self.again = false;
        if first == self.expected && self.beyond.is_empty() {
            self.expected = until;
            self.unsaid += count;
            // RFC 5681, section 4.2: at least every second segment.
            let now = !self.delays || self.unsaid >= 2 || self.quick > 0;
            return if now { Reply::Now } else { Reply::Later };
        }
        self.unsaid += count;
        if until <= self.expected || self.beyond.iter().any(|&(from, to)| from <= first && until <= to) {
            self.again = true;
        } else {
            self.keep(first.max(self.expected), until);
        }
        // Out of order, or a hole is filled: said at once.
        Reply::Now
    }

    #[inline(never)]
    fn keep(&mut self, mut first: u32, mut until: u32) {
        let from = self.beyond.partition_point(|block| block.1 < first);
        let to = self.beyond.partition_point(|block| block.0 <= until);
        for &(low, high) in &self.beyond[from..to] {
            first = first.min(low);
            until = until.max(high);
        }
        self.beyond.splice(from..to, [(first, until)]);
        if let Some(&(low, high)) = self.beyond.first()
            && low <= self.expected
        {
            self.expected = high;
            self.beyond.remove(0);
        }
        self.held = self.beyond.iter().map(|block| block.1 - block.0).sum();
    }

    /// What there is to say, and how many acknowledgements say it; the odd segment at the end of a train waits for the
    /// next one, as it would if the train came packet by packet.
    #[inline(always)]
    pub fn say(&mut self) -> (Says, u32) {
        let single = if self.delays { self.unsaid.min(self.quick) } else { self.unsaid };
        let paired = self.unsaid - single;
        let packets = (single + paired / 2).max(1);
        self.quick = self.quick.saturating_sub(packets);
        self.unsaid = if self.unsaid > 1 { paired % 2 } else { 0 };
        let says = Says::of(self.expected).holding(self.held, self.again);
        (if self.beyond.is_empty() { says } else { self.with_blocks(says) }, packets)
    }

    /// What it says with what has arrived beyond, the latest first.
    #[inline(never)]
    fn with_blocks(&self, says: Says) -> Says {
        let latest = self.beyond.iter().position(|block| block.0 <= self.latest.0 && self.latest.0 < block.1);
        let others = (0..self.beyond.len()).rev().filter(|place| Some(*place) != latest);
        says.with(latest.into_iter().chain(others).map(|place| self.beyond[place]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver() -> Receiver {
        let mut receiver = Receiver::default();
        receiver.open(true);
        receiver
    }

    #[test]
    fn the_first_segments_are_acknowledged_at_once_and_later_ones_in_pairs() {
        let mut receiver = receiver();
        for segment in 0..QUICK {
            assert_eq!(receiver.arrive(segment, 1), Reply::Now);
            assert_eq!(receiver.say().1, 1);
        }
        assert_eq!(receiver.arrive(16, 1), Reply::Later);
        assert_eq!(receiver.arrive(17, 1), Reply::Now);
        assert_eq!(receiver.say().0.first, 18);
    }

    #[test]
    fn a_train_is_acknowledged_as_often_as_its_packets_would_be() {
        let mut receiver = receiver();
        assert_eq!((receiver.arrive(0, 17), receiver.say().1), (Reply::Now, 16));
        let said: u32 = (0..10).map(|train| (receiver.arrive(17 + 3 * train, 3), receiver.say().1).1).sum();
        assert_eq!(said, 15, "thirty-one segments: fifteen pairs, and one that waits");
    }

    #[test]
    fn a_hole_is_told_with_the_latest_block_first_and_healed() {
        let mut receiver = receiver();
        receiver.arrive(0, 2);
        receiver.arrive(3, 1);
        receiver.arrive(7, 2);
        receiver.arrive(4, 1);
        let (says, _) = receiver.say();
        assert_eq!((says.first, says.held), (2, 4));
        assert_eq!(says.blocks().collect::<Vec<_>>(), [(3, 5), (7, 9), (2, 2)]);
        receiver.arrive(2, 1);
        assert_eq!(receiver.expected(), 5);
        receiver.arrive(5, 2);
        assert_eq!((receiver.expected(), receiver.say().0.held), (9, 0));
        receiver.arrive(3, 1);
        assert!(receiver.say().0.again);
    }
}
