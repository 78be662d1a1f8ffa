//! `headend run`.

use crate::cli::args::{Allowed, FidelityName, RunArgs};
use crate::cli::bundle::Bundle;
use crate::cli::common::{
    FIRST, FORECASTS, RUNS, affordable, bar, choose, given, load, override_with, say, say_json, style,
};
use crate::cli::output::{Output, RunRequest};
use crate::cli::stop::{STOP, Stop};
use crate::model::Fidelity;
use crate::report::table;
use crate::scenario::Study;
use crate::study::cost::Extent;
use crate::study::results::{Results, Verdict};
use crate::study::{Progress, RunOptions, StudyError};
use crate::{disk, report, scenario, study};

pub(crate) fn run(args: &RunArgs, terms: Allowed) -> Result<u8, Stop> {
    let began = std::time::Instant::now();
    let (mut study, text) = load(&args.file, terms)?;
    let chosen = choose(&study, &args.options)?;
    adjust(&mut study, args);
    affordable(&study, Extent { setups: chosen.len(), ..Extent::of(&study) }, terms)?;
    let output = Output::prepare(args.out.as_deref(), &[(&args.file, &study.files)], "report")?;
    if let Some(records) = &args.records {
        output.admits(records)?;
    }
    let mut results = simulate(&study, &chosen, &output, args)?;
    results.check = check_fidelity(&study, &chosen, args).map_err(|fault| output.stop(fault))?;
    let files = std::slice::from_ref(&args.file);
    let command = given(files, |file| file.display().to_string());
    let asked = RunRequest { command, again: given(files, |_| "scenario.toml".to_owned()), began };
    let written = output.write(&results, &Bundle::of(&text, &study.files), &asked);
    // The summary is printed, whether or not all files could be written.
    if args.json {
        say_json(&results)?;
    } else if written.is_ok() {
        say(&format!("{}\nReport: {}", table::summary(&results), disk::shown(&output.page())))?;
    } else {
        say(&table::summary(&results))?;
    }
    written?;
    disk::remove(&output.unfinished());
    let met = results.setups.iter().any(|found| report::verdict::overall(found) == Verdict::Met);
    Ok(u8::from(!met && !results.targets.is_empty()))
}

fn adjust(study: &mut Study, args: &RunArgs) {
    override_with(study, args.seed, args.replications);
    for setup in &mut study.setups {
        let model = &mut setup.model;
        let written = match model.fidelity {
            Fidelity::Flow | Fidelity::Sampled => None,
            Fidelity::Packet(grain) => Some(grain),
        };
        model.fidelity = match (args.fidelity, written) {
            (None, None) => model.fidelity,
            (Some(FidelityName::Flow), _) => Fidelity::Flow,
            (Some(FidelityName::Sampled), _) => Fidelity::Sampled,
            (Some(FidelityName::Packet), _) | (None, Some(_)) => {
                Fidelity::Packet(args.grain.or(written).unwrap_or(scenario::DEFAULT_GRAIN))
            }
        };
    }
}

/// Packets in a train when fidelities are compared: within a few per cent of packet by packet, at a third of its cost.
const CHECK_GRAIN: u32 = 4;

fn simulate(study: &Study, chosen: &[usize], output: &Output, args: &RunArgs) -> Result<Results, Stop> {
    let bar = bar(RUNS);
    let progress = |progress| match progress {
        Progress::Runs { done, planned } => {
            style(&bar, if done == 0 { FIRST } else { RUNS });
            bar.set_length(planned);
            bar.set_position(done);
            tracing::debug!(done, planned, "runs finished");
        }
        Progress::Forecasts => style(&bar, FORECASTS),
    };
    let settings =
        RunOptions { stop: &STOP, progress: &progress, keep: Some(output.unfinished()), records: args.records.clone() };
    let results = study::run(study, chosen, &settings);
    bar.finish_and_clear();
    results.map_err(|fault| output.stop(fault))
}

pub(crate) fn check_fidelity(
    study: &Study,
    chosen: &[usize],
    args: &RunArgs,
) -> Result<Option<study::fidelity::FidelityCheck>, StudyError> {
    let bar = bar("{spinner} a quarter of an hour packet by packet, {elapsed}");
    let grain = args.grain.unwrap_or(CHECK_GRAIN);
    let found = study::fidelity::check(study, chosen, grain, args.check_fidelity, &STOP);
    bar.finish_and_clear();
    found
}
