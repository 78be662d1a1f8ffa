//! Transfers of one kind that share, by the step in which they began.
//!
//! Under processor sharing each of them ends when the others have got as much as it needs: on the clock of what one gets (Kleinrock
//! vol. 2, section 4.4). So a cohort is a number, and where the clock stood when it began.

use crate::study::forecast::actions::ACTIONS;
use crate::units::float;

/// For how much each action shares [bit].
pub type Shared = [f64; ACTIONS];

/// Transfers of one class between one concentrator and one kind of sites.
#[derive(Clone, Debug, Default)]
pub struct InProgress {
    /// What one got until the start of each step [bit].
    clock: Vec<f64>,
    /// Starts of all actions until the start of each step.
    begun: Vec<f64>,
    /// For how much those of a step share, as a place in `works`.
    work_of: Vec<usize>,
    works: Vec<Shared>,
    /// The oldest step of which some are in progress, by action, and how many are.
    oldest: Vec<usize>,
    inside: Vec<f64>,
}

/// What a step does to transfers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Passed {
    /// Work that is done [bit].
    pub done: f64,
    /// Transfers in progress at its end.
    pub inside: f64,
}

/// Those of a step that have ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ended {
    /// Of which action.
    pub action: usize,
    /// In which step they began.
    pub began: usize,
    /// How many.
    pub count: f64,
}

impl InProgress {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self {
            clock: vec![0.0],
            begun: vec![0.0],
            oldest: vec![0; ACTIONS],
            inside: vec![0.0; ACTIONS],
            ..Self::default()
        }
    }

    /// Transfers in progress.
    #[must_use]
    pub fn inside(&self) -> f64 {
        self.inside.iter().sum()
    }

    /// Work for which those share that are inside, where actions share for so much [bit].
    #[must_use]
    pub fn work_inside(&self, shared: &Shared) -> f64 {
        self.inside.iter().zip(shared).map(|(inside, x)| inside * x).sum()
    }

    /// The number of the present step.
    fn now(&self) -> usize {
        self.work_of.len()
    }

    /// Remembers for how much actions share from now on, where that is not next to what it was.
    pub fn share_for(&mut self, shared: &Shared) {
        let near = |(old, new): (&f64, &f64)| (old - new).abs() <= 0.01 * old.max(*new);
        if !self.works.last().is_some_and(|last| last.iter().zip(shared).all(near)) {
            self.works.push(*shared);
        }
    }

    /// What becomes of them, and of `starts` more, in a step in which one gets `gets` bits.
    #[must_use]
    pub fn passing(&self, starts: f64, gets: f64) -> Passed {
        let Some(shared) = self.works.last().filter(|_| starts > 0.0 || self.inside() > 0.0) else {
            return Passed::default();
        };
        let one = starts / float(ACTIONS as u64);
        let mut passed = Passed::default();
        for (action, x) in shared.iter().enumerate() {
            let before = self.inside[action];
            if *x <= gets {
                // All that were inside end, and most that begin.
                if *x > 0.0 {
                    passed.done += before * x / 2.0 + one * (x - x * x / (2.0 * gets));
                    passed.inside += one * x / gets;
                }
            } else {
                let (_, after) = self.left(action, gets);
                passed.done += gets * (f64::midpoint(before, after) + one / 2.0);
                passed.inside += after + one;
            }
        }
        passed
    }

    /// The oldest step of which some of an action are inside after one got `gets` more, and how many are.
    fn left(&self, action: usize, gets: f64) -> (usize, f64) {
        let (now, clock) = (self.now(), self.clock[self.now()] + gets);
        let mut oldest = self.oldest[action];
        while oldest < now && self.clock[oldest + 1] + self.works[self.work_of[oldest]][action] <= clock {
            oldest += 1;
        }
        if oldest == now {
            return (now, 0.0);
        }
        let (from, until) = (self.clock[oldest], self.clock[oldest + 1]);
        let x = self.works[self.work_of[oldest]][action];
        let part = if until > from { ((until + x - clock) / (until - from)).min(1.0) } else { 1.0 };
        let whole = self.begun[now] - self.begun[oldest + 1];
        let some = part * (self.begun[oldest + 1] - self.begun[oldest]);
        (oldest, (whole + some) / float(ACTIONS as u64))
    }

    /// A step passes in which one gets so much and `starts` more begin. Tells of those whose step is over.
    pub fn pass(&mut self, starts: f64, gets: f64, mut ended: impl FnMut(Ended)) {
        let now = self.now();
        self.work_of.push(self.works.len().saturating_sub(1));
        self.begun.push(self.begun[now] + starts);
        self.clock.push(self.clock[now] + gets);
        if self.works.is_empty() || (starts <= 0.0 && self.inside() <= 0.0) {
            return;
        }
        for action in 0..ACTIONS {
            let before = self.oldest[action];
            let (oldest, inside) = self.left(action, 0.0);
            (self.oldest[action], self.inside[action]) = (oldest, inside);
            for began in before..oldest {
                let number = (self.begun[began + 1] - self.begun[began]) / float(ACTIONS as u64);
                if number > 0.0 {
                    ended(Ended { action, began, count: number });
                }
            }
        }
    }

    /// Takes out those of an action that began before a step; says how many there were.
    pub fn give_up(&mut self, action: usize, before: usize) -> f64 {
        if self.oldest[action] >= before {
            return 0.0;
        }
        self.oldest[action] = before;
        let was = self.inside[action];
        self.inside[action] = self.left(action, 0.0).1;
        (was - self.inside[action]).max(0.0)
    }

    /// Keeps a share of those that are in progress; says how many leave.
    pub fn keep(&mut self, share: f64) -> f64 {
        let first = self.oldest.iter().copied().min().unwrap_or(0);
        let from = self.begun[first];
        self.begun[first..].iter_mut().for_each(|begun| *begun = from + (*begun - from) * share);
        let before = self.inside();
        self.inside.iter_mut().for_each(|inside| *inside *= share);
        before - self.inside()
    }

    /// Tells of those that are in progress: in which step they began, and how many.
    pub fn in_progress(&self, mut tell: impl FnMut(usize, f64)) {
        for (oldest, inside) in self.oldest.iter().zip(&self.inside) {
            let mut left = *inside;
            for step in (*oldest..self.now()).rev() {
                let count = ((self.begun[step + 1] - self.begun[step]) / float(ACTIONS as u64)).min(left);
                left -= count;
                if count > 0.0 {
                    tell(step, count);
                }
            }
        }
    }

    /// Work that is left of all [bit].
    #[must_use]
    pub fn work_left(&self) -> f64 {
        let (now, clock) = (self.now(), self.clock[self.now()]);
        let of = |action: usize, step: usize| {
            let x = self.works[self.work_of[step]][action];
            let left = (f64::midpoint(self.clock[step], self.clock[step + 1]) + x - clock).max(0.0);
            left * (self.begun[step + 1] - self.begun[step]) / float(ACTIONS as u64)
        };
        (0..ACTIONS).map(|action| (self.oldest[action]..now).map(|step| of(action, step)).sum::<f64>()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared() -> Shared {
        std::array::from_fn(|action| 10.0 + 30.0 * float(action as u64))
    }

    /// At whatever rates: work that began is done or left.
    #[test]
    fn no_work_is_lost() {
        let mut all = InProgress::new();
        let (mut began, mut done) = (0.0, 0.0);
        for step in 0..200_u32 {
            all.share_for(&shared());
            let (starts, gets) = (f64::from(step % 7), f64::from(20 + step % 90));
            let passed = all.passing(starts, gets);
            all.pass(starts, gets, |_| ());
            assert!((passed.inside - all.inside()).abs() < 1e-6, "{step}: {} {}", passed.inside, all.inside());
            began += starts * crate::stats::mean(&shared());
            done += passed.done;
        }
        let left = all.work_left();
        assert!((began - done - left).abs() < 0.03 * began, "{began} began, {done} done, {left} left");
    }

    /// Rate times time: so many are inside (Little).
    #[test]
    fn so_many_are_inside_as_begin_while_one_takes_its_time() {
        let mut all = InProgress::new();
        for _ in 0..400 {
            all.share_for(&shared());
            all.pass(3.0, 50.0, |_| ());
        }
        let expected = 3.0 * crate::stats::mean(&shared()) / 50.0;
        assert!((all.inside() / expected - 1.0).abs() < 0.01, "{} for {expected}", all.inside());
    }

    #[test]
    fn those_who_leave_are_no_longer_inside() {
        let mut all = InProgress::new();
        for _ in 0..20 {
            all.share_for(&[1_000.0; ACTIONS]);
            all.pass(4.0, 1.0, |_| ());
        }
        assert!((all.inside() - 80.0).abs() < 1e-9);
        assert!((all.keep(0.25) - 60.0).abs() < 1e-9);
        let gone: f64 = (0..ACTIONS).map(|action| all.give_up(action, 10)).sum();
        assert!((gone - 10.0).abs() < 1e-9 && (all.inside() - 10.0).abs() < 1e-9, "{gone}");
    }
}
