//! Wheels of buckets: a bucket of each is as long as a turn of the wheel before it.

use super::chunks::NONE;
use crate::sim::hints::likely;

/// Buckets of a wheel, as a power of two.
pub(crate) const DIGIT: u32 = 10;
pub(crate) const BUCKETS: usize = 1 << DIGIT;
/// Wheels that cover all of 64-bit time from buckets of 16 us.
pub(crate) const WHEELS: usize = 5;

/// Buckets of one length.
#[derive(Clone, Debug)]
pub(crate) struct Wheel {
    /// The first chunk of each, and how many entries it has: chunks are written to without a look at them.
    pub first: [u32; BUCKETS],
    pub len: [u8; BUCKETS],
    /// Which buckets hold events, a bit each.
    filled: [u64; BUCKETS / 64],
}

impl Wheel {
    pub fn new() -> Self {
        Self { first: [NONE; BUCKETS], len: [0; BUCKETS], filled: [0; BUCKETS / 64] }
    }

    /// The first bucket after this one that holds events.
    #[inline]
    pub fn next_filled(&self, bucket: usize) -> Option<usize> {
        let (first, bit) = ((bucket + 1) / 64, (bucket + 1) % 64);
        let here = self.filled.get(first)? >> bit << bit;
        if likely(here != 0) {
            return Some(first * 64 + here.trailing_zeros() as usize);
        }
        let word = first + 1 + self.filled[first + 1..].iter().position(|&word| word != 0)?;
        Some(word * 64 + self.filled[word].trailing_zeros() as usize)
    }

    /// Empties a bucket: its first chunk, and the entries in that.
    #[inline]
    pub fn take(&mut self, bucket: usize) -> (u32, usize) {
        self.filled[bucket / 64] &= !(1 << (bucket % 64));
        (std::mem::replace(&mut self.first[bucket], NONE), usize::from(std::mem::take(&mut self.len[bucket])))
    }

    /// A chunk with one entry is the first of a bucket.
    #[inline]
    pub fn begin(&mut self, bucket: usize, chunk: u32) {
        self.filled[bucket / 64] |= 1 << (bucket % 64);
        (self.first[bucket], self.len[bucket]) = (chunk, 1);
    }
}

/// The digit of a bucket's number that says where it stands on a wheel.
#[allow(clippy::cast_possible_truncation)] // below `BUCKETS`
#[inline]
pub(crate) fn digit(bucket: u64, wheel: usize) -> usize {
    (bucket >> below(wheel)) as usize % BUCKETS
}

/// Bits of a bucket's number below that digit.
#[allow(clippy::cast_possible_truncation)] // few wheels
#[inline]
pub(crate) fn below(wheel: usize) -> u32 {
    DIGIT * wheel as u32
}
