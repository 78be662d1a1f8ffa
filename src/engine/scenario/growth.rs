//! Growth of demand over years.

use crate::elementary::pow;
use crate::model::{Demand, Model};
use crate::scenario::check::demand::whole_numbers;

/// Each class grows for so many years.
pub fn grow_for(model: &mut Model, years: f64) {
    if years <= 0.0 {
        return;
    }
    for class in &mut model.classes {
        let by = pow(1.0 + class.growth, years);
        match &mut class.demand {
            Demand::Users { workstations: counts, .. }
            | Demand::Jobs { workstations: counts, .. }
            | Demand::Staff { people: counts, .. } => {
                let exact: Vec<f64> = counts.iter().map(|count| f64::from(*count) * by).collect();
                *counts = whole_numbers(&exact, &model.sites);
            }
            Demand::Open(arrivals) | Demand::Streams { arrivals, .. } => arrivals.per_day *= by,
            Demand::Steady { .. } | Demand::Replayed => {}
        }
    }
}
