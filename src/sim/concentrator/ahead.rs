//! What is asked for of a concentrator before it is needed.

use super::{FluidConcentrator, TransactionId};
use crate::scenario::model::{ClassId, SiteId};
use crate::sim::ahead::prefetch;

impl FluidConcentrator {
    /// Asks for what a burst of the class from the site will look at.
    pub fn prefetch_site(&self, site: SiteId, class: ClassId) {
        self.prefetch_in(self.plan.queue_of(class), site);
    }

    /// The site whose flow ends next.
    #[must_use]
    pub fn next_site(&self) -> Option<SiteId> {
        self.queues[self.next.1].band.next_site().map(SiteId)
    }

    /// Asks for the site's share of the lane in which the next flow ends.
    pub fn prefetch_share(&self, site: SiteId) {
        self.prefetch_in(self.next.1, site);
    }

    fn prefetch_in(&self, lane: usize, site: SiteId) {
        prefetch(&self.sites[site.index()]);
        self.queues[lane].band.prefetch(site.0);
    }

    /// Asks for the name of the flow that ends first there.
    pub fn prefetch_flows(&self, site: SiteId) {
        self.queues[self.next.1].band.prefetch_flows(site.0);
    }

    /// The flow that ends first there.
    #[must_use]
    pub fn first_flow(&self, site: SiteId) -> Option<TransactionId> {
        self.queues[self.next.1].band.first_flow(site.0)
    }
}
