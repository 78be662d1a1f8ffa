//! TCP sender: the scoreboard, loss detection, recovery, timers.
//!
//! Selective acknowledgements (RFC 2018), loss detection by time and by tail probes (RACK-TLP, RFC 8985),
//! proportional rate reduction (RFC 6937), retransmission time-outs (RFC 6298) and the undoing of spurious ones (RFC 3522), in the
//! order of steps of Linux 6 (`tcp_ack`). Without the ingredient `rack`, three duplicate acknowledgements stand for
//! a loss (RFC 6675). Sequence numbers count segments.

use std::collections::VecDeque;

use crate::model::{Ingredient, Tcp};
use crate::sim::packet::tcp::congestion::{AckEvent, CongestionControl};
use crate::sim::packet::tcp::rtt::RttEstimator;
use crate::sim::packet::wire::AckInfo;
use crate::units::{Duration, Time};

/// A segment of the scoreboard: the time of its last transmission [ns], and flags in the lowest three bits.
#[derive(Clone, Copy, Debug)]
struct SentSegment(u64);

impl SentSegment {
    /// A SACK block covers it.
    const SACKED: u64 = 1;
    /// It is marked lost.
    const LOST: u64 = 2;
    /// Its last transmission was a retransmission.
    const RETRANS: u64 = 4;
    const BITS: u32 = 3;

    fn sent(at: Time) -> Self {
        Self(at.0 << Self::BITS)
    }

    fn sent_at(self) -> Time {
        Time(self.0 >> Self::BITS)
    }

    /// Whether any of these flags is set.
    fn has(self, what: u64) -> bool {
        self.0 & what != 0
    }

    fn set(&mut self, what: u64, holds: bool) {
        self.0 = if holds { self.0 | what } else { self.0 & !what };
    }

    /// It was retransmitted at this time.
    fn retransmitted(&mut self, at: Time) {
        self.0 = at.0 << Self::BITS | self.0 & (Self::SACKED | Self::LOST) | Self::RETRANS;
    }
}

/// Congestion state (Linux, `tcp_ca_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CaState {
    /// No loss is known.
    Open,
    /// Fast recovery: lost segments are retransmitted while the window comes down.
    Recovery,
    /// After a retransmission time-out: slow start from a window of one.
    Loss,
}

/// Deadlines of the three timers; `Time::NEVER` where one is off.
#[derive(Clone, Copy, Debug)]
struct Timers {
    /// RACK reordering timer: segments not delivered by then are lost.
    reorder: Time,
    /// Tail loss probe.
    tlp: Time,
    /// Retransmission time-out.
    rto: Time,
}

impl Timers {
    const OFF: Self = Self { reorder: Time::NEVER, tlp: Time::NEVER, rto: Time::NEVER };
}

/// What an acknowledgement delivered.
#[derive(Clone, Copy, Debug, Default)]
struct AckSample {
    acked: u32,
    sacked: u32,
    /// Round trip of the oldest segment delivered, the delay of its acknowledgement included.
    oldest_rtt: Option<Duration>,
    /// Round trip of the newest.
    newest_rtt: Option<Duration>,
    una_advanced: bool,
}

/// One direction of a connection. Names are those of Linux; counts are in segments.
#[derive(Clone, Debug)]
pub struct Sender {
    /// First segment that is not acknowledged cumulatively.
    snd_una: u32,
    /// Next segment that was never sent.
    snd_nxt: u32,
    /// Segments that the application has written.
    total: u32,
    sacked_out: u32,
    lost_out: u32,
    retrans_out: u32,
    max_cwnd: u32,
    backoff: u32,
    prr: Prr,
    /// `snd_nxt` when a tail loss probe was sent, and whether the probe was a retransmission.
    tlp: Option<(u32, bool)>,
    /// The search for segments to retransmit starts here.
    retransmit_hint: u32,
    /// Recovery ends when this segment is reached cumulatively.
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
    /// Time of the first retransmission of this recovery.
    first_retrans_at: Option<Time>,
    congestion: CongestionControl,
}

/// The delivered segment that was sent last (RFC 8985, section 6.1): its transmission time, its number and its round trip.
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
    /// A closed sender.
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

    /// Opens a connection in this slot; its buffers are used again.
    pub fn open(&mut self, tcp: &Tcp, rtt: Option<Duration>) {
        let mut scoreboard = std::mem::take(&mut self.scoreboard);
        scoreboard.clear();
        *self = Self { scoreboard, ..Self::new(tcp) };
        if let Some(rtt) = rtt {
            self.rtt.add(rtt);
        }
    }

    /// Takes the round trip of the handshake.
    pub fn on_rtt_sample(&mut self, trip: Duration) {
        self.rtt.add(trip);
    }

    /// The application writes so many segments.
    pub fn enqueue(&mut self, segments: u32) {
        self.total += segments;
    }

    /// Segments that the application has written.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.total
    }

    /// The earliest deadline of its timers.
    #[must_use]
    pub fn next_timer(&self) -> Time {
        self.timers.reorder.min(self.timers.tlp).min(self.timers.rto)
    }

    /// Whether all that was written is acknowledged.
    #[must_use]
    pub fn all_acked(&self) -> bool {
        self.snd_una == self.total
    }

    /// Congestion window [segments].
    #[must_use]
    pub fn cwnd(&self) -> u32 {
        self.congestion.cwnd
    }

    /// Slow start is over at a window of so many segments.
    pub fn grow_to(&mut self, window: u32) {
        (self.congestion.cwnd, self.congestion.ssthresh) = (window, window);
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

    /// Estimate of segments in flight (`tcp_packets_in_flight`).
    fn in_flight(&self) -> u32 {
        self.snd_nxt - self.snd_una - self.sacked_out - self.lost_out + self.retrans_out
    }

    /// Whether fewer than `least` segments may be sent, more are to come, and acknowledgements that will let them go.
    #[must_use]
    pub fn waits_for(&self, least: u32) -> bool {
        let flight = self.in_flight();
        let allowed = self.congestion.cwnd.min(self.max_cwnd).saturating_sub(flight);
        let repeats = self.lost_out > self.retrans_out;
        allowed < least && least < flight && allowed < self.total - self.snd_nxt && !repeats
    }

    /// The next run of segments that may be sent: the first, and how many.
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

    /// An acknowledgement arrives; `echo` is the transmission time of the segment that caused it (RFC 7323, `TSecr`).
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

    /// Deadline of the retransmission time-out, started now.
    fn rto_deadline(&self, now: Time) -> Time {
        now + self.rtt.rto(self.backoff)
    }

    /// Data of the other direction acknowledges all that was sent.
    pub fn on_implicit_ack(&mut self, now: Time) {
        if self.snd_una == self.snd_nxt {
            return;
        }
        let ack = AckInfo::of(self.snd_nxt);
        self.on_ack(now, &ack, now);
    }

    /// Marks segments that are acknowledged, cumulatively or selectively.
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
        // The acknowledgement may be of the original transmission (RFC 8985, section 6.2, step 2).
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

    /// Marks segments as lost.
    #[inline]
    fn detect_losses(&mut self, now: Time) {
        self.timers.reorder = Time::NEVER;
        if self.sacked_out == 0 && self.ca_state == CaState::Open {
            return;
        }
        if self.rack_enabled { self.rack_detect_losses(now) } else { self.dupack_detect_losses() }
    }

    /// RACK (RFC 8985, section 6.2): a segment sent before one that was delivered is lost after a round trip and the reordering window.
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
                // It was never retransmitted, so all segments beyond it were sent later.
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

    /// RFC 6675: a segment is lost when three segments above it have been acknowledged selectively.
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
            // Its retransmission is lost.
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

    /// The window during recovery (RFC 6937, section 3).
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
        // The first retransmission is never held back.
        let limit = limit.max(u32::from(reduction.out == 0));
        self.congestion.cwnd = flight + limit;
    }

    fn try_leave_recovery(&mut self, echo: Time, advanced: bool) {
        match self.ca_state {
            // The acknowledgement answers an original transmission: the time-out was spurious (RFC 3522).
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

    /// Schedules a tail loss probe, unless one is outstanding or a loss is known (RFC 8985, section 7.2).
    fn schedule_tlp(&mut self, now: Time) {
        self.timers.tlp = Time::NEVER;
        let calm =
            self.ca_state == CaState::Open && self.sacked_out == 0 && self.tlp.is_none() && self.snd_una < self.snd_nxt;
        if self.tlp_enabled && calm && self.backoff == 0 {
            // The probe replaces a time-out that would come first.
            self.timers.tlp = (now + self.rtt.pto(self.snd_nxt - self.snd_una == 1)).min(self.timers.rto);
        }
    }

    /// A timer expires. Gives the segment of a probe, which the window does not hold back.
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

    /// Sends a new segment if there is one, else retransmits the last (RFC 8985, section 7.3).
    fn send_tlp(&mut self, now: Time) -> (u32, u32) {
        let fresh = self.snd_nxt < self.total;
        let segment = if fresh {
            self.scoreboard.push_back(SentSegment::sent(now));
            self.snd_nxt += 1;
            self.snd_nxt - 1
        } else {
            let last = self.snd_nxt - 1;
            // Only its time changes: it is counted in flight once.
            self.segment_mut(last).retransmitted(now);
            last
        };
        self.tlp = Some((self.snd_nxt, !fresh));
        self.timers.tlp = Time::NEVER;
        self.timers.rto = self.rto_deadline(now);
        (segment, 1)
    }

    /// A probe that repaired the only loss is itself a sign of congestion (RFC 8985, section 7.4).
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

/// Selectively acknowledged segments above a hole that indicate a loss (`DupThresh`).
const DUP_THRESH: u32 = 3;

#[allow(clippy::cast_possible_truncation)] // the board is no longer than the largest window
fn segment_offset(place: usize) -> u32 {
    place as u32
}
