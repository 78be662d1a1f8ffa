//! Dated edits of the world.

use crate::scenario::model::{Action, UnitId};
use crate::sim::Engine;
use crate::sim::concentrator::Job;
use crate::sim::discipline::Shape;
use crate::sim::observer::Observer;

impl<O: Observer> Engine<'_, O> {
    pub(super) fn edit(&mut self, number: u32) {
        let action = &self.model.edits[number as usize].what;
        if let Some(packets) = &mut self.packets {
            packets.edit(self.now, action);
        }
        match action {
            Action::Resize(unit, throughput) => {
                self.rates[unit.index()] = *throughput;
                self.set_throughput(*unit);
            }
            Action::Serve(unit, discipline) => {
                let order = self.model.units[unit.index()].order(discipline);
                if let Some(packets) = &mut self.packets {
                    packets.serve(self.now, *unit, order);
                }
                let jobs = self.jobs_inside(*unit);
                self.units[unit.index()].serve(order, &jobs);
            }
            Action::Shape { class, total, per_site } => {
                let shape = Shape::of(*total, *per_site);
                for unit in (0..self.units.len()).map(UnitId::of) {
                    let jobs = self.jobs_inside(unit);
                    self.units[unit.index()].shape(*class, shape, &jobs);
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
