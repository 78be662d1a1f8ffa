//! The summary for the terminal: targets first, then each option against the base.

use crate::report::answer::{cautions, sentences};
use crate::report::drawn::ChartTable;
use crate::report::effort;
use crate::report::method::side_by_side;
use crate::report::setting::estate;
use crate::report::setting::staff_classes;
use crate::report::verdict::mark;
use crate::report::words::{judged as told, number, several, signed, staff_time};
use crate::study::results::Results;

/// Sites, day, replications, in one line.
#[must_use]
pub fn setting(results: &Results) -> String {
    let (sites, patients) = results.estate;
    let days = if results.days == 1 { String::new() } else { format!(" and {} days on", results.days - 1) };
    let pairs = if results.antithetic { " (in antithetic pairs)" } else { "" };
    format!(
        "{}; {}{days}; {}{pairs} of {}",
        estate(sites, patients, &results.counted),
        results.when,
        several(results.replications as usize, ["replication", "replications"]),
        several(results.setups.len(), ["set-up", "set-ups"])
    )
}

/// The summary: targets, then the answer, then what else came of each set-up, then what to know before relying on it.
#[must_use]
pub fn summary(results: &Results) -> String {
    let mut text = format!("{}\n{}\n", wrapped(&results.question, ""), wrapped(&setting(results), ""));
    for (target, title) in results.targets.iter().enumerate() {
        let rows = results.setups.iter().map(|setup| {
            let judged = &setup.targets[target];
            let by = judged.figure.change.map_or_else(String::new, |by| {
                format!(
                    "{}{}",
                    signed(by.mean, Some(results.kinds[target])),
                    if judged.figure.clear { " *" } else { "" }
                )
            });
            let verdict = format!("{} {}", mark(judged.verdict), judged.verdict.name());
            vec![setup.title.clone(), verdict, told(judged, results.kinds[target]), by]
        });
        text += &format!("\n{title}\n{}", columns(&rows.collect::<Vec<_>>()));
    }
    text += "\n";
    for sentence in sentences(results) {
        text += &format!("{}\n", wrapped(&sentence, ""));
    }
    text += &format!("\n{}", outcomes(results));
    text += &format!("{}\n", wrapped(&footnote(results), ""));
    let effort = effort::words(results);
    if !effort.is_empty() {
        text += &format!("{}\n", wrapped(&effort, ""));
    }
    if let Some(check) = &results.check {
        let (title, table) = side_by_side(check);
        text += &format!("\n{}\n{}", wrapped(&title, ""), narrow(&table, 2));
    }
    for caution in cautions(results) {
        text += &format!("{}\n", wrapped(&caution, "! "));
    }
    text
}

/// Figures beside the targets, a row for each set-up.
fn outcomes(results: &Results) -> String {
    let mut head = vec!["set-up".to_owned()];
    head.extend(results.measures().iter().map(|figure| figure.short.to_owned()));
    let rows = results.setups.iter().map(|setup| {
        let mut row = vec![setup.title.clone()];
        row.extend(setup.measures.iter().zip(results.measures()).map(|(measure, figure)| {
            let star = if measure.clear { " *" } else { "" };
            let value = measure.value.mean;
            match figure.unit {
                "h" => format!("{}{star}", staff_time(value)),
                "min" | "%" => format!("{} {}{star}", number(rounded(value)), figure.unit),
                _ => format!("{}{star}", number(rounded(value))),
            }
        }));
        row
    });
    narrow(&ChartTable { head, rows: rows.collect() }, 1)
}

/// Whole where it is large, and with one digit behind the point where it is not.
fn rounded(value: f64) -> f64 {
    if value >= 10.0 { value.round() } else { (value * 10.0).round() / 10.0 }
}

fn footnote(results: &Results) -> String {
    let waited = staff_classes(results);
    let staff = if waited.is_empty() { String::new() } else { format!(" Staff time lost: longer waits for {waited}.") };
    format!("Intervals are 95 %; * differs from the base at 5 % after correction for several comparisons.{staff}")
}

/// Columns of their own width, two spaces in and two between.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let most = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..most).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        format!("  {}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// Width of a terminal.
const TERMINAL: usize = 80;
/// Names of columns are broken where they are wider than what stands below, but not narrower than this.
const NAME: usize = 16;

/// Columns side by side; those that do not fit into the terminal follow below, each time with the first `keys` columns, which
/// name the rows.
pub(crate) fn narrow(table: &ChartTable, keys: usize) -> String {
    let body = |column: usize| {
        table.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let broken = |(column, name): (usize, &String)| -> Vec<String> {
        let lines = textwrap::wrap(name, body(column).max(NAME));
        lines.into_iter().map(std::borrow::Cow::into_owned).collect()
    };
    let heads: Vec<Vec<String>> = table.head.iter().enumerate().map(broken).collect();
    let width = |column: usize| {
        let name = heads[column].iter().map(|line| line.chars().count()).max().unwrap_or(0);
        name.max(body(column)) + 2
    };
    let names: usize = (0..keys).map(width).sum();
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut left = 0;
    for column in keys..heads.len() {
        if parts.is_empty() || width(column) > left {
            parts.push((0..keys).collect());
            left = TERMINAL.saturating_sub(names);
        }
        left = left.saturating_sub(width(column));
        parts.iter_mut().last().into_iter().for_each(|part| part.push(column));
    }
    let part = |part: &Vec<usize>| {
        let lines = part.iter().map(|&column| heads[column].len()).max().unwrap_or(1);
        let line = |line| part.iter().map(|&column| heads[column].get(line).cloned().unwrap_or_default()).collect();
        let body = |row: &Vec<String>| part.iter().filter_map(|&column| row.get(column).cloned()).collect();
        columns(&(0..lines).map(line).chain(table.rows.iter().map(body)).collect::<Vec<Vec<String>>>())
    };
    parts.iter().map(part).collect::<Vec<String>>().join("\n")
}

/// Lines of at most 80 letters; lines after the first stand in as far as `mark` is long.
pub(crate) fn wrapped(text: &str, mark: &str) -> String {
    let mut lines = vec![mark.to_owned()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        if lines[last].chars().count() + word.chars().count() >= TERMINAL {
            lines.push(" ".repeat(mark.len()));
        }
        let last = lines.len() - 1;
        if !lines[last].trim().is_empty() && !lines[last].ends_with(' ') {
            lines[last].push(' ');
        }
        lines[last].push_str(word);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_table_is_cut_into_parts_that_fit_and_name_their_rows() {
        let cells = |text: &str| (0..6).map(|column| format!("{text} {column} {}", "x".repeat(20))).collect();
        let table = ChartTable { head: cells("a name"), rows: vec![cells("a"), cells("b")] };
        let text = narrow(&table, 1);
        assert!(text.lines().all(|line| line.chars().count() <= TERMINAL), "{text}");
        assert_eq!(text.matches("  a 0").count(), 3, "each part names its rows: {text}");
        assert_eq!(text.matches("b 5").count(), 1, "no column is lost: {text}");
    }
}
