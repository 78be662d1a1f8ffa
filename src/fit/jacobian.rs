//! How curves move with each unknown: finite differences on the same days.

use crate::fit::curve::cosine;
use crate::fit::free::{Free, Move};

/// The step of a finite difference, as an unknown: large beside the noise of whole workstations, small beside what is sought.
#[must_use]
pub fn step(by: Move) -> f64 {
    match by {
        Move::Factor => 0.08,
        Move::Shift => 5.0,
    }
}

/// What is known of an unknown beforehand: it is within so much of where it was written, in two cases out of three.
#[must_use]
pub fn beforehand(by: Move) -> f64 {
    match by {
        Move::Factor => 1.5,
        Move::Shift => 45.0,
    }
}

/// The farthest that an unknown goes in a step of the search.
#[must_use]
pub fn farthest(by: Move) -> f64 {
    match by {
        Move::Factor => 0.8,
        Move::Shift => 30.0,
    }
}

/// The farthest that an unknown goes from where it was written.
#[must_use]
pub fn bound(by: Move) -> f64 {
    match by {
        Move::Factor => 3.0,
        Move::Shift => 240.0,
    }
}

/// A column: how far the mean curve moves for one of the unknown, which was moved `by` so much.
#[must_use]
#[allow(clippy::cast_precision_loss)] // runs
pub fn column(there: &[Vec<f64>], here: &[Vec<f64>], by: f64) -> Vec<f64> {
    let scale = 1.0 / (by * there.len() as f64);
    let points = here.first().map_or(0, Vec::len);
    (0..points)
        .map(|at| there.iter().zip(here).map(|(there, here)| there[at] - here[at]).sum::<f64>() * scale)
        .collect()
}

/// Profiles more alike than this cannot be told apart.
pub const ALIKE: f64 = 0.95;

/// What is free, with amounts of classes that cannot be told apart taken together; `profiles` holds what each class wants, by interval.
#[must_use]
pub fn grouped(free: &[Free], class_of: impl Fn(&str) -> Option<usize>, profiles: &[Vec<f64>]) -> Vec<Free> {
    let mut groups: Vec<(Free, Option<usize>)> = Vec::new();
    for one in free {
        let class = one.class_of_amount().and_then(&class_of);
        let like = class.and_then(|class| {
            groups.iter().position(|(_, first)| first.is_some_and(|first| alike(&profiles[first], &profiles[class])))
        });
        match like {
            Some(place) => {
                let (group, _) = &mut groups[place];
                group.paths.extend(one.paths.iter().cloned());
                group.is_named |= one.is_named;
            }
            None => groups.push((one.clone(), class)),
        }
    }
    groups.into_iter().map(|(group, _)| group).collect()
}

/// Whether two profiles cannot be told apart.
#[must_use]
pub fn alike(a: &[f64], b: &[f64]) -> bool {
    cosine(a, b) > ALIKE
}

/// By class: what it wants in each interval that is known, over all things; `passed` is by class, thing and interval.
#[must_use]
pub fn profile(passed: &[Vec<f64>], known: &[Vec<bool>]) -> Vec<f64> {
    passed
        .iter()
        .zip(known)
        .flat_map(|(passed, known)| passed.iter().zip(known).filter(|(_, known)| **known).map(|(value, _)| *value))
        .collect()
}
