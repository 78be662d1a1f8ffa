//! How many days were simulated, and why no more.

use crate::report::words::figure;
use crate::study::figures::TargetKind;
use crate::study::results::Results;
use crate::study::stopping::StopReason;

/// Why the study ended, where it ended by itself.
#[must_use]
pub fn words(results: &Results) -> String {
    // Without a target there is no interval that could end it.
    let ended = (results.stopped == StopReason::Precise && !results.targets.is_empty()).then(|| stopped(results));
    ended.unwrap_or_default()
}

/// Why the study ended, in a sentence.
#[must_use]
pub fn stopped(results: &Results) -> String {
    let days = results.replications;
    let precision = figure(results.precision, TargetKind::Share);
    match results.stopped {
        StopReason::Precise => format!(
            "The study ended after {days} replications: the interval of every target is within {precision} of its value or limit."
        ),
        StopReason::Asked if days == 1 => "One replication was asked for, and one has no interval.".to_owned(),
        StopReason::Asked => {
            format!(
                "{days} replications were asked for; not every interval is within {precision} of its value or limit."
            )
        }
        StopReason::Budget => format!(
            "The study ended because all {days} replications that it may use were used; not every interval is within {precision} of \
             its value or limit."
        ),
    }
}
