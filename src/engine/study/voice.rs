//! Quality of speech from delay and loss: the E-model (ITU-T G.107), with its default values for all that is no matter of the network.

use crate::elementary::{exp, ln};
use crate::model::Codec;
use crate::sim::observer::Talk;

/// The rating of a connection without delay and loss, as the default values give it.
const BEST: f64 = 93.2;

/// Speech that is rated lower leaves many users dissatisfied (ITU-T G.109: low quality below 70).
pub const POOR: f64 = 70.0;

/// Transmission rating factor R of a call: that of its worse way (G.107, equation 7-1).
#[must_use]
pub fn rating(ways: &[Talk; 2], codec: Codec) -> f64 {
    ways.iter().map(|way| rating_of_way(way, codec)).fold(f64::INFINITY, f64::min)
}

fn rating_of_way(way: &Talk, codec: Codec) -> f64 {
    // Speech is sent when a packet is full, and the codec may look at what follows it.
    let delay = codec.every.secs() + codec.look_ahead.secs() + way.played_after;
    BEST - delay_impairment(delay) - equipment_impairment(way.lost + way.late, codec)
}

/// Mean opinion score for a rating (G.107, annex B).
#[must_use]
pub fn opinion_score(rating: f64) -> f64 {
    if rating >= 100.0 {
        return 4.5;
    }
    let score = 1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6;
    // Below 6.5 the cubic falls under the lowest score.
    if rating <= 0.0 { 1.0 } else { score.max(1.0) }
}

/// Effective equipment impairment factor, with packets lost at random (G.107, equation 7-29).
fn equipment_impairment(lost: f64, codec: Codec) -> f64 {
    let percent = 100.0 * lost;
    codec.impairment + (95.0 - codec.impairment) * percent / (percent + codec.robustness)
}

/// Echo loudness rating of the talker [dB], weighted echo path loss [dB], sensitivity to delay, and least delay that is noticed [ms]:
/// default values (G.107, table 2).
const TALKER_ECHO: f64 = 65.0;
const ECHO_PATH_LOSS: f64 = 110.0;
const NOTICED: f64 = 100.0;
/// Basic signal-to-noise ratio, as the default values give it: from circuit noise of -61.18 dBm0p (G.107, equation 7-2); with a
/// receiving loudness rating of 2 dB the talker's echo has the same (equation 7-19).
const SIGNAL_TO_NOISE: f64 = 94.77;

/// Delay impairment factor of a mouth-to-ear delay [s] (G.107, equations 7-17 to 7-28): echo of the talker and of the listener, and the
/// delay itself.
fn delay_impairment(delay: f64) -> f64 {
    let delay = 1e3 * delay;
    talker_echo(delay) + listener_echo(2.0 * delay) - listener_echo(0.0) + too_long(delay)
}

fn talker_echo(delay: f64) -> f64 {
    let masked =
        TALKER_ECHO - 40.0 * log10((1.0 + delay / 10.0) / (1.0 + delay / 150.0)) + 6.0 * exp(-0.3 * delay * delay);
    let rating = 80.0 + 2.5 * (masked - 14.0);
    let half = (SIGNAL_TO_NOISE - rating) / 2.0;
    (half + (half * half + 100.0).sqrt() - 1.0) * (1.0 - exp(-delay))
}

fn listener_echo(round_trip: f64) -> f64 {
    let rating = 10.5 * (ECHO_PATH_LOSS + 7.0) / (1.0 + round_trip).sqrt().sqrt();
    let half = (SIGNAL_TO_NOISE - rating) / 2.0;
    half + (half * half + 169.0).sqrt()
}

fn too_long(delay: f64) -> f64 {
    if delay <= NOTICED {
        return 0.0;
    }
    let doublings = ln(delay / NOTICED) / std::f64::consts::LN_2;
    let root = |x: f64| {
        let cube = x * x * x;
        exp(ln(1.0 + cube * cube) / 6.0)
    };
    25.0 * (root(doublings) - 3.0 * root(doublings / 3.0) + 2.0)
}

fn log10(x: f64) -> f64 {
    ln(x) / std::f64::consts::LN_10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way(played_after: f64, lost: f64) -> Talk {
        Talk { packets: 1.0, lost, played_after, ..Talk::default() }
    }

    /// G.107, annex B (table B.1), and the score of the default connection.
    #[test]
    fn opinion_scores_are_those_of_the_table() {
        for (rating, score) in [(90.0, 4.34), (80.0, 4.03), (70.0, 3.60), (60.0, 3.10), (50.0, 2.58), (93.2, 4.41)] {
            assert!((opinion_score(rating) - score).abs() < 0.007, "{rating}: {}", opinion_score(rating));
        }
        for (rating, score) in [(-5.0, 1.0), (3.0, 1.0), (120.0, 4.5)] {
            assert!((opinion_score(rating) - score).abs() < 1e-12, "{rating}");
        }
    }

    /// For delays with little echo Cole and Rosenbluth (2001) approximate the factor by 0.024 d + 0.11 (d - 177.3) above 177.3 ms.
    #[test]
    fn delay_impairs_as_its_known_approximation_has_it() {
        assert!(delay_impairment(0.0).abs() < 1e-9);
        for (millis, within) in [(50.0, 1.0), (100.0, 1.2), (150.0, 0.5), (250.0, 2.5), (400.0, 4.0)] {
            let about = 0.024 * millis + 0.11 * f64::max(millis - 177.3, 0.0);
            let exact = delay_impairment(millis / 1e3);
            assert!((exact - about).abs() < within, "{millis} ms: {exact}, about {about}");
        }
    }

    /// G.113, appendix I: G.711 with concealment, Ie 0 and Bpl 25.1, loses 95 x 2 / 27.1 at 2 %; G.729 with Ie 11 and Bpl 19 is at 11 +
    /// 84 / 20 at 1 %.
    #[test]
    fn lost_packets_impair_as_the_codec_bears_them() {
        assert!((equipment_impairment(0.02, Codec::G711) - 7.011).abs() < 1e-3);
        assert!((equipment_impairment(0.01, Codec::G729) - 15.2).abs() < 1e-9);
        assert!((equipment_impairment(0.0, Codec::G729) - 11.0).abs() < 1e-9);
    }

    #[test]
    fn a_call_is_as_good_as_its_worse_way() {
        let (good, bad) = (way(0.02, 0.0), way(0.02, 0.1));
        assert!(rating(&[good, good], Codec::G711) > 91.5);
        let worse = rating(&[good, bad], Codec::G711);
        assert!((worse - rating(&[bad, good], Codec::G711)).abs() < 1e-12 && worse < POOR, "{worse}");
    }
}
