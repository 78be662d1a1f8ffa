//! From sums to results: figures with intervals, targets judged, set-ups compared with the base.

use crate::model::{Balancer, Bottleneck, ChangeKind, Concentrator, Demand, Discipline, Model, Transport};
use crate::scenario::check::target::Measure;
use crate::scenario::warn::Warning;
use crate::scenario::{Setup, Study, warn};
use crate::stats::{Histogram, Interval};
use crate::study::accumulator::Accumulator;
use crate::study::axis::Axis;
use crate::study::calls::CallTally;
use crate::study::control::Forecasts;
use crate::study::day_forecasts::Forecast;
use crate::study::figures::{MEASURES, float, kind, quarter_of};
use crate::study::limits::{Limit, QuarterLoad, binding};
use crate::study::paths::Paths;
use crate::study::record::FocusClass;
use crate::study::results::{Results, SetupResult, TargetResult, Verdict};
use crate::study::series::{CONFIDENCE, ComparedEstimate, Series};
use crate::study::stopping::StopReason;
use crate::study::waits::Waited;
use crate::study::{calls, series, waits};

/// Puts the sums of all setups into results; without forecasts there are no control variates.
pub(super) fn results(
    study: &Study,
    setups: &[&Setup],
    sums: Vec<Accumulator>,
    forecasts: &[Forecasts<'_>],
    watched: FocusClass,
    (replications, stopped): (u32, StopReason),
) -> Results {
    let model = &setups[0].model;
    let axis = Axis::of(model);
    let base = setups.iter().position(|setup| setup.name == "base");
    let figures = compare(study, &sums, forecasts, base);
    let classes: Vec<&str> = model.classes.iter().map(|class| class.name.as_str()).collect();
    let of_setups: Vec<&[Vec<Option<Waited>>]> = sums.iter().map(|sum| &sum.waits[..]).collect();
    let mut waits = waits::compare(&of_setups, base, model.antithetic, &classes).into_iter();
    let of_setups: Vec<&[Vec<Option<CallTally>>]> = sums.iter().map(|sum| &sum.calls[..]).collect();
    let mut calls = calls::compare(&of_setups, base, model.antithetic, &classes).into_iter();
    let mut found = Vec::new();
    for ((setup, sum), (mut figures, mut series)) in setups.iter().zip(sums).zip(figures) {
        let measures = figures.split_off(study.targets.len());
        let values = study.targets.iter().zip(sum.targets.iter().zip(&sum.at_most));
        let judged = values.zip(figures).map(|((target, (values, at_most)), figure)| {
            let whole = values.iter().all(Option::is_some) && !values.is_empty();
            let by_value = verdict(figure.value, target.limit, whole);
            // Unfinished work can make a target missed, or unsure, but not met.
            let could_miss = by_value == Verdict::Met && most(&figure, values, at_most).high() > target.limit;
            let verdict = if could_miss { Verdict::Unsure } else { by_value };
            let (at_least, any) = (is_at_least(values, at_most), values.iter().any(Option::is_some));
            TargetResult { verdict, at_least, measured: any, figure }
        });
        let judged = judged.collect();
        let (waits, of_waits) = waits.next().unwrap_or_default();
        series.extend(of_waits);
        let (calls, of_calls) = calls.next().unwrap_or_default();
        series.extend(of_calls);
        let cost = setup.cost.map(|cost| cost - study.setups[0].cost.unwrap_or(0.0));
        let switched_off = warn::switched_off(&study.setups[0].model, &setup.model);
        found.push(SetupResult { cost, switched_off, waits, calls, series, ..found_of(setup, sum, judged, measures) });
    }
    let told = warn::warnings(study);
    for warning in &told {
        let remark = format!("{}; {}", warning.title, warning.help);
        let of = |found: &&mut SetupResult| warning.setup.as_ref() == Some(&found.name);
        found.iter_mut().filter(of).for_each(|found| found.remarks.push(remark.clone()));
    }
    changed_nothing(&mut found, base);
    Results {
        question: study.question.clone(),
        when: study.when.clone(),
        days: model.calendar.days,
        estate: (model.sites.len(), model.sites.iter().map(|site| u64::from(site.patients)).sum()),
        counted: study.counted.clone(),
        fidelity: model.fidelity.name(),
        check: None,
        warnings: told.iter().filter(|warning| warning.setup.is_none()).map(told_of).collect(),
        seed: model.seed,
        replications,
        antithetic: model.antithetic,
        stopped,
        precision: study.effort.precision.0,
        classes: model.classes.iter().map(|class| class.name.clone()).collect(),
        jobs: model.classes.iter().map(|class| matches!(class.demand, Demand::Jobs { .. })).collect(),
        waited_for: model.classes.iter().map(|class| class.waited_for).collect(),
        currency: study.currency.clone(),
        watched: (watched.class.index(), watched.limit),
        targets: study.targets.iter().map(|target| target.title.clone()).collect(),
        limits: study.targets.iter().map(|target| target.limit).collect(),
        kinds: study.targets.iter().map(|target| kind(target.measure)).collect(),
        hours: study.targets.iter().map(|target| (target.from.hours(), target.until.hours())).collect(),
        setups: found,
        inputs: study.inputs.clone(),
        bins: ((0..axis.len()).map(|bin| axis.start(bin).secs() / 3600.0).collect(), axis.bin.secs()),
        windows: (0..axis.windows().len()).map(|bin| axis.windows().start(bin).secs() / 3600.0).collect(),
    }
}

fn told_of(warning: &Warning) -> String {
    format!("{}; {}", warning.title, warning.help)
}

/// An option without effect: all its figures are those of the base, to the last bit.
fn changed_nothing(found: &mut [SetupResult], base: Option<usize>) {
    let Some(base) = base else { return };
    let values = |found: &SetupResult| found.series.iter().map(|series| series.values.clone()).collect::<Vec<_>>();
    let of_base = values(&found[base]);
    for (place, found) in found.iter_mut().enumerate() {
        let alike = place != base && values(found) == of_base;
        if alike && !found.remarks.iter().any(|remark| remark.contains("changes nothing")) {
            found.remarks.push("it changed nothing: every figure is that of the headend as it is".to_owned());
        }
    }
}

/// A figure is reported as a lower bound if its upper bound is larger by this factor.
const CLEARLY_MORE: f64 = 0.02;

/// Whether unfinished work could have made the figure of some replication clearly larger.
fn is_at_least(values: &[Option<f64>], at_most: &[Option<f64>]) -> bool {
    let more = |(value, most): (&Option<f64>, &Option<f64>)| match (value, most) {
        (Some(value), Some(most)) => *most > value * (1.0 + CLEARLY_MORE),
        _ => false,
    };
    values.iter().zip(at_most).any(more)
}

/// The upper bound of a figure: its interval, moved by what unfinished work can add on average.
pub(crate) fn most(figure: &ComparedEstimate, values: &[Option<f64>], at_most: &[Option<f64>]) -> Interval {
    let more = |(value, most): (&Option<f64>, &Option<f64>)| most.zip(*value).map_or(0.0, |(most, value)| most - value);
    let added: f64 = values.iter().zip(at_most).map(more).sum();
    Interval { mean: figure.value.mean + added / float(values.len()).max(1.0), half: figure.value.half }
}

/// By setup: each target's figure, then each measure's, and how they differ from the base; and what they come from.
fn compare(
    study: &Study,
    sums: &[Accumulator],
    forecasts: &[Forecasts<'_>],
    base: Option<usize>,
) -> Vec<(Vec<ComparedEstimate>, Vec<Series>)> {
    let mut rows = vec![(Vec::new(), Vec::new()); sums.len()];
    let mut add = |mut series: Vec<Series>, forecasts: &[&Forecast]| {
        let compared = series::compare(&mut series, forecasts, base, sums[0].model.antithetic);
        for ((row, compared), series) in rows.iter_mut().zip(compared).zip(series) {
            row.0.push(compared);
            row.1.push(series);
        }
    };
    for (place, target) in study.targets.iter().enumerate() {
        // Percentiles are known to within a bucket, however well the replications agree.
        let resolution = match target.measure {
            Measure::Quantile(..) if target.sites.is_site_by_site() => Histogram::default().resolution(),
            Measure::Quantile(..) => Histogram::fine().resolution(),
            _ => 0.0,
        };
        let unit = kind(target.measure).unit();
        let of = |sum: &Accumulator| Series {
            values: sum.targets[place].clone(),
            at_most: sum.at_most[place].clone(),
            ..Series::new(target.title.clone(), unit, Vec::new(), resolution)
        };
        let forecasts: Vec<&Forecast> = forecasts.iter().map(|forecasts| forecasts.of_target(place)).collect();
        add(sums.iter().map(of).collect(), &forecasts);
    }
    for (place, figure) in MEASURES.iter().enumerate() {
        let of = |sum: &Accumulator| Series::new(figure.name.to_owned(), figure.unit, sum.measures[place].clone(), 0.0);
        add(sums.iter().map(of).collect(), &[]);
    }
    rows
}

pub(crate) fn verdict(value: Interval, limit: f64, measured: bool) -> Verdict {
    if !measured || !value.half.is_finite() {
        Verdict::Unsure
    } else if value.high() <= limit {
        Verdict::Met
    } else if value.low() > limit {
        Verdict::Missed
    } else {
        Verdict::Unsure
    }
}

/// The discipline of the first concentrator, after all dated changes.
pub(crate) fn service(model: &Model) -> &'static str {
    let first = &model.concentrators[0].discipline;
    let mut edited = model.changes.iter().filter_map(|edit| match &edit.kind {
        ChangeKind::SetDiscipline(_, discipline) => Some(discipline),
        _ => None,
    });
    edited.next_back().unwrap_or(first).name()
}

/// Why a set-up lies outside the regimes in which the error of the method was measured (`headend validate --regimes`), if it
/// does.
pub(crate) fn unmeasured(model: &Model) -> Option<&'static str> {
    let rate = |unit: &Concentrator| unit.carries().0.bits();
    let buffer = |unit: &Concentrator| unit.buffer.bits() / rate(unit);
    if model.transport == Transport::Ideal {
        Some("ideal transport")
    } else if !model.faults.is_empty() {
        Some("faults")
    } else if model.sites.len() > 200 {
        Some("more than 200 sites")
    } else if model.concentrators.iter().any(|unit| !(5e6..=1e9).contains(&rate(unit))) {
        Some("a throughput outside 5 Mbit/s to 1 Gbit/s")
    } else if model.concentrators.iter().any(|unit| !(0.01..=0.2).contains(&buffer(unit))) {
        Some("a buffer outside 10 to 200 ms")
    } else if model.classes.iter().any(|class| class.turns > 6) {
        Some("more than 6 turns")
    } else if model.pools.iter().any(|pool| pool.balancer == Balancer::JoinShortest) {
        Some("a concentrator chosen for each transaction")
    } else {
        None
    }
}

fn found_of(
    setup: &Setup,
    mut sum: Accumulator,
    targets: Vec<TargetResult>,
    measures: Vec<ComparedEstimate>,
) -> SetupResult {
    let share = 1.0 / f64::from(sum.replications);
    sum.carried.iter_mut().flatten().flatten().for_each(|value| *value *= share);
    sum.capacity.iter_mut().flatten().for_each(|value| *value *= share);
    sum.queue.iter_mut().flatten().for_each(|value| *value *= share);
    sum.by_class.iter_mut().flatten().for_each(|bin| bin.scale(share));
    sum.cut_off.iter_mut().chain(&mut sum.on_paper).for_each(|value| *value *= share);
    for bin in sum.concentrators.iter_mut().flatten() {
        let whole = std::mem::take(bin);
        bin.add(&whole, share);
    }
    let limits = limits_of(&setup.model, &sum);
    let quantiles = |window: &Histogram| Some((window.quantile(0.5)? / 1e6, window.quantile(0.95)? / 1e6));
    #[allow(clippy::cast_precision_loss)] // a share for a chart
    let slow = |&(all, slow): &(u32, u32)| (all > 0).then(|| slow as f32 / all as f32);
    let model = &setup.model;
    let units = model.concentrators.iter().zip(&sum.tunnels);
    let curfews = model.classes.iter().enumerate().flat_map(|(class, terms)| {
        terms.rules.curfews.iter().map(move |curfew| (class, curfew.from.secs() / 3600.0, curfew.until.secs() / 3600.0))
    });
    SetupResult {
        name: setup.name.clone(),
        title: setup.title.clone(),
        what: setup.what.clone(),
        cost: None,
        service: service(model),
        unmeasured: unmeasured(model),
        concentrators: units.map(|(unit, tunnels)| (unit.name.clone(), unit.carries().0.bits(), *tunnels)).collect(),
        remarks: remarks(model),
        switched_off: Vec::new(),
        concentrator_bins: sum.concentrators,
        limits,
        cut_off: sum.cut_off,
        on_paper: sum.on_paper,
        paths: mean_of(&sum.paths),
        mornings: sum
            .mornings
            .iter()
            .map(|(tally, over)| (tally.interval(CONFIDENCE), f64::from(*over) * share))
            .collect(),
        targets,
        measures,
        waits: Vec::new(),
        calls: Vec::new(),
        series: Vec::new(),
        ledger: sum.ledger,
        served: sum.served,
        carried: sum.carried,
        capacity: sum.capacity,
        queue: sum.queue,
        by_class: sum.by_class,
        latency: sum.latencies.iter().map(|windows| windows.iter().map(quantiles).collect()).collect(),
        affected: sum.affected.iter().map(|tally| tally.interval(CONFIDENCE)).collect(),
        heat: (0..model.sites.len())
            .map(|site| sum.by_window.iter().map(|sites| slow(&sites[site])).collect())
            .collect(),
        sites: model.sites.iter().zip(sum.sites).map(|(site, sums)| (site.name.clone(), site.patients, sums)).collect(),
        curfews: curfews.collect(),
    }
}

/// The limit that binds at each concentrator in each quarter of an hour.
fn limits_of(model: &Model, sum: &Accumulator) -> Vec<Vec<Limit>> {
    let bins = sum.axis.len();
    let width = quarter_of(sum.axis.bin.secs());
    let of_unit = |(place, unit): (usize, &Concentrator)| {
        let quarters = (0..bins).step_by(width).map(|first| {
            let last = (first + width).min(bins);
            let classes = model.classes.len();
            let here = &sum.carried[place][first..last];
            let carried = (0..classes).map(|class| here.iter().map(|bin| bin[class]).sum());
            let quarter = QuarterLoad {
                carried: &carried.collect::<Vec<f64>>(),
                capacity: sum.capacity[place][first..last].iter().sum(),
                bins: &sum.concentrators[place][first..last],
                cut_off: sum.cut_off[first..last].iter().sum::<f64>() / float(last - first),
            };
            binding(model, unit, &quarter)
        });
        quarters.collect()
    };
    model.concentrators.iter().enumerate().map(of_unit).collect()
}

fn mean_of(paths: &[Paths]) -> Paths {
    let count = float(paths.len()).max(1.0);
    let mean = |of: fn(&Paths) -> f64| paths.iter().map(of).sum::<f64>() / count;
    Paths {
        sites: mean(|path| path.sites),
        months: mean(|path| path.months),
        outages: mean(|path| path.outages),
        longest: mean(|path| path.longest),
        goes_on: paths.iter().any(|path| path.goes_on),
        at_once: mean(|path| path.at_once),
        staff_lost: mean(|path| path.staff_lost),
        staff: mean(|path| path.staff),
    }
}

/// Remarks that follow from the set-up alone.
pub(crate) fn remarks(model: &Model) -> Vec<String> {
    let mut remarks = Vec::new();
    for concentrator in &model.concentrators {
        if concentrator.discipline != Discipline::Fifo && *concentrator.order() == Discipline::Fifo {
            let why = match concentrator.carries().1 {
                Bottleneck::Line => "it was told that its line carries more than it does, so queues form beyond it",
                _ => "encryption is what holds packets up, and takes them as they come",
            };
            remarks.push(format!("the order of service at {} does nothing: {why}", concentrator.name));
        }
    }
    let (all, each) = model.tunnels.count(model.concentrators.len() as u64, model.sites.len() as u64);
    for concentrator in &model.concentrators {
        if let Some(most) = concentrator.tunnels.filter(|most| each > u64::from(*most)) {
            remarks.push(format!(
                "a design in which each site has a tunnel to each concentrator needs {each} tunnels at {}, which holds \
                 {most} ({all} in all)",
                concentrator.name
            ));
        }
    }
    remarks
}
