//! Calls: how many are offered, and how many are refused. Calls are carried before all other traffic; delay and loss of their
//! packets are not judged.

use serde::Serialize;

use crate::model::{Demand, Model};
use crate::study::record::RunRecord;
use crate::study::series::{ComparedEstimate, Series};
use crate::study::waits::Sorted;

/// The calls of a class in a set-up.
#[derive(Clone, Debug, Serialize)]
pub struct Calls {
    /// Its place among the classes.
    pub class: usize,
    /// Calls offered.
    pub asked: ComparedEstimate,
    /// Share of them that is refused (call blocking).
    pub refused: ComparedEstimate,
}

impl Calls {
    /// Its figures, in the order of their series.
    #[must_use]
    pub fn figures(&self) -> [&ComparedEstimate; 2] {
        [&self.asked, &self.refused]
    }
}

/// The calls of a class in a replication.
#[derive(Clone, Copy, Debug)]
pub struct CallTally {
    asked: f64,
    refused: f64,
}

/// By class; none for one that has no calls.
pub(super) fn of(run: &RunRecord, model: &Model) -> Vec<Option<CallTally>> {
    let classes = model.classes.iter().zip(&run.classes).map(|(class, bins)| {
        let asked: f64 = bins.iter().map(|bin| bin.started).sum();
        let refused: f64 = bins.iter().map(|bin| bin.failed).sum();
        matches!(class.demand, Demand::Streams { .. }).then_some(CallTally { asked, refused: refused / asked.max(1.0) })
    });
    classes.collect()
}

/// By set-up: its calls, class by class, against the base; and what that comes from.
pub(super) fn compare(
    setups: &[&[Vec<Option<CallTally>>]],
    base: Option<usize>,
    antithetic: bool,
    classes: &[&str],
) -> Vec<(Vec<Calls>, Vec<Series>)> {
    let mut found = vec![(Vec::new(), Vec::new()); setups.len()];
    for (class, name) in classes.iter().enumerate() {
        let known = Sorted::of(setups, class, base, antithetic);
        let asked = known.figure((format!("{name} asked for"), "calls"), |run| run.asked, 0.0);
        let refused = known.figure((format!("{name} refused"), "share"), |run| run.refused, 0.0);
        for ((place, asked), refused) in known.places().zip(asked).zip(refused) {
            let (calls, series): &mut (Vec<Calls>, Vec<Series>) = &mut found[place];
            calls.push(Calls { class, asked: asked.0, refused: refused.0 });
            series.extend([asked.1, refused.1]);
        }
    }
    found
}
