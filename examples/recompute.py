#!/usr/bin/env python3
"""Computes every figure, interval, difference and verdict of summary.csv again from replications.csv.

    python3 examples/recompute.py output/tiny

Needs Python 3.8 or later and nothing else. Exit code 0: all agree to the last digit that is written. 1: some do not.
To use other statistics of your own, start from `read`, which gives the values of each replication.
"""

import csv
import functools
import json
import math
import sys
from pathlib import Path

CONFIDENCE = 0.95
# Replications with which a control variate is worth the degree of freedom that it costs.
LEAST = 5


def incomplete_beta(a, b, x):
    """Regularised incomplete beta function, by its continued fraction (DLMF 8.17.22)."""
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - incomplete_beta(b, a, 1.0 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    # Evaluated from the far end, where 300 terms are more than any of these needs.
    tail = 1.0
    for m in range(300, 0, -1):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        tail = 1.0 + even / (1.0 + odd / tail)
    first = -(a + b) * x / (a + 1.0)
    return front / (1.0 + first / tail)


def two_sided(t, freedom):
    """Probability that Student's t is at least so far from zero."""
    return incomplete_beta(freedom / 2.0, 0.5, freedom / (freedom + t * t))


@functools.lru_cache(maxsize=None)
def student(freedom):
    """Quantile of Student's t for a two-sided interval."""
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2.0
        low, high = (middle, high) if two_sided(middle, freedom) > 1.0 - CONFIDENCE else (low, middle)
    return (low + high) / 2.0


def mean(values):
    return math.fsum(values) / len(values)


def variance(values):
    centre = mean(values)
    return math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1) if len(values) > 1 else 0.0


def plain(values):
    """Mean, its standard error and the error's degrees of freedom."""
    if len(values) < 2:
        return mean(values), math.inf, 1
    return mean(values), math.sqrt(variance(values) / len(values)), len(values) - 1


def controlled(values, control):
    """The same with the luck of the days taken out by regression on a control variate (Lavenberg & Welch 1981)."""
    beside, known, known_error = control
    n = min(len(values), len(beside))
    if n < LEAST or variance(beside) <= 1e-18 * mean(beside) ** 2 or variance(values) <= 0.0:
        return plain(values)
    centre, centre_beside = mean(values), mean(beside)
    shared = math.fsum((values[i] - centre) * (beside[i] - centre_beside) for i in range(n))
    own, of_control = variance(values) * (n - 1), variance(beside) * (n - 1)
    slope = shared / of_control
    left = max(own - slope * shared, 0.0) / (n - 2)
    lucky = centre_beside - known
    error = math.sqrt(left * (1.0 / n + lucky * lucky / of_control) + (slope * known_error) ** 2)
    return centre - slope * lucky, error, n - 2


def estimate(values, control):
    return controlled(values, control) if control else plain(values)


def interval(found, known_to):
    """Mean and half-width; `known_to` is what the values themselves are known to."""
    centre, error, freedom = found
    half = student(freedom) * error if math.isfinite(error) else math.inf
    return centre, math.hypot(half, known_to) if math.isfinite(half) else half


def p_value(found):
    centre, error, freedom = found
    if not math.isfinite(error):
        return 1.0
    if error <= 0.0:
        return 0.0 if abs(centre) > 0.0 else 1.0
    return two_sided(abs(centre / error), freedom)


def holm(p):
    """Holm's adjusted p-values."""
    adjusted, worst = [1.0] * len(p), 0.0
    for place, index in enumerate(sorted(range(len(p)), key=lambda index: (p[index], index))):
        worst = min(max(worst, (len(p) - place) * p[index]), 1.0)
        adjusted[index] = worst
    return adjusted


def observations(values, pairs):
    """Replications, or the means of antithetic pairs of them."""
    if not pairs:
        return values
    return [(values[i] + values[i + 1]) / 2.0 for i in range(0, len(values) - 1, 2)]


def number(text):
    return float(text) if text != "" else None


def read(folder):
    """By figure and option: the rows of replications.csv in the order of the replications."""
    figures = {}
    with open(folder / "replications.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            figures.setdefault(row["figure"], {}).setdefault(row["option"], []).append(row)
    return figures


def control_of(rows, name, pairs):
    """A forecast of each observation, its mean over other days and the error of that; none where none is used."""
    if any(row[name] == "" for row in rows):
        return None
    values = [float(row[name]) for row in rows]
    return observations(values, pairs), float(rows[0][name + "_mean"]), float(rows[0][name + "_error"])


def difference(own, base):
    """What is left of two figures that differ by rounding alone is no difference."""
    by = own - base
    return 0.0 if abs(by) <= 1e-6 * abs(base) else by


def compare(options, pairs):
    """By option: mean, ends of the interval, and the same of the difference from the base, and whether that is clear."""
    values = {option: [number(row["value"]) or 0.0 for row in rows] for option, rows in options.items()}
    found, changes = {}, {}
    for option, rows in options.items():
        resolution = float(rows[0]["resolution"])
        value = estimate(observations(values[option], pairs), control_of(rows, "forecast", pairs))
        found[option] = interval(value, abs(value[0]) * resolution)
        if option != "base" and "base" in options:
            days = [difference(own, base) for own, base in zip(values[option], values["base"])]
            change = estimate(observations(days, pairs), control_of(rows, "change_forecast", pairs))
            apart = (mean(values[option]) + mean(values["base"])) * resolution
            changes[option] = interval(change, apart), p_value(change)
    clear = dict(zip(changes, (p < 1.0 - CONFIDENCE for p in holm([p for _, p in changes.values()]))))
    return {
        option: (found[option], changes[option][0] if option in changes else None, clear.get(option))
        for option in options
    }


def verdict(rows, value, limit):
    """`met` if the whole interval is within the limit, whatever becomes of what was under way at the end."""
    centre, half = value
    if any(row["value"] == "" for row in rows) or not math.isfinite(half):
        return "unsure"
    if centre + half > limit:
        return "missed" if centre - half > limit else "unsure"
    more = [(number(row["at_most"]), float(row["value"])) for row in rows]
    added = math.fsum(most - own for most, own in more if most is not None) / len(rows)
    return "unsure" if centre + added + half > limit else "met"


def shown(value):
    """Six significant digits, as summary.csv has them."""
    return float("%.5e" % value) if math.isfinite(value) else None


def ends(value):
    """Lower and upper end; what cannot be negative does not begin below zero."""
    centre, half = value
    low = max(centre - half, 0.0) if centre >= 0.0 else centre - half
    return [shown(centre), shown(low), shown(centre + half)]


def main():
    folder = Path(sys.argv[1])
    pairs = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["antithetic"]
    figures = read(folder)
    computed = {figure: compare(options, pairs) for figure, options in figures.items()}
    wrong, count = 0, 0
    with open(folder / "summary.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            option, figure = row["option"], row["figure"]
            value, change, clear = computed[figure][option]
            expected = ends(value)
            if change:
                centre, half = change
                expected += [shown(centre), shown(centre - half), shown(centre + half), str(clear).lower()]
            else:
                expected += [None, None, None, ""]
            rows = figures[figure][option]
            expected.append(verdict(rows, value, float(row["limit"])) if row["limit"] else "")
            names = ["value", "low", "high", "change", "change_low", "change_high", "clear", "verdict"]
            for name, ours in zip(names, expected):
                theirs = row[name] if name in ("clear", "verdict") else number(row[name])
                count += 1
                if ours != theirs:
                    wrong += 1
                    print(f"{option}: {figure}: {name} is {theirs} in summary.csv, and {ours} computed again")
    print(f"{count} entries of summary.csv computed again from replications.csv; {wrong} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
