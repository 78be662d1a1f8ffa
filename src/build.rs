//! Build script: the identity of the program, which its manifests carry.

#[path = "engine/build.rs"]
mod engine;

/// The code, the devices that it knows, its page templates, and the versions of its libraries.
const PARTS: [&str; 5] = ["src", "profiles", "templates", "Cargo.toml", "Cargo.lock"];

fn main() {
    engine::tell(std::path::Path::new("."), &PARTS);
}
