//! The network, at any fidelity. This is the only file that knows that there are several.
//!
//! Transactions hand transfers in and get deliveries back as data. The fluid network schedules its windows in the run's
//! event list; the packet network has an event list of its own.

use crate::model::{ClassId, Codec, Concentrator, ConcentratorId, Discipline, Fidelity, Model, Transport};
use crate::random::Stream;
use crate::sim::discipline::Shape;
use crate::sim::event::Event;
use crate::sim::event_list::EventList;
use crate::sim::fluid::network::FluidNetwork;
use crate::sim::observer::ConcentratorSnapshot;
use crate::sim::packet::network::PacketNetwork;
use crate::sim::route::{Route, packets_per_second};
use crate::sim::transaction::latency::LatencyParts;
use crate::sim::transfer::{CallTalk, Delivery, Start, Stopped};
use crate::sim::turn::TransactionId;
use crate::units::{BitRate, Duration, Time};

/// Most packets of a train at sampled fidelity.
const LONGEST_TRAIN: u32 = 64;

/// Concentrators and access links, and all that is on its way through them.
#[derive(Debug)]
pub enum Network {
    /// Flows that share.
    Fluid(FluidNetwork),
    /// Every packet.
    Packet(Box<PacketNetwork>),
}

impl Network {
    /// An idle network for classes whose names have these numbers.
    #[must_use]
    pub fn new(model: &Model, class_names: &[u64]) -> Self {
        match model.fidelity {
            Fidelity::Sampled if model.transport != Transport::Ideal => {
                Self::Packet(Box::new(PacketNetwork::new(model, LONGEST_TRAIN, true)))
            }
            // Where transport is ideal there are no packets to sample: sharing is exact.
            Fidelity::Flow | Fidelity::Sampled => Self::Fluid(FluidNetwork::new(model, class_names)),
            Fidelity::Packet(train) => Self::Packet(Box::new(PacketNetwork::new(model, train, false))),
        }
    }

    /// When and where something happens next that is not in the run's event list.
    #[inline]
    pub fn next(&mut self, now: Time) -> (Time, ConcentratorId) {
        match self {
            Self::Fluid(network) => network.next(now),
            Self::Packet(network) => (network.next_time(), ConcentratorId(0)),
        }
    }

    /// Lets that happen, and packets that follow before the run's next event and its `end`, or until something is delivered; the
    /// time of the last of it. What it tells goes to `deliveries`.
    pub fn step(
        &mut self,
        (now, end): (Time, Time),
        at: ConcentratorId,
        events: &mut EventList<Event>,
        deliveries: &mut Vec<Delivery>,
    ) -> Time {
        match self {
            Self::Fluid(network) => {
                deliveries.extend(network.step(now, at, events));
                now
            }
            Self::Packet(network) => {
                let (now, told) = network.step(events.next_time().min(end));
                deliveries.extend_from_slice(told);
                now
            }
        }
    }

    /// A transfer starts.
    #[inline]
    pub fn start(&mut self, now: Time, events: &mut EventList<Event>, start: &Start<'_>) {
        match self {
            Self::Fluid(network) => network.start(now, events, start),
            Self::Packet(network) => network.start(now, start),
        }
    }

    /// Whether a transfer that was stopped can go on in the turn where it was.
    #[must_use]
    pub fn can_resume(&self) -> bool {
        match self {
            Self::Fluid(network) => network.has_turns(),
            Self::Packet(_) => false,
        }
    }

    /// A transfer that was stopped goes on in the turn where it was.
    pub fn resume(&mut self, now: Time, events: &mut EventList<Event>, start: &Start<'_>) {
        match self {
            Self::Fluid(network) => network.resume(now, events, start),
            Self::Packet(network) => network.start(now, start),
        }
    }

    /// A transfer is stopped; what is on its way in it is void.
    pub fn stop(&mut self, now: Time, id: TransactionId) -> Stopped {
        match self {
            Self::Fluid(network) => network.stop(now, id),
            Self::Packet(network) => network.stop(now, id),
        }
    }

    /// Where the time of a transfer has gone that is under way or was just delivered.
    #[inline]
    #[must_use]
    pub fn latency(&self, id: TransactionId) -> LatencyParts {
        match self {
            Self::Fluid(network) => network.latency(id),
            Self::Packet(network) => network.latency(id),
        }
    }

    /// A window of a transfer leaves its server.
    #[inline]
    pub fn send_window(
        &mut self,
        now: Time,
        events: &mut EventList<Event>,
        id: TransactionId,
        epoch: u32,
    ) -> Option<Delivery> {
        match self {
            Self::Fluid(network) => network.send_window(now, events, id, epoch),
            Self::Packet(_) => None,
        }
    }

    /// Flows per bit of throughput, for balancers that look.
    #[must_use]
    pub fn crowding(&self, at: ConcentratorId) -> f64 {
        match self {
            Self::Fluid(network) => network.crowding(at),
            Self::Packet(network) => network.crowding(at),
        }
    }

    /// A call begins; its first packets leave `after` a while. `slot` names it.
    pub fn start_call(&mut self, now: Time, slot: u32, route: Route, codec: Codec, after: Duration) {
        match self {
            Self::Fluid(network) => network.add_stream(now, route, codec.packet, packets_per_second(codec)),
            Self::Packet(network) => network.start_call(now, slot, route, codec, after),
        }
    }

    /// A call is refused. Fluid queues are brought to the present as for one that is admitted: in two steps they get there with
    /// another last bit than in one.
    pub fn refuse_call(&mut self, now: Time, at: ConcentratorId) {
        match self {
            Self::Fluid(network) => network.advance(now, at),
            Self::Packet(_) => {}
        }
    }

    /// A call ends.
    pub fn end_call(&mut self, now: Time, slot: u32, route: Route, codec: Codec) {
        match self {
            Self::Fluid(network) => network.add_stream(now, route, codec.packet, -packets_per_second(codec)),
            Self::Packet(network) => network.end_call(now, slot, route, codec),
        }
    }

    /// A call sends packets for a while where a few speak for all, if none of them is known to fare well.
    pub fn probe(&mut self, now: Time, slot: u32, route: Route, codec: Codec) {
        if let Self::Packet(network) = self {
            network.probe(now, slot, route, codec);
        }
    }

    /// Whether there are packets.
    #[must_use]
    pub fn has_packets(&self) -> bool {
        matches!(self, Self::Packet(_))
    }

    /// How a call fared since this was last asked; none where nothing is known.
    pub fn talk(&mut self, now: Time, slot: u32, route: Route, codec: Codec) -> Option<CallTalk> {
        match self {
            Self::Fluid(network) => Some((network.talk(now, route, codec), 1.0)),
            Self::Packet(network) => network.talk(now, slot, route, codec),
        }
    }

    /// A concentrator has another throughput.
    pub fn set_rate(&mut self, now: Time, at: ConcentratorId, rate: BitRate) {
        match self {
            Self::Fluid(network) => network.set_rate(now, at, rate),
            Self::Packet(network) => network.set_rate(now, at, rate),
        }
    }

    /// A concentrator serves in another order.
    pub fn set_discipline(&mut self, now: Time, at: ConcentratorId, discipline: &Discipline) {
        match self {
            Self::Fluid(network) => network.set_discipline(now, at, discipline),
            Self::Packet(network) => network.set_discipline(now, at, discipline),
        }
    }

    /// A class has other caps.
    pub fn set_shaping(&mut self, now: Time, class: ClassId, shape: Shape) {
        match self {
            Self::Fluid(network) => network.set_shaping(now, class, shape),
            Self::Packet(network) => network.set_shaping(now, class, shape),
        }
    }

    /// A concentrator is another device from now on; `calls` are those in progress there.
    pub fn replace_device(
        &mut self,
        now: Time,
        at: ConcentratorId,
        device: &Concentrator,
        model: &Model,
        calls: &[(Route, Codec)],
    ) {
        match self {
            Self::Fluid(network) => network.replace_device(now, at, device, model, calls),
            Self::Packet(network) => network.replace_device(now, at, device, calls),
        }
    }

    /// A site begins or ends to send what nobody asked for, as fault `number`, its packets at random gaps.
    pub fn flood(&mut self, now: Time, route: Route, rate: BitRate, begins: bool, (number, gaps): (u32, Stream)) {
        match self {
            Self::Fluid(network) => network.flood(now, route, rate, begins),
            Self::Packet(network) => network.flood(now, route, rate, begins, (number, gaps)),
        }
    }

    /// What is inside a concentrator, and what went through.
    pub fn snapshot(&mut self, now: Time, at: ConcentratorId, snapshot: &mut ConcentratorSnapshot) {
        match self {
            Self::Fluid(network) => network.snapshot(now, at, snapshot),
            Self::Packet(network) => network.snapshot(now, at, snapshot),
        }
    }
}
