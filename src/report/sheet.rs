//! The sheet: the tables of the report as a workbook, for those who live in Excel.

use rust_xlsxwriter::{ChartType, DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::report::answer::{cautions, sentences};
use crate::report::chart::options::label;
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::outputs;
use crate::study::figures::{STAFF_LOST, UNFINISHED};
use crate::study::results::Results;
use crate::units::is_formula;

/// The workbook's bytes: the answer, the options, the tables behind the charts, the summary, the sites and the inputs.
///
/// # Errors
/// If the workbook cannot be put together.
pub fn sheet(results: &Results, charts: &[Chart]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    // A date of creation would make two runs differ.
    let created = ExcelDateTime::from_ymd(2026, 1, 1)?;
    book.set_properties(
        &DocProperties::new()
            .set_title(results.question.chars().take(255).collect::<String>())
            .set_creation_datetime(&created),
    );
    answer(book.add_worksheet(), results)?;
    for chart in charts {
        let page = book.add_worksheet().set_name(chart.name)?;
        // The title comes after the columns have their widths: it may run over them.
        table(page, 3, &chart.table)?;
        page.write_with_format(0, 0, cut(&chart.title), &Format::new().set_bold())?;
        page.write(1, 0, cut(&chart.note))?;
        if LINES.contains(&chart.name) && !chart.table.rows.is_empty() {
            lines(page, chart)?;
        }
    }
    for file in outputs::TABLES {
        if matches!(file.name, "summary.csv" | "sites.csv" | "options.csv" | "inputs.csv") {
            let page = book.add_worksheet().set_name(format!("{} (tidy)", file.name.trim_end_matches(".csv")))?;
            table(page, 0, &parsed(&file.text(results)))?;
        }
    }
    book.save_to_buffer()
}

/// Tables of which the sheet has a chart of its own, a line for each column over the first.
const LINES: [&str; 4] = ["utilisation", "latency", "waiting", "affected"];

/// A native chart to the right of a table, which starts in row 3.
fn lines(page: &mut Worksheet, chart: &Chart) -> Result<(), XlsxError> {
    const TOP: u32 = 3;
    let last = TOP + u32::try_from(chart.table.rows.len()).unwrap_or(1);
    let mut drawn = rust_xlsxwriter::Chart::new(ChartType::Line);
    let columns = u16::try_from(chart.table.head.len()).unwrap_or(1);
    for column in 1..columns {
        let series = drawn.add_series();
        series.set_name((chart.name, TOP, column));
        series.set_categories((chart.name, TOP + 1, 0, last, 0));
        series.set_values((chart.name, TOP + 1, column, last, column));
    }
    drawn.title().set_name(&chart.title.chars().take(255).collect::<String>());
    drawn.x_axis().set_num_format("hh:mm");
    drawn.set_width(900).set_height(420);
    page.insert_chart(TOP, columns + 1, &drawn)?;
    Ok(())
}

fn answer(page: &mut Worksheet, results: &Results) -> Result<(), XlsxError> {
    let wrap = Format::new().set_text_wrap();
    page.set_name("answer")?;
    page.set_column_width(0, LINE)?;
    write_line(page, 0, &results.question, &wrap.clone().set_bold())?;
    let mut row = 2;
    for line in sentences(results) {
        write_line(page, row, &line, &wrap)?;
        row += 1;
    }
    row = options(page, row + 1, results)?;
    page.write_with_format(row + 1, 0, "Before you rely on this", &Format::new().set_bold())?;
    for (row, line) in (row + 2..).zip(cautions(results)) {
        write_line(page, row, &line, &wrap)?;
    }
    for_print(page);
    Ok(())
}

/// Each set-up with its verdicts and figures as numbers; gives the row below.
fn options(page: &mut Worksheet, top: u32, results: &Results) -> Result<u32, XlsxError> {
    let bold = Format::new().set_bold().set_text_wrap().set_border_bottom(rust_xlsxwriter::FormatBorder::Thin);
    page.write_with_format(top, 0, "option", &bold)?;
    let mut head: Vec<String> = Vec::new();
    for (target, kind) in results.targets.iter().zip(&results.kinds) {
        head.extend([
            target.clone(),
            label("mean", kind.unit()),
            label("low", kind.unit()),
            label("high", kind.unit()),
        ]);
    }
    head.extend(["staff time lost [h]", "jobs unfinished", "extra cost"].map(str::to_owned));
    for (column, cell) in (1_u16..).zip(&head) {
        page.write_with_format(top, column, cut(cell), &bold)?;
        page.set_column_width(column, 14)?;
    }
    let mut row = top;
    for setup in &results.setups {
        row += 1;
        page.write(row, 0, cut(&setup.title))?;
        let mut column = 1;
        for judged in &setup.targets {
            page.write(row, column, judged.verdict.name())?;
            let value = &judged.figure.value;
            for (number, column) in [value.mean, value.low(), value.high()].into_iter().zip(column + 1..) {
                if number.is_finite() {
                    page.write(row, column, number)?;
                }
            }
            column += 4;
        }
        page.write(row, column, setup.measures[STAFF_LOST].value.mean)?;
        page.write(row, column + 1, setup.measures[UNFINISHED].value.mean)?;
        if let Some(cost) = setup.cost {
            page.write(row, column + 2, cost)?;
        }
    }
    Ok(row + 1)
}

/// Letters in a line of the answer.
const LINE: u16 = 100;
/// The last row that a sheet can have, from 0 (Excel, specifications and limits).
const LAST_ROW: u32 = 1_048_575;
/// Letters that a cell can have.
const LONGEST: usize = 32_767;
/// The highest row [point].
const HIGHEST: f64 = 409.0;
/// Columns of names, codes and texts: what looks like a number there is none.
const TEXTS: [&str; 13] = [
    "site",
    "option",
    "title",
    "class",
    "concentrator",
    "what",
    "number",
    "source",
    "range",
    "standing",
    "figure",
    "unit",
    "verdict",
];

/// A text that is too long for a cell, cut; the CSV files and the page have all of it.
fn cut(text: &str) -> String {
    // Excel counts UTF-16.
    if text.encode_utf16().count() <= LONGEST {
        return text.to_owned();
    }
    let mut room = LONGEST - 10;
    let fits = |letter: &char| {
        room = room.saturating_sub(letter.len_utf16());
        room > 0
    };
    text.chars().take_while(fits).chain(" \u{2026} (cut)".chars()).collect()
}

/// Writes text that wraps, in a row that is high enough for it.
fn write_line(page: &mut Worksheet, row: u32, text: &str, format: &Format) -> Result<(), XlsxError> {
    let lines = u16::try_from(text.chars().count()).unwrap_or(u16::MAX).div_ceil(LINE - 10);
    page.write_with_format(row, 0, cut(text), format)?;
    page.set_row_height(row, (f64::from(lines) * 15.0 + 4.0).min(HIGHEST))?;
    Ok(())
}

/// One page wide, on its side.
fn for_print(page: &mut Worksheet) {
    page.set_landscape();
    page.set_print_fit_to_pages(1, 0);
}

fn parsed(text: &str) -> ChartTable {
    let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes()).into_records().flatten();
    // In a sheet a text is no formula, and needs no apostrophe.
    let bare = |cell: &str| match cell.strip_prefix('\'') {
        Some(formula) if is_formula(formula) => formula.to_owned(),
        _ => cell.to_owned(),
    };
    let cells = |row: csv::StringRecord| row.iter().map(bare).collect::<Vec<String>>();
    let head = rows.next().map(cells).unwrap_or_default();
    ChartTable { head, rows: rows.map(cells).collect() }
}

/// Writes a table; what reads as a number or a time of day is one, and codes stay as they are.
fn table(page: &mut Worksheet, top: u32, table: &ChartTable) -> Result<(), XlsxError> {
    let bold = Format::new().set_bold().set_border_bottom(rust_xlsxwriter::FormatBorder::Thin);
    let clock = Format::new().set_num_format("hh:mm");
    for (column, cell) in (0_u16..).zip(&table.head) {
        page.write_with_format(top, column, cut(cell), &bold)?;
    }
    let room = (LAST_ROW - top - 1) as usize;
    let (shown, left) = table.rows.split_at(table.rows.len().min(room));
    if !left.is_empty() {
        page.write(LAST_ROW, 0, format!("and {} more rows, which are in the CSV file", left.len()))?;
    }
    for (row, cells) in (top + 1..).zip(shown) {
        for ((column, head), cell) in (0_u16..).zip(&table.head).zip(cells) {
            match if TEXTS.contains(&head.as_str()) { Cell::Text } else { Cell::of(cell) } {
                Cell::Number(number) => page.write(row, column, number)?,
                Cell::Clock(hour, minute) => {
                    page.write_with_format(row, column, &ExcelDateTime::from_hms(hour, minute, 0.0)?, &clock)?
                }
                Cell::Text => page.write(row, column, cut(cell))?,
            };
        }
    }
    if let (Ok(rows), Ok(columns)) = (u32::try_from(shown.len()), u16::try_from(table.head.len()))
        && rows > 0
        && columns > 0
    {
        page.autofilter(top, 0, top + rows, columns - 1)?;
    }
    page.set_freeze_panes(top + 1, 1)?;
    page.set_autofit_max_width(480);
    page.autofit();
    for_print(page);
    Ok(())
}

/// What a cell's text is.
#[derive(Debug, PartialEq)]
enum Cell {
    Number(f64),
    Clock(u16, u8),
    Text,
}

impl Cell {
    fn of(text: &str) -> Self {
        if let Some((hour, minute)) = text.split_once(':').filter(|_| text.len() == 5)
            && let (Ok(hour), Ok(minute)) = (hour.parse::<u16>(), minute.parse::<u8>())
            && hour < 24
            && minute < 60
        {
            return Self::Clock(hour, minute);
        }
        let plain = text.strip_prefix('-').unwrap_or(text);
        let digits = plain.replace(',', "");
        let whole = digits.split('.').next().unwrap_or_default();
        // A zero in front, an exponent or blanks make a code.
        let is_code = (whole.len() > 1 && whole.starts_with('0')) || whole.is_empty() || whole.len() > 15;
        let is_plain = digits.chars().all(|letter| letter.is_ascii_digit() || letter == '.') && is_grouped(plain);
        match text.replace(',', "").parse::<f64>() {
            Ok(number) if number.is_finite() && is_plain && !is_code => Self::Number(number),
            _ => Self::Text,
        }
    }
}

/// Whether commas, if there are any, stand between groups of three digits.
fn is_grouped(text: &str) -> bool {
    let mut groups = text.split('.').next().unwrap_or_default().split(',');
    groups.next().is_some_and(|first| !first.is_empty()) && groups.all(|group| group.len() == 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stay_text_and_times_are_times() {
        assert_eq!(Cell::of("1,234"), Cell::Number(1234.0));
        assert_eq!(Cell::of("-0.5"), Cell::Number(-0.5));
        assert_eq!(Cell::of("08:15"), Cell::Clock(8, 15));
        for code in ["007", "1E5", "5e1", "12,34", "", "inf", "day 1 08:15", "24:00"] {
            assert_eq!(Cell::of(code), Cell::Text, "{code}");
        }
    }
}
