//! `validate`: headend against references.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::atomic::Ordering;

use crate::cli::args::{SuiteFidelity, Validate};
use crate::cli::common::{bar, say, say_json};
use crate::cli::stop::{STOP, Stop};
use crate::model::{Fidelity, Without};
use crate::report::regimes::Suite;
use crate::report::validation;
use crate::study::StudyError;
use crate::validate::evidence::Store;
use crate::validate::method::{MethodError, errors, held, learnt};
use crate::validate::{RowVerdict, evidence_rows, regimes, replay_all, textbook};
use crate::{disk, report};

pub(super) fn validate(args: &Validate) -> Result<u8, Stop> {
    if let Some(count) = args.regimes {
        return suite(args, count);
    }
    let store = store(args);
    let bar = indicatif::ProgressBar::new_spinner();
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
    }
    let done = || bar.inc(1);
    bar.set_message("textbooks");
    let mut rows = textbook::rows();
    let replayed = replay_all(&store, &done).map_err(|fault| Stop::Input(format!("error: {fault}")))?;
    if replayed.is_empty() {
        let help = "name a folder with traces/, ns3/ and testbed/";
        return Err(Stop::Input(format!("error: there is no evidence there\n  = help: {help}")));
    }
    rows.extend(evidence_rows(&replayed));
    bar.finish_and_clear();
    if let Some(path) = &args.html {
        write(path, &validation::page(&rows, &replayed))?;
    }
    if args.json {
        say_json(&rows)?;
    } else {
        say(&validation::table(&rows))?;
    }
    Ok(u8::from(rows.iter().any(|row| row.verdict() == RowVerdict::Beyond)))
}

/// Where the evidence lies.
fn store(args: &Validate) -> Store<'_> {
    args.evidence.as_deref().map_or(Store::Shipped, Store::Folder)
}

/// A fidelity against packets in scenarios drawn over every regime.
fn suite(args: &Validate, count: u64) -> Result<u8, Stop> {
    let bar = bar("{wide_bar} {pos}/{len} scenarios, {eta} left");
    bar.set_length(count);
    let without = args.without.map_or(Without::NONE, |ingredient| Without::NONE.and(ingredient));
    let fidelity = match args.fidelity {
        SuiteFidelity::Flow => Fidelity::Flow,
        SuiteFidelity::Sampled => Fidelity::Sampled,
    };
    let scenarios = regimes::run((args.seed, count), (fidelity, without), &STOP, &|| bar.inc(1));
    bar.finish_and_clear();
    if STOP.load(Ordering::Relaxed) {
        return Err(Stop::Study(StudyError::Stopped));
    }
    if let Some(path) = &args.learn {
        let replayed = replay_all(&store(args), &|| ()).map_err(|fault| Stop::Input(format!("error: {fault}")))?;
        let mut learnt = errors(&scenarios, fidelity, &replayed);
        learnt.extend(of_others(path, &learnt));
        write(path, &validation::errors_csv(&learnt))?;
    }
    let suite = Suite {
        seed: args.seed,
        table: regimes::table(&scenarios),
        fidelity: fidelity.name(),
        worst: regimes::worst(args.seed, fidelity, &scenarios, WORST),
        held: held(&scenarios, fidelity, &learnt()),
        scenarios,
    };
    if args.json {
        say_json(&suite)?;
    } else {
        say(&report::regimes::text(&suite))?;
    }
    Ok(0)
}

/// What a file of errors says of fidelities that were not measured now; nothing if there is no such file.
fn of_others(path: &Path, now: &[MethodError]) -> Vec<MethodError> {
    let Ok(text) = std::fs::read_to_string(path) else { return Vec::new() };
    let rows = csv::Reader::from_reader(text.as_bytes()).into_deserialize().filter_map(Result::ok);
    rows.filter(|row: &MethodError| now.iter().all(|other| other.fidelity != row.fidelity)).collect()
}

/// So many scenarios that are furthest off are shown.
const WORST: usize = 10;

fn write(path: &Path, text: &str) -> Result<(), Stop> {
    disk::tidy(disk::folder_of(path), 0);
    disk::write(path, text.as_bytes()).map_err(|fault| Stop::Write(path.to_owned(), fault))
}
