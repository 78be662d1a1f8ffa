//! Uncertainty of an assumed input: its range, and its distribution over that.

use crate::elementary::{normal_quantile, pow};
use crate::scenario::check::source::{Input, Likelihood, Standing};
use crate::scenario::quantity::{Quantity, QuantityKind, ends};

/// The range of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct Uncertainty {
    /// Both ends as they were written.
    pub ends: (String, String),
    kind: QuantityKind,
    from: f64,
    likely: f64,
    to: f64,
    likelihood: Likelihood,
}

impl Uncertainty {
    /// That of an assumed or fitted input which states its range; none of any other, of a range in other words or of another quantity,
    /// or if the value does not lie in it.
    #[must_use]
    pub fn of(input: &Input) -> Option<Self> {
        let range =
            input.range.as_deref().filter(|_| matches!(input.standing, Standing::Assumed | Standing::Fitted))?;
        let ends = ends(range)?;
        let [likely, from, to] = [input.value.as_str(), &ends.0, &ends.1].map(Quantity::read);
        let (likely, from, to) = (likely?, from?, to?);
        let numbers = [likely, from, to].map(|end| matches!(end.kind, QuantityKind::Whole | QuantityKind::Number));
        let alike = likely.kind == from.kind && likely.kind == to.kind;
        let kind = if alike { likely.kind } else { QuantityKind::Number };
        let inside = from.size <= likely.size && likely.size <= to.size && from.size < to.size;
        (inside && (alike || numbers.iter().all(|number| *number))).then_some(Self {
            ends,
            kind,
            from: from.size,
            likely: likely.size,
            to: to.size,
            likelihood: input.likelihood,
        })
    }

    /// The quantile `u` of the distribution.
    #[must_use]
    pub fn quantile(&self, u: f64) -> f64 {
        let &Self { from, likely, to, .. } = self;
        let rising = (likely - from) / (to - from);
        match self.likelihood {
            Likelihood::Uniform => from + (to - from) * u,
            // What a fit found: the range is its 90 % interval. Nothing is below none.
            Likelihood::Normal => {
                let spread = (to - from) / (2.0 * normal_quantile(0.95));
                (likely + spread * normal_quantile(u.clamp(1e-6, 1.0 - 1e-6))).max(0.0)
            }
            Likelihood::LogUniform if from > 0.0 => from * pow(to / from, u),
            // Law, Simulation Modeling and Analysis, 5th ed., section 8.3.15.
            Likelihood::Triangular | Likelihood::LogUniform if u < rising => {
                from + ((to - from) * (likely - from) * u).sqrt()
            }
            Likelihood::Triangular | Likelihood::LogUniform => to - ((to - from) * (to - likely) * (1.0 - u)).sqrt(),
        }
    }

    /// The same as it is written in a scenario.
    #[must_use]
    pub fn at(&self, u: f64) -> String {
        Quantity { kind: self.kind, size: self.quantile(u) }.written()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(value: &str, range: &str, likelihood: Likelihood) -> Input {
        let (path, range) = ("x".to_owned(), Some(range.to_owned()));
        Input { path, value: value.to_owned(), standing: Standing::Assumed, source: None, range, likelihood }
    }

    #[test]
    fn a_spread_has_its_ends_and_its_likeliest() {
        let rtt = Uncertainty::of(&input("18 ms", "10 to 40 ms", Likelihood::Triangular)).unwrap();
        assert_eq!([rtt.at(0.0), rtt.at(8.0 / 30.0), rtt.at(1.0)], ["10 ms", "18 ms", "40 ms"]);
        let even = Uncertainty::of(&input("1 Gbit/s", "500 Mbit/s to 2 Gbit/s", Likelihood::Uniform)).unwrap();
        assert_eq!(even.at(0.5), "1250 Mbit/s");
        let by_ratio = Uncertainty::of(&input("30 kB", "10 to 90 kB", Likelihood::LogUniform)).unwrap();
        assert_eq!(by_ratio.at(0.5), "30000 B");
        let fitted = Uncertainty::of(&input("3.0", "2.8 to 3.2", Likelihood::Normal)).unwrap();
        assert_eq!([fitted.at(0.05), fitted.at(0.5), fitted.at(0.95)], ["2.8", "3", "3.2"]);
        let clock = Uncertainty::of(&input("08:05", "07:50 to 08:20", Likelihood::Uniform)).unwrap();
        assert_eq!(clock.at(0.25), "07:57:30");
        let turns = Uncertainty::of(&input("4", "1 to 6", Likelihood::Triangular)).unwrap();
        assert!((0..100).all(|u| turns.at(f64::from(u) / 100.0).parse::<u8>().is_ok()));
        let ends = |value: &str, range: &str| {
            Uncertainty::of(&input(value, range, Likelihood::Uniform)).map(|spread| spread.ends)
        };
        assert_eq!(ends("1 Gbit/s", "500 Mbit/s to 2 Gbit/s"), Some(("500 Mbit/s".to_owned(), "2 Gbit/s".to_owned())));
        assert_eq!(ends("2.0", "1.5 to 2.5"), Some(("1.5".to_owned(), "2.5".to_owned())));
        for (value, range) in [("0.3", "10 to 40 ms"), ("60 ms", "10 to 40 ms"), ("3", "a third of them")] {
            assert_eq!(ends(value, range), None);
        }
    }
}
