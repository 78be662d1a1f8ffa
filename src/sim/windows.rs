//! Windows: what long transfers in one queue may have on the way together, and the share of the link that this fills.
//!
//! Losses cut windows, and CUBIC takes seconds to open them again. While the queue is there it makes up for that; where
//! bursts of others have cut them below what the path holds, or where a transfer ends and takes its window with it, the
//! link has room that nobody uses yet.

use std::hint::cold_path;

use crate::sim::extremes::smaller;
use crate::sim::likely::{likely, unlikely};
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
    /// Segments by which each grows in a second, and for how long it goes on like that [s].
    grows: f64,
    grows_for: f64,
}

/// Third root of the factor of CUBIC's window in segments against the third power of seconds (RFC 9438, section 5: 0.4).
const ROOT_OF_C: f64 = 0.736_806_299_728_077_1;
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
    /// The windows of `flows` transfers `dt` seconds on; none leaves them open. Most often what they do lasts longer than that.
    #[inline]
    pub fn pass(&mut self, dt: f64, flows: usize, link: &Link) {
        if flows == 0 {
            if self.open.is_some() {
                cold_path();
                *self = Self::default();
            }
            return;
        }
        let flows = float(flows as u64);
        if !self.stays(dt, flows, link) {
            cold_path();
            self.change(dt, flows, link);
        }
    }

    /// What they do goes on for `dt` seconds; false where it does not last so long.
    #[inline]
    fn stays(&mut self, dt: f64, flows: f64, link: &Link) -> bool {
        match self.hears_in {
            Some(time) if likely(time > dt) => self.hears_in = Some(time - dt),
            None if likely(self.grows_for > dt) => self.grow_on(dt, flows, link),
            _ => return false,
        }
        true
    }

    #[inline(never)]
    fn change(&mut self, dt: f64, flows: f64, link: &Link) {
        let mut left = dt;
        while left > 0.0 && !self.stays(left, flows, link) {
            left -= match self.hears_in {
                Some(time) => {
                    self.cut(flows, link);
                    time
                }
                None => self.grow(left, STEP.max(dt / MOST_STEPS), flows, link),
            };
        }
    }

    /// They grow for at most `left` seconds, at one rate for a `step`; says for how long they did.
    fn grow(&mut self, left: f64, step: f64, flows: f64, link: &Link) -> f64 {
        if self.grows_for <= 0.0 {
            (self.grows, self.grows_for) = (self.growth(flows, link), step);
        }
        let time = self.grows_for.min(left);
        self.grow_on(time, flows, link);
        time
    }

    /// They grow for so long at the rate that they have.
    #[inline]
    fn grow_on(&mut self, time: f64, flows: f64, link: &Link) {
        let full = link.pipe + link.buffer;
        let grown = self.open.unwrap_or(full) + flows * link.segment * self.grows * time;
        self.open = Some(smaller(grown, full));
        self.grows_for -= time;
        if grown >= full {
            cold_path();
            self.lose(hit_when_full(flows), link);
        }
    }

    /// Segments by which each grows in a second: as CUBIC's window, which is slow near where the last loss was (RFC 9438,
    /// equation 1, as a rate), but not slower than NewReno's.
    fn growth(&self, flows: f64, link: &Link) -> f64 {
        let open = self.open.unwrap_or(link.pipe + link.buffer);
        let short = (self.most - open) / (flows * link.segment);
        let cubic = 3.0 * ROOT_OF_C * (short * short).cbrt();
        let trip = open.max(link.pipe) / link.rate.max(1.0);
        cubic.max(FRIENDLY / trip)
    }

    /// So many segments of theirs were lost; senders hear of it a round trip later.
    pub fn lose(&mut self, segments: f64, link: &Link) {
        self.hit += segments;
        if self.hears_in.is_none() {
            let full = link.pipe + link.buffer;
            self.hears_in = Some(self.open.unwrap_or(full).max(link.pipe) / link.rate.max(1.0));
        }
    }

    fn cut(&mut self, flows: f64, link: &Link) {
        let open = self.open.unwrap_or(link.pipe + link.buffer);
        let part = self.hit.min(hit_when_full(flows)) / flows;
        self.most = if open < self.most { open * (1.0 - FORGETS * part) } else { open };
        self.open = Some(open * (1.0 - GIVES_UP * part));
        (self.hears_in, self.hit, self.grows_for) = (None, 0.0, 0.0);
    }

    /// One more comes to `flows` transfers, and brings a window like theirs.
    pub fn gain_one(&mut self, flows: usize, link: &Link) {
        if flows > 0 {
            let more = 1.0 + 1.0 / float(flows as u64);
            let full = link.pipe + link.buffer;
            self.open = self.open.map(|open| smaller(open * more, full));
            self.most = smaller(self.most * more, full);
        }
    }

    /// One of `flows` transfers ends, and takes its window with it.
    pub fn lose_one(&mut self, flows: usize) {
        let rest = 1.0 - 1.0 / float(flows.max(2) as u64);
        self.open = self.open.map(|open| open * rest);
        self.most *= rest;
    }

    /// Part of the link that is filled: by the windows, and by `bursts` beside them [bit/s].
    #[must_use]
    pub fn fill(&self, bursts: f64, link: &Link) -> f64 {
        match self.open {
            Some(open) if unlikely(open < link.pipe) => {
                (open / link.pipe.max(1.0) + bursts / link.rate.max(1.0)).clamp(LEAST, 1.0)
            }
            _ => 1.0,
        }
    }

    /// Time until they fill another share of the link, if they will [s].
    #[must_use]
    pub fn changes_in(&self, flows: usize, bursts: f64, link: &Link) -> Option<f64> {
        const SHARE: f64 = 0.05;
        let flows = float(flows.max(1) as u64);
        if let Some(time) = self.hears_in {
            let mut then = *self;
            then.cut(flows, link);
            return (then.fill(bursts, link) < 1.0).then_some(time.max(STEP / 5.0));
        }
        (self.fill(bursts, link) < 1.0).then(|| {
            let grows = if self.grows_for > 0.0 { self.grows } else { self.growth(flows, link) };
            (SHARE * link.pipe / (flows * link.segment * grows)).clamp(STEP / 5.0, 1.0)
        })
    }
}

/// How many of so many transfers lose something when they fill the queue.
fn hit_when_full(flows: f64) -> f64 {
    1.0 + HITS * (flows - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    /// 45 segments on the way, and twice that in the queue.
    static LINK: LazyLock<Link> = LazyLock::new(|| Link::new(20e6, 1e6, 0.025, 11_216.0));

    fn after(mut windows: Windows, dt: f64, flows: usize) -> Windows {
        windows.pass(dt, flows, &LINK);
        windows
    }

    fn cut_so_often(times: u32) -> Windows {
        (0..times).fold(after(Windows::default(), 0.001, 1), |mut windows, _| {
            windows.lose(1.0, &LINK);
            after(windows, 0.1, 1)
        })
    }

    /// A queue of twice the path makes up for one loss, not for four in a row.
    #[test]
    fn losses_in_a_row_leave_room_on_the_link() {
        assert!(cut_so_often(1).fill(0.0, &LINK) >= 1.0);
        assert!((0.5..0.95).contains(&cut_so_often(4).fill(0.0, &LINK)), "{:?}", cut_so_often(4));
    }

    /// NewReno's rate: half a segment a round trip of 25 ms is a fifth of a megabit a second more.
    #[test]
    fn windows_open_again_within_seconds() {
        let cut = cut_so_often(5);
        let (soon, later) = (after(cut, 0.2, 1), after(cut, 4.0, 1));
        assert!(soon.fill(0.0, &LINK) < 0.9, "{soon:?}");
        assert!(later.fill(0.0, &LINK) >= 1.0, "{later:?}");
        let waits = cut.changes_in(1, 0.0, &LINK).unwrap();
        let gained = after(cut, waits, 1).fill(0.0, &LINK) - cut.fill(0.0, &LINK);
        assert!((0.03..0.08).contains(&gained), "{gained} in {waits} s");
    }

    /// However often they are looked at, they grow alike.
    #[test]
    fn looks_change_nothing() {
        let often = (0..1000).fold(cut_so_often(5), |windows, _| after(windows, 0.001, 1));
        let once = after(cut_so_often(5), 1.0, 1);
        assert!((often.fill(0.0, &LINK) / once.fill(0.0, &LINK) - 1.0).abs() < 1e-9, "{often:?} {once:?}");
    }

    /// Who comes and who goes leave as much on the way as there was, whatever their number.
    #[test]
    fn who_comes_brings_a_window_along() {
        let cut = cut_so_often(5);
        let mut windows = cut;
        for _ in 0..1000 {
            windows.gain_one(40, &LINK);
            windows.lose_one(41);
        }
        assert!((windows.fill(0.0, &LINK) / cut.fill(0.0, &LINK) - 1.0).abs() < 1e-9, "{windows:?} {cut:?}");
    }

    /// One of two equal transfers ends: the other has half of what was on the way.
    #[test]
    fn who_ends_takes_its_window_along() {
        let mut windows = after(Windows::default(), 0.001, 2);
        windows.lose_one(2);
        assert!(windows.fill(0.0, &LINK) >= 1.0, "3 / 2 of the path");
        windows.lose_one(2);
        assert!((windows.fill(0.0, &LINK) - 0.75).abs() < 0.01, "3 / 4 of the path");
        assert_eq!(after(windows, 0.1, 0), Windows::default());
    }
}
