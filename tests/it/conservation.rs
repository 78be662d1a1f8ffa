//! What came in is what went out and what is inside, at every look; and a curfew loses nothing.

use headend::model::Model;
use headend::sim::observer::{Fact, Observer, Outcome, Record};
use headend::sim::simulate;
use headend::units::{Duration, Time};
use headend::validate::regimes::draw::{Regime, RegimeSize, case};
use proptest::prelude::*;

use crate::bench_model::{Keep, base, study};

/// Keeps the books of a run and checks them at each look.
#[derive(Default)]
struct Books {
    started: u64,
    ended: Vec<Record>,
    asked: u64,
    served: u64,
    lost: u64,
    served_by_class: Vec<u64>,
    looks: u32,
    on_paper: f64,
    waiting: Vec<(Time, u64)>,
}

impl Observer for Books {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::Started { .. } => self.started += 1,
            Fact::Asked { bytes, .. } => self.asked += bytes.0,
            Fact::BytesResolved { bytes, served: true, class } => {
                self.served += bytes.0;
                self.served_by_class.resize(16, 0);
                self.served_by_class[class.index()] += bytes.0;
            }
            Fact::BytesResolved { bytes, served: false, .. } => self.lost += bytes.0,
            Fact::Ended(record) => {
                let apart = (record.parts.sum() - record.latency.secs()).abs();
                assert!(apart < 1e-6, "the parts of {record:?} sum to {}", record.parts.sum());
                self.ended.push(*record);
            }
            Fact::OnPaper { actions, .. } => self.on_paper += actions,
            Fact::Entered { .. } => self.on_paper -= 1.0,
            Fact::Snapshot(look) => {
                self.looks += 1;
                assert!((self.on_paper - look.on_paper).abs() < 1e-6, "what is on paper is what is to be entered");
                let inside: u64 = look.classes.iter().map(|class| class.active_bytes + class.waiting_bytes).sum();
                assert_eq!(self.asked, self.served + self.lost + inside, "bytes at {now:?}");
                let under_way: u64 = look.classes.iter().map(|class| class.active + class.waiting).sum();
                assert_eq!(self.started, self.ended.len() as u64 + under_way, "transactions at {now:?}");
                self.waiting.push((now, look.classes.iter().map(|class| class.waiting_bytes).sum()));
                for unit in &look.concentrators {
                    for class in 0..unit.admitted.len() {
                        // What streams carry is not admitted as flows; a class is one or the other.
                        let came = unit.admitted[class];
                        let gone = unit.carried[class] + unit.withdrawn[class] + unit.inside[class];
                        assert!(
                            came <= 0.0 || (came - gone).abs() <= 1e-9 * came + 1.0,
                            "work at {now:?}: {came} against {gone}"
                        );
                    }
                    let carried: f64 = unit.carried.iter().sum();
                    assert!(carried <= unit.capacity * (1.0 + 1e-9) + 1.0, "utilisation above 1 at {now:?}");
                }
            }
            _ => {}
        }
    }
}

fn books(model: &Model) -> Books {
    let mut books = Books::default();
    simulate(model, 0, &mut books);
    assert!(books.looks > 10);
    let ended = books.ended.len() as u64;
    assert_eq!(books.started, ended, "with what is inside at the end, every transaction is told");
    books
}

fn shipped(name: &str) -> String {
    std::fs::read_to_string(format!("scenarios/{name}.toml")).unwrap()
}

#[test]
fn the_books_balance_in_the_base_and_in_every_option() {
    for name in ["tiny", "balance-ideal"] {
        for setup in study(&shipped(name)).setups {
            books(&setup.model);
        }
    }
}

/// Demand beyond what is carried, of sites whose links (or caps on each of them) are full, too. Flows that give way to a burst at
/// their site let it through the concentrator with it: were others to give way as well, it would do less than it can.
#[test]
fn a_full_concentrator_before_full_sites_wastes_nothing() {
    let size = RegimeSize { bits: 1e10, length: (100.0, 120.0), rates: (2e7, 1e9), sites: 200.0, drain: 1.0 };
    for number in [51, 55, 75] {
        let Regime { model, window: (from, until), terms, .. } = case(36, number, size);
        let mut looks = Looks::default();
        simulate(&model, 0, &mut looks);
        let [before, after] = [from, until].map(|at| looks.0.iter().rfind(|look| look.0 <= at).unwrap());
        let utilisation = (after.1 - before.1) / (after.2 - before.2);
        assert!(utilisation > 0.98, "{utilisation} of {terms:?}");
    }
}

/// Work done, and what could have been, at each look.
#[derive(Default)]
struct Looks(Vec<(Time, f64, f64)>);

impl Observer for Looks {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        if let Fact::Snapshot(look) = fact {
            let unit = &look.concentrators[0];
            self.0.push((now, unit.carried.iter().sum(), unit.capacity));
        }
    }
}

/// Two classes, TCP, people who give up, a curfew with any release, any discipline: nothing is lost from the books.
#[allow(clippy::too_many_lines)] // one scenario
fn random_scenario(fidelity: &'static str) -> impl Strategy<Value = String> {
    let disciplines = prop::sample::select(vec![
        "\"fifo\"",
        "\"fair_by_site\"",
        "{ priority = [[\"screens\"]] }",
        "{ weighted = { screens = 3, updates = 1, calls = 1 } }",
        "{ discriminatory = { screens = 4, updates = 1, calls = 1 } }",
        "{ low_latency = { first = [\"calls\"], weights = { screens = 2, updates = 1 } } }",
    ]);
    let changes = prop::sample::select(vec![
        "curfew = { class = \"updates\", from = \"08:00\", until = \"08:20\" }",
        "curfew = { class = \"updates\", from = \"08:00\", until = \"08:20\", release = { spread = \"10 min\" }, compliance = \"50 %\" }",
        "shape = { class = \"updates\", per_site = \"1 Mbit/s\", from = \"08:10\", until = \"08:30\" }",
        "shape = { class = \"updates\", total = \"2 Mbit/s\" }",
        "prioritise = { first = [\"screens\"], at = \"08:15\" }",
        "switch_off = { class = \"screens\", from = \"08:10\", until = \"08:20\" }",
        "cache = { class = \"updates\", share = \"50 %\" }",
        "break_out = { class = \"calls\", share = \"30 %\" }",
        "stagger = { class = \"updates\", from = \"08:05\", until = \"08:40\", peak = \"08:10\" }",
        "resize = { concentrator = \"hub\", throughput = \"20 Mbit/s\", at = \"08:12\" }",
        "migrate = { to = \"hub-2\", sites = { share = \"50 %\" }, at = \"08:20\" }",
        "balance = { balancer = \"join_shortest\" }",
    ]);
    let faults = prop::sample::select(vec![
        "cut = { sites = { share = \"50 %\" }, at = \"08:10\", lasts = \"20 s\" }",
        "cut = { sites = \"all\", at = \"08:10\", lasts = \"10 min\" }",
        "outage = { concentrator = \"hub\", at = \"08:10\", lasts = \"5 min\" }",
        "outage = { concentrator = \"hub\", at = \"08:20\" }",
        "brown_out = { concentrator = \"hub\", left = \"30 %\", at = \"08:10\", lasts = \"10 min\" }",
        "flaps = { between = { exponential = \"10 min\" }, stall = { fixed = \"20 s\" }, reboot = { exponential = \"1 min\" } }",
        "servers_lost = { classes = [\"screens\", \"calls\"], at = \"08:10\", lasts = \"7 min\" }",
        "flood = { site = \"S1\", class = \"screens\", rate = \"5 Mbit/s\", at = \"08:10\", lasts = \"15 min\" }",
        "surge = { class = \"calls\", factor = 3, at = \"08:10\", lasts = \"20 min\" }",
    ]);
    let faults = prop::collection::vec(faults, 0..3);
    (disciplines, changes, faults, 3_u32..40, 1_u64..1000, prop::bool::ANY).prop_map(
        move |(discipline, change, faults, rate, seed, ideal)| {
            let faults = faults.iter().fold(String::new(), |all, fault| all + "[[fault]]\n" + fault + "\n");
            let transport = if ideal { "ideal" } else { "tcp" };
            format!(
                r#"
question = "Do the books balance?"
[run]
weekday = "Mon"
from = "07:50"
until = "09:00"
seed = {seed}
fidelity = "{fidelity}"
grain = 4
bin = "10 s"
[transport]
model = "{transport}"
[estate.drawn]
sites = 5
patients = 40000
mu = 9
sigma = 0.6
[[estate.link]]
share = "100 %"
down = "10 Mbit/s"
up = "5 Mbit/s"
[[profile]]
name = "day"
levels = [{{ at = "08:00", level = "0 %" }}, {{ at = "08:10", level = "100 %" }}]
[[profile]]
name = "bands"
bands = [{{ from = "08:00", until = "09:00", share = "100 %" }}]
[[class]]
name = "screens"
turns = 2
response = {{ lognormal = {{ mean = "60 kB", sigma = 1 }} }}
patience = "3 s"
retries = 1
[class.fallback]
paper = "60 %"
cancel = "20 %"
effort = 1.5
[class.users]
per_1000 = 2
activity = "day"
think = {{ exponential = "10 s" }}
[[class]]
name = "updates"
response = {{ fixed = "20 MB" }}
[class.jobs]
per_1000 = 3
share = "40 %"
from = "08:00"
until = "08:30"
on = "08:00"
off = "08:50"
[[class]]
name = "calls"
[class.streams]
per_1000 = 2
profile = "bands"
length = {{ exponential = "60 s" }}
[[concentrator]]
name = "hub"
handshakes = 2
half_open = 2
per_tunnel = "8 Mbit/s"
throughput = "{rate} Mbit/s"
discipline = {discipline}
[[concentrator]]
name = "hub-2"
throughput = "5 Mbit/s"
[tunnels]
rekey = "15 min"
jitter = "30 %"
[[change]]
{change}
[[change]]
store = {{ class = "screens", share = "20 %" }}
{faults}"#
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn nothing_is_lost_from_the_books(scenario in random_scenario("flow")) {
        books(&base(&scenario));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn packet_by_packet_nothing_is_lost_either(scenario in random_scenario("packet")) {
        books(&base(&scenario));
    }
}

/// Jobs of all sizes, with and without a curfew: the same bytes, to the byte, when the day is long enough.
#[test]
fn a_curfew_defers_and_loses_nothing() {
    let text = shipped("tiny").replace("until = \"10:00\"\nseed", "until = \"14:00\"\nseed");
    let setups = study(&text).setups;
    let (base, curfew) = (books(&setups[0].model), books(&setups[1].model));
    let updates = 3;
    assert_eq!(setups[0].model.classes[updates].name, "updates");
    assert!(base.served_by_class[updates] > 1_000_000_000);
    assert_eq!(base.served_by_class[updates], curfew.served_by_class[updates]);
    let nine = Time(9 * 3600 * 1_000_000_000);
    let waits = |books: &Books, at: Time| books.waiting.iter().find(|(now, _)| *now == at).unwrap().1;
    assert_eq!(waits(&base, nine), 0);
    let minute = Time(nine.0 - 60_000_000_000);
    assert!(waits(&curfew, minute) > 500_000_000, "jobs wait for the release");
    assert_eq!(waits(&curfew, Time(nine.0 + 60_000_000_000)), 0, "and all start at it");
    // Screens asked for in the last second may be under way; nothing older is, and no jobs are.
    let second = Duration(1_000_000_000);
    let late = |record: &Record| usize::from(record.class.0) == updates || record.latency > second;
    let inside = |record: &Record| record.outcome == Outcome::Inside && late(record);
    let under_way = |books: &Books| books.ended.iter().any(inside);
    assert_eq!((under_way(&base), under_way(&curfew)), (false, false), "the day is long enough");
}

/// Bursts of a class that goes first are not served on top of a link that another class keeps full.
#[test]
fn a_class_that_goes_first_takes_from_the_others_and_not_from_nowhere() {
    let text = r#"
question = "Is it ever more than full?"
[run]
weekday = "Mon"
from = "00:00"
until = "00:10"
[estate.drawn]
sites = 40
patients = 1000000
mu = 9.0
sigma = 0.5
[[estate.link]]
share = "100 %"
down = "80 Mbit/s"
up = "20 Mbit/s"
[[profile]]
name = "flat"
bands = [{ from = "00:00", until = "24:00", share = "100 %" }]
[[class]]
name = "clinical"
response = { lognormal = { mean = "30 kB", sigma = 1 } }
[class.open]
per_1000 = 10000
profile = "flat"
[[class]]
name = "bulk"
response = { fixed = "100 MB" }
[class.open]
per_1000 = 15
profile = "flat"
[[concentrator]]
name = "hub"
throughput = "100 Mbit/s"
discipline = { priority = [["clinical"]] }
"#;
    let mut keep = Keep { with_looks: true, ..Keep::default() };
    simulate(&base(text), 0, &mut keep);
    let unit = |minute: usize| &keep.looks[minute].1.concentrators[0];
    let carried = |minute: usize| unit(minute).carried.iter().sum::<f64>();
    let (from, until) = (3, keep.looks.len() - 1);
    let utilisation = (carried(until) - carried(from)) / (unit(until).capacity - unit(from).capacity);
    assert!((0.99..=1.001).contains(&utilisation), "{utilisation}");
}
