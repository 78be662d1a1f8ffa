//! Fields: single values of a scenario, each with its place, which never stop the reading of the rest.
//!
//! A field that cannot be read keeps the message that says why; `check` collects them, so that a file with
//! five faults is answered with five messages.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Unexpected, Visitor};
use toml::Spanned;

use crate::units::{Bytes, Duration, Text, visible};

/// A table with its place; the schema sees the table alone.
pub type At<T> = Spanned<T>;

/// A value with its place in the text.
#[derive(Clone, Debug)]
pub struct Field<T> {
    span: Range<usize>,
    state: FieldState<T>,
}

#[derive(Clone, Debug)]
enum FieldState<T> {
    Missing,
    Error(String),
    Value(T),
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Self { span: 0..0, state: FieldState::Missing }
    }
}

impl<T> Field<T> {
    /// A value that is right, at a place.
    #[must_use]
    pub fn of(value: T, span: Range<usize>) -> Self {
        Self { span, state: FieldState::Value(value) }
    }

    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> &Range<usize> {
        &self.span
    }

    /// Whether it was written at all.
    #[must_use]
    pub fn is_written(&self) -> bool {
        !matches!(self.state, FieldState::Missing)
    }

    /// The value, if it is right.
    #[must_use]
    pub fn value(&self) -> Option<&T> {
        match &self.state {
            FieldState::Value(value) => Some(value),
            _ => None,
        }
    }

    /// What is wrong with it, if it was written and cannot be read.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        match &self.state {
            FieldState::Error(message) => Some(message),
            _ => None,
        }
    }
}

impl<'de, T: Text> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scalar = Spanned::<Scalar>::deserialize(deserializer)?;
        let span = scalar.span();
        let state = match T::read(&scalar.into_inner().0) {
            Ok(value) => FieldState::Value(value),
            Err(message) => FieldState::Error(message),
        };
        Ok(Self { span, state })
    }
}

impl<T: Text> JsonSchema for Field<T> {
    fn schema_name() -> Cow<'static, str> {
        T::WHAT.into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        match T::WHAT {
            what if what.contains("number") => json_schema!({ "type": "number", "$comment": what }),
            what if what.starts_with("true") => json_schema!({ "type": "boolean", "$comment": what }),
            what => json_schema!({ "type": "string", "$comment": what }),
        }
    }
}

/// Names of quantities in the schema, where a table is generic over them.
macro_rules! named {
    ($($quantity:ident => $name:literal),*) => {$(
        impl JsonSchema for $quantity {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "description": $quantity::WHAT })
            }
        }
    )*};
}
named!(Duration => "Time", Bytes => "Size");

/// Any single value, as it was written.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyScalar(PhantomData))
    }
}

struct AnyScalar(PhantomData<()>);

/// How `toml` names a date or a time.
const DATETIME: &str = "$__toml_private_datetime";

impl<'de> Visitor<'de> for AnyScalar {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a single value, such as \"8 s\" or 5")
    }

    fn visit_str<E>(self, value: &str) -> Result<Scalar, E> {
        Ok(Scalar(value.to_owned()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Scalar, E> {
        Ok(Scalar(value.to_string()))
    }

    // A date or a time without quotes comes as a map of one entry.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Scalar, A::Error> {
        let wrong = || A::Error::invalid_type(Unexpected::Map, &self);
        match map.next_key::<String>()? {
            Some(key) if key == DATETIME => map.next_value().map(Scalar),
            _ => Err(wrong()),
        }
    }
}

/// A whole number of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

impl Text for Count {
    const WHAT: &'static str = "a whole number, such as 5";
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("`{text}` is not a whole number of zero or more"))
    }
}

/// A number of zero or more.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Number(pub f64);

impl Text for Number {
    const WHAT: &'static str = "a number, such as 2.5";
    fn read(text: &str) -> Result<Self, String> {
        match text.parse::<f64>() {
            Ok(number) if number >= 0.0 && number.is_finite() => Ok(Self(number)),
            _ => Err(format!("`{text}` is not a number of zero or more")),
        }
    }
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag(pub bool);

impl Text for Flag {
    const WHAT: &'static str = "true or false";
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("`{text}` is not `true` or `false`"))
    }
}

/// A short name: what classes, concentrators and options are called in files and charts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub String);

impl Text for Name {
    const WHAT: &'static str = "a name of letters, digits, `-`, `_` and `.`, such as \"clinical\"";
    fn read(text: &str) -> Result<Self, String> {
        let fine = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.');
        if text.is_empty() || text.chars().count() > 40 || !text.chars().all(fine) {
            return Err(format!(
                "`{}` is not a name; use up to 40 letters, digits, `-`, `_` and `.`",
                text.chars().take(60).collect::<String>()
            ));
        }
        Ok(Self(text.to_owned()))
    }
}

/// A line of text for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextLine(pub String);

impl Text for TextLine {
    const WHAT: &'static str = "a line of text";
    fn read(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("this is empty, and should be one line of text".to_owned());
        }
        if text.chars().any(char::is_control) {
            return Err("this should be one line of text".to_owned());
        }
        Ok(Self(visible(text).into_owned()))
    }
}

/// A day of the week (0 = Monday).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weekday(pub u8);

/// Their names, Monday first.
pub const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// The same in full.
pub const WHOLE_WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl Text for Weekday {
    const WHAT: &'static str = "a day of the week, such as \"Mon\"";
    fn read(text: &str) -> Result<Self, String> {
        let found = WEEKDAYS.iter().zip(WHOLE_WEEKDAYS).zip(0_u8..);
        found
            .into_iter()
            .find(|((short, whole), _)| short.eq_ignore_ascii_case(text) || whole.eq_ignore_ascii_case(text))
            .map(|(_, number)| Self(number))
            .ok_or_else(|| format!("`{text}` is not a day of the week; use Mon, Tue, Wed, Thu, Fri, Sat or Sun"))
    }
}

/// A date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Date(pub jiff::civil::Date);

impl Text for Date {
    const WHAT: &'static str = "a date, such as \"2026-04-20\"";
    fn read(text: &str) -> Result<Self, String> {
        text.parse().map(Self).map_err(|_| format!("`{text}` is not a date; write it as in `2026-04-20`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    struct FieldRow {
        date: Field<Date>,
        day: Field<Weekday>,
        from: Field<crate::units::TimeOfDay>,
    }

    #[test]
    fn a_day_may_be_written_in_full_and_a_date_without_quotes() {
        let row: FieldRow = toml::from_str("date = 2026-04-20\nday = \"monday\"\nfrom = 08:30:00").unwrap();
        assert_eq!(row.date.value(), Some(&Date(jiff::civil::date(2026, 4, 20))), "{:?}", row.date.error());
        assert_eq!(row.day.value(), Some(&Weekday(0)));
        assert_eq!(row.from.value().map(ToString::to_string).as_deref(), Some("08:30"));
    }

    #[test]
    fn a_table_is_no_value() {
        let fault = toml::from_str::<FieldRow>("date = { a = 1 }").unwrap_err().to_string();
        assert!(fault.contains("expected a single value"), "{fault}");
    }
}
