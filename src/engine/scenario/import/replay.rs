//! Replays from CSV files: a row a transaction.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Arrival, Class, ClassId, Site, SiteId};
use crate::scenario::checker::Checker;
use crate::scenario::file::File;
use crate::scenario::import::table::{CsvTable, TOO_LONG, field_span, found, too_long};
use crate::scenario::problem::did_you_mean;
use crate::units::{Bytes, Time, visible};

/// Reads the transactions of a replay, in order of time.
pub fn replay(file: &File, sites: &[Site], classes: &[Class], check: &mut Checker) -> Option<Arc<[Arrival]>> {
    let table = file.replay.as_ref()?;
    let name = check.required(&table.get_ref().file, &table.span(), "file")?.0;
    let at = table.get_ref().file.span().clone();
    let (text, source) = check.file(&at, &name)?;
    let table = CsvTable { name: &name, text: &text, source };
    let header = table.header(check)?;
    let columns = ["start_s", "site", "class", "request_bytes", "response_bytes"];
    let found: Vec<Option<usize>> = columns.iter().map(|name| header.iter().position(|other| other == name)).collect();
    for (column, found) in columns.iter().zip(&found) {
        if found.is_none() {
            let help = did_you_mean(column, header.iter().map(String::as_str));
            check.problems.add(&at, format!("`{name}` has no column `{column}`"), help);
        }
    }
    let place: Vec<usize> = found.into_iter().collect::<Option<_>>()?;
    table.distinct(&header, &place, check);
    let names = Names {
        sites: sites.iter().zip(0..).map(|(site, id)| (site.name.as_str(), SiteId(id))).collect(),
        classes: classes.iter().zip(0..).map(|(class, id)| (class.name.as_str(), ClassId(id))).collect(),
    };
    let mut arrivals = Vec::new();
    let mut faults = 0;
    for row in table.reader().records() {
        let fault = match row {
            Ok(row) => match (too_long(&row, header.len()), arrival(&row, &place, &names)) {
                (None, Ok(arrival)) => {
                    arrivals.push(arrival);
                    continue;
                }
                (Some(title), _) => (field_span(&row, header.len(), &text), title, TOO_LONG.to_owned()),
                (None, Err((column, title, help))) => (field_span(&row, place[column], &text), title, help),
            },
            Err(fault) => (0..0, format!("this CSV cannot be read: {fault}"), "correct this row".to_owned()),
        };
        faults += 1;
        if faults > 5 {
            check.problems.add_in(source, &(0..0), "and more rows have faults", "correct the others first");
            break;
        }
        check.problems.add_in(source, &fault.0, fault.1, fault.2);
    }
    if arrivals.is_empty() && faults == 0 {
        check.problems.add_in(source, &(0..0), "this replay has no transactions", "write one row for each transaction");
    }
    arrivals.sort_by_key(|arrival| arrival.at);
    Some(arrivals.into())
}

/// The sites and classes that rows may name.
struct Names<'a> {
    sites: BTreeMap<&'a str, SiteId>,
    classes: BTreeMap<&'a str, ClassId>,
}

/// A column, what is wrong there, and what would be right.
type RowFault = (usize, String, String);

fn arrival(row: &csv::StringRecord, place: &[usize], names: &Names<'_>) -> Result<Arrival, RowFault> {
    let field = |column: usize| row.get(place[column]).unwrap_or_default().trim();
    let seconds = field(0).parse::<f64>().ok().filter(|seconds| (0.0..1e7).contains(seconds));
    let seconds =
        seconds.ok_or_else(|| (0, found(row, place[0], "a time in seconds"), "write zero or more".to_owned()))?;
    let known =
        |column: usize, kind: &str, help: String| (column, format!("there is no {kind} `{}`", field(column)), help);
    let site = names.sites.get(&*visible(field(1))).copied();
    let site = site.ok_or_else(|| known(1, "site", "name a site of the estate".to_owned()))?;
    let class = names.classes.get(field(2)).copied();
    let class = class.ok_or_else(|| known(2, "class", did_you_mean(field(2), names.classes.keys().copied())))?;
    let bytes = |column: usize| {
        let wrong = || (column, found(row, place[column], "a number of bytes"), "write a whole number".to_owned());
        field(column).parse::<u64>().ok().filter(|bytes| *bytes < 1 << 50).map(Bytes).ok_or_else(wrong)
    };
    Ok(Arrival { at: Time::at_secs(seconds), site, class, request: bytes(3)?, response: Bytes(bytes(4)?.0.max(1)) })
}
