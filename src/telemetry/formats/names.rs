//! What the name of a series says: where it was measured, in which direction, and in which unit.

use crate::telemetry::number::Unit;
use crate::telemetry::reading::Side;
use crate::telemetry::series::Toward;

/// What a series is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedKind {
    /// What passed.
    Traffic,
    /// The highest rate within each step.
    Highest,
    /// Packets.
    Packets,
    /// Errors, lowest values and whatever else says nothing of what passed.
    Other,
}

/// What a name says.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// The place: what is left of the name.
    pub place: Option<String>,
    /// Whether it was received or sent.
    pub toward: Option<Toward>,
    /// The unit.
    pub unit: Option<Unit>,
    /// What it is of.
    pub kind: NamedKind,
}

const RECEIVED: [&str; 23] = [
    "in",
    "inbound",
    "input",
    "incoming",
    "ingress",
    "rx",
    "received",
    "receive",
    "recv",
    "inoctets",
    "ifinoctets",
    "ifhcinoctets",
    "tunneldatain",
    "eingehend",
    "entrant",
    "entrada",
    "averagebpsin",
    "eingang",
    "empfangen",
    "entrante",
    "inkomend",
    "reçu",
    "download",
];
const SENT: [&str; 24] = [
    "out",
    "outbound",
    "output",
    "outgoing",
    "egress",
    "tx",
    "sent",
    "transmit",
    "transmitted",
    "outoctets",
    "ifoutoctets",
    "ifhcoutoctets",
    "tunneldataout",
    "ausgehend",
    "sortant",
    "salida",
    "averagebpsout",
    "ausgang",
    "gesendet",
    "saliente",
    "uitgaand",
    "envoyé",
    "uit",
    "upload",
];
/// Words that say nothing about the place.
const EMPTY: [&str; 10] =
    ["traffic", "bandwidth", "octets", "total", "data", "rate", "average", "avg", "-", "throughput"];
/// Words of what is the highest and the lowest within a step.
const HIGHEST: [&str; 3] = ["max", "maximum", "peak"];
/// See [`HIGHEST`].
const LOWEST: [&str; 2] = ["min", "minimum"];
/// Words of packets, and of what is neither packets nor bytes that passed.
const PACKETS: [&str; 5] = ["packet", "packets", "pkts", "ucastpkts", "ucast"];
/// See [`PACKETS`].
const OTHERS: [&str; 30] = [
    "error",
    "errors",
    "err",
    "errs",
    "discard",
    "discards",
    "drop",
    "drops",
    "dropped",
    "nucastpkts",
    "nucast",
    "broadcast",
    "broadcastpkts",
    "multicast",
    "multicastpkts",
    "unknownprotos",
    "unicast",
    "fehler",
    "verworfen",
    "erreur",
    "erreurs",
    "errores",
    "fouten",
    "failures",
    "collisions",
    "overruns",
    "discarded",
    "lost",
    "utilization",
    "utilisation",
];

/// What the name of a series says, counted on this side.
#[must_use]
pub fn named(name: &str, side: Side) -> Named {
    if let Some((place, counter)) = windows(name) {
        let says = named(counter, side);
        let unit = counter.to_lowercase().contains("bytes").then_some(Unit::OCTETS);
        return Named { place: Some(place.to_owned()), unit, ..says };
    }
    let (name, in_brackets) = without_unit(name);
    let mut says = Named { place: None, toward: None, unit: in_brackets, kind: NamedKind::Traffic };
    let mut place = Vec::new();
    let spaced = name.replace(['_', '(', ')', '[', ']', '{', '}', ',', '|'], " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut skip = 0;
    for (number, word) in words.iter().enumerate() {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let lower = word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
        let is = |words: &[&str]| words.contains(&lower.as_str());
        if is(&RECEIVED) {
            says.toward = says.toward.or(Some(side.received()));
        } else if is(&SENT) {
            says.toward = says.toward.or(Some(side.sent()));
        } else if let Some((is_received, kind)) = snmp(&lower) {
            says.toward = says.toward.or(Some(if is_received { side.received() } else { side.sent() }));
            says.kind = kind;
        } else if is(&OTHERS) || is(&LOWEST) {
            says.kind = NamedKind::Other;
        } else if is(&HIGHEST) {
            says.kind = if says.kind == NamedKind::Traffic { NamedKind::Highest } else { NamedKind::Other };
        } else if is(&PACKETS) {
            says.kind = if says.kind == NamedKind::Traffic { NamedKind::Packets } else { NamedKind::Other };
        } else if let Some(found) = Unit::named(word).filter(|_| is_unit(&lower)) {
            // `bits per second` in three words.
            let rest = words.get(number + 1..number + 3).map_or(String::new(), |rest| rest.join(" ").to_lowercase());
            skip = if rest.starts_with("per sec") { 2 } else { 0 };
            says.unit = says.unit.or(Some(Unit { per_second: found.per_second || skip > 0, ..found }));
        } else if is(&EMPTY) || lower.is_empty() {
            // Octets in a name are bytes a second: nobody graphs a counter.
            says.unit = says.unit.or((lower == "octets").then_some(Unit::OCTETS));
        } else {
            place.push(*word);
        }
        if lower.ends_with("octets") {
            says.unit = says.unit.or(Some(Unit::OCTETS));
        }
    }
    let place = place.join(" ");
    Named { place: (!place.is_empty()).then_some(place), ..says }
}

/// A name without the unit in its brackets, and that unit: `In (MB)`, `hub [kB]`.
fn without_unit(name: &str) -> (String, Option<Unit>) {
    for (open, close) in [('(', ')'), ('[', ']')] {
        let Some((from, until)) = name.find(open).zip(name.rfind(close)).filter(|(from, until)| from < until) else {
            continue;
        };
        if let Some(unit) = Unit::named(&name[from + 1..until]) {
            return (format!("{} {}", &name[..from], &name[until + 1..]), Some(unit));
        }
    }
    (name.to_owned(), None)
}

/// Whether a name of the interfaces MIB (RFC 2863), or of one of its data sources in RRDtool, is of what was received, and what it
/// counts beside octets: `INUCASTPKTS`, `ifOutErrors`, `inerr`.
fn snmp(lower: &str) -> Option<(bool, NamedKind)> {
    let name = lower.strip_prefix("ifhc").or_else(|| lower.strip_prefix("if")).unwrap_or(lower);
    let (is_received, what) = match (name.strip_prefix("in"), name.strip_prefix("out")) {
        (Some(what), _) => (true, what),
        (_, Some(what)) => (false, what),
        _ => return None,
    };
    let kind = if PACKETS.contains(&what) {
        NamedKind::Packets
    } else if OTHERS.contains(&what) {
        NamedKind::Other
    } else {
        return None;
    };
    Some((is_received, kind))
}

/// Whether this names a counter, and not the rate of one: octets of the interfaces MIB (RFC 2863), or a total as Prometheus writes it.
#[must_use]
pub fn is_counter(name: &str) -> bool {
    let lower = name.to_lowercase();
    let octets = ["ifinoctets", "ifoutoctets", "ifhcinoctets", "ifhcoutoctets"];
    lower.ends_with("_total") || octets.contains(&lower.rsplit(['.', ' ', ':']).next().unwrap_or(&lower))
}

/// Machine with object, and counter, of a path of Windows' performance counters: `\\\\HUB\\RAS Total\\Bytes Received/Sec`.
fn windows(name: &str) -> Option<(&str, &str)> {
    let (place, counter) = name.strip_prefix("\\\\")?.rsplit_once('\\')?;
    let counter = counter.strip_suffix("/Sec").or_else(|| counter.strip_suffix("/sec"))?;
    Some((place, counter))
}

/// A word that is a unit and not the name of something: single letters and words of other things are not.
fn is_unit(lower: &str) -> bool {
    lower.contains("bit")
        || lower.contains("byte")
        || lower.contains("octet")
        || lower.ends_with("bps")
        || lower.ends_with("b/s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_where_which_way_and_in_what() {
        let of = |name: &str| {
            let found = named(name, Side::Hub);
            (found.place.unwrap_or_default(), found.toward, found.unit)
        };
        let (up, down) = (Some(Toward::Up), Some(Toward::Down));
        assert_eq!(of("in bits"), (String::new(), up, Unit::named("bits")));
        assert_eq!(of("INOCTETS"), (String::new(), up, Some(Unit::OCTETS)));
        assert_eq!(of("traffic_out"), (String::new(), down, None));
        assert_eq!(of("tun0 in"), ("tun0".to_owned(), up, None));
        assert_eq!(of("GP tunnel 0"), ("GP tunnel 0".to_owned(), None, None));
        assert_eq!(of("ifHCOutOctets"), (String::new(), down, Some(Unit::OCTETS)));
        assert_eq!(of("wan1 received (kbit/s)"), ("wan1".to_owned(), up, Unit::named("kbit/s")));
        assert_eq!(of("bits per second"), (String::new(), None, Some(Unit::BITS)));
        assert_eq!(named("In", Side::Site).toward, down, "what a site receives goes down");
        assert_eq!(of("hub in [kB]"), ("hub".to_owned(), up, Unit::named("kB")));
        let kind = |name: &str| (named(name, Side::Hub).toward, named(name, Side::Hub).kind);
        assert_eq!(kind("in_AVERAGE"), (up, NamedKind::Traffic));
        assert_eq!(kind("hub_traffic_out_MAX"), (down, NamedKind::Highest));
        assert_eq!(kind("in_MIN"), (up, NamedKind::Other));
        assert_eq!(kind("INUCASTPKTS"), (up, NamedKind::Packets));
        assert_eq!(kind("inucast_MAX"), (up, NamedKind::Other), "the most packets of a step are no packets of it");
        assert_eq!(kind("Errors in (Volume)"), (up, NamedKind::Other));
        assert_eq!(kind("ifOutDiscards"), (down, NamedKind::Other));
    }
}
