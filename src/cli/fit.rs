//! `headend fit`: numbers of a scenario, fitted to what was counted.

use jiff::civil::Date;

use crate::cli::args::{Allowed, DaySpan, FitArgs};
use crate::cli::bundle::Bundle;
use crate::cli::common::{affordable, bar, checked, file_name, load, tell};
use crate::cli::output::Output;
use crate::cli::series::{beside, layer, rows, taken_for, zone};
use crate::cli::stop::{STOP, Stop};
use crate::disk;
use crate::fit::free::{amounts, named};
use crate::fit::held::{HeldDay, hold};
use crate::fit::levels::{LEAST_DAYS, WeekdayLevel, of_weekday, weekdays};
use crate::fit::observed::{LEAST_COVERAGE, Observed, ObservedRun, UnusedDay, usual};
use crate::fit::problem::{Fit, FitError, FitProblem};
use crate::fit::search::fit as search;
use crate::fit::simulated::Counting;
use crate::fit::written::{FittedNumber, numbers, with_calendar, with_sources};
use crate::model::Model;
use crate::report::finding::setting;
use crate::report::fit::{FitFindings, explains, finding};
use crate::report::outputs::FITTED;
use crate::report::standing::assumed;
use crate::report::words::{list, several};
use crate::scenario::check::calendar::is_bank_holiday;
use crate::scenario::field::{WEEKDAYS, WHOLE_WEEKDAYS};
use crate::scenario::{Study, edit};
use crate::study::StudyError;
use crate::study::cost::Extent;
use crate::study::counters::RunCounters;
use crate::telemetry::clock::Clock;

/// Runs that a fit takes, about.
const RUNS_OF_A_FIT: u32 = 80;

pub(super) fn fit(args: &FitArgs, terms: Allowed) -> Result<u8, Stop> {
    let (study, text) = load(&args.file, terms)?;
    let model = &study.setups[0].model;
    let clock = zone(args.series.zone.as_deref())?;
    let series = rows(&args.to, clock.clone())?;
    let observed = beside(&series, model, &args.series, &clock)?;
    let (runs, left_out, mut cautions) = runs(&observed, &study, &args.leave_out, &clock)?;
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
    let mut found = search(&problem).map_err(|fault| match fault {
        // A scenario that may not be written says so itself.
        FitError::Refused(what) if what.starts_with("error") => Stop::Input(what),
        FitError::Refused(what) => Stop::Input(format!("error: {what}")),
        FitError::Study(fault) => output.stop(fault),
    })?;
    let wrong = |what: String| Stop::Input(format!("error: {what}"));
    let from = origin(args, &observed, &runs);
    // Days that are left out, or unlike others, say nothing of usual ones.
    let mut usual_days = observed.clone();
    usual_days
        .runs
        .retain(|run| is_usual(run.date, &study, &clock) && !left_out.iter().any(|left| left.date == run.date));
    let levels = levels(&problem, &found, &usual_days).map_err(|fault| output.stop(fault))?;
    bar.finish_and_clear();
    let own = levels.iter().find(|level| level.weekday == model.calendar.weekday && level.days >= LEAST_DAYS[1]);
    if let Some(level) = own {
        found.widen(level.spread, level.days);
    }
    let numbers = numbers(&text, &found.text, &found.fitted).map_err(wrong)?;
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
    cautions.extend(said.into_iter().chain(taken_for(&observed, model, &args.series)));
    let page = page(&study, &after, (&found, &numbers, &levels), &days, (from, cautions), &observed, &output);
    tell::<()>(&page, &output, &[Bundle::of(&text, &study.files)], std::slice::from_ref(&args.file), None)?;
    Ok(u8::from(!explains(&found, &days[2])))
}

/// Whether a date is no holiday that is known: of the scenario, and in London every bank holiday.
pub(super) fn is_usual(date: Date, study: &Study, clock: &Clock) -> bool {
    let is_scenarios = study.setups[0].model.levels.holidays.contains(&0);
    let is_of_london = clock.zone.iana_name() == Some("Europe/London") && is_bank_holiday(date);
    is_scenarios || !(is_of_london || study.holidays.contains(date))
}

/// The usual runs of the scenario's weekday, and a sentence for each that is not.
pub(super) fn usual_runs<'a>(
    observed: &'a Observed,
    study: &Study,
    clock: &Clock,
) -> (Vec<&'a ObservedRun>, Vec<String>) {
    let own = observed.of_weekday(&study.setups[0].model.calendar);
    let (runs, unused) = usual(own, |date| !is_usual(date, study, clock));
    let says = |day: &UnusedDay| format!("{} is {}, and is not used.", day.date.strftime("%a %-d %b %Y"), day.why);
    (runs, unused.iter().map(says).collect())
}

/// The runs that are fitted to, those that are left out, and what a reader should know of others.
type RunsOfFit<'a> = (Vec<&'a ObservedRun>, Vec<&'a ObservedRun>, Vec<String>);

/// Divides the runs of a series.
fn runs<'a>(
    observed: &'a Observed,
    study: &Study,
    leave_out: &[DaySpan],
    clock: &Clock,
) -> Result<RunsOfFit<'a>, Stop> {
    let model = &study.setups[0].model;
    let all = observed.of_weekday(&model.calendar);
    if let Some(span) = leave_out.iter().find(|span| !all.iter().any(|run| span.contains(run.date))) {
        let help = "leave out days of the scenario's weekday that the series has";
        return Err(Stop::Input(format!(
            "error: the series has no such day from {} to {}\n  = help: {help}",
            span.0, span.1
        )));
    }
    let (usual, cautions) = usual_runs(observed, study, clock);
    let is_left = |run: &&ObservedRun| leave_out.iter().any(|span| span.contains(run.date));
    let (left, fitted): (Vec<_>, Vec<_>) = usual.into_iter().partition(is_left);
    if fitted.is_empty() {
        return Err(none(observed, model, !left.is_empty()));
    }
    Ok((fitted, left, cautions))
}

/// Why no day of a series can be used.
pub(super) fn none(observed: &Observed, model: &Model, all_are_left: bool) -> Stop {
    let calendar = &model.calendar;
    let day = WHOLE_WEEKDAYS[usize::from(calendar.weekday.min(6))];
    let dates: Vec<String> =
        observed.runs.iter().take(5).map(|run| run.date.strftime("%a %Y-%m-%d").to_string()).collect();
    let own = observed.runs.iter().filter(|run| crate::fit::observed::weekday(run.date) == calendar.weekday);
    let known = own.map(ObservedRun::coverage).fold(0.0, f64::max);
    let (what, help) = if all_are_left {
        (format!("every {day} of this series is left out"), "leave out fewer")
    } else if known >= LEAST_COVERAGE {
        let what = format!("every {day} of this series is a holiday, and the scenario is not of one");
        (what, "give a series with a usual one, or the scenario a holiday's `date` in [run] and `[calendar]`")
    } else if known > 0.0 {
        let [from, until] = [calendar.from, calendar.until].map(|at| at.to_string());
        let what = format!(
            "of {from} to {until} on a {day}, the hours of the scenario, this series knows {:.0} % at most: {:.0} % are needed",
            100.0 * known,
            100.0 * LEAST_COVERAGE
        );
        (what, "give a series with more of these hours, or fewer hours: `from` and `until` in [run]")
    } else {
        let what = format!("this series has no {day}, and the scenario is of a {day}");
        (what, "give a series with that day, or another `date` or `weekday` in [run]")
    };
    Stop::Input(format!(
        "error: {what}\n  = note: it has {} in all: {}, ..\n  = help: {help}",
        several(observed.runs.len(), ["day", "days"]),
        dates.join(", ")
    ))
}

/// The levels of the weekdays that the series has often enough, beside the fitted scenario's days of the same weekday.
fn levels(problem: &FitProblem<'_>, found: &Fit, usual: &Observed) -> Result<Vec<WeekdayLevel>, StudyError> {
    /// Simulated days of another weekday.
    const RUNS: u32 = 3;
    let Ok(study) = (problem.load)(&found.text) else { return Ok(Vec::new()) };
    let model = &study.setups[0].model;
    if model.calendar.days > 1 {
        return Ok(Vec::new());
    }
    let mut levels = Vec::new();
    for (weekday, date) in weekdays(usual) {
        let own;
        let runs = if weekday == model.calendar.weekday {
            &found.after
        } else {
            let Some(other) = on_day(problem, &found.text, weekday, date) else { continue };
            let wanted: Vec<(&Model, u32)> = (0..RUNS).map(|replication| (&other, replication)).collect();
            own = problem.counting.all(&wanted)?;
            &own
        };
        levels.extend(of_weekday(usual, weekday, runs, model.levels.spread));
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
    (from, cautions): (String, Vec<String>),
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
        cautions,
        assumed: assumed(&after.inputs),
        file: disk::shown(&output.path(FITTED)),
    })
}
