//! Tidy CSV: one row an observation, one column a variable, units in the names.

use crate::stats::Interval;
use crate::study::calls::Calls;
use crate::study::figures::{MEASURES, quarter_of};
use crate::study::results::Results;
use crate::study::series::{ComparedEstimate, Forecasted, Series};
use crate::study::waits::Wait;
use crate::units::is_formula;

/// CSV that is written row by row: a timeline has tens of thousands of rows. Writing to memory cannot fail.
pub(super) struct CsvRows(csv::Writer<Vec<u8>>);

impl CsvRows {
    pub fn new<'a>(head: impl IntoIterator<Item = &'a str>) -> Self {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(head).expect("writing to memory cannot fail");
        Self(writer)
    }

    pub fn push(&mut self, row: impl IntoIterator<Item = String>) {
        let cells = row.into_iter().map(|cell| match cell.strip_prefix('-') {
            // A zero has no sign.
            Some(rest) if rest.parse() == Ok(0.0) => rest.to_owned(),
            _ if is_formula(&cell) => format!("'{cell}"),
            _ => cell,
        });
        self.0.write_record(cells).expect("writing to memory cannot fail");
    }

    pub fn text(self) -> String {
        let bytes = self.0.into_inner().expect("writing to memory cannot fail");
        String::from_utf8(bytes).expect("text in, text out")
    }
}

/// Writes rows as CSV.
pub(crate) fn csv<'a, R: IntoIterator<Item = String>>(
    head: impl IntoIterator<Item = &'a str>,
    rows: impl Iterator<Item = R>,
) -> String {
    let mut all = CsvRows::new(head);
    rows.for_each(|row| all.push(row));
    all.text()
}

/// A number as it is, and nothing where there is none.
pub(crate) fn known(value: f64) -> String {
    if value.is_finite() { value.to_string() } else { String::new() }
}

/// The lower end of the interval of something that cannot be negative.
fn low(value: &Interval) -> f64 {
    if value.mean >= 0.0 { value.low().max(0.0) } else { value.low() }
}

/// Six significant digits.
fn digits(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let text = format!("{value:.5e}");
    text.parse::<f64>().map_or(text, |rounded| format!("{rounded}"))
}

/// Day (1 is the first) and time of day.
fn when(results: &Results, hours: f64) -> [String; 2] {
    let day = (hours / 24.0 + 1e-9).floor();
    let seconds = ((hours - 24.0 * day) * 3600.0).round();
    let text = format!("{:02}:{:02}", (seconds / 3600.0).floor(), (seconds / 60.0).floor() % 60.0);
    // Bins of less than a minute need seconds, or many have one name.
    let text = if results.bins.1 < 60.0 { format!("{text}:{:02}", seconds % 60.0) } else { text };
    [format!("{}", day + 1.0), text]
}

pub(super) fn summary(results: &Results, rows: &mut CsvRows) {
    let row =
        |option: &str, figure: &str, unit: &str, compared: &ComparedEstimate, limit: String, judged: [&str; 2]| {
            let by = |of: fn(&Interval) -> f64| compared.change.as_ref().map_or_else(String::new, |by| digits(of(by)));
            let value = &compared.value;
            [
                option.to_owned(),
                figure.to_owned(),
                unit.to_owned(),
                digits(value.mean),
                digits(low(value)),
                digits(value.high()),
                by(|by| by.mean),
                by(Interval::low),
                by(Interval::high),
                compared.change.map_or_else(String::new, |_| compared.clear.to_string()),
                limit,
                judged[0].to_owned(),
                judged[1].to_owned(),
            ]
        };
    for setup in &results.setups {
        for (index, judged) in setup.targets.iter().enumerate() {
            let unit = results.kinds[index].unit();
            let limit = digits(results.limits[index]);
            let verdict = [judged.verdict.name(), if judged.at_least { "true" } else { "false" }];
            rows.push(row(&setup.name, &results.targets[index], unit, &judged.figure, limit, verdict));
        }
        for (figure, compared) in MEASURES.iter().zip(&setup.measures) {
            rows.push(row(&setup.name, figure.name, figure.unit, compared, String::new(), ["", ""]));
        }
        let waits = setup.waits.iter().flat_map(Wait::figures).chain(setup.calls.iter().flat_map(Calls::figures));
        for (compared, series) in waits.zip(&setup.series[setup.targets.len() + MEASURES.len()..]) {
            rows.push(row(&setup.name, &series.figure, series.unit, compared, String::new(), ["", ""]));
        }
    }
}

pub(super) fn replications(results: &Results, rows: &mut CsvRows) {
    for setup in &results.setups {
        for series in &setup.series {
            for (replication, value) in series.values.iter().enumerate() {
                let [forecast, mean, error] = forecast_of(series.control.as_ref(), replication, results.antithetic);
                let change = forecast_of(series.change_control.as_ref(), replication, results.antithetic);
                let [by, by_mean, by_error] = change;
                rows.push([
                    setup.name.clone(),
                    series.figure.clone(),
                    series.unit.to_owned(),
                    replication.to_string(),
                    value.map_or_else(String::new, known),
                    at_most(series, replication),
                    series.resolution.to_string(),
                    forecast,
                    mean,
                    error,
                    by,
                    by_mean,
                    by_error,
                ]);
            }
        }
    }
}

fn at_most(series: &Series, replication: usize) -> String {
    series.at_most.get(replication).copied().flatten().map_or_else(String::new, |most| most.to_string())
}

/// A forecast, its mean over other days and the error of that; empty where none is used.
fn forecast_of(forecast: Option<&Forecasted>, replication: usize, antithetic: bool) -> [String; 3] {
    let place = if antithetic { replication / 2 } else { replication };
    match forecast.and_then(|forecast| Some((forecast.values.get(place)?, forecast))) {
        Some((value, forecast)) => [known(*value), known(forecast.mean), known(forecast.error)],
        None => [const { String::new() }; 3],
    }
}

pub(super) fn options(results: &Results, rows: &mut CsvRows) {
    for setup in &results.setups {
        rows.push([
            setup.name.clone(),
            setup.title.clone(),
            setup.cost.map_or_else(String::new, known),
            setup.what.join("; "),
        ]);
    }
}

pub(super) fn timeline(results: &Results, rows: &mut CsvRows) {
    for setup in &results.setups {
        for (concentrator, (name, ..)) in setup.concentrators.iter().enumerate() {
            for (bin, start) in results.bins.0.iter().enumerate() {
                let [day, time] = when(results, *start);
                let could = setup.capacity[concentrator][bin];
                for (class, work) in setup.carried[concentrator][bin].iter().enumerate() {
                    let queue = if class == results.watched.0 {
                        digits(setup.queue[concentrator][bin] * 1e3)
                    } else {
                        String::new()
                    };
                    rows.push([
                        setup.name.clone(),
                        day.clone(),
                        time.clone(),
                        name.clone(),
                        results.classes[class].clone(),
                        digits(work / results.bins.1 / 1e6),
                        if could > 0.0 { digits(work / could) } else { String::new() },
                        queue,
                    ]);
                }
            }
        }
    }
}

pub(super) fn classes(results: &Results, rows: &mut CsvRows) {
    for setup in &results.setups {
        for (bin, start) in results.bins.0.iter().enumerate() {
            let [day, time] = when(results, *start);
            for (class, bins) in setup.by_class.iter().enumerate() {
                let here = &bins[bin];
                rows.push([
                    setup.name.clone(),
                    day.clone(),
                    time.clone(),
                    results.classes[class].clone(),
                    digits(here.started),
                    digits(here.done),
                    digits(here.failed),
                    digits(here.latency / here.counted),
                    digits(here.offered * 8.0 / results.bins.1 / 1e6),
                    digits(here.active),
                    digits(here.waiting),
                    digits(here.waiting_bytes / 1e9),
                ]);
            }
        }
    }
}

pub(super) fn latency(results: &Results, rows: &mut CsvRows) {
    for setup in &results.setups {
        for (window, start) in results.windows.iter().enumerate() {
            let [day, time] = when(results, *start);
            for (class, windows) in setup.latency.iter().enumerate() {
                let affected = &setup.affected[window];
                let watched = |value: f64| if class == results.watched.0 { digits(value) } else { String::new() };
                let quantile =
                    |of: fn((f64, f64)) -> f64| windows[window].map_or_else(String::new, |both| digits(of(both)));
                rows.push([
                    setup.name.clone(),
                    day.clone(),
                    time.clone(),
                    results.classes[class].clone(),
                    quantile(|both| both.0),
                    quantile(|both| both.1),
                    watched(affected.mean),
                    watched(low(affected)),
                    watched(affected.high()),
                ]);
            }
        }
    }
}

pub(super) fn tunnels(results: &Results, rows: &mut CsvRows) {
    let quarter = quarter_of(results.bins.1);
    for setup in &results.setups {
        for (concentrator, (name, ..)) in setup.concentrators.iter().enumerate() {
            for (bin, start) in results.bins.0.iter().enumerate() {
                let [day, time] = when(results, *start);
                let here = &setup.concentrator_bins[concentrator][bin];
                rows.push([
                    setup.name.clone(),
                    day,
                    time,
                    name.clone(),
                    digits(here.tunnels),
                    digits(here.half_open),
                    digits(here.handshakes / results.bins.1),
                    digits(here.turned_away),
                    digits(here.down),
                    setup.limits[concentrator][bin / quarter].name().to_owned(),
                    digits(setup.cut_off[bin]),
                    digits(setup.on_paper[bin]),
                ]);
            }
        }
    }
}

pub(super) fn parts(results: &Results, rows: &mut CsvRows) {
    for setup in &results.setups {
        for (class, bins) in setup.by_class.iter().enumerate() {
            for (bin, start) in results.bins.0.iter().enumerate() {
                let [day, time] = when(results, *start);
                let here = &bins[bin];
                if here.counted > 0.0 {
                    let mean = here.parts.scaled(1.0 / here.counted);
                    let [trips, queueing, transfer, loss, no_tunnel] = mean.list().map(digits);
                    let class = results.classes[class].clone();
                    let whole = digits(mean.sum());
                    rows.push([
                        setup.name.clone(),
                        day,
                        time,
                        class,
                        trips,
                        queueing,
                        transfer,
                        loss,
                        no_tunnel,
                        whole,
                    ]);
                }
            }
        }
    }
}

pub(super) fn sites(results: &Results, rows: &mut CsvRows) {
    for setup in &results.setups {
        for (name, patients, sums) in &setup.sites {
            #[allow(clippy::cast_precision_loss)] // counts stay below 2^53
            let count = sums.count as f64;
            #[allow(clippy::cast_precision_loss)]
            let slow = sums.slow as f64;
            rows.push([
                setup.name.clone(),
                name.clone(),
                patients.to_string(),
                digits(count / f64::from(results.replications)),
                digits(slow / count),
                digits(sums.latency / count),
                digits(sums.lost / 3600.0 / f64::from(results.replications)),
            ]);
        }
    }
}

pub(super) fn inputs(results: &Results, rows: &mut CsvRows) {
    for input in &results.inputs {
        rows.push([
            input.path.clone(),
            input.value.clone(),
            input.standing.name().to_owned(),
            input.source.clone().unwrap_or_default(),
            input.range.clone().unwrap_or_default(),
        ]);
    }
}
