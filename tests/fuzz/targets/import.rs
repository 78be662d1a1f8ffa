//! Any file as an export of a monitoring system: recognised, read and tidied, or refused in words.
#![no_main]

use std::sync::LazyLock;

use headend::telemetry::clock::Clock;
use headend::telemetry::import::{ImportTerms, import};

/// A folder of this process.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder for files"));

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let path = FOLDER.path().join("export.csv");
    std::fs::write(&path, bytes).expect("a folder of its own may be written to");
    let terms = ImportTerms { taken: vec![1.7e9], ..ImportTerms::usual(Clock::usual()) };
    match import(&[&path], &terms) {
        Ok(found) => assert!(found.rows.iter().all(|row| row.seconds >= 0.0 && row.begins.is_finite())),
        Err(faults) => assert!(faults.iter().all(|fault| fault.starts_with("error"))),
    }
});
