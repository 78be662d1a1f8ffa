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
use crate::scenario::model::{ClassId, Demand, Fidelity, Model, SiteId, Unit, UnitId};
use crate::units::{Span, Time};
use ahead::Ahead;
use arrive::Sources;
use band::FlowId;
use calendar::{Calendar, Rank};
use concentrator::Concentrator;
use flow::Flows;
use observer::{Fact, Look, Observer, Parts};
use packet::{Heard, Packets};
use paper::Paper;
use tunnel::Tunnels;

/// What is scheduled, in twelve bytes.
#[derive(Clone, Copy, Debug, Default)]
enum Event {
    /// Midnight.
    Day(u32),
    /// A workstation's next action.
    Act(ClassId, u32),
    /// The next arrival of an open class.
    Arrive(ClassId),
    /// The next job of the day.
    Job(ClassId),
    /// The next transaction of the replay.
    Replay,
    /// The next of a surge's arrivals.
    Surge(ClassId),
    /// A flow reaches the concentrator; void if its journey has changed.
    Enter(FlowId, u32),
    /// A deferred job starts; void if its life has changed.
    Start(FlowId, u32),
    /// A curfew of a class ends.
    Lift(ClassId, u32),
    /// Workstations of a class go off.
    PowerOff(ClassId),
    /// Workstations of a class come on.
    PowerOn(ClassId),
    /// Somebody's patience may be at its end.
    Patience(ClassId),
    /// A stream ends; void if its life has changed.
    HangUp(u32, u32),
    /// The world is edited.
    Edit(u32),
    /// A fault begins, or ends.
    Fault(u32, bool),
    /// A firewall that flaps stalls.
    Flap(u32),
    /// It is up again.
    Mended(u32),
    /// A site notices that its tunnel is dead; void if it was not the last time that it lost its way.
    Notice(SiteId, u32),
    /// A site sends a request for a tunnel, the first time or again.
    Request(SiteId, u32),
    /// A concentrator has completed a handshake; void if it was down since.
    Handshake(UnitId, u32),
    /// A site's tunnel stands.
    Stands(SiteId, u32),
    /// A tunnel's keys are renewed.
    Rekey(SiteId, u32),
    /// Tunnels come back to their concentrator; void if it was down since.
    FailBack(UnitId, u32),
    /// The sender of a stalled flow tries again; void if its journey has changed.
    Resume(FlowId, u32),
    /// The inside is looked at.
    #[default]
    Look,
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
    calendar: Calendar<Event>,
    /// At flow fidelity all that is inside; at packet fidelity only calls and costs are kept here.
    units: Vec<Concentrator>,
    /// At packet fidelity, the network.
    packets: Option<Packets>,
    heard: Vec<Heard>,
    unit_of: Vec<UnitId>,
    tunnels: Tunnels,
    /// By concentrator: what it is after edits, without brown-outs; and what those in force leave of its throughput.
    devices: Vec<Unit>,
    dimmed: Vec<Vec<f64>>,
    /// By class: cuts in force between concentrators and servers.
    servers_lost: Vec<i32>,
    paper: Paper,
    flows: Flows,
    sources: Sources,
    ahead: Ahead,
    look: Look,
}

/// Simulates one replication of the model's days and tells the observer what happens; one that stops early is told no end.
pub fn simulate(model: &Model, replication: u32, observer: &mut impl Observer) {
    let mut engine = Engine::new(model, replication, observer);
    engine.open();
    let end = model.calendar.end();
    while engine.steps(end) {
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
        let sources = Sources::new(model);
        Self {
            key,
            observer,
            now: Time(0),
            calendar: Calendar::new(BUCKET),
            units: model
                .units
                .iter()
                .map(|unit| Concentrator::new(unit, model.transport, &model.sites, &sources.class_names))
                .collect(),
            packets: match model.fidelity {
                Fidelity::Flow => None,
                Fidelity::Packet(grain) => Some(Packets::new(model, grain)),
            },
            heard: Vec::new(),
            tunnels: Tunnels::new(model, &placed, &home),
            unit_of: placed.iter().zip(&home).map(|(placed, home)| placed.unwrap_or(*home)).collect(),
            devices: model.units.clone(),
            dimmed: vec![Vec::new(); model.units.len()],
            servers_lost: vec![0; classes],
            paper: Paper::new(model),
            flows: Flows::new(&model.classes),
            sources,
            look: Look::default(),
            ahead: Ahead::default(),
            model,
        }
    }

    /// Schedules what is known beforehand.
    fn open(&mut self) {
        for (edit, number) in self.model.edits.iter().zip(0_u32..) {
            self.calendar.push(edit.at, Rank::Change, Event::Edit(number));
        }
        for site in (0..self.model.sites.len()).map(SiteId::of) {
            self.observer.on(self.now, &Fact::Placed { site, unit: self.unit_of[site.index()] });
        }
        self.calendar.push(Time(0) + self.model.bin, Rank::Watch, Event::Look);
        self.open_paths();
        self.begin_steady_streams();
        if let Some(first) = self.model.replay.as_ref().and_then(|replay| replay.first()) {
            self.calendar.push(first.at, Rank::Arrival, Event::Replay);
            return;
        }
        self.calendar.push(Time(0), Rank::Change, Event::Day(0));
        for (class, id) in self.model.classes.iter().zip(0_u8..) {
            let curfews = &class.rules.curfews;
            // Of several that end together the last one written says how what has waited starts.
            let last = |place: usize| curfews[place + 1..].iter().all(|other| other.until != curfews[place].until);
            for (curfew, number) in curfews.iter().zip(0_u32..).filter(|(_, number)| last(*number as usize)) {
                self.calendar.push(curfew.until, Rank::Change, Event::Lift(ClassId(id), number));
            }
        }
    }

    /// Handles some of what comes next; false when nothing does before `end`.
    fn steps(&mut self, end: Time) -> bool {
        (0..STEPS).all(|_| self.step(end))
    }

    /// Handles what comes next; false when nothing does before `end`.
    fn step(&mut self, end: Time) -> bool {
        let (inside, unit) = self.next_inside();
        self.prefetch_end(unit);
        // At the same instant, what happens inside goes first.
        if let Some((now, &event)) = self.calendar.pop_before(inside.min(end + Span(1))) {
            self.now = now;
            if self.calendar.came_up_with(SEVERAL) {
                cold_path();
                self.prefetch_events();
            }
            if let Event::Enter(flow, journey) = event {
                // Most are that, and need not wait for all that others have to put aside.
                self.window_leaves(flow, journey);
                return true;
            }
            self.handle(event);
            return true;
        }
        if inside > end {
            return false;
        }
        self.now = inside;
        self.happen(unit);
        true
    }

    /// A flow ends, or something happens in the packet network.
    fn happen(&mut self, unit: UnitId) {
        let Some(packets) = &mut self.packets else { return self.complete(unit) };
        let heard = packets.step();
        if !heard.is_empty() {
            self.heard.extend_from_slice(heard);
            self.hear();
        }
    }

    /// What the network tells is passed on.
    fn hear(&mut self) {
        for place in 0..self.heard.len() {
            match self.heard[place] {
                // What was given up may arrive all the same, where a transfer is one packet.
                Heard::Done(flow, journey) if self.flows.get(flow).journey == journey => {
                    self.done(flow, Parts::default());
                }
                Heard::Done(..) => {}
                Heard::Voice { class, site, delay } => {
                    self.observer.on(self.now, &Fact::Voice { class, site, delay });
                }
            }
        }
        self.heard.clear();
    }

    /// When and where the next flow ends; at packet fidelity when something happens in the network.
    fn next_inside(&mut self) -> (Time, UnitId) {
        if let Some(packets) = &mut self.packets {
            return (packets.next_time(), UnitId(0));
        }
        // One concentrator needs no loop, and this is asked for at every event.
        let (end, unit) = match &self.units[..] {
            [only] => (only.next_end(), 0),
            units => first_of(units),
        };
        (end.max(self.now), UnitId::of(unit))
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Day(day) => self.day(day),
            Event::Act(class, user) => self.act(class, user),
            Event::Arrive(class) => self.arrive(class),
            Event::Job(class) => self.job(class),
            Event::Replay => self.replay(),
            Event::Surge(class) => self.surge(class),
            Event::Enter(flow, journey) => self.window_leaves(flow, journey),
            Event::Start(flow, life) => self.start_deferred(flow, life),
            Event::Lift(class, number) => self.lift(class, number),
            Event::PowerOff(class) => self.power_off(class),
            Event::PowerOn(class) => self.power_on(class),
            Event::Patience(class) => self.patience(class),
            Event::HangUp(call, life) => self.hang_up(call, life),
            Event::Edit(number) => self.edit(number),
            Event::Fault(number, begins) => self.fault(number, begins),
            Event::Flap(firewall) => self.flap(firewall),
            Event::Mended(firewall) => self.mended(firewall),
            Event::Notice(site, breaks) => self.notice(site, breaks),
            Event::Request(site, number) => self.send_request(site, number),
            Event::Handshake(unit, epoch) => self.handshake(unit, epoch),
            Event::Stands(site, number) => self.stands(site, number),
            Event::Rekey(site, epoch) => self.rekey(site, epoch),
            Event::FailBack(unit, epoch) => self.come_back(unit, epoch),
            Event::Resume(flow, journey) => self.resume(flow, journey),
            Event::Look => {
                self.watch();
                self.calendar.push(self.now + self.model.bin, Rank::Watch, Event::Look);
            }
        }
    }

    /// The inside at the end, and what is still under way.
    fn close(&mut self, end: Time) {
        self.now = self.now.max(end);
        self.watch();
        self.tell_unfinished();
    }

    fn demand(&self, class: ClassId) -> &'m Demand {
        &self.model.classes[class.index()].demand
    }
}

/// When and where the next flow of several concentrators ends.
fn first_of(units: &[Concentrator]) -> (Time, usize) {
    let ends = units.iter().map(Concentrator::next_end).zip(0..);
    ends.min_by_key(|&(end, _)| end).unwrap_or((Time::NEVER, 0))
}
