//! Any bytes to each reader of exports: the first byte says to which.
#![no_main]


use headend::telemetry::clock::Clock;
use headend::telemetry::import::{ImportTerms, taken_for};
use headend::telemetry::recognise::ExportKind;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let kind = ExportKind::ALL[usize::from(*first) % ExportKind::ALL.len()];
    let terms = ImportTerms { taken: vec![1.7e9], ..ImportTerms::usual(Clock::usual()) };
    let _ = taken_for(kind, rest, &terms);
});
