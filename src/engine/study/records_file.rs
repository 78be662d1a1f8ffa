//! The CSV file of every transaction.

use std::io::Write;

use crate::model::{Model, SiteId};
use crate::sim::observer::Record;
use crate::units::is_formula;

/// The file of records, and the names that stand in it.
pub struct RecordWriter<'a> {
    /// The file.
    pub out: &'a mut (dyn Write + Send),
    /// The model whose names are written.
    pub model: &'a Model,
    /// Number of the replication.
    pub replication: u32,
    /// Name of the option.
    pub option: &'a str,
    /// The first error in writing.
    pub fault: Option<std::io::Error>,
}

/// First line of a file of records.
pub const RECORDS_HEADER: &str =
    "replication,option,class,site,concentrator,start_s,latency_s,request_bytes,response_bytes,outcome\n";

impl RecordWriter<'_> {
    pub(super) fn write(&mut self, record: &Record) {
        if self.fault.is_some() {
            return;
        }
        let site = csv_field(&self.model.sites[SiteId::index(record.site)].name);
        let row = writeln!(
            self.out,
            "{},{},{},{},{},{:.6},{:.6},{},{},{}",
            self.replication,
            self.option,
            self.model.classes[record.class.index()].name,
            site,
            self.model.concentrators[record.concentrator.index()].name,
            record.started.secs(),
            record.latency.secs(),
            record.request.0,
            record.response.0,
            record.outcome.name(),
        );
        self.fault = row.err();
    }
}

/// Site codes come from other people's files: quotes them where CSV needs it.
fn csv_field(text: &str) -> std::borrow::Cow<'_, str> {
    let apostrophe = if is_formula(text) { "'" } else { "" };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{apostrophe}{}\"", text.replace('"', "\"\"")).into()
    } else if apostrophe.is_empty() {
        text.into()
    } else {
        format!("{apostrophe}{text}").into()
    }
}
