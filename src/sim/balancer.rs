//! Balancers: which concentrator ends a site's tunnel. Chosen when the tunnel is set up, and kept.

use crate::random::{Key, Purpose};
use crate::scenario::model::{Balancer, Model, Pool, PoolId, SiteId, UnitId};
use crate::units::Time;

/// The concentrator of each site at the start of a run.
#[must_use]
pub fn place(model: &Model, key: Key) -> Vec<UnitId> {
    let mut placed = vec![UnitId(0); model.sites.len()];
    for (pool, id) in model.pools.iter().zip(0_u8..) {
        let sites: Vec<SiteId> =
            (0..model.sites.len()).map(SiteId::of).filter(|site| model.pool_of[site.index()] == PoolId(id)).collect();
        for (site, unit) in sites.iter().zip(choose(model, pool, &sites, key)) {
            placed[site.index()] = unit;
        }
    }
    placed
}

fn choose(model: &Model, pool: &Pool, sites: &[SiteId], key: Key) -> Vec<UnitId> {
    let open: Vec<UnitId> =
        pool.units.iter().copied().filter(|unit| model.units[unit.index()].opens <= Time(0)).collect();
    let capacity: Vec<f64> = open.iter().map(|unit| model.units[unit.index()].throughput.bits()).collect();
    let total: f64 = capacity.iter().sum();
    let mut tally = vec![0.0; open.len()];
    let mut taken = Vec::with_capacity(sites.len());
    for (number, &site) in sites.iter().enumerate() {
        let patients = f64::from(model.sites[site.index()].patients);
        let choice = match pool.balancer {
            Balancer::HubList => 0,
            Balancer::RoundRobin => number % open.len(),
            Balancer::Random => random(key, site, open.len()),
            Balancer::Hash => usize::try_from(fnv(&model.sites[site.index()].name) >> 32).unwrap_or(0) % open.len(),
            Balancer::LeastTunnels | Balancer::JoinShortest => least(tally.iter().copied()),
            Balancer::LeastLoad => least(tally.iter().zip(&capacity).map(|(load, rate)| (load + patients) / rate)),
            // Smooth weighted round robin: each is owed its share a turn; the one owed most is taken.
            Balancer::Weighted => {
                tally.iter_mut().zip(&capacity).for_each(|(owed, rate)| *owed += rate / total);
                least(tally.iter().map(|owed| -owed))
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

fn random(key: Key, site: SiteId, of: usize) -> usize {
    let bound = u32::try_from(of).unwrap_or(u32::MAX);
    key.of(Purpose::Place, u64::from(site.0)).stream(0).below(bound) as usize
}

/// The place of the smallest; the first among equals.
fn least(values: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::INFINITY);
    for (index, value) in values.enumerate() {
        if value < best.1 {
            best = (index, value);
        }
    }
    best.0
}

/// FNV-1a, 64 bit (Fowler, Noll & Vo; RFC 9923): the same on every machine and in every version.
fn fnv(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
