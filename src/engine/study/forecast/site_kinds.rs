//! Kinds of sites: those that are alike, and how many of each every concentrator serves.

use crate::elementary::ln;
use crate::model::{Balancer, Class, ConcentratorId, Demand, Model, Site};
use crate::units::float;

/// Sites that are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteKind {
    /// One of them, whose access link stands for all.
    pub like: usize,
    /// Three round trips, each of a third of them [s].
    pub trips: [f64; 3],
    /// How many there are.
    pub count: f64,
    /// How unlike in patients they are: the mean square over the square of the mean.
    pub uneven: f64,
}

/// An estate: what kinds of sites there are, and what each site brings.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteKinds {
    /// All kinds.
    pub kinds: Vec<SiteKind>,
    /// The kind of each site.
    pub kind_of: Vec<usize>,
    /// By class: what each site brings of it, as a share of all.
    pub weights: Vec<Vec<f64>>,
}

impl SiteKinds {
    /// That of a model: its sites by access link, and by size, of so many kinds at most; those that differ less are put together.
    #[must_use]
    pub fn of(model: &Model, most: usize) -> Self {
        let sites = &model.sites;
        let weights = model.classes.iter().map(|class| weights(class, sites)).collect();
        let mut found = Self { kinds: Vec::new(), kind_of: vec![0; sites.len()], weights };
        for members in alike(sites, most) {
            found.add(&members, sites);
        }
        found
    }

    fn add(&mut self, members: &[usize], sites: &[Site]) {
        let kind = self.kinds.len();
        for site in members {
            self.kind_of[*site] = kind;
        }
        let mut trips: Vec<f64> = members.iter().map(|site| sites[*site].rtt.secs()).collect();
        trips.sort_by(f64::total_cmp);
        let of_third = |third: usize| {
            let range = third * trips.len() / 3..((third + 1) * trips.len()).div_ceil(3);
            crate::stats::mean(&trips[range])
        };
        #[allow(clippy::cast_precision_loss)] // sites
        let count = members.len() as f64;
        let mut by_link = members.to_vec();
        by_link.sort_by_key(|site| (sites[*site].down, sites[*site].up));
        let like = by_link[by_link.len() / 2];
        let patients =
            |power: i32| members.iter().map(|site| f64::from(sites[*site].patients).powi(power)).sum::<f64>();
        let uneven = (patients(2) * count / (patients(1) * patients(1)).max(1e-9)).max(1.0);
        self.kinds.push(SiteKind { like, trips: [0, 1, 2].map(of_third), count, uneven });
    }
}

/// Sites that are alike in access link and size: those that differ most are told apart first, where it tells most (Ward 1963, from
/// the top).
fn alike(sites: &[Site], most: usize) -> Vec<Vec<usize>> {
    let features: [&dyn Fn(usize) -> f64; 3] =
        [&|site| ln(sites[site].down.bits()), &|site| ln(sites[site].up.bits()) / 2.0, &|site| {
            ln(f64::from(sites[site].patients.max(1)))
        }];
    let mut kinds = vec![(0..sites.len()).collect::<Vec<usize>>()];
    while kinds.len() < most {
        let gain = |kind: &[usize]| {
            let splits = features.iter().map(|feature| best_split(kind, feature));
            splits.max_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or_default()
        };
        let splits = kinds.iter().map(|kind| gain(kind)).enumerate();
        let Some((place, (gain, [low, high]))) = splits.max_by(|a, b| a.1.0.total_cmp(&b.1.0)) else { break };
        if gain < 1e-6 {
            break;
        }
        kinds[place] = low;
        kinds.push(high);
    }
    kinds
}

/// The two parts of some sites that a feature tells apart best, and how much smaller the sum of squares within them is.
fn best_split(kind: &[usize], feature: &dyn Fn(usize) -> f64) -> (f64, [Vec<usize>; 2]) {
    let mut sorted = kind.to_vec();
    sorted.sort_by(|a, b| feature(*a).total_cmp(&feature(*b)).then(a.cmp(b)));
    let values: Vec<f64> = sorted.iter().map(|site| feature(*site)).collect();
    let all: f64 = values.iter().sum();
    let (mut below, mut best) = (0.0, (0.0, 0));
    for (place, value) in values.iter().enumerate().take(values.len().saturating_sub(1)) {
        below += value;
        let (low, high) = (float(place as u64 + 1), float((values.len() - place - 1) as u64));
        let between = (below / low - (all - below) / high).powi(2) * low * high / (low + high);
        if between > best.0 && values[place + 1] > *value {
            best = (between, place + 1);
        }
    }
    let high = sorted.split_off(best.1);
    (best.0, [sorted, high])
}

/// Which sites are where: how many of each kind, and what they bring.
#[derive(Clone, Debug, PartialEq)]
pub struct Placement {
    /// By concentrator and kind: sites.
    pub sites: Vec<Vec<f64>>,
    /// By class, concentrator and kind: share of the demand of the class.
    pub shares: Vec<Vec<Vec<f64>>>,
}

impl Placement {
    /// With each site at a concentrator, or at none. Where each transaction goes to the least crowded one, all of a pool serve all
    /// of its sites, each by its capacity.
    #[must_use]
    pub fn of(model: &Model, estate: &SiteKinds, ends: &[Option<ConcentratorId>]) -> Self {
        let none = || vec![vec![0.0; estate.kinds.len()]; model.concentrators.len()];
        let mut placement = Self { sites: none(), shares: vec![none(); model.classes.len()] };
        for (site, end) in ends.iter().enumerate() {
            let (Some(end), kind) = (end, estate.kind_of[site]) else { continue };
            for (concentrator, part) in served_by(model, site, *end) {
                placement.sites[concentrator.index()][kind] += 1.0;
                for (shares, weights) in placement.shares.iter_mut().zip(&estate.weights) {
                    shares[concentrator.index()][kind] += weights[site] * part;
                }
            }
        }
        placement
    }
}

/// The concentrators that serve a site whose tunnel ends at one, with the share of each.
fn served_by(model: &Model, site: usize, at: ConcentratorId) -> Vec<(ConcentratorId, f64)> {
    let pool = &model.pools[model.pool_of[site].index()];
    if pool.balancer != Balancer::JoinShortest {
        return vec![(at, 1.0)];
    }
    let rate = |id: ConcentratorId| model.concentrators[id.index()].carries().0.bits();
    let all: f64 = pool.concentrators.iter().map(|id| rate(*id)).sum();
    pool.concentrators.iter().map(|id| (*id, rate(*id) / all)).collect()
}

/// What each site brings of a class, as a share of all.
fn weights(class: &Class, sites: &[Site]) -> Vec<f64> {
    let counted: Vec<f64> = match &class.demand {
        Demand::Users { workstations: counts, .. }
        | Demand::Jobs { workstations: counts, .. }
        | Demand::Staff { people: counts, .. } => counts.iter().map(|count| f64::from(*count)).collect(),
        Demand::Steady { .. } => vec![1.0; sites.len()],
        Demand::Replayed | Demand::Open(_) | Demand::Streams { .. } => {
            sites.iter().map(|site| f64::from(site.patients)).collect()
        }
    };
    let all: f64 = counted.iter().sum();
    counted.into_iter().map(|count| count / all.max(1e-9)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::BitRate;

    fn kinds(links: &[u64], patients: &[u32]) -> SiteKinds {
        let mut model = Model::sample(patients, &[100], Balancer::HubList);
        let sites = model.sites.iter().zip(links.iter().cycle());
        let site = |(site, rate): (&Site, &u64)| Site { down: BitRate(*rate), ..site.clone() };
        model.sites = sites.map(site).collect();
        SiteKinds::of(&model, 8)
    }

    #[test]
    fn sites_that_are_alike_are_one_kind() {
        assert_eq!(kinds(&[80], &[5_000; 30]).kinds.len(), 1);
    }

    #[test]
    fn links_that_differ_make_kinds_of_their_own() {
        let found = kinds(&[80, 40], &[5_000; 30]);
        assert_eq!(found.kinds.len(), 2);
        assert!(found.kinds.iter().all(|kind| (kind.count - 15.0).abs() < 1e-9));
        assert_ne!(found.kind_of[0], found.kind_of[1]);
    }

    /// However many there are: a few kinds, which hold all sites, and all that these bring.
    #[test]
    fn no_site_is_lost() {
        let patients: Vec<u32> = (1..200).map(|place| place * 97).collect();
        let found = kinds(&[10, 20, 40, 80, 100, 300, 1000], &patients);
        assert!(found.kinds.len() <= 8);
        assert!((found.kinds.iter().map(|kind| kind.count).sum::<f64>() - 199.0).abs() < 1e-9);
        let whole = found.weights[0].iter().sum::<f64>();
        assert!((whole - 1.0).abs() < 1e-9, "{whole}");
    }
}
