//! The time axis of a run: bins and windows.

use crate::model::{Calendar, Model};
use crate::units::{Duration, NANOS, Time, TimeOfDay};

/// Length of the windows over which latency quantiles are taken.
pub const WINDOW: Duration = Duration(300 * NANOS);

/// The simulated hours as a line of bins: day after day, without the hours between.
#[derive(Clone, Copy, Debug)]
pub struct Axis {
    calendar: Calendar,
    /// Length of a bin.
    pub bin: Duration,
}

impl Axis {
    /// The axis of a model's timeline.
    #[must_use]
    pub fn of(model: &Model) -> Self {
        Self { calendar: model.calendar, bin: model.bin }
    }

    /// The axis of latency windows; the last of a day may be short.
    #[must_use]
    pub fn windows(self) -> Self {
        Self { bin: Duration(WINDOW.0.max(self.bin.0)), ..self }
    }

    /// The same hours in bins of another length; the last of a day may be short.
    #[must_use]
    pub fn in_bins(self, bin: Duration) -> Self {
        Self { bin, ..self }
    }

    fn per_day(&self) -> usize {
        usize::try_from((self.calendar.until.0 - self.calendar.from.0).div_ceil(self.bin.0)).unwrap_or(usize::MAX)
    }

    /// Number of bins.
    #[must_use]
    pub fn len(&self) -> usize {
        self.per_day() * self.calendar.days as usize
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bin of an instant; none outside the watched hours.
    #[must_use]
    pub fn bin_of(&self, at: Time) -> Option<usize> {
        if !self.calendar.watched(at) {
            return None;
        }
        let within = usize::try_from((at.clock().0 - self.calendar.from.0) / self.bin.0).ok()?;
        Some(usize::try_from(at.day()).ok()? * self.per_day() + within)
    }

    /// The start of a bin.
    #[must_use]
    pub fn start(&self, bin: usize) -> Time {
        let (day, within) = (bin / self.per_day(), (bin % self.per_day()) as u64);
        TimeOfDay(self.calendar.from.0 + within * self.bin.0).on(day as u64)
    }
}
