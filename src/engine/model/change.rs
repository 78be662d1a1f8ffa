//! Changes of the model at an instant.

use std::sync::Arc;

use crate::model::concentrator::Discipline;
use crate::model::ids::{ClassId, ConcentratorId, SiteId};
use crate::units::{BitRate, Bytes, Time};

/// A change of the model at an instant.
#[derive(Clone, Debug)]
pub struct DatedChange {
    /// When.
    pub at: Time,
    /// What changes.
    pub kind: ChangeKind,
}

/// What a change does.
#[derive(Clone, Debug)]
pub enum ChangeKind {
    /// A concentrator serves by another discipline.
    SetDiscipline(ConcentratorId, Discipline),
    /// A concentrator is replaced by a larger or smaller one of its kind.
    ReplaceDevice {
        /// Which concentrator.
        concentrator: ConcentratorId,
        /// Its throughput from now on.
        throughput: BitRate,
        /// Its buffer from now on.
        buffer: Bytes,
    },
    /// A cap of a class begins or ends ([`crate::model::Rules::caps`]).
    SetShaping(ClassId),
    /// Sites take their tunnels to another concentrator.
    Migrate {
        /// Which sites.
        sites: Arc<[SiteId]>,
        /// To which concentrator.
        to: ConcentratorId,
        /// The old tunnel is taken down before the new one is asked for.
        cut_over: bool,
    },
}
