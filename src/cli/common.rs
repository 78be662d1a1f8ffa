//! What several verbs need: loading, limits, progress, answers on stdout.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use crate::cli::args::Allowed;
use crate::cli::bundle::Bundle;
use crate::cli::output::Output;
use crate::cli::stop::{STOP, Stop};
use crate::disk::Folder;
use crate::report::finding::Finding;
use crate::scale::shell;
use crate::scenario::Study;
use crate::scenario::problem::Problems;
use crate::study::Progress;
use crate::study::cost::{Extent, StudyCost, cost};
use crate::units::visible;
use crate::{disk, report, scenario};

/// Prints to stdout, and returns the exit code. A closed pipe is no error; a full disk is one.
pub(crate) fn say(text: &str) -> Result<u8, Stop> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", printable(text.trim_end())).and_then(|()| out.flush()) {
        Err(fault) if fault.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Stop::Write(PathBuf::from("to standard output"), fault))
        }
        _ => Ok(0),
    }
}

/// Prints JSON.
pub(crate) fn say_json(found: &impl serde::Serialize) -> Result<u8, Stop> {
    say(&serde_json::to_string_pretty(found).unwrap_or_default())
}

/// Writes what was found, and prints it: for another program where `json` is what it is to read.
pub(super) fn tell<T: serde::Serialize>(
    finding: &Finding,
    output: &Output,
    bundles: &[Bundle],
    files: &[PathBuf],
    json: Option<&T>,
) -> Result<(), Stop> {
    let run = format!("headend run {}", shell::word(&file_name(&files[0])));
    output.finding(finding, &crate::cli::output::origin(&given(files, file_name), bundles), &run)?;
    match json {
        Some(found) => say_json(found)?,
        None => {
            let page = output.path(&format!("{}.html", finding.name));
            say(&format!("{}\nReport: {}", finding.text(), disk::shown(&page)))?
        }
    };
    Ok(())
}

/// Shows the progress of a study in a bar.
pub(crate) fn shown_in(bar: &indicatif::ProgressBar) -> impl Fn(Progress) + Sync + '_ {
    |progress| match progress {
        Progress::Runs { done, planned } => {
            style(bar, if done == 0 { FIRST } else { RUNS });
            bar.set_length(planned);
            bar.set_position(done);
            tracing::debug!(done, planned, "runs finished");
        }
        Progress::Forecasts => style(bar, FORECASTS),
    }
}

/// What the command line asks for in place of what the scenario says.
pub(crate) fn override_with(study: &mut Study, seed: Option<u64>, replications: Option<u32>) {
    if let Some(replications) = replications {
        (study.effort.least, study.effort.most) = (replications, replications);
    }
    for setup in &mut study.setups {
        setup.model.seed = seed.unwrap_or(setup.model.seed);
    }
}

/// Refuses what costs more than runs without confirmation.
pub(crate) fn affordable(study: &Study, extent: Extent, terms: Allowed) -> Result<(), Stop> {
    refuse_high(cost(study, extent, rayon::current_num_threads()), terms)
}

pub(super) fn refuse_high(cost: StudyCost, terms: Allowed) -> Result<(), Stop> {
    match report::load::too_high(&cost).filter(|_| !terms.costly) {
        Some(what) => Err(Stop::Input(format!("error: {what}"))),
        None => Ok(()),
    }
}

pub(crate) fn load(file: &Path, terms: Allowed) -> Result<(Study, String), Stop> {
    let shown = disk::shown(file);
    let bytes = disk::regular(file).map_err(|fault| {
        let help = if file.exists() {
            "check that it is a file and may be read"
        } else {
            "check the path; scenarios/ has examples"
        };
        Stop::Input(format!("error: cannot read {shown}: {fault}\n  = help: {help}"))
    })?;
    let text = String::from_utf8(bytes).map_err(|fault| {
        let good = fault.utf8_error().valid_up_to();
        let line = fault.as_bytes()[..good].iter().filter(|&&byte| byte == b'\n').count() + 1;
        Stop::Input(format!(
            "error: {shown} is not text in UTF-8: line {line}, byte {good} of the file\n  = help: save it again as UTF-8"
        ))
    })?;
    let study = checked(file, &text, terms).map_err(|problems| Stop::Input(problems.show(colours())))?;
    tracing::debug!(sites = study.setups[0].model.sites.len(), setups = study.setups.len(), "scenario is right");
    Ok((study, text))
}

/// Each knob of a scenario can stand at both ends of its range.
pub(crate) fn answers_at_ends(file: &Path, (study, text): (&Study, &str), terms: Allowed) -> Result<(), Stop> {
    let folder = around(file, terms);
    let problems = scenario::ends::problems_at_ends((&disk::shown(file), text), &study.knobs, &folder);
    if problems.is_empty() { Ok(()) } else { Err(Stop::Input(problems.show(colours()))) }
}

/// The scenario of a text beside a file.
pub(super) fn checked(file: &Path, text: &str, terms: Allowed) -> Result<Study, Problems> {
    scenario::load(&disk::shown(file), text, around(file, terms))
}

/// What a scenario's file may name.
fn around(file: &Path, terms: Allowed) -> Folder {
    Folder::reaching(file.parent().unwrap_or(Path::new("")), terms.outside)
}

/// Whether messages are coloured: on a terminal that knows colours, unless `NO_COLOR` is set (no-color.org).
pub(crate) fn colours() -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stderr().is_terminal() && !plain && !dumb
}

/// The places of the base and of the options that are named; all without names.
pub(crate) fn choose(study: &Study, names: &[String]) -> Result<Vec<usize>, Stop> {
    if names.is_empty() {
        return Ok((0..study.setups.len()).collect());
    }
    let known: Vec<&str> = study.setups.iter().map(|setup| setup.name.as_str()).collect();
    let mut chosen = vec![0];
    for name in names {
        let Some(place) = known.iter().position(|known| known == name) else {
            let help = scenario::problem::did_you_mean(name, known);
            return Err(Stop::Input(format!("error: there is no option `{name}` in this scenario\n  = help: {help}")));
        };
        chosen.push(place);
    }
    chosen.sort_unstable();
    chosen.dedup();
    Ok(chosen)
}

/// A progress bar on stderr, silent unless that is a terminal; from here on Ctrl-C stops cleanly.
pub(crate) fn bar(template: &str) -> indicatif::ProgressBar {
    // A second handler is refused; the first does the same.
    let _ = ctrlc::set_handler(|| {
        // A second Ctrl-C does not wait for a clean end.
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    let bar = indicatif::ProgressBar::new(0);
    style(&bar, template);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// Templates of the bar: before the first run is done, no time is predicted.
pub(crate) const FIRST: &str = "{wide_bar} {pos}/{len} runs, {elapsed} so far";

/// See [`FIRST`].
pub(crate) const RUNS: &str = "{wide_bar} {pos}/{len} runs, about {eta} left";

/// See [`FIRST`].
pub(crate) const FORECASTS: &str = "{spinner} {pos} runs done; forecasting the same days, {elapsed} so far";

pub(crate) fn style(bar: &indicatif::ProgressBar, template: &str) {
    if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

/// Options with a value that make no difference to what is found.
const WITH_VALUE: [&str; 8] = ["--threads", "--out", "--records", "--on", "--parts", "--slurm", "--parallel", "--poll"];

/// Whether a word is this option with its value.
fn is_given(option: &str, word: &str) -> bool {
    word.strip_prefix(option).is_some_and(|rest| rest.starts_with('='))
}

/// The words of this command that make a difference to what is found, as a shell takes them; `named` says how a file is
/// written.
pub(crate) fn given(files: &[PathBuf], named: impl Fn(&Path) -> String) -> String {
    let mut words = vec!["headend".to_owned()];
    let mut given = std::env::args_os().skip(1);
    while let Some(word) = given.next() {
        let text = word.to_string_lossy();
        match &*text {
            "-v" | "--verbose" | "--json" => {}
            other if WITH_VALUE.contains(&other) => drop(given.next()),
            other if WITH_VALUE.iter().any(|option| is_given(option, other)) => {}
            other => {
                let file = files.iter().find(|file| file.as_os_str() == word);
                words.push(file.map_or_else(|| other.to_owned(), |file| named(file)));
            }
        }
    }
    shell::line(&words)
}

/// The last part of a path, in words.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| visible(&name.to_string_lossy()).into_owned())
}

/// Lines without hidden characters.
pub(crate) fn printable(text: &str) -> String {
    let shown = |line: &str| line.split('\t').map(visible).collect::<Vec<_>>().join("\t");
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}
