//! Floods: what sites send that nobody asked for, and what it leaves the others.

use crate::model::{ClassId, MAX_CLASSES, SiteId, Transport};
use crate::sim::discipline::{ClassQueueTerms, QueuePlan};
use crate::sim::fluid::class_queue::{Flood, Flooded};
use crate::sim::fluid::concentrator::FluidConcentrator;
use crate::sim::fluid::sharing::{Fairness, MaxMin};
use crate::units::BitRate;

impl FluidConcentrator {
    /// A site begins or ends to send so much of a class that nobody asked for, and that does not give way.
    pub fn flood(&mut self, site: SiteId, class: ClassId, rate: BitRate, begins: bool) {
        let flood = Flood { site, class, rate: rate.bits() };
        if begins {
            self.floods.push(flood);
        } else if let Some(place) = self.floods.iter().position(|other| *other == flood) {
            self.floods.swap_remove(place);
        }
        self.queues.iter_mut().for_each(|lane| lane.flooded = Flooded::NONE);
        self.reallocate();
    }

    /// What floods take of each queue's rate; the others keep the rest.
    pub(crate) fn flood_queues(&mut self, given: &mut [f64; MAX_CLASSES]) {
        for ((place, lane), given) in self.queues.iter_mut().enumerate().zip(given) {
            let rate = flood_rate(&self.floods, &self.plan, place);
            let sent = sent(&lane.band, lane.bursts, self.full);
            lane.flooded = flooded(&lane.band, sent, *given, rate, &lane.terms);
            *given = (*given - lane.flooded.rate).max(0.0);
        }
    }

    /// Weight of a flood among flows: it sends what it sends, whether they give way or not.
    pub(crate) fn weight_of_flood(&self, rate: f64) -> f64 {
        const ALL: f64 = 1e9;
        let sum = |of: fn(&MaxMin) -> f64| self.queues.iter().map(|lane| of(&lane.band)).sum::<f64>();
        match rate {
            rate if rate <= 0.0 => 0.0,
            _ if self.transport != Transport::Ideal => ALL,
            rate => rate * sum(MaxMin::weight) / sum(MaxMin::appetite).max(1.0),
        }
    }

    /// What floods have brought and what of it got through.
    pub(crate) fn book_floods(&mut self, dt: f64) {
        for flood in &self.floods {
            let place = self.plan.queue_of(flood.class);
            let lane = &self.queues[place];
            let offered = flood_rate(&self.floods, &self.plan, place).max(f64::MIN_POSITIVE);
            let came = flood.rate.min(lane.terms.per_site);
            let (came, served) = (came * dt, lane.flooded.rate * (came / offered).min(1.0) * dt);
            let class = flood.class.index();
            self.counters.admitted[class] += came;
            self.counters.streamed[class] += served;
            self.counters.withdrawn[class] += came - served;
        }
    }

    /// Segments of a burst of the class that get past a flood, on average its share.
    #[inline]
    pub fn past_flood(&mut self, class: ClassId, segments: u32) -> u32 {
        if self.floods.is_empty() {
            return segments;
        }
        let lane = &mut self.queues[self.plan.queue_of(class)];
        let passes = lane.flooded.passes;
        if passes >= 1.0 {
            return segments;
        }
        lane.credit += f64::from(segments) * passes;
        let whole = lane.credit.floor();
        lane.credit -= whole;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most all and one more
        (whole as u32).min(segments)
    }
}

/// `full` is the work of a full segment; none where transport is ideal.
pub(crate) fn sent(band: &MaxMin, bursts: f64, full: f64) -> OfferedRate {
    #[allow(clippy::cast_precision_loss)] // flows under way
    let at_least = band.len() as f64 * full / LEAST_TIMEOUT + bursts;
    OfferedRate { could: band.appetite() + bursts, at_least, gives_way: full > 0.0 }
}

/// What floods bring to a queue, each within the caps on its site [bit/s].
pub(crate) fn flood_rate(floods: &[Flood], plan: &QueuePlan, queue: usize) -> f64 {
    let shape = &plan.queues[queue];
    let here = floods.iter().filter(|flood| plan.queue_of(flood.class) == queue);
    here.map(|flood| flood.rate.min(shape.per_site)).sum::<f64>().min(shape.total)
}

/// How a flood of `rate` and the flows of a queue share `capacity`. Where sites share, it is one of them. First in first
/// out serves all in proportion to what they send: flows that do not give way send what they `could`; those of TCP leave
/// the flood what it takes while that is less than all, and beyond hardly send at all.
pub(crate) fn flooded(band: &MaxMin, sent: OfferedRate, capacity: f64, rate: f64, plan: &ClassQueueTerms) -> Flooded {
    if rate <= 0.0 || rate + sent.could <= capacity {
        return Flooded { rate: rate.min(capacity), passes: 1.0 };
    }
    if plan.fairness == Fairness::BySite {
        return Flooded { rate: band.fair_beside(rate, capacity), passes: 1.0 };
    }
    if sent.gives_way && rate < capacity {
        return Flooded { rate, passes: 1.0 };
    }
    let others = if sent.gives_way { sent.at_least.min(sent.could) } else { sent.could };
    Flooded { rate: capacity * rate / (rate + others), passes: capacity / (rate + others) }
}

/// What the flows of a queue send [bit/s].
#[derive(Clone, Copy, Debug)]
pub(crate) struct OfferedRate {
    /// If nothing but their access held them back.
    could: f64,
    /// If next to everything is lost: a segment in each time-out.
    at_least: f64,
    /// Whether losses slow them down.
    gives_way: bool,
}

/// A sender that hears nothing tries again after this time at the earliest [s].
const LEAST_TIMEOUT: f64 = 0.2;
