//! The simulated days.

use crate::units::{DAY, Time, TimeOfDay};

/// The simulated days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Weekday of the first day (0 = Monday).
    pub weekday: u8,
    /// Number of days.
    pub days: u32,
    /// First time of day that is watched.
    pub from: TimeOfDay,
    /// Time of day at which watching ends.
    pub until: TimeOfDay,
}

impl Default for Calendar {
    /// A whole Monday.
    fn default() -> Self {
        Self { weekday: 0, days: 1, from: TimeOfDay(0), until: TimeOfDay(DAY) }
    }
}

impl Calendar {
    /// The first watched instant.
    #[must_use]
    pub fn start(&self) -> Time {
        self.from.on(0)
    }

    /// The last watched instant.
    #[must_use]
    pub fn end(&self) -> Time {
        self.until.on(u64::from(self.days) - 1)
    }

    /// The weekday of a day (0 = Monday).
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn weekday(&self, day: u64) -> u8 {
        ((u64::from(self.weekday) + day) % 7) as u8
    }

    /// Whether this instant is watched.
    #[must_use]
    pub fn watched(&self, now: Time) -> bool {
        now.day() < u64::from(self.days) && (self.from..self.until).contains(&now.clock())
    }
}

/// The windows of an order: each day's `from` to `until`, on one day or on all.
pub(crate) fn daily(days: u32, only: Option<u64>, from: TimeOfDay, until: TimeOfDay) -> Vec<(Time, Time)> {
    (0..u64::from(days))
        .filter(|day| only.is_none_or(|one| one == *day))
        .map(|day| (from.on(day), until.on(day)))
        .collect()
}
