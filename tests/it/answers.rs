//! Answers: what is said is what the figures say, and what a folder holds is enough to say it again.
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::AtomicBool;

use headend::random::Key;
use headend::report::answer::sentences;
use headend::report::recommend::{Judgement, choice};
use headend::report::verdict::overall;
use headend::report::{load as load_text, outputs, reference, summary};
use headend::scenario::load;
use headend::scenario::warn::warnings;
use headend::study::results::{Results, SetupResult, Verdict};
use headend::study::{RunOptions, run};

use crate::command::headend;

fn study(text: &str) -> headend::scenario::Study {
    match load("case.toml", text, Path::new("scenarios")) {
        Ok(study) => study,
        Err(problems) => panic!("{}\n{text}", problems.show(false)),
    }
}

fn results(text: &str) -> Results {
    let study = study(text);
    let all: Vec<usize> = (0..study.setups.len()).collect();
    let stop = AtomicBool::new(false);
    let settings = RunOptions { stop: &stop, progress: &|_| (), keep: None, records: None, here: true };
    run(&study, &all, &settings).unwrap()
}

/// A scenario of eight minutes with options and costs, drawn at random.
fn drawn(number: u32) -> String {
    let mut stream = Key::new(30, number).stream(0);
    let mut pick = |from: f64, to: f64| from + (to - from) * stream.uniform();
    let rate = pick(1.0, 7.5);
    let (users, jobs, limit) = (pick(1.0, 4.0), pick(0.5, 4.0), pick(0.2, 3.0));
    let costs = pick(0.0, 1.0);
    let cost = |amount: f64| if costs < 0.7 { format!("cost = {amount:.0}\n") } else { String::new() };
    let (larger, cap) = (rate * pick(1.2, 6.0), pick(0.1, 0.8));
    format!(
        r#"
question = "Case {number}?"
[run]
weekday = "Mon"
from = "08:00"
until = "08:08"
seed = {number}
replications = 3
max_replications = 3
[[estate.site]]
name = "a"
patients = 2250
down = "80 Mbit/s"
rtt = "20 ms"
[[estate.site]]
name = "b"
patients = 1750
down = "40 Mbit/s"
rtt = "30 ms"
[[profile]]
name = "on"
levels = [{{ at = "00:00", level = "100 %" }}, {{ at = "24:00", level = "100 %" }}]
[[class]]
name = "screens"
turns = 2
response = {{ lognormal = {{ mean = "40 kB", sigma = 1.0 }} }}
patience = "20 s"
[class.users]
per_1000 = {users:.2}
activity = "on"
think = {{ exponential = "15 s" }}
[[class]]
name = "sign-in"
response = {{ fixed = "3 MB" }}
waited_for = true
[class.jobs]
per_1000 = {jobs:.2}
from = "08:00"
until = "08:06"
[[class]]
name = "updates"
response = {{ fixed = "20 MB" }}
[class.jobs]
per_1000 = {jobs:.2}
from = "08:00"
until = "08:06"
[[concentrator]]
name = "hub"
throughput = "{rate:.2} Mbit/s"
[[option]]
name = "curfew"
{}[[option.change]]
curfew = {{ class = "updates", from = "08:00", until = "08:05" }}
[[option]]
name = "never"
{}[[option.change]]
curfew = {{ class = "updates", from = "08:00", until = "12:00" }}
[[option]]
name = "first"
{}[[option.change]]
prioritise = {{ first = ["screens"] }}
[[option]]
name = "cap"
{}[[option.change]]
shape = {{ class = "updates", total = "{cap:.3} Mbit/s" }}
[[option]]
name = "larger"
{}[[option.change]]
resize = {{ concentrator = "hub", throughput = "{larger:.2} Mbit/s" }}
[[target]]
class = "screens"
measure = "p95"
at_most = "{limit:.3} s"
[[target]]
class = "screens"
measure = "given_up"
at_most = "2 %"
"#,
        cost(0.0),
        cost(0.0),
        cost(0.0),
        cost(0.0),
        cost(1000.0 * larger),
    )
}

/// The mean over the replications of a figure, from what `replications.csv` would hold.
fn mean(found: &SetupResult, figure: &str) -> f64 {
    let series = found.series.iter().find(|series| series.figure == figure).unwrap();
    let values = series.known();
    #[allow(clippy::cast_precision_loss)] // three
    let count = values.len() as f64;
    values.iter().sum::<f64>() / count
}

/// The whole answer, its sentences and the table of options, against the replications: who is said to meet every target does,
/// what is recommended does too and is beaten by nobody, and what is called free is.
#[test]
fn the_answer_is_what_the_replications_say() {
    let mut recommended = 0;
    for number in 0..25 {
        let found = results(&drawn(number));
        let said = sentences(&found);
        let whole = said.join("\n");
        for setup in &found.setups {
            for (judged, (series, limit)) in setup.targets.iter().zip(setup.series.iter().zip(&found.limits)) {
                // Worked out again: Student's interval with two degrees of freedom, at 95 %.
                let values = series.known();
                let centre = values.iter().sum::<f64>() / 3.0;
                let half =
                    4.302_652_73 * (values.iter().map(|value| (value - centre).powi(2)).sum::<f64>() / 6.0).sqrt();
                let half = headend::elementary::hypot(half, centre.abs() * series.resolution);
                assert!((judged.figure.value.mean - centre).abs() <= 1e-9 * centre.abs().max(1e-9), "case {number}");
                let beyond = centre + half > *limit * (1.0 + 1e-6);
                assert!(!(beyond && judged.verdict == Verdict::Met), "case {number}: {} {}", setup.name, series.figure);
            }
            let title = format!("\u{201c}{}\u{201d}", setup.title);
            let lists = |text: &&String| text.contains("meets every target: ") || text.contains("meet every target: ");
            let listed = said.iter().find(|text| lists(text) && !text.contains("that meets"));
            let winners = listed.map(|text| text.split(';').next().unwrap_or_default().to_owned()).unwrap_or_default();
            if setup.name != "base" && !winners.is_empty() {
                assert_eq!(winners.contains(&title), overall(setup) == Verdict::Met, "case {number}: {whole}");
            }
            if whole.contains(&format!("{title} costs nothing")) {
                assert_eq!(setup.cost, Some(0.0), "case {number}: {whole}");
            }
        }
        if let Some(chosen) = choice(&found) {
            recommended += 1;
            assert_eq!(overall(chosen), Verdict::Met, "case {number}");
            let own = Judgement::of(&found, chosen);
            assert!((own.staff_lost - mean(chosen, "staff_hours_lost")).abs() < 1e-9, "case {number}");
            assert!((own.unfinished - mean(chosen, "waiting_at_close")).abs() < 1e-9, "case {number}");
            for other in &found.setups {
                assert!(
                    !own.is_beaten_by(&Judgement::of(&found, other)),
                    "case {number}: {} beats {}",
                    other.name,
                    chosen.name
                );
            }
            let name = format!("\u{201c}{}\u{201d}", chosen.title);
            assert!(
                whole.contains(&name) && summary::text(&found, &[]).contains(&format!("**{}**", chosen.title)),
                "{whole}"
            );
        }
    }
    assert!(recommended > 4, "{recommended} of 25 recommend something");
}

fn python(arguments: &[&str]) -> Option<Output> {
    Command::new("python3").args(arguments).output().ok()
}

/// Every figure, interval and verdict of summary.csv from replications.csv, by a script that shares no code: with a forecast as
/// control variate, in antithetic pairs, and with a target that nothing was measured for.
#[test]
fn the_script_computes_the_summary_again() {
    let folder = tempfile::tempdir().unwrap();
    if python(&["--version"]).is_none() {
        eprintln!("SKIPPED: python3 is not installed");
        return;
    }
    let tiny = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let variants = [
        ("plain", tiny.clone()),
        ("pairs", tiny.replace("replications = 5", "replications = 6\nantithetic = true")),
        (
            "silent",
            tiny.replace(
                "throughput = \"10 Mbit/s\"",
                "throughput = \"10 Mbit/s\"\n[[change]]\nswitch_off = { class = \"clinical\" }",
            ),
        ),
    ];
    for (name, text) in variants {
        let (file, out) = (folder.path().join(format!("{name}.toml")), folder.path().join(name));
        std::fs::write(&file, text).unwrap();
        let (file, out) = (file.to_str().unwrap(), out.to_str().unwrap());
        let done = headend(&["run", file, "--check-fidelity=never", "--out", out]);
        assert!(done.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&done.stderr));
        let checked = python(&["examples/recompute.py", out]).unwrap();
        assert!(checked.status.success(), "{name}: {}", String::from_utf8_lossy(&checked.stdout));
        let changed = std::fs::read_to_string(Path::new(out).join("replications.csv")).unwrap();
        if name == "plain" {
            assert!(changed.lines().nth(1).is_some_and(|row| row.split(',').nth(7) != Some("")), "a forecast is used");
        }
    }
}

/// A folder that was copied elsewhere runs to the same bytes; another number in the estate's CSV is another hash.
#[test]
fn a_folder_is_all_that_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let from = text.find("[[estate.site]]").unwrap();
    let until = text.find("[[profile]]").unwrap();
    let csv = "[estate.csv]\nfile = \"lists/sites.csv\"\n\n";
    std::fs::create_dir(path("lists")).unwrap();
    std::fs::write(path("lists/sites.csv"), "site,staff,down_mbps,up_mbps\nnorth,9000,80,20\nsouth,6000,40,10\n")
        .unwrap();
    std::fs::write(path("mine.toml"), format!("{}{csv}{}", &text[..from], &text[until..])).unwrap();
    let run = |scenario: &Path, out: &str| {
        let out = path(out);
        let arguments = ["run", scenario.to_str().unwrap(), "--check-fidelity=never", "--replications", "2", "--out"];
        let done = headend(&[&arguments[..], &[out.to_str().unwrap()]].concat());
        assert!(done.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&done.stderr));
        let manifest = std::fs::read_to_string(out.join("manifest.json")).unwrap();
        let hash = manifest.lines().find(|line| line.contains("scenario_sha256")).unwrap().to_owned();
        (crate::command::tree(&out), hash)
    };
    let (first, hash) = run(&path("mine.toml"), "first");
    std::fs::remove_dir_all(path("lists")).unwrap();
    let (second, again) = run(&path("first/scenario.toml"), "elsewhere");
    crate::command::same(&first, &second);
    assert_eq!(hash, again);
    std::fs::write(
        path("first/inputs/sites.csv"),
        "site,staff,down_mbps,up_mbps\nnorth,9000,80,20\nsouth,6001,40,10\n",
    )
    .unwrap();
    let (_, other) = run(&path("first/scenario.toml"), "changed");
    assert_ne!(hash, other);
}

#[track_caller]
fn as_written(path: &str, text: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, text).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).unwrap_or_default() == text,
        "{path} is not what the code says: UPDATE_GOLDEN=1 writes it"
    );
}

/// docs/outputs.md and docs/scenario.md are made of the code, and every column of every file is in it.
#[test]
fn the_reference_is_made_of_the_code() {
    as_written("docs/outputs.md", &outputs::markdown());
    as_written("docs/scenario.md", &reference::markdown());
    let found = results(&drawn(1));
    for table in outputs::TABLES {
        let text = table.text(&found);
        let head: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        assert_eq!(text.lines().next(), Some(head.join(",").as_str()), "{}", table.name);
    }
    assert_eq!(
        headend::study::records_file::RECORDS_HEADER.trim_end(),
        outputs::RECORDS.map(|(name, _)| name).join(",")
    );
}

/// What will do nothing is told before anything is simulated.
#[test]
fn check_tells_what_will_do_nothing() {
    let text = std::fs::read_to_string("scenarios/tiny.toml").unwrap();
    let told =
        |text: &str| warnings(&study(text)).into_iter().map(|warning| warning.title).collect::<Vec<_>>().join("\n");
    assert_eq!(told(&text), "");
    let resize = "[[option]]\nname = \"same\"\n[[option.change]]\nresize = { concentrator = \"hub\", throughput = \"10 Mbit/s\" }\n\n[[target]]";
    assert!(told(&text.replacen("[[target]]", resize, 1)).contains("this option changes nothing"));
    assert!(
        told(&text.replace("patience = \"20 s\"", "patience = \"1 s\"").replace("retries = 1", "retries = 0"))
            .contains("nobody waits so long")
    );
    let weekend = text.replace("per_1000 = 2.0\nactivity", "per_1000 = 2.0\nweekdays = { Mon = 0 }\nactivity");
    assert!(told(&weekend).contains("nobody asks for clinical on the day of the run"), "{}", told(&weekend));
    let with = |change: &str| told(&text.replacen("[[target]]", &format!("[[change]]\n{change}\n\n[[target]]"), 1));
    let cap = with("shape = { class = \"clinical\", total = \"10 Mbit/s\" }");
    assert_eq!(
        cap, "a cap of 10 Mbit/s on clinical holds nothing up: no concentrator carries more",
        "of all set-ups, once"
    );
    assert_eq!(with("shape = { class = \"clinical\", total = \"9 Mbit/s\" }"), "");
    let cache = with("cache = { class = \"updates\", share = \"0 %\" }");
    assert_eq!(cache, "a `cache` of 0 % of updates does nothing");
    let early = with("curfew = { class = \"updates\", from = \"05:00\", until = \"06:00\", release = \"at_once\" }");
    assert!(early.contains("a curfew on updates ends before its first job is due"), "{early}");
}

/// A target that patience keeps from being missed is not met: who gave up had no answer.
#[test]
fn who_gave_up_had_no_answer() {
    let text = drawn(3).replace("patience = \"20 s\"", "patience = \"100 ms\"");
    let text = text.replacen("throughput = ", "throughput = \"1 Mbit/s\" # ", 1);
    let found = results(&text.replacen("at_most = \"", "at_most = \"9 s\" # \"", 1));
    let base = &found.setups[0];
    assert!(
        base.targets[0].figure.value.high() < 9.0 && base.targets[0].verdict == Verdict::Unsure,
        "{:?}",
        base.targets[0]
    );
}

/// The busiest hour is told with what it consists of.
#[test]
fn check_tells_the_load_by_hour() {
    let told = load_text::text(&study(&std::fs::read_to_string("scenarios/kent-monday.toml").unwrap()));
    assert!(told.contains("Busiest hour: 08:00 offers 1.55 times what hub can carry (updates 45 %"), "{told}");
}

/// Log-ons are time that people lose; updates are not.
#[test]
fn staff_time_counts_what_people_wait_for() {
    let waited = results(&drawn(5));
    let silent = results(&drawn(5).replace("waited_for = true", "waited_for = false"));
    let lost = |found: &Results| mean(&found.setups[0], "staff_hours_lost");
    assert!(lost(&waited) > lost(&silent), "{} and {}", lost(&waited), lost(&silent));
}

/// A list of branches with columns of usual names and two hubs: a first answer from nothing but the name of the list.
#[test]
fn branches_answer_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let done =
        Command::new(env!("CARGO_BIN_EXE_headend")).args(["init", "mine", "--branches"]).current_dir(&folder).output();
    assert!(done.unwrap().status.success());
    let row = |number: u32| format!("BR{number:03},Town{number},{},80,20\n", 5 + number % 20);
    let rows: String = (1..=60).map(row).collect();
    std::fs::write(folder.path().join("list.csv"), format!("branch_id,town,staff,line_down_mbit,line_up_mbit\n{rows}"))
        .unwrap();
    let file = folder.path().join("mine.toml");
    let text = std::fs::read_to_string(&file).unwrap().replace("branches.csv\"", "list.csv\"");
    std::fs::write(
        &file,
        text.replace("replications = 5", "replications = 2\nmax_replications = 2").replace("100 Mbit/s", "60 Mbit/s"),
    )
    .unwrap();
    let checked = headend(&["check", file.to_str().unwrap()]);
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(told.contains("60 sites with") && told.contains(" people,") && told.contains("Busiest hour: "), "{told}");
    assert!(!told.contains("warning"), "{told}");
}

/// Monks et al. (2019), table 2: 24 items, and each has something to say of a run.
#[test]
fn the_checklist_of_simulation_reports_is_filled_in() {
    let items = headend::report::stress::items(&results(&drawn(3)));
    assert_eq!(items.len(), 24);
    assert!(items.iter().all(|(_, said)| said.len() > 10), "{items:?}");
}

/// The questions that were once answered wrong: an idle second hub, two hubs without a pool, equal costs, and a curfew under which
/// nothing is done.
#[test]
fn what_once_misled_is_answered_right() {
    let cases = Path::new("../shared/cases");
    if !cases.exists() {
        eprintln!("SKIPPED: {} is not there", cases.display());
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    let say = |words: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_headend")).current_dir(cases).args(words).output().unwrap();
        assert!(done.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let second = say(&["check", "r9-second-hub-idle.toml"]);
    assert!(!second.contains("carries nothing") && second.contains("hub and hub-2"), "it takes part: {second}");
    let idle = say(&["check", "r10-two-hubs-no-pool.toml"]);
    assert!(idle.contains("no site has a tunnel to `"), "{idle}");
    let equal = say(&["compare", "r11-equal-costs.toml", "--budget", "5", "--out", out]);
    assert!(equal.contains("“calls and screens first” is the cheapest that meets every target"), "{equal}");
    // A quarter of it, as full.
    let whole = std::fs::read_to_string(cases.join("r12-curfew-that-does-no-work.toml")).unwrap();
    let quarter = whole.replace("per_1000 = 1000", "per_1000 = 250").replace("500 Mbit/s", "125 Mbit/s");
    std::fs::copy(cases.join("branches.csv"), folder.path().join("branches.csv")).unwrap();
    let file = folder.path().join("quarter.toml");
    std::fs::write(&file, quarter).unwrap();
    let undone = say(&["compare", file.to_str().unwrap(), "--first", "3", "--budget", "3", "--out", out]);
    assert!(undone.contains("“backup-at-night” does less of the work"), "{undone}");
    assert!(!undone.contains("“backup-at-night” is the cheapest"), "{undone}");
}
