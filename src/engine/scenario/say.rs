//! The changes of an option in words, with their numbers.

use std::fmt::Display;

use crate::scenario::check::without::ChangeName;
use crate::scenario::field::{At, Date, Field, Name, Number};
use crate::scenario::file::{
    BalancerFile, Change, ConcentratorFile, CurfewFile, DisciplineFile, LimitFile, MigrateFile, OptionFile,
    ReleaseFile, Selector, ShapeFile, ShareFile, StaggerFile, StoreFile, TunnelsFile,
};
use crate::units::TimeOfDay;

/// Each change of an option in a clause, without those of the options that it includes; `base` are the changes of the headend as it
/// is.
#[must_use]
pub fn changes(option: &OptionFile, base: &[At<Change>]) -> Vec<String> {
    let mut clauses = Vec::new();
    for written in &option.without {
        let meant = |change: &&At<Change>| ChangeName::of(change.get_ref()).is(&name(written));
        let before = clauses.len();
        clauses.extend(
            base.iter().filter(meant).map(|change| format!("no longer as it is: {}", clause(change.get_ref()))),
        );
        if clauses.len() == before {
            clauses.push(format!("{} does not happen", name(written)));
        }
    }
    clauses.extend(option.change.iter().map(|change| clause(change.get_ref())));
    if option.fault.len() == 1 {
        clauses.push("one more fault happens".to_owned());
    } else if !option.fault.is_empty() {
        clauses.push(format!("{} more faults happen", option.fault.len()));
    }
    clauses
}

/// The clause for a pool without a written balancer that places tunnels by load, so that no concentrator stays idle.
pub const BY_LOAD: &str = "tunnels are placed where there is least load";

fn clause(change: &Change) -> String {
    match change {
        Change::Curfew(file) => curfew(file),
        Change::Shape(file) => shape(file),
        Change::SwitchOff(file) => {
            format!("{} is switched off{}", name(&file.class), window(&file.from, &file.until, &file.on))
        }
        Change::Prioritise(file) => {
            let order = file.first.iter().map(name).collect::<Vec<_>>().join(", then ");
            format!(
                "{order} goes strictly first at {}{}",
                concentrators(&file.concentrators),
                instant(&file.at, &file.on)
            )
        }
        Change::Serve(file) => {
            let order = file.discipline.as_ref().map_or_else(String::new, |table| discipline(table.get_ref()));
            format!("{order} at {}{}", concentrators(&file.concentrators), instant(&file.at, &file.on))
        }
        Change::Resize(file) => {
            format!("{} carries {}{}", name(&file.concentrator), value(&file.throughput), instant(&file.at, &file.on))
        }
        Change::Add(file) => {
            let new = file.concentrator.as_ref().map_or_else(String::new, |table| concentrator(table.get_ref()));
            let placed = file.balancer.map_or_else(String::new, |how| format!("; tunnels are placed {}", placed(how)));
            format!("one more concentrator, {new}{}{placed}", instant(&file.at, &file.on))
        }
        Change::Balance(file) => {
            format!("tunnels are placed {}", file.balancer.map_or("as before", placed))
        }
        Change::Migrate(file) => migrate(file),
        Change::Cache(file) => share_of(file, "is served on site"),
        Change::BreakOut(file) => share_of(file, "goes round the headend"),
        Change::Stagger(file) => stagger(file),
        Change::Store(file) => store(file),
        Change::Tunnels(file) => tunnels(file),
        Change::Limit(file) => limit(file),
    }
}

fn curfew(file: &CurfewFile) -> String {
    let obey = match file.compliance.value() {
        Some(share) => format!(" ({share} obey)"),
        None => String::new(),
    };
    let release = match &file.release {
        None | Some(ReleaseFile::AtOnce) => "all together".to_owned(),
        Some(ReleaseFile::Spread(over)) => format!("evenly over {}", value(over)),
        Some(ReleaseFile::Jittered(over)) => format!("each at a random time within {}", value(over)),
    };
    let window = window(&file.from, &file.until, &file.on);
    format!("{} may not start{window}{obey}, then they start {release}", name(&file.class))
}

fn shape(file: &ShapeFile) -> String {
    let total = file.total.value().map(|rate| format!("{rate} in all"));
    let each = file.per_site.value().map(|rate| format!("{rate} at each site"));
    let caps: Vec<String> = total.into_iter().chain(each).collect();
    format!("{} is capped at {}{}", name(&file.class), list(&caps), window(&file.from, &file.until, &file.on))
}

fn discipline(file: &DisciplineFile) -> String {
    match file {
        DisciplineFile::Fifo => "one queue, first come, first served,".to_owned(),
        DisciplineFile::FairBySite => "the same share to each busy site".to_owned(),
        DisciplineFile::Priority(lists) => {
            let rank = |names: &Vec<Field<Name>>| list(&names.iter().map(name).collect::<Vec<_>>());
            format!("strict priority: {},", lists.iter().map(rank).collect::<Vec<_>>().join(", then "))
        }
        DisciplineFile::Weighted(weights) => {
            format!("a queue for each class, by weight ({})", by_class(weights.iter()))
        }
        DisciplineFile::Discriminatory(weights) => format!("flows share by weight ({})", by_class(weights.iter())),
        DisciplineFile::LowLatency { first, weights } => {
            let first = list(&first.iter().map(name).collect::<Vec<_>>());
            format!("{first} strictly first, the others by weight ({})", by_class(weights.iter()))
        }
    }
}

fn by_class<'a>(weights: impl Iterator<Item = (&'a toml::Spanned<String>, &'a Field<Number>)>) -> String {
    let each = weights.map(|(class, weight)| {
        format!("{} {}", class.get_ref(), weight.value().map_or_else(String::new, |weight| weight.0.to_string()))
    });
    each.collect::<Vec<_>>().join(", ")
}

fn concentrator(file: &ConcentratorFile) -> String {
    let rate = file.throughput.value().map(|rate| format!(" of {rate}"));
    let profile = file.profile.value().map(|profile| format!(" ({})", profile.0));
    let standby = if file.standby.value().is_some_and(|flag| flag.0) { ", on standby" } else { "" };
    format!("{}{}{}{standby}", name(&file.name), rate.unwrap_or_default(), profile.unwrap_or_default())
}

fn placed(how: BalancerFile) -> &'static str {
    match how {
        BalancerFile::HubList => "at the first concentrator of the list",
        BalancerFile::RoundRobin => "in turn",
        BalancerFile::Random => "at random",
        BalancerFile::Hash => "by the site's name",
        BalancerFile::LeastTunnels => "where there are fewest",
        BalancerFile::LeastLoad => "where there is least load",
        BalancerFile::Weighted => "in proportion to throughput",
        BalancerFile::JoinShortest => "for each transaction at the least crowded (the ideal bound)",
    }
}

fn migrate(file: &MigrateFile) -> String {
    let to = name(&file.to);
    let except =
        file.except.as_ref().map_or_else(String::new, |sites| format!(", but not {}", sites_of(sites.get_ref())));
    if let Some(sites) = &file.sites {
        return format!("{} move to {to}{}{except}", sites_of(sites.get_ref()), instant(&file.at, &file.on));
    }
    let wave = |wave: &toml::Spanned<crate::scenario::file::Wave>| {
        let wave = wave.get_ref();
        let sites = wave.sites.as_ref().map_or_else(String::new, |sites| sites_of(sites.get_ref()));
        format!("{sites}{}", instant(&wave.at, &wave.on))
    };
    let waves: Vec<String> = file.waves.iter().map(wave).collect();
    format!("sites move to {to}{except}: {}", waves.join(", then "))
}

fn sites_of(sites: &Selector) -> String {
    match sites {
        Selector::All => "all sites".to_owned(),
        Selector::Share(share) => format!("{} of the sites", value(share)),
        Selector::List(names) if names.len() <= 3 => list(&names.iter().map(name).collect::<Vec<_>>()),
        Selector::List(names) => format!("{} sites", names.len()),
    }
}

fn share_of(file: &ShareFile, what: &str) -> String {
    let share = file.share.value().map_or_else(|| "all".to_owned(), ToString::to_string);
    format!("{share} of {} {what}{}", name(&file.class), window(&file.from, &file.until, &file.on))
}

fn stagger(file: &StaggerFile) -> String {
    let peak = file.peak.value().map_or_else(String::new, |peak| format!(", most at {peak}"));
    format!("{} start{}{peak}", name(&file.class), window(&file.from, &file.until, &Field::default()))
}

fn store(file: &StoreFile) -> String {
    let share = file.share.value().map_or_else(|| "all".to_owned(), ToString::to_string);
    let forward = file.forward.value().map_or_else(String::new, |class| format!(" and sent on later as {}", class.0));
    format!("while a site is cut off, {share} of {} is served on site{forward}", name(&file.class))
}

fn tunnels(file: &TunnelsFile) -> String {
    let mut terms = Vec::new();
    let mut add = |text: Option<String>| terms.extend(text);
    add(file.mss.value().map(|mss| format!("hold segments to {} B", mss.0)));
    add(file.idle_timeout.value().map(|idle| format!("are taken down when idle for {idle}")));
    add(file.keepalive.value().map(|every| format!("ask for an answer every {every}")));
    if terms.is_empty() { "tunnels are set up otherwise".to_owned() } else { format!("tunnels {}", list(&terms)) }
}

fn limit(file: &LimitFile) -> String {
    let mut terms = Vec::new();
    let mut add = |text: Option<String>| terms.extend(text);
    add(file.tunnels.value().map(|most| format!("{} tunnels", most.0)));
    add(file.per_tunnel.value().map(|rate| format!("{rate} a tunnel")));
    add(file.per_tunnel_packets.value().map(|rate| format!("{rate} a tunnel")));
    add(file.mtu.value().map(|mtu| format!("an MTU of {} B", mtu.0)));
    add(file.handshakes.value().map(|rate| format!("{} handshakes a second", rate.0)));
    let ramp = file.handshakes_ramp.as_ref().map(At::get_ref);
    add(ramp.and_then(|ramp| Some(format!("first {}, rising over {}", ramp.from.value()?.0, ramp.over.value()?))));
    add(file.half_open_timeout.value().map(|after| format!("handshakes that it forgets after {after}")));
    add(file.half_open.value().map(|most| format!("{} handshakes half open", most.0)));
    add(file.uplink.value().map(|rate| format!("a line of {rate}")));
    add(file.configured_uplink.value().map(|rate| format!("a line that it takes for {rate}")));
    add(file.queues.as_ref().map(|_| "another place of its queues".to_owned()));
    format!("{}: {}", concentrators(&file.concentrators), list(&terms))
}

fn concentrators(names: &[Field<Name>]) -> String {
    if names.is_empty() { "all concentrators".to_owned() } else { list(&names.iter().map(name).collect::<Vec<_>>()) }
}

fn list(items: &[String]) -> String {
    items.join(", ")
}

fn name(field: &Field<Name>) -> String {
    field.value().map_or_else(String::new, |name| name.0.clone())
}

fn value<T: Display>(field: &Field<T>) -> String {
    field.value().map_or_else(String::new, ToString::to_string)
}

fn window(from: &Field<TimeOfDay>, until: &Field<TimeOfDay>, on: &Field<Date>) -> String {
    let hours = match (from.value(), until.value()) {
        (Some(from), Some(until)) => format!(" from {from} to {until}"),
        (Some(from), None) => format!(" from {from} on"),
        (None, Some(until)) => format!(" until {until}"),
        (None, None) => String::new(),
    };
    let day = on.value().map_or_else(String::new, |date| format!(" on {}", date.0));
    hours + &day
}

fn instant(at: &Field<TimeOfDay>, on: &Field<Date>) -> String {
    let at = at.value().map_or_else(String::new, |clock| format!(" from {clock} on"));
    let on = on.value().map_or_else(String::new, |date| format!(" ({})", date.0));
    at + &on
}
