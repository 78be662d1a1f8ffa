//! Attempts: a transfer starts, stalls and goes on, is delivered, or its person loses patience.

use crate::model::{Balancer, ClassId, ConcentratorId};
use crate::sim::engine::Engine;
use crate::sim::event::Event;
use crate::sim::event_list::Rank;
use crate::sim::observer::{Fact, Observer, Outcome, Parts, Record};
use crate::sim::transaction::slab::{Initiator, Stage};
use crate::sim::transfer::Delivery;
use crate::sim::turn::{TransactionId, segment_size};
use crate::sim::workload::draws::sizes;
use crate::units::{Bytes, Duration, Time};

impl<O: Observer> Engine<'_, O> {
    /// Draws the sizes of all turns; their bytes are asked for from now on.
    #[inline]
    pub(crate) fn draw_sizes(&mut self, id: TransactionId) {
        let segment = segment_size(self.tcp());
        let transaction = self.transactions.get(id);
        let class = transaction.class;
        match transaction.initiator {
            Initiator::User(_, draw_key) | Initiator::Process(draw_key) => {
                self.transactions.set_turns(id, sizes(&draw_key, &self.model.classes[class.index()]), segment);
            }
            Initiator::Replay(request, response) => {
                self.transactions.set_turns(id, std::iter::once((request, response)), segment);
            }
        }
        let transaction = self.transactions.get_mut(id);
        transaction.resolved = false;
        let fact = Fact::Asked { class, bytes: Bytes(transaction.bytes()) };
        self.observer.on(self.now, &fact);
    }

    /// An attempt begins: patience starts to run, and so does the transfer.
    #[inline]
    pub(crate) fn begin_attempt(&mut self, id: TransactionId) {
        if let Some(patience) = self.class(id).patience {
            let transaction = self.transactions.get(id);
            let (class, epoch) = (transaction.class, transaction.attempt_epoch);
            let deadline = self.now + patience;
            self.transactions.deadlines[class.index()].push_back((deadline, id, epoch));
            if !std::mem::replace(&mut self.transactions.deadline_scheduled[class.index()], true) {
                self.events.push(deadline, Rank::Change, Event::Patience(class));
            }
        }
        self.begin_transfer(id);
    }

    /// The network takes over, if the site can reach it.
    #[inline]
    fn begin_transfer(&mut self, id: TransactionId) {
        self.choose_concentrator(id);
        let (work, unloaded) = self.price(id);
        self.transactions.get_mut(id).unloaded = unloaded.sum();
        self.use_tunnel(self.transactions.get(id).site);
        let transaction = self.transactions.get(id);
        if !self.reaches(transaction.site, transaction.class) {
            self.mark_stalled(id);
            return;
        }
        let transaction = self.transactions.get_mut(id);
        transaction.stage = Stage::InNetwork;
        let left = transaction.work_left.take();
        let start = self.transactions.transfer(id, work, left, unloaded);
        self.network.start(self.now, &mut self.events, &start);
    }

    /// Prices the turns: work of all [bit], and the time that they would take through an idle network.
    #[inline]
    pub(crate) fn price(&mut self, id: TransactionId) -> (f64, Parts) {
        let transaction = self.transactions.get(id);
        let (site, class) = (transaction.site, &self.model.classes[transaction.class.index()]);
        let pricing = &self.pricing[transaction.concentrator.index()];
        pricing.price(class, site, self.transactions.turns_mut(id))
    }

    /// Where balancing is by transaction, the least crowded concentrator; else the site's tunnel.
    #[inline]
    fn choose_concentrator(&mut self, id: TransactionId) {
        let site = self.transactions.get(id).site;
        let pool = &self.model.pools[self.model.pool_of[site.index()].index()];
        let mut concentrator = self.concentrator_of[site.index()];
        if pool.balancer == Balancer::JoinShortest {
            let crowding = |at: &ConcentratorId| self.network.crowding(*at);
            concentrator =
                self.in_service(pool).min_by(|a, b| crowding(a).total_cmp(&crowding(b))).unwrap_or(concentrator);
        }
        self.transactions.get_mut(id).concentrator = concentrator;
    }

    /// Passes on what the network tells.
    #[inline]
    pub(crate) fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            // A transfer that was given up may arrive all the same, where it is one packet.
            Delivery::Transfer { id, epoch, after } => {
                if self.transactions.get(id).transfer_epoch == epoch {
                    self.transfer_done(id, after);
                }
            }
        }
    }

    /// The last byte is at the site `after` a while.
    #[inline]
    fn transfer_done(&mut self, id: TransactionId, after: Parts) {
        self.resolve_bytes(id, true);
        self.use_tunnel(self.transactions.get(id).site);
        let now = self.now;
        let transaction = self.transactions.get_mut(id);
        transaction.latency = self.network.latency(id);
        let waited = now.since(transaction.started).secs() + transaction.latency.begin_leg(now, after);
        self.end(id, Outcome::Done, waited);
    }

    /// The way of a transfer is blocked: it keeps what it has until its sender gets through again.
    pub(crate) fn stall(&mut self, id: TransactionId) {
        let left = self.withdraw(id);
        let transaction = self.transactions.get_mut(id);
        transaction.work_left = left.or(transaction.rounds_left).or(transaction.work_left);
        self.mark_stalled(id);
    }

    fn mark_stalled(&mut self, id: TransactionId) {
        let now = self.now;
        let transaction = self.transactions.get_mut(id);
        transaction.transfer_epoch += 1;
        (transaction.stage, transaction.stalled_at) = (Stage::Stalled, now);
        transaction.latency.hold(now);
    }

    /// The sender of a stalled transfer tries again; if it is still blocked it waits on.
    pub(crate) fn resume(&mut self, id: TransactionId, epoch: u32) {
        let transaction = self.transactions.get(id);
        if transaction.transfer_epoch != epoch || !self.reaches(transaction.site, transaction.class) {
            return;
        }
        // It may have been told to try again more than once.
        self.transactions.get_mut(id).transfer_epoch += 1;
        if self.transactions.get(id).work_left.is_none() || !self.network.can_resume() {
            self.begin_transfer(id);
            return;
        }
        self.choose_concentrator(id);
        let transaction = self.transactions.get_mut(id);
        transaction.stage = Stage::InNetwork;
        let left = transaction.work_left.take();
        let (work, unloaded) = self.price(id);
        let start = self.transactions.transfer(id, work, left, unloaded);
        self.network.resume(self.now, &mut self.events, &start);
    }

    /// Tells what became of the bytes that were asked for.
    pub(crate) fn resolve_bytes(&mut self, id: TransactionId, served: bool) {
        let transaction = self.transactions.get_mut(id);
        transaction.resolved = true;
        let fact = Fact::BytesResolved { class: transaction.class, bytes: Bytes(transaction.bytes()), served };
        self.observer.on(self.now, &fact);
    }

    /// The transaction is over after `latency` seconds; a person thinks and goes on.
    #[inline]
    pub(crate) fn end(&mut self, id: TransactionId, outcome: Outcome, latency: f64) {
        if !self.transactions.get(id).resolved {
            self.resolve_bytes(id, false);
        }
        let record = self.record(id, outcome, Duration::of_secs(latency));
        self.observer.on(self.now, &Fact::Ended(record));
        let initiator = self.transactions.get(id).initiator;
        self.transactions.remove(id);
        if let Initiator::User(user, draw_key) = initiator {
            if outcome == Outcome::GivenUp {
                self.use_fallback(record.class, record.site, &draw_key);
            }
            let over = record.started + record.latency;
            self.schedule_next_action(record.class, user, &draw_key, over.max(self.now));
        }
    }

    #[inline]
    fn record(&mut self, id: TransactionId, outcome: Outcome, latency: Duration) -> Record {
        let transaction = self.transactions.get_mut(id);
        Record {
            class: transaction.class,
            site: transaction.site,
            concentrator: transaction.concentrator,
            started: transaction.started,
            latency,
            unloaded: Duration::of_secs(transaction.unloaded),
            request: Bytes(transaction.request_bytes),
            response: Bytes(transaction.response_bytes),
            outcome,
            parts: transaction.latency.close(transaction.started + latency),
        }
    }

    /// Those whose patience has run out try again or give up.
    pub(crate) fn check_patience(&mut self, class: ClassId) {
        while let Some(&(deadline, id, epoch)) = self.transactions.deadlines[class.index()].front() {
            let stale = self.transactions.get(id).attempt_epoch != epoch;
            if !stale && deadline > self.now {
                self.events.push(deadline, Rank::Change, Event::Patience(class));
                return;
            }
            self.transactions.deadlines[class.index()].pop_front();
            if !stale {
                self.time_out_attempt(id);
            }
        }
        self.transactions.deadline_scheduled[class.index()] = false;
    }

    fn time_out_attempt(&mut self, id: TransactionId) {
        self.withdraw(id);
        self.resolve_bytes(id, false);
        let (retries, now) = (self.class(id).retries, self.now);
        let transaction = self.transactions.get_mut(id);
        transaction.interrupt();
        transaction.work_left = None;
        if transaction.attempts >= retries {
            let waited = now.since(transaction.started).secs();
            self.end(id, Outcome::GivenUp, waited);
            return;
        }
        transaction.attempts += 1;
        self.draw_sizes(id);
        self.begin_attempt(id);
    }

    /// Takes a transfer out of the network, if it is in; work that is left of it comes back [bit].
    pub(crate) fn withdraw(&mut self, id: TransactionId) -> Option<f64> {
        let transaction = self.transactions.get_mut(id);
        if transaction.stage != Stage::InNetwork {
            return None;
        }
        let stopped = self.network.stop(self.now, id);
        (transaction.rounds_left, transaction.latency) = (stopped.rounds_left, stopped.latency);
        stopped.left
    }

    /// Tells of what is still under way at the end of the run.
    pub(crate) fn report_unfinished(&mut self) {
        for id in self.transactions.select(|_| true) {
            let waited = self.now.since(self.transactions.get(id).started);
            if self.transactions.get(id).stage == Stage::InNetwork {
                self.transactions.get_mut(id).latency = self.network.latency(id);
            }
            let record = self.record(id, Outcome::Inside, waited);
            self.observer.on(self.now, &Fact::Ended(record));
        }
    }
}

/// When a sender that first sent at `from` tries again, `now` or later: after `first` seconds, then after twice as long
/// each time, up to two minutes (RFC 6298, sections 2 and 5; Linux `TCP_RTO_MAX`).
#[must_use]
pub fn next_retry(from: Time, now: Time, first: f64) -> Time {
    const LONGEST: f64 = 120.0;
    let since = now.since(from).secs();
    let (mut at, mut wait) = (0.0, first);
    while at < since {
        at += wait;
        wait = (wait * 2.0).min(LONGEST);
    }
    (from + Duration::of_secs(at)).max(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A first repeat after 1 s, then 2 s, 4 s: at 1, 3, 7, 15 s.
    #[test]
    fn senders_back_off() {
        let retry = |secs: f64| next_retry(Time(0), Time(0) + Duration::of_secs(secs), 1.0);
        let found: Vec<Time> = [0.0, 0.5, 2.0, 3.5, 8.0].into_iter().map(retry).collect();
        assert_eq!(found, [0, 1, 3, 7, 15].map(|secs| Time(secs * crate::units::NANOS)));
    }
}
