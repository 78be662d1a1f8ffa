//! The assumptions on which a forecast turns most.

use rayon::prelude::*;

use crate::live::control::{Control, ControlGroup};
use crate::scenario::check::knob::WrittenKnob;
use crate::scenario::quantity::Quantity;
use crate::scenario::uncertainty::Uncertainty;
use crate::scenario::{Study, edit};
use crate::study::forecast::detail::COARSE;
use crate::study::forecast::outlook::DayForecast;

/// So many are offered.
const SHOWN: usize = 5;

/// The assumed numbers with a range that move the forecast of the first target of the set-up as it is most, the most influential
/// first. `load` reads another text of the same scenario.
pub(crate) fn doubtful(
    (study, text): (&Study, &str),
    taken: &[Control],
    load: &(dyn Fn(&str) -> Option<Study> + Sync),
) -> Vec<Control> {
    let ranges: Vec<(Control, (String, String))> = study
        .inputs
        .iter()
        .filter(|input| !taken.iter().any(|control| control.knob.path == input.path || along(control, &input.path)))
        .filter_map(|input| {
            let ends = Uncertainty::of(input)?.ends;
            Some((assumed(&input.path, &input.value, &ends)?, ends))
        })
        .collect();
    let figure = |path: &str, value: &str| {
        let study = load(&edit::set(text, path, value).ok()?)?;
        let model = &study.setups[0].model;
        DayForecast::in_detail(model, &study.targets, COARSE).targets.into_iter().next().flatten()
    };
    let moved = |(control, (low, high)): (Control, (String, String))| {
        let ends = figure(&control.knob.path, &low).zip(figure(&control.knob.path, &high));
        (ends.map_or(0.0, |(low, high)| (high - low).abs()), control)
    };
    let mut found: Vec<(f64, Control)> = ranges.into_par_iter().map(moved).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().filter(|(by, _)| *by > 0.0).take(SHOWN).map(|(_, control)| control).collect()
}

fn along(control: &Control, path: &str) -> bool {
    control.knob.along.iter().any(|(other, _)| other == path)
}

fn assumed(path: &str, value: &str, (low, high): &(String, String)) -> Option<Control> {
    let now = Quantity::read(value)?;
    let [from, to] = [low, high].map(|end| Quantity::read(end).map(|end| end.like(&now)));
    let range = from.zip(to).filter(|(from, to)| from.kind == now.kind && to.kind == now.kind)?;
    let name = named(path);
    let knob = WrittenKnob {
        name,
        path: path.to_owned(),
        value: value.to_owned(),
        range,
        unit: String::new(),
        along: Vec::new(),
        at: 0..0,
    };
    Some(Control { knob, group: ControlGroup::Assumed })
}

/// A path in words: whose it is, and what.
fn named(path: &str) -> String {
    const UNSAID: [&str; 5] = ["class", "lognormal", "exponential", "pareto", "fixed"];
    let mut parts = path.split('.').filter(|part| !UNSAID.contains(part));
    let whose = parts.next().unwrap_or_default();
    format!("{whose}: {}", parts.collect::<Vec<_>>().join(" ").replace('_', " "))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::live::control::controls;

    /// What decides Kent's Monday comes first, and what is decided is no assumption.
    #[test]
    fn the_most_influential_come_first() {
        let text = include_str!("../../scenarios/kent-monday.toml");
        let load = |text: &str| crate::scenario::load("kent-monday.toml", text, Path::new(".")).ok();
        let study = load(text).unwrap();
        let taken = controls(&study, text);
        let found = doubtful((&study, text), &taken, &load);
        let paths: Vec<&str> = found.iter().map(|control| control.knob.path.as_str()).collect();
        assert!(!paths.is_empty() && paths.len() <= SHOWN, "{paths:?}");
        assert!(paths.iter().all(|path| !path.starts_with("concentrator.hub.throughput")), "{paths:?}");
    }
}
