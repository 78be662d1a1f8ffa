//! What a forecast says of targets, and when a concentrator is full.

use crate::scenario::check::target::Target;
use crate::stats::Tally;
use crate::study::forecast::starts::Steps;
use crate::study::results::Verdict;
use crate::units::Time;

/// A figure so near its limit, as a share of that, is not told apart from it.
pub const NEAR: f64 = 0.2;
/// A concentrator is called full in steps in which it is with this probability.
const FULL: f64 = 0.5;
/// And where it carries at least this share of what it could: it may be full often, and yet have room between.
const BUSY: f64 = 0.95;
/// Shorter spells are not told, nor shorter gaps between two of them [s].
const SHORT: f64 = 300.0;

/// What is forecast of a concentrator in a step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Work that it does, and could do [bit].
    pub carried: f64,
    /// See `carried`.
    pub capacity: f64,
    /// Probability that it is full.
    pub full: f64,
}

/// A day, or several.
#[derive(Clone, Debug)]
pub struct DayForecast {
    /// Its steps.
    pub steps: Steps,
    /// By concentrator and step.
    pub loads: Vec<Vec<Load>>,
    /// The figure of each target; none where it is not forecast.
    pub targets: Vec<Option<f64>>,
    /// By window of the run ([`crate::study::axis::Axis::windows`]): median and 95th percentile of what the focus class takes [s].
    pub latency: Vec<Option<(f64, f64)>>,
}

/// A time in which a concentrator is full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spell {
    /// Which concentrator.
    pub concentrator: usize,
    /// From, and until [s since midnight of the first day].
    pub from: f64,
    /// See `from`.
    pub until: f64,
}

/// What the forecast of a figure says of its target: unsure where it is near the limit, or nothing is forecast.
#[must_use]
pub fn outlook(figure: Option<f64>, target: &Target) -> Verdict {
    match figure {
        Some(figure) if figure <= target.limit * (1.0 - NEAR) => Verdict::Met,
        Some(figure) if figure > target.limit * (1.0 + NEAR) => Verdict::Missed,
        _ => Verdict::Unsure,
    }
}

impl Load {
    /// Whether a concentrator is called full.
    fn is_full(&self) -> bool {
        self.full >= FULL && self.capacity > 0.0 && self.carried >= BUSY * self.capacity
    }
}

impl DayForecast {
    /// Utilisation of a concentrator between two instants.
    #[must_use]
    pub fn utilisation(&self, concentrator: usize, from: Time, until: Time) -> f64 {
        utilisation(&self.loads[concentrator][self.steps.of(from)..self.steps.of(until)])
    }

    /// Share of the hours of a target in which some concentrator is full.
    #[must_use]
    pub fn full_within(&self, target: &Target) -> f64 {
        let covered = (0..self.steps.count).filter(|step| target.covers(self.steps.begins(*step)));
        let full = covered.map(|step| f64::from(u8::from(self.loads.iter().any(|loads| loads[step].is_full()))));
        full.collect::<Tally>().mean()
    }

    /// When concentrators are full, one after the other.
    #[must_use]
    pub fn spells(&self) -> Vec<Spell> {
        (0..self.loads.len()).flat_map(|concentrator| self.spells_of(concentrator)).collect()
    }

    fn spells_of(&self, concentrator: usize) -> Vec<Spell> {
        let mut spells: Vec<Spell> = Vec::new();
        for (step, _) in self.loads[concentrator].iter().enumerate().filter(|(_, load)| load.is_full()) {
            let [from, until] = [step, step + 1].map(|step| self.steps.begins(step).secs());
            match spells.last_mut() {
                Some(last) if from - last.until < SHORT => last.until = until,
                _ => spells.push(Spell { concentrator, from, until }),
            }
        }
        spells.retain(|spell| spell.until - spell.from >= SHORT);
        spells
    }

    /// Utilisation of the busiest concentrator in its busiest quarter of an hour.
    #[must_use]
    pub fn busiest(&self) -> f64 {
        const QUARTER: f64 = 900.0;
        let all = self.steps.begins(self.steps.count).secs();
        let mut most = 0.0_f64;
        for concentrator in 0..self.loads.len() {
            let mut from = 0.0;
            while from < all {
                let at = |secs: f64| Time::at_secs(secs.min(all));
                most = most.max(self.utilisation(concentrator, at(from), at(from + QUARTER)));
                from += QUARTER;
            }
        }
        most
    }
}

/// Work that is done, as a share of what could be.
#[must_use]
pub fn utilisation<'a>(loads: impl IntoIterator<Item = &'a Load>) -> f64 {
    let add = |sum: (f64, f64), load: &Load| (sum.0 + load.carried, sum.1 + load.capacity);
    let (done, could) = loads.into_iter().fold((0.0, 0.0), add);
    if could > 0.0 { done / could } else { 0.0 }
}
