//! Controls: the numbers of a scenario that a page lets people move.

use serde::{Deserialize, Serialize};

use crate::elementary::{log10, pow};
use crate::report::words::capital;
use crate::scenario::Study;
use crate::scenario::check::knob::WrittenKnob;
use crate::scenario::edit;
use crate::scenario::quantity::{Quantity, QuantityKind};
use crate::units::{BitRate, Bytes, Duration, PacketRate, Share};

/// The path of the years for which classes have grown, which a scenario need not write.
pub const YEARS: &str = "run.years";

/// A number that can be moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    /// What it is, as a scenario could write it.
    pub knob: WrittenKnob,
    /// Where it stands on the page.
    pub group: ControlGroup,
}

/// Where a control stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ControlGroup {
    /// Among what holds in every set-up.
    All,
    /// The throughput of the concentrator of this name, which another device could have.
    Device(String),
    /// Below the option of this name.
    Option(String),
    /// Among what is assumed.
    Assumed,
}

/// The parts of a path; names of options and concentrators may have dots in them.
fn parts_of<'a>(study: &'a Study, path: &'a str) -> Vec<&'a str> {
    let Some((table, rest)) = path.split_once('.') else { return vec![path] };
    let options = study.setups.iter().map(|setup| setup.name.as_str()).filter(|_| table == "option");
    let concentrators = study.setups[0].model.concentrators.iter().map(|concentrator| concentrator.name.as_str());
    let names = options.chain(concentrators.filter(|_| table == "concentrator"));
    let begins = |name: &&str| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    match names.filter(begins).max_by_key(|name| name.len()) {
        Some(name) => [table, name].into_iter().chain(rest[name.len() + 1..].split('.')).collect(),
        None => path.split('.').collect(),
    }
}

/// Where the control of a value stands. What moves more than a device holds in every set-up.
fn group(study: &Study, values: &[(String, String)], knob: &WrittenKnob) -> ControlGroup {
    let parts = parts_of(study, &knob.path);
    let device = match parts.as_slice() {
        ["option", name, ..] => return ControlGroup::Option((*name).to_owned()),
        ["concentrator", name, "throughput"] => Some((*name).to_owned()),
        ["change", number, "resize", "throughput"] => {
            resized(values).into_iter().find(|(own, _)| own == number).map(|(_, name)| name)
        }
        _ => None,
    };
    let table = knob.path.rsplit_once('.').map_or("", |(table, _)| table);
    let is_of_device =
        |(path, _): &(String, String)| path.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'));
    match device.filter(|_| knob.along.iter().all(is_of_device)) {
        Some(name) => ControlGroup::Device(name),
        None => ControlGroup::All,
    }
}

/// Changes of the base that give a concentrator another throughput from the start: their numbers, and its name.
fn resized(values: &[(String, String)]) -> Vec<(String, String)> {
    let number = |path: &str| {
        let rest = path.strip_prefix("change.")?.strip_suffix(".resize.concentrator")?;
        let dated = ["at", "on"].map(|when| format!("change.{rest}.resize.{when}"));
        let is_dated = values.iter().any(|(path, _)| dated.contains(path));
        (!is_dated).then(|| rest.to_owned())
    };
    values.iter().filter_map(|(path, name)| Some((number(path)?, name.clone()))).collect()
}

/// Positions of a control.
pub const POSITIONS: u32 = 200;

impl Control {
    /// Whether equal steps are equal ratios.
    fn by_ratio(&self) -> bool {
        let (from, to) = &self.knob.range;
        !matches!(from.kind, QuantityKind::Clock | QuantityKind::Share) && from.size > 0.0 && to.size >= 3.0 * from.size
    }

    /// The value at a position, from 0 to [`POSITIONS`], as a scenario writes it.
    #[must_use]
    pub fn at(&self, position: f64) -> String {
        let (from, to) = &self.knob.range;
        let u = (position / f64::from(POSITIONS)).clamp(0.0, 1.0);
        let exact = if self.by_ratio() {
            from.size * pow(to.size / from.size, u)
        } else {
            from.size + (to.size - from.size) * u
        };
        written(&Quantity {
            kind: from.kind,
            size: rounded(from.kind, exact, to.size - from.size).clamp(from.size, to.size),
        })
    }

    /// The position of a value; none if it is of another kind.
    #[must_use]
    pub fn position(&self, value: &str) -> Option<f64> {
        let (from, to) = &self.knob.range;
        let size = Quantity::read(value).map(|value| value.like(from)).filter(|value| value.kind == from.kind)?.size;
        let u = if self.by_ratio() {
            log10(size.max(from.size) / from.size) / log10(to.size / from.size)
        } else {
            (size - from.size) / (to.size - from.size)
        };
        Some((u * f64::from(POSITIONS)).clamp(0.0, f64::from(POSITIONS)))
    }

    /// A value as it is shown.
    #[must_use]
    pub fn said(&self, value: &str) -> String {
        let said = Quantity::read(value).map_or_else(|| value.to_owned(), |value| written(&value));
        if self.knob.unit.is_empty() { said } else { format!("{said} {}", self.knob.unit) }
    }

    /// The text of a scenario with this control at a value, and what goes along with it.
    ///
    /// # Errors
    /// If it cannot be set.
    pub fn set(&self, text: &str, value: &str) -> Result<String, String> {
        if self.knob.path == YEARS {
            return with_years(text, value);
        }
        self.knob.set(text, value)
    }

    /// A value lies in its range, to what is rounded.
    ///
    /// # Errors
    /// If it does not, with the range.
    pub fn holds(&self, value: &str) -> Result<(), String> {
        let (from, to) = &self.knob.range;
        let size = Quantity::read(value).map(|value| value.like(from)).filter(|value| value.kind == from.kind);
        let within = |size: f64| from.size * (1.0 - 1e-9) <= size && size <= to.size * (1.0 + 1e-9);
        if size.is_some_and(|value| within(value.size)) {
            return Ok(());
        }
        let [from, to] = [from, to].map(|end| self.said(&end.written()));
        Err(format!("{} goes from {from} to {to}, and `{value}` does not lie there.", self.knob.name))
    }
}

/// A scenario in which classes have grown for some years.
fn with_years(text: &str, value: &str) -> Result<String, String> {
    let years: f64 = value.parse().map_err(|_| format!("`{value}` is no number of years"))?;
    let mut document: toml_edit::DocumentMut = text.parse().map_err(|fault| format!("{fault}"))?;
    document["run"]["years"] = toml_edit::value(years);
    Ok(document.to_string())
}

/// A quantity in the unit that fits its size, as a scenario can write it.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // sizes of zero and more
fn written(quantity: &Quantity) -> String {
    let size = quantity.size;
    let whole = size.max(0.0).round() as u64;
    match quantity.kind {
        QuantityKind::Time => Duration::of_secs(size).to_string(),
        QuantityKind::Rate => BitRate(whole).to_string(),
        QuantityKind::Packets => PacketRate(whole).to_string(),
        QuantityKind::Size => Bytes(whole).to_string(),
        QuantityKind::Share => Share(size).to_string(),
        QuantityKind::Number | QuantityKind::Whole | QuantityKind::Clock => quantity.written(),
    }
}

/// A value that is easy to read: times of day to five minutes, shares to a hundredth, others to two digits and a half.
fn rounded(kind: QuantityKind, exact: f64, range: f64) -> f64 {
    let to = |step: f64| (exact / step).round() * step;
    match kind {
        QuantityKind::Clock => to(if range > 7_200.0 { 300.0 } else { 60.0 }),
        QuantityKind::Share => to(if range > 0.2 { 0.01 } else { 0.001 }),
        QuantityKind::Whole => to(1.0),
        _ if exact <= 0.0 => 0.0,
        _ => {
            let unit = pow(10.0, log10(exact).floor() - 1.0);
            to(if exact / unit < 50.0 { unit / 2.0 } else { unit })
        }
    }
}

/// The controls of a scenario: those that it writes, or else those of its concentrators and options; and growth.
#[must_use]
pub fn controls(study: &Study, text: &str) -> Vec<Control> {
    let values = edit::all(text).unwrap_or_default();
    let written = |knob: &WrittenKnob| Control { group: group(study, &values, knob), knob: knob.clone() };
    let mut controls: Vec<Control> = study.knobs.iter().map(written).collect();
    if controls.is_empty() {
        let found = values.iter().filter_map(|(path, value)| found(study, &values, path, value));
        controls.extend(found);
    }
    let grows = study.setups[0].model.classes.iter().any(|class| class.growth > 0.0);
    if grows && !controls.iter().any(|control| control.knob.path == YEARS) {
        controls.push(years(text));
    }
    controls
}

fn years(text: &str) -> Control {
    const MOST: f64 = 10.0;
    let values = edit::all(text).unwrap_or_default();
    let value = values.into_iter().find(|(path, _)| path == YEARS).map_or_else(|| "0".to_owned(), |(_, value)| value);
    let now = value.parse().unwrap_or(0.0_f64);
    let of = |size| Quantity { kind: QuantityKind::Number, size };
    let knob = WrittenKnob {
        name: "Years of growth".to_owned(),
        path: YEARS.to_owned(),
        value,
        range: (of(0.0), of(MOST.max(now))),
        unit: String::new(),
        along: Vec::new(),
        at: 0..0,
    };
    Control { knob, group: ControlGroup::All }
}

/// A throughput may grow or shrink by this factor, and so may other rates and sizes.
const FACTOR: f64 = 8.0;
/// A window is at least so long [s].
const GAP: f64 = 900.0;
/// A time of day may be so much earlier or later [s].
const SHIFT: f64 = 4.0 * 3600.0;

/// The control of a value of a concentrator, a change or an option, if it is one that can be decided.
fn found(study: &Study, values: &[(String, String)], path: &str, value: &str) -> Option<Control> {
    let parts = parts_of(study, path);
    let leaf = *parts.last()?;
    let decides = match parts[0] {
        "concentrator" => leaf == "throughput",
        "change" => true,
        "option" => parts.get(2) == Some(&"change"),
        _ => false,
    };
    // What a concentrator carries as it is, a change may have set.
    if parts[0] == "concentrator" && resized(values).iter().any(|(_, name)| parts.get(1) == Some(&name.as_str())) {
        return None;
    }
    if !decides || !DECIDED.iter().any(|(name, _)| *name == leaf) {
        return None;
    }
    let now = Quantity::read(value)?;
    let of = |size: f64| Quantity { kind: now.kind, size };
    let range = match now.kind {
        QuantityKind::Clock => {
            // What is from one time until another neither ends before it begins nor begins after its end.
            let other = |name: &str| {
                let table = parts[..parts.len() - 1].join(".");
                let found = values.iter().find(|(path, _)| *path == format!("{table}.{name}"));
                found.and_then(|(_, value)| Quantity::read(value)).map(|time| time.size)
            };
            let least = if leaf == "until" { other("from").map_or(0.0, |from| from + GAP) } else { 0.0 };
            let most = if leaf == "from" { other("until").map_or(86_400.0, |until| until - GAP) } else { 86_400.0 };
            (of((now.size - SHIFT).max(least)), of((now.size + SHIFT).min(most)))
        }
        QuantityKind::Share => (of(0.0), of(1.0)),
        QuantityKind::Rate | QuantityKind::Size | QuantityKind::Packets => {
            (of(now.size / FACTOR), of(now.size * FACTOR))
        }
        QuantityKind::Time => (of(0.0), of((4.0 * now.size).max(600.0))),
        QuantityKind::Number | QuantityKind::Whole => return None,
    };
    let along = if leaf == "throughput" { with_throughput(values, &parts) } else { Vec::new() };
    let knob = WrittenKnob {
        name: named(study, &parts, values),
        path: path.to_owned(),
        value: value.to_owned(),
        range,
        unit: String::new(),
        along,
        at: 0..0,
    };
    let group = group(study, values, &knob);
    Some(Control { knob, group })
}

/// What can be decided, and what it is called.
const DECIDED: [(&str, &str); 12] = [
    ("throughput", "throughput"),
    ("until", "until"),
    ("from", "from"),
    ("at", "from"),
    ("jittered", "released over"),
    ("spread", "released over"),
    ("over", "spread over"),
    ("compliance", "share that obeys"),
    ("share", "share"),
    ("total", "limit in all"),
    ("per_site", "limit at each site"),
    ("sites", "sites"),
];

/// What a share is of, by the kind of the change.
const SHARES: [(&str, &str); 5] = [
    ("except", "share of the sites that stay"),
    ("break_out", "share that goes round the headend"),
    ("cache", "share that is served on site"),
    ("store", "share that is stored on site"),
    ("migrate", "share of the sites that move"),
];

/// A device of the same kind that is larger: what is written of its packet rate, buffer and line grows with its throughput.
fn with_throughput(values: &[(String, String)], parts: &[&str]) -> Vec<(String, String)> {
    const GROW: [&str; 4] = ["packet_rate", "buffer", "uplink", "configured"];
    let table = parts[..parts.len() - 1].join(".");
    let beside = |name: &str| values.iter().find(|(path, _)| *path == format!("{table}.{name}")).cloned();
    GROW.iter().filter_map(|name| beside(name)).collect()
}

/// A name for people: what it is, and of whom.
fn named(study: &Study, parts: &[&str], values: &[(String, String)]) -> String {
    let leaf = parts.last().copied().unwrap_or_default();
    let what = DECIDED.iter().find(|(name, _)| *name == leaf).map_or(leaf, |(_, what)| what);
    if let Some(place) = parts.iter().rposition(|part| *part == "waves").filter(|place| *place > 2) {
        let what = if leaf == "share" { "share of the sites that are left" } else { what };
        return format!("Wave {}: {what}", parts.get(place + 1).copied().unwrap_or_default());
    }
    let table = parts[..parts.len() - 1].join(".");
    let beside = |name: &str| {
        let within = |path: &str| path.strip_prefix(&table).is_some_and(|rest| rest == format!(".{name}"));
        values.iter().find(|(path, _)| within(path)).map(|(_, value)| value.clone())
    };
    let class = |table: &str| {
        let path = format!("{table}.class");
        values.iter().find(|(own, _)| *own == path).map(|(_, value)| value.clone())
    };
    let above = table.rsplit_once('.').map_or("", |(above, _)| above);
    let kind = |name: &&str| parts.contains(name);
    let what = match (leaf, SHARES.iter().find(|(name, _)| kind(name))) {
        ("share", Some((_, said))) => *said,
        _ => what,
    };
    let whom = match parts {
        ["concentrator", name, ..] => Some((*name).to_owned()),
        _ => beside("name").or_else(|| beside("concentrator")).or_else(|| class(&table)).or_else(|| class(above)),
    };
    // The concentrators of an estate with one have no need of a name.
    let alone = study.setups.iter().all(|setup| setup.model.concentrators.len() < 2) && parts[0] == "concentrator";
    match whom.filter(|_| !alone) {
        Some(whom) => capital(&format!("{whom}: {what}")),
        None => capital(what),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn kent() -> (Study, String) {
        let text = include_str!("../../scenarios/kent-monday.toml");
        (crate::scenario::load("kent-monday.toml", text, Path::new(".")).unwrap(), text.to_owned())
    }

    #[test]
    fn what_can_be_decided_is_found_in_concentrators_and_options() {
        let (study, text) = kent();
        let found = controls(&study, &text);
        let paths: Vec<&str> = found.iter().map(|control| control.knob.path.as_str()).collect();
        for path in [
            "concentrator.hub.throughput",
            "option.curfew.change.1.curfew.until",
            "option.curfew.change.1.curfew.compliance",
            "option.second.change.1.add.concentrator.throughput",
        ] {
            assert!(paths.contains(&path), "{path}: {paths:?}");
        }
    }

    /// A position and its value stand for each other, to what is rounded.
    #[test]
    fn positions_and_values_stand_for_each_other() {
        let (study, text) = kent();
        for control in controls(&study, &text) {
            for position in [0, 50, 117, POSITIONS] {
                let value = control.at(f64::from(position));
                let back = control.position(&value).unwrap();
                assert!(
                    (back - f64::from(position)).abs() <= 4.0,
                    "{} {value}: {back} for {position}",
                    control.knob.path
                );
                let set = control.set(&text, &value).unwrap();
                assert!(
                    crate::scenario::load("a.toml", &set, Path::new(".")).is_ok(),
                    "{} at {value}",
                    control.knob.path
                );
            }
            assert!(control.position(&control.knob.value).is_some(), "{}", control.knob.path);
        }
    }

    /// A device that is twice as fast has twice the packet rate and buffer.
    #[test]
    fn a_larger_device_is_larger_in_all() {
        let (study, text) = kent();
        let of = |path: &str| controls(&study, &text).into_iter().find(|control| control.knob.path == path).unwrap();
        let set = of("concentrator.hub.throughput").set(&text, "2 Gbit/s").unwrap();
        let model = |text: &str| crate::scenario::load("a.toml", text, Path::new(".")).unwrap().setups[0].model.clone();
        let (before, after) = (model(&text), model(&set));
        assert_eq!(after.concentrators[0].buffer.0, 2 * before.concentrators[0].buffer.0);
        assert_eq!(after.concentrators[0].carries().0.0, 2 * before.concentrators[0].carries().0.0);
    }
}
