//! Rules that are ordered for a class: curfews, caps, caches, break-out.

use crate::model::ids::ClassId;
use crate::units::{BitRate, Duration, Share, Time};

/// A share of what is asked for, in a window.
pub type Ordered = (Time, Time, Share);

/// The share that orders in force at an instant take together: each takes its share of what the others leave.
#[must_use]
pub fn taken(orders: &[Ordered], at: Time) -> f64 {
    let in_force = orders.iter().filter(|(from, until, _)| *from <= at && at < *until);
    in_force.fold(0.0, |sum, (.., share)| sum + share.0 - sum * share.0)
}

/// What is ordered for a class; windows are absolute.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Times in which it may not start.
    pub curfews: Vec<Curfew>,
    /// Times in which it is switched off.
    pub switched_off: Vec<(Time, Time)>,
    /// Times in which a share is served on site.
    pub cached: Vec<Ordered>,
    /// Times in which a share goes round the headend.
    pub break_out: Vec<Ordered>,
    /// Caps, and the times in which they hold.
    pub caps: Vec<Cap>,
    /// Shares that a server on site carries while the site is cut off, and the classes as which they are forwarded.
    pub store_and_forward: Vec<(Share, Option<ClassId>)>,
}

/// A cap on a class at every concentrator, while it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cap {
    /// First instant.
    pub from: Time,
    /// First instant after it.
    pub until: Time,
    /// All sites together.
    pub total: Option<BitRate>,
    /// Each site.
    pub per_site: Option<BitRate>,
}

impl Rules {
    /// The caps at an instant: the tightest of those that hold.
    #[must_use]
    pub fn caps_at(&self, now: Time) -> (Option<BitRate>, Option<BitRate>) {
        let hold = || self.caps.iter().filter(|cap| cap.from <= now && now < cap.until);
        (hold().filter_map(|cap| cap.total).min(), hold().filter_map(|cap| cap.per_site).min())
    }
}

/// A window in which a class may not start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curfew {
    /// First forbidden instant.
    pub from: Time,
    /// The release.
    pub until: Time,
    /// How what has waited starts.
    pub release: Release,
    /// Share that obeys.
    pub compliance: Share,
}

/// How deferred jobs start when a curfew ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Release {
    /// All together.
    AtOnce,
    /// In the order in which they came, evenly over this time.
    Spread(Duration),
    /// Each after its own random time up to this one.
    Jittered(Duration),
}
