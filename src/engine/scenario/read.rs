//! Form: text to [`File`], with every fault of form found in one go.
//!
//! Fields never fail, so what remains are faults of structure: TOML syntax, unknown fields, a table where a
//! value should be. Serde stops at the first of these; so the faulty piece is blanked out (spaces keep every
//! other place where it was) and the text is read again, until it can be read.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::scenario::file::File;
use crate::scenario::problem::{Problems, did_you_mean};

/// What could be read, what is wrong, and the names of the fields that had to be left out.
pub struct Read {
    /// The file without its faulty pieces.
    pub file: File,
    /// Faults of form.
    pub problems: Problems,
    /// Fields that were blanked out: that they are missing is no second fault.
    pub blanked: BTreeSet<String>,
}

/// Reads a scenario's text.
#[must_use]
pub fn read(path: &str, text: &str) -> Read {
    let mut problems = Problems::new(path, text);
    let mut blanked = BTreeSet::new();
    if text.trim().is_empty() {
        problems.add(&(0..0), "this scenario is empty", "`headend init NAME` writes one to start from");
        return Read { file: File::default(), problems, blanked };
    }
    let (_, faults) = DeTable::parse_recoverable(text);
    if !faults.is_empty() {
        for fault in faults {
            let message = fault.message().trim().replace('\n', "; ");
            let help = if message == "duplicate key" {
                "write each key once in its table"
            } else {
                "values are written as in TOML: text and quantities in quotes, tables in [brackets]"
            };
            problems.add(&fault.span().unwrap_or(0..0), message, help);
        }
        return Read { file: File::default(), problems, blanked };
    }
    let mut rest = text.to_owned();
    let mut blanked_choice = false;
    for fault in 1.. {
        let is_last = fault >= MOST;
        match toml::from_str::<File>(&rest) {
            Ok(file) => return Read { file, problems, blanked },
            Err(fault) => {
                let span = fault.span().unwrap_or(0..0);
                // A table whose one choice was blanked out is empty by our doing.
                if !(blanked_choice && fault.message().contains(ONE_CHOICE)) {
                    let (title, help) = reword(fault.message());
                    problems.add(&span, title, help);
                }
                blanked_choice |= fault.message().contains("unknown variant");
                if is_last {
                    problems.add(&span, "there may be more of this kind", "correct those above first");
                    return Read { file: File::default(), problems, blanked };
                }
                let Some((key, piece)) = faulty_piece(&rest, &span) else {
                    return Read { file: File::default(), problems, blanked };
                };
                blanked.insert(key);
                blank(&mut rest, piece);
            }
        }
    }
    unreachable!("the last fault returns")
}

/// Faults of form that are looked for: each takes another reading of the whole text.
const MOST: usize = 60;

/// How serde begins when a table that holds one choice holds none, or several.
const ONE_CHOICE: &str = "wanted exactly 1 element";

/// Serde's words in ours: what is wrong, and what would be right.
fn reword(message: &str) -> (String, String) {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.contains(ONE_CHOICE) {
        let help = "write one choice in this table, and another table for another";
        return ("this table should hold exactly one choice".to_owned(), help.to_owned());
    }
    if let Some(("unknown field", _)) = message.split_once(" `") {
        return unknown("field", &quoted);
    }
    if let Some(("unknown variant", _)) = message.split_once(" `") {
        return unknown("choice", &quoted);
    }
    if let Some((found, expected)) =
        message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected "))
    {
        let expected = plain(expected);
        return (format!("this is {}, but it should be {expected}", plain(found)), format!("write {expected} here"));
    }
    let fixed = [
        (
            "wanted string or table",
            "this is none of the choices for this field",
            "write one of them in quotes, or as a table",
        ),
        ("duplicate key", "a second value for the same key", "write each key once in its table"),
        (
            "unexpected keys in table",
            "this table has keys that do not belong together",
            "write one choice in this table",
        ),
    ];
    let known = fixed.into_iter().find(|(begins, ..)| message.trim().starts_with(begins));
    let (title, help) =
        known.map_or((message.trim().replace('\n', "; "), "write it"), |(_, title, help)| (title.to_owned(), help));
    (title, format!("{help}, as docs/scenario.md says"))
}

fn unknown(what: &str, quoted: &[&str]) -> (String, String) {
    let Some((name, known)) = quoted.split_first() else {
        return (format!("this {what} is not known here"), "take it out".to_owned());
    };
    (format!("`{name}` is not a {what} that is known here"), did_you_mean(name, known.iter().copied()))
}

/// Names of Rust's and serde's types in words.
fn plain(kind: &str) -> String {
    if let Some(number) = kind.trim().strip_prefix("integer `").or(kind.trim().strip_prefix("floating point `")) {
        return format!("the number {}", number.trim_end_matches('`'));
    }
    if let Some(text) = kind.trim().strip_prefix("string ") {
        return format!("the text {text}");
    }
    match kind.trim() {
        "a map" | "map" => "a table".to_owned(),
        "a sequence" | "sequence" => "a list".to_owned(),
        other if other.starts_with("struct ") => "a table".to_owned(),
        other if other.starts_with("enum ") || other.contains("variant identifier") => {
            "one of the choices for this field".to_owned()
        }
        other => other.to_owned(),
    }
}

/// The smallest piece around a fault that can be left out whole, with the name of its key.
fn faulty_piece(text: &str, fault: &Range<usize>) -> Option<(String, Range<usize>)> {
    let root = DeTable::parse(text).ok()?;
    let mut best = None;
    visit(root.get_ref(), fault, &mut best);
    let (key, piece) = best?;
    Some((key, widen(text, piece)))
}

fn visit(table: &DeTable<'_>, fault: &Range<usize>, best: &mut Option<(String, Range<usize>)>) {
    for (key, value) in table {
        let own = key.span().start.min(value.span().start)..value.span().end.max(key.span().end);
        let holds = own.start <= fault.start && fault.end <= own.end;
        let inner = |value: &Spanned<DeValue<'_>>, best: &mut Option<(String, Range<usize>)>| {
            if let DeValue::Table(table) = value.get_ref() {
                visit(table, fault, best);
            }
        };
        if holds {
            *best = Some((key.get_ref().to_string(), own));
        }
        // Tables under their own headers lie outside the span of their parent's header.
        match value.get_ref() {
            DeValue::Array(list) => list.iter().for_each(|element| inner(element, best)),
            _ => inner(value, best),
        }
    }
}

/// A table under a header reaches to the next header; a pair in a line takes its comma with it.
fn widen(text: &str, piece: Range<usize>) -> Range<usize> {
    let line = text[..piece.start].rfind('\n').map_or(0, |at| at + 1);
    if text[line..].trim_start().starts_with('[') {
        let after = text[piece.start..].find('\n').map_or(text.len(), |at| piece.start + at);
        let end = text[after..].find("\n[").map_or(text.len(), |at| after + at);
        return line..end;
    }
    let rest = text[piece.end..].trim_start_matches([' ', '\t']);
    if rest.starts_with(',') {
        return piece.start..text.len() - rest.len() + 1;
    }
    let before = text[..piece.start].trim_end();
    if rest.starts_with('}') && before.ends_with(',') {
        return before.len() - 1..piece.end;
    }
    piece
}

fn blank(text: &mut String, piece: Range<usize>) {
    let spaces: String = text[piece.clone()]
        .chars()
        .flat_map(|letter| std::iter::repeat_n(if letter == '\n' { '\n' } else { ' ' }, letter.len_utf8()))
        .collect();
    text.replace_range(piece, &spaces);
}
