//! The stopping rule: when a study has enough replications.
//!
//! The relative-precision procedure of Hoad, Robinson & Davies (2010): after a first batch, replications are added until
//! every target's interval is narrow enough, and a few more to see that it stays so (their look-ahead). Without those an
//! interval that is narrow by chance would end the study, and hold the truth less often than it says. How many are missing
//! is predicted from the variance so far, at most doubled at a time.

use serde::Serialize;

/// How long a study goes on.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Replications of the first batch.
    pub first: u32,
    /// Replications at most.
    pub most: u32,
}

/// Why a study ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Every target's interval is narrow enough, and was so for a few replications.
    Precise,
    /// A fixed number of replications was asked for.
    Asked,
    /// The budget of replications is used up.
    Budget,
}

/// Replications over which the precision must hold (look-ahead).
const LOOK_AHEAD: u32 = 3;
/// An interval that is narrower than this share of what is asked for is not narrow by chance.
const NARROW: f64 = 0.5;

/// A study in progress.
#[derive(Debug)]
pub struct Stopping {
    rule: Rule,
    /// The replications with which the precision was first reached; it has held since.
    since: Option<u32>,
}

impl Stopping {
    /// Before the first batch.
    #[must_use]
    pub fn new(rule: Rule) -> Self {
        Self { rule, since: None }
    }

    /// The total of replications needed, where after `done` of them the widest interval is `width` times as wide as it should be.
    ///
    /// # Errors
    /// Not an error: why the study ends, if it does.
    pub fn next(&mut self, done: u32, width: f64) -> Result<u32, StopReason> {
        let precise = width <= 1.0;
        self.since = if precise { self.since.or(Some(done)) } else { None };
        let lasted = self.since.is_some_and(|since| done - since >= LOOK_AHEAD);
        if lasted || width <= NARROW {
            return Err(StopReason::Precise);
        }
        if done >= self.rule.most {
            return Err(match (precise, self.rule.first == self.rule.most) {
                (true, _) => StopReason::Precise,
                (false, true) => StopReason::Asked,
                (false, false) => StopReason::Budget,
            });
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bounded by doubling
        let needed = (f64::from(done) * (width * width).clamp(1.0, 2.0)).ceil() as u32;
        Ok(needed.clamp(done + 1, self.rule.most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;
    use crate::stats::{Tally, student};

    /// Studies that stop by themselves: their intervals hold the mean in at least 93 % of cases, with at most 1.3 times
    /// the replications of somebody who knows the variance beforehand (20 and 50 of them).
    #[test]
    fn a_study_that_stops_by_itself_keeps_its_word() {
        const STUDIES: u32 = 4000;
        for oracle in [20_u32, 50] {
            // The half-width that so many replications of a known variance reach.
            let allowed = student(0.95, u64::from(oracle) - 1) / f64::from(oracle).sqrt();
            let (mut held, mut spent) = (0, 0.0);
            for study in 0..STUDIES {
                let mut stream = Key::new(u64::from(study), oracle).stream(0);
                let mut normal = || (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0;
                let mut stopping = Stopping::new(Rule { first: 5, most: 10_000 });
                let mut sample: Tally = (0..5).map(|_| normal()).collect();
                let mut done = 5;
                while let Ok(wanted) = stopping.next(done, sample.interval(0.95).half / allowed) {
                    (done..wanted).for_each(|_| sample.add(normal()));
                    done = wanted;
                }
                held += u32::from(sample.interval(0.95).contains(0.0));
                spent += f64::from(done) / f64::from(oracle) / f64::from(STUDIES);
            }
            let share = f64::from(held) / f64::from(STUDIES);
            assert!(share >= 0.93, "{oracle}: {share}");
            assert!(spent <= 1.3, "{oracle}: {spent} times as many");
        }
    }

    #[test]
    fn a_study_says_why_it_ends() {
        let fixed = Rule { first: 4, most: 4 };
        assert_eq!(Stopping::new(fixed).next(4, 9.0), Err(StopReason::Asked));
        let mut free = Stopping::new(Rule { first: 5, most: 12 });
        assert_eq!(free.next(5, 3.0), Ok(10), "no more than twice as many");
        assert_eq!(free.next(10, 0.9), Ok(11), "a few more, to see that it lasts");
        assert_eq!(free.next(11, 1.2), Ok(12));
        assert_eq!(free.next(12, 1.1), Err(StopReason::Budget));
        assert_eq!(Stopping::new(Rule { first: 5, most: 12 }).next(5, 0.3), Err(StopReason::Precise));
    }
}
