//! The network at fluid fidelity: concentrators whose flows share as fluids, and the transfers through them.

use crate::model::{ClassId, Codec, Concentrator, ConcentratorId, Discipline, Model, Tcp};
use crate::sim::discipline::Shape;
use crate::sim::event::Event;
use crate::sim::event_list::EventList;
use crate::sim::fluid::concentrator::{FluidConcentrator, FluidFlow};
use crate::sim::fluid::transfer::{FluidTransfer, Phase};
use crate::sim::observer::{ConcentratorSnapshot, Parts};
use crate::sim::pricing::TurnRows;
use crate::sim::route::{Route, packets_per_second};
use crate::sim::transaction::latency::LatencyParts;
use crate::sim::transfer::{Delivery, Start, Stopped};
use crate::sim::turn::TransactionId;
use crate::units::{BitRate, Bytes, Time};

/// Concentrators, access links, and the transfers under way.
#[derive(Debug)]
pub struct FluidNetwork {
    /// None where transport is ideal.
    pub(super) tcp: Option<Tcp>,
    /// By class: whether each transaction opens a connection, and the server's time for each turn [s].
    pub(super) classes: Vec<(bool, f64)>,
    pub(super) concentrators: Vec<FluidConcentrator>,
    /// By transaction.
    pub(super) transfers: Vec<FluidTransfer>,
    /// Their turns.
    pub(super) turns: TurnRows,
    /// A concentrator as it was then.
    pub(super) looked_at: Option<(Time, ConcentratorId, Box<FluidConcentrator>)>,
}

impl FluidNetwork {
    /// An idle network for classes whose names have these numbers.
    #[must_use]
    pub fn new(model: &Model, class_names: &[u64]) -> Self {
        let new = |terms: &Concentrator| FluidConcentrator::new(terms, model.transport, &model.sites, class_names);
        Self {
            tcp: model.transport.tcp(),
            classes: model.classes.iter().map(|class| (class.connects, class.server.secs())).collect(),
            concentrators: model.concentrators.iter().map(new).collect(),
            transfers: Vec::new(),
            turns: TurnRows::new(&model.classes),
            looked_at: None,
        }
    }

    /// A transfer starts.
    #[inline]
    pub fn start(&mut self, now: Time, events: &mut EventList<Event>, start: &Start<'_>) {
        let transfer = self.place(start);
        transfer.work = start.left.unwrap_or(start.work);
        match self.tcp {
            Some(tcp) => self.start_rounds(now, events, start.id, &tcp, start.left),
            None => self.join_sharing(now, start.id),
        }
    }

    /// A transfer that was interrupted goes on in the turn where it was, with the work that was left of it [bit].
    pub fn resume(&mut self, now: Time, events: &mut EventList<Event>, start: &Start<'_>) {
        self.place(start);
        if let Some(tcp) = self.tcp {
            self.restart_rounds(now, events, start.id, &tcp, start.left);
        }
    }

    /// Puts a transfer in its slot.
    #[inline]
    fn place(&mut self, start: &Start<'_>) -> &mut FluidTransfer {
        let place = start.id as usize;
        if self.transfers.len() <= place {
            self.transfers.resize_with(place + 1, FluidTransfer::idle);
            self.turns.grow(place + 1);
        }
        self.turns.row_mut(start.id)[..start.turns.len()].copy_from_slice(start.turns);
        let transfer = &mut self.transfers[place];
        (transfer.epoch, transfer.phase, transfer.latency) = (start.epoch, Phase::Rounds, start.latency);
        let Route { site, class, concentrator } = start.route;
        (transfer.site, transfer.class, transfer.concentrator) = (site, class, concentrator);
        transfer.turns = u8::try_from(start.turns.len()).expect("a transaction has fewer than 256 turns");
        transfer
    }

    /// A transfer is taken out of the network.
    pub fn stop(&mut self, now: Time, id: TransactionId) -> Stopped {
        let transfer = &mut self.transfers[id as usize];
        let phase = std::mem::replace(&mut transfer.phase, Phase::Idle);
        let share = transfer.share(id);
        let (latency, rounds_left) = (transfer.latency, transfer.window.work_left());
        let left = (phase == Phase::Sharing).then(|| {
            let concentrator = &mut self.concentrators[share.at.index()];
            concentrator.advance(now);
            concentrator.withdraw(share)
        });
        Stopped { left, rounds_left, latency }
    }

    /// Where the time of a transfer has gone.
    #[inline]
    #[must_use]
    pub fn latency(&self, id: TransactionId) -> LatencyParts {
        self.transfers[id as usize].latency
    }

    /// Whether transfers come in turns; where transport is ideal all of them are one flow.
    #[must_use]
    pub fn has_turns(&self) -> bool {
        self.tcp.is_some()
    }

    /// All that is left of a transfer shares the concentrator.
    pub(super) fn join_sharing(&mut self, now: Time, id: TransactionId) {
        let transfer = &mut self.transfers[id as usize];
        transfer.phase = Phase::Sharing;
        let share = transfer.share(id);
        let concentrator = &mut self.concentrators[share.at.index()];
        let alone = share.work / concentrator.access(share.site).min(concentrator.throughput()).max(1.0);
        transfer.latency.begin_leg(now, Parts { transfer: alone, ..Parts::default() });
        concentrator.advance(now);
        concentrator.admit(share);
    }

    /// When and where the next flow ends.
    #[inline]
    #[must_use]
    pub fn next(&self, now: Time) -> (Time, ConcentratorId) {
        // One concentrator needs no loop, and this is asked for at every event.
        let (end, place) = match &self.concentrators[..] {
            [only] => (only.next_end(), 0),
            several => first_end(several),
        };
        (end.max(now), ConcentratorId::of(place))
    }

    /// The last bits of a flow leave a concentrator.
    pub fn step(&mut self, now: Time, at: ConcentratorId, events: &mut EventList<Event>) -> Option<Delivery> {
        let concentrator = &mut self.concentrators[at.index()];
        concentrator.advance(now);
        let id = concentrator.finish()?;
        let transfer = &mut self.transfers[id as usize];
        concentrator.finished(transfer.share(id));
        match self.tcp {
            Some(tcp) => self.fluid_drained(now, events, id, &tcp),
            None => Some(self.deliver(id, Parts::default())),
        }
    }

    /// The last byte of a transfer is at its site `after` seconds from now.
    #[inline]
    pub(super) fn deliver(&mut self, id: TransactionId, after: Parts) -> Delivery {
        let transfer = &mut self.transfers[id as usize];
        transfer.phase = Phase::Idle;
        Delivery::Transfer { id, epoch: transfer.epoch, after }
    }

    /// Flows per bit of throughput, for balancers that look.
    #[must_use]
    pub fn crowding(&self, at: ConcentratorId) -> f64 {
        self.concentrators[at.index()].crowding()
    }

    /// Brings a concentrator to the present.
    pub fn advance(&mut self, now: Time, at: ConcentratorId) {
        self.concentrators[at.index()].advance(now);
    }

    /// A call begins, or ends (`packets` per second below zero).
    pub fn add_stream(&mut self, now: Time, route: Route, packet: Bytes, packets: f64) {
        let concentrator = &mut self.concentrators[route.concentrator.index()];
        concentrator.advance(now);
        concentrator.add_stream(route.site, route.class, packet, packets);
    }

    /// Changes a concentrator's throughput.
    pub fn set_rate(&mut self, now: Time, at: ConcentratorId, rate: BitRate) {
        self.concentrators[at.index()].advance(now);
        let jobs = self.concentrators[at.index()].queues_change_at(rate).then(|| self.shares(now, at));
        self.concentrators[at.index()].set_rate(rate, jobs.as_deref());
    }

    /// Changes a concentrator's order of service.
    pub fn set_discipline(&mut self, now: Time, at: ConcentratorId, discipline: &Discipline) {
        let shares = self.shares(now, at);
        self.concentrators[at.index()].set_discipline(discipline, &shares);
    }

    /// Changes the shaping of a class at every concentrator.
    pub fn set_shaping(&mut self, now: Time, class: ClassId, shape: Shape) {
        for at in (0..self.concentrators.len()).map(ConcentratorId::of) {
            let jobs = self.concentrators[at.index()].queues_change_with(class, shape).then(|| self.shares(now, at));
            self.concentrators[at.index()].set_shaping(class, shape, jobs.as_deref());
        }
    }

    /// A concentrator is another device: calls in progress cost what that says.
    pub fn replace_device(
        &mut self,
        now: Time,
        at: ConcentratorId,
        device: &Concentrator,
        model: &Model,
        calls: &[(Route, Codec)],
    ) {
        let concentrator = &mut self.concentrators[at.index()];
        concentrator.advance(now);
        let stream = |concentrator: &mut FluidConcentrator, sign: f64| {
            for (route, codec) in calls {
                let packets = sign * packets_per_second(*codec);
                concentrator.add_stream(route.site, route.class, codec.packet, packets);
            }
        };
        stream(concentrator, -1.0);
        concentrator.replace_device(device, &model.sites);
        stream(concentrator, 1.0);
    }

    /// A site begins or ends to flood a concentrator.
    pub fn flood(&mut self, now: Time, route: Route, rate: BitRate, begins: bool) {
        let concentrator = &mut self.concentrators[route.concentrator.index()];
        concentrator.advance(now);
        concentrator.flood(route.site, route.class, rate, begins);
    }

    /// The flows inside a concentrator with the work that they still need.
    fn shares(&mut self, now: Time, at: ConcentratorId) -> Vec<FluidFlow> {
        let concentrator = &mut self.concentrators[at.index()];
        concentrator.catch_up(now);
        let shares = concentrator.inside().map(|(id, left, _)| {
            let transfer = &self.transfers[id as usize];
            let work = left * concentrator.weight(transfer.site, transfer.class);
            FluidFlow { work, ..transfer.share(id) }
        });
        shares.collect()
    }

    /// What is inside a concentrator, and what went through. A copy is brought to the present: clocks that are moved on
    /// in two steps are not, to the last bit, where one step brings them, and what is looked at must not change by it.
    pub fn snapshot(&self, now: Time, at: ConcentratorId, snapshot: &mut ConcentratorSnapshot) {
        let classes = self.classes.len();
        let mut concentrator = self.concentrators[at.index()].clone();
        concentrator.catch_up(now);
        snapshot.inside.clear();
        snapshot.inside.resize(classes, 0.0);
        snapshot.carried.clear();
        let counters = concentrator.counters();
        let backlog = |class: usize| concentrator.backlog_of(ClassId::of(class));
        let carried =
            |class: usize| counters.served[class] + counters.streamed[class] + counters.burst[class] - backlog(class);
        snapshot.carried.extend((0..classes).map(carried));
        snapshot.admitted.clear();
        snapshot.admitted.extend(counters.admitted.iter().zip(&counters.burst).map(|(shared, burst)| shared + burst));
        snapshot.withdrawn.clone_from(&counters.withdrawn);
        snapshot.capacity = counters.capacity;
        // Not a loop over an iterator of iterators: that asks at each flow whether its queue and its site have another.
        concentrator.inside().for_each(|(id, left, _)| {
            let transfer = &self.transfers[id as usize];
            let left = (left * concentrator.weight(transfer.site, transfer.class)).min(transfer.work);
            snapshot.inside[transfer.class.index()] += left;
            snapshot.carried[transfer.class.index()] += transfer.work - left;
        });
        snapshot.inside.iter_mut().enumerate().for_each(|(class, inside)| *inside += backlog(class));
        snapshot.queue.clear();
        snapshot.queue.extend((0..classes).map(|class| concentrator.queue_delay(ClassId::of(class))));
        snapshot.at_ceiling = self.concentrators[at.index()].at_ceiling();
    }
}

impl FluidTransfer {
    /// The transfer as a flow of its concentrator.
    fn share(&self, id: TransactionId) -> FluidFlow {
        FluidFlow { flow: id, at: self.concentrator, site: self.site, class: self.class, work: self.work }
    }
}

/// When and where the next flow of several concentrators ends.
fn first_end(concentrators: &[FluidConcentrator]) -> (Time, usize) {
    let ends = concentrators.iter().map(FluidConcentrator::next_end).zip(0..);
    ends.min_by_key(|&(end, _)| end).unwrap_or((Time::NEVER, 0))
}
