//! Numbers and units as exports write them.

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// Bytes of one of it.
    pub bytes: f64,
    /// Whether it is of a second.
    pub per_second: bool,
}

impl Unit {
    /// Bits a second.
    pub const BITS: Self = Self { bytes: 0.125, per_second: true };
    /// Bytes a second.
    pub const OCTETS: Self = Self { bytes: 1.0, per_second: true };
    /// Bytes.
    pub const VOLUME: Self = Self { bytes: 1.0, per_second: false };

    /// Bytes of a value over so many seconds.
    #[must_use]
    pub fn volume(self, value: f64, seconds: f64) -> f64 {
        value * self.bytes * if self.per_second { seconds } else { 1.0 }
    }

    /// Its name.
    #[must_use]
    pub fn said(self) -> &'static str {
        const NAMES: [(f64, &str, &str); 11] = [
            (0.125, "bit/s", "bits"),
            (125.0, "kbit/s", "kbit"),
            (125e3, "Mbit/s", "Mbit"),
            (125e6, "Gbit/s", "Gbit"),
            (1e3, "kB/s", "kB"),
            (1e6, "MB/s", "MB"),
            (1e9, "GB/s", "GB"),
            (1024.0, "KiB/s", "KiB"),
            (1_048_576.0, "MiB/s", "MiB"),
            (1_073_741_824.0, "GiB/s", "GiB"),
            (1.0, "byte/s", "bytes"),
        ];
        let is_own = |(bytes, ..): &&(f64, &str, &str)| (bytes / self.bytes - 1.0).abs() < 1e-9;
        let (_, rate, amount) = NAMES.iter().find(is_own).unwrap_or(&(1.0, "byte/s", "bytes"));
        if self.per_second { rate } else { amount }
    }

    /// The unit of a text such as `bit/s`, `kB`, `Mbps`, `octets per second`.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let text = text.trim().trim_matches(['(', ')', '[', ']']).trim();
        let lower = text.to_ascii_lowercase();
        let (stem, per_second) = ["/s", "/sec", "/second", " per second", " per sec", "ps"]
            .iter()
            .find_map(|end| lower.strip_suffix(end).map(|stem| (text[..stem.len()].trim(), true)))
            .unwrap_or((text, false));
        let lower = stem.to_ascii_lowercase();
        let words = [("octets", 1.0), ("octet", 1.0), ("bytes", 1.0), ("byte", 1.0), ("bits", 0.125), ("bit", 0.125)];
        let (prefix, bytes) = match words.iter().find(|(word, _)| lower.ends_with(word)) {
            Some((word, bytes)) => (&stem[..stem.len() - word.len()], *bytes),
            // One letter: large for bytes, small for bits.
            None if stem.ends_with('B') => (&stem[..stem.len() - 1], 1.0),
            None if stem.ends_with('b') => (&stem[..stem.len() - 1], 0.125),
            None => return None,
        };
        let scale = prefixed(prefix.trim())?;
        // What is said in KByte, in a word, is counted in 1,024 by those who write so.
        let is_binary = prefix.trim() == "K" && bytes >= 1.0 && lower.ends_with("byte");
        Some(Self { bytes: bytes * if is_binary { 1024.0 } else { scale }, per_second })
    }
}

fn prefixed(text: &str) -> Option<f64> {
    Some(match text {
        "" => 1.0,
        "k" | "K" | "kilo" | "Kilo" => 1e3,
        // Small letters, too: nobody counts thousandths of a bit.
        "M" | "m" | "mega" | "Mega" => 1e6,
        "G" | "g" | "giga" | "Giga" => 1e9,
        "T" | "tera" | "Tera" => 1e12,
        "Ki" | "ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    })
}

/// Whether a cell says that nothing was measured.
#[must_use]
pub fn is_nothing(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    ["", "nan", "-nan", "+nan", "null", "none", "n/a", "na", "-", "u", "(empty)", "inf", "+inf", "-inf", "undefined"]
        .contains(&lower.as_str())
}

/// The sign between whole and part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalSign {
    /// `1,234.5`
    Point,
    /// `1.234,5`
    Comma,
}

/// A number with that sign; others between its digits group them.
#[must_use]
pub fn number(text: &str, sign: DecimalSign) -> Option<f64> {
    let text = text.trim();
    let (decimal, group) = match sign {
        DecimalSign::Point => ('.', ','),
        DecimalSign::Comma => (',', '.'),
    };
    let is_group = |letter: char| letter == group || [' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}'].contains(&letter);
    let plain: String = text
        .chars()
        .filter(|letter| !is_group(*letter))
        .map(|letter| if letter == decimal { '.' } else { letter })
        .collect();
    let fine = |letter: char| letter.is_ascii_digit() || "+-.eE".contains(letter);
    (plain.bytes().any(|byte| byte.is_ascii_digit()) && plain.chars().all(fine)).then(|| plain.parse().ok())?
}

/// The decimal sign of a column of numbers; none where both readings are possible.
#[must_use]
pub fn decimal_sign<'a>(texts: impl Iterator<Item = &'a str>) -> Option<DecimalSign> {
    let mut is_either = false;
    for text in texts {
        let digits = text.trim().trim_start_matches(['+', '-']);
        let signs: Vec<(usize, char)> = digits.char_indices().filter(|(_, letter)| ".,".contains(*letter)).collect();
        let of = |letter| if letter == ',' { DecimalSign::Comma } else { DecimalSign::Point };
        let not = |letter| if letter == ',' { DecimalSign::Point } else { DecimalSign::Comma };
        match signs[..] {
            [] => {}
            [(at, letter)] => {
                let after = digits[at + 1..].chars().take_while(char::is_ascii_digit).count();
                // Three digits behind one sign, and one to three before it, may be a group.
                if after != 3 || at > 3 || at == 0 || digits.starts_with('0') {
                    return Some(of(letter));
                }
                is_either = true;
            }
            [.., (_, last)] if signs.iter().any(|(_, letter)| *letter != last) => return Some(of(last)),
            [(_, letter), ..] => return Some(not(letter)),
        }
    }
    // Whole numbers alone.
    (!is_either).then_some(DecimalSign::Point)
}

/// A number with its unit, such as `12.3 Mb/s` or `2479 kB`.
#[must_use]
pub fn measured(text: &str, sign: DecimalSign) -> Option<(f64, Unit)> {
    let text = text.trim();
    let end = text.find(|letter: char| letter.is_alphabetic())?;
    Some((number(&text[..end], sign)?, Unit::named(&text[end..])?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_as_they_are_written() {
        let unit = |bytes: f64, per_second: bool| Some(Unit { bytes, per_second });
        let cases = [
            ("bit/s", unit(0.125, true)),
            ("bits per second", unit(0.125, true)),
            ("bps", unit(0.125, true)),
            ("Mbps", unit(125_000.0, true)),
            ("Mb/s", unit(125_000.0, true)),
            ("MB/s", unit(1e6, true)),
            ("kbit/s", unit(125.0, true)),
            ("KByte", unit(1024.0, false)),
            ("kB", unit(1000.0, false)),
            ("KiB", unit(1024.0, false)),
            ("octets per second", unit(1.0, true)),
            ("(bytes)", unit(1.0, false)),
            ("Gbit/s", unit(125e6, true)),
            ("%", None),
            ("ms", None),
            // Letters whose small ones have another length.
            ("\u{212a}bytes", None),
            ("\u{130}bit/s", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(Unit::named(text), wanted, "{text}");
        }
        assert_eq!(
            measured("12.3 Mb/s", DecimalSign::Point),
            Some((12.3, Unit { bytes: 125_000.0, per_second: true }))
        );
        assert_eq!(
            measured("45.211,1 KByte", DecimalSign::Comma),
            Some((45_211.1, Unit { bytes: 1024.0, per_second: false }))
        );
    }

    #[test]
    fn the_decimal_sign_is_told_by_the_column_or_not_at_all() {
        let sign = |texts: &[&str]| decimal_sign(texts.iter().copied());
        assert_eq!(sign(&["1.234", "12.5"]), Some(DecimalSign::Point));
        assert_eq!(sign(&["1.234", "1.234,5"]), Some(DecimalSign::Comma));
        assert_eq!(sign(&["1.234.567"]), Some(DecimalSign::Comma));
        assert_eq!(sign(&["1,234", "999"]), None);
        assert_eq!(sign(&["0.125"]), Some(DecimalSign::Point));
        assert_eq!(sign(&["12", "15"]), Some(DecimalSign::Point));
        assert_eq!(number("1.234,5", DecimalSign::Comma), Some(1234.5));
        assert_eq!(number("1 234,5", DecimalSign::Comma), Some(1234.5));
        assert_eq!(number("1e6", DecimalSign::Point), Some(1e6));
        assert_eq!(number("12 Mb", DecimalSign::Point), None);
        assert!(["NaN", "", "-nan", "null"].into_iter().all(is_nothing) && !is_nothing("0"));
    }
}
