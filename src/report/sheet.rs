//! The sheet: the tables of the report as a workbook, for those who live in Excel.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::report::answer::{cautions, sentences};
use crate::report::{Chart, Table, tidy};
use crate::study::results::Results;

/// The workbook's bytes: the answer, the tables behind the charts, the summary, the sites and the inputs.
///
/// # Errors
/// If the workbook cannot be put together (a table larger than a sheet can be).
pub fn sheet(results: &Results, charts: &[Chart]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // A date of creation would make two runs differ.
    let created = ExcelDateTime::from_ymd(2026, 1, 1)?;
    book.set_properties(&DocProperties::new().set_title(&results.question).set_creation_datetime(&created));
    answer(book.add_worksheet(), results)?;
    for chart in charts {
        let page = book.add_worksheet().set_name(chart.name)?;
        // The title comes after the columns have their widths: it may run over them.
        table(page, 3, &chart.table)?;
        page.write_with_format(0, 0, &chart.title, &Format::new().set_bold())?;
        page.write(1, 0, &chart.note)?;
    }
    for (name, text) in tidy::FILES {
        if matches!(name, "summary.csv" | "sites.csv" | "inputs.csv") {
            let page = book.add_worksheet().set_name(format!("{} (tidy)", name.trim_end_matches(".csv")))?;
            table(page, 0, &parsed(&text(results)))?;
        }
    }
    book.save_to_buffer()
}

fn answer(page: &mut Worksheet, results: &Results) -> Result<(), XlsxError> {
    let wrap = Format::new().set_text_wrap();
    page.set_name("answer")?;
    page.set_column_width(0, LINE)?;
    let caution = |text: String| format!("Caution: {text}");
    let lines = sentences(results).into_iter().chain(cautions(results).into_iter().map(caution));
    write_line(page, 0, &results.question, &wrap.clone().set_bold())?;
    for (row, line) in (2..).zip(lines) {
        write_line(page, row, &line, &wrap)?;
    }
    for_print(page);
    Ok(())
}

/// Letters in a line of the answer.
const LINE: u16 = 100;

/// Writes text that wraps, in a row that is high enough for it.
fn write_line(page: &mut Worksheet, row: u32, text: &str, format: &Format) -> Result<(), XlsxError> {
    let lines = u16::try_from(text.chars().count()).unwrap_or(u16::MAX).div_ceil(LINE - 10);
    page.write_with_format(row, 0, text, format)?;
    page.set_row_height(row, f64::from(lines) * 15.0 + 4.0)?;
    Ok(())
}

/// One page wide, on its side.
fn for_print(page: &mut Worksheet) {
    page.set_landscape();
    page.set_print_fit_to_pages(1, 0);
}

fn parsed(text: &str) -> Table {
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes()).into_records().flatten();
    let cells = |row: csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<String>>();
    let head = rows.next().map(cells).unwrap_or_default();
    Table { head, rows: rows.map(cells).collect() }
}

/// Writes a table; what reads as a number is one.
fn table(page: &mut Worksheet, top: u32, table: &Table) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold().set_border_bottom(rust_xlsxwriter::FormatBorder::Thin);
    for (column, cell) in (0_u16..).zip(&table.head) {
        page.write_with_format(top, column, cell, &bold)?;
    }
    for (row, cells) in (top + 1..).zip(&table.rows) {
        for (column, cell) in (0_u16..).zip(cells) {
            match cell.replace(',', "").parse::<f64>() {
                Ok(number) if number.is_finite() => page.write(row, column, number)?,
                _ => page.write(row, column, cell)?,
            };
        }
    }
    page.set_freeze_panes(top + 1, 1)?;
    page.set_autofit_max_width(480);
    page.autofit();
    for_print(page);
    Ok(())
}
