//! The estate: sites from a CSV file, a fitted distribution, or a list.

use std::collections::BTreeSet;

use crate::elementary::{exp, normal_quantile};
use crate::model::Site;
use crate::random::{Distribution, Key, Purpose, name_of};
use crate::scenario::checker::Checker;
use crate::scenario::field::TextLine;
use crate::scenario::file::{At, Drawn, Estate, File, Link, SiteFile};
use crate::scenario::import::estate::{PATIENTS, SiteRow, csv};
use crate::units::{BitRate, Duration, Share};

/// A scenario has at most this many sites.
pub const MAX_SITES: usize = 100_000;

/// The sites of a scenario, as far as they could be read, and who is counted there.
pub fn sites(file: &File, check: &mut Checker) -> Option<(Vec<Site>, String)> {
    let Some(estate) = &file.estate else {
        check.missing(&(0..0), "estate", "a table [estate] with `drawn`, `csv` or `site`");
        return None;
    };
    let links = links(estate, check);
    let rtt = estate.get_ref().rtt.as_ref().map_or(Some(Distribution::Fixed(0.02)), |law| check.law(law));
    let counted = check.optional(&estate.get_ref().counted);
    let (bare, usual) = bare(estate, check)?;
    let counted = counted.map_or_else(|| usual.to_owned(), |TextLine(counted)| counted);
    if bare.len() > MAX_SITES {
        let help = format!("a scenario has at most {MAX_SITES} sites");
        check.problems.add(&estate.span(), format!("{} sites are too many", bare.len()), help);
        return None;
    }
    if bare.iter().map(|site| u64::from(site.patients)).sum::<u64>() >= u64::from(u32::MAX) {
        check.problems.add(&estate.span(), "more than 4 billion people", "check the column of people");
        return None;
    }
    let needs_link = bare.iter().any(|site| site.down.is_none());
    if needs_link && estate.get_ref().link.is_empty() {
        let help = "write `[[estate.link]]` with `share`, `down` and `up`";
        check.problems.add(&estate.span(), "sites without an access link", help);
        return None;
    }
    unused(estate, &bare, check);
    Some((connect(bare, &links?, &rtt?), counted))
}

/// Notes links and round trips that no site takes: each has its own.
fn unused(estate: &At<Estate>, bare: &[SiteRow], check: &mut Checker) {
    let table = estate.get_ref();
    if let Some(link) = table.link.first().filter(|_| bare.iter().all(|site| site.down.is_some())) {
        let help = "take [[estate.link]] out, or leave `down` out of the sites that are to draw one";
        check.problems.add(&link.span(), "links that no site draws: each has its own", help);
    }
    if let Some(rtt) = table.rtt.as_ref().filter(|_| bare.iter().all(|site| site.rtt.is_some())) {
        let help = "take it out, or leave `rtt` out of the sites that are to draw one";
        check.problems.add(&rtt.span(), "round trips that no site draws: each has its own", help);
    }
}

/// The sites, and who is counted there unless it is written.
fn bare(estate: &At<Estate>, check: &mut Checker) -> Option<(Vec<SiteRow>, &'static str)> {
    let table = estate.get_ref();
    let given = [table.drawn.is_some(), table.csv.is_some(), !table.site.is_empty()];
    if given.iter().filter(|given| **given).count() != 1 {
        let help = "write exactly one of [estate.drawn], [estate.csv] and [[estate.site]]";
        check.problems.add(&estate.span(), "it is not clear where the sites come from", help);
        return None;
    }
    match (&table.drawn, &table.csv) {
        (Some(drawn), _) => Some((self::drawn(drawn, check)?, PATIENTS)),
        (_, Some(csv)) => self::csv(csv, !table.link.is_empty(), check),
        _ => Some((listed(&table.site, check), PATIENTS)),
    }
}

/// Quantiles of the lognormal at (i - 1/2) / n, scaled to the total, the remainders to the largest (Hamilton's
/// method); then shuffled, so that neighbours in the list are not of one size.
fn drawn(drawn: &At<Drawn>, check: &mut Checker) -> Option<Vec<SiteRow>> {
    let (at, table) = (drawn.span(), drawn.get_ref());
    let sites = check.positive(&table.sites, &at, "sites");
    let patients = check.positive(&table.patients, &at, "patients");
    let (mu, sigma) = (check.required(&table.mu, &at, "mu"), check.required(&table.sigma, &at, "sigma"));
    let (sites, patients, mu, sigma) = (sites?.0, patients?.0, mu?.0, sigma?.0);
    if sites > MAX_SITES as u64 || patients < sites || patients >= u64::from(u32::MAX) || sigma > 10.0 || mu > 30.0 {
        let help = format!("write 1 to {MAX_SITES} sites, at least one patient for each, mu to 30 and sigma to 10");
        check.problems.add(table.sites.span(), format!("{sites} sites with {patients} patients cannot be drawn"), help);
        return None;
    }
    #[allow(clippy::cast_precision_loss)] // at most 100,000
    let quantile = |index: u64| exp(mu + sigma * normal_quantile((index as f64 + 0.5) / sites as f64));
    let weights: Vec<f64> = (0..sites).map(quantile).collect();
    let mut counts = apportion(&weights, patients);
    let key = Key::new(0, 0).of(Purpose::World, 0);
    for last in (1..counts.len()).rev() {
        let bound = u32::try_from(last + 1).unwrap_or(u32::MAX);
        counts.swap(last, key.stream(last as u64).below(bound) as usize);
    }
    let digits = sites.to_string().len();
    let bare = counts.into_iter().zip(1..).map(|(patients, number)| SiteRow {
        name: format!("S{number:0digits$}"),
        patients,
        down: None,
        up: None,
        rtt: None,
    });
    Some(bare.collect())
}

/// Whole shares of `total` in proportion to `weights`, at least one each.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn apportion(weights: &[f64], total: u64) -> Vec<u32> {
    let sum: f64 = weights.iter().sum();
    let exact: Vec<f64> = weights.iter().map(|weight| (weight / sum * total as f64).max(1.0)).collect();
    let mut counts: Vec<u32> = exact.iter().map(|share| share.floor() as u32).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()).then(a.cmp(&b)));
    let given: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    for &index in order.iter().cycle().take(total.saturating_sub(given) as usize) {
        counts[index] += 1;
    }
    counts
}

fn listed(sites: &[At<SiteFile>], check: &mut Checker) -> Vec<SiteRow> {
    let mut bare = Vec::new();
    let mut names = BTreeSet::new();
    for site in sites {
        let (at, table) = (site.span(), site.get_ref());
        let name = check.required(&table.name, &at, "name");
        let patients = check.required(&table.patients, &at, "patients");
        let down = check.optional(&table.down);
        if down.is_some_and(|down| down.0 == 0) {
            check.problems.add(table.down.span(), "an access link of no capacity", "write a rate above zero");
        }
        let (Some(name), Some(patients)) = (name, patients) else { continue };
        if !names.insert(name.0.clone()) {
            check.problems.add(table.name.span(), format!("a second site `{}`", name.0), "give each site its own name");
        }
        let up = check.optional(&table.up);
        if up.is_some_and(|up| up.0 == 0) {
            check.problems.add(table.up.span(), "an access link of no capacity", "write a rate above zero");
        }
        if up.is_some() && !table.down.is_written() {
            let help = "write `down`, too; without `up` the link is the same both ways";
            check.problems.add(table.up.span(), "a link that has `up` without `down`", help);
        }
        let up = up.or(down);
        let rtt = check.optional(&table.rtt);
        let patients = u32::try_from(patients.0).unwrap_or(u32::MAX);
        bare.push(SiteRow { name: name.0, patients, down, up, rtt });
    }
    bare
}

fn links(estate: &At<Estate>, check: &mut Checker) -> Option<Vec<(Share, BitRate, BitRate)>> {
    let links: Vec<&At<Link>> = estate.get_ref().link.iter().collect();
    let mut read = Vec::new();
    for link in &links {
        let (at, table) = (link.span(), link.get_ref());
        let share = check.required(&table.share, &at, "share");
        let down = check.positive(&table.down, &at, "down");
        let up = check.positive(&table.up, &at, "up");
        if let (Some(share), Some(down), Some(up)) = (share, down, up) {
            read.push((share, down, up));
        }
    }
    let whole: f64 = read.iter().map(|(share, ..)| share.0).sum();
    if read.len() == links.len() && !links.is_empty() && (whole - 1.0).abs() > 1e-6 {
        let title = format!("the shares of the access links come to {}, not to 100 %", Share(whole));
        check.problems.add(
            links[0].get_ref().share.span(),
            title,
            "make the shares of [[estate.link]] add up to 100 %",
        );
        return None;
    }
    (read.len() == links.len()).then_some(read)
}

/// Gives links by their shares to sites in a random order, and round trips by the site's own draw. Both go by the site's name,
/// so that another site in the list, or another order, changes as little as it can.
fn connect(bare: Vec<SiteRow>, links: &[(Share, BitRate, BitRate)], rtt: &Distribution) -> Vec<Site> {
    let count = bare.len();
    let (order, times) = (Key::new(0, 0).of(Purpose::World, 1), Key::new(0, 0).of(Purpose::World, 2));
    let names: Vec<u64> = bare.iter().map(|site| name_of(&site.name)).collect();
    let mut lot: Vec<(f64, usize)> = (0..count).map(|site| (order.stream(names[site]).uniform(), site)).collect();
    lot.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut link_of = vec![0; count];
    for (place, (_, site)) in lot.into_iter().enumerate() {
        #[allow(clippy::cast_precision_loss)] // at most 100,000
        let quantile = (place as f64 + 0.5) / count as f64;
        let mut sum = 0.0;
        link_of[site] = links
            .iter()
            .position(|(share, ..)| {
                sum += share.0;
                quantile < sum
            })
            .unwrap_or(links.len().saturating_sub(1));
    }
    let sites = bare.into_iter().enumerate().map(|(index, site)| {
        let (down, up) = match site.down {
            Some(down) => (down, site.up.unwrap_or(down)),
            None => (links[link_of[index]].1, links[link_of[index]].2),
        };
        let rtt = site.rtt.unwrap_or_else(|| Duration::of_secs(rtt.sample(&mut times.stream(names[index]))));
        Site { name: site.name, patients: site.patients, down, up, rtt }
    });
    sites.collect()
}
