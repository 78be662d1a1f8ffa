//! What is free: numbers of a scenario that a fit may change, and the scenario with others in their place.

use crate::elementary::exp;
use crate::scenario::edit;
use crate::scenario::problem::did_you_mean;
use crate::scenario::quantity::clock;
use crate::units::{NANOS, Text, TimeOfDay, float};

/// How a number is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// It is multiplied; the unknown is the logarithm of the factor.
    Factor,
    /// It is moved in time; the unknown is minutes.
    Shift,
}

/// Numbers that a fit changes together.
#[derive(Clone, Debug, PartialEq)]
pub struct Free {
    /// Their paths.
    pub paths: Vec<String>,
    /// How they are changed.
    pub by: Move,
    /// Whether the user named it: what cannot be told from the series is refused then, and not left as it was written.
    pub is_named: bool,
}

impl Free {
    /// Its name in messages: the paths.
    #[must_use]
    pub fn name(&self) -> String {
        self.paths.join(" and ")
    }

    /// The class whose amount it is, where it is one.
    #[must_use]
    pub fn class_of_amount(&self) -> Option<&str> {
        match (self.by, self.paths.as_slice()) {
            (Move::Factor, [path]) => class_of_amount(path),
            _ => None,
        }
    }
}

impl Free {
    /// The class that passes in proportion to it.
    #[must_use]
    pub fn class_of_scale(&self) -> Option<&str> {
        let [path] = self.paths.as_slice() else { return None };
        let (class, rest) = path.strip_prefix("class.").filter(|_| self.by == Move::Factor)?.split_once('.')?;
        let (table, key) = rest.rsplit_once('.').unwrap_or(("", rest));
        // Times between actions have laws, too.
        let is_scale = SCALES.contains(&key) && !["think", "length", "server"].iter().any(|time| table.contains(time));
        is_scale.then_some(class)
    }
}

/// Last keys of numbers that scale what passes of a class: how many, how often, how large.
const SCALES: [&str; 7] = ["per_1000", "share", "mean", "fixed", "per_day", "per_patient", "median"];

/// The class of which a path is the amount: `class.web.users.per_1000`.
#[must_use]
pub fn class_of_amount(path: &str) -> Option<&str> {
    path.strip_prefix("class.")?.strip_suffix(".per_1000")?.rsplit_once('.').map(|(class, _)| class)
}

/// The keys of a window: it is moved as a whole.
const OF_A_WINDOW: [&str; 3] = ["from", "until", "peak"];

/// What is free where nothing is named: how much there is of each class.
///
/// # Errors
/// If the text is no scenario.
pub fn amounts(text: &str) -> Result<Vec<Free>, String> {
    let paths = edit::all(text)?.into_iter().map(|(path, _)| path);
    let amounts = paths.filter(|path| class_of_amount(path).is_some() && !path.contains(".staff."));
    Ok(amounts.map(|path| Free { paths: vec![path], by: Move::Factor, is_named: false }).collect())
}

/// The windows of all jobs, each moved as a whole.
///
/// # Errors
/// If the text is no scenario.
pub fn windows(text: &str) -> Result<Vec<Free>, String> {
    let paths: Vec<String> = edit::all(text)?.into_iter().map(|(path, _)| path).collect();
    let is_of_class = |path: &&String| path.starts_with("class.") && path.contains(".jobs.");
    Ok(windows_of(paths.iter().filter(is_of_class)))
}

/// The windows among paths, table by table.
fn windows_of<'a>(paths: impl Iterator<Item = &'a String>) -> Vec<Free> {
    let mut windows: Vec<(&str, Free)> = Vec::new();
    for path in paths {
        let Some((table, _)) = path.rsplit_once('.').filter(|(_, key)| OF_A_WINDOW.contains(key)) else { continue };
        match windows.iter_mut().find(|(own, _)| *own == table) {
            Some((_, window)) => window.paths.push(path.clone()),
            None => windows.push((table, Free { paths: vec![path.clone()], by: Move::Shift, is_named: false })),
        }
    }
    windows.into_iter().map(|(_, window)| window).collect()
}

/// What these names free: a number by its path, a table with what is in it of amounts and times, `demand` for the amount of every
/// class, `windows` for the windows of all jobs.
///
/// # Errors
/// If a name is neither, or is no number.
pub fn named(text: &str, names: &[String]) -> Result<Vec<Free>, String> {
    let values = edit::all(text)?;
    let mut free: Vec<Free> = Vec::new();
    for name in names {
        let found = match name.as_str() {
            "demand" => amounts(text)?,
            "windows" => windows(text)?,
            name => of_name(&values, name)?,
        };
        for one in found {
            match free.iter_mut().find(|other| other.paths == one.paths) {
                Some(other) => other.is_named |= one.is_named,
                None => free.push(one),
            }
        }
    }
    Ok(free)
}

fn of_name(values: &[(String, String)], name: &str) -> Result<Vec<Free>, String> {
    if let Some((path, value)) = values.iter().find(|(path, _)| path == name) {
        let by = movement(value).ok_or_else(|| {
            let help = "free a number, such as `class.logon.jobs.per_1000`, or a time of day";
            format!("`{path}` is `{value}`, which is no number\n  = help: {help}")
        })?;
        return Ok(vec![Free { paths: vec![path.clone()], by, is_named: true }]);
    }
    let table = format!("{name}.");
    let within = || values.iter().map(|(path, _)| path).filter(|path| path.starts_with(&table));
    let amounts = within().filter(|path| class_of_amount(path).is_some());
    let amounts = amounts.map(|path| Free { paths: vec![path.clone()], by: Move::Factor, is_named: true });
    let windows = windows_of(within()).into_iter().map(|window| Free { is_named: true, ..window });
    let found: Vec<Free> = amounts.chain(windows).collect();
    if found.is_empty() {
        let is_free = |path: &str, value: &str| path.starts_with("class.") && movement(value).is_some();
        let numbers = values.iter().filter(|(path, value)| is_free(path, value));
        let help = did_you_mean(name, numbers.map(|(path, _)| path.as_str()));
        let help = help.split(" known here").next().unwrap_or_default();
        let more = "`demand` frees the amount of every class, `windows` the hours of all jobs";
        return Err(format!("there is nothing to free at `{name}`\n  = help: {help}; {more}"));
    }
    Ok(found)
}

/// How a value can be changed; none where it is no number.
fn movement(value: &str) -> Option<Move> {
    if TimeOfDay::read(value).is_ok() && value.contains(':') {
        return Some(Move::Shift);
    }
    edit::number(value).filter(|(number, _)| *number > 0.0).map(|_| Move::Factor)
}

/// The scenario with its free numbers changed by these unknowns.
///
/// # Errors
/// If a path is not there.
pub fn changed(text: &str, free: &[Free], unknowns: &[f64]) -> Result<String, String> {
    let values = edit::all(text)?;
    let value_of = |path: &str| values.iter().find(|(own, _)| own == path).map_or("", |(_, value)| value.as_str());
    let mut changed = text.to_owned();
    for (one, unknown) in free.iter().zip(unknowns) {
        for path in &one.paths {
            changed = edit::set(&changed, path, &moved(value_of(path), one.by, *unknown))?;
        }
    }
    for table in free.iter().filter(|one| one.by == Move::Shift).flat_map(|one| &one.paths) {
        if let Some((table, _)) = table.rsplit_once('.') {
            changed = in_order(&changed, table)?;
        }
    }
    Ok(changed)
}

/// A value, changed.
#[must_use]
pub fn moved(value: &str, by: Move, unknown: f64) -> String {
    match by {
        Move::Factor => {
            let (number, unit) = edit::number(value).unwrap_or((0.0, String::new()));
            let number = edit::digits(number * exp(unknown));
            if unit.is_empty() { number.to_string() } else { format!("{number} {unit}") }
        }
        Move::Shift => {
            let seconds = TimeOfDay::read(value).map_or(0.0, |time| float(time.0 / NANOS));
            clock(seconds + 60.0 * unknown)
        }
    }
}

/// The scenario with the window of a table in order: it lasts a minute at least, and its peak lies within.
fn in_order(text: &str, table: &str) -> Result<String, String> {
    let values = edit::all(text)?;
    let of = |key: &str| {
        let path = format!("{table}.{key}");
        let value = values.iter().find(|(own, _)| *own == path).map(|(_, value)| value.as_str())?;
        TimeOfDay::read(value).ok().map(|time| float(time.0 / NANOS))
    };
    let (Some(from), Some(until)) = (of("from"), of("until")) else { return Ok(text.to_owned()) };
    let ends = until.max(from + 60.0);
    let mut ordered = edit::set(text, &format!("{table}.until"), &clock(ends))?;
    if let Some(peak) = of("peak") {
        ordered = edit::set(&ordered, &format!("{table}.peak"), &clock(peak.clamp(from, ends)))?;
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elementary::ln;

    const TEXT: &str = "[[class]]\nname = \"logon\"\n[class.jobs]\nper_1000 = 3.0\nshare = \"15 %\"\nfrom = \"07:30\"\n\
                        until = \"09:00\"\npeak = \"08:05\"\n[[class]]\nname = \"web\"\n[class.users]\nper_1000 = 2\n\
                        activity = \"staffed\"\n";

    #[test]
    fn a_name_frees_a_number_a_table_or_all() {
        let names = |free: Vec<Free>| free.into_iter().flat_map(|one| one.paths).collect::<Vec<String>>();
        assert_eq!(names(amounts(TEXT).unwrap()), ["class.logon.jobs.per_1000", "class.web.users.per_1000"]);
        let table = ["from", "peak", "per_1000", "until"].map(|key| format!("class.logon.jobs.{key}"));
        let mut found = names(named(TEXT, &["class.logon.jobs".to_owned()]).unwrap());
        found.sort_unstable();
        assert_eq!(found, table);
        let share = named(TEXT, &["class.logon.jobs.share".to_owned()]).unwrap();
        assert_eq!(share[0].by, Move::Factor);
        let fault = named(TEXT, &["class.web.users.activity".to_owned()]).unwrap_err();
        assert!(fault.contains("no number"), "{fault}");
        assert!(named(TEXT, &["class.wev".to_owned()]).unwrap_err().contains("class.web"));
    }

    /// Fault: a window that is moved leaves its peak behind, and the scenario is wrong.
    #[test]
    fn what_is_changed_is_a_scenario_still() {
        let free = named(TEXT, &["class.logon.jobs".to_owned()]).unwrap();
        let moved_by = changed(TEXT, &free, &[ln(2.0), -15.0]).unwrap();
        let wanted = ["per_1000 = 6", "from = \"07:15\"", "until = \"08:45\"", "peak = \"07:50\""];
        assert!(wanted.iter().all(|line| moved_by.contains(line)), "{moved_by}");
        // One end alone: the window lasts a minute at least, and its peak lies within.
        let ends = ["from", "until"].map(|key| format!("class.logon.jobs.{key}"));
        let moved_by = changed(TEXT, &named(TEXT, &ends).unwrap(), &[45.0, -60.0]).unwrap();
        let wanted = ["from = \"08:15\"", "until = \"08:16\"", "peak = \"08:15\""];
        assert!(wanted.iter().all(|line| moved_by.contains(line)), "{moved_by}");
        assert_eq!(moved("400 MB", Move::Factor, ln(1.5)), "600 MB");
    }
}
