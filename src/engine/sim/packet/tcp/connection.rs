//! TCP connection: handshake, requests and responses in turn, close.

use crate::model::{Ingredient, Tcp};
use crate::sim::packet::tcp::receiver::Receiver;
use crate::sim::packet::tcp::sender::Sender;
use crate::sim::packet::wire::{Direction, FlowKey};
use crate::sim::turn::Turn;
use crate::units::{Duration, NANOS, Time};

/// Initial time-out of a SYN (RFC 6298, section 2.1).
const SYN_RTO: u64 = NANOS;

/// A connection, in both directions.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Key of its flow; packets and timers of another epoch are void.
    pub flow: FlowKey,
    /// Whether this transfer opened it, and closes it.
    pub opened: bool,
    /// Whether it is closed.
    pub closed: bool,
    /// Whether the last request is acknowledged.
    request_acked: bool,
    /// Deadline of a delayed acknowledgement.
    pub delayed_ack_at: Time,
    /// Deadline of the timer event that is scheduled.
    pub timer: Time,
    /// When the last SYN was sent, and how many before it; none once a SYN-ACK has arrived.
    pub syn_sent: Option<(Time, u32)>,
    /// From the server to the site.
    pub down: HalfConnection,
    /// From the site to the server.
    pub up: HalfConnection,
    turns: Vec<Turn>,
    /// Requests that were sent and received, and responses that were begun.
    requests_sent: usize,
    requests_received: usize,
    responses_sent: usize,
    /// Time that the server takes for each response.
    pub server_time: Duration,
}

/// One direction of a connection.
#[derive(Clone, Debug)]
pub struct HalfConnection {
    /// Its receiving end.
    pub receiver: Receiver,
    /// Bytes of the last packet of the message.
    pub last_segment: u32,
    /// Whether a FIN follows in a packet of its own.
    fin: bool,
    /// Its sending end.
    pub sender: Sender,
}

impl HalfConnection {
    fn open(&mut self, tcp: &Tcp, rtt: Option<Duration>) {
        self.fin = false;
        self.sender.open(tcp, rtt);
        self.receiver.open(tcp.has(Ingredient::DelayedAck));
    }

    /// Writes a message of `bytes`.
    fn enqueue(&mut self, bytes: u64, tcp: &Tcp) {
        let segments = bytes.div_ceil(tcp.segment.0).max(1);
        let last = bytes.max(1) - (segments - 1) * tcp.segment.0;
        self.sender.enqueue(u32::try_from(segments).expect("a transfer has fewer than 2^32 segments"));
        self.last_segment = u32::try_from(last + tcp.headers.0).expect("a segment has fewer than 2^32 bytes");
    }

    /// Writes a FIN in a packet of its own.
    fn enqueue_fin(&mut self) {
        self.sender.enqueue(1);
        self.fin = true;
    }

    /// Whether this segment is the FIN.
    #[must_use]
    pub fn is_fin(&self, segment: u32) -> bool {
        self.fin && segment + 1 == self.sender.total()
    }

    /// Bytes of a packet with segment `segment`: a full one, the last of its message, or the FIN.
    #[must_use]
    pub fn size(&self, segment: u32, full: u32, bare: u32) -> u32 {
        let from_end = self.sender.total() - segment;
        match (self.fin, from_end) {
            (true, 1) => bare,
            (true, 2) | (false, 1) => self.last_segment,
            _ => full,
        }
    }

    /// Whether all data has arrived.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.receiver.rcv_nxt() + u32::from(self.fin) >= self.sender.total()
    }
}

impl Connection {
    /// A closed connection.
    #[must_use]
    pub fn new(flow: FlowKey, tcp: &Tcp) -> Self {
        let half =
            HalfConnection { receiver: Receiver::default(), last_segment: 0, fin: false, sender: Sender::new(tcp) };
        Self {
            flow,
            opened: false,
            closed: true,
            request_acked: false,
            delayed_ack_at: Time::NEVER,
            timer: Time::NEVER,
            syn_sent: None,
            down: half.clone(),
            up: half,
            turns: Vec::new(),
            requests_sent: 0,
            requests_received: 0,
            responses_sent: 0,
            server_time: Duration(0),
        }
    }

    /// Opens it for `turns`; `stands` is the round trip of a connection that is kept open.
    pub fn open(&mut self, tcp: &Tcp, turns: impl Iterator<Item = Turn>, server: Duration, stands: Option<Duration>) {
        self.turns.clear();
        self.turns.extend(turns);
        (self.requests_sent, self.requests_received, self.responses_sent) = (0, 0, 0);
        self.up.open(tcp, stands);
        self.down.open(tcp, stands);
        (self.server_time, self.delayed_ack_at, self.syn_sent) = (server, Time::NEVER, None);
        (self.timer, self.opened, self.closed, self.request_acked) = (Time::NEVER, stands.is_none(), false, false);
    }

    /// Opens it in the midst of a response, whose window has grown to so many segments.
    pub fn go_on(&mut self, tcp: &Tcp, response: Turn, (rtt, window): (Duration, u32)) {
        self.open(tcp, std::iter::once(response), Duration(0), Some(rtt));
        (self.requests_sent, self.requests_received, self.request_acked) = (1, 1, true);
        self.down.sender.grow_to(window);
    }

    /// The site writes the next request.
    pub fn send_request(&mut self, tcp: &Tcp) {
        self.up.enqueue(self.turns[self.requests_sent].request.0, tcp);
        self.requests_sent += 1;
        self.request_acked = false;
    }

    /// The server accepts a request that is complete; false if it has been accepted.
    pub fn accept_request(&mut self) -> bool {
        let whole = self.requests_received < self.requests_sent && self.up.complete();
        self.requests_received += usize::from(whole);
        whole
    }

    /// The server writes the next response. It closes a connection that the transfer opened after the last response: if that
    /// fits the window, the FIN follows in a packet of its own, which reveals a lost tail; else the last segment carries it (RFC
    /// 9293, section 3.6).
    pub fn send_response(&mut self, tcp: &Tcp) {
        let before = self.down.sender.total();
        self.down.enqueue(self.turns[self.responses_sent].response.0, tcp);
        self.responses_sent += 1;
        let segments = self.down.sender.total() - before;
        if self.opened && !self.has_more() && segments <= self.down.sender.cwnd() {
            self.down.enqueue_fin();
        }
    }

    /// Whether another turn follows.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.responses_sent < self.turns.len()
    }

    /// One of its directions.
    pub fn half(&mut self, direction: Direction) -> &mut HalfConnection {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
    }

    /// A SYN is sent.
    pub fn send_syn(&mut self, now: Time) {
        let tries = self.syn_sent.map_or(0, |(_, tries)| tries + 1);
        self.syn_sent = Some((now, tries));
    }

    /// When the SYN is retransmitted.
    #[must_use]
    pub fn syn_retry_at(&self) -> Time {
        self.syn_sent.map_or(Time::NEVER, |(at, tries)| at + Duration(SYN_RTO << tries.min(6)))
    }

    /// Segments `first..first + count` of a response arrive. New ones acknowledge the request; retransmissions of an earlier
    /// response do not.
    #[inline]
    pub fn on_response_segment(&mut self, now: Time, first: u32, count: u32) {
        if !self.request_acked && first + count > self.down.receiver.rcv_nxt() {
            self.up.sender.on_implicit_ack(now);
            self.request_acked = self.up.complete() && self.up.sender.all_acked();
        }
    }

    /// Whether the last request is acknowledged.
    #[must_use]
    pub fn request_acked(&self) -> bool {
        self.request_acked
    }

    /// Whether the response to the last request is complete.
    #[must_use]
    pub fn response_complete(&self) -> bool {
        self.responses_sent == self.requests_sent && self.down.complete()
    }

    /// The earliest deadline of its timers.
    #[must_use]
    #[inline]
    pub fn next_timer(&self) -> Time {
        let asking = if self.request_acked { Time::NEVER } else { self.up.sender.next_timer() };
        self.syn_retry_at().min(self.delayed_ack_at).min(asking).min(self.down.sender.next_timer())
    }

    /// Share of all responses' segments that has not arrived.
    #[must_use]
    pub fn share_left(&self) -> f64 {
        let all: u64 = self.turns.iter().map(|turn| u64::from(turn.response_segments.max(1))).sum();
        let arrived = u64::from(self.down.receiver.rcv_nxt());
        #[allow(clippy::cast_precision_loss)] // segments of a transfer
        let left = all.saturating_sub(arrived) as f64 / all.max(1) as f64;
        left
    }
}
