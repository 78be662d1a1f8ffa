//! How far the numbers of a scenario can be trusted, all together.

use crate::report::words::list;
use crate::scenario::check::source::{Input, Standing};

/// How many numbers are assumed.
#[must_use]
pub fn assumed(inputs: &[Input]) -> usize {
    inputs.iter().filter(|input| input.standing == Standing::Assumed).count()
}

/// How many numbers are assumed, and how many are anything better.
#[must_use]
pub fn standings(inputs: &[Input]) -> String {
    let of = |standing: Standing| inputs.iter().filter(|input| input.standing == standing).count();
    let better = [(Standing::Official, "official"), (Standing::Measured, "measured"), (Standing::Fitted, "fitted")];
    let better = better.into_iter().filter(|(standing, _)| of(*standing) > 0);
    let better: Vec<String> = better.map(|(standing, name)| format!("{} {name}", of(standing))).collect();
    let rest = if better.is_empty() { String::new() } else { format!(" ({})", list(&better)) };
    format!("{} of {} numbers are assumed, not measured{rest}", assumed(inputs), inputs.len())
}
