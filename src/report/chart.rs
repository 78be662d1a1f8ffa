//! Charts as SVG text, each with its finding as the title and a table behind it.
//!
//! Colours are those of Okabe & Ito (2008), which all kinds of colour vision tell apart; whatever colour says is
//! also said by position, by a dashed line or by words.

pub mod affected;
pub mod heat;
pub mod latency;
pub mod limits;
pub mod mornings;
pub mod options;
pub mod parts;
pub mod tunnels;
pub mod utilisation;
pub mod validation;
pub mod waiting;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::report::words::{clock, number, scale};
use crate::study::results::{Found, Kind, Results, STAFF_LOST};

/// The lines that matter.
pub(crate) const BLUE: RGBColor = RGBColor(0, 114, 178);
/// The second of two, dashed.
pub(crate) const ORANGE: RGBColor = RGBColor(213, 94, 0);
/// Limits.
pub(crate) const RED: RGBColor = RGBColor(170, 0, 40);
/// What holds.
pub(crate) const GREEN: RGBColor = RGBColor(0, 125, 92);
/// The base, for comparison.
pub(crate) const GREY: RGBColor = RGBColor(120, 120, 120);
/// Text.
pub(crate) const INK: RGBColor = RGBColor(40, 44, 52);
/// Set-ups, one after the other.
pub(crate) const COLOURS: [RGBColor; 6] = [BLUE, ORANGE, GREEN, RED, GREY, INK];
/// Curfews.
pub(crate) const SHADE: RGBColor = RGBColor(240, 228, 170);

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Width of every chart.
pub(crate) const WIDTH: u32 = 960;

/// Draws on a white sheet; drawing to a string cannot fail.
pub(crate) fn sheet(height: u32, draw: impl FnOnce(&Area<'_>)) -> String {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        sure(area.fill(&WHITE));
        draw(&area);
        sure(area.present());
    }
    // The picture scales with the page.
    svg.replacen(&format!("<svg width=\"{WIDTH}\" height=\"{height}\" "), "<svg role=\"img\" ", 1)
}

/// Drawing to memory has no way to fail.
pub(crate) fn sure<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    result.expect("drawing to memory cannot fail")
}

pub(crate) fn font(size: u32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

pub(crate) fn right(size: u32) -> TextStyle<'static> {
    font(size).pos(Pos::new(HPos::Right, VPos::Center))
}

/// Levels of a vertical scale from zero to `most`, each with its value; `y` is where a value lies.
pub(crate) fn levels(area: &Area<'_>, (left, to): (i32, i32), most: f64, kind: Kind, y: &dyn Fn(f64) -> i32) {
    let (factor, unit) = scale(most, kind);
    let mut tick = 0.0;
    while tick <= most * factor {
        let at = y(tick / factor);
        sure(area.draw(&PathElement::new([(left, at), (to, at)], INK.mix(0.12).stroke_width(1))));
        sure(area.draw(&Text::new(format!("{} {unit}", number(tick)), (left - 6, at), right(11))));
        tick += nice(most * factor / 5.0);
    }
}

/// The hours in which something happens: from an hour before anybody starts to an hour after.
pub(crate) fn busy_hours(results: &Results) -> (f64, f64) {
    let starts = &results.bins.0;
    let end = starts.last().copied().unwrap_or(24.0) + results.bins.1 / 3600.0;
    (starts.first().copied().unwrap_or(0.0), end)
}

/// The hours around the targets, for charts of the morning: an hour before the first and after the last.
pub(crate) fn target_hours(results: &Results) -> (f64, f64) {
    let all = busy_hours(results);
    let of_targets: Vec<(f64, f64)> = results.hours.iter().copied().filter(|hours| *hours != all).collect();
    if of_targets.is_empty() || results.days > 1 {
        return all;
    }
    let from = of_targets.iter().map(|hours| hours.0).fold(f64::INFINITY, f64::min) - 1.0;
    let until = of_targets.iter().map(|hours| hours.1).fold(0.0, f64::max) + 1.0;
    (from.max(all.0), until.min(all.1))
}

/// A grid of panels, one a setup, two beside each other.
pub(crate) struct Panels<'a> {
    pub results: &'a Results,
    pub hours: (f64, f64),
    pub most: f64,
    pub unit: &'static str,
    pub log: bool,
}

/// Height of a row of panels.
const ROW: u32 = 190;

/// One panel: where its plot lies, and how values become pixels.
pub(crate) struct Panel<'a, 'b> {
    pub area: &'a Area<'b>,
    hours: (f64, f64),
    least: f64,
    most: f64,
    log: bool,
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
}

impl Panels<'_> {
    /// Draws a panel for each of `setups`.
    pub fn draw(&self, setups: &[&Found], plot: impl Fn(&Panel<'_, '_>, &Found)) -> String {
        let columns = if setups.len() == 1 { 1 } else { 2 };
        let rows = setups.len().div_ceil(columns).max(1);
        let height = ROW * u32::try_from(rows).unwrap_or(1) + 10;
        sheet(height, |sheet| {
            let cells = sheet.split_evenly((rows, columns));
            for (found, cell) in setups.iter().zip(&cells) {
                self.panel(cell, found, &plot);
            }
        })
    }

    fn panel(&self, area: &Area<'_>, found: &Found, plot: &impl Fn(&Panel<'_, '_>, &Found)) {
        let (width, height) = area.dim_in_pixel();
        let (width, height) = (i32::try_from(width).unwrap_or(0), i32::try_from(height).unwrap_or(0));
        let panel = Panel {
            area,
            hours: self.hours,
            least: if self.log { 0.05 } else { 0.0 },
            most: self.most,
            log: self.log,
            left: 58,
            right: width - 14,
            top: 28,
            bottom: height - 24,
        };
        sure(area.draw(&Text::new(found.title.clone(), (panel.left, 6), font(15).color(&INK))));
        panel.shade(found);
        panel.axes(self);
        plot(&panel, found);
    }
}

impl Panel<'_, '_> {
    /// Pixel of a time of day.
    #[allow(clippy::cast_possible_truncation)] // within the picture
    pub fn x(&self, hours: f64) -> i32 {
        let share = ((hours - self.hours.0) / (self.hours.1 - self.hours.0)).clamp(0.0, 1.0);
        self.left + (share * f64::from(self.right - self.left)).round() as i32
    }

    /// Pixel of a value.
    #[allow(clippy::cast_possible_truncation)] // within the picture
    pub fn y(&self, value: f64) -> i32 {
        let share = if self.log {
            (value.max(self.least) / self.least).ln() / (self.most / self.least).ln()
        } else {
            (value - self.least) / (self.most - self.least)
        };
        self.bottom - (share.clamp(0.0, 1.0) * f64::from(self.bottom - self.top)).round() as i32
    }

    fn shade(&self, found: &Found) {
        for &(_, from, until) in &found.curfews {
            if until > self.hours.0 && from < self.hours.1 {
                let corners = [(self.x(from), self.top), (self.x(until), self.bottom)];
                sure(self.area.draw(&Rectangle::new(corners, SHADE.filled())));
                let label = Text::new("curfew", (self.x(from) + 4, self.top + 2), font(11));
                sure(self.area.draw(&label));
            }
        }
    }

    fn axes(&self, panels: &Panels<'_>) {
        for value in self.ticks() {
            let y = self.y(value);
            sure(self.area.draw(&PathElement::new([(self.left, y), (self.right, y)], INK.mix(0.12).stroke_width(1))));
            let text = crate::report::words::number(value) + panels.unit;
            sure(self.area.draw(&Text::new(text, (self.left - 6, y), right(11))));
        }
        let step = hour_step(self.hours);
        let mut hour = (self.hours.0 / step).ceil() * step;
        while hour <= self.hours.1 + 1e-9 {
            let x = self.x(hour);
            let style = font(11).pos(Pos::new(HPos::Center, VPos::Top));
            sure(self.area.draw(&PathElement::new([(x, self.bottom), (x, self.bottom + 4)], INK.mix(0.5))));
            sure(self.area.draw(&Text::new(clock_short(panels.results, hour), (x, self.bottom + 7), style)));
            hour += step;
        }
        let frame = [(self.left, self.bottom), (self.right, self.bottom)];
        sure(self.area.draw(&PathElement::new(frame, INK.mix(0.6))));
    }

    fn ticks(&self) -> Vec<f64> {
        if self.log {
            return [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0].into_iter().filter(|tick| *tick <= self.most).collect();
        }
        let step = nice(self.most / 4.0);
        let mut ticks = vec![0.0];
        while ticks[ticks.len() - 1] + step <= self.most * 1.0001 {
            ticks.push(ticks[ticks.len() - 1] + step);
        }
        ticks
    }

    /// A line through points (hour, value).
    pub fn line(&self, points: impl Iterator<Item = (f64, f64)>, style: ShapeStyle) {
        let inside = points.filter(|(hour, _)| self.hours.0 <= *hour && *hour <= self.hours.1);
        let pixels: Vec<(i32, i32)> = inside.map(|(hour, value)| (self.x(hour), self.y(value))).collect();
        if !pixels.is_empty() {
            sure(self.area.draw(&PathElement::new(thin(pixels), style)));
        }
    }

    /// The same, dashed.
    pub fn dashed(&self, points: impl Iterator<Item = (f64, f64)>, style: ShapeStyle) {
        let inside = points.filter(|(hour, _)| self.hours.0 <= *hour && *hour <= self.hours.1);
        let pixels: Vec<(i32, i32)> = inside.map(|(hour, value)| (self.x(hour), self.y(value))).collect();
        let dash = plotters::element::DashedPathElement::new(thin(pixels), 6, 3, style);
        sure(self.area.draw(&dash));
    }

    /// A filled area under points (hour, value).
    pub fn fill(&self, points: impl Iterator<Item = (f64, f64)>, colour: RGBAColor) {
        let inside = points.filter(|(hour, _)| self.hours.0 <= *hour && *hour <= self.hours.1);
        let mut pixels: Vec<(i32, i32)> = thin(inside.map(|(hour, value)| (self.x(hour), self.y(value))).collect());
        let (Some(&first), Some(&last)) = (pixels.first(), pixels.last()) else { return };
        pixels.push((last.0, self.bottom));
        pixels.push((first.0, self.bottom));
        sure(self.area.draw(&Polygon::new(pixels, colour.filled())));
    }

    /// A limit across the panel, with words at its right end.
    pub fn limit(&self, value: f64, words: &str) {
        let y = self.y(value);
        let line = [(self.left, y), (self.right, y)];
        sure(self.area.draw(&PathElement::new(line, RED.stroke_width(1))));
        let style = font(11).color(&RED).pos(Pos::new(HPos::Right, VPos::Bottom));
        sure(self.area.draw(&Text::new(words.to_owned(), (self.right, y - 2), style)));
    }

    /// Words in the upper right corner, in the line of the title; `before` is what stands to their right.
    pub fn key(&self, before: &str, words: &str, colour: RGBColor) {
        let style = font(11).color(&colour).pos(Pos::new(HPos::Right, VPos::Top));
        let taken = i32::try_from(before.chars().count()).unwrap_or(0) * 6 + if before.is_empty() { 0 } else { 10 };
        sure(self.area.draw(&Text::new(words.to_owned(), (self.right - taken, self.top - 18), style)));
    }
}

/// Points of one column of pixels become one: their mean.
fn thin(pixels: Vec<(i32, i32)>) -> Vec<(i32, i32)> {
    let mut thinned: Vec<(i32, i64, i64)> = Vec::new();
    for (x, y) in pixels {
        match thinned.last_mut() {
            Some((last, sum, count)) if *last == x => {
                *sum += i64::from(y);
                *count += 1;
            }
            _ => thinned.push((x, i64::from(y), 1)),
        }
    }
    thinned.into_iter().map(|(x, sum, count)| (x, i32::try_from(sum / count).unwrap_or(0))).collect()
}

fn hour_step((from, until): (f64, f64)) -> f64 {
    match until - from {
        span if span <= 1.0 => 0.25,
        span if span <= 3.0 => 0.5,
        span if span <= 7.0 => 1.0,
        span if span <= 14.0 => 2.0,
        span if span <= 24.0 => 4.0,
        span if span <= 24.0 * 14.0 => 24.0,
        span => (span / 24.0 / 10.0).ceil() * 24.0,
    }
}

fn clock_short(results: &Results, hour: f64) -> String {
    if results.days > 1 { format!("day {}", (hour / 24.0).floor() + 1.0) } else { clock(results, hour) }
}

/// 1, 2 or 5 times a power of ten, not below `value`.
pub(crate) fn nice(value: f64) -> f64 {
    if !(value > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= value * 0.999).unwrap_or(value)
}

/// The base where it was run, and the setup to show beside it: the first that does best on the first target.
pub(crate) fn base_and_best(results: &Results) -> (Option<&Found>, Option<&Found>) {
    let base = results.setups.iter().find(|found| found.name == "base");
    let score = |found: &Found| found.measures[STAFF_LOST].value.mean;
    let options = results.setups.iter().filter(|found| found.name != "base");
    let best = options.fold(None, |best: Option<&Found>, found| match best {
        Some(best) if score(best) <= score(found) => Some(best),
        _ => Some(found),
    });
    (base, best)
}
