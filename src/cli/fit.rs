//! `headend fit`: numbers of a scenario, fitted to what was counted.

use jiff::civil::Date;

use crate::cli::args::{Allowed, DaySpan, FitArgs};
use crate::cli::bundle::Bundle;
use crate::cli::common::{affordable, bar, checked, file_name, load, tell};
use crate::cli::output::Output;
use crate::cli::series::{beside, layer, rows, zone};
use crate::cli::stop::{STOP, Stop};
use crate::disk;
use crate::fit::free::{amounts, named};
use crate::fit::held::{HeldDay, hold};
use crate::fit::levels::{WeekdayLevel, of_weekday, weekdays};
use crate::fit::observed::{Observed, ObservedRun};
use crate::fit::search::{Fit, FitError, FitProblem, fit as search};
use crate::fit::simulated::Counting;
use crate::fit::written::{FittedNumber, numbers, with_calendar, with_sources};
use crate::model::Model;
use crate::report::finding::setting;
use crate::report::fit::{FitFindings, explains, finding};
use crate::report::outputs::FITTED;
use crate::report::standing::assumed;
use crate::report::words::{list, several};
use crate::scenario::field::{WEEKDAYS, WHOLE_WEEKDAYS};
use crate::scenario::{Study, edit};
use crate::study::StudyError;
use crate::study::cost::Extent;
use crate::study::counters::RunCounters;

/// Runs that a fit takes, about.
const RUNS_OF_A_FIT: u32 = 80;

pub(super) fn fit(args: &FitArgs, terms: Allowed) -> Result<u8, Stop> {
    let (study, text) = load(&args.file, terms)?;
    let model = &study.setups[0].model;
    let clock = zone(args.series.zone.as_deref())?;
    let series = rows(&args.to, clock.clone())?;
    let observed = beside(&series, model, &args.series, &clock)?;
    let (runs, left_out) = runs(&observed, model, &args.leave_out)?;
    let free = if args.free.is_empty() { amounts(&text) } else { named(&text, &args.free) };
    let free = free.map_err(|what| Stop::Input(format!("error: {what}")))?;
    let output = Output::prepare(args.out.as_deref(), &[(&args.file, &study.files)], "fit")?;
    let runs_of_a_fit = Extent { setups: 1, replications: RUNS_OF_A_FIT, points: 1 };
    affordable(&study, runs_of_a_fit, terms)?;
    let bar = bar("{spinner} {pos} runs simulated, {elapsed} so far");
    let (layer, said) = layer(&args.series, &observed, &runs, (model, output.kept()))?;
    let counting = Counting {
        layer,
        interval: observed.interval,
        keep: Some(output.kept()),
        stop: &STOP,
        progress: &|| bar.inc(1),
    };
    let loaded = |text: &str| checked(&args.file, text, terms).map_err(|problems| problems.show(false));
    let problem = FitProblem { text: &text, load: &loaded, observed: &observed, runs: &runs, free, counting };
    let found = search(&problem).map_err(|fault| match fault {
        FitError::Refused(what) => Stop::Input(format!("error: {what}")),
        FitError::Study(fault) => output.stop(fault),
    })?;
    let wrong = |what: String| Stop::Input(format!("error: {what}"));
    let numbers = numbers(&text, &found.text, &found.fitted).map_err(wrong)?;
    let from = origin(args, &observed, &runs);
    let levels = levels(&problem, &found).map_err(|fault| output.stop(fault))?;
    bar.finish_and_clear();
    let fitted = with_sources(&found.text, &numbers, &from).map_err(wrong)?;
    let days = format!("days of {}", list(&args.to.iter().map(|path| file_name(path)).collect::<Vec<String>>()));
    let fitted =
        with_calendar(&fitted, &levels, (model.calendar.weekday, &model.levels.weekdays), &days).map_err(wrong)?;
    let after = loaded(&fitted).map_err(wrong)?;
    output.scenario(FITTED, &Bundle::of(&fitted, &after.files))?;
    let held = |held: &[&ObservedRun], simulated: &[RunCounters], fitted_to: usize| -> Vec<HeldDay> {
        held.iter().flat_map(|run| hold(model, &observed, run, (simulated, fitted_to))).collect()
    };
    let days = [held(&runs, &found.before, 0), held(&runs, &found.after, 0), held(&left_out, &found.after, runs.len())];
    let page = page(&study, &after, (&found, &numbers, &levels), &days, (from, said), &observed, &output);
    tell::<()>(&page, &output, &[Bundle::of(&text, &study.files)], std::slice::from_ref(&args.file), None)?;
    Ok(u8::from(!explains(&found, &days[2])))
}

/// The runs of the scenario's weekday: those that are fitted to, and those that are left out.
fn runs<'a>(
    observed: &'a Observed,
    model: &Model,
    leave_out: &[DaySpan],
) -> Result<(Vec<&'a ObservedRun>, Vec<&'a ObservedRun>), Stop> {
    let all = observed.of_weekday(&model.calendar);
    if let Some(span) = leave_out.iter().find(|span| !all.iter().any(|run| span.contains(run.date))) {
        let help = "leave out days of the scenario's weekday that the series has";
        return Err(Stop::Input(format!(
            "error: the series has no such day from {} to {}\n  = help: {help}",
            span.0, span.1
        )));
    }
    let is_left = |run: &&ObservedRun| leave_out.iter().any(|span| span.contains(run.date));
    let (left, fitted): (Vec<_>, Vec<_>) = all.into_iter().partition(is_left);
    if fitted.is_empty() {
        return Err(none(observed, model.calendar.weekday, !left.is_empty()));
    }
    Ok((fitted, left))
}

/// Why no day of a series can be used.
pub(super) fn none(observed: &Observed, weekday: u8, all_are_left: bool) -> Stop {
    let day = WHOLE_WEEKDAYS[usize::from(weekday.min(6))];
    let dates: Vec<String> =
        observed.runs.iter().take(5).map(|run| run.date.strftime("%a %Y-%m-%d").to_string()).collect();
    let what = if all_are_left {
        format!("every {day} of this series is left out")
    } else {
        format!("this series has no {day} that is known for the most part, and the scenario is of a {day}")
    };
    Stop::Input(format!(
        "error: {what}\n  = note: it has {} in all: {}, ..\n  = help: give a series with that day, or another `date` or `weekday` in [run]",
        several(observed.runs.len(), ["day", "days"]),
        dates.join(", ")
    ))
}

/// The levels of the weekdays that the series has often enough, beside the fitted scenario's days of the same weekday.
fn levels(problem: &FitProblem<'_>, found: &Fit) -> Result<Vec<WeekdayLevel>, StudyError> {
    /// Simulated days of another weekday.
    const RUNS: u32 = 3;
    let Ok(study) = (problem.load)(&found.text) else { return Ok(Vec::new()) };
    let model = &study.setups[0].model;
    if model.calendar.days > 1 {
        return Ok(Vec::new());
    }
    let mut levels = Vec::new();
    for (weekday, date) in weekdays(problem.observed) {
        let own;
        let runs = if weekday == model.calendar.weekday {
            &found.after
        } else {
            let Some(other) = on_day(problem, &found.text, weekday, date) else { continue };
            let wanted: Vec<(&Model, u32)> = (0..RUNS).map(|replication| (&other, replication)).collect();
            own = problem.counting.all(&wanted)?;
            &own
        };
        levels.extend(of_weekday(problem.observed, weekday, runs, model.levels.spread));
    }
    Ok(levels)
}

/// The model on another day.
fn on_day(problem: &FitProblem<'_>, text: &str, weekday: u8, date: Date) -> Option<Model> {
    let other = edit::set(text, "run.date", &date.to_string())
        .or_else(|_| edit::set(text, "run.weekday", WEEKDAYS[usize::from(weekday)]));
    let study = (problem.load)(&other.ok()?).ok()?;
    Some(study.setups[0].model.clone())
}

/// To what it was fitted, in a clause.
fn origin(args: &FitArgs, observed: &Observed, runs: &[&ObservedRun]) -> String {
    let mut places: Vec<String> = observed.things.iter().map(|thing| thing.place.clone()).collect();
    places.dedup();
    let minutes = crate::report::words::number(observed.interval.secs() / 60.0);
    let dates = match runs {
        [only] => format!("{}", only.date),
        [first, .., last] => format!("{} days from {} to {}", runs.len(), first.date, last.date),
        [] => String::new(),
    };
    let by_class = observed.things.iter().any(|thing| thing.class.is_some());
    let what = if by_class { "by class" } else { "total" };
    let files: Vec<String> = args.to.iter().map(|path| file_name(path)).collect();
    format!("{what} at {}, {minutes} min, {dates} ({})", list(&places), list(&files))
}

fn page(
    before: &Study,
    after: &Study,
    (found, numbers, levels): (&Fit, &[FittedNumber], &[WeekdayLevel]),
    days: &[Vec<HeldDay>; 3],
    (from, said): (String, Option<String>),
    observed: &Observed,
    output: &Output,
) -> crate::report::finding::Finding {
    let [was, is, left_out] = days;
    finding(&FitFindings {
        question: before.question.clone(),
        setting: setting(before),
        from,
        fit: found,
        numbers,
        days: [was, is, left_out],
        interval: observed.interval,
        levels,
        cautions: said.into_iter().collect(),
        assumed: assumed(&after.inputs),
        file: disk::shown(&output.path(FITTED)),
    })
}
