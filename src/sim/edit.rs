//! Dated edits of the world.

use crate::scenario::model::{Action, UnitId};
use crate::sim::Engine;
use crate::sim::arrive::per_second;
use crate::sim::concentrator::Job;
use crate::sim::discipline::Shape;
use crate::sim::observer::Observer;

impl<O: Observer> Engine<'_, O> {
    pub(super) fn edit(&mut self, number: u32) {
        match &self.model.edits[number as usize].what {
            Action::Resize { unit, throughput, buffer } => {
                let device = &mut self.devices[unit.index()];
                if (device.throughput, device.buffer) != (*throughput, *buffer) {
                    (device.throughput, device.buffer) = (*throughput, *buffer);
                    self.refit(*unit);
                }
            }
            Action::Serve(unit, discipline) => {
                self.devices[unit.index()].discipline.clone_from(discipline);
                self.reorder(*unit);
            }
            Action::Shape(class) => {
                let (total, per_site) = self.model.classes[class.index()].rules.caps_at(self.now);
                let shape = Shape::of(total, per_site);
                if let Some(packets) = &mut self.packets {
                    packets.shape(self.now, *class, shape);
                }
                for unit in (0..self.units.len()).map(UnitId::of) {
                    if !self.units[unit.index()].has_shape(*class, shape) {
                        let jobs = self.jobs_inside(unit);
                        self.units[unit.index()].shape(*class, shape, &jobs);
                    }
                }
            }
            // Flows under way end where they are; what starts from now on takes the new tunnel.
            Action::Migrate { sites, to, cut_over } => {
                for &site in sites.iter() {
                    if *cut_over { self.cut_over(site, *to) } else { self.migrate(site, *to) }
                }
            }
        }
    }

    /// A concentrator is another device of its kind: its buffer, what packets cost it and what holds traffic up may be other,
    /// too.
    fn refit(&mut self, unit: UnitId) {
        let device = &self.devices[unit.index()];
        let concentrator = &mut self.units[unit.index()];
        concentrator.advance(self.now);
        // Calls in progress cost what the new device says.
        let calls = self.sources.calls_at(unit);
        for (site, class, codec) in &calls {
            concentrator.hang_up(*site, *class, codec.packet, per_second(*codec));
        }
        concentrator.refit(device, &self.model.sites);
        for (site, class, codec) in &calls {
            concentrator.call(*site, *class, codec.packet, per_second(*codec));
        }
        if let Some(packets) = &mut self.packets {
            packets.refit(self.now, unit, device);
        }
        self.set_throughput(unit);
        self.reorder(unit);
    }

    /// A concentrator serves in the order that it is configured for, as far as what holds traffic up lets it.
    fn reorder(&mut self, unit: UnitId) {
        let order = self.devices[unit.index()].order().clone();
        if self.units[unit.index()].serves(&order) {
            return;
        }
        if let Some(packets) = &mut self.packets {
            packets.serve(self.now, unit, &order);
        }
        let jobs = self.jobs_inside(unit);
        self.units[unit.index()].serve(&order, &jobs);
    }

    /// The flows inside a concentrator with the work that they still need.
    fn jobs_inside(&mut self, unit: UnitId) -> Vec<Job> {
        let concentrator = &mut self.units[unit.index()];
        concentrator.catch_up(self.now);
        let jobs = concentrator.inside().map(|(id, left, _)| {
            let flow = self.flows.get(id);
            Job {
                flow: id,
                site: flow.site,
                class: flow.class,
                work: left * concentrator.weight(flow.site, flow.class),
            }
        });
        jobs.collect()
    }
}
