//! A turn: one request and its response, in bytes and in TCP segments.

use crate::model::Tcp;
use crate::units::{Bytes, float};

/// Names a transaction within a run.
pub type TransactionId = u32;

/// One request and its response, in bytes and in segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What is asked.
    pub request: Bytes,
    /// What is answered.
    pub response: Bytes,
    /// Segments of the request.
    pub request_segments: u32,
    /// Segments of the response.
    pub response_segments: u32,
}

impl Turn {
    /// Nothing is asked, and nothing answered.
    pub const NONE: Self = Self { request: Bytes(0), response: Bytes(0), request_segments: 0, response_segments: 0 };

    /// A turn whose payload travels in segments of `segment` bytes.
    #[must_use]
    pub fn new(request: Bytes, response: Bytes, segment: Bytes) -> Self {
        Self {
            request,
            response,
            request_segments: segments(request, segment),
            response_segments: segments(response, segment),
        }
    }

    /// The same request, with a share of the response.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a share of what there is
    pub fn share(self, share: f64, segment: Bytes) -> Self {
        if share < 1.0 {
            Self::new(self.request, Bytes((float(self.response.0) * share).ceil() as u64), segment)
        } else {
            self
        }
    }
}

/// Payload of a segment; where transport is ideal the number of segments does not matter.
#[must_use]
pub fn segment_size(tcp: Option<Tcp>) -> Bytes {
    tcp.map_or(Bytes(1 << 20), |tcp| tcp.segment)
}

/// Segments of `bytes`; 2^32 - 1 where there are more. A division in 32 bits takes half the time of one in 64.
fn segments(bytes: Bytes, segment: Bytes) -> u32 {
    match (u32::try_from(bytes.0), u32::try_from(segment.0)) {
        (Ok(bytes), Ok(segment)) => bytes.div_ceil(segment),
        _ => u32::try_from(bytes.0.div_ceil(segment.0)).unwrap_or(u32::MAX),
    }
}
