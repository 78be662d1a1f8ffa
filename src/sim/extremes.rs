//! The smaller and the larger of two numbers, in one instruction each: `f64::min` and `f64::max` take five, as they pass
//! over what is not a number, which the engine does not have.

pub(super) fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

pub(super) fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}
