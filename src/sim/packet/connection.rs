//! A connection from its first packet to its last: set-up, one request and answer after the other, close.

use std::hint::cold_path;
use std::mem::offset_of;

use crate::scenario::model::{Ingredient, Tcp};
use crate::sim::packet::receiver::Receiver;
use crate::sim::packet::sender::Sender;
use crate::sim::packet::wire::{Label, Way};
use crate::sim::transport::Turn;
use crate::units::{NANOS, Span, Time};

/// Time after which a call for a connection is repeated (RFC 6298, section 2).
const FIRST_TIMEOUT: u64 = NANOS;

/// A connection in use: in its first line of the cache what each packet and each alarm asks for.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Connection {
    /// Whose it is; its life says whether packets and alarms still mean it.
    pub label: Label,
    /// Whether it was opened for this flow.
    pub called: bool,
    /// Whether it is over.
    pub over: bool,
    /// Whether the last request has arrived and the site knows: its half then needs no look until the next one.
    asked: bool,
    /// When an acknowledgement that waits is sent.
    pub owed: Time,
    /// When its alarm is set for.
    pub alarm: Time,
    /// When the call for the connection was sent, and how often; none once it is answered.
    pub calling: Option<(Time, u32)>,
    /// To the site.
    pub down: Half,
    /// From the site.
    pub up: Half,
    turns: Vec<Turn>,
    /// Requests that the site has sent, that the server has taken on, and answers that it has begun to send.
    requested: usize,
    taken: usize,
    turn: usize,
    /// Time that the server takes for each answer.
    pub server: Span,
}

const _: () = assert!(offset_of!(Connection, down) == 64 && offset_of!(Half, sender) == 64);

/// One direction: who receives in one line of the cache, who sends behind it.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Half {
    /// Who receives.
    pub receiver: Receiver,
    /// Bytes of the last segment.
    pub tail: u32,
    /// Whether a FIN follows it in a packet of its own.
    fin: bool,
    /// Who sends.
    pub sender: Sender,
}

impl Half {
    fn open(&mut self, tcp: &Tcp, rtt: Option<Span>) {
        self.fin = false;
        self.sender.open(tcp, rtt);
        self.receiver.open(tcp.has(Ingredient::DelayedAck));
    }

    /// `bytes` more to send.
    fn offer(&mut self, bytes: u64, tcp: &Tcp) {
        let segments = bytes.div_ceil(tcp.segment.0).max(1);
        let last = bytes.max(1) - (segments - 1) * tcp.segment.0;
        self.sender.offer(u32::try_from(segments).expect("a transfer has fewer than 2^32 segments"));
        self.tail = u32::try_from(last + tcp.headers.0).expect("a segment has fewer than 2^32 bytes");
    }

    /// The end of the direction follows in a packet without payload.
    fn offer_fin(&mut self) {
        self.sender.offer(1);
        self.fin = true;
    }

    /// Whether this segment is the FIN.
    #[must_use]
    pub fn ends_with_fin(&self, segment: u32) -> bool {
        self.fin && segment + 1 == self.sender.total()
    }

    /// Bytes of a packet with segment `segment`: a full one, the last of its message, or the FIN.
    #[must_use]
    pub fn size(&self, segment: u32, full: u32, bare: u32) -> u32 {
        let from_end = self.sender.total() - segment;
        match (self.fin, from_end) {
            (true, 1) => bare,
            (true, 2) | (false, 1) => self.tail,
            _ => full,
        }
    }

    /// Whether all data has arrived.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.receiver.expected() + u32::from(self.fin) >= self.sender.total()
    }
}

impl Connection {
    /// The place for a connection.
    #[must_use]
    pub fn new(label: Label, tcp: &Tcp) -> Self {
        let half = Half { receiver: Receiver::default(), tail: 0, fin: false, sender: Sender::new(tcp) };
        Self {
            label,
            called: false,
            over: true,
            asked: false,
            owed: Time::NEVER,
            alarm: Time::NEVER,
            calling: None,
            down: half.clone(),
            up: half,
            turns: Vec::new(),
            requested: 0,
            taken: 0,
            turn: 0,
            server: Span(0),
        }
    }

    /// Opens it for `turns`; a connection that stands already knows its round trip.
    pub fn open(
        &mut self,
        label: Label,
        tcp: &Tcp,
        turns: impl Iterator<Item = Turn>,
        server: Span,
        stands: Option<Span>,
    ) {
        self.label = label;
        self.turns.clear();
        self.turns.extend(turns);
        (self.requested, self.taken, self.turn) = (0, 0, 0);
        self.up.open(tcp, stands);
        self.down.open(tcp, stands);
        (self.server, self.owed, self.calling) = (server, Time::NEVER, None);
        (self.alarm, self.called, self.over, self.asked) = (Time::NEVER, stands.is_none(), false, false);
    }

    /// The next request is there to be sent.
    pub fn ask(&mut self, tcp: &Tcp) {
        self.up.offer(self.turns[self.requested].request.0, tcp);
        self.requested += 1;
        self.asked = false;
    }

    /// The server takes on the request that has arrived whole; false where it has done so before.
    pub fn take_request(&mut self) -> bool {
        let whole = self.taken < self.requested && self.up.complete();
        self.taken += usize::from(whole);
        whole
    }

    /// The answer is there to be sent. The server closes a connection that was opened for the flow after its last answer: if
    /// that leaves at once, the FIN follows in a packet of its own, whose arrival tells of a lost tail; else the last segment
    /// carries it (RFC 9293, section 3.6).
    pub fn answer(&mut self, tcp: &Tcp) {
        let before = self.down.sender.total();
        self.down.offer(self.turns[self.turn].response.0, tcp);
        self.turn += 1;
        let segments = self.down.sender.total() - before;
        if self.called && !self.has_more() && segments <= self.down.sender.window() {
            self.down.offer_fin();
        }
    }

    /// Whether another request follows the answer that has come.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.turn < self.turns.len()
    }

    /// The direction.
    pub fn half(&mut self, way: Way) -> &mut Half {
        match way {
            Way::Up => &mut self.up,
            Way::Down => &mut self.down,
        }
    }

    /// Calls for a connection: when the call is repeated unless it is answered.
    pub fn call(&mut self, now: Time) {
        let tries = self.calling.map_or(0, |(_, tries)| tries + 1);
        self.calling = Some((now, tries));
    }

    /// When the call is repeated.
    #[must_use]
    pub fn call_again(&self) -> Time {
        self.calling.map_or(Time::NEVER, |(at, tries)| at + Span(FIRST_TIMEOUT << tries.min(6)))
    }

    /// Segments `first..first + count` are at the site. If they are of the answer to the last request, they say that this
    /// has arrived; a repeated segment of an earlier answer says nothing.
    #[inline]
    pub fn answered(&mut self, now: Time, first: u32, count: u32) {
        if !self.asked && first + count > self.down.receiver.expected() {
            cold_path();
            self.up.sender.all_arrived(now);
            self.asked = self.up.complete() && self.up.sender.idle();
        }
    }

    /// Whether the last request has arrived and the site knows.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.asked
    }

    /// Whether the answer to the last request has arrived whole.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.turn == self.requested && self.down.complete()
    }

    /// When it next has to be woken.
    #[must_use]
    #[inline(always)]
    pub fn due(&self) -> Time {
        let asking = if self.asked { Time::NEVER } else { self.up.sender.alarm() };
        self.call_again().min(self.owed).min(asking).min(self.down.sender.alarm())
    }

    /// Share of the answers' segments that has not arrived.
    #[must_use]
    pub fn left(&self) -> f64 {
        let all: u64 = self.turns.iter().map(|turn| u64::from(turn.segments().max(1))).sum();
        let arrived = u64::from(self.down.receiver.expected());
        #[allow(clippy::cast_precision_loss)] // segments of a transfer
        let left = all.saturating_sub(arrived) as f64 / all.max(1) as f64;
        left
    }
}
