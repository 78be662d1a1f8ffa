//! The program as a user calls it: exit codes, files, repeatability.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub fn headend(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headend")).args(arguments).output().unwrap()
}

fn collect(folder: &Path, root: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, root, found);
        } else {
            found.insert(path.strip_prefix(root).unwrap().to_owned(), std::fs::read(&path).unwrap());
        }
    }
}

/// Every file below a folder but the manifest, which has the clock in it.
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    collect(folder, folder, &mut found);
    assert!(found.remove(Path::new("manifest.json")).is_some());
    found
}

#[track_caller]
pub fn same(a: &BTreeMap<PathBuf, Vec<u8>>, b: &BTreeMap<PathBuf, Vec<u8>>) {
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    for (path, bytes) in a {
        assert!(bytes == &b[path], "{} differs", path.display());
    }
}

/// One thread, and two: every byte is the same.
#[test]
fn the_same_command_leaves_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let runs: Vec<_> = [("1", "a"), ("2", "b")]
        .into_iter()
        .map(|(threads, name)| {
            let out = folder.path().join(name);
            let records = out.with_extension("csv");
            let (out_text, records_text) = (out.to_str().unwrap(), records.to_str().unwrap());
            let run = headend(&[
                "run",
                "scenarios/tiny.toml",
                "--replications",
                "5",
                "--threads",
                threads,
                "--out",
                out_text,
                "--records",
                records_text,
            ]);
            assert!(run.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&run.stderr));
            let mut files = tree(&out);
            files.insert("records.csv".into(), std::fs::read(records).unwrap());
            files
        })
        .collect();
    same(&runs[0], &runs[1]);
    assert!(runs[0][Path::new("records.csv")].starts_with(b"replication,option,class,site,concentrator,start_s,"));
}

/// The committed example is what the program makes of `tiny`, to the byte. `UPDATE_GOLDEN=1` writes it anew.
#[test]
fn the_committed_example_is_up_to_date() {
    let golden = Path::new("output/tiny");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        assert!(headend(&["run", "scenarios/tiny.toml"]).status.code().is_some_and(|code| code < 2));
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    assert!(headend(&["run", "scenarios/tiny.toml", "--out", out]).status.code().is_some_and(|code| code < 2));
    same(&tree(golden), &tree(folder.path()));
}

/// Two dated days with tunnels, faults, calls and waiting work leave what they always left, to the byte, in every table. The
/// summary is the program's word for word. `UPDATE_GOLDEN=1` writes them anew.
#[test]
fn two_days_of_faults_are_up_to_date() {
    let (golden, scenario) = (Path::new("tests/golden/two-days"), "tests/golden/two-days.toml");
    let folder = tempfile::tempdir().unwrap();
    let run = headend(&["run", scenario, "--check-fidelity=never", "--out", folder.path().to_str().unwrap()]);
    assert!(run.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&run.stderr));
    let mut made = tree(folder.path());
    made.retain(|path, _| GOLDEN_TABLES.iter().any(|table| path.as_os_str() == *table));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(golden).unwrap();
        for (path, bytes) in &made {
            std::fs::write(golden.join(path), bytes).unwrap();
        }
    }
    let mut kept = BTreeMap::new();
    collect(golden, golden, &mut kept);
    same(&kept, &made);
}

/// What is kept of it: small enough to be read.
const GOLDEN_TABLES: [&str; 6] =
    ["replications.csv", "sites.csv", "summary.csv", "summary.md", "classes.csv", "tunnels.csv"];

/// A test for each scenario that is shipped, so that two cores share them.
macro_rules! scenarios {
    ($($(#[$attribute:meta])* $test:ident: $run:ident $name:literal;)*) => {
        $($(#[$attribute])* #[test] fn $test() { $run($name); })*

        /// No scenario is left out.
        #[test]
        fn every_scenario_has_its_test() {
            let names = std::fs::read_dir("scenarios").unwrap().map(|entry| entry.unwrap().path());
            let mut names: Vec<String> = names.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
            names.sort();
            assert_eq!(names, [$($name),*]);
        }
    };
}

scenarios! {
    availability_year_says_its_story: story "availability-year";
    balance_by_chance_runs: short "balance-by-chance";
    balance_ideal_runs: short "balance-ideal";
    balance_list_or_turns_runs: short "balance-list-or-turns";
    balance_tunnels_or_load_runs: short "balance-tunnels-or-load";
    curfew_runs: short "curfew";
    five_day_firewall_2023_says_its_story: story "five-day-firewall-2023";
    #[ignore = "simulates a day of Kent with three set-ups; CI runs it"]
    hub_fails_0830_says_its_story: story "hub-fails-0830";
    #[ignore = "simulates a day with five set-ups; CI runs it"]
    inert_shaping_says_its_story: story "inert-shaping";
    #[ignore = "simulates five days of Kent with four set-ups; CI runs it"]
    kent_april_2026_says_its_story: long_story "kent-april-2026";
    #[ignore = "simulates a day of Kent; CI runs it"]
    kent_monday_runs: short "kent-monday";
    one_or_two_runs: short "one-or-two";
    outgrown_runs: short "outgrown";
    reboot_storm_says_its_story: story "reboot-storm";
    rogue_site_2009_says_its_story: story "rogue-site-2009";
    store_and_forward_says_its_story: story "store-and-forward";
    tiny_runs: short "tiny";
    #[ignore = "simulates a week; CI runs it"]
    week_runs: short "week";
}

/// A shipped scenario runs and leaves a page with charts: the base and the first option, once.
fn short(name: &str) {
    let option = first_option(name);
    let mut more = vec!["--replications", "1"];
    more.extend(option.iter().flat_map(|name| ["--option", name]));
    runs(name, &more);
}

/// An incident says what it always said, to the letter, with every option.
fn story(name: &str) {
    story_of(name, "2");
}

/// The same of one replication.
fn long_story(name: &str) {
    story_of(name, "1");
}

fn story_of(name: &str, replications: &str) {
    let said = runs(name, &["--replications", replications]);
    let said: Vec<&str> = said.lines().filter(|line| !line.starts_with("Report: ")).collect();
    insta::assert_snapshot!(format!("story_{name}"), said.join("\n"));
}

/// Runs a scenario; what it prints.
fn runs(name: &str, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (path, out) = (format!("scenarios/{name}.toml"), folder.path().join("out"));
    // Where it would take half a minute, no quarter of an hour is looked at packet by packet unless somebody asks for it.
    let check = if name == "hub-fails-0830" { "if-cheap" } else { "never" };
    let check = format!("--check-fidelity={check}");
    let mut words = vec!["run", &path, &check, "--out", out.to_str().unwrap()];
    words.extend(more);
    let run = headend(&words);
    let fault = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.code().is_some_and(|code| code < 2), "{name}: {fault}");
    assert!(out.join("report.html").exists() && out.join("charts").read_dir().unwrap().next().is_some());
    assert!(!out.join(".unfinished").exists(), "nothing is left over");
    String::from_utf8(run.stdout).unwrap()
}

/// The name of a scenario's first option.
fn first_option(name: &str) -> Option<String> {
    let text: toml::Table = std::fs::read_to_string(format!("scenarios/{name}.toml")).unwrap().parse().unwrap();
    Some(text.get("option")?.get(0)?.get("name")?.as_str()?.to_owned())
}

/// With one option the others are not run; JSON holds the same verdicts; the code says whether one is met.
#[test]
fn a_run_of_one_option_reports_it_and_the_base() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let run = headend(&["run", "scenarios/tiny.toml", "--option", "first", "--json", "--out", out]);
    let json: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let names: Vec<&str> =
        json["setups"].as_array().unwrap().iter().map(|setup| setup["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["base", "first"]);
    assert_eq!(json["setups"][1]["targets"][0]["verdict"], "met");
    assert_eq!(run.status.code(), Some(0));
}

/// A quarter of an hour with a target is held against packets unasked, where that is cheap and nobody forbids it.
#[test]
fn the_fidelities_are_held_against_each_other_where_it_is_cheap() {
    let folder = tempfile::tempdir().unwrap();
    let checked = |scenario: &str, more: &[&str]| {
        let arguments = ["run", scenario, "--replications", "1", "--json", "--out", folder.path().to_str().unwrap()];
        let run = headend(&[&arguments, more].concat());
        let json: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        json["check"]["from"].as_str().map(str::to_owned)
    };
    let tiny = "scenarios/tiny.toml";
    assert_eq!(checked(tiny, &[]).as_deref(), Some("08:30"));
    assert_eq!(checked(tiny, &["--check-fidelity=08:45"]).as_deref(), Some("08:45"));
    assert_eq!(checked(tiny, &["--check-fidelity=never"]), None);
    assert_eq!(checked(tiny, &["--fidelity", "packet"]), None, "packets need no check");
    assert_eq!(checked("scenarios/availability-year.toml", &[]), None, "nothing to look at");
}

#[test]
fn the_exit_code_says_that_no_set_up_meets_its_targets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hopeless.toml");
    let text =
        std::fs::read_to_string("scenarios/tiny.toml").unwrap().replace("at_most = \"2 s\"", "at_most = \"1 ms\"");
    std::fs::write(&path, text).unwrap();
    let run = headend(&["run", path.to_str().unwrap(), "--out", folder.path().join("out").to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(1), "{}", String::from_utf8_lossy(&run.stderr));
}

/// What `init` writes can be checked and run; it never writes over anything.
#[test]
fn the_starter_is_a_scenario_that_runs() {
    let folder = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_headend");
    let call = |arguments: &[&str]| Command::new(program).args(arguments).current_dir(folder.path()).output().unwrap();
    assert_eq!(call(&["init", "mine"]).status.code(), Some(0));
    assert_eq!(call(&["check", "mine.toml"]).status.code(), Some(0));
    let run = call(&["run", "mine.toml", "--replications", "2", "--check-fidelity=never"]);
    assert!(run.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&run.stderr));
    assert!(folder.path().join("output/mine/report.html").exists());
    let again = call(&["init", "mine"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&again.stderr).contains("already exists"));
}

/// A study that was cut short goes on from its finished runs, to the same bytes.
#[cfg(unix)]
#[test]
fn a_study_that_is_stopped_goes_on_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (cut, whole) = (folder.path().join("cut"), folder.path().join("whole"));
    let arguments = |out: &Path| {
        let file = "scenarios/balance-ideal.toml";
        let words = ["run", file, "--replications", "3", "--check-fidelity=never", "--threads", "1", "--out"];
        words.into_iter().chain([out.to_str().unwrap()]).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_headend"))
        .args(arguments(&cut))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    // Wait for the first finished run, however slow the machine, then press Ctrl-C.
    while !runs_in(&cut.join(".unfinished")) {
        std::thread::sleep(std::time::Duration::from_millis(5));
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be stopped");
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let stopped = child.wait_with_output().unwrap();
    assert_eq!(stopped.status.code(), Some(130), "{}", String::from_utf8_lossy(&stopped.stderr));
    assert!(!cut.join("report.html").exists(), "nothing half-written");
    for out in [&cut, &whole] {
        let run = Command::new(env!("CARGO_BIN_EXE_headend")).args(arguments(out)).output().unwrap();
        assert!(run.status.code().is_some_and(|code| code < 2));
    }
    same(&tree(&whole), &tree(&cut));
}

/// Whether some finished run is kept below a folder.
#[cfg(unix)]
fn runs_in(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() { runs_in(&path) } else { path.extension().is_some_and(|ending| ending == "run") }
    })
}

#[test]
fn the_schema_describes_every_table() {
    let schema: serde_json::Value = serde_json::from_slice(&headend(&["schema"]).stdout).unwrap();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    for table in ["question", "run", "estate", "class", "concentrator", "pool", "option", "target", "source"] {
        assert!(schema["properties"][table].is_object(), "{table} is not described");
    }
    let described = schema["definitions"]["ClassFile"]["properties"]["patience"]["description"].as_str().unwrap();
    assert!(described.contains("How long a person waits"));
}

/// README's commands are the product's: each one that starts with `headend` is understood.
#[test]
fn the_commands_of_the_readme_are_understood() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    let commands: Vec<&str> =
        readme.lines().filter_map(|line| line.trim().strip_prefix("./target/release/headend ")).collect();
    assert!(commands.len() >= 4, "{commands:?}");
    for command in commands {
        let words: Vec<&str> = command.split('#').next().unwrap().split_whitespace().collect();
        match words[0] {
            "run" | "check" | "forecast" | "live" | "plan" | "compare" | "headroom" | "sweep" => {
                let check = headend(&["check", words[1]]);
                assert!(check.status.success() || words[1] == "mine.toml", "{command}");
            }
            "ask" | "hindcast" | "fit" | "import" => {
                let help = headend(&[words[0], "--help"]);
                assert!(help.status.success(), "{command}");
            }
            "init" | "schema" => {}
            other => panic!("{other} is not a verb"),
        }
    }
}

/// What a user sees on the terminal, whole.
#[test]
fn the_terminal_shows_what_it_should() {
    trycmd::TestCases::new().case("tests/cmd/*.trycmd");
}

/// The main job itself: one and two threads leave the same bytes. Longer, so CI runs it.
#[test]
#[ignore = "simulates mornings of Kent; CI runs it"]
fn a_morning_of_kent_leaves_the_same_bytes_on_one_and_two_threads() {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string("scenarios/kent-monday.toml").unwrap();
    let scenario = folder.path().join("kent.toml");
    std::fs::write(&scenario, text.replace("until = \"18:30\"\nseed", "until = \"12:05\"\nseed")).unwrap();
    let runs = ["1", "2"].map(|threads| {
        let out = folder.path().join(threads);
        let run = headend(&[
            "run",
            scenario.to_str().unwrap(),
            "--check-fidelity=never",
            "--option",
            "all",
            "--replications",
            "1",
            "--threads",
            threads,
            "--out",
            out.to_str().unwrap(),
        ]);
        assert!(run.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&run.stderr));
        tree(&out)
    });
    same(&runs[0], &runs[1]);
}
