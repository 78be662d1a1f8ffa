//! `headend import`: what monitoring exports, as one tidy series.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::args::{ImportArgs, SideName};
use crate::cli::common::say;
use crate::cli::series::zone;
use crate::cli::stop::Stop;
use crate::disk;
use crate::report;
use crate::report::words::several;
use crate::telemetry::clock::{Clock, DayOrder, Stamp, stamp};
use crate::telemetry::doubled::doubled;
use crate::telemetry::import::{ImportTerms, Imported, import as read};
use crate::telemetry::number::DecimalSign;
use crate::telemetry::reading::Side;
use crate::telemetry::series::{HEADER, SeriesRow, Toward, table};
use crate::telemetry::sites::{site_list, sites};

pub(super) fn import(args: &ImportArgs) -> Result<u8, Stop> {
    let clock = zone(args.zone.as_deref())?;
    refuse_foreign(&args.out)?;
    let terms = ImportTerms {
        side: match args.at {
            SideName::Hub => Side::Hub,
            SideName::Site => Side::Site,
        },
        taken: instants_taken(args, &clock)?,
        bin: args.bin * 60.0,
        unit: args.unit,
        decimal: args.decimal.as_deref().map(|sign| match sign {
            "comma" => DecimalSign::Comma,
            _ => DecimalSign::Point,
        }),
        direction: args.direction.as_deref().and_then(Toward::named),
        columns: args.columns.clone(),
        names: args.map.as_deref().map(names).transpose()?.unwrap_or_default(),
        clock,
    };
    let paths: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    let Imported { files, rows, notes } = read(&paths, &terms).map_err(|faults| Stop::Input(faults.join("\n")))?;
    let written = table(&rows, &terms.clock.zone).map_err(|fault| Stop::Input(format!("error: {fault}")))?;
    disk::write(&args.out, written.as_bytes()).map_err(|fault| Stop::Write(args.out.clone(), fault))?;
    let scenario = args.scenario.as_deref().map(|name| start(name, &rows)).transpose()?.unwrap_or_default();
    let text = report::import::text(&files, &rows, &terms.clock.zone);
    let notes: Vec<String> = notes.into_iter().chain(doubled(&rows)).collect();
    let notes = report::import::notes(&notes);
    say(&format!("{text}{notes}\nSeries: {}{scenario}", disk::shown(&args.out)))
}

/// Writes a scenario to start from, whose sites are the places of a series; says so.
fn start(name: &str, rows: &[SeriesRow]) -> Result<String, Stop> {
    let sites = sites(rows);
    if sites.len() < 2 {
        let help = "give an export with one interface, tunnel or network for each site";
        return Err(Stop::Input(format!("error: this series has no sites: it has one place only\n  = help: {help}")));
    }
    let list = format!("{name}-sites.csv");
    let scenario = include_str!("../../templates/branches.toml").replace("\"branches.csv\"", &format!("\"{list}\""));
    let paths = [PathBuf::from(format!("{name}.toml")), PathBuf::from(&list)];
    if let Some(path) = paths.iter().find(|path| path.exists()) {
        let help = "choose another name, or move that file away";
        return Err(Stop::Input(format!("error: {} already exists\n  = help: {help}", disk::shown(path))));
    }
    for (path, bytes) in paths.iter().zip([scenario.into_bytes(), site_list(&sites).into_bytes()]) {
        disk::write(path, &bytes).map_err(|fault| Stop::Write(path.clone(), fault))?;
    }
    Ok(format!(
        "\nScenario: {}, with {} in {list}: sizes in proportion to what each carries, lines not below its busiest interval. Put in what \
         you know of both.",
        disk::shown(&paths[0]),
        several(sites.len(), ["site", "sites"])
    ))
}

/// Names of places in files, with where they are and their class.
fn names(path: &Path) -> Result<BTreeMap<String, (String, Option<String>)>, Stop> {
    let shown = disk::shown(path);
    let help = "write a table `name,where,class`, one row for each place; `class` may be left out";
    let wrong = |what: String| Stop::Input(format!("error: {shown}: {what}\n  = help: {help}"));
    let bytes = disk::regular(path).map_err(|fault| wrong(fault.to_string()))?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(bytes.as_slice());
    let header = reader.headers().map_err(|fault| wrong(fault.to_string()))?.clone();
    let column = |name: &str| header.iter().position(|own| own.eq_ignore_ascii_case(name));
    let (Some(name), Some(place)) = (column("name"), column("where")) else {
        return Err(wrong("the header has no `name` and `where`".to_owned()));
    };
    let class = column("class");
    let mut names = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|fault| wrong(fault.to_string()))?;
        let cell = |at: usize| record.get(at).unwrap_or_default().to_owned();
        let class = class.map(cell).filter(|class| !class.is_empty());
        names.insert(cell(name), (cell(place), class));
    }
    Ok(names)
}

/// When the files' pictures of the present were taken: one time for all, or one for each.
fn instants_taken(args: &ImportArgs, clock: &Clock) -> Result<Vec<f64>, Stop> {
    let (times, files) = (args.taken.len(), args.files.len());
    if times > 1 && times != files {
        return Err(Stop::Input(format!(
            "error: `--taken` is given {times} times for {files} files\n  = help: give it once for all, or once for each, in their order"
        )));
    }
    args.taken.iter().map(|text| taken(text, clock)).collect()
}

/// When a picture of the present was taken.
fn taken(text: &str, clock: &Clock) -> Result<f64, Stop> {
    let wrong = || Stop::Input(format!("error: `{text}` is no time\n  = help: write one such as 2026-11-28T04:00:17Z"));
    match stamp(text, DayOrder::DayFirst).ok_or_else(wrong)? {
        Stamp::Instant(at) => Ok(at),
        local @ Stamp::Local(..) => clock.instants(&[local]).map(|at| at[0]).map_err(|_| wrong()),
    }
}

/// Refuses to write over what is no series.
pub(super) fn refuse_foreign(out: &Path) -> Result<(), Stop> {
    let Ok(bytes) = std::fs::read(out) else { return Ok(()) };
    if bytes.is_empty() || bytes.starts_with(HEADER.as_bytes()) {
        return Ok(());
    }
    let shown = disk::shown(out);
    Err(Stop::Input(format!(
        "error: {shown} is there already, and is no series\n  = help: choose another file with `--out`"
    )))
}
