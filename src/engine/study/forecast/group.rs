//! Groups: transfers of one class between one concentrator and one kind of sites, and what some of them do together.

use crate::study::forecast::actions::ACTIONS;
use crate::study::forecast::in_progress::{InProgress, Shared};
use crate::study::forecast::lane::Flows;

/// Transfers of one class between one concentrator and one kind of sites.
#[derive(Clone, Debug)]
pub struct Group {
    /// Which class.
    pub class: usize,
    /// Which kind of sites.
    pub kind: usize,
    /// How many sites of the kind are at the concentrator.
    pub sites: f64,
    /// How unlike in size they are: the mean square over the square of the mean.
    pub uneven: f64,
    /// Rate of a site's access link [bit/s of work].
    pub access: f64,
    /// Those that share.
    pub in_progress: InProgress,
    /// Starts a second.
    pub starts: f64,
    /// What comes in bursts [bit/s].
    pub bursts: f64,
    /// The mean square of a burst over its mean [bit].
    pub batch: f64,
    /// For how much actions share [bit].
    pub shared: Shared,
    /// Rate of one that shares, on average [bit/s].
    pub rate: f64,
    /// Rate of one while the lane is full [bit/s].
    pub rate_full: f64,
}

impl Group {
    /// One with nothing under way.
    #[must_use]
    pub fn new(class: usize, kind: usize) -> Self {
        Self {
            class,
            kind,
            sites: 1.0,
            uneven: 1.0,
            access: 0.0,
            in_progress: InProgress::new(),
            starts: 0.0,
            bursts: 0.0,
            batch: 0.0,
            shared: [0.0; ACTIONS],
            rate: 0.0,
            rate_full: 0.0,
        }
    }
}

/// What the transfers of some groups want at the rates that they have [bit/s].
pub fn wanted(groups: &[&mut Group], members: &[usize], dt: f64) -> f64 {
    let of = |group: &Group| group.in_progress.passing(group.starts * dt, group.rate * dt).done / dt;
    members.iter().map(|at| of(groups[*at])).sum()
}

/// The share with which so much work is done in a step [bit/s].
pub fn level(groups: &[&mut Group], members: &[usize], flows: &[Flows], work: f64, dt: f64, last: f64) -> f64 {
    let done = |share: f64| -> f64 {
        let of = |at: &usize| {
            let group = &groups[*at];
            group.in_progress.passing(group.starts * dt, flows[*at].rate(share) * dt).done
        };
        members.iter().map(of).sum()
    };
    let widest = members.iter().map(|at| flows[*at].access / flows[*at].weight).fold(1.0, f64::max);
    let (mut low, mut high) = (widest * 1e-7, widest);
    let mut middle = if last > low && last < high { last } else { (low * high).sqrt() };
    for _ in 0..14 {
        let found = done(middle);
        if (found / work - 1.0).abs() < 2e-3 {
            return middle;
        }
        if found < work {
            low = middle;
        } else {
            high = middle;
        }
        // Work grows about as the share does, as long as all go on.
        let guess = middle * (work / found.max(1e-9)).clamp(0.2, 5.0);
        middle = if guess > low && guess < high { guess } else { (low * high).sqrt() };
    }
    middle
}
