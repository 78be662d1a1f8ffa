//! A comparison: which set-up is the best, with what certainty, what each costs, and how often each meets its targets.

use serde::Serialize;

use crate::elementary::ln;
use crate::report::chart::ranges;
use crate::report::chart::ranges::RangeScale;
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::finding::{Evidence, Finding};
use crate::report::recommend::is_better;
use crate::report::tidy;
use crate::report::tidy::known;
use crate::report::words::{
    capital, change, figure, in_unit_of, interval, list, measured, money, number, quoted, several, staff_time,
};
use crate::scenario::Study;
use crate::stats::{Interval, Tally, holm};
use crate::study::days::DayResult;
use crate::study::figures::{TargetKind, kind};
use crate::study::select::{Selected, Zone};
use crate::study::series::CONFIDENCE;

/// A set-up and what it measured, target by target, on each of its days.
pub struct Candidate {
    /// Its name for people.
    pub title: String,
    /// What it costs more than the base of the first file, if that is known.
    pub cost: Option<f64>,
    /// Classes that it switches off.
    pub switched_off: Vec<String>,
    /// Measurements by day.
    pub days: Vec<DayResult>,
}

impl Candidate {
    /// Another figure's mean over its days.
    fn of(&self, figure: fn(&DayResult) -> f64) -> Interval {
        self.days.iter().map(figure).collect::<Tally>().interval(CONFIDENCE)
    }

    /// A target's measure on each day; zero where there was nothing to measure.
    fn measured(&self, target: usize) -> Vec<f64> {
        self.days.iter().map(|day| day.targets[target].unwrap_or(0.0)).collect()
    }
}

/// The result of a comparison.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The question.
    pub question: String,
    /// Targets in words; the first is what set-ups are compared by.
    pub targets: Vec<String>,
    /// Their limits, and what they are.
    pub limits: Vec<f64>,
    /// See `limits`.
    pub kinds: Vec<TargetKind>,
    /// A difference that is not worth detecting, and the probability that the selection is right.
    pub zone: (f64, f64),
    /// What was selected.
    pub selected: Selected,
    /// Each set-up.
    pub rows: Vec<CompareRow>,
    /// The cheapest that meets every target, if costs are known.
    pub cheapest: Option<usize>,
    /// The sign of the currency of costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// A set-up in a comparison.
#[derive(Clone, Debug, Serialize)]
pub struct CompareRow {
    /// Its name for people.
    pub title: String,
    /// What it costs more than the base of the first file.
    pub cost: Option<f64>,
    /// By target: mean over its days.
    pub figures: Vec<Interval>,
    /// By target: probability that a day is within the limit (days are taken to vary as a lognormal does).
    pub probability: Vec<f64>,
    /// Every target's interval lies within its limit.
    pub meets_all: bool,
    /// Time for which the watched class was over its limit [min].
    pub minutes_over: Interval,
    /// Time that people lost by waiting [h].
    pub staff_lost: Interval,
    /// Jobs that were not finished at the end.
    pub unfinished: Interval,
    /// How many more of them than in the first set-up, on the same days, if that is clear.
    pub more_unfinished: Option<f64>,
    /// Classes that it switches off at times at which the base of the first file has them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub switched_off: Vec<String>,
    /// No other is as good in all, and better in something: cost, the first target, time over the limit, staff time lost,
    /// unfinished jobs.
    pub on_the_front: bool,
    /// What sets it apart from the first set-up; none for the first.
    pub difference: Option<Difference>,
}

/// How the first target's measure differs from that of the first set-up, on the days that both were run on.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Difference {
    /// Paired difference.
    pub by: Interval,
    /// Whether it is clear at 5 % after Holm's correction over all set-ups.
    pub clear: bool,
    /// How many times as many days independent ones would have needed for it; none where both are the same every day.
    pub saved: Option<f64>,
}

impl Comparison {
    /// Evaluates a comparison.
    #[must_use]
    pub fn new(study: &Study, zone: Zone, selected: Selected, candidates: &[Candidate]) -> Self {
        let limits: Vec<f64> = study.targets.iter().map(|target| target.limit).collect();
        let (differences, more) = (differences(candidates), more_unfinished(candidates));
        let mut rows: Vec<CompareRow> = candidates.iter().map(|candidate| row(candidate, &limits)).collect();
        let points: Vec<Option<[f64; 5]>> = rows.iter().map(point).collect();
        for (place, row) in rows.iter_mut().enumerate() {
            let beats = |own: &[f64; 5]| points.iter().flatten().any(|other| is_better(other, own));
            row.on_the_front = points[place].as_ref().is_some_and(|own| !beats(own));
            row.difference = differences[place];
            row.more_unfinished = more[place];
        }
        // Of several for the same cost the one on the front, which is better in something and worse in nothing.
        let cheapest = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.meets_all && row.more_unfinished.is_none() && row.switched_off.is_empty())
            .filter_map(|(place, row)| Some((place, (row.cost?, !row.on_the_front, row.staff_lost.mean))))
            .min_by(|(_, a), (_, b)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.total_cmp(&b.2)))
            .map(|(place, _)| place);
        Self {
            question: study.question.clone(),
            targets: study.targets.iter().map(|target| target.title.clone()).collect(),
            kinds: study.targets.iter().map(|target| kind(target.measure)).collect(),
            limits,
            zone: (zone.indifference, zone.confidence),
            selected,
            rows,
            cheapest,
            currency: study.currency.clone(),
        }
    }

    /// Whether some set-up meets every target.
    #[must_use]
    pub fn someone_meets_all(&self) -> bool {
        self.rows.iter().any(|row| row.meets_all)
    }
}

/// The criteria of a set-up with a known cost; less is better.
fn point(row: &CompareRow) -> Option<[f64; 5]> {
    let figures = [row.figures[0], row.minutes_over, row.staff_lost, row.unfinished].map(|figure| figure.mean);
    row.cost.map(|cost| [cost, figures[0], figures[1], figures[2], figures[3]])
}

/// By set-up: how many more jobs it leaves unfinished than the first, where that is clear.
fn more_unfinished(candidates: &[Candidate]) -> Vec<Option<f64>> {
    let first = &candidates[0].days;
    let of = |candidate: &Candidate| {
        let by: Tally = first.iter().zip(&candidate.days).map(|(a, b)| b.unfinished - a.unfinished).collect();
        Some(by.interval(CONFIDENCE)).filter(|by| by.low() > 0.0).map(|by| by.mean)
    };
    candidates.iter().map(of).collect()
}

fn row(candidate: &Candidate, limits: &[f64]) -> CompareRow {
    let figures: Vec<Interval> = (0..limits.len())
        .map(|target| candidate.measured(target).into_iter().collect::<Tally>().interval(CONFIDENCE))
        .collect();
    let probability =
        limits.iter().enumerate().map(|(target, &limit)| within(&candidate.measured(target), limit)).collect();
    let meets_all = figures.iter().zip(limits).all(|(figure, limit)| figure.high() <= *limit);
    CompareRow {
        title: candidate.title.clone(),
        cost: candidate.cost,
        figures,
        probability,
        meets_all,
        minutes_over: candidate.of(|day| day.minutes_over),
        staff_lost: candidate.of(|day| day.staff_lost),
        unfinished: candidate.of(|day| day.unfinished),
        more_unfinished: None,
        switched_off: candidate.switched_off.clone(),
        on_the_front: false,
        difference: None,
    }
}

/// Differences from the first, corrected for being several (Holm 1979).
fn differences(candidates: &[Candidate]) -> Vec<Option<Difference>> {
    let first = candidates[0].measured(0);
    let others: Vec<Vec<f64>> = candidates[1..].iter().map(|candidate| candidate.measured(0)).collect();
    let paired = |other: &Vec<f64>| first.iter().zip(other).map(|(a, b)| b - a).collect::<Tally>();
    let pairs: Vec<Tally> = others.iter().map(paired).collect();
    let adjusted = holm(&pairs.iter().map(|pair| pair.estimate().p_value()).collect::<Vec<_>>());
    let saved = |other: &[f64], pair: &Tally| {
        let count = first.len().min(other.len());
        let spread = |values: &[f64]| values[..count].iter().copied().collect::<Tally>().variance();
        (count >= 3 && pair.variance() > 0.0).then(|| (spread(&first) + spread(other)) / pair.variance())
    };
    let difference = |((other, pair), p): ((&Vec<f64>, &Tally), f64)| Difference {
        by: pair.interval(CONFIDENCE),
        clear: p < 1.0 - CONFIDENCE,
        saved: saved(other, pair),
    };
    let all = others.iter().zip(&pairs).zip(adjusted).map(difference);
    std::iter::once(None).chain(all.map(Some)).collect()
}

/// Probability that a day is within a limit.
fn within(days: &[f64], limit: f64) -> f64 {
    use statrs::distribution::{ContinuousCDF, Normal};
    let small = limit.abs() * 1e-3 + 1e-12;
    let logs: Tally = days.iter().map(|value| ln(value + small)).collect();
    let spread = logs.variance().sqrt();
    let distance = ln(limit + small) - logs.mean();
    if spread <= 1e-12 { f64::from(u8::from(distance >= 0.0)) } else { Normal::standard().cdf(distance / spread) }
}

/// The best, or those that could not be distinguished.
fn selected(comparison: &Comparison) -> String {
    let best = &comparison.rows[comparison.selected.best];
    let what = measured(&comparison.targets[0]);
    let certainty = number(100.0 * comparison.zone.1);
    let zone = figure(comparison.zone.0, comparison.kinds[0]);
    if comparison.selected.left.len() > 1 {
        let left: Vec<String> =
            comparison.selected.left.iter().map(|&place| quoted(&comparison.rows[place].title)).collect();
        format!("The budget was not enough to tell {} apart by {zone} of {what}.", list(&left))
    } else {
        format!(
            "{} is the best by {what}, or within {zone} of it, with a probability of {certainty} %: {}{}.",
            quoted(&best.title),
            interval(&best.figures[0], comparison.kinds[0]),
            factor(comparison)
        )
    }
}

/// The answer in sentences: the best, set-ups that leave work unfinished, the cheapest that meets every target.
fn sentences(comparison: &Comparison) -> Vec<String> {
    let best = &comparison.rows[comparison.selected.best];
    let mut sentences = Vec::new();
    if let Some(cheapest) = comparison.cheapest {
        let row = &comparison.rows[cheapest];
        sentences.push(format!(
            "{} is the cheapest that meets every target, at {}.",
            quoted(&row.title),
            money(comparison.currency.as_deref(), row.cost.unwrap_or_default())
        ));
    }
    sentences.push(selected(comparison));
    if comparison.selected.left.len() == 1 && !best.meets_all && comparison.someone_meets_all() {
        let of = |is: fn(&Interval, f64) -> bool| -> Vec<String> {
            let all = best.figures.iter().zip(&comparison.limits).zip(&comparison.targets);
            all.filter(|((figure, limit), _)| is(figure, **limit)).map(|(_, title)| quoted(title)).collect()
        };
        let missed = of(|figure, limit| figure.low() > limit);
        let unsure = of(|figure, limit| figure.high() > limit && figure.low() <= limit);
        if !missed.is_empty() {
            sentences.push(format!("It misses {}.", list(&missed)));
        }
        if !unsure.is_empty() {
            sentences.push(format!("It is not sure to meet {}.", list(&unsure)));
        }
    }
    for row in &comparison.rows {
        let Some(more) = row.more_unfinished else { continue };
        sentences.push(format!(
            "{} does less of the work: it leaves {} more than {} unfinished at the end.",
            quoted(&row.title),
            several(whole(more), ["job", "jobs"]),
            quoted(&comparison.rows[0].title)
        ));
    }
    for row in comparison.rows.iter().filter(|row| !row.switched_off.is_empty()) {
        let classes = list(&row.switched_off);
        sentences.push(format!("{} does less of the work: no {classes} while it is switched off.", quoted(&row.title)));
    }
    if !comparison.someone_meets_all() {
        sentences.push("None is sure to meet every target.".to_owned());
    }
    sentences
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a mean number of jobs
fn whole(number: f64) -> usize {
    number.round().max(0.0) as usize
}

/// The ratio of the best to the first, where that is above 1.5.
fn factor(comparison: &Comparison) -> String {
    let (first, best) = (&comparison.rows[0], &comparison.rows[comparison.selected.best]);
    let by = first.figures[0].mean / best.figures[0].mean;
    if best.difference.is_some_and(|by| by.clear) && by.is_finite() && by >= 1.5 {
        format!("; with {} it is {} times as much", quoted(&first.title), number(by))
    } else {
        String::new()
    }
}

/// Answer, chart and evidence.
#[must_use]
pub fn finding(comparison: &Comparison, setting: &str) -> Finding {
    let table = table(comparison);
    Finding {
        name: "compare".to_owned(),
        question: comparison.question.clone(),
        setting: setting.to_owned(),
        answer: sentences(comparison),
        chart: Some(chart(comparison, &table)),
        evidence: vec![Evidence { title: "Set-ups, the best first".to_owned(), table, keys: 1 }],
        cautions: Vec::new(),
        method: method(comparison),
        csv: csv(comparison),
    }
}

/// Set-ups from the best to the worst by the first target.
fn ranked(comparison: &Comparison) -> Vec<usize> {
    let mut order: Vec<usize> = (0..comparison.rows.len()).collect();
    order.sort_by(|&a, &b| comparison.rows[a].figures[0].mean.total_cmp(&comparison.rows[b].figures[0].mean));
    order
}

fn table(comparison: &Comparison) -> ChartTable {
    let costs = comparison.rows.iter().any(|row| row.cost.is_some_and(|cost| cost > 0.0));
    let mut head = vec!["set-up".to_owned()];
    head.extend(comparison.targets.iter().flat_map(|target| [target.clone(), "days on which it is met".to_owned()]));
    head.extend([
        format!("against {}", quoted(&comparison.rows[0].title)),
        "over the limit".to_owned(),
        "staff time lost".to_owned(),
        "unfinished".to_owned(),
        "days".to_owned(),
        "meets all".to_owned(),
    ]);
    if costs {
        head.extend(["extra cost".to_owned(), "on the front".to_owned()]);
    }
    let row = |place: usize| {
        let row = &comparison.rows[place];
        let mut cells = vec![row.title.clone()];
        for (target, (value, probability)) in row.figures.iter().zip(&row.probability).enumerate() {
            cells.extend([
                interval(value, comparison.kinds[target]),
                format!("{} %", number((1000.0 * probability).round() / 10.0)),
            ]);
        }
        let over = format!("{} min", number(row.minutes_over.mean));
        let days = comparison.selected.days[place].to_string();
        let (staff, unfinished) = (staff_time(row.staff_lost.mean), number(row.unfinished.mean));
        cells.extend([against(row, comparison.kinds[0]), over, staff, unfinished, days, yes(row.meets_all)]);
        if costs {
            let cost = |cost| money(comparison.currency.as_deref(), cost);
            cells.extend([
                row.cost.map_or_else(String::new, cost),
                row.cost.map_or_else(String::new, |_| yes(row.on_the_front)),
            ]);
        }
        cells
    };
    ChartTable { rows: ranked(comparison).into_iter().map(row).collect(), head }
}

/// The first target, set-up by set-up.
fn chart(comparison: &Comparison, table: &ChartTable) -> Chart {
    let kind = comparison.kinds[0];
    let finite = |value: &Interval| if value.half.is_finite() { value.half } else { 0.0 };
    let rows: Vec<ranges::RangeRow> = ranked(comparison)
        .into_iter()
        .map(|place| {
            let (row, value) = (&comparison.rows[place], &comparison.rows[place].figures[0]);
            ranges::RangeRow::Value {
                label: row.title.clone(),
                value: value.mean,
                ends: (value.mean - finite(value), value.mean + finite(value)),
                good: value.high() <= comparison.limits[0],
                words: interval(value, kind),
            }
        })
        .collect();
    let reach = comparison.rows.iter().map(|row| row.figures[0].mean + finite(&row.figures[0]));
    let most = reach.fold(comparison.limits[0] * 1.4, f64::max);
    let show = |value: f64| in_unit_of(value, most, kind);
    let scale = RangeScale {
        most,
        step: ranges::step(most, kind),
        show: &show,
        lines: vec![ranges::limit(comparison.limits[0])],
        now: 0.0,
        keys: Vec::new(),
    };
    Chart {
        name: "compare",
        title: selected(comparison),
        note: format!(
            "{}, mean over days with its 95 % interval. A filled dot meets the target, a ring does not or is not certain to.",
            capital(measured(&comparison.targets[0]))
        ),
        svg: ranges::draw(&rows, &scale),
        table: table.clone(),
    }
}

fn method(comparison: &Comparison) -> Vec<String> {
    let mut method = Vec::new();
    let saved: Vec<f64> = comparison.rows.iter().filter_map(|row| row.difference?.saved).collect();
    if let Some(least) = saved.iter().copied().reduce(f64::min) {
        let most = saved.iter().copied().fold(least, f64::max);
        method.push(format!(
            "All set-ups saw the same days: independent days would have had to be {} to {} times as many for a difference.",
            number(least),
            number(most)
        ));
    }
    method.push(
        "Selection with an indifference zone on the same days for all (Kim & Nelson 2001); who is clearly behind is not run any \
         further. Intervals are 95 %; differences from the first are paired, by the first target, and called clear where \
         they are so after Holm's correction over all set-ups (1979). On the front: no other is as good in all of cost, \
         first target, time over the limit, staff time lost and unfinished jobs, and better in one."
            .to_owned(),
    );
    method
}

/// The difference from the first set-up, and whether it is clear.
fn against(row: &CompareRow, kind: TargetKind) -> String {
    let shown = |difference: &Difference| {
        let clear = if difference.clear { "" } else { ", not clear" };
        format!("{}{clear}", change(&difference.by, Some(kind)))
    };
    row.difference.as_ref().map_or_else(String::new, shown)
}

fn yes(so: bool) -> String {
    if so { "yes" } else { "no" }.to_owned()
}

/// Columns of [`csv`].
const HEAD: [&str; 18] = [
    "option",
    "target",
    "mean",
    "low",
    "high",
    "probability",
    "difference",
    "difference_low",
    "difference_high",
    "clear",
    "minutes_over",
    "staff_hours_lost",
    "unfinished",
    "days",
    "meets_all",
    "cost",
    "on_the_front",
    "best",
];

/// As tidy CSV.
fn csv(comparison: &Comparison) -> String {
    let rows = comparison.rows.iter().enumerate().flat_map(|(place, row)| {
        let of_target = move |target: usize| {
            let value = &row.figures[target];
            let [mean, low, high] = [value.mean, value.low(), value.high()].map(known);
            let by = row.difference.filter(|_| target == 0);
            let clear = by.map_or_else(String::new, |by| by.clear.to_string());
            let [by, by_low, by_high] =
                by.map_or_else(Default::default, |by| [by.by.mean, by.by.low(), by.by.high()].map(known));
            let (cost, best) = (row.cost.map_or_else(String::new, known), place == comparison.selected.best);
            let (title, what) = (row.title.clone(), comparison.targets[target].clone());
            let (probability, days) = (known(row.probability[target]), comparison.selected.days[place].to_string());
            let (meets, best) = (row.meets_all.to_string(), best.to_string());
            let (over, front) = (known(row.minutes_over.mean), row.on_the_front.to_string());
            let (staff, unfinished) = (known(row.staff_lost.mean), known(row.unfinished.mean));
            [
                title,
                what,
                mean,
                low,
                high,
                probability,
                by,
                by_low,
                by_high,
                clear,
                over,
                staff,
                unfinished,
                days,
                meets,
                cost,
                front,
                best,
            ]
        };
        (0..row.figures.len()).map(of_target)
    });
    tidy::csv(HEAD, rows)
}
