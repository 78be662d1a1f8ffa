//! Days: the measurements of a day of a model, which is simulated at most once.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::model::Model;
use crate::scenario::check::target::Target;
use crate::sim::simulate;
use crate::study::error::StudyError;
use crate::study::figures::{hours_lost, minutes_over, waiting_at_close};
use crate::study::record::FocusClass;
use crate::study::recorder::Recorder;
use crate::study::saved::RunCache;

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
        // Whose time is counted, and what is too long, depends on the focus class.
        let name = |watched: FocusClass| format!("day-of-{}-{}", watched.class.0, watched.limit);
        let open = |(model, (targets, watched)): (&Model, &(Vec<Target>, FocusClass))| {
            let name = name(*watched);
            self.keep.as_deref().map(|folder| RunCache::open(folder, [(name.as_str(), model)], targets)).transpose()
        };
        let saved: Vec<Option<RunCache>> = models.iter().zip(asked).map(open).collect::<Result<_, StudyError>>()?;
        let day = |&(place, day): &(usize, u32)| -> Result<DayResult, StudyError> {
            let (saved, (targets, watched)) = (saved[place].as_ref(), &asked[place]);
            let name = name(*watched);
            let found = match saved.and_then(|saved| saved.get(&name, day)) {
                Some(known) => known,
                None => {
                    let found = self.simulate(&models[place], targets, *watched, day)?;
                    saved.map_or(Ok(()), |saved| saved.put(&name, day, &found))?;
                    found
                }
            };
            (self.progress)();
            Ok(found)
        };
        wanted.par_iter().map(day).collect()
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
