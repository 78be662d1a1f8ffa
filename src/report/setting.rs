//! The setting of a study in a few words: sites, people, days.

use crate::report::words::{count, list, several};
use crate::study::results::Results;

/// The classes whose waits are staff time lost.
#[must_use]
pub fn staff_classes(results: &Results) -> String {
    let classes = results.classes.iter().zip(&results.waited_for).filter(|(_, waited)| **waited);
    let names: Vec<String> = classes.map(|(name, _)| name.clone()).collect();
    if names.is_empty() { String::new() } else { list(&names) }
}

/// Sites and people.
pub(crate) fn estate(sites: usize, people: u64, counted: &str) -> String {
    format!("{}, {} {counted}", several(sites, ["site", "sites"]), count(people))
}
