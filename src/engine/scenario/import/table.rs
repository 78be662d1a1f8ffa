//! CSV files that a scenario names: what is wrong with them as tables, whatever they hold.

use std::ops::Range;

use crate::scenario::checker::Checker;
use crate::scenario::problem::SourceId;
use crate::units::visible;

/// A file that is there and can be read.
pub struct CsvTable<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
    /// What problems in it are noted under.
    pub source: SourceId,
}

impl CsvTable<'_> {
    /// The names of the columns; none, and a problem, where the first line has none.
    pub fn header(&self, check: &mut Checker) -> Option<Vec<String>> {
        let mut reader = self.reader();
        let header: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(str::to_owned).collect(),
            Err(fault) => {
                let title = format!("`{}` is not CSV: {fault}", self.name);
                check.problems.add_in(self.source, &(0..0), title, "write a header line first");
                return None;
            }
        };
        if let Some(at) = unclosed(self.text) {
            let help = "close it, or take it out: all that follows is read as one cell";
            check.problems.add_in(self.source, &(at..at + 1), "a quote that is never closed", help);
            return None;
        }
        let rows: Vec<csv::StringRecord> = reader.records().flatten().take(5).collect();
        let widest = rows.iter().map(csv::StringRecord::len).max().unwrap_or(0);
        match self.no_header(&header, widest) {
            Some((title, help)) => {
                check.problems.add_in(self.source, &self.first_line(), title, help);
                None
            }
            None => Some(header.iter().map(|name| visible(name).into_owned()).collect()),
        }
    }

    fn first_line(&self) -> Range<usize> {
        0..self.text.find(['\r', '\n']).unwrap_or(self.text.len())
    }

    /// Notes columns that cannot be told apart, of those that are used.
    pub fn distinct(&self, header: &[String], used: &[usize], check: &mut Checker) {
        for (place, &column) in used.iter().enumerate() {
            let name = &header[column];
            if used[..place].contains(&column) {
                let title = format!("column `{name}` of `{}` is taken for two things", self.name);
                check.problems.add_in(self.source, &self.first_line(), title, "name another column for one of them");
            } else if header.iter().filter(|other| *other == name).count() > 1 {
                let title = format!("`{}` has several columns `{name}`", self.name);
                check.problems.add_in(self.source, &self.first_line(), title, "give each column its own name");
            }
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

/// Where a quote is opened at the start of a field and never closed (RFC 4180, section 2).
fn unclosed(text: &str) -> Option<usize> {
    let (mut opened, mut starts) = (None, true);
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match (opened, byte) {
            (Some(_), b'"') if bytes.peek().is_some_and(|(_, next)| *next == b'"') => drop(bytes.next()),
            (Some(_), b'"') => opened = None,
            (None, b'"') if starts => opened = Some(at),
            _ => {}
        }
        starts = opened.is_none() && matches!(byte, b',' | b'\n' | b'\r');
    }
    opened
}

/// What is wrong with the length of a row: text beyond the last column.
#[must_use]
pub fn too_long(row: &csv::StringRecord, columns: usize) -> Option<String> {
    let is_long = row.iter().skip(columns).any(|field| !field.trim().is_empty());
    is_long.then(|| format!("this row has {} columns, and the header {columns}", row.len()))
}

/// What can be done about a row that is too long.
pub const TOO_LONG: &str = "put text that has commas into quotes, and write numbers without thousands separators";

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
