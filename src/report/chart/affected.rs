//! How many sites are affected through the morning.

use plotters::style::Color;

use crate::report::chart::{BLUE, GREY, Panels, nice, target_hours};
use crate::report::words::{clock, count, figure, number};
use crate::report::{Chart, Table};
use crate::study::results::{Found, Kind, Results};

/// Draws it.
#[must_use]
pub fn draw(results: &Results) -> Chart {
    let setups: Vec<&Found> = results.setups.iter().collect();
    let half = crate::report::chart::latency::width(results) / 2.0;
    let mean = |found: &Found| -> Vec<(f64, f64)> {
        results.windows.iter().zip(&found.affected).map(|(start, sites)| (start + half, sites.mean)).collect()
    };
    #[allow(clippy::cast_precision_loss)] // at most 100,000
    let sites = results.estate.0 as f64;
    let most = setups.iter().flat_map(|found| mean(found)).map(|(_, value)| value).fold(0.0, f64::max);
    let most = if most > 0.5 * sites { sites } else { nice(most.max(4.0)) };
    let base = results.setups.iter().find(|found| found.name == "base");
    let panels = Panels { results, hours: target_hours(results), most: most * 1.08, unit: "", log: false };
    let svg = panels.draw(&setups, |panel, found| {
        if let Some(base) = base.filter(|base| base.name != found.name) {
            panel.dashed(mean(base).into_iter(), GREY.stroke_width(1));
            panel.key("", "as it is (dashed)", GREY);
        }
        panel.fill(mean(found).into_iter(), BLUE.mix(0.2));
        panel.line(mean(found).into_iter(), BLUE.stroke_width(2));
    });
    let base = base.unwrap_or(&results.setups[0]);
    let (when, worst) = mean(base).into_iter().fold((0.0, 0.0), |a, b| if b.1 > a.1 { b } else { a });
    let title = if worst < 0.5 {
        "Hardly any site is ever affected".to_owned()
    } else {
        format!(
            "{} of {} sites are affected at once at the worst, at {}",
            number(worst.round()),
            count(results.estate.0 as u64),
            clock(results, when - half)
        )
    };
    let note = format!(
        "A site is affected in five minutes in which more than one in twenty of its {} transactions takes longer than {}. \
         Mean over replications.",
        results.classes[results.watched.0],
        figure(results.watched.1, Kind::Time)
    );
    Chart { name: "affected", title, note, svg, table: table(results) }
}

fn table(results: &Results) -> Table {
    let mut head = vec!["time".to_owned()];
    head.extend(results.setups.iter().map(|found| format!("{} [sites]", found.title)));
    let rows = results.windows.iter().enumerate().map(|(window, start)| {
        let mut row = vec![clock(results, *start)];
        row.extend(results.setups.iter().map(|found| number(found.affected[window].mean)));
        row
    });
    Table { rows: rows.collect(), head }
}
