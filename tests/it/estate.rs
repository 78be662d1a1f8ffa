//! The estate of Kent and Medway, drawn and as published.

use std::path::Path;

use crate::bench_model::base;
use headend::units::{Text, TimeOfDay};

const LISTS: &str = "../shared/data/england_gp_list_sizes_2026-03-01.csv";

/// The scenario `kent-monday` with the estate from the published file, and this filter.
fn published(only: &str) -> String {
    let text = std::fs::read_to_string("scenarios/kent-monday.toml").unwrap();
    let drawn = "[estate.drawn]\nsites = 175\npatients = 2041841\nmu = 9.189\nsigma = 0.605\n";
    assert!(text.contains(drawn));
    let lines = text.replace(drawn, &format!("[estate.csv]\nfile = \"../{LISTS}\"\n{only}\n"));
    // The origins of the drawn estate's numbers name what is not there any more.
    lines
        .lines()
        .filter(|line| !line.starts_with("\"estate.drawn"))
        .fold(String::new(), |text, line| text + line + "\n")
}

fn skip() -> bool {
    let absent = !Path::new(LISTS).exists();
    if absent {
        eprintln!("SKIPPED: {LISTS} is absent; this test needs the published list sizes");
    }
    absent
}

#[test]
fn the_published_file_has_175_sites_in_kent_and_medway() {
    if skip() {
        return;
    }
    let model = base(&published("only = { SUB_ICB_LOCATION_CODE = \"91Q\" }"));
    let patients: u64 = model.sites.iter().map(|site| u64::from(site.patients)).sum();
    assert_eq!((model.sites.len(), patients), (175, 2_041_841));
}

#[test]
fn without_a_filter_it_has_all_of_england() {
    if skip() {
        return;
    }
    let model = base(&published(""));
    let patients: u64 = model.sites.iter().map(|site| u64::from(site.patients)).sum();
    assert_eq!((model.sites.len(), patients), (6_169, 63_707_358));
}

/// The quantiles of the fit stand in for the list: the same total, and quartiles within a tenth of it.
#[test]
fn the_drawn_estate_resembles_the_published_one() {
    let drawn = base(&std::fs::read_to_string("scenarios/kent-monday.toml").unwrap());
    let sizes = |model: &headend::model::Model| {
        let mut sizes: Vec<u32> = model.sites.iter().map(|site| site.patients).collect();
        sizes.sort_unstable();
        [sizes[sizes.len() / 4], sizes[sizes.len() / 2], sizes[3 * sizes.len() / 4]]
    };
    assert_eq!(drawn.sites.len(), 175);
    assert_eq!(drawn.sites.iter().map(|site| u64::from(site.patients)).sum::<u64>(), 2_041_841);
    if skip() {
        return;
    }
    let real = base(&published("only = { SUB_ICB_LOCATION_CODE = \"91Q\" }"));
    for (drawn, real) in sizes(&drawn).into_iter().zip(sizes(&real)) {
        assert!((f64::from(drawn) / f64::from(real) - 1.0).abs() < 0.1, "{drawn} against {real}");
    }
}

/// Shares of links come out as shares of sites.
#[test]
fn access_links_are_mixed_by_their_shares() {
    let model = base(&std::fs::read_to_string("scenarios/kent-monday.toml").unwrap());
    let of = |mbps: u64| model.sites.iter().filter(|site| site.down.0 == mbps * 1_000_000).count();
    assert_eq!([of(80), of(40), of(100)], [105, 26, 44]);
}

/// All of England for a morning runs to the end, and its books balance. Longer, so CI runs it.
#[test]
#[ignore = "simulates a morning of all England; CI runs it"]
fn a_morning_of_all_england_runs_to_the_end() {
    if skip() {
        return;
    }
    let text = published("")
        .replace("throughput = \"1 Gbit/s\"\npacket_rate = \"220 kpacket/s\"", "throughput = \"31 Gbit/s\"");
    let mut model = base(&text);
    model.calendar.until = TimeOfDay::read("08:15").unwrap();
    let mut ledger = Ledger::default();
    headend::sim::simulate(&model, 0, &mut ledger);
    assert!(ledger.started > 1_000_000 && ledger.started < 20_000_000, "{}", ledger.started);
    assert_eq!(ledger.started, ledger.ended);
}

/// Counts what begins and what ends.
#[derive(Default)]
struct Ledger {
    started: u64,
    ended: u64,
}

impl headend::sim::observer::Observer for Ledger {
    fn on(&mut self, _: headend::units::Time, fact: &headend::sim::observer::Fact<'_>) {
        use headend::sim::observer::Fact;
        self.started += u64::from(matches!(fact, Fact::Started { .. }));
        self.ended += u64::from(matches!(fact, Fact::Ended(_)));
    }
}
