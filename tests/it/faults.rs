//! Bad days against closed forms: tunnels that come back, survivors, floods, overloads and people who wait.

use std::fmt::Write as _;

use headend::model::{ClassId, ConcentratorId, SiteId};
use headend::sim::observer::{Fact, Observer, Outcome, Record, Snapshot};
use headend::sim::simulate;
use headend::stats::Tally;
use headend::study::RunOptions;
use headend::study::limits::Limit;
use headend::units::Time;

use crate::bench_model::{EXPONENTIAL, Keep, base, single_server};

/// Keeps when sites lose and find their way, and what the concentrators look like.
#[derive(Default)]
struct Watch {
    paths: Vec<(f64, SiteId, bool)>,
    looks: Vec<(f64, Snapshot)>,
    /// Packets of calls towards a site, and those of them that were lost.
    voice: Vec<(SiteId, f64, f64)>,
    records: Vec<Record>,
}

impl Observer for Watch {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::Reachability { site, up } => self.paths.push((now.secs(), *site, *up)),
            Fact::Snapshot(look) => self.looks.push((now.secs(), (*look).clone())),
            Fact::Talk { site, ways: [_, down], .. } => {
                self.voice.push((*site, down.packets, down.packets * down.lost));
            }
            Fact::Ended(record) => self.records.push(*record),
            _ => {}
        }
    }
}

fn watch(text: &str) -> Watch {
    let mut watch = Watch::default();
    simulate(&base(text), 0, &mut watch);
    watch
}

/// Equal sites with no traffic of their own before the given concentrators.
fn estate(sites: u32, more: &str) -> String {
    let mut text = String::from(
        r#"
question = "When are the tunnels back?"
[run]
weekday = "Mon"
from = "08:00"
until = "09:00"
bin = "1 s"
[transport]
model = "ideal"
[estate.rtt]
fixed = "20 ms"
[[profile]]
name = "flat"
bands = [{ from = "00:00", until = "24:00", share = "100 %" }]
[[class]]
name = "idle"
response = { fixed = "1 kB" }
[class.jobs]
per_1000 = 0
from = "00:00"
until = "01:00"
"#,
    );
    for site in 0..sites {
        let _ = write!(text, "[[estate.site]]\nname = \"s{site}\"\npatients = 1000\ndown = \"1 Gbit/s\"\n");
    }
    text + more
}

const HALF_PAST_EIGHT: f64 = 8.5 * 3600.0;

/// When each site that was cut off is back, after 08:30 [s], in order.
fn returns(watch: &Watch) -> Vec<f64> {
    let mut back: Vec<f64> = watch.paths.iter().filter(|path| path.2).map(|path| path.0 - HALF_PAST_EIGHT).collect();
    back.sort_by(f64::total_cmp);
    back
}

/// What timers and rates imply without jitter: all ask at the same moments (`asks`), a hub holds `most` requests
/// half open and completes one after the other; two round trips later the tunnel stands.
fn closed_form(sites: usize, asks: &[f64], rate: f64, most: usize) -> Vec<f64> {
    let (mut done, mut held): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    let mut free = 0.0_f64;
    for &at in asks {
        held.retain(|end| *end > at + 1e-9);
        let asking = sites - done.len();
        for _ in 0..asking.min(most - held.len()) {
            free = free.max(at) + 1.0 / rate;
            held.push(free);
            done.push(free + 0.04);
        }
    }
    done
}

/// Times at which an unanswered site asks: after its detection, then as its timers say, over and over [s].
fn asks(detection: f64, rounds: usize) -> Vec<f64> {
    let mut at = detection;
    let mut times = vec![at];
    for sent in 0..rounds {
        at += 4.0 * 1.8_f64.powi(i32::try_from(sent % 6).unwrap());
        // The sixth wait ends the attempt, and the next begins at once.
        times.push(at);
    }
    times
}

#[track_caller]
fn same(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} against {expected}");
    }
}

fn two_hubs(limits: &str) -> String {
    let hubs = format!(
        "[[concentrator]]\nname = \"a\"\nthroughput = \"1 Gbit/s\"\n{limits}\n[[concentrator]]\nname = \"b\"\n\
         throughput = \"1 Gbit/s\"\n{limits}\n[[pool]]\nname = \"p\"\nconcentrators = [\"a\", \"b\"]\n\
         balancer = \"hub_list\"\n[[fault]]\noutage = {{ concentrator = \"a\", at = \"08:30\" }}\n"
    );
    estate(175, &hubs)
}

/// Two hubs, one lost: all 175 sites notice after 30 s, and the survivor completes so many handshakes a second.
#[test]
fn tunnels_come_back_at_the_rate_of_handshakes() {
    for rate in [2.0, 5.0, 50.0] {
        let found = returns(&watch(&two_hubs(&format!("handshakes = {rate}"))));
        same(&found, &closed_form(175, &asks(30.0, 12), rate, usize::MAX));
        assert!((found[174] - (30.0 + 175.0 / rate + 0.04)).abs() < 1e-5);
    }
}

/// Slower than that, sites give up on requests that are still held, and the hub works for nobody: it takes longer than
/// its rate implies.
#[test]
fn a_slow_hub_works_for_those_who_have_given_up() {
    let found = returns(&watch(&two_hubs("handshakes = 1")));
    assert_eq!(found.len(), 175);
    assert!(found[174] > 30.0 + 175.0 + 5.0, "{}", found[174]);
}

/// With few half-open handshakes most requests are turned away, and come again when the timers say.
#[test]
fn a_half_open_limit_makes_the_retransmit_timers_set_the_pace() {
    let found = returns(&watch(&two_hubs("handshakes = 5\nhalf_open = 10")));
    same(&found, &closed_form(175, &asks(30.0, 60), 5.0, 10));
    assert!(found[174] > 30.0 + 175.0 / 5.0 + 60.0, "much later than the rate alone would have it");
}

/// One hub that reboots: sites send into the void until it is up, and are heard at their next repeat.
#[test]
fn after_a_reboot_sites_are_heard_when_they_ask_again() {
    for minutes in [1, 3, 10] {
        let hub = format!(
            "[[concentrator]]\nname = \"a\"\nthroughput = \"1 Gbit/s\"\nhandshakes = 20\n\
             [[fault]]\noutage = {{ concentrator = \"a\", at = \"08:30\", lasts = \"{minutes} min\" }}\n"
        );
        let found = returns(&watch(&estate(175, &hub)));
        let up = f64::from(minutes) * 60.0;
        let heard: Vec<f64> = asks(30.0, 60).into_iter().filter(|at| *at >= up).collect();
        same(&found, &closed_form(175, &heard, 20.0, usize::MAX));
    }
}

/// Jitter spreads the requests: fewer are half open at once, and fewer are turned away.
#[test]
fn jitter_flattens_the_storm() {
    let hub = |jitter: &str| {
        let hub = format!(
            "[tunnels]\njitter = \"{jitter}\"\n[[concentrator]]\nname = \"a\"\nthroughput = \"1 Gbit/s\"\nhandshakes = 5\n\
             [[fault]]\noutage = {{ concentrator = \"a\", at = \"08:30\", lasts = \"3 min\" }}\n"
        );
        watch(&estate(175, &hub))
    };
    let peak = |watch: &Watch| watch.looks.iter().map(|(_, look)| look.concentrators[0].half_open).max().unwrap();
    let (without, with) = (hub("0 %"), hub("80 %"));
    assert!(peak(&without) >= 165, "{}", peak(&without));
    assert!(peak(&with) < peak(&without) * 2 / 3, "{} against {}", peak(&with), peak(&without));
    assert_eq!(returns(&with).len(), 175);
}

/// A spare takes over and adds nothing before; a hub that is full of tunnels takes no more.
#[test]
fn a_spare_waits_and_a_full_hub_refuses() {
    let hubs = "[[concentrator]]\nname = \"a\"\nthroughput = \"1 Gbit/s\"\n[[concentrator]]\nname = \"spare\"\n\
                throughput = \"1 Gbit/s\"\nstandby = true\ntunnels = 100\n[[pool]]\nname = \"p\"\n\
                concentrators = [\"a\", \"spare\"]\nbalancer = \"least_tunnels\"\nfail_back = \"at_once\"\n\
                [[fault]]\noutage = { concentrator = \"a\", at = \"08:30\", lasts = \"15 min\" }\n";
    let watch = watch(&estate(175, hubs));
    let at = |minutes: f64| {
        let time = HALF_PAST_EIGHT + 60.0 * minutes;
        let look = &watch.looks.iter().find(|(now, _)| *now >= time).unwrap().1;
        (look.concentrators[0].tunnels, look.concentrators[1].tunnels, look.cut_off)
    };
    assert_eq!(at(-1.0), (175, 0, 0), "before");
    assert_eq!(at(14.0), (0, 100, 75), "while it is down the spare holds what it can");
    assert_eq!(at(20.0), (175, 0, 0), "and afterwards all are back where they belong");
}

/// One of two equal hubs is lost while both are busy: the survivor does all that it can, and not a bit more.
#[test]
fn the_survivor_carries_what_it_can_and_not_a_bit_more() {
    let text = estate(
        40,
        r#"
[[class]]
name = "bulk"
response = { fixed = "50 MB" }
[class.open]
per_1000 = 3000
profile = "flat"
[[concentrator]]
name = "a"
throughput = "400 Mbit/s"
[[concentrator]]
name = "b"
throughput = "400 Mbit/s"
[[pool]]
name = "p"
concentrators = ["a", "b"]
balancer = "least_load"
[[fault]]
outage = { concentrator = "a", at = "08:30" }
"#,
    );
    let watch = watch(&text);
    let carried = |unit: usize, time: f64| -> f64 {
        watch.looks.iter().find(|(now, _)| *now >= time).unwrap().1.concentrators[unit].carried.iter().sum()
    };
    let (from, until) = (HALF_PAST_EIGHT + 60.0, HALF_PAST_EIGHT + 1500.0);
    assert!((carried(0, until) - carried(0, from)).abs() < 1.0, "what is down carries nothing");
    let rate = (carried(1, until) - carried(1, from)) / (until - from);
    assert!((rate / 400e6 - 1.0).abs() < 1e-9, "{rate}");
}

/// Twenty sites that want 10 Mbit/s each before a hub of 100, and a rogue one that sends `k` times that: first in
/// first out gives each its part of what is sent, sharing by site and shaping do not.
#[test]
fn a_flood_starves_others_in_proportion_unless_sites_are_kept_apart() {
    let text = |discipline: &str, change: &str, k: f64| {
        let mut text = estate(0, "").replace("until = \"09:00\"", "until = \"08:20\"");
        for site in 0..20 {
            let _ = write!(
                text,
                "[[estate.site]]\nname = \"s{site}\"\npatients = 1000\ndown = \"10 Mbit/s\"\nup = \"10 Mbit/s\"\n"
            );
        }
        text += "[[estate.site]]\nname = \"rogue\"\npatients = 0\ndown = \"1 Gbit/s\"\n";
        let rate = 100.0 * k;
        text + &format!(
            "[[class]]\nname = \"bulk\"\nresponse = {{ fixed = \"1000 GB\" }}\n[class.jobs]\nper_1000 = 1\nfrom = \"07:00\"\n\
             until = \"07:01\"\n[[concentrator]]\nname = \"hub\"\nthroughput = \"100 Mbit/s\"\ndiscipline = {discipline}\n\
             [[fault]]\nflood = {{ site = \"rogue\", class = \"idle\", rate = \"{rate} Mbit/s\", at = \"08:00\" }}\n{change}"
        )
    };
    let share = |discipline: &str, change: &str, k: f64| {
        let watch = watch(&text(discipline, change, k));
        let of = |time: f64| watch.looks.iter().find(|(now, _)| *now >= time).unwrap().1.concentrators[0].carried[1];
        (of(8.3 * 3600.0) - of(8.1 * 3600.0)) / (0.2 * 3600.0) / 100e6
    };
    for k in [0.5, 1.0, 3.0] {
        let fifo = share("\"fifo\"", "", k);
        let formula = 2.0 / (2.0 + k);
        assert!((fifo - formula).abs() < 1e-6, "k = {k}: {fifo} against {formula}");
        let fair = share("\"fair_by_site\"", "", k);
        assert!((fair - 20.0 / 21.0).abs() < 1e-6, "k = {k}: {fair}");
        let shaped = share("\"fifo\"", "[[change]]\nshape = { class = \"idle\", per_site = \"5 Mbit/s\" }\n", k);
        let formula = 200.0 / 205.0;
        assert!((shaped - formula).abs() < 1e-6, "k = {k}: {shaped} against {formula}");
    }
}

/// However little the others send, a flood of more than the link carries fills it.
#[test]
fn a_flood_takes_what_others_leave() {
    let text = std::fs::read_to_string("scenarios/rogue-site-2009.toml").unwrap();
    let watch = watch(&text);
    let at = |hours: f64| &watch.looks.iter().find(|(now, _)| *now >= hours * 3600.0).unwrap().1.concentrators[0];
    let (from, until) = (at(9.1), at(10.4));
    let carried = until.carried.iter().sum::<f64>() - from.carried.iter().sum::<f64>();
    let used = carried / (until.capacity - from.capacity);
    assert!((used - 1.0).abs() < 1e-3, "{used}");
}

/// The same packet by packet, with calls that do not give way either: the share of each that is lost.
#[test]
fn packet_by_packet_a_flood_costs_calls_their_share() {
    let mut text = estate(0, "")
        .replace("from = \"08:00\"", "from = \"00:00\"")
        .replace("until = \"09:00\"", "until = \"00:00:40\"")
        .replace("weekday = \"Mon\"", "weekday = \"Mon\"\nfidelity = \"packet\"")
        .replace("model = \"ideal\"", "model = \"tcp\"");
    for site in 0..20 {
        let _ = write!(
            text,
            "[[estate.site]]\nname = \"s{site}\"\npatients = 1000\ndown = \"10 Mbit/s\"\nup = \"10 Mbit/s\"\n"
        );
    }
    text += "[[estate.site]]\nname = \"rogue\"\npatients = 0\ndown = \"1 Gbit/s\"\n";
    let hub = |discipline: &str| {
        format!(
            "[[class]]\nname = \"calls\"\n[class.steady]\neach = 5\n\
             codec = {{ packets = {{ size = \"1400 B\", every = \"56 ms\" }} }}\n\
             [[concentrator]]\nname = \"hub\"\nthroughput = \"20 Mbit/s\"\ncipher = \"none\"\ncounts = \"down\"\n\
             discipline = {discipline}\n\
             [[fault]]\nflood = {{ site = \"rogue\", class = \"calls\", rate = \"40 Mbit/s\" }}\n"
        )
    };
    let lost = |discipline: &str| {
        let watch = watch(&(text.clone() + &hub(discipline)));
        let of_site = |site: u32| -> f64 {
            let of = watch.voice.iter().filter(|voice| voice.0 == SiteId(site));
            let (sent, lost) = of.fold((0.0, 0.0), |sum, voice| (sum.0 + voice.1, sum.1 + voice.2));
            lost / sent
        };
        (0..20).map(of_site).collect::<Tally>().interval(0.99)
    };
    // 105 streams of 200 kbit/s (five of them the rogue site's own) and 40 Mbit/s before 20 Mbit/s, in packets of one
    // size: a small one would find room where a large one does not.
    let formula = 1.0 - 20.0 / (40.0 + 105.0 * 0.2);
    let fifo = lost("\"fifo\"");
    assert!((fifo.mean - formula).abs() <= fifo.half.max(0.02), "{fifo:?} against {formula}");
    let fair = lost("\"fair_by_site\"");
    // Twenty-one sites that want 1 Mbit/s or more: each gets its part of 20.
    let formula = 1.0 - 20.0 / 21.0;
    assert!((fair.mean - formula).abs() <= fair.half.max(0.005), "{fair:?} against {formula}");
}

/// Above capacity an open loop's backlog grows by what comes beyond it (Kleinrock, vol. 2, section 2.7).
#[test]
fn an_open_overload_grows_as_the_fluid_formula_says() {
    // Only what is inside at the end is looked at.
    let text = single_server(&[("a", 1.5, EXPONENTIAL)], "\"fifo\"")
        .replace("days = 3", "days = 1")
        .replace("bin = \"1 min\"", "bin = \"1 h\"");
    let model = base(&text);
    let backlog = |replication: u32| {
        let mut keep = Keep { with_looks: true, ..Keep::default() };
        simulate(&model, replication, &mut keep);
        let look = &keep.looks.last().unwrap().1;
        look.concentrators[0].inside.iter().sum::<f64>() / 1e6 / 86_400.0
    };
    let found = (0..20).map(backlog).collect::<Tally>().interval(0.99);
    assert!(found.contains(0.5) && found.half < 0.01, "{found:?}");
}

/// People who wait: M/M/1//N exactly (Kleinrock, vol. 1, section 3.8), and never beyond the asymptotic bounds (Denning &
/// Buzen 1978).
#[test]
fn a_closed_loop_settles_at_the_throughput_of_the_machine_repairman() {
    for (users, think) in [(5_u32, 10.0), (20, 10.0), (40, 10.0)] {
        let text = single_server(&[("a", 1.0, EXPONENTIAL)], "\"fifo\"")
            .replace(
                "[class.open]\nper_1000 = 1\nprofile = \"flat\"",
                &format!("[class.users]\nper_1000 = {users}\nactivity = \"always\"\nthink = {{ exponential = \"{think} s\" }}"),
            )
            .replace("patients = 86400000", "patients = 1000")
            + "[[profile]]\nname = \"always\"\nlevels = [{ at = \"00:00\", level = \"100 %\" }]\n";
        let keep = {
            let mut keep = Keep::default();
            simulate(&base(&text), 0, &mut keep);
            keep
        };
        // An hour is a batch: many services long.
        let mut hours = vec![0.0; 72];
        for record in keep.records.iter().filter(|record| record.outcome == Outcome::Done) {
            let end = record.started + record.latency;
            if let Some(hour) = hours.get_mut(usize::try_from(end.0 / 3_600_000_000_000).unwrap()) {
                *hour += 1.0 / 3600.0;
            }
        }
        let found = hours[1..].iter().copied().collect::<Tally>().interval(0.99);
        let formula = headend::theory::repairman(users, think, 1.0);
        assert!(found.contains(formula) && found.half < 0.03 * formula, "{users}: {found:?} against {formula}");
        let bound = (f64::from(users) / (think + 1.0)).min(1.0);
        assert!(formula <= bound && found.mean <= bound + found.half, "{users}: {found:?} beyond {bound}");
    }
}

/// What holds a transaction up is told: waiting for a tunnel is no queue.
#[test]
fn waiting_for_a_tunnel_is_told_apart() {
    let text = estate(
        5,
        r#"
[[class]]
name = "screens"
response = { fixed = "10 kB" }
[class.open]
per_1000 = 5000
profile = "flat"
[[concentrator]]
name = "a"
throughput = "100 Mbit/s"
[[fault]]
outage = { concentrator = "a", at = "08:30", lasts = "2 min" }
"#,
    )
    .replace("model = \"ideal\"", "model = \"tcp\"");
    let watch = watch(&text);
    let during = |record: &&Record| {
        let at = record.started.secs() - HALF_PAST_EIGHT;
        record.class == ClassId(1) && (0.0..100.0).contains(&at)
    };
    let records: Vec<&Record> = watch.records.iter().filter(during).collect();
    assert!(records.len() > 5);
    for record in records {
        assert_eq!((record.outcome, record.concentrator), (Outcome::Done, ConcentratorId(0)));
        assert!(record.parts.held > 20.0 && record.latency.secs() - record.parts.held < 1.0, "{record:?}");
    }
}

/// Each limit is named where it is the one that binds.
#[test]
fn the_limit_that_binds_is_named() {
    let found = |hub: &str, more: &str| -> Vec<Limit> {
        let text = estate(
            20,
            &format!(
                "[[class]]\nname = \"load\"\nresponse = {{ fixed = \"200 kB\" }}\n[class.open]\nper_1000 = 1940\nprofile = \"hour\"\n\
                 [[profile]]\nname = \"hour\"\nbands = [{{ from = \"07:50\", until = \"09:00\", share = \"100 %\" }}]\n\
                 [[concentrator]]\nname = \"hub\"\n{hub}\n{more}"
            ),
        );
        let text = text
            .replace("model = \"ideal\"", "model = \"tcp\"")
            .replace("bin = \"1 s\"", "bin = \"10 s\"\nreplications = 1");
        let study = crate::bench_model::study(&text);
        let stop = std::sync::atomic::AtomicBool::new(false);
        let settings = RunOptions { stop: &stop, progress: &|_| {}, keep: None, records: None, here: true };
        headend::study::run(&study, &[0], &settings).unwrap().setups[0].limits[0].clone()
    };
    // 38,800 of 200 kB in 70 minutes are 15 Mbit/s.
    let cases = [
        ("throughput = \"100 Mbit/s\"", "", Limit::None),
        ("throughput = \"10 Mbit/s\"", "", Limit::Throughput),
        ("throughput = \"100 Mbit/s\"\nuplink = \"10 Mbit/s\"", "", Limit::Line),
        ("throughput = \"20 Mbit/s\"\npacket_rate = \"1800 packet/s\"", "", Limit::Packets),
        ("throughput = \"100 Mbit/s\"\ntunnels = 10", "", Limit::Tunnels),
        ("throughput = \"100 Mbit/s\"\nper_tunnel = \"300 kbit/s\"", "", Limit::TunnelCeiling),
        ("throughput = \"100 Mbit/s\"", "[[fault]]\noutage = { concentrator = \"hub\" }\n", Limit::Down),
        (
            "throughput = \"100 Mbit/s\"\nhandshakes = 0.01\nhalf_open = 5",
            "[[fault]]\noutage = { concentrator = \"hub\", at = \"07:59\", lasts = \"1 min\" }\n",
            Limit::Handshakes,
        ),
    ];
    for (hub, more, limit) in cases {
        // The second quarter: what was there before has settled.
        assert_eq!(found(hub, more)[1], limit, "{hub}");
    }
}
