//! Measurements on networks that are not ours: what was sent, and how long it took there.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use include_dir::{Dir, include_dir};
use serde::Deserialize;
use thiserror::Error;

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/tests/evidence");

/// The classes of the measurements, in order of priority.
pub const CLASSES: [&str; 4] = ["voice", "clinical", "documents", "bulk"];

/// A network that was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// ns-3.37, packet by packet.
    Ns3,
    /// Linux TCP through strongSwan tunnels.
    Testbed,
}

impl Reference {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Ns3, Self::Testbed];

    /// Its name, in tables and as a folder.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ns3 => "ns3",
            Self::Testbed => "testbed",
        }
    }
}

/// How a concentrator served in a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TestbedService {
    /// One queue.
    Fifo,
    /// Voice, clinical, documents, bulk, strictly.
    Priority,
    /// Weights 10, 50, 30 and 10.
    Weighted,
}

impl TestbedService {
    /// Its name, in tables and in file names.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Priority => "prio",
            Self::Weighted => "wfq",
        }
    }

    /// What the suite calls it.
    #[must_use]
    pub fn of_suite(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::Priority => "priority",
            Self::Weighted => "weighted",
        }
    }
}

/// One trace under one order of service, and what was measured of it.
#[derive(Clone, Debug)]
pub struct TraceCase {
    /// Name of the trace.
    pub trace: String,
    /// The order of service.
    pub service: TestbedService,
    /// Throughput of the concentrator towards the sites [bit/s].
    pub throughput: u64,
    /// Its buffer for each queue [B].
    pub buffer: u64,
    /// Calls in progress all the time.
    pub calls: u32,
    /// Transactions that start before are not looked at [s].
    pub warm_up: f64,
    /// What was sent.
    pub sent: Vec<TraceRequest>,
    /// What was measured.
    pub measured: BTreeMap<Reference, Measured>,
}

/// A transaction as it was asked for.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TraceRequest {
    /// When it starts [s].
    pub start_s: f64,
    /// From which site.
    pub site: String,
    /// Of which class.
    pub class: String,
    /// What is asked [B].
    pub request_bytes: u64,
    /// What is answered [B].
    pub response_bytes: u64,
}

/// What one network did with a trace.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// The sites as they were there.
    pub sites: Vec<TestbedSite>,
    /// Latency of each transaction sent [s].
    pub latency: Vec<f64>,
    /// Mean one-way delay of voice packets [s], and the share lost.
    pub voice: Option<(f64, f64)>,
    /// Utilisation in each second.
    pub utilisation: Vec<f64>,
}

/// A site of the measurements.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TestbedSite {
    /// Its name.
    #[serde(rename = "site")]
    pub name: String,
    /// Access rate towards it [Mbit/s].
    pub down_mbps: f64,
    /// Access rate from it [Mbit/s].
    pub up_mbps: f64,
    /// Round trip [ms].
    pub rtt_ms: f64,
}

/// Why evidence cannot be read.
#[derive(Debug, Error)]
#[error("the evidence file {file}: {why}")]
pub struct Unreadable {
    file: String,
    why: String,
}

/// Where evidence lies.
pub enum Store<'a> {
    /// In the program itself.
    Shipped,
    /// In a folder of the same layout.
    Folder(&'a Path),
}

impl Store<'_> {
    fn names(&self, folder: &str) -> Vec<String> {
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let mut names: Vec<String> = match self {
            Self::Shipped => SHIPPED
                .get_dir(folder)
                .map(|folder| folder.files().filter_map(|file| name(file.path())).collect())
                .unwrap_or_default(),
            Self::Folder(root) => std::fs::read_dir(root.join(folder))
                .map(|entries| entries.flatten().filter_map(|entry| name(&entry.path())).collect())
                .unwrap_or_default(),
        };
        names.sort();
        names
    }

    fn read(&self, file: &str) -> Result<Vec<u8>, Unreadable> {
        let wrong = |why: String| Unreadable { file: file.to_owned(), why };
        let bytes = match self {
            Self::Shipped => {
                SHIPPED.get_file(file).ok_or_else(|| wrong("is not there".to_owned()))?.contents().to_vec()
            }
            Self::Folder(root) => std::fs::read(root.join(file)).map_err(|fault| wrong(fault.to_string()))?,
        };
        if Path::new(file).extension().is_none_or(|ending| ending != "gz") {
            return Ok(bytes);
        }
        let mut plain = Vec::new();
        GzDecoder::new(&bytes[..]).read_to_end(&mut plain).map_err(|fault| wrong(fault.to_string()))?;
        Ok(plain)
    }

    fn rows<T: for<'de> Deserialize<'de>>(&self, file: &str) -> Result<Vec<T>, Unreadable> {
        let bytes = self.read(file)?;
        let rows: Result<Vec<T>, _> = csv::Reader::from_reader(&bytes[..]).deserialize().collect();
        rows.map_err(|fault| Unreadable { file: file.to_owned(), why: fault.to_string() })
    }
}

/// Parameters of a run, of either reference; each has its own names for them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Parameters {
    #[serde(rename = "C")]
    rate: Option<f64>,
    rates_mbps: Vec<f64>,
    buf: Option<u64>,
    buf_bytes: Vec<u64>,
    warm: f64,
    voip_calls: u32,
    voip: Voip,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Voip {
    loss: f64,
    owd_mean: f64,
}

#[derive(Clone, Debug, Deserialize)]
struct TraceRow {
    start_s: f64,
    class: String,
    site: String,
    response_bytes: u64,
    latency_s: f64,
}

/// Reads every case that has a measurement.
///
/// # Errors
/// If a file is missing or not what it should be.
pub fn cases(store: &Store<'_>) -> Result<Vec<TraceCase>, Unreadable> {
    let mut cases: BTreeMap<(String, TestbedService), TraceCase> = BTreeMap::new();
    for reference in Reference::ALL {
        for file in store.names(reference.name()) {
            let Some(name) = file.strip_suffix(".tx.csv.gz") else { continue };
            let Some((trace, service)) = split(name) else { continue };
            let path = |ending: &str| format!("{}/{name}.{ending}", reference.name());
            let parameters: Parameters = serde_json::from_slice(&store.read(&path("json"))?)
                .map_err(|fault| Unreadable { file: path("json"), why: fault.to_string() })?;
            let case = match cases.entry((trace.to_owned(), service)) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(case(store, trace, service, &parameters)?)
                }
            };
            let sites = match reference {
                Reference::Ns3 => "sites8b.csv",
                Reference::Testbed => "sites8b_tb.csv",
            };
            let rows: Vec<TraceRow> = store.rows(&path("tx.csv.gz"))?;
            let measured = Measured {
                sites: store.rows(sites)?,
                latency: matched(&mut case.sent, &rows),
                voice: (parameters.voip.owd_mean > 0.0).then_some((parameters.voip.owd_mean, parameters.voip.loss)),
                utilisation: utilisation(store, reference, &path("sec.csv.gz"), case.throughput)?,
            };
            case.measured.insert(reference, measured);
        }
    }
    Ok(cases.into_values().collect())
}

fn split(name: &str) -> Option<(&str, TestbedService)> {
    [TestbedService::Fifo, TestbedService::Priority, TestbedService::Weighted].into_iter().find_map(|service| {
        name.strip_suffix(service.name()).and_then(|name| name.strip_suffix('_')).map(|trace| (trace, service))
    })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // rates of links
fn case(
    store: &Store<'_>,
    trace: &str,
    service: TestbedService,
    parameters: &Parameters,
) -> Result<TraceCase, Unreadable> {
    let rate = parameters.rate.or(parameters.rates_mbps.first().copied()).unwrap_or(20.0);
    Ok(TraceCase {
        trace: trace.to_owned(),
        service,
        throughput: (rate * 1e6) as u64,
        buffer: parameters.buf.or(parameters.buf_bytes.first().copied()).unwrap_or(125_000),
        calls: parameters.voip_calls,
        warm_up: if parameters.warm > 0.0 { 15.0 } else { 0.0 },
        sent: store.rows(&format!("traces/{trace}.csv.gz"))?,
        measured: BTreeMap::new(),
    })
}

/// Latencies in the order of the trace; what was not measured is cut off the trace.
fn matched(sent: &mut Vec<TraceRequest>, rows: &[TraceRow]) -> Vec<f64> {
    sent.truncate(rows.len());
    let mut rows: Vec<&TraceRow> = rows.iter().collect();
    rows.sort_by(|a, b| a.start_s.total_cmp(&b.start_s));
    let same = |sent: &TraceRequest, row: &TraceRow| {
        (sent.start_s - row.start_s).abs() < 1e-5
            && sent.site == row.site
            && sent.class == row.class
            && sent.response_bytes == row.response_bytes
    };
    sent.iter().zip(rows).map(|(sent, row)| if same(sent, row) { row.latency_s } else { f64::NAN }).collect()
}

/// Utilisation by second: bytes charged over what the link could carry.
fn utilisation(store: &Store<'_>, reference: Reference, file: &str, throughput: u64) -> Result<Vec<f64>, Unreadable> {
    let rows: Vec<BTreeMap<String, f64>> = store.rows(file)?;
    if reference == Reference::Ns3 {
        return Ok(rows.iter().map(|row| row.get("util").copied().unwrap_or(f64::NAN)).collect());
    }
    // The testbed counts bytes and packets since the start for each queue; two bytes a packet are charged on top.
    let total = |row: &BTreeMap<String, f64>| -> f64 {
        row.iter()
            .map(|(name, value)| {
                if name.ends_with(":bytes") {
                    *value
                } else if name.ends_with(":pkts") {
                    2.0 * value
                } else {
                    0.0
                }
            })
            .sum()
    };
    #[allow(clippy::cast_precision_loss)] // bits per second
    let most = throughput as f64 / 8.0;
    Ok(rows.windows(2).map(|pair| (total(&pair[1]) - total(&pair[0])) / most).collect())
}

impl TraceCase {
    /// Offered load of the bottleneck, which its name states; zero where it states none.
    #[must_use]
    pub fn load(&self) -> f64 {
        let stated = self.trace.split('_').find_map(|part| part.strip_prefix('r').and_then(|load| load.parse().ok()));
        stated.unwrap_or(0.0)
    }
}
