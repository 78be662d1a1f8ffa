//! `[run]` and `[transport]`, read into the model.

use crate::model::{Calendar, Congestion, Fidelity, Ingredient, Model, Tcp, Transport, Without};
use crate::scenario::checked::Effort;
use crate::scenario::checker::Checker;
use crate::scenario::field::{At, Count, Field, Flag, Name, Number};
use crate::scenario::file::{CongestionFile, FidelityFile, File, Run, TransportFile, TransportKind};
use crate::scenario::problem::did_you_mean;
use crate::units::{DAY, Duration, Share, TimeOfDay};

/// Days, date of the first, how often, seed and antithetic, length of a bin.
pub(crate) type RunSettings = (Calendar, Option<jiff::civil::Date>, Effort, (u64, bool), Duration);

/// Bins that a run has at most: each costs memory in every set-up.
const MAX_BINS: u64 = 1_000_000;

pub(crate) fn run(file: &File, check: &mut Checker) -> Option<RunSettings> {
    let Some(table) = &file.run else {
        check.missing(&(0..0), "run", "a table [run] with `date` or `weekday`, `from` and `until`");
        return None;
    };
    let (at, run) = (table.span(), table.get_ref());
    let date = check.optional(&run.date).map(|date| date.0);
    let weekday = check.optional(&run.weekday);
    if run.date.is_written() == run.weekday.is_written() {
        check.problems.add(&at, "[run] needs a day", "write `date` or `weekday`, and not both");
    }
    let mut days = check.or(&run.days, Count(1));
    if !(1..=366).contains(&days.0) {
        check.problems.add(run.days.span(), format!("a run of {} days", days.0), "write 1 to 366 days");
        // What follows is laid out day by day.
        days = Count(1);
    }
    check.required(&run.from, &at, "from");
    check.required(&run.until, &at, "until");
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
        let field = if is_first { &run.replications } else { &run.max_replications };
        let title = format!("{least} to {most} replications");
        check.problems.add(field.span(), title, "write at least 1 replication, and no fewer at most than at least");
    }
    let precision = check.or(&run.precision, Share(0.1));
    if !(precision.0 > 0.0) {
        check.problems.add(run.precision.span(), "no run is perfectly precise", "write a precision such as \"10 %\"");
    }
    let count = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    Effort { least: count(least), most: count(most), precision }
}

/// Years of growth before the first day.
pub(crate) fn years(run: &Run, model: &Model, check: &mut Checker) -> f64 {
    const MOST: f64 = 100.0;
    let years = check.or(&run.years, Number(0.0)).0;
    if years > MOST {
        check.problems.add(run.years.span(), format!("growth over {years} years"), "write at most 100 years");
    }
    if years > 0.0 && model.classes.iter().all(|class| class.growth <= 0.0) {
        let help = "write `growth = \"8 %\"` (a year) in the classes that do, or take `years` out";
        check.problems.add(run.years.span(), "no class grows in these years", help);
    }
    years.min(MOST)
}

pub(crate) fn transport(table: Option<&At<TransportFile>>, check: &mut Checker) -> Transport {
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
    for (field, value) in [(&file.segment, tcp.segment), (&file.headers, tcp.headers)] {
        if !(20..=9000).contains(&value.0) {
            check.problems.add(field.span(), format!("packets of {}", value.0), "write 20 B to 9000 B");
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
    for field in names {
        let Some(Name(name)) = check.optional(field) else { continue };
        match Ingredient::ALL.iter().find(|(_, known)| *known == name) {
            Some((ingredient, _)) => without = without.and(*ingredient),
            None => {
                let help = did_you_mean(&name, Ingredient::ALL.iter().map(|(_, known)| *known));
                check.problems.add(field.span(), format!("there is no ingredient `{name}`"), help);
            }
        }
    }
    without
}

pub(crate) fn fidelity(run: &Run, check: &mut Checker) -> Fidelity {
    let grain = check.or(&run.grain, Count(DEFAULT_GRAIN.into())).0;
    if !(1..=64).contains(&grain) {
        check.problems.add(run.grain.span(), format!("trains of {grain} packets"), "write 1 to 64");
    }
    match run.fidelity {
        None | Some(FidelityFile::Flow) => Fidelity::Flow,
        Some(FidelityFile::Sampled) => Fidelity::Sampled,
        Some(FidelityFile::Packet) => Fidelity::Packet(u32::try_from(grain).unwrap_or(1)),
    }
}

/// Packets in a train, unless the scenario says otherwise.
pub const DEFAULT_GRAIN: u32 = 1;
