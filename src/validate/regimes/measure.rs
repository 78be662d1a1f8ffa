//! One run of a scenario of the suite, and its measurements.

use std::sync::atomic::AtomicBool;

use crate::model::{Fidelity, Model, SiteId};
use crate::sim::observer::{Fact, Observer, Outcome, Until};
use crate::sim::simulate;
use crate::stats::quantile;
use crate::units::{Duration, Time};
use crate::validate::regimes::draw::Regime;

/// Upper ends of the bands of response sizes [B].
pub const BANDS: [u64; 5] = [14_000, 60_000, 250_000, 1_000_000, u64::MAX];
/// Names of these bands.
pub const BAND_NAMES: [&str; 5] = ["below 14 kB", "14 to 60 kB", "60 to 250 kB", "0.25 to 1 MB", "above 1 MB"];

/// A transaction that began in the window.
#[derive(Clone, Copy, Debug)]
struct Seen {
    class: u8,
    site: SiteId,
    bytes: u64,
    latency: f64,
}

/// Measurements of a run.
#[derive(Clone, Debug, Default)]
pub struct Measurement {
    seen: Vec<Seen>,
    /// Work done and work that could have been done, since the start, at each second.
    carried: Vec<(f64, f64)>,
    window: (Time, Time),
}

impl Measurement {
    /// The `number`-th run of a case at a fidelity: all but the first have round trips that differ by up to a thousandth.
    #[must_use]
    pub fn of(case: &Regime, fidelity: Fidelity, number: usize, stop: &AtomicBool) -> Self {
        let model = Model {
            fidelity,
            sites: case
                .model
                .sites
                .iter()
                .enumerate()
                .map(|(place, site)| {
                    let mut site = site.clone();
                    site.rtt = Duration::of_secs(site.rtt.secs() * factor(number, place));
                    site
                })
                .collect(),
            ..case.model.clone()
        };
        let mut run = Self { window: case.window, ..Self::default() };
        simulate(&model, 0, &mut Until { observer: &mut run, stop });
        run
    }

    fn of_class(&self, class: u8) -> impl Iterator<Item = &Seen> {
        self.seen.iter().filter(move |seen| seen.class == class)
    }

    /// Latencies of a class [s].
    #[must_use]
    pub fn latencies(&self, class: u8) -> Vec<f64> {
        self.of_class(class).map(|seen| seen.latency).collect()
    }

    /// Latencies of a class in a band of sizes [s].
    #[must_use]
    pub fn in_band(&self, class: u8, band: usize) -> Vec<f64> {
        let low = if band == 0 { 0 } else { BANDS[band - 1] };
        let inside = |seen: &&Seen| (low..BANDS[band]).contains(&seen.bytes);
        self.of_class(class).filter(inside).map(|seen| seen.latency).collect()
    }

    /// By site: bytes of its large responses over the time that they took, and how many there were.
    #[must_use]
    pub fn goodput(&self, sites: usize) -> Vec<(f64, u32)> {
        const LARGE: u64 = 250_000;
        let mut sums = vec![(0.0, 0.0, 0); sites];
        for seen in self.seen.iter().filter(|seen| seen.bytes >= LARGE) {
            let sum: &mut (f64, f64, u32) = &mut sums[seen.site.index()];
            #[allow(clippy::cast_precision_loss)] // sizes of transfers
            let bytes = seen.bytes as f64;
            *sum = (sum.0 + bytes, sum.1 + seen.latency, sum.2 + 1);
        }
        sums.into_iter().map(|(bytes, time, count)| (bytes / time, count)).collect()
    }

    /// Utilisation over each ten seconds of the window.
    #[must_use]
    pub fn utilisation(&self) -> Vec<f64> {
        let (from, until) = (self.window.0.secs(), self.window.1.secs());
        let at = |second: usize| if second == 0 { (0.0, 0.0) } else { self.carried[second - 1] };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // seconds of a few minutes
        let (first, last) = (from.ceil() as usize, (until.floor() as usize).min(self.carried.len()));
        let decades = (first..last).step_by(10).filter(|second| second + 10 <= last);
        decades.map(|second| (at(second), at(second + 10))).map(|(a, b)| (b.0 - a.0) / (b.1 - a.1)).collect()
    }
}

/// Factor of a site's round trip in a run.
fn factor(run: usize, place: usize) -> f64 {
    if run == 0 {
        return 1.0;
    }
    #[allow(clippy::cast_precision_loss)] // below eleven
    let part = ((7 * run + 3 * place) % 11) as f64 / 5.0 - 1.0;
    1.0 + 1e-3 * part
}

impl Observer for Measurement {
    fn on(&mut self, _: Time, fact: &Fact<'_>) {
        match fact {
            Fact::Ended(record)
                if (self.window.0..self.window.1).contains(&record.started)
                    && matches!(record.outcome, Outcome::Done | Outcome::GivenUp | Outcome::Inside) =>
            {
                self.seen.push(Seen {
                    class: record.class.0,
                    site: record.site,
                    bytes: record.response.0,
                    // The wait for a release is ordered, not measured.
                    latency: record.latency.secs() - record.parts.held,
                });
            }
            Fact::Snapshot(snapshot) => {
                self.carried.push((snapshot.concentrators[0].carried.iter().sum(), snapshot.concentrators[0].capacity));
            }
            _ => {}
        }
    }
}

/// The median.
#[must_use]
pub fn p50(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

/// The 95th percentile.
#[must_use]
pub fn p95(values: &[f64]) -> f64 {
    quantile(values, 0.95)
}
