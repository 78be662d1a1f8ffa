//! The scenario: the file as written, every fault in it at once, and the models that it means.
//!
//! ```text
//! text --read--> File --check--> Study { base and options as models, targets, inputs with their sources }
//! ```

pub mod change;
pub mod check;
pub mod demand;
pub mod estate;
pub mod fault;
pub mod file;
pub mod headend;
pub mod idle;
pub mod leaf;
pub mod model;
pub mod problem;
pub mod profile;
pub mod read;
pub mod say;
pub mod source;
pub mod spread;
pub mod table;
pub mod target;
pub mod tunnel;
pub mod vary;
pub mod warn;

use crate::disk::Folder;
use check::{Checker, InputFile};
use file::{At, CongestionFile, FidelityFile, File, OptionFile, Run, TransportFile, TransportKind};
use leaf::{Count, Field, Flag, Name, TextLine};
use model::{Calendar, ChangeKind, Congestion, Fidelity, Ingredient, Model, Tcp, Transport, Without};
use problem::{Problems, did_you_mean};
use profile::DeviceModels;
use source::Input;
use target::Target;
use tunnel::TunnelTerms;

use crate::units::{DAY, Duration, Share, TimeOfDay};

/// A scenario that has been checked: everything that a study needs.
#[derive(Clone, Debug)]
pub struct Study {
    /// The question, in one sentence.
    pub question: String,
    /// Date of the first day, or its weekday.
    pub when: String,
    /// The base first, then the options in the order of the file.
    pub setups: Vec<Setup>,
    /// What must hold.
    pub targets: Vec<Target>,
    /// How often it is simulated.
    pub effort: Effort,
    /// Every number and where it comes from.
    pub inputs: Vec<Input>,
    /// Files that the scenario names.
    pub files: Vec<InputFile>,
    /// The sign of the currency in which costs are written, such as `£`.
    pub currency: Option<String>,
    /// Who is counted at a site: `patients`, `people`.
    pub counted: String,
}

/// The base, or an option.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its name on the command line and in files.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it costs, if that is written: the option itself, and its concentrators by their throughput. The base itself
    /// costs nothing.
    pub cost: Option<f64>,
    /// What it changes, each change in a clause; nothing for the base.
    pub what: Vec<String>,
    /// What it means.
    pub model: Model,
}

/// How often a study simulates.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Effort {
    /// Replications at least.
    pub least: u32,
    /// Replications at most.
    pub most: u32,
    /// Half-width of a target's 95 % interval that is narrow enough, as a share of value or limit.
    pub precision: Share,
}

/// Reads and checks a scenario. `folder` is where its relative paths start, and says whether files elsewhere may be read.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(path: &str, text: &str, folder: impl Into<Folder>) -> Result<Study, Problems> {
    let read = read::read(path, text);
    let mut check = Checker::new(read.problems, folder.into(), read.blanked);
    let fatal = read.file.class.is_empty() && !check.problems.is_empty();
    let study = if fatal { None } else { study(&read.file, text, &mut check) };
    match study {
        Some(study) if check.problems.is_empty() => Ok(study),
        _ => Err(check.problems),
    }
}

fn study(file: &File, text: &str, check: &mut Checker) -> Option<Study> {
    let question = check.need(&file.question, &(0..0), "question");
    let run = run(file, check);
    let estate = estate::sites(file, check);
    let transport = transport(file.transport.as_ref(), check);
    let fidelity = file.run.as_ref().map_or(Fidelity::Flow, |run| fidelity(run.get_ref(), check));
    let profiles = demand::profiles(file, check);
    // What is faulty has a problem by now; stand-ins let the rest be checked all the same.
    let (sites, counted) = estate.unwrap_or_default();
    let classes = demand::classes(file, &profiles, &sites, check).unwrap_or_default();
    let known = profile::profiles(file, check);
    let units = headend::units(file, &known, &classes, check).unwrap_or_default();
    let (pools, pool_of) = headend::pools(file, &units, &sites, check).unwrap_or_default();
    let replay = file.replay.as_ref().and_then(|_| demand::replay(file, &sites, &classes, check));
    let mut inputs = source::inputs(text, file, check);
    inputs.extend(profile::inputs(file, &known));
    let (calendar, first, effort, (seed, antithetic), bin) = run.unwrap_or_default();
    let targets = target::targets(file, &classes, &calendar, first, check);
    let tunnels = match &file.tunnels {
        Some(table) => tunnel::terms(table.get_ref(), TunnelTerms::default(), check),
        None => TunnelTerms::default(),
    };
    let base = Model {
        seed,
        antithetic,
        calendar,
        bin,
        sites: sites.into(),
        classes,
        concentrators: units,
        pools,
        pool_of,
        tunnels,
        faults: Vec::new(),
        changes: Vec::new(),
        transport,
        fidelity,
        replay,
    };
    let setups = setups(file, base, &known, first, check);
    let when = first.map_or_else(|| leaf::WEEKDAYS[usize::from(calendar.weekday)].to_owned(), |date| date.to_string());
    let currency = file.run.as_ref().and_then(|run| check.maybe(&run.get_ref().currency)).map(|sign| sign.0);
    let files = std::mem::take(&mut check.files);
    Some(Study { question: question?.0, when, setups, targets, effort, inputs, files, currency, counted })
}

type RunSettings = (Calendar, Option<jiff::civil::Date>, Effort, (u64, bool), Duration);

/// Bins that a run has at most: each costs memory in every set-up.
const MAX_BINS: u64 = 1_000_000;

fn run(file: &File, check: &mut Checker) -> Option<RunSettings> {
    let Some(table) = &file.run else {
        check.missing(&(0..0), "run", "a table [run] with `date` or `weekday`, `from` and `until`");
        return None;
    };
    let (at, run) = (table.span(), table.get_ref());
    let date = check.maybe(&run.date).map(|date| date.0);
    let weekday = check.maybe(&run.weekday);
    if run.date.is_written() == run.weekday.is_written() {
        check.problems.add(&at, "[run] needs a day", "write `date` or `weekday`, and not both");
    }
    let mut days = check.or(&run.days, Count(1));
    if !(1..=366).contains(&days.0) {
        check.problems.add(run.days.span(), format!("a run of {} days", days.0), "write 1 to 366 days");
        // What follows is laid out day by day.
        days = Count(1);
    }
    check.need(&run.from, &at, "from");
    check.need(&run.until, &at, "until");
    let (from, until) = check.window(&run.from, &run.until, (TimeOfDay(0), TimeOfDay(DAY)));
    let bin = check.or(&run.bin, Duration(60 * crate::units::NANOS));
    if bin.0 == 0 || (until.0 - from.0) % bin.0 != 0 || (until.0 - from.0) / bin.0 > 100_000 || from.0 % bin.0 != 0 {
        let title = format!("bins of {bin} do not divide the day from {from} to {until}");
        check.problems.add(run.bin.span(), title, "write a bin such as \"1 min\" that fits a whole number of times");
    }
    let bins = (until.0 - from.0) / bin.0.max(1) * days.0;
    if bins > MAX_BINS {
        let title = format!("{bins} bins in all are too many");
        let help = format!("write a longer `bin`, or fewer days: at most {MAX_BINS} bins are recorded");
        check.problems.add(run.bin.span(), title, help);
    }
    let effort = effort(run, check);
    let seed = (check.or(&run.seed, Count(1)).0, check.or(&run.antithetic, Flag(false)).0);
    let weekday = match date {
        Some(date) => u8::try_from(date.weekday().to_monday_zero_offset()).ok()?,
        None => weekday.map_or(0, |day| day.0),
    };
    let calendar = Calendar { weekday, days: u32::try_from(days.0).ok()?, from, until };
    Some((calendar, date, effort, seed, bin))
}

fn effort(run: &Run, check: &mut Checker) -> Effort {
    let least = check.or(&run.replications, Count(5)).0;
    let most = check.or(&run.max_replications, Count(least.saturating_mul(10))).0;
    if !(1..=100_000).contains(&least) || most < least || most > 1_000_000 {
        let is_first = !(1..=100_000).contains(&least) || !run.max_replications.is_written();
        let leaf = if is_first { &run.replications } else { &run.max_replications };
        let title = format!("{least} to {most} replications");
        check.problems.add(leaf.span(), title, "write at least 1 replication, and no fewer at most than at least");
    }
    let precision = check.or(&run.precision, Share(0.1));
    if !(precision.0 > 0.0) {
        check.problems.add(run.precision.span(), "no run is perfectly precise", "write a precision such as \"10 %\"");
    }
    let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Effort { least: count(least), most: count(most), precision }
}

fn transport(table: Option<&At<TransportFile>>, check: &mut Checker) -> Transport {
    let file = table.map(|table| table.get_ref().clone()).unwrap_or_default();
    let usual = Tcp::default();
    let tcp = Tcp {
        segment: check.or(&file.segment, usual.segment),
        headers: check.or(&file.headers, usual.headers),
        window: u32::try_from(check.or(&file.window, Count(usual.window.into())).0).unwrap_or(u32::MAX),
        most: u32::try_from(check.or(&file.most, Count(usual.most.into())).0).unwrap_or(u32::MAX),
        congestion: match file.congestion {
            None | Some(CongestionFile::Cubic) => Congestion::Cubic,
            Some(CongestionFile::NewReno) => Congestion::NewReno,
        },
        access_buffer: check.or(&file.access_buffer, usual.access_buffer),
        without: without(&file.without, check),
    };
    for (leaf, value) in [(&file.segment, tcp.segment), (&file.headers, tcp.headers)] {
        if !(20..=9000).contains(&value.0) {
            check.problems.add(leaf.span(), format!("packets of {}", value.0), "write 20 B to 9000 B");
        }
    }
    if !(1..=1000).contains(&tcp.window) {
        let title = format!("a first window of {} segments", tcp.window);
        check.problems.add(file.window.span(), title, "write 1 to 1000 segments; RFC 6928 has 10");
    }
    if !(2..=65_535).contains(&tcp.most) {
        let title = format!("a receiver's window of {} segments", tcp.most);
        check.problems.add(file.most.span(), title, "write 2 to 65535 segments");
    }
    match file.model {
        Some(TransportKind::Ideal) => Transport::Ideal,
        Some(TransportKind::Tcp) | None => Transport::Tcp(tcp),
    }
}

fn without(names: &[Field<Name>], check: &mut Checker) -> Without {
    let mut without = Without::NONE;
    for leaf in names {
        let Some(Name(name)) = check.maybe(leaf) else { continue };
        match Ingredient::ALL.iter().find(|(_, known)| *known == name) {
            Some((ingredient, _)) => without = without.and(*ingredient),
            None => {
                let help = did_you_mean(&name, Ingredient::ALL.iter().map(|(_, known)| *known));
                check.problems.add(leaf.span(), format!("there is no ingredient `{name}`"), help);
            }
        }
    }
    without
}

fn fidelity(run: &Run, check: &mut Checker) -> Fidelity {
    let grain = check.or(&run.grain, Count(DEFAULT_GRAIN.into())).0;
    if !(1..=64).contains(&grain) {
        check.problems.add(run.grain.span(), format!("trains of {grain} packets"), "write 1 to 64");
    }
    match run.fidelity {
        None | Some(FidelityFile::Flow) => Fidelity::Flow,
        Some(FidelityFile::Packet) => Fidelity::Packet(u32::try_from(grain).unwrap_or(1)),
    }
}

/// Packets in a train, unless the scenario says otherwise.
pub const DEFAULT_GRAIN: u32 = 1;

/// The base and the options, each with its changes made.
fn setups(
    file: &File,
    mut base: Model,
    known: &DeviceModels,
    first: Option<jiff::civil::Date>,
    check: &mut Checker,
) -> Vec<Setup> {
    change::apply(&mut base, &file.change, known, first, check);
    fault::apply(&mut base, &file.fault, first, check);
    let mut setups = vec![Setup {
        name: "base".to_owned(),
        title: "as it is".to_owned(),
        cost: cost_of(&base, Some(0.0)),
        what: Vec::new(),
        model: base.clone(),
    }];
    let mut resolved: Vec<Vec<&OptionFile>> = Vec::new();
    for (index, option) in file.option.iter().enumerate() {
        let (at, table) = (option.span(), option.get_ref());
        resolved.push(included(option, &file.option[..index], &resolved, check));
        let Some(name) = check.need(&table.name, &at, "name") else { continue };
        // Files of options are named after them, and some systems do not tell capitals apart.
        let same = |other: &At<OptionFile>| {
            other.get_ref().name.right().is_some_and(|other| other.0.eq_ignore_ascii_case(&name.0))
        };
        if name.0.eq_ignore_ascii_case("base") || file.option[..index].iter().any(same) {
            let help = "give each its own name, different in more than capitals";
            check.problems.add(table.name.span(), format!("a second option `{}`", name.0), help);
        }
        let title = check.maybe(&table.title).map_or_else(|| name.0.clone(), |TextLine(title)| title);
        if setups.iter().any(|setup| setup.title == title) {
            let at = if table.title.is_written() { table.title.span() } else { table.name.span() };
            let help = "give each a title of its own: reports go by it";
            check.problems.add(at, format!("a second set-up that is called \u{201c}{title}\u{201d}"), help);
        }
        let (mut model, mut what) = (base.clone(), Vec::new());
        for table in &resolved[index] {
            let by_load = change::apply(&mut model, &table.change, known, first, check);
            what.extend(say::changes(table));
            if by_load {
                what.push(say::BY_LOAD.to_owned());
            }
            fault::remove(&mut model, &table.without, check);
            fault::apply(&mut model, &table.fault, first, check);
        }
        let cost = cost_of(&model, headend::cost(&table.cost, check));
        setups.push(Setup { name: name.0, title, cost, what, model });
    }
    setups
}

/// What a set-up costs, beside an amount of its own: its concentrators, by the largest throughput that they have.
fn cost_of(model: &Model, own: Option<f64>) -> Option<f64> {
    // A device that is turned down later is bought as large as it ever has to be.
    let resized = |place: usize| {
        let to = model.changes.iter().filter_map(|edit| match edit.kind {
            ChangeKind::ReplaceDevice { unit, throughput, .. } if unit.index() == place => Some(throughput),
            _ => None,
        });
        let starts = model.changes.iter().all(|edit| match edit.kind {
            ChangeKind::ReplaceDevice { unit, .. } => unit.index() != place || edit.at > crate::units::Time(0),
            _ => true,
        });
        let own = starts.then_some(model.concentrators[place].throughput);
        to.chain(own).max().unwrap_or(model.concentrators[place].throughput)
    };
    let units = model.concentrators.iter().enumerate();
    let by_rate = units.filter_map(|(place, unit)| Some(unit.cost_per_mbit? * resized(place).bits() / 1e6));
    by_rate.fold(own, |sum, cost| Some(sum.unwrap_or(0.0) + cost))
}

/// The options that an option consists of: those that it includes, each once, then itself. `resolved` has the same of those
/// above.
fn included<'a>(
    option: &'a At<OptionFile>,
    above: &'a [At<OptionFile>],
    resolved: &[Vec<&'a OptionFile>],
    check: &mut Checker,
) -> Vec<&'a OptionFile> {
    let mut all: Vec<&OptionFile> = Vec::new();
    for leaf in &option.get_ref().include {
        let Some(Name(name)) = check.maybe(leaf) else { continue };
        let named = |other: &&At<OptionFile>| other.get_ref().name.right().is_some_and(|own| own.0 == name);
        let Some(place) = above.iter().position(|other| named(&other)) else {
            let known = above.iter().filter_map(|other| other.get_ref().name.right()).map(|name| name.0.as_str());
            let help = format!("{}; an option includes options above it", did_you_mean(&name, known));
            check.problems.add(leaf.span(), format!("there is no option `{name}` above this one"), help);
            continue;
        };
        for &table in &resolved[place] {
            if !all.iter().any(|other| std::ptr::eq(*other, table)) {
                all.push(table);
            }
        }
    }
    all.push(option.get_ref());
    all
}
