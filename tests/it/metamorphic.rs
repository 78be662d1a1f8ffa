//! Metamorphic tests: what must not change a result does not, on random small scenarios at both fidelities.
//!
//! Scenarios are those of `headend validate --regimes`, a few sites for a few seconds: every order of service, both ways of
//! counting, several turns, curfews, caps, full access links, calls, log-ons.

use std::sync::Arc;

use headend::model::{
    Arrival, ChangeKind, Class, ClassId, Concentrator, ConcentratorId, DatedChange, Demand, Discipline, Fidelity,
    Model, PoolId, Rules, SiteId, Tcp, Transport,
};
use headend::random::Distribution;
use headend::sim::observer::{Fact, Observer, Outcome, Record, Snapshot};
use headend::sim::simulate;
use headend::units::{BitRate, Bytes, Duration, NANOS, Time};
use headend::validate::regimes::draw::{Regime, RegimeSize, case};
use rayon::prelude::*;

use crate::bench_model::Keep;
use crate::monotone;

/// Scenarios at each fidelity.
const FLOW: u64 = 2_000;
const PACKET: u64 = 200;
/// A seed of its own: the suite's table is made from others.
const SEED: u64 = 29;

/// What is told of a transaction, by names.
type Told = (String, String, u64, u64, u64, &'static str);

fn told(model: &Model) -> Vec<Told> {
    let mut keep = Keep::default();
    simulate(model, 0, &mut keep);
    let mut told: Vec<Told> = keep.records.iter().map(|record| tell(model, record)).collect();
    told.sort();
    told
}

fn tell(model: &Model, record: &Record) -> Told {
    let (class, site) = (&model.classes[record.class.index()].name, &model.sites[record.site.index()].name);
    let bytes = record.request.0 + record.response.0;
    (class.clone(), site.clone(), record.started.0, bytes, record.latency.0, record.outcome.name())
}

/// Runs a check on scenarios at all fidelities, on all threads.
fn on_all(flow: u64, packet: u64, check: impl Fn(&Regime) + Sync) {
    let at = |fidelity: Fidelity, number: u64| {
        let mut case = case(SEED, number, RegimeSize::SMALL);
        case.model.fidelity = fidelity;
        check(&case);
    };
    (0..flow).into_par_iter().for_each(|number| at(Fidelity::Flow, number));
    (0..packet).into_par_iter().for_each(|number| at(Fidelity::Packet(1), number));
    (0..packet).into_par_iter().for_each(|number| at(Fidelity::Sampled, number));
}

#[track_caller]
fn same(case: &Regime, what: &str, other: &Model, by: u64) {
    let (own, other) = (told(&case.model), told(other));
    assert_eq!(own.len(), other.len(), "{what}: {:?} {:?}", case.number, case.terms);
    for (own, other) in own.iter().zip(&other) {
        let apart = own.4.abs_diff(other.4);
        let alike = (&own.0, &own.1, own.2, own.3, own.5) == (&other.0, &other.1, other.2, other.3, other.5);
        assert!(
            alike && apart <= by,
            "{what}: {own:?} against {other:?} in {} {:?} {:?}",
            case.number,
            case.model.fidelity,
            case.terms
        );
    }
}

#[test]
fn how_often_it_is_looked_at_changes_no_record() {
    on_all(FLOW, PACKET, |case| {
        same(case, "bin", &Model { bin: Duration(7 * NANOS + 1), ..case.model.clone() }, 0);
    });
}

/// An order of service with one class more.
fn with_one_more(discipline: &Discipline) -> Discipline {
    match discipline {
        Discipline::Fifo => Discipline::Fifo,
        Discipline::FairBySite => Discipline::FairBySite,
        Discipline::Priority(ranks) => Discipline::Priority(ranks.iter().copied().chain([1]).collect()),
        Discipline::Weighted(weights) => Discipline::Weighted(weights.iter().copied().chain([2.0]).collect()),
        Discipline::Discriminatory(weights) => {
            Discipline::Discriminatory(weights.iter().copied().chain([1.0]).collect())
        }
        Discipline::LowLatency { first, weights } => Discipline::LowLatency {
            first: first.iter().copied().chain([false]).collect(),
            weights: weights.iter().copied().chain([2.0]).collect(),
        },
    }
}

#[test]
fn an_idle_class_changes_no_record() {
    on_all(FLOW, PACKET, |case| {
        let mut other = case.model.clone();
        let nobody =
            Class::new("nobody".to_owned(), Demand::Replayed, Distribution::Fixed(1.0), Distribution::Fixed(1.0));
        other.classes.push(nobody);
        other.concentrators[0].discipline = with_one_more(&other.concentrators[0].discipline);
        same(case, "idle class", &other, 0);
    });
}

#[test]
fn an_idle_concentrator_changes_no_record() {
    on_all(FLOW, PACKET, |case| {
        let mut other = case.model.clone();
        other.concentrators.push(Concentrator { name: "spare".to_owned(), ..other.concentrators[0].clone() });
        other.pools[PoolId(0).index()].concentrators.push(ConcentratorId(1));
        same(case, "idle concentrator", &other, 0);
    });
}

#[test]
fn a_change_without_effect_changes_no_record() {
    on_all(FLOW, PACKET, |case| {
        let mut other = case.model.clone();
        let Concentrator { throughput, buffer, discipline, .. } = other.concentrators[0].clone();
        let concentrator = ConcentratorId(0);
        let at = Time(2 * NANOS + 345);
        other.changes.push(DatedChange { at, kind: ChangeKind::ReplaceDevice { concentrator, throughput, buffer } });
        other.changes.push(DatedChange { at, kind: ChangeKind::SetDiscipline(concentrator, discipline) });
        other.changes.push(DatedChange { at, kind: ChangeKind::SetShaping(ClassId(0)) });
        other.changes.sort_by_key(|edit| edit.at);
        same(case, "no effect", &other, 0);
    });
}

/// The same with classes and sites listed the other way round.
fn turned_round(model: &Model) -> Model {
    let mut other = model.clone();
    other.classes.reverse();
    other.sites = model.sites.iter().rev().cloned().collect();
    for class in &mut other.classes {
        if let Demand::Users { workstations, .. } | Demand::Jobs { workstations, .. } = &mut class.demand {
            workstations.reverse();
        }
    }
    let last = u8::try_from(model.classes.len() - 1).unwrap();
    for edit in &mut other.changes {
        if let ChangeKind::SetShaping(class) = &mut edit.kind {
            *class = ClassId(last - class.0);
        }
    }
    match &mut other.concentrators[0].discipline {
        Discipline::Fifo | Discipline::FairBySite => {}
        Discipline::Priority(ranks) => ranks.reverse(),
        Discipline::Weighted(weights) | Discipline::Discriminatory(weights) => weights.reverse(),
        Discipline::LowLatency { first, weights } => {
            first.reverse();
            weights.reverse();
        }
    }
    other
}

/// Sums over classes and sites come in another order, so that the last bit of a time may differ: a microsecond is allowed.
#[test]
fn the_order_of_classes_and_sites_changes_no_record() {
    on_all(FLOW, PACKET, |case| same(case, "order", &turned_round(&case.model), 1_000));
}

/// Replayed before the sites of a scenario, a transaction every so often.
fn replayed(case: &Regime, classes: u8) -> Model {
    let mut model = case.model.clone();
    let sites = u32::try_from(model.sites.len()).unwrap();
    let arrivals = (0..120_u32).map(|number| Arrival {
        at: Time(u64::from(number) * 37_000_001),
        site: SiteId(number * 7 % sites),
        class: ClassId(u8::try_from(number % u32::from(classes)).unwrap()),
        request: Bytes(900),
        response: Bytes(u64::from(1_000 + (number * 7_919) % 90_000)),
    });
    model.replay = Some(arrivals.collect::<Vec<_>>().into());
    model.changes.clear();
    for class in &mut model.classes {
        (class.demand, class.rules) = (Demand::Replayed, Rules::default());
    }
    let first = model.classes[0].clone();
    model.classes = (0..classes).map(|number| Class { name: format!("part-{number}"), ..first.clone() }).collect();
    model.concentrators[0].discipline = match &model.concentrators[0].discipline {
        Discipline::FairBySite => Discipline::FairBySite,
        Discipline::Priority(_) => Discipline::Priority(vec![0; usize::from(classes)]),
        _ => Discipline::Fifo,
    };
    model
}

/// Where classes are treated alike it does not matter to which of them a transaction belongs.
#[test]
fn a_class_split_into_equal_ones_changes_no_latency() {
    let latencies = |model: &Model| -> Vec<(u64, String, u64)> {
        told(model)
            .into_iter()
            .map(|told| (told.2, told.1, told.4))
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect()
    };
    on_all(FLOW, PACKET, |case| {
        let (whole, halves) = (latencies(&replayed(case, 1)), latencies(&replayed(case, 2)));
        let apart = whole.iter().zip(&halves).map(|(a, b)| a.2.abs_diff(b.2)).max().unwrap_or(0);
        assert!(apart <= 1, "{apart} ns apart in {} {:?} {:?}", case.number, case.model.fidelity, case.terms);
    });
}

/// Looks at the concentrator every second.
#[derive(Default)]
struct Watch {
    looks: Vec<Snapshot>,
    records: Vec<Record>,
}

impl Observer for Watch {
    fn on(&mut self, _: Time, fact: &Fact<'_>) {
        match fact {
            Fact::Snapshot(look) => self.looks.push((*look).clone()),
            Fact::Ended(record) => self.records.push(*record),
            _ => {}
        }
    }
}

#[allow(clippy::cast_precision_loss)] // bytes of a few seconds
fn bits(record: &Record) -> f64 {
    record.response.0 as f64 * 8.0
}

/// The largest window that a path of this rate may have in flight, on the way and in both queues, and a first window beside it
/// [bit].
fn window(rate: f64, trip: f64, tcp: &Tcp) -> f64 {
    rate * (trip + tcp.access_buffer.secs()) + 20.0 * tcp.segment.bits()
}

/// No link carries more in any bin than its rate, but for one window: what is booked as a whole may overlap its end.
#[test]
fn no_link_carries_more_than_it_can() {
    on_all(FLOW, PACKET, |case| {
        let Transport::Tcp(tcp) = case.model.transport else { unreachable!("the suite runs TCP") };
        let mut watch = Watch::default();
        simulate(&case.model, 0, &mut watch);
        let rate = case.model.concentrators[0].throughput.bits();
        let carried: Vec<f64> = watch.looks.iter().map(|look| look.concentrators[0].carried.iter().sum()).collect();
        let buffer = case.model.concentrators[0].buffer.bits() / rate;
        let farthest = case.model.sites.iter().map(|site| site.rtt.secs()).fold(0.0, f64::max);
        let most = window(rate, farthest + buffer, &tcp);
        for pair in carried.windows(2) {
            let bin = pair[1] - pair[0];
            assert!(bin <= rate + most, "{bin} of {rate} in a second: {} {:?}", case.number, case.terms);
        }
        for (site, terms) in case.model.sites.iter().enumerate() {
            let ended = |record: &&Record| record.site.index() == site && record.outcome == Outcome::Done;
            let mut own: Vec<&Record> = watch.records.iter().filter(ended).collect();
            own.sort_by_key(|record| record.started + record.latency);
            let most = window(terms.down.bits(), terms.rtt.secs() + buffer, &tcp);
            for first in &own {
                let mut sum = 0.0;
                for record in own.iter().filter(|record| record.started >= first.started) {
                    sum += bits(record);
                    let time = (record.started + record.latency).since(first.started).secs();
                    let could = terms.down.bits() * time + most;
                    assert!(sum <= could, "site {site}: {sum} in {time} s: {} {:?}", case.number, case.terms);
                }
            }
        }
    });
}

/// Transfers of one size that begin together at sites that are alike end together: exactly as flows, nearly as packets.
#[test]
fn equal_transfers_get_equal_rates() {
    for (fidelity, apart) in [(Fidelity::Flow, 0.03), (Fidelity::Packet(1), 0.5)] {
        for count in [2_u32, 5, 16, 30] {
            let arrivals = (0..count).map(|site| Arrival {
                at: Time(NANOS),
                site: SiteId(site),
                class: ClassId(0),
                request: Bytes(1_000),
                response: Bytes(40_000_000 / u64::from(count)),
            });
            let (links, tcp) = (vec![50; count as usize], case(SEED, 0, RegimeSize::SMALL).model.transport);
            let mut model = monotone::model(arrivals.collect(), &links, 40, Discipline::Fifo, tcp);
            model.fidelity = fidelity;
            let mut keep = Keep::default();
            simulate(&model, 0, &mut keep);
            let times: Vec<f64> = keep.records.iter().map(|record| record.latency.secs()).collect();
            let mean = times.iter().sum::<f64>() / f64::from(count);
            // Rates are known by how far the first of them has come when the last ends.
            let worst = times.iter().map(|time| (time / mean - 1.0).abs()).fold(0.0, f64::max);
            assert!(worst <= apart, "{count} at {fidelity:?}: {worst}");
        }
    }
}

/// On an idle link a capped class gets its cap where it wants more, and what it wants where that is less.
#[test]
fn a_cap_gives_the_lesser_of_cap_and_demand() {
    use headend::model::Cap;
    for fidelity in [Fidelity::Flow, Fidelity::Packet(1)] {
        // Mbit/s of cap, and how many transfers of 200 kB, about 1.8 Mbit of work each, ask in a minute.
        for (cap, count) in [(2_u32, 268_u32), (5, 268), (8, 67), (20, 134)] {
            let gap = 60.0 / f64::from(count);
            let arrivals = (0..count).map(|number| Arrival {
                at: Time(0) + Duration::of_secs(f64::from(number) * gap),
                site: SiteId(number % 4),
                class: ClassId(0),
                request: Bytes(1_000),
                response: Bytes(200_000),
            });
            let tcp = case(SEED, 0, RegimeSize::SMALL).model.transport;
            let mut model = monotone::model(arrivals.collect(), &[50; 4], 100, Discipline::Fifo, tcp);
            (model.fidelity, model.bin) = (fidelity, Duration(10 * NANOS));
            let total = Some(BitRate(u64::from(cap) * 1_000_000));
            model.cap(ClassId(0), Cap { from: Time(0), until: Time::NEVER, total, per_site: None });
            let mut watch = Watch::default();
            simulate(&model, 0, &mut watch);
            // From 20 s to 50 s.
            let at = |second: usize| watch.looks[second / 10 - 1].concentrators[0].carried[0];
            let rate = (at(50) - at(20)) / 30.0 / 1e6;
            let demand = f64::from(count) * 1.6 * 1.12 / 60.0;
            let wanted = f64::from(cap).min(demand);
            assert!((rate / wanted - 1.0).abs() < 0.08, "cap {cap}, demand {demand:.1} at {fidelity:?}: {rate}");
        }
    }
}

/// Fault: a cap that never binds gives its class a queue of its own, and harms it. As a flow nothing changes to the last bit; packets meet
/// the shaper's bucket before the queue.
#[test]
fn a_cap_above_the_capacity_changes_nothing() {
    use headend::model::Cap;
    let capped = |case: &Regime| {
        let mut other = case.model.clone();
        let above = Some(BitRate(2 * case.model.concentrators[0].throughput.0));
        let cap = Cap { from: Time(0), until: Time::NEVER, total: above, per_site: above };
        (0..other.classes.len()).map(ClassId::of).for_each(|class| other.cap(class, cap));
        other
    };
    (0..FLOW / 4).into_par_iter().for_each(|number| {
        let case = case(SEED, number, RegimeSize::SMALL);
        if case.model.classes.iter().all(|class| class.rules.caps.is_empty()) {
            same(&case, "loose cap", &capped(&case), 0);
        }
    });
}

/// Everything twice as large and twice as fast takes as long, where transport is ideal.
#[test]
fn twice_the_rates_and_sizes_take_the_same_times() {
    for number in 0..200 {
        let case = case(SEED, number, RegimeSize::SMALL);
        let plain = Model { transport: Transport::Ideal, ..replayed(&case, 2) };
        let mut double = plain.clone();
        double.sites = plain
            .sites
            .iter()
            .map(|site| headend::model::Site {
                down: BitRate(site.down.0 * 2),
                up: BitRate(site.up.0 * 2),
                ..site.clone()
            })
            .collect();
        let concentrator = &mut double.concentrators[0];
        (concentrator.throughput, concentrator.rated, concentrator.buffer) = (
            BitRate(concentrator.throughput.0 * 2),
            BitRate(concentrator.rated.0 * 2),
            Bytes(concentrator.buffer.0 * 2),
        );
        let larger = |arrival: &Arrival| Arrival {
            request: Bytes(arrival.request.0 * 2),
            response: Bytes(arrival.response.0 * 2),
            ..*arrival
        };
        double.replay = double.replay.map(|all| all.iter().map(larger).collect::<Arc<[Arrival]>>());
        let times = |model: &Model| told(model).into_iter().map(|told| (told.2, told.1, told.4)).collect::<Vec<_>>();
        for (own, other) in times(&plain).iter().zip(&times(&double)) {
            assert!((&own.0, &own.1) == (&other.0, &other.1) && own.2.abs_diff(other.2) <= 10, "{own:?} {other:?}");
        }
    }
}
