//! The house: who may use whom, and what every file begins with.

use std::path::{Path, PathBuf};

#[path = "../../src/build.rs"]
mod build;

/// Rooms from the top; a room uses those above it.
const ROOMS: [&str; 12] =
    ["units", "disk", "random", "stats", "theory", "scenario", "sim", "study", "plan", "validate", "report", "cli"];

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|other| other == ending) {
            found.push(path);
        }
    }
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(Path::new("src"), "rs", &mut found);
    found
}

fn room_of(path: &Path) -> Option<usize> {
    let part = path.components().nth(1)?.as_os_str().to_str()?;
    ROOMS.iter().position(|room| *room == part.trim_end_matches(".rs"))
}

#[test]
fn imports_point_upwards_only() {
    let mut wrong = Vec::new();
    for path in sources() {
        let Some(own) = room_of(&path) else { continue };
        let text = std::fs::read_to_string(&path).unwrap();
        for (place, room) in ROOMS.iter().enumerate().skip(own + 1) {
            if text.contains(&format!("crate::{room}::")) {
                wrong.push(format!("{} uses {room} ({place})", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What a killed process or a full disk leaves is thought of in one place.
#[test]
fn only_one_room_writes_files() {
    for path in sources().into_iter().filter(|path| !path.ends_with("disk.rs") && !path.ends_with("build.rs")) {
        let text = std::fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for way in ["fs::write", "File::create", "create_dir", "tempfile", "OpenOptions", "fs::rename"] {
            assert!(!code.contains(way), "{} writes by itself: {way}", path.display());
        }
    }
}

/// The engine is a function: nothing from outside can reach it.
#[test]
fn the_engine_reads_no_file_clock_or_environment() {
    for path in sources().into_iter().filter(|path| path.starts_with("src/sim") || path.ends_with("src/sim.rs")) {
        let text = std::fs::read_to_string(&path).unwrap();
        for outside in ["std::fs", "std::time", "std::env", "HashMap", "HashSet", "static mut", "\nstatic ", "thread::"]
        {
            assert!(!text.contains(outside), "{} has {outside}", path.display());
        }
    }
}

#[test]
fn every_file_says_first_what_it_is_for() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{} has no first line", path.display());
    }
}

#[test]
fn only_the_command_line_prints() {
    let may = |path: &Path| ["src/cli", "src/cli.rs", "src/build.rs"].iter().any(|other| path.starts_with(other));
    for path in sources().into_iter().filter(|path| !may(path)) {
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["println!", "eprintln!", "process::exit"] {
            assert!(!text.contains(word), "{} prints or exits", path.display());
        }
    }
}

#[test]
fn every_scenario_begins_with_its_question() {
    let mut scenarios = Vec::new();
    files(Path::new("scenarios"), "toml", &mut scenarios);
    assert!(scenarios.len() >= 9);
    for path in scenarios {
        let text = std::fs::read_to_string(&path).unwrap();
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("# ") && first.ends_with('?'), "{}: {first}", path.display());
    }
}

/// Kept runs are named by the build: one byte more in the engine, a device or a library's version is another build.
#[test]
fn another_source_is_another_build() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("src/sim/rounds.rs", "const KEPT: f64 = 0.7;");
    write("profiles/devices.toml", "a = 1");
    write("Cargo.lock", "rand 0.10");
    let identity = || build::identity(folder.path(), b"rustc 1").unwrap();
    let mut seen = vec![identity(), build::identity(folder.path(), b"rustc 2").unwrap()];
    for (name, text) in [
        ("src/sim/rounds.rs", "const KEPT: f64 = 0.8;"),
        ("profiles/devices.toml", "a = 2"),
        ("Cargo.lock", "rand 0.11"),
    ] {
        write(name, text);
        assert!(!seen.contains(&identity()), "{name}");
        seen.push(identity());
    }
    assert_eq!(identity(), identity());
}
