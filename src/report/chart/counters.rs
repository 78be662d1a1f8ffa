//! What was counted beside what is simulated, day by day: a line over a band.

use plotters::element::{PathElement, Polygon, Text};
use plotters::style::Color;

use crate::fit::held::HeldDay;
use crate::report::chart::{
    Area, AxisNames, BLUE, HEAD, Hover, INK, LABEL, LegendEntry, Mark, ORANGE, WIDTH, fitting, font, hour_step, legend,
    nice, right, sheet, sure,
};
use crate::report::words::{bit_rate, number};

/// Height of a panel.
const PANEL: i32 = 230;
/// Days that are drawn.
pub(crate) const SHOWN: usize = 4;

/// A day with what it is called.
pub(crate) struct CountedPanel<'a> {
    pub title: String,
    pub day: &'a HeldDay,
}

/// Draws a panel for each day, one below the other.
pub(crate) fn draw(panels: &[CountedPanel<'_>]) -> String {
    let keys = [
        LegendEntry::new("counted", ORANGE, Mark::Line),
        LegendEntry::new("simulated, mean", BLUE, Mark::Dashed),
        LegendEntry::new("nine of ten simulated days", BLUE, Mark::Area),
    ];
    let head = legend(None, &keys);
    let rows = i32::try_from(panels.len()).unwrap_or(1);
    let hover = Hover::default();
    let svg = sheet(u32::try_from(head + PANEL * rows + 10).unwrap_or(300), |area| {
        legend(Some(area), &keys);
        for (panel, place) in panels.iter().zip(0..) {
            CountedPlot::of(area, panel.day, head + PANEL * place).draw(panel, &hover);
        }
    });
    hover.onto(&svg)
}

/// A panel: where it lies, and how values become pixels.
struct CountedPlot<'a, 'b> {
    area: &'a Area<'b>,
    hours: (f64, f64),
    most: f64,
    top: i32,
}

const LEFT: i32 = 96;

impl<'a, 'b> CountedPlot<'a, 'b> {
    fn of(area: &'a Area<'b>, day: &HeldDay, top: i32) -> Self {
        let counted = day.counted.iter().flatten().copied();
        let highs = day.simulated.iter().map(|own| own[2]);
        let most = counted.chain(highs).fold(1.0, f64::max);
        let step = match day.hours.as_slice() {
            [first, second, ..] => second - first,
            _ => 1.0,
        };
        let from = day.hours.first().copied().unwrap_or(0.0);
        let until = day.hours.last().copied().unwrap_or(24.0) + step;
        Self { area, hours: (from, until), most: most * 1.05, top }
    }

    #[allow(clippy::cast_possible_truncation)] // within the picture
    fn x(&self, hours: f64) -> i32 {
        let width = f64::from(WIDTH) - 24.0 - f64::from(LEFT);
        LEFT + ((hours - self.hours.0) / (self.hours.1 - self.hours.0) * width).round() as i32
    }

    #[allow(clippy::cast_possible_truncation)] // within the picture
    fn y(&self, rate: f64) -> i32 {
        let (top, bottom) = (self.top + 30, self.bottom());
        bottom - (rate / self.most * f64::from(bottom - top)).round() as i32
    }

    fn bottom(&self) -> i32 {
        self.top + PANEL - 30
    }

    fn draw(&self, panel: &CountedPanel<'_>, hover: &Hover) {
        let day = panel.day;
        let right_edge = i32::try_from(WIDTH).unwrap_or(960) - 24;
        let title = fitting(&panel.title, right_edge - LEFT);
        sure(self.area.draw(&Text::new(title, (LEFT, self.top + 4), font(HEAD))));
        self.axes(right_edge);
        for run in runs(&day.hours) {
            let at = |place: &usize, which: usize| (self.x(day.hours[*place]), self.y(day.simulated[*place][which]));
            let band: Vec<(i32, i32)> =
                run.iter().map(|place| at(place, 2)).chain(run.iter().rev().map(|place| at(place, 0))).collect();
            sure(self.area.draw(&Polygon::new(band, BLUE.mix(0.25))));
            let mean: Vec<(i32, i32)> = run.iter().map(|place| at(place, 1)).collect();
            sure(self.area.draw(&plotters::element::DashedPathElement::new(mean, 6, 3, BLUE.stroke_width(2))));
            for known in run.split(|place| day.counted[*place].is_none()) {
                let line: Vec<(i32, i32)> = known
                    .iter()
                    .filter_map(|place| Some((self.x(day.hours[*place]), self.y(day.counted[*place]?))))
                    .collect();
                sure(self.area.draw(&PathElement::new(line, ORANGE.stroke_width(2))));
            }
        }
        self.tooltips(day, hover);
    }

    fn axes(&self, right_edge: i32) {
        let step = nice(self.most / 4.0);
        let mut tick = 0.0;
        while tick <= self.most {
            let y = self.y(tick);
            sure(self.area.draw(&PathElement::new([(LEFT, y), (right_edge, y)], INK.mix(0.12).stroke_width(1))));
            let name = if tick > 0.0 { bit_rate(tick) } else { number(0.0) };
            sure(self.area.draw(&Text::new(name, (LEFT - 6, y), right(LABEL))));
            tick += step;
        }
        let step = hour_step(self.hours);
        let (mut hour, mut names) = ((self.hours.0 / step).ceil() * step, AxisNames::default());
        while hour <= self.hours.1 + 1e-9 {
            let name = if self.hours.1 > 24.0 { format!("day {}", (hour / 24.0).floor() + 1.0) } else { clock(hour) };
            names.write(self.area, name, (self.x(hour), self.bottom() + 6));
            hour += step;
        }
        let frame = [(LEFT, self.bottom()), (right_edge, self.bottom())];
        sure(self.area.draw(&PathElement::new(frame, INK.mix(0.6))));
    }

    /// Words for each hour.
    fn tooltips(&self, day: &HeldDay, hover: &Hover) {
        let step = match day.hours.as_slice() {
            [first, second, ..] => second - first,
            _ => 1.0,
        };
        for (place, hour) in day.hours.iter().enumerate() {
            let Some(counted) = day.counted[place] else { continue };
            let words = format!(
                "{}: {} counted, {} simulated",
                clock(hour % 24.0),
                bit_rate(counted),
                bit_rate(day.simulated[place][1])
            );
            hover.add([(self.x(*hour), self.top + 30), (self.x(hour + step), self.bottom())], &words);
        }
    }
}

/// Places of intervals that follow each other, apart where more than an hour lies between.
fn runs(hours: &[f64]) -> Vec<Vec<usize>> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for place in 0..hours.len() {
        match runs.last_mut() {
            Some(run) if hours[place] - hours[place - 1] <= 1.0 + 1e-6 => run.push(place),
            _ => runs.push(vec![place]),
        }
    }
    runs
}

#[allow(clippy::cast_possible_truncation)] // minutes of a day
fn clock(hours: f64) -> String {
    let minutes = (hours * 60.0).round() as i64;
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}
