//! Calls in progress, and how many a concentrator admits.

use crate::model::{Codec, ConcentratorId, Model};
use crate::sim::route::Route;
use crate::units::Time;

/// A call, or a stream that goes on all the time.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Which way it goes.
    pub route: Route,
    /// What it sends.
    pub codec: Codec,
    /// It goes on all the time, and comes back after a break.
    pub steady: bool,
    /// It is in progress; a steady one that is not has been broken off.
    pub in_progress: bool,
    /// What was scheduled for another in its slot is void.
    pub epoch: u32,
    /// Until when the quality of its speech is known.
    pub judged: Time,
}

impl Call {
    /// A call that begins.
    #[must_use]
    pub fn new(route: Route, codec: Codec, steady: bool) -> Self {
        Self { route, codec, steady, in_progress: true, epoch: 0, judged: Time(0) }
    }
}

/// All calls, in slots that are used again.
#[derive(Debug)]
pub struct CallSlab {
    slots: Vec<Call>,
    free: Vec<u32>,
    /// By concentrator: calls in progress, and the most that it admits.
    admitted: Vec<(u32, Option<u32>)>,
}

impl CallSlab {
    /// No calls.
    #[must_use]
    pub fn new(model: &Model) -> Self {
        let limits = model.concentrators.iter().map(|concentrator| (0, concentrator.streams));
        Self { slots: Vec::new(), free: Vec::new(), admitted: limits.collect() }
    }

    /// A call.
    #[must_use]
    pub fn get(&self, slot: u32) -> &Call {
        &self.slots[slot as usize]
    }

    /// A call, to be changed.
    pub fn get_mut(&mut self, slot: u32) -> &mut Call {
        &mut self.slots[slot as usize]
    }

    /// All slots.
    pub fn all(&self) -> impl Iterator<Item = u32> + use<> {
        0..u32::try_from(self.slots.len()).unwrap_or(u32::MAX)
    }

    /// Takes a place at a concentrator; false where there is none.
    pub fn admit(&mut self, at: ConcentratorId) -> bool {
        let (calls, limit) = &mut self.admitted[at.index()];
        let room = limit.is_none_or(|limit| *calls < limit);
        *calls += u32::from(room);
        room
    }

    /// Gives a place at a concentrator back.
    pub fn release(&mut self, at: ConcentratorId) {
        self.admitted[at.index()].0 -= 1;
    }

    /// Calls in progress at a concentrator.
    #[must_use]
    pub fn count(&self, at: ConcentratorId) -> u32 {
        self.admitted[at.index()].0
    }

    /// The calls in progress at a concentrator.
    #[must_use]
    pub fn at(&self, at: ConcentratorId) -> Vec<(Route, Codec)> {
        let here = self.slots.iter().filter(|call| call.in_progress && call.route.concentrator == at);
        here.map(|call| (call.route, call.codec)).collect()
    }

    /// Puts a call in a free slot.
    ///
    /// # Panics
    /// With 2^32 calls in progress.
    pub fn insert(&mut self, call: Call) -> u32 {
        if let Some(slot) = self.free.pop() {
            let epoch = self.slots[slot as usize].epoch + 1;
            self.slots[slot as usize] = Call { epoch, ..call };
            return slot;
        }
        self.slots.push(call);
        u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 calls are in progress")
    }

    /// A slot is free again.
    pub fn remove(&mut self, slot: u32) {
        self.free.push(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClassId, SiteId};

    fn call(concentrator: u8) -> Call {
        let route = Route { site: SiteId(0), class: ClassId(0), concentrator: ConcentratorId(concentrator) };
        Call::new(route, Codec::G711, false)
    }

    fn slab() -> CallSlab {
        CallSlab { slots: Vec::new(), free: Vec::new(), admitted: vec![(0, Some(2)), (0, None)] }
    }

    #[test]
    fn a_concentrator_admits_up_to_its_limit() {
        let (mut slab, at) = (slab(), ConcentratorId(0));
        assert_eq!([slab.admit(at), slab.admit(at), slab.admit(at)], [true, true, false]);
        assert_eq!(slab.count(at), 2, "one that is refused takes no place");
        slab.release(at);
        assert!(slab.admit(at));
        assert!((0..100).all(|_| slab.admit(ConcentratorId(1))), "without a limit there is always room");
    }

    /// The end of a call must not end the next one in its slot.
    #[test]
    fn a_slot_that_is_used_again_has_another_epoch() {
        let mut slab = slab();
        let first = slab.insert(call(0));
        slab.remove(first);
        let second = slab.insert(call(0));
        assert_eq!((first, slab.get(second).epoch), (second, 1));
    }

    #[test]
    fn only_calls_in_progress_are_at_a_concentrator() {
        let mut slab = slab();
        let [ended, _, _] = [call(0), call(0), call(1)].map(|call| slab.insert(call));
        slab.get_mut(ended).in_progress = false;
        assert_eq!([0, 1].map(|at| slab.at(ConcentratorId(at)).len()), [1, 1]);
    }
}
