//! The rules that a transaction meets before it starts: switched off, served elsewhere, turned away, deferred.

use crate::model::{Class, ClassId, Curfew, Release, SiteId, taken};
use crate::random::Purpose;
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::event_list::Rank;
use crate::sim::observer::{Fact, Observer, Outcome};
use crate::sim::transaction::slab::{Initiator, Stage, Transaction};
use crate::sim::turn::TransactionId;
use crate::sim::workload::draws::DrawKey;
use crate::units::{Duration, Share, Time};

/// People switch their workstations on within this time of opening.
const START_UP_SPREAD: Duration = Duration(1_800_000_000_000);

impl<O: Observer> Engine<'_, O> {
    /// A transaction is wanted: it is switched off, served elsewhere, turned away or deferred, or its first attempt begins.
    #[inline]
    pub(crate) fn start(&mut self, class: ClassId, site: SiteId, initiator: Initiator) {
        let id = self.insert(class, site, initiator);
        self.apply_rules(id);
    }

    /// Something is done by hand, for want of a connection.
    pub(crate) fn start_on_paper(&mut self, class: ClassId, site: SiteId, initiator: Initiator) {
        let id = self.insert(class, site, initiator);
        self.end(id, Outcome::OnPaper, 0.0);
    }

    #[inline]
    fn insert(&mut self, class: ClassId, site: SiteId, initiator: Initiator) -> TransactionId {
        self.observer.on(self.now, &Fact::Started { class, site });
        let concentrator = self.concentrator_of[site.index()];
        self.transactions.insert(Transaction::new(self.now, class, site, concentrator, initiator))
    }

    /// The class of a transaction.
    pub(crate) fn class(&self, id: TransactionId) -> &'_ Class {
        &self.model.classes[self.transactions.get(id).class.index()]
    }

    #[inline]
    fn apply_rules(&mut self, id: TransactionId) {
        self.draw_sizes(id);
        if self.is_switched_off(self.transactions.get(id).class) {
            self.end(id, Outcome::Off, 0.0);
        } else if self.is_served_elsewhere(id) {
            self.serve_elsewhere(id);
        } else if self.is_declined(id) {
            self.end(id, Outcome::Declined, 0.0);
        } else if !self.is_deferred(id) && !self.is_unpowered(id) {
            self.begin_attempt(id);
        }
    }

    /// It takes what it takes on an idle network, and what it has waited for its start.
    fn serve_elsewhere(&mut self, id: TransactionId) {
        let (_, unloaded) = self.price(id);
        let now = self.now;
        let transaction = self.transactions.get_mut(id);
        let waited = now.since(transaction.started).secs();
        transaction.unloaded = unloaded.sum();
        transaction.latency.begin_leg(now, unloaded);
        self.resolve_bytes(id, true);
        self.end(id, Outcome::Local, waited + unloaded.sum());
    }

    pub(crate) fn is_switched_off(&self, class: ClassId) -> bool {
        self.model.classes[class.index()]
            .rules
            .switched_off
            .iter()
            .any(|&(from, until)| from <= self.now && self.now < until)
    }

    /// Whether it needs no headend. What a server on site carries is forwarded when the site is back.
    fn is_served_elsewhere(&mut self, id: TransactionId) -> bool {
        let transaction = self.transactions.get(id);
        let (site, class) = (transaction.site, transaction.class);
        let Some(&draw_key) = transaction.initiator.draw_key() else { return false };
        if self.bypasses_headend(class, &draw_key) {
            return true;
        }
        let Some((_, forward)) = self.store_of(class, site, &draw_key) else { return false };
        if let Some(forward) = forward {
            let forwarded = draw_key.forwarded(self.workload.class_names[forward.index()]);
            self.start(forward, site, Initiator::Process(forwarded));
        }
        true
    }

    /// Whether an action would be served although its site is cut off.
    pub(crate) fn has_a_way_round(&self, class: ClassId, site: SiteId, draw_key: &DrawKey) -> bool {
        self.bypasses_headend(class, draw_key) || self.store_of(class, site, draw_key).is_some()
    }

    /// Whether a cache on site serves it, or its traffic breaks out to the internet at its site.
    fn bypasses_headend(&self, class: ClassId, draw_key: &DrawKey) -> bool {
        let rules = &self.model.classes[class.index()].rules;
        if rules.cached.is_empty() && rules.break_out.is_empty() {
            return false;
        }
        let mut stream = draw_key.stream(Purpose::Chance);
        let (cache, break_out) = (stream.uniform(), stream.uniform());
        cache < taken(&rules.cached, self.now) || break_out < taken(&rules.break_out, self.now)
    }

    /// The server on site that carries it while its site is cut off.
    fn store_of(&self, class: ClassId, site: SiteId, draw_key: &DrawKey) -> Option<(Share, Option<ClassId>)> {
        let stores = &self.model.classes[class.index()].rules.store_and_forward;
        if stores.is_empty() || !self.is_cut_off(site, class) {
            return None;
        }
        let mut u = draw_key.stream(Purpose::Store).uniform();
        let carries = |(share, _): &&(Share, Option<ClassId>)| {
            let mine = u < share.0;
            u -= share.0;
            mine
        };
        stores.iter().find(carries).copied()
    }

    fn is_declined(&self, id: TransactionId) -> bool {
        let transaction = self.transactions.get(id);
        let draw_key = transaction.initiator.draw_key();
        draw_key.is_some_and(|draw_key| self.declines(transaction.class, transaction.site, draw_key))
    }

    /// While a site is cut off, the desk may turn an action away.
    pub(crate) fn declines(&self, class: ClassId, site: SiteId, draw_key: &DrawKey) -> bool {
        let declined = self.model.classes[class.index()].declined.0;
        if declined <= 0.0 || !self.is_cut_off(site, class) {
            return false;
        }
        // The first two say what people do who give up.
        let mut stream = draw_key.stream(Purpose::Fallback);
        let _ = (stream.uniform(), stream.uniform());
        stream.uniform() < declined
    }

    #[inline]
    fn is_deferred(&mut self, id: TransactionId) -> bool {
        let Initiator::Process(draw_key) = self.transactions.get(id).initiator else { return false };
        let obeys = |curfew: &&Curfew| {
            let mut stream = draw_key.stream(Purpose::Chance);
            let _ = (stream.uniform(), stream.uniform());
            stream.uniform() < curfew.compliance.0
        };
        let now = self.now;
        let forbids = |curfew: &&Curfew| curfew.from <= now && now < curfew.until;
        let deferred = self.class(id).rules.curfews.iter().filter(forbids).any(|curfew| obeys(&curfew));
        if deferred {
            self.hold(id, Stage::Deferred);
        }
        deferred
    }

    #[inline]
    fn is_unpowered(&mut self, id: TransactionId) -> bool {
        let Some((on, off)) = self.power_hours(self.transactions.get(id).class) else { return false };
        let clock = self.now.clock();
        let unpowered = clock < on || off <= clock;
        if unpowered {
            self.hold(id, Stage::Unpowered);
        }
        unpowered
    }

    fn hold(&mut self, id: TransactionId, stage: Stage) {
        let now = self.now;
        let transaction = self.transactions.get_mut(id);
        transaction.stage = stage;
        transaction.interrupt();
        transaction.latency.hold(now);
        let fact = Fact::Deferred { class: transaction.class, site: transaction.site };
        self.observer.on(now, &fact);
    }

    /// A curfew ends: what has waited for it is released.
    pub(crate) fn end_curfew(&mut self, class: ClassId, number: u32) {
        let curfew = self.model.classes[class.index()].rules.curfews[number as usize];
        let deferred = |transaction: &Transaction| transaction.class == class && transaction.stage == Stage::Deferred;
        // Those that a curfew has released before have their time.
        let mut waiting: Vec<(Time, TransactionId)> =
            self.transactions.select(deferred).into_iter().map(|id| (self.transactions.get(id).started, id)).collect();
        waiting.sort_unstable();
        let count = waiting.len() as u64;
        for (place, (_, id)) in (0_u64..).zip(waiting) {
            let after = match curfew.release {
                Release::AtOnce => Duration(0),
                Release::Spread(over) => Duration(proportion(over.0, place, count)),
                Release::Jittered(up_to) => self.release_jitter(id, up_to),
            };
            let transaction = self.transactions.get_mut(id);
            transaction.stage = Stage::Released;
            let epoch = transaction.attempt_epoch;
            self.events.push(self.now + after, Rank::Arrival, Event::StartDeferred(id, epoch));
        }
    }

    fn release_jitter(&self, id: TransactionId, up_to: Duration) -> Duration {
        let draw_key = self.transactions.get(id).initiator.draw_key();
        let share = draw_key.map_or(0.0, |draw_key| draw_key.stream(Purpose::Release).uniform());
        Duration::of_secs(up_to.secs() * share)
    }

    /// A job that was held starts now, unless another rule holds it.
    pub(crate) fn start_deferred(&mut self, id: TransactionId, epoch: u32) {
        let transaction = self.transactions.get(id);
        if transaction.attempt_epoch != epoch || !matches!(transaction.stage, Stage::Released | Stage::Unpowered) {
            return;
        }
        if self.is_switched_off(transaction.class) {
            self.end(id, Outcome::Off, 0.0);
        } else if self.is_served_elsewhere(id) {
            self.serve_elsewhere(id);
        } else if !self.is_deferred(id) && !self.is_unpowered(id) {
            self.begin_attempt(id);
        }
    }

    /// Workstations go off: jobs under way are cut short and keep what they have.
    pub(crate) fn power_off(&mut self, class: ClassId) {
        let under_way = |transaction: &Transaction| {
            transaction.class == class && matches!(transaction.stage, Stage::InNetwork | Stage::Stalled)
        };
        for id in self.transactions.select(under_way) {
            let left = self.withdraw(id);
            let transaction = self.transactions.get_mut(id);
            transaction.work_left = left.or(transaction.rounds_left).or(transaction.work_left);
            self.hold(id, Stage::Unpowered);
        }
    }

    /// Workstations come on: what was cut short goes on within the next half hour.
    pub(crate) fn power_on(&mut self, class: ClassId) {
        let waits = |transaction: &Transaction| transaction.class == class && transaction.stage == Stage::Unpowered;
        for id in self.transactions.select(waits) {
            let at = self.now + self.release_jitter(id, START_UP_SPREAD);
            let epoch = self.transactions.get(id).attempt_epoch;
            self.events.push(at, Rank::Arrival, Event::StartDeferred(id, epoch));
        }
    }
}

/// `part` of `of` parts of `whole`.
#[allow(clippy::cast_possible_truncation)] // below `whole`
fn proportion(whole: u64, part: u64, of: u64) -> u64 {
    (u128::from(whole) * u128::from(part) / u128::from(of.max(1))) as u64
}
