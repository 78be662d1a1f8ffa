//! The band against a plain simulator of the same rule: progressive filling, flow by flow, at each event.
use headend::sim::internals::{Fairness, MaxMin, exact_weight};
use headend::units::{BitRate, Duration, Time};
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Arrival {
    at: f64,
    site: usize,
    work: f64,
    weight: f64,
}

/// Rates by progressive filling over sites (weights of sites, caps), O(sites^2): slow and plain.
fn fill(capacity: f64, sites: &[(f64, f64)]) -> Vec<f64> {
    let mut rates = vec![0.0; sites.len()];
    let mut open: Vec<usize> = (0..sites.len()).filter(|&site| sites[site].0 > 0.0).collect();
    let mut left = capacity;
    while !open.is_empty() {
        let level = left / open.iter().map(|&site| sites[site].0).sum::<f64>();
        let bound: Vec<usize> = open.iter().copied().filter(|&site| sites[site].1 <= sites[site].0 * level).collect();
        if bound.is_empty() {
            for site in open {
                rates[site] = sites[site].0 * level;
            }
            break;
        }
        for site in bound {
            rates[site] = sites[site].1;
            left -= sites[site].1;
            open.retain(|&other| other != site);
        }
    }
    rates
}

/// When each flow ends, by the plain simulator.
fn plain(arrivals: &[Arrival], caps: &[f64], capacity: f64, fairness: Fairness) -> Vec<f64> {
    let mut ends = vec![f64::NAN; arrivals.len()];
    let mut left: Vec<(usize, f64)> = Vec::new();
    let (mut now, mut next) = (0.0, 0);
    while next < arrivals.len() || !left.is_empty() {
        let weight_of = |site: usize| -> f64 {
            left.iter().filter(|(flow, _)| arrivals[*flow].site == site).map(|(flow, _)| arrivals[*flow].weight).sum()
        };
        let weights: Vec<f64> = (0..caps.len()).map(weight_of).collect();
        let sites: Vec<(f64, f64)> = weights
            .iter()
            .zip(caps)
            .map(|(&weight, &cap)| {
                (if fairness == Fairness::BySite { f64::from(u8::from(weight > 0.0)) } else { weight }, cap)
            })
            .collect();
        let rates = fill(capacity, &sites);
        let rate = |flow: usize| rates[arrivals[flow].site] * arrivals[flow].weight / weights[arrivals[flow].site];
        let first = left
            .iter()
            .map(|&(flow, work)| (now + work / rate(flow), flow))
            .min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let arrives = arrivals.get(next).map_or(f64::INFINITY, |arrival| arrival.at);
        let until = first.map_or(arrives, |(end, _)| end.min(arrives));
        for (flow, work) in &mut left {
            *work -= rate(*flow) * (until - now);
        }
        now = until;
        match first {
            Some((end, flow)) if end <= arrives => {
                ends[flow] = end;
                left.retain(|(other, _)| *other != flow);
            }
            _ => {
                left.push((next, arrivals[next].work));
                next += 1;
            }
        }
    }
    ends
}

/// When each flow ends, by the band.
fn banded(arrivals: &[Arrival], caps: &[f64], capacity: f64, fairness: Fairness) -> Vec<f64> {
    let mut band = MaxMin::new(caps.len(), fairness);
    let mut ends = vec![f64::NAN; arrivals.len()];
    let mut next = 0;
    loop {
        let end = band.next_end();
        let arrives = arrivals.get(next).map_or(Time::NEVER, |arrival| Time(0) + Duration::of_secs(arrival.at));
        if end == Time::NEVER && arrives == Time::NEVER {
            return ends;
        }
        if end <= arrives {
            band.advance(end);
            let (site, flow) = band.finish();
            band.finished(site, arrivals[flow as usize].weight);
            ends[flow as usize] = end.secs();
        } else {
            let arrival = &arrivals[next];
            let site = u32::try_from(arrival.site).unwrap();
            band.advance(arrives);
            band.insert(site, u32::try_from(next).unwrap(), arrival.work, arrival.weight);
            band.limit(site, caps[arrival.site]);
            next += 1;
        }
        band.settle(capacity);
    }
}

/// Caps that add up to a fractional capacity, all at the level: no site may be moved back and forth for ever.
#[test]
fn sites_at_the_level_settle() {
    for sites in 2_u32..40 {
        let mut band = MaxMin::new(sites as usize, Fairness::ByFlow);
        for site in 0..sites {
            band.insert(site, site, 1e6, exact_weight(1.0 / f64::from(site % 3 + 1)));
            band.limit(site, 1e6 / f64::from(site % 3 + 1));
            for capacity in [1e6 / 3.0, f64::from(site) * 1e6 / 3.0, f64::from(site + 1) * 1e6] {
                band.settle(capacity);
                assert!(band.rate() <= capacity + 1.0);
            }
        }
    }
}

fn arrivals(sites: usize) -> impl Strategy<Value = Vec<Arrival>> {
    let one = (0.0_f64..0.5, 0..sites, 1e3_f64..1e7, prop::sample::select(vec![1.0, 2.0, 0.3]));
    prop::collection::vec(one, 1..60).prop_map(|gaps| {
        let mut now = 0.0;
        let arrive = gaps.into_iter().map(|(gap, site, work, weight)| {
            now += gap * gap;
            Arrival { at: now, site, work, weight: exact_weight(weight) }
        });
        arrive.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Event times are whole nanoseconds, rounded up; over tens of events that is far below a microsecond.
    #[test]
    fn the_band_ends_every_flow_when_the_plain_simulator_does(
        arrivals in arrivals(6),
        caps in prop::collection::vec(1_u32..40, 6),
        capacity in 1_u32..60,
        by_site in prop::bool::ANY,
    ) {
        let fairness = if by_site { Fairness::BySite } else { Fairness::ByFlow };
        let caps: Vec<f64> = caps.into_iter().map(|cap| BitRate(u64::from(cap) * 1_000_000).bits()).collect();
        let capacity = f64::from(capacity) * 1e6;
        let expected = plain(&arrivals, &caps, capacity, fairness);
        let got = banded(&arrivals, &caps, capacity, fairness);
        for (expected, got) in expected.iter().zip(&got) {
            prop_assert!((expected - got).abs() < 1e-6, "{expected} against {got}");
        }
    }
}
