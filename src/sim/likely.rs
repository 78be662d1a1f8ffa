//! What is usual, said within a condition: it goes straight on, and what is not lies out of its way. A jump that is taken
//! costs more than one that is not, even where it is foreseen. Where a whole arm is unusual, `cold_path` says so there.

use std::hint::cold_path;

/// A condition that mostly holds. (`std::hint::likely` is not stable yet.)
#[inline(always)]
pub(super) fn likely(condition: bool) -> bool {
    if condition {
        true
    } else {
        cold_path();
        false
    }
}

/// A condition that seldom holds.
#[inline(always)]
pub(super) fn unlikely(condition: bool) -> bool {
    !likely(!condition)
}
