//! Tables that graphing tools export: Cacti, PRTG, Grafana, SolarWinds, InfluxDB, MRTG.

use std::collections::BTreeMap;

use crate::telemetry::clock::{DayOrder, Stamp, stamp};
use crate::telemetry::formats::columns::{self, StampAt, ValueColumn};
use crate::telemetry::formats::names;
use crate::telemetry::formats::sheet::SheetTable;
use crate::telemetry::formats::values::{named, step};
use crate::telemetry::number::{Unit, is_nothing};
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
    let columns: Vec<ValueColumn> = (1..table.header.len())
        .map(|column| ValueColumn {
            column,
            place: if title.is_empty() { context.stem.to_owned() } else { title.clone() },
            toward: names::named(&table.header[column], context.side).toward.unwrap_or(Toward::Both),
            unit: Some(Unit { per_second: true, ..unit }),
            is_packets: false,
        })
        .collect();
    let times = columns::instants(&table, 0, context)?;
    let readings = columns::readings(&table, &times, StampAt::End, &columns)?;
    let known = vec![
        format!("values are {}, by the vertical label \u{201c}{label}\u{201d}", unit.said()),
        format!("times stand at the end of their step; {}", context.clock.said()),
        context.side.said(),
    ];
    Ok(Found { format: "Cacti, export of a graph", known, readings, ..Found::default() })
}

/// PRTG's historic data: columns in the language of the server, beside each a raw one.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn prtg(text: &str, context: &Context<'_>) -> Result<Found, LineFault> {
    let first = usize::from(text.trim_start_matches('\u{feff}').starts_with("sep="));
    let table = SheetTable::of(text, first);
    let raw = |name: &str| name.ends_with("(raw)");
    let time = table.column(raw);
    let is_volume =
        |name: &str| raw(name) && ["(volume)", "(volumen)", "(volume total)"].iter().any(|word| name.contains(word));
    let volumes: Vec<usize> =
        (0..table.header.len()).filter(|column| is_volume(&table.header[*column].to_lowercase())).collect();
    let Some(time) = time.filter(|_| !volumes.is_empty()) else {
        let help = "export it with raw values: only those are the same in every language";
        return Err((1, "PRTG's table has no column (RAW) of a volume".to_owned(), help.to_owned()));
    };
    let coverage = table
        .header
        .iter()
        .rposition(|name| name.to_lowercase().starts_with("coverage") || name.to_lowercase().starts_with("abdeckung"))
        .filter(|column| raw(&table.header[*column].to_lowercase()));
    // Days since 30 December 1899, in UTC.
    let ole = |cell: &str| cell.parse::<f64>().ok().map(|days| (days - 25_569.0) * 86_400.0);
    let rows: Vec<(u32, &Vec<String>, f64)> =
        table.rows.iter().filter_map(|(line, row)| Some((*line, row, ole(row.get(time)?)?))).collect();
    let mut instants: Vec<f64> = rows.iter().map(|(.., at)| (at * 10.0).round() / 10.0).collect();
    instants.sort_by(f64::total_cmp);
    let seconds = step(&instants).map_or(300.0, f64::round);
    let mut found = Found { format: "PRTG, historic data", ..Found::default() };
    for column in volumes {
        let name = table.header[column].trim_end_matches("(RAW)").to_owned();
        let says = names::named(&name.replace("(Volume)", " ").replace("(Volumen)", " "), context.side);
        // The total is the sum of the others.
        let Some(toward) = says.toward else { continue };
        for (line, row, begins) in &rows {
            let covered =
                coverage.and_then(|column| row.get(column)?.parse::<f64>().ok()).map_or(1.0, |raw| raw / 10_000.0);
            let bytes = row.get(column).and_then(|cell| cell.parse::<f64>().ok());
            let kind = ReadingKind::Passed {
                begins: begins.round(),
                seconds,
                amount: bytes.map_or(Amount::default(), Amount::of_bytes),
                coverage: covered,
            };
            found.readings.push(Reading { place: named(context.stem), class: all(), toward, line: *line, kind });
        }
    }
    found.known = vec![
        "bytes from the columns (RAW), which have no decimal sign to mistake; raw times are days in UTC".to_owned(),
        context.side.said(),
    ];
    Ok(found)
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
            found.readings.extend(columns::readings(&part, &own, StampAt::Beginning, &[column])?);
        }
    } else {
        let columns: Vec<ValueColumn> = (0..table.header.len())
            .filter(|column| *column != time)
            .map(|column| graph_column(column, &table.header[column], unit, context))
            .collect();
        if columns.len() == 1 {
            let says = "one series alone: only what was selected is exported; choose \u{201c}Series joined by time\u{201d} for all";
            found.warnings.push(says.to_owned());
        }
        found.readings = columns::readings(&table, &times, StampAt::Beginning, &columns)?;
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
        is_packets: false,
    }
}

/// SolarWinds' interface traffic.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn solarwinds(text: &str, context: &Context<'_>) -> Result<Found, LineFault> {
    let table = SheetTable::of(text, 0);
    let Some(time) = table.column(|name| name.contains("datetime") || name == "timestamp") else {
        return Err((1, "no column `DateTime`".to_owned(), "select it in the query".to_owned()));
    };
    let times = columns::instants(&table, time, context)?;
    let place_column = table.column(|name| ["caption", "interfacename", "fullname"].contains(&name));
    let way = |word: &str, toward: Toward| {
        let column = table.column(|name| name.replace(['_', ' '], "").starts_with(&format!("{word}averagebps")))?;
        Some(ValueColumn { column, place: context.stem.to_owned(), toward, unit: Some(Unit::BITS), is_packets: false })
    };
    let columns: Vec<ValueColumn> =
        [way("in", context.side.received()), way("out", context.side.sent())].into_iter().flatten().collect();
    let mut readings = columns::readings(&table, &times, StampAt::Beginning, &columns)?;
    if let Some(column) = place_column {
        let place: BTreeMap<u32, &str> =
            table.rows.iter().map(|(line, row)| (*line, row.get(column).map_or("", String::as_str))).collect();
        for reading in &mut readings {
            reading.place = named(place[&reading.line]);
        }
    }
    let known = vec!["bit/s by the names of the columns".to_owned(), context.clock.said(), context.side.said()];
    Ok(Found { format: "SolarWinds, interface traffic", known, readings, ..Found::default() })
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
        let counts = values.len() > 2 && values.is_sorted() && !field.contains("per") && !field.contains("rate");
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
