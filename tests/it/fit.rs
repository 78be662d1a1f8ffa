//! Demand fitted through the simulator: own counters of a scenario whose numbers are known give these numbers again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use headend::elementary::{exp, ln};
use headend::fit::free::{Free, amounts, changed, named, windows};
use headend::fit::normal::NormalEquations;
use headend::fit::observed::{Alignment, DaysCounted, Observed, ObservedRun, align, by_day, weekday};
use headend::fit::problem::{Fit, FitError, FitProblem};
use headend::fit::search::fit;
use headend::fit::seasonal::{WeekForecast, hindcast, unusual};
use headend::fit::simulated::{Counting, roomy};
use headend::stats::quantile;
use headend::study::counters::{Layer, RunCounters, count};
use headend::telemetry::clock::Clock;
use headend::telemetry::import::{ImportTerms, import};
use headend::telemetry::series::{Amount, RowState, SeriesRow, Toward};
use headend::units::{Duration, NANOS, Text, TimeOfDay};
use headend::{Model, Study};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rayon::prelude::*;

const KENT: &str = include_str!("../../scenarios/kent-monday.toml");

static STOP: AtomicBool = AtomicBool::new(false);

/// The length of an interval.
const FIVE: Duration = Duration(300 * NANOS);

fn load(text: &str) -> Result<Study, String> {
    headend::load("kent.toml", text, std::path::Path::new("scenarios")).map_err(|problems| problems.show(false))
}

/// A run as its counters show it.
fn counted_run(model: &Model, replication: u32) -> RunCounters {
    count(model, replication, FIVE, &STOP).unwrap().counted_as(model, Layer::Outer)
}

/// Fault: intervals that do not divide the hours begin at midnight and not with them, and hold what passed before.
#[test]
fn intervals_of_any_length_hold_the_same_volume() {
    let model = load(&small(KENT).replace("sites = 25", "sites = 3").replace("patients = 291691", "patients = 35000"))
        .unwrap()
        .setups[0]
        .model
        .clone();
    let whole = |minutes: u64| {
        let run = count(&model, 0, Duration(60 * minutes * NANOS), &STOP).unwrap();
        assert!(run.utilisation[0].iter().all(|share| *share <= 1.0 + 1e-9), "{minutes}");
        run.of(0, None).iter().sum::<f64>()
    };
    let usual = whole(5);
    for minutes in [7, 20, 60, 95] {
        assert!((whole(minutes) / usual - 1.0).abs() < 1e-9, "{minutes} min");
    }
}

/// What the counters of a day of a model show, on a date.
#[allow(clippy::cast_precision_loss)] // seconds of this age
fn rows(model: &Model, replication: u32, date: Date) -> Vec<SeriesRow> {
    let run = counted_run(model, replication);
    let zone = TimeZone::get("Europe/London").unwrap();
    let opens = date.at(0, 0, 0, 0).to_zoned(zone).unwrap().timestamp().as_second() as f64;
    let opens = opens + model.calendar.from.hours() * 3600.0;
    let row = |(place, bits): (usize, f64)| SeriesRow {
        begins: opens + 300.0 * place as f64,
        seconds: 300.0,
        place: Arc::from("hub"),
        class: Arc::from("all"),
        toward: Toward::Both,
        amount: Amount::of_bytes(bits / 8.0),
        coverage: 1.0,
        state: RowState::Ok,
        origin: (Arc::from("own"), 1),
    };
    run.of(0, None).into_iter().enumerate().map(row).collect()
}

/// A scenario with ten times the device.
fn open_kent() -> String {
    KENT.replace("\"1 Gbit/s\"", "\"10 Gbit/s\"").replace("\"220 kpacket/s\"", "\"2200 kpacket/s\"")
}

fn observe(text: &str, seed: u64, days: &[u32]) -> Observed {
    let mut model = load(text).unwrap().setups[0].model.clone();
    model.seed = seed;
    let first = Date::constant(2026, 4, 20);
    let rows: Vec<SeriesRow> = days
        .iter()
        .flat_map(|&day| rows(&model, day, first.checked_add(jiff::Span::new().weeks(i64::from(day))).unwrap()))
        .collect();
    let zone = TimeZone::get("Europe/London").unwrap();
    align(&rows, &model, &Alignment { zone, places: BTreeMap::new() }).unwrap()
}

fn fitted(start: &str, observed: &Observed, free: Vec<Free>) -> Result<Fit, FitError> {
    let runs: Vec<&ObservedRun> = observed.runs.iter().collect();
    let counting = Counting { layer: Layer::Outer, interval: FIVE, keep: None, stop: &STOP, progress: &|| {} };
    fit(&FitProblem { text: start, load: &load, observed, runs: &runs, free, counting })
}

/// The factors of a fit on what was written at the start, by path.
fn factors(fit: &Fit) -> BTreeMap<String, (f64, f64)> {
    let each =
        fit.fitted.iter().flat_map(|one| one.free.paths.iter().map(|path| (path.clone(), (one.moved, one.half))));
    each.collect()
}

fn wrong(by: &[(&str, f64)], text: &str) -> String {
    let names: Vec<String> = by.iter().map(|(path, _)| (*path).to_owned()).collect();
    let free = named(text, &names).unwrap();
    let unknowns: Vec<f64> = by.iter().map(|(_, factor)| ln(*factor)).collect();
    changed(text, &free, &unknowns).unwrap()
}

/// A file of shared data; none where there are none here.
fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new("../shared").join(name);
    if !path.exists() {
        eprintln!("skipped: {} is not here", path.display());
        return None;
    }
    Some(path)
}

/// Days of a file of shared data, between two hours.
fn counted(name: &str, zone: &str, hours: [&str; 2]) -> Option<DaysCounted> {
    let path = shared(name)?;
    let clock = Clock::named(zone).unwrap();
    let terms = ImportTerms::usual(clock.clone());
    let rows = import(&[&path], &terms).unwrap().rows;
    let [from, until] = hours.map(|text| TimeOfDay::read(text).unwrap());
    Some(by_day(&rows, &clock.zone, (from, until)))
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    quantile(&values.collect::<Vec<f64>>(), 0.5)
}

#[allow(clippy::cast_precision_loss)] // weeks
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

fn p95_error(week: &WeekForecast) -> f64 {
    let [counted, forecast, _] = week.p95();
    (forecast / counted - 1.0).abs()
}

/// The share of weeks whose 95th percentile lies in the band, where there is one.
#[allow(clippy::cast_precision_loss)] // weeks
fn held(weeks: &[WeekForecast]) -> f64 {
    let inside = |week: &WeekForecast| week.band.map(|(low, high)| (low..=high).contains(&week.p95()[0]));
    let inside: Vec<bool> = weeks.iter().filter_map(inside).collect();
    inside.iter().filter(|inside| **inside).count() as f64 / inside.len() as f64
}

#[allow(clippy::cast_precision_loss)] // weeks
fn better(weeks: &[WeekForecast]) -> f64 {
    weeks.iter().filter(|week| week.errors()[0] < week.errors()[1]).count() as f64 / weeks.len() as f64
}

const WORKING: [u8; 5] = [0, 1, 2, 3, 4];

/// One office-like end point of a research network, 40 weeks: the week before in place of a forecast is 0.366 off.
#[test]
fn a_site_is_foretold_better_than_by_the_week_before() {
    let Some(days) = counted("telemetry/cesnet_ip103_hourly_2023-10_2024-07.csv", "Europe/Prague", ["07:00", "18:00"])
    else {
        return;
    };
    let christmas = |date: &Date| (Date::constant(2023, 12, 23)..=Date::constant(2024, 1, 1)).contains(date);
    let unusual = unusual(&days);
    assert!(unusual.iter().filter(|date| christmas(date)).count() >= 4, "Christmas is flagged: {unusual:?}");
    let weeks = hindcast(&days, &WORKING);
    let [own, last] = [0, 1].map(|which| mean(weeks.iter().map(|week| week.errors()[which])));
    assert!(weeks.len() >= 28, "{} {unusual:?}", weeks.len());
    assert!(own <= 0.9 * last, "{own} against {last}");
    assert!(better(&weeks) >= 0.7, "{}", better(&weeks));
    assert!(median(weeks.iter().map(p95_error)) <= 0.12, "{}", median(weeks.iter().map(p95_error)));
    assert!((0.7..=0.9).contains(&held(&weeks)), "{}", held(&weeks));
}

/// Calls to a bank by five minutes, 28 weeks: the week before in place of a forecast is 0.101 off; Poisson noise alone is 0.056.
#[test]
fn calls_are_foretold_to_within_nine_per_cent() {
    let Some(days) = counted("telemetry/bank_calls_5min_2003.csv", "UTC", ["07:00", "21:05"]) else { return };
    let weeks = hindcast(&days, &WORKING);
    let [own, last] = [0, 1].map(|which| median(weeks.iter().map(|week| week.errors()[which])));
    assert!(own <= 0.09 && last > 0.095, "{own} against {last}");
    assert!(better(&weeks) >= 0.9, "{}", better(&weeks));
    assert!((0.7..=0.9).contains(&held(&weeks)), "{}", held(&weeks));
}

/// Calls to general practices in England, 08:00 to 10:00 on Mondays, from the weeks before.
#[test]
fn mondays_of_general_practice_are_foretold() {
    let Some(path) = shared("data/cbt_england_inbound_calls_by_date_and_band_2025-10_to_2026-02.csv") else { return };
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<&str>>());
    let days: DaysCounted =
        rows.map(|row| (row[0].parse().unwrap(), vec![Some(row[5].parse::<f64>().unwrap())])).collect();
    let mondays: Vec<f64> = hindcast(&days, &WORKING)
        .iter()
        .filter_map(|week| week.points.iter().find(|point| weekday(point.date) == 0))
        .map(|point| (point.forecast / point.counted - 1.0).abs())
        .collect();
    let worst = mondays.iter().copied().fold(0.0, f64::max);
    assert!(mondays.len() >= 14, "{}", mondays.len());
    assert!(median(mondays.iter().copied()) <= 0.05 && worst <= 0.12, "{mondays:?}");
}

/// Starts 20 to 60 % off.
const OFF: [(&str, f64); 4] = [
    ("class.clinical.users.per_1000", 0.8),
    ("class.web.users.per_1000", 0.8),
    ("class.logon.jobs.per_1000", 0.6),
    ("class.updates.jobs.per_1000", 1.6),
];

/// The fitted amounts as multiples of the truth: staffed classes, log-ons and updates.
fn of_truth(found: &Fit) -> [f64; 3] {
    let factors = factors(found);
    [0, 2, 3].map(|place| OFF[place].1 * exp(factors[OFF[place].0].0))
}

/// Half-widths of their intervals, as logarithms.
fn halves(found: &Fit) -> [f64; 3] {
    let factors = factors(found);
    [0, 2, 3].map(|place| factors[OFF[place].0].1)
}

/// A seventh of the estate with a seventh of the device: a day of it takes a seventh of the time.
fn small(text: &str) -> String {
    let smaller = [
        ("sites = 175", "sites = 25"),
        ("patients = 2041841", "patients = 291691"),
        ("throughput = \"1 Gbit/s\"", "throughput = \"143 Mbit/s\""),
        ("packet_rate = \"220 kpacket/s\"", "packet_rate = \"31.4 kpacket/s\""),
    ];
    smaller.iter().fold(text.to_owned(), |text, (whole, part)| text.replacen(whole, part, 1))
}

/// Least squares on what was carried, with the true shapes of what is wanted: what everybody does. The shapes are those of the
/// groups, from days without a limit.
fn least_squares(text: &str, observed: &Observed, groups: &[Vec<&str>]) -> Vec<f64> {
    let model = load(text).unwrap().setups[0].model.clone();
    let runs: Vec<_> = (0..4).map(|day| counted_run(&roomy(&model), day)).collect();
    let class = |name: &str| model.classes.iter().position(|class| class.name == name).unwrap();
    let shape = |names: &Vec<&str>| -> Vec<f64> {
        let of = |at: usize| {
            runs.iter().flat_map(|run| names.iter().map(|name| run.passed[0][at][class(name)])).sum::<f64>()
        };
        (0..observed.runs[0].passed[0].len()).map(|at| of(at) / 4.0).collect()
    };
    let columns: Vec<Vec<f64>> = groups.iter().map(shape).collect();
    let counted: Vec<f64> = observed.runs[0].passed[0].iter().map(|bits| bits.unwrap()).collect();
    let weights = vec![1.0; counted.len()];
    NormalEquations::new(&columns, &weights, &vec![0.0; groups.len()]).solve(&counted).unwrap()
}

/// From one morning on which the concentrator is full: what was put in comes out, within what the fit says of itself, and least
/// squares on what was carried is far off. The scenario is the one that `init` writes.
#[test]
#[ignore = "takes ten seconds; CI runs it"]
fn a_full_morning_tells_what_was_wanted() {
    let truth = include_str!("../../templates/starter.toml").replacen("seed = 1 ", "seed = 5 ", 1);
    let observed = observe(&truth, 77, &[0, 1]);
    let by = [("class.clinical.users.per_1000", 0.7), ("class.updates.jobs.per_1000", 1.6)];
    let start = wrong(&by, &truth);
    let found = fitted(&start, &observed, amounts(&start).unwrap()).unwrap();
    let factors = factors(&found);
    for ((path, start), most) in by.iter().zip([0.15, 0.25]) {
        let (moved, half) = factors[*path];
        let off = moved + ln(*start);
        assert!(half < most, "the intervals are narrow: {factors:?}");
        // Of two intervals of 90 % each, both hold the truth in 81 of 100 cases; twice as wide ones in 99.
        assert!(off.abs() <= 2.0 * half, "{path}: {off} +- {half}");
    }
    assert!(found.beyond < 2.0, "{}", found.beyond);
    let plain = least_squares(&truth, &observed, &[vec!["clinical"], vec!["updates"]]);
    assert!(plain[1] < 0.8, "least squares: {plain:?}");
}

/// What a total cannot tell apart is refused by name.
#[test]
fn a_class_that_looks_like_another_is_refused() {
    let truth = small(&open_kent()).replace("sites = 25", "sites = 5").replace("patients = 291691", "patients = 58000");
    let observed = observe(&truth, 5, &[0]);
    let refused = |name: &str| match fitted(&truth, &observed, named(&truth, &[name.to_owned()]).unwrap()) {
        Err(FitError::Refused(what)) => what,
        other => panic!("{name}: {other:?}"),
    };
    let clinical = refused("class.clinical.users.per_1000");
    assert!(clinical.contains("cannot be told from `web`") && clinical.contains("free both"), "{clinical}");
    let telephony = refused("class.telephony.streams.per_1000");
    assert!(telephony.contains("nothing of it passes here"), "{telephony}");
    let size = refused("class.clinical.response.lognormal.mean");
    assert!(size.contains("cannot be told from `web`"), "{size}");
    let twins = ["class.updates.jobs.per_1000", "class.updates.jobs.share"].map(str::to_owned);
    let twins = match fitted(&truth, &observed, named(&truth, &twins).unwrap()) {
        Err(FitError::Refused(what)) => what,
        other => panic!("{other:?}"),
    };
    assert!(twins.contains("what passes shows their product alone"), "{twins}");
}

/// Fault: one of two ways, bits for bytes, or a total beside its ways, is taken for what passed the device.
#[test]
fn what_the_device_cannot_have_counted_is_refused() {
    let text = small(KENT).replace("sites = 25", "sites = 3").replace("patients = 291691", "patients = 35000");
    let model = load(&text).unwrap().setups[0].model.clone();
    let rows = rows(&model, 0, Date::constant(2026, 4, 20));
    let of = |change: &dyn Fn(&SeriesRow) -> Vec<SeriesRow>| {
        let zone = TimeZone::get("Europe/London").unwrap();
        let rows: Vec<SeriesRow> = rows.iter().flat_map(change).collect();
        align(&rows, &model, &Alignment { zone, places: BTreeMap::new() })
    };
    let times = |row: &SeriesRow, factor: f64, toward: Toward| SeriesRow {
        amount: row.amount.map(|value| value * factor),
        toward,
        ..row.clone()
    };
    let one_way = of(&|row| vec![times(row, 0.5, Toward::Up)]).unwrap_err();
    assert!(one_way.contains("has only what goes up"), "{one_way}");
    let much = of(&|row| vec![times(row, 1000.0, Toward::Both)]).unwrap_err();
    assert!(much.contains("the unit of the series"), "{much}");
    let ways = |row: &SeriesRow| [Toward::Up, Toward::Down].map(|toward| times(row, 0.5, toward)).to_vec();
    let with_total = of(&|row| [ways(row), vec![row.clone()]].concat()).unwrap();
    assert_eq!(with_total, of(&|row| ways(row)).unwrap());
}

/// By hand, a quarter of an hour with `--release`: eight days of the whole estate with room, each fitted alone.
#[test]
#[ignore = "by hand"]
fn by_hand_days_with_room_tell_the_groups() {
    let truth = open_kent();
    let start = wrong(&OFF, &truth);
    let mut squares = [0.0; 3];
    for day in 0..8 {
        let found = fitted(&start, &observe(&truth, 78, &[day]), amounts(&start).unwrap()).unwrap();
        println!("{day}: {:.4?} +- {:.4?}", of_truth(&found), halves(&found));
        for (sum, own) in squares.iter_mut().zip(of_truth(&found)) {
            *sum += (own - 1.0).powi(2) / 8.0;
        }
    }
    let rms = squares.map(f64::sqrt);
    println!("root mean square: {rms:.4?}");
    assert!(rms.iter().all(|rms| *rms <= 0.05), "{rms:?}");
}

/// By hand, ten minutes with `--release`: one full morning of the whole estate, from other starts; with windows free and a quarter of
/// an hour off.
#[test]
#[ignore = "by hand"]
fn by_hand_a_full_morning_of_the_whole_estate() {
    let wanted = |text: &str| {
        let model = roomy(&load(text).unwrap().setups[0].model);
        let runs: Vec<_> = (0..2).map(|day| counted_run(&model, day).of(0, None)).collect();
        (0..runs[0].len()).map(|at| f64::midpoint(runs[0][at], runs[1][at])).fold(0.0, f64::max)
    };
    let observed = observe(KENT, 77, &[0]);
    let plain = least_squares(KENT, &observed, &[vec!["clinical", "web"], vec!["logon"], vec!["updates"]]);
    println!("least squares: {plain:.4?}");
    assert!(plain[1] < 0.95 && plain[2] < 0.92, "{plain:?}");
    let late = |text: &str| {
        let windows = windows(text).unwrap();
        let by = vec![15.0; windows.len()];
        changed(text, &windows, &by).unwrap()
    };
    let other = OFF.map(|(path, by)| (path, 1.0 / by));
    for (name, by, is_late, most) in [
        ("low", OFF, false, [0.03, 0.05, 0.08, 0.06]),
        ("high", other, false, [0.03, 0.05, 0.08, 0.06]),
        ("windows", OFF, true, [0.1; 4]),
    ] {
        let start = wrong(&by, KENT);
        let start = if is_late { late(&start) } else { start };
        let mut free = amounts(&start).unwrap();
        if is_late {
            free.extend(windows(&start).unwrap());
        }
        let found = fitted(&start, &observed, free).unwrap();
        let peak = wanted(&found.text) / wanted(KENT);
        let factors = factors(&found);
        let own = [0, 2, 3].map(|place: usize| by[place].1 * exp(factors[by[place].0].0));
        println!(
            "{name}: {own:.4?}, peak {peak:.4}, misfit {:.0?}",
            found.misfit.iter().map(|bits| bits / 300e6).collect::<Vec<f64>>()
        );
        for one in &found.fitted {
            println!("  {}: {:.3} +- {:.3}", one.free.name(), one.moved, one.half);
        }
        for left in &found.left {
            println!("  left {}: {}", left.free.name(), left.why);
        }
        let all = [own[0], own[1], own[2], peak];
        for (own, most) in all.iter().zip(most) {
            assert!((own - 1.0).abs() <= most, "{name}: {all:?}");
        }
    }
}

/// By hand, a quarter of an hour with `--release`: fifty full mornings of a seventh of the estate, each fitted alone.
#[test]
#[ignore = "by hand"]
fn by_hand_nine_of_ten_intervals_hold_the_truth() {
    const DAYS: u32 = 50;
    let truth = small(KENT);
    let start = wrong(&OFF, &truth);
    let held = |day: u32| -> [bool; 3] {
        // With the same simulated days, all fits would have the error of these in common.
        let start = start.replace("seed = 2026", &format!("seed = {}", 3000 + day));
        let found = fitted(&start, &observe(&truth, 1234, &[day]), amounts(&start).unwrap()).unwrap();
        println!("{day}: {:.4?} +- {:.4?}", of_truth(&found), halves(&found));
        [0, 1, 2].map(|place| ln(of_truth(&found)[place]).abs() <= halves(&found)[place])
    };
    let days: Vec<[bool; 3]> = (0..DAYS).into_par_iter().map(held).collect();
    for group in 0..3 {
        let held = days.iter().filter(|day| day[group]).count();
        println!("{held} of {DAYS}");
        assert!((40..=48).contains(&held), "{held} of {DAYS}");
    }
}
