//! Parts of the page that change: the answer, the table of targets, the charts, who waits.

use askama::Template;
use serde::Serialize;

use crate::report::chart;
use crate::report::drawn::Chart;
use crate::report::page::{VerdictCell, VerdictRow, WaitRow, verdicts, waits};
use crate::report::provenance::Shown;
use crate::report::verdict::mark;
use crate::report::{answer, forecast};
use crate::scenario::{Setup, Study};
use crate::study::forecast::outlook::DayForecast;
use crate::study::foreseen::foreseen;
use crate::study::results::Results;

/// The answer, and the table of targets.
#[derive(Template)]
#[template(path = "live-answer.html")]
struct AnswerPart<'a> {
    answer: Vec<String>,
    /// How it was found, in a sentence.
    how: String,
    targets: &'a [String],
    verdicts: Vec<VerdictRow>,
    /// Whether there are columns of what only a simulation tells.
    simulated: bool,
}

/// The charts, and who waits.
#[derive(Template)]
#[template(path = "live-parts.html")]
struct ChartsPart<'a> {
    charts: Vec<Shown<'a>>,
    waits: Vec<WaitRow>,
}

/// Parts of the page, as HTML.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PageParts {
    /// The answer, and the table of targets.
    pub answer: String,
    /// The charts, and who waits.
    pub charts: String,
}

impl PageParts {
    fn of(answer: &AnswerPart<'_>, charts: &[Chart], waits: Vec<WaitRow>) -> Self {
        let charts = ChartsPart {
            charts: charts.iter().map(|chart| Shown { svg: chart.labelled(), chart, first: true }).collect(),
            waits,
        };
        let memory = "parts of a page render to memory";
        Self { answer: answer.render().expect(memory), charts: charts.render().expect(memory) }
    }
}

const NOTE: &str = "Forecast, not simulated: it reckons with means. Within 20 % of a limit it does not say on which side of it a target is, and where a \
                    few large transfers decide, or an estate is small, chance does.";

/// What is forecast.
#[must_use]
pub(crate) fn of_forecast(study: &Study, days: &[(&Setup, DayForecast)]) -> PageParts {
    let (setups, forecasts): (Vec<&Setup>, Vec<DayForecast>) =
        days.iter().map(|(setup, day)| (*setup, day.clone())).unzip();
    let results = foreseen(study, &setups, &forecasts);
    let charts = forecast_charts(&results);
    let rows = results.setups.iter().map(|setup| VerdictRow {
        title: setup.title.clone(),
        chosen: false,
        cells: setup
            .targets
            .iter()
            .zip(&results.kinds)
            .zip(&results.targets)
            .map(|((judged, kind), title)| {
                let found = Some(judged.figure.value.mean).filter(|found| found.is_finite());
                let (word, value) = (forecast::word(judged.verdict, found), forecast::figure_of(found, *kind));
                VerdictCell {
                    label: title.clone(),
                    verdict: judged.verdict.name(),
                    word,
                    mark: mark(judged.verdict),
                    value,
                }
            })
            .collect(),
        staff: (String::new(), false),
        given_up: (String::new(), false),
        jobs: (String::new(), false),
        cost: String::new(),
    });
    let answer = AnswerPart {
        answer: forecast::sentences(study, days),
        how: NOTE.to_owned(),
        targets: &results.targets,
        verdicts: rows.collect(),
        simulated: false,
    };
    PageParts::of(&answer, &charts, Vec::new())
}

/// What was simulated; `how` says how much of it.
#[must_use]
pub(crate) fn of_results(results: &Results, how: String) -> PageParts {
    let charts = charts(results);
    let answer = AnswerPart {
        answer: answer::sentences(results),
        how,
        targets: &results.targets,
        verdicts: verdicts(results),
        simulated: true,
    };
    PageParts::of(&answer, &charts, waits(results))
}

/// The charts of a forecast: how full, and how long it takes.
fn forecast_charts(results: &Results) -> Vec<Chart> {
    let (utilisation, latency) = (chart::utilisation::draw(results), chart::latency::draw(results));
    let class = &results.classes[results.watched.0];
    vec![
        Chart {
            note: "Forecast: work done by each concentrator as a share of what it could do.".to_owned(),
            ..utilisation
        },
        Chart {
            note: format!(
                "Forecast: 95th percentile of the latency of {class} transactions, all sites; logarithmic scale."
            ),
            ..latency
        },
    ]
}

/// The charts of what was simulated.
fn charts(results: &Results) -> Vec<Chart> {
    let carries = results.setups.iter().any(|setup| setup.ledger.started + setup.ledger.calls > 0);
    let always = [carries.then(|| chart::utilisation::draw(results)), carries.then(|| chart::latency::draw(results))];
    always.into_iter().chain([chart::waiting::draw(results)]).flatten().collect()
}
