"""A comparison as people and programs read it: the ranking, its notes and the record."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from evaluation.comparison.bd_rate import (
    METHOD,
    MINIMUM_OVERLAP,
    MINIMUM_POINTS,
    Overlap,
    check_overlap,
    overlap,
    quality_delta,
    rate_delta,
)
from evaluation.comparison.curves import Curve
from evaluation.comparison.intervals import LEVEL, MOST_DISCARDED, Interval, paired_interval
from evaluation.provenance import provenance

_FEW_SEEDS = 5


class Row(NamedTuple):
    """A curve against the anchor; of the anchor itself all differences are 0.

    Attributes:
        curve: the curve.
        bd_rate: percent, below 0 for fewer bits than the anchor.
        bd_quality: dB, above 0 for better than the anchor; None where rates overlap too little.
        common: the qualities that both curves reach, dB.
        interval: of ``bd_rate``; None where there are no per-file rows, or it would be no good.
        at: percent at each quality of the grid, NaN outside of either curve.
    """

    curve: Curve
    bd_rate: float
    bd_quality: Optional[float]
    common: Overlap
    interval: Optional[Interval]
    at: np.ndarray


def compare_with_anchor(
    anchor: Curve, curve: Curve, grid: np.ndarray, *, resamples: int, seed: int
) -> Row:
    """All there is to say of a curve against an anchor.

    Args:
        anchor: a curve that passes ``check_curve``.
        curve: another one, or the anchor itself.
        grid: qualities in dB at which differences in rate are given, [grid].
        resamples: of the bootstrap.
        seed: of the bootstrap.

    Raises:
        TooLittleOverlap: the curves share too little of their qualities.
    """
    common = overlap(anchor.quality, curve.quality)
    if curve is anchor:
        return Row(curve, 0.0, 0.0, common, None, np.zeros(len(grid)))
    check_overlap(anchor.name, curve.name, common)
    pair = (anchor.rates, anchor.quality, curve.rates, curve.quality)
    delta = rate_delta(*pair, grid)
    interval = None
    if anchor.file_rates is not None and curve.file_rates is not None:
        interval = paired_interval(anchor, curve, resamples=resamples, seed=seed, grid=grid)
    return Row(curve, delta.percent, quality_delta(*pair), common, interval, delta.at)


def table(anchor: Curve, rows: Sequence[Row]) -> str:
    """The ranking as a Markdown table, fewest bits first."""
    label, unit = anchor.metric.label, anchor.metric.unit
    lines = [
        f"| | curve | points | seeds | BD-rate (%) | {LEVEL:.0%} interval | p "
        f"| BD-{label} ({unit}) | overlap ({label}) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for rank, row in enumerate(rows, start=1):
        if row.curve is anchor:
            numbers = "0 | anchor | | 0 | "
        else:
            interval = p = "-"
            if row.interval is not None:
                interval = f"{row.interval.low:+.2f} to {row.interval.high:+.2f}"
                p = f"{row.interval.p:.3f}" if row.interval.p >= 0.001 else "< 0.001"
            quality = "-" if row.bd_quality is None else f"{row.bd_quality:+.2f}"
            common = f"{row.common.share:.0%}: {row.common.low:.1f} to {row.common.high:.1f} {unit}"
            numbers = f"{row.bd_rate:+.2f} | {interval} | {p} | {quality} | {common}"
        name = row.curve.name.replace("|", "\\|")
        lines.append(
            f"| {rank} | {name} | {len(row.curve.rates)} | {_seed_count(row.curve)} | {numbers} |"
        )
    return "\n".join(lines)


def notes(anchor: Curve, rows: Sequence[Row], *, dataset: str, resamples: int) -> List[str]:
    """What a reader must know to believe the numbers, and which of them to believe less."""
    label = anchor.metric.label
    files = anchor.metric.medium.files
    others = [row for row in rows if row.curve is not anchor]
    said = [
        f"BD-rate against {anchor.name}: mean difference in rate at equal {label}, below 0 is "
        f"fewer bits. PCHIP through the points, log rate, package bjontegaard; overlap in {label} "
        f"of the shorter curve, at least {MINIMUM_OVERLAP:.0%}, and {MINIMUM_POINTS} points."
    ]
    if anchor.metric.definition:
        said.append(anchor.metric.definition)
    with_interval = [row for row in others if row.interval is not None]
    if with_interval:
        said.append(
            f"Interval and p: paired bootstrap over {files} and training seeds, "
            f"{resamples} resamples, percentiles stretched by Student's t; p is two-sided, of no "
            "difference, not corrected for the number of curves."
        )
    no_rows = [row.curve for row in rows if row.curve.file_rates is None]
    # Curves hold arrays, which == compares element by element: they are told apart by name.
    without = {curve.name for curve in no_rows}
    if no_rows:
        none = anchor.name in without
        what = "so there are no intervals" if none else "so they have no interval"
        said.append(f"No per-file rows, {what}: {_names(no_rows)}.")
    unstable = [
        row.curve
        for row in others
        if row.interval is None and not {anchor.name, row.curve.name} & without
    ]
    if unstable:
        said.append(
            "No interval, because quality fell somewhere or the overlap was too small in more than "
            f"{MOST_DISCARDED:.0%} of the resamples: {_names(unstable)}."
        )
    discarded = [row for row in with_interval if row.interval.discarded]
    if discarded:
        counts = ", ".join(f"{row.curve.name} {row.interval.discarded}" for row in discarded)
        said.append(f"Resamples without a BD-rate, left out: {counts}.")
    known = [curve for curve in (row.curve for row in rows) if curve.seeds]
    single = [curve for curve in known if min(map(len, curve.seeds)) == 1]
    if single and with_interval:
        said.append(
            "One seed at some point: the interval does not know how another training run would "
            f"turn out: {_names(single)}."
        )
    few = [curve for curve in known if 1 < min(map(len, curve.seeds)) < _FEW_SEEDS]
    if few and with_interval:
        said.append(
            f"Fewer than {_FEW_SEEDS} seeds: the interval may be too narrow: {_names(few)}."
        )
    uneven = [curve for curve in known if not curve.seeds_at_all_points]
    if uneven:
        said.append(f"Not the same seeds at all points: {_names(uneven)}.")
    unpaired = [
        row.curve
        for row in with_interval
        if row.curve.seeds
        and anchor.seeds
        and row.curve.seeds_at_all_points != anchor.seeds_at_all_points
    ]
    if unpaired:
        said.append(f"Other seeds than the anchor, drawn independently: {_names(unpaired)}.")
    untold = [row.curve for row in rows if row.curve.dataset is None]
    if untold:
        said.append(
            f"No digest of the {files}; that they are those of {dataset} is taken on "
            f"trust: {_names(untold)}."
        )
    commits = sorted({commit for curve in known for commit in curve.commits})
    if len(commits) > 1:
        said.append(f"Measured by {len(commits)} versions of the source: {', '.join(commits)}.")
    return said


def record(
    anchor: Curve, rows: Sequence[Row], said: Sequence[str], *, resamples: int, seed: int
) -> Dict[str, Any]:
    """The comparison as JSON holds it."""
    dataset = next((row.curve.dataset for row in rows if row.curve.dataset), None)
    return {
        "anchor": anchor.name,
        "metric": anchor.metric.key,
        "method": METHOD,
        "dataset": dataset._asdict() if dataset else None,
        "bootstrap": {
            "level": LEVEL,
            "resamples": resamples,
            "seed": seed,
        },
        "curves": [
            {
                "rank": rank,
                "name": row.curve.name,
                "bd_rate_percent": row.bd_rate,
                "interval_percent": row.interval and [row.interval.low, row.interval.high],
                "p": row.interval and row.interval.p,
                "discarded_resamples": row.interval and row.interval.discarded,
                "bd_quality_db": row.bd_quality,
                "overlap": row.common._asdict(),
                anchor.metric.medium.rate: row.curve.rates.tolist(),
                "quality_db": row.curve.quality.tolist(),
                "seeds": [list(seeds) for seeds in row.curve.seeds],
                "sources": list(row.curve.sources),
                "commits": list(row.curve.commits),
            }
            for rank, row in enumerate(rows, start=1)
        ],
        "notes": list(said),
        "provenance": provenance(),
    }


def _names(curves: Sequence[Curve]) -> str:
    return ", ".join(curve.name for curve in curves)


def _seed_count(curve: Curve) -> str:
    counts = sorted({len(seeds) for seeds in curve.seeds})
    return f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else str(counts[0]) if counts else "-"
