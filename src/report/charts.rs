//! All charts of a run, in the order of the page.

use crate::report::chart;
use crate::report::drawn::Chart;
use crate::study::results::Results;

/// Every chart that the results have something to say for.
#[must_use]
pub fn charts(results: &Results) -> Vec<Chart> {
    let carries = results.setups.iter().any(|setup| setup.ledger.started + setup.ledger.calls > 0);
    [
        Some(chart::options::draw(results)),
        chart::tunnels::draw(results),
        carries.then(|| chart::utilisation::draw(results)),
        chart::limits::draw(results),
        carries.then(|| chart::latency::draw(results)),
        chart::mornings::draw(results),
        chart::parts::draw(results),
        chart::waiting::draw(results),
        carries.then(|| chart::affected::draw(results)).flatten(),
        carries.then(|| chart::heat::draw(results)).flatten(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
