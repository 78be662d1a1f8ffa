//! What a scenario's counters would show, run by run.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use rayon::prelude::*;

use crate::fit::observed::Counted;
use crate::model::{ClassId, Model};
use crate::study::StudyError;
use crate::study::counters::{Layer, RunCounters, count};
use crate::study::record::FocusClass;
use crate::study::saved::{Kind, RunCache, Subject};
use crate::units::{BitRate, Duration, NANOS, PacketRate};

/// What runs are counted as.
pub struct Counting<'a> {
    /// What the counters count.
    pub layer: Layer,
    /// Length of an interval.
    pub interval: Duration,
    /// Folder in which runs are kept: one that is known is not simulated again.
    pub keep: Option<PathBuf>,
    /// Set from outside to stop.
    pub stop: &'a AtomicBool,
    /// Told after each run.
    pub progress: &'a (dyn Fn() + Sync),
}

impl Counting<'_> {
    /// Runs of models, each with the number of its replication, in parallel; their order is kept.
    ///
    /// # Errors
    /// If it is stopped, or a run cannot be kept.
    pub fn all(&self, wanted: &[(&Model, u32)]) -> Result<Vec<RunCounters>, StudyError> {
        let run = |&(model, replication): &(&Model, u32)| {
            let found = self.work(model, replication).map(|run| run.counted_as(model, self.layer));
            (self.progress)();
            found
        };
        wanted.par_iter().map(run).collect()
    }

    /// The work of a run, whatever counters make of it.
    ///
    /// # Errors
    /// If it is stopped, or cannot be kept.
    pub fn work(&self, model: &Model, replication: u32) -> Result<RunCounters, StudyError> {
        let name = format!("work-{}s", self.interval.0 / NANOS);
        let watched = FocusClass { class: ClassId(0), limit: 0.0 };
        let subject = Subject { kind: Kind::Counters, name: &name, model, targets: &[], watched };
        let cache = self.keep.as_deref().map(|folder| RunCache::of(folder, subject));
        if let Some(known) = cache.as_ref().map_or(Ok(None), |cache| cache.get(replication))? {
            return Ok(known);
        }
        let found = count(model, replication, self.interval, self.stop).ok_or(StudyError::Stopped)?;
        cache.map_or(Ok(()), |cache| cache.put(replication, &found))?;
        Ok(found)
    }
}

/// The intervals of a run, by thing [bit].
#[must_use]
pub fn passed(run: &RunCounters, things: &[Counted]) -> Vec<Vec<f64>> {
    things.iter().map(|thing| run.of(thing.concentrator, thing.class)).collect()
}

/// The same model with concentrators so much larger that nothing waits there: what it carries then is what is wanted.
#[must_use]
pub fn roomy(model: &Model) -> Model {
    const TIMES: u64 = 20;
    let mut wide = model.clone();
    let larger = |rate: BitRate| BitRate(rate.0.saturating_mul(TIMES));
    for device in &mut wide.concentrators {
        device.throughput = larger(device.throughput);
        device.rated = larger(device.rated);
        device.packets = device.packets.map(|rate| PacketRate(rate.0.saturating_mul(TIMES)));
        device.uplink = device.uplink.map(larger);
        device.configured = device.configured.map(larger);
        device.buffer.0 = device.buffer.0.saturating_mul(TIMES);
    }
    wide
}
