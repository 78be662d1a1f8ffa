//! Charts as SVG text, each with its finding as the title and a table behind it.
//!
//! Colours are those of Okabe & Ito (2008), which all kinds of colour vision tell apart; whatever colour says is
//! also said by position, by a dashed line or by words.

pub mod affected;
pub mod counters;
pub mod heat;
pub mod latency;
pub mod limits;
pub mod mornings;
pub mod options;
pub mod parts;
pub mod ranges;
pub mod tunnels;
pub mod utilisation;
pub mod validation;
pub mod waiting;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::elementary::{ln, log10, pow};
use crate::report::words::{clock, number, scale};
use crate::study::figures::{STAFF_LOST, TargetKind};
use crate::study::results::{Results, SetupResult};

/// The lines that matter.
pub(crate) const BLUE: RGBColor = RGBColor(0, 114, 178);
/// The second of two, dashed.
pub(crate) const ORANGE: RGBColor = RGBColor(213, 94, 0);
/// Limits.
pub(crate) const RED: RGBColor = RGBColor(170, 0, 40);
/// A target that is met.
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
/// Size of labels, and of a panel's title: 12.9 and 14.5 px where the chart is as wide as the page at 1280 px.
pub(crate) const LABEL: u32 = 16;
/// See [`LABEL`].
pub(crate) const HEAD: u32 = 18;
/// About how wide a letter of a label is.
pub(crate) const LETTER: i32 = 7;

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

/// Unwraps: drawing to memory cannot fail.
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
pub(crate) fn levels(area: &Area<'_>, (left, to): (i32, i32), most: f64, kind: TargetKind, y: &dyn Fn(f64) -> i32) {
    let (factor, unit) = scale(most, kind);
    let mut tick = 0.0;
    while tick <= most * factor {
        let at = y(tick / factor);
        sure(area.draw(&PathElement::new([(left, at), (to, at)], INK.mix(0.12).stroke_width(1))));
        sure(area.draw(&Text::new(format!("{} {unit}", number(tick)), (left - 6, at), right(LABEL))));
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

/// A grid of panels, one a setup, two beside each other, below one legend for all.
pub(crate) struct Panels<'a> {
    pub results: &'a Results,
    pub hours: (f64, f64),
    pub most: f64,
    pub unit: &'static str,
    pub log: bool,
    pub keys: Vec<LegendEntry>,
    /// Tooltips of a set-up's panel: from and until [h], and words.
    pub hover: &'a dyn Fn(&SetupResult) -> Vec<Shaded>,
}

/// From and until [h], and words.
pub(crate) type Shaded = (f64, f64, String);

/// An entry of the legend.
pub(crate) struct LegendEntry {
    words: String,
    colour: RGBColor,
    mark: Mark,
}

/// How something is drawn.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Line,
    Dashed,
    Area,
    Solid,
}

impl LegendEntry {
    pub fn new(words: impl Into<String>, colour: RGBColor, mark: Mark) -> Self {
        Self { words: words.into(), colour, mark }
    }
}

/// The legend, as many entries in a line as fit; gives its height.
pub(crate) fn legend(area: Option<&Area<'_>>, keys: &[LegendEntry]) -> i32 {
    const LINE: i32 = 22;
    const SAMPLE: i32 = 26;
    if keys.is_empty() {
        return 0;
    }
    let (mut x, mut y) = (12, 4);
    for key in keys {
        let width = SAMPLE + 8 + letters(&key.words) * LETTER + 22;
        if x + width > i32::try_from(WIDTH).unwrap_or(960) && x > 12 {
            (x, y) = (12, y + LINE);
        }
        if let Some(area) = area {
            let (middle, to) = (y + 9, x + SAMPLE);
            match key.mark {
                Mark::Line => {
                    sure(area.draw(&PathElement::new([(x, middle), (to, middle)], key.colour.stroke_width(3))));
                }
                Mark::Dashed => {
                    let line = [(x, middle), (to, middle)];
                    let dashed = plotters::element::DashedPathElement::new(line, 6, 3, key.colour.stroke_width(2));
                    sure(area.draw(&dashed));
                }
                Mark::Area | Mark::Solid => {
                    let colour = key.colour.mix(if key.mark == Mark::Area { 0.5 } else { 1.0 });
                    sure(area.draw(&Rectangle::new([(x, y + 2), (to, y + 16)], colour.filled())));
                }
            }
            sure(area.draw(&Text::new(key.words.clone(), (to + 8, y + 1), font(LABEL))));
        }
        x += width;
    }
    y + LINE + 4
}

/// How many letters a text has.
pub(crate) fn letters(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(i32::MAX / 100)
}

/// A text that fits into so many pixels as a label: cut with an ellipsis where it does not.
pub(crate) fn fitting(text: &str, pixels: i32) -> String {
    let most = usize::try_from(pixels / LETTER).unwrap_or(0).max(4);
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).collect::<String>().trim_end().to_owned() + "\u{2026}"
}

/// Tooltips: rectangles with words, without a script.
#[derive(Default)]
pub(crate) struct Hover(std::cell::RefCell<String>);

impl Hover {
    /// A rectangle, and its words.
    pub fn add(&self, [(x, y), (right, bottom)]: [(i32, i32); 2], words: &str) {
        let (width, height) = ((right - x).max(1), (bottom - y).max(1));
        *self.0.borrow_mut() += &format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill-opacity=\"0\"><title>{}</title></rect>\n",
            escaped(words)
        );
    }

    /// The picture with the tooltips on top.
    pub fn onto(&self, svg: &str) -> String {
        svg.trim_end()
            .strip_suffix("</svg>")
            .map_or_else(|| svg.to_owned(), |open| format!("{open}{}</svg>\n", self.0.borrow()))
    }
}

/// Text as markup takes it.
pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Height of a row of panels.
const ROW: i32 = 200;

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
    pub fn draw(&self, setups: &[&SetupResult], plot: impl Fn(&Panel<'_, '_>, &SetupResult)) -> String {
        let columns: i32 = if setups.len() == 1 { 1 } else { 2 };
        let width = i32::try_from(WIDTH).unwrap_or(960) / columns;
        let rows = i32::try_from(setups.len()).unwrap_or(1).div_euclid(columns)
            + i32::from(setups.len() % 2 == 1 && columns == 2);
        let (head, hover) = (legend(None, &self.keys), Hover::default());
        let height = head + ROW * rows.max(1) + 10;
        let svg = sheet(u32::try_from(height).unwrap_or(300), |sheet| {
            legend(Some(sheet), &self.keys);
            for (setup, place) in setups.iter().zip(0..) {
                let (left, top) = (width * (place % columns), head + ROW * (place / columns));
                self.panel(sheet, (left, top, width), setup, &plot, &hover);
            }
        });
        hover.onto(&svg)
    }

    fn panel(
        &self,
        area: &Area<'_>,
        (left, top, width): (i32, i32, i32),
        setup: &SetupResult,
        plot: &impl Fn(&Panel<'_, '_>, &SetupResult),
        hover: &Hover,
    ) {
        let panel = Panel {
            area,
            hours: self.hours,
            least: if self.log { 0.05 } else { 0.0 },
            most: self.most,
            log: self.log,
            left: left + 66,
            right: left + width - 24,
            top: top + 30,
            bottom: top + ROW - 26,
        };
        let title = fitting(&setup.title, (panel.right - panel.left) * 6 / 7);
        sure(area.draw(&Text::new(title, (panel.left, top + 4), font(HEAD))));
        panel.shade(setup);
        panel.axes(self);
        plot(&panel, setup);
        for (from, until, words) in (self.hover)(setup) {
            if until > self.hours.0 && from < self.hours.1 {
                hover.add(
                    [(panel.x(from), panel.top), (panel.x(until), panel.bottom)],
                    &format!("{}, {words}", setup.title),
                );
            }
        }
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
            ln(value.max(self.least) / self.least) / ln(self.most / self.least)
        } else {
            (value - self.least) / (self.most - self.least)
        };
        self.bottom - (share.clamp(0.0, 1.0) * f64::from(self.bottom - self.top)).round() as i32
    }

    fn shade(&self, setup: &SetupResult) {
        let mut named = false;
        for &(_, from, until) in &setup.curfews {
            if until > self.hours.0 && from < self.hours.1 {
                let corners = [(self.x(from), self.top), (self.x(until), self.bottom)];
                sure(self.area.draw(&Rectangle::new(corners, SHADE.filled())));
                // Over many days one name says enough.
                if !named {
                    let at = (self.x(from.max(self.hours.0)) + 4, self.top + 2);
                    sure(self.area.draw(&Text::new("curfew", at, font(LABEL))));
                    named = true;
                }
            }
        }
    }

    fn axes(&self, panels: &Panels<'_>) {
        for value in self.ticks() {
            let y = self.y(value);
            sure(self.area.draw(&PathElement::new([(self.left, y), (self.right, y)], INK.mix(0.12).stroke_width(1))));
            let text = crate::report::words::number(value) + panels.unit;
            sure(self.area.draw(&Text::new(text, (self.left - 6, y), right(LABEL))));
        }
        let step = hour_step(self.hours);
        let (mut hour, mut names) = ((self.hours.0 / step).ceil() * step, AxisNames::default());
        while hour <= self.hours.1 + 1e-9 {
            let x = self.x(hour);
            sure(self.area.draw(&PathElement::new([(x, self.bottom), (x, self.bottom + 4)], INK.mix(0.5))));
            names.write(self.area, clock_short(panels.results, hour), (x, self.bottom + 6));
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
        for pixels in self.runs(points) {
            sure(self.area.draw(&PathElement::new(pixels, style)));
        }
    }

    /// Points inside the panel as pixels, apart where more than an hour is missing, such as a night.
    fn runs(&self, points: impl Iterator<Item = (f64, f64)>) -> Vec<Vec<(i32, i32)>> {
        let mut runs: Vec<Vec<(i32, i32)>> = Vec::new();
        let mut last = f64::NEG_INFINITY;
        for (hour, value) in points.filter(|(hour, _)| self.hours.0 <= *hour && *hour <= self.hours.1) {
            let pixel = (self.x(hour), self.y(value));
            match runs.last_mut() {
                Some(run) if hour - last <= 1.0 + 1e-6 => run.push(pixel),
                _ => runs.push(vec![pixel]),
            }
            last = hour;
        }
        runs.into_iter().map(thin).collect()
    }

    /// The same, dashed.
    pub fn dashed(&self, points: impl Iterator<Item = (f64, f64)>, style: ShapeStyle) {
        for pixels in self.runs(points) {
            sure(self.area.draw(&plotters::element::DashedPathElement::new(pixels, 6, 3, style)));
        }
    }

    /// A filled area under points (hour, value).
    pub fn fill(&self, points: impl Iterator<Item = (f64, f64)>, colour: RGBAColor) {
        for mut pixels in self.runs(points) {
            let (first, last) = (pixels[0], pixels[pixels.len() - 1]);
            pixels.push((last.0, self.bottom));
            pixels.push((first.0, self.bottom));
            sure(self.area.draw(&Polygon::new(pixels, colour.filled())));
        }
    }

    /// A limit across the panel, with words at its right end.
    pub fn limit(&self, value: f64, words: &str) {
        let y = self.y(value);
        let line = [(self.left, y), (self.right, y)];
        sure(self.area.draw(&PathElement::new(line, RED.stroke_width(1))));
        let style = font(LABEL).color(&RED).pos(Pos::new(HPos::Right, VPos::Bottom));
        sure(self.area.draw(&Text::new(words.to_owned(), (self.right, y - 2), style)));
    }
}

/// Names below the marks of an axis, from left to right: one that would touch the last is left out.
#[derive(Default)]
pub(crate) struct AxisNames {
    /// Where the last ends.
    end: Option<i32>,
}

impl AxisNames {
    /// Writes a name with its middle at `x`, if there is room.
    pub fn write(&mut self, area: &Area<'_>, words: String, (x, y): (i32, i32)) {
        let half = letters(&words) * LETTER / 2 + 3;
        if self.end.is_none_or(|end| x - half > end) {
            let style = font(LABEL).pos(Pos::new(HPos::Center, VPos::Top));
            sure(area.draw(&Text::new(words, (x, y), style)));
            self.end = Some(x + half);
        }
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

pub(crate) fn hour_step((from, until): (f64, f64)) -> f64 {
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
    let power = pow(10.0, log10(value).floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= value * 0.999).unwrap_or(value)
}

/// The base where it was run, and the setup to show beside it: the first that does best on the first target.
pub(crate) fn base_and_best(results: &Results) -> (Option<&SetupResult>, Option<&SetupResult>) {
    let base = results.setups.iter().find(|setup| setup.name == "base");
    let score = |setup: &SetupResult| setup.measures[STAFF_LOST].value.mean;
    let options = results.setups.iter().filter(|setup| setup.name != "base");
    let best = options.fold(None, |best: Option<&SetupResult>, setup| match best {
        Some(best) if score(best) <= score(setup) => Some(best),
        _ => Some(setup),
    });
    (base, best)
}
