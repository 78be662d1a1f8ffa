use headend::scenario::model::Fidelity;
use headend::validate::evidence::*;
use headend::validate::replay::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    for case in cases(&Store::Shipped).unwrap() {
        if format!("{}_{}", case.trace, case.service.name()) != args[1] {
            continue;
        }
        let m = case.measured.values().last().unwrap();
        let p = replay(&case, &m.sites, Fidelity::Packet(1));
        let f = replay(&case, &m.sites, Fidelity::Flow);
        let rtt: std::collections::BTreeMap<_, _> = m.sites.iter().map(|s| (s.name.clone(), s.rtt_ms / 1e3)).collect();
        for (lo, hi) in [(0, 5), (5, 10), (10, 20), (20, 30), (30, 70), (70, 900)] {
            let mut ex = [vec![], vec![]];
            for (i, s) in case.sent.iter().enumerate() {
                if s.class != "clinical" || s.start_s < 15.0 {
                    continue;
                }
                let segs = s.response_bytes.div_ceil(1348);
                if segs <= lo || segs > hi {
                    continue;
                }
                let rounds = 2.0
                    + if segs <= 10 {
                        0.0
                    } else if segs <= 30 {
                        1.0
                    } else if segs <= 70 {
                        2.0
                    } else {
                        3.0
                    };
                let base = rounds * rtt[&s.site] + segs as f64 * 0.00056;
                ex[0].push(p.latency[i] - base);
                ex[1].push(f.latency[i] - base);
            }
            let g = |v: &Vec<f64>, x: f64| v.iter().filter(|e| **e > x).count() as f64 / v.len() as f64;
            println!(
                "{lo:3}-{hi:3} n {:4} mean {:.3} {:.3} | {}",
                ex[0].len(),
                ex[0].iter().sum::<f64>() / ex[0].len() as f64,
                ex[1].iter().sum::<f64>() / ex[1].len() as f64,
                [0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.7]
                    .map(|x| format!(">{x} {:.3}/{:.3}", g(&ex[0], x), g(&ex[1], x)))
                    .join("  ")
            );
        }
    }
}
