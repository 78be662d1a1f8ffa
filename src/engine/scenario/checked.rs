//! A scenario that has been checked: everything that a study needs.

use crate::model::Model;
use crate::scenario::check::calendar::Holidays;
use crate::scenario::check::knob::WrittenKnob;
use crate::scenario::check::source::Input;
use crate::scenario::check::target::Target;
use crate::scenario::checker::InputFile;
use crate::units::{Duration, Share, TimeOfDay};

/// A scenario that has been checked: everything that a study needs.
#[derive(Clone, Debug)]
pub struct Study {
    /// The question, in one sentence.
    pub question: String,
    /// Date of the first day, or its weekday.
    pub when: String,
    /// The base first, then the options in the order of the file.
    pub setups: Vec<Setup>,
    /// Targets.
    pub targets: Vec<Target>,
    /// Replications.
    pub effort: Effort,
    /// Every number and its source.
    pub inputs: Vec<Input>,
    /// Files that the scenario names.
    pub files: Vec<InputFile>,
    /// The sign of the currency in which costs are written, such as `£`.
    pub currency: Option<String>,
    /// Who is counted at a site: `patients`, `people`.
    pub counted: String,
    /// Numbers that a page lets people move.
    pub knobs: Vec<WrittenKnob>,
    /// Its holidays.
    pub holidays: Holidays,
}

impl Study {
    /// Ends each day when the targets are decided: after the last of their hours, and as long again as people of their classes wait at most.
    /// Whole days remain where a target looks at what nobody loses patience with, or at sites. Says whether days are shorter.
    pub fn end_with_targets(&mut self) -> bool {
        let Some(last) = self.targets.iter().map(|target| target.until).max() else { return false };
        let mut shorter = false;
        for model in self.setups.iter_mut().map(|setup| &mut setup.model) {
            let waits = self.targets.iter().map(|target| target.measure.decided_after(&model.classes));
            let Some(waits) = waits.collect::<Option<Vec<Duration>>>() else { continue };
            let (from, bin) = (model.calendar.from.0, model.bin.0);
            let after = waits.into_iter().max().unwrap_or_default();
            // A whole number of bins, and one more for what ends in the last.
            let ends = from + ((last.0 + after.0).saturating_sub(from).div_ceil(bin) + 1) * bin;
            shorter |= ends < model.calendar.until.0;
            model.calendar.until = model.calendar.until.min(TimeOfDay(ends));
        }
        shorter
    }
}

/// The base, or an option.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Its name on the command line and in files.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// What it costs, if that is written: the option itself, and its concentrators by their throughput. The base itself
    /// costs nothing.
    pub cost: Option<f64>,
    /// What it changes, each change in a clause; nothing for the base.
    pub what: Vec<String>,
    /// What it means.
    pub model: Model,
}

/// Replications of a study.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Effort {
    /// Replications at least.
    pub least: u32,
    /// Replications at most.
    pub most: u32,
    /// Half-width of a target's 95 % interval that is narrow enough, as a share of value or limit.
    pub precision: Share,
}
