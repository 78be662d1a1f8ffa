//! Random scenarios at both fidelities: sites, rates, round trips, buffers, mixes, loads and orders of service drawn at
//! random, and the same transactions replayed through each.

use rayon::prelude::*;

use crate::random::{Key, Stream};
use crate::scenario::model::Fidelity;
use crate::stats::{Interval, quantile};
use crate::validate::evidence::{Case, Sent, Service, Site};
use crate::validate::replay::replay;
use crate::validate::{Kind, Row};

/// Length of each scenario, and of what is not looked at [s].
const SECONDS: f64 = 60.0;
const WARM_UP: f64 = 10.0;

/// Rows of `count` random scenarios, the mean of clinical latency at flow over packet fidelity in each, and two rows of
/// their errors: the median and the 90th percentile.
#[must_use]
pub fn rows(count: u64, done: &(dyn Fn() + Sync)) -> Vec<Row> {
    let mut rows: Vec<Row> = (0..count)
        .into_par_iter()
        .filter_map(|number| {
            let row = row(number);
            done();
            row
        })
        .collect();
    let errors: Vec<f64> = rows.iter().map(|row| (row.ratio.mean - 1.0).abs()).collect();
    for (name, p, bar) in [("median error", 0.5, 0.07), ("90th percentile of errors", 0.9, 0.20)] {
        let error = quantile(&errors, p);
        rows.push(Row {
            kind: Kind::Fidelities,
            case: format!("{count} random scenarios"),
            service: "",
            load: f64::NAN,
            figure: format!("clinical mean, {name}"),
            reference: "packet".to_owned(),
            value: 0.0,
            packet: None,
            flow: Some(error),
            ratio: Interval { mean: 1.0 + error, half: 0.0 },
            bar: Some((1.0, 1.0 + bar)),
        });
    }
    rows
}

#[allow(clippy::cast_precision_loss)] // transactions of a minute
fn row(number: u64) -> Option<Row> {
    let (case, sites) = draw(number);
    let means = [Fidelity::Packet(1), Fidelity::Flow].map(|fidelity| {
        let found = replay(&case, &sites, fidelity);
        let rows = case.sent.iter().zip(&found.latency);
        let clinical = rows.filter(|(sent, _)| sent.class == "clinical" && sent.start_s >= WARM_UP);
        let latencies: Vec<f64> = clinical.map(|(_, latency)| *latency).collect();
        (latencies.iter().sum::<f64>() / latencies.len() as f64, latencies.len())
    });
    let [(packet, count), (flow, _)] = means;
    (count >= 30).then(|| Row {
        kind: Kind::Fidelities,
        case: case.trace.clone(),
        service: case.service.name(),
        load: case.load(),
        figure: "clinical mean".to_owned(),
        reference: "packet".to_owned(),
        value: packet,
        packet: None,
        flow: Some(flow),
        ratio: Interval { mean: flow / packet, half: 0.0 },
        bar: None,
    })
}

fn draw(number: u64) -> (Case, Vec<Site>) {
    let mut stream = Key::new(number, 7).stream(0);
    let among = |stream: &mut Stream, low: f64, high: f64| low + (high - low) * stream.uniform();
    let service = [Service::Fifo, Service::Priority, Service::Weighted][stream.below(3) as usize];
    let mbps = [10.0, 20.0, 50.0, 100.0][stream.below(4) as usize];
    let load = among(&mut stream, 0.2, 1.3);
    let buffer = among(&mut stream, 0.02, 0.1) * mbps * 1e6 / 8.0;
    let bulk = [0.0, 0.3, 0.6][stream.below(3) as usize];
    let documents = among(&mut stream, 0.1, 0.5);
    let count = 3 + stream.below(48);
    let sites: Vec<Site> = (0..count).map(|place| site(place, &mut stream)).collect();
    let mut sent = Vec::new();
    let rate = load * mbps * 1e6 / 8.0 / WIRE;
    let shares = [(1, (1.0 - bulk) * (1.0 - documents)), (2, (1.0 - bulk) * documents), (3, bulk)];
    for (class, share) in shares {
        let size = MEANS[class - 1];
        let mut now = 0.0;
        loop {
            now += stream.exponential() / (rate * share / size).max(1e-9);
            if now > SECONDS {
                break;
            }
            sent.push(transaction(now, class, size, count, &mut stream));
        }
    }
    sent.sort_by(|a: &Sent, b| a.start_s.total_cmp(&b.start_s));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // rates and buffers of links
    let case = Case {
        trace: format!("random {number}: {count} sites, {mbps} Mbit/s, b{bulk}_r{load:.2}_"),
        service,
        throughput: (mbps * 1e6) as u64,
        buffer: buffer as u64,
        calls: 0,
        warm_up: WARM_UP,
        sent,
        measured: std::collections::BTreeMap::new(),
    };
    (case, sites)
}

/// Mean sizes of clinical, documents and bulk [B], and wire bytes for each of them.
const MEANS: [f64; 3] = [30e3, 500e3, 5e6];
const WIRE: f64 = 1.045;

fn site(place: u32, stream: &mut Stream) -> Site {
    let down = [20.0, 40.0, 80.0, 200.0][stream.below(4) as usize];
    Site { name: format!("s{place}"), down_mbps: down, up_mbps: down / 4.0, rtt_ms: 5.0 + 45.0 * stream.uniform() }
}

fn transaction(now: f64, class: usize, size: f64, sites: u32, stream: &mut Stream) -> Sent {
    // Clinical sizes are lognormal with sigma 1; the sum of twelve uniform draws is normal enough.
    let normal = (0..12).map(|_| stream.uniform()).sum::<f64>() - 6.0;
    let bytes = if class == 1 { (size * (normal - 0.5).exp()).clamp(500.0, 1e6) } else { size };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // sizes of transfers
    let response_bytes = bytes as u64;
    Sent {
        // To a microsecond, as in the traces.
        start_s: (now * 1e6).round() / 1e6,
        site: format!("s{}", stream.below(sites)),
        class: crate::validate::evidence::CLASSES[class].to_owned(),
        request_bytes: 1_000,
        response_bytes,
    }
}
