//! Any table with a time in one column and amounts in others: exports of graphs, sheets, and what a planner made.

use crate::scenario::problem::did_you_mean;
use crate::telemetry::clock::{DayOrder, Stamp, day_order, stamp};
use crate::telemetry::formats::names::{self, NamedKind};
use crate::telemetry::formats::sheet::SheetTable;
use crate::telemetry::formats::values::{named, step};
use crate::telemetry::number::{DecimalSign, Unit, decimal_sign, is_nothing, measured, number};
use crate::telemetry::reading::{ColumnRole, Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::{Amount, Toward};

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueColumn {
    /// Its place.
    pub column: usize,
    /// Where it was measured.
    pub place: String,
    /// The way.
    pub toward: Toward,
    /// What it counts; none for a number of things.
    pub unit: Option<Unit>,
    /// What it is of.
    pub kind: NamedKind,
    /// Whether it is a counter, and not what passed in each step.
    pub counts: bool,
}

impl ValueColumn {
    /// How much a value over so many seconds is; `own` is a unit that the value carries itself.
    #[must_use]
    pub fn amount(&self, value: f64, own: Option<Unit>, seconds: f64) -> Amount {
        let none = Amount::default();
        match (self.kind, own.or(self.unit)) {
            (NamedKind::Packets, _) => Amount { packets: Some(value), ..none },
            (NamedKind::Other, _) => none,
            (NamedKind::Highest, Some(unit)) => {
                Amount { highest: Some(unit.volume(value, seconds) * 8.0 / seconds), ..none }
            }
            (NamedKind::Traffic, Some(unit)) => Amount::of_bytes(unit.volume(value, seconds)),
            (NamedKind::Highest | NamedKind::Traffic, None) => Amount { count: Some(value), ..none },
        }
    }
}

/// Where a time stands in its step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampAt {
    /// At its beginning.
    Beginning,
    /// At its end.
    End,
}

/// The instants of a column of times.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn instants(table: &SheetTable, column: usize, context: &Context<'_>) -> Result<Vec<f64>, (u32, String, String)> {
    let Some(order) = day_order(&table.cells(column)) else {
        let (line, row) = &table.rows[0];
        let text = row.get(column).map_or("", String::as_str);
        let reads = [DayOrder::DayFirst, DayOrder::MonthFirst].map(|order| match stamp(text, order) {
            Some(Stamp::Local(time, _)) => time.strftime("%-d %B %Y").to_string(),
            _ => "no date".to_owned(),
        });
        let title = format!("`{text}` is {} or {}", reads[0], reads[1]);
        return Err((*line, title, "export a longer time, or with dates as 2026-04-20".to_owned()));
    };
    let mut stamps = Vec::with_capacity(table.rows.len());
    for (line, row) in &table.rows {
        let text = row.get(column).map_or("", String::as_str);
        match stamp(text, order) {
            Some(stamp) => stamps.push(stamp),
            None => {
                return Err((
                    *line,
                    format!("`{text}` is no time"),
                    "leave the line out, or write its time as 2026-04-20 08:00".to_owned(),
                ));
            }
        }
    }
    context.clock.instants(&stamps).map_err(|(place, what)| {
        (table.rows[place].0, what, "the file is in UTC, or in another zone: `--zone UTC`".to_owned())
    })
}

/// Readings of the value columns of a table.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn readings(
    table: &SheetTable,
    times: &[f64],
    at: StampAt,
    columns: &[ValueColumn],
    context: &Context<'_>,
) -> Result<Vec<Reading>, (u32, String, String)> {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    let step = step(&sorted).unwrap_or(300.0);
    let mut found = Vec::new();
    for column in columns {
        let cells = || table.cells(column.column).filter(|cell| !is_nothing(cell));
        let bare = |cell: &str| {
            cell.trim_end_matches(|letter: char| letter.is_alphabetic() || "/% ".contains(letter)).to_owned()
        };
        let texts: Vec<String> = cells().map(bare).collect();
        let Some(sign) = context.decimal.or_else(|| decimal_sign(texts.iter().map(String::as_str))) else {
            let (line, row) = table
                .rows
                .iter()
                .find(|(_, row)| row.get(column.column).is_some_and(|cell| cell.contains([',', '.'])))
                .unwrap_or(&table.rows[0]);
            let text = row.get(column.column).map_or("", String::as_str);
            let reads = [DecimalSign::Point, DecimalSign::Comma].map(|sign| number(&bare(text), sign).unwrap_or(0.0));
            let title = format!("`{text}` is {} or {}", reads[0], reads[1]);
            let help = "say which: `--decimal point`, `--decimal comma`; or export numbers without grouping";
            return Err((*line, title, help.to_owned()));
        };
        for ((line, row), time) in table.rows.iter().zip(times) {
            let text = row.get(column.column).map_or("", String::as_str);
            let value = if is_nothing(text) {
                None
            } else {
                number(text, sign)
                    .map(|value| (value, None))
                    .or_else(|| measured(text, sign).map(|(value, unit)| (value, Some(unit))))
            };
            let amount = value.map_or(Amount::default(), |(value, own)| column.amount(value, own, step));
            if value.is_none() && !is_nothing(text) {
                return Err((
                    *line,
                    format!("`{text}` is no number"),
                    "leave the line out, or export raw values".to_owned(),
                ));
            }
            let begins = if at == StampAt::End { time - step } else { *time };
            let kind = match (column.counts, value) {
                (true, None) => continue,
                (true, Some(_)) => {
                    ReadingKind::Counted { at: *time, amount, life: named(""), since: None, is_short: false }
                }
                (false, _) => ReadingKind::Passed { begins, seconds: step, amount, coverage: 1.0 },
            };
            found.push(Reading { place: named(&column.place), class: all(), toward: column.toward, line: *line, kind });
        }
    }
    Ok(found)
}

/// What a column is by its name; none where nothing of it can be used.
#[must_use]
pub fn by_name(column: usize, name: &str, unit: Option<Unit>, context: &Context<'_>) -> Option<ValueColumn> {
    let lower = name.to_lowercase();
    if ["ratio", "percent", "%", "latency", "loss", "jitter", "id"].iter().any(|word| lower.contains(word)) {
        return None;
    }
    let says = names::named(name, context.side);
    let is_packets = says.kind == NamedKind::Packets || lower.contains("packet") || lower.contains("pkt");
    let kind = if is_packets && says.kind == NamedKind::Traffic { NamedKind::Packets } else { says.kind };
    if kind == NamedKind::Other {
        return None;
    }
    let unit = if is_packets { None } else { says.unit.or(unit) };
    // A column of bytes, and not of bytes a second, is a volume.
    let is_volume = (lower.contains("octet") || lower.contains("byte"))
        && !lower.contains("/s")
        && !lower.contains("per")
        && !lower.ends_with("ps");
    let unit = unit.map(|unit| if is_volume { Unit { per_second: false, ..unit } } else { unit });
    let place = if unit.is_some() {
        says.place.filter(|place| !lower.starts_with("n_") && !place.is_empty())
    } else {
        Some(name.to_owned())
    };
    let place = place.filter(|_| !is_packets).unwrap_or_else(|| context.stem.to_owned());
    Some(ValueColumn { column, place, toward: says.toward.unwrap_or(Toward::Both), unit, kind, counts: false })
}

/// Names of columns that say where.
const PLACES: [&str; 20] = [
    "where",
    "place",
    "site",
    "tunnel",
    "interface",
    "ifname",
    "ifdescr",
    "ifalias",
    "host",
    "hostname",
    "device",
    "node",
    "name",
    "tags",
    "network",
    "peer",
    "branch",
    "practice",
    "location",
    "standort",
];

/// A table whose columns can be told by themselves: times, places in words, and amounts.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn read(text: &str, context: &Context<'_>) -> Result<Found, (u32, String, String)> {
    let mut table = SheetTable::of(text, 0);
    if !context.columns.is_empty() {
        return as_said(&table, context);
    }
    let Some(time) = (0..table.header.len()).find(|column| holds_times(&table, *column)) else {
        return Err((
            1,
            "no column of this table holds times".to_owned(),
            "give the table a column of times, such as 2026-04-20 08:00".to_owned(),
        ));
    };
    let time = join_clock(&mut table, time);
    let mut found = Found { format: "a table with a column of times", ..Found::default() };
    found.warnings.extend(drop_sums(&mut table, time));
    let others = (0..table.header.len()).filter(|column| *column != time);
    let (of_values, of_words): (Vec<usize>, Vec<usize>) = others.partition(|column| holds_values(&table, *column));
    let is_place = |column: &usize| PLACES.contains(&table.header[*column].to_lowercase().as_str());
    let (places, unused): (Vec<usize>, Vec<usize>) = of_words.into_iter().partition(is_place);
    let mut columns = Vec::new();
    for column in of_values {
        let name = &table.header[column];
        let Some(mut own) = by_name(column, name, context.unit, context) else {
            found.warnings.push(format!("`{name}` is of no traffic: left out"));
            continue;
        };
        own.counts = own.unit.is_some() && names::is_counter(name);
        if own.toward != Toward::Both
            && own.unit.is_none()
            && own.kind == NamedKind::Traffic
            && !says_unit(&table, column)
        {
            let help = "say what it counts: `--unit bit/s`, `--unit Mbit/s`, `--unit MB`";
            return Err((1, format!("nothing says in which unit `{name}` is"), help.to_owned()));
        }
        columns.push(own);
    }
    found
        .warnings
        .extend(unused.iter().map(|column| format!("`{}` holds no numbers: left out", table.header[*column])));
    for (place, part) in table.split_by(&places) {
        let times = instants(&part, time, context)?;
        for mut reading in readings(&part, &times, StampAt::Beginning, &columns, context)? {
            if !place.is_empty() {
                reading.place = named(&place);
            }
            found.readings.push(reading);
        }
    }
    let what = |column: &ValueColumn| {
        let unit = match (column.counts, column.unit) {
            (true, _) => "a counter of bytes",
            (false, Some(unit)) => unit.said(),
            (false, None) if column.kind == NamedKind::Packets => "packets",
            (false, None) => "numbers",
        };
        format!("{} ({unit})", table.header[column.column])
    };
    let names = columns.iter().map(what).collect::<Vec<_>>().join(", ");
    found.known = vec![
        format!("times in `{}`, each the beginning of its step; values in {names}", table.header[time]),
        context.clock.said(),
    ];
    Ok(found)
}

/// Whether a cell is a time, in whatever order its day and month are.
#[must_use]
pub fn is_stamp(cell: &str) -> bool {
    stamp(cell, DayOrder::DayFirst).or_else(|| stamp(cell, DayOrder::MonthFirst)).is_some()
}

/// Whether a column holds times, but for sums at the end of the table.
fn holds_times(table: &SheetTable, column: usize) -> bool {
    let first = table.cells(column).take(20).take_while(|cell| is_stamp(cell)).count();
    first > 0 && first + MOST_SUMS >= table.rows.len().min(20)
}

/// Sums and means below a table at most.
const MOST_SUMS: usize = 4;

/// Whether any cell of a column is a number or an amount with its unit.
#[must_use]
pub fn holds_values(table: &SheetTable, column: usize) -> bool {
    let is_value = |cell: &str| {
        let signs = [DecimalSign::Point, DecimalSign::Comma];
        signs.iter().any(|sign| number(cell, *sign).is_some() || measured(cell, *sign).is_some())
    };
    let mut cells = table.cells(column).filter(|cell| !is_nothing(cell)).peekable();
    cells.peek().is_none() || cells.any(is_value)
}

/// Whether the cells of a column carry their unit.
fn says_unit(table: &SheetTable, column: usize) -> bool {
    table.cells(column).any(|cell| measured(cell, DecimalSign::Point).is_some())
}

/// Puts the time of day, where it has a column of its own, beside the date, and takes that column out; says where the times are then.
fn join_clock(table: &mut SheetTable, date: usize) -> usize {
    let is_clock =
        |cell: &str| cell.contains(':') && !cell.contains(['-', '/']) && is_stamp(&format!("2026-01-01 {cell}"));
    let clock = (0..table.header.len())
        .find(|column| *column != date && table.rows.len() > 1 && table.cells(*column).take(2).all(is_clock));
    // A sheet writes a date as its midnight.
    let day = |cell: &str| {
        cell.trim_end_matches(".000")
            .strip_suffix("00:00:00")
            .map_or(cell, |day| day.trim_end_matches(['T', ' ']))
            .to_owned()
    };
    let Some(clock) = clock.filter(|_| table.cells(date).take(20).all(|cell| !day(cell).contains(':'))) else {
        return date;
    };
    table.header.remove(clock);
    for (_, row) in table.rows.iter_mut().filter(|(_, row)| row.len() > clock.max(date)) {
        let time = row[clock].clone();
        let whole = format!("{} {time}", day(&row[date]));
        row[date] = whole;
        row.remove(clock);
    }
    date - usize::from(clock < date)
}

/// Drops the rows below a table that have no time: sums and means. Says so.
fn drop_sums(table: &mut SheetTable, time: usize) -> Option<String> {
    let is_sum = |row: &(u32, Vec<String>)| !row.1.get(time).is_some_and(|cell| is_stamp(cell));
    let last = table.rows.iter().rposition(|row| !is_sum(row)).map_or(0, |last| last + 1);
    if last == table.rows.len() || table.rows.len() - last > MOST_SUMS {
        return None;
    }
    let dropped = table.rows.split_off(last);
    let cells = dropped.iter().map(|(_, row)| row.get(time).map_or("", String::as_str)).collect::<Vec<_>>();
    Some(format!("rows below the table without a time are left out: {}", cells.join(", ")))
}

/// A table of which the user says what its columns are.
fn as_said(table: &SheetTable, context: &Context<'_>) -> Result<Found, (u32, String, String)> {
    let column = |name: &str| -> Result<usize, (u32, String, String)> {
        table.column(|own| own == name.to_lowercase()).ok_or_else(|| {
            let help = did_you_mean(name, table.header.iter().map(String::as_str));
            (1, format!("this table has no column `{name}`"), help)
        })
    };
    let of = |role: ColumnRole| -> Result<Option<usize>, (u32, String, String)> {
        let said = context.columns.iter().find(|(own, _)| *own == role);
        said.map(|(_, name)| column(name)).transpose()
    };
    let Some(time) = of(ColumnRole::Time)? else {
        let help = "say which column holds the times: `--columns time=NAME,down=NAME`".to_owned();
        return Err((1, "`--columns` names no column of times".to_owned(), help));
    };
    let (place, class) = (of(ColumnRole::Place)?, of(ColumnRole::Class)?);
    let mut columns = Vec::new();
    for (role, name) in context.columns {
        let (toward, kind) = match role {
            ColumnRole::Passed(toward) => (*toward, NamedKind::Traffic),
            ColumnRole::Packets => (Toward::Both, NamedKind::Packets),
            _ => continue,
        };
        let column = column(name)?;
        let unit = by_name(column, name, context.unit, context).and_then(|own| own.unit).or(context.unit);
        columns.push(ValueColumn { column, place: context.stem.to_owned(), toward, unit, kind, counts: false });
    }
    // Rows of several places follow each other: the step is that of one.
    let key = |row: &[String]| [place, class].map(|at| at.and_then(|at| row.get(at).cloned()).unwrap_or_default());
    let mut found = Found { format: "a table with columns as you said", ..Found::default() };
    for ([place, class], part) in table.split(key) {
        let times = instants(&part, time, context)?;
        for mut reading in readings(&part, &times, StampAt::Beginning, &columns, context)? {
            if !place.is_empty() {
                reading.place = named(&place);
            }
            if !class.is_empty() {
                reading.class = named(&class);
            }
            found.readings.push(reading);
        }
    }
    let units = columns.iter().map(|own| own.unit.map_or("numbers", Unit::said)).collect::<Vec<_>>().join(", ");
    found.known = vec![format!("times stand at the beginning of their step; values are {units}"), context.clock.said()];
    Ok(found)
}
