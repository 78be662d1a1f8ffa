//! Any text as the values of a sweep, and as a path and value of a scenario.
#![no_main]

use headend::scenario::edit;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = edit::values(text);
    let _ = edit::between(text, 0.5, text.len() % 2 == 0);
    if let Some((path, value)) = text.split_once('=') {
        let scenario = include_str!("../../../scenarios/tiny.toml");
        let _ = (edit::set(scenario, path, value), edit::set(value, path, "1"));
    }
});
