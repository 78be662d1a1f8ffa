//! All transactions under way, in slots that are used again; and the deadlines of those who wait.

use std::collections::VecDeque;

use crate::model::{Class, ClassId, ConcentratorId, SiteId};
use crate::sim::observer::Parts;
use crate::sim::pricing::{PricedTurn, TurnRows};
use crate::sim::route::Route;
use crate::sim::transaction::latency::LatencyParts;
use crate::sim::transfer::Start;
use crate::sim::turn::{TransactionId, Turn};
use crate::sim::workload::draws::DrawKey;
use crate::units::{Bytes, Time};

/// Where a transaction stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The slot is free.
    Free,
    /// The rules are applied to it.
    Starting,
    /// Waits for a release.
    Deferred,
    /// Is released, and starts in its turn.
    Released,
    /// Waits for its workstation to come on.
    Unpowered,
    /// The network carries it.
    InNetwork,
    /// Its site is cut off, or its servers are.
    Stalled,
}

/// Who or what asked, and the key of what is drawn for it.
#[derive(Clone, Copy, Debug)]
pub enum Initiator {
    /// A person at a workstation, who goes on afterwards.
    User(u32, DrawKey),
    /// An open process or a daily job.
    Process(DrawKey),
    /// A replay, with its sizes: nothing is drawn.
    Replay(Bytes, Bytes),
}

impl Initiator {
    /// The key of what is drawn for it; a replay has none.
    #[inline]
    #[must_use]
    pub fn draw_key(&self) -> Option<&DrawKey> {
        match self {
            Self::User(_, draw_key) | Self::Process(draw_key) => Some(draw_key),
            Self::Replay(..) => None,
        }
    }
}

/// A transaction under way.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Changes whenever what was scheduled for its way through the network becomes void.
    pub transfer_epoch: u32,
    /// Changes whenever what was scheduled for the attempt becomes void.
    pub attempt_epoch: u32,
    /// From which site.
    pub site: SiteId,
    /// Through which concentrator.
    pub concentrator: ConcentratorId,
    /// Of which class.
    pub class: ClassId,
    /// Where it stands.
    pub stage: Stage,
    /// How many turns it has.
    pub turns: u8,
    /// Attempts before the present one.
    pub attempts: u8,
    /// Whether it was told what became of the bytes that it asked for.
    pub resolved: bool,
    /// When it was asked for.
    pub started: Time,
    /// Who asked.
    pub initiator: Initiator,
    /// Since when it stands still.
    pub stalled_at: Time,
    /// Bytes of all requests.
    pub request_bytes: u64,
    /// Bytes of all responses.
    pub response_bytes: u64,
    /// Work that was left when it was stopped [bit].
    pub work_left: Option<f64>,
    /// The same, counted in windows of the turn that it was in [bit].
    pub rounds_left: Option<f64>,
    /// What it would take through an idle network [s].
    pub unloaded: f64,
    /// Where its time went, while the network does not carry it.
    pub latency: LatencyParts,
}

impl Transaction {
    /// A transaction that starts now.
    #[must_use]
    pub fn new(now: Time, class: ClassId, site: SiteId, concentrator: ConcentratorId, initiator: Initiator) -> Self {
        Self {
            transfer_epoch: 0,
            attempt_epoch: 0,
            site,
            concentrator,
            class,
            stage: Stage::Starting,
            turns: 0,
            attempts: 0,
            resolved: true,
            started: now,
            initiator,
            stalled_at: now,
            request_bytes: 0,
            response_bytes: 0,
            work_left: None,
            rounds_left: None,
            unloaded: 0.0,
            latency: LatencyParts::new(now),
        }
    }

    /// Bytes of all requests and responses.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.request_bytes + self.response_bytes
    }

    /// What was scheduled for it is void.
    pub fn interrupt(&mut self) {
        self.attempt_epoch += 1;
        self.transfer_epoch += 1;
    }
}

/// All transactions under way.
#[derive(Debug)]
pub struct TransactionSlab {
    slots: Vec<Transaction>,
    turns: TurnRows,
    free: Vec<TransactionId>,
    /// By class, in order of start, which is the order of deadline: when, which, and of which attempt.
    pub deadlines: Vec<VecDeque<(Time, TransactionId, u32)>>,
    /// By class: whether the first deadline is scheduled.
    pub deadline_scheduled: Vec<bool>,
}

impl TransactionSlab {
    /// No transactions of these classes.
    #[must_use]
    pub fn new(classes: &[Class]) -> Self {
        Self {
            slots: Vec::new(),
            turns: TurnRows::new(classes),
            free: Vec::new(),
            deadlines: vec![VecDeque::new(); classes.len()],
            deadline_scheduled: vec![false; classes.len()],
        }
    }

    /// A transaction.
    #[inline]
    #[must_use]
    pub fn get(&self, id: TransactionId) -> &Transaction {
        &self.slots[id as usize]
    }

    /// A transaction, to be changed.
    #[inline]
    pub fn get_mut(&mut self, id: TransactionId) -> &mut Transaction {
        &mut self.slots[id as usize]
    }

    /// The turns of a transaction.
    #[inline]
    #[must_use]
    pub fn turns(&self, id: TransactionId) -> &[PricedTurn] {
        let turns = usize::from(self.slots[id as usize].turns);
        &self.turns.row(id)[..turns]
    }

    /// The turns of a transaction, to be priced.
    #[inline]
    pub fn turns_mut(&mut self, id: TransactionId) -> &mut [PricedTurn] {
        let turns = usize::from(self.slots[id as usize].turns);
        &mut self.turns.row_mut(id)[..turns]
    }

    /// The transfer of a transaction: its work [bit] and what was `left` of that, and the time through an idle network.
    #[inline]
    #[must_use]
    pub fn transfer(&self, id: TransactionId, work: f64, left: Option<f64>, unloaded: Parts) -> Start<'_> {
        let transaction = self.get(id);
        let Transaction { site, class, concentrator, .. } = *transaction;
        Start {
            id,
            epoch: transaction.transfer_epoch,
            route: Route { site, class, concentrator },
            turns: self.turns(id),
            work,
            left,
            unloaded,
            latency: transaction.latency,
        }
    }

    /// Gives a transaction turns of these sizes.
    #[inline]
    pub fn set_turns(&mut self, id: TransactionId, sizes: impl Iterator<Item = (Bytes, Bytes)>, segment: Bytes) {
        let transaction = &mut self.slots[id as usize];
        let row = self.turns.row_mut(id);
        (transaction.turns, transaction.request_bytes, transaction.response_bytes) = (0, 0, 0);
        for (priced, (request, response)) in row.iter_mut().zip(sizes) {
            priced.turn = Turn::new(request, response, segment);
            transaction.turns += 1;
            transaction.request_bytes += request.0;
            transaction.response_bytes += response.0;
        }
    }

    /// Every transaction that is not over, by slot.
    pub fn all(&self) -> impl Iterator<Item = (TransactionId, &Transaction)> {
        (0_u32..).zip(&self.slots).filter(|(_, transaction)| transaction.stage != Stage::Free)
    }

    /// The transactions for which something holds, by slot.
    pub fn select(&self, holds: impl Fn(&Transaction) -> bool) -> Vec<TransactionId> {
        self.all().filter(|(_, transaction)| holds(transaction)).map(|(id, _)| id).collect()
    }

    /// Puts a transaction in a free slot, whose epochs are those that nothing was scheduled for.
    ///
    /// # Panics
    /// With 2^32 transactions under way.
    pub fn insert(&mut self, transaction: Transaction) -> TransactionId {
        let Some(id) = self.free.pop() else {
            self.slots.push(transaction);
            self.turns.grow(self.slots.len());
            return u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 transactions are under way");
        };
        let slot = &mut self.slots[id as usize];
        let (transfer_epoch, attempt_epoch) = (slot.transfer_epoch, slot.attempt_epoch);
        *slot = Transaction { transfer_epoch, attempt_epoch, ..transaction };
        id
    }

    /// A transaction is over.
    pub fn remove(&mut self, id: TransactionId) {
        let transaction = &mut self.slots[id as usize];
        transaction.stage = Stage::Free;
        transaction.interrupt();
        self.free.push(id);
    }
}
