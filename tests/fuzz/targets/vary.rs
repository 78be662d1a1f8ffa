//! Any text as the values of a sweep, and as a path and value of a scenario.
#![no_main]

use headend::scenario::vary;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = vary::values(text);
    let _ = vary::between(text, 0.5, text.len() % 2 == 0);
    if let Some((path, value)) = text.split_once('=') {
        let scenario = include_str!("../../../scenarios/tiny.toml");
        let _ = (vary::set(scenario, path, value), vary::set(value, path, "1"));
    }
});
