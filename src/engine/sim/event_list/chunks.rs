//! Chunks: where the events of buckets lie.

use super::entries::Pending;
use crate::sim::event_list::entries::ROOM;

/// No chunk.
pub(crate) const NONE: u32 = u32::MAX;

/// The events of all buckets. Chunks are reused, the last that was freed first, so that they lie close together in memory.
#[derive(Clone, Debug)]
pub(crate) struct Chunks<E> {
    pub all: Vec<Chunk<E>>,
    /// By chunk: the next chunk of its bucket, which is full, or the next free chunk.
    next: Vec<u32>,
    free: u32,
}

/// A part of a bucket, in two lines of the cache. Its events are read together, where a linked list would be waited for link by
/// link.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Chunk<E>(pub [Pending<E>; ROOM]);

impl<E: Copy + Default> Chunks<E> {
    pub fn new() -> Self {
        Self { all: Vec::new(), next: Vec::new(), free: NONE }
    }

    /// Whether none is free.
    #[inline]
    pub fn are_taken(&self) -> bool {
        self.free == NONE
    }

    /// Adds a free chunk.
    #[cold]
    #[inline(never)]
    pub fn grow(&mut self) {
        let number = u32::try_from(self.all.len()).expect("there are fewer chunks than events");
        self.all.push(Chunk([Pending::default(); ROOM]));
        self.next.push(self.free);
        self.free = number;
    }

    /// Takes the chunk that was freed last, for the part of a bucket before `next`.
    #[inline]
    pub fn take(&mut self, next: u32) -> u32 {
        let link = &mut self.next[self.free as usize];
        std::mem::replace(&mut self.free, std::mem::replace(link, next))
    }

    /// Frees a chunk; returns the next part of its bucket.
    #[inline]
    pub fn let_go(&mut self, chunk: u32) -> u32 {
        let next = std::mem::replace(&mut self.next[chunk as usize], self.free);
        self.free = chunk;
        next
    }
}
