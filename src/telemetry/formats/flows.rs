//! Records of flows: nfdump, Zeek, tshark. They are read line by line and put into bins at once, so that millions take little memory.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::Arc;

use serde::Deserialize;

use crate::telemetry::clock::{Clock, DayOrder, Stamp, stamp};
use crate::telemetry::formats::values::named;
use crate::telemetry::number::{DecimalSign, measured};
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind};
use crate::telemetry::series::{Amount, Toward};

/// A fault of a line: what is wrong, and the remedy.
pub type FlowFault = (u32, String, String);

/// Sums by class, way and bin.
struct FlowBins {
    bin: f64,
    classes: Vec<Arc<str>>,
    by_name: BTreeMap<String, usize>,
    sums: BTreeMap<(usize, Toward, i64), [f64; 3]>,
    /// Flows so far.
    flows: u64,
}

/// No flow lasts longer [s]: a number of more is something else.
const LONGEST: f64 = 366.0 * 86_400.0;

/// The duration of a flow on a line [s].
fn duration(line: u32, seconds: f64) -> Result<f64, FlowFault> {
    if seconds.is_nan() || seconds > LONGEST {
        let what = format!("a record that lasts {seconds} s: no flow lasts longer than a year");
        return Err((line, what, "look at the line, and take it out where it is wrong".to_owned()));
    }
    Ok(seconds)
}

impl FlowBins {
    fn new(bin: f64) -> Self {
        Self { bin, classes: Vec::new(), by_name: BTreeMap::new(), sums: BTreeMap::new(), flows: 0 }
    }

    fn class(&mut self, name: &str) -> usize {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        self.classes.push(named(name));
        self.by_name.insert(name.to_owned(), self.classes.len() - 1);
        self.classes.len() - 1
    }

    /// Spreads a flow evenly over its time; it counts where it begins.
    fn add(
        &mut self,
        class: usize,
        toward: Toward,
        (begins, seconds): (f64, f64),
        (bytes, packets, flows): (f64, f64, f64),
    ) {
        #[allow(clippy::cast_possible_truncation)] // minutes of this age
        let bin_of = |at: f64| (at / self.bin).floor() as i64;
        let (first, last) = (bin_of(begins), bin_of(begins + seconds.max(0.0)));
        self.flows += 1;
        if first == last || seconds <= 0.0 {
            let sum = self.sums.entry((class, toward, first)).or_default();
            *sum = [sum[0] + bytes, sum[1] + packets, sum[2] + flows];
            return;
        }
        for number in first..=last {
            #[allow(clippy::cast_precision_loss)] // minutes of this age
            let (from, until) = (number as f64 * self.bin, (number + 1) as f64 * self.bin);
            let share = (until.min(begins + seconds) - from.max(begins)) / seconds;
            let sum = self.sums.entry((class, toward, number)).or_default();
            let own = if number == first { flows } else { 0.0 };
            *sum = [sum[0] + bytes * share, sum[1] + packets * share, sum[2] + own];
        }
    }

    fn readings(self, place: &str) -> Vec<Reading> {
        let place = named(place);
        let reading = |((class, toward, number), [bytes, packets, count]): ((usize, Toward, i64), [f64; 3])| Reading {
            place: place.clone(),
            class: self.classes[class].clone(),
            toward,
            line: 0,
            kind: ReadingKind::Passed {
                #[allow(clippy::cast_precision_loss)] // minutes of this age
                begins: number as f64 * self.bin,
                seconds: self.bin,
                amount: Amount { bytes: Some(bytes), packets: Some(packets), count: Some(count), highest: None },
                coverage: 1.0,
            },
        };
        self.sums.clone().into_iter().map(reading).collect()
    }
}

/// The class of a flow by its protocol and the smaller port, and its way: what goes to the smaller port goes up, as servers have it.
fn by_port(protocol: &str, source: u32, destination: u32) -> (String, Toward) {
    let protocol = match protocol {
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        "50" => "esp",
        other => other,
    };
    let (port, toward) = if destination <= source { (destination, Toward::Up) } else { (source, Toward::Down) };
    (format!("{}/{port}", protocol.to_lowercase()), toward)
}

/// Local times of records, each hour's offset looked up once.
struct LocalTimes<'a> {
    clock: &'a Clock,
    /// The text up to the hour, and its instant.
    known: (Vec<u8>, f64),
}

impl LocalTimes<'_> {
    /// `2026-11-28 03:58:30.511` as an instant.
    fn instant(&mut self, text: &[u8]) -> Option<f64> {
        const HOUR: usize = 13;
        let hour = text.get(..HOUR)?;
        if self.known.0 != hour {
            let text = std::str::from_utf8(hour).ok()?;
            let stamp = stamp(&format!("{text}:00"), DayOrder::DayFirst)?;
            let at = self.clock.instants(&[stamp]).ok()?[0];
            self.known = (hour.to_vec(), at);
        }
        let rest = std::str::from_utf8(text.get(HOUR + 1..)?).ok()?;
        let (minute, second) = rest.split_once(':')?;
        Some(self.known.1 + minute.parse::<f64>().ok()? * 60.0 + second.parse::<f64>().ok()?)
    }
}

/// nfdump's CSV, of both layouts.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn nfdump(source: impl BufRead, context: &Context<'_>) -> Result<Found, FlowFault> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
    let broken = |fault: csv::Error| (1, format!("it is no CSV: {fault}"), "export it again".to_owned());
    let header: Vec<String> = reader.headers().map_err(broken)?.iter().map(|name| name.trim().to_owned()).collect();
    let at = |names: [&str; 2]| header.iter().position(|name| names.contains(&name.as_str()));
    let columns = [
        at(["ts", "firstSeen"]),
        at(["td", "duration"]),
        at(["pr", "proto"]),
        at(["sp", "srcPort"]),
        at(["dp", "dstPort"]),
        at(["ipkt", "packets"]),
        at(["ibyt", "bytes"]),
    ];
    let [Some(begins), Some(lasts), Some(protocol), Some(source), Some(destination), Some(packets), Some(bytes)] =
        columns
    else {
        let help = "write it with `nfdump -o csv`, without a format of your own";
        return Err((
            1,
            "nfdump's columns of time, protocol, ports, packets or bytes are missing".to_owned(),
            help.to_owned(),
        ));
    };
    let flows = at(["flows", "fl"]);
    let mut times = LocalTimes { clock: context.clock, known: (Vec::new(), 0.0) };
    let mut bins = FlowBins::new(context.bin);
    let mut record = csv::ByteRecord::new();
    let mut classes: BTreeMap<(Vec<u8>, u32, u32), (usize, Toward)> = BTreeMap::new();
    while reader.read_byte_record(&mut record).map_err(broken)? {
        let cell = |column: usize| record.get(column).map_or(&b""[..], <[u8]>::trim_ascii);
        if cell(0).starts_with(b"Summary") || cell(0).starts_with(b"No matched") {
            break;
        }
        let number = |column: usize| std::str::from_utf8(cell(column)).ok().and_then(|text| text.parse::<f64>().ok());
        let found = times.instant(cell(begins)).zip(number(lasts)).zip(number(bytes).zip(number(packets)));
        let line = || record.position().map_or(0, |position| u32::try_from(position.line()).unwrap_or(u32::MAX));
        let Some((when, (bytes, packets))) = found else {
            return Err((
                line(),
                "a record whose time, duration, packets or bytes is none".to_owned(),
                "the file may be cut short: export it again".to_owned(),
            ));
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a port
        let port = |column: usize| number(column).unwrap_or(0.0) as u32;
        let (from, to) = (port(source), port(destination));
        let class = match classes.get(&(cell(protocol).to_vec(), from, to)) {
            Some(known) => *known,
            None => {
                let (name, toward) = by_port(&String::from_utf8_lossy(cell(protocol)), from, to);
                let class = (bins.class(&name), toward);
                if classes.len() < 100_000 {
                    classes.insert((cell(protocol).to_vec(), from, to), class);
                }
                class
            }
        };
        let when = (when.0, duration(line(), when.1)?);
        bins.add(class.0, class.1, when, (bytes, packets, flows.and_then(number).unwrap_or(1.0)));
    }
    let known = vec![
        format!("{} flows, each spread over its duration", bins.flows),
        format!("times are those of the machine that ran nfdump; {}", context.clock.said()),
        "classes by protocol and the smaller port; what goes to it is up".to_owned(),
    ];
    Ok(Found { format: "nfdump, CSV", known, readings: bins.readings(context.stem), ..Found::default() })
}

/// A connection of Zeek as JSON.
#[derive(Deserialize)]
struct ZeekConnection<'a> {
    ts: serde_json::Value,
    proto: Option<&'a str>,
    service: Option<std::borrow::Cow<'a, str>>,
    duration: Option<f64>,
    #[serde(rename = "id.resp_p")]
    port: Option<u32>,
    orig_pkts: Option<f64>,
    orig_ip_bytes: Option<f64>,
    resp_pkts: Option<f64>,
    resp_ip_bytes: Option<f64>,
}

fn zeek_known(bins: FlowBins, long: u64, context: &Context<'_>) -> Found {
    let known = vec![
        format!("{} connections, bytes of IP packets, each spread over its duration; times are UTC", bins.flows),
        "who opened the connection sends up; classes by service, else by port".to_owned(),
    ];
    let mut found =
        Found { format: "Zeek, conn.log", known, readings: bins.readings(context.stem), ..Found::default() };
    if long > 0 {
        found.warnings.push(format!("{long} connections last for more than an hour: each is written when it ends, so the last hours lack those that go on"));
    }
    found
}

/// Zeek's conn.log as JSON lines.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn zeek_json(source: impl BufRead, context: &Context<'_>) -> Result<Found, FlowFault> {
    let (mut bins, mut long) = (FlowBins::new(context.bin), 0);
    for (place, line) in source.lines().enumerate() {
        let number = u32::try_from(place + 1).unwrap_or(u32::MAX);
        let wrong = |what: String| (number, what, "the file may be cut short: export it again".to_owned());
        let line = line.map_err(|fault| wrong(fault.to_string()))?;
        if line.trim().is_empty() {
            continue;
        }
        let one: ZeekConnection<'_> = serde_json::from_str(&line).map_err(|fault| wrong(fault.to_string()))?;
        let begins = match &one.ts {
            serde_json::Value::Number(at) => at.as_f64(),
            serde_json::Value::String(text) => match stamp(text, DayOrder::DayFirst) {
                Some(Stamp::Instant(at)) => Some(at),
                _ => None,
            },
            _ => None,
        };
        let begins = begins.ok_or_else(|| wrong("a connection without a time".to_owned()))?;
        let name = one
            .service
            .as_deref()
            .map_or_else(|| format!("{}/{}", one.proto.unwrap_or("ip"), one.port.unwrap_or(0)), str::to_owned);
        let class = bins.class(&name);
        let when = (begins, duration(number, one.duration.unwrap_or(0.0))?);
        long += u64::from(when.1 > 3600.0);
        bins.add(class, Toward::Up, when, (one.orig_ip_bytes.unwrap_or(0.0), one.orig_pkts.unwrap_or(0.0), 1.0));
        bins.add(class, Toward::Down, when, (one.resp_ip_bytes.unwrap_or(0.0), one.resp_pkts.unwrap_or(0.0), 0.0));
        bins.flows -= 1;
    }
    Ok(zeek_known(bins, long, context))
}

/// Zeek's conn.log with tabs.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn zeek_tabs(mut source: impl BufRead, context: &Context<'_>) -> Result<Found, FlowFault> {
    let (mut bins, mut long) = (FlowBins::new(context.bin), 0);
    let mut columns: Option<[usize; 9]> = None;
    let (mut line, mut number) = (String::new(), 0_u32);
    loop {
        line.clear();
        number += 1;
        let wrong = |what: String| (number, what, "the file may be cut short: export it again".to_owned());
        if source.read_line(&mut line).map_err(|fault| wrong(fault.to_string()))? == 0 {
            break;
        }
        let text = line.trim_end_matches(['\n', '\r']);
        if let Some(fields) = text.strip_prefix("#fields\t") {
            let names: Vec<&str> = fields.split('\t').collect();
            let wanted = [
                "ts",
                "proto",
                "service",
                "duration",
                "id.resp_p",
                "orig_pkts",
                "orig_ip_bytes",
                "resp_pkts",
                "resp_ip_bytes",
            ];
            let places: Option<Vec<usize>> =
                wanted.iter().map(|name| names.iter().position(|other| other == name)).collect();
            let help = "write conn.log with Zeek's own columns; this one lacks some of them";
            let places = places.ok_or_else(|| (number, "no conn.log of Zeek".to_owned(), help.to_owned()))?;
            columns = places.try_into().ok();
            continue;
        }
        if text.starts_with('#') || text.is_empty() {
            continue;
        }
        let Some(places) = columns else { return Err(wrong("a record before `#fields`".to_owned())) };
        let cells: Vec<&str> = text.split('\t').collect();
        let cell = |which: usize| cells.get(places[which]).copied().filter(|cell| !["-", "(empty)", ""].contains(cell));
        let value = |which: usize| cell(which).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        let begins: f64 = cell(0)
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| wrong("a connection without a time".to_owned()))?;
        let class = match cell(2) {
            Some(service) => bins.class(service),
            None => bins.class(&format!("{}/{}", cell(1).unwrap_or("ip"), cell(4).unwrap_or("0"))),
        };
        let when = (begins, duration(number, value(3))?);
        long += u64::from(when.1 > 3600.0);
        bins.add(class, Toward::Up, when, (value(6), value(5), 1.0));
        bins.add(class, Toward::Down, when, (value(8), value(7), 0.0));
        bins.flows -= 1;
    }
    Ok(zeek_known(bins, long, context))
}

/// tshark's table of conversations. Its times are relative to the first packet.
///
/// # Errors
/// A line with a sentence and its remedy.
pub fn tshark(text: &str, context: &Context<'_>) -> Result<Found, FlowFault> {
    let mut bins = FlowBins::new(context.bin);
    let start = context.taken.unwrap_or(0.0);
    // TCP conversations where there are any: those of IP are their sums.
    let begins = text.find("TCP Conversations").unwrap_or(0);
    let (before, section) = text.split_at(begins);
    let first = u32::try_from(before.lines().count()).unwrap_or(u32::MAX);
    for (line, number) in section.lines().zip(first.saturating_add(1)..).filter(|(line, _)| line.contains("<->")) {
        let Some((from, rest)) = line.split_once("<->") else { continue };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let port =
            |address: &str| address.trim().rsplit(':').next().and_then(|port| port.parse::<u32>().ok()).unwrap_or(0);
        // ADDRESS, then frames, bytes and, in newer ones, their unit, three times, then start and duration.
        let (to, ways, [begins, seconds]) = match words[..] {
            [to, back, back_bytes, forth, forth_bytes, _, _, begins, seconds] => {
                (to, [(back, back_bytes, "bytes"), (forth, forth_bytes, "bytes")], [begins, seconds])
            }
            [to, back, back_bytes, back_unit, forth, forth_bytes, forth_unit, .., begins, seconds] => {
                (to, [(back, back_bytes, back_unit), (forth, forth_bytes, forth_unit)], [begins, seconds])
            }
            _ => continue,
        };
        let [(back, back_bytes, back_unit), (forth, forth_bytes, forth_unit)] = ways;
        let bytes = |value: &str, unit: &str| {
            let exact = value.parse::<f64>().ok().filter(|_| unit.starts_with("byte"));
            exact.or_else(|| {
                measured(&format!("{value} {unit}"), DecimalSign::Point).map(|(value, unit)| value * unit.bytes)
            })
        };
        let lasts = duration(number, seconds.parse().unwrap_or(0.0))?;
        let when = (start + begins.parse::<f64>().unwrap_or(0.0), lasts);
        let (name, toward) = by_port("tcp", port(from), port(to));
        let class = bins.class(&name);
        let other = if toward == Toward::Up { Toward::Down } else { Toward::Up };
        let frames = |text: &str| text.parse::<f64>().unwrap_or(0.0);
        bins.add(class, toward, when, (bytes(forth_bytes, forth_unit).unwrap_or(0.0), frames(forth), 1.0));
        bins.add(class, other, when, (bytes(back_bytes, back_unit).unwrap_or(0.0), frames(back), 0.0));
    }
    let mut found =
        Found { format: "tshark, conversations", readings: bins.readings(context.stem), ..Found::default() };
    found.known = vec![
        "times are relative: the capture is taken to begin when the file was written (`--taken` says otherwise)"
            .to_owned(),
    ];
    found
        .warnings
        .push("sizes are rounded, and frames of a machine that lets its card cut them are no packets".to_owned());
    Ok(found)
}
