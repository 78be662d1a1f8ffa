//! Offered load: what the transfers under way would bring to a concentrator if only access links held them.

use crate::model::SiteId;
use crate::units::float;

/// Utilisation up to which a concentrator is calm.
const CALM: f64 = 0.6;
/// Utilisation down to which it becomes calm again.
const QUIET: f64 = 0.4;

/// Offered load at a concentrator. Rates are whole bits per second, so that what ends leaves nothing behind.
#[derive(Clone, Debug)]
pub struct OfferedLoad {
    sites: Vec<SiteLoad>,
    /// Calls and floods [bit/s].
    streams: u64,
    /// All together [bit/s].
    offered: u64,
    /// Transfers under way.
    transfers: u32,
    /// Of them, those in packets.
    contending: u32,
}

/// Offered load of a site's transfers.
#[derive(Clone, Copy, Debug, Default)]
struct SiteLoad {
    /// Sum of the rates at which each would go alone [bit/s].
    rates: u64,
    /// What the access link carries [bit/s].
    link: u64,
}

impl SiteLoad {
    fn offers(self) -> u64 {
        self.rates.min(self.link)
    }
}

impl OfferedLoad {
    /// None, of so many sites.
    #[must_use]
    pub fn new(sites: usize) -> Self {
        Self { sites: vec![SiteLoad::default(); sites], streams: 0, offered: 0, transfers: 0, contending: 0 }
    }

    fn set(&mut self, site: SiteId, rates: u64, link: u64) {
        let demand = &mut self.sites[site.index()];
        let before = demand.offers();
        (demand.rates, demand.link) = (rates, link);
        self.offered = self.offered - before + demand.offers();
    }

    /// A transfer begins that would go at `rate` on a link of `peak`.
    pub fn add(&mut self, site: SiteId, rate: u64, peak: u64) {
        let rates = self.sites[site.index()].rates + rate;
        self.set(site, rates, peak);
        self.transfers += 1;
    }

    /// A transfer is over.
    pub fn remove(&mut self, site: SiteId, rate: u64) {
        let SiteLoad { rates, link } = self.sites[site.index()];
        self.set(site, rates - rate, link);
        self.transfers -= 1;
    }

    /// A transfer goes through in packets.
    pub fn add_contending(&mut self) {
        self.contending += 1;
    }

    /// It no longer does.
    pub fn remove_contending(&mut self) {
        self.contending -= 1;
    }

    /// A stream begins.
    pub fn add_stream(&mut self, rate: u64) {
        self.streams += rate;
    }

    /// A stream ends.
    pub fn remove_stream(&mut self, rate: u64) {
        self.streams -= rate;
    }

    /// Transfers under way.
    #[must_use]
    pub fn transfers(&self) -> u32 {
        self.transfers
    }

    /// Transfers in packets.
    #[must_use]
    pub fn contending(&self) -> u32 {
        self.contending
    }

    /// Whether a concentrator of this throughput [bit/s] is calm with a transfer more: its site, rate and link.
    #[must_use]
    pub fn stays_calm(&self, (site, rate, peak): (SiteId, u64, u64), throughput: f64) -> bool {
        let own = self.sites[site.index()];
        let with = SiteLoad { rates: own.rates + rate, link: peak };
        float(self.streams + self.offered - own.offers() + with.offers()) <= CALM * throughput
    }

    /// Whether a concentrator of this throughput [bit/s] is calm.
    #[must_use]
    pub fn is_calm(&self, throughput: f64) -> bool {
        float(self.streams + self.offered) <= CALM * throughput
    }

    /// Whether a concentrator of this throughput [bit/s] that was not calm is so again.
    #[must_use]
    pub fn is_quiet(&self, throughput: f64) -> bool {
        float(self.streams + self.offered) <= QUIET * throughput
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MBIT: u64 = 1_000_000;

    /// Ten transfers that would each go at 30 Mbit/s share a link of 50 Mbit/s: the site offers 50, and nothing when they are over.
    #[test]
    fn a_site_offers_no_more_than_its_link() {
        let mut load = OfferedLoad::new(2);
        for _ in 0..10 {
            load.add(SiteId(0), 30 * MBIT, 50 * MBIT);
        }
        load.add_stream(MBIT);
        assert!(load.is_calm(86e6) && !load.is_calm(84e6), "51 of 85 Mbit/s are 0.6");
        assert!(load.stays_calm((SiteId(0), 30 * MBIT, 50 * MBIT), 86e6), "the link is full already");
        assert!(!load.stays_calm((SiteId(1), 30 * MBIT, 50 * MBIT), 86e6));
        for _ in 0..10 {
            load.remove(SiteId(0), 30 * MBIT);
        }
        load.remove_stream(MBIT);
        assert!(load.is_quiet(0.0) && load.transfers() == 0);
    }
}
