//! What was counted, on the time axis of a scenario: by run of days, and by interval.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::model::{Calendar, Counts, Model};
use crate::scenario::problem::did_you_mean;
use crate::telemetry::series::{Amount, RowState, SeriesRow, Toward};
use crate::units::{Duration, NANOS, TimeOfDay};

/// A thing that was counted: what passes a concentrator, of one class or of all.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// The concentrator's place in the model.
    pub concentrator: usize,
    /// The class's place in the model; none for all together.
    pub class: Option<usize>,
    /// Where it was counted, as the series calls it.
    pub place: String,
}

/// What was counted on each day, by interval.
pub type DaysCounted = BTreeMap<Date, Vec<Option<f64>>>;

/// What was counted in a run of days.
#[derive(Clone, Debug, PartialEq)]
pub struct ObservedRun {
    /// Its first day.
    pub date: Date,
    /// By thing and interval [bit]; none where it is not known.
    pub passed: Vec<Vec<Option<f64>>>,
    /// By thing and interval: whether the series marks it as full.
    pub full: Vec<Vec<bool>>,
}

impl ObservedRun {
    /// The share of its intervals that are known.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // intervals of a run
    pub fn coverage(&self) -> f64 {
        let all = self.passed.iter().map(Vec::len).sum::<usize>().max(1);
        self.passed.iter().flatten().flatten().count() as f64 / all as f64
    }
}

/// A series on the axis of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Length of an interval.
    pub interval: Duration,
    /// The things.
    pub things: Vec<Counted>,
    /// Every run that the series holds in part at least, from each of its days on, by date.
    pub runs: Vec<ObservedRun>,
}

impl Observed {
    /// What all of it together was on each day that a run of one day begins with: totals where there are any, else classes [bit].
    #[must_use]
    pub fn by_day(&self) -> DaysCounted {
        let has_total = self.things.iter().any(|thing| thing.class.is_none());
        let is_counted = |thing: &Counted| !has_total || thing.class.is_none();
        let of_run = |run: &ObservedRun| {
            let own = self.things.iter().zip(&run.passed).filter(|(thing, _)| is_counted(thing));
            (run.date, own.map(|(_, passed)| passed.clone()).reduce(together).unwrap_or_default())
        };
        self.runs.iter().map(of_run).collect()
    }

    /// The runs that begin on the weekday of the scenario, and are known for the most part.
    #[must_use]
    pub fn of_weekday(&self, calendar: &Calendar) -> Vec<&ObservedRun> {
        let own = |run: &&ObservedRun| weekday(run.date) == calendar.weekday && run.coverage() >= LEAST_COVERAGE;
        self.runs.iter().filter(own).collect()
    }
}

/// A run of which less is known is not used.
pub const LEAST_COVERAGE: f64 = 0.8;

/// The weekday of a date (0 = Monday).
#[must_use]
#[allow(clippy::cast_sign_loss)] // 0 to 6
pub fn weekday(date: Date) -> u8 {
    date.weekday().to_monday_zero_offset() as u8
}

/// How a series is laid beside a scenario.
#[derive(Clone, Debug)]
pub struct Alignment {
    /// The zone in which the scenario's clock runs.
    pub zone: TimeZone,
    /// Places of the series by the concentrator that they are.
    pub places: BTreeMap<String, String>,
}

/// Lays a series on the axis of a scenario.
///
/// # Errors
/// If it cannot be told which of its places is a concentrator, or nothing falls into the scenario's hours.
pub fn align(rows: &[SeriesRow], model: &Model, terms: &Alignment) -> Result<Observed, String> {
    let (things, rows) = things(rows, model, terms)?;
    let interval = interval(&rows);
    let runs = dates(&rows, &terms.zone).into_iter().filter_map(|date| {
        let layout = Layout { date, calendar: &model.calendar, interval, zone: &terms.zone };
        let both: Vec<(Vec<Option<f64>>, Vec<bool>)> = rows.iter().map(|rows| layout.of_thing(rows)).collect();
        let (passed, full): (Vec<_>, Vec<_>) = both.into_iter().unzip();
        let run = ObservedRun { date, passed, full };
        (run.coverage() > 0.0).then_some(run)
    });
    let runs: Vec<ObservedRun> = runs.collect();
    if let Some(what) = too_much(&things, &runs, interval, model) {
        return Err(what);
    }
    if runs.is_empty() {
        let help = "the scenario's hours are those of `from` and `until` in [run], in the zone of `--zone`";
        return Err(format!("nothing in this series lies in the hours of the scenario\n  = help: {help}"));
    }
    Ok(Observed { interval, things, runs })
}

/// What a device could not carry by far: the unit is another one, or the place.
fn too_much(things: &[Counted], runs: &[ObservedRun], interval: Duration, model: &Model) -> Option<String> {
    /// A throughput that is assumed may be wrong by less than this.
    const FAR: f64 = 2.0;
    things.iter().enumerate().filter(|(_, thing)| thing.class.is_none()).find_map(|(place, thing)| {
        let device = &model.concentrators[thing.concentrator];
        let most = runs.iter().flat_map(|run| &run.passed[place]).flatten().fold(0.0, |most: f64, bits| most.max(*bits));
        let (rate, carries) = (most / interval.secs(), device.carries().0);
        (rate > FAR * carries.bits()).then(|| {
            format!(
                "{:.0} Mbit/s were counted at `{}`, and the concentrator `{}` carries {}\n  = help: the unit of the series, or the \
                 place, is another one; or the throughput is",
                rate / 1e6,
                thing.place,
                device.name,
                carries
            )
        })
    })
}

/// Why a day is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusedDay {
    /// The day.
    pub date: Date,
    /// Why, in a clause.
    pub why: &'static str,
}

/// The runs without those of holidays, and of days unlike all others: a scenario of a usual day says nothing of them.
#[must_use]
#[allow(clippy::cast_precision_loss)] // intervals
pub fn usual(runs: Vec<&ObservedRun>, is_holiday: impl Fn(Date) -> bool) -> (Vec<&ObservedRun>, Vec<UnusedDay>) {
    /// Days of others that are needed to call one unlike them, and how far it is from them then.
    const LEAST: usize = 2;
    const UNLIKE: f64 = 0.5;
    let (holidays, rest): (Vec<_>, Vec<_>) = runs.into_iter().partition(|run| is_holiday(run.date));
    let level = |run: &ObservedRun| {
        let known = run.passed.iter().flatten().flatten();
        known.clone().sum::<f64>() / known.count().max(1) as f64
    };
    let is_unlike = |run: &&ObservedRun| {
        let others: Vec<f64> = rest.iter().filter(|other| other.date != run.date).map(|other| level(other)).collect();
        let middle = crate::stats::quantile(&others, 0.5);
        others.len() >= LEAST && !(UNLIKE * middle..middle / UNLIKE).contains(&level(run))
    };
    let (unlike, kept): (Vec<&ObservedRun>, Vec<&ObservedRun>) = rest.iter().copied().partition(is_unlike);
    let mut unused: Vec<UnusedDay> =
        holidays.iter().map(|run| UnusedDay { date: run.date, why: "a holiday" }).collect();
    unused.extend(unlike.iter().map(|run| UnusedDay { date: run.date, why: "unlike all other days" }));
    unused.sort_by_key(|day| day.date);
    (kept, unused)
}

/// The rows of a thing, by direction, in the order of time.
type ThingRows<'a> = BTreeMap<Toward, Vec<&'a SeriesRow>>;

fn things<'a>(
    rows: &'a [SeriesRow],
    model: &Model,
    terms: &Alignment,
) -> Result<(Vec<Counted>, Vec<ThingRows<'a>>), String> {
    let mut by_thing: BTreeMap<(usize, Option<usize>, Arc<str>), ThingRows<'a>> = BTreeMap::new();
    let places = places(rows, model, terms)?;
    for row in rows {
        let Some(&concentrator) = places.get(&*row.place) else { continue };
        if row.amount.bytes.is_none() && row.state == RowState::Ok {
            continue;
        }
        // Where only what goes to the sites uses the throughput up, only that is compared.
        if model.concentrators[concentrator].counts != Counts::Both && row.toward == Toward::Up {
            continue;
        }
        let class = match &*row.class {
            "all" => None,
            name => Some(class(name, model)?),
        };
        by_thing.entry((concentrator, class, row.place.clone())).or_default().entry(row.toward).or_default().push(row);
    }
    for ((concentrator, class, place), rows) in &mut by_thing {
        // A total beside its ways is the same again.
        if rows.len() > 1 {
            rows.remove(&Toward::Both);
        }
        let only = rows.keys().next().copied().filter(|way| rows.len() == 1 && *way != Toward::Both);
        let device = &model.concentrators[*concentrator];
        if let (Some(only), Counts::Both, None) = (only, device.counts, class) {
            let name = &device.name;
            return Err(format!(
                "`{place}` has only what goes {}, and the throughput of `{name}` counts both ways\n  = help: give the other way, \
                 too; or write `counts = \"down\"` where only what goes to the sites uses it up",
                only.name()
            ));
        }
    }
    for rows in by_thing.values_mut().flat_map(BTreeMap::values_mut) {
        rows.sort_by(|a, b| a.begins.total_cmp(&b.begins));
    }
    if by_thing.is_empty() {
        return Err("this series has no bytes at any concentrator of the scenario".to_owned());
    }
    let named = |(concentrator, class, place): (usize, Option<usize>, Arc<str>)| Counted {
        concentrator,
        class,
        place: place.to_string(),
    };
    let (things, rows): (Vec<_>, Vec<_>) = by_thing.into_iter().map(|(key, rows)| (named(key), rows)).unzip();
    let twice = things.iter().enumerate().find(|(at, thing)| {
        things[..*at].iter().any(|other| other.concentrator == thing.concentrator && other.class == thing.class)
    });
    if let Some((_, twice)) = twice {
        let concentrator = &model.concentrators[twice.concentrator].name;
        let help = format!("name the one that counts: `--place {}={concentrator}`", twice.place);
        return Err(format!("several places of the series are the concentrator `{concentrator}`\n  = help: {help}"));
    }
    Ok((things, rows))
}

/// Which place of the series is which concentrator.
fn places(rows: &[SeriesRow], model: &Model, terms: &Alignment) -> Result<BTreeMap<String, usize>, String> {
    let mut names: Vec<&str> = rows.iter().map(|row| &*row.place).collect();
    names.sort_unstable();
    names.dedup();
    let known: Vec<&str> = model.concentrators.iter().map(|device| device.name.as_str()).collect();
    let place_of = |concentrator: &str| known.iter().position(|name| *name == concentrator);
    let mut places = BTreeMap::new();
    for (place, concentrator) in &terms.places {
        if !names.contains(&place.as_str()) {
            return Err(format!(
                "the series has no place `{place}`\n  = help: {}",
                did_you_mean(place, names.iter().copied())
            ));
        }
        let Some(at) = place_of(concentrator) else {
            let help = did_you_mean(concentrator, known.iter().copied());
            return Err(format!("the scenario has no concentrator `{concentrator}`\n  = help: {help}"));
        };
        places.insert(place.clone(), at);
    }
    if places.is_empty() {
        places.extend(names.iter().filter_map(|name| Some(((*name).to_owned(), place_of(name)?))));
    }
    if let ([only], [_], true) = (names.as_slice(), known.as_slice(), places.is_empty()) {
        places.insert((*only).to_owned(), 0);
    }
    if names.is_empty() {
        return Err("this series has no rows\n  = help: export it again, or import it with `headend import`".to_owned());
    }
    if places.is_empty() {
        let several = names.iter().take(6).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let help = format!("say which is which: `--place {}={}`", names.first().unwrap_or(&"hub"), known[0]);
        return Err(format!("it cannot be told which of {several} is a concentrator\n  = help: {help}"));
    }
    Ok(places)
}

fn class(name: &str, model: &Model) -> Result<usize, String> {
    model.classes.iter().position(|class| class.name == name).ok_or_else(|| {
        let help = did_you_mean(name, model.classes.iter().map(|class| class.name.as_str()));
        format!("the scenario has no class `{name}`, which this series has\n  = help: {help}")
    })
}

/// What was counted on each date within some hours, by interval: bytes of all places together [bit], or whatever else was counted
/// where there are no bytes.
#[must_use]
pub fn by_day(rows: &[SeriesRow], zone: &TimeZone, (from, until): (TimeOfDay, TimeOfDay)) -> DaysCounted {
    let has_bytes = rows.iter().any(|row| row.amount.bytes.is_some());
    let counted: Vec<SeriesRow> = rows
        .iter()
        .map(|row| {
            let bytes = if has_bytes { row.amount.bytes } else { row.amount.count.map(|count| count / 8.0) };
            SeriesRow { amount: Amount { bytes, ..Amount::default() }, ..row.clone() }
        })
        .collect();
    let mut by_thing: BTreeMap<(&str, &str), ThingRows<'_>> = BTreeMap::new();
    let counts: BTreeSet<&str> =
        counted.iter().filter(|row| row.amount.bytes.is_some()).map(|row| &*row.place).collect();
    for row in counted.iter().filter(|row| counts.contains(&*row.place)) {
        by_thing.entry((&row.place, &row.class)).or_default().entry(row.toward).or_default().push(row);
    }
    let has_total = |place: &str| by_thing.contains_key(&(place, "all"));
    let things: Vec<ThingRows<'_>> = by_thing
        .iter()
        .filter(|((place, class), _)| *class == "all" || !has_total(place))
        .map(|(_, rows)| {
            let mut rows = rows.clone();
            for rows in rows.values_mut() {
                rows.sort_by(|a, b| a.begins.total_cmp(&b.begins));
            }
            rows
        })
        .collect();
    let interval = interval(&things);
    let calendar = Calendar { from, until, ..Calendar::default() };
    let day = |date: Date| {
        let layout = Layout { date, calendar: &calendar, interval, zone };
        let each = things.iter().map(|rows| layout.of_thing(rows).0);
        each.reduce(together).unwrap_or_default()
    };
    let days = dates(&things, zone).into_iter().map(|date| (date, day(date)));
    days.filter(|(_, counted): &(Date, Vec<Option<f64>>)| counted.iter().any(Option::is_some)).collect()
}

/// Two things together, where both are known.
fn together(a: Vec<Option<f64>>, b: Vec<Option<f64>>) -> Vec<Option<f64>> {
    a.into_iter().zip(b).map(|(a, b)| Some(a? + b?)).collect()
}

/// The usual length of the series' intervals, a minute at least, in whole seconds.
fn interval(rows: &[ThingRows<'_>]) -> Duration {
    let all = rows.iter().flat_map(BTreeMap::values).flatten();
    let mut lengths: Vec<f64> = all.filter(|row| row.state != RowState::Gap).map(|row| row.seconds).collect();
    lengths.sort_by(f64::total_cmp);
    let usual = lengths.get(lengths.len() / 2).copied().unwrap_or(300.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a minute to a day
    let seconds = usual.round().clamp(60.0, 86_400.0) as u64;
    Duration(seconds * NANOS)
}

/// The local dates on which anything was counted.
fn dates(rows: &[ThingRows<'_>], zone: &TimeZone) -> Vec<Date> {
    let mut dates: Vec<Date> = rows
        .iter()
        .flat_map(BTreeMap::values)
        .flatten()
        .filter_map(|row| Some(timestamp(row.begins)?.to_zoned(zone.clone()).date()))
        .collect();
    dates.sort_unstable();
    dates.dedup();
    dates
}

fn timestamp(at: f64) -> Option<Timestamp> {
    #[allow(clippy::cast_possible_truncation)] // milliseconds of this age
    Timestamp::from_millisecond((at * 1e3).round() as i64).ok()
}

/// A run of days as it lies in time.
struct Layout<'a> {
    date: Date,
    calendar: &'a Calendar,
    interval: Duration,
    zone: &'a TimeZone,
}

impl Layout<'_> {
    /// The intervals of a thing: how much passed, where it is known, and whether it was full.
    fn of_thing(&self, rows: &ThingRows<'_>) -> (Vec<Option<f64>>, Vec<bool>) {
        let mut whole: Option<(Vec<Option<f64>>, Vec<bool>)> = None;
        for rows in rows.values() {
            let own = self.of_rows(rows);
            whole = Some(match whole {
                None => own,
                Some((passed, full)) => {
                    (together(passed, own.0), full.iter().zip(&own.1).map(|(a, b)| *a || *b).collect())
                }
            });
        }
        whole.unwrap_or_default()
    }

    fn of_rows(&self, rows: &[&SeriesRow]) -> (Vec<Option<f64>>, Vec<bool>) {
        let (mut passed, mut full) = (Vec::new(), Vec::new());
        for day in 0..self.calendar.days {
            let hours = Duration(self.calendar.until.0 - self.calendar.from.0);
            let count = hours.0.div_ceil(self.interval.0);
            let opens = self.instant(day);
            for place in 0..count {
                let Some(opens) = opens else {
                    passed.push(None);
                    full.push(false);
                    continue;
                };
                let begins = opens + Duration(place * self.interval.0).secs();
                let ends = opens + Duration(((place + 1) * self.interval.0).min(hours.0)).secs();
                let (amount, is_full) = within(rows, begins, ends);
                passed.push(amount);
                full.push(is_full);
            }
        }
        (passed, full)
    }

    /// When the simulated hours of a day begin [s since 1970].
    fn instant(&self, day: u32) -> Option<f64> {
        let date = self.date.checked_add(i64::from(day).days()).ok()?;
        instant(date, self.calendar.from, self.zone)
    }
}

/// The instant of a time of day on a date [s since 1970].
#[must_use]
#[allow(clippy::cast_precision_loss, clippy::cast_possible_wrap)] // seconds of this age, of a day
pub fn instant(date: Date, clock: TimeOfDay, zone: &TimeZone) -> Option<f64> {
    let local = date.at(0, 0, 0, 0).checked_add((clock.0 as i64).nanoseconds()).ok()?;
    let at = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    Some(at.as_millisecond() as f64 / 1e3)
}

/// What passed between two instants [bit], where rows cover them, and whether any of them is marked as full.
fn within(rows: &[&SeriesRow], begins: f64, ends: f64) -> (Option<f64>, bool) {
    /// What lies between intervals by rounding.
    const SLACK: f64 = 0.01;
    let from = rows.partition_point(|row| row.ends() <= begins);
    let (mut covered, mut bits, mut full) = (0.0, 0.0, false);
    for row in rows[from..].iter().take_while(|row| row.begins < ends) {
        let is_known =
            matches!(row.state, RowState::Ok | RowState::Full) || row.state == RowState::Partial && row.coverage >= 0.5;
        let Some(bytes) = row.amount.bytes.filter(|_| is_known && row.seconds > 0.0) else { continue };
        let shared = row.ends().min(ends) - row.begins.max(begins);
        covered += shared;
        bits += bytes * 8.0 * shared / row.seconds;
        full |= row.state == RowState::Full;
    }
    ((covered >= (ends - begins) * (1.0 - SLACK)).then_some(bits), full)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fault: a bank holiday among Mondays is fitted to as if it were one.
    #[test]
    fn holidays_and_days_unlike_all_others_are_not_used() {
        let run = |day: i8, bits: f64| ObservedRun {
            date: Date::constant(2026, 4, day),
            passed: vec![vec![Some(bits), None]],
            full: vec![vec![false; 2]],
        };
        let runs = [run(6, 20.0), run(13, 100.0), run(20, 130.0), run(27, 90.0), run(28, 30.0)];
        let (kept, unused) = usual(runs.iter().collect(), |date| date.day() == 6);
        assert_eq!(kept.iter().map(|run| run.date.day()).collect::<Vec<_>>(), [13, 20, 27]);
        assert_eq!(
            unused.iter().map(|day| (day.date.day(), day.why)).collect::<Vec<_>>(),
            [(6, "a holiday"), (28, "unlike all other days")]
        );
        let (two, _) = usual(runs[..2].iter().collect(), |_| false);
        assert_eq!(two.len(), 2, "of two days nobody knows which one is unlike the other");
    }
}
