//! Warnings: what is written and will not do what it seems to. `check` and every report show them.

use crate::model::{Class, ClassId, Concentrator, Demand, Fidelity, Model, Transport};
use crate::scenario::check::target::{Measure, Target};
use crate::scenario::checked::{Setup, Study};
use crate::scenario::idle;
use crate::units::BitRate;

/// A warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The set-up that it is about, by its name; none where it is about all.
    pub setup: Option<String>,
    /// What it is.
    pub title: String,
    /// What can be done about it.
    pub help: String,
}

/// The classes that a set-up switches off at times at which the base has them: what is not asked for is not done.
#[must_use]
pub fn switched_off(base: &Model, model: &Model) -> Vec<String> {
    let more = |class: &&Class| {
        let own = base.classes.iter().find(|other| other.name == class.name);
        class.rules.switched_off.iter().any(|window| own.is_none_or(|own| !own.rules.switched_off.contains(window)))
    };
    model.classes.iter().filter(more).map(|class| class.name.clone()).collect()
}

/// Everything of this kind in a scenario.
#[must_use]
pub fn warnings(study: &Study) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = idle::useless(&study.setups).into_iter().map(unreached).collect();
    let base = &study.setups[0];
    let as_it_is = written_out(&base.model);
    warnings
        .extend(study.setups[1..].iter().filter(|setup| written_out(&setup.model) == as_it_is).map(changes_nothing));
    warnings.extend(cut_off(&base.model));
    warnings.extend(by_setup(&study.setups, fragments));
    warnings.extend(by_setup(&study.setups, idle_rules));
    warnings.extend(by_setup(&study.setups, idle_timers));
    warnings.extend(by_setup(&study.setups, calls_behind));
    for target in &study.targets {
        warnings.extend(unmissable(target, base));
        warnings.extend(unasked(target, base));
    }
    warnings
}

fn unreached((setup, concentrator): (&Setup, &str)) -> Warning {
    Warning {
        setup: Some(setup.name.clone()),
        title: format!("no site has a tunnel to `{concentrator}`, so it carries nothing"),
        help: idle::REMEDY.to_owned(),
    }
}

/// A model as text; the estate is the same for all set-ups.
fn written_out(model: &Model) -> String {
    format!("{:?}", Model { sites: Vec::new().into(), replay: None, ..model.clone() })
}

fn changes_nothing(setup: &Setup) -> Warning {
    Warning {
        setup: Some(setup.name.clone()),
        title: "this option changes nothing: it is the headend as it is".to_owned(),
        help: "check the values that it writes, or leave it out".to_owned(),
    }
}

/// What `find` finds in each set-up, once for all where it is in all of them.
fn by_setup(setups: &[Setup], find: fn(&Setup) -> Vec<Told>) -> Vec<Warning> {
    let found: Vec<Vec<Told>> = setups.iter().map(find).collect();
    let in_all = |told: &Told| found.iter().all(|other| other.contains(told));
    let warning = |setup: Option<&Setup>, (title, help): &Told| Warning {
        setup: setup.map(|setup| setup.name.clone()),
        title: title.clone(),
        help: help.clone(),
    };
    let common = found.first().into_iter().flatten().filter(|told| in_all(told)).map(|told| warning(None, told));
    let own = setups.iter().zip(&found).flat_map(|(setup, found)| {
        found.iter().filter(|told| !in_all(told)).map(move |told| warning(Some(setup), told))
    });
    common.chain(own).collect()
}

/// Title and help.
type Told = (String, String);

/// Rules of classes that hold nothing up: caps above what any concentrator carries, caches and break-outs of nothing, curfews that end
/// before the first job.
fn idle_rules(setup: &Setup) -> Vec<Told> {
    let most = setup.model.concentrators.iter().map(|device| device.carries().0).max();
    let mut told = Vec::new();
    for class in &setup.model.classes {
        let (name, rules) = (&class.name, &class.rules);
        let above = |cap: Option<BitRate>| cap.is_none_or(|cap| Some(cap) >= most);
        if let Some(cap) = rules.caps.iter().find(|cap| above(cap.total) && above(cap.per_site)) {
            let rate = cap.total.or(cap.per_site).unwrap_or_default();
            let title = format!("a cap of {rate} on {name} holds nothing up: no concentrator carries more");
            told.push((title, "check its unit, or leave it out".to_owned()));
        }
        for (what, orders) in [("cache", &rules.cached), ("break_out", &rules.break_out)] {
            if orders.iter().any(|order| order.2.0 <= 0.0) {
                told.push((format!("a `{what}` of 0 % of {name} does nothing"), "write a share above zero".to_owned()));
            }
        }
        if let Demand::Jobs { start, .. } = &class.demand
            && rules.curfews.iter().any(|curfew| curfew.until.clock() <= start.0 && curfew.until.clock().0 > 0)
        {
            let title = format!("a curfew on {name} ends before its first job is due, at {}", start.0);
            told.push((title, "check the times of the curfew and of [class.jobs]".to_owned()));
        }
    }
    told
}

/// What hangs on handshakes that no concentrator limits: with any number a second nothing waits.
fn idle_timers(setup: &Setup) -> Vec<Told> {
    let devices = &setup.model.concentrators;
    let unlimited = |device: &&Concentrator| device.handshakes.is_none();
    let help = "write `handshakes`, how many the concentrator completes in a second";
    let mut told = Vec::new();
    if setup.model.tunnels.keepalive.is_some() && devices.iter().all(|device| unlimited(&device)) {
        told.push((
            "`keepalive` does nothing: no answer waits where any number of handshakes is completed at once".to_owned(),
            help,
        ));
    }
    let timed = devices.iter().filter(unlimited).find(|device| device.half_open_timeout.is_some());
    told.extend(timed.map(|device| {
        let name = &device.name;
        (format!("`half_open_timeout` of `{name}` does nothing: it completes any number of handshakes at once"), help)
    }));
    told.into_iter().map(|(title, help)| (title, help.to_owned())).collect()
}

/// Calls that the order of service puts behind others, which flows, and with weights a sample of packets, do not know of.
fn calls_behind(setup: &Setup) -> Vec<Told> {
    let model = &setup.model;
    let fidelity = model.fidelity;
    let is_behind = |class: ClassId| {
        let mut orders = model.concentrators.iter().map(Concentrator::order);
        orders.any(|order| {
            let own = order.treatment(class);
            let others = (0..model.classes.len()).map(|place| order.treatment(ClassId::of(place)).rank);
            let is_last = fidelity == Fidelity::Flow && own.rank > others.min().unwrap_or(0);
            is_last || own.weight.is_some()
        })
    };
    let of_calls = |class: &Class| {
        let stays = class.rules.break_out.iter().all(|order| order.2.0 < 1.0);
        stays && class.demand.is_of_calls()
    };
    let classes = model.classes.iter().enumerate().filter(|(_, class)| of_calls(class));
    let behind =
        classes.filter(|(place, _)| !matches!(fidelity, Fidelity::Packet(_)) && is_behind(ClassId::of(*place)));
    let told = behind.map(|(_, class)| {
        let title = format!(
            "{} has calls that do not go first: at {} fidelity they get what they send all the same",
            class.name,
            fidelity.name()
        );
        (title, "use packet fidelity for how they can be heard, and for what they leave to others".to_owned())
    });
    told.collect()
}

/// The first concentrator of a set-up that has to fragment full segments: what that means, and what helps.
fn fragments(setup: &Setup) -> Vec<Told> {
    let Transport::Tcp(tcp) = setup.model.transport else { return Vec::new() };
    let full = tcp.segment.0 + tcp.headers.0;
    let fragments = |device: &&Concentrator| device.encapsulation().fragments(full) > 1;
    let Some(concentrator) = setup.model.concentrators.iter().find(fragments) else { return Vec::new() };
    let path = concentrator.encapsulation();
    let (name, mtu, fits) =
        (&concentrator.name, concentrator.mtu.0, path.largest_whole().saturating_sub(tcp.headers.0));
    let title = format!(
        "a full segment of {} B is {} B when `{name}` has encrypted it, more than its path's MTU of {mtu} B: it leaves in {} \
         fragments, each of them a packet to handle",
        tcp.segment.0,
        concentrator.cipher.wire(full),
        path.fragments(full),
    );
    let help = format!(
        "let the ends of tunnels clamp segments: write `mss = \"{fits} B\"` in [tunnels], or in an option's change `tunnels`"
    );
    vec![(title, help)]
}

/// Transactions of a replay that begin after the run has ended.
fn cut_off(model: &Model) -> Option<Warning> {
    let replay = model.replay.as_ref()?;
    let after = replay.iter().filter(|arrival| arrival.at >= model.calendar.end()).count();
    (after > 0).then(|| Warning {
        setup: None,
        title: format!(
            "{after} of {} transactions of the replay begin after the run has ended, and are left out",
            replay.len()
        ),
        help: "write a later `until`, or more `days`; `start_s` counts from midnight of the first day".to_owned(),
    })
}

/// A limit on latency beyond patience: people give up before.
fn unmissable(target: &Target, base: &Setup) -> Option<Warning> {
    let (Measure::Mean(class) | Measure::Quantile(class, _)) = target.measure else { return None };
    let class = &base.model.classes[class.index()];
    let patience = class.patience?.secs();
    let longest = patience * f64::from(class.retries + 1);
    (longest <= target.limit).then(|| Warning {
        setup: None,
        title: format!(
            "nobody waits so long that `{}` could be missed: who waits for {} gives up after {longest} s",
            target.title, class.name
        ),
        help: "write a limit below that, or a target on `given_up`".to_owned(),
    })
}

/// A class without arrivals on the days of the run.
fn unasked(target: &Target, base: &Setup) -> Option<Warning> {
    let (Measure::Mean(class) | Measure::Quantile(class, _) | Measure::Slow(class) | Measure::GivenUp(class)) =
        target.measure
    else {
        return None;
    };
    let class = &base.model.classes[class.index()];
    let nothing = base.model.calendar.days == 1 && is_silent(class, usize::from(base.model.calendar.weekday));
    nothing.then(|| Warning {
        setup: None,
        title: format!("nobody asks for {} on the day of the run, so `{}` cannot be told", class.name, target.title),
        help: "check the class's numbers, its weekdays, and the day in [run]".to_owned(),
    })
}

fn is_silent(class: &Class, weekday: usize) -> bool {
    match &class.demand {
        Demand::Users { workstations, weekdays, .. } => {
            workstations.iter().sum::<u32>() == 0 || weekdays[weekday] <= 0.0
        }
        Demand::Open(arrivals) => arrivals.per_day * arrivals.weekdays[weekday] <= 0.0,
        Demand::Jobs { workstations, share, weekdays, .. } => {
            workstations.iter().sum::<u32>() == 0 || share.0 <= 0.0 || !weekdays[weekday]
        }
        _ => false,
    }
}
