//! `headend import`: what monitoring exports, as one tidy series.

use std::path::{Path, PathBuf};

use crate::cli::args::{ImportArgs, SideName};
use crate::cli::common::say;
use crate::cli::series::zone;
use crate::cli::stop::Stop;
use crate::disk;
use crate::report;
use crate::telemetry::clock::{Clock, DayOrder, Stamp, stamp};
use crate::telemetry::import::{ImportTerms, import as read};
use crate::telemetry::reading::Side;
use crate::telemetry::series::{HEADER, Toward, table};

pub(super) fn import(args: &ImportArgs) -> Result<u8, Stop> {
    let clock = zone(args.zone.as_deref())?;
    refuse_foreign(&args.out)?;
    let terms = ImportTerms {
        side: match args.at {
            SideName::Hub => Side::Hub,
            SideName::Site => Side::Site,
        },
        taken: args.taken.as_deref().map(|text| taken(text, &clock)).transpose()?,
        bin: args.bin * 60.0,
        unit: args.unit,
        direction: args.direction.as_deref().and_then(Toward::named),
        clock,
    };
    let paths: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    let (files, rows) = read(&paths, &terms).map_err(|faults| Stop::Input(faults.join("\n")))?;
    let written = table(&rows, &terms.clock.zone).map_err(|fault| Stop::Input(format!("error: {fault}")))?;
    disk::write(&args.out, written.as_bytes()).map_err(|fault| Stop::Write(args.out.clone(), fault))?;
    say(&format!("{}\nSeries: {}", report::import::text(&files, &rows, &terms.clock.zone), disk::shown(&args.out)))
}

/// When pictures of the present were taken.
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
