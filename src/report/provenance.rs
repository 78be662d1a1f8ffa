//! How a result came about, and what a page shows beside it.

use crate::report::drawn::Chart;

/// What a page says of how it came about.
#[derive(Clone, Debug)]
pub struct Provenance {
    /// Version of the program.
    pub version: String,
    /// The command that makes the same page again.
    pub command: String,
    /// SHA-256 of the scenario's text.
    pub hash: String,
}

/// A chart as the page shows it, and whether it stands among the first.
pub(crate) struct Shown<'a> {
    pub chart: &'a Chart,
    pub svg: String,
    pub first: bool,
}
