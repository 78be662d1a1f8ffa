//! Rules against what must come of them, counted by hand on small days: each test names the fault that it would notice.

use std::fmt::Write as _;

use headend::model::{ClassId, SiteId};
use headend::report::outputs;
use headend::sim::observer::{Fact, Observer, Outcome, Record};
use headend::sim::simulate;
use headend::units::Time;

use crate::bench_model::{results, study};

/// Ends of transactions, and where tunnels are attached.
#[derive(Default)]
struct Facts {
    ended: Vec<Record>,
    attached: Vec<(f64, SiteId, u8)>,
    entered: Vec<f64>,
    /// Handshakes since the start, at the last snapshot.
    handshakes: u64,
}

impl Observer for Facts {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::Ended(record) => self.ended.push(*record),
            Fact::TunnelAttached { site, concentrator } => self.attached.push((now.secs(), *site, concentrator.0)),
            Fact::Entered { .. } => self.entered.push(now.secs()),
            Fact::Snapshot(snapshot) => self.handshakes = snapshot.concentrators[0].handshakes,
            _ => {}
        }
    }
}

fn facts(text: &str, setup: usize) -> Facts {
    let mut facts = Facts::default();
    simulate(&study(text).setups[setup].model, 0, &mut facts);
    facts
}

/// Eight to ten on so many days, with sites of 1,000 patients before wide links, and one replication.
pub(crate) fn day(days: u32, sites: u32, more: &str) -> String {
    let mut text = format!(
        "question = \"Does the rule do what it says?\"\n[run]\nweekday = \"Mon\"\ndays = {days}\nfrom = \"08:00\"\nuntil = \"10:00\"\n\
         bin = \"1 min\"\nreplications = 1\nmax_replications = 1\n[transport]\nmodel = \"ideal\"\n[estate.rtt]\nfixed = \"20 ms\"\n"
    );
    for site in 0..sites {
        let _ = write!(text, "[[estate.site]]\nname = \"s{site}\"\npatients = 1000\ndown = \"1 Gbit/s\"\n");
    }
    text + more
}

pub(crate) const ONE_HUB: &str = "[[concentrator]]\nname = \"a\"\nthroughput = \"1 Gbit/s\"\n";

/// A job of 1 MB, with a request of 1 kB, at each of 100 workstations of each site, due between 08:00 and 09:00.
const JOBS: &str = "[[class]]\nname = \"updates\"\nresponse = { fixed = \"1 MB\" }\n[class.jobs]\nper_1000 = 100\nfrom = \"08:00\"\n\
                    until = \"09:00\"\n";

fn curfew(compliance: &str) -> String {
    format!(
        "[[option]]\nname = \"curfew\"\n[[option.change]]\ncurfew = {{ class = \"updates\", from = \"08:00\", until = \"09:00\", \
         release = \"at_once\", compliance = \"{compliance}\" }}\n"
    )
}

/// Fault: a class that a cap holds back now and then, or never, waits as if the whole queue were its own. Packets: a cap of 80 % on the
/// clinical class makes its mean 1.03 times as long, one on updates 1.08 times; it was 2.4 and 1.6 times as flows.
#[test]
fn a_cap_that_hardly_binds_hardly_harms() {
    let tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let (before, after) = (tiny.find("[[option]]").unwrap(), tiny.find("[[target]]").unwrap());
    let caps = ["clinical", "updates"].map(|class| {
        format!("[[option]]\nname = \"cap-{class}\"\n[[option.change]]\nshape = {{ class = \"{class}\", total = \"8 Mbit/s\" }}\n")
    });
    let sources = tiny.rfind("\n[source]").unwrap_or(tiny.len());
    let text = tiny[..before].to_owned() + &caps.concat() + &tiny[after..sources];
    let results = results(&text);
    let mean = |setup: usize| results.setups[setup].waits[0].mean.value.mean;
    for setup in [1, 2] {
        let harm = mean(setup) / mean(0);
        assert!((0.9..1.25).contains(&harm), "{}: {harm}", results.setups[setup].name);
    }
}

/// Fault: jobs that do not obey are held, too, or all run.
#[test]
fn a_curfew_holds_the_share_that_obeys() {
    let held = |compliance: &str| {
        let facts = facts(&day(1, 10, &format!("{ONE_HUB}{JOBS}{}", curfew(compliance))), 1);
        let held = facts.ended.iter().filter(|record| record.parts.held > 0.0).count();
        (held, facts.ended.len())
    };
    let (none, all) = held("0 %");
    assert_eq!((none, all), (0, 1_000));
    assert_eq!(held("100 %"), (1_000, 1_000));
    let (most, _) = held("70 %");
    // 1,000 draws at 70 %: 14.5 is a standard deviation.
    assert!((640..=760).contains(&most), "{most}");
}

/// Four sites whose round trips differ: an idle network takes each transaction a round trip and what its link takes, so that the figures
/// of sites are known. A fifth site has too few transactions to count.
#[test]
fn targets_of_sites_are_those_of_the_sites_that_they_mean() {
    let mut text =
        "question = \"Which site is worst?\"\n[run]\nweekday = \"Mon\"\nfrom = \"08:00\"\nuntil = \"10:00\"\n\
                    replications = 1\nmax_replications = 1\n"
            .to_owned();
    for (name, patients, rtt) in [("a", 1000, 20), ("b", 1000, 40), ("c", 1000, 60), ("d", 3000, 80), ("e", 10, 500)] {
        let _ = write!(
            text,
            "[[estate.site]]\nname = \"{name}\"\npatients = {patients}\ndown = \"1 Gbit/s\"\nrtt = \"{rtt} ms\"\n"
        );
    }
    text += ONE_HUB;
    text += "[[class]]\nname = \"screens\"\nresponse = { fixed = \"1 kB\" }\nconnects = false\nquick = \"50 ms\"\nwaited_for = true\n[class.jobs]\n\
             per_1000 = 100\nfrom = \"08:00\"\nuntil = \"09:00\"\n";
    let mut target = |measure: &str, sites: &str| {
        let limit = if measure == "slow" { "10 %" } else { "70 ms" };
        let _ =
            write!(text, "[[target]]\nclass = \"screens\"\nmeasure = \"{measure}\"\nat_most = \"{limit}\"\n{sites}");
    };
    target("mean", "");
    target("mean", "sites = \"worst\"\n");
    target("p95", "sites = { share = \"75 %\" }\n");
    target("mean", "sites = { share = \"50 %\" }\n");
    target("mean", "sites = { only = [\"a\", \"c\"] }\n");
    target("slow", "sites = \"worst\"\n");
    target("slow", "sites = { only = [\"b\"] }\n");
    let results = results(&text);
    let figures: Vec<f64> = results.setups[0].targets.iter().map(|target| target.figure.value.mean).collect();
    // 100, 100, 100 and 300 transactions, and one.
    let wanted = [(20.0 + 40.0 + 60.0 + 240.0 + 5.0) / 6.01, 80.0, 60.0, 40.0, 40.0, 1000.0, 0.0];
    for ((figure, wanted), title) in figures.iter().zip(wanted).zip(&results.targets) {
        let figure = figure * 1e3;
        assert!((figure - wanted).abs() < 0.03 * wanted + 0.1, "{title}: {figure} ms, {wanted} by hand");
    }
    assert_eq!(results.targets[1], "screens mean at the worst site <= 70 ms, 08:00 to 10:00");
    assert_eq!(results.targets[2], "screens p95 at 75 % of sites <= 70 ms, 08:00 to 10:00");
    assert_eq!(results.targets[4], "screens mean at a, c <= 70 ms, 08:00 to 10:00");
    assert_eq!(results.targets[6], "screens slow at b <= 10 %, 08:00 to 10:00");
}

/// An option takes back one change of the headend as it is, or all of a kind: what is left is the headend that never had them, and
/// what an option puts in its place is all that holds.
#[test]
fn an_option_takes_back_what_the_headend_as_it_is_has() {
    let class = |name: &str| {
        format!(
            "[[class]]\nname = \"{name}\"\nresponse = {{ fixed = \"1 MB\" }}\n[class.jobs]\nper_1000 = 50\nfrom = \"08:00\"\n\
             until = \"09:00\"\n"
        )
    };
    let world =
        [class("updates"), class("backup")].concat() + "[[concentrator]]\nname = \"hub\"\nthroughput = \"5 Mbit/s\"\n";
    let base =
        |changes: &[&str]| changes.iter().fold(day(1, 3, &world), |text, change| text + "[[change]]\n" + change + "\n");
    let curfew =
        |class: &str, until: &str| format!("curfew = {{ class = \"{class}\", from = \"08:00\", until = \"{until}\" }}");
    let (updates, backup) = (curfew("updates", "09:00"), curfew("backup", "09:30"));
    let resize = "resize = { concentrator = \"hub\", throughput = \"20 Mbit/s\" }";
    let has = base(&[&updates, &backup, resize]);
    let option = |without: &str, change: &str| {
        let change = if change.is_empty() { String::new() } else { format!("[[option.change]]\n{change}\n") };
        format!("{has}[[option]]\nname = \"lifted\"\nwithout = [{without}]\n{change}")
    };
    let ends = |text: &str, setup: usize| facts(text, setup).ended;
    let shorter = curfew("updates", "08:30");
    for (without, change, meant) in [
        ("\"curfew.updates\"", "", base(&[&backup, resize])),
        ("\"curfew\"", "", base(&[resize])),
        ("\"curfew.backup\", \"resize.hub\"", "", base(&[&updates])),
        ("\"curfew.updates\"", shorter.as_str(), base(&[&backup, resize, &shorter])),
    ] {
        let text = option(without, change);
        assert_eq!(ends(&text, 1), ends(&meant, 0), "{without}");
        assert_ne!(ends(&text, 1), ends(&text, 0), "{without} makes a difference");
    }
    let told = &study(&option("\"curfew.updates\"", &shorter)).setups[1].what;
    assert!(told[0].starts_with("no longer as it is: updates may not start from 08:00 to 09:00"), "{told:?}");
    assert_eq!(told.len(), 2);
}

/// Fault: what waits is measured a bin early or late. All wait at 08:59, nobody at 09:00, when the curfew has ended.
#[test]
fn what_waits_is_measured_at_the_end_of_the_hours() {
    let target = |until: &str| {
        format!(
            "[[target]]\nmeasure = \"waiting\"\nclass = \"updates\"\nfrom = \"08:00\"\nuntil = \"{until}\"\nat_most = \"1 GB\"\n"
        )
    };
    let waits = |until: &str| {
        let text = day(1, 10, &format!("{ONE_HUB}{JOBS}{}{}", curfew("100 %"), target(until)));
        results(&text).setups[1].targets[0].figure.value.mean
    };
    let due = |until: f64| {
        let text = day(1, 10, &format!("{ONE_HUB}{JOBS}{}", curfew("100 %")));
        facts(&text, 1).ended.iter().filter(|record| record.started.secs() < until).count()
    };
    for (until, hour) in [("08:30", 8.5), ("08:59", 8.0 + 59.0 / 60.0)] {
        let bytes = 1_001_000.0 * f64::from(u32::try_from(due(hour * 3600.0)).unwrap());
        assert!((waits(until) - bytes).abs() < 0.5, "{until}: {} of {bytes}", waits(until));
    }
    assert!(waits("09:01") < 0.5, "{}", waits("09:01"));
}

/// Fault: handshakes a bin are told as handshakes a second. The rates of all bins times their length are the handshakes.
#[test]
fn handshakes_in_the_table_are_a_rate() {
    let storm = "[[concentrator]]\nname = \"a\"\nthroughput = \"1 Gbit/s\"\nhandshakes = 2\n\
                 [[fault]]\noutage = { concentrator = \"a\", at = \"08:30\", lasts = \"2 min\" }\n";
    let text = day(1, 50, &format!("{storm}{JOBS}"));
    let table = outputs::TABLES.iter().find(|table| table.name == "tunnels.csv").unwrap();
    let csv = table.text(&results(&text));
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let column = rows.headers().unwrap().iter().position(|name| name == "handshakes_s").unwrap();
    let rates: Vec<f64> = rows.records().map(|row| row.unwrap()[column].parse().unwrap()).collect();
    let told: f64 = rates.iter().map(|rate| rate * 60.0).sum();
    let done = facts(&text, 0).handshakes;
    assert!(done >= 50, "{done}");
    assert!((told - f64::from(u32::try_from(done).unwrap())).abs() < 0.6, "{told} of {done}");
    assert!(rates.iter().all(|rate| *rate <= 2.0 + 1e-9), "never more than the device does");
}

/// Fault: tunnels come back when the concentrator is up, not when it has been up for the wait that is configured.
#[test]
fn tunnels_fail_back_after_the_wait() {
    let hubs = "[[concentrator]]\nname = \"a\"\nthroughput = \"1 Gbit/s\"\n[[concentrator]]\nname = \"b\"\nthroughput = \"1 Gbit/s\"\n\
                [[pool]]\nname = \"p\"\nconcentrators = [\"a\", \"b\"]\nbalancer = \"hub_list\"\nfail_back = { after = \"10 min\" }\n\
                [[fault]]\noutage = { concentrator = \"a\", at = \"08:30\", lasts = \"5 min\" }\n";
    let facts = facts(&day(1, 20, &format!("{hubs}{JOBS}")), 0);
    let back: Vec<f64> =
        facts.attached.iter().filter(|(at, _, to)| *at > 8.6 * 3600.0 && *to == 0).map(|one| one.0).collect();
    assert_eq!(back.len(), 20);
    let due = (8.0 * 60.0 + 30.0 + 5.0 + 10.0) * 60.0;
    assert!(back.iter().all(|at| (due..due + 60.0).contains(at)), "{back:?}, due at {due}");
}

/// Fault: where there is a way round, people go on by hand all the same; and nothing that is on paper is entered by it.
#[test]
fn who_has_a_way_round_does_not_go_to_paper() {
    let users = format!(
        "[[profile]]\nname = \"open\"\nlevels = [{{ at = \"08:00\", level = \"100 %\" }}]\n\
         [[class]]\nname = \"clinical\"\nresponse = {{ fixed = \"10 kB\" }}\npatience = \"20 s\"\n\
         [class.users]\nper_1000 = 20\nactivity = \"open\"\nthink = {{ exponential = \"30 s\" }}\n\
         [class.fallback]\npaper = \"100 %\"\ncatch_up = \"100 %\"\n{ONE_HUB}\
         [[fault]]\nservers_lost = {{ classes = [\"clinical\"], at = \"08:10\", lasts = \"40 min\" }}\n\
         [[change]]\nbreak_out = {{ class = \"clinical\", from = \"08:30\" }}\n"
    );
    let facts = facts(&day(1, 10, &users), 0);
    let of = |outcome: Outcome| -> Vec<f64> {
        facts.ended.iter().filter(|one| one.outcome == outcome).map(|one| one.started.secs()).collect()
    };
    let half_past = 8.5 * 3600.0;
    assert!(of(Outcome::OnPaper).len() > 1_000 && of(Outcome::OnPaper).iter().all(|at| *at < half_past));
    assert!(of(Outcome::Local).len() > 1_000 && of(Outcome::Local).iter().all(|at| *at >= half_past));
    assert!(facts.entered.iter().filter(|at| (half_past..half_past + 1_200.0).contains(*at)).count() > 1_000);
}

/// Fault: what is on paper is entered at every action, whatever share of them is meant to.
#[test]
fn what_is_on_paper_is_entered_by_the_share_of_actions_that_is_meant_to() {
    let entered = |share: &str| {
        let users = format!(
            "[[profile]]\nname = \"open\"\nlevels = [{{ at = \"08:00\", level = \"100 %\" }}]\n\
             [[class]]\nname = \"clinical\"\nresponse = {{ fixed = \"10 kB\" }}\npatience = \"20 s\"\n\
             [class.users]\nper_1000 = 20\nactivity = \"open\"\nthink = {{ exponential = \"30 s\" }}\n\
             [class.fallback]\npaper = \"100 %\"\ncatch_up = \"{share}\"\n{ONE_HUB}\
             [[fault]]\ncut = {{ sites = \"all\", at = \"08:10\", lasts = \"20 min\" }}\n"
        );
        let facts = facts(&day(1, 10, &users), 0);
        let since = 8.5 * 3600.0 + 5.0 * 60.0;
        let within = |at: f64| (since..since + 120.0).contains(&at);
        let actions = facts.ended.iter().filter(|one| one.class == ClassId(0) && one.outcome == Outcome::Done);
        let actions = actions.filter(|one| within(one.started.secs())).count();
        let entered = facts.entered.iter().filter(|at| within(**at)).count();
        f64::from(u32::try_from(entered).unwrap()) / f64::from(u32::try_from(actions).unwrap())
    };
    assert!(entered("100 %") > 0.98, "{}", entered("100 %"));
    // Some 800 actions: 1.8 points are a standard deviation.
    assert!((0.33..0.47).contains(&entered("40 %")), "{}", entered("40 %"));
}
