//! The summary for the terminal: targets first, then each option against the base.

use crate::report::answer::{cautions, sentences};
use crate::report::effort;
use crate::report::method::side_by_side;
use crate::report::page::mark;
use crate::report::words::{change, count, judged as told, plain_interval, several};
use crate::study::results::Results;

/// Sites, day, replications, in one line.
#[must_use]
pub fn setting(results: &Results) -> String {
    let (sites, patients) = results.estate;
    let days = if results.days == 1 { String::new() } else { format!(" and {} days on", results.days - 1) };
    let pairs = if results.antithetic { " (in antithetic pairs)" } else { "" };
    format!(
        "{}, {} patients; {}{days}; {}{pairs} of {}",
        several(sites, ["site", "sites"]),
        count(patients),
        results.when,
        several(results.replications as usize, ["replication", "replications"]),
        several(results.setups.len(), ["set-up", "set-ups"])
    )
}

/// The summary.
#[must_use]
pub fn summary(results: &Results) -> String {
    let mut text = format!("{}\n{}\n\n", results.question, setting(results));
    for sentence in sentences(results) {
        text += &format!("{}\n", wrapped(&sentence, ""));
    }
    for (target, title) in results.targets.iter().enumerate() {
        text += &format!("\n{title}\n");
        let rows = results.setups.iter().map(|found| {
            let judged = &found.targets[target];
            let star = if judged.figure.clear { " *" } else { "" };
            let by = judged
                .figure
                .change
                .map_or_else(String::new, |by| format!("{}{star}", change(&by, Some(results.kinds[target]))));
            let verdict = format!("{} {}", mark(judged.verdict), judged.verdict.name());
            vec![found.title.clone(), verdict, told(judged, results.kinds[target]), by]
        });
        text += &columns(&rows.collect::<Vec<_>>());
    }
    text += "\nAgainst the base\n";
    let mut rows = vec![Vec::new()];
    rows[0].push(String::new());
    rows[0].extend(
        results.measures().iter().map(|figure| crate::report::chart::options::label(figure.title, figure.unit)),
    );
    rows.extend(results.setups.iter().map(|found| {
        let mut row = vec![found.title.clone()];
        row.extend(found.measures.iter().zip(results.measures()).map(|(measure, _)| match measure.change {
            None => plain_interval(&measure.value),
            Some(by) => format!("{}{}", change(&by, None), if measure.clear { " *" } else { "" }),
        }));
        row
    }));
    text += &columns(&rows);
    text += "\nIntervals are 95 %; * clear at 5 % after correction for several comparisons.\n";
    let effort = effort::words(results);
    if !effort.is_empty() {
        text += &format!("{}\n", wrapped(&effort, ""));
    }
    if let Some(check) = &results.check {
        let (title, rows) = side_by_side(check);
        text += &format!("\n{}\n{}", wrapped(&title, ""), columns(&rows));
    }
    for caution in cautions(results) {
        text += &format!("{}\n", wrapped(&caution, "! "));
    }
    text
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

/// Lines of at most 100 letters; lines after the first stand in as far as `mark` is long.
pub(crate) fn wrapped(text: &str, mark: &str) -> String {
    let mut lines = vec![mark.to_owned()];
    for word in text.split(' ') {
        let last = lines.len() - 1;
        if lines[last].chars().count() + word.chars().count() >= 100 {
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
