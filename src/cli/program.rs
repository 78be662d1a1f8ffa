//! The program: reads the command line, calls one function a verb, and gives the exit code.

use std::io::Write;

use clap::Parser;

use crate::cli::args::{Allowed, Cli, Verb};
use crate::cli::common::{colours, printable, say, say_json};
use crate::cli::run::run;
use crate::cli::stop::Stop;
use crate::cli::tools::{check, completions, init, profiles};
use crate::cli::{ask, compare, counters, fit, forecast, hindcast, import, live, part, plan, sweep, validate};
use crate::report;
use crate::study::StudyError;

/// Does what the command line asks; gives the exit code.
#[must_use]
pub fn main() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(fault) => {
            let _ = fault.print();
            return if fault.use_stderr() { 2 } else { 0 };
        }
    };
    if cli.verbose {
        let to_stderr = tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).without_time();
        to_stderr.with_max_level(tracing::Level::DEBUG).init();
    }
    if let Some(threads) = cli.threads {
        // It can only fail when the pool exists already.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
    }
    let terms = Allowed { outside: cli.allow_outside, costly: cli.yes };
    let done = match cli.verb {
        Verb::Run(args) => run(&args, terms),
        Verb::Plan(args) => plan::plan(&args, terms),
        Verb::Headroom(args) => plan::headroom(&args, terms),
        Verb::Sweep(args) => sweep::sweep(&args, terms),
        Verb::Compare(args) => compare::compare(&args, terms),
        Verb::Validate(args) => validate::validate(&args),
        Verb::Import(args) => import::import(&args),
        Verb::Ask(args) => ask::ask(&args, terms),
        Verb::Fit(args) => fit::fit(&args, terms),
        Verb::Hindcast(args) => hindcast::hindcast(&args, terms),
        Verb::Forecast(args) => forecast::forecast(&args, terms),
        Verb::Live(args) => live::live(&args, terms),
        Verb::Counters(args) => counters::counters(&args, terms),
        Verb::Part(args) => part::part(&args, terms),
        Verb::Check { file } => check(&file, terms),
        Verb::Profiles => say(&profiles()),
        Verb::Schema => say_json(&report::reference::schema()),
        Verb::Init { name, branches } => init(&name, branches),
        Verb::Completions { shell } => completions(shell),
    };
    match done {
        Ok(code) => code,
        Err(stop) => {
            if matches!(stop, Stop::Handed) {
                return 3;
            }
            // A closed stderr does not change the exit code.
            let text = stop.to_string();
            // Colours are ours: on a terminal, around what a scenario says.
            let text = if colours() { text } else { printable(&text) };
            let _ = writeln!(std::io::stderr(), "{text}");
            if matches!(stop, Stop::Kept(_) | Stop::Left(_) | Stop::Nothing | Stop::Study(StudyError::Stopped)) {
                130
            } else {
                2
            }
        }
    }
}
