//! An observer of one's own: the busiest ten minutes of each class, by bytes that were asked for.
//!
//! `cargo run --release --example observe scenarios/tiny.toml`

use std::path::Path;

use headend::{Fact, Model, Observer, load, simulate};

/// Nanoseconds in ten minutes.
const TEN_MINUTES: u64 = 600_000_000_000;

/// Bytes that were asked for, by class and by ten minutes.
struct Asked(Vec<Vec<u64>>);

impl Asked {
    fn new(model: &Model) -> Self {
        Self(vec![Vec::new(); model.classes.len()])
    }
}

impl Observer for Asked {
    fn on(&mut self, now: headend::Time, fact: &Fact<'_>) {
        if let Fact::Asked { class, bytes } = fact {
            let bins = &mut self.0[class.index()];
            let bin = usize::try_from(now.0 / TEN_MINUTES).expect("a run has few bins");
            bins.resize(bins.len().max(bin + 1), 0);
            bins[bin] += bytes.0;
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: observe SCENARIO")?;
    let text = std::fs::read_to_string(&path)?;
    let folder = Path::new(&path).parent().unwrap_or(Path::new("."));
    let study = load(&path, &text, folder).map_err(|problems| problems.show(false))?;
    let model = &study.setups[0].model;
    let mut asked = Asked::new(model);
    simulate(model, 0, &mut asked);
    for (class, bins) in model.classes.iter().zip(&asked.0) {
        let Some((bin, bytes)) = bins.iter().enumerate().max_by_key(|(_, bytes)| **bytes) else { continue };
        println!("{}: {} kB from {:02}:{:02}", class.name, bytes / 1_000, bin / 6, bin % 6 * 10);
    }
    Ok(())
}
