//! Findings of `plan`, `compare`, `sweep` and `headroom`, in the order in which a reader sees them: on the terminal, on a page
//! and in files.

use askama::Template;

use crate::report::drawn::{Chart, ChartTable};
use crate::report::glossary::WORDS;
use crate::report::provenance::{Provenance, Shown};
use crate::report::setting::estate;
use crate::report::table::{narrow, wrapped};
use crate::scenario::Study;

/// A finding.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Name of its files, without ending.
    pub name: String,
    /// The question.
    pub question: String,
    /// Sites, people and day.
    pub setting: String,
    /// The answer, the most important sentence first.
    pub answer: Vec<String>,
    /// The chart.
    pub chart: Option<Chart>,
    /// The evidence.
    pub evidence: Vec<Evidence>,
    /// Cautions.
    pub cautions: Vec<String>,
    /// The method, in paragraphs.
    pub method: Vec<String>,
    /// The numbers behind it, as CSV.
    pub csv: String,
}

/// A table with its title.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// What it shows.
    pub title: String,
    /// Head and rows.
    pub table: ChartTable,
    /// How many columns, from the left, name a row.
    pub keys: usize,
}

#[derive(Template)]
#[template(path = "finding.html")]
struct FindingPage<'a> {
    finding: &'a Finding,
    chart: Option<Shown<'a>>,
    glossary: &'static [(&'static str, &'static str)],
    files: Vec<String>,
    origin: &'a Provenance,
    run: &'a str,
}

/// Sites, people and the day of a study, in one line.
#[must_use]
pub fn setting(study: &Study) -> String {
    let base = &study.setups[0].model;
    let people = base.sites.iter().map(|site| u64::from(site.patients)).sum();
    format!("{}; {}", estate(base.sites.len(), people, &study.counted), study.when)
}

impl Finding {
    /// Question, answer, evidence, cautions and method, for the terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}\n{}\n\n", wrapped(&self.question, ""), wrapped(&self.setting, ""));
        for sentence in &self.answer {
            text += &format!("{}\n", wrapped(sentence, ""));
        }
        for evidence in &self.evidence {
            text += &format!("\n{}\n{}", wrapped(&evidence.title, ""), narrow(&evidence.table, evidence.keys));
        }
        text += "\n";
        for paragraph in &self.method {
            text += &format!("{}\n", wrapped(paragraph, ""));
        }
        for caution in &self.cautions {
            text += &format!("{}\n", wrapped(caution, "! "));
        }
        text
    }

    /// The page; `run` is the command that shows the day itself.
    ///
    /// # Panics
    /// Never: a template that compiles renders to memory.
    #[must_use]
    pub fn page(&self, origin: &Provenance, run: &str) -> String {
        let pictures: &[&str] = if self.chart.is_some() { &["svg", "png"] } else { &[] };
        let files = ["csv"].iter().chain(pictures).map(|ending| format!("{}.{ending}", self.name));
        let shown = |chart| Shown { svg: Chart::labelled(chart), chart, first: true };
        let chart = self.chart.as_ref().map(shown);
        let page = FindingPage { finding: self, chart, glossary: &WORDS, files: files.collect(), origin, run };
        page.render().expect("a page renders to memory")
    }
}
