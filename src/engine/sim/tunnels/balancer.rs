//! Balancers: which concentrator ends a site's tunnel. Chosen when the tunnel is set up, and kept.

use crate::model::{Balancer, ConcentratorId, Model, Pool, PoolId, SiteId};
use crate::random::{Key, Purpose, name_of, place_of};
use crate::units::Time;

/// The concentrator to which each site's tunnel belongs, and the one at which it ends at the start; none, if all are full.
#[must_use]
pub fn place(model: &Model, key: Key) -> (Vec<ConcentratorId>, Vec<Option<ConcentratorId>>) {
    let mut home = vec![ConcentratorId(0); model.sites.len()];
    let mut placed = vec![None; model.sites.len()];
    let mut tunnels = vec![0; model.concentrators.len()];
    for (pool, id) in model.pools.iter().zip(0_u8..) {
        let sites: Vec<SiteId> =
            (0..model.sites.len()).map(SiteId::of).filter(|site| model.pool_of[site.index()] == PoolId(id)).collect();
        for (site, concentrator) in sites.iter().zip(place_all(model, pool, &sites, key)) {
            home[site.index()] = concentrator;
            let has_room = |concentrator: &ConcentratorId| {
                let terms = &model.concentrators[concentrator.index()];
                tunnels[concentrator.index()] < terms.tunnels.unwrap_or(u32::MAX) && is_open(model, *concentrator)
            };
            let end = Some(concentrator).filter(has_room).or_else(|| pool.concentrators.iter().copied().find(has_room));
            if let Some(end) = end {
                tunnels[end.index()] += 1;
            }
            placed[site.index()] = end;
        }
    }
    (home, placed)
}

fn is_open(model: &Model, concentrator: ConcentratorId) -> bool {
    let terms = &model.concentrators[concentrator.index()];
    terms.opens <= Time(0) && !terms.standby
}

fn place_all(model: &Model, pool: &Pool, sites: &[SiteId], key: Key) -> Vec<ConcentratorId> {
    let open: Vec<ConcentratorId> =
        pool.concentrators.iter().copied().filter(|&concentrator| is_open(model, concentrator)).collect();
    let capacity: Vec<f64> =
        open.iter().map(|concentrator| model.concentrators[concentrator.index()].throughput.bits()).collect();
    let total: f64 = capacity.iter().sum();
    let mut tally = vec![0.0; open.len()];
    let mut taken = Vec::with_capacity(sites.len());
    for (number, &site) in sites.iter().enumerate() {
        let patients = f64::from(model.sites[site.index()].patients);
        let choice = match pool.balancer {
            Balancer::HubList => 0,
            Balancer::RoundRobin => number % open.len(),
            Balancer::Random => random(key, &model.sites[site.index()].name, open.len()),
            Balancer::Hash => place_of(&model.sites[site.index()].name, open.len()),
            Balancer::LeastTunnels | Balancer::JoinShortest => index_of_least(tally.iter().copied()),
            Balancer::LeastLoad => {
                index_of_least(tally.iter().zip(&capacity).map(|(load, rate)| (load + patients) / rate))
            }
            // Smooth weighted round robin: each gains its share in a turn, and the one with most is taken.
            Balancer::Weighted => {
                tally.iter_mut().zip(&capacity).for_each(|(owed, rate)| *owed += rate / total);
                index_of_least(tally.iter().map(|owed| -owed))
            }
        };
        tally[choice] += match pool.balancer {
            Balancer::LeastLoad => patients,
            Balancer::Weighted => -1.0,
            _ => 1.0,
        };
        taken.push(open[choice]);
    }
    taken
}

/// What a balancer can see of a concentrator: the patients behind its tunnels, and their number.
pub type Loads<'a> = (&'a dyn Fn(ConcentratorId) -> f64, &'a dyn Fn(ConcentratorId) -> u32);

/// The concentrator from which a site that has lost its tunnel requests another, among those that are `open`; none if none is.
#[must_use]
pub fn place_again(
    model: &Model,
    pool: &Pool,
    site: SiteId,
    (home, home_is_open): (ConcentratorId, bool),
    open: &[ConcentratorId],
    (patients, tunnels): Loads<'_>,
) -> Option<ConcentratorId> {
    let by = |value: &dyn Fn(ConcentratorId) -> f64| {
        open.get(index_of_least(open.iter().map(|&concentrator| value(concentrator)))).copied()
    };
    let rate = |concentrator: ConcentratorId| model.concentrators[concentrator.index()].throughput.bits();
    match pool.balancer {
        // These weigh the present loads.
        Balancer::LeastTunnels => by(&|concentrator| f64::from(tunnels(concentrator))),
        Balancer::LeastLoad => {
            let own = f64::from(model.sites[site.index()].patients);
            by(&|concentrator| (patients(concentrator) + own) / rate(concentrator))
        }
        _ if home_is_open => Some(home),
        Balancer::HubList => open.first().copied(),
        Balancer::RoundRobin => open.get(site.index() % open.len().max(1)).copied(),
        Balancer::Hash | Balancer::Random => open.get(place_of(&model.sites[site.index()].name, open.len())).copied(),
        Balancer::Weighted | Balancer::JoinShortest => {
            by(&|concentrator| f64::from(tunnels(concentrator)) / rate(concentrator))
        }
    }
}

fn random(key: Key, site: &str, of: usize) -> usize {
    let bound = u32::try_from(of).unwrap_or(u32::MAX);
    key.of(Purpose::Place, name_of(site)).stream(0).below(bound) as usize
}

/// Index of the smallest value, the first among equals.
fn index_of_least(values: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::INFINITY);
    for (index, value) in values.enumerate() {
        if value < best.1 {
            best = (index, value);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    const PATIENTS: [u32; 6] = [9_000, 1_000, 2_000, 3_000, 4_000, 5_000];
    const ALL: [Balancer; 8] = [
        Balancer::HubList,
        Balancer::RoundRobin,
        Balancer::Random,
        Balancer::Hash,
        Balancer::LeastTunnels,
        Balancer::LeastLoad,
        Balancer::Weighted,
        Balancer::JoinShortest,
    ];

    /// Where each of six sites goes, with concentrators of 300, 100 and 100 Mbit/s.
    fn first(balancer: Balancer) -> Vec<u8> {
        let model = Model::sample(&PATIENTS, &[300, 100, 100], balancer);
        place(&model, Key::new(1, 0)).0.into_iter().map(|at| at.0).collect()
    }

    /// Where a site (by its place) goes that belonged to the first, which is down; the others hold `tunnels` and `patients`.
    fn after_failure(balancer: Balancer, site: u32, tunnels: [u32; 3], patients: [f64; 3]) -> Option<u8> {
        let model = Model::sample(&PATIENTS, &[300, 100, 200], balancer);
        let open = [ConcentratorId(1), ConcentratorId(2)];
        let loads: Loads<'_> = (&|at| patients[at.index()], &|at| tunnels[at.index()]);
        place_again(&model, &model.pools[0], SiteId(site), (ConcentratorId(0), false), &open, loads).map(|at| at.0)
    }

    #[test]
    fn each_balancer_places_by_its_own_rule() {
        assert_eq!(first(Balancer::HubList), [0; 6], "the first in the list");
        assert_eq!(first(Balancer::RoundRobin), [0, 1, 2, 0, 1, 2]);
        assert_eq!(first(Balancer::LeastTunnels), [0, 1, 2, 0, 1, 2]);
        // Patients and own patients over throughput: 9/3, then 1/1 < 10/3, 2/1, 3/3 + 9/3 = 4 = 4/1 after 1, ..
        assert_eq!(first(Balancer::LeastLoad), [0, 1, 2, 0, 1, 0]);
        // Smooth weighted round robin at 3 to 1 to 1: three of five to the first.
        let weighted = first(Balancer::Weighted);
        assert_eq!(weighted[..5].iter().filter(|at| **at == 0).count(), 3, "{weighted:?}");
        assert!(weighted[..5].contains(&1) && weighted[..5].contains(&2), "{weighted:?}");
    }

    #[test]
    fn chance_depends_on_the_site_and_on_the_day_and_a_hash_on_the_site_alone() {
        let many: Vec<u32> = vec![1; 300];
        let placed = |balancer, day| {
            let model = Model::sample(&many, &[100, 100, 100], balancer);
            place(&model, Key::new(1, day)).0
        };
        assert_ne!(placed(Balancer::Random, 0), placed(Balancer::Random, 1));
        assert_eq!(placed(Balancer::Hash, 0), placed(Balancer::Hash, 1));
        for balancer in [Balancer::Random, Balancer::Hash] {
            let counts = [0, 1, 2].map(|at| placed(balancer, 0).iter().filter(|other| other.0 == at).count());
            assert!(counts.iter().all(|count| (70..=130).contains(count)), "{balancer:?}: {counts:?}");
        }
    }

    /// A site whose concentrator is down: those that weigh loads weigh them anew, the others go down their list.
    #[test]
    fn each_balancer_places_again_by_its_own_rule() {
        let again = |balancer, tunnels, patients| after_failure(balancer, 0, tunnels, patients);
        assert_eq!(
            again(Balancer::LeastTunnels, [0, 9, 3], [0.0; 3]),
            Some(2),
            "the fewest, not the first that is open"
        );
        assert_eq!(again(Balancer::LeastTunnels, [0, 3, 9], [0.0; 3]), Some(1));
        assert_eq!(again(Balancer::LeastLoad, [0; 3], [0.0, 9_000.0, 9_000.0]), Some(2), "twice the throughput");
        assert_eq!(again(Balancer::LeastLoad, [0; 3], [0.0, 0.0, 30_000.0]), Some(1));
        assert_eq!(again(Balancer::Weighted, [0, 4, 6], [0.0; 3]), Some(2), "6 / 200 < 4 / 100");
        assert_eq!(again(Balancer::JoinShortest, [0, 2, 6], [0.0; 3]), Some(1));
        assert_eq!(again(Balancer::HubList, [0, 9, 0], [0.0; 3]), Some(1), "the next in the list");
        let round: Vec<_> = (0..4).map(|site| after_failure(Balancer::RoundRobin, site, [0; 3], [0.0; 3])).collect();
        assert_eq!(round, [1, 2, 1, 2].map(Some));
        for balancer in [Balancer::Hash, Balancer::Random] {
            let at = again(balancer, [0; 3], [0.0; 3]);
            assert!(at.is_some_and(|at| at > 0), "{balancer:?} names one that is open: {at:?}");
        }
    }

    #[test]
    fn a_site_stays_at_home_while_that_is_open_unless_loads_are_weighed() {
        for balancer in ALL {
            let model = Model::sample(&PATIENTS, &[100, 100], balancer);
            let open = [ConcentratorId(0), ConcentratorId(1)];
            let loads: Loads<'_> = (&|at| if at.0 == 0 { 9e9 } else { 0.0 }, &|at| if at.0 == 0 { 99 } else { 0 });
            let home = (ConcentratorId(0), true);
            let at = place_again(&model, &model.pools[0], SiteId(0), home, &open, loads);
            let moves = matches!(balancer, Balancer::LeastTunnels | Balancer::LeastLoad);
            assert_eq!(at, Some(ConcentratorId(u8::from(moves))), "{balancer:?}");
        }
    }

    #[test]
    fn nobody_is_placed_where_nothing_is_open() {
        for balancer in ALL {
            let model = Model::sample(&PATIENTS, &[100], balancer);
            let loads: Loads<'_> = (&|_| 0.0, &|_| 0);
            let at = place_again(&model, &model.pools[0], SiteId(0), (ConcentratorId(0), false), &[], loads);
            assert_eq!(at, None, "{balancer:?}");
        }
    }

    #[test]
    fn a_full_concentrator_leaves_sites_to_the_next_and_then_to_nobody() {
        let mut model = Model::sample(&PATIENTS, &[100, 100], Balancer::HubList);
        model.concentrators.iter_mut().for_each(|concentrator| concentrator.tunnels = Some(2));
        let placed: Vec<_> = place(&model, Key::new(1, 0)).1.into_iter().map(|at| at.map(|at| at.0)).collect();
        assert_eq!(placed, [Some(0), Some(0), Some(1), Some(1), None, None]);
    }
}
