//! Sites of an estate, as far as a series tells: their names, how much each carries, and what its line carries at least.

use std::collections::BTreeMap;

use crate::telemetry::series::{SeriesRow, Toward};

/// A site.
#[derive(Clone, Debug, PartialEq)]
pub struct FoundSite {
    /// Its name in the series.
    pub name: String,
    /// Its share of what all carry.
    pub share: f64,
    /// The highest rates to it and from it [bit/s].
    pub busiest: [f64; 2],
}

/// Lines that are sold [Mbit/s], down and up: the first that carries a site's busiest interval is taken for its line.
const LINES: [(u32, u32); 6] = [(40, 10), (80, 20), (100, 100), (330, 50), (1000, 115), (10_000, 10_000)];
/// People of all sites together stand for so many at each, on average.
const MEAN_STAFF: f64 = 12.0;

/// The places of a series that carry anything, by name.
#[must_use]
pub fn sites(rows: &[SeriesRow]) -> Vec<FoundSite> {
    let mut places: BTreeMap<&str, (f64, [f64; 2])> = BTreeMap::new();
    for row in rows.iter().filter(|row| &*row.class == "all") {
        let Some(rate) = row.rate() else { continue };
        let (bytes, busiest) = places.entry(&row.place).or_default();
        *bytes += row.amount.bytes.unwrap_or(0.0);
        let way = usize::from(row.toward == Toward::Up);
        busiest[way] = busiest[way].max(rate).max(row.amount.highest.unwrap_or(0.0));
    }
    let whole: f64 = places.values().map(|(bytes, _)| bytes).sum();
    let carries = places.into_iter().filter(|(_, (bytes, _))| *bytes > 0.0);
    carries.map(|(name, (bytes, busiest))| FoundSite { name: name.to_owned(), share: bytes / whole, busiest }).collect()
}

/// The sites as a list that a scenario reads: `branch,staff,down_mbps,up_mbps`.
#[must_use]
pub fn site_list(sites: &[FoundSite]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record(["branch", "staff", "down_mbps", "up_mbps"]);
    #[allow(clippy::cast_precision_loss)] // sites of a country
    let staff = MEAN_STAFF * sites.len() as f64;
    for site in sites {
        let fits = |(down, up): &&(u32, u32)| {
            f64::from(*down) * 1e6 >= site.busiest[0] && f64::from(*up) * 1e6 >= site.busiest[1]
        };
        let (down, up) = LINES.iter().find(fits).unwrap_or(&LINES[LINES.len() - 1]);
        let people = (site.share * staff).round().max(1.0);
        let _ = writer.write_record([site.name.clone(), people.to_string(), down.to_string(), up.to_string()]);
    }
    String::from_utf8(writer.into_inner().unwrap_or_default()).unwrap_or_default()
}
