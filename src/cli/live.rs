//! `headend live`: a page in which anybody moves numbers, without installing anything.

use std::path::Path;

use rayon::prelude::*;

use crate::cli::args::{Allowed, LiveArgs};
use crate::cli::bundle::Bundle;
use crate::cli::common::{RUNS, affordable, answers_at_ends, bar, given, load, say, shown_in};
use crate::cli::output::{Output, origin};
use crate::cli::stop::{STOP, Stop};
use crate::disk::{self, Folder, folder_of};
use crate::live::page::{LiveTerms, page};
use crate::live::parts::{self, PageParts};
use crate::report::outputs;
use crate::scenario::{self, Setup, Study};
use crate::study::cost::Extent;
use crate::study::forecast::outlook::DayForecast;
use crate::study::{self, RunOptions};

/// The name of the page, and how one begins.
const PAGE: &str = "live.html";
const PAGE_BEGINS: &str = "<!doctype html>\n<!-- A page of headend live";

pub(super) fn live(args: &LiveArgs, terms: Allowed) -> Result<u8, Stop> {
    let (study, text) = load(&args.file, terms)?;
    answers_at_ends(&args.file, (&study, &text), terms)?;
    if study.setups[0].model.replay.is_some() {
        let help = "what it holds is known; `headend run` simulates it";
        return Err(Stop::Input(format!("error: a replay has nothing that could be moved: {help}")));
    }
    if !args.forecast {
        affordable(&study, Extent::of(&study), terms)?;
    }
    let output = Output::prepare(args.out.as_deref(), &[(&args.file, &study.files)], "live")?;
    output.replaces(PAGE, PAGE_BEGINS)?;
    let stored = if args.forecast { Stored::forecast(&study) } else { Stored::simulated(&study, &output)? };
    let name =
        args.file.file_name().map_or_else(|| "scenario.toml".to_owned(), |name| name.to_string_lossy().into_owned());
    let folder = Folder::reaching(folder_of(&args.file), terms.outside);
    let command = given(std::slice::from_ref(&args.file), |_| name.clone());
    let page = page(&LiveTerms {
        scenario: (&name, &text),
        study: &study,
        stored: (&stored.parts, &stored.ready),
        summary: (stored.file, &stored.summary),
        origin: &origin(&command, &[Bundle::of(&text, &study.files)]),
        load: &|text| scenario::load(&name, text, folder.clone()).ok(),
    });
    let path = output.path(PAGE);
    disk::write(&path, page.as_bytes()).map_err(|fault| Stop::Write(path.clone(), fault))?;
    disk::remove(&output.unfinished());
    say(&format!("{}Page: {}\n", stored.said, shown(&path, page.len())))
}

#[allow(clippy::cast_precision_loss)] // megabytes
fn shown(path: &Path, bytes: usize) -> String {
    format!("{} ({:.1} MB): it opens in a browser by a double click, offline", disk::shown(path), bytes as f64 / 1e6)
}

/// What a page shows before anything is moved.
struct Stored {
    parts: PageParts,
    /// In a sentence.
    ready: String,
    /// The figures as CSV, and the name of their file.
    summary: String,
    file: &'static str,
    /// For the terminal.
    said: String,
}

impl Stored {
    fn of(parts: PageParts, (file, summary): (&'static str, String), what: &str) -> Self {
        Self {
            parts,
            ready: format!(
                "{what} Tick an option or move a number: the forecast follows at once, then the days are simulated."
            ),
            file,
            summary,
            said: String::new(),
        }
    }

    fn forecast(study: &Study) -> Self {
        let days = study.setups.par_iter().map(|setup| DayForecast::of(&setup.model, &study.targets));
        let days: Vec<DayForecast> = days.collect();
        let days: Vec<(&Setup, DayForecast)> = study.setups.iter().zip(days).collect();
        let csv = ("forecast.csv", crate::report::forecast::csv(study, &days));
        Self::of(parts::of_forecast(study, &days), csv, "Shown is a forecast.")
    }

    fn simulated(study: &Study, output: &Output) -> Result<Self, Stop> {
        let bar = bar(RUNS);
        let progress = shown_in(&bar);
        let settings =
            RunOptions { stop: &STOP, progress: &progress, keep: Some(output.unfinished()), records: None, here: true };
        let all: Vec<usize> = (0..study.setups.len()).collect();
        let results = study::run(study, &all, &settings);
        bar.finish_and_clear();
        let results = results.map_err(|fault| output.stop(fault))?;
        let how = format!("Simulated when this page was made: {} days of each set-up.", results.replications);
        let csv = (outputs::SUMMARY, outputs::summary(&results));
        let stored = Self::of(parts::of_results(&results, how), csv, "Shown is what was simulated.");
        Ok(Self { said: format!("{}\n", crate::report::table::summary(&results)), ..stored })
    }
}
