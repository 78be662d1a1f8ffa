//! What a run leaves in its folder: every file with what it holds, and every column with its meaning. `docs/outputs.md` is made
//! of this.

use crate::report::tidy::{self, CsvRows};
use crate::study::results::Results;

/// A table: what it is, its columns, and how its rows are made. Some are megabytes, and no two need be there at once.
pub struct OutputTable {
    /// Name of its file.
    pub name: &'static str,
    /// What it holds, in a sentence or two.
    pub about: &'static str,
    /// Names of the columns, and what they mean.
    pub columns: &'static [ColumnHelp],
    rows: fn(&Results, &mut CsvRows),
}

impl OutputTable {
    /// Its text.
    #[must_use]
    pub fn text(&self, results: &Results) -> String {
        let mut rows = CsvRows::new(self.columns.iter().map(|(name, _)| *name));
        (self.rows)(results, &mut rows);
        rows.text()
    }
}

/// What a column is called, and what it means.
type ColumnHelp = (&'static str, &'static str);

/// Columns that several tables have.
const OPTION: ColumnHelp =
    ("option", "Name of the set-up in the scenario; `base` is the headend as it is. options.csv has its title.");
const DAY: ColumnHelp = ("day", "Day of the run, 1 is the first.");
const TIME: ColumnHelp = ("time", "Start of the bin, time of day.");
const CONCENTRATOR: ColumnHelp = ("concentrator", "Name of the concentrator.");
const CLASS: ColumnHelp = ("class", "Name of the class.");

/// The table of all figures.
pub const SUMMARY: &str = "summary.csv";

/// Every table.
pub const TABLES: [OutputTable; 10] = [
    OutputTable {
        name: SUMMARY,
        about: "Every figure of every set-up with its 95 % interval: targets first, then other figures of the whole run, then what each class waits, and what becomes of calls.",
        columns: &[
            OPTION,
            ("figure", "The target as the scenario writes it, or the name of another figure."),
            ("unit", "Unit of `value`, `low`, `high` and of the changes; none for a number."),
            ("value", "Mean over replications, with the luck of the days taken out where a forecast tells it."),
            ("low", "Lower end of its 95 % interval."),
            ("high", "Upper end of its 95 % interval."),
            ("change", "Mean difference from the base on the same days; empty for the base."),
            ("change_low", "Lower end of its 95 % interval."),
            ("change_high", "Upper end of its 95 % interval."),
            (
                "clear",
                "Whether the difference is statistically significant at 5 %, after Holm's correction over all options.",
            ),
            ("limit", "What the target allows; empty for other figures."),
            ("verdict", "`met`, `unsure` or `missed`; empty for other figures."),
            (
                "at_least",
                "Whether the figure is a lower bound: what was still under way at the end of the run, or was given up, could make it larger.",
            ),
        ],
        rows: tidy::summary,
    },
    OutputTable {
        name: "replications.csv",
        about: "Every figure of summary.csv in each replication, with what its interval is made of: from this file alone \
                each interval can be computed again (examples/recompute.py does).",
        columns: &[
            OPTION,
            ("figure", "Name of the figure, as in summary.csv."),
            ("unit", "Its unit."),
            ("replication", "Number of the replication, from 0."),
            ("value", "What was measured in it; empty where nothing was, which counts as 0."),
            (
                "at_most",
                "The most that it could have been, had what was under way at the end, or was given up, become as bad as it can (`inf`: anything); targets only.",
            ),
            ("resolution", "The value is known to within this share of it, either way: half a bucket of a histogram."),
            (
                "forecast",
                "What was forecast of the day, as it was drawn, if that is used as a control variate (of latency, the mean [s]); in an antithetic pair the mean of both.",
            ),
            ("forecast_mean", "Mean of that forecast over all days."),
            ("forecast_error", "Standard error of that mean."),
            ("change_forecast", "The same for the difference from the base: that of the fuller one of the two."),
            ("change_forecast_mean", "Its mean over all days."),
            ("change_forecast_error", "Standard error of that mean."),
        ],
        rows: tidy::replications,
    },
    OutputTable {
        name: "options.csv",
        about: "What each set-up is.",
        columns: &[
            OPTION,
            ("title", "Its name in the report."),
            (
                "cost",
                "What it costs more than the headend as it is, in the unit of the scenario; empty where nothing is written.",
            ),
            ("what", "What it changes, in words."),
        ],
        rows: tidy::options,
    },
    OutputTable {
        name: "timeline.csv",
        about: "What each concentrator carries of each class, bin by bin; means over replications.",
        columns: &[
            OPTION,
            DAY,
            TIME,
            CONCENTRATOR,
            CLASS,
            ("carried_mbit_s", "Work done for the class [Mbit/s], with what headers and packet rate cost."),
            ("utilisation", "The same as a share of what the concentrator could do."),
            (
                "queue_ms",
                "Time that a packet of the watched class waits in the queue at the end of the bin [ms]; empty for other classes.",
            ),
        ],
        rows: tidy::timeline,
    },
    OutputTable {
        name: "classes.csv",
        about: "What each class does, bin by bin; means over replications.",
        columns: &[
            OPTION,
            DAY,
            TIME,
            CLASS,
            ("started", "Transactions, jobs or calls that began in the bin."),
            ("done", "Of these, how many ended with what was asked for."),
            ("failed", "Of these, how many were given up or refused."),
            ("mean_latency_s", "Mean latency of those that began in the bin [s]."),
            ("offered_mbit_s", "What was asked for [Mbit/s]."),
            ("under_way", "Transfers and jobs under way at the end of the bin."),
            ("waiting_jobs", "Jobs that wait for the end of a curfew at the end of the bin."),
            ("waiting_gb", "What they hold [GB]."),
        ],
        rows: tidy::classes,
    },
    OutputTable {
        name: "latency.csv",
        about: "Latency of each class by quarter of an hour, over all replications, and sites affected.",
        columns: &[
            OPTION,
            DAY,
            TIME,
            CLASS,
            ("p50_s", "Median latency [s] of what began in the quarter of an hour."),
            ("p95_s", "95th percentile [s]."),
            ("sites_affected", "Sites at which more than 5 % of the watched class is slow; empty for other classes."),
            ("affected_low", "Lower end of its 95 % interval."),
            ("affected_high", "Upper end of its 95 % interval."),
        ],
        rows: tidy::latency,
    },
    OutputTable {
        name: "tunnels.csv",
        about: "Tunnels, handshakes and limits of each concentrator, bin by bin; means over replications.",
        columns: &[
            OPTION,
            DAY,
            TIME,
            CONCENTRATOR,
            ("tunnels", "Tunnels that are up at the end of the bin."),
            ("half_open", "Handshakes that are half open at the end of the bin."),
            ("handshakes_s", "Handshakes completed [1/s]."),
            ("turned_away", "Requests for a handshake that were turned away in the bin."),
            ("down_share", "Share of the replications in which the concentrator is down at the end of the bin."),
            ("limit", "The limit that binds in the quarter of an hour, or `none`."),
            ("sites_cut_off", "Sites without a way to the headend at the end of the bin."),
            ("actions_on_paper", "Actions on paper that are still to be entered at the end of the bin."),
        ],
        rows: tidy::tunnels,
    },
    OutputTable {
        name: "parts.csv",
        about: "What the mean latency of each class consists of, bin by bin.",
        columns: &[
            OPTION,
            DAY,
            TIME,
            CLASS,
            ("round_trips_s", "Round trips of an idle network, and the servers' time [s]."),
            ("queueing_s", "Waiting for others: in queues, and while they share a link [s]."),
            ("transfer_s", "Sending the bits as fast as links and concentrator allow [s]."),
            ("loss_s", "Noticing losses and sending again [s]."),
            ("held_s", "Waiting for a tunnel, or for a release [s]."),
            ("latency_s", "The sum [s]."),
        ],
        rows: tidy::parts,
    },
    OutputTable {
        name: "sites.csv",
        about: "Each site over the whole run.",
        columns: &[
            OPTION,
            ("site", "Name of the site."),
            ("patients", "Patients of the site, or who else is counted in the estate."),
            ("transactions", "Transactions of the watched class in a replication."),
            ("slow_share", "Share of these that took longer than the target allows, or were given up."),
            ("mean_latency_s", "Their mean latency [s]."),
            (
                "lost_h_per_replication",
                "Time that people lost at the site in a replication, in all classes that people wait for [h].",
            ),
        ],
        rows: tidy::sites,
    },
    OutputTable {
        name: "inputs.csv",
        about: "Every number that the scenario states, and where it comes from.",
        columns: &[
            ("number", "Path of the number in the scenario."),
            ("value", "Its value as written."),
            ("standing", "`official`, `measured`, `fitted`, or `assumed`."),
            ("source", "Where it comes from."),
            ("range", "What it could be."),
        ],
        rows: tidy::inputs,
    },
];

const RECORDS_ABOUT: &str = "`headend run FILE --records RECORDS.csv` writes each transaction and job to a file of its own, beside the folder: a row each, as they end. Calls are not among them.";

/// Columns of the file that `--records` names; its header is [`crate::study::records_file::RECORDS_HEADER`].
pub const RECORDS: [ColumnHelp; 10] = [
    ("replication", "Number of the replication, from 0."),
    OPTION,
    CLASS,
    ("site", "Name of the site; with an apostrophe before what a spreadsheet would take for a formula."),
    CONCENTRATOR,
    ("start_s", "When it was asked for, in seconds from midnight of the first day; of a deferred job when it was due."),
    ("latency_s", "From there to the last byte at the site, to giving up, or to the end of the run."),
    ("request_bytes", "Bytes that the site sends, of all turns."),
    ("response_bytes", "Bytes that it gets, of all turns."),
    (
        "outcome",
        "`done`: served through the headend. `local`: from a cache, or round the headend. `given-up`: out of patience. `switched-off`: by a rule. `declined`: turned away while the site was cut off. `on-paper`: not tried while it was, and done by hand. `inside`: under way when the run ended.",
    ),
];

/// Other files of a run, and what they hold.
pub const OTHERS: [(&str, &str); 8] = [
    ("report.html", "The report: everything in one page that needs neither network nor script."),
    ("summary.md", "The answer and the table of options, for a mail or a ticket."),
    ("report.xlsx", "The tables of the report as a workbook, with charts."),
    ("stress-des.md", "The STRESS-DES checklist of simulation reports, filled in for this run, to attach to a paper."),
    ("charts/", "Each chart as SVG, and as PNG at twice its size."),
    ("scenario.toml", "The scenario as it was run. `headend run scenario.toml` in this folder runs it again."),
    ("inputs/", "The files that the scenario names, if there are any."),
    ("manifest.json", "How the run came about: command, build, seed, replications, and the SHA-256 of every file."),
];

/// The table of all figures as text.
#[must_use]
pub fn summary(results: &Results) -> String {
    TABLES.iter().find(|table| table.name == SUMMARY).map_or_else(String::new, |table| table.text(results))
}

/// Whether a file of this name is a result of some verb.
#[must_use]
pub fn is_result(name: &str) -> bool {
    let of_run = TABLES.iter().any(|table| table.name == name) || OTHERS.iter().any(|(other, _)| *other == name);
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let of_question = ["compare", "sweep", "tornado", "doubt", "headroom", "fit", "hindcast"].contains(&stem)
        || stem.starts_with("plan-");
    of_run || name == FITTED || (of_question && ["csv", "svg", "png", "html"].contains(&ending))
}

/// The scenario that `fit` writes.
pub const FITTED: &str = "fitted.toml";

/// Every file, as the page lists them.
#[must_use]
pub fn listed() -> Vec<(&'static str, &'static str)> {
    let others = OTHERS.into_iter().filter(|(name, _)| !matches!(*name, "report.html" | "inputs/"));
    TABLES.iter().map(|table| (table.name, table.about)).chain(others).collect()
}

/// `docs/outputs.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = "# What a run leaves in its folder\n\n\
        `headend run FILE` writes to `output/NAME/`, or to the folder after `--out`. A folder can be copied elsewhere and run again: \
        `headend run scenario.toml` in it gives the same bytes, but for `manifest.json`, which has the clock in it.\n\n\
        | file | what it holds |\n|---|---|\n"
        .to_owned();
    for (name, about) in OTHERS {
        text += &format!("| `{name}` | {about} |\n");
    }
    for table in TABLES {
        text += &format!("| [`{}`](#{}) | {} |\n", table.name, table.name.replace('.', ""), table.about);
    }
    text += "\nTables are CSV in UTF-8, one row an observation, with units in the names of columns; a number that is not known is empty. \
             Means are over replications. `examples/recompute.py` computes `summary.csv` again from `replications.csv`.\n";
    let mut section = |title: &str, about: &str, columns: &[ColumnHelp]| {
        text += &format!("\n## {title}\n\n{about}\n\n| column | meaning |\n|---|---|\n");
        for (name, meaning) in columns {
            text += &format!("| `{name}` | {meaning} |\n");
        }
    };
    for table in TABLES {
        section(table.name, table.about, table.columns);
    }
    section("Records", RECORDS_ABOUT, &RECORDS);
    text
}
