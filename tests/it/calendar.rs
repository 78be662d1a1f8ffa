//! Days that differ: weekdays, holidays, and the level of a day.

use headend::Model;
use headend::model::ClassId;
use headend::sim::observer::{Fact, Observer};
use headend::sim::simulate;
use headend::stats::Tally;
use headend::units::Time;

const TINY: &str = r#"question = "How many begin?"
[run]
date = "2026-05-01"
days = 5
from = "08:00"
until = "12:00"
[[estate.site]]
name = "a"
patients = 8000
down = "1 Gbit/s"
up = "1 Gbit/s"
rtt = "20 ms"
[[profile]]
name = "even"
bands = [{ from = "08:00", until = "12:00", share = "100 %" }]
[[profile]]
name = "staffed"
levels = [{ at = "08:00", level = "100 %" }, { at = "12:00", level = "100 %" }]
[[class]]
name = "people"
response = { fixed = "10 kB" }
[class.users]
per_1000 = 2
activity = "staffed"
think = { exponential = "3 min" }
[[class]]
name = "arrivals"
response = { fixed = "10 kB" }
[class.open]
per_1000 = 100
profile = "even"
[[class]]
name = "jobs"
response = { fixed = "10 kB" }
[class.jobs]
per_1000 = 100
from = "08:00"
until = "11:00"
[[concentrator]]
name = "hub"
throughput = "1 Gbit/s"
"#;

/// By day and class: how many transactions and jobs begin.
struct Begun(Vec<Vec<f64>>);

impl Observer for Begun {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        if let Fact::Started { class, .. } = fact {
            let day = usize::try_from(now.day()).unwrap();
            if (8.0..12.0).contains(&now.clock().hours()) {
                self.0[day][class.index()] += 1.0;
            }
        }
    }
}

fn model(more: &str) -> Model {
    let text = TINY.to_owned() + more;
    let study = headend::load("tiny.toml", &text, std::path::Path::new("."));
    study.map_err(|problems| problems.show(false)).unwrap().setups[0].model.clone()
}

fn begun(model: &Model, replication: u32) -> Vec<Vec<f64>> {
    let mut observer = Begun(vec![vec![0.0; 3]; model.calendar.days as usize]);
    simulate(model, replication, &mut observer);
    observer.0
}

/// A Friday, the early May bank holiday on the Monday after it, and a Tuesday with twice as much of everything.
#[test]
fn weekdays_and_holidays_have_what_is_written() {
    let usual = begun(&model(""), 0);
    let other = begun(
        &model(
            "[calendar]\nbank_holidays = \"england_and_wales\"\nholidays = [\"2026-05-02\"]\non_holidays = \"25 %\"\n\
                weekdays = { Mon = 1, Tue = 2, Wed = 1, Thu = 1, Fri = 1, Sat = 1, Sun = 1 }\n",
        ),
        0,
    );
    assert_eq!(usual[0], other[0], "a usual day is as without a calendar");
    for class in 0..3 {
        let of = |day: usize| other[day][class] / usual[day][class];
        // Saturday and Monday are holidays; some hundred actions of each class begin on them.
        assert!((0.15..0.35).contains(&of(1)) && (0.15..0.35).contains(&of(3)), "{class}: {usual:?} {other:?}");
        assert!((1.85..2.15).contains(&of(4)), "{class}: {usual:?} {other:?}");
    }
    assert_eq!(model("").classes[ClassId(2).index()].name, "jobs");
}

/// The spread between days is the one that is written, on top of what chance makes of single arrivals.
#[test]
fn levels_of_days_spread_as_written() {
    const DAYS: u32 = 100;
    let spread = |more: &str| -> Vec<f64> {
        let model = model(more);
        let days: Vec<Vec<f64>> = (0..DAYS / 5).flat_map(|replication| begun(&model, replication)).collect();
        let of = |class: usize| {
            let all: Tally = days.iter().map(|day| day[class]).collect();
            all.variance().sqrt() / all.mean()
        };
        (0..3).map(of).collect()
    };
    let (none, some) = (spread(""), spread("[calendar]\nspread = \"20 %\"\n"));
    for (none, some) in none.iter().zip(&some) {
        let level = (some * some - none * none).sqrt();
        // Four standard errors of a standard deviation over 100 days.
        assert!((level - 0.2).abs() < 4.0 * 0.2 / (2.0 * f64::from(DAYS)).sqrt(), "{none} {some}");
    }
}
