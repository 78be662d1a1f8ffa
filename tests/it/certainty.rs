//! What certainty answers have: intervals that keep their word, and what forecasts and common days save.

use rayon::prelude::*;

use headend::stats::Tally;

use crate::bench_model::{EXPONENTIAL, single_server};

/// A curfew against the base on a Monday of Kent: the same days, and the forecast of each, do the work of at least five
/// times as many independent days.
#[test]
#[ignore = "24 mornings of Kent; CI runs it"]
fn forecasts_save_most_of_the_days() {
    let text = std::fs::read_to_string("scenarios/kent-monday.toml").unwrap();
    let text = text.replace("until = \"18:30\"\nseed", "until = \"12:05\"\nseed");
    let mut study = crate::bench_model::study(&text);
    (study.effort.least, study.effort.most) = (12, 12);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let settings =
        headend::study::Settings { stop: &stop, progress: &|_, _| {}, keep: None, retain: false, records: None };
    let curfew = study.setups.iter().position(|setup| setup.name == "curfew").unwrap();
    let results = headend::study::run(&study, &[0, curfew], &settings).unwrap();
    let saved = results.setups[1].targets[0].figure.saved.unwrap();
    println!("same days {:.2}, forecasts {:.1}", saved.same_days, saved.forecast);
    assert!(saved.same_days * saved.forecast >= 5.0, "{saved:?}");
}

/// A thousand studies of fifteen runs of four hours each: their 95 % intervals hold the mean, a 95th percentile and a paired
/// difference as often as they say. The truth is the
/// mean of all fifteen thousand runs, which is thirty times as sure.
#[test]
#[ignore = "30,000 runs of four hours; CI runs it"]
fn intervals_of_studies_cover_as_often_as_they_say() {
    let text = |rate: &str| {
        single_server(&[("a", 0.7, EXPONENTIAL)], "\"fifo\"")
            .replace("days = 3", "days = 1")
            .replace("until = \"24:00\"\nbin", "until = \"04:00\"\nbin")
            .replace("throughput = \"1 Mbit/s\"", &format!("throughput = \"{rate}\""))
    };
    let days = |rate: &str| -> Vec<[f64; 2]> {
        let model = crate::bench_model::base(&text(rate));
        let day = |replication: u32| {
            let mut keep = crate::bench_model::Keep::default();
            headend::sim::simulate(&model, replication, &mut keep);
            let latencies: Vec<f64> = keep.records.iter().map(|record| record.latency.secs()).collect();
            let mean = latencies.iter().copied().collect::<Tally>().mean();
            [mean, headend::stats::quantile(&latencies, 0.95)]
        };
        (0..15_000).into_par_iter().map(day).collect()
    };
    let (slow, fast) = (days("1 Mbit/s"), days("1.1 Mbit/s"));
    let figures: [(&str, Vec<f64>); 3] = [
        ("mean", slow.iter().map(|day| day[0]).collect()),
        ("95th percentile", slow.iter().map(|day| day[1]).collect()),
        ("paired difference", slow.iter().zip(&fast).map(|(a, b)| b[0] - a[0]).collect()),
    ];
    for (name, values) in figures {
        let truth = values.iter().copied().collect::<Tally>().mean();
        let covered = values
            .chunks(15)
            .filter(|study| study.iter().copied().collect::<Tally>().interval(0.95).contains(truth))
            .count();
        println!("{name}: {covered} of 1000");
        // 93.5 to 96.5 %, give or take what 1,000 studies leave to chance (two standard errors).
        assert!((921..=979).contains(&covered), "{name}: {covered} of 1000");
    }
}
