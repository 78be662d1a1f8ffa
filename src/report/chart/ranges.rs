//! Rows of ranges on one scale: set-ups with their intervals, or inputs with what the answer is at both ends of theirs.

use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor};

use crate::report::chart::{
    Area, AxisNames, BLUE, GREEN, HEAD, Hover, INK, LABEL, LegendEntry, ORANGE, RED, WIDTH, fitting, font, legend,
    nice, right, sheet, sure,
};
use crate::report::words;
use crate::study::figures::TargetKind;

/// A row of the chart.
pub(crate) enum RangeRow {
    /// A heading for the rows below it.
    Heading(String),
    /// A value with its interval, and whether it is good.
    Value { label: String, value: f64, ends: (f64, f64), good: bool, words: String },
    /// What comes of both ends of a range.
    Swing { label: String, low: f64, high: f64, words: String },
}

/// What the rows stand on.
pub(crate) struct RangeScale<'a> {
    /// The greatest value that is shown.
    pub most: f64,
    /// Distance of the marks below.
    pub step: f64,
    /// A value in words.
    pub show: &'a dyn Fn(f64) -> String,
    /// Lines across all rows, each with its name.
    pub lines: Vec<(f64, &'static str, RGBColor)>,
    /// Where swings begin.
    pub now: f64,
    /// What the colours mean.
    pub keys: Vec<LegendEntry>,
}

const ROW: i32 = 30;
const NAMES: i32 = 330;
/// Room for the words to the right of the plot.
const WORDS: i32 = 232;

/// Draws them.
pub(crate) fn draw(rows: &[RangeRow], scale: &RangeScale<'_>) -> String {
    let plot = Plot { scale, top: legend(None, &scale.keys) + 28, rows: i32::try_from(rows.len()).unwrap_or(1) };
    let hover = Hover::default();
    let svg = sheet(u32::try_from(plot.bottom() + 36).unwrap_or(300), |area| {
        legend(Some(area), &scale.keys);
        plot.axis(area);
        for (row, place) in rows.iter().zip(0..) {
            plot.row(area, row, plot.top + ROW * place + ROW / 2, &hover);
        }
    });
    hover.onto(&svg)
}

struct Plot<'a> {
    scale: &'a RangeScale<'a>,
    top: i32,
    rows: i32,
}

impl Plot<'_> {
    fn bottom(&self) -> i32 {
        self.top + ROW * self.rows
    }

    fn end() -> i32 {
        i32::try_from(WIDTH).unwrap_or(960) - WORDS
    }

    #[allow(clippy::cast_possible_truncation)] // within the picture
    fn x(&self, value: f64) -> i32 {
        NAMES + ((value / self.scale.most).clamp(0.0, 1.0) * f64::from(Self::end() - NAMES)).round() as i32
    }

    fn axis(&self, area: &Area<'_>) {
        let (mut tick, mut names) = (0.0, AxisNames::default());
        while tick <= self.scale.most * 1.0001 {
            let x = self.x(tick);
            sure(area.draw(&PathElement::new([(x, self.top), (x, self.bottom())], INK.mix(0.12))));
            names.write(area, (self.scale.show)(tick), (x, self.bottom() + 6));
            tick += self.scale.step;
        }
        let mut names: Vec<(i32, &str, RGBColor)> = Vec::new();
        for &(value, name, colour) in &self.scale.lines {
            let x = self.x(value);
            sure(area.draw(&PathElement::new([(x, self.top - 4), (x, self.bottom())], colour.stroke_width(2))));
            names.push((x, name, colour));
        }
        names.sort_by_key(|(x, _, _)| *x);
        // Two lines that are close have their names on either side.
        let close = |a: i32, b: i32| (a - b).abs() < 60;
        for (place, &(x, name, colour)) in names.iter().enumerate() {
            let side = match (names.get(place.wrapping_sub(1)), names.get(place + 1)) {
                (_, Some(next)) if close(next.0, x) => HPos::Right,
                (Some(last), _) if close(last.0, x) => HPos::Left,
                _ => HPos::Center,
            };
            let style = font(LABEL).color(&colour).pos(Pos::new(side, VPos::Bottom));
            sure(area.draw(&Text::new(name, (x, self.top - 5), style)));
        }
    }

    fn row(&self, area: &Area<'_>, row: &RangeRow, y: i32, hover: &Hover) {
        let (label, words) = match row {
            RangeRow::Heading(text) => {
                let style = font(HEAD).pos(Pos::new(HPos::Left, VPos::Center));
                sure(area.draw(&Text::new(text.clone(), (12, y), style)));
                return;
            }
            RangeRow::Value { label, value, ends, good, words } => {
                let colour = if *good { GREEN } else { ORANGE };
                let line = [(self.x(ends.0), y), (self.x(ends.1), y)];
                sure(area.draw(&PathElement::new(line, colour.stroke_width(2))));
                let fill = if *good { colour.filled() } else { plotters::style::WHITE.filled() };
                sure(area.draw(&Circle::new((self.x(*value), y), 5, fill)));
                sure(area.draw(&Circle::new((self.x(*value), y), 5, colour.stroke_width(2))));
                (label, words)
            }
            RangeRow::Swing { label, low, high, words } => {
                for (end, colour, shift) in [(low, BLUE, -1), (high, ORANGE, 1)] {
                    let (from, to) = (self.x(self.scale.now.min(*end)), self.x(self.scale.now.max(*end)));
                    // Both ends on one side would hide each other.
                    let corners = [(from, y - 8 + 4 * (shift + 1)), (to, y + 4 * (shift + 1))];
                    sure(area.draw(&Rectangle::new(corners, colour.filled())));
                }
                (label, words)
            }
        };
        sure(area.draw(&Text::new(fitting(label, NAMES - 22), (NAMES - 10, y), right(LABEL))));
        let style = font(LABEL).pos(Pos::new(HPos::Left, VPos::Center));
        sure(area.draw(&Text::new(fitting(words, WORDS - 14), (Self::end() + 12, y), style)));
        let whole = [(0, y - ROW / 2), (i32::try_from(WIDTH).unwrap_or(960), y + ROW / 2)];
        hover.add(whole, &format!("{label}: {words}"));
    }
}

/// A distance of marks that gives round numbers in the unit of the greatest value.
pub(crate) fn step(most: f64, kind: TargetKind) -> f64 {
    let (factor, _) = words::scale(most, kind);
    nice(most * factor / 5.0) / factor
}

/// The limit's line.
pub(crate) fn limit(value: f64) -> (f64, &'static str, RGBColor) {
    (value, "limit", RED)
}
