//! Speech through fluid queues: the delay that a small packet meets, and the share of packets that full queues lose.
//!
//! Fluids have no jitter. What a full queue loses follows from conservation: its flows together keep as much on the way as the path and
//! its buffer hold, and a flow keeps the fewer segments on the way the more it loses (Padhye et al. 1998, equation 29).

use crate::model::{Codec, SiteId, Transport};
use crate::sim::fluid::class_queue::ClassQueue;
use crate::sim::fluid::concentrator::FluidConcentrator;
use crate::sim::fluid::network::FluidNetwork;
use crate::sim::hints::{larger, smaller};
use crate::sim::observer::Talk;
use crate::sim::packet::playout::LEAST_HELD;
use crate::sim::route::Route;
use crate::units::{Time, float};

impl FluidNetwork {
    /// How a call fares now: from the site, and to it. A copy of the concentrator is brought to the present, once for all its calls, as
    /// what is looked at must not change by it.
    pub fn talk(&mut self, now: Time, route: Route, codec: Codec) -> [Talk; 2] {
        let at = route.concentrator;
        if self.looked_at.as_ref().is_none_or(|seen| (seen.0, seen.1) != (now, at)) {
            let mut concentrator = self.concentrators[at.index()].clone();
            concentrator.advance(now);
            self.looked_at = Some((now, at, Box::new(concentrator)));
        }
        self.looked_at.as_ref().map_or([Talk::default(); 2], |seen| seen.2.talk(route, codec))
    }
}

impl FluidConcentrator {
    fn talk(&self, Route { site, class, .. }: Route, codec: Codec) -> [Talk; 2] {
        let door = &self.sites[site.index()];
        let work = self.cost.packet(codec.packet.0);
        let trip = door.path.rtt / 2.0;
        let lost = self.share_lost(&self.queues[self.plan.queue_of(class)], site, self.part_of_full(codec));
        let overflow = if self.streams > self.throughput { self.buffer * self.slow } else { 0.0 };
        // Calls stand in the line, too: what transfers keep standing in it is the part of the buffer that calls leave.
        let part = if self.one_for_all() { self.capacity() / self.throughput } else { 1.0 };
        let queue = part * self.small_wait(site, class) + overflow + work * self.slow;
        // Each direction of the access link: what calls lose there, and how long they wait.
        let scale = self.per_access_bit();
        let [lost_up, lost_down] =
            [door.path.up * scale, door.access() + door.calls].map(|rate| door.lost_of_calls(rate));
        let at_link =
            |lost: f64, idle: f64| if lost > 0.0 { self.access_buffer } else { smaller(idle, self.access_buffer) };
        let up_link = at_link(lost_up, codec.packet.bits() / door.path.up);
        let access_wait = larger(door.free_at - self.now.secs(), 0.0);
        let down_link = at_link(lost_down, work * door.slowness() + self.access_queue(site) + access_wait);
        let way = |delay: f64, lost: f64| Talk {
            packets: 1.0,
            lost,
            delay,
            played_after: delay + LEAST_HELD,
            ..Talk::default()
        };
        let both = |one: f64, other: f64| 1.0 - (1.0 - one) * (1.0 - other);
        let (up_queue, up_lost) = if self.both { (queue, lost) } else { (0.0, 0.0) };
        [way(trip + up_link + up_queue, both(lost_up, up_lost)), way(trip + queue + down_link, both(lost_down, lost))]
    }

    /// Share of packets that are lost in a queue, of such a `part` of a full one's size: calls or a flood may be more than the device can
    /// do; a queue that TCP keeps full loses what makes its flows give way. What full packets leave of a buffer is too little for a small
    /// one as often as it is small.
    fn share_lost(&self, lane: &ClassQueue, site: SiteId, part: f64) -> f64 {
        let too_many_calls = larger(1.0 - self.throughput / larger(self.streams, 1.0), 0.0);
        let beyond = larger(too_many_calls, 1.0 - lane.flooded.passes);
        let is_full = lane.band.saturated() && !lane.in_turn() && self.full > 0.0;
        if !is_full || lane.standing.bits <= 0.0 {
            return beyond;
        }
        let on_the_way = lane.standing.bits + lane.link.pipe;
        let segments = on_the_way / (self.full * larger(float(lane.band.len() as u64), 1.0));
        let trip = self.sites[site.index()].path.rtt + lane.standing.bits * lane.slow;
        beyond + (1.0 - beyond) * SMALL_LOST * part * lost_at(segments, trip)
    }

    /// Size of a call's packets on the wire, as a part of a full segment's.
    #[allow(clippy::cast_possible_truncation)] // packets are below 64 KiB
    fn part_of_full(&self, codec: Codec) -> f64 {
        let Transport::Tcp(tcp) = self.transport else { return 1.0 };
        let [own, full] = [codec.packet.0, tcp.segment.0 + tcp.headers.0].map(|inner| self.cost.wire(inner as u32));
        smaller(f64::from(own) / f64::from(full), 1.0)
    }
}

/// Of what a full queue loses, small packets lose as little as they are smaller, times this: fitted to packets (docs/model.md, "Speech").
const SMALL_LOST: f64 = 0.5;

/// Share of segments that a flow loses which keeps so many on the way, over a round trip of so many seconds.
fn lost_at(segments: f64, trip: f64) -> f64 {
    let (mut few, mut many) = (1e-6_f64, 0.5_f64);
    // The window falls as losses rise.
    for _ in 0..40 {
        let middle = (few * many).sqrt();
        if on_the_way(middle, trip) > segments { few = middle } else { many = middle }
    }
    many
}

/// Segments that a flow keeps on the way which loses this share of them (Padhye, Firoiu, Towsley and Kurose 1998, equation 29, with an
/// acknowledgement for each segment).
fn on_the_way(lost: f64, trip: f64) -> f64 {
    const LEAST_TIMEOUT: f64 = 0.2;
    let timeout = (LEAST_TIMEOUT + trip) / larger(trip, 1e-3);
    let waits = timeout * smaller(1.0, 3.0 * (3.0 * lost / 8.0).sqrt()) * lost * (1.0 + 32.0 * lost * lost);
    1.0 / ((2.0 * lost / 3.0).sqrt() + waits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where losses are rare the window is `sqrt(3 / 2p)` (Mathis et al. 1997); the inverse finds the share again.
    #[test]
    fn the_share_lost_is_the_inverse_of_the_window() {
        assert!((on_the_way(1e-5, 0.1) / (1.5_f64 / 1e-5).sqrt() - 1.0).abs() < 0.03);
        for lost in [1e-4, 1e-3, 0.01, 0.05, 0.2] {
            let found = lost_at(on_the_way(lost, 0.05), 0.05);
            assert!((found / lost - 1.0).abs() < 1e-6, "{lost}: {found}");
        }
    }
}
