//! Reading ahead: what the next events need is on its way to the cache before they come. A country does not fit into it, and
//! each event would wait for one line after the other.
//!
//! Nothing here changes what happens. What is asked for is not waited for, except where it names what is asked for next.

use super::{Engine, Event, Observer, TransactionId};
use crate::scenario::model::{ConcentratorId, SiteId};
use prefetch_index::prefetch_index;

/// Asks for the line of the cache in which this begins.
#[inline(always)]
pub(super) fn prefetch<T>(of: &T) {
    prefetch_index(std::slice::from_ref(of), 0);
}

/// How much of what the next end of a flow needs has been asked for: each line says where the next one is.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PrefetchCursor {
    site: Option<SiteId>,
    lines: u8,
}

impl<O: Observer> Engine<'_, O> {
    /// What the events of a bucket that came up will need: first their transactions and workstations, then what these name.
    #[inline(never)]
    pub(super) fn prefetch_events(&self) {
        for event in self.events.due_now() {
            match *event {
                Event::SendWindow(flow, _) => self.transactions.prefetch_window(flow),
                Event::UserAction(class, user) => self.workload.prefetch_user(class, user),
                _ => {}
            }
        }
        for event in self.events.due_now() {
            match *event {
                Event::SendWindow(flow, _) => self.prefetch_beside(flow),
                Event::UserAction(class, user) => {
                    if let Some(site) = self.workload.site_of(class, user) {
                        self.fluid[self.concentrator_of[site.index()].index()].prefetch_site(site, class);
                    }
                }
                _ => {}
            }
        }
    }

    /// What a window needs beside its transaction: the turn that may follow, and what there is of its site.
    fn prefetch_beside(&self, id: TransactionId) {
        let flow = self.transactions.get(id);
        prefetch(self.transactions.step(id, (flow.transfer.turn + 1).min(flow.turns.saturating_sub(1))));
        self.fluid[flow.concentrator.index()].prefetch_site(flow.site, flow.class);
    }

    /// The next line of what the flow that ends next at a concentrator needs.
    #[inline(always)]
    pub(super) fn prefetch_end(&mut self, unit: ConcentratorId) {
        let concentrator = &self.fluid[unit.index()];
        let Some(site) = concentrator.next_site() else { return };
        if self.ahead.site != Some(site) {
            self.ahead = PrefetchCursor { site: Some(site), lines: 0 };
        }
        match self.ahead.lines {
            0 => concentrator.prefetch_share(site),
            1 => concentrator.prefetch_flows(site),
            2 => {
                if let Some(flow) = concentrator.first_flow(site) {
                    self.transactions.prefetch(flow);
                }
            }
            _ => return,
        }
        self.ahead.lines += 1;
    }
}
