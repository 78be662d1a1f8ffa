//! The file as a whole, read into a study.

use crate::model::{Fidelity, Model, TunnelTerms};
use crate::scenario::check::calendar::levels;
use crate::scenario::check::knob::knobs;
use crate::scenario::check::run::{fidelity, run, transport, years};
use crate::scenario::check::setups::setups;
use crate::scenario::check::{demand, device, estate, headend, source, target, tunnel};
use crate::scenario::checked::Study;
use crate::scenario::checker::Checker;
use crate::scenario::field;
use crate::scenario::file::File;
use crate::scenario::growth::grow_for;
use crate::scenario::import::replay::replay;

/// Reads a file into a study, as far as it is right.
pub(crate) fn study(file: &File, text: &str, check: &mut Checker) -> Option<Study> {
    let question = check.required(&file.question, &(0..0), "question");
    let run = run(file, check);
    let estate = estate::sites(file, check);
    let transport = transport(file.transport.as_ref(), check);
    let fidelity = file.run.as_ref().map_or(Fidelity::Flow, |run| fidelity(run.get_ref(), check));
    let profiles = demand::profiles(file, check);
    // Faulty tables have a problem by now; stand-ins let the rest be checked all the same.
    let (sites, counted) = estate.unwrap_or_default();
    let classes = demand::classes(file, &profiles, &sites, check).unwrap_or_default();
    let known = device::profiles(file, check);
    let concentrators = headend::concentrators(file, &known, &classes, check).unwrap_or_default();
    let (pools, pool_of) = headend::pools(file, &concentrators, &sites, check).unwrap_or_default();
    let replay = file.replay.as_ref().and_then(|_| replay(file, &sites, &classes, check));
    let mut inputs = source::inputs(text, file, check);
    inputs.extend(device::inputs(file, &known));
    let (calendar, first, effort, (seed, antithetic), bin) = run.unwrap_or_default();
    let targets = target::targets(file, (&sites, &classes), &calendar, first, check);
    let tunnels = match &file.tunnels {
        Some(table) => tunnel::terms(table.get_ref(), TunnelTerms::default(), check),
        None => TunnelTerms::default(),
    };
    let (levels, holidays) = levels(file, &calendar, first, check);
    let mut base = Model {
        seed,
        antithetic,
        calendar,
        levels,
        bin,
        sites: sites.into(),
        classes,
        concentrators,
        pools,
        pool_of,
        tunnels,
        faults: Vec::new(),
        changes: Vec::new(),
        transport,
        fidelity,
        replay,
    };
    let years = file.run.as_ref().map_or(0.0, |run| years(run.get_ref(), &base, check));
    grow_for(&mut base, years);
    let setups = setups(file, base, &known, first, check);
    let when = first.map_or_else(|| field::WEEKDAYS[usize::from(calendar.weekday)].to_owned(), |date| date.to_string());
    let currency = file.run.as_ref().and_then(|run| check.optional(&run.get_ref().currency)).map(|sign| sign.0);
    let knobs = knobs(file, text, check);
    let files = std::mem::take(&mut check.files);
    Some(Study {
        question: question?.0,
        when,
        setups,
        targets,
        effort,
        inputs,
        files,
        currency,
        counted,
        holidays,
        knobs,
    })
}
