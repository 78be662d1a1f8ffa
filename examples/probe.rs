use std::sync::atomic::AtomicBool;
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let reps: u32 = std::env::args().nth(2).map_or(1, |s| s.parse().unwrap());
    let text = std::fs::read_to_string(&path).unwrap();
    let mut study = match headend::scenario::load(&path, &text, std::path::Path::new("scenarios")) { Ok(s) => s, Err(p) => { eprintln!("{}", p.show(true)); std::process::exit(2) } };
    study.effort.least = reps; study.effort.most = reps;
    let stop = AtomicBool::new(false);
    for place in 0..std::env::args().nth(3).map_or(study.setups.len(), |s| s.parse().unwrap()) {
        let t = std::time::Instant::now();
        let r = headend::study::run(&study, &[place], &headend::study::Settings { stop: &stop, progress: &|_, _| {}, keep: None, records: None }).unwrap();
        let f = &r.setups[0];
        println!("{} {:.2}s {} tx {:.0} ns/tx", f.name, t.elapsed().as_secs_f64(), f.ledger.started, t.elapsed().as_nanos() as f64 / f.ledger.started as f64);
        for (t, j) in r.targets.iter().zip(&f.targets) { println!("   {t}: {} {:?}", j.figure.value, j.verdict); }
        for (m, v) in headend::study::results::MEASURES.iter().zip(&f.measures) { println!("   {}: {}", m.title, v.value); }
        println!("   {:?}", f.ledger);
        for h in 0..12 { let b = h*60+30; let mut s = String::new(); for u in 0..f.carried.len() { let c: f64 = (b..b+30).map(|b| f.carried[u][b].iter().sum::<f64>()).sum(); let k: f64 = (b..b+30).map(|b| f.capacity[u][b]).sum(); s += &format!(" {:.3}", c/k);} 
            let w = b/5; println!("   {:02}:30 util{} q {:.4} p95 {:?} affected {:.0}", 6+h, s, f.queue[0][b], f.latency[0][w].map(|x| x.1), f.affected[w].mean); }
    }
}
