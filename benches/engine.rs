//! The engine's parts against a reference loop that is measured beside them, and whole days.
//!
//! The reference is a hand-written M/M/1 on the standard library's heap: compare by ratio to it, since machines
//! differ and are noisy.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use headend::random::Key;
use headend::scenario::model::{ClassId, Model, SiteId, UnitId};
use headend::scenario::{Study, load};
use headend::sim::band::{Band, Fairness};
use headend::sim::observer::{Fact, Observer};
use headend::sim::packet::Packets;
use headend::sim::packet::wire::Label;
use headend::sim::simulate;
use headend::sim::transport::Turn;
use headend::units::{Bytes, Span, Time};

/// Listens to nothing.
struct Nobody;

impl Observer for Nobody {
    fn on(&mut self, _: Time, _: &Fact<'_>) {}
}

fn reference(events: u64) -> u64 {
    let mut stream = Key::new(1, 0).stream(0);
    let mut heap = BinaryHeap::new();
    let (mut queue, mut now) = (0_u64, 0_u64);
    let nanos = |mean: f64, draw: f64| Span::of_secs(mean * draw).0;
    heap.push(Reverse((nanos(1.0 / 0.9, stream.exponential()), false)));
    for _ in 0..events {
        let Some(Reverse((at, leaves))) = heap.pop() else { break };
        now = at;
        if leaves {
            queue -= 1;
        } else {
            queue += 1;
            heap.push(Reverse((now + nanos(1.0 / 0.9, stream.exponential()), false)));
        }
        if (leaves && queue > 0) || (!leaves && queue == 1) {
            heap.push(Reverse((now + nanos(1.0, stream.exponential()), true)));
        }
    }
    now
}

fn study(path: &str) -> Study {
    let text = std::fs::read_to_string(path).expect("benches run at the root of the repository");
    load(path, &text, Path::new("scenarios")).unwrap_or_else(|problems| panic!("{}", problems.show(false)))
}

/// `flows` flows at `sites` capped sites: each step ends one and admits one.
fn churn(sites: u32, flows: u32, steps: u32) -> Time {
    let mut band = Band::new(sites as usize, Fairness::ByFlow);
    let mut stream = Key::new(2, 0).stream(0);
    for flow in 0..flows {
        let site = flow % sites;
        band.insert(site, flow, 1e6 * stream.exponential(), 1.0);
        band.limit(site, 80e6);
    }
    band.settle(1e9);
    let mut now = Time(0);
    for _ in 0..steps {
        now = band.next_end();
        band.advance(now);
        let (site, flow) = band.finish();
        band.finished(site, 1.0);
        let other = stream.below(sites);
        band.insert(other, flow, 1e6 * stream.exponential(), 1.0);
        band.limit(other, 80e6);
        band.settle(1e9);
    }
    now
}

/// `flows` endless transfers through one concentrator at packet fidelity, until so many packets have crossed a queue.
fn packets(flows: u32, crossings: u64) -> u64 {
    const SITES: u32 = 200;
    let text = format!(
        "question = \"How fast?\"\n[run]\nweekday = \"Mon\"\nfrom = \"00:00\"\nuntil = \"24:00\"\n\
         [estate.drawn]\nsites = {SITES}\npatients = 1000000\nmu = 9.0\nsigma = 0.5\n\
         [[estate.link]]\nshare = \"100 %\"\ndown = \"80 Mbit/s\"\nup = \"20 Mbit/s\"\n\
         [[profile]]\nname = \"flat\"\nbands = [{{ from = \"00:00\", until = \"24:00\", share = \"100 %\" }}]\n\
         [[class]]\nname = \"bulk\"\nresponse = {{ fixed = \"1 GB\" }}\n[class.open]\nper_1000 = 0\nprofile = \"flat\"\n\
         [[concentrator]]\nname = \"hub\"\nthroughput = \"1 Gbit/s\"\n"
    );
    let study = load("bench.toml", &text, Path::new(".")).unwrap_or_else(|problems| panic!("{}", problems.show(false)));
    let mut network = Packets::new(&study.setups[0].model, 1);
    let turn = Turn::new(Bytes(1_000), Bytes(1_000_000_000), Bytes(1_360));
    for owner in 0..flows {
        let label = Label { owner, life: 0, site: SiteId(owner % SITES), class: ClassId(0), unit: UnitId(0) };
        network.open(Time(u64::from(owner) * 1_000_000), label, &[turn], Span(0), None);
    }
    while network.crossed() < crossings {
        black_box(network.step());
    }
    network.crossed()
}

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
    let kent = study("scenarios/kent-monday.toml");
    for setup in kent.setups.iter().take(3) {
        let model: &Model = &setup.model;
        group.bench_function(format!("a day of Kent: {}", setup.name), |bench| {
            bench.iter(|| simulate(model, 0, &mut Nobody));
        });
    }
    group.finish();
}

fn report(criterion: &mut Criterion) {
    use std::sync::atomic::AtomicBool;
    let tiny = study("scenarios/tiny.toml");
    let stop = AtomicBool::new(false);
    let settings =
        headend::study::Settings { stop: &stop, progress: &|_, _| {}, keep: None, retain: false, records: None };
    let all: Vec<usize> = (0..tiny.setups.len()).collect();
    let results = headend::study::run(&tiny, &all, &settings).expect("nothing stops it");
    let mut group = criterion.benchmark_group("report");
    group.sample_size(20);
    group.bench_function("charts", |bench| bench.iter(|| headend::report::charts(black_box(&results))));
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
