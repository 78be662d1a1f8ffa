//! The error of the method: how far headend was from measured networks, by fidelity, order of service and utilisation.

use serde::{Deserialize, Serialize};

use crate::validate::evidence::Reference;
use crate::validate::{Replayed, jackknife, mean, quantile};

/// How far off latencies were in a regime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MethodError {
    /// `flow` or `packet`.
    pub fidelity: String,
    /// `fifo`, `prio` or `wfq`.
    pub service: String,
    /// Offered load from which this holds.
    pub load_from: f64,
    /// Offered load up to which this holds.
    pub load_to: f64,
    /// The class in the measurements.
    pub class: String,
    /// Largest error of a mean, as a share.
    pub mean: f64,
    /// Largest error of a 95th percentile, as a share.
    pub p95: f64,
    /// Measurements that this is learnt from.
    pub cases: u32,
}

/// Bands of load: below 0.7, up to saturation, and beyond.
const BANDS: [(f64, f64); 3] = [(0.0, 0.6), (0.6, 0.95), (0.95, 9.0)];

/// The errors in each regime, against the testbed.
#[must_use]
pub fn errors(replayed: &[Replayed]) -> Vec<MethodError> {
    let measured: Vec<&Replayed> =
        replayed.iter().filter(|one| one.best().0 == Reference::Testbed && one.case.warm_up > 0.0).collect();
    let mut errors = Vec::new();
    for fidelity in ["flow", "packet"] {
        for service in ["fifo", "prio", "wfq"] {
            for band in BANDS {
                for class in ["clinical", "documents"] {
                    errors.extend(error(&measured, fidelity, service, band, class));
                }
            }
        }
    }
    errors
}

fn error(
    measured: &[&Replayed],
    fidelity: &str,
    service: &str,
    (from, to): (f64, f64),
    class: &str,
) -> Option<MethodError> {
    let inside =
        measured.iter().filter(|one| one.case.service.name() == service && (from..to).contains(&one.case.load()));
    let mut found = MethodError {
        fidelity: fidelity.into(),
        service: service.into(),
        load_from: from,
        load_to: to,
        class: class.into(),
        mean: 0.0,
        p95: 0.0,
        cases: 0,
    };
    for one in inside {
        let (_, reference, packet) = one.best();
        let own = one.pick(class, if fidelity == "flow" { &one.flow.latency } else { &packet.latency });
        let other = one.pick(class, &reference.latency);
        let off = |statistic| (jackknife(&own, &other, statistic).mean - 1.0_f64).abs();
        found.mean = found.mean.max(round(off(mean)));
        found.p95 = found.p95.max(round(off(|values| quantile(values, 0.95))));
        found.cases += 1;
    }
    (found.cases > 0).then_some(found)
}

/// Whole per cents, rounded up: an error is not made smaller.
fn round(share: f64) -> f64 {
    (share * 100.0).ceil() / 100.0
}
