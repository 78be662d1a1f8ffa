//! headend on the traces of the measurements.

use std::collections::BTreeMap;

use crate::model::TunnelTerms;
use crate::model::{
    Arrival, Balancer, Calendar, Cipher, Class, ClassId, Codec, Concentrator, ConcentratorId, Counts, DayLevels,
    Demand, Discipline, FailBack, Fidelity, Model, Pool, PoolId, Site, SiteId, Tcp, Transport, Without,
};
use crate::random::Distribution;
use crate::sim::observer::{Fact, Observer, Record};
use crate::sim::simulate;
use crate::units::{BitRate, Bytes, Duration, NANOS, Time, TimeOfDay};
use crate::validate::evidence::{self, CLASSES, TestbedService, TraceCase, TraceRequest};

/// headend's replay of a trace.
#[derive(Clone, Debug, Default)]
pub struct TraceResult {
    /// Latency of each transaction sent [s].
    pub latency: Vec<f64>,
    /// Mean one-way delay of voice packets [s], and the share lost; none without voice.
    pub voice: Option<(f64, f64)>,
    /// Utilisation in each second.
    pub utilisation: Vec<f64>,
}

/// Runs a case before the given sites.
#[must_use]
pub fn replay(case: &TraceCase, sites: &[evidence::TestbedSite], fidelity: Fidelity) -> TraceResult {
    replay_without(case, sites, fidelity, Without::NONE)
}

/// Runs a case with ingredients left out.
#[must_use]
pub fn replay_without(
    case: &TraceCase,
    sites: &[evidence::TestbedSite],
    fidelity: Fidelity,
    without: Without,
) -> TraceResult {
    let model = model(case, sites, fidelity, without);
    let last = model.replay.iter().find_map(|replay| replay.last()).map_or(Time(0), |arrival| arrival.at);
    let mut listener = LatencyListener { last, ..LatencyListener::default() };
    simulate(&model, 0, &mut listener);
    let mut found: BTreeMap<(u64, u32, u8), Vec<f64>> = BTreeMap::new();
    for record in &listener.records {
        found.entry((record.started.0, record.site.0, record.class.0)).or_default().push(record.latency.secs());
    }
    let replayed = arrivals(&case.sent, sites);
    let latency = replayed.iter().map(|arrival| {
        found.get_mut(&(arrival.at.0, arrival.site.0, arrival.class.0)).and_then(Vec::pop).unwrap_or(f64::NAN)
    });
    #[allow(clippy::cast_precision_loss)] // packets of a few minutes
    let voice = (listener.voice.0 > 0.0).then(|| {
        let (sent, missing, delay) = listener.voice;
        (delay / (sent - missing).max(1.0), missing / sent)
    });
    TraceResult { latency: latency.collect(), voice, utilisation: listener.utilisation() }
}

#[derive(Default)]
struct LatencyListener {
    /// When the last transaction starts.
    last: Time,
    records: Vec<Record>,
    /// Packets sent, lost, and the sum of delays [s].
    voice: (f64, f64, f64),
    carried: Vec<(f64, f64)>,
}

impl LatencyListener {
    fn utilisation(&self) -> Vec<f64> {
        // The first snapshot is at the end of the first second.
        let before = std::iter::once(&(0.0, 0.0)).chain(&self.carried);
        before.zip(&self.carried).map(|(from, until)| (until.0 - from.0) / (until.1 - from.1)).collect()
    }
}

impl Observer for LatencyListener {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::Ended(record) => self.records.push(*record),
            // The references exclude the warm-up and the end here, too.
            Fact::Talk { ways: [_, down], .. } if (Time(15 * NANOS)..self.last).contains(&now) => {
                let lost = down.packets * down.lost;
                self.voice.0 += down.packets;
                self.voice.1 += lost;
                self.voice.2 += down.delay * (down.packets - lost);
            }
            Fact::Snapshot(snapshot) => {
                self.carried.push((snapshot.concentrators[0].carried.iter().sum(), snapshot.concentrators[0].capacity));
            }
            _ => {}
        }
    }
}

/// The set-up of the measurements as a model.
fn model(case: &TraceCase, sites: &[evidence::TestbedSite], fidelity: Fidelity, without: Without) -> Model {
    let replay = arrivals(&case.sent, sites);
    let last = replay.last().map_or(0, |arrival| arrival.at.0 / NANOS + 1);
    let discipline = match case.service {
        TestbedService::Fifo => Discipline::Fifo,
        TestbedService::Priority => Discipline::Priority(vec![0, 1, 2, 3]),
        TestbedService::Weighted => Discipline::Weighted(vec![10.0, 50.0, 30.0, 10.0]),
    };
    let mut concentrator = Concentrator::new("concentrator".to_owned(), BitRate(case.throughput), Bytes(case.buffer));
    (concentrator.cipher, concentrator.counts, concentrator.discipline) = (Cipher::Adds(2), Counts::Down, discipline);
    let tcp = Tcp { segment: Bytes(1_348), headers: Bytes(52), without, ..Tcp::default() };
    Model {
        seed: 1,
        antithetic: false,
        // Long enough for the slowest transfer of an overload to end.
        calendar: Calendar { weekday: 0, days: 1, from: TimeOfDay(0), until: TimeOfDay((last + 150) * NANOS) },
        levels: DayLevels::default(),
        bin: Duration(NANOS),
        sites: sites.iter().map(site).collect(),
        classes: CLASSES.iter().map(|name| class(name, case.calls, sites.len())).collect(),
        concentrators: vec![concentrator],
        pools: vec![Pool {
            name: "all".to_owned(),
            concentrators: vec![ConcentratorId(0)],
            balancer: Balancer::HubList,
            fail_back: FailBack::ByHand,
        }],
        pool_of: vec![PoolId(0); sites.len()],
        tunnels: TunnelTerms::default(),
        faults: Vec::new(),
        changes: Vec::new(),
        transport: Transport::Tcp(tcp),
        fidelity,
        replay: Some(replay.into()),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // rates of links
fn site(site: &evidence::TestbedSite) -> Site {
    Site {
        name: site.name.clone(),
        patients: 1,
        down: BitRate((site.down_mbps * 1e6) as u64),
        up: BitRate((site.up_mbps * 1e6) as u64),
        rtt: Duration::of_secs(site.rtt_ms / 1e3),
    }
}

fn class(name: &str, calls: u32, sites: usize) -> Class {
    let each = calls / u32::try_from(sites).unwrap_or(u32::MAX);
    let codec = Codec::G711;
    let demand = if name == "voice" && each > 0 { Demand::Steady { each, codec } } else { Demand::Replayed };
    Class::new(name.to_owned(), demand, Distribution::Fixed(1.0), Distribution::Fixed(1.0))
}

fn arrivals(sent: &[TraceRequest], sites: &[evidence::TestbedSite]) -> Vec<Arrival> {
    let arrival = |sent: &TraceRequest| {
        let site = sites.iter().position(|site| site.name == sent.site)?;
        let class = CLASSES.iter().position(|class| *class == sent.class)?;
        Some(Arrival {
            at: Time(0) + Duration::of_secs(sent.start_s),
            site: SiteId::of(site),
            class: ClassId::of(class),
            request: Bytes(sent.request_bytes),
            response: Bytes(sent.response_bytes),
        })
    };
    sent.iter().filter_map(arrival).collect()
}
