//! The page as one file.

use std::collections::BTreeMap;

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::live::bundled::packed;
use crate::live::choice::{OptionTerms, options};
use crate::live::control::{Control, ControlGroup, POSITIONS, controls};
use crate::live::doubtful::doubtful;
use crate::live::parts::PageParts;
use crate::report::finding::setting;
use crate::report::provenance::Provenance;
use crate::scenario::Study;

/// The scripts: their hashes are all that the page lets run.
const SCRIPT: &str = include_str!("../../templates/live.js");
const WORKER: &str = include_str!("../../templates/live-worker.js");

#[derive(Template)]
#[template(path = "live.html")]
struct LivePage<'a> {
    question: &'a str,
    setting: String,
    /// SHA-256 of the script, as a policy names it.
    script_hash: String,
    parts: &'a PageParts,
    devices: Vec<ControlRow>,
    all: Vec<ControlRow>,
    options: Vec<OptionRow>,
    assumed: Vec<ControlRow>,
    positions: u32,
    data: String,
    module: String,
    script: &'static str,
    worker: &'static str,
    origin: &'a Provenance,
}

/// A control as the page shows it.
struct ControlRow {
    id: String,
    name: String,
    path: String,
    said: String,
    position: f64,
}

/// An option with the numbers that it has.
struct OptionRow {
    name: String,
    title: String,
    what: String,
    controls: Vec<ControlRow>,
}

/// What the script needs.
#[derive(Serialize)]
struct Data<'a> {
    name: &'a str,
    text: &'a str,
    files: BTreeMap<&'a str, String>,
    assumed: &'a [Control],
    summary: (&'a str, &'a str),
    ready: &'a str,
    /// What made the page.
    made: String,
    replications: u32,
}

/// What a page is made of.
pub struct LiveTerms<'a> {
    /// Name of the scenario's file, and its text.
    pub scenario: (&'a str, &'a str),
    /// The same, read.
    pub study: &'a Study,
    /// What is shown before anything is moved, and in a sentence what that is.
    pub stored: (&'a PageParts, &'a str),
    /// Name and content of the stored figures, as CSV.
    pub summary: (&'a str, &'a str),
    /// How it came about.
    pub origin: &'a Provenance,
    /// Reads another text of the same scenario.
    pub load: &'a (dyn Fn(&str) -> Option<Study> + Sync),
}

/// The page.
///
/// # Panics
/// Never: a template that compiles renders to memory.
#[must_use]
pub fn page(terms: &LiveTerms<'_>) -> String {
    let (study, (name, text)) = (terms.study, terms.scenario);
    let decided = controls(study, text);
    let assumed = doubtful((study, text), &decided, terms.load);
    let in_group = |is: &dyn Fn(&ControlGroup) -> bool| -> Vec<ControlRow> {
        let numbered = decided.iter().chain(&assumed).enumerate();
        numbered.filter(|(_, control)| is(&control.group)).map(|(number, control)| row(number, control)).collect()
    };
    let option = |option: &OptionTerms| OptionRow {
        name: option.name.clone(),
        title: option.title.clone(),
        what: study
            .setups
            .iter()
            .find(|setup| setup.name == option.name)
            .map_or_else(String::new, |setup| setup.what.join("; ")),
        controls: in_group(&|group| matches!(group, ControlGroup::Option(name) if *name == option.name)),
    };
    let files = study.files.iter().map(|file| (file.name.as_str(), String::from_utf8_lossy(&file.bytes).into_owned()));
    let (parts, ready) = terms.stored;
    let data = Data {
        name,
        text,
        files: files.collect(),
        assumed: &assumed,
        summary: terms.summary,
        ready,
        made: format!("headend {}, scenario SHA-256 {}.", terms.origin.version, terms.origin.hash),
        replications: study.effort.least,
    };
    let page = LivePage {
        question: &study.question,
        setting: setting(study),
        script_hash: STANDARD.encode(Sha256::digest(SCRIPT)),
        parts,
        devices: in_group(&|group| matches!(group, ControlGroup::Device(_))),
        all: in_group(&|group| *group == ControlGroup::All),
        options: options(study, text).iter().filter(|option| option.parts.contains(&option.name)).map(option).collect(),
        assumed: in_group(&|group| *group == ControlGroup::Assumed),
        positions: POSITIONS,
        // In a script, `<` could end it.
        data: serde_json::to_string(&data).unwrap_or_default().replace('<', "\\u003c"),
        module: packed(),
        script: SCRIPT,
        worker: WORKER,
        origin: terms.origin,
    };
    page.render().expect("a page renders to memory")
}

fn row(number: usize, control: &Control) -> ControlRow {
    ControlRow {
        id: format!("control-{number}"),
        name: control.knob.name.clone(),
        path: control.knob.path.clone(),
        said: control.said(&control.knob.value),
        position: control.position(&control.knob.value).unwrap_or(0.0),
    }
}
