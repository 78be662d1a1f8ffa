//! What one tunnel carries, how it comes up and when it falls, against closed forms: each test names the fault that it would notice.

use std::fmt::Write as _;

use headend::model::{Fidelity, Model, SiteId};
use headend::scenario::warn::warnings;
use headend::sim::observer::{Fact, Observer, Outcome, Record};
use headend::sim::simulate;
use headend::units::Time;

use crate::bench_model::{Keep, base, study};

const FIDELITIES: [Fidelity; 3] = [Fidelity::Flow, Fidelity::Sampled, Fidelity::Packet(1)];

/// A branch 20 ms away on a link of 1 Gbit/s that copies one file of 50 MB.
fn copy(concentrator: &str, more: &str) -> String {
    format!(
        "question = \"How long does a copy take?\"\n[run]\nweekday = \"Mon\"\nfrom = \"00:00\"\nuntil = \"00:02\"\n\
         [[estate.site]]\nname = \"branch\"\npatients = 1000\ndown = \"1 Gbit/s\"\nup = \"1 Gbit/s\"\nrtt = \"20 ms\"\n\
         [[class]]\nname = \"copy\"\nrequest = {{ fixed = \"200 B\" }}\nresponse = {{ fixed = \"50 MB\" }}\n[class.jobs]\n\
         per_1000 = 1\nfrom = \"00:00\"\nuntil = \"00:01\"\n\
         [[concentrator]]\nname = \"hub\"\n{concentrator}\n{more}"
    )
}

/// How long the copy takes at each fidelity [s].
fn copies(mut model: Model) -> [f64; 3] {
    FIDELITIES.map(|fidelity| {
        model.fidelity = fidelity;
        let mut kept = Keep::default();
        simulate(&model, 0, &mut kept);
        let done = |record: &&Record| record.outcome == Outcome::Done && record.class.index() == 0;
        let record = kept.records.iter().find(done).unwrap_or_else(|| panic!("{fidelity:?}: the copy ends"));
        record.latency.secs()
    })
}

fn assert_near(what: &str, took: [f64; 3], expected: f64, within: f64) {
    for (fidelity, took) in FIDELITIES.iter().zip(took) {
        assert!((took / expected - 1.0).abs() < within, "{what}, {fidelity:?}: {took} s, expected {expected} s");
    }
}

/// Five round trips of slow start, in which little goes [s].
const SLOW_START: f64 = 0.1;

/// 100 Mbit/s of full packets and 10,000 packets/s of small ones: by the data sheet's two figures a packet costs 9,869 bits of
/// throughput and each of its bits 0.157.
const SLOW_WITH_PACKETS: &str = "throughput = \"100 Mbit/s\"\npacket_rate = \"10000 packet/s\"";

/// Fault: a segment that does not fit the tunnel costs no more than one that does.
#[test]
fn segments_that_do_not_fit_cost_a_packet_more_each() {
    let (per_packet, per_bit) = (9_869.05, 0.157_353);
    let work = |wire: f64, packets: f64| per_packet * packets + per_bit * 8.0 * wire;
    let acknowledgement = work(104.0, 1.0) / 2.0;
    for (segment, full, fragments) in [("1360 B", 1464.0, 1.0), ("1460 B", 1564.0 + 20.0, 2.0)] {
        let payload: f64 = segment.trim_end_matches(" B").parse().unwrap();
        let expected = 50e6 / payload * (work(full, fragments) + acknowledgement) / 100e6;
        let took = copies(base(&copy(SLOW_WITH_PACKETS, &format!("[transport]\nsegment = \"{segment}\"\n"))));
        assert_near(segment, took, expected, 0.05);
    }
}

/// Fault: a clamp at the tunnels changes nothing, or stays in force where an option lifts it; nobody is told of fragments.
#[test]
fn check_warns_of_segments_that_do_not_fit_and_a_clamp_cures_them() {
    let clamp = "[[option]]\nname = \"clamp\"\n[[option.change]]\ntunnels = { mss = \"1360 B\" }\n";
    let study = study(&copy(SLOW_WITH_PACKETS, &format!("[transport]\nsegment = \"1460 B\"\n{clamp}")));
    let told: Vec<_> = warnings(&study).into_iter().filter(|warning| warning.title.contains("fragments")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].setup.as_deref(), Some("base"));
    assert!(told[0].title.contains("1460 B is 1564 B") && told[0].title.contains("2 fragments"), "{}", told[0].title);
    assert!(told[0].help.contains("mss = \"1398 B\""), "{}", told[0].help);
    let [unclamped, clamped] = [0, 1].map(|setup| copies(study.setups[setup].model.clone())[0]);
    assert!(unclamped > 1.4 * clamped, "{unclamped} s and {clamped} s");
    // An MTU that holds the packet whole needs no clamp.
    let jumbo = format!("{SLOW_WITH_PACKETS}\nmtu = \"1600 B\"");
    let whole = crate::bench_model::study(&copy(&jumbo, "[transport]\nsegment = \"1460 B\"\n"));
    assert_eq!(warnings(&whole), []);
}

/// Fault: only bits limit a tunnel. 20,000 packets a second of 1,360 bytes are 218 Mbit/s.
#[test]
fn a_tunnel_carries_as_many_packets_as_its_core_handles() {
    let limited = "throughput = \"1 Gbit/s\"\nper_tunnel_packets = \"20000 packet/s\"";
    assert_near("alone", copies(base(&copy(limited, ""))), 50e6 / (20_000.0 * 1360.0) + SLOW_START, 0.05);
    // 200 calls bring 10,000 packets a second: half of what the core handles.
    let calls =
        "[[class]]\nname = \"calls\"\nresponse = { fixed = \"1 B\" }\n[class.steady]\neach = 200\ncodec = \"g711\"\n";
    assert_near("beside calls", copies(base(&copy(limited, calls))), 50e6 / (10_000.0 * 1360.0) + SLOW_START, 0.05);
    let wide = copies(base(&copy("throughput = \"1 Gbit/s\"", "")));
    assert!(wide.iter().all(|took| *took < 0.9), "{wide:?}");
}

/// What becomes of tunnels: attachments, sites that are cut off, tunnels at the end of each bin, ends of transactions.
#[derive(Default)]
struct TunnelFacts {
    attached: Vec<(f64, SiteId)>,
    cut_off: Vec<(f64, SiteId)>,
    held: Vec<u32>,
    ended: Vec<Record>,
}

impl Observer for TunnelFacts {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::TunnelAttached { site, .. } => self.attached.push((now.secs(), *site)),
            Fact::Reachability { site, up: false } => self.cut_off.push((now.secs(), *site)),
            Fact::Snapshot(snapshot) => self.held.push(snapshot.concentrators[0].tunnels),
            Fact::Ended(record) => self.ended.push(*record),
            _ => {}
        }
    }
}

/// So many sites 20 ms away, until three in the morning, with tunnels and concentrators as given; a minute each bin.
fn night(sites: u32, tunnels: &str, more: &str) -> TunnelFacts {
    let mut text = format!(
        "question = \"What becomes of tunnels?\"\n[run]\nweekday = \"Mon\"\nfrom = \"00:00\"\nuntil = \"03:00\"\nbin = \"1 min\"\n\
         [estate.rtt]\nfixed = \"20 ms\"\n[tunnels]\n{tunnels}\n"
    );
    for site in 0..sites {
        let _ = write!(text, "[[estate.site]]\nname = \"s{site}\"\npatients = 1000\ndown = \"1 Gbit/s\"\n");
    }
    let mut facts = TunnelFacts::default();
    simulate(&base(&(text + more)), 0, &mut facts);
    facts
}

const NO_TRAFFIC: &str = "[[class]]\nname = \"none\"\nresponse = { fixed = \"1 kB\" }\n[class.jobs]\nper_1000 = 0\nfrom = \"01:00\"\n\
                          until = \"02:00\"\n";

/// Fault: a concentrator that comes back admits all at its full rate. From 2 a second it rises to 20 a second over a minute: between
/// 10 s and 40 s after it came back it completes the area under that, 2 x 30 + 0.3 (40^2 - 10^2) / 2 = 285.
#[test]
fn admission_ramps_when_a_concentrator_comes_back() {
    let terms = "detection = { fixed = \"5 s\" }\nretransmit = \"5 s\"\nbackoff = 1.0\ntries = 20";
    let hub = "[[concentrator]]\nname = \"hub\"\nthroughput = \"1 Gbit/s\"\nhandshakes = 20\n\
               handshakes_ramp = { from = 2, over = \"1 min\" }\n\
               [[fault]]\noutage = { concentrator = \"hub\", at = \"00:10\", lasts = \"1 min\" }\n";
    let facts = night(400, terms, &format!("{hub}{NO_TRAFFIC}"));
    let up = 11.0 * 60.0 + 0.04;
    let came =
        |from: f64, until: f64| facts.attached.iter().filter(|(at, _)| (up + from..up + until).contains(at)).count();
    assert!((284..=286).contains(&came(10.0, 40.0)), "{}", came(10.0, 40.0));
    assert_eq!(came(0.0, 600.0), 400);
}

/// Fault: requests that their sites have given up keep a concentrator busy for ever, and a time-out does not cure it.
#[test]
fn a_half_open_time_out_forgets_requests_that_were_given_up() {
    let terms = "detection = { fixed = \"5 s\" }\nretransmit = \"10 s\"\ntries = 0";
    let back = |more: &str| {
        let hub = format!(
            "[[concentrator]]\nname = \"hub\"\nthroughput = \"1 Gbit/s\"\nhandshakes = 1\n{more}\
             [[fault]]\noutage = {{ concentrator = \"hub\", at = \"00:10\", lasts = \"1 min\" }}\n"
        );
        let facts = night(100, terms, &format!("{hub}{NO_TRAFFIC}"));
        facts.attached.iter().filter(|(at, _)| (660.0..810.0).contains(at)).count()
    };
    assert_eq!(back("half_open_timeout = \"10 s\"\n"), 100);
    assert!(back("") < 20, "{}", back(""));
}

/// Fault: a concentrator that is busy with the keys of others keeps its own tunnels, or loses them though it answers in time.
#[test]
fn keepalives_that_wait_behind_keys_cost_tunnels_that_work() {
    let fallen = |keepalive: &str, handshakes: &str| {
        let terms =
            format!("detection = {{ fixed = \"5 s\" }}\nretransmit = \"2 s\"\nbackoff = 1.0\ntries = 1\n{keepalive}");
        let hubs = format!(
            "[[concentrator]]\nname = \"a\"\nthroughput = \"1 Gbit/s\"\nhandshakes = {handshakes}\nhalf_open = 60\n[[concentrator]]\nname = \"b\"\n\
             throughput = \"1 Gbit/s\"\n[[pool]]\nname = \"p\"\nconcentrators = [\"a\", \"b\"]\nbalancer = \"round_robin\"\n\
             [[fault]]\noutage = {{ concentrator = \"b\", at = \"00:10\", lasts = \"2 h\" }}\n"
        );
        let facts = night(100, &terms, &format!("{hubs}{NO_TRAFFIC}"));
        // Those of b are cut off as it fails; those of a later, if at all.
        let first = |site: &SiteId| facts.cut_off.iter().find(|(_, other)| other == site).map(|one| one.0);
        let mut sites: Vec<SiteId> = facts.cut_off.iter().map(|one| one.1).collect();
        sites.sort_unstable();
        sites.dedup();
        sites.iter().filter_map(first).filter(|at| *at > 600.5).collect::<Vec<f64>>()
    };
    // Fifty handshakes at 1 a second take 50 s; a site waits for 4 s.
    let lost = fallen("keepalive = \"10 s\"", "1");
    assert_eq!(lost.len(), 50);
    assert!(
        lost.iter().all(|at| (609.0..=619.5).contains(at)),
        "asked within 10 s of 00:10:05, given up 4 s later: {lost:?}"
    );
    assert_eq!(fallen("", "1").len(), 0, "without keepalives answers never wait");
    assert_eq!(fallen("keepalive = \"10 s\"", "100").len(), 0, "half a second is in time");
    // A request that has waited for 2 s is forgotten, so that no answer takes longer than 3 s.
    assert_eq!(fallen("keepalive = \"10 s\"", "1\nhalf_open_timeout = \"2 s\"").len(), 0);
}

/// Fault: a limit of tunnels binds at midnight, when nobody works; tunnels stay up though their sites are idle.
#[test]
fn tunnels_come_up_with_traffic_and_are_taken_down_when_idle() {
    let jobs = "[[class]]\nname = \"log-on\"\nresponse = { fixed = \"1 kB\" }\n[class.jobs]\nper_1000 = 1\nfrom = \"01:00\"\n\
                until = \"01:20\"\n";
    let hub = |limit: &str| format!("[[concentrator]]\nname = \"hub\"\nthroughput = \"1 Gbit/s\"\n{limit}\n{jobs}");
    let idle = "idle_timeout = \"30 min\"";
    let free = night(100, idle, &hub(""));
    assert_eq!([30, 59, 81, 120].map(|minute: usize| free.held[minute]), [0, 0, 100, 0], "{:?}", free.held);
    assert_eq!(free.cut_off, [], "a site that wakes is not cut off");
    // A sender whose SYN found no tunnel tries again after a second; the tunnel takes two round trips.
    let waits: Vec<f64> = free.ended.iter().map(|record| record.parts.held).collect();
    assert_eq!(waits.len(), 100);
    assert!(waits.iter().all(|held| (held - 1.0).abs() < 1e-6), "{waits:?}");
    let limited = night(100, idle, &hub("tunnels = 75"));
    assert_eq!([59, 81].map(|minute: usize| limited.held[minute]), [0, 75]);
    let mut refused: Vec<SiteId> = limited.cut_off.iter().map(|one| one.1).collect();
    refused.sort_unstable();
    refused.dedup();
    assert_eq!(refused.len(), 25);
    assert_eq!(night(100, "", &hub("tunnels = 75")).held[30], 75, "tunnels that are always up bind at midnight");
}
