//! Days that were counted against days that were simulated, in words and as a table.

use crate::fit::held::{HeldDay, HeldFigure, HeldKind, allowed, inside};
use crate::report::chart::counters::{self, CountedPanel, SHOWN};
use crate::report::drawn::{Chart, ChartTable};
use crate::report::finding::Evidence;
use crate::report::tidy::{self, known};
use crate::report::words::{bit_rate, capital, figure, number};
use crate::study::figures::TargetKind;

/// A figure with its unit.
pub(super) fn shown(kind: HeldKind, value: f64) -> String {
    match kind {
        HeldKind::Volume => figure(value / 8.0, TargetKind::Size),
        HeldKind::Peak => bit_rate(value),
        HeldKind::Full => format!("{} min", number(value / 60.0)),
        HeldKind::Shape => percent(value),
    }
}

/// Whether no more days lie outside than chance makes.
#[must_use]
pub fn holds(days: &[HeldDay]) -> bool {
    let (inside, all) = inside(days);
    all - inside <= allowed(all)
}

/// A share with one decimal.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", number((share * 1000.0).round() / 10.0))
}

/// The range of a figure, with its unit once.
fn range(figure: &HeldFigure) -> String {
    let (low, high) = (shown(figure.kind, figure.range.0), shown(figure.kind, figure.range.1));
    let unit = high.rsplit_once(' ').map_or("", |(_, unit)| unit);
    let low = low.strip_suffix(unit).map_or(low.as_str(), str::trim_end);
    format!("{low} to {high}")
}

/// The name of a day, with where it was counted if there are several places.
pub(super) fn name(day: &HeldDay, with_place: bool) -> String {
    let date = day.date.strftime("%a %-d %b %Y").to_string();
    if with_place { format!("{date}, {}", day.place) } else { date }
}

/// Whether days are of several places.
pub(super) fn is_of_several(days: &[HeldDay]) -> bool {
    days.iter().any(|day| day.place != days[0].place)
}

/// Every figure of every day, with the range in which a day of the scenario lies.
pub(super) fn evidence(title: &str, days: &[HeldDay]) -> Evidence {
    let several = is_of_several(days);
    let kinds: Vec<HeldKind> = [HeldKind::Volume, HeldKind::Peak, HeldKind::Full, HeldKind::Shape]
        .into_iter()
        .filter(|kind| days.iter().any(|day| day.figures.iter().any(|own| own.kind == *kind)))
        .collect();
    let head = std::iter::once("day".to_owned())
        .chain(kinds.iter().map(|kind| kind.name().to_owned()))
        .chain(std::iter::once("as the scenario says".to_owned()));
    let cell = |day: &HeldDay, kind: HeldKind| {
        let own = day.figures.iter().find(|own| own.kind == kind);
        own.map_or_else(String::new, |own| format!("{} ({})", shown(kind, own.counted), range(own)))
    };
    let rows = days.iter().map(|day| {
        let verdict = if day.is_inside() { "yes" } else { "no" };
        let cells = kinds.iter().map(|kind| cell(day, *kind));
        std::iter::once(name(day, several)).chain(cells).chain(std::iter::once(verdict.to_owned())).collect()
    });
    let title = format!("{title}: counted (and where a day of the scenario lies)");
    Evidence { title, table: ChartTable { head: head.collect(), rows: rows.collect() }, keys: 1 }
}

/// The days that are drawn: those farthest outside first, at most four.
fn drawn(days: &[HeldDay]) -> Vec<&HeldDay> {
    let mut all: Vec<&HeldDay> = days.iter().collect();
    all.sort_by(|a, b| a.is_inside().cmp(&b.is_inside()).then(b.error().total_cmp(&a.error())));
    all.truncate(SHOWN);
    all.sort_by(|a, b| a.place.cmp(&b.place).then(a.date.cmp(&b.date)));
    all
}

/// The chart of the days.
pub(super) fn chart(file: &'static str, title: String, days: &[HeldDay]) -> Chart {
    let (several, shown) = (is_of_several(days), drawn(days));
    let panel = |day: &&'_ HeldDay| {
        let verdict = if day.is_inside() { "inside" } else { "outside" };
        format!("{}: {verdict}, {} % off on average", name(day, several), number((day.error() * 100.0).round()))
    };
    let panels: Vec<CountedPanel<'_>> = shown.iter().map(|day| CountedPanel { title: panel(day), day }).collect();
    let left_out = days.len() - shown.len();
    let more = if left_out > 0 { format!(" The {left_out} other days are in the table.") } else { String::new() };
    Chart {
        name: file,
        title,
        note: format!("What passed in each interval; a gap in the line was not counted.{more}"),
        svg: counters::draw(&panels),
        table: table(days),
    }
}

fn table(days: &[HeldDay]) -> ChartTable {
    let head =
        ["day", "where", "time", "counted [Mbit/s]", "simulated, mean [Mbit/s]", "low", "high"].map(str::to_owned);
    let rows = days.iter().flat_map(|day| {
        (0..day.hours.len()).map(move |at| {
            let mega = |rate: f64| number(rate / 1e6);
            let [low, mean, high] = day.simulated[at];
            vec![
                day.date.to_string(),
                day.place.clone(),
                clock(day.hours[at]),
                day.counted[at].map_or_else(String::new, mega),
                mega(mean),
                mega(low),
                mega(high),
            ]
        })
    });
    ChartTable { head: head.to_vec(), rows: rows.collect() }
}

/// Every interval as tidy CSV.
pub(super) fn csv(days: &[HeldDay]) -> String {
    let head = ["date", "time", "where", "counted_bit_s", "simulated_bit_s", "low_bit_s", "high_bit_s"];
    let rows = days.iter().flat_map(|day| {
        (0..day.hours.len()).map(move |at| {
            let [low, mean, high] = day.simulated[at].map(|rate| known(rate.round()));
            let counted = day.counted[at].map_or_else(String::new, |rate| known(rate.round()));
            [day.date.to_string(), clock(day.hours[at]), day.place.clone(), counted, mean, low, high]
        })
    });
    tidy::csv(head, rows)
}

#[allow(clippy::cast_possible_truncation)] // minutes of some days
fn clock(hours: f64) -> String {
    let minutes = (hours * 60.0).round() as i64;
    let day = if minutes >= 1440 { format!("day {} ", minutes / 1440 + 1) } else { String::new() };
    format!("{day}{:02}:{:02}", minutes / 60 % 24, minutes % 60)
}

/// What a day has beyond its range, in a sentence; none where it is inside.
pub(super) fn outside(day: &HeldDay, with_place: bool) -> Option<String> {
    // What has a unit that people know goes first.
    let is_shape = |own: &HeldFigure| own.kind == HeldKind::Shape;
    let first = |a: &&HeldFigure, b: &&HeldFigure| is_shape(b).cmp(&is_shape(a)).then(beyond(a).total_cmp(&beyond(b)));
    let worst = day.figures.iter().filter(|own| !own.is_inside()).max_by(first)?;
    if is_shape(worst) {
        return Some(format!(
            "{}: its shape is {} off, interval by interval, where a day of the scenario is {} at most.",
            capital(&name(day, with_place)),
            shown(worst.kind, worst.counted),
            shown(worst.kind, worst.range.1)
        ));
    }
    let way = if worst.counted > worst.range.1 { "above" } else { "below" };
    Some(format!(
        "{}: {} is {} where a day of the scenario has {}: {way} all that chance makes.",
        capital(&name(day, with_place)),
        worst.kind.name(),
        shown(worst.kind, worst.counted),
        range(worst)
    ))
}

/// How far a figure is from its mean, in half-widths of its range.
fn beyond(figure: &HeldFigure) -> f64 {
    let half = ((figure.range.1 - figure.range.0) / 2.0).max(1e-9);
    (figure.counted - figure.middle).abs() / half
}
