use headend::scenario::load;
use headend::scenario::model::*;
use headend::sim::observer::*;
use headend::units::Time;
struct L(Vec<(f64, f64)>, Vec<f64>);
impl Observer for L {
    fn on(&mut self, now: Time, f: &Fact<'_>) {
        match f {
            Fact::Look(l) => self.0.push((now.secs(), l.units[0].queue[0] * 1e3)),
            Fact::Ended(r) => self.1.push(r.latency.secs()),
            _ => {}
        }
    }
}
fn main() {
    let n: usize = std::env::args().nth(1).unwrap().parse().unwrap();
    let rtt = std::env::args().nth(2).unwrap();
    let size = std::env::args().nth(3).unwrap();
    let gap: f64 = std::env::args().nth(4).unwrap().parse().unwrap();
    let text = format!(
        r#"
question = "x?"
[run]
weekday = "Mon"
from = "00:00"
until = "00:01"
bin = "200 ms"
fidelity = "packet"
[transport]
segment = "1348 B"
headers = "52 B"
[[estate.site]]
name = "s"
patients = 1
down = "80 Mbit/s"
rtt = "{rtt} ms"
[[class]]
name = "voice"
response = {{ fixed = "1 kB" }}
[class.steady]
each = 4
[[class]]
name = "bulk"
response = {{ fixed = "1 kB" }}
[class.steady]
each = 1
[[concentrator]]
name = "hub"
throughput = "20 Mbit/s"
cipher = {{ adds = "2 B" }}
counts = "down"
buffer = "125 kB"
"#
    );
    let mut m = load("x", &text, std::path::Path::new("."))
        .unwrap_or_else(|p| panic!("{}", p.show(false)))
        .setups
        .swap_remove(0)
        .model;
    m.replay = Some(
        (0..n)
            .map(|i| Arrival {
                at: Time(1_000_000_000 + (i as f64 * gap * 1e9) as u64),
                site: SiteId(0),
                class: ClassId(1),
                request: headend::units::Bytes(1000),
                response: headend::units::Bytes(size.parse().unwrap()),
            })
            .collect::<Vec<_>>()
            .into(),
    );
    let mut l = L(vec![], vec![]);
    headend::sim::simulate(&m, 0, &mut l);
    for (t, q) in l.0.iter().skip(4).take(60) {
        print!("{t:.1}:{q:.0} ");
    }
    println!("\n{:?}", l.1);
}
