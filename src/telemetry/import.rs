//! `import`: files of monitoring systems become one tidy series, and every file is told what it was taken for.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use crate::disk;
use crate::scenario::problem::Problems;
use crate::telemetry::clock::Clock;
use crate::telemetry::formats::{book, columns, devices, flows, fortigate, graphs, json, meraki, rrd};
use crate::telemetry::number::{DecimalSign, Unit};
use crate::telemetry::overlap::{Tidied, joined};
use crate::telemetry::reading::{ColumnRole, Context, Found, ReadingKind, Side};
use crate::telemetry::recognise::{ExportKind, kind};
use crate::telemetry::series::{self, SeriesRow, Toward};
use crate::telemetry::tidy::tidy;

/// How files are to be read.
#[derive(Clone, Debug)]
pub struct ImportTerms {
    /// The zone of times that carry none.
    pub clock: Clock,
    /// Where the devices stand.
    pub side: Side,
    /// When pictures of the present were taken [s since 1970, UTC], in place of the times of the files: one for all, or one for
    /// each.
    pub taken: Vec<f64>,
    /// Length of the intervals into which flows are put [s].
    pub bin: f64,
    /// Unit of values whose file does not say it.
    pub unit: Option<Unit>,
    /// The sign between whole and part of numbers that could be read either way.
    pub decimal: Option<DecimalSign>,
    /// The way of values whose file does not say it.
    pub direction: Option<Toward>,
    /// What columns of a table are, where their names do not say it: (what, name).
    pub columns: Vec<(ColumnRole, String)>,
    /// Places by the names that files give them: where it is, and which class.
    pub names: BTreeMap<String, (String, Option<String>)>,
}

impl ImportTerms {
    /// As files of a headend are read where nobody says more.
    #[must_use]
    pub fn usual(clock: Clock) -> Self {
        Self {
            clock,
            side: Side::Hub,
            taken: Vec::new(),
            bin: 300.0,
            unit: None,
            decimal: None,
            direction: None,
            columns: Vec::new(),
            names: BTreeMap::new(),
        }
    }

    /// What a file of this name is read with.
    fn context<'a>(&'a self, stem: &'a str) -> Context<'a> {
        Context {
            stem,
            clock: &self.clock,
            side: self.side,
            taken: self.taken.first().copied(),
            bin: self.bin,
            unit: self.unit,
            decimal: self.decimal,
            columns: &self.columns,
        }
    }
}

/// What became of a file.
#[derive(Clone, Debug)]
pub struct ImportedFile {
    /// Its path, as it was given.
    pub path: String,
    /// What it was taken for, and how that is known.
    pub found: Found,
}

/// The beginning of a file that tells what it is [byte].
const HEAD: usize = 65_536;

/// What files say, and their series.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// What became of each.
    pub files: Vec<ImportedFile>,
    /// The rows of all.
    pub rows: Vec<SeriesRow>,
    /// What of them was left out, a sentence each.
    pub notes: Vec<String>,
}

/// Reads files.
///
/// # Errors
/// The faults of each file that cannot be read, whole; or what files say against each other.
pub fn import(paths: &[&Path], terms: &ImportTerms) -> Result<Imported, Vec<String>> {
    let (mut files, mut readings, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    let mut rows = Vec::new();
    for (number, path) in paths.iter().enumerate() {
        let name: Arc<str> = Arc::from(disk::shown(Path::new(path.file_name().unwrap_or_default())));
        let taken = terms.taken.get(number).or(terms.taken.first()).copied();
        match file(path, terms, taken, &name) {
            Ok((mut found, own)) => {
                rows.extend(own);
                for mut reading in std::mem::take(&mut found.readings) {
                    if let Some(direction) = terms.direction.filter(|_| reading.toward == Toward::Both) {
                        reading.toward = direction;
                    }
                    readings.push((name.clone(), reading));
                }
                files.push(ImportedFile { path: disk::shown(path), found });
            }
            Err(fault) => faults.push(fault),
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    let of_counters: BTreeSet<Arc<str>> =
        files.iter().filter(|file| is_of_counters(&file.found)).map(|file| Arc::from(file_name(&file.path))).collect();
    for (_, reading) in &mut readings {
        if let Some((place, class)) = terms.names.get(&*reading.place) {
            reading.place = Arc::from(place.as_str());
            reading.class = class.as_ref().map_or_else(|| reading.class.clone(), |class| Arc::from(class.as_str()));
        }
    }
    let is_of_series = !rows.is_empty();
    let mut tidied = tidy(readings, &of_counters);
    if is_of_series {
        rows.append(&mut tidied.rows);
        let both = joined(rows);
        tidied = Tidied {
            notes: [tidied.notes, both.notes].concat(),
            conflicts: [tidied.conflicts, both.conflicts].concat(),
            ..both
        };
    }
    if !tidied.conflicts.is_empty() {
        return Err(tidied.conflicts.iter().take(CONFLICTS).map(|what| conflict(what)).collect());
    }
    Ok(Imported { files, rows: tidied.rows, notes: tidied.notes })
}

/// So many conflicts are shown: others are of the same kind.
const CONFLICTS: usize = 3;

fn conflict(what: &str) -> String {
    let help = "if these are two things, export them with names that differ, or import each by itself with `--map`; if one, leave one \
                out. Pictures of the present that have the same file time need one `--taken` each";
    format!("error: {what}\n  = help: {help}")
}

/// Whether what monitoring exports there was made of counters, which a restart turns into a value that cannot be true.
fn is_of_counters(found: &Found) -> bool {
    const MAKERS: [&str; 9] =
        ["RRDtool", "LibreNMS", "Cacti", "PRTG", "Prometheus", "Zabbix", "Grafana", "SolarWinds", "MRTG"];
    MAKERS.iter().any(|maker| found.format.starts_with(maker))
}

/// The last part of a path.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A file as text from its beginning, unpacked where it is packed.
fn opened(path: &Path) -> std::io::Result<Box<dyn BufRead>> {
    disk::check_regular(path)?;
    let mut file = BufReader::with_capacity(1 << 20, std::fs::File::open(path)?);
    let is_packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    Ok(if is_packed { Box::new(BufReader::with_capacity(1 << 20, MultiGzDecoder::new(file))) } else { Box::new(file) })
}

/// What one file says; the rows of one that is a tidy series already.
fn file(
    path: &Path,
    terms: &ImportTerms,
    taken: Option<f64>,
    name: &Arc<str>,
) -> Result<(Found, Vec<SeriesRow>), String> {
    let shown = disk::shown(path);
    let unread = |fault: std::io::Error| {
        format!("error: cannot read {shown}: {fault}\n  = help: check the path, and that it is a file that may be read")
    };
    let mut source = opened(path).map_err(unread)?;
    let head = source.fill_buf().map_err(unread)?;
    if book::is_book(head) {
        let mut bytes = Vec::new();
        source.take(MOST).read_to_end(&mut bytes).map_err(unread)?;
        let text = book::text(&bytes).map_err(|(title, help)| problem(&shown, "", (1, title, help)))?;
        source = Box::new(Cursor::new(text.into_bytes()));
    }
    let head = source.fill_buf().map_err(unread)?;
    let head = decoded(&head[..head.len().min(HEAD)]);
    let kind = if terms.columns.is_empty() { kind(&head) } else { Some(ExportKind::Table) };
    let Some(kind) = kind else {
        return Err(problem(
            &shown,
            &head,
            (
                1,
                "this is no export of a kind that is known".to_owned(),
                "export it as CSV with a column of times; `headend import --help` lists what is known".to_owned(),
            ),
        ));
    };
    let stem = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let stem = stem.split('.').next().unwrap_or(&stem).to_owned();
    let written = std::fs::metadata(path).and_then(|about| about.modified()).ok();
    let written = written.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok()).map(|since| since.as_secs_f64());
    let context = Context { taken: taken.or(written), ..terms.context(&stem) };
    if let Some(flows) = flows_of(kind, &mut source, &context) {
        let flows = flows.map_err(|fault| problem(&shown, &line_of(path, fault.0), fault));
        return flows.and_then(|found| said(found, &shown)).map(|found| (found, Vec::new()));
    }
    let mut bytes = Vec::new();
    source.take(MOST + 1).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() as u64 > MOST {
        return Err(unread(std::io::Error::other("it has more than 128 MB")));
    }
    let text = decoded(&bytes);
    if kind == ExportKind::Series {
        let rows = series::read(text.trim_start_matches('\u{feff}'), name);
        let found = Found { format: "a tidy series, as `headend import` writes it", ..Found::default() };
        return rows.map(|rows| (found, rows)).map_err(|fault| problem(&shown, &text, fault));
    }
    let mut found = text_of(kind, &text, &context).map_err(|fault| problem(&shown, &text, fault))?;
    mark_recent(&mut found, context.taken);
    Ok((said(found, &shown)?, Vec::new()))
}

/// What was found, if anything was: a file of a known kind that says nothing is another one, or an empty one.
fn said(found: Found, shown: &str) -> Result<Found, String> {
    if !found.readings.is_empty() || found.format == meraki::LOSS {
        return Ok(found);
    }
    let notes: Vec<&str> = found.warnings.iter().map(String::as_str).collect();
    let more = if notes.is_empty() { String::new() } else { format!("\n  = note: {}", notes.join("\n  = note: ")) };
    let help =
        "check that the query or the command has an answer; “headend import --help” lists what is known of each kind";
    Err(format!(
        "error: {shown} begins as {} does, but holds nothing that counts traffic{more}\n  = help: {help}",
        found.format
    ))
}

/// The rows of bytes that are taken for an export of a kind, whatever they begin with; none where they are none.
#[must_use]
pub fn taken_for(kind: ExportKind, bytes: &[u8], terms: &ImportTerms) -> Vec<SeriesRow> {
    let name: Arc<str> = Arc::from("export");
    let context = terms.context("export");
    let text = decoded(bytes);
    let found = flows_of(kind, &mut Cursor::new(bytes), &context).unwrap_or_else(|| text_of(kind, &text, &context));
    let readings = found.map_or(Vec::new(), |found| found.readings);
    tidy(readings.into_iter().map(|reading| (name.clone(), reading)).collect(), &BTreeSet::from([name.clone()])).rows
}

/// What flow records say, which are read row by row; none for other kinds.
fn flows_of(
    kind: ExportKind,
    source: &mut dyn BufRead,
    context: &Context<'_>,
) -> Option<Result<Found, (u32, String, String)>> {
    match kind {
        ExportKind::Nfdump => Some(flows::nfdump(source, context)),
        ExportKind::ZeekJson => Some(flows::zeek_json(source, context)),
        ExportKind::ZeekTabs => Some(flows::zeek_tabs(source, context)),
        _ => None,
    }
}

/// Marks intervals that were not over, or not yet filled, when the export was taken: Meraki fills its newest ones late.
fn mark_recent(found: &mut Found, taken: Option<f64>) {
    /// Within this time before the export they are not complete [s].
    const LATE: f64 = 1500.0;
    let slack = if found.format.starts_with("Cisco Meraki") { LATE } else { 0.0 };
    let Some(taken) = taken else { return };
    let mut marked = 0_u32;
    for reading in &mut found.readings {
        if let ReadingKind::Passed { begins, seconds, coverage, .. } = &mut reading.kind {
            let is_recent = *begins + *seconds > taken - slack && *begins < taken;
            if is_recent && *seconds < 86_400.0 {
                *coverage = 0.0;
                marked += 1;
            }
        }
    }
    if marked > 0 {
        found.warnings.push(format!(
            "{marked} of the newest intervals were not complete when this was exported: marked as partial, and not used"
        ));
    }
}

/// Largest text that is read whole [byte].
const MOST: u64 = 128 << 20;

/// What a text of a kind says.
fn text_of(kind: ExportKind, text: &str, context: &Context<'_>) -> Result<Found, (u32, String, String)> {
    let other = |format: &str| {
        (1, format!("this begins as {format} does, and is none"), "export it again; it may be cut short".to_owned())
    };
    match kind {
        ExportKind::Json => json::read(text, context).map_err(|(title, help)| (1, title, help)),
        ExportKind::RrdXml => rrd::read_xml(text, context).ok_or_else(|| other("RRDtool's XML")),
        ExportKind::RrdFetch => rrd::read_fetch(text, context).ok_or_else(|| other("RRDtool's fetch")),
        ExportKind::RrdCsv => rrd::read_csv(text, context),
        ExportKind::Cacti => graphs::cacti(text, context),
        ExportKind::Prtg => graphs::prtg(text, context),
        ExportKind::TrafficGrapher => graphs::traffic_grapher(text, context),
        ExportKind::Grafana => graphs::grafana(text, context),
        ExportKind::SolarWinds => graphs::solarwinds(text, context),
        ExportKind::Influx => graphs::influx(text, context),
        ExportKind::Mrtg => graphs::mrtg(text, context),
        ExportKind::Tshark => flows::tshark(text, context),
        ExportKind::AsaSessions => Ok(devices::asa_sessions(text, context)),
        ExportKind::Interfaces => Ok(devices::interfaces(text, context)),
        ExportKind::IosSas => Ok(devices::ios_sas(text, context)),
        ExportKind::StrongSwan => Ok(devices::strongswan(text, context)),
        ExportKind::FortiGate => Ok(fortigate::read_text(text, context)),
        ExportKind::AsaTraffic => Ok(devices::asa_traffic(text, context)),
        ExportKind::Series | ExportKind::Table | ExportKind::Nfdump | ExportKind::ZeekJson | ExportKind::ZeekTabs => {
            columns::read(text, context)
        }
    }
}

/// Bytes as text: in the encoding that their mark says, else UTF-8, else as Windows writes western Europe's letters.
fn decoded(bytes: &[u8]) -> String {
    if encoding_rs::Encoding::for_bom(bytes).is_some() {
        return encoding_rs::UTF_8.decode(bytes).0.into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // A head may end within a letter.
        Err(fault) if bytes.len() - fault.valid_up_to() < 4 => {
            String::from_utf8_lossy(&bytes[..fault.valid_up_to()]).into_owned()
        }
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// A fault of a line, as a person reads it.
fn problem(shown: &str, text: &str, (line, title, help): (u32, String, String)) -> String {
    let mut problems = Problems::new(shown, text);
    let start: usize = text.split_inclusive('\n').take(line.saturating_sub(1) as usize).map(str::len).sum();
    let end = text[start..].find(['\r', '\n']).map_or(text.len(), |at| start + at);
    problems.add(&(start..end.min(start + 120)), title, help);
    problems.show(false)
}

/// A text of which this line alone is there.
fn line_of(path: &Path, line: u32) -> String {
    let before = line.saturating_sub(1) as usize;
    let found = opened(path).ok().and_then(|source| source.lines().nth(before)?.ok());
    "\n".repeat(before) + &found.unwrap_or_default()
}
