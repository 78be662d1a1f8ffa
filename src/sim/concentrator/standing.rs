//! What time does to what stands before each lane: the queue that long transfers keep, bursts, and their average.

use std::hint::cold_path;

use super::FluidConcentrator;
use super::burst::LATELY;
use crate::scenario::model::{Concentrator, Ingredient, MAX_CLASSES, Site, Transport};
use crate::sim::extremes::{larger, smaller};
use crate::sim::transport::{exp_decay, float};

impl FluidConcentrator {
    /// `dt` seconds pass for what is before each lane: what stands there, bursts, and their average, which fades.
    #[inline(always)]
    pub(super) fn pass(&mut self, dt: f64) {
        let fades = exp_decay(dt / LATELY);
        let [only] = &mut self.queues[..] else {
            cold_path();
            return self.pass_several(dt, fades);
        };
        only.pass(dt, fades);
        if only.backlog > 0.0 {
            only.drain(only.link.rate, dt);
        }
    }

    /// The same for several lanes, whose bursts share the rate. What a lane has depends on which others have bursts that wait,
    /// and changes when those of one are through.
    #[inline(never)]
    fn pass_several(&mut self, dt: f64, fades: f64) {
        self.queues.iter_mut().for_each(|lane| lane.pass(dt, fades));
        let mut left = dt;
        for turn in (0..TURNS).rev() {
            let mut rates = [0.0; MAX_CLASSES];
            let mut step = left;
            for (place, rate) in rates.iter_mut().enumerate().take(self.queues.len()) {
                let lane = &self.queues[place];
                *rate = lane.terms.weight.map_or(lane.link.rate, |own| self.open(place, own));
                let waits = self.waiting_bursts(lane) - self.full;
                if turn > 0 && lane.terms.weight.is_some() && waits > 0.0 {
                    step = smaller(step, waits / larger(*rate - lane.band.rate_capped(), 1.0));
                }
            }
            for (lane, rate) in self.queues.iter_mut().zip(rates) {
                if lane.backlog > 0.0 {
                    lane.drain(rate, step);
                }
            }
            left -= step;
            if left <= 0.0 {
                return;
            }
        }
    }
}

/// So often may a queue run empty between two events before what is left of the time is passed at once; as many however many
/// queues there are, so that one of which nothing comes changes nothing.
const TURNS: u32 = 8;

/// Mean round trip without queues [s]. Whole nanoseconds are summed, so that the order of the sites does not matter.
pub(super) fn mean_trip(sites: &[Site]) -> f64 {
    let sum: u64 = sites.iter().map(|site| site.rtt.0).fold(0, u64::saturating_add);
    float(sum) / 1e9 / float(sites.len().max(1) as u64)
}

/// What a flow of each site weighs for its round trip: with windows alike, rates are as one over the round trip, most of a
/// full queue included (RFC 9438, section 3.3).
pub(super) fn nearness(unit: &Concentrator, transport: Transport, trips: &[f64], mean: f64) -> Vec<f64> {
    if !transport.has(Ingredient::RoundTrips) {
        return vec![1.0; trips.len()];
    }
    let queue = STANDS * unit.buffer.bits() / unit.carries().0.bits();
    let usual = mean + queue;
    trips.iter().map(|trip| (STEPS * usual / (trip + queue)).round().max(1.0) / STEPS).collect()
}

/// Weights come in so many steps, so that sums of them are exact.
const STEPS: f64 = 1024.0;
/// Share of the buffer that stands full while flows share.
const STANDS: f64 = 0.75;
