//! Whatever surrounds the program, the same command leaves the same bytes; and what it needs, it has said.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::bench_model::morning;

/// Environments that a program may find itself in, each a list of variables on top of none.
const ENVIRONMENTS: [&[(&str, &str)]; 16] = [
    &[],
    &[("HOME", "/nowhere")],
    &[("LANG", "C"), ("LC_ALL", "C")],
    &[("LANG", "tr_TR.UTF-8"), ("LC_ALL", "tr_TR.UTF-8")],
    &[("LANG", "de_DE.UTF-8"), ("LC_NUMERIC", "de_DE.UTF-8")],
    &[("TZ", "Pacific/Kiritimati")],
    &[("TZ", "nonsense/place")],
    &[("COLUMNS", "0")],
    &[("COLUMNS", "1")],
    &[("COLUMNS", "20"), ("LINES", "1")],
    &[("TERM", "dumb")],
    &[("TERM", "xterm-256color"), ("CLICOLOR_FORCE", "1"), ("FORCE_COLOR", "1")],
    &[("NO_COLOR", "1")],
    &[("RAYON_NUM_THREADS", "nonsense")],
    &[("RAYON_NUM_THREADS", "3"), ("RUST_BACKTRACE", "full")],
    &[("TMPDIR", "/nowhere"), ("USER", "")],
];

/// The hash of everything that a run with records leaves and prints, but for the clock in its manifest.
fn hash_of(threads: Option<&str>, environment: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("morning.toml"), morning()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_headend"));
    command.current_dir(folder.path()).env_clear().envs(environment.iter().copied());
    command.args(["run", "morning.toml", "--replications", "1", "--check-fidelity=never", "--records", "records.csv"]);
    command.args(threads.into_iter().flat_map(|threads| ["--threads", threads]));
    let done = command.output().unwrap();
    assert!(done.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&done.stderr));
    let mut hash = Sha256::new();
    hash.update(&done.stdout);
    hash.update(&done.stderr);
    add_files(folder.path(), &mut hash);
    hash.finalize().iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn add_files(folder: &Path, hash: &mut Sha256) {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            add_files(&path, hash);
        } else if !path.ends_with("manifest.json") {
            hash.update(path.file_name().unwrap().as_encoded_bytes());
            hash.update(std::fs::read(&path).unwrap());
        }
    }
}

#[test]
fn surroundings_change_nothing() {
    let threads = ["1", "2", "4", "8"]
        .into_par_iter()
        .map(|threads| (format!("{threads} threads"), Some(threads), ENVIRONMENTS[0]));
    let environments = ENVIRONMENTS.into_par_iter().map(|variables| (format!("{variables:?}"), None, variables));
    let hashes: Vec<(String, String)> =
        threads.chain(environments).map(|(what, threads, variables)| (what, hash_of(threads, variables))).collect();
    for (what, hash) in &hashes {
        assert_eq!(*hash, hashes[0].1, "{what}");
    }
}

/// The most memory that a process has had [MB of 10^6], and how it ended.
#[cfg(target_os = "linux")]
fn peak(mut command: Command) -> (f64, Option<i32>) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut most = 0.0_f64;
    loop {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let kibibytes = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        most = most.max(kibibytes.unwrap_or(0.0) * 1024.0 / 1e6);
        if let Some(done) = child.try_wait().unwrap() {
            return (most, done.code());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Memory stays below what `check` has said. By hand: all scenarios take some minutes.
#[test]
#[cfg(target_os = "linux")]
#[ignore = "runs every scenario; by hand"]
fn by_hand_memory_stays_within_what_was_predicted() {
    let folder = tempfile::tempdir().unwrap();
    let mut paths: Vec<_> = std::fs::read_dir("scenarios").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "toml")) {
        let checked = Command::new(env!("CARGO_BIN_EXE_headend")).arg("check").arg(&path).output().unwrap();
        let told = String::from_utf8(checked.stdout).unwrap().replace('\n', " ");
        let predicted = told.split(" MB of memory").next().unwrap().rsplit(' ').next().unwrap().replace(',', "");
        let mut command = Command::new(env!("CARGO_BIN_EXE_headend"));
        command.arg("run").arg(&path).arg("--out").arg(folder.path().join(path.file_stem().unwrap()));
        let begun = Instant::now();
        let (most, code) = peak(command);
        eprintln!("{}: {most:.0} MB of {predicted} MB, {:.0} s", path.display(), begun.elapsed().as_secs_f64());
        assert!(code.is_some_and(|code| code < 2), "{}", path.display());
        assert!(most <= predicted.parse::<f64>().unwrap(), "{}: {most} MB of {predicted} MB", path.display());
    }
}
