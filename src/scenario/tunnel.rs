//! Tunnels: how they are set up, how their loss is noticed, as written and as meant.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::random;
use crate::scenario::check::Checker;
use crate::scenario::file::{At, Law};
use crate::scenario::leaf::{Count, Field, Number};
use crate::units::{Duration, Share};

/// How tunnels are set up by IKE, and how their loss is noticed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TunnelsFile {
    /// Time until a site notices that its tunnel is dead (dead-peer detection; default `{ fixed = "30 s" }`).
    #[schemars(with = "Option<Law<Duration>>")]
    pub detection: Option<At<Law<Duration>>>,
    /// Time until an unanswered IKE request is sent again (default 4 s).
    pub retransmit: Field<Duration>,
    /// By what that time grows each time (default 1.8).
    pub backoff: Field<Number>,
    /// How often it is sent again before the site starts over (default 5).
    pub tries: Field<Count>,
    /// Each of these times is shortened by a random part of up to this share (default 0 %).
    pub jitter: Field<Share>,
    /// Time after which a tunnel's keys are renewed by another handshake (default: never).
    pub rekey: Field<Duration>,
    /// Uplinks of each concentrator, for the count of tunnels that the design needs (default 1).
    pub hub_uplinks: Field<Count>,
    /// Uplinks of each site (default 1).
    pub site_uplinks: Field<Count>,
}

/// How tunnels are set up and lost.
#[derive(Clone, Debug, PartialEq)]
pub struct TunnelTerms {
    /// From a tunnel's death to its being noticed [s].
    pub detection: random::Distribution,
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
}

impl Default for TunnelTerms {
    /// strongSwan's: 4 s, growing by 1.8, five repeats, no jitter (its documentation, "Retransmission").
    fn default() -> Self {
        Self {
            detection: random::Distribution::Fixed(30.0),
            retransmit: 4.0,
            backoff: 1.8,
            tries: 5,
            jitter: 0.0,
            rekey: None,
            uplinks: (1, 1),
        }
    }
}

impl TunnelTerms {
    /// Time from the `sent`-th sending of a request (0 is the first) to the next, or to giving up, without jitter [s].
    #[must_use]
    pub fn wait(&self, sent: u32) -> f64 {
        self.retransmit * self.backoff.powi(i32::try_from(sent).unwrap_or(i32::MAX))
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

/// Less than a round trip makes no sense, and floods the run with events.
const LEAST_RETRANSMIT: Duration = Duration(10_000_000);

/// Reads the terms that are written; the others are as `usual`.
pub fn terms(file: &TunnelsFile, usual: TunnelTerms, check: &mut Checker) -> TunnelTerms {
    let retransmit = check.or(&file.retransmit, Duration::of_secs(usual.retransmit));
    if retransmit < LEAST_RETRANSMIT {
        let title = "a request is not sent again that soon";
        check.problems.add(file.retransmit.span(), title, "write 10 ms or more; the usual is some seconds");
    }
    let backoff = check.or(&file.backoff, Number(usual.backoff)).0;
    if !(1.0..=10.0).contains(&backoff) {
        check.problems.add(file.backoff.span(), format!("a back-off of {backoff}"), "write a number from 1 to 10");
    }
    let tries = check.or(&file.tries, Count(usual.tries.into())).0;
    if tries > 20 {
        check.problems.add(file.tries.span(), format!("{tries} repeats"), "write up to 20");
    }
    let written = [(&file.hub_uplinks, usual.uplinks.0), (&file.site_uplinks, usual.uplinks.1)];
    let uplinks = written.map(|(leaf, usual)| {
        let count = check.or(leaf, Count(usual)).0;
        if !(1..=8).contains(&count) {
            check.problems.add(leaf.span(), format!("{count} uplinks"), "write 1 to 8");
        }
        count
    });
    let rekey = check.maybe(&file.rekey);
    if rekey.is_some_and(|rekey| rekey < Duration(60_000_000_000)) {
        check.problems.add(file.rekey.span(), "keys are not renewed that often", "write a minute or more");
    }
    TunnelTerms {
        detection: file.detection.as_ref().and_then(|law| check.law(law)).unwrap_or(usual.detection),
        retransmit: retransmit.secs(),
        backoff,
        tries: u32::try_from(tries).unwrap_or(u32::MAX),
        jitter: check.or(&file.jitter, Share(usual.jitter)).0,
        rekey: rekey.or(usual.rekey),
        uplinks: (uplinks[0], uplinks[1]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// strongSwan's table of retransmissions: 4, 11, 24, 47 and 89 s, and giving up at 165 s.
    #[test]
    fn requests_are_sent_again_when_the_documentation_says() {
        let terms = TunnelTerms::default();
        let mut at = 0.0;
        let times: Vec<i64> = (0..=terms.tries)
            .map(|sent| {
                at += terms.wait(sent);
                #[allow(clippy::cast_possible_truncation)]
                let whole = f64::round(at) as i64;
                whole
            })
            .collect();
        assert_eq!(times, [4, 11, 24, 47, 89, 165]);
    }

    /// The example of the recommendations: four hubs and 100 spokes, each with two uplinks.
    #[test]
    fn tunnels_are_counted_as_recommended() {
        let terms = TunnelTerms { uplinks: (2, 2), ..TunnelTerms::default() };
        assert_eq!(terms.count(4, 100), (24 + 1600, 12 + 400));
    }
}
