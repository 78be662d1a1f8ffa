//! The state of each class's generator.

use crate::model::{Demand, Model, SiteId};
use crate::random::name_of;
use crate::sim::workload::draws::{ByPatients, DrawKey, Poisson, Users};
use crate::units::Time;

/// The generators of all classes.
#[derive(Debug)]
pub struct Workload {
    /// The numbers of the classes' names: they key what is drawn.
    pub class_names: Vec<u64>,
    /// The numbers of the sites' names.
    pub site_names: Vec<u64>,
    /// Draws sites in proportion to their patients.
    pub by_patients: ByPatients,
    /// By class: its workstations, if people use it.
    pub users: Vec<Option<Users>>,
    /// By class: the day's arrivals.
    pub arrivals: Vec<Poisson>,
    /// By class: the arrival that is scheduled.
    pub pending: Vec<Option<DrawKey>>,
    /// By class: jobs of the day, the last first.
    pub jobs: Vec<Vec<(Time, SiteId, DrawKey)>>,
    /// Transactions of the replay that have started.
    pub replayed: usize,
    /// By class: what surges bring today beside the usual, the last first.
    pub surges: Vec<Vec<(Time, DrawKey)>>,
}

impl Workload {
    /// Generators before the first day.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let classes = model.classes.len();
        let site_names: Vec<u64> = model.sites.iter().map(|site| name_of(&site.name)).collect();
        let users = model.classes.iter().map(|class| match &class.demand {
            Demand::Users { workstations, .. } => Some(Users::new(workstations, &site_names)),
            _ => None,
        });
        Self {
            class_names: model.classes.iter().map(|class| name_of(&class.name)).collect(),
            by_patients: ByPatients::new(model.sites.iter().map(|site| site.patients), &site_names),
            users: users.collect(),
            site_names,
            arrivals: vec![Poisson::default(); classes],
            pending: vec![None; classes],
            jobs: vec![Vec::new(); classes],
            replayed: 0,
            surges: vec![Vec::new(); classes],
        }
    }
}
