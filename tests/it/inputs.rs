//! Wrong input: each kind is answered with place, fault and remedy, exit code 2, and nothing written.

use std::path::Path;
use std::process::Command;

use headend::scenario::load;

fn tiny() -> String {
    std::fs::read_to_string("scenarios/tiny.toml").unwrap()
}

/// Name of the case, and what is replaced by what in `tiny.toml`.
const CASES: &[(&str, &str, &str)] = &[
    ("bad_unit_of_time", "patience = \"20 s\"", "patience = \"20 msec\""),
    ("bad_unit_of_rate", "throughput = \"10 Mbit/s\"", "throughput = \"10 MBps\""),
    ("no_unit", "patience = \"20 s\"", "patience = 20"),
    ("not_a_number", "rtt = \"18 ms\"", "rtt = \"NaN ms\""),
    ("negative_size", "fixed = \"150 MB\"", "fixed = \"-150 MB\""),
    ("zero_capacity", "throughput = \"10 Mbit/s\"", "throughput = \"0 Mbit/s\""),
    ("zero_link", "down = \"80 Mbit/s\"", "down = \"0 kbit/s\""),
    ("unknown_field", "patience = \"20 s\"", "patiense = \"20 s\""),
    ("unknown_table", "[source]", "[sources]"),
    ("unknown_class", "curfew = { class = \"updates\"", "curfew = { class = \"update\""),
    ("unknown_profile", "activity = \"staffed\"", "activity = \"stafed\""),
    ("unknown_discipline", "throughput = \"10 Mbit/s\"", "throughput = \"10 Mbit/s\"\ndiscipline = \"fifoo\""),
    ("unknown_change", "prioritise = {", "prioritize = {"),
    ("unknown_measure", "measure = \"p95\"", "measure = \"p96\""),
    ("curfew_ends_before_it_starts", "until = \"09:00\" }", "until = \"06:00\" }"),
    ("curfew_on_people", "curfew = { class = \"updates\"", "curfew = { class = \"clinical\""),
    ("missing_response", "response = { fixed = \"150 MB\" }\n", ""),
    ("missing_throughput", "throughput = \"10 Mbit/s\"\n", ""),
    ("missing_demand", "[class.jobs]\nper_1000 = 2.0\nshare = \"50 %\"\nfrom = \"08:00\"\nuntil = \"08:45\"\n", ""),
    ("wrong_time_of_day", "from = \"07:30\"\nuntil = \"10:00\"\nseed", "from = \"7.30\"\nuntil = \"10:00\"\nseed"),
    ("share_above_the_whole", "share = \"50 %\"", "share = \"150 %\""),
    ("shares_do_not_add_up", "share = \"90 %\", early", "share = \"80 %\", early"),
    ("table_in_place_of_a_value", "patience = \"20 s\"", "patience = { seconds = 20 }"),
    (
        "value_in_place_of_a_table",
        "[class.users]\nper_1000 = 2.0\nactivity = \"staffed\"\nthink = { exponential = \"22 s\" }",
        "users = 7",
    ),
    ("second_class_of_a_name", "name = \"documents\"", "name = \"clinical\""),
    ("second_site_of_a_name", "name = \"harbour\"", "name = \"mill-lane\""),
    (
        "target_outside_the_day",
        "from = \"08:00\"\nuntil = \"09:00\"\n\n[[target]]",
        "from = \"08:00\"\nuntil = \"19:00\"\n\n[[target]]",
    ),
    ("target_with_a_limit_of_another_kind", "at_most = \"2 s\"", "at_most = \"2 %\""),
    ("no_such_source", "\"class.clinical\" = {", "\"class.clinica\" = {"),
    (
        "packet_rate_contradicts_throughput",
        "throughput = \"10 Mbit/s\"",
        "throughput = \"10 Mbit/s\"\npacket_rate = \"100 packet/s\"",
    ),
    ("syntax", "seed = 7", "seed = = 7"),
    ("two_values_of_a_key", "seed = 7", "seed = 7\nseed = 8"),
    ("too_many_replications", "max_replications = 10", "max_replications = 3"),
    ("bins_do_not_fit", "seed = 7", "seed = 7\nbin = \"7 min\""),
    (
        "dated_change_without_a_date",
        "from = \"07:00\", until = \"09:00\" }",
        "from = \"07:00\", until = \"09:00\", on = \"2026-04-20\" }",
    ),
    ("both_mean_and_median", "mean = \"30 kB\", sigma", "mean = \"30 kB\", median = \"20 kB\", sigma"),
    ("include_of_a_later_option", "name = \"curfew\"\n", "name = \"curfew\"\ninclude = [\"first\"]\n"),
    ("fault_after_the_run", "[source]", "[[fault]]\noutage = { concentrator = \"hub\", at = \"12:00\" }\n\n[source]"),
    (
        "fault_on_a_date_without_dates",
        "[source]",
        "[[fault]]\noutage = { concentrator = \"hub\", on = \"2026-05-01\" }\n\n[source]",
    ),
    (
        "fault_at_no_time_of_day",
        "[source]",
        "[[fault]]\noutage = { concentrator = \"hub\", at = \"25:00\" }\n\n[source]",
    ),
    ("fault_of_an_unknown_hub", "[source]", "[[fault]]\noutage = { concentrator = \"hubb\" }\n\n[source]"),
    ("fault_of_no_duration", "[source]", "[[fault]]\ncut = { sites = \"all\", lasts = \"0 s\" }\n\n[source]"),
    ("fault_of_an_unknown_kind", "[source]", "[[fault]]\noutrage = { concentrator = \"hub\" }\n\n[source]"),
    ("flaps_without_a_rate", "[source]", "[[fault]]\nflaps = { reboot = { fixed = \"5 min\" } }\n\n[source]"),
    ("brown_out_of_all", "[source]", "[[fault]]\nbrown_out = { concentrator = \"hub\", left = \"0 %\" }\n\n[source]"),
    (
        "flood_beyond_its_line",
        "[source]",
        "[[fault]]\nflood = { site = \"harbour\", class = \"updates\", rate = \"2 Gbit/s\" }\n\n[source]",
    ),
    (
        "flood_of_an_unknown_site",
        "[source]",
        "[[fault]]\nflood = { site = \"habour\", class = \"updates\", rate = \"2 Mbit/s\" }\n\n[source]",
    ),
    ("surge_of_people", "[source]", "[[fault]]\nsurge = { class = \"clinical\", factor = 2 }\n\n[source]"),
    ("unknown_hub_in_a_pool", "[source]", "[[pool]]\nname = \"p\"\nconcentrators = [\"hub\", \"hub-2\"]\n\n[source]"),
    (
        "all_hubs_stand_by",
        "throughput = \"10 Mbit/s\"",
        "throughput = \"10 Mbit/s\"\nstandby = true\n[[pool]]\nname = \"p\"\nconcentrators = [\"hub\"]",
    ),
    ("unknown_profile_of_a_device", "throughput = \"10 Mbit/s\"", "profile = \"meraki-mx260\""),
    ("no_handshakes", "throughput = \"10 Mbit/s\"", "throughput = \"10 Mbit/s\"\nhandshakes = 0"),
    (
        "waves_that_move_a_site_twice",
        "[source]",
        "[[concentrator]]\nname = \"hub-2\"\nthroughput = \"10 Mbit/s\"\n[[change]]\nmigrate = { to = \"hub-2\", waves = [{ sites = { list = [\"harbour\"] }, at = \"08:00\" }, { sites = { list = [\"harbour\"] }, at = \"09:00\" }] }\n\n[source]",
    ),
    ("option_without_an_unknown_fault", "name = \"curfew\"\n", "name = \"curfew\"\nwithout = [\"stalls\"]\n"),
    (
        "option_without_what_others_need",
        "[[option]]\nname = \"curfew\"\n",
        "[[change]]\nadd = { concentrator = { name = \"hub-2\", throughput = \"10 Mbit/s\" } }\n[[change]]\nmigrate = { to = \"hub-2\", sites = { list = [\"harbour\"] } }\n\n\
         [[option]]\nname = \"curfew\"\nwithout = [\"add.hub-2\"]\n",
    ),
    (
        "targets_of_sites_that_make_no_sense",
        "[source]",
        "[[target]]\nclass = \"clinical\"\nmeasure = \"p95\"\nat_most = \"2 s\"\nsites = { only = [\"harbor\", \"harbour\", \"harbour\"] }\n\
         [[target]]\nmeasure = \"utilisation\"\nat_most = \"90 %\"\nsites = \"worst\"\n\
         [[target]]\nclass = \"clinical\"\nmeasure = \"slow\"\nat_most = \"2 %\"\nsites = { share = \"0 %\" }\n\n[source]",
    ),
    (
        "hours_for_what_is_of_sites",
        "[source]",
        "[[target]]\nmeasure = \"cut_off\"\nat_most = \"5 min\"\nfrom = \"08:00\"\n\n[source]",
    ),
    (
        "paper_without_people",
        "response = { fixed = \"150 MB\" }",
        "response = { fixed = \"150 MB\" }\n[class.fallback]\npaper = \"80 %\"\ncancel = \"30 %\"",
    ),
    ("years_without_growth", "seed = 7", "seed = 7\nyears = 3"),
    (
        "knobs_that_move_nothing",
        "[source]",
        "[[knob]]\nname = \"Throughput\"\npath = \"concentrator.hub.thruput\"\nrange = \"5 Mbit/s to 20 Mbit/s\"\n\
         [[knob]]\nname = \"Throughput\"\npath = \"concentrator.hub.throughput\"\nrange = \"5 s to 20 s\"\n\
         [[knob]]\nname = \"Throughput\"\npath = \"concentrator.hub.throughput\"\nrange = \"20 Mbit/s to 40 Mbit/s\"\n\
         [[knob]]\npath = \"class.clinical.users.activity\"\nrange = \"some\"\nalong = [\"a.b\"]\n\n[source]",
    ),
    (
        "knobs_for_one_value_and_for_half_a_turn",
        "[source]",
        "[[knob]]\nname = \"Throughput\"\npath = \"concentrator.hub.throughput\"\nrange = \"5 Mbit/s to 20 Mbit/s\"\n\
         [[knob]]\nname = \"Again\"\npath = \"concentrator.hub.throughput\"\nrange = \"5 Mbit/s to 20 Mbit/s\"\n\
         [[knob]]\nname = \"Turns\"\npath = \"class.clinical.turns\"\nrange = \"1.5 to 6.5\"\n\n[source]",
    ),
    ("missing_replay_file", "[source]", "[replay]\nfile = \"nowhere.csv\"\n\n[source]"),
];

#[test]
fn every_kind_of_wrong_input_is_answered_with_place_fault_and_remedy() {
    let right = tiny();
    for (name, from, to) in CASES {
        assert!(right.contains(from), "{name}: the scenario has changed");
        let text = right.replacen(from, to, 1);
        let problems = load("tiny.toml", &text, Path::new("scenarios")).err();
        let shown = problems.unwrap_or_else(|| panic!("{name} is not found out")).show(false);
        // The system's words for a missing file differ between systems.
        insta::assert_snapshot!(*name, shown.replace("(os error 2)", "(not found)"));
    }
}

/// Fault: a page offers what nobody can answer.
#[test]
fn a_knob_whose_end_is_wrong_is_refused() {
    let knob = |path: &str, range: &str| {
        let knob = format!("[[knob]]\nname = \"Knob\"\npath = \"{path}\"\nrange = \"{range}\"\n\n[source]");
        tiny().replacen("[source]", &knob, 1)
    };
    let found = |text: &str| {
        let study = load("tiny.toml", text, Path::new("scenarios")).unwrap();
        let folder = headend::disk::Folder::from(Path::new("scenarios"));
        headend::scenario::ends::problems_at_ends(("tiny.toml", text), &study.knobs, &folder)
    };
    assert!(found(&knob("class.clinical.turns", "1 to 12")).is_empty());
    let text = knob("class.clinical.turns", "0 to 12");
    insta::assert_snapshot!("knob_whose_end_is_wrong", found(&text).show(false));
    for (path, range) in [("class.clinical.users.think.exponential", "0 s to 1 min"), ("run.until", "07:30 to 12:00")] {
        assert_eq!(found(&knob(path, range)).len(), 1, "{path}");
    }
    let reversed = load("tiny.toml", &knob("concentrator.hub.throughput", "20 Mbit/s to 5 Mbit/s"), Path::new("."));
    insta::assert_snapshot!("knob_whose_range_is_reversed", reversed.unwrap_err().show(false));
}

/// Five faults of different kinds are five problems, in the order of their places.
#[test]
fn all_problems_are_told_at_once() {
    let text = tiny()
        .replace("precision = \"30 %\"", "precision = \"thirty\"")
        .replace("patience = \"20 s\"", "patiense = \"20 s\"")
        .replace("activity = \"staffed\"", "activity = \"staff\"")
        .replace("throughput = \"10 Mbit/s\"", "throughput = \"10 MBps\"")
        .replace("first = [\"telephony\", \"clinical\"]", "first = [\"phones\"]");
    let problems = load("tiny.toml", &text, Path::new("scenarios")).unwrap_err();
    assert_eq!(problems.len(), 5, "{}", problems.show(false));
    insta::assert_snapshot!("five_faults", problems.show(false));
}

fn csv_case(name: &str, estate: &str, csv: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sites.csv"), csv).unwrap();
    let text = tiny();
    let from = text.find("[[estate.site]]").unwrap();
    let until = text.find("[[profile]]").unwrap();
    let link = "[[estate.link]]\nshare = \"100 %\"\ndown = \"80 Mbit/s\"\nup = \"20 Mbit/s\"\n\n";
    let text = format!("{}{estate}\n{link}{}", &text[..from], &text[until..]);
    let problems = load("tiny.toml", &text, folder.path()).err();
    let shown = problems.unwrap_or_else(|| panic!("{name} is not found out")).show(false);
    let folder = folder.path().display().to_string();
    insta::assert_snapshot!(name, shown.replace(&folder, "FOLDER").replace("(os error 2)", "(not found)"));
}

#[test]
fn wrong_estates_are_answered_in_their_own_file() {
    let csv = "[estate.csv]\nfile = \"sites.csv\"";
    csv_case("csv_that_is_missing", "[estate.csv]\nfile = \"site.csv\"", b"");
    csv_case("csv_that_is_empty", csv, b"");
    csv_case("csv_without_the_column", csv, b"GP_PRACTICE,NUMBER_OF_PATIENTS\nA,100\n");
    csv_case("csv_with_a_malformed_row", csv, b"CODE,NUMBER_OF_PATIENTS\nA,100\nB,many\nC,300\n");
    csv_case("csv_with_a_second_row_of_a_site", csv, b"CODE,NUMBER_OF_PATIENTS\nA,100\nA,100\n");
    csv_case("csv_in_another_encoding", csv, b"CODE,NUMBER_OF_PATIENTS\nCaf\xe9,100\n");
    let only = "[estate.csv]\nfile = \"sites.csv\"\nonly = { ICB = \"91Q\" }";
    csv_case("csv_filter_of_no_column", only, b"CODE,NUMBER_OF_PATIENTS,SUB_ICB\nA,100,91Q\n");
    let none = "[estate.csv]\nfile = \"sites.csv\"\nonly = { SUB_ICB = \"92Q\" }";
    csv_case("csv_filter_that_nothing_matches", none, b"CODE,NUMBER_OF_PATIENTS,SUB_ICB\nA,100,91Q\n");
    csv_case(
        "a_thousand_million_sites",
        "[estate.drawn]\nsites = 1000000000\npatients = 2000000000\nmu = 9\nsigma = 0.6",
        b"",
    );
}

/// Through the program: exit code 2, the message on stderr, and not a file left.
#[test]
fn wrong_input_ends_with_two_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.toml");
    let files: [(&str, Vec<u8>); 4] = [
        ("empty", Vec::new()),
        ("not UTF-8", b"question = \"Caf\xe9?\"".to_vec()),
        ("a fault", tiny().replace("20 s", "20 msec").into_bytes()),
        ("no TOML at all", b"<html>".to_vec()),
    ];
    for (name, bytes) in files {
        std::fs::write(&bad, bytes).unwrap();
        for verb in ["run", "check"] {
            let run = Command::new(env!("CARGO_BIN_EXE_headend"))
                .args([verb, bad.to_str().unwrap()])
                .current_dir(folder.path())
                .output()
                .unwrap();
            assert_eq!(run.status.code(), Some(2), "{name}");
            assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{name}");
            assert!(String::from_utf8_lossy(&run.stderr).contains("help: "), "{name}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "{name}: only the scenario itself");
    }
    let missing = Command::new(env!("CARGO_BIN_EXE_headend")).args(["run", "nowhere.toml"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
}

/// A folder that cannot be written is a fault of output: exit code 2, too.
#[test]
fn a_report_that_cannot_be_written_ends_with_two() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "in the way").unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_headend"))
        .args(["run", "scenarios/tiny.toml", "--out", blocked.join("out").to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&run.stderr).starts_with("error: cannot write"));
}
