//! The sending end of a TCP connection: what is in flight, what is lost, what may be sent.
//!
//! Selective acknowledgements (RFC 2018), loss detection by time and by tail probes (RACK-TLP, RFC 8985),
//! proportional rate reduction (RFC 6937), time-outs (RFC 6298) and the undoing of needless ones (RFC 3522), in the
//! order of steps of Linux 6 (`tcp_ack`). Without the ingredient `rack`, three duplicate acknowledgements stand for
//! a loss (RFC 6675). Sequence numbers count segments.

use std::collections::VecDeque;
use std::hint::cold_path;
use std::mem::offset_of;

use crate::scenario::model::{Ingredient, Tcp};
use crate::sim::packet::congestion::{Control, Growth};
use crate::sim::packet::rtt::Rtt;
use crate::sim::packet::wire::Says;
use crate::units::{Span, Time};

/// A segment that was sent and is not acknowledged with all before it: when, and what is known of it in the lowest bits.
/// Eight lie in a line of the cache.
#[derive(Clone, Copy, Debug)]
struct Sent(u64);

impl Sent {
    /// It has arrived.
    const SACKED: u64 = 1;
    /// It is taken for lost, and not sent again yet or lost again.
    const LOST: u64 = 2;
    /// It was sent again.
    const AGAIN: u64 = 4;
    const BITS: u32 = 3;

    fn now(at: Time) -> Self {
        Self(at.0 << Self::BITS)
    }

    fn at(self) -> Time {
        Time(self.0 >> Self::BITS)
    }

    /// Whether any of these holds.
    fn is(self, what: u64) -> bool {
        self.0 & what != 0
    }

    fn set(&mut self, what: u64, holds: bool) {
        self.0 = if holds { self.0 | what } else { self.0 & !what };
    }

    /// It was sent again, at this time.
    fn repeat(&mut self, at: Time) {
        self.0 = at.0 << Self::BITS | self.0 & (Self::SACKED | Self::LOST) | Self::AGAIN;
    }
}

/// How a sender fares (Linux, `tcp_ca_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing is lost.
    Open,
    /// Lost segments are sent again, at a falling rate.
    Recovery,
    /// After a time-out: all is sent again, from a window of one.
    Loss,
}

/// What the sender wants to be woken for; never, where there is no cause.
#[derive(Clone, Copy, Debug)]
struct Alarms {
    /// Segments are lost if nothing is heard of them by then.
    reorder: Time,
    /// The tail is probed.
    probe: Time,
    /// All is taken for lost.
    timeout: Time,
}

impl Alarms {
    const OFF: Self = Self { reorder: Time::NEVER, probe: Time::NEVER, timeout: Time::NEVER };
}

/// What came with an acknowledgement.
#[derive(Clone, Copy, Debug, Default)]
struct News {
    acked: u32,
    sacked: u32,
    /// Round trip of the oldest segment that arrived, which did wait for its acknowledgement.
    sample: Option<Span>,
    /// Round trip of the youngest.
    fresh: Option<Span>,
    advanced: bool,
}

/// One direction of a connection. What every acknowledgement needs lies in its first four lines of the cache.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Sender {
    /// Segments below have arrived, all.
    una: u32,
    /// The next one that was never sent.
    next: u32,
    /// Segments that there are.
    total: u32,
    sacked: u32,
    lost: u32,
    resent: u32,
    most: u32,
    backoff: u32,
    reduction: Reduction,
    /// The end of a probe, and whether it repeated a segment.
    probe: Option<(u32, bool)>,
    /// Where to look for segments to send again.
    hint: u32,
    /// Recovery ends when all below has arrived.
    high: u32,
    rack: bool,
    probes: bool,
    state: State,
    limited: bool,
    board: VecDeque<Sent>,
    latest: Latest,
    prior: (u32, u32),
    rtt: Rtt,
    alarms: Alarms,
    /// When the first segment of this recovery was sent again.
    resent_at: Option<Time>,
    control: Control,
}

/// Of the control, which is last, only the first line is asked for at every acknowledgement.
const _: () = assert!(offset_of!(Sender, control) == 3 * 64);

/// The last sent of the segments that are known to have arrived: when, which, and its round trip.
#[derive(Clone, Copy, Debug, Default)]
struct Latest {
    at: Time,
    segment: u32,
    trip: Span,
}

/// Proportional rate reduction.
#[derive(Clone, Copy, Debug, Default)]
struct Reduction {
    delivered: u32,
    sent: u32,
}

impl Sender {
    /// A sender that never sent.
    #[must_use]
    pub fn new(tcp: &Tcp) -> Self {
        Self {
            una: 0,
            next: 0,
            total: 0,
            sacked: 0,
            lost: 0,
            resent: 0,
            most: tcp.most,
            backoff: 0,
            reduction: Reduction::default(),
            probe: None,
            hint: 0,
            high: 0,
            rack: tcp.has(Ingredient::Rack),
            probes: tcp.has(Ingredient::TailProbe),
            state: State::Open,
            limited: false,
            board: VecDeque::new(),
            latest: Latest::default(),
            prior: (0, 0),
            rtt: Rtt::unknown(),
            alarms: Alarms::OFF,
            resent_at: None,
            control: Control::new(tcp.congestion, tcp.has(Ingredient::Hystart), tcp.window),
        }
    }

    /// A new connection in the place of an old one; its memory is used again.
    pub fn open(&mut self, tcp: &Tcp, rtt: Option<Span>) {
        let mut board = std::mem::take(&mut self.board);
        board.clear();
        *self = Self { board, ..Self::new(tcp) };
        if let Some(rtt) = rtt {
            self.rtt.add(rtt);
        }
    }

    /// A round trip was measured when the connection was set up.
    pub fn measured(&mut self, trip: Span) {
        self.rtt.add(trip);
    }

    /// More to send.
    pub fn offer(&mut self, segments: u32) {
        self.total += segments;
    }

    /// Segments that there are.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.total
    }

    /// When the sender wants to be woken; never, if it need not be.
    #[must_use]
    pub fn alarm(&self) -> Time {
        self.alarms.reorder.min(self.alarms.probe).min(self.alarms.timeout)
    }

    /// Whether it has nothing to send, and nothing on its way.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.una == self.total
    }

    /// The window [segments].
    #[must_use]
    pub fn window(&self) -> u32 {
        self.control.window
    }

    /// Segments on their way as far as is known.
    fn flight(&self) -> u32 {
        self.next - self.una - self.sacked - self.lost + self.resent
    }

    /// The next segments to send, as many as are in a row: the first of them, and how many.
    #[inline(always)]
    pub fn send(&mut self, now: Time) -> Option<(u32, u32)> {
        let room = self.control.window.min(self.most).saturating_sub(self.flight());
        self.limited = room == 0;
        if room == 0 {
            return None;
        }
        if self.lost > self.resent
            && let Some(range) = self.send_again(now, room)
        {
            return Some(range);
        }
        let count = room.min(self.total - self.next);
        (count > 0).then(|| self.send_new(now, count))
    }

    #[inline(always)]
    fn send_new(&mut self, now: Time, count: u32) -> (u32, u32) {
        let first = self.next;
        if self.una == self.next {
            self.alarms.timeout = self.timeout(now);
        }
        for _ in 0..count {
            self.board.push_back(Sent::now(now));
        }
        self.next += count;
        self.reduction.sent += count;
        self.plan_probe(now);
        (first, count)
    }

    fn send_again(&mut self, now: Time, most: u32) -> Option<(u32, u32)> {
        let first = (self.hint.max(self.una)..self.next).find(|&segment| self.wants_sending(segment))?;
        let mut count = 0;
        while count < most && first + count < self.next && self.wants_sending(first + count) {
            self.at_mut(first + count).repeat(now);
            count += 1;
        }
        self.resent += count;
        self.hint = first + count;
        self.reduction.sent += count;
        self.resent_at.get_or_insert(now);
        if first == self.una {
            self.alarms.timeout = self.timeout(now);
        }
        Some((first, count))
    }

    fn at(&self, segment: u32) -> Sent {
        self.board[(segment - self.una) as usize]
    }

    fn at_mut(&mut self, segment: u32) -> &mut Sent {
        &mut self.board[(segment - self.una) as usize]
    }

    fn wants_sending(&self, segment: u32) -> bool {
        let sent = self.at(segment);
        sent.is(Sent::LOST) && !sent.is(Sent::AGAIN)
    }

    /// What the other end says; `echo` is when the segment that made it speak was sent.
    pub fn acknowledged(&mut self, now: Time, says: &Says, echo: Time) {
        if says.first > self.next || (says.first < self.una && says.held == 0) {
            return;
        }
        let out = self.next - self.una;
        let mut news = News::default();
        self.take_in(now, says, &mut news);
        if let Some(sample) = news.sample {
            self.rtt.add(sample);
        }
        if news.advanced {
            self.backoff = 0;
        }
        self.probe_answered(says);
        self.leave_recovery(echo, news.advanced);
        let lost = self.lost;
        self.detect(now);
        let newly_lost = self.lost > lost;
        if self.lost > 0 && self.state == State::Open {
            cold_path();
            self.enter_recovery();
        }
        let delivered = news.acked + news.sacked;
        match self.state {
            State::Recovery => self.reduce(delivered, news.advanced && !newly_lost),
            State::Open | State::Loss if delivered > 0 => self.control.grow(Growth {
                now,
                acked: delivered,
                sample: news.fresh,
                least: self.rtt.least(),
                una: self.una,
                next: self.next,
                limited: self.limited
                    || self.state == State::Loss
                    || (self.control.slow_start() && self.control.window < 2 * out),
            }),
            State::Open | State::Loss => {}
        }
        if self.una == self.next {
            self.alarms = Alarms::OFF;
        } else if news.advanced {
            self.alarms.timeout = self.timeout(now);
            self.plan_probe(now);
        }
    }

    /// When all is taken for lost, if nothing is heard from now on.
    fn timeout(&self, now: Time) -> Time {
        now + self.rtt.timeout(self.backoff)
    }

    /// Everything sent has arrived: the answer says so, each of its packets again.
    pub fn all_arrived(&mut self, now: Time) {
        if self.una == self.next {
            return;
        }
        let says = Says::of(self.next);
        self.acknowledged(now, &says, now);
    }

    /// Books what has arrived.
    fn take_in(&mut self, now: Time, says: &Says, news: &mut News) {
        while self.una < says.first {
            let Some(sent) = self.board.pop_front() else { break };
            self.una += 1;
            news.advanced = true;
            if sent.is(Sent::SACKED) {
                self.sacked -= 1;
            } else {
                news.acked += 1;
                self.arrived(now, self.una - 1, sent, news);
            }
            self.lost -= u32::from(sent.is(Sent::LOST));
            self.resent -= u32::from(sent.is(Sent::LOST) && sent.is(Sent::AGAIN));
        }
        if u32::from(says.held) <= self.sacked {
            return;
        }
        for (from, until) in says.blocks() {
            for segment in from.max(self.una)..until.min(self.next) {
                let sent = self.at(segment);
                if sent.is(Sent::SACKED) {
                    continue;
                }
                self.at_mut(segment).set(Sent::SACKED, true);
                self.sacked += 1;
                news.sacked += 1;
                if sent.is(Sent::LOST) {
                    self.at_mut(segment).set(Sent::LOST, false);
                    self.lost -= 1;
                    self.resent -= u32::from(sent.is(Sent::AGAIN));
                }
                self.arrived(now, segment, sent, news);
            }
            if self.sacked >= u32::from(says.held) {
                break;
            }
        }
    }

    fn arrived(&mut self, now: Time, segment: u32, sent: Sent, news: &mut News) {
        let (at, again) = (sent.at(), sent.is(Sent::AGAIN));
        let trip = now.since(at);
        // A segment that was sent twice may have arrived the first time (RFC 8985, section 6.2, step 2).
        if again && trip < self.rtt.least() {
            return;
        }
        if (at, segment) >= (self.latest.at, self.latest.segment) {
            self.latest = Latest { at, segment, trip };
        }
        if !again {
            news.sample.get_or_insert(trip);
            news.fresh = Some(trip);
        }
    }

    /// Marks what must be lost, given what has arrived.
    #[inline(always)]
    fn detect(&mut self, now: Time) {
        self.alarms.reorder = Time::NEVER;
        if self.sacked == 0 && self.state == State::Open {
            return;
        }
        if self.rack { self.detect_by_time(now) } else { self.detect_by_number() }
    }

    /// RACK: what was sent before something that has arrived is lost, once a round trip and some are over.
    #[inline(always)]
    fn detect_by_time(&mut self, now: Time) {
        let latest = self.latest;
        let sure = self.state != State::Open || self.sacked >= DUPLICATES;
        let grace = if sure { 0 } else { (self.rtt.least().0 / 4).min(self.rtt.smoothed().0) };
        let mut wait = 0;
        for place in 0..self.board.len() {
            let sent = self.board[place];
            let again = sent.is(Sent::AGAIN);
            if sent.is(Sent::SACKED) || (sent.is(Sent::LOST) && !again) {
                continue;
            }
            if (sent.at(), self.una + place_of(place)) >= (latest.at, latest.segment) {
                if again {
                    continue;
                }
                // Never sent again, so all beyond was sent later still.
                break;
            }
            let over = sent.at().0 + latest.trip.0 + grace;
            if over <= now.0 {
                self.mark_lost(place);
            } else {
                wait = wait.max(over - now.0);
            }
        }
        if wait > 0 {
            self.alarms.reorder = now + Span(wait);
        }
    }

    /// RFC 6675: a segment is lost once three beyond have arrived.
    fn detect_by_number(&mut self) {
        let mut beyond = self.sacked;
        for place in 0..self.board.len() {
            let sent = self.board[place];
            if sent.is(Sent::SACKED) {
                beyond -= 1;
            } else if beyond >= DUPLICATES && !sent.is(Sent::LOST | Sent::AGAIN) {
                self.mark_lost(place);
            } else if beyond < DUPLICATES {
                break;
            }
        }
    }

    fn mark_lost(&mut self, place: usize) {
        let sent = &mut self.board[place];
        if sent.is(Sent::LOST) {
            // It was on its way again, and is lost again.
            self.resent -= u32::from(sent.is(Sent::AGAIN));
        } else {
            sent.set(Sent::LOST, true);
            self.lost += 1;
        }
        sent.set(Sent::AGAIN, false);
        self.hint = self.hint.min(self.una + place_of(place));
    }

    fn enter_recovery(&mut self) {
        self.prior = (self.control.window, self.control.threshold);
        self.control.reduce();
        self.reduction = Reduction::default();
        self.state = State::Recovery;
        self.high = self.next;
        self.hint = self.una;
        self.resent_at = None;
        self.probe = None;
        self.alarms.probe = Time::NEVER;
    }

    /// The window while it comes down.
    fn reduce(&mut self, delivered: u32, progress: bool) {
        if delivered == 0 {
            return;
        }
        let flight = self.flight();
        let reduction = &mut self.reduction;
        reduction.delivered += delivered;
        let threshold = self.control.threshold;
        let room = if flight > threshold {
            let wanted = u64::from(threshold) * u64::from(reduction.delivered);
            let wanted = wanted.div_ceil(u64::from(self.prior.0.max(1)));
            u32::try_from(wanted).unwrap_or(u32::MAX).saturating_sub(reduction.sent)
        } else {
            let wanted = reduction.delivered.saturating_sub(reduction.sent).max(delivered) + u32::from(progress);
            wanted.min(threshold - flight)
        };
        // The first loss is sent again at once.
        let room = room.max(u32::from(reduction.sent == 0));
        self.control.window = flight + room;
    }

    fn leave_recovery(&mut self, echo: Time, advanced: bool) {
        match self.state {
            // What answers an original cannot answer its repetition: the time-out was needless (RFC 3522).
            State::Loss if advanced && self.resent_at.is_some_and(|at| echo < at) => self.undo(),
            State::Loss if self.una >= self.high => self.state = State::Open,
            State::Recovery if self.una >= self.high => {
                self.control.window = self.control.threshold;
                self.state = State::Open;
            }
            State::Open | State::Loss | State::Recovery => {}
        }
    }

    fn undo(&mut self) {
        self.control.window = self.control.window.max(self.prior.0);
        self.control.threshold = self.control.threshold.max(self.prior.1);
        self.board.iter_mut().for_each(|sent| sent.set(Sent::LOST | Sent::AGAIN, false));
        (self.lost, self.resent, self.state, self.resent_at) = (0, 0, State::Open, None);
    }

    /// A probe of the tail is due if nothing is heard, unless one is out or something is known to be missing.
    fn plan_probe(&mut self, now: Time) {
        self.alarms.probe = Time::NEVER;
        let calm = self.state == State::Open && self.sacked == 0 && self.probe.is_none() && self.una < self.next;
        if self.probes && calm && self.backoff == 0 {
            // Where the time-out would come first, the probe takes its place.
            self.alarms.probe = (now + self.rtt.probe(self.next - self.una == 1)).min(self.alarms.timeout);
        }
    }

    /// An alarm rings. What comes back is a probe: a segment that leaves whatever the window says.
    pub fn ring(&mut self, now: Time) -> Option<(u32, u32)> {
        if self.alarms.reorder <= now {
            self.detect(now);
            if self.lost > 0 && self.state == State::Open {
                self.enter_recovery();
            }
            if self.state == State::Recovery {
                self.reduce(1, false);
            }
        } else if self.alarms.probe <= now {
            return Some(self.send_probe(now));
        } else if self.alarms.timeout <= now {
            self.time_out(now);
        }
        None
    }

    /// A new segment if there is one, else the last one again (RFC 8985, section 7.3).
    fn send_probe(&mut self, now: Time) -> (u32, u32) {
        let fresh = self.next < self.total;
        let segment = if fresh {
            self.board.push_back(Sent::now(now));
            self.next += 1;
            self.next - 1
        } else {
            let last = self.next - 1;
            // Only its time changes: it counts as in flight once.
            self.at_mut(last).repeat(now);
            last
        };
        self.probe = Some((self.next, !fresh));
        self.alarms.probe = Time::NEVER;
        self.alarms.timeout = self.timeout(now);
        (segment, 1)
    }

    /// A probe that repaired the only loss tells of it by being needed: the window comes down (RFC 8985, section
    /// 7.4).
    fn probe_answered(&mut self, says: &Says) {
        let Some((high, repeated)) = self.probe else { return };
        if self.una < high {
            return;
        }
        self.probe = None;
        if repeated && !says.again && self.state == State::Open {
            self.prior = (self.control.window, self.control.threshold);
            self.control.reduce();
            self.control.window = self.control.threshold;
        }
    }

    fn time_out(&mut self, now: Time) {
        if self.state != State::Loss {
            self.prior = (self.control.window, self.control.threshold);
            self.control.reduce();
        }
        self.control.forget();
        self.state = State::Loss;
        self.high = self.next;
        for sent in &mut self.board {
            sent.set(Sent::AGAIN, false);
            sent.set(Sent::LOST, !sent.is(Sent::SACKED));
        }
        self.lost = self.next - self.una - self.sacked;
        self.resent = 0;
        self.hint = self.una;
        self.resent_at = None;
        self.probe = None;
        self.control.window = 1;
        self.backoff += 1;
        self.alarms = Alarms { timeout: self.timeout(now), ..Alarms::OFF };
    }
}

/// Arrivals beyond a hole that stand for a loss.
const DUPLICATES: u32 = 3;

#[allow(clippy::cast_possible_truncation)] // the board is no longer than the largest window
fn place_of(place: usize) -> u32 {
    place as u32
}
