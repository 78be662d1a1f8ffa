//! Dated changes of the model: a device, an order of service, shaping, tunnels that are moved.

use crate::model::{ChangeKind, ConcentratorId};
use crate::sim::discipline::Shape;
use crate::sim::engine::Engine;
use crate::sim::observer::Observer;

impl<O: Observer> Engine<'_, O> {
    /// A change comes into force.
    pub(crate) fn apply_change(&mut self, number: u32) {
        match &self.model.changes[number as usize].kind {
            ChangeKind::ReplaceDevice { concentrator, throughput, buffer } => {
                let terms = &mut self.devices[concentrator.index()].terms;
                if (terms.throughput, terms.buffer) != (*throughput, *buffer) {
                    (terms.throughput, terms.buffer) = (*throughput, *buffer);
                    self.replace_device(*concentrator);
                }
            }
            ChangeKind::SetDiscipline(concentrator, discipline) => {
                self.devices[concentrator.index()].terms.discipline.clone_from(discipline);
                self.set_discipline(*concentrator);
            }
            ChangeKind::SetShaping(class) => {
                let (total, per_site) = self.model.classes[class.index()].rules.caps_at(self.now);
                self.network.set_shaping(self.now, *class, Shape::of(total, per_site));
            }
            // Transfers under way end where they are; what starts from now on takes the new tunnel.
            ChangeKind::Migrate { sites, to, cut_over } => {
                for &site in sites.iter() {
                    if *cut_over { self.cut_over(site, *to) } else { self.migrate(site, *to) }
                }
            }
        }
    }

    /// A concentrator is another device of its kind: its buffer, what packets cost it and what holds traffic up may be other,
    /// too.
    fn replace_device(&mut self, concentrator: ConcentratorId) {
        let terms = &self.devices[concentrator.index()].terms;
        let calls = self.calls.at(concentrator);
        self.pricing[concentrator.index()].replace_device(terms, &self.model.sites, &calls);
        self.network.replace_device(self.now, concentrator, terms, self.model, &calls);
        self.set_throughput(concentrator);
        self.set_discipline(concentrator);
    }

    /// A concentrator serves in the order that it is configured for, as far as what holds traffic up lets it.
    fn set_discipline(&mut self, concentrator: ConcentratorId) {
        let device = &mut self.devices[concentrator.index()];
        let discipline = device.terms.order();
        if device.discipline != *discipline {
            device.discipline = discipline.clone();
            self.network.set_discipline(self.now, concentrator, &device.discipline);
        }
    }
}
