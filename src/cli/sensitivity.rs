//! `sweep --tornado` and `sweep --doubt`: the assumption on which the answer depends most, and its uncertainty.

use crate::cli::elsewhere::{all, both};
use crate::cli::point::Runner;
use crate::cli::stop::Stop;
use crate::report;
use crate::report::doubt::{DoubtDraw, Findings};
use crate::report::finding::setting;
use crate::report::tornado::Bar;
use crate::scenario::Study;
use crate::scenario::check::source::{Input, Standing};
use crate::scenario::uncertainty::Uncertainty;
use crate::stats::estimate::observations;
use crate::study::doubt::{Design, doubt as split};
use crate::study::results::{Results, SetupResult};

/// The assumed and fitted inputs that state their range.
fn ranged(study: &Study) -> Vec<(&Input, Uncertainty)> {
    // Costs change no figure.
    let matters = |input: &&Input| input.path.rsplit('.').next() != Some("cost");
    study.inputs.iter().filter(matters).filter_map(|input| Some((input, Uncertainty::of(input)?))).collect()
}

/// Whether no assumed input states its range.
pub(super) fn nothing_ranged(study: &Study) -> bool {
    ranged(study).is_empty()
}

fn has_target(study: &Study) -> Result<(), Stop> {
    let help = "the first target is what the answer is measured in";
    if study.targets.is_empty() {
        return Err(Stop::Input(format!("error: this scenario has no [[target]]\n  = help: {help}")));
    }
    Ok(())
}

/// The assumed inputs that state their range: without one there is nothing to vary.
fn some_ranged(study: &Study) -> Result<Vec<(&Input, Uncertainty)>, Stop> {
    let ranged = ranged(study);
    if ranged.is_empty() {
        let assumed = study.inputs.iter().find(|input| input.standing == Standing::Assumed);
        let path = assumed.map_or("concentrator.hub.throughput", |input| &input.path);
        return Err(Stop::Input(format!(
            "error: no assumed input states what else it could be, so there is nothing to vary\n  = help: write for those that \
             matter, in [source]: \"{path}\" = {{ standing = \"assumed\", from = \"WHO SAYS SO\", range = \"LOW to \
             HIGH\" }}"
        )));
    }
    Ok(ranged)
}

/// How many assumed inputs have no range.
pub(super) fn without_range(study: &Study) -> usize {
    let assumed = study.inputs.iter().filter(|input| input.standing == Standing::Assumed);
    assumed.filter(|input| Uncertainty::of(input).is_none()).count()
}

/// The first target of the last set-up.
fn measured(results: &Results) -> f64 {
    results.setups.last().map_or(0.0, |found| found.targets[0].figure.value.mean)
}

/// Every assumed or fitted input with a range of its own, at both ends, the others as they are.
pub(super) fn tornado(runner: &Runner<'_>, study: &Study, bar: &indicatif::ProgressBar) -> Result<u8, Stop> {
    let (now, bars) = bars(runner, study, bar)?;
    let finding = report::tornado::finding(&now, setting(study), measured(&now), &bars, without_range(study));
    runner.tell(&finding, study)?;
    Ok(0)
}

/// The results as they are, and how far each input moves the first target, the farthest first.
pub(super) fn bars(
    runner: &Runner<'_>,
    study: &Study,
    bar: &indicatif::ProgressBar,
) -> Result<(Results, Vec<Bar>), Stop> {
    has_target(study)?;
    let ranged = some_ranged(study)?;
    runner.affordable(study, 2 * ranged.len() + 1)?;
    bar.set_length(2 * ranged.len() as u64);
    let at = |(input, spread): &(&Input, Uncertainty), high: bool| -> Result<(String, f64), Stop> {
        let value = if high { &spread.ends.1 } else { &spread.ends.0 };
        let results = runner.at(std::slice::from_ref(&input.path), std::slice::from_ref(value))?;
        bar.inc(1);
        Ok((value.clone(), measured(&results)))
    };
    let (now, ends) = runner.until_done(|| {
        bar.set_position(0);
        let ends = || all(2 * ranged.len(), |number| at(&ranged[number / 2], number % 2 == 1));
        both(runner.run(runner.text), ends())
    })?;
    let bar_of = |((input, _), ends): (&(&Input, Uncertainty), &[(String, f64)])| {
        let (path, value) = (input.path.clone(), input.value.clone());
        Bar { path, value, low: ends[0].clone(), high: ends[1].clone() }
    };
    let mut bars: Vec<Bar> = ranged.iter().zip(ends.chunks(2)).map(bar_of).collect();
    bars.sort_by(|a, b| b.swing().total_cmp(&a.swing()));
    Ok((now, bars))
}

/// Every assumed input with a range of its own, drawn from what it could be.
pub(super) fn doubt(runner: &Runner<'_>, study: &Study, draws: u16, bar: &indicatif::ProgressBar) -> Result<u8, Stop> {
    has_target(study)?;
    let ranged = some_ranged(study)?;
    let seed = runner.args.seed.unwrap_or(study.setups[0].model.seed);
    let design = Design::new(seed, ranged.len(), usize::from(draws));
    let paths: Vec<String> = ranged.iter().map(|(input, _)| input.path.clone()).collect();
    runner.affordable(study, design.len())?;
    bar.set_length(design.len() as u64);
    let draw = |place: usize| {
        let values: Vec<String> =
            ranged.iter().zip(design.draw(place)).map(|((_, spread), share)| spread.at(share)).collect();
        let results = runner.at(&paths, &values)?;
        bar.inc(1);
        let draw = DoubtDraw { values, setups: days_of(&results) };
        // Names and limits are the same at all.
        Ok((draw, (place == 0).then_some(results)))
    };
    let found = runner.until_done(|| {
        bar.set_position(0);
        all(design.len(), draw)
    })?;
    let (draws, results): (Vec<DoubtDraw>, Vec<Option<Results>>) = found.into_iter().unzip();
    let Some(results) = results.into_iter().flatten().next() else { return Ok(0) };
    let (limit, kind, target) = (results.limits[0], results.kinds[0], results.targets[0].clone());
    let titles: Vec<String> = results.setups.iter().map(|setup| setup.title.clone()).collect();
    let of = |setup: usize| draws.iter().map(|draw| draw.setups[setup].clone()).collect::<Vec<Vec<f64>>>();
    let doubts = (0..titles.len()).map(|setup| split(&of(setup), limit)).collect();
    let mean = |days: &Vec<f64>| days.iter().copied().collect::<crate::stats::Tally>().mean();
    let indices = (0..titles.len()).map(|setup| design.indices(&of(setup).iter().map(mean).collect::<Vec<f64>>()));
    let (left, indices) = (without_range(study), indices.collect());
    let findings = Findings { target, limit, kind, paths, left, titles, doubts, indices };
    runner.tell(&report::doubt::finding(&findings, &draws, &results, setting(study)), study)?;
    Ok(0)
}

/// By set-up: the first target on each day.
fn days_of(results: &Results) -> Vec<Vec<f64>> {
    let days = |found: &SetupResult| {
        let first = found.series.first().filter(|_| !found.targets.is_empty());
        first.map_or_else(Vec::new, |series| observations(&series.known(), results.antithetic))
    };
    results.setups.iter().map(days).collect()
}
