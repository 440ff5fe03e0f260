"""What a reader must know to believe a ranking, and which of its numbers to believe less."""

from __future__ import annotations

from typing import Callable, List, Sequence

from evaluation.comparison.bd_rate import MINIMUM_OVERLAP, MINIMUM_POINTS
from evaluation.comparison.curves import Curve
from evaluation.comparison.intervals import MOST_DISCARDED
from evaluation.comparison.ranking import Row

_FEW_SEEDS = 5


def notes(anchor: Curve, rows: Sequence[Row], *, dataset: str, resamples: int) -> List[str]:
    """Sentences below the table."""
    metric = anchor.metric
    files = metric.medium.files
    found = [
        f"BD-rate against {anchor.name}: mean difference in rate at equal {metric.label}; below 0 "
        "is fewer bits. PCHIP through the points, log rate, package bjontegaard; overlap in "
        f"{metric.label} of at least {MINIMUM_OVERLAP:.0%} of the shorter curve, and at least "
        f"{MINIMUM_POINTS} points.",
        metric.note,
        *_about_intervals(anchor, rows, resamples),
    ]
    curves = [row.curve for row in rows]
    uneven = _names(curves, lambda curve: curve.seeds and not curve.seeds_at_all_points)
    if uneven:
        found.append(f"Different seeds at different points: {uneven}.")
    unknown = _names(curves, lambda curve: curve.dataset is None)
    if unknown:
        found.append(
            f"No digest of the {files}, taken on trust to be those of {dataset}: {unknown}."
        )
    commits = sorted({commit for curve in curves for commit in curve.commits})
    if len(commits) > 1:
        found.append(f"Measured by {len(commits)} versions of the source: {', '.join(commits)}.")
    return [note for note in found if note]


def _about_intervals(anchor: Curve, rows: Sequence[Row], resamples: int) -> List[str]:
    found = []
    curves = [row.curve for row in rows]
    with_interval = [row for row in rows if row.interval is not None]
    if with_interval:
        found.append(
            f"Interval and p: paired bootstrap over {anchor.metric.medium.files} and training "
            f"seeds, {resamples} resamples, percentiles stretched by Student's t; p is two-sided, "
            "of no difference, not corrected for the number of curves."
        )
    without_rows = _names(curves, lambda curve: curve.file_rates is None)
    if without_rows:
        they = "there are no intervals" if anchor.file_rates is None else "they have no interval"
        found.append(f"No per-file rows, so {they}: {without_rows}.")
    unstable = [
        row.curve
        for row in rows
        if row.interval is None
        and row.curve is not anchor
        and None not in (anchor.file_rates, row.curve.file_rates)
    ]
    if unstable:
        found.append(
            "No interval, because quality fell somewhere or the overlap was too small in more than "
            f"{MOST_DISCARDED:.0%} of the resamples: {_names(unstable)}."
        )
    discarded = [row for row in with_interval if row.interval.discarded]
    if discarded:
        counts = ", ".join(f"{row.curve.name} {row.interval.discarded}" for row in discarded)
        found.append(f"Discarded resamples, without a BD-rate: {counts}.")
    if with_interval:
        fewest = {curve.name: min(map(len, curve.seeds)) for curve in curves if curve.seeds}
        single = _names(curves, lambda curve: fewest.get(curve.name) == 1)
        if single:
            found.append(
                "One seed at some point: the interval does not cover the variation between "
                f"training runs: {single}."
            )
        few = _names(curves, lambda curve: 1 < fewest.get(curve.name, 0) < _FEW_SEEDS)
        if few:
            found.append(f"Fewer than {_FEW_SEEDS} seeds: the interval may be too narrow: {few}.")
        unpaired = _names(
            [row.curve for row in with_interval],
            lambda curve: (
                curve.seeds
                and anchor.seeds
                and curve.seeds_at_all_points != anchor.seeds_at_all_points
            ),
        )
        if unpaired:
            found.append(f"Other seeds than the anchor, drawn independently: {unpaired}.")
    return found


def _names(curves: Sequence[Curve], condition: Callable[[Curve], object] = bool) -> str:
    return ", ".join(curve.name for curve in curves if condition(curve))
