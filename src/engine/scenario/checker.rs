//! The checker: reads fields and collects their problems.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::disk::{Folder, shown};
use crate::elementary::exp;
use crate::random;
use crate::scenario::field::{Date, Field};
use crate::scenario::file::{At, Law};
use crate::scenario::problem::{Problems, SourceId};
use crate::units::{Bytes, Duration, PacketRate, Text, TimeOfDay, float};

/// Problems found so far, and the folder of files.
pub struct Checker {
    /// The faults.
    pub problems: Problems,
    /// Files that the scenario names, in the order in which they were read.
    pub files: Vec<InputFile>,
    /// The scenario's own file of devices has a fault of form: what it holds is not known.
    pub unread_profiles: bool,
    folder: Folder,
    blanked: BTreeSet<String>,
}

/// A file that the scenario names.
#[derive(Clone, Debug, PartialEq)]
pub struct InputFile {
    /// Where its name stands in the scenario.
    pub at: Range<usize>,
    /// Its name, as written.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Checker {
    /// Starts from the faults of form.
    #[must_use]
    pub fn new(problems: Problems, folder: Folder, blanked: BTreeSet<String>) -> Self {
        Self { problems, files: Vec::new(), unread_profiles: false, folder, blanked }
    }

    /// The value of a field that must be there; its table stands at `table`.
    pub fn required<T: Text + Clone>(&mut self, field: &Field<T>, table: &Range<usize>, key: &str) -> Option<T> {
        if !field.is_written() {
            self.missing(table, key, T::WHAT);
        }
        self.optional(field)
    }

    /// Notes that a field of the table at `table` is missing, unless it was there and faulty in its form.
    pub fn missing(&mut self, table: &Range<usize>, key: &str, what: &str) {
        if !self.blanked.contains(key) {
            self.problems.add(table, format!("`{key}` is missing here"), format!("write `{key}` as {what}"));
        }
    }

    /// Whether one of these fields was there and faulty in its form.
    #[must_use]
    pub fn was_blanked(&self, fields: &[&str]) -> bool {
        fields.iter().any(|key| self.blanked.contains(*key))
    }

    /// The value of a field, if it was written and is right.
    pub fn optional<T: Text + Clone>(&mut self, field: &Field<T>) -> Option<T> {
        if let Some(message) = field.error() {
            self.problems.add(field.span(), message, format!("this should be {}", T::WHAT));
        }
        field.value().cloned()
    }

    /// The value of a field, or its default.
    pub fn or<T: Text + Clone>(&mut self, field: &Field<T>, default: T) -> T {
        self.optional(field).unwrap_or(default)
    }

    /// Two times of day, the first before the second.
    pub fn window(
        &mut self,
        from: &Field<TimeOfDay>,
        until: &Field<TimeOfDay>,
        default: (TimeOfDay, TimeOfDay),
    ) -> (TimeOfDay, TimeOfDay) {
        let window = (self.or(from, default.0), self.or(until, default.1));
        let wrong = from.error().is_some() || until.error().is_some();
        if window.0 >= window.1 && !wrong {
            let at = if until.is_written() { until.span() } else { from.span() };
            self.problems.add(
                at,
                format!("this window ends at {} but starts at {}", window.1, window.0),
                "write an end that lies after the start; a window lies within one day",
            );
            return default;
        }
        window
    }

    /// The number of the day that a date names, in a run of `days` from `first`: negative before the run, none (and a
    /// problem) after it.
    pub fn day(&mut self, field: &Field<Date>, first: Option<jiff::civil::Date>, days: u32) -> Option<i64> {
        let date = self.optional(field)?;
        let Some(first) = first else {
            let help = "write `date` in [run] in place of `weekday`";
            self.problems.add(field.span(), "a date needs a dated run", help);
            return None;
        };
        let day = i64::from(first.until(date.0).map(|span| span.get_days()).unwrap_or_default());
        if day >= i64::from(days) {
            let help = format!("the run begins on {first} and lasts {days} days");
            self.problems.add(field.span(), format!("{} lies after the run", date.0), help);
            return None;
        }
        Some(day)
    }

    /// The text of a file that the scenario names, and its name for problems; a byte-order mark is dropped.
    pub fn file(&mut self, at: &Range<usize>, name: &str) -> Option<(String, SourceId)> {
        if !self.folder.admits(name) {
            let help = "put it beside the scenario, or say `--allow-outside` if you trust the scenario to read it";
            self.problems.add(at, format!("`{name}` lies outside the folder of the scenario"), help);
            return None;
        }
        let bytes = match self.folder.read(name) {
            Ok(bytes) => bytes,
            Err(fault) => {
                let path = self.folder.path_of(name);
                let help = format!("looked for {}: {fault}; a relative path starts at the scenario", shown(&path));
                self.problems.add(at, format!("`{name}` cannot be read"), help);
                return None;
            }
        };
        self.files.push(InputFile { at: at.clone(), name: name.to_owned(), bytes: bytes.clone() });
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
                let source = self.problems.source(name, &text);
                Some((text, source))
            }
            Err(fault) => {
                let good = fault.utf8_error().valid_up_to();
                let line = fault.as_bytes()[..good].iter().filter(|&&byte| byte == b'\n').count() + 1;
                let title = format!("`{name}` is not text in UTF-8: line {line}, byte {good} of the file");
                self.problems.add(at, title, "save it again as \"CSV UTF-8\"");
                None
            }
        }
    }

    /// A distribution, in seconds or bytes.
    pub fn law<T: DistributedQuantity>(&mut self, law: &At<Law<T>>) -> Option<random::Distribution> {
        let at = law.span();
        match law.get_ref() {
            Law::Fixed(value) => {
                self.required(value, &at, "fixed").map(|value| random::Distribution::Fixed(value.number()))
            }
            Law::Exponential(mean) => {
                self.positive(mean, &at, "exponential").map(|mean| random::Distribution::Exponential(mean.number()))
            }
            Law::Lognormal(law) => self.lognormal(law, &at),
            Law::Pareto(law) => {
                let shape = self.required(&law.shape, &at, "shape");
                let (from, to) = (self.positive(&law.from, &at, "from"), self.positive(&law.to, &at, "to"));
                let (shape, from, to) = (shape?.0, from?.number(), to?.number());
                if shape > 0.0 && from < to {
                    return Some(random::Distribution::Pareto { shape, from, to });
                }
                let help = "write a shape above 0, and `from` smaller than `to`";
                self.problems.add(&at, "this Pareto distribution has no values", help);
                None
            }
            Law::Empirical(points) => self.empirical(points, &at),
        }
    }

    fn lognormal<T: DistributedQuantity>(
        &mut self,
        law: &crate::scenario::file::LognormalFile<T>,
        at: &Range<usize>,
    ) -> Option<random::Distribution> {
        let sigma = self.required(&law.sigma, at, "sigma").map(|sigma| sigma.0);
        let (mean, median) = (self.optional(&law.mean), self.optional(&law.median));
        let min = self.optional(&law.min).map_or(0.0, |min| min.number());
        let max = self.optional(&law.max).map_or(f64::INFINITY, |max| max.number());
        if law.mean.is_written() == law.median.is_written() {
            let help = "write either `mean` or `median` of the distribution";
            self.problems.add(at, "a lognormal distribution needs its mean or its median, and not both", help);
            return None;
        }
        let sigma = sigma?;
        let mean = mean.map(|mean| mean.number()).or(median.map(|median| median.number() * exp(sigma * sigma / 2.0)))?;
        let made = random::Distribution::lognormal(mean, sigma, (min, max));
        if made.is_none() {
            let help = "write a mean above zero, and `min` no larger than `max`";
            self.problems.add(at, "this lognormal distribution has no values", help);
        }
        made
    }

    fn empirical<T: DistributedQuantity>(
        &mut self,
        points: &[(Field<T>, Field<crate::units::Share>)],
        at: &Range<usize>,
    ) -> Option<random::Distribution> {
        let mut read = Vec::new();
        for (value, share) in points {
            read.push((self.required(value, at, "value")?.number(), self.required(share, at, "share")?.0));
        }
        let rises = read.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 < pair[1].1);
        let ends = read.last().is_some_and(|last| (last.1 - 1.0).abs() < 1e-9);
        if rises && ends {
            return Some(random::Distribution::Empirical(read));
        }
        let help = "write points such as [[\"1 kB\", \"10 %\"], [\"1 MB\", \"100 %\"]]";
        self.problems.add(at, "these points do not rise from point to point up to 100 %", help);
        None
    }

    /// A field that must be there and above zero.
    pub fn positive<T: DistributedQuantity>(&mut self, field: &Field<T>, table: &Range<usize>, key: &str) -> Option<T> {
        let value = self.required(field, table, key)?;
        if value.number() > 0.0 {
            return Some(value);
        }
        self.problems.add(field.span(), format!("`{key}` is zero"), format!("write {} above zero", T::WHAT));
        None
    }
}

/// A quantity that a distribution can be of.
pub trait DistributedQuantity: Text + Clone {
    /// In seconds, bytes, bits per second, or as it is.
    fn number(&self) -> f64;
}

impl DistributedQuantity for Duration {
    fn number(&self) -> f64 {
        self.secs()
    }
}

impl DistributedQuantity for PacketRate {
    fn number(&self) -> f64 {
        float(self.0)
    }
}

impl DistributedQuantity for Bytes {
    fn number(&self) -> f64 {
        self.bits() / 8.0
    }
}

impl DistributedQuantity for crate::units::BitRate {
    fn number(&self) -> f64 {
        self.bits()
    }
}

impl DistributedQuantity for crate::scenario::field::Number {
    fn number(&self) -> f64 {
        self.0
    }
}

impl DistributedQuantity for crate::scenario::field::Count {
    #[allow(clippy::cast_precision_loss)]
    fn number(&self) -> f64 {
        self.0 as f64
    }
}
