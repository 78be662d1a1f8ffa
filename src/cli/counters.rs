//! `headend counters`: what the counters of a scenario's concentrators would show.

use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::cli::args::{Allowed, CountersArgs};
use crate::cli::common::{bar, choose, load, override_with, say};
use crate::cli::import::refuse_foreign;
use crate::cli::series::zone;
use crate::cli::stop::{STOP, Stop};
use crate::disk;
use crate::fit::observed::{instant, weekday};
use crate::fit::simulated::Counting;
use crate::model::Model;
use crate::report::words::several;
use crate::scenario::check::calendar::Holidays;
use crate::study::StudyError;
use crate::study::axis::Axis;
use crate::study::counters::{Layer, RunCounters};
use crate::telemetry::series::{Amount, RowState, SeriesRow, Toward, table};
use crate::units::Duration;

pub(super) fn counters(args: &CountersArgs, terms: Allowed) -> Result<u8, Stop> {
    let (mut study, _) = load(&args.file, terms)?;
    let chosen = choose(&study, args.option.as_slice())?;
    override_with(&mut study, args.seed, None);
    let clock = zone(args.zone.as_deref())?;
    refuse_foreign(&args.out)?;
    // The base is chosen beside an option that is named.
    let place = if args.option.is_some() { chosen[chosen.len() - 1] } else { 0 };
    let model = &study.setups[place].model;
    let interval = Duration::of_secs(args.bin * 60.0);
    let bar = bar("{wide_bar} {pos}/{len} runs, about {eta} left");
    bar.set_length(args.weeks.into());
    let counting = Counting { layer: Layer::Outer, interval, keep: None, stop: &STOP, progress: &|| bar.inc(1) };
    let first = study.when.parse().unwrap_or_else(|_| on_weekday(model.calendar.weekday));
    let weeks = (0..args.weeks).map(|week| first.checked_add(i64::from(week).weeks()));
    let weeks: Vec<Date> = weeks.collect::<Result<_, _>>().map_err(|fault| Stop::Input(format!("error: {fault}")))?;
    let models: Vec<Model> = weeks.iter().map(|date| in_week(model, *date, &study.holidays)).collect();
    let wanted: Vec<(&Model, u32)> = models.iter().zip(0..).collect();
    let runs = counting.all(&wanted);
    bar.finish_and_clear();
    let runs = runs.map_err(|fault| match fault {
        StudyError::Stopped => Stop::Nothing,
        other => other.into(),
    })?;
    let mut rows = Vec::new();
    for (run, date) in runs.iter().zip(weeks) {
        rows.extend(of_run(run, model, (date, &clock.zone), (interval, args.by_class)));
    }
    let written = table(&rows, &clock.zone).map_err(|fault| Stop::Input(format!("error: {fault}")))?;
    disk::write(&args.out, written.as_bytes()).map_err(|fault| Stop::Write(args.out.clone(), fault))?;
    let intervals = several(rows.len(), ["interval", "intervals"]);
    let of_runs = several(runs.len(), ["run", "runs"]);
    say(&format!("{intervals} of {of_runs}: bytes on the wire, both ways together\nSeries: {}", disk::shown(&args.out)))
}

/// A run that begins on this date, with the holidays that it has there.
fn in_week(model: &Model, first: Date, holidays: &Holidays) -> Model {
    let is_holiday = |day: &u32| first.checked_add(i64::from(*day).days()).is_ok_and(|date| holidays.contains(date));
    let mut model = model.clone();
    model.levels.holidays = (0..model.calendar.days).filter(is_holiday).collect();
    model
}

/// The first date of a weekday in 2026.
fn on_weekday(own: u8) -> Date {
    let first = Date::constant(2026, 1, 5);
    (0..7).filter_map(|day: i64| first.checked_add(day.days()).ok()).find(|date| weekday(*date) == own).unwrap_or(first)
}

/// The rows of a run that begins on a date.
fn of_run(
    run: &RunCounters,
    model: &Model,
    (date, zone): (Date, &jiff::tz::TimeZone),
    (interval, by_class): (Duration, bool),
) -> Vec<SeriesRow> {
    let axis = Axis::of(model).in_bins(interval);
    let all: Arc<str> = Arc::from("all");
    let origin: Arc<str> = Arc::from("headend");
    let mut rows = Vec::new();
    for (place, device) in model.concentrators.iter().enumerate() {
        let name: Arc<str> = Arc::from(device.name.as_str());
        let classes: Vec<(Arc<str>, Option<usize>)> = if by_class {
            let named = model.classes.iter().enumerate();
            named.map(|(class, known)| (Arc::from(known.name.as_str()), Some(class))).collect()
        } else {
            vec![(all.clone(), None)]
        };
        for (class, which) in classes {
            let passed = run.of(place, which);
            if passed.iter().all(|bits| *bits <= 0.0) {
                continue;
            }
            for (bin, bits) in passed.into_iter().enumerate() {
                let start = axis.start(bin);
                let Ok(day) = date.checked_add(i64::try_from(start.day()).unwrap_or(0).days()) else { continue };
                let Some(begins) = instant(day, start.clock(), zone) else { continue };
                // The last interval ends with the hours.
                let left = model.calendar.until.on(start.day()).since(start);
                rows.push(SeriesRow {
                    begins,
                    seconds: interval.min(left).secs(),
                    place: name.clone(),
                    class: class.clone(),
                    toward: Toward::Both,
                    amount: Amount::of_bytes(bits / 8.0),
                    coverage: 1.0,
                    state: RowState::Ok,
                    origin: (origin.clone(), 1),
                });
            }
        }
    }
    rows
}
