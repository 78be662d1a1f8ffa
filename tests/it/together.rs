//! Faults, moves and rules that act together: each test names the fault that it would notice.

use headend::model::{ClassId, ConcentratorId};
use headend::sim::observer::{Fact, Observer, Outcome, Record};
use headend::sim::simulate;
use headend::units::Time;

use crate::bench_model::study;
use crate::rules::{ONE_HUB, day};

/// Ends of transactions, work put on paper and entered, and what concentrators have carried at each look [bit].
#[derive(Default)]
struct Seen {
    ended: Vec<Record>,
    paper: Vec<f64>,
    entered: Vec<f64>,
    carried: Vec<(f64, Vec<f64>)>,
}

impl Observer for Seen {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::Ended(record) => self.ended.push(*record),
            Fact::OnPaper { .. } => self.paper.push(now.secs()),
            Fact::Entered { .. } => self.entered.push(now.secs()),
            Fact::Snapshot(look) => {
                let all = look.concentrators.iter().map(|unit| unit.carried.iter().sum());
                self.carried.push((now.secs(), all.collect()));
            }
            _ => {}
        }
    }
}

fn seen(text: &str, setup: usize) -> Seen {
    let mut seen = Seen::default();
    simulate(&study(text).setups[setup].model, 0, &mut seen);
    seen
}

const HOUR: f64 = 3600.0;

impl Seen {
    /// What a concentrator carries between two times of day [bit/s].
    fn rate(&self, concentrator: usize, from: f64, until: f64) -> f64 {
        let by = |hour: f64| self.carried.iter().take_while(|(at, _)| *at <= hour * HOUR + 1.0).last().unwrap();
        (by(until).1[concentrator] - by(from).1[concentrator]) / ((until - from) * HOUR)
    }

    /// When transactions of a class began that ended so [h].
    fn begun(&self, class: u8, outcome: Outcome) -> Vec<f64> {
        let of = self.ended.iter().filter(|one| one.class == ClassId(class) && one.outcome == outcome);
        of.map(|one| one.started.secs() / HOUR).collect()
    }
}

fn within(times: &[f64], from: f64, until: f64) -> usize {
    times.iter().filter(|at| (from..until).contains(*at)).count()
}

const TWO_HUBS: &str = "[[concentrator]]\nname = \"a\"\nthroughput = \"100 Mbit/s\"\n[[concentrator]]\nname = \"b\"\nthroughput = \"100 Mbit/s\"\n\
                        [[pool]]\nname = \"p\"\nconcentrators = [\"a\", \"b\"]\nbalancer = \"hub_list\"\n";

/// People who carry on by hand.
fn people(more: &str) -> String {
    format!(
        "[[profile]]\nname = \"open\"\nlevels = [{{ at = \"08:00\", level = \"100 %\" }}, {{ at = \"10:00\", level = \"0 %\" }}]\n\
         [[class]]\nname = \"clinical\"\nresponse = {{ fixed = \"10 kB\" }}\npatience = \"20 s\"\n{more}\n\
         [class.users]\nper_1000 = 20\nactivity = \"open\"\nthink = {{ exponential = \"30 s\" }}\n"
    )
}

/// A job at each of 100 workstations of each site, due within half an hour.
const JOBS: &str = "[[class]]\nname = \"updates\"\nresponse = { fixed = \"10 kB\" }\n[class.jobs]\nper_1000 = 100\nfrom = \"08:00\"\n\
                    until = \"08:30\"\n";

/// Fault: a flood whose site has moved never ends, and goes through an access link that is cut.
#[test]
fn a_flood_goes_where_its_site_goes() {
    let mail = "[[class]]\nname = \"mail\"\nresponse = { fixed = \"1 kB\" }\n[class.jobs]\nper_1000 = 1\nfrom = \"08:00\"\nuntil = \"08:01\"\n";
    let faults = "[[fault]]\nflood = { site = \"s0\", class = \"mail\", rate = \"20 Mbit/s\", at = \"08:30\", lasts = \"1 h\" }\n\
                  [[fault]]\ncut = { sites = { list = [\"s0\"] }, at = \"08:40\", lasts = \"10 min\" }\n\
                  [[change]]\nmigrate = { to = \"b\", sites = \"all\", at = \"09:00\" }\n[tunnels]\ndetection = { fixed = \"20 min\" }\n";
    for fidelity in ["flow", "packet"] {
        let text = day(1, 2, &format!("{mail}{TWO_HUBS}{faults}"));
        let seen = seen(&text.replacen("bin =", &format!("fidelity = \"{fidelity}\"\nbin ="), 1), 0);
        let rates = |from: f64, until: f64| [0, 1].map(|hub| format!("{:.0}", seen.rate(hub, from, until) / 1e6));
        let at = |minute: f64| 8.0 + minute / 60.0;
        assert_eq!(rates(at(32.0), at(39.0)), ["20", "0"], "{fidelity}");
        assert_eq!(rates(at(41.0), at(49.0)), ["0", "0"], "{fidelity}: its link is cut");
        assert_eq!(rates(at(52.0), at(59.0)), ["20", "0"], "{fidelity}");
        assert_eq!(rates(at(61.0), at(89.0)), ["0", "20"], "{fidelity}: its tunnel has moved");
        assert_eq!(rates(at(91.0), at(119.0)), ["0", "0"], "{fidelity}: it is over");
    }
}

/// Fault: what began before a move goes on through a concentrator that is down.
#[test]
fn what_has_not_moved_leaves_a_concentrator_that_goes_down() {
    let calls = "[[class]]\nname = \"line\"\n[class.steady]\neach = 2\ncodec = \"g711\"\n";
    let more = "[[fault]]\noutage = { concentrator = \"a\", at = \"09:00\", lasts = \"30 min\" }\n\
                [[change]]\nmigrate = { to = \"b\", sites = \"all\", at = \"08:30\" }\n";
    let seen = seen(&day(1, 4, &format!("{calls}{TWO_HUBS}{more}")), 0);
    let usual = seen.rate(0, 8.05, 8.95);
    assert!(usual > 1e5 && seen.rate(0, 9.05, 9.95) < 1.0, "{usual}: {}", seen.rate(0, 9.05, 9.95));
    assert!((seen.rate(1, 9.05, 9.95) / usual - 1.0).abs() < 0.01, "{usual} {}", seen.rate(1, 9.05, 9.95));
}

/// Fault: the least crowded concentrator of all is one that is down, or a standby.
#[test]
fn no_transaction_is_sent_where_nobody_serves() {
    let hubs = TWO_HUBS.replace("hub_list", "join_shortest");
    let outage = "[[fault]]\noutage = { concentrator = \"a\", at = \"08:30\", lasts = \"1 h\" }\n";
    let down = seen(&day(1, 4, &format!("{}{hubs}{outage}", people(""))), 0);
    let at = |seen: &Seen, hub: u8, from: f64, until: f64| {
        let here = |one: &&Record| one.concentrator == ConcentratorId(hub) && one.outcome == Outcome::Done;
        within(&seen.ended.iter().filter(here).map(|one| one.started.secs() / HOUR).collect::<Vec<_>>(), from, until)
    };
    assert!(at(&down, 0, 8.0, 8.4) > 100);
    assert_eq!(at(&down, 0, 8.5, 9.49), 0);
    assert!(at(&down, 1, 8.6, 9.4) > 100);
    let standby = hubs.replacen("name = \"a\"", "name = \"a\"\nstandby = true", 1);
    let spared = seen(&day(1, 4, &format!("{}{standby}", people(""))), 0);
    assert_eq!(at(&spared, 0, 0.0, 24.0), 0);
    assert!(at(&spared, 1, 8.0, 10.0) > 100);
}

/// Fault: who stays until midnight to enter what is on paper stays all night, and comes at the weekend.
#[test]
fn nobody_enters_paper_after_midnight() {
    let friday = day(
        3,
        4,
        &format!(
            "{}{ONE_HUB}[[fault]]\ncut = {{ sites = \"all\", at = \"08:30\", lasts = \"80 min\" }}\n",
            people("[class.fallback]\npaper = \"100 %\"\neffort = 20.0")
        ),
    );
    let friday = friday.replacen("weekday = \"Mon\"", "weekday = \"Fri\"", 1);
    let friday = friday.replacen("activity = \"open\"", "activity = \"open\"\nweekdays = { Fri = 1.0 }", 1);
    let seen = seen(&friday, 0);
    let entered: Vec<f64> = seen.entered.iter().map(|at| at / HOUR).collect();
    assert!(within(&entered, 10.0, 24.0) > 1_000, "{} {} {:?}", entered.len(), seen.paper.len(), entered.last());
    assert_eq!(within(&entered, 24.1, 72.0), 0);
}

/// Fault: what is switched off is done by hand, and entered.
#[test]
fn what_is_switched_off_is_neither_put_on_paper_nor_entered() {
    let more = "[[fault]]\nservers_lost = { classes = [\"clinical\"], at = \"08:10\", lasts = \"50 min\" }\n\
                [[change]]\nswitch_off = { class = \"clinical\", from = \"08:30\", until = \"09:30\" }\n";
    let seen = seen(&day(1, 10, &format!("{}{ONE_HUB}{more}", people("[class.fallback]\npaper = \"100 %\""))), 0);
    let hours = |times: &[f64]| times.iter().map(|at| at / HOUR).collect::<Vec<_>>();
    // Who waits when it is switched off gives up within 20 s.
    assert!(within(&hours(&seen.paper), 8.2, 8.5) > 1_000);
    assert_eq!(within(&hours(&seen.paper), 8.51, 10.0), 0);
    assert_eq!(within(&hours(&seen.entered), 8.5, 9.5), 0);
    assert!(within(&hours(&seen.entered), 9.5, 10.0) > 1_000);
    assert!(within(&seen.begun(0, Outcome::Off), 8.5, 9.5) > 1_000);
}

/// Fault: when somebody has given up the desk turns nobody away any more.
#[test]
fn the_desk_turns_its_share_away_all_the_time() {
    let more = "[[fault]]\nservers_lost = { classes = [\"clinical\"], at = \"08:10\", lasts = \"100 min\" }\n";
    let class = people("declined = \"30 %\"\n[class.fallback]\npaper = \"80 %\"");
    let seen = seen(&day(1, 10, &format!("{class}{ONE_HUB}{more}")), 0);
    #[allow(clippy::cast_precision_loss)] // some thousand
    let count = |outcome| within(&seen.begun(0, outcome), 8.25, 9.75) as f64;
    let [away, paper, tries] = [Outcome::Declined, Outcome::OnPaper, Outcome::GivenUp].map(count);
    let all = away + paper + tries;
    // Some 30,000 actions: a quarter of a point is a standard deviation.
    assert!((away / all - 0.3).abs() < 0.015, "{away} of {all}");
    assert!((paper / (all - away) - 0.8).abs() < 0.015, "{paper} of {}", all - away);
}

/// Fault: a concentrator that is added does not serve as all do.
#[test]
fn what_is_in_force_at_all_concentrators_is_in_force_at_one_that_is_added() {
    let more = "[[change]]\nprioritise = { first = [\"clinical\"] }\n[[change]]\nlimit = { per_tunnel = \"1 Mbit/s\" }\n\
                [[option]]\nname = \"more\"\n[[option.change]]\nadd = { concentrator = { name = \"b\", throughput = \"1 Gbit/s\" } }\n\
                [[option]]\nname = \"plain\"\nwithout = [\"prioritise\"]\ninclude = [\"more\"]\n\
                [[option]]\nname = \"own\"\n[[option.change]]\n\
                add = { concentrator = { name = \"b\", throughput = \"1 Gbit/s\", discipline = \"fair_by_site\" } }\n";
    let study = study(&day(1, 2, &format!("{}{ONE_HUB}{more}", people(""))));
    let of = |name: &str| {
        let setup = study.setups.iter().find(|setup| setup.name == name).unwrap();
        let [a, b] = [0, 1].map(|place| &setup.model.concentrators[place]);
        (
            format!("{:?}", a.discipline) == format!("{:?}", b.discipline),
            format!("{:?}", a.per_tunnel) == format!("{:?}", b.per_tunnel),
        )
    };
    assert_eq!([of("more"), of("plain"), of("own")], [(true, true), (true, true), (false, true)]);
}

/// Fault: a second curfew's end releases what the first one has given its time.
#[test]
fn a_curfew_releases_only_what_it_has_held() {
    let more = "[[change]]\ncurfew = { class = \"updates\", from = \"08:00\", until = \"08:30\", release = { spread = \"1 h\" } }\n\
                [[change]]\ncurfew = { class = \"updates\", from = \"08:40\", until = \"08:45\", release = \"at_once\" }\n";
    let seen = seen(&day(1, 10, &format!("{JOBS}{ONE_HUB}{more}")), 0);
    let ends: Vec<f64> = seen.ended.iter().map(|one| (one.started.secs() + one.latency.secs()) / HOUR).collect();
    assert_eq!(ends.len(), 1_000);
    let at = |minute: f64| 8.0 + minute / 60.0;
    // Over an hour 1,000: 167 in the first ten minutes, 83 in the five that the second holds, and the others as they were.
    let found =
        [within(&ends, at(30.0), at(40.0)), within(&ends, at(40.0), at(44.9)), within(&ends, at(44.9), at(46.0))];
    assert!((160..175).contains(&found[0]) && found[1] < 5 && (80..120).contains(&found[2]), "{found:?}");
    assert!((720..760).contains(&within(&ends, at(46.0), at(91.0))));
}

/// Fault: what a curfew has held passes the headend although there is a way round by then.
#[test]
fn what_is_released_goes_round_where_it_can() {
    let more = "[[change]]\ncurfew = { class = \"updates\", from = \"08:00\", until = \"09:00\", release = { spread = \"30 min\" } }\n\
                [[change]]\nbreak_out = { class = \"updates\", from = \"09:00\", until = \"09:45\" }\n";
    let seen = seen(&day(1, 10, &format!("{JOBS}{ONE_HUB}{more}")), 0);
    assert_eq!(seen.begun(0, Outcome::Local).len(), 1_000);
    assert!(seen.ended.iter().all(|one| one.latency.secs() >= 1_800.0), "what they have waited counts");
}

/// Fault: a surge brings others where another fault is taken out.
#[test]
fn a_surge_is_the_same_whatever_other_faults_there_are() {
    let mail = "[[profile]]\nname = \"flat\"\nbands = [{ from = \"08:00\", until = \"10:00\", share = \"100 %\" }]\n\
                [[class]]\nname = \"mail\"\nresponse = { fixed = \"10 kB\" }\n[class.open]\nper_1000 = 100\nprofile = \"flat\"\n";
    let more = "[[fault]]\nbrown_out = { name = \"first\", concentrator = \"a\", left = \"90 %\", at = \"09:50\", lasts = \"5 min\" }\n\
                [[fault]]\nsurge = { class = \"mail\", factor = 3.0, at = \"08:30\", lasts = \"30 min\" }\n\
                [[option]]\nname = \"less\"\nwithout = [\"first\"]\n";
    let text = day(1, 10, &format!("{mail}{ONE_HUB}{more}"));
    let [with, without] = [0, 1].map(|setup| {
        let mut begun = seen(&text, setup).begun(0, Outcome::Done);
        begun.sort_by(f64::total_cmp);
        begun
    });
    assert!(with.len() > 1_200);
    assert_eq!(with, without);
}
