//! Hard to break: what is meaningless, hostile or in the way is refused with its place, and nothing of the user's is lost.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn headend(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headend")).current_dir(folder).args(words).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A scenario whose sites come from a CSV file beside it, in a folder of its own.
fn with_sites(rows: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let (head, rest) = tiny.split_once("[[estate").unwrap();
    let rest = &rest[rest.find("\n[[profile]]").unwrap()..];
    let estate = "[estate.csv]\nfile = \"sites.csv\"\ncode = \"CODE\"\npatients = \"PATIENTS\"\n\n[[estate.link]]\nshare = \"100 %\"\n\
                  down = \"80 Mbit/s\"\nup = \"20 Mbit/s\"\n";
    std::fs::write(folder.path().join("mine.toml"), format!("{head}{estate}{rest}")).unwrap();
    std::fs::write(folder.path().join("sites.csv"), format!("CODE,PATIENTS\n{rows}")).unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

const ROWS: &str = "A1,9000\nA2,5000\nA3,4000\n";
const QUICK: [&str; 3] = ["--replications", "1", "--check-fidelity=never"];

/// Cases that were accepted without a word, ate all memory or never ended. Each is refused at once with what it is called here.
#[test]
fn what_is_meaningless_is_refused_with_its_place() {
    const CASES: [(&str, &str); 14] = [
        ("08-option-names-differ-in-case", "a second option `Curfew`"),
        ("09-days-4e9-oom", "a run of 4000000000 days"),
        ("11-unknown-keys-quadratic", "`zz0` is not a field that is known here"),
        ("12-weekday-factor-oom", "a day of the week with 1000000000 times as much"),
        ("13-bins-times-days-oom", "32940000 bins in all are too many"),
        ("14-flaps-1us-endless", "firewalls that stall without a pause"),
        ("14b-flaps-1ns-oom", "firewalls that stall without a pause"),
        ("15-retransmit-1ns-oom", "a request is not sent again that soon"),
        ("15b-retransmit-1ns-endless", "a request is not sent again that soon"),
        ("16-up-zero-ignored", "an access link of no capacity"),
        ("16b-up-without-down-ignored", "a link that has `up` without `down`"),
        ("30-days-0-overflow-in-debug", "a run of 0 days"),
        ("up-only", "has what links carry up, and not what they carry down"),
        ("total-row", "`Total` looks like a sum over the rows above, not like a site"),
    ];
    let folder = Path::new("../shared/cases/input");
    if !folder.exists() {
        eprintln!("SKIPPED: {} is not there", folder.display());
        return;
    }
    for (name, title) in CASES {
        let done = headend(folder, &["check", &format!("{name}.toml")]);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains(title) && said.contains("-->") && said.contains("= help:"), "{name}: {said}");
    }
}

/// Options that include all above them double with each, were they gone through anew: thirty would take a minute.
#[test]
fn options_that_include_each_other_take_no_time() {
    let folder = tempfile::tempdir().unwrap();
    let mut tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let (head, source) = tiny.split_once("[source]").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    tiny = head;
    for number in 0..40 {
        let above: Vec<String> = (0..number).map(|other| format!("\"o{other}\"")).collect();
        tiny += &format!("[[option]]\nname = \"o{number}\"\ninclude = [{}]\n", above.join(", "));
    }
    std::fs::write(folder.path().join("many.toml"), format!("{tiny}[source]{source}")).unwrap();
    let done = headend(folder.path(), &["check", "many.toml"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
}

/// An estate and a table of results have one name: the estate stays.
#[test]
fn results_never_overwrite_what_they_come_from() {
    let (_folder, path) = with_sites(ROWS);
    let before = std::fs::read(path.join("sites.csv")).unwrap();
    let done = headend(&path, &[&["run", "mine.toml", "--out", "."], &QUICK[..]].concat());
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("sites.csv is an input of this scenario") && said.contains("--out"), "{said}");
    assert_eq!(std::fs::read(path.join("sites.csv")).unwrap(), before);
    for (records, fault) in [
        ("mine.toml", "is an input of this scenario"),
        ("sites.csv", "is an input of this scenario"),
        (".", "is a folder"),
        ("nowhere/records.csv", "its folder is not there"),
        ("output/mine/summary.csv", "is the name of a result"),
    ] {
        let done = headend(&path, &[&["run", "mine.toml", "--records", records], &QUICK[..]].concat());
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{records}: {said}");
        assert!(said.contains(fault), "{records}: {said}");
        assert!(!path.join("output/mine/report.html").exists(), "{records}: nothing was simulated");
    }
    assert_eq!(std::fs::read(path.join("sites.csv")).unwrap(), before);
    // Elsewhere it runs.
    let done = headend(&path, &[&["run", "mine.toml", "--records", "records.csv"], &QUICK[..]].concat());
    assert!(done.status.code().is_some_and(|code| code < 2), "{}", text(&done.stderr));
}

/// What an earlier run left and this one does not write goes; what the user put there stays.
#[test]
fn files_of_an_earlier_run_go() {
    let (_folder, path) = with_sites(ROWS);
    let run = |words: &[&str]| {
        let done = headend(&path, &[words, &QUICK[..]].concat());
        assert!(done.status.code().is_some_and(|code| code < 2), "{}", text(&done.stderr));
    };
    run(&["run", "mine.toml"]);
    let folder = path.join("output/mine");
    assert!(folder.join("charts/waiting.svg").exists(), "the curfew leaves jobs waiting");
    std::fs::write(folder.join("charts/mine.txt"), "a note").unwrap();
    run(&["run", "mine.toml", "--option", "first"]);
    assert!(!folder.join("charts/waiting.svg").exists(), "without the curfew nothing waits");
    assert!(folder.join("charts/mine.txt").exists(), "what is the user's stays");
}

/// A code that a sheet would run is text, in tables and in records.
#[test]
fn a_code_is_no_formula() {
    let (_folder, path) =
        with_sites("\"=HYPERLINK(\"\"http://evil/\"\",\"\"x\"\")\",9000\n+1+1,5000\n@SUM(1),4000\n007,300\n");
    let done = headend(&path, &[&["run", "mine.toml", "--records", "records.csv"], &QUICK[..]].concat());
    assert!(done.status.code().is_some_and(|code| code < 2), "{}", text(&done.stderr));
    for file in ["output/mine/sites.csv", "records.csv"] {
        let table = std::fs::read_to_string(path.join(file)).unwrap();
        assert!(table.contains("'=HYPERLINK") && table.contains("'+1+1") && table.contains("'@SUM(1)"), "{file}");
        assert!(table.contains(",007,"), "{file}: a code keeps its zeros");
        let runs = |cell: &str| cell.trim_matches('"').starts_with(['=', '@']);
        assert!(!table.lines().any(|line| line.split(',').any(runs)), "{file}");
    }
}

/// A disk that is full behind stdout is told; a reader that has gone is not.
#[test]
#[cfg(target_os = "linux")]
fn what_cannot_be_printed_is_told() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for words in [&["schema"][..], &["profiles"], &["check", "scenarios/tiny.toml"]] {
        let mut program = Command::new(env!("CARGO_BIN_EXE_headend"));
        let done = program.args(words).stdout(Stdio::from(full())).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{words:?}");
        assert!(text(&done.stderr).contains("cannot write to standard output"), "{words:?}: {}", text(&done.stderr));
    }
    let mut program = Command::new(env!("CARGO_BIN_EXE_headend"));
    let wrong = program.args(["check", "nowhere.toml"]).stderr(Stdio::from(full())).status().unwrap();
    assert_eq!(wrong.code(), Some(2), "the code says it, whether or not it can be read");
}

/// A pipe never ends: it is no file to read.
#[test]
#[cfg(unix)]
fn what_is_no_file_is_not_read() {
    let (_folder, path) = with_sites(ROWS);
    std::fs::remove_file(path.join("sites.csv")).unwrap();
    assert!(Command::new("mkfifo").arg(path.join("sites.csv")).status().unwrap().success());
    let done = headend(&path, &["check", "mine.toml"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("a pipe or a device"), "{}", text(&done.stderr));
    let done = headend(&path, &["check", "/dev/zero"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("a pipe or a device"), "{}", text(&done.stderr));
}

/// Cases that broke the program, or its answer, and are right as scenarios: each ends, and says what is so.
#[test]
fn what_once_broke_ends_well() {
    const CASES: [(&str, &str, &str); 6] = [
        (
            "compare 20c-cmp-last.toml 20d-cmp-only.toml --first 3 --budget 3",
            "is the cheapest that meets every target",
            "",
        ),
        (
            "compare 20a-compare-first.toml 20b-compare-classes-in-other-order.toml --first 3 --budget 3",
            "20b-compare",
            "",
        ),
        ("run 02-two-curfews-same-end-panic.toml --replications 1", "curfew", "panicked"),
        ("run 03-resize-packet-rate-panic.toml --replications 1", "tenth", "panicked"),
        ("run 01-packet-server-panic.toml --fidelity packet --grain 8 --replications 1", "staff lost", "panicked"),
        ("run 18-long-title-no-report.toml --replications 1 --check-fidelity=never", "Report:", "cannot write"),
    ];
    let cases = Path::new("../shared/cases/input");
    if !cases.exists() {
        eprintln!("SKIPPED: {} is not there", cases.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (place, (command, wanted, unwanted)) in CASES.into_iter().enumerate() {
        let out = folder.path().join(place.to_string());
        let words: Vec<&str> = command.split(' ').chain(["--out", out.to_str().unwrap()]).collect();
        let done = headend(cases, &words);
        let said = text(&done.stdout) + &text(&done.stderr);
        assert!(done.status.code().is_some_and(|code| code < 2), "{command}: {said}");
        assert!(said.contains(wanted), "{command}: {said}");
        assert!(unwanted.is_empty() || !said.contains(unwanted), "{command}: {said}");
    }
}

/// Set-ups are compared on the same days: what a file does not record, and another day of the week, are refused.
#[test]
fn files_that_are_compared_are_of_the_same_days() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    std::fs::write(folder.path().join("a.toml"), &tiny).unwrap();
    std::fs::write(
        folder.path().join("later.toml"),
        tiny.replace("from = \"07:30\"\nuntil = \"10:00\"\nseed", "from = \"08:30\"\nuntil = \"10:00\"\nseed").replace(
            "from = \"08:00\"\nuntil = \"09:00\"\n\n[[target",
            "from = \"08:30\"\nuntil = \"09:00\"\n\n[[target",
        ),
    )
    .unwrap();
    std::fs::write(folder.path().join("tuesday.toml"), tiny.replace("\"Mon\"", "\"Tue\"")).unwrap();
    std::fs::write(folder.path().join("seed.toml"), tiny.replace("seed = 7", "seed = 8")).unwrap();
    for (other, fault) in [("later.toml", "records 08:30 to 10:00"), ("tuesday.toml", "runs 1 day from Tue")] {
        let done = headend(folder.path(), &["compare", "a.toml", other]);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(fault) && said.contains("= help:") && said.contains(other), "{said}");
    }
    // With the seed of the first for all, a file is as good as itself with another seed.
    let compared =
        headend(folder.path(), &["compare", "a.toml", "seed.toml", "--first", "3", "--budget", "3", "--json"]);
    let found: serde_json::Value = serde_json::from_slice(&compared.stdout).unwrap();
    let means: Vec<&serde_json::Value> =
        found["rows"].as_array().unwrap().iter().map(|row| &row["figures"][0]["mean"]).collect();
    let half = means.len() / 2;
    assert_eq!(means.len(), 6, "{found}");
    let mut sorted: Vec<f64> = means.iter().map(|mean| mean.as_f64().unwrap()).collect();
    sorted.sort_by(f64::total_cmp);
    assert!(sorted.chunks(2).all(|pair| pair[0].to_bits() == pair[1].to_bits()), "{half} {sorted:?}");
}

/// What would cost more than two gibibytes or ten thousand million events is said beforehand, and done only if it is wanted.
#[test]
fn what_is_costly_is_asked_twice() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("many.toml", &tiny.replace("replications = 5\nmax_replications = 10", "replications = 90000"));
    write("tiny.toml", &tiny);
    let refused = |words: &[&str], what: &str| {
        let done = headend(folder.path(), words);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains(what) && said.contains("= help:"), "{words:?}: {said}");
    };
    refused(&["run", "many.toml"], "million events");
    assert!(!folder.path().join("output").exists(), "nothing is begun");
    let told = headend(folder.path(), &["check", "many.toml"]);
    assert_eq!(told.status.code(), Some(0));
    let told = text(&told.stdout).replace('\n', " ");
    assert!(told.contains("This is more than is run without `--yes`"), "{told}");
    refused(&["sweep", "tiny.toml", "--vary", "a=1..1000:1", "--vary", "b=1..20:1"], "20000 points are too many");
    write("fine.toml", &tiny.replace("seed = 7", "seed = 7\nbin = \"1 s\""));
    let rates: Vec<String> = (1..=400).map(|rate| format!("{rate} Mbit/s")).collect();
    let vary = format!("concentrator.hub.throughput={}", rates.join(","));
    refused(&["sweep", "fine.toml", "--vary", &vary], "MB of memory");
    // A sweep costs what its points cost, whatever the scenario would.
    let cheap = headend(folder.path(), &["sweep", "many.toml", "--vary", "run.replications=1,2"]);
    assert_eq!(cheap.status.code(), Some(0), "{}", text(&cheap.stderr));
    refused(&["sweep", "tiny.toml", "--vary", "run.seed=1,2", "--vary", "run.seed=3,4"], "`run.seed` is varied twice");
    refused(&["sweep", "tiny.toml", "--vary", "class.clinical.turns=18..21:1"], "with `class.clinical.turns =");
}

/// Control characters, and marks that turn the direction of writing, are shown as symbols: in what is printed, and in files.
#[test]
fn nothing_is_hidden() {
    let (_folder, path) = with_sites("A\u{1b}[31m1,9000\nA\u{202e}2,5000\n");
    let mine = std::fs::read_to_string(path.join("mine.toml")).unwrap();
    let mine = mine.replace("title = \"updates not before 09:00\"", "title = \"up\u{202e}dates\"");
    std::fs::write(path.join("esc\u{1b}[31m.toml"), mine).unwrap();
    let done = headend(&path, &[&["run", "esc\u{1b}[31m.toml", "--out", "out"], &QUICK[..]].concat());
    assert!(done.status.code().is_some_and(|code| code < 2), "{}", text(&done.stderr));
    let wrong = headend(&path, &["check", "no\u{1b}[31m\u{202e}.toml"]);
    assert_eq!(wrong.status.code(), Some(2));
    let mut shown = vec![text(&done.stdout), text(&done.stderr), text(&wrong.stderr)];
    for file in
        ["report.html", "summary.md", "summary.csv", "sites.csv", "options.csv", "stress-des.md", "charts/affected.svg"]
    {
        shown.extend(std::fs::read_to_string(path.join("out").join(file)));
    }
    assert!(shown.len() >= 8);
    let is_hidden = |letter: char| (letter.is_control() && letter != '\n' && letter != '\t') || letter == '\u{202e}';
    for text in shown {
        assert!(!text.chars().any(is_hidden), "{text}");
    }
}

/// A scenario reads what lies beside it; what lies elsewhere only if the user says so.
#[test]
fn a_scenario_reads_its_own_folder() {
    let (_folder, path) = with_sites(ROWS);
    let inner = path.join("inner");
    std::fs::create_dir(&inner).unwrap();
    let mine = std::fs::read_to_string(path.join("mine.toml")).unwrap();
    let absolute = path.join("sites.csv").display().to_string();
    for name in ["../sites.csv", &absolute, "/etc/passwd"] {
        std::fs::write(inner.join("mine.toml"), mine.replace("sites.csv", name)).unwrap();
        let done = headend(&path, &["check", "inner/mine.toml"]);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains("lies outside the folder of the scenario") && said.contains("--allow-outside"), "{said}");
        assert!(!said.contains("root:"), "{said}");
        let allowed = headend(&path, &["check", "inner/mine.toml", "--allow-outside"]);
        assert_eq!(allowed.status.code(), Some(if name.starts_with("/etc") { 2 } else { 0 }), "{name}");
    }
}

/// What is the user's and has the name of a result is left alone, in a folder that headend has never written to.
#[test]
fn what_is_not_ours_is_not_overwritten() {
    let (_folder, path) = with_sites(ROWS);
    std::fs::create_dir(path.join("mine")).unwrap();
    for (file, words) in [
        ("report.xlsx", &["run", "mine.toml", "--out", "mine"][..]),
        ("compare.csv", &["compare", "mine.toml", "--out", "mine"]),
    ] {
        let file = path.join("mine").join(file);
        std::fs::write(&file, "my own").unwrap();
        let done = headend(&path, words);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains("was not written by headend") && said.contains("--out"), "{said}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "my own");
        std::fs::remove_file(&file).unwrap();
    }
    std::fs::write(path.join("notes.csv"), "my own").unwrap();
    let done = headend(&path, &[&["run", "mine.toml", "--records", "notes.csv"], &QUICK[..]].concat());
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("holds something else than records"), "{}", text(&done.stderr));
    assert_eq!(std::fs::read_to_string(path.join("notes.csv")).unwrap(), "my own");
}

/// A sheet that somebody has open costs nothing but the sheet.
#[test]
fn a_sheet_that_cannot_be_written_does_not_lose_the_study() {
    let (_folder, path) = with_sites(ROWS);
    let run = [&["run", "mine.toml"], &QUICK[..]].concat();
    // A folder in its place cannot be replaced by a file, as little as a file that is open on Windows.
    std::fs::create_dir_all(path.join("output/mine/report.xlsx/in the way")).unwrap();
    let done = headend(&path, &run);
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("cannot write") && said.contains("report.xlsx") && said.contains("= help:"), "{said}");
    assert!(text(&done.stdout).contains("clinical p95"), "the answer is told all the same");
    let folder = path.join("output/mine");
    for file in ["report.html", "manifest.json", "summary.csv"] {
        assert!(folder.join(file).exists(), "{file}");
    }
    assert!(!std::fs::read_to_string(folder.join("manifest.json")).unwrap().contains("report.xlsx"));
    assert!(folder.join(".unfinished").exists(), "what was simulated is kept");
    std::fs::remove_dir_all(folder.join("report.xlsx")).unwrap();
    let done = headend(&path, &run);
    assert!(done.status.code().is_some_and(|code| code < 2), "{}", text(&done.stderr));
    assert!(folder.join("report.xlsx").exists() && !folder.join(".unfinished").exists());
}

/// A part of a zip, by its local header.
fn part(bytes: &[u8], name: &str) -> String {
    let at = bytes.windows(name.len()).position(|window| window == name.as_bytes()).unwrap();
    let short = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let start = at + name.len() + short(at - 2);
    let mut text = String::new();
    flate2::read::DeflateDecoder::new(&bytes[start..]).read_to_string(&mut text).unwrap();
    text
}

/// Codes and texts stay as they are in the sheet, whatever they look like.
#[test]
fn text_stays_text_in_the_sheet() {
    let (_folder, path) = with_sites("007,9000\n1E5,5000\n\"1,234\",4000\n=1+1,3000\n");
    let done = headend(&path, &[&["run", "mine.toml"], &QUICK[..]].concat());
    assert!(done.status.code().is_some_and(|code| code < 2), "{}", text(&done.stderr));
    let bytes = std::fs::read(path.join("output/mine/report.xlsx")).unwrap();
    let strings = part(&bytes, "xl/sharedStrings.xml");
    for code in ["007", "1E5", "1,234", "=1+1"] {
        assert!(strings.contains(&format!("<t>{code}</t>")), "{code}");
    }
}

/// Inputs that are written and not used are told: links that nobody draws, transactions after the end, two set-ups of one name.
#[test]
fn nothing_is_dropped_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let check = |text: &str| {
        std::fs::write(folder.path().join("a.toml"), text).unwrap();
        let done = headend(folder.path(), &["check", "a.toml"]);
        self::text(&done.stdout) + &self::text(&done.stderr)
    };
    let link = "[[estate.link]]\nshare = \"100 %\"\ndown = \"1 Mbit/s\"\nup = \"1 Mbit/s\"\n";
    for (text, told) in [
        (
            tiny.replace("\n[[profile]]\nname = \"staffed\"", &format!("\n{link}\n[[profile]]\nname = \"staffed\"")),
            "links that no site draws",
        ),
        (
            tiny.replace(
                "[[estate.site]]\nname = \"mill-lane\"",
                "[estate]\nrtt = { fixed = \"5 ms\" }\n[[estate.site]]\nname = \"mill-lane\"",
            ),
            "round trips that no site draws",
        ),
        (
            tiny.replace("title = \"calls and screens first\"", "title = \"updates not before 09:00\""),
            "a second set-up that is called",
        ),
        (tiny.replace("title = \"calls and screens first\"", "title = \"as it is\""), "a second set-up that is called"),
        (tiny.replace("throughput = \"10 Mbit/s\"", "throughput = \"1,000 Mbit/s\""), "without thousands separators"),
    ] {
        assert_ne!(text, tiny);
        let said = check(&text);
        assert!(said.contains(told), "{told}: {said}");
    }
    std::fs::write(folder.path().join("replay.csv"), "start_s,site,class,request_bytes,response_bytes\n28900,mill-lane,clinical,100,3000\n90000,mill-lane,clinical,100,3000\n").unwrap();
    let said = check(&tiny.replace(
        "[[class]]\nname = \"clinical\"",
        "[replay]\nfile = \"replay.csv\"\n\n[[class]]\nname = \"clinical\"",
    ));
    assert!(said.contains("1 of 2 transactions of the replay begin after the run has ended"), "{said}");
}

/// A table that is no CSV with commas is told from one that lacks a column.
#[test]
fn what_a_table_is_instead_is_told() {
    for (rows, told) in [
        ("CODE;PATIENTS\nA1;9000\n", "separated by semicolons"),
        ("CODE\tPATIENTS\nA1\t9000\n", "separated by tabs"),
        ("sep=,\nCODE,PATIENTS\nA1,9000\n", "begins with `sep="),
        ("Practices of the county\nCODE,PATIENTS\nA1,9000\n", "is a title, not a header"),
        ("CODE,PATIENTS\nA1\n", "this row ends before its 2nd column: it has 1"),
        ("CODE,PATIENTS\nA1,\n", "an empty cell, where a number of people should be"),
        ("CODE,PATIENTS\nA1,\"9,000\"\n", "without thousands separators"),
    ] {
        let (_folder, path) = with_sites("");
        std::fs::write(path.join("sites.csv"), rows).unwrap();
        let done = headend(&path, &["check", "mine.toml"]);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(told) && said.contains("= help:"), "{told}: {said}");
    }
}

/// A fault in a file of devices is shown in that file.
#[test]
fn a_fault_of_a_device_stands_in_its_own_file() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let tiny = format!("profiles = \"own.toml\"\n{}", tiny.replace("throughput = \"10 Mbit/s\"", "profile = \"box\""));
    std::fs::write(folder.path().join("a.toml"), tiny).unwrap();
    for (figures, told) in [
        ("throughput = \"0 Mbit/s\"", "a device that can do nothing"),
        ("throughput = \"10 Mbit/s\"\ntunnels = 0", "a device that can do nothing"),
        ("throughput = \"10 furlongs\"", "is not a unit"),
    ] {
        std::fs::write(folder.path().join("own.toml"), format!("[box]\n{figures}\nfrom = \"a sheet\"\n")).unwrap();
        let done = headend(folder.path(), &["check", "a.toml"]);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains("--> own.toml:") && said.contains(told) && said.contains("1 problem in"), "{said}");
    }
}

/// What a CSV file says and is not read as it seems: a quote that is never closed, numbers cut by commas, columns of one name.
#[test]
fn rows_are_read_as_they_seem() {
    for (rows, told) in [
        ("CODE,PATIENTS,name\nA1,9000,\"x\nB1,6000,y\nC1,3000,z\n", "a quote that is never closed"),
        ("CODE,PATIENTS\nA1,9,000\nB1,6,000\n", "this row has 3 columns, and the header 2"),
        ("CODE,PATIENTS,PATIENTS\nA1,9000,1\n", "has several columns `PATIENTS`"),
    ] {
        let (_folder, path) = with_sites("");
        std::fs::write(path.join("sites.csv"), rows).unwrap();
        let done = headend(&path, &["check", "mine.toml"]);
        let said = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{said}");
        assert!(said.contains(told) && said.contains("--> sites.csv:") && said.contains("= help:"), "{told}: {said}");
    }
    // What sheets leave: empty cells at the end, quotes inside a cell, lines in quotes.
    let (_folder, path) = with_sites("");
    let rows = "CODE,PATIENTS,note\nA1,9000,,,\nA2,5000,\"a \"\"b\"\"\nand c\"\nA3,4000,5\" pipe\n";
    std::fs::write(path.join("sites.csv"), rows).unwrap();
    let done = headend(&path, &["check", "mine.toml"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(text(&done.stdout).contains("3 sites with 18,000"), "{}", text(&done.stdout));
}

/// Classes that are forwarded as each other would go round for ever.
#[test]
fn what_is_stored_is_not_forwarded_in_a_circle() {
    let folder = tempfile::tempdir().unwrap();
    let tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let store = |class: &str, forward: &str| {
        format!("[[option.change]]\nstore = {{ class = \"{class}\", forward = \"{forward}\" }}\n")
    };
    let option = "\n[[option]]\nname = \"stored\"\n".to_owned();
    let circle = store("clinical", "documents") + &store("documents", "updates") + &store("updates", "clinical");
    let (head, source) = tiny.split_once("[source]").unwrap();
    std::fs::write(folder.path().join("a.toml"), format!("{head}{option}{circle}[source]{source}")).unwrap();
    let done = headend(folder.path(), &["check", "a.toml"]);
    let said = text(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    assert!(said.contains("classes that are forwarded as each other") && said.contains("= help:"), "{said}");
}

/// A device is no file to write to, and what a sweep sets is as costly as what a scenario says.
#[test]
#[cfg(unix)]
fn devices_are_not_replaced_and_points_are_not_free() {
    let (_folder, path) = with_sites(ROWS);
    assert!(Command::new("mkfifo").arg(path.join("pipe.csv")).status().unwrap().success());
    let done = headend(&path, &[&["run", "mine.toml", "--records", "pipe.csv"], &QUICK[..]].concat());
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("is a pipe or a device, not a file"), "{}", text(&done.stderr));
    let vary = "class.documents.open.per_1000=1,1000000";
    let done = headend(&path, &["sweep", "mine.toml", "--vary", vary, "--replications", "100"]);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("million events"), "{}", text(&done.stderr));
}
