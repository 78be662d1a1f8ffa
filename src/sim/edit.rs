//! Dated edits of the world.

use crate::scenario::model::{ChangeKind, ConcentratorId};
use crate::sim::Engine;
use crate::sim::arrive::packets_per_second;
use crate::sim::concentrator::Share;
use crate::sim::discipline::Shape;
use crate::sim::observer::Observer;

impl<O: Observer> Engine<'_, O> {
    pub(super) fn apply_change(&mut self, number: u32) {
        match &self.model.changes[number as usize].kind {
            ChangeKind::ReplaceDevice { unit, throughput, buffer } => {
                let device = &mut self.devices[unit.index()];
                if (device.throughput, device.buffer) != (*throughput, *buffer) {
                    (device.throughput, device.buffer) = (*throughput, *buffer);
                    self.replace_device(*unit);
                }
            }
            ChangeKind::SetDiscipline(unit, discipline) => {
                self.devices[unit.index()].discipline.clone_from(discipline);
                self.set_discipline(*unit);
            }
            ChangeKind::SetShaping(class) => {
                let (total, per_site) = self.model.classes[class.index()].rules.caps_at(self.now);
                let shape = Shape::of(total, per_site);
                if let Some(packets) = &mut self.packets {
                    packets.set_shaping(self.now, *class, shape);
                }
                for unit in (0..self.fluid.len()).map(ConcentratorId::of) {
                    if !self.fluid[unit.index()].has_shaping(*class, shape) {
                        let jobs = self.jobs_inside(unit);
                        self.fluid[unit.index()].set_shaping(*class, shape, &jobs);
                    }
                }
            }
            // Flows under way end where they are; what starts from now on takes the new tunnel.
            ChangeKind::Migrate { sites, to, cut_over } => {
                for &site in sites.iter() {
                    if *cut_over { self.cut_over(site, *to) } else { self.migrate(site, *to) }
                }
            }
        }
    }

    /// A concentrator is another device of its kind: its buffer, what packets cost it and what holds traffic up may be other,
    /// too.
    fn replace_device(&mut self, unit: ConcentratorId) {
        let device = &self.devices[unit.index()];
        let concentrator = &mut self.fluid[unit.index()];
        concentrator.advance(self.now);
        // Calls in progress cost what the new device says.
        let calls = self.workload.calls_at(unit);
        for (site, class, codec) in &calls {
            concentrator.end_call(*site, *class, codec.packet, packets_per_second(*codec));
        }
        concentrator.replace_device(device, &self.model.sites);
        for (site, class, codec) in &calls {
            concentrator.admit_call(*site, *class, codec.packet, packets_per_second(*codec));
        }
        if let Some(packets) = &mut self.packets {
            packets.replace_device(self.now, unit, device);
        }
        self.set_throughput(unit);
        self.set_discipline(unit);
    }

    /// A concentrator serves in the order that it is configured for, as far as what holds traffic up lets it.
    fn set_discipline(&mut self, unit: ConcentratorId) {
        let order = self.devices[unit.index()].order().clone();
        if self.fluid[unit.index()].has_discipline(&order) {
            return;
        }
        if let Some(packets) = &mut self.packets {
            packets.set_discipline(self.now, unit, &order);
        }
        let jobs = self.jobs_inside(unit);
        self.fluid[unit.index()].set_discipline(&order, &jobs);
    }

    /// The flows inside a concentrator with the work that they still need.
    fn jobs_inside(&mut self, unit: ConcentratorId) -> Vec<Share> {
        let concentrator = &mut self.fluid[unit.index()];
        concentrator.catch_up(self.now);
        let jobs = concentrator.inside().map(|(id, left, _)| {
            let flow = self.transactions.get(id);
            Share {
                flow: id,
                site: flow.site,
                class: flow.class,
                work: left * concentrator.weight(flow.site, flow.class),
            }
        });
        jobs.collect()
    }
}
