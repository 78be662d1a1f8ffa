//! Idle concentrators: those that no tunnel reaches.

use crate::model::FaultKind;
use crate::model::{Balancer, ChangeKind, Concentrator, ConcentratorId, Model, Pool, PoolId};
use crate::scenario::checked::Setup;
use crate::units::Time;

/// Concentrators that carry nothing although a reader would think so: by set-up, the names of those that it adds and does not
/// reach, and with the first that has them those that none reaches. What an option moves sites to may be idle before.
#[must_use]
pub fn useless(setups: &[Setup]) -> Vec<(&Setup, &str)> {
    let has =
        |setup: &Setup, name: &str| setup.model.concentrators.iter().any(|concentrator| concentrator.name == name);
    let leaves =
        |setup: &Setup, name: &str| unreached(&setup.model).iter().any(|concentrator| concentrator.name == name);
    let mut found = Vec::new();
    for (place, setup) in setups.iter().enumerate() {
        for concentrator in unreached(&setup.model) {
            let first = !setups[..place].iter().any(|above| has(above, &concentrator.name));
            let everywhere =
                setups.iter().all(|other| !has(other, &concentrator.name) || leaves(other, &concentrator.name));
            if (first && everywhere) || !(everywhere || has(&setups[0], &concentrator.name)) {
                found.push((setup, concentrator.name.as_str()));
            }
        }
    }
    found
}

/// The remedy for a concentrator that carries nothing.
pub const REMEDY: &str = "put it into a pool with `balancer = \"least_load\"`, `migrate` sites to it, or write `standby = true` if \
                          it is a spare";

/// Concentrators that no site has a tunnel to, on any day that goes as planned: in no pool that serves sites, or behind others in
/// a list that is taken in order. Those that stand by, and those that others may fail over to in a fault of the scenario, are not
/// among them.
#[must_use]
pub fn unreached(model: &Model) -> Vec<&Concentrator> {
    let idle = |id: &ConcentratorId| {
        let concentrator = &model.concentrators[id.index()];
        !concentrator.standby
            && !is_moved_to(model, *id)
            && !served_pools(model).any(|(place, pool)| reaches(model, place, pool, *id))
    };
    (0..model.concentrators.len())
        .map(ConcentratorId::of)
        .filter(idle)
        .map(|id| &model.concentrators[id.index()])
        .collect()
}

fn is_moved_to(model: &Model, concentrator: ConcentratorId) -> bool {
    model.changes.iter().any(|edit| matches!(&edit.kind, ChangeKind::Migrate { to, .. } if *to == concentrator))
}

/// Pools that have sites.
fn served_pools(model: &Model) -> impl Iterator<Item = (PoolId, &Pool)> {
    let pools = model.pools.iter().enumerate().map(|(place, pool)| (PoolId::of(place), pool));
    pools.filter(|(id, _)| model.pool_of.contains(id))
}

/// Whether a pool may ever place a tunnel on a concentrator.
fn reaches(model: &Model, id: PoolId, pool: &Pool, concentrator: ConcentratorId) -> bool {
    let Some(place) = pool.concentrators.iter().position(|other| *other == concentrator) else { return false };
    // Tunnels that stand stay where they are when a concentrator opens later.
    let opens_late =
        model.concentrators[concentrator.index()].opens > Time(0) && pool.balancer != Balancer::JoinShortest;
    if opens_late && model.faults.is_empty() {
        return false;
    }
    if pool.balancer != Balancer::HubList {
        return true;
    }
    let before: Vec<ConcentratorId> =
        pool.concentrators[..place].iter().copied().filter(|concentrator| is_there(model, *concentrator)).collect();
    let sites = model.pool_of.iter().filter(|other| **other == id).count() as u64;
    let room = before
        .iter()
        .try_fold(0_u64, |sum, concentrator| Some(sum + u64::from(model.concentrators[concentrator.index()].tunnels?)));
    let full = room.is_some_and(|room| room < sites);
    let fails = |concentrator: &ConcentratorId| {
        model.faults.iter().any(|fault| matches!(&fault.what, FaultKind::Outage(other) if other == concentrator))
    };
    before.is_empty() || full || before.iter().any(fails)
}

/// Whether tunnels are placed on it from the start.
fn is_there(model: &Model, concentrator: ConcentratorId) -> bool {
    let concentrator = &model.concentrators[concentrator.index()];
    concentrator.opens == Time(0) && !concentrator.standby
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{unreached, useless};
    use crate::scenario::{Study, load};

    fn tiny(more: &str) -> Study {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scenarios/tiny.toml")).unwrap();
        load("tiny.toml", &(text + more), Path::new("scenarios")).unwrap()
    }

    fn idle(study: &Study) -> Vec<Vec<&str>> {
        study
            .setups
            .iter()
            .map(|setup| unreached(&setup.model).iter().map(|concentrator| concentrator.name.as_str()).collect())
            .collect()
    }

    const SECOND: &str = "\n[[concentrator]]\nname = \"hub-2\"\nthroughput = \"1 Gbit/s\"\n";

    #[test]
    fn the_second_of_a_list_is_idle_unless_something_brings_tunnels_to_it() {
        assert_eq!(idle(&tiny(""))[0], [""; 0]);
        assert_eq!(idle(&tiny(SECOND))[0], ["hub-2"]);
        assert_eq!(idle(&tiny(&(SECOND.to_owned() + "standby = true\n")))[0], [""; 0]);
        let by_load = "[[pool]]\nname = \"all\"\nconcentrators = [\"hub\", \"hub-2\"]\nbalancer = \"least_load\"\n";
        assert_eq!(idle(&tiny(&(SECOND.to_owned() + by_load)))[0], [""; 0]);
        let alone = "[[pool]]\nname = \"all\"\nconcentrators = [\"hub\"]\n";
        assert_eq!(idle(&tiny(&(SECOND.to_owned() + alone)))[0], ["hub-2"]);
    }

    /// Fault: a concentrator to which an option moves sites is reported as idle before, or one that nobody uses more than once.
    #[test]
    fn a_concentrator_is_useless_where_no_set_up_uses_it() {
        let move_to = "[[option]]\nname = \"move\"\n[[option.change]]\nmigrate = { to = \"hub-2\", at = \"08:00\", sites = { share = \"50 %\" } }\n";
        let told = |study: &Study| {
            useless(&study.setups)
                .iter()
                .map(|(setup, concentrator)| format!("{}: {concentrator}", setup.name))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(&tiny(SECOND)), ["base: hub-2"]);
        assert_eq!(told(&tiny(&(SECOND.to_owned() + move_to))), [""; 0]);
    }

    #[test]
    fn what_is_added_takes_part() {
        let option = |more: &str| {
            format!(
                "\n[[option]]\nname = \"second\"\n[[option.change]]\nadd = {{ concentrator = {{ name = \"hub-2\", throughput = \"1 Gbit/s\" }}{more} }}\n"
            )
        };
        assert_eq!(idle(&tiny(&option("")))[3], [""; 0]);
        assert_eq!(idle(&tiny(&option(", balancer = \"hub_list\"")))[3], ["hub-2"], "as it is written");
        assert_eq!(idle(&tiny(&option(", at = \"09:00\"")))[3], ["hub-2"], "tunnels stay where they are");
    }
}
