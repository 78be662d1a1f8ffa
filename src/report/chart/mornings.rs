//! The risk on each morning of a run of several days: a row for each option, a column for each day.

use plotters::element::{Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor};

use crate::report::chart::{LABEL, RED, fitting, font, right, sheet, sure};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::words::{figure, interval};
use crate::study::figures::TargetKind;
use crate::study::results::{Results, SetupResult};

const ROW: i32 = 30;
const LEFT: i32 = 250;
const RIGHT: i32 = 946;
const TOP: i32 = 30;
/// Most days that are shown one by one.
const MOST: u32 = 31;

/// Draws it for a run of several days.
#[must_use]
pub fn draw(results: &Results) -> Option<Chart> {
    let measured = |setup: &SetupResult| setup.mornings.iter().any(|(value, _)| value.mean > 0.0);
    if results.days < 2 || results.days > MOST || !results.setups.iter().any(measured) {
        return None;
    }
    Some(Chart {
        name: "mornings",
        title: finding(results),
        note: format!(
            "95th percentile of {} in the hours of the first target, day by day, as a mean over replications; the redder, \
             the more of the simulated days were above {}.",
            results.classes[results.watched.0],
            figure(results.watched.1, TargetKind::Time)
        ),
        svg: picture(results),
        table: table(results),
    })
}

fn picture(results: &Results) -> String {
    let rows = i32::try_from(results.setups.len()).unwrap_or(0);
    let days = i32::try_from(results.days).unwrap_or(1);
    let width = (RIGHT - LEFT) / days;
    let middle = Pos::new(HPos::Center, VPos::Center);
    sheet(u32::try_from(TOP + ROW * rows + 10).unwrap_or(100), |area| {
        for (day, left) in (0..days).zip((LEFT..).step_by(usize::try_from(width).unwrap_or(1))) {
            let name = format!("day {}", day + 1);
            let place = (left + width / 2, TOP - 14);
            sure(area.draw(&Text::new(name, place, font(LABEL).pos(middle))));
        }
        for (setup, top) in results.setups.iter().zip((TOP..).step_by(30)) {
            sure(area.draw(&Text::new(fitting(&setup.title, LEFT - 12), (LEFT - 8, top + ROW / 2), right(LABEL))));
            for ((value, over), left) in
                setup.mornings.iter().zip((LEFT..).step_by(usize::try_from(width).unwrap_or(1)))
            {
                let corners = [(left + 1, top + 1), (left + width - 1, top + ROW - 1)];
                sure(area.draw(&Rectangle::new(corners, RED.mix(shade(*over)).filled())));
                let ink = if *over > 0.5 { RGBColor(255, 255, 255) } else { RGBColor(40, 44, 52) };
                if value.mean > 0.0 && width >= 44 {
                    let text = Text::new(
                        figure(value.mean, TargetKind::Time),
                        (left + width / 2, top + ROW / 2),
                        font(LABEL).color(&ink).pos(middle),
                    );
                    sure(area.draw(&text));
                }
            }
        }
    })
}

/// Opacity of a morning's red, by the share of days on which the limit was exceeded.
fn shade(over: f64) -> f64 {
    0.04 + 0.85 * over
}

/// The mornings of the base on which the limit is more likely broken than not, and of the best option.
fn finding(results: &Results) -> String {
    let bad = |setup: &SetupResult| setup.mornings.iter().filter(|(_, over)| *over >= 0.5).count();
    let base = results.setups.iter().find(|setup| setup.name == "base").unwrap_or(&results.setups[0]);
    let class = &results.classes[results.watched.0];
    let of_base = format!("As it is, {class} is over its limit on {} of {} days", bad(base), results.days);
    let best = results.setups.iter().filter(|setup| setup.name != base.name).min_by_key(|setup| bad(setup));
    match best {
        Some(best) if bad(best) < bad(base) => {
            format!("{of_base}; with {}, on {}", crate::report::words::quoted(&best.title), bad(best))
        }
        _ => of_base,
    }
}

fn table(results: &Results) -> ChartTable {
    let head = ["option", "day", "95th percentile", "days above the limit"].map(str::to_owned).to_vec();
    let rows = results.setups.iter().flat_map(|setup| {
        setup.mornings.iter().enumerate().map(|(day, (value, over))| {
            let name = format!("day {}", day + 1);
            let share = figure(*over, TargetKind::Share);
            vec![setup.title.clone(), name, interval(value, TargetKind::Time), share]
        })
    });
    ChartTable { rows: rows.collect(), head }
}

#[cfg(test)]
mod tests {
    use super::shade;

    /// Fault: the colours are the wrong way round, and the worst mornings look the best.
    #[test]
    fn the_worse_a_morning_the_redder() {
        assert!(shade(0.0) < 0.1 && shade(1.0) > 0.8);
        assert!((0..10).all(|tenth| shade(f64::from(tenth) / 10.0) < shade(f64::from(tenth + 1) / 10.0)));
    }
}
