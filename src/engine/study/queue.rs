//! One queue of jobs for all threads: each takes the next job when it is free, and results are accumulated in the order of the
//! queue. So no thread is idle before the queue is empty, and sums do not depend on the order of completion. A job may have a
//! queue of its own: threads that are free at the end help with what is left.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Runs the jobs `0..jobs` on all threads and hands each result to `take`, with its number, in order. A result that comes early
/// is held until those before it are there.
///
/// # Errors
/// The first error of `work` or `take` in the order of the queue; no job begins after it.
pub fn in_order<T: Send, E: Send>(
    jobs: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
    take: impl FnMut(usize, T) -> Result<(), E> + Send,
) -> Result<(), E> {
    let next = AtomicUsize::new(0);
    let counter = Mutex::new(Counter { turn: 0, held: BTreeMap::new(), take, result: Ok(()) });
    let worker = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= jobs {
            return;
        }
        let done = work(number);
        // A thread that panics under the lock ends the whole in any case.
        let mut counter = counter.lock().unwrap_or_else(PoisonError::into_inner);
        counter.hand_in(number, done);
        if counter.result.is_err() {
            next.store(jobs, Ordering::Relaxed);
        }
    };
    rayon::scope(|scope| (0..rayon::current_num_threads().min(jobs)).for_each(|_| scope.spawn(|_| worker())));
    counter.into_inner().unwrap_or_else(PoisonError::into_inner).result
}

/// The results of the jobs `0..jobs`, in order.
///
/// # Errors
/// The first error of `work` in the order of the queue; no job begins after it.
pub fn all<T: Send, E: Send>(jobs: usize, work: impl Fn(usize) -> Result<T, E> + Sync) -> Result<Vec<T>, E> {
    let mut all = Vec::with_capacity(jobs);
    in_order(jobs, work, |_, done| {
        all.push(done);
        Ok(())
    })?;
    Ok(all)
}

/// Where finished jobs are handed in.
struct Counter<T, E, F> {
    /// The number of the result that comes next.
    turn: usize,
    held: BTreeMap<usize, Result<T, E>>,
    take: F,
    result: Result<(), E>,
}

impl<T, E, F: FnMut(usize, T) -> Result<(), E>> Counter<T, E, F> {
    fn hand_in(&mut self, number: usize, done: Result<T, E>) {
        self.held.insert(number, done);
        while self.result.is_ok()
            && let Some(done) = self.held.remove(&self.turn)
        {
            self.result = done.and_then(|done| (self.take)(self.turn, done));
            self.turn += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Early jobs take longest, so that most are done out of turn.
    fn slow(number: usize) -> usize {
        std::thread::sleep(Duration::from_millis(3 * (4 - number as u64 % 4)));
        number
    }

    #[test]
    fn what_is_done_out_of_turn_is_taken_in_in_order() {
        assert_eq!(all(40, |number| Ok::<_, ()>(slow(number))), Ok((0..40).collect()));
    }

    #[test]
    fn the_first_fault_in_order_ends_it() {
        let mut taken = Vec::new();
        let fails = |number: usize| if number % 10 == 9 { Err(number) } else { Ok(slow(number)) };
        let all = in_order(1_000, fails, |number, _| {
            taken.push(number);
            Ok(())
        });
        assert_eq!((all, taken), (Err(9), (0..9).collect()));
    }

    #[test]
    fn what_cannot_be_taken_in_ends_it() {
        let begun = AtomicUsize::new(0);
        let all = in_order(
            1_000,
            |number| {
                begun.fetch_add(1, Ordering::Relaxed);
                Ok(slow(number))
            },
            |number, _| if number == 3 { Err("full") } else { Ok(()) },
        );
        assert_eq!(all, Err("full"));
        assert!(begun.into_inner() < 1_000);
    }
}
