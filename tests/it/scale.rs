//! Runs that are simulated elsewhere: the same bytes, whatever an engine does with its tasks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use headend::random::Key;
use headend::scale::batch::{BatchSystem, Queue, Reply, TaskState};
use headend::scale::fault::ScaleFault;
use headend::scale::job::{Job, JobPlan, Recipe, RunKind, Task};
use headend::scale::wait::wait;

use crate::command::tree;

/// A scenario of which a day takes milliseconds.
pub const QUICK: &str = r#"
question = "What does a curfew buy two small practices?"

[run]
weekday = "Mon"
from = "08:00"
until = "08:20"
seed = 7
replications = 2
max_replications = 4
precision = "20 %"

[[estate.site]]
name = "mill-lane"
patients = 5000
down = "80 Mbit/s"
up = "20 Mbit/s"

[[estate.site]]
name = "harbour"
patients = 3000
down = "40 Mbit/s"
up = "10 Mbit/s"

[[profile]]
name = "staffed"
levels = [{ at = "08:00", level = "100 %" }, { at = "10:00", level = "100 %" }]

[[class]]
name = "clinical"
response = { fixed = "60 kB" }
[class.users]
per_1000 = 1.0
activity = "staffed"
think = { exponential = "22 s" }

[[class]]
name = "updates"
response = { fixed = "20 MB" }
[class.jobs]
per_1000 = 2.0
share = "50 %"
from = "08:00"
until = "08:10"

[[concentrator]]
name = "hub"
throughput = "5 Mbit/s"

[[option]]
name = "curfew"
[[option.change]]
curfew = { class = "updates", from = "07:00", until = "09:00" }

[[target]]
class = "clinical"
measure = "mean"
at_most = "300 ms"
from = "08:00"
until = "08:15"

[source]
"concentrator.hub.throughput" = { standing = "assumed", from = "an example", range = "4 Mbit/s to 8 Mbit/s" }
"#;

/// The commands, and how often in a hundred each is drawn: those that take longest least.
const COMMANDS: [(&[&str], u32); 7] = [
    (&["compare"], 60),
    (&["plan", "--find", "throughput", "--budget", "10"], 15),
    (&["sweep", "--tornado", "--option", "curfew"], 10),
    (&["sweep", "--vary", "concentrator.hub.throughput=4 Mbit/s..8 Mbit/s:0.5 Mbit/s"], 6),
    (&["compare", "--first", "40"], 5),
    (&["run", "--check-fidelity=never", "--records", "records.csv"], 3),
    (&["headroom", "--budget", "10"], 1),
];

/// One of the commands by chance.
fn drawn(number: u32) -> usize {
    let sums = COMMANDS.iter().scan(0, |sum, (_, weight)| {
        *sum += weight;
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= number).count()
}

/// A folder with the scenario, in which `program` is found before others on the path.
fn call(folder: &Path, engines: &Path, words: &[&str], more: &[&str]) -> Output {
    let path = format!("{}:{}", engines.display(), std::env::var("PATH").unwrap_or_default());
    let file = words.iter().take(1).chain(&["quick.toml"]).chain(&words[1..]);
    Command::new(env!("CARGO_BIN_EXE_headend"))
        .current_dir(folder)
        .env("PATH", path)
        .args(file.chain(more))
        .output()
        .unwrap()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let growing = QUICK.replace("[class.users]", "growth = \"10 %\"\n[class.users]");
    std::fs::write(folder.path().join("quick.toml"), growing).unwrap();
    folder
}

/// The scheduler of `tests/it/engines` in a folder, with its seed.
fn fake(folder: &Path, seed: u64) -> PathBuf {
    let engines = folder.join("engines");
    std::fs::create_dir_all(&engines).unwrap();
    for name in ["sbatch", "squeue", "scancel", "draw"] {
        std::fs::copy(Path::new("tests/it/engines").join(name), engines.join(name)).unwrap();
    }
    std::fs::write(engines.join("seed"), seed.to_string()).unwrap();
    engines
}

/// All that a command left: its files but the manifest, and what it printed.
pub fn left(folder: &Path, done: &Output) -> BTreeMap<PathBuf, Vec<u8>> {
    assert!(done.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&done.stderr));
    let out = folder.join("out");
    let manifest = out.join("manifest.json");
    if !manifest.exists() {
        std::fs::write(&manifest, "").unwrap();
    }
    let mut files = tree(&out);
    std::fs::remove_file(manifest).unwrap();
    let records = folder.join("records.csv");
    if records.exists() {
        files.insert("records.csv".into(), std::fs::read(records).unwrap());
    }
    files.insert("printed".into(), done.stdout.clone());
    files
}

/// The results are the same; of the kept runs there may be more, as a selection asks for days ahead.
#[track_caller]
pub fn same_results(here: &BTreeMap<PathBuf, Vec<u8>>, there: &BTreeMap<PathBuf, Vec<u8>>, what: &str) {
    for (path, bytes) in here {
        assert!(there.get(path) == Some(bytes), "{what}: {} differs, or is not there", path.display());
    }
    let more = there.keys().find(|path| !here.contains_key(*path) && !path.starts_with(".runs"));
    assert_eq!(more, None, "{what}");
}

fn here(words: &[&str], threads: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let folder = folder();
    let done = call(folder.path(), Path::new("."), words, &["--out", "out", "--threads", threads]);
    left(folder.path(), &done)
}

/// Schedules drawn by chance: parts in any order, twice, two at once, killed, lost and late, and a scheduler that does not answer.
fn schedules(cases: std::ops::Range<u64>) {
    let mut own = BTreeMap::new();
    for case in cases {
        let mut stream = Key::new(case, 0).stream(0);
        let which = drawn(stream.below(100));
        let parts = [1, 2, 7, 64][stream.below(4) as usize].to_string();
        let folder = folder();
        let engines = fake(folder.path(), case);
        let more = ["--out", "out", "--on", "slurm", "--poll", "0.01", "--parts", &parts];
        let done = call(folder.path(), &engines, COMMANDS[which].0, &more);
        let what = format!("case {case}, {:?} in {parts} parts", COMMANDS[which].0);
        let own = own.entry(which).or_insert_with(|| here(COMMANDS[which].0, "1"));
        same_results(own, &left(folder.path(), &done), &what);
    }
}

/// Fault: what comes out depends on which part simulates a day, in which order, or how often.
#[cfg(unix)]
#[test]
fn no_schedule_of_parts_changes_a_byte() {
    schedules(0..3);
}

/// The same for one thread and two.
#[test]
#[ignore = "CI runs it"]
fn no_number_of_threads_changes_a_byte() {
    for (words, _) in COMMANDS {
        same_results(&here(words, "1"), &here(words, "2"), words[0]);
    }
}

/// The same for more. Longer, so CI runs it.
#[cfg(unix)]
#[test]
#[ignore = "12 schedules; CI runs it"]
fn no_schedule_of_twelve_changes_a_byte() {
    schedules(100..112);
}

/// The same for 500 others: some four minutes.
#[cfg(unix)]
#[test]
#[ignore = "500 schedules; run by hand"]
fn by_hand_no_schedule_of_five_hundred_changes_a_byte() {
    schedules(1_000..1_500);
}

/// The plan that `--on script` makes, in as many parts, and what it printed.
fn planned(folder: &Path, words: &[&str], parts: &str) -> (PathBuf, String) {
    let done = call(folder, Path::new("."), words, &["--out", "out", "--on", "script", "--parts", parts]);
    assert_eq!(done.status.code(), Some(3), "{}", String::from_utf8_lossy(&done.stderr));
    let jobs = std::fs::read_dir(folder.join("out/.jobs")).unwrap().next().unwrap().unwrap().path();
    let plan = std::fs::read_dir(jobs).unwrap().next().unwrap().unwrap().path();
    (plan, String::from_utf8(done.stdout).unwrap())
}

fn part(plan: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headend"));
    command.arg("part").arg(plan).args(words);
    command
}

#[track_caller]
fn refused(done: &Output, parts: &[&str]) {
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(2), "{said}");
    for part in parts {
        assert!(said.contains(part), "`{part}` is not in {said}");
    }
}

/// Fault: what `--on script` prints does not do what it says, or a plan needs more than its folder.
#[cfg(unix)]
#[test]
fn the_commands_of_a_script_lead_to_the_results() {
    let (folder, words) = (folder(), COMMANDS[0].0);
    let own = here(words, "2");
    // The scenario is not there while the parts are simulated, and the folder is elsewhere.
    let (plan, said) = planned(folder.path(), words, "3");
    let elsewhere = tempfile::tempdir().unwrap();
    let moved = elsewhere.path().join("plan");
    assert!(Command::new("cp").arg("-r").args([&plan, &moved]).status().unwrap().success());
    let into = elsewhere.path().join("kept");
    for index in ["2", "0"] {
        let done =
            part(&moved, &["--index", index, "--into", into.to_str().unwrap()]).current_dir("/").output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    assert!(Command::new("cp").arg("-r").args([&into, &folder.path().join("out/.runs")]).status().unwrap().success());
    let (_, again) = planned(folder.path(), words, "3");
    assert!(said.contains("10 runs to simulate, in 3 parts: parts 0 to 2"), "{said}");
    assert!(again.contains("in 1 part: of parts 0 to 2 these: 1"), "{again}");
    // Whatever is missing is simulated by the line that was printed for it, until nothing is.
    for _ in 0..6 {
        let more = ["--out", "out", "--on", "script", "--parts", "3"];
        let done = call(folder.path(), Path::new("."), words, &more);
        if done.status.code() != Some(3) {
            return same_results(&own, &left(folder.path(), &done), "by hand");
        }
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let line = text.lines().skip_while(|line| *line != "A part by hand").nth(1).unwrap();
        let (_, last) = text.lines().next().unwrap().rsplit_once(' ').unwrap();
        let first = line.split("--index ").nth(1).unwrap().split(' ').next().unwrap();
        for index in first.parse::<u32>().unwrap()..=last.parse().unwrap() {
            let line = line.replace(&format!("--index {first} "), &format!("--index {index} "));
            assert!(Command::new("sh").arg("-c").arg(line).status().unwrap().success());
        }
    }
    panic!("the rounds do not end");
}

/// Fault: a part of another build, of a changed scenario or beyond the last one simulates something.
#[test]
fn a_part_that_is_not_as_planned_is_refused() {
    let folder = folder();
    let (plan, _) = planned(folder.path(), COMMANDS[0].0, "2");
    let run = |words: &[&str]| part(&plan, words).env_clear().output().unwrap();
    refused(&run(&["--index", "2"]), &["there is no part 2: the plan has 2", "counted from 0 to 1"]);
    refused(&run(&["--index", "auto"]), &["this process is no task of an array", "such as `--index 3`"]);
    refused(&run(&["--index", "x"]), &["write a number from 0, or `auto`"]);
    let file = plan.join("plan.json");
    let sound = std::fs::read_to_string(&file).unwrap();
    let build = headend::study::saved::BUILD;
    std::fs::write(&file, sound.replace(build, "0123456789abcdef")).unwrap();
    refused(&run(&["--index", "0"]), &["made by another build", "0123456789abcdef", "install the same program"]);
    std::fs::write(&file, &sound[..sound.len() / 2]).unwrap();
    refused(&run(&["--index", "0"]), &["is no plan of this program"]);
    std::fs::write(&file, sound.replace("\"setup\": \"base\"", "\"setup\": \"curfew\"")).unwrap();
    refused(&run(&["--index", "0"]), &["was made for another scenario than the one in its folder"]);
    std::fs::write(&file, &sound).unwrap();
    let scenario = std::fs::read_dir(&plan).unwrap().flatten().map(|entry| entry.path());
    let scenario = scenario.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "toml")).unwrap();
    let text = std::fs::read_to_string(&scenario).unwrap();
    std::fs::write(&scenario, text.replace("60 kB", "61 kB")).unwrap();
    refused(&run(&["--index", "0"]), &["is not what the plan was made with"]);
    refused(
        &part(&folder.path().join("nowhere"), &["--index", "0"]).output().unwrap(),
        &["cannot be read", "under the same path"],
    );
    assert!(!folder.path().join("out/.runs").exists(), "nothing is simulated");
}

/// Fault: a full disk or a folder that cannot be written to loses a run, or is not told.
#[test]
fn a_part_that_cannot_write_says_so_and_is_done_again() {
    let folder = folder();
    let (plan, _) = planned(folder.path(), COMMANDS[0].0, "1");
    let run = |into: &str| part(&plan, &["--index", "0", "--into", into]).output().unwrap();
    if cfg!(target_os = "linux") {
        refused(&run("/proc/nothing"), &["cannot write /proc/nothing", "check the path"]);
    }
    if cfg!(debug_assertions) {
        for write in [1, 5, 12, 30] {
            let done = part(&plan, &["--index", "0"]).env("HEADEND_FAIL_WRITE", write.to_string()).output().unwrap();
            refused(&done, &["cannot write", "make room on the disk; the same command goes on from there"]);
        }
    }
    assert!(part(&plan, &["--index", "0"]).output().unwrap().status.success());
    let done = call(folder.path(), Path::new("."), COMMANDS[0].0, &["--out", "out"]);
    same_results(&here(COMMANDS[0].0, "1"), &left(folder.path(), &done), "after a full disk");
}

/// Fault: a scheduler that is not there, or refuses, leaves the user without a remedy; or what it said is lost.
#[cfg(unix)]
#[test]
fn what_a_scheduler_says_is_told_with_its_remedy() {
    let folder = folder();
    let on = |engines: &Path, engine: &str| {
        let path = format!("{}:/usr/bin:/bin", engines.display());
        let words = ["compare", "quick.toml", "--out", "out", "--poll", "0.01", "--on", engine];
        let mut command = Command::new(env!("CARGO_BIN_EXE_headend"));
        command.current_dir(folder.path()).args(words).env("PATH", path).output().unwrap()
    };
    let engines = fake(folder.path(), 1);
    let script = |name: &str, text: &str| std::fs::write(engines.join(name), format!("#!/bin/sh\n{text}\n")).unwrap();
    let cases = [
        (
            "Batch job submission failed: Munge decode failed: Expired credential",
            "the clocks or the keys of the machines differ",
        ),
        ("Batch job submission failed: Invalid job array specification", "write fewer with `--parts`"),
        ("invalid partition specified: shrt", "`sinfo` and `sacctmgr show user $USER` say what there is"),
        ("Batch job submission failed: Requested node configuration is not available", "no machine has so much"),
    ];
    for (said, remedy) in cases {
        script("sbatch", &format!("echo 'sbatch: error: {said}' >&2; exit 1"));
        script("squeue", "exit 0");
        refused(&on(&engines, "slurm"), &["sbatch refused", said, remedy]);
    }
    script("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1");
    refused(&on(&engines, "slurm"), &["Unable to contact slurm controller", "its controller does not answer"]);
    script("sbatch", "echo hello world");
    script("squeue", "exit 0");
    refused(&on(&engines, "slurm"), &["it answered `hello world`, which is no job number"]);
    // Tasks that end without having done anything.
    script("sbatch", "echo 7");
    script("squeue", "exit 0");
    refused(
        &on(&engines, "slurm"),
        &["10 of 10 runs are missing after 4 attempts", "have left no log", "what was simulated is kept"],
    );
    std::fs::copy("tests/it/engines/sbatch", engines.join("sbatch")).unwrap();
    script(
        "squeue",
        "log=$(cat \"$(dirname \"$0\")/log\"); echo 'error: cannot write x: No space left' >\"${log%%%a.log}0.log\"",
    );
    refused(&on(&engines, "slurm"), &["0.log ends with", "error: cannot write x: No space left"]);
    let empty = tempfile::tempdir().unwrap();
    let none = |engine: &str| {
        let words = ["compare", "quick.toml", "--out", "out", "--on", engine];
        let mut command = Command::new(env!("CARGO_BIN_EXE_headend"));
        command.current_dir(folder.path()).args(words).env("PATH", empty.path()).output().unwrap()
    };
    refused(
        &none("slurm"),
        &["there is no `squeue` on this machine", "`--on script` prints the commands for other schedulers"],
    );
    refused(&none("parallel"), &["there is no `parallel` on this machine", "install it"]);
}

/// Fault: of two results of one day one is taken by chance.
#[test]
fn a_day_that_came_out_in_two_ways_is_no_result() {
    let folder = folder();
    let words = COMMANDS[0].0;
    let run = || call(folder.path(), Path::new("."), words, &["--out", "out"]);
    let own = left(folder.path(), &run());
    let kept = own.keys().find(|path| path.extension().is_some_and(|ending| ending == "run")).unwrap();
    let path = folder.path().join("out").join(kept);
    let other = path.with_file_name("day-0.run.other");
    let path = path.with_file_name("day-0.run");
    std::fs::copy(&path, &other).unwrap();
    refused(
        &run(),
        &["day-0.run and ", "day-0.run.other are of the same simulated day, and differ", "remove both files"],
    );
    std::fs::remove_file(&other).unwrap();
    std::fs::remove_file(&path).unwrap();
    same_results(&own, &left(folder.path(), &run()), "mended");
}

/// Fault: options of one engine are passed over by another.
#[test]
fn options_of_another_engine_are_refused() {
    let folder = folder();
    for (engine, option) in [("slurm", "--parallel"), ("parallel", "--slurm")] {
        let more = ["--out", "out", "--on", engine, option, "-n 3"];
        let named = format!("`{option}` goes with `--on {}`", &option[2..]);
        refused(&call(folder.path(), Path::new("."), COMMANDS[0].0, &more), &[&named]);
    }
    let said = planned(folder.path(), &[COMMANDS[0].0, &["--slurm", "--partition=short"]].concat(), "2").1;
    assert!(said.contains("--mem=") && said.contains("--partition=short"), "{said}");
    for word in ["--job-name=mine", "-Jmine", "--array=0-1", "--test-only"] {
        let more = ["--out", "out", "--on", "slurm", "--slurm", word];
        let done = call(folder.path(), Path::new("."), COMMANDS[0].0, &more);
        refused(&done, &[&format!("`{word}` in `--slurm` is given by headend itself")]);
    }
    let unclosed = call(folder.path(), Path::new("."), COMMANDS[0].0, &["--on", "slurm", "--slurm", "--x='y"]);
    refused(&unclosed, &["a quotation mark is not closed"]);
}

/// The commands of docs/scale.md are understood: all that is wrong with them here is that their files are not there.
#[test]
fn the_commands_of_the_page_are_understood() {
    let folder = tempfile::tempdir().unwrap();
    let page = std::fs::read_to_string("docs/scale.md").unwrap();
    let lines: Vec<&str> = page.lines().filter(|line| line.contains("headend ") && !line.contains('`')).collect();
    let of_program = |line: &str| line.split("headend ").nth(1).unwrap().split(" #").next().unwrap().trim().to_owned();
    let commands = lines.iter().filter(|line| ["headend ", "qsub ", "hq "].iter().any(|first| line.starts_with(first)));
    let mut count = 0;
    for command in commands {
        let words = headend::scale::shell::words(&of_program(command)).unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_headend")).current_dir(folder.path()).args(words).output().unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(said.contains("cannot read") || said.contains("cannot be read"), "{command}: {said}");
        count += 1;
    }
    assert!(count >= 9, "{count}");
}

/// A cluster in simulated time: it starts a task now and then, some are killed, and some are on a node that dies.
struct SimulatedCluster {
    stream: headend::random::Stream,
    now: f64,
    slots: usize,
    /// Share of tasks that are killed at some time: they are gone. As many again are on a node that dies: they wait for minutes.
    killed: f64,
    /// When the next task can start.
    next_start: f64,
    waiting: Vec<(f64, usize)>,
    /// When a task ends, its part, and what becomes of it.
    running: Vec<(f64, usize, Fate)>,
    submissions: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Done,
    Killed,
    NodeDied,
}

impl SimulatedCluster {
    /// Array elements a second, as measured with Slurm 22.05.
    const STARTS: f64 = 0.7;
    /// Until a dead node is noticed [s].
    const NOTICED: f64 = 300.0;
    /// Between two questions [s].
    const POLL: f64 = 5.0;
    /// A task begins and ends [s].
    const ENDS: f64 = 1.0;

    fn new(seed: u64, slots: usize, killed: f64) -> Self {
        let stream = Key::new(seed, 0).stream(0);
        let (waiting, running) = (Vec::new(), Vec::new());
        Self { stream, now: 0.0, slots, killed, next_start: 0.0, waiting, running, submissions: 0 }
    }

    fn start(&mut self, job: &Job) {
        while self.running.len() < self.slots
            && self.next_start <= self.now
            && let Some(place) = self.waiting.iter().position(|(ready, _)| *ready <= self.now)
        {
            let (_, part) = self.waiting.remove(place);
            self.next_start = self.next_start.max(self.now - Self::POLL) + 1.0 / Self::STARTS;
            // A prediction is off by a fifth or so.
            let spread = headend::elementary::exp(0.4 * (self.stream.uniform() - 0.5));
            let whole = Self::ENDS + job.plan.parts[part].seconds * spread;
            let draw = self.stream.uniform();
            let (fate, length) = match draw {
                draw if draw < self.killed => (Fate::Killed, whole * self.stream.uniform()),
                draw if draw < 2.0 * self.killed => (Fate::NodeDied, whole * self.stream.uniform()),
                _ => (Fate::Done, whole),
            };
            self.running.push((self.now + length, part, fate));
        }
    }
}

impl BatchSystem for SimulatedCluster {
    fn submit(&mut self, _: &Job, parts: &[usize]) -> Result<(), ScaleFault> {
        self.submissions += 1;
        self.waiting.extend(parts.iter().map(|part| (self.now, *part)));
        Ok(())
    }

    fn queue(&mut self, job: &Job) -> Result<Reply, ScaleFault> {
        let until = self.now + Self::POLL;
        while self.now < until {
            self.now += 0.5;
            let now = self.now;
            let (ended, running): (Vec<_>, Vec<_>) = self.running.iter().copied().partition(|(end, ..)| *end <= now);
            self.running = running;
            for (_, part, fate) in ended {
                match fate {
                    Fate::Done => job.plan.parts[part].runs.iter().for_each(|run| {
                        std::fs::write(job.kept().join(&run.file), "").unwrap();
                    }),
                    Fate::Killed => {}
                    Fate::NodeDied => self.waiting.push((now + Self::NOTICED, part)),
                }
            }
            self.start(job);
        }
        let running = self.running.iter().map(|(_, part, _)| (Some(*part), TaskState::Running));
        let waiting = self.waiting.iter().map(|(_, part)| (Some(*part), TaskState::Waiting));
        Ok(Reply::Has(Queue { tasks: running.chain(waiting).collect(), ..Queue::default() }))
    }

    fn cancel(&mut self, _: &Job) {}

    fn left(&self, _: &Job) -> String {
        String::new()
    }

    fn leave(&mut self, _: &Job) {}

    fn silence(&self) -> &'static str {
        ""
    }
}

/// Time that a job of 1,000 parts of so many seconds takes [s], how often parts were submitted, and whether all is done.
fn thousand(slots: usize, seconds: f64, killed: f64) -> (f64, u32, bool) {
    const PARTS: u32 = 1_000;
    let folder = tempfile::tempdir().unwrap();
    let recipe = Recipe {
        scenario: "none.toml".to_owned(),
        setup: "base".to_owned(),
        seed: None,
        fidelity: None,
        grain: None,
        target_hours: false,
        lose: None,
        measure: RunKind::Run { records: false },
    };
    let task = |replication: u32| Task {
        recipe: recipe.clone(),
        replication,
        file: format!("key-{replication}.run").into(),
        seconds: seconds / 2.0,
        memory: 1e8,
    };
    let tasks: Vec<Task> = (0..2 * PARTS).map(task).collect();
    let plan = JobPlan::of(&tasks, &BTreeMap::new(), Some(PARTS), "../kept");
    let job = Job::create(&folder.path().join("jobs"), &plan, &BTreeMap::new()).unwrap();
    std::fs::create_dir_all(job.kept()).unwrap();
    let mut cluster = SimulatedCluster::new(1, slots, killed);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let done = wait(&job, &mut cluster, std::time::Duration::ZERO, &stop, &|_| {});
    (cluster.now, cluster.submissions, done.is_ok() && job.unfinished().is_empty())
}

/// Fault: with many tasks of which some fail, parts are lost, or everything is submitted again.
#[test]
fn a_thousand_tasks_of_which_some_fail_are_all_done() {
    let (time, submissions, is_done) = thousand(64, 60.0, 0.02);
    assert!(is_done && (2..=4).contains(&submissions), "{submissions}");
    // What a scheduler without a fault would take, and a quarter.
    let ideal: f64 = 1_000.0 / SimulatedCluster::STARTS;
    assert!(time < 1.5 * ideal, "{time} s where {ideal} s is the least");
}

/// The table of `docs/scale.md`.
#[test]
#[ignore = "prints a table; run by hand"]
fn by_hand_a_thousand_tasks() {
    println!("| slots | a part | tasks killed | time | times the least | submissions |\n|---|---|---|---|---|---|");
    let cases: [(u16, f64); 7] =
        [(16, 60.0), (64, 60.0), (256, 60.0), (64, 600.0), (256, 600.0), (1000, 600.0), (1000, 3600.0)];
    for (slots, seconds) in cases {
        for killed in [0.0, 0.01, 0.05] {
            let (time, submissions, is_done) = thousand(usize::from(slots), seconds, killed);
            assert!(is_done);
            let least = 1_000.0 * seconds / f64::from(slots);
            let (percent, minutes) = (killed * 100.0, time / 60.0);
            println!(
                "| {slots} | {seconds} s | {percent} % | {minutes:.0} min | {:.2} | {submissions} |",
                time / least
            );
        }
    }
}
