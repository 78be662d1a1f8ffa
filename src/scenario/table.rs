//! CSV files that a scenario names: what is wrong with them as tables, whatever they hold.

use std::ops::Range;

use crate::scenario::check::Check;
use crate::scenario::problem::SourceId;
use crate::units::visible;

/// A file that is there and can be read.
pub struct Table<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// What problems in it are noted under.
    pub source: SourceId,
}

impl Table<'_> {
    /// The names of the columns; none, and a problem, where the first line has none.
    pub fn header(&self, check: &mut Check) -> Option<Vec<String>> {
        let mut reader = self.reader();
        let header: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(str::to_owned).collect(),
            Err(fault) => {
                let title = format!("`{}` is not CSV: {fault}", self.name);
                check.problems.add_in(self.source, &(0..0), title, "write a header line first");
                return None;
            }
        };
        let widest = reader.records().flatten().take(5).map(|row| row.len()).max().unwrap_or(0);
        match self.no_header(&header, widest) {
            Some((title, help)) => {
                let line = 0..self.text.find(['\r', '\n']).unwrap_or(self.text.len());
                check.problems.add_in(self.source, &line, title, help);
                None
            }
            None => Some(header.iter().map(|name| visible(name).into_owned()).collect()),
        }
    }

    /// What the first line is, if it is no header.
    fn no_header(&self, header: &[String], widest: usize) -> Option<(String, &'static str)> {
        let name = self.name;
        let first = header.first().map_or("", |first| first.trim());
        if header.len() <= 1 && first.is_empty() {
            let help = "write a header line with the names of the columns, then the rows";
            return Some((format!("`{name}` has no header"), help));
        }
        if first.len() <= 5 && first.to_ascii_lowercase().starts_with("sep=") {
            return Some((
                format!("`{name}` begins with `{first}`"),
                "take that line out, and separate columns by commas",
            ));
        }
        let other = [(';', "semicolons"), ('\t', "tabs"), ('|', "vertical bars")];
        if header.len() == 1
            && let Some((_, what)) = other.into_iter().find(|(letter, _)| first.contains(*letter))
        {
            let help = "save it again as \"CSV UTF-8 (comma delimited)\", or put commas in their place";
            return Some((format!("the columns of `{name}` are separated by {what}"), help));
        }
        let filled = header.iter().filter(|column| !column.trim().is_empty()).count();
        if filled == 1 && widest > 1 {
            let help = "take the lines above the header out: the first line names the columns";
            return Some((format!("the first line of `{name}` is a title, not a header"), help));
        }
        None
    }

    /// Its rows, below the header.
    #[must_use]
    pub fn reader(&self) -> csv::Reader<&[u8]> {
        csv::ReaderBuilder::new().flexible(true).from_reader(self.text.as_bytes())
    }
}

/// What a field that is not as it should be is, in words.
#[must_use]
pub fn found(row: &csv::StringRecord, column: usize, should: &str) -> String {
    match row.get(column) {
        None => format!("this row ends before its {} column: it has {}", ordinal(column + 1), row.len()),
        Some(field) if field.trim().is_empty() => format!("an empty cell, where {should} should be"),
        Some(field) => format!("`{}` is not {should}", field.trim()),
    }
}

fn ordinal(number: usize) -> String {
    let ending = match (number % 10, number % 100) {
        (1, hundred) if hundred != 11 => "st",
        (2, hundred) if hundred != 12 => "nd",
        (3, hundred) if hundred != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// Where a field of a row stands in the text, as near as its text can be found in its line.
#[must_use]
pub fn field_span(row: &csv::StringRecord, column: usize, text: &str) -> Range<usize> {
    let start = row.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0)).min(text.len());
    let start = start + text[start..].len() - text[start..].trim_start_matches(['\r', '\n']).len();
    let line = &text[start..start + text[start..].find('\n').unwrap_or(text.len() - start)];
    let mut at = 0;
    for (index, piece) in line.split(',').enumerate() {
        if index == column {
            return start + at..start + at + piece.trim_end().len().max(1);
        }
        at += piece.len() + 1;
    }
    start..start + line.len().max(1)
}
