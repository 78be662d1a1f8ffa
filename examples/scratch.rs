use headend::scenario::model::{Fidelity, Ingredient, Without};
use headend::validate::evidence::*;
use headend::validate::replay::*;
fn stat(v: &[f64]) -> (f64, f64, f64) {
    let mut v: Vec<f64> = v.to_vec();
    v.sort_by(f64::total_cmp);
    let m = v.iter().sum::<f64>() / v.len() as f64;
    (m, v[v.len() / 2], v[((v.len() as f64) * 0.95) as usize])
}
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let grain: u32 = args[1].parse().unwrap();
    let filter = args.get(2).cloned().unwrap_or_default();
    let mut without = Without::NONE;
    for a in args.iter().skip(3) {
        for (i, n) in Ingredient::ALL {
            if n == a {
                without = without.and(i);
            }
        }
    }
    let fid = if grain == 0 { Fidelity::Flow } else { Fidelity::Packet(grain) };
    for case in cases(&Store::Shipped).unwrap() {
        if !case.trace.contains(&filter) || case.trace.starts_with("unl") {
            continue;
        }
        let t = std::time::Instant::now();
        let reference = case.measured.keys().last().copied().unwrap();
        let mut measured = case.measured[&reference].clone();
        if grain == 0 {
            let f = replay(&case, &measured.sites, Fidelity::Packet(1));
            measured.latency = f.latency;
            measured.utilisation = f.utilisation;
        }
        let measured = &measured;
        let t = std::time::Instant::now();
        let found = replay_without(&case, &measured.sites, fid, without);
        let el = t.elapsed().as_secs_f64();
        for class in ["clinical", "documents", "bulk"] {
            let pick = |v: &[f64]| -> Vec<f64> {
                case.sent
                    .iter()
                    .zip(v)
                    .filter(|(s, _)| s.class == class && s.start_s >= case.warm_up)
                    .map(|(_, l)| *l)
                    .collect()
            };
            let (o, r) = (pick(&found.latency), pick(&measured.latency));
            if o.is_empty() {
                continue;
            }
            let (om, o50, o95) = stat(&o);
            let (rm, r50, r95) = stat(&r);
            if grain == 0 && class == "clinical" {
                let q = |v: &[f64]| {
                    let mut v = v.to_vec();
                    v.sort_by(f64::total_cmp);
                    [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99].map(|p| v[(p * v.len() as f64) as usize])
                };
                let (a, b) = (q(&o), q(&r));
                println!(
                    "  q ours {:.3?} ref {:.3?} ratio {:.2?}",
                    a,
                    b,
                    std::array::from_fn::<f64, 8, _>(|i| a[i] / b[i])
                );
            }
            let ns = case.measured.get(&Reference::Ns3).map(|m| stat(&pick(&m.latency)));
            println!(
                "{:20} {:5} {:10} n {:5} mean {:8.4}/{:8.4}={:.3} p50 {:.3} p95 {:.3} | ns3/ref mean {:.3} p95 {:.3} nan {}",
                case.trace,
                case.service.name(),
                class,
                o.len(),
                om,
                rm,
                om / rm,
                o50 / r50,
                o95 / r95,
                ns.map_or(0.0, |n| n.0 / rm),
                ns.map_or(0.0, |n| n.2 / r95),
                o.iter().filter(|x| x.is_nan()).count()
            );
        }
        let u = |v: &[f64]| {
            let v: Vec<f64> = v.chunks(10).take(11).map(|c| c.iter().sum::<f64>() / c.len() as f64).collect();
            v
        };
        let (a, b) = (u(&found.utilisation), u(&measured.utilisation));
        let worst = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        println!(
            "   voice {:?} ref {:?} ns3 {:?} util worst {:.3} time {:.2}s",
            found.voice,
            measured.voice,
            case.measured.get(&Reference::Ns3).and_then(|m| m.voice),
            worst,
            el
        );
    }
    for case in cases(&Store::Shipped).unwrap() {
        if !case.trace.starts_with("unl") || !"unloaded".contains(&filter) {
            continue;
        }
        for (reference, m) in &case.measured {
            let mut c = case.clone();
            if *reference == Reference::Ns3 {
                c.calls = 0;
            } else {
                c.calls = 8;
            }
            let found = replay_without(&c, &m.sites, fid, without);
            let mut by: std::collections::BTreeMap<u64, Vec<f64>> = Default::default();
            for ((s, o), r) in case.sent.iter().zip(&found.latency).zip(&m.latency) {
                by.entry(s.response_bytes).or_default().push(o / r);
            }
            for (b, v) in by {
                println!(
                    "unloaded {} {:9} {}",
                    reference.name(),
                    b,
                    v.iter().map(|x| format!("{x:.3}")).collect::<Vec<_>>().join(" ")
                );
            }
        }
    }
}
