//! Edits of a scenario: the same text with another value in one place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::elementary::{log10, pow};
use crate::scenario::problem::did_you_mean;

/// The text with `value` at `path`; paths are those of sources: `concentrator.hub.throughput`, `class.web.users.per_1000`,
/// elements of a list by their names, or by their numbers from 1.
///
/// # Errors
/// If there is no value at that path; with what there is.
pub fn set(text: &str, path: &str, value: &str) -> Result<String, String> {
    let places = places(text)?;
    let Some((_, place, quoted)) = places.iter().find(|(own, ..)| own == path) else {
        let help = nearest(path, places.iter().map(|(own, ..)| own.as_str()));
        return Err(format!("there is no value `{path}` in this scenario\n  = help: {help}"));
    };
    let written = if *quoted { format!("{value:?}") } else { value.to_owned() };
    Ok(format!("{}{written}{}", &text[..place.start], &text[place.end..]))
}

/// What else could be meant by a path that is not there: there are too many to name them all.
#[must_use]
pub fn nearest<'a>(path: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let help = did_you_mean(path, known);
    match help.split_once("known here") {
        Some((meant, _)) if !meant.trim().is_empty() => meant.trim().to_owned(),
        _ => "a path names tables and values with dots between, elements of a list by their names or numbers, such as \
              `class.web.users.per_1000`"
            .to_owned(),
    }
}

/// The paths of all values with their texts, in the order of the file's tables.
///
/// # Errors
/// If the text is no TOML.
pub fn all(text: &str) -> Result<Vec<(String, String)>, String> {
    let unquoted = |place: Range<usize>| text[place].trim_matches(['"', '\'']).to_owned();
    Ok(places(text)?.into_iter().map(|(path, place, _)| (path, unquoted(place))).collect())
}

/// A value: its path, its place, and whether it is written in quotes.
type Place = (String, Range<usize>, bool);

/// Every value of a text.
fn places(text: &str) -> Result<Vec<Place>, String> {
    let root = DeTable::parse(text).map_err(|fault| fault.message().to_owned())?;
    let mut places = Vec::new();
    for (key, value) in root.get_ref() {
        collect(key.get_ref(), value, &mut places);
    }
    Ok(places)
}

fn collect(path: &str, value: &Spanned<DeValue<'_>>, found: &mut Vec<Place>) {
    match value.get_ref() {
        DeValue::Table(table) => {
            for (key, value) in table {
                collect(&format!("{path}.{}", key.get_ref()), value, found);
            }
        }
        DeValue::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                let name = element.get_ref().get("name").and_then(|name| name.get_ref().as_str().map(str::to_owned));
                collect(&format!("{path}.{}", name.unwrap_or_else(|| (index + 1).to_string())), element, found);
            }
        }
        DeValue::String(_) => found.push((path.to_owned(), value.span(), true)),
        _ => found.push((path.to_owned(), value.span(), false)),
    }
}

/// The values of `from..to:step`, or of a list `a,b,c`; a unit is written with each number, and is the same for all.
///
/// # Errors
/// If it cannot be read, or has no values, or too many.
pub fn values(text: &str) -> Result<Vec<String>, String> {
    const MOST: usize = 1000;
    let Some((from, rest)) = text.split_once("..") else {
        return Ok(text.split(',').map(|value| value.trim().to_owned()).collect());
    };
    let help = "write FROM..TO:STEP, such as `500 Mbit/s..2000 Mbit/s:250 Mbit/s`, or a list, such as `1,2,5`";
    let (to, step) = rest.rsplit_once(':').ok_or_else(|| format!("`{text}` has no step; {help}"))?;
    let [from, to, step] = [from, to, step].map(number);
    let (Some((from, unit)), Some((to, of_to)), Some((step, of_step))) = (from, to, step) else {
        return Err(format!("`{text}` is not a range of numbers; {help}"));
    };
    if [of_to, of_step].iter().any(|other| !other.is_empty() && *other != unit) {
        return Err(format!("`{text}` has several units; write the same unit with each number"));
    }
    if !(step > 0.0 && to >= from) {
        return Err(format!("`{text}` has no values; {help}"));
    }
    let mut values = Vec::new();
    let mut here = from;
    while here <= to + step * 1e-9 && values.len() <= MOST {
        let rounded = (here * 1e9).round() / 1e9;
        values.push(if unit.is_empty() { format!("{rounded}") } else { format!("{rounded} {unit}") });
        here += step;
    }
    if values.len() > MOST { Err(format!("`{text}` has more than {MOST} values")) } else { Ok(values) }
}

/// A number and its unit.
#[must_use]
pub fn number(text: &str) -> Option<(f64, String)> {
    let text = text.trim();
    let end = text.find(|letter: char| !(letter.is_ascii_digit() || ".-+".contains(letter))).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim().to_owned()))
}

/// Whether a whole number stands at a path, without quotes.
#[must_use]
pub fn is_whole(text: &str, path: &str) -> bool {
    let place = places(text).into_iter().flatten().find(|(own, ..)| own == path);
    place.is_some_and(|(_, place, quoted)| !quoted && text[place].parse::<i64>().is_ok())
}

/// The value at a share `u` of the way from one end of `from..to` to the other; a whole number where `whole` says so.
///
/// # Errors
/// If it cannot be read.
pub fn between(text: &str, u: f64, whole: bool) -> Result<String, String> {
    let wrong = || format!("`{text}` is not a range of numbers; write FROM..TO, such as `500 Mbit/s..2000 Mbit/s`");
    let (from, to) = text.split_once("..").ok_or_else(wrong)?;
    let ((from, unit), (to, of_to)) = (number(from).ok_or_else(wrong)?, number(to).ok_or_else(wrong)?);
    if !(of_to == unit || of_to.is_empty()) {
        return Err(format!("`{text}` has several units; write the same unit with each number"));
    }
    let exact = from + (to - from) * u;
    let value = if whole && exact.fract() != 0.0 { exact.round() } else { digits(exact) };
    Ok(if unit.is_empty() { value.to_string() } else { format!("{value} {unit}") })
}

/// Rounds to six significant digits.
#[must_use]
pub fn digits(value: f64) -> f64 {
    let unit = pow(10.0, log10(value.abs().max(1e-12)).floor() - 5.0);
    let rounded = (value / unit).round() * unit;
    (rounded * 1e9).round() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_replaced_in_its_place() {
        let text = "[[concentrator]]\nname = \"hub\"\nthroughput = \"1 Gbit/s\" # of now\n[run]\nseed = 7\n";
        let varied = set(text, "concentrator.hub.throughput", "2 Gbit/s").unwrap();
        assert_eq!(varied, text.replace("1 Gbit/s", "2 Gbit/s"));
        assert_eq!(set(text, "run.seed", "8").unwrap(), text.replace('7', "8"));
        let fault = set(text, "concentrator.hub.thruput", "1").unwrap_err();
        assert!(fault.contains("concentrator.hub.throughput"), "{fault}");
    }

    #[test]
    fn ranges_and_lists_have_their_values() {
        assert_eq!(values("1..2:0.5").unwrap(), ["1", "1.5", "2"]);
        assert_eq!(values("100 Mbit/s..300 Mbit/s:100 Mbit/s").unwrap(), ["100 Mbit/s", "200 Mbit/s", "300 Mbit/s"]);
        assert_eq!(values("08:00, 09:00").unwrap(), ["08:00", "09:00"]);
        assert!(values("2..1:1").is_err() && values("1..2").is_err() && values("1 s..2 min:1 s").is_err());
        assert_eq!(between("100 Mbit/s..300 Mbit/s", 0.25, false).unwrap(), "150 Mbit/s");
        assert_eq!(between("1..10", 0.39, true).unwrap(), "5");
        assert!(is_whole("[run]\nseed = 7\n", "run.seed") && !is_whole("[run]\nbin = \"1 s\"\n", "run.bin"));
        assert!(between("1 s..2 min", 0.5, false).is_err() && between("1", 0.5, false).is_err());
    }
}
