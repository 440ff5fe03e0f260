"""What a reader must know to believe a ranking, and which of its numbers to believe less."""

from __future__ import annotations

from typing import List, Sequence

import numpy as np

from evaluation.comparison.bd_rate import MINIMUM_OVERLAP, MINIMUM_POINTS
from evaluation.comparison.curves import Curve
from evaluation.comparison.intervals import MOST_DISCARDED
from evaluation.comparison.ranking import UNCERTAIN, Row

_FEW_SEEDS = 5


def notes(anchor: Curve, rows: Sequence[Row], *, dataset: str, resamples: int) -> List[str]:
    """Sentences below the table."""
    metric, files = anchor.metric, anchor.metric.medium.files
    with_interval = [row for row in rows if row.interval is not None]
    found = [
        f"BD-rate against {anchor.name}: mean difference in rate at equal {metric.label}; below 0 "
        "is fewer bits. PCHIP through the points, log rate, package bjontegaard; overlap in "
        f"{metric.label} of at least {MINIMUM_OVERLAP:.0%} of the shorter curve, and at least "
        f"{MINIMUM_POINTS} points."
    ]
    if metric.note:
        found.append(metric.note)
    if with_interval:
        found.append(
            f"Interval and p: paired bootstrap over {files} and training seeds, {resamples} "
            "resamples, percentiles stretched by Student's t; p is two-sided, of no difference, "
            "not corrected for the number of curves."
        )
    if any(row.uncertain for row in rows):
        found.append(
            f"{UNCERTAIN} The BD-rate is smaller than its interpolation error: the larger of its "
            "distance from the BD-rate by Akima's interpolation and its largest change if one "
            "inner point is left out (after arXiv 2304.12852)."
        )
    of_files = [row for row in rows if row.by_file is not None]
    if of_files:
        found.append(
            f"By {files[:-1]}: the mean of the BD-rates of single {files}, which weighs all alike; "
            f"interquartile: of the middle half of them; improved: share of {files} with fewer "
            f"bits than {anchor.name}, ties counted half."
        )
        missing = {row.curve.name: int(np.isnan(row.by_file.percents).sum()) for row in of_files}
        counts = ", ".join(f"{name} {count}" for name, count in missing.items() if count)
        if counts:
            found.append(
                f"{files.capitalize()} without a BD-rate of their own, because quality falls "
                f"somewhere or the overlap is too small: {counts}."
            )
    for text, curves in _reservations(anchor, rows, with_interval, files, dataset):
        if curves:
            found.append(f"{text}: {', '.join(curve.name for curve in curves)}.")
    discarded = [row for row in with_interval if row.interval.discarded]
    if discarded:
        counts = ", ".join(f"{row.curve.name} {row.interval.discarded}" for row in discarded)
        found.append(f"Discarded resamples, without a BD-rate: {counts}.")
    found += points_left_out([row.curve for row in rows])
    commits = sorted({commit for row in rows for commit in row.curve.commits})
    if len(commits) > 1:
        found.append(f"Measured by {len(commits)} versions of the source: {', '.join(commits)}.")
    return found


def points_left_out(curves: Sequence[Curve]) -> List[str]:
    """A sentence on the points of curves in one metric that have no finite quality, if any."""
    counts = ", ".join(f"{curve.name} {curve.left_out}" for curve in curves if curve.left_out)
    label = curves[0].metric.label
    return [f"Points left out, because their {label} is not finite: {counts}."] if counts else []


def _reservations(anchor, rows, with_interval, files, dataset):
    """What is to be said of some curves, and of which."""
    curves = [row.curve for row in rows]
    trained = [curve for curve in curves if curve.seeds]
    compared = [row.curve for row in with_interval]
    fewest = {curve.name: min(map(len, curve.seeds)) for curve in trained if compared}
    yield (
        "No per-file rows, so there are no intervals"
        if anchor.file_rates is None
        else "No per-file rows, so they have no interval",
        [curve for curve in curves if curve.file_rates is None],
    )
    yield (
        f"No interval from a single one of the {files}",
        [curve for curve in curves if curve.files == 1],
    )
    yield (
        "No interval, because quality fell somewhere or the overlap was too small in more than "
        f"{MOST_DISCARDED:.0%} of the resamples",
        [
            row.curve
            for row in rows
            if row.interval is None and row.curve is not anchor
            if min(anchor.files, row.curve.files) > 1
        ],
    )
    yield (
        "One seed at some point: the interval does not cover the variation between training runs",
        [curve for curve in trained if fewest.get(curve.name) == 1],
    )
    yield (
        f"Fewer than {_FEW_SEEDS} seeds: the interval may be too narrow",
        [curve for curve in trained if 1 < fewest.get(curve.name, 0) < _FEW_SEEDS],
    )
    yield (
        "Different seeds at different points",
        [curve for curve in trained if not curve.seeds_at_all_points],
    )
    yield (
        "Other seeds than the anchor, drawn independently",
        [
            curve
            for curve in compared
            if curve.seeds and anchor.seeds
            if curve.seeds_at_all_points != anchor.seeds_at_all_points
        ],
    )
    yield (
        f"No digest of the {files}, taken on trust to be those of {dataset}",
        [curve for curve in curves if curve.dataset is None],
    )
