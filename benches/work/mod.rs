//! What is measured: the reference loop and the engine's parts at work.
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use headend::model::{ClassId, ConcentratorId, MAX_CLASSES, SiteId};
use headend::random::Key;
use headend::scenario::{Setup, Study, load};
use headend::sim::internals::{
    EventList, Fairness, LatencyParts, MaxMin, PacketNetwork, PricedTurn, Rank, Route, Start,
};
use headend::sim::observer::{Fact, Observer, Parts};
use headend::sim::simulate;
use headend::sim::turn::Turn;
use headend::study::recorder::Recorder;
use headend::study::watched;
use headend::units::{Bytes, Duration, Time};

/// Counts what ends, and keeps nothing.
#[derive(Default)]
struct Count {
    ended: u64,
    by_class: [u64; MAX_CLASSES],
}

impl Observer for Count {
    fn on(&mut self, _: Time, fact: &Fact<'_>) {
        if let Fact::Ended(record) = fact {
            self.ended += 1;
            self.by_class[record.class.index()] += 1;
        }
    }
}

/// A county and a country: name, sites, patients (NHS England, Patients Registered at a GP Practice, 1 March 2026), and how
/// many of Kent's concentrators it takes.
pub const ESTATES: [(&str, u32, u32, u32); 2] = [("Kent", 175, 2_041_841, 1), ("England", 6_169, 63_700_000, 32)];

/// A Monday of Kent up to 08:00, with so many sites and patients in place of its own and a concentrator so many times as large.
pub fn early(sites: u32, patients: u32, times: u32) -> Study {
    let text =
        std::fs::read_to_string("scenarios/kent-monday.toml").expect("benches run at the root of the repository");
    let mut file: toml::Table = text.parse().expect("it is TOML");
    file.remove("target");
    file.remove("option");
    file["run"]["until"] = "08:00".into();
    file["estate"]["drawn"]["sites"] = sites.into();
    file["estate"]["drawn"]["patients"] = patients.into();
    let hub = &mut file["concentrator"][0];
    hub["throughput"] = format!("{times} Gbit/s").into();
    hub["packet_rate"] = format!("{} kpacket/s", 220 * times).into();
    hub["buffer"] = format!("{} kB", 6_250 * times).into();
    load("early.toml", &file.to_string(), Path::new("scenarios"))
        .unwrap_or_else(|problems| panic!("{}", problems.show(false)))
}

/// A day of a set-up, recorded as in a study; gives its actions and their requests.
pub fn day(study: &Study, setup: &Setup) -> (u64, u64) {
    let stop = AtomicBool::new(false);
    let mut all = Recorded {
        count: Count::default(),
        recorder: Recorder::new(&setup.model, &study.targets, watched(study), &stop, None),
    };
    simulate(&setup.model, 0, &mut all);
    black_box(all.recorder.finish().expect("no records are written"));
    let by_class = setup.model.classes.iter().zip(all.count.by_class);
    (all.count.ended, by_class.map(|(class, ended)| u64::from(class.turns) * ended).sum())
}

/// Counts what ends, beside what a study records.
struct Recorded<'a> {
    count: Count,
    recorder: Recorder<'a>,
}

impl Observer for Recorded<'_> {
    #[inline(always)] // as the recorder's is
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        self.count.on(now, fact);
        self.recorder.on(now, fact);
    }
}

/// What the reference loop has on its heap: when, and whether somebody leaves.
#[derive(PartialEq)]
struct Due(f64, bool);

impl Eq for Due {}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.total_cmp(&self.0)
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// M/M/1 at a load of 0.9 as one would write it by hand, on the standard library's heap; gives the mean number inside. Of the
/// engine it uses the random numbers only.
pub fn reference(events: u64) -> f64 {
    let mut stream = Key::new(1, 0).stream(0);
    let mut heap = BinaryHeap::new();
    let (mut inside, mut now, mut area) = (0.0, 0.0, 0.0);
    heap.push(Due(stream.exponential() / 0.9, false));
    for _ in 0..events {
        let Some(Due(at, leaves)) = heap.pop() else { break };
        area += inside * (at - now);
        now = at;
        if leaves {
            inside -= 1.0;
        } else {
            inside += 1.0;
            heap.push(Due(now + stream.exponential() / 0.9, false));
        }
        if (leaves && inside > 0.0) || (!leaves && inside < 2.0) {
            heap.push(Due(now + stream.exponential(), true));
        }
    }
    area / now
}

/// A scenario of the repository.
pub fn study(path: &str) -> Study {
    let text = std::fs::read_to_string(path).expect("benches run at the root of the repository");
    load(path, &text, Path::new("scenarios")).unwrap_or_else(|problems| panic!("{}", problems.show(false)))
}

/// `flows` flows at `sites` capped sites: each step ends one and admits one.
pub fn churn(sites: u32, flows: u32, steps: u32) -> Time {
    let mut band = MaxMin::new(sites as usize, Fairness::ByFlow);
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

/// `flows` endless transfers through one concentrator at packet fidelity, until so many packets have crossed a queue; gives
/// how many did, and in how many events.
pub fn packets(flows: u32, crossings: u64) -> (u64, u64) {
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
    let mut network = PacketNetwork::new(&study.setups[0].model, 1, false);
    let turn = Turn::new(Bytes(1_000), Bytes(1_000_000_000), Bytes(1_360));
    for owner in 0..flows {
        let now = Time(u64::from(owner) * 1_000_000);
        let start = Start {
            id: owner,
            epoch: 0,
            route: Route { site: SiteId(owner % SITES), class: ClassId(0), concentrator: ConcentratorId(0) },
            turns: &[PricedTurn { turn, segment: 1.0 }],
            work: turn.response.bits(),
            left: None,
            unloaded: Parts { transfer: 100.0, ..Parts::default() },
            latency: LatencyParts::new(now),
        };
        network.start(now, &start);
    }
    let mut events = 0;
    while network.crossings() < crossings {
        black_box(network.step(Time(0)));
        events += 1;
    }
    (network.crossings(), events)
}

/// The same M/M/1 on the engine's own event list.
pub fn event_list(events: u64) -> u64 {
    let mut stream = Key::new(1, 0).stream(0);
    let mut calendar = EventList::new(28);
    let mut queue = 0_u64;
    let mut now = Time(0);
    let mut after = |mean: f64| Duration::of_secs(mean * stream.exponential());
    calendar.push(now + after(1.0 / 0.9), Rank::Arrival, false);
    for _ in 0..events {
        let Some((at, &leaves)) = calendar.pop() else { break };
        now = at;
        if leaves {
            queue -= 1;
        } else {
            queue += 1;
            calendar.push(now + after(1.0 / 0.9), Rank::Arrival, false);
        }
        if (leaves && queue > 0) || (!leaves && queue == 1) {
            calendar.push(now + after(1.0), Rank::Change, true);
        }
    }
    now.0
}

/// M/M/1 processor sharing at a load of 0.9 on the engine's own event list and its own sharing; gives its events.
pub fn sharing(events: u64) -> u64 {
    let mut stream = Key::new(1, 0).stream(0);
    let (mut calendar, mut band) = (EventList::new(28), MaxMin::new(1, Fairness::ByFlow));
    calendar.push(Time(0), Rank::Arrival, 0_u32);
    band.limit(0, 1e10);
    for _ in 0..events {
        let end = band.next_end();
        if let Some((now, &flow)) = calendar.pop_before(end) {
            band.advance(now);
            band.insert(0, flow, 1e9 * stream.exponential(), 1.0);
            calendar.push(now + Duration::of_secs(stream.exponential() / 0.9), Rank::Arrival, flow + 1);
        } else {
            band.advance(end);
            let (site, _) = band.finish();
            band.finished(site, 1.0);
        }
        band.settle(1e9);
    }
    events
}

/// Ten days of a single server at a load of 0.9, simulated as any scenario is; gives its events (two a transaction).
/// Classes share as the discipline says.
pub fn single_server(classes: u32, discipline: &str) -> u64 {
    let mut text =
        "question = \"How fast?\"\n[run]\nweekday = \"Mon\"\ndays = 10\nfrom = \"00:00\"\nuntil = \"24:00\"\n\
                    [transport]\nmodel = \"ideal\"\n[[estate.site]]\nname = \"s\"\npatients = 86400000\n\
                    down = \"1 Gbit/s\"\nrtt = \"1 ms\"\n[[profile]]\nname = \"flat\"\n\
                    bands = [{ from = \"00:00\", until = \"24:00\", share = \"100 %\" }]\n"
            .to_owned();
    for class in 0..classes {
        text += &format!(
            "[[class]]\nname = \"c{class}\"\nresponse = {{ exponential = \"125 kB\" }}\n[class.open]\nper_1000 = {}\n\
             profile = \"flat\"\n",
            0.9 / f64::from(classes)
        );
    }
    text += &format!("[[concentrator]]\nname = \"hub\"\nthroughput = \"1 Mbit/s\"\ndiscipline = {discipline}\n");
    let study = load("bench.toml", &text, Path::new(".")).unwrap_or_else(|problems| panic!("{}", problems.show(false)));
    let mut count = Count::default();
    simulate(&study.setups[0].model, 0, &mut count);
    2 * count.ended
}
