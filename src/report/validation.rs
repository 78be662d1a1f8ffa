//! What validation found: the table for the terminal, the page, and the errors that were learnt.

use askama::Template;

use crate::report::chart::validation::{cdf, scatter};
use crate::report::table::columns;
use crate::stats::Interval;
use crate::validate::method::MethodError;
use crate::validate::{ReferenceKind, Replayed, RowVerdict, ValidationRow};

const KINDS: [(ReferenceKind, &str); 3] = [
    (ReferenceKind::Theory, "Against textbooks"),
    (ReferenceKind::Evidence, "Against measured networks"),
    (ReferenceKind::Fidelities, "Flow against packet fidelity"),
];
const HEAD: [&str; 8] = ["case", "figure", "reference", "says", "packet", "flow", "ratio (95 %)", "verdict"];

/// The table, and how many rows hold.
#[must_use]
pub fn table(rows: &[ValidationRow]) -> String {
    let mut text = String::new();
    for (kind, title) in KINDS {
        let mut lines = vec![HEAD.map(str::to_owned).to_vec()];
        lines.extend(rows.iter().filter(|row| row.kind == kind).map(cells));
        if lines.len() > 1 {
            text += &format!("{title}\n{}\n", columns(&lines));
        }
    }
    text + &summary(rows)
}

/// How many rows hold, in a sentence.
#[must_use]
pub fn summary(rows: &[ValidationRow]) -> String {
    let count = |verdict: RowVerdict| rows.iter().filter(|row| row.verdict() == verdict).count();
    let judged = rows.iter().filter(|row| row.bar.is_some()).count();
    format!(
        "{} of {judged} figures are within their bars, {} are beyond by no more than chance explains, {} are beyond.",
        count(RowVerdict::Within),
        count(RowVerdict::Perhaps),
        count(RowVerdict::Beyond)
    )
}

fn cells(row: &ValidationRow) -> Vec<String> {
    let some = |value: Option<f64>| value.map_or_else(String::new, number);
    let case = if row.service.is_empty() { row.case.clone() } else { format!("{} {}", row.case, row.service) };
    vec![
        case,
        row.figure.clone(),
        row.reference.clone(),
        number(row.value),
        some(row.packet),
        some(row.flow),
        ratio(&row.ratio),
        verdict(row),
    ]
}

fn number(value: f64) -> String {
    if value == 0.0 {
        "0".to_owned()
    } else if value.abs() < 0.01 {
        format!("{value:.5}")
    } else {
        format!("{value:.4}")
    }
}

fn ratio(ratio: &Interval) -> String {
    if ratio.half > 0.0 && ratio.half.is_finite() {
        format!("{:.3} ± {:.3}", ratio.mean, ratio.half)
    } else {
        format!("{:.3}", ratio.mean)
    }
}

fn verdict(row: &ValidationRow) -> String {
    let bar = row.bar.map_or_else(String::new, |(low, high)| format!(" ({low:.2} to {high:.2})"));
    match row.verdict() {
        RowVerdict::Within => format!("\u{2713} within{bar}"),
        RowVerdict::Perhaps => format!("~ by chance{bar}"),
        RowVerdict::Beyond => format!("\u{2717} beyond{bar}"),
        RowVerdict::Told => "told".to_owned(),
    }
}

/// A heading, and rows with what marks them.
type Section = (&'static str, Vec<(Vec<String>, &'static str)>);

#[derive(Template)]
#[template(path = "validation.html")]
struct ValidationPage {
    summary: String,
    head: [&'static str; 8],
    sections: Vec<Section>,
    pictures: Vec<(String, String)>,
    version: &'static str,
}

/// The page: scatter of reference against headend, distributions by case, and the whole table.
///
/// # Panics
/// Never: a template that compiles renders to memory.
#[must_use]
pub fn page(rows: &[ValidationRow], replayed: &[Replayed]) -> String {
    let class = |row: &ValidationRow| match row.verdict() {
        RowVerdict::Within => "met",
        RowVerdict::Perhaps => "unsure",
        RowVerdict::Beyond => "missed",
        RowVerdict::Told => "",
    };
    let section = |(kind, title): (ReferenceKind, &'static str)| {
        (title, rows.iter().filter(|row| row.kind == kind).map(|row| (cells(row), class(row))).collect())
    };
    let mut pictures = vec![scatter(rows)];
    pictures.extend(replayed.iter().filter(|one| one.case.warm_up > 0.0).map(cdf));
    let page = ValidationPage {
        summary: summary(rows),
        head: HEAD,
        sections: KINDS.map(section).to_vec(),
        pictures,
        version: env!("CARGO_PKG_VERSION"),
    };
    page.render().expect("a page renders to memory")
}

/// The errors as CSV.
#[must_use]
pub fn errors_csv(errors: &[MethodError]) -> String {
    let mut text = "fidelity,service,load_from,load_to,statistic,low,high,cases\n".to_owned();
    for error in errors {
        text += &format!(
            "{},{},{},{},{},{:.3},{:.3},{}\n",
            error.fidelity,
            error.service,
            error.load_from,
            error.load_to,
            error.statistic,
            error.low,
            error.high,
            error.cases
        );
    }
    text
}
