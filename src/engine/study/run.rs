//! Runs of replications in parallel until the stopping rule ends them; kept runs are resumed.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use crate::disk::Draft;
use crate::scenario::{Setup, Study};
use crate::sim::simulate;
use crate::study::error::{MissingRun, StudyError};
use crate::study::gathering::{Gathering, watched};
use crate::study::options::{Progress, RunOptions};
use crate::study::queue::in_order;
use crate::study::record::{FocusClass, RunRecord};
use crate::study::recorder::Recorder;
use crate::study::records_file::{RECORDS_HEADER, RecordWriter};
use crate::study::results::Results;
use crate::study::saved::{Kind, RunCache, Subject};

/// Runs the chosen set-ups of a study, given by their places.
///
/// # Errors
/// If it is stopped, or a file cannot be written.
pub fn run(study: &Study, chosen: &[usize], settings: &RunOptions<'_>) -> Result<Results, StudyError> {
    let mut gathering = Gathering::begin(study, chosen);
    let setups = gathering.setups.clone();
    let caches: Vec<Option<RunCache>> = setups.iter().map(|setup| cache(study, setup, settings)).collect();
    let mut records = settings.records.as_deref().map(Records::create).transpose()?;
    loop {
        let round = gathering.round();
        let finished = std::sync::atomic::AtomicU64::new(u64::from(round.start) * setups.len() as u64);
        let total = u64::from(round.end) * setups.len() as u64;
        let jobs: Vec<(u32, usize)> =
            round.flat_map(|replication| (0..setups.len()).map(move |setup| (replication, setup))).collect();
        if !settings.here {
            let missing = missing(&jobs, &caches, chosen, settings.records.is_some());
            if !missing.is_empty() {
                return Err(StudyError::Missing(missing));
            }
        }
        let report = |done| (settings.progress)(Progress::Runs { done, planned: total });
        report(finished.load(Ordering::Relaxed));
        let watched = gathering.watched;
        let work = |number: usize| {
            let (replication, setup) = jobs[number];
            let cache = caches[setup].as_ref();
            let run = ScheduledRun { setup: setups[setup], replication, study, watched, settings, cache }.run();
            report(finished.fetch_add(1, Ordering::Relaxed) + 1);
            run
        };
        in_order(jobs.len(), work, |number, (run, rows)| {
            gathering.add(jobs[number].1, run);
            match (&mut records, rows) {
                (Some(records), Some(mut rows)) => records.append(&mut rows),
                _ => Ok(()),
            }
        })?;
        (settings.progress)(Progress::Forecasts);
        let stopped = gathering.judge(settings.stop);
        if settings.stop.load(Ordering::Relaxed) {
            return Err(StudyError::Stopped);
        }
        if let Some(why) = stopped {
            if let Some(records) = records {
                records.finish()?;
            }
            return Ok(gathering.results(why));
        }
    }
}

/// Where the runs of a set-up are kept.
fn cache(study: &Study, setup: &Setup, settings: &RunOptions<'_>) -> Option<RunCache> {
    settings.keep.as_deref().map(|folder| kept(study, setup, folder))
}

/// The kept runs of a set-up in a folder.
#[must_use]
pub fn kept(study: &Study, setup: &Setup, folder: &Path) -> RunCache {
    let Setup { name, model, .. } = setup;
    let subject = Subject { kind: Kind::Whole, name, model, targets: &study.targets, watched: watched(study) };
    RunCache::of(folder, subject)
}

/// The runs of a round that are not kept yet; `chosen` holds the place of each set-up in the study.
fn missing(jobs: &[(u32, usize)], caches: &[Option<RunCache>], chosen: &[usize], records: bool) -> Vec<MissingRun> {
    let missing = |&(replication, setup): &(u32, usize)| {
        let cache = caches[setup].as_ref().filter(|cache| !cache.has(replication, records))?;
        let file = cache.file(replication, records);
        Some(MissingRun { place: chosen[setup], replication, value: None, file })
    };
    jobs.iter().filter_map(missing).collect()
}

/// Simulates a run of the set-up at a place.
///
/// # Errors
/// If it is stopped.
pub fn single_run(
    study: &Study,
    place: usize,
    replication: u32,
    settings: &RunOptions<'_>,
) -> Result<RunRecord, StudyError> {
    let (setup, watched) = (&study.setups[place], watched(study));
    ScheduledRun { setup, replication, study, watched, settings, cache: None }.run().map(|(run, _)| run)
}

/// Simulates a run of the set-up at a place, unless it is kept, and keeps it with its records where these are asked for.
///
/// # Errors
/// If it is stopped, or cannot be written.
pub fn keep_run(study: &Study, place: usize, replication: u32, settings: &RunOptions<'_>) -> Result<(), StudyError> {
    let setup = &study.setups[place];
    let cache = cache(study, setup, settings);
    let watched = watched(study);
    ScheduledRun { setup, replication, study, watched, settings, cache: cache.as_ref() }.run().map(|_| ())
}

/// One run: a set-up in a replication.
struct ScheduledRun<'a> {
    setup: &'a Setup,
    replication: u32,
    study: &'a Study,
    watched: FocusClass,
    settings: &'a RunOptions<'a>,
    cache: Option<&'a RunCache>,
}

/// Records of a run, in order.
type RunRecords = Box<dyn Read + Send>;

impl ScheduledRun<'_> {
    fn run(&self) -> Result<(RunRecord, Option<RunRecords>), StudyError> {
        if self.settings.stop.load(Ordering::Relaxed) {
            return Err(StudyError::Stopped);
        }
        let known = || self.cache.map_or(Ok(None), |cache| cache.get(self.replication));
        let keep = |run: &RunRecord| self.cache.map_or(Ok(()), |cache| cache.put(self.replication, run));
        let Some(path) = &self.settings.records else {
            if let Some(run) = known()? {
                return Ok((run, None));
            }
            let run = self.simulate(None)?;
            keep(&run)?;
            return Ok((run, None));
        };
        let wrong = |source| StudyError::Write(path.clone(), source);
        let Some(cache) = self.cache else {
            // Records of parallel runs go to files of their own, which are put together in order.
            let mut draft = std::io::BufWriter::new(Draft::beside(path).map_err(wrong)?);
            let run = self.simulate(Some(&mut draft))?;
            let draft = draft.into_inner().map_err(|fault| wrong(fault.into_error()))?;
            return Ok((run, Some(Box::new(draft.reread().map_err(wrong)?))));
        };
        let rows = || cache.records(self.replication);
        if let Some((run, rows)) = known()?.zip(rows()?) {
            return Ok((run, Some(Box::new(rows))));
        }
        let mut kept = cache.keep_records(self.replication)?;
        let run = self.simulate(Some(&mut kept))?;
        // The run is kept first: where its records are, it is there, too.
        keep(&run)?;
        kept.place()?;
        let gone = || wrong(std::io::Error::other("what was kept of a run has changed"));
        Ok((run, Some(Box::new(rows()?.ok_or_else(gone)?))))
    }

    fn simulate(&self, out: Option<&mut (dyn Write + Send)>) -> Result<RunRecord, StudyError> {
        let model = &self.setup.model;
        let rows = out.map(|out| RecordWriter {
            out,
            model,
            replication: self.replication,
            option: &self.setup.name,
            fault: None,
        });
        let mut recorder = Recorder::new(model, &self.study.targets, self.watched, self.settings.stop, rows);
        simulate(model, self.replication, &mut recorder);
        if self.settings.stop.load(Ordering::Relaxed) {
            return Err(StudyError::Stopped);
        }
        let path = || self.settings.records.clone().unwrap_or_default();
        recorder.finish().map_err(|source| StudyError::Write(path(), source))
    }
}

/// The file of all records: written beside its place, and moved there when it is whole.
struct Records {
    path: PathBuf,
    draft: Draft,
}

impl Records {
    fn create(path: &Path) -> Result<Self, StudyError> {
        let wrong = |source| StudyError::Write(path.to_owned(), source);
        let mut draft = Draft::beside(path).map_err(wrong)?;
        draft.write_all(RECORDS_HEADER.as_bytes()).map_err(wrong)?;
        Ok(Self { path: path.to_owned(), draft })
    }

    fn append(&mut self, rows: &mut impl Read) -> Result<(), StudyError> {
        let wrong = |source| StudyError::Write(self.path.clone(), source);
        std::io::copy(rows, &mut self.draft).map_err(wrong)?;
        Ok(())
    }

    fn finish(self) -> Result<(), StudyError> {
        let path = self.path;
        let wrong = |source| StudyError::Write(path.clone(), source);
        self.draft.place(&path).map_err(wrong)
    }
}
