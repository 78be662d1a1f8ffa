//! The command line: verbs, options, and how their values are read.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use jiff::civil::Date;

use crate::cli::stop::Stop;
use crate::model::Ingredient;
use crate::scale::{shell, slurm};
use crate::study::fidelity::When;
use crate::telemetry::number::Unit;
use crate::telemetry::reading::ColumnRole;
use crate::units::{Share, Text, TimeOfDay};

/// Will the VPN headend carry Monday morning, and what is the cheapest change that makes it?
#[derive(Debug, Parser)]
#[command(name = "headend", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub(super) verb: Verb,
    /// Number of threads (default: one for each processor). Results do not depend on it.
    #[arg(long, global = true, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
    /// Reads files outside the scenario's folder, too, where the scenario names them.
    #[arg(long, global = true)]
    pub(super) allow_outside: bool,
    /// Goes on where more than 2 GiB of memory or 10,000 million events are predicted.
    #[arg(long, global = true)]
    pub(super) yes: bool,
    /// Reports progress in more detail, on stderr.
    #[arg(short, long, global = true)]
    pub(super) verbose: bool,
}

/// What the user has allowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowed {
    /// Files outside the scenario's folder are read.
    pub(super) outside: bool,
    /// A run may cost whatever it does.
    pub(super) costly: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Simulates the base and the options of a scenario, and reports which meet the targets.
    ///
    /// Exit code 0: some set-up that was run meets every target. 1: none does. 2: wrong input, or a file that
    /// cannot be written. 3: `--on script` has printed what is to be run first. 130: stopped by Ctrl-C; the same command goes on from there.
    Run(RunArgs),
    /// Forecasts the base and the options of a scenario within a second or so, without simulation.
    ///
    /// Exit code 0: no target of some set-up is forecast to be missed. 1: each set-up misses one. 2: wrong input.
    Forecast(ForecastArgs),
    /// Writes a page in which anybody moves numbers: a forecast follows at once, then the same simulation, in the browser and offline.
    ///
    /// Exit code 0: the page is written. 2: wrong input, or a file that cannot be written. 130: stopped by Ctrl-C; the same command goes on
    /// from there.
    Live(LiveArgs),
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
    /// Simulates one part of a plan that `--on` has made: what a task of a cluster runs.
    ///
    /// Exit code 0: its runs are kept. 2: the plan is wrong or another build's, or a file cannot be written.
    Part(PartArgs),
    /// Says what to export from which monitoring system today, how long it will still be there, and, for a scenario, what each item
    /// would settle, most influential first.
    Ask(AskArgs),
    /// Reads what monitoring systems export, and writes it as one tidy series (CSV): what passed in each interval, where, which way.
    ///
    /// Known by their content: RRDtool (fetch, xport), LibreNMS, Cacti, PRTG, MRTG, Prometheus, Zabbix, SolarWinds, InfluxDB, Grafana,
    /// Cisco Meraki, Amazon CloudWatch, Azure Monitor, nfdump, Zeek, tshark, Cisco ASA and IOS, FortiGate, strongSwan, and tables
    /// with a column of times; `.gz` is unpacked.
    ///
    /// Exit code 0: the series is written. 2: a file cannot be read, or can be read in two ways.
    Import(ImportArgs),
    /// Fits numbers of a scenario to what was counted, through the simulator: what a full concentrator carries is not what was wanted.
    ///
    /// Writes the scenario with the fitted numbers, their intervals and their origin (`fitted.toml`), and a page.
    ///
    /// Exit code 0: the fitted scenario explains the series. 1: it does not. 2: wrong input, or what is to be fitted cannot be told
    /// from this series.
    Fit(FitArgs),
    /// Holds a scenario against days that were counted: volume, busiest interval and time full, beside what its own days make of them.
    ///
    /// Without a scenario, the series is forecast from itself, a week ahead: any model has to be better than that.
    ///
    /// Exit code 0: the days lie inside the scenario's own range. 1: more of them lie outside than chance makes. 2: wrong input.
    Hindcast(HindcastArgs),
    /// Writes what the counters of a scenario's concentrators would show, as a tidy series: a fit that is tried on it has a known answer.
    Counters(CountersArgs),
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
pub(crate) enum ShellName {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}

#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// The exports.
    #[arg(required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Zone of times that carry none, such as Europe/London, UTC or +01:00 (default: Europe/London).
    #[arg(long, value_name = "ZONE")]
    pub(super) zone: Option<String>,
    /// Where the devices stand: what is `in` at the headend comes from the sites.
    #[arg(long, value_enum, default_value = "hub")]
    pub(super) at: SideName,
    /// Unit of values whose file does not say it, such as bit/s or byte/s.
    #[arg(long, value_name = "UNIT", value_parser = unit)]
    pub(super) unit: Option<Unit>,
    /// The way of values whose file does not say it.
    #[arg(long, value_name = "WAY", value_parser = ["down", "up"])]
    pub(super) direction: Option<String>,
    /// The sign between whole and part of numbers that could be read either way.
    #[arg(long, value_name = "SIGN", value_parser = ["point", "comma"])]
    pub(super) decimal: Option<String>,
    /// When pictures of the present were taken, such as 2026-11-28T04:00:17Z (default: when each file was written); once for all
    /// files, or once for each.
    #[arg(long, value_name = "TIME")]
    pub(super) taken: Vec<String>,
    /// What the columns of a table are: `time`, `down`, `up`, `both`, `packets`, `where`, `class`, each with its name in the header,
    /// such as "time=Zeit,down=Spalte 3".
    #[arg(long, value_name = "ROLE=NAME", value_delimiter = ',', value_parser = column)]
    pub(super) columns: Vec<(ColumnRole, String)>,
    /// A CSV file that gives places other names, and classes: `name,where,class`, where `class` may be left out.
    #[arg(long, value_name = "FILE")]
    pub(super) map: Option<PathBuf>,
    /// Length of the intervals into which flows are put [min].
    #[arg(long, value_name = "MIN", default_value_t = 5.0, value_parser = minutes)]
    pub(super) bin: f64,
    /// Also writes a scenario to start from, NAME.toml, whose sites are the places of the series (NAME-sites.csv).
    #[arg(long, value_name = "NAME", value_parser = scenario_name)]
    pub(super) scenario: Option<String>,
    /// The series.
    #[arg(long, value_name = "FILE", default_value = "series.csv")]
    pub(super) out: PathBuf,
}

fn scenario_name(text: &str) -> Result<String, String> {
    let fine = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    if !text.is_empty() && text.chars().all(fine) {
        return Ok(text.to_owned());
    }
    Err("use letters, digits, `-` and `_`, without an ending".to_owned())
}

/// How a series is laid beside a scenario. A heading of its own in every verb that does.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "The series")]
pub(super) struct SeriesArgs {
    /// Zone in which the scenario's clock runs, and times that carry none (default: Europe/London).
    #[arg(long, value_name = "ZONE")]
    pub(super) zone: Option<String>,
    /// Which place of the series is which concentrator, such as `ASA-1=hub` (default: those of the same name, or the only one).
    #[arg(long, value_name = "PLACE=NAME")]
    pub(super) place: Vec<String>,
    /// What the counters count (default: `outer`, unless a plateau says otherwise).
    #[arg(long, value_enum, value_name = "LAYER")]
    pub(super) layer: Option<LayerName>,
}

/// What a counter counts.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LayerName {
    /// Bytes on the wire, with what encryption adds: interfaces.
    Outer,
    /// Bytes before encryption: security associations.
    Inner,
    /// Work in bits of the device's throughput: headend's own timeline.csv.
    Work,
}

#[derive(Debug, clap::Args)]
pub(super) struct AskArgs {
    /// The scenario: each of its assumed inputs that has a range is simulated at both ends.
    pub(super) file: Option<PathBuf>,
    /// Days that are simulated at each end.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) replications: u32,
    /// Folder for kept days (default: output/NAME, after the scenario's file).
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct FitArgs {
    /// The scenario.
    pub(super) file: PathBuf,
    /// What was counted: a tidy series of `headend import`, or exports that it reads.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(super) to: Vec<PathBuf>,
    /// What may change: a number or time of day by its path, a table with its amounts and times, such as `class.logon.jobs`, `demand`
    /// (the amount of every class), `windows` (the hours of all jobs); default: `demand`, as far as the series tells classes apart.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(super) free: Vec<String>,
    /// Days that are not fitted to, but predicted, such as 2026-11-23 or 2026-11-16..2026-11-30.
    #[arg(long, value_name = "DAYS", value_delimiter = ',', value_parser = days)]
    pub(super) leave_out: Vec<DaySpan>,
    /// Folder for the fitted scenario, page, chart and table (default: output/NAME, after the scenario's file).
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) series: SeriesArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct HindcastArgs {
    /// The scenario; without one, the series is forecast from itself.
    pub(super) file: Option<PathBuf>,
    /// What was counted: a tidy series of `headend import`, or exports that it reads.
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(super) against: Vec<PathBuf>,
    /// Only these days, such as 2026-11-23 or 2026-11-16..2026-11-30.
    #[arg(long, value_name = "DAYS", value_delimiter = ',', value_parser = days)]
    pub(super) days: Vec<DaySpan>,
    /// Number of simulated days.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(5..=1000))]
    pub(super) replications: u32,
    /// Hours of a day that are forecast, without a scenario.
    #[arg(long, value_name = "FROM-UNTIL", default_value = "07:00-19:00", value_parser = hours)]
    pub(super) hours: (TimeOfDay, TimeOfDay),
    /// Folder for page, chart and table (default: output/NAME, after the scenario's file or the series').
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) series: SeriesArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct ForecastArgs {
    /// The scenario.
    pub(super) file: PathBuf,
    /// Forecasts only the base and these options.
    #[arg(long = "option", value_name = "NAME")]
    pub(super) options: Vec<String>,
    /// Prints the forecast as JSON.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct CountersArgs {
    /// The scenario.
    pub(super) file: PathBuf,
    /// The option of which they are (default: the base).
    #[arg(long, value_name = "NAME")]
    pub(super) option: Option<String>,
    /// Number of runs, each a week after the one before.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(super) weeks: u32,
    /// Seed of the random numbers, instead of the scenario's.
    #[arg(long, value_name = "S")]
    pub(super) seed: Option<u64>,
    /// Length of an interval [min].
    #[arg(long, value_name = "MIN", default_value_t = 5.0, value_parser = minutes)]
    pub(super) bin: f64,
    /// A row for each class, as flow records would tell them apart, instead of their sum.
    #[arg(long)]
    pub(super) by_class: bool,
    /// Zone in which the scenario's clock runs (default: Europe/London).
    #[arg(long, value_name = "ZONE")]
    pub(super) zone: Option<String>,
    /// The series.
    #[arg(long, value_name = "FILE", default_value = "series.csv")]
    pub(super) out: PathBuf,
}

/// Days from a first to a last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DaySpan(pub Date, pub Date);

impl DaySpan {
    /// Whether a date is one of them.
    pub(super) fn contains(self, date: Date) -> bool {
        (self.0..=self.1).contains(&date)
    }
}

fn days(text: &str) -> Result<DaySpan, String> {
    let (from, until) = text.split_once("..").unwrap_or((text, text));
    let date = |text: &str| text.trim().parse::<Date>().map_err(|_| format!("`{text}` is no date"));
    match (date(from), date(until)) {
        (Ok(from), Ok(until)) if from <= until => Ok(DaySpan(from, until)),
        (Err(what), _) | (_, Err(what)) => Err(format!("{what}; write 2026-11-23, or 2026-11-16..2026-11-30")),
        _ => Err("the last of these days is before the first".to_owned()),
    }
}

fn hours(text: &str) -> Result<(TimeOfDay, TimeOfDay), String> {
    let (from, until) = text.split_once('-').ok_or("write both ends, such as 07:00-19:00")?;
    match (TimeOfDay::read(from)?, TimeOfDay::read(until)?) {
        (from, until) if from < until => Ok((from, until)),
        _ => Err("the end of these hours is not after their beginning".to_owned()),
    }
}

/// Where a device stands.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SideName {
    /// At the headend.
    Hub,
    /// At a site.
    Site,
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(minutes) if (1.0 / 60.0..=1440.0).contains(&minutes) => Ok(minutes),
        _ => Err("write minutes, from 0.0167 (a second) to 1440 (a day)".to_owned()),
    }
}

/// A column of a table on the command line.
fn column(text: &str) -> Result<(ColumnRole, String), String> {
    let (role, name) = text.split_once('=').ok_or("write ROLE=NAME, such as `time=Zeit`")?;
    let known = "write one of time, down, up, both, packets, where and class";
    let role = ColumnRole::named(role.trim()).ok_or_else(|| format!("`{role}` is no role; {known}"))?;
    Ok((role, name.trim().to_owned()))
}

/// A unit on the command line.
fn unit(text: &str) -> Result<Unit, String> {
    Unit::named(text).ok_or_else(|| "write a unit such as bit/s, byte/s, kbit/s or bytes".to_owned())
}

/// Where the runs are simulated. A flag of its own heading in every verb that simulates.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Elsewhere than in this process")]
pub(super) struct ScaleArgs {
    /// Has all runs simulated in parts by an engine, waits for them, and goes on: `slurm` as job arrays, `parallel` by GNU parallel,
    /// `script` prints the commands for anything else and ends with exit code 3. The results are the same bytes.
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub(super) on: Option<EngineName>,
    /// Number of parts of a round (default: as many as carry a minute each, at most 1,000).
    #[arg(long, value_name = "N", requires = "on", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) parts: Option<u32>,
    /// Options for `sbatch`, such as "--partition=short --time=1:00:00".
    #[arg(long, value_name = "OPTIONS", requires = "on", allow_hyphen_values = true, value_parser = options)]
    pub(super) slurm: Option<ShellWords>,
    /// Options for GNU parallel, such as "-j 8 --sshloginfile nodes".
    #[arg(long, value_name = "OPTIONS", requires = "on", allow_hyphen_values = true, value_parser = options)]
    pub(super) parallel: Option<ShellWords>,
    /// Time between two questions to the engine [s].
    #[arg(long, value_name = "SECONDS", requires = "on", default_value_t = 5.0, value_parser = seconds)]
    pub(super) poll: f64,
}

impl ScaleArgs {
    /// Refuses options of an engine that is not asked.
    pub(super) fn agrees(&self) -> Result<(), Stop> {
        let wrong = |option: &str, engine: &str| {
            let help = format!("write `--on {engine}`, or leave `{option}` out");
            Err(Stop::Input(format!("error: `{option}` goes with `--on {engine}`\n  = help: {help}")))
        };
        if let Some(word) = self.slurm.as_ref().and_then(|words| slurm::ours(&words.0)) {
            let help = "leave it out: by its name and its array a job is found again";
            return Err(Stop::Input(format!(
                "error: `{word}` in `--slurm` is given by headend itself\n  = help: {help}"
            )));
        }
        match self.on {
            Some(EngineName::Parallel) if self.slurm.is_some() => wrong("--slurm", "slurm"),
            Some(EngineName::Slurm) if self.parallel.is_some() => wrong("--parallel", "parallel"),
            _ => Ok(()),
        }
    }
}

/// What simulates runs elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum EngineName {
    /// Job arrays of a Slurm cluster.
    Slurm,
    /// Jobs of GNU parallel, here or over ssh.
    Parallel,
    /// Commands to run by hand, or by another scheduler.
    Script,
}

/// Words of a command line in one argument.
#[derive(Clone, Debug)]
pub(super) struct ShellWords(pub Vec<String>);

fn options(text: &str) -> Result<ShellWords, String> {
    shell::words(text).map(ShellWords).ok_or_else(|| "a quotation mark is not closed".to_owned())
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.01..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("write seconds, from 0.01 to 3600".to_owned()),
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct PartArgs {
    /// The folder of the plan.
    pub(super) plan: PathBuf,
    /// The number of the part, counted from 0; `auto` takes it from the engine's variable: `SLURM_ARRAY_TASK_ID`, `PARALLEL_SEQ`,
    /// `HQ_TASK_ID`, `PBS_ARRAY_INDEX`, `JOB_COMPLETION_INDEX` or `AWS_BATCH_JOB_ARRAY_INDEX`.
    #[arg(long, value_name = "N", value_parser = index)]
    pub(super) index: PartIndex,
    /// Folder of kept runs, instead of the one that the plan names.
    #[arg(long, value_name = "DIR")]
    pub(super) into: Option<PathBuf>,
}

/// Which part.
#[derive(Clone, Copy, Debug)]
pub(super) enum PartIndex {
    /// What the environment says.
    Auto,
    /// This one.
    Number(u32),
}

fn index(text: &str) -> Result<PartIndex, String> {
    match text {
        "auto" => Ok(PartIndex::Auto),
        number => number.parse().map(PartIndex::Number).map_err(|_| "write a number from 0, or `auto`".to_owned()),
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct PlanArgs {
    /// The scenario.
    pub(super) file: PathBuf,
    /// What to find: throughput, concentrators, calls, curfew-end, curfew-start, deferred, weight, moved, split,
    /// low-latency, wave or years.
    #[arg(long, value_name = "WHAT")]
    pub(super) find: String,
    /// The concentrator or class that it belongs to.
    #[arg(long, value_name = "NAME")]
    pub(super) of: Option<String>,
    /// When a wave is cut over (default: when the target's hours begin).
    #[arg(long, value_name = "TIME", value_parser = clock)]
    pub(super) at: Option<TimeOfDay>,
    /// The option in which it is sought (default: the base).
    #[arg(long, value_name = "NAME")]
    pub(super) option: Option<String>,
    /// The number of the target, counted from 1 in the order of the file.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) target: usize,
    /// Share of days on which the target has to be met, such as "95 %" (default: on an average day).
    #[arg(long = "in", value_name = "SHARE", value_parser = share)]
    pub(super) days: Option<f64>,
    #[command(flatten)]
    pub(super) effort: PlanEffort,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Headroom {
    /// The scenario, with `growth` in the classes that grow.
    pub(super) file: PathBuf,
    /// Only the base and these options.
    #[arg(long = "option", value_name = "NAME")]
    pub(super) options: Vec<String>,
    /// Share of days on which a target has to be met, such as "95 %" (default: on an average day).
    #[arg(long = "in", value_name = "SHARE", value_parser = share)]
    pub(super) days: Option<f64>,
    /// Takes this concentrator away: what is left when it fails.
    #[arg(long, value_name = "NAME")]
    pub(super) lose: Option<String>,
    #[command(flatten)]
    pub(super) effort: PlanEffort,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Compare {
    /// The scenarios; set-ups are compared by the first target of the first.
    #[arg(required = true)]
    pub(super) files: Vec<PathBuf>,
    /// Difference that is too small to matter, as a share of the target's limit.
    #[arg(long, value_name = "SHARE", default_value = "5 %", value_parser = share)]
    pub(super) zone: f64,
    /// Probability that the selection is right.
    #[arg(long, value_name = "SHARE", default_value = "95 %", value_parser = share)]
    pub(super) confidence: f64,
    /// Days that every set-up is run for at first.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(3..=1000))]
    pub(super) first: u32,
    /// Largest number of days of a set-up.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(3..=100_000))]
    pub(super) budget: u32,
    /// Seed of the random numbers, instead of the scenario's.
    #[arg(long, value_name = "S")]
    pub(super) seed: Option<u64>,
    /// Folder for page, chart and table (default: output/NAME, after the first scenario's file).
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Prints the comparison as JSON instead of the summary.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) scale: ScaleArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sweep {
    /// The scenario.
    pub(super) file: PathBuf,
    /// What is varied: `PATH=FROM..TO:STEP`, or `PATH=a,b,c`, such as `concentrator.hub.throughput=1 Gbit/s,2 Gbit/s`.
    #[arg(long, value_name = "PATH=VALUES")]
    pub(super) vary: Vec<String>,
    /// Number of points of a Latin hypercube over the ranges (`PATH=FROM..TO`), instead of every combination.
    #[arg(long, value_name = "N", requires = "vary", value_parser = clap::value_parser!(u16).range(2..=10_000))]
    pub(super) points: Option<u16>,
    /// Varies every assumed input that has a range, one at a time, and says on which the answer depends most.
    #[arg(long, conflicts_with = "vary")]
    pub(super) tornado: bool,
    /// Draws all assumed inputs that have a range together, 2 N times, and says how uncertain the answer is and which input
    /// causes most of it.
    #[arg(long, value_name = "N", conflicts_with_all = ["vary", "tornado"], value_parser = clap::value_parser!(u16).range(4..=10_000))]
    pub(super) doubt: Option<u16>,
    /// The base and these options (default: the base alone).
    #[arg(long = "option", value_name = "NAME")]
    pub(super) options: Vec<String>,
    /// Exact number of replications, instead of what the scenario asks for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) replications: Option<u32>,
    /// Seed of the random numbers, instead of the scenario's.
    #[arg(long, value_name = "S")]
    pub(super) seed: Option<u64>,
    /// Folder for page, chart, table and kept days (default: output/NAME, after the scenario's file).
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) scale: ScaleArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct PlanEffort {
    /// Half-width of the interval to reach, as a share of the value (of the range, for times and shares).
    #[arg(long, value_name = "SHARE", default_value = "3 %", value_parser = share)]
    pub(super) precision: f64,
    /// Simulated days for each answer beyond which no further step of the search is begun.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub(super) budget: u32,
    /// Seed of the random numbers, instead of the scenario's.
    #[arg(long, value_name = "S")]
    pub(super) seed: Option<u64>,
    /// Folder for page, chart and table (default: output/NAME, after the scenario's file).
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Prints the answer as JSON instead of the summary.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) scale: ScaleArgs,
}

/// A share on the command line.
fn share(text: &str) -> Result<f64, String> {
    match Share::read(text)?.0 {
        share if share > 0.0 && share < 1.0 => Ok(share),
        _ => Err("write a share between 0 % and 100 %".to_owned()),
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Validate {
    /// Writes a page with charts of reference against headend to this file.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Folder of evidence, instead of what the program carries: traces/, ns3/, testbed/ and the files of sites.
    #[arg(long, value_name = "DIR")]
    pub(super) evidence: Option<PathBuf>,
    /// Compares a fidelity with packets in this number of scenarios drawn over every regime, and does nothing else.
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "1200", conflicts_with = "html")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(super) regimes: Option<u64>,
    /// The fidelity that is compared with packets.
    #[arg(long, value_enum, default_value = "flow", requires = "regimes")]
    pub(super) fidelity: SuiteFidelity,
    /// Leaves this ingredient of the transport out at that fidelity, to show its effect.
    #[arg(long, value_name = "NAME", requires = "regimes", value_parser = ingredient)]
    pub(super) without: Option<Ingredient>,
    /// Seed of the scenarios that are drawn.
    #[arg(long, value_name = "S", default_value_t = 1, requires = "regimes")]
    pub(super) seed: u64,
    /// Writes the error of the method, as these scenarios and the measured networks show it, to this CSV file; what it says of
    /// other fidelities stays.
    #[arg(long, value_name = "FILE", requires = "regimes")]
    pub(super) learn: Option<PathBuf>,
    /// Prints the rows as JSON instead of the table.
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum FidelityName {
    /// Transfers are flows that share capacity.
    Flow,
    /// Packets of a sample: near packet fidelity, at a fraction of its cost.
    Sampled,
    /// Every packet, with windows and losses.
    Packet,
}

/// What the suite holds against packets.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SuiteFidelity {
    /// Transfers are flows that share capacity.
    Flow,
    /// Packets of a sample.
    Sampled,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LiveArgs {
    /// The scenario.
    pub(super) file: PathBuf,
    /// Stores a forecast in the page in place of simulated days: it is made within seconds.
    #[arg(long)]
    pub(super) forecast: bool,
    /// Folder for the page (default: output/NAME, after the scenario's file).
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// The scenario.
    pub(super) file: PathBuf,
    /// Runs only the base and these options.
    #[arg(long = "option", value_name = "NAME")]
    pub(super) options: Vec<String>,
    /// Exact number of replications, instead of what the scenario asks for.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) replications: Option<u32>,
    /// Seed of the random numbers, instead of the scenario's.
    #[arg(long, value_name = "S")]
    pub(super) seed: Option<u64>,
    /// Level of detail of the network, instead of what the scenario says.
    #[arg(long, value_enum)]
    pub(super) fidelity: Option<FidelityName>,
    /// Packets of a sender that move together at packet fidelity: 1 is packet by packet, more is faster.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(super) grain: Option<u32>,
    /// Simulates each day only until its targets are decided: after their last hour, and the longest patience of their classes. Other
    /// figures are of these hours then. Whole days remain where nobody loses patience.
    #[arg(long)]
    pub(super) target_hours: bool,
    /// Also runs a quarter of an hour at both fidelities and shows where they disagree: the one in which people lose most
    /// time (`deciding`), or the one that begins at a time such as 08:30. By default this is done where it costs less
    /// than about 20 s (`if-cheap`); `never` leaves it out.
    #[arg(long, value_name = "WHEN", num_args = 0..=1, require_equals = true, value_parser = when)]
    #[arg(default_value = "if-cheap", default_missing_value = "deciding", hide_default_value = true)]
    pub(super) check_fidelity: When,
    /// Folder for the report (default: output/NAME, after the scenario's file).
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Writes every transaction to this CSV file.
    #[arg(long, value_name = "FILE")]
    pub(super) records: Option<PathBuf>,
    /// Prints the results as JSON instead of the summary.
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) scale: ScaleArgs,
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
pub(crate) fn when(text: &str) -> Result<When, String> {
    match text {
        "if-cheap" => Ok(When::IfCheap),
        "never" => Ok(When::Never),
        "deciding" => Ok(When::Deciding),
        _ => {
            TimeOfDay::read(text).map(When::At).map_err(|what| format!("{what}; or `deciding`, `if-cheap` or `never`"))
        }
    }
}
