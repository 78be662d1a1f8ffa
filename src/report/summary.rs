//! The answer and the table of options as Markdown, for a mail or a ticket.

use crate::report::answer::sentences;
use crate::report::drawn::Chart;
use crate::report::recommend;
use crate::report::setting::staff_classes;
use crate::report::table::setting;
use crate::report::verdict::mark;
use crate::report::words::{judged, money, plain_markdown, staff_time};
use crate::study::figures::STAFF_LOST;
use crate::study::results::{Results, SetupResult};

/// The text.
#[must_use]
pub fn text(results: &Results, charts: &[Chart]) -> String {
    let mut text = format!("# {}\n\n{}\n", results.question, setting(results));
    for sentence in sentences(results) {
        text += &format!("\n{sentence}\n");
    }
    if !results.targets.is_empty() {
        text += &format!("\n{}", options(results));
    }
    let finding = charts.iter().find(|chart| chart.name == "utilisation");
    if let Some(chart) = finding {
        text += &format!("\n![{}](charts/{}.png)\n", chart.title, chart.name);
    }
    plain_markdown(&text) + "\nThe whole report: [report.html](report.html); its numbers: [summary.csv](summary.csv).\n"
}

fn options(results: &Results) -> String {
    let costs = results.setups.iter().any(|setup| setup.name != "base" && setup.cost.is_some());
    let mut head = vec!["option".to_owned()];
    head.extend(results.targets.iter().cloned());
    head.push("staff time lost".to_owned());
    if costs {
        head.push("extra cost".to_owned());
    }
    let chosen = recommend::choice(results).map(|setup| &setup.name);
    let row = |setup: &SetupResult| {
        let name = if chosen == Some(&setup.name) { format!("**{}**", setup.title) } else { setup.title.clone() };
        let mut row = vec![name];
        let targets = setup.targets.iter().zip(&results.kinds);
        row.extend(
            targets.map(|(one, kind)| format!("{} {} {}", mark(one.verdict), one.verdict.name(), judged(one, *kind))),
        );
        row.push(staff_time(setup.measures[STAFF_LOST].value.mean));
        if costs {
            let base = setup.name == "base";
            row.push(
                setup.cost.filter(|_| !base).map_or_else(String::new, |cost| money(results.currency.as_deref(), cost)),
            );
        }
        row
    };
    let rule = vec!["---".to_owned(); head.len()];
    let rows = [head, rule].into_iter().chain(results.setups.iter().map(row));
    let table: String = rows.map(|cells| line(&cells)).collect();
    let waited = staff_classes(results);
    let note =
        if waited.is_empty() { String::new() } else { format!("\nStaff time lost: longer waits for {waited}.\n") };
    table + &note
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
    format!("| {} |\n", cells.join(" | "))
}
