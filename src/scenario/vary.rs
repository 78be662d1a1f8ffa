//! Varying a scenario: the same text with another value in one place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::scenario::problem::did_you_mean;
use crate::units::{BitRate, Bytes, Share, Span, Text};

/// The text with `value` at `path`; paths are those of sources: `concentrator.hub.throughput`, `class.web.users.per_1000`,
/// elements of a list by their names, or by their numbers from 1.
///
/// # Errors
/// If there is no value at that path; with what there is.
pub fn set(text: &str, path: &str, value: &str) -> Result<String, String> {
    let root = DeTable::parse(text).map_err(|fault| fault.message().to_owned())?;
    let mut places = Vec::new();
    for (key, value) in root.get_ref() {
        collect(key.get_ref(), value, &mut places);
    }
    let Some((_, place, quoted)) = places.iter().find(|(own, ..)| own == path) else {
        let help = did_you_mean(path, places.iter().map(|(own, ..)| own.as_str()));
        // There are too many to name them all.
        let help = help.split(" known here").next().unwrap_or_default();
        return Err(format!("there is no value `{path}` in this scenario\n  = help: {help}"));
    };
    let written = if *quoted { format!("{value:?}") } else { value.to_owned() };
    Ok(format!("{}{written}{}", &text[..place.start], &text[place.end..]))
}

/// Every value with its path, its place, and whether it is written in quotes.
fn collect(path: &str, value: &Spanned<DeValue<'_>>, found: &mut Vec<(String, Range<usize>, bool)>) {
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
fn number(text: &str) -> Option<(f64, String)> {
    let text = text.trim();
    let end = text.find(|letter: char| !(letter.is_ascii_digit() || ".-+".contains(letter))).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim().to_owned()))
}

/// Both ends of a range as origins state it for a value: `10 to 40 ms`, `500 Mbit/s to 2 Gbit/s`; none if it is in other
/// words, or of another quantity than the value, or if the value does not lie in it.
#[must_use]
pub fn ends_for(value: &str, range: &str) -> Option<(String, String)> {
    let (low, high) = ends(range)?;
    let sizes = [value, &low, &high].map(magnitude);
    let [Some((kind, here)), Some((of_low, from)), Some((of_high, to))] = sizes else { return None };
    (kind == of_low && kind == of_high && from <= here && here <= to).then_some((low, high))
}

/// What kind of quantity a text is, and how much of it.
fn magnitude(text: &str) -> Option<(u8, f64)> {
    let time = Span::read(text).map(|span| (0, span.secs()));
    let rate = || BitRate::read(text).map(|rate| (1, rate.bits()));
    let size = || Bytes::read(text).map(|bytes| (2, bytes.bits()));
    let share = || Share::read(text).map(|share| (3, share.0));
    let number = || text.parse().map(|number| (4, number));
    time.or_else(|_| rate()).or_else(|_| size()).or_else(|_| share()).ok().or_else(|| number().ok())
}

fn ends(range: &str) -> Option<(String, String)> {
    let (low, high) = range.split_once(" to ")?;
    let ((low, unit), (high, of_high)) = (number(low)?, number(high)?);
    if of_high.contains(' ') || unit.contains(' ') {
        return None;
    }
    let unit = if unit.is_empty() { of_high.clone() } else { unit };
    let written = |value: f64, unit: &str| if unit.is_empty() { value.to_string() } else { format!("{value} {unit}") };
    Some((written(low, &unit), written(high, &of_high)))
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
        assert_eq!(ends("10 to 40 ms"), Some(("10 ms".to_owned(), "40 ms".to_owned())));
        assert_eq!(ends("500 Mbit/s to 2 Gbit/s"), Some(("500 Mbit/s".to_owned(), "2 Gbit/s".to_owned())));
        assert_eq!(ends("a third of them"), None);
        assert_eq!(ends_for("18 ms", "10 to 40 ms"), ends("10 to 40 ms"));
        assert_eq!(ends_for("60 ms", "10 to 40 ms"), None);
        assert_eq!(ends_for("0.3", "10 to 40 ms"), None);
    }
}
