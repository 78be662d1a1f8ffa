//! FortiGate: counters of each tunnel, from the API's `monitor/vpn/ipsec` and from the command line.

use serde_json::Value;

use crate::telemetry::formats::values::{field, items, named, text};
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::{Amount, Toward};

/// What an answer says; none where it is another file.
pub(super) fn read(value: &Value, context: &Context<'_>) -> Option<Result<Found, (String, String)>> {
    let answers = items(value);
    answers.iter().find(|answer| items(&answer["results"]).iter().any(|tunnel| tunnel.get("proxyid").is_some()))?;
    let mut found = Found { format: "FortiGate, monitor/vpn/ipsec", ..Found::default() };
    let (at, mut line) = (context.taken.unwrap_or(0.0), 0);
    for tunnel in answers.iter().flat_map(|answer| items(&answer["results"])) {
        for selector in tunnel.get("proxyid").map(items).into_iter().flatten() {
            line += 1;
            // The same name many times: the number of the selector tells them apart.
            let name = [text(tunnel, "name"), text(selector, "p2name")].map(|name| name.unwrap_or("")).join(" ");
            let serial = field(selector, "p2serial").map_or(String::new(), |serial| format!("{serial}"));
            for (key, toward) in [("incoming_bytes", context.side.received()), ("outgoing_bytes", context.side.sent())]
            {
                // What is down has none.
                let Some(bytes) = field(selector, key) else { continue };
                let place = named(&format!("{} {serial}", name.trim()));
                let kind = ReadingKind::Counted {
                    at,
                    amount: Amount::of_bytes(bytes),
                    life: named(&serial),
                    since: None,
                    is_short: false,
                };
                found.readings.push(Reading { place, class: all(), toward, line, kind });
            }
        }
    }
    found.known = vec!["bytes since each phase 2 came up".to_owned(), context.side.said()];
    found.warnings.push("counters at one instant: two files of different times make an interval".to_owned());
    Some(Ok(found))
}

/// `get vpn ipsec tunnel details`, and `diagnose vpn tunnel list`.
#[must_use]
pub fn read_text(text: &str, context: &Context<'_>) -> Found {
    let mut found = Found { format: "FortiGate, tunnels on the command line", ..Found::default() };
    let (at, mut place, mut is_head) = (context.taken.unwrap_or(0.0), named(context.stem), false);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        // `gateway`, then `name: 'site-01'`; or `name=site-01 ver=2 ..`.
        is_head |= line == "gateway";
        if let Some(name) = line.strip_prefix("name:").filter(|_| is_head) {
            (place, is_head) = (named(name.trim().trim_matches('\'')), false);
        } else if let Some(name) = line.strip_prefix("name=") {
            place = named(name.split(' ').next().unwrap_or(name));
        }
        for (toward, packets, bytes) in counters(line, context) {
            let kind = ReadingKind::Counted {
                at,
                amount: Amount { bytes: Some(bytes), packets: Some(packets), ..Amount::default() },
                life: named(""),
                since: None,
                is_short: false,
            };
            let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
            found.readings.push(Reading { place: place.clone(), class: all(), toward, line, kind });
        }
    }
    found.known = vec!["bytes and packets since each tunnel came up".to_owned(), context.side.said()];
    found.warnings.push("counters at one instant: two files of different times make an interval".to_owned());
    found
}

/// Way, packets and bytes of a line: `rx  packets: 100  bytes: 1000  errors: 0`, or `stat: rxp=100 txp=200 rxb=40000 txb=80000`.
fn counters(line: &str, context: &Context<'_>) -> Vec<(Toward, f64, f64)> {
    let words: Vec<&str> = line.split([' ', '=']).filter(|word| !word.is_empty()).collect();
    let after =
        |label: &str| words.windows(2).find(|pair| pair[0] == label).and_then(|pair| pair[1].parse::<f64>().ok());
    let ways = [("rx", context.side.received()), ("tx", context.side.sent())];
    ways.iter()
        .filter_map(|(way, toward)| {
            let own = match words.first() {
                Some(first) if first == way => after("packets:").zip(after("bytes:")),
                Some(&"stat:") => after(&format!("{way}p")).zip(after(&format!("{way}b"))),
                _ => None,
            };
            own.map(|(packets, bytes)| (*toward, packets, bytes))
        })
        .collect()
}
