//! What a file is, told by its beginning.

use crate::telemetry::formats::graphs::{is_prtg, is_solarwinds};
use crate::telemetry::series::HEADER;

/// A kind of export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportKind {
    /// A tidy series, as `import` writes it.
    Series,
    /// JSON of a monitoring system or a cloud.
    Json,
    /// RRDtool's XML.
    RrdXml,
    /// RRDtool's fetch.
    RrdFetch,
    /// RRDtool's xport, as PNP4Nagios exports it.
    RrdCsv,
    /// Cacti's graph export.
    Cacti,
    /// PRTG's historic data.
    Prtg,
    /// PRTG Traffic Grapher's log.
    TrafficGrapher,
    /// Grafana's CSV.
    Grafana,
    /// SolarWinds' interface traffic.
    SolarWinds,
    /// InfluxDB's annotated CSV.
    Influx,
    /// MRTG's log.
    Mrtg,
    /// nfdump's CSV.
    Nfdump,
    /// Zeek's conn.log as JSON lines.
    ZeekJson,
    /// Zeek's conn.log with tabs.
    ZeekTabs,
    /// tshark's conversations.
    Tshark,
    /// ASA's sessions.
    AsaSessions,
    /// Interfaces of ASA and IOS.
    Interfaces,
    /// IOS' security associations.
    IosSas,
    /// strongSwan's security associations.
    StrongSwan,
    /// FortiGate's tunnels, as its command line prints them.
    FortiGate,
    /// ASA's traffic.
    AsaTraffic,
    /// A table with a column of times.
    Table,
}

impl ExportKind {
    /// All kinds.
    pub const ALL: [Self; 23] = [
        Self::Series,
        Self::Json,
        Self::RrdXml,
        Self::RrdFetch,
        Self::RrdCsv,
        Self::Cacti,
        Self::Prtg,
        Self::TrafficGrapher,
        Self::Grafana,
        Self::SolarWinds,
        Self::Influx,
        Self::Mrtg,
        Self::Nfdump,
        Self::ZeekJson,
        Self::ZeekTabs,
        Self::Tshark,
        Self::AsaSessions,
        Self::Interfaces,
        Self::IosSas,
        Self::StrongSwan,
        Self::FortiGate,
        Self::AsaTraffic,
        Self::Table,
    ];
}

/// What a file is by its first characters; none where nothing is known that begins so.
#[must_use]
pub fn kind(head: &str) -> Option<ExportKind> {
    let head = head.trim_start_matches('\u{feff}');
    let body = head.trim_start();
    let first = body.lines().next().unwrap_or("");
    let lower = first.to_lowercase();
    let has = |text: &str| head.contains(text);
    let begins = |text: &str| body.starts_with(text);
    let kind = if first == HEADER {
        ExportKind::Series
    } else if begins("{\"") && has("\"id.orig_h\"") && has("\"id.resp_p\"") {
        ExportKind::ZeekJson
    } else if begins("{")
        || begins("[")
        || (begins("#") && body.lines().nth(1).is_some_and(|line| line.trim_start().starts_with(['{', '['])))
    {
        ExportKind::Json
    } else if has("<xport>") && has("<legend>") {
        ExportKind::RrdXml
    } else if begins("#separator") || has("#fields\tts\t") {
        ExportKind::ZeekTabs
    } else if begins("#group")
        || begins("#datatype")
        || begins("#default")
        || lower.contains("_time") && lower.contains("_value")
    {
        ExportKind::Influx
    } else if lower.starts_with("ts,te,td,") || lower.starts_with("firstseen,duration,") {
        ExportKind::Nfdump
    } else if lower.contains("timecode (seconds since") {
        ExportKind::TrafficGrapher
    } else if body.lines().take(2).any(|line| is_prtg(line) || line.to_lowercase().contains("(raw)")) {
        ExportKind::Prtg
    } else if lower.starts_with("timestamp") && lower.contains("_average") {
        ExportKind::RrdCsv
    } else if is_cacti(head) {
        ExportKind::Cacti
    } else if begins("sep=") || is_grafana(&lower) {
        ExportKind::Grafana
    } else if body.lines().take(6).any(is_solarwinds) {
        ExportKind::SolarWinds
    } else if has("Conversations") && has("<->") {
        ExportKind::Tshark
    } else if has("Session Type: LAN-to-LAN") || (has("Bytes Tx") && has("Bytes Rx")) {
        ExportKind::AsaSessions
    } else if has("#pkts encaps:") {
        ExportKind::IosSas
    } else if has("selectors") && has("remote-gateway:") || begins("list all ipsec tunnel") {
        ExportKind::FortiGate
    } else if has("received (in ") && has("transmitted (in ") {
        ExportKind::AsaTraffic
    } else if has("line protocol is") {
        ExportKind::Interfaces
    } else if has("ESTABLISHED, IKEv") || has("INSTALLED, TUNNEL") || has("list-sa event") {
        ExportKind::StrongSwan
    } else if is_fetch(head) {
        ExportKind::RrdFetch
    } else if is_mrtg(body) {
        ExportKind::Mrtg
    } else if first.contains([',', ';', '\t']) {
        ExportKind::Table
    } else {
        return None;
    };
    Some(kind)
}

/// A preamble of quoted pairs, an empty line, then a quoted header.
fn is_cacti(head: &str) -> bool {
    let lines: Vec<&str> = head.lines().take(14).collect();
    let pairs = lines.iter().take_while(|line| line.starts_with('"') && line.trim() != "\"\"").count();
    pairs >= 5 && lines.get(pairs).is_some_and(|line| ["", "\"\""].contains(&line.trim()))
}

fn is_grafana(first: &str) -> bool {
    let names: Vec<&str> = first.split([',', ';']).map(|name| name.trim().trim_matches('"')).collect();
    // Older ones separate by semicolons, and quote nothing.
    let is_own = |first: &str| first.contains('"') || first.contains(';');
    names.first() == Some(&"time") && is_own(first) || names.starts_with(&["series", "time", "value"])
}

/// Names, an empty line, then `epoch: values`.
fn is_fetch(head: &str) -> bool {
    let mut lines = head.lines().filter(|line| !line.trim().is_empty());
    let header = lines.next().is_some_and(|line| !line.contains([':', ',']));
    let is_row = |line: &str| {
        line.split_once(':').is_some_and(|(at, rest)| {
            at.len() >= 9 && at.bytes().all(|byte| byte.is_ascii_digit()) && rest.starts_with(' ')
        })
    };
    header && lines.next().is_some_and(is_row)
}

/// Three numbers, then lines of five.
fn is_mrtg(body: &str) -> bool {
    let numbers = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_digit())).then_some(words.len())
    };
    let mut lines = body.lines();
    lines.next().and_then(numbers) == Some(3) && lines.next().and_then(numbers) == Some(5)
}
