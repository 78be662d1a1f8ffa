//! `headend hindcast`: a scenario, or a series itself, against days that were counted.

use std::path::PathBuf;

use crate::cli::args::{Allowed, HindcastArgs};
use crate::cli::bundle::Bundle;
use crate::cli::common::{affordable, bar, file_name, load, say, tell};
use crate::cli::fit::{none, usual_runs};
use crate::cli::output::{Output, origin};
use crate::cli::series::{beside, layer, rows, taken_for, zone};
use crate::cli::stop::{STOP, Stop};
use crate::disk;
use crate::fit::held::{HeldDay, hold};
use crate::fit::observed::{DaysCounted, ObservedRun, by_day};
use crate::fit::seasonal;
use crate::fit::simulated::Counting;
use crate::model::Model;
use crate::report;
use crate::report::finding::setting;
use crate::report::words::several;
use crate::study::cost::Extent;
use crate::telemetry::clock::Clock;
use crate::telemetry::series::SeriesRow;
use crate::units::Duration;

pub(super) fn hindcast(args: &HindcastArgs, terms: Allowed) -> Result<u8, Stop> {
    let clock = zone(args.series.zone.as_deref())?;
    let series = rows(&args.against, clock.clone())?;
    match &args.file {
        Some(file) => of_scenario(args, file, terms, &series, &clock),
        None => of_series(args, &series, &clock),
    }
}

fn of_scenario(
    args: &HindcastArgs,
    file: &PathBuf,
    terms: Allowed,
    series: &[SeriesRow],
    clock: &Clock,
) -> Result<u8, Stop> {
    let (study, text) = load(file, terms)?;
    let model = &study.setups[0].model;
    let observed = beside(series, model, &args.series, clock)?;
    let is_asked = |run: &&ObservedRun| args.days.is_empty() || args.days.iter().any(|span| span.contains(run.date));
    let (runs, unused) = usual_runs(&observed, &study, clock);
    let runs: Vec<&ObservedRun> = runs.into_iter().filter(is_asked).collect();
    if runs.is_empty() && !args.days.is_empty() {
        let help = "give days of the scenario's weekday that the series has, or leave `--days` out";
        return Err(Stop::Input(format!("error: the series has none of these days\n  = help: {help}")));
    }
    if runs.is_empty() {
        return Err(none(&observed, model, false));
    }
    let output = Output::prepare(args.out.as_deref(), &[(file, &study.files)], "hindcast")?;
    affordable(&study, Extent { setups: 1, replications: args.replications, points: 1 }, terms)?;
    let (layer, said) = layer(&args.series, &observed, &runs, (model, output.kept()))?;
    let bar = bar("{wide_bar} {pos}/{len} days, about {eta} left");
    bar.set_length(args.replications.into());
    let counting = Counting {
        layer,
        interval: observed.interval,
        keep: Some(output.kept()),
        stop: &STOP,
        progress: &|| bar.inc(1),
    };
    let wanted: Vec<(&Model, u32)> = (0..args.replications).map(|replication| (model, replication)).collect();
    let simulated = counting.all(&wanted);
    bar.finish_and_clear();
    let simulated = simulated.map_err(|fault| output.stop(fault))?;
    let days: Vec<HeldDay> = runs.iter().flat_map(|run| hold(model, &observed, run, (&simulated, 0))).collect();
    let baseline = match model.calendar.days {
        1 => seasonal::hindcast(&observed.by_day(), &[model.calendar.weekday]),
        _ => Vec::new(),
    };
    let mut finding = report::hindcast::finding(&study.question, setting(&study), &days, args.replications, &baseline);
    finding.cautions.extend(unused.into_iter().chain(said).chain(taken_for(&observed, model, &args.series)));
    tell::<()>(&finding, &output, &[Bundle::of(&text, &study.files)], std::slice::from_ref(file), None)?;
    Ok(u8::from(!report::held::holds(&days)))
}

/// The weekdays on which most is counted.
fn weekdays(days: &DaysCounted) -> Vec<u8> {
    let is_there = |own: &u8| days.keys().any(|date| crate::fit::observed::weekday(*date) == *own);
    let working: Vec<u8> = (0..5).filter(is_there).collect();
    if working.is_empty() { (0..7).filter(is_there).collect() } else { working }
}

fn of_series(args: &HindcastArgs, series: &[SeriesRow], clock: &Clock) -> Result<u8, Stop> {
    let mut days = by_day(series, &clock.zone, args.hours);
    if !args.days.is_empty() {
        days.retain(|date, _| args.days.iter().any(|span| span.contains(*date)));
    }
    let unusual = seasonal::unusual(&days);
    let weeks = seasonal::hindcast(&days, &weekdays(&days));
    if weeks.is_empty() {
        let [from, until] = [args.hours.0, args.hours.1].map(|at| at.to_string());
        let help = "give four weeks or more that are known in all these hours, or fewer hours: `--hours 08:00-18:00`";
        return Err(Stop::Input(format!(
            "error: from {from} to {until} this series is too short to forecast any of it from the rest\n  = note: {} have any value \
             in these hours\n  = help: {help}",
            several(days.len(), ["day", "days"])
        )));
    }
    let name = file_name(&args.against[0]);
    let counts_bytes = series.iter().any(|row| row.amount.bytes.is_some());
    #[allow(clippy::cast_precision_loss)] // intervals of a day
    let intervals = days.values().map(Vec::len).max().unwrap_or(1).max(1) as f64;
    let seconds = Duration(args.hours.1.0.saturating_sub(args.hours.0.0)).secs() / intervals;
    let unit = if counts_bytes { ("Mbit/s", 1.0 / (1e6 * seconds)) } else { ("count", 1.0) };
    let setting = format!("{} days, {} to {}", days.len(), args.hours.0, args.hours.1);
    let finding = report::hindcast::of_series(&name, setting, &weeks, &unusual, unit);
    let output = Output::prepare(args.out.as_deref(), &[(&args.against[0], &[])], "hindcast")?;
    let command = format!("headend hindcast --against {}", crate::scale::shell::word(&name));
    output.finding(&finding, &origin(&command, &[]), &command)?;
    say(&format!("{}\nReport: {}", finding.text(), disk::shown(&output.path("hindcast.html"))))
}
