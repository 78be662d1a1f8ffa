//! How many days were simulated, why no more, and what was saved of them.

use crate::report::words::{figure, number};
use crate::stats::estimate::LEAST;
use crate::study::results::{Found, Kind, Results, Saved};
use crate::study::stopping::Why;

/// Why the study ended, where it ended by itself.
#[must_use]
pub fn words(results: &Results) -> String {
    // Without a target there is no interval that could end it.
    let ended = (results.stopped == Why::Precise && !results.targets.is_empty()).then(|| stopped(results));
    ended.unwrap_or_default()
}

/// Why the study ended, in a sentence.
#[must_use]
pub fn stopped(results: &Results) -> String {
    let days = results.replications;
    let precision = figure(results.precision, Kind::Share);
    match results.stopped {
        Why::Precise => format!(
            "The study ended after {days} replications: the interval of every target is within {precision} of its value or limit."
        ),
        Why::Asked => {
            format!(
                "{days} replications were asked for; not every interval is within {precision} of its value or limit."
            )
        }
        Why::Budget => format!(
            "The study ended because all {days} replications that it may use were used; not every interval is within {precision} of \
             its value or limit."
        ),
    }
}

/// What the same days and the forecasts saved, for the first target; none where too few days were simulated to tell.
#[must_use]
pub fn saved(results: &Results) -> Option<String> {
    let first = |found: &Found| found.targets.first().and_then(|judged| judged.figure.change.and(judged.figure.saved));
    let told: Vec<Saved> = results.setups.iter().filter_map(first).collect();
    let all = |of: fn(&Saved) -> f64| {
        let values = || told.iter().map(of);
        let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(0.0, f64::max));
        let (least, most) = (number(rounded(least)), number(rounded(most)));
        if least == most { least } else { format!("{least} to {most}") }
    };
    let antithetic = if told.iter().any(|saved| saved.antithetic.is_some()) {
        format!(", without antithetic pairs {} times", all(|saved| saved.antithetic.unwrap_or(1.0)))
    } else {
        String::new()
    };
    (!told.is_empty() && results.replications >= LEAST).then(|| {
        format!(
            "To know differences in \u{201c}{}\u{201d} as well without these means, {} times as many days would have been needed \
             (without the same days for all {} times, without forecasts {} times{antithetic}).",
            results.targets[0].split(" <=").next().unwrap_or_default(),
            all(|saved| saved.same_days * saved.forecast * saved.antithetic.unwrap_or(1.0)),
            all(|saved| saved.same_days),
            all(|saved| saved.forecast),
        )
    })
}

/// A factor from few days is not known to more than two digits.
fn rounded(value: f64) -> f64 {
    let unit = 10_f64.powf(value.abs().max(1e-9).log10().floor() - 1.0);
    (value / unit).round() * unit
}
