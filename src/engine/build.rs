//! Build script: the identity of the engine, a hash of everything that decides what it computes.
//!
//! Kept runs carry it, so that a changed engine never reads what another one has simulated.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// What decides the results, from the root of the repository: the code, the devices that it knows, the versions of its
/// libraries and the features that the program switches on in them.
pub const PARTS: [&str; 4] = ["src/engine", "profiles", "Cargo.toml", "Cargo.lock"];

#[allow(dead_code)] // Another build script and a test include this file for its functions.
fn main() {
    tell(Path::new("../.."), &PARTS);
}

/// Tells the compiler the identity of these parts, and cargo to build again when they change.
///
/// # Panics
/// If a source cannot be read.
pub fn tell(root: &Path, parts: &[&str]) {
    for part in parts {
        println!("cargo::rerun-if-changed={}", root.join(part).display());
    }
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(compiler).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    let identity = identity(root, parts, &version).expect("the sources can be read");
    println!("cargo::rustc-env=HEADEND_BUILD={identity}");
}

/// The first 16 hexadecimal digits of the SHA-256 over names and contents of all parts below `root`, and the compiler's version.
///
/// # Errors
/// If a file cannot be read.
pub fn identity(root: &Path, parts: &[&str], compiler: &[u8]) -> std::io::Result<String> {
    let mut files = Vec::new();
    for part in parts {
        collect(&root.join(part), &mut files)?;
    }
    files.sort();
    let mut hash = Sha256::new();
    hash.update(compiler);
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        let bytes = std::fs::read(&file)?;
        hash.update(format!("\n{name} {}\n", bytes.len()));
        hash.update(bytes);
    }
    let first = hash.finalize().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    Ok(format!("{first:016x}"))
}

/// Every file at or below `path`; a part that is not there counts for nothing.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if path.is_file() {
        files.push(path.to_owned());
    } else if path.is_dir() {
        for entry in std::fs::read_dir(path)? {
            collect(&entry?.path(), files)?;
        }
    }
    Ok(())
}
