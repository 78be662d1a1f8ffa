//! A scenario as it is written after a fit: other numbers, and where each comes from.

use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

use crate::fit::free::{Free, Move, moved};
use crate::fit::levels::{LEAST_DAYS, WeekdayLevel};
use crate::fit::problem::Fitted;
use crate::scenario::edit;
use crate::scenario::field::WEEKDAYS;

/// A number before and after a fit.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedNumber {
    /// Its path.
    pub path: String,
    /// As it was written.
    pub before: String,
    /// As it is now.
    pub after: String,
    /// Both ends of its 90 % interval.
    pub range: (String, String),
    /// The same as multiples of what was written (minutes from it, for a time): the estimate and both ends.
    pub by: (f64, f64, f64),
    /// How it was changed.
    pub move_by: Move,
    /// The other numbers that were moved with it.
    pub with: Vec<String>,
}

/// The numbers that were fitted, in the order of the scenario.
///
/// # Errors
/// If the text is no scenario.
pub fn numbers(before: &str, after: &str, fitted: &[Fitted]) -> Result<Vec<FittedNumber>, String> {
    let (old, new) = (edit::all(before)?, edit::all(after)?);
    let value = |values: &[(String, String)], path: &str| {
        values.iter().find(|(own, _)| own == path).map_or_else(String::new, |(_, value)| value.clone())
    };
    let mut numbers = Vec::new();
    for Fitted { free: Free { paths, by, .. }, moved: unknown, half } in fitted {
        for path in paths {
            let written = value(&old, path);
            let end = |unknown: f64| moved(&written, *by, unknown);
            let as_multiple = |unknown: f64| match by {
                Move::Factor => crate::elementary::exp(unknown),
                Move::Shift => unknown,
            };
            numbers.push(FittedNumber {
                path: path.clone(),
                before: written.clone(),
                after: value(&new, path),
                range: (end(unknown - half), end(unknown + half)),
                by: (as_multiple(*unknown), as_multiple(unknown - half), as_multiple(unknown + half)),
                move_by: *by,
                with: paths.iter().filter(|other| *other != path).cloned().collect(),
            });
        }
    }
    let place = |path: &str| old.iter().position(|(own, _)| own == path);
    numbers.sort_by_key(|number| place(&number.path));
    Ok(numbers)
}

/// The scenario with the origin of each number that was fitted; `from` says to what.
///
/// # Errors
/// If the text is no scenario.
pub fn with_sources(text: &str, numbers: &[FittedNumber], from: &str) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|fault| format!("{fault}"))?;
    let root = document.as_table_mut();
    let sources = root.entry("source").or_insert_with(|| Item::Table(Table::new()));
    let Some(sources) = sources.as_table_like_mut() else { return Err("`source` is no table".to_owned()) };
    for number in numbers {
        let joint = match number.with.as_slice() {
            [] => String::new(),
            with if number.move_by == Move::Factor => format!("; jointly with {}: one factor for all", with.join(", ")),
            with => format!("; moved together with {}", with.join(", ")),
        };
        let mut origin = InlineTable::new();
        origin.insert("standing", Value::from("fitted"));
        origin.insert("from", Value::from(format!("{from}{joint}")));
        if number.range.0 != number.range.1 {
            origin.insert("range", Value::from(format!("{} to {}", number.range.0, number.range.1)));
            origin.insert("likelihood", Value::from("normal"));
        }
        sources.insert(&number.path, Item::Value(Value::InlineTable(origin)));
    }
    Ok(document.to_string())
}

/// The scenario with what was found of its weekdays and of the spread between days, where there was enough to tell; `own` is the
/// scenario's weekday, `known` the factors that it has already, and `from` says what it was found from.
///
/// # Errors
/// If the text is no scenario.
pub fn with_calendar(
    text: &str,
    levels: &[WeekdayLevel],
    (own, known): (u8, &[f64; 7]),
    from: &str,
) -> Result<String, String> {
    let of_own = levels.iter().find(|level| level.weekday == own);
    let spread = of_own.filter(|level| level.days >= LEAST_DAYS[1]);
    let others = levels.iter().any(|level| level.weekday != own);
    if spread.is_none() && !others {
        return Ok(text.to_owned());
    }
    let mut document: DocumentMut = text.parse().map_err(|fault| format!("{fault}"))?;
    let root = document.as_table_mut();
    let mut found = Vec::new();
    let calendar = root.entry("calendar").or_insert_with(|| Item::Table(Table::new()));
    let Some(calendar) = calendar.as_table_like_mut() else { return Err("`calendar` is no table".to_owned()) };
    if let Some(level) = spread {
        calendar.insert("spread", Item::Value(Value::from(format!("{} %", edit::digits(100.0 * level.spread)))));
        let percent = |share: f64| format!("{} %", edit::digits(100.0 * share));
        found.push(("calendar.spread", Some(format!("{} to {}", percent(level.range.0), percent(level.range.1)))));
    }
    if others {
        let base = of_own.map_or(1.0, |level| level.level);
        let mut weekdays = InlineTable::new();
        for ((day, name), known) in (0_u8..).zip(WEEKDAYS).zip(known) {
            let level = levels.iter().find(|level| level.weekday == day).map_or(1.0, |level| level.level / base);
            weekdays.insert(name, Value::from((known * level * 1e4).round() / 1e4));
        }
        calendar.insert("weekdays", Item::Value(Value::InlineTable(weekdays)));
        found.push(("calendar.weekdays", None));
    }
    let sources = root.entry("source").or_insert_with(|| Item::Table(Table::new()));
    let Some(sources) = sources.as_table_like_mut() else { return Err("`source` is no table".to_owned()) };
    for (path, range) in found {
        let mut origin = InlineTable::new();
        origin.insert("standing", Value::from("fitted"));
        origin.insert("from", Value::from(from));
        if let Some(range) = range {
            origin.insert("range", Value::from(range));
        }
        sources.insert(path, Item::Value(Value::InlineTable(origin)));
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementary::ln;

    /// Levels were measured against days that have the scenario's own factors already.
    #[test]
    fn weekdays_multiply_those_that_are_written() {
        let level = |weekday: u8, level: f64| WeekdayLevel { weekday, days: 2, level, spread: 0.0, range: (0.0, 0.0) };
        let text = "[calendar]\nweekdays = { Mon = 1.2, Tue = 0.5 }\n";
        let known = [1.2, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0];
        let written = with_calendar(text, &[level(0, 1.1), level(1, 0.88)], (0, &known), "hub").unwrap();
        assert!(written.contains("weekdays = { Mon = 1.2, Tue = 0.4, Wed = 1.0,"), "{written}");
        assert!(written.contains("\"calendar.weekdays\" = { standing = \"fitted\", from = \"hub\" }"), "{written}");
    }

    #[test]
    fn a_number_has_its_origin_and_everything_else_stays() {
        let text = "# Of today.\n[[class]] # first\nname = \"web\"\n[class.users]\nper_1000 = 2.0 # assumed\n\n[source]\n\
                    \"class.web\" = { standing = \"assumed\", from = \"a guess\" }\n";
        let free = Free { paths: vec!["class.web.users.per_1000".to_owned()], by: Move::Factor, is_named: false };
        let fitted = [Fitted { free: free.clone(), moved: ln(0.5), half: 0.1 }];
        let changed = crate::fit::free::changed(text, &[free], &[ln(0.5)]).unwrap();
        let numbers = numbers(text, &changed, &fitted).unwrap();
        let written = with_sources(&changed, &numbers, "hub total, 5 min").unwrap();
        let origin = "\"class.web.users.per_1000\" = { standing = \"fitted\", from = \"hub total, 5 min\", \
                      range = \"0.904837 to 1.10517\", likelihood = \"normal\" }\n";
        assert_eq!(written, format!("{}{origin}", text.replace("2.0 #", "1 #")));
    }
}
