//! Tutorials say what happens: their commands are run in order, their edits are made, and what they show is what is said.

use std::path::Path;
use std::process::Command;

/// A fenced block: its language and its lines.
fn blocks(text: &str) -> Vec<(String, Vec<String>)> {
    let mut blocks = Vec::new();
    let mut open: Option<(String, Vec<String>)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(language), None) => open = Some((language.to_owned(), Vec::new())),
            (None, Some((_, lines))) => lines.push(line.to_owned()),
            (None, None) => {}
        }
    }
    blocks
}

/// Words of a command; what stands in quotes is one.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in command.split('"').enumerate() {
        if place % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Whether lines are as they should be, where `...` stands for any.
fn fits(said: &[&str], wanted: &[&str]) -> bool {
    match wanted.split_first() {
        None => said.is_empty(),
        Some((&"...", rest)) => (0..=said.len()).any(|skipped| fits(&said[skipped..], rest)),
        Some((line, rest)) => said.first() == Some(line) && fits(&said[1..], rest),
    }
}

/// The lines with `-` in front are replaced by those with `+`.
fn edit(path: &Path, lines: &[String]) {
    let side = |sign: char| lines.iter().filter_map(|line| line.strip_prefix(sign)).collect::<Vec<&str>>().join("\n");
    let text = std::fs::read_to_string(path).unwrap();
    assert_eq!(text.matches(&side('-')).count(), 1, "{} is there once", side('-'));
    std::fs::write(path, text.replace(&side('-'), &side('+'))).unwrap();
}

/// Longer, so CI runs it.
#[test]
#[ignore = "simulates a hundred mornings; CI runs it"]
fn the_tutorial_says_what_happens() {
    let (commands, folder) = commands_of("docs/tutorial.md");
    assert!(commands >= 6);
    for name in ["report.html", "plan-throughput.html", "tornado.html", "summary.md", "stress-des.md", "report.xlsx"] {
        assert!(folder.path().join("output/net").join(name).exists(), "{name}");
    }
}

/// Longer, so CI runs it.
#[test]
#[ignore = "fits a scenario; CI runs it"]
fn the_page_on_telemetry_says_what_happens() {
    let (commands, folder) = commands_of("docs/telemetry.md");
    assert_eq!(commands, 8);
    for name in ["hindcast.html", "fit.html", "fit.csv", "fitted.toml"] {
        assert!(folder.path().join("output/net").join(name).exists(), "{name}");
    }
}

/// Runs the commands of a page in a folder of its own; gives their number, and the folder.
fn commands_of(page: &str) -> (u32, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut commands = 0;
    for (language, lines) in blocks(&std::fs::read_to_string(page).unwrap()) {
        if let Some(name) = language.strip_prefix("csv ") {
            std::fs::write(folder.path().join(name), lines.join("\n") + "\n").unwrap();
            continue;
        }
        match language.as_str() {
            "console" => {
                let command = words(lines[0].strip_prefix("$ headend ").unwrap());
                let mut program = Command::new(env!("CARGO_BIN_EXE_headend"));
                program.current_dir(folder.path()).args(&command);
                if command[0] == "run" {
                    // The page shows nothing of it.
                    program.arg("--check-fidelity=never");
                }
                let done = program.output().unwrap();
                let said = String::from_utf8(done.stdout).unwrap();
                let wanted: Vec<&str> = lines[1..].iter().map(String::as_str).collect();
                let said: Vec<&str> = said.lines().collect();
                assert!(
                    fits(&said, &wanted),
                    "{}\n{}\n{}",
                    lines[0],
                    said.join("\n"),
                    String::from_utf8_lossy(&done.stderr)
                );
                commands += 1;
            }
            "diff" => edit(&folder.path().join("net.toml"), &lines),
            "csv" => {
                let list = include_str!("../../templates/branches.csv");
                assert!(list.starts_with(&lines.join("\n")), "the list that is shown is the list that is written");
            }
            other => panic!("{other} is no block that is tested"),
        }
    }
    (commands, folder)
}

/// The part of it that takes no time is run always.
#[test]
fn its_parts_can_be_read() {
    for page in ["docs/tutorial.md", "docs/telemetry.md"] {
        let text = std::fs::read_to_string(page).unwrap();
        let commands = blocks(&text).into_iter().filter(|(language, _)| language == "console");
        assert!(commands.into_iter().all(|(_, lines)| lines[0].starts_with("$ headend ")), "{page}");
    }
    assert!(fits(&["a", "b", "c"], &["...", "c"]) && !fits(&["a", "b"], &["...", "c"]));
}
