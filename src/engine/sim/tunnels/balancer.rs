//! Balancers: which concentrator ends a site's tunnel. Chosen when the tunnel is set up, and kept.

use crate::model::{Balancer, ConcentratorId, Model, Pool, PoolId, SiteId};
use crate::random::{Key, Purpose, name_of, place_of};
use crate::units::Time;

/// Where each site's tunnel belongs, and where it ends at the start of a run: nowhere, if the concentrators are full.
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
            // Smooth weighted round robin: each is owed its share a turn; the one owed most is taken.
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

/// Where a site that has lost its tunnel asks for another, among those that are `open`; none if none is.
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
        // Those that weigh loads do so anew.
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

/// The place of the smallest; the first among equals.
fn index_of_least(values: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::INFINITY);
    for (index, value) in values.enumerate() {
        if value < best.1 {
            best = (index, value);
        }
    }
    best.0
}
