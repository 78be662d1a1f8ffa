//! A hindcast in words: a scenario, or the series itself, against days that were counted.

use jiff::civil::Date;

use crate::fit::held::{HeldDay, allowed, inside};
use crate::fit::seasonal::{BAND, WeekForecast};
use crate::report::drawn::ChartTable;
use crate::report::finding::{Evidence, Finding};
use crate::report::held::{self, percent};
use crate::report::tidy::{self, known};
use crate::report::words::{list, number, several};
use crate::stats::quantile;

/// A scenario against days that were counted.
#[must_use]
pub fn finding(
    question: &str,
    setting: String,
    days: &[HeldDay],
    simulated: u32,
    baseline: &[WeekForecast],
) -> Finding {
    let (within, all) = inside(days);
    let error = quantile(&days.iter().map(HeldDay::error).collect::<Vec<f64>>(), 0.5);
    let were = match (within, all) {
        (1, 1) => "The day was as the scenario says".to_owned(),
        (0, 1) => "The day was not as the scenario says".to_owned(),
        (within, all) if within == all => format!("All {all} days were as the scenario says"),
        (0, all) => format!("None of {all} days was as the scenario says"),
        (1, all) => format!("One of {all} days was as the scenario says"),
        (within, all) => format!("{within} of {all} days were as the scenario says"),
    };
    let title = format!("{were}; the median day is {} off, interval by interval", percent(error));
    let several_places = held::is_of_several(days);
    let mut answer = vec![format!("{title}.")];
    answer.extend(days.iter().filter_map(|day| held::outside(day, several_places)).take(2));
    if let Some(sentence) = against_itself(baseline) {
        answer.push(sentence);
    }
    if !held::holds(days) {
        answer.push(
            "The scenario is not this headend yet; “headend fit” finds the numbers that explain these days.".to_owned(),
        );
    }
    Finding {
        name: "hindcast".to_owned(),
        question: question.to_owned(),
        setting,
        answer,
        chart: Some(held::chart("hindcast", title, days)),
        evidence: vec![held::evidence("The days", days)],
        cautions: Vec::new(),
        method: vec![format!(
            "{} of the scenario were simulated. A figure is inside where it lies in the range in which a new day would (Student's \
             prediction interval, and all simulated days; a shape is off by its distance from the mean day, interval by interval): so \
             wide that all figures of a day are inside in 95 % of cases where the \
             scenario is right. Of {}, {} may lie outside by chance.",
            several(simulated as usize, ["day", "days"]),
            several(all, ["day", "days"]),
            allowed(all)
        )],
        csv: held::csv(days),
    }
}

/// What the series says of itself a week ahead.
fn against_itself(weeks: &[WeekForecast]) -> Option<String> {
    (!weeks.is_empty()).then(|| {
        format!(
            "Forecast from itself a week ahead, the series is {} off.",
            percent(median(weeks, |week| week.errors()[0]))
        )
    })
}

fn median(weeks: &[WeekForecast], of: impl Fn(&WeekForecast) -> f64) -> f64 {
    quantile(&weeks.iter().map(of).collect::<Vec<f64>>(), 0.5)
}

/// How far the 95th percentile was off, as a share of it.
fn p95_error(week: &WeekForecast) -> f64 {
    let [counted, forecast, _] = week.p95();
    (forecast / counted - 1.0).abs()
}

/// A series forecast from itself; `unit` has the name of that of its table, and so many of it for one of the series.
#[must_use]
pub fn of_series(name: &str, setting: String, weeks: &[WeekForecast], unusual: &[Date], unit: (&str, f64)) -> Finding {
    let better = weeks.iter().filter(|week| week.errors()[0] < week.errors()[1]).count();
    let of = |which: usize| median(weeks, |week| week.errors()[which]);
    let title = format!("A week ahead, the median week of this series can be foretold to {}", percent(of(0)));
    let bands: Vec<bool> = weeks
        .iter()
        .filter_map(|week| {
            let (low, high) = week.band?;
            Some((low..=high).contains(&week.p95()[0]))
        })
        .collect();
    let mut answer = vec![
        format!(
            "{title}; the week before in its place is {} off. The forecast is better in {better} of {}.",
            percent(of(1)),
            several(weeks.len(), ["week", "weeks"])
        ),
        format!(
            "The 95th percentile over the intervals of a week is {} off in the median week.",
            percent(median(weeks, p95_error))
        ),
    ];
    if !bands.is_empty() {
        let inside = bands.iter().filter(|inside| **inside).count();
        answer.push(format!(
            "Its {} % band held it in {inside} of {}.",
            number(100.0 * BAND),
            several(bands.len(), ["week", "weeks"])
        ));
    }
    if !unusual.is_empty() {
        let dates: Vec<String> = unusual.iter().map(Date::to_string).collect();
        answer.push(format!("Unlike any other day of their weekday, and left out: {}.", list(&dates)));
    }
    Finding {
        name: "hindcast".to_owned(),
        question: format!("How well can {name} be foretold from itself?"),
        setting,
        answer,
        chart: None,
        evidence: vec![table(weeks, unit)],
        cautions: Vec::new(),
        method: vec![
            "Each week is forecast from the weeks before it alone: level x weekday x shape of the day. Weekdays have their means over \
             all weeks, the shape of a day over the last six, and the level is smoothed (Brown 1959) with the weight that did best so \
             far."
                .to_owned(),
        ],
        csv: csv(weeks),
    }
}

fn table(weeks: &[WeekForecast], (unit, scale): (&str, f64)) -> Evidence {
    let shown = |value: f64| number(value * scale);
    let p95 = format!("95th percentile [{unit}]");
    let head = ["week of", "off by", "week before", p95.as_str(), "forecast", "80 % band"].map(str::to_owned);
    let rows = weeks.iter().map(|week| {
        let ([own, last], [counted, forecast, _]) = (week.errors(), week.p95());
        let band = week.band.map(|(low, high)| format!("{} to {}", shown(low), shown(high)));
        vec![
            week.monday.to_string(),
            percent(own),
            percent(last),
            shown(counted),
            shown(forecast),
            band.unwrap_or_default(),
        ]
    });
    Evidence {
        title: "Every week, forecast from those before it".to_owned(),
        table: ChartTable { head: head.to_vec(), rows: rows.collect() },
        keys: 1,
    }
}

fn csv(weeks: &[WeekForecast]) -> String {
    let head = ["week_of", "date", "interval", "counted", "forecast", "week_before"];
    let rows = weeks.iter().flat_map(|week| {
        week.points.iter().map(|point| {
            let [counted, forecast, last] = [point.counted, point.forecast, point.last].map(known);
            [week.monday.to_string(), point.date.to_string(), point.place.to_string(), counted, forecast, last]
        })
    });
    tidy::csv(head, rows)
}
