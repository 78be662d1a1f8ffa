//! Input uncertainty: how much of the spread of the answer is due to inputs that are not known exactly.
//!
//! Two levels. Inputs are drawn from what they could be, and for each draw days are simulated: the spread over draws is the
//! inputs', the spread within a draw is the days'. All draws see the same days, so that what days have in common is no
//! spread between draws. Draws are two Latin hypercubes (`McKay`, Beckman & Conover 1979) that hold the same values of every
//! input in different order: matched by one input, they share it and nothing else, and their correlation is that input's
//! first-order index (Sobol 1993; estimated as by Tissot & Prieur 2015). So two rows of draws are enough for any number of
//! inputs.

use serde::Serialize;

use crate::random::{Key, Purpose, Stream};
use crate::stats::{Tally, quantile};

/// Draws of all inputs, as quantiles of their distributions: two Latin hypercubes of `count` draws.
#[derive(Clone, Debug)]
pub struct Design {
    count: usize,
    /// By hypercube and input: the stratum of each draw.
    order: [Vec<Vec<usize>>; 2],
    /// By input and stratum: the share within the whole.
    shares: Vec<Vec<f64>>,
}

impl Design {
    /// For so many inputs; the same seed gives the same draws.
    #[must_use]
    pub fn new(seed: u64, inputs: usize, count: usize) -> Self {
        let stream = |input: usize, part: u64| Key::new(seed, 0).of(Purpose::World, input as u64).stream(part);
        let order = [0, 1].map(|cube| (0..inputs).map(|input| shuffled(count, &mut stream(input, cube))).collect());
        let shares = (0..inputs).map(|input| strata(count, &mut stream(input, 2))).collect();
        Self { count, order, shares }
    }

    /// Draws in all.
    #[must_use]
    pub fn len(&self) -> usize {
        2 * self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A draw: a share for each input.
    #[must_use]
    pub fn draw(&self, place: usize) -> Vec<f64> {
        let (cube, row) = (place / self.count, place % self.count);
        self.order[cube].iter().zip(&self.shares).map(|(order, shares)| shares[order[row]]).collect()
    }

    /// First-order indices of the results: the share of the variance that goes when an input is known.
    #[must_use]
    pub fn indices(&self, values: &[f64]) -> Vec<f64> {
        let (first, second) = values.split_at(self.count);
        let all: Tally = values.iter().copied().collect();
        let off = |value: f64| value - all.mean();
        let inputs = 0..self.shares.len();
        inputs
            .map(|input| {
                let mut matched = vec![0.0; self.count];
                for (row, &stratum) in self.order[1][input].iter().enumerate() {
                    matched[stratum] = off(second[row]);
                }
                let rows = self.order[0][input].iter().zip(first);
                let together: Tally = rows.map(|(&stratum, &value)| off(value) * matched[stratum]).collect();
                let own: Tally = values.iter().map(|value| off(*value).powi(2)).collect();
                if own.mean() > 0.0 { together.mean() / own.mean() } else { 0.0 }
            })
            .collect()
    }
}

#[allow(clippy::cast_precision_loss)] // draws
fn strata(count: usize, stream: &mut Stream) -> Vec<f64> {
    (0..count).map(|stratum| (stratum as f64 + stream.uniform()) / count as f64).collect()
}

/// The numbers below `count` in random order (Fisher & Yates; Durstenfeld 1964).
fn shuffled(count: usize, stream: &mut Stream) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for place in (1..count).rev() {
        let bound = u32::try_from(place + 1).unwrap_or(u32::MAX);
        order.swap(place, stream.below(bound) as usize);
    }
    order
}

/// The uncertainty of an answer, and what it is due to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Doubt {
    /// The answer over all draws of the inputs: mean, and the middle 95 %.
    pub mean: f64,
    /// See `mean`.
    pub range: (f64, f64),
    /// Share of the draws in which the target holds.
    pub holds: f64,
    /// Standard deviation over draws, without what days add to it.
    pub inputs: f64,
    /// Standard deviation over days.
    pub days: f64,
}

/// Splits the spread of `values` (by draw, then by day) between inputs and days (Law, 5th ed., section 9.4.3; the
/// between-groups component of a one-way layout).
#[must_use]
#[allow(clippy::cast_precision_loss)] // draws and days
pub fn doubt(values: &[Vec<f64>], limit: f64) -> Doubt {
    let means: Vec<f64> = values.iter().map(|days| days.iter().copied().collect::<Tally>().mean()).collect();
    let within: Tally = values.iter().map(|days| days.iter().copied().collect::<Tally>().variance()).collect();
    let between: Tally = means.iter().copied().collect();
    let days = values.first().map_or(1, Vec::len) as f64;
    let holds = means.iter().filter(|mean| **mean <= limit).count() as f64 / means.len().max(1) as f64;
    Doubt {
        mean: between.mean(),
        range: (quantile(&means, 0.025), quantile(&means, 0.975)),
        holds,
        inputs: (between.variance() - within.mean() / days).max(0.0).sqrt(),
        days: within.mean().sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementary::sin;

    /// Ishigami's function with a = 7, b = 0.1: first-order indices 0.314, 0.442 and 0 (Saltelli et al. 2008, p. 179).
    #[test]
    fn indices_are_those_of_the_textbook() {
        use std::f64::consts::PI;
        let design = Design::new(1, 3, 4000);
        let value = |place: usize| {
            let x: Vec<f64> = design.draw(place).iter().map(|share| PI * (2.0 * share - 1.0)).collect();
            sin(x[0]) + 7.0 * sin(x[1]).powi(2) + 0.1 * x[2].powi(4) * sin(x[0])
        };
        let values: Vec<f64> = (0..design.len()).map(value).collect();
        for (index, known) in design.indices(&values).iter().zip([0.314, 0.442, 0.0]) {
            // Four standard errors of a correlation over 4,000 pairs.
            assert!((index - known).abs() < 4.0 / 4000_f64.sqrt(), "{index} against {known}");
        }
    }

    /// Every stratum of every input is drawn once in each hypercube.
    #[test]
    fn a_hypercube_fills_every_stratum() {
        let design = Design::new(7, 4, 16);
        for cube in 0..2 {
            for input in 0..4 {
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // shares of 16
                let mut strata: Vec<usize> =
                    (0..16).map(|row| (design.draw(cube * 16 + row)[input] * 16.0) as usize).collect();
                strata.sort_unstable();
                assert_eq!(strata, (0..16).collect::<Vec<_>>());
            }
        }
    }

    /// Inputs of variance 4, days of variance 1: the parts are told apart.
    #[test]
    fn days_are_told_from_inputs() {
        let mut stream = Key::new(3, 0).stream(0);
        let mut normal = || (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0;
        let values: Vec<Vec<f64>> = (0..2000)
            .map(|_| {
                let input = 2.0 * normal();
                (0..3).map(|_| input + normal()).collect()
            })
            .collect();
        let doubt = doubt(&values, 0.0);
        assert!((doubt.inputs - 2.0).abs() < 0.1 && (doubt.days - 1.0).abs() < 0.05, "{doubt:?}");
        assert!((doubt.holds - 0.5).abs() < 0.05);
    }
}
