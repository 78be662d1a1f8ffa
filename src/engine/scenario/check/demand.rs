//! Demand: profiles of the day and classes of traffic.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};

use crate::model::{Arrivals, Class, Codec, Cumulative, Demand, Fallback, Levels, MAX_CLASSES, Rules, Site};
use crate::random;
use crate::scenario::checker::Checker;
use crate::scenario::field::{Count, Field, Flag, Name, Number};
use crate::scenario::file::{
    At, Band, ClassFile, CodecFile, FallbackFile, File, JobsFile, OpenFile, Point, StaffFile, SteadyFile, StreamsFile,
    UsersFile, Weekdays,
};
use crate::scenario::problem::did_you_mean;
use crate::units::{DAY, Duration, Share, TimeOfDay};

/// The profiles of a scenario by name. One with a fault is known, too, so that the fault is reported once.
#[derive(Default)]
pub struct DayShapes {
    bands: BTreeMap<String, Option<Cumulative>>,
    levels: BTreeMap<String, Option<Levels>>,
}

/// Reads all profiles.
pub fn profiles(file: &File, check: &mut Checker) -> DayShapes {
    let mut profiles = DayShapes::default();
    for profile in &file.profile {
        let (at, table) = (profile.span(), profile.get_ref());
        let Some(name) = check.required(&table.name, &at, "name") else { continue };
        if profiles.bands.contains_key(&name.0) || profiles.levels.contains_key(&name.0) {
            check.problems.add(table.name.span(), format!("a second profile `{}`", name.0), "give each its own name");
        }
        match (table.bands.is_empty(), table.levels.is_empty()) {
            (false, true) => drop(profiles.bands.insert(name.0, cumulative(&table.bands, check))),
            (true, false) => drop(profiles.levels.insert(name.0, levels(&table.levels, check))),
            _ => {
                let help = "write `bands` with shares of the day's arrivals, or `levels` through the day";
                check.problems.add(&at, format!("profile `{}` needs either `bands` or `levels`", name.0), help);
                profiles.bands.insert(name.0.clone(), None);
                profiles.levels.insert(name.0, None);
            }
        }
    }
    profiles
}

/// Bands to points of the cumulative share. The bands must not overlap and come to 100 % (0.5 % of rounding in
/// what was published is evened out).
fn cumulative(bands: &[At<Band>], check: &mut Checker) -> Option<Cumulative> {
    let mut points: Vec<(TimeOfDay, f64)> = vec![(TimeOfDay(0), 0.0)];
    let (mut sum, mut fine) = (0.0, true);
    for band in bands {
        let (at, table) = (band.span(), band.get_ref());
        let from = check.required(&table.from, &at, "from");
        let until = check.required(&table.until, &at, "until");
        let share = check.required(&table.share, &at, "share");
        let (Some(from), Some(until), Some(share)) = (from, until, share) else {
            fine = false;
            continue;
        };
        let last = points.last().map_or(TimeOfDay(0), |point| point.0);
        if from < last || until <= from {
            let title =
                format!("this band, {from} to {until}, does not follow the one before it, which ends at {last}");
            check.problems.add(table.from.span(), title, "write bands in order, without overlaps");
            fine = false;
            continue;
        }
        if from > last {
            points.push((from, sum));
        }
        if let Some(early) = &table.early {
            let within = check.required(&early.within, &at, "within")?;
            let part = check.required(&early.share, &at, "share")?;
            if within.0 == 0 || within.0 >= until.0 - from.0 {
                let help = format!("write a time shorter than the band, {}", Duration(until.0 - from.0));
                check.problems.add(early.within.span(), "the early part is not a part of its band", help);
                fine = false;
                continue;
            }
            points.push((TimeOfDay(from.0 + within.0), sum + share.0 * part.0));
        }
        sum += share.0;
        points.push((until, sum));
    }
    if !fine {
        return None;
    }
    if (sum - 1.0).abs() > 0.005 {
        let title = format!("the shares of these bands come to {}, not to 100 %", percent(sum));
        check.problems.add(bands[0].get_ref().share.span(), title, "make the shares of a profile add up to 100 %");
        return None;
    }
    for point in &mut points {
        point.1 /= sum;
    }
    if points.last().is_some_and(|last| last.0.0 < DAY) {
        points.push((TimeOfDay(DAY), 1.0));
    }
    Some(Cumulative(points))
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

fn levels(points: &[At<Point>], check: &mut Checker) -> Option<Levels> {
    let mut read: Vec<(TimeOfDay, f64)> = Vec::new();
    for point in points {
        let (at, table) = (point.span(), point.get_ref());
        let clock = check.required(&table.at, &at, "at");
        let level = check.required(&table.level, &at, "level");
        let (clock, level) = (clock?, level?);
        if read.last().is_some_and(|last| last.0 >= clock) {
            check.problems.add(
                table.at.span(),
                "this point does not lie after the one before it",
                "write points in order",
            );
            return None;
        }
        read.push((clock, level.0));
    }
    Some(Levels(read))
}

/// Reads all classes.
pub fn classes(file: &File, profiles: &DayShapes, sites: &[Site], check: &mut Checker) -> Option<Vec<Class>> {
    if file.class.is_empty() {
        check.missing(&(0..0), "class", "at least one table [[class]]");
        return None;
    }
    if file.class.len() > MAX_CLASSES {
        let title = format!("{} classes are too many", file.class.len());
        check.problems.add(&file.class[MAX_CLASSES].span(), title, format!("use at most {MAX_CLASSES}"));
        return None;
    }
    let replayed = file.replay.is_some();
    let read: Vec<Option<Class>> = file
        .class
        .iter()
        .map(|table| class(table, replayed, profiles, sites, check).or_else(|| stand_in(table.get_ref())))
        .collect();
    for (index, table) in file.class.iter().enumerate() {
        let name = table.get_ref().name.value();
        if name.is_some() && file.class[..index].iter().any(|other| other.get_ref().name.value() == name) {
            check.problems.add(table.get_ref().name.span(), "a second class of this name", "give each its own name");
        }
    }
    // A class without a name is a problem already, and nothing can name it.
    Some(read.into_iter().flatten().collect())
}

/// In place of a class with a fault, so that what names it can be checked.
fn stand_in(file: &ClassFile) -> Option<Class> {
    let fixed = || random::Distribution::Fixed(1.0);
    Some(Class::new(file.name.value()?.0.clone(), Demand::Replayed, fixed(), fixed()))
}

fn class(
    table: &At<ClassFile>,
    replayed: bool,
    profiles: &DayShapes,
    sites: &[Site],
    check: &mut Checker,
) -> Option<Class> {
    let (at, file) = (table.span(), table.get_ref());
    let name = check.required(&file.name, &at, "name");
    let demand = demand(file, &at, replayed, profiles, sites, check);
    let streams = file.streams.is_some() || file.steady.is_some() || file.staff.is_some() || replayed;
    let request = file.request.as_ref().map_or(Some(random::Distribution::Fixed(1000.0)), |law| check.law(law));
    let response = match &file.response {
        Some(law) => check.law(law),
        None if streams => Some(random::Distribution::Fixed(1.0)),
        None => {
            check.missing(&at, "response", "a distribution of sizes, such as { fixed = \"30 kB\" }");
            None
        }
    };
    let turns = check.or(&file.turns, Count(1));
    if !(1..=20).contains(&turns.0) {
        check.problems.add(file.turns.span(), format!("an action of {} turns", turns.0), "write 1 to 20 turns");
    }
    let retries = check.or(&file.retries, Count(0));
    if retries.0 > 20 {
        check.problems.add(file.retries.span(), format!("{} retries", retries.0), "write up to 20 retries");
    }
    let patience = check.optional(&file.patience);
    if patience.is_some_and(|patience| patience.0 == 0) {
        check.problems.add(file.patience.span(), "nobody has no patience at all", "write a time above zero");
    }
    let demand = demand?;
    if file.waited_for.is_written() && !transacts(&demand) {
        let help = "leave `waited_for` out: only transfers are waited for";
        check.problems.add(file.waited_for.span(), "nobody waits for calls, or for staff", help);
    }
    Some(Class {
        name: name?.0,
        waited_for: check.or(&file.waited_for, Flag(demand.is_waited_for())).0,
        demand,
        request: request?,
        response: response?,
        turns: u8::try_from(turns.0).unwrap_or(20),
        connects: check.or(&file.connects, Flag(true)).0,
        server: check.or(&file.server, Duration(0)),
        patience,
        retries: u8::try_from(retries.0).unwrap_or(20),
        quick: check.or(&file.quick, Duration(2_000_000_000)),
        fallback: file.fallback.as_ref().map(|table| fallback(table, file, check)),
        declined: check.or(&file.declined, Share(0.0)),
        growth: check.or(&file.growth, Share(0.0)).0,
        rules: Rules::default(),
    })
}

fn transacts(demand: &Demand) -> bool {
    !matches!(demand, Demand::Streams { .. } | Demand::Steady { .. } | Demand::Staff { .. })
}

fn fallback(table: &At<FallbackFile>, class: &ClassFile, check: &mut Checker) -> Fallback {
    let (at, file) = (table.span(), table.get_ref());
    if class.users.is_none() || !class.patience.is_written() {
        let help = "give the class [class.users] and a `patience`";
        check.problems.add(&at, "only people who wait, and not for ever, can fall back to paper", help);
    }
    let paper = check.or(&file.paper, Share(0.0));
    let cancel = check.or(&file.cancel, Share(0.0));
    if paper.0 + cancel.0 > 1.0 + 1e-9 {
        let title = format!("{paper} on paper and {cancel} cancelled are more than all");
        check.problems.add(file.cancel.span(), title, "write shares that come to 100 % at most");
    }
    let effort = check.or(&file.effort, Number(1.0)).0;
    if !(0.0..=100.0).contains(&effort) {
        check.problems.add(file.effort.span(), format!("an effort of {effort} actions"), "write 0 to 100");
    }
    let catch_up = check.or(&file.catch_up, Share(0.5));
    let stay_until = check.or(&file.stay_until, TimeOfDay(DAY));
    Fallback { paper, cancel, effort, catch_up, stay_until }
}

fn demand(
    file: &ClassFile,
    at: &Range<usize>,
    replayed: bool,
    profiles: &DayShapes,
    sites: &[Site],
    check: &mut Checker,
) -> Option<Demand> {
    let given = [
        file.users.is_some(),
        file.open.is_some(),
        file.streams.is_some(),
        file.steady.is_some(),
        file.staff.is_some(),
        file.jobs.is_some(),
    ];
    match given.iter().filter(|given| **given).count() {
        1 => {}
        0 if replayed => return Some(Demand::Replayed),
        0 if check.was_blanked(&["users", "open", "streams", "steady", "staff", "jobs"]) => return None,
        0 => {
            let help = "write one of [class.users], [class.open], [class.streams], [class.steady], [class.staff] and \
                        [class.jobs]";
            check.problems.add(at, "this class has no demand", help);
            return None;
        }
        _ => {
            let help = "keep one of [class.users], [class.open], [class.streams], [class.steady], [class.staff] and \
                        [class.jobs]; use more classes for more";
            check.problems.add(at, "this class has more than one kind of demand", help);
            return None;
        }
    }
    if let Some(steady) = &file.steady {
        return steady_of(steady, check);
    }
    if let Some(staff) = &file.staff {
        return staff_of(staff, profiles, sites, check);
    }
    let demand = match (&file.users, &file.open, &file.streams, &file.jobs) {
        (Some(users), ..) => users_of(users, profiles, sites, check),
        (_, Some(open), ..) => open_of(open, profiles, sites, check),
        (_, _, Some(streams), _) => streams_of(streams, profiles, sites, check),
        (_, _, _, Some(jobs)) => jobs_of(jobs, sites, check),
        _ => None,
    };
    if replayed { Some(Demand::Replayed) } else { demand }
}

fn users_of(users: &At<UsersFile>, profiles: &DayShapes, sites: &[Site], check: &mut Checker) -> Option<Demand> {
    let (at, file) = (users.span(), users.get_ref());
    let workstations = workstations(&file.per_1000, &at, sites, check);
    let activity = look_up(&file.activity, &at, "activity", &profiles.levels, "profile with `levels`", check);
    let weekdays = weekdays(file.weekdays.as_ref(), check);
    let think = match &file.think {
        Some(law) => check.law(law),
        None => {
            check.missing(&at, "think", "a distribution of times, such as { exponential = \"20 s\" }");
            None
        }
    };
    let think = think?;
    if !(think.mean() > 0.0) {
        check.problems.add(&at, "people who do not pause at all", "write a `think` time above zero");
        return None;
    }
    Some(Demand::Users { workstations: workstations?, activity: activity?, weekdays, think })
}

fn workstations(per_1000: &Field<Number>, at: &Range<usize>, sites: &[Site], check: &mut Checker) -> Option<Vec<u32>> {
    let rate = check.required(per_1000, at, "per_1000")?.0;
    if rate > 1000.0 {
        check.problems.add(per_1000.span(), format!("{rate} workstations per 1,000 patients"), "write up to 1000");
        return None;
    }
    let exact: Vec<f64> = sites.iter().map(|site| f64::from(site.patients) * rate / 1000.0).collect();
    let all: f64 = exact.iter().sum();
    if all > MAX_WORKSTATIONS {
        let title = format!("{:.0} million workstations in all are too many", all / 1e6);
        let help = "check `per_1000` and the patients of the sites: at most 20 million of a class are simulated";
        check.problems.add(per_1000.span(), title, help);
        return None;
    }
    Some(whole_numbers(&exact, sites))
}

/// Workstations of a class at most: each costs memory, and all of England has some 1.5 million.
const MAX_WORKSTATIONS: f64 = 20e6;

/// Whole numbers by site that come to the rounded sum of the exact ones: each rounded down, and the largest remainders up
/// (Hamilton's method; equal ones in the order of the sites' names' numbers). Rounded site by site, small sites would lose
/// or gain a large part of what they have.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // what is rounded is below 2^32
pub fn whole_numbers(exact: &[f64], sites: &[Site]) -> Vec<u32> {
    let mut counts: Vec<u32> = exact.iter().map(|share| share.floor() as u32).collect();
    // In steps of a millionth, so that remainders which differ by rounding alone are equal.
    let remainder = |site: usize| (exact[site].fract() * 1e6).round() as u64;
    let mut order: Vec<(u64, u64, usize)> =
        (0..exact.len()).map(|site| (u64::MAX - remainder(site), random::name_of(&sites[site].name), site)).collect();
    order.sort_unstable();
    let left = exact.iter().map(|share| share.fract()).sum::<f64>().round() as usize;
    order.iter().take(left).for_each(|&(.., site)| counts[site] += 1);
    counts
}

fn open_of(open: &At<OpenFile>, profiles: &DayShapes, sites: &[Site], check: &mut Checker) -> Option<Demand> {
    let (at, file) = (open.span(), open.get_ref());
    let arrivals = arrivals(&file.per_1000, &file.profile, file.weekdays.as_ref(), &at, profiles, sites, check);
    arrivals.map(Demand::Open)
}

#[allow(clippy::too_many_arguments)]
fn arrivals(
    per_1000: &Field<Number>,
    profile: &Field<Name>,
    factors: Option<&At<Weekdays>>,
    at: &Range<usize>,
    profiles: &DayShapes,
    sites: &[Site],
    check: &mut Checker,
) -> Option<Arrivals> {
    let rate = check.required(per_1000, at, "per_1000");
    let profile = look_up(profile, at, "profile", &profiles.bands, "profile with `bands`", check);
    let weekdays = weekdays(factors, check);
    let patients: f64 = sites.iter().map(|site| f64::from(site.patients)).sum();
    let per_day = rate?.0 * patients / 1000.0;
    if per_day > 1e10 {
        check.problems.add(
            per_1000.span(),
            format!("{per_day:.0} arrivals a day"),
            "write a rate that comes to less than 10^10",
        );
        return None;
    }
    Some(Arrivals { per_day, profile: profile?, weekdays })
}

fn streams_of(streams: &At<StreamsFile>, profiles: &DayShapes, sites: &[Site], check: &mut Checker) -> Option<Demand> {
    let (at, file) = (streams.span(), streams.get_ref());
    let arrivals = arrivals(&file.per_1000, &file.profile, file.weekdays.as_ref(), &at, profiles, sites, check);
    let length = match &file.length {
        Some(law) => check.law(law),
        None => {
            check.missing(&at, "length", "a distribution of times, such as { exponential = \"135 s\" }");
            None
        }
    };
    let codec = codec(file.codec.as_ref(), &at, check);
    Some(Demand::Streams { arrivals: arrivals?, length: length?, codec: codec? })
}

fn staff_of(staff: &At<StaffFile>, profiles: &DayShapes, sites: &[Site], check: &mut Checker) -> Option<Demand> {
    let (at, file) = (staff.span(), staff.get_ref());
    let people = workstations(&file.per_1000, &at, sites, check);
    let activity = look_up(&file.activity, &at, "activity", &profiles.levels, "profile with `levels`", check);
    let weekdays = weekdays(file.weekdays.as_ref(), check);
    Some(Demand::Staff { people: people?, activity: activity?, weekdays })
}

fn steady_of(steady: &At<SteadyFile>, check: &mut Checker) -> Option<Demand> {
    let (at, file) = (steady.span(), steady.get_ref());
    let each = check.or(&file.each, Count(1)).0;
    if !(1..=10_000).contains(&each) {
        check.problems.add(file.each.span(), format!("{each} streams at each site"), "write 1 to 10000");
    }
    let codec = codec(file.codec.as_ref(), &at, check);
    Some(Demand::Steady { each: u32::try_from(each).ok()?, codec: codec? })
}

/// Codecs send packets of 2.5 ms of speech at least (Opus, RFC 6716).
const LEAST_INTERVAL: Duration = Duration(1_000_000);

fn codec(file: Option<&CodecFile>, at: &Range<usize>, check: &mut Checker) -> Option<Codec> {
    match file {
        None | Some(CodecFile::G711) => Some(Codec::G711),
        Some(CodecFile::G729) => Some(Codec::G729),
        Some(CodecFile::Packets { size, every: every_field, impairment, robustness }) => {
            let (packet, every) = (check.positive(size, at, "size"), check.positive(every_field, at, "every"));
            if every.is_some_and(|every| every < LEAST_INTERVAL) {
                check.problems.add(
                    every_field.span(),
                    "no codec sends packets that often",
                    "write 1 ms or more, such as \"20 ms\"",
                );
            }
            let usual = Codec::G711;
            let factor = |field: &Field<Number>, usual: f64, range: RangeInclusive<f64>, check: &mut Checker| {
                let factor = check.or(field, Number(usual)).0;
                if !range.contains(&factor) {
                    let help = format!("write {} to {}; ITU-T G.113 lists codecs", range.start(), range.end());
                    check.problems.add(field.span(), format!("a factor of {factor}"), help);
                }
                factor
            };
            let impairment = factor(impairment, usual.impairment, 0.0..=95.0, check);
            let robustness = factor(robustness, usual.robustness, 1.0..=100.0, check);
            packet.zip(every).map(|(packet, every)| Codec { packet, every, impairment, robustness, ..usual })
        }
    }
}

fn jobs_of(jobs: &At<JobsFile>, sites: &[Site], check: &mut Checker) -> Option<Demand> {
    let (at, file) = (jobs.span(), jobs.get_ref());
    let workstations = workstations(&file.per_1000, &at, sites, check);
    let share = check.or(&file.share, Share(1.0));
    let (from, until) = (check.required(&file.from, &at, "from"), check.required(&file.until, &at, "until"));
    let start = check.window(&file.from, &file.until, (TimeOfDay(0), TimeOfDay(DAY)));
    let peak = check.optional(&file.peak);
    within(peak, start, &file.peak, check);
    let mut weekdays = [file.weekdays.is_none(); 7];
    for day in file.weekdays.iter().flatten() {
        if let Some(day) = check.optional(day) {
            weekdays[usize::from(day.0)] = true;
        }
    }
    let powered = match (file.on.is_written(), file.off.is_written()) {
        (false, false) => None,
        _ => Some(check.window(&file.on, &file.off, (TimeOfDay(0), TimeOfDay(DAY)))),
    };
    let _ = (from?, until?);
    Some(Demand::Jobs { workstations: workstations?, share, start, peak, weekdays, powered })
}

/// A peak lies in its window.
pub(crate) fn within(
    peak: Option<TimeOfDay>,
    start: (TimeOfDay, TimeOfDay),
    field: &Field<TimeOfDay>,
    check: &mut Checker,
) {
    if peak.is_some_and(|peak| peak < start.0 || peak > start.1) {
        let help = format!("write a time from {} to {}", start.0, start.1);
        check.problems.add(field.span(), "the peak lies outside the window of starts", help);
    }
}

pub(crate) fn weekdays(table: Option<&At<Weekdays>>, check: &mut Checker) -> [f64; 7] {
    let Some(table) = table else { return [1.0; 7] };
    let days = table.get_ref();
    [&days.mon, &days.tue, &days.wed, &days.thu, &days.fri, &days.sat, &days.sun].map(|field| {
        let factor = check.or(field, Number(0.0)).0;
        if (0.0..=MAX_FACTOR).contains(&factor) {
            return factor;
        }
        let help = format!("write a factor from 0 to {MAX_FACTOR}; how much there is, `per_1000` says");
        check.problems.add(field.span(), format!("a day of the week with {factor} times as much"), help);
        1.0
    })
}

/// A day of the week has at most so many times as much as is written for a day.
const MAX_FACTOR: f64 = 100.0;

fn look_up<T: Clone>(
    field: &Field<Name>,
    at: &Range<usize>,
    key: &str,
    known: &BTreeMap<String, Option<T>>,
    what: &str,
    check: &mut Checker,
) -> Option<T> {
    let name = check.required(field, at, key)?;
    let Some(found) = known.get(&name.0) else {
        let help = did_you_mean(&name.0, known.keys().map(String::as_str));
        check.problems.add(field.span(), format!("there is no {what} of the name `{}`", name.0), help);
        return None;
    };
    found.clone()
}
