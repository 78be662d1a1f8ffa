//! Truth: the engine against measured networks, textbooks and its own other fidelity.

use std::path::Path;
use std::sync::OnceLock;

use headend::report::method::learnt;
use headend::report::validation::errors_csv;
use headend::scenario::model::{Fidelity, Ingredient, Model, Without};
use headend::sim::simulate;
use headend::validate::evidence::{Reference, Store};
use headend::validate::method::errors;
use headend::validate::replay::{Found, replay, replay_without};
use headend::validate::{Kind, Replayed, Row, Verdict, cross, evidence_rows, hardly_other, replay_all, textbook};

use crate::bench_model::{Keep, base};

fn replayed() -> &'static [Replayed] {
    static ALL: OnceLock<Vec<Replayed>> = OnceLock::new();
    ALL.get_or_init(|| replay_all(&Store::Shipped, &|| ()).unwrap())
}

#[track_caller]
fn nothing_beyond(rows: &[Row]) {
    let beyond: Vec<String> =
        rows.iter().filter(|row| row.verdict() == Verdict::Beyond).map(|row| format!("{row:?}")).collect();
    assert!(beyond.is_empty(), "{beyond:#?}");
}

/// Every bar that packet fidelity is held to: clinical mean and p95, long transfers, voice, unloaded transfers.
#[test]
fn packet_fidelity_agrees_with_measured_networks() {
    let rows = evidence_rows(replayed());
    let evidence: Vec<Row> = rows.into_iter().filter(|row| row.kind == Kind::Evidence).collect();
    assert!(evidence.iter().filter(|row| row.bar.is_some()).count() > 70, "the evidence must be there");
    nothing_beyond(&evidence);
}

/// With one queue, where ns-3 and Linux differ most, packet fidelity is nearer to Linux than ns-3 is.
#[test]
fn packet_fidelity_is_nearer_to_linux_than_ns_3_is_with_one_queue() {
    let rows = evidence_rows(replayed());
    let (mut nearer, mut all) = (0, 0);
    for one in replayed().iter().filter(|one| one.case.service.name() == "fifo" && one.case.measured.len() == 2) {
        for row in rows.iter().filter(|row| {
            row.kind == Kind::Evidence
                && row.case == one.case.trace
                && row.service == "fifo"
                && row.figure == "clinical mean"
        }) {
            let ns3 = mean_of(one, "clinical", &one.case.measured[&Reference::Ns3].latency);
            all += 1;
            nearer += i32::from((row.packet.unwrap() - row.value).abs() < (ns3 - row.value).abs());
        }
    }
    assert_eq!((nearer, all), (6, 6));
}

/// What flow fidelity is held to, on the same traces.
#[test]
fn flow_fidelity_agrees_with_packet_fidelity() {
    let rows: Vec<Row> = evidence_rows(replayed()).into_iter().filter(|row| row.kind == Kind::Fidelities).collect();
    assert!(rows.iter().filter(|row| row.bar.is_some()).count() > 50, "the traces must be there");
    nothing_beyond(&rows);
}

/// Second by second packets follow the testbed: what was measured in the first second is in the first second here.
#[test]
fn utilisation_follows_the_measured_one() {
    for one in replayed().iter().filter(|one| one.case.measured.contains_key(&Reference::Testbed)) {
        let (_, measured, found) = one.best();
        let apart = |shift: usize| {
            let pairs = measured.utilisation.iter().zip(found.utilisation.iter().skip(shift)).take(100);
            pairs.map(|(a, b)| (a - b).abs()).sum::<f64>() / 100.0
        };
        assert!(apart(0) < 0.6 * apart(1).max(0.02), "{}: {} against {}", one.case.trace, apart(0), apart(1));
    }
}

#[test]
fn both_fidelities_are_the_textbooks_queues() {
    nothing_beyond(&textbook::rows());
}

#[test]
fn the_error_of_the_method_is_what_validation_learns() {
    let found = errors_csv(&errors(replayed()));
    let path = Path::new("src/report/method-error.csv");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &found).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), found);
    assert!(learnt().len() > 20);
}

/// A hundred random scenarios: the fidelities agree on the clinical mean in the middle and in the tail.
#[test]
#[ignore = "takes a quarter of a minute"]
fn fidelities_agree_on_random_scenarios() {
    let rows = cross::rows(100, &|| ());
    let error = |name: &str| rows.iter().find(|row| row.figure.contains(name)).unwrap().flow.unwrap();
    assert!(error("median") <= 0.07, "median {}", error("median"));
    assert!(error("90th") <= 0.20, "90th percentile {}", error("90th"));
}

/// Recovery by time and probes is what makes short transfers bearable through a full queue.
#[test]
fn without_rack_and_probes_a_full_queue_costs_more() {
    let one = replayed().iter().find(|one| one.case.trace == "tb_r0.85_b0_s11" && one.case.service.name() == "fifo");
    let one = one.unwrap();
    let sites = &one.case.measured[&Reference::Testbed].sites;
    let without = Without::NONE.and(Ingredient::Rack).and(Ingredient::TailProbe);
    let classic = replay_without(&one.case, sites, Fidelity::Packet(1), without);
    let mean = |latency: &[f64]| mean_of(one, "clinical", latency);
    assert!(mean(&classic.latency) > 1.05 * mean(&one.best().2.latency));
}

/// The same bytes each time, and trains that stay near packet by packet.
#[test]
fn packets_are_deterministic_and_trains_are_near_them() {
    let one = replayed().iter().find(|one| one.case.trace == "tb_r0.5_b0.5_s11").unwrap();
    let sites = &one.case.measured[&Reference::Testbed].sites;
    let again = replay(&one.case, sites, Fidelity::Packet(1));
    assert_eq!(again.latency, one.best().2.latency);
    let trains = replay(&one.case, sites, Fidelity::Packet(4));
    let mean = |latency: &[f64]| mean_of(one, "clinical", latency);
    assert!((mean(&trains.latency) / mean(&again.latency) - 1.0).abs() < 0.1);
}

/// At packet fidelity, too, what came in is what went out, was lost, and is inside.
#[test]
fn the_books_of_packets_balance() {
    let text = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let model = Model { fidelity: Fidelity::Packet(1), ..base(&text) };
    let mut keep = Keep { with_looks: true, ..Keep::default() };
    simulate(&model, 0, &mut keep);
    let mut carried = 0.0;
    for (now, look) in &keep.looks {
        for unit in &look.units {
            for class in 0..unit.admitted.len() {
                let gone = unit.carried[class] + unit.withdrawn[class] + unit.inside[class];
                assert!((unit.admitted[class] - gone).abs() <= 1e-9 * gone + 1.0, "class {class} at {now:?}");
            }
            carried = unit.carried.iter().sum();
            assert!(carried <= unit.capacity * (1.0 + 1e-9) + 20_000.0, "utilisation above 1 at {now:?}");
        }
    }
    assert!(carried > 1e9, "something must have gone through");
    assert!(keep.records.iter().any(|record| record.class.0 == 3), "updates must have run");
}

/// What each ingredient of flow fidelity buys (the table of `docs/trust.md`): its errors against packets with all of them,
/// and without each.
#[test]
fn what_each_ingredient_of_flow_fidelity_buys() {
    let with_all = errors_without(Without::NONE);
    let mut table =
        format!("{:16} clinical, one queue; several; long transfers, each; utilisation, one queue\n", "without");
    let mut line = |name: &str, errors: [f64; 4]| {
        let [one, several, long, used] = errors.map(|error| 100.0 * error);
        table += &format!("{name:16} {one:.0} %; {several:.0} %; {long:.0} %; {used:.2} points\n");
    };
    line("none", with_all);
    for ingredient in FLOW {
        let (_, name) = Ingredient::ALL.into_iter().find(|(known, _)| *known == ingredient).unwrap();
        let without = errors_without(Without::NONE.and(ingredient));
        line(name, without);
        assert!(without.iter().zip(with_all).any(|(without, all)| *without > 1.1 * all), "{name}: {without:?}");
    }
    insta::assert_snapshot!("what_ingredients_buy", table);
}

const FLOW: [Ingredient; 6] = [
    Ingredient::SlowStart,
    Ingredient::BurstQueue,
    Ingredient::StandingQueue,
    Ingredient::Losses,
    Ingredient::TailProbe,
    Ingredient::RoundTrips,
];

/// Mean errors of flow fidelity over all traces, each with the chance in it averaged out: of the clinical mean with
/// one queue and with several, of each long transfer's time, and with one queue of the utilisation over ten seconds where it is
/// furthest off.
fn errors_without(without: Without) -> [f64; 4] {
    let traces = replayed().iter().filter(|one| one.case.warm_up > 0.0);
    let (mut one_queue, mut several, mut long, mut used) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for one in traces {
        let (_, measured, packets) = one.best();
        let packets = std::iter::once(packets).chain(one.again.iter().map(|[packets, _]| packets));
        let runs: Vec<(&Found, Found)> = packets
            .enumerate()
            .map(|(run, packets)| {
                let sites = hardly_other(&measured.sites, run);
                (packets, replay_without(&one.case, &sites, Fidelity::Flow, without))
            })
            .collect();
        let over = |ratio: &dyn Fn(&Found, &Found) -> f64| {
            average(&runs.iter().map(|(packets, flow)| ratio(packets, flow)).collect::<Vec<f64>>())
        };
        let clinical = |found: &Found| mean_of(one, "clinical", &found.latency);
        let error = over(&|packets, flow| (clinical(flow) / clinical(packets)).ln()).abs();
        if one.case.service.name() == "fifo" {
            let in_decade = |found: &Found, decade: usize| average(&found.utilisation[10 * decade..10 * decade + 10]);
            let apart =
                |decade: usize| over(&|packets, flow| in_decade(flow, decade) - in_decade(packets, decade)).abs();
            used.push((0..10).map(apart).fold(0.0, f64::max));
            one_queue.push(error);
        } else {
            several.push(error);
        }
        let took = |found: &Found, place: usize| one.pick("bulk", &found.latency)[place].1;
        let transfers = 0..one.pick("bulk", &measured.latency).len();
        long.extend(
            transfers.map(|place| over(&|packets, flow| (took(flow, place) / took(packets, place)).ln()).abs()),
        );
    }
    [one_queue, several, long, used].map(|errors| average(&errors))
}

/// Mean latency of a class after the warm-up [s].
fn mean_of(one: &Replayed, class: &str, latency: &[f64]) -> f64 {
    average(&one.pick(class, latency).iter().map(|pair| pair.1).collect::<Vec<f64>>())
}

#[allow(clippy::cast_precision_loss)] // transactions of a trace
fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
