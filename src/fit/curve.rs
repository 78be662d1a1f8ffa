//! Cumulative curves: how much has passed by the end of each interval that is known.
//!
//! Volumes by interval have no slope at the edge of a full spell: a little more demand moves the edge by less than an interval, and
//! nothing changes within the spell. How much has passed by then has a slope everywhere.

/// Which intervals are known, by thing.
pub type Known = Vec<Vec<bool>>;

/// The mean of runs by thing and interval, over those in which it is known; none where it never is.
#[must_use]
pub fn mean_known(runs: &[&[Vec<Option<f64>>]]) -> Vec<Vec<Option<f64>>> {
    let Some(first) = runs.first() else { return Vec::new() };
    let of = |thing: usize, place: usize| {
        let known = runs.iter().filter_map(|run| run[thing][place]);
        let (sum, count) = known.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
        (count > 0.0).then(|| sum / count)
    };
    (0..first.len()).map(|thing| (0..first[thing].len()).map(|place| of(thing, place)).collect()).collect()
}

/// Cumulative curves of all things, one after the other, over the intervals that are known.
#[must_use]
pub fn cumulative(passed: &[Vec<f64>], known: &[Vec<bool>]) -> Vec<f64> {
    let mut curve = Vec::new();
    for (passed, known) in passed.iter().zip(known) {
        let mut sum = 0.0;
        for (passed, known) in passed.iter().zip(known) {
            if *known {
                sum += passed;
                curve.push(sum);
            }
        }
    }
    curve
}

/// The weight of each point of a curve: what a difference there counts, as one over what would be small.
#[must_use]
pub fn weights(observed: &[Vec<f64>], known: &[Vec<bool>]) -> Vec<f64> {
    /// A difference of one per cent is small,
    const SHARE: f64 = 0.01;
    /// and one of this share of the whole.
    const LEAST: f64 = 0.002;
    let mut weights = Vec::new();
    for (observed, known) in observed.iter().zip(known) {
        let own = cumulative(std::slice::from_ref(observed), std::slice::from_ref(known));
        let whole = own.last().copied().unwrap_or(0.0).max(1.0);
        weights.extend(own.iter().map(|volume| 1.0 / (LEAST * whole + SHARE * volume)));
    }
    weights
}

/// The mean of curves.
#[must_use]
#[allow(clippy::cast_precision_loss)] // runs
pub fn mean(curves: &[Vec<f64>]) -> Vec<f64> {
    let points = curves.first().map_or(0, Vec::len);
    (0..points).map(|at| curves.iter().map(|curve| curve[at]).sum::<f64>() / curves.len() as f64).collect()
}

/// The cosine between two profiles; nothing where one of them is nothing.
#[must_use]
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let both = (dot(a, a) * dot(b, b)).sqrt();
    if both > 0.0 { dot(a, b) / both } else { 0.0 }
}
