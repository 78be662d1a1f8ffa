//! Cisco Meraki: answers of the dashboard's API, as they come or as examples of its description.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::telemetry::formats::values::{field, instant, items, named, step, text};
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::{Amount, Toward};

/// What an answer says; none where it is none of Meraki's.
pub(super) fn read(value: &Value, context: &Context<'_>) -> Option<Result<Found, (String, String)>> {
    // The API's own description: an example under each path.
    if let Some(paths) =
        value.as_object().filter(|paths| !paths.is_empty() && paths.keys().all(|path| path.starts_with('/')))
    {
        let mut found = Found { format: "Cisco Meraki, examples of the API", ..Found::default() };
        for (path, described) in paths {
            let example = described.get("example").unwrap_or(described);
            let Some(one) = known(example, context) else {
                found.warnings.push(format!("{path} holds no traffic: left out"));
                continue;
            };
            found.known.extend(one.known.iter().map(|known| format!("{path}: {known}")));
            found.warnings.extend(one.warnings.iter().map(|warning| format!("{path}: {warning}")));
            found.readings.extend(one.readings);
        }
        return Some(Ok(found));
    }
    known(value, context).map(Ok)
}

/// What an answer is, told by the keys of its first element.
fn known(value: &Value, context: &Context<'_>) -> Option<Found> {
    let first = items(value).first()?;
    let has = |key: &str| first.get(key).is_some();
    if has("byInterface") && has("startTime") {
        Some(usage_history(value, context))
    } else if has("byUplink") {
        Some(by_network(value, context))
    } else if has("merakiVpnPeers") {
        Some(vpn_stats(value, context))
    } else if has("application") && has("sent") {
        Some(traffic(value, context))
    } else if has("upstream") && has("downstream") && has("ts") {
        Some(bandwidth(value, context))
    } else if has("usageHistory") {
        Some(clients(value))
    } else if has("lossPercent") || first.get("timeSeries").is_some_and(|series| series[0].get("lossPercent").is_some())
    {
        Some(loss(value))
    } else {
        None
    }
}

fn line(number: usize) -> u32 {
    u32::try_from(number + 1).unwrap_or(u32::MAX)
}

/// Both ways of a thing in an interval.
fn pair(
    place: &str,
    line: u32,
    (begins, seconds): (f64, f64),
    ways: [(Toward, Option<f64>); 2],
) -> impl Iterator<Item = Reading> {
    let place = named(place);
    ways.into_iter().map(move |(toward, bytes)| Reading {
        place: place.clone(),
        class: all(),
        toward,
        line,
        kind: ReadingKind::Passed {
            begins,
            seconds,
            amount: bytes.map_or(Amount::default(), Amount::of_bytes),
            coverage: 1.0,
        },
    })
}

fn usage_history(value: &Value, context: &Context<'_>) -> Found {
    let mut found = Found { format: "Cisco Meraki, uplinks/usageHistory", ..Found::default() };
    for (number, one) in items(value).iter().enumerate() {
        let Some((begins, ends)) = instant(one, "startTime").zip(instant(one, "endTime")) else { continue };
        for interface in one.get("byInterface").map(items).into_iter().flatten() {
            let ways = [
                (context.side.received(), field(interface, "received")),
                (context.side.sent(), field(interface, "sent")),
            ];
            let place = format!("{} {}", context.stem, text(interface, "interface").unwrap_or("uplink"));
            found.readings.extend(pair(&place, line(number), (begins, ends - begins), ways));
        }
    }
    found.known = vec!["bytes in each interval, times in UTC, as the API says".to_owned(), context.side.said()];
    found.warnings.push(
        "an uplink carries what breaks out to the internet, too, and at a one-armed headend every byte twice: in and out alike show it"
            .to_owned(),
    );
    found
}

/// The time that a total without times is of: what the API takes where nobody says more.
const LAST_DAY: f64 = 86_400.0;

/// The last day before the file was taken, and how that is known.
fn last_day(context: &Context<'_>) -> ((f64, f64), String) {
    let ends = context.taken.unwrap_or(0.0);
    let known =
        "totals without times: taken as those of the day before the file was written (`--taken` says otherwise)";
    ((ends - LAST_DAY, LAST_DAY), known.to_owned())
}

fn by_network(value: &Value, context: &Context<'_>) -> Found {
    let (when, known) = last_day(context);
    let mut found = Found { format: "Cisco Meraki, uplinks/usage/byNetwork", ..Found::default() };
    for (number, network) in items(value).iter().enumerate() {
        for uplink in network.get("byUplink").map(items).into_iter().flatten() {
            // A network is a site: what it receives goes down.
            let ways = [(Toward::Down, field(uplink, "received")), (Toward::Up, field(uplink, "sent"))];
            let place = [text(network, "name"), text(uplink, "interface")].map(|part| part.unwrap_or("")).join(" ");
            found.readings.extend(pair(&place, line(number), when, ways));
        }
    }
    found.known = vec!["bytes, by network and uplink: received is down".to_owned(), known];
    found
}

fn vpn_stats(value: &Value, context: &Context<'_>) -> Found {
    let (when, known) = last_day(context);
    let mut found = Found { format: "Cisco Meraki, appliance/vpn/stats", ..Found::default() };
    let peers = |network: &'_ Value| {
        network.get("merakiVpnPeers").map(items).into_iter().flatten().cloned().collect::<Vec<_>>()
    };
    let name = |value: &Value| text(value, "networkName").unwrap_or("?").to_owned();
    let by_name: BTreeMap<String, Vec<String>> =
        items(value).iter().map(|network| (name(network), peers(network).iter().map(name).collect())).collect();
    for (number, network) in items(value).iter().enumerate() {
        let own = name(network);
        for peer in peers(network) {
            let other = name(&peer);
            // A hub has more peers than a site. Of a tunnel that both of its ends list, the site's end counts.
            let is_hub = by_name[&own].len() > by_name.get(&other).map_or(1, Vec::len);
            if is_hub && by_name.get(&other).is_some_and(|peers| peers.contains(&own)) {
                continue;
            }
            let usage = peer.get("usageSummary").filter(|usage| usage.is_object());
            let kilobytes = |key: &str| usage.and_then(|usage| field(usage, key)).map(|value| value * 1e3);
            let [received, sent] = ["receivedInKilobytes", "sentInKilobytes"].map(kilobytes);
            let ways = if is_hub {
                [(Toward::Down, sent), (Toward::Up, received)]
            } else {
                [(Toward::Down, received), (Toward::Up, sent)]
            };
            let place = if is_hub { format!("{other} to {own}") } else { format!("{own} to {other}") };
            found.readings.extend(pair(&place, line(number), when, ways));
            if ways.iter().all(|(_, bytes)| *bytes == Some(0.0)) {
                found
                    .warnings
                    .push(format!("{place}: nothing at all; windows below 20 minutes, or very recent ones, say 0"));
            }
        }
    }
    let ends = "kilobytes by tunnel; what the end with fewer peers received is down, and a tunnel that both ends list counts once";
    found.known = vec![ends.to_owned(), known];
    found
}

fn traffic(value: &Value, context: &Context<'_>) -> Found {
    let (when, known) = last_day(context);
    let mut found = Found { format: "Cisco Meraki, networks/traffic", ..Found::default() };
    for (number, one) in items(value).iter().enumerate() {
        let class = named(text(one, "application").unwrap_or("unknown"));
        let kilobytes = |key: &str| field(one, key).map(|value| value * 1e3);
        let ways = [(Toward::Down, kilobytes("recv")), (Toward::Up, kilobytes("sent"))];
        let flows = field(one, "flows");
        found.readings.extend(pair(context.stem, line(number), when, ways).map(|mut reading| {
            reading.class = class.clone();
            if let ReadingKind::Passed { amount, .. } = &mut reading.kind {
                amount.count = flows;
            }
            reading
        }));
    }
    found.known = vec!["kilobytes by application, received is down".to_owned(), known];
    found
}

fn bandwidth(value: &Value, context: &Context<'_>) -> Found {
    let instants: Vec<f64> = items(value).iter().filter_map(|one| instant(one, "ts")).collect();
    let mut found = Found { format: "Cisco Meraki, clients/bandwidthUsageHistory", ..Found::default() };
    // One value alone does not show its step, and five minutes is the API's finest.
    let step = step(&instants).unwrap_or(300.0);
    for (number, one) in items(value).iter().enumerate() {
        let Some(begins) = instant(one, "ts") else { continue };
        let megabits = |key: &str| field(one, key).map(|value| value * 125e3 * step);
        let ways = [(Toward::Down, megabits("downstream")), (Toward::Up, megabits("upstream"))];
        found.readings.extend(pair(context.stem, line(number), (begins, step), ways));
    }
    found.known = vec!["Mbit/s of all clients, downstream is down".to_owned()];
    found.warnings.push("traffic of clients, not of the tunnel: what breaks out is in it".to_owned());
    found
}

fn clients(value: &Value) -> Found {
    let mut found = Found { format: "Cisco Meraki, clients/usageHistories", ..Found::default() };
    let mut number = 0;
    for client in items(value) {
        let history: Vec<&Value> = client.get("usageHistory").map(items).into_iter().flatten().collect();
        let instants: Vec<f64> = history.iter().filter_map(|one| instant(one, "ts")).collect();
        let step = step(&instants).unwrap_or(300.0);
        for one in history {
            let Some(begins) = instant(one, "ts") else { continue };
            let kilobytes = |key: &str| field(one, key).or_else(|| field(one, "recv").filter(|_| key == "received"));
            let ways = [("received", Toward::Down), ("sent", Toward::Up)]
                .map(|(key, toward)| (toward, kilobytes(key).map(|value| value * 1e3)));
            let place = text(client, "clientIp").or_else(|| text(client, "clientId")).unwrap_or("client");
            found.readings.extend(pair(place, line(number), (begins, step), ways));
            number += 1;
        }
    }
    found.known = vec!["kilobytes by client, received is down".to_owned()];
    found
}

/// What an answer with losses and latencies is called.
pub const LOSS: &str = "Cisco Meraki, loss and latency";

/// Losses and latencies of probes: no traffic, but the sign of a full line.
fn loss(value: &Value) -> Found {
    let probes: Vec<&Value> =
        items(value).iter().flat_map(|one| one.get("timeSeries").map_or(std::slice::from_ref(one), items)).collect();
    let mut latencies: Vec<f64> = probes.iter().filter_map(|one| field(one, "latencyMs")).collect();
    latencies.sort_by(f64::total_cmp);
    let (first, last) = (latencies.first().copied().unwrap_or(0.0), latencies.last().copied().unwrap_or(0.0));
    let says = format!(
        "latency and loss of probes, no traffic: {first} ms at least, {last} ms at most; what is above the least is a queue"
    );
    Found { format: LOSS, warnings: vec![says], ..Found::default() }
}
