//! Both ends of the range of each knob: the scenario holds there, too.

use crate::disk::Folder;
use crate::scenario::check::knob::WrittenKnob;
use crate::scenario::load;
use crate::scenario::problem::Problems;

/// What is wrong with a scenario whose knobs stand at an end of their ranges, one by one.
#[must_use]
pub fn problems_at_ends((path, text): (&str, &str), knobs: &[WrittenKnob], folder: &Folder) -> Problems {
    let mut problems = Problems::new(path, text);
    for knob in knobs {
        for end in [&knob.range.0, &knob.range.1] {
            let value = end.written();
            let why = match knob.set(text, &value) {
                Ok(moved) => load(path, &moved, folder.clone()).err().map(|found| found.brief()),
                Err(why) => Some(why),
            };
            if let Some(why) = why {
                let why = why.lines().next().unwrap_or_default().trim_end_matches('.').to_owned();
                let help = "write a range in which the scenario is right at both ends";
                problems.add(&knob.at, format!("`{}` cannot be {value}: {why}", knob.path), help);
            }
        }
    }
    problems
}
