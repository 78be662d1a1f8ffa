//! What devices print: Cisco ASA and IOS, strongSwan. Counters at one instant.

use std::sync::Arc;

use crate::telemetry::formats::values::named;
use crate::telemetry::reading::{Context, Found, Reading, ReadingKind, all};
use crate::telemetry::series::Amount;

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
                    // A session that began at another time is another one.
                    life: named(&format!("{:.0}", (taken - lasts) / 2.0)),
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

/// IOS, `show crypto ipsec sa`: packets of each peer, and no bytes.
#[must_use]
pub fn ios_sas(text: &str, context: &Context<'_>) -> Found {
    let mut found = Found { format: "Cisco IOS, show crypto ipsec sa", ..Found::default() };
    let (at, mut place) = (context.taken.unwrap_or(0.0), named(context.stem));
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(peer) = line.strip_prefix("current_peer") {
            place = named(peer.trim_start_matches(':').split_whitespace().next().unwrap_or("peer"));
        }
        for (label, toward) in [("#pkts encaps:", context.side.sent()), ("#pkts decaps:", context.side.received())] {
            let packets = line.strip_prefix(label).and_then(|rest| rest.split(',').next()?.trim().parse::<f64>().ok());
            let Some(packets) = packets else { continue };
            let amount = Amount { packets: Some(packets), ..Amount::default() };
            let kind = ReadingKind::Counted { at, amount, life: named(""), since: None, is_short: false };
            found.readings.push(Reading { place: place.clone(), class: all(), toward, line: line_of(number), kind });
        }
    }
    found.known = vec!["packets by peer; this device prints no bytes".to_owned(), context.side.said()];
    found
}

/// strongSwan, `swanctl --list-sas`: bytes of each CHILD_SA since it was installed.
#[must_use]
pub fn strongswan(text: &str, context: &Context<'_>) -> Found {
    let mut found = Found { format: "strongSwan, swanctl --list-sas", ..Found::default() };
    let at = context.taken.unwrap_or(0.0);
    let (mut tunnel, mut child, mut since) = (String::new(), (String::new(), String::new()), None);
    for (number, line) in text.lines().enumerate() {
        let depth = line.len() - line.trim_start().len();
        let words: Vec<&str> = line.split([' ', ',', ':']).filter(|word| !word.is_empty()).collect();
        match (depth, &words[..]) {
            // `site-01: #2, ESTABLISHED, ..`
            (0, [name, ..]) if line.contains(": #") => (*name).clone_into(&mut tunnel),
            // `  lan: #2, reqid 2, INSTALLED, ..`
            (_, [name, unique, "reqid", ..]) => child = ((*name).to_owned(), (*unique).to_owned()),
            (_, ["installed", ago, ..]) => since = ago.trim_end_matches('s').parse::<f64>().ok().map(|ago| at - ago),
            (_, [way @ ("in" | "out"), _, bytes, "bytes", packets, "packets", ..]) => {
                let toward = if *way == "in" { context.side.received() } else { context.side.sent() };
                let (Ok(bytes), Ok(packets)) = (bytes.parse::<f64>(), packets.parse::<f64>()) else { continue };
                let kind = ReadingKind::Counted {
                    at,
                    amount: Amount { bytes: Some(bytes), packets: Some(packets), ..Amount::default() },
                    life: named(&child.1),
                    since,
                    is_short: false,
                };
                let place = named(&format!("{tunnel} {}", child.0));
                found.readings.push(Reading { place, class: all(), toward, line: line_of(number), kind });
            }
            _ => {}
        }
    }
    found.known = vec![
        "bytes inside the tunnel since each CHILD_SA was installed: they begin anew when its keys are renewed"
            .to_owned(),
        context.side.said(),
    ];
    found
}
