//! Scenarios with faults of every kind that a slip of the pen can make: each is answered, and none breaks the program.
//!
//! A mutant is a shipped scenario with one to three changes: values replaced by others of their kind, by extremes or by nonsense,
//! keys and tables deleted, doubled or swapped, bytes changed. `HEADEND_MUTANTS=20000 HEADEND_SEED=5 cargo test -- --ignored by_hand_more_mutants`
//! draws others.
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use headend::model::Fidelity;
use headend::random::{Key, Stream};
use headend::report::load;
use headend::scenario::{Study, warn};
use headend::study::RunOptions;
use headend::study::cost::{Extent, cost};
use headend::{scenario, study};
use rayon::prelude::*;

use crate::bench_model::morning;

/// What a value may become, whatever it was.
const VALUES: [&str; 46] = [
    "0",
    "1",
    "-1",
    "2",
    "3.5",
    "1e9",
    "1e300",
    "nan",
    "inf",
    "-0.0",
    "9223372036854775807",
    "true",
    "\"\"",
    "\" \"",
    "\"0 %\"",
    "\"50 %\"",
    "\"100 %\"",
    "\"101 %\"",
    "\"0 s\"",
    "\"1 ns\"",
    "\"1 ms\"",
    "\"90 s\"",
    "\"20 h\"",
    "\"1000 d\"",
    "\"1 bit/s\"",
    "\"10 kbit/s\"",
    "\"2 Mbit/s\"",
    "\"1 Gbit/s\"",
    "\"90000 Gbit/s\"",
    "\"1 packet/s\"",
    "\"10 kpacket/s\"",
    "\"0 B\"",
    "\"1 B\"",
    "\"1500 B\"",
    "\"8 GiB\"",
    "\"00:00\"",
    "\"08:30\"",
    "\"24:00\"",
    "\"Mon\"",
    "\"2026-04-20\"",
    "\"clinical\"",
    "\"hub\"",
    "[]",
    "{}",
    "{ fixed = \"1 s\" }",
    "\"\\u001b[31m\\u202e\"",
];

/// Changes that can be made to any scenario with a class and a hub of these names.
const CHANGES: [&str; 14] = [
    "resize = { concentrator = \"HUB\", throughput = \"3 Mbit/s\" }",
    "resize = { concentrator = \"HUB\", throughput = \"40 Gbit/s\", at = \"08:10\" }",
    "limit = { uplink = \"5 Mbit/s\" }",
    "limit = { per_tunnel = \"1 Mbit/s\", handshakes = 1 }",
    "shape = { class = \"CLASS\", total = \"1 Mbit/s\", from = \"08:00\", until = \"08:20\" }",
    "shape = { class = \"CLASS\", per_site = \"64 kbit/s\", from = \"08:10\", until = \"08:30\" }",
    "switch_off = { class = \"CLASS\", from = \"08:00\", until = \"08:10\" }",
    "curfew = { class = \"CLASS\", from = \"07:00\", until = \"08:15\" }",
    "prioritise = { first = [\"CLASS\"] }",
    "serve = { discipline = \"fair_by_site\" }",
    "add = { concentrator = { name = \"spare-9\", throughput = \"20 Mbit/s\" }, at = \"08:05\" }",
    "cache = { class = \"CLASS\", share = \"50 %\" }",
    "break_out = { class = \"CLASS\", share = \"50 %\" }",
    "store = { class = \"CLASS\", share = \"50 %\" }",
];

/// Misfortunes that can befall any.
const FAULTS: [&str; 6] = [
    "outage = { concentrator = \"HUB\", at = \"08:05\", lasts = \"5 min\" }",
    "brown_out = { concentrator = \"HUB\", share = \"10 %\", at = \"08:05\", lasts = \"5 min\" }",
    "flaps = { between = { exponential = \"2 min\" }, down = { fixed = \"30 s\" } }",
    "cut = { sites = { share = \"30 %\" }, at = \"08:05\", lasts = \"5 min\" }",
    "surge = { class = \"CLASS\", factor = 3, at = \"08:05\", lasts = \"5 min\" }",
    "servers_lost = { classes = [\"CLASS\"], at = \"08:05\", lasts = \"2 min\" }",
];

/// Scenarios that are small enough to be read a thousand times.
fn seeds() -> Vec<String> {
    let mut paths: Vec<_> = std::fs::read_dir("scenarios").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let tomls = paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "toml"));
    tomls.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

fn below(stream: &mut Stream, bound: usize) -> usize {
    stream.below(u32::try_from(bound.max(1)).unwrap()) as usize
}

fn one_of<'a, T>(stream: &mut Stream, all: &'a [T]) -> &'a T {
    &all[below(stream, all.len())]
}

/// Where the lines of a text are.
fn lines(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let lines = text.split_inclusive('\n').map(|line| {
        start += line.len();
        start - line.len()..start
    });
    lines.collect()
}

/// A text with one change.
fn changed(text: &str, stream: &mut Stream) -> String {
    let all = lines(text);
    let line = one_of(stream, &all).clone();
    let content = &text[line.clone()];
    let replaced = |new: &str| format!("{}{new}{}", &text[..line.start], &text[line.end..]);
    match stream.below(12) {
        // A value becomes another one.
        0..=4 => match content.split_once('=') {
            Some((key, _)) => replaced(&format!("{key}= {}\n", one_of(stream, &VALUES))),
            None => replaced(""),
        },
        // A quantity grows or shrinks.
        5 => {
            let digits: Vec<usize> =
                content.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()).map(|(at, _)| at).collect();
            if digits.is_empty() {
                return replaced(content);
            }
            let at = *one_of(stream, &digits);
            let new = one_of(stream, &["0", "9", "00", "99", ".", "-", ""]);
            replaced(&format!("{}{new}{}", &content[..at], &content[at + 1..]))
        }
        6 => replaced(""),
        7 => replaced(&content.repeat(2)),
        // Two lines change places.
        8 => {
            let other = one_of(stream, &all).clone();
            let (first, second) = if line.start < other.start { (line, other) } else { (other, line) };
            if first == second {
                return text.to_owned();
            }
            format!(
                "{}{}{}{}{}",
                &text[..first.start],
                &text[second.clone()],
                &text[first.end..second.start],
                &text[first],
                &text[second.end..]
            )
        }
        // A byte that does not belong there.
        9 => {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let at = *one_of(stream, &places);
            format!(
                "{}{}{}",
                &text[..at],
                one_of(stream, &["\"", "[", "]", "\u{0}", "\u{202e}", "é", "=", "\n", "#", ","]),
                &text[at..]
            )
        }
        // A change or a misfortune is added.
        _ => format!("{text}\n{}\n", added(text, stream)),
    }
}

/// A table that goes with the scenario's own names.
fn added(text: &str, stream: &mut Stream) -> String {
    let named = |table: &str| -> Vec<&str> {
        let after = text.split(table).skip(1).filter_map(|rest| rest.split("name = \"").nth(1)?.split('"').next());
        after.collect()
    };
    let (classes, hubs) = (named("[[class]]"), named("[[concentrator]]"));
    let pick = |names: &[&str], stream: &mut Stream| {
        names.get(below(stream, names.len())).map_or_else(String::new, |name| (*name).to_owned())
    };
    let (class, hub) = (pick(&classes, stream), pick(&hubs, stream));
    let number = stream.below(1_000_000);
    let table = if stream.below(3) == 0 {
        format!("[[fault]]\n{}", one_of(stream, &FAULTS))
    } else {
        format!("[[option]]\nname = \"added-{number}\"\n[[option.change]]\n{}", one_of(stream, &CHANGES))
    };
    table.replace("CLASS", &class).replace("HUB", &hub)
}

/// The mutant of this number.
fn mutant(seeds: &[String], seed: u64, number: u64) -> String {
    let mut stream = Key::new(seed, 0).stream(number);
    let mut text = one_of(&mut stream, seeds).clone();
    for _ in 0..=stream.below(3) {
        text = changed(&text, &mut stream);
    }
    text
}

/// What `check` does with a mutant, short of printing: none if it is refused.
fn checked(text: &str, what: &str) -> Option<Study> {
    let done = catch_unwind(AssertUnwindSafe(|| match scenario::load("mutant.toml", text, Path::new("scenarios")) {
        Ok(study) => {
            let shown = (warn::warnings(&study), load::text(&study), load::cost(&study, 2));
            // A name may be that.
            let is_number = !shown.1.contains("NaN") && !shown.2.contains("NaN");
            assert!(is_number || text.contains("nan"), "{what}: {}{}", shown.1, shown.2);
            Some(study)
        }
        Err(problems) => {
            let shown = problems.show(false);
            let count = |piece: &str| shown.matches(piece).count();
            assert!(count("error: ") > 0 && count("--> ") >= count("error: "), "{what}: no place in\n{shown}");
            assert!(count("= help: ") >= problems.len(), "{what}: no remedy in\n{shown}");
            assert!(
                !shown.chars().any(|letter| letter.is_control() && letter != '\n'),
                "{what}: a control character in\n{shown}"
            );
            None
        }
    }));
    done.unwrap_or_else(|fault| {
        eprintln!("{what} is\n{text}");
        std::panic::resume_unwind(fault)
    })
}

/// Runs a mutant at one fidelity; says whether it was cheap enough.
fn run(study: &Study, fidelity: Fidelity, what: &str, text: &str) -> bool {
    let mut study = study.clone();
    study.setups.iter_mut().for_each(|setup| setup.model.fidelity = fidelity);
    study.setups.truncate(3);
    (study.effort.least, study.effort.most) = (1, 1);
    let cost = cost(&study, Extent::of(&study), 1);
    if cost.events > 3e6 || cost.memory > 3e8 {
        return false;
    }
    let stop = AtomicBool::new(false);
    let settings = RunOptions { stop: &stop, progress: &|_| {}, keep: None, records: None, here: true };
    let chosen: Vec<usize> = (0..study.setups.len()).collect();
    let done = catch_unwind(AssertUnwindSafe(|| study::run(&study, &chosen, &settings).unwrap()));
    let results = done.unwrap_or_else(|_| panic!("{what} panics at {fidelity:?}:\n{text}"));
    let told = serde_json::to_string(&results).unwrap();
    assert!(!told.contains("NaN") || text.contains("nan"), "{what}: no number in\n{told}");
    true
}

fn check_all(seed: u64, count: u64) {
    let seeds = seeds();
    let right = (0..count)
        .into_par_iter()
        .filter(|&number| checked(&mutant(&seeds, seed, number), &format!("mutant {number} of seed {seed}")).is_some())
        .count() as u64;
    eprintln!("{count} mutants of seed {seed}: {right} are valid");
    assert!(right > count / 20 && right < count * 19 / 20, "{right} of {count} are valid");
}

fn run_some(seed: u64, wanted: usize) {
    let seeds = [morning()];
    let mut ran = 0;
    let mut number = 0;
    while ran < wanted {
        let batch = number..number + 64;
        number += 64;
        ran += batch
            .into_par_iter()
            .filter(|&number| {
                let (text, what) = (mutant(&seeds, seed, number), format!("mutant {number} of seed {seed}"));
                let Some(study) = checked(&text, &what) else { return false };
                // Not `|`: what is too costly at one may be cheap at the other.
                let flow = run(&study, Fidelity::Flow, &what, &text);
                let packet = run(&study, Fidelity::Packet(8), &what, &text);
                flow || packet
            })
            .count();
    }
    eprintln!("{ran} of {number} mutants of seed {seed} were run");
}

#[test]
fn a_thousand_mutants_are_answered() {
    check_all(1, 1000);
}

#[test]
fn a_hundred_mutants_run() {
    run_some(2, 120);
}

fn asked(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(usual)
}

#[test]
#[ignore = "as many as HEADEND_MUTANTS says; by hand"]
fn by_hand_more_mutants_are_answered_and_run() {
    let (count, seed) = (asked("HEADEND_MUTANTS", 2000), asked("HEADEND_SEED", 3));
    check_all(seed, count);
    run_some(seed + 1, usize::try_from(count / 4).unwrap());
}
