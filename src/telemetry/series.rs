//! The tidy series: what passed in an interval, at a place, in a direction. Volumes and not rates: they add up.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The way of traffic, as the site sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Toward {
    /// To the sites.
    Down,
    /// From the sites.
    Up,
    /// Both ways in one figure.
    Both,
}

impl Toward {
    /// Its name in a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
            Self::Both => "both",
        }
    }

    /// The way of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Down, Self::Up, Self::Both].into_iter().find(|toward| toward.name() == name)
    }
}

/// What is known of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowState {
    /// Nothing is wrong with it.
    Ok,
    /// Nothing was measured.
    Gap,
    /// A counter began anew in it: what is there is a lower bound.
    Reset,
    /// A value that cannot be true: left out.
    Spike,
    /// Measured in a part of it, and scaled up.
    Partial,
    /// The place was full: what was carried, not what was wanted.
    Full,
}

impl RowState {
    const ALL: [Self; 6] = [Self::Ok, Self::Gap, Self::Reset, Self::Spike, Self::Partial, Self::Full];

    /// Its name in a table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Gap => "gap",
            Self::Reset => "reset",
            Self::Spike => "spike",
            Self::Partial => "partial",
            Self::Full => "full",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// How much passed; what was not measured is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Amount {
    /// Bytes.
    pub bytes: Option<f64>,
    /// Packets.
    pub packets: Option<f64>,
    /// Flows, calls, or whatever else was counted.
    pub count: Option<f64>,
    /// The highest rate within the interval [bit/s], where the source kept it.
    pub highest: Option<f64>,
}

impl Amount {
    /// So many bytes.
    #[must_use]
    pub fn of_bytes(bytes: f64) -> Self {
        Self { bytes: Some(bytes), ..Self::default() }
    }

    /// Whether nothing was measured.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// This with what it lacks from another; none where both have a part and do not agree to a millionth.
    #[must_use]
    pub fn and(self, other: Self) -> Option<Self> {
        let part = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => ((a - b).abs() <= 1e-6 * a.abs().max(b.abs())).then_some(Some(a)),
            (a, b) => Some(a.or(b)),
        };
        Some(Self {
            bytes: part(self.bytes, other.bytes)?,
            packets: part(self.packets, other.packets)?,
            count: part(self.count, other.count)?,
            highest: part(self.highest, other.highest)?,
        })
    }

    /// Every part through a function; the highest rate stays.
    #[must_use]
    pub fn map(self, change: impl Fn(f64) -> f64) -> Self {
        Self {
            bytes: self.bytes.map(&change),
            packets: self.packets.map(&change),
            count: self.count.map(&change),
            highest: self.highest,
        }
    }
}

/// What passed in an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesRow {
    /// Its beginning [s since 1970, UTC].
    pub begins: f64,
    /// Its length [s].
    pub seconds: f64,
    /// Where: a device, an interface, a tunnel.
    pub place: Arc<str>,
    /// The class, or `all`.
    pub class: Arc<str>,
    /// The way.
    pub toward: Toward,
    /// How much.
    pub amount: Amount,
    /// Share of the interval that was measured.
    pub coverage: f64,
    /// What is known of it.
    pub state: RowState,
    /// The file, and its line or the number of its value.
    pub origin: (Arc<str>, u32),
}

impl SeriesRow {
    /// Mean rate [bit/s].
    #[must_use]
    pub fn rate(&self) -> Option<f64> {
        self.amount.bytes.map(|bytes| bytes * 8.0 / self.seconds)
    }

    /// When it ends.
    #[must_use]
    pub fn ends(&self) -> f64 {
        self.begins + self.seconds
    }
}

/// The header of a table.
pub const HEADER: &str =
    "begins,seconds,where,class,direction,bytes,packets,count,bytes_max_bit_s,coverage,state,origin";

/// The rows as a table, with times in a zone.
///
/// # Errors
/// If a cell cannot be written.
pub fn table(rows: &[SeriesRow], zone: &TimeZone) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER.split(','))?;
    for row in rows {
        let Amount { bytes, packets, count, highest } = row.amount;
        let number = |value: Option<f64>| value.map_or_else(String::new, plain);
        writer.write_record([
            written(row.begins, zone),
            plain(row.seconds),
            row.place.to_string(),
            row.class.to_string(),
            row.toward.name().to_owned(),
            number(bytes),
            number(packets),
            number(count),
            number(highest),
            plain((row.coverage * 1e4).round() / 1e4),
            row.state.name().to_owned(),
            format!("{}:{}", row.origin.0, row.origin.1),
        ])?;
    }
    let bytes = writer.into_inner().map_err(|fault| csv::Error::from(fault.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The rows of a table as [`table`] writes it; `name` is that of its file.
///
/// # Errors
/// The line of the first row that is none, what is wrong with it, and what would be right.
pub fn read(text: &str, name: &Arc<str>) -> Result<Vec<SeriesRow>, (u32, String, String)> {
    let mut reader = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for (record, line) in reader.records().zip(2_u32..) {
        let record = record.map_err(|_| {
            (line, "this row has another number of cells than the header".to_owned(), format!("write {HEADER}"))
        })?;
        let line = record.position().map_or(line, |position| u32::try_from(position.line()).unwrap_or(line));
        rows.push(row_of(&record, (name, line)).map_err(|(title, help)| (line, title, help))?);
    }
    Ok(rows)
}

/// A row of a record.
fn row_of(record: &csv::StringRecord, (name, line): (&Arc<str>, u32)) -> Result<SeriesRow, (String, String)> {
    let cell = |place: usize| record.get(place).unwrap_or_default();
    let number = |place: usize, what: &str| -> Result<Option<f64>, (String, String)> {
        match cell(place) {
            "" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(number) if number >= 0.0 && number.is_finite() => Ok(Some(number)),
                _ => {
                    Err((format!("`{text}` is no {what}"), "write a number from 0, or leave the cell empty".to_owned()))
                }
            },
        }
    };
    let begins: Timestamp = cell(0).parse().map_err(|_| {
        let help = "write it with its offset, as in 2026-04-20T08:00:00+01:00".to_owned();
        (format!("`{}` is no time", cell(0)), help)
    })?;
    let seconds = number(1, "length [s]")?.filter(|seconds| *seconds > 0.0);
    let seconds = seconds
        .ok_or_else(|| (format!("`{}` is no length of an interval", cell(1)), "write seconds above zero".to_owned()))?;
    let toward = Toward::named(cell(4))
        .ok_or_else(|| (format!("`{}` is no direction", cell(4)), "write down, up or both".to_owned()))?;
    let state = RowState::named(cell(10)).ok_or_else(|| {
        (format!("`{}` is no state", cell(10)), "write ok, gap, reset, spike, partial or full".to_owned())
    })?;
    Ok(SeriesRow {
        #[allow(clippy::cast_precision_loss)] // milliseconds of this age
        begins: begins.as_millisecond() as f64 / 1e3,
        seconds,
        place: Arc::from(cell(2)),
        class: Arc::from(cell(3)),
        toward,
        amount: Amount {
            bytes: number(5, "number of bytes")?,
            packets: number(6, "number of packets")?,
            count: number(7, "number")?,
            highest: number(8, "rate [bit/s]")?,
        },
        coverage: number(9, "coverage")?.unwrap_or(1.0),
        state,
        origin: (name.clone(), line),
    })
}

/// A number to the thousandth, without needless digits.
fn plain(value: f64) -> String {
    ((value * 1e3).round() / 1e3).to_string()
}

/// A time as RFC 3339 with the offset of the zone.
#[must_use]
pub fn written(at: f64, zone: &TimeZone) -> String {
    #[allow(clippy::cast_possible_truncation)] // milliseconds of this age
    let Ok(time) = Timestamp::from_millisecond((at * 1e3).round() as i64) else { return String::new() };
    let zoned = time.to_zoned(zone.clone());
    let whole = time.subsec_nanosecond() == 0;
    zoned.strftime(if whole { "%Y-%m-%dT%H:%M:%S%:z" } else { "%Y-%m-%dT%H:%M:%S%.3f%:z" }).to_string()
}
