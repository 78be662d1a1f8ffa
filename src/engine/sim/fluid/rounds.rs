//! Slow start at fluid fidelity: set-up, request, windows that double, then a share of the link.
//!
//! While a sender is in slow start, its windows come as bursts: each waits in the queue that stands before its class, is
//! sent at the link's rate, and a round trip later the next one comes, twice as large. Once a window takes longer to send
//! than its round trip the sender is never idle: what is left shares the link as a fluid.

use crate::model::{Ingredient, Tcp};
use crate::sim::event::Event;
use crate::sim::event_list::{EventList, Rank};
use crate::sim::fluid::network::FluidNetwork;
use crate::sim::fluid::transfer::{FluidTransfer, Phase, WindowState};
use crate::sim::hints::{larger, smaller};
use crate::sim::observer::Parts;
use crate::sim::pricing::PricedTurn;
use crate::sim::transfer::Delivery;
use crate::sim::turn::TransactionId;
use crate::units::{Duration, Time};

impl FluidNetwork {
    /// The connection is set up where there is none, and the first request leaves.
    #[inline]
    pub(super) fn start_rounds(
        &mut self,
        now: Time,
        events: &mut EventList<Event>,
        id: TransactionId,
        tcp: &Tcp,
        left: Option<f64>,
    ) {
        let transfer = &mut self.transfers[id as usize];
        let concentrator = &mut self.concentrators[transfer.concentrator.index()];
        // What waits is known as it was when it was last looked at.
        concentrator.advance(now);
        transfer.window = WindowState { cwnd: tcp.window, ..WindowState::default() };
        let (connects, _) = self.classes[transfer.class.index()];
        let set_up = if connects {
            let queueing = concentrator.waits(transfer.site, transfer.class);
            Parts { trips: concentrator.path(transfer.site).rtt, queueing, ..Parts::default() }
        } else {
            Parts::default()
        };
        self.send_request(now, events, id, tcp, left, set_up);
    }

    /// A sender that was cut off tries again with a window of one segment (RFC 5681, section 3.1).
    pub(super) fn restart_rounds(
        &mut self,
        now: Time,
        events: &mut EventList<Event>,
        id: TransactionId,
        tcp: &Tcp,
        left: Option<f64>,
    ) {
        let window = &mut self.transfers[id as usize].window;
        *window = WindowState { turn: window.turn, cwnd: 1, ..WindowState::default() };
        self.send_request(now, events, id, tcp, left, Parts::default());
    }

    /// The request of the present turn leaves `after` a while; then its response begins, or what was left of it [bit].
    #[inline]
    fn send_request(
        &mut self,
        now: Time,
        events: &mut EventList<Event>,
        id: TransactionId,
        tcp: &Tcp,
        left: Option<f64>,
        mut after: Parts,
    ) {
        let Self { transfers, turns, concentrators, classes, .. } = self;
        let transfer = &mut transfers[id as usize];
        let PricedTurn { turn, segment } = turns.of(id, transfer.window.turn);
        transfer.window.begin_response(tcp, turn, *segment, left);
        let concentrator = &mut concentrators[transfer.concentrator.index()];
        concentrator.advance(now);
        let (_, server) = classes[transfer.class.index()];
        let path = concentrator.path(transfer.site);
        after += Parts {
            trips: path.rtt / 2.0 + server,
            queueing: concentrator.up_wait_in(transfer.site, transfer.class, after.sum()),
            transfer: turn.request.bits() / path.up,
            ..Parts::default()
        };
        schedule_window(events, now, id, transfer, after);
    }

    /// A window leaves the server, or what is left begins to share; the transfer may be over by it.
    #[inline(never)]
    pub fn send_window(
        &mut self,
        now: Time,
        events: &mut EventList<Event>,
        id: TransactionId,
        epoch: u32,
    ) -> Option<Delivery> {
        let tcp = self.tcp.as_ref()?;
        let transfer = &mut self.transfers[id as usize];
        if transfer.epoch != epoch || transfer.phase != Phase::Rounds {
            return None;
        }
        let (site, class) = (transfer.site, transfer.class);
        let concentrator = &mut self.concentrators[transfer.concentrator.index()];
        concentrator.advance(now);
        let path = concentrator.path_state(site, class);
        let rtt = concentrator.path(site).rtt;
        let window = &mut transfer.window;
        let (segment, sent) = (window.segment, window.cwnd.min(window.left));
        let work = f64::from(sent) * segment;
        let delay = path.burst_delay(work, segment);
        let first = delay.first + rtt + path.up_wait();
        if path.is_left_to_sharing(window, sent, &delay, first) {
            transfer.work = f64::from(window.left) * segment;
            self.join_sharing(now, id);
            return None;
        }
        let past = concentrator.past_flood(class, sent);
        let accepted = if past < sent {
            past
        } else if tcp.has(Ingredient::Losses) {
            path.accepted(sent, segment, window.ack_clocked, window.congestion_avoidance)
        } else {
            sent
        };
        let ack_clocked = std::mem::replace(&mut window.ack_clocked, true);
        let (work_in, delay_in) = if accepted == sent {
            (work, delay)
        } else {
            let work = f64::from(accepted) * segment;
            (work, path.burst_delay(work, segment))
        };
        if accepted > 0 {
            let on_access = delay_in.last - path.access_queue;
            concentrator.burst(site, class, work_in, ack_clocked, [delay_in.through, on_access]);
        }
        if accepted < sent && !window.congestion_avoidance {
            concentrator.overflow(class);
        }
        window.left -= accepted;
        if window.left == 0 {
            let alone = work * path.access_slowness + segment * path.slowness;
            let transfer = smaller(alone, delay.last);
            let queueing = delay.last - transfer;
            let after = Parts { trips: rtt / 2.0, queueing, transfer, ..Parts::default() };
            let tcp = *tcp;
            return self.response_done(now, events, id, &tcp, after);
        }
        let next = window.after(tcp, sent, accepted, first);
        let trip = smaller(first, next);
        let sending = smaller(segment * (path.slowness + path.access_slowness), larger(trip - rtt, 0.0));
        let queueing = larger(trip - rtt - sending, 0.0);
        let trips = trip - sending - queueing;
        let leg = Parts { trips, queueing, transfer: sending, loss: next - trip, ..Parts::default() };
        schedule_window(events, now, id, transfer, leg);
        None
    }

    /// The last bits of a flow that shared have left the concentrator.
    pub(super) fn fluid_drained(
        &mut self,
        now: Time,
        events: &mut EventList<Event>,
        id: TransactionId,
        tcp: &Tcp,
    ) -> Option<Delivery> {
        let transfer = &mut self.transfers[id as usize];
        transfer.phase = Phase::Rounds;
        let concentrator = &self.concentrators[transfer.concentrator.index()];
        let (rtt, queueing) = (concentrator.path(transfer.site).rtt, concentrator.access_queue(transfer.site));
        self.response_done(now, events, id, tcp, Parts { trips: rtt / 2.0, queueing, ..Parts::default() })
    }

    /// A turn's response has arrived whole `after` a while: the next one's request leaves, or the transfer is over.
    #[inline]
    fn response_done(
        &mut self,
        now: Time,
        events: &mut EventList<Event>,
        id: TransactionId,
        tcp: &Tcp,
        after: Parts,
    ) -> Option<Delivery> {
        let transfer = &mut self.transfers[id as usize];
        transfer.window.turn += 1;
        if transfer.window.turn < transfer.turns {
            self.send_request(now, events, id, tcp, None, after);
            return None;
        }
        Some(self.deliver(id, after))
    }
}

/// The next window comes when the leg that begins `now` is over.
#[inline]
fn schedule_window(
    events: &mut EventList<Event>,
    now: Time,
    id: TransactionId,
    transfer: &mut FluidTransfer,
    leg: Parts,
) {
    let at = now + Duration::of_secs(transfer.latency.begin_leg(now, leg));
    events.push(at, Rank::Arrival, Event::SendWindow(id, transfer.epoch));
}
