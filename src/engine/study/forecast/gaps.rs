//! Gaps: when sites cannot reach the headend, or the servers of a class cannot be reached.

use crate::model::{Class, FaultKind, Model};
use crate::study::forecast::tunnels::TunnelForecast;
use crate::units::Time;

/// A site, or a class, cannot reach anything for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// Which site, or all.
    pub site: Option<usize>,
    /// Which class, or all.
    pub class: Option<usize>,
    /// First instant.
    pub from: Time,
    /// First instant after it; never, if it goes on.
    pub until: Time,
}

/// All gaps of a run, by the instant at which they begin.
#[must_use]
pub fn gaps(model: &Model, tunnels: &TunnelForecast) -> Vec<Gap> {
    let mut since: Vec<Option<Time>> = vec![None; model.sites.len()];
    let mut gaps = Vec::new();
    for one in &tunnels.moves {
        let site = one.site.index();
        let began = if one.to.is_some() { since[site].take() } else { None };
        if one.to.is_none() {
            since[site].get_or_insert(one.at);
        }
        gaps.extend(began.map(|from| Gap { site: Some(site), class: None, from, until: one.at }));
    }
    let still = since.iter().enumerate().filter_map(|(site, since)| Some((site, (*since)?)));
    gaps.extend(still.map(|(site, from)| Gap { site: Some(site), class: None, from, until: Time::NEVER }));
    for fault in &model.faults {
        if let FaultKind::ServersLost(classes) = &fault.what {
            let lost = |class: &crate::model::ClassId| Gap {
                site: None,
                class: Some(class.index()),
                from: fault.from,
                until: fault.until,
            };
            gaps.extend(classes.iter().map(lost));
        }
    }
    gaps.sort_by_key(|gap| gap.from);
    gaps
}

/// Share of a class that is served on site while that is cut off.
#[must_use]
pub fn served_on_site(class: &Class) -> f64 {
    1.0 - class.rules.store_and_forward.iter().fold(1.0, |left, (share, _)| left * (1.0 - share.0))
}
