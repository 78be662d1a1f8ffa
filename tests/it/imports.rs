//! The import graph: rooms use those above them, and no files import each other in a circle.
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::Visit;

/// Rooms from the top; a room uses those above it.
const ROOMS: [&str; 17] = [
    "units",
    "disk",
    "random",
    "stats",
    "theory",
    "model",
    "scenario",
    "sim",
    "study",
    "plan",
    "telemetry",
    "fit",
    "validate",
    "report",
    "live",
    "scale",
    "cli",
];

/// A module path from the root of the crate, as in `sim::packet::wire`.
type Module = Vec<String>;

/// Every path that a file names outside its tests: in `use`, nested or not, and in expressions and types.
struct Paths {
    here: Module,
    found: Vec<Module>,
}

impl Paths {
    fn keep(&mut self, path: &[String]) {
        let path = match path.first().map(String::as_str) {
            Some("crate") => path[1..].to_vec(),
            Some("self") => [&self.here[..], &path[1..]].concat(),
            Some("super") => {
                let up = path.iter().take_while(|part| *part == "super").count();
                [&self.here[..self.here.len().saturating_sub(up)], &path[up..]].concat()
            }
            // Without a first word it is a module beside this one, or another crate.
            _ => [&self.here[..], path].concat(),
        };
        self.found.push(path);
    }

    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.keep(&with(&name.ident)),
            syn::UseTree::Rename(rename) => self.keep(&with(&rename.ident)),
            syn::UseTree::Glob(_) => self.keep(before),
            syn::UseTree::Group(group) => group.items.iter().for_each(|item| self.tree(before, item)),
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "test")
    })
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.tree(&[], &item.tree);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if !is_test(&item.attrs) {
            syn::visit::visit_item_mod(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Module = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if parts.len() > 1 {
            self.keep(&parts);
        }
        syn::visit::visit_path(self, path);
    }
}

/// The module of a file below its root, and the file.
fn modules(root: &Path, folder: &Path, found: &mut BTreeMap<Module, PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.join("Cargo.toml").exists() {
                modules(root, &path, found);
            }
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let below = path.strip_prefix(root).unwrap().with_extension("");
            let module: Module = below.components().map(|part| part.as_os_str().to_str().unwrap().to_owned()).collect();
            let outside = [vec!["main".to_owned()], vec!["build".to_owned()]];
            if !outside.contains(&module) {
                let module = if module == ["lib"] { Vec::new() } else { module };
                found.insert(module, path);
            }
        }
    }
}

/// Which modules each module names.
fn graph(roots: &[&str]) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut files = BTreeMap::new();
    for root in roots {
        modules(Path::new(root), Path::new(root), &mut files);
    }
    let mut graph = BTreeMap::new();
    for (module, path) in &files {
        let text = std::fs::read_to_string(path).unwrap();
        let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut paths = Paths { here: module.clone(), found: Vec::new() };
        paths.visit_file(&file);
        // A path belongs to the longest module that is a beginning of it; the root only maps.
        let of = |path: &Module| {
            (1..=path.len()).rev().map(|length| path[..length].to_vec()).find(|module| files.contains_key(module))
        };
        let used = paths.found.iter().filter_map(of).filter(|used| used != module).collect();
        graph.insert(module.clone(), used);
    }
    graph
}

fn named(module: &Module) -> String {
    module.join("::")
}

/// A circle of modules, if there is one: each names the next, and the last one the first.
fn circle(graph: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<String>> {
    fn walk<'a>(
        at: &'a Module,
        graph: &'a BTreeMap<Module, BTreeSet<Module>>,
        way: &mut Vec<&'a Module>,
        done: &mut BTreeSet<&'a Module>,
    ) -> Option<Vec<String>> {
        if let Some(place) = way.iter().position(|other| *other == at) {
            return Some(way[place..].iter().map(|module| named(module)).collect());
        }
        if done.contains(at) {
            return None;
        }
        way.push(at);
        let found = graph.get(at).into_iter().flatten().find_map(|next| walk(next, graph, way, done));
        way.pop();
        done.insert(at);
        found
    }
    let mut done = BTreeSet::new();
    graph.keys().find_map(|module| walk(module, graph, &mut Vec::new(), &mut done))
}

/// The program, and the engine.
const SOURCES: [&str; 2] = ["src", "src/engine"];

#[test]
fn imports_point_upwards_only() {
    let place = |module: &Module| ROOMS.iter().position(|room| module.first().is_some_and(|first| first == room));
    let mut wrong = Vec::new();
    for (module, used) in graph(&SOURCES) {
        let Some(own) = place(&module) else { continue };
        for used in used.iter().filter(|used| place(used).is_some_and(|other| other > own)) {
            wrong.push(format!("{} uses {}", named(&module), named(used)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut graph = graph(&SOURCES);
    graph.remove(&Vec::new());
    let mut circles = Vec::new();
    while let Some(found) = circle(&graph) {
        let last: Module = found.last().unwrap().split("::").map(str::to_owned).collect();
        let first: Module = found[0].split("::").map(str::to_owned).collect();
        graph.get_mut(&last).unwrap().remove(&first);
        circles.push(found.join(" -> "));
    }
    assert!(circles.is_empty(), "{circles:#?}");
}

/// The test must see what a search for text misses: nested groups, aliases, `super`, paths in code, a `use` in a function.
#[test]
fn every_way_to_name_a_module_is_seen() {
    let text = "use crate::study; use {crate::plan::{search, knob as k}, std::fs}; use super::report::words as w;
        fn f() { use crate::cli::run; crate::validate::all(); let _: super::super::theory::T; }
        #[cfg(test)] mod tests { use crate::hidden; }";
    let mut paths = Paths { here: vec!["sim".to_owned(), "x".to_owned()], found: Vec::new() };
    paths.visit_file(&syn::parse_file(text).unwrap());
    let found: Vec<String> = paths.found.iter().map(named).collect();
    for wanted in
        ["study", "plan::search", "plan::knob", "sim::report::words", "cli::run", "validate::all", "theory::T"]
    {
        assert!(found.iter().any(|path| path == wanted), "{wanted} in {found:?}");
    }
    assert!(!found.iter().any(|path| path.contains("hidden")), "{found:?}");
    let one = |name: &str, uses: &[&str]| {
        (vec![name.to_owned()], uses.iter().map(|used| vec![(*used).to_owned()]).collect::<BTreeSet<Module>>())
    };
    assert!(circle(&BTreeMap::from([one("a", &["b"]), one("b", &["c"]), one("c", &[])])).is_none());
    assert!(circle(&BTreeMap::from([one("a", &["b"]), one("b", &["c"]), one("c", &["b"])])).is_some());
}
