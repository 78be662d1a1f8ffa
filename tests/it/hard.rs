//! Hard to break: what is meaningless, hostile or in the way is refused with its place, and nothing of the user's is lost.

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
