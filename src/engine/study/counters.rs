//! Counters: what passes each concentrator in each interval, as a monitoring system would read it from the device.

use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::model::{Calendar, Class, Concentrator, Demand, Model, Transport};
use crate::random::{Key, Purpose, name_of};
use crate::sim::cost::{PriorTraffic, ServiceCost};
use crate::sim::observer::{Fact, Observer, Snapshot};
use crate::sim::simulate;
use crate::sim::turn::Turn;
use crate::study::axis::Axis;
use crate::units::{Duration, Time};

/// What a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// Bytes on the wire, with what encryption adds.
    Outer,
    /// Bytes of the packets that are encrypted.
    Inner,
    /// Work, in bits of the device's throughput: what headend's own tables show.
    Work,
}

impl Layer {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Outer => "outer",
            Self::Inner => "inner",
            Self::Work => "work",
        }
    }
}

/// What passed in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunCounters {
    /// By concentrator, interval and class [bit].
    pub passed: Vec<Vec<Vec<f64>>>,
    /// By concentrator and interval: share of what it could have done.
    pub utilisation: Vec<Vec<f64>>,
}

impl RunCounters {
    /// The same work of a model as its counters show it in a layer.
    #[must_use]
    pub fn counted_as(mut self, model: &Model, layer: Layer) -> Self {
        for (intervals, device) in self.passed.iter_mut().zip(&model.concentrators) {
            let shares: Vec<f64> = model.classes.iter().map(|class| share(model, device, class, layer)).collect();
            for (passed, share) in intervals.iter_mut().flat_map(|by_class| by_class.iter_mut().zip(&shares)) {
                *passed *= share;
            }
        }
        self
    }

    /// What passed a concentrator in each interval: of one class, or of all [bit].
    #[must_use]
    pub fn of(&self, concentrator: usize, class: Option<usize>) -> Vec<f64> {
        let intervals = self.passed[concentrator].iter();
        intervals.map(|by_class| class.map_or_else(|| by_class.iter().sum(), |class| by_class[class])).collect()
    }
}

/// Counts the work of a run of a model in intervals of this length; none if it is stopped.
#[must_use]
pub fn count(model: &Model, replication: u32, interval: Duration, stop: &AtomicBool) -> Option<RunCounters> {
    let mut model = model.clone();
    let Calendar { from, until, .. } = model.calendar;
    // Each reading lies within one interval, also where intervals do not divide the hours.
    model.bin = Duration(divisor(interval.0, divisor(from.0, until.0)));
    let mut reader = CounterReader::new(&model, interval, stop);
    simulate(&model, replication, &mut reader);
    (!stop.load(Ordering::Relaxed)).then(|| reader.finish())
}

/// The greatest number that divides both (Euclid).
fn divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { divisor(b, a % b) }
}

/// Reads the counters often enough to tell each interval.
struct CounterReader<'a> {
    axis: Axis,
    calendar: Calendar,
    last: Vec<Vec<f64>>,
    last_capacity: Vec<f64>,
    run: RunCounters,
    /// By concentrator and interval: work that it could have done [bit].
    possible: Vec<Vec<f64>>,
    stop: &'a AtomicBool,
}

impl<'a> CounterReader<'a> {
    fn new(model: &Model, interval: Duration, stop: &'a AtomicBool) -> Self {
        let axis = Axis::of(model).in_bins(interval);
        let (devices, classes) = (model.concentrators.len(), model.classes.len());
        let nothing = || vec![vec![0.0; axis.len()]; devices];
        Self {
            axis,
            calendar: model.calendar,
            last: vec![vec![0.0; classes]; devices],
            last_capacity: vec![0.0; devices],
            run: RunCounters { passed: vec![vec![vec![0.0; classes]; axis.len()]; devices], utilisation: nothing() },
            possible: nothing(),
            stop,
        }
    }

    fn read(&mut self, now: Time, snapshot: &Snapshot) {
        // What passed before the simulated hours of a day is no part of the first interval.
        let bin = now.0.checked_sub(1).map(Time).filter(|at| self.calendar.watched(*at));
        let bin = bin.and_then(|at| self.axis.bin_of(at));
        for (place, device) in snapshot.concentrators.iter().enumerate() {
            if let Some(bin) = bin {
                for (class, carried) in device.carried.iter().enumerate() {
                    self.run.passed[place][bin][class] += carried - self.last[place][class];
                }
                self.possible[place][bin] += device.capacity - self.last_capacity[place];
            }
            self.last[place].clone_from(&device.carried);
            self.last_capacity[place] = device.capacity;
        }
    }

    fn finish(mut self) -> RunCounters {
        for (place, possible) in self.possible.iter().enumerate() {
            for (bin, possible) in possible.iter().enumerate().filter(|(_, possible)| **possible > 0.0) {
                self.run.utilisation[place][bin] = self.run.passed[place][bin].iter().sum::<f64>() / possible;
            }
        }
        self.run
    }
}

impl Observer for CounterReader<'_> {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        if let Fact::Snapshot(snapshot) = fact {
            self.read(now, snapshot);
        }
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What is counted of each bit of work of a class, over what it sends and receives.
fn share(model: &Model, device: &Concentrator, class: &Class, layer: Layer) -> f64 {
    /// Actions over which it is taken: sizes differ, and large ones have fewer packets for their bytes.
    const ACTIONS: u64 = 512;
    let (Layer::Outer | Layer::Inner, Some(cost)) = (layer, ServiceCost::of(device)) else { return 1.0 };
    let counted = ServiceCost::counted(device, layer == Layer::Outer);
    if let Demand::Streams { codec, .. } | Demand::Steady { codec, .. } = &class.demand {
        return counted.packet(codec.packet.0) / cost.packet(codec.packet.0);
    }
    let Transport::Tcp(tcp) = model.transport else { return counted.packet(1400) / cost.packet(1400) };
    let key = Key::new(0, 0).of(Purpose::Size, name_of(&class.name));
    let [mut bits, mut work] = [0.0, 0.0];
    for action in 0..ACTIONS {
        let mut stream = key.stream(action);
        let mut before = PriorTraffic::default();
        for _ in 0..class.turns {
            let turn = Turn::new(class.request.bytes(&mut stream), class.response.bytes(&mut stream), tcp.segment);
            bits += counted.over(tcp).turn(class, &turn, before);
            work += cost.over(tcp).turn(class, &turn, before);
            before = before.and(&turn);
        }
    }
    if work > 0.0 { bits / work } else { 1.0 }
}
