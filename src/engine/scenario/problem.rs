//! Problems: everything that is wrong with an input, each with its place, its fault and its remedy.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::units::visible;

/// A piece of input text: the scenario, or a CSV file that it names.
#[derive(Clone, Debug)]
struct Source {
    path: String,
    text: String,
}

/// Names a piece of input text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceId(usize);

/// The scenario file itself.
pub const SCENARIO: SourceId = SourceId(0);

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    source: SourceId,
    start: usize,
    end: usize,
    /// What is wrong, in one sentence.
    pub title: String,
    /// What would be right.
    pub help: String,
}

/// Everything that is wrong.
#[derive(Clone, Debug)]
pub struct Problems {
    sources: Vec<Source>,
    list: Vec<Problem>,
}

impl Problems {
    /// Nothing wrong yet with the scenario at `path`.
    #[must_use]
    pub fn new(path: &str, text: &str) -> Self {
        Self { sources: vec![Source { path: visible(path).into_owned(), text: text.to_owned() }], list: Vec::new() }
    }

    /// Adds another file, so that problems can point into it.
    pub fn source(&mut self, path: &str, text: &str) -> SourceId {
        self.sources.push(Source { path: visible(path).into_owned(), text: text.to_owned() });
        SourceId(self.sources.len() - 1)
    }

    /// Notes a problem at a place in the scenario.
    pub fn add(&mut self, at: &Range<usize>, title: impl Into<String>, help: impl Into<String>) {
        self.add_in(SCENARIO, at, title, help);
    }

    /// Notes a problem at a place in any source; the same is noted once.
    pub fn add_in(&mut self, source: SourceId, at: &Range<usize>, title: impl Into<String>, help: impl Into<String>) {
        let problem =
            Problem { source, start: at.start, end: at.end.max(at.start), title: plain(title), help: plain(help) };
        if !self.list.contains(&problem) {
            self.list.push(problem);
        }
    }

    /// Each problem in a sentence with its remedy, without places.
    #[must_use]
    pub fn brief(&self) -> String {
        let sentences: Vec<String> =
            self.list.iter().map(|problem| format!("{}: {}.", problem.title, problem.help)).collect();
        sentences.join("\n")
    }

    /// Forgets what was noted after the first `count`; the first of it, if there was any.
    pub fn forget_since(&mut self, count: usize) -> Option<String> {
        let first = self.list.get(count).map(|problem| problem.title.clone());
        self.list.truncate(count);
        first
    }

    /// Whether all is well.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// All of them as a person reads them, in the order of their places; with colours for a terminal.
    #[must_use]
    pub fn show(&self, colours: bool) -> String {
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        let mut list = self.list.clone();
        list.sort();
        let shown: Vec<String> = list.iter().map(|problem| self.show_one(problem, &renderer)).collect();
        let count = match list.len() {
            1 => "1 problem".to_owned(),
            n => format!("{n} problems"),
        };
        format!("{}\n\n{count} in {}\n", shown.join("\n\n"), self.sources[0].path)
    }

    fn show_one(&self, problem: &Problem, renderer: &Renderer) -> String {
        let source = &self.sources[problem.source.0];
        let span = clip(&source.text, problem.start..problem.end);
        // The line alone: a file may be long, and have many faults.
        let above = &source.text[..span.start];
        let begin = above.rfind('\n').map_or(0, |at| at + 1);
        let end = source.text[begin..].find('\n').map_or(source.text.len(), |at| begin + at + 1);
        let number = above.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let snippet = Snippet::source(&source.text[begin..end]).path(source.path.as_str()).line_start(number);
        let snippet = snippet.annotation(AnnotationKind::Primary.span(span.start - begin..span.end - begin));
        let mut report: Vec<Group<'_>> = vec![Level::ERROR.primary_title(problem.title.as_str()).element(snippet)];
        if !problem.help.is_empty() {
            report[0] = std::mem::replace(&mut report[0], Group::with_level(Level::ERROR))
                .element(Level::HELP.message(problem.help.as_str()));
        }
        renderer.render(&report)
    }
}

/// A text without hidden characters.
fn plain(text: impl Into<String>) -> String {
    let text = text.into();
    visible(&text).into_owned()
}

/// Keeps a span inside its text, on character boundaries, and on its first line.
fn clip(text: &str, span: Range<usize>) -> Range<usize> {
    let mut start = span.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let mut end = span.end.clamp(start, line_end);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    start..end
}

/// `x`, `y` and `z`, for messages that list what is known.
#[must_use]
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>, joint: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {joint} {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".to_owned(),
    }
}

/// What to write in place of an unknown `name`: the most similar known one first.
#[must_use]
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let near = known
        .iter()
        .map(|other| (strsim::normalized_damerau_levenshtein(name, other), *other))
        .filter(|(likeness, _)| *likeness > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((_, other)) => format!("did you mean `{other}`? known here: {}", listed(known, "and")),
        None if known.is_empty() => "none is defined in this file".to_owned(),
        None => format!("known here: {}", listed(known, "and")),
    }
}
