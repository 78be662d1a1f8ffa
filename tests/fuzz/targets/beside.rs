//! A scenario with a file beside it, whose bytes the fuzzer makes up.

use std::path::Path;
use std::sync::LazyLock;

/// A folder of this process.
static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder for files"));

pub fn load(scenario: &str, name: &str, bytes: &[u8]) {
    let folder: &Path = FOLDER.path();
    std::fs::write(folder.join(name), bytes).expect("a file can be written");
    match headend::scenario::load("fuzz.toml", scenario, folder) {
        Ok(study) => drop(headend::report::load::text(&study)),
        Err(problems) => assert!(!problems.show(false).is_empty()),
    }
}
