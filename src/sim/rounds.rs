//! A transaction at flow fidelity, round by round: set-up, request, windows that double, then a share of the link.
//!
//! While a sender starts, its windows come as bursts: each waits in the queue that stands before its class, is sent at
//! the link's rate, and a round trip later the next one comes, twice as large. Once a window takes longer to send than
//! its round trip the sender is never idle: what is left shares the link as a fluid.

use std::hint::cold_path;

use crate::scenario::model::{Ingredient, Tcp};
use crate::sim::band::TransactionId;
use crate::sim::calendar::{EventList, Rank};
use crate::sim::concentrator::{PathTerms, PathState};
use crate::sim::extremes::{larger, smaller};
use crate::sim::flow::{PricedTurn, Stage, Transaction};
use crate::sim::likely::{likely, unlikely};
use crate::sim::observer::{Observer, Parts};
use crate::sim::transport::{PriorTraffic, Turn};
use crate::sim::{Engine, Event};
use crate::units::{Duration, Time};

/// Where a transaction stands in its rounds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Transfer {
    /// Which of its turns is being answered.
    pub turn: u8,
    /// Segments of the answer that have not arrived.
    left: u32,
    /// Segments that may be sent at once.
    window: u32,
    /// The window follows one of the same answer.
    ack_clocked: bool,
    /// Slow start has ended.
    past_slow_start: bool,
    /// Something was lost: the window grows by one a round from now on.
    congestion_avoidance: bool,
    /// Rounds in a row that lost what was sent again.
    losses: u8,
    /// Work of a segment, acknowledgements included [bit].
    segment: f64,
}

/// What a full segment's wait costs a sender that heard nothing: the least time-out (RFC 6298 as Linux has it).
const TIMEOUT: f64 = 0.2;
/// Share of a window spread over its round trip that a full queue takes.
const THROUGH: f64 = 0.6;
/// A sender that has lost something shares once its window is near its fair part of the path.
const SETTLES: f64 = 1.4;
/// A sender whose window is so many times its fair part of a full path loses most of it, and has no more than its share
/// from the start.
const CROWDED: f64 = 2.0;
/// A burst that would take longer than this shares, and so follows the rate as it changes [s].
const STARVED: f64 = 0.5;
/// What is left of a window after a loss (CUBIC; RFC 9438, section 4.6).
const KEPT: f64 = 0.7;

impl<O: Observer> Engine<'_, O> {
    /// A try begins: the connection is set up where there is none, and the first request leaves.
    #[inline(always)]
    pub(super) fn start_transfer(&mut self, id: TransactionId, resumes: Option<f64>) {
        let Some(tcp) = self.tcp() else { return };
        let connects = self.class(id).connects;
        let flow = self.transactions.get_mut(id);
        // What waits is known as it was when it was last looked at.
        self.fluid[flow.concentrator.index()].advance(self.now);
        flow.transfer = Transfer { window: tcp.window, ..Transfer::default() };
        let set_up = if connects {
            let unit = &self.fluid[flow.concentrator.index()];
            Parts { trips: unit.path(flow.site).rtt, queueing: unit.waits(flow.site, flow.class), ..Parts::default() }
        } else {
            Parts::default()
        };
        self.send_request_of_turn(id, resumes, set_up);
    }

    /// A sender that was cut off tries again with a window of one segment (RFC 5681, section 3.1).
    pub(super) fn resume_transfer(&mut self, id: TransactionId, left: Option<f64>) {
        let turn = self.transactions.get(id).transfer.turn;
        self.transactions.get_mut(id).transfer = Transfer { turn, window: 1, ..Transfer::default() };
        self.send_request_of_turn(id, left, Parts::default());
    }

    /// The request of the present turn leaves `after` seconds from now; then its answer begins, or what was left of it [bit].
    #[inline(always)]
    fn send_request_of_turn(&mut self, id: TransactionId, resumes: Option<f64>, mut after: Parts) {
        let Some(tcp) = self.tcp() else { return };
        let (flow, row) = self.transactions.row_mut(id);
        let PricedTurn { turn, segment } = &row[usize::from(flow.transfer.turn)];
        flow.transfer.answer(tcp, turn, *segment, resumes);
        self.fluid[flow.concentrator.index()].advance(self.now);
        let (unit, class) = (&self.fluid[flow.concentrator.index()], &self.model.classes[flow.class.index()]);
        let path = unit.path(flow.site);
        after += Parts {
            trips: path.rtt / 2.0 + class.server.secs(),
            queueing: unit.up_wait_in(flow.site, flow.class, after.sum()),
            transfer: turn.request.bits() / path.up,
            ..Parts::default()
        };
        next_window(&mut self.events, self.now, id, flow, after);
    }

    /// A window leaves the server, or what is left begins to share. By itself, so that the event loop stays short.
    #[inline(never)]
    pub(super) fn send_window(&mut self, id: TransactionId, journey: u32) {
        let Some(tcp) = self.tcp() else { return };
        let flow = self.transactions.get_mut(id);
        if flow.transfer_epoch != journey {
            cold_path();
            return;
        }
        let (site, class, unit) = (flow.site, flow.class, &mut self.fluid[flow.concentrator.index()]);
        unit.advance(self.now);
        let prospect = unit.path_state(site, class);
        let rtt = unit.path(site).rtt;
        let round = &mut flow.transfer;
        let (segment, sent) = (round.segment, round.window.min(round.left));
        let work = f64::from(sent) * segment;
        let passage = prospect.passage(work, segment);
        let first = passage.first + rtt + prospect.up_wait();
        let busy = work * prospect.slowest();
        // A class that hardly gets anything waits for better times in the sharing, which knows when they come.
        let starved = passage.through > STARVED;
        let fair = || f64::from(round.window) * segment / prospect.fair;
        let crowded = || prospect.held_back && fair() >= CROWDED * first;
        // Who has lost something in a full queue is one of those that keep it full; elsewhere once its window is near its fair
        // part.
        let settled = || crowded() || (round.congestion_avoidance && (prospect.held_back || fair() * SETTLES >= first));
        if unlikely(starved) || (sent < round.left && (busy >= first || round.past_slow_start || settled())) {
            cold_path();
            flow.work = f64::from(round.left) * segment;
            self.join_sharing(id);
            return;
        }
        let past = unit.past_flood(class, sent);
        let fits = if unlikely(past < sent) {
            past
        } else if likely(tcp.has(Ingredient::Losses)) {
            prospect.accepted(sent, segment, round.ack_clocked, round.congestion_avoidance)
        } else {
            sent
        };
        let paced = std::mem::replace(&mut round.ack_clocked, true);
        let (work_in, passage_in) = if likely(fits == sent) {
            (work, passage)
        } else {
            let work = f64::from(fits) * segment;
            (work, prospect.passage(work, segment))
        };
        if likely(fits > 0) {
            let on_access = passage_in.last - prospect.access_queue;
            unit.burst(site, class, work_in, paced, [passage_in.through, on_access]);
        }
        if unlikely(fits < sent) && !round.congestion_avoidance {
            unit.overflow(class);
        }
        round.left -= fits;
        if round.left == 0 {
            let alone = work * prospect.access_slowness + segment * prospect.slowness;
            let transfer = smaller(alone, passage.last);
            let queueing = passage.last - transfer;
            self.response_done(id, Parts { trips: rtt / 2.0, queueing, transfer, ..Parts::default() });
            return;
        }
        let next = round.after(tcp, sent, fits, first);
        let trip = smaller(first, next);
        let transfer = smaller(segment * (prospect.slowness + prospect.access_slowness), larger(trip - rtt, 0.0));
        let queueing = larger(trip - rtt - transfer, 0.0);
        let trips = trip - transfer - queueing;
        let after = Parts { trips, queueing, transfer, loss: next - trip, ..Parts::default() };
        next_window(&mut self.events, self.now, id, flow, after);
    }

    /// The last bits of a flow that shared have left the concentrator.
    pub(super) fn fluid_drained(&mut self, id: TransactionId) {
        let flow = self.transactions.get(id);
        let unit = &self.fluid[flow.concentrator.index()];
        let (rtt, access) = (unit.path(flow.site).rtt, unit.access_queue(flow.site));
        self.transactions.get_mut(id).stage = Stage::Approaching;
        self.response_done(id, Parts { trips: rtt / 2.0, queueing: access, ..Parts::default() });
    }

    /// A turn's answer has arrived whole `after` seconds from now: the next one's request leaves, or it is done.
    #[inline(always)]
    fn response_done(&mut self, id: TransactionId, after: Parts) {
        let flow = self.transactions.get_mut(id);
        flow.transfer.turn += 1;
        if flow.transfer.turn < flow.turns {
            self.send_request_of_turn(id, None, after);
        } else {
            self.transfer_done(id, after);
        }
    }

    /// What each turn costs the transaction's concentrator is worked out and kept; gives the work of all [bit], and the
    /// time that they would take through an idle network [s].
    #[inline(always)]
    pub(super) fn price_turns(&mut self, id: TransactionId) -> (f64, Parts) {
        let tcp = self.tcp();
        let (flow, row) = self.transactions.row_mut(id);
        let (class, unit) = (&self.model.classes[flow.class.index()], &self.fluid[flow.concentrator.index()]);
        let PathTerms { rtt, up } = unit.path(flow.site);
        let (up, server) = (1.0 / up, class.server.secs());
        let idle = Unloaded::new(unit.nominal(), unit.access(flow.site), rtt);
        let mut window = tcp.map_or(0, |tcp| tcp.window);
        let mut crossed = PriorTraffic::default();
        let (mut all, mut time) = (0.0, Parts { trips: if class.connects { rtt } else { 0.0 }, ..Parts::default() });
        for PricedTurn { turn, segment } in &mut row[..usize::from(flow.turns)] {
            let work = unit.work(class, turn, crossed);
            let segments = in_segments(turn);
            *segment = work / f64::from(segments);
            if let Some(tcp) = tcp {
                let sending = idle.rounds(tcp, &mut window, segments, *segment);
                let transfer = smaller(work * idle.slowest, sending);
                time.trips += rtt + server + sending - transfer;
                time.transfer += turn.request.bits() * up + transfer;
            }
            all += work;
            crossed = crossed.and(turn);
        }
        if unlikely(tcp.is_none()) {
            time = Parts { transfer: all * idle.slowest, ..Parts::default() };
        }
        (all, time)
    }
}

/// The next window comes when the leg that begins `now` is over.
#[inline(always)]
fn next_window(calendar: &mut EventList<Event>, now: Time, id: TransactionId, flow: &mut Transaction, leg: Parts) {
    let at = now + Duration::of_secs(flow.latency.begin_leg(now, leg));
    calendar.push(at, Rank::Arrival, Event::SendWindow(id, flow.transfer_epoch));
}

/// The segments of a turn's answer, at least one.
fn in_segments(turn: &Turn) -> u32 {
    turn.segments().max(1)
}

impl Transfer {
    /// Work of the answer that has not left [bit].
    pub fn work_left(&self) -> Option<f64> {
        (self.left > 0).then(|| f64::from(self.left) * self.segment)
    }

    /// A turn's answer begins, or what was left of it [bit]: in segments and their work.
    #[inline]
    fn answer(&mut self, tcp: &Tcp, turn: &Turn, segment: f64, resumes: Option<f64>) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a part of the segments that there were
        let left = match resumes {
            Some(work) => {
                cold_path();
                ((work / segment).ceil() as u32).max(1)
            }
            None => in_segments(turn),
        };
        (self.left, self.segment, self.ack_clocked) = (left, segment, false);
        self.past_slow_start |= !tcp.has(Ingredient::SlowStart);
    }

    /// Time until the next window, after `sent` segments of which `fits` were not lost; `trip` is the round trip.
    fn after(&mut self, tcp: &Tcp, sent: u32, fits: u32, trip: f64) -> f64 {
        if fits == sent {
            self.losses = 0;
            self.window = if self.congestion_avoidance { self.window + 1 } else { self.window * 2 }.min(tcp.most);
            return trip;
        }
        cold_path();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below the window
        let kept = (f64::from(sent) * KEPT) as u32;
        self.window = kept.max(2);
        (self.losses, self.congestion_avoidance) = (self.losses.saturating_add(1), true);
        let tail = self.left + fits == sent;
        if self.losses > 1 && fits == 0 {
            self.window = 1;
            return (TIMEOUT + trip) * f64::from(1_u32 << (self.losses - 2).min(6));
        }
        if !tail {
            // What comes after the loss tells of it a round trip later, while other segments are under way.
            return if self.left <= self.window { 2.0 * trip } else { trip };
        }
        // Nothing comes after the loss to tell of it: a probe does, two round trips after the last news, and makes the
        // others known another round trip later. A lone segment may be waiting for a delayed acknowledgement, and is
        // given the least time-out.
        if tcp.has(Ingredient::TailProbe) && self.left > 1 { 4.0 * trip } else { TIMEOUT + 2.0 * trip }
    }
}

/// How a burst gets through.
#[derive(Clone, Copy, Debug)]
struct BurstDelay {
    /// Until its first segment is through the access link [s].
    first: f64,
    /// Until its last one is through the concentrator [s].
    through: f64,
    /// Until its last one is through the access link [s].
    last: f64,
}

/// A network that nobody else is in.
struct Unloaded {
    /// Time that a bit takes on the slower and on the faster of its two links [s].
    slowest: f64,
    quickest: f64,
    rtt: f64,
}

impl Unloaded {
    /// Rates of the two links [bit/s], and the round trip [s].
    fn new(throughput: f64, access: f64, rtt: f64) -> Self {
        let (least, most) = (smaller(throughput, access), larger(throughput, access));
        Self { slowest: 1.0 / least, quickest: 1.0 / most, rtt }
    }

    /// Time from the first segment's start to the last one's end at the site, without the half round trip [s].
    fn rounds(&self, tcp: &Tcp, window: &mut u32, mut left: u32, segment: f64) -> f64 {
        let trip = segment * (self.slowest + self.quickest) + self.rtt;
        let mut time = 0.0;
        loop {
            let sent = left.min(*window);
            let sending = f64::from(sent) * segment * self.slowest;
            if sent == left {
                return time + sending + segment * self.quickest;
            }
            if sending >= trip || !tcp.has(Ingredient::SlowStart) {
                return time + f64::from(left) * segment * self.slowest;
            }
            time += trip;
            left -= sent;
            *window = window.saturating_mul(2).min(tcp.most);
        }
    }
}

impl PathState {
    fn up_wait(&self) -> f64 {
        if likely(self.both) { self.wait } else { 0.0 }
    }

    /// Time that a bit takes on the slower of the two links [s].
    fn slowest(&self) -> f64 {
        larger(self.slowness, self.access_slowness)
    }

    fn passage(&self, work: f64, segment: f64) -> BurstDelay {
        let begins = self.wait + segment * self.slowness;
        let through = self.wait + (work + smaller(self.shared, work)) * self.slowness;
        let free = larger(self.access_wait, begins) + self.access_queue;
        let one = segment * self.access_slowness;
        BurstDelay { first: free + one, through, last: larger(through + one, free + work * self.access_slowness) }
    }

    /// Segments that the queue takes of a burst: the first window comes at once, a later one as fast again as the one
    /// before it leaves; a window that no longer doubles is spread over its round trip, and gets its share of the places
    /// that come free.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between none and all
    #[inline]
    fn accepted(&self, sent: u32, segment: f64, paced: bool, careful: bool) -> u32 {
        if careful {
            cold_path();
            let least = (f64::from(sent) * THROUGH).ceil() as u32;
            let room = (self.room.max(0.0) * 2.0 / segment) as u32;
            return sent.min(room.max(least));
        }
        let room = larger(self.room, 0.0) * f64::from(1 + u8::from(paced));
        if likely(f64::from(sent) * segment <= room) { sent } else { (room / segment) as u32 }
    }
}
