//! The life of a transaction: it begins, waits if it must, reaches the concentrator, is served, and ends done or
//! given up.
//!
//! How it is served depends on the transport: with TCP in rounds (`rounds.rs`) or packet by packet (`packet.rs`);
//! where transport is ideal all turns of an action are carried as one flow, which is exact (a turn that follows at
//! once goes on where the last one was).

use std::collections::VecDeque;
use std::hint::cold_path;

use crate::random::Purpose;
use crate::scenario::model::{
    Balancer, Class, ClassId, ConcentratorId, Curfew, Release, SiteId, Tcp, Transport, taken,
};
use crate::sim::ahead::prefetch;
use crate::sim::band::TransactionId;
use crate::sim::calendar::Rank;
use crate::sim::concentrator::Share;
use crate::sim::demand::{DrawKey, sizes};
use crate::sim::likely::{likely, unlikely};
use crate::sim::observer::{Fact, Observer, Outcome, Parts, Record};
use crate::sim::packet::wire::FlowKey;
use crate::sim::rounds::Transfer;
use crate::sim::times::LatencyParts;
use crate::sim::transport::Turn;
use crate::sim::{Engine, Event};
use crate::units::{Bytes, Duration, Time};

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
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
pub(super) enum Initiator {
    /// A person at a workstation, who goes on afterwards.
    User(u32, DrawKey),
    /// An open process or a daily job.
    Process(DrawKey),
    /// A replay, with its sizes: nothing is drawn.
    Replay(Bytes, Bytes),
}

impl Initiator {
    #[inline]
    fn draw_key(&self) -> Option<&DrawKey> {
        match self {
            Self::User(_, named) | Self::Process(named) => Some(named),
            Self::Replay(..) => None,
        }
    }
}

/// A transaction under way. What its rounds need stands first, in two lines of the cache.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub(super) struct Transaction {
    /// Changes whenever what was scheduled for its way through the network becomes void.
    pub transfer_epoch: u32,
    pub site: SiteId,
    pub concentrator: ConcentratorId,
    pub class: ClassId,
    pub stage: Stage,
    /// How many turns it has.
    pub turns: u8,
    pub transfer: Transfer,
    pub latency: LatencyParts,
    /// Changes whenever what was scheduled for the try becomes void.
    pub attempt_epoch: u32,
    attempts: u8,
    resolved: bool,
    pub started: Time,
    pub initiator: Initiator,
    /// Since when it stands still.
    pub stalled_at: Time,
    /// Bytes of all requests and of all responses.
    bytes_requested: (u64, u64),
    /// Work, and what is left of it if it was cut short [bit].
    pub work: f64,
    pub work_left: Option<f64>,
    unloaded: f64,
}

impl Transaction {
    /// What a free slot holds.
    fn free(now: Time) -> Self {
        Self {
            transfer_epoch: 0,
            site: SiteId(0),
            concentrator: ConcentratorId(0),
            class: ClassId(0),
            stage: Stage::Free,
            turns: 0,
            transfer: Transfer::default(),
            latency: LatencyParts::new(now),
            attempt_epoch: 0,
            attempts: 0,
            resolved: true,
            started: now,
            initiator: Initiator::Replay(Bytes(0), Bytes(0)),
            stalled_at: now,
            bytes_requested: (0, 0),
            work: 0.0,
            work_left: None,
            unloaded: 0.0,
        }
    }

    /// Bytes asked for.
    pub fn bytes(&self) -> u64 {
        self.bytes_requested.0 + self.bytes_requested.1
    }

    /// What was scheduled for it is void.
    fn interrupt(&mut self) {
        self.attempt_epoch += 1;
        self.transfer_epoch += 1;
    }
}

const _: () = assert!(
    std::mem::offset_of!(Transaction, latency) + size_of::<LatencyParts>() == 128 && size_of::<Transaction>() == 256
);

/// A turn of a transaction, drawn once, and what a segment of its answer costs its concentrator, all that comes with it
/// included [bit].
#[derive(Clone, Copy, Debug)]
pub(super) struct PricedTurn {
    pub turn: Turn,
    pub segment: f64,
}

impl PricedTurn {
    const NONE: Self = Self { turn: Turn::NONE, segment: 0.0 };
}

/// All transactions under way, in slots that are used again; and the deadlines of those who wait.
#[derive(Debug)]
pub(super) struct TransactionSlab {
    slots: Vec<Transaction>,
    /// A row a slot, as long as the longest action.
    turns: Vec<PricedTurn>,
    max_turns: usize,
    free: Vec<TransactionId>,
    /// By class, in order of start, which is the order of deadline.
    patience: Vec<VecDeque<(Time, TransactionId, u32)>>,
    patience_armed: Vec<bool>,
}

impl TransactionSlab {
    pub fn new(classes: &[Class]) -> Self {
        Self {
            slots: Vec::new(),
            turns: Vec::new(),
            max_turns: classes.iter().map(|class| usize::from(class.turns)).max().unwrap_or(1),
            free: Vec::new(),
            patience: vec![VecDeque::new(); classes.len()],
            patience_armed: vec![false; classes.len()],
        }
    }

    pub fn get(&self, id: TransactionId) -> &Transaction {
        &self.slots[id as usize]
    }

    pub fn get_mut(&mut self, id: TransactionId) -> &mut Transaction {
        &mut self.slots[id as usize]
    }

    /// Asks for the lines of the cache that a window of a transaction needs.
    pub fn prefetch_window(&self, id: TransactionId) {
        let flow = self.get(id);
        prefetch(flow);
        flow.latency.prefetch();
    }

    /// Asks for all lines of a transaction.
    pub fn prefetch(&self, id: TransactionId) {
        self.prefetch_window(id);
        let flow = self.get(id);
        prefetch(&flow.attempt_epoch);
        prefetch(&flow.unloaded);
        prefetch(self.step(id, 0));
    }

    /// One turn of a transaction.
    pub fn step(&self, id: TransactionId, turn: u8) -> &PricedTurn {
        &self.turns[id as usize * self.max_turns + usize::from(turn)]
    }

    /// A transaction, and the places of its turns.
    pub fn row_mut(&mut self, id: TransactionId) -> (&mut Transaction, &mut [PricedTurn]) {
        (&mut self.slots[id as usize], &mut self.turns[id as usize * self.max_turns..][..self.max_turns])
    }

    fn turns(&self, id: TransactionId) -> impl Iterator<Item = Turn> + '_ {
        (0..self.slots[id as usize].turns).map(move |turn| self.step(id, turn).turn)
    }

    /// Every transaction that is not over, by slot.
    pub fn all(&self) -> impl Iterator<Item = (TransactionId, &Transaction)> {
        (0_u32..).zip(&self.slots).filter(|(_, flow)| flow.stage != Stage::Free)
    }

    /// A free slot: its journey and its life are those that nothing was scheduled for. The transaction is put together there,
    /// and not copied to it.
    fn slot(&mut self) -> (TransactionId, &mut Transaction) {
        let id = self.free.pop().unwrap_or_else(|| self.grow());
        (id, &mut self.slots[id as usize])
    }

    #[cold]
    fn grow(&mut self) -> TransactionId {
        self.slots.push(Transaction::free(Time(0)));
        self.turns.resize(self.slots.len() * self.max_turns, PricedTurn::NONE);
        u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 transactions are under way")
    }

    fn remove(&mut self, id: TransactionId) {
        let flow = &mut self.slots[id as usize];
        flow.stage = Stage::Free;
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
    pub(super) fn start(&mut self, class: ClassId, site: SiteId, asker: Initiator) {
        let id = self.insert(class, site, asker);
        self.apply_rules(id);
    }

    /// Something is done by hand, for want of a connection.
    pub(super) fn start_on_paper(&mut self, class: ClassId, site: SiteId, asker: Initiator) {
        let id = self.insert(class, site, asker);
        self.end(id, Outcome::OnPaper, 0.0);
    }

    fn insert(&mut self, class: ClassId, site: SiteId, asker: Initiator) -> TransactionId {
        self.observer.on(self.now, &Fact::Started { class, site });
        let (unit, now) = (self.concentrator_of[site.index()], self.now);
        let (id, slot) = self.transactions.slot();
        *slot = Transaction {
            attempt_epoch: slot.attempt_epoch,
            transfer_epoch: slot.transfer_epoch,
            class,
            site,
            concentrator: unit,
            stage: Stage::Approaching,
            initiator: asker,
            ..Transaction::free(now)
        };
        id
    }

    pub(super) fn class(&self, id: TransactionId) -> &'_ Class {
        &self.model.classes[self.transactions.get(id).class.index()]
    }

    /// Applies the rules in force, then sets off.
    fn apply_rules(&mut self, id: TransactionId) {
        self.draw_sizes(id);
        if self.is_switched_off(id) {
            cold_path();
            self.end(id, Outcome::Off, 0.0);
        } else if self.bypasses_headend(id) || self.is_stored_on_site(id) {
            cold_path();
            let (_, unloaded) = self.price_turns(id);
            let flow = self.transactions.get_mut(id);
            flow.unloaded = unloaded.sum();
            flow.latency.begin_leg(self.now, unloaded);
            self.resolve_bytes(id, true);
            self.end(id, Outcome::Local, unloaded.sum());
        } else if self.is_declined(id) {
            cold_path();
            self.end(id, Outcome::Declined, 0.0);
        } else if !self.is_deferred(id) && !self.is_unpowered(id) {
            self.begin_attempt(id);
        }
    }

    /// Draws the sizes of all turns; their bytes are asked for from now on.
    #[inline(always)]
    fn draw_sizes(&mut self, id: TransactionId) {
        let segment = segment_size(self.model.transport);
        let (flow, row) = self.transactions.row_mut(id);
        (flow.turns, flow.bytes_requested) = match &flow.initiator {
            Initiator::User(_, named) | Initiator::Process(named) => {
                fill_turns(row, sizes(named, &self.model.classes[flow.class.index()]), segment)
            }
            &Initiator::Replay(request, response) => {
                cold_path();
                fill_turns(row, std::iter::once((request, response)), segment)
            }
        };
        flow.resolved = false;
        let fact = Fact::Asked { class: flow.class, bytes: Bytes(flow.bytes()) };
        self.observer.on(self.now, &fact);
    }

    fn is_switched_off(&self, id: TransactionId) -> bool {
        self.class(id).rules.switched_off.iter().any(|&(from, until)| from <= self.now && self.now < until)
    }

    fn bypasses_headend(&self, id: TransactionId) -> bool {
        let rules = &self.class(id).rules;
        let named = self.transactions.get(id).initiator.draw_key();
        let Some(named) = named.filter(|_| unlikely(!rules.cached.is_empty()) || unlikely(!rules.break_out.is_empty()))
        else {
            return false;
        };
        cold_path();
        let mut stream = named.stream(Purpose::Chance);
        let (cache, around) = (stream.uniform(), stream.uniform());
        cache < taken(&rules.cached, self.now) || around < taken(&rules.break_out, self.now)
    }

    /// While its site is cut off, a server on site may carry it; then it is forwarded when the site is back.
    fn is_stored_on_site(&mut self, id: TransactionId) -> bool {
        let flow = self.transactions.get(id);
        let (site, class) = (flow.site, flow.class);
        let model = self.model;
        let stored = &model.classes[class.index()].rules.store_and_forward;
        let named = flow.initiator.draw_key().filter(|_| unlikely(!stored.is_empty()) && !self.reaches(site, class));
        let Some(&named) = named else { return false };
        cold_path();
        let mut u = named.stream(Purpose::Store).uniform();
        for (share, forward) in stored {
            if u < share.0 {
                if let Some(forward) = forward {
                    self.start(
                        *forward,
                        site,
                        Initiator::Process(named.forwarded(self.workload.class_names[forward.index()])),
                    );
                }
                return true;
            }
            u -= share.0;
        }
        false
    }

    /// While its site is cut off, the desk may turn it away.
    fn is_declined(&self, id: TransactionId) -> bool {
        let flow = self.transactions.get(id);
        let declined = self.class(id).declined.0;
        declined > 0.0
            && !self.reaches(flow.site, flow.class)
            && flow.initiator.draw_key().is_some_and(|named| named.stream(Purpose::Fallback).uniform() < declined)
    }

    #[inline(always)]
    fn is_deferred(&mut self, id: TransactionId) -> bool {
        let Initiator::Process(named) = self.transactions.get(id).initiator else { return false };
        let obeys = |curfew: &&Curfew| {
            let mut stream = named.stream(Purpose::Chance);
            let _ = (stream.uniform(), stream.uniform());
            stream.uniform() < curfew.compliance.0
        };
        let now = self.now;
        let forbids = |curfew: &&Curfew| curfew.from <= now && now < curfew.until;
        if self.class(id).rules.curfews.iter().filter(forbids).any(|curfew| obeys(&curfew)) {
            cold_path();
            self.hold(id, Stage::Deferred);
            return true;
        }
        false
    }

    #[inline(always)]
    fn is_unpowered(&mut self, id: TransactionId) -> bool {
        let Some((on, off)) = self.power_hours(self.transactions.get(id).class) else { return false };
        let clock = self.now.clock();
        if on <= clock && clock < off {
            return false;
        }
        cold_path();
        self.hold(id, Stage::Unpowered);
        true
    }

    pub(super) fn hold(&mut self, id: TransactionId, state: Stage) {
        let flow = self.transactions.get_mut(id);
        flow.stage = state;
        flow.interrupt();
        flow.latency.hold(self.now);
        let fact = Fact::Deferred { class: flow.class, site: flow.site };
        self.observer.on(self.now, &fact);
    }

    /// A curfew ends: what has waited for it is released.
    pub(super) fn end_curfew(&mut self, class: ClassId, number: u32) {
        let curfew = self.model.classes[class.index()].rules.curfews[number as usize];
        let mut waiting: Vec<(Time, TransactionId)> = self
            .transactions
            .all()
            .filter(|(_, flow)| flow.class == class && flow.stage == Stage::Deferred)
            .map(|(id, flow)| (flow.started, id))
            .collect();
        waiting.sort_unstable();
        let count = waiting.len() as u64;
        for (place, (_, id)) in (0_u64..).zip(waiting) {
            let after = match curfew.release {
                Release::AtOnce => Duration(0),
                Release::Spread(over) => Duration(proportion(over.0, place, count)),
                Release::Jittered(up_to) => self.jitter(id, up_to),
            };
            let life = self.transactions.get(id).attempt_epoch;
            self.events.push(self.now + after, Rank::Arrival, Event::StartDeferred(id, life));
        }
    }

    pub(super) fn jitter(&self, id: TransactionId, up_to: Duration) -> Duration {
        let named = self.transactions.get(id).initiator.draw_key();
        let share = named.map_or(0.0, |named| named.stream(Purpose::Release).uniform());
        Duration::of_secs(up_to.secs() * share)
    }

    /// A job that was held starts now, unless another rule holds it.
    pub(super) fn start_deferred(&mut self, id: TransactionId, life: u32) {
        let flow = self.transactions.get(id);
        // Several curfews that end one after the other may have released it; it starts once.
        if flow.attempt_epoch != life || !matches!(flow.stage, Stage::Deferred | Stage::Unpowered) {
            return;
        }
        if self.is_switched_off(id) {
            self.end(id, Outcome::Off, 0.0);
        } else if !self.is_deferred(id) && !self.is_unpowered(id) {
            self.begin_attempt(id);
        }
    }

    /// A try begins: patience starts to run, and so does the first turn's approach.
    #[inline(always)]
    fn begin_attempt(&mut self, id: TransactionId) {
        if let Some(patience) = self.class(id).patience {
            let class = self.transactions.get(id).class;
            let (deadline, life) = (self.now + patience, self.transactions.get(id).attempt_epoch);
            self.transactions.patience[class.index()].push_back((deadline, id, life));
            if !std::mem::replace(&mut self.transactions.patience_armed[class.index()], true) {
                cold_path();
                self.events.push(deadline, Rank::Change, Event::Patience(class));
            }
        }
        self.begin_transfer(id);
    }

    /// The round trips before the bytes reach the concentrator; at packet fidelity the network takes over.
    #[inline(always)]
    fn begin_transfer(&mut self, id: TransactionId) {
        self.choose_concentrator(id);
        let (work, unloaded) = self.price_turns(id);
        let flow = self.transactions.get_mut(id);
        flow.unloaded = unloaded.sum();
        if !self.reaches(self.transactions.get(id).site, self.transactions.get(id).class) {
            cold_path();
            self.mark_stalled(id);
            return;
        }
        if self.packets.is_some() {
            cold_path();
            self.transactions.get_mut(id).latency.begin_leg(self.now, unloaded);
            self.start_packets(id, work);
            return;
        }
        let flow = self.transactions.get_mut(id);
        flow.stage = Stage::Approaching;
        let resumes = flow.work_left.take();
        flow.work = resumes.unwrap_or(work);
        if likely(self.tcp().is_some()) {
            self.start_transfer(id, resumes);
        } else {
            self.join_sharing(id);
        }
    }

    /// Gives a flow to the packet network.
    fn start_packets(&mut self, id: TransactionId, work: f64) {
        let flow = self.transactions.get_mut(id);
        flow.stage = Stage::Sharing;
        let left = flow.work_left.take().map_or(1.0, |left| left / work);
        flow.work = work * left;
        let label = FlowKey { owner: id, epoch: flow.transfer_epoch, site: flow.site, class: flow.class, concentrator: flow.concentrator };
        let class = &self.model.classes[flow.class.index()];
        let stands = (!class.connects).then(|| self.model.sites[flow.site.index()].rtt);
        let Some(packets) = &mut self.packets else { return };
        let segment = segment_size(self.model.transport);
        let rest = self.transactions.turns(id).map(|turn| if left < 1.0 { turn.part(left, segment) } else { turn });
        packets.start(self.now, label, rest, class.server, stands);
    }

    /// The last byte is at the site `after` seconds from now.
    #[inline(always)]
    pub(super) fn transfer_done(&mut self, id: TransactionId, after: Parts) {
        self.resolve_bytes(id, true);
        let flow = self.transactions.get_mut(id);
        let waited = self.now.since(flow.started).secs() + flow.latency.begin_leg(self.now, after);
        self.end(id, Outcome::Done, waited);
    }

    /// A flow's way is blocked: it keeps what it has until its sender gets through again.
    pub(super) fn stall(&mut self, id: TransactionId) {
        let left = self.withdraw(id);
        let flow = self.transactions.get_mut(id);
        let left = left.or_else(|| flow.transfer.work_left());
        flow.work_left = left.or(flow.work_left);
        self.mark_stalled(id);
    }

    fn mark_stalled(&mut self, id: TransactionId) {
        let flow = self.transactions.get_mut(id);
        flow.transfer_epoch += 1;
        (flow.stage, flow.stalled_at) = (Stage::Stalled, self.now);
        flow.latency.hold(self.now);
    }

    /// The sender of a stalled flow tries again; if it is still blocked it waits on.
    pub(super) fn resume(&mut self, id: TransactionId, journey: u32) {
        let flow = self.transactions.get(id);
        if flow.transfer_epoch != journey || !self.reaches(flow.site, flow.class) {
            return;
        }
        // It may have been told to try again more than once.
        self.transactions.get_mut(id).transfer_epoch += 1;
        self.choose_concentrator(id);
        let again = self.tcp().is_some() && self.packets.is_none() && self.transactions.get(id).work_left.is_some();
        if !again {
            self.begin_transfer(id);
            return;
        }
        let flow = self.transactions.get_mut(id);
        flow.stage = Stage::Approaching;
        let left = flow.work_left.take();
        self.price_turns(id);
        self.resume_transfer(id, left);
    }

    /// Where balancing is by transaction, the least crowded concentrator; else the site's tunnel.
    #[inline(always)]
    fn choose_concentrator(&mut self, id: TransactionId) {
        let flow = self.transactions.get(id);
        let pool = &self.model.pools[self.model.pool_of[flow.site.index()].index()];
        let mut unit = self.concentrator_of[flow.site.index()];
        if unlikely(pool.balancer == Balancer::JoinShortest) {
            let open = pool.concentrators.iter().filter(|unit| self.model.concentrators[unit.index()].opens <= self.now);
            let crowding = |unit: &ConcentratorId| self.fluid[unit.index()].crowding();
            unit = open.copied().min_by(|a, b| crowding(a).total_cmp(&crowding(b))).unwrap_or(unit);
        }
        self.transactions.get_mut(id).concentrator = unit;
    }

    /// All that is left shares the concentrator.
    pub(super) fn join_sharing(&mut self, id: TransactionId) {
        let flow = self.transactions.get_mut(id);
        flow.stage = Stage::Sharing;
        let job = Share { flow: id, site: flow.site, class: flow.class, work: flow.work };
        let unit = &mut self.fluid[flow.concentrator.index()];
        let alone = flow.work / unit.access(flow.site).min(unit.throughput()).max(1.0);
        flow.latency.begin_leg(self.now, Parts { transfer: alone, ..Parts::default() });
        unit.advance(self.now);
        unit.admit(job);
    }

    /// The last bits of a flow leave the concentrator.
    pub(super) fn fluid_done(&mut self, unit: ConcentratorId) {
        let tcp = self.tcp().is_some();
        let concentrator = &mut self.fluid[unit.index()];
        concentrator.advance(self.now);
        let Some(id) = concentrator.finish() else { return };
        let flow = self.transactions.get(id);
        concentrator.finished(Share { flow: id, site: flow.site, class: flow.class, work: flow.work });
        if likely(tcp) {
            self.fluid_drained(id);
        } else {
            self.transfer_done(id, Parts::default());
        }
    }

    fn resolve_bytes(&mut self, id: TransactionId, served: bool) {
        let flow = self.transactions.get_mut(id);
        flow.resolved = true;
        let fact = Fact::BytesResolved { class: flow.class, bytes: Bytes(flow.bytes()), served };
        self.observer.on(self.now, &fact);
    }

    /// The transaction is over after `latency` seconds; a person thinks and goes on.
    #[inline(always)]
    fn end(&mut self, id: TransactionId, outcome: Outcome, latency: f64) {
        if unlikely(!self.transactions.get(id).resolved) {
            self.resolve_bytes(id, false);
        }
        let record = self.record(id, outcome, Duration::of_secs(latency));
        self.observer.on(self.now, &Fact::Ended(record));
        let flow = self.transactions.get(id);
        let (class, site, asker) = (flow.class, flow.site, flow.initiator);
        let over = flow.started + record.latency;
        self.transactions.remove(id);
        if let Initiator::User(user, named) = asker {
            if unlikely(outcome == Outcome::GivenUp) {
                self.use_fallback(class, site, &named);
            }
            self.schedule_next_action(class, user, &named, over.max(self.now));
        }
    }

    #[inline(always)]
    fn record(&mut self, id: TransactionId, outcome: Outcome, latency: Duration) -> Record {
        let flow = self.transactions.get_mut(id);
        let parts = flow.latency.close(flow.started + latency);
        Record {
            class: flow.class,
            site: flow.site,
            concentrator: flow.concentrator,
            started: flow.started,
            latency,
            unloaded: Duration::of_secs(flow.unloaded),
            request: Bytes(flow.bytes_requested.0),
            response: Bytes(flow.bytes_requested.1),
            outcome,
            parts,
        }
    }

    /// Those whose patience has run out try again or give up.
    pub(super) fn patience(&mut self, class: ClassId) {
        while let Some(&(deadline, id, life)) = self.transactions.patience[class.index()].front() {
            let stale = self.transactions.get(id).attempt_epoch != life;
            if !stale && deadline > self.now {
                self.events.push(deadline, Rank::Change, Event::Patience(class));
                return;
            }
            self.transactions.patience[class.index()].pop_front();
            if !stale {
                self.time_out_attempt(id);
            }
        }
        self.transactions.patience_armed[class.index()] = false;
    }

    fn time_out_attempt(&mut self, id: TransactionId) {
        self.withdraw(id);
        self.resolve_bytes(id, false);
        let retries = self.class(id).retries;
        let flow = self.transactions.get_mut(id);
        flow.interrupt();
        flow.work_left = None;
        if flow.attempts >= retries {
            let waited = self.now.since(flow.started).secs();
            self.end(id, Outcome::GivenUp, waited);
            return;
        }
        flow.attempts += 1;
        self.draw_sizes(id);
        self.begin_attempt(id);
    }

    /// Takes a flow out of its concentrator, if it is in; what is left of its work comes back [bit].
    fn withdraw(&mut self, id: TransactionId) -> Option<f64> {
        let flow = self.transactions.get(id);
        if flow.stage != Stage::Sharing {
            return None;
        }
        if let Some(packets) = &mut self.packets {
            return Some(flow.work * packets.stop(id));
        }
        let job = Share { flow: id, site: flow.site, class: flow.class, work: flow.work };
        let unit = &mut self.fluid[flow.concentrator.index()];
        unit.advance(self.now);
        Some(unit.withdraw(job))
    }

    /// Workstations go off: jobs under way are cut short and keep what they have.
    pub(super) fn power_off(&mut self, class: ClassId) {
        let under_way = |flow: &Transaction| matches!(flow.stage, Stage::Sharing | Stage::Approaching | Stage::Stalled);
        let cut: Vec<TransactionId> =
            self.transactions.all().filter(|(_, flow)| flow.class == class && under_way(flow)).map(|(id, _)| id).collect();
        for id in cut {
            let left = self.withdraw(id);
            let flow = self.transactions.get_mut(id);
            flow.work_left = left.or_else(|| flow.transfer.work_left()).or(flow.work_left);
            self.hold(id, Stage::Unpowered);
        }
    }

    /// Workstations come on: what was cut short goes on within the next half hour.
    pub(super) fn power_on(&mut self, class: ClassId) {
        let waiting: Vec<(TransactionId, u32)> = self
            .transactions
            .all()
            .filter(|(_, flow)| flow.class == class && flow.stage == Stage::Unpowered)
            .map(|(id, flow)| (id, flow.attempt_epoch))
            .collect();
        for (id, life) in waiting {
            let at = self.now + self.jitter(id, START_UP_SPREAD);
            self.events.push(at, Rank::Arrival, Event::StartDeferred(id, life));
        }
    }

    pub(super) fn report_unfinished(&mut self) {
        let ids: Vec<TransactionId> = self.transactions.all().map(|(id, _)| id).collect();
        for id in ids {
            let waited = self.now.since(self.transactions.get(id).started);
            let record = self.record(id, Outcome::Inside, waited);
            self.observer.on(self.now, &Fact::Ended(record));
        }
    }
}

/// Puts turns of these sizes in their places; gives their number, and the bytes of all requests and of all responses.
#[inline(always)]
fn fill_turns(row: &mut [PricedTurn], sizes: impl Iterator<Item = (Bytes, Bytes)>, segment: Bytes) -> (u8, (u64, u64)) {
    let (mut turns, mut asked) = (0, (0, 0));
    for (step, (request, response)) in row.iter_mut().zip(sizes) {
        step.turn = Turn::new(request, response, segment);
        turns += 1;
        asked = (asked.0 + request.0, asked.1 + response.0);
    }
    (turns, asked)
}

/// Payload of a segment; where transport is ideal the number of segments does not matter.
fn segment_size(transport: Transport) -> Bytes {
    match transport {
        Transport::Ideal => Bytes(1 << 20),
        Transport::Tcp(tcp) => tcp.segment,
    }
}

/// People switch their workstations on within this time of opening.
const START_UP_SPREAD: Duration = Duration(1_800_000_000_000);

#[allow(clippy::cast_possible_truncation)] // below `whole`
fn proportion(whole: u64, part: u64, of: u64) -> u64 {
    (u128::from(whole) * u128::from(part) / u128::from(of.max(1))) as u64
}
