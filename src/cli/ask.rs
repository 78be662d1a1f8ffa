//! `headend ask`: what to export today, and what each item would settle.

use std::path::Path;

use crate::cli::args::{Allowed, AskArgs, ScaleArgs, Sweep};
use crate::cli::common::{bar, load, say};
use crate::cli::output::Output;
use crate::cli::point::Runner;
use crate::cli::sensitivity::{bars, nothing_ranged, without_range};
use crate::cli::stop::Stop;
use crate::report;

pub(super) fn ask(args: &AskArgs, terms: Allowed) -> Result<u8, Stop> {
    match &args.file {
        None => say(&report::ask::systems()),
        Some(file) => of_scenario(args, file, terms),
    }
}

fn of_scenario(args: &AskArgs, file: &Path, terms: Allowed) -> Result<u8, Stop> {
    let (study, text) = load(file, terms)?;
    if nothing_ranged(&study) {
        return say(&report::ask::without_ranges(&study.question));
    }
    let output = Output::prepare(args.out.as_deref(), &[(file, &study.files)], "ask")?;
    let sweep = Sweep {
        file: file.to_path_buf(),
        vary: Vec::new(),
        points: None,
        tornado: true,
        doubt: None,
        options: Vec::new(),
        replications: Some(args.replications),
        seed: None,
        out: args.out.clone(),
        scale: ScaleArgs::default(),
    };
    let runner = Runner { args: &sweep, terms, output: &output, text: &text };
    let bar = bar("{wide_bar} {pos}/{len} points, about {eta} left");
    let found = bars(&runner, &study, &bar);
    bar.finish_and_clear();
    let (now, bars) = found?;
    let (kind, limit) = (now.kinds[0], now.limits[0]);
    say(&report::ask::text(&study.question, &now.targets[0], (kind, limit), &bars, without_range(&study)))
}
