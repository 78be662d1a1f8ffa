//! Prints the fingerprint of each fidelity, a line each.

mod fingerprint;

fn main() {
    for fidelity in fingerprint::FIDELITIES {
        println!("{} {:016x}", fidelity.name(), fingerprint::fingerprint(fidelity));
    }
}
