//! `[[option]]`: the set-ups that the base and its options mean.

use crate::model::{ChangeKind, Model};
use crate::scenario::check::device::DeviceModels;
use crate::scenario::check::{change, fault, headend, without};
use crate::scenario::checked::Setup;
use crate::scenario::checker::Checker;
use crate::scenario::field::{At, Name, TextLine};
use crate::scenario::file::{File, OptionFile};
use crate::scenario::problem::did_you_mean;
use crate::scenario::say;

/// The base and the options, each with its changes made.
pub(crate) fn setups(
    file: &File,
    mut base: Model,
    known: &DeviceModels,
    first: Option<jiff::civil::Date>,
    check: &mut Checker,
) -> Vec<Setup> {
    let plain = base.clone();
    let mut everywhere = Vec::new();
    change::apply(&mut base, &file.change, &mut everywhere, known, first, check);
    fault::apply(&mut base, &file.fault, first, check);
    let mut setups = vec![Setup {
        name: "base".to_owned(),
        title: "as it is".to_owned(),
        cost: cost_of(&base, Some(0.0)),
        what: Vec::new(),
        model: base.clone(),
    }];
    let mut resolved: Vec<Vec<&OptionFile>> = Vec::new();
    for (index, option) in file.option.iter().enumerate() {
        let (at, table) = (option.span(), option.get_ref());
        resolved.push(included(option, &file.option[..index], &resolved, check));
        let Some(name) = check.required(&table.name, &at, "name") else { continue };
        // Files of options are named after them, and some systems do not tell capitals apart.
        let same = |other: &At<OptionFile>| {
            other.get_ref().name.value().is_some_and(|other| other.0.eq_ignore_ascii_case(&name.0))
        };
        if name.0.eq_ignore_ascii_case("base") || file.option[..index].iter().any(same) {
            let help = "give each its own name, different in more than capitals";
            check.problems.add(table.name.span(), format!("a second option `{}`", name.0), help);
        }
        let title = check.optional(&table.title).map_or_else(|| name.0.clone(), |TextLine(title)| title);
        if setups.iter().any(|setup| setup.title == title) {
            let at = if table.title.is_written() { table.title.span() } else { table.name.span() };
            let help = "give each a title of its own: reports go by it";
            check.problems.add(at, format!("a second set-up that is called \u{201c}{title}\u{201d}"), help);
        }
        let mut what = Vec::new();
        let mut everywhere = everywhere.clone();
        everywhere.retain(|change| without::taken_back(&resolved[index], change).is_none());
        let mut removed = Vec::new();
        let mut model = if file.change.iter().any(|change| without::taken_back(&resolved[index], change).is_some()) {
            without::rebuilt(&plain, file, &resolved[index], (known, first), check)
        } else {
            base.clone()
        };
        for table in &resolved[index] {
            let by_load = change::apply(&mut model, &table.change, &mut everywhere, known, first, check);
            what.extend(say::changes(table, &file.change));
            if by_load {
                what.push(say::BY_LOAD.to_owned());
            }
            without::remove_faults(&mut model, &table.without, (&file.change, &mut removed), check);
            fault::apply(&mut model, &table.fault, first, check);
        }
        let cost = cost_of(&model, headend::cost(&table.cost, check));
        setups.push(Setup { name: name.0, title, cost, what, model });
    }
    for setup in &mut setups {
        setup.model.clamp_segments();
    }
    setups
}

/// What a set-up costs, beside an amount of its own: its concentrators, by the largest throughput that they have.
fn cost_of(model: &Model, own: Option<f64>) -> Option<f64> {
    // A device that is turned down later is bought as large as it ever has to be.
    let resized = |place: usize| {
        let to = model.changes.iter().filter_map(|edit| match edit.kind {
            ChangeKind::ReplaceDevice { concentrator, throughput, .. } if concentrator.index() == place => {
                Some(throughput)
            }
            _ => None,
        });
        let starts = model.changes.iter().all(|edit| match edit.kind {
            ChangeKind::ReplaceDevice { concentrator, .. } => {
                concentrator.index() != place || edit.at > crate::units::Time(0)
            }
            _ => true,
        });
        let own = starts.then_some(model.concentrators[place].throughput);
        to.chain(own).max().unwrap_or(model.concentrators[place].throughput)
    };
    let concentrators = model.concentrators.iter().enumerate();
    let by_rate = concentrators
        .filter_map(|(place, concentrator)| Some(concentrator.cost_per_mbit? * resized(place).bits() / 1e6));
    by_rate.fold(own, |sum, cost| Some(sum.unwrap_or(0.0) + cost))
}

/// The options that an option consists of: those that it includes, each once, then itself. `resolved` has the same of those
/// above.
fn included<'a>(
    option: &'a At<OptionFile>,
    above: &'a [At<OptionFile>],
    resolved: &[Vec<&'a OptionFile>],
    check: &mut Checker,
) -> Vec<&'a OptionFile> {
    let mut all: Vec<&OptionFile> = Vec::new();
    for field in &option.get_ref().include {
        let Some(Name(name)) = check.optional(field) else { continue };
        let named = |other: &&At<OptionFile>| other.get_ref().name.value().is_some_and(|own| own.0 == name);
        let Some(place) = above.iter().position(|other| named(&other)) else {
            let known = above.iter().filter_map(|other| other.get_ref().name.value()).map(|name| name.0.as_str());
            let help = format!("{}; an option includes options above it", did_you_mean(&name, known));
            check.problems.add(field.span(), format!("there is no option `{name}` above this one"), help);
            continue;
        };
        for &table in &resolved[place] {
            if !all.iter().any(|other| std::ptr::eq(*other, table)) {
                all.push(table);
            }
        }
    }
    all.push(option.get_ref());
    all
}
