//! A run in progress: the state that all handlers share.

use crate::model::{ClassId, Concentrator, ConcentratorId, DayLevel, Demand, Discipline, Model, SiteId, Tcp};
use crate::random::Key;
use crate::sim::event::Event;
use crate::sim::event_list::EventList;
use crate::sim::network::Network;
use crate::sim::observer::Snapshot;
use crate::sim::pricing::Pricing;
use crate::sim::route::Route;
use crate::sim::transaction::slab::TransactionSlab;
use crate::sim::transfer::Delivery;
use crate::sim::tunnels::balancer;
use crate::sim::tunnels::ike::Tunnels;
use crate::sim::workload::backlog::PaperBacklog;
use crate::sim::workload::calls::CallSlab;
use crate::sim::workload::generators::Workload;
use crate::units::Time;

/// The shortest bucket of the event list lasts 2 to so many nanoseconds: 1 ms.
const BUCKET: u32 = 20;

/// A run in progress.
pub(crate) struct Engine<'m, O> {
    pub model: &'m Model,
    pub key: Key,
    pub observer: &'m mut O,
    pub now: Time,
    pub events: EventList<Event>,
    pub network: Network,
    /// What the network has told and nobody has heard yet.
    pub deliveries: Vec<Delivery>,
    /// By concentrator.
    pub pricing: Vec<Pricing>,
    /// By concentrator: what it is after changes, without brown-outs.
    pub devices: Vec<DeviceState>,
    /// By site: where its tunnel ends, or ended last.
    pub concentrator_of: Vec<ConcentratorId>,
    pub tunnels: Tunnels,
    /// By class: cuts in force between concentrators and servers.
    pub server_cuts: Vec<i32>,
    /// By fault.
    pub floods: Vec<FloodState>,
    pub transactions: TransactionSlab,
    pub workload: Workload,
    pub calls: CallSlab,
    pub paper: PaperBacklog,
    /// How much of everything today has.
    pub level: DayLevel,
    pub snapshot: Snapshot,
}

/// What a site sends that nobody asked for, as it stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FloodState {
    /// Whether it has begun and is not over.
    pub begun: bool,
    /// Where it goes; nowhere while its site is cut off.
    pub route: Option<Route>,
    /// On how many ways it has gone.
    pub ways: u32,
}

/// A concentrator as it stands.
#[derive(Clone, Debug)]
pub(crate) struct DeviceState {
    /// What it is after changes.
    pub terms: Concentrator,
    /// The order in which it serves.
    pub discipline: Discipline,
    /// What the brown-outs in force leave of its throughput, each.
    pub brown_outs: Vec<f64>,
}

impl<'m, O> Engine<'m, O> {
    /// A run before its first event.
    pub fn new(model: &'m Model, replication: u32, observer: &'m mut O) -> Self {
        let key = model.key(replication);
        let (home, placed) = balancer::place(model, key);
        let workload = Workload::new(model);
        let device = |terms: &Concentrator| DeviceState {
            discipline: terms.order().clone(),
            terms: terms.clone(),
            brown_outs: Vec::new(),
        };
        let pricing = |terms: &Concentrator| Pricing::new(terms, model.transport, &model.sites);
        Self {
            key,
            observer,
            now: Time(0),
            events: EventList::new(BUCKET),
            network: Network::new(model, &workload.class_names),
            deliveries: Vec::new(),
            pricing: model.concentrators.iter().map(pricing).collect(),
            devices: model.concentrators.iter().map(device).collect(),
            concentrator_of: placed.iter().zip(&home).map(|(placed, home)| placed.unwrap_or(*home)).collect(),
            tunnels: match model.tunnels.idle_timeout {
                None => Tunnels::new(model, &placed, &home),
                Some(_) => Tunnels::dormant(model, &home),
            },
            server_cuts: vec![0; model.classes.len()],
            floods: vec![FloodState::default(); model.faults.len()],
            transactions: TransactionSlab::new(&model.classes),
            workload,
            calls: CallSlab::new(model),
            paper: PaperBacklog::new(model),
            level: DayLevel::USUAL,
            snapshot: Snapshot::default(),
            model,
        }
    }

    /// Who asks for transfers of a class, and when.
    pub fn demand(&self, class: ClassId) -> &'m Demand {
        &self.model.classes[class.index()].demand
    }

    /// TCP's terms; none where transport is ideal.
    pub fn tcp(&self) -> Option<Tcp> {
        self.model.transport.tcp()
    }

    /// Whether a class at a site has no way to its servers, and does not only wait for a tunnel that comes up with traffic.
    pub fn is_cut_off(&self, site: SiteId, class: ClassId) -> bool {
        self.tunnels.is_cut_off(site) || self.server_cuts[class.index()] > 0
    }

    /// Whether a class at a site can reach its servers.
    #[inline]
    pub fn reaches(&self, site: SiteId, class: ClassId) -> bool {
        self.tunnels.reaches_headend(site) && self.server_cuts[class.index()] == 0
    }
}
