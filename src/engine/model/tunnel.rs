//! Tunnels: how they are set up, kept and lost.

use crate::random::Distribution;
use crate::units::{Bytes, Duration};

/// How tunnels are set up and lost.
#[derive(Clone, Debug, PartialEq)]
pub struct TunnelTerms {
    /// From a tunnel's death to its being noticed [s].
    pub detection: Distribution,
    /// Until an unanswered request is sent again, the first time [s].
    pub retransmit: f64,
    /// Growth of that time.
    pub backoff: f64,
    /// Repeats of a request.
    pub tries: u32,
    /// Greatest part by which each time is shortened.
    pub jitter: f64,
    /// Between renewals of keys.
    pub rekey: Option<Duration>,
    /// Uplinks of each concentrator and of each site.
    pub uplinks: (u64, u64),
    /// Largest TCP segment that its ends let through (MSS clamp).
    pub mss: Option<Bytes>,
    /// A tunnel comes up with a site's first traffic, and is taken down when it was idle for so long; none if it is always up.
    pub idle_timeout: Option<Duration>,
    /// Between a site's keepalives, whose answers wait behind handshakes; none if answers never wait.
    pub keepalive: Option<Duration>,
}

impl Default for TunnelTerms {
    /// strongSwan's: 4 s, growing by 1.8, five repeats, no jitter (its documentation, "Retransmission").
    fn default() -> Self {
        Self {
            detection: Distribution::Fixed(30.0),
            retransmit: 4.0,
            backoff: 1.8,
            tries: 5,
            jitter: 0.0,
            rekey: None,
            uplinks: (1, 1),
            mss: None,
            idle_timeout: None,
            keepalive: None,
        }
    }
}

impl TunnelTerms {
    /// Time from the `sent`-th sending of a request (0 is the first) to the next, or to giving up, without jitter [s].
    #[must_use]
    pub fn wait(&self, sent: u32) -> f64 {
        self.retransmit * self.backoff.powi(i32::try_from(sent).unwrap_or(i32::MAX))
    }

    /// Time after which a site gives up a request that stays unanswered, without jitter [s].
    #[must_use]
    pub fn gives_up_after(&self) -> f64 {
        (0..=self.tries).map(|sent| self.wait(sent)).sum()
    }

    /// Tunnels of a design in which each of `sites` sites has one to each of `hubs` concentrators on every pair of
    /// uplinks, and the concentrators have them among each other: in all, and at each concentrator (Meraki, Auto VPN
    /// Hub Deployment Recommendations: `H(H-1)L²/2 + H S L_H L_S`).
    #[must_use]
    pub fn count(&self, hubs: u64, sites: u64) -> (u64, u64) {
        let (hub, site) = self.uplinks;
        let between = hubs.saturating_sub(1) * hub * hub;
        let own = between + sites * hub * site;
        (hubs * between / 2 + hubs * sites * hub * site, own)
    }
}
