//! When a concentrator is full.

use crate::study::results::{Results, SetupResult};

/// Points (middle of the bin [h], utilisation [%]) of one concentrator.
pub(crate) fn utilisation<'a>(
    results: &'a Results,
    setup: &'a SetupResult,
    concentrator: usize,
) -> impl Iterator<Item = (f64, f64)> + 'a {
    let (starts, length) = &results.bins;
    starts.iter().enumerate().filter_map(move |(bin, start)| {
        let could = setup.capacity[concentrator][bin];
        let done: f64 = setup.carried[concentrator][bin].iter().sum();
        // Windows that are booked as a whole may overlap a bin's end.
        (could > 0.0).then(|| (start + length / 7200.0, (100.0 * done / could).min(100.0)))
    })
}

/// Hours in which some concentrator is at 98 % or more: first, last, and how long in all.
pub(crate) fn full(results: &Results, setup: &SetupResult) -> Option<(f64, f64, f64)> {
    let mut bins: Vec<f64> = Vec::new();
    for concentrator in 0..setup.concentrators.len() {
        bins.extend(
            utilisation(results, setup, concentrator).filter(|(_, share)| *share >= 98.0).map(|(hour, _)| hour),
        );
    }
    bins.sort_by(f64::total_cmp);
    bins.dedup();
    let half = results.bins.1 / 7200.0;
    let (first, last) = (bins.first()? - half, bins.last()? + half);
    #[allow(clippy::cast_precision_loss)]
    let hours = bins.len() as f64 * 2.0 * half;
    Some((first, last, hours))
}
