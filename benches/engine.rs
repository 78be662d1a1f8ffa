//! The engine's parts against a reference loop that is measured beside them, and whole days.
//!
//! The reference is a hand-written M/M/1 on the standard library's heap: compare by ratio to it, since machines
//! differ and are noisy.

mod work;

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use headend::scenario::load;

use work::{ESTATES, churn, day, early, event_list, packets, reference, sharing, single_server, study};

fn packet_engine(criterion: &mut Criterion) {
    const CROSSINGS: u64 = 1_000_000;
    let mut group = criterion.benchmark_group("per packet-event");
    group.sample_size(10).throughput(Throughput::Elements(CROSSINGS));
    group.bench_function("reference M/M/1 on BinaryHeap", |bench| bench.iter(|| reference(black_box(CROSSINGS))));
    for flows in [50, 1_000] {
        group.bench_function(format!("TCP, {flows} flows"), |bench| bench.iter(|| packets(flows, CROSSINGS)));
    }
    group.finish();
}

fn engine(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("per event");
    group.throughput(Throughput::Elements(100_000));
    group.bench_function("reference M/M/1 on a standard heap", |bench| bench.iter(|| reference(black_box(100_000))));
    group.bench_function("event list: M/M/1", |bench| bench.iter(|| event_list(black_box(100_000))));
    group.bench_function("sharing: M/M/1", |bench| bench.iter(|| sharing(black_box(100_000))));
    for (sites, flows) in [(200, 1_000), (2_000, 100_000)] {
        group.bench_function(format!("capped sharing, {sites} sites, {flows} flows"), |bench| {
            bench.iter(|| churn(sites, flows, black_box(50_000)));
        });
    }
    group.finish();
}

fn days(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("days");
    group.sample_size(10);
    group.bench_function("ten days of M/M/1", |bench| bench.iter(|| single_server(1, "\"fifo\"")));
    let kent = study("scenarios/kent-monday.toml");
    for setup in kent.setups.iter().take(3) {
        group.bench_function(format!("a day of Kent: {}", setup.name), |bench| bench.iter(|| day(&kent, setup)));
    }
    for (name, sites, patients, times) in ESTATES {
        let estate = early(sites, patients, times);
        group.bench_function(format!("{name} up to 08:00"), |bench| bench.iter(|| day(&estate, &estate.setups[0])));
    }
    group.finish();
}

fn report(criterion: &mut Criterion) {
    use std::sync::atomic::AtomicBool;
    let tiny = study("scenarios/tiny.toml");
    let stop = AtomicBool::new(false);
    let settings = headend::study::RunOptions { stop: &stop, progress: &|_| {}, keep: None, records: None, here: true };
    let all: Vec<usize> = (0..tiny.setups.len()).collect();
    let results = headend::study::run(&tiny, &all, &settings).expect("nothing stops it");
    let mut group = criterion.benchmark_group("report");
    group.sample_size(20);
    group.bench_function("charts", |bench| bench.iter(|| headend::report::charts::charts(black_box(&results))));
    let text = std::fs::read_to_string("scenarios/kent-monday.toml").expect("benches run at the root");
    group.bench_function("load kent-monday", |bench| {
        bench.iter(|| {
            load("kent-monday.toml", black_box(&text), Path::new("scenarios")).map(|study| study.setups.len()).ok()
        });
    });
    group.finish();
}

criterion_group!(benches, packet_engine, engine, days, report);
criterion_main!(benches);
