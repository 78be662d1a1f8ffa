//! `headend run`.

use clap::ValueEnum;

use crate::cli::args::{Allowed, FidelityName, RunArgs};
use crate::cli::bundle::Bundle;
use crate::cli::common::{RUNS, affordable, bar, choose, given, load, override_with, say, say_json, shown_in};
use crate::cli::elsewhere::{Shipment, until_done};
use crate::cli::output::{Output, RunRequest};
use crate::cli::stop::{STOP, Stop};
use crate::model::Fidelity;
use crate::report::table;
use crate::scale::job::{Recipe, RunKind};
use crate::scale::wanting::Wanting;
use crate::scenario::Study;
use crate::study::cost::Extent;
use crate::study::error::MissingRun;
use crate::study::forecast::outlook::DayForecast;
use crate::study::results::{Results, Verdict};
use crate::study::{RunOptions, StudyError};
use crate::{disk, report, scenario, study};

pub(crate) fn run(args: &RunArgs, terms: Allowed) -> Result<u8, Stop> {
    let began = std::time::Instant::now();
    let (mut study, text) = load(&args.file, terms)?;
    let chosen = choose(&study, &args.options)?;
    override_with(&mut study, args.seed, args.replications);
    set_fidelity(&mut study, args.fidelity, args.grain);
    let shorter = args.target_hours && study.end_with_targets();
    affordable(&study, Extent { setups: chosen.len(), ..Extent::of(&study) }, terms)?;
    let output = Output::prepare(args.out.as_deref(), &[(&args.file, &study.files)], "report")?;
    if let Some(records) = &args.records {
        output.admits(records)?;
    }
    let kept = output.unfinished();
    let shipped = Shipment::of(&text, &study.files);
    let attempt = || simulate(&study, &chosen, &output, args, &shipped);
    let mut results = until_done(&args.scale, &output, &kept, attempt)?;
    if shorter {
        let until = study.setups[0].model.calendar.until;
        let what = format!("days end at {until} (`--target-hours`): figures beside the targets are of these hours");
        results.warnings.push(what);
    }
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

/// Sets the fidelity in place of what the scenario says, and the packets of a train.
pub(super) fn set_fidelity(study: &mut Study, fidelity: Option<FidelityName>, grain: Option<u32>) {
    for setup in &mut study.setups {
        let model = &mut setup.model;
        let written = match model.fidelity {
            Fidelity::Flow | Fidelity::Sampled => None,
            Fidelity::Packet(grain) => Some(grain),
        };
        model.fidelity = match (fidelity, written) {
            (None, None) => model.fidelity,
            (Some(FidelityName::Flow), _) => Fidelity::Flow,
            (Some(FidelityName::Sampled), _) => Fidelity::Sampled,
            (Some(FidelityName::Packet), _) | (None, Some(_)) => {
                Fidelity::Packet(grain.or(written).unwrap_or(scenario::DEFAULT_GRAIN))
            }
        };
    }
}

/// Packets in a train when fidelities are compared: within a few per cent of packet by packet, at a third of its cost.
const CHECK_GRAIN: u32 = 4;

fn simulate(
    study: &Study,
    chosen: &[usize],
    output: &Output,
    args: &RunArgs,
    shipped: &Shipment,
) -> Result<Results, Stop> {
    let bar = bar(RUNS);
    if !bar.is_hidden() && study.setups[0].model.replay.is_none() {
        let setup = &study.setups[0];
        bar.println(report::forecast::line(setup, &DayForecast::of(&setup.model, &study.targets)));
    }
    let progress = shown_in(&bar);
    let (keep, records, here) = (Some(output.unfinished()), args.records.clone(), args.scale.on.is_none());
    let settings = RunOptions { stop: &STOP, progress: &progress, keep, records, here };
    let results = study::run(study, chosen, &settings);
    bar.finish_and_clear();
    let fidelity = || args.fidelity?.to_possible_value().map(|name| name.get_name().to_owned());
    let recipe = |run: &MissingRun| Recipe {
        seed: args.seed,
        fidelity: fidelity(),
        grain: args.grain,
        target_hours: args.target_hours,
        ..shipped.recipe(&study.setups[run.place].name, RunKind::Run { records: args.records.is_some() })
    };
    results.map_err(|fault| match fault {
        StudyError::Missing(runs) => {
            Stop::Missing(Wanting::of(runs, shipped.files.clone(), recipe, |place| &study.setups[place].model))
        }
        other => output.stop(other),
    })
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
