//! Windows: what long transfers in one queue may have on the way together, and the share of the link that this fills.
//!
//! Losses cut windows, and CUBIC takes seconds to open them again. While the queue is there it makes up for that; where
//! bursts of others have cut them below what the path holds, or where a transfer ends and takes its window with it, the
//! link has room that nobody uses yet.

use crate::sim::transport::{GIVES_UP, HITS, Link, float};

/// The windows of the transfers that share one queue, as one.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Windows {
    /// What they may have on the way [bit]; none before the first transfer.
    open: Option<f64>,
    /// What they had on the way before the last loss [bit].
    most: f64,
    /// Until a loss is heard of [s], and how many of the transfers will hear of one.
    hears_in: Option<f64>,
    hit: f64,
}

/// Factor of CUBIC's window in segments against the third power of seconds (RFC 9438, section 5).
const C: f64 = 0.4;
/// Segments by which a window grows in a round trip at least, as NewReno's would (RFC 9438, section 4.3).
const FRIENDLY: f64 = 3.0 * GIVES_UP / (2.0 - GIVES_UP);
/// What a second loss before the first is made up for leaves of the memory of it (RFC 9438, section 4.7).
const FORGETS: f64 = GIVES_UP / 2.0;
/// Windows grow at one rate for so long [s].
const STEP: f64 = 0.05;
/// After a long time only the last steps matter.
const MOST_STEPS: f64 = 64.0;
/// However little windows leave, something flows.
const LEAST: f64 = 0.05;

impl Windows {
    /// The windows of `flows` transfers `dt` seconds on; none leaves them open.
    #[must_use]
    pub fn after(self, dt: f64, flows: usize, link: Link) -> Self {
        if flows == 0 {
            return Self::default();
        }
        let mut next = self;
        let flows = float(flows as u64);
        let (mut left, step) = (dt, STEP.max(dt / MOST_STEPS));
        while left > 0.0 {
            let lasts = next.hears_in.unwrap_or(step).min(step).min(left);
            left -= lasts;
            next = match next.hears_in {
                Some(time) if time > lasts => Self { hears_in: Some(time - lasts), ..next },
                Some(_) => next.cut(flows, link),
                None => next.grow(lasts, flows, link),
            };
        }
        next
    }

    /// Each window grows as CUBIC's, which is slow near where the last loss was (RFC 9438, equation 1, as a rate), but
    /// not slower than NewReno's.
    fn grow(self, dt: f64, flows: f64, link: Link) -> Self {
        let full = link.pipe + link.buffer;
        let open = self.open.unwrap_or(full);
        let short = (self.most - open).abs() / (flows * link.segment);
        let cubic = 3.0 * C.cbrt() * (short * short).cbrt();
        let trip = open.max(link.pipe) / link.rate.max(1.0);
        let grown = open + flows * link.segment * cubic.max(FRIENDLY / trip) * dt;
        let next = Self { open: Some(grown.min(full)), ..self };
        if grown < full { next } else { next.lost(hit_when_full(flows), link) }
    }

    /// So many segments of theirs were lost; senders hear of it a round trip later.
    #[must_use]
    pub fn lost(self, segments: f64, link: Link) -> Self {
        let full = link.pipe + link.buffer;
        let trip = self.open.unwrap_or(full).max(link.pipe) / link.rate.max(1.0);
        Self { hears_in: self.hears_in.or(Some(trip)), hit: self.hit + segments, ..self }
    }

    fn cut(self, flows: f64, link: Link) -> Self {
        let open = self.open.unwrap_or(link.pipe + link.buffer);
        let part = self.hit.min(hit_when_full(flows)) / flows;
        let most = if open < self.most { open * (1.0 - FORGETS * part) } else { open };
        Self { open: Some(open * (1.0 - GIVES_UP * part)), most, hears_in: None, hit: 0.0 }
    }

    /// One of `flows` transfers ends, and takes its window with it.
    #[must_use]
    pub fn without_one(self, flows: usize) -> Self {
        let rest = 1.0 - 1.0 / float(flows.max(2) as u64);
        Self { open: self.open.map(|open| open * rest), most: self.most * rest, ..self }
    }

    /// Part of the link that is filled: by the windows, and by bursts that take a share of `beside`.
    #[must_use]
    pub fn fill(self, beside: f64, link: Link) -> f64 {
        self.open.map_or(1.0, |open| (open / link.pipe.max(1.0) + beside).clamp(LEAST, 1.0))
    }

    /// Time until they fill another share of the link, if they will [s].
    #[must_use]
    pub fn changes_in(self, flows: usize, beside: f64, link: Link) -> Option<f64> {
        const SHARE: f64 = 0.05;
        let fill = |windows: Self| windows.fill(beside, link);
        let flows = float(flows.max(1) as u64);
        match self.hears_in {
            Some(time) if fill(self.cut(flows, link)) < 1.0 => Some(time.max(STEP / 5.0)),
            None if fill(self) < 1.0 => {
                let rate = (fill(self.grow(STEP, flows, link)) - fill(self)) / STEP;
                Some((SHARE / rate).clamp(STEP / 5.0, 1.0))
            }
            _ => None,
        }
    }
}

/// How many of so many transfers lose something when they fill the queue.
fn hit_when_full(flows: f64) -> f64 {
    1.0 + HITS * (flows - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 45 segments on the way, and twice that in the queue.
    const LINK: Link = Link { buffer: 1e6, pipe: 0.5e6, rate: 20e6, segment: 11_216.0 };

    fn cut_so_often(times: u32) -> Windows {
        (0..times)
            .fold(Windows::default().after(0.001, 1, LINK), |windows, _| windows.lost(1.0, LINK).after(0.1, 1, LINK))
    }

    /// A queue of twice the path makes up for one loss, not for four in a row.
    #[test]
    fn losses_in_a_row_leave_room_on_the_link() {
        assert!(cut_so_often(1).fill(0.0, LINK) >= 1.0);
        assert!((0.5..0.95).contains(&cut_so_often(4).fill(0.0, LINK)), "{:?}", cut_so_often(4));
    }

    /// NewReno's rate: half a segment a round trip of 25 ms is a fifth of a megabit a second more.
    #[test]
    fn windows_open_again_within_seconds() {
        let cut = cut_so_often(5);
        let (soon, later) = (cut.after(0.2, 1, LINK), cut.after(4.0, 1, LINK));
        assert!(soon.fill(0.0, LINK) < 0.9, "{soon:?}");
        assert!(later.fill(0.0, LINK) >= 1.0, "{later:?}");
        let waits = cut.changes_in(1, 0.0, LINK).unwrap();
        let gained = cut.after(waits, 1, LINK).fill(0.0, LINK) - cut.fill(0.0, LINK);
        assert!((0.03..0.08).contains(&gained), "{gained} in {waits} s");
    }

    /// One of two equal transfers ends: the other has half of what was on the way.
    #[test]
    fn who_ends_takes_its_window_along() {
        let two = Windows::default().after(0.001, 2, LINK);
        assert!(two.without_one(2).fill(0.0, LINK) >= 1.0, "3 / 2 of the path");
        assert!((two.without_one(2).without_one(2).fill(0.0, LINK) - 0.75).abs() < 0.01, "3 / 4 of the path");
        assert_eq!(two.after(0.1, 0, LINK), Windows::default());
    }
}
