//! How much of everything a day has beside a usual one: weekdays, holidays, and what makes one Monday unlike another.

use crate::elementary::{exp, ln};
use crate::model::calendar::Calendar;
use crate::random::{Key, Purpose};

/// How much of everything days have.
#[derive(Clone, Debug, PartialEq)]
pub struct DayLevels {
    /// Factor by weekday, Monday first.
    pub weekdays: [f64; 7],
    /// Days of the run that are holidays.
    pub holidays: Vec<u32>,
    /// Share of people and demand that is there on a holiday.
    pub on_holidays: f64,
    /// Standard deviation of a day's level, as a share of it.
    pub spread: f64,
}

impl Default for DayLevels {
    /// All days are alike.
    fn default() -> Self {
        Self { weekdays: [1.0; 7], holidays: Vec::new(), on_holidays: 0.0, spread: 0.0 }
    }
}

/// How much of everything a day has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DayLevel {
    /// How many times as much each person does, and comes in by itself.
    pub pace: f64,
    /// Share of people and demand that is there.
    pub at_work: f64,
}

impl DayLevel {
    /// A usual day.
    pub const USUAL: Self = Self { pace: 1.0, at_work: 1.0 };

    /// Both together.
    #[must_use]
    pub fn demand(&self) -> f64 {
        self.pace * self.at_work
    }
}

impl DayLevels {
    /// The level of a day: a random level times a profile (Kim & Whitt, MSOM 2014), the same for all classes and sites; lognormal with
    /// mean 1, as it cannot be below nothing.
    #[must_use]
    pub fn of(&self, key: Key, calendar: &Calendar, day: u64) -> DayLevel {
        let chance = if self.spread > 0.0 {
            let variance = ln(1.0 + self.spread * self.spread);
            exp(variance.sqrt() * key.of(Purpose::Level, 0).stream(day).normal() - variance / 2.0)
        } else {
            1.0
        };
        let usual = self.usual(calendar, day);
        DayLevel { pace: usual.pace * chance, ..usual }
    }

    /// The mean level of a day.
    #[must_use]
    pub fn usual(&self, calendar: &Calendar, day: u64) -> DayLevel {
        match self.weekdays[usize::from(calendar.weekday(day))] {
            pace if pace > 0.0 => DayLevel { pace, at_work: self.at_work(day) },
            _ => DayLevel { pace: 1.0, at_work: 0.0 },
        }
    }

    /// Share of people and demand that is there on a day.
    #[must_use]
    pub fn at_work(&self, day: u64) -> f64 {
        let is_holiday = self.holidays.iter().any(|holiday| u64::from(*holiday) == day);
        if is_holiday { self.on_holidays } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Tally;

    #[test]
    fn levels_have_their_mean_and_spread() {
        let levels = DayLevels { spread: 0.1, ..DayLevels::default() };
        let calendar = Calendar::default();
        let drawn: Tally =
            (0..20_000).map(|replication| levels.of(Key::new(7, replication), &calendar, 0).pace).collect();
        // Five standard errors.
        assert!((drawn.mean() - 1.0).abs() < 5.0 * 0.1 / 20_000_f64.sqrt(), "{}", drawn.mean());
        assert!((drawn.variance().sqrt() - 0.1).abs() < 5.0 * 0.1 / 40_000_f64.sqrt(), "{}", drawn.variance().sqrt());
    }

    #[test]
    fn a_holiday_and_a_weekday_have_their_factors() {
        let mut levels = DayLevels { holidays: vec![1], on_holidays: 0.25, ..DayLevels::default() };
        levels.weekdays[1] = 0.5;
        let calendar = Calendar { days: 3, ..Calendar::default() };
        let of = |day| levels.of(Key::new(1, 0), &calendar, day).demand();
        assert!((of(0) - 1.0).abs() + (of(1) - 0.125).abs() + (of(2) - 1.0).abs() < 1e-12);
    }
}
