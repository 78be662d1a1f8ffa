//! A real Slurm on this machine, and GNU parallel: tasks, daemons and the command itself are killed in the middle, and the results are the
//! same bytes. Skipped, and said so, where these programs are not.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::scale::{QUICK, left, same_results};

/// The longest that is waited for anything.
const PATIENCE: Duration = Duration::from_secs(200);

/// Waits until something is there.
#[track_caller]
fn until<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a command leaves when it ends by itself.
#[track_caller]
fn ended(mut child: Child, what: impl Fn() -> String, meanwhile: impl Fn()) -> Output {
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > PATIENCE {
            let what = what();
            let _ = child.kill();
            let said = child.wait_with_output().unwrap();
            panic!("it does not end: {what}\n{}", String::from_utf8_lossy(&said.stderr));
        }
        meanwhile();
        std::thread::sleep(Duration::from_millis(200));
    }
    child.wait_with_output().unwrap()
}

fn kill(pid: u32) {
    let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
}

/// Processes whose command line has all of these words.
fn processes(words: &[&str]) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pid = |entry: std::fs::DirEntry| {
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        let pid = entry.file_name().to_str()?.parse().ok()?;
        words.iter().all(|word| line.contains(word)).then_some(pid)
    };
    entries.filter_map(pid).collect()
}

/// One cluster at a time: two would share the name of the machine, and the processors.
static ONE: Mutex<()> = Mutex::new(());

/// The daemons of a cluster of one machine with two processors.
struct Cluster {
    _turn: MutexGuard<'static, ()>,
    folder: tempfile::TempDir,
    daemons: BTreeMap<&'static str, Child>,
}

impl Cluster {
    /// None, with the reason on stderr, where Slurm cannot be started.
    fn start() -> Option<Self> {
        let there = |program: &&str| {
            ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].iter().any(|folder| Path::new(folder).join(program).exists())
        };
        let needed = ["munged", "slurmctld", "slurmd", "sbatch", "squeue"];
        let is_root =
            std::fs::metadata("/proc/self").is_ok_and(|about| std::os::unix::fs::MetadataExt::uid(&about) == 0);
        if let Some(absent) = needed.iter().find(|program| !there(program)) {
            eprintln!("SKIPPED: there is no {absent} on this machine");
            return None;
        }
        if !is_root {
            eprintln!("SKIPPED: Slurm is started as root only");
            return None;
        }
        let turn = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cluster = Self { _turn: turn, folder: tempfile::tempdir().unwrap(), daemons: BTreeMap::new() };
        cluster.configure();
        for daemon in ["munged", "slurmctld", "slurmd"] {
            cluster.up(daemon);
        }
        let began = Instant::now();
        while !String::from_utf8_lossy(&cluster.ask("sinfo", &["--noheader", "--format=%T"]).stdout).contains("idle") {
            if began.elapsed() > Duration::from_mins(1) {
                eprintln!("SKIPPED: Slurm does not start here: {}", cluster.said());
                return None;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        Some(cluster)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self) {
        use std::os::unix::fs::PermissionsExt;
        let root = self.folder.path().display();
        for name in ["state", "spool", "munge"] {
            std::fs::create_dir(self.path(name)).unwrap();
        }
        std::fs::set_permissions(self.folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(self.path("munge/key"), [7; 128]).unwrap();
        std::fs::set_permissions(self.path("munge/key"), std::fs::Permissions::from_mode(0o400)).unwrap();
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let host = host.trim();
        let port = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let text = format!(
            "ClusterName=test\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser=root\nSlurmdUser=root\nAuthType=auth/munge\n\
             AuthInfo=socket={root}/munge/socket\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n\
             AccountingStorageType=accounting_storage/none\nJobAcctGatherType=jobacct_gather/none\nSelectType=select/cons_tres\n\
             SelectTypeParameters=CR_CPU\nReturnToService=2\nJobRequeue=1\nMpiDefault=none\nStateSaveLocation={root}/state\n\
             SlurmdSpoolDir={root}/spool\nSlurmctldPidFile={root}/slurmctld.pid\nSlurmdPidFile={root}/slurmd.pid\n\
             SlurmctldPort={}\nSlurmdPort={}\nSlurmdTimeout=20\n\
             SchedulerParameters=sched_interval=1,batch_sched_delay=0\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000\nPartitionName=all Nodes=ALL Default=YES State=UP\n",
            port(),
            port()
        );
        std::fs::write(self.path("slurm.conf"), text).unwrap();
    }

    fn up(&mut self, daemon: &'static str) {
        let mut command = Command::new(daemon);
        if daemon == "munged" {
            command.args(["--foreground", "--force"]);
            for (option, name) in
                [("key-file", "key"), ("socket", "socket"), ("pid-file", "pid"), ("seed-file", "seed")]
            {
                command.arg(format!("--{option}={}", self.path(&format!("munge/{name}")).display()));
            }
        } else {
            command.arg("-D").env("SLURM_CONF", self.path("slurm.conf"));
        }
        let log = std::fs::OpenOptions::new().append(true).create(true).open(self.path(daemon)).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log).stdin(Stdio::null());
        self.daemons.insert(daemon, command.spawn().unwrap());
        if daemon == "munged" {
            until("munge", || self.path("munge/socket").exists().then_some(()));
        }
    }

    fn down(&mut self, daemon: &'static str) {
        let mut child = self.daemons.remove(daemon).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    fn ask(&self, program: &str, words: &[&str]) -> Output {
        Command::new(program).env("SLURM_CONF", self.path("slurm.conf")).args(words).output().unwrap()
    }

    /// Does what an administrator does with a node that was drained, and tasks that were held, while a daemon was away.
    fn resume(&self) {
        let node = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let drained =
            String::from_utf8_lossy(&self.ask("sinfo", &["--noheader", "--format=%T"]).stdout).contains("drain");
        if drained {
            self.ask("scontrol", &["update", &format!("NodeName={}", node.trim()), "State=RESUME"]);
        }
        let held = self.ask("squeue", &["--noheader", "--array", "--format=%i|%r"]);
        for line in String::from_utf8_lossy(&held.stdout).lines().filter(|line| line.contains("Held")) {
            self.ask("scontrol", &["release", line.split('|').next().unwrap()]);
        }
    }

    /// The last that the daemons said.
    fn said(&self) -> String {
        let tail = |name: &str| {
            let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(5)..].join("\n")
        };
        let asked = [("squeue", "--format=%i %T %r"), ("sinfo", "--format=%n %T %E")];
        let asked =
            asked.map(|(program, format)| String::from_utf8_lossy(&self.ask(program, &[format]).stdout).into_owned());
        [["slurmctld", "slurmd"].map(tail).join("\n"), asked.join("\n")].join("\n")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.ask("scancel", &["--me"]);
        for daemon in ["slurmctld", "slurmd", "munged"] {
            if let Some(child) = self.daemons.get_mut(daemon) {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
        // Steps outlive their daemon.
        processes(&["slurmstepd", "headend"]).into_iter().for_each(kill);
    }
}

/// A scenario of which a day takes a tenth of a second or so, and 40 points of it.
const POINTS: [&str; 4] =
    ["sweep", "quick.toml", "--vary", "concentrator.hub.throughput=100 Mbit/s..295 Mbit/s:5 Mbit/s"];

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let larger = QUICK.replace("patients = 5000", "patients = 200000").replace("08:20", "09:00");
    std::fs::write(folder.path().join("quick.toml"), larger.replace("precision = \"20 %\"", "precision = \"60 %\""))
        .unwrap();
    folder
}

fn command(folder: &Path, conf: Option<&Path>, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headend"));
    command.current_dir(folder).args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
    if let Some(conf) = conf {
        command.env("SLURM_CONF", conf);
    }
    command
}

/// Number of runs that are kept in a folder.
fn kept(folder: &Path) -> usize {
    let folders = std::fs::read_dir(folder.join("out/.runs")).into_iter().flatten().flatten();
    let runs = folders.flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten());
    runs.filter(|file| file.path().extension().is_some_and(|ending| ending == "run")).count()
}

fn here(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let done = command(folder, None, &[&POINTS[..], &["--out", "out"]].concat()).output().unwrap();
    let files = left(folder, &done);
    std::fs::remove_dir_all(folder.join("out")).unwrap();
    files
}

/// Fault: a task, a node or the scheduler that dies changes a byte, loses a day or ends the command.
#[test]
#[ignore = "starts a cluster; CI runs it"]
fn a_cluster_that_fails_leaves_the_same_bytes() {
    let Some(mut cluster) = Cluster::start() else { return };
    let folder = folder();
    let own = here(folder.path());
    let conf = cluster.path("slurm.conf");
    let words = [&POINTS[..], &["--out", "out", "--on", "slurm", "--parts", "16", "--poll", "0.5"]].concat();
    let mut running = command(folder.path(), Some(&conf), &words).spawn().unwrap();
    let plan = folder.path().join("out/.jobs");
    let tasks = || processes(&["headend part", &plan.display().to_string()]);
    let at = |least: usize, what: &str| until(what, || (kept(folder.path()) >= least).then_some(()));
    // A task dies.
    at(3, "the first runs");
    kill(until("a task", || tasks().first().copied()));
    // The node's daemon dies.
    at(15, "more runs");
    cluster.down("slurmd");
    std::thread::sleep(Duration::from_secs(1));
    cluster.up("slurmd");
    // The scheduler dies.
    at(30, "still more runs");
    cluster.down("slurmctld");
    std::thread::sleep(Duration::from_secs(3));
    cluster.up("slurmctld");
    assert!(running.try_wait().unwrap().is_none(), "it ended before everything was killed: {}", kept(folder.path()));
    let done = ended(running, || cluster.said(), || cluster.resume());
    same_results(&own, &left(folder.path(), &done), &cluster.said());
}

/// Fault: Ctrl-C takes the jobs away, or the command that is given again submits them a second time.
#[test]
#[ignore = "starts a cluster; CI runs it"]
fn a_command_that_is_stopped_finds_its_job_again() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = folder();
    let own = here(folder.path());
    let conf = cluster.path("slurm.conf");
    let words = [&POINTS[..], &["--out", "out", "--on", "slurm", "--parts", "8", "--poll", "0.2"]].concat();
    // What is submitted is written down.
    let log = folder.path().join("submitted");
    let sbatch = format!("#!/bin/sh\necho \"$@\" >>{}\nexec /usr/bin/sbatch \"$@\"\n", log.display());
    std::fs::write(folder.path().join("sbatch"), sbatch).unwrap();
    std::fs::set_permissions(folder.path().join("sbatch"), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    let spawn = || command(folder.path(), Some(&conf), &words).env("PATH", &path).spawn().unwrap();
    let first = spawn();
    until("the first run", || (kept(folder.path()) > 0).then_some(()));
    assert!(Command::new("kill").args(["-INT", &first.id().to_string()]).status().unwrap().success());
    let stopped = ended(first, String::new, || ());
    let said = String::from_utf8_lossy(&stopped.stderr);
    assert_eq!(stopped.status.code(), Some(130), "{said}");
    assert!(said.contains("its tasks go on in the queue: `scancel --me --name=headend-"), "{said}");
    let jobs = cluster.ask("squeue", &["--noheader", "--array", "--format=%F"]);
    let jobs = String::from_utf8_lossy(&jobs.stdout).into_owned();
    assert!(!jobs.trim().is_empty(), "the tasks go on");
    let done = ended(spawn(), || cluster.said(), || ());
    same_results(&own, &left(folder.path(), &done), &cluster.said());
    let submitted = std::fs::read_to_string(log).unwrap();
    let mut names: Vec<&str> = submitted.split_whitespace().filter(|word| word.starts_with("--job-name=")).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "a job was submitted twice: {submitted}");
}

/// Fault: what GNU parallel had done is done again, or lost, when it and the command are killed; or a byte differs.
#[test]
#[ignore = "runs GNU parallel; CI runs it"]
fn parallel_resumes_from_its_log() {
    if !Command::new("parallel").arg("--version").output().is_ok_and(|said| said.stdout.starts_with(b"GNU parallel")) {
        eprintln!("SKIPPED: there is no GNU parallel on this machine");
        return;
    }
    let folder = folder();
    let own = here(folder.path());
    let words =
        [&POINTS[..], &["--out", "out", "--on", "parallel", "--parallel", "-j 2", "--parts", "16", "--poll", "0.1"]]
            .concat();
    let mut first = command(folder.path(), None, &words).spawn().unwrap();
    until("some runs", || (kept(folder.path()) > 20).then_some(()));
    first.kill().unwrap();
    first.wait().unwrap();
    let jobs = folder.path().join("out/.jobs");
    let all = jobs.display().to_string();
    processes(&["parallel", &all]).into_iter().chain(processes(&["headend part", &all])).for_each(kill);
    let plan = std::fs::read_dir(jobs.join("sweep")).unwrap().next().unwrap().unwrap().path();
    let log = std::fs::read_to_string(plan.join("joblog")).unwrap();
    let done = log.lines().count() - 1;
    assert!(done > 0 && done < 16, "{log}");
    let whole = ended(command(folder.path(), None, &words).spawn().unwrap(), String::new, || ());
    same_results(&own, &left(folder.path(), &whole), "resumed");
}
