//! Snapshots: what is inside at an instant, and what went through since the start.

use crate::model::ConcentratorId;
use crate::sim::engine::Engine;
use crate::sim::observer::{ClassSnapshot, ConcentratorSnapshot, Fact, Observer, Snapshot};
use crate::sim::transaction::slab::{Stage, TransactionSlab};

impl<O: Observer> Engine<'_, O> {
    /// Takes a snapshot and tells it.
    pub(crate) fn take_snapshot(&mut self) {
        let mut snapshot = std::mem::take(&mut self.snapshot);
        snapshot.concentrators.resize_with(self.devices.len(), ConcentratorSnapshot::default);
        for (place, concentrator) in snapshot.concentrators.iter_mut().enumerate() {
            let at = ConcentratorId::of(place);
            self.network.snapshot(self.now, at, concentrator);
            concentrator.calls = self.calls.count(at);
            let responder = &self.tunnels.responders[place];
            concentrator.tunnels = responder.tunnels;
            concentrator.down = !responder.up();
            concentrator.half_open = responder.half_open();
            concentrator.handshakes = responder.completed;
            concentrator.turned_away = responder.turned_away;
        }
        snapshot.cut_off = self.tunnels.cut_off();
        snapshot.on_paper = self.paper.actions_left();
        count_by_class(&self.transactions, self.model.classes.len(), &mut snapshot);
        self.observer.on(self.now, &Fact::Snapshot(&snapshot));
        self.snapshot = snapshot;
    }
}

/// Counts the transactions of each class that are under way or wait.
fn count_by_class(transactions: &TransactionSlab, classes: usize, snapshot: &mut Snapshot) {
    snapshot.classes.clear();
    snapshot.classes.resize(classes, ClassSnapshot::default());
    for (_, transaction) in transactions.all() {
        let class = &mut snapshot.classes[transaction.class.index()];
        if matches!(transaction.stage, Stage::Deferred | Stage::Released | Stage::Unpowered) {
            class.waiting += 1;
            class.waiting_bytes += transaction.bytes();
        } else {
            class.active += 1;
            class.active_bytes += transaction.bytes();
        }
    }
}
