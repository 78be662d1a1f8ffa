//! Estates from CSV files: a row a site.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::scenario::checker::Checker;
use crate::scenario::field::{Field, TextLine};
use crate::scenario::file::{At, CsvEstate};
use crate::scenario::import::table::{CsvTable, TOO_LONG, field_span, found, too_long};
use crate::scenario::problem::{SourceId, did_you_mean};
use crate::units::{BitRate, Duration, visible};

/// A site as its row gives it: what is missing is drawn.
pub struct SiteRow {
    /// Its code.
    pub name: String,
    /// Who is counted at it.
    pub patients: u32,
    /// Rate towards it.
    pub down: Option<BitRate>,
    /// Rate from it.
    pub up: Option<BitRate>,
    /// Round trip to the servers, on an idle network.
    pub rtt: Option<Duration>,
}

/// Where the columns are.
struct Columns {
    code: usize,
    patients: usize,
    down: Option<usize>,
    up: Option<usize>,
    rtt: Option<usize>,
    only: Vec<(usize, String)>,
}

/// Who is counted at a site, unless a CSV file has a column of others.
pub const PATIENTS: &str = "patients";

/// The sites of a CSV file with a header line, and who is counted there. Columns are named by the scenario, or known by usual names.
pub fn csv(table: &At<CsvEstate>, drawn_links: bool, check: &mut Checker) -> Option<(Vec<SiteRow>, &'static str)> {
    let (at, csv) = (table.span(), table.get_ref());
    let file = check.required(&csv.file, &at, "file")?.0;
    let (text, source) = check.file(csv.file.span(), &file)?;
    let table = CsvTable { name: &file, text: &text, source };
    let header = table.header(check)?;
    let columns = columns(csv, &header, check, (&file, drawn_links))?;
    let others = [columns.down, columns.up, columns.rtt].into_iter().flatten();
    let used: Vec<usize> = [columns.code, columns.patients].into_iter().chain(others).collect();
    table.distinct(&header, &used, check);
    let mut bare = Vec::new();
    let mut names = BTreeSet::new();
    let mut faults = Faults { source, file: file.clone(), shown: 0 };
    for row in table.reader().records() {
        match row {
            Ok(row) => {
                if let Some(title) = too_long(&row, header.len()) {
                    faults.add(check, &field_span(&row, header.len(), &text), title, TOO_LONG);
                    continue;
                }
                let keep = columns.only.iter().all(|(column, value)| row.get(*column) == Some(value.as_str()));
                if keep && let Some(site) = site_of(&row, &columns, &text, check, &mut faults) {
                    if names.insert(site.name.clone()) {
                        bare.push(site);
                    } else {
                        let span = field_span(&row, columns.code, &text);
                        faults.add(
                            check,
                            &span,
                            format!("a second row for site `{}`", site.name),
                            "keep one row for each site",
                        );
                    }
                }
            }
            Err(fault) => faults.add(check, &(0..0), format!("this CSV cannot be read: {fault}"), "correct this row"),
        }
    }
    if bare.is_empty() && faults.shown == 0 {
        let only: Vec<String> =
            csv.only.iter().map(|(name, value)| format!("{} = {:?}", name.get_ref(), value.value())).collect();
        let title = if only.is_empty() {
            format!("`{file}` has no rows")
        } else {
            format!("no row of `{file}` matches `only`")
        };
        check.problems.add(csv.file.span(), title, "check the file and the values in `only`");
    }
    let column = header[columns.patients].to_lowercase();
    let counted = if column.contains("patient") || column.contains("list") { PATIENTS } else { "people" };
    (!bare.is_empty()).then_some((bare, counted))
}

/// Usual names of columns, without case, blanks and signs.
const CODES: [&str; 11] =
    ["code", "sitecode", "site", "siteid", "sitename", "branch", "branchid", "branchcode", "name", "id", "location"];
const COUNTS: [&str; 11] = [
    "numberofpatients",
    "patients",
    "listsize",
    "people",
    "staff",
    "users",
    "headcount",
    "employees",
    "seats",
    "workstations",
    "desks",
];
const DOWNS: [&str; 9] = [
    "downmbps",
    "downmbit",
    "downmbits",
    "linedownmbit",
    "linedownmbps",
    "downloadmbps",
    "down",
    "download",
    "bandwidthmbps",
];
const UPS: [&str; 8] = ["upmbps", "upmbit", "upmbits", "lineupmbit", "lineupmbps", "uploadmbps", "up", "upload"];

/// The column of a usual name, the most usual first.
fn usual(header: &[String], names: &[&str]) -> Option<usize> {
    let bare =
        |column: &str| column.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let columns: Vec<String> = header.iter().map(|column| bare(column)).collect();
    names.iter().find_map(|name| columns.iter().position(|column| column == name))
}

fn columns(
    csv: &CsvEstate,
    header: &[String],
    check: &mut Checker,
    (file, drawn_links): (&str, bool),
) -> Option<Columns> {
    let mut find = |field: &Field<TextLine>, key: &str, names: &[&str], needed: bool| -> Option<usize> {
        let Some(TextLine(name)) = check.optional(field) else {
            let found = usual(header, names);
            if found.is_none() && needed && !field.is_written() {
                let title = format!("`{file}` has no column that is known to be the {key}");
                let columns = header.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
                let help = format!("write `{key} = \"...\"` in [estate.csv] with one of {columns}");
                check.problems.add(csv.file.span(), title, help);
            }
            return found;
        };
        let found = header.iter().position(|column| *column == name);
        if found.is_none() {
            let title = format!("`{file}` has no column `{name}`");
            let help = did_you_mean(&name, header.iter().map(String::as_str));
            check.problems.add(field.span(), title, help);
        }
        found
    };
    let code = find(&csv.code, "code", &CODES, true);
    let patients = find(&csv.patients, "patients", &COUNTS, true);
    let links: [&[&str]; 2] = if drawn_links { [&[], &[]] } else { [&DOWNS, &UPS] };
    let (down, up) =
        (find(&csv.down_mbps, "down_mbps", links[0], false), find(&csv.up_mbps, "up_mbps", links[1], false));
    let rtt = find(&csv.rtt_ms, "rtt_ms", &[], false);
    let mut only = Vec::new();
    for (name, value) in &csv.only {
        let value = check.optional(value).map(|line| line.0);
        match header.iter().position(|column| column == name.get_ref()) {
            Some(column) => only.push((column, value.unwrap_or_default())),
            None => {
                let help = did_you_mean(name.get_ref(), header.iter().map(String::as_str));
                check.problems.add(&name.span(), format!("`{file}` has no column `{}`", name.get_ref()), help);
            }
        }
    }
    if up.is_some() && down.is_none() {
        let help = "write `down_mbps = \"...\"` in [estate.csv] with the name of the other column";
        check.problems.add(
            csv.file.span(),
            format!("`{file}` has what links carry up, and not what they carry down"),
            help,
        );
    }
    Some(Columns { code: code?, patients: patients?, down, up, rtt, only })
}

/// Faults of a table's rows: the first few in full.
struct Faults {
    source: SourceId,
    file: String,
    shown: usize,
}

impl Faults {
    fn add(&mut self, check: &mut Checker, span: &Range<usize>, title: String, help: &str) {
        const SHOWN: usize = 5;
        self.shown += 1;
        if self.shown <= SHOWN {
            check.problems.add_in(self.source, span, title, help);
        } else if self.shown == SHOWN + 1 {
            let title = format!("and more rows of `{}` have faults", self.file);
            check.problems.add_in(self.source, span, title, "correct those above first");
        }
    }
}

fn site_of(
    row: &::csv::StringRecord,
    columns: &Columns,
    text: &str,
    check: &mut Checker,
    faults: &mut Faults,
) -> Option<SiteRow> {
    let name = visible(row.get(columns.code).unwrap_or_default().trim()).into_owned();
    if SUMS.iter().any(|sum| name.eq_ignore_ascii_case(sum)) {
        let span = field_span(row, columns.code, text);
        let help = "take the row out: it would count every site twice";
        faults.add(check, &span, format!("`{name}` looks like a sum over the rows above, not like a site"), help);
        return None;
    }
    if name.is_empty() {
        let span = field_span(row, columns.code, text);
        faults.add(check, &span, "a row without a site code".to_owned(), "write the code, or take the row out");
        return None;
    }
    let field = row.get(columns.patients).unwrap_or_default();
    let Ok(patients) = field.trim().parse::<u32>() else {
        let span = field_span(row, columns.patients, text);
        let help = "write a whole number, without thousands separators";
        faults.add(check, &span, found(row, columns.patients, "a number of people"), help);
        return None;
    };
    let mut number = |column: Option<usize>, unit: &str| -> Option<f64> {
        let column = column?;
        let field = row.get(column).unwrap_or_default().trim();
        match field.parse::<f64>() {
            Ok(number) if number > 0.0 && number < 1e7 => Some(number),
            _ => {
                let span = field_span(row, column, text);
                faults.add(
                    check,
                    &span,
                    found(row, column, &format!("a number of {unit} above zero")),
                    "write a number above zero, without a unit and without thousands separators",
                );
                None
            }
        }
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // bounded above
    let rate = |mbps: f64| BitRate((mbps * 1e6).round() as u64);
    let down = number(columns.down, "Mbit/s").map(rate);
    let up = number(columns.up, "Mbit/s").map(rate);
    let rtt = number(columns.rtt, "ms").map(|ms| Duration::of_secs(ms / 1e3));
    Some(SiteRow { name, patients, down, up, rtt })
}

/// How sheets name a row of sums.
const SUMS: [&str; 6] = ["total", "totals", "sum", "grand total", "overall", "all"];
