//! Verdicts of a set-up, and how they are marked.

use crate::study::results::{SetupResult, Verdict};

/// Whether a setup meets every target, misses one, or cannot be told.
#[must_use]
pub fn overall(setup: &SetupResult) -> Verdict {
    setup.targets.iter().map(|judged| judged.verdict).max().unwrap_or(Verdict::Unsure)
}

/// A sign that can be told without colour.
#[must_use]
pub fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "\u{2713}",
        Verdict::Missed => "\u{2717}",
        Verdict::Unsure => "?",
    }
}
