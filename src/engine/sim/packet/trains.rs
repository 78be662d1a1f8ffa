//! How many packets of a sender move as one.
//!
//! A train is as long as a quarter of the window, so that acknowledgements still clock the sender: longer ones would synchronise
//! with themselves. Where the links are fast, more go together: what they carry in an eighth of a round trip, which no one
//! downstream could tell from a burst. Acknowledgements break trains up; a sender with much on its way waits until it may send a
//! good part of one again, as Linux does (`tcp_tso_should_defer`).

use crate::sim::packet::network::PacketNetwork;
use crate::sim::packet::way::ConnectionId;
use crate::sim::packet::wire::{Direction, FlowKey, full_size};
use crate::units::Duration;

/// Part of the window that a train may be.
const WINDOW_PART: u32 = 4;
/// Part of the round trip that a train may last.
const TRIP_PART: f64 = 1.0 / 8.0;
/// Part of its longest train that a sender waits for.
const WORTHWHILE_PART: u32 = 4;

impl PacketNetwork {
    /// Sends what the window allows, in trains: all that acknowledgements allow which arrive within `tail`.
    #[inline]
    pub(super) fn send_allowed(&mut self, id: ConnectionId, direction: Direction, tail: Duration) {
        let connection = &mut self.connections[id as usize];
        let (flow, cwnd) = (connection.flow, connection.half(direction).sender.cwnd());
        let most = if self.longest_train == 1 { 1 } else { self.train_of(&flow, direction, cwnd) };
        if most > 1 && self.connections[id as usize].half(direction).sender.waits_for(most / WORTHWHILE_PART) {
            return;
        }
        while let Some((mut first, mut count)) =
            self.connections[id as usize].half(direction).sender.next_segments(self.now)
        {
            while count > most {
                self.send_data(id, direction, (first, most), tail);
                (first, count) = (first + most, count - most);
            }
            self.send_data(id, direction, (first, count), tail);
        }
    }

    /// Most packets of a train of a flow with a window of `cwnd` segments.
    fn train_of(&self, flow: &FlowKey, direction: Direction, cwnd: u32) -> u32 {
        let Some(tcp) = self.tcp else { return 1 };
        let (site, concentrator) = (flow.site.index(), &self.concentrators[flow.concentrator.index()]);
        let link = &self.access_links[site];
        let link = match direction {
            Direction::Up => &link.up,
            Direction::Down => &link.down,
        };
        let rate = concentrator.throughput().min(link.rate());
        let segment = f64::from(concentrator.wire_size(full_size(&tcp))) * 8.0;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // saturates
        let in_time = (self.rtts[site].secs() * TRIP_PART * rate / segment) as u32;
        (cwnd / WINDOW_PART).max(in_time.min(cwnd)).clamp(1, self.longest_train)
    }
}
