//! The simulator: `simulate(&model, replication, observer)`, the event loop and nothing else.
//!
//! A run is a function of model and replication: this room reads no file, no clock, no environment and no
//! global, and adds nothing up. It cannot fail; all that can be wrong was a problem before there was a model.

pub mod balancer;
pub mod band;
pub mod calendar;
pub mod concentrator;
pub mod demand;
pub mod discipline;
pub mod observer;
pub mod packet;
pub mod tournament;
pub mod transport;
pub mod tunnel;

mod ahead;
mod arrive;
mod edit;
mod extremes;
mod flow;
mod likely;
mod paper;
mod paths;
mod rounds;
mod times;
mod watch;

use std::hint::cold_path;

use crate::random::Key;
use crate::scenario::model::{ClassId, Concentrator, ConcentratorId, Demand, Fidelity, Model, SiteId};
use crate::units::{Duration, Time};
use ahead::PrefetchCursor;
use arrive::Workload;
use band::TransactionId;
use calendar::{EventList, Rank};
use concentrator::FluidConcentrator;
use flow::TransactionSlab;
use observer::{Fact, Observer, Parts, Snapshot};
use packet::{Delivery, PacketNetwork};
use paper::PaperBacklog;
use tunnel::Tunnels;

/// What is scheduled, in twelve bytes.
#[derive(Clone, Copy, Debug, Default)]
enum Event {
    /// Midnight.
    Day(u32),
    /// A workstation's next action.
    UserAction(ClassId, u32),
    /// The next arrival of an open class.
    Arrive(ClassId),
    /// The next job of the day.
    Job(ClassId),
    /// The next transaction of the replay.
    Replay,
    /// The next of a surge's arrivals.
    Surge(ClassId),
    /// A flow reaches the concentrator; void if its journey has changed.
    SendWindow(TransactionId, u32),
    /// A deferred job starts; void if its life has changed.
    StartDeferred(TransactionId, u32),
    /// A curfew of a class ends.
    CurfewEnds(ClassId, u32),
    /// Workstations of a class go off.
    PowerOff(ClassId),
    /// Workstations of a class come on.
    PowerOn(ClassId),
    /// Somebody's patience may be at its end.
    Patience(ClassId),
    /// A stream ends; void if its life has changed.
    CallEnds(u32, u32),
    /// The world is edited.
    Change(u32),
    /// A fault begins, or ends.
    Fault(u32, bool),
    /// A firewall that flaps stalls.
    FirewallStalls(u32),
    /// It is up again.
    FirewallRecovered(u32),
    /// A site notices that its tunnel is dead; void if it was not the last time that it lost its way.
    DpdTimeout(SiteId, u32),
    /// A site sends a request for a tunnel, the first time or again.
    SendRequest(SiteId, u32),
    /// A concentrator has completed a handshake; void if it was down since.
    Handshake(ConcentratorId, u32),
    /// A site's tunnel stands.
    Established(SiteId, u32),
    /// A tunnel's keys are renewed.
    Rekey(SiteId, u32),
    /// Tunnels come back to their concentrator; void if it was down since.
    FailBack(ConcentratorId, u32),
    /// The sender of a stalled flow tries again; void if its journey has changed.
    Resume(TransactionId, u32),
    /// The inside is looked at.
    #[default]
    Snapshot,
}

const _: () = assert!(size_of::<Event>() == 12);

/// The shortest bucket of the calendar lasts 2 to so many nanoseconds: 1 ms.
const BUCKET: u32 = 20;

/// So many events are worth reading ahead for: where a bucket has fewer, what they need is in the cache.
const SEVERAL: usize = 4;

/// A run in progress.
struct Engine<'m, O> {
    model: &'m Model,
    key: Key,
    observer: &'m mut O,
    now: Time,
    events: EventList<Event>,
    /// At flow fidelity all that is inside; at packet fidelity only calls and costs are kept here.
    fluid: Vec<FluidConcentrator>,
    /// At packet fidelity, the network.
    packets: Option<PacketNetwork>,
    deliveries: Vec<Delivery>,
    concentrator_of: Vec<ConcentratorId>,
    tunnels: Tunnels,
    /// By concentrator: what it is after edits, without brown-outs; and what those in force leave of its throughput.
    devices: Vec<Concentrator>,
    brown_outs: Vec<Vec<f64>>,
    /// By class: cuts in force between concentrators and servers.
    server_cuts: Vec<i32>,
    paper: PaperBacklog,
    transactions: TransactionSlab,
    workload: Workload,
    ahead: PrefetchCursor,
    snapshot: Snapshot,
}

/// Simulates one replication of the model's days and tells the observer what happens; one that stops early is told no end.
pub fn simulate(model: &Model, replication: u32, observer: &mut impl Observer) {
    let mut engine = Engine::new(model, replication, observer);
    engine.open();
    let end = model.calendar.end();
    while engine.run_batch(end) {
        if engine.observer.stop() {
            // What is still under way in a crowd takes long to tell, and nobody wants to hear it.
            return;
        }
    }
    engine.close(end);
}

/// So many events are handled before the observer is asked whether to stop: a few milliseconds, or tenths of a second in a crowd.
const STEPS: u32 = 1 << 8;

impl<'m, O: Observer> Engine<'m, O> {
    fn new(model: &'m Model, replication: u32, observer: &'m mut O) -> Self {
        let key = model.key(replication);
        let classes = model.classes.len();
        let (home, placed) = balancer::place(model, key);
        let sources = Workload::new(model);
        Self {
            key,
            observer,
            now: Time(0),
            events: EventList::new(BUCKET),
            fluid: model
                .concentrators
                .iter()
                .map(|unit| FluidConcentrator::new(unit, model.transport, &model.sites, &sources.class_names))
                .collect(),
            packets: match model.fidelity {
                Fidelity::Flow => None,
                Fidelity::Packet(grain) => Some(PacketNetwork::new(model, grain)),
            },
            deliveries: Vec::new(),
            tunnels: Tunnels::new(model, &placed, &home),
            concentrator_of: placed.iter().zip(&home).map(|(placed, home)| placed.unwrap_or(*home)).collect(),
            devices: model.concentrators.clone(),
            brown_outs: vec![Vec::new(); model.concentrators.len()],
            server_cuts: vec![0; classes],
            paper: PaperBacklog::new(model),
            transactions: TransactionSlab::new(&model.classes),
            workload: sources,
            snapshot: Snapshot::default(),
            ahead: PrefetchCursor::default(),
            model,
        }
    }

    /// Schedules what is known beforehand.
    fn open(&mut self) {
        for (edit, number) in self.model.changes.iter().zip(0_u32..) {
            self.events.push(edit.at, Rank::Change, Event::Change(number));
        }
        for site in (0..self.model.sites.len()).map(SiteId::of) {
            self.observer.on(self.now, &Fact::TunnelAttached { site, unit: self.concentrator_of[site.index()] });
        }
        self.events.push(Time(0) + self.model.bin, Rank::Watch, Event::Snapshot);
        self.open_tunnels();
        self.start_steady_streams();
        if let Some(first) = self.model.replay.as_ref().and_then(|replay| replay.first()) {
            self.events.push(first.at, Rank::Arrival, Event::Replay);
            return;
        }
        self.events.push(Time(0), Rank::Change, Event::Day(0));
        for (class, id) in self.model.classes.iter().zip(0_u8..) {
            let curfews = &class.rules.curfews;
            // Of several that end together the last one written says how what has waited starts.
            let last = |place: usize| curfews[place + 1..].iter().all(|other| other.until != curfews[place].until);
            for (curfew, number) in curfews.iter().zip(0_u32..).filter(|(_, number)| last(*number as usize)) {
                self.events.push(curfew.until, Rank::Change, Event::CurfewEnds(ClassId(id), number));
            }
        }
    }

    /// Handles some of what comes next; false when nothing does before `end`.
    fn run_batch(&mut self, end: Time) -> bool {
        (0..STEPS).all(|_| self.step(end))
    }

    /// Handles what comes next; false when nothing does before `end`.
    fn step(&mut self, end: Time) -> bool {
        let (inside, unit) = self.next_network_event();
        self.prefetch_end(unit);
        // At the same instant, what happens inside goes first.
        if let Some((now, &event)) = self.events.pop_before(inside.min(end + Duration(1))) {
            self.now = now;
            if self.events.bucket_holds(SEVERAL) {
                cold_path();
                self.prefetch_events();
            }
            if let Event::SendWindow(flow, journey) = event {
                // Most are that, and need not wait for all that others have to put aside.
                self.send_window(flow, journey);
                return true;
            }
            self.handle(event);
            return true;
        }
        if inside > end {
            return false;
        }
        self.now = inside;
        self.network_event(unit);
        true
    }

    /// A flow ends, or something happens in the packet network.
    fn network_event(&mut self, unit: ConcentratorId) {
        let Some(packets) = &mut self.packets else { return self.fluid_done(unit) };
        let heard = packets.step();
        if !heard.is_empty() {
            self.deliveries.extend_from_slice(heard);
            self.deliver();
        }
    }

    /// What the network tells is passed on.
    fn deliver(&mut self) {
        for place in 0..self.deliveries.len() {
            match self.deliveries[place] {
                // What was given up may arrive all the same, where a transfer is one packet.
                Delivery::Done(flow, journey) if self.transactions.get(flow).transfer_epoch == journey => {
                    self.transfer_done(flow, Parts::default());
                }
                Delivery::Done(..) => {}
                Delivery::Voice { class, site, delay } => {
                    self.observer.on(self.now, &Fact::Voice { class, site, delay });
                }
            }
        }
        self.deliveries.clear();
    }

    /// When and where the next flow ends; at packet fidelity when something happens in the network.
    fn next_network_event(&mut self) -> (Time, ConcentratorId) {
        if let Some(packets) = &mut self.packets {
            return (packets.next_time(), ConcentratorId(0));
        }
        // One concentrator needs no loop, and this is asked for at every event.
        let (end, unit) = match &self.fluid[..] {
            [only] => (only.next_end(), 0),
            units => first_end(units),
        };
        (end.max(self.now), ConcentratorId::of(unit))
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Day(day) => self.day(day),
            Event::UserAction(class, user) => self.user_action(class, user),
            Event::Arrive(class) => self.arrive(class),
            Event::Job(class) => self.job(class),
            Event::Replay => self.replay(),
            Event::Surge(class) => self.surge(class),
            Event::SendWindow(flow, journey) => self.send_window(flow, journey),
            Event::StartDeferred(flow, life) => self.start_deferred(flow, life),
            Event::CurfewEnds(class, number) => self.end_curfew(class, number),
            Event::PowerOff(class) => self.power_off(class),
            Event::PowerOn(class) => self.power_on(class),
            Event::Patience(class) => self.patience(class),
            Event::CallEnds(call, life) => self.end_call(call, life),
            Event::Change(number) => self.apply_change(number),
            Event::Fault(number, begins) => self.fault(number, begins),
            Event::FirewallStalls(firewall) => self.firewall_stalls(firewall),
            Event::FirewallRecovered(firewall) => self.firewall_recovered(firewall),
            Event::DpdTimeout(site, breaks) => self.dpd_timeout(site, breaks),
            Event::SendRequest(site, number) => self.send_request(site, number),
            Event::Handshake(unit, epoch) => self.handshake(unit, epoch),
            Event::Established(site, number) => self.established(site, number),
            Event::Rekey(site, epoch) => self.rekey(site, epoch),
            Event::FailBack(unit, epoch) => self.fail_back_to(unit, epoch),
            Event::Resume(flow, journey) => self.resume(flow, journey),
            Event::Snapshot => {
                self.take_snapshot();
                self.events.push(self.now + self.model.bin, Rank::Watch, Event::Snapshot);
            }
        }
    }

    /// The inside at the end, and what is still under way.
    fn close(&mut self, end: Time) {
        self.now = self.now.max(end);
        self.take_snapshot();
        self.report_unfinished();
    }

    fn demand(&self, class: ClassId) -> &'m Demand {
        &self.model.classes[class.index()].demand
    }
}

/// When and where the next flow of several concentrators ends.
fn first_end(units: &[FluidConcentrator]) -> (Time, usize) {
    let ends = units.iter().map(FluidConcentrator::next_end).zip(0..);
    ends.min_by_key(|&(end, _)| end).unwrap_or((Time::NEVER, 0))
}
