//! The result folder of a run. Every file appears whole or not at all.

use std::path::{Component, Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::cli::bundle::{Bundle, hex};
use crate::cli::stop::Stop;
use crate::disk;
use crate::disk::{Claim, Claimed, Draft};
use crate::report::charts::charts;
use crate::report::finding::Finding;
use crate::report::page::page;
use crate::report::provenance::Provenance;
use crate::report::{outputs, picture, sheet, stress, summary};
use crate::scale::job::JOBS;
use crate::scenario::checker::InputFile;
use crate::study::StudyError;
use crate::study::records_file::RECORDS_HEADER;
use crate::study::results::Results;
use crate::study::stopping::StopReason;

/// The folder of a run.
pub(super) struct Output {
    folder: PathBuf,
    /// What the results are called.
    results: String,
    /// The scenario and the files that it names, which are never written to.
    inputs: Vec<PathBuf>,
    /// The lock on these results.
    _claim: Claim,
}

/// The manifest. Only threads, seconds and the clock differ between two runs of the same command.
#[derive(Serialize)]
struct Manifest<'a> {
    program: &'static str,
    version: &'static str,
    build: &'static str,
    command: &'a str,
    again: &'a str,
    scenario_sha256: &'a str,
    inputs: Vec<Hashed>,
    fidelity: &'static str,
    seed: u64,
    replications: u32,
    antithetic: bool,
    stopped: StopReason,
    files: Vec<Hashed>,
    threads: usize,
    seconds: f64,
    finished_at: String,
}

/// A file, by its path below the folder.
#[derive(Clone, Serialize)]
struct Hashed {
    path: String,
    bytes: usize,
    sha256: String,
}

impl Hashed {
    fn of(path: &str, bytes: &[u8]) -> Self {
        Self { path: path.to_owned(), bytes: bytes.len(), sha256: hex(&Sha256::digest(bytes)) }
    }
}

/// How a run was asked for.
pub(super) struct RunRequest {
    /// The command as it was given.
    pub command: String,
    /// The command that does the same again, inside the folder.
    pub again: String,
    /// When it began.
    pub began: std::time::Instant,
}

impl Output {
    /// The folder for the results of this name, made if it is not there. What is written to it must not be what one of the scenarios is
    /// read from, nor anything else that headend has not written, and no other process may be writing the same.
    pub fn prepare(out: Option<&Path>, scenarios: &[(&Path, &[InputFile])], results: &str) -> Result<Self, Stop> {
        let name = scenarios.first().and_then(|(scenario, _)| scenario.file_stem());
        // `..toml` has a stem that is no name.
        let name = name.filter(|name| *name != "." && *name != "..");
        let name = name.map_or_else(|| "scenario".into(), std::ffi::OsStr::to_os_string);
        let folder = out.map_or_else(|| Path::new("output").join(name), Path::to_path_buf);
        let read_from = |(scenario, files): &(&Path, &[InputFile])| {
            let beside = scenario.parent().unwrap_or(Path::new(""));
            std::iter::once(scenario.to_path_buf()).chain(files.iter().map(|file| beside.join(&file.name))).collect()
        };
        let inputs = scenarios.iter().flat_map(|scenario| -> Vec<PathBuf> { read_from(scenario) });
        let inputs: Vec<PathBuf> = inputs.filter_map(|path| path.canonicalize().ok()).collect();
        if let Some(path) = inputs.iter().find(|path| is_result_in(&folder, path)) {
            return Err(kept_back(path, "is an input of this scenario, and its results would overwrite it"));
        }
        if let Some(path) = foreign(&folder) {
            return Err(kept_back(&path, "was not written by headend, and results would overwrite it"));
        }
        if folder.exists() && !folder.is_dir() {
            return Err(kept_back(&folder, "is a file, and results need a folder"));
        }
        disk::folder(&folder).map_err(|fault| Stop::Write(folder.clone(), fault))?;
        let claim = claim(&folder, results)?;
        for (below, levels) in [("", 0), ("charts", 0), ("inputs", 0), (UNFINISHED, 1), (KEPT, 1)] {
            disk::tidy(&folder.join(below), levels);
        }
        Ok(Self { folder, results: results.to_owned(), inputs, _claim: claim })
    }

    /// Whether records may be written to a file: it must lie in a folder that is there, and be no input and no result.
    pub fn admits(&self, records: &Path) -> Result<(), Stop> {
        let refuse = |what: &str| {
            let help = "give `--records` the name of a file of its own";
            Err(Stop::Input(format!("error: {} {what}\n  = help: {help}", disk::shown(records))))
        };
        if records.is_dir() {
            return refuse("is a folder");
        }
        if std::fs::metadata(records).is_ok_and(|about| !about.is_file()) {
            return refuse("is a pipe or a device, not a file");
        }
        let parent = records.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (Ok(parent), Some(name)) = (parent.canonicalize(), records.file_name()) else {
            return refuse("cannot be written: its folder is not there");
        };
        if self.inputs.contains(&parent.join(name)) {
            return refuse("is an input of this scenario");
        }
        if outputs::is_result(&name.to_string_lossy()) {
            return refuse("is the name of a result");
        }
        let path = parent.join(name);
        let is_empty = std::fs::metadata(&path).is_ok_and(|about| about.len() == 0);
        if path.exists() && !is_empty && !begins_with(&path, RECORDS_HEADER) {
            return refuse("is there already, and holds something else than records");
        }
        disk::tidy(&parent, 0);
        Ok(())
    }

    /// Whether a file of a name may be replaced: what is there must begin as what headend writes.
    pub fn replaces(&self, name: &str, begins: &str) -> Result<(), Stop> {
        let path = self.path(name);
        if path.exists() && !begins_with(&path, begins) {
            return Err(kept_back(&path, "was not written by headend, and results would overwrite it"));
        }
        Ok(())
    }

    /// Where finished runs of an unfinished study are kept.
    pub fn unfinished(&self) -> PathBuf {
        self.folder.join(UNFINISHED)
    }

    /// Where what was simulated is kept for the next time.
    pub fn kept(&self) -> PathBuf {
        self.folder.join(KEPT)
    }

    /// Where the plans are of runs that are simulated elsewhere.
    pub fn jobs(&self) -> PathBuf {
        self.folder.join(JOBS).join(&self.results)
    }

    /// The folder.
    pub fn folder(&self) -> PathBuf {
        self.folder.clone()
    }

    /// Removes the plans of runs that were simulated elsewhere.
    pub fn clear_jobs(&self) {
        disk::remove(&self.jobs());
        // The folder above stays where another command has plans.
        let _ = std::fs::remove_dir(self.folder.join(JOBS));
    }

    /// Where the page is.
    pub fn page(&self) -> PathBuf {
        self.folder.join("report.html")
    }

    /// Where a file of a name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes everything. All of it is on the disk before the first file gets its name, so that a disk that is full changes nothing;
    /// one that cannot be replaced, as a sheet that somebody has open, does not keep back the others.
    pub fn write(&self, results: &Results, bundle: &Bundle, asked: &RunRequest) -> Result<(), Stop> {
        let mut batch = Batch::new(&self.folder);
        let charts = charts(results);
        for chart in &charts {
            batch.picture(&format!("charts/{}", chart.name), &chart.standalone())?;
        }
        for table in outputs::TABLES {
            batch.put(table.name, table.text(results).as_bytes())?;
        }
        batch.put("stress-des.md", stress::markdown(results).as_bytes())?;
        batch.put("summary.md", summary::text(results, &charts).as_bytes())?;
        match sheet::sheet(results, &charts) {
            Ok(book) => batch.put("report.xlsx", &book)?,
            Err(fault) => batch.without("report.xlsx", std::io::Error::other(fault)),
        }
        batch.put("scenario.toml", bundle.scenario.as_bytes())?;
        for (path, bytes) in &bundle.inputs {
            batch.put(path, bytes)?;
        }
        let origin = origin(&asked.again, std::slice::from_ref(bundle));
        batch.put("report.html", page(results, &charts, &origin).as_bytes())?;
        let (files, failed) = batch.place();
        self.clear_stale(&files);
        let manifest = Manifest {
            program: "headend",
            version: env!("CARGO_PKG_VERSION"),
            build: env!("HEADEND_BUILD"),
            command: &asked.command,
            again: &asked.again,
            scenario_sha256: &origin.hash,
            inputs: files.iter().filter(|file| file.path.starts_with("inputs/")).cloned().collect(),
            fidelity: results.fidelity,
            seed: results.seed,
            replications: results.replications,
            antithetic: results.antithetic,
            stopped: results.stopped,
            files,
            threads: rayon::current_num_threads(),
            seconds: (asked.began.elapsed().as_secs_f64() * 10.0).round() / 10.0,
            finished_at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        };
        let manifest = serde_json::to_string_pretty(&manifest).unwrap_or_default();
        let path = self.folder.join("manifest.json");
        disk::write(&path, format!("{manifest}\n").as_bytes()).map_err(|fault| Stop::Write(path, fault))?;
        failed.map_or(Ok(()), Err)
    }

    /// Removes the files of an earlier run's manifest that this one does not write. A failure is no error.
    fn clear_stale(&self, files: &[Hashed]) {
        let Ok(manifest) = std::fs::read_to_string(self.folder.join("manifest.json")) else { return };
        let Ok(manifest) = serde_json::from_str::<serde_json::Value>(&manifest) else { return };
        let earlier = manifest["files"].as_array().into_iter().flatten().filter_map(|file| file["path"].as_str());
        let is_below = |path: &&str| Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
        for path in earlier.filter(is_below).filter(|path| !files.iter().any(|file| file.path == *path)) {
            let _ = std::fs::remove_file(self.folder.join(path));
        }
    }

    /// Writes what a question found: page, table and picture.
    pub fn finding(&self, finding: &Finding, origin: &Provenance, run: &str) -> Result<(), Stop> {
        let name = &finding.name;
        let mut batch = Batch::new(&self.folder);
        batch.put(&format!("{name}.csv"), finding.csv.as_bytes())?;
        if let Some(chart) = &finding.chart {
            batch.picture(name, &chart.standalone())?;
        }
        batch.put(&format!("{name}.html"), finding.page(origin, run).as_bytes())?;
        batch.place().1.map_or(Ok(()), Err)
    }

    /// Writes a scenario under a name, with the files that it names.
    pub fn scenario(&self, name: &str, bundle: &Bundle) -> Result<(), Stop> {
        let mut batch = Batch::new(&self.folder);
        batch.put(name, bundle.scenario.as_bytes())?;
        for (path, bytes) in &bundle.inputs {
            batch.put(path, bytes)?;
        }
        batch.place().1.map_or(Ok(()), Err)
    }

    /// Why there is no answer; what is done is kept.
    pub fn stop(&self, fault: StudyError) -> Stop {
        match fault {
            StudyError::Stopped => {
                let is_kept = self.unfinished().exists() || self.kept().exists();
                if is_kept { Stop::Kept(self.folder.clone()) } else { Stop::Nothing }
            }
            other => other.into(),
        }
    }
}

/// Files that get their names when all of them are on the disk.
struct Batch<'a> {
    folder: &'a Path,
    drafts: Vec<(Hashed, Draft)>,
    /// The first that is left out.
    failed: Option<Stop>,
}

impl<'a> Batch<'a> {
    fn new(folder: &'a Path) -> Self {
        Self { folder, drafts: Vec::new(), failed: None }
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Stop> {
        let path = self.folder.join(name);
        let draft = Draft::of(&path, bytes).map_err(|fault| Stop::Write(path, fault))?;
        self.drafts.push((Hashed::of(name, bytes), draft));
        Ok(())
    }

    /// A chart as SVG, and as PNG at twice its size.
    fn picture(&mut self, stem: &str, svg: &str) -> Result<(), Stop> {
        self.put(&format!("{stem}.svg"), svg.as_bytes())?;
        picture::png(svg).map_or(Ok(()), |png| self.put(&format!("{stem}.png"), &png))
    }

    /// Goes on without a file.
    fn without(&mut self, name: &str, fault: std::io::Error) {
        self.failed.get_or_insert(Stop::Write(self.folder.join(name), fault));
    }

    /// Renames each to its final name; returns those that were renamed, and the first error.
    fn place(mut self) -> (Vec<Hashed>, Option<Stop>) {
        let mut placed = Vec::new();
        for (file, draft) in std::mem::take(&mut self.drafts) {
            match draft.place(&self.folder.join(&file.path)) {
                Ok(()) => placed.push(file),
                Err(fault) => self.without(&file.path, fault),
            }
        }
        placed.sort_by(|a, b| a.path.cmp(&b.path));
        (placed, self.failed)
    }
}

/// Whether a file lies in a folder under the name of a result.
fn is_result_in(folder: &Path, path: &Path) -> bool {
    let inside = folder.canonicalize().is_ok_and(|folder| path.parent() == Some(folder.as_path()));
    inside && outputs::is_result(&path.file_name().unwrap_or_default().to_string_lossy())
}

/// A file with the name of a result in a folder that headend has never written to.
fn foreign(folder: &Path) -> Option<PathBuf> {
    let is_ours = |name: &str| folder.join(name).exists();
    let has_manifest = begins_with(&folder.join("manifest.json"), "{\n  \"program\": \"headend\"");
    if has_manifest || [UNFINISHED, KEPT, JOBS].iter().any(|name| is_ours(name)) {
        return None;
    }
    let files = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir())).map(|entry| entry.path())
    };
    let is_picture = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "svg" || ending == "png");
    let pictures = files(&folder.join("charts")).filter(is_picture);
    files(folder).filter(|path| is_result_in(folder, &path.canonicalize().unwrap_or_default())).chain(pictures).min()
}

fn begins_with(path: &Path, text: &str) -> bool {
    use std::io::Read;
    let mut first = vec![0; text.len()];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && first == text.as_bytes()
}

fn kept_back(path: &Path, why: &str) -> Stop {
    let help = "choose another folder with `--out`";
    Stop::Input(format!("error: {} {why}\n  = help: {help}", disk::shown(path)))
}

/// What keeps two processes from writing the same results to a folder.
fn claim(folder: &Path, results: &str) -> Result<Claim, Stop> {
    let path = folder.join(format!(".{results}.lock"));
    Claim::of(&path).map_err(|claimed| match claimed {
        Claimed::Fault(fault) => Stop::Write(path, fault),
        Claimed::By(process) => {
            let who = process.map_or_else(|| "another process".to_owned(), |process| format!("process {process}"));
            let help = "wait until it has ended, or choose another folder with `--out`";
            Stop::Input(format!("error: {who} is writing to {} just now\n  = help: {help}", disk::shown(folder)))
        }
    })
}

/// Folder of the finished runs of an unfinished study.
const UNFINISHED: &str = ".unfinished";
/// Folder of what was simulated, for the next time.
const KEPT: &str = ".runs";

/// How a page came about, from these scenarios.
pub(super) fn origin(command: &str, bundles: &[Bundle]) -> Provenance {
    let hashes: Vec<String> = bundles.iter().map(|bundle| hex(&bundle.hash())).collect();
    Provenance { version: env!("CARGO_PKG_VERSION").to_owned(), command: command.to_owned(), hash: hashes.join(", ") }
}
