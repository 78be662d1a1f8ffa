//! Days: the measurements of a day of a model, which is simulated at most once.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::Model;
use crate::scenario::check::target::Target;
use crate::sim::simulate;
use crate::study::error::{MissingRun, StudyError};
use crate::study::figures::{hours_lost, minutes_over, waiting_at_close};
use crate::study::record::FocusClass;
use crate::study::recorder::Recorder;
use crate::study::saved::{Kind, RunCache, Subject};

/// Measurements of a day.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DayResult {
    /// By target: its upper bound; none where there was nothing to measure.
    pub targets: Vec<Option<f64>>,
    /// Time for which the watched class was over its limit [min].
    pub minutes_over: f64,
    /// Time that people lost by waiting [h].
    pub staff_lost: f64,
    /// Jobs that were not finished at the end.
    pub unfinished: f64,
}

/// The value that is compared with a limit: the upper bound of a figure. Where unfinished work leaves it unbounded, it counts
/// as a multiple of what was measured: such a day meets no limit, and ranks no better than others.
fn held_against(value: Option<f64>, most: Option<f64>) -> Option<f64> {
    const UNBOUNDED: f64 = 10.0;
    let (value, most) = value.zip(most)?;
    Some(if most.is_finite() { most } else { UNBOUNDED * value })
}

/// How days are simulated.
pub struct Days<'a> {
    /// Set from outside to stop at the next bin.
    pub stop: &'a AtomicBool,
    /// Told after each day.
    pub progress: &'a (dyn Fn() + Sync),
    /// Folder in which days are kept: one that is known is not simulated again.
    pub keep: Option<PathBuf>,
    /// Whether days that are not kept yet are simulated here. If not, they are named, and nothing is measured.
    pub here: bool,
}

/// The kept days of a model in a folder.
#[must_use]
pub fn kept(model: &Model, targets: &[Target], watched: FocusClass, folder: &Path) -> RunCache {
    RunCache::of(folder, Subject { kind: Kind::Day, name: "day", model, targets, watched })
}

impl Days<'_> {
    /// The measurements of each of the days `wanted`: (place of the model, number of the day). `asked` holds the targets of each
    /// model, whose class numbers are its own.
    ///
    /// # Errors
    /// If it is stopped, or a day cannot be kept.
    pub fn measure(
        &self,
        models: &[Model],
        asked: &[(Vec<Target>, FocusClass)],
        wanted: &[(usize, u32)],
    ) -> Result<Vec<DayResult>, StudyError> {
        if !self.here {
            let missing = self.missing(models, asked, wanted);
            if !missing.is_empty() {
                return Err(StudyError::Missing(missing));
            }
        }
        let caches = self.caches(models, asked);
        let day = |&(place, day): &(usize, u32)| -> Result<DayResult, StudyError> {
            let (cache, (targets, watched)) = (caches[place].as_ref(), &asked[place]);
            let found = match cache.map_or(Ok(None), |cache| cache.get(day))? {
                Some(known) => known,
                None => {
                    let found = self.simulate(&models[place], targets, *watched, day)?;
                    cache.map_or(Ok(()), |cache| cache.put(day, &found))?;
                    found
                }
            };
            (self.progress)();
            Ok(found)
        };
        wanted.par_iter().map(day).collect()
    }

    /// The days that are not kept yet, of those `wanted`.
    #[must_use]
    pub fn missing(
        &self,
        models: &[Model],
        asked: &[(Vec<Target>, FocusClass)],
        wanted: &[(usize, u32)],
    ) -> Vec<MissingRun> {
        let caches = self.caches(models, asked);
        let missing = |&(place, day): &(usize, u32)| {
            let cache = caches[place].as_ref().filter(|cache| !cache.has(day, false))?;
            Some(MissingRun { place, replication: day, value: None, file: cache.file(day, false) })
        };
        wanted.iter().filter_map(missing).collect()
    }

    fn caches(&self, models: &[Model], asked: &[(Vec<Target>, FocusClass)]) -> Vec<Option<RunCache>> {
        let cache = |(model, (targets, watched)): (&Model, &(Vec<Target>, FocusClass))| {
            self.keep.as_deref().map(|folder| kept(model, targets, *watched, folder))
        };
        models.iter().zip(asked).map(cache).collect()
    }

    fn simulate(
        &self,
        model: &Model,
        targets: &[Target],
        watched: FocusClass,
        day: u32,
    ) -> Result<DayResult, StudyError> {
        let mut recorder = Recorder::new(model, targets, watched, self.stop, None);
        simulate(model, day, &mut recorder);
        if self.stop.load(Ordering::Relaxed) {
            return Err(StudyError::Stopped);
        }
        let run = recorder.finish();
        let run = run.map_err(|source| StudyError::Write(PathBuf::new(), source))?;
        let targets = run.targets.iter().zip(&run.at_most).map(|(value, most)| held_against(*value, *most)).collect();
        Ok(DayResult {
            minutes_over: minutes_over(&run, model, watched),
            staff_lost: hours_lost(&run, model, watched),
            unfinished: waiting_at_close(&run, model, watched),
            targets,
        })
    }
}
