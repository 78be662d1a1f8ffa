//! What the name of a series says: where it was measured, in which direction, and in which unit.

use crate::telemetry::number::Unit;
use crate::telemetry::reading::Side;
use crate::telemetry::series::Toward;

/// What a name says.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// The place: what is left of the name.
    pub place: Option<String>,
    /// Whether it was received or sent.
    pub toward: Option<Toward>,
    /// The unit.
    pub unit: Option<Unit>,
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
const SENT: [&str; 23] = [
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
    "upload",
];
/// Words that say nothing about the place.
const EMPTY: [&str; 10] =
    ["traffic", "bandwidth", "octets", "total", "data", "rate", "average", "avg", "-", "throughput"];

/// What the name of a series says, counted on this side.
#[must_use]
pub fn named(name: &str, side: Side) -> Named {
    if let Some((place, counter)) = windows(name) {
        let says = named(counter, side);
        let unit = counter.to_lowercase().contains("bytes").then_some(Unit::OCTETS);
        return Named { place: Some(place.to_owned()), unit, ..says };
    }
    let (mut toward, mut unit, mut place) = (None, None, Vec::new());
    let spaced = name.replace(['_', '(', ')', '[', ']', '{', '}', ',', '|'], " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut skip = 0;
    for (number, word) in words.iter().enumerate() {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let lower = word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
        if RECEIVED.contains(&lower.as_str()) {
            toward = toward.or(Some(side.received()));
        } else if SENT.contains(&lower.as_str()) {
            toward = toward.or(Some(side.sent()));
        } else if let Some(found) = Unit::named(word).filter(|_| is_unit(&lower)) {
            // `bits per second` in three words.
            let rest = words.get(number + 1..number + 3).map_or(String::new(), |rest| rest.join(" ").to_lowercase());
            skip = if rest.starts_with("per sec") { 2 } else { 0 };
            unit = unit.or(Some(Unit { per_second: found.per_second || skip > 0, ..found }));
        } else if EMPTY.contains(&lower.as_str()) || lower.is_empty() {
            // Octets in a name are bytes a second: nobody graphs a counter.
            unit = unit.or((lower == "octets").then_some(Unit::OCTETS));
        } else {
            place.push(*word);
        }
        if lower.ends_with("octets") {
            unit = unit.or(Some(Unit::OCTETS));
        }
    }
    let place = place.join(" ");
    Named { place: (!place.is_empty()).then_some(place), toward, unit }
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
    }
}
