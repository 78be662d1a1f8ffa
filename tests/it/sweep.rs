//! Sweeps that are killed go on where they were; comparisons and plans as a user calls them.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

fn headend(arguments: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_headend")).args(arguments).output().unwrap()
}

fn sweep(out: &Path) -> Vec<String> {
    let vary = "concentrator.hub.throughput=6 Mbit/s..12 Mbit/s:2 Mbit/s";
    let words = ["sweep", "scenarios/tiny.toml", "--replications", "4", "--option", "curfew", "--vary", vary, "--out"];
    words.into_iter().chain([out.to_str().unwrap()]).map(str::to_owned).collect()
}

/// Kills a sweep at moments spread over its whole run; it goes on with one thread.
fn killed_sweeps_end_alike(moments: u32) {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole");
    let began = std::time::Instant::now();
    let done = Command::new(env!("CARGO_BIN_EXE_headend")).args(sweep(&whole)).output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
    let took = began.elapsed();
    let expected = std::fs::read(whole.join("sweep.csv")).unwrap();
    for moment in 0..moments {
        let out = folder.path().join(format!("cut-{moment}"));
        // A golden-ratio sequence of moments covers the run evenly, and is the same each time.
        let share = (f64::from(moment) * 0.618_034 + 0.05).fract();
        let program = env!("CARGO_BIN_EXE_headend");
        let mut child = Command::new(program).args(sweep(&out)).stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs_f64(took.as_secs_f64() * share));
        child.kill().unwrap();
        child.wait().unwrap();
        let again = Command::new(program).args(sweep(&out)).args(["--threads", "1"]).output().unwrap();
        assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));
        assert!(std::fs::read(out.join("sweep.csv")).unwrap() == expected, "killed at {share} of its run");
    }
}

#[test]
fn a_sweep_that_was_killed_goes_on_to_the_same_bytes() {
    killed_sweeps_end_alike(5);
}

#[test]
#[ignore = "kills 15 sweeps; CI runs it"]
fn many_sweeps_that_were_killed_go_on_to_the_same_bytes() {
    killed_sweeps_end_alike(15);
}

/// What a terminal of 80 columns shows, without the last line, which names a folder.
fn told(stdout: Vec<u8>) -> String {
    let said = String::from_utf8(stdout).unwrap();
    let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("Report: ")).collect();
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{said}");
    lines.join("\n").trim_end().to_owned()
}

/// A question leaves a page that begins with the answer and needs neither network nor script, a picture and a table.
fn leaves(folder: &Path, name: &str, said: &str) {
    let page = std::fs::read_to_string(folder.join(format!("{name}.html"))).unwrap();
    assert!(page.contains("Content-Security-Policy") && page.contains("<svg role=\"img\" aria-label="), "{name}");
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("href=\"http"), "{name}");
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let escaped = plain(said).replace('<', "&#60;");
    let answer = page.split("aria-label=\"Answer\"><p>").nth(1).and_then(|rest| rest.split("</p>").next()).unwrap();
    assert!(escaped.contains(&plain(answer)), "{name}: {answer} is not what the terminal says: {escaped}");
    for ending in ["svg", "png", "csv"] {
        assert!(folder.join(format!("{name}.{ending}")).exists(), "{name}.{ending}");
    }
}

#[test]
fn a_comparison_names_the_best_and_how_sure_that_is() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let run = headend(&["compare", "scenarios/tiny.toml", "--out", out]);
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    let said = told(run.stdout);
    leaves(folder.path(), "compare", &said);
    insta::assert_snapshot!("compare_tiny", said);
}

#[test]
fn a_plan_says_its_answer_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let plan = |more: &[&str]| {
        let words = [&["plan", "scenarios/tiny.toml", "--out", out], more].concat();
        let run = headend(&words);
        let said = told(run.stdout) + &String::from_utf8(run.stderr).unwrap();
        format!("exit {}\n{said}", run.status.code().unwrap())
    };
    let said = plan(&["--find", "throughput"]);
    leaves(folder.path(), "plan-throughput", &said);
    insta::assert_snapshot!("plan_throughput", said);
    insta::assert_snapshot!(
        "plan_curfew_end",
        plan(&["--find", "curfew-end", "--of", "updates", "--option", "curfew"])
    );
    insta::assert_snapshot!("plan_of_nothing_known", plan(&["--find", "troughput"]));
    insta::assert_snapshot!("plan_without_a_curfew", plan(&["--find", "curfew-end", "--of", "updates"]));
    insta::assert_snapshot!("plan_of_no_target", plan(&["--find", "throughput", "--target", "9"]));
}

/// Growth of 10 % a year on a hub that bears a fifth more: missed in the second year.
#[test]
fn headroom_names_the_month() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("grow.toml");
    let text = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let text = text
        .replace("weekday = \"Mon\"", "date = \"2026-04-20\"")
        .replace("throughput = \"10 Mbit/s\"", "throughput = \"16 Mbit/s\"")
        .replace("[class.jobs]", "growth = \"10 %\"\n[class.jobs]");
    std::fs::write(&path, text).unwrap();
    let run = headend(&["headroom", path.to_str().unwrap(), "--out", folder.path().to_str().unwrap()]);
    assert!(run.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&run.stderr));
    let said = told(run.stdout);
    leaves(folder.path(), "headroom", &said);
    insta::assert_snapshot!("headroom", said);
}

/// The smallest scenario with some doubt about its assumptions.
fn doubtful(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("doubtful.toml");
    let text = std::fs::read_to_string("scenarios/tiny.toml").unwrap()
        + r#"
"class.updates.response" = { standing = "assumed", from = "an example", range = "50 to 400 MB" }
"class.updates.jobs.share" = { standing = "assumed", from = "an example", range = "20 to 80 %", likelihood = "uniform" }
"class.documents.open.per_1000" = { standing = "assumed", from = "an example", range = "5 to 20" }
"concentrator.hub.throughput" = { standing = "assumed", from = "an example", range = "9 to 14 Mbit/s" }
"#;
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_tornado_and_a_doubt_name_the_input_to_blame() {
    let folder = tempfile::tempdir().unwrap();
    let (file, out) = (doubtful(folder.path()), folder.path().join("out"));
    let run = |more: &[&str]| {
        let words = [&["sweep", file.to_str().unwrap(), "--replications", "2", "--out", out.to_str().unwrap()], more];
        let run = headend(&words.concat());
        assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
        told(run.stdout)
    };
    let said = run(&["--tornado"]);
    leaves(&out, "tornado", &said);
    insta::assert_snapshot!("tornado", said);
    let doubt = ["--doubt", "12", "--option", "curfew"];
    let said = run(&doubt);
    let table = std::fs::read(out.join("doubt.csv")).unwrap();
    assert!(std::fs::read_to_string(out.join("doubt.svg")).unwrap().contains("limit"));
    // What is known is not simulated again, and comes out the same.
    assert_eq!(run(&doubt), said);
    assert!(std::fs::read(out.join("doubt.csv")).unwrap() == table);
    leaves(&out, "doubt", &said);
    insta::assert_snapshot!("doubt", said);
    let nothing = headend(&["sweep", "scenarios/tiny.toml", "--doubt", "12", "--out", out.to_str().unwrap()]);
    assert_eq!(nothing.status.code(), Some(2));
    insta::assert_snapshot!("doubt_of_nothing", String::from_utf8(nothing.stderr).unwrap());
}
