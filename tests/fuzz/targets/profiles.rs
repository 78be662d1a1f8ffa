//! Any bytes as a file of devices.
#![no_main]

mod beside;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| beside::load(include_str!("profiles.toml"), "devices.toml", bytes));
