//! Any bytes to each reader of exports: the first byte says to which.
#![no_main]

use std::collections::BTreeMap;

use headend::telemetry::clock::Clock;
use headend::telemetry::import::{ImportTerms, taken_for};
use headend::telemetry::reading::Side;
use headend::telemetry::recognise::ExportKind;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let kind = ExportKind::ALL[usize::from(*first) % ExportKind::ALL.len()];
    let terms = ImportTerms {
        clock: Clock::usual(),
        side: Side::Hub,
        taken: Some(1.7e9),
        bin: 300.0,
        unit: None,
        direction: None,
        columns: Vec::new(),
        names: BTreeMap::new(),
    };
    let _ = taken_for(kind, rest, &terms);
});
