//! Looks: what is inside at an instant, and what went through since the start.

use crate::scenario::model::{ClassId, ConcentratorId};
use crate::sim::Engine;
use crate::sim::concentrator::FluidConcentrator;
use crate::sim::flow::{Stage, TransactionSlab};
use crate::sim::observer::{ClassSnapshot, ConcentratorSnapshot, Fact, Observer};
use crate::sim::packet::hub::PacketConcentrator;
use crate::sim::packet::parcel::PacketPool;
use crate::units::Time;

impl<O: Observer> Engine<'_, O> {
    pub(super) fn take_snapshot(&mut self) {
        let classes = self.model.classes.len();
        let mut look = std::mem::take(&mut self.snapshot);
        look.concentrators.resize_with(self.fluid.len(), ConcentratorSnapshot::default);
        for (place, (unit, look)) in self.fluid.iter().zip(&mut look.concentrators).enumerate() {
            match &mut self.packets {
                None => snapshot_fluid(unit, look, &self.transactions, self.now, classes),
                Some(packets) => snapshot_packets(packets.concentrator(self.now, ConcentratorId::of(place)), look, classes),
            }
            look.calls = unit.calls();
            let hub = &self.tunnels.responders[place];
            (look.tunnels, look.down, look.half_open) = (hub.tunnels, !hub.up(), hub.half_open());
            (look.handshakes, look.turned_away) = (hub.completed, hub.turned_away);
            look.at_ceiling = unit.at_ceiling();
        }
        look.cut_off = self.tunnels.cut_off;
        look.on_paper = self.paper.actions_left();
        look.classes.clear();
        look.classes.resize(classes, ClassSnapshot::default());
        for (_, flow) in self.transactions.all() {
            let class = &mut look.classes[flow.class.index()];
            if matches!(flow.stage, Stage::Deferred | Stage::Unpowered) {
                class.waiting += 1;
                class.waiting_bytes += flow.bytes();
            } else {
                class.active += 1;
                class.active_bytes += flow.bytes();
            }
        }
        self.observer.on(self.now, &Fact::Snapshot(&look));
        self.snapshot = look;
    }
}

/// A copy is brought to the present and looked at: clocks that are moved on in two steps are not, to the last bit, where one
/// step brings them, and what is looked at must not change by it.
fn snapshot_fluid(
    unit: &FluidConcentrator,
    look: &mut ConcentratorSnapshot,
    flows: &TransactionSlab,
    now: Time,
    classes: usize,
) {
    let mut unit = unit.clone();
    unit.catch_up(now);
    look.inside.clear();
    look.inside.resize(classes, 0.0);
    look.carried.clear();
    let books = unit.counters();
    let backlog = |class: usize| unit.backlog_of(ClassId::of(class));
    let carried = |class: usize| books.served[class] + books.streamed[class] + books.burst[class] - backlog(class);
    look.carried.extend((0..classes).map(carried));
    look.admitted.clear();
    look.admitted.extend(books.admitted.iter().zip(&books.burst).map(|(shared, burst)| shared + burst));
    look.withdrawn.clone_from(&books.withdrawn);
    look.capacity = books.capacity;
    // Not a loop over an iterator of iterators: that asks at each flow whether its lane and its site have another.
    unit.inside().for_each(|(id, left, _)| {
        let flow = flows.get(id);
        let left = (left * unit.weight(flow.site, flow.class)).min(flow.work);
        look.inside[flow.class.index()] += left;
        look.carried[flow.class.index()] += flow.work - left;
    });
    look.inside.iter_mut().enumerate().for_each(|(class, inside)| *inside += backlog(class));
    look.queue.clear();
    look.queue.extend((0..classes).map(|class| unit.queue_delay(ClassId::of(class))));
}

fn snapshot_packets(
    (hub, parcels): (&mut PacketConcentrator, &PacketPool),
    look: &mut ConcentratorSnapshot,
    classes: usize,
) {
    look.inside.clear();
    look.inside.resize(classes, 0.0);
    hub.backlog(parcels, &mut look.inside);
    hub.mean_waits(&mut look.queue);
    let books = hub.counters();
    look.carried.clone_from(&books.served);
    look.admitted.clone_from(&books.arrived);
    look.withdrawn.clone_from(&books.lost);
    look.capacity = books.capacity;
}
