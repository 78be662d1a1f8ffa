//! The level: how fast the clock of those that share rises, and who shares.

use super::{MaxMin, whole};
use crate::sim::hints::unlikely;

impl MaxMin {
    /// Sets the capacity (in whole bits per second, like the caps) and finds the level.
    #[inline]
    pub fn settle(&mut self, capacity: f64) {
        self.capacity = whole(capacity);
        if unlikely(self.shared.is_empty()) || unlikely(self.level_moves_sites()) {
            self.move_sites();
        }
    }

    /// The level where those share who do; says whether it crosses anybody's cap, or may.
    #[inline]
    fn level_moves_sites(&mut self) -> bool {
        let left = self.capacity - self.rate_capped;
        self.level = left / self.weight_shared;
        if unlikely(left.to_bits() != self.left.to_bits()) {
            self.left = left;
            self.pace_shared = if left > 0.0 { 1.0 / left } else { f64::MAX };
        }
        self.pace = self.weight_shared * self.pace_shared;
        unlikely(self.level >= self.least_shared) || unlikely(self.most_capped > above(self.level))
    }

    /// A site moves to the capped ones when its cap is at the level or below, and back only when it is above by
    /// more than rounding: in exact arithmetic each move raises the level, so a site moves each way at most once.
    #[inline(never)]
    fn move_sites(&mut self) {
        loop {
            if self.shared.is_empty() {
                (self.level, self.pace) = (f64::INFINITY, 0.0);
                self.weight_shared = 0.0;
                if self.rate_capped <= self.capacity {
                    self.rest();
                    return;
                }
                self.share_the_least_bound();
            }
            if !self.level_moves_sites() {
                return;
            }
            let capped = self.level >= self.least_shared && self.cap_those_below_the_level();
            let shared = !capped && self.most_capped > above(self.level) && self.share_those_above_the_level();
            if !capped && !shared {
                return;
            }
        }
    }

    /// A site that was capped is shared from now on, or the other way round.
    fn turn(&mut self, site: u32, shared: bool) {
        let clock = self.bring(site);
        let share = &self.sites[site as usize];
        let (weight, cap) = (self.weight_of(share), share.cap);
        self.count(!shared, -weight, -cap);
        self.count(shared, weight, cap);
        self.tournament(!shared).remove(site);
        let share = &mut self.sites[site as usize];
        share.shared = shared;
        self.full_since[site as usize] = self.now;
        (share.clock, share.mark) = (clock, if shared { self.v } else { self.now });
        self.bound(site);
        self.key(site);
    }

    /// Nobody shares: the bounds and the clock start afresh.
    fn rest(&mut self) {
        self.v = 0.0;
        self.least_shared = f64::INFINITY;
        if self.capped.is_empty() {
            self.rate_capped = 0.0;
            self.most_capped = 0.0;
        }
    }

    /// Overload with all sites capped: the sites that could use most per weight begin to share.
    fn share_the_least_bound(&mut self) {
        let most = self.most_of_capped();
        self.turn_those(true, |ratio| ratio >= most);
        self.most_capped = self.most_of_capped();
    }

    /// Shared sites whose cap is at or below the level are capped. The level only rises by this.
    fn cap_those_below_the_level(&mut self) -> bool {
        let level = self.level;
        let turned = self.turn_those(false, |ratio| ratio <= level);
        self.least_shared = self.shared.members().map(|site| self.ratio(site)).fold(f64::INFINITY, f64::min);
        turned
    }

    /// Capped sites whose cap is above the level share. The level only rises by this, too.
    fn share_those_above_the_level(&mut self) -> bool {
        let level = above(self.level);
        let turned = self.turn_those(true, |ratio| ratio > level);
        self.most_capped = self.most_of_capped();
        turned
    }

    fn most_of_capped(&self) -> f64 {
        self.capped.members().map(|site| self.ratio(site)).fold(0.0, f64::max)
    }

    /// Sites whose cap for their weight is such turn; says whether there are any.
    fn turn_those(&mut self, shared: bool, such: impl Fn(f64) -> bool) -> bool {
        let mut sites = std::mem::take(&mut self.turning);
        let others = if shared { &self.capped } else { &self.shared };
        sites.extend(others.members().filter(|&site| such(self.ratio(site))));
        for &site in &sites {
            self.turn(site, shared);
        }
        let turned = !sites.is_empty();
        sites.clear();
        self.turning = sites;
        turned
    }
}

/// Beyond the rounding of one division.
fn above(level: f64) -> f64 {
    level + level.abs() * 1e-12
}
