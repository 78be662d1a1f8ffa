//! Sources: where the numbers of a scenario come from, and which of them are only assumed.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::scenario::checker::Checker;
use crate::scenario::file::{File, LikelihoodFile, StandingFile};

/// How far a number can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Published by those responsible.
    Official,
    /// Measured.
    Measured,
    /// Fitted to something published or measured.
    Fitted,
    /// Assumed.
    Assumed,
}

impl Standing {
    /// As written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Official => "official",
            Self::Measured => "measured",
            Self::Fitted => "fitted",
            Self::Assumed => "assumed",
        }
    }
}

/// A number of the scenario and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Its path, such as `class.clinical.users.per_1000`.
    pub path: String,
    /// As it was written.
    pub value: String,
    /// How far it can be trusted; what no source covers is assumed.
    pub standing: Standing,
    /// Publication, measurement or reason; none where no source covers it.
    pub source: Option<String>,
    /// What else it could be.
    pub range: Option<String>,
    /// How likely each part of that range is.
    pub likelihood: Likelihood,
}

/// How likely each part of a range is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Likelihood {
    /// Likeliest where it was written, down to nothing at the ends.
    #[default]
    Triangular,
    /// All values alike.
    Uniform,
    /// All ratios alike.
    LogUniform,
    /// Normal; the range is the interval that holds nine of ten.
    Normal,
}

/// Every number of the scenario with its origin. A source covers the path that it names and all below it; the
/// longest path wins.
pub fn inputs(text: &str, file: &File, check: &mut Checker) -> Vec<Input> {
    let Ok(root) = DeTable::parse(text) else { return Vec::new() };
    let mut numbers = Vec::new();
    for (key, value) in root.get_ref() {
        if WORLD.contains(&&*key.get_ref().to_string()) {
            walk(key.get_ref(), value, &mut numbers);
        }
    }
    for (path, origin) in &file.source {
        let covered = covers(path.get_ref());
        if !numbers.iter().any(|(other, _)| covered(other)) {
            let help = "name a table or value of this file, with classes and concentrators by their names, \
                        such as `class.clinical.users`";
            check.problems.add(
                &path.span(),
                format!("`{}` is not in this file, or has no numbers", path.get_ref()),
                help,
            );
        }
        if origin.get_ref().standing.is_none() {
            check.missing(&origin.span(), "standing", "one of \"official\", \"measured\", \"fitted\" and \"assumed\"");
        }
        check.required(&origin.get_ref().from, &origin.span(), "from");
        check.optional(&origin.get_ref().range);
    }
    numbers.into_iter().map(|(path, value)| origin_of(path, value, file)).collect()
}

/// The tables whose numbers describe the world and what is done to it; targets and the run are decisions.
const WORLD: [&str; 11] = [
    "estate",
    "calendar",
    "transport",
    "profile",
    "class",
    "tunnels",
    "concentrator",
    "fault",
    "replay",
    "change",
    "option",
];

/// Keys whose values are texts even where they begin with a digit.
const LABELS: [&str; 2] = ["name", "file"];

fn covers(path: &str) -> impl Fn(&str) -> bool {
    let path = path.to_owned();
    move |other: &str| other == path || other.strip_prefix(&path).is_some_and(|rest| rest.starts_with('.'))
}

fn origin_of(path: String, value: String, file: &File) -> Input {
    let best = file
        .source
        .iter()
        .filter(|(name, _)| covers(name.get_ref())(&path))
        .max_by_key(|(name, _)| name.get_ref().len());
    let origin = best.map(|(_, origin)| origin.get_ref());
    let standing = match origin.and_then(|origin| origin.standing) {
        Some(StandingFile::Official) => Standing::Official,
        Some(StandingFile::Measured) => Standing::Measured,
        Some(StandingFile::Fitted) => Standing::Fitted,
        Some(StandingFile::Assumed) | None => Standing::Assumed,
    };
    let line = |field: &crate::scenario::field::Field<crate::scenario::field::TextLine>| {
        field.value().map(|line| line.0.clone())
    };
    Input {
        path,
        value,
        standing,
        source: origin.and_then(|origin| line(&origin.from)),
        range: origin.and_then(|origin| line(&origin.range)),
        likelihood: match origin.and_then(|origin| origin.likelihood) {
            Some(LikelihoodFile::Triangular) | None => Likelihood::Triangular,
            Some(LikelihoodFile::Uniform) => Likelihood::Uniform,
            Some(LikelihoodFile::LogUniform) => Likelihood::LogUniform,
            Some(LikelihoodFile::Normal) => Likelihood::Normal,
        },
    }
}

/// Collects the leaves that hold numbers. Elements of a list go by their `name` where they have one, else by
/// their number.
fn walk(path: &str, value: &Spanned<DeValue<'_>>, found: &mut Vec<(String, String)>) {
    match value.get_ref() {
        DeValue::Table(table) => {
            for (key, value) in table.iter().filter(|(key, _)| !LABELS.contains(&&**key.get_ref())) {
                walk(&format!("{path}.{}", key.get_ref()), value, found);
            }
        }
        DeValue::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                let name = element.get_ref().get("name").and_then(|name| name.get_ref().as_str().map(str::to_owned));
                walk(&format!("{path}.{}", name.unwrap_or_else(|| (index + 1).to_string())), element, found);
            }
        }
        DeValue::String(text) => {
            if text.starts_with(|letter: char| letter.is_ascii_digit()) {
                found.push((path.to_owned(), text.to_string()));
            }
        }
        DeValue::Integer(number) => found.push((path.to_owned(), number.to_string())),
        DeValue::Float(number) => found.push((path.to_owned(), number.to_string())),
        DeValue::Datetime(date) => found.push((path.to_owned(), date.to_string())),
        DeValue::Boolean(_) => {}
    }
}
