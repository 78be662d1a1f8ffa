//! Small models with known answers, written as scenarios, and observers that keep what tests look at.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use headend::model::{ClassId, Model};
use headend::scenario::{Study, load};
use headend::sim::observer::{Fact, Observer, Outcome, Record, Snapshot};
use headend::study::results::Results;
use headend::study::{RunOptions, run};
use headend::units::Time;

/// The study of a scenario that must be right.
pub fn study(text: &str) -> Study {
    let folder = headend::disk::Folder::reaching(Path::new("scenarios"), true);
    load("test.toml", text, folder).unwrap_or_else(|problems| panic!("{}", problems.show(false)))
}

/// The results of all set-ups of a scenario that must be right.
pub fn results(text: &str) -> Results {
    let study = study(text);
    let all: Vec<usize> = (0..study.setups.len()).collect();
    let stop = AtomicBool::new(false);
    let options = RunOptions { stop: &stop, progress: &|_| {}, keep: None, records: None, here: true };
    run(&study, &all, &options).unwrap()
}

/// The base model of a scenario that must be right.
pub fn base(text: &str) -> Model {
    study(text).setups.swap_remove(0).model
}

/// One site whose access never binds, one concentrator of 1 Mbit/s, service of 1 s on average: a textbook's
/// single server, for four days, with the given classes, discipline and extra lines.
pub fn single_server(classes: &[(&str, f64, &str)], discipline: &str) -> String {
    let mut text = String::from(
        r#"
question = "What does the textbook say?"
[run]
weekday = "Mon"
days = 3
from = "00:00"
until = "24:00"
bin = "1 min"
[transport]
model = "ideal"
[[estate.site]]
name = "s"
patients = 86400000
down = "1 Gbit/s"
rtt = "1 ms"
[[profile]]
name = "flat"
bands = [{ from = "00:00", until = "24:00", share = "100 %" }]
"#,
    );
    for (name, rate, size) in classes {
        // 86,400 thousand patients: so many arrivals a second are as many per 1,000 patients and day.
        text += &format!(
            "[[class]]\nname = \"{name}\"\nresponse = {size}\n[class.open]\nper_1000 = {rate}\nprofile = \"flat\"\n"
        );
    }
    text + &format!("[[concentrator]]\nname = \"hub\"\nthroughput = \"1 Mbit/s\"\ndiscipline = {discipline}\n")
}

/// A service of 1 s on average at 1 Mbit/s.
pub const EXPONENTIAL: &str = "{ exponential = \"125 kB\" }";

/// Keeps every record, and how many transactions were under way at each look.
#[derive(Default)]
pub struct Keep {
    pub records: Vec<Record>,
    pub active: Vec<u64>,
    pub looks: Vec<(Time, Snapshot)>,
    pub calls: (u64, u64),
    pub with_looks: bool,
}

impl Observer for Keep {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        match fact {
            Fact::Ended(record) => self.records.push(*record),
            Fact::Call { admitted, .. } => {
                self.calls.0 += 1;
                self.calls.1 += u64::from(!admitted);
            }
            Fact::Snapshot(look) => {
                self.active.push(look.classes.iter().map(|class| class.active).sum());
                if self.with_looks {
                    self.looks.push((now, (*look).clone()));
                }
            }
            _ => {}
        }
    }
}

impl Keep {
    /// Latencies of a class's transactions that were served, from the second day on [s].
    pub fn latencies(&self, class: u8) -> Vec<f64> {
        let settled = self.records.iter().filter(|record| {
            record.class == ClassId(class) && record.outcome == Outcome::Done && record.started.day() > 0
        });
        settled.map(|record| record.latency.secs()).collect()
    }
}

/// `tiny`, cut down to what takes a moment: from 07:30 to 08:30.
pub fn morning() -> String {
    let tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let morning = tiny
        .replace("until = \"10:00\"\nseed", "until = \"08:30\"\nseed")
        .replace("until = \"09:00\"\n\n[[target]]", "until = \"08:30\"\n\n[[target]]")
        .replace("from = \"09:00\"\nuntil = \"10:00\"", "from = \"07:30\"\nuntil = \"08:00\"");
    assert_ne!(morning, tiny);
    morning
}
