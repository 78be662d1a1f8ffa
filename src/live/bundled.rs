//! The module of WebAssembly as it travels inside the program and its pages.
//!
//! It is built by `src/live/module/build` from the sources that `made-of.txt` names; a test says when it is not.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;

/// The module.
pub static MODULE: &[u8] = include_bytes!("module/headend.wasm");

/// The same, deflated, as text.
///
/// # Panics
/// Never: it is written to memory.
#[must_use]
pub fn packed() -> String {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    packed.write_all(MODULE).expect("it is written to memory");
    STANDARD.encode(packed.finish().expect("it is written to memory"))
}
