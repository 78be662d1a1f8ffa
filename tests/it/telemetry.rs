//! What monitoring exports: every file is known by its content, and says what a person reads in it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use headend::random::{Key, Stream};
use headend::telemetry::clock::Clock;
use headend::telemetry::import::{ImportTerms, taken_for};
use headend::telemetry::recognise::{ExportKind, kind};

const FILES: &str = "../shared/telemetry";

fn skip() -> bool {
    let absent = !Path::new(FILES).exists();
    if absent {
        eprintln!("SKIPPED: {FILES} is absent; this test needs exports of monitoring systems");
    }
    absent
}

/// The rows of a series, by the names of its columns.
type Rows = Vec<BTreeMap<String, String>>;

fn import(files: &[PathBuf], more: &[&str]) -> (Output, Rows) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("series.csv");
    let done = Command::new(env!("CARGO_BIN_EXE_headend"))
        .arg("import")
        .args(files)
        .args(more)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    let rows = csv::Reader::from_path(&out)
        .map_or(Vec::new(), |mut reader| reader.deserialize().map(Result::unwrap).collect());
    (done, rows)
}

fn said(done: &Output) -> String {
    String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr)
}

/// The rows of a file of others, which is read without a flag.
fn rows(names: &[&str]) -> Rows {
    let files: Vec<PathBuf> = names.iter().map(|name| Path::new(FILES).join(name)).collect();
    let (done, rows) = import(&files, &[]);
    assert!(done.status.success(), "{names:?}: {}", said(&done));
    rows
}

/// The rows whose cells are these, written `column=value`.
fn of<'a>(rows: &'a Rows, cells: &[&str]) -> Vec<&'a BTreeMap<String, String>> {
    let fits = |row: &&BTreeMap<String, String>| {
        cells.iter().all(|cell| cell.split_once('=').is_some_and(|(column, value)| row[column] == value))
    };
    rows.iter().filter(fits).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{row:?} has no {column}"))
}

/// Values that a person reads in the files, by hand: where, when, which way, and bytes.
#[test]
fn every_export_says_what_a_person_reads_in_it() {
    if skip() {
        return;
    }
    // File; a row of it by some of its cells; its bytes, packets or count.
    let cases: &[(&str, &[&str], &str, f64)] = &[
        // 1.6626959816e7 bit/s over the five minutes that end at 1774756500.
        (
            "rrdtool_xport.json",
            &["begins=2026-03-29T04:50:00+01:00", "direction=up"],
            "bytes",
            16_626_959.816 / 8.0 * 300.0,
        ),
        ("rrdtool_xport_gap.json", &["begins=2026-03-29T13:35:00+01:00"], "bytes", 12_019_098.405 * 300.0),
        // 2.2777635849e6 octets a second over the five minutes that end at 1774758000.
        ("rrdtool_fetch.txt", &["begins=2026-03-29T05:15:00+01:00", "direction=up"], "bytes", 2_277_763.584_9 * 300.0),
        ("rrdtool_fetch.txt", &["begins=2026-03-29T05:15:00+01:00", "direction=down"], "bytes", 455_552.716_96 * 300.0),
        // Half past midnight in London is followed by two o'clock that night.
        (
            "constructed_cacti_graph_xport.csv",
            &["begins=2026-03-29T00:55:00+00:00", "direction=up"],
            "bytes",
            13_345_678.0 / 8.0 * 300.0,
        ),
        (
            "constructed_grafana_joined.csv",
            &["where=tun0", "direction=up", "begins=2026-04-20T08:05:00+01:00"],
            "bytes",
            1.02e9 / 8.0 * 300.0,
        ),
        (
            "constructed_grafana_joined.csv",
            &["where=tun1", "begins=2026-04-20T08:00:00+01:00"],
            "bytes",
            950e3 / 8.0 * 300.0,
        ),
        // Raw bytes; the third is measured for 67 %, and scaled.
        (
            "constructed_prtg_historicdata_de.csv",
            &["begins=2026-04-20T08:00:00+01:00", "direction=up"],
            "bytes",
            46_296_150.0,
        ),
        ("constructed_prtg_historicdata_de.csv", &["state=partial", "direction=up"], "bytes", 762_961_500.0 / 0.67),
        ("prtg_traffic_grapher.csv", &["begins=2003-12-31T12:57:59+00:00", "direction=up"], "bytes", 32_843.0),
        (
            "prometheus_query_range_rate.json",
            &["where=GP tunnel 0", "begins=2026-07-17T06:55:00+01:00"],
            "bytes",
            3_193_506.266_666_666_6 / 8.0 * 300.0,
        ),
        (
            "azure_monitor_metrics_response.json",
            &["begins=2022-02-22T22:02:00+00:00", "where=resource1 metric1"],
            "count",
            2.5,
        ),
        ("librenms_port.json", &["direction=up"], "bytes", 116_994.0),
        ("librenms_port.json", &["direction=up"], "seconds", 302.0),
        ("meraki_openapi_examples.json", &["begins=2021-07-22T03:00:00+01:00", "direction=up"], "bytes", 9_528_787.0),
        ("meraki_openapi_examples.json", &["class=Gmail", "direction=down"], "bytes", 61e3),
        (
            "meraki_openapi_examples.json",
            &["where=Main Office to San Francisco Office", "direction=up"],
            "bytes",
            2_345_678e3,
        ),
        // All flows of the file: 13 flows, 2,645,000 bytes, 195 packets, by the summary of nfdump itself.
        ("nfdump_1.7.1.csv", &["class=tcp/18080", "direction=down"], "bytes", 2_631_294.0),
        ("nfdump_1.7.1.csv", &["class=udp/15000"], "packets", 50.0),
        // 2479 kB and five times 30 kB.
        ("tshark_conv.txt", &["direction=down"], "bytes", 2_629e3),
        ("asa_show_vpn-sessiondb_detail_l2l.txt", &["where=172.16.0.1", "direction=up"], "bytes", 875_049_248.0),
        ("asa_show_vpn-sessiondb_detail_l2l.txt", &["where=172.16.0.1", "direction=up"], "seconds", 22_586.0),
        ("swanctl_list-sas_before.txt", &["where=site-01 lan", "direction=up"], "bytes", 8_560.0),
        ("bank_calls_5min_2003.csv", &["begins=2003-03-03T07:05:00+00:00"], "count", 113.0),
        (
            "cesnet_ip103_hourly_2023-10_2024-07.csv",
            &["begins=2023-10-09T01:00:00+01:00", "packets=393434"],
            "bytes",
            206_437_830.0,
        ),
    ];
    let mut known: BTreeMap<&str, Rows> = BTreeMap::new();
    for (file, cells, column, wanted) in cases {
        let rows = known.entry(file).or_insert_with(|| rows(&[file]));
        let found = of(rows, cells);
        assert!(!found.is_empty(), "{file}: no row of {cells:?}");
        let value = number(found[0], column);
        assert!((value - wanted).abs() <= 1e-6 * wanted + 1e-3, "{file} {cells:?}: {column} {value}, by hand {wanted}");
    }
}

/// Fault: a file of a known kind is not known, or is taken for another one.
#[test]
fn every_export_is_known_without_a_flag() {
    if skip() {
        return;
    }
    let kinds = [
        ("asa_show_interface.txt", "Cisco, show interface"),
        ("fortigate_vpn_ipsec.json", "FortiGate, monitor/vpn/ipsec"),
        ("ios_show_crypto_ipsec_sa_detail.txt", "Cisco IOS, show crypto ipsec sa"),
        ("ios_show_interfaces.txt", "Cisco, show interface"),
        ("zeek_conn.json.log", "Zeek, conn.log: "),
        ("zeek_conn.tsv.log", "Zeek, conn.log: "),
    ];
    for (file, kind) in kinds {
        let (done, _) = import(&[Path::new(FILES).join(file)], &[]);
        assert!(done.status.success() && said(&done).contains(kind), "{file}: {}", said(&done));
    }
    let (done, _) = import(&[Path::new(FILES).join("prometheus_error.json")], &[]);
    assert_eq!(done.status.code(), Some(2));
    assert!(said(&done).contains("Prometheus answered with an error: 1:6: parse error"), "{}", said(&done));
}

/// Fault: a reset shows as a burst, a renewed key loses the bytes before it, or gaps are nought.
#[test]
fn what_is_wrong_with_a_series_is_marked() {
    if skip() {
        return;
    }
    let reset = rows(&["rrdtool_fetch_counter_reset.txt"]);
    for way in ["direction=down", "direction=up"] {
        let own = of(&reset, &[way]);
        let value = |place: usize| own[place]["bytes"].parse::<f64>().unwrap_or(0.0);
        let beyond = (1..own.len() - 1).find(|place| value(*place) > 3.0 * value(place - 1).max(value(place + 1)));
        assert_eq!(beyond, None, "{way}: {own:?}");
        assert_eq!(of(&reset, &[way, "state=spike", "bytes="]).len(), 1, "{way}");
    }
    let rekeyed = rows(&["swanctl_list-sas_before.txt", "swanctl_list-sas_after_rekey.txt"]);
    for way in ["direction=down", "direction=up"] {
        let lower = of(&rekeyed, &["where=site-00 lan", way, "state=reset"]);
        assert!(lower.len() == 1 && number(lower[0], "bytes") >= 73_680.0, "{rekeyed:?}");
        let exact = of(&rekeyed, &["where=site-01 lan", way, "bytes=196480", "state=ok"]);
        assert!(exact.len() == 1 && (number(exact[0], "seconds") - 32.0).abs() <= 1.0, "{rekeyed:?}");
    }
    let gap = rows(&["rrdtool_xport_gap.json"]);
    assert_eq!(of(&gap, &["state=gap", "bytes="]).len(), 6);
    let missing = rows(&["prometheus_query_range_rate.json"]);
    assert_eq!(of(&missing, &["where=GP tunnel 0", "state=gap", "seconds=600"]).len(), 1);
    let clouds = rows(&["azure_monitor_metrics_response.json"]);
    assert!(!of(&clouds, &["state=gap", "begins=2022-02-22T22:03:00+00:00", "seconds=3300"]).is_empty());
}

/// Both layouts of nfdump give the same series.
#[test]
fn both_layouts_of_nfdump_give_the_same_series() {
    if skip() {
        return;
    }
    let bare = |name: &str| {
        let mut rows = rows(&[name]);
        for row in &mut rows {
            row.remove("origin");
        }
        rows
    };
    assert_eq!(bare("nfdump_1.7.1.csv"), bare("nfdump_1.7.8.csv"));
}

/// Fault: an export that can be read in two ways is read in one of them without a word; or a wrong one leaves half a series.
#[test]
fn two_readings_are_an_error_that_shows_both() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, text: &str, more: &[&str], parts: &[&str]| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let (done, rows) = import(&[path], more);
        assert_eq!((done.status.code(), rows.len()), (Some(2), 0), "{}", said(&done));
        for part in parts {
            assert!(said(&done).contains(part), "`{part}` is not in {}", said(&done));
        }
    };
    let days = "time,tun0 in (bit/s)\n03/04/2026 08:00,12\n03/04/2026 08:05,13\n";
    refused("days.csv", days, &[], &["`03/04/2026 08:00` is 3 April 2026 or 4 March 2026", "days.csv:2"]);
    let numbers = "time,tun0 in (bit/s)\n2026-04-20 08:00,\"1,234\"\n2026-04-20 08:05,\"2,345\"\n";
    refused("numbers.csv", numbers, &[], &["`1,234` is 1234 or 1.234", "export numbers without grouping"]);
    let spring = "time,tun0 in (bit/s)\n2026-03-29 00:55,1\n2026-03-29 01:30,2\n";
    refused("spring.csv", spring, &[], &["01:30 does not exist in Europe/London", "`--zone UTC`", "spring.csv:3"]);
    refused("letter.txt", "Dear all,\nplease find attached\n", &[], &["no column of this table holds times"]);
    refused("nothing.txt", "\n", &[], &["no export of a kind that is known"]);
    refused("zone.csv", days, &["--zone", "Kent"], &["`Kent` is no zone"]);
    let good = folder.path().join("good.csv");
    std::fs::write(&good, spring).unwrap();
    let (done, rows) = import(&[good], &["--zone", "UTC"]);
    assert!(done.status.success() && rows.len() == 2, "{}: {rows:?}", said(&done));
    // What is no series is not written over.
    let mine = folder.path().join("mine.csv");
    std::fs::write(&mine, "my own notes\n").unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_headend"))
        .arg("import")
        .arg(folder.path().join("good.csv"))
        .args(["--zone", "UTC", "--out"])
        .arg(&mine)
        .output()
        .unwrap();
    assert!(done.status.code() == Some(2) && said(&done).contains("is no series"), "{}", said(&done));
    assert_eq!(std::fs::read_to_string(mine).unwrap(), "my own notes\n");
}

/// A file of this text, imported.
fn of_text(name: &str, text: &str, more: &[&str]) -> (Output, Rows) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    import(&[path], more)
}

/// Cacti's means and maxima of one graph.
const CACTI: &str = "\"Title\",\"hub tun0\"\n\"Vertical Label\",\"bits per second\"\n\"Start Date\",\"x\"\n\"End Date\",\"x\"\n\"Step\",\"300\"\n\"\"\n\
         \"Date\",\"Inbound Average\",\"Outbound Average\",\"Inbound Maximum\",\"Outbound Maximum\"\n\
         \"2026-03-30 08:05:00\",\"800\",\"80\",\"1600\",\"160\"\n\"2026-03-30 08:10:00\",\"1600\",\"80\",\"3200\",\"160\"\n";

/// Layouts as their makers document them, of which no file may be passed on: (name, text, place, direction, begins, column, value).
const DOCUMENTED: [(&str, &str, &str, &str, &str, &str, f64); 25] = [
    (
        "hub.log",
        "1775462700 1000 2000\n1775462700 1000 3000 1500 4000\n1775462400 2000 6000 2500 8000\n1775462100 1000 3000 1000 3000\n",
        "hub",
        "down",
        "2026-04-06T09:00:00+01:00",
        "bytes",
        900_000.0,
    ),
    (
        "hub.log",
        "1775462700 1000 2000\n1775462700 1000 3000 1500 4000\n1775462400 2000 6000 2500 8000\n1775462100 1000 3000 1000 3000\n",
        "hub",
        "down",
        "2026-04-06T09:00:00+01:00",
        "bytes_max_bit_s",
        32_000.0,
    ),
    (
        "history.json",
        r#"{"jsonrpc":"2.0","result":[{"itemid":"7","clock":"1775462400","value":"8000","ns":"0"},
            {"itemid":"7","clock":"1775462700","value":"16000","ns":"0"}],"id":1}"#,
        "item 7",
        "both",
        "2026-04-06T09:00:00+01:00",
        "bytes",
        600_000.0,
    ),
    (
        "trend.json",
        r#"[{"itemid":"7","clock":"1775458800","num":"12","value_min":"1","value_avg":"8000","value_max":"16000"},
            {"itemid":"7","clock":"1775462400","num":"12","value_min":"1","value_avg":"9000","value_max":"9000"}]"#,
        "item 7",
        "both",
        "2026-04-06T08:00:00+01:00",
        "bytes",
        3_600_000.0,
    ),
    (
        "traffic.csv",
        "DateTime,Caption,In_Averagebps,Out_Averagebps\n2026-03-30 08:00,Gi0/1,8000,16000\n2026-03-30 08:05,Gi0/1,8000,32000\n",
        "Gi0/1",
        "down",
        "2026-03-30T08:05:00+01:00",
        "bytes",
        1_200_000.0,
    ),
    (
        "data.json",
        r#"{"MetricDataResults":[{"Id":"m1","Label":"TunnelDataOut","Timestamps":["2026-03-30T07:05:00Z",
            "2026-03-30T07:00:00Z"],"Values":[600.0,300.0],"StatusCode":"Complete"}]}"#,
        "data",
        "down",
        "2026-03-30T08:05:00+01:00",
        "bytes",
        600.0,
    ),
    (
        "perf.csv",
        "\"(PDH-CSV 4.0) (GMT Standard Time)(0)\",\"\\\\HUB\\RAS Total\\Bytes Received/Sec\"\n\"03/30/2026 08:00:00.000\",\"1000\"\n\
         \"03/30/2026 08:05:00.000\",\"2000\"\n\"03/30/2026 08:10:00.000\",\"4000\"\n",
        "HUB\\RAS Total",
        "up",
        "2026-03-30T08:05:00+01:00",
        "bytes",
        600_000.0,
    ),
    (
        "joined.csv",
        "\"Time\",\"hub in\",\"hub out\"\n2026-03-30 08:00:00,8 kb/s,16 kb/s\n2026-03-30 08:05:00,8 kb/s,1.6 Mb/s\n",
        "hub",
        "down",
        "2026-03-30T08:05:00+01:00",
        "bytes",
        60_000_000.0,
    ),
    (
        "semicolons.csv",
        "Zeit;hub Eingang [kbit/s];hub Ausgang [kbit/s]\n30.03.2026 08:00;1,5;2,5\n30.03.2026 08:05;1,5;3,25\n",
        "hub",
        "down",
        "2026-03-30T08:05:00+01:00",
        "bytes",
        121_875.0,
    ),
    (
        "usage.json",
        r#"[{"startTime":"2026-03-30T07:00:00Z","endTime":"2026-03-30T07:05:00Z",
            "byInterface":[{"interface":"wan1","sent":300,"received":100},{"interface":"wan2","sent":5,"received":7}]}]"#,
        "wan1",
        "down",
        "2026-03-30T08:00:00+01:00",
        "bytes",
        300.0,
    ),
    // A metric that is split by tunnel, its name in one word.
    (
        "azure.json",
        r#"{"value":[{"id":"/subscriptions/x/virtualNetworkGateways/gw/providers/Microsoft.Insights/metrics/TunnelIngressBytes",
            "name":{"value":"TunnelIngressBytes"},"unit":"Bytes","timeseries":[
            {"metadatavalues":[{"name":{"value":"connectionname"},"value":"site-01"}],"data":[
             {"timeStamp":"2026-03-30T07:00:00Z","total":1000.0},{"timeStamp":"2026-03-30T07:05:00Z","total":2000.0}]},
            {"metadatavalues":[{"name":{"value":"connectionname"},"value":"site-02"}],"data":[
             {"timeStamp":"2026-03-30T07:00:00Z","total":10.0},{"timeStamp":"2026-03-30T07:05:00Z","total":20.0}]}]}]}"#,
        "gw site-01",
        "up",
        "2026-03-30T08:05:00+01:00",
        "bytes",
        2000.0,
    ),
    // Errors are no traffic, and Dutch for out is "uit".
    (
        "prtg.csv",
        "\"Datum tijd\",\"Datum tijd(RAW)\",\"Verkeer in (volume)\",\"Verkeer in (volume)(RAW)\",\"Verkeer uit (volume)\",\"Verkeer uit \
         (volume)(RAW)\",\"Fouten in (volume)\",\"Fouten in (volume)(RAW)\"\n\"30-3-2026 08:00:00 - 08:05:00\",46111.2916666667,\"45.211 \
         KByte\",46296150.0000,\"18.084 KByte\",18517560.0000,\"3 KByte\",3.0000\n\"30-3-2026 08:05:00 - 08:10:00\",46111.2951388889,\"45.211 \
         KByte\",46296151.0000,\"18.084 KByte\",18517561.0000,\"3 KByte\",3.0000\n",
        "prtg",
        "up",
        "2026-03-30T08:05:00+01:00",
        "bytes",
        46_296_151.0,
    ),
    // What PRTG shows where the raw columns were left out.
    (
        "shown.csv",
        "\"Date Time\",\"Traffic Total (Volume)\",\"Traffic In (Volume)\",\"Traffic Out (Volume)\",\"Coverage\"\n\
         \"3/30/2026 1:00:00 PM - 1:05:00 PM\",\"63,295 KByte\",\"45,211 KByte\",\"18,084 KByte\",\"100 %\"\n\
         \"3/30/2026 1:05:00 PM - 1:10:00 PM\",\"63,295 KByte\",\"45,211 KByte\",\"18,084 KByte\",\"100 %\"\n\
         \"Sums (of 2 values)\",\"126,590 KByte\",\"90,422 KByte\",\"36,168 KByte\",\"\"\n",
        "shown",
        "down",
        "2026-03-30T13:05:00+01:00",
        "bytes",
        18_084.0 * 1024.0,
    ),
    ("cacti.csv", CACTI, "hub tun0", "up", "2026-03-30T08:05:00+01:00", "bytes_max_bit_s", 3200.0),
    ("cacti.csv", CACTI, "hub tun0", "up", "2026-03-30T08:05:00+01:00", "bytes", 60_000.0),
    (
        "pnp.csv",
        "timestamp;in_MIN;in_MAX;in_AVERAGE;inerr_AVERAGE;out_AVERAGE\n1774857600;1;300;100;7;10\n1774857660;1;300;110;7;10\n",
        "pnp",
        "up",
        "2026-03-30T09:00:00+01:00",
        "bytes",
        6600.0,
    ),
    (
        "port.txt",
        "  INOCTETS OUTOCTETS INERRORS INUCASTPKTS\n\n1774857600: 1e3 2e2 5 10\n1774857900: 1e3 2e2 5 20\n",
        "port",
        "up",
        "2026-03-30T09:00:00+01:00",
        "packets",
        6000.0,
    ),
    (
        "instances.json",
        r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"__name__":"ifHCInOctets","ifName":"tun0","instance":"hub-1"},"values":[[1774857600,"1000"],[1774857900,"4000"]]},
            {"metric":{"__name__":"ifHCInOctets","ifName":"tun1","instance":"hub-1"},"values":[[1774857600,"1000"],[1774857900,"5000"]]},
            {"metric":{"__name__":"ifHCInOctets","ifName":"tun0","instance":"hub-2"},"values":[[1774857600,"1000"],[1774857900,"6000"]]}]}}"#,
        "hub-2 tun0",
        "up",
        "2026-03-30T09:00:00+01:00",
        "bytes",
        5000.0,
    ),
    (
        "influx.csv",
        "name,time,ifHCInOctets,ifHCOutOctets,ifName\ninterface,2026-03-30T07:00:00Z,1000,100,tun0\n\
         interface,2026-03-30T07:05:00Z,4000,100,tun0\ninterface,2026-03-30T07:10:00Z,9000,200,tun0\n",
        "tun0",
        "up",
        "2026-03-30T08:05:00+01:00",
        "bytes",
        5000.0,
    ),
    (
        "report.csv",
        "\"Interface Traffic Report\"\n\"Date/Time\",\"Average Receive bps\",\"Peak Receive bps\",\"Average Transmit bps\"\n\
         \"30/03/2026 08:00:00\",\"8 Mbps\",\"16 Mbps\",\"800 Kbps\"\n\"30/03/2026 08:05:00\",\"8 Mbps\",\"16 Mbps\",\"800 Kbps\"\n",
        "report",
        "down",
        "2026-03-30T08:05:00+01:00",
        "bytes",
        30e6,
    ),
    (
        "sites.csv",
        "when,site,bytes in,bytes out\n2026-03-30 08:00,A,100,200\n2026-03-30 08:00,B,300,400\n2026-03-30 08:05,A,101,201\n\
         2026-03-30 08:05,B,301,401\n",
        "B",
        "down",
        "2026-03-30T08:05:00+01:00",
        "bytes",
        401.0,
    ),
    (
        "clock.csv",
        "Date,Time,In [kB],Out [kB]\n30/03/2026,08:00,1,2\n30/03/2026,08:05,1,3\n31/03/2026,08:05,1,3\nAverage,,1,3\n",
        "clock",
        "down",
        "2026-03-30T08:05:00+01:00",
        "bytes",
        3000.0,
    ),
    (
        "tshark.txt",
        "TCP Conversations\n10.1.0.5:50123 <-> 10.0.0.1:443   20  30000   10  1500   30  31500   0.000000000   60.5000\n",
        "tshark",
        "down",
        "2026-03-30T08:00:00+01:00",
        "bytes",
        30_000.0,
    ),
    (
        "traffic.txt",
        "outside:\n\treceived (in 300.000 secs):\n\t\t5400 packets\t3988000 bytes\n\t\t18 pkts/sec\t13293 bytes/sec\n\
         \ttransmitted (in 300.000 secs):\n\t\t4400 packets\t988000 bytes\n",
        "outside",
        "up",
        "2026-03-30T07:55:00+01:00",
        "bytes",
        3_988_000.0,
    ),
    (
        "raw.txt",
        "list-sa event {site-01 {uniqueid=7 state=ESTABLISHED child-sas {lan-2 {name=lan uniqueid=2 reqid=2 state=INSTALLED \
         bytes-in=40000 packets-in=100 bytes-out=80000 packets-out=200 install-time=100}}}}\n",
        "site-01 lan",
        "up",
        "2026-03-30T07:58:20+01:00",
        "bytes",
        40_000.0,
    ),
];

#[test]
fn layouts_that_are_documented_are_read() {
    let mut wrong = Vec::new();
    for (name, text, place, direction, begins, column, value) in DOCUMENTED {
        let (done, rows) = of_text(name, text, &["--taken", "2026-03-30T08:00:00+01:00"]);
        let found = rows
            .iter()
            .find(|row| row["where"].contains(place) && row["direction"] == direction && row["begins"] == begins);
        match found.map(|row| number(row, column)) {
            Some(own) if (own - value).abs() <= 1e-6 * value => {}
            other => wrong.push(format!("{name}: {other:?} for {value}\n{}\n{rows:?}", said(&done))),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Fault: of two things that have one name, one is overwritten without a word; or a file that says nothing is an empty series.
#[test]
fn what_files_say_against_each_other_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |files: &[(&str, &str)], more: &[&str], part: &str| {
        let write = |(name, text): &(&str, &str)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let paths: Vec<PathBuf> = files.iter().map(write).collect();
        let (done, rows) = import(&paths, more);
        assert_eq!((done.status.code(), rows.len()), (Some(2), 0), "{}", said(&done));
        assert!(said(&done).contains(part), "`{part}` is not in {}", said(&done));
    };
    let twice = "  in out in out\n\n1774857600: 1 2 3 4\n1774857900: 1 2 3 4\n";
    refused(
        &[("twice.txt", twice)],
        &[],
        "`twice` down has two values of the same time: twice.txt:3 says 600, twice.txt:3 says 1200",
    );
    let snapshot =
        |bytes: u32| format!("gateway\n  name: 'a'\n  rx  packets: 1  bytes: {bytes}\nselectors remote-gateway:\n");
    let (first, second) = (snapshot(100), snapshot(300));
    let files = [("a.txt", first.as_str()), ("b.txt", second.as_str())];
    refused(&files, &["--taken", "2026-03-30T08:00:00Z"], "two readings of the same time: a.txt:3 and b.txt:3");
    refused(
        &[("none.json", r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#)],
        &[],
        "nothing that counts traffic",
    );
    refused(
        &[("bare.csv", "time,in\n2026-03-30 08:00,1\n2026-03-30 08:05,2\n")],
        &[],
        "nothing says in which unit `in` is",
    );

    let [a, b] = files.map(|(name, _)| folder.path().join(name));
    let times = ["--taken", "2026-03-30T07:00:00Z", "--taken", "2026-03-30T07:05:00Z"];
    let (done, rows) = import(&[a, b], &times);
    assert_eq!(
        of(&rows, &["where=a", "direction=up", "bytes=200", "seconds=300"]).len(),
        1,
        "{} {rows:?}",
        said(&done)
    );
    // A session is the same whichever way its age was rounded; one that began later is another.
    let traffic = |seconds: f64, bytes: u32| {
        format!(
            "outside:\n\treceived (in {seconds} secs):\n\t\t5 packets\t{bytes} bytes\n\ttransmitted (in {seconds} secs):\n"
        )
    };
    for (age, state, bytes) in [(1005.9, "ok", "200"), (1004.1, "ok", "200"), (250.0, "reset", "300")] {
        let write = |(name, text): (&str, String)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let paths = [("early.txt", traffic(705.0, 100)), ("late.txt", traffic(age, 300))].map(write);
        let (done, rows) = import(&paths, &times);
        let cells = ["where=outside", "direction=up", &format!("state={state}"), &format!("bytes={bytes}")];
        assert_eq!(of(&rows, &[&cells[..], &["seconds=300"]].concat()).len(), 1, "{age}: {} {rows:?}", said(&done));
    }
    // The finer of two archives counts.
    let (fine, coarse) = (folder.path().join("x").join("hub.txt"), folder.path().join("y").join("hub.txt"));
    for (path, step, count) in [(&fine, 300, 13), (&coarse, 1800, 4)] {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let line = |number: u32| format!("{}: 1.0 2.0\n", 1_774_857_600 + step * number);
        let text = format!("  in out\n\n{}", (0..count).map(line).collect::<String>());
        std::fs::write(path, text).unwrap();
    }
    let (done, rows) = import(&[fine, coarse], &[]);
    let whole: f64 = of(&rows, &["direction=up"]).iter().filter_map(|row| row["bytes"].parse::<f64>().ok()).sum();
    assert!((whole - (13.0 * 300.0 + 1800.0)).abs() < 1e-6, "{whole}: {} {rows:?}", said(&done));
}

/// A duration that no flow has would be spread over as many rows as fill the memory.
#[test]
fn a_flow_that_lasts_for_ever_is_refused() {
    let nfdump = |lasts: &str| {
        format!(
            "firstSeen,duration,proto,srcAddr,srcPort,dstAddr,dstPort,packets,bytes,flows\n\
             2026-11-28 03:58:30.511,{lasts},17,10.0.0.1,53550,10.0.0.2,15000,50,10000,1\n"
        )
    };
    let zeek = |lasts: &str| {
        format!(
            "{{\"ts\":1795000000.0,\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.1\",\"id.orig_p\":53550,\"id.resp_h\":\"10.0.0.2\",\
             \"id.resp_p\":443,\"proto\":\"tcp\",\"duration\":{lasts},\"orig_pkts\":5,\"orig_ip_bytes\":500,\"resp_pkts\":5,\
             \"resp_ip_bytes\":5000}}\n"
        )
    };
    let cases = [("flows.csv", nfdump("inf")), ("flows.csv", nfdump("1e12")), ("conn.log", zeek("1e12"))];
    for (name, text) in cases {
        let (done, rows) = of_text(name, &text, &[]);
        assert_eq!(done.status.code(), Some(2), "{}", said(&done));
        assert!(said(&done).contains("no flow lasts longer than a year") && rows.is_empty(), "{}", said(&done));
    }
    for (name, text) in [("flows.csv", nfdump("86400.5")), ("conn.log", zeek("86400.5"))] {
        let (done, rows) = of_text(name, &text, &[]);
        assert!(done.status.success() && rows.len() >= 288, "{}", said(&done));
    }
}

/// Fault: a restart leaves a value that no line carries, or a burst that somebody made is taken for one.
#[test]
fn only_what_a_restart_made_is_left_out() {
    let fetch = |change: &dyn Fn(u32) -> Option<[f64; 2]>| {
        let line = |number: u32| {
            let usual = [1e5 + 100.0 * f64::from(number % 7), 2e4 + 100.0 * f64::from(number % 5)];
            let [a, b] = change(number).unwrap_or(usual);
            format!("{}: {a:e} {b:e}\n", 1_774_857_600 + 300 * number)
        };
        let text = format!("  INOCTETS OUTOCTETS\n\n{}", (0..48).map(line).collect::<String>()).replace("NaN", "-nan");
        of_text("port.txt", &text, &[]).1
    };
    let spikes = |rows: &Rows| of(rows, &["state=spike", "bytes="]).len();
    let at = |which: u32, rates: [f64; 2]| move |number: u32| (number == which).then_some(rates);
    assert_eq!(spikes(&fetch(&at(20, [9e6, 5e6]))), 2, "90 and 250 times as much, both ways");
    assert_eq!(spikes(&fetch(&at(20, [6e16, 2e4]))), 1, "no line carries that");
    assert_eq!(spikes(&fetch(&at(20, [6e5, 1.2e5]))), 0, "a burst both ways, six times as much");
    assert_eq!(spikes(&fetch(&at(20, [2e6, 2e4]))), 0, "a backup one way: 600 MB");
    let after_a_gap = |number: u32| match number {
        19 => Some([f64::NAN, f64::NAN]),
        20 => Some([5e5, 1e5]),
        _ => None,
    };
    assert_eq!(spikes(&fetch(&after_a_gap)), 2, "beside a gap five times as much is enough");
    let every_ten = |number: u32| (number % 10 == 5).then_some([9e6, 5e6]);
    assert_eq!(spikes(&fetch(&every_ten)), 0, "what comes back is no restart");
}

#[test]
fn columns_names_and_workbooks_are_read_as_they_are_said_to_be() {
    // No name of these columns says anything.
    let text = "Wann;A;B;Ort\n30.03.2026 08:00;1,5;2,5;x\n30.03.2026 08:00;7;9;y\n30.03.2026 08:05;3;4,5;x\n30.03.2026 08:05;8;9;y\n";
    let folder = tempfile::tempdir().unwrap();
    let map = folder.path().join("names.csv");
    std::fs::write(&map, "name,where,class\nx,hub-1,web\ny,hub-2,\n").unwrap();
    let more = ["--columns", "time=Wann,up=A,down=B,where=Ort", "--unit", "Mbit/s", "--map", map.to_str().unwrap()];
    let (done, rows) = of_text("x.csv", text, &more);
    let found = of(&rows, &["where=hub-1", "class=web", "direction=down", "begins=2026-03-30T08:05:00+01:00"]);
    assert_eq!(found.len(), 1, "{}", said(&done));
    assert!((number(found[0], "bytes") - 4.5e6 / 8.0 * 300.0).abs() < 1e-6, "{found:?}");
    assert_eq!(of(&rows, &["where=hub-2", "class=all", "direction=up"]).len(), 2);
    let (done, _) = of_text("x.csv", text, &["--columns", "time=Wenn,up=A"]);
    assert!(done.status.code() == Some(2) && said(&done).contains("no column `Wenn`"), "{}", said(&done));

    let path = folder.path().join("export.xlsx");
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let as_time = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm");
    sheet.write_string(0, 0, "Traffic of the hub").unwrap();
    for (column, name) in (0_u16..).zip(["Time", "hub in [Mbit/s]", "hub out [Mbit/s]"]) {
        sheet.write_string(2, column, name).unwrap();
    }
    for (row, minute) in (3_u32..).zip([0_u8, 5, 10]) {
        let time = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 3, 30).unwrap().and_hms(8, minute, 0).unwrap();
        sheet.write_datetime_with_format(row, 0, &time, &as_time).unwrap();
        sheet.write_number(row, 1, 1.0).unwrap();
        sheet.write_number(row, 2, 8.0).unwrap();
    }
    book.save(&path).unwrap();
    let (done, rows) = import(&[path], &[]);
    let found = of(&rows, &["where=hub", "direction=down", "begins=2026-03-30T08:05:00+01:00"]);
    assert_eq!(found.len(), 1, "{}", said(&done));
    assert!((number(found[0], "bytes") - 3e8).abs() < 1.0, "{found:?}");
}

/// Fault: an estate has to be typed in although its tunnels are in an export.
#[test]
fn sites_of_an_export_are_a_scenario_to_start_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tunnels.csv");
    let rows = (0..6).map(|at| format!("2026-03-30 08:{:02},{},{},{}\n", 5 * at, 10 + at, 5, 130));
    let text = format!("Time,Leeds out [Mbit/s],York out [Mbit/s],Hull out [Mbit/s]\n{}", rows.collect::<String>());
    std::fs::write(&path, text).unwrap();
    let run = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_headend")).current_dir(folder.path()).args(args).output().unwrap()
    };
    let done = run(&["import", "tunnels.csv", "--scenario", "north"]);
    assert!(done.status.success(), "{}", said(&done));
    let list = std::fs::read_to_string(folder.path().join("north-sites.csv")).unwrap();
    assert!(list.contains("Hull,") && list.contains(",330,50") && list.contains("York,1,40,10"), "{list}");
    let done = run(&["check", "north.toml"]);
    assert!(done.status.success() && said(&done).contains("3 sites"), "{}", said(&done));
    let done = run(&["import", "tunnels.csv", "--scenario", "north"]);
    assert!(done.status.code() == Some(2) && said(&done).contains("already exists"), "{}", said(&done));
}

/// Texts of exports: those that are documented, and those of shared data where there are any.
fn exports() -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = DOCUMENTED.iter().map(|(_, text, ..)| text.as_bytes().to_vec()).collect();
    for entry in std::fs::read_dir(FILES).into_iter().flatten().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap();
        texts.extend((bytes.len() < 20_000).then_some(bytes));
    }
    texts
}

/// A text with bytes changed, lines deleted or doubled, or its end cut off.
fn mutated(text: &[u8], stream: &mut Stream) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = text.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let mut below = |most: usize| stream.below(u32::try_from(most.max(1)).unwrap()) as usize;
    for _ in 0..=below(3) {
        let line = below(lines.len());
        match below(5) {
            0 if lines.len() > 1 => drop(lines.remove(line)),
            1 => lines.insert(line, lines[line].clone()),
            2 => lines.truncate(line + 1),
            _ => {
                let place = below(lines[line].len());
                let signs = b"0-9,;\"\xff{[\t .e:";
                lines[line][place] = signs[below(signs.len())];
            }
        }
    }
    lines.concat()
}

fn each_reader(mutations: u32, seed: u64) {
    let texts = exports();
    let terms = ImportTerms { taken: vec![1.77e9], ..ImportTerms::usual(Clock::usual()) };
    let mut stream = Key::new(seed, 0).stream(0);
    for number in 0..mutations {
        let text = &texts[stream.below(u32::try_from(texts.len()).unwrap()) as usize];
        let bytes = mutated(text, &mut stream);
        // What it was taken for, and another reader.
        let own = kind(&String::from_utf8_lossy(&bytes));
        let other = ExportKind::ALL[number as usize % ExportKind::ALL.len()];
        for kind in own.into_iter().chain([other]) {
            let rows = taken_for(kind, &bytes, &terms);
            assert!(rows.iter().all(|row| row.seconds >= 0.0 && row.begins.is_finite()), "{kind:?}");
        }
    }
}

/// Fault: an export that was cut off, or opened in an editor, ends the program.
#[test]
fn no_reader_falls_over_what_is_no_export() {
    each_reader(3_000, 1);
}

/// By hand, a quarter of an hour: `cargo test --release -- --ignored by_hand_ten_million`.
#[test]
#[ignore = "by hand"]
fn by_hand_ten_million_texts() {
    each_reader(10_000_000, 2);
}
