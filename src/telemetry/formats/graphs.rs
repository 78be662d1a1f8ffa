//! Tables that graphing tools export: Cacti, PRTG, Grafana, SolarWinds, InfluxDB, MRTG.

use std::collections::BTreeMap;

use crate::telemetry::clock::{DayOrder, Stamp, stamp};
use crate::telemetry::formats::columns::{self, StampAt, ValueColumn};
use crate::telemetry::formats::names::{self, Named, NamedKind};
use crate::telemetry::formats::sheet::SheetTable;
use crate::telemetry::formats::values::{named, rises, step};
use crate::telemetry::number::{DecimalSign, Unit, decimal_sign, is_nothing, number};
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::{Amount, Toward};

/// A fault of a line: what is wrong, and the remedy.
pub type LineFault = (u32, String, String);

/// Cacti's export of a graph: a preamble, an empty line, a table. Its labels are in the language of the interface, its dates in the
/// server's local time.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn cacti(text: &str, context: &Context<'_>) -> Result<Found, LineFault> {
    let lines: Vec<&str> = text.lines().collect();
    let cells = |line: &str| line.trim_matches('"').split("\",\"").map(str::to_owned).collect::<Vec<_>>();
    let empty = lines.iter().position(|line| ["", "\"\""].contains(&line.trim())).unwrap_or(0);
    // In the order of Cacti's source: title, vertical label, start, end, step.
    let value = |place: usize| lines.get(place).and_then(|line| cells(line).get(1).cloned()).unwrap_or_default();
    let (title, label) = (value(0), value(1));
    let says = names::named(&label, context.side);
    let unit = says.unit.or(context.unit).unwrap_or(Unit::BITS);
    let table = SheetTable::of(text, empty + 1);
    let place = if title.is_empty() { context.stem.to_owned() } else { title };
    let says: Vec<Named> = table.header.iter().skip(1).map(|name| names::named(name, context.side)).collect();
    // A graph of several interfaces names them in its columns.
    let is_of_several = says.iter().any(|one| one.place != says[0].place);
    let columns: Vec<ValueColumn> = (1..)
        .zip(says)
        .map(|(column, says)| ValueColumn {
            column,
            place: says.place.filter(|_| is_of_several).unwrap_or_else(|| place.clone()),
            toward: says.toward.unwrap_or(Toward::Both),
            unit: Some(Unit { per_second: true, ..unit }),
            kind: says.kind,
            counts: false,
        })
        .filter(|column| column.kind != NamedKind::Other)
        .collect();
    let times = columns::instants(&table, 0, context)?;
    let readings = columns::readings(&table, &times, StampAt::End, &columns, context)?;
    let known = vec![
        format!("values are {}, by the vertical label \u{201c}{label}\u{201d}", unit.said()),
        format!("times stand at the end of their step; {}", context.clock.said()),
        context.side.said(),
    ];
    Ok(Found { format: "Cacti, export of a graph", known, readings, ..Found::default() })
}

/// Words of PRTG for what passed in a step, in the languages of its interface.
const VOLUME: [&str; 5] = ["(volume)", "(volumen)", "(volume total)", "(volum)", "(hacim)"];
/// Its words for the share of a step that was measured.
const COVERAGE: [&str; 7] =
    ["coverage", "abdeckung", "couverture", "cobertura", "dekking", "copertura", "t\u{e4}ckning"];

/// Whether a line names PRTG's columns of volumes.
#[must_use]
pub fn is_prtg(line: &str) -> bool {
    let lower = line.to_lowercase();
    VOLUME.iter().any(|word| lower.contains(&format!("{word}\"")) || lower.contains(&format!("{word}(raw)")))
}

/// PRTG's historic data: columns in the language of the server, beside each a raw one unless they were left out.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn prtg(text: &str, context: &Context<'_>) -> Result<Found, LineFault> {
    let first = usize::from(text.trim_start_matches('\u{feff}').starts_with("sep="));
    let mut table = SheetTable::of(text, first);
    let is_raw = table.column(|name| name.ends_with("(raw)")).is_some();
    let ends = if is_raw { "(raw)" } else { "" };
    let plain =
        |column: usize| table.header[column].to_lowercase().strip_suffix(ends).map(|name| name.trim().to_owned());
    let volume = |column: usize| -> Option<(usize, Toward)> {
        let name = plain(column)?;
        let word = VOLUME.iter().find(|word| name.ends_with(**word))?;
        let says = names::named(name.trim_end_matches(word), context.side);
        // The total is the sum of the others, and errors are no traffic.
        Some((column, says.toward.filter(|_| says.kind == NamedKind::Traffic)?))
    };
    let volumes: Vec<(usize, Toward)> = (0..table.header.len()).filter_map(volume).collect();
    let is_coverage =
        |column: &usize| plain(*column).is_some_and(|name| COVERAGE.iter().any(|word| name.starts_with(word)));
    let coverage = (0..table.header.len()).rev().find(is_coverage);
    let ways: Vec<Toward> = volumes.iter().map(|(_, toward)| *toward).collect();
    if !(ways.contains(&Toward::Up) && ways.contains(&Toward::Down)) {
        let names = table.header.join(", ");
        let title = format!("not both ways are known among the columns {names}");
        let help = "export it with the interface in English, or name the columns: `--columns time=..,up=..,down=..`";
        return Err((1, title, help.to_owned()));
    }
    let begins = if is_raw { raw_times(&mut table) } else { shown_times(&mut table, context)? };
    let mut instants = begins.clone();
    instants.sort_by(f64::total_cmp);
    let seconds = step(&instants).map_or(300.0, f64::round);
    let mut found = Found { format: "PRTG, historic data", ..Found::default() };
    for (column, toward) in volumes {
        for ((line, row), begins) in table.rows.iter().zip(&begins) {
            let cell = |column: usize| row.get(column).map_or("", String::as_str);
            let share = |column: usize| {
                if is_raw {
                    raw(cell(column)).map(|raw| raw / 10_000.0)
                } else {
                    shown(cell(column)).map(|(percent, _)| percent / 100.0)
                }
            };
            let bytes = if is_raw { raw(cell(column)) } else { shown(cell(column)).map(|(value, unit)| value * unit) };
            let kind = ReadingKind::Passed {
                begins: begins.round(),
                seconds,
                amount: bytes.map_or(Amount::default(), Amount::of_bytes),
                coverage: coverage.and_then(share).unwrap_or(1.0),
            };
            found.readings.push(Reading { place: named(context.stem), class: all(), toward, line: *line, kind });
        }
    }
    found.known = if is_raw {
        vec![
            "bytes from the columns (RAW), which have no decimal sign to mistake; raw times are days in UTC".to_owned(),
        ]
    } else {
        vec!["volumes as PRTG shows them, a KByte of 1,024 bytes, thousands grouped".to_owned(), context.clock.said()]
    };
    found.known.push(context.side.said());
    Ok(found)
}

/// A raw value.
fn raw(cell: &str) -> Option<f64> {
    cell.parse().ok()
}

/// A number with its unit as PRTG shows it, and bytes of the unit; percent have 1. PRTG groups thousands: what could be a part is none.
fn shown(cell: &str) -> Option<(f64, f64)> {
    let cell = cell.trim().trim_start_matches(['<', '>']).trim();
    let end = cell.find(|letter: char| letter.is_alphabetic() || letter == '%')?;
    let group = if cell.contains(',') { DecimalSign::Point } else { DecimalSign::Comma };
    let value = number(&cell[..end], decimal_sign(std::iter::once(cell[..end].trim())).unwrap_or(group))?;
    Some((value, Unit::named(&cell[end..]).map_or(1.0, |unit| unit.bytes)))
}

/// The instants of raw times, days since 30 December 1899 in UTC; rows without one are sums, and leave the table.
fn raw_times(table: &mut SheetTable) -> Vec<f64> {
    let time = table.column(|name| name.ends_with("(raw)")).unwrap_or(0);
    let at = |row: &[String]| Some((raw(row.get(time)?)? - 25_569.0) * 86_400.0);
    table.rows.retain(|(_, row)| at(row).is_some());
    // PRTG rounds them to some milliseconds.
    table.rows.iter().filter_map(|(_, row)| at(row)).map(|at| (at * 10.0).round() / 10.0).collect()
}

/// The instants of times as PRTG shows them, `BEGINNING - END`; rows without one are sums, and leave the table.
fn shown_times(table: &mut SheetTable, context: &Context<'_>) -> Result<Vec<f64>, LineFault> {
    for (_, row) in &mut table.rows {
        if let Some(cell) = row.first_mut() {
            *cell = cell.split(" - ").next().unwrap_or("").to_owned();
        }
    }
    table.rows.retain(|(_, row)| row.first().is_some_and(|cell| columns::is_stamp(cell)));
    if table.rows.is_empty() {
        return Err((1, "no row of PRTG's table has a time".to_owned(), "export it with raw values".to_owned()));
    }
    columns::instants(table, 0, context)
}

/// PRTG Traffic Grapher's log of a sensor.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn traffic_grapher(text: &str, context: &Context<'_>) -> Result<Found, LineFault> {
    let table = SheetTable::of(text, 0);
    let at = |name: &str| table.column(|other| other == name);
    let columns = ["date", "time", "bytes_in", "bytes_out"].map(at);
    let [Some(date), Some(time), Some(received), Some(sent)] = columns else {
        return Err((1, "a column of the log is missing".to_owned(), "export it again, whole".to_owned()));
    };
    let mut stamps = Vec::new();
    for (line, row) in &table.rows {
        let cell = |column: usize| row.get(column).map_or("", String::as_str);
        match stamp(&format!("{} {}", cell(date), cell(time)), DayOrder::DayFirst) {
            Some(stamp) => stamps.push(stamp),
            None => return Err((*line, "no time".to_owned(), "leave the line out".to_owned())),
        }
    }
    let times = context.clock.instants(&stamps);
    let times = times.map_err(|(place, what)| (table.rows[place].0, what, "write `--zone UTC`".to_owned()))?;
    let mut found = Found { format: "PRTG Traffic Grapher, log of a sensor", ..Found::default() };
    // The first has no beginning.
    for (place, pair) in times.windows(2).enumerate() {
        let (line, row) = &table.rows[place + 1];
        for (column, toward) in [(received, context.side.received()), (sent, context.side.sent())] {
            let bytes = row.get(column).and_then(|cell| cell.parse::<f64>().ok());
            let kind = ReadingKind::Passed {
                begins: pair[0],
                seconds: pair[1] - pair[0],
                amount: bytes.map_or(Amount::default(), Amount::of_bytes),
                coverage: 1.0,
            };
            found.readings.push(Reading { place: named(context.stem), class: all(), toward, line: *line, kind });
        }
    }
    found.known = vec![
        "bytes since the line before, so that the first line has no interval".to_owned(),
        context.clock.said(),
        context.side.said(),
    ];
    Ok(found)
}

/// Grafana's CSV: series joined by time, one series, or the old list of `Series;Time;Value`.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn grafana(text: &str, context: &Context<'_>) -> Result<Found, LineFault> {
    let first = usize::from(text.trim_start_matches('\u{feff}').starts_with("sep="));
    let table = SheetTable::of(text, first);
    let time = table.column(|name| name == "time").unwrap_or(0);
    let times = columns::instants(&table, time, context)?;
    let unit = context.unit.unwrap_or(Unit::BITS);
    let mut found = Found { format: "Grafana, CSV", ..Found::default() };
    if let (Some(series), Some(value)) = (table.column(|name| name == "series"), table.column(|name| name == "value")) {
        let mut names: Vec<&str> = table.cells(series).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let of_series = |row: &Vec<String>| row.get(series).is_some_and(|cell| cell == name);
            let kept: Vec<usize> = (0..table.rows.len()).filter(|place| of_series(&table.rows[*place].1)).collect();
            let part = SheetTable {
                header: table.header.clone(),
                rows: kept.iter().map(|place| table.rows[*place].clone()).collect(),
            };
            let own: Vec<f64> = kept.iter().map(|place| times[*place]).collect();
            let column = graph_column(value, name, unit, context);
            found.readings.extend(columns::readings(&part, &own, StampAt::Beginning, &[column], context)?);
        }
    } else {
        let columns: Vec<ValueColumn> = (0..table.header.len())
            .filter(|column| *column != time && columns::holds_values(&table, *column))
            .map(|column| graph_column(column, &table.header[column], unit, context))
            .filter(|column| column.kind != NamedKind::Other)
            .collect();
        if columns.len() == 1 {
            let says = "one series alone: only what was selected is exported; choose \u{201c}Series joined by time\u{201d} for all";
            found.warnings.push(says.to_owned());
        }
        found.readings = columns::readings(&table, &times, StampAt::Beginning, &columns, context)?;
    }
    let is_formatted =
        table.rows.iter().any(|(_, row)| row.iter().any(|cell| cell.ends_with("b/s") || cell.ends_with("B/s")));
    found.known.push(match (is_formatted, context.unit) {
        (true, _) => "each value has its unit; \u{201c}Formatted data\u{201d} rounds it to three digits".to_owned(),
        (false, Some(unit)) => format!("values are {}, as you said", unit.said()),
        (false, None) => "values are taken as bit/s: the file does not say (`--unit` says otherwise)".to_owned(),
    });
    found.known.push(context.clock.said());
    found.known.push(context.side.said());
    Ok(found)
}

fn graph_column(column: usize, name: &str, unit: Unit, context: &Context<'_>) -> ValueColumn {
    let says = names::named(name, context.side);
    ValueColumn {
        column,
        place: says.place.unwrap_or_else(|| context.stem.to_owned()),
        toward: says.toward.unwrap_or(Toward::Both),
        unit: Some(Unit { per_second: true, ..says.unit.unwrap_or(unit) }),
        kind: says.kind,
        counts: false,
    }
}

/// Whether a line names SolarWinds' columns of rates.
#[must_use]
pub fn is_solarwinds(line: &str) -> bool {
    let plain = line.to_lowercase().replace(['_', ' '], "");
    ["averagebps", "averagereceivebps", "averagetransmitbps"].iter().any(|word| plain.contains(word))
}

/// SolarWinds' interface traffic, from a query or as a report with a title.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn solarwinds(text: &str, context: &Context<'_>) -> Result<Found, LineFault> {
    let table = SheetTable::of(text, text.lines().position(is_solarwinds).unwrap_or(0));
    let is_time = |name: &str| ["datetime", "date/time", "timestamp"].iter().any(|word| name.contains(word));
    let Some(time) = table.column(is_time) else {
        return Err((1, "no column `DateTime`".to_owned(), "select it in the query".to_owned()));
    };
    let rate = |(column, name): (usize, &String)| {
        let spaced = name.to_lowercase().replace("averagebps", " average bps").replace("maxbps", " max bps");
        let says = names::named(&spaced.replace("minbps", " min bps"), context.side);
        let is_rate = spaced.contains("bps") && says.kind != NamedKind::Other;
        let place = context.stem.to_owned();
        let toward = says.toward.filter(|_| is_rate)?;
        Some(ValueColumn { column, place, toward, unit: Some(Unit::BITS), kind: says.kind, counts: false })
    };
    let columns: Vec<ValueColumn> = table.header.iter().enumerate().filter_map(rate).collect();
    let mut readings = Vec::new();
    for (place, part) in table.split_by(&interface_columns(&table)) {
        let times = columns::instants(&part, time, context)?;
        let mut own = columns::readings(&part, &times, StampAt::Beginning, &columns, context)?;
        if !place.is_empty() {
            for reading in &mut own {
                reading.place = named(&place);
            }
        }
        readings.extend(own);
    }
    let known = vec!["bit/s by the names of the columns".to_owned(), context.clock.said(), context.side.said()];
    Ok(Found { format: "SolarWinds, interface traffic", known, readings, ..Found::default() })
}

/// The columns that name an interface: its whole name, that of its node with its own, or their numbers.
fn interface_columns(table: &SheetTable) -> Vec<usize> {
    let first = |names: &[&str]| table.column(|name| names.contains(&name.replace(['_', ' '], "").as_str()));
    if let Some(whole) = first(&["fullname"]) {
        return vec![whole];
    }
    let node = first(&["caption", "nodename", "node", "nodecaption"]);
    let interface = first(&["interfacename", "interfacecaption", "interface"]);
    let named: Vec<usize> = [node, interface].into_iter().flatten().collect();
    if named.is_empty() { [first(&["nodeid"]), first(&["interfaceid"])].into_iter().flatten().collect() } else { named }
}

/// Time, line and value.
type InfluxPoint = (f64, u32, Option<f64>);

/// InfluxDB's annotated CSV: tables one below the other, each with its own header.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn influx(text: &str, context: &Context<'_>) -> Result<Found, LineFault> {
    let mut header: Vec<String> = Vec::new();
    let mut points: BTreeMap<(String, String), Vec<InfluxPoint>> = BTreeMap::new();
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(text.as_bytes());
    for record in reader.records().flatten() {
        let line = record.position().map_or(0, |position| u32::try_from(position.line()).unwrap_or(u32::MAX));
        if record.get(0).is_some_and(|cell| cell.starts_with('#')) || record.len() < 2 {
            continue;
        }
        if record.iter().any(|cell| cell == "_time") || record.iter().any(|cell| cell == "_value") {
            header = record.iter().map(str::to_owned).collect();
            continue;
        }
        let cell = |name: &str| {
            header.iter().position(|other| other == name).and_then(|column| record.get(column)).unwrap_or("")
        };
        let Some(Stamp::Instant(at)) = stamp(cell("_time"), DayOrder::DayFirst) else { continue };
        let value = if is_nothing(cell("_value")) { None } else { cell("_value").parse().ok() };
        // Tags are what is no name of the format itself.
        let own = ["", "result", "table", "_start", "_stop", "_time", "_value", "_field", "_measurement"];
        let tags: Vec<&str> = header
            .iter()
            .filter(|name| !own.contains(&name.as_str()))
            .map(|name| cell(name))
            .filter(|tag| !tag.is_empty())
            .collect();
        points.entry((tags.join(" "), cell("_field").to_owned())).or_default().push((at, line, value));
    }
    let mut found = Found { format: "InfluxDB, annotated CSV", ..Found::default() };
    for ((tags, field), mut series) in points {
        series.sort_by(|a, b| a.0.total_cmp(&b.0));
        let says = names::named(&field, context.side);
        let place = if tags.is_empty() { context.stem } else { &tags };
        let is_traffic =
            field.contains("byte") || field.contains("octet") || field.contains("bit") || says.toward.is_some();
        if !is_traffic {
            found.warnings.push(format!("`{field}` is no traffic: left out"));
            continue;
        }
        let values: Vec<f64> = series.iter().filter_map(|(.., value)| *value).collect();
        let counts = names::is_counter(&field)
            || rises(values.iter().copied()) && !field.contains("per") && !field.contains("rate");
        let instants: Vec<f64> = series.iter().map(|(at, ..)| *at).collect();
        let step = step(&instants).unwrap_or(300.0);
        let unit = says.unit.or(context.unit).unwrap_or(Unit::BITS);
        for (at, line, value) in series {
            let kind = match (counts, value) {
                (true, None) => continue,
                (true, Some(value)) => ReadingKind::Counted {
                    at,
                    amount: Amount::of_bytes(value),
                    life: named(""),
                    since: None,
                    is_short: false,
                },
                (false, value) => ReadingKind::Passed {
                    begins: at - step,
                    seconds: step,
                    amount: value.map_or(Amount::default(), |value| {
                        Amount::of_bytes(Unit { per_second: true, ..unit }.volume(value, step))
                    }),
                    coverage: 1.0,
                },
            };
            let toward = says.toward.unwrap_or(Toward::Both);
            found.readings.push(Reading { place: named(place), class: all(), toward, line, kind });
        }
    }
    found.known = vec![
        "times are UTC; fields that only grow are counters of bytes, others rates of the step before".to_owned(),
        context.side.said(),
    ];
    Ok(found)
}

/// MRTG's log: the newest first, in steps that grow along the file.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn mrtg(text: &str, context: &Context<'_>) -> Result<Found, LineFault> {
    let row = |(place, line): (usize, &str)| -> Result<(u32, Vec<f64>), LineFault> {
        let number = u32::try_from(place + 1).unwrap_or(u32::MAX);
        let values: Option<Vec<f64>> = line.split_whitespace().map(|cell| cell.parse().ok()).collect();
        values
            .map(|values| (number, values))
            .ok_or_else(|| (number, "no line of MRTG's log".to_owned(), "leave it out".to_owned()))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let rows: Vec<(u32, Vec<f64>)> = lines.map(row).collect::<Result<_, _>>()?;
    // A log that is younger than what it has room for ends in lines of nothing.
    let used = rows.iter().rposition(|(_, row)| row.iter().skip(1).any(|value| *value > 0.0)).unwrap_or(0);
    let rows = &rows[..rows.len().min(used + 2)];
    let mut found = Found { format: "MRTG, log", ..Found::default() };
    // The first line has counters. The mean in a line is of the time since the next older one.
    for pair in rows.get(1..).unwrap_or_default().windows(2) {
        let ((line, new), (_, old)) = (&pair[0], &pair[1]);
        let seconds = new[0] - old[0];
        if new.len() < 5 || seconds <= 0.0 {
            continue;
        }
        for (place, toward) in [(1, context.side.received()), (2, context.side.sent())] {
            let amount =
                Amount { bytes: Some(new[place] * seconds), highest: Some(new[place + 2] * 8.0), ..Amount::default() };
            let kind = ReadingKind::Passed { begins: old[0], seconds, amount, coverage: 1.0 };
            found.readings.push(Reading { place: named(context.stem), class: all(), toward, line: *line, kind });
        }
    }
    found.known = vec!["bytes a second, times in UTC; intervals grow with age: five minutes for two days, then half an hour, two hours, a day".to_owned(), context.side.said()];
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fault: `12.34 MByte` is a hundred times as much where all signs are taken to group.
    #[test]
    fn what_prtg_shows_is_read_with_its_parts() {
        let cases = [
            ("45,211 KByte", 45_211.0, 1024.0),
            ("45.211 KByte", 45_211.0, 1024.0),
            ("12.34 MByte", 12.34, 1e6),
            ("1.234,5 KByte", 1234.5, 1024.0),
            ("< 1 KByte", 1.0, 1024.0),
            ("99,5 %", 99.5, 1.0),
        ];
        for (text, value, unit) in cases {
            assert_eq!(shown(text), Some((value, unit)), "{text}");
        }
    }
}
