//! The house: who may use whom, and what every file begins with.

use std::path::{Path, PathBuf};

use syn::visit::Visit;

#[path = "../../src/engine/build.rs"]
mod build;

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

/// Statics and thread locals, at any depth.
#[derive(Default)]
struct Globals(Vec<String>);

impl<'ast> Visit<'ast> for Globals {
    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.0.push(item.ident.to_string());
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        if called.path.segments.last().is_some_and(|last| last.ident == "thread_local") {
            self.0.push("thread_local".to_owned());
        }
    }
}

/// The engine is a function: nothing from outside can reach it, and nothing of one run the next.
#[test]
fn the_engine_reads_no_file_clock_environment_or_global() {
    let engine = |path: &Path| {
        ["model", "sim"].iter().any(|room| path.starts_with(format!("src/engine/{room}")))
            || path.ends_with("engine/sim.rs")
    };
    for path in sources().into_iter().filter(|path| engine(path)) {
        let text = std::fs::read_to_string(&path).unwrap();
        for outside in ["std::fs", "std::time", "std::env", "HashMap", "HashSet", "thread::"] {
            assert!(!text.contains(outside), "{} has {outside}", path.display());
        }
        let mut globals = Globals::default();
        globals.visit_file(&syn::parse_file(&text).unwrap());
        assert!(globals.0.is_empty(), "{} has globals: {:?}", path.display(), globals.0);
    }
    let mut globals = Globals::default();
    globals.visit_file(&syn::parse_file("fn f() { static X: u8 = 0; }").unwrap());
    assert_eq!(globals.0, ["X"], "an indented one is found, too");
}

/// Names of types, outside tests.
#[derive(Default)]
struct Types(Vec<String>);

impl<'ast> Visit<'ast> for Types {
    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.0.push(item.ident.to_string());
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.0.push(item.ident.to_string());
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.0.push(item.ident.to_string());
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.0.push(item.ident.to_string());
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" && item.ident != "internals" {
            syn::visit::visit_item_mod(self, item);
        }
    }
}

/// A reader who meets a name knows which type it is.
#[test]
fn no_type_name_is_given_twice() {
    let mut where_from = std::collections::BTreeMap::new();
    let mut twice = Vec::new();
    for path in sources() {
        let mut types = Types::default();
        types.visit_file(&syn::parse_file(&std::fs::read_to_string(&path).unwrap()).unwrap());
        for name in types.0 {
            if let Some(first) = where_from.insert(name.clone(), path.clone()) {
                twice.push(format!("{name}: {} and {}", first.display(), path.display()));
            }
        }
    }
    assert!(twice.is_empty(), "{twice:#?}");
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
    let may = |path: &Path| {
        ["src/cli", "src/cli.rs", "src/build.rs", "src/engine/build.rs"].iter().any(|other| path.starts_with(other))
    };
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
    write("src/engine/sim/rounds.rs", "const KEPT: f64 = 0.7;");
    write("profiles/devices.toml", "a = 1");
    write("Cargo.lock", "rand 0.10");
    let of = |compiler: &[u8]| build::identity(folder.path(), &build::PARTS, compiler).unwrap();
    let identity = || of(b"rustc 1");
    let mut seen = vec![identity(), of(b"rustc 2")];
    for (name, text) in [
        ("src/engine/sim/rounds.rs", "const KEPT: f64 = 0.8;"),
        ("profiles/devices.toml", "a = 2"),
        ("Cargo.toml", "features"),
        ("Cargo.lock", "rand 0.11"),
    ] {
        write(name, text);
        assert!(!seen.contains(&identity()), "{name}");
        seen.push(identity());
    }
    assert_eq!(identity(), identity());
}
