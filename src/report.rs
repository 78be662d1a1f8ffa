//! The report: what a study found, in a sentence, tables, charts and files. Pure functions from [`Results`] to text.

pub mod answer;
pub mod chart;
pub mod page;
pub mod sheet;
pub mod table;
pub mod tidy;
pub mod words;

use crate::study::results::Results;

/// A table behind a chart: names of the columns, and rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Names of the columns, with units.
    pub head: Vec<String>,
    /// Rows of as many cells.
    pub rows: Vec<Vec<String>>,
}

/// A chart with its finding and its table.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Name of its file, without ending.
    pub name: &'static str,
    /// Its finding.
    pub title: String,
    /// How to read it.
    pub note: String,
    /// The picture.
    pub svg: String,
    /// The numbers behind it.
    pub table: Table,
}

/// Every chart that the results have something to say for.
#[must_use]
pub fn charts(results: &Results) -> Vec<Chart> {
    [
        Some(chart::options::draw(results)),
        Some(chart::utilisation::draw(results)),
        Some(chart::latency::draw(results)),
        chart::waiting::draw(results),
        Some(chart::affected::draw(results)),
        Some(chart::heat::draw(results)),
    ]
    .into_iter()
    .flatten()
    .collect()
}
