//! The command line: one function a verb. Only here is anything printed, and only `main` exits.

mod bundle;
mod compare;
mod output;
mod plan;
mod sensitivity;
mod sweep;
mod validate;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bundle::Bundle;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use output::{Output, RunRequest};
use thiserror::Error;

use crate::disk::Folder;
use crate::model::{Fidelity, Ingredient};
use crate::report::finding::Finding;
use crate::report::words::{count, several};
use crate::report::{answer, table};
use crate::scenario::Study;
use crate::study::cost::{Extent, StudyCost, cost};
use crate::study::fidelity::When;
use crate::study::results::{Results, Verdict};
use crate::study::{Progress, RunOptions, StudyError};
use crate::units::{Share, Text, TimeOfDay, visible};
use crate::{disk, report, scenario, study};

/// Will the VPN headend carry Monday morning, and what is the cheapest change that makes it?
#[derive(Debug, Parser)]
#[command(name = "headend", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
    /// Number of threads (default: one for each processor). Results do not depend on it.
    #[arg(long, global = true, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Reads files outside the scenario's folder, too, where the scenario names them.
    #[arg(long, global = true)]
    allow_outside: bool,
    /// Goes on where more than 2 GiB of memory or 10,000 million events are predicted.
    #[arg(long, global = true)]
    yes: bool,
    /// Reports progress in more detail, on stderr.
    #[arg(short, long, global = true)]
    verbose: bool,
}

/// What the user has allowed.
#[derive(Clone, Copy, Debug)]
struct Allowed {
    /// Files outside the scenario's folder are read.
    outside: bool,
    /// A run may cost whatever it does.
    costly: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Simulates the base and the options of a scenario, and reports which meet the targets.
    ///
    /// Exit code 0: some set-up that was run meets every target. 1: none does. 2: wrong input, or a file that
    /// cannot be written. 130: stopped by Ctrl-C; the same command goes on from there.
    Run(RunArgs),
    /// Finds the least (or the most) with which a target is met, with its interval and the evidence.
    ///
    /// Exit code 0: there is such a value, or the target is met already. 1: no value within reach is enough. 2: wrong input.
    Plan(PlanArgs),
    /// Finds the best of the base and the options (of one file or several), with a stated probability of being right.
    ///
    /// Exit code 0: some set-up meets every target. 1: none does. 2: wrong input.
    Compare(Compare),
    /// Runs a scenario with other values: every combination of those given, each assumed input at both ends of its range
    /// (`--tornado`), or all assumed inputs drawn from their ranges (`--doubt`).
    ///
    /// Simulated days are kept in the folder and not simulated again: a sweep that was stopped continues from there.
    Sweep(Sweep),
    /// Finds how long growth can go on until each target is missed, for the base and each option.
    ///
    /// Exit code 0: every target holds today in some set-up. 1: none does. 2: wrong input.
    Headroom(Headroom),
    /// Compares headend with theory, with measured networks, and its two fidelities with each other.
    ///
    /// Exit code 0: every row is within its bar, or as close as chance allows. 1: some row is beyond. 2: the evidence cannot
    /// be read.
    Validate(Validate),
    /// Reports every problem of a scenario with its place and its remedy; and the load by hour.
    Check {
        /// The scenario.
        file: PathBuf,
    },
    /// Lists the devices whose figures are built in, with their sources.
    Profiles,
    /// Prints the JSON Schema of scenario files, for editors that complete and check them.
    Schema,
    /// Writes a scenario to start from, with a comment on every line.
    Init {
        /// Its name: `NAME.toml` is written to the current folder.
        name: String,
        /// Starts from a list of branches (`branches.csv`, written if there is none) and two hubs.
        #[arg(long)]
        branches: bool,
    },
    /// Prints completions for a shell.
    Completions {
        /// The shell.
        shell: ShellName,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ShellName {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

#[derive(Debug, clap::Args)]
struct PlanArgs {
    /// The scenario.
    file: PathBuf,
    /// What to find: throughput, concentrators, calls, curfew-end, curfew-start, deferred, weight, moved, split,
    /// low-latency, wave or years.
    #[arg(long, value_name = "WHAT")]
    find: String,
    /// The concentrator or class that it belongs to.
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
    /// When a wave is cut over (default: when the target's hours begin).
    #[arg(long, value_name = "TIME", value_parser = clock)]
    at: Option<TimeOfDay>,
    /// The option in which it is sought (default: the base).
    #[arg(long, value_name = "NAME")]
    option: Option<String>,
    /// The number of the target, counted from 1 in the order of the file.
    #[arg(long, value_name = "N", default_value_t = 1)]
    target: usize,
    /// Share of days on which the target has to be met, such as "95 %" (default: on an average day).
    #[arg(long = "in", value_name = "SHARE", value_parser = share)]
    days: Option<f64>,
    #[command(flatten)]
    effort: PlanEffort,
}

#[derive(Debug, clap::Args)]
struct Headroom {
    /// The scenario, with `growth` in the classes that grow.
    file: PathBuf,
    /// Only the base and these options.
    #[arg(long = "option", value_name = "NAME")]
    options: Vec<String>,
    /// Share of days on which a target has to be met, such as "95 %" (default: on an average day).
    #[arg(long = "in", value_name = "SHARE", value_parser = share)]
    days: Option<f64>,
    /// Takes this concentrator away: what is left when it fails.
    #[arg(long, value_name = "NAME")]
    lose: Option<String>,
    #[command(flatten)]
    effort: PlanEffort,
}

#[derive(Debug, clap::Args)]
struct Compare {
    /// The scenarios; set-ups are compared by the first target of the first.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Difference that is too small to matter, as a share of the target's limit.
    #[arg(long, value_name = "SHARE", default_value = "5 %", value_parser = share)]
    zone: f64,
    /// Probability that the selection is right.
    #[arg(long, value_name = "SHARE", default_value = "95 %", value_parser = share)]
    confidence: f64,
    /// Days that every set-up is run for at first.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(3..=1000))]
    first: u32,
    /// Largest number of days of a set-up.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(3..=100_000))]
    budget: u32,
    /// Seed of the random numbers, instead of the scenario's.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Folder for page, chart and table (default: output/NAME, after the first scenario's file).
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Prints the comparison as JSON instead of the summary.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Sweep {
    /// The scenario.
    file: PathBuf,
    /// What is varied: `PATH=FROM..TO:STEP`, or `PATH=a,b,c`, such as `concentrator.hub.throughput=1 Gbit/s,2 Gbit/s`.
    #[arg(long, value_name = "PATH=VALUES")]
    vary: Vec<String>,
    /// Number of points of a Latin hypercube over the ranges (`PATH=FROM..TO`), instead of every combination.
    #[arg(long, value_name = "N", requires = "vary", value_parser = clap::value_parser!(u16).range(2..=10_000))]
    points: Option<u16>,
    /// Varies every assumed input that has a range, one at a time, and says on which the answer depends most.
    #[arg(long, conflicts_with = "vary")]
    tornado: bool,
    /// Draws all assumed inputs that have a range together, 2 N times, and says how uncertain the answer is and which input
    /// causes most of it.
    #[arg(long, value_name = "N", conflicts_with_all = ["vary", "tornado"], value_parser = clap::value_parser!(u16).range(4..=10_000))]
    doubt: Option<u16>,
    /// The base and these options (default: the base alone).
    #[arg(long = "option", value_name = "NAME")]
    options: Vec<String>,
    /// Exact number of replications, instead of what the scenario asks for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    replications: Option<u32>,
    /// Seed of the random numbers, instead of the scenario's.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Folder for page, chart, table and kept days (default: output/NAME, after the scenario's file).
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct PlanEffort {
    /// Half-width of the interval to reach, as a share of the value (of the range, for times and shares).
    #[arg(long, value_name = "SHARE", default_value = "3 %", value_parser = share)]
    precision: f64,
    /// Simulated days for each answer beyond which no further step of the search is begun.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    budget: u32,
    /// Seed of the random numbers, instead of the scenario's.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Folder for page, chart and table (default: output/NAME, after the scenario's file).
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Prints the answer as JSON instead of the summary.
    #[arg(long)]
    json: bool,
}

/// A share on the command line.
fn share(text: &str) -> Result<f64, String> {
    match Share::read(text)?.0 {
        share if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("write a share between 0 % and 100 %".to_owned()),
    }
}

#[derive(Debug, clap::Args)]
struct Validate {
    /// Writes a page with charts of reference against headend to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Folder of evidence, instead of what the program carries: traces/, ns3/, testbed/ and the files of sites.
    #[arg(long, value_name = "DIR")]
    evidence: Option<PathBuf>,
    /// Compares flow with packet fidelity in this number of scenarios drawn over every regime, and does nothing else.
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1200", conflicts_with = "html")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000))]
    regimes: Option<u64>,
    /// Leaves this ingredient of the transport out at flow fidelity, to show its effect.
    #[arg(long, value_name = "NAME", requires = "regimes", value_parser = ingredient)]
    without: Option<Ingredient>,
    /// Seed of the scenarios that are drawn.
    #[arg(long, value_name = "S", default_value_t = 1, requires = "regimes")]
    seed: u64,
    /// Writes the error of the method, as these scenarios and the measured networks show it, to this CSV file.
    #[arg(long, value_name = "FILE", requires = "regimes")]
    learn: Option<PathBuf>,
    /// Prints the rows as JSON instead of the table.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FidelityName {
    /// Transfers are flows that share capacity.
    Flow,
    /// Every packet, with windows and losses.
    Packet,
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    /// The scenario.
    file: PathBuf,
    /// Runs only the base and these options.
    #[arg(long = "option", value_name = "NAME")]
    options: Vec<String>,
    /// Exact number of replications, instead of what the scenario asks for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    replications: Option<u32>,
    /// Seed of the random numbers, instead of the scenario's.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
    /// Level of detail of the network, instead of what the scenario says.
    #[arg(long, value_enum)]
    fidelity: Option<FidelityName>,
    /// Packets of a sender that move together at packet fidelity: 1 is packet by packet, more is faster.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    grain: Option<u32>,
    /// Also runs a quarter of an hour at both fidelities and shows where they disagree: the one in which people lose most
    /// time (`deciding`), or the one that begins at a time such as 08:30. By default this is done where it costs less
    /// than about 20 s (`if-cheap`); `never` leaves it out.
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, value_parser = when)]
    #[arg(default_value = "if-cheap", default_missing_value = "deciding", hide_default_value = true)]
    check_fidelity: When,
    /// Folder for the report (default: output/NAME, after the scenario's file).
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Writes every transaction to this CSV file.
    #[arg(long, value_name = "FILE")]
    records: Option<PathBuf>,
    /// Prints the results as JSON instead of the summary.
    #[arg(long)]
    json: bool,
}

/// Why a verb ends without an answer.
#[derive(Debug, Error)]
enum Stop {
    /// The input is wrong; the text says all of it.
    #[error("{0}")]
    Input(String),
    /// It was stopped; what is done is kept in this folder.
    #[error("stopped: what was simulated is kept in {}; the same command goes on from there", disk::shown(.0))]
    Kept(PathBuf),
    /// The study was stopped or could not write.
    #[error("error: {0}")]
    Study(StudyError),
    /// A file could not be written.
    #[error("error: cannot write {}: {}\n  = help: {}", disk::shown(.0), .1, remedy(.1))]
    Write(PathBuf, #[source] std::io::Error),
}

impl From<StudyError> for Stop {
    fn from(fault: StudyError) -> Self {
        match fault {
            StudyError::Write(path, why) => Self::Write(path, why),
            other => Self::Study(other),
        }
    }
}

/// What can be done about a file that cannot be written. What was simulated is kept.
fn remedy(fault: &std::io::Error) -> &'static str {
    match fault.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            "make room on the disk; the same command goes on from there"
        }
        std::io::ErrorKind::NotFound => "check the path",
        _ => "close it where it is open, or choose another folder; the same command goes on from there",
    }
}

/// Does what the command line asks; gives the exit code.
#[must_use]
pub fn main() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(fault) => {
            let _ = fault.print();
            return if fault.use_stderr() { 2 } else { 0 };
        }
    };
    if cli.verbose {
        let to_stderr = tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).without_time();
        to_stderr.with_max_level(tracing::Level::DEBUG).init();
    }
    if let Some(threads) = cli.threads {
        // It can only fail when the pool exists already.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
    }
    let terms = Allowed { outside: cli.allow_outside, costly: cli.yes };
    let done = match cli.verb {
        Verb::Run(args) => run(&args, terms),
        Verb::Plan(args) => plan::plan(&args, terms),
        Verb::Headroom(args) => plan::headroom(&args, terms),
        Verb::Sweep(args) => sweep::sweep(&args, terms),
        Verb::Compare(args) => compare::compare(&args, terms),
        Verb::Validate(args) => validate::validate(&args),
        Verb::Check { file } => check(&file, terms),
        Verb::Profiles => say(&profiles()),
        Verb::Schema => say_json(&report::reference::schema()),
        Verb::Init { name, branches } => init(&name, branches),
        Verb::Completions { shell } => completions(shell),
    };
    match done {
        Ok(code) => code,
        Err(stop) => {
            // That nobody can read it changes nothing of the code.
            let text = stop.to_string();
            // Colours are ours: on a terminal, around what a scenario says.
            let text = if colours() { text } else { printable(&text) };
            let _ = writeln!(std::io::stderr(), "{text}");
            if matches!(stop, Stop::Kept(_) | Stop::Study(StudyError::Stopped)) { 130 } else { 2 }
        }
    }
}

/// Lines in which nothing is hidden.
fn printable(text: &str) -> String {
    let shown = |line: &str| line.split('\t').map(visible).collect::<Vec<_>>().join("\t");
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

/// Prints to stdout, and gives the exit code. That a reader has gone away is no fault; that a disk is full is one.
fn say(text: &str) -> Result<u8, Stop> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{}", printable(text.trim_end())).and_then(|()| out.flush()) {
        Err(fault) if fault.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Stop::Write(PathBuf::from("to standard output"), fault))
        }
        _ => Ok(0),
    }
}

/// Prints what was found for another program to read.
fn say_json(found: &impl serde::Serialize) -> Result<u8, Stop> {
    say(&serde_json::to_string_pretty(found).unwrap_or_default())
}

/// Writes what was found, and prints it: for another program where `json` is what it is to read.
fn tell<T: serde::Serialize>(
    finding: &Finding,
    output: &Output,
    bundles: &[Bundle],
    files: &[PathBuf],
    json: Option<&T>,
) -> Result<(), Stop> {
    let run = format!("headend run {}", for_shell(&file_name(&files[0])));
    output.finding(finding, &output::origin(&given(files, file_name), bundles), &run)?;
    match json {
        Some(found) => say_json(found)?,
        None => {
            let page = output.path(&format!("{}.html", finding.name));
            say(&format!("{}\nReport: {}", finding.text(), disk::shown(&page)))?
        }
    };
    Ok(())
}

/// What the command line asks for in place of what the scenario says.
fn override_with(study: &mut Study, seed: Option<u64>, replications: Option<u32>) {
    if let Some(replications) = replications {
        (study.effort.least, study.effort.most) = (replications, replications);
    }
    for setup in &mut study.setups {
        setup.model.seed = seed.unwrap_or(setup.model.seed);
    }
}

/// Refuses what costs more than is begun without being asked twice.
fn affordable(study: &Study, extent: Extent, terms: Allowed) -> Result<(), Stop> {
    refuse_high(cost(study, extent, rayon::current_num_threads()), terms)
}

fn refuse_high(cost: StudyCost, terms: Allowed) -> Result<(), Stop> {
    match report::load::too_high(&cost).filter(|_| !terms.costly) {
        Some(what) => Err(Stop::Input(format!("error: {what}"))),
        None => Ok(()),
    }
}

fn run(args: &RunArgs, terms: Allowed) -> Result<u8, Stop> {
    let began = std::time::Instant::now();
    let (mut study, text) = load(&args.file, terms)?;
    let chosen = choose(&study, &args.options)?;
    adjust(&mut study, args);
    affordable(&study, Extent { setups: chosen.len(), ..Extent::of(&study) }, terms)?;
    let output = Output::prepare(args.out.as_deref(), &[(&args.file, &study.files)], "report")?;
    if let Some(records) = &args.records {
        output.admits(records)?;
    }
    let mut results = simulate(&study, &chosen, &output, args)?;
    results.check = check_fidelity(&study, &chosen, args).map_err(|fault| output.stop(fault))?;
    let files = std::slice::from_ref(&args.file);
    let command = given(files, |file| file.display().to_string());
    let asked = RunRequest { command, again: given(files, |_| "scenario.toml".to_owned()), began };
    let written = output.write(&results, &Bundle::of(&text, &study.files), &asked);
    // What was found is told, whether or not all of it could be written.
    if args.json {
        say_json(&results)?;
    } else if written.is_ok() {
        say(&format!("{}\nReport: {}", table::summary(&results), disk::shown(&output.page())))?;
    } else {
        say(&table::summary(&results))?;
    }
    written?;
    disk::remove(&output.unfinished());
    let met = results.setups.iter().any(|found| answer::overall(found) == Verdict::Met);
    Ok(u8::from(!met && !results.targets.is_empty()))
}

fn load(file: &Path, terms: Allowed) -> Result<(Study, String), Stop> {
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
    let folder = Folder::reaching(file.parent().unwrap_or(Path::new("")), terms.outside);
    let study = scenario::load(&shown, &text, folder).map_err(|problems| Stop::Input(problems.show(colours())))?;
    tracing::debug!(sites = study.setups[0].model.sites.len(), setups = study.setups.len(), "scenario is right");
    Ok((study, text))
}

/// Whether messages are coloured: on a terminal that knows colours, unless `NO_COLOR` is set (no-color.org).
fn colours() -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stderr().is_terminal() && !plain && !dumb
}

/// The places of the base and of the options that are named; all without names.
fn choose(study: &Study, names: &[String]) -> Result<Vec<usize>, Stop> {
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

fn adjust(study: &mut Study, args: &RunArgs) {
    override_with(study, args.seed, args.replications);
    for setup in &mut study.setups {
        let model = &mut setup.model;
        let written = match model.fidelity {
            Fidelity::Flow => None,
            Fidelity::Packet(grain) => Some(grain),
        };
        model.fidelity = match (args.fidelity, written) {
            (Some(FidelityName::Flow), _) | (None, None) => Fidelity::Flow,
            (Some(FidelityName::Packet), _) | (None, Some(_)) => {
                Fidelity::Packet(args.grain.or(written).unwrap_or(scenario::DEFAULT_GRAIN))
            }
        };
    }
}

/// An ingredient of flow fidelity on the command line.
fn ingredient(text: &str) -> Result<Ingredient, String> {
    let known = || Ingredient::ALL.into_iter().filter(|(ingredient, _)| ingredient.is_of_flow());
    let found = known().find(|(_, name)| *name == text);
    found.map(|(ingredient, _)| ingredient).ok_or_else(|| {
        let names: Vec<&str> = known().map(|(_, name)| name).collect();
        format!("there is no such ingredient; there are {}", names.join(", "))
    })
}

/// A time of day on the command line.
fn clock(text: &str) -> Result<TimeOfDay, String> {
    TimeOfDay::read(text)
}

/// Which quarter of an hour is looked at, on the command line.
fn when(text: &str) -> Result<When, String> {
    match text {
        "if-cheap" => Ok(When::IfCheap),
        "never" => Ok(When::Never),
        "deciding" => Ok(When::Deciding),
        _ => {
            TimeOfDay::read(text).map(When::At).map_err(|what| format!("{what}; or `deciding`, `if-cheap` or `never`"))
        }
    }
}

/// Set by Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

/// Packets in a train when fidelities are compared: a few per cent off packet by packet, and a third of its cost.
const CHECK_GRAIN: u32 = 4;

/// A bar on stderr, silent where nobody watches; from here on Ctrl-C stops cleanly.
fn bar(template: &str) -> indicatif::ProgressBar {
    // A second handler is refused; the first does the same.
    let _ = ctrlc::set_handler(|| {
        // A second one does not wait for a clean end.
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

/// What a bar says of runs: before the first is done, nothing is known of the time.
const FIRST: &str = "{wide_bar} {pos}/{len} runs, {elapsed} so far";
/// See [`FIRST`].
const RUNS: &str = "{wide_bar} {pos}/{len} runs, about {eta} left";
/// See [`FIRST`].
const FORECASTS: &str = "{spinner} {pos} runs done; forecasting the same days, {elapsed} so far";

fn style(bar: &indicatif::ProgressBar, template: &str) {
    if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

fn simulate(study: &Study, chosen: &[usize], output: &Output, args: &RunArgs) -> Result<Results, Stop> {
    let bar = bar(RUNS);
    let progress = |progress| match progress {
        Progress::Runs { done, planned } => {
            style(&bar, if done == 0 { FIRST } else { RUNS });
            bar.set_length(planned);
            bar.set_position(done);
            tracing::debug!(done, planned, "runs finished");
        }
        Progress::Forecasts => style(&bar, FORECASTS),
    };
    let settings =
        RunOptions { stop: &STOP, progress: &progress, keep: Some(output.unfinished()), records: args.records.clone() };
    let results = study::run(study, chosen, &settings);
    bar.finish_and_clear();
    results.map_err(|fault| output.stop(fault))
}

fn check_fidelity(
    study: &Study,
    chosen: &[usize],
    args: &RunArgs,
) -> Result<Option<study::fidelity::FidelityCheck>, StudyError> {
    let bar = bar("{spinner} a quarter of an hour packet by packet, {elapsed}");
    let grain = args.grain.unwrap_or(CHECK_GRAIN);
    let found = study::fidelity::check(study, chosen, grain, args.check_fidelity, &STOP);
    bar.finish_and_clear();
    found
}

/// The words of this command that make a difference to what is found, as a shell takes them; `named` says how a file is
/// written.
fn given(files: &[PathBuf], named: impl Fn(&Path) -> String) -> String {
    let mut words = vec!["headend".to_owned()];
    let mut given = std::env::args_os().skip(1);
    while let Some(word) = given.next() {
        let text = word.to_string_lossy();
        match &*text {
            "--threads" | "--out" | "--records" => drop(given.next()),
            "-v" | "--verbose" | "--json" => {}
            other if ["--threads=", "--out=", "--records="].iter().any(|option| other.starts_with(option)) => {}
            other => {
                let file = files.iter().find(|file| file.as_os_str() == word);
                words.push(file.map_or_else(|| other.to_owned(), |file| named(file)));
            }
        }
    }
    words.iter().map(|word| for_shell(word)).collect::<Vec<_>>().join(" ")
}

/// The last part of a path, in words.
fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| visible(&name.to_string_lossy()).into_owned())
}

/// A word as a shell takes it.
fn for_shell(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./:=,%+@\\".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn check(file: &Path, terms: Allowed) -> Result<u8, Stop> {
    let (study, _) = load(file, terms)?;
    let base = &study.setups[0].model;
    let patients: u64 = base.sites.iter().map(|site| u64::from(site.patients)).sum();
    let assumed = study.inputs.iter().filter(|input| input.standing == scenario::check::source::Standing::Assumed).count();
    let valid = format!(
        "{} is valid: {} with {} {}, {}, {}, {}, {}; {assumed} of {} numbers are assumed.",
        disk::shown(file),
        several(base.sites.len(), ["site", "sites"]),
        count(patients),
        study.counted,
        several(base.classes.len(), ["class", "classes"]),
        several(base.concentrators.len(), ["concentrator", "concentrators"]),
        several(study.setups.len() - 1, ["option", "options"]),
        several(study.targets.len(), ["target", "targets"]),
        study.inputs.len()
    );
    let mut text = table::wrapped(&valid, "");
    for warning in scenario::warn::warnings(&study) {
        let title_of = |name: &String| study.setups.iter().find(|setup| setup.name == *name).map(|setup| &setup.title);
        let who = warning.setup.as_ref().and_then(title_of).map_or_else(String::new, |title| format!("{title}: "));
        text += &format!("\nwarning: {who}{}\n  = help: {}", warning.title, warning.help);
    }
    text += "\n";
    text += &report::load::text(&study);
    text += "\n";
    text += &report::load::cost(&study, rayon::current_num_threads());
    say(&text)
}

/// Each built-in device with its figures, and where they stand.
fn profiles() -> String {
    let mut rows = vec![["profile", "throughput", "packets", "a tunnel", "tunnels"].map(str::to_owned).to_vec()];
    let (mut sources, mut ended) = (Vec::<(String, Vec<String>)>::new(), Vec::new());
    for (name, profile) in scenario::check::device::built_in() {
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        rows.push(vec![
            name.clone(),
            text(profile.throughput.right().map(ToString::to_string)),
            text(profile.packet_rate.right().map(ToString::to_string)),
            text(profile.per_tunnel.right().map(ToString::to_string)),
            text(profile.tunnels.right().map(|tunnels| tunnels.0.to_string())),
        ]);
        ended.extend(profile.end_of_sale.right().map(|until| format!("{name} ({})", until.0)));
        let source = profile.from.right().map_or("", |from| from.0.as_str());
        match sources.iter_mut().find(|(known, _)| known == source) {
            Some((_, names)) => names.push(name),
            None => sources.push((source.to_owned(), vec![name])),
        }
    }
    let source = |(source, names): &(String, Vec<String>)| {
        format!("{}\n{}\n", table::wrapped(source, "  "), table::wrapped(&format!("for {}", names.join(", ")), "    "))
    };
    let ended = table::wrapped(&format!("No longer sold, and until when it was: {}.", ended.join(", ")), "  ");
    format!("{}\n{ended}\n\nSources\n{}", table::columns(&rows), sources.iter().map(source).collect::<String>())
}

fn init(name: &str, branches: bool) -> Result<u8, Stop> {
    let fine = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    if name.is_empty() || !name.chars().all(fine) {
        let help = "use letters, digits, `-` and `_`, without an ending";
        return Err(Stop::Input(format!("error: `{name}` is not a name for a scenario\n  = help: {help}")));
    }
    let path = PathBuf::from(format!("{name}.toml"));
    if path.exists() {
        let help = "choose another name, or move that file away";
        return Err(Stop::Input(format!("error: {} already exists\n  = help: {help}", disk::shown(&path))));
    }
    let write =
        |path: &Path, bytes: &[u8]| disk::write(path, bytes).map_err(|fault| Stop::Write(path.to_owned(), fault));
    let mut text = String::new();
    if branches {
        write(&path, include_bytes!("../templates/branches.toml"))?;
        let list = Path::new("branches.csv");
        if list.exists() {
            text += "branches.csv is yours, and is used.\n";
        } else {
            write(list, include_bytes!("../templates/branches.csv"))?;
            text += "branches.csv is an example of 60 branches: put your own list in its place.\n";
        }
    } else {
        write(&path, include_bytes!("../templates/starter.toml"))?;
    }
    let shown = disk::shown(&path);
    say(&format!("{text}{shown} is written. `headend check {shown}` shows its load, `headend run {shown}` runs it."))
}

fn completions(shell: ShellName) -> Result<u8, Stop> {
    let shell = match shell {
        ShellName::Bash => Shell::Bash,
        ShellName::Elvish => Shell::Elvish,
        ShellName::Fish => Shell::Fish,
        ShellName::Powershell => Shell::PowerShell,
        ShellName::Zsh => Shell::Zsh,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "headend", &mut text);
    say(&String::from_utf8_lossy(&text))
}
