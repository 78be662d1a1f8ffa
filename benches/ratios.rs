//! The engine against the reference loop, as ratios: each is measured beside it, in rounds; the medians are compared, and the
//! least.
//!
//! `cargo bench --bench ratios` prints the table of docs/speed.md.

mod work;

use std::hint::black_box;
use std::time::{Duration, Instant};

use work::{ESTATES, churn, day, early, event_list, packets, reference, sharing, single_server, study};

/// Rounds of each measurement: at least so many, and as many as take this long, up to the most.
const LEAST: usize = 5;
const MOST: usize = 25;
const LONG: Duration = Duration::from_secs(4);

/// Nanoseconds for each of the events that a call says it handled.
fn per_event(call: &dyn Fn() -> u64) -> f64 {
    let began = Instant::now();
    let events = black_box(call());
    #[allow(clippy::cast_precision_loss)] // events of a bench
    let each = began.elapsed().as_nanos() as f64 / events as f64;
    each
}

/// The median, and the least: what else the machine does only ever adds to that.
fn middle_and_least(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2], values[0])
}

fn measure(name: &str, call: &dyn Fn() -> u64) {
    let (mut own, mut beside) = (Vec::new(), Vec::new());
    let began = Instant::now();
    while own.len() < LEAST || (own.len() < MOST && began.elapsed() < LONG) {
        beside.push(per_event(&|| {
            black_box(reference(black_box(2_000_000)));
            2_000_000
        }));
        own.push(per_event(call));
    }
    let ((own, own_least), (beside, beside_least)) = (middle_and_least(own), middle_and_least(beside));
    println!(
        "{name:<64} {own:>8.1} ns {:>7.2} x {own_least:>9.1} ns {:>7.2} x",
        own / beside,
        own_least / beside_least
    );
}

fn main() {
    println!("{:<64} {:>11} {:>9} {:>12} {:>9}", "per event", "median", "reference", "least", "reference");
    let only = std::env::args().nth(1).filter(|word| !word.starts_with("--"));
    let measure = |name: &str, call: &dyn Fn() -> u64| {
        if only.as_ref().is_none_or(|only| name.contains(only.as_str())) {
            measure(name, call);
        }
    };
    measure("event list: M/M/1", &|| {
        event_list(2_000_000);
        2_000_000
    });
    measure("event list and sharing: M/M/1 processor sharing", &|| sharing(2_000_000));
    measure("whole engine: M/M/1 processor sharing", &|| single_server(1, "\"fifo\""));
    measure("whole engine: two classes, discriminatory", &|| {
        single_server(2, "{ discriminatory = { c0 = 4, c1 = 1 } }")
    });
    measure("whole engine: two classes, strict priority", &|| single_server(2, "{ priority = [[\"c0\"], [\"c1\"]] }"));
    for sites in [200, 2_000, 6_500] {
        for flows in [10, 1_000, 100_000] {
            let name = format!("capped sharing, {sites} sites, {flows} flows");
            measure(&name, &|| {
                churn(sites, flows, 200_000);
                400_000
            });
        }
    }
    for flows in [50, 1_000] {
        let name = format!("packets: TCP, {flows} flows");
        measure(&format!("{name}, a packet across a queue"), &|| packets(flows, 4_000_000).0);
        measure(&format!("{name}, an event"), &|| packets(flows, 4_000_000).1);
    }
    for (name, sites, patients, times) in ESTATES {
        let estate = early(sites, patients, times);
        measure(&format!("{name} up to 08:00: a request"), &|| day(&estate, &estate.setups[0]).1);
    }
    let kent = study("scenarios/kent-monday.toml");
    for setup in kent.setups.iter().take(3) {
        let name = format!("a Monday of Kent, {}", setup.name);
        measure(&format!("{name}: an action"), &|| day(&kent, setup).0);
        measure(&format!("{name}: a request"), &|| day(&kent, setup).1);
    }
}
