//! `[calendar]`, read into the levels of a run's days.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use crate::model::{Calendar, DayLevels};
use crate::scenario::check::demand::weekdays;
use crate::scenario::checker::Checker;
use crate::scenario::file::{BankHolidays, File};
use crate::units::Share;

/// A day's level varies by less than this share of it.
const MAX_SPREAD: f64 = 1.0;

/// The holidays of a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holidays {
    dates: Vec<Date>,
    bank_holidays: bool,
}

impl Holidays {
    /// Whether a date is one.
    #[must_use]
    pub fn contains(&self, date: Date) -> bool {
        self.dates.contains(&date) || (self.bank_holidays && is_bank_holiday(date))
    }
}

/// The levels of a run's days, and its holidays; `first` is the date of its first.
pub(crate) fn levels(
    file: &File,
    calendar: &Calendar,
    first: Option<Date>,
    check: &mut Checker,
) -> (DayLevels, Holidays) {
    let Some(table) = &file.calendar else { return Default::default() };
    let table = table.get_ref();
    let spread = check.or(&table.spread, Share(0.0)).0;
    if spread >= MAX_SPREAD {
        let help = "write a share such as \"8 %\"; days of one practice differ by some 30 %, those of many by less";
        check.problems.add(table.spread.span(), "a level that varies by as much as it is", help);
    }
    let mut dates = Vec::new();
    for holiday in &table.holidays {
        let Some(date) = check.optional(holiday) else { continue };
        if first.is_none() {
            let help = "write `date` in [run] in place of `weekday`, or leave `holidays` out";
            check.problems.add(holiday.span(), "a run without a date has no holidays", help);
        }
        dates.push(date.0);
    }
    let days = u64::from(calendar.days);
    let date_of = |day: u64| first?.checked_add(i64::try_from(day).ok()?.days()).ok();
    let known = Holidays { dates, bank_holidays: table.bank_holidays == Some(BankHolidays::EnglandAndWales) };
    let holidays = (0..days).filter(|day| date_of(*day).is_some_and(|date| known.contains(date)));
    let levels = DayLevels {
        weekdays: table.weekdays.as_ref().map_or([1.0; 7], |table| weekdays(Some(table), check)),
        holidays: holidays.filter_map(|day| u32::try_from(day).ok()).collect(),
        on_holidays: check.or(&table.on_holidays, Share(0.0)).0,
        spread,
    };
    (levels, known)
}

/// Whether a date is a bank holiday in England and Wales by the rules of the Banking and Financial Dealings Act 1971 and the
/// proclamations since; those of a single year are not known.
#[must_use]
pub fn is_bank_holiday(date: Date) -> bool {
    of_year(date.year()).contains(&date)
}

/// The bank holidays of a year.
fn of_year(year: i16) -> Vec<Date> {
    let on = |month: i8, day: i8| Date::new(year, month, day).ok();
    let later = |date: Option<Date>, days: i64| date?.checked_add(days.days()).ok();
    let easter = easter(year);
    // A holiday at a weekend is made up for on the next working day.
    let new_year = on(1, 1).and_then(|date| later(Some(date), to_monday(date)));
    let (christmas, boxing) = match on(12, 25).map(Date::weekday) {
        Some(Weekday::Friday) => (25, 28),
        Some(Weekday::Saturday) => (27, 28),
        Some(Weekday::Sunday) => (27, 26),
        _ => (25, 26),
    };
    let first_monday = |month: i8| on(month, 1).and_then(|date| later(Some(date), to_weekday(date, Weekday::Monday)));
    let last_monday = |month: i8| {
        on(month, 31).and_then(|date| later(Some(date), -i64::from(date.weekday().to_monday_zero_offset())))
    };
    let all = [
        new_year,
        later(easter, -2),
        later(easter, 1),
        first_monday(5),
        last_monday(5),
        last_monday(8),
        on(12, christmas),
        on(12, boxing),
    ];
    all.into_iter().flatten().collect()
}

/// Days until the next working day; none on one.
fn to_monday(date: Date) -> i64 {
    match date.weekday() {
        Weekday::Saturday => 2,
        Weekday::Sunday => 1,
        _ => 0,
    }
}

/// Days until a weekday; none on it.
fn to_weekday(date: Date, weekday: Weekday) -> i64 {
    i64::from((weekday.to_monday_zero_offset() - date.weekday().to_monday_zero_offset()).rem_euclid(7))
}

/// Easter Sunday in the Gregorian calendar (the anonymous algorithm of 1876; Meeus, Astronomical Algorithms, 2nd ed., chapter 8).
fn easter(year: i16) -> Option<Date> {
    let year = i32::from(year);
    let (golden, century, rest) = (year % 19, year / 100, year % 100);
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (rest / 4) - epact - rest % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * late + 114;
    Date::new(i16::try_from(year).ok()?, i8::try_from(days / 31).ok()?, i8::try_from(days % 31 + 1).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As gov.uk lists them, without the coronation of 2023 and the jubilee of 2022.
    #[test]
    fn bank_holidays_are_those_that_are_published() {
        let named = |year: i16| of_year(year).iter().map(|date| date.strftime("%m-%d").to_string()).collect::<Vec<_>>();
        let published = [
            (2021, "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28"),
            (2023, "01-02 04-07 04-10 05-01 05-29 08-28 12-25 12-26"),
            (2024, "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26"),
            (2025, "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26"),
            (2026, "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28"),
            (2027, "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28"),
        ];
        for (year, dates) in published {
            assert_eq!(named(year).join(" "), dates, "{year}");
        }
        // A Sunday: Monday is Boxing Day, Tuesday makes up for Christmas.
        assert_eq!(named(2022)[6..], ["12-27", "12-26"]);
    }
}
