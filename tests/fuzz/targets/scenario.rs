//! Any text as a scenario: what `check` does, short of printing.
#![no_main]

use std::path::Path;

use headend::report::load;
use headend::scenario::{self, warn};

libfuzzer_sys::fuzz_target!(|text: &str| {
    match scenario::load("fuzz.toml", text, Path::new("/nowhere")) {
        Ok(study) => {
            let _ = (warn::warnings(&study), load::text(&study), load::cost(&study, 2));
        }
        Err(problems) => assert!(!problems.show(false).is_empty()),
    }
});
