//! LibreNMS: the answer of `ports`, one sample of each counter.

use serde_json::Value;

use crate::telemetry::formats::values::{field, items, named, text};
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::Amount;

/// What an answer says; none where it is another file.
pub(super) fn read(value: &Value, context: &Context<'_>) -> Option<Result<Found, (String, String)>> {
    let ports = value.get("port").or_else(|| value.get("ports"))?;
    items(ports).first()?.get("ifInOctets")?;
    let mut found = Found { format: "LibreNMS, ports", ..Found::default() };
    for (number, port) in items(ports).iter().enumerate() {
        let seconds =
            field(port, "poll_period").or_else(|| Some(field(port, "poll_time")? - field(port, "poll_prev")?));
        let Some((ends, seconds)) = field(port, "poll_time").or(context.taken).zip(seconds) else { continue };
        let place = named(text(port, "ifAlias").or_else(|| text(port, "ifName")).unwrap_or(context.stem));
        for (way, toward) in [("In", context.side.received()), ("Out", context.side.sent())] {
            let of = |what: &str| {
                let rate = || field(port, &format!("if{way}{what}_rate")).map(|rate| rate * seconds);
                // After a restart LibreNMS says a rate of 0, and a difference below nothing.
                field(port, &format!("if{way}{what}_delta")).filter(|delta| *delta >= 0.0).or_else(rate)
            };
            let amount = Amount { bytes: of("Octets"), packets: of("UcastPkts"), ..Amount::default() };
            found.readings.push(Reading {
                place: place.clone(),
                class: all(),
                toward,
                line: u32::try_from(number + 1).unwrap_or(u32::MAX),
                kind: ReadingKind::Passed { begins: ends - seconds, seconds, amount, coverage: 1.0 },
            });
        }
    }
    found.known = vec!["octets between two polls, whose times are UTC".to_owned(), context.side.said()];
    found.warnings.push("one sample alone: the history is in the RRD files of LibreNMS (`rrdtool xport`)".to_owned());
    Some(Ok(found))
}
