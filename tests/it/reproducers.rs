//! Faults that were found, each with the smallest scenario that shows it: what it does now is what is right.
use std::path::Path;
use std::sync::atomic::AtomicBool;

use headend::model::{Demand, Fidelity, Model};
use headend::random::place_of;
use headend::scenario::load;
use headend::sim::observer::{Fact, Observer, Outcome, Record, Snapshot};
use headend::sim::simulate;
use headend::stats::{mean, quantile};
use headend::study::figures::STAFF_LOST;
use headend::study::results::{Results, Verdict};
use headend::study::{RunOptions, run};
use headend::units::Time;

use crate::bench_model::{base, study};

/// The run of a scenario, and the estate and profiles that most share.
fn scenario(hours: (&str, &str), rest: &str) -> String {
    format!(
        r#"
question = "Is it mended?"
[run]
weekday = "Mon"
from = "{}"
until = "{}"
replications = 1
max_replications = 1
bin = "10 s"
{rest}
[[profile]]
name = "on"
levels = [{{ at = "00:00", level = "100 %" }}, {{ at = "24:00", level = "100 %" }}]
[[profile]]
name = "flat"
bands = [{{ from = "00:00", until = "24:00", share = "100 %" }}]
"#,
        hours.0, hours.1
    )
}

fn sites(count: u32, patients: u32, down: &str) -> String {
    let site = |number: u32| {
        format!("[[estate.site]]\nname = \"s{number}\"\npatients = {patients}\ndown = \"{down}\"\nrtt = \"20 ms\"\n")
    };
    (0..count).map(site).collect()
}

#[derive(Default)]
struct Watch {
    looks: Vec<(Time, Snapshot)>,
    records: Vec<Record>,
}

impl Observer for Watch {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::Snapshot(look) => self.looks.push((now, (*look).clone())),
            Fact::Ended(record) => self.records.push(*record),
            _ => {}
        }
    }
}

impl Watch {
    fn of(model: &Model) -> Self {
        let mut watch = Self::default();
        simulate(model, 0, &mut watch);
        watch
    }

    /// Work of a class at the first concentrator between two times of day [Mbit/s].
    fn rate(&self, class: usize, from: f64, until: f64) -> f64 {
        let at = |hour: f64| {
            let past = |(now, _): &&(Time, Snapshot)| now.secs() >= hour * 3600.0 - 1e-6;
            self.looks.iter().find(past).map_or(0.0, |(_, look)| look.concentrators[0].carried[class])
        };
        (at(until) - at(from)) / (until - from) / 3600.0 / 1e6
    }

    fn latencies(&self, class: u8, from: f64, until: f64) -> Vec<f64> {
        let hours = from * 3600.0..until * 3600.0;
        let inside = |record: &&Record| record.class.0 == class && hours.contains(&record.started.secs());
        self.records.iter().filter(inside).map(|record| record.latency.secs()).collect()
    }
}

fn both(text: &str) -> [Model; 2] {
    [Fidelity::Flow, Fidelity::Packet(1)].map(|fidelity| Model { fidelity, ..base(text) })
}

fn results(text: &str) -> Results {
    let (study, stop) = (study(text), AtomicBool::new(false));
    let chosen: Vec<usize> = (0..study.setups.len()).collect();
    let settings = RunOptions { stop: &stop, progress: &|_| {}, keep: None, records: None, here: true };
    run(&study, &chosen, &settings).unwrap()
}

#[track_caller]
fn problem(text: &str, part: &str) {
    let Err(problems) = load("test.toml", text, Path::new("scenarios")) else { panic!("no problem was found") };
    let shown = problems.show(false);
    assert!(shown.contains(part), "{shown}");
}

/// Sixteen long transfers at one site behind a wide concentrator: its line of 100 Mbit/s carries 100, not twice as much.
#[test]
fn a_site_is_sent_no_more_than_its_line_carries() {
    let jobs = "[[class]]\nname = \"copy\"\nresponse = { fixed = \"200 MB\" }\n[class.jobs]\nper_1000 = 1\nfrom = \"08:00\"\n\
                until = \"08:00:30\"\n[[concentrator]]\nname = \"hub\"\nthroughput = \"1 Gbit/s\"\n";
    let text = scenario(("08:00", "08:30"), &(sites(1, 16_000, "100 Mbit/s") + jobs));
    for model in both(&text) {
        let watch = Watch::of(&model);
        let carried = watch.rate(0, 8.02, 8.05);
        // Work counts the way back, too: 1.037 bits a bit on the line.
        assert!((90.0..=104.5).contains(&carried), "{carried} at {:?}", model.fidelity);
    }
}

/// Thirty equal transfers in one queue, two to ten of them a class: each class gets its part.
#[test]
fn equal_transfers_of_several_classes_share_by_their_number() {
    let class = |number: u32| {
        format!(
            "[[class]]\nname = \"c{number}\"\nresponse = {{ fixed = \"2 GB\" }}\n[class.jobs]\nper_1000 = {number}\nfrom = \"08:00\"\n\
             until = \"08:00:10\"\n"
        )
    };
    let classes: String = (1..=5).map(class).collect();
    for discipline in ["\"fifo\"", "\"fair_by_site\""] {
        let hub = format!("[[concentrator]]\nname = \"hub\"\nthroughput = \"50 Mbit/s\"\ndiscipline = {discipline}\n");
        let text = scenario(("08:00", "08:20"), &(sites(2, 1_000, "100 Mbit/s") + &classes + &hub));
        let watch = Watch::of(&base(&text));
        for class in 0..5_u32 {
            let (rate, part) = (watch.rate(class as usize, 8.1, 8.3), 50.0 * f64::from(class + 1) / 15.0);
            assert!((rate / part - 1.0).abs() < 0.03, "{discipline}, class {class}: {rate} of {part}");
        }
    }
}

/// A cap of 3 Mbit/s beside another class on an idle link of 50: the capped class gets 3, at either fidelity.
#[test]
fn a_cap_is_not_cut_by_what_others_bring_to_an_idle_link() {
    let rest = "[[class]]\nname = \"apps\"\nresponse = { fixed = \"60 kB\" }\n[class.open]\nper_1000 = 12000\nprofile = \"flat\"\n\
                [[class]]\nname = \"patches\"\nresponse = { fixed = \"300 MB\" }\n[class.jobs]\nper_1000 = 1\nfrom = \"08:00\"\n\
                until = \"08:01\"\n[[change]]\nshape = { class = \"patches\", total = \"3 Mbit/s\" }\n\
                [[concentrator]]\nname = \"hub\"\nthroughput = \"50 Mbit/s\"\n";
    let text = scenario(("08:00", "08:30"), &(sites(30, 1_000, "40 Mbit/s") + rest));
    for model in both(&text) {
        let rate = Watch::of(&model).rate(1, 8.1, 8.45);
        assert!((2.8..=3.05).contains(&rate), "{rate} at {:?}", model.fidelity);
    }
}

/// Copies fill one queue of 100 ms; a class with a cap of its own changes nothing about the wait of what comes after them.
#[test]
fn a_cap_on_another_class_does_not_empty_the_queue() {
    let jobs = |name: &str, size: &str| {
        format!(
            "[[class]]\nname = \"{name}\"\nresponse = {{ fixed = \"{size}\" }}\n[class.jobs]\nper_1000 = 1\nfrom = \"08:00\"\n\
             until = \"08:00:10\"\n"
        )
    };
    let rest = "[[class]]\nname = \"apps\"\nconnects = false\nresponse = { fixed = \"1 kB\" }\n[class.open]\nper_1000 = 8000\n\
                profile = \"flat\"\n[[change]]\nshape = { class = \"patches\", total = \"1 Mbit/s\" }\n\
                [[concentrator]]\nname = \"hub\"\nthroughput = \"20 Mbit/s\"\nbuffer = \"250 kB\"\ncounts = \"down\"\n";
    let copies = jobs("copies", "2 GB") + &jobs("patches", "1 MB");
    let text = scenario(("08:00", "08:20"), &(sites(20, 1_000, "40 Mbit/s") + &copies + rest));
    for model in both(&text) {
        let median = quantile(&Watch::of(&model).latencies(2, 8.1, 8.3), 0.5);
        assert!((0.08..=0.14).contains(&median), "{median} at {:?}", model.fidelity);
    }
}

/// The same with caps on all sites together and on each: pages on a line that is hardly used do not wait for what a cap holds back.
#[test]
fn two_caps_on_a_class_leave_others_alone() {
    let rest = "[[class]]\nname = \"pages\"\nresponse = { lognormal = { mean = \"40 kB\", sigma = 1.0, max = \"2 MB\" } }\n\
                [class.open]\nper_1000 = 20000\nprofile = \"flat\"\n\
                [[class]]\nname = \"copies\"\nresponse = { fixed = \"500 MB\" }\n[class.jobs]\nper_1000 = 2\nfrom = \"08:00\"\n\
                until = \"08:01\"\n[[change]]\nshape = { class = \"copies\", total = \"9 Mbit/s\", per_site = \"4 Mbit/s\" }\n\
                [[concentrator]]\nname = \"hub\"\nthroughput = \"40 Mbit/s\"\n";
    let text = scenario(("08:00", "08:20"), &(sites(3, 4_000, "30 Mbit/s") + rest));
    let [flow, packet] = both(&text).map(|model| mean(&Watch::of(&model).latencies(0, 8.05, 8.3)));
    assert!((flow / packet - 1.0).abs() < 0.2, "{flow} against {packet}");
}

/// Twenty capped copies at one site use 2 Mbit/s of its line: a page of 5 MB has the other 18.
#[test]
fn a_class_at_its_cap_leaves_the_access_link_to_others() {
    let rest = "[[class]]\nname = \"patches\"\nresponse = { fixed = \"300 MB\" }\n[class.jobs]\nper_1000 = 20\nfrom = \"08:00\"\n\
                until = \"08:00:10\"\n[[class]]\nname = \"pages\"\nresponse = { fixed = \"5 MB\" }\n[class.open]\nper_1000 = 500\n\
                profile = \"flat\"\n[[change]]\nshape = { class = \"patches\", total = \"2 Mbit/s\" }\n\
                [[concentrator]]\nname = \"hub\"\nthroughput = \"100 Mbit/s\"\ndiscipline = \"fair_by_site\"\n";
    let text = scenario(("08:00", "08:30"), &(sites(1, 1_000, "20 Mbit/s") + rest));
    for model in both(&text) {
        let page = quantile(&Watch::of(&model).latencies(1, 8.05, 8.45), 0.5);
        assert!((2.2..=4.0).contains(&page), "{page} at {:?}", model.fidelity);
    }
}

/// Capped copies wait behind their cap, not on the site's line of 100 Mbit/s, which is all but idle: pages take what they take alone.
#[test]
fn what_waits_behind_a_cap_does_not_hold_the_access_link() {
    let rest = "[[class]]\nname = \"patches\"\nresponse = { fixed = \"20 MB\" }\n[class.jobs]\nper_1000 = 40\nfrom = \"08:00\"\n\
                until = \"08:05\"\n[[class]]\nname = \"pages\"\nresponse = { fixed = \"50 kB\" }\n[class.open]\nper_1000 = 2000\n\
                profile = \"flat\"\n[[change]]\nshape = { class = \"patches\", total = \"10 Mbit/s\" }\n\
                [[concentrator]]\nname = \"hub\"\nthroughput = \"500 Mbit/s\"\nbuffer = \"6 MB\"\n";
    let text = |patches: &str| scenario(("08:00", "08:10"), &(sites(3, 1_000, "100 Mbit/s") + patches));
    let [crowded, alone] = [rest.to_owned(), rest.replace("per_1000 = 40", "per_1000 = 0")].map(|rest| {
        let [flow, packet] = both(&text(&rest)).map(|model| mean(&Watch::of(&model).latencies(1, 8.0, 8.16)));
        assert!((flow / packet - 1.0).abs() < 0.1, "{flow} against {packet}");
        flow
    });
    assert!(crowded < 1.1 * alone, "{crowded} against {alone}");
}

/// Where each flow has its turn, a small packet waits until all others have had theirs: requests, and calls for a connection.
#[test]
fn a_small_packet_waits_for_its_turn() {
    let rest = "[[class]]\nname = \"copies\"\nresponse = { fixed = \"2 GB\" }\n[class.jobs]\nper_1000 = 2\nfrom = \"08:00\"\n\
                until = \"08:00:10\"\n[[class]]\nname = \"apps\"\nresponse = { fixed = \"1 kB\" }\n[class.open]\nper_1000 = 4000\n\
                profile = \"flat\"\n[[concentrator]]\nname = \"hub\"\nthroughput = \"5 Mbit/s\"\nbuffer = \"250 kB\"\n\
                discipline = { discriminatory = { copies = 1, apps = 1 } }\n";
    let text = scenario(("08:00", "08:20"), &(sites(20, 1_000, "40 Mbit/s") + rest));
    let [flow, packet] = both(&text).map(|model| mean(&Watch::of(&model).latencies(1, 8.1, 8.3)));
    // Where it did not wait, an action took half as long.
    assert!((flow / packet - 1.0).abs() < 0.2, "{flow} against {packet}");
}

/// A second concentrator that is added takes part; one that is written and that no tunnel reaches is told of, by `check` too.
#[test]
fn a_second_concentrator_is_not_idle_in_silence() {
    let tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let second = "concentrator = { name = \"hub-2\", throughput = \"1 Gbit/s\" }";
    let option = format!("\n[[option]]\nname = \"second\"\n[[option.change]]\nadd = {{ {second} }}\n");
    let found = results(&(tiny.clone() + &option));
    let by_name = |name: &str| found.setups.iter().find(|setup| setup.name == name).unwrap();
    let tunnels: Vec<u32> = by_name("second").concentrators.iter().map(|(_, _, tunnels)| *tunnels).collect();
    assert_eq!(tunnels.iter().sum::<u32>(), 3);
    assert!(tunnels[1] > 0 && by_name("second").remarks.is_empty(), "{tunnels:?}");
    let silent = tiny + "\n[[concentrator]]\nname = \"hub-2\"\nthroughput = \"1 Gbit/s\"\n";
    let remarks = results(&silent).setups[0].remarks.join("\n");
    assert!(remarks.contains("no site has a tunnel to `hub-2`, so it carries nothing"), "{remarks}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two.toml");
    std::fs::write(&file, silent).unwrap();
    let check = std::process::Command::new(env!("CARGO_BIN_EXE_headend")).arg("check").arg(&file).output().unwrap();
    let said = String::from_utf8(check.stdout).unwrap();
    assert!(said.contains("warning: as it is: no site has a tunnel to `hub-2`, so it carries nothing"), "{said}");
    assert_eq!(check.status.code(), Some(0), "a warning is no fault");
}

/// `compare` finds classes of other files by their names, and does not take no traffic for no latency.
#[test]
fn classes_are_compared_by_name_and_only_where_they_have_traffic() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let compare = |files: &[&Path]| {
        let out = folder.path().join("out");
        let run = std::process::Command::new(env!("CARGO_BIN_EXE_headend"))
            .args(["compare", "--budget", "20", "--json", "--out"])
            .arg(out)
            .args(files)
            .output()
            .unwrap();
        (run.status.code(), String::from_utf8(run.stdout).unwrap(), String::from_utf8(run.stderr).unwrap())
    };
    let plain = write("plain.toml", &tiny);
    // The watched class stands last in the other file.
    let (from, until) =
        (tiny.find("[[class]]\nname = \"clinical\"").unwrap(), tiny.find("[[class]]\nname = \"telephony\"").unwrap());
    let hub = tiny.find("[[concentrator]]").unwrap();
    let last = [&tiny[..from], &tiny[until..hub], &tiny[from..until], &tiny[hub..]].concat();
    let last = write("last.toml", &last);
    let (code, json, fault) = compare(&[&plain, &last]);
    assert!(code.is_some_and(|code| code < 2), "{fault}");
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 6);
    for place in 0..3 {
        assert_eq!(rows[place]["figures"], rows[place + 3]["figures"], "the order of classes is no difference");
    }
    let other =
        write("other.toml", &tiny.replace("\"clinical\"", "\"screens\"").replace("class.clinical", "class.screens"));
    let (code, _, fault) = compare(&[&plain, &other]);
    assert!(code == Some(2) && fault.contains("has no class `clinical`"), "{code:?}: {fault}");
    let none = "\n[[option]]\nname = \"none\"\n[[option.change]]\nswitch_off = { class = \"clinical\" }\n";
    let none = write("none.toml", &(tiny.clone() + none));
    let (code, _, fault) = compare(&[&none]);
    assert!(code == Some(2) && fault.contains("so it cannot be compared by it"), "{code:?}: {fault}");
}

/// Without a target no interval ends a study, and none is spoken of.
#[test]
fn a_study_without_targets_does_not_speak_of_their_intervals() {
    let rest = "[[class]]\nname = \"apps\"\nresponse = { fixed = \"20 kB\" }\n[class.open]\nper_1000 = 4000\nprofile = \"flat\"\n\
                [[concentrator]]\nname = \"hub\"\nthroughput = \"10 Mbit/s\"\n";
    let found = results(&scenario(("08:00", "08:10"), &(sites(1, 1_000, "100 Mbit/s") + rest)));
    let told = headend::report::table::summary(&found);
    assert!(told.contains("states no target") && !told.contains("not every interval"), "{told}");
    assert!(!told.contains("interval of every target"), "{told}");
}

/// An option that meets its targets and makes the day worse is said to.
#[test]
fn a_price_is_told_with_what_it_buys() {
    let tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    // Without the target on the hour after the curfew.
    let from =
        tiny.find("[[target]]\nclass = \"clinical\"\nmeasure = \"p95\"\nat_most = \"2 s\"\nfrom = \"09:00\"").unwrap();
    let until = tiny[from + 1..].find("[[target]]").unwrap() + from + 1;
    let found = results(&(tiny[..from].to_owned() + &tiny[until..]));
    let told = headend::report::answer::sentences(&found).join("\n");
    assert!(told.contains("At a price"), "{told}");
    assert!(
        told.contains("\u{201c}updates not before 09:00\u{201d}: ") && told.contains("more of staff time lost"),
        "{told}"
    );
}

/// Two curfews of one class that end together, with two ways of release: the last one counts, and each job starts once.
#[test]
fn curfews_that_end_together_start_each_job_once() {
    let rest = "[[class]]\nname = \"jobs\"\nresponse = { fixed = \"200 kB\" }\n[class.jobs]\nper_1000 = 20\nfrom = \"08:00\"\n\
                until = \"08:30\"\n[[change]]\ncurfew = { class = \"jobs\", from = \"07:00\", until = \"09:00\" }\n\
                [[change]]\ncurfew = { class = \"jobs\", from = \"07:30\", until = \"09:00\", release = { spread = \"20 min\" } }\n\
                [[concentrator]]\nname = \"hub\"\nthroughput = \"20 Mbit/s\"\n";
    let text = scenario(("08:00", "10:00"), &(sites(1, 10_000, "50 Mbit/s") + rest));
    for model in both(&text) {
        let watch = Watch::of(&model);
        assert_eq!(watch.records.len(), 200);
        let ends = watch.records.iter().map(|record| (record.started + record.latency).secs() / 3600.0);
        let ends: Vec<f64> = ends.collect();
        assert!(watch.records.iter().all(|record| record.outcome == Outcome::Done));
        let (first, last) = (quantile(&ends, 0.0), quantile(&ends, 1.0));
        assert!(first < 9.01 && (9.31..9.35).contains(&last), "spread over 20 minutes: {first} to {last}");
    }
}

/// A thousand sites of 499, 500 and 1,400 patients at one workstation per 1,000: as many people as the estate has thousands of
/// patients, and a ramp from 07:00 to 09:00 brings them one after the other.
#[test]
fn small_sites_have_their_part_of_the_people() {
    for (patients, people) in [(499, 499), (500, 500), (1_400, 1_400)] {
        let rest = format!(
            "[estate.drawn]\nsites = 1000\npatients = {}\nmu = 6.9\nsigma = 0.0001\n[[estate.link]]\nshare = \"100 %\"\n\
             down = \"40 Mbit/s\"\nup = \"10 Mbit/s\"\n[[profile]]\nname = \"ramp\"\nlevels = [{{ at = \"07:00\", level = \"0 %\" }}, \
             {{ at = \"09:00\", level = \"100 %\" }}]\n[[class]]\nname = \"apps\"\nconnects = false\n\
             response = {{ fixed = \"60 kB\" }}\n[class.users]\nper_1000 = 1\nactivity = \"ramp\"\nthink = {{ fixed = \"10 s\" }}\n\
             [[concentrator]]\nname = \"hub\"\nthroughput = \"1 Gbit/s\"\n",
            patients * 1000
        );
        let model = base(&scenario(("07:00", "09:10"), &rest));
        let Demand::Users { workstations, .. } = &model.classes[0].demand else { panic!("users") };
        assert_eq!(workstations.iter().sum::<u32>(), people);
        let watch = Watch::of(&model);
        // Actions come at a rate of the people at work: at 08:00 a half of what it is at 09:00.
        let count = |from: f64| watch.latencies(0, from, from + 0.1).len();
        #[allow(clippy::cast_precision_loss)]
        let half = count(7.95) as f64 / count(9.0) as f64;
        assert!((0.45..=0.55).contains(&half), "{patients} patients: {half}");
    }
}

/// A thousand tunnels whose keys are renewed every 8 hours, at 3 handshakes a second: nobody is ever cut off.
#[test]
fn keys_are_not_renewed_in_step() {
    let rest = "[estate.drawn]\nsites = 1000\npatients = 1000000\nmu = 6.9\nsigma = 0.01\n[[estate.link]]\nshare = \"100 %\"\n\
                down = \"50 Mbit/s\"\nup = \"10 Mbit/s\"\n[[class]]\nname = \"apps\"\nresponse = { fixed = \"60 kB\" }\n[class.users]\n\
                per_1000 = 0.1\nactivity = \"on\"\nthink = { exponential = \"60 s\" }\n[tunnels]\nrekey = \"8 h\"\n\
                [[concentrator]]\nname = \"hub\"\nthroughput = \"1 Gbit/s\"\nhandshakes = 3\nhalf_open = 100\n";
    let watch = Watch::of(&base(&scenario(("07:00", "10:00"), rest)));
    assert!(watch.looks.iter().all(|(_, look)| look.cut_off == 0));
    let done = watch.looks.last().unwrap().1.concentrators[0].handshakes;
    assert!((1_100..1_500).contains(&done), "1,000 in 8 hours: {done} in 10");
}

/// A tighter cap inside a wide one, and two that follow each other, written in either order: the tightest that holds counts.
#[test]
fn the_tightest_cap_that_holds_counts() {
    let cap = |rate: u32, from: &str, until: &str| {
        format!(
            "[[change]]\nshape = {{ class = \"bulk\", total = \"{rate} Mbit/s\", from = \"{from}\", until = \"{until}\" }}\n"
        )
    };
    let rest = "[[class]]\nname = \"bulk\"\nresponse = { fixed = \"20 GB\" }\n[class.jobs]\nper_1000 = 1\nfrom = \"08:00\"\n\
                until = \"08:00:30\"\n[[concentrator]]\nname = \"hub\"\nthroughput = \"50 Mbit/s\"\n";
    let caps = [cap(10, "08:00", "10:00"), cap(5, "08:30", "09:00"), cap(20, "10:00", "10:30")];
    for order in [[0, 1, 2], [2, 1, 0]] {
        let changes: String = order.iter().map(|&place| caps[place].as_str()).collect();
        let text = scenario(("08:00", "11:00"), &(sites(1, 4_000, "100 Mbit/s") + rest + &changes));
        let watch = Watch::of(&base(&text));
        for (from, until, rate) in
            [(8.1, 8.45, 10.0), (8.55, 8.95, 5.0), (9.1, 9.9, 10.0), (10.1, 10.4, 20.0), (10.6, 10.9, 50.0)]
        {
            let carried = watch.rate(0, from, until);
            assert!((carried / rate - 1.0).abs() < 0.02, "{order:?}, {from} to {until}: {carried} of {rate}");
        }
    }
}

/// A larger device an hour before anybody comes is the larger device from the start: buffer and packet rate, too.
#[test]
fn a_dated_resize_is_the_undated_one() {
    let resized = |at: &str| {
        let rest = format!(
            "[[class]]\nname = \"apps\"\nturns = 2\nresponse = {{ lognormal = {{ mean = \"80 kB\", sigma = 1 }} }}\n[class.open]\n\
             per_1000 = 4000\nprofile = \"late\"\n[[profile]]\nname = \"late\"\nbands = [{{ from = \"08:00\", until = \"08:10\", share = \"100 %\" }}]\n\
             [[concentrator]]\nname = \"hub\"\nthroughput = \"10 Mbit/s\"\npacket_rate = \"4 kpacket/s\"\n\
             [[change]]\nresize = {{ concentrator = \"hub\", throughput = \"40 Mbit/s\"{at} }}\n"
        );
        scenario(("07:30", "08:20"), &(sites(4, 1_000, "40 Mbit/s") + &rest))
    };
    for (dated, plain) in both(&resized(", at = \"07:00\"")).iter().zip(both(&resized(""))) {
        let of = |model: &Model| -> Vec<(u64, u64)> {
            Watch::of(model).records.iter().map(|record| (record.started.0, record.latency.0)).collect()
        };
        assert_eq!(of(dated), of(&plain), "{:?}", plain.fidelity);
    }
}

/// A resized device keeps its cost of a packet; a packet rate that contradicts the throughput is told, whatever holds traffic up.
#[test]
fn a_packet_rate_belongs_to_the_throughput_that_it_is_stated_at() {
    let rest = |hub: &str| {
        sites(1, 1_000, "40 Mbit/s")
            + "[[class]]\nname = \"apps\"\nresponse = { fixed = \"60 kB\" }\n[class.open]\nper_1000 = 100\nprofile = \"flat\"\n\
               [[concentrator]]\nname = \"hub\"\nthroughput = \"1 Gbit/s\"\n"
            + hub
    };
    let least = "packet_rate = \"85383 packet/s\"\n[[change]]\nresize = { concentrator = \"hub\", throughput = \"100 Mbit/s\" }\n";
    let model = base(&scenario(("08:00", "08:10"), &rest(least)));
    assert!(model.concentrators[0].packet_cost().is_some());
    assert!(!Watch::of(&model).records.is_empty());
    let hidden = "packet_rate = \"10 kpacket/s\"\nuplink = \"50 Mbit/s\"\n";
    problem(&scenario(("08:00", "08:10"), &rest(hidden)), "contradict 1 Gbit/s");
}

/// The server takes 50 ms; requests are lost and repeated: each is answered once, and the clocks of both ends go on.
#[test]
fn a_repeated_request_is_answered_once() {
    let rest = "[[class]]\nname = \"apps\"\nturns = 4\nserver = \"50 ms\"\nresponse = { lognormal = { mean = \"60 kB\", sigma = 1.2 } }\n\
                patience = \"60 s\"\n[class.users]\nper_1000 = 12\nactivity = \"on\"\nthink = { exponential = \"2 s\" }\n\
                [[concentrator]]\nname = \"hub\"\nthroughput = \"25 Mbit/s\"\nbuffer = \"40 kB\"\n";
    // Twenty minutes of it: one in seventy stalled.
    let late = "levels = [{ at = \"00:00\", level = \"0 %\" }, { at = \"07:43\", level = \"0 %\" }, { at = \"07:44\", level = \"100 %\" }";
    let text = scenario(("08:00", "08:03"), &(sites(4, 1_000, "20 Mbit/s") + rest))
        .replace("levels = [{ at = \"00:00\", level = \"100 %\" }", late);
    for grain in [1, 8] {
        let model = Model { fidelity: Fidelity::Packet(grain), ..base(&text) };
        let watch = Watch::of(&model);
        let stalls = |record: &&Record| record.latency.secs() > 20.0 && record.response.0 < 500_000;
        let slow = watch.records.iter().filter(stalls).count();
        assert!(watch.records.len() > 10_000 && slow == 0, "{slow} of {} stall", watch.records.len());
    }
}

/// Transfers that cannot end in the hours: their percentile is a lower bound, and never met by the end of the run.
#[test]
fn what_is_unfinished_is_no_success() {
    let rest = "[[class]]\nname = \"copies\"\nresponse = { fixed = \"100 MB\" }\n[class.open]\nper_1000 = 7200\nprofile = \"flat\"\n\
                [[concentrator]]\nname = \"hub\"\nthroughput = \"10 Mbit/s\"\n\
                [[target]]\nclass = \"copies\"\nmeasure = \"p95\"\nat_most = \"65 min\"\n\
                [[target]]\nclass = \"copies\"\nmeasure = \"mean\"\nat_most = \"55 min\"\n\
                [[target]]\nclass = \"copies\"\nmeasure = \"given_up\"\nat_most = \"1 %\"\n";
    let text = scenario(("08:00", "09:00"), &(sites(1, 1_000, "100 Mbit/s") + rest))
        .replace("replications = 1\n", "replications = 3\n")
        .replace("max_replications = 1\n", "max_replications = 3\n");
    let results = results(&text);
    for judged in &results.setups[0].targets {
        assert!(judged.at_least && judged.verdict == Verdict::Unsure, "{judged:?}");
    }
    let text = headend::report::table::summary(&results);
    assert!(text.contains("? unsure  at least"), "{text}");
    assert!(text.contains("still under way when the run ended"), "{text}");
}

/// Twenty copies of 1 GB over a line of 10 Mbit/s take five hours: half an hour in, none has ended, and their mean is not met
/// whatever its limit. Three small ones under way among thousands change nothing.
#[test]
fn a_mean_of_what_has_not_ended_is_not_met() {
    let jobs = "[[class]]\nname = \"copies\"\nresponse = { fixed = \"1 GB\" }\n[class.jobs]\nper_1000 = 20\nfrom = \"08:00\"\n\
                until = \"08:01\"\n";
    let apps = "[[class]]\nname = \"apps\"\nresponse = { fixed = \"20 kB\" }\n[class.open]\nper_1000 = 400000\nprofile = \"flat\"\n";
    let target = |class: &str, limit: &str| {
        format!("[[target]]\nclass = \"{class}\"\nmeasure = \"mean\"\nat_most = \"{limit}\"\n")
    };
    let hub = "[[concentrator]]\nname = \"hub\"\nthroughput = \"10 Mbit/s\"\n";
    let verdict = |class: &str, what: &str, limit: &str| {
        let text = scenario(("08:00", "08:30"), &(sites(1, 1_000, "100 Mbit/s") + what + hub + &target(class, limit)));
        let text = text.replace("replications = 1\n", "replications = 3\n");
        results(&text.replace("max_replications = 1\n", "max_replications = 3\n")).setups[0].targets[0].verdict
    };
    assert_eq!(verdict("copies", jobs, "2 h"), Verdict::Unsure);
    assert_eq!(verdict("apps", apps, "1 s"), Verdict::Met);
}

/// Sites that are cut off until the end may be so for longer.
#[test]
fn an_outage_that_goes_on_is_no_success() {
    let rest = "[[class]]\nname = \"apps\"\nresponse = { fixed = \"60 kB\" }\n[class.users]\nper_1000 = 1\nactivity = \"on\"\n\
                think = { exponential = \"30 s\" }\n[[concentrator]]\nname = \"hub\"\nthroughput = \"10 Mbit/s\"\n\
                [[fault]]\noutage = { concentrator = \"hub\", at = \"08:30\" }\n[[target]]\nmeasure = \"cut_off\"\nat_most = \"40 min\"\n";
    let text = scenario(("08:00", "09:00"), &(sites(2, 1_000, "20 Mbit/s") + rest));
    let two = text
        .replace("replications = 1\n", "replications = 2\n")
        .replace("max_replications = 1\n", "max_replications = 2\n");
    let judged = &results(&two).setups[0].targets[0];
    assert!(judged.at_least && judged.verdict == Verdict::Unsure, "{judged:?}");
}

/// Two replications in one bucket of a histogram: the interval is as wide as the bucket at least, and as what they differ by.
#[test]
fn no_percentile_has_an_interval_of_no_width() {
    let rest = "[[class]]\nname = \"apps\"\nresponse = { lognormal = { mean = \"60 kB\", sigma = 1 } }\n[class.users]\nper_1000 = 10\n\
                activity = \"on\"\nthink = { exponential = \"10 s\" }\n[[concentrator]]\nname = \"hub\"\nthroughput = \"50 Mbit/s\"\n\
                [[option]]\nname = \"more\"\n[[option.change]]\nresize = { concentrator = \"hub\", throughput = \"55 Mbit/s\" }\n\
                [[target]]\nclass = \"apps\"\nmeasure = \"p95\"\nat_most = \"1 s\"\n";
    for seed in 0..12 {
        let text = scenario(("08:00", "08:20"), &(sites(5, 3_000, "20 Mbit/s") + rest))
            .replace("max_replications = 1\n", &format!("max_replications = 2\nseed = {seed}\n"))
            .replace("replications = 1\n", "replications = 2\n");
        for found in results(&text).setups {
            let figure = found.targets[0].figure;
            assert!(figure.value.half > 4e-4 * figure.value.mean, "{figure:?}");
            assert!(figure.change.is_none_or(|change| change.half > 0.0), "{figure:?}");
        }
    }
}

/// People who wait in a brown-out lose their time, however deep it is: against the hub as it is, not as it is then.
#[test]
fn time_lost_in_a_brown_out_is_counted_against_the_sound_device() {
    let lost = |left: &str| {
        let rest = format!(
            "[[class]]\nname = \"apps\"\nresponse = {{ fixed = \"60 kB\" }}\npatience = \"20 s\"\n[class.users]\nper_1000 = 2\n\
             activity = \"on\"\nthink = {{ exponential = \"10 s\" }}\n[[concentrator]]\nname = \"hub\"\nthroughput = \"50 Mbit/s\"\n\
             [[fault]]\nbrown_out = {{ concentrator = \"hub\", at = \"08:30\", lasts = \"20 min\", left = \"{left}\" }}\n"
        );
        results(&scenario(("08:00", "10:00"), &(sites(1, 5_000, "100 Mbit/s") + &rest))).setups[0].measures[STAFF_LOST]
            .value
            .mean
    };
    let (some, none) = (lost("0.3 %"), lost("0.001 %"));
    assert!((some / none - 1.0).abs() < 0.15 && none > 1.9, "{some} h and {none} h of 2.2 h");
}

#[test]
fn a_latency_target_on_calls_is_refused() {
    let rest = "[[class]]\nname = \"calls\"\n[class.streams]\nper_1000 = 10\nprofile = \"flat\"\nlength = { fixed = \"100 s\" }\n\
                codec = \"g711\"\n[[concentrator]]\nname = \"hub\"\nthroughput = \"10 Mbit/s\"\n[[target]]\nclass = \"calls\"\n\
                measure = \"p95\"\nat_most = \"1 s\"\n";
    problem(
        &scenario(("08:00", "09:00"), &(sites(1, 1_000, "10 Mbit/s") + rest)),
        "class `calls` is of calls, which have no latency",
    );
}

/// `mean_latency_s` of a bin is the mean of what was counted in it, also of what was still under way.
#[test]
fn the_mean_of_a_bin_counts_what_it_sums() {
    let rest = "[[class]]\nname = \"apps\"\nresponse = { fixed = \"2 MB\" }\n[class.users]\nper_1000 = 20\nactivity = \"on\"\n\
                think = { exponential = \"5 s\" }\n[[concentrator]]\nname = \"hub\"\nthroughput = \"5 Mbit/s\"\n";
    let text = scenario(("08:00", "08:10"), &(sites(1, 1_000, "50 Mbit/s") + rest));
    let watch = Watch::of(&base(&text));
    let results = results(&text);
    for (bin, here) in results.setups[0].by_class[0].iter().enumerate() {
        #[allow(clippy::cast_precision_loss)]
        let from = 8.0 + bin as f64 / 360.0;
        let seen = watch.latencies(0, from, from + 1.0 / 360.0);
        if !seen.is_empty() {
            assert!((here.latency / here.counted - mean(&seen)).abs() < 1e-3, "bin {bin}");
        }
    }
}

/// Nobody may be refused: a limit of nothing is met where nothing is measured.
#[test]
fn a_plan_with_a_limit_of_nothing_finds_its_value() {
    use headend::plan::answer::Criterion;
    use headend::plan::answer::Crossing;
    use headend::plan::answer::KnobTerms;
    use headend::plan::answer::SearchProblem;
    use headend::plan::search::search;
    let terms = KnobTerms { range: (1.0, 100.0), start: 2.0, by_ratio: true, more_helps: true, whole: true };
    for criterion in [Criterion::Mean, Criterion::Days(0.95)] {
        let problem = SearchProblem { limit: 0.0, terms, criterion, precision: 0.05, most: 400 };
        let refused =
            |points: &[(f64, u32)]| Ok(points.iter().map(|point| Some((20.0 - point.0).max(0.0) / 100.0)).collect());
        let outcome = search(&problem, &refused, &|_| None).unwrap().outcome;
        let Crossing::Crosses(value, _) = outcome else { panic!("{outcome:?}") };
        assert!((19.0..=21.0).contains(&value), "{outcome:?}");
    }
}

/// By hash no concentrator has many more sites than another, whatever the names look like.
#[test]
fn a_hash_spreads_names() {
    let spread = |names: &[String], count: usize| {
        let mut placed = vec![0_usize; count];
        for name in names {
            placed[place_of(name, count)] += 1;
        }
        placed
    };
    let plain: Vec<String> = (0..175).map(|number| format!("s{number}")).collect();
    let codes: Vec<String> = (0..175).map(|number| format!("G82{number:03}")).collect();
    for names in [plain, codes] {
        let placed = spread(&names, 2);
        assert!(placed.iter().all(|count| (70..=105).contains(count)), "{placed:?}");
        assert!(spread(&names, 5).iter().all(|count| (20..=52).contains(count)));
    }
    let file = Path::new("../shared/data/kent_medway_gp_practices_2026.csv");
    if !file.exists() {
        println!("SKIPPED: {} is not here", file.display());
        return;
    }
    let mut reader = csv::Reader::from_path(file).unwrap();
    let names: Vec<String> = reader.records().map(|row| row.unwrap()[0].to_owned()).collect();
    assert_eq!(names.len(), 175);
    let placed = spread(&names, 2);
    assert!(placed.iter().all(|count| (75..=100).contains(count)), "{placed:?}");
}

/// After an hour of overload the queue empties, and pages are as quick as where there was none.
#[test]
fn a_queue_recovers_after_a_rush() {
    let hour = |rush: &str| {
        let rest = format!(
            "[[profile]]\nname = \"rush\"\nbands = [{{ from = \"08:00\", until = \"08:30\", share = \"{rush}\" }}, \
             {{ from = \"08:30\", until = \"10:00\", share = \"50 %\" }}, {{ from = \"20:00\", until = \"21:00\", share = \"{}\" }}]\n\
             [[class]]\nname = \"web\"\nresponse = {{ lognormal = {{ mean = \"500 kB\", sigma = 1 }} }}\n[class.open]\nper_1000 = 700\n\
             profile = \"rush\"\n[[concentrator]]\nname = \"hub\"\nthroughput = \"100 Mbit/s\"\n",
            if rush == "50 %" { "0 %" } else { "50 %" }
        );
        let text = scenario(("08:00", "10:00"), &(sites(20, 1_000, "50 Mbit/s") + &rest));
        mean(&Watch::of(&base(&text)).latencies(0, 9.0, 9.9))
    };
    let (after, without) = (hour("50 %"), hour("0 %"));
    assert!((after / without - 1.0).abs() < 0.1, "{after} s and {without} s");
}

/// Every public case runs at flow fidelity, and its books balance.
#[test]
fn public_cases_run() {
    let folder = Path::new("../shared/cases");
    if !folder.exists() {
        println!("SKIPPED: {} is not here", folder.display());
        return;
    }
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    assert!(files.len() > 20);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let Ok(study) = load("case.toml", &text, folder) else { continue };
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        // These take a minute each.
        if ["12", "14", "01", "09"].iter().any(|slow| name.starts_with(slow)) {
            continue;
        }
        let watch = Watch::of(&study.setups[0].model);
        assert!(watch.looks.len() > 1, "{name}");
    }
}
