//! Remaining waits under an option: classes that wait as long as in the base, or longer, and would not under another option.

use crate::report::words::{figure, list, quoted};
use crate::study::figures::TargetKind;
use crate::study::results::{Results, SetupResult};
use crate::study::waits::Wait;

/// Another option must at least halve a wait for it to be reported, ..
const HALVED: f64 = 0.5;
/// .. and save at least so much of each [s].
const NOTICED: f64 = 0.2;
/// An option that shortens a wait by less than a fifth leaves it.
const LEFT: f64 = 0.8;
/// Classes that a sentence names.
const NAMED: usize = 3;

/// The classes that an option leaves waiting, the most time first, with what the best option makes of them.
#[must_use]
pub fn undone(results: &Results, setup: &SetupResult) -> Option<String> {
    let base = results.setups.iter().find(|setup| setup.name == "base")?;
    let mut left: Vec<(f64, String)> = Vec::new();
    for own in &setup.waits {
        let Some(now) = wait(base, own.class).filter(|_| !may_be_put_off(results, own.class)) else { continue };
        let Some((best, shortest)) = best(results, own.class) else { continue };
        let (before, after, least) = (now.mean.value.mean, own.mean.value.mean, shortest.mean.value.mean);
        let saved = shortest.mean.clear && least < HALVED * before && before - least > NOTICED;
        if saved && after > LEFT * before {
            let started: f64 = setup.by_class[own.class].iter().map(|bin| bin.started).sum();
            let what = format!(
                "{} ({} on average, {} as it is, {} with {})",
                results.classes[own.class],
                figure(after, TargetKind::Time),
                figure(before, TargetKind::Time),
                figure(least, TargetKind::Time),
                quoted(&best.title)
            );
            left.push((started * (after - least), what));
        }
    }
    left.sort_by(|a, b| b.0.total_cmp(&a.0));
    let named: Vec<String> = left.into_iter().take(NAMED).map(|(_, what)| what).collect();
    (!named.is_empty()).then(|| list(&named))
}

fn wait(setup: &SetupResult, class: usize) -> Option<&Wait> {
    setup.waits.iter().find(|wait| wait.class == class)
}

/// Classes that some set-up holds back on purpose are not waited for.
fn may_be_put_off(results: &Results, class: usize) -> bool {
    results.setups.iter().any(|setup| setup.curfews.iter().any(|(curfew, ..)| *curfew == class))
}

/// The option under which a class waits least.
fn best(results: &Results, class: usize) -> Option<(&SetupResult, &Wait)> {
    let options = results.setups.iter().filter(|setup| setup.name != "base");
    let waits = options.filter_map(|setup| Some((setup, wait(setup, class)?)));
    waits.min_by(|a, b| a.1.mean.value.mean.total_cmp(&b.1.mean.value.mean))
}
