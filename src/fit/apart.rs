//! What a series can tell apart: classes of one shape are moved together, and what cannot be told is left, or refused by name.

use crate::fit::curve::Known;
use crate::fit::free::Free;
use crate::fit::jacobian::{alike, grouped, profile};
use crate::fit::problem::{FitError, FitProblem, Left};
use crate::model::Model;
use crate::scenario::check::source::Standing;
use crate::study::counters::RunCounters;

/// What is free and can be told apart, and what is left. What classes want is in `wanted`.
pub(super) fn told_apart(
    problem: &FitProblem<'_>,
    known: &Known,
    start: &Model,
    wanted: &[RunCounters],
) -> Result<(Vec<Free>, Vec<Left>), FitError> {
    let things = &problem.observed.things;
    let of_class = |class: usize| -> Vec<f64> {
        let volumes: Vec<Vec<f64>> = things
            .iter()
            .map(|thing| {
                let is_own = thing.class.is_none_or(|own| own == class);
                let runs = wanted.iter().map(|run| run.of(thing.concentrator, Some(class)));
                let sum = runs.fold(Vec::new(), |sum: Vec<f64>, run| {
                    if sum.is_empty() { run } else { sum.iter().zip(&run).map(|(a, b)| a + b).collect() }
                });
                if is_own { sum } else { vec![0.0; sum.len()] }
            })
            .collect();
        profile(&volumes, known)
    };
    let profiles: Vec<Vec<f64>> = (0..start.classes.len()).map(of_class).collect();
    let volume = |class: usize| profiles[class].iter().sum::<f64>();
    let whole: f64 = (0..profiles.len()).map(volume).sum();
    let class_of = |name: &str| start.classes.iter().position(|class| class.name == name);
    let (mut seen, mut left) = (Vec::new(), Vec::new());
    for one in &problem.free {
        let own = one.class_of_amount().and_then(class_of);
        let why = own.and_then(|class| {
            if volume(class) <= 0.0 {
                Some("nothing of it passes here".to_owned())
            } else if !one.is_named && volume(class) < 0.02 * whole {
                let share = 100.0 * volume(class) / whole;
                Some(format!("it is {share:.1} % of what passes: too little to be seen"))
            } else {
                None
            }
        });
        match why {
            Some(why) => left.push(Left { free: one.clone(), why }),
            None => seen.push(one.clone()),
        }
    }
    refuse_unseen(&left)?;
    refuse_confused(problem, start, &seen, &profiles)?;
    Ok((grouped(&seen, class_of, &profiles), left))
}

/// Refuses a class that was named without another one of the same shape, whose amount is assumed, too.
fn refuse_confused(
    problem: &FitProblem<'_>,
    start: &Model,
    free: &[Free],
    profiles: &[Vec<f64>],
) -> Result<(), FitError> {
    /// What is less than this share of a class does not confuse it.
    const SEEN: f64 = 0.05;
    let volume = |class: usize| profiles[class].iter().sum::<f64>();
    let amounts: Vec<&str> = free.iter().filter_map(Free::class_of_scale).collect();
    let named: Vec<&str> = free.iter().filter(|one| one.is_named).filter_map(Free::class_of_scale).collect();
    for (place, one) in free.iter().enumerate() {
        let twin = free[..place]
            .iter()
            .find(|other| one.class_of_scale().is_some() && other.class_of_scale() == one.class_of_scale());
        if let Some(twin) = twin {
            return Err(FitError::Refused(format!(
                "`{}` cannot be told from `{}`: what passes shows their product alone\n  = help: free one of the two",
                one.name(),
                twin.name()
            )));
        }
    }
    let study = (problem.load)(problem.text)?;
    let is_assumed = |name: &str| {
        let amount = study.inputs.iter().find(|input| crate::fit::free::class_of_amount(&input.path) == Some(name));
        amount.is_some_and(|input| matches!(input.standing, Standing::Assumed | Standing::Fitted))
    };
    for (place, class) in start.classes.iter().enumerate().filter(|(_, class)| named.contains(&class.name.as_str())) {
        let other = start.classes.iter().enumerate().find(|(other, candidate)| {
            *other != place
                && !amounts.contains(&candidate.name.as_str())
                && is_assumed(&candidate.name)
                && volume(*other) > SEEN * volume(place)
                && alike(&profiles[place], &profiles[*other])
        });
        if let Some((other, candidate)) = other {
            let alike = crate::fit::curve::cosine(&profiles[place], &profiles[other]);
            return Err(FitError::Refused(format!(
                "`{}` cannot be told from `{}`: over the day both rise and fall together (cosine {alike:.2})\n  = help: \
                 free both (one factor is found for the two), or give a series that splits the classes, such as flow records",
                class.name, candidate.name
            )));
        }
    }
    Ok(())
}

/// Refuses what was named and cannot be seen.
pub(super) fn refuse_unseen(left: &[Left]) -> Result<(), FitError> {
    match left.iter().find(|left| left.free.is_named) {
        None => Ok(()),
        Some(Left { free, why }) => {
            Err(FitError::Refused(format!("`{}` cannot be fitted to this series: {why}", free.name())))
        }
    }
}
