//! TCP receiver: reassembly, delayed and selective acknowledgements.

use crate::sim::cost::QUICKACK_SEGMENTS;
use crate::sim::packet::wire::AckInfo;

/// Reassembly and acknowledgement of one direction of a connection.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    /// First segment that has not arrived.
    rcv_nxt: u32,
    /// Blocks received out of order, ascending and disjoint.
    out_of_order: Vec<(u32, u32)>,
    /// Segments in them.
    out_of_order_segments: u32,
    /// Segments received since the last acknowledgement.
    unacked: u32,
    /// Of them, those that came out of order, or filled a hole: each is acknowledged at once (RFC 5681, section 4.2).
    urgent: u32,
    quickack: u32,
    delayed_ack: bool,
    latest: (u32, u32),
    dsack: bool,
}

/// When an arrival is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AckDecision {
    /// At once.
    Now,
    /// With the next segment, or when the delay is over.
    Later,
}

impl Receiver {
    /// Opens a connection; `delays` if acknowledgements may be delayed (RFC 1122, section 4.2.3.2).
    pub fn open(&mut self, delays: bool) {
        self.out_of_order.clear();
        (self.rcv_nxt, self.out_of_order_segments, self.quickack) = (0, 0, QUICKACK_SEGMENTS);
        (self.unacked, self.urgent) = (0, 0);
        (self.delayed_ack, self.latest, self.dsack) = (delays, (0, 0), false);
    }

    /// First segment that has not arrived.
    #[must_use]
    pub fn rcv_nxt(&self) -> u32 {
        self.rcv_nxt
    }

    /// Segments `first..first + count` arrive.
    #[inline]
    pub fn on_segment(&mut self, first: u32, count: u32) -> AckDecision {
        let until = first + count;
        self.latest = (first, until);
        self.dsack = false;
        if first == self.rcv_nxt && self.out_of_order.is_empty() {
            self.rcv_nxt = until;
            self.unacked += count;
            // RFC 5681, section 4.2: at least every second segment is acknowledged.
            let now = !self.delayed_ack || self.unacked >= 2 || self.quickack > 0;
            return if now { AckDecision::Now } else { AckDecision::Later };
        }
        self.unacked += count;
        self.urgent += count;
        if until <= self.rcv_nxt || self.out_of_order.iter().any(|&(from, to)| from <= first && until <= to) {
            self.dsack = true;
        } else {
            self.insert_out_of_order(first.max(self.rcv_nxt), until);
        }
        // Out of order, or a hole is filled: acknowledged at once.
        AckDecision::Now
    }

    fn insert_out_of_order(&mut self, mut first: u32, mut until: u32) {
        let from = self.out_of_order.partition_point(|block| block.1 < first);
        let to = self.out_of_order.partition_point(|block| block.0 <= until);
        for &(low, high) in &self.out_of_order[from..to] {
            first = first.min(low);
            until = until.max(high);
        }
        self.out_of_order.splice(from..to, [(first, until)]);
        if let Some(&(low, high)) = self.out_of_order.first()
            && low <= self.rcv_nxt
        {
            self.rcv_nxt = high;
            self.out_of_order.remove(0);
        }
        self.out_of_order_segments = self.out_of_order.iter().map(|block| block.1 - block.0).sum();
    }

    /// The acknowledgement, and how many packets carry it. The odd segment at the end of a train waits for the next one, as
    /// it would if the train arrived packet by packet.
    #[inline]
    pub fn make_ack(&mut self) -> (AckInfo, u32) {
        let urgent = std::mem::take(&mut self.urgent);
        let single = if self.delayed_ack { self.unacked.min(self.quickack.max(urgent)) } else { self.unacked };
        let paired = self.unacked - single;
        let packets = (single + paired / 2).max(1);
        self.quickack = self.quickack.saturating_sub(packets);
        self.unacked = if self.unacked > 1 && urgent == 0 { paired % 2 } else { 0 };
        let ack = AckInfo::of(self.rcv_nxt).with_sacked(self.out_of_order_segments, self.dsack);
        (if self.out_of_order.is_empty() { ack } else { self.with_sack_blocks(ack) }, packets)
    }

    /// Adds SACK blocks, the latest first (RFC 2018, section 4).
    fn with_sack_blocks(&self, ack: AckInfo) -> AckInfo {
        let latest = self.out_of_order.iter().position(|block| block.0 <= self.latest.0 && self.latest.0 < block.1);
        let others = (0..self.out_of_order.len()).rev().filter(|place| Some(*place) != latest);
        ack.with_blocks(latest.into_iter().chain(others).map(|place| self.out_of_order[place]))
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
        for segment in 0..QUICKACK_SEGMENTS {
            assert_eq!(receiver.on_segment(segment, 1), AckDecision::Now);
            assert_eq!(receiver.make_ack().1, 1);
        }
        assert_eq!(receiver.on_segment(16, 1), AckDecision::Later);
        assert_eq!(receiver.on_segment(17, 1), AckDecision::Now);
        assert_eq!(receiver.make_ack().0.seq, 18);
    }

    #[test]
    fn a_train_is_acknowledged_as_often_as_its_packets_would_be() {
        let mut receiver = receiver();
        assert_eq!((receiver.on_segment(0, 17), receiver.make_ack().1), (AckDecision::Now, 16));
        let said: u32 = (0..10).map(|train| (receiver.on_segment(17 + 3 * train, 3), receiver.make_ack().1).1).sum();
        assert_eq!(said, 15, "thirty-one segments: fifteen pairs, and one that waits");
    }

    /// Three packets behind a hole, then the two that fill it and the next one: packet by packet an acknowledgement each.
    #[test]
    fn packets_of_a_train_beyond_a_hole_are_acknowledged_one_by_one() {
        let said = |trains: &[(u32, u32)]| {
            let mut receiver = receiver();
            (0..QUICKACK_SEGMENTS).for_each(|segment| {
                receiver.on_segment(segment, 1);
                receiver.make_ack();
            });
            let said = |&(first, count): &(u32, u32)| match receiver.on_segment(first, count) {
                AckDecision::Now => receiver.make_ack().1,
                AckDecision::Later => 0,
            };
            (trains.iter().map(said).sum::<u32>(), receiver.rcv_nxt())
        };
        assert_eq!(said(&[(18, 3), (16, 2), (21, 1), (22, 1)]), (3 + 2 + 1, 23));
        let one_by_one: Vec<_> = [18, 19, 20, 16, 17, 21, 22].map(|segment| (segment, 1)).to_vec();
        assert_eq!(said(&one_by_one), (6, 23));
    }

    #[test]
    fn a_hole_is_told_with_the_latest_block_first_and_healed() {
        let mut receiver = receiver();
        receiver.on_segment(0, 2);
        receiver.on_segment(3, 1);
        receiver.on_segment(7, 2);
        receiver.on_segment(4, 1);
        let (ack, _) = receiver.make_ack();
        assert_eq!((ack.seq, ack.sacked), (2, 4));
        assert_eq!(ack.blocks().collect::<Vec<_>>(), [(3, 5), (7, 9), (2, 2)]);
        receiver.on_segment(2, 1);
        assert_eq!(receiver.rcv_nxt(), 5);
        receiver.on_segment(5, 2);
        assert_eq!((receiver.rcv_nxt(), receiver.make_ack().0.sacked), (9, 0));
        receiver.on_segment(3, 1);
        assert!(receiver.make_ack().0.dsack);
    }
}
