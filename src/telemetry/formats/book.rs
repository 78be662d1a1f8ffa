//! Workbooks of spreadsheets (xlsx, xls, ods): the first sheet that holds a table, as CSV.

use std::io::Cursor;

use calamine::{Data, Reader, open_workbook_auto_from_rs};

use crate::telemetry::formats::sheet::csv_text;

/// Whether a file begins as a workbook does: a packed folder, or the compound file of older ones.
#[must_use]
pub fn is_book(head: &[u8]) -> bool {
    head.starts_with(b"PK\x03\x04") || head.starts_with(&[0xd0, 0xcf, 0x11, 0xe0])
}

/// The first sheet with a table, as CSV; titles above it are left out.
///
/// # Errors
/// If it is no workbook, or has no table: a sentence and its remedy.
pub fn text(bytes: &[u8]) -> Result<String, (String, String)> {
    let help = "save the sheet as CSV".to_owned();
    let mut book = open_workbook_auto_from_rs(Cursor::new(bytes.to_vec()))
        .map_err(|fault| (format!("this begins as a workbook does, and is none: {fault}"), help.clone()))?;
    for name in book.sheet_names() {
        let Ok(range) = book.worksheet_range(&name) else { continue };
        let rows: Vec<Vec<String>> = range.rows().map(|row| row.iter().map(cell).collect()).collect();
        let is_row = |row: &&Vec<String>| row.iter().filter(|cell| !cell.is_empty()).count() >= 2;
        let rows: Vec<&Vec<String>> = rows.iter().skip_while(|row| !is_row(row)).collect();
        if rows.len() >= 2 {
            return Ok(csv_text(rows.into_iter().map(Vec::as_slice)));
        }
    }
    Err(("no sheet of this workbook holds a table".to_owned(), help))
}

/// A cell as text: times as people of all countries read them alike.
fn cell(data: &Data) -> String {
    match data {
        Data::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, milli) = time.to_ymd_hms_milli();
            let clock = format!("{hour:02}:{minute:02}:{second:02}.{milli:03}");
            // A time of day alone is one of the day before all others.
            if year < 1900 { clock } else { format!("{year:04}-{month:02}-{day:02} {clock}") }
        }
        Data::DateTimeIso(text) | Data::String(text) => text.trim().to_owned(),
        Data::Float(number) => number.to_string(),
        Data::Int(number) => number.to_string(),
        Data::Empty | Data::Error(_) => String::new(),
        other => other.to_string(),
    }
}
