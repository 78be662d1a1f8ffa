//! The whole engine against a plain one: every rate worked out anew at every event, by the rules as docs/model.md has them.

use headend::model::{Arrival, ClassId, Discipline, SiteId, Transport};
use headend::random::{Key, Stream};
use headend::sim::simulate;
use headend::units::{Bytes, Time};

use crate::bench_model::Keep;
use crate::monotone::model;

const CLASSES: usize = 3;

/// Transactions before one concentrator.
#[derive(Debug)]
struct Case {
    arrivals: Vec<Arrival>,
    /// Access links and throughput [Mbit/s].
    links: Vec<u64>,
    capacity: u64,
    discipline: Discipline,
}

impl Case {
    fn draw(number: u64) -> Self {
        let mut stream = Key::new(number, 0).stream(0);
        let sites = 1 + stream.below(6);
        let links = (0..sites).map(|_| 1 + u64::from(stream.below(40))).collect();
        let capacity = 1 + u64::from(stream.below(60));
        let weights = |stream: &mut Stream| (0..CLASSES).map(|_| f64::from(1 + stream.below(8))).collect::<Vec<f64>>();
        let discipline = match stream.below(6) {
            0 => Discipline::Fifo,
            1 => Discipline::FairBySite,
            2 => Discipline::Priority((0_u8..3).map(|_| [0, 1, 2][stream.below(3) as usize]).collect()),
            3 => Discipline::Weighted(weights(&mut stream)),
            4 => Discipline::Discriminatory(weights(&mut stream)),
            _ => Discipline::LowLatency {
                first: vec![stream.uniform() < 0.5, false, false],
                weights: weights(&mut stream),
            },
        };
        let mut at = 0;
        let count = 2 + stream.below(30);
        let arrivals = (0..count).map(|index| {
            at += u64::from(stream.below(200)) * 1_000_000 * u64::from(stream.below(4));
            let response = Bytes(u64::from(1 + stream.below(2_000)) * 1000 + u64::from(index));
            let site = SiteId(stream.below(sites));
            let class = ClassId(u8::try_from(stream.below(3)).unwrap());
            Arrival { at: Time(at), site, class, request: Bytes(1000), response }
        });
        Self { arrivals: arrivals.collect(), links, capacity, discipline }
    }

    /// When each transaction ends [s], by the engine; in the order of their arrival.
    fn engine(&self) -> Vec<f64> {
        let model = model(self.arrivals.clone(), &self.links, self.capacity, self.discipline.clone(), Transport::Ideal);
        let mut keep = Keep::default();
        simulate(&model, 0, &mut keep);
        assert_eq!(keep.records.len(), self.arrivals.len());
        // Sizes are all different.
        let of = |arrival: &Arrival| keep.records.iter().find(|record| record.response == arrival.response).unwrap();
        self.arrivals.iter().map(|arrival| of(arrival).started.secs() + of(arrival).latency.secs()).collect()
    }

    /// The same by the plain simulator.
    fn plain(&self) -> Vec<f64> {
        let mut ends = vec![f64::NAN; self.arrivals.len()];
        let mut left: Vec<(usize, f64)> = Vec::new();
        let (mut now, mut next) = (0.0, 0);
        while next < self.arrivals.len() || !left.is_empty() {
            let inside: Vec<usize> = left.iter().map(|(flow, _)| *flow).collect();
            let rates = self.rates(&inside);
            let due = left.iter().zip(&rates).map(|((_, work), rate)| now + work / rate).fold(f64::INFINITY, f64::min);
            let arrives = self.arrivals.get(next).map_or(f64::INFINITY, |arrival| arrival.at.secs());
            let until = due.min(arrives);
            left.iter_mut().zip(&rates).for_each(|((_, work), rate)| *work -= rate * (until - now));
            now = until;
            if due <= arrives {
                // What is left of one that ends is rounding; the least of all, for one must end.
                let least = left.iter().map(|(_, work)| *work).fold(f64::INFINITY, f64::min);
                left.iter().filter(|(_, work)| *work <= least.max(1e-6)).for_each(|(flow, _)| ends[*flow] = now);
                left.retain(|(_, work)| *work > least.max(1e-6));
            } else {
                left.push((next, self.arrivals[next].response.bits()));
                next += 1;
            }
        }
        ends
    }

    /// Rank, queue and (where queues share by weight) weight of a class; and the weight of one of its flows.
    fn queue(&self, class: usize) -> (u8, usize, Option<f64>, f64) {
        match &self.discipline {
            Discipline::Fifo | Discipline::FairBySite => (0, 0, None, 1.0),
            Discipline::Priority(ranks) => (ranks[class], usize::from(ranks[class]), None, 1.0),
            Discipline::Weighted(weights) => (0, class, Some(weights[class]), 1.0),
            Discipline::Discriminatory(weights) => (0, 0, None, weights[class]),
            Discipline::LowLatency { first, weights } if !first[class] => (1, class, Some(weights[class]), 1.0),
            Discipline::LowLatency { .. } => (0, CLASSES, None, 1.0),
        }
    }

    /// Rates of the flows inside.
    fn rates(&self, inside: &[usize]) -> Vec<f64> {
        let of = |flow: usize| (self.arrivals[flow].site.index(), self.queue(self.arrivals[flow].class.index()));
        let mut queues: Vec<(u8, usize, Option<f64>)> =
            inside.iter().map(|&flow| of(flow).1).map(|(rank, queue, weight, _)| (rank, queue, weight)).collect();
        queues.sort_by_key(|&(rank, queue, _)| (rank, queue));
        queues.dedup_by_key(|&mut (rank, queue, _)| (rank, queue));
        // What flows of a queue at a site weigh together.
        let weight_at = |site: usize, queue: usize| -> f64 {
            inside.iter().map(|&flow| of(flow)).filter(|of| of.0 == site && of.1.1 == queue).map(|of| of.1.3).sum()
        };
        // Each site's access is split over its own queues, as the throughput is over all.
        let caps: Vec<Vec<f64>> = (0..self.links.len())
            .map(|site| {
                let access = mega(self.links[site]);
                let wants = queues.iter().map(|&(rank, queue, weight)| {
                    let here = weight_at(site, queue);
                    (rank, weight.unwrap_or(here), if here > 0.0 { access } else { 0.0 })
                });
                split(access, &wants.collect::<Vec<_>>())
            })
            .collect();
        let wants = queues.iter().enumerate().map(|(place, &(rank, queue, weight))| {
            let appetite = caps.iter().map(|caps| caps[place]).sum();
            let flows = (0..self.links.len()).map(|site| weight_at(site, queue)).sum();
            (rank, weight.unwrap_or(flows), appetite)
        });
        let given = split(mega(self.capacity), &wants.collect::<Vec<_>>());
        let mut of_site = vec![vec![0.0; self.links.len()]; queues.len()];
        for (place, &(_, queue, _)) in queues.iter().enumerate() {
            let by_site = self.discipline == Discipline::FairBySite;
            let sites = (0..self.links.len()).map(|site| {
                let weight = weight_at(site, queue);
                (0, if by_site && weight > 0.0 { 1.0 } else { weight }, caps[site][place])
            });
            of_site[place] = split(given[place], &sites.collect::<Vec<_>>());
        }
        let rate = |&flow: &usize| {
            let (site, (rank, queue, _, weight)) = of(flow);
            let place = queues.iter().position(|other| (other.0, other.1) == (rank, queue)).unwrap();
            of_site[place][site] * weight / weight_at(site, queue)
        };
        inside.iter().map(rate).collect()
    }
}

fn mega(rate: u64) -> f64 {
    f64::from(u32::try_from(rate).unwrap()) * 1e6
}

/// Splits a rate over (rank, weight, most that is of use): rank by rank, within one by weight, what one cannot use to the
/// others (progressive filling).
fn split(rate: f64, wants: &[(u8, f64, f64)]) -> Vec<f64> {
    let mut given = vec![0.0; wants.len()];
    let mut left = rate;
    for rank in 0..=wants.iter().map(|want| want.0).max().unwrap_or(0) {
        let mut open: Vec<usize> = (0..wants.len()).filter(|&at| wants[at].0 == rank && wants[at].2 > 0.0).collect();
        while !open.is_empty() {
            let level = left.max(0.0) / open.iter().map(|&at| wants[at].1).sum::<f64>();
            let full: Vec<usize> = open.iter().copied().filter(|&at| wants[at].2 <= wants[at].1 * level).collect();
            let now = if full.is_empty() { open.clone() } else { full.clone() };
            for &at in &now {
                given[at] = if full.is_empty() { wants[at].1 * level } else { wants[at].2 };
            }
            left -= now.iter().map(|&at| given[at]).sum::<f64>();
            open.retain(|at| !now.contains(at));
        }
    }
    given
}

/// Ten thousand small scenarios: every transaction ends when the plain simulator says, but for rounding. The engine's
/// rates are whole bits per second (of 0.1 Mbit/s, a hundred-thousandth), its times whole nanoseconds.
#[test]
fn every_transaction_ends_when_the_plain_engine_says() {
    let mut transactions = 0;
    for number in 0..10_000 {
        let case = Case::draw(number);
        for (plain, engine) in case.plain().iter().zip(case.engine()) {
            let allowed = 1e-6 + 1e-5 * plain;
            assert!((plain - engine).abs() <= allowed, "case {number}: {plain} against {engine}\n{case:#?}");
            transactions += 1;
        }
    }
    println!("{transactions} transactions");
}
