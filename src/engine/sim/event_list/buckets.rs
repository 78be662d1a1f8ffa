//! All buckets: wheels of them, and the chunks in which their events lie.

use super::chunks::{Chunks, NONE};
use super::entries::Pending;
use super::entries::ROOM;
use super::wheel::{BUCKETS, DIGIT, WHEELS, Wheel, digit};
use crate::sim::hints::likely;

/// Wheels of ever longer buckets, and what lies in them.
#[derive(Clone, Debug)]
pub(crate) struct Buckets<E> {
    pub wheels: Box<[Wheel; WHEELS]>,
    pub chunks: Chunks<E>,
}

impl<E: Copy + Default> Buckets<E> {
    pub fn new() -> Self {
        Self { wheels: Box::new(std::array::from_fn(|_| Wheel::new())), chunks: Chunks::new() }
    }

    /// A slot in a bucket other than the current one.
    #[inline]
    pub fn place(&mut self, bucket: u64, up: u64) -> &mut Pending<E> {
        if self.chunks.are_taken() {
            self.chunks.grow();
        }
        let apart = bucket ^ up;
        let wheel = if likely(apart < BUCKETS as u64) { 0 } else { (apart.ilog2() / DIGIT) as usize };
        let (wheel, bucket) = (&mut self.wheels[wheel], digit(bucket, wheel));
        let len = usize::from(wheel.len[bucket]);
        if wheel.first[bucket] == NONE || len == ROOM {
            wheel.begin(bucket, self.chunks.take(wheel.first[bucket]));
            &mut self.chunks.all[wheel.first[bucket] as usize].0[0]
        } else {
            wheel.len[bucket] += 1;
            &mut self.chunks.all[wheel.first[bucket] as usize].0[len]
        }
    }
}
