//! Hints to the compiler, for the event list and the fluid engine alone: branch weights, and minima in one instruction.

use std::hint::cold_path;

/// A condition that mostly holds. (`std::hint::likely` is not stable yet.)
#[inline(always)]
pub(crate) fn likely(condition: bool) -> bool {
    if condition {
        true
    } else {
        cold_path();
        false
    }
}

/// A condition that seldom holds.
#[inline(always)]
pub(crate) fn unlikely(condition: bool) -> bool {
    !likely(!condition)
}

/// The smaller of two numbers, neither of which is NaN: `f64::min` takes five instructions, as it passes over NaN.
pub(crate) fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// The larger of two numbers, neither of which is NaN.
pub(crate) fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}
