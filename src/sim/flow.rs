//! The life of a transaction: it begins, waits if it must, reaches the concentrator, is served, and ends done or
//! given up.
//!
//! How it is served depends on the transport: with TCP in rounds (`rounds.rs`) or packet by packet (`packet.rs`);
//! where transport is ideal all turns of an action are carried as one flow, which is exact (a turn that follows at
//! once goes on where the last one was).

use std::collections::VecDeque;
use std::hint::cold_path;

use crate::random::Purpose;
use crate::scenario::model::{Balancer, Class, ClassId, Curfew, Release, SiteId, Tcp, Transport, UnitId, taken};
use crate::sim::ahead::prefetch;
use crate::sim::band::FlowId;
use crate::sim::calendar::Rank;
use crate::sim::concentrator::Job;
use crate::sim::demand::{Named, sizes};
use crate::sim::likely::{likely, unlikely};
use crate::sim::observer::{Fact, Observer, Outcome, Parts, Record};
use crate::sim::packet::wire::Label;
use crate::sim::rounds::Round;
use crate::sim::times::Times;
use crate::sim::transport::Turn;
use crate::sim::{Engine, Event};
use crate::units::{Bytes, Span, Time};

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The slot is free.
    Free,
    /// Waits for a release.
    Deferred,
    /// Waits for its workstation to come on.
    Unpowered,
    /// Round trips before its bytes reach the concentrator.
    Approaching,
    /// Shares the concentrator.
    Sharing,
    /// Its site is cut off, or its servers are.
    Stalled,
}

/// Who or what asked, and the name of what is drawn for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asker {
    /// A person at a workstation, who goes on afterwards.
    User(u32, Named),
    /// An open process or a daily job.
    Nobody(Named),
    /// A replay, with its sizes: nothing is drawn.
    Replay(Bytes, Bytes),
}

impl Asker {
    #[inline]
    fn named(&self) -> Option<&Named> {
        match self {
            Self::User(_, named) | Self::Nobody(named) => Some(named),
            Self::Replay(..) => None,
        }
    }
}

/// A transaction under way. What its rounds need stands first, in two lines of the cache.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Flow {
    /// Changes whenever what was scheduled for its way through the network becomes void.
    pub journey: u32,
    pub site: SiteId,
    pub unit: UnitId,
    pub class: ClassId,
    pub state: State,
    /// How many turns it has.
    pub turns: u8,
    pub round: Round,
    pub times: Times,
    /// Changes whenever what was scheduled for the try becomes void.
    pub life: u32,
    tries: u8,
    settled: bool,
    pub started: Time,
    pub asker: Asker,
    /// Since when it stands still.
    pub stalled: Time,
    /// Bytes of all requests and of all responses.
    asked: (u64, u64),
    /// Work, and what is left of it if it was cut short [bit].
    pub work: f64,
    pub resumes: Option<f64>,
    unloaded: f64,
}

impl Flow {
    /// What a free slot holds.
    fn free(now: Time) -> Self {
        Self {
            journey: 0,
            site: SiteId(0),
            unit: UnitId(0),
            class: ClassId(0),
            state: State::Free,
            turns: 0,
            round: Round::default(),
            times: Times::new(now),
            life: 0,
            tries: 0,
            settled: true,
            started: now,
            asker: Asker::Replay(Bytes(0), Bytes(0)),
            stalled: now,
            asked: (0, 0),
            work: 0.0,
            resumes: None,
            unloaded: 0.0,
        }
    }

    /// Bytes asked for.
    pub fn bytes(&self) -> u64 {
        self.asked.0 + self.asked.1
    }

    /// What was scheduled for it is void.
    fn interrupt(&mut self) {
        self.life += 1;
        self.journey += 1;
    }
}

const _: () = assert!(std::mem::offset_of!(Flow, times) + size_of::<Times>() == 128 && size_of::<Flow>() == 256);

/// A turn of a transaction, drawn once, and what a segment of its answer costs its concentrator, all that comes with it
/// included [bit].
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub turn: Turn,
    pub segment: f64,
}

impl Step {
    const NONE: Self = Self { turn: Turn::NONE, segment: 0.0 };
}

/// All transactions under way, in slots that are used again; and the deadlines of those who wait.
#[derive(Debug)]
pub(super) struct Flows {
    slots: Vec<Flow>,
    /// A row a slot, as long as the longest action.
    steps: Vec<Step>,
    row: usize,
    free: Vec<FlowId>,
    /// By class, in order of start, which is the order of deadline.
    patience: Vec<VecDeque<(Time, FlowId, u32)>>,
    armed: Vec<bool>,
}

impl Flows {
    pub fn new(classes: &[Class]) -> Self {
        Self {
            slots: Vec::new(),
            steps: Vec::new(),
            row: classes.iter().map(|class| usize::from(class.turns)).max().unwrap_or(1),
            free: Vec::new(),
            patience: vec![VecDeque::new(); classes.len()],
            armed: vec![false; classes.len()],
        }
    }

    pub fn get(&self, id: FlowId) -> &Flow {
        &self.slots[id as usize]
    }

    pub fn get_mut(&mut self, id: FlowId) -> &mut Flow {
        &mut self.slots[id as usize]
    }

    /// Asks for the lines of the cache that a window of a transaction needs.
    pub fn prefetch_window(&self, id: FlowId) {
        let flow = self.get(id);
        prefetch(flow);
        flow.times.prefetch();
    }

    /// Asks for all lines of a transaction.
    pub fn prefetch(&self, id: FlowId) {
        self.prefetch_window(id);
        let flow = self.get(id);
        prefetch(&flow.life);
        prefetch(&flow.unloaded);
        prefetch(self.step(id, 0));
    }

    /// One turn of a transaction.
    pub fn step(&self, id: FlowId, turn: u8) -> &Step {
        &self.steps[id as usize * self.row + usize::from(turn)]
    }

    /// A transaction, and the places of its turns.
    pub fn row_mut(&mut self, id: FlowId) -> (&mut Flow, &mut [Step]) {
        (&mut self.slots[id as usize], &mut self.steps[id as usize * self.row..][..self.row])
    }

    fn turns(&self, id: FlowId) -> impl Iterator<Item = Turn> + '_ {
        (0..self.slots[id as usize].turns).map(move |turn| self.step(id, turn).turn)
    }

    /// Every transaction that is not over, by slot.
    pub fn all(&self) -> impl Iterator<Item = (FlowId, &Flow)> {
        (0_u32..).zip(&self.slots).filter(|(_, flow)| flow.state != State::Free)
    }

    /// A free slot: its journey and its life are those that nothing was scheduled for. The transaction is put together there,
    /// and not copied to it.
    fn slot(&mut self) -> (FlowId, &mut Flow) {
        let id = self.free.pop().unwrap_or_else(|| self.grow());
        (id, &mut self.slots[id as usize])
    }

    #[cold]
    fn grow(&mut self) -> FlowId {
        self.slots.push(Flow::free(Time(0)));
        self.steps.resize(self.slots.len() * self.row, Step::NONE);
        u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 transactions are under way")
    }

    fn remove(&mut self, id: FlowId) {
        let flow = &mut self.slots[id as usize];
        flow.state = State::Free;
        flow.interrupt();
        self.free.push(id);
    }
}

impl<'m, O: Observer> Engine<'m, O> {
    pub(super) fn tcp(&self) -> Option<&'m Tcp> {
        match &self.model.transport {
            Transport::Ideal => None,
            Transport::Tcp(tcp) => Some(tcp),
        }
    }

    /// A transaction is wanted: it is switched off, served elsewhere, deferred, or launched.
    #[inline(always)]
    pub(super) fn begin(&mut self, class: ClassId, site: SiteId, asker: Asker) {
        let id = self.add(class, site, asker);
        self.launch(id);
    }

    /// Something is done by hand, for want of a connection.
    pub(super) fn begin_on_paper(&mut self, class: ClassId, site: SiteId, asker: Asker) {
        let id = self.add(class, site, asker);
        self.end(id, Outcome::OnPaper, 0.0);
    }

    fn add(&mut self, class: ClassId, site: SiteId, asker: Asker) -> FlowId {
        self.observer.on(self.now, &Fact::Started { class, site });
        let (unit, now) = (self.unit_of[site.index()], self.now);
        let (id, slot) = self.flows.slot();
        *slot = Flow {
            life: slot.life,
            journey: slot.journey,
            class,
            site,
            unit,
            state: State::Approaching,
            asker,
            ..Flow::free(now)
        };
        id
    }

    pub(super) fn class(&self, id: FlowId) -> &'_ Class {
        &self.model.classes[self.flows.get(id).class.index()]
    }

    /// Applies the rules in force, then sets off.
    fn launch(&mut self, id: FlowId) {
        self.ask(id);
        if self.is_off(id) {
            cold_path();
            self.end(id, Outcome::Off, 0.0);
        } else if self.goes_elsewhere(id) || self.is_stored(id) {
            cold_path();
            let (_, unloaded) = self.price(id);
            let flow = self.flows.get_mut(id);
            flow.unloaded = unloaded.sum();
            flow.times.expect(self.now, unloaded);
            self.settle_bytes(id, true);
            self.end(id, Outcome::Local, unloaded.sum());
        } else if self.is_declined(id) {
            cold_path();
            self.end(id, Outcome::Declined, 0.0);
        } else if !self.is_deferred(id) && !self.is_unpowered(id) {
            self.depart(id);
        }
    }

    /// Draws the sizes of all turns; their bytes are asked for from now on.
    #[inline(always)]
    fn ask(&mut self, id: FlowId) {
        let segment = segment_of(self.model.transport);
        let (flow, row) = self.flows.row_mut(id);
        (flow.turns, flow.asked) = match &flow.asker {
            Asker::User(_, named) | Asker::Nobody(named) => {
                fill(row, sizes(named, &self.model.classes[flow.class.index()]), segment)
            }
            &Asker::Replay(request, response) => {
                cold_path();
                fill(row, std::iter::once((request, response)), segment)
            }
        };
        flow.settled = false;
        let fact = Fact::Asked { class: flow.class, bytes: Bytes(flow.bytes()) };
        self.observer.on(self.now, &fact);
    }

    fn is_off(&self, id: FlowId) -> bool {
        self.class(id).rules.off.iter().any(|&(from, until)| from <= self.now && self.now < until)
    }

    fn goes_elsewhere(&self, id: FlowId) -> bool {
        let rules = &self.class(id).rules;
        let named = self.flows.get(id).asker.named();
        let Some(named) = named.filter(|_| unlikely(!rules.cached.is_empty()) || unlikely(!rules.around.is_empty()))
        else {
            return false;
        };
        cold_path();
        let mut stream = named.stream(Purpose::Whether);
        let (cache, around) = (stream.uniform(), stream.uniform());
        cache < taken(&rules.cached, self.now) || around < taken(&rules.around, self.now)
    }

    /// While its site is cut off, a server on site may carry it; then it is forwarded when the site is back.
    fn is_stored(&mut self, id: FlowId) -> bool {
        let flow = self.flows.get(id);
        let (site, class) = (flow.site, flow.class);
        let model = self.model;
        let stored = &model.classes[class.index()].rules.stored;
        let named = flow.asker.named().filter(|_| unlikely(!stored.is_empty()) && !self.reaches(site, class));
        let Some(&named) = named else { return false };
        cold_path();
        let mut u = named.stream(Purpose::Store).uniform();
        for (share, forward) in stored {
            if u < share.0 {
                if let Some(forward) = forward {
                    self.begin(
                        *forward,
                        site,
                        Asker::Nobody(named.forwarded(self.sources.class_names[forward.index()])),
                    );
                }
                return true;
            }
            u -= share.0;
        }
        false
    }

    /// While its site is cut off, the desk may turn it away.
    fn is_declined(&self, id: FlowId) -> bool {
        let flow = self.flows.get(id);
        let declined = self.class(id).declined.0;
        declined > 0.0
            && !self.reaches(flow.site, flow.class)
            && flow.asker.named().is_some_and(|named| named.stream(Purpose::Fallback).uniform() < declined)
    }

    #[inline(always)]
    fn is_deferred(&mut self, id: FlowId) -> bool {
        let Asker::Nobody(named) = self.flows.get(id).asker else { return false };
        let obeys = |curfew: &&Curfew| {
            let mut stream = named.stream(Purpose::Whether);
            let _ = (stream.uniform(), stream.uniform());
            stream.uniform() < curfew.compliance.0
        };
        let now = self.now;
        let forbids = |curfew: &&Curfew| curfew.from <= now && now < curfew.until;
        if self.class(id).rules.curfews.iter().filter(forbids).any(|curfew| obeys(&curfew)) {
            cold_path();
            self.hold(id, State::Deferred);
            return true;
        }
        false
    }

    #[inline(always)]
    fn is_unpowered(&mut self, id: FlowId) -> bool {
        let Some((on, off)) = self.powered(self.flows.get(id).class) else { return false };
        let clock = self.now.clock();
        if on <= clock && clock < off {
            return false;
        }
        cold_path();
        self.hold(id, State::Unpowered);
        true
    }

    pub(super) fn hold(&mut self, id: FlowId, state: State) {
        let flow = self.flows.get_mut(id);
        flow.state = state;
        flow.interrupt();
        flow.times.hold(self.now);
        let fact = Fact::Deferred { class: flow.class, site: flow.site };
        self.observer.on(self.now, &fact);
    }

    /// A curfew ends: what has waited for it is released.
    pub(super) fn lift(&mut self, class: ClassId, number: u32) {
        let curfew = self.model.classes[class.index()].rules.curfews[number as usize];
        let mut waiting: Vec<(Time, FlowId)> = self
            .flows
            .all()
            .filter(|(_, flow)| flow.class == class && flow.state == State::Deferred)
            .map(|(id, flow)| (flow.started, id))
            .collect();
        waiting.sort_unstable();
        let count = waiting.len() as u64;
        for (place, (_, id)) in (0_u64..).zip(waiting) {
            let after = match curfew.release {
                Release::AtOnce => Span(0),
                Release::Spread(over) => Span(share_of(over.0, place, count)),
                Release::Jittered(up_to) => self.jitter(id, up_to),
            };
            let life = self.flows.get(id).life;
            self.calendar.push(self.now + after, Rank::Arrival, Event::Start(id, life));
        }
    }

    pub(super) fn jitter(&self, id: FlowId, up_to: Span) -> Span {
        let named = self.flows.get(id).asker.named();
        let share = named.map_or(0.0, |named| named.stream(Purpose::Release).uniform());
        Span::of_secs(up_to.secs() * share)
    }

    /// A job that was held starts now, unless another rule holds it.
    pub(super) fn start_deferred(&mut self, id: FlowId, life: u32) {
        let flow = self.flows.get(id);
        // Several curfews that end one after the other may have released it; it starts once.
        if flow.life != life || !matches!(flow.state, State::Deferred | State::Unpowered) {
            return;
        }
        if self.is_off(id) {
            self.end(id, Outcome::Off, 0.0);
        } else if !self.is_deferred(id) && !self.is_unpowered(id) {
            self.depart(id);
        }
    }

    /// A try begins: patience starts to run, and so does the first turn's approach.
    #[inline(always)]
    fn depart(&mut self, id: FlowId) {
        if let Some(patience) = self.class(id).patience {
            let class = self.flows.get(id).class;
            let (deadline, life) = (self.now + patience, self.flows.get(id).life);
            self.flows.patience[class.index()].push_back((deadline, id, life));
            if !std::mem::replace(&mut self.flows.armed[class.index()], true) {
                cold_path();
                self.calendar.push(deadline, Rank::Change, Event::Patience(class));
            }
        }
        self.approach(id);
    }

    /// The round trips before the bytes reach the concentrator; at packet fidelity the network takes over.
    #[inline(always)]
    fn approach(&mut self, id: FlowId) {
        self.choose_unit(id);
        let (work, unloaded) = self.price(id);
        let flow = self.flows.get_mut(id);
        flow.unloaded = unloaded.sum();
        if !self.reaches(self.flows.get(id).site, self.flows.get(id).class) {
            cold_path();
            self.stand_still(id);
            return;
        }
        if self.packets.is_some() {
            cold_path();
            self.flows.get_mut(id).times.expect(self.now, unloaded);
            self.hand_over(id, work);
            return;
        }
        let flow = self.flows.get_mut(id);
        flow.state = State::Approaching;
        let resumes = flow.resumes.take();
        flow.work = resumes.unwrap_or(work);
        if likely(self.tcp().is_some()) {
            self.set_off(id, resumes);
        } else {
            self.share(id);
        }
    }

    /// Gives a flow to the packet network.
    fn hand_over(&mut self, id: FlowId, work: f64) {
        let flow = self.flows.get_mut(id);
        flow.state = State::Sharing;
        let left = flow.resumes.take().map_or(1.0, |left| left / work);
        flow.work = work * left;
        let label = Label { owner: id, life: flow.journey, site: flow.site, class: flow.class, unit: flow.unit };
        let class = &self.model.classes[flow.class.index()];
        let stands = (!class.connects).then(|| self.model.sites[flow.site.index()].rtt);
        let Some(packets) = &mut self.packets else { return };
        let segment = segment_of(self.model.transport);
        let rest = self.flows.turns(id).map(|turn| if left < 1.0 { turn.part(left, segment) } else { turn });
        packets.open(self.now, label, rest, class.server, stands);
    }

    /// The last byte is at the site `after` seconds from now.
    #[inline(always)]
    pub(super) fn done(&mut self, id: FlowId, after: Parts) {
        self.settle_bytes(id, true);
        let flow = self.flows.get_mut(id);
        let waited = self.now.since(flow.started).secs() + flow.times.expect(self.now, after);
        self.end(id, Outcome::Done, waited);
    }

    /// A flow's way is blocked: it keeps what it has until its sender gets through again.
    pub(super) fn stall(&mut self, id: FlowId) {
        let left = self.take_out(id);
        let flow = self.flows.get_mut(id);
        let left = left.or_else(|| flow.round.work_left());
        flow.resumes = left.or(flow.resumes);
        self.stand_still(id);
    }

    fn stand_still(&mut self, id: FlowId) {
        let flow = self.flows.get_mut(id);
        flow.journey += 1;
        (flow.state, flow.stalled) = (State::Stalled, self.now);
        flow.times.hold(self.now);
    }

    /// The sender of a stalled flow tries again; if it is still blocked it waits on.
    pub(super) fn resume(&mut self, id: FlowId, journey: u32) {
        let flow = self.flows.get(id);
        if flow.journey != journey || !self.reaches(flow.site, flow.class) {
            return;
        }
        // It may have been told to try again more than once.
        self.flows.get_mut(id).journey += 1;
        self.choose_unit(id);
        let again = self.tcp().is_some() && self.packets.is_none() && self.flows.get(id).resumes.is_some();
        if !again {
            self.approach(id);
            return;
        }
        let flow = self.flows.get_mut(id);
        flow.state = State::Approaching;
        let left = flow.resumes.take();
        self.price(id);
        self.set_off_again(id, left);
    }

    /// Where balancing is by transaction, the least crowded concentrator; else the site's tunnel.
    #[inline(always)]
    fn choose_unit(&mut self, id: FlowId) {
        let flow = self.flows.get(id);
        let pool = &self.model.pools[self.model.pool_of[flow.site.index()].index()];
        let mut unit = self.unit_of[flow.site.index()];
        if unlikely(pool.balancer == Balancer::JoinShortest) {
            let open = pool.units.iter().filter(|unit| self.model.units[unit.index()].opens <= self.now);
            let crowding = |unit: &UnitId| self.units[unit.index()].crowding();
            unit = open.copied().min_by(|a, b| crowding(a).total_cmp(&crowding(b))).unwrap_or(unit);
        }
        self.flows.get_mut(id).unit = unit;
    }

    /// All that is left shares the concentrator.
    pub(super) fn share(&mut self, id: FlowId) {
        let flow = self.flows.get_mut(id);
        flow.state = State::Sharing;
        let job = Job { flow: id, site: flow.site, class: flow.class, work: flow.work };
        let unit = &mut self.units[flow.unit.index()];
        let alone = flow.work / unit.access(flow.site).min(unit.throughput()).max(1.0);
        flow.times.expect(self.now, Parts { transfer: alone, ..Parts::default() });
        unit.advance(self.now);
        unit.admit(job);
    }

    /// The last bits of a flow leave the concentrator.
    pub(super) fn complete(&mut self, unit: UnitId) {
        let tcp = self.tcp().is_some();
        let concentrator = &mut self.units[unit.index()];
        concentrator.advance(self.now);
        let Some(id) = concentrator.finish() else { return };
        let flow = self.flows.get(id);
        concentrator.finished(Job { flow: id, site: flow.site, class: flow.class, work: flow.work });
        if likely(tcp) {
            self.last_bits(id);
        } else {
            self.done(id, Parts::default());
        }
    }

    fn settle_bytes(&mut self, id: FlowId, served: bool) {
        let flow = self.flows.get_mut(id);
        flow.settled = true;
        let fact = Fact::Settled { class: flow.class, bytes: Bytes(flow.bytes()), served };
        self.observer.on(self.now, &fact);
    }

    /// The transaction is over after `latency` seconds; a person thinks and goes on.
    #[inline(always)]
    fn end(&mut self, id: FlowId, outcome: Outcome, latency: f64) {
        if unlikely(!self.flows.get(id).settled) {
            self.settle_bytes(id, false);
        }
        let record = self.record(id, outcome, Span::of_secs(latency));
        self.observer.on(self.now, &Fact::Ended(record));
        let flow = self.flows.get(id);
        let (class, site, asker) = (flow.class, flow.site, flow.asker);
        let over = flow.started + record.latency;
        self.flows.remove(id);
        if let Asker::User(user, named) = asker {
            if unlikely(outcome == Outcome::GivenUp) {
                self.fall_back(class, site, &named);
            }
            self.think(class, user, &named, over.max(self.now));
        }
    }

    #[inline(always)]
    fn record(&mut self, id: FlowId, outcome: Outcome, latency: Span) -> Record {
        let flow = self.flows.get_mut(id);
        let parts = flow.times.close(flow.started + latency);
        Record {
            class: flow.class,
            site: flow.site,
            unit: flow.unit,
            started: flow.started,
            latency,
            unloaded: Span::of_secs(flow.unloaded),
            request: Bytes(flow.asked.0),
            response: Bytes(flow.asked.1),
            outcome,
            parts,
        }
    }

    /// Those whose patience has run out try again or give up.
    pub(super) fn patience(&mut self, class: ClassId) {
        while let Some(&(deadline, id, life)) = self.flows.patience[class.index()].front() {
            let stale = self.flows.get(id).life != life;
            if !stale && deadline > self.now {
                self.calendar.push(deadline, Rank::Change, Event::Patience(class));
                return;
            }
            self.flows.patience[class.index()].pop_front();
            if !stale {
                self.lose_patience(id);
            }
        }
        self.flows.armed[class.index()] = false;
    }

    fn lose_patience(&mut self, id: FlowId) {
        self.take_out(id);
        self.settle_bytes(id, false);
        let retries = self.class(id).retries;
        let flow = self.flows.get_mut(id);
        flow.interrupt();
        flow.resumes = None;
        if flow.tries >= retries {
            let waited = self.now.since(flow.started).secs();
            self.end(id, Outcome::GivenUp, waited);
            return;
        }
        flow.tries += 1;
        self.ask(id);
        self.depart(id);
    }

    /// Takes a flow out of its concentrator, if it is in; what is left of its work comes back [bit].
    fn take_out(&mut self, id: FlowId) -> Option<f64> {
        let flow = self.flows.get(id);
        if flow.state != State::Sharing {
            return None;
        }
        if let Some(packets) = &mut self.packets {
            return Some(flow.work * packets.close(id));
        }
        let job = Job { flow: id, site: flow.site, class: flow.class, work: flow.work };
        let unit = &mut self.units[flow.unit.index()];
        unit.advance(self.now);
        Some(unit.withdraw(job))
    }

    /// Workstations go off: jobs under way are cut short and keep what they have.
    pub(super) fn power_off(&mut self, class: ClassId) {
        let under_way = |flow: &Flow| matches!(flow.state, State::Sharing | State::Approaching | State::Stalled);
        let cut: Vec<FlowId> =
            self.flows.all().filter(|(_, flow)| flow.class == class && under_way(flow)).map(|(id, _)| id).collect();
        for id in cut {
            let left = self.take_out(id);
            let flow = self.flows.get_mut(id);
            flow.resumes = left.or_else(|| flow.round.work_left()).or(flow.resumes);
            self.hold(id, State::Unpowered);
        }
    }

    /// Workstations come on: what was cut short goes on within the next half hour.
    pub(super) fn power_on(&mut self, class: ClassId) {
        let waiting: Vec<(FlowId, u32)> = self
            .flows
            .all()
            .filter(|(_, flow)| flow.class == class && flow.state == State::Unpowered)
            .map(|(id, flow)| (id, flow.life))
            .collect();
        for (id, life) in waiting {
            let at = self.now + self.jitter(id, START_UP);
            self.calendar.push(at, Rank::Arrival, Event::Start(id, life));
        }
    }

    pub(super) fn tell_unfinished(&mut self) {
        let ids: Vec<FlowId> = self.flows.all().map(|(id, _)| id).collect();
        for id in ids {
            let waited = self.now.since(self.flows.get(id).started);
            let record = self.record(id, Outcome::Inside, waited);
            self.observer.on(self.now, &Fact::Ended(record));
        }
    }
}

/// Puts turns of these sizes in their places; gives their number, and the bytes of all requests and of all responses.
#[inline(always)]
fn fill(row: &mut [Step], sizes: impl Iterator<Item = (Bytes, Bytes)>, segment: Bytes) -> (u8, (u64, u64)) {
    let (mut turns, mut asked) = (0, (0, 0));
    for (step, (request, response)) in row.iter_mut().zip(sizes) {
        step.turn = Turn::new(request, response, segment);
        turns += 1;
        asked = (asked.0 + request.0, asked.1 + response.0);
    }
    (turns, asked)
}

/// Payload of a segment; where transport is ideal the number of segments does not matter.
fn segment_of(transport: Transport) -> Bytes {
    match transport {
        Transport::Ideal => Bytes(1 << 20),
        Transport::Tcp(tcp) => tcp.segment,
    }
}

/// People switch their workstations on within this time of opening.
const START_UP: Span = Span(1_800_000_000_000);

#[allow(clippy::cast_possible_truncation)] // below `whole`
fn share_of(whole: u64, part: u64, of: u64) -> u64 {
    (u128::from(whole) * u128::from(part) / u128::from(of.max(1))) as u64
}
