//! Times as files write them: instants, and local times that mean an instant only with a zone.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};

/// A time that was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stamp {
    /// An instant [s since 1970, UTC].
    Instant(f64),
    /// A local time; the second part is what is below a second [s].
    Local(DateTime, f64),
}

/// What comes first in `03/04/2026`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayOrder {
    /// The day.
    DayFirst,
    /// The month.
    MonthFirst,
}

/// A zone, for times that carry none.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The zone.
    pub zone: TimeZone,
    /// Its name.
    pub name: String,
    /// Whether the user named it.
    pub is_given: bool,
}

/// Why a local time is no instant: the place of the stamp, and a sentence.
pub type ClockFault = (usize, String);

impl Clock {
    /// The zone of this name, such as `Europe/London` or `UTC`.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(name: &str) -> Result<Self, String> {
        let zone = match name {
            "UTC" | "Z" | "GMT" => Ok(TimeZone::UTC),
            _ => TimeZone::get(name).or_else(|fault| fixed(name).ok_or(fault)),
        };
        match zone {
            Ok(zone) => Ok(Self { zone, name: name.to_owned(), is_given: true }),
            Err(_) => Err(format!("`{name}` is no zone; write one such as Europe/London, UTC or +01:00")),
        }
    }

    /// The zone that is taken where nobody says one.
    #[must_use]
    pub fn usual() -> Self {
        let zone = TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC);
        Self { zone, name: "Europe/London".to_owned(), is_given: false }
    }

    /// How the zone is known, in a sentence.
    #[must_use]
    pub fn said(&self) -> String {
        if self.is_given {
            format!("local times are in {}, as you said", self.name)
        } else {
            format!("local times without a zone are taken as {} (`--zone` says otherwise)", self.name)
        }
    }

    /// The instants of stamps in the order of their file, oldest or newest first. An hour that the clock goes through twice is told by
    /// that order.
    ///
    /// # Errors
    /// If a local time does not exist in the zone.
    pub fn instants(&self, stamps: &[Stamp]) -> Result<Vec<f64>, ClockFault> {
        let mut order: Vec<usize> = (0..stamps.len()).collect();
        let is_local = |stamp: &&Stamp| matches!(stamp, Stamp::Local(..));
        let locals: Vec<&DateTime> = stamps
            .iter()
            .filter(is_local)
            .filter_map(|stamp| match stamp {
                Stamp::Local(time, _) => Some(time),
                Stamp::Instant(_) => None,
            })
            .collect();
        let is_falling = locals.first().zip(locals.last()).is_some_and(|(first, last)| first > last);
        if is_falling {
            order.reverse();
        }
        let mut found = vec![0.0; stamps.len()];
        let mut last = f64::NEG_INFINITY;
        for place in order {
            let at = match stamps[place] {
                Stamp::Instant(at) => at,
                Stamp::Local(time, below) => self.instant(time, last).map_err(|what| (place, what))? + below,
            };
            found[place] = at;
            last = at;
        }
        Ok(found)
    }

    /// The instant of a local time after another one.
    fn instant(&self, time: DateTime, last: f64) -> Result<f64, String> {
        /// A file that goes back by more than this begins with another thing.
        const BLOCK: f64 = 7200.0;
        let civil = seconds(time);
        match self.zone.to_ambiguous_timestamp(time).offset() {
            AmbiguousOffset::Unambiguous { offset } => Ok(civil - f64::from(offset.seconds())),
            AmbiguousOffset::Gap { .. } => {
                let name = &self.name;
                Err(format!("{} does not exist in {name}: clocks go forward then", time.strftime("%Y-%m-%d %H:%M")))
            }
            AmbiguousOffset::Fold { before, after } => {
                let [early, late] = [before, after].map(|offset| civil - f64::from(offset.seconds()));
                let is_behind = early < last && early > last - BLOCK;
                Ok(if is_behind { late } else { early })
            }
        }
    }
}

/// A zone of a fixed offset, such as `+01:00`.
fn fixed(text: &str) -> Option<TimeZone> {
    let seconds = offset(text)?;
    #[allow(clippy::cast_possible_truncation)] // at most a day
    jiff::tz::Offset::from_seconds(seconds as i32).ok().map(jiff::tz::Offset::to_time_zone)
}

/// Seconds of a civil time as if it were UTC.
#[allow(clippy::cast_precision_loss)] // seconds of this age
fn seconds(time: DateTime) -> f64 {
    let zoned = jiff::tz::Offset::UTC.to_timestamp(time);
    zoned.map_or(0.0, |at| at.as_second() as f64)
}

/// A time in any of the forms that exports have; `order` says what comes first where that cannot be seen.
#[must_use]
pub fn stamp(text: &str, order: DayOrder) -> Option<Stamp> {
    let text = text.trim().trim_matches('"').trim();
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return epoch(text).map(Stamp::Instant);
    }
    let split = text.find(['T', ' ', 't']).filter(|_| text.as_bytes()[0].is_ascii_digit());
    let (date, rest) = match split {
        Some(at) => (&text[..at], text[at + 1..].trim()),
        None => (text, ""),
    };
    let (year, month, day) = civil_date(date, order)?;
    let (hour, minute, second, below, zone) = civil_time(rest)?;
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    let time = jiff::civil::Time::new(hour, minute, second, 0).ok()?;
    let local = DateTime::from_parts(date, time);
    Some(match zone {
        Some(offset) => Stamp::Instant(seconds(local) + below - offset),
        None => Stamp::Local(local, below),
    })
}

/// Seconds since 1970 from a number that may count milliseconds, microseconds or nanoseconds.
fn epoch(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let scale = match number {
        number if number < 1e8 => return None,
        number if number < 1e11 => 1.0,
        number if number < 1e14 => 1e3,
        number if number < 1e17 => 1e6,
        _ => 1e9,
    };
    Some(number / scale)
}

fn civil_date(text: &str, order: DayOrder) -> Option<(i16, i8, i8)> {
    let sign = text.chars().find(|sign| !sign.is_ascii_digit())?;
    let parts: Vec<&str> = text.trim_end_matches(sign).split(sign).collect();
    let [first, second, third] = parts[..] else { return None };
    let number = |text: &str| text.parse::<i16>().ok();
    let (year, month, day) = match (first.len(), sign) {
        (4, _) => (first, second, third),
        (_, '/') if order == DayOrder::MonthFirst => (third, first, second),
        (_, '/' | '.' | '-') => (third, second, first),
        _ => return None,
    };
    if year.len() != 4 {
        return None;
    }
    Some((number(year)?, i8::try_from(number(month)?).ok()?, i8::try_from(number(day)?).ok()?))
}

/// Hour, minute, second, what is below it [s], and the offset from UTC [s] where there is one. Nothing is midnight.
fn civil_time(text: &str) -> Option<(i8, i8, i8, f64, Option<f64>)> {
    let end = text.find(|sign: char| !(sign.is_ascii_digit() || ":.,".contains(sign))).unwrap_or(text.len());
    let (clock, mut rest) = (&text[..end], text[end..].trim());
    let mut parts = clock.split(':');
    let mut hour: i8 = match parts.next() {
        None | Some("") => 0,
        Some(hour) => hour.parse().ok()?,
    };
    let minute: i8 = parts.next().map_or(Some(0), |minute| minute.parse().ok())?;
    let second: f64 = parts.next().map_or(Some(0.0), |second| second.replace(',', ".").parse().ok())?;
    let noon = [("AM", 0), ("PM", 12), ("am", 0), ("pm", 12)];
    if let Some((mark, add)) = noon.iter().find(|(mark, _)| rest.starts_with(mark)) {
        hour = hour % 12 + add;
        rest = rest[mark.len()..].trim();
    }
    let zone = match rest {
        "" => None,
        rest => Some(offset(rest)?),
    };
    if !(0.0..60.0).contains(&second) {
        return None;
    }
    #[allow(clippy::cast_possible_truncation)] // below 60
    let whole = second.trunc() as i8;
    Some((hour, minute, whole, second.fract(), zone))
}

/// An offset from UTC [s]: `Z`, `UTC`, `+01:00`, `+0100`.
fn offset(text: &str) -> Option<f64> {
    if ["Z", "z", "UTC", "GMT"].contains(&text) {
        return Some(0.0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1.0,
        b'-' => -1.0,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|digit| *digit != ':').collect();
    if digits.len() != 4 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (f64, f64) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    Some(sign * (hours * 3600.0 + minutes * 60.0))
}

/// What comes first in the dates of a column; none where it cannot be told, and the two readings differ.
#[must_use]
pub fn day_order<'a>(texts: &(impl Iterator<Item = &'a str> + Clone)) -> Option<DayOrder> {
    let reads = |order: DayOrder| {
        let mut last: Option<jiff::civil::Date> = None;
        let (mut steps, mut jumps) = ([0_u32; 2], 0_u32);
        for text in texts.clone() {
            let text = text.trim().trim_matches('"');
            let date = text.split([' ', 'T']).next().unwrap_or("");
            let Some((year, month, day)) = civil_date(date, order) else { continue };
            let found = jiff::civil::Date::new(year, month, day).ok()?;
            if let Some(last) = last.replace(found) {
                steps[0] += u32::from(found > last);
                steps[1] += u32::from(found < last);
                jumps += u32::from(found.since(last).map_or(0, |since| since.get_days().abs()) > 1);
            }
        }
        // A file is in order, one way or the other, and leaves out no days.
        Some((steps[0].min(steps[1]), jumps))
    };
    match (reads(DayOrder::DayFirst), reads(DayOrder::MonthFirst)) {
        (Some(_), None) => Some(DayOrder::DayFirst),
        (None, Some(_)) => Some(DayOrder::MonthFirst),
        (Some(day), Some(month)) if day < month => Some(DayOrder::DayFirst),
        (Some(day), Some(month)) if month < day => Some(DayOrder::MonthFirst),
        (Some(_), Some(_)) if !texts.clone().any(|text| text.contains('/')) => Some(DayOrder::DayFirst),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> f64 {
        match stamp(text, DayOrder::DayFirst) {
            Some(Stamp::Instant(at)) => at,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn local(text: &str) -> Stamp {
        stamp(text, DayOrder::DayFirst).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn the_same_instant_is_read_in_every_form() {
        for text in
            ["1776672000", "1776672000000", "2026-04-20T08:00:00Z", "2026-04-20T09:00:00+01:00", "2026-04-20 08:00 UTC"]
        {
            assert!((instant(text) - 1_776_672_000.0).abs() < 1e-6, "{text}");
        }
        assert!((instant("2026-04-20T08:00:00.250Z") - 1_776_672_000.25).abs() < 1e-6);
        let eight = local("2026-04-20 08:00:00");
        for text in ["20.04.2026 08:00", "20/04/2026 08:00:00", "2026/04/20 08:00", "20/04/2026 8:00 AM"] {
            assert_eq!(local(text), eight, "{text}");
        }
        assert_eq!(stamp("4/20/2026 8:00:00 AM", DayOrder::MonthFirst), Some(eight));
        for text in ["", "total", "12.3", "31/31/2026", "2026-02-30 08:00", "25:00"] {
            assert_eq!(stamp(text, DayOrder::DayFirst), None, "{text}");
        }
    }

    /// Fault: in the night in which clocks change, an hour is lost, is there twice, or is made up.
    #[test]
    fn clocks_change() {
        let london = Clock::named("Europe/London").unwrap();
        let stamps = |texts: &[&str]| texts.iter().map(|text| local(text)).collect::<Vec<_>>();
        let spring = stamps(&["2026-03-29 00:50", "2026-03-29 00:55", "2026-03-29 02:00", "2026-03-29 02:05"]);
        let found = london.instants(&spring).unwrap();
        assert!(found.windows(2).all(|pair| (pair[1] - pair[0] - 300.0).abs() < 1e-6), "{found:?}");
        let missing = stamps(&["2026-03-29 00:55", "2026-03-29 01:30"]);
        let fault = london.instants(&missing).unwrap_err();
        assert!(fault.0 == 1 && fault.1.contains("01:30 does not exist in Europe/London"), "{fault:?}");
        let autumn: Vec<String> =
            ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"].map(|at| format!("2026-10-25 {at}")).to_vec();
        let autumn: Vec<Stamp> = autumn.iter().map(|text| local(text)).collect();
        let found = london.instants(&autumn).unwrap();
        assert!(found.windows(2).all(|pair| (pair[1] - pair[0] - 1800.0).abs() < 1e-6), "{found:?}");
        let mut newest_first = autumn.clone();
        newest_first.reverse();
        let mut back = london.instants(&newest_first).unwrap();
        back.reverse();
        assert_eq!(back, found);
    }

    #[test]
    fn what_comes_first_is_told_by_the_column_or_not_at_all() {
        let order = |texts: &[&str]| day_order(&texts.iter().copied());
        assert_eq!(order(&["20/04/2026 08:00", "21/04/2026 08:00"]), Some(DayOrder::DayFirst));
        assert_eq!(order(&["04/20/2026 08:00"]), Some(DayOrder::MonthFirst));
        assert_eq!(order(&["03/04/2026 08:00", "03/04/2026 08:05"]), None, "the 3rd or the 4th");
        assert_eq!(order(&["01/04/2026", "02/04/2026", "03/04/2026"]), Some(DayOrder::DayFirst), "no day is left out");
        assert_eq!(order(&["30/04/2026", "01/05/2026"]), Some(DayOrder::DayFirst));
        assert_eq!(order(&["05/01/2026", "06/01/2026", "01/02/2026"]), Some(DayOrder::DayFirst));
        assert_eq!(order(&["01.04.2026"]), Some(DayOrder::DayFirst));
    }
}
