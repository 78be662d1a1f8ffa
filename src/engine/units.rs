//! Quantities with their units, and the only place that knows how they are written.
//!
//! A scenario says `"8 s"`, `"20 Mbit/s"`, `"400 MB"`, `"95 %"` and `"08:30"`; the engine sees whole
//! nanoseconds, bits per second and bytes. Reading never guesses: a number without a unit is an error
//! that says which units there are.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use serde::Serialize;

/// Nanoseconds in a second.
pub const NANOS: u64 = 1_000_000_000;
/// Nanoseconds in a day.
pub const DAY: u64 = 86_400 * NANOS;

/// The number as a float, exact below 2^53. Signed numbers convert in one instruction.
#[must_use]
#[allow(clippy::cast_precision_loss)] // below 2^53
pub fn float(number: u64) -> f64 {
    number.cast_signed() as f64
}

/// A quantity that has a written form.
pub trait Text: Sized {
    /// What a reader is told that the value should be, with an example.
    const WHAT: &'static str;

    /// Reads the written form.
    ///
    /// # Errors
    /// One sentence that says what is wrong and what would be right.
    fn read(text: &str) -> Result<Self, String>;
}

/// An instant of simulated time: nanoseconds since midnight before the first simulated day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash, Serialize)]
#[serde(transparent)]
pub struct Time(pub u64);

/// A length of time [ns].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash, Serialize)]
#[serde(transparent)]
pub struct Duration(pub u64);

/// A rate [bit/s].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash, Serialize)]
#[serde(transparent)]
pub struct BitRate(pub u64);

/// A packet rate [packets/s].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash, Serialize)]
#[serde(transparent)]
pub struct PacketRate(pub u64);

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash, Serialize)]
#[serde(transparent)]
pub struct Bytes(pub u64);

/// A share between 0 and 1.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Share(pub f64);

/// A time of day [ns since midnight], from 00:00 to 24:00.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash, Serialize)]
#[serde(transparent)]
pub struct TimeOfDay(pub u64);

impl Time {
    /// The end of time: later than every event.
    pub const NEVER: Self = Self(i64::MAX.cast_unsigned());

    /// Seconds since the origin [s].
    #[must_use]
    pub fn secs(self) -> f64 {
        to_secs(self.0)
    }

    /// The first instant that is not before `secs` seconds after the origin.
    #[must_use]
    pub fn at_secs(secs: f64) -> Self {
        Self(to_nanos(secs))
    }

    /// The time since `earlier`; zero when that lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    /// The number of the day (0 = first).
    #[must_use]
    pub fn day(self) -> u64 {
        self.0 / DAY
    }

    /// The time of day.
    #[must_use]
    pub fn clock(self) -> TimeOfDay {
        TimeOfDay(self.0 % DAY)
    }
}

impl Duration {
    /// Seconds [s].
    #[must_use]
    pub fn secs(self) -> f64 {
        to_secs(self.0)
    }

    /// The shortest span that is not below `secs` seconds; zero for what is negative or not a number.
    #[must_use]
    pub fn of_secs(secs: f64) -> Self {
        Self(to_nanos(secs))
    }
}

impl TimeOfDay {
    /// This time of day on day number `day`.
    #[must_use]
    pub fn on(self, day: u64) -> Time {
        Time(day * DAY + self.0)
    }

    /// Hours since midnight [h].
    #[must_use]
    pub fn hours(self) -> f64 {
        to_secs(self.0) / 3600.0
    }
}

impl BitRate {
    /// Bits per second, as a number [bit/s].
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // rates stay below 2^53
    pub fn bits(self) -> f64 {
        self.0.cast_signed() as f64
    }
}

impl Bytes {
    /// Bits, as a number.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // sizes stay below 2^50
    pub fn bits(self) -> f64 {
        self.0.cast_signed() as f64 * 8.0
    }
}

#[allow(clippy::cast_precision_loss)] // 2^53 ns are 104 days
fn to_secs(nanos: u64) -> f64 {
    nanos.cast_signed() as f64 * 1e-9
}

/// 2^52: from there on a float has no fraction.
pub(crate) const BESIDE: f64 = 4_503_599_627_370_496.0;

/// Rounded up. The last bits of x + 2^52 are the whole number: up to 52 days no conversion is needed. `f64::ceil` is a function
/// call where the processor is not known.
fn to_nanos(secs: f64) -> u64 {
    let nanos = secs * 1e9;
    if !(0.0..BESIDE).contains(&nanos) {
        return beyond(nanos);
    }
    let nearest = nanos + BESIDE;
    (nearest.to_bits() - BESIDE.to_bits()) + u64::from(nearest - BESIDE < nanos)
}

/// Casts saturate, which is meant.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn beyond(nanos: f64) -> u64 {
    let whole = (nanos as i64).max(0);
    whole.saturating_add(i64::from((whole as f64) < nanos)).cast_unsigned()
}

impl Add<Duration> for Time {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Add for Duration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Duration {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

const TIME_UNITS: [(&str, f64); 7] =
    [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9), ("min", 60e9), ("h", 3600e9), ("d", 86_400e9)];
const RATE_UNITS: [(&str, f64); 4] = [("bit/s", 1.0), ("kbit/s", 1e3), ("Mbit/s", 1e6), ("Gbit/s", 1e9)];
/// Other ways to write the same, as on data sheets.
const RATE_ALIASES: [(&str, f64); 5] = [("bps", 1.0), ("kbps", 1e3), ("Kbps", 1e3), ("Mbps", 1e6), ("Gbps", 1e9)];
const SIZE_UNITS: [(&str, f64); 8] = [
    ("B", 1.0),
    ("kB", 1e3),
    ("MB", 1e6),
    ("GB", 1e9),
    ("TB", 1e12),
    ("KiB", 1024.0),
    ("MiB", 1_048_576.0),
    ("GiB", 1_073_741_824.0),
];
const PACKET_UNITS: [(&str, f64); 3] = [("packet/s", 1.0), ("kpacket/s", 1e3), ("Mpacket/s", 1e6)];
/// See [`RATE_ALIASES`].
const PACKET_ALIASES: [(&str, f64); 3] = [("pps", 1.0), ("kpps", 1e3), ("Mpps", 1e6)];

/// Text without hidden characters: control characters, letters without a width, and marks that change the direction of writing
/// (Unicode TR 9) are shown as symbols.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let symbol = |letter: char| match letter {
        '\u{0}'..='\u{1f}' => char::from_u32(0x2400 + u32::from(letter)),
        '\u{7f}' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' => {
            Some('\u{fffd}')
        }
        '\u{61c}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' => Some('\u{25ca}'),
        _ => None,
    };
    if text.chars().all(|letter| symbol(letter).is_none()) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|letter| symbol(letter).unwrap_or(letter)).collect())
}

/// Whether a sheet would take a cell of CSV for a formula (OWASP, CSV Injection); a number is none. Such a cell is written with
/// an apostrophe in front, by which sheets know text.
#[must_use]
pub fn is_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err()
}

/// Splits `"8 s"` into 8 and `"s"` and scales; negative and non-finite numbers are refused.
fn quantity(text: &str, of: &str, example: &str, units: &[(&str, f64)]) -> Result<f64, String> {
    quantity_or(text, of, example, units, &[])
}

/// The same, where some units have other names, too.
fn quantity_or(
    text: &str,
    of: &str,
    example: &str,
    units: &[(&str, f64)],
    aliases: &[(&str, f64)],
) -> Result<f64, String> {
    let text = text.trim();
    let split =
        text.char_indices().find(|&(at, letter)| !number_letter(text, at, letter)).map_or(text.len(), |(at, _)| at);
    let (digits, unit) = (text[..split].trim(), text[split..].trim());
    if digits.is_empty() {
        return Err(format!("`{text}` is not {of}; write a number and a unit, as in `{example}`"));
    }
    let number: f64 = digits
        .replace('_', "")
        .parse()
        .map_err(|_| format!("`{digits}` is not a number; write it as in `{example}`"))?;
    if unit.is_empty() {
        return Err(format!("`{text}` has no unit; write {of} as in `{example}`"));
    }
    if unit.starts_with(',') {
        return Err(format!(
            "`{text}` has a comma in its number; write it without thousands separators, and with a decimal point"
        ));
    }
    let Some(&(_, scale)) = units.iter().chain(aliases).find(|(name, _)| *name == unit) else {
        return Err(format!("`{unit}` is not a unit of {}; use {}", measure(of), either(units)));
    };
    if !(number >= 0.0 && (number * scale) < 9e18) {
        return Err(format!("`{text}` is out of range; write {of} of zero or more, as in `{example}`"));
    }
    Ok(number * scale)
}

/// A letter that belongs to the number: digits, point, sign, separators, and the `e` of an exponent.
fn number_letter(text: &str, at: usize, letter: char) -> bool {
    let next = text[at + letter.len_utf8()..].chars().next();
    letter.is_ascii_digit()
        || matches!(letter, '.' | '_' | '-' | '+')
        || (matches!(letter, 'e' | 'E') && at > 0 && next.is_some_and(|c| c.is_ascii_digit() || c == '-'))
}

fn measure(of: &str) -> &str {
    of.trim_start_matches("a ").trim_start_matches("an ")
}

fn either(units: &[(&str, f64)]) -> String {
    let names: Vec<&str> = units.iter().map(|(name, _)| *name).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // `quantity` bounds it
fn whole(number: f64) -> u64 {
    number.round() as u64
}

impl Text for Duration {
    const WHAT: &'static str = "a time with its unit, such as \"8 s\" or \"20 ms\"";
    fn read(text: &str) -> Result<Self, String> {
        quantity(text, "a time", "8 s", &TIME_UNITS).map(|nanos| Self(whole(nanos)))
    }
}

impl Text for BitRate {
    const WHAT: &'static str = "a rate with its unit, such as \"80 Mbit/s\"";
    fn read(text: &str) -> Result<Self, String> {
        quantity_or(text, "a bit rate", "80 Mbit/s", &RATE_UNITS, &RATE_ALIASES).map(|bits| Self(whole(bits)))
    }
}

impl Text for PacketRate {
    const WHAT: &'static str = "a packet rate with its unit, such as \"250 kpacket/s\"";
    fn read(text: &str) -> Result<Self, String> {
        quantity_or(text, "a packet rate", "250 kpacket/s", &PACKET_UNITS, &PACKET_ALIASES)
            .map(|rate| Self(whole(rate)))
    }
}

impl Text for Bytes {
    const WHAT: &'static str = "a size with its unit, such as \"30 kB\"";
    fn read(text: &str) -> Result<Self, String> {
        quantity(text, "a size", "30 kB", &SIZE_UNITS).map(|bytes| Self(whole(bytes)))
    }
}

impl Text for Share {
    const WHAT: &'static str = "a share, such as \"95 %\"";
    fn read(text: &str) -> Result<Self, String> {
        let percent = quantity(text, "a share", "95 %", &[("%", 1.0)])?;
        if percent > 100.0 {
            return Err(format!("`{text}` is more than the whole; write a share from `0 %` to `100 %`"));
        }
        Ok(Self(percent / 100.0))
    }
}

impl Text for TimeOfDay {
    const WHAT: &'static str = "a time of day, such as \"08:30\"";
    fn read(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a time of day; write it as in `08:30` or `08:30:15`, up to `24:00`");
        let mut parts = Vec::new();
        for part in text.trim().split(':') {
            if part.len() != 2 || !part.bytes().all(|letter| letter.is_ascii_digit()) {
                return Err(wrong());
            }
            parts.push(part.parse::<u64>().map_err(|_| wrong())?);
        }
        let (hours, minutes, seconds) = match parts[..] {
            [hours, minutes] => (hours, minutes, 0),
            [hours, minutes, seconds] => (hours, minutes, seconds),
            _ => return Err(wrong()),
        };
        let total = (hours * 60 + minutes) * 60 + seconds;
        if minutes > 59 || seconds > 59 || total > 86_400 {
            return Err(wrong());
        }
        Ok(Self(total * NANOS))
    }
}

/// Writes `number` with at most three significant decimals and no trailing zeros.
fn short(number: f64) -> String {
    let digits = match number.abs() {
        n if n >= 100.0 => 0,
        n if n >= 10.0 => 1,
        n if n >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{number:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn scaled(number: f64, units: &[(f64, &str)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let &(scale, unit) = units.iter().find(|(scale, _)| number >= *scale).unwrap_or(&units[units.len() - 1]);
    write!(f, "{} {unit}", short(number / scale))
}

impl fmt::Display for Duration {
    #[allow(clippy::cast_precision_loss)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0 s");
        }
        let units = [(7200e9, "h"), (120e9, "min"), (1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")];
        let number = self.0 as f64;
        let &(from, unit) = units.iter().find(|(from, _)| number >= *from).unwrap_or(&(1.0, "ns"));
        let scale = match unit {
            "h" => 3600e9,
            "min" => 60e9,
            _ => from,
        };
        write!(f, "{} {unit}", short(number / scale))
    }
}

impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(self.bits(), &[(1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s")], f)
    }
}

impl fmt::Display for PacketRate {
    #[allow(clippy::cast_precision_loss)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(self.0 as f64, &[(1e6, "Mpacket/s"), (1e3, "kpacket/s"), (1.0, "packet/s")], f)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        scaled(self.bits() / 8.0, &[(1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")], f)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", short(self.0 * 100.0))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / NANOS;
        write!(f, "{:02}:{:02}", seconds / 3600, seconds / 60 % 60)?;
        if !seconds.is_multiple_of(60) {
            write!(f, ":{:02}", seconds % 60)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_in_their_units() {
        assert_eq!(Duration::read("1.5 h"), Ok(Duration(5400 * NANOS)));
        assert_eq!(Duration::read("20ms"), Ok(Duration(20_000_000)));
        assert_eq!(BitRate::read("1 Gbit/s"), Ok(BitRate(1_000_000_000)));
        assert_eq!(Bytes::read("2_041 kB"), Ok(Bytes(2_041_000)));
        assert_eq!(Bytes::read("1e3 B"), Ok(Bytes(1000)));
        assert_eq!(Share::read("12.5 %"), Ok(Share(0.125)));
        assert_eq!(TimeOfDay::read("08:30"), Ok(TimeOfDay(30_600 * NANOS)));
        assert_eq!(TimeOfDay::read("24:00"), Ok(TimeOfDay(DAY)));
    }

    #[test]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn seconds_become_whole_nanoseconds_upwards() {
        let most = 2_f64.powi(52) / 1e9;
        for secs in [0.0, -0.0, 1e-10, 1e-9, 1.1e-9, 0.5, 1.0 / 3.0, 86_400.0, 1e6 / 7.0, most - 1e-6, most, most * 1.1]
        {
            assert_eq!(Duration::of_secs(secs), Duration((secs * 1e9).ceil() as u64), "{secs}");
        }
        assert_eq!(Duration::of_secs(-1.0), Duration(0));
        assert_eq!(Duration::of_secs(f64::NAN), Duration(0));
        assert_eq!(Time::at_secs(f64::INFINITY), Time::NEVER);
    }

    /// The message must teach: it names the fault and every unit that would be right.
    #[test]
    fn a_wrong_unit_is_answered_with_the_right_ones() {
        insta::assert_snapshot!(Duration::read("8 msec").unwrap_err(), @"`msec` is not a unit of time; use ns, us, ms, s, min, h or d");
        insta::assert_snapshot!(Duration::read("8").unwrap_err(), @"`8` has no unit; write a time as in `8 s`");
        insta::assert_snapshot!(Duration::read("NaN s").unwrap_err(), @"`NaN s` is not a time; write a number and a unit, as in `8 s`");
        insta::assert_snapshot!(Duration::read("-3 s").unwrap_err(), @"`-3 s` is out of range; write a time of zero or more, as in `8 s`");
        insta::assert_snapshot!(BitRate::read("1 GBps").unwrap_err(), @"`GBps` is not a unit of bit rate; use bit/s, kbit/s, Mbit/s or Gbit/s");
        insta::assert_snapshot!(Share::read("120 %").unwrap_err(), @"`120 %` is more than the whole; write a share from `0 %` to `100 %`");
        insta::assert_snapshot!(TimeOfDay::read("8.30").unwrap_err(), @"`8.30` is not a time of day; write it as in `08:30` or `08:30:15`, up to `24:00`");
    }

    /// Data sheets write Mbps; MB/s would be eight times as much, and is refused.
    #[test]
    fn units_of_data_sheets_are_taken() {
        assert_eq!(BitRate::read("500 Mbps"), BitRate::read("500 Mbit/s"));
        assert_eq!(BitRate::read("1.5 Gbps"), BitRate::read("1.5 Gbit/s"));
        assert_eq!(PacketRate::read("62 kpps"), PacketRate::read("62 kpacket/s"));
        assert!(BitRate::read("500 MBps").is_err() && BitRate::read("500 MB/s").is_err());
    }

    #[test]
    fn cells_that_a_sheet_would_run_are_known() {
        for cell in ["=HYPERLINK(\"http://evil\")", "+1+1", "@SUM(1)", "-A1", "\t=1"] {
            assert!(is_formula(cell), "{cell}");
        }
        for cell in ["", "-2", "-0.5", "+1", "S001", "a-b", "1e-3"] {
            assert!(!is_formula(cell), "{cell}");
        }
    }

    #[test]
    fn quantities_are_shown_short() {
        assert_eq!(Duration(1_234_000_000).to_string(), "1.23 s");
        assert_eq!(Duration(90 * NANOS).to_string(), "90 s");
        assert_eq!(Duration(1800 * NANOS).to_string(), "30 min");
        assert_eq!(BitRate(4_000_000_000).to_string(), "4 Gbit/s");
        assert_eq!(Bytes(2_652_000).to_string(), "2.65 MB");
        assert_eq!(Share(0.05).to_string(), "5 %");
        assert_eq!(TimeOfDay(36_000 * NANOS).to_string(), "10:00");
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC{0,12}") {
            let _ = (Duration::read(&text), BitRate::read(&text), Bytes::read(&text), Share::read(&text), TimeOfDay::read(&text));
        }
    }
}
