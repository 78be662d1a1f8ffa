//! Calls: how many are offered, how many are refused, and how well the others can be heard.

use serde::Serialize;

use crate::model::Model;
use crate::study::record::{RunRecord, TalkSum};
use crate::study::series::{ComparedEstimate, Series};
use crate::study::waits::Sorted;

/// The calls of a class in a set-up.
#[derive(Clone, Debug, Serialize)]
pub struct Calls {
    /// Its place among the classes.
    pub class: usize,
    /// Calls offered.
    pub asked: ComparedEstimate,
    /// Share of them that is refused (call blocking).
    pub refused: ComparedEstimate,
    /// Share of the time of talk in which speech is poor.
    pub poor: ComparedEstimate,
    /// Mean opinion score, from 1 to 4.5; none is below 1, and 0 where nothing was judged.
    pub score: ComparedEstimate,
    /// Mean delay of packets on their way to the site [s].
    pub delay: ComparedEstimate,
    /// Mean jitter there [s].
    pub jitter: ComparedEstimate,
    /// Share of packets that are lost or come too late.
    pub lost: ComparedEstimate,
}

impl Calls {
    /// Its figures, in the order of their series.
    #[must_use]
    pub fn figures(&self) -> [&ComparedEstimate; 7] {
        [&self.asked, &self.refused, &self.poor, &self.score, &self.delay, &self.jitter, &self.lost]
    }
}

/// The calls of a class in a replication.
#[derive(Clone, Copy, Debug)]
pub struct CallTally {
    asked: f64,
    refused: f64,
    talk: TalkSum,
}

impl CallTally {
    /// A figure of talk, as its mean over time.
    fn mean(&self, of: fn(&TalkSum) -> f64) -> f64 {
        if self.talk.seconds > 0.0 { of(&self.talk) / self.talk.seconds } else { 0.0 }
    }
}

/// By class; none for one that has no calls.
pub(super) fn of(run: &RunRecord, model: &Model) -> Vec<Option<CallTally>> {
    let classes = model.classes.iter().zip(&run.classes).zip(&run.talk).map(|((class, bins), &talk)| {
        let asked: f64 = bins.iter().map(|bin| bin.started).sum();
        let refused: f64 = bins.iter().map(|bin| bin.failed).sum();
        class.demand.is_of_calls().then_some(CallTally { asked, refused: refused / asked.max(1.0), talk })
    });
    classes.collect()
}

/// What is told of calls, its unit, and how it follows from those of a replication.
type CallFigure = (&'static str, &'static str, fn(&CallTally) -> f64);

/// All of it, in the order of [`Calls::figures`].
const FIGURES: [CallFigure; 7] = [
    ("asked for", "calls", |run| run.asked),
    ("refused", "share", |run| run.refused),
    ("poor speech", "share", |run| run.mean(|talk| talk.poor)),
    ("mean opinion score", "score", |run| run.mean(|talk| talk.score)),
    ("packet delay", "s", |run| run.mean(|talk| talk.delay)),
    ("packet jitter", "s", |run| run.mean(|talk| talk.jitter)),
    ("packets lost or late", "share", |run| run.mean(|talk| talk.lost)),
];

/// By set-up: its calls, class by class, against the base; and what that comes from.
pub(super) fn compare(
    setups: &[&[Vec<Option<CallTally>>]],
    base: Option<usize>,
    antithetic: bool,
    classes: &[&str],
) -> Vec<(Vec<Calls>, Vec<Series>)> {
    let mut found = vec![(Vec::new(), Vec::new()); setups.len()];
    for (class, name) in classes.iter().enumerate() {
        let known = Sorted::of(setups, class, base, antithetic);
        let figures = FIGURES.map(|(what, unit, of)| known.figure((format!("{name} {what}"), unit), of, 0.0));
        let mut figures = figures.map(Vec::into_iter);
        for place in known.places() {
            let next = figures.each_mut().map(Iterator::next);
            let [Some(asked), Some(refused), Some(poor), Some(score), Some(delay), Some(jitter), Some(lost)] = next
            else {
                break;
            };
            let (calls, series): &mut (Vec<Calls>, Vec<Series>) = &mut found[place];
            series.extend([asked.1, refused.1, poor.1, score.1, delay.1, jitter.1, lost.1]);
            let (asked, refused, poor, score) = (asked.0, refused.0, poor.0, score.0);
            calls.push(Calls { class, asked, refused, poor, score, delay: delay.0, jitter: jitter.0, lost: lost.0 });
        }
    }
    found
}
