//! A sender and a receiver over a scripted link, for tests: any transmission can be lost or late, and the trace is checked
//! against times and windows worked out by hand.

use std::collections::BTreeMap;

use crate::model::{Congestion, Ingredient, Tcp, Without};
use crate::sim::packet::tcp::receiver::{AckDecision, Receiver};
use crate::sim::packet::tcp::sender::Sender;
use crate::sim::packet::wire::AckInfo;
use crate::units::{Duration, Time};

const MS: u64 = 1_000_000;

/// What is on its way.
#[derive(Clone, Copy, Debug)]
enum Flight {
    /// A segment, and when it was sent.
    Data(u32, Time),
    /// An acknowledgement, and when what it answers was sent.
    Ack(AckInfo, Time),
}

/// Both ends, 10 ms apart, with no limit to the rate.
struct Pair {
    sender: Sender,
    receiver: Receiver,
    now: Time,
    flights: BTreeMap<(Time, u64), Flight>,
    order: u64,
    /// Extra delay of a transmission, counted from 1 [ms]; none where it is lost.
    script: fn(u64) -> Option<u64>,
    transmissions: u64,
    delayed_ack: Option<Time>,
    /// When each segment was sent, again or for the first time [ms].
    sent: Vec<(u64, u32)>,
    /// After each acknowledgement: window and threshold.
    windows: Vec<(u32, u32)>,
}

impl Pair {
    fn new(tcp: &Tcp, known_rtt: bool, script: fn(u64) -> Option<u64>) -> Self {
        let (mut sender, mut receiver) = (Sender::new(tcp), Receiver::default());
        sender.open(tcp, known_rtt.then_some(Duration(20 * MS)));
        receiver.open(tcp.has(Ingredient::DelayedAck));
        Self {
            sender,
            receiver,
            now: Time(0),
            flights: BTreeMap::new(),
            order: 0,
            script,
            transmissions: 0,
            delayed_ack: None,
            sent: Vec::new(),
            windows: Vec::new(),
        }
    }

    fn fly(&mut self, flight: Flight, after: u64) {
        self.order += 1;
        self.flights.insert((self.now + Duration(after), self.order), flight);
    }

    fn transmit(&mut self, (first, count): (u32, u32)) {
        for segment in first..first + count {
            self.transmissions += 1;
            self.sent.push((self.now.0 / MS, segment));
            if let Some(late) = (self.script)(self.transmissions) {
                self.fly(Flight::Data(segment, self.now), (10 + late) * MS);
            }
        }
    }

    fn send_allowed(&mut self) {
        while let Some(segments) = self.sender.next_segments(self.now) {
            self.transmit(segments);
        }
    }

    fn acknowledge(&mut self, echo: Time) {
        self.delayed_ack = None;
        let (ack, _) = self.receiver.make_ack();
        self.fly(Flight::Ack(ack, echo), 10 * MS);
    }

    fn arrive(&mut self, flight: Flight) {
        match flight {
            Flight::Data(segment, sent) => match self.receiver.on_segment(segment, 1) {
                AckDecision::Now => self.acknowledge(sent),
                AckDecision::Later => self.delayed_ack = self.delayed_ack.or(Some(self.now + Duration(40 * MS))),
            },
            Flight::Ack(ack, echo) => {
                self.sender.on_ack(self.now, &ack, echo);
                self.windows.push(self.sender.window_and_threshold());
                self.send_allowed();
            }
        }
    }

    /// Sends `segments`; gives the time at which all are acknowledged [ms].
    fn run(&mut self, segments: u32) -> u64 {
        self.sender.enqueue(segments);
        self.send_allowed();
        while !self.sender.all_acked() {
            let flight = self.flights.keys().next().map_or(Time::NEVER, |key| key.0);
            let ack = self.delayed_ack.unwrap_or(Time::NEVER);
            let timer = self.sender.next_timer();
            self.now = flight.min(ack).min(timer);
            assert!(self.now < Time(1000 * 1000 * MS), "the exchange stalls: {:?}", self.sent);
            if flight == self.now {
                let (_, flight) = self.flights.pop_first().expect("there is one");
                self.arrive(flight);
            } else if ack == self.now {
                self.acknowledge(self.now);
            } else {
                if let Some(probe) = self.sender.on_timer(self.now) {
                    self.transmit(probe);
                }
                self.send_allowed();
            }
        }
        self.now.0 / MS
    }

    /// When segments were sent that had been sent before [ms].
    fn retransmissions(&self) -> Vec<(u64, u32)> {
        let before = |place: usize| self.sent[..place].iter().any(|&(_, segment)| segment == self.sent[place].1);
        (0..self.sent.len()).filter(|&place| before(place)).map(|place| self.sent[place]).collect()
    }
}

fn tcp(congestion: Congestion, without: &[Ingredient]) -> Tcp {
    let without = without.iter().fold(Without::NONE, |all, one| all.and(*one));
    Tcp { congestion, without, ..Tcp::default() }
}

/// RFC 5681, section 3.1: the window grows by a segment for each acknowledged one, 10, 20, 40: 10 + 20 + 40 in three trips.
#[test]
fn slow_start_doubles_each_round_trip() {
    let mut pair =
        Pair::new(&tcp(Congestion::Cubic, &[Ingredient::Hystart, Ingredient::DelayedAck]), true, |_| Some(0));
    assert_eq!(pair.run(70), 60);
    let sent_at = |ms: u64| pair.sent.iter().filter(|&&(at, _)| at == ms).count();
    assert_eq!([0, 20, 40].map(sent_at), [10, 20, 40]);
    assert_eq!([9, 29].map(|acks| pair.windows[acks].0), [20, 40]);
}

/// The seventh of ten packets is lost. Acknowledgements open the window while it is below twice what is out: 10 out, 11; 9 out,
/// 12; 8 out, 13; 7 out, 14. The third SACK tells of the loss (RFC 8985, section 6.2: `DupThresh`), it is sent again at once, and
/// ssthresh is 0.7 x 14 = 9 (RFC 9438, section 4.6). Recovery ends with the window at ssthresh.
#[test]
fn a_loss_in_the_middle_is_repaired_a_round_trip_later() {
    let mut pair = Pair::new(&tcp(Congestion::Cubic, &[]), true, |packet| (packet != 7).then_some(0));
    assert_eq!(pair.run(10), 40);
    assert_eq!(pair.retransmissions(), [(20, 6)]);
    assert_eq!(pair.windows.last(), Some(&(9, 9)));
}

/// The same with `NewReno`: half of 14 (RFC 5681, equation 4).
#[test]
fn new_reno_halves() {
    let mut pair = Pair::new(&tcp(Congestion::NewReno, &[]), true, |packet| (packet != 7).then_some(0));
    pair.run(10);
    assert_eq!(pair.windows.last(), Some(&(7, 7)));
}

/// The last two of ten are lost. A probe goes out two round trips and two ticks after the last acknowledgement, 20 + 42 ms
/// (RFC 8985, section 7.2), repeats the last segment, and its SACK tells of the other.
#[test]
fn a_lost_tail_is_probed() {
    let mut pair = Pair::new(&tcp(Congestion::Cubic, &[]), true, |packet| (!(9..=10).contains(&packet)).then_some(0));
    let done = pair.run(10);
    assert_eq!(pair.retransmissions()[0], (62, 9));
    assert_eq!(pair.retransmissions()[1].1, 8);
    assert!(done < 150, "{done} ms: no time-out was needed");
}

/// Nothing was measured: the first time-out is 1 s, and each one after it twice as long (RFC 6298, sections 2.1 and 5.5).
#[test]
fn time_outs_back_off() {
    let tcp = tcp(Congestion::Cubic, &[Ingredient::TailProbe]);
    let mut pair = Pair::new(&tcp, false, |packet| (packet > 5).then_some(0));
    pair.run(3);
    let firsts: Vec<u64> =
        pair.retransmissions().into_iter().filter(|&(_, segment)| segment == 0).map(|(at, _)| at).collect();
    assert_eq!(firsts, [1_000, 3_000, 7_000]);
    assert!(pair.windows.iter().all(|&(_, ssthresh)| ssthresh <= 7), "{:?}: a time-out is a loss", pair.windows);
}

/// A round trip is known: the time-out is srtt + max(4 rttvar, 200 ms) = 20 + 200 ms (RFC 6298 with Linux's floor).
#[test]
fn the_least_time_out_is_200_ms_beyond_the_round_trip() {
    let tcp = tcp(Congestion::Cubic, &[Ingredient::TailProbe]);
    let mut pair = Pair::new(&tcp, true, |packet| (packet > 3).then_some(0));
    pair.run(3);
    assert_eq!(pair.retransmissions()[0], (220, 0));
}

/// All packets are 300 ms late: the time-out at 220 ms was needless. What answers an original, sent before the repetition, says
/// so (RFC 3522): window and threshold are what they were, and nothing else is sent again.
#[test]
fn a_needless_time_out_is_undone() {
    let tcp = tcp(Congestion::Cubic, &[Ingredient::TailProbe, Ingredient::Hystart]);
    let mut pair = Pair::new(&tcp, true, |packet| Some(if packet <= 11 { 300 } else { 0 }));
    pair.run(40);
    assert_eq!(pair.retransmissions(), [(220, 0)]);
    assert!(pair.windows[0].0 >= 10 && pair.windows[0].1 == u32::MAX, "{:?}", pair.windows[0]);
}

/// Without RACK three duplicates tell of a loss (RFC 6675): two do not, and it takes a time-out.
#[test]
fn without_rack_two_duplicates_are_too_few() {
    let tcp = tcp(Congestion::Cubic, &[Ingredient::Rack, Ingredient::TailProbe]);
    let mut three = Pair::new(&tcp, true, |packet| (packet != 7).then_some(0));
    three.run(10);
    assert_eq!(three.retransmissions(), [(20, 6)]);
    let mut two = Pair::new(&tcp, true, |packet| (packet != 8).then_some(0));
    two.run(10);
    assert_eq!(two.retransmissions()[0], (240, 7));
}

/// RFC 6937, section 4: 20 in flight, the first is lost, ssthresh is 10. After the retransmission every second SACK lets one
/// new segment go, until ten are in flight: 19 - 16 + 7.
#[test]
fn recovery_sends_one_segment_for_two_delivered() {
    let tcp = Tcp { window: 20, ..tcp(Congestion::NewReno, &[Ingredient::DelayedAck, Ingredient::Rack]) };
    let mut pair = Pair::new(&tcp, true, |packet| (packet != 1).then_some(0));
    pair.sender.set_threshold(20);
    pair.run(100);
    // Two new ones on the first two SACKs (limited transmit), the repetition, then one for two.
    let at_20: Vec<u32> = pair.sent.iter().filter(|&&(at, _)| at == 20).map(|&(_, segment)| segment).collect();
    assert_eq!(at_20[..3], [20, 21, 0]);
    assert_eq!(at_20.len() - 3, 7, "16 more SACKs: {at_20:?}");
    let lowest = pair.windows.iter().map(|&(_, ssthresh)| ssthresh).min();
    assert_eq!(lowest, Some(10));
}
