//! What devices print: Cisco ASA and IOS, strongSwan. Counters at one instant.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::telemetry::formats::values::named;
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::{Amount, Toward};

fn line_of(place: usize) -> u32 {
    u32::try_from(place + 1).unwrap_or(u32::MAX)
}

/// The number after a label such as `Bytes Tx     : 48484156`.
fn after<'a>(line: &'a str, label: &str) -> Option<&'a str> {
    let rest = &line[line.find(label)? + label.len()..];
    rest.trim_start().strip_prefix(':').map(|rest| rest.split("  ").next().unwrap_or(rest).trim())
}

/// ASA, `show vpn-sessiondb detail l2l`: bytes of each session since its login.
#[must_use]
pub fn asa_sessions(text: &str, context: &Context<'_>) -> Found {
    let mut found = Found { format: "Cisco ASA, show vpn-sessiondb", ..Found::default() };
    let taken = context.taken.unwrap_or(0.0);
    let mut session: Option<(Arc<str>, u32, [Option<f64>; 2])> = None;
    for (place, line) in text.lines().enumerate() {
        if let Some(name) = after(line, "Connection") {
            session = Some((named(name), line_of(place), [None, None]));
        }
        // The first bytes after a connection are the session's; those of its security associations follow.
        if let Some((_, _, bytes)) = &mut session
            && bytes[0].is_none()
            && let Some(sent) = after(line, "Bytes Tx").and_then(|text| text.parse().ok())
        {
            *bytes = [Some(sent), after(line, "Bytes Rx").and_then(|text| text.parse().ok())];
        }
        if let Some(lasts) = after(line, "Duration").and_then(duration)
            && let Some((name, line, [sent, received])) = session.take()
        {
            for (bytes, toward) in [(sent, context.side.sent()), (received, context.side.received())] {
                let kind = ReadingKind::Counted {
                    at: taken,
                    amount: bytes.map_or(Amount::default(), Amount::of_bytes),
                    life: named(""),
                    since: Some(taken - lasts),
                    is_short: true,
                };
                found.readings.push(Reading { place: name.clone(), class: all(), toward, line, kind });
            }
        }
    }
    found.known = vec![
        "bytes of each session since its login; those of its security associations are in it".to_owned(),
        context.side.said(),
    ];
    found
}

/// `6:16:26`, or `0d 6h:16m:26s`, in seconds.
fn duration(text: &str) -> Option<f64> {
    let numbers: Vec<f64> = text
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .map(|part| part.parse().ok())
        .collect::<Option<_>>()?;
    match numbers[..] {
        [days, hours, minutes, seconds] => Some(((days * 24.0 + hours) * 60.0 + minutes) * 60.0 + seconds),
        [hours, minutes, seconds] => Some((hours * 60.0 + minutes) * 60.0 + seconds),
        _ => None,
    }
}

/// `show interface` of ASA and IOS: counters since the last clearing, and rates of the last minutes.
#[must_use]
pub fn interfaces(text: &str, context: &Context<'_>) -> Found {
    let mut found = Found { format: "Cisco, show interface", ..Found::default() };
    let (at, mut place, mut counted) = (context.taken.unwrap_or(0.0), named(context.stem), [false; 2]);
    for (number, line) in text.lines().enumerate() {
        if !line.starts_with(' ') && line.contains("line protocol is") {
            let name = line.trim_start_matches("Interface ").split_whitespace().next().unwrap_or("interface");
            let alias = line.split('"').nth(1).map_or(String::new(), |alias| format!(" {alias}"));
            (place, counted) = (named(&format!("{name}{alias}")), [false; 2]);
        }
        let words: Vec<&str> = line.split([' ', ',']).filter(|word| !word.is_empty()).collect();
        // `301005604249 packets input, 389700154021690 bytes`
        let [packets, "packets", way, bytes, "bytes", ..] = words[..] else { continue };
        let which = usize::from(way == "output");
        let toward = if way == "input" { context.side.received() } else { context.side.sent() };
        let (Ok(packets), Ok(bytes)) = (packets.parse::<f64>(), bytes.parse::<f64>()) else { continue };
        // ASA says it twice: first the hardware, whose bytes are 0, then the traffic.
        if counted[which] {
            found.readings.retain(|reading| reading.place != place || reading.toward != toward);
        }
        counted[which] = true;
        let amount = Amount { bytes: Some(bytes), packets: Some(packets), ..Amount::default() };
        let kind = ReadingKind::Counted { at, amount, life: named(""), since: None, is_short: false };
        found.readings.push(Reading { place: place.clone(), class: all(), toward, line: line_of(number), kind });
    }
    found.known = vec!["bytes and packets since the counters were cleared".to_owned(), context.side.said()];
    found
        .warnings
        .push("two files of different times make an interval; a sub-interface repeats what its port counts".to_owned());
    found
}

/// ASA, `show traffic`: what passed each interface since the counters were cleared.
#[must_use]
pub fn asa_traffic(text: &str, context: &Context<'_>) -> Found {
    let mut found = Found { format: "Cisco ASA, show traffic", ..Found::default() };
    let (at, mut place, mut way) = (context.taken.unwrap_or(0.0), named(context.stem), None);
    for (number, line) in text.lines().enumerate() {
        if !line.starts_with([' ', '\t']) && line.trim_end().ends_with(':') {
            place = named(line.trim_end().trim_end_matches(':'));
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [way_said @ ("received" | "transmitted"), "(in", seconds, ..] => {
                let toward = if way_said == "received" { context.side.received() } else { context.side.sent() };
                way = seconds.parse::<f64>().ok().map(|seconds| (toward, seconds));
            }
            // `540000 packets  398800000 bytes`
            [packets, "packets", bytes, "bytes"] => {
                let (Some((toward, seconds)), Ok(packets), Ok(bytes)) = (way.take(), packets.parse(), bytes.parse())
                else {
                    continue;
                };
                let amount = Amount { bytes: Some(bytes), packets: Some(packets), ..Amount::default() };
                let since = at - seconds;
                let kind = ReadingKind::Counted { at, amount, life: named(""), since: Some(since), is_short: false };
                found.readings.push(Reading {
                    place: place.clone(),
                    class: all(),
                    toward,
                    line: line_of(number),
                    kind,
                });
            }
            _ => {}
        }
    }
    found.known = vec!["bytes and packets since the counters were cleared, for how long the file says".to_owned()];
    found.known.push(context.side.said());
    found
}

/// IOS, `show crypto ipsec sa`: packets of each peer, all its selectors together, and no bytes.
#[must_use]
pub fn ios_sas(text: &str, context: &Context<'_>) -> Found {
    let mut found = Found { format: "Cisco IOS, show crypto ipsec sa", ..Found::default() };
    let (at, mut place) = (context.taken.unwrap_or(0.0), named(context.stem));
    let mut sums: BTreeMap<(Arc<str>, Toward), (u32, f64)> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(peer) = line.strip_prefix("current_peer") {
            place = named(peer.trim_start_matches(':').split_whitespace().next().unwrap_or("peer"));
        }
        for (label, toward) in [("#pkts encaps:", context.side.sent()), ("#pkts decaps:", context.side.received())] {
            let packets = line.strip_prefix(label).and_then(|rest| rest.split(',').next()?.trim().parse::<f64>().ok());
            let Some(packets) = packets else { continue };
            sums.entry((place.clone(), toward)).or_insert((line_of(number), 0.0)).1 += packets;
        }
    }
    for ((place, toward), (line, packets)) in sums {
        let amount = Amount { packets: Some(packets), ..Amount::default() };
        let kind = ReadingKind::Counted { at, amount, life: named(""), since: None, is_short: false };
        found.readings.push(Reading { place, class: all(), toward, line, kind });
    }
    found.known = vec!["packets by peer; this device prints no bytes".to_owned(), context.side.said()];
    found
}

/// A `CHILD_SA` of strongSwan, as it is read.
#[derive(Clone, Debug, Default)]
struct ChildSa {
    tunnel: String,
    name: String,
    /// Its number: another one has begun anew.
    unique: u64,
    reqid: String,
    /// For how long it is installed [s].
    installed: Option<f64>,
    /// Bytes and packets, in and out.
    passed: [Option<(f64, f64)>; 2],
    line: u32,
}

/// strongSwan: bytes of each `CHILD_SA` since it was installed, from `swanctl --list-sas`, `--raw` too, and `ipsec statusall`.
#[must_use]
pub fn strongswan(text: &str, context: &Context<'_>) -> Found {
    let (format, children) = if text.contains("list-sa event") {
        ("strongSwan, swanctl --list-sas --raw", raw_children(text))
    } else if text.contains("bytes_i") {
        ("strongSwan, ipsec statusall", status_children(text))
    } else {
        ("strongSwan, swanctl --list-sas", listed_children(text))
    };
    let mut found = Found { format, ..Found::default() };
    let at = context.taken.unwrap_or(0.0);
    for child in newest(children) {
        let ways = [context.side.received(), context.side.sent()];
        for (passed, toward) in child.passed.iter().zip(ways) {
            let Some((bytes, packets)) = *passed else { continue };
            let kind = ReadingKind::Counted {
                at,
                amount: Amount { bytes: Some(bytes), packets: Some(packets), ..Amount::default() },
                life: named(&child.unique.to_string()),
                since: child.installed.map(|ago| at - ago),
                is_short: false,
            };
            let place = named(&format!("{} {}", child.tunnel, child.name));
            found.readings.push(Reading { place, class: all(), toward, line: child.line, kind });
        }
    }
    found.known = vec![
        "bytes inside the tunnel since each CHILD_SA was installed: they begin anew when its keys are renewed"
            .to_owned(),
        context.side.said(),
    ];
    found
}

/// The newest of each name: one whose keys were renewed stays for a while beside its heir. Those of one name for other networks have
/// their number in the name.
fn newest(children: Vec<ChildSa>) -> Vec<ChildSa> {
    let mut by_name: BTreeMap<(String, String), BTreeMap<String, ChildSa>> = BTreeMap::new();
    for child in children {
        let of_name = by_name.entry((child.tunnel.clone(), child.name.clone())).or_default();
        let last = of_name.entry(child.reqid.clone()).or_insert_with(|| child.clone());
        if child.unique > last.unique {
            *last = child;
        }
    }
    let named = |of_name: BTreeMap<String, ChildSa>| {
        let several = of_name.len() > 1;
        of_name.into_iter().map(move |(reqid, child)| {
            let name = if several { format!("{} {reqid}", child.name) } else { child.name.clone() };
            ChildSa { name, ..child }
        })
    };
    by_name.into_values().flat_map(named).collect()
}

/// The number before a word.
fn before(words: &[&str], word: &str) -> Option<f64> {
    let at = words.iter().position(|own| *own == word)?;
    words.get(at.checked_sub(1)?)?.trim_start_matches('(').parse().ok()
}

fn listed_children(text: &str) -> Vec<ChildSa> {
    let (mut tunnel, mut children) = (String::new(), Vec::<ChildSa>::new());
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split([' ', ',', ':']).filter(|word| !word.is_empty()).collect();
        match words[..] {
            // `site-01: #2, ESTABLISHED, ..`
            [name, ..] if !line.starts_with(' ') && line.contains(": #") => name.clone_into(&mut tunnel),
            // `  lan: #2, reqid 2, INSTALLED, ..`
            [name, unique, "reqid", reqid, ..] => children.push(ChildSa {
                tunnel: tunnel.clone(),
                name: name.to_owned(),
                unique: unique.trim_start_matches('#').parse().unwrap_or(0),
                reqid: reqid.to_owned(),
                line: line_of(number),
                ..ChildSa::default()
            }),
            ["installed", ago, ..] => {
                if let Some(child) = children.last_mut() {
                    child.installed = ago.trim_end_matches('s').parse().ok();
                }
            }
            // `in  54eedf69 (-|0x00000001), 40000 bytes, 100 packets, ..`
            [way @ ("in" | "out"), ..] => {
                if let Some(child) = children.last_mut() {
                    child.passed[usize::from(way == "out")] = before(&words, "bytes").zip(before(&words, "packets"));
                }
            }
            _ => {}
        }
    }
    children
}

/// `site-01{2}:  AES_CBC_256.., 40000 bytes_i (100 pkts, 1s ago), 80000 bytes_o (200 pkts, 0s ago), ..`
fn status_children(text: &str) -> Vec<ChildSa> {
    let mut children: BTreeMap<(String, u64), ChildSa> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let Some((name, rest)) = line.trim_start().split_once('{') else { continue };
        let Some((unique, rest)) = rest.split_once("}:") else { continue };
        let Ok(unique) = unique.parse::<u64>() else { continue };
        let child = children.entry((name.to_owned(), unique)).or_default();
        name.clone_into(&mut child.tunnel);
        child.unique = unique;
        if let Some(reqid) = rest.split("reqid ").nth(1) {
            reqid.split(',').next().unwrap_or("").clone_into(&mut child.reqid);
        }
        for (way, label) in [" bytes_i", " bytes_o"].iter().enumerate() {
            let Some((head, tail)) = rest.split_once(label) else { continue };
            let bytes = head.rsplit([' ', ',']).next().and_then(|bytes| bytes.parse::<f64>().ok());
            let packets = tail.trim_start().strip_prefix('(').and_then(|rest| rest.split(' ').next()?.parse().ok());
            child.passed[way] = bytes.map(|bytes| (bytes, packets.unwrap_or(0.0)));
            child.line = line_of(number);
        }
    }
    children.into_values().collect()
}

/// `list-sa event {site-01 {.. child-sas {lan-2 {name=lan uniqueid=2 .. bytes-in=40000 ..}}}}`
fn raw_children(text: &str) -> Vec<ChildSa> {
    let mut children = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some(rest) = line.trim_start().strip_prefix("list-sa event {") else { continue };
        let tunnel = rest.split([' ', '{']).next().unwrap_or("tunnel");
        for child in rest.split("{name=").skip(1) {
            let fields = child.split('}').next().unwrap_or("");
            let value = |key: &str| fields.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            let number_of = |key: &str| value(key).and_then(|value| value.parse::<f64>().ok());
            children.push(ChildSa {
                tunnel: tunnel.to_owned(),
                name: fields.split(' ').next().unwrap_or("").to_owned(),
                unique: value("uniqueid").and_then(|value| value.parse().ok()).unwrap_or(0),
                reqid: value("reqid").unwrap_or("").to_owned(),
                installed: number_of("install-time"),
                passed: ["in", "out"]
                    .map(|way| number_of(&format!("bytes-{way}")).zip(number_of(&format!("packets-{way}")))),
                line: line_of(number),
            });
        }
    }
    children
}
