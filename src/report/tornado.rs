//! A tornado: what the first target measures with each assumed input at both ends of its range.

use serde::Serialize;

use crate::report::chart::ranges::{RangeRow, RangeScale};
use crate::report::chart::{BLUE, INK, LegendEntry, Mark, ORANGE, ranges};
use crate::report::drawn::Chart;
use crate::report::drawn::ChartTable;
use crate::report::finding::{Evidence, Finding};
use crate::report::tidy;
use crate::report::tidy::known;
use crate::report::words::{figure, in_unit_of, quoted, several};
use crate::study::figures::TargetKind;
use crate::study::results::Results;

/// An assumed input and what the first target measures at both ends of its range.
#[derive(Clone, Debug, Serialize)]
pub struct Bar {
    /// The input.
    pub path: String,
    /// The value of now.
    pub value: String,
    /// The ends of its range, and what is measured there.
    pub low: (String, f64),
    /// See `low`.
    pub high: (String, f64),
}

impl Bar {
    /// The difference between the two.
    #[must_use]
    pub fn swing(&self) -> f64 {
        (self.high.1 - self.low.1).abs()
    }

    /// Whether the target is met at one end and missed at the other.
    fn turns(&self, limit: f64) -> bool {
        (self.low.1 <= limit) != (self.high.1 <= limit)
    }
}

/// The inputs on which the answer depends most; the longest bar comes first. `left` assumed numbers state no range.
#[must_use]
pub fn finding(results: &Results, setting: String, now: f64, bars: &[Bar], left: usize) -> Finding {
    let table = rows(results.kinds[0], bars);
    let mut cautions = Vec::new();
    if left > 0 {
        cautions.push(format!(
            "{} assumed without a range and stand as written: write `range` in [source] for those that matter.",
            several(left, ["other number is", "other numbers are"])
        ));
    }
    Finding {
        name: "tornado".to_owned(),
        question: results.question.clone(),
        setting,
        answer: sentences(results, now, bars),
        chart: Some(chart(results, now, bars, &table)),
        evidence: vec![Evidence { title: "Each assumed input at both ends of its range".to_owned(), table, keys: 1 }],
        cautions,
        method: vec![format!(
            "One input at a time, the others as they are, on the same {} (seed {}). What inputs do together is not seen; \
             `headend sweep --doubt` draws all of them at once.",
            several(results.replications as usize, ["day", "days"]),
            results.seed
        )],
        csv: csv(bars),
    }
}

fn sentences(results: &Results, now: f64, bars: &[Bar]) -> Vec<String> {
    let (target, limit, kind) = (quoted(&results.targets[0]), results.limits[0], results.kinds[0]);
    let show = |value: f64| figure(value, kind);
    let Some(bar) = bars.first().filter(|bar| bar.swing() > 0.0) else {
        return vec![format!("No assumed input moves {target} within its range.")];
    };
    let most = format!(
        "The answer depends most on {}: from {} to {}, {target} goes from {} to {} (now {}). Measure that first.",
        bar.path,
        bar.low.0,
        bar.high.0,
        show(bar.low.1),
        show(bar.high.1),
        show(now)
    );
    let turning = bars.iter().filter(|bar| bar.turns(limit)).count();
    let verdict = if now <= limit { "met" } else { "missed" };
    vec![
        most,
        match turning {
            0 => format!("No single input within its range changes the verdict: the target is {verdict} throughout."),
            some => format!(
                "{} can change the verdict ({verdict} now) within {} range.",
                several(some, ["input", "inputs"]),
                if some == 1 { "its" } else { "their" }
            ),
        },
    ]
}

fn rows(kind: TargetKind, bars: &[Bar]) -> ChartTable {
    let head = ["assumed input", "now", "low end", "result there", "high end", "result there"].map(str::to_owned);
    let row = |bar: &Bar| {
        let (low, high) = (&bar.low, &bar.high);
        let [at_low, at_high] = [low.1, high.1].map(|value| figure(value, kind));
        vec![bar.path.clone(), bar.value.clone(), low.0.clone(), at_low, high.0.clone(), at_high]
    };
    ChartTable { head: head.to_vec(), rows: bars.iter().map(row).collect() }
}

fn chart(results: &Results, now: f64, bars: &[Bar], table: &ChartTable) -> Chart {
    const SHOWN: usize = 16;
    let (limit, kind) = (results.limits[0], results.kinds[0]);
    let most = bars.iter().flat_map(|bar| [bar.low.1, bar.high.1]).fold(now.max(limit) * 1.1, f64::max);
    let row = |bar: &Bar| RangeRow::Swing {
        label: bar.path.clone(),
        low: bar.low.1,
        high: bar.high.1,
        words: format!("{}: {}, {}: {}", bar.low.0, figure(bar.low.1, kind), bar.high.0, figure(bar.high.1, kind)),
    };
    let rows: Vec<RangeRow> = bars.iter().take(SHOWN).map(row).collect();
    let show = |value: f64| in_unit_of(value, most, kind);
    let scale = RangeScale {
        most,
        step: ranges::step(most, kind),
        show: &show,
        lines: vec![ranges::limit(limit), (now, "now", INK)],
        now,
        keys: vec![
            LegendEntry::new("input at the low end of its range", BLUE, Mark::Solid),
            LegendEntry::new("at the high end", ORANGE, Mark::Solid),
        ],
    };
    Chart {
        name: "tornado",
        title: sentences(results, now, bars).into_iter().next().unwrap_or_default(),
        note: format!(
            "{}, mean over days. The longer a bar, the more the answer depends on the input.",
            results.targets[0]
        ),
        svg: ranges::draw(&rows, &scale),
        table: table.clone(),
    }
}

/// As tidy CSV.
fn csv(bars: &[Bar]) -> String {
    let row = |bar: &Bar| {
        let (low, high) = (bar.low.clone(), bar.high.clone());
        [bar.path.clone(), bar.value.clone(), low.0, known(low.1), high.0, known(high.1)]
    };
    tidy::csv(["input", "now", "low", "result_low", "high", "result_high"], bars.iter().map(row))
}
