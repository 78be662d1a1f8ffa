//! Any bytes as a list of sites.
#![no_main]

mod beside;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| beside::load(include_str!("estate.toml"), "sites.csv", bytes));
