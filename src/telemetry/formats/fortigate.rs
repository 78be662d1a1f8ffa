//! FortiGate: the API's `monitor/vpn/ipsec`, counters of each tunnel.

use serde_json::Value;

use crate::telemetry::formats::values::{field, items, named, text};
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::Amount;

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
