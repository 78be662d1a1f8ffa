//! Which limit of each concentrator binds, quarter of an hour by quarter of an hour.

use plotters::element::{Rectangle, Text};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor};

use crate::report::chart::{
    BLUE, GREEN, GREY, INK, LABEL, ORANGE, RED, busy_hours, fitting, font, hour_step, right, sheet, sure,
};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::words::{clock, list};
use crate::study::figures::quarter_of;
use crate::study::limits::Limit;
use crate::study::results::{Results, SetupResult};

const ROW: i32 = 22;
const LEFT: i32 = 250;
const RIGHT: i32 = 932;
/// In more days than that no quarter of an hour is seen.
const MOST: u32 = 31;
const TOP: i32 = 26;

/// Draws it, if any limit but throughput binds.
#[must_use]
pub fn draw(results: &Results) -> Option<Chart> {
    let rows = rows(results);
    // That throughput is used up the chart of utilisation says.
    let says = |limit: &Limit| !matches!(limit, Limit::None | Limit::Throughput);
    let binds = rows.iter().any(|row| row.2.iter().any(says));
    (binds && results.days <= MOST).then(|| Chart {
        name: "limits",
        title: finding(results),
        note:
            "The limit that holds traffic up at each concentrator in each quarter of an hour: utilisation of 95 % or \
               more, sites that wait for tunnels, tunnels at their ceiling. White: none."
                .to_owned(),
        svg: picture(results, &rows),
        table: table(results, &rows),
    })
}

/// Set-up, concentrator and its limits.
type LimitRow<'a> = (&'a SetupResult, &'a str, &'a [Limit]);

fn rows(results: &Results) -> Vec<LimitRow<'_>> {
    let of_setup = |setup: &'_ SetupResult| -> Vec<usize> { (0..setup.concentrators.len()).collect() };
    let all = results
        .setups
        .iter()
        .flat_map(|setup| of_setup(setup).into_iter().map(move |concentrator| (setup, concentrator)));
    all.map(|(setup, concentrator)| {
        (setup, setup.concentrators[concentrator].0.as_str(), setup.limits[concentrator].as_slice())
    })
    .collect()
}

/// Colour and letter of a limit.
fn sign(limit: Limit) -> (RGBColor, &'static str) {
    match limit {
        Limit::None => (RGBColor(255, 255, 255), ""),
        Limit::Down => (INK, "D"),
        Limit::Handshakes => (GREY, "H"),
        Limit::Tunnels => (GREY, "N"),
        Limit::Throughput => (RED, "T"),
        Limit::Line => (ORANGE, "L"),
        Limit::Packets => (BLUE, "P"),
        Limit::TunnelCeiling => (GREEN, "C"),
        Limit::Streams => (GREEN, "S"),
    }
}

fn picture(results: &Results, rows: &[LimitRow<'_>]) -> String {
    let height = TOP + ROW * i32::try_from(rows.len()).unwrap_or(0) + 50;
    let hours = busy_hours(results);
    #[allow(clippy::cast_possible_truncation)] // within the picture
    let x = |hour: f64| {
        let share = ((hour - hours.0) / (hours.1 - hours.0)).clamp(0.0, 1.0);
        LEFT + (share * f64::from(RIGHT - LEFT)).round() as i32
    };
    let middle = Pos::new(HPos::Center, VPos::Center);
    sheet(u32::try_from(height).unwrap_or(100), |area| {
        for ((setup, concentrator, limits), top) in rows.iter().zip((TOP..).step_by(22)) {
            let name = if setup.concentrators.len() > 1 {
                format!("{}: {concentrator}", setup.title)
            } else {
                setup.title.clone()
            };
            sure(area.draw(&Text::new(fitting(&name, LEFT - 12), (LEFT - 8, top + ROW / 2), right(LABEL))));
            for (limit, span) in limits.iter().zip(spans(results)) {
                let (colour, letter) = sign(*limit);
                let (from, until) = (x(span.0), x(span.1));
                let corners = [(from, top + 2), (until, top + ROW - 2)];
                sure(area.draw(&Rectangle::new(corners, colour.mix(0.8).filled())));
                if until - from >= 8 {
                    let style = font(LABEL).color(&RGBColor(255, 255, 255)).pos(middle);
                    sure(area.draw(&Text::new(letter, (i32::midpoint(from, until), top + ROW / 2), style)));
                }
            }
        }
        let below = TOP + ROW * i32::try_from(rows.len()).unwrap_or(0);
        let several = results.days > 1;
        let step = if several { 24.0 * ((hours.1 - hours.0) / 24.0 / 8.0).ceil() } else { hour_step(hours) };
        let mut hour = if several { 0.0 } else { (hours.0 / step).ceil() * step };
        while hour <= hours.1 {
            let style = font(LABEL).pos(Pos::new(HPos::Center, VPos::Top));
            let name = if several { format!("day {}", hour / 24.0 + 1.0) } else { clock(results, hour) };
            sure(area.draw(&Text::new(name, (x(hour), below + 4), style)));
            hour += step;
        }
        let mut seen: Vec<Limit> = rows.iter().flat_map(|row| row.2.iter().copied()).collect();
        seen.sort_unstable();
        seen.dedup();
        let key: Vec<String> = seen
            .into_iter()
            .filter(|limit| *limit != Limit::None)
            .map(|limit| format!("{} {}", sign(limit).1, limit.name()))
            .collect();
        sure(area.draw(&Text::new(key.join("   "), (LEFT, below + 26), font(LABEL))));
    })
}

/// From and until of each quarter [h].
fn spans(results: &Results) -> impl Iterator<Item = (f64, f64)> + '_ {
    let (starts, length) = &results.bins;
    let step = quarter_of(*length);
    (0..starts.len()).step_by(step).map(move |first| {
        let last = (first + step).min(starts.len()) - 1;
        (starts[first], starts[last] + length / 3600.0)
    })
}

/// The limit that binds longest in the base, and when.
fn finding(results: &Results) -> String {
    let base = results.setups.iter().find(|setup| setup.name == "base").unwrap_or(&results.setups[0]);
    let mut counts: Vec<(usize, Limit, &str)> = Vec::new();
    for (concentrator, limits) in base.concentrators.iter().zip(&base.limits) {
        for limit in limits.iter().filter(|limit| **limit != Limit::None) {
            match counts.iter_mut().find(|count| count.1 == *limit && count.2 == concentrator.0) {
                Some(count) => count.0 += 1,
                None => counts.push((1, *limit, &concentrator.0)),
            }
        }
    }
    counts.sort_by_key(|count| std::cmp::Reverse(count.0));
    let Some((_, limit, concentrator)) = counts.first() else {
        let free: Vec<String> = base.concentrators.iter().map(|concentrator| concentrator.0.clone()).collect();
        return format!("As it is, nothing holds {} up", list(&free));
    };
    let place = base.concentrators.iter().position(|other| other.0 == *concentrator).unwrap_or(0);
    let when: Vec<(f64, f64)> =
        spans(results).zip(&base.limits[place]).filter(|(_, other)| *other == limit).map(|(span, _)| span).collect();
    let (from, until) = (when[0].0, when[when.len() - 1].1);
    let (from, until) = (clock(results, from), clock(results, until));
    match limit {
        Limit::Down if when.windows(2).any(|pair| pair[1].0 > pair[0].1 + 1e-6) => {
            format!("As it is, {concentrator} is down off and on between {from} and {until}")
        }
        Limit::Down => format!("As it is, {concentrator} is down from {from} to {until}"),
        _ => format!("As it is, what holds {concentrator} up is {}, between {from} and {until}", words(*limit)),
    }
}

fn words(limit: Limit) -> &'static str {
    match limit {
        Limit::Throughput => "its throughput",
        Limit::Line => "its line",
        Limit::Packets => "its packet rate",
        Limit::Tunnels => "its number of tunnels",
        Limit::Handshakes => "its rate of handshakes",
        Limit::TunnelCeiling => "what one tunnel can carry",
        Limit::Streams => "the calls that it admits",
        Limit::Down | Limit::None => limit.name(),
    }
}

fn table(results: &Results, rows: &[LimitRow<'_>]) -> ChartTable {
    let mut head = vec!["time".to_owned()];
    head.extend(rows.iter().map(|(setup, concentrator, _)| format!("{}: {concentrator}", setup.title)));
    let lines = spans(results).enumerate().map(|(quarter, span)| {
        let mut row = vec![clock(results, span.0)];
        row.extend(rows.iter().map(|(_, _, limits)| limits[quarter].name().to_owned()));
        row
    });
    ChartTable { rows: lines.collect(), head }
}
