use headend::scenario::model::Fidelity;
use headend::validate::evidence::*;
use headend::validate::replay::*;
fn stat(v: &[f64]) -> (f64, f64) {
    let mut v = v.to_vec();
    v.sort_by(f64::total_cmp);
    (v.iter().sum::<f64>() / v.len() as f64, v[(v.len() as f64 * 0.95) as usize])
}
fn main() {
    let cache = std::path::Path::new("/tmp/packet_ref.txt");
    let cases = cases(&Store::Shipped).unwrap();
    let cases: Vec<_> = cases.into_iter().filter(|c| !c.trace.starts_with("unl")).collect();
    let pick = |case: &Case, v: &[f64]| -> Vec<f64> {
        case.sent
            .iter()
            .zip(v)
            .filter(|(s, _)| s.class == "clinical" && s.start_s >= case.warm_up)
            .map(|(_, l)| *l)
            .collect()
    };
    if !cache.exists() {
        let t: String = cases
            .iter()
            .map(|c| {
                let m = c.measured.values().last().unwrap();
                let (a, b) = stat(&pick(c, &replay(c, &m.sites, Fidelity::Packet(1)).latency));
                format!("{a} {b}\n")
            })
            .collect();
        std::fs::write(cache, t).unwrap();
    }
    let refs: Vec<Vec<f64>> = std::fs::read_to_string(cache)
        .unwrap()
        .lines()
        .map(|l| l.split(' ').map(|x| x.parse().unwrap()).collect())
        .collect();
    let mut score = 0.0;
    for (c, r) in cases.iter().zip(&refs) {
        let m = c.measured.values().last().unwrap();
        let (a, b) = stat(&pick(c, &replay(c, &m.sites, Fidelity::Flow).latency));
        let (ra, rb) = (a / r[0], b / r[1]);
        let over = c.trace.contains("1.1") && c.service == Service::Fifo;
        let (bm, bp) = if over { (0.15, 0.3) } else { (0.1, 0.2) };
        let bad = (ra - 1.0).abs() > bm || (rb - 1.0).abs() > bp;
        score += ((ra.ln()) / bm).powi(2) + (rb.ln() / bp).powi(2);
        print!(
            "{}{} {:.2} {:.2}{}| ",
            c.trace.replace("_s11", "").replace("tb_", "").replace("_s1", ""),
            &c.service.name()[..1],
            ra,
            rb,
            if bad { "!" } else { " " }
        );
    }
    println!("\nSCORE {score:.2}");
}
