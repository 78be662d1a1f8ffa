//! The offered load in words, for `check`.

use crate::elementary::{log10, pow};
use crate::report::table::wrapped;
use crate::report::words::{bit_rate, count, figure, list, number, several};
use crate::scenario::Study;
use crate::study::cost;
use crate::study::cost::{Extent, StudyCost};
use crate::study::figures::TargetKind;
use crate::study::load::{Hour, Offered, offered};

/// Classes of the busiest hour that are named.
const NAMED: usize = 4;
/// A bar of so many signs is all that the concentrators carry.
const BAR: f64 = 40.0;

/// Offered load of the base by hour, and the busiest hour of each option.
#[must_use]
pub fn text(study: &Study) -> String {
    let mut text = String::new();
    for pool in offered(&study.setups[0].model) {
        text += &of_pool(study, &pool);
    }
    let options: Vec<String> = study.setups[1..]
        .iter()
        .filter_map(|setup| {
            let pools = offered(&setup.model);
            let busiest = pools.iter().filter_map(|pool| Some((pool, pool.busiest()?)));
            let (pool, hour) = busiest.max_by(|a, b| a.1.load().total_cmp(&b.1.load()))?;
            Some(format!(
                "  {}: {:02}:00, {} % of what {} can carry\n",
                setup.title,
                hour.from,
                percent(hour),
                pool.concentrators.join(" and ")
            ))
        })
        .collect();
    if !options.is_empty() {
        text += "\nBusiest hour with each option\n";
        text += &options.concat();
    }
    text
}

/// The predicted cost of a run, in a sentence.
#[must_use]
pub fn cost(study: &Study, processors: usize) -> String {
    let cost = cost::cost(study, Extent::of(study), processors);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // rounded to two digits
    let rounded = |value: f64| {
        let power = pow(10.0, log10(value.max(1.0)).floor() - 1.0);
        count(((value / power).round() * power).round() as u64)
    };
    let high = if cost.is_high() { " This is more than is run without `--yes`." } else { "" };
    let needs = format!(
        "Running it needs about {} of processor time, {} million events and up to {} MB of memory: at least {}{}.{high}",
        figure(rough(cost.seconds), TargetKind::Time),
        rounded((cost.events / 1e6).max(1.0)),
        rounded(cost.memory / 1e6),
        several(whole(cost.runs), ["simulated run", "simulated runs"]),
        if cost.transactions >= 1.0 {
            format!(", each with about {} transactions a day", rounded(cost.transactions))
        } else {
            String::new()
        }
    );
    wrapped(&needs, "")
}

/// The message where a run costs more than runs without confirmation; none where it does not.
#[must_use]
pub fn too_high(cost: &StudyCost) -> Option<String> {
    let needs = format!(
        "this needs up to {} MB of memory and {} million events, about {} of processor time",
        count(whole((cost.memory / 1e6).ceil()) as u64),
        count(whole((cost.events / 1e6).ceil()) as u64),
        about(cost.seconds)
    );
    let help = "fewer set-ups, days or replications, or a longer `bin`, need less; `--yes` runs it all the same";
    cost.is_high().then(|| format!("{needs}\n  = help: {help}"))
}

/// A predicted time [s], as far as it is known.
#[must_use]
pub fn about(seconds: f64) -> String {
    figure(rough(seconds), TargetKind::Time)
}

/// Rounded to one digit below ten, and two above: the prediction is no better.
fn rough(value: f64) -> f64 {
    if value >= 10.0 { (value / 5.0).round() * 5.0 } else { value.round().max(1.0) }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a number of runs
fn whole(value: f64) -> usize {
    value as usize
}

fn percent(hour: &Hour) -> String {
    number((hour.load() * 100.0).round())
}

fn of_pool(study: &Study, pool: &Offered) -> String {
    let base = &study.setups[0].model;
    let names = pool.concentrators.join(" and ");
    let verb = if pool.concentrators.len() == 1 { "carries" } else { "carry" };
    let mut text =
        format!("\nOffered load by hour, as a share of the {} that {names} {verb}\n", bit_rate(pool.carries));
    let scale = pool.busiest().map_or(1.0, |hour| (hour.load() / 1.2).max(1.0));
    for hour in &pool.hours {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a bar of a few signs
        let signs = (hour.load() / scale * BAR).round() as usize;
        text += &format!("  {:02}:00 {:>5} %  {}\n", hour.from, percent(hour), "#".repeat(signs));
    }
    if let Some(hour) = pool.busiest() {
        text += &busiest(base, pool, hour);
    }
    if let Some((calls, most)) = pool.calls {
        let most = most.map_or_else(String::new, |most| format!(" of {} that are admitted", count(most)));
        text += &format!("Calls in the busiest hour: {} at a time on average{most}.\n", number(calls));
    }
    if let (asked, Some(most)) = pool.tunnels {
        text += &format!("Tunnels: {} of {} that are held.\n", count(asked), count(most));
    }
    text
}

fn busiest(base: &crate::model::Model, pool: &Offered, hour: &Hour) -> String {
    let mut parts: Vec<(f64, &str)> = hour
        .by_class
        .iter()
        .zip(&base.classes)
        .map(|(load, class)| (load / hour.load(), class.name.as_str()))
        .collect();
    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    let parts: Vec<String> = parts
        .iter()
        .take(NAMED)
        .filter(|(part, _)| *part >= 0.01)
        .map(|(part, name)| format!("{name} {} %", number((part * 100.0).round())))
        .collect();
    let times = if hour.load() >= 1.0 {
        format!(
            "{} times what {} can carry",
            number((hour.load() * 100.0).round() / 100.0),
            pool.concentrators.join(" and ")
        )
    } else {
        format!("{} % of what {} can carry", percent(hour), pool.concentrators.join(" and "))
    };
    let over = pool.hours.iter().filter(|hour| hour.load() >= 1.0).count();
    let over = if over > 0 {
        format!(" {} more than can be carried.", several(over, ["hour offers", "hours offer"]))
    } else {
        String::new()
    };
    let busiest = format!("Busiest hour: {:02}:00 offers {times} ({}).{over}", hour.from, list(&parts));
    wrapped(&busiest, "") + "\n"
}
