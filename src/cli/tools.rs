//! `headend check`, `profiles`, `schema`, `init` and `completions`.

use std::path::{Path, PathBuf};

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::args::{Allowed, Cli, ShellName};
use crate::cli::common::{answers_at_ends, load, say};
use crate::cli::stop::Stop;
use crate::report::table;
use crate::report::words::{count, several};
use crate::{disk, report, scenario};

pub(crate) fn check(file: &Path, terms: Allowed) -> Result<u8, Stop> {
    let (study, text) = load(file, terms)?;
    answers_at_ends(file, (&study, &text), terms)?;
    let base = &study.setups[0].model;
    let patients: u64 = base.sites.iter().map(|site| u64::from(site.patients)).sum();
    let assumed = report::standing::assumed(&study.inputs);
    let valid = format!(
        "{} is valid: {} with {} {}, {}, {}, {}, {}; {assumed} of {} numbers are assumed.",
        disk::shown(file),
        several(base.sites.len(), ["site", "sites"]),
        count(patients),
        study.counted,
        several(base.classes.len(), ["class", "classes"]),
        several(base.concentrators.len(), ["concentrator", "concentrators"]),
        several(study.setups.len() - 1, ["option", "options"]),
        several(study.targets.len(), ["target", "targets"]),
        study.inputs.len()
    );
    let mut text = table::wrapped(&valid, "");
    for warning in scenario::warn::warnings(&study) {
        let title_of = |name: &String| study.setups.iter().find(|setup| setup.name == *name).map(|setup| &setup.title);
        let who = warning.setup.as_ref().and_then(title_of).map_or_else(String::new, |title| format!("{title}: "));
        text += &format!("\nwarning: {who}{}\n  = help: {}", warning.title, warning.help);
    }
    text += "\n";
    text += &report::load::text(&study);
    text += "\n";
    text += &report::load::cost(&study, rayon::current_num_threads());
    say(&text)
}

/// Each built-in device with its figures and their sources.
pub(crate) fn profiles() -> String {
    let mut rows = vec![["profile", "throughput", "packets", "a tunnel", "tunnels"].map(str::to_owned).to_vec()];
    let (mut sources, mut ended) = (Vec::<(String, Vec<String>)>::new(), Vec::new());
    for (name, profile) in scenario::check::device::built_in() {
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        rows.push(vec![
            name.clone(),
            text(profile.throughput.value().map(ToString::to_string)),
            text(profile.packet_rate.value().map(ToString::to_string)),
            text(profile.per_tunnel.value().map(ToString::to_string)),
            text(profile.tunnels.value().map(|tunnels| tunnels.0.to_string())),
        ]);
        ended.extend(profile.end_of_sale.value().map(|until| format!("{name} ({})", until.0)));
        let source = profile.from.value().map_or("", |from| from.0.as_str());
        match sources.iter_mut().find(|(known, _)| known == source) {
            Some((_, names)) => names.push(name),
            None => sources.push((source.to_owned(), vec![name])),
        }
    }
    let source = |(source, names): &(String, Vec<String>)| {
        format!("{}\n{}\n", table::wrapped(source, "  "), table::wrapped(&format!("for {}", names.join(", ")), "    "))
    };
    let ended = table::wrapped(&format!("No longer sold, and until when it was: {}.", ended.join(", ")), "  ");
    format!("{}\n{ended}\n\nSources\n{}", table::columns(&rows), sources.iter().map(source).collect::<String>())
}

pub(crate) fn init(name: &str, branches: bool) -> Result<u8, Stop> {
    let fine = |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_');
    if name.is_empty() || !name.chars().all(fine) {
        let help = "use letters, digits, `-` and `_`, without an ending";
        return Err(Stop::Input(format!("error: `{name}` is not a name for a scenario\n  = help: {help}")));
    }
    let path = PathBuf::from(format!("{name}.toml"));
    if path.exists() {
        let help = "choose another name, or move that file away";
        return Err(Stop::Input(format!("error: {} already exists\n  = help: {help}", disk::shown(&path))));
    }
    let write =
        |path: &Path, bytes: &[u8]| disk::write(path, bytes).map_err(|fault| Stop::Write(path.to_owned(), fault));
    let mut text = String::new();
    if branches {
        write(&path, include_bytes!("../../templates/branches.toml"))?;
        let list = Path::new("branches.csv");
        if list.exists() {
            text += "branches.csv is yours, and is used.\n";
        } else {
            write(list, include_bytes!("../../templates/branches.csv"))?;
            text += "branches.csv is an example of 60 branches: put your own list in its place.\n";
        }
    } else {
        write(&path, include_bytes!("../../templates/starter.toml"))?;
    }
    let shown = disk::shown(&path);
    say(&format!("{text}{shown} is written. `headend check {shown}` shows its load, `headend run {shown}` runs it."))
}

pub(crate) fn completions(shell: ShellName) -> Result<u8, Stop> {
    let shell = match shell {
        ShellName::Bash => Shell::Bash,
        ShellName::Elvish => Shell::Elvish,
        ShellName::Fish => Shell::Fish,
        ShellName::Powershell => Shell::PowerShell,
        ShellName::Zsh => Shell::Zsh,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "headend", &mut text);
    say(&String::from_utf8_lossy(&text))
}
