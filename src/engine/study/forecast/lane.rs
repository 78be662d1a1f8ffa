//! A lane of a concentrator: flows that share it, how often it is full, and the queue that stands then.

use crate::elementary::{exp, normal_cdf};
use crate::sim::fluid::standing_queue::{Refill, SharedLink, StandingEstimate};

/// Flows of one class between one concentrator and one kind of sites.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flows {
    /// How many there are.
    pub count: f64,
    /// Flows of the lane at each site of the kind, of all classes.
    pub at_site: f64,
    /// Rate that a site's access link carries, or what a cap leaves of it [bit/s of work].
    pub access: f64,
    /// Weight of a flow.
    pub weight: f64,
    /// Whether sites take turns and not flows.
    pub by_site: bool,
}

impl Flows {
    /// Mean rate of a flow where each may have `share` [bit/s].
    ///
    /// A site's access link is shared by those that are at it: as many as in a queue with processor sharing, which is geometric
    /// whatever the sizes (Kleinrock vol. 2, section 4.4).
    #[must_use]
    pub fn rate(&self, share: f64) -> f64 {
        let busy = self.at_site / (1.0 + self.at_site);
        let share = share * self.weight;
        if self.by_site || share >= self.access {
            return share.min(self.access) / (1.0 + self.at_site);
        }
        // So many flows of a site have their whole share; more have to share the link.
        let whole = (self.access / share).floor();
        let beyond = crate::elementary::pow(busy, whole);
        let within = share * (1.0 - beyond);
        within + (self.access - whole * share) * beyond / (1.0 + self.at_site)
    }
}

/// The share with which flows take `capacity` together [bit/s].
#[must_use]
pub fn share(flows: &[Flows], capacity: f64) -> f64 {
    let taken = |share: f64| flows.iter().map(|flows| flows.count * flows.rate(share)).sum::<f64>();
    let widest = flows.iter().map(|flows| flows.access / flows.weight).fold(1.0, f64::max);
    let (mut low, mut high) = (widest * 1e-6, widest);
    if taken(low) >= capacity {
        return low;
    }
    for _ in 0..24 {
        let middle = (low * high).sqrt();
        if taken(middle) < capacity { low = middle } else { high = middle }
    }
    (low * high).sqrt()
}

/// Probability that work in progress is held back, where `mean` of a capacity is wanted on average, with this standard deviation
/// (Halfin & Whitt, Oper. Res. 29, 1981).
#[must_use]
pub fn delayed(mean: f64, deviation: f64, capacity: f64) -> f64 {
    if mean >= capacity {
        return 1.0;
    }
    let spare = (capacity - mean) / deviation.max(1e-9 * capacity);
    if spare > 8.0 {
        return 0.0;
    }
    let density = exp(-spare * spare / 2.0) / (2.0 * std::f64::consts::PI).sqrt();
    1.0 / (1.0 + spare * normal_cdf(spare) / density)
}

/// The queue that long transfers keep before a lane, on average.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stands {
    /// Bits, while it is not full to the brim.
    pub bits: f64,
    /// Share of time in which it is.
    pub at_brim: f64,
}

/// What stands before a link, by the number of transfers.
#[derive(Clone, Debug)]
pub struct StandingTable {
    buffer: f64,
    by_flows: Vec<Stands>,
}

/// Numbers of transfers that are worked out.
const NUMBERS: [usize; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

impl StandingTable {
    /// For a link of `rate` with a `buffer`, a round trip without queues and full segments of some work.
    #[must_use]
    pub fn new(rate: f64, buffer: f64, trip: f64, segment: f64) -> Self {
        let link = SharedLink::new(rate, buffer, trip, segment, &Refill::new());
        Self { buffer, by_flows: NUMBERS.iter().map(|flows| stands(&link, *flows)).collect() }
    }

    /// What so many transfers keep standing.
    #[must_use]
    pub fn of(&self, flows: f64) -> Stands {
        let place = crate::elementary::ln(flows.max(1.0)) / std::f64::consts::LN_2;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // below the length of the table
        let below = (place as usize).min(NUMBERS.len() - 1);
        let above = (below + 1).min(NUMBERS.len() - 1);
        let (a, b, part) = (self.by_flows[below], self.by_flows[above], place.fract());
        let between = |a: f64, b: f64| a + (b - a) * part;
        Stands { bits: between(a.bits, b.bits), at_brim: between(a.at_brim, b.at_brim) }
    }

    /// Bits that the queue holds.
    #[must_use]
    pub fn buffer(&self) -> f64 {
        self.buffer
    }
}

/// The mean over a while, after a while.
fn stands(link: &SharedLink, flows: usize) -> Stands {
    const STEPS: u32 = 2_000;
    let step = ((link.pipe + link.buffer) / link.rate.max(1.0) / 4.0).max(1e-3);
    let mut queue = StandingEstimate::default();
    let (mut bits, mut brim) = (0.0, 0_u32);
    for number in 0..2 * STEPS {
        queue.pass(step, flows, link, 0.0);
        if number >= STEPS {
            if queue.bits >= link.buffer * (1.0 - 1e-9) { brim += 1 } else { bits += queue.bits }
        }
    }
    let others = STEPS - brim;
    Stands {
        bits: if others > 0 { bits / f64::from(others) } else { link.buffer },
        at_brim: f64::from(brim) / f64::from(STEPS),
    }
}

/// Mean wait behind bursts that come by themselves: `load` of a rate, in batches of which `batch` is the mean square over the mean
/// (Pollaczek & Khinchine) [s].
#[must_use]
pub fn burst_wait(load: f64, batch: f64, rate: f64) -> f64 {
    let share = (load / rate).min(0.95);
    share * batch / (2.0 * rate * (1.0 - share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::erlang_b;

    /// Of many servers at nine tenths of what they can do: Erlang's C, from his B.
    #[test]
    fn how_often_servers_are_all_busy_is_what_erlang_says() {
        for servers in [20_u32, 100, 400] {
            for load in [0.7, 0.85, 0.95] {
                let wanted = load * f64::from(servers);
                let blocked = erlang_b(wanted, servers);
                let exact = blocked / (1.0 - load * (1.0 - blocked));
                let found = delayed(wanted, wanted.sqrt(), f64::from(servers));
                assert!((found - exact).abs() < 0.03 + 0.1 * exact, "{servers} at {load}: {found} for {exact}");
            }
        }
    }

    #[test]
    fn flows_of_a_site_take_no_more_than_its_link() {
        let flows = Flows { count: 3.0, at_site: 3.0, access: 10.0, weight: 1.0, by_site: false };
        let mut last = 0.0;
        for share in [0.1, 1.0, 3.0, 5.0, 9.0, 10.0, 100.0] {
            let rate = flows.rate(share);
            assert!(rate <= share + 1e-9 && rate + 1e-9 >= last, "{rate} at {share} after {last}");
            last = rate;
        }
        // Three quarters of the time somebody is there, and the link is full.
        assert!((3.0 * last - 0.75 * 10.0).abs() < 1e-9, "{last}");
    }

    #[test]
    fn flows_together_take_what_there_is() {
        let narrow = Flows { count: 10.0, at_site: 0.1, access: 2.0, weight: 1.0, by_site: false };
        let wide = Flows { access: 50.0, ..narrow };
        let found = share(&[narrow, wide], 100.0);
        let taken = [narrow, wide].iter().map(|flows| flows.count * flows.rate(found)).sum::<f64>();
        assert!((taken - 100.0).abs() < 1e-3, "{taken}");
    }
}
