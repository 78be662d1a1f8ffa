//! The headend: concentrators and the pools that they form.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;

use crate::model::{
    Balancer, Cipher, Class, ClassId, Concentrator, ConcentratorId, Counts, Discipline, FailBack, Pool, PoolId, Queues,
    Ramp, Site, SiteId,
};
use crate::scenario::check::device::{self, DeviceModels};
use crate::scenario::checker::{Checker, DistributedQuantity};
use crate::scenario::field::{Count, Field, Flag, Name, Number};
use crate::scenario::file::{
    At, BalancerFile, CipherFile, ConcentratorFile, CountsFile, DisciplineFile, FailBackFile, File, LimitFile,
    PoolFile, QueuesFile, RampFile, Selector,
};
use crate::scenario::problem::did_you_mean;
use crate::units::{BitRate, Bytes, Duration};

/// Reads all concentrators.
pub fn concentrators(
    file: &File,
    known: &DeviceModels,
    classes: &[Class],
    check: &mut Checker,
) -> Option<Vec<Concentrator>> {
    if file.concentrator.is_empty() {
        check.missing(&(0..0), "concentrator", "at least one table [[concentrator]]");
        return None;
    }
    let mut concentrators = Vec::new();
    for table in &file.concentrator {
        let Some(read) = concentrator(table, known, classes, check).or_else(|| stand_in(table.get_ref())) else {
            continue;
        };
        no_second(&concentrators, &read, &table.get_ref().name, check);
        concentrators.push(read);
    }
    Some(concentrators)
}

/// In place of a concentrator with a fault, so that what names it can be checked.
fn stand_in(file: &ConcentratorFile) -> Option<Concentrator> {
    Some(Concentrator::new(file.name.value()?.0.clone(), BitRate(1), Bytes(0)))
}

/// Reports a second concentrator of a name, or one too many.
pub fn no_second(concentrators: &[Concentrator], concentrator: &Concentrator, name: &Field<Name>, check: &mut Checker) {
    if concentrators.iter().any(|other| other.name == concentrator.name) {
        check.problems.add(
            name.span(),
            format!("a second concentrator `{}`", concentrator.name),
            "give each its own name",
        );
    }
    if concentrators.len() == MAX_UNITS {
        check.problems.add(name.span(), "too many concentrators", format!("use at most {MAX_UNITS}"));
    }
}

const MAX_UNITS: usize = 64;

/// Reads one concentrator.
pub fn concentrator(
    table: &At<ConcentratorFile>,
    known: &DeviceModels,
    classes: &[Class],
    check: &mut Checker,
) -> Option<Concentrator> {
    let at = table.span();
    let file = &device::filled(table, known, check);
    let name = check.required(&file.name, &at, "name");
    let throughput = check.positive(&file.throughput, &at, "throughput");
    let packets = check.optional(&file.packet_rate);
    let reference = check.or(&file.reference_packet, Bytes(1400));
    if !(41..=9000).contains(&reference.0) {
        let title = format!("a reference packet of {} bytes", reference.0);
        check.problems.add(file.reference_packet.span(), title, "write 41 B to 9000 B");
    }
    let discipline = match &file.discipline {
        Some(table) => discipline(table, classes, check),
        None => Some(Discipline::Fifo),
    };
    let throughput = throughput?;
    if throughput.0 > 100_000_000_000_000 {
        check.problems.add(file.throughput.span(), format!("{throughput} is beyond any device"), "check the unit");
    }
    let buffer = check.or(&file.buffer, Bytes(throughput.0 / 8 / 20));
    let streams = check.optional(&file.streams).map(|count| u32::try_from(count.0).unwrap_or(u32::MAX));
    let concentrator = Concentrator {
        packets,
        reference,
        cipher: cipher(file.cipher.as_ref(), check),
        counts: match file.counts {
            None | Some(CountsFile::Both) => Counts::Both,
            Some(CountsFile::Down) => Counts::Down,
        },
        buffer_packets: check.optional(&file.buffer_packets).map(|count| u32::try_from(count.0).unwrap_or(u32::MAX)),
        discipline: discipline?,
        streams,
        standby: check.or(&file.standby, Flag(false)).0,
        cost_per_mbit: cost(&file.cost_per_mbit, check),
        ..Concentrator::new(name?.0, throughput, buffer)
    };
    let concentrator = limited(concentrator, &limits_of(file), check);
    if concentrator.rated_cost().is_none() {
        let title = format!("{} of small packets contradict {throughput}", packets.unwrap_or_default());
        let help = "a data sheet's packet rate lies between throughput / full packet and throughput / small packet; \
                    leave it out if it is not known";
        check.problems.add(file.packet_rate.span(), title, help);
        return None;
    }
    Some(concentrator)
}

/// A cost that is not below zero, if it is written.
pub fn cost(field: &Field<Number>, check: &mut Checker) -> Option<f64> {
    let cost = check.optional(field)?.0;
    if cost < 0.0 {
        check.problems.add(field.span(), format!("a cost of {cost}"), "write 0 or more");
    }
    Some(cost)
}

/// The limits among what is written of a concentrator.
fn limits_of(file: &ConcentratorFile) -> LimitFile {
    LimitFile {
        concentrators: Vec::new(),
        tunnels: file.tunnels.clone(),
        per_tunnel: file.per_tunnel.clone(),
        per_tunnel_packets: file.per_tunnel_packets.clone(),
        mtu: file.mtu.clone(),
        handshakes: file.handshakes.clone(),
        handshakes_ramp: file.handshakes_ramp.clone(),
        half_open: file.half_open.clone(),
        half_open_timeout: file.half_open_timeout.clone(),
        queues: file.queues,
        uplink: file.uplink.clone(),
        configured_uplink: file.configured_uplink.clone(),
    }
}

/// A concentrator with the limits that are written; the others are as they were.
pub fn limited(concentrator: Concentrator, file: &LimitFile, check: &mut Checker) -> Concentrator {
    let handshakes = above_nothing(&file.handshakes, "no handshake is ever completed", check).map(|rate| rate.0);
    let handshakes = handshakes.or(concentrator.handshakes);
    Concentrator {
        tunnels: count(&file.tunnels, "tunnels", check).or(concentrator.tunnels),
        per_tunnel: above_nothing(&file.per_tunnel, "a tunnel that carries nothing", check).or(concentrator.per_tunnel),
        per_tunnel_packets: above_nothing(&file.per_tunnel_packets, "a tunnel that carries nothing", check)
            .or(concentrator.per_tunnel_packets),
        mtu: mtu(&file.mtu, check).unwrap_or(concentrator.mtu),
        handshakes,
        ramp: file.handshakes_ramp.as_ref().and_then(|table| ramp(table, handshakes, check)).or(concentrator.ramp),
        half_open_timeout: above_nothing(&file.half_open_timeout, "no handshake lasts long enough", check)
            .or(concentrator.half_open_timeout),
        half_open: count(&file.half_open, "half-open handshakes", check).or(concentrator.half_open),
        queues: match file.queues {
            None => concentrator.queues,
            Some(QueuesFile::BeforeCrypto) => Queues::BeforeCrypto,
            Some(QueuesFile::AfterCrypto) => Queues::AfterCrypto,
        },
        uplink: above_nothing(&file.uplink, "a line that carries nothing", check).or(concentrator.uplink),
        configured: above_nothing(&file.configured_uplink, "a line that carries nothing", check)
            .or(concentrator.configured),
        ..concentrator
    }
}

fn ramp(table: &At<RampFile>, full: Option<f64>, check: &mut Checker) -> Option<Ramp> {
    let (at, file) = (table.span(), table.get_ref());
    let (from, over) = (check.positive(&file.from, &at, "from"), check.positive(&file.over, &at, "over"));
    if full.is_none() {
        let help = "write `handshakes`, the rate to which it rises";
        check.problems.add(&at, "a ramp to no rate", help);
        return None;
    }
    let from = from?.0;
    if full.is_some_and(|full| from > full) {
        let title = format!("a ramp that falls, from {from} handshakes a second");
        check.problems.add(file.from.span(), title, "write less than `handshakes`, the rate to which it rises");
    }
    Some(Ramp { from, over: over?.secs() })
}

/// What IPv4 must carry at least (RFC 791, section 3.2), and more than any jumbo frame.
const MTU_RANGE: std::ops::RangeInclusive<u64> = 576..=65_535;

fn mtu(field: &Field<Bytes>, check: &mut Checker) -> Option<Bytes> {
    let mtu = check.optional(field)?;
    if !MTU_RANGE.contains(&mtu.0) {
        let help = "write 576 B to 65535 B; Ethernet has 1500 B, PPPoE 1492 B";
        check.problems.add(field.span(), format!("an MTU of {} B", mtu.0), help);
        return None;
    }
    Some(mtu)
}

/// A number of things that must be one at least.
fn count(field: &Field<Count>, what: &str, check: &mut Checker) -> Option<u32> {
    let count = check.optional(field)?.0;
    if count == 0 {
        check.problems.add(field.span(), format!("no {what} at all"), "write 1 or more, or leave it out");
    }
    u32::try_from(count).ok()
}

/// A quantity that must not be zero, if it is written.
fn above_nothing<T: DistributedQuantity>(field: &Field<T>, title: &str, check: &mut Checker) -> Option<T> {
    let value = check.optional(field)?;
    if !(value.number() > 0.0) {
        check.problems.add(field.span(), title, format!("write {} above zero, or leave it out", T::WHAT));
        return None;
    }
    Some(value)
}

fn cipher(file: Option<&CipherFile>, check: &mut Checker) -> Cipher {
    match file {
        None | Some(CipherFile::AesGcm) => Cipher::AesGcm,
        Some(CipherFile::None) => Cipher::None,
        Some(CipherFile::AesCbcSha1) => Cipher::AesCbcSha1,
        Some(CipherFile::AesCbcSha256) => Cipher::AesCbcSha256,
        Some(CipherFile::Adds(field)) => {
            let bytes = check.or(field, Bytes(0)).0;
            let adds = u8::try_from(bytes);
            if adds.is_err() {
                check.problems.add(field.span(), format!("{bytes} bytes on each packet"), "write 0 B to 255 B");
            }
            Cipher::Adds(adds.unwrap_or(0))
        }
    }
}

/// Reads an order of service.
pub fn discipline(table: &At<DisciplineFile>, classes: &[Class], check: &mut Checker) -> Option<Discipline> {
    let at = table.span();
    match table.get_ref() {
        DisciplineFile::Fifo => Some(Discipline::Fifo),
        DisciplineFile::FairBySite => Some(Discipline::FairBySite),
        DisciplineFile::Priority(lists) => priority(lists, classes, check),
        DisciplineFile::Weighted(by_class) => weights(by_class, &at, classes, &[], check).map(Discipline::Weighted),
        DisciplineFile::Discriminatory(by_class) => {
            weights(by_class, &at, classes, &[], check).map(Discipline::Discriminatory)
        }
        DisciplineFile::LowLatency { first, weights: by_class } => {
            let mut named = vec![false; classes.len()];
            for field in first {
                named[class_named(field, classes, check)?.index()] = true;
            }
            let weights = weights(by_class, &at, classes, &named, check)?;
            Some(Discipline::LowLatency { first: named, weights })
        }
    }
}

fn priority(lists: &[Vec<Field<Name>>], classes: &[Class], check: &mut Checker) -> Option<Discipline> {
    let last = u8::try_from(lists.len().min(usize::from(u8::MAX))).unwrap_or(u8::MAX);
    let mut ranks = vec![last; classes.len()];
    let mut fine = true;
    for (list, rank) in lists.iter().zip(0_u8..) {
        for field in list {
            let Some(class) = class_named(field, classes, check) else {
                fine = false;
                continue;
            };
            if ranks[class.index()] != last {
                let title = format!("`{}` is listed twice", classes[class.index()].name);
                check.problems.add(field.span(), title, "list each class once");
                fine = false;
            }
            ranks[class.index()] = rank;
        }
    }
    fine.then_some(Discipline::Priority(ranks))
}

fn weights(
    by_class: &BTreeMap<Spanned<String>, Field<Number>>,
    at: &Range<usize>,
    classes: &[Class],
    exempt: &[bool],
    check: &mut Checker,
) -> Option<Vec<f64>> {
    let mut weights = vec![0.0; classes.len()];
    for (name, field) in by_class {
        let Some(class) = classes.iter().position(|class| class.name == *name.get_ref()) else {
            let help = did_you_mean(name.get_ref(), classes.iter().map(|class| class.name.as_str()));
            check.problems.add(&name.span(), format!("there is no class `{}`", name.get_ref()), help);
            continue;
        };
        let weight = check.positive(field, at, name.get_ref())?.0;
        if !(1e-4..=1e6).contains(&weight) {
            check.problems.add(field.span(), format!("a weight of {weight}"), "write a weight from 0.0001 to 1000000");
        }
        weights[class] = weight;
    }
    let without: Vec<&str> = classes
        .iter()
        .enumerate()
        .filter(|(index, _)| weights[*index] <= 0.0 && !exempt.get(*index).copied().unwrap_or(false))
        .map(|(_, class)| class.name.as_str())
        .collect();
    if !without.is_empty() {
        let title = format!("no weight for {}", crate::scenario::problem::listed(without, "and"));
        check.problems.add(at, title, "give each class a weight");
        return None;
    }
    Some(weights)
}

/// The class that a field names.
pub fn class_named(field: &Field<Name>, classes: &[Class], check: &mut Checker) -> Option<ClassId> {
    let name = check.optional(field)?;
    let found = classes.iter().position(|class| class.name == name.0);
    if found.is_none() {
        let help = did_you_mean(&name.0, classes.iter().map(|class| class.name.as_str()));
        check.problems.add(field.span(), format!("there is no class `{}`", name.0), help);
    }
    found.map(ClassId::of)
}

/// The concentrator that a field names.
pub fn concentrator_named(
    field: &Field<Name>,
    concentrators: &[Concentrator],
    check: &mut Checker,
) -> Option<ConcentratorId> {
    let name = check.optional(field)?;
    let found = concentrators.iter().position(|concentrator| concentrator.name == name.0);
    if found.is_none() {
        let help = did_you_mean(&name.0, concentrators.iter().map(|concentrator| concentrator.name.as_str()));
        check.problems.add(field.span(), format!("there is no concentrator `{}`", name.0), help);
    }
    found.map(ConcentratorId::of)
}

/// Reads all pools, and the pool of each site.
pub fn pools(
    file: &File,
    concentrators: &[Concentrator],
    sites: &[Site],
    check: &mut Checker,
) -> Option<(Vec<Pool>, Vec<PoolId>)> {
    if file.pool.is_empty() {
        let all = (0..concentrators.len()).map(ConcentratorId::of).collect();
        let (balancer, fail_back) = (Balancer::HubList, FailBack::After(Duration(0)));
        let pool = Pool { name: "all".to_owned(), concentrators: all, balancer, fail_back };
        return Some((vec![pool], vec![PoolId(0); sites.len()]));
    }
    let mut pools = Vec::new();
    let mut pool_of: Vec<Option<PoolId>> = vec![None; sites.len()];
    let mut rest = None;
    for (table, id) in file.pool.iter().zip((0..).map(PoolId)) {
        if let Some(pool) = pool(table, concentrators, check) {
            pools.push(pool);
        }
        match &table.get_ref().sites {
            None => rest = rest.or(Some(id)),
            Some(selector) => {
                let free: Vec<SiteId> =
                    (0..sites.len()).map(SiteId::of).filter(|site| pool_of[site.index()].is_none()).collect();
                for site in select(selector, &free, sites, check) {
                    pool_of[site.index()] = Some(id);
                }
            }
        }
    }
    if pools.len() < file.pool.len() {
        return None;
    }
    let orphan = pool_of.iter().position(Option::is_none).filter(|_| rest.is_none());
    if let Some(orphan) = orphan {
        let title = format!("site `{}` is in no pool", sites[orphan].name);
        check.problems.add(&file.pool[0].span(), title, "leave `sites` out of one pool: it takes all that are left");
        return None;
    }
    let rest = rest.unwrap_or(PoolId(0));
    Some((pools, pool_of.into_iter().map(|pool| pool.unwrap_or(rest)).collect()))
}

fn stand_by(concentrators: &[ConcentratorId], known: &[Concentrator]) -> bool {
    concentrators.iter().all(|concentrator| known[concentrator.index()].standby)
}

fn pool(table: &At<PoolFile>, known: &[Concentrator], check: &mut Checker) -> Option<Pool> {
    let (at, file) = (table.span(), table.get_ref());
    let name = check.required(&file.name, &at, "name");
    let members: Vec<Option<ConcentratorId>> =
        file.concentrators.iter().map(|field| concentrator_named(field, known, check)).collect();
    if members.is_empty() {
        check.missing(&at, "concentrators", "a list of names, such as [\"hub-a\", \"hub-b\"]");
        return None;
    }
    let balancer = balancer(file.balancer.unwrap_or(BalancerFile::HubList));
    let fail_back = match &file.fail_back {
        None if balancer == Balancer::HubList => FailBack::After(Duration(0)),
        None | Some(FailBackFile::ByHand) => FailBack::ByHand,
        Some(FailBackFile::AtOnce) => FailBack::After(Duration(0)),
        Some(FailBackFile::After(field)) => FailBack::After(check.or(field, Duration(0))),
    };
    let concentrators: Vec<ConcentratorId> = members.into_iter().collect::<Option<_>>()?;
    if stand_by(&concentrators, known) {
        let help = "leave `standby` out for at least one of them";
        check.problems.add(&at, "every concentrator of this pool stands by for another", help);
    }
    Some(Pool { name: name?.0, concentrators, balancer, fail_back })
}

/// A balancer as written, as meant.
#[must_use]
pub fn balancer(file: BalancerFile) -> Balancer {
    match file {
        BalancerFile::HubList => Balancer::HubList,
        BalancerFile::RoundRobin => Balancer::RoundRobin,
        BalancerFile::Random => Balancer::Random,
        BalancerFile::Hash => Balancer::Hash,
        BalancerFile::LeastTunnels => Balancer::LeastTunnels,
        BalancerFile::LeastLoad => Balancer::LeastLoad,
        BalancerFile::Weighted => Balancer::Weighted,
        BalancerFile::JoinShortest => Balancer::JoinShortest,
    }
}

/// The sites of `from` that a selector names; a share is spread evenly over them.
pub fn select(selector: &At<Selector>, from: &[SiteId], sites: &[Site], check: &mut Checker) -> Vec<SiteId> {
    match selector.get_ref() {
        Selector::All => from.to_vec(),
        Selector::Share(share) => {
            let share = check.or(share, crate::units::Share(0.0)).0;
            #[allow(clippy::cast_precision_loss)] // at most 100,000
            let taken = |index: usize| (index as f64 * share + 1e-9).floor();
            let picked = (0..from.len()).filter(|&index| taken(index + 1) > taken(index));
            picked.map(|index| from[index]).collect()
        }
        Selector::List(names) => sites_named(names, from, sites, check),
    }
}

/// The sites of these names, each once, of those in `from`.
pub fn sites_named(names: &[Field<Name>], from: &[SiteId], sites: &[Site], check: &mut Checker) -> Vec<SiteId> {
    let mut picked = Vec::new();
    for field in names {
        let Some(name) = check.optional(field) else { continue };
        match sites.iter().position(|site| site.name == name.0).map(SiteId::of) {
            // Without an estate the sites are not known.
            None if sites.is_empty() => {}
            None => {
                let help = "use the codes of the estate's sites";
                check.problems.add(field.span(), format!("there is no site `{}`", name.0), help);
            }
            Some(site) if !from.contains(&site) || picked.contains(&site) => {
                let help = "name each site once";
                check.problems.add(field.span(), format!("site `{}` is already taken", name.0), help);
            }
            Some(site) => picked.push(site),
        }
    }
    picked
}
