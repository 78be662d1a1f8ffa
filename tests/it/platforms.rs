//! The same bytes on every platform: fingerprints of a day of tiny, here and as WASM (tests/platforms).

use std::process::Command;

#[path = "../platforms/src/fingerprint.rs"]
mod fingerprint;

const GOLDEN: &str = "tests/golden/fingerprints.txt";

#[test]
fn fingerprints_are_those_of_other_platforms() {
    let line = |&fidelity| {
        format!("{} {:016x}\n", headend::model::Fidelity::name(fidelity), fingerprint::fingerprint(fidelity))
    };
    let found: String = fingerprint::FIDELITIES.iter().map(line).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(GOLDEN).unwrap(), "see tests/platforms/README.md");
}

/// What a command prints, if it is there and succeeds.
fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[test]
#[ignore = "builds the engine once more"]
fn fingerprints_are_the_same_as_wasm() {
    const TARGET: &str = "wasm32-unknown-unknown";
    let library = output(Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]));
    let has_library = library.is_some_and(|folder| std::path::Path::new(&folder).is_dir());
    if !has_library || output(Command::new("node").arg("--version")).is_none() {
        eprintln!("SKIPPED: no standard library of {TARGET}, or no node: fingerprints are not compared with WASM's");
        return;
    }
    let folder = "tests/platforms";
    let built =
        output(Command::new("cargo").args(["build", "--release", "--lib", "--target", TARGET]).current_dir(folder));
    assert!(built.is_some(), "the engine builds as WASM");
    let module = format!("{folder}/target/{TARGET}/release/headend_platforms.wasm");
    let found = output(Command::new("node").args([&format!("{folder}/run.mjs"), &module])).expect("the module runs");
    assert_eq!(found, std::fs::read_to_string(GOLDEN).unwrap().trim());
}
