//! Knobs: the parameters of a plan, and the model at each value of them.

use std::sync::Arc;

use serde::Serialize;

use crate::model::{
    Balancer, Cap, ChangeKind, ClassId, Concentrator, ConcentratorId, DatedChange, Discipline, Model, PoolId, SiteId,
};
use crate::plan::answer::KnobTerms;
use crate::scenario::growth::grow_for;
use crate::units::{BitRate, Bytes, Duration, Share, Time, TimeOfDay};

/// The parameter of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Knob {
    /// Throughput of a concentrator, or of all in proportion [bit/s of the first].
    Throughput(Vec<u8>),
    /// Number of concentrators like the first of a pool, balanced.
    Concentrators(u8),
    /// Calls that a concentrator admits.
    Calls(u8),
    /// End of a class's curfew [s since midnight].
    CurfewEnd(u8),
    /// Start of a class's curfew [s since midnight].
    CurfewStart(u8),
    /// Share of a class that obeys its curfew.
    Deferred(u8),
    /// Weight of a class against the others' at concentrators that share by weight.
    Weight(u8),
    /// Share of the sites whose tunnels move to a concentrator.
    Moved(u8),
    /// Share of the sites whose tunnels end at a concentrator; all others' end at the second.
    Split(u8, u8),
    /// Share of the throughput that a class which is served first may take.
    LowLatency(u8),
    /// Sites whose tunnels are cut over to a concentrator at once.
    Wave(u8, TimeOfDay),
    /// Years of growth of all classes.
    Years,
}

/// Names on the command line, what each needs, and what it means.
pub const NAMES: [(&str, &str); 12] = [
    ("throughput", "least throughput (`--of` a concentrator; default: all in proportion)"),
    ("concentrators", "least number of concentrators like the first"),
    ("calls", "least number of calls to admit (`--of` a concentrator; default: the first)"),
    ("curfew-end", "earliest safe end of a curfew (`--of` a class)"),
    ("curfew-start", "latest safe start of a curfew (`--of` a class)"),
    ("deferred", "least share that has to obey a curfew (`--of` a class)"),
    ("weight", "least weight (`--of` a class)"),
    ("moved", "least share of the sites to move (`--of` the concentrator to which)"),
    ("split", "best split of the sites between two concentrators (`--of` one; default: the last)"),
    ("low-latency", "least share of the throughput for a class that is served first (`--of` a class)"),
    ("wave", "most sites that can be cut over at once (`--of` the concentrator to which, `--at` a time of day)"),
    ("years", "years of growth until the target is missed"),
];

impl Knob {
    /// The knob of a name, `of` something; what is done at some time is done `at` this one.
    ///
    /// # Errors
    /// If there is none, or nothing of that name; with what there is.
    pub fn named(name: &str, of: Option<&str>, at: TimeOfDay, model: &Model) -> Result<Self, (String, Vec<String>)> {
        let class = || {
            let known = || model.classes.iter().map(|class| class.name.clone()).collect();
            let of = of.ok_or_else(|| (format!("`{name}` needs `--of` a class"), known()))?;
            let found = model.classes.iter().position(|class| class.name == of);
            found.map(|place| ClassId::of(place).0).ok_or_else(|| (format!("there is no class `{of}`"), known()))
        };
        let concentrators = || model.concentrators.iter().map(|concentrator| concentrator.name.clone()).collect();
        let concentrator = |usual: u8| match of {
            None => Ok(usual),
            Some(of) => {
                let found = model.concentrators.iter().position(|concentrator| concentrator.name == of);
                found
                    .map(|place| ConcentratorId::of(place).0)
                    .ok_or_else(|| (format!("there is no concentrator `{of}`"), concentrators()))
            }
        };
        let curfew = |class: u8| {
            let held = !model.classes[usize::from(class)].rules.curfews.is_empty();
            let name = &model.classes[usize::from(class)].name;
            if held { Ok(class) } else { Err((format!("class `{name}` has no curfew in this set-up"), Vec::new())) }
        };
        match name {
            "throughput" if of.is_some() => Ok(Self::Throughput(vec![concentrator(0)?])),
            "throughput" => {
                Ok(Self::Throughput((0..model.concentrators.len()).map(|place| ConcentratorId::of(place).0).collect()))
            }
            "concentrators" => Ok(Self::Concentrators(0)),
            "calls" => Ok(Self::Calls(concentrator(0)?)),
            "curfew-end" => Ok(Self::CurfewEnd(curfew(class()?)?)),
            "curfew-start" => Ok(Self::CurfewStart(curfew(class()?)?)),
            "deferred" => Ok(Self::Deferred(curfew(class()?)?)),
            "weight" => {
                let class = class()?;
                let weighs = |concentrator: &Concentrator| concentrator.discipline.has_weights();
                if model.concentrators.iter().any(weighs) {
                    Ok(Self::Weight(class))
                } else {
                    Err(("no concentrator shares by weight in this set-up".to_owned(), Vec::new()))
                }
            }
            "moved" | "wave" if of.is_none() => {
                Err((format!("`{name}` needs `--of` the concentrator to which sites move"), concentrators()))
            }
            "moved" => Ok(Self::Moved(concentrator(0)?)),
            "wave" => Ok(Self::Wave(concentrator(0)?, at)),
            "split" => {
                let one = concentrator(ConcentratorId::of(model.concentrators.len() - 1).0)?;
                let other =
                    (0..model.concentrators.len()).map(|place| ConcentratorId::of(place).0).find(|other| *other != one);
                other
                    .map(|other| Self::Split(one, other))
                    .ok_or_else(|| ("there is but one concentrator in this set-up".to_owned(), Vec::new()))
            }
            "low-latency" => {
                let class = class()?;
                if disciplines(model).any(|discipline| discipline.puts_first(ClassId(class))) {
                    Ok(Self::LowLatency(class))
                } else {
                    let name = &model.classes[usize::from(class)].name;
                    Err((format!("no concentrator serves class `{name}` first in this set-up"), Vec::new()))
                }
            }
            "years" => {
                let grows = model.classes.iter().any(|class| class.growth > 0.0);
                let help = "no class grows: write `growth = \"8 %\"` (a year) in the classes that do";
                if grows { Ok(Self::Years) } else { Err((help.to_owned(), Vec::new())) }
            }
            _ => Err((format!("`{name}` cannot be found"), NAMES.iter().map(|(name, _)| (*name).to_owned()).collect())),
        }
    }

    /// Whether there is a best value of it, and not one from which on more is enough.
    #[must_use]
    pub fn has_best(&self) -> bool {
        matches!(self, Self::Split(..))
    }

    /// Whether it has a value in the set-up as it is.
    #[must_use]
    pub fn has_now(&self) -> bool {
        !matches!(self, Self::Split(..) | Self::LowLatency(_) | Self::Wave(..))
    }

    /// Its range and scale in a model.
    #[must_use]
    pub fn terms(&self, model: &Model) -> KnobTerms {
        let share = |start: f64, more_helps: bool| KnobTerms {
            range: (0.0, 1.0),
            start,
            by_ratio: false,
            more_helps,
            whole: false,
        };
        match self {
            Self::Throughput(concentrators) => {
                let now = model.concentrators[usize::from(concentrators[0])].throughput.bits();
                KnobTerms {
                    range: (now / 256.0, now * 256.0),
                    start: now,
                    by_ratio: true,
                    more_helps: true,
                    whole: false,
                }
            }
            Self::Concentrators(pool) => {
                // Without standbys, and without those that open later.
                let works = |concentrator: &&ConcentratorId| {
                    let concentrator = &model.concentrators[concentrator.index()];
                    !concentrator.standby && concentrator.opens == Time(0)
                };
                let now = model.pools[usize::from(*pool)].concentrators.iter().filter(works).count();
                let now = u32::try_from(now).map_or(1.0, f64::from).max(1.0);
                let range = (1.0, now.max(32.0));
                KnobTerms { range, start: now, by_ratio: false, more_helps: true, whole: true }
            }
            Self::Calls(concentrator) => {
                let now = model.concentrators[usize::from(*concentrator)].streams.map_or(100.0, f64::from);
                KnobTerms { range: (1.0, now * 256.0), start: now, by_ratio: true, more_helps: true, whole: true }
            }
            Self::CurfewEnd(class) => {
                let curfew = &model.classes[usize::from(*class)].rules.curfews[0];
                let from = curfew.from.clock().0 / NANO;
                KnobTerms {
                    range: (seconds(from), 86_400.0),
                    start: seconds(curfew.until.clock().0 / NANO),
                    by_ratio: false,
                    more_helps: true,
                    whole: false,
                }
            }
            Self::CurfewStart(class) => {
                let curfew = &model.classes[usize::from(*class)].rules.curfews[0];
                KnobTerms {
                    range: (0.0, seconds(curfew.until.clock().0 / NANO)),
                    start: seconds(curfew.from.clock().0 / NANO),
                    by_ratio: false,
                    more_helps: false,
                    whole: false,
                }
            }
            Self::Deferred(class) => share(model.classes[usize::from(*class)].rules.curfews[0].compliance.0, true),
            Self::Moved(_) | Self::Split(..) => share(0.0, true),
            Self::LowLatency(_) => share(0.5, true),
            Self::Wave(..) => {
                #[allow(clippy::cast_precision_loss)] // sites of a country
                let sites = model.sites.len() as f64;
                KnobTerms {
                    range: (1.0, sites),
                    start: (sites / 4.0).max(1.0).round(),
                    by_ratio: true,
                    more_helps: false,
                    whole: true,
                }
            }
            Self::Weight(class) => {
                let now = weight_of(model, *class);
                KnobTerms {
                    range: (now / 100.0, now * 100.0),
                    start: now,
                    by_ratio: true,
                    more_helps: true,
                    whole: false,
                }
            }
            Self::Years => {
                KnobTerms { range: (0.0, 30.0), start: 0.0, by_ratio: false, more_helps: false, whole: false }
            }
        }
    }

    /// The model with the knob at a value.
    #[must_use]
    pub fn set(&self, model: &Model, value: f64) -> Model {
        let mut model = model.clone();
        match self {
            Self::Throughput(concentrators) => {
                let by = value / model.concentrators[usize::from(concentrators[0])].throughput.bits();
                for &concentrator in concentrators {
                    grow(&mut model.concentrators[usize::from(concentrator)], by);
                }
            }
            Self::Concentrators(pool) => copies(&mut model, PoolId(*pool), whole(value).max(1)),
            Self::Calls(concentrator) => {
                model.concentrators[usize::from(*concentrator)].streams =
                    Some(u32::try_from(whole(value)).unwrap_or(u32::MAX));
            }
            Self::CurfewEnd(class) => {
                for curfew in &mut model.classes[usize::from(*class)].rules.curfews {
                    curfew.until = on_day(curfew.until, value);
                }
            }
            Self::CurfewStart(class) => {
                for curfew in &mut model.classes[usize::from(*class)].rules.curfews {
                    curfew.from = on_day(curfew.from, value);
                }
            }
            Self::Deferred(class) => {
                for curfew in &mut model.classes[usize::from(*class)].rules.curfews {
                    curfew.compliance = Share(value);
                }
            }
            Self::Weight(class) => weigh(&mut model, *class, value),
            Self::Moved(concentrator) => {
                let (moved, _) = chosen(&model, value);
                model.changes.insert(0, prepared(moved, *concentrator));
            }
            Self::Split(one, other) => {
                let (moved, others) = chosen(&model, value);
                model.changes.splice(0..0, [prepared(moved, *one), prepared(others, *other)]);
            }
            Self::LowLatency(class) => {
                let least = model
                    .concentrators
                    .iter()
                    .map(|concentrator| concentrator.throughput.bits())
                    .fold(f64::INFINITY, f64::min);
                let total = Some(BitRate(whole(least * value).max(1)));
                model.cap(ClassId(*class), Cap { from: Time(0), until: Time::NEVER, total, per_site: None });
                model.changes.sort_by_key(|edit| edit.at);
            }
            Self::Wave(concentrator, at) => {
                #[allow(clippy::cast_precision_loss)] // sites of a country
                let (moved, _) = chosen(&model, value / model.sites.len() as f64);
                let what = ChangeKind::Migrate { sites: moved, to: ConcentratorId(*concentrator), cut_over: true };
                model.changes.push(DatedChange { at: at.on(0), kind: what });
            }
            Self::Years => grow_for(&mut model, value),
        }
        model
    }
}

const NANO: u64 = 1_000_000_000;

#[allow(clippy::cast_precision_loss)] // seconds of a day
fn seconds(whole: u64) -> f64 {
    whole as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts above zero
fn whole(value: f64) -> u64 {
    value.round().max(0.0) as u64
}

fn on_day(time: Time, seconds: f64) -> Time {
    // Midnight at the end of a day belongs to it.
    let day = Time(time.0.saturating_sub(1)).day();
    TimeOfDay(Duration::of_secs(seconds).0).on(day)
}

/// Every order of service that is in force at some time.
fn disciplines(model: &Model) -> impl Iterator<Item = &Discipline> {
    let edited = model.changes.iter().filter_map(|edit| match &edit.kind {
        ChangeKind::SetDiscipline(_, discipline) => Some(discipline),
        _ => None,
    });
    model.concentrators.iter().map(|concentrator| &concentrator.discipline).chain(edited)
}

/// A share of the sites, taken evenly from the estate's list, and the others.
fn chosen(model: &Model, share: f64) -> (Arc<[SiteId]>, Arc<[SiteId]>) {
    #[allow(clippy::cast_precision_loss)] // sites of a country
    let taken = |place: usize| (place as f64 * share + 1e-9).floor();
    let all = (0..model.sites.len()).map(SiteId::of);
    let (moved, others): (Vec<SiteId>, Vec<SiteId>) =
        all.partition(|site| taken(site.index() + 1) > taken(site.index()));
    (moved.into(), others.into())
}

/// Sites' tunnels end at a concentrator from the start.
fn prepared(sites: Arc<[SiteId]>, concentrator: u8) -> DatedChange {
    DatedChange { at: Time(0), kind: ChangeKind::Migrate { sites, to: ConcentratorId(concentrator), cut_over: false } }
}

/// A device of the same kind that is larger: packet rate, buffer and line grow with its throughput.
fn grow(concentrator: &mut Concentrator, by: f64) {
    let larger = |rate: &mut BitRate| *rate = BitRate(whole(rate.bits() * by).max(1));
    let lines = concentrator.uplink.iter_mut().chain(&mut concentrator.configured);
    lines.chain([&mut concentrator.throughput]).for_each(larger);
    concentrator.buffer = Bytes(whole(concentrator.buffer.bits() / 8.0 * by));
}

/// A pool of so many concentrators like its first.
fn copies(model: &mut Model, pool: PoolId, count: u64) {
    let first = model.pools[pool.index()].concentrators[0];
    let like = model.concentrators[first.index()].clone();
    let mut concentrators = vec![first];
    for number in 2..=count {
        let name = format!("{}-{number}", like.name);
        concentrators.push(ConcentratorId::of(model.concentrators.len()));
        model.concentrators.push(Concentrator { name, ..like.clone() });
    }
    let pool = &mut model.pools[pool.index()];
    pool.concentrators = concentrators;
    if pool.balancer == Balancer::HubList {
        pool.balancer = Balancer::LeastLoad;
    }
}

fn weight_of(model: &Model, class: u8) -> f64 {
    let of_concentrator = |concentrator: &Concentrator| match &concentrator.discipline {
        Discipline::Weighted(weights) | Discipline::LowLatency { weights, .. } => Some(weights[usize::from(class)]),
        _ => None,
    };
    model.concentrators.iter().find_map(of_concentrator).filter(|weight| *weight > 0.0).unwrap_or(1.0)
}

fn weigh(model: &mut Model, class: u8, weight: f64) {
    for concentrator in &mut model.concentrators {
        if let Discipline::Weighted(weights) | Discipline::LowLatency { weights, .. } = &mut concentrator.discipline {
            weights[usize::from(class)] = weight;
        }
    }
}
