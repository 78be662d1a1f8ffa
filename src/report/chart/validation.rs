//! Reference against headend: every figure as a point, and the distribution of every case.

use plotters::prelude::*;

use crate::elementary::log10;
use crate::report::chart::{BLUE, GREY, INK, LABEL, ORANGE, font, right, sheet, sure};
use crate::validate::evidence::Reference;
use crate::validate::{ReferenceKind, Replayed, ValidationRow};

/// Every latency of the evidence: reference across, headend up.
#[must_use]
pub fn scatter(rows: &[ValidationRow]) -> (String, String) {
    let rows: Vec<&ValidationRow> =
        rows.iter().filter(|row| row.kind == ReferenceKind::Evidence && !row.figure.starts_with("voice")).collect();
    let svg = sheet(560, |area| {
        let (left, top, side) = (70, 14, 490);
        let place = |value: f64| ((log10(value.max(0.01)) + 2.0) / 4.0 * f64::from(side)).round();
        #[allow(clippy::cast_possible_truncation)] // pixels
        let at = |x: f64, y: f64| (left + place(x) as i32, top + side - place(y) as i32);
        for value in [0.01, 0.1, 1.0, 10.0, 100.0] {
            let (x, y) = at(value, value);
            sure(area.draw(&PathElement::new([(x, top), (x, top + side)], GREY.mix(0.25))));
            sure(area.draw(&PathElement::new([(left, y), (left + side, y)], GREY.mix(0.25))));
            sure(area.draw(&Text::new(format!("{value} s"), (left - 8, y), right(LABEL))));
            sure(area.draw(&Text::new(format!("{value} s"), (x - 12, top + side + 10), font(LABEL))));
        }
        for (factor, weight) in [(1.0, 2), (1.1, 1), (1.0 / 1.1, 1)] {
            let line =
                PathElement::new([at(0.01, 0.01 * factor), at(100.0, 100.0 * factor)], GREY.stroke_width(weight));
            sure(area.draw(&line));
        }
        for row in &rows {
            for (value, colour) in [(row.flow, ORANGE), (row.packet, BLUE)] {
                if let Some(value) = value {
                    sure(area.draw(&Circle::new(at(row.value, value), 4, colour.mix(0.65).filled())));
                }
            }
        }
        let words = [("packet fidelity", BLUE), ("flow fidelity", ORANGE)];
        for ((word, colour), y) in words.into_iter().zip([40, 64]) {
            sure(area.draw(&Circle::new((600, y), 5, colour.filled())));
            sure(area.draw(&Text::new(word, (614, y - 6), font(LABEL).color(&INK))));
        }
        sure(area.draw(&Text::new("across: measured; up: headend", (594, 92), font(LABEL))));
        sure(area.draw(&Text::new("thin lines: 10 % off", (594, 114), font(LABEL))));
    });
    let off = |value: Option<f64>, row: &ValidationRow| value.map(|value| (value / row.value - 1.0).abs());
    let within = |values: Vec<f64>| {
        let inside = values.iter().filter(|off| **off <= 0.1).count();
        format!("{inside} of {}", values.len())
    };
    let packet = within(rows.iter().filter_map(|row| off(row.packet, row)).collect());
    let flow = within(rows.iter().filter_map(|row| off(row.flow, row)).collect());
    (format!("Within 10 % of what was measured: {packet} figures at packet fidelity, {flow} at flow fidelity"), svg)
}

/// How latencies of clinical transactions spread in a case, as measured and as headend says.
#[must_use]
pub fn cdf(replayed: &Replayed) -> (String, String) {
    let sorted = |latency: &[f64]| {
        let mut values: Vec<f64> = replayed.pick("clinical", latency).into_iter().map(|pair| pair.1).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (_, _, packet) = replayed.best();
    let mut curves: Vec<(&str, Vec<f64>, RGBColor, u32)> = replayed
        .case
        .measured
        .iter()
        .map(|(reference, measured)| match reference {
            Reference::Testbed => ("testbed", sorted(&measured.latency), INK, 3),
            Reference::Ns3 => ("ns-3", sorted(&measured.latency), GREY, 2),
        })
        .collect();
    curves.push(("packet", sorted(&packet.latency), BLUE, 2));
    curves.push(("flow", sorted(&replayed.flow.latency), ORANGE, 2));
    let svg = sheet(300, |area| {
        let (left, top, width, height) = (60, 12, 640, 240);
        let most = curves.iter().filter_map(|curve| curve.1.last()).fold(0.1_f64, |most, value| most.max(*value));
        let decades = log10(most / 0.01).max(1.0);
        #[allow(clippy::cast_possible_truncation)] // pixels
        let at = |value: f64, share: f64| {
            let x = (log10(value.max(0.01) / 0.01) / decades * f64::from(width)).round() as i32;
            (left + x, top + height - (share * f64::from(height)).round() as i32)
        };
        for value in [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0] {
            if value <= most {
                let (x, _) = at(value, 0.0);
                sure(area.draw(&PathElement::new([(x, top), (x, top + height)], GREY.mix(0.25))));
                sure(area.draw(&Text::new(format!("{value} s"), (x - 12, top + height + 8), font(LABEL))));
            }
        }
        for share in [0.0, 0.5, 0.95, 1.0] {
            let (_, y) = at(0.01, share);
            sure(area.draw(&PathElement::new([(left, y), (left + width, y)], GREY.mix(0.25))));
            sure(area.draw(&Text::new(format!("{:.0} %", share * 100.0), (left - 8, y), right(LABEL))));
        }
        for ((name, values, colour, weight), y) in curves.iter().zip([30, 54, 78, 102]) {
            #[allow(clippy::cast_precision_loss)] // transactions of a trace
            let points = (1..=200_usize).map(|step| {
                let share = step as f64 / 200.0;
                let place = (values.len() * step / 200).clamp(1, values.len().max(1)) - 1;
                at(values.get(place).copied().unwrap_or(0.01), share)
            });
            sure(area.draw(&PathElement::new(points.collect::<Vec<_>>(), colour.stroke_width(*weight))));
            sure(area.draw(&PathElement::new([(730, y), (756, y)], colour.stroke_width(*weight))));
            sure(area.draw(&Text::new(*name, (764, y - 6), font(LABEL))));
        }
    });
    let case = &replayed.case;
    (format!("{} {}: latency of clinical transactions", case.trace, case.service.name()), svg)
}
