//! What monitoring systems keep, how long, and how it is had from them.
//!
//! Figures are defaults as the makers publish them; whoever runs a system may have set others.

/// A system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MonitoringSystem {
    /// Its name.
    pub name: &'static str,
    /// What to export, and how.
    pub export: &'static str,
    /// How long values of five minutes or less last.
    pub fine: &'static str,
    /// What is left after that.
    pub then: &'static str,
}

const fn system(name: &'static str, export: &'static str, fine: &'static str, then: &'static str) -> MonitoringSystem {
    MonitoringSystem { name, export, fine, then }
}

/// Systems, those that forget first at the top.
pub const SYSTEMS: [MonitoringSystem; 15] = [
    system(
        "Cisco ASA, IOS; FortiGate; strongSwan",
        "the counters, twice and more: show interface, show vpn-sessiondb detail l2l, monitor/vpn/ipsec, swanctl --list-sas",
        "nothing: only what stands there now",
        "nothing",
    ),
    system("MRTG", "the .log file of the interface", "50 h", "30 min for 12 days, 2 h for 7 weeks"),
    system("PNP4Nagios", "/xport/csv?host=HOST&srv=SERVICE", "10 d", "30 min, then 6 h"),
    system(
        "LibreNMS",
        "rrdtool fetch FILE.rrd AVERAGE -r 300 -s -7d, of the port",
        "7 d",
        "30 min for 30 d, 2 h for 120 d",
    ),
    system("Cacti", "graph, CSV export", "2 d", "30 min for 2 weeks, 2 h for 2 months"),
    system("Prometheus", "query_range, rate(ifHCInOctets[5m]), step 300", "15 d", "nothing"),
    system(
        "Zabbix",
        "history.get of the item; else trend.get",
        "as set for the item (31 or 90 d)",
        "an hour: mean, least, most",
    ),
    system("SolarWinds NPM", "InterfaceTraffic_Detail: DateTime, averages, bytes", "7 to 30 d", "an hour, then a day"),
    system(
        "Cisco Meraki",
        "/networks/ID/appliance/uplinks/usageHistory?resolution=300, and devices/SERIAL/lossAndLatencyHistory",
        "30 d",
        "nothing; a client's history for 186 d",
    ),
    system("Amazon CloudWatch", "TunnelDataIn and TunnelDataOut, Sum, period 300", "63 d", "an hour for 15 months"),
    system("Azure Monitor", "metrics of the gateway, PT5M", "93 d", "nothing"),
    system("PRTG", "historic data of the sensor, CSV, 5 min", "as set, often 365 d", "nothing"),
    system("Grafana", "inspect, data, 'Series joined by time', CSV", "as its source keeps it", ""),
    system("InfluxDB", "query, annotated CSV", "as its bucket keeps it", ""),
    system("nfdump, Zeek", "nfdump -o csv; conn.log", "as the disk allows", ""),
];

/// A kind of data, and what it settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DataItem {
    /// What to ask for.
    pub what: &'static str,
    /// From whom.
    pub who: &'static str,
    /// What headend makes of it.
    pub then: &'static str,
}

/// The kinds of data, in the order of [`settled_by`].
pub const ITEMS: [DataItem; 8] = [
    DataItem {
        what: "counters of the concentrator's outside interface, both ways, 5 min or finer, four Mondays or more",
        who: "whoever runs monitoring",
        then: "headend import, then headend fit",
    },
    DataItem {
        what: "flow records of one week at the headend, or Meraki's traffic table",
        who: "whoever runs the network",
        then: "headend import, a class to each flow, then headend fit",
    },
    DataItem {
        what: "bytes by tunnel or site, both ways, for a week",
        who: "whoever runs monitoring",
        then: "a list of sites by size in place of [estate.drawn]",
    },
    DataItem {
        what: "latency and loss of the sites' lines, by minute, through a morning",
        who: "whoever runs monitoring",
        then: "[estate.rtt]; what rises above the floor is queueing",
    },
    DataItem {
        what: "lines of the sites: what was ordered, and what they sync at",
        who: "the supplier of lines",
        then: "[[estate.link]], or a list of sites",
    },
    DataItem {
        what: "model, licence and settings of the concentrators; packets a second beside bytes",
        who: "whoever runs the devices",
        then: "[[concentrator]]; `headend profiles` has data sheets",
    },
    DataItem {
        what: "the audit log of the clinical system for a morning: times of actions by user",
        who: "its supplier, or the practice",
        then: "[class.users]: think, turns; patience",
    },
    DataItem {
        what: "reports of software distribution: how many, how large, when, how many obey",
        who: "whoever manages workstations",
        then: "[class.jobs], and compliance of options",
    },
];

/// The item that settles the number at a path; none where counting settles nothing, as with costs.
#[must_use]
pub fn settled_by(path: &str) -> Option<usize> {
    let has = |part: &str| path.split('.').any(|own| own == part);
    let begins = |part: &str| path.starts_with(part);
    if has("cost") {
        return None;
    }
    let item = if has("compliance") {
        7
    } else if begins("estate.rtt") {
        3
    } else if begins("estate.link") {
        4
    } else if begins("estate") {
        2
    } else if begins("concentrator") || begins("tunnels") || begins("option") {
        5
    } else if has("think") || has("patience") || has("turns") || has("retries") || has("fallback") || has("server") {
        6
    } else if has("response") || has("request") || has("length") {
        1
    } else if begins("class") || begins("profile") || begins("calendar") || begins("change") {
        0
    } else {
        return None;
    };
    Some(item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_settled_by_what_counts_it() {
        let of = |path: &str| settled_by(path).map(|item| ITEMS[item].what.split(' ').next().unwrap());
        assert_eq!(of("class.logon.jobs.per_1000"), Some("counters"));
        assert_eq!(of("class.web.response.lognormal.mean"), Some("flow"));
        assert_eq!(of("estate.rtt.lognormal.median"), Some("latency"));
        assert_eq!(of("concentrator.hub.throughput"), Some("model,"));
        assert_eq!(of("option.curfew.change.1.curfew.compliance"), Some("reports"));
        assert_eq!(of("option.second.cost"), None);
    }
}
