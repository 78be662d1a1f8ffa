//! The page in which anybody moves numbers: its desk, what it is made of, and the page in a browser.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;

use headend::live::desk::Desk;
use headend::{RunOptions, load, run};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const TINY: &str = include_str!("../../scenarios/tiny.toml");

fn ask(desk: &mut Desk, request: &Value) -> Value {
    serde_json::from_str(&desk.answer(&request.to_string())).unwrap()
}

fn answered(desk: &mut Desk, request: &Value) -> Value {
    let reply = ask(desk, request);
    assert_eq!(reply.get("fault"), None, "{request}");
    reply
}

fn open(text: &str) -> Desk {
    let mut desk = Desk::default();
    answered(&mut desk, &json!({"ask": "open", "name": "a.toml", "text": text, "files": {}, "assumed": []}));
    desk
}

/// What is simulated at the desk, replication by replication, and what the file that it gives says on the command line: the same, to
/// the last digit.
#[test]
fn the_desk_says_what_the_command_line_says() {
    let mut desk = open(TINY);
    let option = load("tiny.toml", TINY, Path::new(".")).unwrap().setups[1].name.clone();
    let choice = json!({"options": [option], "values": {"concentrator.hub.throughput": "11 Mbit/s"}});
    let chosen = answered(&mut desk, &json!({"ask": "choose", "choice": choice}));
    assert_eq!(chosen["setups"], 2);
    let (mut runs, mut first_three) = (0, Value::Null);
    loop {
        for setup in 0..2 {
            let run = answered(&mut desk, &json!({"ask": "simulate", "setup": setup, "replication": runs}));
            let request = json!({"ask": "take", "setup": setup, "replication": runs, "record": run["text"]});
            answered(&mut desk, &request);
        }
        runs += 1;
        let so_far = answered(&mut desk, &json!({"ask": "results"}));
        assert_eq!(so_far["runs"][0], runs);
        if runs == 3 {
            assert!(so_far["parts"]["answer"].as_str().unwrap().contains(" --replications 3”"));
            first_three = answered(&mut desk, &json!({"ask": "csv"}));
        }
        if so_far["done"] == true {
            break;
        }
    }
    let text = answered(&mut desk, &json!({"ask": "scenario"}))["text"].as_str().unwrap().to_owned();
    assert!(text.contains("11 Mbit/s"));
    let study = load("chosen.toml", &text, Path::new(".")).unwrap();
    let place = study.setups.iter().position(|setup| Some(setup.name.as_str()) == chosen["option"].as_str()).unwrap();
    let stop = AtomicBool::new(false);
    let options = RunOptions { stop: &stop, progress: &|_| {}, keep: None, records: None, here: true };
    let results = run(&study, &[0, place], &options).unwrap();
    assert_eq!(u64::from(results.replications), runs);
    let summary = headend::report::outputs::TABLES.iter().find(|table| table.name == "summary.csv").unwrap();
    assert_eq!(answered(&mut desk, &json!({"ask": "csv"}))["text"], summary.text(&results));
    let mut few = study.clone();
    (few.effort.least, few.effort.most) = (3, 3);
    assert_eq!(first_three["text"], summary.text(&run(&few, &[0, place], &options).unwrap()));
    assert_eq!(first_three["file"], "summary-3-days.csv");
}

/// What was forecast before does not show: each choice is forecast as if it were the first.
#[test]
fn a_forecast_does_not_depend_on_what_was_asked_before() {
    let knob =
        |path: &str, range: &str| format!("\n[[knob]]\nname = \"{path}\"\npath = \"{path}\"\nrange = \"{range}\"\n");
    let text = [
        TINY.to_owned(),
        knob("class.clinical.users.per_1000", "1 to 3"),
        knob("option.curfew.change.1.curfew.until", "08:00 to 10:00"),
        knob("concentrator.hub.throughput", "5 Mbit/s to 40 Mbit/s"),
    ]
    .concat();
    let choices = [
        json!({}),
        json!({"options": ["curfew"]}),
        json!({"options": ["curfew"], "values": {"option.curfew.change.1.curfew.until": "09:30"}}),
        json!({"options": ["curfew"], "values": {"class.clinical.users.per_1000": "2.5"}}),
        json!({"options": ["first"], "values": {"concentrator.hub.throughput": "20 Mbit/s"}}),
        json!({"options": ["first"], "values": {"class.clinical.users.per_1000": "2.5"}}),
    ];
    let told = |desk: &mut Desk, choice: &Value, coarse: bool| {
        answered(desk, &json!({"ask": "choose", "choice": choice}));
        answered(desk, &json!({"ask": "forecast", "coarse": coarse}))["parts"].clone()
    };
    let mut desk = open(&text);
    for choice in &choices {
        for coarse in [true, false] {
            assert_eq!(told(&mut desk, choice, coarse), told(&mut open(&text), choice, coarse), "{choice}");
        }
    }
}

/// Days in antithetic pairs count when both are there.
#[test]
fn pairs_of_days_count_together() {
    let mut desk = open(&TINY.replace("seed = 7", "seed = 7\nantithetic = true"));
    answered(&mut desk, &json!({"ask": "choose", "choice": {}}));
    for replication in 0..4 {
        let run = answered(&mut desk, &json!({"ask": "simulate", "setup": 0, "replication": replication}));
        let request = json!({"ask": "take", "setup": 0, "replication": replication, "record": run["text"]});
        answered(&mut desk, &request);
        let so_far = answered(&mut desk, &json!({"ask": "results"}));
        assert_eq!(so_far["runs"][0], (replication + 1) / 2 * 2);
        // From three days on intervals tell something.
        assert_eq!(so_far.get("parts").is_some(), replication == 3);
    }
}

/// What cannot be done is said, and the desk goes on with what it had.
#[test]
fn what_cannot_be_answered_is_said() {
    let mut desk = Desk::default();
    for request in ["", "{}", "{\"ask\": \"sing\"}", "{\"ask\": \"results\"}", "[1,2"] {
        let reply: Value = serde_json::from_str(&desk.answer(request)).unwrap();
        assert!(reply["fault"].is_string(), "{request}");
    }
    let broken = json!({"ask": "open", "name": "a.toml", "text": "[run]\n", "files": {}, "assumed": []});
    assert!(ask(&mut desk, &broken)["fault"].as_str().unwrap().contains("question"));
    let mut desk = open(TINY);
    for request in [
        json!({"ask": "choose", "choice": {"options": ["no such"]}}),
        json!({"ask": "choose", "choice": {"values": {"concentrator.hub.throughput": "fast"}}}),
        json!({"ask": "value", "path": "run.seed", "position": 1.0}),
        json!({"ask": "csv"}),
        json!({"ask": "simulate", "setup": 7, "replication": 0}),
        json!({"ask": "take", "setup": 0, "replication": 3, "record": ""}),
        json!({"ask": "take", "setup": 0, "replication": 0, "record": "AAAA"}),
    ] {
        assert!(ask(&mut desk, &request)["fault"].is_string(), "{request}");
    }
    answered(&mut desk, &json!({"ask": "forecast", "coarse": true}));
}

/// Names that would be markup are text in all that the desk says.
#[test]
fn no_name_becomes_markup() {
    const HOSTILE: &str = "<img src=x onerror=alert(1)>";
    let text = TINY.replacen("question = \"", &format!("question = \"{HOSTILE} "), 1);
    let text = text.replacen("title = \"", &format!("title = \"{HOSTILE} </script> "), 1);
    let mut desk = open(&text);
    let option = load("a.toml", &text, Path::new(".")).unwrap().setups[1].name.clone();
    answered(&mut desk, &json!({"ask": "choose", "choice": {"options": [option]}}));
    let parts = answered(&mut desk, &json!({"ask": "forecast", "coarse": false}))["parts"].clone();
    for part in ["answer", "charts"] {
        let part = parts[part].as_str().unwrap();
        assert!(!part.contains("<img") && !part.contains("</script"), "{part}");
    }
    assert!(parts.to_string().contains("&lt;img"), "the name is there, as text: {parts}");
}

const MADE_OF: &str = "src/live/module/made-of.txt";

/// The module was built from these very sources: else `src/live/module/build` is to be run.
#[test]
fn the_module_is_made_of_these_sources() {
    let made_of = std::fs::read_to_string(MADE_OF).unwrap();
    let listed: BTreeMap<&str, &str> =
        made_of.lines().filter_map(|line| line.split_once("  ")).map(|(hash, path)| (path, hash)).collect();
    let hash = |path: &str| {
        let bytes = std::fs::read(path).unwrap_or_default();
        Sha256::digest(bytes).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
    };
    let changed: Vec<&&str> = listed.iter().filter(|(path, own)| hash(path) != ***own).map(|(path, _)| path).collect();
    assert!(changed.is_empty(), "changed since the module was built (src/live/module/build): {changed:#?}");
    let folders = ["src/engine", "src/report", "profiles"];
    let there = folders.iter().flat_map(|folder| files(Path::new(folder)));
    let new: Vec<String> = there.filter(|path| !listed.contains_key(path.as_str())).collect();
    assert!(new.is_empty(), "new since the module was built (src/live/module/build): {new:#?}");
}

fn files(path: &Path) -> Vec<String> {
    if path.is_file() {
        return vec![path.to_string_lossy().into_owned()];
    }
    let entries = std::fs::read_dir(path).unwrap().flatten();
    entries.flat_map(|entry| files(&entry.path())).collect()
}

/// Nothing is asked of the page that holds the module: it has memory, and three functions.
#[test]
fn the_module_imports_nothing() {
    let module = headend::live::bundled::MODULE;
    assert_eq!(&module[..8], b"\0asm\x01\0\0\0");
    // Sections follow each other: a number, a length in groups of seven bits, and so many bytes. 2 is that of imports.
    let (mut at, mut found) = (8, Vec::new());
    while at < module.len() {
        let number = module[at];
        at += 1;
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let byte = module[at];
            at += 1;
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        found.push(number);
        at += length;
    }
    assert!(!found.contains(&2), "{found:?}");
    let text = String::from_utf8_lossy(module);
    for trace in ["/home/", "/root/", "/tmp/", "/work/", "index.crates.io"] {
        assert!(!text.contains(trace), "{trace}");
    }
}

/// A folder that is there for one test.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn headend(arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_headend")).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code().is_some_and(|code| code < 2), "{arguments:?}: {said}");
}

/// A page of its own is replaced, a file of somebody else is not.
#[test]
fn a_page_replaces_nothing_but_a_page() {
    let folder = folder();
    let (out, page) = (folder.path().to_str().unwrap(), folder.path().join("live.html"));
    let live = ["live", "scenarios/store-and-forward.toml", "--forecast", "--out", out];
    headend(&live);
    headend(&live);
    std::fs::write(&page, "<!doctype html>\n<p>mine</p>\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_headend")).args(live).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("live.html was not written by headend"));
    assert!(std::fs::read_to_string(&page).unwrap().contains("mine"));
}

/// Runs a script of `tests/browser`; none where Chromium, node or the packages are not there.
fn in_browser(script: &str, arguments: &[&str]) -> Option<Value> {
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".to_owned());
    let there = [chromium.as_str(), "tests/browser/node_modules/playwright-core/package.json"];
    if there.iter().any(|path| !Path::new(path).exists()) {
        eprintln!(
            "SKIPPED: no Chromium, or no packages in tests/browser (`npm ci`): the page is not tried in a browser"
        );
        return None;
    }
    let output = Command::new("node").arg(format!("tests/browser/{script}")).args(arguments).output().ok()?;
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{script}: {said}{wrong}");
    Some(serde_json::from_str(&said).unwrap())
}

/// Somebody opens the page offline, ticks an option, moves a number, waits, and takes the files with them.
#[test]
#[ignore = "drives a browser"]
fn the_page_works_in_a_browser() {
    let folder = folder();
    let out = folder.path().to_str().unwrap();
    headend(&["live", "scenarios/tiny.toml", "--out", out]);
    let page = format!("{out}/live.html");
    assert!(std::fs::metadata(&page).unwrap().len() <= 3_000_000);
    let Some(seen) = in_browser("page.mjs", &[&page, out]) else { return };
    let text = |key: &str| seen[key].as_str().unwrap_or_default().to_owned();
    assert_eq!(seen["faults"], json!([]), "nothing goes wrong in the page");
    assert_eq!(seen["requests"], json!([]), "nothing is asked of a server");
    for (when, found) in seen["axe"].as_object().unwrap() {
        assert_eq!(*found, json!([]), "accessible: {when}");
    }
    assert!(seen["wide overflow"].as_f64() <= Some(0.0) && seen["narrow overflow"].as_f64() <= Some(0.0));
    assert_ne!(seen["before"], seen["after"], "the number has moved");
    assert!(text("forecast").contains("Forecast, not simulated") && text("forecast").contains("as it is"));
    assert!(text("simulated").contains("Simulated in this browser"), "{}", text("simulated"));
    assert!(text("hash").contains("with=curfew") && text("hash").contains("concentrator.hub.throughput="));
    assert_eq!(text("again"), text("simulated"), "the address opens the same");
    assert_eq!(text("reset"), text("stored"), "the start is what was stored");
    assert_eq!(text("unticked"), text("stored"), "what is unticked is the start");
    assert_eq!(seen["raced"], json!(["", "stored"]), "late replies move nothing");
    assert_eq!(seen["taken"], json!(["", text("stored")]), "a number of an option goes with it");
    assert!(text("strange").ends_with("is left out: x, nope, concentrator.hub.throughput."), "{}", text("strange"));
    assert!(text("roughly").starts_with("forecast") || text("roughly").starts_with("summary"), "{}", text("roughly"));
    assert_eq!(seen["pictures"], json!(["latency.png", "utilisation.png", "waiting.png"]));
    assert_eq!(seen["off"]["told"], true, "without WebAssembly it is said");
    assert_eq!(seen["off"]["controls"], false);
    assert_eq!(seen["off"]["answer"], seen["stored"], "and what was stored is there");
    assert_eq!(seen["plain"]["answer"], seen["stored"]);
    // The file that was taken, on the command line: the same figures to the last digit.
    let again = format!("{out}/again");
    headend(&["run", &text("toml"), "--option", "chosen", "--check-fidelity=never", "--out", &again]);
    let [page, command] =
        [text("csv"), format!("{again}/summary.csv")].map(|path| std::fs::read_to_string(path).unwrap());
    assert_eq!(page, command);
}

/// Ten thousand names that try to be markup, in a page whose policy is switched off: nothing that they say is done.
#[test]
#[ignore = "drives a browser"]
fn hostile_names_do_nothing() {
    const TRIES: [&str; 8] = [
        "</script><script>hacked=1</script>",
        "<img src=x onerror=hacked=2>",
        "<svg onload=hacked=3>",
        "'><iframe srcdoc='<script>parent.hacked=4</script>'>",
        "{{hacked=5}}${hacked=5}",
        "<!--<script>hacked=6</script>-->",
        "javascript:hacked=7",
        "]]><style>@import 'http://hacked.invalid/8'</style>",
    ];
    let folder = folder();
    let out = folder.path().to_str().unwrap();
    let quoted = |text: &str| text.replace('"', "\"\"");
    let sites = (0..10_000).map(|site| format!("\"{site} {}\",{}\n", quoted(TRIES[site % TRIES.len()]), 10 + site % 7));
    std::fs::write(folder.path().join("names.csv"), format!("site,patients\n{}", sites.collect::<String>())).unwrap();
    let (from, until) = (TINY.find("[[estate.site]]").unwrap(), TINY.find("[[profile]]").unwrap());
    let estate = "[estate.csv]\nfile = \"names.csv\"\n[[estate.link]]\nshare = \"100 %\"\ndown = \"80 Mbit/s\"\nup = \"20 Mbit/s\"\n";
    let mut text = format!("{}{estate}\n{}", &TINY[..from], &TINY[until..]);
    text = text.replace("question = \"", &format!("question = \"{} ", TRIES[0]));
    text =
        text.replace("replications = 5", "replications = 1").replace("max_replications = 10", "max_replications = 1");
    for (number, tried) in TRIES.iter().enumerate() {
        let tried = tried.replace('"', "'");
        text += &format!(
            "\n[[option]]\nname = \"o{number}\"\ntitle = \"{tried} {number}\"\ninclude = [\"curfew\"]\n[[option.change]]\nresize = {{ concentrator = \"hub\", throughput = \"1{number} Mbit/s\" }}\n"
        );
    }
    let path = folder.path().join("hostile.toml");
    std::fs::write(&path, text).unwrap();
    headend(&["live", path.to_str().unwrap(), "--forecast", "--out", out]);
    let Some(seen) = in_browser("hostile.mjs", &[&format!("{out}/live.html")]) else { return };
    assert_eq!(seen["hacked"], Value::Null);
    assert_eq!((&seen["done"], &seen["requests"]), (&json!([]), &json!([])));
    assert_eq!(seen["stage"], "done", "the page worked all the same");
    assert!(seen["text"].as_str().unwrap().contains("onerror=hacked"), "the names are there, as text");
}

/// Needs quiet and `--release`, as the module is built so: a day of Kent in the browser takes at most twice its time here, both measured
/// in this run.
#[test]
#[ignore = "measures times, alone on the machine"]
fn by_hand_a_replication_in_the_browser_takes_at_most_twice_its_time_here() {
    let folder = folder();
    let out = folder.path().to_str().unwrap();
    let kent = "scenarios/kent-monday.toml";
    headend(&["live", kent, "--forecast", "--out", out]);
    let until = "option.curfew.change.1.curfew.until";
    let Some(seen) = in_browser("speed.mjs", &[&format!("{out}/live.html"), "curfew", until]) else { return };
    let mut desk = open(&std::fs::read_to_string(kent).unwrap());
    answered(&mut desk, &json!({"ask": "choose", "choice": {"options": ["curfew"]}}));
    let mut here: Vec<f64> = (0..4)
        .map(|run| {
            let began = std::time::Instant::now();
            answered(&mut desk, &json!({"ask": "simulate", "setup": run % 2, "replication": run / 2}));
            began.elapsed().as_secs_f64()
        })
        .collect();
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let of = |key: &str| -> Vec<f64> { seen[key].as_array().unwrap().iter().filter_map(Value::as_f64).collect() };
    let (there, forecasts) = (median(&mut of("replication")), of("forecast"));
    let here = median(&mut here);
    let slow = forecasts.iter().filter(|time| **time > 0.1).count();
    eprintln!(
        "a replication: {there:.2} s there, {here:.2} s here; {slow} of {} forecasts above 100 ms",
        forecasts.len()
    );
    eprintln!("{seen}");
    assert!(there <= 2.0 * here, "{there} s in the browser, {here} s here");
}
