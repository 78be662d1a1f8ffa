//! The desk: a scenario, what is chosen of it, and the answers to what a page asks. Requests and replies are JSON.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::disk::Folder;
use crate::live::choice::{Choice, ChosenScenario, scenario};
use crate::live::control::{Control, ControlGroup, controls};
use crate::live::parts::{self, PageParts};
use crate::report;
use crate::report::outputs::{self, SUMMARY};
use crate::scenario::{Setup, Study, load};
use crate::study::RunOptions;
use crate::study::forecast::detail::{COARSE, FINE};
use crate::study::forecast::outlook::DayForecast;
use crate::study::gathering::Gathering;
use crate::study::record::RunRecord;
use crate::study::results::Results;
use crate::study::run::single_run;
use crate::study::stopping::StopReason;

/// What a page asks.
#[derive(Debug, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum Request {
    /// Reads a scenario and the files that it names.
    Open {
        /// Name of its file.
        name: String,
        /// Its text.
        text: String,
        /// Texts of the files, by the names under which the scenario has them.
        files: BTreeMap<String, String>,
        /// The assumptions that can be moved, by their paths.
        assumed: Vec<Control>,
    },
    /// Takes a choice; a choice of nothing is the base.
    Choose {
        /// The choice.
        choice: Choice,
    },
    /// The value of a control at a position.
    Value {
        /// The path of the control.
        path: String,
        /// From 0 to `POSITIONS`.
        position: f64,
    },
    /// The position of a control at a value.
    Position {
        /// The path of the control.
        path: String,
        /// As a scenario writes it.
        value: String,
    },
    /// Forecasts what is chosen.
    Forecast {
        /// Roughly, while a control is moving.
        coarse: bool,
    },
    /// Simulates one replication of the base (0) or of the option (1).
    Simulate {
        /// Which set-up of what is chosen.
        setup: usize,
        /// Which replication.
        replication: u32,
    },
    /// Takes the record of a run that was simulated elsewhere.
    Take {
        /// Which set-up of what is chosen.
        setup: usize,
        /// Which replication.
        replication: u32,
        /// The record.
        record: String,
    },
    /// What all runs say that are there so far.
    Results {},
    /// The scenario that is chosen, as a file.
    Scenario {},
    /// The figures as CSV.
    Csv {},
}

/// What the desk says.
#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(default)]
pub struct DeskReply {
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Part of the page: answer and targets, and charts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<PageParts>,
    /// A text: a file, or a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What a file of this text is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The value of a control, as a scenario writes it, and as it is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<(String, String)>,
    /// The position of a control.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<f64>,
    /// Name of the option that is compared with the base.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// What was moved, a clause each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved: Option<Vec<String>>,
    /// What each option does, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<BTreeMap<String, String>>,
    /// Number of set-ups that are chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub setups: Option<usize>,
    /// Replications that are there, and that are planned by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<(u32, u32)>,
    /// Whether no more replications are needed.
    pub done: bool,
}

/// Days from which intervals tell something.
const FEWEST: u32 = 3;

/// What is chosen of a scenario.
struct Chosen {
    text: String,
    study: Study,
    /// The base, and the option that is compared with it.
    setups: Vec<usize>,
    /// Values that hold in every set-up.
    everywhere: BTreeMap<String, String>,
    /// By set-up: runs in the order of their replications.
    records: Vec<Vec<RunRecord>>,
    /// The figures that were last shown, as CSV, and what their file is called.
    shown: Option<(String, String)>,
    /// Name of the option that is compared with the base.
    option: Option<String>,
}

/// A scenario on the desk.
#[derive(Default)]
pub struct Desk {
    open: Option<Opened>,
}

struct Opened {
    name: String,
    text: String,
    folder: Folder,
    study: Study,
    controls: Vec<Control>,
    chosen: Chosen,
    /// The last forecast of the base, roughly and finely, with the values that it is of.
    bases: [Option<(BTreeMap<String, String>, DayForecast)>; 2],
}

impl Desk {
    /// Answers a request; what cannot be answered is said.
    #[must_use]
    pub fn answer(&mut self, request: &str) -> String {
        let reply = serde_json::from_str(request).map_err(|fault| fault.to_string());
        let reply = reply.and_then(|request| self.reply(request));
        let reply = reply.unwrap_or_else(|fault| DeskReply { fault: Some(fault), ..DeskReply::default() });
        serde_json::to_string(&reply).unwrap_or_default()
    }

    fn reply(&mut self, request: Request) -> Result<DeskReply, String> {
        if let Request::Open { name, text, files, assumed } = request {
            let files = files.into_iter().map(|(name, text)| (name, text.into_bytes()));
            self.open = Some(Opened::new(name, text, Folder::held(files.collect()), assumed)?);
            return Ok(DeskReply::default());
        }
        let open = self.open.as_mut().ok_or("no scenario is open")?;
        match request {
            Request::Open { .. } => Ok(DeskReply::default()),
            Request::Choose { choice } => open.choose(&choice),
            Request::Value { path, position } => open.value(&path, position),
            Request::Position { path, value } => open.position(&path, &value),
            Request::Forecast { coarse } => Ok(open.forecast(coarse)),
            Request::Simulate { setup, replication } => open.chosen.simulate(setup, replication),
            Request::Take { setup, replication, record } => open.chosen.take(setup, replication, &record),
            Request::Results {} => open.chosen.results(),
            Request::Scenario {} => Ok(text(open.chosen.text.clone())),
            Request::Csv {} => open.chosen.csv(),
        }
    }
}

fn text(text: String) -> DeskReply {
    DeskReply { text: Some(text), ..DeskReply::default() }
}

impl Opened {
    fn new(name: String, text: String, folder: Folder, assumed: Vec<Control>) -> Result<Self, String> {
        let study = read(&name, &text, &folder)?;
        let mut controls = controls(&study, &text);
        controls.extend(assumed);
        let chosen = Chosen::new(text.clone(), study.clone(), None, BTreeMap::new())?;
        Ok(Self { name, text, folder, study, controls, chosen, bases: [None, None] })
    }

    fn choose(&mut self, choice: &Choice) -> Result<DeskReply, String> {
        let ChosenScenario { text, option, moved } = scenario((&self.study, &self.text), &self.controls, choice)?;
        let study = read(&self.name, &text, &self.folder)?;
        let what = study.setups.iter().map(|setup| (setup.name.clone(), setup.what.join("; "))).collect();
        let holds = |path: &str| {
            let group = self.controls.iter().find(|control| control.knob.path == path).map(|control| &control.group);
            matches!(group, Some(ControlGroup::All | ControlGroup::Assumed))
        };
        let everywhere = choice.values.clone().into_iter().filter(|(path, _)| holds(path)).collect();
        self.chosen = Chosen::new(text, study, option.as_deref(), everywhere)?;
        let setups = Some(self.chosen.setups.len());
        Ok(DeskReply { option, setups, moved: Some(moved), what: Some(what), ..DeskReply::default() })
    }

    /// The forecast of what is chosen. The base is forecast again where something was moved that holds in every set-up.
    fn forecast(&mut self, coarse: bool) -> DeskReply {
        let (detail, kept) = if coarse { (COARSE, &mut self.bases[0]) } else { (FINE, &mut self.bases[1]) };
        let chosen = &mut self.chosen;
        let targets = &chosen.study.targets;
        let base = kept.take().filter(|(values, _)| *values == chosen.everywhere).map(|(_, day)| day);
        let of = |place: &usize| {
            let setup = &chosen.study.setups[*place];
            let known = base.clone().filter(|_| *place == 0);
            (setup, known.unwrap_or_else(|| DayForecast::in_detail(&setup.model, targets, detail)))
        };
        let days: Vec<(&Setup, DayForecast)> = chosen.setups.par_iter().map(of).collect();
        let parts = parts::of_forecast(&chosen.study, &days);
        let name = if coarse { "forecast-rough.csv" } else { "forecast.csv" };
        let shown = (name.to_owned(), report::forecast::csv(&chosen.study, &days));
        *kept = Some((chosen.everywhere.clone(), days[0].1.clone()));
        chosen.shown = Some(shown);
        DeskReply { parts: Some(parts), ..DeskReply::default() }
    }

    fn control(&self, path: &str) -> Result<&Control, String> {
        let control = self.controls.iter().find(|control| control.knob.path == path);
        control.ok_or_else(|| format!("there is nothing to move at `{path}`"))
    }

    fn value(&self, path: &str, position: f64) -> Result<DeskReply, String> {
        let control = self.control(path)?;
        let value = control.at(position);
        let said = control.said(&value);
        Ok(DeskReply { value: Some((value, said)), ..DeskReply::default() })
    }

    fn position(&self, path: &str, value: &str) -> Result<DeskReply, String> {
        let control = self.control(path)?;
        control.holds(value)?;
        let position = control.position(value).ok_or_else(|| format!("`{value}` is no value of `{path}`"))?;
        let said = control.said(value);
        Ok(DeskReply { position: Some(position), value: Some((value.to_owned(), said)), ..DeskReply::default() })
    }
}

/// Reads a scenario whose files are at hand.
fn read(name: &str, text: &str, folder: &Folder) -> Result<Study, String> {
    load(name, text, folder.clone()).map_err(|problems| problems.brief())
}

impl Chosen {
    fn new(
        text: String,
        study: Study,
        option: Option<&str>,
        everywhere: BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let place = |name: &str| study.setups.iter().position(|setup| setup.name == name);
        let option =
            option.map(|name| place(name).ok_or_else(|| format!("there is no option `{name}`"))).transpose()?;
        let setups: Vec<usize> = std::iter::once(0).chain(option).collect();
        let records = vec![Vec::new(); setups.len()];
        let option = option.map(|place| study.setups[place].name.clone());
        Ok(Self { text, study, setups, everywhere, records, shown: None, option })
    }

    /// The place in the study of a set-up that is chosen.
    fn place(&self, setup: usize) -> Result<usize, String> {
        self.setups.get(setup).copied().ok_or_else(|| format!("there is no set-up {setup}"))
    }

    fn simulate(&self, setup: usize, replication: u32) -> Result<DeskReply, String> {
        let place = self.place(setup)?;
        let never = AtomicBool::new(false);
        let settings = RunOptions { stop: &never, progress: &|_| {}, keep: None, records: None, here: true };
        let record = single_run(&self.study, place, replication, &settings).map_err(|fault| fault.to_string())?;
        let bytes = record.packed().map_err(|fault| fault.to_string())?;
        Ok(text(STANDARD.encode(bytes)))
    }

    fn take(&mut self, setup: usize, replication: u32, record: &str) -> Result<DeskReply, String> {
        self.place(setup)?;
        let bytes = STANDARD.decode(record).map_err(|fault| fault.to_string())?;
        let record = RunRecord::unpacked(&bytes).map_err(|fault| fault.to_string())?;
        let mine = &mut self.records[setup];
        if mine.len() != replication as usize {
            return Err(format!("replication {replication} comes out of turn: there are {}", mine.len()));
        }
        mine.push(record);
        Ok(DeskReply::default())
    }

    /// What all runs say that are there, and whether the stopping rule of the scenario ends them.
    fn results(&mut self) -> Result<DeskReply, String> {
        let there = self.records.iter().map(Vec::len).min().unwrap_or(0);
        let there = u32::try_from(there).map_err(|fault| fault.to_string())?;
        // A pair of days that mirror each other tells something when both are there.
        let there = if self.study.setups[0].model.antithetic { there / 2 * 2 } else { there };
        let (planned, end) = self.planned(there);
        // Fewer tell less than the forecast that is shown.
        if there < FEWEST.min(planned) {
            return Ok(DeskReply { runs: Some((there, planned)), ..DeskReply::default() });
        }
        let results = match end {
            Some(results) => results,
            None => {
                let mut study = self.study.clone();
                (study.effort.least, study.effort.most) = (there, there);
                let mut gathering = Gathering::begin(&study, &self.setups);
                add(&mut gathering, &self.records);
                let why = gathering.judge(&AtomicBool::new(false)).unwrap_or(StopReason::Asked);
                gathering.results(why)
            }
        };
        let done = there >= planned;
        let more = if done { String::new() } else { format!(" of {planned} or more") };
        let option = self.option.as_ref().map_or_else(String::new, |name| format!(" --option {name}"));
        let so_many = if done { String::new() } else { format!(" --replications {there}") };
        let how = format!(
            "Simulated in this browser: {there}{more} days. “headend run FILE{option}{so_many}” on the saved scenario has the same figures."
        );
        let parts = parts::of_results(&results, how);
        let file = if done { SUMMARY.to_owned() } else { format!("summary-{there}-days.csv") };
        self.shown = Some((file, outputs::summary(&results)));
        Ok(DeskReply { parts: Some(parts), runs: Some((there, planned)), done, ..DeskReply::default() })
    }

    /// How many replications are planned by now; and the results, where these are there and enough.
    fn planned(&self, there: u32) -> (u32, Option<Results>) {
        let mut gathering = Gathering::begin(&self.study, &self.setups);
        loop {
            let round = gathering.round();
            if round.end > there {
                return (round.end, None);
            }
            add(&mut gathering, &self.records);
            if let Some(why) = gathering.judge(&AtomicBool::new(false)) {
                return (round.end, Some(gathering.results(why)));
            }
        }
    }

    fn csv(&self) -> Result<DeskReply, String> {
        let (name, csv) = self.shown.as_ref().ok_or("there is nothing to write yet")?;
        Ok(DeskReply { file: Some(name.clone()), ..text(csv.clone()) })
    }
}

/// Adds the runs of a round.
fn add(gathering: &mut Gathering<'_>, records: &[Vec<RunRecord>]) {
    let round = gathering.round();
    for (setup, records) in records.iter().enumerate() {
        for record in &records[round.start as usize..round.end as usize] {
            gathering.add(setup, record.clone());
        }
    }
}
