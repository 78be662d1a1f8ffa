//! A table of texts: separator, header and rows as an export has them, with the line of each.

use std::collections::BTreeMap;

/// A table.
#[derive(Clone, Debug, Default)]
pub struct SheetTable {
    /// Names of the columns.
    pub header: Vec<String>,
    /// Rows, each with its line in the file.
    pub rows: Vec<(u32, Vec<String>)>,
}

impl SheetTable {
    /// The table that begins in this line of a text, counted from 0.
    #[must_use]
    pub fn of(text: &str, first: usize) -> Self {
        let body: String = text.split_inclusive('\n').skip(first).collect();
        let separator = separator(body.lines().next().unwrap_or(""));
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .flexible(true)
            .has_headers(true)
            .from_reader(body.as_bytes());
        let header = reader.headers().map(|names| names.iter().map(|name| name.trim().to_owned()).collect());
        // Counted here: the reader's own count lags where lines end as on Windows.
        let (mut read, mut line) = (0, first + 1);
        let row = |record: csv::StringRecord| {
            let at = record.position().map_or(0, |position| usize::try_from(position.byte()).unwrap_or(0));
            let at = at + body[at..].bytes().take_while(|byte| b"\r\n".contains(byte)).count();
            line += body[read..at].bytes().filter(|byte| *byte == b'\n').count();
            read = at;
            (u32::try_from(line).unwrap_or(u32::MAX), record.iter().map(|cell| cell.trim().to_owned()).collect())
        };
        Self { header: header.unwrap_or_default(), rows: reader.records().flatten().map(row).collect() }
    }

    /// The place of the first column whose name this is true of.
    pub fn column(&self, is: impl Fn(&str) -> bool) -> Option<usize> {
        self.header.iter().position(|name| is(&name.to_lowercase()))
    }

    /// The rows of each name, as tables of their own.
    pub fn split<N: Ord>(&self, name: impl Fn(&[String]) -> N) -> BTreeMap<N, Self> {
        let mut parts: BTreeMap<N, Self> = BTreeMap::new();
        for (line, row) in &self.rows {
            let part = parts.entry(name(row)).or_insert_with(|| Self { header: self.header.clone(), rows: Vec::new() });
            part.rows.push((*line, row.clone()));
        }
        parts
    }

    /// The rows of each name, which is what the cells of some columns say together.
    #[must_use]
    pub fn split_by(&self, columns: &[usize]) -> BTreeMap<String, Self> {
        self.split(|row| {
            columns.iter().filter_map(|column| row.get(*column)).cloned().collect::<Vec<String>>().join(" ")
        })
    }

    /// The cells of a column.
    pub fn cells(&self, column: usize) -> impl Iterator<Item = &str> + Clone {
        self.rows.iter().map(move |(_, row)| row.get(column).map_or("", String::as_str))
    }
}

/// Rows as CSV.
#[must_use]
pub fn csv_text<'a>(rows: impl Iterator<Item = &'a [String]>) -> String {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    for row in rows {
        // Writing to memory cannot fail.
        let _ = writer.write_record(row);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}

/// The separator of a header line: the one that is there most often outside quotes.
fn separator(line: &str) -> u8 {
    let mut counts = [(b',', 0_u32), (b';', 0), (b'\t', 0)];
    let mut is_quoted = false;
    for byte in line.bytes() {
        is_quoted ^= byte == b'"';
        if !is_quoted && let Some((_, count)) = counts.iter_mut().find(|(sign, _)| *sign == byte) {
            *count += 1;
        }
    }
    // The first of those that are there as often.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(sign, _)| sign)
}
