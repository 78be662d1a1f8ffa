//! Any bytes as transactions to be replayed.
#![no_main]

mod beside;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| beside::load(include_str!("replay.toml"), "replay.csv", bytes));
