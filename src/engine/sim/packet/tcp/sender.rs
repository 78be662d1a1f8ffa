//! The sending end of a TCP connection: what is in flight, what is lost, what may be sent.
//!
//! Selective acknowledgements (RFC 2018), loss detection by time and by tail probes (RACK-TLP, RFC 8985),
//! proportional rate reduction (RFC 6937), time-outs (RFC 6298) and the undoing of needless ones (RFC 3522), in the
//! order of steps of Linux 6 (`tcp_ack`). Without the ingredient `rack`, three duplicate acknowledgements stand for
//! a loss (RFC 6675). Sequence numbers count segments.

use std::collections::VecDeque;

use crate::model::{Ingredient, Tcp};
use crate::sim::packet::tcp::congestion::{AckEvent, CongestionControl};
use crate::sim::packet::tcp::rtt::RttEstimator;
use crate::sim::packet::wire::AckInfo;
use crate::units::{Duration, Time};

/// A segment that was sent and is not acknowledged with all before it: when, and what is known of it in the lowest bits.
/// Eight lie in a line of the cache.
#[derive(Clone, Copy, Debug)]
struct SentSegment(u64);

impl SentSegment {
    /// It has arrived.
    const SACKED: u64 = 1;
    /// It is taken for lost, and not sent again yet or lost again.
    const LOST: u64 = 2;
    /// It was sent again.
    const RETRANS: u64 = 4;
    const BITS: u32 = 3;

    fn sent(at: Time) -> Self {
        Self(at.0 << Self::BITS)
    }

    fn sent_at(self) -> Time {
        Time(self.0 >> Self::BITS)
    }

    /// Whether any of these holds.
    fn has(self, what: u64) -> bool {
        self.0 & what != 0
    }

    fn set(&mut self, what: u64, holds: bool) {
        self.0 = if holds { self.0 | what } else { self.0 & !what };
    }

    /// It was sent again, at this time.
    fn retransmitted(&mut self, at: Time) {
        self.0 = at.0 << Self::BITS | self.0 & (Self::SACKED | Self::LOST) | Self::RETRANS;
    }
}

/// How a sender fares (Linux, `tcp_ca_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CaState {
    /// Nothing is lost.
    Open,
    /// Lost segments are sent again, at a falling rate.
    Recovery,
    /// After a time-out: all is sent again, from a window of one.
    Loss,
}

/// What the sender wants to be woken for; never, where there is no cause.
#[derive(Clone, Copy, Debug)]
struct Timers {
    /// Segments are lost if nothing is heard of them by then.
    reorder: Time,
    /// The tail is probed.
    tlp: Time,
    /// All is taken for lost.
    rto: Time,
}

impl Timers {
    const OFF: Self = Self { reorder: Time::NEVER, tlp: Time::NEVER, rto: Time::NEVER };
}

/// What came with an acknowledgement.
#[derive(Clone, Copy, Debug, Default)]
struct AckSample {
    acked: u32,
    sacked: u32,
    /// Round trip of the oldest segment that arrived, which did wait for its acknowledgement.
    oldest_rtt: Option<Duration>,
    /// Round trip of the youngest.
    newest_rtt: Option<Duration>,
    una_advanced: bool,
}

/// One direction of a connection. What every acknowledgement needs lies in its first four lines of the cache.
#[derive(Clone, Debug)]
pub struct Sender {
    /// Segments below have arrived, all.
    snd_una: u32,
    /// The next one that was never sent.
    snd_nxt: u32,
    /// Segments that there are.
    total: u32,
    sacked_out: u32,
    lost_out: u32,
    retrans_out: u32,
    max_cwnd: u32,
    backoff: u32,
    prr: Prr,
    /// The end of a probe, and whether it repeated a segment.
    tlp: Option<(u32, bool)>,
    /// Where to look for segments to send again.
    retransmit_hint: u32,
    /// Recovery ends when all below has arrived.
    recovery_point: u32,
    rack_enabled: bool,
    tlp_enabled: bool,
    ca_state: CaState,
    cwnd_limited: bool,
    scoreboard: VecDeque<SentSegment>,
    rack: RackState,
    prior: (u32, u32),
    rtt: RttEstimator,
    timers: Timers,
    /// When the first segment of this recovery was sent again.
    first_retrans_at: Option<Time>,
    congestion: CongestionControl,
}

/// The last sent of the segments that are known to have arrived: when, which, and its round trip.
#[derive(Clone, Copy, Debug, Default)]
struct RackState {
    xmit_time: Time,
    segment: u32,
    rtt: Duration,
}

/// Proportional rate reduction.
#[derive(Clone, Copy, Debug, Default)]
struct Prr {
    delivered: u32,
    out: u32,
}

impl Sender {
    /// A sender that never sent.
    #[must_use]
    pub fn new(tcp: &Tcp) -> Self {
        Self {
            snd_una: 0,
            snd_nxt: 0,
            total: 0,
            sacked_out: 0,
            lost_out: 0,
            retrans_out: 0,
            max_cwnd: tcp.most,
            backoff: 0,
            prr: Prr::default(),
            tlp: None,
            retransmit_hint: 0,
            recovery_point: 0,
            rack_enabled: tcp.has(Ingredient::Rack),
            tlp_enabled: tcp.has(Ingredient::TailProbe),
            ca_state: CaState::Open,
            cwnd_limited: false,
            scoreboard: VecDeque::new(),
            rack: RackState::default(),
            prior: (0, 0),
            rtt: RttEstimator::unknown(),
            timers: Timers::OFF,
            first_retrans_at: None,
            congestion: CongestionControl::new(tcp.congestion, tcp.has(Ingredient::Hystart), tcp.window),
        }
    }

    /// A new connection in the place of an old one; its memory is used again.
    pub fn open(&mut self, tcp: &Tcp, rtt: Option<Duration>) {
        let mut scoreboard = std::mem::take(&mut self.scoreboard);
        scoreboard.clear();
        *self = Self { scoreboard, ..Self::new(tcp) };
        if let Some(rtt) = rtt {
            self.rtt.add(rtt);
        }
    }

    /// A round trip was measured when the connection was set up.
    pub fn on_rtt_sample(&mut self, trip: Duration) {
        self.rtt.add(trip);
    }

    /// More to send.
    pub fn enqueue(&mut self, segments: u32) {
        self.total += segments;
    }

    /// Segments that there are.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.total
    }

    /// When the sender wants to be woken; never, if it need not be.
    #[must_use]
    pub fn next_timer(&self) -> Time {
        self.timers.reorder.min(self.timers.tlp).min(self.timers.rto)
    }

    /// Whether it has nothing to send, and nothing on its way.
    #[must_use]
    pub fn all_acked(&self) -> bool {
        self.snd_una == self.total
    }

    /// The window [segments].
    #[must_use]
    pub fn cwnd(&self) -> u32 {
        self.congestion.cwnd
    }

    /// Window and threshold of slow start.
    #[cfg(test)]
    #[must_use]
    pub fn window_and_threshold(&self) -> (u32, u32) {
        (self.congestion.cwnd, self.congestion.ssthresh)
    }

    /// Ends slow start at a window of so many segments.
    #[cfg(test)]
    pub fn set_threshold(&mut self, segments: u32) {
        self.congestion.ssthresh = segments;
    }

    /// Segments on their way as far as is known.
    fn in_flight(&self) -> u32 {
        self.snd_nxt - self.snd_una - self.sacked_out - self.lost_out + self.retrans_out
    }

    /// The next segments to send, as many as are in a row: the first of them, and how many.
    #[inline]
    pub fn next_segments(&mut self, now: Time) -> Option<(u32, u32)> {
        let limit = self.congestion.cwnd.min(self.max_cwnd).saturating_sub(self.in_flight());
        self.cwnd_limited = limit == 0;
        if limit == 0 {
            return None;
        }
        if self.lost_out > self.retrans_out
            && let Some(range) = self.retransmit(now, limit)
        {
            return Some(range);
        }
        let count = limit.min(self.total - self.snd_nxt);
        (count > 0).then(|| self.send_new(now, count))
    }

    #[inline]
    fn send_new(&mut self, now: Time, count: u32) -> (u32, u32) {
        let first = self.snd_nxt;
        if self.snd_una == self.snd_nxt {
            self.timers.rto = self.rto_deadline(now);
        }
        for _ in 0..count {
            self.scoreboard.push_back(SentSegment::sent(now));
        }
        self.snd_nxt += count;
        self.prr.out += count;
        self.schedule_tlp(now);
        (first, count)
    }

    fn retransmit(&mut self, now: Time, most: u32) -> Option<(u32, u32)> {
        let first =
            (self.retransmit_hint.max(self.snd_una)..self.snd_nxt).find(|&segment| self.needs_retransmit(segment))?;
        let mut count = 0;
        while count < most && first + count < self.snd_nxt && self.needs_retransmit(first + count) {
            self.segment_mut(first + count).retransmitted(now);
            count += 1;
        }
        self.retrans_out += count;
        self.retransmit_hint = first + count;
        self.prr.out += count;
        self.first_retrans_at.get_or_insert(now);
        if first == self.snd_una {
            self.timers.rto = self.rto_deadline(now);
        }
        Some((first, count))
    }

    fn segment(&self, segment: u32) -> SentSegment {
        self.scoreboard[(segment - self.snd_una) as usize]
    }

    fn segment_mut(&mut self, segment: u32) -> &mut SentSegment {
        &mut self.scoreboard[(segment - self.snd_una) as usize]
    }

    fn needs_retransmit(&self, segment: u32) -> bool {
        let sent = self.segment(segment);
        sent.has(SentSegment::LOST) && !sent.has(SentSegment::RETRANS)
    }

    /// What the other end says; `echo` is when the segment that made it speak was sent.
    pub fn on_ack(&mut self, now: Time, ack: &AckInfo, echo: Time) {
        if ack.seq > self.snd_nxt || (ack.seq < self.snd_una && ack.sacked == 0) {
            return;
        }
        let out = self.snd_nxt - self.snd_una;
        let mut news = AckSample::default();
        self.update_scoreboard(now, ack, &mut news);
        if let Some(sample) = news.oldest_rtt {
            self.rtt.add(sample);
        }
        if news.una_advanced {
            self.backoff = 0;
        }
        self.on_tlp_acked(ack);
        self.try_leave_recovery(echo, news.una_advanced);
        let lost = self.lost_out;
        self.detect_losses(now);
        let newly_lost = self.lost_out > lost;
        if self.lost_out > 0 && self.ca_state == CaState::Open {
            self.enter_recovery();
        }
        let delivered = news.acked + news.sacked;
        match self.ca_state {
            CaState::Recovery => self.prr_update(delivered, news.una_advanced && !newly_lost),
            CaState::Open | CaState::Loss if delivered > 0 => self.congestion.on_ack(AckEvent {
                now,
                acked: delivered,
                rtt: news.newest_rtt,
                min_rtt: self.rtt.min_rtt(),
                snd_una: self.snd_una,
                snd_nxt: self.snd_nxt,
                cwnd_limited: self.cwnd_limited
                    || self.ca_state == CaState::Loss
                    || (self.congestion.in_slow_start() && self.congestion.cwnd < 2 * out),
            }),
            CaState::Open | CaState::Loss => {}
        }
        if self.snd_una == self.snd_nxt {
            self.timers = Timers::OFF;
        } else if news.una_advanced {
            self.timers.rto = self.rto_deadline(now);
            self.schedule_tlp(now);
        }
    }

    /// When all is taken for lost, if nothing is heard from now on.
    fn rto_deadline(&self, now: Time) -> Time {
        now + self.rtt.rto(self.backoff)
    }

    /// Everything sent has arrived: the answer says so, each of its packets again.
    pub fn on_implicit_ack(&mut self, now: Time) {
        if self.snd_una == self.snd_nxt {
            return;
        }
        let ack = AckInfo::of(self.snd_nxt);
        self.on_ack(now, &ack, now);
    }

    /// Books what has arrived.
    fn update_scoreboard(&mut self, now: Time, ack: &AckInfo, news: &mut AckSample) {
        while self.snd_una < ack.seq {
            let Some(sent) = self.scoreboard.pop_front() else { break };
            self.snd_una += 1;
            news.una_advanced = true;
            if sent.has(SentSegment::SACKED) {
                self.sacked_out -= 1;
            } else {
                news.acked += 1;
                self.on_delivered(now, self.snd_una - 1, sent, news);
            }
            self.lost_out -= u32::from(sent.has(SentSegment::LOST));
            self.retrans_out -= u32::from(sent.has(SentSegment::LOST) && sent.has(SentSegment::RETRANS));
        }
        if u32::from(ack.sacked) <= self.sacked_out {
            return;
        }
        for (from, until) in ack.blocks() {
            for segment in from.max(self.snd_una)..until.min(self.snd_nxt) {
                let sent = self.segment(segment);
                if sent.has(SentSegment::SACKED) {
                    continue;
                }
                self.segment_mut(segment).set(SentSegment::SACKED, true);
                self.sacked_out += 1;
                news.sacked += 1;
                if sent.has(SentSegment::LOST) {
                    self.segment_mut(segment).set(SentSegment::LOST, false);
                    self.lost_out -= 1;
                    self.retrans_out -= u32::from(sent.has(SentSegment::RETRANS));
                }
                self.on_delivered(now, segment, sent, news);
            }
            if self.sacked_out >= u32::from(ack.sacked) {
                break;
            }
        }
    }

    fn on_delivered(&mut self, now: Time, segment: u32, sent: SentSegment, news: &mut AckSample) {
        let (at, again) = (sent.sent_at(), sent.has(SentSegment::RETRANS));
        let trip = now.since(at);
        // A segment that was sent twice may have arrived the first time (RFC 8985, section 6.2, step 2).
        if again && trip < self.rtt.min_rtt() {
            return;
        }
        if (at, segment) >= (self.rack.xmit_time, self.rack.segment) {
            self.rack = RackState { xmit_time: at, segment, rtt: trip };
        }
        if !again {
            news.oldest_rtt.get_or_insert(trip);
            news.newest_rtt = Some(trip);
        }
    }

    /// Marks what must be lost, given what has arrived.
    #[inline]
    fn detect_losses(&mut self, now: Time) {
        self.timers.reorder = Time::NEVER;
        if self.sacked_out == 0 && self.ca_state == CaState::Open {
            return;
        }
        if self.rack_enabled { self.rack_detect_losses(now) } else { self.dupack_detect_losses() }
    }

    /// RACK: what was sent before something that has arrived is lost, once a round trip and some are over.
    #[inline]
    fn rack_detect_losses(&mut self, now: Time) {
        let latest = self.rack;
        let sure = self.ca_state != CaState::Open || self.sacked_out >= DUP_THRESH;
        let grace = if sure { 0 } else { (self.rtt.min_rtt().0 / 4).min(self.rtt.srtt().0) };
        let mut wait = 0;
        for place in 0..self.scoreboard.len() {
            let sent = self.scoreboard[place];
            let again = sent.has(SentSegment::RETRANS);
            if sent.has(SentSegment::SACKED) || (sent.has(SentSegment::LOST) && !again) {
                continue;
            }
            if (sent.sent_at(), self.snd_una + segment_offset(place)) >= (latest.xmit_time, latest.segment) {
                if again {
                    continue;
                }
                // Never sent again, so all beyond was sent later still.
                break;
            }
            let over = sent.sent_at().0 + latest.rtt.0 + grace;
            if over <= now.0 {
                self.mark_lost(place);
            } else {
                wait = wait.max(over - now.0);
            }
        }
        if wait > 0 {
            self.timers.reorder = now + Duration(wait);
        }
    }

    /// RFC 6675: a segment is lost once three beyond have arrived.
    fn dupack_detect_losses(&mut self) {
        let mut beyond = self.sacked_out;
        for place in 0..self.scoreboard.len() {
            let sent = self.scoreboard[place];
            if sent.has(SentSegment::SACKED) {
                beyond -= 1;
            } else if beyond >= DUP_THRESH && !sent.has(SentSegment::LOST | SentSegment::RETRANS) {
                self.mark_lost(place);
            } else if beyond < DUP_THRESH {
                break;
            }
        }
    }

    fn mark_lost(&mut self, place: usize) {
        let sent = &mut self.scoreboard[place];
        if sent.has(SentSegment::LOST) {
            // It was on its way again, and is lost again.
            self.retrans_out -= u32::from(sent.has(SentSegment::RETRANS));
        } else {
            sent.set(SentSegment::LOST, true);
            self.lost_out += 1;
        }
        sent.set(SentSegment::RETRANS, false);
        self.retransmit_hint = self.retransmit_hint.min(self.snd_una + segment_offset(place));
    }

    fn enter_recovery(&mut self) {
        self.prior = (self.congestion.cwnd, self.congestion.ssthresh);
        self.congestion.on_congestion_event();
        self.prr = Prr::default();
        self.ca_state = CaState::Recovery;
        self.recovery_point = self.snd_nxt;
        self.retransmit_hint = self.snd_una;
        self.first_retrans_at = None;
        self.tlp = None;
        self.timers.tlp = Time::NEVER;
    }

    /// The window while it comes down.
    fn prr_update(&mut self, delivered: u32, progress: bool) {
        if delivered == 0 {
            return;
        }
        let flight = self.in_flight();
        let reduction = &mut self.prr;
        reduction.delivered += delivered;
        let threshold = self.congestion.ssthresh;
        let limit = if flight > threshold {
            let wanted = u64::from(threshold) * u64::from(reduction.delivered);
            let wanted = wanted.div_ceil(u64::from(self.prior.0.max(1)));
            u32::try_from(wanted).unwrap_or(u32::MAX).saturating_sub(reduction.out)
        } else {
            let wanted = reduction.delivered.saturating_sub(reduction.out).max(delivered) + u32::from(progress);
            wanted.min(threshold - flight)
        };
        // The first loss is sent again at once.
        let limit = limit.max(u32::from(reduction.out == 0));
        self.congestion.cwnd = flight + limit;
    }

    fn try_leave_recovery(&mut self, echo: Time, advanced: bool) {
        match self.ca_state {
            // What answers an original cannot answer its repetition: the time-out was needless (RFC 3522).
            CaState::Loss if advanced && self.first_retrans_at.is_some_and(|at| echo < at) => self.undo_spurious_rto(),
            CaState::Loss if self.snd_una >= self.recovery_point => self.ca_state = CaState::Open,
            CaState::Recovery if self.snd_una >= self.recovery_point => {
                self.congestion.cwnd = self.congestion.ssthresh;
                self.ca_state = CaState::Open;
            }
            CaState::Open | CaState::Loss | CaState::Recovery => {}
        }
    }

    fn undo_spurious_rto(&mut self) {
        self.congestion.cwnd = self.congestion.cwnd.max(self.prior.0);
        self.congestion.ssthresh = self.congestion.ssthresh.max(self.prior.1);
        self.scoreboard.iter_mut().for_each(|sent| sent.set(SentSegment::LOST | SentSegment::RETRANS, false));
        (self.lost_out, self.retrans_out, self.ca_state, self.first_retrans_at) = (0, 0, CaState::Open, None);
    }

    /// A probe of the tail is due if nothing is heard, unless one is out or something is known to be missing.
    fn schedule_tlp(&mut self, now: Time) {
        self.timers.tlp = Time::NEVER;
        let calm =
            self.ca_state == CaState::Open && self.sacked_out == 0 && self.tlp.is_none() && self.snd_una < self.snd_nxt;
        if self.tlp_enabled && calm && self.backoff == 0 {
            // Where the time-out would come first, the probe takes its place.
            self.timers.tlp = (now + self.rtt.pto(self.snd_nxt - self.snd_una == 1)).min(self.timers.rto);
        }
    }

    /// An alarm rings. What comes back is a probe: a segment that leaves whatever the window says.
    pub fn on_timer(&mut self, now: Time) -> Option<(u32, u32)> {
        if self.timers.reorder <= now {
            self.detect_losses(now);
            if self.lost_out > 0 && self.ca_state == CaState::Open {
                self.enter_recovery();
            }
            if self.ca_state == CaState::Recovery {
                self.prr_update(1, false);
            }
        } else if self.timers.tlp <= now {
            return Some(self.send_tlp(now));
        } else if self.timers.rto <= now {
            self.on_rto(now);
        }
        None
    }

    /// A new segment if there is one, else the last one again (RFC 8985, section 7.3).
    fn send_tlp(&mut self, now: Time) -> (u32, u32) {
        let fresh = self.snd_nxt < self.total;
        let segment = if fresh {
            self.scoreboard.push_back(SentSegment::sent(now));
            self.snd_nxt += 1;
            self.snd_nxt - 1
        } else {
            let last = self.snd_nxt - 1;
            // Only its time changes: it counts as in flight once.
            self.segment_mut(last).retransmitted(now);
            last
        };
        self.tlp = Some((self.snd_nxt, !fresh));
        self.timers.tlp = Time::NEVER;
        self.timers.rto = self.rto_deadline(now);
        (segment, 1)
    }

    /// A probe that repaired the only loss tells of it by being needed: the window comes down (RFC 8985, section
    /// 7.4).
    fn on_tlp_acked(&mut self, ack: &AckInfo) {
        let Some((high, repeated)) = self.tlp else { return };
        if self.snd_una < high {
            return;
        }
        self.tlp = None;
        if repeated && !ack.dsack && self.ca_state == CaState::Open {
            self.prior = (self.congestion.cwnd, self.congestion.ssthresh);
            self.congestion.on_congestion_event();
            self.congestion.cwnd = self.congestion.ssthresh;
        }
    }

    fn on_rto(&mut self, now: Time) {
        if self.ca_state != CaState::Loss {
            self.prior = (self.congestion.cwnd, self.congestion.ssthresh);
            self.congestion.on_congestion_event();
        }
        self.congestion.reset();
        self.ca_state = CaState::Loss;
        self.recovery_point = self.snd_nxt;
        for sent in &mut self.scoreboard {
            sent.set(SentSegment::RETRANS, false);
            sent.set(SentSegment::LOST, !sent.has(SentSegment::SACKED));
        }
        self.lost_out = self.snd_nxt - self.snd_una - self.sacked_out;
        self.retrans_out = 0;
        self.retransmit_hint = self.snd_una;
        self.first_retrans_at = None;
        self.tlp = None;
        self.congestion.cwnd = 1;
        self.backoff += 1;
        self.timers = Timers { rto: self.rto_deadline(now), ..Timers::OFF };
    }
}

/// Arrivals beyond a hole that stand for a loss.
const DUP_THRESH: u32 = 3;

#[allow(clippy::cast_possible_truncation)] // the board is no longer than the largest window
fn segment_offset(place: usize) -> u32 {
    place as u32
}
