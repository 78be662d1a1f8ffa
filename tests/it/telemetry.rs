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
            &["begins=2023-10-09T01:00:00+01:00", "packets="],
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

/// Layouts as their makers document them, of which no file may be passed on: (name, text, place, direction, begins, column, value).
const DOCUMENTED: [(&str, &str, &str, &str, &str, &str, f64); 10] = [
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
];

#[test]
fn layouts_that_are_documented_are_read() {
    let mut wrong = Vec::new();
    for (name, text, place, direction, begins, column, value) in DOCUMENTED {
        let (done, rows) = of_text(name, text, &[]);
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
    let terms = ImportTerms { taken: Some(1.77e9), ..ImportTerms::usual(Clock::usual()) };
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
