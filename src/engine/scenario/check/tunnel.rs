//! Tunnels: IKE and dead peer detection, read into the model.

use crate::model::TunnelTerms;
use crate::scenario::checker::Checker;
use crate::scenario::field::{Count, Number};
use crate::scenario::file::TunnelsFile;
use crate::units::{Duration, Share};

/// Less than a round trip makes no sense, and floods the run with events.
const LEAST_RETRANSMIT: Duration = Duration(10_000_000);

/// Timers of tunnels count in seconds.
const LEAST_TIMER: Duration = Duration(crate::units::NANOS);

/// Segments to which a device may clamp: what Linux takes at least (`TCP_MIN_MSS`), jumbo frames at most [bytes].
const MSS_RANGE: std::ops::RangeInclusive<u64> = 88..=9000;

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
    let uplinks = written.map(|(field, usual)| {
        let count = check.or(field, Count(usual)).0;
        if !(1..=8).contains(&count) {
            check.problems.add(field.span(), format!("{count} uplinks"), "write 1 to 8");
        }
        count
    });
    let rekey = check.optional(&file.rekey);
    if rekey.is_some_and(|rekey| rekey < Duration(60_000_000_000)) {
        check.problems.add(file.rekey.span(), "keys are not renewed that often", "write a minute or more");
    }
    let mss = check.optional(&file.mss);
    if mss.is_some_and(|mss| !MSS_RANGE.contains(&mss.0)) {
        check.problems.add(file.mss.span(), "no device clamps segments so", "write 88 B to 9000 B, such as \"1360 B\"");
    }
    let timers = [(&file.idle_timeout, "no tunnel is taken down so soon"), (&file.keepalive, "no site asks so often")];
    let [idle_timeout, keepalive] = timers.map(|(field, title)| {
        let time = check.optional(field);
        if time.is_some_and(|time| time < LEAST_TIMER) {
            check.problems.add(field.span(), title, "write a second or more");
        }
        time
    });
    TunnelTerms {
        detection: file.detection.as_ref().and_then(|law| check.law(law)).unwrap_or(usual.detection),
        retransmit: retransmit.secs(),
        backoff,
        tries: u32::try_from(tries).unwrap_or(u32::MAX),
        jitter: check.or(&file.jitter, Share(usual.jitter)).0,
        rekey: rekey.or(usual.rekey),
        uplinks: (uplinks[0], uplinks[1]),
        mss: mss.or(usual.mss),
        idle_timeout: idle_timeout.or(usual.idle_timeout),
        keepalive: keepalive.or(usual.keepalive),
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
        assert!((terms.gives_up_after() - 165.0).abs() < 0.5);
    }

    /// The example of the recommendations: four hubs and 100 spokes, each with two uplinks.
    #[test]
    fn tunnels_are_counted_as_recommended() {
        let terms = TunnelTerms { uplinks: (2, 2), ..TunnelTerms::default() };
        assert_eq!(terms.count(4, 100), (24 + 1600, 12 + 400));
    }
}
