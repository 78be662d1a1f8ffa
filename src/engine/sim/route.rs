//! Routes through the network, and the packets of a call.

use crate::model::{ClassId, Codec, ConcentratorId, SiteId};
use crate::units::{NANOS, float};

/// A site's traffic of a class through a concentrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// To and from which site.
    pub site: SiteId,
    /// Of which class.
    pub class: ClassId,
    /// Through which concentrator.
    pub concentrator: ConcentratorId,
}

/// Packets per second of a call, each way.
#[must_use]
pub fn packets_per_second(codec: Codec) -> f64 {
    float(NANOS) / float(codec.every.0)
}
