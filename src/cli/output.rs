//! What a run leaves in its folder. Every file appears whole or not at all.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::cli::Stop;
use crate::cli::bundle::Bundle;
use crate::report::finding::Finding;
use crate::report::page::{Origin, page};
use crate::report::{charts, outputs, picture, sheet, stress, summary};
use crate::scenario::check::Named;
use crate::study::Fault;
use crate::study::results::Results;
use crate::study::stopping::Why;

/// The folder of a run.
pub(super) struct Output {
    folder: PathBuf,
    /// The scenario and the files that it names: never written to.
    inputs: Vec<PathBuf>,
}

/// How a run came about, and what it left. Only threads, seconds and the clock differ between two runs of the same.
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
    stopped: Why,
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
pub(super) struct Asked {
    /// The command as it was given.
    pub command: String,
    /// The command that does the same again, inside the folder.
    pub again: String,
    /// When it began.
    pub began: std::time::Instant,
}

impl Output {
    /// The folder, made if it is not there. What is written to it must not be what the scenario is read from.
    pub fn prepare(out: Option<&Path>, scenario: &Path, files: &[Named]) -> Result<Self, Stop> {
        let name = scenario.file_stem().map_or_else(|| "scenario".into(), std::ffi::OsStr::to_os_string);
        let folder = out.map_or_else(|| Path::new("output").join(name), Path::to_path_buf);
        std::fs::create_dir_all(&folder).map_err(|fault| Stop::Write(folder.clone(), fault))?;
        let beside = scenario.parent().unwrap_or(Path::new(""));
        let named = files.iter().map(|file| beside.join(&file.name));
        let inputs = std::iter::once(scenario.to_owned()).chain(named).filter_map(|path| path.canonicalize().ok());
        let output = Self { folder, inputs: inputs.collect() };
        let at_risk = |path: &&PathBuf| output.inputs_by_output_name(path);
        match output.inputs.iter().find(at_risk) {
            Some(path) => Err(Stop::Input(format!(
                "error: {} is an input of this scenario, and its results would overwrite it\n  = help: choose another folder with \
                 `--out`",
                path.display()
            ))),
            None => Ok(output),
        }
    }

    /// Whether an input lies in the folder under the name of a result.
    fn inputs_by_output_name(&self, path: &Path) -> bool {
        let inside = self.folder.canonicalize().is_ok_and(|folder| path.parent() == Some(folder.as_path()));
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        inside && outputs::is_result(&name)
    }

    /// Whether records may be written to a file: it must lie in a folder that is there, and be no input and no result.
    pub fn admits(&self, records: &Path) -> Result<(), Stop> {
        let refuse = |what: &str| {
            let help = "give `--records` the name of a file of its own";
            Err(Stop::Input(format!("error: {} {what}\n  = help: {help}", records.display())))
        };
        if records.is_dir() {
            return refuse("is a folder");
        }
        let parent = records.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (Ok(parent), Some(name)) = (parent.canonicalize(), records.file_name()) else {
            return refuse("cannot be written: its folder is not there");
        };
        if self.inputs.contains(&parent.join(name)) {
            return refuse("is an input of this scenario");
        }
        let is_here = self.folder.canonicalize().is_ok_and(|folder| folder == parent);
        if is_here && outputs::is_result(&name.to_string_lossy()) {
            return refuse("is the name of a result in the same folder");
        }
        Ok(())
    }

    /// Where finished runs of an unfinished study are kept.
    pub fn unfinished(&self) -> PathBuf {
        self.folder.join(".unfinished")
    }

    /// Where what was simulated is kept for the next time.
    pub fn kept(&self) -> PathBuf {
        self.folder.join(".runs")
    }

    /// Where the page is.
    pub fn page(&self) -> PathBuf {
        self.folder.join("report.html")
    }

    /// Where a file of a name is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Writes everything.
    pub fn write(&self, results: &Results, bundle: &Bundle, asked: &Asked) -> Result<(), Stop> {
        let mut files = Vec::new();
        let mut put = |name: &str, bytes: &[u8]| {
            files.push(Hashed::of(name, bytes));
            self.file(name, bytes)
        };
        let charts = charts(results);
        for chart in &charts {
            let svg = chart.standalone();
            put(&format!("charts/{}.svg", chart.name), svg.as_bytes())?;
            if let Some(png) = picture::png(&svg) {
                put(&format!("charts/{}.png", chart.name), &png)?;
            }
        }
        for table in outputs::TABLES {
            put(table.name, table.text(results).as_bytes())?;
        }
        put("stress-des.md", stress::markdown(results).as_bytes())?;
        put("summary.md", summary::text(results, &charts).as_bytes())?;
        let book = sheet::sheet(results, &charts);
        let book = book.map_err(|fault| Stop::Write(self.folder.join("report.xlsx"), std::io::Error::other(fault)))?;
        put("report.xlsx", &book)?;
        put("scenario.toml", bundle.scenario.as_bytes())?;
        for (path, bytes) in &bundle.inputs {
            put(path, bytes)?;
        }
        let origin = origin(&asked.again, std::slice::from_ref(bundle));
        put("report.html", page(results, &charts, &origin).as_bytes())?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
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
        self.file("manifest.json", format!("{manifest}\n").as_bytes())
    }

    /// Removes what an earlier run left by its manifest and this one does not write. That it cannot be removed is no fault.
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
    pub fn finding(&self, finding: &Finding, origin: &Origin, run: &str) -> Result<(), Stop> {
        let name = &finding.name;
        self.file(&format!("{name}.csv"), finding.csv.as_bytes())?;
        if let Some(chart) = &finding.chart {
            let svg = chart.standalone();
            self.file(&format!("{name}.svg"), svg.as_bytes())?;
            if let Some(png) = picture::png(&svg) {
                self.file(&format!("{name}.png"), &png)?;
            }
        }
        self.file(&format!("{name}.html"), finding.page(origin, run).as_bytes())
    }

    /// Why there is no answer; what is done is kept.
    pub fn stop(&self, fault: Fault) -> Stop {
        match fault {
            Fault::Stopped => Stop::Kept(self.folder.clone()),
            other => Stop::Study(other),
        }
    }

    /// Writes one file.
    pub fn file(&self, name: &str, bytes: &[u8]) -> Result<(), Stop> {
        let path = self.folder.join(name);
        whole(&path, bytes).map_err(|fault| Stop::Write(path, fault))
    }
}

/// How a page came about, from these scenarios.
pub(super) fn origin(command: &str, bundles: &[Bundle]) -> Origin {
    let hashes: Vec<String> = bundles.iter().map(|bundle| hex(&bundle.hash())).collect();
    Origin { version: env!("CARGO_PKG_VERSION").to_owned(), command: command.to_owned(), hash: hashes.join(", ") }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// Writes a file beside its place and moves it there.
pub(super) fn whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    readable(file.as_file())?;
    file.persist(path).map(|_| ()).map_err(|fault| fault.error)
}

/// A temporary file is for its owner alone; a report is for all.
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o644))?;
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}
