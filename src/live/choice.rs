//! What somebody has chosen on a page: options that are ticked, and numbers that were moved; and the scenario that this means.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::live::control::{Control, ControlGroup};
use crate::scenario::Study;
use crate::scenario::edit;

/// What is chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choice {
    /// Names of options.
    pub options: Vec<String>,
    /// Values by path, of what was moved.
    pub values: BTreeMap<String, String>,
}

/// The name of an option that stands for several.
const TOGETHER: &str = "chosen";

/// An option of a scenario: its name, its title, and the options that it includes.
#[derive(Clone, Debug, PartialEq)]
pub struct OptionTerms {
    /// Its name.
    pub name: String,
    /// Its title.
    pub title: String,
    /// All options of which it is made, itself not among them where it has no changes of its own.
    pub parts: Vec<String>,
    /// What is written that it costs.
    pub cost: Option<f64>,
}

/// The options of a scenario.
#[must_use]
pub fn options(study: &Study, text: &str) -> Vec<OptionTerms> {
    let values = edit::all(text).unwrap_or_default();
    let mut found: Vec<OptionTerms> = Vec::new();
    for setup in study.setups.iter().filter(|setup| setup.name != "base") {
        let below = |rest: &str| format!("option.{}.{rest}", setup.name);
        let included = values.iter().filter(|(path, _)| path.starts_with(&below("include."))).map(|(_, name)| name);
        let mut parts: Vec<String> = Vec::new();
        for name in included {
            let known = found.iter().find(|option| option.name == *name);
            parts.extend(known.map_or_else(|| vec![name.clone()], |option| option.parts.clone()));
        }
        let own = ["change.", "fault.", "without."].map(below);
        if parts.is_empty() || values.iter().any(|(path, _)| own.iter().any(|own| path.starts_with(own))) {
            parts.push(setup.name.clone());
        }
        let mut seen: Vec<String> = Vec::new();
        parts.retain(|name| {
            !seen.contains(name) && {
                seen.push(name.clone());
                true
            }
        });
        let cost = values.iter().find(|(path, _)| *path == below("cost")).and_then(|(_, cost)| cost.parse().ok());
        found.push(OptionTerms { name: setup.name.clone(), title: setup.title.clone(), parts, cost });
    }
    found
}

/// A scenario as somebody has chosen it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenScenario {
    /// Its text.
    pub text: String,
    /// The option that is compared with the base; none where nothing is done.
    pub option: Option<String>,
    /// What was moved, a clause each.
    pub moved: Vec<String>,
}

/// The scenario that is chosen. Other throughputs are something that is done, and go into the option; other numbers outside of options
/// hold in every set-up.
///
/// # Errors
/// If a value or an option is not there.
pub fn scenario(
    (study, text): (&Study, &str),
    controls: &[Control],
    choice: &Choice,
) -> Result<ChosenScenario, String> {
    let known = options(study, text);
    if let Some(name) = choice.options.iter().find(|name| !known.iter().any(|option| option.name == **name)) {
        return Err(format!("there is no option `{name}`"));
    }
    let mut chosen = ChosenScenario { text: text.to_owned(), option: None, moved: Vec::new() };
    let mut resized = Vec::new();
    let mut titles: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut enlarged: Vec<&str> = Vec::new();
    for (path, value) in &choice.values {
        let control = controls.iter().find(|control| control.knob.path == *path);
        let control = control.ok_or_else(|| format!("there is nothing to move at `{path}`"))?;
        control.holds(value)?;
        if control.said(value) == control.said(&control.knob.value) {
            continue;
        }
        match &control.group {
            ControlGroup::Device(name) => {
                if let Some(option) = resizing(&known, choice, text, name) {
                    let title = &option.title;
                    return Err(format!(
                        "\u{201c}{title}\u{201d} sets what {name} carries: move it there, or take the option out."
                    ));
                }
                resized.push((name.as_str(), value.as_str()));
                continue;
            }
            ControlGroup::Option(name) if !choice.options.contains(name) => continue,
            ControlGroup::Option(name) => {
                let what = control
                    .knob
                    .name
                    .rsplit_once(": ")
                    .map_or(control.knob.name.as_str(), |(_, what)| what)
                    .to_lowercase();
                let moved = format!("{what} {}", control.said(value));
                if path.ends_with(".throughput") {
                    enlarged.push(name);
                }
                titles.entry(name.as_str()).or_default().push(moved);
            }
            ControlGroup::All | ControlGroup::Assumed => {}
        }
        chosen.text = control.set(&chosen.text, value)?;
        chosen.moved.push(format!(
            "{} {} in place of {}",
            control.knob.name,
            control.said(value),
            control.said(&control.knob.value)
        ));
    }
    // What is moved of a part is moved of the whole.
    let title = |option: &OptionTerms| {
        let parts = option.parts.iter().filter(|part| **part != option.name);
        let names = std::iter::once(&option.name).chain(parts);
        let moved: Vec<String> = names.filter_map(|name| titles.get(name.as_str())).flatten().cloned().collect();
        if moved.is_empty() { option.title.clone() } else { format!("{} (here: {})", option.title, moved.join("; ")) }
    };
    let mut known = known.clone();
    for option in &mut known {
        // What another device costs is not written.
        if option.parts.iter().any(|part| enlarged.contains(&part.as_str())) {
            option.cost = None;
        }
    }
    for option in known.iter().filter(|option| title(option) != option.title) {
        chosen.text = retitled(&chosen.text, option, &title(option))?;
    }
    // In the order of the scenario, in which their changes are made.
    let ticked: Vec<&OptionTerms> = known.iter().filter(|option| choice.options.contains(&option.name)).collect();
    let whole = |option: &&OptionTerms| {
        option.parts.len() == ticked.len() && ticked.iter().all(|one| option.parts.contains(&one.name))
    };
    match ticked.as_slice() {
        [] if resized.is_empty() => {}
        [one] if resized.is_empty() => chosen.option = Some(one.name.clone()),
        _ if resized.is_empty() && known.iter().any(|option| whole(&option)) => {
            chosen.option = known.iter().find(whole).map(|option| option.name.clone());
        }
        _ => {
            let titles = ticked.iter().map(|option| title(option)).collect();
            chosen = together(chosen, &known, (&ticked, titles), &resized);
        }
    }
    Ok(chosen)
}

/// A ticked option that gives a concentrator another throughput.
fn resizing<'a>(known: &'a [OptionTerms], choice: &Choice, text: &str, concentrator: &str) -> Option<&'a OptionTerms> {
    let values = edit::all(text).unwrap_or_default();
    let of = |name: &String| {
        let resizes =
            |path: &str| path.starts_with(&format!("option.{name}.change.")) && path.ends_with(".resize.concentrator");
        values.iter().any(|(path, value)| resizes(path) && value == concentrator)
    };
    known.iter().filter(|option| choice.options.contains(&option.name)).find(|option| option.parts.iter().any(of))
}

/// The scenario with another title of an option, and without a cost that is not known any more.
fn retitled(text: &str, option: &OptionTerms, title: &str) -> Result<String, String> {
    let mut document: toml_edit::DocumentMut = text.parse().map_err(|fault| format!("{fault}"))?;
    let options = document["option"].as_array_of_tables_mut().into_iter().flat_map(toml_edit::ArrayOfTables::iter_mut);
    let named = |table: &toml_edit::Table| table.get("name").and_then(toml_edit::Item::as_str) == Some(&option.name);
    for table in options.filter(|table| named(table)) {
        table["title"] = toml_edit::value(title);
        if option.cost.is_none() {
            table.remove("cost");
        }
    }
    if option.cost.is_none()
        && let Some(sources) = document.get_mut("source").and_then(toml_edit::Item::as_table_like_mut)
    {
        sources.remove(&format!("option.{}.cost", option.name));
    }
    Ok(document.to_string())
}

/// The scenario with an option of its own for what is done together.
fn together(
    mut chosen: ChosenScenario,
    known: &[OptionTerms],
    (ticked, mut titles): (&[&OptionTerms], Vec<String>),
    resized: &[(&str, &str)],
) -> ChosenScenario {
    let taken = |name: &str| known.iter().any(|option| option.name == name);
    let numbered = (2..).map(|number| format!("{TOGETHER}-{number}"));
    let name = std::iter::once(TOGETHER.to_owned()).chain(numbered).find(|name| !taken(name)).unwrap_or_default();
    titles.extend(resized.iter().map(|(concentrator, rate)| format!("{concentrator} of {rate}")));
    let include: Vec<String> = ticked.iter().map(|option| quoted(&option.name)).collect();
    if !chosen.text.ends_with('\n') {
        chosen.text.push('\n');
    }
    chosen.text += &format!("\n[[option]]\nname = {}\ntitle = {}\n", quoted(&name), quoted(&titles.join(" + ")));
    if !include.is_empty() {
        chosen.text += &format!("include = [{}]\n", include.join(", "));
    }
    if let Some(cost) = cost_together(ticked).filter(|_| resized.is_empty()) {
        chosen.text += &format!("cost = {cost}\n");
    }
    for (concentrator, rate) in resized {
        let (concentrator, rate) = (quoted(concentrator), quoted(rate));
        chosen.text +=
            &format!("[[option.change]]\nresize = {{ concentrator = {concentrator}, throughput = {rate} }}\n");
    }
    chosen.option = Some(name);
    chosen
}

/// What options cost together: the sum, where each has a cost and none has a part of another.
fn cost_together(ticked: &[&OptionTerms]) -> Option<f64> {
    let parts: Vec<&String> = ticked.iter().flat_map(|option| &option.parts).collect();
    let apart = parts.iter().enumerate().all(|(place, part)| !parts[..place].contains(part));
    let costs: Option<Vec<f64>> = ticked.iter().map(|option| option.cost).collect();
    costs.filter(|_| apart).map(|costs| costs.iter().sum())
}

fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::live::control::controls;

    fn chosen(options: &[&str], values: &[(&str, &str)]) -> Result<(Study, Option<String>), String> {
        let text = include_str!("../../scenarios/kent-monday.toml");
        let study = crate::scenario::load("kent-monday.toml", text, Path::new(".")).unwrap();
        let choice = Choice {
            options: options.iter().map(|name| (*name).to_owned()).collect(),
            values: values.iter().map(|(path, value)| ((*path).to_owned(), (*value).to_owned())).collect(),
        };
        let ChosenScenario { text, option, .. } = scenario((&study, text), &controls(&study, text), &choice)?;
        Ok((crate::scenario::load("a.toml", &text, Path::new(".")).map_err(|faults| faults.show(false))?, option))
    }

    #[test]
    fn options_that_are_ticked_together_are_the_option_that_has_them_both_or_a_new_one() {
        assert_eq!(chosen(&[], &[]).unwrap().1, None);
        assert_eq!(chosen(&["second"], &[]).unwrap().1.as_deref(), Some("second"));
        assert_eq!(chosen(&["clinical-first", "curfew"], &[]).unwrap().1.as_deref(), Some("curfew-and-first"));
        let (study, name) = chosen(&["second", "curfew"], &[]).unwrap();
        assert_eq!(name.as_deref(), Some("chosen"));
        let (both, all) =
            (study.setups.last().unwrap(), study.setups.iter().find(|setup| setup.name == "all").unwrap());
        assert_eq!(both.model.concentrators.len(), 2);
        assert_eq!(format!("{:?}", both.model.classes), format!("{:?}", all.model.classes));
    }

    /// A larger device is something that is done: it is compared with the headend as it is.
    #[test]
    fn another_throughput_is_an_option() {
        let hub = ("concentrator.hub.throughput", "2 Gbit/s");
        let (study, name) = chosen(&[], &[hub]).unwrap();
        let of = |name: &str| study.setups.iter().find(|setup| setup.name == name).unwrap();
        assert_eq!(name.as_deref(), Some("chosen"));
        assert_eq!(of("base").model.concentrators[0].throughput.0, 1_000_000_000);
        assert_eq!(of("chosen").model.concentrators[0].throughput.0, 2_000_000_000);
        assert_eq!(of("chosen").title, "hub of 2 Gbit/s");
        let (study, _) = chosen(&["curfew"], &[hub]).unwrap();
        let last = study.setups.last().unwrap();
        assert_eq!(last.title, "updates not before 10:00 + hub of 2 Gbit/s");
        assert_eq!(last.model.concentrators[0].throughput.0, 2_000_000_000);
    }

    /// What belongs to an option moves with it, and its title says that it is not what it was.
    #[test]
    fn a_number_of_an_option_moves_where_it_is_ticked() {
        let until = ("option.curfew.change.1.curfew.until", "11:00");
        let (study, name) = chosen(&["curfew"], &[until]).unwrap();
        assert_eq!(name.as_deref(), Some("curfew"));
        let setup = study.setups.iter().find(|setup| setup.name == "curfew").unwrap();
        assert_eq!(setup.title, "updates not before 10:00 (here: until 11:00)");
        assert!(setup.what[0].contains("11:00"), "{:?}", setup.what);
        let (study, _) = chosen(&["curfew"], &[until, ("concentrator.hub.throughput", "2 Gbit/s")]).unwrap();
        let title = &study.setups.last().unwrap().title;
        assert_eq!(title, "updates not before 10:00 (here: until 11:00) + hub of 2 Gbit/s");
        let (study, _) = chosen(&["second"], &[until]).unwrap();
        let setup = study.setups.iter().find(|setup| setup.name == "curfew").unwrap();
        assert_eq!(setup.title, "updates not before 10:00");
    }

    /// Fault: options together had no cost, and the whole kept its title and its cost when a part was moved.
    #[test]
    fn what_is_chosen_together_is_called_and_costs_what_it_is() {
        let (study, _) = chosen(&["second", "curfew"], &[]).unwrap();
        let cost = |study: &Study, name: &str| study.setups.iter().find(|setup| setup.name == name).unwrap().cost;
        assert_eq!(cost(&study, "chosen"), Some(40_000.0));
        let all = ["curfew", "second", "clinical-first"];
        let until = ("option.curfew.change.1.curfew.until", "11:00");
        let rate = ("option.second.change.1.add.concentrator.throughput", "2 Gbit/s");
        let (study, name) = chosen(&all, &[until]).unwrap();
        assert_eq!(name.as_deref(), Some("all"));
        let of = |study: &Study| study.setups.iter().find(|setup| setup.name == "all").unwrap().title.clone();
        assert_eq!((of(&study).as_str(), cost(&study, "all")), ("all three (here: until 11:00)", Some(40_000.0)));
        let (study, _) = chosen(&all, &[until, rate]).unwrap();
        assert_eq!(of(&study), "all three (here: until 11:00; throughput 2 Gbit/s)");
        assert_eq!((cost(&study, "all"), cost(&study, "second"), cost(&study, "curfew")), (None, None, Some(0.0)));
    }

    #[test]
    fn what_is_not_there_is_said() {
        let far = chosen(&[], &[("concentrator.hub.throughput", "999 Tbit/s")]).unwrap_err();
        assert!(far.contains("goes from 125 Mbit/s to 8 Gbit/s"), "{far}");
        assert!(chosen(&["third"], &[]).unwrap_err().contains("third"));
        assert!(chosen(&[], &[("class.web.nothing", "1")]).unwrap_err().contains("class.web.nothing"));
    }
}
