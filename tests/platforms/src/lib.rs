//! For hosts that load a module: a function from the number of a fidelity to its fingerprint.

mod fingerprint;

/// The fingerprint of a fidelity: 0 flow, 1 sampled, 2 packets.
#[unsafe(no_mangle)]
pub extern "C" fn fingerprint(fidelity: u32) -> u64 {
    fingerprint::fingerprint(fingerprint::FIDELITIES[fidelity as usize % 3])
}
