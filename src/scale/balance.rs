//! Which runs make up a part: parts that take about as long as each other, and at least a minute.

/// Shortest part [s]: a scheduler starts about one task a second, and each takes a second to begin and to end.
const SHORTEST: f64 = 60.0;
/// Most parts that are made without being asked for: Slurm takes no array of more unless its administrator says so
/// (`MaxArraySize`, 1001).
const MOST: usize = 1000;

/// Number of parts of runs that are predicted to take so long [s].
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped
pub fn number(seconds: &[f64], asked: Option<u32>) -> usize {
    let wanted = match asked {
        Some(parts) => parts as usize,
        None => ((seconds.iter().sum::<f64>() / SHORTEST).ceil().clamp(1.0, 1e6) as usize).min(MOST),
    };
    wanted.clamp(1, seconds.len().max(1))
}

/// The places of the runs of each part: the longest first, each to the part that has least so far (LPT; Graham 1969, at most 4/3 of
/// the shortest time). Within a part they are in their order.
#[must_use]
pub fn balanced(seconds: &[f64], parts: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..seconds.len()).collect();
    order.sort_by(|&a, &b| seconds[b].total_cmp(&seconds[a]));
    let mut made = vec![(0.0, Vec::new()); parts.max(1)];
    for run in order {
        let less = |a: &&mut (f64, Vec<usize>), b: &&mut (f64, Vec<usize>)| {
            a.0.total_cmp(&b.0).then(a.1.len().cmp(&b.1.len()))
        };
        if let Some((sum, runs)) = made.iter_mut().min_by(less) {
            *sum += seconds[run];
            runs.push(run);
        }
    }
    made.into_iter()
        .map(|(_, mut runs)| {
            runs.sort_unstable();
            runs
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    /// Fault: a run is in no part or in two, a part is empty, or one takes far longer than the others.
    #[test]
    fn every_run_is_in_one_part_and_no_part_is_much_longer() {
        for case in 0..300_u64 {
            let mut stream = Key::new(case, 0).stream(0);
            let runs = 1 + stream.below(200) as usize;
            let seconds: Vec<f64> = (0..runs).map(|_| 0.1 + stream.uniform() * 100.0).collect();
            let parts = number(&seconds, Some(1 + stream.below(70)));
            let made = balanced(&seconds, parts);
            let mut all: Vec<usize> = made.concat();
            all.sort_unstable();
            assert_eq!(all, (0..runs).collect::<Vec<_>>(), "case {case}");
            assert!(made.len() == parts && made.iter().all(|part| !part.is_empty()), "case {case}");
            let time = |part: &Vec<usize>| part.iter().map(|&run| seconds[run]).sum::<f64>();
            let longest = made.iter().map(time).fold(0.0, f64::max);
            let single = seconds.iter().copied().fold(0.0, f64::max);
            let share = seconds.iter().sum::<f64>() / f64::from(u32::try_from(made.len()).unwrap());
            let least = single.max(share);
            // What Graham proves is 4/3 of the shortest, which is at least this.
            assert!(longest <= least + single, "case {case}: {longest} where {least} is the least");
        }
    }

    #[test]
    fn a_part_carries_a_minute_unless_more_are_asked_for() {
        assert_eq!(number(&[10.0; 60], None), 10);
        assert_eq!(number(&[0.1; 60], None), 1);
        assert_eq!(number(&vec![3600.0; 5000], None), 1000);
        assert_eq!(number(&[3600.0; 5], None), 5);
        assert_eq!(number(&[0.1; 60], Some(7)), 7);
        assert_eq!(number(&[0.1; 3], Some(64)), 3);
        assert_eq!(number(&[], None), 1);
    }
}
