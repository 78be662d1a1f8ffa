//! The queue that long transfers keep standing: before the concentrator, and before an access link.

use crate::elementary::{cbrt, exp, ln};
use std::sync::Arc;

use crate::sim::hints::larger;
use crate::units::float;

/// The queue that long transfers keep before a concentrator: they fill the buffer until something is lost, give way,
/// and fill it again.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StandingEstimate {
    /// Bits that stand.
    pub bits: f64,
    /// Whether nothing was lost yet since it began to fill: windows double, or nearly.
    climbs: bool,
    /// How long it stays full: until those who lost something hear of it [s].
    full_for: f64,
}

/// Segments that the link holds, on the way and in its buffer, on which the next two were measured (20 Mbit/s, 75 ms).
const MEASURED: f64 = 134.0;
/// Time constant with which the first transfer fills an empty buffer [s], and with which CUBIC fills what it gave up: measured
/// with the packet engine on a link that holds [`MEASURED`] segments. On others the first goes with the segments that it
/// holds, the second with their cube root, as CUBIC's period does (RFC 9438, equation 2).
pub(crate) const FILL_TIME: f64 = 0.2;
/// See [`FILL_TIME`].
const REFILL: f64 = 0.8;
/// What they fill towards, as a share of the buffer; it is lost before.
const TOWARDS: f64 = 1.03;
/// What CUBIC gives up of its window after a loss (RFC 9438, section 4.6).
pub(crate) const LOSS_BACKOFF: f64 = 0.3;

impl StandingEstimate {
    /// `dt` seconds pass: while `flows` transfers saturate the link the queue fills, else it drains at the `spare` rate. Most
    /// often it stays full, or goes on filling.
    #[inline]
    pub fn pass(&mut self, dt: f64, flows: usize, link: &SharedLink, spare: f64) {
        if flows == 0 {
            (self.bits, self.climbs, self.full_for) = ((self.bits - spare * dt).max(0.0), true, 0.0);
            return;
        }
        if !self.stays(dt, flows, link) {
            self.go_round(dt, flows, link);
        }
    }

    /// It stays full for `dt` seconds, or fills and loses nothing; false where that does not last so long.
    #[inline]
    fn stays(&mut self, dt: f64, flows: usize, link: &SharedLink) -> bool {
        if self.full_for > 0.0 {
            let stays = self.full_for >= dt;
            if stays {
                self.full_for -= dt;
            }
            return stays;
        }
        let towards = TOWARDS * link.buffer;
        let then = towards - (towards - self.bits) * exp_decay(dt * self.pace(flows, link));
        let fits = then < link.buffer;
        if fits {
            self.bits = then;
        }
        fits
    }

    /// One over the time constant with which it fills [1/s].
    fn pace(&self, flows: usize, link: &SharedLink) -> f64 {
        if self.climbs {
            return float(flows as u64).sqrt() / (FILL_TIME * link.size);
        }
        link.refill.rate(flows) / link.size_root
    }

    /// The queue fills and gives way, as often as it does in `dt` seconds.
    #[inline(never)]
    fn go_round(&mut self, dt: f64, flows: usize, link: &SharedLink) {
        let mut left = dt;
        // After many cycles only where it stands in the last one matters.
        for _ in 0..MOST_CYCLES {
            if self.stays(left, flows, link) {
                return;
            }
            if self.full_for > 0.0 {
                left -= self.full_for;
                self.give_way(flows, link);
                if self.stays(left, flows, link) {
                    return;
                }
            }
            let towards = TOWARDS * link.buffer;
            let fuller = ((towards - self.bits) / (towards - link.buffer)).max(1.0);
            left -= (1.0 / self.pace(flows, link) * ln(fuller)).min(left);
            self.bits = link.buffer;
            self.lose(link);
        }
    }

    /// Less by so much, as far as it is there.
    pub fn drain(&mut self, bits: f64) {
        (self.bits, self.climbs, self.full_for) = ((self.bits - bits).max(0.0), false, 0.0);
    }

    /// Something was lost. Senders hear of it a round trip later; until then the queue stays as it is.
    pub fn lose(&mut self, link: &SharedLink) {
        if self.full_for <= 0.0 {
            self.full_for = (link.pipe + self.bits) / link.rate.max(1.0);
        }
    }

    fn give_way(&mut self, flows: usize, link: &SharedLink) {
        let flows = float(flows.max(1) as u64);
        self.drain(LOSS_BACKOFF * (self.bits + link.pipe) * (1.0 + LOSS_FRACTION * (flows - 1.0)) / flows);
    }
}

/// How fast transfers fill what they gave up, worked out beforehand: it is asked for at every event, and a cube root costs.
#[derive(Clone, Debug)]
pub struct Refill(Arc<[f64]>);

impl Refill {
    /// So many transfers are worked out beforehand.
    const KNOWN: u64 = 1 << 12;

    /// The table.
    #[must_use]
    pub fn new() -> Self {
        Self((0..Self::KNOWN).map(Self::worked_out).collect())
    }

    fn worked_out(flows: u64) -> f64 {
        cbrt(float(flows)) / REFILL
    }

    /// One over the time constant of so many transfers [1/s].
    #[inline]
    fn rate(&self, flows: usize) -> f64 {
        self.0.get(flows).copied().unwrap_or_else(|| Self::worked_out(flows as u64))
    }
}

impl Default for Refill {
    fn default() -> Self {
        Self::new()
    }
}

/// Segments that a link holds, as a multiple of those of the link on which its time constants were measured; not less than a
/// few.
#[must_use]
pub fn size(bits: f64, segment: f64) -> f64 {
    const LEAST: f64 = 0.05;
    larger(bits / (segment * MEASURED), LEAST)
}

/// A link and its buffer, as transfers that compete for it see them [bit, bit/s].
#[derive(Clone, Debug)]
pub struct SharedLink {
    /// What the queue holds.
    pub buffer: f64,
    /// What is on the way beside it.
    pub pipe: f64,
    /// What it carries.
    pub rate: f64,
    /// A full segment.
    pub segment: f64,
    /// What it holds, as [`size`] has it, and the cube root of that.
    size: f64,
    size_root: f64,
    refill: Refill,
}

impl SharedLink {
    /// A link of `rate` with a `buffer` and a round trip of `trip` seconds without queues.
    #[must_use]
    pub fn new(rate: f64, buffer: f64, trip: f64, segment: f64, refill: &Refill) -> Self {
        let refill = refill.clone();
        let mut link = Self { buffer, pipe: 0.0, rate, segment, size: 1.0, size_root: 1.0, refill };
        link.open(rate, trip);
        link
    }

    /// It carries `rate` from now on.
    pub fn open(&mut self, rate: f64, trip: f64) {
        (self.rate, self.pipe) = (rate, trip * rate);
        self.size = size(self.pipe + self.buffer, larger(self.segment, 1.0));
        self.size_root = cbrt(self.size);
    }
}

/// What is left after `x` time constants. Events are close together: most of what is asked for is little, and eight terms
/// of the series are exact to 1e-12 there.
#[must_use]
pub fn exp_decay(x: f64) -> f64 {
    if x >= 0.06 {
        return exp(-x);
    }
    // In pairs, which need not wait for each other (Estrin).
    let pair = |even: f64, odd: f64| 1.0 / even - x * (1.0 / odd);
    let square = x * x;
    pair(1.0, 1.0) + square * pair(2.0, 6.0) + square * square * (pair(24.0, 120.0) + square * pair(720.0, 5040.0))
}

/// Share of the other transfers that lose something, too, while the queue is full.
pub(crate) const LOSS_FRACTION: f64 = 0.3;

const MOST_CYCLES: u32 = 64;

/// Share of an access link's buffer that stands full while a long transfer is held back by it.
const ACCESS_STANDING: f64 = 0.8;

/// Wait in the queue that long transfers keep before an access link which has been full for `full` seconds and is of such a
/// [`size`] [s].
#[must_use]
pub fn access_queue(full: f64, buffer: f64, size: f64) -> f64 {
    if full > 0.0 { ACCESS_STANDING * buffer * (1.0 - exp(-full / (FILL_TIME * size))) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fades_is_the_exponential() {
        for x in [0.0, 1e-9, 1e-4, 9.99e-3, 0.0599, 0.06, 0.5, 30.0] {
            assert!((exp_decay(x) - exp(-x)).abs() < 1e-12, "{x}");
        }
    }

    /// One transfer through a buffer of 50 ms: it fills, loses, gives up less than half, and fills again.
    #[test]
    fn a_standing_queue_rises_falls_and_drains() {
        let link = SharedLink::new(20e6, 1e6, 0.02, 11_216.0, &Refill::new());
        let after = |mut queue: StandingEstimate, dt, flows, spare| {
            queue.pass(dt, flows, &link, spare);
            queue
        };
        let one = after(StandingEstimate::default(), 5.0, 1, 0.0);
        assert!((0.5e6..=1e6).contains(&one.bits), "{one:?}");
        let many = after(StandingEstimate::default(), 5.0, 20, 0.0);
        assert!((0.85e6..=1e6).contains(&many.bits), "{many:?}");
        assert!((after(one, 0.5, 0, 1e6).bits - (one.bits - 0.5e6)).abs() < 1.0);
        assert!(after(one, 5.0, 0, 1e6).bits <= 0.0);
    }
}
