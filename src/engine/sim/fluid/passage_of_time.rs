//! The passage of time in each class queue: the standing queue, the bursts that wait, and their average.

use crate::model::MAX_CLASSES;
use crate::sim::fluid::class_queue::LATELY;
use crate::sim::fluid::concentrator::FluidConcentrator;
use crate::sim::fluid::standing_queue::exp_decay;
use crate::sim::hints::{larger, smaller};

impl FluidConcentrator {
    /// `dt` seconds pass for what is before each lane: what stands there, bursts, and their average, which fades.
    #[inline(always)]
    pub(crate) fn pass(&mut self, dt: f64) {
        let fades = exp_decay(dt / LATELY);
        let [only] = &mut self.queues[..] else {
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
