//! Numbers in words, the only place that rounds.

use crate::stats::Interval;
use crate::study::figures::TargetKind;
use crate::study::results::{Results, TargetResult};

/// Three significant digits, without an exponent.
#[must_use]
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    let digits = match value.abs() {
        v if v >= 99.95 || v <= 0.0 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.9995 => 2,
        v if v >= 0.099_95 => 3,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { thousands(text) }
}

/// Groups the digits of large whole numbers.
fn thousands(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    if digits.contains('.') || digits.len() < 5 {
        return text.to_owned();
    }
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}")
}

/// The text with a capital at its beginning.
pub(crate) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A number of things.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn count(value: u64) -> String {
    if value < 10_000 { value.to_string() } else { thousands(&value.to_string()) }
}

/// A count with its noun in singular or plural.
#[must_use]
pub fn several(value: usize, [one, more]: [&str; 2]) -> String {
    format!("{} {}", count(value as u64), if value == 1 { one } else { more })
}

/// A figure of a kind, with its unit.
#[must_use]
pub fn figure(value: f64, kind: TargetKind) -> String {
    let (scale, unit) = scale(value, kind);
    format!("{} {unit}", number(value * scale)).trim_end().to_owned()
}

/// A figure in the unit in which a larger one of its kind is written, as marks on an axis are.
#[must_use]
pub fn in_unit_of(value: f64, larger: f64, kind: TargetKind) -> String {
    let (factor, unit) = scale(larger, kind);
    format!("{} {unit}", number(value * factor)).trim_end().to_owned()
}

/// Factor and unit in which a figure of a kind is written.
#[must_use]
pub fn scale(value: f64, kind: TargetKind) -> (f64, &'static str) {
    match kind {
        TargetKind::Time if value.abs() < 0.9995 => (1e3, "ms"),
        TargetKind::Time if value.abs() < 600.0 => (1.0, "s"),
        TargetKind::Time if value.abs() < 7200.0 => (1.0 / 60.0, "min"),
        TargetKind::Time if value.abs() < 172_800.0 => (1.0 / 3600.0, "h"),
        TargetKind::Time => (1.0 / 86_400.0, "d"),
        TargetKind::Count => (1.0, ""),
        TargetKind::Share => (100.0, "%"),
        TargetKind::Size if value.abs() < 1e9 => (1e-6, "MB"),
        TargetKind::Size => (1e-9, "GB"),
    }
}

/// A rate [bit/s] with its unit.
#[must_use]
pub fn bit_rate(value: f64) -> String {
    if value >= 0.9995e9 {
        format!("{} Gbit/s", number(value / 1e9))
    } else {
        format!("{} Mbit/s", number(value / 1e6))
    }
}

/// What a target measures: its title without limit and hours.
#[must_use]
pub fn measured(target: &str) -> &str {
    target.split(" <=").next().unwrap_or(target)
}

/// A figure and its interval, in one unit.
#[must_use]
pub fn interval(value: &Interval, kind: TargetKind) -> String {
    let (scale, unit) = scale(value.mean, kind);
    let space = if unit.is_empty() { "" } else { " " };
    format!("{}{space}{unit}{}", number(value.mean * scale), range(value, scale))
}

/// What a target measured: its figure and interval, as a lower bound where what was unfinished decides it.
#[must_use]
pub fn judged(judged: &TargetResult, kind: TargetKind) -> String {
    if !judged.measured {
        return "nothing measured".to_owned();
    }
    let least = if judged.at_least { "at least " } else { "" };
    format!("{least}{}", interval(&judged.figure.value, kind))
}

/// A plain number and its interval.
#[must_use]
pub fn plain_interval(value: &Interval) -> String {
    format!("{}{}", number(value.mean), range(value, 1.0))
}

/// The interval in brackets; what cannot be negative does not begin below zero.
fn range(value: &Interval, scale: f64) -> String {
    if !value.half.is_finite() {
        return " (one replication)".to_owned();
    }
    let low = if value.mean >= 0.0 { value.low().max(0.0) } else { value.low() };
    let (low, high) = (number(low * scale), number(value.high() * scale));
    if low == high { String::new() } else { format!(" ({low} to {high})") }
}

/// A difference with its sign, in the unit of the larger of the two.
#[must_use]
pub fn change(value: &Interval, kind: Option<TargetKind>) -> String {
    let signed = signed(value.mean, kind);
    if !value.half.is_finite() {
        return signed;
    }
    let factor = kind.map_or(1.0, |kind| scale(value.mean, kind).0);
    let (low, high) = (number(value.low() * factor), number(value.high() * factor));
    if low == high { signed } else { format!("{signed} ({low} to {high})") }
}

/// Time that people lose, given in hours.
#[must_use]
pub fn staff_time(hours: f64) -> String {
    if hours < 0.995 {
        return format!("{} min", number((hours * 60.0).round()));
    }
    let shown = number(if hours < 9.95 { (hours * 10.0).round() / 10.0 } else { hours.round() });
    format!("{shown} {}", if shown == "1" { "hour" } else { "hours" })
}

/// An amount of money, in the scenario's currency.
#[must_use]
pub fn money(currency: Option<&str>, amount: f64) -> String {
    let currency = currency.unwrap_or_default();
    let space = if currency.chars().count() > 1 { " " } else { "" };
    let sign = if amount < 0.0 { "-" } else { "" };
    format!("{sign}{currency}{space}{}", number(amount.abs()))
}

/// A difference with its sign, without its interval.
#[must_use]
pub fn signed(value: f64, kind: Option<TargetKind>) -> String {
    let (scale, unit) = kind.map_or((1.0, ""), |kind| scale(value, kind));
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{} {unit}", number(value * scale)).trim_end().to_owned()
}

/// `08:30`, or `Tue 08:30` when there is more than one day.
#[must_use]
pub fn clock(results: &Results, hours: f64) -> String {
    let minutes = (hours * 60.0).round();
    let day = (minutes / 1440.0).floor();
    let within = minutes - day * 1440.0;
    let text = format!("{:02}:{:02}", (within / 60.0).floor(), within % 60.0);
    if results.days > 1 { format!("day {} {text}", day + 1.0) } else { text }
}

/// A name as a name.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\u{201c}{name}\u{201d}")
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn list(items: &[String]) -> String {
    match items.split_last() {
        None => "none".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Markdown in which no text of a scenario is HTML.
pub(crate) fn plain_markdown(text: &str) -> String {
    let mut letters = text.chars().peekable();
    let mut plain = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        let opens =
            letter == '<' && letters.peek().is_some_and(|next| next.is_ascii_alphabetic() || "/!?".contains(*next));
        if opens { plain.push_str("&lt;") } else { plain.push(letter) }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_no_noise() {
        let shown: Vec<String> = [0.0, 0.012_345, 0.5, 1.0, 4.521_98, 17.04, 99.96, 1_230.68, 2_041_841.0, -3.333]
            .iter()
            .map(|value| number(*value))
            .collect();
        assert_eq!(shown, ["0", "0.0123", "0.5", "1", "4.52", "17", "100", "1231", "2,041,841", "-3.33"]);
    }

    #[test]
    fn a_figure_has_its_unit() {
        assert_eq!(figure(0.17, TargetKind::Time), "170 ms");
        assert_eq!(interval(&Interval { mean: 4.5, half: 0.2 }, TargetKind::Time), "4.5 s (4.3 to 4.7)");
        assert_eq!(interval(&Interval { mean: 0.001, half: 0.002 }, TargetKind::Share), "0.1 % (0 to 0.3)");
        assert_eq!(change(&Interval { mean: -1.5, half: 0.5 }, Some(TargetKind::Time)), "-1.5 s (-2 to -1)");
    }
}
