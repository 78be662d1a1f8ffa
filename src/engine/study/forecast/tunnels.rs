//! Where each site's tunnel ends, from the start of a run to its end.
//!
//! Tunnels do not depend on traffic: what becomes of them is simulated as it is in a run, with nobody who asks for anything.

use std::sync::Arc;

use crate::model::{ClassId, ConcentratorId, Demand, FaultKind, Model, SiteId};
use crate::sim::observer::{Fact, Observer};
use crate::sim::simulate;
use crate::study::paths::{PathWatch, Paths};
use crate::units::{DAY, Duration, Time};

/// A site's tunnel ends somewhere else, or nowhere.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TunnelMove {
    /// When.
    pub at: Time,
    /// Which site.
    pub site: SiteId,
    /// Where.
    pub to: Option<ConcentratorId>,
}

/// What becomes of all tunnels.
#[derive(Clone, Debug)]
pub struct TunnelForecast {
    /// All that happens, by time.
    pub moves: Vec<TunnelMove>,
    /// Availability over the run.
    pub paths: Paths,
}

struct Watch {
    ends: Vec<Option<ConcentratorId>>,
    up: Vec<bool>,
    moves: Vec<TunnelMove>,
    paths: PathWatch,
}

impl Observer for Watch {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        let site = match *fact {
            Fact::TunnelAttached { site, concentrator } => {
                self.ends[site.index()] = Some(concentrator);
                site
            }
            Fact::Reachability { site, up } => {
                self.up[site.index()] = up;
                self.paths.path(now, site, up);
                site
            }
            _ => return,
        };
        let to = self.ends[site.index()].filter(|_| self.up[site.index()]);
        self.moves.push(TunnelMove { at: now, site, to });
    }
}

impl TunnelForecast {
    /// Those of the first replication; staff are counted by `watched` where no class is of staff.
    #[must_use]
    pub fn of(model: &Model, watched: ClassId) -> Self {
        let sites = model.sites.len();
        let paths = PathWatch::new(model, watched);
        let mut watch = Watch { ends: vec![None; sites], up: vec![true; sites], moves: Vec::new(), paths };
        simulate(&silent(model), 0, &mut watch);
        Self { moves: watch.moves, paths: watch.paths.finish(&[]) }
    }
}

/// The model without anybody who asks for anything.
fn silent(model: &Model) -> Model {
    let mut silent = model.clone();
    for class in &mut silent.classes {
        class.demand = Demand::Replayed;
    }
    silent.faults.retain(|fault| !matches!(fault.what, FaultKind::Flood(..) | FaultKind::Surge(..)));
    silent.replay = Some(Arc::from([]));
    silent.bin = Duration(DAY);
    silent
}
