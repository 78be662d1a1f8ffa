//! `without`: what an option takes back of the headend as it is, misfortunes and changes.

use crate::model::{Fault, Model};
use crate::scenario::check::device::DeviceModels;
use crate::scenario::check::{change, fault};
use crate::scenario::checker::Checker;
use crate::scenario::field::{Field, Name};
use crate::scenario::file::{At, Change, File, OptionFile};
use crate::scenario::problem::did_you_mean;

/// The name of a change: its kind, and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeName {
    /// Its key in the file.
    kind: &'static str,
    /// The class, concentrator or pool, where it names one.
    subject: Option<String>,
}

impl ChangeName {
    /// That of a change.
    #[must_use]
    pub fn of(change: &Change) -> Self {
        let (kind, subject) = match change {
            Change::Curfew(file) => ("curfew", Some(&file.class)),
            Change::Shape(file) => ("shape", Some(&file.class)),
            Change::SwitchOff(file) => ("switch_off", Some(&file.class)),
            Change::Prioritise(file) => ("prioritise", file.first.first()),
            Change::Serve(file) => ("serve", file.concentrators.first()),
            Change::Resize(file) => ("resize", Some(&file.concentrator)),
            Change::Add(file) => ("add", file.concentrator.as_ref().map(|table| &table.get_ref().name)),
            Change::Balance(file) => ("balance", Some(&file.pool)),
            Change::Migrate(file) => ("migrate", Some(&file.to)),
            Change::Cache(file) => ("cache", Some(&file.class)),
            Change::BreakOut(file) => ("break_out", Some(&file.class)),
            Change::Stagger(file) => ("stagger", Some(&file.class)),
            Change::Store(file) => ("store", Some(&file.class)),
            Change::Tunnels(_) => ("tunnels", None),
            Change::Limit(file) => ("limit", file.concentrators.first()),
        };
        Self { kind, subject: subject.and_then(Field::value).map(|name| name.0.clone()) }
    }

    /// Whether `name` means it: its kind alone means all changes of that kind.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        name == self.kind || name == self.in_full()
    }

    fn in_full(&self) -> String {
        self.subject.as_ref().map_or_else(|| self.kind.to_owned(), |subject| format!("{}.{subject}", self.kind))
    }
}

/// Where an option that consists of these takes a change back, if it does.
#[must_use]
pub fn taken_back<'a>(option: &[&'a OptionFile], change: &At<Change>) -> Option<&'a Field<Name>> {
    let name = ChangeName::of(change.get_ref());
    let mut written = option.iter().flat_map(|table| &table.without);
    written.find(|field| field.value().is_some_and(|written| name.is(&written.0)))
}

/// The headend as it is, made of `plain` anew, less the changes that an option takes back.
pub fn rebuilt(
    plain: &Model,
    file: &File,
    option: &[&OptionFile],
    (known, first): (&DeviceModels, Option<jiff::civil::Date>),
    check: &mut Checker,
) -> Model {
    let (back, kept): (Vec<_>, Vec<_>) =
        file.change.iter().cloned().partition(|change| taken_back(option, change).is_some());
    let mut model = plain.clone();
    let before = check.problems.len();
    change::apply(&mut model, &kept, &mut Vec::new(), known, first, check);
    fault::apply(&mut model, &file.fault, first, check);
    if let Some(title) = check.problems.forget_since(before)
        && let Some(at) = back.first().and_then(|change| taken_back(option, change))
    {
        let help = "take back what depends on it, too";
        check.problems.add(at.span(), format!("without this the headend as it is makes no sense: {title}"), help);
    }
    model
}

/// Removes the misfortunes that an option excludes; `changes` are those of the headend as it is, which it may name as well. `removed`
/// holds what an option that it includes has excluded before.
pub fn remove_faults(
    model: &mut Model,
    names: &[Field<Name>],
    (changes, removed): (&[At<Change>], &mut Vec<String>),
    check: &mut Checker,
) {
    for field in names {
        let Some(Name(name)) = check.optional(field) else { continue };
        let known: Vec<ChangeName> = changes.iter().map(|change| ChangeName::of(change.get_ref())).collect();
        let is_it = |fault: &Fault| fault.name.as_ref() == Some(&name);
        if !model.faults.iter().any(is_it) && !removed.contains(&name) && !known.iter().any(|change| change.is(&name)) {
            let known: Vec<String> = known.iter().map(ChangeName::in_full).collect();
            let faults = model.faults.iter().filter_map(|fault| fault.name.as_deref());
            let help = did_you_mean(&name, faults.chain(known.iter().map(String::as_str)));
            let title = format!("the headend as it is has no fault and no change of the name `{name}`");
            check.problems.add(field.span(), title, help);
        }
        model.faults.retain(|fault| !is_it(fault));
        removed.push(name);
    }
}
