//! A number that stands for a day of `scenarios/tiny.toml` as it is: every fact of a replication, to the last bit.

use std::path::Path;

use headend_engine::disk::Folder;
use headend_engine::model::{Fidelity, Model};
use headend_engine::scenario::load;
use headend_engine::sim::observer::{Fact, Observer};
use headend_engine::sim::simulate;
use headend_engine::units::Time;

const TINY: &str = include_str!("../../../scenarios/tiny.toml");

/// The fidelities of which there is a number, in order.
pub const FIDELITIES: [Fidelity; 3] = [Fidelity::Flow, Fidelity::Sampled, Fidelity::Packet(1)];

/// Of a fidelity.
///
/// # Panics
/// If the scenario cannot be read.
#[must_use]
pub fn fingerprint(fidelity: Fidelity) -> u64 {
    let Ok(study) = load("tiny.toml", TINY, Folder::reaching(Path::new("."), true)) else { panic!("tiny can be read") };
    let mut digest = Digest::default();
    simulate(&Model { fidelity, ..study.setups[0].model.clone() }, 0, &mut digest);
    digest.0
}

/// FNV-1a over the debug text of facts: shortest decimals that read back as the same bits.
struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    fn add(&mut self, text: &str) {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl Observer for Digest {
    fn on(&mut self, now: Time, fact: &Fact<'_>) {
        self.add(&format!("{now:?} {fact:?}"));
    }
}
