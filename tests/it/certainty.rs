//! What certainty answers have: intervals that keep their word, and what forecasts and common days save.
use std::sync::atomic::AtomicBool;

use headend::scenario::Study;
use headend::stats::Tally;
use headend::study::results::Results;
use headend::study::{RunOptions, run};
use headend::units::{Text, TimeOfDay};
use rayon::prelude::*;

use crate::bench_model::{EXPONENTIAL, single_server, study};

fn results(study: &Study, chosen: &[usize]) -> Results {
    let stop = AtomicBool::new(false);
    let settings = RunOptions { stop: &stop, progress: &|_| {}, keep: None, records: None, here: true };
    run(study, chosen, &settings).unwrap()
}

/// A curfew against the base on a Monday of Kent: the same days, and the forecast of each, do the work of at least five
/// times as many independent days.
#[test]
#[ignore = "16 mornings of Kent; CI runs it"]
fn forecasts_save_most_of_the_days() {
    let text = std::fs::read_to_string("scenarios/kent-monday.toml").unwrap();
    let text = text.replace("until = \"18:30\"\nseed", "until = \"12:05\"\nseed");
    let mut study = study(&text);
    (study.effort.least, study.effort.most) = (8, 8);
    // Of the first target alone: what comes after its hours costs time and tells nothing.
    study.targets.truncate(1);
    for setup in &mut study.setups {
        setup.model.calendar.until = TimeOfDay::read("10:05").unwrap();
    }
    let curfew = study.setups.iter().position(|setup| setup.name == "curfew").unwrap();
    let results = results(&study, &[0, curfew]);
    let saved = results.setups[1].targets[0].figure.saved.unwrap();
    println!("same days {:.2}, forecasts {:.1}", saved.same_days, saved.forecast);
    assert!(saved.same_days * saved.forecast >= 5.0, "{saved:?}");
}

/// Two hundred studies of fifteen runs of three hours each: their 95 % intervals hold the mean, a 95th percentile and a paired
/// difference as often as they say. The truth is the
/// mean of all 3,000 runs, which is fourteen times as sure.
#[test]
#[ignore = "6,000 runs of three hours; CI runs it"]
fn intervals_of_studies_cover_as_often_as_they_say() {
    let text = |rate: &str| {
        single_server(&[("a", 0.7, EXPONENTIAL)], "\"fifo\"")
            .replace("days = 3", "days = 1")
            .replace("until = \"24:00\"\nbin", "until = \"03:00\"\nbin")
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
        (0..3_000).into_par_iter().map(day).collect()
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
        println!("{name}: {covered} of 200");
        // 93.5 to 96.5 %, give or take what 200 studies leave to chance (two standard errors).
        assert!((180..=198).contains(&covered), "{name}: {covered} of 200");
    }
}

/// Pairs of mirrored days: the same means, and fewer days for what goes with how much comes in.
#[test]
fn antithetic_days_agree_and_save() {
    let hours = "from = \"01:00\"\nuntil = \"05:00\"\n";
    let text = single_server(&[("a", 0.6, EXPONENTIAL)], "\"fifo\"")
        .replace("days = 3", "days = 1")
        .replace("until = \"24:00\"\nbin", "until = \"05:00\"\nbin")
        + &format!("[[target]]\nmeasure = \"utilisation\"\nat_most = \"70 %\"\n{hours}")
        + &format!("[[target]]\nclass = \"a\"\nmeasure = \"mean\"\nat_most = \"2 s\"\n{hours}");
    let days = |antithetic: bool, seed: u64| {
        let mut study = study(&text);
        (study.effort.least, study.effort.most) = (200, 200);
        (study.setups[0].model.antithetic, study.setups[0].model.seed) = (antithetic, seed);
        results(&study, &[0])
    };
    let (plain, paired) = (days(false, 1), days(true, 2));
    let figures = |results: &Results| results.setups[0].targets.iter().map(|judged| judged.figure).collect::<Vec<_>>();
    for (truth, figure) in [0.6, 2.5].iter().zip(figures(&plain)).chain([0.6, 2.5].iter().zip(figures(&paired))) {
        // Twice the 95 % interval: one failure in 10,000 if the seeds were not fixed.
        assert!((figure.value.mean - truth).abs() < 2.0 * figure.value.half, "{truth}: {figure:?}");
    }
    let saved: Vec<f64> = figures(&paired).iter().map(|figure| figure.saved.unwrap().antithetic.unwrap()).collect();
    println!("independent days for utilisation and mean latency: {saved:.2?} times as many");
    assert!(saved[0] > 1.5, "{saved:?}");
    assert!(figures(&paired)[0].value.half < figures(&plain)[0].value.half);
}
