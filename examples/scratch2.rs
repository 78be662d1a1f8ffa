use headend::scenario::model::{Fidelity};
use headend::validate::evidence::*;
use headend::validate::replay::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    for case in cases(&Store::Shipped).unwrap() {
        if format!("{}_{}", case.trace, case.service.name()) != args[1] { continue; }
        for (rf, m) in &case.measured {
        let found = replay(&case, &m.sites, Fidelity::Packet(1));
        println!("{}", rf.name());
        let mut by: std::collections::BTreeMap<u64, Vec<(f64,f64)>> = Default::default();
        for ((s, o), r) in case.sent.iter().zip(&found.latency).zip(&m.latency) { if s.class == "clinical" && s.start_s > 15.0 { 
            let segs = s.response_bytes.div_ceil(1348);
            let bin = if segs <= 1 {1} else if segs <= 5 {5} else if segs <= 10 { 10 } else if segs <= 20 {20} else if segs <= 30 {30} else if segs <= 70 { 70 } else {999};
            by.entry(bin).or_default().push((*o, *r)); } }
        for (b, v) in by { let n = v.len() as f64; let a = v.iter().map(|x| x.0).sum::<f64>()/n; let c = v.iter().map(|x| x.1).sum::<f64>()/n;
            let mut d: Vec<f64> = v.iter().map(|x| (x.0-x.1)*1e3).collect(); d.sort_by(f64::total_cmp);
            println!("segs<={b:4} n {:5} ours {:.4} ref {:.4} ratio {:.3} diff ms p10 {:.2} p50 {:.2} p90 {:.2}", v.len(), a, c, a/c, d[d.len()/10], d[d.len()/2], d[d.len()*9/10]); }
        }
    }
}
