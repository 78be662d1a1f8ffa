//! With ideal transport the engine is the textbook's queue: mean and tail inside the data's own 99 % interval.

use headend::model::Model;
use headend::sim::simulate;
use headend::stats::{Interval, Tally, mean};
use headend::theory::{dps_means, erlang_b, priority_means, ps_mean, ps_tail};

use crate::bench_model::{EXPONENTIAL, Keep, base, single_server};

const REPLICATIONS: u32 = 12;
const CONFIDENCE: f64 = 0.99;

/// The interval, over replications, of a figure of each.
fn over_replications(model: &Model, figure: impl Fn(&Keep) -> f64) -> Interval {
    over_replications_of(model, |keep| vec![figure(keep)])[0]
}

fn over_replications_of(model: &Model, figures: impl Fn(&Keep) -> Vec<f64>) -> Vec<Interval> {
    let mut tallies: Vec<Tally> = Vec::new();
    for replication in 0..REPLICATIONS {
        let mut keep = Keep::default();
        simulate(model, replication, &mut keep);
        let figures = figures(&keep);
        tallies.resize(figures.len(), Tally::default());
        tallies.iter_mut().zip(figures).for_each(|(tally, figure)| tally.add(figure));
    }
    tallies.iter().map(|tally| tally.interval(CONFIDENCE)).collect()
}

#[allow(clippy::cast_precision_loss)]
fn share_above(values: &[f64], limit: f64) -> f64 {
    values.iter().filter(|value| **value > limit).count() as f64 / values.len() as f64
}

#[track_caller]
fn holds(interval: Interval, theory: f64) {
    assert!(interval.contains(theory), "theory says {theory}, the engine {interval}");
    // A test that could not fail would be worth nothing: the interval must be narrow.
    assert!(interval.half < 0.12 * theory, "the interval of {interval} is too wide to tell");
}

/// A mean cannot tell processor sharing from first come first served; the tail can.
#[test]
fn m_m_1_processor_sharing_has_its_mean_and_its_tail() {
    for load in [0.5, 0.8, 0.95] {
        let model = base(&single_server(&[("only", load, EXPONENTIAL)], "\"fifo\""));
        let limit = 3.0 * ps_mean(load);
        let figures = over_replications_of(&model, |keep| {
            let latencies = keep.latencies(0);
            vec![mean(&latencies), share_above(&latencies, limit)]
        });
        holds(figures[0], ps_mean(load));
        assert!(figures[1].contains(ps_tail(load, limit)), "tail at {load}: {}", figures[1]);
    }
}

/// Under processor sharing only the mean size matters, and the number under way is geometric whatever the sizes.
#[test]
fn processor_sharing_is_insensitive_to_the_sizes() {
    let sizes = [
        "{ lognormal = { mean = \"125 kB\", sigma = 1.5 } }",
        "{ pareto = { shape = 1.5, from = \"44.3 kB\", to = \"12.5 MB\" } }",
    ];
    for size in sizes {
        let model = base(&single_server(&[("only", 0.8, size)], "\"fifo\""));
        let served = model.classes[0].response.mean() / 125_000.0;
        let load = 0.8 * served;
        assert!((served - 1.0).abs() < 0.02, "the case should have a load near 0.8");
        let figures = over_replications_of(&model, |keep| {
            let busy: Vec<f64> = keep.active[1440..].iter().map(|&n| f64::from(u8::from(n >= 8))).collect();
            vec![mean(&keep.latencies(0)), mean(&busy)]
        });
        holds(figures[0], served * ps_mean(load));
        let tail = load.powi(8);
        assert!(figures[1].contains(tail), "P(N >= 8) for {size}: theory {tail}, engine {}", figures[1]);
    }
}

#[test]
fn discriminatory_sharing_has_its_means() {
    for weight in [4.0, 2.0] {
        let discipline = format!("{{ discriminatory = {{ gold = {weight}, lead = 1 }} }}");
        let model = base(&single_server(&[("gold", 0.4, EXPONENTIAL), ("lead", 0.4, EXPONENTIAL)], &discipline));
        let figures = over_replications_of(&model, |keep| vec![mean(&keep.latencies(0)), mean(&keep.latencies(1))]);
        let theory = dps_means([0.4, 0.4], [weight, 1.0]);
        holds(figures[0], theory[0]);
        holds(figures[1], theory[1]);
    }
}

/// The class that goes first sees a server of its own: its mean and its tail are those of a load of 0.4.
#[test]
fn strict_priority_has_its_means_and_the_tail_of_the_first() {
    let classes = [("clinical", 0.4, EXPONENTIAL), ("bulk", 0.4, EXPONENTIAL)];
    let model = base(&single_server(&classes, "{ priority = [[\"clinical\"]] }"));
    let figures = over_replications_of(&model, |keep| {
        let first = keep.latencies(0);
        vec![mean(&first), mean(&keep.latencies(1)), share_above(&first, 5.0)]
    });
    let [high, low] = priority_means([0.4, 0.4]);
    holds(figures[0], high);
    holds(figures[1], low);
    assert!(figures[2].contains(ps_tail(0.4, 5.0)), "tail: {}", figures[2]);
}

/// Two classes that are both always busy get 3:1 under weights, however many flows each has.
#[test]
fn weights_split_a_busy_link_by_class() {
    let classes = [("gold", 2.0, EXPONENTIAL), ("lead", 2.0, EXPONENTIAL)];
    let text = single_server(&classes, "{ weighted = { gold = 3, lead = 1 } }");
    let model = base(&text.replace("days = 3", "days = 1").replace("24:00\"\nbin", "01:00\"\nbin"));
    let mut keep = Keep { with_looks: true, ..Keep::default() };
    simulate(&model, 0, &mut keep);
    let carried = &keep.looks.last().unwrap().1.concentrators[0].carried;
    assert!((carried[0] / carried[1] - 3.0).abs() < 0.01, "{carried:?}");
}

/// At the same load per capacity, one server of twice the rate answers in half the time of two.
#[test]
fn pooled_is_twice_as_quick_as_split() {
    let split = single_server(&[("only", 0.8, EXPONENTIAL)], "\"fifo\"");
    let pooled = single_server(&[("only", 1.6, EXPONENTIAL)], "\"fifo\"").replace("1 Mbit/s", "2 Mbit/s");
    holds(over_replications(&base(&split), |keep| mean(&keep.latencies(0))), 5.0);
    holds(over_replications(&base(&pooled), |keep| mean(&keep.latencies(0))), 2.5);
}

/// Erlang's loss formula: calls of any length, so many lines.
#[test]
fn calls_are_blocked_as_erlang_says() {
    let text = single_server(&[], "\"fifo\"\nstreams = 10").replace("1 Mbit/s", "10 Mbit/s")
        + r#"
[[class]]
name = "telephony"
[class.streams]
per_1000 = 0.05
profile = "flat"
length = { lognormal = { mean = "140 s", sigma = 0.74 } }
"#;
    let model = base(&text);
    #[allow(clippy::cast_precision_loss)]
    let blocked = over_replications(&model, |keep| keep.calls.1 as f64 / keep.calls.0 as f64);
    let theory = erlang_b(7.0, 10);
    assert!(blocked.contains(theory), "theory {theory}, engine {blocked}");
    assert!(blocked.half < 0.1 * theory, "too wide to tell: {blocked}");
}
