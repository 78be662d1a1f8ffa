//! `[[knob]]`: numbers that a page lets people move, each with its range.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::scenario::checker::Checker;
use crate::scenario::edit;
use crate::scenario::field::{At, Field, TextLine};
use crate::scenario::file::{File, KnobFile};
use crate::scenario::quantity::{Quantity, QuantityKind, ends};

/// A number that a page lets people move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WrittenKnob {
    /// What it is called.
    pub name: String,
    /// Its path.
    pub path: String,
    /// As it is written.
    pub value: String,
    /// Both ends of its range, of the same kind as the value.
    pub range: (Quantity, Quantity),
    /// What a bare number is counted in; empty for others.
    pub unit: String,
    /// Paths of the values that grow and shrink with it in proportion, and these as they are written.
    pub along: Vec<(String, String)>,
    /// Where its range is written.
    #[serde(skip)]
    pub at: Range<usize>,
}

impl WrittenKnob {
    /// The text of a scenario with its value, and what goes along with it.
    ///
    /// # Errors
    /// If it cannot be set.
    pub fn set(&self, text: &str, value: &str) -> Result<String, String> {
        let mut text = edit::set(text, &self.path, value)?;
        let sizes = Quantity::read(value).zip(Quantity::read(&self.value)).filter(|(_, before)| before.size > 0.0);
        if let Some((now, before)) = sizes {
            for (path, own) in &self.along {
                if let Some(own) = Quantity::read(own) {
                    let size = own.size * now.size / before.size;
                    text = edit::set(&text, path, &Quantity { kind: own.kind, size }.written())?;
                }
            }
        }
        Ok(text)
    }
}

/// The knobs of a file, as far as they are right.
pub(crate) fn knobs(file: &File, text: &str, check: &mut Checker) -> Vec<WrittenKnob> {
    if file.knob.is_empty() {
        return Vec::new();
    }
    let values = edit::all(text).unwrap_or_default();
    let mut found: Vec<WrittenKnob> = Vec::new();
    for table in &file.knob {
        let Some(knob) = knob(table, &values, check) else { continue };
        if found.iter().any(|other| other.path == knob.path) {
            let title = format!("a second knob for `{}`", knob.path);
            check.problems.add(table.get_ref().path.span(), title, "write one for each value");
            continue;
        }
        found.push(knob);
    }
    found
}

fn knob(table: &At<KnobFile>, values: &[(String, String)], check: &mut Checker) -> Option<WrittenKnob> {
    let (at, file) = (table.span(), table.get_ref());
    let name = check.required(&file.name, &at, "name");
    let path = check.required(&file.path, &at, "path").and_then(|_| found(&file.path, values, check));
    let range = check.required(&file.range, &at, "range");
    let unit = check.optional(&file.unit).map_or_else(String::new, |unit| unit.0);
    let along = file.along.iter().filter_map(|path| found(path, values, check)).collect();
    let ((path, value), range) = (path?, range?.0);
    let read = |text: &str| Quantity::read(text);
    let both = ends(&range).and_then(|(from, to)| Some((read(&from)?, read(&to)?)));
    let Some((now, (from, to))) = read(&value).zip(both) else {
        let help = "write a range such as \"500 Mbit/s to 4 Gbit/s\", and the path of a value that is one number";
        check.problems.add(file.range.span(), format!("`{range}` is no range of `{path}`, which is `{value}`"), help);
        return None;
    };
    let (from, to) = (from.like(&now), to.like(&now));
    let is_whole = now.kind != QuantityKind::Whole || (from.size.fract() == 0.0 && to.size.fract() == 0.0);
    if from.size < 0.0 || !is_whole {
        let help = "write numbers of zero or more, and whole ones for what is counted";
        check.problems.add(file.range.span(), format!("`{range}` holds what `{path}` cannot be"), help);
        return None;
    }
    if from.kind == now.kind && to.kind == now.kind && from.size >= to.size {
        let help = "write the lower end first, such as \"500 Mbit/s to 4 Gbit/s\"";
        check.problems.add(file.range.span(), format!("`{range}` holds no values"), help);
        return None;
    }
    if from.kind != now.kind || to.kind != now.kind || !(from.size <= now.size && now.size <= to.size) {
        let help = "write a range of the same kind of quantity, in which the value lies";
        check.problems.add(file.range.span(), format!("`{path}`, which is `{value}`, does not lie in `{range}`"), help);
        return None;
    }
    Some(WrittenKnob { name: name?.0, path, value, range: (from, to), unit, along, at: file.range.span().clone() })
}

/// The value at a path.
fn found(field: &Field<TextLine>, values: &[(String, String)], check: &mut Checker) -> Option<(String, String)> {
    let TextLine(path) = check.optional(field)?;
    let known = values.iter().find(|(own, _)| *own == path).cloned();
    if known.is_none() {
        let help = edit::nearest(&path, values.iter().map(|(own, _)| own.as_str()));
        check.problems.add(field.span(), format!("there is no value `{path}` in this scenario"), help);
    }
    known
}
